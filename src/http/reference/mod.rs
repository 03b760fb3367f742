//! What everything else refers to, over HTTP.

mod lookups;
mod routes;

pub(super) use routes::routes;
