//! A rolling upgrade: nodes of two builds on one database. Each read model is there in the version of either build, and
//! what a newer build has written is left to it.

use std::sync::Arc;

use async_trait::async_trait;
use ddc::app::Build;
use runtime::{ApplyError, Codec, Projection, Recorded};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;

use crate::harness::{Node, Session, until};

/// The list of companies of a newer build: its table does not let the older build sort. It is built when the gate opens.
struct NewerCompanies {
    list: Arc<dyn Projection>,
    gate: watch::Receiver<bool>,
}

#[async_trait]
impl Projection for NewerCompanies {
    fn name(&self) -> &'static str {
        self.list.name()
    }

    fn version(&self) -> i32 {
        self.list.version() + 1
    }

    fn kinds(&self) -> &'static [&'static str] {
        self.list.kinds()
    }

    fn tables(&self) -> Vec<&'static str> {
        self.list.tables()
    }

    fn schema(&self) -> String {
        format!("{}; ALTER TABLE company_list ALTER COLUMN name TYPE json USING to_json(name)", self.list.schema())
    }

    fn indexes(&self) -> String {
        String::new()
    }

    async fn apply(&self, tx: &mut PgConnection, codec: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
        self.gate.clone().wait_for(|open| *open).await.unwrap();
        self.list.apply(tx, codec, events).await
    }
}

fn newer(gate: &watch::Receiver<bool>) -> Build {
    let mut build = Build::this();
    for projection in &mut build.projections {
        if projection.name() == "company_list" {
            *projection = Arc::new(NewerCompanies { list: Arc::clone(projection), gate: gate.clone() });
        }
    }
    build
}

/// The versions of the list of companies that there are.
async fn versions(pool: &PgPool) -> Vec<(String, i32)> {
    let query = "SELECT name, version FROM checkpoints WHERE name LIKE 'company_list%' ORDER BY name";
    sqlx::query_as(query).fetch_all(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_older_node_goes_on_with_its_read_models_while_and_after_a_newer_one_builds_its_own() {
    let old = Node::start().await;
    let on_old = old.admin().await;
    let add = async |on: &Session<'_>, name: &str| {
        let company = on.post("/api/common/company/", json!({"name": name})).await.expect(201);
        format!("/api/common/company/{}/", company["id"])
    };
    let listed = async || {
        let list = on_old.get("/api/common/companies/").await.expect(200);
        list["results"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let listed = async || -> Vec<String> { listed().await };
    let mut companies = vec![add(&on_old, "Acme").await];
    let (open, gate) = watch::channel(false);

    // The newer node takes commands at once; it is not ready, and says so, until its read model is built.
    let new = Node::start_as(newer(&gate), &old.database_url, &[]).await;
    let state = new.anonymous().get_own("/health/ready/").await;
    assert_eq!((state.status.as_u16(), &state.body["building"]), (503, &json!(["company_list"])), "{}", state.text);
    let on_new = new.admin().await;
    companies.push(add(&on_new, "Beta").await);
    let early = on_new.get_own(&companies[0]).await;
    assert_eq!((early.status.as_u16(), early.header("retry-after")), (503, "1"), "{}", early.text);
    // The older one serves all, also what the newer one wrote.
    old.anonymous().get_own("/health/ready/").await.expect(200);
    assert_eq!(listed().await, ["Acme", "Beta"]);

    // It breaks off in the middle of it; the next one begins anew.
    drop(on_new);
    drop(new);
    companies.push(add(&on_old, "Gamma").await);
    assert_eq!(listed().await, ["Acme", "Beta", "Gamma"]);
    let new = Node::start_as(newer(&gate), &old.database_url, &[]).await;
    let on_new = new.admin().await;
    open.send_replace(true);
    let is_ready = async || (new.anonymous().get_own("/health/ready/").await.status.as_u16() == 200).then_some(());
    until("the newer one is ready", is_ready).await;

    // Both go on, each with its own.
    companies.push(add(&on_new, "Delta").await);
    companies.push(add(&on_old, "Epsilon").await);
    assert_eq!(listed().await, ["Acme", "Beta", "Delta", "Epsilon", "Gamma"]);
    for company in &companies {
        on_new.get(company).await.expect(200);
        on_old.get(company).await.expect(200);
    }
    let both = [("company_list_v1".to_owned(), 1), ("company_list_v2".to_owned(), 2)];
    let pool = &new.app.tenant.pool;
    assert_eq!(versions(pool).await, both);
    old.prove_projections().await;
    new.prove_projections().await;
    // The upgrade is taken back: the older one is there as before.
    drop(on_new);
    drop(new);
    companies.push(add(&on_old, "Zeta").await);
    assert_eq!(listed().await.len(), 6);
    old.prove_projections().await;

    // It is done after all. What no node has run for a day is dropped, and nothing else.
    let new = Node::start_as(newer(&gate), &old.database_url, &[]).await;
    drop(on_old);
    drop(old);
    let pool = &new.app.tenant.pool;
    assert_eq!(runtime::retire(pool).await.unwrap(), Vec::<String>::new());
    let long_ago = "UPDATE claims SET until = now() - interval '25 hours' WHERE name = 'company_list_v1'";
    sqlx::query(long_ago).execute(pool).await.unwrap();
    assert_eq!(runtime::retire(pool).await.unwrap(), ["company_list_v1"]);
    assert_eq!(versions(pool).await, both[1..]);
    let on_new = new.admin().await;
    on_new.get(&companies[5]).await.expect(200);
    new.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_newer_build_has_written_is_not_passed_over_by_an_older_one() {
    // To the older build an event is unknown that the newer one mails about, and that is in a user's state.
    let mut older = Build::this();
    assert!(older.events.remove(&("user.deactivated", "1.0")));
    let database_url = crate::harness::database().await;
    let old = Node::start_as(older, &database_url, &[]).await;
    old.register_admin().await;
    let pool = &old.app.tenant.pool;
    let on_old = old.admin().await;
    let mut users = Vec::new();
    for email in ["one@ddc.test", "two@ddc.test"] {
        let user = on_old.post("/api/accounts/users/", json!({"email": email, "role": "CONSULTANT"})).await.expect(201);
        users.push(format!("/api/accounts/users/{}/", user["id"]));
    }
    on_old.get(&users[1]).await.expect(200);

    // The newer node serves and projects, and leaves the rest to the older one.
    let new = Node::start_on(&database_url, &[("DDC_ROLES", "api,projector")]).await;
    let on_new = new.admin().await;
    let shut = on_new.post(&format!("{}deactivate/", users[0]), json!({})).await;
    let position: i64 = shut.header("ddc-position").parse().unwrap();
    shut.expect(200);
    // The older one cannot decide about that user any more, but about all else.
    let refused = on_old.post(&format!("{}reactivate/", users[0]), json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"), "{}", refused.text);
    on_old.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    // Who keeps the list of users is the newer one now, on behalf of both.
    let read = async || {
        let shown = [on_old.get(&users[0]).await, on_new.get(&users[0]).await];
        shown.iter().all(|shown| shown.body["is_active"] == json!(false)).then_some(())
    };
    until("both show that the user is shut out", read).await;
    // What it would have to skip it has left, for good.
    let left: Vec<String> = ddc::reactions::all()
        .iter()
        .map(|reaction| reaction.name().to_owned())
        .chain(["notifications".to_owned(), "emails".to_owned()])
        .collect();
    let is_left = async || {
        let held = "SELECT count(*) FROM claims WHERE name = ANY($1) AND until > now()";
        let held: i64 = sqlx::query_scalar(held).bind(&left).fetch_one(pool).await.unwrap();
        (held == 0).then_some(())
    };
    until("the older node has given up what it cannot do", is_left).await;
    let farthest: i64 = sqlx::query_scalar(
        "SELECT max(position) FROM (SELECT position FROM checkpoints WHERE name = ANY($1)
         UNION ALL SELECT position FROM consumers WHERE name = ANY($1)) AS readers",
    )
    .bind(&left)
    .fetch_one(pool)
    .await
    .unwrap();
    assert!(farthest < position, "at {farthest} something has passed over {position}");

    // A node of the newer build does it.
    let newest = Node::start_on(&database_url, &[]).await;
    let mailed = async || {
        let mails = "SELECT count(*) FROM email_log WHERE kind = 'ACCESS_REMOVED' AND position = $1";
        let mails: i64 = sqlx::query_scalar(mails).bind(position).fetch_one(pool).await.unwrap();
        (mails == 1).then_some(())
    };
    until("the user is told", mailed).await;
    let behind = async || {
        let behind = "SELECT count(*) FROM checkpoints WHERE name = ANY($1) AND position < $2";
        let behind: i64 = sqlx::query_scalar(behind).bind(&left).bind(position).fetch_one(pool).await.unwrap();
        (behind == 0).then_some(())
    };
    until("the reactions go on", behind).await;
    let lost: i64 =
        sqlx::query_scalar("SELECT (SELECT count(*) FROM parked_events) + (SELECT count(*) FROM dead_letters)")
            .fetch_one(pool)
            .await
            .unwrap();
    assert_eq!(lost, 0);
    newest.prove_projections().await;
}
