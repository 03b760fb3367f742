//! Users and clients over HTTP: who may, what is refused, and that a login is worth what its user is at this moment.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN, Node, PASSWORD, Session};

const USERS: &str = "/api/accounts/users/";

/// A user with the password of all tests; its id.
async fn hire(admin: &Session<'_>, email: &str, role: &str) -> i64 {
    let body = json!({"email": email, "role": role, "password": PASSWORD});
    admin.post(USERS, body).await.expect(201)["id"].as_i64().unwrap()
}

/// What clients refer to: a company, an industry, a vertical, a reviewer and a consultant, and a client of theirs.
struct Firm {
    company: Value,
    vertical: Value,
    reviewer: i64,
    consultant: i64,
}

impl Firm {
    async fn of(admin: &Session<'_>) -> Self {
        let company = admin.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201)["id"].clone();
        let vertical = json!({"name": "Procure to Pay", "code": "P2P"});
        let vertical = admin.post("/api/common/vertical/", vertical).await.expect(201)["id"].clone();
        let reviewer = hire(admin, "reviewer@ddc.test", "REVIEWER").await;
        let consultant = hire(admin, "consultant@ddc.test", "CONSULTANT").await;
        Self { company, vertical, reviewer, consultant }
    }

    fn client(&self, email: &str) -> Value {
        json!({
            "contact_email": email, "contact_name": "Cleo Client", "company_id": self.company,
            "reviewer_id": self.reviewer,
            "verticals_and_consultants": [{"vertical_id": self.vertical, "consultant_id": self.consultant}],
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_user_made_a_moment_ago_can_log_in_and_see_itself() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let body = json!({
        "email": " Ann@DDC.test ", "role": "CONSULTANT", "password": PASSWORD, "company_name": "DDC",
        "profile": {"city": "Pune"},
    });
    let created = admin.post(USERS, body).await;
    assert_eq!(created.header("etag"), "\"1\"");
    let created = created.expect(201);
    assert_eq!((&created["email"], &created["must_set_password"]), (&json!("ann@ddc.test"), &json!(false)));
    assert!(!created.to_string().contains(PASSWORD));

    let ann = node.login("ANN@ddc.test", PASSWORD).await;
    let me = ann.get("/api/auth/me/").await.expect(200);
    assert_eq!(
        (&me["id"], &me["profile"]["city"], &me["role"]),
        (&created["id"], &json!("Pune"), &json!("CONSULTANT"))
    );
    assert!(me["last_login"].is_string());
    let changed = ann.put("/api/auth/me/", json!({"profile": {"city": null, "country": "India"}})).await.expect(200);
    assert_eq!((&changed["profile"]["city"], &changed["profile"]["country"]), (&Value::Null, &json!("India")));
    // Nothing else is one's own to change.
    ann.put("/api/auth/me/", json!({"role": "ADMIN"})).await.expect_problem(422, "UNKNOWN_FIELD");
    let stale = [("if-match", "\"1\"")];
    let answer = ann.send(Method::PUT, "/api/auth/me/", &stale, Some(json!({"profile": {}}))).await;
    answer.expect_problem(412, "VERSION_CONFLICT");
    node.anonymous().get("/api/auth/me/").await.expect_problem(401, "NOT_AUTHENTICATED");

    // Without a password there is none to log in with, until the mail's token sets one.
    let quiet = admin.post(USERS, json!({"email": "quiet@ddc.test", "role": "REVIEWER"})).await.expect(201);
    assert_eq!(quiet["must_set_password"], true);
    let login = json!({"email": "quiet@ddc.test", "password": PASSWORD});
    node.anonymous().post("/api/auth/login/", login).await.expect_problem(401, "INVALID_CREDENTIALS");
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn users_are_an_admins_to_change_and_the_staffs_to_read() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let client = hire(&admin, "client@ddc.test", "CLIENT").await;
    for (email, role) in [("r@ddc.test", "REVIEWER"), ("c@ddc.test", "CONSULTANT")] {
        hire(&admin, email, role).await;
        let staff = node.login(email, PASSWORD).await;
        assert_eq!(staff.get(&format!("{USERS}?search=client@")).await.expect(200)["count"], 1);
        staff.get(&format!("{USERS}{client}/")).await.expect(200);
        staff.post(USERS, json!("not even a body")).await.expect_problem(403, "FORBIDDEN");
        staff.put(&format!("{USERS}{client}/"), json!({})).await.expect_problem(403, "FORBIDDEN");
        staff.delete(&format!("{USERS}{client}/")).await.expect_problem(403, "FORBIDDEN");
        staff.post(&format!("{USERS}{client}/deactivate/"), json!({})).await.expect_problem(403, "FORBIDDEN");
    }
    let customer = node.login("client@ddc.test", PASSWORD).await;
    customer.get(USERS).await.expect_problem(403, "FORBIDDEN");
    customer.get(&format!("{USERS}{client}/")).await.expect_problem(403, "FORBIDDEN");
    customer.get("/api/auth/me/").await.expect(200);
    node.anonymous().get(USERS).await.expect_problem(401, "NOT_AUTHENTICATED");
    node.anonymous().post(USERS, json!({})).await.expect_problem(401, "NOT_AUTHENTICATED");

    let list = admin.get(&format!("{USERS}?role=consultant&ordering=email")).await.expect(200);
    assert_eq!((list["count"].as_i64(), &list["results"][0]["email"]), (Some(1), &json!("c@ddc.test")));
    admin.get(&format!("{USERS}?is_active=perhaps")).await.expect_problem(422, "INVALID");
    admin.get(&format!("{USERS}999999/")).await.expect_problem(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_user_is_refused_for_what_is_wrong_with_it() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let user = |more: Value| {
        let mut body = json!({"email": "new@ddc.test", "role": "CLIENT"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, status, code) in [
        (json!({"email": "ADMIN@ddc.test"}), 409, "EMAIL_TAKEN"),
        (json!({"email": "nobody"}), 422, "INVALID"),
        (json!({"role": "KING"}), 422, "INVALID"),
        (json!({"password": "short"}), 422, "INVALID"),
        (json!({"salary": 1}), 422, "UNKNOWN_FIELD"),
        (json!({"parent": 999_999}), 422, "INACTIVE_REFERENCE"),
        (json!({"industry_type": 999_999}), 422, "INACTIVE_REFERENCE"),
        (json!({"email": 7}), 400, "MALFORMED"),
    ] {
        admin.post(USERS, user(more)).await.expect_problem(status, code);
    }
    admin.post(USERS, json!({"role": "CLIENT"})).await.expect_problem(422, "REQUIRED");
    // Nothing of it came to be, so the email is free.
    let id = admin.post(USERS, user(json!({}))).await.expect(201)["id"].clone();
    let path = format!("{USERS}{id}/");
    admin.put(&path, json!({"parent": id})).await.expect_problem(422, "OWN_PARENT");
    admin.put(&path, json!({"email": ADMIN})).await.expect_problem(409, "EMAIL_TAKEN");
    admin.put(&format!("{USERS}999999/"), json!({})).await.expect_problem(404, "NOT_FOUND");
    let moved = admin.put(&path, json!({"email": "moved@ddc.test", "company_name": "Acme"})).await.expect(200);
    assert_eq!((&moved["email"], &moved["company_name"]), (&json!("moved@ddc.test"), &json!("Acme")));
    // The old email is free again.
    admin.post(USERS, user(json!({}))).await.expect(201);
    let stale = [("if-match", "\"1\"")];
    let answer = admin.send(Method::PUT, &path, &stale, Some(json!({"company_name": null}))).await;
    answer.expect_problem(412, "VERSION_CONFLICT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_ends_with_what_it_was_given_for() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let id = hire(&admin, "ann@ddc.test", "REVIEWER").await;
    let path = format!("{USERS}{id}/");

    let ann = node.login("ann@ddc.test", PASSWORD).await;
    let shut = admin.post(&format!("{path}deactivate/"), json!({})).await.expect(200);
    assert_eq!(shut["is_active"], false);
    ann.get("/api/auth/me/").await.expect_problem(401, "NOT_AUTHENTICATED");
    let login = json!({"email": "ann@ddc.test", "password": PASSWORD});
    node.anonymous().post("/api/auth/login/", login.clone()).await.expect_problem(401, "INVALID_CREDENTIALS");
    admin.post(&format!("{path}reactivate/"), json!({})).await.expect(200);
    // The old token stays void.
    ann.get("/api/auth/me/").await.expect_problem(401, "NOT_AUTHENTICATED");

    let ann = node.login("ann@ddc.test", PASSWORD).await;
    admin.put(&path, json!({"role": "CONSULTANT"})).await.expect(200);
    ann.get("/api/auth/me/").await.expect_problem(401, "NOT_AUTHENTICATED");

    let ann = node.login("ann@ddc.test", PASSWORD).await;
    let change = json!({"old_password": PASSWORD, "new_password": "another long password"});
    ann.post("/api/auth/change-password/", change).await.expect(204);
    ann.get("/api/auth/me/").await.expect_problem(401, "NOT_AUTHENTICATED");

    let ann = node.login("ann@ddc.test", "another long password").await;
    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.expect(204);
    ann.get("/api/auth/me/").await.expect_problem(401, "NOT_AUTHENTICATED");
    assert_eq!(admin.get(USERS).await.expect(200)["count"], 1);
    assert_eq!(admin.get(&format!("{USERS}?include_deleted=true")).await.expect(200)["count"], 2);
    assert_eq!(admin.get(&path).await.expect(200)["is_deleted"], true);
    admin.put(&path, json!({})).await.expect_problem(404, "NOT_FOUND");

    admin.post(&format!("{path}restore/"), json!({})).await.expect(200);
    node.login("ann@ddc.test", "another long password").await;
    // While it was deleted again, somebody else took the email.
    admin.delete(&path).await.expect(204);
    hire(&admin, "ann@ddc.test", "CLIENT").await;
    admin.post(&format!("{path}restore/"), json!({})).await.expect_problem(409, "EMAIL_TAKEN");

    let me = admin.get("/api/auth/me/").await.expect(200)["id"].clone();
    admin.delete(&format!("{USERS}{me}/")).await.expect_problem(409, "OWN_ACCOUNT");
    admin.post(&format!("{USERS}{me}/deactivate/"), json!({})).await.expect_problem(409, "OWN_ACCOUNT");
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_is_seen_by_those_who_look_after_it() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let firm = Firm::of(&admin).await;
    let client = admin.post("/api/clients/add/", firm.client("cleo@acme.test")).await.expect(201);
    // A client is named by its user's id, and has the same.
    assert_eq!(client["id"], client["user_id"]);
    assert_eq!(client["contact_email"], "cleo@acme.test");
    let path = format!("/api/clients/{}/", client["id"]);
    let user = admin.get(&format!("{USERS}{}/", client["user_id"])).await.expect(200);
    assert_eq!((&user["role"], &user["must_set_password"]), (&json!("CLIENT"), &json!(true)));
    assert_eq!(user["company_name"], "Acme");

    for email in ["reviewer@ddc.test", "consultant@ddc.test"] {
        let staff = node.login(email, PASSWORD).await;
        assert_eq!(staff.get("/api/clients/").await.expect(200)["count"], 1);
        assert_eq!(staff.get(&path).await.expect(200)["contact_name"], "Cleo Client");
        staff.post("/api/clients/add/", json!({})).await.expect_problem(403, "FORBIDDEN");
        staff.put(&format!("{path}update/"), json!({})).await.expect_problem(403, "FORBIDDEN");
        staff.delete(&format!("{path}delete/")).await.expect_problem(403, "FORBIDDEN");
    }
    for role in ["REVIEWER", "CONSULTANT"] {
        let email = format!("other-{role}@ddc.test");
        hire(&admin, &email, role).await;
        let stranger = node.login(&email, PASSWORD).await;
        assert_eq!(stranger.get("/api/clients/").await.expect(200)["count"], 0);
        stranger.get(&path).await.expect_problem(404, "NOT_FOUND");
    }
    hire(&admin, "lone@acme.test", "CLIENT").await;
    let lone = node.login("lone@acme.test", PASSWORD).await;
    lone.get("/api/clients/").await.expect_problem(403, "FORBIDDEN");
    lone.get(&path).await.expect_problem(404, "NOT_FOUND");
    node.anonymous().get("/api/clients/").await.expect_problem(401, "NOT_AUTHENTICATED");

    let of = |query: String| format!("/api/clients/?{query}");
    for (query, count) in [
        (format!("company_id={}", firm.company), 1),
        ("company_id=999999".to_owned(), 0),
        (format!("reviewer_id={}", firm.reviewer), 1),
        ("industry_id=1".to_owned(), 0),
        ("search=cleo".to_owned(), 1),
    ] {
        assert_eq!(admin.get(&of(query.clone())).await.expect(200)["count"], count, "{query}");
    }
    admin.get(&of("company_id=x".to_owned())).await.expect_problem(422, "INVALID");
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_is_refused_for_what_it_refers_to() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let firm = Firm::of(&admin).await;
    let pair = |consultant: i64| json!({"vertical_id": firm.vertical, "consultant_id": consultant});
    for (member, value, status, code) in [
        ("contact_email", json!("Reviewer@ddc.test"), 409, "EMAIL_TAKEN"),
        ("company_id", json!(999_999), 422, "INACTIVE_REFERENCE"),
        ("industry_id", json!(999_999), 422, "INACTIVE_REFERENCE"),
        ("reviewer_id", json!(firm.consultant), 422, "NOT_A_REVIEWER"),
        ("reviewer_id", json!(999_999), 422, "INACTIVE_REFERENCE"),
        ("verticals_and_consultants", json!([pair(firm.reviewer)]), 422, "NOT_A_CONSULTANT"),
        ("verticals_and_consultants", json!([pair(firm.consultant), pair(firm.consultant)]), 422, "DUPLICATE_VERTICAL"),
        ("contact_name", json!("  "), 422, "INVALID"),
        ("nickname", json!("C"), 422, "UNKNOWN_FIELD"),
    ] {
        let mut body = firm.client("cleo@acme.test");
        body[member] = value;
        admin.post("/api/clients/add/", body).await.expect_problem(status, code);
    }
    // Nothing of it came to be: no login, and the email is free.
    assert_eq!(admin.get(&format!("{USERS}?role=CLIENT")).await.expect(200)["count"], 0);
    admin.post("/api/clients/add/", firm.client("cleo@acme.test")).await.expect(201);
    admin.post("/api/clients/add/", firm.client("CLEO@acme.test")).await.expect_problem(409, "EMAIL_TAKEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_clients_email_is_its_logins_whichever_is_changed() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let firm = Firm::of(&admin).await;
    let id = admin.post("/api/clients/add/", firm.client("cleo@acme.test")).await.expect(201)["id"].clone();
    let (client, user) = (format!("/api/clients/{id}/"), format!("{USERS}{id}/"));

    let update = json!({"contact_email": "second@acme.test", "contact_name": "Cleo Second", "reviewer_id": null});
    let changed = admin.put(&format!("{client}update/"), update).await.expect(200);
    assert_eq!((&changed["contact_email"], &changed["reviewer_id"]), (&json!("second@acme.test"), &Value::Null));
    assert_eq!(changed["verticals_and_consultants"][0]["consultant_id"], firm.consultant);
    assert_eq!(admin.get(&user).await.expect(200)["email"], "second@acme.test");
    admin.put(&user, json!({"email": "third@acme.test"})).await.expect(200);
    assert_eq!(admin.get(&client).await.expect(200)["contact_email"], "third@acme.test");
    // Both old ones are free.
    hire(&admin, "cleo@acme.test", "REVIEWER").await;
    hire(&admin, "second@acme.test", "REVIEWER").await;
    let taken = json!({"contact_email": "second@acme.test"});
    admin.put(&format!("{client}update/"), taken).await.expect_problem(409, "EMAIL_TAKEN");
    admin.put(&user, json!({"role": "REVIEWER"})).await.expect_problem(409, "HAS_CLIENT_PROFILE");
    let stale = [("if-match", "\"1\"")];
    let answer = admin.send(Method::PUT, &format!("{client}update/"), &stale, Some(json!({}))).await;
    answer.expect_problem(412, "VERSION_CONFLICT");
    admin.put("/api/clients/999999/update/", json!({})).await.expect_problem(404, "NOT_FOUND");
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deleted_client_cannot_log_in_until_it_is_restored() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let firm = Firm::of(&admin).await;
    let id = admin.post("/api/clients/add/", firm.client("cleo@acme.test")).await.expect(201)["id"].clone();
    let (client, user) = (format!("/api/clients/{id}/"), format!("{USERS}{id}/"));
    let number = kernel::UserId::try_from(id.as_i64().unwrap()).unwrap();
    let hash = ddc::auth::Password::try_from(PASSWORD.to_owned()).unwrap().hash().await.unwrap();
    hash.save(&node.app.tenant.pool, number).await.unwrap();

    let cleo = node.login("cleo@acme.test", PASSWORD).await;
    assert_eq!(cleo.get(&client).await.expect(200)["id"], id);
    admin.delete(&format!("{client}delete/")).await.expect(204);
    cleo.get(&client).await.expect_problem(401, "NOT_AUTHENTICATED");
    assert_eq!(admin.get("/api/clients/").await.expect(200)["count"], 0);
    assert_eq!(admin.get("/api/clients/?include_deleted=true").await.expect(200)["count"], 1);
    assert_eq!(admin.get(&user).await.expect(200)["is_active"], false);
    admin.post(&format!("{client}restore/"), json!({})).await.expect(200);
    node.login("cleo@acme.test", PASSWORD).await;

    // Deleting the user takes the profile along, and brings it back.
    admin.delete(&user).await.expect(204);
    assert_eq!(admin.get(&client).await.expect(200)["is_deleted"], true);
    admin.post(&format!("{client}restore/"), json!({})).await.expect_problem(409, "USER_DELETED");
    admin.post(&format!("{user}restore/"), json!({})).await.expect(200);
    assert_eq!(admin.get(&client).await.expect(200)["is_deleted"], false);
    node.login("cleo@acme.test", PASSWORD).await;
    admin.delete("/api/clients/999999/delete/").await.expect_problem(404, "NOT_FOUND");
    node.prove_projections().await;
}
