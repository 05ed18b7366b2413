//! Checks what Telegram tells a site about who logged in.
#![cfg_attr(feature = "oidc", doc = "")]
#![cfg_attr(feature = "oidc", doc = include_str!("../README.md"))]
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
