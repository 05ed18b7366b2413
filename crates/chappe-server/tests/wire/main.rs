//! The local server over its wire, spoken to by the protocol core alone.

mod client;
mod durability;
mod limits;
mod stories;
