//! From findings to a signed offer: costing, proposal, approval.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Play;
use super::api::{Session, id, items, text};
use super::content::Line;
use super::library::{Cards, found};
use super::people::Staff;
use super::say::shown;

/// Prices all opportunities of the report; the reviewer approves. Answers the costing's id.
pub(super) async fn cost(play: &mut Play<'_>, staff: &Staff<'_>, report: &Value, cards: &Cards) -> Result<i64> {
    let consultant = &staff.consultant;
    let plan = &play.content.engagement.costing;
    play.story.step("The consultant", "prices the opportunities");
    let opportunities = items(report, "opportunities")?
        .iter()
        .filter(|one| shown(one, "status") != "STALE")
        .map(id)
        .collect::<Result<Vec<i64>>>()?;
    let body = json!({"name": play.labelled(&plan.name), "assessment_opportunities": opportunities, "rate_card": cards.rate_card});
    let costing = id(&consultant.post("/api/solution_costing/", &body).await?)?;
    let path = format!("/api/solution_costing/{costing}/");
    let mut parameters = plan.parameters.clone();
    parameters.insert("solution_rate_card".to_owned(), Value::from(cards.solution_rate_card));
    consultant.put(&path, &Value::Object(parameters)).await?;

    let mut rows = Vec::new();
    for line in &plan.line_items {
        let added = consultant.post("/api/solution_costing/line-items/", &line_body(line, costing, cards)?).await?;
        rows.push(vec![
            line.note.clone(),
            shown(&added, "effort_days"),
            shown(&added, "unit_rate"),
            shown(&added, "amount"),
        ]);
    }
    play.story.table(&["Line", "Days", "Rate", "Amount"], &rows);

    play.story.step("The consultant", "submits the costing and the reviewer approves it");
    consultant.post(&format!("{path}submit/"), &json!({})).await?;
    let approved = staff.reviewer.post(&format!("{path}approve/"), &json!({})).await?;
    play.story.fact(&format!("costing {costing} {}", shown(&approved, "status")));
    let roi = approved.get("roi_summary").unwrap_or(&Value::Null);
    for (name, from, key) in [
        ("Build", &approved, "build_cost"),
        ("Programme office", &approved, "pmo_cost"),
        ("Support, one year", &approved, "support_cost"),
        ("Price", &approved, "total_cost"),
        ("Margin, %", &approved, "margin_percent"),
        ("Savings a year, gross", roi, "annual_savings"),
        ("Payback, months", roi, "payback_months"),
        ("Net present value", roi, "npv"),
        ("Return on investment, 3 years, %", roi, "roi_percent"),
    ] {
        play.story.figure(name, &shown(from, key));
    }
    Ok(costing)
}

fn line_body(line: &Line, costing: i64, cards: &Cards) -> Result<Value> {
    let (key, code) = match (&line.role_code, &line.component_code) {
        (Some(code), None) => ("role", code),
        (None, Some(code)) => ("component", code),
        _ => bail!("the line \"{}\" has to name either a role or a component", line.note),
    };
    let mut body = line.others.clone();
    body.insert("solution_costing".to_owned(), Value::from(costing));
    body.insert(key.to_owned(), Value::from(found(&cards.priced, code)?));
    Ok(Value::Object(body))
}

/// Writes the proposal and sends it. Answers its id.
pub(super) async fn propose(play: &mut Play<'_>, consultant: &Session<'_>, costing: i64) -> Result<i64> {
    play.story.step("The consultant", "writes a proposal from the approved costing and sends it to the client");
    let mut body = play.content.engagement.proposal.clone();
    if let Some(members) = body.as_object_mut() {
        members.insert("solution_costing_id".to_owned(), Value::from(costing));
        members.insert("status".to_owned(), Value::from("DRAFT"));
    }
    let proposal = id(&consultant.post("/api/proposals/", &body).await?)?;
    let sent = consultant.post(&format!("/api/proposals/{proposal}/submit/"), &json!({})).await?;
    play.story.fact(&format!("proposal {proposal}: {}", text(&sent, "title")?));
    play.story.fact(&format!(
        "{}, {}, valid until {}",
        shown(&sent, "status"),
        shown(&sent, "total_value"),
        shown(&sent, "valid_until")
    ));
    Ok(proposal)
}

/// The client approves; that makes the project. Answers the project.
pub(super) async fn win(play: &mut Play<'_>, client: &Session<'_>, proposal: i64) -> Result<Value> {
    play.story.step("The client", "approves the proposal, which makes the project");
    let engagement = &play.content.engagement;
    let body = json!({"comment": engagement.approval_comment, "project": {"name": engagement.project.name}});
    let answer = client.post(&format!("/api/proposals/{proposal}/approve/"), &body).await?;
    let project = answer.get("project").cloned().context("the approval answered without a project")?;
    play.story.fact(&format!("project {}: {}, {}", id(&project)?, shown(&project, "name"), shown(&project, "stage")));
    play.story.fact(&format!(
        "{} to {}, budget {}, {} milestones, {} opportunities",
        shown(&project, "start_date"),
        shown(&project, "end_date"),
        shown(&project, "budget_limit"),
        items(&project, "milestones")?.len(),
        items(&project, "opportunities")?.len()
    ));
    Ok(project)
}
