//! What may be done with a solution rate card, and when it is refused.

use std::collections::{BTreeMap, BTreeSet};

use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Actor, Issued, Role, Text};
use rust_decimal::Decimal;

use super::{
    ItemInput, NewSolutionRateCard, SolutionCardChanges, SolutionCardTerms, SolutionRateCard, SolutionRateCardCommand,
    SolutionRateCardEvent, SolutionRateCardRefusal,
};
use crate::{
    pricing::{
        CardStatus, ComponentFacts, SolutionItem, default_complexity_multipliers, is_amount, is_multiplier,
        is_percentage, location_key,
    },
    rate_card::Staff,
};

type Decision = Result<Vec<SolutionRateCardEvent>, SolutionRateCardRefusal>;

const MOST_LOCATIONS: usize = 200;

impl Aggregate for SolutionRateCard {
    const TYPE: &'static str = "solution_rate_card";
    type Command = Issued<SolutionRateCardCommand>;
    type Event = SolutionRateCardEvent;
    type Error = SolutionRateCardRefusal;
    type Services = ();

    async fn handle(
        &mut self,
        issued: Self::Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), SolutionRateCardRefusal> {
        let by = issued.by;
        let events = match issued.command {
            SolutionRateCardCommand::Create(new) => self.create(by, *new)?,
            SolutionRateCardCommand::Revise { changes, staff, components } => {
                self.revise(by, *changes, &staff, &components)?
            }
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: SolutionRateCardEvent) {
        self.record(event);
    }
}

impl SolutionRateCard {
    fn create(&self, by: Actor, new: NewSolutionRateCard) -> Decision {
        may_write(by)?;
        let Self::NotYet = self else { return Err(SolutionRateCardRefusal::AlreadyExists) };
        let is_custom = new.base.as_ref().is_some_and(|base| base.is_custom);
        if !is_custom && !by.is_admin() {
            return Err(SolutionRateCardRefusal::Forbidden);
        }
        if let Some(base) = &new.base {
            if base.is_custom && !base.staff.includes(by) {
                return Err(SolutionRateCardRefusal::NotFound);
            }
            if base.is_archived {
                return Err(SolutionRateCardRefusal::InactiveReference("base_rate_card"));
            }
            if base.currency != new.currency.id {
                return Err(SolutionRateCardRefusal::OtherCurrency);
            }
        }
        if !new.currency.is_active {
            return Err(SolutionRateCardRefusal::InactiveReference("currency"));
        }
        let nothing = SolutionCardTerms {
            name: new.name,
            pmo_percentage: kernel::percent(Decimal::ZERO),
            support_percentage: kernel::percent(Decimal::ZERO),
            location_multipliers: BTreeMap::new(),
            complexity_multipliers: default_complexity_multipliers(),
            items: Vec::new(),
        };
        let status = new.terms.status;
        let terms = Box::new(changed(&nothing, new.terms, &new.components)?);
        let created = SolutionRateCardEvent::Created {
            base_rate_card: new.base.map(|base| base.id),
            currency_id: new.currency.id,
            is_custom,
            terms,
            by: by.user(),
        };
        Ok(std::iter::once(created).chain(turn(CardStatus::Draft, status)?).collect())
    }

    fn revise(&self, by: Actor, changes: SolutionCardChanges, staff: &Staff, facts: &[ComponentFacts]) -> Decision {
        may_write(by)?;
        let card = self.known().filter(|card| card.can_see(by, staff)).ok_or(SolutionRateCardRefusal::NotFound)?;
        if !card.is_custom && !by.is_admin() {
            return Err(SolutionRateCardRefusal::Forbidden);
        }
        let turned = turn(card.status, changes.status)?;
        let terms = changed(&card.terms, changes, facts)?;
        let mut events = Vec::new();
        if terms != card.terms {
            if card.status == CardStatus::Archived {
                return Err(SolutionRateCardRefusal::Archived);
            }
            let version = card.version.checked_add(1);
            let version = version.ok_or(SolutionRateCardRefusal::ValueOutOfRange { field: "version".into() })?;
            events.push(SolutionRateCardEvent::Revised { version, terms: Box::new(terms) });
        }
        events.extend(turned);
        Ok(events)
    }
}

fn may_write(by: Actor) -> Result<(), SolutionRateCardRefusal> {
    let never = matches!(by.role(), Some(Role::Reviewer | Role::Client));
    if never { Err(SolutionRateCardRefusal::Forbidden) } else { Ok(()) }
}

fn turn(from: CardStatus, to: Option<CardStatus>) -> Result<Option<SolutionRateCardEvent>, SolutionRateCardRefusal> {
    match to.filter(|to| *to != from) {
        None => Ok(None),
        Some(CardStatus::Active) if from == CardStatus::Draft => Ok(Some(SolutionRateCardEvent::Activated)),
        Some(CardStatus::Archived) if from == CardStatus::Active => Ok(Some(SolutionRateCardEvent::Archived)),
        Some(to) => Err(SolutionRateCardRefusal::InvalidTransition { from, to }),
    }
}

fn changed(
    old: &SolutionCardTerms,
    changes: SolutionCardChanges,
    facts: &[ComponentFacts],
) -> Result<SolutionCardTerms, SolutionRateCardRefusal> {
    let out_of_range = |field: &'static str| SolutionRateCardRefusal::ValueOutOfRange { field: field.into() };
    for (value, field) in
        [(changes.pmo_percentage, "pmo_percentage"), (changes.support_percentage, "support_percentage")]
    {
        if value.is_some_and(|value| !is_percentage(value)) {
            return Err(out_of_range(field));
        }
    }
    let locations = match changes.location_multipliers {
        None => old.location_multipliers.clone(),
        Some(given) => {
            let named = |name: &str| Text::<1, 100>::new(name).is_ok();
            let is_fine = |(name, multiplier): (&String, &Decimal)| named(name) && is_multiplier(*multiplier);
            if given.len() > MOST_LOCATIONS || !given.iter().all(is_fine) {
                return Err(out_of_range("location_multipliers"));
            }
            given.into_iter().map(|(name, multiplier)| (location_key(&name), multiplier)).collect()
        }
    };
    let complexities = match changes.complexity_multipliers {
        None => old.complexity_multipliers.clone(),
        Some(given) => {
            if !given.values().copied().all(is_multiplier) {
                return Err(out_of_range("complexity_multipliers"));
            }
            default_complexity_multipliers().into_iter().chain(given).collect()
        }
    };
    Ok(SolutionCardTerms {
        name: changes.name.unwrap_or_else(|| old.name.clone()),
        pmo_percentage: changes.pmo_percentage.map_or(old.pmo_percentage, kernel::percent),
        support_percentage: changes.support_percentage.map_or(old.support_percentage, kernel::percent),
        location_multipliers: locations,
        complexity_multipliers: complexities,
        items: changes.items.map_or_else(|| Ok(old.items.clone()), |given| items(&old.items, given, facts))?,
    })
}

fn items(
    old: &[SolutionItem],
    given: Vec<ItemInput>,
    facts: &[ComponentFacts],
) -> Result<Vec<SolutionItem>, SolutionRateCardRefusal> {
    let mut seen = BTreeSet::new();
    let mut items = Vec::with_capacity(given.len());
    for (index, input) in given.into_iter().enumerate() {
        let member = |name: &str| format!("items[{index}].{name}");
        let out_of_range = |name: &str| SolutionRateCardRefusal::ValueOutOfRange { field: member(name).into() };
        let component = facts.iter().find(|component| component.id == input.component);
        let component =
            component.ok_or_else(|| SolutionRateCardRefusal::UnknownComponent { field: member("component_id") })?;
        if !seen.insert(component.id) {
            return Err(SolutionRateCardRefusal::DuplicateComponent { field: member("component_id") });
        }
        // An item that was there before its component was switched off may stay.
        if !component.is_active && !old.iter().any(|item| item.component_id == component.id) {
            return Err(SolutionRateCardRefusal::InactiveReference("items"));
        }
        let rate = input.rate.unwrap_or(component.default_rate);
        let multiplier = input.multiplier.unwrap_or_else(|| kernel::rounded(Decimal::ONE, 2));
        if !is_amount(rate) {
            return Err(out_of_range("rate"));
        }
        if !is_multiplier(multiplier) {
            return Err(out_of_range("multiplier"));
        }
        let unit = input.unit.or_else(|| Text::new(&component.unit).ok()).ok_or_else(|| out_of_range("unit"))?;
        items.push(SolutionItem {
            component_id: component.id,
            unit,
            rate: kernel::money(rate),
            complexity: input.complexity.unwrap_or_default(),
            multiplier,
        });
    }
    Ok(items)
}
