//! MTProto 2.0 as state machines, both sides, without clock, entropy or sockets.
//!
//! [`connection::Connection`] is the client's end of one session with one data centre,
//! [`server::Server`] the server's end of all of them. Both are driven alike: whoever owns the
//! sockets and timers gives inputs and carries out outputs. Bodies of requests and answers are
//! bytes here; what they mean is the caller's.
//!
//! # The run loop
//! 1. Wait for the first of: bytes from the socket, a command of the user, the time of the last
//!    `Timeout`.
//! 2. Read both clocks once ([`time::Now`]) and give one input: `handle(now, input)`, or
//!    `request(now, body, options)`.
//! 3. Drain: call `poll()` and carry out what it says until it says `Timeout`.
//!
//! ```
//! use std::time::Duration;
//! use chappe_mtproto::connection::{Config, Connection, Input, Output};
//! use chappe_mtproto::time::Now;
//!
//! let now = Now::new(Duration::ZERO, Duration::from_secs(1_700_000_000));
//! let mut connection = Connection::new(Config::default(), None, [7; 32], now);
//! connection.handle(now, Input::Connected)?;
//! loop {
//!     match connection.poll() {
//!         Output::Transmit(bytes) => assert!(!bytes.is_empty(), "write it to the socket"),
//!         Output::Event(event) => println!("{event:?}"),
//!         Output::Timeout(wake) => break assert!(wake.is_some(), "sleep until then"),
//!     }
//! }
//! # Ok::<(), chappe_mtproto::error::ProtocolError>(())
//! ```
//!
//! # The way of a packet
//! ```text
//!  request(body)                                          Event::Response{body}
//!       |                                                           ^
//!   outbox       queued, sent, acknowledged, done                   |
//!       |                                                           |
//!   session      id, number, salt, container   /   checks, windows, acknowledgements
//!       |                                                           |
//!   packet       padding, message key, AES-IGE   /   message key, lengths
//!       |                                                           |
//!   transport    framing, AES-CTR                /   framing, AES-CTR
//!       v                                                           |
//!  Output::Transmit(bytes)  ------------ any pipe ------------  Input::Received(bytes)
//! ```
//!
//! # Invariants
//! - **No clock, entropy, environment or socket** is read here: `clippy.toml` of this crate.
//! - **An error is sticky**: after `Err`, every later `handle` returns the same.
//! - **Same seed and same inputs give the same bytes**: the tests compare whole transcripts.
//! - **Only `packet` and `handshake` see an auth key at work**; elsewhere it is carried.
//! - **Nothing of a packet is used before all of its checks passed.**
//! - **No list grows with what the other end sends**: each has a limit where it is declared.
#![deny(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod clock;
pub mod connection;
pub mod error;
pub mod handshake;
mod keys;
mod liveness;
pub mod message;
mod outbox;
pub mod packet;
mod questions;
mod salts;
pub mod server;
mod session;
mod states;
pub mod time;
pub mod transport;
