//! The read side's machinery: how events come out of the journal and into tables that can be asked.
//!
//! A reader of the journal has a [`claim`] (one node at a time runs it), a [`checkpoint`] (how far it has come) and a
//! [`Place`] (when it is its turn, and what is new in the [`feed`]). A projection is a reader whose effect and checkpoint commit together.

pub mod checkpoint;
mod claim;
mod codec;
mod condition;
pub mod copy_in;
pub mod copy_out;
pub mod feed;
mod fold;
mod latest;
pub mod page;
pub mod parked;
mod place;
mod progress;
mod projection;
pub mod rebuild;
mod recorded;
mod replay;
mod resource_table;
mod retire;
mod rows;
pub mod runner;
mod shares;

pub use claim::{Claims, Epochs, Renounce};
pub use codec::{Codec, CodecError, EventTypes, Vault};
pub use fold::{Fold, NewFold};
pub use latest::Latest;
pub use place::{Batch, Place, Turn};
pub use progress::{Behind, Progress};
pub use projection::{ApplyError, Projection};
pub use recorded::{COLUMNS, Metadata, Recorded, RecordedRef};
pub use resource_table::{ResourceProjection, ResourceTable};
pub use retire::retire;
pub use rows::{Rows, insert, write};
