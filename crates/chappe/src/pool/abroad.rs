//! Other data centres than the home: a line, a key and an authorization for each, made once for
//! all calls that want them, and made anew when they are lost. Moving home is the last of it.
//!
//! See core.telegram.org/api/datacenter.

use std::{
    io,
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use chappe_mtproto::error::ProtocolError;
use tokio::sync::{broadcast, watch};

use super::{
    Pool, ask,
    line::{Lease, Line},
};
use crate::{
    api::{auth, errors, types},
    dc::Kind,
    error::Error,
    net::{driver::End, timer},
    state::Ended,
};

impl Pool {
    /// Removes lines that ended, and keys that the server does not know any more.
    pub(super) fn bury(&self, dc_id: i32) {
        for kind in [Kind::Main, Kind::Media] {
            let line = self.lock().lines.get(&(dc_id, kind)).cloned();
            let Some((line, end)) = line.and_then(|line| line.ended().map(|end| (line, end)))
            else {
                continue;
            };
            match end {
                End::Protocol(ProtocolError::KeyUnknown) | End::Refused(Ended::KeyDuplicated) => {
                    self.key_lost(&line);
                }
                _ => self.remove(&line),
            }
        }
    }

    /// Makes a line, and before it a key if there is none. Returns at once if there is one.
    pub(super) async fn open(&self, dc_id: i32, kind: Kind) -> Result<(), Error> {
        let dc = self.dc(dc_id);
        let work = async {
            if !self.is_missing(dc_id, kind) {
                return Ok(());
            }
            if !self.keeper().has_key(dc_id) {
                let line = self.start_line(dc_id, Kind::Main, unheard(), false)?;
                self.setup.settle(&line).await.map_err(|error| self.not_reached(dc_id, error))?;
                self.insert(&line);
            }
            if self.is_missing(dc_id, kind) {
                let line = self.start_line(dc_id, kind, unheard(), false)?;
                self.insert(&line);
            }
            Ok(())
        };
        Box::pin(dc.opening.join(work)).await
    }

    /// Sees to it that whoever is signed in is so at this data centre, too. Asks nothing before
    /// somebody is signed in.
    pub(super) async fn authorize(&self, dc_id: i32) -> Result<(), Error> {
        let is_done = || {
            let keeper = self.keeper();
            !keeper.is_owned() || self.is_home(dc_id) || keeper.is_signed_in(dc_id)
        };
        if is_done() {
            return Ok(());
        }
        let dc = self.dc(dc_id);
        let work = async {
            let mut renewed = false;
            while !is_done() {
                self.open(dc_id, Kind::Main).await?;
                let line = self.lock().lines.get(&(dc_id, Kind::Main)).map(Lease::new);
                let Some(lease) = line else { continue };
                match self.import(lease.line()).await {
                    Err(error) if !renewed && is_key_lost(&error) => {
                        self.key_lost(lease.line());
                        renewed = true;
                    }
                    outcome => return outcome.map_err(|error| self.not_reached(dc_id, error)),
                }
            }
            Ok(())
        };
        Box::pin(dc.importing.join(work)).await
    }

    /// Has the home vouch for whoever is signed in there.
    async fn import(&self, line: &Line) -> Result<(), Error> {
        let era = self.lock().era;
        let home = Lease::new(&self.lock().home);
        let mut again = true;
        loop {
            let request = auth::ExportAuthorization { dc_id: line.dc_id };
            let types::auth::ExportedAuthorization { id, bytes } =
                ask(home.line(), &request).await?;
            match ask(line, &auth::ImportAuthorization { id, bytes }).await {
                Ok(_) => break,
                // It was good for a moment only.
                Err(error) if again && error.is(errors::AUTH_BYTES_INVALID) => again = false,
                Err(error) => return Err(error),
            }
        }
        if self.lock().era != era {
            return Err(Error::SignedOut);
        }
        let dc = self.dc(line.dc_id);
        let mut imports = dc.imports();
        *imports += 1;
        self.keeper().set_signed_in(line.dc_id, true);
        tracing::info!(dc = line.dc_id, "authorization imported");
        Ok(())
    }

    /// Makes another data centre the home, unless somebody did so since the call was sent to
    /// `from`.
    pub(super) async fn move_home(&self, from: i32, to: i32) -> Result<(), Error> {
        let work = async {
            if !self.is_home(from) {
                return Ok(());
            }
            let updates = self.updates.upgrade().ok_or(Error::Closed)?;
            let dc = self.dc(to);
            let mut reached = None;
            while reached.is_none() {
                let dial = async {
                    let line = self.start_line(to, Kind::Main, updates.clone(), false)?;
                    let settled = self.setup.settle(&line).await;
                    settled.map_err(|error| self.not_reached(to, error))?;
                    reached = Some(line);
                    Ok(())
                };
                // Somebody else may just be making the key.
                dc.opening.join(dial).await?;
            }
            let Some(line) = reached else { return Ok(()) };
            let keeper = self.keeper();
            while keeper.is_owned() && !keeper.is_signed_in(to) {
                dc.importing.join(self.import(&line)).await?;
            }
            keeper.set_home(to).await?;
            line.signed_in(keeper.is_known());
            let mut state = self.lock();
            if state.closed {
                return Err(Error::Closed);
            }
            state.lines.remove(&(to, Kind::Main));
            let before = std::mem::replace(&mut state.home, Arc::clone(&line));
            before.lead.leave();
            line.lead.take();
            tracing::info!(from, to, "the home is another data centre");
            Ok(())
        };
        Box::pin(self.moving.join(work)).await
    }

    fn insert(&self, line: &Arc<Line>) {
        {
            let mut state = self.lock();
            if state.closed {
                return;
            }
            state.lines.insert((line.dc_id, line.kind), Arc::clone(line));
        }
        self.spawn(close_when_idle(self.me.clone(), Arc::downgrade(line), line.watch_use()));
    }

    fn remove(&self, line: &Arc<Line>) {
        let mut state = self.lock();
        let place = (line.dc_id, line.kind);
        if state.lines.get(&place).is_some_and(|other| Arc::ptr_eq(other, line)) {
            state.lines.remove(&place);
        }
    }

    /// Forgets the key of a line, which the server does not know any more.
    pub(super) fn key_lost(&self, line: &Arc<Line>) {
        tracing::warn!(dc = line.dc_id, "the server no longer knows this key");
        self.remove(line);
        line.keeper.forget();
    }

    /// Nobody is signed in there any more, unless that was mended since `seen`.
    pub(super) fn import_lost(&self, dc_id: i32, seen: u64) {
        let dc = self.dc(dc_id);
        let imports = dc.imports();
        if *imports == seen {
            self.keeper().set_signed_in(dc_id, false);
        }
    }

    pub(super) fn imports(&self, dc_id: i32) -> u64 {
        *self.dc(dc_id).imports()
    }

    /// What a failure at a data centre that is not the home means for a call: the client goes on
    /// whatever it is.
    pub(super) fn not_reached(&self, dc_id: i32, error: Error) -> Error {
        let ends_all = |end| matches!(end, Ended::Closed | Ended::LeaseLost);
        if !matches!(error, Error::Network(_)) && error.ended().is_none_or(ends_all) {
            return error;
        }
        Error::Network(io::Error::other(format!("data centre {dc_id}: {error}")))
    }
}

/// Closes a line that nobody used for a while. The next call makes another.
async fn close_when_idle(pool: Weak<Pool>, line: Weak<Line>, mut active: watch::Receiver<usize>) {
    loop {
        // An error means that the line is gone.
        if active.wait_for(|active| *active == 0).await.is_err() {
            return;
        }
        match timer::within(IDLE, active.changed()).await {
            Some(Ok(())) => {}
            Some(Err(_)) => return,
            None => {
                let (Some(pool), Some(line)) = (pool.upgrade(), line.upgrade()) else { return };
                // A lease is made under the same lock.
                let mut state = pool.lock();
                if line.is_in_use() {
                    continue;
                }
                tracing::debug!(dc = line.dc_id, kind = ?line.kind, "idle");
                state.lines.retain(|_, other| !Arc::ptr_eq(other, &line));
                return;
            }
        }
    }
}

/// Where updates go that nobody is to hear.
fn unheard() -> broadcast::Sender<Bytes> {
    broadcast::channel(1).0
}

pub(super) fn is_key_lost(error: &Error) -> bool {
    matches!(error, Error::KeyUnknown | Error::Ended(Ended::KeyDuplicated))
}

/// How long a connection that is not the main one is kept for the next call.
const IDLE: Duration = Duration::from_secs(5 * 60);
