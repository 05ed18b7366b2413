//! Where a session is kept, and how it is opened there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chappe::session::{Account, File, Passphrase, Sqlite, Store};
use chappe::{Error, SessionProblem};

use crate::args::{Global, Source};
use crate::connect::failure;
use crate::directories::make_private;
use crate::output::{Exit, Failure, notice};
use crate::passphrase::Passphrases;

/// Where one session is kept.
#[derive(Clone, Debug)]
pub(crate) enum Keep {
    /// A file of its own.
    File(PathBuf),
    /// One account in a file of many.
    Sqlite { path: PathBuf, account: String },
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
        if let Some(rest) = place.to_str().and_then(|place| place.strip_prefix(SQLITE)) {
            let (path, inside) = match rest.rsplit_once('#') {
                Some((path, inside)) => (path, Some(inside.to_owned())),
                None => (rest, None),
            };
            if path.is_empty() {
                return Err(Failure::usage("--session names no file")
                    .hint("write it as sqlite:PATH#ACCOUNT"));
            }
            if inside.is_some() && session == Source::Flag && account == Source::Flag {
                return twice("sqlite:PATH#ACCOUNT names an account already");
            }
            let typed = global.account.as_ref().filter(|_| inside.is_none() || account > session);
            let account = typed.map(ToString::to_string).or(inside);
            let account = account.unwrap_or_else(|| DEFAULT.to_owned());
            return Ok(Some(Self::Sqlite { path: path.into(), account }));
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
            Self::Sqlite { .. } => None,
        }
    }

    /// Names it for a person.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Sqlite { path, account } => format!("{}, account {account}", path.display()),
        }
    }

    /// Whether what is there is encrypted.
    pub(crate) fn is_sealed(&self) -> Result<bool, Failure> {
        match self {
            Self::File(path) => Sealable::is_sealed(&File::new(path)).map_err(failure),
            Self::Sqlite { path, account } => {
                Sealable::is_sealed(&row(path, account)?).map_err(failure)
            }
        }
    }

    /// Opens it, with the passphrase if it needs one. What is not there yet will be encrypted if
    /// a passphrase is configured.
    pub(crate) async fn open(&self, passphrases: &Passphrases) -> Result<Arc<dyn Store>, Failure> {
        match self {
            Self::File(path) => self.opened(File::new(path), passphrases).await,
            Self::Sqlite { path, account } => self.opened(row(path, account)?, passphrases).await,
        }
    }

    /// Encrypts what is there by another passphrase, or by none.
    pub(crate) async fn change(
        &self,
        passphrases: &Passphrases,
        new: Option<Passphrase>,
    ) -> Result<(), Failure> {
        match self {
            Self::File(path) => self.changed(File::new(path), passphrases, new).await,
            Self::Sqlite { path, account } => {
                self.changed(row(path, account)?, passphrases, new).await
            }
        }
    }

    async fn opened(
        &self,
        plain: impl Sealable,
        passphrases: &Passphrases,
    ) -> Result<Arc<dyn Store>, Failure> {
        if plain.is_sealed().map_err(failure)? {
            return Ok(Arc::new(self.unlock(plain, passphrases).await?));
        }
        if passphrases.is_configured() && plain.load().map_err(failure)?.is_none() {
            return Ok(Arc::new(plain.with(passphrases.fresh().await?)));
        }
        Ok(Arc::new(plain))
    }

    async fn changed(
        &self,
        plain: impl Sealable,
        passphrases: &Passphrases,
        new: Option<Passphrase>,
    ) -> Result<(), Failure> {
        let opened = match plain.is_sealed().map_err(failure)? {
            true => self.unlock(plain, passphrases).await?,
            false => plain,
        };
        opened.change(new).map_err(failure)
    }

    /// Opens what is encrypted; a person may try three times.
    async fn unlock<S: Sealable>(&self, plain: S, passphrases: &Passphrases) -> Result<S, Failure> {
        let mut tries = 0;
        loop {
            let passphrase = passphrases.known(&self.describe()).await?;
            let store = plain.clone().with(passphrase);
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
trait Sealable: Store + Clone {
    fn is_sealed(&self) -> Result<bool, Error>;
    fn with(self, passphrase: Passphrase) -> Self;
    fn change(&self, new: Option<Passphrase>) -> Result<(), Error>;
}

impl Sealable for File {
    fn is_sealed(&self) -> Result<bool, Error> {
        self.is_sealed()
    }

    fn with(self, passphrase: Passphrase) -> Self {
        self.passphrase(passphrase)
    }

    fn change(&self, new: Option<Passphrase>) -> Result<(), Error> {
        self.change_passphrase(new).map(drop)
    }
}

impl Sealable for Account {
    fn is_sealed(&self) -> Result<bool, Error> {
        self.is_sealed()
    }

    fn with(self, passphrase: Passphrase) -> Self {
        self.passphrase(passphrase)
    }

    fn change(&self, new: Option<Passphrase>) -> Result<(), Error> {
        self.change_passphrase(new).map(drop)
    }
}

fn row(path: &Path, account: &str) -> Result<Account, Failure> {
    make_room(path)?;
    Sqlite::open(path).and_then(|file| file.account(account)).map_err(failure)
}

/// Makes the folder that a session is to be kept in.
pub(crate) fn make_room(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent() else { return Ok(()) };
    make_private(folder).map_err(|error| {
        Failure::new(Exit::Other, format!("cannot make {}: {error}", folder.display()))
    })
}

fn is_wrong(error: &Error) -> bool {
    matches!(error, Error::Session(session)
        if matches!(session.problem(), SessionProblem::WrongPassphrase))
}

/// What a place in a file of many accounts begins with.
const SQLITE: &str = "sqlite:";
/// The account in such a file if none is named.
const DEFAULT: &str = "default";
/// How often a person may mistype a passphrase.
const TRIES: u32 = 3;
