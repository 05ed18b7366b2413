//! The client's half of the key exchange.

use bytes::Bytes;
use chappe_crypto::{AuthKey, rsa};
use rand_core::CryptoRng;

use crate::time::Now;

/// The client's half of one key exchange.
pub struct Handshake {
    dc_id: i32,
    keys: Vec<rsa::PublicKey>,
    mode: Mode,
}

/// The kind of key to create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A key that lasts until it is destroyed.
    Permanent,
    /// A key that the server forgets by itself.
    Temporary {
        /// Seconds until then, from its creation.
        expires_in: i32,
    },
}

/// What to do after an answer of the server.
#[derive(Debug)]
pub enum Step {
    /// Send this body in an unencrypted message and await the answer.
    Send(Bytes),
    /// The key exists on both sides.
    Done(Completed),
}

/// A finished key exchange.
#[derive(Debug)]
pub struct Completed {
    /// The key that both sides now share.
    pub auth_key: AuthKey,
    /// The first server salt.
    pub server_salt: i64,
    /// Server time minus the local time at the arrival of `server_DH_params_ok`, in seconds.
    pub time_offset: i64,
    /// When a temporary key expires, in seconds of Unix time by the server's clock.
    pub expires_at: Option<i64>,
}

/// Why a key exchange was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// No answer is due: the exchange has not begun, is finished or has failed.
    #[error("no answer is due; start a new key exchange")]
    OutOfStep,
}

impl Handshake {
    /// Prepares a key exchange with the data center `dc_id`, whose RSA key is one of `keys`.
    #[must_use]
    pub fn new(dc_id: i32, keys: &[rsa::PublicKey], mode: Mode) -> Self {
        Self { dc_id, keys: keys.to_vec(), mode }
    }

    /// Returns the body of the first message, `req_pq_multi`.
    pub fn start(&mut self, rng: &mut impl CryptoRng) -> Bytes {
        let _ = (self.dc_id, &self.keys, self.mode, rng);
        Bytes::new()
    }

    /// Takes the body of an unencrypted message of the server.
    ///
    /// # Errors
    /// Any violation of the protocol; the exchange is over and the connection is to be closed.
    pub fn step(
        &mut self,
        body: &[u8],
        now: Now,
        rng: &mut impl CryptoRng,
    ) -> Result<Step, HandshakeError> {
        let _ = (body, now, rng);
        Err(HandshakeError::OutOfStep)
    }
}
