//! The `.session` files of Telethon and Pyrogram, SQLite databases.
//!
//! Both keep one row in a table `sessions`, and the version of the tables in a table `version`:
//! Telethon in a column `version`, Pyrogram in a column `number`. What else there is, known users
//! and chats and the state of updates, is not read, and its tables are written empty.
//!
//! | library | columns of `sessions` |
//! |---|---|
//! | Telethon 1 to 8 | `dc_id`, `server_address`, `port`, `auth_key`; later ones are not read |
//! | Pyrogram 1 to 7 | `dc_id`, `test_mode`, `auth_key`, `date`, `user_id`, `is_bot`; since 3 `api_id`; since 7 `server_address`, `port` |
//!
//! Written are Telethon's version 7, which newer ones bring up to date and older ones read, and
//! Pyrogram's version 3 for the same reason. Of Pyrogram's, version 7 alone has room for the
//! address of a server that is not Telegram's: such a session is written as that.
//! Observed: Telethon 1.45.0, Pyrogram 2.0.106 and Kurigram 2.2.26 open them.
//!
//! A file is read as bytes, never opened where it lies: nothing of it changes. SQLite does not
//! wipe its memory, so that a copy of the key stays in freed memory for a while.

use std::io::Read;

use rusqlite::{Connection, OptionalExtension, Row, config::DbConfig, limits::Limit, params};
use zeroize::Zeroizing;

use super::{Buffer, Flaw, Foreign, ForeignError, Format, address, fields::Fields};

pub(super) fn read(format: Format, input: &[u8]) -> Result<Foreign, ForeignError> {
    if input.len() > LARGEST {
        return Err(ForeignError::TooLarge);
    }
    let read = open(input).and_then(|database| match format {
        Format::TelethonFile => read_telethon(&database),
        _ => read_pyrogram(&database),
    });
    read.map_err(|flaw| ForeignError::malformed(format, flaw))
}

/// Opens a copy in memory, of which nothing is run but what is asked of it.
fn open(input: &[u8]) -> Result<Connection, Flaw> {
    let sqlite = |_| Flaw::Sqlite;
    let (front, rest) = input.split_at_checked(MODES).ok_or(Flaw::Sqlite)?;
    let (_, rest) = rest.split_first_chunk::<2>().ok_or(Flaw::Sqlite)?;
    if !front.starts_with(MAGIC) {
        return Err(Flaw::Sqlite);
    }
    // A database in memory has no log beside it; whoever read the file saw to it that there is
    // none, or an empty one.
    let copy = front.chain([ROLLBACK; 2].as_slice()).chain(rest);
    let mut database = Connection::open_in_memory().map_err(sqlite)?;
    database.deserialize_read_exact("main", copy, input.len(), true).map_err(sqlite)?;
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE).map_err(sqlite)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
    ] {
        database.set_db_config(setting, on).map_err(sqlite)?;
    }
    Ok(database)
}

/// Whether it is an ordinary table with this column. A view could take for ever.
fn has(database: &Connection, table: &str, column: &str) -> Result<bool, Flaw> {
    let ordinary = "SELECT count(*) FROM sqlite_schema s, pragma_table_info(s.name) c \
                    WHERE s.type = 'table' AND s.rootpage > 0 AND s.name = ?1 AND c.name = ?2";
    let count = database.query_row(ordinary, [table, column], |row| row.get::<_, i64>(0));
    Ok(count.map_err(|_| Flaw::Sqlite)? == 1)
}

fn check(database: &Connection, version: &str, columns: &[&str]) -> Result<(), Flaw> {
    if !has(database, "version", version)? {
        return Err(Flaw::Sqlite);
    }
    for column in columns {
        if !has(database, "sessions", column)? {
            return Err(Flaw::Sqlite);
        }
    }
    Ok(())
}

/// The first row, as the libraries take it.
fn first<T>(
    database: &Connection,
    columns: &str,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<T, Flaw> {
    let query = format!("SELECT {columns} FROM sessions LIMIT 1");
    let row = database.query_row(&query, [], read).optional();
    row.map_err(|_| Flaw::Sqlite)?.ok_or(Flaw::NoKey)
}

fn read_telethon(database: &Connection) -> Result<Foreign, Flaw> {
    check(database, "version", &["dc_id", "server_address", "port", "auth_key"])?;
    let columns = "dc_id, server_address, port, auth_key";
    let (dc_id, host, port, key) = first(database, columns, |row| {
        let key: Option<Vec<u8>> = row.get(3)?;
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, key.map(Zeroizing::new)))
    })?;
    let session = session(dc_id, key)?;
    match place(host, port)? {
        Some(address) => Ok(session.at(address)),
        None => Err(Flaw::Address),
    }
}

fn read_pyrogram(database: &Connection) -> Result<Foreign, Flaw> {
    check(database, "number", &["dc_id", "test_mode", "auth_key", "user_id", "is_bot"])?;
    let since = |column: &'static str| {
        has(database, "sessions", column).map(|has| if has { column } else { "NULL" })
    };
    let (api_id, host, port) = (since("api_id")?, since("server_address")?, since("port")?);
    let columns = format!("dc_id, auth_key, test_mode, user_id, is_bot, {api_id}, {host}, {port}");
    let (dc_id, key, test, user, api_id, host, port) = first(database, &columns, |row| {
        let key: Option<Vec<u8>> = row.get(1)?;
        let user: (Option<i64>, Option<bool>) = (row.get(3)?, row.get(4)?);
        let api_id: Option<i64> = row.get(5)?;
        Ok((
            row.get(0)?,
            key.map(Zeroizing::new),
            row.get::<_, Option<bool>>(2)?,
            user,
            api_id,
            row.get(6)?,
            row.get(7)?,
        ))
    })?;
    let mut session = session(dc_id, key)?;
    if let Some(address) = place(host, port)? {
        session = session.at(address);
    }
    session.test = Some(test.unwrap_or(false));
    if let (Some(user_id), Some(bot)) = user {
        let user_id = u64::try_from(user_id).map_err(|_| Flaw::Field("its user id is none"))?;
        session.set_user(user_id, bot)?;
    }
    session.set_api_id(api_id.unwrap_or(0))?;
    Ok(session)
}

fn session(dc_id: i32, key: Option<Zeroizing<Vec<u8>>>) -> Result<Foreign, Flaw> {
    let key = key.filter(|key| !key.is_empty()).ok_or(Flaw::NoKey)?;
    if key.len() != 256 {
        return Err(Flaw::length(key.len(), "a key of 256 bytes"));
    }
    Foreign::checked(dc_id, &*Fields(&key).key()?)
}

fn place(host: Option<String>, port: Option<i64>) -> Result<Option<String>, Flaw> {
    let (Some(host), Some(port)) = (host, port) else { return Ok(None) };
    let port = u16::try_from(port).map_err(|_| Flaw::Address)?;
    address::join(&host, port).map(Some)
}

pub(super) fn write(session: &Foreign, format: Format) -> Result<Buffer, ForeignError> {
    let key = session.home_key(format)?;
    let dc_id = session.dc_id;
    let written = match format {
        Format::TelethonFile => {
            let (host, port) = session.home_address(format)?;
            make(TELETHON_7, |database| {
                let row = "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, NULL)";
                database.execute(row, params![dc_id, host, port, key])
            })
        }
        _ => {
            let (user_id, bot) = session.user(format)?;
            let user_id = i64::try_from(user_id).unwrap_or(i64::MAX);
            let (test, api_id) = (session.test.unwrap_or(false), session.api_id(format).ok());
            let elsewhere = session.is_of_own_server().then(|| session.home_address(format));
            match elsewhere.transpose()? {
                None => make(PYROGRAM_3, |database| {
                    let row = "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)";
                    database.execute(row, params![dc_id, api_id, test, key, user_id, bot])
                }),
                Some((host, port)) => make(PYROGRAM_7, |database| {
                    let row = "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)";
                    let values = params![dc_id, host, port, api_id, test, key, user_id, bot];
                    database.execute(row, values)
                }),
            }
        }
    };
    let why = "SQLite has no memory for it";
    written.map_err(|_| ForeignError::Unwritable { format, why })
}

fn make(
    tables: &str,
    fill: impl FnOnce(&Connection) -> rusqlite::Result<usize>,
) -> rusqlite::Result<Buffer> {
    let mut database = Connection::open_in_memory()?;
    database.execute_batch(tables)?;
    fill(&database)?;
    let bytes = database.serialize("main")?;
    Ok(Buffer::new(bytes.to_vec()))
}

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where the header says whether there is a write-ahead log, in two bytes, and what it says if
/// there is none. See sqlite.org/fileformat2.html#the_database_header.
const MODES: usize = 18;
const ROLLBACK: u8 = 1;
/// No file is read that is larger; one that knows a million users is half of it.
pub(super) const LARGEST: usize = 256 * 1024 * 1024;
/// No value of a row is longer.
const LONGEST_VALUE: i32 = 64 * 1024;

const TELETHON_7: &str = "
CREATE TABLE version (version integer primary key);
INSERT INTO version VALUES (7);
CREATE TABLE sessions (dc_id integer primary key, server_address text, port integer,
    auth_key blob, takeout_id integer);
CREATE TABLE entities (id integer primary key, hash integer not null, username text,
    phone integer, name text, date integer);
CREATE TABLE sent_files (md5_digest blob, file_size integer, type integer, id integer,
    hash integer, primary key(md5_digest, file_size, type));
CREATE TABLE update_state (id integer primary key, pts integer, qts integer, date integer,
    seq integer);
";

const PYROGRAM_3: &str = "
CREATE TABLE version (number INTEGER PRIMARY KEY);
INSERT INTO version VALUES (3);
CREATE TABLE sessions (dc_id INTEGER PRIMARY KEY, api_id INTEGER, test_mode INTEGER,
    auth_key BLOB, date INTEGER NOT NULL, user_id INTEGER, is_bot INTEGER);
CREATE TABLE peers (id INTEGER PRIMARY KEY, access_hash INTEGER, type INTEGER NOT NULL,
    username TEXT, phone_number TEXT,
    last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER)));
CREATE INDEX idx_peers_id ON peers (id);
CREATE INDEX idx_peers_username ON peers (username);
CREATE INDEX idx_peers_phone_number ON peers (phone_number);
CREATE TRIGGER trg_peers_last_update_on AFTER UPDATE ON peers BEGIN
    UPDATE peers SET last_update_on = CAST(STRFTIME('%s', 'now') AS INTEGER) WHERE id = NEW.id;
END;
";

const PYROGRAM_7: &str = "
CREATE TABLE version (number INTEGER PRIMARY KEY);
INSERT INTO version VALUES (7);
CREATE TABLE sessions (dc_id INTEGER PRIMARY KEY, server_address TEXT, port INTEGER,
    api_id INTEGER, test_mode INTEGER, auth_key BLOB, date INTEGER NOT NULL, user_id INTEGER,
    is_bot INTEGER);
CREATE TABLE peers (id INTEGER PRIMARY KEY, access_hash INTEGER, type INTEGER NOT NULL,
    phone_number TEXT,
    last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER)));
CREATE TABLE usernames (id INTEGER, username TEXT, FOREIGN KEY (id) REFERENCES peers(id));
CREATE TABLE update_state (id INTEGER PRIMARY KEY, pts INTEGER, qts INTEGER, date INTEGER,
    seq INTEGER);
CREATE INDEX idx_peers_id ON peers (id);
CREATE INDEX idx_peers_phone_number ON peers (phone_number);
CREATE INDEX idx_usernames_id ON usernames (id);
CREATE INDEX idx_usernames_username ON usernames (username);
CREATE TRIGGER trg_peers_last_update_on AFTER UPDATE ON peers BEGIN
    UPDATE peers SET last_update_on = CAST(STRFTIME('%s', 'now') AS INTEGER) WHERE id = NEW.id;
END;
";
