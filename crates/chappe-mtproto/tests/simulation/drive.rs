//! The drivers of a schedule: what owns the clients and the server, and the users of both.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use chappe_crypto::AuthKey;
use chappe_mtproto::connection::{
    Event, FailureReason, Input, Output, RequestId, RequestOptions, RpcFailure,
};
use chappe_mtproto::message;
use chappe_mtproto::server::{LinkId, ServerEvent, ServerOutput, SessionRef};
use chappe_mtproto::time::Now;

use super::plan::{Ask, Family, Reply, When};
use super::rogue::ROGUES;
use super::strange::Oddity;
use super::world::{Call, End, Push, Sabotage, Todo, World, unix};
use crate::common::bound_to;

impl World {
    pub(super) fn server_now(&self) -> Now {
        Now::new(self.time, unix(self.time, self.server_skew))
    }

    pub(super) fn client_now(&self, client: usize) -> Now {
        let client = &self.clients[client];
        Now::new(self.time.saturating_sub(client.slept), unix(self.time, client.skew))
    }

    /// When a client wants to be woken, by the clock of the world.
    pub(super) fn client_wake(&self, client: usize) -> Option<Duration> {
        let sleeper = &self.clients[client];
        if sleeper.asleep.is_some() {
            return None;
        }
        if self.sabotage == Some(Sabotage::WakeAlways) && !self.closing {
            return Some(self.time);
        }
        Some(sleeper.wake?.saturating_add(sleeper.slept))
    }

    pub(super) fn input(&mut self, client: usize, input: Input<'_>) {
        let now = self.client_now(client);
        let receiver = &mut self.clients[client];
        if let Err(error) = receiver.connection.handle(now, input)
            && receiver.error.is_none()
        {
            receiver.error = Some(error.clone());
            self.note(|| format!("client {client} ends: {error}"));
        }
        self.drain_client(client);
    }

    pub(super) fn drain_client(&mut self, client: usize) {
        let mut closes = false;
        for drained in 0.. {
            if drained > DRAIN {
                return self.break_rule(format!("client {client} never stops to speak"));
            }
            match self.clients[client].connection.poll() {
                Output::Transmit(bytes) => {
                    if self.sabotage == Some(Sabotage::SendAgain) && self.chance.percent(5) {
                        self.client_sent(client, &bytes);
                    }
                    self.client_sent(client, &bytes);
                }
                Output::Event(Event::Reconnect(reason)) => {
                    self.note(|| format!("client {client} gives its socket up: {reason:?}"));
                    if self.plan.family == Family::Slow {
                        self.break_rule(format!(
                            "client {client} gives a slow line up: {reason:?}"
                        ));
                    }
                    closes = true;
                }
                Output::Event(event) => self.client_event(client, event),
                Output::Timeout(wake) => {
                    self.clients[client].wake = wake;
                    break;
                }
            }
        }
        self.census_client(client);
        if self.clients[client].error.is_some() {
            self.end(client);
        } else if closes {
            self.hang_up(client);
            self.input(client, Input::Disconnected);
            self.dial_again(client);
        }
    }

    /// The connection is over, and all requests with it.
    pub(super) fn end(&mut self, client: usize) {
        self.hang_up(client);
        let open = std::mem::take(&mut self.clients[client].open);
        for number in open.into_values() {
            self.calls[number].end = Some(End::Terminal);
        }
    }

    fn client_event(&mut self, client: usize, event: Event) {
        if let Event::KeyCreated(resume) | Event::Changed(resume) = &event {
            let kept = &mut self.clients[client].kept;
            *kept = [Some(resume.clone()), kept[0].take()];
        }
        match event {
            Event::Response { id, result } => {
                self.clients[client].doubted = false;
                self.response(client, id, Ok(result));
            }
            Event::Failed { id, reason } => {
                self.note(|| format!("client {client}: {id:?} failed: {reason:?}"));
                self.response(client, id, Err(End::Failed(reason)));
            }
            Event::Update(body) => {
                self.shown(client, &body);
                if self.sabotage == Some(Sabotage::PushTwice) {
                    self.shown(client, &body);
                }
            }
            Event::Received { id } => {
                let sender = &self.clients[client];
                let asked =
                    sender.open.get(&id).is_some_and(|call| self.calls[*call].ask.quick_ack);
                if !asked {
                    self.break_rule(format!("client {client}: {id:?} was received, by surprise"));
                }
            }
            Event::KeyCreated(resume) => self.clients[client].key_id = Some(resume.key.id()),
            other => self.note(|| format!("client {client}: {}", name(&other))),
        }
    }

    fn response(
        &mut self,
        client: usize,
        id: RequestId,
        result: Result<Result<Bytes, RpcFailure>, End>,
    ) {
        if self.sabotage == Some(Sabotage::LoseEvents) && self.chance.percent(5) {
            return;
        }
        let Some(number) = self.clients[client].open.remove(&id) else {
            let why =
                if self.clients[client].cancelled.contains(&id) { "cancelled" } else { "ended" };
            return self.break_rule(format!("client {client}: {id:?} is {why} and was heard of"));
        };
        self.note(|| match &result {
            Ok(_) => format!("client {client}: call {number} is answered"),
            Err(end) => format!("client {client}: call {number} ends: {end:?}"),
        });
        let end = match result {
            Ok(result) => {
                let reply = self.calls[number].ask.reply;
                if result != answer_of(number, reply) && !self.lies {
                    self.break_rule(format!("call {number} got what answers something else"));
                }
                End::Answered
            }
            Err(end) => end,
        };
        self.calls[number].end = Some(end);
    }

    fn shown(&mut self, client: usize, body: &Bytes) {
        let Some(number) = number_of(PUSH, body).filter(|number| *number < self.pushes.len())
        else {
            if !self.lies {
                self.break_rule(format!("client {client} shows what nobody pushed"));
            }
            return;
        };
        let push = &mut self.pushes[number];
        push.shown += 1;
        let right = push.client == client && *body == filled(PUSH, number, push.words, true);
        self.note(|| format!("client {client} shows push {number}"));
        if !right {
            self.break_rule(format!("push {number} was changed or shown to another"));
        }
    }

    pub(super) fn request(&mut self, client: usize, ask: Ask) {
        let number = self.calls.len();
        let body = filled(REQUEST, number, ask.words, ask.compressible);
        let options = RequestOptions {
            no_resend: ask.no_resend,
            no_gzip: ask.no_gzip,
            chain: ask.chain,
            quick_ack: ask.quick_ack,
        };
        let now = self.client_now(client);
        let id = self.clients[client].connection.request(now, body, options);
        self.note(|| format!("client {client}: call {number} is {id:?}, {options:?}"));
        if self.sabotage == Some(Sabotage::ForgetRequest) {
            return;
        }
        let dead = self.clients[client].error.is_some();
        let end = dead.then_some(End::Terminal);
        self.calls.push(Call { client, ask, end, runs: 0 });
        if !dead {
            self.clients[client].open.insert(id, number);
        }
    }

    pub(super) fn cancel(&mut self, client: usize, which: u64) {
        let now = self.client_now(client);
        let sender = &mut self.clients[client];
        let open: Vec<_> = sender.open.iter().map(|(id, number)| (*id, *number)).collect();
        if open.is_empty() {
            return;
        }
        let place = usize::try_from(which % u64::try_from(open.len()).unwrap()).unwrap();
        let (id, number) = open[place];
        self.note(|| format!("client {client} cancels call {number}"));
        let sender = &mut self.clients[client];
        sender.connection.cancel(now, id);
        sender.open.remove(&id);
        sender.cancelled.insert(id);
        self.calls[number].end = Some(End::Cancelled);
        if self.sabotage == Some(Sabotage::ReportCancelled) {
            self.response(client, id, Err(End::Failed(FailureReason::Lost)));
        }
        self.drain_client(client);
    }

    pub(super) fn push(&mut self, client: usize, words: usize) {
        let number = self.pushes.len();
        let receiver = &self.clients[client];
        let (Some(auth_key_id), Some(session_id)) = (receiver.key_id, receiver.session) else {
            return;
        };
        let session = SessionRef { auth_key_id, session_id };
        let body = filled(PUSH, number, words, true);
        if let Some(msg_id) = self.server.push(self.server_now(), session, body) {
            self.note(|| format!("push {number} to client {client} is {msg_id:x}"));
            let at = self.time;
            self.pushes.push(Push { client, session, msg_id, at, words, shown: 0, acked: false });
        }
    }

    pub(super) fn drain_server(&mut self) {
        for drained in 0.. {
            if drained > DRAIN {
                return self.break_rule("the server never stops to speak".to_owned());
            }
            match self.server.poll() {
                ServerOutput::Transmit(LinkId(link), bytes) if link >= ROGUES => {
                    if let Some(rogue) = self.rogues.iter_mut().find(|rogue| rogue.has(link)) {
                        rogue.received(&bytes);
                    }
                }
                ServerOutput::Close(LinkId(link)) if link >= ROGUES => {
                    if let Some(rogue) = self.rogues.iter_mut().find(|rogue| rogue.has(link)) {
                        rogue.closed();
                    }
                }
                ServerOutput::Transmit(LinkId(link), bytes) => self.server_sent(link, &bytes),
                ServerOutput::Close(LinkId(link)) => {
                    self.note(|| format!("the server closes socket {link}"));
                    self.server_closed(link);
                }
                ServerOutput::Event(event) => self.server_event(event),
                ServerOutput::Timeout(wake) => {
                    self.server_wake = wake;
                    break;
                }
            }
        }
        self.census_server();
    }

    fn server_event(&mut self, event: ServerEvent) {
        let now = self.server_now();
        match event {
            ServerEvent::KeyCreated { key, expires, .. } => {
                if expires.is_some() {
                    self.temporary.insert(key.id(), None);
                }
                self.keys.insert(key.id(), key);
            }
            ServerEvent::Request { session, msg_id, body, .. }
                if self.temporary.get(&session.auth_key_id) == Some(&None) =>
            {
                let result = bind(&self.keys, &mut self.temporary, session, msg_id, &body);
                self.server.respond(now, session, msg_id, result);
            }
            ServerEvent::KeyWanted { auth_key_id, .. } => {
                // A temporary key that the server does not know has ended.
                let known = !self.temporary.contains_key(&auth_key_id);
                let key = self.keys.get(&auth_key_id).filter(|_| known).cloned();
                self.server.provide_key(now, auth_key_id, key);
            }
            ServerEvent::KeyDestroyed { auth_key_id } => {
                self.keys.remove(&auth_key_id);
            }
            ServerEvent::Request { session, msg_id, body, .. } => {
                self.run_request(session, msg_id, &body);
            }
            ServerEvent::Acked { session, msg_id } => {
                let push = self
                    .pushes
                    .iter_mut()
                    .find(|push| (push.session, push.msg_id) == (session, msg_id));
                if let Some(push) = push {
                    push.acked = true;
                }
            }
            ServerEvent::SessionDestroyed { session } => {
                self.note(|| format!("session {:x} is destroyed", session.session_id));
                self.destroyed.insert(session);
                self.amnesias += 1;
            }
            _ => {}
        }
    }

    /// The server runs a request: its effect is that it is counted.
    fn run_request(&mut self, session: SessionRef, msg_id: i64, body: &Bytes) {
        let Ok(body) = self.unwrapped(session, body) else {
            let failure = RpcFailure { code: 400, message: "MSG_WAIT_FAILED".to_owned() };
            return self.server.respond(self.server_now(), session, msg_id, Err(failure));
        };
        let body = &body;
        let number = number_of(REQUEST, body).filter(|number| {
            self.calls.get(*number).is_some_and(|call| {
                *body == filled(REQUEST, *number, call.ask.words, call.ask.compressible)
            })
        });
        let Some(number) = number else {
            let hostile = self.rogues.iter().any(|rogue| rogue.key.id() == session.auth_key_id);
            if !hostile {
                self.break_rule(format!("a request {msg_id:x} arrived that nobody made"));
            }
            self.server.respond(self.server_now(), session, msg_id, Ok(body.clone()));
            return;
        };
        self.note(|| format!("call {number} runs as {msg_id:x}"));
        self.ran.insert((session, msg_id));
        self.worked = self.worked.max(self.time);
        self.check_chain(number);
        self.calls[number].runs += match self.sabotage {
            Some(Sabotage::RunTwice) if number % 7 == 3 => 2,
            Some(Sabotage::AnswerUnrun) if number % 7 == 3 => 0,
            _ => 1,
        };
        let todo = Todo::Answer { session, msg_id, number };
        match self.calls[number].ask.reply.when {
            When::Now => self.reply(session, msg_id, number),
            When::After(wait) => self.plan_in(wait, todo),
            When::Held if self.healed => self.plan_in(Duration::from_millis(100), todo),
            When::Held => self.plan_at(Duration::MAX, todo),
        }
    }

    /// Takes `invokeAfterMsg` off; an error if what it waits for did not run.
    fn unwrapped(&self, session: SessionRef, body: &Bytes) -> Result<Bytes, ()> {
        let mut rest = body.clone();
        if message::constructor(&rest) != INVOKE_AFTER_MSG || rest.len() < 12 {
            return Ok(rest);
        }
        rest.advance(4);
        let after = rest.get_i64_le();
        let ran = self.ran.contains(&(session, after));
        if ran { message::inflate(rest).map_err(|_| ()) } else { Err(()) }
    }

    /// Whoever was made before in the same chain ran before, or never will.
    fn check_chain(&mut self, number: usize) {
        let call = &self.calls[number];
        let Some(chain) = call.ask.chain.filter(|_| !self.lies && self.amnesias == 0) else {
            return;
        };
        let waits = |earlier: &Call| {
            (earlier.client, earlier.ask.chain) == (call.client, Some(chain))
                && earlier.runs == 0
                && earlier.end.is_none()
        };
        if let Some(earlier) = self.calls[..number].iter().position(waits) {
            self.break_rule(format!("call {number} ran before call {earlier} of its chain"));
        }
    }

    pub(super) fn answer(&mut self, session: SessionRef, msg_id: i64, number: usize) {
        self.reply(session, msg_id, number);
        self.drain_server();
    }

    fn reply(&mut self, session: SessionRef, msg_id: i64, number: usize) {
        self.worked = self.worked.max(self.time);
        let place = if self.sabotage == Some(Sabotage::MixAnswers) { number / 2 } else { number };
        let result = answer_of(place, self.calls[number].ask.reply);
        let now = self.server_now();
        self.server.respond(now, session, msg_id, result);
        if self.moods.takes(Oddity::Withhold) {
            self.server.withhold(session, msg_id);
        }
        if self.moods.takes(Oddity::Again) {
            self.server.respond_again(now, session, msg_id);
        }
    }
}

/// `auth.bindTempAuthKey`: what else comes under a key that is not bound is refused.
fn bind(
    keys: &BTreeMap<i64, AuthKey>,
    temporary: &mut BTreeMap<i64, Option<i64>>,
    session: SessionRef,
    msg_id: i64,
    body: &Bytes,
) -> Result<Bytes, RpcFailure> {
    let permanent = bound_to(keys, session, msg_id, body)?;
    temporary.insert(session.auth_key_id, Some(permanent));
    Ok(Bytes::copy_from_slice(&0x9972_75b5_u32.to_le_bytes()))
}

/// The answer to the call of this number.
fn answer_of(number: usize, reply: Reply) -> Result<Bytes, RpcFailure> {
    if reply.error {
        return Err(RpcFailure { code: 400, message: format!("CALL_{number}_INVALID") });
    }
    Ok(filled(ANSWER, number, reply.words, reply.compressible))
}

/// A body: a constructor, a number, and words that follow from it.
pub fn filled(constructor: u32, number: usize, words: usize, compressible: bool) -> Bytes {
    let number = u32::try_from(number).unwrap();
    let mut body = BytesMut::with_capacity(8 + 4 * words);
    body.put_u32_le(constructor);
    body.put_u32_le(number);
    let mut word = number | 1;
    for _ in 0..words {
        if !compressible {
            word = word.wrapping_mul(0x9e37_79b1).rotate_left(13) ^ 0x5bd1;
        }
        body.put_u32_le(word);
    }
    body.freeze()
}

fn number_of(constructor: u32, body: &Bytes) -> Option<usize> {
    let (head, rest) = body.split_first_chunk::<4>()?;
    let number = u32::from_le_bytes(*rest.first_chunk()?);
    (u32::from_le_bytes(*head) == constructor).then(|| usize::try_from(number).ok())?
}

/// An event without the secrets in it.
fn name(event: &Event) -> String {
    match event {
        Event::Changed(resume) => {
            format!("Changed, offset {}, {} salts", resume.time_offset, resume.salts.len())
        }
        other => format!("{other:?}"),
    }
}

const INVOKE_AFTER_MSG: u32 = 0xcb9f_372d;

pub const REQUEST: u32 = 0x7f7f_0001;
pub const ANSWER: u32 = 0x7f7f_0002;
pub const PUSH: u32 = 0x7f7f_0003;

/// How much one end may say at once.
const DRAIN: usize = 20_000;
