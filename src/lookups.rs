//! Look-ups with their reservations: what must be unique is taken and given back in the unit that decides.

use kernel::{
    ConsultantRoleId, CurrencyId, Id, IndustryTypeId, OperationsRoleId, RegionId, SolutionComponentId, VerticalId,
};
use reference::{
    ConsultantRoleKind, CurrencyKind, IndustryTypeKind, Lookup, LookupCommand, LookupKind, OperationsRoleKind,
    RegionKind, SolutionComponentKind, VerticalKind,
};

use crate::journal::{ExecuteError, Refused, Unit};

/// A kind whose look-ups are numbered by ids of their own.
pub trait Numbered: LookupKind {
    type Id: Id + std::fmt::Display + std::str::FromStr;
}

macro_rules! numbered {
    ($($kind:ident by $id:ident),+ $(,)?) => {$(impl Numbered for $kind { type Id = $id; })+};
}

numbered! {
    RegionKind by RegionId,
    CurrencyKind by CurrencyId,
    OperationsRoleKind by OperationsRoleId,
    ConsultantRoleKind by ConsultantRoleId,
    IndustryTypeKind by IndustryTypeId,
    VerticalKind by VerticalId,
    SolutionComponentKind by SolutionComponentId,
}

type Keys = Vec<(&'static str, String)>;

async fn keys<K: Numbered>(unit: &mut Unit<'_>, id: K::Id) -> Result<Keys, ExecuteError> {
    unit.read::<Lookup<K>, _>(id, |lookup, _| lookup.live().map(K::unique_keys).unwrap_or_default()).await
}

/// Has a look-up decide; its reservations follow. A deleted one holds none.
///
/// # Errors
/// What it refuses; `NAME_TAKEN` or `CODE_TAKEN` when another one has the name or code.
pub async fn decide<K: Numbered>(
    unit: &mut Unit<'_>,
    id: K::Id,
    command: LookupCommand<K>,
) -> Result<(), ExecuteError> {
    let before = keys::<K>(unit, id).await?;
    unit.decide::<Lookup<K>, _>(id, command).await?;
    let after = keys::<K>(unit, id).await?;
    for (scope, value) in after.iter().filter(|key| !before.contains(key)) {
        let member = scope.rsplit('.').next().unwrap_or_default();
        let code = if member == "name" { "NAME_TAKEN" } else { "CODE_TAKEN" };
        unit.claim(scope, value, id, || Refused::conflict(code, member, format!("another one has this {member}")))
            .await?;
    }
    for (scope, value) in before.iter().filter(|key| !after.contains(key)) {
        unit.release(scope, value, id).await?;
    }
    Ok(())
}
