use kernel::{CascadeId, CompanyId, domain_event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CompanyDetails;

/// What happened to a company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum CompanyEvent {
    Created {
        id: CompanyId,
        #[serde(flatten)]
        details: CompanyDetails,
    },
    /// The details as they are from now on.
    DetailsChanged(CompanyDetails),
    Deleted {
        cascade: CascadeId,
    },
    /// What that cascade took along comes back with it.
    Restored {
        cascade: CascadeId,
    },
}

domain_event!(CompanyEvent:
    Created => "company.created",
    DetailsChanged => "company.details_changed",
    Deleted => "company.deleted",
    Restored => "company.restored",
);
