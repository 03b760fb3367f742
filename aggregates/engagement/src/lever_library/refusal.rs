use kernel::{Kind, Refusal};
use serde_json::{Map, Value};

use crate::question_bank::ImportFault;

/// Which rule of the lever library a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeverLibraryRefusal {
    #[error("only an administrator may change the lever library")]
    Forbidden,
    #[error("an import holds at most {0} items")]
    TooMany(usize),
    #[error("the import has {} error(s), the first: {}", .0.len(), .0.first().map_or("", |fault| &fault.message))]
    InvalidImport(Vec<ImportFault>),
}

impl Refusal for LeverLibraryRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Forbidden => Kind::Forbidden,
            Self::TooMany(_) | Self::InvalidImport(_) => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "FORBIDDEN",
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
