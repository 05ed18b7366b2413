//! People and bots.

use chappe_api::types;
use rusqlite::{OptionalExtension, Row, params};
use subtle::ConstantTimeEq;

use super::{World, sign_in};
use crate::failure::Outcome;

/// The columns that [`User::read`] expects.
pub(super) const COLUMNS: &str = "id, access_hash, phone, bot_token IS NOT NULL, username, first_name, \
                       last_name, online, active, dc";

/// A person or a bot.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The user id.
    pub(crate) id: i64,
    /// What a client must show to name this user.
    pub(crate) access_hash: i64,
    /// The phone number; a bot has none.
    pub(crate) phone: Option<String>,
    /// Whether this is a bot.
    pub(crate) bot: bool,
    /// The username, without `@`.
    pub(crate) username: Option<String>,
    /// The first name.
    pub(crate) first_name: String,
    /// The last name, or nothing.
    pub(crate) last_name: String,
    /// Whether it said that it is online.
    pub(crate) online: bool,
    /// When it was last seen.
    pub(crate) active: i32,
    /// Where it lives, if there is such a data centre; else in the main one.
    pub(super) dc: Option<i32>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("bot", &self.bot).finish_non_exhaustive()
    }
}

impl User {
    /// First and last name.
    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            access_hash: row.get(1)?,
            phone: row.get(2)?,
            bot: row.get(3)?,
            username: row.get(4)?,
            first_name: row.get(5)?,
            last_name: row.get(6)?,
            online: row.get(7)?,
            active: row.get(8)?,
            dc: row.get(9)?,
        })
    }
}

impl World {
    /// The user with this id.
    pub(crate) fn user(&self, id: i64) -> Outcome<Option<User>> {
        Ok(self
            .db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE id = ?1"))?
            .query_row([id], User::read)
            .optional()?)
    }

    /// The person with this phone number.
    pub(crate) fn user_by_phone(&self, phone: &str) -> Outcome<Option<User>> {
        Ok(self
            .db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE phone = ?1"))?
            .query_row([phone], User::read)
            .optional()?)
    }

    /// The person or bot with this username, without `@`, in letters of any size.
    pub(crate) fn user_by_username(&self, username: &str) -> Outcome<Option<User>> {
        Ok(self
            .db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE username = ?1"))?
            .query_row([username], User::read)
            .optional()?)
    }

    /// The bot with this token. The bot is found by the public part of the token, the secret part
    /// is compared in constant time.
    pub(crate) fn bot_by_token(&self, token: &str) -> Outcome<Option<User>> {
        let Some(id) = token.split_once(':').and_then(|(id, _)| id.parse::<i64>().ok()) else {
            return Ok(None);
        };
        let known: Option<String> = self
            .db
            .prepare_cached("SELECT bot_token FROM users WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?
            .flatten();
        match known {
            Some(known) if bool::from(known.as_bytes().ct_eq(token.as_bytes())) => self.user(id),
            _ => Ok(None),
        }
    }

    /// The token of a bot.
    pub(crate) fn bot_token(&self, bot_id: i64) -> Outcome<Option<String>> {
        let token = self
            .db
            .prepare_cached("SELECT bot_token FROM users WHERE id = ?1")?
            .query_row([bot_id], |row| row.get(0))
            .optional()?;
        Ok(token.flatten())
    }

    /// Makes the account of a phone number that has none.
    pub(crate) fn add_person(
        &mut self,
        now: i32,
        phone: &str,
        first_name: &str,
        last_name: &str,
    ) -> Outcome<i64> {
        let (id, access_hash) = self.fresh_user_id()?;
        self.db
            .prepare_cached(
                "INSERT INTO users (id, access_hash, phone, first_name, last_name, active, dc)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                id,
                access_hash,
                phone,
                first_name,
                last_name,
                now,
                sign_in::test_dc(phone)
            ])?;
        Ok(id)
    }

    /// Makes a bot with a new token.
    pub(crate) fn add_bot(&mut self, now: i32, username: &str, name: &str) -> Outcome<i64> {
        let (id, access_hash) = self.fresh_user_id()?;
        let token = format!("{id}:{}", self.secret_part());
        self.db
            .prepare_cached(
                "INSERT INTO users (id, access_hash, bot_token, username, first_name, active)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![id, access_hash, token, username, name, now])?;
        Ok(id)
    }

    /// Sets whether a user is online.
    pub(crate) fn set_online(&self, now: i32, user_id: i64, online: bool) -> Outcome<()> {
        self.db
            .prepare_cached("UPDATE users SET online = ?2, active = ?3 WHERE id = ?1")?
            .execute(params![user_id, online, now])?;
        Ok(())
    }

    /// Blocks a user for another one, or blocks it no more; tells the other sessions if that is news.
    pub(crate) fn set_blocked(
        &mut self,
        now: i32,
        user_id: i64,
        peer_id: i64,
        blocked: bool,
    ) -> Outcome<()> {
        let changed = match blocked {
            true => self
                .db
                .prepare_cached(
                    "INSERT INTO blocked (user_id, peer_id, date) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO NOTHING",
                )?
                .execute(params![user_id, peer_id, now])?,
            false => self
                .db
                .prepare_cached("DELETE FROM blocked WHERE user_id = ?1 AND peer_id = ?2")?
                .execute([user_id, peer_id])?,
        };
        if changed > 0 {
            let peer = types::PeerUser { user_id: peer_id };
            let update =
                types::UpdatePeerBlocked { blocked, ..types::UpdatePeerBlocked::new(peer) };
            self.tell_others(now, user_id, update)?;
        }
        Ok(())
    }

    /// Whether a user blocked another one.
    pub(crate) fn is_blocked(&self, user_id: i64, peer_id: i64) -> Outcome<bool> {
        Ok(self
            .db
            .prepare_cached("SELECT 1 FROM blocked WHERE user_id = ?1 AND peer_id = ?2")?
            .exists([user_id, peer_id])?)
    }

    /// Whom a user blocked, and when; the last first.
    pub(crate) fn blocked(&self, user_id: i64) -> Outcome<Vec<(User, i32)>> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS}, date FROM blocked JOIN users ON id = peer_id
             WHERE user_id = ?1 ORDER BY date DESC, id"
        ))?;
        let rows = statement.query_map([user_id], |row| Ok((User::read(row)?, row.get(10)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A user id of the size that accounts have today, and an access hash for it.
    fn fresh_user_id(&mut self) -> Outcome<(i64, i64)> {
        loop {
            let random = u32::from_le_bytes(self.random());
            let id = 5_000_000_000 + i64::from(random % 2_000_000_000);
            if self.user(id)?.is_none() {
                return Ok((id, i64::from_le_bytes(self.random())));
            }
        }
    }

    /// The second part of a bot token: 35 characters of the base64url alphabet.
    fn secret_part(&mut self) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bytes: [u8; 35] = self.random();
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect()
    }
}
