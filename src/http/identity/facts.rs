//! What a command on one thing has to know of the others that it names, read from their streams.

use identity::{
    client::{PairFacts, StaffFacts},
    company::Company,
    user::User,
};
use kernel::{Change, CompanyId, IndustryTypeId, Reference, UserId, VerticalId};
use reference::{IndustryType, Vertical};

use crate::journal::{ExecuteError, Unit};

pub(super) async fn user(unit: &mut Unit<'_>, id: UserId) -> Result<Reference<UserId>, ExecuteError> {
    Ok(Reference::new(id, unit.read::<User, _>(id, |user, _| user.is_active()).await?))
}

pub(super) async fn company(unit: &mut Unit<'_>, id: CompanyId) -> Result<Reference<CompanyId>, ExecuteError> {
    Ok(Reference::new(id, unit.read::<Company, _>(id, |company, _| company.is_active()).await?))
}

pub(super) async fn industry(
    unit: &mut Unit<'_>,
    id: IndustryTypeId,
) -> Result<Reference<IndustryTypeId>, ExecuteError> {
    Ok(Reference::new(id, unit.read::<IndustryType, _>(id, |industry, _| industry.is_active()).await?))
}

pub(super) async fn staff(unit: &mut Unit<'_>, id: UserId) -> Result<StaffFacts, ExecuteError> {
    unit.read::<User, _>(id, |user, _| StaffFacts { id, role: user.role(), is_active: user.is_active() }).await
}

pub(super) async fn pairs(unit: &mut Unit<'_>, pairs: &[(VerticalId, UserId)]) -> Result<Vec<PairFacts>, ExecuteError> {
    let mut facts = Vec::with_capacity(pairs.len());
    for (vertical, consultant) in pairs.iter().copied() {
        let is_active = unit.read::<Vertical, _>(vertical, |vertical, _| vertical.is_active()).await?;
        let consultant = staff(unit, consultant).await?;
        facts.push(PairFacts { vertical: Reference::new(vertical, is_active), consultant });
    }
    Ok(facts)
}

/// What is known of the thing that a payload may name.
pub(super) async fn of_named<I, F>(
    unit: &mut Unit<'_>,
    named: Option<I>,
    learn: impl AsyncFnOnce(&mut Unit<'_>, I) -> Result<F, ExecuteError>,
) -> Result<Option<F>, ExecuteError> {
    match named {
        Some(id) => learn(unit, id).await.map(Some),
        None => Ok(None),
    }
}

/// What is known of the thing that a partial update may name.
pub(super) async fn of_change<I, F>(
    unit: &mut Unit<'_>,
    change: Change<I>,
    learn: impl AsyncFnOnce(&mut Unit<'_>, I) -> Result<F, ExecuteError>,
) -> Result<Change<F>, ExecuteError> {
    match change {
        Change::Set(id) => learn(unit, id).await.map(Change::Set),
        Change::Clear => Ok(Change::Clear),
        Change::Keep => Ok(Change::Keep),
    }
}
