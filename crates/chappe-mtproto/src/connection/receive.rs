//! The way of a packet at the client: each check in its place, then each message to its noun.

use bytes::{Buf, Bytes, BytesMut};
use chappe_crypto::Side;
use chappe_tl::Decode;
use chappe_tl::service::{self, types};
use tracing::{debug, trace, warn};

use super::{Connection, Event, FailureReason, Link, ReconnectReason, RpcFailure};
use crate::error::{PeerMisbehaved, ProtocolError};
use crate::message::{self, MAX_IDS, Message, MessageError};
use crate::outbox::Verdict;
use crate::packet::{self, PacketError};
use crate::salts::Salt;
use crate::session::Serial;
use crate::states;
use crate::transport::Frame;

impl Connection {
    pub(super) fn received(&mut self, input: &mut BytesMut) -> Result<(), ProtocolError> {
        // Somebody sends, if only the first bytes of a long packet: over a slow line there may be
        // nothing else for a while.
        self.liveness.heard(self.now.uptime);
        while let Link::Up(transport) = &mut self.link {
            match transport.receive(input) {
                Ok(None) => {
                    self.await_rest(!input.is_empty());
                    return Ok(());
                }
                Ok(Some(Frame::Packet { payload, .. })) => self.packet(payload)?,
                Ok(Some(Frame::Error(code))) => self.refused(code)?,
                Ok(Some(Frame::QuickAck(token))) => self.quick_ack(token),
                Err(error) => self.misbehaved(error.into())?,
            }
        }
        input.clear();
        Ok(())
    }

    /// What was asked is answered behind the packet whose beginning came.
    fn await_rest(&mut self, partial: bool) {
        if partial {
            let due = self.now.uptime.saturating_add(self.liveness.patience());
            for session in self.sessions.iter_mut() {
                session.questions.wait(due);
            }
        }
    }

    fn packet(&mut self, packet: BytesMut) -> Result<(), ProtocolError> {
        let auth_key_id = packet::auth_key_id(&packet).unwrap_or(0);
        if self.exchange.is_some() && (auth_key_id == 0 || self.sessions.len() == 0) {
            return match packet::open_plain(packet) {
                Ok(body) => self.exchanged(&body),
                Err(error) => self.misbehaved(error.into()),
            };
        }
        let Some(key) = self.keys.get(auth_key_id) else {
            return self.misbehaved(PacketError::AuthKeyId.into());
        };
        let opened = match packet::open(&key.key, Side::Server, packet) {
            Ok(opened) => opened,
            Err(error) => return self.misbehaved(error.into()),
        };
        let session_id = opened.header.session_id;
        let Some(serial) = self.sessions.find(auth_key_id, session_id) else {
            let late = self.sessions.is_gone(session_id);
            return if late { Ok(()) } else { self.misbehaved(MessageError::Session.into()) };
        };
        let before = self.clock.offset(self.now);
        let ping = self.liveness.asked();
        let Some(session) = self.sessions.get_mut(serial) else {
            return Ok(());
        };
        let messages = match session.take(self.now, &mut self.clock, ping, opened) {
            Ok(messages) => messages,
            Err(reason) => return self.misbehaved(reason.into()),
        };
        self.counters.heard = true;
        self.counters.bad_sockets = 0;
        self.counters.refusals = 0;
        if self.clock.offset(self.now) != before {
            self.changed();
        }
        for message in messages {
            if let Err(reason) = self.message(serial, message)? {
                self.misbehaved(reason.into())?;
            }
        }
        Ok(())
    }

    /// Acts on one message of the server. The inner error is a rule that the message broke.
    fn message(
        &mut self,
        serial: Serial,
        message: Message,
    ) -> Result<Result<(), MessageError>, ProtocolError> {
        let Message { msg_id, .. } = message;
        trace!(msg_id, constructor = message::constructor(&message.body), "message");
        let body = match message::inflate(message.body) {
            Ok(body) => body,
            Err(error) => return Ok(Err(error)),
        };
        if message::constructor(&body) == service::RpcResult::ID {
            return self.answer(serial, body);
        }
        Ok(self.service(serial, msg_id, body))
    }

    fn service(&mut self, serial: Serial, msg_id: i64, body: Bytes) -> Result<(), MessageError> {
        match message::constructor(&body) {
            types::BadMsgNotification::ID => {
                let notice: types::BadMsgNotification = decode(&body)?;
                return self.rejected(serial, notice.bad_msg_id, notice.error_code, msg_id);
            }
            types::BadServerSalt::ID => {
                let notice: types::BadServerSalt = decode(&body)?;
                return self.salt_rejected(serial, &notice, msg_id);
            }
            types::NewSessionCreated::ID => {
                let notice: types::NewSessionCreated = decode(&body)?;
                self.new_session(serial, &notice);
            }
            types::MsgsAck::ID => {
                let acks: types::MsgsAck = decode(&body)?;
                limit(&acks.msg_ids)?;
                self.outbox.acked(serial, &acks.msg_ids);
                self.counters.rejections = 0;
            }
            types::Pong::ID => {
                let pong: types::Pong = decode(&body)?;
                if self.liveness.pong(pong.ping_id, self.now.uptime) {
                    self.counters.rejections = 0;
                    if self.clock.correct(msg_id, self.now) {
                        self.changed();
                        // What was refused by the wrong clock comes again over another socket.
                        if self.clock.has_missed() {
                            self.reconnect(ReconnectReason::Clock);
                        }
                    }
                }
            }
            service::FutureSalts::ID => {
                let answer: service::FutureSalts = decode(&body)?;
                self.future_salts(serial, &answer);
            }
            types::MsgDetailedInfo::ID => {
                let info: types::MsgDetailedInfo = decode(&body)?;
                self.outbox.acked(serial, &[info.msg_id]);
                self.announced(serial, info.answer_msg_id);
            }
            types::MsgNewDetailedInfo::ID => {
                let info: types::MsgNewDetailedInfo = decode(&body)?;
                self.announced(serial, info.answer_msg_id);
            }
            types::MsgsStateInfo::ID => {
                let info: types::MsgsStateInfo = decode(&body)?;
                let session = self.sessions.get_mut(serial);
                if let Some(asked) =
                    session.and_then(|session| session.questions.answered(info.req_msg_id))
                {
                    self.told(serial, &asked, &info.info);
                }
            }
            types::MsgsAllInfo::ID => {
                let info: types::MsgsAllInfo = decode(&body)?;
                limit(&info.msg_ids)?;
                self.told(serial, &info.msg_ids, &info.info);
            }
            types::MsgsStateReq::ID => {
                let question: types::MsgsStateReq = decode(&body)?;
                limit(&question.msg_ids)?;
                self.tell(serial, msg_id, &question.msg_ids);
            }
            types::MsgResendReq::ID => {
                let question: types::MsgResendReq = decode(&body)?;
                limit(&question.msg_ids)?;
                self.send_again(serial, msg_id, &question.msg_ids);
            }
            id if SILENT.contains(&id) => debug!(id, "service message without a question"),
            _ => self.event(Event::Update(body)),
        }
        Ok(())
    }

    /// The answer to a request.
    fn answer(
        &mut self,
        serial: Serial,
        mut body: Bytes,
    ) -> Result<Result<(), MessageError>, ProtocolError> {
        if body.len() < 12 {
            return Ok(Err(MessageError::Service));
        }
        body.advance(4);
        let msg_id = body.get_i64_le();
        self.counters.rejections = 0;
        let body = message::inflate(body);
        if let Ok(body) = &body
            && self.bound(serial, msg_id, body)?
        {
            return Ok(Ok(()));
        }
        let Some(id) = self.outbox.find(serial, msg_id) else {
            debug!(msg_id, "an answer that nobody waits for");
            return Ok(Ok(()));
        };
        let result = body.and_then(|body| {
            if message::constructor(&body) != types::RpcError::ID {
                return Ok(Ok(body));
            }
            let error: types::RpcError = decode(&body)?;
            Ok(Err(RpcFailure { code: error.error_code, message: error.error_message.to_string() }))
        });
        Ok(match result {
            Ok(Err(failure)) if self.did_not_run(serial, id, &failure) => Ok(()),
            Ok(result) => {
                self.outbox.done(id);
                self.event(Event::Response { id, result });
                Ok(())
            }
            Err(error) => {
                self.outbox.done(id);
                self.event(Event::Failed { id, reason: FailureReason::Unreadable });
                Err(error)
            }
        })
    }

    /// Queues a request anew that the server refused for what stands around it.
    fn did_not_run(&mut self, serial: Serial, id: super::RequestId, failure: &RpcFailure) -> bool {
        match failure.message.as_str() {
            // The one before it in its chain failed, takes long, or is on its way once more.
            "MSG_WAIT_FAILED" | "MSG_WAIT_TIMEOUT" if self.outbox.is_told_to_wait(id) => {
                self.outbox.send_alone(id);
                true
            }
            "AUTH_KEY_PERM_EMPTY" if self.config.forward_secrecy.is_some() => {
                let again = self.outbox.send_anew(id);
                self.unbind(serial);
                again
            }
            _ => false,
        }
    }

    fn future_salts(&mut self, serial: Serial, answer: &service::FutureSalts) {
        let time = self.clock.time(self.now);
        let session = self.sessions.get(serial);
        let Some(key) = session.and_then(|session| self.keys.get_mut(session.auth_key_id)) else {
            return;
        };
        if key.salts.answered(answer.req_msg_id) {
            let salts = answer.salts.iter().map(|salt| Salt {
                valid_since: salt.valid_since.into(),
                valid_until: salt.valid_until.into(),
                salt: salt.salt,
            });
            key.salts.extend(salts, time);
            self.changed();
        }
    }

    /// The server told the states of messages of ours.
    fn told(&mut self, serial: Serial, msg_ids: &[i64], info: &[u8]) {
        let mut lost = Vec::new();
        for (msg_id, state) in msg_ids.iter().zip(info) {
            match self.outbox.told(serial, *msg_id, *state) {
                Verdict::Wait => {}
                Verdict::Fetch => {
                    if let Some(session) = self.sessions.get_carrying_mut(serial) {
                        session.questions.fetch(*msg_id);
                    }
                }
                Verdict::Lost(id) => lost.push((id, FailureReason::Lost)),
            }
        }
        self.fail(lost);
    }

    /// The server asks what became of messages of its own.
    fn tell(&mut self, serial: Serial, question: i64, msg_ids: &[i64]) {
        if let Some(session) = self.sessions.get_carrying_mut(serial) {
            let info = msg_ids.iter().map(|msg_id| session.state(*msg_id)).collect();
            session.questions.tell(question, info);
        }
    }

    /// The server asks for messages of ours. What is not kept any more, it is told so.
    fn send_again(&mut self, serial: Serial, question: i64, msg_ids: &[i64]) {
        let info: Vec<u8> = msg_ids
            .iter()
            .map(|msg_id| {
                let kept = self.outbox.send_again(serial, *msg_id);
                if kept { states::RECEIVED } else { states::FORGOTTEN }
            })
            .collect();
        if info.contains(&states::FORGOTTEN)
            && let Some(session) = self.sessions.get_carrying_mut(serial)
        {
            session.questions.tell(question, info);
        }
    }

    fn quick_ack(&mut self, token: u32) {
        trace!(token, "quick ack");
        for id in self.quick_acks.remove(&token).unwrap_or_default() {
            if self.outbox.contains(id) {
                self.event(Event::Received { id });
            }
        }
    }

    /// A transport error: core.telegram.org/mtproto/mtproto-transports#transport-errors.
    fn refused(&mut self, code: i32) -> Result<(), ProtocolError> {
        self.counters.refusals += u32::from(code != FLOOD);
        let often = self.counters.refusals >= MAX_REFUSALS;
        let known = self.sessions.len() > 0;
        match code {
            WRONG_DC => Err(ProtocolError::WrongDc(self.config.dc_id)),
            UNKNOWN_KEY if often && known => Err(ProtocolError::KeyUnknown),
            _ if often => Err(ProtocolError::Refused(code)),
            _ => {
                // A step of an exchange may be what is meant, but not again and again.
                let key = self.exchange.is_none() || self.counters.refusals > 1;
                if code == UNKNOWN_KEY && key && self.forget_temporary() {
                    debug!("the server does not know the temporary key any more");
                }
                self.reconnect(ReconnectReason::Transport(code));
                Ok(())
            }
        }
    }

    /// Counts a broken rule. A broken envelope costs the socket at once, a message that is out of
    /// place only when there are many: replays and late repetitions happen.
    pub(super) fn misbehaved(&mut self, reason: PeerMisbehaved) -> Result<(), ProtocolError> {
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
}

fn decode<T: Decode>(body: &Bytes) -> Result<T, MessageError> {
    T::from_bytes(body).map_err(|_| MessageError::Service)
}

fn limit(msg_ids: &[i64]) -> Result<(), MessageError> {
    if msg_ids.len() > MAX_IDS { Err(MessageError::Service) } else { Ok(()) }
}

/// Service messages that are never updates, and that are not acted upon here.
const SILENT: [u32; 3] =
    [types::MsgResendAnsReq::ID, types::DestroySessionOk::ID, types::DestroySessionNone::ID];

const UNKNOWN_KEY: i32 = -404;
const FLOOD: i32 = -429;
const WRONG_DC: i32 = -444;

/// How many discarded messages cost a socket.
const MAX_STRIKES: u32 = 32;

/// How many sockets in a row may end by broken rules.
const MAX_BAD_SOCKETS: u32 = 5;

/// How many sockets in a row may end with a transport error.
const MAX_REFUSALS: u32 = 4;
