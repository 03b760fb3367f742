//! What can be asked about the firm's missions, and about the library that they draw on.

pub mod assessment_comments;
pub mod assessment_list;
pub mod assessment_reports;
pub mod benchmark_list;
pub mod client_history;
mod item_table;
pub mod opportunity_place;
pub mod opportunity_template_list;
pub mod project_list;
pub mod proposal_list;
pub mod question_list;
pub mod rate_card_list;
pub mod solution_costing_list;
pub mod solution_rate_card_list;
pub mod validation_rule_list;
mod visibility;

use std::sync::Arc;

use runtime::{Projection, ResourceProjection};

pub use item_table::{ItemProjection, ItemTable};
pub use visibility::{participants, staff};

/// All read models of this context.
#[must_use]
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(ResourceProjection::<proposal_list::ProposalList>::default()),
        Arc::new(ResourceProjection::<project_list::ProjectList>::default()),
        Arc::new(opportunity_place::OpportunityPlace),
        Arc::new(ResourceProjection::<rate_card_list::RateCardList>::default()),
        Arc::new(ResourceProjection::<solution_costing_list::SolutionCostingList>::default()),
        Arc::new(ResourceProjection::<solution_rate_card_list::SolutionRateCardList>::default()),
        Arc::new(ItemProjection::<question_list::QuestionList>::default()),
        Arc::new(ItemProjection::<validation_rule_list::ValidationRuleList>::default()),
        Arc::new(ItemProjection::<opportunity_template_list::OpportunityTemplateList>::default()),
        Arc::new(benchmark_list::BenchmarkList),
        Arc::new(ResourceProjection::<assessment_list::AssessmentList>::default()),
        Arc::new(assessment_comments::AssessmentComments),
        Arc::new(assessment_reports::AssessmentReports),
    ]
}
