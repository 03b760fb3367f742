//! Text that has been looked at: trimmed, of bounded length, without control characters.

use std::{fmt, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};

/// Trimmed text of `MIN` to `MAX` characters. Line feeds and tabs are allowed, other control characters are not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    #[error("must be {min} to {max} characters long")]
    Length { min: usize, max: usize },
    #[error("must not contain control characters")]
    Control,
    #[error("must be an email address")]
    NotAnEmail,
    #[error("must be letters, digits, '_', '-' or '.'")]
    NotACode,
}

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// # Errors
    /// When the trimmed text is too short, too long, or holds control characters.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let text = text.trim();
        // Without an early end the compiler makes the look wide, and most texts end there: each event of a replay has some.
        let is_plain = text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
        let length = if is_plain { text.len() } else { text.chars().count() };
        if length < MIN || length > MAX {
            return Err(BadText::Length { min: MIN, max: MAX });
        }
        if !is_plain && text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(BadText::Control);
        }
        Ok(Self(text.to_owned()))
    }

    /// What uniqueness and look-ups compare: lower case.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }

    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MIN: usize, const MAX: usize> Deref for Text<MIN, MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Looks at the text where it lies: a `String` of it would only be copied once more.
struct TextVisitor<const MIN: usize, const MAX: usize>;

impl<const MIN: usize, const MAX: usize> Visitor<'_> for TextVisitor<MIN, MAX> {
    type Value = Text<MIN, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<MIN, MAX>, E> {
        Text::new(text).map_err(E::custom)
    }
}

/// A code: 1 to 40 letters, digits, `_`, `-`, `.`; compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// # Errors
    /// When the trimmed text is no code.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let text = Text::<1, 40>::new(text)?;
        if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
            return Err(BadText::NotACode);
        }
        Ok(Self(text.0))
    }

    /// What uniqueness and look-ups compare: lower case.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl Deref for Code {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(Error::custom)
    }
}

/// An email address, trimmed and in lower case, at most 254 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// # Errors
    /// When the trimmed text has not the form of an address.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let text = text.trim().to_lowercase();
        let well_formed = text.len() <= 254
            && text.split_once('@').is_some_and(|(local, domain)| {
                (1..=64).contains(&local.len())
                    && domain.len() >= 3
                    && !domain.contains('@')
                    && domain
                        .split('.')
                        .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
            })
            && !text
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"' | '(' | ')'));
        if well_formed { Ok(Self(text)) } else { Err(BadText::NotAnEmail) }
    }
}

impl Deref for Email {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(Error::custom)
    }
}

macro_rules! string_schema {
    ($([$($generics:tt)*] $type:ty, $name:literal, $min:expr, $max:expr;)*) => {$(
        impl<$($generics)*> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "minLength": $min, "maxLength": $max})
            }
        }

        impl<$($generics)*> utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .min_length(Some($min))
                    .max_length(Some($max))
                    .into()
            }
        }

        impl<$($generics)*> utoipa::ToSchema for $type {}
    )*};
}

string_schema! {
    [const MIN: usize, const MAX: usize] Text<MIN, MAX>, "Text", MIN, MAX;
    [] Code, "Code", 1, 40;
    [] Email, "Email", 3, 254;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_bounded() {
        assert_eq!(Text::<1, 5>::new("  abc ").as_deref(), Ok("abc"));
        assert_eq!(Text::<1, 5>::new("   "), Err(BadText::Length { min: 1, max: 5 }));
        assert_eq!(Text::<1, 5>::new("abcdef"), Err(BadText::Length { min: 1, max: 5 }));
        assert_eq!(Text::<1, 5>::new("a\0b"), Err(BadText::Control));
    }

    #[test]
    fn an_email_is_lower_cased_and_has_a_local_part_and_a_domain() {
        assert_eq!(Email::new(" Ann@Acme-Global.COM ").as_deref(), Ok("ann@acme-global.com"));
        for bad in ["", "ann", "@acme.com", "ann@", "ann@@acme.com", "a b@acme.com", "ann@acme..com", "a,b@acme.com"] {
            assert_eq!(Email::new(bad), Err(BadText::NotAnEmail), "{bad}");
        }
    }
}
