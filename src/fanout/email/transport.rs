//! The way out for a mail: an SMTP server, or a folder when none is configured.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::{config::Mail, embedded};

/// Where mails go.
pub(super) enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// One file a mail.
    Outbox(PathBuf),
}

/// What became of a mail.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Accepted, with what the other side said.
    Sent(String),
    /// Trying again may help.
    Transient(String),
    Permanent(String),
}

impl Transport {
    /// # Errors
    /// When `SMTP_URL` is malformed.
    pub(super) fn new(mail: &Mail, data: &Path) -> Result<Self> {
        let Some(url) = &mail.smtp_url else { return Ok(Self::Outbox(data.join("outbox"))) };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose()).context("SMTP_URL is malformed")?;
        Ok(Self::Smtp(builder.build()))
    }

    /// Sends a mail; `name` is the file's in an outbox.
    pub(super) async fn send(&self, message: Message, name: String) -> Outcome {
        match self {
            Self::Smtp(server) => match server.send(message).await {
                Ok(response) => Outcome::Sent(response.message().collect::<Vec<_>>().join(" ")),
                Err(error) => {
                    let permanent = error.is_permanent() || error.is_client();
                    let text = format!("{:#}", anyhow::Error::from(error));
                    if permanent { Outcome::Permanent(text) } else { Outcome::Transient(text) }
                }
            },
            Self::Outbox(folder) => {
                let (folder, file) = (folder.clone(), name.clone());
                let kept = tokio::task::spawn_blocking(move || keep(&folder, &file, &message.formatted())).await;
                match kept.context("writing broke off").and_then(|kept| kept) {
                    Ok(()) => Outcome::Sent(name),
                    Err(error) => Outcome::Transient(format!("{error:#}")),
                }
            }
        }
    }
}

/// Writes a mail's file; it is there whole or not at all. Mails hold tokens, so the folder is private.
fn keep(folder: &Path, name: &str, mail: &[u8]) -> Result<()> {
    embedded::private_folder(folder)?;
    let (unfinished, path) = (folder.join(format!(".{name}")), folder.join(name));
    let mut file = std::fs::File::create(&unfinished).with_context(|| format!("{}", unfinished.display()))?;
    file.write_all(mail)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, &path).with_context(|| format!("{}", path.display()))
}
