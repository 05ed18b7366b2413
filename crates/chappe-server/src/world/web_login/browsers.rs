//! Browsers that a person authorised once, by a phone number that was typed there and a message that
//! was answered in Telegram: they are not asked for the number again.
//! (telegram.org/blog/login)
//!
//! Assumed, since nothing of it is documented: for how long; and that a browser is forgotten with any
//! web authorization that it got. A person who ends what looks strange in the list of websites must not
//! be logged in there again by two clicks of somebody else, wherever else that browser is logged in.

use chappe_crypto::sha256;
use rusqlite::{OptionalExtension, params};

use crate::failure::Outcome;
use crate::world::{Claim, User, World};

/// How long a browser is remembered that nobody uses, in seconds.
const LIFETIME: i32 = 365 * 86_400;

/// How many browsers of a user are remembered.
const MAX_BROWSERS: i64 = 32;

impl World {
    /// Remembers, when a request is claimed, what its browser got by it, if the browser is the user's;
    /// and the browser, if the user was named by a phone number that was typed there. Tells what such a
    /// browser shows from then on.
    pub(in crate::world) fn link_browser(
        &mut self,
        now: i32,
        claim: &Claim,
        shown: Option<&str>,
    ) -> Outcome<Option<String>> {
        let Claim { request, user, web_authorization, .. } = claim;
        let known = shown.map_or(Ok(None), |shown| self.browser_user(now, shown))?;
        let (token, new) = match (shown, known, request.for_user) {
            (Some(shown), Some(known), _) if known.id == user.id => (shown.to_owned(), None),
            (_, _, Some(_)) => {
                let token = self.new_browser(now, user.id)?;
                (token.clone(), Some(token))
            }
            _ => return Ok(None),
        };
        let token = sha256(&[token.as_bytes()]);
        self.db
            .prepare_cached("UPDATE web_browsers SET used = ?2 WHERE token = ?1")?
            .execute(params![token, now])?;
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO web_browser_logins (browser_id, bot_id, hash)
                 SELECT id, ?2, ?3 FROM web_browsers WHERE token = ?1",
            )?
            .execute(params![token, request.asked.bot_id, web_authorization])?;
        Ok(new)
    }

    fn new_browser(&mut self, now: i32, user_id: i64) -> Outcome<String> {
        self.db
            .prepare_cached(
                "DELETE FROM web_browsers WHERE used <= ?1 OR (user_id = ?2 AND id NOT IN
                   (SELECT id FROM web_browsers WHERE user_id = ?2 ORDER BY id DESC LIMIT ?3))",
            )?
            .execute(params![now.saturating_sub(LIFETIME), user_id, MAX_BROWSERS - 1])?;
        let token = self.token();
        self.db
            .prepare_cached("INSERT INTO web_browsers (token, user_id, used) VALUES (?1, ?2, ?3)")?
            .execute(params![sha256(&[token.as_bytes()]), user_id, now])?;
        Ok(token)
    }

    /// Whose browser shows this: nobody's, once one of its web authorizations was ended.
    pub(crate) fn browser_user(&self, now: i32, shown: &str) -> Outcome<Option<User>> {
        self.user_of_browser(now, shown, None)
    }

    /// Who is logged in at a bot's site from a browser: nobody, once that web authorization is gone.
    pub(crate) fn browser_login(
        &self,
        now: i32,
        shown: &str,
        bot_id: i64,
    ) -> Outcome<Option<User>> {
        self.user_of_browser(now, shown, Some(bot_id))
    }

    fn user_of_browser(&self, now: i32, shown: &str, at: Option<i64>) -> Outcome<Option<User>> {
        let user_id: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT user_id FROM web_browsers
                 JOIN web_browser_logins ON browser_id = web_browsers.id
                 LEFT JOIN web_authorizations USING (hash, bot_id, user_id)
                 WHERE token = ?1 AND used > ?2 AND (?3 IS NULL OR bot_id = ?3)
                 GROUP BY user_id HAVING count(*) = count(created)",
            )?
            .query_row(
                params![sha256(&[shown.as_bytes()]), now.saturating_sub(LIFETIME), at],
                |row| row.get(0),
            )
            .optional()?;
        user_id.map_or(Ok(None), |id| self.user(id))
    }

    /// Forgets a browser.
    pub(crate) fn unlink_browser(&self, shown: &str) -> Outcome<()> {
        self.db
            .prepare_cached("DELETE FROM web_browsers WHERE token = ?1")?
            .execute([sha256(&[shown.as_bytes()])])?;
        Ok(())
    }
}
