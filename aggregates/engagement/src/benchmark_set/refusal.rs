use kernel::{Kind, Refusal};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What is wrong with one row of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowFault {
    /// From 1, without the header.
    pub row: usize,
    pub column: &'static str,
    pub code: &'static str,
    pub message: &'static str,
}

impl RowFault {
    fn text(&self) -> String {
        format!("row {}: {} {}", self.row, self.column, self.message)
    }
}

/// Which rule of the benchmark set a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BenchmarkSetRefusal {
    #[error("only an administrator may do this")]
    Forbidden,
    #[error("there is nothing to import")]
    Empty,
    #[error("an import holds at most {0} rows")]
    TooMany(usize),
    #[error("the import has {} error(s), the first: {}", .0.len(), .0.first().map_or_else(String::new, RowFault::text))]
    InvalidImport(Vec<RowFault>),
}

impl Refusal for BenchmarkSetRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Forbidden => Kind::Forbidden,
            Self::Empty | Self::TooMany(_) | Self::InvalidImport(_) => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "FORBIDDEN",
            Self::Empty => "EMPTY_IMPORT",
            Self::TooMany(_) => "TOO_MANY_ITEMS",
            Self::InvalidImport(_) => "INVALID_IMPORT",
        }
    }

    /// `import_errors`: the first hundred.
    fn members(&self) -> Map<String, Value> {
        let Self::InvalidImport(faults) = self else { return Map::new() };
        let faults: Vec<&RowFault> = faults.iter().take(100).collect();
        Map::from_iter([("import_errors".to_owned(), json!(faults))])
    }
}
