use chrono::{DateTime, Utc};
use kernel::{UserId, domain_event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::business_case::OpportunityTemplate;

/// What happened to the lever library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum LeverLibraryEvent {
    TemplatesImported {
        /// The new and the changed ones, as they are from now on.
        templates: Vec<OpportunityTemplate>,
        created: u32,
        updated: u32,
        unchanged: u32,
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
}

domain_event!(LeverLibraryEvent: TemplatesImported => "lever_library.templates_imported");
