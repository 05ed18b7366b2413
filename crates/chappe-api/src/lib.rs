//! The types and methods of the Telegram API, generated from its schema.
//!
//! Methods are structs at the root, by namespace; an answer's type is
//! [`Function::Return`](chappe_tl::Function::Return). A constructor is a struct in [`types`].
//! A type with several constructors is an enum over them in [`enums`]; one with a single
//! constructor is that struct.
//!
//! ```
//! use chappe_api::{account, errors, types};
//! use chappe_tl::{Decode, Encode, Function};
//!
//! let reset = account::ResetWebAuthorization { hash: -7 };
//! assert_eq!(reset.to_bytes()[..4], [0xef, 0xb9, 0x01, 0x2d]);
//! assert!(account::ResetWebAuthorization::ERRORS.contains(&errors::HASH_INVALID));
//! assert!(!account::ResetWebAuthorization::CALLERS.bot);
//!
//! let answer = types::account::WebAuthorizations { authorizations: vec![], users: vec![] };
//! type Answer = <account::GetWebAuthorizations as Function>::Return;
//! assert_eq!(Answer::from_bytes(&answer.to_bytes())?, answer);
//! # Ok::<(), chappe_tl::DecodeError>(())
//! ```
//!
//! Everything but this page is written by `cargo xtask codegen`: the items from `schema/api.tl`, what is said
//! about them from `schema/docs`.
#![expect(clippy::question_mark, reason = "hundreds of `?` build slower than what they stand for")]

#[rustfmt::skip]
mod root;

#[rustfmt::skip]
pub mod enums;
#[rustfmt::skip]
pub mod errors;
#[rustfmt::skip]
pub mod types;

#[rustfmt::skip]
pub mod account;
#[rustfmt::skip]
pub mod aicompose;
#[rustfmt::skip]
pub mod auth;
#[rustfmt::skip]
pub mod bots;
#[rustfmt::skip]
pub mod channels;
#[rustfmt::skip]
pub mod chatlists;
#[rustfmt::skip]
pub mod communities;
#[rustfmt::skip]
pub mod contacts;
#[rustfmt::skip]
pub mod ephemeral;
#[rustfmt::skip]
pub mod folders;
#[rustfmt::skip]
pub mod fragment;
#[rustfmt::skip]
pub mod help;
#[rustfmt::skip]
pub mod langpack;
#[rustfmt::skip]
pub mod messages;
#[rustfmt::skip]
pub mod payments;
#[rustfmt::skip]
pub mod phone;
#[rustfmt::skip]
pub mod photos;
#[rustfmt::skip]
pub mod premium;
#[rustfmt::skip]
pub mod smsjobs;
#[rustfmt::skip]
pub mod stats;
#[rustfmt::skip]
pub mod stickers;
#[rustfmt::skip]
pub mod stories;
#[rustfmt::skip]
pub mod toncenter;
#[rustfmt::skip]
pub mod updates;
#[rustfmt::skip]
pub mod upload;
#[rustfmt::skip]
pub mod users;
#[rustfmt::skip]
pub mod wallet;

pub use root::*;
