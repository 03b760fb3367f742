//! When the rates of a card are revised, then the drafts that are priced with an older version are told (spec 11.3); so
//! is a costing that becomes a draft again.
//!
//! The read model of the costings tells which to ask, once it has reached the revision. None slips through: a costing
//! that is created or priced anew meanwhile depends on the version of its card. Whether it is outdated, each costing
//! decides itself.

use async_trait::async_trait;
use engagement::{
    rate_card::RateCard,
    solution_costing::{CostingCommand, SolutionCosting},
};
use engagement_projections::solution_costing_list::{self, SolutionCostingList};
use runtime::{Recorded, ResourceTable};

use super::{Reaction, ReactionError, shown};
use crate::{
    app::App,
    journal::{ExecuteError, Issuer},
};

pub(super) struct RateCardRevisedOutdatesItsCostings;

#[async_trait(?Send)]
impl Reaction for RateCardRevisedOutdatesItsCostings {
    fn name(&self) -> &'static str {
        "rate_card_revised_outdates_its_costings"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["rate_card", "solution_costing"]
    }

    async fn react(&self, app: &App, event: &Recorded) -> Result<(), ReactionError> {
        let Some(id) = event.number() else { return Ok(()) };
        let costings = match event.event_type.as_str() {
            "rate_card.revised" => {
                shown(app, SolutionCostingList::NAME, event).await?;
                let drafts = solution_costing_list::drafts_priced_with(&app.tenant.pool, id).await;
                drafts.map_err(ExecuteError::from)?
            }
            "solution_costing.revised" => vec![id],
            _ => return Ok(()),
        };
        for costing in costings {
            outdate(app, event, costing).await?;
        }
        Ok(())
    }
}

async fn outdate(app: &App, event: &Recorded, costing: i64) -> Result<(), ExecuteError> {
    let issuer = Issuer::reaction("solution_costing.outdate_rate_card", event.position, &event.metadata);
    let tell = app.tenant.journal.execute::<_, ExecuteError>(&issuer, async |unit| {
        let card = |costing: &SolutionCosting| costing.known().map(|known| known.with.rate_card.id);
        let Some(card) = unit.read::<SolutionCosting, _>(costing, |costing, _| card(costing)).await? else {
            return Ok(());
        };
        let version = |card: &RateCard| card.known().map(|card| card.version);
        let Some(version) = unit.depend::<RateCard, _>(card, |card, _| version(card)).await? else { return Ok(()) };
        unit.decide::<SolutionCosting, _>(costing, CostingCommand::OutdateRateCard { version }).await
    });
    tell.await.map(|_| ())
}
