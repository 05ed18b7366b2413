//! Floods: codes and passwords that somebody asks for or guesses too often.

use chappe_api::errors;
use chappe_tl::ErrorName;
use rusqlite::{OptionalExtension, params};

use crate::world::World;
use crate::{
    failure::{Failure, Outcome},
    numbers::Number,
};

/// How many codes a number may ask for in a day that is not a test number. Observed: Telegram's own
/// limit is about 5 (core.telegram.org/api/auth#test-accounts), too few for tests.
const CODES_A_DAY: u32 = 100;

/// How many wrong passwords an account bears in an hour. Assumed.
const WRONG_PASSWORDS: u32 = 10;

const HOUR: i32 = 3_600;
const DAY: i32 = 86_400;

/// The names of what is counted.
const CODES: &str = "codes";
const PASSWORDS: &str = "passwords";

impl World {
    /// Counts a code for a number. Beyond the limit it has to wait until the day is over; one that
    /// goes on asking, as often again, is told so by another name. Assumed: the two names come in this
    /// order.
    pub(in crate::world) fn count_code(
        &self,
        now: i32,
        phone: &str,
        order: &Number,
    ) -> Outcome<()> {
        let test = (self.codes)(phone).is_some();
        let usual = if test { None } else { Some(CODES_A_DAY) };
        let Some(limit) = order.codes_a_day.or(usual) else { return Ok(()) };
        let (count, left) = self.count(now, CODES, phone, DAY)?;
        if count <= limit {
            return Ok(());
        }
        if count > limit.saturating_mul(2) {
            return Err(errors::PHONE_NUMBER_FLOOD.into());
        }
        let name = if test { errors::FLOOD_TEST_PHONE_WAIT_X } else { errors::FLOOD_WAIT_X };
        Err(Failure::valued(name, left.into()).into())
    }

    /// Refuses an account whose password was guessed too often: by this name, with the seconds that
    /// are left if it has a place for them.
    pub(crate) fn refuse_guessed_password(
        &self,
        now: i32,
        user_id: i64,
        name: ErrorName,
    ) -> Outcome<()> {
        let found: Option<(i32, u32)> = self
            .db
            .prepare_cached("SELECT began, count FROM floods WHERE what = ?1 AND whom = ?2")?
            .query_row([PASSWORDS, &user_id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match found {
            Some((began, WRONG_PASSWORDS..)) if now < began.saturating_add(HOUR) => {
                let left = i64::from(began.saturating_add(HOUR) - now);
                Err(match name.name.ends_with("_X") {
                    true => Failure::valued(name, left),
                    false => name.into(),
                }
                .into())
            }
            _ => Ok(()),
        }
    }

    /// Counts whether a password was right.
    pub(crate) fn count_password(
        &self,
        now: i32,
        user_id: i64,
        check: &Outcome<()>,
    ) -> Outcome<()> {
        match check {
            Ok(()) => {
                self.db
                    .prepare_cached("DELETE FROM floods WHERE what = ?1 AND whom = ?2")?
                    .execute([PASSWORDS, &user_id.to_string()])?;
            }
            Err(stop) if stop.is(errors::PASSWORD_HASH_INVALID) => {
                self.count(now, PASSWORDS, &user_id.to_string(), HOUR)?;
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Counts that somebody does something; tells how often it was in this period, and how long the
    /// period lasts. What was counted in earlier periods makes room.
    pub(in crate::world) fn count(
        &self,
        now: i32,
        what: &str,
        whom: &str,
        period: i32,
    ) -> Outcome<(u32, i32)> {
        self.db
            .prepare_cached("DELETE FROM floods WHERE what = ?1 AND began + ?2 <= ?3")?
            .execute(params![what, period, now])?;
        let (began, count): (i32, u32) = self
            .db
            .prepare_cached(
                "INSERT INTO floods (what, whom, began, count) VALUES (?1, ?2, ?3, 1)
                 ON CONFLICT (what, whom) DO UPDATE SET count = count + 1
                 RETURNING began, count",
            )?
            .query_row(params![what, whom, now], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((count, began.saturating_add(period).saturating_sub(now)))
    }
}
