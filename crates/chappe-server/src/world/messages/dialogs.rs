//! Dialogs: what an account and a peer said to each other, and how far each has read it.

use rusqlite::{OptionalExtension, params};

use super::COLUMNS;
use crate::failure::Outcome;
use crate::world::{Event, Message, SERVICE_ID, Told, What, World};

/// A peer with whom messages were exchanged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dialog {
    /// The last message.
    pub(crate) top: Message,
    /// How far the owner has read.
    pub(crate) read_inbox: i32,
    /// How far the peer has read, in ids of the owner's box.
    pub(crate) read_outbox: i32,
    /// How many messages of the peer are left to read.
    pub(crate) unread: i32,
}

/// Which messages of a dialog are wanted: the limits are exclusive, 0 stands for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// From below this id on.
    pub(crate) offset_id: i32,
    /// From before this time on.
    pub(crate) offset_date: i32,
    /// So many further down, or if negative, up.
    pub(crate) add_offset: i32,
    /// So many.
    pub(crate) limit: i32,
    /// Below this id.
    pub(crate) max_id: i32,
    /// Above this id.
    pub(crate) min_id: i32,
}

impl World {
    /// How many messages of a peer an account has not read.
    pub(in crate::world) fn unread(&self, user_id: i64, peer_id: i64) -> Outcome<i32> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT count(*) FROM messages
                 WHERE user_id = ?1 AND peer_id = ?2 AND NOT outgoing AND peer_id <> user_id
                   AND id > ifnull((SELECT inbox FROM read_marks
                                    WHERE user_id = ?1 AND peer_id = ?2), 0)",
            )?
            .query_row([user_id, peer_id], |row| row.get(0))?)
    }

    /// How many messages an account has not read.
    pub(in crate::world) fn unread_in_all(&self, user_id: i64) -> Outcome<i32> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT count(*) FROM messages LEFT JOIN read_marks USING (user_id, peer_id)
                 WHERE user_id = ?1 AND NOT outgoing AND peer_id <> user_id
                   AND id > ifnull(inbox, 0)",
            )?
            .query_row([user_id], |row| row.get(0))?)
    }

    /// The dialogs of an account, the one with the last message first.
    pub(crate) fn dialogs(&self, user_id: i64) -> Outcome<Vec<Dialog>> {
        let mut statement = self.db.prepare_cached(
            "SELECT peer_id FROM messages WHERE user_id = ?1 GROUP BY peer_id ORDER BY max(id) DESC",
        )?;
        let peers = statement.query_map([user_id], |row| row.get(0))?;
        let mut dialogs = Vec::new();
        for peer_id in peers {
            dialogs.extend(self.dialog(user_id, peer_id?)?);
        }
        Ok(dialogs)
    }

    /// The dialog of an account with a peer, if there is a message in it.
    pub(crate) fn dialog(&self, user_id: i64, peer_id: i64) -> Outcome<Option<Dialog>> {
        let top = self
            .db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM messages WHERE user_id = ?1 AND peer_id = ?2
                 ORDER BY id DESC LIMIT 1"
            ))?
            .query_row([user_id, peer_id], Message::read)
            .optional()?;
        let Some(top) = top else { return Ok(None) };
        let (read_inbox, read_outbox) = self.read_marks(user_id, peer_id)?;
        let unread = self.unread(user_id, peer_id)?;
        Ok(Some(Dialog { top, read_inbox, read_outbox, unread }))
    }

    fn read_marks(&self, user_id: i64, peer_id: i64) -> Outcome<(i32, i32)> {
        let marks = self
            .db
            .prepare_cached(
                "SELECT inbox, outbox FROM read_marks WHERE user_id = ?1 AND peer_id = ?2",
            )?
            .query_row([user_id, peer_id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(marks.unwrap_or_default())
    }

    /// Messages of an account and a peer, the newest first, and how many there are in all.
    pub(crate) fn history(
        &self,
        user_id: i64,
        peer_id: i64,
        wanted: Wanted,
    ) -> Outcome<(Vec<Message>, i32)> {
        let or_most = |limit: i32| if limit > 0 { limit } else { i32::MAX };
        let Wanted { offset_id, offset_date, add_offset, limit, max_id, min_id } = wanted;
        let count = self
            .db
            .prepare_cached("SELECT count(*) FROM messages WHERE user_id = ?1 AND peer_id = ?2")?
            .query_row([user_id, peer_id], |row| row.get(0))?;
        // What is not below the offset is passed over.
        let above: i64 = self
            .db
            .prepare_cached(
                "SELECT count(*) FROM messages
                 WHERE user_id = ?1 AND peer_id = ?2 AND (id >= ?3 OR date >= ?4)
                   AND id < ?5 AND id > ?6",
            )?
            .query_row(
                params![
                    user_id,
                    peer_id,
                    or_most(offset_id),
                    or_most(offset_date),
                    or_most(max_id),
                    min_id
                ],
                |row| row.get(0),
            )?;
        let start = above + i64::from(add_offset);
        let end = start + i64::from(limit);
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM messages
             WHERE user_id = ?1 AND peer_id = ?2 AND id < ?3 AND id > ?4
             ORDER BY id DESC LIMIT ?5 OFFSET ?6"
        ))?;
        let rows = statement.query_map(
            params![
                user_id,
                peer_id,
                or_most(max_id),
                min_id,
                (end - start.max(0)).max(0),
                start.max(0)
            ],
            Message::read,
        )?;
        Ok((rows.collect::<Result<_, _>>()?, count))
    }

    /// Marks what a peer wrote as read, up to a message, with 0 all of it. The peer is told, if it
    /// is a person. Gives the event in the account's box, if it is news.
    pub(crate) fn read_history(
        &mut self,
        now: i32,
        user_id: i64,
        peer_id: i64,
        max_id: i32,
    ) -> Outcome<Option<Event>> {
        let last: Option<(i32, Option<i32>)> = self
            .db
            .prepare_cached(
                "SELECT id, twin_id FROM messages
                 WHERE user_id = ?1 AND peer_id = ?2 AND NOT outgoing AND (?3 <= 0 OR id <= ?3)
                 ORDER BY id DESC LIMIT 1",
            )?
            .query_row(params![user_id, peer_id, max_id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((max_id, twin_id)) = last else { return Ok(None) };
        let (read, _) = self.read_marks(user_id, peer_id)?;
        if user_id == peer_id || max_id <= read {
            return Ok(None);
        }
        self.db
            .prepare_cached(
                "INSERT INTO read_marks (user_id, peer_id, inbox) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET inbox = ?3",
            )?
            .execute(params![user_id, peer_id, max_id])?;
        let unread = self.unread(user_id, peer_id)?;
        let what = What::ReadInbox { peer_id, max_id, unread };
        let event = self.log_event(now, user_id, what, Told::Others)?;
        // Observed: a bot does not hear that it was read.
        let hears = self.user(peer_id)?.is_some_and(|peer| !peer.bot && peer.id != SERVICE_ID);
        if let Some(max_id) = twin_id.filter(|_| hears) {
            self.db
                .prepare_cached(
                    "INSERT INTO read_marks (user_id, peer_id, outbox) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET outbox = ?3",
                )?
                .execute(params![peer_id, user_id, max_id])?;
            let what = What::ReadOutbox { peer_id: user_id, max_id };
            self.log_event(now, peer_id, what, Told::All)?;
        }
        Ok(Some(event))
    }
}
