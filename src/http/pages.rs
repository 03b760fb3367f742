//! Pages that have been read. As long as their read model stands where it stood, they are answered again: the database is
//! asked just that, and neither finds their rows nor sends them.

use std::time::Duration;

use actix_web::web::Bytes;
use runtime::page::{List, Stand};

use super::params::Params;

/// All of them together hold no more than this (bytes).
const ROOM: u64 = 16 << 20;
/// A page is not kept for longer: what was erased is gone from here too.
const LIFETIME: Duration = Duration::from_secs(60);

/// Cheap to clone.
#[derive(Clone)]
pub struct Pages(moka::sync::Cache<String, Kept>);

/// A page as it was answered.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) stand: Stand,
    pub(super) body: Bytes,
}

impl Default for Pages {
    fn default() -> Self {
        let weight = |key: &String, kept: &Kept| u32::try_from(key.len() + kept.body.len()).unwrap_or(u32::MAX);
        Self(moka::sync::Cache::builder().max_capacity(ROOM).weigher(weight).time_to_live(LIFETIME).build())
    }
}

impl Pages {
    /// What a page is found by: all that is asked of the database, and all that its links are made of. Two questions that
    /// differ in anything, such as the table in which a client sees less, have two keys.
    pub(super) fn key(params: &Params, query: &str, list: &List) -> String {
        format!("{}?{query} {list:?}", params.path())
    }

    pub(super) fn get(&self, key: &str) -> Option<Kept> {
        self.0.get(key)
    }

    pub(super) fn keep(&self, key: String, kept: Kept) {
        self.0.insert(key, kept);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{FromRequest, test::TestRequest};
    use runtime::page::Order;

    use super::*;

    #[test]
    fn what_differs_in_its_table_alone_is_another_page() {
        let request = TestRequest::with_uri("/api/solution_costing/").to_http_request();
        let params = Params::extract(&request).into_inner().unwrap();
        let key = |table| Pages::key(&params, "", &params.list(table, Order::NEWEST, &[]).unwrap());
        assert_ne!(key("costings"), key("costings_for_clients"));
    }
}
