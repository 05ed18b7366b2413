//! All accounts at once, as whoever runs the server sees them.

use rusqlite::{OptionalExtension, Row, params};

use super::{SERVICE_ID, User, World, users::COLUMNS};
use crate::failure::Outcome;

/// How much hangs on an account.
const COUNTS: &str = "(SELECT count(*) FROM authorizations a WHERE a.user_id = users.id) AS devices, \
     (SELECT count(*) FROM web_authorizations w WHERE w.user_id = users.id) AS sites";

/// An account of a person, and how much hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// Who it is.
    pub(crate) user: User,
    /// The code that always signs in; without one, every code comes by letter.
    pub(crate) code: Option<String>,
    /// How many devices are signed in.
    pub(crate) devices: u32,
    /// How many sites it is logged in to.
    pub(crate) sites: u32,
}

/// A user with counts.
struct Counted {
    user: User,
    devices: u32,
    sites: u32,
}

impl Counted {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { user: User::read(row)?, devices: row.get("devices")?, sites: row.get("sites")? })
    }
}

impl World {
    /// The accounts of people: those that were there from the start, then those that were seen last.
    /// At most so many; the second value says how many there are.
    pub(crate) fn people(&self, limit: u32) -> Outcome<(Vec<Person>, u32)> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS}, {COUNTS} FROM users WHERE bot_token IS NULL AND id <> ?1
             ORDER BY demonstration DESC, active DESC, id LIMIT ?2"
        ))?;
        let rows = statement
            .query_map(params![SERVICE_ID, limit], Counted::read)?
            .collect::<Result<Vec<_>, _>>()?;
        let all = self
            .db
            .prepare_cached("SELECT count(*) FROM users WHERE bot_token IS NULL AND id <> ?1")?
            .query_row([SERVICE_ID], |row| row.get(0))?;
        let people = rows.into_iter().map(|row| self.person_of(row)).collect::<Outcome<_>>()?;
        Ok((people, all))
    }

    /// The account of a person with this id.
    pub(crate) fn person(&self, id: i64) -> Outcome<Option<Person>> {
        let found = self
            .db
            .prepare_cached(&format!(
                "SELECT {COLUMNS}, {COUNTS} FROM users
                 WHERE id = ?1 AND bot_token IS NULL AND id <> ?2"
            ))?
            .query_row([id, SERVICE_ID], Counted::read)
            .optional()?;
        found.map(|row| self.person_of(row)).transpose()
    }

    fn person_of(&self, Counted { user, devices, sites }: Counted) -> Outcome<Person> {
        let code = match &user.phone {
            Some(phone) => self.fixed_code(phone)?,
            None => None,
        };
        Ok(Person { user, code, devices, sites })
    }
}
