//! The update state of an account: how far its clients can have got.

use chappe_api::errors;

use super::World;
use crate::failure::Outcome;

/// `updates.state`: the counters that a client keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Counts events of messages. An account begins at 1: a client may take 0 for "no state".
    pub(crate) pts: i32,
    /// Counts events of secret chats.
    pub(crate) qts: i32,
    /// Counts containers of updates.
    pub(crate) seq: i32,
}

impl World {
    /// Where an account is.
    pub(crate) fn state(&self, user_id: i64) -> Outcome<State> {
        let pts = self
            .db
            .prepare_cached("SELECT pts FROM users WHERE id = ?1")?
            .query_row([user_id], |row| row.get(0))?;
        Ok(State { pts, qts: 0, seq: 0 })
    }

    /// Checks where a client says that it is. No event is counted yet, so there is nothing that it
    /// could have missed. (core.telegram.org/method/updates.getDifference)
    pub(crate) fn difference(&self, user_id: i64, pts: i32) -> Outcome<State> {
        let state = self.state(user_id)?;
        if pts == 0 {
            return Err(errors::PERSISTENT_TIMESTAMP_EMPTY.into());
        }
        if pts < 0 || pts > state.pts {
            return Err(errors::PERSISTENT_TIMESTAMP_INVALID.into());
        }
        Ok(state)
    }
}
