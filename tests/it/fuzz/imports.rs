//! The files that are imported, alone and over HTTP.

use ddc::imports::{Import, Kind};
use reqwest::multipart::{Form, Part};

use super::{ask, inputs::Inputs, judge};
use crate::{engagement::World, harness::Node};

const WORDS: &[&str] = &[
    ",",
    ";",
    "\n",
    "\r\n",
    "\"",
    "\"\"",
    "\u{feff}",
    "\u{0}",
    "\\u0000",
    "code",
    "text",
    "vertical",
    "metric",
    "P2P",
    "USA",
    "{",
    "}",
    "[",
    "]",
    "null",
    "-1",
    "1e400",
    "79228162514264337593543950335",
    "SCORE",
    "true",
    "2025",
    "=1+1",
    "\t",
    "é",
];

const KINDS: [Kind; 5] = [Kind::Questions, Kind::ReviewQuestions, Kind::Rules, Kind::Benchmarks, Kind::Templates];

const UPLOADS: [&str; 6] = [
    "/api/questionnaires/import/",
    "/api/questionnaires/rules/import/",
    "/api/benchmarks/import/?dry_run=true",
    "/api/benchmarks/import/",
    "/api/opportunity-templates/import/",
    "/api/assessments/{id}/upload-questions/",
];

/// A file is read, or it is said where it is wrong.
fn check(input: &[u8]) -> Result<(), String> {
    for kind in KINDS {
        let Err(refused) = Import::read(kind, input) else { continue };
        let errors = refused.members.get("import_errors").and_then(|errors| errors.as_array());
        let is_named = match errors {
            None => refused.code != "INVALID_IMPORT",
            Some(errors) => {
                let named = |error: &serde_json::Value| error["row"].is_u64() || error["index"].is_u64();
                (1..=100).contains(&errors.len())
                    && errors.iter().all(|error| named(error) && error["code"].is_string())
            }
        };
        if !is_named || refused.kind != kernel::Kind::Unprocessable || refused.field.is_none() {
            return Err(format!("{kind:?}: {refused:?}"));
        }
    }
    Ok(())
}

#[test]
fn a_file_is_read_or_it_is_said_where_it_is_wrong() {
    Inputs::of("imports", 2000, WORDS).check(check);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_upload_is_taken_or_refused_whatever_its_file_is() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let admin = node.admin().await;
    let mut inputs = Inputs::of("imports", 80, WORDS);
    while let Some(input) = inputs.next() {
        for path in UPLOADS {
            let file = Part::bytes(input.clone()).file_name("file.csv");
            let request = admin.request(reqwest::Method::POST, &world.fill(path));
            let outcome = match ask(request.multipart(Form::new().part("file", file))).await {
                Ok(answer) => judge(&answer),
                Err(what) => Err(what),
            };
            if let Err(what) = outcome {
                inputs.failed(&input, &format!("{path}: {what}"));
            }
        }
    }
    node.prove_projections().await;
}
