//! The server's half of the key exchange: all exchanges of a server at once, over any connections.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use chappe_crypto::dh::{self, Group, KNOWN_PRIME, TmpAes};
use chappe_crypto::{AuthKey, Error as CryptoError, factor, rsa, sha1};
use chappe_tl::service::enums::PQInnerData;
use chappe_tl::{Decode, Encode, Reader, service};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{FAIL, MAX_RETRIES, OK, RETRY};
use crate::time::Now;

/// How long an exchange is remembered after the client's last message.
pub const MEMORY: Duration = Duration::from_secs(15 * 60);

/// How long an exchange under way is safe from being displaced.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server's half of all key exchanges of one server.
///
/// An exchange may span connections: it hangs on its two nonces alone. A repeated message gets the answer
/// that it got before; a message that is not due ends its exchange.
pub struct Handshake {
    config: Config,
    group: Group,
    exchanges: BTreeMap<[u8; 16], Exchange>,
}

/// What a server makes its keys of.
#[derive(Clone, Debug)]
pub struct Config {
    /// The RSA keys of the server, offered in this order.
    pub keys: Vec<rsa::PrivateKey>,
    /// The data center that clients have to mean; `None`, the default, accepts any.
    ///
    /// Test and media variants of the number are accepted too. Observed: some clients name any number.
    pub dc_id: Option<i32>,
    /// The generator that is offered with Telegram's prime: 3, the default, 4 or 7.
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
    /// `set_client_DH_params` is answered by `dh_gen_fail`.
    GenFail,
    /// The first so many `set_client_DH_params` of an exchange are answered by `dh_gen_retry`.
    GenRetry(u8),
    /// `req_DH_params` is answered by `server_DH_params_fail`.
    ParamsFail,
}

/// What to do after a message of a client.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and a key stays where it is")]
pub enum Step {
    /// Send this body in an unencrypted message.
    Reply(Bytes),
    /// A key was created. Keep it first, then send `reply`.
    Done {
        /// The body of the message that tells the client.
        reply: Bytes,
        /// The new key.
        auth_key: AuthKey,
        /// Its first server salt.
        server_salt: i64,
        /// Lifetime of a temporary key in seconds; `None` for a permanent key.
        expires_in: Option<i32>,
    },
    /// Send this transport error (-404, -429 or -444) and close the connection.
    Reject(i32),
}

struct Exchange {
    server_nonce: [u8; 16],
    p: u64,
    q: u64,
    /// Uptime at the client's first message.
    begun: Duration,
    /// Uptime at the client's last message.
    touched: Duration,
    stage: Stage,
    /// The answers so far, by the hash of what they answer.
    answers: Vec<([u8; 20], Bytes)>,
}

enum Stage {
    /// `req_DH_params` is due.
    Proof,
    /// `set_client_DH_params` is due.
    Key(Box<Halfway>),
    /// The key exists.
    Finished,
    /// Whatever comes is refused.
    Refused,
}

struct Halfway {
    new_nonce: Zeroizing<[u8; 32]>,
    aes: TmpAes,
    secret: Zeroizing<[u8; 256]>,
    expires_in: Option<i32>,
    retry_id: i64,
    retries: u8,
}

/// What the client says under RSA.
struct Inner {
    pq: Bytes,
    p: Bytes,
    q: Bytes,
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: Zeroizing<[u8; 32]>,
    dc: Option<i32>,
    expires_in: Option<i32>,
}

/// A transport error in the place of an answer.
struct Refusal(i32);

impl Handshake {
    /// Prepares to answer key exchanges.
    ///
    /// # Errors
    /// The generator does not fit Telegram's prime.
    pub fn new(config: Config) -> Result<Self, CryptoError> {
        let group = Group::check(&KNOWN_PRIME, config.generator)?;
        Ok(Self { config, group, exchanges: BTreeMap::new() })
    }

    /// Lets exchanges fail from now on as [`Config::fault`] does.
    pub fn feign(&mut self, fault: Fault) {
        self.config.fault = fault;
    }

    /// Takes the body of an unencrypted message of a client.
    ///
    /// `taken` tells whether an `auth_key_id` is in use already; then the client is asked for another key.
    pub fn handle(
        &mut self,
        body: &[u8],
        now: Now,
        taken: impl FnOnce(i64) -> bool,
        rng: &mut impl CryptoRng,
    ) -> Step {
        let body = Bytes::copy_from_slice(body);
        let step = match body.first_chunk().map(|id| u32::from_le_bytes(*id)) {
            Some(service::ReqPq::ID) => read(&body).and_then(|(request, _)| {
                let service::ReqPq { nonce } = request;
                self.challenge(nonce, now, rng)
            }),
            Some(service::ReqPqMulti::ID) => read(&body).and_then(|(request, _)| {
                let service::ReqPqMulti { nonce } = request;
                self.challenge(nonce, now, rng)
            }),
            Some(service::ReqDhParams::ID) => {
                read(&body).and_then(|(request, hash)| self.params(&request, hash, now, rng))
            }
            Some(service::SetClientDhParams::ID) => {
                read(&body).and_then(|(request, hash)| self.conclude(&request, hash, now, taken))
            }
            _ => Err(Refusal(NOT_FOUND)),
        };
        step.unwrap_or_else(|Refusal(code)| Step::Reject(code))
    }

    /// Answers `req_pq_multi` and `req_pq`.
    fn challenge(
        &mut self,
        nonce: [u8; 16],
        now: Now,
        rng: &mut impl CryptoRng,
    ) -> Result<Step, Refusal> {
        self.exchanges.retain(|_, exchange| now.uptime.saturating_sub(exchange.touched) < MEMORY);
        let server_nonce = match self.exchanges.get(&nonce) {
            Some(exchange) if matches!(exchange.stage, Stage::Refused) => {
                return Err(Refusal(NOT_FOUND));
            }
            Some(exchange) => exchange.server_nonce,
            None => self.begin(nonce, now, rng)?,
        };
        let exchange = self.exchanges.get_mut(&nonce).ok_or(Refusal(NOT_FOUND))?;
        exchange.touched = now.uptime;
        let keys = self.config.keys.iter();
        let challenge = service::ResPq {
            nonce,
            server_nonce,
            pq: super::number_bytes(exchange.p * exchange.q),
            server_public_key_fingerprints: keys.map(|key| key.public().fingerprint()).collect(),
        };
        Ok(Step::Reply(challenge.to_bytes()))
    }

    /// Remembers a new exchange and returns its `server_nonce`.
    fn begin(
        &mut self,
        nonce: [u8; 16],
        now: Now,
        rng: &mut impl CryptoRng,
    ) -> Result<[u8; 16], Refusal> {
        if self.exchanges.len() >= self.config.capacity {
            // Whoever floods displaces what cost as little: an exchange under way has a minute.
            let busy = |one: &Exchange| matches!(one.stage, Stage::Key(_));
            let ranked = self.exchanges.iter().map(|(nonce, one)| (busy(one), one.begun, *nonce));
            let (busy, begun, oldest) = ranked.min().ok_or(Refusal(FLOOD))?;
            if busy && now.uptime.saturating_sub(begun) < PATIENCE {
                return Err(Refusal(FLOOD));
            }
            self.exchanges.remove(&oldest);
        }
        let mut server_nonce = [0; 16];
        loop {
            rng.fill_bytes(&mut server_nonce);
            if self.exchanges.values().all(|exchange| exchange.server_nonce != server_nonce) {
                break;
            }
        }
        let (p, q) = draw_primes(rng);
        let exchange = Exchange {
            server_nonce,
            p,
            q,
            begun: now.uptime,
            touched: now.uptime,
            stage: Stage::Proof,
            answers: Vec::new(),
        };
        self.exchanges.insert(nonce, exchange);
        Ok(server_nonce)
    }

    /// Answers `req_DH_params`.
    fn params(
        &mut self,
        request: &service::ReqDhParams,
        hash: [u8; 20],
        now: Now,
        rng: &mut impl CryptoRng,
    ) -> Result<Step, Refusal> {
        let exchange = find(&mut self.exchanges, request.nonce, request.server_nonce, now)?;
        if let Some(answer) = exchange.answered(&hash) {
            return Ok(Step::Reply(answer));
        }
        if !matches!(exchange.stage, Stage::Proof) {
            return Err(exchange.refuse());
        }
        let inner = match read_proof(request, exchange, &self.config) {
            Ok(inner) => inner,
            Err(Refusal(code)) => {
                exchange.refuse();
                return Err(Refusal(code));
            }
        };
        let nonce = request.nonce;
        let server_nonce = exchange.server_nonce;
        if self.config.fault == Fault::ParamsFail {
            exchange.refuse();
            let new_nonce_hash = super::params_fail_hash(&inner.new_nonce);
            let fail = service::ServerDhParamsFail { nonce, server_nonce, new_nonce_hash };
            return Ok(Step::Reply(fail.to_bytes()));
        }
        let (secret, public) =
            super::draw_secret(&self.group, rng).map_err(|_| exchange.refuse())?;
        let aes = dh::tmp_aes(&inner.new_nonce, &server_nonce);
        let answer = service::ServerDhInnerData {
            nonce,
            server_nonce,
            g: self.group.g(),
            dh_prime: Bytes::from_static(&KNOWN_PRIME),
            g_a: Bytes::copy_from_slice(&public),
            server_time: i32::try_from(now.unix.as_secs()).unwrap_or(i32::MAX),
        };
        let params = service::ServerDhParamsOk {
            nonce,
            server_nonce,
            encrypted_answer: super::seal(&answer, &aes, rng),
        };
        exchange.stage = Stage::Key(Box::new(Halfway {
            new_nonce: inner.new_nonce,
            aes,
            secret,
            expires_in: inner.expires_in,
            retry_id: 0,
            retries: 0,
        }));
        Ok(Step::Reply(exchange.remember(hash, &params)))
    }

    /// Answers `set_client_DH_params`.
    fn conclude(
        &mut self,
        request: &service::SetClientDhParams,
        hash: [u8; 20],
        now: Now,
        taken: impl FnOnce(i64) -> bool,
    ) -> Result<Step, Refusal> {
        let exchange = find(&mut self.exchanges, request.nonce, request.server_nonce, now)?;
        if let Some(answer) = exchange.answered(&hash) {
            return Ok(Step::Reply(answer));
        }
        let Stage::Key(mut half) = std::mem::replace(&mut exchange.stage, Stage::Refused) else {
            return Err(exchange.refuse());
        };
        let Some(auth_key) = read_key(request, &half, &self.group) else {
            return Err(exchange.refuse());
        };
        let nonce = request.nonce;
        let server_nonce = request.server_nonce;
        let proof = |verdict| auth_key.new_nonce_hash(&half.new_nonce, verdict);
        let feigned = match self.config.fault {
            Fault::GenRetry(times) => half.retries < times,
            _ => false,
        };
        // The id 0 marks unencrypted messages.
        let again = feigned || auth_key.id() == 0 || taken(auth_key.id());
        if self.config.fault == Fault::GenFail || (again && half.retries == MAX_RETRIES) {
            exchange.refuse();
            let new_nonce_hash3 = proof(FAIL);
            let fail = service::DhGenFail { nonce, server_nonce, new_nonce_hash3 };
            return Ok(Step::Reply(fail.to_bytes()));
        }
        if again {
            let new_nonce_hash2 = proof(RETRY);
            half.retry_id = auth_key.aux_hash();
            half.retries += 1;
            exchange.stage = Stage::Key(half);
            let retry = service::DhGenRetry { nonce, server_nonce, new_nonce_hash2 };
            return Ok(Step::Reply(exchange.remember(hash, &retry)));
        }
        let ok = service::DhGenOk { nonce, server_nonce, new_nonce_hash1: proof(OK) };
        exchange.stage = Stage::Finished;
        Ok(Step::Done {
            reply: exchange.remember(hash, &ok),
            server_salt: super::initial_salt(&half.new_nonce, &server_nonce),
            expires_in: half.expires_in,
            auth_key,
        })
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("config", &self.config)
            .field("exchanges", &self.exchanges.len())
            .finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { keys: Vec::new(), dc_id: None, generator: 3, capacity: 4096, fault: Fault::None }
    }
}

impl Exchange {
    /// Returns the answer that the same message got before.
    fn answered(&self, hash: &[u8; 20]) -> Option<Bytes> {
        self.answers.iter().find(|(known, _)| known == hash).map(|(_, answer)| answer.clone())
    }

    fn remember(&mut self, hash: [u8; 20], answer: &impl Encode) -> Bytes {
        let answer = answer.to_bytes();
        self.answers.push((hash, answer.clone()));
        answer
    }

    /// Ends the exchange: from now on every message of it is refused.
    fn refuse(&mut self) -> Refusal {
        self.stage = Stage::Refused;
        self.answers.clear();
        Refusal(NOT_FOUND)
    }
}

/// Reads a message and the hash by which a repetition is recognized. Clients may add bytes behind it.
fn read<T: Decode>(body: &Bytes) -> Result<(T, [u8; 20]), Refusal> {
    let mut reader = Reader::new(body);
    let message = T::decode(&mut reader).map_err(|_| Refusal(NOT_FOUND))?;
    let (covered, _) = body.split_at(reader.offset());
    Ok((message, sha1(&[covered])))
}

/// Finds the exchange of two nonces.
fn find(
    exchanges: &mut BTreeMap<[u8; 16], Exchange>,
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    now: Now,
) -> Result<&mut Exchange, Refusal> {
    let exchange = exchanges.get_mut(&nonce).ok_or(Refusal(NOT_FOUND))?;
    if exchange.server_nonce != server_nonce {
        return Err(Refusal(NOT_FOUND));
    }
    if now.uptime.saturating_sub(exchange.touched) >= MEMORY {
        return Err(Refusal(NOT_FOUND));
    }
    exchange.touched = now.uptime;
    Ok(exchange)
}

/// Checks a solved proof of work and reads what is under its RSA.
fn read_proof(
    request: &service::ReqDhParams,
    exchange: &Exchange,
    config: &Config,
) -> Result<Inner, Refusal> {
    let refused = Refusal(NOT_FOUND);
    let factors = (Some(exchange.p), Some(exchange.q));
    if (super::number(&request.p), super::number(&request.q)) != factors {
        return Err(refused);
    }
    let fingerprint = request.public_key_fingerprint;
    let key = config.keys.iter().find(|key| key.public().fingerprint() == fingerprint);
    let Some(inner) = key.and_then(|key| decrypt(&request.encrypted_data, key)) else {
        return Err(refused);
    };
    if super::number(&inner.pq) != Some(exchange.p * exchange.q) {
        return Err(refused);
    }
    if (super::number(&inner.p), super::number(&inner.q)) != factors {
        return Err(refused);
    }
    if inner.nonce != request.nonce {
        return Err(refused);
    }
    if inner.server_nonce != exchange.server_nonce {
        return Err(refused);
    }
    if inner.expires_in.is_some_and(|seconds| seconds <= 0) {
        return Err(refused);
    }
    if let (Some(wanted), Some(dc)) = (config.dc_id, inner.dc)
        && dc.unsigned_abs() % TEST_DC != wanted.unsigned_abs() % TEST_DC
    {
        return Err(Refusal(WRONG_DC));
    }
    Ok(inner)
}

/// Decrypts inner data in either padding.
fn decrypt(cipher: &[u8], key: &rsa::PrivateKey) -> Option<Inner> {
    match rsa::decrypt(cipher, key).ok()? {
        rsa::Padded::RsaPad(data) => parse(data.as_slice()).map(|(inner, _)| inner),
        rsa::Padded::Old(data) => {
            let (inner, length) = parse(data.bytes())?;
            data.verify(length).ok().map(|_| inner)
        }
        _ => None,
    }
}

/// Parses inner data; its length is told by itself alone.
fn parse(data: &[u8]) -> Option<(Inner, usize)> {
    let data = Bytes::copy_from_slice(data);
    let mut reader = Reader::new(&data);
    let inner = match PQInnerData::decode(&mut reader).ok()? {
        PQInnerData::PQInnerData(inner) => Inner {
            pq: inner.pq,
            p: inner.p,
            q: inner.q,
            nonce: inner.nonce,
            server_nonce: inner.server_nonce,
            new_nonce: Zeroizing::new(inner.new_nonce),
            dc: None,
            expires_in: None,
        },
        PQInnerData::Dc(inner) => Inner {
            pq: inner.pq,
            p: inner.p,
            q: inner.q,
            nonce: inner.nonce,
            server_nonce: inner.server_nonce,
            new_nonce: Zeroizing::new(inner.new_nonce),
            dc: Some(inner.dc),
            expires_in: None,
        },
        PQInnerData::Temp(inner) => Inner {
            pq: inner.pq,
            p: inner.p,
            q: inner.q,
            nonce: inner.nonce,
            server_nonce: inner.server_nonce,
            new_nonce: Zeroizing::new(inner.new_nonce),
            dc: None,
            expires_in: Some(inner.expires_in),
        },
        PQInnerData::TempDc(inner) => Inner {
            pq: inner.pq,
            p: inner.p,
            q: inner.q,
            nonce: inner.nonce,
            server_nonce: inner.server_nonce,
            new_nonce: Zeroizing::new(inner.new_nonce),
            dc: Some(inner.dc),
            expires_in: Some(inner.expires_in),
        },
        _ => return None,
    };
    Some((inner, reader.offset()))
}

/// Reads the client's half of the key and makes the key.
fn read_key(
    request: &service::SetClientDhParams,
    half: &Halfway,
    group: &Group,
) -> Option<AuthKey> {
    let inner: service::ClientDhInnerData = super::open(&request.encrypted_data, &half.aes).ok()?;
    if inner.nonce != request.nonce {
        return None;
    }
    if inner.server_nonce != request.server_nonce {
        return None;
    }
    if inner.retry_id != half.retry_id {
        return None;
    }
    let shared = group.shared(&inner.g_b, &half.secret).ok()?;
    Some(AuthKey::from_bytes(*shared))
}

/// Draws two different primes, the smaller one first, whose product has 60 to 62 bits.
fn draw_primes(rng: &mut impl CryptoRng) -> (u64, u64) {
    let (one, mut other) = (draw_prime(rng), draw_prime(rng));
    while other == one {
        other = draw_prime(rng);
    }
    (one.min(other), one.max(other))
}

fn draw_prime(rng: &mut impl CryptoRng) -> u64 {
    loop {
        let candidate = u64::from(rng.next_u32() >> 1 | 1 << 30 | 1);
        // Twice a number has exactly two prime factors if the number is prime.
        if factor::factorize(2 * candidate).is_some() {
            return candidate;
        }
    }
}

/// No such exchange, key or step.
const NOT_FOUND: i32 = -404;

/// Too many exchanges at once.
const FLOOD: i32 = -429;

/// The client means another data center.
const WRONG_DC: i32 = -444;

/// What the numbers of test data centers are more than those of others.
const TEST_DC: u32 = 10_000;
