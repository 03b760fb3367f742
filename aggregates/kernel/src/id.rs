//! The ids of all contexts, so that one context can name another's things without importing it.

use std::{fmt, num::NonZeroI64, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text that is no positive whole number below 2^63.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a positive whole number")]
pub struct NotAnId;

/// What every id has in common.
pub trait Id: Copy + TryFrom<i64> + Into<i64> + Send + Sync + 'static {
    /// The kind's name, under which ids are handed out.
    const KIND: &'static str;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "i64", into = "i64")]
        #[schemars(with = "u64")]
        pub struct $name(NonZeroI64);

        impl $name {
            /// The number as the database and JSON carry it.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0.get()
            }
        }

        impl Id for $name {
            const KIND: &'static str = stringify!($name);
        }

        impl TryFrom<i64> for $name {
            type Error = NotAnId;

            fn try_from(number: i64) -> Result<Self, NotAnId> {
                NonZeroI64::new(number).filter(|n| n.is_positive()).map(Self).ok_or(NotAnId)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.get()
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.parse::<i64>().map_err(|_| NotAnId)?.try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::Integer)
                    .minimum(Some(1))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

ids! {
    /// A user, staff or client contact. The `client` of a payload is a `UserId` too.
    UserId
    /// The profile around a CLIENT user; never used to name a client in a payload.
    ClientId
    CompanyId
    RegionId
    CurrencyId
    OperationsRoleId
    ConsultantRoleId
    IndustryTypeId
    VerticalId
    QuestionId
    ValidationRuleId
    BenchmarkId
    OpportunityTemplateId
    AssessmentId
    CommentId
    /// An opportunity inside an assessment, unique over all assessments.
    OpportunityId
    ReportId
    RunId
    RateCardId
    SolutionRateCardId
    SolutionComponentId
    SolutionCostingId
    LineItemId
    ProposalId
    ProjectId
    MilestoneId
    ExpenseId
    ProjectOpportunityId
    NotificationId
}

/// A client has its login's number, so that whoever knows one (a payload names the login) finds the other without
/// asking a read model.
impl From<UserId> for ClientId {
    fn from(user: UserId) -> Self {
        Self(user.0)
    }
}
