//! Every method, type and error of the API, by Telegram's own names: what the crate `chappe-api` has.
//!
//! | Telegram calls it | here it is |
//! |---|---|
//! | method `account.getWebAuthorizations` | `account::GetWebAuthorizations`, for [`Client::invoke`](crate::Client::invoke) |
//! | constructor `inputPeerUser` | `types::InputPeerUser`; one that has optional fields has `new` with the others |
//! | type `InputPeer`, of several constructors | `enums::InputPeer`; each constructor converts into it by `into()` |
//! | type `WebAuthorization`, of one constructor | that constructor, `types::WebAuthorization` |
//! | error `FLOOD_WAIT_17` | `errors::FLOOD_WAIT_X`, for [`Error::is`](crate::Error::is) |
//! | layer 230 | `LAYER` |
//!
//! The documentation of each says what it is for, who may call it, which errors it answers, and its line
//! in TL. So does `chappe docs account.getWebAuthorizations` in a terminal.
//!
//! ```
//! use chappe::{Function, api::{LAYER, account, contacts, errors, types}};
//!
//! let peer = types::InputPeerUser { user_id: 42, access_hash: -7 };
//! let block = contacts::Block::new(peer); // optional fields are left out, and public
//! assert!(!block.my_stories_from);
//! assert!(account::ResetWebAuthorization::ERRORS.contains(&errors::HASH_INVALID));
//! assert_eq!(account::ResetWebAuthorization::NAME, "account.resetWebAuthorization");
//! assert_eq!(LAYER, 230);
//! ```
//!
//! [`account`] and [`errors`] are at the root of this crate as well.

#[doc(no_inline)]
pub use chappe_api::*;
