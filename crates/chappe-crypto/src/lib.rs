//! The cryptographic primitives of MTProto.
//!
//! This crate knows no TL, no sockets, no clock and no source of randomness: random
//! numbers are always an argument, so that every function is reproducible in a test.
//!
//! | Module | What is in it |
//! |---|---|
//! | [`aes`] | AES-256 in IGE mode (messages, key exchange) and CTR mode (obfuscation, CDN) |
//! | [`message_key`] | sealing and opening of encrypted packets, MTProto 2.0 and 1.0 |
//! | [`rsa`] | RSA keys, their fingerprints and both paddings of the key exchange |
//! | [`dh`] | Diffie-Hellman with all checks that Telegram prescribes |
//! | [`factor`] | the proof of work of the key exchange: factors of `pq` |
//! | [`local`] | what Telegram Desktop encrypts on a disk |
//! | [`srp`] | two-step verification by password, both sides |
//!
//! Sources: <https://core.telegram.org/mtproto/auth_key>,
//! <https://core.telegram.org/mtproto/description>, <https://core.telegram.org/api/srp>.

#![warn(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing
)]

pub mod aes;
mod auth_key;
mod der;
pub mod dh;
mod error;
pub mod factor;
mod hash;
pub mod local;
pub mod message_key;
pub mod rsa;
pub mod srp;

pub use auth_key::AuthKey;
pub use error::Error;
pub use hash::{sha1, sha256};

/// The side that *sends* a message: it decides which parts of the auth key are used.
///
/// `x` of core.telegram.org/mtproto/description#defining-aes-key-and-initialization-vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// From the client to the server: `x = 0`.
    Client,
    /// From the server to the client: `x = 8`.
    Server,
}

#[cfg(test)]
mod test_support;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every type that holds a secret wipes it when it goes away.
    #[test]
    fn secrets_have_a_drop() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() -> bool {
            std::mem::needs_drop::<T>()
        }
        assert!(wiped::<aes::Ctr>());
        assert!(wiped::<aes::IgeDecryptor>());
        assert!(wiped::<dh::TmpAes>());
        assert!(wiped::<rsa::OldPadded>());
        assert!(wiped::<srp::Password>());
        assert!(wiped::<srp::PasswordHash>());
        assert!(wiped::<AuthKey>());
        assert!(wiped::<rsa::PrivateKey>());
        assert!(wiped::<srp::Challenge>());
    }
}
