//! Bodies as the API's document describes them.

use serde_json::{Map, Value, json};

use crate::authorization::expected::Operation;

/// The API's document.
pub(super) struct Samples(Value);

impl Samples {
    pub(super) fn new() -> Self {
        Self(serde_json::to_value(ddc::http::document()).unwrap())
    }

    /// What the document says of an operation.
    fn operation(&self, of: &Operation) -> &Value {
        &self.0["paths"][of.path][of.method.as_str().to_lowercase()]
    }

    /// The names of an operation's query parameters.
    pub(super) fn parameters(&self, of: &Operation) -> Vec<&str> {
        let all = self.operation(of)["parameters"].as_array().into_iter().flatten();
        all.filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect()
    }

    /// Whether an operation takes JSON.
    pub(super) fn takes(&self, of: &Operation) -> bool {
        self.operation(of)["requestBody"]["content"]["application/json"].is_object()
    }

    /// A body for an operation, `{}` where it takes none; whether it is accepted is another matter.
    pub(super) fn body(&self, of: &Operation, chance: &mut fastrand::Rng) -> Value {
        let schema = &self.operation(of)["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() { json!({}) } else { self.sample(schema, "", chance) }
    }

    fn sample(&self, schema: &Value, name: &str, chance: &mut fastrand::Rng) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.sample(self.0.pointer(&reference[1..]).unwrap(), name, chance);
        }
        if let Some(all) = schema["allOf"].as_array() {
            let mut whole = Map::new();
            for part in all {
                whole.extend(self.sample(part, name, chance).as_object().cloned().unwrap_or_default());
            }
            return whole.into();
        }
        for choice in ["oneOf", "anyOf", "enum"] {
            let Some(one) = schema[choice].as_array().and_then(|all| chance.choice(all)) else { continue };
            return if choice == "enum" { one.clone() } else { self.sample(one, name, chance) };
        }
        let sort = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or_default();
        match sort {
            "object" => self.object(schema, chance),
            "array" => (0..chance.usize(0..3)).map(|_| self.sample(&schema["items"], name, chance)).collect(),
            "boolean" => chance.bool().into(),
            // There are few things of each kind, numbered from 1.
            "integer" if chance.u8(..4) > 0 => chance.i64(1..8).into(),
            "integer" | "number" => chance.i64(0..200).into(),
            "string" => text(schema, name, chance).into(),
            _ => Value::Null,
        }
    }

    fn object(&self, schema: &Value, chance: &mut fastrand::Rng) -> Value {
        let needed = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        let mut object = Map::new();
        for (name, part) in schema["properties"].as_object().into_iter().flatten() {
            if needed(name) || chance.u8(..4) > 0 {
                object.insert(name.clone(), self.sample(part, name, chance));
            }
        }
        if schema["additionalProperties"].is_object() {
            object.insert("a".to_owned(), self.sample(&schema["additionalProperties"], "a", chance));
        }
        object.into()
    }
}

fn text(schema: &Value, name: &str, chance: &mut fastrand::Rng) -> String {
    let number = chance.u32(..10_000);
    match schema["format"].as_str() {
        Some("date") => format!("2026-{:02}-{:02}", chance.u8(1..=12), chance.u8(1..=28)),
        Some("date-time") => format!("2026-{:02}-05T12:00:00Z", chance.u8(1..=12)),
        _ if name.contains("email") => format!("a{number}@ddc.test"),
        // A text says how long it may be; what does not is a number, most often.
        _ if schema["maxLength"].is_null() && chance.u8(..4) > 0 => format!("{}.{}", number % 120, number % 10),
        _ => format!("A{number}"),
    }
}
