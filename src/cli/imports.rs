//! The library's imports and its export: the same code as over HTTP.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::{
    app::App,
    backing::Backing,
    config::Config,
    imports::{
        Import, Kind, Report,
        codes::Place,
        export::{self, Filter},
    },
    journal::{ExecuteError, Issuer, Refused},
};

macro_rules! imports {
    ($($(#[$doc:meta])* $name:ident: $kind:ident, $command:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Args)]
        pub(super) struct $name {
            /// The file; nothing of it is kept when anything in it is wrong
            file: PathBuf,
        }

        impl $name {
            pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
                import(config, &self.file, Kind::$kind, $command, false).await
            }
        }
    )*};
}

imports! {
    /// Import questions: a JSON array, by code
    ImportQuestions: Questions, "question_bank.import_questions";
    /// Import validation rules: a JSON array, by code
    ImportRules: Rules, "question_bank.import_rules";
    /// Import questions that are answered by a score from 1 to 5: a JSON array or CSV, by code
    ImportReviewQuestions: ReviewQuestions, "question_bank.import_questions";
    /// Import opportunity templates: a JSON array, by code
    ImportTemplates: Templates, "lever_library.import_templates";
}

/// Import benchmarks: CSV; replaces the rows of the verticals and years that it holds
#[derive(Debug, Args)]
pub(super) struct ImportBenchmarks {
    /// The file; nothing of it is kept when anything in it is wrong
    file: PathBuf,
    /// Say what the import would come to, and keep nothing
    #[arg(long)]
    dry_run: bool,
}

impl ImportBenchmarks {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        import(config, &self.file, Kind::Benchmarks, "benchmark_set.import", self.dry_run).await
    }
}

/// Write the current benchmarks as CSV that can be imported again
#[derive(Debug, Args)]
pub(super) struct ExtractBenchmarks {
    /// The file to write; standard output without it
    #[arg(long)]
    out: Option<PathBuf>,
    /// Those of this vertical only, by id or code
    #[arg(long)]
    vertical: Option<String>,
}

impl ExtractBenchmarks {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let app = App::open(config.clone(), &Backing::for_command(&config)?).await?;
        let journal = &app.tenant.journal;
        let vertical = match &self.vertical {
            None => None,
            Some(text) => {
                let id = Place::Vertical.id(journal, text).await?;
                Some(id.with_context(|| format!("there is no vertical {text}"))?)
            }
        };
        let text = export::benchmarks(journal, Filter { vertical, ..Filter::default() }).await?;
        match &self.out {
            None => std::io::stdout().write_all(text.as_bytes())?,
            Some(path) => {
                std::fs::write(path, &text).with_context(|| format!("{} cannot be written", path.display()))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn import(
    config: Config,
    path: &std::path::Path,
    kind: Kind,
    command: &'static str,
    dry_run: bool,
) -> Result<ExitCode> {
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let import = match Import::read(kind, &bytes) {
        Ok(import) => import,
        Err(refused) => return refuse(&refused),
    };
    let backing = Backing::for_command(&config)?;
    let app = App::open(config, &backing).await?;
    let (journal, issuer) = (&app.tenant.journal, Issuer::system(command));
    let outcome = if dry_run {
        import.rehearse(journal, &issuer).await.map(|report| (report, None))
    } else {
        let done = journal.execute::<_, ExecuteError>(&issuer, async |unit| import.carry_out(unit).await).await;
        done.map(|done| (done.output, done.appended.then_some(done.position)))
    };
    match outcome {
        Ok((report, position)) => {
            super::settle(&app, position).await?;
            say(&report)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(ExecuteError::Refused(refused)) => refuse(&refused),
        Err(error) => Err(error.into()),
    }
}

fn say(report: &Report) -> Result<()> {
    let Report { created, updated, unchanged, removed, .. } = report;
    let suffix = if report.dry_run { " (dry run: nothing was kept)" } else { "" };
    writeln!(
        std::io::stdout(),
        "{created} created, {updated} updated, {unchanged} unchanged, {removed} removed, 0 errors{suffix}"
    )?;
    Ok(())
}

/// Lists what is wrong, a line each.
fn refuse(refused: &Refused) -> Result<ExitCode> {
    let mut err = std::io::stderr();
    writeln!(err, "{}: {}", refused.code, refused.detail)?;
    let errors = refused.members.get("import_errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for error in errors {
        let part = |name: &str| match error.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => format!(" {text}"),
            Some(other) => format!(" {other}"),
        };
        let place =
            if error.get("row").is_some() { format!("row{}", part("row")) } else { format!("item{}", part("index")) };
        let field = if error.get("column").is_some() { part("column") } else { part("field") };
        writeln!(err, "  {place}{}{field}:{}{}", part("item"), part("code"), part("message"))?;
    }
    writeln!(std::io::stdout(), "0 created, 0 updated, 0 unchanged, {} errors", errors.len().max(1))?;
    Ok(ExitCode::FAILURE)
}
