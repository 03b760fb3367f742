//! Opportunity templates.

use actix_web::{HttpResponse, get};
use engagement::business_case::OpportunityTemplate;
use engagement_projections::{
    ItemTable,
    opportunity_template_list::{self, OpportunityTemplateList},
};
use runtime::page::Condition;

use super::{of_place, place, switched};
use crate::{
    http::{call::Call, params::Params, permission::Permission, problem::Problem},
    imports::codes::Place,
};

/// Opportunity templates, by code.
#[utoipa::path(tag = "library", params(("vertical" = Option<String>, Query, description = "id or code"),
        ("lever" = Option<String>, Query), ("is_active" = Option<bool>, Query), ("search" = Option<String>, Query)),
    responses((status = 200, body = [OpportunityTemplate]), (status = 401), (status = 403)))]
#[get("/api/opportunity-templates/")]
pub(super) async fn list_templates(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::LibraryRead)?;
    let order = opportunity_template_list::ORDER;
    let list =
        params.list(OpportunityTemplateList::NAME, order, &[("code", "code", "text"), ("title", "title", "text")])?;
    let mut conditions = switched(&call, &params)?;
    conditions.extend(of_place("vertical_id", place(&call, &params, "vertical", Place::Vertical).await?));
    conditions.extend(params.text("lever").map(|text| Condition::TextIgnoringCase("lever", text.to_owned())));
    conditions.extend(params.text("search").map(|text| Condition::Contains("title", text.to_owned())));
    call.list(OpportunityTemplateList::NAME, &params, list, conditions).await
}
