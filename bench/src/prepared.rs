//! A seeded journal as a node would have it after years of work: read models built, every reader at its end, somebody
//! who may sign in.

use anyhow::{Context, Result};
use ddc::{
    fanout,
    journal::{ExecuteError, Issuer},
    reactions,
    tenant::Tenant,
};
use identity::user::{NewUser, User, UserCommand, UserProfile};
use identity_projections::company_list::CompanyList;
use kernel::{Email, Role, UserId};
use runtime::{Projection, ResourceTable, rebuild};

/// Who commands and asks, by this email.
pub(crate) const ADMIN: &str = "admin@bench.example";

/// Builds a projection anew as a new version of it would be: up to the journal's end, swapped in.
pub(crate) async fn build(tenant: &Tenant, projection: &dyn Projection) -> Result<rebuild::Report> {
    // A version that never was: whatever runs now is another one.
    sqlx::query("UPDATE checkpoints SET version = 0 WHERE name = $1")
        .bind(projection.reader())
        .execute(&tenant.pool)
        .await?;
    let report = rebuild::rebuild(&tenant.pool, tenant.journal.codec(), projection, &mut |_| {}).await;
    report.with_context(|| format!("{} cannot be rebuilt", projection.name()))
}

/// The projection with this name.
pub(crate) fn projection<'a>(tenant: &'a Tenant, name: &str) -> Result<&'a dyn Projection> {
    let found = tenant.projections.iter().find(|projection| projection.name() == name);
    found.map(AsRef::as_ref).with_context(|| format!("there is no projection {name}"))
}

/// Builds the list of companies, and lets all other readers begin at the journal's end.
pub(crate) async fn prepare(tenant: &Tenant) -> Result<()> {
    build(tenant, projection(tenant, CompanyList::NAME)?).await?;
    sqlx::query("UPDATE checkpoints SET position = (SELECT position FROM journal_head)").execute(&tenant.pool).await?;
    let readers = reactions::all().iter().map(|reaction| reaction.name().to_owned()).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO checkpoints (name, version, position, epoch)
         SELECT name, 1, position, 0 FROM unnest($1::text[]) AS name, journal_head ON CONFLICT DO NOTHING",
    )
    .bind([readers, vec![fanout::relay::NAME.to_owned()]].concat())
    .execute(&tenant.pool)
    .await?;
    sqlx::query(
        "INSERT INTO consumers (name, position) SELECT name, position FROM unnest($1::text[]) AS name, journal_head",
    )
    .bind(vec![fanout::NOTIFICATIONS, fanout::EMAILS])
    .execute(&tenant.pool)
    .await?;
    register(tenant).await
}

/// The ADMIN is user 1: the seeded events say so.
async fn register(tenant: &Tenant) -> Result<()> {
    let id = admin()?;
    let user = NewUser {
        id,
        email: Email::new(ADMIN)?,
        role: Role::Admin,
        company_name: None,
        parent: None,
        industry_type: None,
        profile: UserProfile::default(),
        must_set_password: false,
    };
    tenant
        .journal
        .execute::<_, ExecuteError>(&Issuer::system("user.register"), async |unit| {
            unit.decide::<User, _>(id, UserCommand::Register(user.clone())).await
        })
        .await?;
    Ok(())
}

pub(crate) fn admin() -> Result<UserId> {
    Ok(UserId::try_from(1)?)
}
