//! Whom an event concerns, and what they are told (spec 18.2).

use std::collections::BTreeSet;

use engagement::{
    assessment::{Assessment, AssessmentEvent, Profile},
    participants::Participants,
    project::{Project, ProjectEvent},
    proposal::{Proposal, ProposalEvent},
    solution_costing::{CostingEvent, SolutionCosting},
};
use kernel::UserId;
use runtime::{ApplyError, Recorded};
use serde::de::DeserializeOwned;

use crate::journal::{ExecuteError, Journal};

/// What is told of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) message: String,
    /// The page in the frontend, from its root.
    pub(super) link: String,
    /// What the thing that it is about is called.
    pub(super) name: String,
    pub(super) people: BTreeSet<UserId>,
    /// All ADMINs are told too.
    pub(super) admins: bool,
}

/// The events that somebody is told of.
const KINDS: &[(&str, &str, &str)] = &[
    ("assessment.created", "ASSESSMENT_CREATED", "A new assessment"),
    ("assessment.answers_submitted", "ANSWERS_SUBMITTED", "The client has answered"),
    ("assessment.analysis_completed", "ANALYSIS_COMPLETED", "The analysis is complete"),
    ("assessment.analysis_failed", "ANALYSIS_FAILED", "The analysis has failed"),
    ("assessment.rework_requested", "REWORK_REQUESTED", "Rework is requested"),
    ("assessment.approved", "ASSESSMENT_APPROVED", "The assessment was approved"),
    ("assessment.locked", "ASSESSMENT_LOCKED", "The assessment is locked"),
    ("assessment.comment_added", "COMMENT_ADDED", "A new comment"),
    ("solution_costing.submitted", "COSTING_SUBMITTED", "A costing waits for your approval"),
    ("solution_costing.approved", "COSTING_APPROVED", "Your costing was approved"),
    ("solution_costing.rejected", "COSTING_REJECTED", "Your costing was rejected"),
    ("proposal.submitted", "PROPOSAL_SUBMITTED", "A proposal waits for your decision"),
    ("proposal.approved", "PROPOSAL_APPROVED", "The proposal was approved"),
    ("proposal.rejected", "PROPOSAL_REJECTED", "The proposal was rejected"),
    ("proposal.expired", "PROPOSAL_EXPIRED", "The proposal has expired"),
    ("project.created", "PROJECT_CREATED", "A project has begun"),
    ("project.stage_changed", "PROJECT_STAGE_CHANGED", "A project has moved on"),
    ("project.budget_threshold_crossed", "BUDGET_THRESHOLD_CROSSED", "A budget is nearly used up"),
];

/// Whether anybody is told of this type of event.
pub(super) fn concerns(event_type: &str) -> bool {
    KINDS.iter().any(|(known, ..)| *known == event_type)
}

/// What is told of an event, and to whom; `None` when nobody is told.
///
/// # Errors
/// When the event or an aggregate cannot be read.
pub(super) async fn of(journal: &Journal, event: &Recorded) -> Result<Option<Notice>, ApplyError> {
    let Some((_, kind, title)) = KINDS.iter().find(|(known, ..)| *known == event.event_type) else { return Ok(None) };
    let about = match event.aggregate_type.as_str() {
        "assessment" => assessment(journal, event).await?,
        "solution_costing" => costing(journal, event).await?,
        "proposal" => proposal(journal, event).await?,
        _ => project(journal, event).await?,
    };
    Ok(about.filter(|about| about.admins || !about.people.is_empty()).map(|about| Notice {
        kind,
        title: (*title).to_owned(),
        message: format!("{title}: {}{}", about.name, about.detail),
        link: format!("/{}/{}", about.page, event.aggregate_id),
        name: about.name,
        people: about.people,
        admins: about.admins,
    }))
}

/// What an event is about, and whom it concerns.
struct About {
    page: &'static str,
    name: String,
    detail: String,
    people: BTreeSet<UserId>,
    admins: bool,
}

async fn assessment(journal: &Journal, recorded: &Recorded) -> Result<Option<About>, ApplyError> {
    let event: AssessmentEvent = decode(journal, recorded).await?;
    let facts = |profile: &Profile| (profile.details.name.to_string(), profile.participants());
    let look = |assessment: &Assessment| assessment.header().known().map(facts);
    let known = journal.read::<Assessment, _>(&recorded.aggregate_id, |assessment, _| look(assessment)).await;
    let Some((name, all)) = known.map_err(|error| unread(recorded, &error))? else { return Ok(None) };
    let Participants { client, reviewer, managed_by, .. } = all.clone();
    let admins = matches!(event, AssessmentEvent::AnalysisFailed { .. });
    let people: BTreeSet<UserId> = match event {
        AssessmentEvent::Created(_) => [client, managed_by].into_iter().chain(reviewer).collect(),
        AssessmentEvent::AnswersSubmitted { by, .. } if by == Some(client) => BTreeSet::from([managed_by]),
        AssessmentEvent::AnalysisCompleted { .. } => [managed_by].into_iter().chain(reviewer).collect(),
        AssessmentEvent::AnalysisFailed { .. } => BTreeSet::from([managed_by]),
        AssessmentEvent::ReworkRequested { .. } | AssessmentEvent::Approved(_) | AssessmentEvent::Locked { .. } => {
            BTreeSet::from([managed_by, client])
        }
        AssessmentEvent::CommentAdded(comment) => {
            let mut others: BTreeSet<UserId> = [client, managed_by].into_iter().chain(reviewer).collect();
            others.extend(all.consultants);
            others.into_iter().filter(|user| Some(*user) != comment.author).collect()
        }
        _ => BTreeSet::new(),
    };
    Ok(Some(About { page: "assessments", name, detail: String::new(), people, admins }))
}

async fn costing(journal: &Journal, recorded: &Recorded) -> Result<Option<About>, ApplyError> {
    let event: CostingEvent = decode(journal, recorded).await?;
    let look = |costing: &SolutionCosting| {
        costing
            .known()
            .map(|known| (known.parameters.name.to_string(), known.participants.reviewer, known.submitted_by))
    };
    let known = journal.read::<SolutionCosting, _>(&recorded.aggregate_id, |costing, _| look(costing)).await;
    let Some((name, reviewer, submitter)) = known.map_err(|error| unread(recorded, &error))? else { return Ok(None) };
    let person = if matches!(event, CostingEvent::Submitted { .. }) { reviewer } else { submitter };
    let people = person.into_iter().collect();
    Ok(Some(About { page: "solution-costings", name, detail: String::new(), people, admins: false }))
}

async fn proposal(journal: &Journal, recorded: &Recorded) -> Result<Option<About>, ApplyError> {
    let event: ProposalEvent = decode(journal, recorded).await?;
    let look = |proposal: &Proposal| {
        proposal.known().map(|known| (known.content.title.to_string(), known.participants.clone(), known.created_by))
    };
    let known = journal.read::<Proposal, _>(&recorded.aggregate_id, |proposal, _| look(proposal)).await;
    let Some((name, all, creator)) = known.map_err(|error| unread(recorded, &error))? else { return Ok(None) };
    let sent = matches!(event, ProposalEvent::Submitted { .. });
    let people = if sent { BTreeSet::from([all.client]) } else { creator.into_iter().chain(all.reviewer).collect() };
    Ok(Some(About { page: "proposals", name, detail: String::new(), people, admins: !sent }))
}

async fn project(journal: &Journal, recorded: &Recorded) -> Result<Option<About>, ApplyError> {
    let event: ProjectEvent = decode(journal, recorded).await?;
    let look =
        |project: &Project| project.known().map(|known| (known.details.name.to_string(), known.participants.clone()));
    let known = journal.read::<Project, _>(&recorded.aggregate_id, |project, _| look(project)).await;
    let Some((name, all)) = known.map_err(|error| unread(recorded, &error))? else { return Ok(None) };
    let detail = match event {
        ProjectEvent::StageChanged { from, to, .. } => format!(" ({} to {})", from.as_str(), to.as_str()),
        ProjectEvent::BudgetThresholdCrossed { percent, .. } => format!(" ({percent} percent spent)"),
        _ => String::new(),
    };
    // The project's manager is known by name only (`pm_name`), so the consultant stands for him.
    let people = BTreeSet::from([all.client, all.managed_by]);
    Ok(Some(About { page: "projects", name, detail, people, admins: true }))
}

/// An event in its present form.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn decode<E: DeserializeOwned>(journal: &Journal, recorded: &Recorded) -> Result<E, ApplyError> {
    journal.codec().event(recorded).await.map_err(|error| ApplyError::event(recorded, &error))
}

/// An aggregate could not be read: the database's fault, or the event's.
pub(super) fn unread(recorded: &Recorded, error: &ExecuteError) -> ApplyError {
    match error {
        ExecuteError::Unavailable(reason) => {
            ApplyError::Database(sqlx::Error::Io(std::io::Error::other(reason.clone())))
        }
        ExecuteError::Newer(reason) => ApplyError::Newer { position: recorded.position, reason: reason.clone() },
        error => ApplyError::Event { position: recorded.position, reason: error.to_string() },
    }
}
