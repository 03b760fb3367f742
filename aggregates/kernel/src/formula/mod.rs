//! The formula language of spec 9.5: decimals, texts, truth values and nulls; no loops, no side effects.
//!
//! A formula is parsed once ([`Formula::parse`]), checked against the types of what it refers to
//! ([`Formula::check`]) when it is imported, and evaluated as often as needed ([`Formula::evaluate`]).
//!
//! | | |
//! |---|---|
//! | operators, weakest first | `OR`, `AND`, `NOT`, comparisons `= != < <= > >=`, `+ -`, `* /`, unary `-`, `^` |
//! | functions | `SUM AVG MIN MAX ABS ROUND(x,n) IF(c,a,b) COALESCE PCT(x)`, `CLASS("CODE")` |
//! | values | `12.5`, `"text"` (`""` is a quote in it), `TRUE`, `FALSE`, `{CODE}`, `{CODE.sub_key}` |

mod check;
mod evaluate;
mod parse;
mod syntax;
#[cfg(test)]
mod tests;
mod token;
mod value;

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use syntax::Expression;
pub use syntax::Reference;
pub use value::{Type, Value};

/// The longest formula, in characters.
pub const MAX_LENGTH: usize = 2000;
/// How deep parentheses, calls, signs and exponents may be nested.
pub const MAX_DEPTH: usize = 64;

/// A formula that has been parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    source: String,
    root: Expression,
    references: Vec<Reference>,
    classes: Vec<String>,
}

/// Why a formula is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    #[error("at character {at}: {message}")]
    Syntax { at: usize, message: String },
    #[error("must be at most {MAX_LENGTH} characters long")]
    TooLong,
    #[error("must not be nested deeper than {MAX_DEPTH}")]
    TooDeep,
    #[error("{{{0}}} is not known")]
    UnknownReference(String),
    #[error("{place} must be {expected}, not {found}")]
    TypeClash { place: String, expected: Type, found: Type },
    #[error("{0}")]
    BadArgument(String),
}

impl FormulaError {
    /// The stable text for clients.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } | Self::BadArgument(_) => "INVALID_FORMULA",
            Self::TooLong => "FORMULA_TOO_LONG",
            Self::TooDeep => "FORMULA_TOO_DEEP",
            Self::UnknownReference(_) => "UNKNOWN_REFERENCE",
            Self::TypeClash { .. } => "TYPE_CLASH",
        }
    }
}

/// What went wrong while a formula was evaluated; the value is null then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// A warning: `x/0` is null.
    DivisionByZero,
    /// An error: an overflow, a number beyond 10^24, or an argument out of its range.
    ValueOutOfRange,
    /// An error: a value is not of the type that the formula was checked against.
    TypeClash,
}

impl Problem {
    /// The stable text for clients.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DivisionByZero => "DIVISION_BY_ZERO",
            Self::ValueOutOfRange => "VALUE_OUT_OF_RANGE",
            Self::TypeClash => "TYPE_CLASH",
        }
    }

    /// Null is an answer then, not a failure.
    #[must_use]
    pub const fn is_warning(self) -> bool {
        matches!(self, Self::DivisionByZero)
    }
}

/// What a formula came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// `None` is null.
    pub value: Option<Value>,
    /// Each at most once.
    pub problems: Vec<Problem>,
}

/// Where a formula's values come from. A closure from reference to value is one, without classes.
pub trait Values {
    /// The value behind a reference; `None` is null.
    fn value(&self, reference: &Reference) -> Option<Value>;

    /// The benchmark class of the metric with this code, e.g. `BOTTOM_QUARTILE`; `None` is null.
    fn class(&self, _code: &str) -> Option<String> {
        None
    }
}

impl<F: Fn(&Reference) -> Option<Value>> Values for F {
    fn value(&self, reference: &Reference) -> Option<Value> {
        self(reference)
    }
}

impl Formula {
    /// # Errors
    /// When the text is too long, nested too deep, or no formula.
    pub fn parse(source: &str) -> Result<Self, FormulaError> {
        let source = source.trim();
        if source.chars().count() > MAX_LENGTH {
            return Err(FormulaError::TooLong);
        }
        let root = parse::expression(source)?;
        let (mut references, mut classes) = (Vec::new(), Vec::new());
        root.visit(&mut |part| match part {
            Expression::Reference(reference)
                if !references.iter().any(|known: &Reference| known.key() == reference.key()) =>
            {
                references.push(reference.clone());
            }
            Expression::Class(code) if !classes.contains(code) => classes.push(code.clone()),
            _ => {}
        });
        Ok(Self { source: source.to_owned(), root, references, classes })
    }

    /// The text it was parsed from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it refers to, each once, in order of appearance.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The codes inside `CLASS("…")`, each once.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The type of its result, given the types of what it refers to.
    ///
    /// # Errors
    /// When a reference is unknown (`type_of` gives `None`) or types clash.
    pub fn check(&self, type_of: impl Fn(&Reference) -> Option<Type>) -> Result<Type, FormulaError> {
        check::type_of(&self.root, &type_of)
    }

    /// Its value. Never fails: what cannot be calculated is null, with a problem.
    #[must_use]
    pub fn evaluate(&self, values: &impl Values) -> Outcome {
        evaluate::outcome(&self.root, values)
    }
}

/// Fully parenthesised, so that it means the same when parsed again.
impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl Serialize for Formula {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for Formula {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Formula {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Formula".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "maxLength": MAX_LENGTH})
    }
}

impl utoipa::PartialSchema for Formula {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX_LENGTH))
            .into()
    }
}

impl utoipa::ToSchema for Formula {}
