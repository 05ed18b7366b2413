//! The task that writes the session: one writer, in order, off the driver's path.

use std::sync::Arc;

use chappe_mtproto::connection::Resume;
use tokio::sync::{mpsc, oneshot};

use super::{Owner, Session, Store};
use crate::error::Error;

/// Gives orders to the task. The task ends when the last of these is gone.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    orders: mpsc::UnboundedSender<Order>,
}

/// What a session needs beside its key.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) dc_id: i32,
    pub(crate) address: String,
    pub(crate) server_fingerprint: i64,
}

enum Order {
    Keep(Box<Resume>),
    SignIn(Owner, Reply),
    SignOut(Reply),
    Flush(Reply),
    Close(Reply),
}

type Reply = oneshot::Sender<Result<(), Error>>;

impl Keeper {
    /// Starts the task.
    pub(crate) fn start(
        store: Box<dyn Store>,
        place: Place,
        mut session: Option<Session>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (orders, inbox) = mpsc::unbounded_channel();
        // The same server may listen somewhere else than last time.
        let moved = session.as_mut().filter(|session| session.address != place.address);
        let unwritten = moved.map(|session| session.address.clone_from(&place.address)).is_some();
        let task = Task {
            store: store.into(),
            place,
            session,
            signed_out: false,
            unwritten,
            failure: None,
        };
        (Self { orders }, task.run(inbox))
    }

    /// Writes key, salts and clock soon.
    pub(crate) fn keep(&self, resume: Resume) {
        // The task lives as long as this sender.
        drop(self.orders.send(Order::Keep(Box::new(resume))));
    }

    /// Writes who is signed in, and returns when it is on the disk.
    pub(crate) async fn sign_in(&self, owner: Owner) -> Result<(), Error> {
        self.ask(|reply| Order::SignIn(owner, reply)).await
    }

    /// Forgets the session, and returns when it is gone.
    pub(crate) async fn sign_out(&self) -> Result<(), Error> {
        self.ask(Order::SignOut).await
    }

    /// Returns when all that was ordered before is on the disk.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        self.ask(Order::Flush).await
    }

    /// Returns when all that was ordered before is on the disk and the store is let go. Nothing
    /// is kept after it.
    pub(crate) async fn close(&self) -> Result<(), Error> {
        match self.ask(Order::Close).await {
            // Somebody closed it before.
            Err(Error::Closed) => Ok(()),
            result => result,
        }
    }

    async fn ask(&self, order: impl FnOnce(Reply) -> Order) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        drop(self.orders.send(order(reply)));
        // The task ends early only with its runtime.
        answer.await.unwrap_or(Err(Error::Closed))
    }
}

struct Task {
    store: Arc<dyn Store>,
    place: Place,
    session: Option<Session>,
    /// After a sign-out nothing is written until the next sign-in.
    signed_out: bool,
    unwritten: bool,
    /// The failure of a write that nobody waited for.
    failure: Option<Error>,
}

impl Task {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        while let Some(first) = inbox.recv().await {
            let mut next = Some(first);
            while let Some(order) = next {
                if let Order::Close(reply) = order {
                    let result = self.flush().await;
                    // Who closed it may open it again at once.
                    drop(self);
                    drop(reply.send(result));
                    return;
                }
                self.obey(order).await;
                next = inbox.try_recv().ok();
            }
            if self.unwritten
                && let Err(error) = self.write().await
            {
                tracing::warn!(%error, "the session could not be kept");
                self.failure = Some(error);
            }
        }
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Keep(resume) => {
                match &mut self.session {
                    Some(session) => session.take(*resume),
                    None => self.session = Some(self.place.with(*resume)),
                }
                self.unwritten = !self.signed_out;
            }
            Order::SignIn(owner, reply) => {
                let result = match &mut self.session {
                    Some(session) => {
                        session.owner = Some(owner);
                        self.signed_out = false;
                        self.write().await
                    }
                    None => Err(Error::KeyUnknown),
                };
                drop(reply.send(result));
            }
            Order::SignOut(reply) => {
                self.signed_out = true;
                self.unwritten = false;
                if let Some(session) = &mut self.session {
                    session.owner = None;
                }
                let store = Arc::clone(&self.store);
                drop(reply.send(blocking(move || store.clear()).await));
            }
            Order::Close(reply) | Order::Flush(reply) => {
                let result = self.flush().await;
                drop(reply.send(result));
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Error> {
        match self.failure.take() {
            Some(failure) if !self.unwritten => Err(failure),
            _ if self.unwritten => self.write().await,
            _ => Ok(()),
        }
    }

    async fn write(&mut self) -> Result<(), Error> {
        let Some(session) = self.session.clone() else { return Ok(()) };
        self.unwritten = false;
        let store = Arc::clone(&self.store);
        blocking(move || store.save(&session)).await
    }
}

impl Place {
    fn with(&self, resume: Resume) -> Session {
        Session {
            dc_id: self.dc_id,
            address: self.address.clone(),
            server_fingerprint: self.server_fingerprint,
            key: resume.key,
            salts: resume.salts,
            time_offset: resume.time_offset,
            owner: None,
        }
    }
}

/// Runs what waits for a disk where waiting hurts nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::store(std::io::Error::other(error))),
    }
}
