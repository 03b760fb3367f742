//! What pricing has to know of other aggregates, learned through the journal.

use engagement::{
    assessment::Assessment,
    pricing::{CardFacts, ComponentFacts, RoleFacts, RoleRef},
    rate_card::{AssessmentScope, CardScope, CardSlot, ClientScope, RateCard, Reference, Staff},
    solution_costing::KnownCosting,
};
use identity::client::Client;
use kernel::{AssessmentId, ClientId, CurrencyId, RateCardId, RegionId, SolutionComponentId, Text, UserId};
use reference::{ConsultantRole, Currency, LookupCommand, OperationsRole, Region, SolutionComponent};
use rust_decimal::Decimal;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::journal::{ExecuteError, Journal, Refused, Unit};

/// A region by its id, its code or its name.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum RegionName {
    Id(RegionId),
    Named(Text<1, 100>),
}

impl RegionName {
    /// As a query parameter writes it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().map(Self::Id).ok().or_else(|| Text::new(text).map(Self::Named).ok())
    }

    /// The region's id, if a code or a name is one's.
    pub(super) async fn id(&self, journal: &Journal) -> Result<Option<RegionId>, ExecuteError> {
        match self {
            Self::Id(id) => Ok(Some(*id)),
            Self::Named(text) => {
                let by_code = journal.holder("region.code", text).await?;
                let holder = match by_code {
                    None => journal.holder("region.name", text).await?,
                    found => found,
                };
                Ok(holder.and_then(|holder| holder.parse().ok()))
            }
        }
    }
}

pub(super) async fn region(unit: &mut Unit<'_>, name: &RegionName) -> Result<Reference<RegionId>, ExecuteError> {
    let id = name.id(unit.journal()).await?;
    let id = id.ok_or_else(|| Refused::field("UNKNOWN_REFERENCE", "region", "there is no such region"))?;
    Ok(Reference { id, is_active: unit.read::<Region, _>(id, |region, _| region.is_active()).await? })
}

pub(super) async fn currency(unit: &mut Unit<'_>, id: CurrencyId) -> Result<Reference<CurrencyId>, ExecuteError> {
    Ok(Reference { id, is_active: unit.read::<Currency, _>(id, |currency, _| currency.is_active()).await? })
}

/// Notes that something refers to the currency, which therefore stays.
pub(super) async fn use_currency(unit: &mut Unit<'_>, id: CurrencyId) -> Result<(), ExecuteError> {
    unit.decide::<Currency, _>(id, LookupCommand::RecordUse).await
}

/// Who works for a client. A client has its login's number.
pub(super) async fn client(unit: &mut Unit<'_>, id: UserId) -> Result<ClientScope, ExecuteError> {
    let look = |client: &Client| ClientScope {
        id,
        is_active: client.is_active(),
        staff: Staff {
            reviewer: client.reviewer(),
            consultants: client.pairs().iter().map(|pair| pair.consultant_id).collect(),
        },
    };
    unit.read::<Client, _>(ClientId::from(id), |client, _| look(client)).await
}

/// Who works on an assessment; `None` when there is no such one.
pub(super) async fn assessment(unit: &mut Unit<'_>, id: AssessmentId) -> Result<Option<AssessmentScope>, ExecuteError> {
    let look = |assessment: &Assessment| {
        let people = assessment.participants()?;
        Some(AssessmentScope {
            id,
            client: people.client,
            is_deleted: assessment.live().is_none(),
            staff: Staff {
                reviewer: people.reviewer,
                consultants: people.consultants.into_iter().chain([people.managed_by]).collect(),
            },
        })
    };
    unit.read::<Assessment, _>(id, |assessment, _| look(assessment)).await
}

/// Who works for the client or on the assessment that a card is for.
pub(super) async fn staff(
    unit: &mut Unit<'_>,
    of_client: Option<UserId>,
    of_assessment: Option<AssessmentId>,
) -> Result<Staff, ExecuteError> {
    let mut staff = match of_client {
        Some(id) => client(unit, id).await?.staff,
        None => Staff::default(),
    };
    if let Some(id) = of_assessment
        && let Some(scope) = assessment(unit, id).await?
    {
        staff.reviewer = staff.reviewer.or(scope.staff.reviewer);
        staff.consultants.extend(scope.staff.consultants);
    }
    Ok(staff)
}

/// A role as it is now; `None` when there is no such one.
pub(super) async fn role(unit: &mut Unit<'_>, role: RoleRef) -> Result<Option<RoleFacts>, ExecuteError> {
    match role {
        RoleRef::Operations(id) => {
            let look = |found: &OperationsRole| {
                let details = found.live()?;
                Some(RoleFacts {
                    role,
                    code: details.code.to_string(),
                    name: details.name.to_string(),
                    is_active: found.is_active(),
                    day_rate_min: details.day_rate_min,
                    day_rate_max: details.day_rate_max,
                    day_rate_current: details.day_rate_current,
                    number_of_days: Some(details.number_of_days.into()),
                })
            };
            unit.read::<OperationsRole, _>(id, |found, _| look(found)).await
        }
        RoleRef::Consultant(id) => {
            let look = |found: &ConsultantRole| {
                let details = found.live()?;
                Some(RoleFacts {
                    role,
                    code: details.code.to_string(),
                    name: details.name.to_string(),
                    is_active: found.is_active(),
                    day_rate_min: details.day_rate_min,
                    day_rate_max: details.day_rate_max,
                    day_rate_current: details.day_rate_current,
                    number_of_days: None,
                })
            };
            unit.read::<ConsultantRole, _>(id, |found, _| look(found)).await
        }
    }
}

/// A role for a line. One that is not there is as little to be used as one that was switched off.
pub(super) async fn role_of_line(unit: &mut Unit<'_>, named: RoleRef) -> Result<RoleFacts, ExecuteError> {
    Ok(role(unit, named).await?.unwrap_or_else(|| RoleFacts {
        role: named,
        code: String::new(),
        name: String::new(),
        is_active: false,
        day_rate_min: Decimal::ZERO,
        day_rate_max: Decimal::ZERO,
        day_rate_current: Decimal::ZERO,
        number_of_days: None,
    }))
}

/// A component as it is now; `None` when there is no such one.
pub(super) async fn component(
    unit: &mut Unit<'_>,
    id: SolutionComponentId,
) -> Result<Option<ComponentFacts>, ExecuteError> {
    let look = |found: &SolutionComponent| {
        let details = found.live()?;
        Some(ComponentFacts {
            id,
            code: details.code.to_string(),
            name: details.name.to_string(),
            unit: details.unit.to_string(),
            default_rate: details.default_rate,
            default_effort_days: details.default_effort_days,
            is_active: found.is_active(),
        })
    };
    unit.read::<SolutionComponent, _>(id, |found, _| look(found)).await
}

/// A component for a line, as [`role_of_line`].
pub(super) async fn component_of_line(
    unit: &mut Unit<'_>,
    id: SolutionComponentId,
) -> Result<ComponentFacts, ExecuteError> {
    Ok(component(unit, id).await?.unwrap_or_else(|| ComponentFacts {
        id,
        code: String::new(),
        name: String::new(),
        unit: String::new(),
        default_rate: Decimal::ZERO,
        default_effort_days: None,
        is_active: false,
    }))
}

/// The reservation of the place of the one ACTIVE card of its kind.
pub(super) const SLOT: &str = "rate_card.slot";

/// A slot as a reservation's value.
pub(super) fn slot_key(slot: &CardSlot) -> String {
    let number = |id: Option<i64>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let client = number(slot.client.map(UserId::get));
    let assessment = number(slot.assessment.map(AssessmentId::get));
    format!("{client}/{assessment}/{}/{}", slot.region, slot.currency)
}

/// Where a costing looks for a role that its own card lacks (spec 11.4).
#[derive(Debug, Clone, Copy)]
pub(super) struct PricedPlace {
    assessment: AssessmentId,
    client: UserId,
    region: RegionId,
    currency: CurrencyId,
}

impl PricedPlace {
    pub(super) fn of(costing: &KnownCosting) -> Self {
        Self {
            assessment: costing.assessment_id,
            client: costing.participants.client,
            region: costing.region_id,
            currency: costing.with.rate_card.currency,
        }
    }

    /// The same place, priced with another card.
    pub(super) fn in_currency_of(self, card: &CardFacts) -> Self {
        Self { currency: card.currency, ..self }
    }

    /// In the order of the resolution.
    fn slots(self) -> [CardSlot; 4] {
        let slot = |client: Option<UserId>, assessment: Option<AssessmentId>| CardSlot {
            scope: if client.is_none() && assessment.is_none() { CardScope::Standard } else { CardScope::Custom },
            client,
            assessment,
            region: self.region,
            currency: self.currency,
        };
        [
            slot(Some(self.client), Some(self.assessment)),
            slot(None, Some(self.assessment)),
            slot(Some(self.client), None),
            slot(None, None),
        ]
    }
}

/// The cards in force today for that place.
pub(super) async fn cards_in_force(unit: &mut Unit<'_>, place: PricedPlace) -> Result<Vec<CardFacts>, ExecuteError> {
    let today = unit.issuer().at.date_naive();
    let mut cards = Vec::new();
    for slot in place.slots() {
        let holder = unit.journal().holder(SLOT, &slot_key(&slot)).await?;
        let Some(id) = holder.and_then(|holder| holder.parse::<RateCardId>().ok()) else { continue };
        cards.extend(unit.read::<RateCard, _>(id, |card, _| card.facts(id)).await?);
    }
    cards.retain(|card| card.is_in_force(today));
    Ok(cards)
}
