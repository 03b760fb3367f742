//! The firm's missions, from the diagnosis to the delivery, over HTTP.

mod assessments;
mod costed;
mod costing_facts;
mod costing_steps;
mod line_items;
mod price_facts;
mod project_parts;
mod projects;
mod proposal_steps;
mod proposals;
mod rate_cards;
mod shown;
mod solution_costings;
mod solution_rate_cards;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    rate_cards::routes(config);
    solution_rate_cards::routes(config);
    // Before the costings, whose ids its path would otherwise be taken for.
    line_items::routes(config);
    solution_costings::routes(config);
    costing_steps::routes(config);
    assessments::routes(config);
    proposals::routes(config);
    proposal_steps::routes(config);
    projects::routes(config);
    project_parts::routes(config);
}
