//! The handle on a connection: cheap to clone, safe to share, closed once.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use chappe_mtproto::connection::{FailureReason, RequestOptions, RpcFailure};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use zeroize::Zeroizing;

use crate::{
    builder::Builder,
    error::{Error, RpcError},
    flood::Gate,
    invoke::Policy,
    net::driver::{Call, Control, End, Outcome, Status, Ticket},
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

pub(crate) struct Inner {
    pub(crate) app: App,
    pub(crate) policy: Policy,
    pub(crate) gate: Gate,
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
    /// written is sent, the session is kept and let go for others to use. Nothing is dialled
    /// after it. The account stays signed in.
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
        self.inner.keeper.close().await
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

    /// Tells the driver whether somebody is signed in: only then may an answer end it all.
    pub(crate) fn signed_in(&self, signed_in: bool) {
        drop(self.inner.control.send(Control::SignedIn(signed_in)));
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    pub(crate) fn status(&self) -> &watch::Receiver<Status> {
        &self.inner.status
    }

    /// Hands one body over to the driver, as soon as there is room.
    pub(crate) async fn hand_over(
        &self,
        body: Bytes,
        options: RequestOptions,
    ) -> Result<Answer<'_>, Error> {
        let inner = &*self.inner;
        let room = inner.calls.reserve().await.map_err(|_| self.end())?;
        let ticket = inner.tickets.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(ticket, "calling");
        let (reply, answer) = oneshot::channel();
        room.send(Call { ticket, body, options, reply });
        Ok(Answer { client: self, ticket: Some(ticket), answer })
    }

    /// Why a call has no answer although its time is over.
    pub(crate) fn unanswered(&self, method: &str) -> Error {
        match &*self.inner.status.borrow() {
            Status::Connecting(Some(trouble)) => Error::Network(trouble.to_error()),
            _ => Error::TimedOut(method.into()),
        }
    }

    /// Why there is no driver any more.
    pub(crate) fn end(&self) -> Error {
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
            Self::Refused(reason) => Error::Ended(*reason),
            Self::Unreachable(trouble) => Error::Network(trouble.to_error()),
        }
    }
}

/// The answer to a call that was handed over. Dropping it tells the driver that nobody waits.
pub(crate) struct Answer<'a> {
    client: &'a Client,
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
        match outcome {
            Ok(Outcome::Answered(answer)) => Ok(Ok(answer)),
            Ok(Outcome::Refused(failure)) => Ok(Err(failure)),
            Ok(Outcome::Failed(reason)) => Err(failed(method, reason)),
            Err(_) => Err(self.client.end()),
        }
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            // A driver that ended has forgotten the call already.
            drop(self.client.inner.control.send(Control::Cancel(ticket)));
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
