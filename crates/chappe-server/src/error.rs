//! What can go wrong between the one who starts a server and the machine.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why a server could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is reachable from other machines.
    #[error(
        "refusing to listen on {0}: this server lets everybody in who knows the printed codes; \
         listen on 127.0.0.1 or ask for the exposure by name"
    )]
    NotLoopback(Box<SocketAddr>),
    /// The address of the control port is reachable from other machines.
    #[error(
        "refusing to open a control port on {0}: whoever reaches it can break the server; use \
         127.0.0.1 or [::1]"
    )]
    ControlNotLoopback(Box<SocketAddr>),
    /// The address of the pages or of the dashboard is reachable from other machines.
    #[error(
        "refusing to serve pages on {0}: whoever reaches them can log in to sites as any account; \
         use 127.0.0.1 or [::1]"
    )]
    WebNotLoopback(Box<SocketAddr>),
    /// The listening socket could not be opened.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: Box<SocketAddr>,
        /// What the system said.
        source: Box<io::Error>,
    },
    /// A file or folder of the data directory could not be read or written.
    #[error("cannot use {path}: {source}")]
    Data {
        /// The file or folder.
        path: Box<PathBuf>,
        /// What the system said.
        source: Box<io::Error>,
    },
    /// Another server holds the data directory.
    #[error("{0} is in use by another server; stop it or choose another directory")]
    DataInUse(Box<PathBuf>),
    /// The state was written by a newer version of this program.
    #[error(
        "the state in the data directory has schema version {found}, this program knows up to \
         {known}; use a newer program or another directory"
    )]
    NewerState {
        /// The version in the file.
        found: i32,
        /// The newest version known here.
        known: i32,
    },
    /// SQLite failed.
    #[error("the database failed: {0}")]
    Database(#[from] DatabaseError),
    /// The file of the state is damaged, or not a database at all.
    #[error("{0} is damaged or no database; move it away or choose another directory")]
    NoDatabase(Box<PathBuf>),
    /// The private key is not a PEM file of an RSA key.
    #[error("the server key {path} is not usable: {source}; remove it and a new one is made")]
    Key {
        /// The file.
        path: Box<PathBuf>,
        /// What is wrong with it.
        source: Box<chappe_crypto::Error>,
    },
    /// The key is one of Telegram's own.
    #[error(
        "{0} is a key of Telegram's production servers; a local server must have its own, remove \
         it and let the server generate one"
    )]
    ProductionKey(Box<PathBuf>),
    /// The main data centre is not one of those that are to run.
    #[error(
        "the main data centre {main} is not among the {count} that were asked for, which are \
         numbered from 1; ask for more of them, or for another main one"
    )]
    NoMainDc {
        /// The main data centre.
        main: i32,
        /// How many are to run.
        count: u8,
    },
    /// There is no such bot, or it has no site.
    #[error("no bot @{0} with a domain is here; set one as BotFather does")]
    NoSite(Box<str>),
    /// The server has no such data centre.
    #[error("this server has no data centre {0}; the announcement lists those that it has")]
    NoSuchDc(i32),
    /// The operating system gave no entropy.
    #[error("the operating system gave no entropy: {0}")]
    Entropy(Box<getrandom::Error>),
    /// A fault that was ordered makes no sense.
    #[error(transparent)]
    Fault(Objection),
    /// A login request cannot be answered so.
    #[error(transparent)]
    Login(Objection),
    /// An order for a phone number makes no sense.
    #[error(transparent)]
    Number(Objection),
    /// Settings of a bot make no sense, or there is no such bot.
    #[error(transparent)]
    Bot(Objection),
    /// The server stopped by itself; the log says why.
    #[error("the server stopped by itself; the log says why")]
    Stopped,
}

/// What is wrong with an order or an answer, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", self.problem(), self.hint())]
pub struct Objection(Box<[Box<str>; 2]>);

impl Objection {
    pub(crate) fn new(problem: &str, hint: &str) -> Self {
        Self(Box::new([problem.into(), hint.into()]))
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &str {
        let [problem, _] = &*self.0;
        problem
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> &str {
        let [_, hint] = &*self.0;
        hint
    }
}

/// A failure inside of SQLite.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DatabaseError(Box<rusqlite::Error>);

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self(Box::new(error))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_small_and_portable() {
        fn portable<T: std::error::Error + Send + Sync + 'static>(_: &T) {}
        let errors = [
            Error::NotLoopback(Box::new(SocketAddr::from(([0, 0, 0, 0], 1)))),
            Error::NewerState { found: 2, known: 1 },
            Error::ProductionKey(Box::new(PathBuf::from("key.pem"))),
            Error::NoMainDc { main: 2, count: 1 },
            Error::NoSuchDc(3),
            Error::Stopped,
        ];
        for error in &errors {
            portable(error);
            let text = error.to_string();
            assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
        }
        assert!(size_of::<Error>() <= 32);
    }
}
