//! What a costing calculates with: rates (spec 11.4, 11.5), line amounts and their roll-up (spec 14.3), and the
//! allocation of what is shared to opportunities. Pure and total: a result that does not fit is [`OutOfRange`].

mod allocation;
mod amount;
mod amounts;
mod book;
mod card;
mod line;
mod line_change;
mod line_view;
mod rate;
mod rollup;
#[cfg(test)]
mod tests;

pub use allocation::{Share, allocate, prorata};
pub use amount::{OutOfRange, is_amount, is_multiplier, is_percentage};
pub use amounts::{Amounts, RoiSummary};
pub use book::PriceBook;
pub use card::{
    CardFacts, CardRole, CardStatus, Complexity, ComponentFacts, RoleFacts, RoleRef, RoleType, SolutionCardFacts,
    SolutionItem, default_complexity_multipliers, location_key,
};
pub use line::{Category, Line, LineAmounts, LineInput, Rate, RateSource, Work};
pub use line_change::{LineChanges, NotOfThisKind};
pub use line_view::{LineItemView, LineKind};
pub use rate::{loaded_annual, loaded_day, resolve_component, resolve_role};
pub use rollup::{
    CategoryCost, ComponentCost, CostBreakdown, CostedOpportunity, OpportunityCost, RoleCost, Terms, Totals, roll_up,
};
