//! What did an analysis find? Asked by the assessment's participants, about the latest report or an older one; whether
//! the caller is a participant, the assessment itself says.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use engagement::{
    assessment::AssessmentEvent,
    report::{Report, ReportStatus},
};
use runtime::{ApplyError, Codec, Projection, Recorded, write};
use serde::Serialize;
use sqlx::{PgConnection, PgPool, types::Json};

pub const NAME: &str = "assessment_reports";

pub struct AssessmentReports;

#[derive(Serialize)]
struct Row {
    id: i64,
    assessment_id: i64,
    report_version: u32,
    is_latest: bool,
    body: Box<Report>,
}

impl Row {
    fn new(report: Box<Report>) -> Self {
        Self {
            id: report.id.get(),
            assessment_id: report.assessment_id.get(),
            report_version: report.version,
            is_latest: true,
            body: report,
        }
    }

    fn supersede(&mut self) {
        self.is_latest = false;
        self.body.status = ReportStatus::Superseded;
    }
}

#[async_trait]
impl Projection for AssessmentReports {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        1
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["assessment"]
    }

    fn tables(&self) -> Vec<&'static str> {
        vec![NAME]
    }

    fn schema(&self) -> String {
        "CREATE TABLE assessment_reports (id bigint PRIMARY KEY, assessment_id bigint NOT NULL,
             report_version integer NOT NULL, is_latest boolean NOT NULL, body json NOT NULL)"
            .to_owned()
    }

    fn indexes(&self) -> String {
        "CREATE UNIQUE INDEX ON assessment_reports (assessment_id, report_version)".to_owned()
    }

    async fn apply(&self, tx: &mut PgConnection, codec: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
        let mut news = Vec::new();
        for recorded in events.iter().filter(|recorded| recorded.event_type == "assessment.analysis_completed") {
            let event = codec.event(recorded).await.map_err(|error| ApplyError::event(recorded, &error))?;
            if let AssessmentEvent::AnalysisCompleted { report, .. } = event {
                news.push(report);
            }
        }
        if news.is_empty() {
            return Ok(());
        }
        let assessments: BTreeSet<i64> = news.iter().map(|report| report.assessment_id.get()).collect();
        let latest: Vec<Json<Box<Report>>> =
            sqlx::query_scalar("SELECT body FROM assessment_reports WHERE assessment_id = ANY($1) AND is_latest")
                .bind(assessments.into_iter().collect::<Vec<_>>())
                .fetch_all(&mut *tx)
                .await?;
        let mut rows: BTreeMap<(i64, u32), Row> = BTreeMap::new();
        for report in latest.into_iter().map(|Json(report)| report).chain(news) {
            let new = Row::new(report);
            let older = rows.range_mut((new.assessment_id, 0)..(new.assessment_id, new.report_version));
            older.for_each(|(_, row)| row.supersede());
            rows.insert((new.assessment_id, new.report_version), new);
        }
        write(tx, NAME, &rows.into_values().collect::<Vec<_>>()).await
    }
}

/// The report of that version, else the latest.
///
/// # Errors
/// When the database fails.
pub async fn find(pool: &PgPool, assessment: i64, version: Option<i32>) -> Result<Option<Report>, sqlx::Error> {
    let query =
        "SELECT body FROM assessment_reports WHERE assessment_id = $1 AND coalesce(report_version = $2, is_latest)";
    let found: Option<Json<Report>> =
        sqlx::query_scalar(query).bind(assessment).bind(version).fetch_optional(pool).await?;
    Ok(found.map(|Json(report)| report))
}
