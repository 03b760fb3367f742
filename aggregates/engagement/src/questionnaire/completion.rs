use kernel::percent;
use rust_decimal::Decimal;

use super::{Completion, QuestionSet, Stabilised};

/// How many of the required questions are answered, readably.
#[must_use]
pub fn completion(set: &QuestionSet, values: &Stabilised) -> Completion {
    let required = set.questions.iter().filter(|question| question.is_required && !question.is_calculated());
    let (mut answered, mut all) = (0_u32, 0_u32);
    for question in required {
        all += 1;
        answered += u32::from(values.value(question.id).is_some());
    }
    let share = Decimal::from(answered).checked_div(Decimal::from(all)).unwrap_or(Decimal::ONE);
    Completion { answered, required: all, percent: percent(share * Decimal::ONE_HUNDRED) }
}
