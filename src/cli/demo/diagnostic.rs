//! The diagnostic itself: an assessment is opened, answered, validated and analysed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::Play;
use super::api::{Session, id, items, text};
use super::library::{Places, found, refuse_errors};
use super::people::Staff;
use super::say::shown;

/// How long an analysis may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// An assessment and the ids of its questions by code.
pub(super) struct Survey {
    pub(super) id: i64,
    pub(super) questions: BTreeMap<String, i64>,
}

impl Survey {
    pub(super) fn path(&self, verb: &str) -> String {
        format!("/api/assessments/{}/{verb}", self.id)
    }
}

/// Opens the assessment and adds the questions that only this client is asked.
pub(super) async fn open_assessment(
    play: &mut Play<'_>,
    staff: &Staff<'_>,
    places: &Places,
    client: i64,
) -> Result<Survey> {
    play.story.step("The consultant", "opens an assessment and uploads further questions");
    let consultant = &staff.consultant;
    let mut body = play.content.engagement.assessment.clone();
    if let Some(members) = body.as_object_mut() {
        let name = members.get("name").and_then(Value::as_str).unwrap_or("Diagnostic");
        let name = play.labelled(name);
        members.insert("name".to_owned(), Value::from(name));
        members.insert("client".to_owned(), Value::from(client));
        members.insert("managed_by".to_owned(), Value::from(staff.consultant_id));
        members.insert("industry_type".to_owned(), Value::from(places.industry));
        members.insert("region_id".to_owned(), Value::from(places.region));
        members.insert("vertical_ids".to_owned(), places.verticals.values().copied().collect());
    }
    let assessment = consultant.post("/api/assessments/", &body).await?;
    let mut survey = Survey { id: id(&assessment)?, questions: BTreeMap::new() };
    play.story.fact(&format!(
        "assessment {}: {}, {}",
        survey.id,
        text(&assessment, "name")?,
        shown(&assessment, "status")
    ));

    let file = "further_questions.csv";
    let report =
        consultant.upload(&survey.path("upload-questions/"), file, "text/csv", play.content.file(file)?).await?;
    refuse_errors(file, &report)?;
    let questions = consultant.list(&format!("/api/questionnaires/questions/?assessment_id={}", survey.id)).await?;
    for question in &questions {
        survey.questions.insert(text(question, "code")?.to_owned(), id(question)?);
    }
    play.story.fact(&format!("{} questions, {} of them uploaded", questions.len(), shown(&report, "created")));
    Ok(survey)
}

/// Submits all answers, asks for the validation, and lets the client ask back.
pub(super) async fn answer(
    play: &mut Play<'_>,
    consultant: &Session<'_>,
    survey: &Survey,
    client: &Session<'_>,
) -> Result<()> {
    play.story.step("The consultant", "submits the answers and has them validated");
    submit(play, consultant, survey, &play.content.answers).await?;
    let result = consultant.get(&format!("/api/questionnaires/validate-answers/?assessment_id={}", survey.id)).await?;
    for (kind, mark) in [("errors", "error"), ("warnings", "warning")] {
        for finding in items(&result, kind)? {
            play.story.fact(&format!("{mark}: {}: {}", shown(finding, "code"), shown(finding, "message")));
        }
    }
    if result.get("valid") != Some(&Value::Bool(true)) {
        bail!("The answers have errors; an analysis would be refused.");
    }
    play.story.fact(&format!("valid; the formulas were stable after {} passes", shown(&result, "passes")));

    let comment = &play.content.engagement.comment;
    let question = found(&survey.questions, &comment.question_code)?;
    client.post(&survey.path("comments/"), &json!({"question": question, "comment_text": comment.text})).await?;
    play.story.fact(&format!("the client asks on {}: \"{}\"", comment.question_code, comment.text));
    Ok(())
}

/// Sends answers given by code.
pub(super) async fn submit(
    play: &Play<'_>,
    consultant: &Session<'_>,
    survey: &Survey,
    answers: &BTreeMap<String, Value>,
) -> Result<()> {
    let mut rows = Vec::with_capacity(answers.len());
    for (code, given) in answers {
        let mut row = json!({"question_id": found(&survey.questions, code)?, "value": given, "sub_answer": {}});
        if let (Some(row), Some(given)) = (row.as_object_mut(), given.as_object()) {
            row.extend(given.clone());
        }
        rows.push(row);
    }
    let body = json!({"assessment_id": survey.id, "answers": rows});
    let saved = consultant.post(&survey.path("submit-answers/"), &body).await?;
    let completion = saved.get("completion").unwrap_or(&Value::Null);
    play.story.fact(&format!(
        "answers: {} saved, {} unchanged; {} % of the required ones are there",
        shown(&saved, "saved"),
        shown(&saved, "unchanged"),
        shown(completion, "percent")
    ));
    Ok(())
}

/// A lever that the library does not have.
pub(super) async fn add_opportunity(
    play: &mut Play<'_>,
    consultant: &Session<'_>,
    survey: &Survey,
    places: &Places,
) -> Result<()> {
    play.story.step("The consultant", "adds an opportunity by hand");
    let wanted = &play.content.engagement.manual_opportunity;
    let mut body = wanted.others.clone();
    body.insert("vertical_id".to_owned(), Value::from(found(&places.verticals, &wanted.vertical_code)?));
    let opportunity = consultant.post(&survey.path("opportunities/"), &Value::Object(body)).await?;
    play.story.fact(&format!(
        "{}: {} a year gross, {} full-time equivalents",
        shown(&opportunity, "title"),
        shown(&opportunity, "gross_savings"),
        shown(&opportunity, "fte_savings")
    ));
    Ok(())
}

/// Runs the analysis, waits for it, and shows the report.
pub(super) async fn analyse(play: &mut Play<'_>, consultant: &Session<'_>, survey: &Survey) -> Result<Value> {
    play.story.step("The consultant", "runs the analysis");
    let run = consultant.post(&survey.path("run-analysis/"), &json!({})).await?;
    let begun = Instant::now();
    loop {
        let assessment = consultant.get(&survey.path("")).await?;
        if text(&assessment, "status")? == "COMPLETED" {
            break;
        }
        let progress = shown(&assessment, "analysis_status");
        if matches!(progress.as_str(), "FAILED" | "CANCELLED") {
            bail!("The analysis ended as {progress}; see {}", play.server.address(&survey.path("analysis-runs/"))?);
        }
        if begun.elapsed() > PATIENCE {
            bail!("The analysis is still {progress} after {} s.", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let report = consultant.get(&survey.path("report/")).await?;
    play.story.fact(&format!(
        "run {} took {:.1} s; report version {}, narrative: {}",
        shown(&run, "run_id"),
        begun.elapsed().as_secs_f32(),
        shown(&report, "version"),
        shown(&report, "narrative_source")
    ));
    show(play, &report)?;
    Ok(report)
}

fn show(play: &Play<'_>, report: &Value) -> Result<()> {
    let metrics = report.get("summary_metrics").unwrap_or(&Value::Null);
    for (name, key) in [
        ("Baseline cost a year", "baseline_cost"),
        ("Full-time equivalents today", "current_fte"),
        ("Full-time equivalents saved", "fte_savings"),
        ("Savings a year, gross", "annual_savings"),
        ("Savings of the baseline, %", "savings_percent"),
        ("Investment (estimate)", "investment"),
        ("Payback, months", "payback_months"),
        ("Net present value", "npv"),
        ("Return on investment, 3 years, %", "roi_percent"),
        ("Maturity, 1 to 5", "maturity_level"),
    ] {
        play.story.figure(name, &shown(metrics, key));
    }
    let opportunities =
        cells(items(report, "opportunities")?, &["title", "gross_savings", "estimated_investment", "start_year"]);
    play.story.table(&["Opportunity", "Gross a year", "Investment", "Year"], &opportunities);
    let matched: Vec<Value> = items(report, "benchmarks")?
        .iter()
        .filter(|row| row.get("median").is_some_and(|it| !it.is_null()))
        .cloned()
        .collect();
    let gaps = cells(&matched, &["metric", "value", "median", "classification"]);
    play.story.table(&["Benchmark", "Client", "Median", "Class"], &gaps);
    Ok(())
}

fn cells(rows: &[Value], keys: &[&str]) -> Vec<Vec<String>> {
    rows.iter().map(|row| keys.iter().map(|key| shown(row, key)).collect()).collect()
}
