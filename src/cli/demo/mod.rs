//! `ddc demo`: one whole engagement, from the first login to the dashboard, played over HTTP against a running server.
//!
//! Each step is a function of its own, in the order in which a firm works: [`people`], [`library`], [`diagnostic`],
//! [`signing`], [`commercial`], [`delivery`]. What is said and done stands in the folder `demo`. The command can be run
//! any number of times on one server: what is reference data is looked up before it is created, what belongs to the
//! engagement carries a label made of the time. Nothing is done but what any user could do with the same requests.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use chrono::Utc;

mod api;
mod commercial;
mod content;
mod delivery;
mod diagnostic;
mod library;
mod outbox;
mod people;
mod say;
mod signing;
#[cfg(test)]
mod tests;

use api::Server;
use content::Content;
use say::Story;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Demo {
    /// The server to play against.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// The email of an ADMIN.
    #[arg(long, value_name = "EMAIL", default_value = "admin@ddc.local")]
    admin_email: String,
    /// The ADMIN's password. The people of the engagement get the same one.
    #[arg(long, default_value = "ddc-demo-2026")]
    password: String,
    /// The folder with the files of the engagement.
    #[arg(long, value_name = "FOLDER", default_value = "demo")]
    dir: PathBuf,
    /// The folder that the server writes its mails to: the client's first password needs the token of a mail.
    #[arg(long, value_name = "FOLDER", default_value = "data/outbox")]
    outbox: PathBuf,
}

/// What all steps share.
struct Play<'a> {
    server: &'a Server,
    content: &'a Content,
    /// Tells this run's company, people and titles from those of other runs.
    label: String,
    story: Story,
}

impl Play<'_> {
    /// A name that no other run has used.
    fn labelled(&self, name: &str) -> String {
        format!("{name} {}", self.label)
    }
}

impl Demo {
    /// Plays the engagement.
    ///
    /// # Errors
    /// When a file is missing, the server cannot be reached, or it refuses a step; the error says what it said.
    pub(super) async fn run(self) -> Result<ExitCode> {
        play(&self).await?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn play(args: &Demo) -> Result<()> {
    let content = Content::of(&args.dir)?;
    let server = Server::at(&args.server)?;
    let label = Utc::now().format("%y%m%d-%H%M%S").to_string();
    let mut play = Play { server: &server, content: &content, label, story: Story::default() };
    play.story.begin("One engagement, from the first login to the dashboard", &format!("Server: {}", args.server));

    let admin = people::log_in_admin(&mut play, &args.admin_email, &args.password).await?;
    let staff = people::hire_staff(&mut play, &admin, &args.password).await?;
    let places = library::lay_out_reference_data(&mut play, &admin).await?;
    let client = people::win_client(&mut play, &admin, &staff, &places, &args.password, &args.outbox).await?;
    library::import_library(&mut play, &admin).await?;
    let cards = library::price_roles(&mut play, &admin, &places, client.user).await?;

    let survey = diagnostic::open_assessment(&mut play, &staff, &places, client.user).await?;
    diagnostic::answer(&mut play, &staff.consultant, &survey, &client.session).await?;
    diagnostic::add_opportunity(&mut play, &staff.consultant, &survey, &places).await?;
    diagnostic::analyse(&mut play, &staff.consultant, &survey).await?;
    signing::send_back(&mut play, &staff, &client.session, &survey).await?;
    let report = diagnostic::analyse(&mut play, &staff.consultant, &survey).await?;
    signing::sign(&mut play, &staff, &client.session, &survey).await?;

    let costing = commercial::cost(&mut play, &staff, &report, &cards).await?;
    let proposal = commercial::propose(&mut play, &staff.consultant, costing).await?;
    let project = commercial::win(&mut play, &client.session, proposal).await?;
    delivery::deliver(&mut play, &staff.consultant, &project).await?;
    delivery::look_back(&mut play, &staff.second_admin, &client.session).await?;

    play.story.end(&[
        format!("log in as {}, or as any of these, with the password given:", args.admin_email),
        format!(
            "  {} (consultant), {} (reviewer), {} (client)",
            staff.consultant_email, staff.reviewer_email, client.email
        ),
        format!("report       GET {}", server.address(&format!("/api/assessments/{}/report/", survey.id))?),
        format!("its events   GET {}", server.address(&format!("/api/assessments/{}/events/", survey.id))?),
        format!("proposal     GET {}", server.address(&format!("/api/proposals/{proposal}/"))?),
        format!("project      GET {}", server.address(&format!("/api/projects/{}/variance/", api::id(&project)?))?),
        format!("audit log    GET {}", server.address("/api/audit_logs/?ordering=-created_at")?),
    ]);
    Ok(())
}
