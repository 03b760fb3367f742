//! DDC's shell around the aggregates and the projections: the only code that meets the outside world and sees two
//! contexts at once.

pub mod app;
pub mod auth;
pub mod backing;
pub mod built_in;
pub mod cli;
pub mod config;
pub mod contracts;
pub mod embedded;
pub mod fanout;
pub mod history;
pub mod http;
pub mod imports;
pub mod journal;
pub mod lookups;
pub mod node_roles;
pub mod reactions;
pub mod schedule;
pub mod telemetry;
pub mod tenant;
