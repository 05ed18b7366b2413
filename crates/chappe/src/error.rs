//! What can go wrong: one [`Error`], and the [`RpcError`] inside of it that Telegram answered.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use chappe_mtproto::{error::ProtocolError, handshake::HandshakeError};
use chappe_tl::{DecodeError, DecodeErrorKind, ErrorName, Text};

use crate::{
    security::password::PasswordProblem, session::Holder, state::Ended, url_auth::UrlAuthProblem,
};

/// Why a call, a sign-in or a connection failed.
///
/// [`is`](Self::is) and [`code`](Self::code) ask for what Telegram answered,
/// [`retry_after`](Self::retry_after) for when to come again, [`explain`](Self::explain) for
/// words that a person can use.
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

/// What Telegram answered instead of a result (`rpc_error`).
///
/// `FLOOD_WAIT_17` has the name `FLOOD_WAIT_X` and the value 17.
/// See core.telegram.org/api/errors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RpcError {
    /// The class of the error, like 400 or 420.
    pub code: i32,
    /// The name, with `X` for a number.
    pub name: Text,
    /// The number that was in the name.
    pub value: Option<i64>,
    /// The method that was called, like `account.resetWebAuthorization`; for a raw call the
    /// constructor id, like `#2d01b9ef`.
    pub method: Text,
    /// Whether the call was sent. False if Telegram said before how long not to call this
    /// method, and so much of that is left that the call was given up at once.
    pub sent: bool,
    /// The text as it came.
    pub text: Text,
}

impl RpcError {
    pub(crate) fn new(method: &str, code: i32, text: &str) -> Self {
        let (name, value) = ErrorName::parse(text);
        Self { code, name, value, method: method.into(), sent: true, text: text.into() }
    }

    /// Whether it is this error, whatever number it carries.
    pub fn is(&self, name: ErrorName) -> bool {
        self.name == name.name
    }

    /// How long not to repeat the call, where the error's number says it, in seconds: that of a
    /// `..._WAIT_X`, and of the few others that end in time, such as `SESSION_TOO_FRESH_X`.
    pub fn retry_after(&self) -> Option<Duration> {
        let waits = self.name.ends_with("_WAIT_X") || WAITS.contains(&self.name.as_str());
        let seconds = self.value.filter(|_| waits)?;
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    /// What the error means and what to do, in words for a person; none for a rare one.
    pub fn explain(&self) -> Option<String> {
        let (_, words) = EXPLANATIONS.iter().find(|(name, _)| self.name == *name)?;
        let value = self.value.map(|value| value.to_string());
        Some(words.replace("{}", value.as_deref().unwrap_or("some")))
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sent {
            write!(f, "{} answered {} ({})", self.method, self.text, self.code)?;
        } else {
            write!(f, "{} was not sent, {} is left of an earlier wait", self.method, self.text)?;
        }
        match self.explain() {
            Some(words) => write!(f, ": {words}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RpcError {}

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

/// A session that cannot be read, used or written.
#[derive(Debug)]
pub struct SessionError {
    path: Option<PathBuf>,
    account: Option<String>,
    problem: SessionProblem,
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

/// What is left of a redirection that the client could not follow.
const MIGRATES: &str = "Telegram sends this to data centre {}, which is not known or sends it on; \
                        try again later";

/// Words for the errors that people meet. `{}` is the number in the name.
const EXPLANATIONS: &[(&str, &str)] = &[
    ("ACCESS_TOKEN_EXPIRED", "this bot token was revoked; ask BotFather for the new one"),
    ("ACCESS_TOKEN_INVALID", "this is no valid bot token; copy it again from BotFather"),
    ("API_ID_INVALID", "the api id and api hash do not belong together; copy both again"),
    (
        "API_ID_PUBLISHED_FLOOD",
        "this api id was published and may not be used here; get one of your own",
    ),
    (
        "AUTH_KEY_DUPLICATED",
        "the session was used from two places at once and is void; sign in again",
    ),
    ("AUTH_KEY_UNREGISTERED", "nobody is signed in with this session; sign in first"),
    ("AUTH_RESTART", "Telegram wants the sign-in to begin again"),
    ("AUTH_RESTART_X", "Telegram wants the sign-in to begin again"),
    (
        "AUTH_TOKEN_ALREADY_ACCEPTED",
        "this login code was used already; scan the one that is shown now",
    ),
    ("AUTH_TOKEN_EXCEPTION", "this account is on that device already, or it is the device itself"),
    ("AUTH_TOKEN_EXPIRED", "this login code is too old; scan the one that is shown now"),
    ("AUTH_TOKEN_INVALID", "this is no login code that Telegram gave out; scan the code again"),
    ("AUTH_TOKEN_INVALIDX", "this is no login code that Telegram gave out; scan the code again"),
    ("BOT_METHOD_INVALID", "only people may call this method, a bot is signed in"),
    ("BUSINESS_CONNECTION_NOT_ALLOWED", "this cannot be done on behalf of a business account"),
    ("CODE_EMPTY", "the code is missing"),
    ("CODE_INVALID", "the code is wrong"),
    ("CONNECTION_API_ID_INVALID", "Telegram does not know this api id; copy it again"),
    ("EMAIL_HASH_EXPIRED", "no address waits for a code, or the code is too old; have one sent"),
    (
        "EMAIL_INSTALL_MISSING",
        "codes do not go to an email address; ask for the code in another way",
    ),
    ("EMAIL_INVALID", "this is no email address that Telegram can write to; check it"),
    ("EMAIL_NOT_ALLOWED", "Telegram takes no address of this provider; give another one"),
    (
        "EMAIL_UNCONFIRMED_X",
        "a code of {} digits went to the address; with it the change comes into effect",
    ),
    ("EMAIL_VERIFY_EXPIRED", "the code is too old, or was tried too often; ask for a new one"),
    ("FIRSTNAME_INVALID", "this first name is not accepted; give another one"),
    ("FLOOD_WAIT_X", "too many calls; wait {} seconds before the next one"),
    ("FLOOD_PREMIUM_WAIT_X", "too many transfers; wait {} seconds, or less with Premium"),
    (
        "FRESH_RESET_AUTHORISATION_FORBIDDEN",
        "this session is younger than 24 hours and may not end others yet; \
         use an older device, or come back when a day has passed",
    ),
    ("FROZEN_METHOD_INVALID", "the account is frozen and may not do this"),
    ("HASH_INVALID", "there is no session with this hash, or no longer; list them again"),
    ("INPUT_METHOD_INVALID_X", "the server does not know this method; it speaks an older layer"),
    ("LASTNAME_INVALID", "this last name is not accepted; give another one"),
    ("METHOD_INVALID", "the server does not know this method, or does not implement it"),
    ("NETWORK_MIGRATE_X", MIGRATES),
    ("PASSWORD_EMPTY", "the account has no password"),
    ("PASSWORD_HASH_INVALID", "the password is wrong"),
    ("PASSWORD_RECOVERY_EXPIRED", "the code is too old, or was tried too often; ask for a new one"),
    (
        "PASSWORD_RECOVERY_NA",
        "the account has no recovery email; a device that is signed in can have the password reset",
    ),
    ("PHONE_CODE_EMPTY", "the code is missing"),
    ("PHONE_CODE_EXPIRED", "the code is too old, or was tried too often; ask for a new one"),
    ("PHONE_CODE_INVALID", "the code is wrong"),
    ("PHONE_HASH_EXPIRED", "too much time went by; begin the sign-in again"),
    ("PHONE_MIGRATE_X", MIGRATES),
    ("PHONE_NUMBER_APP_SIGNUP_FORBIDDEN", "this app may not register new accounts"),
    ("PHONE_NUMBER_BANNED", "this phone number is banned from Telegram"),
    ("PHONE_NUMBER_FLOOD", "too many codes were asked for; come back later"),
    ("PHONE_NUMBER_INVALID", "this is no phone number; write it with + and the country code"),
    ("PHONE_NUMBER_OCCUPIED", "this phone number has an account already; sign in"),
    ("PHONE_NUMBER_UNOCCUPIED", "this phone number has no account yet; sign up"),
    ("PHONE_PASSWORD_FLOOD", "too many passwords were tried; come back later"),
    (
        "SEND_CODE_UNAVAILABLE",
        "there is no other way to send a code; use the one that was sent, or come back later",
    ),
    ("RESET_REQUEST_MISSING", "nobody asked for the removal of the password"),
    ("SESSION_EXPIRED", "the session is too old; sign in again"),
    ("SESSION_PASSWORD_NEEDED", "the account has a password; give it to finish the sign-in"),
    ("SESSION_REVOKED", "this session was ended from another device; sign in again"),
    ("SIGN_IN_FAILED", "Telegram could not sign in; begin the sign-in again"),
    ("SLOWMODE_WAIT_X", "this chat is in slow mode; wait {} seconds"),
    ("SMS_CODE_CREATE_FAILED", "Telegram could not send an SMS; come back later"),
    ("SRP_ID_INVALID", "the password check is too old; try again"),
    ("SRP_PASSWORD_CHANGED", "the password was changed meanwhile; try again"),
    ("TAKEOUT_INIT_DELAY_X", "confirm the export on another device, or wait {} seconds"),
    (
        "TASK_ALREADY_EXISTS",
        "this was asked for already and takes its time; come back when it is over",
    ),
    ("TTL_DAYS_INVALID", "so many days are not accepted; give another number"),
    ("UPDATE_APP_TO_LOGIN", "Telegram refuses sign-ins of this version; update the app"),
    ("USER_BOT_REQUIRED", "only bots may call this method, a person is signed in"),
    ("USER_DEACTIVATED", "the account was deleted"),
    ("USER_DEACTIVATED_BAN", "the account is banned from Telegram"),
    ("USER_MIGRATE_X", MIGRATES),
];

/// Errors whose number is a wait in seconds although their name does not end so; those that
/// `schema/docs/errors.toml` says to wait for.
const WAITS: [&str; 7] = [
    "PASSWORD_TOO_FRESH_X",
    "SESSION_TOO_FRESH_X",
    "STARGIFT_RESELL_TOO_EARLY_X",
    "STARGIFT_TRANSFER_TOO_EARLY_X",
    "STORY_SEND_FLOOD_MONTHLY_X",
    "STORY_SEND_FLOOD_WEEKLY_X",
    "TAKEOUT_INIT_DELAY_X",
];

#[cfg(test)]
mod tests {
    use super::*;

    const HASH_INVALID: ErrorName = ErrorName { code: 400, name: "HASH_INVALID" };
    const FLOOD_WAIT_X: ErrorName = ErrorName { code: 420, name: "FLOOD_WAIT_X" };

    fn rpc(code: i32, text: &str) -> Error {
        RpcError::new("account.resetWebAuthorization", code, text).into()
    }

    #[test]
    fn errors_are_small_and_cross_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
        assert!(size_of::<Error>() <= 32, "{}", size_of::<Error>());
    }

    #[test]
    fn a_number_is_taken_out_of_the_name() {
        let error = rpc(420, "FLOOD_WAIT_17");
        assert!(error.is(FLOOD_WAIT_X) && !error.is(HASH_INVALID));
        assert_eq!(error.code(), Some(420));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
        let rpc = error.rpc().unwrap();
        assert_eq!(
            (rpc.name.as_str(), rpc.value, rpc.text.as_str()),
            ("FLOOD_WAIT_X", Some(17), "FLOOD_WAIT_17")
        );
        assert_eq!(error.explain().unwrap(), "too many calls; wait 17 seconds before the next one");
    }

    #[test]
    fn only_waits_say_when_to_come_again() {
        for (text, seconds) in [
            ("SLOWMODE_WAIT_5", Some(5)),
            ("2FA_CONFIRM_WAIT_60", Some(60)),
            ("TAKEOUT_INIT_DELAY_86400", Some(86_400)),
            ("SESSION_TOO_FRESH_3600", Some(3_600)),
            ("ALLOW_PAYMENT_REQUIRED_5", None),
            ("FLOOD_WAIT_X", None),
            ("PHONE_MIGRATE_4", None),
            ("HASH_INVALID", None),
        ] {
            assert_eq!(rpc(420, text).retry_after(), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn an_unknown_error_keeps_its_text() {
        let error = rpc(400, "SOMETHING_NEW_3_HAPPENED");
        assert_eq!(error.explain(), None);
        assert_eq!(
            error.to_string(),
            "account.resetWebAuthorization answered SOMETHING_NEW_3_HAPPENED (400)"
        );
        assert_eq!(error.rpc().unwrap().name, "SOMETHING_NEW_X_HAPPENED");
    }

    #[test]
    fn a_frequent_error_is_explained() {
        assert_eq!(
            rpc(400, "HASH_INVALID").to_string(),
            "account.resetWebAuthorization answered HASH_INVALID (400): \
             there is no session with this hash, or no longer; list them again"
        );
    }

    #[test]
    fn each_name_is_explained_once() {
        let mut names: Vec<_> = EXPLANATIONS.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), EXPLANATIONS.len());
    }
}
