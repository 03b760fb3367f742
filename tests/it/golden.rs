//! A sample of every event version that the journal may hold must be readable for ever.
//!
//! The samples are in `tests/golden/<aggregate>.json`, by stored type and version. A sample is never edited: a new
//! version has a sample of its own. `DDC_WRITE_GOLDEN=1 cargo test --test it golden` adds those that are missing.

mod sample;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use cqrs_es::persist::SerializedEvent;
use ddc::contracts::{EVENTS, Events, Stored};
use kernel::{personal, testing::PlainSealer};
use serde_json::Value;

fn file(events: &Events) -> PathBuf {
    let name = format!("{}.json", events.aggregate());
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join("golden").join(name)
}

type Samples = BTreeMap<String, Value>;

fn samples(events: &Events) -> Samples {
    match fs::read_to_string(file(events)) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(_) => Samples::new(),
    }
}

/// As the journal reads it: old versions through the upcasters, then by the real type.
fn read(events: &Events, event_type: &str, version: &str, payload: &Value) -> Result<Stored, String> {
    let stored = SerializedEvent::new(
        "1".to_owned(),
        1,
        events.aggregate().to_owned(),
        event_type.to_owned(),
        version.to_owned(),
        payload.clone(),
        Value::Null,
    );
    let present = ddc::journal::upcasters().iter().fold(stored, |event, upcaster| {
        if upcaster.can_upcast(&event.event_type, &event.event_version) { upcaster.upcast(event) } else { event }
    });
    let sealer: Arc<dyn personal::Sealer> = Arc::new(PlainSealer);
    personal::scope(&sealer, || events.read(&present.payload)).map_err(|error| error.to_string())
}

#[test]
fn every_event_version_has_a_sample() {
    let write = std::env::var_os("DDC_WRITE_GOLDEN").is_some();
    let mut missing = Vec::new();
    for events in EVENTS {
        let mut samples = samples(events);
        let before = samples.len();
        for (event_type, version) in events.types {
            let key = format!("{event_type} {version}");
            if samples.contains_key(&key) {
                continue;
            }
            if write {
                let payload = sample::of(events, event_type);
                match read(events, event_type, version, &payload) {
                    // What the type writes: what it leaves out on purpose is left out.
                    Ok(stored) => drop(samples.insert(key, stored.payload)),
                    Err(error) => missing.push(format!("{key}: {error}: {payload}")),
                }
            } else {
                missing.push(key);
            }
        }
        if samples.len() > before {
            fs::create_dir_all(file(events).parent().unwrap()).unwrap();
            fs::write(file(events), format!("{}\n", serde_json::to_string_pretty(&samples).unwrap())).unwrap();
        }
    }
    assert!(missing.is_empty(), "without a golden sample: {missing:#?}");
}

#[test]
fn every_sample_is_read_by_the_present_types_and_nothing_of_it_is_lost() {
    for events in EVENTS {
        for (key, payload) in samples(events) {
            let (event_type, version) = key.split_once(' ').unwrap();
            let stored = read(events, event_type, version, &payload).unwrap_or_else(|error| panic!("{key}: {error}"));
            let is_present = events.types.contains(&(event_type, version));
            if is_present {
                assert_eq!((stored.event_type.as_str(), stored.event_version.as_str()), (event_type, version), "{key}");
                assert_eq!(stored.payload, payload, "{key}");
            }
        }
    }
}

#[test]
fn every_enum_of_events_is_published() {
    for root in ["aggregates", "src"] {
        let mut files = Vec::new();
        crate::architecture::rust_files(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(root), &mut files);
        for path in files.iter().filter(|path| !path.ends_with("kernel/src/event.rs")) {
            let text = fs::read_to_string(path).unwrap();
            for part in text.split("domain_event!(").skip(1) {
                let name = part.split(':').next().unwrap().trim();
                let is_known = EVENTS.iter().any(|events| events.name == name);
                assert!(is_known, "{name} of {} is missing in src/contracts.rs", path.display());
            }
        }
    }
}
