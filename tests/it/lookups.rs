//! Look-ups over HTTP: all kinds have one life, and each its own rules. And what is built in.

use ddc::built_in::{self, Part, Present};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Node, PASSWORD};

/// Where a kind is found: the list, the creation, one, its change, its deletion, its restoration.
struct Place {
    list: &'static str,
    create: &'static str,
    common: bool,
    sample: Value,
    for_clients: bool,
}

impl Place {
    fn one(&self, id: &Value) -> String {
        format!("{}{id}/", self.create)
    }

    fn change(&self, id: &Value) -> String {
        if self.common { format!("{}update/", self.one(id)) } else { self.one(id) }
    }

    fn delete(&self, id: &Value) -> String {
        if self.common { format!("{}delete/", self.one(id)) } else { self.one(id) }
    }
}

fn role() -> Value {
    // The sample of the contract, 4.3.
    json!({
        "name": "Order to Cash Team Lead", "code": "O2C_TL", "experience_level": "SENIOR", "day_rate_min": "350.00",
        "day_rate_max": "550.00", "day_rate_current": "450.00",
    })
}

fn places() -> Vec<Place> {
    let mut operations_role = role();
    operations_role["number_of_days"] = json!(20);
    let common = |list, create, sample, for_clients| Place { list, create, common: true, sample, for_clients };
    vec![
        common("/api/common/regions/", "/api/common/region/", json!({"name": "Nordics", "code": "NORD"}), true),
        common("/api/common/currencies/", "/api/common/currency/", json!({"name": "Swiss Franc", "code": "chf"}), true),
        common("/api/common/operations-roles/", "/api/common/operations-role/", operations_role, false),
        common("/api/common/consultant-roles/", "/api/common/consultant-role/", role(), false),
        common(
            "/api/common/industry-types/",
            "/api/common/industry-type/",
            json!({"name": "Mining", "code": "MIN"}),
            true,
        ),
        common(
            "/api/common/verticals/",
            "/api/common/vertical/",
            json!({"name": "Hire to Retire", "code": "H2R"}),
            true,
        ),
        Place {
            list: "/api/solution_components/",
            create: "/api/solution_components/",
            common: false,
            sample: json!({"name": "Bot", "code": "RPA", "unit": "bot", "default_rate": "1000.00"}),
            for_clients: false,
        },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_kind_is_created_changed_listed_deleted_and_restored() {
    let node = Node::start().await;
    let admin = node.admin().await;
    for place in places() {
        let created = admin.post(place.create, place.sample.clone()).await;
        assert_eq!(created.header("etag"), "\"1\"");
        let id = created.expect(201)["id"].clone();
        let again = admin.post(place.create, place.sample.clone()).await;
        assert!(matches!(again.body["code"].as_str(), Some("CODE_TAKEN" | "NAME_TAKEN")), "{}", again.text);
        again.expect(409);
        let list = admin.get_own(&format!("{}?search={}", place.list, place.sample["code"].as_str().unwrap())).await;
        assert_eq!(list.expect(200)["count"], 1, "{}", place.list);
        let changed = admin.put(&place.change(&id), json!({"name": "Other"})).await.expect(200);
        assert_eq!((&changed["name"], &changed["version"]), (&json!("Other"), &json!(2)));
        let stale = [("if-match", "\"1\"")];
        let answer = admin.send(Method::PUT, &place.change(&id), &stale, Some(json!({"name": "Third"}))).await;
        answer.expect_problem(412, "VERSION_CONFLICT");
        admin.put(&place.change(&id), json!({"colour": "red"})).await.expect_problem(422, "UNKNOWN_FIELD");
        admin.post(place.create, json!({})).await.expect_problem(422, "REQUIRED");

        admin.delete(&place.delete(&id)).await.expect(204);
        admin.delete(&place.delete(&id)).await.expect(204);
        assert_eq!(admin.get_own(place.list).await.expect(200)["count"], 0);
        assert_eq!(admin.get_own(&format!("{}?include_deleted=true", place.list)).await.expect(200)["count"], 1);
        let deleted = admin.get_own(&place.one(&id)).await.expect(200);
        assert_eq!((&deleted["is_deleted"], &deleted["is_active"]), (&json!(true), &json!(false)));
        admin.put(&place.change(&id), json!({"name": "Fourth"})).await.expect_problem(404, "NOT_FOUND");
        let restored = admin.post(&format!("{}restore/", place.one(&id)), json!({})).await.expect(200);
        assert_eq!((&restored["is_deleted"], &restored["is_active"]), (&json!(false), &json!(true)));
        assert_eq!(admin.get(place.list).await.expect(200)["count"], 1);
        admin.delete(&place.delete(&id)).await.expect(204);
        // What was deleted holds neither name nor code.
        admin.post(place.create, place.sample.clone()).await.expect(201);
        // It was renamed, so what stands in its way is the code.
        admin.post(&format!("{}restore/", place.one(&id)), json!({})).await.expect_problem(409, "CODE_TAKEN");
        admin.delete(&place.delete(&json!(999_999))).await.expect_problem(404, "NOT_FOUND");
        admin.put(&place.change(&json!(999_999)), json!({})).await.expect_problem(404, "NOT_FOUND");
    }
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_an_admin_changes_look_ups_and_day_rates_are_not_for_clients() {
    let node = Node::start().await;
    let admin = node.admin().await;
    for role in ["REVIEWER", "CONSULTANT", "CLIENT"] {
        let email = format!("{role}@ddc.test");
        let body = json!({"email": email, "role": role, "password": PASSWORD});
        admin.post("/api/accounts/users/", body).await.expect(201);
    }
    for place in places() {
        let id = admin.post(place.create, place.sample.clone()).await.expect(201)["id"].clone();
        for role in ["REVIEWER", "CONSULTANT", "CLIENT"] {
            let caller = node.login(&format!("{role}@ddc.test"), PASSWORD).await;
            let may_read = role != "CLIENT" || place.for_clients;
            for path in [place.list.to_owned(), place.one(&id)] {
                let answer = caller.get(&path).await;
                assert_eq!(answer.status.as_u16(), if may_read { 200 } else { 403 }, "{role} {path}: {}", answer.text);
            }
            caller.post(place.create, json!({})).await.expect_problem(403, "FORBIDDEN");
            caller.put(&place.change(&id), json!({})).await.expect_problem(403, "FORBIDDEN");
            caller.delete(&place.delete(&id)).await.expect_problem(403, "FORBIDDEN");
        }
        node.anonymous().get(place.list).await.expect_problem(401, "NOT_AUTHENTICATED");
        node.anonymous().post(place.create, json!({})).await.expect_problem(401, "NOT_AUTHENTICATED");
        // Switched off it is no longer offered, and a client no longer knows of it.
        admin.put(&place.change(&id), json!({"is_active": false})).await.expect(200);
        assert_eq!(admin.get(place.list).await.expect(200)["count"], 0);
        assert_eq!(admin.get(&format!("{}?is_active=false", place.list)).await.expect(200)["count"], 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_day_rate_stays_in_its_band_and_roles_are_found_by_experience() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let mut body = role();
    body["number_of_days"] = json!(20);
    let created = admin.post("/api/common/operations-role/", body).await.expect(201);
    assert_eq!(created["day_rate_current"], "450.00");
    let path = format!("/api/common/operations-role/{}/update/", created["id"]);
    admin.put(&path, json!({"day_rate_current": "600.00"})).await.expect_problem(422, "DAY_RATE_OUT_OF_BAND");
    let changed = admin.put(&path, json!({"day_rate_current": 550})).await.expect(200);
    assert_eq!(changed["day_rate_current"], "550.00");
    admin.put(&path, json!({"number_of_days": 32})).await.expect_problem(422, "DAYS_OUT_OF_RANGE");
    let list = "/api/common/operations-roles/?experience_level=";
    assert_eq!(admin.get(&format!("{list}SENIOR")).await.expect(200)["count"], 1);
    assert_eq!(admin.get(&format!("{list}junior")).await.expect(200)["count"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_company_refers_to_an_industry_as_long_as_it_is_active() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let industry = json!({"name": "Mining", "code": "MIN"});
    let industry = admin.post("/api/common/industry-type/", industry).await.expect(201)["id"].clone();
    let company = json!({"name": "Acme", "industry_id": industry});
    assert_eq!(admin.post("/api/common/company/", company).await.expect(201)["industry_id"], industry);
    admin.delete(&format!("/api/common/industry-type/{industry}/delete/")).await.expect(204);
    // The old reference stays; a new one is refused.
    admin.put("/api/common/company/1/update/", json!({"industry_id": industry})).await.expect(200);
    let other = json!({"name": "Other", "industry_id": industry});
    admin.post("/api/common/company/", other).await.expect_problem(422, "INACTIVE_REFERENCE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_built_in_is_loaded_once_and_what_was_deleted_stays_deleted() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let journal = &node.app.tenant.journal;
    let by_hand = json!({"name": "Purchase to Pay", "code": "p2p"});
    let by_hand = admin.post("/api/common/vertical/", by_hand).await.expect(201)["id"].clone();
    let load = async |present| {
        let counts = built_in::load(journal, Part::Verticals, present).await.unwrap();
        (counts.created, counts.updated, counts.unchanged, counts.errors.len())
    };
    assert_eq!(load(Present::Kept).await, (2, 0, 1, 0));
    assert_eq!(load(Present::Kept).await, (0, 0, 3, 0));
    assert_eq!(load(Present::Replaced).await, (0, 1, 2, 0));
    assert_eq!(load(Present::Replaced).await, (0, 0, 3, 0));
    let one = admin.get(&format!("/api/common/vertical/{by_hand}/")).await.expect(200);
    assert_eq!((&one["name"], &one["code"]), (&json!("Procure to Pay"), &json!("P2P")));
    admin.delete(&format!("/api/common/vertical/{by_hand}/delete/")).await.expect(204);
    assert_eq!(load(Present::Replaced).await, (0, 0, 3, 0));
    assert_eq!(admin.get("/api/common/verticals/").await.expect(200)["count"], 2);
    for part in [Part::IndustryTypes, Part::Currencies, Part::Regions] {
        assert_eq!(built_in::load(journal, part, Present::Replaced).await.unwrap().created, 3);
    }
    assert_eq!(built_in::load(journal, Part::Regions, Present::Replaced).await.unwrap().unchanged, 3);
    node.prove_projections().await;
}
