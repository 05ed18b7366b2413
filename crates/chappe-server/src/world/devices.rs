//! Auth keys and device sessions: which key is whose, from which device.

use std::net::{IpAddr, Ipv4Addr};

use chappe_api::errors;
use chappe_crypto::AuthKey;
use rusqlite::{OptionalExtension, Row, params};

use super::{Caller, World, places};
use crate::failure::Outcome;

/// How long a device session must exist before it may end others: 24 hours.
/// (core.telegram.org/method/account.resetAuthorization)
const FRESH_SECONDS: i32 = 24 * 60 * 60;

/// How old the last activity of a device session gets before a call refreshes it.
const ACTIVITY_STEP: i32 = 60;

/// Stands for an address that cannot be read.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// What the world knows of an auth key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyState {
    /// Whether the key is a temporary one.
    pub(crate) temporary: bool,
    /// The layer that it last announced.
    pub(crate) layer: Option<i32>,
    /// Whether `initConnection` was ever called with it.
    pub(crate) introduced: bool,
    /// Who is signed in with it.
    pub(crate) user_id: Option<i64>,
    /// Who gave the right code and still owes the password.
    pub(crate) pending_user_id: Option<i64>,
    /// When its session was last seen.
    pub(crate) active: i32,
}

/// What `initConnection` tells of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Device {
    /// The application.
    pub(crate) api_id: i32,
    /// The device.
    pub(crate) device_model: String,
    /// Its operating system.
    pub(crate) system_version: String,
    /// The application's version.
    pub(crate) app_version: String,
    /// The language of the operating system.
    pub(crate) system_lang_code: String,
    /// The language pack of an official application.
    pub(crate) lang_pack: String,
    /// The language of the application.
    pub(crate) lang_code: String,
}

/// One row of `account.getAuthorizations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    /// Names the session.
    pub(crate) hash: i64,
    /// Whether it is the one that asks.
    pub(crate) current: bool,
    /// From which device.
    pub(crate) device: Device,
    /// When it signed in.
    pub(crate) created: i32,
    /// When it was last seen.
    pub(crate) active: i32,
    /// From which address it signed in.
    pub(crate) ip: String,
    /// Where that is.
    pub(crate) place: places::Place,
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
        Self { hash, current, device, created, active, ip, place }
    }
}

impl Device {
    /// Reads the columns of a device, in the order of the fields.
    fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            api_id: row.get(first)?,
            device_model: row.get(first + 1)?,
            system_version: row.get(first + 2)?,
            app_version: row.get(first + 3)?,
            system_lang_code: row.get(first + 4)?,
            lang_pack: row.get(first + 5)?,
            lang_code: row.get(first + 6)?,
        })
    }
}

impl World {
    /// What a key told of its device.
    pub(super) fn device(&self, key_id: i64) -> Outcome<Device> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT ifnull(api_id, 0), device_model, system_version, app_version,
                        system_lang_code, lang_pack, lang_code
                 FROM auth_keys WHERE id = ?1",
            )?
            .query_row([key_id], |row| Device::read(row, 0))?)
    }

    /// Keeps a new key. When this is committed, the key survives the end of the process. Temporary
    /// keys whose time is over make room.
    pub(crate) fn add_key(&self, now: i32, key: &AuthKey, expires: Option<i32>) -> Outcome<()> {
        self.db.prepare_cached("DELETE FROM auth_keys WHERE expires <= ?1")?.execute([now])?;
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO auth_keys (id, key, created, expires)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![key.id(), key.as_bytes().as_slice(), now, expires])?;
        Ok(())
    }

    /// The key with this id, unless it is temporary and its time is over.
    pub(crate) fn key(&self, now: i32, id: i64) -> Outcome<Option<AuthKey>> {
        let bytes: Option<[u8; 256]> = self
            .db
            .prepare_cached(
                "SELECT key FROM auth_keys WHERE id = ?1 AND (expires IS NULL OR expires > ?2)",
            )?
            .query_row([id, i64::from(now)], |row| row.get(0))
            .optional()?;
        Ok(bytes.map(AuthKey::from_bytes))
    }

    /// Forgets a key and everything that hangs on it.
    pub(crate) fn forget_key(&self, id: i64) -> Outcome<()> {
        self.db.prepare_cached("DELETE FROM auth_keys WHERE id = ?1")?.execute([id])?;
        Ok(())
    }

    /// What is known of a key.
    pub(crate) fn key_state(&self, id: i64) -> Outcome<Option<KeyState>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT expires IS NOT NULL, layer, api_id IS NOT NULL, user_id, pending_user_id,
                        ifnull(active, 0)
                 FROM auth_keys LEFT JOIN authorizations ON auth_key_id = id WHERE id = ?1",
            )?
            .query_row([id], |row| {
                Ok(KeyState {
                    temporary: row.get(0)?,
                    layer: row.get(1)?,
                    introduced: row.get(2)?,
                    user_id: row.get(3)?,
                    pending_user_id: row.get(4)?,
                    active: row.get(5)?,
                })
            })
            .optional()?)
    }

    /// Writes down the layer that a key announced.
    pub(crate) fn set_layer(&self, key_id: i64, layer: i32) -> Outcome<()> {
        self.db
            .prepare_cached("UPDATE auth_keys SET layer = ?2 WHERE id = ?1 AND layer IS NOT ?2")?
            .execute(params![key_id, layer])?;
        Ok(())
    }

    /// Writes down the device that a key introduced.
    pub(crate) fn set_device(&self, key_id: i64, device: &Device) -> Outcome<()> {
        self.db
            .prepare_cached(
                "UPDATE auth_keys SET api_id = ?2, device_model = ?3, system_version = ?4,
                 app_version = ?5, system_lang_code = ?6, lang_pack = ?7, lang_code = ?8
                 WHERE id = ?1",
            )?
            .execute(params![
                key_id,
                device.api_id,
                device.device_model,
                device.system_version,
                device.app_version,
                device.system_lang_code,
                device.lang_pack,
                device.lang_code
            ])?;
        Ok(())
    }

    /// Refreshes when a device session was last seen, at most once a minute.
    pub(crate) fn touch(&self, now: i32, key_id: i64, state: &KeyState) -> Outcome<()> {
        if state.user_id.is_some() && now >= state.active.saturating_add(ACTIVITY_STEP) {
            self.db
                .prepare_cached("UPDATE authorizations SET active = ?2 WHERE auth_key_id = ?1")?
                .execute(params![key_id, now])?;
        }
        Ok(())
    }

    /// Signs a key in. Returns the hash of the device session.
    pub(crate) fn authorize(&mut self, now: i32, caller: Caller, user_id: i64) -> Outcome<i64> {
        let hash = match self.promised_hash(caller.auth_key_id, user_id)? {
            Some(hash) => hash,
            None => self.fresh_hash()?,
        };
        self.authorize_as(now, caller, user_id, hash)?;
        Ok(hash)
    }

    /// Signs a key in; the device session has this hash.
    pub(super) fn authorize_as(
        &self,
        now: i32,
        caller: Caller,
        user_id: i64,
        hash: i64,
    ) -> Outcome<()> {
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO authorizations
                 (auth_key_id, user_id, hash, created, active, ip)
                 VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
            )?
            .execute(params![caller.auth_key_id, user_id, hash, now, caller.ip.to_string()])?;
        self.set_pending(caller.auth_key_id, None)
    }

    /// Writes down who still owes a password on this key.
    pub(crate) fn set_pending(&self, key_id: i64, user_id: Option<i64>) -> Outcome<()> {
        self.db
            .prepare_cached("UPDATE auth_keys SET pending_user_id = ?2 WHERE id = ?1")?
            .execute(params![key_id, user_id])?;
        Ok(())
    }

    /// Signs a key out.
    pub(crate) fn sign_out(&self, key_id: i64) -> Outcome<()> {
        self.db
            .prepare_cached("DELETE FROM authorizations WHERE auth_key_id = ?1")?
            .execute([key_id])?;
        self.set_pending(key_id, None)
    }

    /// A user's device sessions, the current one first.
    pub(crate) fn authorizations(
        &self,
        user_id: i64,
        current_key: i64,
    ) -> Outcome<Vec<Authorization>> {
        let mut statement = self.db.prepare_cached(
            "SELECT hash, auth_key_id = ?2, a.created, active, ip, ifnull(api_id, 0), device_model,
                    system_version, app_version, system_lang_code, lang_pack, lang_code
             FROM authorizations a JOIN auth_keys ON id = auth_key_id
             WHERE user_id = ?1 ORDER BY auth_key_id = ?2 DESC, active DESC, hash",
        )?;
        let rows = statement.query_map([user_id, current_key], |row| {
            let ip: String = row.get(4)?;
            let (device, times) = (Device::read(row, 5)?, (row.get(2)?, row.get(3)?));
            Ok(Authorization::new(row.get(0)?, row.get(1)?, device, times, ip))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ends one other device session of a user. The current one is never named by a hash.
    pub(crate) fn reset_authorization(
        &self,
        now: i32,
        user_id: i64,
        current_key: i64,
        hash: i64,
    ) -> Outcome<()> {
        let key: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT auth_key_id FROM authorizations
                 WHERE user_id = ?1 AND hash = ?2 AND auth_key_id <> ?3",
            )?
            .query_row([user_id, hash, current_key], |row| row.get(0))
            .optional()?;
        let key = key.ok_or(errors::HASH_INVALID)?;
        self.refuse_fresh(now, current_key)?;
        self.sign_out(key)
    }

    /// Ends all other device sessions of a user.
    pub(crate) fn reset_authorizations(
        &self,
        now: i32,
        user_id: i64,
        current_key: i64,
    ) -> Outcome<()> {
        self.refuse_fresh(now, current_key)?;
        self.db
            .prepare_cached("DELETE FROM authorizations WHERE user_id = ?1 AND auth_key_id <> ?2")?
            .execute([user_id, current_key])?;
        Ok(())
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
