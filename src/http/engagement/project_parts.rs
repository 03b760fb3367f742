//! A project's milestones, expenses and opportunities.

use actix_web::{HttpResponse, http::StatusCode, post, put, web};
use chrono::NaiveDate;
use engagement::{
    project::{
        Expense, ExpensePosting, KnownProject, Milestone, MilestoneChange, MilestoneDraft, MilestoneStatus,
        OpportunityChange, Project, ProjectCommand, ProjectOpportunity, Stage,
    },
    proposal::Deliverable,
};
use kernel::{Change, ExpenseId, MilestoneId, ProjectId, ProjectOpportunityId, Text};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::shown::{ShownPart, of_project};
use crate::{
    http::{
        body::{Body, set_or_keep},
        call::{Call, Reply},
        permission::Permission,
        problem::Problem,
    },
    journal::Unit,
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(add_milestone).service(change_milestone).service(post_expense).service(change_project_opportunity);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MilestoneBody {
    name: Deliverable,
    /// 1 when absent.
    #[serde(default)]
    weight: Option<Decimal>,
    #[serde(default)]
    due_date: Option<NaiveDate>,
    #[serde(default)]
    percent: Option<Decimal>,
    #[serde(default)]
    status: Option<MilestoneStatus>,
}

/// What is to change; absent keeps, null clears the due date.
#[derive(Deserialize, ToSchema, Default)]
#[serde(default, deny_unknown_fields)]
struct MilestoneChangesBody {
    name: Change<Deliverable>,
    weight: Change<Decimal>,
    due_date: Change<NaiveDate>,
    percent: Change<Decimal>,
    status: Change<MilestoneStatus>,
}

/// Either an expense (`date`, `category`, `amount`), or the reversal of one (`reversal_of`, `description`).
#[derive(Deserialize, ToSchema, Default)]
#[serde(default, deny_unknown_fields)]
struct ExpenseBody {
    date: Option<NaiveDate>,
    category: Option<Text<1, 100>>,
    amount: Option<Decimal>,
    description: Option<Text<1, 1000>>,
    reference: Option<Text<1, 200>>,
    reversal_of: Option<ExpenseId>,
}

/// What is to change; absent keeps, null clears the notes.
#[derive(Deserialize, ToSchema, Default)]
#[serde(default, deny_unknown_fields)]
struct OpportunityBody {
    stage: Change<Stage>,
    actual_savings: Change<Decimal>,
    notes: Change<Text<1, 4000>>,
}

fn required<T>(field: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::field("REQUIRED", field, "is required"))
}

fn absent<T>(field: &str, value: Option<&T>) -> Result<(), Problem> {
    match value {
        None => Ok(()),
        Some(_) => Err(Problem::field("UNKNOWN_FIELD", field, "has no place in a reversal")),
    }
}

/// What the body of an expense says.
#[derive(Clone)]
enum Entry {
    Posting {
        date: NaiveDate,
        category: Text<1, 100>,
        amount: Decimal,
        description: Option<Text<1, 1000>>,
        reference: Option<Text<1, 200>>,
    },
    Reversal {
        reversal_of: ExpenseId,
        description: Text<1, 1000>,
    },
}

impl ExpenseBody {
    fn entry(self) -> Result<Entry, Problem> {
        let Some(reversal_of) = self.reversal_of else {
            return Ok(Entry::Posting {
                date: required("date", self.date)?,
                category: required("category", self.category)?,
                amount: required("amount", self.amount)?,
                description: self.description,
                reference: self.reference,
            });
        };
        absent("date", self.date.as_ref())?;
        absent("category", self.category.as_ref())?;
        absent("amount", self.amount.as_ref())?;
        absent("reference", self.reference.as_ref())?;
        Ok(Entry::Reversal { reversal_of, description: required("description", self.description)? })
    }
}

impl Entry {
    fn command(self, id: ExpenseId, block_over_budget: bool) -> ProjectCommand {
        match self {
            Self::Posting { date, category, amount, description, reference } => {
                ProjectCommand::PostExpense(ExpensePosting {
                    id,
                    date,
                    category,
                    amount,
                    description,
                    reference,
                    block_over_budget,
                })
            }
            Self::Reversal { reversal_of, description } => {
                ProjectCommand::ReverseExpense { id, reversal_of, description }
            }
        }
    }
}

/// Answers with a part of the project, how the project stands with it, and the project's version.
async fn reply<T: Serialize>(
    status: StatusCode,
    unit: &mut Unit<'_>,
    id: ProjectId,
    find: impl FnOnce(&KnownProject) -> Option<T>,
) -> Result<Reply, Problem> {
    let today = unit.issuer().at.date_naive();
    let (part, tracking) = of_project(unit, id, |known| (find(known), known.tracking(today))).await?;
    let part = part.ok_or_else(Problem::not_found)?;
    Ok(Reply::json(status, &ShownPart { part, tracking })?.at_version(unit.version::<Project>(id).await?))
}

fn milestone(known: &KnownProject, id: MilestoneId) -> Option<Milestone> {
    known.milestones.iter().find(|milestone| milestone.id == id).cloned()
}

/// Adds a milestone.
#[utoipa::path(tag = "projects", params(("id" = ProjectId, Path)), request_body = MilestoneBody,
    responses((status = 201, body = ShownPart<Milestone>), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/projects/{id}/milestones/")]
pub(super) async fn add_milestone(
    call: Call,
    id: web::Path<ProjectId>,
    body: Body<MilestoneBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProjectWrite)?;
    let (project, body, seen) = (*id, body.read()?, call.seen_version()?);
    let MilestoneBody { name, weight, due_date, percent, status } = body;
    let draft = MilestoneDraft { name, weight, due_date, percent, status };
    call.command("project.add_milestone", async |unit| {
        unit.require_version::<Project>(project, seen).await?;
        let id = unit.journal().ids().next().await?;
        unit.decide::<Project, _>(project, ProjectCommand::AddMilestone { id, draft: draft.clone() }).await?;
        reply(StatusCode::CREATED, unit, project, |known| milestone(known, id)).await
    })
    .await
}

/// Reports on a milestone, or changes it.
#[utoipa::path(tag = "projects", params(("id" = ProjectId, Path), ("mid" = MilestoneId, Path)),
    request_body = MilestoneChangesBody,
    responses((status = 200, body = ShownPart<Milestone>), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[put("/api/projects/{id}/milestones/{mid}/")]
pub(super) async fn change_milestone(
    call: Call,
    path: web::Path<(ProjectId, MilestoneId)>,
    body: Body<MilestoneChangesBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProjectWrite)?;
    let ((project, id), body, seen) = (*path, body.read()?, call.seen_version()?);
    let change = MilestoneChange {
        name: set_or_keep("name", body.name)?,
        weight: set_or_keep("weight", body.weight)?,
        due_date: body.due_date,
        percent: set_or_keep("percent", body.percent)?,
        status: set_or_keep("status", body.status)?,
    };
    call.command("project.change_milestone", async |unit| {
        unit.require_version::<Project>(project, seen).await?;
        unit.decide::<Project, _>(project, ProjectCommand::ChangeMilestone { id, change: change.clone() }).await?;
        reply(StatusCode::OK, unit, project, |known| milestone(known, id)).await
    })
    .await
}

/// Posts an expense, or takes one back. An expense is never edited.
#[utoipa::path(tag = "projects", params(("id" = ProjectId, Path)), request_body = ExpenseBody,
    responses((status = 201, body = ShownPart<Expense>), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/projects/{id}/expenses/")]
pub(super) async fn post_expense(
    call: Call,
    id: web::Path<ProjectId>,
    body: Body<ExpenseBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProjectWrite)?;
    let block_over_budget = call.app().config.signals.block_over_budget;
    let (project, entry, seen) = (*id, body.read()?.entry()?, call.seen_version()?);
    call.command("project.post_expense", async |unit| {
        unit.require_version::<Project>(project, seen).await?;
        let id = unit.journal().ids().next().await?;
        unit.decide::<Project, _>(project, entry.clone().command(id, block_over_budget)).await?;
        let find = |known: &KnownProject| known.expenses.iter().find(|expense| expense.id == id).cloned();
        reply(StatusCode::CREATED, unit, project, find).await
    })
    .await
}

/// Reports on an opportunity: its stage and what it really saves.
#[utoipa::path(tag = "projects", params(("id" = ProjectId, Path), ("poid" = ProjectOpportunityId, Path)),
    request_body = OpportunityBody,
    responses((status = 200, body = ShownPart<ProjectOpportunity>), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[put("/api/projects/{id}/opportunities/{poid}/")]
pub(super) async fn change_project_opportunity(
    call: Call,
    path: web::Path<(ProjectId, ProjectOpportunityId)>,
    body: Body<OpportunityBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProjectWrite)?;
    let ((project, id), body, seen) = (*path, body.read()?, call.seen_version()?);
    let change = OpportunityChange {
        stage: set_or_keep("stage", body.stage)?,
        actual_savings: set_or_keep("actual_savings", body.actual_savings)?,
        notes: body.notes,
    };
    call.command("project.change_opportunity", async |unit| {
        unit.require_version::<Project>(project, seen).await?;
        unit.decide::<Project, _>(project, ProjectCommand::ChangeOpportunity { id, change: change.clone() }).await?;
        let find = |known: &KnownProject| known.opportunities.iter().find(|own| own.id == id).cloned();
        reply(StatusCode::OK, unit, project, find).await
    })
    .await
}
