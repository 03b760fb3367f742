use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kernel::{AssessmentId, Code, OpportunityId, ReportId, RunId, formula::Value};
use rust_decimal::Decimal;

use super::{
    BenchmarkComparison, NarrativeSource, Report, ReportStatus, SummaryMetrics, VerticalResult, Warning,
    comparison::{Surroundings, comparisons, target_productivity},
    narrative, opportunities,
};
use crate::{
    benchmark::{Benchmarks, Place, section_maturity},
    business_case::{
        BaselineInputs, CaseError, Evaluation, GAP_SCORE_WITHOUT_BENCHMARK, MissingInputs, Opportunity,
        OpportunityTemplate, OutOfRange, Parameters, VerticalFacts, VerticalSavings, evaluate,
    },
    questionnaire::{Question, QuestionType, VerticalRef},
};

/// All that a report is made of. The same inputs give the same report.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    pub id: ReportId,
    pub assessment_id: AssessmentId,
    pub run_id: RunId,
    /// The version that the report is to have.
    pub version: u32,
    pub at: DateTime<Utc>,
    pub currency: Code,
    pub verticals: &'a [VerticalInputs<'a>],
    pub benchmarks: &'a Benchmarks,
    pub place: Place,
    pub templates: &'a [OpportunityTemplate],
    /// Those of the assessment as it stands, whatever their status.
    pub opportunities: &'a [Opportunity],
    /// Those that a costing uses.
    pub used: &'a BTreeSet<OpportunityId>,
    /// As many as there are templates suffice.
    pub new_ids: &'a [OpportunityId],
    pub parameters: &'a Parameters,
}

/// A vertical of the assessment with its stabilised answers.
#[derive(Debug, Clone)]
pub struct VerticalInputs<'a> {
    pub vertical: VerticalRef,
    pub name: String,
    /// The vertical's own and the shared ones, in bank order.
    pub questions: Vec<&'a Question>,
    /// By code in lower case (`code.sub_key` for a part); what has no value is absent.
    pub answers: BTreeMap<String, Value>,
}

impl VerticalInputs<'_> {
    /// The answer, if there is one and it is a number.
    #[must_use]
    pub fn number(&self, code: &str) -> Option<Decimal> {
        self.answers.get(&code.to_lowercase()).and_then(Value::number)
    }
}

/// Why a report cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Missing(#[from] MissingInputs),
    #[error(transparent)]
    Case(#[from] CaseError),
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    #[error("more new opportunities were found than there are ids for them")]
    TooFewIds,
}

struct Maturity {
    percentile: Option<Decimal>,
    level: Option<u8>,
}

/// Step 2 to 4 of the analysis (spec 13), with the template narrative.
///
/// # Errors
/// When a required answer is missing, shares overlap, a figure is out of range, or ids run short.
pub fn build(inputs: &Inputs<'_>) -> Result<Report, BuildError> {
    let mut facts = Vec::new();
    let mut maturities = Vec::new();
    let mut metrics = Vec::new();
    for vertical in inputs.verticals {
        let baseline = BaselineInputs::read(&vertical.vertical.code, |code| vertical.number(code))?;
        let costs = baseline.costs(inputs.parameters.hours_per_fte)?;
        let (benchmarks, place) = (inputs.benchmarks, inputs.place);
        let around = Surroundings { inputs: &baseline, costs: &costs, benchmarks, place };
        let compared = comparisons(vertical, &around)?;
        let (percentile, level) = section_maturity(&percentiles(&compared), &scores(vertical))?;
        facts.push(VerticalFacts {
            vertical_id: vertical.vertical.id,
            vertical_code: vertical.vertical.code.clone(),
            target_transactions_per_fte: target_productivity(&compared, inputs.parameters.target_quartile),
            gap_score: percentile.map_or(GAP_SCORE_WITHOUT_BENCHMARK, |percentile| Decimal::ONE_HUNDRED - percentile),
            inputs: baseline,
        });
        maturities.push(Maturity { percentile, level });
        metrics.extend(compared);
    }
    let found = opportunities::found(inputs, &metrics)?;
    let case = evaluate(&facts, found, inputs.parameters)?;
    let all_scores: Vec<_> = inputs.verticals.iter().flat_map(scores).collect();
    let (_, maturity_level) = section_maturity(&percentiles(&metrics), &all_scores)?;
    Ok(assemble(inputs, case, maturities, metrics, maturity_level))
}

fn percentiles(comparisons: &[BenchmarkComparison]) -> Vec<Decimal> {
    comparisons.iter().filter_map(|one| one.percentile).collect()
}

fn scores(vertical: &VerticalInputs<'_>) -> Vec<Decimal> {
    let asked = vertical.questions.iter().filter(|question| question.question_type == QuestionType::Score);
    asked.filter_map(|question| vertical.number(&question.code)).collect()
}

fn assemble(
    inputs: &Inputs<'_>,
    case: Evaluation,
    maturities: Vec<Maturity>,
    benchmarks: Vec<BenchmarkComparison>,
    maturity_level: Option<u8>,
) -> Report {
    let warnings = case.savings.iter().flat_map(warnings).collect();
    let summary_metrics = summary(&case, maturity_level);
    let verticals = case
        .baselines
        .into_iter()
        .zip(case.savings)
        .zip(maturities)
        .map(|((baseline, savings), maturity)| VerticalResult {
            baseline,
            percentile: maturity.percentile,
            maturity_level: maturity.level,
            fte_savings: savings.fte_savings,
            gross_savings: savings.gross_savings,
            scaling_factor: savings.scaling_factor,
            fte_gap: savings.fte_gap,
        })
        .collect();
    let mut report = Report {
        id: inputs.id,
        assessment_id: inputs.assessment_id,
        run_id: inputs.run_id,
        version: inputs.version,
        status: ReportStatus::Generated,
        generated_at: inputs.at,
        narrative_source: NarrativeSource::Template,
        prompt_versions: BTreeMap::new(),
        currency: inputs.currency.clone(),
        benchmark_set_version: inputs.benchmarks.set_version,
        summary_metrics,
        verticals,
        benchmarks,
        opportunities: case.opportunities,
        roadmap: case.roadmap,
        sections: Vec::new(),
        parameters: inputs.parameters.clone(),
        warnings,
    };
    report.sections = narrative::sections(&report);
    report
}

fn summary(case: &Evaluation, maturity_level: Option<u8>) -> SummaryMetrics {
    let financials = &case.financials;
    SummaryMetrics {
        basis: financials.basis,
        current_fte: case.current_fte,
        fte_savings: case.fte_savings,
        baseline_cost: case.baseline_cost,
        annual_savings: financials.annual_savings,
        annual_run_cost: financials.annual_run_cost,
        net_annual_savings: financials.net_annual_savings,
        savings_percent: case.savings_percent,
        investment: financials.investment,
        payback_months: financials.payback_months,
        payback_months_ramped: financials.payback_months_ramped,
        npv: financials.npv,
        roi_percent: financials.roi_percent,
        first_year_roi_percent: financials.first_year_roi_percent,
        programme_npv: case.programme_npv,
        maturity_level,
        roadmap: case.roadmap.clone(),
        reasons: financials.reasons.clone(),
    }
}

fn warnings(savings: &VerticalSavings) -> Vec<Warning> {
    let warning = |code: &str, message: String| Warning {
        code: code.to_owned(),
        vertical_id: Some(savings.vertical_id),
        message,
    };
    let scaled = savings.scaling_factor.map(|factor| {
        warning(
            "SAVINGS_SCALED",
            format!("the effort savings exceeded the cap and were scaled by {}", factor.normalize()),
        )
    });
    let exceeded = savings.fte_gap.filter(|_| savings.exceeds_benchmark).map(|gap| {
        let saved = savings.fte_savings;
        warning("SAVINGS_EXCEED_BENCHMARK", format!("{saved} FTE are saved, the gap to the benchmark is {gap} FTE"))
    });
    scaled.into_iter().chain(exceeded).collect()
}
