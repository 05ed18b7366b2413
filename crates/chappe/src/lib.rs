//! Telegram for Rust: a client for accounts of people and of bots, over MTProto.
//!
//! Every method of the API can be called, with types ([`api`]). What takes more than one call is there
//! as a flow of its own: signing in, the password, the devices and the websites of an account, and saying
//! yes to "Log in with Telegram". Where there is no Telegram, `chappe-server` is one, in the same process.
//!
//! # A first program
//!
//! It signs in, asking at the terminal only if the session file knows nobody yet, lists the websites that
//! the account is logged in to, and ends those that were not used for a month. `api_id` and `api_hash` are
//! your application's, from my.telegram.org.
//!
//! ```no_run
//! use std::{io, time::{Duration, SystemTime}};
//! use chappe::{Client, SignIn};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::builder(12345, "api hash").session("me.session").connect().await?;
//!     if client.me().await?.is_none() {
//!         let mut step = client.sign_in_phone(&ask("phone number")?).await?;
//!         loop {
//!             step = match step {
//!                 SignIn::Code(code) => code.submit(&ask("code")?).await?,
//!                 SignIn::Password(password) => password.submit(&ask("password")?).await?,
//!                 SignIn::Done(_) => break,
//!                 other => return Err(format!("cannot go on here: {other:?}").into()),
//!             };
//!         }
//!     }
//!     let (now, month) = (SystemTime::now(), Duration::from_secs(30 * 86_400));
//!     let mut sites = client.web_sessions().await?;
//!     for site in &sites {
//!         println!("{:>20}  {}  {}", site.hash(), site.domain(), site.browser());
//!     }
//!     sites.retain(|site| site.idle(now) > month);
//!     for site in client.reset_web_sessions(&sites).await?.ended() {
//!         println!("logged out of {}", site.domain());
//!     }
//!     Ok(client.close().await?)
//! }
//!
//! fn ask(what: &str) -> io::Result<String> {
//!     println!("{what}?");
//!     io::stdin().lines().next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
//! }
//! ```
//!
//! The folder `examples` has whole programs; each runs on a local Telegram of its own.
//!
//! # The same in a test, offline
//!
//! With `chappe-server` among the `dev-dependencies`. It speaks the real protocol, and has accounts, bots
//! and web logins to begin with.
//!
//! ```
//! use chappe::{Client, SignIn, account, errors};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let telegram = chappe_server::Server::builder().seed(7).start().await?;
//! let account = &telegram.accounts()[0];
//! let client = Client::builder(1, "0".repeat(32))
//!     .server(telegram.address(), telegram.public_key_pem())?
//!     .connect()
//!     .await?;
//! let SignIn::Code(step) = client.sign_in_phone(&account.phone).await? else { panic!() };
//! let SignIn::Done(_) = step.submit(&account.code).await? else { panic!() };
//!
//! // Any method of the API, and what it answers.
//! let site = client.invoke(&account::GetWebAuthorizations).await?.authorizations.remove(0);
//! let reset = account::ResetWebAuthorization { hash: site.hash };
//! assert!(client.invoke(&reset).await?);
//! assert!(client.invoke(&reset).await.is_err_and(|error| error.is(errors::HASH_INVALID)));
//! # client.close().await?;
//! # telegram.shutdown().await?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is where
//!
//! | You want to | Begin with | and then |
//! |---|---|---|
//! | connect | [`Client::builder`] | [`Builder`]: server, session, patience; [`DeviceInfo`], [`Framing`], [`Ipv6`] |
//! | call a method | [`Client::invoke`] | [`api`], [`CallOptions`] and [`Calls`]; [`Client::invoke_raw`] for bytes |
//! | sign in | [`Client::sign_in_phone`], [`sign_in_qr`](Client::sign_in_qr), [`sign_in_bot`](Client::sign_in_bot) | [`SignIn`]: the steps; or [`Questions`]: somebody who is asked |
//! | sign out | [`Client::sign_out`] | [`Client::sign_out_and_forget`] |
//! | list, end or watch web logins | [`Client::web_sessions`] | [`WebSession`], [`WebReset`] and [`WebResetReport`], [`WebSessionWatch`] |
//! | say yes or no to a web login | [`Client::url_auth`] | [`UrlAuth`], [`UrlAuthConsent`], [`UrlAuthGrant`] |
//! | look after the devices | [`Client::device_sessions`] | [`DeviceSession`] |
//! | set or recover the password | [`Client::password`] | [`PasswordSettings`], [`RecoveryEmail`], [`PasswordReset`] |
//! | hear what the server says unasked | [`Client::updates`] | [`Updates`], raw for now |
//! | know whether there is a network | [`Client::state`] | [`ConnectionState`], [`ConnectionStates`], [`Ended`]: why it is over |
//! | keep a session, or take over one of another library | [`session`] | [`session::Store`], [`session::foreign`] |
//! | handle what goes wrong | [`Error`] | [`RpcError`], [`errors`] |
//! | check logins on a site of your own | the crate `chappe-login` | |
//!
//! Telegram is several data centres. A client begins at one and moves to the account's home when
//! the sign-in says where that is; calls that belong elsewhere are made there. Connections and
//! keys for other data centres come when they are needed: see [`Client::invoke_on`],
//! [`CallOptions::dc`] and [`Client::dcs`].
//!
//! # Features
//!
//! None is on by default, and without them no C code is compiled.
//!
//! | Feature | What it brings |
//! |---|---|
//! | `sqlite` | `session::Sqlite`: many accounts in one file; session files of Telethon and Pyrogram. Compiles SQLite, which is C |
//! | `postgres` | `session::Postgres`: accounts that many programs share. Its TLS brings ring, which has assembly |
//!
//! # Errors
//!
//! There is one [`Error`], of 32 bytes at most. [`Error::is`] asks for an error of Telegram's by name,
//! [`Error::retry_after`] for how long to wait, [`Error::is_unanswered`] whether the call may have run,
//! [`Error::ended`] whether it is over with the client, [`Error::explain`] for words for a person. Waits
//! of up to half a minute, moves between data centres and lost connections are dealt with before an error
//! is returned: [`Client::invoke`] says how. No error shows a key, code, password, phone number or token;
//! nor does `Debug`, but of the plain types of [`api`].
//!
//! # Cancel safety
//!
//! Every future may be dropped at any time, in `select!` or by a timeout, and nothing is left behind in
//! the client. What was sent may still run at Telegram; each method says under "Cancel safety" what
//! that comes to. `next` of a stream loses nothing.
//!
//! # Where it runs
//!
//! On tokio, with its network and timers enabled, of either flavour. A [`Client`] is cheap to clone, and
//! with its futures may move between threads. `unsafe` is forbidden. Rust 1.89 or later; a minor version may
//! raise that.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod api;
mod builder;
mod call;
mod client;
mod dc;
mod error;
mod flood;
mod invoke;
mod net;
mod pool;
mod security;
pub mod session;
mod sign_in;
mod state;
mod updates;
mod url_auth;
mod web_session;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use chappe_api::{account, errors};
#[doc(no_inline)]
pub use chappe_tl::{Bytes, Text};
pub use chappe_tl::{Decode, Encode, ErrorName, Function};

pub use crate::{
    builder::{Builder, DeviceInfo, Framing},
    call::{CallOptions, Calls},
    client::Client,
    dc::{DcOption, Ipv6},
    error::{Error, ProtocolFailure, RpcError, SessionError, SessionProblem, Undecodable},
    security::{
        devices::{DeviceSession, DeviceSessions},
        password::{PasswordProblem, PasswordReset, PasswordSettings, RecoveryEmail},
    },
    sign_in::{
        Begin, CodeAnswer, CodeStep, Delivery, EmailReset, EmailSetUpStep, EmailVerifyStep,
        NewPassword, NewPasswordStep, NextDelivery, PasswordAnswer, PasswordStep, PaymentStep,
        QrStep, Questions, RecoveryCodeStep, Rejected, SignIn, SignUpStep,
    },
    state::{ConnectionState, ConnectionStates, Ended},
    updates::Updates,
    url_auth::{
        UrlAuth, UrlAuthProblem,
        consent::{UrlAuthConsent, UrlAuthGrant},
        link::UrlAuthLink,
    },
    web_session::{
        WebSession,
        reset::{WebReset, WebResetOutcome, WebResetReport},
        watch::{WebSessionChange, WebSessionWatch},
    },
};
