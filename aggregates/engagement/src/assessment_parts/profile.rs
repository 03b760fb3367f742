use chrono::{DateTime, Utc};
use kernel::{Actor, CascadeId, IndustryTypeId, RegionId, Role, Text, UserId, VerticalId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ClientTeam, Signature};
use crate::{business_case::Parameters, participants::Participants, report::SummaryMetrics};

/// Where an assessment stands (spec 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    #[default]
    Draft,
    /// The analysis is at work.
    Running,
    Completed,
    Rework,
    Locked,
}

impl Status {
    pub const ALL: [Self; 5] = [Self::Draft, Self::Running, Self::Completed, Self::Rework, Self::Locked];

    /// The name as JSON carries it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Rework => "REWORK",
            Self::Locked => "LOCKED",
        }
    }
}

/// Where the latest analysis stands; apart from the assessment's own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AnalysisStatus {
    #[default]
    Idle,
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

/// How the answers come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InputMethod {
    #[default]
    Questionnaire,
    Upload,
    Hybrid,
}

/// What people say about an assessment, and can change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Details {
    pub name: Text<1, 200>,
    pub industry_type: Option<IndustryTypeId>,
    pub managed_by: UserId,
    pub client_can_answer: bool,
    pub input_method: InputMethod,
    pub region_id: Option<RegionId>,
    /// Place in the wizard, 1 to `total_steps`.
    pub current_step: u16,
    pub total_steps: u16,
    pub ble_parameters: Parameters,
}

/// An assessment without its questions, answers, comments, opportunities and report: what lists show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub details: Details,
    /// The client's user.
    pub client: UserId,
    pub team: ClientTeam,
    pub vertical_ids: Vec<VerticalId>,
    pub status: Status,
    pub analysis_status: AnalysisStatus,
    /// Of the latest report.
    pub summary_metrics: Option<SummaryMetrics>,
    /// Who signs, in this order.
    pub approval_policy: Vec<Role>,
    pub approvals: Vec<Signature>,
    pub rework_count: u32,
    /// When, and by whom, an analysis was last asked for.
    pub submitted_at: Option<DateTime<Utc>>,
    pub submitted_by: Option<UserId>,
    /// Who asked for the analysis that made the latest report, and therefore cannot sign it.
    pub analysed_by: Option<UserId>,
    pub completed_at: Option<DateTime<Utc>>,
    pub locked_at: Option<DateTime<Utc>>,
    pub created_by: Option<UserId>,
    pub deleted: Option<Deletion>,
}

/// How an assessment was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// All that was deleted together.
    pub cascade: CascadeId,
}

impl Profile {
    /// Whether the row exists for `actor` at all (spec 2, 8.5), were it not deleted.
    #[must_use]
    pub fn can_see(&self, actor: Actor) -> bool {
        self.participants().include(actor)
    }

    /// ADMIN, or the consultant who manages the assessment.
    #[must_use]
    pub fn may_manage(&self, actor: Actor) -> bool {
        actor.is_admin() || (actor.role() == Some(Role::Consultant) && actor.is(self.details.managed_by))
    }

    /// The people of the assessment as they are now.
    #[must_use]
    pub fn participants(&self) -> Participants {
        Participants {
            client: self.client,
            reviewer: self.team.reviewer,
            managed_by: self.details.managed_by,
            consultants: self.team.consultants(&self.vertical_ids),
        }
    }

    /// Whose signatures the assessment needs, in order: the policy's, without the reviewer when the client has none.
    pub fn signers(&self) -> impl Iterator<Item = Role> {
        let has_reviewer = self.team.reviewer.is_some();
        self.approval_policy.iter().copied().filter(move |role| *role != Role::Reviewer || has_reviewer)
    }

    /// Whose signatures are still missing, next one first.
    #[must_use]
    pub fn missing_signers(&self) -> Vec<Role> {
        self.signers().filter(|role| !self.approvals.iter().any(|signature| signature.role == *role)).collect()
    }
}

/// The slim part of an assessment, from which its view is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Header {
    #[default]
    NotYet,
    Known(Box<Profile>),
}

impl Header {
    /// The profile, deleted or not.
    #[must_use]
    pub fn known(&self) -> Option<&Profile> {
        match self {
            Self::NotYet => None,
            Self::Known(profile) => Some(profile),
        }
    }

    /// The profile, unless the assessment is deleted.
    #[must_use]
    pub fn live(&self) -> Option<&Profile> {
        self.known().filter(|profile| profile.deleted.is_none())
    }
}
