//! Which assessment is an opportunity of? Asked when a costing is created: its payload names opportunities alone.
//!
//! What it answers is only where to look; whether the opportunity is there, the assessment itself says.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engagement::assessment::AssessmentEvent;
use kernel::OpportunityId;
use runtime::{ApplyError, Codec, Projection, Recorded};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};

pub struct OpportunityPlace;

/// The projection's name, and its table's.
pub const NAME: &str = "opportunity_place";

#[derive(Serialize)]
struct Row {
    id: i64,
    assessment_id: i64,
}

/// The opportunities that an event brings.
fn found(event: AssessmentEvent) -> Vec<OpportunityId> {
    match event {
        AssessmentEvent::AnalysisCompleted { report, .. } => {
            report.opportunities.iter().map(|opportunity| opportunity.id).collect()
        }
        AssessmentEvent::OpportunityAdded { opportunity, .. } => vec![opportunity.id],
        _ => Vec::new(),
    }
}

#[async_trait]
impl Projection for OpportunityPlace {
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
        format!("CREATE TABLE {NAME} (id bigint PRIMARY KEY, assessment_id bigint NOT NULL)")
    }

    fn indexes(&self) -> String {
        String::new()
    }

    async fn apply(&self, tx: &mut PgConnection, codec: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
        let mut places = BTreeMap::new();
        for recorded in events {
            let brings = matches!(
                recorded.event_type.as_str(),
                "assessment.analysis_completed" | "assessment.opportunity_added"
            );
            let Some(assessment_id) = recorded.number().filter(|_| brings) else { continue };
            let event = codec.event(recorded).await.map_err(|error| ApplyError::event(recorded, &error))?;
            places.extend(found(event).into_iter().map(|id| (id.get(), assessment_id)));
        }
        let rows: Vec<Row> = places.into_iter().map(|(id, assessment_id)| Row { id, assessment_id }).collect();
        runtime::write(tx, NAME, &rows).await
    }
}

/// The assessments of the opportunities, each once; none for those that are not known.
///
/// # Errors
/// When the database fails.
pub async fn assessments_of(pool: &PgPool, opportunities: &[OpportunityId]) -> Result<Vec<i64>, sqlx::Error> {
    let ids: Vec<i64> = opportunities.iter().map(|id| id.get()).collect();
    sqlx::query_scalar(&format!("SELECT DISTINCT assessment_id FROM {NAME} WHERE id = ANY($1) ORDER BY 1"))
        .bind(ids)
        .fetch_all(pool)
        .await
}
