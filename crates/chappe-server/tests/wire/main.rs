//! The local server over its wire, spoken to by the protocol core alone.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, and drives the clock and the process"
)]

mod bots;
mod browsers;
mod client;
mod control;
mod dcs;
mod durability;
mod faults;
mod http;
mod letters;
mod limits;
mod logins;
mod matrix;
mod needs;
#[path = "../../../chappe-reference/tests/programs/mod.rs"]
mod programs;
mod qr;
mod raw;
mod stories;
mod temporary;
mod web;
