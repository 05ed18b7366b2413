//! The client's end: one object that outlives its sockets and only dispatches.
//!
//! Every noun has its own module: requests are the outbox's, ids, checks and acknowledgements the
//! session's, what is asked about messages the questions'; keys, clock and pings have their own.
//!
//! # Sessions
//! New requests go out in the current session. A session that was replaced, because the server
//! counts differently or the temporary key is at its end, is listened to until nothing of it is
//! waited for: what it carried is answered there, and is not sent a second time in another.

mod census;
mod exchange;
mod face;
mod notices;
mod receive;
mod sessions;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use chappe_tl::Encode;
use chappe_tl::service;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tracing::{debug, warn};

pub use self::census::Census;
use self::exchange::Exchange;
pub use self::face::{
    Config, Event, FailureReason, Input, Output, ReconnectReason, RequestId, RequestOptions,
    Resume, RpcFailure,
};
use self::sessions::Sessions;
use crate::clock::Clock;
use crate::error::ProtocolError;
use crate::keys::Keys;
use crate::liveness::Liveness;
use crate::message;
use crate::outbox::{After, Outbox, Outgoing, Place};
use crate::packet::{self, Draft};
pub use crate::salts::Salt;
use crate::session::{Parcel, Serial, Session};
use crate::time::Now;
use crate::transport::{FRAME, Obfuscation, Transport};

/// The client's end of one session with one data centre.
pub struct Connection {
    config: Config,
    rng: ChaCha20Rng,
    now: Now,
    clock: Clock,
    link: Link,
    /// How many sockets there were.
    socket: u64,
    keys: Keys,
    sessions: Sessions,
    /// The key exchange under way.
    exchange: Option<Exchange>,
    outbox: Outbox,
    liveness: Liveness,
    /// The requests of packets whose quick acknowledgement is waited for, by its token.
    quick_acks: BTreeMap<u32, Vec<RequestId>>,
    counters: Counters,
    output: VecDeque<Output>,
    failed: Option<ProtocolError>,
}

/// The socket.
#[derive(Debug)]
enum Link {
    Down,
    Up(Box<Transport>),
    /// The driver was told to close it.
    Broken,
}

/// What went wrong in a row.
#[derive(Debug, Default)]
struct Counters {
    /// Discarded messages on this socket.
    strikes: u32,
    /// Whether a good packet came over this socket.
    heard: bool,
    /// Sockets given up because the server broke the protocol; a good packet clears it.
    bad_sockets: u32,
    /// Sockets that ended with a transport error; a good packet clears it.
    refusals: u32,
    /// Key exchanges that failed; one that succeeds clears it.
    exchanges: u32,
    /// Temporary keys that could not be bound; one that could clears it.
    unbound: u32,
    /// Messages that the server refused although they were made after the last refusal; whatever
    /// shows that the server took a message clears it.
    rejections: u32,
}

/// A packet that is ready to be sealed.
struct Ready {
    auth_key_id: i64,
    draft: Draft,
    /// The requests in it that want to hear of its arrival.
    quick_ack: Vec<RequestId>,
}

impl Connection {
    /// Makes a connection that has no socket yet.
    ///
    /// Without `resume` the first socket begins with a key exchange. All randomness comes from
    /// `seed`, which must come from the operating system and never be used twice.
    pub fn new(config: Config, resume: Option<Resume>, seed: [u8; 32], now: Now) -> Self {
        let mut connection = Self {
            rng: ChaCha20Rng::from_seed(seed),
            now,
            clock: Clock::new(now, resume.as_ref().map_or(0, |resume| resume.time_offset)),
            link: Link::Down,
            socket: 0,
            keys: Keys::default(),
            sessions: Sessions::default(),
            exchange: None,
            outbox: Outbox::new(config.patience.max(LEAST_PATIENCE)),
            liveness: Liveness::new(config.ping_interval, config.pong_deadline),
            quick_acks: BTreeMap::new(),
            counters: Counters::default(),
            output: VecDeque::new(),
            failed: None,
            config,
        };
        if let Some(resume) = resume {
            let auth_key_id = resume.key.id();
            connection.keys.add_permanent(resume.key, resume.salts);
            if connection.config.forward_secrecy.is_none() {
                connection.open_session(auth_key_id);
            }
        }
        connection
    }

    /// Queues a request; may be called at any time, with or without a socket.
    pub fn request(&mut self, now: Now, body: Bytes, options: RequestOptions) -> RequestId {
        self.now = now;
        if !body.len().is_multiple_of(4) || body.is_empty() || body.len() > MAX_REQUEST {
            let id = self.outbox.name();
            self.event(Event::Failed { id, reason: FailureReason::Unsendable });
            return id;
        }
        let packed =
            if self.config.gzip && !options.no_gzip { message::deflate(&body) } else { None };
        self.outbox.push(packed.unwrap_or(body), options)
    }

    /// Forgets a request: no event about it comes after this. What was sent is dropped at the
    /// server by `rpc_drop_answer`.
    pub fn cancel(&mut self, now: Now, id: RequestId) {
        self.now = now;
        if let Some((serial, msg_id)) = self.outbox.cancel(id)
            && let Some(session) = self.sessions.get_carrying_mut(serial)
        {
            session.questions.drop_answer(msg_id);
        }
    }

    /// Takes one input. Call [`poll`](Self::poll) until [`Output::Timeout`] after it.
    ///
    /// # Errors
    /// What no new socket can repair. It is sticky.
    pub fn handle(&mut self, now: Now, input: Input<'_>) -> Result<(), ProtocolError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.now = now;
        if self.clock.jumped(now) {
            debug!("the machine slept, or its clock was set");
            self.clock.doubt();
            self.liveness.hurry(now.uptime);
        }
        let result = match input {
            Input::Connected => self.connected(),
            Input::Received(input) => self.received(input),
            Input::Disconnected => {
                self.disconnected();
                Ok(())
            }
            Input::Timeout => {
                self.timeout();
                Ok(())
            }
        };
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }

    /// Gives the next output.
    pub fn poll(&mut self) -> Output {
        if self.output.is_empty() && self.failed.is_none() {
            self.flush();
        }
        if let Some(output) = self.output.pop_front() {
            return output;
        }
        Output::Timeout(if self.failed.is_none() { self.wake() } else { None })
    }

    /// What a session store would keep now; `None` before a key exists.
    pub fn resume(&self) -> Option<Resume> {
        let permanent = self.keys.permanent()?;
        Some(Resume {
            key: permanent.key.clone(),
            salts: permanent.salts.list().to_vec(),
            time_offset: self.clock.offset(self.now),
        })
    }

    /// The server's time by this connection's reckoning.
    pub fn server_time(&self, now: Now) -> Duration {
        self.clock.time(now)
    }

    fn connected(&mut self) -> Result<(), ProtocolError> {
        if !matches!(self.link, Link::Down) {
            self.disconnected();
        }
        let obfuscation = self.config.obfuscated.then(|| Obfuscation { dc_id: 0, secret: None });
        let transport = Transport::client(self.config.framing, obfuscation, &mut self.rng)
            .map_err(|_| ProtocolError::Config("the full framing cannot be obfuscated"))?;
        self.link = Link::Up(Box::new(transport));
        self.socket += 1;
        self.counters.strikes = 0;
        self.counters.heard = false;
        self.clock.doubt();
        for (serial, msg_id) in self.outbox.take_acked(self.now.uptime) {
            self.ask(serial, msg_id);
        }
        self.begin();
        Ok(())
    }

    fn ready(&mut self) {
        self.liveness.start(self.now.uptime);
        self.event(Event::Ready);
    }

    fn disconnected(&mut self) {
        self.link = Link::Down;
        self.liveness.stop();
        self.quick_acks.clear();
        self.exchange = None;
        self.drop_unbound();
        for session in self.sessions.iter_mut() {
            session.questions.disconnected();
        }
        self.forget_mute();
        let lost = self.outbox.disconnected();
        self.fail(lost);
    }

    fn timeout(&mut self) {
        if !matches!(self.link, Link::Up(_)) {
            return;
        }
        let uptime = self.now.uptime;
        let late = self.exchange.as_ref().is_some_and(|exchange| exchange.deadline <= uptime)
            || self.sessions.next.as_ref().is_some_and(|next| next.deadline <= uptime);
        if late || self.liveness.is_dead(uptime) {
            return self.reconnect(ReconnectReason::Silent);
        }
        if self.sessions.carrying().any(|session| session.questions.is_overdue(uptime)) {
            return self.reconnect(ReconnectReason::Unanswered);
        }
        self.leave();
        for (serial, msg_id) in self.outbox.take_silent(uptime) {
            self.ask(serial, msg_id);
        }
        self.renew();
    }

    fn reconnect(&mut self, reason: ReconnectReason) {
        self.link = Link::Broken;
        self.liveness.stop();
        self.event(Event::Reconnect(reason));
    }

    fn changed(&mut self) {
        if let Some(resume) = self.resume() {
            self.event(Event::Changed(resume));
        }
    }

    fn fail(&mut self, failures: Vec<(RequestId, FailureReason)>) {
        for (id, reason) in failures {
            self.event(Event::Failed { id, reason });
        }
    }

    fn event(&mut self, event: Event) {
        self.output.push_back(Output::Event(event));
    }

    /// Asks the server about a message of ours, where it can be asked.
    fn ask(&mut self, serial: Serial, msg_id: i64) {
        match self.sessions.get_carrying_mut(serial) {
            Some(session) => session.questions.ask(msg_id),
            None => {
                let lost = self.outbox.give_up(serial, msg_id);
                self.fail(lost.into_iter().collect());
            }
        }
    }

    /// Sends what is due, in as few packets as possible; [`poll`](Self::poll) asks until nothing is.
    fn flush(&mut self) {
        if !matches!(self.link, Link::Up(_)) {
            return;
        }
        self.retire();
        self.say_farewell();
        let mut ready = Vec::new();
        let mut size = 0;
        for serial in self.sessions.serials() {
            while size < MAX_FLUSH
                && let Some(packet) = self.next_packet(serial)
            {
                size += packet.draft.as_bytes().len() + FRAME;
                ready.push(packet);
            }
        }
        if !ready.is_empty() {
            self.transmit(ready, size);
        }
    }

    fn transmit(&mut self, ready: Vec<Ready>, size: usize) {
        let Link::Up(transport) = &mut self.link else {
            return;
        };
        let mut out = BytesMut::with_capacity(size);
        let mut ready = ready.into_iter().peekable();
        while let Some(Ready { auth_key_id, draft, quick_ack }) = ready.next() {
            // Packets of one key are sealed in one call.
            let mut drafts = vec![draft];
            let mut wishes = vec![quick_ack];
            while let Some(next) = ready.next_if(|next| next.auth_key_id == auth_key_id) {
                drafts.push(next.draft);
                wishes.push(next.quick_ack);
            }
            let Some(key) = self.keys.get(auth_key_id) else {
                continue;
            };
            let tokens = packet::seal(&key.key, chappe_crypto::Side::Client, &mut drafts);
            for ((draft, wish), token) in drafts.iter().zip(wishes).zip(tokens) {
                let quick_ack = !wish.is_empty() && transport.has_quick_acks();
                // What is too large for the framing was refused as a request.
                if let Err(error) =
                    transport.pack(draft.as_bytes(), quick_ack, &mut self.rng, &mut out)
                {
                    warn!(%error, "a packet could not be framed");
                }
                if quick_ack && self.quick_acks.len() < MAX_QUICK_ACKS {
                    self.quick_acks.insert(token, wish);
                }
            }
        }
        self.output.push_back(Output::Transmit(out.freeze()));
    }

    /// Lays out the next packet of a session, if there is something to be said in it.
    fn next_packet(&mut self, serial: Serial) -> Option<Ready> {
        if let Some(binding) = self.next_binding(serial) {
            return Some(binding);
        }
        let current = self.sessions.is_current(serial);
        let busy = self.outbox.is_busy();
        let now = self.now;
        let time = self.clock.time(now);
        let session = self.sessions.get_carrying_mut(serial)?;
        let key = self.keys.get_mut(session.auth_key_id)?;
        let mut parcel = Parcel::default();
        let mut sent = Vec::new();
        for outgoing in self.outbox.take(serial, current) {
            sent.push(add_request(session, time, &mut parcel, outgoing, &sent));
        }
        let mut asked = None;
        for said in session.questions.take(parcel.room()) {
            let (msg_id, _) = session.add(time, &mut parcel, said.body, false);
            asked = asked.or_else(|| said.question.map(|msg_ids| (msg_id, msg_ids)));
        }
        let mut ping = None;
        if current && self.liveness.is_due(now.uptime, busy || !sent.is_empty()) {
            let ping_id = self.rng.next_u64().cast_signed();
            let disconnect_delay =
                i32::try_from(self.config.disconnect_delay.as_secs()).unwrap_or(i32::MAX);
            let body = service::PingDelayDisconnect { ping_id, disconnect_delay }.to_bytes();
            let (msg_id, _) = session.add(time, &mut parcel, body, false);
            ping = Some((ping_id, msg_id));
        }
        if current && !parcel.is_empty() && key.salts.ask(time, now.uptime) {
            let ask = service::GetFutureSalts { num: FUTURE_SALTS };
            let (msg_id, _) = session.add(time, &mut parcel, ask.to_bytes(), false);
            key.salts.asked(msg_id);
        }
        session.add_acks(now, time, &mut parcel);
        if parcel.is_empty() {
            return None;
        }
        let auth_key_id = session.auth_key_id;
        let (draft, outer) = session.close(key.salts.current(time), time, parcel, &mut self.rng);
        // What is asked comes at the end of the packet, and its answer after all of it arrived.
        self.liveness.left(draft.as_bytes().len() + FRAME);
        if let Some((ping_id, msg_id)) = ping {
            self.liveness.sent(now.uptime, ping_id, msg_id);
        }
        if let Some((msg_id, msg_ids)) = asked {
            let due = now.uptime.saturating_add(self.liveness.patience());
            session.questions.asked(msg_id, msg_ids, due);
        }
        let mut quick_ack = Vec::new();
        for Sent { id, msg_id, seqno, told_after, wants_quick_ack } in sent {
            let socket = self.socket;
            let place = Place { session: serial, msg_id, seqno, outer, socket, repeated: false };
            self.outbox.sent(id, place, told_after, now.uptime);
            if wants_quick_ack {
                quick_ack.push(id);
            }
        }
        Some(Ready { auth_key_id, draft, quick_ack })
    }

    fn wake(&self) -> Option<Duration> {
        if !matches!(self.link, Link::Up(_)) {
            return None;
        }
        let sessions = self.sessions.carrying().filter_map(Session::wake);
        let exchange = self.exchange.as_ref().map(|exchange| exchange.deadline);
        let binding = self.sessions.next.as_ref().map(|next| next.deadline);
        let liveness = self.liveness.wake(self.outbox.is_busy());
        let keys = [exchange, binding, self.renewal(), self.end()];
        let others = [liveness, self.outbox.wake(), self.farewell()];
        others.into_iter().chain(keys).flatten().chain(sessions).min()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("dc_id", &self.config.dc_id)
            .field("link", &self.link)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// A request that was put into a packet.
struct Sent {
    id: RequestId,
    msg_id: i64,
    seqno: i32,
    told_after: Option<i64>,
    wants_quick_ack: bool,
}

/// Puts a request into a packet; `sent` are those that stand before it there.
fn add_request(
    session: &mut Session,
    time: Duration,
    parcel: &mut Parcel,
    outgoing: Outgoing,
    sent: &[Sent],
) -> Sent {
    let Outgoing { id, body, again, after, quick_ack } = outgoing;
    let told_after = after.and_then(|after| match after {
        After::Message(msg_id) => Some(msg_id),
        After::InPacket(before) => {
            sent.iter().find(|sent| sent.id == before).map(|sent| sent.msg_id)
        }
    });
    let body = match told_after {
        Some(msg_id) => invoke_after(msg_id, &body),
        None => body,
    };
    let (msg_id, seqno) = match again {
        Some(place) => {
            Session::add_again(parcel, body, place);
            place
        }
        None => session.add(time, parcel, body, true),
    };
    Sent { id, msg_id, seqno, told_after, wants_quick_ack: quick_ack }
}

/// `invokeAfterMsg`, which keeps the query last: core.telegram.org/api/invoking.
fn invoke_after(msg_id: i64, query: &[u8]) -> Bytes {
    let mut body = BytesMut::with_capacity(12 + query.len());
    body.put_u32_le(INVOKE_AFTER_MSG);
    body.put_i64_le(msg_id);
    body.extend_from_slice(query);
    body.freeze()
}

const INVOKE_AFTER_MSG: u32 = 0xcb9f_372d;

/// The largest request, in bytes: servers refuse packets above a megabyte.
const MAX_REQUEST: usize = 1_000_000;

/// A server is not asked sooner about a request.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);

/// How many salts are asked for.
const FUTURE_SALTS: i32 = 32;

/// How many packets may wait for their quick acknowledgement.
const MAX_QUICK_ACKS: usize = 1024;

/// So many bytes of packets are handed over in one piece, so that what waits is not held twice.
const MAX_FLUSH: usize = 1024 * 1024;
