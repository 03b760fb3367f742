//! The journal from its beginning, for whoever wants very many events of it: streamed by COPY.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::{Error, PgConnection, types::Json};

use crate::{
    Metadata, Recorded, RecordedRef,
    copy_in::EPOCH,
    copy_out::{CopyOut, Row},
    recorded::NOT_ASKED,
    shares::Share,
};

/// The events of some streams, in the order of their positions.
pub(crate) struct Replay<'c> {
    rows: CopyOut<'c>,
    shape: Shape,
}

/// Which columns there are beside those that always are: each costs the server a twentieth of its work.
#[derive(Clone, Copy)]
struct Shape {
    /// The kind of all events, which is not asked for; `None` when there are several.
    kind: Option<&'static str>,
    has_metadata: bool,
}

/// An event as it came.
pub(crate) struct Raw {
    row: Row,
    shape: Shape,
}

impl<'c> Replay<'c> {
    /// Those of these kinds (empty means all) and of this share, up to a position.
    pub(crate) async fn open(
        connection: &'c mut PgConnection,
        kinds: &'static [&'static str],
        share: Share,
        until: i64,
        has_metadata: bool,
    ) -> Result<Self, Error> {
        let shape = Shape { kind: if let [kind] = kinds { Some(kind) } else { None }, has_metadata };
        let kinds = kinds.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ");
        let of_kind = if kinds.is_empty() { String::new() } else { format!("AND aggregate_type IN ({kinds})") };
        let of_share = match share.bits {
            0 => String::new(),
            bits => format!("WHERE hashtext(aggregate_id) & {} = {}", (1_u32 << bits) - 1, share.value),
        };
        let kind = if shape.kind.is_none() { ", aggregate_type" } else { "" };
        let metadata = if has_metadata { ", metadata" } else { "" };
        // OFFSET 0: how few the planner believes to be of a share is not to decide how the events are read.
        let query = format!(
            "SELECT * FROM (
                 SELECT position, aggregate_id, sequence, event_type, event_version, payload, recorded_at {kind} {metadata}
                 FROM events WHERE position <= {until} {of_kind} ORDER BY position OFFSET 0) AS e
             {of_share}"
        );
        Ok(Self { rows: CopyOut::open(connection, &query).await?, shape })
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Raw>, Error> {
        Ok(self.rows.next().await?.map(|row| Raw { row, shape: self.shape }))
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
        // FNV-1a: the ids are short, and nobody who chooses one gains by whose worker folds it.
        let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Ok(fields.bytes()?.iter().fold(0xcbf2_9ce4_8422_2325, hash) >> 16)
    }

    pub(crate) fn position(&self) -> Result<i64, Error> {
        self.row.fields().number()
    }

    /// The event, its metadata being `metadata` if it was asked for.
    pub(crate) fn by_ref<'r>(&'r self, metadata: Option<&'r Metadata>) -> Result<RecordedRef<'r>, Error> {
        let mut fields = self.row.fields();
        Ok(RecordedRef {
            position: fields.number()?,
            aggregate_id: fields.text()?,
            sequence: fields.number()?,
            event_type: fields.text()?,
            event_version: fields.text()?,
            payload: fields.text()?,
            recorded_at: instant(fields.number()?)?,
            aggregate_type: if let Some(kind) = self.shape.kind { kind } else { fields.text()? },
            metadata: metadata.unwrap_or(&NOT_ASKED),
        })
    }

    /// Who and what stands behind it; `None` if that was not asked for.
    pub(crate) fn metadata(&self) -> Result<Option<Metadata>, Error> {
        if !self.shape.has_metadata {
            return Ok(None);
        }
        let mut fields = self.row.fields();
        let before = if self.shape.kind.is_some() { 7 } else { 8 };
        for _ in 0..before {
            fields.bytes()?;
        }
        fields.json().map(Some)
    }

    pub(crate) fn recorded(&self) -> Result<Recorded, Error> {
        let metadata = self.metadata()?;
        let event = self.by_ref(metadata.as_ref())?;
        let payload = RawValue::from_string(event.payload.to_owned());
        Ok(Recorded {
            position: event.position,
            aggregate_type: event.aggregate_type.to_owned(),
            aggregate_id: event.aggregate_id.to_owned(),
            sequence: event.sequence,
            event_type: event.event_type.to_owned(),
            event_version: event.event_version.to_owned(),
            payload: Json(payload.map_err(|error| Error::Decode(Box::new(error)))?),
            recorded_at: event.recorded_at,
            metadata: Json(metadata.unwrap_or_default()),
        })
    }
}

fn instant(microseconds: i64) -> Result<DateTime<Utc>, Error> {
    let instant = microseconds.checked_add(EPOCH).and_then(DateTime::from_timestamp_micros);
    instant.ok_or_else(|| Error::Decode("an instant is out of range".into()))
}
