//! Where the rows are kept: memory or a file that a killed process leaves whole.

use std::{collections::BTreeMap, io, path::Path, time::Duration};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rusqlite::{Connection, ErrorCode};

use super::{Codes, Dcs, World, messages::buttons::Queries};
use crate::{Error, error::DatabaseError, failure::Stop};

/// The version of the tables of today, kept in the file's `user_version`.
const VERSION: i32 = 5;

/// The steps from nothing to the tables of today. One that was published never changes.
const STEPS: [&str; VERSION as usize] = [
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
];

/// The name of the database within the data directory.
const FILE: &str = "chappe.sqlite";

/// What a world is opened with.
#[derive(Debug)]
pub(crate) struct Origin<'a> {
    /// The data directory; memory if there is none.
    pub(crate) directory: Option<&'a Path>,
    /// Where all random numbers come from.
    pub(crate) seed: [u8; 32],
    /// Where login codes come from.
    pub(crate) codes: Codes,
    /// Which data centres there are.
    pub(crate) dcs: Dcs,
}

impl World {
    /// Opens the world, and makes it with its demonstration account if it is new.
    ///
    /// # Errors
    /// When the directory cannot be used, is in use, or holds a newer state.
    pub(crate) fn open(origin: Origin<'_>, now: i32) -> Result<Self, Error> {
        let db = match origin.directory {
            None => Connection::open_in_memory()?,
            Some(directory) => open_file(directory)?,
        };
        db.execute_batch("PRAGMA foreign_keys = ON")?;
        db.set_prepared_statement_cache_capacity(128);
        let version: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version > VERSION {
            return Err(Error::NewerState { found: version, known: VERSION });
        }
        let mut world = Self {
            db,
            rng: ChaCha20Rng::from_seed(origin.seed),
            codes: origin.codes,
            dcs: origin.dcs,
            sessions: BTreeMap::new(),
            calls: BTreeMap::new(),
            last_letter: 0,
            web: None,
            news: Vec::new(),
            answers: Vec::new(),
            queries: Queries::default(),
            asking: None,
        };
        world.db.execute_batch("BEGIN IMMEDIATE")?;
        world.bring_up(now, version).map_err(|stop| match stop {
            Stop::Broken(error) => Error::Database(DatabaseError::from(error)),
            Stop::Refused(_) | Stop::Undone => Error::Stopped,
        })?;
        world.separate_randomness()?;
        world.count_letters()?;
        world.db.execute_batch("COMMIT")?;
        Ok(world)
    }

    /// Makes the tables of today out of those of a version, and fills them if they are new.
    fn bring_up(&mut self, now: i32, version: i32) -> Result<(), Stop> {
        if version == VERSION {
            return Ok(());
        }
        for (_, step) in (0..).zip(STEPS).filter(|(before, _)| *before >= version) {
            self.db.execute_batch(step)?;
        }
        if version == 0 {
            self.seed(now)?;
        }
        if version < 2 {
            self.settle_version_1()?;
        }
        if version < 4 {
            self.add_service(now)?;
        }
        self.db.pragma_update(None, "user_version", VERSION)?;
        Ok(())
    }

    /// Moves on to random numbers that no earlier opening of the same file used.
    fn separate_randomness(&mut self) -> rusqlite::Result<()> {
        let opened: i64 = self.db.query_row(
            "INSERT INTO meta (name, value) VALUES ('opened', 1)
             ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            [],
            |row| row.get(0),
        )?;
        self.rng.set_stream(opened.unsigned_abs());
        Ok(())
    }
}

/// Opens the file of a data directory, readable by its owner only and by one server at a time.
fn open_file(directory: &Path) -> Result<Connection, Error> {
    make_directory(directory).map_err(|source| unusable(directory, source))?;
    let path = directory.join(FILE);
    make_file(&path).map_err(|source| unusable(&path, source))?;
    let db = Connection::open(&path)?;
    db.busy_timeout(Duration::ZERO)?;
    // Exclusive: two servers on one file would hand out the same ids. In WAL with NORMAL a commit
    // is in the system's hands when it returns: the end of the process does not undo it.
    let locked = db.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         BEGIN IMMEDIATE; COMMIT;",
    );
    match locked {
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
            ) =>
        {
            Err(Error::DataInUse(Box::new(directory.to_owned())))
        }
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
            ) =>
        {
            Err(Error::NoDatabase(Box::new(path)))
        }
        Err(error) => Err(error.into()),
        Ok(()) => Ok(db),
    }
}

/// Makes a directory that only its owner can look into; one that exists stays as it is.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    if path.exists() && !path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is a file, not a directory"));
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes an empty file that only its owner can read; one that exists loses others' rights.
/// SQLite gives its companions the rights of the database.
fn make_file(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    drop(file);
    Ok(())
}

fn unusable(path: &Path, source: io::Error) -> Error {
    Error::Data { path: Box::new(path.to_owned()), source: Box::new(source) }
}
