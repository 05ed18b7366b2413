//! Login by email (core.telegram.org/api/auth#email-verification).

use chappe_api::errors;
use rusqlite::{OptionalExtension, params};
use subtle::ConstantTimeEq;

use super::{
    Stage,
    recovery::{is_email, masked},
    way::MailboxReset,
};
use crate::world::{Caller, SentCode, World};
use crate::{
    failure::Outcome,
    letters::{Subject, Way},
    numbers::Number,
};

/// How many wrong codes one letter bears.
const TRIES: i32 = 5;

/// How long the code of a letter is good, in seconds.
const LIFETIME: i32 = 300;

/// How long the reset of a mailbox takes, in seconds: a week. Assumed: the number is Telegram's.
const RESET: i32 = 7 * 86_400;

/// Where no mailbox can be (RFC 2606).
const NOWHERE: &str = "invalid";

/// The mailbox that the codes of a number go to.
pub(in crate::world) struct LoginEmail {
    /// Its address.
    pub(in crate::world) email: String,
    /// When it will be forgotten.
    reset: Option<i32>,
}

impl LoginEmail {
    /// When it can be forgotten.
    pub(in crate::world) fn reset(&self, order: &Number) -> MailboxReset {
        match self.reset {
            Some(date) => MailboxReset::Due(date),
            None => MailboxReset::Takes(period(order)),
        }
    }
}

fn period(order: &Number) -> i32 {
    order.email_reset.map_or(RESET, |seconds| i32::try_from(seconds).unwrap_or(i32::MAX))
}

/// What a mailbox is shown for.
#[derive(Clone, Copy)]
pub(crate) enum EmailPurpose<'a> {
    /// To go on with the sign-in that has this number and hash.
    SetUp(&'a str, &'a str),
    /// To replace the one of this user.
    Change(i64),
}

/// A mailbox that was shown to be the user's.
#[derive(Debug)]
pub(crate) struct EmailVerified {
    /// Its address.
    pub(crate) email: String,
    /// The code that went there, if somebody is to sign in with it.
    pub(crate) sent: Option<SentCode>,
}

/// Reads an email address. Where letters are kept, and who they are for, capitals do not matter.
pub(crate) fn email_address(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| is_email(text)).map(str::to_lowercase)
}

impl World {
    /// The mailbox that the codes of a number go to. One whose reset is due is forgotten.
    pub(in crate::world) fn login_email(
        &self,
        now: i32,
        phone: &str,
    ) -> Outcome<Option<LoginEmail>> {
        self.db
            .prepare_cached("DELETE FROM login_emails WHERE phone = ?1 AND reset <= ?2")?
            .execute(params![phone, now])?;
        Ok(self
            .db
            .prepare_cached("SELECT email, reset FROM login_emails WHERE phone = ?1")?
            .query_row([phone], |row| Ok(LoginEmail { email: row.get(0)?, reset: row.get(1)? }))
            .optional()?)
    }

    /// Sets where the codes of a number go.
    pub(in crate::world) fn set_login_email(
        &self,
        phone: &str,
        email: Option<&str>,
    ) -> rusqlite::Result<()> {
        match email {
            Some(email) => self
                .db
                .prepare_cached(
                    "INSERT OR REPLACE INTO login_emails (phone, email) VALUES (?1, ?2)",
                )?
                .execute([phone, &email.to_lowercase()])?,
            None => self
                .db
                .prepare_cached("DELETE FROM login_emails WHERE phone = ?1")?
                .execute([phone])?,
        };
        Ok(())
    }

    /// What a user may see of the mailbox that the codes of a number go to.
    pub(crate) fn login_email_pattern(&self, now: i32, phone: &str) -> Outcome<Option<String>> {
        Ok(self.login_email(now, phone)?.map(|mailbox| masked(&mailbox.email)))
    }

    /// Forgets the mailbox that a code went to, and sends the code another way: at once, or, if that
    /// takes its time, when it is over and somebody asks again.
    pub(crate) fn reset_login_email(
        &mut self,
        now: i32,
        caller: Caller,
        phone: &str,
        hash: &str,
    ) -> Outcome<SentCode> {
        let mut pending = self.pending(now, caller, phone, hash)?;
        if pending.way() != Some(Way::Email) {
            return Err(errors::EMAIL_INSTALL_MISSING.into());
        }
        let order = self.order(&pending.phone)?;
        match self.login_email(now, &pending.phone)?.map(|mailbox| mailbox.reset(&order)) {
            Some(MailboxReset::Due(_)) => return Err(errors::TASK_ALREADY_EXISTS.into()),
            Some(MailboxReset::Takes(period @ 1..)) => {
                self.db
                    .prepare_cached("UPDATE login_emails SET reset = ?2 WHERE phone = ?1")?
                    .execute(params![pending.phone, now.saturating_add(period)])?;
            }
            Some(MailboxReset::Takes(_)) | None => {
                self.set_login_email(&pending.phone, None)?;
                pending.ways.remove(0);
            }
        }
        self.deliver(now, hash, &pending, &order)
    }

    /// Sends a letter that shows whose a mailbox is; tells the pattern of its address and the length
    /// of its code.
    pub(crate) fn send_email_check(
        &mut self,
        now: i32,
        caller: Caller,
        purpose: EmailPurpose<'_>,
        email: &str,
    ) -> Outcome<(String, i32)> {
        let (hash, phone) = match purpose {
            EmailPurpose::SetUp(phone, hash) => match self.pending(now, caller, phone, hash) {
                Ok(pending) if pending.stage == Stage::Email => (hash, pending.phone),
                Ok(_) => return Err(errors::PHONE_HASH_EXPIRED.into()),
                Err(stop) if stop.is(errors::PHONE_CODE_EXPIRED) => {
                    return Err(errors::PHONE_HASH_EXPIRED.into());
                }
                Err(stop) => return Err(stop),
            },
            EmailPurpose::Change(user_id) => {
                let phone = self.phone_of(user_id)?;
                self.login_email(now, &phone)?.ok_or(errors::EMAIL_NOT_SETUP)?;
                ("", phone)
            }
        };
        let email = email_address(email).ok_or(errors::EMAIL_INVALID)?;
        // Assumed: what Telegram does not allow are mailboxes that anybody can open.
        if email.rsplit('.').next() == Some(NOWHERE) {
            return Err(errors::EMAIL_NOT_ALLOWED.into());
        }
        // Each letter brings another five tries. Assumed: it counts like a code for the number.
        self.count_code(now, &phone, &self.order(&phone)?)?;
        let code = self.email_code();
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO email_checks
                 (auth_key_id, hash, email, code, sent, tries_left)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![caller.auth_key_id, hash, email, code, now, TRIES])?;
        // Whoever has to look into a mailbox gets the time for it.
        self.db
            .prepare_cached("UPDATE login_codes SET sent = ?2 WHERE hash = ?1")?
            .execute(params![hash, now])?;
        self.send_letter(now, Way::Email, &email, Subject::LoginEmail, &code)?;
        Ok((masked(&email), i32::try_from(code.len()).unwrap_or(i32::MAX)))
    }

    /// Takes the code of such a letter. The mailbox gets the codes of the number from now on; for a
    /// sign-in one is sent there at once.
    pub(crate) fn verify_email(
        &mut self,
        now: i32,
        caller: Caller,
        purpose: EmailPurpose<'_>,
        code: &str,
    ) -> Outcome<EmailVerified> {
        let (phone, hash, pending) = match purpose {
            EmailPurpose::SetUp(phone, hash) => {
                let pending = self.pending(now, caller, phone, hash)?;
                (pending.phone.clone(), hash, Some(pending))
            }
            EmailPurpose::Change(user_id) => (self.phone_of(user_id)?, "", None),
        };
        let found: Option<(String, String)> = self
            .db
            .prepare_cached(
                "UPDATE email_checks SET tries_left = tries_left - 1
                 WHERE auth_key_id = ?1 AND hash = ?2 AND tries_left > 0 AND sent + ?3 > ?4
                 RETURNING email, code",
            )?
            .query_row(params![caller.auth_key_id, hash, LIFETIME, now], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let (email, right) = found.ok_or(errors::EMAIL_VERIFY_EXPIRED)?;
        if !bool::from(right.as_bytes().ct_eq(code.trim().as_bytes())) {
            return Err(errors::CODE_INVALID.into());
        }
        self.db
            .prepare_cached("DELETE FROM email_checks WHERE auth_key_id = ?1")?
            .execute([caller.auth_key_id])?;
        self.set_login_email(&phone, Some(&email))?;
        let sent = match pending {
            Some(pending) => {
                let order = self.order(&phone)?;
                Some(self.deliver(now, hash, &pending, &order)?)
            }
            None => None,
        };
        Ok(EmailVerified { email, sent })
    }

    /// The phone number of a person.
    fn phone_of(&self, user_id: i64) -> Outcome<String> {
        let phone = self.user(user_id)?.and_then(|user| user.phone);
        Ok(phone.ok_or(errors::AUTH_KEY_UNREGISTERED)?)
    }
}
