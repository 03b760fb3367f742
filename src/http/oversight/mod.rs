//! What happened, by whom, and how the whole work stands, over HTTP.

mod audit_logs;
mod client_history;
mod dashboards;
mod events;
mod http_activities;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(dashboards::dashboard_stats)
        .service(dashboards::dashboard_details)
        .service(audit_logs::export_audit_logs)
        .service(audit_logs::list_audit_logs)
        .service(http_activities::list_http_activities)
        .service(client_history::get_client_history)
        .service(events::list_events);
}
