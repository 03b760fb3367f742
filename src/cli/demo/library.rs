//! What the firm knows before it has a client: reference data, the question library, what people and parts cost.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Play;
use super::api::{Session, id, items};
use super::content::{Coded, RoleRate};
use super::say::shown;

/// The ids of the reference data that the engagement names.
pub(super) struct Places {
    pub(super) industry: i64,
    pub(super) region: i64,
    pub(super) currencies: BTreeMap<String, i64>,
    /// By code.
    pub(super) verticals: BTreeMap<String, i64>,
}

/// What the costing is priced with.
pub(super) struct Cards {
    pub(super) rate_card: i64,
    pub(super) solution_rate_card: i64,
    /// Roles of both kinds and components, by code.
    pub(super) priced: BTreeMap<String, i64>,
}

pub(super) async fn lay_out_reference_data(play: &mut Play<'_>, admin: &Session<'_>) -> Result<Places> {
    play.story.step("The administrator", "sees to regions, currencies, the industry and the process verticals");
    let engagement = &play.content.engagement;
    let mut created = 0;
    let mut of = async |plural: &str, singular: &str, wanted: &[Coded]| -> Result<BTreeMap<String, i64>> {
        let (ids, new) =
            look_up_or_create(admin, &format!("/api/common/{plural}/"), &format!("/api/common/{singular}/"), wanted)
                .await?;
        created += new;
        Ok(ids)
    };
    let regions = of("regions", "region", &engagement.regions).await?;
    let currencies = of("currencies", "currency", &engagement.currencies).await?;
    let industries = of("industry-types", "industry-type", std::slice::from_ref(&engagement.industry)).await?;
    let verticals = of("verticals", "vertical", &engagement.verticals).await?;
    play.story.fact(&format!(
        "{} verticals, {} regions, {} currencies; {created} rows were new",
        verticals.len(),
        regions.len(),
        currencies.len()
    ));
    Ok(Places {
        industry: found(&industries, &engagement.industry.code)?,
        region: found(&regions, &engagement.region_code)?,
        currencies,
        verticals,
    })
}

/// The ids of what is wanted, by code, and how many rows had to be created. A row is also known by its name.
async fn look_up_or_create(
    admin: &Session<'_>,
    list: &str,
    create: &str,
    wanted: &[Coded],
) -> Result<(BTreeMap<String, i64>, usize)> {
    let rows = admin.list(list).await?;
    let mut ids = BTreeMap::new();
    let mut created = 0;
    for one in wanted {
        let name = one.others.get("name").and_then(Value::as_str).unwrap_or(&one.code);
        let is = |row: &&Value, key: &str, wanted: &str| {
            row.get(key).and_then(Value::as_str).is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted))
        };
        let row = rows
            .iter()
            .find(|row| is(row, "code", &one.code))
            .or_else(|| rows.iter().find(|row| is(row, "name", name)));
        let row_id = if let Some(row) = row {
            id(row)?
        } else {
            let mut body = one.others.clone();
            body.insert("code".to_owned(), Value::from(one.code.clone()));
            created += 1;
            id(&admin.post(create, &Value::Object(body)).await?)?
        };
        ids.insert(one.code.clone(), row_id);
    }
    Ok((ids, created))
}

/// The id of what has this code.
///
/// # Errors
/// When nothing has.
pub(super) fn found(ids: &BTreeMap<String, i64>, code: &str) -> Result<i64> {
    ids.get(code).copied().with_context(|| format!("nothing has the code {code}"))
}

/// Questions first: rules, benchmarks and levers name their codes.
pub(super) async fn import_library(play: &mut Play<'_>, admin: &Session<'_>) -> Result<()> {
    play.story.step("The administrator", "imports the questions, rules, benchmarks and levers");
    for (what, path, file, mime) in [
        ("questions", "/api/questionnaires/import/", "questionnaire.json", "application/json"),
        ("rules", "/api/questionnaires/rules/import/", "rules.json", "application/json"),
        ("benchmarks", "/api/benchmarks/import/", "benchmarks.csv", "text/csv"),
        ("levers", "/api/opportunity-templates/import/", "opportunity_templates.json", "application/json"),
    ] {
        let report = admin.upload(path, file, mime, play.content.file(file)?).await?;
        refuse_errors(file, &report)?;
        play.story.fact(&format!(
            "{what:<12}{:>4} created {:>4} updated {:>4} unchanged",
            shown(&report, "created"),
            shown(&report, "updated"),
            shown(&report, "unchanged"),
        ));
    }
    Ok(())
}

/// An import that reports errors in rows is no success here.
///
/// # Errors
/// With all that the report complains of.
pub(super) fn refuse_errors(file: &str, report: &Value) -> Result<()> {
    let errors = report.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if errors.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = errors.iter().map(|error| format!("  {error}")).collect();
    bail!("{file} was not accepted whole\n{}", lines.join("\n"))
}

/// Roles and components of the firm, the client's own rate card, and a card for what is built.
pub(super) async fn price_roles(
    play: &mut Play<'_>,
    admin: &Session<'_>,
    places: &Places,
    client: i64,
) -> Result<Cards> {
    play.story.step("The administrator", "makes a rate card for the client and puts it into effect");
    let rates = &play.content.rates;
    let (operations, _) = look_up_or_create(
        admin,
        "/api/common/operations-roles/",
        "/api/common/operations-role/",
        &rates.operations_roles,
    )
    .await?;
    let (consultants, _) = look_up_or_create(
        admin,
        "/api/common/consultant-roles/",
        "/api/common/consultant-role/",
        &rates.consultant_roles,
    )
    .await?;
    let (components, _) =
        look_up_or_create(admin, "/api/solution_components/", "/api/solution_components/", &rates.components).await?;

    let head = &rates.rate_card;
    let currency = found(&places.currencies, &head.currency_code)?;
    let draft = json!({"name": play.labelled(&head.name), "client": client, "assessment": null, "region": head.region, "currency": currency});
    let card = id(&admin.post("/api/rate_card/", &draft).await?)?;
    let revision = json!({
        "status": "ACTIVE",
        "operations_roles": with_role_ids(&rates.operations_rates, &operations)?,
        "consultant_roles": with_role_ids(&rates.consultant_rates, &consultants)?,
    });
    let active = admin.put(&format!("/api/rate_card/{card}/"), &revision).await?;
    play.story.fact(&format!(
        "rate card {card}, version {}, {}, {} roles",
        shown(&active, "version"),
        shown(&active, "status"),
        items(&active, "operations_roles")?.len() + items(&active, "consultant_roles")?.len()
    ));

    let mut solution = rates.solution_rate_card.others.clone();
    solution.insert("name".to_owned(), Value::from(play.labelled(&rates.solution_rate_card.name)));
    solution.insert("base_rate_card".to_owned(), Value::from(card));
    solution.insert("currency".to_owned(), Value::from(currency));
    let solution_card = id(&admin.post("/api/solution_rate_card/", &Value::Object(solution)).await?)?;
    let active = admin.put(&format!("/api/solution_rate_card/{solution_card}/"), &json!({"status": "ACTIVE"})).await?;
    play.story.fact(&format!(
        "solution rate card {solution_card}, {}, programme office {} %, support {} %",
        shown(&active, "status"),
        shown(&active, "pmo_percentage"),
        shown(&active, "support_percentage")
    ));

    let priced = operations.into_iter().chain(consultants).chain(components).collect();
    Ok(Cards { rate_card: card, solution_rate_card: solution_card, priced })
}

fn with_role_ids(rates: &[RoleRate], roles: &BTreeMap<String, i64>) -> Result<Vec<Value>> {
    rates
        .iter()
        .map(|rate| {
            let mut row = rate.others.clone();
            row.insert("role_id".to_owned(), Value::from(found(roles, &rate.role_code)?));
            Ok(Value::Object(row))
        })
        .collect()
}
