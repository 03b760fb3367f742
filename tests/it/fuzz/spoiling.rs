//! JSON with something wrong in it.

use serde_json::Value;

/// What stands in the place of a part until the text is written: not everything that is put there is a JSON value.
const PLACE: char = '\u{e000}';

/// JSON texts that have surprised somebody, one a line.
const FRAGMENTS: &str = include_str!("fragments.txt");

fn fragment(chance: &mut fastrand::Rng) -> String {
    let long = [100, 255, 256, 4000, 4001, 70_000][chance.usize(..6)];
    match chance.u8(..24) {
        0 => format!("\"{}\"", "x".repeat(long)),
        1 => format!("\"{}\"", "é💥".repeat(long / 2)),
        2 => format!("[{}1]", "1,".repeat(long)),
        3 => format!("{}{}", "[".repeat(long), "]".repeat(long)),
        4 => format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100)),
        5 => chance.i64(..).to_string(),
        6 => format!("\"{}.{}\"", chance.i64(..), chance.u64(..)),
        _ => FRAGMENTS.lines().nth(chance.usize(..FRAGMENTS.lines().count())).unwrap_or_default().to_owned(),
    }
}

/// Where all parts of a value are, the whole last.
fn parts(of: &Value, at: String, found: &mut Vec<String>) {
    match of {
        Value::Object(members) => members.iter().for_each(|(name, part)| parts(part, format!("{at}/{name}"), found)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, part)| parts(part, format!("{at}/{n}"), found)),
        _ => {}
    }
    found.push(at);
}

/// The text of a value of which one or two parts are other, missing, or too many.
pub(super) fn spoilt(value: &Value, chance: &mut fastrand::Rng) -> String {
    let mut value = value.clone();
    let mut put = Vec::new();
    for _ in 0..chance.usize(1..=2) {
        let mut all = Vec::new();
        parts(&value, String::new(), &mut all);
        let place = Value::String(format!("{PLACE}{}{PLACE}", put.len()));
        put.push(fragment(chance));
        let Some(part) = value.pointer_mut(&all[chance.usize(..all.len())]) else { continue };
        match (part, chance.u8(..8)) {
            (Value::Object(members), 0..2) => drop(members.insert("colour".to_owned(), place)),
            (Value::Object(members), 2..7) if !members.is_empty() => {
                let name = members.keys().nth(chance.usize(..members.len())).cloned().unwrap_or_default();
                if chance.bool() { drop(members.remove(&name)) } else { drop(members.insert(name, place)) }
            }
            (Value::Array(items), 0..4) => items.push(place),
            (Value::Array(items), 4..7) if !items.is_empty() => items.extend(items.clone()),
            (part, _) => *part = place,
        }
    }
    let mut text = value.to_string();
    for (number, fragment) in put.iter().enumerate() {
        text = text.replace(&format!("\"{PLACE}{number}{PLACE}\""), fragment);
    }
    text
}
