//! When a costing that supersedes another is approved, then the other is put away (spec 14.2), and holds the
//! opportunities no longer. One that was proposed stays: ADMIN sees to its proposal first.

use async_trait::async_trait;
use engagement::{
    assessment::{Assessment, AssessmentCommand},
    solution_costing::{CostingCommand, SolutionCosting},
};
use runtime::Recorded;

use super::{Reaction, ReactionError};
use crate::{
    app::App,
    journal::{ExecuteError, Issuer},
};

pub(super) struct CostingApprovedArchivesTheSuperseded;

#[async_trait(?Send)]
impl Reaction for CostingApprovedArchivesTheSuperseded {
    fn name(&self) -> &'static str {
        "costing_approved_archives_the_superseded"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["solution_costing"]
    }

    async fn react(&self, app: &App, event: &Recorded) -> Result<(), ReactionError> {
        let Some(id) = event.number().filter(|_| event.event_type == "solution_costing.approved") else {
            return Ok(());
        };
        let issuer = Issuer::reaction("solution_costing.archive", event.position, &event.metadata);
        let archived = app.tenant.journal.execute::<_, ExecuteError>(&issuer, async |unit| {
            let superseded = |costing: &SolutionCosting| {
                costing.known().and_then(|known| Some((known.supersedes_id?, known.assessment_id)))
            };
            let found = unit.read::<SolutionCosting, _>(id, |costing, _| superseded(costing)).await?;
            let Some((old, assessment)) = found else { return Ok(()) };
            unit.decide::<SolutionCosting, _>(old, CostingCommand::Archive).await?;
            unit.decide::<Assessment, _>(assessment, AssessmentCommand::ReleaseOpportunities { costing: old }).await
        });
        match archived.await {
            Ok(_) => Ok(()),
            Err(ExecuteError::Refused(refused)) => {
                tracing::info!(costing = id, %refused, "the superseded costing stays");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
