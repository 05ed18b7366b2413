//! Where a session is kept, and how it is opened there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chappe::session::{File, Store};
use chappe::{Error, SessionProblem};

use crate::connect::failure;
use crate::directories::make_private;
use crate::output::{Exit, Failure, notice};
use crate::passphrase::Passphrases;

/// Where one session is kept.
#[derive(Clone, Debug)]
pub(crate) struct Keep {
    path: PathBuf,
}

impl Keep {
    /// A file.
    pub(crate) fn file(path: PathBuf) -> Self {
        Self { path }
    }

    /// The file, to name it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether what is there is encrypted.
    pub(crate) fn is_sealed(&self) -> Result<bool, Failure> {
        File::new(&self.path).is_sealed().map_err(failure)
    }

    /// Opens it, with the passphrase if it needs one. What is not there yet will be encrypted if
    /// a passphrase is configured.
    pub(crate) async fn open(&self, passphrases: &Passphrases) -> Result<Arc<dyn Store>, Failure> {
        if let Some(folder) = self.path.parent() {
            make_private(folder).map_err(|error| {
                Failure::new(Exit::Other, format!("cannot make {}: {error}", folder.display()))
            })?;
        }
        let file = File::new(&self.path);
        if self.is_sealed()? {
            return Ok(Arc::new(self.unlock(passphrases).await?));
        }
        if !self.path.exists() && passphrases.is_configured() {
            return Ok(Arc::new(file.passphrase(passphrases.fresh().await?)));
        }
        Ok(Arc::new(file))
    }

    /// Opens what is encrypted; a person may try three times.
    pub(crate) async fn unlock(&self, passphrases: &Passphrases) -> Result<File, Failure> {
        let mut tries = 0;
        loop {
            let what = self.path.display().to_string();
            let file = File::new(&self.path).passphrase(passphrases.known(&what).await?);
            tries += 1;
            match file.load() {
                Ok(_) => return Ok(file),
                Err(error) if is_wrong(&error) && !passphrases.is_configured() && tries < TRIES => {
                    notice("This passphrase does not open it. Try again.");
                }
                Err(error) => return Err(failure(error)),
            }
        }
    }
}

fn is_wrong(error: &Error) -> bool {
    matches!(error, Error::Session(session)
        if matches!(session.problem(), SessionProblem::WrongPassphrase))
}

/// How often a person may mistype a passphrase.
const TRIES: u32 = 3;
