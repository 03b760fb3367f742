//! What an analysis takes from an assessment, and what it makes of it (spec 13). All of it is pure: a run that was
//! interrupted comes to the same again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kernel::{AssessmentId, Code, OpportunityId, QuestionId, ReportId, RunId, VerticalId, formula::Value};

use crate::{
    assessment::Assessment,
    benchmark::{Benchmarks, Place, Subject},
    business_case::{Opportunity, OpportunityTemplate, Parameters},
    questionnaire::{
        Answers, BenchmarkFact, Question, QuestionSet, QuestionType, Stabilised, ValidationResult, VerticalRef,
        stabilise, validate,
    },
    report::{BuildError, Inputs, Report, VerticalInputs, build},
};

/// All that an analysis reads of an assessment, so that it can calculate for long without holding it.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    assessment: AssessmentId,
    place: Place,
    parameters: Parameters,
    verticals: Vec<VerticalId>,
    questions: QuestionSet,
    answers: Answers,
    opportunities: Vec<Opportunity>,
    used: BTreeSet<OpportunityId>,
    version: u32,
}

/// What an analysis reads beside the assessment.
#[derive(Debug, Clone, PartialEq)]
pub struct Surroundings {
    /// The verticals of the assessment, with their names.
    pub verticals: Vec<NamedVertical>,
    pub benchmarks: Benchmarks,
    pub templates: Vec<OpportunityTemplate>,
    /// The currency of the answers.
    pub currency: Code,
}

/// A vertical and what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedVertical {
    pub vertical: VerticalRef,
    pub name: String,
}

/// The ids that a report needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportIds {
    pub report: ReportId,
    pub run: RunId,
    /// As many as there are templates suffice.
    pub opportunities: Vec<OpportunityId>,
}

impl Material {
    /// `None` while the assessment is not yet. A deleted one goes on with its run.
    #[must_use]
    pub fn of(id: AssessmentId, assessment: &Assessment) -> Option<Self> {
        let profile = assessment.header().known()?;
        let book = assessment.opportunity_book();
        Some(Self {
            assessment: id,
            place: Place { industry: profile.details.industry_type, region: profile.details.region_id },
            parameters: profile.details.ble_parameters.clone(),
            verticals: profile.vertical_ids.clone(),
            questions: assessment.questions().clone(),
            answers: assessment.given_answers(),
            opportunities: book.all().cloned().collect(),
            used: book.claimed(),
            version: assessment.next_report_version(),
        })
    }

    #[must_use]
    pub fn verticals(&self) -> &[VerticalId] {
        &self.verticals
    }

    /// The code of a vertical as the questions name it.
    #[must_use]
    pub fn vertical_code(&self, id: VerticalId) -> Option<&Code> {
        let named = |question: &'_ &Question| question.vertical_id() == Some(id);
        let question = self.questions.questions.iter().find(named)?;
        question.vertical.as_ref().map(|vertical| &vertical.code)
    }

    /// The assessment with these answers over its own, as if they had been stored.
    #[must_use]
    pub fn overlaid(mut self, answers: Answers) -> Self {
        self.answers.extend(answers);
        self
    }

    /// What validation is to know of the benchmarks.
    #[must_use]
    pub fn benchmark_facts(&self, benchmarks: &Benchmarks) -> BTreeMap<QuestionId, BenchmarkFact> {
        benchmark_facts(&self.questions, &self.verticals, self.place, benchmarks)
    }

    /// Step 1: whether the answers hold together.
    #[must_use]
    pub fn validate(&self, benchmarks: &BTreeMap<QuestionId, BenchmarkFact>) -> ValidationResult {
        validate(self.assessment, &self.questions, &self.answers, benchmarks)
    }

    /// Steps 2 to 4: the report, with the template narrative.
    ///
    /// # Errors
    /// See [`build`].
    pub fn report(&self, ids: &ReportIds, at: DateTime<Utc>, around: &Surroundings) -> Result<Report, BuildError> {
        let values = stabilise(&self.questions, &self.answers);
        let verticals: Vec<VerticalInputs<'_>> =
            around.verticals.iter().map(|named| vertical_inputs(named, &self.questions, &values)).collect();
        build(&Inputs {
            id: ids.report,
            assessment_id: self.assessment,
            run_id: ids.run,
            version: self.version,
            at,
            currency: around.currency.clone(),
            verticals: &verticals,
            benchmarks: &around.benchmarks,
            place: self.place,
            templates: &around.templates,
            opportunities: &self.opportunities,
            used: &self.used,
            new_ids: &ids.opportunities,
            parameters: &self.parameters,
        })
    }
}

/// The benchmark of each question that has one (spec 10.2): what BENCHMARK_OUTLIER rules compare with. A shared
/// question takes the first that fits in one of the assessment's verticals.
#[must_use]
fn benchmark_facts(
    questions: &QuestionSet,
    verticals: &[VerticalId],
    place: Place,
    benchmarks: &Benchmarks,
) -> BTreeMap<QuestionId, BenchmarkFact> {
    let fact = |question: &Question| {
        let own = question.vertical_id();
        let among = own.as_ref().map_or(verticals, std::slice::from_ref);
        let found = among.iter().find_map(|vertical| {
            benchmarks.find(&Subject {
                vertical: *vertical,
                code: Some(question.benchmark_code.as_ref().unwrap_or(&question.code)),
                text: Some(&question.text),
                is_money: question.question_type == QuestionType::Currency,
                place,
            })
        })?;
        let fact = BenchmarkFact { median: found.benchmark.median, std_dev: found.benchmark.std_dev };
        Some((question.id, fact))
    };
    questions.questions.iter().filter_map(fact).collect()
}

/// The vertical's own answers and the shared ones; where both have a code, its own counts.
fn vertical_inputs<'a>(named: &NamedVertical, set: &'a QuestionSet, values: &Stabilised) -> VerticalInputs<'a> {
    let id = named.vertical.id;
    let of = |vertical: Option<VerticalId>| set.questions.iter().filter(move |each| each.vertical_id() == vertical);
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    for question in of(None).chain(of(Some(id))) {
        let code = question.code.key();
        if let Some(value) = values.value(question.id) {
            answers.insert(code.clone(), value.clone());
        }
        for part in &question.sub_questions {
            if let Some(value) = values.parts.get(&(question.id, part.key.key())) {
                answers.insert(format!("{code}.{}", part.key.key()), value.clone());
            }
        }
    }
    VerticalInputs {
        vertical: named.vertical.clone(),
        name: named.name.clone(),
        questions: set
            .questions
            .iter()
            .filter(|question| question.vertical_id().is_none_or(|vertical| vertical == id))
            .collect(),
        answers,
    }
}

#[cfg(test)]
mod tests {
    use kernel::{
        Text,
        testing::{id, now},
    };
    use rust_decimal::Decimal;

    use super::*;
    use crate::{
        benchmark::{Benchmark, Direction},
        questionnaire::GivenAnswer,
    };

    fn code(text: &str) -> Code {
        Code::new(text).unwrap()
    }

    fn vertical(number: i64, name: &str) -> VerticalRef {
        VerticalRef { id: id(number), code: code(name) }
    }

    fn question(number: i64, name: &str, of: Option<VerticalRef>) -> Question {
        Question {
            id: id(number),
            code: code(name),
            text: Text::new(name).unwrap(),
            help_text: None,
            vertical: of,
            section: None,
            order: 0,
            step: 1,
            question_type: QuestionType::Number,
            unit: None,
            decimal_places: 2,
            is_required: true,
            options: vec![],
            sub_questions: vec![],
            formula: None,
            min: None,
            max: None,
            benchmark_code: None,
            is_active: true,
            bank_version: 1,
        }
    }

    fn material() -> Material {
        let p2p = vertical(2, "P2P");
        let questions = vec![
            question(1, "P2P_ANNUAL_VOLUME", Some(p2p.clone())),
            question(2, "P2P_FTE", Some(p2p)),
            question(3, "P2P_AVG_SALARY", None),
            question(4, "O2C_FTE", Some(vertical(3, "O2C"))),
        ];
        let given = |value: &str| GivenAnswer { value: Some(value.to_owned()), ..GivenAnswer::default() };
        Material {
            assessment: id(1),
            place: Place { industry: None, region: Some(id(5)) },
            parameters: Parameters::default(),
            verticals: vec![id(2)],
            questions: QuestionSet { bank_version: 1, questions, rules: vec![] },
            answers: [(id(1), given("25000")), (id(2), given("8")), (id(3), given("52000"))].into(),
            opportunities: vec![],
            used: BTreeSet::new(),
            version: 4,
        }
    }

    fn around() -> Surroundings {
        Surroundings {
            verticals: vec![NamedVertical { vertical: vertical(2, "P2P"), name: "Procure to Pay".to_owned() }],
            benchmarks: Benchmarks::default(),
            templates: vec![],
            currency: code("USD"),
        }
    }

    fn ids() -> ReportIds {
        ReportIds { report: id(1), run: id(1), opportunities: vec![] }
    }

    #[test]
    fn a_report_is_made_of_the_verticals_own_answers_and_the_shared_ones() {
        let report = material().report(&ids(), now(), &around()).unwrap();
        assert_eq!(report.version, 4);
        assert_eq!(report.summary_metrics.current_fte, Decimal::from(8));
        assert_eq!(report.summary_metrics.baseline_cost, Decimal::from(416_000));
        assert_eq!(report, material().report(&ids(), now(), &around()).unwrap());
    }

    #[test]
    fn a_missing_answer_is_an_error_and_an_overlaid_one_mends_it() {
        let mut without = material();
        without.answers.remove(&id(2));
        assert!(without.report(&ids(), now(), &around()).is_err());
        assert!(!without.validate(&BTreeMap::new()).valid);
        let given = GivenAnswer { value: Some("9".to_owned()), ..GivenAnswer::default() };
        let mended = without.overlaid([(id(2), given)].into());
        let report = mended.report(&ids(), now(), &around()).unwrap();
        assert_eq!(report.summary_metrics.current_fte, Decimal::from(9));
    }

    #[test]
    fn a_shared_question_finds_the_benchmark_of_one_of_the_verticals() {
        let row = Benchmark {
            id: id(1),
            metric: Text::new("Salary").unwrap(),
            question_code: Some(code("p2p_avg_salary")),
            question_text: None,
            unit: None,
            direction: Direction::LowerIsBetter,
            industry_id: None,
            vertical_id: id(2),
            region_id: None,
            top_quartile: Decimal::ONE,
            median: Decimal::TWO,
            bottom_quartile: Decimal::TEN,
            std_dev: None,
            sample_size: None,
            source: None,
            year: 2025,
            set_version: 1,
            is_active: true,
        };
        let benchmarks = Benchmarks { set_version: 1, rows: vec![row] };
        let facts =
            |verticals: &[VerticalId]| benchmark_facts(&material().questions, verticals, Place::default(), &benchmarks);
        assert_eq!(facts(&[id(3), id(2)]).get(&id(3)).map(|fact| fact.median), Some(Decimal::TWO));
        assert_eq!(facts(&[id(3)]), BTreeMap::new());
    }

    #[test]
    fn there_is_no_material_in_an_assessment_that_is_not_yet() {
        assert_eq!(Material::of(id(1), &Assessment::default()), None);
    }
}
