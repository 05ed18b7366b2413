//! What goes into a driver and what comes out of it.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chappe_mtproto::{
    connection::{Connection, FailureReason, RequestOptions, RpcFailure},
    error::ProtocolError,
    time::Now,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    time::Instant,
};

use super::Trouble;
use crate::{
    net::{Connector, report::Report},
    session::{Lease, keeper::DcKeeper},
    state::Ended,
};

/// Names one call of the client, so that it can be cancelled.
pub(crate) type Ticket = u64;

/// A call on its way to the server.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) ticket: Ticket,
    pub(crate) body: Bytes,
    pub(crate) options: RequestOptions,
    pub(crate) reply: oneshot::Sender<Outcome>,
}

/// How a call ended. If the driver ended first, the reply is dropped and [`Status`] says why.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered(Bytes),
    Refused(RpcFailure),
    Failed(FailureReason),
}

/// What is not a call. When the last sender is gone, the driver ends at once.
///
/// The channel has no bound of its own, but few can be under way: a call is cancelled once and
/// only after it was handed over, and no more calls are handed over than there is room for until
/// the driver has heard of the cancelled ones.
#[derive(Debug)]
pub(crate) enum Control {
    /// Nobody waits for this call any more.
    Cancel(Ticket),
    /// Say goodbye, then end.
    Close,
    /// The next call announces layer and device again.
    Introduce,
    /// Whether somebody is signed in with this session from now on: only then does it end with
    /// the sign-in.
    SignedIn(bool),
}

/// What everybody may know about the connection.
#[derive(Clone, Debug)]
pub(crate) enum Status {
    /// There is no socket that carries calls; with the reason if there was one.
    Connecting(Option<Trouble>),
    /// Calls are carried.
    Connected,
    /// It is over.
    Ended(End),
}

/// Why the driver ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Closed,
    /// The session is not ours any more.
    LeaseLost,
    Protocol(ProtocolError),
    /// Telegram answered that it is over with this session.
    Refused(Ended),
    Unreachable(Trouble),
}

/// What the driver is made of.
pub(crate) struct Parts {
    pub(crate) connection: Connection,
    pub(crate) clock: Clock,
    pub(crate) connector: Connector,
    pub(crate) connect_timeout: Duration,
    /// `invokeWithLayer(initConnection(`, encoded; the call follows.
    pub(crate) introduction: Bytes,
    pub(crate) calls: mpsc::Receiver<Call>,
    pub(crate) control: mpsc::UnboundedReceiver<Control>,
    pub(crate) updates: broadcast::Sender<Bytes>,
    pub(crate) status: Report,
    pub(crate) keeper: DcKeeper,
    /// How long the session may be used, if that is limited.
    pub(crate) lease: Option<Lease>,
    /// Whether somebody is signed in with the session. Where that is not this connection's to
    /// judge, as with a data centre that is not the account's own, it is false.
    pub(crate) signed_in: bool,
    /// Spreads the reconnects of many clients.
    pub(crate) jitter: u64,
}

/// The two clocks, read together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(super) epoch: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { epoch: Instant::now() }
    }

    pub(crate) fn now(self) -> Now {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now::new(self.uptime(), unix)
    }

    /// The time since the clock was started.
    pub(crate) fn uptime(self) -> Duration {
        self.epoch.elapsed()
    }
}
