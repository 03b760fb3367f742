//! The journal from its beginning, for whoever wants very many events of it: streamed by COPY.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Error, PgConnection, types::Json};

use crate::{
    COLUMNS, Recorded,
    copy_out::{CopyOut, Row},
    shares::Share,
};

/// 2000-01-01, from which PostgreSQL counts, in seconds since 1970.
const EPOCH: i64 = 946_684_800;

/// The events of some streams, in the order of their positions.
pub(crate) struct Replay<'c>(CopyOut<'c>);

impl<'c> Replay<'c> {
    /// Those of these kinds (empty means all) and of this share, up to a position.
    pub(crate) async fn open(
        connection: &'c mut PgConnection,
        kinds: &[&str],
        share: Share,
        until: i64,
    ) -> Result<Self, Error> {
        let kinds = kinds.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ");
        let of_kind = if kinds.is_empty() { String::new() } else { format!("AND aggregate_type IN ({kinds})") };
        // OFFSET 0: how few the planner believes to be of a share is not to decide how the events are read.
        let query = format!(
            "SELECT * FROM (SELECT {COLUMNS} FROM events WHERE position <= {until} {of_kind} ORDER BY position OFFSET 0) AS e
             WHERE hashtext(aggregate_id) & {} = {}",
            (1_u32 << share.bits) - 1,
            share.value
        );
        Ok(Self(CopyOut::open(connection, &query).await?))
    }

    /// The next events, fewer than `limit` only at the end.
    pub(crate) async fn page(&mut self, limit: usize) -> Result<Vec<Recorded>, Error> {
        let mut page = Vec::with_capacity(limit);
        while page.len() < limit {
            let Some(row) = self.0.next().await? else { break };
            page.push(recorded(row)?);
        }
        Ok(page)
    }
}

/// In the order of [`COLUMNS`].
fn recorded(mut row: Row) -> Result<Recorded, Error> {
    Ok(Recorded {
        position: row.number()?,
        aggregate_type: row.text()?,
        aggregate_id: row.text()?,
        sequence: row.number()?,
        event_type: row.text()?,
        event_version: row.text()?,
        payload: Json(serde_json::from_slice(&row.bytes()?).map_err(|error| Error::Decode(Box::new(error)))?),
        metadata: Json(serde_json::from_slice(&row.bytes()?).map_err(|error| Error::Decode(Box::new(error)))?),
        recorded_at: instant(row.number()?)?,
    })
}

fn instant(microseconds: i64) -> Result<DateTime<Utc>, Error> {
    let since = DateTime::from_timestamp(EPOCH, 0);
    let instant = since.and_then(|since| since.checked_add_signed(TimeDelta::microseconds(microseconds)));
    instant.ok_or_else(|| Error::Decode("an instant is out of range".into()))
}
