//! The files that an engagement is played from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// All that is said and done in the engagement; the files that are imported stay in their folder.
pub(super) struct Content {
    folder: PathBuf,
    pub(super) engagement: Engagement,
    pub(super) rates: Rates,
    /// By the code of the question: its value, or an object of value and sub-answers.
    pub(super) answers: BTreeMap<String, Value>,
}

impl Content {
    /// # Errors
    /// When a file is missing or does not have the form below.
    pub(super) fn of(folder: &Path) -> Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            engagement: read(folder, "engagement.json")?,
            rates: read(folder, "rate_card.json")?,
            answers: read(folder, "answers.json")?,
        })
    }

    /// A file as it is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn file(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.folder.join(name);
        std::fs::read(&path).with_context(|| format!("reading {}", path.display()))
    }
}

fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T> {
    let path = folder.join(name);
    let content = std::fs::read(&path).with_context(|| {
        format!("reading {}. Run the command where the folder `demo` lies, or name it with --dir.", path.display())
    })?;
    serde_json::from_slice(&content).with_context(|| format!("{} is not as expected", path.display()))
}

/// `engagement.json`. A `Value` is sent as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Engagement {
    pub(super) company: Company,
    pub(super) regions: Vec<Coded>,
    pub(super) currencies: Vec<Coded>,
    pub(super) industry: Coded,
    pub(super) verticals: Vec<Coded>,
    pub(super) region_code: String,
    pub(super) people: People,
    pub(super) assessment: Value,
    pub(super) comment: Comment,
    pub(super) manual_opportunity: ManualOpportunity,
    pub(super) rework: Rework,
    pub(super) approvals: Approvals,
    pub(super) costing: Costing,
    pub(super) proposal: Value,
    pub(super) approval_comment: String,
    pub(super) project: Project,
    pub(super) milestones: Milestones,
    pub(super) expenses: Vec<Expense>,
}

/// Something that is found by its code, or created with all its members.
#[derive(Deserialize)]
pub(super) struct Coded {
    pub(super) code: String,
    #[serde(flatten)]
    pub(super) others: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct Company {
    pub(super) name: String,
    pub(super) code: String,
    #[serde(flatten)]
    pub(super) others: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct People {
    pub(super) consultant: Person,
    pub(super) reviewer: Person,
    pub(super) second_admin: Person,
    pub(super) client: Person,
}

#[derive(Deserialize)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
    /// Phone number, city, country.
    #[serde(flatten)]
    pub(super) profile: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Comment {
    pub(super) question_code: String,
    pub(super) text: String,
}

#[derive(Deserialize)]
pub(super) struct ManualOpportunity {
    pub(super) vertical_code: String,
    #[serde(flatten)]
    pub(super) others: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rework {
    pub(super) question_code: String,
    pub(super) comment_text: String,
    pub(super) corrections: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approvals {
    pub(super) reviewer: String,
    pub(super) reviewer_again: String,
    pub(super) client: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Costing {
    pub(super) name: String,
    pub(super) parameters: serde_json::Map<String, Value>,
    pub(super) line_items: Vec<Line>,
}

/// A line names its role or its component by code.
#[derive(Deserialize)]
pub(super) struct Line {
    pub(super) note: String,
    pub(super) role_code: Option<String>,
    pub(super) component_code: Option<String>,
    #[serde(flatten)]
    pub(super) others: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Project {
    pub(super) name: String,
    pub(super) pm_name: String,
    pub(super) notes: String,
    pub(super) start_reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Milestones {
    /// What is said of the first milestone.
    pub(super) done: Value,
    /// What is said of the second.
    pub(super) begun: Value,
    pub(super) further: FurtherMilestone,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FurtherMilestone {
    pub(super) name: String,
    pub(super) weight: String,
    pub(super) due_in_days: u64,
}

#[derive(Deserialize)]
pub(super) struct Expense {
    pub(super) days_ago: u64,
    #[serde(flatten)]
    pub(super) others: serde_json::Map<String, Value>,
}

/// `rate_card.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rates {
    pub(super) rate_card: CardHead,
    pub(super) operations_roles: Vec<Coded>,
    pub(super) consultant_roles: Vec<Coded>,
    pub(super) operations_rates: Vec<RoleRate>,
    pub(super) consultant_rates: Vec<RoleRate>,
    pub(super) components: Vec<Coded>,
    pub(super) solution_rate_card: SolutionCard,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardHead {
    pub(super) name: String,
    pub(super) region: String,
    pub(super) currency_code: String,
}

#[derive(Deserialize)]
pub(super) struct RoleRate {
    pub(super) role_code: String,
    #[serde(flatten)]
    pub(super) others: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct SolutionCard {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) others: serde_json::Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use kernel::formula::{Formula, Reference, Type};

    use super::*;

    #[test]
    fn the_files_in_the_repository_can_be_played() {
        let content = Content::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")).unwrap();
        let bank: Vec<Value> = serde_json::from_slice(&content.file("questionnaire.json").unwrap()).unwrap();
        let codes: Vec<&str> = bank.iter().filter_map(|question| question.get("code")?.as_str()).collect();
        for code in content.answers.keys().chain(content.engagement.rework.corrections.keys()) {
            assert!(codes.contains(&code.as_str()), "{code} is answered but never asked");
        }
        let roles = content.rates.operations_roles.iter().chain(&content.rates.consultant_roles);
        let known: Vec<&String> = roles.chain(&content.rates.components).map(|one| &one.code).collect();
        for line in &content.engagement.costing.line_items {
            let code = line.role_code.as_ref().or(line.component_code.as_ref()).unwrap();
            assert!(known.contains(&code), "{code} is costed but not in the rate card");
        }
    }

    /// What the answer to each question is to a formula, by the code in lower case.
    fn answer_types(content: &Content) -> BTreeMap<String, Type> {
        let bank: Vec<Value> = serde_json::from_slice(&content.file("questionnaire.json").unwrap()).unwrap();
        let type_of = |question: &Value| match question["question_type"].as_str().unwrap() {
            "TEXT" | "CHOICE" | "DATE" => Type::Text,
            "BOOLEAN" => Type::Boolean,
            _ => Type::Number,
        };
        bank.iter().map(|question| (question["code"].as_str().unwrap().to_lowercase(), type_of(question))).collect()
    }

    #[test]
    fn every_formula_of_the_files_can_be_read() {
        let content = Content::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")).unwrap();
        let types = answer_types(&content);
        let type_of = |reference: &Reference| {
            let code = reference.parts().map_or_else(|| reference.written(), |(code, _)| code);
            types.get(&code.to_lowercase()).copied()
        };
        let mut read = 0;
        for (file, members) in [
            ("questionnaire.json", &["/formula"][..]),
            ("rules.json", &["/params/left", "/params/right_expression", "/params/when_expression"][..]),
            ("opportunity_templates.json", &["/applies_when"][..]),
        ] {
            let rows: Vec<Value> = serde_json::from_slice(&content.file(file).unwrap()).unwrap();
            for row in &rows {
                for formula in members.iter().filter_map(|member| row.pointer(member)?.as_str()) {
                    if let Err(problem) = Formula::parse(formula).and_then(|formula| formula.check(type_of)) {
                        panic!("{file}: {formula}: {problem}");
                    }
                    read += 1;
                }
            }
        }
        assert!(read > 50, "only {read} formulas were found");
    }
}
