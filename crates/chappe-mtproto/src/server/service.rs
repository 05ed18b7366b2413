//! Service messages: what the server answers by itself.
//!
//! See core.telegram.org/mtproto/service_messages and
//! core.telegram.org/mtproto/service_messages_about_messages.

use bytes::Bytes;
use chappe_tl::service::{
    self, DestroyAuthKeyRes, DestroySessionRes, FutureSalts, RpcResult, enums, types,
};
use chappe_tl::{Decode, Encode};

use super::session::Stage;
use super::{LinkId, Server, ServerEvent, SessionRef};
use crate::message::{self, Low, MAX_IDS, MessageError, Seen};
use crate::states;

impl Server {
    /// Acts on a service message.
    pub(super) fn service(
        &mut self,
        link_id: LinkId,
        session: SessionRef,
        msg_id: i64,
        body: &Bytes,
    ) -> Result<(), MessageError> {
        match message::constructor(body) {
            types::MsgsAck::ID => {
                let acks: types::MsgsAck = decode(body)?;
                self.acked(session, &limited(acks.msg_ids)?);
            }
            service::Ping::ID => {
                let service::Ping { ping_id } = decode(body)?;
                self.send(session, &types::Pong { msg_id, ping_id });
            }
            service::PingDelayDisconnect::ID => {
                let service::PingDelayDisconnect { ping_id, disconnect_delay } = decode(body)?;
                self.send(session, &types::Pong { msg_id, ping_id });
                self.hang_up_in(link_id, disconnect_delay);
            }
            service::GetFutureSalts::ID => {
                let service::GetFutureSalts { num } = decode(body)?;
                self.future_salts(session, msg_id, num);
            }
            types::MsgsStateReq::ID => {
                let request: types::MsgsStateReq = decode(body)?;
                self.states(session, msg_id, &limited(request.msg_ids)?);
            }
            types::MsgResendReq::ID => {
                let request: types::MsgResendReq = decode(body)?;
                self.resend(session, msg_id, &limited(request.msg_ids)?);
            }
            types::MsgResendAnsReq::ID => {
                let request: types::MsgResendAnsReq = decode(body)?;
                self.resend_answers(session, msg_id, &limited(request.msg_ids)?);
            }
            service::RpcDropAnswer::ID => {
                let service::RpcDropAnswer { req_msg_id } = decode(body)?;
                self.drop_answer(session, msg_id, req_msg_id);
            }
            service::DestroySession::ID => {
                let service::DestroySession { session_id } = decode(body)?;
                self.destroy_session(session, session_id);
            }
            service::DestroyAuthKey::ID => self.destroy_auth_key(link_id, session),
            // `http_wait`, and what a client volunteers about its own messages.
            _ => {}
        }
        Ok(())
    }

    fn acked(&mut self, session_ref: SessionRef, msg_ids: &[i64]) {
        for msg_id in msg_ids {
            let session = self.sessions.get_mut(&session_ref);
            if session.is_some_and(|session| session.acked(*msg_id)) {
                self.event(ServerEvent::Acked { session: session_ref, msg_id: *msg_id });
            }
        }
    }

    /// `num` salts, but never fewer than two.
    /// Observed: a client asks without end while it holds fewer.
    fn future_salts(&mut self, session: SessionRef, req_msg_id: i64, num: i32) {
        let count = i64::from(num.clamp(MIN_SALTS, MAX_SALTS));
        let answer = FutureSalts {
            req_msg_id,
            now: i32::try_from(self.now.unix.as_secs()).unwrap_or(i32::MAX),
            salts: self.salts.coming(session.auth_key_id, self.now.unix, count),
        };
        self.send(session, &answer);
    }

    fn states(&mut self, session_ref: SessionRef, req_msg_id: i64, msg_ids: &[i64]) {
        let Some(session) = self.sessions.get(&session_ref) else {
            return;
        };
        let info: Vec<u8> = msg_ids.iter().map(|msg_id| session.state(*msg_id)).collect();
        self.send(session_ref, &types::MsgsStateInfo { req_msg_id, info: info.into() });
    }

    /// Sends kept messages again; when some are not kept, says so about all.
    fn resend(&mut self, session_ref: SessionRef, req_msg_id: i64, msg_ids: &[i64]) {
        let Some(session) = self.sessions.get_mut(&session_ref) else {
            return;
        };
        let info: Vec<u8> = msg_ids
            .iter()
            .map(
                |msg_id| {
                    if session.send_again(*msg_id) { states::RECEIVED } else { states::FORGOTTEN }
                },
            )
            .collect();
        if info.contains(&states::FORGOTTEN) {
            self.send(session_ref, &types::MsgsStateInfo { req_msg_id, info: info.into() });
        }
    }

    fn resend_answers(&mut self, session_ref: SessionRef, req_msg_id: i64, msg_ids: &[i64]) {
        let Some(session) = self.sessions.get_mut(&session_ref) else {
            return;
        };
        let mut complete = true;
        for msg_id in msg_ids {
            let answer = match session.look(*msg_id) {
                Seen::Before(Stage::Answered(answer)) => Some(*answer),
                _ => None,
            };
            complete &= answer.is_some_and(|answer| session.send_again(answer));
        }
        if !complete {
            self.states(session_ref, req_msg_id, msg_ids);
        }
    }

    fn drop_answer(&mut self, session_ref: SessionRef, msg_id: i64, req_msg_id: i64) {
        let Some(session) = self.sessions.get_mut(&session_ref) else {
            return;
        };
        let stage = session.stage_mut(req_msg_id);
        let result = match stage.as_deref() {
            Some(Stage::Running) => {
                if let Some(stage) = stage {
                    *stage = Stage::Dropped;
                }
                enums::RpcDropAnswer::RpcAnswerDroppedRunning
            }
            Some(Stage::Answered(answer)) => {
                let answer = *answer;
                match session.drop_answer(answer) {
                    Some((seq_no, length)) => types::RpcAnswerDropped {
                        msg_id: answer,
                        seq_no,
                        bytes: i32::try_from(length).unwrap_or(i32::MAX),
                    }
                    .into(),
                    None => enums::RpcDropAnswer::RpcAnswerUnknown,
                }
            }
            _ => enums::RpcDropAnswer::RpcAnswerUnknown,
        };
        let running = result == enums::RpcDropAnswer::RpcAnswerDroppedRunning;
        let result = result.to_bytes();
        if running {
            // The request gets the same answer as the request to drop it.
            let body = RpcResult { req_msg_id, result: result.clone() }.to_bytes();
            self.send_kept(session_ref, Low::Answer, body, false);
            self.event(ServerEvent::RequestDropped { session: session_ref, msg_id: req_msg_id });
        }
        let body = RpcResult { req_msg_id: msg_id, result }.to_bytes();
        self.send_kept(session_ref, Low::Answer, body, false);
    }

    /// Ends another session of the same key.
    fn destroy_session(&mut self, session: SessionRef, session_id: i64) {
        let other = SessionRef { session_id, ..session };
        let answer = if other != session && self.sessions.contains_key(&other) {
            self.destroy(other);
            DestroySessionRes::from(types::DestroySessionOk { session_id })
        } else {
            DestroySessionRes::from(types::DestroySessionNone { session_id })
        };
        self.send(session, &answer);
    }

    /// Forgets the key after the answer that it is the last to encrypt.
    fn destroy_auth_key(&mut self, link_id: LinkId, session: SessionRef) {
        let auth_key_id = session.auth_key_id;
        self.send(session, &DestroyAuthKeyRes::DestroyAuthKeyOk);
        self.flush(session);
        self.hang_up(link_id);
        self.event(ServerEvent::KeyDestroyed { auth_key_id });
        self.forget_key(self.now, auth_key_id);
    }
}

fn decode<T: Decode>(body: &Bytes) -> Result<T, MessageError> {
    T::from_bytes(body).map_err(|_| MessageError::Service)
}

fn limited(msg_ids: Vec<i64>) -> Result<Vec<i64>, MessageError> {
    if msg_ids.len() > MAX_IDS { Err(MessageError::Service) } else { Ok(msg_ids) }
}

const MIN_SALTS: i32 = 2;
const MAX_SALTS: i32 = 64;
