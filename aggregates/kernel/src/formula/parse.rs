//! From tokens to a tree, by the operators' strength.

use super::{
    FormulaError, MAX_DEPTH, Value,
    syntax::{COMPARISON, Expression, Function, Operator, POWER},
    token::{Token, tokens},
};

/// The tree of a whole formula.
pub(super) fn expression(source: &str) -> Result<Expression, FormulaError> {
    let tokens = tokens(source)?;
    let mut parser = Parser { tokens: &tokens, end: source.chars().count() + 1 };
    let root = parser.operation(0, 0)?;
    if parser.tokens.is_empty() { Ok(root) } else { Err(parser.expected("an operator or the end")) }
}

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    end: usize,
}

impl Parser<'_> {
    fn expected(&self, what: &str) -> FormulaError {
        let at = self.tokens.first().map_or(self.end, |(at, _)| *at);
        FormulaError::Syntax { at, message: format!("expected {what}") }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.first().map(|(_, token)| token)
    }

    fn skip(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    fn accept(&mut self, token: &Token, what: &str) -> Result<(), FormulaError> {
        if self.peek() != Some(token) {
            return Err(self.expected(what));
        }
        self.skip();
        Ok(())
    }

    /// An operand and all operators behind it that bind at least as tightly as `weakest`.
    fn operation(&mut self, weakest: u8, depth: usize) -> Result<Expression, FormulaError> {
        let mut left = self.operand(depth)?;
        let mut strength_of_left = None;
        while let Some(Token::Operator(operator)) = self.peek() {
            let (operator, strength) = (*operator, operator.strength());
            if strength < weakest {
                break;
            }
            if strength == COMPARISON && strength_of_left == Some(COMPARISON) {
                return Err(self.expected("parentheses around one of two comparisons"));
            }
            self.skip();
            // 2^3^2 is 2^(3^2); all else goes from left to right.
            let right = if operator == Operator::Power {
                self.operation(POWER, depth + 1)?
            } else {
                self.operation(strength + 1, depth)?
            };
            left = match left {
                Expression::Chain(first, mut rest) if strength_of_left == Some(strength) => {
                    rest.push((operator, right));
                    Expression::Chain(first, rest)
                }
                single => Expression::Chain(Box::new(single), vec![(operator, right)]),
            };
            strength_of_left = Some(strength);
        }
        Ok(left)
    }

    fn operand(&mut self, depth: usize) -> Result<Expression, FormulaError> {
        if depth > MAX_DEPTH {
            return Err(FormulaError::TooDeep);
        }
        let Some(token) = self.peek().cloned() else { return Err(self.expected("a value")) };
        match token {
            Token::Number(number) => {
                self.skip();
                Ok(Expression::Literal(Value::Number(number)))
            }
            Token::Text(text) => {
                self.skip();
                Ok(Expression::Literal(Value::Text(text)))
            }
            Token::Reference(reference) => {
                self.skip();
                Ok(Expression::Reference(reference))
            }
            Token::Operator(Operator::Minus) => {
                self.skip();
                Ok(Expression::Negate(Box::new(self.operation(POWER, depth + 1)?)))
            }
            Token::Open => {
                self.skip();
                let inner = self.operation(0, depth + 1)?;
                self.accept(&Token::Close, "')'")?;
                Ok(inner)
            }
            Token::Word(word) => self.word(&word, depth),
            Token::Operator(_) | Token::Close | Token::Comma => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &str, depth: usize) -> Result<Expression, FormulaError> {
        let function = Function::ALL.into_iter().find(|function| function.written() == word);
        match (word, function) {
            ("TRUE" | "FALSE", _) => {
                self.skip();
                Ok(Expression::Literal(Value::Boolean(word == "TRUE")))
            }
            ("NOT", _) => {
                self.skip();
                Ok(Expression::Not(Box::new(self.operation(COMPARISON, depth + 1)?)))
            }
            ("CLASS", _) => {
                self.skip();
                self.accept(&Token::Open, "'('")?;
                let Some(Token::Text(code)) = self.peek().cloned() else {
                    return Err(self.expected("a code in double quotes"));
                };
                self.skip();
                self.accept(&Token::Close, "')'")?;
                Ok(Expression::Class(code))
            }
            (_, Some(function)) => {
                self.skip();
                self.call(function, depth)
            }
            (_, None) => Err(self.expected("a value; references stand in braces")),
        }
    }

    fn call(&mut self, function: Function, depth: usize) -> Result<Expression, FormulaError> {
        self.accept(&Token::Open, "'('")?;
        let mut arguments = vec![self.operation(0, depth + 1)?];
        while self.peek() == Some(&Token::Comma) {
            self.skip();
            arguments.push(self.operation(0, depth + 1)?);
        }
        if let Some(arity) = function.arity().filter(|arity| *arity != arguments.len()) {
            let message = format!("{} takes {arity} argument{}", function.written(), if arity == 1 { "" } else { "s" });
            return Err(FormulaError::BadArgument(message));
        }
        self.accept(&Token::Close, "',' or ')'")?;
        Ok(Expression::Call(function, arguments))
    }
}
