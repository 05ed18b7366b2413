//! The task that writes the session: one writer, in order, off the drivers' path.
//!
//! What the session says is changed at once, under a lock; the task only brings it to the disk.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chappe_mtproto::connection::Resume;
use tokio::sync::{mpsc, oneshot};

use super::{Dc, Lease, Owner, Session, SessionLock, Store, Token, lock::Held};
use crate::{
    error::{Error, SessionProblem},
    net::driver::Clock,
};

/// The session of a running client, and orders to the task that keeps it. The task ends when the
/// last of these is gone.
#[derive(Clone)]
pub(crate) struct Keeper {
    state: Arc<Mutex<State>>,
    orders: mpsc::UnboundedSender<Order>,
}

/// The keeper as one connection knows it: for one data centre.
#[derive(Clone)]
pub(crate) struct DcKeeper {
    keeper: Keeper,
    dc_id: i32,
    /// The id of the auth key that the connection speaks with; 0 before it has one.
    key_id: Arc<AtomicI64>,
}

struct State {
    /// Complete as soon as there is a key for the home.
    session: Session,
    addresses: BTreeMap<i32, String>,
    /// The data centre whose address the program gave.
    given: Option<i32>,
    /// After a sign-out nothing is written until the next sign-in.
    signed_out: bool,
    /// Grows with each sign-in and sign-out.
    era: u64,
    unwritten: bool,
    clock: Clock,
    /// The uptime when a connection said last what time it is there, and that time. The local
    /// wall clock may have been set since.
    reading: Option<(Duration, i64)>,
}

/// What becomes of the tokens for later sign-ins with a sign-out.
pub(crate) enum Tokens<'a> {
    /// They are kept, and this one with them.
    Keep(Option<&'a [u8]>),
    Forget,
}

enum Order {
    /// Something changed.
    Look,
    /// Keep this alone, or nothing.
    Leave(Option<Box<Session>>, Reply),
    Close(Reply),
    Flush(Reply),
}

type Reply = oneshot::Sender<Result<(), Error>>;

impl Keeper {
    /// Starts with what was kept, or with a session that is empty but for its home and server.
    pub(crate) fn start(
        held: Held,
        session: Session,
        given: Option<(i32, String)>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (orders, inbox) = mpsc::unbounded_channel();
        let state = State {
            session,
            addresses: BTreeMap::new(),
            given: given.as_ref().map(|(dc_id, _)| *dc_id),
            signed_out: false,
            era: 0,
            unwritten: false,
            clock: Clock::start(),
            reading: None,
        };
        let keeper = Self { state: Arc::new(Mutex::new(state)), orders };
        if let Some((dc_id, address)) = given {
            // The same server may listen somewhere else than last time.
            keeper.dialled(dc_id, &address);
        }
        let task = Task { held: Arc::new(held), state: Arc::clone(&keeper.state), left: None };
        (keeper, task.run(inbox))
    }

    /// The keeper for a connection to this data centre, and what it goes on with.
    pub(crate) fn of(&self, dc_id: i32) -> (DcKeeper, Option<Resume>) {
        let resume = self.lock().session.resume(dc_id);
        let key_id = resume.as_ref().map_or(0, |resume| resume.key.id());
        let key_id = Arc::new(AtomicI64::new(key_id));
        (DcKeeper { keeper: self.clone(), dc_id, key_id }, resume)
    }

    /// Whether there is an auth key for this data centre.
    pub(crate) fn has_key(&self, dc_id: i32) -> bool {
        self.lock().session.dcs.contains_key(&dc_id)
    }

    /// Who is signed in.
    pub(crate) fn owner(&self) -> Owner {
        self.lock().session.owner
    }

    /// Whether somebody is signed in.
    pub(crate) fn is_owned(&self) -> bool {
        self.owner().is_somebody()
    }

    /// Whether somebody is signed in, and it is known who: only then is it news that nobody is.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self.owner(), Owner::User(_) | Owner::Bot(_))
    }

    /// The session as it is now.
    pub(crate) fn session(&self) -> Session {
        self.lock().session.clone()
    }

    /// The servers' time, as seconds since 1970.
    pub(crate) fn server_time(&self) -> i64 {
        let state = self.lock();
        let now = state.clock.now();
        match state.reading {
            Some((uptime, time)) => time.saturating_add(seconds(now.uptime.saturating_sub(uptime))),
            None => seconds(now.unix).saturating_add(state.session.time_offset),
        }
    }

    /// Whether whoever is signed in is so at this data centre.
    pub(crate) fn is_signed_in(&self, dc_id: i32) -> bool {
        self.lock().session.dcs.get(&dc_id).is_some_and(|dc| dc.signed_in)
    }

    /// Writes soon whether whoever is signed in is so at this data centre.
    pub(crate) fn set_signed_in(&self, dc_id: i32, signed_in: bool) {
        self.change(|state| {
            if let Some(dc) = state.session.dcs.get_mut(&dc_id) {
                dc.signed_in = signed_in;
            }
        });
    }

    /// Writes soon where this data centre was reached.
    pub(crate) fn dialled(&self, dc_id: i32, address: &str) {
        if self.lock().addresses.get(&dc_id).is_some_and(|known| known == address) {
            return;
        }
        self.change(|state| {
            let given = state.given == Some(dc_id);
            if let Some(dc) = state.session.dcs.get_mut(&dc_id) {
                address.clone_into(&mut dc.address);
                dc.given |= given;
            }
            state.addresses.insert(dc_id, address.to_owned());
        });
    }

    /// Writes who is signed in at the home, and a token for later if there is one; returns when
    /// it is on the disk.
    pub(crate) async fn sign_in(
        &self,
        owner: Owner,
        api_id: i32,
        token: Option<&[u8]>,
    ) -> Result<(), Error> {
        {
            let mut state = self.lock();
            let home = state.session.home;
            if !state.session.dcs.contains_key(&home) {
                return Err(Error::KeyUnknown);
            }
            state.session.owner = owner;
            state.session.api_id = Some(api_id);
            if let Some(token) = token {
                state.session.remember(token);
            }
            for (dc_id, dc) in &mut state.session.dcs {
                dc.signed_in = *dc_id == home;
            }
            state.signed_out = false;
            state.era += 1;
            state.unwritten = true;
        }
        self.flush().await
    }

    /// Names the time between two sign-ins or sign-outs.
    pub(crate) fn era(&self) -> u64 {
        self.lock().era
    }

    /// Writes who it is that is signed in, as the server said in that era, and returns when it
    /// is on the disk. What was said before a later sign-in or sign-out is not heard: `false`.
    pub(crate) async fn identify(&self, era: u64, owner: Owner) -> Result<bool, Error> {
        {
            let mut state = self.lock();
            if state.era != era || state.session.owner == owner {
                return Ok(state.era == era);
            }
            state.session.owner = owner;
            let home = state.session.home;
            if let Some(dc) = state.session.dcs.get_mut(&home) {
                dc.signed_in = owner.is_somebody();
            }
            state.unwritten = !state.signed_out;
        }
        self.flush().await.map(|()| true)
    }

    /// Forgets who is signed in and the keys of all data centres but the home, and returns when
    /// the stored session has no key any more. The token is kept for later, or all are forgotten.
    pub(crate) async fn sign_out(&self, tokens: Tokens<'_>) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.lock();
            match tokens {
                Tokens::Keep(token) => state.session.remember(token.unwrap_or_default()),
                Tokens::Forget => state.session.tokens.clear(),
            }
            let left = state.session.signed_out(state.given);
            let home = state.session.home;
            state.session.owner = Owner::Nobody;
            state.session.api_id = None;
            state.session.dcs.retain(|dc_id, _| *dc_id == home);
            state.session.dcs.values_mut().for_each(|dc| dc.signed_in = false);
            state.signed_out = true;
            state.era += 1;
            state.unwritten = false;
            // Before the lock is let go: a sign-in that comes after it is kept after it.
            drop(self.orders.send(Order::Leave(left.map(Box::new), reply)));
        }
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// What lets somebody sign in without a code, the newest first.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        self.lock().session.tokens.clone()
    }

    /// Makes another data centre the home, and returns when it is on the disk. There must be a
    /// key for it.
    pub(crate) async fn set_home(&self, dc_id: i32) -> Result<(), Error> {
        let mut before = dc_id;
        self.change(|state| std::mem::swap(&mut state.session.home, &mut before));
        let kept = self.flush().await;
        if kept.is_err() {
            self.change(|state| state.session.home = before);
        }
        kept
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

    fn change(&self, change: impl FnOnce(&mut State)) {
        {
            let mut state = self.lock();
            change(&mut state);
            state.unwritten = !state.signed_out;
        }
        // The task lives as long as this sender.
        drop(self.orders.send(Order::Look));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    async fn ask(&self, order: impl FnOnce(Reply) -> Order) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        drop(self.orders.send(order(reply)));
        // The task ends early only with its runtime.
        answer.await.unwrap_or(Err(Error::Closed))
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

impl DcKeeper {
    /// Writes key, salts and clock soon. A key that the connection did not have before is new,
    /// and nobody is signed in with it.
    pub(crate) fn keep(&self, resume: Resume) {
        let key_id = resume.key.id();
        let is_new = self.key_id.swap(key_id, Ordering::Relaxed) != key_id;
        self.keeper.change(|state| {
            let Resume { key, salts, time_offset } = resume;
            let now = state.clock.now();
            state.reading = Some((now.uptime, seconds(now.unix).saturating_add(time_offset)));
            let dcs = &mut state.session.dcs;
            if is_new {
                let address = state.addresses.get(&self.dc_id).cloned().unwrap_or_default();
                let given = state.given == Some(self.dc_id);
                dcs.insert(self.dc_id, Dc { address, key, salts, signed_in: false, given });
            } else {
                // A connection may outlive its key, and must not bring it back.
                match dcs.get_mut(&self.dc_id) {
                    Some(dc) if dc.key == key => dc.salts = salts,
                    _ => return,
                }
            }
            state.session.time_offset = time_offset;
        });
    }

    /// Forgets the connection's key, which the server does not know any more.
    pub(crate) fn forget(&self) {
        let key_id = self.key_id.load(Ordering::Relaxed);
        self.keeper.change(|state| {
            let dcs = &mut state.session.dcs;
            if dcs.get(&self.dc_id).is_some_and(|dc| dc.key.id() == key_id) {
                dcs.remove(&self.dc_id);
            }
        });
    }
}

impl fmt::Debug for DcKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DcKeeper").field("dc_id", &self.dc_id).finish_non_exhaustive()
    }
}

struct Task {
    /// A change that is under way has it, too: it may outlive its task.
    held: Arc<Held>,
    state: Arc<Mutex<State>>,
    /// What a sign-out leaves, if that is not kept yet.
    left: Option<Option<Box<Session>>>,
}

impl Task {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        while let Some(first) = inbox.recv().await {
            let mut next = Some(first);
            let mut is_changed = false;
            while let Some(order) = next {
                match order {
                    Order::Look => is_changed = true,
                    Order::Leave(left, reply) => {
                        self.left = Some(left);
                        drop(reply.send(self.leave().await));
                    }
                    Order::Flush(reply) => drop(reply.send(self.write().await)),
                    Order::Close(reply) => {
                        let result = self.write().await;
                        // Who closed it may open it again at once.
                        let released = match Arc::into_inner(self.held) {
                            Some(held) => held.release().await,
                            None => Ok(()),
                        };
                        drop(reply.send(result.and(released)));
                        return;
                    }
                }
                next = inbox.try_recv().ok();
            }
            if is_changed {
                self.write_unasked().await;
            }
        }
        // Perhaps there is room now for what could not be kept before.
        self.write_unasked().await;
    }

    async fn write_unasked(&mut self) {
        if let Err(error) = self.write().await {
            tracing::warn!(%error, "the session could not be kept");
        }
    }

    /// Writes what is not written yet, if there is a session at all. What fails is tried again
    /// with whatever comes next.
    async fn write(&mut self) -> Result<(), Error> {
        let session = {
            let mut state = lock(&self.state);
            let is_complete = state.session.dcs.contains_key(&state.session.home);
            let is_wanted = std::mem::take(&mut state.unwritten) && is_complete;
            is_wanted.then(|| state.session.clone())
        };
        let Some(session) = session else { return self.leave().await };
        let kept = self.change(move |store| store.save(&session)).await;
        match kept {
            // Somebody signed in after whoever left.
            Ok(()) => self.left = None,
            Err(_) => {
                let mut state = lock(&self.state);
                state.unwritten = !state.signed_out;
            }
        }
        kept
    }

    /// Writes what a sign-out leaves.
    async fn leave(&mut self) -> Result<(), Error> {
        let Some(left) = self.left.clone() else { return Ok(()) };
        let work = move |store: &dyn Store| match left {
            Some(left) => store.save(&left),
            None => store.clear(),
        };
        self.change(work).await?;
        self.left = None;
        Ok(())
    }

    /// Changes what is kept, unless it is somebody else's by now.
    async fn change(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let held = Arc::clone(&self.held);
        blocking(move || {
            let lease = held.lock.as_ref().and_then(SessionLock::lease);
            if lease.is_some_and(Lease::is_over) {
                return Err(Error::session(held.store.path(), SessionProblem::LeaseLost));
            }
            work(&*held.store)
        })
        .await
    }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
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
