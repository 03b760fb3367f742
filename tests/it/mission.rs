//! One engagement up to its approved costing, and the people around it. The assessment and the costing are commanded
//! directly: what is tested comes after them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ddc::{
    auth::{EMAIL_SCOPE, Password},
    journal::{ExecuteError, Issuer, Refused},
};
use engagement::{
    assessment::{Assessment, AssessmentCommand, ClientFacts, InputMethod, ManagerFacts, NewAssessment, Pairing},
    business_case::Parameters,
    participants::Participants,
    pricing::{CardFacts, CardStatus, Category, LineInput, RoleFacts, RoleRef, Work},
    questionnaire::QuestionSet,
    solution_costing::{
        AssessmentFacts, CostingCommand, FoundOpportunity, NewCosting, OpportunityFacts, SolutionCosting,
    },
};
use identity::user::{NewUser, User, UserCommand, UserProfile};
use kernel::{Actor, AssessmentId, Email, Id, Reference, Role, SolutionCostingId, Text, UserId};
use rust_decimal::Decimal;

use crate::harness::{Node, PASSWORD, Session};

/// The people and the costing.
pub(crate) struct Mission<'a> {
    pub(crate) admin: Session<'a>,
    pub(crate) reviewer: Session<'a>,
    /// Manages the assessment.
    pub(crate) consultant: Session<'a>,
    pub(crate) client: Session<'a>,
    /// They have nothing to do with it.
    pub(crate) strangers: Vec<Session<'a>>,
    pub(crate) costing: SolutionCostingId,
    manager: UserId,
}

fn id<I: Id>(number: i64) -> I {
    I::try_from(number).ok().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

async fn person<'a>(node: &'a Node, name: &str, role: Role) -> (UserId, Session<'a>) {
    let journal = &node.app.tenant.journal;
    let id: UserId = journal.ids().next().await.unwrap();
    let hash = Password::try_from(PASSWORD.to_owned()).unwrap().hash().await.unwrap();
    hash.save(&node.app.tenant.pool, id).await.unwrap();
    let address = format!("{name}@ddc.test");
    let email = Email::new(&address).unwrap();
    journal
        .execute::<_, ExecuteError>(&Issuer::system("user.register"), async |unit| {
            unit.claim(EMAIL_SCOPE, &email, id, || Refused::not_found("user")).await?;
            let user = NewUser {
                id,
                email: email.clone(),
                role,
                company_name: None,
                parent: None,
                industry_type: None,
                profile: UserProfile::default(),
                must_set_password: false,
            };
            unit.decide::<User, _>(id, UserCommand::Register(user)).await
        })
        .await
        .unwrap();
    (id, node.login(&address, PASSWORD).await)
}

impl<'a> Mission<'a> {
    /// An approved costing of two opportunities (101 and 102) that comes to 81,000.00 (spec 23, C1).
    pub(crate) async fn begin(node: &'a Node) -> Self {
        let (reviewer_id, reviewer) = person(node, "reviewer", Role::Reviewer).await;
        let (manager, consultant) = person(node, "consultant", Role::Consultant).await;
        let (client_id, client) = person(node, "client", Role::Client).await;
        let mut strangers = Vec::new();
        for (name, role) in
            [("other-reviewer", Role::Reviewer), ("other-consultant", Role::Consultant), ("other-client", Role::Client)]
        {
            strangers.push(person(node, name, role).await.1);
        }
        let people = Participants {
            client: client_id,
            reviewer: Some(reviewer_id),
            managed_by: manager,
            consultants: BTreeSet::from([manager]),
        };
        let admin = node.admin().await;
        let costing = id(1);
        let mission = Self { admin, reviewer, consultant, client, strangers, costing, manager };
        mission.assess(&people).await;
        mission.cost(&people, costing).await;
        mission
    }

    /// A second approved costing of the same opportunities, as one that supersedes the first would be.
    pub(crate) async fn cost_again(&self) -> SolutionCostingId {
        let journal = &self.admin.node.app.tenant.journal;
        let people =
            journal.read::<Assessment, _>(1, |assessment, _| assessment.participants()).await.unwrap().unwrap();
        self.cost(&people, id(2)).await;
        id(2)
    }

    /// Commands something at a time.
    async fn command<A, C>(&self, by: Actor, at: DateTime<Utc>, number: i64, command: C)
    where
        A: cqrs_es::Aggregate<Command = kernel::Issued<C>, Services = ()> + 'static,
        A::Error: kernel::Refusal,
        C: Clone,
    {
        let issuer = Issuer { actor: by, at, ..Issuer::system("test.prepare") };
        let journal = &self.admin.node.app.tenant.journal;
        journal
            .execute::<_, ExecuteError>(&issuer, async |unit| unit.decide::<A, _>(number, command.clone()).await)
            .await
            .unwrap();
    }

    /// The consultant who manages the assessment.
    pub(crate) fn manager(&self) -> Actor {
        Actor::User { id: self.manager, role: Role::Consultant }
    }

    async fn assess(&self, people: &Participants) {
        let new = NewAssessment {
            name: Text::new("Finance Discovery Survey").unwrap(),
            client: ClientFacts {
                user: people.client,
                is_active: true,
                reviewer: people.reviewer,
                pairs: BTreeSet::from([Pairing { vertical: id(2), consultant: people.managed_by }]),
            },
            managed_by: ManagerFacts { user: people.managed_by, role: Some(Role::Consultant), is_active: true },
            industry_type: None,
            region: Some(Reference::new(id(3), true)),
            verticals: vec![Reference::new(id(2), true)],
            input_method: InputMethod::default(),
            client_can_answer: false,
            current_step: 1,
            total_steps: 5,
            ble_parameters: Parameters::default(),
            questions: QuestionSet::default(),
            approval_policy: vec![Role::Reviewer, Role::Client],
        };
        self.command::<Assessment, _>(Actor::System, Utc::now(), 1, AssessmentCommand::Create(Box::new(new))).await;
    }

    async fn cost(&self, people: &Participants, costing: SolutionCostingId) {
        let now = Utc::now();
        let run = async |command| self.command::<SolutionCosting, _>(Actor::System, now, costing.get(), command).await;
        run(CostingCommand::Create(Box::new(new_costing(people)))).await;
        let role = RoleFacts {
            role: RoleRef::Operations(id(2)),
            code: "O2C_TL".to_owned(),
            name: "Order to Cash Team Lead".to_owned(),
            is_active: true,
            day_rate_min: decimal("350"),
            day_rate_max: decimal("550"),
            day_rate_current: decimal("450"),
            number_of_days: Some(20),
        };
        let work = Work::Role { role, headcount: decimal("1.5"), duration_months: decimal("6") };
        let input =
            LineInput { category: Category::Build, opportunity_id: None, location: None, multiplier: None, work };
        run(CostingCommand::AddLineItem { id: id(costing.get()), input: Box::new(input), cards: vec![] }).await;
        run(CostingCommand::Submit).await;
        run(CostingCommand::Approve { assessment_is_in_rework: false, admin_may_approve_own: false }).await;
    }
}

fn new_costing(people: &Participants) -> NewCosting {
    let opportunity = |number, gross| OpportunityFacts {
        id: id(number),
        found: Some(FoundOpportunity { assessment: id(1), gross_savings: decimal(gross), costed_by: None }),
    };
    NewCosting {
        name: Text::new("Consulting ROI Estimate").unwrap(),
        assessment: AssessmentFacts {
            id: id::<AssessmentId>(1),
            region: id(3),
            participants: people.clone(),
            is_ready: true,
            is_deleted: false,
            parameters: Parameters::default(),
        },
        opportunities: vec![opportunity(101, "146740.96"), opportunity(102, "76116.00")],
        rate_card: CardFacts {
            id: id(5),
            version: 2,
            status: CardStatus::Active,
            currency: id(1),
            region: id(3),
            client: None,
            assessment: None,
            effective_from: None,
            effective_to: None,
            roles: vec![],
        },
        solution_rate_card: None,
        supersedes: None,
    }
}
