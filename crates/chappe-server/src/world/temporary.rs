//! Temporary keys: what they stand for once they are bound (core.telegram.org/api/pfs).

use chappe_api::errors;
use chappe_crypto::{Side, message_key};
use chappe_tl::{Decode, service::BindAuthKeyInner};
use rusqlite::{OptionalExtension, params};

use super::{Caller, World};
use crate::failure::Outcome;

/// The bytes in front of the message id in a message of MTProto 1.0: random ones, instead of a
/// salt and a session.
const RANDOM: usize = 16;

/// The bytes in front of the body.
const HEADER: usize = 32;

/// How much later than the key itself a binding may end, in seconds: a client counts from when it
/// asked for the key, by a clock of its own. Assumed: a few minutes.
const TOLERANCE: i32 = 300;

/// A request to bind a temporary key.
#[derive(Clone, Copy)]
pub(crate) struct Binding<'a> {
    /// The message id of the request.
    pub(crate) msg_id: i64,
    /// The permanent key.
    pub(crate) perm_auth_key_id: i64,
    /// A number that is repeated in the message.
    pub(crate) nonce: i64,
    /// When the binding ends, unix seconds.
    pub(crate) expires_at: i32,
    /// The proof that the caller holds the permanent key.
    pub(crate) encrypted_message: &'a [u8],
}

impl World {
    /// Lets a temporary key stand for a permanent one of the same data centre. From then on it
    /// has to introduce itself again.
    ///
    /// Several keys may stand for one. Observed: clients use one per session.
    pub(crate) fn bind(&mut self, now: i32, session: Caller, binding: Binding<'_>) -> Outcome<()> {
        let kept: Option<(Option<i32>, Option<i64>)> = self
            .db
            .prepare_cached("SELECT expires, perm_key_id FROM auth_keys WHERE id = ?1")?
            .query_row([session.auth_key_id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((Some(expires), bound)) = kept else {
            return Err(errors::TEMP_AUTH_KEY_EMPTY.into());
        };
        if binding.expires_at <= now || binding.expires_at > expires.saturating_add(TOLERANCE) {
            return Err(errors::EXPIRES_AT_INVALID.into());
        }
        if !self.proves(now, session, binding)? {
            return Err(errors::ENCRYPTED_MESSAGE_INVALID.into());
        }
        if bound.is_some_and(|bound| bound != binding.perm_auth_key_id) {
            return Err(errors::TEMP_AUTH_KEY_ALREADY_BOUND.into());
        }
        self.unbind(session.auth_key_id)?;
        self.db
            .prepare_cached("UPDATE auth_keys SET perm_key_id = ?2 WHERE id = ?1")?
            .execute([session.auth_key_id, binding.perm_auth_key_id])?;
        Ok(())
    }

    /// Takes the permanent key from a temporary one, and forgets what was introduced with it.
    pub(crate) fn unbind(&mut self, temporary: i64) -> Outcome<()> {
        self.db
            .prepare_cached(
                "UPDATE auth_keys SET perm_key_id = NULL, layer = NULL, api_id = NULL
                 WHERE id = ?1 AND expires IS NOT NULL",
            )?
            .execute([temporary])?;
        let sessions = (temporary, i64::MIN)..=(temporary, i64::MAX);
        for (_, session) in self.sessions.range_mut(sessions) {
            session.layer = None;
            session.updates = false;
        }
        Ok(())
    }

    /// Forgets the temporary keys of a permanent one, but not these; tells which.
    pub(crate) fn drop_temporary_keys(&self, perm: i64, except: &[i64]) -> Outcome<Vec<i64>> {
        let mut dropped = self.temporary_keys(perm)?;
        dropped.retain(|key| !except.contains(key));
        for key in &dropped {
            self.forget_key(*key)?;
        }
        Ok(dropped)
    }

    /// The temporary keys that stand for a permanent one.
    pub(super) fn temporary_keys(&self, perm: i64) -> Outcome<Vec<i64>> {
        let mut statement = self
            .db
            .prepare_cached("SELECT id FROM auth_keys WHERE perm_key_id = ?1 ORDER BY id")?;
        let keys = statement.query_map([perm], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    /// Whether the encrypted message was made with the permanent key, for this key, this session
    /// and this request. Assumed: its sequence number, which should be 0, is not looked at.
    fn proves(&self, now: i32, session: Caller, binding: Binding<'_>) -> Outcome<bool> {
        let Binding { msg_id, perm_auth_key_id, nonce, expires_at, encrypted_message } = binding;
        let is_permanent = self
            .db
            .prepare_cached("SELECT 1 FROM auth_keys WHERE id = ?1 AND expires IS NULL")?
            .exists(params![perm_auth_key_id])?;
        let key = self.key(now, session.dc, perm_auth_key_id)?.filter(|_| is_permanent);
        let Some(key) = key else { return Ok(false) };
        let mut packet = encrypted_message.to_vec();
        let Ok(plain) = message_key::open_v1(&key, Side::Client, &mut packet) else {
            return Ok(false);
        };
        let Some((header, body)) = plain.split_at_checked(HEADER) else { return Ok(false) };
        let sent_as = header[RANDOM..].first_chunk().map(|bytes| i64::from_le_bytes(*bytes));
        let expected = BindAuthKeyInner {
            nonce,
            temp_auth_key_id: session.auth_key_id,
            perm_auth_key_id,
            temp_session_id: session.session_id,
            expires_at,
        };
        let inner = BindAuthKeyInner::from_bytes(&bytes::Bytes::copy_from_slice(body));
        Ok(sent_as == Some(msg_id) && inner.is_ok_and(|inner| inner == expected))
    }
}
