//! A Telegram in a box: an offline, embeddable, deterministic server.
//!
//! It speaks real MTProto to any client that is given its public key, keeps its accounts in
//! SQLite, and never contacts anything. Sign in as the printed demonstration account, as one of
//! the printed bots, or as any phone number `99966XYYYY` with the code `XXXXX`.
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
//! # How it is built
//!
//! ```text
//! socket -> listener -> chappe_mtproto::server -> rpc -> world -> SQLite
//!           (tokio)     (sans-IO)                 (TL)   (pure)
//! ```
//!
//! Only [`Server`]'s listener touches sockets, timers, the clock and the operating system's
//! entropy. The world is a function of the time, the caller and the request.

mod builder;
mod engine;
mod error;
mod failure;
mod handle;
mod key;
mod listener;
mod rpc;
mod world;

pub use builder::{Builder, Server};
pub use error::{DatabaseError, Error};
pub use handle::{Account, Announcement, Bot, Handle};
