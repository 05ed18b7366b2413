//! What can go wrong: one [`Error`], and the [`RpcError`] inside of it that Telegram answered.

mod rpc;
mod session;
mod words;

use std::{fmt, io, path::Path, time::Duration};

use bytes::Bytes;
use chappe_mtproto::{error::ProtocolError, handshake::HandshakeError};
use chappe_tl::{DecodeError, DecodeErrorKind, ErrorName, Text};

pub use self::rpc::RpcError;
pub use self::session::{SessionError, SessionProblem};
use crate::{security::password::PasswordProblem, state::Ended, url_auth::UrlAuthProblem};

/// Why a call, a sign-in or a connection failed.
///
/// [`is`](Self::is) and [`code`](Self::code) ask for what Telegram answered,
/// [`retry_after`](Self::retry_after) for when to come again, [`explain`](Self::explain) for
/// words that a person can use.
///
/// ```no_run
/// use chappe::{Client, Ended, Error, errors};
///
/// # async fn example(client: Client, hash: i64) -> Result<(), Error> {
/// let Err(error) = client.reset_web_session(hash).await else { return Ok(()) };
/// if error.is(errors::BOT_METHOD_INVALID) {
///     println!("sign in as a person");
/// } else if let Some(wait) = error.retry_after() {
///     println!("Telegram wants no such call for {} s; come again then", wait.as_secs());
/// } else if error.is_unanswered() {
///     println!("nobody knows whether it ran: look before repeating");
/// } else if error.ended().is_some_and(Ended::is_session_lost) {
///     println!("remove the session and sign in again");
/// } else {
///     return Err(error);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The sign-in cannot go on from this step: too much time went by, or the account changed
    /// meanwhile.
    #[error("this sign-in cannot go on; begin it again")]
    BeginAgain,
    /// The client was closed by [`close`](crate::Client::close).
    #[error("the client is closed; connect again")]
    Closed,
    /// An answer could not be decoded: the server speaks another layer, or a bug.
    #[error(transparent)]
    Decode(Box<Undecodable>),
    /// It is over with this session, or with the right to use it; nothing is dialled any more.
    #[error(transparent)]
    Ended(Ended),
    /// Whoever was asked gave up; see [`Questions`](crate::Questions).
    #[error("the sign-in was given up; begin it again when the answers are there")]
    GaveUp,
    /// An argument cannot be used.
    #[error("{0}")]
    Invalid(&'static str),
    /// The server does not know the session's auth key any more.
    #[error("the server no longer knows this session; remove it and sign in again")]
    KeyUnknown,
    /// The call was sent and its connection died; nobody knows whether it ran.
    #[error("the connection died while {0} was under way, it may have run; look before repeating")]
    Lost(Text),
    /// The server cannot be reached, or hung up and did not come back in time.
    #[error("the server cannot be reached: {0}; check the address and the network")]
    Network(#[source] io::Error),
    /// The password of the account, or its recovery address, was not changed.
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    /// The server breaks the protocol, or is not the one whose key was given.
    #[error(transparent)]
    Protocol(#[from] ProtocolFailure),
    /// Telegram refused the call.
    #[error(transparent)]
    Rpc(Box<RpcError>),
    /// The session cannot be read, used or written.
    #[error(transparent)]
    Session(Box<SessionError>),
    /// Nobody is signed in, or the sign-in was ended elsewhere.
    #[error("nobody is signed in; sign in first")]
    SignedOut,
    /// The call is larger than the protocol carries, or not a multiple of four bytes long.
    #[error("{0} does not fit into one message; make it smaller")]
    TooLarge(Text),
    /// Too many answers to [`Questions`](crate::Questions) were not accepted.
    #[error("too many answers were not accepted; begin the sign-in again with the right ones")]
    TooManyTries,
    /// No answer came in time.
    #[error("no answer to {0} came in time; the server may still be working on it")]
    TimedOut(Text),
    /// A login to a website or an app did not come about.
    #[error(transparent)]
    UrlAuth(#[from] UrlAuthProblem),
    /// Something is asked for that this version, or this machine, cannot do.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The server does not hold the private key that belongs to the given public key.
    #[error(
        "the server offers none of the trusted public keys; check the server's key and address"
    )]
    WrongServerKey,
}

impl Error {
    /// Whether Telegram answered this error, whatever number it carries.
    ///
    /// Names are compared, codes are not: a few names come with several codes.
    pub fn is(&self, name: ErrorName) -> bool {
        self.rpc().is_some_and(|error| error.is(name))
    }

    /// The code that Telegram answered, like 400 or 420.
    pub fn code(&self) -> Option<i32> {
        self.rpc().map(|error| error.code)
    }

    /// What Telegram answered, if it did.
    pub fn rpc(&self) -> Option<&RpcError> {
        match self {
            Self::Rpc(error) => Some(error),
            _ => None,
        }
    }

    /// Why it is over with the client, if that is what the error says: every later call fails
    /// likewise. See also [`Client::ended`](crate::Client::ended).
    pub fn ended(&self) -> Option<Ended> {
        match self {
            Self::Closed => Some(Ended::Closed),
            Self::Ended(reason) => Some(*reason),
            Self::KeyUnknown => Some(Ended::KeyUnknown),
            Self::Protocol(failure) => Some((&*failure.0).into()),
            Self::WrongServerKey => Some(Ended::WrongServerKey),
            _ => None,
        }
    }

    /// Whether the call may have run all the same: there was no answer, or none that can be read.
    pub const fn is_unanswered(&self) -> bool {
        matches!(self, Self::Decode(_) | Self::Lost(_) | Self::Network(_) | Self::TimedOut(_))
    }

    /// How long Telegram wants the call not to be repeated.
    pub fn retry_after(&self) -> Option<Duration> {
        self.rpc()?.retry_after()
    }

    /// What the error means and what to do, in words for a person. Without any for a rare error
    /// of Telegram's, whose name is all there is.
    pub fn explain(&self) -> Option<String> {
        match self {
            Self::Rpc(error) => error.explain(),
            other => Some(other.to_string()),
        }
    }

    /// Wraps what kept a [`Store`](crate::session::Store) of your own from its work.
    pub fn store(error: io::Error) -> Self {
        Self::session(None, SessionProblem::Io(error))
    }

    /// The same error for somebody else who waited for the same thing.
    pub(crate) fn shared(&self) -> Self {
        match self {
            Self::BeginAgain => Self::BeginAgain,
            Self::Closed => Self::Closed,
            Self::Decode(error) => Self::Decode(error.clone()),
            Self::Ended(reason) => Self::Ended(*reason),
            Self::GaveUp => Self::GaveUp,
            Self::Invalid(words) => Self::Invalid(words),
            Self::KeyUnknown => Self::KeyUnknown,
            Self::Lost(method) => Self::Lost(method.clone()),
            Self::Network(error) => Self::Network(io::Error::new(error.kind(), error.to_string())),
            Self::Password(problem) => Self::Password(*problem),
            Self::Protocol(failure) => Self::Protocol(ProtocolFailure(failure.0.clone())),
            Self::Rpc(error) => Self::Rpc(error.clone()),
            Self::Session(error) => {
                let problem = SessionProblem::Io(io::Error::other(error.problem.to_string()));
                Self::session(error.path(), problem)
            }
            Self::SignedOut => Self::SignedOut,
            Self::TooLarge(method) => Self::TooLarge(method.clone()),
            Self::TooManyTries => Self::TooManyTries,
            Self::TimedOut(method) => Self::TimedOut(method.clone()),
            Self::UrlAuth(problem) => Self::UrlAuth(*problem),
            Self::Unsupported(words) => Self::Unsupported(words),
            Self::WrongServerKey => Self::WrongServerKey,
        }
    }

    pub(crate) fn session(path: Option<&Path>, problem: SessionProblem) -> Self {
        let path = path.map(Path::to_owned);
        Self::Session(Box::new(SessionError { path, account: None, problem }))
    }

    /// The error of one account among those of a file.
    #[cfg(feature = "sqlite")]
    pub(crate) fn session_of(path: &Path, account: &str, problem: SessionProblem) -> Self {
        let (path, account) = (Some(path.to_owned()), Some(account.to_owned()));
        Self::Session(Box::new(SessionError { path, account, problem }))
    }

    pub(crate) fn undecodable(method: &str, source: DecodeError, bytes: Bytes) -> Self {
        Self::Decode(Box::new(Undecodable { method: method.into(), source, bytes }))
    }

    /// An answer that could not even be unpacked: none of its bytes are known.
    pub(crate) fn unreadable(method: &str) -> Self {
        let source = DecodeError::new(DecodeErrorKind::UnexpectedEnd, 0);
        Self::undecodable(method, source, Bytes::new())
    }
}

impl From<RpcError> for Error {
    fn from(error: RpcError) -> Self {
        Self::Rpc(Box::new(error))
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::KeyUnknown => Self::KeyUnknown,
            ProtocolError::Handshake(HandshakeError::UnknownRsaKey) => Self::WrongServerKey,
            other => Self::Protocol(ProtocolFailure(Box::new(other))),
        }
    }
}

impl From<Ended> for Error {
    /// The error of every call after it is over. What broke the protocol, or kept the server from
    /// being reached, is known to those calls only.
    fn from(reason: Ended) -> Self {
        match reason {
            Ended::Closed => Self::Closed,
            Ended::KeyUnknown => Self::KeyUnknown,
            Ended::WrongServerKey => Self::WrongServerKey,
            other => Self::Ended(other),
        }
    }
}

impl From<&ProtocolError> for Ended {
    fn from(error: &ProtocolError) -> Self {
        match error {
            ProtocolError::KeyUnknown => Self::KeyUnknown,
            ProtocolError::Handshake(HandshakeError::UnknownRsaKey) => Self::WrongServerKey,
            ProtocolError::WrongDc(dc_id) => Self::WrongDc(*dc_id),
            _ => Self::Protocol,
        }
    }
}

/// An answer that could not be decoded.
#[derive(Clone, thiserror::Error)]
#[error("the answer to {method} cannot be decoded: {source}; is there a newer version of chappe?")]
pub struct Undecodable {
    method: Text,
    source: DecodeError,
    bytes: Bytes,
}

impl Undecodable {
    /// The method that was called.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The first byte of the answer that made no sense.
    pub fn offset(&self) -> usize {
        self.source.offset()
    }

    /// The constructor id that is not known, if that is what is wrong.
    pub fn constructor(&self) -> Option<u32> {
        match self.source.kind() {
            DecodeErrorKind::UnknownConstructor { id, .. } => Some(id),
            _ => None,
        }
    }

    /// The whole answer, for a report or a decoder of your own. It may hold what is private, so
    /// no error shows it by itself. Empty if the answer was compressed and could not be unpacked.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undecodable")
            .field("method", &self.method)
            .field("source", &self.source)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// How the server broke the protocol. The text says what and what to do.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ProtocolFailure(Box<ProtocolError>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small_and_cross_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
        assert!(size_of::<Error>() <= 32, "{}", size_of::<Error>());
    }
}
