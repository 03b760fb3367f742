//! What has been done for a client (E17): over the people and the missions alike.

use actix_web::{HttpResponse, get, web};
use engagement_projections::client_history::{self, ClientHistory};
use identity_projections::client_list::{self, ClientList};
use kernel::UserId;
use runtime::{ResourceTable, page};

use crate::http::{call::Call, permission::Permission, problem::Problem};

/// A client's assessments, costings and proposals, and what they come to, as far as the caller sees them. Each part shows
/// its newest 100; the lists of each kind take `client` and go on page by page.
#[utoipa::path(tag = "clients", params(("user_id" = UserId, Path)),
    responses((status = 200, body = ClientHistory), (status = 401), (status = 404)))]
#[get("/api/clients/{user_id}/history/")]
pub(super) async fn get_client_history(call: Call, user_id: web::Path<UserId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::ClientHistoryRead)?;
    let mut position = call.settled(ClientList::NAME).await?;
    for source in client_history::SOURCES {
        position = position.min(call.settled(source).await?);
    }
    let pool = &call.tenant().pool;
    let client = page::one(pool, ClientList::NAME, user_id.get(), &client_list::visible_to(call.actor(), true)).await?;
    let history = client_history::of(pool, call.actor(), *user_id).await?;
    // Who manages an assessment without being paired with the client is assigned all the same.
    if client.is_none() && history.assessments.total == 0 {
        return Err(Problem::not_found());
    }
    Ok(HttpResponse::Ok().insert_header(("DDC-Position", position.to_string())).json(history))
}
