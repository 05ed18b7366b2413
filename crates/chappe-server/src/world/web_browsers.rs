//! Browsers that a person authorised once, by a phone number that was typed there and a message that
//! was answered in Telegram: they are not asked for the number again.
//! (telegram.org/blog/login)

use chappe_crypto::sha256;
use rusqlite::{OptionalExtension, params};

use super::{User, World, base64url};
use crate::failure::Outcome;

/// How long a browser is remembered that nobody uses, in seconds. Assumed: Telegram's time is not
/// known.
const LIFETIME: i32 = 365 * 86_400;

/// How many browsers of a user are remembered.
const MAX_BROWSERS: i64 = 32;

impl World {
    /// Remembers a browser of a user; tells what it shows from then on.
    pub(crate) fn link_browser(&mut self, now: i32, user_id: i64) -> Outcome<String> {
        let token = base64url(&self.random::<32>());
        self.db
            .prepare_cached(
                "DELETE FROM web_browsers WHERE used <= ?1 OR (user_id = ?2 AND id NOT IN
                   (SELECT id FROM web_browsers WHERE user_id = ?2 ORDER BY id DESC LIMIT ?3))",
            )?
            .execute(params![now.saturating_sub(LIFETIME), user_id, MAX_BROWSERS - 1])?;
        self.db
            .prepare_cached("INSERT INTO web_browsers (token, user_id, used) VALUES (?1, ?2, ?3)")?
            .execute(params![sha256(&[token.as_bytes()]), user_id, now])?;
        Ok(token)
    }

    /// Whose browser shows this.
    pub(crate) fn browser_user(&self, now: i32, token: &str) -> Outcome<Option<User>> {
        let user_id: Option<i64> = self
            .db
            .prepare_cached("SELECT user_id FROM web_browsers WHERE token = ?1 AND used > ?2")?
            .query_row(params![sha256(&[token.as_bytes()]), now.saturating_sub(LIFETIME)], |row| {
                row.get(0)
            })
            .optional()?;
        user_id.map_or(Ok(None), |id| self.user(id))
    }

    /// Forgets a browser.
    pub(crate) fn unlink_browser(&self, token: &str) -> Outcome<()> {
        self.db
            .prepare_cached("DELETE FROM web_browsers WHERE token = ?1")?
            .execute([sha256(&[token.as_bytes()])])?;
        Ok(())
    }

    /// Writes down which web authorization a browser got at a bot's site.
    pub(crate) fn remember_browser_login(
        &self,
        now: i32,
        token: &str,
        bot_id: i64,
        hash: i64,
    ) -> Outcome<()> {
        let token = sha256(&[token.as_bytes()]);
        self.db
            .prepare_cached("UPDATE web_browsers SET used = ?2 WHERE token = ?1")?
            .execute(params![token, now])?;
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO web_browser_logins (browser_id, bot_id, hash)
                 SELECT id, ?2, ?3 FROM web_browsers WHERE token = ?1",
            )?
            .execute(params![token, bot_id, hash])?;
        Ok(())
    }

    /// Who is logged in at a bot's site from a browser: nobody, once the web authorization is gone.
    pub(crate) fn browser_login(
        &self,
        now: i32,
        token: &str,
        bot_id: i64,
    ) -> Outcome<Option<User>> {
        let Some(user) = self.browser_user(now, token)? else { return Ok(None) };
        let logged_in = self
            .db
            .prepare_cached(
                "SELECT 1 FROM web_browsers
                 JOIN web_browser_logins ON browser_id = web_browsers.id
                 JOIN web_authorizations USING (hash, bot_id, user_id)
                 WHERE token = ?1 AND bot_id = ?2",
            )?
            .exists(params![sha256(&[token.as_bytes()]), bot_id])?;
        Ok(logged_in.then_some(user))
    }

    /// How many login requests wait for a person.
    pub(crate) fn waiting_url_auths(&self, now: i32) -> Outcome<i64> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT count(*) FROM url_auths WHERE status = 'pending' AND expires > ?1",
            )?
            .query_row([now], |row| row.get(0))?)
    }
}
