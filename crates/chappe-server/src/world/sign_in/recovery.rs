//! A password that is forgotten: the recovery address, codes to it, and the reset for who is still
//! signed in (core.telegram.org/api/srp).

use chappe_api::errors;
use rand_core::Rng;
use rusqlite::{OptionalExtension, params};
use subtle::ConstantTimeEq;

use super::password::NewPassword;
use crate::world::World;
use crate::{
    failure::{Failure, Outcome},
    letters::{Subject, Way},
};

/// The digits of a code that goes to a recovery address. Observed: `EMAIL_UNCONFIRMED_6`.
const CODE_LENGTH: usize = 6;

/// How many wrong tries a code bears. Assumed: as many as a login code.
const TRIES: i32 = 5;

/// How long a code is good, in seconds. Assumed: a quarter of an hour.
const LIFETIME: i32 = 900;

/// How long a password stays that its owner does not know and wants removed, in seconds: a week.
/// (core.telegram.org/api/srp#password-reset)
const RESET_WAIT: i32 = 7 * 24 * 60 * 60;

/// How long a removal cannot be asked for again after one was declined, in seconds. Assumed: a day.
const RESET_AGAIN: i32 = 24 * 60 * 60;

/// The longest address. (RFC 5321, 4.5.3.1.3, without the angle brackets)
const EMAIL_LENGTH: usize = 254;

/// What asking for the removal of a password comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reset {
    /// It is removed.
    Done,
    /// It can be removed from this time on.
    Requested(i32),
    /// One was declined lately: it can be asked for again from this time on.
    Refused(i32),
}

/// A code on its way to a recovery address.
struct Code {
    code: String,
    sent: i32,
    tries_left: i32,
}

impl Code {
    /// Whether it may still be tried.
    fn is_good(&self, now: i32) -> bool {
        self.tries_left > 0 && self.sent.saturating_add(LIFETIME) > now
    }

    fn is(&self, code: &str) -> bool {
        self.code.as_bytes().ct_eq(code.as_bytes()).into()
    }
}

impl World {
    /// The recovery address of an account, once it is confirmed.
    pub(crate) fn recovery_email(&self, user_id: i64) -> Outcome<Option<String>> {
        Ok(self.kept(user_id)?.and_then(|kept| kept.email))
    }

    /// The recovery address that waits to be confirmed, masked.
    pub(in crate::world) fn unconfirmed_email(&self, user_id: i64) -> Outcome<Option<String>> {
        let email: Option<String> = self
            .db
            .prepare_cached("SELECT email FROM pending_password_settings WHERE user_id = ?1")?
            .query_row([user_id], |row| row.get(0))
            .optional()?;
        Ok(email.map(|email| masked(&email)))
    }

    /// Keeps settings until their address is confirmed, and sends the code to it.
    pub(in crate::world) fn hold_settings(
        &mut self,
        now: i32,
        user_id: i64,
        password: Option<NewPassword>,
        email: &str,
    ) -> Outcome<()> {
        let (salt1, salt2, verifier, hint) = match password {
            Some(NewPassword::Set { salt1, salt2, verifier, hint, .. }) => {
                (Some(salt1), Some(salt2), Some(verifier), Some(hint))
            }
            Some(NewPassword::Removed) | None => (None, None, None, None),
        };
        let code = self.email_code();
        self.db
            .prepare_cached(
                "INSERT INTO pending_password_settings
                 (user_id, email, code, sent, tries_left, salt1, salt2, verifier, hint)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![user_id, email, code, now, TRIES, salt1, salt2, verifier, hint])?;
        self.send_letter(now, Way::Email, email, Subject::RecoveryEmail, &code)?;
        let length = i64::try_from(code.len()).unwrap_or(i64::MAX);
        Err(Failure::valued(errors::EMAIL_UNCONFIRMED_X, length).into())
    }

    /// Takes the code of a new recovery address: the settings that waited for it are in effect.
    pub(crate) fn confirm_email(&self, now: i32, user_id: i64, code: &str) -> Outcome<()> {
        let sent = self.pending_code(user_id)?.filter(|sent| sent.is_good(now));
        let sent = sent.ok_or(errors::EMAIL_HASH_EXPIRED)?;
        if !sent.is(code) {
            self.db
                .prepare_cached(
                    "UPDATE pending_password_settings SET tries_left = tries_left - 1
                     WHERE user_id = ?1",
                )?
                .execute([user_id])?;
            return Err(match sent.tries_left {
                ..=1 => errors::EMAIL_HASH_EXPIRED,
                _ => errors::CODE_INVALID,
            }
            .into());
        }
        let (email, password) = self
            .db
            .prepare_cached(
                "SELECT email, salt1, salt2, verifier, hint FROM pending_password_settings
                 WHERE user_id = ?1",
            )?
            .query_row([user_id], |row| {
                let salt1: Option<Vec<u8>> = row.get(1)?;
                let password = match salt1 {
                    Some(salt1) => {
                        Some(NewPassword::known(salt1, row.get(2)?, row.get(3)?, row.get(4)?))
                    }
                    None => None,
                };
                Ok((row.get::<_, String>(0)?, password))
            })?;
        self.cancel_pending_settings(user_id)?;
        if let Some(password) = password {
            self.set_password(user_id, password)?;
        }
        self.set_recovery_email(user_id, Some(&email))
    }

    /// Sends another code to the address that waits to be confirmed.
    pub(crate) fn resend_email(&mut self, now: i32, user_id: i64) -> Outcome<()> {
        let code = self.email_code();
        let email: Option<String> = self
            .db
            .prepare_cached(
                "UPDATE pending_password_settings SET code = ?2, sent = ?3, tries_left = ?4
                 WHERE user_id = ?1 RETURNING email",
            )?
            .query_row(params![user_id, code, now, TRIES], |row| row.get(0))
            .optional()?;
        let email = email.ok_or(errors::EMAIL_HASH_EXPIRED)?;
        self.send_letter(now, Way::Email, &email, Subject::RecoveryEmail, &code)
    }

    /// Gives up the settings that wait for their address.
    pub(crate) fn cancel_email(&self, user_id: i64) -> Outcome<()> {
        match self.cancel_pending_settings(user_id)? {
            true => Ok(()),
            false => Err(errors::EMAIL_HASH_EXPIRED.into()),
        }
    }

    /// Makes settings void that wait for their address; tells whether there were any.
    pub(in crate::world) fn cancel_pending_settings(&self, user_id: i64) -> Outcome<bool> {
        let gone = self
            .db
            .prepare_cached("DELETE FROM pending_password_settings WHERE user_id = ?1")?
            .execute([user_id])?;
        Ok(gone > 0)
    }

    /// Sets where recovery codes go; the account must have a password.
    pub(in crate::world) fn set_recovery_email(
        &self,
        user_id: i64,
        email: Option<&str>,
    ) -> Outcome<()> {
        self.db
            .prepare_cached("UPDATE passwords SET email = ?2 WHERE user_id = ?1")?
            .execute(params![user_id, email])?;
        Ok(())
    }

    /// Sends a recovery code; tells where it went, masked. A code that is still good is sent once
    /// more and keeps its tries. One that was tried too often keeps everybody waiting, or codes
    /// could be tried without end.
    pub(crate) fn request_recovery(&mut self, now: i32, user_id: i64) -> Outcome<String> {
        let kept = self.kept(user_id)?.ok_or(errors::PASSWORD_EMPTY)?;
        let email = kept.email.ok_or(errors::PASSWORD_RECOVERY_NA)?;
        let sent = self.recovery(user_id)?;
        let sent = sent.filter(|sent| sent.sent.saturating_add(LIFETIME) > now);
        let (code, tries_left) = match sent {
            Some(sent) if sent.tries_left <= 0 => {
                let wait = sent.sent.saturating_add(LIFETIME) - now;
                return Err(Failure::valued(errors::FLOOD_WAIT_X, wait.into()).into());
            }
            Some(sent) => (sent.code, sent.tries_left),
            None => (self.email_code(), TRIES),
        };
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO password_recoveries (user_id, code, sent, tries_left)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![user_id, code, now, tries_left])?;
        self.send_letter(now, Way::Email, &email, Subject::PasswordRecovery, &code)?;
        Ok(masked(&email))
    }

    /// Checks a recovery code. The right one stays good.
    pub(crate) fn check_recovery(&self, now: i32, user_id: i64, code: &str) -> Outcome<()> {
        if code.is_empty() {
            return Err(errors::CODE_EMPTY.into());
        }
        let sent = self.recovery(user_id)?.filter(|sent| sent.is_good(now));
        let sent = sent.ok_or(errors::PASSWORD_RECOVERY_EXPIRED)?;
        if sent.is(code) {
            return Ok(());
        }
        self.db
            .prepare_cached(
                "UPDATE password_recoveries SET tries_left = tries_left - 1 WHERE user_id = ?1",
            )?
            .execute([user_id])?;
        // Observed: official clients know this name here, which the documentation does not list.
        Err(match sent.tries_left {
            ..=1 => errors::PASSWORD_RECOVERY_EXPIRED,
            _ => errors::CODE_INVALID,
        }
        .into())
    }

    /// Takes a recovery code and replaces the password, or removes it. The code is used up.
    pub(crate) fn recover(
        &self,
        now: i32,
        user_id: i64,
        code: &str,
        new: NewPassword,
    ) -> Outcome<()> {
        self.check_recovery(now, user_id, code)?;
        self.set_password(user_id, new)
    }

    /// Removes a password that its owner does not know, a week after that was asked for.
    pub(crate) fn reset_password(&self, now: i32, user_id: i64) -> Outcome<Reset> {
        let kept = self.kept(user_id)?.ok_or(errors::PASSWORD_EMPTY)?;
        match kept.reset_at {
            Some(at) if at <= now => {
                self.set_password(user_id, NewPassword::Removed)?;
                return Ok(Reset::Done);
            }
            Some(at) => return Ok(Reset::Requested(at)),
            None => {}
        }
        let again: i32 = self
            .db
            .prepare_cached("SELECT no_password_reset_until FROM users WHERE id = ?1")?
            .query_row([user_id], |row| row.get(0))?;
        if again > now {
            return Ok(Reset::Refused(again));
        }
        let at = now.saturating_add(RESET_WAIT);
        self.db
            .prepare_cached("UPDATE passwords SET reset_at = ?2 WHERE user_id = ?1")?
            .execute(params![user_id, at])?;
        Ok(Reset::Requested(at))
    }

    /// Declines the removal that was asked for.
    pub(crate) fn decline_reset(&self, now: i32, user_id: i64) -> Outcome<()> {
        let declined = self
            .db
            .prepare_cached(
                "UPDATE passwords SET reset_at = NULL
                 WHERE user_id = ?1 AND reset_at IS NOT NULL",
            )?
            .execute([user_id])?;
        if declined == 0 {
            return Err(errors::RESET_REQUEST_MISSING.into());
        }
        self.db
            .prepare_cached("UPDATE users SET no_password_reset_until = ?2 WHERE id = ?1")?
            .execute(params![user_id, now.saturating_add(RESET_AGAIN)])?;
        Ok(())
    }

    fn pending_code(&self, user_id: i64) -> Outcome<Option<Code>> {
        self.code(
            "SELECT code, sent, tries_left FROM pending_password_settings WHERE user_id = ?1",
            user_id,
        )
    }

    fn recovery(&self, user_id: i64) -> Outcome<Option<Code>> {
        self.code(
            "SELECT code, sent, tries_left FROM password_recoveries WHERE user_id = ?1",
            user_id,
        )
    }

    fn code(&self, statement: &str, user_id: i64) -> Outcome<Option<Code>> {
        Ok(self
            .db
            .prepare_cached(statement)?
            .query_row([user_id], |row| {
                Ok(Code { code: row.get(0)?, sent: row.get(1)?, tries_left: row.get(2)? })
            })
            .optional()?)
    }

    /// Draws a code for an address.
    pub(in crate::world) fn email_code(&mut self) -> String {
        (0..CODE_LENGTH).map(|_| char::from(b'0' + (self.rng.next_u32() % 10) as u8)).collect()
    }
}

/// Whether letters can go there, as far as that can be told from its form.
pub(in crate::world) fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let plain = |text: &str| {
        !text.is_empty()
            && !text.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control())
    };
    let dotted = domain.split('.').count() > 1 && domain.split('.').all(|label| !label.is_empty());
    text.len() <= EMAIL_LENGTH && plain(name) && plain(domain) && dotted
}

/// An address as strangers may see it: the ends of the name, unless that is all of it, and the
/// domain.
pub(in crate::world) fn masked(email: &str) -> String {
    let (name, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    let mut ends = name.chars();
    let (first, last) = (ends.next(), ends.next_back().filter(|_| ends.next().is_some()));
    let end = |end: Option<char>| end.map(String::from).unwrap_or_default();
    format!("{}***{}@{domain}", end(first), end(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_address_does_not_tell_its_name() {
        for (email, expected) in [
            ("claude@example.com", "c***e@example.com"),
            ("abc@example.com", "a***c@example.com"),
            ("ab@example.com", "a***@example.com"),
            ("a@example.com", "a***@example.com"),
            ("жук@пример.рф", "ж***к@пример.рф"),
        ] {
            assert!(is_email(email), "{email}");
            assert_eq!(masked(email), expected);
        }
    }
}
