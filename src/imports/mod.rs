//! The library's imports and exports: the same for HTTP and for the command line.
//!
//! A file is decoded into items ([`file`]), its codes are looked up ([`codes`]), the aggregate decides on the whole of
//! it, and what came of it is counted on the aggregate itself ([`report`]). Each import is all or nothing: what is
//! wrong is named item by item, in a refusal `INVALID_IMPORT` with `import_errors`.

pub mod cell;
pub mod codes;
pub mod export;
pub mod file;
mod report;

use engagement::{
    benchmark_set::{BenchmarkItem, BenchmarkSet, BenchmarkSetCommand},
    lever_library::{LeverLibrary, LeverLibraryCommand, TemplateItem},
    question_bank::{QuestionBank, QuestionBankCommand},
    questionnaire::{QuestionItem, RuleItem},
};

pub use report::Report;

use crate::journal::{ExecuteError, Issuer, Journal, Refused, Unit};

/// The id of the streams of which an installation has one each: question bank, benchmark set, lever library.
pub const THE_ONE: &str = "main";

/// What kind of library a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JSON.
    Questions,
    /// JSON, or CSV if it does not begin with a bracket; every item becomes a SCORE question.
    ReviewQuestions,
    /// JSON.
    Rules,
    /// CSV.
    Benchmarks,
    /// JSON.
    Templates,
}

/// A file that has been decoded.
#[derive(Debug, Clone, PartialEq)]
pub enum Import {
    Questions(Vec<QuestionItem>),
    Rules(Vec<RuleItem>),
    Benchmarks(Vec<BenchmarkItem>),
    Templates(Vec<TemplateItem>),
}

impl Import {
    /// Decodes a file.
    ///
    /// # Errors
    /// What is wrong with it, item by item.
    pub fn read(kind: Kind, bytes: &[u8]) -> Result<Self, Refused> {
        let text = file::text(bytes)?;
        match kind {
            Kind::Questions => file::json(text).map(Self::Questions),
            Kind::ReviewQuestions => {
                let items: Vec<QuestionItem> = if text.trim_start().starts_with(['[', '{']) {
                    file::json(text)?
                } else {
                    file::csv(text, &file::REVIEW_QUESTIONS)?
                };
                Ok(Self::Questions(items.into_iter().map(QuestionItem::as_review).collect()))
            }
            Kind::Rules => file::json(text).map(Self::Rules),
            Kind::Benchmarks => file::csv(text, &file::BENCHMARKS).map(Self::Benchmarks),
            Kind::Templates => file::json(text).map(Self::Templates),
        }
    }

    /// Imports it as part of a unit, in which nothing else is held yet.
    ///
    /// # Errors
    /// What the aggregate refuses; that a stream cannot be loaded.
    pub async fn carry_out(&self, unit: &mut Unit<'_>) -> Result<Report, ExecuteError> {
        match self {
            Self::Questions(items) => questions(unit, items).await,
            Self::Rules(items) => rules(unit, items).await,
            Self::Benchmarks(rows) => benchmarks(unit, rows).await,
            Self::Templates(items) => templates(unit, items).await,
        }
    }

    /// What an import would come to; nothing is kept of it.
    ///
    /// # Errors
    /// As [`Import::carry_out`].
    pub async fn rehearse(&self, journal: &Journal, issuer: &Issuer) -> Result<Report, ExecuteError> {
        let outcome = journal
            .execute::<(), Rehearsed>(issuer, async |unit| {
                let report = self.carry_out(unit).await?;
                // An error, so that nothing is appended.
                Err(Rehearsed::Done(Report { dry_run: true, ..report }))
            })
            .await;
        match outcome {
            Err(Rehearsed::Done(report)) => Ok(report),
            Err(Rehearsed::Failed(error)) => Err(error),
            Ok(_) => Err(ExecuteError::Fault("a rehearsal was carried out".to_owned())),
        }
    }
}

/// How a rehearsal ends.
enum Rehearsed {
    Done(Report),
    Failed(ExecuteError),
}

impl From<ExecuteError> for Rehearsed {
    fn from(error: ExecuteError) -> Self {
        Self::Failed(error)
    }
}

async fn questions(unit: &mut Unit<'_>, items: &[QuestionItem]) -> Result<Report, ExecuteError> {
    let all =
        |bank: &QuestionBank| report::by_id(bank.questions().iter().map(|question| (question.id, question.clone())));
    let verticals =
        codes::verticals(unit.journal(), items.iter().filter_map(|item| item.vertical_code.as_ref())).await?;
    let ids = unit.journal().ids().many(items.len()).await?;
    let before = unit.depend::<QuestionBank, _>(THE_ONE, |bank, _| all(bank)).await?;
    let command = QuestionBankCommand::ImportQuestions { items: items.to_vec(), ids, verticals };
    unit.decide::<QuestionBank, _>(THE_ONE, command).await?;
    let (after, version) = unit.depend::<QuestionBank, _>(THE_ONE, |bank, _| (all(bank), bank.bank_version())).await?;
    Ok(Report { bank_version: Some(version), ..Report::between(&before, &after, items.len()) })
}

async fn rules(unit: &mut Unit<'_>, items: &[RuleItem]) -> Result<Report, ExecuteError> {
    let all = |bank: &QuestionBank| report::by_id(bank.rules().iter().map(|rule| (rule.id, rule.clone())));
    let verticals =
        codes::verticals(unit.journal(), items.iter().filter_map(|item| item.vertical_code.as_ref())).await?;
    let ids = unit.journal().ids().many(items.len()).await?;
    let before = unit.depend::<QuestionBank, _>(THE_ONE, |bank, _| all(bank)).await?;
    let command = QuestionBankCommand::ImportRules { items: items.to_vec(), ids, verticals };
    unit.decide::<QuestionBank, _>(THE_ONE, command).await?;
    let (after, version) = unit.depend::<QuestionBank, _>(THE_ONE, |bank, _| (all(bank), bank.bank_version())).await?;
    Ok(Report { bank_version: Some(version), ..Report::between(&before, &after, items.len()) })
}

async fn benchmarks(unit: &mut Unit<'_>, rows: &[BenchmarkItem]) -> Result<Report, ExecuteError> {
    // That the whole set has a new version is no difference in a row.
    let all = |set: &BenchmarkSet| {
        let rows = set.benchmarks().rows.into_iter().map(|mut row| {
            row.set_version = 0;
            (row.id, row)
        });
        report::by_id(rows)
    };
    let known = codes::known(unit.journal(), rows).await?;
    let ids = unit.journal().ids().many(rows.len()).await?;
    let before = unit.depend::<BenchmarkSet, _>(THE_ONE, |set, _| all(set)).await?;
    let command = BenchmarkSetCommand::Import { rows: rows.to_vec(), ids, known };
    unit.decide::<BenchmarkSet, _>(THE_ONE, command).await?;
    let (after, version) =
        unit.depend::<BenchmarkSet, _>(THE_ONE, |set, _| (all(set), set.benchmarks().set_version)).await?;
    Ok(Report { set_version: Some(version), ..Report::between(&before, &after, rows.len()) })
}

async fn templates(unit: &mut Unit<'_>, items: &[TemplateItem]) -> Result<Report, ExecuteError> {
    let all = |library: &LeverLibrary| report::by_id(library.all().map(|template| (template.id, template.clone())));
    let verticals = codes::verticals(unit.journal(), items.iter().map(|item| &item.vertical_code)).await?;
    let ids = unit.journal().ids().many(items.len()).await?;
    let before = unit.depend::<LeverLibrary, _>(THE_ONE, |library, _| all(library)).await?;
    let questions = unit
        .depend::<QuestionBank, _>(THE_ONE, |bank, _| {
            bank.questions().iter().filter(|question| question.is_active).cloned().collect()
        })
        .await?;
    let command = LeverLibraryCommand::ImportTemplates { items: items.to_vec(), ids, verticals, questions };
    unit.decide::<LeverLibrary, _>(THE_ONE, command).await?;
    let after = unit.depend::<LeverLibrary, _>(THE_ONE, |library, _| all(library)).await?;
    Ok(Report::between(&before, &after, items.len()))
}
