//! Keys of a connection: the exchange that makes one, and the binding of a temporary one to the
//! permanent one, for perfect forward secrecy.
//!
//! See core.telegram.org/mtproto/auth_key and core.telegram.org/api/pfs.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use chappe_crypto::{AuthKey, Side, message_key};
use chappe_tl::service::types;
use chappe_tl::{Decode, write_bytes};
use rand_core::Rng;
use tracing::{debug, warn};

use super::sessions::Binding;
use super::{Connection, Event, Link, Output, Ready, ReconnectReason, Resume};
use crate::error::ProtocolError;
use crate::handshake::HandshakeError;
use crate::handshake::client::{Completed, Handshake, Mode, Step};
use crate::keys::Life;
use crate::message::{self, Low, MessageIds};
use crate::packet;
use crate::salts::{Salt, Salts, seconds};
use crate::session::{Parcel, Serial, Session};

/// A key exchange under way.
pub(super) struct Exchange {
    handshake: Box<Handshake>,
    ids: MessageIds,
    temporary: bool,
    /// The uptime at which it must be done.
    pub(super) deadline: Duration,
}

impl Connection {
    /// Does what a new socket, or a new key, asks for: the missing key, its binding, or calls.
    pub(super) fn begin(&mut self) {
        if self.keys.permanent().is_none() {
            return self.start_exchange(false);
        }
        let now = self.now.uptime;
        let Some(current) = self.sessions.current() else {
            return self.start_exchange(self.config.forward_secrecy.is_some());
        };
        let (serial, auth_key_id) = (current.serial, current.auth_key_id);
        let life = self.keys.get(auth_key_id).map(|key| key.life);
        match (self.config.forward_secrecy, life) {
            (None, _) => self.ready(),
            (Some(_), Some(Some(life))) if life.end > now => self.ready(),
            (Some(_), _) => {
                // Nothing was said under a permanent key; under one that is over, nobody knows.
                self.orphan(serial, None);
                self.start_exchange(true);
            }
        }
    }

    /// When a successor of the temporary key is due.
    pub(super) fn renewal(&self) -> Option<Duration> {
        let current = self.sessions.current()?;
        let life = self.keys.get(current.auth_key_id)?.life?;
        (self.exchange.is_none() && self.sessions.next.is_none()).then_some(life.renew)
    }

    /// Makes a successor of the temporary key in time, beside the calls.
    pub(super) fn renew(&mut self) {
        if self.renewal().is_some_and(|due| due <= self.now.uptime) {
            debug!("the temporary key is about to end");
            self.start_exchange(true);
        }
    }

    /// When the first temporary key of a session of the past ends.
    pub(super) fn end(&self) -> Option<Duration> {
        let lives = self.sessions.past().filter_map(|old| self.keys.get(old.auth_key_id)?.life);
        lives.map(|life| life.end).min()
    }

    /// Leaves sessions of the past whose temporary key is over: the server would refuse the socket
    /// for one more word.
    pub(super) fn leave(&mut self) {
        let now = self.now.uptime;
        let over = |old: &&Session| {
            let life = self.keys.get(old.auth_key_id).and_then(|key| key.life);
            life.is_some_and(|life| life.end <= now)
        };
        let over: Vec<Serial> = self.sessions.past().filter(over).map(|old| old.serial).collect();
        for serial in over {
            self.orphan(serial, None);
        }
    }

    fn start_exchange(&mut self, temporary: bool) {
        let mode = match self.config.forward_secrecy.filter(|_| temporary) {
            None => Mode::Permanent,
            Some(life) => {
                let life = life.max(SHORTEST_LIFE).as_secs();
                Mode::Temporary { expires_in: i32::try_from(life).unwrap_or(i32::MAX) }
            }
        };
        let mut handshake =
            Box::new(Handshake::new(self.config.dc_id, &self.config.server_keys, mode));
        let body = handshake.start(&mut self.rng);
        let deadline = self.now.uptime + DEADLINE;
        self.exchange =
            Some(Exchange { handshake, ids: MessageIds::default(), temporary, deadline });
        self.transmit_plain(&body);
    }

    fn transmit_plain(&mut self, body: &[u8]) {
        let (Some(exchange), Link::Up(transport)) = (&mut self.exchange, &mut self.link) else {
            return;
        };
        let msg_id = exchange.ids.next(self.clock.time(self.now), Low::Client);
        let packet = packet::seal_plain(msg_id, body);
        let mut out = BytesMut::new();
        if transport.pack(&packet, false, &mut self.rng, &mut out).is_ok() {
            self.output.push_back(Output::Transmit(out.freeze()));
        }
    }

    /// Takes an answer of the exchange.
    pub(super) fn exchanged(&mut self, body: &[u8]) -> Result<(), ProtocolError> {
        let Some(exchange) = &mut self.exchange else {
            return Ok(());
        };
        let temporary = exchange.temporary;
        match exchange.handshake.step(body, self.now, &mut self.rng) {
            Ok(Step::Send(body)) => self.transmit_plain(&body),
            Ok(Step::Done(done)) => {
                self.exchange = None;
                self.counters.exchanges = 0;
                self.created(done, temporary);
            }
            Err(error) => return self.exchange_failed(error),
        }
        Ok(())
    }

    /// A failed exchange costs the socket: a single broken byte, or a server that is busy, looks
    /// like a forgery. A few in a row are one.
    fn exchange_failed(&mut self, error: HandshakeError) -> Result<(), ProtocolError> {
        warn!(%error, "the key exchange failed");
        self.counters.exchanges += 1;
        let patience = match error {
            HandshakeError::UnknownRsaKey | HandshakeError::RsaKey => 2,
            _ => MAX_FAILURES,
        };
        if self.counters.exchanges >= patience {
            return Err(error.into());
        }
        self.exchange = None;
        self.reconnect(ReconnectReason::Exchange(error));
        Ok(())
    }

    fn created(&mut self, done: Completed, temporary: bool) {
        if !self.clock.is_synced() {
            self.clock.set_offset(done.time_offset, self.now);
        }
        let time = self.clock.time(self.now);
        let mut salts = Salts::default();
        salts.replace(done.server_salt, time);
        let salts: Vec<Salt> = salts.list().to_vec();
        let auth_key_id = done.auth_key.id();
        if !temporary {
            self.keys.add_permanent(done.auth_key.clone(), salts.clone());
            let time_offset = self.clock.offset(self.now);
            self.event(Event::KeyCreated(Resume { key: done.auth_key, salts, time_offset }));
            if self.config.forward_secrecy.is_none() {
                self.open_session(auth_key_id);
            }
            return self.begin();
        }
        let expires_at = done.expires_at.unwrap_or(i64::MAX);
        let left = u64::try_from(expires_at.saturating_sub(seconds(time))).unwrap_or(0);
        let left = Duration::from_secs(left);
        let end = self.now.uptime.saturating_add(left);
        let renew = end.saturating_sub(RENEW_BEFORE.min(left / 4));
        self.keys.add_temporary(done.auth_key, salts, Life { expires_at, renew, end });
        let serial = self.sessions.serial();
        let session = Session::new(serial, auth_key_id, &mut self.rng);
        let deadline = self.now.uptime + DEADLINE;
        self.sessions.next = Some(Binding { session, request: None, deadline });
    }

    /// Lays out the request that binds the temporary key of a session to the permanent one. It is
    /// the first of its session and alone in its packet.
    pub(super) fn next_binding(&mut self, serial: Serial) -> Option<Ready> {
        let time = self.clock.time(self.now);
        let next = self.sessions.next.as_mut().filter(|next| next.session.serial == serial)?;
        if next.request.is_some() {
            return None;
        }
        let auth_key_id = next.session.auth_key_id;
        let permanent = self.keys.permanent()?.key.clone();
        let key = self.keys.get_mut(auth_key_id)?;
        let expires_at = i32::try_from(key.life?.expires_at).unwrap_or(i32::MAX);
        let (msg_id, seqno) = next.session.number(time, true);
        let nonce = self.rng.next_u64().cast_signed();
        let inner = types::BindAuthKeyInner {
            nonce,
            temp_auth_key_id: auth_key_id,
            perm_auth_key_id: permanent.id(),
            temp_session_id: next.session.session_id,
            expires_at,
        };
        let mut random = [0; 31];
        self.rng.fill_bytes(&mut random);
        let encrypted = seal_inner(&permanent, msg_id, &inner, random)?;
        let body = bind_request(permanent.id(), nonce, expires_at, &encrypted);
        let mut parcel = Parcel::default();
        Session::add_numbered(&mut parcel, body, (msg_id, seqno));
        let salt = key.salts.current(time);
        let (draft, _) = next.session.close(salt, time, parcel, &mut self.rng);
        next.request = Some(msg_id);
        Some(Ready { auth_key_id, draft, quick_ack: Vec::new() })
    }

    /// Takes the answer to the request that binds. `false` if it answers something else.
    pub(super) fn bound(
        &mut self,
        serial: Serial,
        msg_id: i64,
        result: &Bytes,
    ) -> Result<bool, ProtocolError> {
        let is_answer =
            |next: &mut Binding| next.session.serial == serial && next.request == Some(msg_id);
        let Some(next) = self.sessions.next.take_if(|next| is_answer(next)) else {
            return Ok(false);
        };
        if message::constructor(result) == BOOL_TRUE {
            self.counters.unbound = 0;
            let first = self.sessions.current().is_none();
            self.sessions.replace(next.session);
            self.leave_oldest();
            self.event(Event::Renewed);
            if first {
                self.ready();
            }
            return Ok(true);
        }
        let error = types::RpcError::from_bytes(result);
        let name = error.map(|error| error.error_message.to_string()).unwrap_or_default();
        warn!(error = %name, "the temporary key could not be bound");
        self.keys.remove(next.session.auth_key_id);
        self.counters.unbound += 1;
        // Observed: a permanent key that the server forgot shows in this way only.
        if self.counters.unbound >= MAX_FAILURES {
            return Err(ProtocolError::KeyUnknown);
        }
        self.reconnect(ReconnectReason::Unbound);
        Ok(true)
    }

    /// The request that binds was refused for its salt, its time or its number: it is made anew.
    pub(super) fn bind_again(&mut self, msg_ids: &[i64]) {
        if let Some(next) = &mut self.sessions.next
            && next.request.is_some_and(|request| msg_ids.contains(&request))
        {
            next.request = None;
        }
    }

    /// A session that was not bound when its socket died is not waited for: a new key is as good.
    pub(super) fn drop_unbound(&mut self) {
        if let Some(next) = self.sessions.next.take() {
            self.keys.remove(next.session.auth_key_id);
        }
    }

    /// The server says that the key of a session is not bound to anything any more, and did not
    /// run what was said under it. Another key is made.
    pub(super) fn unbind(&mut self, serial: Serial) {
        if self.sessions.is_current(serial) {
            self.sessions.unseat();
            self.liveness.stop();
            if self.exchange.is_none() && self.sessions.next.is_none() {
                self.start_exchange(true);
            }
        }
    }

    /// The server does not know the temporary keys: they and all that was said under them are
    /// gone. `true` if there were any.
    pub(super) fn forget_temporary(&mut self) -> bool {
        let unread = (!self.counters.heard).then_some(self.socket);
        let temporary = self.sessions.iter().filter(|session| {
            self.keys.get(session.auth_key_id).is_some_and(|key| key.life.is_some())
        });
        let temporary: Vec<Serial> = temporary.map(|session| session.serial).collect();
        for serial in &temporary {
            self.orphan(*serial, unread);
        }
        !temporary.is_empty()
    }

    fn orphan(&mut self, serial: Serial, unread: Option<u64>) {
        let lost = self.outbox.orphaned(serial, unread);
        self.fail(lost);
        if let Some(session) = self.sessions.remove(serial) {
            self.drop_unused_key(session.auth_key_id);
        }
    }
}

/// The message of version 1 by which the permanent key vouches for the temporary one.
/// See core.telegram.org/api/pfs#binding-message-contents.
fn seal_inner(
    permanent: &AuthKey,
    msg_id: i64,
    inner: &types::BindAuthKeyInner,
    random: [u8; 31],
) -> Option<Vec<u8>> {
    let inner = chappe_tl::Encode::to_bytes(inner);
    let (front, padding) = random.split_first_chunk::<16>()?;
    let mut plain = BytesMut::with_capacity(32 + inner.len());
    // In the place of salt and session: random.
    plain.extend_from_slice(front);
    plain.put_i64_le(msg_id);
    plain.put_i32_le(0);
    plain.put_i32_le(i32::try_from(inner.len()).ok()?);
    plain.extend_from_slice(&inner);
    message_key::seal_v1(permanent, Side::Client, &plain, padding.first_chunk()?).ok()
}

/// `auth.bindTempAuthKey`.
fn bind_request(perm_auth_key_id: i64, nonce: i64, expires_at: i32, encrypted: &[u8]) -> Bytes {
    let mut body = Vec::with_capacity(32 + encrypted.len());
    body.put_u32_le(BIND_TEMP_AUTH_KEY);
    body.put_i64_le(perm_auth_key_id);
    body.put_i64_le(nonce);
    body.put_i32_le(expires_at);
    write_bytes(&mut body, encrypted);
    body.into()
}

const BIND_TEMP_AUTH_KEY: u32 = 0xcdd4_2a05;
const BOOL_TRUE: u32 = 0x9972_75b5;

/// How long an exchange, or a binding, may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// How many exchanges or bindings in a row may fail.
const MAX_FAILURES: u32 = 5;

/// A temporary key is made for no shorter.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);

/// How long before the end of a temporary key its successor is made, or a quarter of its life.
/// Observed: TDLib does so one to two minutes before.
const RENEW_BEFORE: Duration = Duration::from_secs(120);
