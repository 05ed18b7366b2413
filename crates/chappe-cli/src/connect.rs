//! From the command line to a connected client, and from its errors to exit codes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chappe::{Builder, Client, Ended, Error, RpcError, SessionProblem, errors};
use etcetera::BaseStrategy as _;

use crate::args::Global;
use crate::output::{Exit, Failure};

/// Where to connect, checked as far as that is possible without a network.
pub(crate) struct Target {
    server: Option<(String, String)>,
    api: (i32, String),
    session: PathBuf,
    timeout: Duration,
}

impl Target {
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let server = match (&global.server, &global.server_key) {
            (Some(address), Some(file)) => {
                let pem = std::fs::read_to_string(file).map_err(|error| {
                    Failure::usage(format!(
                        "cannot read the server's key {}: {error}",
                        file.display()
                    ))
                    .hint("`chappe serve` prints the key; --json has it as rsa_public_key_pem")
                })?;
                let address = address.to_string();
                // Whether it is a key at all is known before any session is looked for.
                drop(Client::builder(1, "").server(&address, &pem).map_err(|error| {
                    Failure::usage(format!("{}: {error}", file.display()))
                        .hint("`chappe serve --json` has the key as rsa_public_key_pem")
                })?);
                Some((address, pem))
            }
            // Nobody who names a key wants to speak to production Telegram.
            (None, Some(_)) => {
                return Err(Failure::usage("--server-key is given, but no --server")
                    .hint("add the address of the server: --server HOST:PORT"));
            }
            _ => None,
        };
        let api = match (global.api_id, &global.api_hash) {
            (Some(id), Some(hash)) => (id, hash.clone()),
            // A local Telegram takes any application.
            _ if server.is_some() => (1, "0".repeat(32)),
            _ => {
                return Err(Failure::usage(
                    "production Telegram wants to know the application: \
                     set TELEGRAM_API_ID and TELEGRAM_API_HASH",
                )
                .hint("or speak to a local Telegram: --server ADDR --server-key FILE.pem"));
            }
        };
        let session = match &global.session {
            Some(path) => path.clone(),
            None => default_session(server.as_ref().map(|(_, pem)| pem.as_str()))?,
        };
        Ok(Self { server, api, session, timeout: Duration::from_secs(global.timeout.into()) })
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

    /// Connects with the session that is there, or says that there is none.
    pub(crate) async fn resume(&self) -> Result<Client, Failure> {
        if !self.session.exists() {
            return Err(Failure::new(
                Exit::Permission,
                format!("no session yet at {}", self.session.display()),
            )
            .hint("sign in first: `chappe login`"));
        }
        self.connect().await
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

/// One file a server, so that trying something locally cannot touch a real account.
fn default_session(server_key: Option<&str>) -> Result<PathBuf, Failure> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| {
        Failure::usage(
            "there is no home directory to keep the session in; name a file: --session FILE",
        )
    })?;
    let name = match server_key {
        None => "telegram.session".to_owned(),
        Some(pem) => {
            let key: String = pem.split_whitespace().collect();
            format!("server-{:08x}.session", crc32fast::hash(key.as_bytes()))
        }
    };
    Ok(strategy.data_dir().join("chappe").join(name))
}

/// Makes a directory that only its owner can look into; one that exists is left as it is.
fn make_private(directory: &Path) -> std::io::Result<()> {
    if directory.as_os_str().is_empty() || directory.exists() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
