//! The tree of a formula, and how it is written.

use std::fmt;

use super::Value;

/// `{CODE}` or `{CODE.sub_key}`; two are the same when their keys are.
///
/// A code may hold dots itself, so whoever resolves a reference tries the whole as a code first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    key: String,
    written: String,
}

impl Reference {
    pub(super) fn new(written: &str) -> Self {
        Self { key: written.to_lowercase(), written: written.to_owned() }
    }

    /// All of it, in lower case.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// As it is written in the formula.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Code and sub-key, in lower case, if it is meant so.
    #[must_use]
    pub fn parts(&self) -> Option<(&str, &str)> {
        self.key.rsplit_once('.')
    }
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divide,
    Power,
}

impl Operator {
    pub(super) const fn written(self) -> &'static str {
        match self {
            Self::Or => "OR",
            Self::And => "AND",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::Power => "^",
        }
    }

    /// How tightly it binds.
    pub(super) const fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => {
                COMPARISON
            }
            Self::Plus | Self::Minus => 4,
            Self::Times | Self::Divide => 5,
            Self::Power => POWER,
        }
    }
}

/// The strength of comparisons; `NOT` takes a whole one as its operand.
pub(super) const COMPARISON: u8 = 3;
/// The strength of `^`; the sign before `2^2` applies to the power.
pub(super) const POWER: u8 = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Sum,
    Avg,
    Min,
    Max,
    Abs,
    Round,
    If,
    Coalesce,
    Pct,
}

impl Function {
    pub(super) const ALL: [Self; 9] =
        [Self::Sum, Self::Avg, Self::Min, Self::Max, Self::Abs, Self::Round, Self::If, Self::Coalesce, Self::Pct];

    pub(super) const fn written(self) -> &'static str {
        match self {
            Self::Sum => "SUM",
            Self::Avg => "AVG",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::Abs => "ABS",
            Self::Round => "ROUND",
            Self::If => "IF",
            Self::Coalesce => "COALESCE",
            Self::Pct => "PCT",
        }
    }

    /// How many arguments it takes; `None` for one or more.
    pub(super) const fn arity(self) -> Option<usize> {
        match self {
            Self::Abs | Self::Pct => Some(1),
            Self::Round => Some(2),
            Self::If => Some(3),
            Self::Sum | Self::Avg | Self::Min | Self::Max | Self::Coalesce => None,
        }
    }
}

/// A chain of operators of one strength is one node, so that a long sum is no deep tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Literal(Value),
    Reference(Reference),
    Class(String),
    Negate(Box<Expression>),
    Not(Box<Expression>),
    Chain(Box<Expression>, Vec<(Operator, Expression)>),
    Call(Function, Vec<Expression>),
}

impl Expression {
    /// Shows every node, this one first.
    pub(super) fn visit(&self, see: &mut impl FnMut(&Self)) {
        see(self);
        match self {
            Self::Literal(_) | Self::Reference(_) | Self::Class(_) => {}
            Self::Negate(inner) | Self::Not(inner) => inner.visit(see),
            Self::Chain(first, rest) => {
                first.visit(see);
                for (_, operand) in rest {
                    operand.visit(see);
                }
            }
            Self::Call(_, arguments) => {
                for argument in arguments {
                    argument.visit(see);
                }
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('"', "\"\""))
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(Value::Text(text)) => quoted(f, text),
            Self::Literal(Value::Boolean(boolean)) => f.write_str(if *boolean { "TRUE" } else { "FALSE" }),
            Self::Literal(Value::Number(number)) => number.fmt(f),
            Self::Reference(reference) => write!(f, "{{{}}}", reference.written()),
            Self::Class(code) => {
                f.write_str("CLASS(")?;
                quoted(f, code)?;
                f.write_str(")")
            }
            Self::Negate(inner) => write!(f, "(-{inner})"),
            Self::Not(inner) => write!(f, "(NOT {inner})"),
            Self::Chain(first, rest) => {
                write!(f, "({first}")?;
                for (operator, operand) in rest {
                    write!(f, " {} {operand}", operator.written())?;
                }
                f.write_str(")")
            }
            Self::Call(function, arguments) => {
                write!(f, "{}(", function.written())?;
                for (position, argument) in arguments.iter().enumerate() {
                    write!(f, "{}{argument}", if position == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}
