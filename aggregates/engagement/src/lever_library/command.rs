use kernel::{Code, OpportunityTemplateId, Text};
use rust_decimal::Decimal;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    business_case::{Complexity, Lever},
    questionnaire::{Question, VerticalRef},
};

/// What can be asked of the lever library.
#[derive(Debug, Clone, PartialEq)]
pub enum LeverLibraryCommand {
    /// `verticals` are those that items may name, `questions` the active ones of the bank, which conditions may refer
    /// to; of `ids` as many as there are items suffice.
    ImportTemplates {
        items: Vec<TemplateItem>,
        ids: Vec<OpportunityTemplateId>,
        verticals: Vec<VerticalRef>,
        questions: Vec<Question>,
    },
}

/// One template of an import file (spec 12.7): by code, never by id.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateItem {
    pub code: Code,
    pub vertical_code: Code,
    pub lever: Lever,
    pub title: Text<1, 200>,
    #[serde(default)]
    pub description: Option<Text<1, 4000>>,
    /// Shares, 0 to 100, two decimals.
    #[serde(default)]
    pub addressable_effort_percent: Decimal,
    #[serde(default)]
    pub automation_percent: Decimal,
    #[serde(default)]
    pub realization_percent: Decimal,
    #[serde(default)]
    pub error_reduction_percent: Decimal,
    /// Amounts, two decimals; benefit and run cost are a year's.
    #[serde(default)]
    pub other_annual_benefit: Decimal,
    #[serde(default)]
    pub estimated_investment: Decimal,
    #[serde(default)]
    pub annual_run_cost: Decimal,
    pub complexity: Complexity,
    /// 1 to 3; absent leaves it to the priority score.
    #[serde(default)]
    pub start_year: Option<u8>,
    /// A formula that is true where the template applies; absent: always.
    #[serde(default)]
    pub applies_when: Option<Text<1, 2000>>,
    #[serde(default = "yes")]
    pub is_active: bool,
}

const fn yes() -> bool {
    true
}
