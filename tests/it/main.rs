//! Black-box tests: real processes, a real PostgreSQL, a real NATS.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test stops where what it needs is not there"
)]

mod activities;
mod architecture;
mod assessment;
mod authorization;
mod claims;
mod client_history;
mod companies;
mod contracts;
mod costing;
mod crash;
mod delivery;
mod durability;
mod edge;
mod embedded;
mod engagement;
mod fanout;
mod fuzz;
mod golden;
mod harness;
mod journal;
mod library;
mod lookups;
mod mail;
mod main_job;
mod mission;
mod node_roles;
mod oversight;
mod pages;
mod parked;
mod people;
mod process;
mod rebuild;
mod rolling;
mod security;
mod trust;
