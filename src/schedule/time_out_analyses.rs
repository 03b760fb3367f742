//! Analyses that have been at work for more than 30 minutes have failed (spec 8.3).

use anyhow::Result;
use engagement::assessment::{Assessment, AssessmentCommand};
use engagement_projections::assessment_list;

use crate::app::App;

pub(super) async fn run(app: &App) -> Result<()> {
    for id in assessment_list::running(&app.tenant.pool).await? {
        let current = |assessment: &Assessment| assessment.current_run().map(|run| run.id);
        let run = app.tenant.journal.read::<Assessment, _>(id, |assessment, _| current(assessment)).await?;
        let Some(run) = run else { continue };
        super::command(app, "assessment.time_out_analysis", id, async |unit| {
            unit.decide::<Assessment, _>(id, AssessmentCommand::TimeOutAnalysis { run }).await
        })
        .await?;
    }
    Ok(())
}
