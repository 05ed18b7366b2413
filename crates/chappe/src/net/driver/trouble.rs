//! What the network did to a connection, in words that its callers may hear.

use std::{io, sync::Arc, time::Duration};

use chappe_mtproto::connection::ReconnectReason;

/// A failure of the network that several may hear of, and what is done about it.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(super) error: Arc<io::Error>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// How long after the failure the next dial begins; `None` if it has begun.
    pub(crate) pause: Option<Duration>,
}

impl Trouble {
    pub(crate) fn to_error(&self) -> io::Error {
        // The original stays reachable through the new error.
        io::Error::new(self.error.kind(), Arc::clone(&self.error))
    }

    pub(crate) fn kind(&self) -> io::ErrorKind {
        self.error.kind()
    }
}

/// A dial, or the whole way to the first key, took longer than the builder allows.
pub(crate) fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "connecting took too long")
}

/// Why the protocol wants another socket, as a failure of the network.
pub(super) fn told(reason: &ReconnectReason) -> io::Error {
    let (kind, words) = match reason {
        ReconnectReason::Transport(FLOOD) => {
            (io::ErrorKind::QuotaExceeded, "the server has too many connections from here")
        }
        ReconnectReason::Transport(_) => {
            (io::ErrorKind::ConnectionAborted, "the server refused the connection")
        }
        ReconnectReason::Silent => (io::ErrorKind::TimedOut, "the server fell silent"),
        ReconnectReason::Unanswered => {
            (io::ErrorKind::TimedOut, "the server does not say what became of a call")
        }
        ReconnectReason::Clock => (
            io::ErrorKind::InvalidData,
            "the clock was wrong, and what it refused is to come again",
        ),
        ReconnectReason::Unbound => {
            (io::ErrorKind::PermissionDenied, "the server binds no temporary key to this session")
        }
        ReconnectReason::Exchange(_) => (io::ErrorKind::InvalidData, "the key exchange failed"),
        _ => (io::ErrorKind::InvalidData, "the server broke the protocol"),
    };
    io::Error::new(kind, words)
}

/// The transport error of too many connections.
/// See core.telegram.org/mtproto/mtproto-transports#transport-errors.
pub(super) const FLOOD: i32 = -429;
