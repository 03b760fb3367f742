//! The two signatures under an assessment, and what happens when the second one is withheld.

use anyhow::Result;
use serde_json::{Value, json};

use super::Play;
use super::api::Session;
use super::diagnostic::{Survey, submit};
use super::library::found;
use super::people::Staff;
use super::say::shown;

/// The reviewer signs, the client does not: the consultant corrects a figure.
pub(super) async fn send_back(
    play: &mut Play<'_>,
    staff: &Staff<'_>,
    client: &Session<'_>,
    survey: &Survey,
) -> Result<()> {
    let engagement = &play.content.engagement;
    play.story.step("The reviewer", "approves the assessment");
    let signed = approve(&staff.reviewer, survey, &engagement.approvals.reviewer).await?;
    play.story.fact(&format!("{}, one signature of two", shown(&signed, "status")));

    play.story.step("The client", "sends it back for rework");
    let rework = &engagement.rework;
    let body = json!({
        "comment_text": rework.comment_text,
        "question": found(&survey.questions, &rework.question_code)?,
    });
    let back = client.post(&survey.path("reject/"), &body).await?;
    play.story.fact(&format!("\"{}\"", rework.comment_text));
    play.story.fact(&format!(
        "{}, rework number {}, all signatures cleared",
        shown(&back, "status"),
        shown(&back, "rework_count")
    ));

    play.story.step("The consultant", "corrects the answer");
    submit(play, &staff.consultant, survey, &rework.corrections).await
}

/// Both sign; the second signature locks the assessment.
pub(super) async fn sign(play: &mut Play<'_>, staff: &Staff<'_>, client: &Session<'_>, survey: &Survey) -> Result<()> {
    let approvals = &play.content.engagement.approvals;
    play.story.step("The reviewer and the client", "approve the assessment");
    approve(&staff.reviewer, survey, &approvals.reviewer_again).await?;
    let locked = approve(client, survey, &approvals.client).await?;
    play.story.fact(&format!("{} since {}", shown(&locked, "status"), shown(&locked, "locked_at")));
    Ok(())
}

async fn approve(who: &Session<'_>, survey: &Survey, comment: &str) -> Result<Value> {
    who.post(&survey.path("approve/"), &json!({"comment": comment})).await
}
