//! Future-auth tokens: what lets a user sign in again without a code
//! (core.telegram.org/api/auth#future-auth-tokens).

use bytes::Bytes;
use rusqlite::{OptionalExtension, params};

use crate::failure::Outcome;
use crate::world::{Caller, World};

/// How many tokens of a client are looked at, and how many of a user are kept, the last ones.
const TOKENS: usize = 20;

/// How long a token is good, in seconds: 30 days. Assumed: it is only said that they expire.
const LIFETIME: i32 = 30 * 86_400;

impl World {
    /// Makes a token that lets a user sign in once without a code.
    ///
    /// Assumed: whoever signs in or out gets one, whether the account has a password or not.
    pub(crate) fn make_future_token(
        &mut self,
        now: i32,
        caller: Caller,
        user_id: i64,
    ) -> Outcome<Vec<u8>> {
        let token = self.random::<32>().to_vec();
        self.db
            .prepare_cached(
                "INSERT INTO future_auth_tokens (token, user_id, number, expires, auth_key_id)
                 SELECT ?1, ?2, 1 + ifnull(max(number), 0), ?3, ?4 FROM future_auth_tokens
                 WHERE user_id = ?2",
            )?
            .execute(params![token, user_id, now.saturating_add(LIFETIME), caller.auth_key_id])?;
        self.db
            .prepare_cached(
                "DELETE FROM future_auth_tokens WHERE user_id = ?1 AND (expires <= ?2 OR number <=
                   (SELECT max(number) FROM future_auth_tokens WHERE user_id = ?1) - ?3)",
            )?
            .execute(params![user_id, now, i64::try_from(TOKENS).unwrap_or(i64::MAX)])?;
        Ok(token)
    }

    /// Uses up the first of these tokens that is good for a user; tells whether one was. The others
    /// are known from then on to be the device's that has this key.
    pub(in crate::world) fn use_future_token(
        &self,
        now: i32,
        caller: Caller,
        user_id: i64,
        tokens: &[Bytes],
    ) -> Outcome<bool> {
        let mut moved = self.db.prepare_cached(
            "UPDATE future_auth_tokens SET auth_key_id = ?3 WHERE token = ?1 AND user_id = ?2",
        )?;
        let looked_at = tokens.iter().take(TOKENS);
        for token in looked_at.clone() {
            moved.execute(params![token.as_ref(), user_id, caller.auth_key_id])?;
        }
        let mut statement = self.db.prepare_cached(
            "DELETE FROM future_auth_tokens WHERE token = ?1 AND user_id = ?2 AND expires > ?3
             RETURNING 1",
        )?;
        for token in looked_at {
            let used = statement
                .query_row(params![token.as_ref(), user_id, now], |_| Ok(()))
                .optional()?;
            if used.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes the tokens of one device of a user good for nothing.
    ///
    /// Assumed: done when its device session is ended, since nobody wants it to come back.
    pub(in crate::world) fn void_tokens_of_device(&self, user_id: i64, key_id: i64) -> Outcome<()> {
        self.db
            .prepare_cached(
                "DELETE FROM future_auth_tokens WHERE user_id = ?1 AND auth_key_id = ?2",
            )?
            .execute([user_id, key_id])?;
        Ok(())
    }

    /// Makes all tokens of a user good for nothing.
    ///
    /// Assumed: done when all other device sessions are ended, since whoever does so wants nobody
    /// else to come back.
    pub(crate) fn void_future_tokens(&self, user_id: i64) -> Outcome<()> {
        self.db
            .prepare_cached("DELETE FROM future_auth_tokens WHERE user_id = ?1")?
            .execute([user_id])?;
        Ok(())
    }
}
