//! Cells of CSV that a spreadsheet must not take for formulas. What is shielded on the way out is itself again when it
//! comes back.

const SHIELD: char = '\'';

fn is_formula(text: &str) -> bool {
    text.trim_start_matches([' ', '\n', SHIELD]).starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A text that a spreadsheet shows and does not calculate.
#[must_use]
pub fn shielded(text: &str) -> String {
    if is_formula(text) { format!("{SHIELD}{text}") } else { text.to_owned() }
}

/// The text behind a shield, if it has one.
#[must_use]
pub fn unshielded(text: &str) -> &str {
    text.strip_prefix(SHIELD).filter(|text| is_formula(text)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_each_comes_back_as_it_was() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "'=1", "''=1", " '=1"] {
            let cell = shielded(text);
            assert!(cell.starts_with(SHIELD), "{text:?}");
            assert_eq!(unshielded(&cell), text);
        }
        for text in ["company created", "'quoted'", "", "a=b"] {
            assert_eq!((shielded(text).as_str(), unshielded(text)), (text, text));
        }
    }
}
