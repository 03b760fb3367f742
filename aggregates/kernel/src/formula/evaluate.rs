//! The value of a formula.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

use super::{
    Outcome, Problem, Value, Values,
    check::is_decimals,
    syntax::{Expression, Function, Operator},
};

pub(super) fn outcome(expression: &Expression, values: &impl Values) -> Outcome {
    let mut evaluation = Evaluation { values, problems: Vec::new() };
    let value = evaluation.value(expression);
    Outcome { value, problems: evaluation.problems }
}

struct Evaluation<'a, V> {
    values: &'a V,
    problems: Vec<Problem>,
}

/// 10^24, beyond which a number is out of range.
fn limit() -> Decimal {
    Decimal::from(1_000_000_000_000_000_000_000_000_i128)
}

impl<V: Values> Evaluation<'_, V> {
    fn problem<T>(&mut self, problem: Problem) -> Option<T> {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        None
    }

    fn in_range(&mut self, number: Option<Decimal>) -> Option<Decimal> {
        match number {
            Some(number) if number.abs() <= limit() => Some(number),
            _ => self.problem(Problem::ValueOutOfRange),
        }
    }

    fn value(&mut self, expression: &Expression) -> Option<Value> {
        match expression {
            Expression::Literal(value) => self.checked(value.clone()),
            Expression::Reference(reference) => self.values.value(reference).and_then(|value| self.checked(value)),
            Expression::Class(code) => self.values.class(code).map(Value::Text),
            Expression::Negate(inner) => self.number(inner).map(|number| Value::Number(-number)),
            Expression::Not(inner) => self.boolean(inner).map(|boolean| Value::Boolean(!boolean)),
            Expression::Chain(first, rest) => {
                let mut left = self.value(first);
                for (operator, right) in rest {
                    let right = self.value(right);
                    // The null rule: no operator makes something of nothing.
                    left = match (left, right) {
                        (Some(left), Some(right)) => self.operation(left, *operator, right),
                        _ => None,
                    };
                }
                left
            }
            Expression::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    /// A value from outside may be too large as well.
    fn checked(&mut self, value: Value) -> Option<Value> {
        match value {
            Value::Number(number) => self.in_range(Some(number)).map(Value::Number),
            other => Some(other),
        }
    }

    fn number(&mut self, expression: &Expression) -> Option<Decimal> {
        match self.value(expression)? {
            Value::Number(number) => Some(number),
            _ => self.problem(Problem::TypeClash),
        }
    }

    fn boolean(&mut self, expression: &Expression) -> Option<bool> {
        match self.value(expression)? {
            Value::Boolean(boolean) => Some(boolean),
            _ => self.problem(Problem::TypeClash),
        }
    }

    fn operation(&mut self, left: Value, operator: Operator, right: Value) -> Option<Value> {
        match (operator, &left, &right) {
            (Operator::Or, Value::Boolean(left), Value::Boolean(right)) => Some(Value::Boolean(*left || *right)),
            (Operator::And, Value::Boolean(left), Value::Boolean(right)) => Some(Value::Boolean(*left && *right)),
            (Operator::Equal, left, right) => self.equal(left, right).map(Value::Boolean),
            (Operator::NotEqual, left, right) => self.equal(left, right).map(|equal| Value::Boolean(!equal)),
            (_, Value::Number(left), Value::Number(right)) => self.arithmetic(*left, operator, *right),
            _ => self.problem(Problem::TypeClash),
        }
    }

    fn equal(&mut self, left: &Value, right: &Value) -> Option<bool> {
        match (left, right) {
            (Value::Text(left), Value::Text(right)) => Some(left.trim().to_lowercase() == right.trim().to_lowercase()),
            _ if left.sort() == right.sort() => Some(left == right),
            _ => self.problem(Problem::TypeClash),
        }
    }

    fn arithmetic(&mut self, left: Decimal, operator: Operator, right: Decimal) -> Option<Value> {
        let number = match operator {
            Operator::Less => return Some(Value::Boolean(left < right)),
            Operator::LessOrEqual => return Some(Value::Boolean(left <= right)),
            Operator::Greater => return Some(Value::Boolean(left > right)),
            Operator::GreaterOrEqual => return Some(Value::Boolean(left >= right)),
            Operator::Plus => left.checked_add(right),
            Operator::Minus => left.checked_sub(right),
            Operator::Times => left.checked_mul(right),
            Operator::Divide if right.is_zero() => return self.problem(Problem::DivisionByZero),
            Operator::Divide => left.checked_div(right),
            Operator::Power if left.is_zero() && right < Decimal::ZERO => {
                return self.problem(Problem::DivisionByZero);
            }
            Operator::Power => power(left, right),
            Operator::Or | Operator::And | Operator::Equal | Operator::NotEqual => {
                return self.problem(Problem::TypeClash);
            }
        };
        self.in_range(number).map(Value::Number)
    }

    fn call(&mut self, function: Function, arguments: &[Expression]) -> Option<Value> {
        match (function, arguments) {
            // Only the branch taken is evaluated, so that IF can guard a division.
            (Function::If, [condition, yes, no]) => {
                if self.boolean(condition)? {
                    self.value(yes)
                } else {
                    self.value(no)
                }
            }
            (Function::Coalesce, arguments) => arguments.iter().find_map(|argument| self.value(argument)),
            (Function::Abs, [x]) => self.number(x).map(|x| Value::Number(x.abs())),
            (Function::Pct, [x]) => {
                let x = self.number(x)?;
                self.in_range(x.checked_div(Decimal::ONE_HUNDRED)).map(Value::Number)
            }
            (Function::Round, [x, decimals]) => {
                let (x, decimals) = (self.number(x), self.number(decimals));
                let (x, decimals) = (x?, decimals?);
                let Some(places) = Some(decimals).filter(|n| is_decimals(*n)).and_then(|n| n.to_u32()) else {
                    return self.problem(Problem::ValueOutOfRange);
                };
                Some(Value::Number(x.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)))
            }
            (function, arguments) => {
                let numbers: Vec<Decimal> = arguments.iter().filter_map(|argument| self.number(argument)).collect();
                self.aggregate(function, &numbers).map(Value::Number)
            }
        }
    }

    /// SUM, AVG, MIN and MAX skip nulls, and are null when there is nothing else.
    fn aggregate(&mut self, function: Function, numbers: &[Decimal]) -> Option<Decimal> {
        let (first, rest) = numbers.split_first()?;
        match function {
            Function::Min => Some(rest.iter().fold(*first, |least, number| least.min(*number))),
            Function::Max => Some(rest.iter().fold(*first, |most, number| most.max(*number))),
            Function::Sum => self.sum(*first, rest),
            Function::Avg => {
                let sum = self.sum(*first, rest)?;
                self.in_range(sum.checked_div(Decimal::from(numbers.len())))
            }
            // Their arity keeps the others from coming here.
            _ => self.problem(Problem::TypeClash),
        }
    }

    fn sum(&mut self, first: Decimal, rest: &[Decimal]) -> Option<Decimal> {
        let sum = rest.iter().try_fold(first, |sum, number| sum.checked_add(*number));
        self.in_range(sum)
    }
}

/// `base` to a whole exponent, by squaring; `None` on overflow or a broken exponent.
fn power(base: Decimal, exponent: Decimal) -> Option<Decimal> {
    if !exponent.fract().is_zero() {
        return None;
    }
    let mut left = exponent.abs().to_u64()?;
    let (mut square, mut result) = (base, Decimal::ONE);
    while left > 0 {
        if left % 2 == 1 {
            result = result.checked_mul(square)?;
        }
        left /= 2;
        if left > 0 {
            square = square.checked_mul(square)?;
        }
    }
    if exponent.is_sign_negative() { Decimal::ONE.checked_div(result) } else { Some(result) }
}
