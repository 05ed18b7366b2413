//! Auth keys: what each stands for, which device holds it, and whether it is still good.

use chappe_crypto::AuthKey;
use rusqlite::{
    OptionalExtension, Row, ToSql, params,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

use super::World;
use crate::failure::Outcome;

/// What the world knows of an auth key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyState {
    /// The permanent key: itself, or the one that it is bound to. `None` for a temporary key that
    /// is not bound.
    pub(crate) stands_for: Option<i64>,
    /// When a temporary key ends.
    pub(crate) expires: Option<i32>,
    /// The layer that it last announced.
    pub(crate) layer: Option<i32>,
    /// Whether `initConnection` was ever called with it.
    pub(crate) introduced: bool,
    /// Who is signed in with it.
    pub(crate) user_id: Option<i64>,
    /// The key that signed in: itself, or the one of another data centre that it was imported
    /// from.
    pub(crate) home_key_id: Option<i64>,
    /// Who gave the right code and still owes the password.
    pub(crate) pending_user_id: Option<i64>,
    /// When its session was last seen.
    pub(crate) active: i32,
    /// Why it is good for nothing any more.
    pub(crate) void: Option<Void>,
}

impl KeyState {
    /// Whether the device session lives in another data centre.
    pub(crate) fn is_imported(&self) -> bool {
        self.home_key_id.is_some() && self.home_key_id != self.stands_for
    }
}

/// Why a key is good for nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Void {
    /// Another device ended its session.
    Revoked,
    /// Its user was deleted.
    Deactivated,
    /// It was used from two places at once.
    Duplicated,
    /// Its session was not used for too long.
    Expired,
}

impl ToSql for Void {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Revoked => "revoked",
            Self::Deactivated => "deactivated",
            Self::Duplicated => "duplicated",
            Self::Expired => "expired",
        }
        .into())
    }
}

impl FromSql for Void {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "revoked" => Ok(Self::Revoked),
            "deactivated" => Ok(Self::Deactivated),
            "duplicated" => Ok(Self::Duplicated),
            "expired" => Ok(Self::Expired),
            _ => Err(FromSqlError::InvalidType),
        }
    }
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

impl Device {
    /// Reads the columns of a device, in the order of the fields.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
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
    pub(crate) fn add_key(
        &self,
        now: i32,
        dc: i32,
        key: &AuthKey,
        expires: Option<i32>,
    ) -> Outcome<()> {
        self.db.prepare_cached("DELETE FROM auth_keys WHERE expires <= ?1")?.execute([now])?;
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO auth_keys (id, key, created, expires, dc)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![key.id(), key.as_bytes().as_slice(), now, expires, dc])?;
        Ok(())
    }

    /// The key of a data centre with this id, unless it is temporary and its time is over.
    pub(crate) fn key(&self, now: i32, dc: i32, id: i64) -> Outcome<Option<AuthKey>> {
        let bytes: Option<[u8; 256]> = self
            .db
            .prepare_cached(
                "SELECT key FROM auth_keys
                 WHERE id = ?1 AND dc = ?2 AND (expires IS NULL OR expires > ?3)",
            )?
            .query_row(params![id, dc, now], |row| row.get(0))
            .optional()?;
        Ok(bytes.map(AuthKey::from_bytes))
    }

    /// Forgets a key and everything that hangs on it; tells which temporary keys that is.
    pub(crate) fn forget_key(&self, id: i64) -> Outcome<Vec<i64>> {
        let bound = self.temporary_keys(id)?;
        self.db.prepare_cached("DELETE FROM auth_keys WHERE id = ?1")?.execute([id])?;
        Ok(bound)
    }

    /// What is known of a key.
    pub(crate) fn key_state(&self, id: i64) -> Outcome<Option<KeyState>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT perm.id, k.expires, k.layer, k.api_id IS NOT NULL, user_id,
                        home.auth_key_id, perm.pending_user_id, ifnull(active, 0), perm.void
                 FROM auth_keys k
                 LEFT JOIN auth_keys perm ON perm.id = iif(k.expires IS NULL, k.id, k.perm_key_id)
                 LEFT JOIN imported_authorizations imported ON imported.auth_key_id = perm.id
                 LEFT JOIN authorizations home
                   ON home.auth_key_id = ifnull(imported.home_key_id, perm.id)
                 WHERE k.id = ?1",
            )?
            .query_row([id], |row| {
                Ok(KeyState {
                    stands_for: row.get(0)?,
                    expires: row.get(1)?,
                    layer: row.get(2)?,
                    introduced: row.get(3)?,
                    user_id: row.get(4)?,
                    home_key_id: row.get(5)?,
                    pending_user_id: row.get(6)?,
                    active: row.get(7)?,
                    void: row.get(8)?,
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

    /// Writes down the device that a key introduced: for itself, and for the key that it stands
    /// for.
    pub(crate) fn set_device(&self, key_id: i64, device: &Device) -> Outcome<()> {
        self.db
            .prepare_cached(
                "UPDATE auth_keys SET api_id = ?2, device_model = ?3, system_version = ?4,
                 app_version = ?5, system_lang_code = ?6, lang_pack = ?7, lang_code = ?8
                 WHERE id = ?1 OR id = (SELECT perm_key_id FROM auth_keys WHERE id = ?1)",
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

    /// Makes a key, the key that it stands for, and all keys that its device session was imported
    /// to, good for nothing; the device session is over.
    pub(crate) fn void_key(&self, id: i64, reason: Void) -> Outcome<()> {
        let key: Option<i64> = self
            .db
            .prepare_cached("SELECT ifnull(perm_key_id, id) FROM auth_keys WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let Some(key) = key else { return Ok(()) };
        self.db
            .prepare_cached(
                "UPDATE auth_keys SET void = ?2 WHERE id = ?1 OR id IN (
                   SELECT auth_key_id FROM imported_authorizations WHERE home_key_id = ?1)",
            )?
            .execute(params![key, reason])?;
        self.sign_out(key)
    }

    /// Makes a key good again: somebody signs in with it.
    pub(super) fn restore(&self, key_id: i64) -> Outcome<()> {
        self.db
            .prepare_cached("UPDATE auth_keys SET void = NULL WHERE id = ?1 AND void IS NOT NULL")?
            .execute([key_id])?;
        Ok(())
    }
}
