//! From text to tokens.

use rust_decimal::Decimal;
use winnow::{
    ModalResult, Parser,
    ascii::{digit1, multispace0},
    combinator::{alt, delimited, opt, repeat},
    token::{none_of, one_of, take_while},
};

use super::{
    FormulaError,
    syntax::{Operator, Reference},
};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(Decimal),
    Text(String),
    Reference(Reference),
    /// A name of a function or a word operator, in upper case.
    Word(String),
    Operator(Operator),
    Open,
    Close,
    Comma,
}

/// The tokens, each with the number of the character it begins at, from 1.
pub(super) fn tokens(source: &str) -> Result<Vec<(usize, Token)>, FormulaError> {
    let mut rest = source;
    let mut found = Vec::new();
    loop {
        let blanks: ModalResult<&str> = multispace0.parse_next(&mut rest);
        if blanks.is_err() || rest.is_empty() {
            return Ok(found);
        }
        let at = 1 + source.chars().count() - rest.chars().count();
        let next = token.parse_next(&mut rest).map_err(|_| FormulaError::Syntax {
            at,
            message: "expected a number, a quoted text, a reference in braces, an operator or a function".to_owned(),
        })?;
        found.push((at, next));
    }
}

fn token(input: &mut &str) -> ModalResult<Token> {
    alt((number, text, reference, word, operator, punctuation)).parse_next(input)
}

fn number(input: &mut &str) -> ModalResult<Token> {
    (digit1, opt(('.', digit1))).take().try_map(Decimal::from_str_exact).map(Token::Number).parse_next(input)
}

fn text(input: &mut &str) -> ModalResult<Token> {
    let character = alt(("\"\"".value('"'), none_of('"')));
    delimited('"', repeat(0.., character), '"').map(Token::Text).parse_next(input)
}

fn reference(input: &mut &str) -> ModalResult<Token> {
    let code = take_while(1..=81, |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    delimited(('{', multispace0), code, (multispace0, '}'))
        .map(|code: &str| Token::Reference(Reference::new(code)))
        .parse_next(input)
}

fn word(input: &mut &str) -> ModalResult<Token> {
    (one_of(|c: char| c.is_ascii_alphabetic()), take_while(0.., |c: char| c.is_ascii_alphanumeric() || c == '_'))
        .take()
        .map(|word: &str| match word.to_ascii_uppercase().as_str() {
            "AND" => Token::Operator(Operator::And),
            "OR" => Token::Operator(Operator::Or),
            word => Token::Word(word.to_owned()),
        })
        .parse_next(input)
}

fn operator(input: &mut &str) -> ModalResult<Token> {
    let comparison = alt((
        "!=".value(Operator::NotEqual),
        "<=".value(Operator::LessOrEqual),
        ">=".value(Operator::GreaterOrEqual),
        '='.value(Operator::Equal),
        '<'.value(Operator::Less),
        '>'.value(Operator::Greater),
    ));
    let arithmetic = alt((
        '+'.value(Operator::Plus),
        '-'.value(Operator::Minus),
        '*'.value(Operator::Times),
        '/'.value(Operator::Divide),
        '^'.value(Operator::Power),
    ));
    alt((comparison, arithmetic)).map(Token::Operator).parse_next(input)
}

fn punctuation(input: &mut &str) -> ModalResult<Token> {
    alt(('('.value(Token::Open), ')'.value(Token::Close), ','.value(Token::Comma))).parse_next(input)
}
