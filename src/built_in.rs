//! What every installation begins with, loaded by command and, where it is missing, by the server at its start.
//!
//! What was loaded once is known by a reservation of its code that is never given back. So what an ADMIN renamed is
//! found again, and what an ADMIN deleted is not made anew.

use kernel::BadText;
use reference::{
    CurrencyKind, IndustryTypeKind, Lookup, LookupCommand, RegionKind, VerticalKind,
    built_in::{currencies, industry_types, regions, verticals},
};

use crate::{
    journal::{ExecuteError, Issuer, Journal, Refused, Unit},
    lookups::{self, Numbered},
};

/// What is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Verticals,
    IndustryTypes,
    Currencies,
    Regions,
}

/// What becomes of a row that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Present {
    /// It stays as it is.
    Kept,
    /// It becomes as it was built, unless it was deleted; what was switched off stays so.
    Replaced,
}

/// What loading did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
    /// What was refused, and why.
    pub errors: Vec<String>,
    /// The last event's position.
    pub position: Option<i64>,
}

enum Outcome {
    Created,
    Updated,
    Unchanged,
}

/// Why a part could not be loaded at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Journal(#[from] ExecuteError),
    #[error("what is built in is malformed: {0}")]
    Malformed(#[from] BadText),
}

/// Loads a part, row by row.
///
/// # Errors
/// When the journal cannot be reached. A refused row is counted, and the others go on.
pub async fn load(journal: &Journal, part: Part, present: Present) -> Result<Counts, LoadError> {
    Ok(match part {
        Part::Verticals => load_all::<VerticalKind>(journal, "vertical.load", verticals()?, present).await?,
        Part::IndustryTypes => {
            load_all::<IndustryTypeKind>(journal, "industry_type.load", industry_types()?, present).await?
        }
        Part::Currencies => load_all::<CurrencyKind>(journal, "currency.load", currencies()?, present).await?,
        Part::Regions => load_all::<RegionKind>(journal, "region.load", regions()?, present).await?,
    })
}

/// Makes whatever is missing of all parts.
///
/// # Errors
/// When the journal cannot be reached.
pub async fn load_missing(journal: &Journal) -> Result<(), LoadError> {
    for part in [Part::Verticals, Part::IndustryTypes, Part::Currencies, Part::Regions] {
        let counts = load(journal, part, Present::Kept).await?;
        for error in counts.errors {
            tracing::warn!(?part, error, "something built in could not be loaded");
        }
    }
    Ok(())
}

async fn load_all<K: Numbered>(
    journal: &Journal,
    command: &'static str,
    all: Vec<K::Details>,
    present: Present,
) -> Result<Counts, ExecuteError> {
    let mut counts = Counts::default();
    for details in all {
        let issuer = Issuer::system(command);
        let loaded = journal.execute(&issuer, async |unit| load_one::<K>(unit, &details, present).await).await;
        match loaded {
            Ok(done) => {
                counts.position = counts.position.max(done.appended.then_some(done.position));
                match done.output {
                    Outcome::Created => counts.created += 1,
                    Outcome::Updated => counts.updated += 1,
                    Outcome::Unchanged => counts.unchanged += 1,
                }
            }
            Err(ExecuteError::Refused(refused)) => {
                counts.errors.push(format!("{}: {refused}", K::name(&details)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(counts)
}

/// Where it is kept which row was loaded from which code.
const ORIGIN_SCOPE: &str = "built_in";

async fn load_one<K: Numbered>(
    unit: &mut Unit<'_>,
    details: &K::Details,
    present: Present,
) -> Result<Outcome, ExecuteError> {
    let origin = format!("{}.{}", K::TYPE, K::code(details).unwrap_or_else(|| K::name(details)));
    let known = unit.holder(ORIGIN_SCOPE, &origin).await?;
    let loaded_before = known.is_some();
    let id = match known {
        Some(id) => Some(id),
        None => holder::<K>(unit, details).await?,
    };
    let Some(id) = id.and_then(|id| id.parse::<K::Id>().ok()) else {
        let id: K::Id = unit.journal().ids().next().await?;
        unit.claim(ORIGIN_SCOPE, &origin, id, taken).await?;
        lookups::decide::<K>(unit, id, LookupCommand::Create(details.clone())).await?;
        return Ok(Outcome::Created);
    };
    if !loaded_before {
        // Somebody made it by hand before it was loaded.
        unit.claim(ORIGIN_SCOPE, &origin, id, taken).await?;
    }
    if present == Present::Kept {
        return Ok(Outcome::Unchanged);
    }
    let before = unit.version::<Lookup<K>>(id).await?;
    lookups::decide::<K>(unit, id, LookupCommand::Replace(details.clone())).await?;
    let after = unit.version::<Lookup<K>>(id).await?;
    Ok(if after == before { Outcome::Unchanged } else { Outcome::Updated })
}

fn taken() -> Refused {
    Refused::conflict("CODE_TAKEN", "code", "another one was loaded under this code")
}

/// The look-up that has one of these details' unique keys, the code before the name.
async fn holder<K: Numbered>(unit: &mut Unit<'_>, details: &K::Details) -> Result<Option<String>, ExecuteError> {
    let mut keys = K::unique_keys(details);
    keys.sort_unstable();
    for (scope, value) in keys {
        if let Some(id) = unit.holder(scope, &value).await? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
