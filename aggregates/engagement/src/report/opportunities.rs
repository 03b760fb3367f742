//! Which opportunities an analysis finds, and which of the last one survive (spec 12.7, 13).

use std::collections::{BTreeMap, BTreeSet};

use kernel::{
    OpportunityId,
    formula::{Reference, Value, Values},
};

use super::{BenchmarkComparison, BuildError, Inputs, VerticalInputs};
use crate::business_case::{Opportunity, OpportunityStatus, OpportunityTemplate, Source};

struct Known<'a> {
    vertical: &'a VerticalInputs<'a>,
    comparisons: &'a [BenchmarkComparison],
}

impl Values for Known<'_> {
    fn value(&self, reference: &Reference) -> Option<Value> {
        self.vertical.answers.get(reference.key()).cloned()
    }

    fn class(&self, code: &str) -> Option<String> {
        let key = code.trim().to_lowercase();
        let id = self.vertical.vertical.id;
        let metric = self.comparisons.iter().find(|one| one.vertical_id == id && one.question_code.key() == key)?;
        metric.classification.map(|class| class.as_str().to_owned())
    }
}

/// The opportunities of this analysis, by id; their figures are still to be computed.
pub(super) fn found(inputs: &Inputs<'_>, comparisons: &[BenchmarkComparison]) -> Result<Vec<Opportunity>, BuildError> {
    let mut ids = inputs.new_ids.iter().copied();
    let mut result: BTreeMap<OpportunityId, Opportunity> = BTreeMap::new();
    let mut templates: Vec<_> = inputs.templates.iter().filter(|one| applies(one, inputs, comparisons)).collect();
    templates.sort_by_key(|template| template.id);
    for template in templates {
        let opportunity = match known(template, inputs.opportunities) {
            Some(old) => renewed(old, template),
            None => {
                let id = ids.next().ok_or(BuildError::TooFewIds)?;
                let new = Opportunity::new(id, inputs.assessment_id, Source::Template, template.input());
                Opportunity { template_id: Some(template.id), ..new }
            }
        };
        result.entry(opportunity.id).or_insert(opportunity);
    }
    let verticals: BTreeSet<_> = inputs.verticals.iter().map(|one| one.vertical.id).collect();
    for old in inputs.opportunities {
        if !result.contains_key(&old.id) {
            let lasting = old.source != Source::Template && verticals.contains(&old.vertical_id);
            result.extend(left_over(old, lasting, inputs.used.contains(&old.id)).map(|one| (one.id, one)));
        }
    }
    Ok(result.into_values().collect())
}

fn applies(template: &OpportunityTemplate, inputs: &Inputs<'_>, comparisons: &[BenchmarkComparison]) -> bool {
    let Some(vertical) = inputs.verticals.iter().find(|one| one.vertical.id == template.vertical.id) else {
        return false;
    };
    template.is_active
        && template.applies_when.as_ref().is_none_or(|formula| {
            formula.evaluate(&Known { vertical, comparisons }).value == Some(Value::Boolean(true))
        })
}

/// The opportunity that the template became in an earlier analysis: its own, else one of the same identity.
fn known<'a>(template: &OpportunityTemplate, old: &'a [Opportunity]) -> Option<&'a Opportunity> {
    let identity = (template.vertical.id, template.lever, template.title.key());
    old.iter()
        .find(|one| one.template_id == Some(template.id))
        .or_else(|| old.iter().find(|one| one.identity() == identity))
}

/// What was changed or removed by hand stays so; the rest is as the template says now.
fn renewed(old: &Opportunity, template: &OpportunityTemplate) -> Opportunity {
    let status = match old.status {
        OpportunityStatus::Removed => OpportunityStatus::Removed,
        OpportunityStatus::Active | OpportunityStatus::Stale => OpportunityStatus::Active,
    };
    match old.source {
        Source::Template => Opportunity { status, template_id: Some(template.id), ..old.with(template.input()) },
        Source::Manual | Source::Adjusted => Opportunity { status, ..old.clone() },
    }
}

/// What no template speaks of any more. What a costing uses is never lost.
fn left_over(old: &Opportunity, lasting: bool, is_used: bool) -> Option<Opportunity> {
    match old.status {
        OpportunityStatus::Removed => Some(old.clone()),
        _ if lasting => Some(Opportunity { status: OpportunityStatus::Active, ..old.clone() }),
        _ if is_used => Some(Opportunity { status: OpportunityStatus::Stale, ..old.clone() }),
        _ => None,
    }
}
