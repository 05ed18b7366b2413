//! Where a session is kept, and how it is opened there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chappe::session::{File, Passphrase, Postgres, Sqlite, Store, postgres, sqlite};
use chappe::{Error, SessionProblem};
use zeroize::Zeroizing;

use crate::args::{Global, Source};
use crate::directories::make_private;
use crate::errors::failure;
use crate::output::{Exit, Failure, notice};
use crate::passphrase::Passphrases;

/// Where one session is kept.
pub(crate) enum Keep {
    /// A file of its own.
    File(PathBuf),
    /// One account in a file of many.
    Sqlite { path: PathBuf, account: String },
    /// One account of a database, whose URL may hold a password.
    Postgres { url: Zeroizing<String>, account: String },
}

impl Keep {
    /// What `--session` names; none if an account is named that counts more.
    pub(crate) fn named(global: &Global) -> Result<Option<Self>, Failure> {
        let Some(place) = &global.session else { return Ok(None) };
        let [session, account] = ["session", "account"].map(|option| global.sources.of(option));
        let twice = |why: &str| {
            Err(Failure::usage("--session and --account are both given")
                .hint(format!("{why}; give one of the two")))
        };
        let text = place.to_str().unwrap_or_default();
        if is_session(text) {
            return Err(Failure::usage(
                "--session, or TELEGRAM_SESSION, names the place of a session; this looks like a session \
                 itself, which is not repeated here",
            )
            .hint(
                "bring it once, then leave the variable out:\n  printf %s \"$TELEGRAM_SESSION\" | env -u \
                 TELEGRAM_SESSION chappe session import -",
            ));
        }
        let sqlite = text.strip_prefix(SQLITE);
        let is_database = POSTGRES.iter().any(|scheme| text.starts_with(scheme));
        if let Some(rest) = sqlite.or_else(|| is_database.then_some(text)) {
            let (front, inside) = match rest.rsplit_once('#') {
                Some((front, inside)) => (front, Some(inside.to_owned())),
                None => (rest, None),
            };
            if front.is_empty() {
                return Err(Failure::usage("--session names no file")
                    .hint("write it as sqlite:FILE#ACCOUNT"));
            }
            if inside.is_some() && session == Source::Flag && account == Source::Flag {
                return twice("what is behind the # names an account already");
            }
            let typed = global.account.as_ref().filter(|_| inside.is_none() || account > session);
            let account = typed.map(ToString::to_string).or(inside);
            let account = account.unwrap_or_else(|| DEFAULT.to_owned());
            return Ok(Some(match is_database {
                true => Self::Postgres { url: front.to_owned().into(), account },
                false => Self::Sqlite { path: front.into(), account },
            }));
        }
        if session == Source::Flag && account == Source::Flag {
            return twice("an account has its own session");
        }
        Ok((session >= account).then(|| Self::File(place.clone())))
    }

    /// The file, if it is one of its own.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Postgres { .. } | Self::Sqlite { .. } => None,
        }
    }

    /// Names it for a person. The URL of a database may hold a password.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Postgres { account, .. } => format!("the database, account {account}"),
            Self::Sqlite { path, account } => format!("{}, account {account}", path.display()),
        }
    }

    /// Whether what is there is encrypted.
    pub(crate) async fn is_sealed(&self) -> Result<bool, Failure> {
        match self {
            Self::File(path) => File::new(path).is_sealed().map_err(failure),
            Self::Postgres { url, account } => {
                let account = fleet(url).await?.account(account.as_str()).map_err(failure)?;
                account.is_sealed().await.map_err(failure)
            }
            Self::Sqlite { path, account } => row(path, account)?.is_sealed().map_err(failure),
        }
    }

    /// Opens it, with the passphrase if it needs one. What is not there yet will be encrypted if
    /// a passphrase is configured.
    pub(crate) async fn open(&self, passphrases: &Passphrases) -> Result<Arc<dyn Store>, Failure> {
        match self {
            Self::File(path) => self.opened(|| Ok(File::new(path)), passphrases).await,
            Self::Postgres { url, account } => {
                let fleet = fleet(url).await?;
                let account = || fleet.account(account.as_str()).map_err(failure);
                self.opened(account, passphrases).await
            }
            Self::Sqlite { path, account } => self.opened(|| row(path, account), passphrases).await,
        }
    }

    /// Encrypts what is there by a passphrase from `new`, or not at all. It is there the old way or
    /// the new one, whatever happens.
    pub(crate) async fn change(
        &self,
        passphrases: &Passphrases,
        new: Option<&Passphrases>,
    ) -> Result<(), Failure> {
        match self {
            Self::File(path) => self.changed(|| Ok(File::new(path)), passphrases, new).await,
            Self::Postgres { url, account } => {
                let fleet = fleet(url).await?;
                let account = || fleet.account(account.as_str()).map_err(failure);
                self.changed(account, passphrases, new).await
            }
            Self::Sqlite { path, account } => {
                self.changed(|| row(path, account), passphrases, new).await
            }
        }
    }

    async fn opened<S: Sealable>(
        &self,
        plain: impl Fn() -> Result<S, Failure>,
        passphrases: &Passphrases,
    ) -> Result<Arc<dyn Store>, Failure> {
        let store = plain()?;
        if store.sealed().await.map_err(failure)? {
            return Ok(Arc::new(self.unlock(plain, passphrases).await?));
        }
        if passphrases.is_configured() && store.load().map_err(failure)?.is_none() {
            return Ok(Arc::new(store.with(passphrases.fresh().await?)));
        }
        Ok(Arc::new(store))
    }

    async fn changed<S: Sealable>(
        &self,
        plain: impl Fn() -> Result<S, Failure>,
        passphrases: &Passphrases,
        new: Option<&Passphrases>,
    ) -> Result<(), Failure> {
        let store = plain()?;
        let store = match store.sealed().await.map_err(failure)? {
            true => self.unlock(plain, passphrases).await?,
            false => store,
        };
        let new = match new {
            Some(new) => Some(new.fresh().await?),
            None => None,
        };
        store.change(new).await.map_err(failure)
    }

    /// Opens what is encrypted; a person may try three times.
    async fn unlock<S: Sealable>(
        &self,
        plain: impl Fn() -> Result<S, Failure>,
        passphrases: &Passphrases,
    ) -> Result<S, Failure> {
        let mut tries = 0;
        loop {
            let store = plain()?.with(passphrases.known(&self.describe()).await?);
            tries += 1;
            match store.load() {
                Ok(_) => return Ok(store),
                Err(error) if is_wrong(&error) && !passphrases.is_configured() && tries < TRIES => {
                    notice("This passphrase does not open it. Try again.");
                }
                Err(error) => return Err(failure(error)),
            }
        }
    }
}

/// A store that can be encrypted.
trait Sealable: Store + Sized {
    async fn sealed(&self) -> Result<bool, Error>;
    fn with(self, passphrase: Passphrase) -> Self;
    async fn change(self, new: Option<Passphrase>) -> Result<(), Error>;
}

impl Sealable for File {
    async fn sealed(&self) -> Result<bool, Error> {
        self.is_sealed()
    }

    fn with(self, passphrase: Passphrase) -> Self {
        self.passphrase(passphrase)
    }

    async fn change(self, new: Option<Passphrase>) -> Result<(), Error> {
        self.change_passphrase(new).map(drop)
    }
}

impl Sealable for sqlite::Account {
    async fn sealed(&self) -> Result<bool, Error> {
        self.is_sealed()
    }

    fn with(self, passphrase: Passphrase) -> Self {
        self.passphrase(passphrase)
    }

    async fn change(self, new: Option<Passphrase>) -> Result<(), Error> {
        self.change_passphrase(new).map(drop)
    }
}

impl Sealable for postgres::Account {
    async fn sealed(&self) -> Result<bool, Error> {
        self.is_sealed().await
    }

    fn with(self, passphrase: Passphrase) -> Self {
        self.passphrase(passphrase)
    }

    async fn change(self, new: Option<Passphrase>) -> Result<(), Error> {
        self.change_passphrase(new).await.map(drop)
    }
}

async fn fleet(url: &str) -> Result<Postgres, Failure> {
    Postgres::connect(url).await.map_err(failure)
}

fn row(path: &Path, account: &str) -> Result<sqlite::Account, Failure> {
    make_room(path)?;
    Sqlite::open(path).and_then(|file| file.account(account)).map_err(failure)
}

/// Makes the folder that a session is to be kept in.
pub(crate) fn make_room(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent() else { return Ok(()) };
    make_private(folder).map_err(|error| {
        Failure::new(Exit::Other, format!("cannot make {}: {error}", folder.display()))
            .hint("keep the session where you may write: --session FILE")
    })
}

/// Whether a text is rather a session of another library, as these keep it in a variable, than a place.
fn is_session(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    text.len() >= SESSION && !text.starts_with('/') && text.bytes().all(is_base64)
}

fn is_wrong(error: &Error) -> bool {
    matches!(error, Error::Session(session)
        if matches!(session.problem(), SessionProblem::WrongPassphrase))
}

/// What a place in a file of many accounts begins with.
const SQLITE: &str = "sqlite:";
/// What the URL of a database begins with.
const POSTGRES: &[&str] = &["postgres://", "postgresql://"];
/// The account in such a file if none is named.
const DEFAULT: &str = "default";
/// How long a text is at least that is a session: the key alone has 256 bytes.
const SESSION: usize = 256 / 3 * 4;
/// How often a person may mistype a passphrase.
const TRIES: u32 = 3;
