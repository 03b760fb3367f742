//! When other people work on an assessment (its client has another team, it has another manager or other verticals),
//! then the costings, proposals and projects that came of it are told, because who takes part in the assessment decides
//! who sees them (spec 8.5).
//!
//! The read models tell which to ask, once they have reached the change. None slips through: what is made of the
//! assessment meanwhile depends on the version of it.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use engagement::{
    assessment::Assessment,
    participants::Participants,
    project::{Project, ProjectCommand},
    proposal::{Proposal, ProposalCommand},
    solution_costing::{CostingCommand, SolutionCosting},
};
use engagement_projections::{
    project_list::{self, ProjectList},
    proposal_list::{self, ProposalList},
    solution_costing_list::{self, SolutionCostingList},
};
use kernel::{Issued, Refusal};
use runtime::{Recorded, ResourceTable};

use super::{Reaction, ReactionError, shown};
use crate::{
    app::App,
    journal::{ExecuteError, Issuer},
};

/// After these the participants may be others.
const CHANGES: [&str; 4] = [
    "assessment.participants_recorded",
    "assessment.details_updated",
    "assessment.vertical_added",
    "assessment.vertical_removed",
];

pub(super) struct AssessmentTeamChangedReachesWhatCameOfIt;

#[async_trait(?Send)]
impl Reaction for AssessmentTeamChangedReachesWhatCameOfIt {
    fn name(&self) -> &'static str {
        "assessment_team_changed_reaches_what_came_of_it"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["assessment"]
    }

    async fn react(&self, app: &App, event: &Recorded) -> Result<(), ReactionError> {
        let concerns = CHANGES.contains(&event.event_type.as_str());
        let Some(assessment) = event.number().filter(|_| concerns) else { return Ok(()) };
        let tenant = &app.tenant;
        for list in [SolutionCostingList::NAME, ProposalList::NAME, ProjectList::NAME] {
            shown(app, list, event).await?;
        }
        let change = Change { app, event, assessment };
        let costings = solution_costing_list::of_assessment(&tenant.pool, assessment).await;
        for id in costings.map_err(ExecuteError::from)? {
            let name = "solution_costing.record_participants";
            change.tell::<SolutionCosting, _>(id, name, CostingCommand::RecordParticipants).await?;
        }
        let proposals = proposal_list::of_assessment(&tenant.pool, assessment).await;
        for id in proposals.map_err(ExecuteError::from)? {
            let name = "proposal.record_participants";
            change.tell::<Proposal, _>(id, name, ProposalCommand::RecordParticipants).await?;
        }
        let projects = project_list::of_assessment(&tenant.pool, assessment).await;
        for id in projects.map_err(ExecuteError::from)? {
            let name = "project.record_participants";
            change.tell::<Project, _>(id, name, ProjectCommand::RecordParticipants).await?;
        }
        Ok(())
    }
}

struct Change<'a> {
    app: &'a App,
    event: &'a Recorded,
    assessment: i64,
}

impl Change<'_> {
    /// The people as they are by now, not as they were at the event, and must still be at the commit: the last telling
    /// leaves the truth.
    async fn tell<A, C>(
        &self,
        id: i64,
        name: &'static str,
        record: impl Fn(Participants) -> C,
    ) -> Result<(), ExecuteError>
    where
        A: Aggregate<Command = Issued<C>, Services = ()> + 'static,
        A::Error: Refusal,
    {
        let issuer = Issuer::reaction(name, self.event.position, &self.event.metadata);
        let told = self.app.tenant.journal.execute::<_, ExecuteError>(&issuer, async |unit| {
            let people = unit.depend::<Assessment, _>(self.assessment, |it, _| it.participants()).await?;
            let Some(people) = people else { return Ok(()) };
            unit.decide::<A, _>(id, record(people)).await
        });
        told.await.map(drop)
    }
}
