//! What a client keeps between two runs, and where: the [`Session`] and its [`Store`].
//!
//! A session is the auth keys, one a data centre, and what is worth knowing beside them. Whoever
//! holds it *is* the account, so it never shows in `Debug`, is wiped from memory when dropped, and
//! a file of it is readable by its owner only.
//!
//! | You have | Choose |
//! |---|---|
//! | nothing to keep, a test | [`Memory`], the default |
//! | one account on one machine | [`File`], or just a path |
//! | the same, on a disk that others may get hold of | [`File`] with a [`passphrase`](File::passphrase) |
//! | many accounts, one process or many on one machine | [`Sqlite`] (feature `sqlite`), each with a passphrase or without |
//! | accounts that many programs share, on many machines | [`Postgres`] (feature `postgres`) |
//! | a place of your own: a secret manager, a table | your own [`Store`], with [`Session::to_bytes`] or a [`Seal`] |
//!
//! Every one of them keeps the old session or the new one, whatever happens while it is written,
//! and has the new one once [`save`](Store::save) returned.
//!
#![cfg_attr(not(feature = "postgres"), doc = "[`Postgres`]: crate#features")]
#![cfg_attr(not(feature = "sqlite"), doc = "[`Sqlite`]: crate#features")]

mod bytes;
mod file;
pub mod foreign;
pub(crate) mod keeper;
mod lease;
pub(crate) mod lock;
#[cfg(feature = "postgres")]
pub mod postgres;
mod sealed;
#[cfg(feature = "sqlite")]
pub mod sqlite;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chappe_crypto::AuthKey;
use chappe_mtproto::connection::{Resume, Salt};
use zeroize::Zeroizing;

#[cfg(feature = "postgres")]
pub use self::postgres::Postgres;
#[cfg(feature = "sqlite")]
pub use self::sqlite::Sqlite;
pub use self::{
    bytes::SessionBytes,
    file::File,
    foreign::{Foreign, ForeignError, Format},
    lease::{Lease, Moment},
    lock::{Holder, SessionLock},
    sealed::{Passphrase, Seal},
};
use crate::{
    dc::DcOption,
    error::{Error, SessionProblem},
};

/// The auth keys with the data centres of one Telegram, and who is signed in with them.
#[derive(Clone)]
pub struct Session {
    /// Where the account lives, and the main connection leads.
    pub(crate) home: i32,
    pub(crate) server_fingerprint: i64,
    pub(crate) time_offset: i64,
    pub(crate) owner: Owner,
    /// What the program was known by when somebody signed in, if that is known.
    pub(crate) api_id: Option<i32>,
    /// Those that there is a key for: none after a sign-out, else the home is among them.
    pub(crate) dcs: BTreeMap<i32, Dc>,
    /// What lets those who were signed in here do so again without a code, the newest first.
    pub(crate) tokens: Vec<Token>,
}

/// A future auth token. See core.telegram.org/api/auth#future-auth-tokens.
pub(crate) type Token = Zeroizing<Vec<u8>>;

/// What is kept of one data centre.
#[derive(Clone)]
pub(crate) struct Dc {
    pub(crate) address: String,
    pub(crate) key: AuthKey,
    pub(crate) salts: Vec<Salt>,
    /// Whether whoever is signed in is so with this key, by sign-in or by import.
    pub(crate) signed_in: bool,
    /// Whether the address is the one that the program gave.
    pub(crate) given: bool,
}

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Nobody,
    /// Somebody; the session was brought from another library that does not say who.
    Unknown,
    User(i64),
    Bot(i64),
}

impl Owner {
    /// Whether anybody is signed in.
    pub(crate) fn is_somebody(self) -> bool {
        self != Self::Nobody
    }
}

/// One data centre of a session that another program made.
pub(crate) struct ForeignDc {
    pub(crate) dc_id: i32,
    /// As `host:port`, if it is known.
    pub(crate) address: Option<String>,
    pub(crate) key: AuthKey,
}

impl Session {
    /// The home data centre: where the account lives, as far as is known.
    pub const fn dc_id(&self) -> i32 {
        self.home
    }

    /// The data centres that there is an auth key for, the home among them.
    pub fn dc_ids(&self) -> impl Iterator<Item = i32> + '_ {
        self.dcs.keys().copied()
    }

    /// The address of the home that was dialled last, as `host:port`; empty if a connector was
    /// used.
    pub fn address(&self) -> &str {
        self.dcs.get(&self.home).map_or("", |dc| &dc.address)
    }

    /// The fingerprint of the servers' public key.
    pub const fn server_fingerprint(&self) -> i64 {
        self.server_fingerprint
    }

    /// Whether somebody is signed in, as far as this session knows. It may be somebody without a
    /// [`user_id`](Self::user_id), until [`Client::me`](crate::Client::me) found out who.
    pub fn is_signed_in(&self) -> bool {
        self.owner.is_somebody()
    }

    /// The id of the user or bot that signed in, as far as this session knows.
    pub const fn user_id(&self) -> Option<i64> {
        match self.owner {
            Owner::User(user_id) | Owner::Bot(user_id) => Some(user_id),
            Owner::Nobody | Owner::Unknown => None,
        }
    }

    /// Whether a bot signed in.
    pub const fn is_bot(&self) -> bool {
        matches!(self.owner, Owner::Bot(_))
    }

    /// The api id of the program that signed in, if that is known.
    pub const fn api_id(&self) -> Option<i32> {
        self.api_id
    }

    /// A session of a server, without a key yet.
    pub(crate) const fn new(home: i32, server_fingerprint: i64) -> Self {
        Self {
            home,
            server_fingerprint,
            time_offset: 0,
            owner: Owner::Nobody,
            api_id: None,
            dcs: BTreeMap::new(),
            tokens: Vec::new(),
        }
    }

    /// A session that another program made. Whether its keys are good is seen when they are
    /// used; that somebody is signed in at other data centres than the home is not assumed.
    ///
    /// # Errors
    /// [`SessionProblem::NoKey`] if there is no key for the home.
    pub(crate) fn assemble(
        home: i32,
        server_fingerprint: i64,
        owner: Owner,
        api_id: Option<i32>,
        dcs: impl IntoIterator<Item = ForeignDc>,
    ) -> Result<Self, SessionProblem> {
        let mut session = Self { owner, api_id, ..Self::new(home, server_fingerprint) };
        for ForeignDc { dc_id, address, key } in dcs {
            let dc = Dc {
                address: address.unwrap_or_default(),
                key,
                salts: Vec::new(),
                signed_in: dc_id == home && owner.is_somebody(),
                given: false,
            };
            session.dcs.insert(dc_id, dc);
        }
        if !session.dcs.contains_key(&home) {
            return Err(SessionProblem::NoKey);
        }
        Ok(session)
    }

    /// What is left after a sign-out; `None` if that is nothing. Like a new session it begins at
    /// the data centre whose address the program gave.
    pub(crate) fn signed_out(&self, given: Option<i32>) -> Option<Self> {
        let left = Self::new(given.unwrap_or(self.home), self.server_fingerprint);
        let tokens = self.tokens.clone();
        (!tokens.is_empty()).then_some(Self { time_offset: self.time_offset, tokens, ..left })
    }

    /// Keeps a token for later sign-ins, and of too many the newest.
    pub(crate) fn remember(&mut self, token: &[u8]) {
        // The length of one is written in two bytes; those of Telegram are far shorter.
        if token.is_empty() || token.len() > usize::from(u16::MAX) {
            return;
        }
        self.tokens.retain(|known| known.as_slice() != token);
        self.tokens.insert(0, Zeroizing::new(token.to_vec()));
        self.tokens.truncate(MOST_TOKENS);
    }

    /// Writes the session in the format of the session file, for a [`Store`] of your own.
    ///
    /// # Errors
    /// [`Error::Session`] if a field is too long for the format.
    pub fn to_bytes(&self) -> Result<SessionBytes, Error> {
        bytes::write(self).map_err(|problem| Error::session(None, problem))
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Session`] if it is no session, damaged, or of a newer version.
    pub fn from_bytes(input: &[u8]) -> Result<Self, Error> {
        bytes::read(input).map_err(|problem| Error::session(None, problem))
    }

    /// The data centre whose address the program gave; else the home.
    pub(crate) fn named(&self) -> i32 {
        let given = self.dcs.iter().find(|(_, dc)| dc.given);
        given.map_or(self.home, |(dc_id, _)| *dc_id)
    }

    /// Where data centres were reached, but for the one whose address the program gives anew.
    pub(crate) fn remembered(&self, given: Option<i32>) -> Vec<DcOption> {
        let known =
            self.dcs.iter().filter(|(dc_id, dc)| Some(**dc_id) != given && !dc.address.is_empty());
        known.map(|(dc_id, dc)| DcOption::new(*dc_id, dc.address.as_str())).collect()
    }

    /// What a connection to this data centre goes on with.
    pub(crate) fn resume(&self, dc_id: i32) -> Option<Resume> {
        let dc = self.dcs.get(&dc_id)?;
        let (key, salts) = (dc.key.clone(), dc.salts.clone());
        Some(Resume { key, salts, time_offset: self.time_offset })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("dc_id", &self.home)
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// A place where one session is kept.
///
/// The client calls it from a blocking thread, one call at a time, and waits for the answer of
/// [`save`](Self::save) before it relies on a new auth key or a new sign-in.
///
/// One of your own keeps bytes, here in a secret manager with blocking calls of its own:
///
/// ```
/// use chappe::{Client, Error, session::{Session, Store}};
/// # struct Vault;
/// # impl Vault {
/// #     fn read(&self, _: &str) -> std::io::Result<Option<Vec<u8>>> { Ok(None) }
/// #     fn write(&self, _: &str, _: &[u8]) -> std::io::Result<()> { Ok(()) }
/// #     fn remove(&self, _: &str) -> std::io::Result<()> { Ok(()) }
/// # }
///
/// struct Secret(Vault);
///
/// impl Store for Secret {
///     fn load(&self) -> Result<Option<Session>, Error> {
///         let kept = self.0.read("telegram").map_err(Error::store)?;
///         kept.map(|bytes| Session::from_bytes(&bytes)).transpose()
///     }
///
///     fn save(&self, session: &Session) -> Result<(), Error> {
///         self.0.write("telegram", session.to_bytes()?.as_ref()).map_err(Error::store)
///     }
///
///     fn clear(&self) -> Result<(), Error> {
///         self.0.remove("telegram").map_err(Error::store)
///     }
/// }
///
/// let client = Client::builder(12345, "api hash").session(Secret(Vault));
/// ```
pub trait Store: Send + Sync + 'static {
    /// Reads the session; `None` if there is none yet.
    ///
    /// # Errors
    /// What keeps it from being read; [`Error::store`] makes one of an [`std::io::Error`].
    fn load(&self) -> Result<Option<Session>, Error>;

    /// Keeps the session: after this returned, a killed process finds it again.
    ///
    /// # Errors
    /// What keeps it from being written. What was kept before must then still be there.
    fn save(&self, session: &Session) -> Result<(), Error>;

    /// Forgets the session, which was signed out and of which nothing is left to be kept.
    ///
    /// # Errors
    /// What keeps it from being removed.
    fn clear(&self) -> Result<(), Error>;

    /// Takes the session for one client alone: while the lock is there every other attempt fails
    /// with [`SessionProblem::InUse`]. A client takes it before
    /// anything else and keeps it until it is closed or dropped. It must end with the process, or
    /// a killed one would lock everybody out: by itself, like a lock of the operating system, or
    /// after a time, with a [`Lease`]. By default there is none.
    ///
    /// # Errors
    /// [`SessionProblem::InUse`] if another client has it, or what
    /// keeps it from being taken.
    fn lock(&self) -> Result<Option<SessionLock>, Error> {
        Ok(None)
    }

    /// The file, for errors to name; `None` if it is not one.
    fn path(&self) -> Option<&Path> {
        None
    }
}

/// What [`Builder::session`](crate::Builder::session) takes: a path, or any [`Store`].
pub trait IntoStore {
    /// Makes the store.
    fn into_store(self) -> Box<dyn Store>;
}

impl<S: Store> IntoStore for S {
    fn into_store(self) -> Box<dyn Store> {
        Box::new(self)
    }
}

impl IntoStore for &str {
    fn into_store(self) -> Box<dyn Store> {
        Box::new(File::new(self))
    }
}

impl IntoStore for String {
    fn into_store(self) -> Box<dyn Store> {
        Box::new(File::new(self))
    }
}

impl IntoStore for &String {
    fn into_store(self) -> Box<dyn Store> {
        Box::new(File::new(self))
    }
}

impl IntoStore for &Path {
    fn into_store(self) -> Box<dyn Store> {
        Box::new(File::new(self))
    }
}

impl IntoStore for PathBuf {
    fn into_store(self) -> Box<dyn Store> {
        Box::new(File::new(self))
    }
}

impl IntoStore for &PathBuf {
    fn into_store(self) -> Box<dyn Store> {
        Box::new(File::new(self))
    }
}

/// Keeps the session for the life of the process. The default.
#[derive(Default)]
pub struct Memory {
    session: Mutex<Option<Session>>,
}

impl Memory {
    /// Makes an empty place.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Session> for Memory {
    fn from(session: Session) -> Self {
        Self { session: Mutex::new(Some(session)) }
    }
}

impl Store for Memory {
    fn load(&self) -> Result<Option<Session>, Error> {
        Ok(self.lock().clone())
    }

    fn save(&self, session: &Session) -> Result<(), Error> {
        *self.lock() = Some(session.clone());
        Ok(())
    }

    fn clear(&self) -> Result<(), Error> {
        *self.lock() = None;
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl<S: Store + ?Sized> Store for std::sync::Arc<S> {
    fn load(&self) -> Result<Option<Session>, Error> {
        (**self).load()
    }

    fn save(&self, session: &Session) -> Result<(), Error> {
        (**self).save(session)
    }

    fn clear(&self) -> Result<(), Error> {
        (**self).clear()
    }

    fn lock(&self) -> Result<Option<SessionLock>, Error> {
        (**self).lock()
    }

    fn path(&self) -> Option<&Path> {
        (**self).path()
    }
}

/// Tokens for later sign-ins that are kept at once.
/// See core.telegram.org/api/auth#future-auth-tokens.
pub(crate) const MOST_TOKENS: usize = 20;
