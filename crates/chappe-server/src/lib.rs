//! A Telegram in a box: an offline, embeddable, deterministic server.
//!
//! It speaks real MTProto to any client that is given its public key, keeps its accounts in
//! SQLite, and never contacts anything. Sign in as the printed demonstration account, as one of
//! the printed bots, as any phone number `99966XYYYY` with the code `XXXXX`, or as any other one
//! with the code that its [letter](letters) tells.
//!
//! ```
//! # async fn example() -> Result<(), chappe_server::Error> {
//! let server = chappe_server::Server::builder().in_memory().seed(7).start().await?;
//! let account = &server.accounts()[0];
//! println!("dial {}, sign in as {} with {}", server.address(), account.phone, account.code);
//! println!("{}", server.public_key_pem());
//! server.shutdown().await
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```
//!
//! # Several data centres
//! [`Builder::dcs`] runs several of them over the same accounts. Each has an address, sessions and
//! auth keys of its own; all have the same RSA key. `99966XYYYY` lives in data centre `X`, the
//! demonstration account in the main one. Whoever signs in elsewhere is sent home by
//! PHONE_MIGRATE_X or USER_MIGRATE_X, and `auth.exportAuthorization` takes a device session to
//! another one. Temporary auth keys are bound by `auth.bindTempAuthKey`.
//!
//! # Codes
//! What the server would send to a phone or a mailbox is kept for whoever runs it: see [`letters`].
//! How a phone number signs in can be ordered: see [`numbers`], and `LOGIN.md` beside this crate.
//!
//! # How it is built
//!
//! ```text
//! socket -> listener -> chappe_mtproto::server -> rpc -> world -> SQLite
//!           (tokio)     (sans-IO, one per DC)     (TL)   (pure)
//! ```
//!
//! Only [`Server`]'s listener and its control port touch sockets and timers, the clock and the
//! operating system's entropy. The world is a function of the time, the caller and the request.
//! Between protocol and framing, in front of the requests and at the sockets stand the [`faults`],
//! which cost one branch while there are none.

pub mod bots;
pub mod browser;
mod builder;
mod engine;
mod error;
mod failure;
pub mod faults;
mod handle;
mod key;
pub mod letters;
mod listener;
pub mod logins;
pub mod numbers;
mod rpc;
mod web;
mod world;

pub use builder::{Builder, Server};
pub use error::{DatabaseError, Error, Objection};
pub use handle::{Account, Announcement, Bot, DataCentre, Handle};
