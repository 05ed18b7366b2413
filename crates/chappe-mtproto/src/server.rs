//! The server's end: one state machine for all sockets.
//!
//! Sessions outlive sockets and key exchanges may span them, so keys, sessions and sockets lie
//! side by side and name each other. Nothing that a client sends is an error here: at most it
//! costs the client its socket.

mod census;
mod face;
mod faults;
mod link;
mod receive;
mod salts;
mod service;
mod session;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chappe_crypto::{AuthKey, Side};
use chappe_tl::Encode;
use chappe_tl::service::{Message, RpcResult, types};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tracing::{debug, warn};

pub use self::census::Census;
pub use self::face::{LinkId, ServerConfig, ServerEvent, ServerInput, ServerOutput, SessionRef};
use self::faults::LatePackets;
pub use self::faults::{Fate, Faults, Passing, Quirk, SessionState, Way};
use self::link::{Headers, Link};
use self::receive::Refused;
use self::salts::SaltBook;
use self::session::{Outgoing, Session, Stage};
pub use crate::connection::RpcFailure;
use crate::handshake::server::{Config as HandshakeConfig, Handshake};
use crate::message::{self, Low, MAX_MESSAGES, MessageIds, OVERHEAD};
use crate::packet::{self, Draft, Header};
use crate::salts::seconds;
use crate::time::Now;
use crate::transport::FRAME;

/// The server's end of all sockets, keys and sessions of one server.
pub struct Server {
    config: ServerConfig,
    rng: ChaCha20Rng,
    now: Now,
    handshake: Handshake,
    salts: SaltBook,
    /// The ids of all messages, of whatever session: strictly increasing in each of them.
    ids: MessageIds,
    keys: BTreeMap<i64, Key>,
    sessions: BTreeMap<SessionRef, Session>,
    links: BTreeMap<LinkId, Link>,
    /// The keys that the driver was asked for, and who waits for each.
    wanted: BTreeSet<(i64, LinkId)>,
    headers: Headers,
    refused: Refused,
    /// Sessions that may have something to send.
    waiting: BTreeSet<SessionRef>,
    timers: BTreeSet<(Duration, Timer)>,
    swept: Option<Duration>,
    output: VecDeque<ServerOutput>,
    faults: Option<Box<dyn Faults>>,
    late: LatePackets,
    /// How wrong the clock is on purpose, in seconds.
    skew: i64,
}

/// An auth key in memory.
struct Key {
    key: AuthKey,
    /// The salt that the key exchange gave, and the second in which it is too old.
    first_salt: Option<(i64, i64)>,
    /// The second in which a temporary key is too old.
    expires: Option<i64>,
}

/// Whose time a timer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Link(LinkId),
    Session(SessionRef),
    Sweep,
    Late(u64),
}

impl Server {
    /// Makes a server without sockets. All randomness comes from `seed`, which must come from
    /// the operating system and never be used twice.
    pub fn new(config: ServerConfig, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let handshake = handshake(&config);
        Self {
            salts: SaltBook::new(secret, config.salt_period),
            config,
            rng,
            now: Now::new(Duration::ZERO, Duration::ZERO),
            handshake,
            ids: MessageIds::default(),
            keys: BTreeMap::new(),
            sessions: BTreeMap::new(),
            links: BTreeMap::new(),
            wanted: BTreeSet::new(),
            headers: Headers::default(),
            refused: Refused::default(),
            waiting: BTreeSet::new(),
            timers: BTreeSet::new(),
            swept: None,
            output: VecDeque::new(),
            faults: None,
            late: LatePackets::default(),
            skew: 0,
        }
    }

    /// Takes one input. Call [`poll`](Self::poll) until [`ServerOutput::Timeout`] after it.
    ///
    /// Nothing that a client sends is an error of the server: at most its socket is closed.
    pub fn handle(&mut self, now: Now, input: ServerInput<'_>) {
        self.tick(now);
        match input {
            ServerInput::Accepted(link) => self.accepted(link),
            ServerInput::Received(link, input) => self.received(link, input),
            ServerInput::Closed(link) => self.detach(link),
            ServerInput::Timeout => self.timeout(),
        }
    }

    /// Gives the next output.
    pub fn poll(&mut self) -> ServerOutput {
        if self.output.is_empty() {
            while let Some(session) = self.waiting.pop_first() {
                self.flush(session);
            }
        }
        self.output
            .pop_front()
            .unwrap_or_else(|| ServerOutput::Timeout(self.timers.first().map(|(at, _)| *at)))
    }

    /// Answers [`ServerEvent::KeyWanted`]; with `None` the client hears -404.
    pub fn provide_key(&mut self, now: Now, auth_key_id: i64, key: Option<AuthKey>) {
        self.tick(now);
        let known = key.filter(|key| key.id() == auth_key_id);
        let missing = known.is_none() && !self.keys.contains_key(&auth_key_id);
        if let Some(key) = known {
            let key = Key { key, first_salt: None, expires: None };
            self.keys.entry(auth_key_id).or_insert(key);
        }
        let range = (auth_key_id, LinkId(0))..=(auth_key_id, LinkId(u64::MAX));
        let waiting: Vec<LinkId> = self.wanted.range(range).map(|(_, link)| *link).collect();
        for link_id in waiting {
            self.wanted.remove(&(auth_key_id, link_id));
            if missing {
                self.refuse(link_id, UNKNOWN_KEY);
                continue;
            }
            let Some(link) = self.links.get_mut(&link_id) else {
                continue;
            };
            link.waits_for = None;
            let mut parked = std::mem::take(&mut link.parked);
            // One of them may cost the socket.
            while self.links.contains_key(&link_id)
                && let Some((packet, quick_ack)) = parked.pop_front()
            {
                self.packet(link_id, packet, quick_ack);
            }
        }
    }

    /// Answers a request. An answer to a request that is unknown or answered is dropped.
    pub fn respond(
        &mut self,
        now: Now,
        session: SessionRef,
        msg_id: i64,
        result: Result<Bytes, RpcFailure>,
    ) {
        self.tick(now);
        let result = match result {
            Ok(body) if self.quirk(Quirk::Gzip, Some(session)) => {
                message::deflate_anyhow(&body).unwrap_or(body)
            }
            Ok(body) if self.config.gzip && body.len() >= GZIP_FROM => {
                message::deflate(&body).unwrap_or(body)
            }
            Ok(body) => body,
            Err(failure) => types::RpcError {
                error_code: failure.code,
                error_message: failure.message.as_str().into(),
            }
            .to_bytes(),
        };
        self.answer(session, msg_id, result);
    }

    /// Sends an object that answers no request. It is kept until it is acknowledged or too old,
    /// and sent again on a new socket. Returns its message id, `None` if there is no such session.
    pub fn push(&mut self, now: Now, session: SessionRef, body: Bytes) -> Option<i64> {
        self.tick(now);
        self.sessions.get(&session)?;
        Some(self.send_kept(session, Low::Push, body, true))
    }

    /// Forgets a key with all its sessions, and closes their sockets after a -404.
    pub fn forget_key(&mut self, now: Now, auth_key_id: i64) {
        self.tick(now);
        self.keys.remove(&auth_key_id);
        let sessions: Vec<SessionRef> = self.sessions_of(auth_key_id).collect();
        let links: BTreeSet<LinkId> =
            sessions.iter().filter_map(|session| self.sessions.get(session)?.link).collect();
        for session in sessions {
            self.destroy(session);
        }
        for link in links {
            self.refuse(link, UNKNOWN_KEY);
        }
    }

    /// Closes a socket.
    pub fn close(&mut self, now: Now, link: LinkId) {
        self.tick(now);
        self.hang_up(link);
    }

    fn tick(&mut self, now: Now) {
        self.now = match self.skew {
            0 => now,
            skew => now.skewed(skew),
        };
        if self.swept.is_none() {
            self.swept = Some(now.uptime);
            self.timers.insert((now.uptime + SWEEP, Timer::Sweep));
        }
    }

    fn timeout(&mut self) {
        while let Some((at, timer)) = self.timers.first().copied()
            && at <= self.now.uptime
        {
            self.timers.pop_first();
            match timer {
                Timer::Link(link) => self.look_after(link),
                Timer::Session(session) => {
                    if self.sessions.contains_key(&session) {
                        self.waiting.insert(session);
                    }
                }
                Timer::Sweep => self.sweep(),
                Timer::Late(number) => self.overdue(number),
            }
        }
    }

    /// Forgets what is too old.
    fn sweep(&mut self) {
        let uptime = self.now.uptime;
        self.timers.insert((uptime + SWEEP, Timer::Sweep));
        let before = uptime.checked_sub(self.config.session_retention);
        let old: Vec<SessionRef> = self
            .sessions
            .iter()
            .filter(|(_, session)| {
                session.link.is_none() && before.is_some_and(|before| session.used < before)
            })
            .map(|(id, _)| *id)
            .collect();
        for session in old {
            self.destroy(session);
        }
        if let Some(before) = uptime.checked_sub(self.config.answer_retention) {
            for session in self.sessions.values_mut() {
                session.sweep(before);
            }
        }
        let time = seconds(self.now.unix);
        // A key without a session can be asked for again, unless its first salt is still needed.
        let idle: Vec<i64> = self
            .keys
            .iter()
            .filter(|(id, key)| {
                key.expires.is_some_and(|expires| expires <= time)
                    || (key.first_salt.is_none_or(|(_, until)| until <= time)
                        && key.expires.is_none()
                        && self.sessions_of(**id).next().is_none())
            })
            .map(|(id, _)| *id)
            .collect();
        for id in idle {
            self.keys.remove(&id);
            let sessions: Vec<SessionRef> = self.sessions_of(id).collect();
            for session in sessions {
                self.destroy(session);
            }
        }
    }

    /// Queues the answer to a request.
    fn answer(&mut self, session_ref: SessionRef, req_msg_id: i64, result: Bytes) {
        let Some(session) = self.sessions.get_mut(&session_ref) else {
            return;
        };
        let Some(stage) = session.stage_mut(req_msg_id).filter(|stage| **stage == Stage::Running)
        else {
            debug!(req_msg_id, "an answer that nobody waits for");
            return;
        };
        let msg_id = self.ids.next(self.now.unix, Low::Answer);
        *stage = Stage::Answered(msg_id);
        session.acknowledged(req_msg_id);
        let body = RpcResult { req_msg_id, result }.to_bytes();
        let size = body.len();
        session.send_kept(msg_id, body, false, self.now.uptime);
        self.waiting.insert(session_ref);
        if self.quirk(Quirk::Announce(size), Some(session_ref)) {
            self.announce(session_ref, req_msg_id, msg_id);
        }
    }

    fn send(&mut self, session_ref: SessionRef, body: &impl Encode) {
        let msg_id = self.ids.next(self.now.unix, Low::Answer);
        if let Some(session) = self.sessions.get_mut(&session_ref) {
            session.send(msg_id, body.to_bytes());
            self.waiting.insert(session_ref);
        }
    }

    /// Queues a message that is kept; `pushed` if the driver is told of its acknowledgement.
    fn send_kept(&mut self, session_ref: SessionRef, low: Low, body: Bytes, pushed: bool) -> i64 {
        let msg_id = self.ids.next(self.now.unix, low);
        if let Some(session) = self.sessions.get_mut(&session_ref) {
            session.send_kept(msg_id, body, pushed, self.now.uptime);
            self.waiting.insert(session_ref);
        }
        msg_id
    }

    /// Sends what a session has to say, in as few packets as possible.
    fn flush(&mut self, session_ref: SessionRef) {
        let Some(session) = self.sessions.get_mut(&session_ref) else {
            return;
        };
        let (mut outgoing, mut msg_ids) = session.take(self.now.uptime);
        if !msg_ids.is_empty()
            && let Some(faults) = &mut self.faults
            && faults.quirk(self.now, Quirk::HoldAcks, Some(session_ref))
        {
            session.hold(std::mem::take(&mut msg_ids), self.now.uptime);
        }
        // Without a socket they wait for the next one.
        if session.link.is_some()
            && let Some(due) = session.acks_due()
        {
            self.timers.insert((due, Timer::Session(session_ref)));
        }
        if !msg_ids.is_empty() {
            let msg_id = self.ids.next(self.now.unix, Low::Answer);
            let body = types::MsgsAck { msg_ids }.to_bytes();
            let message = Message { msg_id, seqno: session.number(), body };
            outgoing.push(Outgoing { message, again: false });
        }
        let Some(link_id) = session.link.filter(|_| !outgoing.is_empty()) else {
            return;
        };
        let mut drafts = Vec::new();
        let mut outgoing = outgoing.into_iter().peekable();
        while outgoing.peek().is_some() {
            let batch = take_batch(&mut outgoing);
            drafts.extend(self.draft(session_ref, batch));
        }
        self.transmit(link_id, session_ref.auth_key_id, &mut drafts);
    }

    /// Lays out one packet.
    fn draft(&mut self, session_ref: SessionRef, batch: Vec<Outgoing>) -> Option<Draft> {
        if let [Outgoing { message, again: false }] = batch.as_slice() {
            let header = self.header(session_ref, message.msg_id, message.seqno);
            return Some(Draft::new(&header, &message.body, &mut self.rng));
        }
        let msg_id = self.ids.next(self.now.unix, Low::Answer);
        let seqno = self.sessions.get_mut(&session_ref)?.number();
        let header = self.header(session_ref, msg_id, seqno);
        let messages = batch.into_iter().map(|outgoing| outgoing.message).collect();
        Some(Draft::container(&header, messages, &mut self.rng))
    }

    /// Answers one message at once, beside what its session may have queued or whether it exists.
    fn notice(&mut self, link_id: LinkId, session_ref: SessionRef, body: &impl Encode) {
        let msg_id = self.ids.next(self.now.unix, Low::Answer);
        let seqno = self.sessions.get_mut(&session_ref).map_or(0, Session::number);
        let header = self.header(session_ref, msg_id, seqno);
        let draft = Draft::new(&header, &body.to_bytes(), &mut self.rng);
        self.transmit(link_id, session_ref.auth_key_id, &mut [draft]);
    }

    fn header(&self, session_ref: SessionRef, msg_id: i64, seqno: i32) -> Header {
        let SessionRef { auth_key_id, session_id } = session_ref;
        let salt = self.salts.current(auth_key_id, self.now.unix);
        Header { salt, session_id, msg_id, seqno }
    }

    fn transmit(&mut self, link_id: LinkId, auth_key_id: i64, drafts: &mut [Draft]) {
        let (Some(key), Some(link)) = (self.keys.get(&auth_key_id), self.links.get_mut(&link_id))
        else {
            return;
        };
        packet::seal(&key.key, Side::Server, drafts);
        if self.faults.is_some() {
            for draft in drafts {
                let packet = BytesMut::from(draft.as_bytes());
                self.pass(link_id, Way::Down, packet, false);
            }
            return;
        }
        let size: usize = drafts.iter().map(|draft| draft.as_bytes().len() + FRAME).sum();
        let mut out = BytesMut::with_capacity(size);
        for draft in drafts {
            if let Err(error) =
                link.transport.pack(draft.as_bytes(), false, &mut self.rng, &mut out)
            {
                warn!(%error, "a packet could not be framed");
            }
        }
        self.output.push_back(ServerOutput::Transmit(link_id, out.freeze()));
    }

    fn event(&mut self, event: ServerEvent) {
        self.output.push_back(ServerOutput::Event(event));
    }

    fn sessions_of(&self, auth_key_id: i64) -> impl Iterator<Item = SessionRef> + use<'_> {
        let from = SessionRef { auth_key_id, session_id: i64::MIN };
        let to = SessionRef { auth_key_id, session_id: i64::MAX };
        self.sessions.range(from..=to).map(|(id, _)| *id)
    }

    /// Ends a session.
    fn destroy(&mut self, session_ref: SessionRef) {
        if let Some(session) = self.sessions.remove(&session_ref) {
            if let Some(link) = session.link.and_then(|link| self.links.get_mut(&link)) {
                link.sessions.remove(&session_ref);
            }
            self.waiting.remove(&session_ref);
            self.event(ServerEvent::SessionDestroyed { session: session_ref });
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("dc_id", &self.config.dc_id)
            .field("keys", &self.keys.len())
            .field("sessions", &self.sessions.len())
            .field("links", &self.links.len())
            .finish_non_exhaustive()
    }
}

/// The server's half of all key exchanges, with Telegram's prime and the usual generator.
#[expect(clippy::expect_used, reason = "fails for generators that do not fit the prime only")]
fn handshake(config: &ServerConfig) -> Handshake {
    Handshake::new(HandshakeConfig {
        keys: config.keys.clone(),
        dc_id: config.check_dc.then_some(config.dc_id),
        ..HandshakeConfig::default()
    })
    .expect("3 generates the group of Telegram's prime")
}

/// Takes messages for one packet: as many as the limits allow, at least one.
fn take_batch(outgoing: &mut std::iter::Peekable<std::vec::IntoIter<Outgoing>>) -> Vec<Outgoing> {
    let mut size = 0;
    let mut batch = Vec::new();
    while batch.len() < MAX_MESSAGES
        && let Some(next) = outgoing.next_if(|next| {
            size += next.message.body.len() + OVERHEAD;
            size <= MAX_BATCH_SIZE || batch.is_empty()
        })
    {
        batch.push(next);
    }
    batch
}

/// The auth key is unknown, or a step of the key exchange is wrong.
const UNKNOWN_KEY: i32 = -404;

/// Answers from here on are compressed if that makes them smaller, in bytes.
const GZIP_FROM: usize = 1024;

/// The most bytes of messages in one packet, unless one alone is larger.
const MAX_BATCH_SIZE: usize = 256 * 1024;

/// How often old things are looked for.
const SWEEP: Duration = Duration::from_secs(60);
