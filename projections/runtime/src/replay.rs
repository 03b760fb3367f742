//! The journal from its beginning, for whoever wants very many events of it: streamed by COPY.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Error, PgConnection, types::Json};

use crate::{
    Metadata, Recorded,
    copy_out::{CopyOut, Row},
    shares::Share,
};

/// 2000-01-01, from which PostgreSQL counts, in seconds since 1970.
const EPOCH: i64 = 946_684_800;

/// The events of some streams, in the order of their positions.
pub(crate) struct Replay<'c> {
    rows: CopyOut<'c>,
    has_metadata: bool,
}

/// An event as it came.
pub(crate) struct Raw {
    row: Row,
    has_metadata: bool,
}

impl<'c> Replay<'c> {
    /// Those of these kinds (empty means all) and of this share, up to a position.
    pub(crate) async fn open(
        connection: &'c mut PgConnection,
        kinds: &[&str],
        share: Share,
        until: i64,
        has_metadata: bool,
    ) -> Result<Self, Error> {
        let kinds = kinds.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ");
        let of_kind = if kinds.is_empty() { String::new() } else { format!("AND aggregate_type IN ({kinds})") };
        let of_share = match share.bits {
            0 => String::new(),
            bits => format!("WHERE hashtext(aggregate_id) & {} = {}", (1_u32 << bits) - 1, share.value),
        };
        let metadata = if has_metadata { ", metadata" } else { "" };
        // OFFSET 0: how few the planner believes to be of a share is not to decide how the events are read.
        let query = format!(
            "SELECT * FROM (
                 SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, recorded_at
                        {metadata}
                 FROM events WHERE position <= {until} {of_kind} ORDER BY position OFFSET 0) AS e
             {of_share}"
        );
        Ok(Self { rows: CopyOut::open(connection, &query).await?, has_metadata })
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Raw>, Error> {
        Ok(self.rows.next().await?.map(|row| Raw { row, has_metadata: self.has_metadata }))
    }

    /// The next events, fewer than `limit` only at the end.
    pub(crate) async fn page(&mut self, limit: usize) -> Result<Vec<Recorded>, Error> {
        let mut page = Vec::with_capacity(limit);
        while page.len() < limit {
            let Some(raw) = self.next().await? else { break };
            page.push(raw.recorded()?);
        }
        Ok(page)
    }
}

impl Raw {
    /// A number that is the same for all events of a stream.
    pub(crate) fn hash(&self) -> Result<u64, Error> {
        let mut fields = self.row.fields();
        fields.bytes()?;
        fields.bytes()?;
        let mut hasher = DefaultHasher::new();
        fields.bytes()?.hash(&mut hasher);
        Ok(hasher.finish())
    }

    pub(crate) fn position(&self) -> Result<i64, Error> {
        self.row.fields().number()
    }

    pub(crate) fn recorded(&self) -> Result<Recorded, Error> {
        let mut fields = self.row.fields();
        Ok(Recorded {
            position: fields.number()?,
            aggregate_type: fields.text()?.to_owned(),
            aggregate_id: fields.text()?.to_owned(),
            sequence: fields.number()?,
            event_type: fields.text()?.to_owned(),
            event_version: fields.text()?.to_owned(),
            payload: Json(fields.json()?),
            recorded_at: instant(fields.number()?)?,
            metadata: Json(if self.has_metadata { fields.json()? } else { Metadata::default() }),
        })
    }

    /// The same into an event that is not needed any more: its texts' room is used again, which is a good part of the work.
    pub(crate) fn read_into(&self, recorded: &mut Recorded) -> Result<(), Error> {
        let mut fields = self.row.fields();
        recorded.position = fields.number()?;
        fields.text()?.clone_into(&mut recorded.aggregate_type);
        fields.text()?.clone_into(&mut recorded.aggregate_id);
        recorded.sequence = fields.number()?;
        fields.text()?.clone_into(&mut recorded.event_type);
        fields.text()?.clone_into(&mut recorded.event_version);
        recorded.payload = Json(fields.json()?);
        recorded.recorded_at = instant(fields.number()?)?;
        if self.has_metadata {
            recorded.metadata = Json(fields.json()?);
        }
        Ok(())
    }
}

fn instant(microseconds: i64) -> Result<DateTime<Utc>, Error> {
    let since = DateTime::from_timestamp(EPOCH, 0);
    let instant = since.and_then(|since| since.checked_add_signed(TimeDelta::microseconds(microseconds)));
    instant.ok_or_else(|| Error::Decode("an instant is out of range".into()))
}
