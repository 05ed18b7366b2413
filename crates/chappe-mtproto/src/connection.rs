//! The client's end: one object that outlives its sockets and only dispatches.
//!
//! Every noun has its own module: requests are the outbox's, ids, checks and
//! acknowledgements the session's, salts and pings their own.

mod face;
mod notices;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use chappe_tl::service::{self, types};
use chappe_tl::{Decode, Encode};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tracing::{debug, trace, warn};

pub use self::face::{
    Config, Event, FailureReason, Input, Output, ReconnectReason, RequestId, RequestOptions,
    Resume, RpcFailure,
};
use crate::error::{PeerMisbehaved, ProtocolError};
use crate::handshake::client::{Handshake, Mode, Step};
use crate::liveness::Liveness;
use crate::message::{self, Low, MAX_IDS, MAX_MESSAGES, Message, MessageError, MessageIds};
use crate::outbox::Outbox;
use crate::packet::{self, Draft};
pub use crate::salts::Salt;
use crate::salts::Salts;
use crate::session::{Parcel, Session};
use crate::time::Now;
use crate::transport::{FRAME, Frame, Obfuscation, Transport};

/// The client's end of one session with one data centre.
pub struct Connection {
    config: Config,
    rng: ChaCha20Rng,
    now: Now,
    link: Link,
    phase: Phase,
    outbox: Outbox,
    liveness: Liveness,
    /// Message ids of requests to be dropped at the server.
    drops: Vec<i64>,
    /// Message ids of answers to be sent again.
    wanted: Vec<i64>,
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

/// What the socket is used for.
enum Phase {
    /// No key yet. The exchange runs while a socket is there, until its deadline.
    Exchange {
        ids: MessageIds,
        running: Option<(Box<Handshake>, Duration)>,
    },
    Session(Box<Session>),
}

/// What went wrong in a row.
#[derive(Debug, Default)]
struct Counters {
    /// Discarded messages on this socket.
    strikes: u32,
    /// Sockets given up because the server broke the protocol; a good packet clears it.
    bad_sockets: u32,
    /// Sockets that ended with a transport error; a good packet clears it.
    refusals: u32,
    /// Messages that the server refused although they were made after the last refusal; whatever
    /// shows that the server took a message clears it.
    rejections: u32,
}

impl Connection {
    /// Makes a connection that has no socket yet.
    ///
    /// Without `resume` the first socket begins with a key exchange. All randomness comes from
    /// `seed`, which must come from the operating system and never be used twice.
    pub fn new(config: Config, resume: Option<Resume>, seed: [u8; 32], now: Now) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let phase = match resume {
            Some(resume) => Phase::Session(Box::new(Session::new(resume, &mut rng))),
            None => Phase::Exchange { ids: MessageIds::default(), running: None },
        };
        let liveness = Liveness::new(config.ping_interval, config.pong_deadline);
        Self {
            config,
            rng,
            now,
            link: Link::Down,
            phase,
            outbox: Outbox::default(),
            liveness,
            drops: Vec::new(),
            wanted: Vec::new(),
            counters: Counters::default(),
            output: VecDeque::new(),
            failed: None,
        }
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
        self.drops.extend(self.outbox.cancel(id));
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
        match &self.phase {
            Phase::Exchange { .. } => None,
            Phase::Session(session) => Some(session.resume()),
        }
    }

    /// The server's time by this connection's reckoning.
    pub fn server_time(&self, now: Now) -> Duration {
        match &self.phase {
            Phase::Exchange { .. } => now.unix,
            Phase::Session(session) => session.server_time(now),
        }
    }

    fn connected(&mut self) -> Result<(), ProtocolError> {
        if !matches!(self.link, Link::Down) {
            self.disconnected();
        }
        let obfuscation = self.config.obfuscated.then(|| Obfuscation { dc_id: 0, secret: None });
        let transport = Transport::client(self.config.framing, obfuscation, &mut self.rng)
            .map_err(|_| ProtocolError::Config("the full framing cannot be obfuscated"))?;
        self.link = Link::Up(Box::new(transport));
        self.counters.strikes = 0;
        match &mut self.phase {
            Phase::Exchange { running, .. } => {
                let mut handshake =
                    Handshake::new(self.config.dc_id, &self.config.server_keys, Mode::Permanent);
                let body = handshake.start(&mut self.rng);
                *running = Some((Box::new(handshake), self.now.uptime + EXCHANGE_DEADLINE));
                self.transmit_plain(&body);
            }
            Phase::Session(session) => {
                session.connected();
                self.ready();
            }
        }
        Ok(())
    }

    fn ready(&mut self) {
        self.liveness.start(self.now.uptime);
        self.event(Event::Ready);
    }

    fn disconnected(&mut self) {
        self.link = Link::Down;
        self.liveness.stop();
        if let Phase::Exchange { running, .. } = &mut self.phase {
            *running = None;
        }
        let lost = self.outbox.disconnected();
        self.fail(lost);
    }

    fn timeout(&mut self) {
        let late = match &self.phase {
            Phase::Exchange { running, .. } => {
                running.as_ref().is_some_and(|(_, deadline)| *deadline <= self.now.uptime)
            }
            Phase::Session(_) => self.liveness.is_dead(self.now.uptime),
        };
        if late && matches!(self.link, Link::Up(_)) {
            self.reconnect(ReconnectReason::Silent);
        }
    }

    fn received(&mut self, input: &mut BytesMut) -> Result<(), ProtocolError> {
        while let Link::Up(transport) = &mut self.link {
            match transport.receive(input) {
                Ok(None) => return Ok(()),
                Ok(Some(Frame::Packet { payload, .. })) => self.packet(payload)?,
                Ok(Some(Frame::Error(code))) => self.refused(code)?,
                Ok(Some(Frame::QuickAck(token))) => trace!(token, "quick ack"),
                Err(error) => self.misbehaved(error.into())?,
            }
        }
        input.clear();
        Ok(())
    }

    fn packet(&mut self, packet: BytesMut) -> Result<(), ProtocolError> {
        if matches!(self.phase, Phase::Exchange { .. }) {
            return match packet::open_plain(packet) {
                Ok(body) => self.exchange(&body),
                Err(error) => self.misbehaved(error.into()),
            };
        }
        let Phase::Session(session) = &mut self.phase else {
            return Ok(());
        };
        let time = session.server_time(self.now);
        let messages = match session.open(self.now, packet) {
            Ok(messages) => messages,
            Err(reason) => return self.misbehaved(reason),
        };
        let corrected = session.server_time(self.now) != time;
        self.liveness.heard();
        self.counters.bad_sockets = 0;
        self.counters.refusals = 0;
        if corrected {
            self.changed();
        }
        for message in messages {
            if let Err(reason) = self.message(message) {
                self.misbehaved(reason.into())?;
            }
        }
        Ok(())
    }

    fn exchange(&mut self, body: &[u8]) -> Result<(), ProtocolError> {
        let Phase::Exchange { running: Some((handshake, _)), .. } = &mut self.phase else {
            return Ok(());
        };
        match handshake.step(body, self.now, &mut self.rng)? {
            Step::Send(body) => self.transmit_plain(&body),
            Step::Done(done) => {
                let mut salts = Salts::default();
                let resume =
                    Resume { key: done.auth_key, salts: Vec::new(), time_offset: done.time_offset };
                let mut session = Session::new(resume, &mut self.rng);
                salts.replace(done.server_salt, session.server_time(self.now));
                session.salts = salts;
                let resume = session.resume();
                self.phase = Phase::Session(Box::new(session));
                self.event(Event::KeyCreated(resume));
                self.ready();
            }
        }
        Ok(())
    }

    /// Acts on one message of the server.
    fn message(&mut self, message: Message) -> Result<(), MessageError> {
        let Message { msg_id, .. } = message;
        trace!(msg_id, constructor = message::constructor(&message.body), "message");
        let body = message::inflate(message.body)?;
        let Phase::Session(session) = &mut self.phase else {
            return Ok(());
        };
        match message::constructor(&body) {
            service::RpcResult::ID => return self.answer(body),
            types::BadMsgNotification::ID => {
                let notice: types::BadMsgNotification = decode(&body)?;
                return self.rejected(notice.bad_msg_id, notice.error_code, msg_id);
            }
            types::BadServerSalt::ID => {
                let notice: types::BadServerSalt = decode(&body)?;
                return self.salt_rejected(&notice, msg_id);
            }
            types::NewSessionCreated::ID => {
                let notice: types::NewSessionCreated = decode(&body)?;
                self.new_session(&notice);
            }
            types::MsgsAck::ID => {
                let acks: types::MsgsAck = decode(&body)?;
                limit(&acks.msg_ids)?;
                self.outbox.acked(&acks.msg_ids);
                self.counters.rejections = 0;
            }
            types::Pong::ID => {
                let pong: types::Pong = decode(&body)?;
                if self.liveness.pong(pong.ping_id) {
                    self.counters.rejections = 0;
                }
            }
            service::FutureSalts::ID => {
                let answer: service::FutureSalts = decode(&body)?;
                if session.salts.answered(answer.req_msg_id) {
                    let salts = answer.salts.iter().map(|salt| Salt {
                        valid_since: salt.valid_since.into(),
                        valid_until: salt.valid_until.into(),
                        salt: salt.salt,
                    });
                    let time = session.server_time(self.now);
                    session.salts.extend(salts, time);
                    self.changed();
                }
            }
            types::MsgDetailedInfo::ID => {
                let info: types::MsgDetailedInfo = decode(&body)?;
                self.announced(info.answer_msg_id);
            }
            types::MsgNewDetailedInfo::ID => {
                let info: types::MsgNewDetailedInfo = decode(&body)?;
                self.announced(info.answer_msg_id);
            }
            id if SILENT.contains(&id) => debug!(id, "service message without a question"),
            _ => self.event(Event::Update(body)),
        }
        Ok(())
    }

    /// The answer to a request.
    fn answer(&mut self, mut body: Bytes) -> Result<(), MessageError> {
        if body.len() < 12 {
            return Err(MessageError::Service);
        }
        body.advance(4);
        let msg_id = body.get_i64_le();
        self.counters.rejections = 0;
        let Some(id) = self.outbox.answered(msg_id) else {
            debug!(msg_id, "an answer that nobody waits for");
            return Ok(());
        };
        let result = message::inflate(body).and_then(|body| {
            if message::constructor(&body) != types::RpcError::ID {
                return Ok(Ok(body));
            }
            let error: types::RpcError = decode(&body)?;
            Ok(Err(RpcFailure { code: error.error_code, message: error.error_message.to_string() }))
        });
        match result {
            Ok(result) => {
                self.event(Event::Response { id, result });
                Ok(())
            }
            Err(error) => {
                self.event(Event::Failed { id, reason: FailureReason::Unreadable });
                Err(error)
            }
        }
    }

    /// A transport error: core.telegram.org/mtproto/mtproto-transports#transport-errors.
    fn refused(&mut self, code: i32) -> Result<(), ProtocolError> {
        self.counters.refusals += u32::from(code != FLOOD);
        let often = self.counters.refusals >= MAX_REFUSALS;
        match (code, &self.phase) {
            (WRONG_DC, _) => Err(ProtocolError::WrongDc(self.config.dc_id)),
            (UNKNOWN_KEY, Phase::Session(_)) if often => Err(ProtocolError::KeyUnknown),
            _ if often => Err(ProtocolError::Refused(code)),
            _ => {
                self.reconnect(ReconnectReason::Transport(code));
                Ok(())
            }
        }
    }

    /// Counts a broken rule. A broken envelope costs the socket at once, a message that is out of
    /// place only when there are many: replays and late repetitions happen.
    fn misbehaved(&mut self, reason: PeerMisbehaved) -> Result<(), ProtocolError> {
        warn!(%reason, "the server broke the protocol");
        self.counters.strikes += 1;
        let tolerable = match &reason {
            PeerMisbehaved::Message(error) => {
                !matches!(error, MessageError::Ahead | MessageError::RefusalLoop)
            }
            _ => false,
        };
        if tolerable && self.counters.strikes < MAX_STRIKES {
            return Ok(());
        }
        self.counters.bad_sockets += 1;
        if self.counters.bad_sockets >= MAX_BAD_SOCKETS {
            return Err(ProtocolError::Peer(reason));
        }
        self.reconnect(ReconnectReason::Peer(reason));
        Ok(())
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

    fn transmit_plain(&mut self, body: &[u8]) {
        let (Phase::Exchange { ids, .. }, Link::Up(transport)) = (&mut self.phase, &mut self.link)
        else {
            return;
        };
        let packet = packet::seal_plain(ids.next(self.now.unix, Low::Client), body);
        let mut out = BytesMut::new();
        if transport.pack(&packet, false, &mut self.rng, &mut out).is_ok() {
            self.output.push_back(Output::Transmit(out.freeze()));
        }
    }

    /// Sends what is due, in as few packets as possible; [`poll`](Self::poll) asks until nothing is.
    fn flush(&mut self) {
        let mut drafts = Vec::new();
        let mut size = 0;
        while size < MAX_FLUSH
            && let Some(draft) = self.next_packet()
        {
            size += draft.as_bytes().len() + FRAME;
            drafts.push(draft);
        }
        let (Phase::Session(session), Link::Up(transport)) = (&self.phase, &mut self.link) else {
            return;
        };
        if drafts.is_empty() {
            return;
        }
        session.seal(&mut drafts);
        let mut out = BytesMut::with_capacity(size);
        for draft in &drafts {
            // What is too large for the framing was refused as a request.
            if let Err(error) = transport.pack(draft.as_bytes(), false, &mut self.rng, &mut out) {
                warn!(%error, "a packet could not be framed");
            }
        }
        self.output.push_back(Output::Transmit(out.freeze()));
    }

    fn next_packet(&mut self) -> Option<Draft> {
        let (Phase::Session(session), Link::Up(_)) = (&mut self.phase, &self.link) else {
            return None;
        };
        let now = self.now;
        let mut parcel = Parcel::default();
        let requests = self.outbox.take();
        let mut places = Vec::with_capacity(requests.len());
        let room = MAX_MESSAGES.saturating_sub(requests.len() + OWN_MESSAGES);
        for request in requests {
            let place = match request.again {
                Some(place) => {
                    Session::add_again(&mut parcel, request.body, place);
                    place
                }
                None => session.add(now, &mut parcel, request.body, true),
            };
            places.push((request.id, place));
        }
        for req_msg_id in self.drops.drain(..room.min(self.drops.len())) {
            session.add(now, &mut parcel, service::RpcDropAnswer { req_msg_id }.to_bytes(), false);
        }
        if !self.wanted.is_empty() {
            let msg_ids = std::mem::take(&mut self.wanted);
            session.add(now, &mut parcel, types::MsgResendReq { msg_ids }.to_bytes(), false);
        }
        if self.liveness.is_due(now.uptime) {
            let ping_id = self.rng.next_u64().cast_signed();
            let disconnect_delay =
                i32::try_from(self.config.disconnect_delay.as_secs()).unwrap_or(i32::MAX);
            let ping = service::PingDelayDisconnect { ping_id, disconnect_delay };
            let (msg_id, _) = session.add(now, &mut parcel, ping.to_bytes(), false);
            self.liveness.sent(now.uptime, ping_id, msg_id);
        }
        let time = session.server_time(now);
        if !parcel.is_empty() && session.salts.ask(time, now.uptime) {
            let ask = service::GetFutureSalts { num: FUTURE_SALTS };
            let (msg_id, _) = session.add(now, &mut parcel, ask.to_bytes(), false);
            session.salts.asked(msg_id);
        }
        session.add_acks(now, &mut parcel);
        if parcel.is_empty() {
            return None;
        }
        let (draft, outer) = session.close(now, parcel, &mut self.rng);
        for (id, (msg_id, seqno)) in places {
            self.outbox.sent(id, msg_id, seqno, outer);
        }
        Some(draft)
    }

    fn wake(&self) -> Option<Duration> {
        if !matches!(self.link, Link::Up(_)) {
            return None;
        }
        match &self.phase {
            Phase::Exchange { running, .. } => running.as_ref().map(|(_, deadline)| *deadline),
            Phase::Session(session) => {
                [self.liveness.wake(), session.wake()].into_iter().flatten().min()
            }
        }
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

fn decode<T: Decode>(body: &Bytes) -> Result<T, MessageError> {
    T::from_bytes(body).map_err(|_| MessageError::Service)
}

fn limit(msg_ids: &[i64]) -> Result<(), MessageError> {
    if msg_ids.len() > MAX_IDS { Err(MessageError::Service) } else { Ok(()) }
}

/// Service messages that are never updates, and that are not acted upon here.
const SILENT: [u32; 7] = [
    types::MsgsStateInfo::ID,
    types::MsgsAllInfo::ID,
    types::MsgsStateReq::ID,
    types::MsgResendReq::ID,
    types::MsgResendAnsReq::ID,
    types::DestroySessionOk::ID,
    types::DestroySessionNone::ID,
];

const UNKNOWN_KEY: i32 = -404;
const FLOOD: i32 = -429;
const WRONG_DC: i32 = -444;

/// The largest request, in bytes: servers refuse packets above a megabyte.
const MAX_REQUEST: usize = 1_000_000;

/// How long a key exchange may take.
const EXCHANGE_DEADLINE: Duration = Duration::from_secs(30);

/// How many discarded messages cost a socket.
const MAX_STRIKES: u32 = 32;

/// How many sockets in a row may end by broken rules.
const MAX_BAD_SOCKETS: u32 = 5;

/// How many sockets in a row may end with a transport error.
const MAX_REFUSALS: u32 = 4;

/// How many salts are asked for.
const FUTURE_SALTS: i32 = 32;

/// The most messages that a connection adds to those of its user in one packet: a request to
/// send again, a ping, a question for salts, acknowledgements.
const OWN_MESSAGES: usize = 4;

/// So many bytes of packets are handed over in one piece, so that what waits is not held twice.
const MAX_FLUSH: usize = 1024 * 1024;
