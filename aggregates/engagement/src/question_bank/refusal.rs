use kernel::{Kind, Refusal};
use serde::Serialize;
use serde_json::{Map, Value};

/// What is wrong with one item of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportFault {
    /// The item's place in the file, from 0; `None` for what is in the bank already and would no longer make sense.
    pub index: Option<usize>,
    /// The code of the question or rule.
    pub item: String,
    pub field: String,
    pub code: String,
    pub message: String,
}

/// Which rule of the question bank a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionBankRefusal {
    #[error("only an administrator may change the question bank")]
    Forbidden,
    #[error("the question bank holds no questions yet")]
    Empty,
    #[error("an import holds at most {0} items")]
    TooMany(usize),
    #[error("the import has {} error(s), the first: {}", .0.len(), .0.first().map_or("", |fault| &fault.message))]
    InvalidImport(Vec<ImportFault>),
}

impl Refusal for QuestionBankRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Forbidden => Kind::Forbidden,
            Self::Empty => Kind::Conflict,
            Self::TooMany(_) | Self::InvalidImport(_) => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "FORBIDDEN",
            Self::Empty => "QUESTION_BANK_EMPTY",
            Self::TooMany(_) => "TOO_MANY_ITEMS",
            Self::InvalidImport(_) => "INVALID_IMPORT",
        }
    }

    /// `import_errors`: the first hundred.
    fn members(&self) -> Map<String, Value> {
        let Self::InvalidImport(faults) = self else { return Map::new() };
        let faults = faults.iter().take(100).map(|fault| serde_json::to_value(fault).unwrap_or_default()).collect();
        Map::from_iter([("import_errors".to_owned(), Value::Array(faults))])
    }
}
