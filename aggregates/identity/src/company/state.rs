use chrono::{DateTime, Utc};
use kernel::{CascadeId, Code, CompanyId, IndustryTypeId, Resource, Stamp, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CompanyEvent;

/// A company as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Company {
    #[default]
    NotYet,
    Known {
        id: CompanyId,
        details: CompanyDetails,
        /// The cascade that deleted it, while it is deleted.
        deleted: Option<CascadeId>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct CompanyDetails {
    pub name: Text<1, 200>,
    pub code: Option<Code>,
    pub industry_id: Option<IndustryTypeId>,
    pub country: Option<Text<1, 100>>,
    pub address: Option<Text<1, 500>>,
    pub website: Option<Text<1, 200>>,
    pub parent_id: Option<CompanyId>,
    pub is_active: bool,
}

/// A company as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CompanyView {
    pub id: i64,
    #[serde(flatten)]
    pub details: CompanyDetails,
    pub is_deleted: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

impl Company {
    pub(super) fn record(&mut self, event: CompanyEvent) {
        match event {
            CompanyEvent::Created { id, details } => *self = Self::Known { id, details, deleted: None },
            CompanyEvent::DetailsChanged(new) => {
                if let Self::Known { details, .. } = self {
                    *details = new;
                }
            }
            CompanyEvent::Deleted { cascade } => self.mark_deleted(Some(cascade)),
            CompanyEvent::Restored { .. } => self.mark_deleted(None),
        }
    }

    fn mark_deleted(&mut self, cascade: Option<CascadeId>) {
        if let Self::Known { deleted, .. } = self {
            *deleted = cascade;
        }
    }

    /// The company's details, if it exists and is not deleted.
    #[must_use]
    pub fn live(&self) -> Option<&CompanyDetails> {
        match self {
            Self::Known { details, deleted: None, .. } => Some(details),
            _ => None,
        }
    }

    /// It exists and is neither deactivated nor deleted: it may be newly referred to.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.live().is_some_and(|details| details.is_active)
    }
}

impl Resource for Company {
    type State = Self;
    type View = CompanyView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: CompanyEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<CompanyView> {
        let Self::Known { details, deleted, .. } = state else { return None };
        Some(CompanyView {
            id: stamp.number(),
            details: details.clone(),
            is_deleted: deleted.is_some(),
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
            version: stamp.version,
        })
    }
}
