//! The type of a formula, found without its values.

use rust_decimal::Decimal;

use super::{
    FormulaError, Reference, Type, Value,
    syntax::{Expression, Function, Operator},
};

/// The most decimals that ROUND rounds to.
pub(super) const MAX_DECIMALS: u32 = 12;

type TypeOf<'a> = &'a dyn Fn(&Reference) -> Option<Type>;

pub(super) fn type_of(expression: &Expression, known: TypeOf<'_>) -> Result<Type, FormulaError> {
    match expression {
        Expression::Literal(value) => Ok(value.sort()),
        Expression::Reference(reference) => {
            known(reference).ok_or_else(|| FormulaError::UnknownReference(reference.written().to_owned()))
        }
        Expression::Class(_) => Ok(Type::Text),
        Expression::Negate(inner) => expect(inner, Type::Number, "the operand of -", known),
        Expression::Not(inner) => expect(inner, Type::Boolean, "the operand of NOT", known),
        Expression::Chain(first, rest) => chain(first, rest, known),
        Expression::Call(function, arguments) => call(*function, arguments, known),
    }
}

fn expect(expression: &Expression, expected: Type, place: &str, known: TypeOf<'_>) -> Result<Type, FormulaError> {
    agree(type_of(expression, known)?, expected, place)
}

fn agree(found: Type, expected: Type, place: &str) -> Result<Type, FormulaError> {
    if found == expected {
        Ok(found)
    } else {
        Err(FormulaError::TypeClash { place: place.to_owned(), expected, found })
    }
}

/// Looks at each operand once: a nested formula must not cost more than its length.
fn chain(first: &Expression, rest: &[(Operator, Expression)], known: TypeOf<'_>) -> Result<Type, FormulaError> {
    let mut left = type_of(first, known)?;
    for (operator, right) in rest {
        let place = format!("an operand of {}", operator.written());
        let (operands, result) = match operator {
            Operator::Or | Operator::And => (Type::Boolean, Type::Boolean),
            Operator::Equal | Operator::NotEqual => (left, Type::Boolean),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                (Type::Number, Type::Boolean)
            }
            Operator::Plus | Operator::Minus | Operator::Times | Operator::Divide | Operator::Power => {
                (Type::Number, Type::Number)
            }
        };
        agree(left, operands, &place)?;
        expect(right, operands, &place, known)?;
        if let (Operator::Power, Expression::Literal(Value::Number(exponent))) = (operator, right)
            && !exponent.fract().is_zero()
        {
            return Err(FormulaError::BadArgument("an exponent must be a whole number".to_owned()));
        }
        left = result;
    }
    Ok(left)
}

fn call(function: Function, arguments: &[Expression], known: TypeOf<'_>) -> Result<Type, FormulaError> {
    let place = format!("an argument of {}", function.written());
    match (function, arguments) {
        (Function::If, [condition, yes, no]) => {
            expect(condition, Type::Boolean, "the condition of IF", known)?;
            let result = type_of(yes, known)?;
            expect(no, result, "the last argument of IF", known)
        }
        (Function::Coalesce, [first, rest @ ..]) => {
            let result = type_of(first, known)?;
            for argument in rest {
                expect(argument, result, &place, known)?;
            }
            Ok(result)
        }
        _ => {
            for argument in arguments {
                expect(argument, Type::Number, &place, known)?;
            }
            if let (Function::Round, [_, Expression::Literal(Value::Number(decimals))]) = (function, arguments)
                && !is_decimals(*decimals)
            {
                return Err(FormulaError::BadArgument(format!("ROUND rounds to 0 to {MAX_DECIMALS} decimals")));
            }
            Ok(Type::Number)
        }
    }
}

/// ROUND takes a whole number of decimals within its bounds.
pub(super) fn is_decimals(number: Decimal) -> bool {
    number.fract().is_zero() && number >= Decimal::ZERO && number <= Decimal::from(MAX_DECIMALS)
}
