//! What an event changed, told from its stored text alone.

use serde_json::{Map, Value, json};

/// Longer values are told by their length: the whole of them is in the journal, under the entry's position.
const LONGEST: usize = 1000;
/// Members that only group fields; their own members count as the event's.
const GROUPS: &[&str] = &["details", "content", "parameters"];

/// Notes an event's fields among those known of its thing, and answers which of them it changed, and how.
pub(super) fn changes(known: &mut Map<String, Value>, payload: &Value) -> Map<String, Value> {
    let mut changes = Map::new();
    for (name, new) in fields(payload) {
        let new = shown(new);
        let old = known.insert(name.clone(), new.clone()).unwrap_or_default();
        if old != new {
            changes.insert(name, json!({"old": old, "new": new}));
        }
    }
    changes
}

/// The members of an event's body: a stored event is `{"Variant": body}`, or `"Variant"` without one.
fn fields(payload: &Value) -> Vec<(String, &Value)> {
    let body = payload.as_object().and_then(|tagged| tagged.values().next());
    match body {
        None => Vec::new(),
        Some(Value::Object(members)) if !is_sealed(members) => flat(members),
        Some(value) => vec![("value".to_owned(), value)],
    }
}

fn flat(members: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut fields = Vec::with_capacity(members.len());
    for (name, value) in members {
        match value {
            Value::Object(group) if GROUPS.contains(&name.as_str()) => fields.extend(flat(group)),
            value => fields.push((name.clone(), value)),
        }
    }
    fields
}

fn is_sealed(members: &Map<String, Value>) -> bool {
    members.len() == 2 && members.contains_key("subject") && members.contains_key("sealed")
}

/// A value as the log shows it.
fn shown(value: &Value) -> Value {
    let length = value.to_string().len();
    if length > LONGEST { json!({"bytes": length, "hash": hash(value)}) } else { value.clone() }
}

/// Tells two long values apart (FNV-1a); it proves nothing.
fn hash(value: &Value) -> String {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", value.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, fold))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_tells_which_fields_it_changed_and_from_what() {
        let mut known = Map::new();
        let created = json!({"Created": {"id": 7, "name": "Acme", "country": null}});
        assert_eq!(
            Value::Object(changes(&mut known, &created)),
            json!({"id": {"old": null, "new": 7}, "name": {"old": null, "new": "Acme"}})
        );
        let changed = json!({"DetailsChanged": {"name": "Acme Inc", "country": null}});
        assert_eq!(Value::Object(changes(&mut known, &changed)), json!({"name": {"old": "Acme", "new": "Acme Inc"}}));
    }

    #[test]
    fn grouped_fields_are_compared_with_the_same_fields_ungrouped() {
        let mut known = Map::new();
        changes(&mut known, &json!({"Created": {"details": {"name": "A"}, "client": 12}}));
        let told = changes(&mut known, &json!({"DetailsUpdated": {"name": "B"}}));
        assert_eq!(Value::Object(told), json!({"name": {"old": "A", "new": "B"}}));
    }

    #[test]
    fn what_is_sealed_stays_sealed() {
        let sealed = json!({"EmailChanged": {"email": {"subject": 7, "sealed": "c2VjcmV0"}}});
        let told = changes(&mut Map::new(), &sealed);
        assert_eq!(told["email"]["new"], json!({"subject": 7, "sealed": "c2VjcmV0"}));
    }

    #[test]
    fn an_event_without_a_body_changes_no_field() {
        assert!(changes(&mut Map::new(), &json!("Restored")).is_empty());
    }

    #[test]
    fn a_long_value_is_told_by_its_length() {
        let text = "x".repeat(LONGEST);
        let told = changes(&mut Map::new(), &json!({"Edited": {"text": text}}));
        assert_eq!(told["text"]["new"]["bytes"], LONGEST + 2);
    }
}
