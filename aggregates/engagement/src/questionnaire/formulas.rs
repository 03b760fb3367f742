//! The formulas of a question set, parsed once, and how they hang together.

use std::collections::BTreeMap;

use kernel::{
    QuestionId, VerticalId,
    formula::{Formula, FormulaError, Type},
};

use super::{Index, Question, graph::components};

/// One formula question.
pub(super) struct FormulaQuestion<'a> {
    pub(super) question: &'a Question,
    pub(super) formula: Formula,
}

/// All formula questions in bank order.
pub(super) struct Formulas<'a> {
    pub(super) all: Vec<FormulaQuestion<'a>>,
    /// Positions in `all` of the formulas that refer to the one at this position.
    pub(super) dependents: Vec<Vec<usize>>,
    /// Positions in `all`, each group behind those that it refers to.
    components: Vec<Vec<usize>>,
    cyclic: Vec<bool>,
    /// Formulas that cannot be parsed; the bank lets none in.
    pub(super) broken: Vec<(QuestionId, FormulaError)>,
}

impl<'a> Formulas<'a> {
    pub(super) fn new(questions: impl IntoIterator<Item = &'a Question>, index: &Index<'a>) -> Self {
        let (mut all, mut broken) = (Vec::new(), Vec::new());
        for question in questions {
            match question.formula.as_deref().map(Formula::parse) {
                None => {}
                Some(Ok(formula)) => all.push(FormulaQuestion { question, formula }),
                Some(Err(error)) => broken.push((question.id, error)),
            }
        }
        all.sort_by_key(|each| (each.question.order, each.question.id));
        let position: BTreeMap<QuestionId, usize> =
            all.iter().enumerate().map(|(position, each)| (each.question.id, position)).collect();
        let edges: Vec<Vec<usize>> = all
            .iter()
            .map(|each| {
                let targets = each.formula.references().iter();
                let targets = targets.filter_map(|reference| index.referred(each.question.vertical_id(), reference));
                let targets = targets.filter(|target| target.part.is_none());
                targets.filter_map(|target| position.get(&target.question.id).copied()).collect()
            })
            .collect();
        let mut dependents = vec![Vec::new(); all.len()];
        for (from, targets) in edges.iter().enumerate() {
            for target in targets {
                dependents.get_mut(*target).into_iter().for_each(|all| all.push(from));
            }
        }
        let components = components(&edges);
        let mut cyclic = vec![false; all.len()];
        for component in &components {
            let refers_to_itself = |at: &usize| edges.get(*at).is_some_and(|targets| targets.contains(at));
            if component.len() > 1 || component.iter().any(refers_to_itself) {
                for member in component {
                    cyclic.get_mut(*member).into_iter().for_each(|flag| *flag = true);
                }
            }
        }
        Self { all, dependents, components, cyclic, broken }
    }

    fn is_cyclic(&self, position: usize) -> bool {
        self.cyclic.get(position).copied().unwrap_or_default()
    }

    /// The formula questions that lie on a reference cycle, cycle by cycle, in bank order.
    pub(super) fn cycles(&self) -> Vec<Vec<&'a Question>> {
        let mut cycles: Vec<&Vec<usize>> = self
            .components
            .iter()
            .filter(|component| component.first().is_some_and(|member| self.is_cyclic(*member)))
            .collect();
        cycles.sort();
        cycles
            .into_iter()
            .map(|cycle| cycle.iter().filter_map(|at| self.all.get(*at)).map(|each| each.question).collect())
            .collect()
    }

    /// The type of every formula, and what is wrong with those that have none. What lies on a cycle is a number.
    pub(super) fn types(&self, index: &Index<'_>) -> (BTreeMap<QuestionId, Type>, Vec<(QuestionId, FormulaError)>) {
        let (mut types, mut errors) = (BTreeMap::new(), self.broken.clone());
        for component in &self.components {
            let members: Vec<&FormulaQuestion<'_>> = component.iter().filter_map(|at| self.all.get(*at)).collect();
            let on_cycle = component.first().is_some_and(|member| self.is_cyclic(*member));
            if on_cycle {
                types.extend(members.iter().map(|each| (each.question.id, Type::Number)));
            }
            for each in members {
                let id = each.question.id;
                match check_types(&each.formula, each.question.vertical_id(), index, &types) {
                    Ok(found) if on_cycle && found != Type::Number => {
                        let place = "a formula that refers to itself".to_owned();
                        errors.push((id, FormulaError::TypeClash { place, expected: Type::Number, found }));
                    }
                    Ok(found) => {
                        types.insert(id, found);
                    }
                    Err(error) => {
                        // So that what refers to it is not blamed as well.
                        types.entry(id).or_insert(Type::Number);
                        errors.push((id, error));
                    }
                }
            }
        }
        (types, errors)
    }
}

/// The type of a formula that somebody in `vertical` wrote, given the types of the calculated questions.
pub(super) fn check_types(
    formula: &Formula,
    vertical: Option<VerticalId>,
    index: &Index<'_>,
    types: &BTreeMap<QuestionId, Type>,
) -> Result<Type, FormulaError> {
    if let Some(code) = formula.classes().first() {
        return Err(FormulaError::BadArgument(format!(
            "CLASS(\"{code}\") is not known here: benchmarks are compared after the answers"
        )));
    }
    type_of(formula, vertical, index, types)
}

/// As [`check_types`], where the classes of benchmarks are known.
pub(super) fn type_of(
    formula: &Formula,
    vertical: Option<VerticalId>,
    index: &Index<'_>,
    types: &BTreeMap<QuestionId, Type>,
) -> Result<Type, FormulaError> {
    formula.check(|reference| {
        let target = index.referred(vertical, reference)?;
        match target.part {
            Some(part) => part.question_type.sort(),
            None if target.question.is_calculated() => {
                Some(types.get(&target.question.id).copied().unwrap_or(Type::Number))
            }
            None => target.question.question_type.sort(),
        }
    })
}
