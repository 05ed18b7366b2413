//! The way of a packet at the server: each check in its place.
//!
//! The order is that of the list in core.telegram.org/mtproto/security_guidelines and of
//! core.telegram.org/mtproto/service_messages_about_messages.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use chappe_crypto::Side;
use chappe_tl::service::{self, Message, types};
use rand_core::Rng;
use tracing::{debug, trace};

use super::session::{Session, Stage};
use super::{Key, LinkId, Quirk, Server, ServerEvent, SessionRef, UNKNOWN_KEY, Way};
use crate::handshake::server::{Fault, Step};
use crate::message::{self, Age, Low, Seen, is_content};
use crate::packet::{self, Header, Opened};
use crate::salts::seconds;

impl Server {
    /// Takes one packet of a socket.
    pub(super) fn packet(&mut self, link_id: LinkId, packet: BytesMut, quick_ack: bool) {
        let Some(auth_key_id) = packet::auth_key_id(&packet) else {
            return self.hang_up(link_id);
        };
        if auth_key_id == 0 {
            return self.plain(link_id, packet);
        }
        let time = seconds(self.now.unix);
        let Some(key) = self.keys.get(&auth_key_id) else {
            return self.park(link_id, auth_key_id, packet, quick_ack);
        };
        if key.expires.is_some_and(|expires| expires <= time) {
            return self.refuse(link_id, UNKNOWN_KEY);
        }
        match packet::open(&key.key, Side::Client, packet) {
            Ok(opened) => {
                let session = SessionRef { auth_key_id, session_id: opened.header.session_id };
                self.opened(link_id, session, opened, quick_ack);
            }
            // Whatever is wrong with it, the client learns the same: nothing.
            Err(error) => {
                debug!(link = link_id.0, %error, "a packet was dropped");
                self.hang_up(link_id);
            }
        }
    }

    /// Keeps a packet until the driver provides its key.
    fn park(&mut self, link_id: LinkId, auth_key_id: i64, packet: BytesMut, quick_ack: bool) {
        let Some(link) = self.links.get_mut(&link_id) else {
            return;
        };
        if link.parked.len() >= MAX_PARKED {
            return self.hang_up(link_id);
        }
        link.parked.push_back((packet, quick_ack));
        let before = link.waits_for.replace(auth_key_id);
        if before != Some(auth_key_id) {
            if let Some(before) = before {
                self.wanted.remove(&(before, link_id));
            }
            self.wanted.insert((auth_key_id, link_id));
            self.event(ServerEvent::KeyWanted { auth_key_id, link: link_id });
        }
    }

    /// A message of a key exchange: neither its id is looked at nor what follows it.
    fn plain(&mut self, link_id: LinkId, packet: BytesMut) {
        let Ok(body) = packet::open_plain(packet) else {
            return self.hang_up(link_id);
        };
        self.feign(&body);
        let Self { handshake, keys, rng, now, .. } = self;
        let step = handshake.handle(&body, *now, |id| keys.contains_key(&id), rng);
        handshake.feign(Fault::None);
        match step {
            Step::Reply(body) => self.reply_plain(link_id, &body),
            Step::Reject(code) => self.refuse(link_id, code),
            Step::Done { reply, auth_key, server_salt, expires_in } => {
                let expires = expires_in.map(|seconds| {
                    self.now.unix.as_secs().saturating_add(u64::try_from(seconds).unwrap_or(0))
                });
                let first_salt = (server_salt, self.salts.honoured_until(self.now.unix));
                let key = Key {
                    key: auth_key.clone(),
                    first_salt: Some(first_salt),
                    expires: expires.and_then(|expires| i64::try_from(expires).ok()),
                };
                self.keys.insert(auth_key.id(), key);
                let expires = expires.map(std::time::Duration::from_secs);
                self.event(ServerEvent::KeyCreated { key: auth_key, expires, link: link_id });
                self.reply_plain(link_id, &reply);
            }
        }
    }

    fn reply_plain(&mut self, link_id: LinkId, body: &[u8]) {
        let msg_id = self.ids.next(self.now.unix, Low::Answer);
        let packet = packet::seal_plain(msg_id, body);
        if self.faults.is_some() {
            return self.pass(link_id, Way::Down, BytesMut::from(packet.as_slice()), false);
        }
        self.transmit_plain(link_id, &packet);
    }

    /// Takes a packet whose envelope is good.
    fn opened(&mut self, link_id: LinkId, session: SessionRef, opened: Opened, quick_ack: bool) {
        let Opened { header, body, token } = opened;
        let Header { msg_id, seqno, .. } = header;
        trace!(msg_id, seqno, size = body.len(), "packet");
        if let Some(link) = self.links.get_mut(&link_id) {
            link.trusted = true;
        }
        let refused = match &mut self.faults {
            Some(faults) => faults.refuse(self.now, session),
            None => None,
        };
        if self.is_stale_copy(session, &header) {
            debug!(msg_id, "a copy of a packet came too late");
            return;
        }
        let message = Message { msg_id, seqno, body };
        // What was refused once was sent anew since: a copy of it must not run, whatever became
        // of salts and clock.
        let copy = (session, msg_id, header.salt);
        let refused = refused.or_else(|| self.refused.code(copy));
        if refused == Some(BAD_SALT) || !self.accepts_salt(session.auth_key_id, header.salt) {
            let new_server_salt = self.salts.current(session.auth_key_id, self.now.unix);
            let notice = types::BadServerSalt {
                bad_msg_id: msg_id,
                bad_msg_seqno: seqno,
                error_code: BAD_SALT,
                new_server_salt,
            };
            self.refused.insert(copy, BAD_SALT);
            return self.notice(link_id, session, &notice);
        }
        if let Some(code) = refused {
            self.refused.insert(copy, code);
            return self.reject(link_id, session, &message, code);
        }
        let contained = message::is_container(&message.body);
        if let Err(code) = self.check_outer(session, &message, contained) {
            if matches!(code, 16 | 17) {
                self.refused.insert(copy, code);
            }
            return self.reject(link_id, session, &message, code);
        }
        let messages = if contained {
            match unpack(&message) {
                Some(messages) => messages,
                None => return self.reject(link_id, session, &message, 64),
            }
        } else {
            vec![message]
        };
        if contained || self.is_new(session, msg_id) {
            let first = messages.iter().map(|message| message.msg_id).min();
            self.attach(link_id, session, first, msg_id);
        }
        if quick_ack && !self.quirk(Quirk::NoQuickAck, Some(session)) {
            self.transmit_quick_ack(link_id, token);
        }
        if contained && let Some(state) = self.sessions.get_mut(&session) {
            state.receive(msg_id, seqno, Stage::Service);
        }
        let mut room = MAX_UNPACKED;
        for message in messages {
            // One of them may destroy the key.
            if self.sessions.contains_key(&session) {
                self.message(link_id, session, message, &mut room);
            }
        }
    }

    /// Whether a packet came before, and would be refused now for its salt or its age: the client
    /// would take that for the fate of the first one, and send anew what ran.
    fn is_stale_copy(&self, session_ref: SessionRef, header: &Header) -> bool {
        let session = self.sessions.get(&session_ref);
        let came = |session: &Session| matches!(session.look(header.msg_id), Seen::Before(_));
        session.is_some_and(came)
            && (!self.accepts_salt(session_ref.auth_key_id, header.salt)
                || message::age(header.msg_id, self.now.unix) != Age::Fresh)
    }

    fn accepts_salt(&self, auth_key_id: i64, salt: i64) -> bool {
        let first = self.keys.get(&auth_key_id).and_then(|key| key.first_salt);
        first.is_some_and(|(first, until)| first == salt && seconds(self.now.unix) < until)
            || self.salts.accepts(auth_key_id, salt, self.now.unix)
    }

    /// The checks of the outermost message.
    fn check_outer(
        &self,
        session: SessionRef,
        message: &Message,
        contained: bool,
    ) -> Result<(), i32> {
        check_parity(message.msg_id)?;
        match message::age(message.msg_id, self.now.unix) {
            Age::Old => return Err(16),
            Age::Ahead => return Err(17),
            Age::Fresh => {}
        }
        let session = self.sessions.get(&session);
        // A packet that was overtaken by the one that began the session.
        if session.is_some_and(|session| session.disowns(message.msg_id)) {
            return Err(20);
        }
        if !contained {
            return Ok(());
        }
        if let Some(session) = session {
            match session.look(message.msg_id) {
                Seen::New => session.check_order(message.msg_id, message.seqno)?,
                Seen::Before(_) => return Err(19),
                Seen::Forgotten => return Err(20),
            }
        }
        if is_content(message.seqno) { Err(34) } else { Ok(()) }
    }

    /// Whether a message was not received before. Only what is new moves a session to another
    /// socket: anybody on the way can repeat what was sent.
    fn is_new(&self, session: SessionRef, msg_id: i64) -> bool {
        self.sessions.get(&session).is_none_or(|session| {
            session.link.is_none() || matches!(session.look(msg_id), Seen::New)
        })
    }

    /// Finds or makes the session, and makes this its socket.
    fn attach(&mut self, link_id: LinkId, session_ref: SessionRef, first: Option<i64>, outer: i64) {
        let uptime = self.now.uptime;
        let fresh = !self.sessions.contains_key(&session_ref);
        if fresh {
            self.make_room(session_ref.auth_key_id);
        }
        let first = first.map_or(outer, |first| first.min(outer));
        let made = || Session::new(first, uptime);
        let session = self.sessions.entry(session_ref).or_insert_with(made);
        session.used = uptime;
        let before = session.link;
        if session.attach(link_id) {
            self.waiting.insert(session_ref);
            if let Some(link) = before.and_then(|link| self.links.get_mut(&link)) {
                link.sessions.remove(&session_ref);
            }
            if let Some(link) = self.links.get_mut(&link_id) {
                link.sessions.insert(session_ref);
            }
        }
        if fresh {
            self.event(ServerEvent::SessionCreated { session: session_ref, link: link_id });
            let notice = types::NewSessionCreated {
                first_msg_id: first,
                unique_id: self.rng.next_u64().cast_signed(),
                server_salt: self.salts.current(session_ref.auth_key_id, self.now.unix),
            };
            let notice = chappe_tl::Encode::to_bytes(&notice);
            if self.quirk(Quirk::DoubleSession, Some(session_ref)) {
                self.send_kept(session_ref, Low::Push, notice.clone(), false);
            }
            self.send_kept(session_ref, Low::Push, notice, false);
        }
    }

    /// Ends a session of a key that has too many: one without a socket, or else the oldest.
    fn make_room(&mut self, auth_key_id: i64) {
        if self.sessions_of(auth_key_id).count() < MAX_SESSIONS {
            return;
        }
        let oldest = self
            .sessions_of(auth_key_id)
            .filter_map(|id| {
                let session = self.sessions.get(&id)?;
                Some((session.link.is_some(), session.used, id))
            })
            .min();
        if let Some((_, _, oldest)) = oldest {
            self.destroy(oldest);
        }
    }

    /// Takes one message, alone or out of a container.
    ///
    /// `room` is what the packet's compressed messages may still unpack to, in bytes.
    fn message(
        &mut self,
        link_id: LinkId,
        session_ref: SessionRef,
        message: Message,
        room: &mut usize,
    ) {
        match self.check_message(session_ref, &message) {
            Ok(true) => self.accept(link_id, session_ref, message, room),
            Ok(false) => self.repeat(session_ref, &message),
            Err(code) => self.reject(link_id, session_ref, &message, code),
        }
    }

    /// The checks of one message; `false` for one that was received before.
    fn check_message(&self, session: SessionRef, message: &Message) -> Result<bool, i32> {
        check_parity(message.msg_id)?;
        let Some(session) = self.sessions.get(&session) else {
            return Ok(true);
        };
        match session.look(message.msg_id) {
            Seen::Before(_) => return Ok(false),
            Seen::Forgotten => return Err(20),
            Seen::New => {}
        }
        session.check_order(message.msg_id, message.seqno)?;
        Ok(true)
    }

    /// A message that was received before is acknowledged and answered again, not acted upon.
    fn repeat(&mut self, session_ref: SessionRef, message: &Message) {
        let Some(session) = self.sessions.get_mut(&session_ref) else {
            return;
        };
        let stage = match session.look(message.msg_id) {
            Seen::Before(stage) => *stage,
            _ => Stage::Service,
        };
        let answered = match stage {
            Stage::Answered(answer) => session.send_again(answer),
            _ => false,
        };
        if is_content(message.seqno) && !answered {
            session.acknowledge(message.msg_id, self.now.uptime);
        }
        self.waiting.insert(session_ref);
        if stage != Stage::Service {
            let msg_id = message.msg_id;
            self.event(ServerEvent::RequestRepeated { session: session_ref, msg_id });
        }
    }

    /// Takes a new message.
    fn accept(
        &mut self,
        link_id: LinkId,
        session_ref: SessionRef,
        message: Message,
        room: &mut usize,
    ) {
        let Message { msg_id, seqno, body } = message;
        let packed = message::constructor(&body) == service::GzipPacked::ID;
        let Ok(body) = message::inflate_up_to(*room, body) else {
            return self.unreadable(link_id, session_ref, msg_id, seqno);
        };
        if packed {
            *room = room.saturating_sub(body.len());
        }
        let content = is_content(seqno);
        let kind = Kind::of(message::constructor(&body));
        let code = match kind {
            Kind::Silent if content => 34,
            Kind::Request if !content => 35,
            _ => 0,
        };
        if code != 0 {
            let message = Message { msg_id, seqno, body };
            return self.reject(link_id, session_ref, &message, code);
        }
        let stage = if kind == Kind::Request { Stage::Running } else { Stage::Service };
        self.remember(session_ref, msg_id, seqno, stage);
        if kind == Kind::Request {
            self.event(ServerEvent::Request { session: session_ref, msg_id, body, link: link_id });
        } else if self.service(link_id, session_ref, msg_id, &body).is_err() {
            self.strike(link_id);
        }
    }

    pub(super) fn remember(&mut self, session: SessionRef, msg_id: i64, seqno: i32, stage: Stage) {
        if let Some(state) = self.sessions.get_mut(&session) {
            state.receive(msg_id, seqno, stage);
            if is_content(seqno) {
                state.acknowledge(msg_id, self.now.uptime);
            }
            self.waiting.insert(session);
        }
    }

    /// A compressed object that cannot be unpacked is a request that cannot be read.
    /// Assumed: the text is that of other unreadable requests.
    fn unreadable(&mut self, link_id: LinkId, session: SessionRef, msg_id: i64, seqno: i32) {
        self.remember(session, msg_id, seqno, Stage::Running);
        let error = types::RpcError { error_code: 400, error_message: "INPUT_FETCH_ERROR".into() };
        self.answer(session, msg_id, chappe_tl::Encode::to_bytes(&error));
        self.strike(link_id);
    }

    /// Refuses a message.
    fn reject(&mut self, link_id: LinkId, session: SessionRef, message: &Message, code: i32) {
        debug!(msg_id = message.msg_id, code, "a message was refused");
        let notice = types::BadMsgNotification {
            bad_msg_id: message.msg_id,
            bad_msg_seqno: message.seqno,
            error_code: code,
        };
        self.notice(link_id, session, &notice);
    }
}

/// A packet: its session, its outermost message and its salt, with which it may come again under
/// the same id.
type Sight = (SessionRef, i64, i64);

/// The packets that were refused last for their salt or time, with the code: both may fit later.
#[derive(Debug, Default)]
pub(super) struct Refused {
    codes: BTreeMap<Sight, i32>,
    order: VecDeque<Sight>,
}

impl Refused {
    fn code(&self, copy: Sight) -> Option<i32> {
        self.codes.get(&copy).copied()
    }

    fn insert(&mut self, copy: Sight, code: i32) {
        if self.codes.insert(copy, code).is_some() {
            return;
        }
        self.order.push_back(copy);
        if self.order.len() > MAX_REFUSED
            && let Some(oldest) = self.order.pop_front()
        {
            self.codes.remove(&oldest);
        }
    }
}

/// What a message asks of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A service message that must not ask for an acknowledgement.
    Silent,
    /// A service message that may.
    Service,
    /// A request to the API, which must.
    Request,
}

impl Kind {
    /// Observed: clients disagree about the service messages in the middle. mtcute numbers even its
    /// acknowledgements as content, and is served.
    fn of(constructor: u32) -> Self {
        match constructor {
            types::HttpWait::ID => Self::Silent,
            types::MsgsAck::ID
            | service::Ping::ID
            | service::PingDelayDisconnect::ID
            | service::GetFutureSalts::ID
            | service::RpcDropAnswer::ID
            | service::DestroySession::ID
            | service::DestroyAuthKey::ID
            | types::MsgsStateReq::ID
            | types::MsgsStateInfo::ID
            | types::MsgsAllInfo::ID
            | types::MsgDetailedInfo::ID
            | types::MsgNewDetailedInfo::ID
            | types::MsgResendReq::ID
            | types::MsgResendAnsReq::ID => Self::Service,
            _ => Self::Request,
        }
    }
}

fn check_parity(msg_id: i64) -> Result<(), i32> {
    if msg_id & 3 == 0 { Ok(()) } else { Err(18) }
}

/// Takes a container apart; what is in it must be older than itself.
fn unpack(container: &Message) -> Option<Vec<Message>> {
    let body: Bytes = container.body.clone();
    let messages = message::unpack_container(body).ok()?;
    messages.iter().all(|message| message.msg_id < container.msg_id).then_some(messages)
}

/// The code of a salt that is not honoured.
const BAD_SALT: i32 = 48;

/// How many packets of a socket wait for a key.
const MAX_PARKED: usize = 64;

/// What the compressed messages of one packet may unpack to, together and in bytes: a thousand
/// bombs fit into a packet.
const MAX_UNPACKED: usize = 4 * 1024 * 1024;

/// How many sessions one key may have.
const MAX_SESSIONS: usize = 64;

/// How many refused packets are remembered.
const MAX_REFUSED: usize = 1024;
