//! Who takes part: the firm's people and the client.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::api::{Session, id, number};
use super::content::Person;
use super::library::Places;
use super::{Play, outbox};

/// The firm's people, logged in.
pub(super) struct Staff<'a> {
    pub(super) consultant: Session<'a>,
    pub(super) consultant_id: i64,
    pub(super) consultant_email: String,
    pub(super) reviewer: Session<'a>,
    pub(super) reviewer_id: i64,
    pub(super) reviewer_email: String,
    pub(super) second_admin: Session<'a>,
}

/// The client's contact, logged in.
pub(super) struct Client<'a> {
    pub(super) session: Session<'a>,
    /// The id of the user, which payloads call `client`.
    pub(super) user: i64,
    pub(super) email: String,
}

pub(super) async fn log_in_admin<'a>(play: &mut Play<'a>, email: &str, password: &str) -> Result<Session<'a>> {
    play.story.step("The administrator", "logs in");
    let admin = play.server.login(email, password).await?;
    let me = admin.get("/api/auth/me/").await?;
    play.story.fact(&format!("{email}, user {}", id(&me)?));
    Ok(admin)
}

/// A consultant who does the work, a reviewer who checks it, a second administrator who looks on.
pub(super) async fn hire_staff<'a>(play: &mut Play<'a>, admin: &Session<'_>, password: &str) -> Result<Staff<'a>> {
    play.story.step("The administrator", "adds a consultant, a reviewer and a second administrator");
    let people = &play.content.engagement.people;
    let (consultant_id, consultant_email) = hire(play, admin, &people.consultant, "CONSULTANT", password).await?;
    let (reviewer_id, reviewer_email) = hire(play, admin, &people.reviewer, "REVIEWER", password).await?;
    let (_, second_email) = hire(play, admin, &people.second_admin, "ADMIN", password).await?;
    Ok(Staff {
        consultant: play.server.login(&consultant_email, password).await?,
        consultant_id,
        consultant_email,
        reviewer: play.server.login(&reviewer_email, password).await?,
        reviewer_id,
        reviewer_email,
        second_admin: play.server.login(&second_email, password).await?,
    })
}

async fn hire(
    play: &Play<'_>,
    admin: &Session<'_>,
    person: &Person,
    role: &str,
    password: &str,
) -> Result<(i64, String)> {
    let email = labelled_email(&person.email, &play.label);
    let body = json!({"email": email, "role": role, "password": password, "profile": person.profile});
    let user = admin.post("/api/accounts/users/", &body).await?;
    play.story.fact(&format!("{role:<11}{} <{email}>, user {}", person.name, id(&user)?));
    Ok((id(&user)?, email))
}

/// The client sets its own first password with the token of the mail that it gets.
pub(super) async fn win_client<'a>(
    play: &mut Play<'a>,
    admin: &Session<'_>,
    staff: &Staff<'_>,
    places: &Places,
    password: &str,
    outbox: &Path,
) -> Result<Client<'a>> {
    play.story.step("The administrator", "registers the client's company and its contact, who sets a password");
    let engagement = &play.content.engagement;
    let mut company = engagement.company.others.clone();
    company.insert("name".to_owned(), Value::from(play.labelled(&engagement.company.name)));
    company.insert("code".to_owned(), Value::from(format!("{}-{}", engagement.company.code, play.label)));
    company.insert("industry_id".to_owned(), Value::from(places.industry));
    let company = admin.post("/api/common/company/", &Value::Object(company)).await?;

    let contact = &engagement.people.client;
    let email = labelled_email(&contact.email, &play.label);
    let pairs: Vec<Value> = places
        .verticals
        .values()
        .map(|vertical| json!({"vertical_id": vertical, "consultant_id": staff.consultant_id}))
        .collect();
    let client = admin
        .post(
            "/api/clients/add/",
            &json!({
                "contact_email": email,
                "contact_name": contact.name,
                "company_id": id(&company)?,
                "industry_id": places.industry,
                "reviewer_id": staff.reviewer_id,
                "verticals_and_consultants": pairs,
            }),
        )
        .await?;
    let user = number(&client, "user_id")?;
    play.story.fact(&format!("company {}: {}", id(&company)?, play.labelled(&engagement.company.name)));
    play.story.fact(&format!("{:<11}{} <{email}>, user {user}", "CLIENT", contact.name));

    let token = outbox::token_for(&email, outbox).await?;
    play.server.set_password(&token, password).await?;
    play.story.fact("the mail arrived, the password is set");
    Ok(Client { session: play.server.login(&email, password).await?, user, email })
}

/// `ann@x.example` becomes `ann+<label>@x.example`.
fn labelled_email(email: &str, label: &str) -> String {
    email.split_once('@').map_or_else(|| email.to_owned(), |(name, host)| format!("{name}+{label}@{host}"))
}
