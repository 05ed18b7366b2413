//! What a client keeps between two runs, and where: the [`Session`] and its [`Store`].
//!
//! A session is the auth key and what is worth knowing beside it. Whoever holds it *is* the
//! account, so it never shows in `Debug`, is wiped from memory when dropped, and a file of it is
//! readable by its owner only.

mod bytes;
mod file;
pub(crate) mod keeper;
pub(crate) mod lock;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chappe_crypto::AuthKey;
use chappe_mtproto::connection::{Resume, Salt};

pub use self::{
    bytes::SessionBytes,
    file::File,
    lock::{Holder, SessionLock},
};
use crate::error::Error;

/// One auth key with one server, and who is signed in with it.
#[derive(Clone)]
pub struct Session {
    pub(crate) dc_id: i32,
    pub(crate) address: String,
    pub(crate) server_fingerprint: i64,
    pub(crate) key: AuthKey,
    pub(crate) salts: Vec<Salt>,
    pub(crate) time_offset: i64,
    pub(crate) owner: Option<Owner>,
}

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) user_id: i64,
    pub(crate) bot: bool,
}

impl Session {
    /// The data centre that the auth key belongs to.
    pub const fn dc_id(&self) -> i32 {
        self.dc_id
    }

    /// The address that was dialled last, as `host:port`; empty if a connector was used.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The fingerprint of the server's public key.
    pub const fn server_fingerprint(&self) -> i64 {
        self.server_fingerprint
    }

    /// The id of the user or bot that signed in, as far as this session knows.
    pub fn user_id(&self) -> Option<i64> {
        self.owner.map(|owner| owner.user_id)
    }

    /// Whether a bot signed in.
    pub fn is_bot(&self) -> bool {
        self.owner.is_some_and(|owner| owner.bot)
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

    pub(crate) fn to_resume(&self) -> Resume {
        Resume { key: self.key.clone(), salts: self.salts.clone(), time_offset: self.time_offset }
    }

    pub(crate) fn take(&mut self, resume: Resume) {
        self.key = resume.key;
        self.salts = resume.salts;
        self.time_offset = resume.time_offset;
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("dc_id", &self.dc_id)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A place where one session is kept.
///
/// The client calls it from a blocking thread, one call at a time, and waits for the answer of
/// [`save`](Self::save) before it relies on a new auth key or a new sign-in.
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

    /// Forgets the session, which was signed out.
    ///
    /// # Errors
    /// What keeps it from being removed.
    fn clear(&self) -> Result<(), Error>;

    /// Takes the session for one client alone: while the lock is there every other attempt fails
    /// with [`SessionProblem::InUse`](crate::SessionProblem::InUse). A client takes it before
    /// anything else and keeps it until it is closed or dropped. It must end with the process, or
    /// a killed one would lock everybody out. By default there is none.
    ///
    /// # Errors
    /// [`SessionProblem::InUse`](crate::SessionProblem::InUse) if another client has it, or what
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
