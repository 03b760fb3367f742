//! The second way of a batch, when the first was refused or another node appends too: the node waits for its turn, looks
//! at the present, and appends the commands that still hold.
//!
//! Whoever has the turn keeps it for a moment: what it decides meanwhile is decided on what is so, and nodes that write
//! to the same streams get on by turns instead of undoing each other's work.

use std::collections::HashMap;

use super::{
    cache::StreamId,
    columns::Columns,
    line::Line,
    statement::Statement,
    store::{self, Append, BatchError, Present, Tip},
};

/// What becomes of one command of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With its last event at this position.
    Appended(i64),
    Conflict,
    KeyUsed,
}

/// What became of a batch, and the journal's end before and after it.
pub(super) struct Appended {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) before: Tip,
    pub(super) after: Tip,
}

/// Appends what holds of a batch. The line has the turn.
pub(super) async fn append(line: &mut Line, batch: &[&Append]) -> Result<Appended, BatchError> {
    let connection = line.connection();
    let present = store::present(connection, batch.iter().copied()).await?;
    let outcomes = judge(batch, &present);
    let held = batch.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, Outcome::Appended(_)));
    let columns = Columns::of(held.map(|(append, _)| *append));
    let before = present.tip;
    if columns.len() == 0 {
        return Ok(Appended { outcomes, before, after: before });
    }
    let statement = Statement::after(before, &columns)?;
    let after = statement.end;
    statement.append(connection).await?;
    Ok(Appended { outcomes, before, after })
}

/// Which commands hold: those whose streams are all where they expect them, after the commands before them in the
/// batch. A command on a stream that an earlier one failed on conflicts too: it was decided on what never came to be.
fn judge(batch: &[&Append], present: &Present) -> Vec<Outcome> {
    let mut versions: HashMap<&StreamId, i64> = HashMap::new();
    let all = batch.iter().flat_map(|append| append.expected());
    for (expected, version) in all.zip(&present.versions) {
        versions.insert(&expected.stream, *version);
    }
    let mut used = present.used.iter();
    let mut position = present.tip.position;
    let judged = batch.iter().map(|append| {
        let is_used = append.remembered.is_some() && used.next().copied().unwrap_or_default();
        if append.expected().any(|expected| versions.get(&expected.stream) != Some(&expected.version)) {
            return Outcome::Conflict;
        }
        if is_used {
            return Outcome::KeyUsed;
        }
        for row in &append.rows {
            if let Some(version) = versions.get_mut(&row.stream) {
                *version = row.sequence;
            }
            position += 1;
        }
        Outcome::Appended(position)
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use chrono::DateTime;
    use kernel::UserId;

    use super::*;
    use crate::journal::{
        chain::GENESIS,
        store::{Answer, Expected, Remembered, Row},
    };

    fn stream(id: &str) -> StreamId {
        StreamId { kind: Cow::Borrowed("company"), id: id.into() }
    }

    /// One event on a stream that is expected at a version.
    fn one(id: &str, version: i64) -> Append {
        let row = Row {
            stream: stream(id),
            sequence: version + 1,
            event_type: String::new(),
            event_version: String::new(),
            payload: String::new(),
            metadata: "".into(),
            recorded_at: DateTime::UNIX_EPOCH,
            hash: GENESIS,
        };
        Append { rows: vec![row], written: vec![Expected { stream: stream(id), version }], ..Append::default() }
    }

    fn depending(append: Append, id: &str, version: i64) -> Append {
        Append { depended: vec![Expected { stream: stream(id), version }], ..append }
    }

    fn keyed(append: Append, key: &str) -> Append {
        let answer = Answer { status: 200, body: String::new(), version: None };
        let user = UserId::try_from(1).unwrap();
        let remembered = Remembered { user, key: key.to_owned(), hash: String::new(), answer };
        Append { remembered: Some(remembered), ..append }
    }

    fn judged(batch: &[Append], versions: &[i64], used: &[bool]) -> Vec<Outcome> {
        let tip = Tip { position: 100, hash: GENESIS };
        let present = Present { tip, versions: versions.to_vec(), used: used.to_vec() };
        judge(&batch.iter().collect::<Vec<_>>(), &present)
    }

    #[test]
    fn commands_on_one_stream_follow_each_other() {
        let batch = [one("1", 4), one("1", 5), one("2", 0)];
        let outcomes = [Outcome::Appended(101), Outcome::Appended(102), Outcome::Appended(103)];
        assert_eq!(judged(&batch, &[4, 4, 0], &[]), outcomes);
    }

    #[test]
    fn what_was_decided_on_a_failure_fails_too_and_its_neighbours_do_not() {
        let batch = [one("1", 4), one("1", 5), one("2", 0)];
        assert_eq!(judged(&batch, &[6, 6, 0], &[]), [Outcome::Conflict, Outcome::Conflict, Outcome::Appended(101)]);
    }

    #[test]
    fn a_stream_that_is_depended_on_must_be_where_it_is_expected() {
        let batch = [one("1", 0), depending(one("2", 0), "1", 0), depending(one("3", 0), "1", 1)];
        let outcomes = [Outcome::Appended(101), Outcome::Conflict, Outcome::Appended(102)];
        assert_eq!(judged(&batch, &[0, 0, 0, 0, 0], &[]), outcomes);
    }

    #[test]
    fn a_used_key_is_told_from_a_stream_that_has_moved() {
        let batch = [keyed(one("1", 0), "a"), keyed(one("2", 0), "b"), keyed(one("3", 0), "c")];
        let outcomes = [Outcome::KeyUsed, Outcome::Conflict, Outcome::Appended(101)];
        assert_eq!(judged(&batch, &[0, 1, 0], &[true, true, false]), outcomes);
    }
}
