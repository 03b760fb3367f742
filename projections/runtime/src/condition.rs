//! What a row must be like to be found.

use sqlx::{Postgres, QueryBuilder};

/// One condition on a row; all of a list's must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    Is(&'static str, bool),
    Number(&'static str, i64),
    /// The column is one of these; none of them means no row.
    AnyNumber(&'static str, Vec<i64>),
    Text(&'static str, String),
    /// The column, in lower case, is this text in lower case.
    TextIgnoringCase(&'static str, String),
    /// The column contains this text, without regard to case.
    Contains(&'static str, String),
    /// The column, an array of numbers, holds this one.
    Holds(&'static str, i64),
    Since(&'static str, chrono::DateTime<chrono::Utc>),
    Until(&'static str, chrono::DateTime<chrono::Utc>),
    Any(Vec<Condition>),
}

/// Adds the conditions of a query, joined by AND.
pub fn push_all(query: &mut QueryBuilder<'_, Postgres>, conditions: &[Condition]) {
    query.push("true");
    for condition in conditions {
        query.push(" AND ");
        push(query, condition);
    }
}

fn push(query: &mut QueryBuilder<'_, Postgres>, condition: &Condition) {
    match condition {
        Condition::Is(column, true) => {
            query.push(*column);
        }
        Condition::Is(column, false) => {
            query.push(format!("NOT {column}"));
        }
        Condition::Number(column, number) => {
            query.push(format!("{column} = ")).push_bind(*number);
        }
        Condition::AnyNumber(column, numbers) => {
            query.push(format!("{column} = ANY(")).push_bind(numbers.clone()).push(")");
        }
        Condition::Text(column, text) => {
            query.push(format!("{column} = ")).push_bind(text.clone());
        }
        Condition::TextIgnoringCase(column, text) => {
            query.push(format!("lower({column}) = ")).push_bind(text.trim().to_lowercase());
        }
        Condition::Contains(column, text) => {
            let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            query.push(format!("{column} ILIKE ")).push_bind(format!("%{escaped}%"));
        }
        Condition::Holds(column, number) => {
            query.push(format!("{column} @> ARRAY[")).push_bind(*number).push("]");
        }
        Condition::Since(column, at) => {
            query.push(format!("{column} >= ")).push_bind(*at);
        }
        Condition::Until(column, at) => {
            query.push(format!("{column} <= ")).push_bind(*at);
        }
        Condition::Any(conditions) => {
            query.push("(false");
            for condition in conditions {
                query.push(" OR ");
                push(query, condition);
            }
            query.push(")");
        }
    }
}
