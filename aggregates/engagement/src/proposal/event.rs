use chrono::{DateTime, NaiveDate, Utc};
use kernel::{AssessmentId, CurrencyId, ProjectId, SolutionCostingId, Text, UserId, domain_event};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ProposalContent;
use crate::participants::Participants;

/// What happened to a proposal. `by` is absent where the system acted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ProposalEvent {
    Created {
        solution_costing_id: SolutionCostingId,
        assessment_id: AssessmentId,
        content: ProposalContent,
        /// The costing's total at that moment; an approved costing does not change.
        total_value: Decimal,
        currency: CurrencyId,
        participants: Participants,
        by: Option<UserId>,
    },
    /// The content as it is from now on.
    Edited(ProposalContent),
    Submitted {
        by: Option<UserId>,
        at: DateTime<Utc>,
        /// The last day on which it can be approved.
        valid_until: NaiveDate,
    },
    Approved {
        by: Option<UserId>,
        at: DateTime<Utc>,
        /// Not the client himself signed.
        on_behalf: bool,
        comment: Option<Text<1, 4000>>,
        project_id: ProjectId,
    },
    Rejected {
        by: Option<UserId>,
        at: DateTime<Utc>,
        on_behalf: bool,
        reason: Text<1, 4000>,
    },
    Expired {
        valid_until: NaiveDate,
    },
    Withdrawn {
        by: Option<UserId>,
        at: DateTime<Utc>,
        reason: Text<1, 4000>,
    },
    /// A DRAFT again, with this revision.
    Revised {
        revision: u32,
    },
    ParticipantsChanged(Participants),
    Deleted {
        cascade_id: Option<String>,
    },
    Restored,
}

domain_event!(ProposalEvent:
    Created => "proposal.created",
    Edited => "proposal.edited",
    Submitted => "proposal.submitted",
    Approved => "proposal.approved",
    Rejected => "proposal.rejected",
    Expired => "proposal.expired",
    Withdrawn => "proposal.withdrawn",
    Revised => "proposal.revised",
    ParticipantsChanged => "proposal.participants_changed",
    Deleted => "proposal.deleted",
    Restored => "proposal.restored",
);
