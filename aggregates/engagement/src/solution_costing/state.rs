use chrono::{DateTime, Utc};
use kernel::{
    Actor, AssessmentId, CurrencyId, LineItemId, OpportunityId, ProposalId, RateCardId, RegionId, Resource, Role,
    SolutionCostingId, SolutionRateCardId, Stamp, Text, UserId,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CostingEvent;
use crate::{
    business_case::Parameters,
    participants::Participants,
    pricing::{
        Amounts, CardFacts, CostedOpportunity, Line, LineItemView, OutOfRange, RoiSummary, SolutionCardFacts, Terms,
        Totals,
    },
};

/// A costing as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum SolutionCosting {
    #[default]
    NotYet,
    Known(Box<KnownCosting>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownCosting {
    pub assessment_id: AssessmentId,
    pub region_id: RegionId,
    pub participants: Participants,
    pub parameters: CostingParameters,
    pub with: PricedWith,
    pub lines: Vec<Line>,
    pub amounts: Amounts,
    pub status: CostingStatus,
    pub rate_card_outdated: bool,
    pub created_by: Option<UserId>,
    pub last_edited_by: Option<UserId>,
    pub submitted_by: Option<UserId>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub approved_by: Option<UserId>,
    pub approved_at: Option<DateTime<Utc>>,
    pub rejection_reason: Option<Text<1, 4000>>,
    pub supersedes_id: Option<SolutionCostingId>,
    /// The one proposal that offers this costing.
    pub proposal_id: Option<ProposalId>,
    /// A proposal was sent: the client may see the totals.
    pub is_disclosed: bool,
    pub is_deleted: bool,
    /// The cascade that deleted it, if one did.
    pub cascade_id: Option<Text<1, 64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CostingStatus {
    Draft,
    Submitted,
    Approved,
    Rejected,
    Archived,
}

impl CostingStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Submitted => "SUBMITTED",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Archived => "ARCHIVED",
        }
    }

    /// The commands of the table of spec 14.2.
    #[must_use]
    pub const fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Draft => {
                &["add_line_item", "update_line_item", "remove_line_item", "set_parameters", "reprice", "submit"]
            }
            Self::Submitted => &["approve", "reject"],
            Self::Approved => &["archive"],
            Self::Rejected => &["revise"],
            Self::Archived => &[],
        }
    }
}

/// What can be set by hand. `None` for a percentage or the years leaves them to the card or the assessment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostingParameters {
    pub name: Text<1, 200>,
    pub pmo_percentage: Option<Decimal>,
    pub support_percentage: Option<Decimal>,
    pub support_years_in_price: Option<Decimal>,
    pub number_of_bots: Option<u32>,
    pub number_of_processes: Option<u32>,
    pub duration_months: Option<Decimal>,
    pub solution_rate_card: Option<SolutionCardFacts>,
}

impl CostingParameters {
    /// The member that is: percentages are 0 to 100, years 0 to 10, months 0 to 120.
    #[must_use]
    pub fn out_of_range(&self) -> Option<&'static str> {
        let within = |value: Option<Decimal>, largest: u32| {
            value.is_none_or(|value| (Decimal::ZERO..=largest.into()).contains(&value))
        };
        let rules = [
            (within(self.pmo_percentage, 100), "pmo_percentage"),
            (within(self.support_percentage, 100), "support_percentage"),
            (within(self.support_years_in_price, 10), "support_years_in_price"),
            (within(self.duration_months, 120), "duration_months"),
        ];
        rules.into_iter().find_map(|(is_fine, member)| (!is_fine).then_some(member))
    }
}

/// What the lines are priced with, copied when they were, so that a later revision changes nothing by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PricedWith {
    pub rate_card: CardFacts,
    pub opportunities: Vec<CostedOpportunity>,
    pub parameters: Parameters,
}

impl SolutionCosting {
    /// The costing, deleted or not.
    #[must_use]
    pub fn known(&self) -> Option<&KnownCosting> {
        match self {
            Self::NotYet => None,
            Self::Known(known) => Some(known),
        }
    }

    pub(super) fn record(&mut self, event: CostingEvent) {
        match (self, event) {
            (this, CostingEvent::Created(created)) => {
                *this = Self::Known(Box::new(KnownCosting {
                    assessment_id: created.assessment_id,
                    region_id: created.region_id,
                    participants: created.participants,
                    parameters: created.parameters,
                    with: created.with,
                    lines: Vec::new(),
                    amounts: created.amounts,
                    status: CostingStatus::Draft,
                    rate_card_outdated: false,
                    created_by: created.by,
                    last_edited_by: created.by,
                    submitted_by: None,
                    submitted_at: None,
                    approved_by: None,
                    approved_at: None,
                    rejection_reason: None,
                    supersedes_id: created.supersedes_id,
                    proposal_id: None,
                    is_disclosed: false,
                    is_deleted: false,
                    cascade_id: None,
                }));
            }
            (Self::Known(known), event) => known.record(event),
            (Self::NotYet, _) => {}
        }
    }
}

impl KnownCosting {
    /// Row visibility (spec 2): staff see what they are assigned to, a client once a proposal was sent.
    #[must_use]
    pub fn can_see(&self, actor: Actor) -> bool {
        self.participants.include(actor) && (actor.role() != Some(Role::Client) || self.is_disclosed)
    }

    /// ADMIN, or the owner: who created it, or manages the assessment.
    #[must_use]
    pub fn is_owned_by(&self, actor: Actor) -> bool {
        let owns = |user| self.created_by == Some(user) || self.participants.managed_by == user;
        actor.is_admin() || (actor.role() == Some(Role::Consultant) && actor.user().is_some_and(owns))
    }

    /// The opportunities that it serves.
    #[must_use]
    pub fn opportunity_ids(&self) -> Vec<OpportunityId> {
        self.with.opportunities.iter().map(|opportunity| opportunity.id).collect()
    }

    #[must_use]
    pub fn line(&self, id: LineItemId) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// The percentages and years that hold: set by hand, else the solution rate card's and the assessment's.
    #[must_use]
    pub fn terms(&self) -> Terms {
        self.with.terms(&self.parameters)
    }

    /// All amounts as lines, parameters and cards make them.
    ///
    /// # Errors
    /// When a figure does not fit.
    pub fn calculate(&self) -> Result<Amounts, OutOfRange> {
        self.with.calculate(&self.lines, &self.parameters)
    }

    pub(super) fn record(&mut self, event: CostingEvent) {
        match event {
            CostingEvent::Created(_) => {}
            CostingEvent::LineItemAdded { line, by } => {
                self.lines.push(*line);
                self.last_edited_by = by;
            }
            CostingEvent::LineItemUpdated { line, by } => {
                if let Some(old) = self.lines.iter_mut().find(|old| old.id == line.id) {
                    *old = *line;
                }
                self.last_edited_by = by;
            }
            CostingEvent::LineItemRemoved { id, by } => {
                self.lines.retain(|line| line.id != id);
                self.last_edited_by = by;
            }
            CostingEvent::ParametersSet { parameters, by } => {
                self.parameters = *parameters;
                self.last_edited_by = by;
            }
            CostingEvent::Repriced { with, by } => {
                self.with = *with;
                self.rate_card_outdated = false;
                self.last_edited_by = by;
            }
            CostingEvent::Recalculated(amounts) => self.amounts = *amounts,
            CostingEvent::RateCardOutdated { .. } => self.rate_card_outdated = true,
            CostingEvent::ProposalLinked { proposal_id } => self.proposal_id = Some(proposal_id),
            CostingEvent::ProposalUnlinked { .. } => self.proposal_id = None,
            CostingEvent::TotalsDisclosed => self.is_disclosed = true,
            CostingEvent::ParticipantsChanged(participants) => self.participants = participants,
            CostingEvent::Deleted { cascade_id } => {
                self.is_deleted = true;
                self.cascade_id = cascade_id;
            }
            CostingEvent::Restored => {
                self.is_deleted = false;
                self.cascade_id = None;
            }
            step => self.record_step(step),
        }
    }

    /// The steps of spec 14.2.
    fn record_step(&mut self, step: CostingEvent) {
        match step {
            CostingEvent::Submitted { by, at } => {
                self.status = CostingStatus::Submitted;
                self.submitted_by = by;
                self.submitted_at = Some(at);
            }
            CostingEvent::Approved { by, at, amounts } => {
                self.status = CostingStatus::Approved;
                self.approved_by = by;
                self.approved_at = Some(at);
                self.amounts = *amounts;
            }
            CostingEvent::Rejected { reason, .. } => {
                self.status = CostingStatus::Rejected;
                self.rejection_reason = Some(reason);
            }
            CostingEvent::Revised { by } => {
                // Why it was rejected stays to be read while it is worked over.
                self.status = CostingStatus::Draft;
                self.last_edited_by = by;
                self.submitted_by = None;
                self.submitted_at = None;
            }
            CostingEvent::Archived { .. } => self.status = CostingStatus::Archived,
            _ => {}
        }
    }
}

impl PricedWith {
    fn terms(&self, parameters: &CostingParameters) -> Terms {
        let card = parameters.solution_rate_card.as_ref();
        let percentage =
            |given: Option<Decimal>, of: fn(&SolutionCardFacts) -> Decimal| given.or(card.map(of)).unwrap_or_default();
        Terms {
            pmo_percentage: percentage(parameters.pmo_percentage, |card| card.pmo_percentage),
            support_percentage: percentage(parameters.support_percentage, |card| card.support_percentage),
            support_years_in_price: parameters.support_years_in_price.unwrap_or(self.parameters.support_years_in_price),
        }
    }

    pub(super) fn calculate(&self, lines: &[Line], parameters: &CostingParameters) -> Result<Amounts, OutOfRange> {
        Amounts::of(lines, &self.terms(parameters), &self.opportunities, &self.parameters)
    }
}

/// A costing as the API shows it (spec 14.1).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CostingView {
    pub id: i64,
    pub name: String,
    pub assessment_id: AssessmentId,
    pub client: UserId,
    pub assessment_opportunities: Vec<OpportunityId>,
    pub rate_card: RateCardId,
    pub rate_card_version: u32,
    /// The card has been revised since this DRAFT was priced.
    pub rate_card_outdated: bool,
    pub solution_rate_card: Option<SolutionRateCardId>,
    pub currency: CurrencyId,
    pub status: CostingStatus,
    pub number_of_bots: Option<u32>,
    pub number_of_processes: Option<u32>,
    pub duration_months: Option<Decimal>,
    pub pmo_percentage: Decimal,
    pub support_percentage: Decimal,
    pub support_years_in_price: Decimal,
    #[serde(flatten)]
    pub totals: Totals,
    pub roi_summary: RoiSummary,
    pub line_items: Vec<LineItemView>,
    pub created_by: Option<UserId>,
    pub submitted_by: Option<UserId>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub approved_by: Option<UserId>,
    pub approved_at: Option<DateTime<Utc>>,
    pub rejection_reason: Option<Text<1, 4000>>,
    pub supersedes_id: Option<SolutionCostingId>,
    pub proposal_id: Option<ProposalId>,
    pub is_deleted: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

/// What a client sees of a costing once a proposal was sent: the totals (spec 2).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ClientView {
    pub id: i64,
    pub name: String,
    pub assessment_id: AssessmentId,
    pub assessment_opportunities: Vec<OpportunityId>,
    pub currency: CurrencyId,
    pub status: CostingStatus,
    pub build_cost: Decimal,
    pub pmo_cost: Decimal,
    pub support_cost: Decimal,
    pub total_cost: Decimal,
    pub roi_summary: RoiSummary,
    pub version: i64,
}

/// The reduced view for a client; `None` until a proposal was sent.
#[must_use]
pub fn client_view(costing: &SolutionCosting, stamp: &Stamp) -> Option<ClientView> {
    let known = costing.known().filter(|known| known.is_disclosed && !known.is_deleted)?;
    let totals = &known.amounts.totals;
    Some(ClientView {
        id: stamp.number(),
        name: known.parameters.name.to_string(),
        assessment_id: known.assessment_id,
        assessment_opportunities: known.opportunity_ids(),
        currency: known.with.rate_card.currency,
        status: known.status,
        build_cost: totals.build_cost,
        pmo_cost: totals.pmo_cost,
        support_cost: totals.support_cost,
        total_cost: totals.total_cost,
        roi_summary: known.amounts.roi_summary.clone(),
        version: stamp.version,
    })
}

impl Resource for SolutionCosting {
    type State = Self;
    type View = CostingView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: CostingEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<CostingView> {
        let known = state.known()?;
        let (card, set, terms) = (&known.with.rate_card, &known.parameters, known.terms());
        Some(CostingView {
            id: stamp.number(),
            name: set.name.to_string(),
            assessment_id: known.assessment_id,
            client: known.participants.client,
            assessment_opportunities: known.opportunity_ids(),
            rate_card: card.id,
            rate_card_version: card.version,
            rate_card_outdated: known.rate_card_outdated && known.status == CostingStatus::Draft,
            solution_rate_card: set.solution_rate_card.as_ref().map(|card| card.id),
            currency: card.currency,
            status: known.status,
            number_of_bots: set.number_of_bots,
            number_of_processes: set.number_of_processes,
            duration_months: set.duration_months,
            pmo_percentage: kernel::percent(terms.pmo_percentage),
            support_percentage: kernel::percent(terms.support_percentage),
            support_years_in_price: terms.support_years_in_price,
            totals: known.amounts.totals.clone(),
            roi_summary: known.amounts.roi_summary.clone(),
            line_items: known.lines.iter().map(|line| line.view(stamp.number())).collect(),
            created_by: known.created_by,
            submitted_by: known.submitted_by,
            submitted_at: known.submitted_at,
            approved_by: known.approved_by,
            approved_at: known.approved_at,
            rejection_reason: known.rejection_reason.clone(),
            supersedes_id: known.supersedes_id,
            proposal_id: known.proposal_id,
            is_deleted: known.is_deleted,
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
            version: stamp.version,
        })
    }
}
