//! What can be asked about who there is.

pub mod client_list;
pub mod company_list;
pub mod user_list;

use std::sync::Arc;

use runtime::{Projection, ResourceProjection};

/// All read models of this context.
#[must_use]
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(ResourceProjection::<company_list::CompanyList>::default()),
        Arc::new(ResourceProjection::<user_list::UserList>::default()),
        Arc::new(ResourceProjection::<client_list::ClientList>::default()),
    ]
}
