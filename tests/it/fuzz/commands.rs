//! The bodies of all commands, over HTTP. An input is `ROLE METHOD PATH` and, on the lines below, the body.

use reqwest::Method;
use serde_json::json;

use super::{ask, inputs::Inputs, judge, samples::Samples, spoiling::spoilt};
use crate::{
    authorization::expected::{Operation, operations},
    engagement::{QUESTIONS, World, assess},
    harness::{Node, Session},
};

/// How often each command is asked for, about.
const ROUNDS: usize = 12;

const WORDS: &[&str] =
    &["\"", "\\u0000", "\\ud800", "{", "}", "[", "]", ",", ":", "null", "-", "1e999", "\u{0}", "\u{feff}"];

/// The ids of the assessment and the costing that are not sold yet …
const DRAFT: i64 = 2;
/// … and of the assessment that is not even analysed.
const OPEN: i64 = 3;

const ROLES: [&str; 4] = ["ADMIN", "CONSULTANT", "REVIEWER", "CLIENT"];

/// Who asks.
async fn sessions<'a>(node: &'a Node, world: &World<'a>) -> [Session<'a>; 5] {
    let admin = node.admin().await;
    [admin, world.consultant.clone(), world.reviewer.clone(), world.client.clone(), node.anonymous()]
}

/// What the engagement has sold cannot be changed any more, so there are others beside it.
async fn drafts(world: &World<'_>) {
    let (client, vertical, by) = (world.id("/api/clients/"), world.id("/api/common/vertical/"), &world.consultant);
    let me = by.get("/api/auth/me/").await.expect(200)["id"].clone();
    let path = "/api/assessments/";
    for (id, name) in [(DRAFT, "Draft"), (OPEN, "Open")] {
        let body = json!({"name": name, "client": client, "managed_by": me, "vertical_ids": [vertical],
            "client_can_answer": true});
        assert_eq!(by.post(path, body).await.expect(201)["id"], id);
    }
    by.upload(&format!("{path}{OPEN}/upload-questions/"), "questions.csv", QUESTIONS).await.expect(201);
    let (opportunity, ..) = assess(by, &world.client, &format!("{path}{DRAFT}/"), vertical).await;
    let card = world.id("/api/rate_card/");
    let costing = json!({"name": "Draft", "assessment_opportunities": [opportunity], "rate_card": card});
    assert_eq!(by.post("/api/solution_costing/", costing).await.expect(201)["id"], DRAFT);
}

/// A saved command with another body.
fn varied(inputs: &mut Inputs) -> Vec<u8> {
    let saved = inputs.any();
    let (head, body) = split(&saved);
    let body = match serde_json::from_slice(body) {
        Ok(body) => spoilt(&body, &mut inputs.chance).into_bytes(),
        Err(_) => inputs.mutated(body.to_vec()),
    };
    [head, b"\n", &body].concat()
}

fn split(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// A command, spoilt or not, by somebody who may ever do it.
fn command(operation: &Operation, samples: &Samples, inputs: &mut Inputs) -> Vec<u8> {
    if inputs.chance.u8(..4) == 0 {
        return varied(inputs);
    }
    let chance = &mut inputs.chance;
    let mut roles = ROLES;
    chance.shuffle(&mut roles);
    let role = roles.into_iter().find(|role| operation.is_for(role)).unwrap_or("NOBODY");
    // What the others are asked about must stay as it is.
    let ends = operation.method == Method::DELETE || operation.path.starts_with("/api/accounts/users/{id}");
    let path = match (operation.path, chance.u8(..20)) {
        (path, 0) => path.replace("{id}", "9223372036854775807"),
        (path, n) if ends || n == 1 => path.replace("{id}", &chance.u8(8..40).to_string()),
        (path, 2..8) if path.starts_with("/api/assessments/") => path.replace("{id}", &OPEN.to_string()),
        (path, 2..14) if path.starts_with("/api/assessments/") => path.replace("{id}", &DRAFT.to_string()),
        (path, 2..14) if path.starts_with("/api/solution_costing/{id}/") => path.replace("{id}", &DRAFT.to_string()),
        (path, _) => path.to_owned(),
    };
    let sample = samples.body(operation, chance);
    let mut body = if chance.u8(..5) < 2 { sample.to_string() } else { spoilt(&sample, chance) }.into_bytes();
    if chance.u8(..16) == 0 {
        body = inputs.mutated(body);
    }
    [format!("{role} {} {path}\n", operation.method).as_bytes(), &body].concat()
}

async fn send(world: &World<'_>, sessions: &[Session<'_>; 5], input: &[u8]) -> Result<(), String> {
    let (head, body) = split(input);
    let head = String::from_utf8_lossy(head);
    let [role, method, path] = head.split(' ').collect::<Vec<_>>()[..] else { return Err("is no command".to_owned()) };
    let session = &sessions[ROLES.iter().position(|known| *known == role).unwrap_or(ROLES.len())];
    let request = session.request(method.parse().unwrap(), &world.fill(path));
    judge(&ask(request.header("content-type", "application/json").body(body.to_vec())).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_command_is_taken_or_refused_whatever_its_body_is() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let sessions = sessions(&node, &world).await;
    drafts(&world).await;
    let samples = Samples::new();
    let all = operations();
    let (queries, commands): (Vec<_>, Vec<_>) = all.iter().partition(|operation| operation.method == Method::GET);
    let mut inputs = Inputs::of("commands", ROUNDS * commands.len(), WORDS);
    let (said, done): (Vec<_>, Vec<_>) = commands.into_iter().partition(|command| samples.takes(command));
    let (mut said, mut done) = (said.into_iter().cycle(), done.into_iter().cycle());
    loop {
        let input = match inputs.saved() {
            Some(saved) => saved,
            None if inputs.another() => {
                // What takes no body moves things on, so that less can be changed of them.
                let turn = if inputs.chance.u8(..8) == 0 { done.next() } else { said.next() };
                command(turn.unwrap(), &samples, &mut inputs)
            }
            None => break,
        };
        if let Err(what) = send(&world, &sessions, &input).await {
            inputs.failed(&input, &what);
        }
    }
    // What was taken can be shown, and every read model can be built from it.
    for query in queries {
        for (session, _) in sessions.iter().zip(ROLES).filter(|(_, role)| query.is_for(role)) {
            let shown = session.get(&world.fill(query.path)).await;
            judge(&shown).unwrap_or_else(|what| panic!("{}: {what}", query.path));
        }
    }
    node.anonymous().get("/health/ready/").await.expect(200);
    node.prove_projections().await;
}
