//! Web authorizations: the sites that a user logged in to with Telegram.

use chappe_api::errors;
use rusqlite::{Row, params};

use super::World;
use crate::failure::Outcome;

/// One row of `account.getWebAuthorizations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebAuthorization {
    /// Names it; may be negative, never 0.
    pub(crate) hash: i64,
    /// The bot that the site belongs to.
    pub(crate) bot_id: i64,
    /// When it was made.
    pub(crate) created: i32,
    /// When it was last used; 0 if that is not known.
    pub(crate) active: i32,
    /// Where from.
    pub(crate) login: WebLogin,
}

/// What a site's request tells about where a login comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebLogin {
    /// The site.
    pub(crate) domain: String,
    /// The browser.
    pub(crate) browser: String,
    /// The operating system.
    pub(crate) platform: String,
    /// The address of the browser.
    pub(crate) ip: String,
    /// Where that address is.
    pub(crate) region: String,
}

impl WebAuthorization {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            hash: row.get(0)?,
            bot_id: row.get(1)?,
            created: row.get(2)?,
            active: row.get(3)?,
            login: WebLogin {
                domain: row.get(4)?,
                browser: row.get(5)?,
                platform: row.get(6)?,
                ip: row.get(7)?,
                region: row.get(8)?,
            },
        })
    }
}

impl World {
    /// A user's web authorizations, the last used first.
    pub(crate) fn web_authorizations(&self, user_id: i64) -> Outcome<Vec<WebAuthorization>> {
        let mut statement = self.db.prepare_cached(
            "SELECT hash, bot_id, created, active, domain, browser, platform, ip, region
             FROM web_authorizations WHERE user_id = ?1
             ORDER BY iif(active = 0, created, active) DESC, hash",
        )?;
        let rows = statement.query_map([user_id], WebAuthorization::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ends one web authorization of a user.
    ///
    /// What does not exist, belongs to somebody else, or is a device session is refused alike:
    /// the answer does not reveal which. (core.telegram.org/method/account.resetWebAuthorization)
    pub(crate) fn reset_web_authorization(&self, user_id: i64, hash: i64) -> Outcome<()> {
        let gone = self
            .db
            .prepare_cached("DELETE FROM web_authorizations WHERE user_id = ?1 AND hash = ?2")?
            .execute([user_id, hash])?;
        if gone == 0 { Err(errors::HASH_INVALID.into()) } else { Ok(()) }
    }

    /// Ends all web authorizations of a user.
    pub(crate) fn reset_web_authorizations(&self, user_id: i64) -> Outcome<()> {
        self.db
            .prepare_cached("DELETE FROM web_authorizations WHERE user_id = ?1")?
            .execute([user_id])?;
        Ok(())
    }

    /// Writes down that a user logged in to a site.
    pub(crate) fn add_web_authorization(
        &self,
        user_id: i64,
        row: &WebAuthorization,
    ) -> Outcome<()> {
        let WebLogin { domain, browser, platform, ip, region } = &row.login;
        self.db
            .prepare_cached(
                "INSERT INTO web_authorizations
                 (hash, user_id, bot_id, created, active, domain, browser, platform, ip, region)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                row.hash,
                user_id,
                row.bot_id,
                row.created,
                row.active,
                domain,
                browser,
                platform,
                ip,
                region
            ])?;
        Ok(())
    }
}
