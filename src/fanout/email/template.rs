//! Templates to mails. A template is plain text whose first line is the subject; the HTML part shows the same
//! paragraphs, so that the two can never say different things.

use anyhow::{Context as _, Result};
use minijinja::{Environment, context};
use serde_json::Value;

use super::kind::Kind;

const LAYOUT: &str = include_str!("../../../templates/email/layout.html");

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// Fills a kind's template. `link` is made of configuration and a random token only, so it needs no escaping.
///
/// # Errors
/// When a template is wrong.
pub(super) fn fill(kind: Kind, meta: &Value, link: Option<&str>, support: Option<&str>) -> Result<Words> {
    let mut environment = Environment::new();
    environment.add_template("mail.txt", kind.template())?;
    environment.add_template("layout.html", LAYOUT)?;
    let word = |name| meta.get(name).and_then(Value::as_str);
    let values = context! { link, support, name => word("name"), decision => word("decision") };
    let filled = environment.get_template("mail.txt")?.render(values)?;
    let (subject, text) = filled.split_once('\n').context("a template has no text")?;
    let subject = subject.strip_prefix("Subject:").context("a template has no subject")?.trim().to_owned();
    let text = text.trim();
    let paragraphs: Vec<String> = text.split("\n\n").map(|paragraph| paragraph.trim().to_owned()).collect();
    let html =
        environment.get_template("layout.html")?.render(context! { subject => subject.as_str(), paragraphs, link })?;
    Ok(Words { subject, text: format!("{text}\n"), html })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_has_a_subject_and_a_text() {
        for kind in Kind::ALL {
            let meta = json!({"name": "Acme", "decision": "approved"});
            let words = fill(*kind, &meta, Some("http://h/x?token=t"), Some("help@x.example")).unwrap();
            assert!(!words.subject.is_empty() && words.text.starts_with("Hello"), "{kind:?}: {words:?}");
            assert!(!words.text.contains("{{") && !words.html.contains("{{"), "{kind:?}");
            assert_eq!(Kind::of_name(kind.name()), Some(*kind));
        }
    }

    #[test]
    fn the_token_ends_its_line() {
        let link = "http://h/set-password?token=ab-c_9";
        let words = fill(Kind::SetPassword, &json!({}), Some(link), None).unwrap();
        assert!(words.text.lines().any(|line| line == link), "{}", words.text);
        assert!(words.html.lines().any(|line| line.ends_with("token=ab-c_9")), "{}", words.html);
    }

    #[test]
    fn a_name_is_escaped_in_html_only() {
        let meta = json!({"name": "<b>A & B</b>"});
        let words = fill(Kind::ReportReady, &meta, Some("http://h/assessments/1"), None).unwrap();
        assert!(words.subject.ends_with("<b>A & B</b>") && words.text.contains("<b>A & B</b>"));
        assert!(!words.html.contains("<b>A"), "{}", words.html);
    }
}
