//! What can be ordered: faults, actions and whom they concern. These types are the JSON of the
//! control port and the arguments of [`Faults`](super::Faults) alike.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::scope::Scope;
use crate::Objection;

/// A fault: what goes wrong, for whom, and how often.
///
/// Without further words it strikes everybody, every time, until it is removed.
///
/// ```
/// use chappe_server::faults::{Fault, Kind, Scope};
/// let fault = Fault::new(Kind::Drop).down().every(3).on(Scope::user(777));
/// let json = r#"{"fault":"drop","scope":{"user_id":777},"way":"down","every":3}"#;
/// assert_eq!(serde_json::to_string(&fault).unwrap(), json);
/// assert_eq!(serde_json::from_str::<Fault>(json).unwrap(), fault);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[must_use]
pub struct Fault {
    /// What goes wrong.
    pub fault: Kind,
    /// For whom.
    #[serde(default, skip_serializing_if = "Scope::is_everything")]
    pub scope: Scope,
    /// For packets, `close_after` and `slow`: one way only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// For packets: those of key exchanges only, or with `false` the encrypted ones only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<bool>,
    /// For requests: the TL name of the method, in which `*` stands for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The first so many occasions pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// It strikes every so many occasions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// It strikes with this probability, above 0 and up to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
    /// What that chance and damaged bits follow from; 0 without this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// It strikes so many times, then no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// It ends after so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_seconds: Option<f64>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Kind {
    /// Packets: lost. An occasion is a packet.
    Drop,
    /// Packets: come twice.
    Duplicate,
    /// Packets: come so many seconds later; others overtake them.
    Delay {
        /// How much later.
        seconds: f64,
    },
    /// Packets: come after the next one of their socket and way.
    Reorder,
    /// Packets: one bit is flipped, one by chance if it is not named.
    Corrupt {
        /// The number of the bit from the beginning of the packet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bit: Option<u64>,
    },
    /// Packets: only so many bytes come, a multiple of 4.
    Truncate {
        /// How many.
        bytes: usize,
    },
    /// Packets of the client: answered by a transport error, and the socket is closed.
    TransportError {
        /// The code: -404, -429, -444 or any other below 0.
        code: i32,
    },
    /// Messages of the client: refused by `bad_msg_notification`, with 48 by `bad_server_salt`.
    BadMsg {
        /// The code: 16, 17, 18, 19, 20, 32, 33, 34, 35, 48 or 64.
        code: i32,
    },

    /// Sockets: closed behind so many bytes from now on, or from when they are accepted. An occasion
    /// is a socket.
    CloseAfter {
        /// How many bytes.
        bytes: u64,
    },
    /// Sockets: nothing more is read.
    StopReading,
    /// Sockets: nothing is read, written or closed; when it ends, all of it comes.
    BlackHole,
    /// Sockets: accepted and closed at once.
    RefuseConnections,
    /// Sockets: no faster than this.
    Slow {
        /// So many bytes a second, each way.
        bytes_per_second: u32,
    },

    /// Acknowledgements do not leave.
    HoldAcks,
    /// Answers are announced by `msg_detailed_info` and sent when they are asked for.
    AnnounceAnswers {
        /// Those of more bytes than this.
        above: usize,
    },
    /// Every answer is compressed, even if that makes it longer.
    GzipEverything,
    /// Quick acknowledgements are not sent.
    NoQuickAcks,
    /// `new_session_created` comes twice.
    DuplicateNewSession,
    /// Key exchanges: `set_client_DH_params` is answered by `dh_gen_retry`.
    DhGenRetry,
    /// Key exchanges: `set_client_DH_params` is answered by `dh_gen_fail`.
    DhGenFail,

    /// Requests: 420 FLOOD_WAIT_X that counts down. An occasion is a request; here one that does not
    /// wait already.
    Flood {
        /// How long an account has to wait.
        seconds: u32,
        /// How many calls an account has free before it waits, and again after it waited.
        #[serde(default)]
        free: u32,
    },
    /// Requests: refused by this error and not executed.
    RpcError {
        /// Its code, such as 500 or -503.
        code: i32,
        /// Its text, such as `RPC_CALL_FAIL`.
        text: String,
    },
    /// Requests: refused by 303 PHONE_MIGRATE_X or one of its like.
    Migrate {
        /// Which one.
        what: Migration,
        /// Where the client is sent.
        dc: i32,
    },
    /// Requests: executed, but a constructor of the answer is one of no layer.
    UnknownConstructor {
        /// The TL name of the constructor that is replaced wherever it stands; the outermost one
        /// if it is not named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<String>,
    },
    /// Requests: executed, but only the beginning of the answer comes.
    TruncateAnswer {
        /// So many bytes of it, a multiple of 4.
        bytes: usize,
    },
    /// Requests: executed at once and answered so many seconds later.
    DelayAnswer {
        /// How much later.
        seconds: f64,
    },
    /// Requests: neither executed nor answered.
    NeverAnswer,
    /// Requests: executed, but the answer is lost on its way. It comes when the client repeats the
    /// request or connects anew.
    LoseAnswer,
    /// Requests: executed and answered twice.
    AnswerTwice,
}

/// The way of a packet or a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From the server to the client.
    Down,
    /// From the client to the server.
    Up,
}

/// Why a client is sent to another data centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Migration {
    /// The file is there: FILE_MIGRATE_X.
    File,
    /// The client is nearer to it: NETWORK_MIGRATE_X.
    Network,
    /// The phone number's account is there: PHONE_MIGRATE_X.
    Phone,
    /// The statistics are there: STATS_MIGRATE_X.
    Stats,
    /// The account is there: USER_MIGRATE_X.
    User,
}

/// What is done once and at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Action {
    /// Closes sockets.
    Close,
    /// Deletes the user of device sessions: 401 USER_DEACTIVATED from now on.
    Deactivate,
    /// Forgets the answers and pushes that sessions did not acknowledge.
    DropAnswers,
    /// Feigns that keys were used from two places at once: 406 AUTH_KEY_DUPLICATED from now on.
    DuplicateKeys,
    /// Ends the time of temporary keys: their next packet is answered by -404.
    ExpireKeys,
    /// Forgets sessions as a server does that was restarted: their next packet is answered by
    /// `new_session_created`, and answers that were not fetched are lost.
    ForgetSessions,
    /// Lets time pass for all that the server keeps: codes and tokens end, device sessions grow older,
    /// waits are over. The clock of the protocol stays where it is.
    PassTime {
        /// How many seconds, in addition to those that passed so before.
        seconds: u32,
    },
    /// Ends device sessions: 401 SESSION_REVOKED from now on.
    Revoke,
    /// Ends all salts at once, long before their time.
    RotateSalts,
    /// Sets the server's clock wrong from now on; 0 sets it right.
    SkewClock {
        /// By so many seconds: below 0 it is slow.
        seconds: i32,
    },
    /// Sends a transport error and closes the socket.
    TransportError {
        /// The code: -404, -429, -444 or any other below 0.
        code: i32,
    },
    /// Takes the permanent keys from temporary ones: 401 AUTH_KEY_PERM_EMPTY from now on.
    Unbind,
}

impl Fault {
    /// Something that goes wrong for everybody, every time, until it is removed.
    pub fn new(kind: Kind) -> Self {
        Self {
            fault: kind,
            scope: Scope::default(),
            way: None,
            exchange: None,
            method: None,
            after: None,
            every: None,
            chance: None,
            seed: None,
            times: None,
            for_seconds: None,
        }
    }

    /// For these only.
    pub fn on(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// On the way to the client only.
    pub fn down(mut self) -> Self {
        self.way = Some(Way::Down);
        self
    }

    /// On the way to the server only.
    pub fn up(mut self) -> Self {
        self.way = Some(Way::Up);
        self
    }

    /// Packets of key exchanges only, or with `false` the others only.
    pub fn exchange(mut self, exchange: bool) -> Self {
        self.exchange = Some(exchange);
        self
    }

    /// Requests of this method only; `*` stands for anything.
    pub fn method(mut self, pattern: impl Into<String>) -> Self {
        self.method = Some(pattern.into());
        self
    }

    /// The first so many occasions pass.
    pub fn after(mut self, occasions: u64) -> Self {
        self.after = Some(occasions);
        self
    }

    /// Every so many occasions only.
    pub fn every(mut self, occasions: u64) -> Self {
        self.every = Some(occasions);
        self
    }

    /// With this probability, by this seed.
    pub fn chance(mut self, probability: f64, seed: u64) -> Self {
        (self.chance, self.seed) = (Some(probability), Some(seed));
        self
    }

    /// So many times, then no more.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Once.
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// For so long.
    pub fn lasting(mut self, time: Duration) -> Self {
        self.for_seconds = Some(time.as_secs_f64());
        self
    }

    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> Result<(), Objection> {
        let Self { fault, scope, way, exchange, method, after, every, chance, times, .. } = self;
        let class = fault.class();
        let two_ways = matches!(
            fault,
            Kind::CloseAfter { .. }
                | Kind::Slow { .. }
                | Kind::Drop
                | Kind::Duplicate
                | Kind::Delay { .. }
                | Kind::Reorder
                | Kind::Corrupt { .. }
                | Kind::Truncate { .. }
        );
        if way.is_some() && !two_ways {
            return Err(Objection::new(
                "this fault has no `way`",
                "leave `way` out; packets, `close_after` and `slow` have one",
            ));
        }
        if exchange.is_some() && class != Class::Packet {
            return Err(Objection::new(
                "only packets may be of an exchange",
                "leave `exchange` out",
            ));
        }
        if method.is_some() && class != Class::Request {
            return Err(Objection::new(
                "this fault is not of requests",
                "leave `method` out; faults of packets and sockets do not know methods",
            ));
        }
        let early = matches!(fault, Kind::RefuseConnections | Kind::DhGenRetry | Kind::DhGenFail);
        if early && *scope != (Scope { dc: scope.dc, ..Scope::default() }) {
            return Err(Objection::new(
                "nobody is known yet when this strikes",
                "give no scope but `dc`",
            ));
        }
        let long = |pattern: &String| {
            pattern.len() > TEXT || pattern.matches('*').count() > STARS || pattern.is_empty()
        };
        if method.as_ref().is_some_and(long) {
            return Err(Objection::new(
                "no method has such a name",
                "give a TL name like account.getWebAuthorizations, with up to three `*`",
            ));
        }
        if [every, times].into_iter().any(|count| *count == Some(0)) {
            return Err(Objection::new(
                "`every` and `times` count from 1",
                "remove a fault that is not to strike",
            ));
        }
        if after.is_some_and(|after| after > COUNT) || every.is_some_and(|every| every > COUNT) {
            return Err(Objection::new("so many occasions never come", "count to 1000000000"));
        }
        if chance.is_some_and(|chance| !(chance > 0.0 && chance <= 1.0)) {
            return Err(Objection::new("a chance of that size is none", "0 < `chance` <= 1"));
        }
        if self.for_seconds.is_some_and(|time| !(time > 0.0 && time <= YEAR)) {
            return Err(Objection::new("`for_seconds` is out of range", "up to a year"));
        }
        fault.check()
    }
}

/// What kinds of things go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Packet,
    Message,
    Socket,
    Quirk,
    Request,
}

impl Kind {
    pub(super) fn class(&self) -> Class {
        match self {
            Self::Drop
            | Self::Duplicate
            | Self::Delay { .. }
            | Self::Reorder
            | Self::Corrupt { .. }
            | Self::Truncate { .. }
            | Self::TransportError { .. } => Class::Packet,
            Self::BadMsg { .. } => Class::Message,
            Self::CloseAfter { .. }
            | Self::StopReading
            | Self::BlackHole
            | Self::RefuseConnections
            | Self::Slow { .. } => Class::Socket,
            Self::HoldAcks
            | Self::AnnounceAnswers { .. }
            | Self::GzipEverything
            | Self::NoQuickAcks
            | Self::DuplicateNewSession
            | Self::DhGenRetry
            | Self::DhGenFail => Class::Quirk,
            Self::Flood { .. }
            | Self::RpcError { .. }
            | Self::Migrate { .. }
            | Self::UnknownConstructor { .. }
            | Self::TruncateAnswer { .. }
            | Self::DelayAnswer { .. }
            | Self::NeverAnswer
            | Self::LoseAnswer
            | Self::AnswerTwice => Class::Request,
        }
    }

    fn check(&self) -> Result<(), Objection> {
        let out = |problem, hint| Err(Objection::new(problem, hint));
        match self {
            Self::Delay { seconds } | Self::DelayAnswer { seconds }
                if !(*seconds > 0.0 && *seconds <= DAY) =>
            {
                out("such a delay is not possible", "0 < `seconds` <= 86400")
            }
            Self::TransportError { code } if *code >= 0 => {
                out("transport errors are below 0", "-404, -429 or -444 are usual")
            }
            Self::BadMsg { code } if !BAD_MSG.contains(code) => out(
                "no `bad_msg_notification` has this code",
                "16, 17, 18, 19, 20, 32, 33, 34, 35, 48 or 64",
            ),
            Self::Slow { bytes_per_second: 0 } => {
                out("no bytes a second is a black hole", "use `black_hole`")
            }
            Self::Flood { seconds: 0, .. } => {
                out("nobody waits for 0 seconds", "`seconds` is 1 or more")
            }
            Self::RpcError { text, .. } if text.is_empty() || text.len() > TEXT => {
                out("such a text is no error", "1 to 255 bytes, such as RPC_CALL_FAIL")
            }
            Self::UnknownConstructor { instead_of: Some(name) }
                if chappe_schema::api().find(name).is_none_or(|found| found.is_function) =>
            {
                let near = chappe_schema::api().suggest(name);
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                let hint = hint.as_deref().unwrap_or("give the TL name of a constructor");
                out("the schema has no such constructor", hint)
            }
            _ => Ok(()),
        }
    }
}

impl Action {
    pub(super) fn check(&self, scope: &Scope) -> Result<(), Objection> {
        match self {
            Self::SkewClock { .. } if scope.asks_session() => Err(Objection::new(
                "a server has one clock for everybody",
                "give no scope but `dc`",
            )),
            Self::PassTime { .. } if !scope.is_everything() => {
                Err(Objection::new("there is one time for everybody", "give no scope"))
            }
            Self::TransportError { code } => Kind::TransportError { code: *code }.check(),
            _ => Ok(()),
        }
    }
}

impl Migration {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::File => "FILE_MIGRATE",
            Self::Network => "NETWORK_MIGRATE",
            Self::Phone => "PHONE_MIGRATE",
            Self::Stats => "STATS_MIGRATE",
            Self::User => "USER_MIGRATE",
        }
    }
}

/// The codes of `bad_msg_notification` and `bad_server_salt`.
const BAD_MSG: [i32; 11] = [16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64];

/// How far occasions are counted.
const COUNT: u64 = 1_000_000_000;

/// The longest delay, in seconds.
const DAY: f64 = 86_400.0;

/// The longest duration of a fault, in seconds.
const YEAR: f64 = 366.0 * 86_400.0;

/// How many `*` a pattern may have: each multiplies the work.
const STARS: usize = 3;

/// The longest text of an error, in bytes.
const TEXT: usize = 255;
