//! What happens in one schedule: drawn from its seed before it begins, so that any part of it can
//! be left out when a failure is made smaller.

use std::time::Duration;

use chappe_mtproto::server::Way;
use chappe_mtproto::transport::Framing;

use super::chance::Chance;
use super::strange::{self, Oddity};

/// What kind of trouble a schedule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Nothing but latency and pieces: everything succeeds.
    Calm,
    /// Sockets are cut at any byte, stall, go half-open, are refused or closed by the server.
    Sockets,
    /// Whole frames are lost, doubled, delayed or damaged on a socket that stays.
    Frames,
    /// Clocks are wrong and jump, machines sleep, salts and answers expire.
    Clocks,
    /// All of these at once.
    Everything,
    /// Auth keys are exchanged while sockets fail.
    Exchange,
    /// Temporary keys stand for the permanent one, are bound and replaced.
    Secrecy,
    /// Lines carry little at a time: nobody takes one that is slow for one that is dead.
    Slow,
    /// The server does what any may and few do: refuses what is right, holds answers back or gives
    /// them twice, loses packets of any framing.
    Strange,
    /// The client's process is stopped for a while, or killed and begun again with what it kept.
    Killed,
    /// The server restarts or forgets sessions.
    Amnesia,
    /// The server forgets the key.
    KeyLoss,
    /// A server that holds the key says anything.
    HostileServer,
    /// Clients that hold keys say anything, beside honest ones.
    HostileClients,
}

impl Family {
    /// The family of a seed: the order spreads them over any range.
    pub fn of(seed: u64) -> Self {
        let order: [Self; 30] = [
            Self::Sockets,
            Self::Everything,
            Self::Frames,
            Self::Clocks,
            Self::Amnesia,
            Self::HostileServer,
            Self::Sockets,
            Self::Everything,
            Self::HostileClients,
            Self::Frames,
            Self::Clocks,
            Self::Everything,
            Self::Calm,
            Self::Sockets,
            Self::HostileServer,
            Self::Amnesia,
            Self::Everything,
            Self::HostileClients,
            Self::Sockets,
            Self::KeyLoss,
            Self::Clocks,
            Self::Everything,
            Self::HostileServer,
            Self::Frames,
            Self::Slow,
            Self::Strange,
            Self::Killed,
            Self::Strange,
            Self::Killed,
            // Key exchanges cost a hundred times what others do.
            match seed / 30 % 4 {
                0 => Self::Exchange,
                2 => Self::Secrecy,
                _ => Self::Sockets,
            },
        ];
        order[usize::try_from(seed % 30).unwrap()]
    }

    /// Whether both ends remember what they have to: nothing may run twice then.
    pub fn is_fair(self) -> bool {
        !matches!(self, Self::Amnesia | Self::KeyLoss | Self::HostileServer)
    }
}

/// A whole schedule.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub family: Family,
    pub setup: Setup,
    pub steps: Vec<Step>,
    /// When the network heals.
    pub heals: Duration,
}

#[derive(Clone, Debug)]
pub struct Setup {
    pub clients: Vec<ClientSetup>,
    pub salt_period: Duration,
    pub answer_retention: Duration,
    pub session_retention: Duration,
    pub server_gzip: bool,
    /// The number of hostile clients.
    pub rogues: usize,
}

#[derive(Clone, Debug)]
pub struct ClientSetup {
    pub framing: Framing,
    pub obfuscated: bool,
    pub gzip: bool,
    /// Whether it begins with a key exchange.
    pub exchanges: bool,
    /// How long its temporary keys last, if it uses them.
    pub secrecy: Option<Duration>,
    /// What its clock is ahead, in seconds.
    pub skew: i64,
    /// Latencies of both directions, in milliseconds: the least, and what chance adds.
    pub latency: [(u64, u64); 2],
    /// How many bytes a second both directions carry, if that is limited.
    pub speed: [Option<u64>; 2],
    pub pieces: Pieces,
}

/// In what pieces bytes arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pieces {
    Whole,
    Some,
    Many,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub at: Duration,
    pub action: Action,
}

/// One direction of a socket, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    pub up: bool,
    pub down: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameFault {
    Drop,
    Double,
    Delay,
    Flip,
}

/// What one request is.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Words of the body beyond its number.
    pub words: usize,
    pub compressible: bool,
    pub no_resend: bool,
    pub no_gzip: bool,
    pub quick_ack: bool,
    /// Runs after those of the same chain.
    pub chain: Option<u64>,
    pub reply: Reply,
}

/// How the server answers one request.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    pub when: When,
    pub error: bool,
    pub words: usize,
    pub compressible: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Now,
    After(Duration),
    /// When the network heals.
    Held,
}

#[derive(Clone, Debug)]
pub enum Action {
    Request {
        client: usize,
        count: usize,
        ask: Ask,
    },
    /// Gives a request up that has not ended, the one of this number among them.
    Cancel {
        client: usize,
        which: u64,
    },
    Push {
        client: usize,
        count: usize,
        words: usize,
    },
    /// Cuts a socket now; so many thousandths of what is on its way still arrive.
    Cut {
        client: usize,
        arrives: [u64; 2],
    },
    /// Cuts a socket after so many more bytes of one direction.
    CutAfter {
        client: usize,
        up: bool,
        bytes: usize,
    },
    Stall {
        client: usize,
        ways: Ways,
        time: Duration,
    },
    /// From now on bytes vanish and nobody is told.
    HalfOpen {
        client: usize,
        ways: Ways,
    },
    /// The next dials are refused.
    Refuse {
        client: usize,
        count: u32,
    },
    /// The next socket is refused with a transport error.
    TransportError {
        client: usize,
        code: i32,
    },
    ServerClose {
        client: usize,
    },
    Frames {
        client: usize,
        up: bool,
        count: u32,
        fault: FrameFault,
    },
    /// Bits of the next bytes flip, whatever the framing.
    Flip {
        client: usize,
        up: bool,
        bits: u32,
    },
    /// The server's clock jumps by so many seconds.
    ServerJump {
        by: i64,
    },
    /// The client's clock jumps by so many seconds.
    Jump {
        client: usize,
        by: i64,
    },
    /// The client's machine sleeps: its uptime stands still.
    Sleep {
        client: usize,
        time: Duration,
    },
    /// The client's process is stopped: its uptime goes on, and it notices nothing.
    Stop {
        client: usize,
        time: Duration,
    },
    /// The client's process is killed; another begins with what it kept, if `late` without the last
    /// change of that.
    Kill {
        client: usize,
        late: bool,
    },
    /// The server does so with the next occasions.
    Strange(Oddity, u32),
    /// All salts end.
    RotateSalts,
    /// The server refuses a socket that stands.
    Hangup {
        client: usize,
        code: i32,
    },
    /// The server forgets a session whose socket stands.
    ForgetSession {
        client: usize,
    },
    /// The server ends the temporary key of a client, or what it is bound to.
    EndKey {
        client: usize,
        unbind: bool,
    },
    /// Another server process takes over with the keys and without the sessions.
    Restart,
    ForgetKey {
        client: usize,
    },
    /// The next socket leads to a hostile server for so many of its messages.
    Evil {
        client: usize,
        messages: u32,
    },
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        Self::of(seed, Family::of(seed))
    }

    pub fn of(seed: u64, family: Family) -> Self {
        let mut chance = Chance::new(seed, 1);
        let setup = setup(&mut chance, family);
        let clients = setup.clients.len();
        let length = match chance.below(10) {
            0..5 => chance.range(3..=12),
            5..9 => chance.range(8..=25),
            _ => chance.range(25..=60),
        };
        let patient = matches!(
            family,
            Family::Secrecy | Family::Clocks | Family::Everything | Family::Amnesia
        );
        let mut at = Duration::ZERO;
        let mut steps = Vec::new();
        for _ in 0..length {
            at += pause(&mut chance, patient);
            let action = action(&mut chance, family, clients, &setup);
            steps.push(Step { at, action });
        }
        let heals = at + chance.seconds(0..=5);
        Self { seed, family, setup, steps, heals }
    }

    /// Whether the server refuses what is right: with a session that this ends, answers may be lost.
    pub fn refuses(&self) -> bool {
        let refuses = |step: &Step| matches!(step.action, Action::Strange(Oddity::Refuse(_), _));
        self.steps.iter().any(refuses)
    }

    /// Whether packets of the server leave late or twice: who reads along cannot tell its doing
    /// from that.
    pub fn muddles(&self) -> bool {
        let muddles =
            |step: &Step| matches!(step.action, Action::Strange(Oddity::Packet(Way::Down, _), _));
        self.steps.iter().any(muddles)
    }

    /// Whether auth keys are exchanged.
    pub fn exchanges(&self) -> bool {
        self.setup.clients.iter().any(|client| client.exchanges || client.secrecy.is_some())
    }

    /// The plan without the steps whose places are not listed.
    pub fn keep(&self, places: &[usize]) -> Self {
        let steps = places.iter().filter_map(|place| self.steps.get(*place).cloned()).collect();
        Self { steps, ..self.clone() }
    }
}

fn setup(chance: &mut Chance, family: Family) -> Setup {
    let costly = matches!(family, Family::Exchange | Family::Secrecy);
    let count = match chance.below(10) {
        _ if costly => 1,
        0..6 => 1,
        6..9 => 2,
        _ => 3,
    };
    let clients = (0..count).map(|_| client(chance, family)).collect();
    let short = matches!(family, Family::Clocks | Family::Everything);
    let day = Duration::from_secs(86_400);
    let session_retention = match family {
        Family::Amnesia => chance.pick(&[Duration::from_secs(61), Duration::from_secs(600), day]),
        _ => day,
    };
    Setup {
        clients,
        salt_period: Duration::from_secs(if chance.percent(30) { 60 } else { 1800 }),
        answer_retention: if short && chance.percent(50) { Duration::from_secs(600) } else { day },
        session_retention,
        server_gzip: chance.percent(80),
        rogues: if family == Family::HostileClients { chance.index(2) + 1 } else { 0 },
    }
}

fn client(chance: &mut Chance, family: Family) -> ClientSetup {
    let open = [Framing::Abridged, Framing::Intermediate, Framing::PaddedIntermediate];
    let (framing, obfuscated) = match family {
        // Frames can be told apart on the wire.
        Family::Frames => (chance.pick(&open), false),
        _ => match chance.below(7) {
            0 => (Framing::Full, false),
            _ => (chance.pick(&open), chance.percent(50)),
        },
    };
    let skewed = matches!(family, Family::Clocks | Family::Everything | Family::Exchange);
    let latency = |chance: &mut Chance| match chance.below(10) {
        0 => (0, 0),
        1..8 => (chance.range(1..=80), chance.range(0..=60)),
        8 => (chance.range(100..=400), chance.range(0..=300)),
        _ => (chance.range(500..=1500), chance.range(0..=1000)),
    };
    ClientSetup {
        framing,
        obfuscated,
        gzip: chance.percent(70),
        exchanges: family == Family::Exchange,
        secrecy: (family == Family::Secrecy).then(|| chance.seconds(60..=4000)),
        skew: if skewed && chance.percent(40) { jump(chance) } else { 0 },
        latency: [latency(chance), latency(chance)],
        pieces: chance.pick(&[Pieces::Whole, Pieces::Whole, Pieces::Some, Pieces::Many]),
        speed: [speed(chance, family), speed(chance, family)],
    }
}

fn speed(chance: &mut Chance, family: Family) -> Option<u64> {
    (family == Family::Slow && chance.percent(70)).then(|| chance.range(8 * 1024..=64 * 1024))
}

/// How far a clock is wrong, in seconds.
fn jump(chance: &mut Chance) -> i64 {
    let size = match chance.below(8) {
        0 => chance.range(1..=5),
        1 => chance.range(25..=35),
        2 => chance.range(290..=310),
        3 => chance.range(30..=300),
        4 => chance.range(300..=4000),
        5 => 86_400,
        6 => 315_360_000,
        _ => chance.range(1..=10_000_000),
    };
    let size = i64::try_from(size).unwrap();
    if chance.percent(50) { size } else { -size }
}

fn pause(chance: &mut Chance, patient: bool) -> Duration {
    match chance.below(20) {
        0..6 => Duration::ZERO,
        6..11 => chance.millis(1..=300),
        11..16 => chance.seconds(0..=5),
        16..18 => chance.seconds(5..=100),
        18 => chance.seconds(60..=900),
        _ if patient => chance.seconds(600..=9000),
        _ => chance.seconds(1..=20),
    }
}

fn ways(chance: &mut Chance) -> Ways {
    match chance.below(3) {
        0 => Ways { up: true, down: true },
        1 => Ways { up: true, down: false },
        _ => Ways { up: false, down: true },
    }
}

fn reply(chance: &mut Chance) -> Reply {
    let when = match chance.below(10) {
        0..6 => When::Now,
        6..8 => When::After(chance.millis(1..=3000)),
        8 => When::After(chance.seconds(1..=120)),
        _ => When::Held,
    };
    Reply {
        when,
        error: chance.percent(10),
        words: words(chance),
        compressible: chance.percent(50),
    }
}

fn words(chance: &mut Chance) -> usize {
    match chance.below(20) {
        0..14 => chance.index(20),
        14..18 => chance.index(200),
        18 => chance.index(2000),
        _ => chance.index(12_000),
    }
}

fn ask(chance: &mut Chance) -> Ask {
    Ask {
        words: words(chance),
        compressible: chance.percent(50),
        no_resend: chance.percent(15),
        no_gzip: chance.percent(20),
        quick_ack: chance.percent(10),
        chain: chance.percent(15).then(|| chance.below(2)),
        reply: reply(chance),
    }
}

fn action(chance: &mut Chance, family: Family, clients: usize, setup: &Setup) -> Action {
    let client = chance.index(clients);
    let trouble = match family {
        Family::Calm | Family::Slow => 0,
        Family::HostileClients => 20,
        _ => 45,
    };
    if chance.percent(trouble) {
        let fault = fault(chance, family, client, setup);
        if let Some(fault) = fault {
            return fault;
        }
    }
    match chance.below(12) {
        0..6 if family == Family::Slow && chance.percent(30) => {
            let mut ask = ask(chance);
            if chance.percent(50) {
                ask.words = chance.index(60_000);
            } else {
                ask.reply.words = chance.index(60_000);
            }
            Action::Request { client, count: 1, ask }
        }
        0..6 => Action::Request { client, count: 1, ask: ask(chance) },
        6..8 => Action::Request { client, count: chance.index(10) + 1, ask: ask(chance) },
        8 => {
            let mut ask = ask(chance);
            ask.words = ask.words.min(40);
            ask.reply.words = ask.reply.words.min(40);
            let most = if chance.percent(20) { 200 } else { 40 };
            Action::Request { client, count: chance.index(most) + 1, ask }
        }
        9 => Action::Cancel { client, which: chance.next() },
        _ => Action::Push { client, count: chance.index(3) + 1, words: words(chance) },
    }
}

fn fault(chance: &mut Chance, family: Family, client: usize, setup: &Setup) -> Option<Action> {
    let kind = match family {
        Family::Everything => chance.pick(&[Family::Sockets, Family::Frames, Family::Clocks]),
        Family::HostileClients => Family::Sockets,
        Family::Amnesia if chance.percent(30) => return Some(Action::Restart),
        Family::Amnesia if chance.percent(30) => return Some(Action::ForgetSession { client }),
        Family::Strange if chance.percent(70) => return Some(strange::oddity(chance, client)),
        Family::Killed if chance.percent(60) => return Some(strange::stop(chance, client)),
        Family::Secrecy if chance.percent(20) => {
            return Some(Action::EndKey { client, unbind: chance.percent(50) });
        }
        Family::KeyLoss if chance.percent(25) => return Some(Action::ForgetKey { client }),
        Family::HostileServer if chance.percent(60) => {
            let messages = u32::try_from(chance.range(1..=40)).unwrap();
            return Some(Action::Evil { client, messages });
        }
        Family::Secrecy if chance.percent(20) => return Some(Action::ServerJump { by: 100 }),
        Family::Exchange
        | Family::Secrecy
        | Family::Amnesia
        | Family::KeyLoss
        | Family::Strange
        | Family::Killed
        | Family::HostileServer => Family::Sockets,
        kind => kind,
    };
    Some(match kind {
        Family::Sockets => socket_fault(chance, client),
        Family::Frames => {
            let up = chance.percent(50);
            let ClientSetup { framing, obfuscated, .. } = setup.clients[client];
            let count = u32::try_from(chance.range(1..=3)).unwrap();
            if obfuscated || framing == Framing::Full || chance.percent(15) {
                Action::Flip { client, up, bits: count }
            } else {
                let faults =
                    [FrameFault::Drop, FrameFault::Double, FrameFault::Delay, FrameFault::Flip];
                Action::Frames { client, up, count, fault: chance.pick(&faults) }
            }
        }
        Family::Clocks => match chance.below(5) {
            4 => Action::ServerJump { by: jump(chance).clamp(-10_000, 10_000) },
            0 | 1 => Action::Jump { client, by: jump(chance) },
            2 => {
                let time = match chance.below(3) {
                    0 => chance.seconds(1..=90),
                    1 => chance.seconds(60..=1000),
                    _ => chance.seconds(1000..=20_000),
                };
                Action::Sleep { client, time }
            }
            _ => socket_fault(chance, client),
        },
        _ => return None,
    })
}

fn socket_fault(chance: &mut Chance, client: usize) -> Action {
    match chance.below(16) {
        0..3 => Action::Cut { client, arrives: [chance.range(0..=1000), chance.range(0..=1000)] },
        3..7 => {
            let most = if chance.percent(70) { 400 } else { 5000 };
            let bytes = chance.index(most);
            Action::CutAfter { client, up: chance.percent(50), bytes }
        }
        7..9 => {
            let time =
                if chance.percent(70) { chance.seconds(0..=20) } else { chance.seconds(10..=200) };
            Action::Stall { client, ways: ways(chance), time }
        }
        9..12 => Action::HalfOpen { client, ways: ways(chance) },
        12 => Action::Refuse { client, count: u32::try_from(chance.range(1..=8)).unwrap() },
        13 => Action::TransportError { client, code: chance.pick(&[-404, -429, -429]) },
        _ => Action::ServerClose { client },
    }
}
