//! The faults that are ordered, and which of them strikes when.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chappe_mtproto::{
    server::{self, Fate, LinkId, Passing, Quirk, SessionRef},
    time::Now,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::{
    FaultId, Installed,
    fault::{Class, Fault, Kind, Way},
    scope::Scope,
};
use crate::{engine::unix, failure::Failure};

/// The book of faults, shared by all that ask it. One task does, so nobody waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book(Arc<Mutex<Rules>>);

/// All faults, by id.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    last: u64,
    rules: BTreeMap<FaultId, Rule>,
    /// What is known of keys, as far as some fault asks for it.
    people: BTreeMap<i64, Person>,
}

/// Who uses a key, as scopes know it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Person {
    /// The permanent key.
    pub(crate) stands_for: Option<i64>,
    pub(crate) user_id: Option<i64>,
    pub(crate) phone: Option<String>,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    /// The uptime when it ends.
    until: Option<Duration>,
    seen: u64,
    struck: u64,
    rng: ChaCha20Rng,
    /// For floods: how many calls an account made, and until when it waits.
    floods: BTreeMap<i64, (u32, i32)>,
    /// For sockets: what was decided about each.
    sockets: BTreeMap<LinkId, Option<Limits>>,
}

/// How many bytes a socket carries before it is closed.
#[derive(Clone, Copy, Debug)]
struct Limits {
    up: Option<u64>,
    down: Option<u64>,
}

/// What a socket may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gate {
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    /// Bytes a second.
    pub(crate) up_rate: Option<u32>,
    pub(crate) down_rate: Option<u32>,
    /// It is closed behind so many bytes of its life.
    pub(crate) up_limit: Option<u64>,
    pub(crate) down_limit: Option<u64>,
}

/// What becomes of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// It is not executed but refused.
    pub(crate) refused: Option<Failure>,
    /// It is neither executed nor answered.
    pub(crate) ignored: bool,
    /// The answer is lost on its way.
    pub(crate) lost: bool,
    pub(crate) twice: bool,
    pub(crate) delay: Option<Duration>,
    /// Only so many bytes of the answer come.
    pub(crate) cut: Option<usize>,
    /// A constructor of the answer, the outermost one if it has no name, is unknown.
    pub(crate) unknown: Option<Option<String>>,
}

/// Where something happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) dc: i32,
    pub(crate) auth_key_id: i64,
    pub(crate) sessions: &'a BTreeSet<SessionRef>,
}

impl Book {
    /// Opens it.
    pub(crate) fn rules(&self) -> MutexGuard<'_, Rules> {
        // Whoever panicked left counters behind at most.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            reads: true,
            writes: true,
            up_rate: None,
            down_rate: None,
            up_limit: None,
            down_limit: None,
        }
    }
}

impl Rules {
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether some fault asks who is signed in.
    pub(crate) fn ask_who(&self) -> bool {
        self.rules.values().any(|rule| rule.fault.scope.asks_who())
    }

    /// Whether some fault is of sockets.
    pub(crate) fn are_of_sockets(&self) -> bool {
        self.rules.values().any(|rule| rule.fault.fault.class() == Class::Socket)
    }

    /// Writes down who is signed in on a key.
    pub(crate) fn meet(&mut self, auth_key_id: i64, person: Option<Person>) {
        match person {
            Some(person) => self.people.insert(auth_key_id, person),
            None => self.people.remove(&auth_key_id),
        };
    }

    pub(super) fn add(&mut self, now: Now, fault: Fault) -> Option<FaultId> {
        if self.rules.len() >= MAX_FAULTS {
            return None;
        }
        self.last += 1;
        let id = FaultId(self.last);
        let until = fault.for_seconds.map(|time| now.uptime + Duration::from_secs_f64(time));
        let mut seed = [0; 32];
        let (number, _) = seed.split_at_mut(8);
        number.copy_from_slice(&fault.seed.unwrap_or(0).to_le_bytes());
        let rule = Rule {
            fault,
            until,
            seen: 0,
            struck: 0,
            rng: ChaCha20Rng::from_seed(seed),
            floods: BTreeMap::new(),
            sockets: BTreeMap::new(),
        };
        self.rules.insert(id, rule);
        Some(id)
    }

    pub(super) fn remove(&mut self, now: Now, id: FaultId) -> Option<Installed> {
        self.rules.remove(&id).map(|rule| rule.tell(now, id))
    }

    pub(super) fn clear(&mut self) -> usize {
        let count = self.rules.len();
        self.rules.clear();
        count
    }

    pub(super) fn list(&self, now: Now) -> Vec<Installed> {
        self.rules.iter().map(|(id, rule)| rule.tell(now, *id)).collect()
    }

    /// When the next fault ends by itself.
    pub(crate) fn next_end(&self, now: Now) -> Option<Duration> {
        self.rules.values().filter_map(|rule| rule.until).filter(|until| *until > now.uptime).min()
    }

    /// Whether a scope fits.
    pub(crate) fn covers(&self, scope: &Scope, place: Place<'_>) -> bool {
        covers(&self.people, scope, place)
    }

    /// What becomes of a request; `who` is the account, or the key of nobody.
    pub(crate) fn request(
        &mut self,
        now: Now,
        place: Place<'_>,
        method: &str,
        who: i64,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        let Self { rules, people, .. } = self;
        for rule in rules.values_mut() {
            let pattern = rule.fault.method.as_deref();
            if rule.fault.fault.class() != Class::Request
                || pattern.is_some_and(|pattern| !fits(pattern, method))
                || !covers(people, &rule.fault.scope, place)
            {
                continue;
            }
            if let Kind::Flood { seconds, free } = rule.fault.fault {
                let wait = rule.flood(now, who, seconds, free);
                if let Some(wait) = wait {
                    let text = format!("FLOOD_WAIT_{wait}");
                    let failure = Failure { code: 420, message: text.into() };
                    verdict.refused.get_or_insert(failure);
                }
                continue;
            }
            if rule.strikes(now) {
                verdict.add(&rule.fault.fault);
            }
        }
        verdict
    }

    /// Whether a new socket is closed at once.
    pub(crate) fn refuses(&mut self, now: Now, dc: i32) -> bool {
        let mut refused = false;
        for rule in self.rules.values_mut() {
            refused |= rule.fault.fault == Kind::RefuseConnections
                && rule.fault.scope.dc.is_none_or(|wanted| wanted == dc)
                && rule.strikes(now);
        }
        refused
    }

    /// What a socket may do that has carried so many bytes up and down.
    pub(crate) fn gate(
        &mut self,
        now: Now,
        link: LinkId,
        place: Place<'_>,
        carried: (u64, u64),
    ) -> Gate {
        let mut gate = Gate::default();
        let Self { rules, people, .. } = self;
        for rule in rules.values_mut() {
            let kind = rule.fault.fault.clone();
            if kind.class() != Class::Socket || kind == Kind::RefuseConnections {
                continue;
            }
            let decided = match rule.sockets.get(&link) {
                Some(decided) => *decided,
                None if !covers(people, &rule.fault.scope, place) => continue,
                None => {
                    let decided = rule.strikes(now).then(|| rule.limits(carried));
                    rule.sockets.insert(link, decided);
                    decided
                }
            };
            let Some(limits) = decided.filter(|_| !rule.is_over(now)) else { continue };
            let [up, down] = [Way::Up, Way::Down].map(|way| rule.goes(way));
            match kind {
                Kind::BlackHole => (gate.reads, gate.writes) = (false, false),
                Kind::StopReading => gate.reads = false,
                Kind::Slow { bytes_per_second: rate } => {
                    gate.up_rate = least(gate.up_rate, up.then_some(rate));
                    gate.down_rate = least(gate.down_rate, down.then_some(rate));
                }
                _ => {
                    gate.up_limit = least(gate.up_limit, limits.up);
                    gate.down_limit = least(gate.down_limit, limits.down);
                }
            }
        }
        gate
    }

    /// A socket is gone.
    pub(crate) fn forget_link(&mut self, link: LinkId) {
        for rule in self.rules.values_mut() {
            rule.sockets.remove(&link);
        }
    }

    fn packet(&mut self, now: Now, dc: i32, packet: &Passing<'_>) -> Fate {
        let mut fate = Fate::default();
        let place = Place { dc, auth_key_id: packet.auth_key_id, sessions: packet.sessions };
        let way = match packet.way {
            server::Way::Down => Way::Down,
            server::Way::Up => Way::Up,
        };
        let Self { rules, people, .. } = self;
        for rule in rules.values_mut() {
            let kind = &rule.fault.fault;
            let of_exchange = rule.fault.exchange;
            if kind.class() != Class::Packet
                || (matches!(kind, Kind::TransportError { .. }) && way == Way::Down)
                || of_exchange.is_some_and(|wanted| wanted != (packet.auth_key_id == 0))
                || !rule.goes(way)
                || !covers(people, &rule.fault.scope, place)
                || !rule.strikes(now)
            {
                continue;
            }
            match rule.fault.fault {
                Kind::Duplicate => fate.copies = fate.copies.saturating_add(1),
                Kind::Delay { seconds } => fate.delay += Duration::from_secs_f64(seconds),
                Kind::Reorder => fate.swapped = true,
                Kind::Corrupt { bit } => {
                    fate.flipped = Some(bit.unwrap_or_else(|| rule.rng.next_u64()));
                }
                Kind::Truncate { bytes } => fate.cut = least(fate.cut, Some(bytes)),
                Kind::TransportError { code } => fate.error = Some(code),
                _ => fate.lost = true,
            }
        }
        fate
    }

    fn refuse(&mut self, now: Now, dc: i32, session: SessionRef) -> Option<i32> {
        let sessions = BTreeSet::from([session]);
        let place = Place { dc, auth_key_id: session.auth_key_id, sessions: &sessions };
        let Self { rules, people, .. } = self;
        let mut code = None;
        for rule in rules.values_mut() {
            if let Kind::BadMsg { code: wanted } = rule.fault.fault
                && covers(people, &rule.fault.scope, place)
                && rule.strikes(now)
            {
                code.get_or_insert(wanted);
            }
        }
        code
    }

    fn quirk(&mut self, now: Now, dc: i32, quirk: Quirk, session: Option<SessionRef>) -> bool {
        let sessions: BTreeSet<SessionRef> = session.into_iter().collect();
        let auth_key_id = session.map_or(0, |session| session.auth_key_id);
        let place = Place { dc, auth_key_id, sessions: &sessions };
        let Self { rules, people, .. } = self;
        let mut struck = false;
        for rule in rules.values_mut() {
            let meant = match (&rule.fault.fault, quirk) {
                (Kind::AnnounceAnswers { above }, Quirk::Announce(size)) => size > *above,
                (Kind::DhGenFail, Quirk::GenFail)
                | (Kind::DhGenRetry, Quirk::GenRetry)
                | (Kind::DuplicateNewSession, Quirk::DoubleSession)
                | (Kind::GzipEverything, Quirk::Gzip)
                | (Kind::HoldAcks, Quirk::HoldAcks)
                | (Kind::NoQuickAcks, Quirk::NoQuickAck) => true,
                _ => false,
            };
            struck |= meant && covers(people, &rule.fault.scope, place) && rule.strikes(now);
        }
        struck
    }
}

impl Verdict {
    fn add(&mut self, kind: &Kind) {
        match kind {
            Kind::RpcError { code, text } => {
                let failure = Failure { code: *code, message: text.clone().into() };
                self.refused.get_or_insert(failure);
            }
            Kind::Migrate { what, dc } => {
                let message = format!("{}_{dc}", what.name()).into();
                let failure = Failure { code: 303, message };
                self.refused.get_or_insert(failure);
            }
            Kind::UnknownConstructor { instead_of } => self.unknown = Some(instead_of.clone()),
            Kind::TruncateAnswer { bytes } => self.cut = least(self.cut, Some(*bytes)),
            Kind::DelayAnswer { seconds } => {
                let delay = self.delay.unwrap_or_default();
                self.delay = Some(delay + Duration::from_secs_f64(*seconds));
            }
            Kind::NeverAnswer => self.ignored = true,
            Kind::LoseAnswer => self.lost = true,
            Kind::AnswerTwice => self.twice = true,
            _ => {}
        }
    }
}

impl Rule {
    /// Counts an occasion; tells whether it strikes.
    fn strikes(&mut self, now: Now) -> bool {
        let Fault { after, every, chance, times, .. } = self.fault;
        if self.is_over(now) || times.is_some_and(|times| self.struck >= times) {
            return false;
        }
        self.seen += 1;
        let Some(count) = self.seen.checked_sub(after.unwrap_or(0)).filter(|count| *count > 0)
        else {
            return false;
        };
        let due = every.is_none_or(|every| count % every.max(1) == 0)
            && chance.is_none_or(|chance| self.draw() < chance);
        self.struck += u64::from(due);
        due
    }

    /// A number from 0 up to but not including 1.
    fn draw(&mut self) -> f64 {
        f64::from(self.rng.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    fn is_over(&self, now: Now) -> bool {
        self.until.is_some_and(|until| until <= now.uptime)
    }

    fn goes(&self, way: Way) -> bool {
        self.fault.way.is_none_or(|wanted| wanted == way)
    }

    fn limits(&self, (up, down): (u64, u64)) -> Limits {
        let Kind::CloseAfter { bytes } = self.fault.fault else {
            return Limits { up: None, down: None };
        };
        let limit = |way, carried: u64| self.goes(way).then(|| carried.saturating_add(bytes));
        Limits { up: limit(Way::Up, up), down: limit(Way::Down, down) }
    }

    /// How many seconds an account still has to wait.
    fn flood(&mut self, now: Now, who: i64, seconds: u32, free: u32) -> Option<i32> {
        let time = unix(now.unix);
        if self.is_over(now) {
            return None;
        }
        let (calls, until) = self.floods.get(&who).copied().unwrap_or_default();
        if until > time {
            self.struck += 1;
            return Some(until - time);
        }
        if calls < free {
            self.floods.insert(who, (calls + 1, 0));
            return None;
        }
        if !self.strikes(now) {
            return None;
        }
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        self.floods.insert(who, (0, time.saturating_add(seconds)));
        Some(seconds)
    }

    fn tell(&self, now: Now, id: FaultId) -> Installed {
        let spent = self.fault.times.is_some_and(|times| self.struck >= times);
        Installed {
            id,
            fault: self.fault.clone(),
            occasions: self.seen,
            struck: self.struck,
            over: spent || self.is_over(now),
        }
    }
}

/// What the protocol of one data centre asks.
#[derive(Debug)]
pub(crate) struct Hook {
    pub(crate) book: Book,
    pub(crate) dc: i32,
}

impl server::Faults for Hook {
    fn packet(&mut self, now: Now, packet: &Passing<'_>) -> Fate {
        self.book.rules().packet(now, self.dc, packet)
    }

    fn refuse(&mut self, now: Now, session: SessionRef) -> Option<i32> {
        self.book.rules().refuse(now, self.dc, session)
    }

    fn quirk(&mut self, now: Now, quirk: Quirk, session: Option<SessionRef>) -> bool {
        self.book.rules().quirk(now, self.dc, quirk, session)
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

fn covers(people: &BTreeMap<i64, Person>, scope: &Scope, place: Place<'_>) -> bool {
    let Scope { dc, auth_key_id, session_id, user_id, phone } = scope;
    if dc.is_some_and(|dc| dc != place.dc) {
        return false;
    }
    // The sessions of a socket count for what it carries, since most packets name none openly.
    let keys = || {
        let of_sessions = place.sessions.iter().map(|session| session.auth_key_id);
        std::iter::once(place.auth_key_id).filter(|id| *id != 0).chain(of_sessions)
    };
    let known =
        |fits: &dyn Fn(&Person) -> bool| keys().filter_map(|key| people.get(&key)).any(fits);
    auth_key_id.is_none_or(|wanted| {
        keys().any(|key| key == wanted) || known(&|person| person.stands_for == Some(wanted))
    }) && session_id.is_none_or(|id| place.sessions.iter().any(|one| one.session_id == id))
        && user_id.is_none_or(|id| known(&|person| person.user_id == Some(id)))
        && phone
            .as_ref()
            .is_none_or(|phone| known(&|person| person.phone.as_deref() == Some(phone.digits())))
}

/// Whether a name fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.any(|at| fits(tail, &rest[at..]))
        }),
    }
}

fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    [one, other].into_iter().flatten().min()
}

/// How many faults there may be.
const MAX_FAULTS: usize = 1_024;
