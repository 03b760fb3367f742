//! When a client gets another reviewer or other consultants, then its assessments are told, because who works for the
//! client decides who sees them (spec 8.5). They pass it on to what came of them: see
//! [`super::assessment_team_changed_reaches_what_came_of_it`].
//!
//! The read model of the assessments tells which to ask, once it has reached the change. None slips through: an
//! assessment that is created meanwhile depends on the version of its client.

use std::collections::BTreeSet;

use async_trait::async_trait;
use engagement::assessment::{Assessment, AssessmentCommand, Pairing};
use engagement_projections::assessment_list::{self, AssessmentList};
use identity::client::Client;
use runtime::{Recorded, ResourceTable};

use super::{Reaction, ReactionError, shown};
use crate::{
    app::App,
    journal::{ExecuteError, Issuer},
};

pub(super) struct ClientTeamChangedReachesItsAssessments;

#[async_trait(?Send)]
impl Reaction for ClientTeamChangedReachesItsAssessments {
    fn name(&self) -> &'static str {
        "client_team_changed_reaches_its_assessments"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["client"]
    }

    async fn react(&self, app: &App, event: &Recorded) -> Result<(), ReactionError> {
        let concerns = matches!(event.event_type.as_str(), "client.reviewer_assigned" | "client.consultants_assigned");
        let Some(client) = event.number().filter(|_| concerns) else { return Ok(()) };
        let tenant = &app.tenant;
        shown(app, AssessmentList::NAME, event).await?;
        let user = tenant.journal.read::<Client, _>(client, |client, _| client.user()).await?;
        let Some(user) = user else { return Ok(()) };
        let assessments = assessment_list::of_client(&tenant.pool, user).await.map_err(ExecuteError::from)?;
        for assessment in assessments {
            tell(app, event, client, assessment).await?;
        }
        Ok(())
    }
}

/// The team as it is by now, not as it was at the event, and must still be at the commit: the last telling leaves the
/// truth.
async fn tell(app: &App, event: &Recorded, client: i64, assessment: i64) -> Result<(), ExecuteError> {
    let issuer = Issuer::reaction("assessment.record_participants", event.position, &event.metadata);
    let told = app.tenant.journal.execute::<_, ExecuteError>(&issuer, async |unit| {
        let team = |client: &Client| {
            let pairs: BTreeSet<Pairing> = client
                .pairs()
                .iter()
                .map(|pair| Pairing { vertical: pair.vertical_id, consultant: pair.consultant_id })
                .collect();
            (client.reviewer(), pairs)
        };
        let (reviewer, pairs) = unit.depend::<Client, _>(client, |client, _| team(client)).await?;
        unit.decide::<Assessment, _>(assessment, AssessmentCommand::RecordParticipants { reviewer, pairs }).await
    });
    told.await.map(drop)
}
