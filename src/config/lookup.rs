//! Typed reading of variables.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Reads variables by name. Blanks around a value do not count, and a blank value is an absent one.
pub(super) struct Lookup<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> Lookup<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(lookup)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// `expected` completes the sentence "write …".
    pub(super) fn parsed<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>> {
        self.text(name).map(|value| parse(name, &value, expected)).transpose()
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    pub(super) fn parsed_list<T: FromStr>(&self, name: &str, expected: &str) -> Result<Vec<T>> {
        self.list(name).iter().map(|value| parse(name, value, expected)).collect()
    }

    /// False when unset.
    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        match self.text(name).unwrap_or_default().to_ascii_lowercase().as_str() {
            "" | "false" | "0" | "no" | "off" => Ok(false),
            "true" | "1" | "yes" | "on" => Ok(true),
            other => bail!("{name} is `{other}`: write true or false"),
        }
    }

    /// A time span of at least one second.
    pub(super) fn seconds(&self, name: &str, default: u64) -> Result<Duration> {
        let expected = "a whole number of seconds, at least 1";
        let seconds = self.parsed(name, expected)?.unwrap_or(default);
        if seconds == 0 {
            bail!("{name} is 0: write {expected}");
        }
        Ok(Duration::from_secs(seconds))
    }

    /// An address of one of the schemes. It may hold a password, so no message repeats it.
    pub(super) fn url(&self, name: &str, schemes: &[&str]) -> Result<Option<String>> {
        let Some(value) = self.text(name) else { return Ok(None) };
        let expected =
            || format!("{name} is malformed: write an address that begins with {}://", schemes.join(":// or "));
        let url = reqwest::Url::parse(&value).with_context(expected)?;
        if !schemes.contains(&url.scheme()) {
            bail!(expected());
        }
        Ok(Some(value))
    }
}

fn parse<T: FromStr>(name: &str, value: &str, expected: &str) -> Result<T> {
    value.parse().ok().with_context(|| format!("{name} is `{value}`: write {expected}"))
}
