//! A server that keeps to the protocol and behaves strangely for a while, and processes of clients that
//! are stopped or killed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chappe_mtproto::connection::Connection;
use chappe_mtproto::server::{Fate, Faults, LinkId, Passing, Quirk, SessionRef, Way};
use chappe_mtproto::time::Now;

use super::chance::Chance;
use super::plan::Action;
use super::world::{Todo, World, client_config};

/// What a server may do that none does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Refuses a good packet with this code.
    Refuse(i32),
    /// Behaves so.
    Quirk(Quirk),
    /// Makes of a packet, in one of its ways, this.
    Packet(Way, Fate),
    /// Keeps an answer until it is asked for.
    Withhold,
    /// Answers once more, under another message id.
    Again,
}

/// What the server is still to do; all copies are one.
#[derive(Clone, Debug, Default)]
pub struct Moods(Arc<Mutex<Vec<(Oddity, u32)>>>);

impl Moods {
    /// Does so with the next occasions.
    pub fn add(&self, oddity: Oddity, times: u32) {
        self.0.lock().unwrap().push((oddity, times));
    }

    /// Whether this is an occasion.
    pub fn takes(&self, oddity: Oddity) -> bool {
        self.take(|other| (other == oddity).then_some(())).is_some()
    }

    fn take<T>(&self, wanted: impl Fn(Oddity) -> Option<T>) -> Option<T> {
        let mut all = self.0.lock().unwrap();
        let (place, found) = all
            .iter()
            .enumerate()
            .find_map(|(place, (oddity, _))| Some((place, wanted(*oddity)?)))?;
        all[place].1 -= 1;
        if all[place].1 == 0 {
            all.remove(place);
        }
        Some(found)
    }
}

impl Faults for Moods {
    fn packet(&mut self, _: Now, packet: &Passing<'_>) -> Fate {
        let fate = self.take(|oddity| match oddity {
            Oddity::Packet(way, fate) if way == packet.way => Some(fate),
            _ => None,
        });
        fate.unwrap_or_default()
    }

    fn refuse(&mut self, _: Now, _: SessionRef) -> Option<i32> {
        self.take(|oddity| match oddity {
            Oddity::Refuse(code) => Some(code),
            _ => None,
        })
    }

    fn quirk(&mut self, _: Now, quirk: Quirk, _: Option<SessionRef>) -> bool {
        let same = |other: Quirk| match (other, quirk) {
            (Quirk::Announce(_), Quirk::Announce(_)) => true,
            (other, quirk) => other == quirk,
        };
        let found = self.take(|oddity| match oddity {
            Oddity::Quirk(other) if same(other) => Some(()),
            _ => None,
        });
        found.is_some()
    }
}

impl World {
    /// Another process of a client begins with what the last one kept.
    pub(super) fn kill(&mut self, client: usize, late: bool) {
        if self.clients[client].error.is_some() {
            return;
        }
        self.note(|| format!("client {client} is killed"));
        self.end(client);
        let exchanges = self.plan.exchanges();
        let config = client_config(&self.plan.setup.clients[client], exchanges);
        let seed = self.chance.seed();
        let victim = &mut self.clients[client];
        victim.asleep = None;
        victim.stopped = false;
        // Its uptime begins anew.
        victim.slept = self.time;
        victim.wake = None;
        victim.session = None;
        victim.cancelled.clear();
        let resume = victim.kept[usize::from(late)].clone();
        victim.key_id = resume.as_ref().map(|resume| resume.key.id());
        let now = self.client_now(client);
        self.clients[client].connection = Connection::new(config, resume, seed, now);
        self.drain_client(client);
        self.dial_again(client);
    }

    pub(super) fn behave(&mut self, oddity: Oddity, times: u32) {
        self.moods.add(oddity, times);
        self.server.set_faults(Some(Box::new(self.moods.clone())));
    }

    pub(super) fn stop(&mut self, client: usize, time: Duration) {
        let until = self.time + time;
        let sleeper = &mut self.clients[client];
        if sleeper.asleep.is_none() {
            sleeper.stopped = true;
            sleeper.asleep = Some(until);
            self.plan_at(until, Todo::Awake(client));
        }
    }

    /// The server refuses a socket that stands. The fourth -404 in a row rightly ends a connection.
    pub(super) fn refuse_socket(&mut self, client: usize, code: i32) {
        let unlucky = &mut self.clients[client];
        if let Some(link) = unlucky.wire
            && !(code == -404 && unlucky.doubted)
        {
            unlucky.doubted |= code == -404;
            self.server.transport_error(self.server_now(), LinkId(link), code);
            self.drain_server();
        }
    }

    pub(super) fn forget_session(&mut self, client: usize) {
        let forgotten = &self.clients[client];
        if let (Some(auth_key_id), Some(session_id)) = (forgotten.key_id, forgotten.session) {
            let session = SessionRef { auth_key_id, session_id };
            self.server.forget_session(self.server_now(), session);
            self.drain_server();
        }
    }

    /// Ends a temporary key, or what it is bound to.
    pub(super) fn end_key(&mut self, client: usize, unbind: bool) {
        let key_id = self.clients[client].key_id.unwrap_or_default();
        if !unbind {
            self.server.expire_key(self.server_now(), key_id);
            self.drain_server();
        } else if let Some(bound) = self.temporary.get_mut(&key_id) {
            *bound = None;
        }
    }
}

/// Draws what the server does.
pub fn oddity(chance: &mut Chance, client: usize) -> Action {
    let times = u32::try_from(chance.range(1..=3)).unwrap();
    let oddity = match chance.below(12) {
        0..3 => Oddity::Refuse(chance.pick(&[16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 48, 64])),
        3..5 => Oddity::Quirk(chance.pick(&[
            Quirk::Announce(0),
            Quirk::DoubleSession,
            Quirk::Gzip,
            Quirk::HoldAcks,
            Quirk::NoQuickAck,
        ])),
        5..7 => {
            let delay = chance.millis(1..=9000);
            let fates = [
                Fate { lost: true, ..Fate::default() },
                Fate { delay, ..Fate::default() },
                Fate { swapped: true, ..Fate::default() },
                Fate { copies: 2, ..Fate::default() },
                Fate { copies: 1, delay, ..Fate::default() },
            ];
            Oddity::Packet(chance.pick(&[Way::Up, Way::Down]), chance.pick(&fates))
        }
        7 | 8 => Oddity::Withhold,
        9 => Oddity::Again,
        10 => return Action::RotateSalts,
        _ => return Action::Hangup { client, code: chance.pick(&[-404, -429]) },
    };
    Action::Strange(oddity, times)
}

/// Draws what becomes of a client's process.
pub fn stop(chance: &mut Chance, client: usize) -> Action {
    if chance.percent(50) {
        return Action::Kill { client, late: chance.percent(30) };
    }
    let most = if chance.percent(70) { 30 } else { 2000 };
    Action::Stop { client, time: chance.seconds(0..=most) }
}
