//! The handle on a connection: cheap to clone, safe to share, closed once.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chappe_mtproto::connection::{FailureReason, RpcFailure};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use zeroize::Zeroizing;

use crate::{
    builder::Builder,
    error::{Error, RpcError},
    invoke::Policy,
    net::{
        driver::{Call, Control, End, Outcome, Status, Ticket},
        timer,
    },
    session::keeper::Keeper,
    updates::Updates,
};

/// A client of Telegram.
///
/// It is a handle: clones share one connection and one session. [`close`](Self::close) ends it
/// in good order; dropping the last handle ends it at once.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// What the connection of a client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// It was closed, or failed for good.
    Closed,
    /// It carries calls.
    Connected,
    /// There is no network for now; calls wait for it.
    Connecting,
}

pub(crate) struct Inner {
    pub(crate) app: App,
    pub(crate) policy: Policy,
    pub(crate) request_timeout: Duration,
    pub(crate) calls: mpsc::Sender<Call>,
    pub(crate) control: mpsc::UnboundedSender<Control>,
    pub(crate) updates: broadcast::WeakSender<Bytes>,
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) keeper: Keeper,
    pub(crate) tickets: AtomicU64,
}

/// What Telegram knows the program by. The hash is a secret.
pub(crate) struct App {
    pub(crate) api_id: i32,
    pub(crate) api_hash: Zeroizing<String>,
}

impl Client {
    /// Begins to describe a client. `api_id` and `api_hash` are those of your application, from
    /// my.telegram.org; a local server takes any number and any 32 hexadecimal digits.
    pub fn builder(api_id: i32, api_hash: impl Into<String>) -> Builder {
        Builder::new(api_id, api_hash.into())
    }

    /// Ends the connection for all handles: calls under way end with [`Error::Closed`], what was
    /// written is sent, the session is kept. The account stays signed in.
    ///
    /// Closing twice is no error.
    ///
    /// # Errors
    /// [`Error::Session`] if the session could not be kept.
    ///
    /// # Cancel safety
    /// Once polled, the connection ends even if the future is dropped.
    pub async fn close(&self) -> Result<(), Error> {
        // A driver that ended by itself hears nothing, and needs not.
        drop(self.inner.control.send(Control::Close));
        let mut status = self.inner.status.clone();
        // An error means that the driver is gone altogether, which is the same here.
        drop(status.wait_for(|status| matches!(status, Status::Ended(_))).await);
        self.inner.keeper.flush().await
    }

    /// What the connection is doing now.
    pub fn state(&self) -> ConnectionState {
        state(&self.inner.status.borrow())
    }

    /// Waits until the connection does something else than `known`, and returns what.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn state_changed(&self, known: ConnectionState) -> ConnectionState {
        let mut status = self.inner.status.clone();
        match status.wait_for(|status| state(status) != known).await {
            Ok(status) => state(&status),
            Err(_) => ConnectionState::Closed,
        }
    }

    /// The objects that the server pushes from now on.
    pub fn updates(&self) -> Updates {
        Updates::new(&self.inner.updates, self.inner.status.clone())
    }

    pub(crate) fn app(&self) -> &App {
        &self.inner.app
    }

    pub(crate) fn keeper(&self) -> &Keeper {
        &self.inner.keeper
    }

    pub(crate) fn policy(&self) -> Policy {
        self.inner.policy
    }

    pub(crate) fn introduce_again(&self) {
        // A driver that ended needs no introduction.
        drop(self.inner.control.send(Control::Introduce));
    }

    /// Sends one body once and waits for the answer.
    pub(crate) async fn send(
        &self,
        method: &str,
        body: Bytes,
    ) -> Result<Result<Bytes, RpcFailure>, Error> {
        let inner = &*self.inner;
        let ticket = inner.tickets.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(ticket, "calling");
        let (reply, answer) = oneshot::channel();
        let exchange = async {
            // Created before the call is handed over, so that no moment is left uncovered.
            let mut guard = CancelOnDrop { control: &inner.control, ticket: Some(ticket) };
            if inner.calls.send(Call { ticket, body, reply }).await.is_err() {
                return Err(self.ended());
            }
            let outcome = answer.await.map_err(|_| self.ended());
            guard.ticket = None;
            outcome
        };
        match timer::within(inner.request_timeout, exchange).await {
            Some(Ok(Outcome::Answered(answer))) => Ok(Ok(answer)),
            Some(Ok(Outcome::Refused(failure))) => Ok(Err(failure)),
            Some(Ok(Outcome::Failed(reason))) => Err(failed(method, reason)),
            Some(Err(ended)) => Err(ended),
            None => Err(match &*inner.status.borrow() {
                Status::Connecting(Some(trouble)) => Error::Network(trouble.to_error()),
                _ => Error::TimedOut(method.into()),
            }),
        }
    }

    /// Why there is no driver any more.
    fn ended(&self) -> Error {
        match &*self.inner.status.borrow() {
            Status::Ended(end) => end.to_error(),
            // The reply was dropped by a driver that is about to say why: it is closing.
            _ => Error::Closed,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl From<Inner> for Client {
    fn from(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }
}

impl End {
    pub(crate) fn to_error(&self) -> Error {
        match self {
            Self::Closed => Error::Closed,
            Self::Protocol(error) => error.clone().into(),
            Self::Unreachable(trouble) => Error::Network(trouble.to_error()),
        }
    }
}

/// Tells the driver that nobody waits any more.
struct CancelOnDrop<'a> {
    control: &'a mpsc::UnboundedSender<Control>,
    ticket: Option<Ticket>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            // A driver that ended has forgotten the call already.
            drop(self.control.send(Control::Cancel(ticket)));
        }
    }
}

const fn state(status: &Status) -> ConnectionState {
    match status {
        Status::Connected => ConnectionState::Connected,
        Status::Connecting(_) => ConnectionState::Connecting,
        Status::Ended(_) => ConnectionState::Closed,
    }
}

fn failed(method: &str, reason: FailureReason) -> Error {
    match reason {
        FailureReason::Unsendable => Error::TooLarge(method.into()),
        FailureReason::Rejected(code) => RpcError::new(method, code, "BAD_MSG_NOTIFICATION").into(),
        _ => Error::Lost(method.into()),
    }
}
