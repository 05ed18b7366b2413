//! The client's half of the key exchange.

use std::fmt;

use bytes::Bytes;
use chappe_crypto::dh::{self, Group, TmpAes};
use chappe_crypto::{AuthKey, Error as CryptoError, factor, rsa};
use chappe_tl::{Decode, Encode, Reader, service};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{FAIL, HandshakeError, MAX_RETRIES, OK, RETRY};
use crate::time::Now;

/// The client's half of one key exchange.
///
/// [`start`](Self::start), then [`step`](Self::step) with each answer until it is [`Step::Done`].
pub struct Handshake {
    dc_id: i32,
    keys: Vec<rsa::PublicKey>,
    mode: Mode,
    state: State,
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
#[expect(clippy::large_enum_variant, reason = "one at a time, and a key stays where it is")]
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
    /// Server time minus the local Unix time, in seconds.
    pub time_offset: i64,
    /// When a temporary key expires: Unix time by the server's clock, in seconds.
    pub expires_at: Option<i64>,
}

enum State {
    /// Nothing is awaited: not begun, finished or failed.
    Idle,
    /// Awaits `resPQ`.
    Challenge { nonce: [u8; 16] },
    /// Awaits `server_DH_params_ok`.
    Params(Nonces),
    /// Awaits `dh_gen_ok`.
    Verdict(Box<Exchange>),
}

struct Nonces {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: Zeroizing<[u8; 32]>,
}

struct Exchange {
    nonces: Nonces,
    aes: TmpAes,
    group: Group,
    g_a: Bytes,
    auth_key: AuthKey,
    retries: u8,
    server_time: i64,
    time_offset: i64,
}

impl Handshake {
    /// Prepares a key exchange with the data center `dc_id`, which holds one of the RSA `keys`.
    ///
    /// Test data centers are 10000 more, media ones negative.
    #[must_use]
    pub fn new(dc_id: i32, keys: &[rsa::PublicKey], mode: Mode) -> Self {
        Self { dc_id, keys: keys.to_vec(), mode, state: State::Idle }
    }

    /// Begins, anew if need be, and returns the body of the first message.
    pub fn start(&mut self, rng: &mut impl CryptoRng) -> Bytes {
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        self.state = State::Challenge { nonce };
        service::ReqPqMulti { nonce }.to_bytes()
    }

    /// Takes the body of an unencrypted message of the server.
    ///
    /// # Errors
    /// Any violation of the protocol. The exchange is over then and the connection is to be closed.
    pub fn step(
        &mut self,
        body: &[u8],
        now: Now,
        rng: &mut impl CryptoRng,
    ) -> Result<Step, HandshakeError> {
        let body = Bytes::copy_from_slice(body);
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => Err(HandshakeError::OutOfStep),
            State::Challenge { nonce } => self.solve(nonce, &body, rng),
            State::Params(nonces) => self.answer(nonces, &body, now, rng),
            State::Verdict(exchange) => self.conclude(exchange, &body, rng),
        }
    }

    /// Answers `resPQ` by the proof of work.
    fn solve(
        &mut self,
        nonce: [u8; 16],
        body: &Bytes,
        rng: &mut impl CryptoRng,
    ) -> Result<Step, HandshakeError> {
        let challenge: service::ResPq = read(body)?;
        if challenge.nonce != nonce {
            return Err(HandshakeError::Nonce);
        }
        let server_nonce = challenge.server_nonce;
        let offered = &challenge.server_public_key_fingerprints;
        let key = offered
            .iter()
            .find_map(|offer| self.keys.iter().find(|key| key.fingerprint() == *offer))
            .ok_or(HandshakeError::UnknownRsaKey)?;
        let (p, q) = super::number(&challenge.pq)
            .and_then(factor::factorize)
            .ok_or(HandshakeError::ProofOfWork)?;

        let mut new_nonce = Zeroizing::new([0; 32]);
        rng.fill_bytes(new_nonce.as_mut_slice());
        let p = super::number_bytes(p);
        let q = super::number_bytes(q);
        let inner = match self.mode {
            Mode::Permanent => service::PQInnerDataDc {
                pq: challenge.pq,
                p: p.clone(),
                q: q.clone(),
                nonce,
                server_nonce,
                new_nonce: *new_nonce,
                dc: self.dc_id,
            }
            .to_bytes(),
            Mode::Temporary { expires_in } => service::PQInnerDataTempDc {
                pq: challenge.pq,
                p: p.clone(),
                q: q.clone(),
                nonce,
                server_nonce,
                new_nonce: *new_nonce,
                dc: self.dc_id,
                expires_in,
            }
            .to_bytes(),
        };
        let encrypted =
            rsa::rsa_pad_encrypt(&inner, key, rng).map_err(|_| HandshakeError::RsaKey)?;
        let proof = service::ReqDhParams {
            nonce,
            server_nonce,
            p,
            q,
            public_key_fingerprint: key.fingerprint(),
            encrypted_data: Bytes::copy_from_slice(&encrypted),
        };
        self.state = State::Params(Nonces { nonce, server_nonce, new_nonce });
        Ok(Step::Send(proof.to_bytes()))
    }

    /// Answers `server_DH_params_ok` by the client's half of the key.
    fn answer(
        &mut self,
        nonces: Nonces,
        body: &Bytes,
        now: Now,
        rng: &mut impl CryptoRng,
    ) -> Result<Step, HandshakeError> {
        let params = match read(body)? {
            service::ServerDhParams::Ok(params) => params,
            service::ServerDhParams::Fail(fail) => {
                nonces.check(&fail.nonce, &fail.server_nonce)?;
                let expected = super::params_fail_hash(&nonces.new_nonce);
                if !bool::from(expected.ct_eq(&fail.new_nonce_hash)) {
                    return Err(HandshakeError::NewNonceHash);
                }
                return Err(HandshakeError::RefusedParams);
            }
            _ => return Err(HandshakeError::Malformed),
        };
        nonces.check(&params.nonce, &params.server_nonce)?;
        let aes = dh::tmp_aes(&nonces.new_nonce, &nonces.server_nonce);
        let inner: service::ServerDhInnerData = super::open(&params.encrypted_answer, &aes)?;
        nonces.check(&inner.nonce, &inner.server_nonce)?;
        let group = Group::check(&inner.dh_prime, inner.g).map_err(|error| match error {
            CryptoError::Generator => HandshakeError::Generator,
            _ => HandshakeError::Prime,
        })?;
        let server_time = i64::from(inner.server_time);
        let local_time = i64::try_from(now.unix.as_secs()).unwrap_or(i64::MAX);
        let time_offset = server_time.saturating_sub(local_time);
        let (auth_key, body) = propose(&nonces, &aes, &group, &inner.g_a, 0, rng)?;
        self.state = State::Verdict(Box::new(Exchange {
            nonces,
            aes,
            group,
            g_a: inner.g_a,
            auth_key,
            retries: 0,
            server_time,
            time_offset,
        }));
        Ok(Step::Send(body))
    }

    /// Takes the verdict of the server.
    fn conclude(
        &mut self,
        mut exchange: Box<Exchange>,
        body: &Bytes,
        rng: &mut impl CryptoRng,
    ) -> Result<Step, HandshakeError> {
        let nonces = &exchange.nonces;
        match read(body)? {
            service::SetClientDhParamsAnswer::DhGenOk(ok) => {
                nonces.check(&ok.nonce, &ok.server_nonce)?;
                exchange.verify(OK, &ok.new_nonce_hash1)?;
                let expires_at = match self.mode {
                    Mode::Permanent => None,
                    Mode::Temporary { expires_in } => {
                        Some(exchange.server_time + i64::from(expires_in))
                    }
                };
                Ok(Step::Done(Completed {
                    server_salt: super::initial_salt(&nonces.new_nonce, &nonces.server_nonce),
                    time_offset: exchange.time_offset,
                    expires_at,
                    auth_key: exchange.auth_key,
                }))
            }
            service::SetClientDhParamsAnswer::DhGenRetry(retry) => {
                nonces.check(&retry.nonce, &retry.server_nonce)?;
                exchange.verify(RETRY, &retry.new_nonce_hash2)?;
                if exchange.retries == MAX_RETRIES {
                    return Err(HandshakeError::TooManyRetries);
                }
                let retry_id = exchange.auth_key.aux_hash();
                let Exchange { nonces, aes, group, g_a, .. } = &*exchange;
                let (auth_key, body) = propose(nonces, aes, group, g_a, retry_id, rng)?;
                exchange.auth_key = auth_key;
                exchange.retries += 1;
                self.state = State::Verdict(exchange);
                Ok(Step::Send(body))
            }
            service::SetClientDhParamsAnswer::DhGenFail(fail) => {
                nonces.check(&fail.nonce, &fail.server_nonce)?;
                exchange.verify(FAIL, &fail.new_nonce_hash3)?;
                Err(HandshakeError::Refused)
            }
            _ => Err(HandshakeError::Malformed),
        }
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Idle => "idle",
            State::Challenge { .. } => "awaits resPQ",
            State::Params(_) => "awaits server_DH_params_ok",
            State::Verdict(_) => "awaits dh_gen_ok",
        };
        f.debug_struct("Handshake")
            .field("dc_id", &self.dc_id)
            .field("mode", &self.mode)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

impl Nonces {
    /// Checks that an answer belongs to this exchange.
    fn check(&self, nonce: &[u8; 16], server_nonce: &[u8; 16]) -> Result<(), HandshakeError> {
        if *nonce != self.nonce {
            return Err(HandshakeError::Nonce);
        }
        if *server_nonce != self.server_nonce {
            return Err(HandshakeError::ServerNonce);
        }
        Ok(())
    }
}

impl Exchange {
    /// Checks the server's proof that it has the same key.
    fn verify(&self, verdict: u8, hash: &[u8; 16]) -> Result<(), HandshakeError> {
        let expected = self.auth_key.new_nonce_hash(&self.nonces.new_nonce, verdict);
        if bool::from(expected.ct_eq(hash)) { Ok(()) } else { Err(HandshakeError::NewNonceHash) }
    }
}

/// Makes a key out of a fresh secret, and the message that tells its public half.
fn propose(
    nonces: &Nonces,
    aes: &TmpAes,
    group: &Group,
    g_a: &[u8],
    retry_id: i64,
    rng: &mut impl CryptoRng,
) -> Result<(AuthKey, Bytes), HandshakeError> {
    let (secret, public) = super::draw_secret(group, rng)?;
    let shared = group.shared(g_a, &secret).map_err(|_| HandshakeError::PublicValue)?;
    let inner = service::ClientDhInnerData {
        nonce: nonces.nonce,
        server_nonce: nonces.server_nonce,
        retry_id,
        g_b: Bytes::copy_from_slice(&public),
    };
    let message = service::SetClientDhParams {
        nonce: nonces.nonce,
        server_nonce: nonces.server_nonce,
        encrypted_data: super::seal(&inner, aes, rng),
    };
    Ok((AuthKey::from_bytes(*shared), message.to_bytes()))
}

/// Reads the object at the front of a body. Servers may add bytes behind it.
fn read<T: Decode>(body: &Bytes) -> Result<T, HandshakeError> {
    T::decode(&mut Reader::new(body)).map_err(|_| HandshakeError::Malformed)
}
