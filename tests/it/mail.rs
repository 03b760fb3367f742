//! Mails: to a real SMTP listener that takes, defers or refuses them, and to the folder that stands in for one.

use std::{
    io,
    net::{IpAddr, TcpListener},
    sync::{Arc, Mutex},
};

use mailin_embedded::{Handler, Response, Server, SslConfig, response};
use serde_json::{Value, json};

use crate::harness::{Node, PASSWORD, until};

/// What the listener answers: how often it defers first, and which address it refuses for good.
#[derive(Clone, Default)]
struct Inbox {
    deferrals: Arc<Mutex<u32>>,
    mails: Arc<Mutex<Vec<String>>>,
    current: Vec<u8>,
}

const REFUSED: &str = "nobody@ddc.test";

impl Handler for Inbox {
    fn rcpt(&mut self, to: &str) -> Response {
        if to == REFUSED {
            return response::NO_MAILBOX;
        }
        // Here and not after the data: mailin stays in the state of the data after an error there and answers nothing
        // to what follows.
        let mut deferrals = self.deferrals.lock().unwrap();
        if *deferrals > 0 {
            *deferrals -= 1;
            return response::INTERNAL_ERROR;
        }
        response::OK
    }

    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        self.current.clear();
        response::OK
    }

    fn data(&mut self, part: &[u8]) -> io::Result<()> {
        self.current.extend_from_slice(part);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.mails.lock().unwrap().push(String::from_utf8_lossy(&self.current).into_owned());
        response::OK
    }
}

/// Listens until the process ends; answers the address.
fn listen(inbox: &Inbox) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = Server::new(inbox.clone());
    server.with_name("mail.ddc.test").with_ssl(SslConfig::None).unwrap().with_tcp_listener(listener);
    std::thread::spawn(move || server.serve().unwrap());
    format!("smtp://{address}")
}

fn token_in(mail: &str) -> String {
    let line = mail.lines().find(|line| line.contains("/set-password?token=")).unwrap();
    line.rsplit_once("token=").unwrap().1.trim().to_owned()
}

async fn invite(node: &Node, email: &str) {
    let admin = node.admin().await;
    admin.post("/api/accounts/users/", json!({"email": email, "role": "CONSULTANT"})).await.expect(201);
}

/// Waits for the log's row about an address.
async fn logged(node: &Node, email: &str) -> Value {
    let admin = node.admin().await;
    until("the mail is logged", async || {
        let log = admin.get(&format!("/api/emails/logs/?search={email}")).await.expect(200);
        log["results"].get(0).cloned()
    })
    .await
}

async fn set_password(node: &Node, email: &str, token: &str) {
    let body = json!({"token": token, "password": PASSWORD});
    node.anonymous().post("/api/auth/set-password/", body.clone()).await.expect(204);
    node.anonymous().post("/api/auth/set-password/", body).await.expect_problem(422, "INVALID_TOKEN");
    node.login(email, PASSWORD).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_mail_that_is_deferred_is_tried_again_and_its_token_sets_the_password() {
    let inbox = Inbox { deferrals: Arc::new(Mutex::new(2)), ..Inbox::default() };
    let smtp = listen(&inbox);
    let node = Node::start_with(&[("SMTP_URL", &smtp), ("MAIL_RETRY_SECS", "1")]).await;
    invite(&node, "ann@ddc.test").await;
    let row = logged(&node, "ann@ddc.test").await;
    assert_eq!((&row["status"], &row["attempts"], &row["error"]), (&json!("SENT"), &json!(3), &Value::Null), "{row}");
    assert_eq!((&row["kind"], &row["subject"]), (&json!("SET_PASSWORD"), &json!("Set your password")), "{row}");
    let mails = inbox.mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 1, "{mails:?}");
    set_password(&node, "ann@ddc.test", &token_in(&mails[0])).await;
    node.login("ann@ddc.test", PASSWORD).await.get("/api/emails/logs/").await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_mail_fails_at_once_when_it_is_refused_and_after_four_attempts_when_it_is_deferred() {
    let inbox = Inbox { deferrals: Arc::new(Mutex::new(100)), ..Inbox::default() };
    let smtp = listen(&inbox);
    let node = Node::start_with(&[("SMTP_URL", &smtp), ("MAIL_RETRY_SECS", "1")]).await;
    invite(&node, REFUSED).await;
    let row = logged(&node, REFUSED).await;
    assert_eq!((&row["status"], &row["attempts"]), (&json!("FAILED"), &json!(1)), "{row}");
    assert!(row["error"].as_str().unwrap().contains("550"), "{row}");
    invite(&node, "ann@ddc.test").await;
    let row = logged(&node, "ann@ddc.test").await;
    assert_eq!((&row["status"], &row["attempts"]), (&json!("FAILED"), &json!(4)), "{row}");
    assert!(row["error"].as_str().unwrap().contains("451"), "{row}");
    assert!(inbox.mails.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_a_mail_server_mails_are_files_and_their_tokens_hold() {
    let node = Node::start().await;
    invite(&node, "ann@ddc.test").await;
    let row = logged(&node, "ann@ddc.test").await;
    assert_eq!(row["status"], "SENT", "{row}");
    let name = row["provider_id"].as_str().unwrap();
    assert!(name.ends_with("-SET_PASSWORD-ann_ddc.test.eml"), "{name}");
    let mail = std::fs::read_to_string(node.app.config.data.join("outbox").join(name)).unwrap();
    assert!(mail.contains("To: ann@ddc.test") && !row.to_string().contains(&token_in(&mail)));
    set_password(&node, "ann@ddc.test", &token_in(&mail)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deactivated_user_is_told_and_one_who_forgot_the_password_gets_a_new_one() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let body = json!({"email": "ann@ddc.test", "role": "CONSULTANT", "password": PASSWORD});
    let id = admin.post("/api/accounts/users/", body).await.expect(201)["id"].clone();
    node.anonymous().post("/api/auth/password-reset/", json!({"email": "ann@ddc.test"})).await.expect(202);
    assert_eq!(logged(&node, "ann@ddc.test").await["kind"], "PASSWORD_RESET");
    admin.post(&format!("/api/accounts/users/{id}/deactivate/"), json!({})).await.expect(200);
    let told = until("the second mail", async || {
        let log = admin.get(&format!("/api/emails/logs/?user={id}&kind=ACCESS_REMOVED")).await.expect(200);
        log["results"].get(0).cloned()
    })
    .await;
    assert_eq!((&told["to_email"], &told["status"]), (&json!("ann@ddc.test"), &json!("SENT")), "{told}");
}
