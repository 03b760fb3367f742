use std::borrow::Cow;

use kernel::{Kind, OpportunityId, ProposalId, Refusal, SolutionCostingId};
use serde_json::{Map, Value, json};

use super::CostingStatus;
use crate::pricing;

/// Which rule of a costing a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostingRefusal {
    #[error("there is no such costing")]
    NotFound,
    #[error("the costing exists already")]
    AlreadyExists,
    #[error("this may not be done by you")]
    Forbidden,
    #[error("who submitted or last edited a costing cannot approve it")]
    OwnCosting,
    #[error("a costing that is {} allows no {command}", from.as_str())]
    InvalidTransition { from: CostingStatus, command: &'static str },
    #[error("the assessment is not completed, or is in rework")]
    AssessmentNotReady,
    #[error("a costing serves at least one opportunity, at most 200, each once")]
    BadOpportunities,
    #[error("there is no opportunity {0}")]
    UnknownOpportunity(OpportunityId),
    #[error("the opportunities are of different assessments")]
    DifferentAssessments,
    #[error("opportunity {opportunity} is in costing {costing} already")]
    AlreadyCosted { opportunity: OpportunityId, costing: SolutionCostingId },
    #[error("the rate card is not in force")]
    RateCardNotActive { field: &'static str },
    #[error("the rate card is for another client, assessment, region or currency")]
    RateCardNotUsable { field: &'static str },
    #[error("only an approved costing of the same assessment can be superseded")]
    NotSupersedable,
    #[error("the opportunity is not one of this costing's")]
    ForeignOpportunity,
    #[error("{0} is not active")]
    InactiveReference(&'static str),
    #[error("there is no such line item")]
    NoSuchLineItem,
    #[error("the line item exists already")]
    LineItemExists,
    #[error("a line of this kind has no {0}")]
    NotOfThisKind(&'static str),
    #[error("a costing has at most 500 line items")]
    TooManyLineItems,
    #[error("a costing without line items cannot be submitted")]
    NoLineItems,
    #[error("a costing that comes to nothing cannot be submitted")]
    NothingToPay,
    #[error("the costing is not approved")]
    NotApproved,
    #[error("the costing has a proposal already")]
    AlreadyProposed { proposal: ProposalId },
    #[error("its project is in progress")]
    ActiveProject,
    #[error("{field} is out of range")]
    ValueOutOfRange { field: Cow<'static, str> },
}

impl From<pricing::OutOfRange> for CostingRefusal {
    fn from(pricing::OutOfRange { field }: pricing::OutOfRange) -> Self {
        Self::ValueOutOfRange { field }
    }
}

impl From<pricing::NotOfThisKind> for CostingRefusal {
    fn from(pricing::NotOfThisKind(field): pricing::NotOfThisKind) -> Self {
        Self::NotOfThisKind(field)
    }
}

impl Refusal for CostingRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::NoSuchLineItem => Kind::NotFound,
            Self::Forbidden | Self::OwnCosting => Kind::Forbidden,
            Self::AlreadyExists
            | Self::LineItemExists
            | Self::InvalidTransition { .. }
            | Self::AssessmentNotReady
            | Self::AlreadyCosted { .. }
            | Self::AlreadyProposed { .. }
            | Self::ActiveProject => Kind::Conflict,
            _ => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::NoSuchLineItem => "NOT_FOUND",
            Self::AlreadyExists | Self::LineItemExists => "ALREADY_EXISTS",
            Self::Forbidden | Self::OwnCosting => "FORBIDDEN",
            Self::InvalidTransition { .. } => "INVALID_TRANSITION",
            Self::AssessmentNotReady => "ASSESSMENT_NOT_READY",
            Self::BadOpportunities => "BAD_OPPORTUNITIES",
            Self::UnknownOpportunity(_) => "UNKNOWN_REFERENCE",
            Self::DifferentAssessments => "DIFFERENT_ASSESSMENTS",
            Self::AlreadyCosted { .. } => "OPPORTUNITY_ALREADY_COSTED",
            Self::RateCardNotActive { .. } => "RATE_CARD_NOT_ACTIVE",
            Self::RateCardNotUsable { .. } => "RATE_CARD_NOT_USABLE",
            Self::NotSupersedable => "NOT_SUPERSEDABLE",
            Self::ForeignOpportunity => "FOREIGN_OPPORTUNITY",
            Self::InactiveReference(_) => "INACTIVE_REFERENCE",
            Self::NotOfThisKind(_) => "NOT_OF_THIS_KIND",
            Self::TooManyLineItems => "TOO_MANY_LINE_ITEMS",
            Self::NoLineItems => "NO_LINE_ITEMS",
            Self::NothingToPay => "NOTHING_TO_PAY",
            Self::NotApproved => "COSTING_NOT_APPROVED",
            Self::AlreadyProposed { .. } => "COSTING_ALREADY_PROPOSED",
            Self::ActiveProject => "ACTIVE_PROJECT",
            Self::ValueOutOfRange { .. } => "VALUE_OUT_OF_RANGE",
        }
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        let field = match self {
            Self::BadOpportunities
            | Self::UnknownOpportunity(_)
            | Self::DifferentAssessments
            | Self::AlreadyCosted { .. } => "assessment_opportunities",
            Self::RateCardNotActive { field }
            | Self::RateCardNotUsable { field }
            | Self::InactiveReference(field)
            | Self::NotOfThisKind(field) => field,
            Self::NotSupersedable => "supersedes_id",
            Self::ForeignOpportunity => "opportunity_id",
            Self::NoLineItems | Self::TooManyLineItems => "line_items",
            Self::NothingToPay => "total_cost",
            Self::NotApproved => "solution_costing_id",
            Self::ValueOutOfRange { field } => return Some(field.clone()),
            _ => return None,
        };
        Some(Cow::Borrowed(field))
    }

    fn members(&self) -> Map<String, Value> {
        let members = match self {
            Self::InvalidTransition { from, command } => {
                json!({"from": from.as_str(), "command": command, "allowed": from.allowed()})
            }
            Self::AlreadyCosted { opportunity, costing } => {
                json!({"opportunity_id": opportunity, "solution_costing_id": costing})
            }
            Self::AlreadyProposed { proposal } => json!({"proposal_id": proposal}),
            _ => Value::Null,
        };
        if let Value::Object(members) = members { members } else { Map::new() }
    }
}
