//! What can be asked about what everything else refers to.

pub mod lookup_list;

use std::sync::Arc;

use reference::{
    ConsultantRoleKind, CurrencyKind, IndustryTypeKind, OperationsRoleKind, RegionKind, SolutionComponentKind,
    VerticalKind,
};
use runtime::{Projection, ResourceProjection};

use lookup_list::{Listed, LookupList};

fn list<K: Listed>() -> Arc<dyn Projection> {
    Arc::new(ResourceProjection::<LookupList<K>>::default())
}

/// All read models of this context.
#[must_use]
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![
        list::<RegionKind>(),
        list::<CurrencyKind>(),
        list::<OperationsRoleKind>(),
        list::<ConsultantRoleKind>(),
        list::<IndustryTypeKind>(),
        list::<VerticalKind>(),
        list::<SolutionComponentKind>(),
    ]
}
