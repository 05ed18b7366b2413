//! Many sessions in one SQLite file: a row an account, each with a lock and, on request, a
//! passphrase of its own. Needs the feature `sqlite`.
//!
//! | column | what |
//! |---|---|
//! | `name` | the account, as the program calls it |
//! | `session` | what `bytes.rs` describes, or the envelope of `sealed.rs`, bound to the name |
//! | `checksum` | SHA-256 of the name's length (4 bytes, little endian), the name and the session |
//!
//! The file has the application id `CHse` and the version of its tables in `user_version`.
//!
//! It is written with a rollback journal, not a write-ahead log: between two saves there is one
//! file and no copy of a key beside it, a copy of that file is complete, and a network file system
//! needs locks only. `synchronous = EXTRA` brings the end of the journal to the disk before a save
//! returns; with `FULL` a power cut could bring the session of before back. `secure_delete`
//! overwrites what is replaced.
//!
//! An account is locked like a [`File`](super::File): by `FILE.NAME.lock` beside the database,
//! the name's unusual characters as `%XX`. SQLite's own locks last for one save.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chappe_crypto::sha256;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior,
    config::DbConfig, limits::Limit, types::ValueRef,
};
use zeroize::Zeroizing;

use super::{
    Passphrase, Seal, Session, SessionLock, Store, bytes,
    file::examine,
    lock::{self, shown},
    sealed,
};
use crate::error::{Error, SessionProblem};

/// Keeps the sessions of many accounts in one SQLite file, readable by its owner only (mode
/// 0600). Many processes and many clients may use the file at the same time, each another account.
/// Needs the feature `sqlite`.
///
/// ```no_run
/// # async fn example() -> Result<(), chappe::Error> {
/// use chappe::{Client, session::Sqlite};
///
/// let accounts = Sqlite::open("accounts.sqlite")?;
/// let alice = Client::builder(12345, "api hash").session(accounts.account("alice")?);
/// let bob = Client::builder(12345, "api hash").session(accounts.account("bob")?);
/// let (alice, bob) = (alice.connect().await?, bob.connect().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sqlite {
    pub(super) database: Arc<Database>,
}

impl Sqlite {
    /// Opens the file, and makes it if there is none. Symbolic links and folders are refused.
    ///
    /// # Errors
    /// [`Error::Session`]: [`NotASession`](SessionProblem::NotASession) for a database of somebody
    /// else, which is left alone, [`Damaged`](SessionProblem::Damaged),
    /// [`Newer`](SessionProblem::Newer), or what keeps it from being opened.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        match open(&path) {
            Ok((db, place)) => {
                let database = Database { path, place, db: Mutex::new(db) };
                Ok(Self { database: Arc::new(database) })
            }
            Err(problem) => Err(Error::session(Some(&path), problem)),
        }
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.database.path
    }

    /// The place of one account, which need not be there yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the name is empty, longer than 64 bytes, or has control characters.
    pub fn account(&self, name: impl Into<String>) -> Result<Account, Error> {
        let name = name.into();
        if !is_name(&name) {
            return Err(Error::Invalid(
                "the name of an account has 1 to 64 bytes and no control characters",
            ));
        }
        Ok(Account { database: Arc::clone(&self.database), name, seal: None })
    }

    /// All accounts by name, as far as they can be looked into without a passphrase.
    ///
    /// # Errors
    /// [`Error::Session`] if the file cannot be read. A single account that is damaged is listed
    /// as [`Kept::Broken`].
    pub fn accounts(&self) -> Result<Vec<Listed>, Error> {
        self.database.list().map_err(|problem| Error::session(Some(self.path()), problem))
    }

    /// Forgets an account, whatever its passphrase; false if there is none of that name.
    ///
    /// # Errors
    /// [`Error::Session`] if a client uses it, or if the file cannot be written.
    pub fn remove(&self, name: &str) -> Result<bool, Error> {
        let account = self.account(name)?;
        let _lock = account.lock()?;
        self.database.remove(name).map_err(|problem| account.failed(problem))
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.database.path).finish_non_exhaustive()
    }
}

/// What a file of many accounts says about one of them.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listed {
    /// The account's name.
    pub name: String,
    /// What is kept of it.
    pub kept: Kept,
}

/// What is kept of an account, without its secrets.
#[derive(Debug)]
#[non_exhaustive]
pub enum Kept {
    /// It cannot be read, for a reason that no passphrase removes.
    Broken(SessionProblem),
    /// It is encrypted.
    Sealed,
    /// It is not encrypted.
    #[non_exhaustive]
    Session {
        /// The home data centre.
        dc_id: i32,
        /// Whether somebody is signed in.
        signed_in: bool,
        /// Who is signed in, as far as is known.
        user_id: Option<i64>,
        /// Whether that is a bot.
        bot: bool,
    },
}

/// One account of a [`Sqlite`]: the store that a client takes.
#[derive(Clone)]
pub struct Account {
    pub(super) database: Arc<Database>,
    name: String,
    seal: Option<Arc<Seal>>,
}

impl Account {
    /// Keeps the account encrypted, by the rules of [`File::passphrase`](super::File::passphrase).
    #[must_use]
    pub fn passphrase(self, passphrase: impl Into<Passphrase>) -> Self {
        self.seal(Seal::new(passphrase))
    }

    /// The name of the account.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is a session that is encrypted, so that a passphrase must be asked for.
    ///
    /// # Errors
    /// [`Error::Session`] if it cannot be read.
    pub fn is_sealed(&self) -> Result<bool, Error> {
        let row = self.database.row(&self.name).map_err(|problem| self.failed(problem))?;
        Ok(row.is_some_and(|content| sealed::is_sealed(&content)))
    }

    /// Encrypts, decrypts or encrypts anew the session that is there, by the rules of
    /// [`File::change_passphrase`](super::File::change_passphrase).
    ///
    /// # Errors
    /// [`Error::Session`] if the session is in use, if it cannot be opened with what this value
    /// knows, or if there is none.
    pub fn change_passphrase(&self, new: Option<Passphrase>) -> Result<Self, Error> {
        let plain = Self { seal: None, ..self.clone() };
        let changed = match new {
            Some(new) => plain.passphrase(new),
            None => plain,
        };
        let _lock = self.lock()?;
        self.rewrite(&changed).map_err(|problem| self.failed(problem))?;
        Ok(changed)
    }

    pub(super) fn seal(mut self, seal: Seal) -> Self {
        self.seal = Some(Arc::new(seal.named(&self.name)));
        self
    }

    /// Writes the session anew as another value of the same account keeps it.
    pub(super) fn rewrite(&self, changed: &Self) -> Result<(), SessionProblem> {
        let missing = || SessionProblem::Io(io::ErrorKind::NotFound.into());
        let session = self.read()?.ok_or_else(missing)?;
        let content = sealed::write(changed.seal.as_deref(), &session, None)?;
        self.database.write(&self.name, content.as_ref())
    }

    fn read(&self) -> Result<Option<Session>, SessionProblem> {
        let Some(content) = self.database.row(&self.name)? else { return Ok(None) };
        sealed::read(self.seal.as_deref(), &content).map(Some)
    }

    fn write(&self, session: &Session) -> Result<(), SessionProblem> {
        let before = self.database.row(&self.name)?;
        let before = before.as_ref().map(|content| content.as_slice());
        let content = sealed::write(self.seal.as_deref(), session, before)?;
        self.database.write(&self.name, content.as_ref())
    }

    fn failed(&self, problem: SessionProblem) -> Error {
        Error::session_of(&self.database.path, &self.name, problem)
    }
}

impl Store for Account {
    fn load(&self) -> Result<Option<Session>, Error> {
        self.read().map_err(|problem| self.failed(problem))
    }

    fn save(&self, session: &Session) -> Result<(), Error> {
        self.write(session).map_err(|problem| self.failed(problem))
    }

    fn clear(&self) -> Result<(), Error> {
        self.database.remove(&self.name).map(drop).map_err(|problem| self.failed(problem))
    }

    fn lock(&self) -> Result<Option<SessionLock>, Error> {
        let taken = lock_path(&self.database.place, &self.name).and_then(|path| lock::take(&path));
        taken.map(Some).map_err(|problem| self.failed(problem))
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.database.path)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("path", &self.database.path)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The open file.
pub(super) struct Database {
    path: PathBuf,
    /// The same from the root and without links: where the program is may change.
    place: PathBuf,
    db: Mutex<Connection>,
}

impl Database {
    pub(super) fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept of an account; `None` only if nothing says that something is missing.
    pub(super) fn row(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SessionProblem> {
        let mut db = self.db();
        let view = db.transaction().map_err(problem)?;
        let row = view
            .query_row(
                "SELECT name, session, checksum FROM account WHERE name = ?1",
                [name],
                |row| Ok(content(row)),
            )
            .optional()
            .map_err(problem)?;
        match row {
            Some(content) => content.map(Some),
            None => verify(&view).map(|()| None),
        }
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<(), SessionProblem> {
        let written = self.db().execute(
            "INSERT INTO account (name, session, checksum) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET session = ?2, checksum = ?3",
            (name, content, checksum(name.as_bytes(), content)),
        );
        written.map(drop).map_err(problem)
    }

    fn remove(&self, name: &str) -> Result<bool, SessionProblem> {
        let removed = self.db().execute("DELETE FROM account WHERE name = ?1", [name]);
        removed.map(|count| count > 0).map_err(problem)
    }

    fn list(&self) -> Result<Vec<Listed>, SessionProblem> {
        let db = self.db();
        let mut rows = db
            .prepare("SELECT name, session, checksum FROM account ORDER BY name")
            .map_err(problem)?;
        let listed = rows.query_map([], |row| Ok(listed(row))).map_err(problem)?;
        listed.collect::<rusqlite::Result<_>>().map_err(problem)
    }
}

/// Opens the file, if it is ours or can be, and brings its tables up to date. Says where it is.
fn open(path: &Path) -> Result<(Connection, PathBuf), SessionProblem> {
    let is_there = examine(path)?;
    let name = path.file_name().ok_or(SessionProblem::NotAFile("no file name"))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Links on the way are the system's matter; SQLite would refuse them too.
    let path = folder.canonicalize().map_err(SessionProblem::Io)?.join(name);
    let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_there {
        make(&path).map_err(SessionProblem::Io)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut db = Connection::open_with_flags(&path, flags).map_err(problem)?;
    distrust(&db).map_err(problem)?;
    let view = db.transaction().map_err(problem)?;
    let found = identify(&view)?;
    drop(view);
    keep_to_its_owner(&path).map_err(SessionProblem::Io)?;
    let mode: String = db
        .pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))
        .map_err(problem)?;
    if mode != "delete" {
        return Err(busy());
    }
    if found != VERSION {
        bring_up(&mut db)?;
    }
    Ok((db, path))
}

/// Settings under which a file of a stranger can do nothing but be wrong.
fn distrust(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(PATIENCE)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, LARGEST)?;
    db.execute_batch(
        "PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;
         PRAGMA secure_delete = ON;
         PRAGMA synchronous = EXTRA;
         PRAGMA temp_store = MEMORY;",
    )
}

/// The version of the tables; 0 if there are none yet.
fn identify(view: &Connection) -> Result<u32, SessionProblem> {
    let number = |name| view.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application = number("application_id").map_err(problem)?;
    let version = number("user_version").map_err(problem)?;
    let mut schema =
        view.prepare("SELECT sql FROM sqlite_schema ORDER BY rowid LIMIT 2").map_err(problem)?;
    let schema: Vec<Option<String>> =
        schema.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(problem)?;
    match (application, version) {
        (0, 0) if schema.is_empty() => Ok(0),
        (APPLICATION, 1) => {
            // A view or a trigger in their place could do anything.
            let is_ours = matches!(schema.as_slice(), [Some(table)] if table == TABLE);
            if is_ours { Ok(VERSION) } else { Err(SessionProblem::Damaged) }
        }
        (APPLICATION, ..=0) => Err(SessionProblem::Damaged),
        (APPLICATION, newer) => {
            Err(SessionProblem::Newer { version: newer.try_into().unwrap_or(u16::MAX) })
        }
        _ => Err(SessionProblem::NotASession),
    }
}

/// Makes the tables of today, unless another process was faster.
fn bring_up(db: &mut Connection) -> Result<(), SessionProblem> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(problem)?;
    let found = identify(&change)?;
    let steps = || -> rusqlite::Result<()> {
        for (_, step) in (0..).zip(STEPS).filter(|(before, _)| *before >= found) {
            change.execute_batch(step)?;
        }
        change.pragma_update(None, "application_id", APPLICATION)?;
        change.pragma_update(None, "user_version", VERSION)
    };
    steps().map_err(problem)?;
    change.commit().map_err(problem)
}

/// Makes an empty file that only its owner can read. SQLite gives its journal the same rights.
fn make(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    // Never one that is there: closing it would take away the locks that SQLite has on it.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// Takes away the rights of everybody else.
fn keep_to_its_owner(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::symlink_metadata(path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Checks that no row is lost or damaged: a damaged name is not found, and would look like an
/// account that was never there.
fn verify(view: &Transaction<'_>) -> Result<(), SessionProblem> {
    let verdict: String =
        view.pragma_query_value(None, "integrity_check", |row| row.get(0)).map_err(problem)?;
    if verdict != "ok" {
        return Err(SessionProblem::Damaged);
    }
    let mut rows = view.prepare("SELECT name, session, checksum FROM account").map_err(problem)?;
    let mut rows = rows.query([]).map_err(problem)?;
    while let Some(row) = rows.next().map_err(problem)? {
        content(row)?;
    }
    Ok(())
}

/// The session of a row, if its checksum is right.
fn content(row: &Row<'_>) -> Result<Zeroizing<Vec<u8>>, SessionProblem> {
    let bytes = |column| match row.get_ref(column) {
        Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Ok(bytes),
        Ok(_) => Err(SessionProblem::Damaged),
        Err(error) => Err(problem(error)),
    };
    let (name, content, expected) = (bytes(0)?, bytes(1)?, bytes(2)?);
    if checksum(name, content).as_slice() != expected {
        return Err(SessionProblem::Damaged);
    }
    Ok(Zeroizing::new(content.to_vec()))
}

fn listed(row: &Row<'_>) -> Listed {
    let kept = match content(row) {
        Ok(content) if sealed::is_sealed(&content) => Kept::Sealed,
        Ok(content) => match bytes::read(&content) {
            Ok(session) => Kept::Session {
                dc_id: session.dc_id(),
                signed_in: session.is_signed_in(),
                user_id: session.user_id(),
                bot: session.is_bot(),
            },
            Err(problem) => Kept::Broken(problem),
        },
        Err(problem) => Kept::Broken(problem),
    };
    let name = match row.get_ref(0) {
        Ok(ValueRef::Text(name) | ValueRef::Blob(name)) => String::from_utf8_lossy(name),
        _ => "?".into(),
    };
    if is_name(&name) {
        return Listed { name: name.into_owned(), kept };
    }
    Listed { name: shown(&name), kept: Kept::Broken(SessionProblem::Damaged) }
}

fn checksum(name: &[u8], content: &[u8]) -> [u8; 32] {
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    sha256(&[&length.to_le_bytes(), name, content])
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// What the lock of an account is beside: the database's name and the account's. Two accounts
/// never share one, not even where file names know no case.
fn lock_path(database: &Path, account: &str) -> Result<PathBuf, SessionProblem> {
    let mut name = database.file_name().ok_or(SessionProblem::NotAFile("no file name"))?.to_owned();
    name.push(".");
    for byte in account.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte).to_string()),
            byte => name.push(format!("%{byte:02x}")),
        }
    }
    Ok(database.with_file_name(name))
}

fn busy() -> SessionProblem {
    let words = "another program keeps it locked, try again later";
    SessionProblem::Io(io::Error::new(io::ErrorKind::ResourceBusy, words))
}

/// What SQLite's words mean for a session.
fn problem(error: rusqlite::Error) -> SessionProblem {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => SessionProblem::NotASession,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::TooBig) => SessionProblem::Damaged,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => busy(),
        Some(ErrorCode::DiskFull) => SessionProblem::Io(io::ErrorKind::StorageFull.into()),
        Some(_) => SessionProblem::Io(io::Error::other(error)),
        // Values of a type or range that was never written.
        None => SessionProblem::Damaged,
    }
}

/// One file is opened after the other: the system forgets all locks that a process has on a file
/// when it closes that file once, and [`make`] does.
static OPENING: Mutex<()> = Mutex::new(());

/// `CHse`.
const APPLICATION: i64 = 0x4348_7365;
/// The version of the tables of today.
const VERSION: u32 = 1;
/// The steps from nothing to the tables of today. One that was published never changes.
const STEPS: [&str; VERSION as usize] = [TABLE];
const TABLE: &str = "CREATE TABLE account (
    name TEXT NOT NULL PRIMARY KEY,
    session BLOB NOT NULL,
    checksum BLOB NOT NULL
) STRICT, WITHOUT ROWID";
/// How long a save waits for those of others.
const PATIENCE: Duration = Duration::from_secs(10);
/// No value is larger, in bytes; a session is much smaller.
const LARGEST: i32 = 4 * 1024 * 1024;
const LONGEST_NAME: usize = 64;
