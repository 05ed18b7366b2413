//! Sign-in by phone number and code.

use chappe_api::errors;
use rusqlite::{OptionalExtension, params};
use subtle::ConstantTimeEq;

use super::{Caller, World};
use crate::{
    failure::Outcome,
    letters::{Subject, Way},
};

/// How many wrong codes one code hash bears.
const TRIES: i32 = 5;

/// How long a code is good, in seconds.
const LIFETIME: i32 = 300;

/// The longest first or last name, in characters.
const NAME_LENGTH: usize = 64;

/// A code on its way.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SentCode {
    /// What `auth.signIn` must show.
    pub(crate) hash: String,
    /// The number of digits of the code.
    pub(crate) length: i32,
}

impl std::fmt::Debug for SentCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SentCode").finish_non_exhaustive()
    }
}

/// What a right code leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// Signed in as this user.
    Done(i64),
    /// The phone number has no account: sign up.
    SignUpRequired,
}

/// The code of a phone number of the test range: `99966XYYYY` gets `XXXXX`.
/// (core.telegram.org/api/auth#test-accounts)
pub(crate) fn test_code(phone: &str) -> Option<String> {
    test_dc(phone).map(|dc| dc.to_string().repeat(5))
}

/// The data centre of a phone number of the test range: `99966XYYYY` lives in `X`.
/// (core.telegram.org/api/auth#test-accounts)
pub(super) fn test_dc(phone: &str) -> Option<i32> {
    let rest = phone.strip_prefix("99966").filter(|rest| rest.len() == 5)?;
    match rest.chars().next()? {
        '1' => Some(1),
        '2' => Some(2),
        '3' => Some(3),
        _ => None,
    }
}

/// Reads a phone number as people write it; the digits alone are its name.
pub(crate) fn is_phone(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(text.len().min(32));
    for character in text.chars() {
        match character {
            '0'..='9' => digits.push(character),
            '+' if digits.is_empty() => {}
            ' ' | '-' | '(' | ')' => {}
            _ => return None,
        }
        if digits.len() > 15 {
            return None;
        }
    }
    (!digits.is_empty()).then_some(digits)
}

/// A code that was found by its hash, and is still good.
struct Pending {
    code: String,
    tries_left: i32,
    verified: bool,
}

impl World {
    /// Sends a code to a phone number; a code sent before on the same key is void.
    pub(crate) fn send_code(&mut self, now: i32, caller: Caller, phone: &str) -> Outcome<SentCode> {
        let phone = is_phone(phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        let code = (self.codes)(&phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        self.db
            .prepare_cached("DELETE FROM login_codes WHERE auth_key_id = ?1 AND sent + ?2 <= ?3")?
            .execute(params![caller.auth_key_id, LIFETIME, now])?;
        let hash: String = self.random::<9>().iter().map(|byte| format!("{byte:02x}")).collect();
        let length = i32::try_from(code.len()).unwrap_or(i32::MAX);
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO login_codes
                 (hash, auth_key_id, phone, code, sent, tries_left)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![hash, caller.auth_key_id, phone, code, now, TRIES])?;
        self.send_letter(now, Way::Sms, &phone, Subject::SignIn, &code)?;
        Ok(SentCode { hash, length })
    }

    /// Sends the code of a hash once more: its time begins again, its tries do not.
    pub(crate) fn resend_code(
        &mut self,
        now: i32,
        caller: Caller,
        phone: &str,
        hash: &str,
    ) -> Outcome<SentCode> {
        let pending = self.pending(now, caller, phone, hash)?;
        self.db
            .prepare_cached("UPDATE login_codes SET sent = ?2 WHERE hash = ?1")?
            .execute(params![hash, now])?;
        self.send_letter(now, Way::Sms, phone, Subject::SignIn, &pending.code)?;
        let length = i32::try_from(pending.code.len()).unwrap_or(i32::MAX);
        Ok(SentCode { hash: hash.to_owned(), length })
    }

    /// Makes a code void.
    pub(crate) fn cancel_code(
        &self,
        now: i32,
        caller: Caller,
        phone: &str,
        hash: &str,
    ) -> Outcome<()> {
        self.pending(now, caller, phone, hash)?;
        self.void(hash)
    }

    /// Takes a code. The right one is used up, unless it leads to a sign-up.
    pub(crate) fn sign_in(
        &mut self,
        now: i32,
        caller: Caller,
        phone: &str,
        hash: &str,
        code: &str,
    ) -> Outcome<SignIn> {
        if code.is_empty() {
            return Err(errors::PHONE_CODE_EMPTY.into());
        }
        let pending = self.pending(now, caller, phone, hash)?;
        if !bool::from(pending.code.as_bytes().ct_eq(code.as_bytes())) {
            self.db
                .prepare_cached(
                    "UPDATE login_codes SET tries_left = tries_left - 1 WHERE hash = ?1",
                )?
                .execute([hash])?;
            return Err(match pending.tries_left {
                ..=1 => errors::PHONE_CODE_EXPIRED,
                _ => errors::PHONE_CODE_INVALID,
            }
            .into());
        }
        let phone = is_phone(phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        let Some(user) = self.user_by_phone(&phone)? else {
            self.db
                .prepare_cached("UPDATE login_codes SET verified = 1 WHERE hash = ?1")?
                .execute([hash])?;
            return Ok(SignIn::SignUpRequired);
        };
        self.void(hash)?;
        if self.has_password(user.id)? {
            self.set_pending(caller.auth_key_id, Some(user.id))?;
            return Err(errors::SESSION_PASSWORD_NEEDED.into());
        }
        self.authorize(now, caller, user.id)?;
        Ok(SignIn::Done(user.id))
    }

    /// Makes the account of a phone number whose code was shown, and signs in.
    pub(crate) fn sign_up(
        &mut self,
        now: i32,
        caller: Caller,
        phone: &str,
        hash: &str,
        names: (&str, &str),
    ) -> Outcome<i64> {
        let pending = self.pending(now, caller, phone, hash)?;
        if !pending.verified {
            return Err(errors::PHONE_CODE_INVALID.into());
        }
        let phone = is_phone(phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        if self.user_by_phone(&phone)?.is_some() {
            return Err(errors::PHONE_NUMBER_OCCUPIED.into());
        }
        let (first, last) = (names.0.trim(), names.1.trim());
        if first.is_empty() || first.chars().count() > NAME_LENGTH {
            return Err(errors::FIRSTNAME_INVALID.into());
        }
        if last.chars().count() > NAME_LENGTH {
            return Err(errors::LASTNAME_INVALID.into());
        }
        self.void(hash)?;
        let user_id = self.add_person(now, &phone, first, last)?;
        self.authorize(now, caller, user_id)?;
        Ok(user_id)
    }

    /// Finds a code by its hash. It is bound to the key and the phone number that it was sent
    /// for; to anybody else it looks like one that has expired.
    fn pending(&self, now: i32, caller: Caller, phone: &str, hash: &str) -> Outcome<Pending> {
        let phone = is_phone(phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        let found = self
            .db
            .prepare_cached(
                "SELECT code, tries_left, verified FROM login_codes
                 WHERE hash = ?1 AND auth_key_id = ?2 AND phone = ?3
                   AND tries_left > 0 AND sent + ?4 > ?5",
            )?
            .query_row(params![hash, caller.auth_key_id, phone, LIFETIME, now], |row| {
                Ok(Pending { code: row.get(0)?, tries_left: row.get(1)?, verified: row.get(2)? })
            })
            .optional()?;
        Ok(found.ok_or(errors::PHONE_CODE_EXPIRED)?)
    }

    fn void(&self, hash: &str) -> Outcome<()> {
        self.db.prepare_cached("DELETE FROM login_codes WHERE hash = ?1")?.execute([hash])?;
        Ok(())
    }
}
