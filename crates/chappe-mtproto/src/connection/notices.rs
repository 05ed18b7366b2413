//! What the server says about messages: refused, with another salt, of a new session, waiting.

use chappe_tl::service::types;
use tracing::debug;

use super::{Connection, Event};
use crate::message::{self, Age, MessageError};
use crate::session::Serial;

impl Connection {
    /// `bad_msg_notification`: core.telegram.org/mtproto/service_messages_about_messages.
    pub(super) fn rejected(
        &mut self,
        serial: Serial,
        msg_id: i64,
        code: i32,
        notice: i64,
    ) -> Result<(), MessageError> {
        let Some(session) = self.sessions.get_mut(serial) else {
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
            self.clock.set_by(notice, self.now);
            self.changed();
        }
        self.send_anew(serial, msg_id, code);
        // A clock that ran ahead leaves ids behind that the next ones would have to exceed; the
        // other codes mean that both sides count differently.
        if !matches!(code, 16 | 20) {
            let replaced = !self.sessions.is_current(serial);
            self.restart(serial);
            if replaced || code == 17 {
                self.mute(serial);
            }
        }
        self.count_rejection(anew)
    }

    pub(super) fn salt_rejected(
        &mut self,
        serial: Serial,
        notice: &types::BadServerSalt,
        notice_id: i64,
    ) -> Result<(), MessageError> {
        let Some(session) = self.sessions.get_mut(serial) else {
            return Ok(());
        };
        if !session.is_ours(notice.bad_msg_id) {
            return Ok(());
        }
        let anew = session.is_refused_anew(notice.bad_msg_id);
        let auth_key_id = session.auth_key_id;
        if message::age(notice_id, self.clock.time(self.now)) != Age::Fresh {
            self.clock.set_by(notice_id, self.now);
        }
        if let Some(key) = self.keys.get_mut(auth_key_id) {
            key.salts.replace(notice.new_server_salt, self.clock.time(self.now));
        }
        self.changed();
        self.send_anew(serial, notice.bad_msg_id, notice.error_code);
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
    fn send_anew(&mut self, serial: Serial, msg_id: i64, code: i32) {
        let Some(session) = self.sessions.get_mut(serial) else {
            return;
        };
        let hit = session.rejected(msg_id, self.now).unwrap_or_default();
        session.questions.rejected(&hit);
        self.liveness.rejected(&hit, self.now.uptime);
        self.bind_again(&hit);
        let refused = |id: &i64| self.outbox.rejected(serial, *id, code, *id == msg_id);
        let failures = hit.iter().filter_map(refused).collect();
        self.fail(failures);
    }

    pub(super) fn new_session(&mut self, serial: Serial, notice: &types::NewSessionCreated) {
        let Some(session) = self.sessions.get_mut(serial) else {
            return;
        };
        if !session.announce(notice.unique_id) {
            return;
        }
        let time = self.clock.time(self.now);
        let key = self.keys.get_mut(session.auth_key_id);
        if key.is_some_and(|key| key.salts.learn(notice.server_salt, time)) {
            self.changed();
        }
        let lost = self.outbox.forgotten(serial, notice.first_msg_id);
        self.fail(lost);
        self.event(Event::NewSession {
            first_msg_id: notice.first_msg_id,
            unique_id: notice.unique_id,
        });
    }

    /// The server has an answer that it does not send by itself.
    pub(super) fn announced(&mut self, serial: Serial, msg_id: i64) {
        let Some(session) = self.sessions.get_carrying_mut(serial) else {
            return;
        };
        if session.has(msg_id) {
            session.acknowledge(msg_id, self.now);
        } else {
            session.questions.want(msg_id);
        }
    }
}

/// How many messages in a row may be refused, each made after the refusal of the one before.
const MAX_REJECTIONS: u32 = 5;
