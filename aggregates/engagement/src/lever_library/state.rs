use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{OpportunityTemplateId, Resource, Stamp, VerticalId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LeverLibraryEvent;
use crate::business_case::OpportunityTemplate;

/// The lever library as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum LeverLibrary {
    #[default]
    NotYet,
    /// All templates, inactive ones too.
    Filled(BTreeMap<OpportunityTemplateId, OpportunityTemplate>),
}

/// The lever library as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LeverLibraryView {
    pub templates: Vec<OpportunityTemplate>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

impl LeverLibrary {
    pub(super) fn record(&mut self, event: LeverLibraryEvent) {
        let LeverLibraryEvent::TemplatesImported { templates, .. } = event;
        let mut all = match std::mem::take(self) {
            Self::NotYet => BTreeMap::new(),
            Self::Filled(all) => all,
        };
        all.extend(templates.into_iter().map(|template| (template.id, template)));
        *self = Self::Filled(all);
    }

    /// All templates in order of id, inactive ones too.
    pub fn all(&self) -> impl Iterator<Item = &OpportunityTemplate> {
        let all = match self {
            Self::NotYet => None,
            Self::Filled(all) => Some(all.values()),
        };
        all.into_iter().flatten()
    }

    /// The active templates of these verticals, in order of id: what an analysis looks through.
    #[must_use]
    pub fn templates(&self, verticals: &[VerticalId]) -> Vec<OpportunityTemplate> {
        let wanted = |template: &&OpportunityTemplate| template.is_active && verticals.contains(&template.vertical.id);
        self.all().filter(wanted).cloned().collect()
    }
}

impl Resource for LeverLibrary {
    type State = Self;
    type View = LeverLibraryView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: LeverLibraryEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<LeverLibraryView> {
        if *state == Self::NotYet {
            return None;
        }
        Some(LeverLibraryView {
            templates: state.all().cloned().collect(),
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
            version: stamp.version,
        })
    }
}
