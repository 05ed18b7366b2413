//! The server's half of the key exchange: all exchanges of a server at once, over any connections.

use bytes::Bytes;
use chappe_crypto::{AuthKey, rsa};
use rand_core::CryptoRng;

use crate::time::Now;

/// The server's half of all key exchanges of one server.
///
/// An exchange may span connections: its state hangs on the two nonces alone.
pub struct Handshake {
    config: Config,
}

/// What a server's key exchange is made of.
pub struct Config {
    /// The RSA keys of the server; the first is preferred.
    pub keys: Vec<rsa::PrivateKey>,
    /// The only data center that clients may mean (test and media variants of it included); `None` accepts any.
    /// Some clients send arbitrary numbers.
    pub dc_id: Option<i32>,
    /// The generator of the Diffie-Hellman group: 3, 4 or 7 suit the prime in use.
    pub generator: i32,
    /// How many exchanges are remembered at once.
    pub capacity: usize,
    /// What goes wrong on purpose.
    pub fault: Fault,
}

/// A failure that the server feigns, to exercise clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// None: exchanges succeed.
    #[default]
    None,
    /// `req_DH_params` is answered by `server_DH_params_fail`.
    ParamsFail,
    /// `set_client_DH_params` is answered by `dh_gen_fail`.
    GenFail,
    /// The first so many attempts at `set_client_DH_params` are answered by `dh_gen_retry`.
    GenRetry(u8),
}

/// What to do after a message of a client.
#[derive(Debug)]
pub enum Step {
    /// Send this body in an unencrypted message.
    Reply(Bytes),
    /// A key was created. Keep it first, then send `reply`.
    Done {
        /// The body that tells the client so, `dh_gen_ok`.
        reply: Bytes,
        /// The new key.
        auth_key: AuthKey,
        /// Its first server salt.
        server_salt: i64,
        /// Lifetime of a temporary key in seconds; `None` for a permanent key.
        expires_in: Option<i32>,
    },
    /// Send this transport error, -404, -429 or -444, and close the connection.
    Reject(i32),
}

impl Handshake {
    /// Prepares to answer key exchanges.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Takes the body of an unencrypted message of a client.
    ///
    /// `taken` tells whether an `auth_key_id` is in use already: then the client is asked for another key.
    pub fn handle(
        &mut self,
        body: &[u8],
        now: Now,
        taken: impl FnOnce(i64) -> bool,
        rng: &mut impl CryptoRng,
    ) -> Step {
        let _ = (&self.config.keys, body, now, taken, rng);
        Step::Reject(-404)
    }
}
