//! OpenID Connect, "Log In with Telegram": the authorization code flow with PKCE, and the
//! id_tokens of Telegram's JavaScript library.
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
