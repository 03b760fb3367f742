//! What everything else refers to: regions, currencies, roles, industries, verticals and solution components.
//!
//! All are look-ups with one life (created, changed, used, deleted, restored), so there is one aggregate, [`Lookup`],
//! generic over the kind; what a kind holds and which of its values are accepted stands in `kinds/`.

pub mod built_in;
pub mod kinds;
pub mod lookup;

pub use kernel::BadText;
pub use kinds::{
    ConsultantRoleKind, CurrencyKind, IndustryTypeKind, LookupKind, OperationsRoleKind, RegionKind,
    SolutionComponentKind, VerticalKind,
};
pub use lookup::{Lookup, LookupCommand, LookupEvent, LookupRefusal, LookupView};

pub type Region = Lookup<RegionKind>;
pub type Currency = Lookup<CurrencyKind>;
pub type OperationsRole = Lookup<OperationsRoleKind>;
pub type ConsultantRole = Lookup<ConsultantRoleKind>;
pub type IndustryType = Lookup<IndustryTypeKind>;
pub type Vertical = Lookup<VerticalKind>;
pub type SolutionComponent = Lookup<SolutionComponentKind>;

pub type RegionView = LookupView<kinds::RegionDetails>;
pub type CurrencyView = LookupView<kinds::CurrencyDetails>;
pub type OperationsRoleView = LookupView<kinds::OperationsRoleDetails>;
pub type ConsultantRoleView = LookupView<kinds::ConsultantRoleDetails>;
pub type IndustryTypeView = LookupView<kinds::IndustryTypeDetails>;
pub type VerticalView = LookupView<kinds::VerticalDetails>;
pub type SolutionComponentView = LookupView<kinds::SolutionComponentDetails>;
