//! Where a driver writes what its connection does: for its own line, and for the whole client
//! while the line leads home.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::driver::{End, Status};

/// The driver's side. Whoever drops it has ended.
#[derive(Debug)]
pub(crate) struct Report {
    shared: Arc<Shared>,
}

/// The other side: decides whether the line leads home.
#[derive(Clone, Debug)]
pub(crate) struct Lead {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    own: watch::Sender<Status>,
    client: watch::Sender<Status>,
    leads_home: Mutex<bool>,
}

/// Makes both sides, for a client that shows the state of its home in `client`.
pub(crate) fn new(client: &watch::Sender<Status>) -> (Report, Lead) {
    let shared = Arc::new(Shared {
        own: watch::Sender::new(Status::Connecting(None)),
        client: client.clone(),
        leads_home: Mutex::new(false),
    });
    (Report { shared: Arc::clone(&shared) }, Lead { shared })
}

impl Report {
    pub(crate) fn set(&self, status: Status) {
        self.change(|old| {
            *old = status;
            true
        });
    }

    /// Changes the status; `change` says whether it did.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Status) -> bool) {
        let leads_home = self.shared.lock();
        if self.shared.own.send_if_modified(change) && *leads_home {
            self.shared.client.send_replace(self.shared.own.borrow().clone());
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        // Without this a driver whose runtime is gone would seem to live on.
        self.change(|status| {
            let over = matches!(status, Status::Ended(_));
            if !over {
                *status = Status::Ended(End::Closed);
            }
            !over
        });
    }
}

impl Lead {
    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.shared.own.subscribe()
    }

    /// From now on the client shows what this line does.
    pub(crate) fn take(&self) {
        let mut leads_home = self.shared.lock();
        *leads_home = true;
        self.shared.client.send_replace(self.shared.own.borrow().clone());
    }

    /// The client shows it no more.
    pub(crate) fn leave(&self) {
        *self.shared.lock() = false;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.leads_home.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
