//! Sign-in by a token that another device of the account accepts, which shows it as a QR code
//! (core.telegram.org/api/qr-login).

use chappe_api::errors;
use rusqlite::{OptionalExtension, params};

use crate::failure::Outcome;
use crate::world::{Authorization, Caller, World};

/// How long a token is good, in seconds. Observed: about 30.
const LIFETIME: i32 = 30;

/// How long the new device may take after another one accepted its token, in seconds.
/// Assumed: as long as for a code.
const ACCEPTED_LIFETIME: i32 = 300;

/// How many older tokens of a key stay good when it makes a new one: a picture of the last may be
/// on its way.
const MAX_OLDER: i32 = 8;

/// How far a token is done: a device session is to have its hash, or not any more.
const PROMISED: i64 = 1;
const OVER: i64 = 2;

/// The most accounts that a token is not for.
const MAX_EXCEPTIONS: usize = 100;

/// A token on its way.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LoginToken {
    /// What the other device must show.
    pub(crate) token: Vec<u8>,
    /// When it ends.
    pub(crate) expires: i32,
}

impl std::fmt::Debug for LoginToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginToken").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// How far a token got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenLogin {
    /// Another device must show it.
    Waiting(LoginToken),
    /// Signed in as this user.
    Done(i64),
    /// The user lives in another data centre: show it this token.
    Elsewhere(i32, Vec<u8>),
}

/// What accepting a token came to.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    /// The device session that begins.
    pub(crate) authorization: Authorization,
    /// Whether it still owes the password.
    pub(crate) password_pending: bool,
    /// The key that waits for it.
    pub(crate) auth_key_id: i64,
}

/// A kept token.
struct Kept {
    auth_key_id: i64,
    expires: i32,
    exceptions: Vec<u8>,
    ip: String,
    accepted_by: Option<i64>,
    hash: Option<i64>,
    done: bool,
    dc: Option<i32>,
}

impl Kept {
    /// Whether the account is one of those that the new device has already.
    fn is_not_for(&self, user_id: i64) -> bool {
        self.exceptions.chunks_exact(8).any(|id| id == user_id.to_le_bytes())
    }
}

impl World {
    /// Makes a token for a key, or signs the key in with the one that was accepted.
    pub(crate) fn export_login_token(
        &mut self,
        now: i32,
        caller: Caller,
        exceptions: &[i64],
    ) -> Outcome<TokenLogin> {
        if exceptions.len() > MAX_EXCEPTIONS {
            return Err(errors::LIMIT_INVALID.into());
        }
        let accepted: Option<Vec<u8>> = self
            .db
            .prepare_cached(
                "SELECT token FROM login_tokens
                 WHERE auth_key_id = ?1 AND accepted_by IS NOT NULL AND NOT done AND expires > ?2",
            )?
            .query_row([caller.auth_key_id, i64::from(now)], |row| row.get(0))
            .optional()?;
        if let Some(token) = accepted {
            return self.finish_login_token(now, caller, &token);
        }
        // What is over is remembered for a while, so that it is refused by its name.
        self.db
            .prepare_cached("DELETE FROM login_tokens WHERE expires <= ?1")?
            .execute([now.saturating_sub(ACCEPTED_LIFETIME)])?;
        self.db
            .prepare_cached(
                "DELETE FROM login_tokens WHERE auth_key_id = ?1 AND NOT done AND token NOT IN (
                   SELECT token FROM login_tokens WHERE auth_key_id = ?1 AND NOT done
                   ORDER BY expires DESC LIMIT ?2)",
            )?
            .execute(params![caller.auth_key_id, MAX_OLDER])?;
        let token = self.random::<32>().to_vec();
        let expires = now.saturating_add(LIFETIME);
        let exceptions: Vec<u8> = exceptions.iter().flat_map(|id| id.to_le_bytes()).collect();
        self.db
            .prepare_cached(
                "INSERT INTO login_tokens (token, auth_key_id, expires, exceptions, ip)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                token,
                caller.auth_key_id,
                expires,
                exceptions,
                caller.ip.to_string()
            ])?;
        Ok(TokenLogin::Waiting(LoginToken { token, expires }))
    }

    /// Takes a token that this client was sent to this data centre with, or looks again after one
    /// that this key was given.
    pub(crate) fn import_login_token(
        &mut self,
        now: i32,
        caller: Caller,
        token: &[u8],
    ) -> Outcome<TokenLogin> {
        let kept = self.login_token(token)?.filter(|kept| match kept.dc {
            Some(dc) => dc == caller.dc,
            None => kept.auth_key_id == caller.auth_key_id,
        });
        let kept = kept.ok_or(errors::AUTH_TOKEN_INVALID)?;
        if kept.expires <= now {
            return Err(errors::AUTH_TOKEN_EXPIRED.into());
        }
        if kept.done {
            return Err(errors::AUTH_TOKEN_ALREADY_ACCEPTED.into());
        }
        if kept.accepted_by.is_none() {
            let (token, expires) = (token.to_vec(), kept.expires);
            return Ok(TokenLogin::Waiting(LoginToken { token, expires }));
        }
        self.finish_login_token(now, caller, token)
    }

    /// Lets the device that shows a token in to a user's account.
    pub(crate) fn accept_login_token(
        &mut self,
        now: i32,
        caller: Caller,
        user_id: i64,
        token: &[u8],
    ) -> Outcome<Accepted> {
        let kept = self.login_token(token)?.ok_or(errors::AUTH_TOKEN_INVALIDX)?;
        if kept.accepted_by.is_some() {
            return Err(errors::AUTH_TOKEN_ALREADY_ACCEPTED.into());
        }
        if kept.expires <= now {
            return Err(errors::AUTH_TOKEN_EXPIRED.into());
        }
        // Assumed: these are what the documentation calls an error while importing the token.
        if kept.auth_key_id == caller.auth_key_id || kept.is_not_for(user_id) {
            return Err(errors::AUTH_TOKEN_EXCEPTION.into());
        }
        let hash = self.fresh_hash()?;
        self.db
            .prepare_cached(
                "UPDATE login_tokens SET accepted_by = ?2, hash = ?3, expires = ?4
                 WHERE token = ?1",
            )?
            .execute(params![token, user_id, hash, now.saturating_add(ACCEPTED_LIFETIME)])?;
        let device = self.device(kept.auth_key_id)?;
        Ok(Accepted {
            authorization: Authorization::new(hash, false, device, (now, now), kept.ip),
            password_pending: self.has_password(user_id)?,
            auth_key_id: kept.auth_key_id,
        })
    }

    /// Signs a key in with an accepted token, or asks for the password first. In a data centre
    /// where the user does not live, sends it on with another token, which nobody has seen.
    fn finish_login_token(
        &mut self,
        now: i32,
        caller: Caller,
        token: &[u8],
    ) -> Outcome<TokenLogin> {
        let kept = self.login_token(token)?.ok_or(errors::AUTH_TOKEN_INVALID)?;
        let (Some(user_id), Some(hash)) = (kept.accepted_by, kept.hash) else {
            return Err(errors::AUTH_TOKEN_INVALID.into());
        };
        let home = match self.user(user_id)? {
            Some(user) => self.home(&user),
            None => return Err(errors::AUTH_TOKEN_INVALID.into()),
        };
        if home != caller.dc {
            if kept.dc == Some(home) {
                return Ok(TokenLogin::Elsewhere(home, token.to_vec()));
            }
            let next = self.random::<32>().to_vec();
            self.db
                .prepare_cached("UPDATE login_tokens SET token = ?2, dc = ?3 WHERE token = ?1")?
                .execute(params![token, next, home])?;
            return Ok(TokenLogin::Elsewhere(home, next));
        }
        // What it was shown with is forgotten: the device session is that of the key here.
        self.db
            .prepare_cached(
                "UPDATE login_tokens SET done = ?3, dc = NULL, auth_key_id = ?2 WHERE token = ?1",
            )?
            .execute(params![token, caller.auth_key_id, PROMISED])?;
        self.db
            .prepare_cached("DELETE FROM login_tokens WHERE auth_key_id = ?1 AND NOT done")?
            .execute([caller.auth_key_id])?;
        if self.has_password(user_id)? {
            self.owe_password(now, caller, user_id)?;
            return Err(errors::SESSION_PASSWORD_NEEDED.into());
        }
        self.authorize_as(now, caller, user_id, (hash, true))?;
        Ok(TokenLogin::Done(user_id))
    }

    /// The hash that was told to the device that let this key in, if it has not been used yet.
    pub(in crate::world) fn promised_hash(
        &self,
        key_id: i64,
        user_id: i64,
    ) -> Outcome<Option<i64>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT hash FROM login_tokens
                 WHERE auth_key_id = ?1 AND accepted_by = ?2 AND done = ?3
                 ORDER BY expires DESC",
            )?
            .query_row([key_id, user_id, PROMISED], |row| row.get(0))
            .optional()?)
    }

    /// Forgets what was promised to a key: it is kept, or nobody waits for it any more.
    pub(in crate::world) fn end_promises(&self, key_id: i64) -> Outcome<()> {
        self.db
            .prepare_cached("UPDATE login_tokens SET done = ?2 WHERE auth_key_id = ?1 AND done")?
            .execute([key_id, OVER])?;
        Ok(())
    }

    fn login_token(&self, token: &[u8]) -> Outcome<Option<Kept>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT auth_key_id, expires, exceptions, ip, accepted_by, hash, done, dc
                 FROM login_tokens WHERE token = ?1",
            )?
            .query_row([token], |row| {
                Ok(Kept {
                    auth_key_id: row.get(0)?,
                    expires: row.get(1)?,
                    exceptions: row.get(2)?,
                    ip: row.get(3)?,
                    accepted_by: row.get(4)?,
                    hash: row.get(5)?,
                    done: row.get(6)?,
                    dc: row.get(7)?,
                })
            })
            .optional()?)
    }
}
