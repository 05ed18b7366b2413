//! Private messages: every account has a box, in which message ids and pts count by themselves
//! (core.telegram.org/api/updates).
//!
//! What is said to somebody else is written into both boxes, with the id of the twin. Only
//! [`SERVICE_ID`](super::SERVICE_ID) has no box: nobody signs in as it.

pub(super) mod buttons;
pub(super) mod dialogs;
pub(super) mod log;
pub(super) mod news;
pub(super) mod service;

use bytes::Bytes;
use chappe_api::{
    enums::{MessageAction, MessageEntity, ReplyMarkup},
    errors,
};
use chappe_tl::{Decode, Encode};
use rusqlite::{
    OptionalExtension, Row, ToSql, params,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

use super::{Event, SERVICE_ID, What, World};
use crate::failure::Outcome;

/// How long it is remembered what the sender's client called a message that was deleted, in seconds.
/// Assumed: for how long Telegram does is not known.
const REMEMBERED: i32 = 30 * 86_400;

/// The columns that [`Message::read`] expects.
pub(in crate::world) const COLUMNS: &str = "user_id, id, peer_id, outgoing, twin_id, date, edited, silent, \
                                  reply_to, text, entities, markup, action";

/// A message in a box.
#[derive(Clone, PartialEq)]
pub(crate) struct Message {
    /// Whose box it is in.
    pub(crate) user_id: i64,
    /// Names it within the box.
    pub(crate) id: i32,
    /// With whom it was exchanged.
    pub(crate) peer_id: i64,
    /// Whether the owner of the box wrote it to somebody else.
    pub(crate) outgoing: bool,
    /// Its id in the box of the peer, if the peer has another box.
    pub(crate) twin_id: Option<i32>,
    /// When it was sent.
    pub(crate) date: i32,
    /// When it was changed last.
    pub(crate) edited: Option<i32>,
    /// What it says.
    pub(crate) content: NewMessage,
}

/// What a message says.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct NewMessage {
    /// The text; nothing if something was done.
    pub(crate) text: String,
    /// What parts of the text are.
    pub(crate) entities: Vec<MessageEntity>,
    /// The buttons. Login buttons are in their input form: see `rpc::keyboard`.
    pub(crate) markup: Option<ReplyMarkup>,
    /// What was done.
    pub(crate) action: Option<MessageAction>,
    /// Whether the receiver's devices stay silent.
    pub(crate) silent: bool,
    /// The message of the same box that it answers.
    pub(crate) reply_to: Option<i32>,
    /// What the sender's client calls it.
    pub(crate) random_id: Option<i64>,
}

/// Whom else a message is told to, beside all sessions of who receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// All sessions of who sends it: no answer shows it.
    All,
    /// The sender's, but not the one whose request runs: its answer shows it.
    Others,
}

/// A value of the API in a column. What a later layer changes is brought up by a step of the
/// tables.
pub(in crate::world) struct Tl<T>(pub(in crate::world) T);

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("user_id", &self.user_id)
            .field("id", &self.id)
            .field("peer_id", &self.peer_id)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMessage").finish_non_exhaustive()
    }
}

impl<T: Encode> ToSql for Tl<&T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_bytes().to_vec().into())
    }
}

impl<T: Decode> FromSql for Tl<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = Bytes::copy_from_slice(value.as_blob()?);
        T::from_bytes(&bytes).map(Self).map_err(FromSqlError::other)
    }
}

impl Message {
    pub(in crate::world) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (Tl(entities), markup, action): (_, Option<Tl<_>>, Option<Tl<_>>) =
            (row.get(10)?, row.get(11)?, row.get(12)?);
        Ok(Self {
            user_id: row.get(0)?,
            id: row.get(1)?,
            peer_id: row.get(2)?,
            outgoing: row.get(3)?,
            twin_id: row.get(4)?,
            date: row.get(5)?,
            edited: row.get(6)?,
            content: NewMessage {
                text: row.get(9)?,
                entities,
                markup: markup.map(|Tl(markup)| markup),
                action: action.map(|Tl(action)| action),
                silent: row.get(7)?,
                reply_to: row.get(8)?,
                random_id: None,
            },
        })
    }

    /// Whether the owner of the box is its author.
    pub(crate) fn is_own(&self) -> bool {
        self.outgoing || self.user_id == self.peer_id
    }
}

impl NewMessage {
    /// Words and nothing else.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Something that was done.
    pub(crate) fn action(action: impl Into<MessageAction>) -> Self {
        Self { action: Some(action.into()), ..Self::default() }
    }
}

impl World {
    /// Writes from one account to another and tells both. Whether the one may write to the other
    /// is for who calls this to know. Gives the event in the sender's box.
    pub(crate) fn send(
        &mut self,
        now: i32,
        from: i64,
        to: i64,
        content: NewMessage,
        told: Told,
    ) -> Outcome<Event> {
        if let Some(random_id) = content.random_id
            && self.was_sent(now, from, random_id)?
        {
            return Err(errors::RANDOM_ID_DUPLICATE.into());
        }
        let id = self.next_message_id(from)?;
        let twin_id = if from == to { None } else { Some(self.next_message_id(to)?) };
        let twin = twin_id.map(|id| self.twin(now, (from, to), id, &content)).transpose()?;
        let message = Message {
            user_id: from,
            id,
            peer_id: to,
            outgoing: from != to,
            twin_id,
            date: now,
            edited: None,
            content,
        };
        let sent = self.add_message(now, message, told)?;
        if let Some(twin) = twin {
            let twin = Message { twin_id: Some(id), ..twin };
            self.add_message(now, twin, Told::All)?;
        }
        self.allow_answers(now, from, to)?;
        Ok(sent)
    }

    /// Whether an account sent a message that its client called so, which may be deleted by now.
    fn was_sent(&self, now: i32, user_id: i64, random_id: i64) -> Outcome<bool> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT 1 FROM messages WHERE user_id = ?1 AND random_id = ?2
                 UNION ALL SELECT 1 FROM random_ids_of_deleted
                 WHERE user_id = ?1 AND random_id = ?2 AND until > ?3",
            )?
            .exists(params![user_id, random_id, now])?)
    }

    /// The same message as the receiver's box has it.
    fn twin(
        &self,
        now: i32,
        (from, to): (i64, i64),
        id: i32,
        content: &NewMessage,
    ) -> Outcome<Message> {
        let reply_to = content.reply_to.map(|id| self.message(from, id)).transpose()?.flatten();
        Ok(Message {
            user_id: to,
            id,
            peer_id: from,
            outgoing: false,
            twin_id: None,
            date: now,
            edited: None,
            content: NewMessage {
                reply_to: reply_to.and_then(|message| message.twin_id),
                random_id: None,
                ..content.clone()
            },
        })
    }

    /// Writes a message from [`SERVICE_ID`] into a user's box; gives its id there.
    pub(crate) fn service_message(
        &mut self,
        now: i32,
        user_id: i64,
        content: NewMessage,
    ) -> Outcome<i32> {
        let id = self.next_message_id(user_id)?;
        let message = Message {
            user_id,
            id,
            peer_id: SERVICE_ID,
            outgoing: false,
            twin_id: None,
            date: now,
            edited: None,
            content,
        };
        self.add_message(now, message, Told::All)?;
        Ok(id)
    }

    /// Puts a message into its box, counts the event and tells it.
    fn add_message(&mut self, now: i32, message: Message, told: Told) -> Outcome<Event> {
        let content = &message.content;
        self.db
            .prepare_cached(&format!(
                "INSERT INTO messages ({COLUMNS}, random_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            ))?
            .execute(params![
                message.user_id,
                message.id,
                message.peer_id,
                message.outgoing,
                message.twin_id,
                message.date,
                message.edited,
                content.silent,
                content.reply_to,
                content.text,
                Tl(&content.entities),
                content.markup.as_ref().map(Tl),
                content.action.as_ref().map(Tl),
                content.random_id,
            ])?;
        self.log_event(now, message.user_id, What::New(message), told)
    }

    /// The next message id of a box.
    fn next_message_id(&self, user_id: i64) -> Outcome<i32> {
        Ok(self
            .db
            .prepare_cached(
                "UPDATE users SET last_message_id = last_message_id + 1 WHERE id = ?1
                 RETURNING last_message_id",
            )?
            .query_row([user_id], |row| row.get(0))?)
    }

    /// A message of a box.
    pub(crate) fn message(&self, user_id: i64, id: i32) -> Outcome<Option<Message>> {
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM messages WHERE user_id = ?1 AND id = ?2"
            ))?
            .query_row(params![user_id, id], Message::read)
            .optional()?)
    }

    /// Changes what a message says, in both boxes, and tells both. Gives the event in the box of
    /// `message`.
    pub(crate) fn edit_message(
        &mut self,
        now: i32,
        message: &Message,
        content: &NewMessage,
        told: Told,
    ) -> Outcome<Event> {
        let edited = self.change(now, (message.user_id, message.id), content, told)?;
        if let Some(twin_id) = message.twin_id
            && self.message(message.peer_id, twin_id)?.is_some()
        {
            self.change(now, (message.peer_id, twin_id), content, Told::All)?;
        }
        edited.ok_or_else(|| errors::MESSAGE_ID_INVALID.into())
    }

    /// Changes what [`SERVICE_ID`] wrote to a user, if it is still there.
    pub(crate) fn edit_service_message(
        &mut self,
        now: i32,
        user_id: i64,
        id: i32,
        content: &NewMessage,
    ) -> Outcome<()> {
        let known = self.message(user_id, id)?;
        if known.is_some_and(|message| message.peer_id == SERVICE_ID) {
            self.change(now, (user_id, id), content, Told::All)?;
        }
        Ok(())
    }

    fn change(
        &mut self,
        now: i32,
        (user_id, id): (i64, i32),
        content: &NewMessage,
        told: Told,
    ) -> Outcome<Option<Event>> {
        self.db
            .prepare_cached(
                "UPDATE messages SET edited = ?3, text = ?4, entities = ?5, markup = ?6
                 WHERE user_id = ?1 AND id = ?2",
            )?
            .execute(params![
                user_id,
                id,
                now,
                content.text,
                Tl(&content.entities),
                content.markup.as_ref().map(Tl),
            ])?;
        match self.message(user_id, id)? {
            Some(message) => self.log_event(now, user_id, What::Edited(message), told).map(Some),
            None => Ok(None),
        }
    }

    /// Deletes messages of a box, with `revoke` also in the boxes of the peers. Ids that name no
    /// message are passed over. Gives the event in the box, if there is one.
    pub(crate) fn delete_messages(
        &mut self,
        now: i32,
        user_id: i64,
        ids: &[i32],
        revoke: bool,
    ) -> Outcome<Option<Event>> {
        let mut gone: Vec<(i64, Vec<i32>)> = vec![(user_id, Vec::new())];
        for id in ids {
            let Some(message) = self.message(user_id, *id)? else { continue };
            self.forget_message(now, user_id, *id)?;
            gone[0].1.push(*id);
            let Some(twin_id) = message.twin_id.filter(|_| revoke) else { continue };
            if !self.forget_message(now, message.peer_id, twin_id)? {
                continue;
            }
            match gone.iter_mut().skip(1).find(|(peer, _)| *peer == message.peer_id) {
                Some((_, ids)) => ids.push(twin_id),
                None => gone.push((message.peer_id, vec![twin_id])),
            }
        }
        let mut own = None;
        for (owner, ids) in gone.into_iter().filter(|(_, ids)| !ids.is_empty()) {
            let told = if owner == user_id { Told::Others } else { Told::All };
            let event = self.log_event(now, owner, What::Deleted(ids), told)?;
            own = own.or(Some(event).filter(|event| event.user_id == user_id));
        }
        Ok(own)
    }

    /// Deletes one message; says whether it was there. What its sender called it is remembered.
    fn forget_message(&self, now: i32, user_id: i64, id: i32) -> Outcome<bool> {
        self.db
            .prepare_cached("DELETE FROM random_ids_of_deleted WHERE until <= ?1")?
            .execute([now])?;
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO random_ids_of_deleted
                 SELECT user_id, random_id, ?3 FROM messages
                 WHERE user_id = ?1 AND id = ?2 AND random_id IS NOT NULL",
            )?
            .execute(params![user_id, id, now.saturating_add(REMEMBERED)])?;
        let deleted = self
            .db
            .prepare_cached("DELETE FROM messages WHERE user_id = ?1 AND id = ?2")?
            .execute(params![user_id, id])?;
        Ok(deleted == 1)
    }

    /// Whether a bot may write to a user who did not block it.
    pub(crate) fn may_write(&self, bot_id: i64, user_id: i64) -> Outcome<bool> {
        Ok(self
            .db
            .prepare_cached("SELECT 1 FROM bot_permissions WHERE bot_id = ?1 AND user_id = ?2")?
            .exists([bot_id, user_id])?)
    }

    /// Lets a bot write to a user; says whether that is news.
    pub(in crate::world) fn permit(&self, now: i32, bot_id: i64, user_id: i64) -> Outcome<bool> {
        let added = self
            .db
            .prepare_cached(
                "INSERT INTO bot_permissions (bot_id, user_id, date) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![bot_id, user_id, now])?;
        Ok(added == 1)
    }

    /// Whoever writes to a bot may be answered.
    fn allow_answers(&self, now: i32, from: i64, to: i64) -> Outcome<()> {
        let is_bot = |id| Outcome::Ok(self.user(id)?.is_some_and(|user| user.bot));
        if is_bot(to)? && !is_bot(from)? {
            self.permit(now, to, from)?;
        }
        Ok(())
    }
}
