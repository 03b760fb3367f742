//! Lists: a page of rendered rows, found by keyset, with a count that stays cheap.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, PgPool, Postgres, QueryBuilder};

pub use crate::condition::{Condition, push_all};

/// Counts are exact up to here.
pub const COUNT_LIMIT: i64 = 10_000;

/// For how long a list that was too long to be counted is taken to be so.
const LONG_FOR: Duration = Duration::from_secs(10);
/// To count up to here costs no more than the page …
const FEW: i64 = 500;
/// … and beyond, a list is counted no more often than this, unless the caller's own writes are to be counted.
const MANY_FOR: Duration = Duration::from_secs(1);

/// What rows are sorted by before their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub column: &'static str,
    /// The column's SQL type, for the cursor's way back from text.
    pub sql_type: &'static str,
    pub descending: bool,
}

impl Order {
    /// Newest first.
    pub const NEWEST: Self = Self { column: "id", sql_type: "bigint", descending: true };
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    Start,
    /// A page by number, from 1.
    Page(i64),
    Cursor(Cursor),
}

/// The row beside which a page lies. Opaque outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Whether the page lies before the row.
    #[serde(rename = "b")]
    back: bool,
    #[serde(rename = "k")]
    key: String,
    #[serde(rename = "i")]
    id: i64,
}

impl Cursor {
    #[must_use]
    pub fn encode(&self) -> String {
        BASE64.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// `None` when the text is no cursor.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&BASE64.decode(text).ok()?).ok()
    }
}

/// How long lists have lately been found to be: they are not counted again with every page.
#[derive(Clone)]
pub struct Counts(moka::sync::Cache<String, Counted>);

/// How many rows a list had, when its table had reached at least this position.
#[derive(Debug, Clone, Copy)]
struct Counted {
    rows: i64,
    position: i64,
    at: Instant,
}

/// How many rows a list has, or had within the last second.
struct Count {
    rows: i64,
    is_earlier: bool,
}

impl Default for Counts {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(10_000).time_to_live(LONG_FOR).build())
    }
}

impl Counts {
    /// What is known of a list that is to show a position.
    fn get(&self, list: &str, wanted: i64) -> Option<i64> {
        let Counted { rows, position, at } = self.0.get(list)?;
        let holds = rows > COUNT_LIMIT || (position >= wanted && at.elapsed() < MANY_FOR);
        holds.then_some(rows)
    }

    fn keep(&self, list: String, rows: i64, position: i64) {
        if rows > FEW {
            self.0.insert(list, Counted { rows, position, at: Instant::now() });
        }
    }
}

/// What a read model shows: the position that the caller wants to see, and the one that it has at least reached.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    pub wanted: i64,
    pub reached: i64,
}

impl Shown {
    /// What shows more than the journal's events, and is as it is now: no earlier count of it holds.
    #[must_use]
    pub fn now(reached: i64) -> Self {
        Self { wanted: i64::MAX, reached }
    }
}

/// A question for a page of a table that has `id` and `body`.
#[derive(Debug, Clone)]
pub struct List {
    pub table: &'static str,
    pub conditions: Vec<Condition>,
    pub order: Order,
    pub from: From,
    pub size: i64,
}

/// Where a read model stood when it was asked: until it stands elsewhere, it answers the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand(String);

/// By the transaction that has written the checkpoint last: a rebuild and a retry do too, and may leave its position.
const STAND: &str = "SELECT xmin::text || ' ' || position AS stand FROM checkpoints WHERE name = ";

/// Where the read model of a reader stands.
///
/// # Errors
/// When the database fails.
pub async fn stand(connection: &mut PgConnection, reader: &str) -> Result<Stand, sqlx::Error> {
    QueryBuilder::new(STAND).push_bind(reader).build_query_scalar().fetch_one(connection).await.map(Stand)
}

/// A page.
#[derive(Debug)]
pub struct Page {
    pub count: i64,
    pub count_exact: bool,
    pub next: Option<Cursor>,
    pub previous: Option<Cursor>,
    /// JSON texts as they are stored, with commas between.
    pub results: String,
}

/// Between the bodies of a page. They are JSON without white space, so there is no such line within one.
const BETWEEN: &str = ",\n";

/// The rows of a page, and the one beyond them if there is one. They come as one row: many cost the driver, and the
/// database, more than the page.
#[derive(sqlx::FromRow)]
struct Rows {
    /// In the order in which they were looked for, as the keys are.
    ids: Vec<i64>,
    keys: Vec<String>,
    /// In the list's order.
    bodies: String,
}

/// The same, and where the read model stood.
#[derive(sqlx::FromRow)]
struct StandingRows {
    stand: String,
    #[sqlx(flatten)]
    rows: Rows,
}

impl List {
    /// Fetches the page.
    ///
    /// # Errors
    /// When the database fails; [`sqlx::Error::Decode`] when the cursor does not fit the order.
    pub async fn fetch(
        self,
        connection: &mut PgConnection,
        counts: &Counts,
        shown: Shown,
    ) -> Result<Page, sqlx::Error> {
        let mut query = QueryBuilder::new("");
        self.push_select(&mut query);
        let rows = query.build_query_as().fetch_one(&mut *connection).await?;
        let count = self.count_of(connection, counts, shown, &rows).await?;
        Ok(self.page(count.rows, rows))
    }

    /// As [`List::fetch`], and where the read model of a reader stood then; `None` if the page's count is an earlier one,
    /// which does not hold for as long as that stands there.
    ///
    /// # Errors
    /// As [`List::fetch`].
    pub async fn fetch_standing(
        self,
        connection: &mut PgConnection,
        counts: &Counts,
        shown: Shown,
        reader: &str,
    ) -> Result<(Page, Option<Stand>), sqlx::Error> {
        let mut query = QueryBuilder::new(format!("SELECT model.stand, page.* FROM ({STAND}"));
        query.push_bind(reader).push(") AS model, (");
        self.push_select(&mut query);
        query.push(") AS page");
        let StandingRows { stand, rows } = query.build_query_as().fetch_one(&mut *connection).await?;
        let count = self.count_of(connection, counts, shown, &rows).await?;
        let stand = (!count.is_earlier).then_some(Stand(stand));
        Ok((self.page(count.rows, rows), stand))
    }

    /// Whether it may have to look at every row of its table.
    #[must_use]
    pub fn is_search(&self) -> bool {
        fn searches(condition: &Condition) -> bool {
            match condition {
                Condition::Contains(..) => true,
                Condition::Any(conditions) => conditions.iter().any(searches),
                _ => false,
            }
        }
        self.conditions.iter().any(searches)
    }

    /// How many rows there are; one more than [`COUNT_LIMIT`] stands for more.
    async fn count(&self, connection: &mut PgConnection, counts: &Counts, shown: Shown) -> Result<Count, sqlx::Error> {
        let key = format!("{} {:?}", self.table, self.conditions);
        if let Some(rows) = counts.get(&key, shown.wanted) {
            // Beyond the limit it is not told anyway.
            return Ok(Count { rows, is_earlier: rows <= COUNT_LIMIT });
        }
        let mut count = QueryBuilder::new(format!("SELECT count(*) FROM (SELECT FROM {} WHERE ", self.table));
        push_all(&mut count, &self.conditions);
        count.push(format!(" LIMIT {}) AS counted", COUNT_LIMIT + 1));
        let rows: i64 = count.build_query_scalar().fetch_one(connection).await?;
        counts.keep(key, rows, shown.reached);
        Ok(Count { rows, is_earlier: false })
    }

    fn push_select<'q>(&'q self, query: &mut QueryBuilder<'q, Postgres>) {
        let Order { column, sql_type, descending } = self.order;
        // Those of a page that is found backwards are put into their order.
        let way = if descending { "DESC" } else { "ASC" };
        let order = if self.is_back() { format!("ORDER BY sort {way}, id {way}") } else { String::new() };
        query.push(format!(
            "SELECT COALESCE(array_agg(id), '{{}}') AS ids, COALESCE(array_agg(sort::text), '{{}}') AS keys,
                    COALESCE(string_agg(body, E',\\n' {order}), '') AS bodies
             FROM (SELECT id, {column} AS sort, body::text AS body FROM {} WHERE ",
            self.table
        ));
        push_all(query, &self.conditions);
        let mut descending = descending;
        if let From::Cursor(cursor) = &self.from {
            descending ^= cursor.back;
            query.push(format!(" AND ({column}, id) {} (", if descending { "<" } else { ">" }));
            query.push_bind(cursor.key.as_str());
            query.push(format!("::text::{sql_type}, "));
            query.push_bind(cursor.id);
            query.push(")");
        }
        let direction = if descending { "DESC" } else { "ASC" };
        // The limit as a number: without knowing it the database would plan the statement anew each time.
        query.push(format!(" ORDER BY {column} {direction}, id {direction} LIMIT {}", self.size + 1));
        if let From::Page(page) = self.from {
            query.push(" OFFSET ");
            query.push_bind((page - 1) * self.size);
        }
        query.push(") AS found");
    }

    fn is_back(&self) -> bool {
        matches!(&self.from, From::Cursor(cursor) if cursor.back)
    }

    /// The page of rows that are at hand already: (id, body) in their order, all of which are wanted.
    #[must_use]
    pub fn of(self, rows: Vec<(i64, String)>) -> Page {
        let size = usize::try_from(self.size).unwrap_or_default();
        let count = rows.len();
        let place = |cursor: &Cursor| rows.iter().position(|(id, _)| *id == cursor.id);
        let first = match &self.from {
            From::Start => 0,
            From::Page(page) => usize::try_from(page - 1).unwrap_or_default().saturating_mul(size),
            From::Cursor(cursor) if cursor.back => place(cursor).unwrap_or_default().saturating_sub(size),
            From::Cursor(cursor) => place(cursor).map_or(count, |place| place + 1),
        };
        let last = match &self.from {
            From::Cursor(cursor) if cursor.back => place(cursor).unwrap_or_default(),
            _ => first.saturating_add(size).min(count),
        };
        let shown = rows.get(first..last).unwrap_or_default();
        let beside =
            |row: Option<&(i64, String)>, back| row.map(|(id, _)| Cursor { back, key: String::new(), id: *id });
        Page {
            count: i64::try_from(count).unwrap_or(i64::MAX),
            count_exact: true,
            next: beside(shown.last(), false).filter(|_| last < count),
            previous: beside(shown.first(), true).filter(|_| first > 0),
            results: shown.iter().map(|(_, body)| body.as_str()).collect::<Vec<_>>().join(","),
        }
    }

    /// A first page that is the whole list need not be counted.
    async fn count_of(
        &self,
        connection: &mut PgConnection,
        counts: &Counts,
        shown: Shown,
        found: &Rows,
    ) -> Result<Count, sqlx::Error> {
        let found = i64::try_from(found.ids.len()).unwrap_or(i64::MAX);
        match self.from {
            From::Start if found <= self.size => Ok(Count { rows: found, is_earlier: false }),
            _ => self.count(connection, counts, shown).await,
        }
    }

    fn page(&self, count: i64, rows: Rows) -> Page {
        let size = usize::try_from(self.size).unwrap_or_default();
        let (more, back) = (rows.ids.len() > size, self.is_back());
        let mut beside: Vec<(i64, String)> = rows.ids.into_iter().zip(rows.keys).take(size).collect();
        if back {
            beside.reverse();
        }
        let mut results = rows.bodies;
        if more && back {
            let beyond = results.find(BETWEEN).map_or(0, |end| end + BETWEEN.len());
            results.drain(..beyond);
        } else if more {
            results.truncate(results.rfind(BETWEEN).unwrap_or_default());
        }
        let cursor = |(id, key): &(i64, String), back| Cursor { back, key: key.clone(), id: *id };
        let has_next = back || more;
        let has_previous = match self.from {
            From::Start => false,
            From::Page(page) => page > 1,
            From::Cursor(_) => !back || more,
        };
        Page {
            count: count.min(COUNT_LIMIT),
            count_exact: count <= COUNT_LIMIT,
            next: beside.last().filter(|_| has_next).map(|row| cursor(row, false)),
            previous: beside.first().filter(|_| has_previous).map(|row| cursor(row, true)),
            results,
        }
    }
}

/// A row's version and body by its id, if all conditions hold.
///
/// # Errors
/// When the database fails.
pub async fn one(
    executor: impl PgExecutor<'_>,
    table: &str,
    id: i64,
    conditions: &[Condition],
) -> Result<Option<(i64, String)>, sqlx::Error> {
    let mut query = QueryBuilder::new(format!("SELECT version, body::text FROM {table} WHERE id = "));
    query.push_bind(id).push(" AND ");
    push_all(&mut query, conditions);
    query.build_query_as().fetch_optional(executor).await
}

/// What a row is made of, for figures that no stored body can hold because they depend on the day.
#[derive(Debug, sqlx::FromRow)]
pub struct Stored {
    pub version: i64,
    pub created_at: chrono::DateTime<chrono::Utc>,
    pub updated_at: chrono::DateTime<chrono::Utc>,
    /// The folded state as the codec wrote it.
    pub state: String,
}

/// A row's state by its id, if all conditions hold.
///
/// # Errors
/// When the database fails.
pub async fn stored(
    pool: &PgPool,
    table: &str,
    id: i64,
    conditions: &[Condition],
) -> Result<Option<Stored>, sqlx::Error> {
    let mut query = QueryBuilder::new(format!(
        "SELECT version, created_at, updated_at, state::text AS state FROM {table} WHERE id = "
    ));
    query.push_bind(id).push(" AND ");
    push_all(&mut query, conditions);
    query.build_query_as().fetch_optional(pool).await
}
