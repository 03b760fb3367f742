//! What the aggregates' tests share. Given/when/then itself is `cqrs_es::test::TestFramework`.
#![expect(clippy::panic, reason = "tests stop at what cannot be")]

use chrono::{DateTime, Duration, Utc};

use crate::{
    Actor, Issued, Role, UserId,
    personal::{KeyMissing, Sealer},
};

/// Any id from a number.
pub fn id<I: TryFrom<i64>>(number: i64) -> I {
    I::try_from(number).unwrap_or_else(|_| panic!("{number} is no id"))
}

/// 2026-06-01 09:00 UTC, the moment at which tests happen.
#[must_use]
pub fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::seconds(1_780_304_400)
}

/// A command of a user at [`now`].
pub fn by<C>(user: i64, role: Role, command: C) -> Issued<C> {
    Issued::new(Actor::User { id: id(user), role }, now(), command)
}

/// A command of the system at [`now`].
pub fn by_system<C>(command: C) -> Issued<C> {
    Issued::new(Actor::System, now(), command)
}

/// "Seals" by writing bytes as hexadecimal, so that golden samples do not change from run to run.
#[derive(Debug, Clone, Copy)]
pub struct PlainSealer;

impl Sealer for PlainSealer {
    fn seal(&self, _: UserId, clear: &[u8]) -> Result<String, KeyMissing> {
        Ok(clear.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn open(&self, _: UserId, sealed: &str) -> Result<Option<Vec<u8>>, KeyMissing> {
        let digits: Vec<u32> = sealed.chars().filter_map(|c| c.to_digit(16)).collect();
        Ok(digits.chunks_exact(2).map(|pair| u8::try_from(pair.iter().fold(0, |n, d| n * 16 + d)).ok()).collect())
    }
}
