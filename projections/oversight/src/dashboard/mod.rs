//! How does the work stand? Asked by everybody, each of the rows that are theirs (spec 17).
//!
//! One projection keeps a row an entity; the figures are computed from those rows when they are asked for, in one
//! statement, so that all of them are true as of one position.

mod details;
mod rows;
mod stats;
mod visibility;

use async_trait::async_trait;
use runtime::{ApplyError, Codec, Projection, Recorded, ResourceProjection};
use serde::Deserialize;
use sqlx::PgConnection;

pub use details::{Details, RecentAssessment, RecentProject, RecentProposal, details};
pub use stats::{Period, Stats, stats};

use rows::{Assessments, Clients, Companies, Costings, Projects, Proposals};

/// The projection's name.
pub const NAME: &str = "dashboard";

/// The projection: [`ResourceProjection`]s that move on together, and the codes of currencies.
#[derive(Default)]
pub struct Dashboard {
    assessments: ResourceProjection<Assessments>,
    costings: ResourceProjection<Costings>,
    proposals: ResourceProjection<Proposals>,
    projects: ResourceProjection<Projects>,
    clients: ResourceProjection<Clients>,
    companies: ResourceProjection<Companies>,
}

impl Dashboard {
    fn parts(&self) -> [&dyn Projection; 6] {
        [&self.assessments, &self.costings, &self.proposals, &self.projects, &self.clients, &self.companies]
    }
}

/// Of a currency's events only the code concerns the dashboard.
#[derive(Deserialize)]
enum CurrencyEvent {
    Created(CurrencyCode),
    DetailsChanged(CurrencyCode),
    #[serde(untagged)]
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct CurrencyCode {
    code: String,
}

#[derive(serde::Serialize)]
struct CurrencyRow {
    id: i64,
    code: String,
}

#[async_trait]
impl Projection for Dashboard {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        1
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["assessment", "solution_costing", "proposal", "project", "client", "company", "currency"]
    }

    fn tables(&self) -> Vec<&'static str> {
        let parts = self.parts();
        parts.iter().flat_map(|part| part.tables()).chain(["dashboard_currencies"]).collect()
    }

    fn schema(&self) -> String {
        let currencies = "CREATE TABLE dashboard_currencies (id bigint PRIMARY KEY, code text NOT NULL)".to_owned();
        self.parts().iter().map(|part| part.schema()).chain([currencies]).collect::<Vec<_>>().join(";")
    }

    fn indexes(&self) -> String {
        self.parts().iter().map(|part| part.indexes()).collect::<Vec<_>>().join(";")
    }

    async fn apply(&self, tx: &mut PgConnection, codec: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
        let of = |kinds: &[&str]| {
            let events = events.iter().filter(|event| kinds.contains(&event.aggregate_type.as_str()));
            events.cloned().collect::<Vec<_>>()
        };
        for part in self.parts() {
            let events = of(part.kinds());
            if !events.is_empty() {
                part.apply(tx, codec, &events).await?;
            }
        }
        currencies(tx, codec, &of(&["currency"])).await
    }
}

async fn currencies(tx: &mut PgConnection, codec: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
    let mut codes = std::collections::BTreeMap::new();
    for recorded in events {
        let event = codec.event(recorded).await.map_err(|error| ApplyError::event(recorded, &error))?;
        if let (Some(id), CurrencyEvent::Created(new) | CurrencyEvent::DetailsChanged(new)) = (recorded.number(), event)
        {
            codes.insert(id, new.code);
        }
    }
    let rows: Vec<_> = codes.into_iter().map(|(id, code)| CurrencyRow { id, code }).collect();
    runtime::write(tx, "dashboard_currencies", &rows).await
}
