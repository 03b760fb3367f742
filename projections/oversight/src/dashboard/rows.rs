//! A row an entity: what the figures are computed from, and whose it is.

use std::collections::BTreeSet;

use engagement::{
    assessment::{Assessment, AssessmentView, Header, Profile},
    participants::Participants,
    project::{Milestone, MilestoneStatus, Project, ProjectView},
    proposal::{Proposal, ProposalView},
    solution_costing::{CostingView, KnownCosting, SolutionCosting},
};
use identity::{
    client::{Client, ClientView},
    company::{Company, CompanyView},
};
use kernel::UserId;
use runtime::ResourceTable;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// The columns of every row that belongs to an engagement, and those of its own. `is_sent`: the client may see it.
macro_rules! columns {
    ($own:literal) => {
        concat!(
            "client_user_id bigint, reviewer_id bigint, managed_by bigint, consultant_ids bigint[] NOT NULL,
             is_sent boolean NOT NULL, is_deleted boolean NOT NULL, status text NOT NULL, ",
            $own
        )
    };
}

fn with_people(people: Option<&Participants>, own: Value) -> Map<String, Value> {
    let nobody = BTreeSet::<UserId>::new();
    let people = json!({
        "client_user_id": people.map(|people| people.client),
        "reviewer_id": people.and_then(|people| people.reviewer),
        "managed_by": people.map(|people| people.managed_by),
        "consultant_ids": people.map_or(&nobody, |people| &people.consultants),
    });
    [people, own].into_iter().filter_map(|part| part.as_object().cloned()).flatten().collect()
}

pub(super) struct Assessments;

impl ResourceTable for Assessments {
    type Resource = Assessment;
    const NAME: &'static str = "dashboard_assessments";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["assessment"];
    const COLUMNS: &'static str = columns!("name text NOT NULL, annual_savings numeric");
    const INDEXES: &'static str =
        "CREATE INDEX ON dashboard_assessments (updated_at DESC, id DESC) WHERE NOT is_deleted";

    fn columns(state: &Header, view: &AssessmentView) -> Map<String, Value> {
        let people = state.known().map(Profile::participants);
        let own = json!({
            "is_sent": true,
            "is_deleted": view.is_deleted,
            "status": view.status,
            "name": view.name,
            "annual_savings": view.report_data.as_ref().map(|metrics| metrics.annual_savings),
        });
        with_people(people.as_ref(), own)
    }
}

pub(super) struct Costings;

impl ResourceTable for Costings {
    type Resource = SolutionCosting;
    const NAME: &'static str = "dashboard_costings";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["solution_costing"];
    const COLUMNS: &'static str = columns!(
        "assessment_id bigint NOT NULL, currency_id bigint NOT NULL, annual_savings numeric NOT NULL,
         roi_percent numeric, investment numeric NOT NULL, earned numeric"
    );
    const INDEXES: &'static str = "CREATE INDEX ON dashboard_costings (status, assessment_id) WHERE NOT is_deleted";

    fn columns(state: &SolutionCosting, view: &CostingView) -> Map<String, Value> {
        let known = state.known();
        let own = json!({
            "is_sent": known.is_some_and(|known| known.is_disclosed),
            "is_deleted": view.is_deleted,
            "status": view.status,
            "assessment_id": view.assessment_id,
            "currency_id": view.currency,
            "annual_savings": view.roi_summary.annual_savings,
            "roi_percent": view.roi_summary.roi_percent,
            "investment": view.totals.one_time_cost,
            "earned": known.and_then(earned),
        });
        with_people(known.map(|known| &known.participants), own)
    }
}

/// What the investment earns over the horizon: the sum of the cash flows of spec 12.5.
fn earned(known: &KnownCosting) -> Option<Decimal> {
    let financials = known.amounts.financials(&known.with.parameters).ok()?;
    financials.cash_flows.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)
}

pub(super) struct Proposals;

impl ResourceTable for Proposals {
    type Resource = Proposal;
    const NAME: &'static str = "dashboard_proposals";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["proposal"];
    const COLUMNS: &'static str = columns!(
        "assessment_id bigint NOT NULL, title text NOT NULL, currency_id bigint NOT NULL, total_value numeric NOT NULL"
    );
    const INDEXES: &'static str = "CREATE INDEX ON dashboard_proposals (updated_at DESC, id DESC) WHERE NOT is_deleted";

    fn columns(state: &Proposal, view: &ProposalView) -> Map<String, Value> {
        let own = json!({
            "is_sent": view.submitted_at.is_some(),
            "is_deleted": view.is_deleted,
            "status": view.status,
            "assessment_id": view.assessment_id,
            "title": view.content.title,
            "currency_id": view.currency,
            "total_value": view.total_value,
        });
        with_people(state.known().map(|known| &known.participants), own)
    }
}

pub(super) struct Projects;

impl ResourceTable for Projects {
    type Resource = Project;
    const NAME: &'static str = "dashboard_projects";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["project"];
    const COLUMNS: &'static str = columns!(
        "assessment_id bigint NOT NULL, name text NOT NULL, currency_id bigint NOT NULL, budget_limit numeric NOT NULL,
         percent_complete numeric NOT NULL, completed_milestones bigint NOT NULL, total_milestones bigint NOT NULL"
    );
    const INDEXES: &'static str = "CREATE INDEX ON dashboard_projects (updated_at DESC, id DESC) WHERE NOT is_deleted";

    fn columns(state: &Project, view: &ProjectView) -> Map<String, Value> {
        let count = |is: fn(&Milestone) -> bool| view.milestones.iter().filter(|milestone| is(milestone)).count();
        let own = json!({
            "is_sent": true,
            "is_deleted": view.is_deleted,
            "status": view.stage,
            "assessment_id": view.assessment_id,
            "name": view.details.name,
            "currency_id": view.currency,
            "budget_limit": view.details.budget_limit,
            "percent_complete": view.percent_complete,
            "completed_milestones": count(|milestone| milestone.status == MilestoneStatus::Done),
            // What is skipped is no longer part of the work.
            "total_milestones": count(|milestone| milestone.status != MilestoneStatus::Skipped),
        });
        with_people(state.known().map(|known| &known.participants), own)
    }
}

/// Which company a client's user stands for.
pub(super) struct Clients;

impl ResourceTable for Clients {
    type Resource = Client;
    const NAME: &'static str = "dashboard_clients";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["client"];
    const COLUMNS: &'static str = "user_id bigint NOT NULL, company_id bigint NOT NULL";
    const INDEXES: &'static str = "CREATE INDEX ON dashboard_clients (user_id)";

    fn columns(_: &Client, view: &ClientView) -> Map<String, Value> {
        let own = json!({"user_id": view.user_id, "company_id": view.details.company_id});
        own.as_object().cloned().unwrap_or_default()
    }
}

pub(super) struct Companies;

impl ResourceTable for Companies {
    type Resource = Company;
    const NAME: &'static str = "dashboard_companies";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["company"];
    const COLUMNS: &'static str = "name text NOT NULL";
    const INDEXES: &'static str = "";

    fn columns(_: &Company, view: &CompanyView) -> Map<String, Value> {
        json!({"name": *view.details.name}).as_object().cloned().unwrap_or_default()
    }
}
