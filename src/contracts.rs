//! What others may rely on: the OpenAPI document, and a JSON Schema of every event that the journal may hold. Both are
//! files under review, in `openapi/`; a test fails when they differ from the code.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use cqrs_es::DomainEvent;
use engagement::{
    assessment::AssessmentEvent, benchmark_set::BenchmarkSetEvent, lever_library::LeverLibraryEvent,
    project::ProjectEvent, proposal::ProposalEvent, question_bank::QuestionBankEvent, rate_card::RateCardEvent,
    solution_costing::CostingEvent, solution_rate_card::SolutionRateCardEvent,
};
use identity::{client::ClientEvent, company::CompanyEvent, user::UserEvent};
use reference::{
    ConsultantRoleKind, CurrencyKind, IndustryTypeKind, LookupEvent, OperationsRoleKind, RegionKind,
    SolutionComponentKind, VerticalKind,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{http, journal::ReservationEvent};

/// The events of one aggregate.
#[derive(Clone, Copy)]
pub struct Events {
    /// The context's name, as its folder has it.
    pub context: &'static str,
    /// The name of the Rust type.
    pub name: &'static str,
    /// Stored type and version of every event.
    pub types: &'static [(&'static str, &'static str)],
    schema: fn(&mut SchemaGenerator) -> Schema,
    read: fn(&Value) -> serde_json::Result<Stored>,
}

/// An event as it would be stored now.
#[derive(Debug, PartialEq)]
pub struct Stored {
    pub event_type: String,
    pub event_version: String,
    pub payload: Value,
}

macro_rules! events {
    ($($context:literal: $($event:ty as $types:expr),+;)+) => {
        /// All events of all aggregates.
        pub const EVENTS: &[Events] = &[$($(
            Events {
                context: $context,
                name: stringify!($event),
                types: $types,
                schema: <$event>::json_schema,
                read: read::<$event>,
            }
        ),+),+];
    };
}

events! {
    "engagement":
        AssessmentEvent as AssessmentEvent::TYPES,
        BenchmarkSetEvent as BenchmarkSetEvent::TYPES,
        CostingEvent as CostingEvent::TYPES,
        LeverLibraryEvent as LeverLibraryEvent::TYPES,
        ProjectEvent as ProjectEvent::TYPES,
        ProposalEvent as ProposalEvent::TYPES,
        QuestionBankEvent as QuestionBankEvent::TYPES,
        RateCardEvent as RateCardEvent::TYPES,
        SolutionRateCardEvent as SolutionRateCardEvent::TYPES;
    "identity":
        ClientEvent as ClientEvent::TYPES,
        CompanyEvent as CompanyEvent::TYPES,
        UserEvent as UserEvent::TYPES;
    "reference":
        LookupEvent<ConsultantRoleKind> as LookupEvent::<ConsultantRoleKind>::TYPES,
        LookupEvent<CurrencyKind> as LookupEvent::<CurrencyKind>::TYPES,
        LookupEvent<IndustryTypeKind> as LookupEvent::<IndustryTypeKind>::TYPES,
        LookupEvent<OperationsRoleKind> as LookupEvent::<OperationsRoleKind>::TYPES,
        LookupEvent<RegionKind> as LookupEvent::<RegionKind>::TYPES,
        LookupEvent<SolutionComponentKind> as LookupEvent::<SolutionComponentKind>::TYPES,
        LookupEvent<VerticalKind> as LookupEvent::<VerticalKind>::TYPES;
    "journal":
        ReservationEvent as ReservationEvent::TYPES;
}

fn read<E: DomainEvent + DeserializeOwned + Serialize>(payload: &Value) -> serde_json::Result<Stored> {
    let event: E = serde_json::from_value(payload.clone())?;
    Ok(Stored {
        event_type: event.event_type(),
        event_version: event.event_version(),
        payload: serde_json::to_value(&event)?,
    })
}

impl Events {
    /// The aggregate's name, with which the stored types begin.
    #[must_use]
    pub fn aggregate(&self) -> &'static str {
        self.types.first().and_then(|(name, _)| name.split('.').next()).unwrap_or_default()
    }

    /// Reads a payload with the real type, and writes it again. Personal data needs a scope around it.
    ///
    /// # Errors
    /// When the type does not understand the payload.
    pub fn read(&self, payload: &Value) -> serde_json::Result<Stored> {
        (self.read)(payload)
    }

    /// The schema of every stored type's payload; what several use stands in the generator's definitions.
    #[must_use]
    pub fn schemas(&self, generator: &mut SchemaGenerator) -> BTreeMap<&'static str, Value> {
        let schema = (self.schema)(generator).to_value();
        let of = |(name, _): &(&'static str, &str)| {
            let verb = name.rsplit('.').next().unwrap_or_default();
            (*name, variant(&schema, verb).unwrap_or_default())
        };
        self.types.iter().map(of).collect()
    }
}

/// The part of an enum's schema that is the variant of this verb: `details_changed` is `DetailsChanged`.
fn variant(schema: &Value, verb: &str) -> Option<Value> {
    let is = |name: &str| snake_case(name) == verb;
    let variants = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array().cloned());
    variants.unwrap_or_else(|| vec![schema.clone()]).into_iter().find_map(|variant| {
        let tagged = variant.get("properties").and_then(Value::as_object);
        let unit = variant.get("const").and_then(Value::as_str);
        let units = variant.get("enum").and_then(Value::as_array);
        let listed = units.and_then(|units| units.iter().filter_map(Value::as_str).find(|name| is(name)));
        match (tagged, unit.filter(|name| is(name)).or(listed)) {
            (Some(members), _) if members.keys().any(|name| is(name)) => Some(variant),
            (_, Some(name)) => Some(json!({"const": name})),
            _ => None,
        }
    })
}

fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// The schemas of a context's events, as one document.
#[must_use]
pub fn events_of(context: &str) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut payloads = BTreeMap::new();
    for events in EVENTS.iter().filter(|events| events.context == context) {
        let schemas = events.schemas(&mut generator);
        for ((name, version), schema) in events.types.iter().zip(events.types.iter().map(|(name, _)| schemas.get(name)))
        {
            payloads.insert(*name, json!({"version": version, "payload": schema}));
        }
    }
    let definitions: Map<String, Value> = generator.take_definitions(true).into_iter().collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("The stored events of {context}"),
        "events": payloads,
        "$defs": definitions,
    })
}

/// All contracts: the files' names below `openapi/`, and what they hold.
///
/// # Errors
/// When a document cannot be written as JSON.
pub fn all() -> serde_json::Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    let api = serde_json::to_value(http::document())?;
    files.insert(PathBuf::from("ddc.json"), format!("{:#}\n", api));
    let contexts: std::collections::BTreeSet<&str> = EVENTS.iter().map(|events| events.context).collect();
    for context in contexts {
        let path = Path::new("events").join(format!("{context}.json"));
        files.insert(path, format!("{:#}\n", events_of(context)));
    }
    Ok(files)
}

/// Writes the contracts that differ, and answers which did.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let files = all()?;
    let differing = differing(folder)?;
    for path in &differing {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        match files.get(path) {
            Some(text) => fs::write(file, text)?,
            None => fs::remove_file(file)?,
        }
    }
    Ok(differing)
}

/// The contracts whose files are not as the code has them, and the files of contexts that are gone.
///
/// # Errors
/// When a file is there but cannot be read.
pub fn differing(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let files = all()?;
    let mut differing = Vec::new();
    for (path, text) in &files {
        match fs::read_to_string(folder.join(path)) {
            Ok(present) if present == *text => {}
            Ok(_) => differing.push(path.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => differing.push(path.clone()),
            Err(error) => return Err(error),
        }
    }
    let present = match fs::read_dir(folder.join("events")) {
        Ok(present) => present.collect::<Result<Vec<_>, _>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let stray = present.into_iter().map(|entry| Path::new("events").join(entry.file_name()));
    differing.extend(stray.filter(|path| !files.contains_key(path)));
    Ok(differing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stored_type_has_a_schema() {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        for events in EVENTS {
            for (name, schema) in events.schemas(&mut generator) {
                assert!(schema.is_object(), "{name} has no schema");
            }
        }
    }
}
