//! The benchmarks of the installation, in one stream. They change by imports only, each all or nothing.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::{BenchmarkItem, BenchmarkSetCommand, KnownCodes};
pub use event::BenchmarkSetEvent;
pub use refusal::{BenchmarkSetRefusal, RowFault};
pub use state::{BenchmarkSet, BenchmarkSetView};
