//! What the server says about messages: refused, with another salt, of a new session, waiting.

use chappe_tl::service::types;
use tracing::debug;

use super::{Connection, Event, Phase};
use crate::message::{self, Age, MessageError};

impl Connection {
    /// `bad_msg_notification`: core.telegram.org/mtproto/service_messages_about_messages.
    pub(super) fn rejected(
        &mut self,
        msg_id: i64,
        code: i32,
        notice: i64,
    ) -> Result<(), MessageError> {
        let Phase::Session(session) = &mut self.phase else {
            return Ok(());
        };
        // Code 19: the server had a container of this id before, so all that is in it.
        if code == 19 || !session.is_ours(msg_id) {
            debug!(msg_id, code, "a notice that changes nothing");
            return Ok(());
        }
        debug!(msg_id, code, "a message was refused");
        let anew = session.is_refused_anew(msg_id);
        if matches!(code, 16 | 17) {
            session.set_clock(notice, self.now);
            self.changed();
        }
        self.send_anew(msg_id, code);
        // A clock that ran ahead leaves ids behind that the next ones would have to exceed; the
        // other codes mean that both sides count differently.
        if !matches!(code, 16 | 20) {
            self.restart();
        }
        self.count_rejection(anew)
    }

    pub(super) fn salt_rejected(
        &mut self,
        notice: &types::BadServerSalt,
        notice_id: i64,
    ) -> Result<(), MessageError> {
        let Phase::Session(session) = &mut self.phase else {
            return Ok(());
        };
        if !session.is_ours(notice.bad_msg_id) {
            return Ok(());
        }
        let anew = session.is_refused_anew(notice.bad_msg_id);
        if message::age(notice_id, session.server_time(self.now)) != Age::Fresh {
            session.set_clock(notice_id, self.now);
        }
        let time = session.server_time(self.now);
        session.salts.replace(notice.new_server_salt, time);
        self.changed();
        self.send_anew(notice.bad_msg_id, notice.error_code);
        self.count_rejection(anew)
    }

    /// A server that refuses whatever is sent would be asked again at the speed of the network:
    /// that ends with the socket, whose next one the driver opens at its leisure.
    fn count_rejection(&mut self, anew: bool) -> Result<(), MessageError> {
        self.counters.rejections += u32::from(anew);
        if self.counters.rejections > MAX_REJECTIONS {
            self.counters.rejections = 0;
            return Err(MessageError::RefusalLoop);
        }
        Ok(())
    }

    /// Queues what was in a refused message.
    fn send_anew(&mut self, msg_id: i64, code: i32) {
        let Phase::Session(session) = &mut self.phase else {
            return;
        };
        let hit = session.rejected(msg_id, self.now).unwrap_or_default();
        self.liveness.rejected(&hit, self.now.uptime);
        let failures =
            hit.iter().filter_map(|msg_id| self.outbox.rejected(*msg_id, code)).collect();
        self.fail(failures);
    }

    /// Begins a new session on the same socket.
    fn restart(&mut self) {
        if let Phase::Session(session) = &mut self.phase {
            session.restart(&mut self.rng);
        }
        let lost = self.outbox.restart();
        self.fail(lost);
        self.drops.clear();
        self.wanted.clear();
    }

    pub(super) fn new_session(&mut self, notice: &types::NewSessionCreated) {
        let Phase::Session(session) = &mut self.phase else {
            return;
        };
        if !session.announce(notice.unique_id) {
            return;
        }
        let time = session.server_time(self.now);
        if session.salts.learn(notice.server_salt, time) {
            self.changed();
        }
        let lost = self.outbox.forgotten(notice.first_msg_id);
        self.fail(lost);
        self.event(Event::NewSession {
            first_msg_id: notice.first_msg_id,
            unique_id: notice.unique_id,
        });
    }

    /// The server has an answer that it does not send by itself.
    pub(super) fn announced(&mut self, msg_id: i64) {
        let Phase::Session(session) = &mut self.phase else {
            return;
        };
        if session.has(msg_id) {
            session.acknowledge(msg_id, self.now);
        } else if self.wanted.len() < MAX_WANTED {
            self.wanted.push(msg_id);
        }
    }
}

/// How many messages in a row may be refused, each made after the refusal of the one before.
const MAX_REJECTIONS: u32 = 5;

/// How many answers may be asked for at once.
const MAX_WANTED: usize = 1024;
