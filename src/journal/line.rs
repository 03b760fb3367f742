//! The committer's own connections, and whose turn it is to append.

use std::time::{Duration, Instant};

use sqlx::{Connection, Executor, PgConnection, PgPool};

/// How long a turn goes on if there is always more to append.
const TURN: Duration = Duration::from_millis(25);
/// A turn, or a transaction, whose node is silent for so long, because it hangs, is ended by the database.
const SILENCE: &str = "3s";

/// A connection on which nothing but appends goes: none of them waits for one, or asks whether it still lives.
pub(super) struct Line {
    connection: PgConnection,
    /// Since when nobody else appends. The lock is the connection's, so the turn goes where that goes.
    turn: Option<Instant>,
}

impl Line {
    pub(super) async fn connect(pool: &PgPool) -> Result<Self, sqlx::Error> {
        // Taking an array's length into account, the database would plan an append anew each time.
        let options = pool
            .connect_options()
            .as_ref()
            .clone()
            .options([("plan_cache_mode", "force_generic_plan"), ("idle_in_transaction_session_timeout", SILENCE)]);
        Ok(Self { connection: PgConnection::connect_with(&options).await?, turn: None })
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(super) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.connection.execute("BEGIN").await.map(drop)
    }

    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.connection.execute("COMMIT").await.map(drop)
    }

    pub(super) async fn roll_back(mut self) -> Result<Self, sqlx::Error> {
        self.connection.execute("ROLLBACK").await?;
        Ok(self)
    }

    pub(super) fn has_turn(&self) -> bool {
        self.turn.is_some()
    }

    pub(super) fn is_over(&self) -> bool {
        self.turn.is_some_and(|since| since.elapsed() > TURN)
    }

    /// Waits for the turn, unless it has it.
    pub(super) async fn take_turn(&mut self) -> Result<(), sqlx::Error> {
        if self.turn.is_none() {
            sqlx::query(
                "SELECT pg_advisory_lock('journal_blocks'::regclass::bigint),
                        set_config('idle_session_timeout', $1, false)",
            )
            .bind(SILENCE)
            .execute(&mut self.connection)
            .await?;
            self.turn = Some(Instant::now());
        }
        Ok(())
    }

    pub(super) async fn leave_turn(mut self) -> Result<Self, sqlx::Error> {
        sqlx::query(
            "SELECT pg_advisory_unlock('journal_blocks'::regclass::bigint),
                    set_config('idle_session_timeout', '0', false)",
        )
        .execute(&mut self.connection)
        .await?;
        self.turn = None;
        Ok(self)
    }
}
