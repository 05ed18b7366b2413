//! What the engine does on demand.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use chappe_mtproto::{
    server::{self, LinkId, RpcFailure, Server as Protocol, SessionRef},
    time::Now,
};
use serde::{Serialize, Serializer};
use tokio::sync::oneshot;

use super::{
    Action, Book, CallLog, Calls, Fault, FaultId, Installed, Person, Phone, Place, Scope, Verdict,
    book::Hook,
};
use crate::{Objection, engine::Engine, world::Void};

/// What a server has to do and to remember.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct State {
    /// The server's time, unix seconds.
    pub date: i32,
    /// How many sockets there are.
    pub links: usize,
    /// How many requests have no answer yet.
    pub running: usize,
    /// How many messages clients have not acknowledged.
    pub kept: usize,
    /// How long those are, in bytes.
    pub kept_bytes: usize,
    /// How many packets are late on purpose.
    pub late_packets: usize,
    /// How many answers are.
    pub late_answers: usize,
    /// How many faults were ordered and not removed.
    pub faults: usize,
    /// The sessions, by key.
    pub sessions: Vec<SessionState>,
}

/// One session of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionState {
    /// The data centre.
    pub dc: i32,
    /// The auth key. In JSON a string of digits, as all numbers of 64 bits.
    #[serde(serialize_with = "text")]
    pub auth_key_id: i64,
    /// The session.
    #[serde(serialize_with = "text")]
    pub session_id: i64,
    /// Who is signed in.
    pub user_id: Option<i64>,
    /// The number of its socket, if it has one.
    pub link: Option<u64>,
    /// How many requests have no answer yet.
    pub running: usize,
    /// How many messages the client has not acknowledged.
    pub kept: usize,
    /// How long those are, in bytes.
    pub kept_bytes: usize,
}

/// What the engine keeps for the sake of faults.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    pub(crate) book: Book,
    /// Whether there are faults: all that a server without any asks.
    pub(crate) any: bool,
    pub(crate) log: CallLog,
    last: u64,
    late: BTreeMap<(Duration, u64), LateAnswer>,
    idle: Vec<oneshot::Sender<()>>,
}

/// An answer that is late.
#[derive(Debug)]
struct LateAnswer {
    dc: i32,
    session: SessionRef,
    msg_id: i64,
    result: Result<Bytes, RpcFailure>,
    verdict: Verdict,
}

impl Trouble {
    /// When something is due.
    pub(crate) fn next(&self, now: Now) -> Option<Duration> {
        let late = self.late.first_key_value().map(|((due, _), _)| *due);
        let end = if self.any { self.book.rules().next_end(now) } else { None };
        [late, end].into_iter().flatten().min()
    }
}

impl Engine {
    pub(super) fn add_fault(&mut self, now: Now, fault: Fault) -> Result<FaultId, Objection> {
        fault.check()?;
        let id = self.faults.book.rules().add(now, fault).ok_or_else(|| {
            Objection::new("there are too many faults", "remove those that are over")
        })?;
        self.meet_everybody();
        self.arm();
        Ok(id)
    }

    pub(super) fn list_faults(&self, now: Now) -> Vec<Installed> {
        self.faults.book.rules().list(now)
    }

    pub(super) fn remove_fault(&mut self, now: Now, id: FaultId) -> Option<Installed> {
        let removed = self.faults.book.rules().remove(now, id);
        self.arm();
        removed
    }

    pub(super) fn clear_faults(&mut self) -> usize {
        let count = self.faults.book.rules().clear();
        self.arm();
        count
    }

    /// Lets the protocols ask the book, if there is anything in it.
    fn arm(&mut self) {
        self.faults.any = !self.faults.book.rules().is_empty();
        for (dc, protocol) in &mut self.protocols {
            let hook = Hook { book: self.faults.book.clone(), dc: *dc };
            protocol.set_faults(if self.faults.any { Some(Box::new(hook)) } else { None });
        }
    }

    /// Writes down who uses the keys of all sessions.
    fn meet_everybody(&self) {
        let sessions = self.protocols.values().flat_map(Protocol::sessions);
        let keys: BTreeSet<i64> = sessions.map(|state| state.session.auth_key_id).collect();
        for key in keys {
            self.meet(key);
        }
    }

    /// Writes down who uses a key.
    pub(crate) fn meet(&self, auth_key_id: i64) {
        let person = self.person(auth_key_id);
        self.faults.book.rules().meet(auth_key_id, person);
    }

    fn person(&self, auth_key_id: i64) -> Option<Person> {
        // A failure of the database is in the log when a request meets it.
        let key = self.world.key_state(auth_key_id).ok()??;
        let user = key.user_id.and_then(|id| self.world.user(id).ok()?);
        let (stands_for, user_id) = (key.stands_for, key.user_id);
        Some(Person { stands_for, user_id, phone: user.and_then(|user| user.phone) })
    }

    pub(super) fn act(
        &mut self,
        now: Now,
        action: &Action,
        scope: &Scope,
    ) -> Result<usize, Objection> {
        action.check(scope)?;
        if let Action::PassTime { seconds } = action {
            let seconds = i32::try_from(*seconds).unwrap_or(i32::MAX);
            self.ahead = self.ahead.saturating_add(seconds);
            return Ok(1);
        }
        if scope.asks_who() {
            self.meet_everybody();
        }
        let wanted: Vec<i32> = self
            .protocols
            .keys()
            .filter(|dc| scope.dc.is_none_or(|wanted| wanted == **dc))
            .copied()
            .collect();
        Ok(wanted.into_iter().map(|dc| self.act_in(now, dc, action, scope)).sum())
    }

    /// Does something in one data centre; tells how many things it concerned.
    fn act_in(&mut self, now: Now, dc: i32, action: &Action, scope: &Scope) -> usize {
        let sessions = self.sessions_in(dc, scope);
        let links = self.links_in(dc, scope);
        let mut keys: BTreeSet<i64> = sessions.iter().map(|session| session.auth_key_id).collect();
        if let Some(key) = scope.auth_key_id {
            keys.insert(key);
        }
        let Some(protocol) = self.protocols.get_mut(&dc) else { return 0 };
        match action {
            Action::Close => {
                links.iter().for_each(|link| protocol.close(now, *link));
                links.len()
            }
            Action::TransportError { code } => {
                links.iter().for_each(|link| protocol.transport_error(now, *link, *code));
                links.len()
            }
            Action::DropAnswers => {
                sessions.iter().map(|session| protocol.drop_answers(now, *session)).sum()
            }
            Action::ForgetSessions => sessions
                .into_iter()
                .filter(|session| protocol.forget_session(now, *session))
                .count(),
            Action::RotateSalts if scope.asks_session() => {
                keys.iter().for_each(|key| protocol.rotate_salts(now, Some(*key)));
                keys.len()
            }
            Action::RotateSalts => {
                protocol.rotate_salts(now, None);
                keys.len()
            }
            // Done for all data centres at once.
            Action::PassTime { .. } => 0,
            Action::SkewClock { seconds } => {
                protocol.skew_clock(now, i64::from(*seconds));
                1
            }
            Action::ExpireKeys => keys.into_iter().filter(|key| self.expire(now, dc, *key)).count(),
            Action::Unbind => keys.into_iter().filter(|key| self.unbind(now, *key)).count(),
            Action::Deactivate => self.void(now, &keys, scope, Void::Deactivated),
            Action::DuplicateKeys => self.void(now, &keys, scope, Void::Duplicated),
            Action::Revoke => self.void(now, &keys, scope, Void::Revoked),
        }
    }

    /// Ends the time of a temporary key, in memory and in the world.
    fn expire(&mut self, now: Now, dc: i32, auth_key_id: i64) -> bool {
        let known = self.is_temporary(auth_key_id);
        if known && let Some(protocol) = self.protocols.get_mut(&dc) {
            protocol.expire_key(now, auth_key_id);
            // A failure is in the log; the protocol knows better in any case.
            let _ = self.run(now, |world, _| world.forget_key(auth_key_id));
        }
        known
    }

    fn unbind(&mut self, now: Now, auth_key_id: i64) -> bool {
        self.is_temporary(auth_key_id)
            && self.run(now, |world, _| world.unbind(auth_key_id)).is_ok()
    }

    fn is_temporary(&self, auth_key_id: i64) -> bool {
        let key = self.world.key_state(auth_key_id).ok().flatten();
        key.is_some_and(|key| key.expires.is_some())
    }

    /// Makes keys good for nothing, and of an account also those that have no session.
    fn void(&mut self, now: Now, keys: &BTreeSet<i64>, scope: &Scope, reason: Void) -> usize {
        let phone = scope.phone.as_ref().map(Phone::digits);
        let of_phone = phone.and_then(|phone| self.world.user_by_phone(phone).ok()?);
        let user = scope.user_id.or_else(|| of_phone.map(|user| user.id));
        let voided = self.run(now, |world, _| {
            let mut all: BTreeSet<i64> = BTreeSet::new();
            for key in keys {
                let state = world.key_state(*key)?;
                all.extend(state.filter(|state| state.user_id.is_some()).and(Some(*key)));
            }
            if let Some(user) = user {
                all.extend(world.keys_of(user)?);
            }
            for key in &all {
                world.void_key(*key, reason)?;
            }
            Ok(all.len())
        });
        // A failure is in the log.
        voided.unwrap_or(0)
    }

    fn sessions_in(&self, dc: i32, scope: &Scope) -> Vec<SessionRef> {
        let rules = self.faults.book.rules();
        let fits = |session: &SessionRef| {
            let sessions = BTreeSet::from([*session]);
            let auth_key_id = session.auth_key_id;
            rules.covers(scope, Place { dc, auth_key_id, sessions: &sessions })
        };
        let all = self.protocols.get(&dc).into_iter().flat_map(Protocol::sessions);
        all.map(|state| state.session).filter(fits).collect()
    }

    fn links_in(&self, dc: i32, scope: &Scope) -> Vec<LinkId> {
        let rules = self.faults.book.rules();
        let fits = |sessions: &BTreeSet<SessionRef>| {
            rules.covers(scope, Place { dc, auth_key_id: 0, sessions })
        };
        let all = self.protocols.get(&dc).into_iter().flat_map(Protocol::links);
        all.filter(|(_, sessions)| fits(sessions)).map(|(link, _)| link).collect()
    }

    pub(super) fn calls(&self) -> Calls {
        self.faults.log.tell()
    }

    pub(super) fn state(&self, now: Now) -> State {
        let mut sessions = Vec::new();
        for (dc, protocol) in &self.protocols {
            sessions.extend(protocol.sessions().map(|state| SessionState {
                dc: *dc,
                auth_key_id: state.session.auth_key_id,
                session_id: state.session.session_id,
                user_id: self.person(state.session.auth_key_id).and_then(|person| person.user_id),
                link: state.link.map(|link| link.0),
                running: state.running,
                kept: state.kept,
                kept_bytes: state.kept_bytes,
            }));
        }
        State {
            date: self.date(now),
            links: self.protocols.values().map(|dc| dc.links().count()).sum(),
            running: sessions.iter().map(|session| session.running).sum(),
            kept: sessions.iter().map(|session| session.kept).sum(),
            kept_bytes: sessions.iter().map(|session| session.kept_bytes).sum(),
            late_packets: self.protocols.values().map(Protocol::late).sum(),
            late_answers: self.faults.late.len(),
            faults: self.list_faults(now).len(),
            sessions,
        }
    }

    /// Is told when there is nothing to do.
    pub(super) fn when_idle(&mut self) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        self.faults.idle.push(tell);
        told
    }

    /// Tells those who wait for it that there is nothing to do.
    pub(crate) fn tell_idle(&mut self) {
        if self.faults.idle.is_empty() {
            return;
        }
        self.faults.idle.retain(|waits| !waits.is_closed());
        let busy = !self.faults.late.is_empty()
            || self.protocols.values().any(|protocol| {
                let waits = |state: server::SessionState| {
                    state.link.is_some() && state.running + state.kept > 0
                };
                protocol.late() > 0 || protocol.sessions().any(waits)
            });
        if !busy {
            for waits in self.faults.idle.drain(..) {
                // It was looked at above; whoever went since does not want to know.
                let _ = waits.send(());
            }
        }
    }

    /// Answers a request as the faults have it.
    pub(crate) fn answer(
        &mut self,
        now: Now,
        dc: i32,
        session: SessionRef,
        msg_id: i64,
        result: Result<Bytes, RpcFailure>,
        verdict: Verdict,
    ) {
        if let Some(delay) = verdict.delay {
            self.faults.last += 1;
            let verdict = Verdict { delay: None, ..verdict };
            let late = LateAnswer { dc, session, msg_id, result, verdict };
            self.faults.late.insert((now.uptime + delay, self.faults.last), late);
            return;
        }
        let Some(protocol) = self.protocols.get_mut(&dc) else { return };
        protocol.respond(now, session, msg_id, result);
        if verdict.twice {
            protocol.respond_again(now, session, msg_id);
        }
        if verdict.lost {
            protocol.withhold(session, msg_id);
        }
    }

    /// Sends the answers whose time has come.
    pub(crate) fn send_late(&mut self, now: Now) {
        while let Some(entry) = self.faults.late.first_entry()
            && entry.key().0 <= now.uptime
        {
            let LateAnswer { dc, session, msg_id, result, verdict } = entry.remove();
            self.answer(now, dc, session, msg_id, result, verdict);
        }
    }
}

/// An answer that was tampered with.
pub(crate) fn spoil(answer: Bytes, verdict: &Verdict) -> Bytes {
    let mut answer = BytesMut::from(answer);
    match &verdict.unknown {
        Some(Some(name)) => {
            let ids = crate::rpc::ids_of(name);
            for word in answer.chunks_exact_mut(4) {
                if word.first_chunk().is_some_and(|id| ids.contains(&u32::from_le_bytes(*id))) {
                    word.copy_from_slice(&UNKNOWN.to_le_bytes());
                }
            }
        }
        Some(None) => {
            if let Some(id) = answer.first_chunk_mut() {
                *id = UNKNOWN.to_le_bytes();
            }
        }
        None => {}
    }
    if let Some(length) = verdict.cut {
        answer.truncate(length / 4 * 4);
    }
    answer.freeze()
}

fn text<S: Serializer>(id: &i64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

/// An id that no constructor of any layer has.
const UNKNOWN: u32 = 0xdead_c0de;
