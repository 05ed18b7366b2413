//! Checks what Telegram tells a site about who logged in.
//!
//! [`BotToken`]: BotToken
//! [`Error`]: Error
//! [`Fields`]: Fields
//! [`Fields::take`]: Fields::take
//! [`MiniApp`]: MiniApp
//! [`Seen`]: Seen
//! [`ThirdParty`]: ThirdParty
//! [`Widget`]: Widget
#![cfg_attr(feature = "oidc", doc = "[`IdToken::id`]: oidc::IdToken::id")]
#![cfg_attr(feature = "oidc", doc = "[`IdToken::sub`]: oidc::IdToken::sub")]
#![cfg_attr(feature = "oidc", doc = "[`oidc::Client`]: oidc::Client")]
#![cfg_attr(feature = "oidc", doc = "[`oidc::Error`]: oidc::Error")]
//!
// The examples of the page are for both features; the page is there in any case.
#![cfg_attr(any(feature = "oidc", not(doctest)), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing
)]

mod error;
mod fields;
mod freshness;
mod json;
mod mini_app;
#[cfg(feature = "oidc")]
pub mod oidc;
mod query;
mod token;
mod widget;

pub use error::Error;
pub use fields::Fields;
pub use freshness::{Fingerprint, Freshness, Seen};
pub use mini_app::{InitData, MiniApp, ThirdParty, WebAppChat, WebAppUser};
pub use token::BotToken;
pub use widget::{Login, Widget};
