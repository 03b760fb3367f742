//! Pages that are answered again without being read.

use serde_json::{Value, json};
use sqlx::Executor;

use crate::harness::{Node, PASSWORD, until};

fn names(list: &Value) -> Vec<&str> {
    list["results"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_page_is_read_again_when_its_read_model_has_moved_and_not_before() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let list = "/api/common/companies/";
    admin.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    assert_eq!(names(&admin.get(list).await.expect(200)), ["Acme"]);
    // Behind the read model's back, so that it can be told whether the row is looked at.
    let forged = "UPDATE company_list SET body = replace(body::text, 'Acme', 'Forged')::json";
    node.app.tenant.pool.execute(forged).await.unwrap();
    assert_eq!(names(&admin.get(list).await.expect(200)), ["Acme"], "nothing has moved");
    assert_eq!(names(&admin.get("/api/common/companies/?page_size=5").await.expect(200)), ["Forged"], "another page");
    admin.post("/api/common/company/", json!({"name": "Zenith"})).await.expect(201);
    assert_eq!(names(&admin.get(list).await.expect(200)), ["Forged", "Zenith"]);
    assert_eq!(names(&admin.get(list).await.expect(200)), ["Forged", "Zenith"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_is_answered_a_page_of_somebody_else() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let list = "/api/common/companies/?include_deleted=true";
    for name in ["Gone", "Here"] {
        admin.post("/api/common/company/", json!({"name": name})).await.expect(201);
    }
    admin.delete("/api/common/company/1/delete/").await.expect(204);
    assert_eq!(names(&admin.get(list).await.expect(200)), ["Gone", "Here"]);
    let body = json!({"email": "reviewer@ddc.test", "role": "REVIEWER", "password": PASSWORD});
    admin.post("/api/accounts/users/", body).await.expect(201);
    let reviewer = node.login("reviewer@ddc.test", PASSWORD).await;
    assert_eq!(names(&reviewer.get(list).await.expect(200)), ["Here"]);
    assert_eq!(names(&admin.get(list).await.expect(200)), ["Gone", "Here"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_page_with_an_earlier_count_is_not_kept() {
    let node = Node::start().await;
    let admin = node.admin().await;
    admin.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    let count = async |path: &str| admin.get(path).await.expect(200)["count"].clone();
    assert_eq!(count("/api/common/companies/").await, 1);
    // So many that they are not counted with every page. Behind the read model's back, so that it stands where it stood.
    let many = "INSERT INTO company_list
                SELECT id + n, version, created_at, updated_at, state, body, name || n, is_active, is_deleted
                FROM company_list, generate_series(1, 600) AS n";
    node.app.tenant.pool.execute(many).await.unwrap();
    assert_eq!(count("/api/common/companies/?page_size=4").await, 601);
    node.app.tenant.pool.execute("DELETE FROM company_list WHERE id > 100").await.unwrap();
    until("the list is counted anew", async || {
        (count("/api/common/companies/?page_size=5").await == 100).then_some(())
    })
    .await;
}
