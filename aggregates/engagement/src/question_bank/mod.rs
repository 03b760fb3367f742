//! The question bank: all questions and validation rules of the installation, in one stream.
//!
//! It changes by imports only, each all or nothing. An assessment lives with the snapshot that it was created with.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::QuestionBankCommand;
pub use event::QuestionBankEvent;
pub use refusal::{ImportFault, QuestionBankRefusal};
pub use state::{QuestionBank, QuestionBankView};
