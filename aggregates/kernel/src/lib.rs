//! What every context speaks: ids, time-stamped commands, refusals, text, money, personal data.
//!
//! Nothing here (nor anywhere below `aggregates/`) does I/O, reads a clock, or draws a random number.

mod actor;
mod change;
mod event;
pub mod formula;
mod id;
mod issued;
mod money;
pub mod personal;
mod reference;
mod refusal;
mod resource;
pub mod testing;
mod text;

pub use actor::{Actor, Role};
pub use change::Change;
pub use id::*;
pub use issued::Issued;
pub use money::{effort, minor_units, money, percent, rounded, unit_cost};
pub use personal::Personal;
pub use reference::{CascadeId, Reference};
pub use refusal::{Kind, Refusal};
pub use resource::{Resource, Stamp};
pub use text::{BadText, Code, Email, Text};
