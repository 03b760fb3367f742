//! A client with a completed assessment, the people around it, and cards to price it with.

use std::collections::{BTreeMap, BTreeSet};

use ddc::journal::{ExecuteError, Issuer, Unit};
use engagement::{
    assessment::{
        AnalysisOrder, Assessment, AssessmentCommand, ClientFacts, InputMethod, ManagerFacts, NewAssessment, Pairing,
        Pins, default_policy,
    },
    business_case::{Basis, Complexity, Lever, Opportunity, OpportunityInput, Parameters, Source},
    questionnaire::QuestionSet,
    report::{NarrativeSource, Report, ReportStatus, SummaryMetrics},
    solution_costing::{CostingCommand, SolutionCosting},
};
use kernel::{
    AssessmentId, Code, OpportunityId, Reference, Role, RunId, SolutionCostingId, Text, VerticalId,
    testing::{id, now},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::{Node, PASSWORD, Session};

pub(super) struct World<'a> {
    node: &'a Node,
    pub(super) region: &'static str,
    pub(super) currency: i64,
    /// The order to cash team lead: 450.00 a day, 20 days a month.
    pub(super) role: i64,
    pub(super) rpa: i64,
    pub(super) idp: i64,
    pub(super) client: i64,
    pub(super) reviewer: i64,
    /// A consultant and a reviewer who have nothing to do with the client.
    pub(super) stranger: i64,
    pub(super) other_reviewer: i64,
    /// The client's, each with a consultant.
    pub(super) verticals: [i64; 2],
    pub(super) assessment: i64,
    /// What they save a year: 146,740.96 and 76,116.00.
    pub(super) opportunities: [i64; 2],
    pub(super) rate_card: i64,
    pub(super) solution_rate_card: i64,
}

fn number(of: &Value) -> i64 {
    of["id"].as_i64().unwrap()
}

impl<'a> World<'a> {
    pub(super) async fn build(node: &'a Node) -> Self {
        let admin = node.admin().await;
        let make = async |path: &str, body: Value| number(&admin.post(path, body).await.expect(201));
        let staff = async |email: &str, role: &str| {
            make("/api/accounts/users/", json!({"email": email, "role": role, "password": PASSWORD})).await
        };
        let consultant = staff("consultant@ddc.test", "CONSULTANT").await;
        let paired = staff("paired@ddc.test", "CONSULTANT").await;
        let stranger = staff("stranger@ddc.test", "CONSULTANT").await;
        let reviewer = staff("reviewer@ddc.test", "REVIEWER").await;
        let other_reviewer = staff("other-reviewer@ddc.test", "REVIEWER").await;
        let region = make("/api/common/region/", json!({"name": "United States", "code": "ZUSA"})).await;
        let currency = make("/api/common/currency/", json!({"name": "Test Dollar", "code": "XTD"})).await;
        let vertical = make("/api/common/vertical/", json!({"name": "Invoices", "code": "INV"})).await;
        let other_vertical = make("/api/common/vertical/", json!({"name": "Orders", "code": "ORD"})).await;
        let company = make("/api/common/company/", json!({"name": "Acme"})).await;
        let client = async |email: &str, reviewer: i64, pairs: Value| {
            let body = json!({"contact_email": email, "contact_name": "C", "company_id": company,
                "reviewer_id": reviewer, "verticals_and_consultants": pairs});
            let made = admin.post("/api/clients/add/", body).await.expect(201);
            let user: kernel::UserId = id(made["user_id"].as_i64().unwrap());
            let hash = ddc::auth::Password::try_from(PASSWORD.to_owned()).unwrap().hash().await.unwrap();
            hash.save(&node.app.tenant.pool, user).await.unwrap();
            user.get()
        };
        let pairs = json!([{"vertical_id": vertical, "consultant_id": paired},
            {"vertical_id": other_vertical, "consultant_id": consultant}]);
        let client_id = client("client@ddc.test", reviewer, pairs).await;
        client("other-client@ddc.test", other_reviewer, json!([])).await;
        let role = json!({"name": "Order to Cash Team Lead", "code": "O2C_TL", "experience_level": "SENIOR",
            "day_rate_min": "350.00", "day_rate_max": "550.00", "day_rate_current": "450.00", "number_of_days": 20});
        let role = make("/api/common/operations-role/", role).await;
        let component = async |code: &str, rate: &str| {
            make(
                "/api/solution_components/",
                json!({"name": code, "code": code, "unit": "piece", "default_rate": rate}),
            )
            .await
        };
        let (rpa, idp) = (component("RPA", "6500.00").await, component("IDP", "4800.00").await);
        let people = [client_id, reviewer, consultant, paired];
        let verticals = [vertical, other_vertical];
        let (assessment, opportunities) = complete_assessment(node, people, region, verticals).await;
        let mut world = Self {
            node,
            region: "ZUSA",
            currency,
            role,
            rpa,
            idp,
            client: client_id,
            reviewer,
            stranger,
            other_reviewer,
            verticals,
            assessment,
            opportunities,
            rate_card: 0,
            solution_rate_card: 0,
        };
        world.rate_card = world.client_card(&admin, "Acme").await;
        let rates = json!({"status": "ACTIVE", "operations_roles": [{"role_id": role, "day_rate": "450.00",
            "number_of_days": 20, "cost_day_rate": "310.00"}]});
        admin.put(&format!("/api/rate_card/{}/", world.rate_card), rates).await.expect(200);
        let card = json!({"name": "Build", "base_rate_card": world.rate_card, "currency": currency,
            "pmo_percentage": "12.00", "support_percentage": "18.00"});
        world.solution_rate_card = make("/api/solution_rate_card/", card).await;
        world
    }

    /// A draft of a card for the client alone.
    pub(super) async fn client_card(&self, admin: &Session<'_>, name: &str) -> i64 {
        let body = json!({"name": name, "client": self.client, "assessment": null, "region": self.region,
            "currency": self.currency});
        let card = admin.post("/api/rate_card/", body).await.expect(201);
        assert_eq!(card["scope"], "CUSTOM");
        number(&card)
    }

    pub(super) async fn login(&self, email: &str) -> Session<'a> {
        self.node.login(email, PASSWORD).await
    }

    /// Who manages the assessment.
    pub(super) async fn consultant(&self) -> Session<'a> {
        self.login("consultant@ddc.test").await
    }

    /// A draft of both opportunities; its path.
    pub(super) async fn costing(&self, by: &Session<'_>) -> String {
        let body = json!({"name": "Consulting ROI Estimate", "assessment_opportunities": self.opportunities,
            "rate_card": self.rate_card});
        let costing = by.post("/api/solution_costing/", body).await.expect(201);
        assert_eq!((&costing["status"], &costing["build_cost"]), (&json!("DRAFT"), &json!("0.00")));
        format!("/api/solution_costing/{}/", costing["id"])
    }

    /// A draft with the line of C1.
    pub(super) async fn priced_costing(&self, by: &Session<'_>) -> String {
        let path = self.costing(by).await;
        let line = json!({"solution_costing": Self::number_of(&path), "role": self.role, "headcount": "1.5", "duration_months": 6});
        by.post("/api/solution_costing/line-items/", line).await.expect(201);
        path
    }

    /// The number of the costing of this path.
    pub(super) fn number_of(path: &str) -> i64 {
        path.trim_end_matches('/').rsplit('/').next().unwrap().parse().unwrap()
    }

    /// An approved costing with the lines of C1 to C3 and their percentages.
    pub(super) async fn approved_costing(&self, by: &Session<'_>) -> String {
        let path = self.priced_costing(by).await;
        let costing = Self::number_of(&path);
        for (component, quantity, complexity, multiplier) in
            [(self.rpa, 3, "MEDIUM", "1.00"), (self.idp, 2, "HIGH", "1.10")]
        {
            let line = json!({"solution_costing": costing, "component": component, "quantity": quantity,
                "complexity": complexity, "multiplier": multiplier});
            by.post("/api/solution_costing/line-items/", line).await.expect(201);
        }
        by.put(&path, json!({"pmo_percentage": "12.00", "support_percentage": "18.00"})).await.expect(200);
        by.post(&format!("{path}submit/"), json!({})).await.expect(200);
        let reviewer = self.login("reviewer@ddc.test").await;
        reviewer.post(&format!("{path}approve/"), json!({})).await.expect(200);
        path
    }

    /// A proposal of the costing that was sent to the client; its path.
    pub(super) async fn offer(&self, by: &Session<'_>, costing: &str) -> String {
        let body = json!({"solution_costing_id": Self::number_of(costing), "title": "Automation",
            "timeline_weeks": 16, "validity_days": 30, "deliverables": ["Plan"]});
        let made = by.post("/api/proposals/", body).await.expect(201);
        let path = format!("/api/proposals/{}/", made["id"]);
        by.post(&format!("{path}submit/"), json!({})).await.expect(200);
        path
    }

    /// What the sending of a proposal does to its costing.
    pub(super) async fn disclose(&self, costing: SolutionCostingId) {
        execute(self.node, async |unit| {
            unit.decide::<SolutionCosting, _>(costing, CostingCommand::DiscloseTotals).await
        })
        .await;
    }
}

async fn execute(node: &Node, work: impl AsyncFn(&mut Unit<'_>) -> Result<(), ExecuteError>) {
    let issuer = Issuer::system("test.prepare");
    node.app.tenant.journal.execute::<_, ExecuteError>(&issuer, async |unit| work(unit).await).await.unwrap();
}

/// An assessment of the client, analysed, with the two opportunities of the worked example.
async fn complete_assessment(node: &Node, people: [i64; 4], region: i64, verticals: [i64; 2]) -> (i64, [i64; 2]) {
    let ids = node.app.tenant.journal.ids();
    let assessment: AssessmentId = ids.next().await.unwrap();
    let run: RunId = ids.next().await.unwrap();
    let found: [OpportunityId; 2] = [ids.next().await.unwrap(), ids.next().await.unwrap()];
    let [client, reviewer, manager, paired] = people;
    let [vertical, other_vertical]: [VerticalId; 2] = verticals.map(id);
    let new = NewAssessment {
        name: Text::new("Finance Discovery Survey").unwrap(),
        client: ClientFacts {
            user: id(client),
            is_active: true,
            reviewer: Some(id(reviewer)),
            pairs: BTreeSet::from([
                Pairing { vertical, consultant: id(paired) },
                Pairing { vertical: other_vertical, consultant: id(manager) },
            ]),
        },
        managed_by: ManagerFacts { user: id(manager), role: Some(Role::Consultant), is_active: true },
        industry_type: None,
        region: Some(Reference::new(id(region), true)),
        verticals: vec![Reference::new(vertical, true), Reference::new(other_vertical, true)],
        input_method: InputMethod::Questionnaire,
        client_can_answer: false,
        current_step: 1,
        total_steps: 5,
        ble_parameters: Parameters::default(),
        questions: QuestionSet::default(),
        approval_policy: default_policy(),
    };
    let order = AnalysisOrder {
        assessment,
        run,
        force: true,
        pins: Pins { prompt_versions: BTreeMap::new(), benchmark_set_version: 0 },
        benchmarks: BTreeMap::new(),
        require_comment_resolution: false,
    };
    let opportunity = |number: OpportunityId, title: &str, gross: Decimal| {
        let input = OpportunityInput {
            vertical_id: vertical,
            title: Text::new(title).unwrap(),
            description: None,
            lever: Lever::Rpa,
            addressable_effort_percent: Decimal::from(40),
            automation_percent: Decimal::from(70),
            realization_percent: Decimal::from(85),
            error_reduction_percent: Decimal::ZERO,
            other_annual_benefit: Decimal::ZERO,
            estimated_investment: Decimal::ZERO,
            annual_run_cost: Decimal::ZERO,
            complexity: Complexity::Low,
            start_year: None,
        };
        Opportunity { gross_savings: gross, ..Opportunity::new(number, assessment, Source::Template, input) }
    };
    let opportunities = vec![
        opportunity(found[0], "Capture", Decimal::new(14_674_096, 2)),
        opportunity(found[1], "Helpdesk", Decimal::new(7_611_600, 2)),
    ];
    let report = report(assessment, run, opportunities);
    execute(node, async |unit| {
        for command in [
            AssessmentCommand::Create(Box::new(new.clone())),
            AssessmentCommand::RunAnalysis(Box::new(order.clone())),
            AssessmentCommand::CompleteAnalysis { report: Box::new(report.clone()) },
        ] {
            unit.decide::<Assessment, _>(assessment, command).await?;
        }
        Ok(())
    })
    .await;
    (assessment.get(), found.map(OpportunityId::get))
}

fn report(assessment: AssessmentId, run: RunId, opportunities: Vec<Opportunity>) -> Report {
    let zero = Decimal::ZERO;
    Report {
        id: id(1),
        assessment_id: assessment,
        run_id: run,
        version: 1,
        status: ReportStatus::Generated,
        generated_at: now(),
        narrative_source: NarrativeSource::Template,
        prompt_versions: BTreeMap::new(),
        currency: Code::new("USD").unwrap(),
        benchmark_set_version: 0,
        summary_metrics: SummaryMetrics {
            basis: Basis::Estimate,
            current_fte: zero,
            fte_savings: zero,
            baseline_cost: zero,
            annual_savings: zero,
            annual_run_cost: zero,
            net_annual_savings: zero,
            savings_percent: None,
            investment: zero,
            payback_months: None,
            payback_months_ramped: None,
            npv: zero,
            roi_percent: None,
            first_year_roi_percent: None,
            programme_npv: zero,
            maturity_level: None,
            roadmap: vec![],
            reasons: BTreeMap::new(),
        },
        verticals: vec![],
        benchmarks: vec![],
        opportunities,
        roadmap: vec![],
        sections: vec![],
        parameters: Parameters::default(),
        warnings: vec![],
    }
}
