//! One connection as the callers see it: calls go in, answers come out. Its driver ends with it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chappe_crypto::rsa::PublicKey;
use chappe_mtproto::{
    connection::{Config, Connection, FailureReason, RequestOptions, RpcFailure},
    transport,
};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tracing::Instrument;

use crate::{
    builder::entropy,
    dc::{AddressBook, Kind},
    error::{Error, RpcError},
    net::{
        backoff::Chance,
        dial::Dialer,
        driver::{self, Call, Clock, Control, End, Outcome, Parts, Status, Ticket},
        report::{self, Lead},
        timer,
    },
    session::{
        self,
        keeper::{DcKeeper, Keeper},
    },
    state::Ended,
};

/// How all connections of a client speak.
pub(crate) struct Setup {
    pub(crate) framing: transport::Framing,
    pub(crate) obfuscated: bool,
    pub(crate) forward_secrecy: Option<Duration>,
    pub(crate) test_servers: bool,
    pub(crate) server_key: PublicKey,
    /// `invokeWithLayer(initConnection(`, encoded.
    pub(crate) introduction: Bytes,
    pub(crate) connect_timeout: Duration,
    /// `None` once nothing is to be dialled any more.
    pub(crate) dialer: Mutex<Option<Dialer>>,
    pub(crate) book: Arc<AddressBook>,
    pub(crate) keeper: Keeper,
    /// Without it the session is the client's until it lets it go.
    pub(crate) lease: Option<session::Lease>,
    /// Told when no address of a data centre answers.
    pub(crate) trouble: Arc<Notify>,
    /// Where the pauses of each connection begin to be drawn from.
    pub(crate) chance: Mutex<Chance>,
    /// What the client shows: the status of its home.
    pub(crate) status: watch::Sender<Status>,
}

/// A connection to one data centre, for one purpose.
pub(crate) struct Line {
    pub(crate) dc_id: i32,
    pub(crate) kind: Kind,
    pub(crate) lead: Lead,
    pub(crate) keeper: DcKeeper,
    pub(crate) status: watch::Receiver<Status>,
    calls: mpsc::Sender<Call>,
    control: mpsc::UnboundedSender<Control>,
    tickets: AtomicU64,
    /// How many use it.
    active: watch::Sender<usize>,
    /// Whether an answer ever came over it.
    answered: AtomicBool,
}

/// A line in use: as long as there is one, the line is not idle.
pub(crate) struct Lease {
    line: Arc<Line>,
}

/// What a call waits for, for whoever gives up waiting.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Option<watch::Receiver<Status>>>);

impl Setup {
    /// Starts a connection: it dials, and agrees on a key if there is none.
    pub(crate) fn start(
        &self,
        dc_id: i32,
        kind: Kind,
        updates: broadcast::Sender<Bytes>,
        signed_in: bool,
    ) -> Result<Arc<Line>, Error> {
        let dialer = self.dialer().ok_or(Error::Closed)?;
        let config = Config {
            framing: self.framing,
            obfuscated: self.obfuscated,
            // Test data centres are numbered from 10,000 on in the protocol, not in the API.
            dc_id: if self.test_servers { dc_id + 10_000 } else { dc_id },
            server_keys: vec![self.server_key.clone()],
            forward_secrecy: self.forward_secrecy,
            ..Config::default()
        };
        let (keeper, resume) = self.keeper.of(dc_id);
        let clock = Clock::start();
        let connection = Connection::new(config, resume, entropy()?, clock.now());
        let (calls, calls_inbox) = mpsc::channel(QUEUE);
        let (control, control_inbox) = mpsc::unbounded_channel();
        let (report, lead) = report::new(&self.status);
        let dialled = {
            let (keeper, trouble) = (self.keeper.clone(), Arc::clone(&self.trouble));
            move |address: Option<&str>| match address {
                Some(address) => keeper.dialled(dc_id, address),
                None => trouble.notify_one(),
            }
        };
        let parts = Parts {
            connection,
            clock,
            connector: dialer.connector(&self.book, dc_id, kind, dialled),
            connect_timeout: self.connect_timeout,
            introduction: self.introduction.clone(),
            calls: calls_inbox,
            control: control_inbox,
            updates,
            status: report,
            keeper: keeper.clone(),
            lease: self.lease.clone(),
            signed_in,
            jitter: self.chance.lock().unwrap_or_else(PoisonError::into_inner).draw(),
        };
        let id = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        let span = tracing::info_span!(parent: None, "conn", dc = dc_id, id);
        tokio::spawn(driver::run(parts).instrument(span));
        Ok(Arc::new(Line {
            dc_id,
            kind,
            status: lead.status(),
            lead,
            keeper,
            calls,
            control,
            tickets: AtomicU64::new(0),
            active: watch::Sender::new(0),
            answered: AtomicBool::new(false),
        }))
    }

    /// Whether there is a way to this data centre.
    pub(crate) fn reaches(&self, dc_id: i32) -> bool {
        self.dialer().is_some_and(|dialer| dialer.reaches(&self.book, dc_id))
    }

    /// Dials no more.
    pub(crate) fn close(&self) {
        self.dialer.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn dialer(&self) -> Option<Dialer> {
        self.dialer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the line carries calls and its key is on the disk.
    ///
    /// A client whose key is lost with the process would sign in for nothing.
    pub(crate) async fn settle(&self, line: &Line) -> Result<(), Error> {
        let mut status = line.status.clone();
        let settled = status.wait_for(|status| !matches!(status, Status::Connecting(_)));
        match timer::within(self.connect_timeout, settled).await {
            Some(Ok(status)) => match &*status {
                Status::Ended(end) => return Err(end.to_error()),
                Status::Connected | Status::Connecting(_) => {}
            },
            Some(Err(_)) => return Err(Error::Closed),
            None => return Err(Error::Network(driver::too_slow())),
        }
        self.keeper.flush().await
    }
}

impl Line {
    /// Hands one body over to the driver, as soon as there is room.
    pub(crate) async fn hand_over(
        &self,
        body: Bytes,
        options: RequestOptions,
    ) -> Result<Answer<'_>, Error> {
        let room = self.calls.reserve().await.map_err(|_| self.end())?;
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(dc = self.dc_id, ticket, "calling");
        let (reply, answer) = oneshot::channel();
        room.send(Call { ticket, body, options, reply });
        Ok(Answer { line: self, ticket: Some(ticket), answer })
    }

    /// Whether an answer ever came over it: then what was sent over it may have run.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Has the next call announce layer and device once more.
    pub(crate) fn introduce_again(&self) {
        self.tell(Control::Introduce);
    }

    /// Tells the driver whether somebody is signed in: only then may an answer end it all.
    pub(crate) fn signed_in(&self, signed_in: bool) {
        self.tell(Control::SignedIn(signed_in));
    }

    /// Has the driver say goodbye and end.
    pub(crate) fn close(&self) {
        self.tell(Control::Close);
    }

    /// Waits for the end of the driver.
    pub(crate) async fn closed(&self) {
        let mut status = self.status.clone();
        // An error means that the driver is gone altogether, which is the same here.
        drop(status.wait_for(|status| matches!(status, Status::Ended(_))).await);
    }

    /// Why there is no driver any more, if so.
    pub(crate) fn ended(&self) -> Option<End> {
        match &*self.status.borrow() {
            Status::Ended(end) => Some(end.clone()),
            _ => None,
        }
    }

    /// Who waits until nobody uses it.
    pub(crate) fn watch_use(&self) -> watch::Receiver<usize> {
        self.active.subscribe()
    }

    pub(crate) fn is_in_use(&self) -> bool {
        *self.active.borrow() > 0
    }

    fn tell(&self, control: Control) {
        // A driver that ended hears nothing, and needs not.
        drop(self.control.send(control));
    }

    fn end(&self) -> Error {
        // Without a status the reply was dropped by a driver that is about to say why: it closes.
        self.ended().map_or(Error::Closed, |end| end.to_error())
    }
}

impl Lease {
    pub(crate) fn new(line: &Arc<Line>) -> Self {
        line.active.send_modify(|active| *active += 1);
        Self { line: Arc::clone(line) }
    }

    pub(crate) const fn line(&self) -> &Arc<Line> {
        &self.line
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.line.active.send_modify(|active| *active -= 1);
    }
}

impl Progress {
    pub(crate) fn wait_for(&self, line: &Line) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = Some(line.status.clone());
    }

    /// Why a call has no answer although its time is over.
    pub(crate) fn unanswered(&self, method: &str) -> Error {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.as_ref().map(watch::Receiver::borrow).as_deref() {
            Some(Status::Connecting(Some(trouble))) => Error::Network(trouble.to_error()),
            _ => Error::TimedOut(method.into()),
        }
    }
}

/// The answer to a call that was handed over. Dropping it tells the driver that nobody waits.
pub(crate) struct Answer<'a> {
    line: &'a Line,
    /// `None` once there is nothing more to cancel.
    ticket: Option<Ticket>,
    answer: oneshot::Receiver<Outcome>,
}

impl Answer<'_> {
    /// What became of the call.
    pub(crate) async fn outcome(
        mut self,
        method: &str,
    ) -> Result<Result<Bytes, RpcFailure>, Error> {
        let outcome = (&mut self.answer).await;
        self.ticket = None;
        if matches!(outcome, Ok(Outcome::Answered(_) | Outcome::Refused(_))) {
            self.line.answered.store(true, Ordering::Relaxed);
        }
        match outcome {
            Ok(Outcome::Answered(answer)) => Ok(Ok(answer)),
            Ok(Outcome::Refused(failure)) => Ok(Err(failure)),
            Ok(Outcome::Failed(reason)) => Err(failed(method, reason)),
            Err(_) => Err(self.line.end()),
        }
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.line.tell(Control::Cancel(ticket));
        }
    }
}

impl End {
    pub(crate) fn to_error(&self) -> Error {
        match self {
            Self::Closed => Error::Closed,
            Self::LeaseLost => Error::Ended(Ended::LeaseLost),
            Self::Protocol(error) => error.clone().into(),
            Self::Refused(reason) => Error::Ended(*reason),
            Self::Unreachable(trouble) => Error::Network(trouble.to_error()),
        }
    }
}

fn failed(method: &str, reason: FailureReason) -> Error {
    match reason {
        FailureReason::Unsendable => Error::TooLarge(method.into()),
        FailureReason::Unreadable => Error::unreadable(method),
        FailureReason::Rejected(code) => RpcError::new(method, code, "BAD_MSG_NOTIFICATION").into(),
        _ => Error::Lost(method.into()),
    }
}

/// Calls that wait for the driver to take them.
const QUEUE: usize = 64;

static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
