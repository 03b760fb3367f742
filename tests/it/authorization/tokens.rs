//! Tokens that are none: whatever is wrong with one, the answer is the same.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN, Node, PASSWORD, answer};

/// The key of the harness.
const KEY: &str = "a secret key for the tests only";

/// One of each way in: a query, a command with a body, an upload, one without a body, one that is not there.
const SAMPLE: [(&str, &str); 6] = [
    ("GET", "/api/auth/me/"),
    ("GET", "/api/audit_logs/"),
    ("POST", "/api/common/company/"),
    ("POST", "/api/questionnaires/import/"),
    ("DELETE", "/api/common/company/1/delete/"),
    ("POST", "/api/projects/"),
];

fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn signed(claims: &Value, algorithm: Algorithm, key: &str) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

/// A token that claims to need no signature.
fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT"})), part(claims))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_that_is_none_opens_nothing() {
    let node = Node::start().await;
    let login = json!({"email": ADMIN, "password": PASSWORD});
    let pair = node.anonymous().post("/api/auth/login/", login).await.expect(200);
    let (good, refresh) = (pair["access"].as_str().unwrap(), pair["refresh"].as_str().unwrap());
    let claims = claims_of(good);
    let with = |member: &str, value: Value| {
        let mut claims = claims.clone();
        claims[member] = value;
        signed(&claims, Algorithm::HS256, KEY)
    };
    // Made by hand it is as good as the real one, so what is refused below is refused for what it says.
    let by_hand = signed(&claims, Algorithm::HS256, KEY);
    answer(node.anonymous().request(Method::GET, "/api/auth/me/").bearer_auth(&by_hand)).await.expect(200);
    let without = |member: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(member);
        signed(&claims, Algorithm::HS256, KEY)
    };
    let (head, rest) = good.split_once('.').unwrap();
    let bad = [
        ("garbage", "Bearer garbage".to_owned()),
        ("three empty parts", "Bearer ..".to_owned()),
        ("nothing", "Bearer ".to_owned()),
        ("no scheme", good.to_owned()),
        ("another scheme", format!("Basic {good}")),
        ("two tokens", format!("Bearer {good} {good}")),
        ("alg none", format!("Bearer {}", unsigned(&claims))),
        ("alg none with the good signature", format!("Bearer {}.{rest}", unsigned(&claims).split('.').next().unwrap())),
        ("no signature", format!("Bearer {head}.{}.", rest.split('.').next().unwrap())),
        ("another key", format!("Bearer {}", signed(&claims, Algorithm::HS256, "another key"))),
        ("another algorithm", format!("Bearer {}", signed(&claims, Algorithm::HS512, KEY))),
        ("expired", format!("Bearer {}", with("exp", json!(claims["iat"].as_i64().unwrap() - 1)))),
        ("without an end", format!("Bearer {}", without("exp"))),
        ("of nobody", format!("Bearer {}", without("sub"))),
        ("of a user who is not there", format!("Bearer {}", with("sub", json!("999999")))),
        ("of no number", format!("Bearer {}", with("sub", json!("1 OR 1=1")))),
        ("of older credentials", format!("Bearer {}", with("ver", json!(claims["ver"].as_i64().unwrap() - 1)))),
        ("of another type", format!("Bearer {}", with("token_type", json!("refresh")))),
        ("a refresh token", format!("Bearer {refresh}")),
    ];
    for (what, header) in &bad {
        for (method, path) in SAMPLE {
            let request = node.anonymous().request(method.parse().unwrap(), path).header("authorization", header);
            let refused = answer(request).await;
            assert_eq!((refused.status.as_u16(), refused.header("www-authenticate")), (401, "Bearer"), "{what} {path}");
            assert_eq!(refused.body["code"], "NOT_AUTHENTICATED", "{what} {path}");
            assert!(!refused.text.contains(header.trim_start_matches("Bearer ")) || header.len() < 20, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_the_token_says_of_the_role_is_not_believed() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let body = json!({"email": "c@ddc.test", "role": "CLIENT", "password": PASSWORD});
    let id = admin.post("/api/accounts/users/", body).await.expect(201)["id"].clone();
    let client = node.login("c@ddc.test", PASSWORD).await;
    let mut claims = claims_of(client.token.as_deref().unwrap());
    claims["role"] = json!("ADMIN");
    let raised = signed(&claims, Algorithm::HS256, KEY);
    let raised = answer(client.node.anonymous().request(Method::GET, "/api/audit_logs/").bearer_auth(raised)).await;
    raised.expect_problem(403, "FORBIDDEN");
    // And a user who is shut out is nobody at once, for commands as for queries.
    admin.post(&format!("/api/accounts/users/{id}/deactivate/"), json!({})).await.expect(200);
    for (method, path) in SAMPLE {
        client.send(method.parse().unwrap(), path, &[], None).await.expect_problem(401, "NOT_AUTHENTICATED");
    }
}
