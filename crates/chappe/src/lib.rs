//! Telegram for Rust.
//!
//! ```no_run
//! use chappe::{Client, account, errors};
//!
//! # async fn example(hash: i64) -> Result<(), chappe::Error> {
//! let client = Client::builder(12345, "api hash").session("me.session").connect().await?;
//! for site in client.invoke(&account::GetWebAuthorizations).await?.authorizations {
//!     println!("{:>20}  {}", site.hash, site.domain);
//! }
//! match client.invoke(&account::ResetWebAuthorization { hash }).await {
//!     Err(error) if error.is(errors::HASH_INVALID) => println!("already gone"),
//!     other => println!("{}", other?),
//! }
//! client.close().await
//! # }
//! ```
//!
//! | Where | What |
//! |---|---|
//! | [`Client`] | the handle: calls, state, close |
//! | [`Builder`] | which server, which session, how patient |
//! | [`CallOptions`] | what one call does differently |
//! | [`ConnectionState`] | whether there is a network, and [`Ended`]: why it is over |
//! | [`SignIn`] | signing in by phone, code and password, or by QR code, step by step |
//! | [`Questions`] | the same as questions to somebody |
//! | [`PasswordSettings`] | the password of two-step verification |
//! | [`DeviceSessions`] | the devices that the account is signed in on |
//! | [`WebSession`] | the websites that the account is logged in to, listed, ended and watched |
//! | [`UrlAuth`] | logging in to websites and apps with Telegram, and the consent to it |
//! | [`Updates`] | what the server says unasked, raw for now |
//! | [`session`] | what is kept between two runs, and where; sessions of other libraries |
//! | [`Error`] | what can go wrong, and what Telegram answered |
//! | [`api`] | every method, type and error of the API |
//!
//! Telegram is several data centres. A client begins at one and moves to the account's home when
//! the sign-in says where that is; calls that belong elsewhere are made there. Connections and
//! keys for other data centres come when they are needed: see [`Client::invoke_on`],
//! [`CallOptions::dc`] and [`Client::dcs`].

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

pub use chappe_api as api;
pub use chappe_api::{account, errors};
pub use chappe_tl::{Decode, Encode, Function};

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
