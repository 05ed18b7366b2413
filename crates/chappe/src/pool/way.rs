//! Where calls go: what servers say about it, and what they say about their addresses.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use chappe_mtproto::connection::RpcFailure;
use chappe_tl::Function;
use tokio::sync::Notify;

use super::{
    Pool, ask,
    line::{Lease, Line},
};
use crate::{
    api::{help, types},
    dc::{self, Kind},
    error::{Error, RpcError},
    net::{driver::Status, timer},
};

impl Pool {
    /// Whether a call that `from` refused may go on there: not where it has been, and not
    /// without end.
    pub(super) async fn may_go(&self, to: i32, from: i32, been: &mut Vec<i32>) -> bool {
        been.push(from);
        !been.contains(&to) && been.len() <= MOST_DETOURS && self.is_reachable(to).await
    }

    /// Whether there is a way to there; asks for one once if none is known.
    pub(super) async fn is_reachable(&self, dc_id: i32) -> bool {
        if !self.reaches(dc_id)
            && let Err(error) = self.look_up().await
        {
            tracing::debug!(%error, "the address book is not renewed");
        }
        self.reaches(dc_id)
    }

    pub(super) fn reaches(&self, dc_id: i32) -> bool {
        self.setup.reaches(dc_id)
    }

    /// Asks for the addresses of all data centres: the home, or another one that is there while
    /// the home is not.
    async fn look_up(&self) -> Result<(), Error> {
        let work = async {
            let lease = {
                let state = self.lock();
                let is_there = |line: &Line| matches!(*line.status.borrow(), Status::Connected);
                let other = state.lines.values().find(|line| is_there(line));
                Lease::new(other.filter(|_| !is_there(&state.home)).unwrap_or(&state.home))
            };
            self.learn_from(lease.line()).await
        };
        Box::pin(self.asking.join(work)).await
    }

    /// Asks a data centre that is not the home for the addresses of all.
    pub(super) async fn ask_the_way(&self, dc_id: i32) -> Result<(), Error> {
        self.open(dc_id, Kind::Main).await?;
        let line = self.lock().lines.get(&(dc_id, Kind::Main)).map(Lease::new);
        let lease = line.ok_or(Error::Closed)?;
        self.learn_from(lease.line()).await
    }

    async fn learn_from(&self, line: &Line) -> Result<(), Error> {
        match timer::within(PATIENCE, ask(line, &help::GetConfig)).await {
            Some(config) => self.learn(&config?),
            None => return Err(Error::TimedOut(help::GetConfig::NAME.into())),
        }
        Ok(())
    }

    pub(super) fn learn(&self, config: &types::Config) {
        self.setup.book.learn(&config.dc_options);
        self.lock().validity = Some(dc::validity(config));
    }
}

/// What an answer says about the way of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detour {
    /// There is the place for this call, and for it only.
    Go(i32, Kind),
    /// Nobody is signed in with this key.
    Import,
    /// The server did not hear of layer and device.
    Introduce,
    /// There is the place for everything.
    Move(i32),
    /// The key is void.
    NewKey,
}

impl Detour {
    /// See core.telegram.org/api/errors#303-see-other.
    pub(super) fn of(failure: &RpcFailure) -> Option<Self> {
        let error = RpcError::new("", failure.code, &failure.message);
        let dc_id = error.value.and_then(|value| i32::try_from(value).ok()).filter(|dc| *dc > 0);
        match (error.code, error.name.as_str()) {
            (303, "FILE_MIGRATE_X") => dc_id.map(|dc_id| Self::Go(dc_id, Kind::Media)),
            (303, "STATS_MIGRATE_X") => dc_id.map(|dc_id| Self::Go(dc_id, Kind::Main)),
            (303, "NETWORK_MIGRATE_X" | "PHONE_MIGRATE_X" | "USER_MIGRATE_X") => {
                dc_id.map(Self::Move)
            }
            (400, "CONNECTION_NOT_INITED" | "CONNECTION_LAYER_INVALID") => Some(Self::Introduce),
            (401, "AUTH_KEY_UNREGISTERED") => Some(Self::Import),
            (406, "AUTH_KEY_DUPLICATED") => Some(Self::NewKey),
            _ => None,
        }
    }
}

/// Keeps the address book fresh. Holds the pool only while it asks.
pub(super) async fn look_after(pool: Weak<Pool>, trouble: Arc<Notify>) {
    loop {
        let validity = {
            let Some(pool) = pool.upgrade() else { return };
            let known = pool.lock().validity.take();
            if known.is_none()
                && let Err(error) = pool.look_up().await
            {
                tracing::debug!(%error, "the address book is not renewed");
            }
            known.or_else(|| pool.lock().validity.take()).unwrap_or(RETRY)
        };
        timer::pause(validity.min(REST)).await;
        timer::within(validity.saturating_sub(REST), trouble.notified()).await;
        if let Some(pool) = pool.upgrade() {
            pool.lock().validity = None;
        }
    }
}

/// Data centres that one call is sent on from.
const MOST_DETOURS: usize = 4;
/// How long the addresses may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the address book is left alone after it was renewed, whatever happens.
const REST: Duration = Duration::from_secs(60);
/// When the addresses are asked for again after that failed.
const RETRY: Duration = Duration::from_secs(10 * 60);
