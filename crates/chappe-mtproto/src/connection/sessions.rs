//! The sessions of one connection: the current one, its successor, and those before it.

use std::collections::VecDeque;
use std::time::Duration;

use super::Connection;
use crate::session::{Serial, Session};

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    last: u64,
    /// Carries requests.
    current: Option<Session>,
    /// Waits for its temporary key to be bound.
    pub(super) next: Option<Binding>,
    /// Are listened to until nothing of them is waited for.
    old: Vec<Session>,
    /// The numbers of sessions of the past, whose late messages are no offence.
    gone: Vec<i64>,
    /// The sessions that the server is still to forget, the first one first.
    farewells: VecDeque<Farewell>,
}

/// A session that is of no more use, and that the server may forget from some time on.
#[derive(Clone, Copy, Debug)]
struct Farewell {
    /// The uptime from which on no copy of what was said in it can arrive.
    due: Duration,
    auth_key_id: i64,
    session_id: i64,
}

/// A session whose temporary key is to be bound.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) session: Session,
    /// The message that asks for it, once it is sent.
    pub(super) request: Option<i64>,
    /// The uptime at which it must be done.
    pub(super) deadline: Duration,
}

impl Sessions {
    pub(super) fn serial(&mut self) -> Serial {
        self.last += 1;
        Serial(self.last)
    }

    /// All sessions, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Session> {
        let next = self.next.iter().map(|next| &next.session);
        self.old.iter().chain(&self.current).chain(next)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        let next = self.next.iter_mut().map(|next| &mut next.session);
        self.old.iter_mut().chain(&mut self.current).chain(next)
    }

    pub(super) fn serials(&self) -> Vec<Serial> {
        self.iter().map(|session| session.serial).collect()
    }

    pub(super) fn get(&self, serial: Serial) -> Option<&Session> {
        self.iter().find(|session| session.serial == serial)
    }

    pub(super) fn get_mut(&mut self, serial: Serial) -> Option<&mut Session> {
        self.iter_mut().find(|session| session.serial == serial)
    }

    /// The sessions before the current one.
    pub(super) fn past(&self) -> impl Iterator<Item = &Session> {
        self.old.iter()
    }

    /// The sessions that may carry requests and service messages.
    pub(super) fn carrying(&self) -> impl Iterator<Item = &Session> {
        self.old.iter().chain(&self.current).filter(|session| !session.is_mute())
    }

    /// A session that may carry requests and service messages.
    pub(super) fn get_carrying_mut(&mut self, serial: Serial) -> Option<&mut Session> {
        let mut sessions = self.old.iter_mut().chain(&mut self.current);
        sessions.find(|session| session.serial == serial && !session.is_mute())
    }

    /// The sessions that are only listened to.
    pub(super) fn mute(&self) -> Vec<Serial> {
        let mute = self.old.iter().filter(|session| session.is_mute());
        mute.map(|session| session.serial).collect()
    }

    /// The session of a packet.
    pub(super) fn find(&self, auth_key_id: i64, session_id: i64) -> Option<Serial> {
        let mut sessions = self.iter();
        let found = sessions
            .find(|session| session.auth_key_id == auth_key_id && session.session_id == session_id);
        found.map(|session| session.serial)
    }

    pub(super) fn current(&self) -> Option<&Session> {
        self.current.as_ref()
    }

    pub(super) fn is_current(&self, serial: Serial) -> bool {
        self.current.as_ref().is_some_and(|session| session.serial == serial)
    }

    /// Whether a session of the past had this number.
    pub(super) fn is_gone(&self, session_id: i64) -> bool {
        self.gone.contains(&session_id)
    }

    /// Puts a session in the place of the current one, which is listened to from then on.
    pub(super) fn replace(&mut self, session: Session) {
        self.old.extend(self.current.replace(session));
    }

    /// Takes the current session out of use; it is listened to from then on.
    pub(super) fn unseat(&mut self) {
        self.old.extend(self.current.take());
    }

    /// Forgets a session.
    pub(super) fn remove(&mut self, serial: Serial) -> Option<Session> {
        let old = self.old.iter().position(|session| session.serial == serial);
        let removed = match old {
            Some(place) => Some(self.old.remove(place)),
            None if self.is_current(serial) => self.current.take(),
            None => {
                self.next.take_if(|next| next.session.serial == serial).map(|next| next.session)
            }
        };
        if let Some(session) = &removed {
            if self.gone.len() >= MAX_GONE {
                self.gone.remove(0);
            }
            self.gone.push(session.session_id);
        }
        removed
    }

    pub(super) fn len(&self) -> usize {
        self.iter().count()
    }

    pub(super) fn farewells(&self) -> usize {
        self.farewells.len()
    }
}

impl Connection {
    /// Begins a session of a key that may carry requests at once, in the place of the current one.
    pub(super) fn open_session(&mut self, auth_key_id: i64) {
        let serial = self.sessions.serial();
        let session = Session::new(serial, auth_key_id, &mut self.rng);
        self.sessions.replace(session);
        self.leave_oldest();
    }

    /// Leaves the oldest sessions of the past when there are too many.
    pub(super) fn leave_oldest(&mut self) {
        while self.sessions.old.len() > MAX_OLD
            && let Some(oldest) = self.sessions.old.first().map(|session| session.serial)
        {
            let lost = self.outbox.abandoned(oldest);
            self.fail(lost);
            self.close_session(oldest);
        }
    }

    /// Begins a new session in place of this one, if it is the current one.
    pub(super) fn restart(&mut self, serial: Serial) {
        if self.sessions.is_current(serial)
            && let Some(auth_key_id) = self.sessions.current().map(|session| session.auth_key_id)
        {
            self.open_session(auth_key_id);
        }
    }

    /// Says nothing more in a session of the past: whatever id comes next, the server refuses it.
    /// What may be running there is waited for a while.
    pub(super) fn mute(&mut self, serial: Serial) {
        if let Some(session) = self.sessions.get_mut(serial) {
            session.mute();
            self.outbox.hold(serial, self.now.uptime);
        }
    }

    /// Forgets the sessions in which nothing can be said: over another socket nothing will be
    /// heard of them.
    pub(super) fn forget_mute(&mut self) {
        for serial in self.sessions.mute() {
            let lost = self.outbox.abandoned(serial);
            self.fail(lost);
        }
    }

    /// Forgets sessions of the past of which nothing is waited for.
    pub(super) fn retire(&mut self) {
        let Self { sessions, outbox, .. } = self;
        let still = sessions.old.iter().filter(|old| old.is_still() && !outbox.has(old.serial));
        let still: Vec<Serial> = still.map(|old| old.serial).collect();
        for serial in still {
            self.close_session(serial);
        }
    }

    /// Forgets a session, and lets the server forget it: either by a later word in the session that
    /// took its place, or with its temporary key.
    fn close_session(&mut self, serial: Serial) {
        let Some(closed) = self.sessions.remove(serial) else {
            return;
        };
        let Session { auth_key_id, session_id, .. } = closed;
        let farewells = &mut self.sessions.farewells;
        if farewells.len() >= MAX_FAREWELLS {
            farewells.pop_front();
        }
        let due = self.now.uptime.saturating_add(COPIES_TRAVEL);
        farewells.push_back(Farewell { due, auth_key_id, session_id });
        self.drop_unused_key(closed.auth_key_id);
    }

    /// Tells the server to forget sessions of the past. To do so at once would let a copy of what
    /// was said in one, held up on another socket, begin it anew and run a second time.
    pub(super) fn say_farewell(&mut self) {
        let now = self.now.uptime;
        let Sessions { current: Some(current), farewells, .. } = &mut self.sessions else {
            return;
        };
        while let Some(farewell) = farewells.front().copied()
            && farewell.due <= now
        {
            farewells.pop_front();
            // A session of another key ends with that key.
            if farewell.auth_key_id == current.auth_key_id {
                current.questions.end(farewell.session_id);
            }
        }
    }

    /// When the server may forget the next session of the past.
    pub(super) fn farewell(&self) -> Option<Duration> {
        let next = self.sessions.farewells.front().map(|farewell| farewell.due);
        next.filter(|_| self.sessions.current.is_some())
    }

    /// Forgets a temporary key that no session has.
    pub(super) fn drop_unused_key(&mut self, auth_key_id: i64) {
        if !self.sessions.iter().any(|session| session.auth_key_id == auth_key_id) {
            self.keys.remove(auth_key_id);
        }
    }
}

/// How many sessions of the past are listened to.
const MAX_OLD: usize = 4;

/// How many session ids of the past are remembered.
const MAX_GONE: usize = 8;

/// How many sessions wait to be forgotten by the server; it forgets any after a time.
const MAX_FAREWELLS: usize = 16;

/// Servers take message ids of the last 300 and the next 30 seconds: after as long no copy of a
/// message is taken any more.
const COPIES_TRAVEL: Duration = Duration::from_secs(360);

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn only_so_many_sessions_of_the_past_are_remembered() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut sessions = Sessions::default();
        let mut gone = Vec::new();
        for _ in 0..=MAX_GONE {
            let session = Session::new(sessions.serial(), 1, &mut rng);
            gone.push((session.serial, session.session_id));
            sessions.replace(session);
        }
        for (serial, _) in &gone {
            assert!(sessions.remove(*serial).is_some());
        }
        let (_, first) = gone.remove(0);
        assert!(!sessions.is_gone(first));
        assert!(gone.iter().all(|(_, session_id)| sessions.is_gone(*session_id)));
    }
}
