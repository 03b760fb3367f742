//! A value of a JSON Schema, made without chance: the first choice everywhere, one element in every list.

use ddc::contracts::Events;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// A payload of an event, as its published schema describes it.
pub(super) fn of(events: &Events, event_type: &str) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let schema = events.schemas(&mut generator).remove(event_type).unwrap();
    let definitions: Map<String, Value> = generator.take_definitions(true).into_iter().collect();
    Maker { definitions }.make("", &schema, 0)
}

struct Maker {
    definitions: Map<String, Value>,
}

/// Personal data: what stands behind the seal is told by the field's name.
fn sealed(field: &str) -> Value {
    let clear = match field {
        "profile" => json!({"phone_number": "+91 22 5550 1234", "city": "Mumbai", "country": "India"}),
        "email" | "contact_email" => json!("ann@example.com"),
        _ => json!("Ann Example"),
    };
    let hex: String = clear.to_string().bytes().map(|byte| format!("{byte:02x}")).collect();
    json!({"subject": 7, "sealed": hex})
}

/// What the schema does not tell: texts that are parsed.
fn text(field: &str, schema: &Value) -> String {
    match (field, schema["format"].as_str()) {
        (_, Some("date-time")) => "2026-06-01T09:00:00Z".to_owned(),
        (_, Some("date")) => "2026-06-01".to_owned(),
        (_, Some("email")) => "ann@example.com".to_owned(),
        (_, Some("uuid")) => "018f0000-0000-7000-8000-000000000000".to_owned(),
        ("formula" | "expression" | "condition" | "applies_when", _) => "{P2P_FTE} > 1".to_owned(),
        _ if schema["pattern"].is_string() && field != "code" => "12.50".to_owned(),
        _ => {
            let least = schema["minLength"].as_u64().unwrap_or(1).max(1);
            let most = schema["maxLength"].as_u64().unwrap_or(40);
            let name = if field.is_empty() { "SAMPLE".to_owned() } else { field.to_uppercase() };
            let name: String = name.chars().cycle().take(name.len().max(least as usize)).collect();
            name.chars().take(most as usize).collect()
        }
    }
}

impl Maker {
    fn make(&self, field: &str, schema: &Value, depth: usize) -> Value {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            if name == "Personal" {
                return sealed(field);
            }
            let mut value = self.make(field, &self.definitions[name], depth + 1);
            self.merge_properties(&mut value, schema, depth);
            return value;
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(value) = schema["enum"].as_array().and_then(|values| values.first()) {
            return value.clone();
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(choices) = schema[key].as_array() {
                let is_null = |choice: &&Value| choice["type"] == "null";
                let choice = choices.iter().find(|choice| !is_null(choice)).unwrap();
                let mut value = if depth > 8 && choices.iter().any(|choice| is_null(&choice)) {
                    Value::Null
                } else {
                    self.make(field, choice, depth + 1)
                };
                self.merge_properties(&mut value, schema, depth);
                return value;
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut all = Map::new();
            for part in parts {
                all.extend(self.make(field, part, depth + 1).as_object().cloned().unwrap_or_default());
            }
            let mut value = Value::Object(all);
            self.merge_properties(&mut value, schema, depth);
            return value;
        }
        self.plain(field, schema, depth)
    }

    /// The members that stand beside a reference or a choice.
    fn merge_properties(&self, value: &mut Value, schema: &Value, depth: usize) {
        let (Some(value), Some(properties)) = (value.as_object_mut(), schema["properties"].as_object()) else { return };
        for (name, schema) in properties {
            value.insert(name.clone(), self.make(name, schema, depth + 1));
        }
    }

    fn plain(&self, field: &str, schema: &Value, depth: usize) -> Value {
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        let is_decimal = kinds.contains(&"string") && kinds.contains(&"number");
        match kinds.into_iter().find(|kind| *kind != "null") {
            _ if is_decimal => json!("12.50"),
            Some("string") => Value::String(text(field, schema)),
            Some("integer") => json!(schema["minimum"].as_u64().unwrap_or(1).max(1)),
            Some("number") => json!("12.50"),
            Some("boolean") => json!(true),
            Some("array") if depth > 12 => json!([]),
            Some("array") => match schema["prefixItems"].as_array() {
                Some(items) => items.iter().map(|item| self.make(field, item, depth + 1)).collect(),
                None => json!([self.make(field.trim_end_matches('s'), &schema["items"], depth + 1)]),
            },
            Some("object") => {
                let mut members = Map::new();
                for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                    members.insert(name.clone(), self.make(name, schema, depth + 1));
                }
                let others = schema.get("additionalProperties").filter(|others| others.is_object());
                let patterned = schema["patternProperties"].as_object().and_then(|patterns| patterns.values().next());
                if let Some(others) = others.or(patterned) {
                    let key = if others == patterned.unwrap_or(&Value::Null) { "1" } else { "KEY" };
                    members.insert(key.to_owned(), self.make(field, others, depth + 1));
                }
                Value::Object(members)
            }
            _ => Value::Null,
        }
    }
}
