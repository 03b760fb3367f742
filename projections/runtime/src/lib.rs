//! The read side's machinery: how events come out of the journal and into tables that can be asked.
//!
//! A reader of the journal has a [`claim`] (one node at a time runs it), a [`checkpoint`] (how far it has come) and a
//! [`Place`] (when it is its turn, and what is new in the [`feed`]). A projection is a reader whose effect and checkpoint commit together.

pub mod checkpoint;
mod claim;
mod codec;
pub mod feed;
pub mod page;
pub mod parked;
mod place;
mod progress;
mod projection;
pub mod rebuild;
mod recorded;
mod resource_table;
pub mod runner;

pub use claim::{Claims, Epochs};
pub use codec::{Codec, CodecError, Vault};
pub use place::{Batch, Place, Turn};
pub use progress::{Behind, Progress};
pub use projection::{ApplyError, Projection};
pub use recorded::{COLUMNS, Metadata, Recorded};
pub use resource_table::{ResourceProjection, ResourceTable, write};
