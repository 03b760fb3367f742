//! Arrays as the database takes them, put together an element at a time, so that little is left to do when they are sent.

use chrono::{DateTime, Utc};
use runtime::copy_in::EPOCH;
use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, types::Oid},
};

/// What an array is of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Element {
    Text,
    Json,
    Bigint,
    Integer,
    Timestamp,
    Bytes,
}

impl Element {
    /// The number of its type in every database.
    const fn oid(self) -> i32 {
        match self {
            Self::Text => 25,
            Self::Json => 114,
            Self::Bigint => 20,
            Self::Integer => 23,
            Self::Timestamp => 1184,
            Self::Bytes => 17,
        }
    }

    fn array(self) -> PgTypeInfo {
        match self {
            Self::Text => <Vec<String> as Type<Postgres>>::type_info(),
            // The driver has a type for an array of jsonb only.
            Self::Json => PgTypeInfo::with_oid(Oid(199)),
            Self::Bigint => <Vec<i64> as Type<Postgres>>::type_info(),
            Self::Integer => <Vec<i32> as Type<Postgres>>::type_info(),
            Self::Timestamp => <Vec<DateTime<Utc>> as Type<Postgres>>::type_info(),
            Self::Bytes => <Vec<Vec<u8>> as Type<Postgres>>::type_info(),
        }
    }
}

/// An array in the database's binary format.
#[derive(Debug)]
pub(super) struct Array {
    element: Element,
    count: i32,
    has_null: bool,
    bytes: Vec<u8>,
}

impl Array {
    pub(super) const fn of(element: Element) -> Self {
        Self { element, count: 0, has_null: false, bytes: Vec::new() }
    }

    /// Empty again, and ready for as much as it held.
    pub(super) fn clear(&mut self) {
        (self.count, self.has_null) = (0, false);
        self.bytes.clear();
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn len(&self) -> i64 {
        i64::from(self.count)
    }

    /// The elements up to the first that is null.
    pub(super) fn elements(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk()?;
            let (element, after) = after.split_at_checked(usize::try_from(i32::from_be_bytes(*length)).ok()?)?;
            rest = after;
            Some(element)
        })
    }

    pub(super) fn push(&mut self, element: &[u8]) {
        self.count += 1;
        // What is longer the database does not take in one message either.
        self.bytes.extend_from_slice(&i32::try_from(element.len()).unwrap_or(i32::MAX).to_be_bytes());
        self.bytes.extend_from_slice(element);
    }

    pub(super) fn push_number(&mut self, number: i64) {
        self.push(&number.to_be_bytes());
    }

    pub(super) fn push_time(&mut self, at: DateTime<Utc>) {
        self.push_number(at.timestamp_micros() - EPOCH);
    }

    pub(super) fn push_number_or_null(&mut self, number: Option<i64>) {
        if let Some(number) = number {
            self.push_number(number);
        } else {
            self.count += 1;
            self.has_null = true;
            self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        }
    }
}

impl Type<Postgres> for Array {
    fn type_info() -> PgTypeInfo {
        Element::Text.array()
    }
}

impl Encode<'_, Postgres> for Array {
    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.element.array())
    }

    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // Of one dimension, and counted from one.
        for number in [1, i32::from(self.has_null), self.element.oid(), self.count, 1] {
            buffer.extend_from_slice(&number.to_be_bytes());
        }
        buffer.extend_from_slice(&self.bytes);
        Ok(IsNull::No)
    }
}
