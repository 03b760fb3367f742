//! The project under way, and what everybody sees of it.

use anyhow::{Context, Result};
use chrono::{Days, NaiveDate, Utc};
use serde_json::{Value, json};

use super::Play;
use super::api::{Session, id, items};
use super::say::shown;

/// Starts the project, moves its milestones, posts its first expenses.
pub(super) async fn deliver(play: &mut Play<'_>, consultant: &Session<'_>, project: &Value) -> Result<()> {
    let engagement = &play.content.engagement;
    let path = format!("/api/projects/{}/", id(project)?);
    play.story.step("The consultant", "starts the project");
    let plan = &engagement.project;
    consultant.put(&path, &json!({"pm_name": plan.pm_name, "notes": plan.notes})).await?;
    let started = consultant
        .put(&format!("{path}status/"), &json!({"stage": "IN_PROGRESS", "reason": plan.start_reason}))
        .await?;
    play.story.fact(&format!("{}, led by {}", shown(&started, "stage"), shown(&started, "pm_name")));

    play.story.step("The consultant", "reports milestones and expenses");
    let milestones =
        items(project, "milestones")?.iter().zip([&engagement.milestones.done, &engagement.milestones.begun]);
    for (milestone, said) in milestones {
        consultant.put(&format!("{path}milestones/{}/", id(milestone)?), said).await?;
        play.story.fact(&format!(
            "milestone \"{}\": {} %, {}",
            shown(milestone, "name"),
            shown(said, "percent"),
            shown(said, "status")
        ));
    }
    let further = &engagement.milestones.further;
    let due = today().checked_add_days(Days::new(further.due_in_days)).context("a date too far ahead")?;
    let body = json!({"name": further.name, "weight": further.weight, "due_date": due});
    consultant.post(&format!("{path}milestones/"), &body).await?;
    play.story.fact(&format!("milestone \"{}\" added, due {due}", further.name));

    for expense in &engagement.expenses {
        let date = today().checked_sub_days(Days::new(expense.days_ago)).context("a date too far back")?;
        let mut body = expense.others.clone();
        body.insert("date".to_owned(), json!(date));
        let body = Value::Object(body);
        consultant.post(&format!("{path}expenses/"), &body).await?;
        play.story.fact(&format!("expense {}: {}", shown(&body, "amount"), shown(&body, "description")));
    }
    let now = consultant.get(&path).await?;
    for (name, key) in [
        ("Complete, %", "percent_complete"),
        ("Budget", "budget_limit"),
        ("Actual cost", "actual_cost"),
        ("Delivery status", "delivery_status"),
    ] {
        play.story.figure(name, &shown(&now, key));
    }
    Ok(())
}

fn today() -> NaiveDate {
    Utc::now().date_naive()
}

/// What the firm sees on its dashboard, what the audit log holds, what the client was told.
pub(super) async fn look_back(play: &mut Play<'_>, admin: &Session<'_>, client: &Session<'_>) -> Result<()> {
    play.story.step("The second administrator", "looks at the dashboard and the audit log");
    let stats = admin.get("/api/dashboards/stats/").await?;
    for (name, key) in [
        ("Active assessments", "active_assessments"),
        ("Pending proposals", "pending_proposals"),
        ("Average return on investment, %", "average_roi_percent"),
        ("Active projects", "active_projects"),
        ("Milestones done", "completed_milestones"),
        ("Milestones in all", "total_milestones"),
    ] {
        play.story.figure(name, &shown(&stats, key));
    }
    if let Some(savings) = stats.get("yearly_baseline_savings").and_then(Value::as_object) {
        for currency in savings.keys() {
            play.story
                .figure(&format!("Savings a year, {currency}"), &shown(&Value::Object(savings.clone()), currency));
        }
    }
    play.story.fact(&format!("{} entries in the audit log", admin.count("/api/audit_logs/").await?));

    play.story.step("The client", "reads its notifications");
    for notification in client.list("/api/notifications/").await? {
        play.story.fact(&shown(&notification, "title"));
    }
    Ok(())
}
