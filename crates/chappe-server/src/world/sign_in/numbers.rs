//! What was ordered for phone numbers.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};

use crate::world::World;
use crate::{
    failure::Outcome,
    numbers::{Name, Number},
};

impl World {
    /// Orders how a number signs in.
    pub(crate) fn set_number(&self, name: &Name, number: &Number) -> rusqlite::Result<()> {
        let text = json(&Number { login_email: None, ..number.clone() })?;
        let both = self.db.unchecked_transaction()?;
        self.db
            .prepare_cached("INSERT OR REPLACE INTO numbers (phone, number) VALUES (?1, ?2)")?
            .execute([name.as_str(), &text])?;
        if let Some(email) = &number.login_email {
            self.set_login_email(name.as_str(), Some(email.as_str()).filter(|it| !it.is_empty()))?;
        }
        both.commit()
    }

    /// Removes what was ordered for a number.
    pub(crate) fn remove_number(&self, name: &Name) -> rusqlite::Result<()> {
        self.db.prepare_cached("DELETE FROM numbers WHERE phone = ?1")?.execute([name.as_str()])?;
        Ok(())
    }

    /// What was ordered, by number.
    pub(crate) fn numbers(&self) -> rusqlite::Result<BTreeMap<String, Number>> {
        let mut statement = self.db.prepare_cached(
            "SELECT ifnull(n.phone, e.phone), ifnull(number, '{}'), email FROM numbers n
             FULL JOIN login_emails e ON e.phone = n.phone",
        )?;
        let rows = statement.query_map([], |row| {
            let (text, login_email): (String, Option<String>) = (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, Number { login_email, ..read(&text)? }))
        })?;
        rows.collect()
    }

    /// What holds for a phone number: what was ordered for it, or else for the longest beginning of
    /// it.
    pub(in crate::world) fn order(&self, phone: &str) -> Outcome<Number> {
        let found: Option<Number> = self
            .db
            .prepare_cached(
                "SELECT number FROM numbers WHERE phone = ?1
                   OR (phone LIKE '%*' AND ?1 GLOB phone)
                 ORDER BY phone = ?1 DESC, length(phone) DESC LIMIT 1",
            )?
            .query_row(params![phone], |row| read(&row.get::<_, String>(0)?))
            .optional()?;
        Ok(found.unwrap_or_default())
    }
}

fn json(number: &Number) -> rusqlite::Result<String> {
    serde_json::to_string(number)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn read(text: &str) -> rusqlite::Result<Number> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}
