//! The engagement context.

pub mod analysis;
pub mod assessment;
mod assessment_parts;
mod assessment_rules;
pub mod benchmark;
pub mod benchmark_set;
pub mod birth;
pub mod business_case;
pub mod earned_value;
pub mod lever_library;
pub mod participants;
pub mod pricing;
pub mod project;
pub mod proposal;
pub mod question_bank;
pub mod questionnaire;
pub mod rate_card;
pub mod report;
pub mod solution_costing;
pub mod solution_rate_card;
