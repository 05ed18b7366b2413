//! Sign-in by phone number and code.

mod again;
pub(super) mod email;
mod flood;
pub(super) mod letters;
mod numbers;
pub(super) mod password;
pub(super) mod recovery;
pub(super) mod token;
pub(super) mod way;

use bytes::Bytes;
use chappe_api::errors;
use rusqlite::{OptionalExtension, params};
use subtle::ConstantTimeEq;

use self::way::Delivery;
use super::{Caller, User, World};
use crate::{
    failure::{Failure, Outcome, Stop},
    letters::Way,
    numbers::{Number, Terms},
};

/// How many wrong codes one code hash bears.
const TRIES: i32 = 5;

/// How long a code is good, in seconds.
const LIFETIME: i32 = 300;

/// The longest first or last name, in characters.
const NAME_LENGTH: usize = 64;

/// How long a client has to wait before it asks again whether it paid, in seconds.
const PAYMENT_WAIT: i32 = 10;

/// Telegram's test numbers begin so; what begins so and is none is no number at all.
const TEST_NUMBERS: &str = "99966";

/// How many digits a phone number has, country code and all (ITU-T E.164).
const PHONE_LENGTH: std::ops::RangeInclusive<usize> = 7..=15;

/// What `CodeSettings` says of a client.
#[derive(Clone, Copy, Default)]
pub(crate) struct Settings<'a> {
    /// Whether it can tell which number calls.
    pub(crate) flash_call: bool,
    /// Whether its user can read off which number called.
    pub(crate) missed_call: bool,
    /// Whether it can show Firebase that it runs on a phone.
    pub(crate) firebase: bool,
    /// The future-auth tokens that it kept.
    pub(crate) tokens: &'a [Bytes],
}

/// What comes of `auth.sendCode`.
#[derive(Debug)]
pub(crate) enum Sent {
    /// Something is asked of the user.
    Code(SentCode),
    /// A future-auth token was enough: signed in as this user.
    Done(i64),
}

/// A code on its way.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SentCode {
    /// What `auth.signIn` must show.
    pub(crate) hash: String,
    /// What the user has to do.
    pub(crate) asked: Asked,
    /// The way that the next code would take.
    pub(crate) next: Option<Way>,
    /// How long to wait before asking for that, in seconds.
    pub(crate) timeout: Option<i32>,
}

/// What a user who wants to sign in has to do first.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Tell the code.
    Code(Delivery),
    /// Name a mailbox.
    SetUpEmail,
    /// Pay.
    Payment,
}

impl std::fmt::Debug for SentCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SentCode").finish_non_exhaustive()
    }
}

/// The code that a user tells.
#[derive(Clone, Copy)]
pub(crate) enum Typed<'a> {
    /// As one that came to a phone.
    Phone(&'a str),
    /// As one that came to a mailbox.
    Email(&'a str),
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
pub(in crate::world) fn test_dc(phone: &str) -> Option<i32> {
    let rest = phone.strip_prefix(TEST_NUMBERS).filter(|rest| rest.len() == 5)?;
    match rest.chars().next()? {
        '1' => Some(1),
        '2' => Some(2),
        '3' => Some(3),
        _ => None,
    }
}

/// Reads digits as people write phone numbers; there may be none.
pub(crate) fn digits(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(text.len().min(32));
    for character in text.chars() {
        match character {
            '0'..='9' => digits.push(character),
            '+' if digits.is_empty() => {}
            ' ' | '-' | '(' | ')' => {}
            _ => return None,
        }
        if digits.len() > *PHONE_LENGTH.end() {
            return None;
        }
    }
    Some(digits)
}

/// Reads a phone number as people write it; the digits alone are its name.
pub(crate) fn is_phone(text: &str) -> Option<String> {
    digits(text).filter(|digits| !digits.is_empty())
}

/// Reads a phone number that a code can be sent to.
pub(in crate::world) fn reachable(text: &str) -> Option<String> {
    is_phone(text).filter(|phone| {
        PHONE_LENGTH.contains(&phone.len())
            && !phone.starts_with('0')
            && (!phone.starts_with(TEST_NUMBERS) || test_dc(phone).is_some())
    })
}

/// What is asked for before a code is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Stage {
    /// Nothing: a code is on its way.
    Code,
    /// A mailbox.
    Email,
    /// Money.
    Payment,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Email => "email",
            Self::Payment => "payment",
        }
    }

    fn of_name(name: &str) -> Self {
        match name {
            "email" => Self::Email,
            "payment" => Self::Payment,
            _ => Self::Code,
        }
    }
}

/// A code that was found by its hash, and is still good.
pub(in crate::world) struct Pending {
    /// The number that it is for.
    pub(in crate::world) phone: String,
    pub(in crate::world) stage: Stage,
    /// The way that it took, and those that are left.
    pub(in crate::world) ways: Vec<Way>,
    /// When the next way may be taken.
    due: i32,
    code: String,
    digits: String,
    tries_left: i32,
    verified: bool,
}

impl Pending {
    /// The way that it took.
    pub(in crate::world) fn way(&self) -> Option<Way> {
        self.ways.first().copied().filter(|_| self.stage == Stage::Code)
    }

    /// Whether this is the code. What tells digits tells the same ones whatever the way, so that an
    /// SMS that comes late is as good as the call after it.
    fn is_shown_by(&self, typed: Typed<'_>) -> bool {
        let Some(way) = self.way() else { return false };
        let (text, by_email) = match typed {
            Typed::Phone(text) => (text, false),
            Typed::Email(text) => (text, true),
        };
        let same = |code: &str, typed: &str| {
            !code.is_empty() && bool::from(code.as_bytes().ct_eq(typed.as_bytes()))
        };
        // Assumed: a code from a mailbox is told as one, and no other is.
        by_email == (way == Way::Email)
            && (same(&self.code, &way::tidy(way, text)) || same(&self.digits, text.trim()))
    }
}

impl World {
    /// Sends a code to a phone number; a code sent before on the same key is void.
    pub(crate) fn send_code(
        &mut self,
        now: i32,
        caller: Caller,
        phone: &str,
        settings: Settings<'_>,
    ) -> Outcome<Sent> {
        let phone = reachable(phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        let order = self.order(&phone)?;
        if order.banned {
            return Err(errors::PHONE_NUMBER_BANNED.into());
        }
        let user = self.user_by_phone(&phone)?;
        match &user {
            None if order.no_sign_up => {
                return Err(errors::PHONE_NUMBER_APP_SIGNUP_FORBIDDEN.into());
            }
            None => {}
            Some(user) if self.use_future_token(now, caller, user.id, settings.tokens)? => {
                return Ok(Sent::Done(self.first_half(now, caller, user.id)?));
            }
            Some(user) => {
                self.refuse_guessed_password(now, user.id, errors::PHONE_PASSWORD_FLOOD)?;
            }
        }
        self.count_code(now, &phone, &order)?;
        self.db
            .prepare_cached("DELETE FROM login_codes WHERE auth_key_id = ?1 AND sent + ?2 <= ?3")?
            .execute(params![caller.auth_key_id, LIFETIME, now])?;
        let mailbox = self.login_email(now, &phone)?;
        let stage = match (order.payment, order.set_up_email && mailbox.is_none()) {
            (true, _) => Stage::Payment,
            (_, true) => Stage::Email,
            _ => Stage::Code,
        };
        let mut ways = self.ways(&order, user.map(|user| user.id), caller, settings)?;
        if mailbox.is_some() || stage == Stage::Email {
            ways.insert(0, Way::Email);
        }
        let digits = match self.fixed_code(&phone)? {
            Some(code) => code,
            None => self.random_digits(),
        };
        let hash: String = self.random::<9>().iter().map(|byte| format!("{byte:02x}")).collect();
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO login_codes
                 (hash, auth_key_id, phone, code, sent, tries_left, stage, ways, digits)
                 VALUES (?1, ?2, ?3, '', ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                hash,
                caller.auth_key_id,
                phone,
                now,
                TRIES,
                stage.name(),
                way::join(&ways),
                digits
            ])?;
        let asked = match stage {
            Stage::Payment => Asked::Payment,
            Stage::Email => Asked::SetUpEmail,
            Stage::Code => {
                let pending = self.pending(now, caller, &phone, &hash)?;
                return Ok(Sent::Code(self.deliver(now, &hash, &pending, &order)?));
            }
        };
        Ok(Sent::Code(SentCode { hash, asked, next: None, timeout: None }))
    }

    /// Sends the code of a hash the next way: its time begins again, its tries do not.
    ///
    /// Assumed: who asks before the time that was named is told to wait for it; a mailbox gets the
    /// code again as often as it is asked for.
    pub(crate) fn resend_code(
        &mut self,
        now: i32,
        caller: Caller,
        phone: &str,
        hash: &str,
    ) -> Outcome<SentCode> {
        let mut pending = self.pending(now, caller, phone, hash)?;
        let way = pending.way().ok_or(errors::SEND_CODE_UNAVAILABLE)?;
        // A mailbox may have been forgotten since: its reset was due.
        if way != Way::Email || self.login_email(now, &pending.phone)?.is_none() {
            pending.ways.remove(0);
        }
        if pending.ways.is_empty() {
            return Err(errors::SEND_CODE_UNAVAILABLE.into());
        }
        if now < pending.due {
            let wait = i64::from(pending.due - now);
            return Err(Failure::valued(errors::FLOOD_WAIT_X, wait).into());
        }
        let order = self.order(&pending.phone)?;
        self.deliver(now, hash, &pending, &order)
    }

    /// Sends a code by the first of the ways that are left, and writes down how it stands.
    pub(in crate::world) fn deliver(
        &mut self,
        now: i32,
        hash: &str,
        pending: &Pending,
        order: &Number,
    ) -> Outcome<SentCode> {
        let Pending { phone, ways, digits, .. } = pending;
        let way = *ways.first().ok_or(Stop::Undone)?;
        let (delivery, code) = self.send_by(now, way, phone, digits, order)?;
        // A mailbox is no step on the way to something else: only its reset leads on.
        let next = ways.get(1).copied().filter(|_| way != Way::Email);
        let timeout = next.and_then(|_| way::timeout(way, order));
        self.db
            .prepare_cached(
                "UPDATE login_codes SET stage = ?2, ways = ?3, code = ?4, sent = ?5, due = ?6
                 WHERE hash = ?1",
            )?
            .execute(params![
                hash,
                Stage::Code.name(),
                way::join(ways),
                code,
                now,
                now.saturating_add(timeout.unwrap_or(0))
            ])?;
        Ok(SentCode { hash: hash.to_owned(), asked: Asked::Code(delivery), next, timeout })
    }

    /// Sends the SMS of a client that has shown Firebase that it runs on a phone; tells whether it
    /// has.
    pub(crate) fn send_firebase_sms(
        &mut self,
        now: i32,
        caller: Caller,
        (phone, hash): (&str, &str),
        shown: bool,
    ) -> Outcome<bool> {
        let pending = self.pending(now, caller, phone, hash)?;
        let fits = shown && pending.way() == Some(Way::Firebase);
        if fits {
            self.send_sms(now, &pending.phone, &pending.digits)?;
        }
        Ok(fits)
    }

    /// Looks whether what was to be paid for still is.
    ///
    /// Assumed: nobody can pay here, so it is paid for once the order for the number says so.
    pub(crate) fn check_payment(
        &mut self,
        now: i32,
        caller: Caller,
        phone: &str,
        hash: &str,
    ) -> Outcome<SentCode> {
        let pending = self.pending(now, caller, phone, hash)?;
        if pending.stage != Stage::Payment {
            return Err(errors::PHONE_CODE_EXPIRED.into());
        }
        let order = self.order(&pending.phone)?;
        if order.payment {
            return Err(Failure::valued(errors::FLOOD_WAIT_X, PAYMENT_WAIT.into()).into());
        }
        self.deliver(now, hash, &pending, &order)
    }

    /// Checks that a code is on its way that somebody misses.
    pub(crate) fn report_missing_code(
        &self,
        now: i32,
        caller: Caller,
        phone: &str,
        hash: &str,
    ) -> Outcome<()> {
        self.pending(now, caller, phone, hash).map(drop)
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

    /// Makes codes void that a user let somebody see.
    pub(crate) fn invalidate_codes(&self, phone: &str, codes: &[impl AsRef<str>]) -> Outcome<()> {
        let mut statement = self
            .db
            .prepare_cached("DELETE FROM login_codes WHERE phone = ?1 AND ?2 IN (code, digits)")?;
        for code in codes.iter().map(AsRef::as_ref).filter(|code| !code.is_empty()) {
            statement.execute([phone, code])?;
        }
        Ok(())
    }

    /// Takes a code. The right one is used up, unless it leads to a sign-up.
    pub(crate) fn sign_in(
        &mut self,
        now: i32,
        caller: Caller,
        phone: &str,
        hash: &str,
        typed: Typed<'_>,
    ) -> Outcome<SignIn> {
        let (Typed::Phone(text) | Typed::Email(text)) = typed;
        if text.is_empty() {
            return Err(errors::PHONE_CODE_EMPTY.into());
        }
        let pending = self.pending(now, caller, phone, hash)?;
        if !pending.is_shown_by(typed) {
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
        let Some(user) = self.user_by_phone(&pending.phone)? else {
            self.db
                .prepare_cached("UPDATE login_codes SET verified = 1 WHERE hash = ?1")?
                .execute([hash])?;
            return Ok(SignIn::SignUpRequired);
        };
        self.void(hash)?;
        Ok(SignIn::Done(self.first_half(now, caller, user.id)?))
    }

    /// Signs in whoever gave a code or a token, unless a password is still owed.
    fn first_half(&mut self, now: i32, caller: Caller, user_id: i64) -> Outcome<i64> {
        if self.has_password(user_id)? {
            self.owe_password(now, caller, user_id)?;
            return Err(errors::SESSION_PASSWORD_NEEDED.into());
        }
        self.authorize(now, caller, user_id)?;
        Ok(user_id)
    }

    /// The person with a phone number, as people write it.
    pub(crate) fn user_of_phone(&self, phone: &str) -> Outcome<Option<User>> {
        let phone = is_phone(phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        self.user_by_phone(&phone)
    }

    /// The terms of service that the owner of a phone number has to accept, if they are other than
    /// usual.
    pub(crate) fn terms(&self, phone: &str) -> Outcome<Option<Terms>> {
        let phone = is_phone(phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        Ok(self.order(&phone)?.terms)
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
        let user_id = self.new_account(now, &pending.phone, names)?;
        self.void(hash)?;
        self.authorize(now, caller, user_id)?;
        Ok(user_id)
    }

    /// Makes the account of a phone number that a code can be sent to.
    pub(crate) fn new_account(
        &mut self,
        now: i32,
        phone: &str,
        names: (&str, &str),
    ) -> Outcome<i64> {
        let phone = reachable(phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        if self.user_by_phone(&phone)?.is_some() {
            return Err(errors::PHONE_NUMBER_OCCUPIED.into());
        }
        let (first, last) = (names.0.trim(), names.1.trim());
        // Assumed: a name is one line. Else it could pass for more than a name, wherever it stands.
        let fits =
            |name: &str| name.chars().count() <= NAME_LENGTH && !name.chars().any(char::is_control);
        if first.is_empty() || !fits(first) {
            return Err(errors::FIRSTNAME_INVALID.into());
        }
        if !fits(last) {
            return Err(errors::LASTNAME_INVALID.into());
        }
        self.add_person(now, &phone, first, last)
    }

    /// The code that always signs a phone number in; without one, every code is a new one.
    pub(in crate::world) fn fixed_code(&self, phone: &str) -> Outcome<Option<String>> {
        Ok(self.order(phone)?.code.or_else(|| (self.codes)(phone)))
    }

    /// Finds a code by its hash. It is bound to the key and the phone number that it was sent
    /// for; to anybody else it looks like one that has expired.
    pub(in crate::world) fn pending(
        &self,
        now: i32,
        caller: Caller,
        phone: &str,
        hash: &str,
    ) -> Outcome<Pending> {
        let phone = is_phone(phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        if hash.is_empty() {
            return Err(errors::PHONE_CODE_HASH_EMPTY.into());
        }
        let found = self
            .db
            .prepare_cached(
                "SELECT code, tries_left, verified, stage, ways, due, digits FROM login_codes
                 WHERE hash = ?1 AND auth_key_id = ?2 AND phone = ?3
                   AND tries_left > 0 AND sent + ?4 > ?5",
            )?
            .query_row(params![hash, caller.auth_key_id, phone, LIFETIME, now], |row| {
                let (stage, ways): (String, String) = (row.get(3)?, row.get(4)?);
                Ok(Pending {
                    phone: phone.clone(),
                    stage: Stage::of_name(&stage),
                    ways: way::split(&ways),
                    due: row.get(5)?,
                    code: row.get(0)?,
                    digits: row.get(6)?,
                    tries_left: row.get(1)?,
                    verified: row.get(2)?,
                })
            })
            .optional()?;
        Ok(found.ok_or(errors::PHONE_CODE_EXPIRED)?)
    }

    fn void(&self, hash: &str) -> Outcome<()> {
        self.db.prepare_cached("DELETE FROM login_codes WHERE hash = ?1")?.execute([hash])?;
        Ok(())
    }
}
