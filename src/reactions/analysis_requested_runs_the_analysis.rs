//! When an analysis of an assessment is requested, it is done: five steps (spec 13), each recorded, so that a run that a
//! crash has interrupted goes on where it stopped. The report is built anew then; the same answers give the same figures.
//!
//! The narrative is the template's, made by code from the figures; it is part of the report that step 2 builds.

use async_trait::async_trait;
use engagement::{
    analysis::{Material, NamedVertical, ReportIds, Surroundings},
    assessment::{Assessment, AssessmentCommand, AssessmentEvent},
    benchmark_set::BenchmarkSet,
    lever_library::LeverLibrary,
    questionnaire::VerticalRef,
    report::{BuildError, Report},
};
use kernel::{AssessmentId, Code, RunId, Text};
use reference::Vertical;
use runtime::Recorded;

use super::{Reaction, ReactionError};
use crate::{
    app::App,
    journal::{ExecuteError, Issuer, Journal},
};

/// The streams of the benchmark set and the lever library: each is the only one of its kind.
const LIBRARY: &str = "main";

/// The currency that answers are given in: clients and regions have none of their own (spec 4), and a rate card comes
/// only with the costing.
const CURRENCY: &str = "USD";

/// The steps of the pipeline, from 1.
const VALIDATION: u8 = 1;
const LAST: u8 = 5;

pub(super) struct AnalysisRequestedRunsTheAnalysis;

#[async_trait(?Send)]
impl Reaction for AnalysisRequestedRunsTheAnalysis {
    fn name(&self) -> &'static str {
        "analysis_requested_runs_the_analysis"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["assessment"]
    }

    async fn react(&self, app: &App, event: &Recorded) -> Result<(), ReactionError> {
        if event.event_type != "assessment.analysis_requested" {
            return Ok(());
        }
        let journal = &app.tenant.journal;
        let requested: AssessmentEvent = journal.codec().event(event).await?;
        let id = event.number().and_then(|number| AssessmentId::try_from(number).ok());
        let (AssessmentEvent::AnalysisRequested { run_id, .. }, Some(assessment)) = (requested, id) else {
            return Err(ReactionError::Other("is no request for an analysis".to_owned()));
        };
        let issuer = Issuer::reaction("assessment.analyse", event.position, &event.metadata);
        Run { journal, issuer, assessment, run: run_id }.go().await?;
        Ok(())
    }
}

/// One analysis at work.
struct Run<'a> {
    journal: &'a Journal,
    issuer: Issuer,
    assessment: AssessmentId,
    run: RunId,
}

/// Why a step failed for good, as the run's history tells it.
struct Failure {
    code: &'static str,
    message: String,
}

impl Run<'_> {
    /// Does the steps that are not done yet. A run that is over (cancelled, timed out) is left.
    async fn go(&self) -> Result<(), ExecuteError> {
        let mut report = None;
        while let Some((done, material)) = self.state().await? {
            let step = done.saturating_add(1);
            let outcome = match step {
                VALIDATION => self.validate(material).await?.map(|()| None),
                _ => match report.take() {
                    Some(report) => Ok(Some(report)),
                    None => self.build(material).await?.map(Some),
                },
            };
            match outcome {
                Err(failure) => return self.fail(step, failure).await,
                Ok(made) if step >= LAST => return self.complete(made).await,
                Ok(made) => report = made,
            }
            self.command(AssessmentCommand::RecordAnalysisStep { run: self.run, step }).await?;
        }
        Ok(())
    }

    /// The last step done, and what to work on; `None` when the run is not, or no longer, in progress.
    async fn state(&self) -> Result<Option<(u8, Material)>, ExecuteError> {
        self.journal
            .read::<Assessment, _>(self.assessment, |assessment, _| {
                let run = assessment.current_run().filter(|run| run.id == self.run)?;
                Some((run.step, Material::of(self.assessment, assessment)?))
            })
            .await
    }

    async fn validate(&self, material: Material) -> Result<Result<(), Failure>, ExecuteError> {
        let facts = |set: &BenchmarkSet| material.benchmark_facts(&set.benchmarks());
        let facts = self.journal.read::<BenchmarkSet, _>(LIBRARY, |set, _| facts(set)).await?;
        let result = calculated(move || material.validate(&facts)).await?;
        if result.valid {
            return Ok(Ok(()));
        }
        let errors: Vec<String> = result
            .errors
            .iter()
            .map(|error| format!("{}: {}", error.code.as_deref().unwrap_or(&error.rule), error.message))
            .collect();
        Ok(Err(Failure { code: "VALIDATION_FAILED", message: errors.join("; ") }))
    }

    async fn build(&self, material: Material) -> Result<Result<Box<Report>, Failure>, ExecuteError> {
        let around = self.surroundings(&material).await?;
        let ids = ReportIds {
            report: self.journal.ids().next().await?,
            run: self.run,
            opportunities: self.journal.ids().many(around.templates.len()).await?,
        };
        let at = self.issuer.at;
        let built = calculated(move || material.report(&ids, at, &around)).await?;
        Ok(built.map(Box::new).map_err(|error| Failure { code: code(&error), message: error.to_string() }))
    }

    async fn surroundings(&self, material: &Material) -> Result<Surroundings, ExecuteError> {
        let mut verticals = Vec::with_capacity(material.verticals().len());
        for id in material.verticals() {
            // A vertical that was deleted since is still the assessment's: its code stands in the questions.
            let live = self
                .journal
                .read::<Vertical, _>(id, |vertical, _| {
                    vertical.live().map(|live| (live.code.clone(), live.name.to_string()))
                })
                .await?;
            let named = live.or_else(|| material.vertical_code(*id).map(|code| (code.clone(), code.to_string())));
            verticals.extend(named.map(|(code, name)| NamedVertical { vertical: VerticalRef { id: *id, code }, name }));
        }
        Ok(Surroundings {
            verticals,
            benchmarks: self.journal.read::<BenchmarkSet, _>(LIBRARY, |set, _| set.benchmarks()).await?,
            templates: self
                .journal
                .read::<LeverLibrary, _>(LIBRARY, |library, _| library.templates(material.verticals()))
                .await?,
            currency: Code::new(CURRENCY).map_err(|error| ExecuteError::Fault(error.to_string()))?,
        })
    }

    async fn fail(&self, step: u8, failure: Failure) -> Result<(), ExecuteError> {
        let fault = |error: kernel::BadText| ExecuteError::Fault(error.to_string());
        let message: String = failure.message.chars().take(4000).collect();
        let (code, message) = (Text::new(failure.code).map_err(fault)?, Text::new(&message).map_err(fault)?);
        self.command(AssessmentCommand::FailAnalysis { run: self.run, step, code, message }).await
    }

    /// The last step and the report, in one append.
    async fn complete(&self, report: Option<Box<Report>>) -> Result<(), ExecuteError> {
        let report = report.ok_or_else(|| ExecuteError::Fault("an analysis ended without a report".to_owned()))?;
        let id = self.assessment;
        let done = self
            .journal
            .execute::<_, ExecuteError>(&self.issuer, async |unit| {
                let last = AssessmentCommand::RecordAnalysisStep { run: self.run, step: LAST };
                unit.decide::<Assessment, _>(id, last).await?;
                let complete = AssessmentCommand::CompleteAnalysis { report: report.clone() };
                unit.decide::<Assessment, _>(id, complete).await
            })
            .await;
        left(done.map(drop))
    }

    async fn command(&self, command: AssessmentCommand) -> Result<(), ExecuteError> {
        let id = self.assessment;
        let done = self
            .journal
            .execute::<_, ExecuteError>(&self.issuer, async |unit| {
                unit.decide::<Assessment, _>(id, command.clone()).await
            })
            .await;
        left(done.map(drop))
    }
}

/// A run that another has ended meanwhile (and perhaps begun anew) has nothing more to say.
fn left(done: Result<(), ExecuteError>) -> Result<(), ExecuteError> {
    match done {
        Err(ExecuteError::Refused(refused)) if matches!(refused.code, "RUN_NOT_CURRENT" | "INVALID_TRANSITION") => {
            tracing::info!(code = refused.code, "an analysis was ended by another");
            Ok(())
        }
        done => done,
    }
}

/// Heavy calculation, off the thread that all reactions share.
async fn calculated<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, ExecuteError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ExecuteError::Fault(error.to_string()))
}

const fn code(error: &BuildError) -> &'static str {
    match error {
        BuildError::Missing(_) => "MISSING_INPUTS",
        BuildError::Case(_) => "INCONSISTENT_OPPORTUNITIES",
        BuildError::OutOfRange(_) => "VALUE_OUT_OF_RANGE",
        BuildError::TooFewIds => "TOO_FEW_IDS",
    }
}
