//! The log of mails, for ADMINs.

use actix_web::{HttpResponse, get};
use runtime::page::{Condition, Order, Shown};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{call::Call, params::Params, permission::Permission, problem::Problem};
use crate::fanout;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_emails);
}

/// Mails that were sent or given up, newest first; those on their way are not listed.
#[utoipa::path(tag = "notifications",
    params(("status" = Option<String>, Query), ("kind" = Option<String>, Query), ("user" = Option<i64>, Query)),
    responses((status = 200), (status = 401), (status = 403)))]
#[get("/api/emails/logs/")]
async fn list_emails(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::EmailLogRead)?;
    let list = params.log("email_log_list", Order::NEWEST, &[])?;
    let mut conditions = Vec::new();
    for column in ["status", "kind"] {
        conditions.extend(params.text(column).map(|text| Condition::Text(column, text.to_uppercase())));
    }
    conditions.extend(params.get("user")?.map(|user| Condition::Number("recipient", user)));
    conditions.extend(params.text("search").map(|text| Condition::Contains("to_email", text.to_owned())));
    let position = fanout::position(&call.tenant().pool, fanout::EMAILS).await?;
    call.page_of(&params, list, conditions, Shown::now(position)).await
}
