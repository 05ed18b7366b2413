//! The log of an account's box: what happened there, step by step of its pts, so that a client that
//! was away hears what it missed (core.telegram.org/api/updates).

use chappe_api::errors;
use rusqlite::params;

use crate::failure::Outcome;
use crate::world::{Message, Told, World};

/// How many events of an account are kept, the last ones. Assumed.
const KEPT: i32 = 10_000;

/// How many events a client hears of at a time, at most. Assumed.
const SLICE: i32 = 100;

/// `updates.state`: the counters that a client keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Counts events of messages. An account begins at 1: a client may take 0 for "no state".
    pub(crate) pts: i32,
    /// Counts events of secret chats.
    pub(crate) qts: i32,
    /// Counts containers of updates.
    pub(crate) seq: i32,
    /// How many messages the account has not read.
    pub(crate) unread: i32,
}

/// Something that happened in a box.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// Whose box it is.
    pub(crate) user_id: i64,
    /// Where the box is after it.
    pub(crate) pts: i32,
    /// How many steps it took.
    pub(crate) pts_count: i32,
    /// What happened.
    pub(crate) what: What,
}

/// What happened in a box.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// There is a new message.
    New(Message),
    /// A message was changed: to this.
    Edited(Message),
    /// Messages are gone.
    Deleted(Vec<i32>),
    /// The owner read what the peer wrote.
    ReadInbox {
        /// The peer.
        peer_id: i64,
        /// Up to this message.
        max_id: i32,
        /// How many messages of the peer are left to read.
        unread: i32,
    },
    /// The peer read what the owner wrote.
    ReadOutbox {
        /// The peer.
        peer_id: i64,
        /// Up to this message.
        max_id: i32,
    },
}

/// What a client missed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Difference {
    /// Nothing.
    Empty,
    /// These events, the oldest first.
    Events {
        /// What happened.
        events: Vec<Event>,
        /// Where the client is when it has heard of them.
        pts: i32,
        /// Whether there is nothing more.
        is_all: bool,
    },
    /// More than is kept or wanted.
    TooLong(State),
}

/// One row of the log.
struct Row {
    pts: i32,
    kind: String,
    peer_id: i64,
    message_id: i32,
}

impl Event {
    /// The message that is new or changed.
    pub(crate) fn message(&self) -> Option<&Message> {
        match &self.what {
            What::New(message) | What::Edited(message) => Some(message),
            What::Deleted(_) | What::ReadInbox { .. } | What::ReadOutbox { .. } => None,
        }
    }
}

impl World {
    /// Where an account is.
    pub(crate) fn state(&self, user_id: i64) -> Outcome<State> {
        let pts = self
            .db
            .prepare_cached("SELECT pts FROM users WHERE id = ?1")?
            .query_row([user_id], |row| row.get(0))?;
        Ok(State { pts, qts: 0, seq: 0, unread: self.unread_in_all(user_id)? })
    }

    /// What happened in a box since a client was there; `slice` is how many events it wants to
    /// hear of at a time, `total` how many at all. (core.telegram.org/method/updates.getDifference)
    pub(crate) fn difference(
        &self,
        user_id: i64,
        pts: i32,
        slice: Option<i32>,
        total: Option<i32>,
    ) -> Outcome<Difference> {
        let state = self.state(user_id)?;
        if pts == 0 {
            return Err(errors::PERSISTENT_TIMESTAMP_EMPTY.into());
        }
        if pts < 0 || pts > state.pts {
            return Err(errors::PERSISTENT_TIMESTAMP_INVALID.into());
        }
        let missed = state.pts - pts;
        if missed == 0 {
            return Ok(Difference::Empty);
        }
        let is_too_much = total.is_some_and(|total| missed > total.max(1));
        let slice = slice.map_or(SLICE, |slice| slice.clamp(1, SLICE));
        let rows = self.rows(user_id, pts, slice)?;
        let is_kept = rows.first().is_some_and(|row| row.pts == pts + 1);
        if is_too_much || !is_kept {
            return Ok(Difference::TooLong(state));
        }
        let reached = rows.last().map_or(state.pts, |row| row.pts);
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            self.add_event(user_id, row, &mut events)?;
        }
        Ok(Difference::Events { events, pts: reached, is_all: reached == state.pts })
    }

    fn rows(&self, user_id: i64, pts: i32, most: i32) -> Outcome<Vec<Row>> {
        let mut statement = self.db.prepare_cached(
            "SELECT pts, kind, peer_id, message_id FROM events
             WHERE user_id = ?1 AND pts > ?2 ORDER BY pts LIMIT ?3",
        )?;
        let rows = statement.query_map(params![user_id, pts, most], |row| {
            Ok(Row {
                pts: row.get(0)?,
                kind: row.get(1)?,
                peer_id: row.get(2)?,
                message_id: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Reads a row. What happened to a message that is gone by now is not worth telling.
    fn add_event(&self, user_id: i64, row: Row, events: &mut Vec<Event>) -> Outcome<()> {
        let Row { pts, kind, peer_id, message_id } = row;
        let message = || self.message(user_id, message_id);
        let what = match kind.as_str() {
            "new" => message()?.map(What::New),
            "edited" => message()?.map(What::Edited),
            "read-inbox" => {
                let unread = self.unread(user_id, peer_id)?;
                Some(What::ReadInbox { peer_id, max_id: message_id, unread })
            }
            "read-outbox" => Some(What::ReadOutbox { peer_id, max_id: message_id }),
            _ => {
                if let Some(Event { pts: last, pts_count, what: What::Deleted(ids), .. }) =
                    events.last_mut()
                {
                    ids.push(message_id);
                    (*last, *pts_count) = (pts, *pts_count + 1);
                    return Ok(());
                }
                Some(What::Deleted(vec![message_id]))
            }
        };
        events.extend(what.map(|what| Event { user_id, pts, pts_count: 1, what }));
        Ok(())
    }

    /// Counts something that happened in a box, writes it down and tells it.
    pub(in crate::world) fn log_event(
        &mut self,
        now: i32,
        user_id: i64,
        what: What,
        told: Told,
    ) -> Outcome<Event> {
        let one: [i32; 1];
        let (kind, peer_id, ids): (_, _, &[i32]) = match &what {
            What::New(message) => {
                one = [message.id];
                ("new", message.peer_id, &one)
            }
            What::Edited(message) => {
                one = [message.id];
                ("edited", message.peer_id, &one)
            }
            What::Deleted(ids) => ("deleted", 0, ids),
            What::ReadInbox { peer_id, max_id, .. } => {
                one = [*max_id];
                ("read-inbox", *peer_id, &one)
            }
            What::ReadOutbox { peer_id, max_id } => {
                one = [*max_id];
                ("read-outbox", *peer_id, &one)
            }
        };
        let (mut pts, mut pts_count) = (0, 0);
        for id in ids {
            pts = self.log(user_id, kind, peer_id, *id)?;
            pts_count += 1;
        }
        let event = Event { user_id, pts, pts_count, what };
        self.tell_event(now, &event, told)?;
        Ok(event)
    }

    /// Counts one step of a box and writes down what it was.
    fn log(&self, user_id: i64, kind: &str, peer_id: i64, message_id: i32) -> Outcome<i32> {
        let pts: i32 = self
            .db
            .prepare_cached("UPDATE users SET pts = pts + 1 WHERE id = ?1 RETURNING pts")?
            .query_row([user_id], |row| row.get(0))?;
        self.db
            .prepare_cached(
                "INSERT INTO events (user_id, pts, kind, peer_id, message_id)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![user_id, pts, kind, peer_id, message_id])?;
        self.db
            .prepare_cached("DELETE FROM events WHERE user_id = ?1 AND pts <= ?2")?
            .execute(params![user_id, pts - KEPT])?;
        Ok(pts)
    }
}
