//! What stands in the place of an access token, alone and over HTTP.

use std::time::Duration;

use ddc::{auth::Tokens, config::Secret};
use jsonwebtoken::{EncodingKey, Header};
use kernel::{Role, UserId};
use reqwest::{Method, header::HeaderValue};
use serde_json::{json, value::RawValue};

use super::{
    ask,
    inputs::{Inputs, LONGEST},
    judge,
    spoiling::spoilt,
};
use crate::harness::{ADMIN, Node};

/// The key of the harness.
const KEY: &str = "a secret key for the tests only";

const WORDS: &[&str] =
    &[".", "..", "=", " ", "Bearer ", "eyJhbGciOiJub25lIn0", "e30", "-", "_", "\u{0}", "é", "%00", "AAAA"];

fn tokens() -> Tokens {
    Tokens::new(&Secret::new(KEY), Duration::from_secs(900))
}

/// A token of claims that are not what they should be, signed as it should be.
fn signed(chance: &mut fastrand::Rng) -> Option<String> {
    let end = 4_000_000_000_u32;
    let claims = json!({"sub": "1", "role": "ADMIN", "email": ADMIN, "token_type": "access", "jti": "a", "iat": 0,
        "exp": end, "ver": 1});
    let claims = RawValue::from_string(spoilt(&claims, chance)).ok()?;
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(KEY.as_bytes())).ok()
}

#[test]
fn only_a_token_that_was_made_so_is_one() {
    let tokens = tokens();
    let good = tokens.make(UserId::try_from(1).unwrap(), Role::Admin, ADMIN, 1).unwrap();
    assert!(tokens.access(&good).is_some());
    Inputs::of("tokens", 5000, WORDS).and(good.as_bytes()).check(|input| {
        let text = String::from_utf8_lossy(input);
        if text != good && tokens.access(&text).is_some() { Err("is taken for a token".to_owned()) } else { Ok(()) }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_that_is_none_is_refused_whatever_it_is() {
    let node = Node::start().await;
    let good = node.admin().await.token.unwrap();
    let mut inputs = Inputs::of("tokens", 400, WORDS).and(good.as_bytes());
    while let Some(mut input) = inputs.next() {
        let is_signed = inputs.chance.bool();
        if let Some(token) = signed(&mut inputs.chance).filter(|_| is_signed) {
            input = token.into_bytes();
        }
        // Not all bytes can stand in a header, and one of more than 128 KiB ends the connection.
        let header = HeaderValue::from_bytes(&[b"Bearer ", &input[..]].concat());
        let Some(header) = header.ok().filter(|header| header.len() <= LONGEST) else { continue };
        let request = node.anonymous().request(Method::GET, "/api/auth/me/").header("authorization", header);
        let outcome = ask(request).await.and_then(|answer| {
            judge(&answer)?;
            let opens = is_signed || input.trim_ascii() == good.as_bytes();
            let refused = (answer.status.as_u16(), answer.header("www-authenticate")) == (401, "Bearer");
            if opens || refused { Ok(()) } else { Err(format!("{} {}", answer.status, answer.text)) }
        });
        if let Err(what) = outcome {
            inputs.failed(&input, &what);
        }
    }
    node.anonymous().get("/health/ready/").await.expect(200);
}
