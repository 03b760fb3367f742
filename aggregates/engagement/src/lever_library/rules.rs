//! What may be imported into the lever library, and when it is refused.

use std::collections::{BTreeMap, BTreeSet};

use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Issued, OpportunityTemplateId, formula::Formula, money, percent};
use rust_decimal::Decimal;

use super::{LeverLibrary, LeverLibraryCommand, LeverLibraryEvent, LeverLibraryRefusal, TemplateItem};
use crate::{
    business_case::OpportunityTemplate,
    question_bank::ImportFault,
    questionnaire::{Inspector, VerticalRef},
};

/// The most items of one import.
const MAX_ITEMS: usize = 5000;

impl Aggregate for LeverLibrary {
    const TYPE: &'static str = "lever_library";
    type Command = Issued<LeverLibraryCommand>;
    type Event = LeverLibraryEvent;
    type Error = LeverLibraryRefusal;
    type Services = ();

    async fn handle(
        &mut self,
        issued: Self::Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), LeverLibraryRefusal> {
        let Issued { by, at, command } = issued;
        if !by.is_admin() {
            return Err(LeverLibraryRefusal::Forbidden);
        }
        let LeverLibraryCommand::ImportTemplates { items, ids, verticals, questions } = command;
        let Import { templates, created, updated, unchanged } =
            self.import(items, ids, &verticals, &Inspector::new(&questions))?;
        if !templates.is_empty() {
            let by = by.user();
            let event = LeverLibraryEvent::TemplatesImported { templates, created, updated, unchanged, by, at };
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: LeverLibraryEvent) {
        self.record(event);
    }
}

/// What an import comes to: what is new or different, and how many of which.
#[derive(Default)]
struct Import {
    templates: Vec<OpportunityTemplate>,
    created: u32,
    updated: u32,
    unchanged: u32,
}

impl LeverLibrary {
    fn import(
        &self,
        items: Vec<TemplateItem>,
        ids: Vec<OpportunityTemplateId>,
        verticals: &[VerticalRef],
        inspector: &Inspector<'_>,
    ) -> Result<Import, LeverLibraryRefusal> {
        if items.len() > MAX_ITEMS {
            return Err(LeverLibraryRefusal::TooMany(MAX_ITEMS));
        }
        let known: BTreeMap<String, &OpportunityTemplate> = self.all().map(|old| (old.code.key(), old)).collect();
        let (mut import, mut faults, mut seen) = (Import::default(), Vec::new(), BTreeSet::new());
        let mut ids = ids.into_iter();
        for (place, item) in items.into_iter().enumerate() {
            let code = item.code.clone();
            let old = known.get(&code.key()).copied();
            let read = match old.map(|old| old.id).or_else(|| ids.next()) {
                _ if !seen.insert(code.key()) => Err(fault("DUPLICATE_CODE", "code", "the code is in the file twice")),
                None => Err(fault("NO_MORE_IDS", "code", "there is no id for the item")),
                Some(id) => template(item, id, verticals, inspector),
            };
            match read {
                Err(Fault { code: what, field, message }) => faults.push(ImportFault {
                    index: Some(place),
                    item: code.to_string(),
                    field: field.to_owned(),
                    code: what.to_owned(),
                    message,
                }),
                Ok(new) => import.take(old, new),
            }
        }
        if faults.is_empty() { Ok(import) } else { Err(LeverLibraryRefusal::InvalidImport(faults)) }
    }
}

impl Import {
    /// A changed template is the next version of itself.
    fn take(&mut self, old: Option<&OpportunityTemplate>, new: OpportunityTemplate) {
        match old {
            None => {
                self.created += 1;
                self.templates.push(new);
            }
            Some(old) => {
                let same = OpportunityTemplate { version: old.version, ..new };
                if same == *old {
                    self.unchanged += 1;
                } else {
                    self.updated += 1;
                    self.templates.push(OpportunityTemplate { version: old.version.saturating_add(1), ..same });
                }
            }
        }
    }
}

/// What is wrong with a member of an item.
struct Fault {
    code: &'static str,
    field: &'static str,
    message: String,
}

fn fault(code: &'static str, field: &'static str, message: impl Into<String>) -> Fault {
    Fault { code, field, message: message.into() }
}

/// The first version of the template that the item describes.
fn template(
    item: TemplateItem,
    id: OpportunityTemplateId,
    verticals: &[VerticalRef],
    inspector: &Inspector<'_>,
) -> Result<OpportunityTemplate, Fault> {
    let vertical = verticals.iter().find(|vertical| vertical.code.key() == item.vertical_code.key());
    let vertical = vertical.cloned().ok_or_else(|| {
        let message = format!("there is no vertical with the code '{}'", item.vertical_code);
        fault("UNKNOWN_VERTICAL", "vertical_code", message)
    })?;
    let applies_when = item.applies_when.as_deref().map(Formula::parse).transpose();
    let applies_when = applies_when.map_err(|error| fault(error.code(), "applies_when", error.to_string()))?;
    // A template that is switched off need not fit the questions of today.
    if let Some(formula) = applies_when.as_ref().filter(|_| item.is_active) {
        let wrong = inspector.inspect_lever(vertical.id, formula).err();
        wrong.map_or(Ok(()), |error| Err(fault(error.code(), "applies_when", error.to_string())))?;
    }
    let template = OpportunityTemplate {
        id,
        code: item.code,
        version: 1,
        vertical,
        lever: item.lever,
        title: item.title,
        description: item.description,
        addressable_effort_percent: item.addressable_effort_percent,
        automation_percent: item.automation_percent,
        realization_percent: item.realization_percent,
        error_reduction_percent: item.error_reduction_percent,
        other_annual_benefit: amount(item.other_annual_benefit, "other_annual_benefit")?,
        estimated_investment: amount(item.estimated_investment, "estimated_investment")?,
        annual_run_cost: amount(item.annual_run_cost, "annual_run_cost")?,
        complexity: item.complexity,
        start_year: item.start_year,
        applies_when,
        is_active: item.is_active,
    };
    template.input().check().map_err(|bad| fault("OUT_OF_RANGE", bad.field, bad.message))?;
    Ok(OpportunityTemplate {
        addressable_effort_percent: percent(template.addressable_effort_percent),
        automation_percent: percent(template.automation_percent),
        realization_percent: percent(template.realization_percent),
        error_reduction_percent: percent(template.error_reduction_percent),
        ..template
    })
}

/// An amount of decimal(18,2).
fn amount(value: Decimal, field: &'static str) -> Result<Decimal, Fault> {
    let limit = Decimal::from(10_i64.pow(16));
    if value.abs() >= limit {
        return Err(fault("OUT_OF_RANGE", field, "must be below 10^16"));
    }
    Ok(money(value))
}
