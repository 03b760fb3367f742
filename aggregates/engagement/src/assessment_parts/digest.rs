//! A fingerprint of the answers that an analysis ran on.

use crate::questionnaire::Answers;

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// 32 hexadecimal digits: FNV-1a, 128 bit, over every answer in order of question.
///
/// It tells two sets of answers apart so that a reader sees whether a report is older than the answers. It need not
/// withstand forgery (the answers themselves stand in the same journal), so it is no cryptographic hash, which keeps it
/// in the aggregate: decided on the very answers that the command meets. The algorithm is fixed; std's hashers may
/// change from release to release.
#[must_use]
pub fn digest(answers: &Answers) -> String {
    let mut hash = OFFSET;
    for (question, answer) in answers {
        feed(&mut hash, &question.to_string());
        feed(&mut hash, answer.value.as_deref().unwrap_or("\0"));
        for (key, value) in &answer.sub_answer {
            feed(&mut hash, key);
            feed(&mut hash, value);
        }
        // Ends the answer, so that a part cannot be taken for the next question.
        feed(&mut hash, "\0\0");
    }
    format!("{hash:032x}")
}

fn feed(hash: &mut u128, text: &str) {
    // Each piece ends with a byte that UTF-8 never contains.
    for byte in text.bytes().chain([0xff]) {
        *hash = (*hash ^ u128::from(byte)).wrapping_mul(PRIME);
    }
}

#[cfg(test)]
mod tests {
    use kernel::testing::id;

    use super::*;
    use crate::questionnaire::GivenAnswer;

    fn answers(parts: &[(i64, &str)]) -> Answers {
        parts
            .iter()
            .map(|(question, value)| {
                (id(*question), GivenAnswer { value: Some((*value).to_owned()), ..GivenAnswer::default() })
            })
            .collect()
    }

    #[test]
    fn equal_answers_have_equal_fingerprints_and_others_have_others() {
        assert_eq!(digest(&answers(&[(1, "5"), (2, "x")])), digest(&answers(&[(2, "x"), (1, "5")])));
        let all = [
            answers(&[]),
            answers(&[(1, "5")]),
            answers(&[(1, "6")]),
            answers(&[(15, "")]),
            answers(&[(1, "5"), (2, "x")]),
            answers(&[(1, "5x"), (2, "")]),
        ];
        let distinct: std::collections::BTreeSet<String> = all.iter().map(digest).collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn the_fingerprint_of_nothing_is_the_algorithms_offset() {
        assert_eq!(digest(&answers(&[])), "6c62272e07bb014262b821756295c58d");
    }
}
