//! The folder that the server's mails are written to when no mail server is named.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for the mail with which somebody sets a first password, and takes its token.
///
/// # Errors
/// When the folder cannot be read, or the mail does not come in time.
pub(super) async fn token_for(email: &str, outbox: &Path) -> Result<String> {
    let begun = Instant::now();
    loop {
        if let Some(token) = find(email, outbox)? {
            return Ok(token);
        }
        if begun.elapsed() > PATIENCE {
            bail!(
                "No mail with a token for {email} came to {} within {} s. Name the folder of the server's mails with --outbox.",
                outbox.display(),
                PATIENCE.as_secs()
            );
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

fn find(email: &str, outbox: &Path) -> Result<Option<String>> {
    // The server makes the folder with its first mail.
    if !outbox.exists() {
        return Ok(None);
    }
    for entry in std::fs::read_dir(outbox).with_context(|| format!("reading {}", outbox.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            let mail = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            if let Some(token) = token_in(&String::from_utf8_lossy(&mail), email) {
                return Ok(Some(token));
            }
        }
    }
    Ok(None)
}

/// The token of a mail that is for `email`: what follows `token=` up to the end of the line.
fn token_in(mail: &str, email: &str) -> Option<String> {
    let mail = if mail.to_ascii_lowercase().contains("quoted-printable") {
        mail.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=")
    } else {
        mail.to_owned()
    };
    if !mail.to_lowercase().contains(&email.to_lowercase()) {
        return None;
    }
    let (_, rest) = mail.split_once("token=")?;
    let token: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_ends_with_its_line() {
        let mail = "To: ann@x.example\r\n\r\nhttp://h/set-password?token=3Dab-c_9\r\nBye";
        assert_eq!(token_in(mail, "Ann@x.example").as_deref(), Some("3Dab-c_9"));
        assert_eq!(token_in(mail, "bob@x.example"), None);
    }

    #[test]
    fn a_quoted_printable_mail_is_put_together_again() {
        let mail =
            "To: ann@x.example\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nhttp://h/?token=3Dab=\r\ncd\r\n";
        assert_eq!(token_in(mail, "ann@x.example").as_deref(), Some("abcd"));
    }
}
