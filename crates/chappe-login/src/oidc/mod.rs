//! OpenID Connect, "Log In with Telegram": the authorization code flow with PKCE, and the
//! id_tokens of Telegram's JavaScript library. Needs the feature `oidc`.
//!
//! | Step | By |
//! |---|---|
//! | who is asked | [`Provider::telegram`], or [`Provider::from_discovery`] for a local one |
//! | who asks | [`Client`], with the [`ClientSecret`] |
//! | the browser is sent away | [`Pending::new`], [`Client::authorization_url`] |
//! | it comes back with a [`Code`] | [`Client::callback`] |
//! | the code is exchanged | [`Client::token_request`], your HTTP client, [`Client::token_response`] |
//! | the keys are there | [`Keys::is_due`], your HTTP client, [`Keys::read`] |
//! | who it is | [`Client::check`]: an [`IdToken`] |
//! | with Telegram's JavaScript library instead | [`Client::check_posted`] |
//!
//! Nothing here does I/O: the caller's HTTP client fetches the discovery document, the key set
//! and the token, and gives bytes back.
//!
//! core.telegram.org/bots/telegram-login, RFC 6749, 7517, 7519, 7636, 8725, 9207.

mod address;
mod client;
mod error;
mod id_token;
mod jws;
mod keys;
mod pending;
mod provider;

pub use client::{Client, ClientSecret, Code, RawIdToken, Request, Scope};
pub use error::Error;
pub use id_token::IdToken;
pub use jws::Alg;
pub use keys::Keys;
pub use pending::Pending;
pub use provider::Provider;
