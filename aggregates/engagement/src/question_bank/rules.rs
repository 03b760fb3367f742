//! What may be imported into the question bank, and when it is refused.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Actor, Issued, QuestionId, ValidationRuleId, VerticalId};

use super::{ImportFault, QuestionBank, QuestionBankCommand, QuestionBankEvent, QuestionBankRefusal, state::overlaid};
use crate::questionnaire::{Inspector, ItemFault, Question, QuestionItem, RuleItem, ValidationRule, VerticalRef};

/// The most items of one import.
const MAX_ITEMS: usize = 5000;

impl Aggregate for QuestionBank {
    const TYPE: &'static str = "question_bank";
    type Command = Issued<QuestionBankCommand>;
    type Event = QuestionBankEvent;
    type Error = QuestionBankRefusal;
    type Services = ();

    async fn handle(
        &mut self,
        issued: Self::Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), QuestionBankRefusal> {
        let Issued { by, at, command } = issued;
        if !by.is_admin() {
            return Err(QuestionBankRefusal::Forbidden);
        }
        let event = match command {
            QuestionBankCommand::ImportQuestions { items, ids, verticals } => {
                self.import_questions(items, ids, &verticals, by, at)?
            }
            QuestionBankCommand::ImportRules { items, ids, verticals } => {
                self.import_rules(items, ids, &verticals, by, at)?
            }
        };
        if let Some(event) = event {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: QuestionBankEvent) {
        self.record(event);
    }
}

/// A code in its vertical, in lower case: what an item is known by.
type Key = (Option<String>, String);

/// What an import comes to: what is new or different, and how many of which.
struct Outcome<T> {
    changed: Vec<T>,
    /// The place in the file of each id that the file names.
    places: BTreeMap<i64, usize>,
    created: u32,
    updated: u32,
    unchanged: u32,
}

impl<T: PartialEq> Outcome<T> {
    const fn new() -> Self {
        Self { changed: Vec::new(), places: BTreeMap::new(), created: 0, updated: 0, unchanged: 0 }
    }

    fn take(&mut self, id: i64, place: usize, old: Option<&T>, new: T) {
        self.places.insert(id, place);
        match old {
            Some(old) if *old == new => {
                self.unchanged += 1;
                return;
            }
            Some(_) => self.updated += 1,
            None => self.created += 1,
        }
        self.changed.push(new);
    }
}

fn fault(index: Option<usize>, item: &str, fault: ItemFault) -> ImportFault {
    ImportFault {
        index,
        item: item.to_owned(),
        field: fault.field.to_owned(),
        code: fault.code.to_owned(),
        message: fault.message,
    }
}

fn duplicate() -> ItemFault {
    ItemFault { code: "DUPLICATE_CODE", field: "code", message: "the code is in the file twice".to_owned() }
}

fn no_more_ids() -> ItemFault {
    ItemFault { code: "NO_MORE_IDS", field: "code", message: "there is no id for the item".to_owned() }
}

fn refused_if(faults: Vec<ImportFault>) -> Result<(), QuestionBankRefusal> {
    if faults.is_empty() { Ok(()) } else { Err(QuestionBankRefusal::InvalidImport(faults)) }
}

fn not_too_many(items: usize) -> Result<(), QuestionBankRefusal> {
    if items > MAX_ITEMS { Err(QuestionBankRefusal::TooMany(MAX_ITEMS)) } else { Ok(()) }
}

/// Items and the bank name their vertical by the same code, which is looked up here.
fn vertical_id(verticals: &[VerticalRef], key: Option<&String>) -> Option<VerticalId> {
    verticals.iter().find(|vertical| Some(&vertical.code.key()) == key).map(|vertical| vertical.id)
}

impl QuestionBank {
    fn import_questions(
        &self,
        items: Vec<QuestionItem>,
        ids: Vec<QuestionId>,
        verticals: &[VerticalRef],
        by: Actor,
        at: DateTime<Utc>,
    ) -> Result<Option<QuestionBankEvent>, QuestionBankRefusal> {
        not_too_many(items.len())?;
        let bank_version = self.bank_version().saturating_add(1);
        let known: BTreeMap<(Option<VerticalId>, String), &Question> =
            self.questions().iter().map(|question| ((question.vertical_id(), question.code.key()), question)).collect();
        let (mut outcome, mut faults, mut seen) = (Outcome::new(), Vec::new(), BTreeSet::<Key>::new());
        let mut ids = ids.into_iter();
        for (place, item) in items.into_iter().enumerate() {
            let (code, key) =
                (item.code.to_string(), (item.vertical_code.as_ref().map(|code| code.key()), item.code.key()));
            let old = known.get(&(vertical_id(verticals, key.0.as_ref()), key.1.clone())).copied();
            let id = old.map(|question| question.id).or_else(|| ids.next());
            let read = match id {
                _ if !seen.insert(key) => Err(duplicate()),
                None => Err(no_more_ids()),
                Some(id) => item.question(id, place, verticals, bank_version),
            };
            match read {
                Err(wrong) => faults.push(fault(Some(place), &code, wrong)),
                Ok(mut question) => {
                    // The bank's version alone is no difference.
                    if let Some(old) = old.filter(|old| same(old, &question)) {
                        question.bank_version = old.bank_version;
                    }
                    outcome.take(question.id.get(), place, old, question);
                }
            }
        }
        refused_if(faults)?;
        let all = overlaid(self.questions().to_vec(), outcome.changed.clone(), |question| question.id);
        refused_if(self.senseless(all, &outcome.places))?;
        let Outcome { changed: questions, created, updated, unchanged, .. } = outcome;
        Ok((!questions.is_empty()).then_some(QuestionBankEvent::QuestionsImported {
            bank_version,
            questions,
            created,
            updated,
            unchanged,
            by: by.user(),
            at,
        }))
    }

    /// What of the bank as it would be makes no sense: formulas of active questions, and active rules about them.
    fn senseless(&self, all: Vec<Question>, places: &BTreeMap<i64, usize>) -> Vec<ImportFault> {
        let active: Vec<Question> = all.into_iter().filter(|question| question.is_active).collect();
        let inspector = Inspector::new(&active);
        let mut faults = Vec::new();
        for question in &active {
            if let Some(error) = inspector.faulty_formulas().get(&question.id) {
                let place = places.get(&question.id.get()).copied();
                let wrong = ItemFault { code: error.code(), field: "formula", message: error.to_string() };
                faults.push(fault(place, &question.code, wrong));
            }
        }
        for rule in self.rules().iter().filter(|rule| rule.is_active) {
            if let Err(wrong) = inspector.inspect(rule) {
                let message = format!("the rule would no longer make sense: {}", wrong.message);
                let wrong = ItemFault { code: wrong.code, field: wrong.field, message };
                faults.push(fault(None, &rule.code, wrong));
            }
        }
        faults
    }

    fn import_rules(
        &self,
        items: Vec<RuleItem>,
        ids: Vec<ValidationRuleId>,
        verticals: &[VerticalRef],
        by: Actor,
        at: DateTime<Utc>,
    ) -> Result<Option<QuestionBankEvent>, QuestionBankRefusal> {
        let Self::Filled(bank) = self else { return Err(QuestionBankRefusal::Empty) };
        not_too_many(items.len())?;
        let active: Vec<Question> = bank.questions.iter().filter(|question| question.is_active).cloned().collect();
        let inspector = Inspector::new(&active);
        let known: BTreeMap<(Option<VerticalId>, String), &ValidationRule> = bank
            .rules
            .iter()
            .map(|rule| ((rule.vertical.as_ref().map(|vertical| vertical.id), rule.code.key()), rule))
            .collect();
        let (mut outcome, mut faults, mut seen) = (Outcome::new(), Vec::new(), BTreeSet::<Key>::new());
        let mut ids = ids.into_iter();
        for (place, item) in items.into_iter().enumerate() {
            let (code, key) =
                (item.code.to_string(), (item.vertical_code.as_ref().map(|code| code.key()), item.code.key()));
            let old = known.get(&(vertical_id(verticals, key.0.as_ref()), key.1.clone())).copied();
            let id = old.map(|rule| rule.id).or_else(|| ids.next());
            let read = match id {
                _ if !seen.insert(key) => Err(duplicate()),
                None => Err(no_more_ids()),
                Some(id) => item.rule(id, verticals).and_then(|rule| sensible(&inspector, rule)),
            };
            match read {
                Err(wrong) => faults.push(fault(Some(place), &code, wrong)),
                Ok(rule) => outcome.take(rule.id.get(), place, old, rule),
            }
        }
        refused_if(faults)?;
        let Outcome { changed: rules, created, updated, unchanged, .. } = outcome;
        Ok((!rules.is_empty()).then_some(QuestionBankEvent::RulesImported {
            bank_version: bank.bank_version.saturating_add(1),
            rules,
            created,
            updated,
            unchanged,
            by: by.user(),
            at,
        }))
    }
}

/// An inactive rule need not make sense.
fn sensible(inspector: &Inspector<'_>, rule: ValidationRule) -> Result<ValidationRule, ItemFault> {
    match inspector.inspect(&rule) {
        Err(wrong) if rule.is_active => Err(ItemFault { code: wrong.code, field: wrong.field, message: wrong.message }),
        _ => Ok(rule),
    }
}

fn same(old: &Question, new: &Question) -> bool {
    *old == Question { bank_version: old.bank_version, ..new.clone() }
}
