//! What the stories and checks share: both state machines joined by a pipe, and each alone
//! against a peer that says whatever a test wants, on a virtual clock.

pub mod raw;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use chappe_crypto::{AuthKey, Side, message_key, rsa, sha256};
use chappe_mtproto::connection::{
    Config, Connection, Event, Input, Output, RequestId, RequestOptions, Resume, RpcFailure, Salt,
};
use chappe_mtproto::error::ProtocolError;
use chappe_mtproto::server::{
    LinkId, Server, ServerConfig, ServerEvent, ServerInput, ServerOutput, SessionRef,
};
use chappe_mtproto::time::Now;
use chappe_mtproto::transport::Framing;
use chappe_tl::service::types;
use chappe_tl::{Encode, Reader};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// The moment at which the tests begin, in the middle of a period of salts.
pub const START: Duration = Duration::from_secs(1_700_000_100);

pub static RSA: LazyLock<rsa::PrivateKey> =
    LazyLock::new(|| rsa::PrivateKey::generate(&mut ChaCha20Rng::from_seed([42; 32])));

/// The auth key of those who do not exchange one: 0, 1, 2, ...
pub fn auth_key() -> AuthKey {
    let mut bytes = [0; 256];
    for (byte, value) in bytes.iter_mut().zip(0..=255) {
        *byte = value;
    }
    AuthKey::from_bytes(bytes)
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn resume(salt: i64) -> Resume {
    let salts = vec![Salt { valid_since: 0, valid_until: i64::from(i32::MAX), salt }];
    Resume { key: auth_key(), salts, time_offset: 0 }
}

pub fn client_config(framing: Framing, obfuscated: bool) -> Config {
    Config { framing, obfuscated, server_keys: vec![RSA.public().clone()], ..Config::default() }
}

pub fn server_config() -> ServerConfig {
    ServerConfig { keys: vec![RSA.clone()], ..ServerConfig::default() }
}

/// A request that no service message looks like: a constructor and a number.
pub fn body(number: u32) -> Bytes {
    let mut body = BytesMut::new();
    body.put_u32_le(0x7f7f_0001);
    body.put_u32_le(number);
    body.freeze()
}

/// What the server of a [`Pair`] answers.
pub fn echo(request: &Bytes) -> Bytes {
    let mut body = BytesMut::new();
    body.put_u32_le(0x7f7f_0002);
    body.extend_from_slice(request);
    body.freeze()
}

/// The permanent key that `auth.bindTempAuthKey` binds a temporary one to, with the checks of
/// core.telegram.org/api/pfs.
pub fn bound_to(
    keys: &BTreeMap<i64, AuthKey>,
    session: SessionRef,
    msg_id: i64,
    request: &Bytes,
) -> Result<i64, RpcFailure> {
    let refuse = |code, name: &str| Err(RpcFailure { code, message: name.to_owned() });
    let mut fields = Reader::new(request);
    if fields.u32() != Ok(0xcdd4_2a05) {
        return refuse(401, "AUTH_KEY_PERM_EMPTY");
    }
    let (permanent, nonce) = (fields.i64().unwrap(), fields.i64().unwrap());
    let expires_at = fields.i32().unwrap();
    let mut sealed = fields.blob().unwrap().to_vec();
    let Some(key) = keys.get(&permanent).filter(|key| key.id() == permanent) else {
        return refuse(400, "ENCRYPTED_MESSAGE_INVALID");
    };
    let opened = message_key::open_v1(key, Side::Client, &mut sealed).expect("a sound message");
    assert_ne!(opened[..16], [0; 16], "random");
    assert_eq!(opened[16..24], msg_id.to_le_bytes(), "the id of the request");
    let inner = types::BindAuthKeyInner {
        nonce,
        temp_auth_key_id: session.auth_key_id,
        perm_auth_key_id: permanent,
        temp_session_id: session.session_id,
        expires_at,
    };
    assert_eq!(opened[32..], inner.to_bytes());
    Ok(permanent)
}

/// Both ends and the pipe between them.
pub struct Pair {
    pub client: Connection,
    pub server: Server,
    pub uptime: Duration,
    /// What the client's clock is ahead of the server's, in seconds.
    pub skew: i64,
    /// The most bytes that arrive at once.
    pub chunk: usize,
    pub link: Option<LinkId>,
    pub links: u64,
    /// A link whose bytes do not move by themselves.
    pub held: Option<LinkId>,
    pub up: BytesMut,
    pub down: BytesMut,
    /// Whether the server answers by itself.
    pub answers: bool,
    pub events: Vec<Event>,
    pub server_events: Vec<ServerEvent>,
    /// What was asked for, in order.
    pub requests: Vec<(SessionRef, i64, Bytes)>,
    pub keys: BTreeMap<i64, AuthKey>,
    /// Temporary keys, and the permanent ones that they stand for once they are bound.
    pub temporary: BTreeMap<i64, Option<i64>>,
    /// The nonces of all bindings.
    pub nonces: BTreeSet<i64>,
    /// How long the machine slept: its wall clock went on, the other did not.
    pub slept: Duration,
    pub transcript: Vec<u8>,
    pub server_closed: bool,
    pub error: Option<ProtocolError>,
    pub client_wake: Option<Duration>,
    pub server_wake: Option<Duration>,
}

impl Pair {
    pub fn new(config: Config, resume: Option<Resume>, server: ServerConfig) -> Self {
        let now = Now::new(Duration::ZERO, START);
        Self {
            client: Connection::new(config, resume, [1; 32], now),
            server: Server::new(server, [2; 32]),
            uptime: Duration::ZERO,
            skew: 0,
            chunk: usize::MAX,
            link: None,
            links: 0,
            held: None,
            up: BytesMut::new(),
            down: BytesMut::new(),
            answers: true,
            events: Vec::new(),
            server_events: Vec::new(),
            requests: Vec::new(),
            keys: BTreeMap::from([(auth_key().id(), auth_key())]),
            temporary: BTreeMap::new(),
            nonces: BTreeSet::new(),
            slept: Duration::ZERO,
            transcript: Vec::new(),
            server_closed: false,
            error: None,
            client_wake: None,
            server_wake: None,
        }
    }

    /// A client that has the key already and any old salt.
    pub fn resumed() -> Self {
        Self::new(client_config(Framing::Intermediate, false), Some(resume(0)), server_config())
    }

    /// A client whose clock was wrong by so many seconds when it began.
    pub fn skewed(resume: Option<Resume>, skew: i64) -> Self {
        let config = client_config(Framing::Full, false);
        let mut pair = Self::new(config.clone(), None, server_config());
        pair.skew = skew;
        pair.client = Connection::new(config, resume, [1; 32], pair.client_now());
        pair
    }

    pub fn server_now(&self) -> Now {
        Now::new(self.uptime, START + self.slept + self.uptime)
    }

    pub fn client_now(&self) -> Now {
        let ahead = secs(self.skew.unsigned_abs());
        let unix = START + self.slept + self.uptime;
        Now::new(self.uptime, if self.skew < 0 { unix - ahead } else { unix + ahead })
    }

    pub fn connect(&mut self) {
        self.links += 1;
        let link = LinkId(self.links);
        self.link = Some(link);
        self.server_closed = false;
        self.up.clear();
        self.down.clear();
        self.server.handle(self.server_now(), ServerInput::Accepted(link));
        self.input(Input::Connected);
        self.settle();
    }

    /// Cuts the pipe: what is on its way is lost.
    pub fn cut(&mut self) {
        if let Some(link) = self.link.take().or_else(|| self.held.take()) {
            self.server.handle(self.server_now(), ServerInput::Closed(link));
            self.input(Input::Disconnected);
        }
        self.up.clear();
        self.down.clear();
        self.settle();
    }

    fn input(&mut self, input: Input<'_>) {
        if let Err(error) = self.client.handle(self.client_now(), input) {
            self.error = Some(error);
        }
    }

    pub fn request(&mut self, body: Bytes) -> RequestId {
        self.client.request(self.client_now(), body, RequestOptions::default())
    }

    /// Asks, waits, and gives the answer.
    pub fn call(&mut self, number: u32) -> Result<Bytes, RpcFailure> {
        let id = self.request(body(number));
        self.settle();
        self.response(id).unwrap_or_else(|| panic!("no answer, but {:?}", self.events))
    }

    pub fn response(&mut self, wanted: RequestId) -> Option<Result<Bytes, RpcFailure>> {
        let place = self
            .events
            .iter()
            .position(|event| matches!(event, Event::Response { id, .. } if *id == wanted))?;
        match self.events.remove(place) {
            Event::Response { result, .. } => Some(result),
            _ => None,
        }
    }

    /// Moves bytes until both ends are still.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            let moved = self.drain_client() | self.drain_server();
            if !moved & !self.deliver() {
                return;
            }
        }
        panic!("both ends never rest");
    }

    /// Lets time pass, and wakes whoever wanted to be woken in between.
    pub fn advance(&mut self, time: Duration) {
        let end = self.uptime + time;
        loop {
            self.settle();
            let wake = [self.client_wake, self.server_wake].into_iter().flatten().min();
            let Some(wake) = wake.filter(|wake| *wake <= end) else {
                break;
            };
            self.uptime = self.uptime.max(wake);
            self.timeout();
        }
        self.uptime = end;
        self.timeout();
        self.settle();
    }

    /// Lets time pass over a line that carries so many bytes a second in each direction.
    pub fn crawl(&mut self, time: Duration, speed: usize) {
        let end = self.uptime + time;
        let part = speed / 4;
        // What stands at the front arrived before: the beginning of a frame.
        let mut seen = [self.up.len(), self.down.len()];
        while self.uptime < end {
            self.drain_client();
            self.drain_server();
            let late_up = self.up.split_off(self.up.len().min(seen[0] + part));
            let late_down = self.down.split_off(self.down.len().min(seen[1] + part));
            self.deliver();
            seen = [self.up.len(), self.down.len()];
            self.up.extend_from_slice(&late_up);
            self.down.extend_from_slice(&late_down);
            self.uptime += Duration::from_millis(250);
            self.timeout();
        }
    }

    fn timeout(&mut self) {
        self.server.handle(self.server_now(), ServerInput::Timeout);
        self.input(Input::Timeout);
    }

    fn deliver(&mut self) -> bool {
        let mut moved = false;
        if let Some(link) = self.link
            && !self.up.is_empty()
        {
            let bytes = self.up.split();
            self.transcript.extend_from_slice(&bytes);
            let mut input = BytesMut::new();
            for chunk in bytes.chunks(self.chunk) {
                input.extend_from_slice(chunk);
                self.server.handle(self.server_now(), ServerInput::Received(link, &mut input));
            }
            self.up = input;
            moved = self.up.len() < bytes.len();
        }
        if self.link.is_some() && !self.down.is_empty() {
            let bytes = self.down.split();
            self.transcript.extend_from_slice(&bytes);
            let mut input = BytesMut::new();
            for chunk in bytes.chunks(self.chunk) {
                input.extend_from_slice(chunk);
                self.input(Input::Received(&mut input));
            }
            moved |= input.len() < bytes.len();
            self.down = input;
        }
        moved
    }

    fn drain_client(&mut self) -> bool {
        let mut moved = false;
        loop {
            match self.client.poll() {
                Output::Transmit(bytes) => {
                    if self.link.is_some() {
                        self.up.extend_from_slice(&bytes);
                    }
                }
                Output::Event(event) => self.events.push(event),
                Output::Timeout(wake) => {
                    self.client_wake = wake;
                    return moved;
                }
            }
            moved = true;
        }
    }

    fn drain_server(&mut self) -> bool {
        let mut moved = false;
        loop {
            match self.server.poll() {
                ServerOutput::Transmit(link, bytes) => {
                    if self.link == Some(link) {
                        self.down.extend_from_slice(&bytes);
                    }
                }
                ServerOutput::Close(link) => {
                    if self.link == Some(link) {
                        self.server_closed = true;
                    }
                }
                ServerOutput::Event(event) => self.server_event(event),
                ServerOutput::Timeout(wake) => {
                    self.server_wake = wake;
                    return moved;
                }
            }
            moved = true;
        }
    }

    fn server_event(&mut self, event: ServerEvent) {
        let now = self.server_now();
        match &event {
            ServerEvent::KeyCreated { key, expires, .. } => {
                self.keys.insert(key.id(), key.clone());
                if expires.is_some() {
                    self.temporary.insert(key.id(), None);
                }
            }
            ServerEvent::KeyWanted { auth_key_id, .. } => {
                let key = self.keys.get(auth_key_id).cloned();
                self.server.provide_key(now, *auth_key_id, key);
            }
            ServerEvent::KeyDestroyed { auth_key_id } => {
                self.keys.remove(auth_key_id);
            }
            ServerEvent::Request { session, msg_id, body, .. }
                if self.temporary.get(&session.auth_key_id) == Some(&None) =>
            {
                let result = self.bind(*session, *msg_id, body);
                self.server.respond(now, *session, *msg_id, result);
            }
            ServerEvent::Request { session, msg_id, body, .. } => {
                self.requests.push((*session, *msg_id, body.clone()));
                if self.answers {
                    self.server.respond(now, *session, *msg_id, Ok(echo(body)));
                }
            }
            _ => {}
        }
        self.server_events.push(event);
    }

    /// `auth.bindTempAuthKey`; whatever else comes under a key that is not bound is refused.
    fn bind(
        &mut self,
        session: SessionRef,
        msg_id: i64,
        request: &Bytes,
    ) -> Result<Bytes, RpcFailure> {
        let permanent = bound_to(&self.keys, session, msg_id, request)?;
        if self.temporary.contains_key(&permanent) {
            let message = "ENCRYPTED_MESSAGE_INVALID".to_owned();
            return Err(RpcFailure { code: 400, message });
        }
        let nonce = i64::from_le_bytes(request[12..20].try_into().unwrap());
        assert!(self.nonces.insert(nonce), "every binding has a nonce of its own");
        self.temporary.insert(session.auth_key_id, Some(permanent));
        Ok(Bytes::copy_from_slice(&0x9972_75b5_u32.to_le_bytes()))
    }

    /// Answers the request of this place.
    pub fn answer(&mut self, place: usize, result: Result<Bytes, RpcFailure>) {
        let (session, msg_id, _) = self.requests[place];
        self.server.respond(self.server_now(), session, msg_id, result);
    }

    pub fn session(&self) -> SessionRef {
        self.server_events
            .iter()
            .rev()
            .find_map(|event| match event {
                ServerEvent::SessionCreated { session, .. } => Some(*session),
                _ => None,
            })
            .expect("a session")
    }

    pub fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }

    pub fn digest(&self) -> String {
        sha256(&[&self.transcript]).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Pair {
    /// Loses what the client sends next.
    pub fn drop_up(&mut self) {
        self.drain_client();
        self.up.clear();
    }

    /// Lets the client's bytes arrive and loses what the server answers.
    pub fn drop_down(&mut self) {
        self.drain_client();
        self.deliver();
        self.drain_server();
        self.down.clear();
    }

    /// Connects without moving a byte.
    pub fn connect_to_nobody(&mut self) {
        self.links += 1;
        let link = LinkId(self.links);
        self.server.handle(self.server_now(), ServerInput::Accepted(link));
        self.input(Input::Connected);
        self.link = Some(link);
        self.drain_client();
        self.server_closed = false;
        // Nobody reads: what was sent stays in the pipe.
        self.link = None;
        self.held = Some(link);
    }

    /// Moves bytes once in each direction.
    pub fn exchange_once(&mut self) {
        self.link = self.held;
        self.deliver();
        self.drain_server();
        self.deliver();
        self.drain_client();
        self.link = None;
    }
}
