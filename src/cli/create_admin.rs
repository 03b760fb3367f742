//! `ddc create_admin`: the first user, or another ADMIN.

use std::{io::Write, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;
use identity::user::{NewUser, User, UserCommand, UserProfile};
use kernel::{Email, Role, UserId};

use crate::{
    app::App,
    auth::{self, EMAIL_SCOPE, Password},
    backing::Backing,
    config::Config,
    journal::{ExecuteError, Issuer, Refused},
};

/// Make a user with the role ADMIN, or give an existing one a new password
///
/// Example: ddc create_admin --email admin@example.com --password 'eight characters or more'
#[derive(Debug, Args)]
pub(super) struct CreateAdmin {
    /// The email to sign in with
    #[arg(long)]
    email: String,
    /// 8 to 128 characters
    #[arg(long)]
    password: String,
}

impl CreateAdmin {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let email = Email::new(&self.email).context("--email")?;
        let password = Password::try_from(self.password).context("--password")?;
        let backing = Backing::for_command(&config)?;
        let app = App::open(config, &backing).await?;
        let hash = password.hash().await?;
        let (user, verb) = match auth::find(&app.tenant, &email).await? {
            Some(user) => {
                let role = app.tenant.journal.read::<User, _>(user, |user, _| user.role()).await?;
                if role != Some(Role::Admin) {
                    bail!("{email} is a user with another role; change it over the API, or choose another email");
                }
                (user, "has a new password")
            }
            None => (register(&app, email.clone()).await?, "was made"),
        };
        hash.save(&app.tenant.pool, user).await?;
        let issuer = Issuer::system("user.record_password_set");
        let journal = &app.tenant.journal;
        let done = journal
            .execute(&issuer, async |unit| unit.decide::<User, _>(user, UserCommand::RecordPasswordSet).await)
            .await
            .map_err(|error: ExecuteError| error)?;
        super::settle(&app, done.appended.then_some(done.position)).await?;
        writeln!(std::io::stdout(), "ADMIN {email} {verb} (user {user})")?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn register(app: &App, email: Email) -> Result<UserId, ExecuteError> {
    let id: UserId = app.tenant.journal.ids().next().await?;
    let issuer = Issuer::system("user.register");
    let taken = || Refused::conflict("EMAIL_TAKEN", "email", "the email is taken");
    let registered = app
        .tenant
        .journal
        .execute(&issuer, async |unit| {
            unit.claim(EMAIL_SCOPE, &email, id, taken).await?;
            let user = NewUser {
                id,
                email: email.clone(),
                role: Role::Admin,
                company_name: None,
                parent: None,
                industry_type: None,
                profile: UserProfile::default(),
                must_set_password: false,
            };
            unit.decide::<User, _>(id, UserCommand::Register(user)).await
        })
        .await;
    registered.map(|_| id)
}
