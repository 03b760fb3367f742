//! What the codes of a file mean. They are looked up by what reserves them, so that a code given a moment ago counts.

use std::collections::BTreeMap;

use engagement::{
    benchmark_set::{BenchmarkItem, KnownCodes},
    questionnaire::VerticalRef,
};
use kernel::Code;
use reference::{IndustryTypeKind, Lookup, LookupKind, RegionKind, VerticalKind};

use crate::journal::{ExecuteError, Journal};

/// The id of what has this code and is not deleted. `scope` is where such codes are reserved.
async fn id_of<K: LookupKind, I: TryFrom<i64>>(
    journal: &Journal,
    scope: &str,
    code: &str,
) -> Result<Option<(I, K::Details)>, ExecuteError> {
    let holder = journal.holder(scope, code).await?;
    let Some(id) = holder.and_then(|holder| holder.parse::<i64>().ok()) else { return Ok(None) };
    let details = journal.read::<Lookup<K>, _>(id, |lookup, _| lookup.live().cloned()).await?;
    Ok(I::try_from(id).ok().zip(details))
}

/// The verticals behind these codes; what is unknown is left out.
///
/// # Errors
/// When a stream cannot be loaded.
pub async fn verticals(
    journal: &Journal,
    codes: impl Iterator<Item = &Code>,
) -> Result<Vec<VerticalRef>, ExecuteError> {
    let distinct: BTreeMap<String, &Code> = codes.map(|code| (code.key(), code)).collect();
    let mut known = Vec::new();
    for code in distinct.into_values() {
        let found = id_of::<VerticalKind, _>(journal, "vertical.code", code).await?;
        known.extend(found.map(|(id, details)| VerticalRef { id, code: details.code }));
    }
    Ok(known)
}

/// What the codes of benchmark rows mean; what is unknown is left out.
///
/// # Errors
/// When a stream cannot be loaded.
pub async fn known(journal: &Journal, rows: &[BenchmarkItem]) -> Result<KnownCodes, ExecuteError> {
    async fn all<'a, K: LookupKind, I: TryFrom<i64>>(
        journal: &Journal,
        scope: &str,
        codes: impl Iterator<Item = &'a Code>,
    ) -> Result<BTreeMap<String, I>, ExecuteError> {
        let distinct: BTreeMap<String, &Code> = codes.map(|code| (code.key(), code)).collect();
        let mut known = BTreeMap::new();
        for (key, code) in distinct {
            known.extend(id_of::<K, I>(journal, scope, code).await?.map(|(id, _)| (key, id)));
        }
        Ok(known)
    }
    Ok(KnownCodes {
        industries: all::<IndustryTypeKind, _>(
            journal,
            "industry_type.code",
            rows.iter().filter_map(|row| row.industry.as_ref()),
        )
        .await?,
        verticals: all::<VerticalKind, _>(journal, "vertical.code", rows.iter().map(|row| &row.vertical)).await?,
        regions: all::<RegionKind, _>(journal, "region.code", rows.iter().filter_map(|row| row.region.as_ref()))
            .await?,
    })
}

/// Something that a query names by its id or by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Industry,
    Vertical,
    Region,
}

impl Place {
    /// The id behind an id or a code; `None` when there is no such code.
    ///
    /// # Errors
    /// When a stream cannot be loaded.
    pub async fn id(self, journal: &Journal, text: &str) -> Result<Option<i64>, ExecuteError> {
        if let Ok(id) = text.parse::<i64>() {
            return Ok(Some(id));
        }
        Ok(match self {
            Self::Industry => {
                id_of::<IndustryTypeKind, i64>(journal, "industry_type.code", text).await?.map(|(id, _)| id)
            }
            Self::Vertical => id_of::<VerticalKind, i64>(journal, "vertical.code", text).await?.map(|(id, _)| id),
            Self::Region => id_of::<RegionKind, i64>(journal, "region.code", text).await?.map(|(id, _)| id),
        })
    }

    /// The code of what has this id, be it deleted or not.
    ///
    /// # Errors
    /// When the stream cannot be loaded.
    pub async fn code(self, journal: &Journal, id: i64) -> Result<Option<String>, ExecuteError> {
        async fn of<K: LookupKind>(journal: &Journal, id: i64) -> Result<Option<String>, ExecuteError> {
            let code = |lookup: &Lookup<K>| match lookup {
                Lookup::NotYet => None,
                Lookup::Known { details, .. } => K::code(details).map(str::to_owned),
            };
            journal.read::<Lookup<K>, _>(id, |lookup, _| code(lookup)).await
        }
        match self {
            Self::Industry => of::<IndustryTypeKind>(journal, id).await,
            Self::Vertical => of::<VerticalKind>(journal, id).await,
            Self::Region => of::<RegionKind>(journal, id).await,
        }
    }
}
