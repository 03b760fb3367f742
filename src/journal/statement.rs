//! The one statement that inserts events.

use std::sync::OnceLock;

use sqlx::{Arguments as _, PgConnection, error::BoxDynError, postgres::PgArguments};

use super::{
    chain::{Hash, block_hash},
    columns::Columns,
    store::{BatchError, Tip},
};

/// A batch as it is sent, which appends it whole or not at all.
///
/// It is one statement, for that is all that an append costs: positions and the next block are made here. Should the
/// journal have another end by now, the positions are taken and their key refuses them; so do the keys of the streams
/// and of the answers where they are. A stream that is only depended on is looked at: if the journal's end is what it is
/// taken for, then nothing has come after what the statement sees.
pub(super) struct Statement {
    text: &'static str,
    arguments: PgArguments,
    /// The journal's end if the batch is appended.
    pub(super) end: Tip,
}

impl Statement {
    /// A batch that goes after `tip`.
    pub(super) fn after(tip: Tip, columns: &Columns) -> Result<Self, sqlx::Error> {
        let hash = block_hash(&tip.hash, columns.hashes());
        let position = tip.position + columns.len();
        let shape = Shape {
            depends: !columns.is_self_contained(),
            keeps: columns.kept.iter().any(|column| !column.is_empty()),
        };
        let mut arguments = PgArguments::default();
        shape.bind(&mut arguments, columns, [tip.position, position], &hash).map_err(sqlx::Error::Encode)?;
        Ok(Self { text: shape.text(), arguments, end: Tip { position, hash } })
    }

    pub(super) async fn append(self, connection: &mut PgConnection) -> Result<(), BatchError> {
        let done = sqlx::query_with(self.text, self.arguments).execute(connection).await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(BatchError::Refused("a stream that a command depends on has moved".to_owned()))
        }
    }
}

/// What a batch needs of the statement: what is not there is neither sent nor started.
#[derive(Debug, Clone, Copy)]
struct Shape {
    depends: bool,
    keeps: bool,
}

/// Whoever appends waits for a node's turn to end. He does not wait for others who append: their positions are his too, and
/// the keys refuse the later one.
const LOCK: &str = "pg_advisory_xact_lock_shared('journal_blocks'::regclass::bigint)";

impl Shape {
    fn number(self) -> usize {
        usize::from(self.depends) + 2 * usize::from(self.keeps)
    }

    /// The statement, made once.
    fn text(self) -> &'static str {
        static TEXTS: [OnceLock<String>; 4] = [const { OnceLock::new() }; 4];
        TEXTS.get(self.number()).map_or("", |text| text.get_or_init(|| self.statement()))
    }

    fn bind(
        self,
        arguments: &mut PgArguments,
        columns: &Columns,
        ends: [i64; 2],
        hash: &Hash,
    ) -> Result<(), BoxDynError> {
        let [base, end] = ends;
        arguments.add(base)?;
        arguments.add(end)?;
        arguments.add(hash.as_slice())?;
        let depended = columns.depended.iter().filter(|_| self.depends);
        let kept = columns.kept.iter().filter(|_| self.keeps);
        columns.rows.iter().chain(depended).chain(kept).try_for_each(|column| arguments.add(column))
    }

    fn statement(self) -> String {
        // The first are the base, the end and the block's hash.
        let mut parameters = 3;
        let mut next = |kind: &str| {
            parameters += 1;
            format!("${parameters}::{kind}[]")
        };
        // Side by side in the list: as a table they would all be kept first, at a fifth of the call's cost.
        let kinds = ["text", "text", "bigint", "text", "text", "json", "json", "timestamptz", "bytea"];
        let rows = kinds.map(|kind| format!("unnest({})", next(kind))).join(", ");
        let gate = if self.depends { "FROM sound" } else { "" };
        let rows = format!("SELECT generate_series($1::bigint + 1, $2::bigint), {rows} {gate}");
        let sound = if self.depends {
            let arrays = ["text", "text", "bigint"].map(&mut next).join(", ");
            format!(
                "sound AS MATERIALIZED (
                     SELECT FROM {LOCK} WHERE NOT EXISTS (
                         SELECT FROM unnest({arrays}) AS d(type, id, version)
                         WHERE d.version <> COALESCE((SELECT max(sequence) FROM events
                                                      WHERE aggregate_type = d.type AND aggregate_id = d.id), 0))
                 ),"
            )
        } else {
            String::new()
        };
        let kept = if self.keeps {
            let kinds = ["bigint", "text", "text", "integer", "text", "bigint", "bigint"];
            let [user, key, hash, status, body, version, n] = kinds.map(|kind| format!("unnest({})", next(kind)));
            format!(
                ", kept AS (
                     INSERT INTO idempotency_keys (user_id, key, request_hash, status, body, version, position)
                     SELECT {user}, {key}, {hash}, {status}, {body}, {version}, $1 + {n} {gate}
                 )"
            )
        } else {
            String::new()
        };
        let gate = if self.depends { "sound" } else { LOCK };
        format!(
            "WITH {sound} appended AS (INSERT INTO events {rows}) {kept}
             INSERT INTO journal_blocks SELECT $1 + 1, $2, $3 FROM {gate}"
        )
    }
}
