//! One schedule under way: the clients, the server, the sockets between them and the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use chappe_crypto::AuthKey;
use chappe_mtproto::connection::{
    Config, Connection, FailureReason, Input, RequestId, Resume, Salt,
};
use chappe_mtproto::error::ProtocolError;
use chappe_mtproto::server::{LinkId, Server, ServerConfig, ServerInput, SessionRef};
use chappe_mtproto::time::Now;

use super::chance::Chance;
use super::evil;
use super::plan::{Action, Ask, ClientSetup, Family, Plan};
use super::rogue::Rogue;
use super::strange::Moods;
use super::watch::Ledger;
use super::wire::{Far, Wire};
use crate::common::{RSA, START};

/// What a test breaks on purpose, to see the checks complain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The server runs every request twice.
    RunTwice,
    /// The server answers a request that it did not run.
    AnswerUnrun,
    /// One event in a few is lost on its way to the user.
    LoseEvents,
    /// Pushes are shown twice.
    PushTwice,
    /// Answers are mixed up.
    MixAnswers,
    /// A cancelled request is reported all the same.
    ReportCancelled,
    /// The client sends what it sent before.
    SendAgain,
    /// The server's timer is never set off.
    StopServerClock,
    /// The client asks to be woken at once, for ever.
    WakeAlways,
    /// Requests are made that nobody counts.
    ForgetRequest,
}

/// A schedule under way.
#[derive(Debug)]
pub struct World {
    pub plan: Plan,
    pub time: Duration,
    pub(super) chance: Chance,
    pub(super) server: Server,
    pub(super) server_wake: Option<Duration>,
    /// What the server's clock is ahead of that of the world, in seconds.
    pub(super) server_skew: i64,
    pub(super) clients: Vec<Client>,
    pub(super) rogues: Vec<Rogue>,
    pub(super) wires: BTreeMap<u64, Wire>,
    pub(super) links: u64,
    todo: BTreeMap<(Duration, u64), Todo>,
    made: u64,
    pub(super) keys: BTreeMap<i64, AuthKey>,
    /// Temporary keys, and what they were bound to.
    pub(super) temporary: BTreeMap<i64, Option<i64>>,
    pub(super) calls: Vec<Call>,
    pub(super) pushes: Vec<Push>,
    /// Messages of the server by session, where they can be read.
    pub(super) server_ledgers: BTreeMap<i64, Ledger>,
    pub(super) healed: bool,
    /// How often the server forgot sessions that clients may believe in.
    pub(super) amnesias: usize,
    pub trace: Option<Vec<String>>,
    pub violation: Option<String>,
    pub(super) sabotage: Option<Sabotage>,
    pub peak: Peak,
    /// Whether a server is there that lies.
    pub(super) lies: bool,
    /// Nobody dials any more.
    pub(super) closing: bool,
    /// When the server ran or answered a request last.
    pub(super) worked: Duration,
    /// The messages whose requests ran.
    pub(super) ran: BTreeSet<(SessionRef, i64)>,
    pub(super) destroyed: BTreeSet<SessionRef>,
    /// When the server restarted last.
    pub(super) restarted: Option<Duration>,
    /// Packets of the hostile server.
    pub(super) said: Vec<Vec<u8>>,
    /// Packets of honest clients that hostile ones heard.
    pub(super) heard: Vec<Vec<u8>>,
    /// What the server does that none does by itself.
    pub(super) moods: Moods,
    steps: u64,
    instant: u64,
}

/// The most that was held at any time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peak {
    pub requests: usize,
    pub kept: usize,
}

#[derive(Debug)]
pub struct Client {
    pub connection: Connection,
    pub key_id: Option<i64>,
    /// What its clock is ahead of the server's, in seconds.
    pub skew: i64,
    /// How long its machine slept.
    pub slept: Duration,
    pub asleep: Option<Duration>,
    /// Whether it is only stopped, and its uptime goes on.
    pub stopped: bool,
    /// What it kept of its key, salts and clock: the last, and what was before.
    pub kept: [Option<Resume>; 2],
    pub wake: Option<Duration>,
    pub wire: Option<u64>,
    pub dials: bool,
    pub refusals: u32,
    pub next_far: Option<Far>,
    /// Whether it was told -404 since it last heard something good.
    pub doubted: bool,
    pub error: Option<ProtocolError>,
    /// What it sent, by session.
    pub ledgers: BTreeMap<i64, Ledger>,
    /// The session that it used last.
    pub session: Option<i64>,
    pub open: BTreeMap<RequestId, usize>,
    pub cancelled: BTreeSet<RequestId>,
}

/// One request, from its making to its end.
#[derive(Debug)]
pub struct Call {
    pub client: usize,
    pub ask: Ask,
    pub end: Option<End>,
    /// How often it ran.
    pub runs: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Answered,
    Failed(FailureReason),
    Cancelled,
    /// With the whole connection, or with the process.
    Terminal,
}

/// One object that the server sent by itself.
#[derive(Debug)]
pub struct Push {
    pub client: usize,
    pub session: SessionRef,
    pub msg_id: i64,
    pub at: Duration,
    pub words: usize,
    pub shown: usize,
    pub acked: bool,
}

/// What is to come.
#[derive(Clone, Debug)]
pub enum Todo {
    Step(usize),
    Heal,
    Arrive {
        link: u64,
        up: bool,
    },
    /// A frame that was delayed joins its direction.
    Late {
        link: u64,
        up: bool,
        frame: Bytes,
    },
    Dial(usize),
    Answer {
        session: SessionRef,
        msg_id: i64,
        number: usize,
    },
    Awake(usize),
    Evil(u64),
    Rogue(usize),
}

impl World {
    pub fn new(plan: &Plan, sabotage: Option<Sabotage>, traced: bool) -> Self {
        let mut chance = Chance::new(plan.seed, 2);
        let setup = &plan.setup;
        let exchanges = plan.exchanges();
        let server = Server::new(server_config(plan), chance.seed());
        let mut keys = BTreeMap::new();
        let mut clients = Vec::new();
        for (number, setup) in setup.clients.iter().enumerate() {
            let resume = (!setup.exchanges).then(|| {
                let key = key(number);
                keys.insert(key.id(), key.clone());
                let salt = Salt { valid_since: 0, valid_until: i64::from(i32::MAX), salt: 7 };
                let salts = if chance.percent(50) { vec![salt] } else { Vec::new() };
                let time_offset = if chance.percent(50) { -setup.skew } else { 0 };
                Resume { key, salts, time_offset }
            });
            let config = client_config(setup, exchanges);
            let key_id = resume.as_ref().map(|resume| resume.key.id());
            let now = Now::new(Duration::ZERO, unix(Duration::ZERO, setup.skew));
            clients.push(Client {
                connection: Connection::new(config, resume.clone(), chance.seed(), now),
                key_id,
                skew: setup.skew,
                slept: Duration::ZERO,
                asleep: None,
                stopped: false,
                kept: [resume.clone(), resume.clone()],
                wake: None,
                wire: None,
                dials: false,
                refusals: 0,
                next_far: None,
                doubted: false,
                error: None,
                ledgers: BTreeMap::new(),
                session: None,
                open: BTreeMap::new(),
                cancelled: BTreeSet::new(),
            });
        }
        let rogues: Vec<Rogue> = (0..setup.rogues)
            .map(|number| {
                let key = key(100 + number);
                keys.insert(key.id(), key.clone());
                Rogue::new(key, chance.next())
            })
            .collect();
        let mut world = Self {
            plan: plan.clone(),
            time: Duration::ZERO,
            chance,
            server,
            server_wake: None,
            server_skew: 0,
            clients,
            rogues,
            wires: BTreeMap::new(),
            links: 0,
            todo: BTreeMap::new(),
            made: 0,
            keys,
            temporary: BTreeMap::new(),
            calls: Vec::new(),
            pushes: Vec::new(),
            server_ledgers: BTreeMap::new(),
            healed: false,
            amnesias: 0,
            trace: traced.then(Vec::new),
            violation: None,
            sabotage,
            peak: Peak::default(),
            lies: plan.family == Family::HostileServer,
            closing: false,
            worked: plan.heals,
            ran: BTreeSet::new(),
            destroyed: BTreeSet::new(),
            restarted: None,
            said: Vec::new(),
            heard: Vec::new(),
            moods: Moods::default(),
            steps: 0,
            instant: 0,
        };
        for (place, step) in plan.steps.iter().enumerate() {
            world.plan_at(step.at, Todo::Step(place));
        }
        for client in 0..world.clients.len() {
            world.dial(client, Duration::ZERO);
        }
        for rogue in 0..world.rogues.len() {
            world.plan_at(Duration::ZERO, Todo::Rogue(rogue));
        }
        world.plan_at(plan.heals, Todo::Heal);
        world
    }

    /// Runs until `end`, or until `done` says so. `false` if the end came first.
    pub fn run(&mut self, end: Duration, done: impl Fn(&Self) -> bool) -> bool {
        while self.violation.is_none() {
            if done(self) {
                return true;
            }
            let next = self.todo.first_key_value().map(|((at, _), _)| *at);
            let server_wake =
                self.server_wake.filter(|_| self.sabotage != Some(Sabotage::StopServerClock));
            let wakes = (0..self.clients.len()).filter_map(|client| self.client_wake(client)).min();
            let Some(at) = [next, server_wake, wakes].into_iter().flatten().min() else {
                break;
            };
            if at > end {
                break;
            }
            self.count(at);
            if next.is_some_and(|next| next <= self.time) {
                if let Some((_, todo)) = self.todo.pop_first() {
                    self.act(todo);
                }
            } else if server_wake.is_some_and(|wake| wake <= self.time) {
                self.server.handle(self.server_now(), ServerInput::Timeout);
                self.drain_server();
            } else {
                for client in 0..self.clients.len() {
                    if self.client_wake(client).is_some_and(|wake| wake <= self.time) {
                        self.input(client, Input::Timeout);
                    }
                }
            }
        }
        self.time = self.time.max(end);
        false
    }

    /// Lets time pass to the next thing that happens, and sees that it does pass.
    fn count(&mut self, at: Duration) {
        self.steps += 1;
        if at > self.time {
            self.time = at;
            self.instant = 0;
        } else {
            self.instant += 1;
        }
        if self.instant > INSTANT || self.steps > STEPS {
            self.break_rule(format!("no rest: {} steps, {} at once", self.steps, self.instant));
        }
    }

    fn act(&mut self, todo: Todo) {
        match todo {
            Todo::Step(place) => {
                let action = self.plan.steps[place].action.clone();
                self.note(|| format!("step {place}: {action:?}"));
                self.step(action);
            }
            Todo::Heal => self.heal(),
            Todo::Arrive { link, up } => self.arrive(link, up),
            Todo::Late { link, up, frame } => self.enqueue(link, up, frame),
            Todo::Dial(client) => {
                self.clients[client].dials = false;
                self.connect(client);
            }
            Todo::Answer { session, msg_id, number } => self.answer(session, msg_id, number),
            Todo::Awake(client) => {
                let now = self.time;
                let sleeper = &mut self.clients[client];
                if sleeper.asleep.is_some_and(|until| until <= now) {
                    sleeper.asleep = None;
                    sleeper.stopped = false;
                    self.note(|| format!("client {client} wakes up"));
                    self.input(client, Input::Timeout);
                }
            }
            Todo::Evil(link) => evil::speak(self, link),
            Todo::Rogue(rogue) => self.rogue(rogue),
        }
    }

    fn step(&mut self, action: Action) {
        match action {
            Action::Request { client, count, ask } => {
                if let Some(until) = self.clients[client].asleep {
                    self.postpone(until, Action::Request { client, count, ask });
                    return;
                }
                for _ in 0..count {
                    self.request(client, ask);
                }
                self.drain_client(client);
            }
            Action::Cancel { client, which } => {
                if self.clients[client].asleep.is_none() {
                    self.cancel(client, which);
                }
            }
            Action::Push { client, count, words } => {
                for _ in 0..count {
                    self.push(client, words);
                }
                self.drain_server();
            }
            Action::Cut { client, arrives } => {
                if let Some(link) = self.clients[client].wire {
                    self.cut(link, arrives);
                }
            }
            Action::CutAfter { client, up, bytes } => {
                self.with_wire(client, |wire| wire.pipe(up).budget = Some(bytes));
            }
            Action::Stall { client, ways, time } => {
                let until = self.time + time;
                self.with_wire(client, |wire| {
                    if ways.up {
                        wire.up.stalled = until;
                    }
                    if ways.down {
                        wire.down.stalled = until;
                    }
                });
            }
            Action::HalfOpen { client, ways } => self.with_wire(client, |wire| {
                wire.up.vanishes |= ways.up;
                wire.down.vanishes |= ways.down;
            }),
            Action::Refuse { client, count } => self.clients[client].refusals = count,
            Action::TransportError { client, code } => {
                self.clients[client].next_far = Some(Far::Refusing(code));
            }
            Action::ServerClose { client } => {
                if let Some(link) = self.clients[client].wire {
                    self.server.close(self.server_now(), LinkId(link));
                    self.drain_server();
                }
            }
            Action::Frames { client, up, count, fault } => self.with_wire(client, |wire| {
                if wire.shows_frames() {
                    wire.pipe(up).fault = Some((fault, count));
                }
            }),
            Action::Flip { client, up, bits } => {
                if self.clients[client].session.is_some() {
                    self.with_wire(client, |wire| wire.pipe(up).flips = bits);
                }
            }
            Action::ServerJump { by } => self.server_skew += by,
            Action::Jump { client, by } => {
                let client = &mut self.clients[client];
                client.skew = (client.skew + by).clamp(-FARTHEST, FARTHEST);
            }
            Action::Sleep { client, time } => {
                let until = self.time + time;
                let sleeper = &mut self.clients[client];
                // What it sleeps already counts once.
                if sleeper.asleep.is_none() {
                    sleeper.slept += time;
                    sleeper.asleep = Some(until);
                    self.plan_at(until, Todo::Awake(client));
                }
            }
            Action::Stop { client, time } => self.stop(client, time),
            Action::Kill { client, late } => self.kill(client, late),
            Action::Strange(oddity, times) => self.behave(oddity, times),
            Action::RotateSalts => {
                self.server.rotate_salts(self.server_now(), None);
                self.drain_server();
            }
            Action::Hangup { client, code } => self.refuse_socket(client, code),
            Action::ForgetSession { client } => self.forget_session(client),
            Action::EndKey { client, unbind } => self.end_key(client, unbind),
            Action::Restart => {
                // Its ids would else be those of its predecessor's last moment.
                self.time += Duration::from_millis(1);
                self.restart();
            }
            Action::ForgetKey { client } => {
                if let Some(key_id) = self.clients[client].key_id {
                    self.keys.remove(&key_id);
                    self.server.forget_key(self.server_now(), key_id);
                    self.drain_server();
                }
            }
            Action::Evil { client, messages } => {
                self.clients[client].next_far = Some(Far::Evil(messages));
                if let Some(link) = self.clients[client].wire {
                    self.cut(link, [1000, 1000]);
                }
            }
        }
    }

    fn postpone(&mut self, until: Duration, action: Action) {
        let place = self.plan.steps.len();
        self.plan.steps.push(super::plan::Step { at: until, action });
        self.plan_at(until, Todo::Step(place));
    }

    fn with_wire(&mut self, client: usize, change: impl FnOnce(&mut Wire)) {
        if let Some(wire) = self.clients[client].wire.and_then(|link| self.wires.get_mut(&link)) {
            change(wire);
        }
    }

    /// Another process takes over, with the keys and without the sessions.
    fn restart(&mut self) {
        self.amnesias += 1;
        self.restarted = Some(self.time);
        self.server = Server::new(server_config(&self.plan), self.chance.seed());
        self.server_wake = None;
        for link in self.wires.keys().copied().collect::<Vec<_>>() {
            self.server_closed(link);
        }
    }

    /// The network mends what a network can mend, and whoever held an answer back gives it.
    fn heal(&mut self) {
        self.note(|| "the network heals".to_owned());
        self.healed = true;
        self.server.set_faults(None);
        self.moods = Moods::default();
        for client in 0..self.clients.len() {
            let sleeper = &mut self.clients[client];
            sleeper.refusals = 0;
            sleeper.next_far = None;
            if let Some(until) = sleeper.asleep.take() {
                if !std::mem::take(&mut sleeper.stopped) {
                    sleeper.slept -= until.saturating_sub(self.time);
                }
                self.wake_pipe(client);
                self.input(client, Input::Timeout);
            }
            // Whoever waited for a later moment tries now.
            self.clients[client].dials = false;
            self.dial_again(client);
        }
        let now = self.time;
        let links: Vec<u64> = self.wires.keys().copied().collect();
        for link in links {
            let Some(wire) = self.wires.get_mut(&link) else { continue };
            for pipe in [&mut wire.up, &mut wire.down] {
                pipe.stalled = pipe.stalled.min(now);
                pipe.budget = None;
                pipe.fault = None;
                pipe.flips = 0;
            }
            if !matches!(wire.far, Far::Honest) {
                self.cut(link, [1000, 1000]);
            }
        }
        // Answers that were held back are given, and what sleepers put off is done now.
        let waits = |at: Duration, todo: &Todo| match todo {
            Todo::Answer { .. } => at == Duration::MAX,
            Todo::Step(_) => true,
            _ => false,
        };
        let waiting: Vec<_> = self
            .todo
            .iter()
            .filter(|((at, _), todo)| waits(*at, todo))
            .map(|(at, _)| *at)
            .collect();
        for at in waiting {
            if let Some(todo) = self.todo.remove(&at) {
                let wait = self.chance.millis(0..=5000);
                self.plan_in(wait, todo);
            }
        }
    }

    pub(super) fn plan_in(&mut self, wait: Duration, todo: Todo) {
        self.plan_at(self.time + wait, todo);
    }

    pub(super) fn plan_at(&mut self, at: Duration, todo: Todo) {
        self.made += 1;
        self.todo.insert((at, self.made), todo);
    }

    pub(super) fn break_rule(&mut self, what: String) {
        self.note(|| format!("BROKEN: {what}"));
        self.violation.get_or_insert(what);
    }

    /// Writes a line of the trace, if anybody wants one.
    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        let time = self.time;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>12.6} {}", time.as_secs_f64(), line()));
        }
    }
}

/// The auth key of a number.
fn key(number: usize) -> AuthKey {
    let mut bytes = [u8::try_from(number).unwrap(); 256];
    for (byte, value) in bytes.iter_mut().zip(0..=255) {
        *byte ^= value;
    }
    AuthKey::from_bytes(bytes)
}

/// The time of day by a clock that is wrong by so many seconds.
pub fn unix(time: Duration, skew: i64) -> Duration {
    let ahead = Duration::from_secs(skew.unsigned_abs());
    if skew < 0 { START + time - ahead } else { START + time + ahead }
}

pub fn client_config(setup: &ClientSetup, exchanges: bool) -> Config {
    Config {
        framing: setup.framing,
        obfuscated: setup.obfuscated,
        gzip: setup.gzip,
        forward_secrecy: setup.secrecy,
        server_keys: if exchanges { vec![RSA.public().clone()] } else { Vec::new() },
        ..Config::default()
    }
}

fn server_config(plan: &Plan) -> ServerConfig {
    ServerConfig {
        keys: if plan.exchanges() { vec![RSA.clone()] } else { Vec::new() },
        salt_period: plan.setup.salt_period,
        answer_retention: plan.setup.answer_retention,
        session_retention: plan.setup.session_retention,
        gzip: plan.setup.server_gzip,
        ..ServerConfig::default()
    }
}

/// What keeps one machine from asking for all others: so many things may happen at one moment.
const INSTANT: u64 = 50_000;

/// How many things may happen in a schedule.
const STEPS: u64 = 3_000_000;

/// How wrong a clock may be, in seconds: message ids have 31 bits for the time.
const FARTHEST: i64 = 400_000_000;
