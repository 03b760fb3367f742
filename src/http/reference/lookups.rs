//! What all kinds of look-ups have in common over HTTP; where each is found stands in `routes.rs`.

use actix_web::{HttpResponse, http::StatusCode};
use reference::{
    ConsultantRoleKind, CurrencyKind, IndustryTypeKind, Lookup, LookupCommand, OperationsRoleKind, RegionKind,
    SolutionComponentKind, VerticalKind,
};
use reference_projections::lookup_list::{self, Listed};
use runtime::page::Condition;

use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        params::Params,
        permission::Permission,
        problem::Problem,
    },
    lookups::{self, Numbered},
};

/// A kind that is served: who may read it, and the names of what can be done with it.
pub(super) trait Served: Listed + Numbered {
    const READ: Permission;
    const CREATE: &'static str;
    const CHANGE: &'static str;
    const DELETE: &'static str;
    const RESTORE: &'static str;
}

macro_rules! served {
    ($($kind:ident, $read:ident, $name:literal;)+) => {$(
        impl Served for $kind {
            const READ: Permission = Permission::$read;
            const CREATE: &'static str = concat!($name, ".create");
            const CHANGE: &'static str = concat!($name, ".change_details");
            const DELETE: &'static str = concat!($name, ".delete");
            const RESTORE: &'static str = concat!($name, ".restore");
        }
    )+};
}

served! {
    RegionKind, MasterDataRead, "region";
    CurrencyKind, MasterDataRead, "currency";
    OperationsRoleKind, RolesRead, "operations_role";
    ConsultantRoleKind, RolesRead, "consultant_role";
    IndustryTypeKind, MasterDataRead, "industry_type";
    VerticalKind, MasterDataRead, "vertical";
    SolutionComponentKind, RolesRead, "solution_component";
}

pub(super) async fn list<K: Served>(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(K::READ)?;
    let list = params.list(K::TABLE, lookup_list::ORDER, &[("name", "name", "text")])?;
    let mut conditions = lookup_list::visible_to(call.actor());
    let include_deleted = params.flag("include_deleted")?.unwrap_or(false) && call.actor().is_admin();
    conditions.extend(lookup_list::listed(params.flag("is_active")?, include_deleted));
    if let Some(level) = params.text("experience_level") {
        conditions.push(Condition::TextIgnoringCase("experience_level", level.to_owned()));
    }
    conditions.extend(params.text("search").map(lookup_list::search));
    call.list(K::TABLE, &params, list, conditions).await
}

pub(super) async fn one<K: Served>(call: Call, id: K::Id) -> Result<HttpResponse, Problem> {
    call.may(K::READ)?;
    call.one(K::TABLE, K::TABLE, id.into(), lookup_list::visible_to(call.actor())).await
}

pub(super) async fn create<K: Served>(call: Call, body: Body<K::Details>) -> Result<HttpResponse, Problem> {
    call.may(Permission::MasterDataWrite)?;
    let details = body.read()?;
    call.command(K::CREATE, async |unit| {
        let id: K::Id = unit.journal().ids().next().await?;
        lookups::decide::<K>(unit, id, LookupCommand::Create(details.clone())).await?;
        Reply::resource::<Lookup<K>>(StatusCode::CREATED, unit, id).await
    })
    .await
}

async fn change<K: Served>(
    call: &Call,
    id: K::Id,
    name: &'static str,
    command: LookupCommand<K>,
) -> Result<HttpResponse, Problem> {
    let seen = call.seen_version()?;
    call.command(name, async |unit| {
        if unit.version::<Lookup<K>>(id).await? == 0 {
            return Err(Problem::not_found());
        }
        unit.require_version::<Lookup<K>>(id, seen).await?;
        lookups::decide::<K>(unit, id, command.clone()).await?;
        match &command {
            LookupCommand::Delete => Ok(Reply::nothing()),
            _ => Reply::resource::<Lookup<K>>(StatusCode::OK, unit, id).await,
        }
    })
    .await
}

pub(super) async fn update<K: Served>(call: Call, id: K::Id, body: Body<K::Changes>) -> Result<HttpResponse, Problem> {
    call.may(Permission::MasterDataWrite)?;
    change(&call, id, K::CHANGE, LookupCommand::<K>::ChangeDetails(body.read()?)).await
}

pub(super) async fn delete<K: Served>(call: Call, id: K::Id) -> Result<HttpResponse, Problem> {
    call.may(Permission::MasterDataWrite)?;
    change(&call, id, K::DELETE, LookupCommand::<K>::Delete).await
}

pub(super) async fn restore<K: Served>(call: Call, id: K::Id) -> Result<HttpResponse, Problem> {
    call.may(Permission::MasterDataWrite)?;
    change(&call, id, K::RESTORE, LookupCommand::<K>::Restore).await
}
