//! How the story is told: numbered steps, facts below them, figures in columns.
#![expect(clippy::print_stdout, reason = "the story on the terminal is what this command is for")]

use serde_json::Value;

/// Counts the steps.
#[derive(Default)]
pub(super) struct Story {
    step: u32,
}

impl Story {
    pub(super) fn begin(&self, title: &str, about: &str) {
        println!("\n{title}\n{}\n{about}", "=".repeat(title.chars().count()));
    }

    /// Who does what now.
    pub(super) fn step(&mut self, who: &str, does: &str) {
        self.step += 1;
        println!("\n{:>2}. {who} {does}", self.step);
    }

    /// What came of it.
    pub(super) fn fact(&self, fact: &str) {
        println!("      {fact}");
    }

    /// A figure and its name.
    pub(super) fn figure(&self, name: &str, figure: &str) {
        println!("      {name:<34}{figure:>18}");
    }

    /// Columns of text, the first one to the left, the others to the right.
    pub(super) fn table(&self, heads: &[&str], rows: &[Vec<String>]) {
        let widths: Vec<usize> = heads
            .iter()
            .enumerate()
            .map(|(column, head)| {
                let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
                cells.max().unwrap_or(0).max(head.chars().count())
            })
            .collect();
        let heads: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
        println!("      {}", line(&heads, &widths));
        println!("      {}", "-".repeat(widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)));
        for row in rows {
            println!("      {}", line(row, &widths));
        }
    }

    pub(super) fn end(&self, lines: &[String]) {
        println!("\nLook further\n------------");
        for line in lines {
            println!("  {line}");
        }
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let cells =
        cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
    cells.collect::<Vec<_>>().join("  ")
}

/// A member as one would read it: thousands apart, a dash for nothing.
pub(super) fn shown(value: &Value, key: &str) -> String {
    match value.get(key) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => grouped(text),
        Some(Value::Number(number)) => grouped(&number.to_string()),
        Some(other) => other.to_string(),
    }
}

/// Commas between the thousands of a decimal number; any other text as it is.
fn grouped(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(whole, fraction)| (whole, Some(fraction)));
    let is_digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    if !is_digits(whole) || fraction.is_some_and(|fraction| !is_digits(fraction)) {
        return text.to_owned();
    }
    let mut shown = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if let Some(fraction) = fraction {
        shown.push('.');
        shown.push_str(fraction);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart_and_other_text_is_left_alone() {
        assert_eq!(grouped("-1234567.80"), "-1,234,567.80");
        assert_eq!(grouped("125"), "125");
        assert_eq!(grouped("1250"), "1,250");
        assert_eq!(grouped("2026-11-21"), "2026-11-21");
        assert_eq!(grouped("USD"), "USD");
    }
}
