//! Data centres: which there are, who lives where, and how a device session is taken from one to
//! another (core.telegram.org/api/datacenter).

use std::ops::RangeInclusive;

use chappe_api::errors;
use rusqlite::{OptionalExtension, params};

use super::{Caller, User, World, sign_in};
use crate::failure::Outcome;

/// How long an exported device session is good, in seconds. Assumed: "short" is all that is said.
const EXPORTED_LIFETIME: i32 = 60;

/// How many exports of a device session are good at a time, the last ones.
const MAX_EXPORTED: i32 = 16;

/// The bot that lives in another data centre than the main one, if there are several.
const BOT_ABROAD: &str = "SemaphoreShopBot";

/// The data centres of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dcs {
    main: i32,
    first: i32,
    last: i32,
}

impl Dcs {
    /// Only one.
    pub(crate) fn one(id: i32) -> Self {
        Self { main: id, first: id, last: id }
    }

    /// Those from 1 on, if the main one is among them.
    pub(crate) fn up_to(last: i32, main: i32) -> Option<Self> {
        let dcs = Self { main, first: 1, last };
        dcs.contains(main).then_some(dcs)
    }

    /// The main one.
    pub(crate) fn main(self) -> i32 {
        self.main
    }

    /// All of them.
    pub(crate) fn ids(self) -> RangeInclusive<i32> {
        self.first..=self.last
    }

    /// Whether there is this one.
    pub(crate) fn contains(self, id: i32) -> bool {
        self.ids().contains(&id)
    }

    /// The wanted one, or else the main one.
    pub(super) fn settle(self, wanted: Option<i32>) -> i32 {
        wanted.filter(|id| self.contains(*id)).unwrap_or(self.main)
    }

    /// One that is not the main one, whether it exists or not.
    fn other(self) -> i32 {
        if self.main == 1 { 2 } else { 1 }
    }
}

impl World {
    /// The data centres.
    pub(crate) fn dcs(&self) -> Dcs {
        self.dcs
    }

    /// The data centre in which a user lives.
    pub(crate) fn home(&self, user: &User) -> i32 {
        self.dcs.settle(user.dc)
    }

    /// The data centre in which the owner of a phone number lives or would live; `None` if this is
    /// no phone number.
    pub(crate) fn home_of_phone(&self, phone: &str) -> Outcome<Option<i32>> {
        let Some(phone) = sign_in::is_phone(phone) else { return Ok(None) };
        Ok(Some(match self.user_by_phone(&phone)? {
            Some(user) => self.home(&user),
            None => self.dcs.settle(sign_in::test_dc(&phone)),
        }))
    }

    /// Gives a data centre to what was written down before there were several.
    pub(super) fn settle_version_1(&self) -> rusqlite::Result<()> {
        self.db.execute("UPDATE auth_keys SET dc = ?1", [self.dcs.main])?;
        self.db.execute(
            "UPDATE users SET dc = CAST(substr(phone, 6, 1) AS INTEGER)
             WHERE phone GLOB '99966[123][0-9][0-9][0-9][0-9]' AND NOT demonstration",
            [],
        )?;
        self.db.execute(
            "UPDATE users SET dc = ?1 WHERE username = ?2",
            params![self.dcs.other(), BOT_ABROAD],
        )?;
        Ok(())
    }

    /// Makes the bytes that take a device session to another data centre.
    pub(crate) fn export_authorization(
        &mut self,
        now: i32,
        caller: Caller,
        dc: i32,
    ) -> Outcome<Vec<u8>> {
        // Observed: one's own data centre is refused, too.
        if !self.dcs.contains(dc) || dc == caller.dc {
            return Err(errors::DC_ID_INVALID.into());
        }
        self.db
            .prepare_cached("DELETE FROM exported_authorizations WHERE expires <= ?1")?
            .execute([now])?;
        self.db
            .prepare_cached(
                "DELETE FROM exported_authorizations WHERE home_key_id = ?1 AND bytes NOT IN (
                   SELECT bytes FROM exported_authorizations WHERE home_key_id = ?1
                   ORDER BY expires DESC LIMIT ?2)",
            )?
            .execute(params![caller.auth_key_id, MAX_EXPORTED - 1])?;
        let bytes = self.random::<128>().to_vec();
        self.db
            .prepare_cached(
                "INSERT INTO exported_authorizations (bytes, home_key_id, dc, expires)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                bytes,
                caller.auth_key_id,
                dc,
                now.saturating_add(EXPORTED_LIFETIME)
            ])?;
        Ok(bytes)
    }

    /// Lets a key of this data centre stand for a device session of another one. What the key was
    /// signed in as before is over.
    ///
    /// Bytes that are unknown, used, too old or for another data centre are refused alike.
    /// Assumed: those of another user are refused by the name of the user, and stay good.
    pub(crate) fn import_authorization(
        &self,
        now: i32,
        caller: Caller,
        user_id: i64,
        bytes: &[u8],
    ) -> Outcome<()> {
        let found: Option<(i64, i64)> = self
            .db
            .prepare_cached(
                "SELECT home_key_id, user_id FROM exported_authorizations
                 JOIN authorizations ON auth_key_id = home_key_id
                 WHERE bytes = ?1 AND dc = ?2 AND expires > ?3",
            )?
            .query_row(params![bytes, caller.dc, now], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (home_key_id, owner) = found.ok_or(errors::AUTH_BYTES_INVALID)?;
        if owner != user_id {
            return Err(errors::USER_ID_INVALID.into());
        }
        self.db
            .prepare_cached("DELETE FROM exported_authorizations WHERE bytes = ?1")?
            .execute([bytes])?;
        self.sign_out(caller.auth_key_id)?;
        self.restore(caller.auth_key_id)?;
        self.db
            .prepare_cached(
                "INSERT INTO imported_authorizations (auth_key_id, home_key_id) VALUES (?1, ?2)",
            )?
            .execute([caller.auth_key_id, home_key_id])?;
        Ok(())
    }
}
