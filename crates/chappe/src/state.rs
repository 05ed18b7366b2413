//! What the connection of a client is doing, and how it may end for good.

use std::{fmt, io, time::Duration};

use chappe_mtproto::connection::RpcFailure;
use tokio::sync::watch;

use crate::{
    Client, Error,
    net::driver::{End, Status},
};

/// What the connection of a client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionState {
    /// It carries calls.
    Connected,
    /// There is no network for now; calls wait for it. The client dials again and again, without
    /// end, but rarer and rarer.
    Connecting {
        /// How many dials failed, or sockets died, in a row.
        failures: u32,
        /// How long after the last failure the next dial begins; `None` while one is under way.
        retry_in: Option<Duration>,
        /// What the last failure was; [`io::ErrorKind::QuotaExceeded`] if the server has too many
        /// connections from here.
        why: Option<io::ErrorKind>,
    },
    /// It is over, and nothing is dialled any more.
    Ended(Ended),
}

/// Why it is over with a client: a new connection would not help.
///
/// The stored session is left alone. Whether to remove it is yours to decide:
/// [`is_session_lost`](Self::is_session_lost) says whether it is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// Telegram banned the account (`USER_DEACTIVATED_BAN`).
    Banned,
    /// [`Client::close`] was called.
    Closed,
    /// The account was deleted (`USER_DEACTIVATED`).
    Deactivated,
    /// The session grew too old (`SESSION_EXPIRED`).
    Expired,
    /// The session was used from two places at once and is void (`AUTH_KEY_DUPLICATED`).
    KeyDuplicated,
    /// The server does not know the session's auth key any more.
    KeyUnknown,
    /// The lease of the session was not renewed in time, or somebody else has it: see
    /// [`Lease`](crate::session::Lease). What was not answered may have run.
    LeaseLost,
    /// The server keeps breaking the protocol; the error of a call says how.
    Protocol,
    /// The session was ended from another device (`SESSION_REVOKED`).
    Revoked,
    /// The sign-in of this session was ended elsewhere (`AUTH_KEY_UNREGISTERED`,
    /// `AUTH_KEY_INVALID`).
    SignedOut,
    /// Nobody could be reached when the client was to connect for the first time.
    Unreachable,
    /// The server is not this data centre.
    WrongDc(i32),
    /// The server does not hold the private key that belongs to the given public key.
    WrongServerKey,
}

impl Ended {
    /// Whether the session is of no more use: signing in takes a new one.
    pub const fn is_session_lost(self) -> bool {
        match self {
            Self::Banned
            | Self::Deactivated
            | Self::Expired
            | Self::KeyDuplicated
            | Self::KeyUnknown
            | Self::Revoked
            | Self::SignedOut => true,
            Self::Closed
            | Self::LeaseLost
            | Self::Protocol
            | Self::Unreachable
            | Self::WrongDc(_)
            | Self::WrongServerKey => false,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Banned => "the account is banned from Telegram",
            Self::Closed => "the client is closed; connect again",
            Self::Deactivated => "the account was deleted",
            Self::Expired => "the session is too old; remove it and sign in again",
            Self::KeyDuplicated => {
                "the session was used from two places at once and is void; \
                 remove it and sign in again"
            }
            Self::KeyUnknown => {
                "the server no longer knows this session; remove it and sign in again"
            }
            Self::LeaseLost => {
                "the lease of the session is over and somebody else may use it; connect again"
            }
            Self::Protocol => "the server keeps breaking the protocol; check the address",
            Self::Revoked => {
                "the session was ended from another device; remove it and sign in again"
            }
            Self::SignedOut => {
                "the sign-in was ended elsewhere; remove the session and sign in again"
            }
            Self::Unreachable => "the server cannot be reached; check the address and the network",
            Self::WrongDc(dc_id) => {
                return write!(f, "the server is not data centre {dc_id}; check the address");
            }
            Self::WrongServerKey => "the server offers none of the trusted public keys",
        })
    }
}

impl std::error::Error for Ended {}

impl Client {
    /// What the connection is doing now.
    pub fn state(&self) -> ConnectionState {
        ConnectionState::of(&self.status().borrow())
    }

    /// Waits until the connection does something else than `known`, and returns what.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn state_changed(&self, known: ConnectionState) -> ConnectionState {
        let mut status = self.status();
        match status.wait_for(|status| ConnectionState::of(status) != known).await {
            Ok(status) => ConnectionState::of(&status),
            Err(_) => ConnectionState::Ended(Ended::Closed),
        }
    }

    /// What the connection is doing, from now on.
    pub fn states(&self) -> ConnectionStates {
        let mut status = self.status();
        status.mark_changed();
        ConnectionStates { status, over: false }
    }

    /// Waits until it is over with this client, and says why. Every call under way and every
    /// later one fails then; [`Error::ended`] says the same of their errors.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn ended(&self) -> Ended {
        let mut status = self.status().clone();
        let status = status.wait_for(|status| matches!(status, Status::Ended(_))).await;
        match status.as_deref().map(ConnectionState::of) {
            Ok(ConnectionState::Ended(reason)) => reason,
            _ => Ended::Closed,
        }
    }

    /// What the future gives, unless it is over with this client before.
    pub(crate) async fn unless_ended<T>(
        &self,
        future: impl Future<Output = T>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            done = future => Ok(done),
            _ = self.ended() => Err(self.end()),
        }
    }
}

/// A stream of what the connection of a client does, made by [`Client::states`].
///
/// It begins with the state at that time. A slow reader misses states in between, never the last
/// one: after [`ConnectionState::Ended`] the stream ends. It does not keep the client alive.
#[derive(Debug)]
pub struct ConnectionStates {
    status: watch::Receiver<Status>,
    over: bool,
}

impl ConnectionStates {
    /// Waits for the next state; `None` after [`ConnectionState::Ended`].
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn next(&mut self) -> Option<ConnectionState> {
        if self.over {
            return None;
        }
        self.status.changed().await.ok()?;
        let state = ConnectionState::of(&self.status.borrow_and_update());
        self.over = matches!(state, ConnectionState::Ended(_));
        Some(state)
    }
}

impl ConnectionState {
    fn of(status: &Status) -> Self {
        match status {
            Status::Connected => Self::Connected,
            Status::Connecting(trouble) => Self::Connecting {
                failures: trouble.as_ref().map_or(0, |trouble| trouble.failures),
                retry_in: trouble.as_ref().and_then(|trouble| trouble.pause),
                why: trouble.as_ref().map(|trouble| trouble.kind()),
            },
            Status::Ended(End::Closed) => Self::Ended(Ended::Closed),
            Status::Ended(End::LeaseLost) => Self::Ended(Ended::LeaseLost),
            Status::Ended(End::Refused(reason)) => Self::Ended(*reason),
            Status::Ended(End::Unreachable(_)) => Self::Ended(Ended::Unreachable),
            Status::Ended(End::Protocol(error)) => Self::Ended(error.into()),
        }
    }
}

/// Whether this answer to a call says that it is over with the session. What ends a sign-in is
/// an ordinary answer as long as nobody is signed in.
/// See core.telegram.org/api/errors#401-unauthorized.
pub(crate) fn verdict(failure: &RpcFailure, signed_in: bool) -> Option<Ended> {
    match (failure.code, failure.message.as_str()) {
        (_, "AUTH_KEY_DUPLICATED") => Some(Ended::KeyDuplicated),
        (401, name) if signed_in => match name {
            "AUTH_KEY_INVALID" | "AUTH_KEY_UNREGISTERED" => Some(Ended::SignedOut),
            "SESSION_EXPIRED" => Some(Ended::Expired),
            "SESSION_REVOKED" => Some(Ended::Revoked),
            "USER_DEACTIVATED" => Some(Ended::Deactivated),
            "USER_DEACTIVATED_BAN" => Some(Ended::Banned),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: i32, message: &str, signed_in: Option<Ended>, nobody: Option<Ended>) {
        let failure = RpcFailure { code, message: message.into() };
        assert_eq!(verdict(&failure, true), signed_in, "{code} {message}");
        assert_eq!(verdict(&failure, false), nobody, "{code} {message}");
    }

    #[test]
    fn only_what_cannot_heal_ends_a_session_and_only_one_that_is_signed_in() {
        check(401, "AUTH_KEY_UNREGISTERED", Some(Ended::SignedOut), None);
        check(401, "AUTH_KEY_INVALID", Some(Ended::SignedOut), None);
        check(401, "SESSION_REVOKED", Some(Ended::Revoked), None);
        check(401, "SESSION_EXPIRED", Some(Ended::Expired), None);
        check(401, "USER_DEACTIVATED", Some(Ended::Deactivated), None);
        check(401, "USER_DEACTIVATED_BAN", Some(Ended::Banned), None);
        let duplicated = Some(Ended::KeyDuplicated);
        check(406, "AUTH_KEY_DUPLICATED", duplicated, duplicated);
        check(401, "SESSION_PASSWORD_NEEDED", None, None);
        check(401, "AUTH_KEY_PERM_EMPTY", None, None);
        check(400, "INPUT_USER_DEACTIVATED", None, None);
        check(403, "USER_DEACTIVATED", None, None);
        check(406, "FILEREF_UPGRADE_NEEDED", None, None);
        check(500, "AUTH_KEY_UNREGISTERED", None, None);
    }
}
