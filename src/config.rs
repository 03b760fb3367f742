//! The configuration, and the only place that reads the environment.
//!
//! Values come from the environment, then from a `.env` file in the working folder. The names of the documented
//! contract (spec section 22) are kept. An empty value counts as unset. Every error names the variable and says
//! what to write.

mod lookup;
mod secret;
#[cfg(test)]
mod tests;

use std::env;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::{embedded, node_roles::NodeRoles};
use lookup::Lookup;
pub use secret::Secret;

/// The key that the documentation shows. Whoever runs with it can be impersonated by anybody.
const INSECURE_KEY: &str = "django-insecure-key";
/// Shorter keys can be guessed (bytes).
const KEY_SHORTEST: usize = 16;

/// Everything that can be set from outside.
#[derive(Debug, Clone)]
pub struct Config {
    /// `DDC_DATA`: where private servers, made keys and files live.
    pub data: PathBuf,
    /// `DDC_LISTEN`: the address of the HTTP server.
    pub listen: SocketAddr,
    /// `DDC_ROLES`: what this node does, e.g. `api,projector`. Unset: everything.
    pub roles: NodeRoles,
    /// `DATABASE_URL`, or made of `DB_NAME`, `DB_USER`, `DB_PASSWORD`, `DB_HOST`, `DB_PORT`. Unset: a private
    /// PostgreSQL.
    pub database_url: Option<Secret>,
    /// `NATS_URL`. Unset: a private NATS.
    pub nats_url: Option<Secret>,
    /// `DDC_STREAM`: the JetStream stream that holds a copy of the journal, default `DDC`; its subjects begin with the
    /// same in lower case.
    pub stream: String,
    /// `SECRET_KEY`: signs access tokens. See [`Config::secret_key`].
    pub secret_key_given: Option<Secret>,
    /// `DDC_MASTER_KEY`: encrypts the keys of personal data. See [`Config::master_key`].
    pub master_key_given: Option<Secret>,
    /// `DEBUG`: permits the documented insecure key.
    pub debug: bool,
    /// `DDC_LOG` and `RUST_LOG`.
    pub log: Log,
    pub http: Http,
    pub tokens: Tokens,
    pub mail: Mail,
    pub signals: Signals,
    pub language_model: LanguageModel,
    /// `TEST_QUESTION_LIMIT`: only so many questions go into a new assessment.
    pub test_question_limit: Option<u32>,
}

/// How the process logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// In the syntax of `RUST_LOG`.
    pub filter: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}

/// The HTTP edge.
#[derive(Debug, Clone)]
pub struct Http {
    /// `FRONTEND_URL`: what links in mails begin with; without a closing slash. Default: the listen address.
    pub frontend_url: String,
    /// `CORS_ALLOWED_ORIGINS`, separated by commas.
    pub cors_allowed_origins: Vec<String>,
    /// `ALLOWED_HOSTS`, separated by commas; empty or `*` means any.
    pub allowed_hosts: Vec<String>,
    /// `TRUSTED_PROXIES`, addresses separated by commas: their `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

/// How long tokens last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// `ACCESS_TOKEN_SECS`, default 900.
    pub access: Duration,
    /// `REFRESH_TOKEN_SECS`, default 604,800.
    pub refresh: Duration,
}

/// Outgoing mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// `SMTP_URL` (`smtp://` or `smtps://`, with user and password). Unset: mail stays in the log of mails.
    pub smtp_url: Option<Secret>,
    /// `MAIL_FROM`, else `AZURE_SENDER_EMAIL`, else `ddc@localhost`.
    pub from: String,
    /// `MAIL_RETRY_SECS`: the wait before a failed mail is tried again, default 60.
    pub retry_after: Duration,
    /// `DDC_SUPPORT_ADMIN_EMAIL`.
    pub support: Option<String>,
}

/// Switches of business rules (spec sections 0 and 22), all off by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals {
    /// `ALLOW_ADMIN_SELF_APPROVAL`
    pub allow_admin_self_approval: bool,
    /// `REQUIRE_COMMENT_RESOLUTION`
    pub require_comment_resolution: bool,
    /// `BLOCK_OVER_BUDGET`
    pub block_over_budget: bool,
}

/// The language model that words reports; without an endpoint they are worded by templates.
#[derive(Debug, Clone)]
pub struct LanguageModel {
    /// `AZURE_OPENAI_ENDPOINT`
    pub endpoint: Option<String>,
    /// `AZURE_OPENAI_API_KEY`
    pub api_key: Option<Secret>,
    /// `AZURE_OPENAI_MODEL`
    pub model: Option<String>,
}

impl Config {
    /// Reads the environment and, where it is silent, the file `.env` of the working folder.
    ///
    /// # Errors
    /// When `.env` is malformed or a value is; the message names the variable.
    pub fn from_env() -> Result<Self> {
        let mut file = Vec::new();
        match dotenvy::from_path_iter(".env") {
            Ok(lines) => {
                for line in lines {
                    file.push(line.context(".env is malformed")?);
                }
            }
            Err(error) if error.not_found() => {}
            Err(error) => return Err(error).context(".env cannot be read"),
        }
        Self::from_lookup(&|name| {
            let in_file = || file.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            env::var_os(name).map(|value| value.to_string_lossy().into_owned()).or_else(in_file)
        })
    }

    /// The configuration that `lookup` describes.
    ///
    /// # Errors
    /// When a value is malformed; the message names the variable.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let vars = Lookup::new(lookup);
        let listen = vars.parsed("DDC_LISTEN", "an address such as 127.0.0.1:8080")?;
        let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        Ok(Self {
            roles: vars.parsed("DDC_ROLES", "some of api,projector,relay,consumer,reactor")?.unwrap_or_default(),
            data: vars.text("DDC_DATA").map_or_else(|| PathBuf::from("data"), PathBuf::from),
            listen,
            database_url: database_url(&vars)?,
            nats_url: nats_url(&vars)?,
            stream: stream(&vars)?,
            secret_key_given: vars.text("SECRET_KEY").map(Secret::new),
            master_key_given: vars.text("DDC_MASTER_KEY").map(Secret::new),
            debug: vars.flag("DEBUG")?,
            log: log(&vars)?,
            http: http(&vars, listen)?,
            tokens: Tokens {
                access: vars.seconds("ACCESS_TOKEN_SECS", 900)?,
                refresh: vars.seconds("REFRESH_TOKEN_SECS", 604_800)?,
            },
            mail: mail(&vars)?,
            signals: Signals {
                allow_admin_self_approval: vars.flag("ALLOW_ADMIN_SELF_APPROVAL")?,
                require_comment_resolution: vars.flag("REQUIRE_COMMENT_RESOLUTION")?,
                block_over_budget: vars.flag("BLOCK_OVER_BUDGET")?,
            },
            language_model: LanguageModel {
                endpoint: vars.url("AZURE_OPENAI_ENDPOINT", &["https", "http"])?,
                api_key: vars.text("AZURE_OPENAI_API_KEY").map(Secret::new),
                model: vars.text("AZURE_OPENAI_MODEL"),
            },
            test_question_limit: vars.parsed("TEST_QUESTION_LIMIT", "a whole number")?,
        })
    }

    /// The key that signs access tokens: `SECRET_KEY`, else one that is made once and kept in the data folder.
    ///
    /// # Errors
    /// When the documented insecure key is used without `DEBUG=true`, a key is too short, or none can be kept.
    pub fn secret_key(&self) -> Result<Secret> {
        match &self.secret_key_given {
            Some(key) if key.expose() == INSECURE_KEY => {
                ensure!(
                    self.debug,
                    "SECRET_KEY is the insecure one of the documentation: set a random one (`openssl rand -hex 32`), \
                     or leave it unset and one is made; only DEBUG=true permits it"
                );
                Ok(key.clone())
            }
            Some(key) => long_enough("SECRET_KEY", key),
            None => self.made_once("secret.key"),
        }
    }

    /// The key under which the keys of personal data are kept: `DDC_MASTER_KEY`, else one that is made once and kept
    /// in the data folder. Lost, it takes all personal data with it.
    ///
    /// # Errors
    /// When it is too short, or none can be kept.
    pub fn master_key(&self) -> Result<Secret> {
        match &self.master_key_given {
            Some(key) => long_enough("DDC_MASTER_KEY", key),
            None => self.made_once("master.key"),
        }
    }

    fn made_once(&self, name: &str) -> Result<Secret> {
        embedded::private_folder(&self.data)?;
        embedded::secret(&self.data.join(name)).map(Secret::new)
    }
}

/// The folders of `PATH`.
#[must_use]
pub fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn long_enough(name: &str, key: &Secret) -> Result<Secret> {
    ensure!(
        key.expose().len() >= KEY_SHORTEST,
        "{name} is shorter than {KEY_SHORTEST} bytes: set a random one (`openssl rand -hex 32`)"
    );
    Ok(key.clone())
}

fn database_url(vars: &Lookup<'_>) -> Result<Option<Secret>> {
    if let Some(url) = vars.url("DATABASE_URL", &["postgres", "postgresql"])? {
        return Ok(Some(Secret::new(url)));
    }
    let port: Option<u16> = vars.parsed("DB_PORT", "a port number such as 5432")?;
    let (host, name) = (vars.text("DB_HOST"), vars.text("DB_NAME"));
    let (user, password) = (vars.text("DB_USER"), vars.text("DB_PASSWORD"));
    let (Some(host), Some(name)) = (&host, &name) else {
        if host.is_some() || name.is_some() || user.is_some() || password.is_some() || port.is_some() {
            bail!("of DB_HOST and DB_NAME one is missing: set both (or DATABASE_URL), or none of the DB_ variables");
        }
        return Ok(None);
    };
    // As query values, where any character may stand percent-encoded and a host may be a socket's folder.
    let mut url = reqwest::Url::parse("postgres:///").context("an address for the database cannot be formed")?;
    url.set_path(name);
    let port = port.unwrap_or(5432).to_string();
    let pairs = [("host", Some(host)), ("port", Some(&port)), ("user", user.as_ref()), ("password", password.as_ref())];
    for (key, value) in pairs {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(key, value);
        }
    }
    // A form writes a blank as `+`, which libpq takes literally.
    Ok(Some(Secret::new(String::from(url).replace('+', "%20"))))
}

fn nats_url(vars: &Lookup<'_>) -> Result<Option<Secret>> {
    Ok(vars.url("NATS_URL", &["nats", "tls", "ws", "wss"])?.map(Secret::new))
}

fn stream(vars: &Lookup<'_>) -> Result<String> {
    let name = vars.text("DDC_STREAM").unwrap_or_else(|| "DDC".to_owned());
    ensure!(
        name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')),
        "DDC_STREAM is `{name}`: write letters, digits, - and _ only"
    );
    Ok(name)
}

fn log(vars: &Lookup<'_>) -> Result<Log> {
    let format = match vars.text("DDC_LOG").as_deref() {
        None | Some("human") => LogFormat::Human,
        Some("json") => LogFormat::Json,
        Some(other) => bail!("DDC_LOG is `{other}`: write human or json"),
    };
    Ok(Log { format, filter: vars.text("RUST_LOG") })
}

fn http(vars: &Lookup<'_>, listen: SocketAddr) -> Result<Http> {
    let frontend_url = vars.url("FRONTEND_URL", &["http", "https"])?.unwrap_or_else(|| format!("http://{listen}"));
    Ok(Http {
        frontend_url: frontend_url.trim_end_matches('/').to_owned(),
        cors_allowed_origins: vars.list("CORS_ALLOWED_ORIGINS"),
        allowed_hosts: vars.list("ALLOWED_HOSTS"),
        trusted_proxies: vars.parsed_list("TRUSTED_PROXIES", "IP addresses separated by commas")?,
    })
}

fn mail(vars: &Lookup<'_>) -> Result<Mail> {
    let from = vars.text("MAIL_FROM").or_else(|| vars.text("AZURE_SENDER_EMAIL"));
    let from = from.unwrap_or_else(|| "ddc@localhost".to_owned());
    if let Err(error) = from.parse::<lettre::message::Mailbox>() {
        bail!("MAIL_FROM (or AZURE_SENDER_EMAIL) is `{from}` ({error}): write an address such as ddc@example.com");
    }
    Ok(Mail {
        smtp_url: vars.url("SMTP_URL", &["smtp", "smtps"])?.map(Secret::new),
        from,
        retry_after: vars.seconds("MAIL_RETRY_SECS", 60)?,
        support: vars.text("DDC_SUPPORT_ADMIN_EMAIL"),
    })
}
