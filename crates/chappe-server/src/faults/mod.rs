//! Faults on demand: what goes wrong at the local Telegram when a test wants it to.
//!
//! [`Handle::faults`](crate::Handle::faults) gives a [`Faults`]; the control port of
//! [`Builder::control`](crate::Builder::control) offers the same over HTTP to programs in any
//! language, and `FAULTS.md` beside this crate lists everything with examples.
//!
//! A [`Fault`] stays until it is removed, has struck as often as it was to, or its time is over. An
//! [`Action`] is done once. Whom either concerns says its [`Scope`]. Chance follows from seeds: the
//! same faults and the same bytes of clients give the same bytes of the server.
//!
//! ```
//! # async fn example() -> Result<(), chappe_server::Error> {
//! use chappe_server::{Server, faults::{Action, Fault, Kind, Scope}};
//! let server = Server::builder().seed(7).start().await?;
//! let faults = server.faults();
//! // Every third packet to the client is lost; account.getWebAuthorizations fails once.
//! let lossy = faults.add(Fault::new(Kind::Drop).down().every(3)).await?;
//! let text = "RPC_CALL_FAIL".to_owned();
//! let fail = Fault::new(Kind::RpcError { code: 500, text }).method("account.getWeb*").once();
//! faults.add(fail).await?;
//! faults.act(Action::RotateSalts, Scope::everything()).await?;
//! // ... the client does its work, and then:
//! let struck = faults.remove(lossy).await?.map(|lossy| lossy.struck);
//! let calls = faults.calls().await?;
//! # let _ = (struck, calls);
//! # server.shutdown().await
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```

mod book;
mod calls;
mod commands;
mod fault;
mod scope;

use chappe_mtproto::time::Now;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

pub(crate) use self::{
    book::{Book, Gate, Person, Place, Verdict},
    calls::{CallLog, Outcome},
    commands::{Trouble, spoil},
};
pub use self::{
    calls::{Call, Calls, Count},
    commands::{SessionState, State},
    fault::{Action, Fault, Kind, Migration, Way},
    scope::{Phone, Scope},
};
use crate::{
    Error,
    engine::Engine,
    listener::{self, Message},
};

/// Orders what goes wrong at a running server, and tells what happened there. Cheap to clone.
///
/// Every method is done when the server has done it: what a client sends afterwards meets it. Each
/// fails with [`Error::Stopped`] when the server is gone, and each is done or not done when its
/// future is dropped.
#[derive(Clone, Debug)]
pub struct Faults {
    inbox: mpsc::Sender<Message>,
}

/// Names a fault that was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(pub u64);

/// A fault that was ordered, and what it did.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Installed {
    /// Its id.
    pub id: FaultId,
    /// What was ordered.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often it might have struck.
    pub occasions: u64,
    /// How often it did.
    pub struck: u64,
    /// Whether it will strike no more.
    pub over: bool,
}

impl Faults {
    pub(crate) fn new(inbox: mpsc::Sender<Message>) -> Self {
        Self { inbox }
    }

    /// Orders a fault.
    ///
    /// # Errors
    /// [`Error::Fault`] when it makes no sense; it says what would.
    pub async fn add(&self, fault: Fault) -> Result<FaultId, Error> {
        self.run(move |engine, now| engine.add_fault(now, fault)).await?.map_err(Error::Fault)
    }

    /// Lists the faults that were ordered, and how often each struck.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn list(&self) -> Result<Vec<Installed>, Error> {
        self.run(|engine, now| engine.list_faults(now)).await
    }

    /// Removes a fault; tells what it did, or `None` if there is none with this id.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn remove(&self, id: FaultId) -> Result<Option<Installed>, Error> {
        self.run(move |engine, now| engine.remove_fault(now, id)).await
    }

    /// Removes all faults; tells how many there were.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn clear(&self) -> Result<usize, Error> {
        self.run(|engine, _| engine.clear_faults()).await
    }

    /// Does something once; tells how many sockets, sessions, keys or messages it concerned.
    ///
    /// # Errors
    /// [`Error::Fault`] when it makes no sense; it says what would.
    pub async fn act(&self, action: Action, scope: Scope) -> Result<usize, Error> {
        self.run(move |engine, now| engine.act(now, &action, &scope)).await?.map_err(Error::Fault)
    }

    /// Tells which methods were called, and how the last calls ended.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn calls(&self) -> Result<Calls, Error> {
        self.run(|engine, _| engine.calls()).await
    }

    /// Tells what the server has to do and to remember.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn state(&self) -> Result<State, Error> {
        self.run(|engine, now| engine.state(now)).await
    }

    /// Waits until no packet or answer is late, and of the sessions that have a socket none has a
    /// request that runs or a message that the client did not acknowledge.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn idle(&self) -> Result<(), Error> {
        let waits = self.run(|engine, _| engine.when_idle()).await?;
        waits.await.map_err(|_| Error::Stopped)
    }

    /// Does something in the engine's task.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine, Now) -> T + Send + 'static,
    ) -> Result<T, Error> {
        listener::ask(&self.inbox, work).await
    }
}

impl std::fmt::Display for FaultId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
