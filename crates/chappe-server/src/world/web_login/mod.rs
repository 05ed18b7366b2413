//! Web logins: the sites that a user logged in to with Telegram, their requests, codes and rows.

mod autologin;
mod browsers;
pub(super) mod fields;
pub(super) mod oidc_codes;
pub(super) mod site;
pub(super) mod site_login;
pub(super) mod url_auth;
pub(super) mod url_auth_asked;
mod url_auth_letter;
pub(super) mod url_auth_link;
pub(super) mod userpic;

use std::net::IpAddr;

use chappe_api::errors;
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::{World, places::place};
use crate::failure::Outcome;

/// The longest browser or platform that is kept, in characters.
const MAX_NAME: usize = 64;

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl WebLogin {
    /// What is known of a browser at this address. What it says of itself loses what is no text.
    pub(crate) fn of_browser(domain: &str, browser: &str, platform: &str, ip: IpAddr) -> Self {
        let cut = |text: &str| text.chars().filter(|it| !it.is_control()).take(MAX_NAME).collect();
        let place = place(ip);
        let region = match place.region {
            "" => place.country.to_owned(),
            region => format!("{region}, {}", place.country),
        };
        Self {
            domain: domain.to_owned(),
            browser: cut(browser),
            platform: cut(platform),
            ip: ip.to_string(),
            region,
        }
    }
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

    /// Whether a web authorization was not ended yet.
    pub(in crate::world) fn is_web_authorization(&self, hash: i64) -> Outcome<bool> {
        Ok(self
            .db
            .prepare_cached("SELECT 1 FROM web_authorizations WHERE hash = ?1")?
            .exists([hash])?)
    }

    /// Whether a user is logged in to a bot's site.
    pub(crate) fn is_logged_in(&self, user_id: i64, bot_id: i64, domain: &str) -> Outcome<bool> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT 1 FROM web_authorizations
                 WHERE user_id = ?1 AND bot_id = ?2 AND domain = ?3",
            )?
            .exists(params![user_id, bot_id, domain])?)
    }

    /// Writes down that a user logs in to a bot's site now; tells the hash of the web authorization.
    /// From where the user logged in before, the one of then goes on. Assumed: Telegram's rule for
    /// that is not known.
    pub(in crate::world) fn renew_web_authorization(
        &mut self,
        now: i32,
        user_id: i64,
        bot_id: i64,
        login: &WebLogin,
    ) -> Outcome<i64> {
        let WebLogin { domain, browser, platform, ip, region } = login;
        let before: Option<i64> = self
            .db
            .prepare_cached(
                "UPDATE web_authorizations SET active = ?7, region = ?8
                 WHERE hash = (SELECT hash FROM web_authorizations
                   WHERE user_id = ?1 AND bot_id = ?2 AND domain = ?3 AND browser = ?4
                     AND platform = ?5 AND ip = ?6 ORDER BY created DESC, hash LIMIT 1)
                 RETURNING hash",
            )?
            .query_row(
                params![user_id, bot_id, domain, browser, platform, ip, now, region],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(hash) = before {
            return Ok(hash);
        }
        let hash = self.fresh_hash()?;
        let (created, active, login) = (now, now, login.clone());
        let row = WebAuthorization { hash, bot_id, created, active, login };
        self.add_web_authorization(user_id, &row)?;
        Ok(hash)
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
