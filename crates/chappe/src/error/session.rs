//! What can be wrong with a session, wherever it is kept.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::session::Holder;

/// A session that cannot be read, used or written.
#[derive(Debug)]
pub struct SessionError {
    pub(super) path: Option<PathBuf>,
    pub(super) account: Option<String>,
    pub(super) problem: SessionProblem,
}

impl SessionError {
    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The account, if the file has many.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// What is wrong with it.
    pub const fn problem(&self) -> &SessionProblem {
        &self.problem
    }

    /// What is wrong with it, to keep.
    pub fn into_problem(self) -> SessionProblem {
        self.problem
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session")?;
        if let Some(path) = &self.path {
            write!(f, " {}", path.display())?;
        }
        if let Some(account) = &self.account {
            write!(f, ", account {account}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.problem)
    }
}

/// What is wrong with a session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionProblem {
    /// The database that keeps it does not answer or refuses.
    #[error("the database cannot be used: {0}; check its URL and whether it is up")]
    Database(String),
    /// It is a session, but bytes of it were changed or are missing.
    #[error("it is damaged; restore a copy, or remove it and sign in again")]
    Damaged,
    /// The passphrase that was given has no letter.
    #[error("the passphrase is empty; give another one, or none at all")]
    EmptyPassphrase,
    /// Another client uses it, in another process or in this one.
    #[error("it is in use by {holder}; end that first, or choose another session")]
    InUse {
        /// Who uses it.
        holder: Holder,
    },
    /// The disk, or a store of your own, failed.
    #[error("it cannot be read or written: {0}")]
    Io(#[source] io::Error),
    /// Its lease is over, and somebody else may have it: nothing was written.
    #[error("its lease is over and somebody else may use it; connect again")]
    LeaseLost,
    /// Nobody can be kept from using it at the same time.
    #[error("its lock {} cannot be taken: {source}; see to it that the file can be written", path.display())]
    Lock {
        /// The file beside the session that is locked.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A later version of chappe wrote it.
    #[error("version {version} of the format is newer than this program; update it")]
    Newer {
        /// The version of the format.
        version: u16,
    },
    /// It has no auth key for its home data centre, and nothing else that could be used.
    #[error("it has no auth key for its home data centre; sign in instead")]
    NoKey,
    /// The path is something else than an ordinary file.
    #[error("the path is {0}; name an ordinary file")]
    NotAFile(&'static str),
    /// The file is something else.
    #[error("the file is no session of chappe; choose another path")]
    NotASession,
    /// A passphrase was given, and the session is not encrypted.
    #[error("it is not encrypted; leave the passphrase out, or encrypt the session first")]
    NotSealed,
    /// It was made with another data centre than the one that was asked for.
    #[error("it belongs to data centre {session}, not {wanted}; choose another session")]
    OtherDc {
        /// The data centre of the session.
        session: i32,
        /// The data centre that was asked for.
        wanted: i32,
    },
    /// It was made with a server that has another public key.
    #[error(
        "it belongs to another server (key {session:016x}, last at {}); \
         choose another session or give that server's address and key",
        if address.is_empty() { "an unknown address" } else { address }
    )]
    OtherServer {
        /// The fingerprint of the key of the session's server.
        session: i64,
        /// The last address of the session's server.
        address: String,
    },
    /// It is encrypted, and no passphrase was given.
    #[error("it is encrypted; give its passphrase")]
    Sealed,
    /// A field is too long for the format.
    #[error("it is too long to be written")]
    Unwritable,
    /// The passphrase that was given does not open it.
    #[error("the passphrase is wrong; try again, or remove the session and sign in anew")]
    WrongPassphrase,
}
