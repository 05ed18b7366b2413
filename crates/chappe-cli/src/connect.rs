//! From the command line to a connected client, and from its errors to exit codes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chappe::api::types::User;
use chappe::session::{File, Store as _};
use chappe::{Builder, Client, Ended, Error, RpcError, SessionProblem, errors};

use crate::accounts::{self, Name, Place};
use crate::args::{Global, ServerName, Source};
use crate::config;
use crate::directories::make_private;
use crate::output::{Exit, Failure};

/// Where to connect, checked as far as that is possible without a network.
pub(crate) struct Target {
    server: Option<(String, String)>,
    api: (i32, String),
    account: Option<(Place, Name)>,
    session: PathBuf,
    timeout: Duration,
}

impl Target {
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let server = server(global)?;
        let api = match (global.api_id, &global.api_hash) {
            (Some(id), Some(hash)) => (id, hash.clone()),
            // A local Telegram takes any application.
            _ if server.is_some() => (1, "0".repeat(32)),
            _ => {
                return Err(Failure::usage(
                    "production Telegram wants to know the application: \
                     set TELEGRAM_API_ID and TELEGRAM_API_HASH",
                )
                .hint(format!(
                    "or write api_id and api_hash to {}; \
                     or speak to a local Telegram: --server ADDR --server-key FILE.pem",
                    config::path(global)?.display()
                )));
            }
        };
        let (account, session) = match &global.session {
            Some(path) if named_beside(global)? => (None, path.clone()),
            _ => {
                let place = Place::of(server.as_ref().map(|(_, pem)| pem.as_str()))?;
                let (name, _) = place.account(global);
                let session = place.session(&name);
                (Some((place, name)), session)
            }
        };
        let timeout = Duration::from_secs(global.timeout.into());
        Ok(Self { server, api, account, session, timeout })
    }

    /// Explains why a sign-in by phone number did not begin.
    pub(crate) fn no_code(&self, error: Error) -> Failure {
        let mistyped = error.is(errors::PHONE_NUMBER_INVALID);
        let failure = failure(error);
        match &self.server {
            Some(_) if mistyped => failure.hint(
                "a local Telegram sends codes to numbers like 99966XYYYY only (X: 1, 2 or 3)",
            ),
            _ => failure,
        }
    }

    pub(crate) fn session(&self) -> &Path {
        &self.session
    }

    /// Notes who is signed in, for the list of accounts.
    pub(crate) fn remember(&self, user: &User) -> Result<(), Failure> {
        match self.account {
            Some(_) => accounts::remember(&self.session, user),
            None => Ok(()),
        }
    }

    /// Forgets who was signed in.
    pub(crate) fn forget_who(&self) -> Result<(), Failure> {
        match self.account {
            Some(_) => accounts::forget_who(&self.session),
            None => Ok(()),
        }
    }

    /// Connects with the session that is there, or says that nobody is signed in with it.
    pub(crate) async fn resume(&self) -> Result<Client, Failure> {
        let failure = match File::new(&self.session).load().map_err(failure)? {
            Some(session) if session.is_signed_in() => return self.connect().await,
            Some(_) => Failure::new(Exit::Permission, "nobody is signed in with this session"),
            None => match &self.account {
                Some((place, name)) if *name != Name::default() => {
                    return Err(place.no_account(name));
                }
                _ => Failure::new(
                    Exit::Permission,
                    format!("no session yet at {}", self.session.display()),
                ),
            },
        };
        Err(failure.hint("sign in first: `chappe login`"))
    }

    /// Connects, with a new session if there is none.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        self.builder()?.connect().await.map_err(failure)
    }

    /// What is known before anything is dialled.
    pub(crate) fn builder(&self) -> Result<Builder, Failure> {
        if let Some(directory) = self.session.parent() {
            make_private(directory).map_err(|error| {
                Failure::new(Exit::Other, format!("cannot make {}: {error}", directory.display()))
            })?;
        }
        let mut builder = Client::builder(self.api.0, self.api.1.clone())
            .session(self.session.as_path())
            .connect_timeout(self.timeout)
            .request_timeout(self.timeout);
        if let Some((address, pem)) = &self.server {
            builder = builder.server(address, pem).map_err(failure)?;
        }
        Ok(builder)
    }
}

/// Turns what the client met into words and an exit code.
pub(crate) fn failure(error: Error) -> Failure {
    let exit = exit_of(&error);
    let mut failure = Failure::new(exit, error.to_string());
    if let Some(rpc) = error.rpc() {
        failure = failure.rpc(rpc.code, rpc.text.as_str());
    }
    if let Some(wait) = error.retry_after() {
        failure = failure.retry_after(wait);
    }
    let lost = error.ended().is_some_and(Ended::is_session_lost);
    if lost || error.is(errors::AUTH_KEY_UNREGISTERED) {
        failure = failure.hint("sign in again: `chappe login`");
    }
    failure
}

fn exit_of(error: &Error) -> Exit {
    match error {
        Error::Network(_) | Error::TimedOut(_) | Error::Lost(_) => Exit::Network,
        Error::SignedOut | Error::KeyUnknown => Exit::Permission,
        Error::WrongServerKey => Exit::Conflict,
        Error::Ended(Ended::KeyDuplicated) => Exit::Conflict,
        Error::Ended(reason) if reason.is_session_lost() => Exit::Permission,
        Error::Invalid(_) | Error::TooLarge(_) => Exit::Usage,
        Error::Session(session) => match session.problem() {
            SessionProblem::InUse { .. }
            | SessionProblem::OtherServer { .. }
            | SessionProblem::OtherDc { .. } => Exit::Conflict,
            _ => Exit::Other,
        },
        Error::Rpc(rpc) => match rpc.code {
            _ if rpc.is(errors::BOT_METHOD_INVALID) || rpc.is(errors::USER_BOT_REQUIRED) => {
                Exit::Permission
            }
            _ if rpc.is(errors::HASH_INVALID) => Exit::NotFound,
            _ if is_mistyped(rpc) => Exit::Usage,
            _ if is_shut_out(rpc) => Exit::Permission,
            401 | 403 => Exit::Permission,
            404 => Exit::NotFound,
            406 => Exit::Conflict,
            420 => Exit::FloodWait,
            _ => Exit::Other,
        },
        _ => Exit::Other,
    }
}

/// Whether somebody typed what cannot be.
fn is_mistyped(error: &RpcError) -> bool {
    [errors::PHONE_NUMBER_INVALID, errors::API_ID_INVALID, errors::FIRSTNAME_INVALID]
        .into_iter()
        .any(|name| error.is(name))
}

/// Whether what somebody showed opens no account.
fn is_shut_out(error: &RpcError) -> bool {
    [errors::ACCESS_TOKEN_INVALID, errors::ACCESS_TOKEN_EXPIRED, errors::PHONE_CODE_EXPIRED]
        .into_iter()
        .any(|name| error.is(name))
}

/// The server that is meant and its key; none for production Telegram.
pub(crate) fn server(global: &Global) -> Result<Option<(String, String)>, Failure> {
    match (global.server, &global.server_key) {
        (Some(ServerName::Address(address)), Some(file)) => {
            let pem = std::fs::read_to_string(file).map_err(|error| {
                Failure::usage(format!("cannot read the server's key {}: {error}", file.display()))
                    .hint("`chappe serve` prints the key; --json has it as rsa_public_key_pem")
            })?;
            let address = address.to_string();
            // Whether it is a key at all is known before any session is looked for.
            drop(Client::builder(1, "").server(&address, &pem).map_err(|error| {
                Failure::usage(format!("{}: {error}", file.display()))
                    .hint("`chappe serve --json` has the key as rsa_public_key_pem")
            })?);
            Ok(Some((address, pem)))
        }
        (Some(ServerName::Address(_)), None) => Err(Failure::usage(
            "--server is given, but no --server-key",
        )
        .hint("save the key that `chappe serve` prints, and name it: --server-key FILE.pem")),
        // Nobody who names a key wants to speak to production Telegram.
        (None, Some(_)) => Err(Failure::usage("--server-key is given, but no --server")
            .hint("add the address of the server: --server HOST:PORT")),
        (Some(ServerName::Production) | None, _) => Ok(None),
    }
}

/// Whether the named session counts: what says so must not be weaker than what names an account.
fn named_beside(global: &Global) -> Result<bool, Failure> {
    let [session, account] = ["session", "account"].map(|option| global.sources.of(option));
    if session == Source::Flag && account == Source::Flag {
        return Err(Failure::usage("--session and --account are both given")
            .hint("an account has its own session; give one of the two"));
    }
    Ok(session >= account)
}
