//! Offers whose last day is over expire (spec 15.3).

use anyhow::Result;
use chrono::Utc;
use engagement::proposal::{Proposal, ProposalCommand};
use engagement_projections::proposal_list;

use crate::app::App;

pub(super) async fn run(app: &App) -> Result<()> {
    for id in proposal_list::over_before(&app.tenant.pool, Utc::now().date_naive()).await? {
        super::command(app, "proposal.expire", id, async |unit| {
            unit.decide::<Proposal, _>(id, ProposalCommand::Expire).await
        })
        .await?;
    }
    Ok(())
}
