//! Letters: what goes to phones and mailboxes.

use rusqlite::{
    OptionalExtension, Row, ToSql, params,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

use crate::world::{World, sign_in};
use crate::{
    failure::Outcome,
    letters::{Letter, Subject, Way},
};

/// How many letters are kept, the last ones.
const KEPT: i64 = 256;

impl ToSql for Way {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for Way {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::of_name(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for Subject {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for Subject {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::of_name(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

/// The address of a letter as it is kept: the digits of a phone number, an email address in small
/// letters.
pub(crate) fn letterbox(to: &str) -> String {
    sign_in::is_phone(to).unwrap_or_else(|| to.trim().to_lowercase())
}

impl World {
    /// Sends a code to a phone number or an email address.
    pub(crate) fn send_letter(
        &mut self,
        now: i32,
        way: Way,
        to: &str,
        subject: Subject,
        code: &str,
    ) -> Outcome<()> {
        self.post(now, (way, to, subject, code), None)
    }

    /// Calls a phone number from another one, which tells the code.
    pub(in crate::world) fn send_call(
        &mut self,
        now: i32,
        way: Way,
        to: &str,
        caller: &str,
        code: &str,
    ) -> Outcome<()> {
        self.post(now, (way, to, Subject::SignIn, code), Some(caller))
    }

    fn post(
        &mut self,
        now: i32,
        (way, to, subject, code): (Way, &str, Subject, &str),
        caller: Option<&str>,
    ) -> Outcome<()> {
        // Counted here: a number must not come again after a transaction that was undone.
        self.last_letter += 1;
        self.db
            .prepare_cached("DELETE FROM letters WHERE id <= ?1")?
            .execute([self.last_letter - KEPT])?;
        self.db
            .prepare_cached(
                "INSERT INTO letters (id, date, way, recipient, subject, code, caller)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![self.last_letter, now, way, letterbox(to), subject, code, caller])?;
        Ok(())
    }

    /// The letters that are kept, the oldest first.
    pub(crate) fn letters(&self) -> rusqlite::Result<Vec<Letter>> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, date, way, recipient, subject, code, caller FROM letters ORDER BY id",
        )?;
        statement.query_map([], read)?.collect()
    }

    /// The last letter to a phone number or an email address.
    pub(crate) fn last_letter_to(&self, to: &str) -> Outcome<Option<Letter>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT id, date, way, recipient, subject, code, caller FROM letters
                 WHERE recipient = ?1 ORDER BY id DESC LIMIT 1",
            )?
            .query_row([letterbox(to)], read)
            .optional()?)
    }

    /// The number of the last letter.
    pub(crate) fn last_letter(&self) -> i64 {
        self.last_letter
    }

    /// Looks the number of the last letter up: the server begins.
    pub(in crate::world) fn count_letters(&mut self) -> rusqlite::Result<()> {
        self.last_letter =
            self.db.query_row("SELECT ifnull(max(id), 0) FROM letters", [], |row| row.get(0))?;
        Ok(())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Letter> {
    let (way, subject, code): (Way, Subject, String) = (row.get(2)?, row.get(4)?, row.get(5)?);
    let caller: Option<String> = row.get(6)?;
    let text = text(way, subject, &code, caller.as_deref());
    Ok(Letter {
        id: row.get(0)?,
        date: row.get(1)?,
        way,
        to: row.get(3)?,
        subject,
        code,
        caller,
        text,
    })
}

/// What a letter says.
fn text(way: Way, subject: Subject, code: &str, caller: Option<&str>) -> String {
    match (subject, way, caller) {
        (Subject::SignIn, Way::FlashCall, Some(caller)) => {
            format!("+{caller} called; the number is the login code.")
        }
        (Subject::SignIn, Way::MissedCall, Some(caller)) => {
            format!("+{caller} called; the last digits are the login code.")
        }
        (Subject::SignIn, ..) => {
            format!(
                "Login code: {code}. Do not give this code to anyone, even if they say they are from Telegram."
            )
        }
        (Subject::LoginEmail, ..) => {
            format!("{code} is the code that confirms this address for login codes.")
        }
        (Subject::RecoveryEmail, ..) => {
            format!("{code} is the code that confirms this address for a forgotten password.")
        }
        (Subject::PasswordRecovery, ..) => {
            format!("{code} is the code that replaces a forgotten password.")
        }
    }
}
