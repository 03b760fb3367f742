//! How does the work stand? Asked by everybody, each of the rows that are theirs (spec 17).
//!
//! One projection keeps a row an entity; the figures are computed from those rows when they are asked for, in one
//! statement, so that all of them are true as of one position.

mod details;
mod rows;
mod stats;
mod visibility;

use std::collections::BTreeMap;

use async_trait::async_trait;
use runtime::{ApplyError, Codec, Fold, NewFold, Projection, Recorded, RecordedRef, ResourceProjection, Rows};
use serde::Deserialize;
use sqlx::PgConnection;

pub use details::{Details, RecentAssessment, RecentProject, RecentProposal, details};
pub use stats::{Period, Stats, stats};

use rows::{Assessments, Clients, Companies, Costings, Projects, Proposals};

/// The projection's name.
pub const NAME: &str = "dashboard";
const CURRENCIES: &str = "dashboard_currencies";

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

/// Where the projection stands, to be asked in the statement that reads its rows.
fn position() -> String {
    format!("(SELECT position FROM checkpoints WHERE name = '{}')", Dashboard::default().reader())
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
        parts.iter().flat_map(|part| part.tables()).chain([CURRENCIES]).collect()
    }

    fn schema(&self) -> String {
        let currencies = format!("CREATE TABLE {CURRENCIES} (id bigint PRIMARY KEY, code text NOT NULL)");
        self.parts().iter().map(|part| part.schema()).chain([currencies]).collect::<Vec<_>>().join(";")
    }

    fn indexes(&self) -> String {
        self.parts().iter().map(|part| part.indexes()).collect::<Vec<_>>().join(";")
    }

    fn fold(&self) -> Option<NewFold> {
        Some(NewFold { begin: || Box::new(DashboardFold::new()), reads_metadata: false })
    }

    async fn rows(
        &self,
        connection: &mut PgConnection,
        codec: &Codec,
        events: &[Recorded],
    ) -> Result<Option<Vec<Rows>>, ApplyError> {
        let mut all = Vec::new();
        for part in self.parts() {
            let of_part = events.iter().filter(|event| part.kinds().contains(&event.aggregate_type.as_str()));
            let events: Vec<Recorded> = of_part.cloned().collect();
            if !events.is_empty() {
                all.extend(part.rows(connection, codec, &events).await?.into_iter().flatten());
            }
        }
        let mut currencies = Currencies::default();
        let events: Vec<RecordedRef> = events.iter().map(Recorded::by_ref).collect();
        currencies.take(codec, &of(&events, &["currency"])).await?;
        all.push(Rows::of(CURRENCIES, &currencies.rows())?);
        Ok(Some(all))
    }
}

/// The events of some kinds.
fn of<'e>(events: &[RecordedRef<'e>], kinds: &[&str]) -> Vec<RecordedRef<'e>> {
    events.iter().copied().filter(|event| kinds.contains(&event.aggregate_type)).collect()
}

/// The folds of the parts, by their kinds, and the currencies.
struct DashboardFold {
    parts: Vec<(&'static [&'static str], Box<dyn Fold>)>,
    currencies: Currencies,
}

impl DashboardFold {
    fn new() -> Self {
        let dashboard = Dashboard::default();
        let parts = dashboard.parts().into_iter();
        let parts = parts.filter_map(|part| part.fold().map(|new| (part.kinds(), (new.begin)())));
        Self { parts: parts.collect(), currencies: Currencies::default() }
    }
}

#[async_trait]
impl Fold for DashboardFold {
    async fn take(
        &mut self,
        tx: &mut PgConnection,
        codec: &Codec,
        events: &[RecordedRef<'_>],
    ) -> Result<(), ApplyError> {
        for (kinds, part) in &mut self.parts {
            part.take(tx, codec, &of(events, kinds)).await?;
        }
        self.currencies.take(codec, &of(events, &["currency"])).await
    }

    fn holds(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.holds()).sum()
    }

    async fn finish(self: Box<Self>, tx: &mut PgConnection, codec: &Codec) -> Result<(), ApplyError> {
        for (_, part) in self.parts {
            part.finish(tx, codec).await?;
        }
        runtime::insert(tx, CURRENCIES, &self.currencies.rows()).await
    }
}

/// The codes of currencies.
#[derive(Default)]
struct Currencies(BTreeMap<i64, String>);

impl Currencies {
    async fn take(&mut self, codec: &Codec, events: &[RecordedRef<'_>]) -> Result<(), ApplyError> {
        for (recorded, event) in events.iter().zip(codec.events(events).await?) {
            if let (Some(id), CurrencyEvent::Created(new) | CurrencyEvent::DetailsChanged(new)) =
                (recorded.number(), event)
            {
                self.0.insert(id, new.code);
            }
        }
        Ok(())
    }

    fn rows(self) -> Vec<CurrencyRow> {
        self.0.into_iter().map(|(id, code)| CurrencyRow { id, code }).collect()
    }
}
