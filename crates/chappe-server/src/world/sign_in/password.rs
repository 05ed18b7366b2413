//! Two-step verification: the server's side of SRP (core.telegram.org/api/srp).

use chappe_api::errors;
use chappe_crypto::{
    dh::Group,
    srp::{Algorithm, Challenge},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rusqlite::{OptionalExtension, params};

use super::recovery::is_email;
use crate::failure::{Outcome, Stop};
use crate::world::World;

/// How long a begun check is good, in seconds.
const LIFETIME: i32 = 600;

/// How many bytes of the first salt are the server's, and how many the client adds.
const SALT: (usize, usize) = (8, 32);

/// The longest hint, in characters.
const HINT_LENGTH: usize = 255;

/// What `account.getPassword` tells.
#[derive(Clone, Debug)]
pub(crate) struct PasswordForm {
    /// The current password, if there is one.
    pub(crate) current: Option<CurrentPassword>,
    /// The server's part of the first salt of a new password.
    pub(crate) new_salt1: Vec<u8>,
    /// The second salt of a new password.
    pub(crate) new_salt2: Vec<u8>,
    /// Random bytes for a client that has few.
    pub(crate) secure_random: [u8; 256],
    /// The recovery address that waits to be confirmed, masked.
    pub(crate) unconfirmed: Option<String>,
}

/// What a client needs to show that it knows the password.
#[derive(Clone, Debug)]
pub(crate) struct CurrentPassword {
    /// The first salt.
    pub(crate) salt1: Vec<u8>,
    /// The second salt.
    pub(crate) salt2: Vec<u8>,
    /// What the user wrote to remember it by.
    pub(crate) hint: String,
    /// Names this check.
    pub(crate) srp_id: i64,
    /// The server's public value of this check.
    pub(crate) srp_b: [u8; 256],
    /// Whether there is an address that recovery codes go to.
    pub(crate) has_recovery: bool,
    /// When it may be removed without being known, if that was asked for.
    pub(crate) reset_at: Option<i32>,
}

/// `InputCheckPasswordSRP`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PasswordProof<'a> {
    /// There is no password.
    Empty,
    /// The user knows it.
    Srp {
        /// Names the check.
        srp_id: i64,
        /// The client's public value.
        a: &'a [u8],
        /// The proof.
        m1: &'a [u8],
    },
}

/// What a password is replaced with.
#[derive(Clone, Debug)]
pub(crate) enum NewPassword {
    /// None.
    Removed,
    /// Another one.
    Set {
        /// The first salt.
        salt1: Vec<u8>,
        /// The second salt.
        salt2: Vec<u8>,
        /// The generator.
        g: i32,
        /// The prime.
        p: Vec<u8>,
        /// What checks it.
        verifier: Vec<u8>,
        /// What to remember it by.
        hint: String,
    },
}

impl NewPassword {
    /// One that was checked before it was kept.
    pub(in crate::world) fn known(
        salt1: Vec<u8>,
        salt2: Vec<u8>,
        verifier: Vec<u8>,
        hint: String,
    ) -> Self {
        let group = Group::known();
        Self::Set { salt1, salt2, g: group.g(), p: group.p().to_vec(), verifier, hint }
    }
}

/// What `account.updatePasswordSettings` changes.
#[derive(Clone, Debug)]
pub(crate) struct NewSettings {
    /// The password.
    pub(crate) password: Option<NewPassword>,
    /// The recovery address; empty for none.
    pub(crate) email: Option<String>,
}

/// A kept password.
pub(in crate::world) struct Kept {
    salt1: Vec<u8>,
    salt2: Vec<u8>,
    verifier: Vec<u8>,
    hint: String,
    /// Where recovery codes go.
    pub(in crate::world) email: Option<String>,
    /// When it may be removed without being known, if that was asked for.
    pub(in crate::world) reset_at: Option<i32>,
}

impl Kept {
    /// The server's half of the check that this seed makes. `None` if what is kept is damaged.
    fn challenge(&self, seed: [u8; 32]) -> Option<Challenge> {
        let algorithm = Algorithm {
            salt1: self.salt1.clone(),
            salt2: self.salt2.clone(),
            group: Group::known(),
        };
        Challenge::new(algorithm, &self.verifier, &mut ChaCha20Rng::from_seed(seed)).ok()
    }
}

impl World {
    /// Whether an account has a password.
    pub(crate) fn has_password(&self, user_id: i64) -> Outcome<bool> {
        Ok(self.kept(user_id)?.is_some())
    }

    /// Begins a check of a user's password on a key; with nobody there is none to check.
    pub(crate) fn begin_password(
        &mut self,
        now: i32,
        key_id: i64,
        user_id: Option<i64>,
    ) -> Outcome<PasswordForm> {
        let kept = match user_id {
            Some(user_id) => self.kept(user_id)?.map(|kept| (user_id, kept)),
            None => None,
        };
        let current = match kept {
            Some((user_id, kept)) => {
                let seed: [u8; 32] = self.random();
                let srp_id = i64::from_le_bytes(self.random());
                let challenge = kept.challenge(seed).ok_or(Stop::Undone)?;
                self.db
                    .prepare_cached(
                        "INSERT OR REPLACE INTO password_checks
                         (auth_key_id, user_id, srp_id, seed, begun) VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute(params![key_id, user_id, srp_id, seed.as_slice(), now])?;
                let srp_b = *challenge.b();
                let Kept { salt1, salt2, hint, email, reset_at, .. } = kept;
                let has_recovery = email.is_some();
                Some(CurrentPassword { salt1, salt2, hint, srp_id, srp_b, has_recovery, reset_at })
            }
            None => None,
        };
        let unconfirmed = match user_id {
            Some(user_id) => self.unconfirmed_email(user_id)?,
            None => None,
        };
        let secure_random = self.random();
        Ok(PasswordForm {
            current,
            new_salt1: self.meta("new_salt1")?,
            new_salt2: self.meta("new_salt2")?,
            secure_random,
            unconfirmed,
        })
    }

    /// Checks a proof. It uses the check up, whether it is right or not.
    pub(crate) fn check_password(
        &self,
        now: i32,
        key_id: i64,
        user_id: i64,
        proof: PasswordProof<'_>,
    ) -> Outcome<()> {
        let kept = self.kept(user_id)?;
        let (srp_id, a, m1) = match proof {
            PasswordProof::Empty if kept.is_none() => return Ok(()),
            PasswordProof::Empty => return Err(errors::PASSWORD_HASH_INVALID.into()),
            PasswordProof::Srp { srp_id, a, m1 } => (srp_id, a, m1),
        };
        let begun: Option<([u8; 32], bool)> = self
            .db
            .prepare_cached(
                "DELETE FROM password_checks
                 WHERE auth_key_id = ?1 AND user_id = ?2 AND srp_id = ?3 AND begun + ?4 > ?5
                 RETURNING seed, stale",
            )?
            .query_row(params![key_id, user_id, srp_id, LIFETIME, now], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let (seed, stale) = begun.ok_or(errors::SRP_ID_INVALID)?;
        let kept = kept.filter(|_| !stale).ok_or(errors::SRP_PASSWORD_CHANGED)?;
        let challenge = kept.challenge(seed).ok_or(Stop::Undone)?;
        challenge.verify(a, m1).map_err(|_| errors::PASSWORD_HASH_INVALID)?;
        Ok(())
    }

    /// Changes a user's settings. A new recovery address has to be confirmed before any of it comes
    /// into effect, which is told as a refusal although the settings are kept.
    /// (core.telegram.org/api/srp#email-verification)
    ///
    /// Assumed: whatever waited before is void.
    pub(crate) fn update_password_settings(
        &mut self,
        now: i32,
        user_id: i64,
        new: NewSettings,
    ) -> Outcome<()> {
        let NewSettings { password, email } = new;
        if let Some(password) = &password {
            self.check_new(password)?;
        }
        let kept = self.kept(user_id)?;
        let will_be_set = match &password {
            Some(password) => matches!(password, NewPassword::Set { .. }),
            None => kept.is_some(),
        };
        let current = kept.and_then(|kept| kept.email);
        let added = email.as_deref().filter(|email| !email.is_empty());
        // An address alone opens nothing.
        if !will_be_set && (password.is_none() || added.is_some()) {
            return Err(errors::NEW_SETTINGS_INVALID.into());
        }
        if added.is_some_and(|email| !is_email(email)) {
            return Err(errors::EMAIL_INVALID.into());
        }
        self.cancel_pending_settings(user_id)?;
        if let Some(added) = added.filter(|added| current.as_deref() != Some(*added)) {
            return self.hold_settings(now, user_id, password, added);
        }
        if let Some(password) = password {
            self.set_password(user_id, password)?;
        }
        if email.is_some_and(|email| email.is_empty()) {
            self.set_recovery_email(user_id, None)?;
        }
        Ok(())
    }

    /// Refuses a password that was not made as the server wants it.
    fn check_new(&self, new: &NewPassword) -> Outcome<()> {
        let NewPassword::Set { salt1, salt2, g, p, verifier, hint } = new else { return Ok(()) };
        let group = Group::known();
        let ours = self.meta("new_salt1")?;
        if salt1.len() != SALT.0 + SALT.1
            || !salt1.starts_with(&ours)
            || *salt2 != self.meta("new_salt2")?
        {
            return Err(errors::NEW_SALT_INVALID.into());
        }
        let foreign_group = *g != group.g() || *p != group.p();
        if foreign_group
            || verifier.len() != 256
            || group.check_public(verifier).is_err()
            || hint.chars().count() > HINT_LENGTH
        {
            return Err(errors::NEW_SETTINGS_INVALID.into());
        }
        Ok(())
    }

    /// Replaces a user's password. Every check that was begun for the old one is void, and so are
    /// a recovery and a reset that are under way, and settings that wait for their address. The
    /// recovery address stays, unless there is nothing left to recover.
    pub(crate) fn set_password(&self, user_id: i64, new: NewPassword) -> Outcome<()> {
        self.check_new(&new)?;
        match new {
            NewPassword::Removed => {
                self.db
                    .prepare_cached("DELETE FROM passwords WHERE user_id = ?1")?
                    .execute([user_id])?;
            }
            NewPassword::Set { salt1, salt2, verifier, hint, .. } => {
                self.db
                    .prepare_cached(
                        "INSERT INTO passwords (user_id, salt1, salt2, verifier, hint)
                         VALUES (?1, ?2, ?3, ?4, ?5)
                         ON CONFLICT (user_id) DO UPDATE SET salt1 = ?2, salt2 = ?3, verifier = ?4,
                           hint = ?5, reset_at = NULL",
                    )?
                    .execute(params![user_id, salt1, salt2, verifier, hint])?;
            }
        }
        self.cancel_pending_settings(user_id)?;
        self.db
            .prepare_cached("DELETE FROM password_recoveries WHERE user_id = ?1")?
            .execute([user_id])?;
        self.db
            .prepare_cached("UPDATE password_checks SET stale = 1 WHERE user_id = ?1")?
            .execute([user_id])?;
        Ok(())
    }

    /// Draws the server's part of the salts of new passwords, once for a world.
    pub(in crate::world) fn seed_password_salts(&mut self) -> Outcome<()> {
        let (salt1, salt2): ([u8; SALT.0], [u8; 16]) = (self.random(), self.random());
        self.db.execute(
            "INSERT INTO meta (name, value) VALUES ('new_salt1', ?1), ('new_salt2', ?2)",
            params![salt1.as_slice(), salt2.as_slice()],
        )?;
        Ok(())
    }

    /// The password of an account.
    pub(in crate::world) fn kept(&self, user_id: i64) -> Outcome<Option<Kept>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT salt1, salt2, verifier, hint, email, reset_at FROM passwords
                 WHERE user_id = ?1",
            )?
            .query_row([user_id], |row| {
                Ok(Kept {
                    salt1: row.get(0)?,
                    salt2: row.get(1)?,
                    verifier: row.get(2)?,
                    hint: row.get(3)?,
                    email: row.get(4)?,
                    reset_at: row.get(5)?,
                })
            })
            .optional()?)
    }

    fn meta(&self, name: &str) -> Outcome<Vec<u8>> {
        Ok(self
            .db
            .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
            .query_row([name], |row| row.get(0))?)
    }
}
