//! Device sessions: which key is whose, for how long, and who may end them.

use std::{
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
};

use chappe_api::errors;
use rusqlite::{OptionalExtension, params};

use super::{Caller, Device, KeyState, Void, World, places};
use crate::failure::Outcome;

/// How long a device session must exist before it may end others: 24 hours.
/// (core.telegram.org/method/account.resetAuthorization)
const FRESH_SECONDS: i32 = DAY;

/// A day, in seconds.
const DAY: i32 = 24 * 60 * 60;

/// How long a sign-in that owes the password is listed, in seconds. Assumed: a day.
const PENDING_LIFETIME: i32 = DAY;

/// After how many days without use sessions may be told to end. Observed: TDLib's
/// `setInactiveSessionTtl` takes these.
const SESSION_TTL: RangeInclusive<i32> = 1..=366;

/// After how many days without use an account may be told to end. Observed: TDLib's
/// `setAccountTtl` takes these.
const ACCOUNT_TTL: RangeInclusive<i32> = 30..=730;

/// After how long a new session counts as confirmed, in seconds: a week. Clients read it in
/// `help.getAppConfig`. (core.telegram.org/api/auth#confirming-login)
pub(crate) const AUTOCONFIRM_PERIOD: i32 = 7 * DAY;

/// How old the last activity of a device session gets before a call refreshes it.
const ACTIVITY_STEP: i32 = 60;

/// Stands for an address that cannot be read.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// What a device session takes, and what it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepts {
    /// Whether secret chats are kept from it.
    pub(crate) no_secret_chats: bool,
    /// Whether calls are kept from it.
    pub(crate) no_calls: bool,
}

/// What `account.changeAuthorizationSettings` changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NewSettings {
    /// Says of a new session that it is the user's.
    pub(crate) confirmed: bool,
    /// Whether secret chats are kept from it.
    pub(crate) no_secret_chats: Option<bool>,
    /// Whether calls are kept from it.
    pub(crate) no_calls: Option<bool>,
}

/// One row of `account.getAuthorizations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    /// Names the session.
    pub(crate) hash: i64,
    /// Whether it is the one that asks.
    pub(crate) current: bool,
    /// Whether it owes the password.
    pub(crate) password_pending: bool,
    /// Whether it is new, and nobody said that it is theirs.
    pub(crate) unconfirmed: bool,
    /// What it takes.
    pub(crate) accepts: Accepts,
    /// From which device.
    pub(crate) device: Device,
    /// When it signed in.
    pub(crate) created: i32,
    /// When it was last seen.
    pub(crate) active: i32,
    /// From which address it was last seen.
    pub(crate) ip: String,
    /// Where that is.
    pub(crate) place: places::Place,
}

/// What a hash names.
struct Named {
    key: i64,
    /// Whether it is a sign-in that owes the password.
    owes: bool,
}

impl Authorization {
    /// A row; `times` are when it signed in and when it was last seen.
    pub(super) fn new(
        hash: i64,
        current: bool,
        device: Device,
        times: (i32, i32),
        ip: String,
    ) -> Self {
        let (created, active) = times;
        let place = places::place(ip.parse().unwrap_or(NOWHERE));
        Self {
            hash,
            current,
            password_pending: false,
            unconfirmed: false,
            accepts: Accepts::default(),
            device,
            created,
            active,
            ip,
            place,
        }
    }
}

impl World {
    /// Refreshes when and where a device session was last seen, at most once a minute.
    pub(crate) fn touch(&self, now: i32, ip: IpAddr, state: &KeyState) -> Outcome<()> {
        if state.home_key_id.is_some() && now >= state.active.saturating_add(ACTIVITY_STEP) {
            self.db
                .prepare_cached(
                    "UPDATE authorizations SET active = ?2, ip = ?3 WHERE auth_key_id = ?1",
                )?
                .execute(params![state.home_key_id, now, ip.to_string()])?;
        }
        Ok(())
    }

    /// Ends the device sessions of a person that were not used for as many days as the person said;
    /// tells whether there were any.
    ///
    /// Assumed: Telegram ends them at some time of its own, and calls them expired.
    pub(crate) fn end_idle(&self, now: i32, user_id: i64) -> Outcome<bool> {
        let idle = self
            .db
            .prepare_cached(
                "SELECT auth_key_id FROM authorizations JOIN users ON users.id = user_id
                 WHERE user_id = ?1 AND bot_token IS NULL
                   AND authorizations.active + authorization_ttl_days * ?2 <= ?3",
            )?
            .query_map(params![user_id, DAY, now], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        for key in &idle {
            self.void_key(*key, Void::Expired)?;
        }
        Ok(!idle.is_empty())
    }

    /// Signs a key in. Returns the hash of the device session. It is to be confirmed if there is
    /// another one of the account that could, unless that one let it in.
    pub(crate) fn authorize(&mut self, now: i32, caller: Caller, user_id: i64) -> Outcome<i64> {
        let key_id = caller.auth_key_id;
        let owed: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT pending_hash FROM auth_keys WHERE id = ?1 AND pending_user_id = ?2",
            )?
            .query_row([key_id, user_id], |row| row.get(0))
            .optional()?
            .flatten();
        let promised = self.promised_hash(key_id, user_id)?;
        let hash = match promised.or(owed) {
            Some(hash) => hash,
            None => self.fresh_hash()?,
        };
        let alone: bool = self
            .db
            .prepare_cached(
                "SELECT NOT EXISTS (
                   SELECT 1 FROM authorizations WHERE user_id = ?1 AND auth_key_id <> ?2)",
            )?
            .query_row([user_id, key_id], |row| row.get(0))?;
        self.authorize_as(now, caller, user_id, (hash, promised.is_some() || alone))?;
        Ok(hash)
    }

    /// Signs a key in; the device session has this hash, and is confirmed or not.
    pub(super) fn authorize_as(
        &self,
        now: i32,
        caller: Caller,
        user_id: i64,
        (hash, confirmed): (i64, bool),
    ) -> Outcome<()> {
        self.sign_out(caller.auth_key_id)?;
        self.restore(caller.auth_key_id)?;
        self.db
            .prepare_cached(
                "INSERT INTO authorizations
                 (auth_key_id, user_id, hash, created, active, ip, confirmed)
                 VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)",
            )?
            .execute(params![
                caller.auth_key_id,
                user_id,
                hash,
                now,
                caller.ip.to_string(),
                confirmed
            ])?;
        Ok(())
    }

    /// Writes down that a key owes the password of this user.
    pub(super) fn owe_password(&mut self, now: i32, caller: Caller, user_id: i64) -> Outcome<()> {
        let hash = match self.promised_hash(caller.auth_key_id, user_id)? {
            Some(hash) => hash,
            None => self.fresh_hash()?,
        };
        self.db
            .prepare_cached(
                "UPDATE auth_keys SET pending_user_id = ?2, pending_hash = ?3, pending_since = ?4,
                   pending_ip = ?5
                 WHERE id = ?1",
            )?
            .execute(params![caller.auth_key_id, user_id, hash, now, caller.ip.to_string()])?;
        Ok(())
    }

    /// Lets nobody owe a password on this key.
    fn forgive_password(&self, key_id: i64) -> Outcome<()> {
        self.db
            .prepare_cached(
                "UPDATE auth_keys SET pending_user_id = NULL, pending_hash = NULL WHERE id = ?1",
            )?
            .execute([key_id])?;
        self.end_promises(key_id)
    }

    /// Signs a key out, and all keys that its device session was imported to.
    ///
    /// Assumed: signing out such a key ends only what was imported to it.
    pub(crate) fn sign_out(&self, key_id: i64) -> Outcome<()> {
        self.db
            .prepare_cached("DELETE FROM authorizations WHERE auth_key_id = ?1")?
            .execute([key_id])?;
        self.db
            .prepare_cached("DELETE FROM imported_authorizations WHERE auth_key_id = ?1")?
            .execute([key_id])?;
        self.forgive_password(key_id)
    }

    /// The keys that a user's device sessions signed in with.
    pub(crate) fn keys_of(&self, user_id: i64) -> Outcome<Vec<i64>> {
        let mut statement =
            self.db.prepare_cached("SELECT auth_key_id FROM authorizations WHERE user_id = ?1")?;
        let keys = statement.query_map([user_id], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    /// A user's device sessions, the current one first, and those that owe the password last.
    pub(crate) fn authorizations(
        &self,
        now: i32,
        user_id: i64,
        current_key: i64,
    ) -> Outcome<Vec<Authorization>> {
        let mut statement = self.db.prepare_cached(
            "SELECT hash, auth_key_id = ?2, a.created, active, ip, ifnull(api_id, 0), device_model,
                    system_version, app_version, system_lang_code, lang_pack, lang_code,
                    NOT confirmed AND a.created + ?3 > ?4, encrypted_requests_disabled,
                    call_requests_disabled
             FROM authorizations a JOIN auth_keys ON id = auth_key_id
             WHERE user_id = ?1 ORDER BY auth_key_id = ?2 DESC, active DESC, hash",
        )?;
        let rows =
            statement.query_map(params![user_id, current_key, AUTOCONFIRM_PERIOD, now], |row| {
                let ip: String = row.get(4)?;
                let (device, times) = (Device::read(row, 5)?, (row.get(2)?, row.get(3)?));
                Ok(Authorization {
                    unconfirmed: row.get(12)?,
                    accepts: Accepts { no_secret_chats: row.get(13)?, no_calls: row.get(14)? },
                    ..Authorization::new(row.get(0)?, row.get(1)?, device, times, ip)
                })
            })?;
        let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
        let mut statement = self.db.prepare_cached(
            "SELECT pending_hash, pending_since, pending_ip, ifnull(api_id, 0), device_model,
                    system_version, app_version, system_lang_code, lang_pack, lang_code
             FROM auth_keys
             WHERE pending_user_id = ?1 AND pending_hash IS NOT NULL AND pending_since + ?2 > ?3
             ORDER BY pending_since DESC, pending_hash",
        )?;
        let owing = statement.query_map(params![user_id, PENDING_LIFETIME, now], |row| {
            let (since, ip): (i32, String) = (row.get(1)?, row.get(2)?);
            Ok(Authorization {
                password_pending: true,
                ..Authorization::new(row.get(0)?, false, Device::read(row, 3)?, (since, since), ip)
            })
        })?;
        for row in owing {
            rows.push(row?);
        }
        Ok(rows)
    }

    /// Ends one other device session of a user, or a sign-in that owes the password. The current
    /// one is never named by a hash.
    pub(crate) fn reset_authorization(
        &self,
        now: i32,
        user_id: i64,
        current_key: i64,
        hash: i64,
    ) -> Outcome<()> {
        let named = self.named(user_id, hash)?.filter(|named| named.key != current_key);
        let named = named.ok_or(errors::HASH_INVALID)?;
        self.refuse_fresh(now, current_key)?;
        self.end_named(user_id, &named)
    }

    /// Ends all other device sessions of a user, and sign-ins that owe the password.
    pub(crate) fn reset_authorizations(
        &self,
        now: i32,
        user_id: i64,
        current_key: i64,
    ) -> Outcome<()> {
        self.refuse_fresh(now, current_key)?;
        self.end_others(user_id, Some(current_key))
    }

    /// Ends a device session of a user, or a sign-in that owes the password: whoever runs the
    /// server does what the user could on another device.
    pub(crate) fn end_device(&self, user_id: i64, hash: i64) -> Outcome<()> {
        let named = self.named(user_id, hash)?.ok_or(errors::HASH_INVALID)?;
        self.end_named(user_id, &named)
    }

    /// Ends all device sessions of a user, except one if its hash is given, and sign-ins that owe the
    /// password.
    pub(crate) fn end_devices(&self, user_id: i64, keep: Option<i64>) -> Outcome<()> {
        let kept = match keep {
            Some(hash) => Some(self.session_of(user_id, hash)?.ok_or(errors::HASH_INVALID)?),
            None => None,
        };
        self.end_others(user_id, kept)?;
        self.void_future_tokens(user_id)
    }

    /// What a hash names among the device sessions of a user.
    fn named(&self, user_id: i64, hash: i64) -> Outcome<Option<Named>> {
        if let Some(key) = self.session_of(user_id, hash)? {
            return Ok(Some(Named { key, owes: false }));
        }
        let owing: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT id FROM auth_keys WHERE pending_hash = ?2 AND pending_user_id = ?1",
            )?
            .query_row([user_id, hash], |row| row.get(0))
            .optional()?;
        Ok(owing.map(|key| Named { key, owes: true }))
    }

    fn end_named(&self, user_id: i64, named: &Named) -> Outcome<()> {
        self.void_tokens_of_device(user_id, named.key)?;
        match named.owes {
            true => self.forgive_password(named.key),
            false => self.void_key(named.key, Void::Revoked),
        }
    }

    fn end_others(&self, user_id: i64, kept: Option<i64>) -> Outcome<()> {
        for key in self.keys_of(user_id)? {
            if Some(key) != kept {
                self.void_key(key, Void::Revoked)?;
            }
        }
        let owing = self
            .db
            .prepare_cached("SELECT id FROM auth_keys WHERE pending_user_id = ?1")?
            .query_map([user_id], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        for key in owing {
            self.forgive_password(key)?;
        }
        Ok(())
    }

    /// Changes what is known of one device session; 0 is the current one.
    ///
    /// Assumed: a session does not confirm itself.
    pub(crate) fn change_authorization(
        &self,
        user_id: i64,
        current_key: i64,
        hash: i64,
        new: NewSettings,
    ) -> Outcome<()> {
        let key = match hash {
            0 if !new.confirmed => Some(current_key),
            _ => self.session_of(user_id, hash)?.filter(|key| *key != current_key),
        };
        let key = key.ok_or(errors::HASH_INVALID)?;
        self.db
            .prepare_cached(
                "UPDATE authorizations SET confirmed = confirmed OR ?2,
                   encrypted_requests_disabled = ifnull(?3, encrypted_requests_disabled),
                   call_requests_disabled = ifnull(?4, call_requests_disabled)
                 WHERE auth_key_id = ?1",
            )?
            .execute(params![key, new.confirmed, new.no_secret_chats, new.no_calls])?;
        Ok(())
    }

    /// After how many days without use a user's device sessions end.
    pub(crate) fn session_ttl(&self, user_id: i64) -> Outcome<i32> {
        Ok(self
            .db
            .prepare_cached("SELECT authorization_ttl_days FROM users WHERE id = ?1")?
            .query_row([user_id], |row| row.get(0))?)
    }

    /// Sets after how many days without use a user's device sessions end.
    pub(crate) fn set_session_ttl(
        &self,
        now: i32,
        user_id: i64,
        current_key: i64,
        days: i32,
    ) -> Outcome<()> {
        if !SESSION_TTL.contains(&days) {
            return Err(errors::TTL_DAYS_INVALID.into());
        }
        self.refuse_fresh(now, current_key)?;
        self.db
            .prepare_cached("UPDATE users SET authorization_ttl_days = ?2 WHERE id = ?1")?
            .execute(params![user_id, days])?;
        Ok(())
    }

    /// After how many days without use an account would end. Here none does.
    pub(crate) fn account_ttl(&self, user_id: i64) -> Outcome<i32> {
        Ok(self
            .db
            .prepare_cached("SELECT account_ttl_days FROM users WHERE id = ?1")?
            .query_row([user_id], |row| row.get(0))?)
    }

    /// Sets after how many days without use an account would end.
    pub(crate) fn set_account_ttl(&self, user_id: i64, days: i32) -> Outcome<()> {
        if !ACCOUNT_TTL.contains(&days) {
            return Err(errors::TTL_DAYS_INVALID.into());
        }
        self.db
            .prepare_cached("UPDATE users SET account_ttl_days = ?2 WHERE id = ?1")?
            .execute(params![user_id, days])?;
        Ok(())
    }

    /// The key of a user's device session.
    fn session_of(&self, user_id: i64, hash: i64) -> Outcome<Option<i64>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT auth_key_id FROM authorizations WHERE user_id = ?1 AND hash = ?2",
            )?
            .query_row([user_id, hash], |row| row.get(0))
            .optional()?)
    }

    /// Refuses a device session that is younger than a day.
    fn refuse_fresh(&self, now: i32, key_id: i64) -> Outcome<()> {
        let created: i32 = self
            .db
            .prepare_cached("SELECT created FROM authorizations WHERE auth_key_id = ?1")?
            .query_row([key_id], |row| row.get(0))?;
        if now < created.saturating_add(FRESH_SECONDS) {
            return Err(errors::FRESH_RESET_AUTHORISATION_FORBIDDEN.into());
        }
        Ok(())
    }
}
