//! One session in one file: owner-only, replaced as a whole or not at all, encrypted on request.
//!
//! A save writes a new file beside the old one, brings it to the disk, and renames it over the
//! old one; then it brings the folder to the disk. A process killed between any two of these
//! steps leaves the old session or the new one, never a part. What it may leave behind is the
//! new file under its temporary name, `.NAME.PID-N.new`; whoever locks the session next removes
//! it.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use zeroize::Zeroizing;

use super::{Passphrase, Seal, Session, SessionLock, Store, bytes, lock, sealed};
use crate::error::{Error, SessionProblem};

/// Keeps the session in a file, readable by its owner only (mode 0600), and encrypted if a
/// [`passphrase`](Self::passphrase) is given.
///
/// Symbolic links and folders are refused: a link would be replaced by the file, not followed.
///
/// A client locks the file `NAME.lock` beside it, which says who that is. The file stays there,
/// but the lock ends with the client or its process, even with one that is killed. Reading the
/// session ([`load`](Store::load)) needs no lock.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
    /// The same from the root: where the program is may change.
    place: PathBuf,
    seal: Option<Arc<Seal>>,
}

impl File {
    /// Names the file. Nothing is touched before [`load`](Store::load) or [`save`](Store::save).
    /// A relative path is meant from the folder that the process is in now, also if it goes to
    /// another one.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        // Without a folder to be in, or a path, there is nothing better than what was given.
        let place = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        Self { path, place, seal: None }
    }

    /// Keeps the session encrypted: a file that is there must have been encrypted with this
    /// passphrase, a new one will be. See [`Seal`] for what that costs, and
    /// [`change_passphrase`](Self::change_passphrase) for a file that is there already.
    #[must_use]
    pub fn passphrase(self, passphrase: impl Into<Passphrase>) -> Self {
        self.seal(Seal::new(passphrase))
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a session that is encrypted, so that a passphrase must be asked for.
    /// It may still be damaged.
    ///
    /// # Errors
    /// [`Error::Session`] if the file cannot be read.
    pub fn is_sealed(&self) -> Result<bool, Error> {
        let there = self.content().map_err(|problem| self.failed(problem))?;
        Ok(there.is_some_and(|content| sealed::is_sealed(&content)))
    }

    /// Encrypts the session that is there with another passphrase than now, or decrypts it if
    /// none is given. A process that is killed meanwhile leaves it as it was or as it will be.
    /// Returns the file as it is to be opened from now on.
    ///
    /// What the disk keeps of the file before, and copies of it, are not reached.
    ///
    /// # Errors
    /// [`Error::Session`] if the session is in use, if it cannot be opened with what this value
    /// knows, or if there is none.
    pub fn change_passphrase(&self, new: Option<Passphrase>) -> Result<Self, Error> {
        let changed = Self { seal: new.map(Seal::new).map(Arc::new), ..self.clone() };
        let _lock = Store::lock(self)?;
        self.rewrite(&changed, &mut Disk).map_err(|problem| self.failed(problem))?;
        Ok(changed)
    }

    pub(super) fn seal(mut self, seal: Seal) -> Self {
        self.seal = Some(Arc::new(seal));
        self
    }

    /// The same file in another folder.
    #[cfg(test)]
    pub(super) fn moved(&self, folder: &Path) -> Self {
        let path = folder.join(self.path.file_name().unwrap_or_default());
        Self { seal: self.seal.clone(), ..Self::new(path) }
    }

    fn failed(&self, problem: SessionProblem) -> Error {
        Error::session(Some(&self.path), problem)
    }

    /// All of the file, or as much of it as no session has; `None` if there is none.
    fn content(&self) -> Result<Option<Zeroizing<Vec<u8>>>, SessionProblem> {
        if !examine(&self.place)? {
            return Ok(None);
        }
        let file = fs::File::open(&self.place).map_err(SessionProblem::Io)?;
        let length = file.metadata().map_err(SessionProblem::Io)?.len();
        // Room for all of it at once, so that growing leaves no copy behind.
        let room = usize::try_from(length.min(LARGEST)).unwrap_or_default() + 1;
        let mut content = Zeroizing::new(Vec::with_capacity(room));
        file.take(LARGEST + 1).read_to_end(&mut content).map_err(SessionProblem::Io)?;
        Ok(Some(content))
    }

    fn read(&self) -> Result<Option<Session>, SessionProblem> {
        let Some(content) = self.content()? else { return Ok(None) };
        if content.len() as u64 > LARGEST {
            return Err(SessionProblem::NotASession);
        }
        sealed::read(self.seal.as_deref(), &content).map(Some)
    }

    pub(super) fn write(
        &self,
        session: &Session,
        steps: &mut impl Steps,
    ) -> Result<(), SessionProblem> {
        let before = self.content()?;
        let before = before.as_ref().map(|content| content.as_slice());
        let content = sealed::write(self.seal.as_deref(), session, before)?;
        self.replace(content.as_ref(), steps)
    }

    /// Writes the session anew as another value of the same path keeps it.
    pub(super) fn rewrite(
        &self,
        changed: &Self,
        steps: &mut impl Steps,
    ) -> Result<(), SessionProblem> {
        let missing = || SessionProblem::Io(io::ErrorKind::NotFound.into());
        let session = self.read()?.ok_or_else(missing)?;
        let content = sealed::write(changed.seal.as_deref(), &session, None)?;
        self.replace(content.as_ref(), steps)
    }

    fn replace(&self, content: &[u8], steps: &mut impl Steps) -> Result<(), SessionProblem> {
        let (folder, prefix) = self.temporary()?;
        // A tool without the lock must not mix its bytes with those of a client.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut fresh_name = prefix;
        fresh_name.push(format!("{}-{count}{TEMPORARY}", std::process::id()));
        let fresh = folder.join(fresh_name);
        let written = (|| {
            let mut file = steps.create(&fresh)?;
            steps.write(&mut file, content)?;
            steps.sync(&file)?;
            drop(file);
            steps.rename(&fresh, &self.place)
        })();
        if let Err(error) = written {
            discard(&fresh, steps);
            return Err(SessionProblem::Io(error));
        }
        steps.sync_folder(folder).map_err(SessionProblem::Io)
    }

    pub(super) fn remove(&self, steps: &mut impl Steps) -> Result<(), SessionProblem> {
        if !examine(&self.place)? {
            return Ok(());
        }
        let (folder, _) = self.temporary()?;
        steps.remove(&self.place).map_err(SessionProblem::Io)?;
        steps.sync_folder(folder).map_err(SessionProblem::Io)
    }

    /// The folder, and what the names of temporary files in it begin with.
    fn temporary(&self) -> Result<(&Path, OsString), SessionProblem> {
        let name = self.place.file_name().ok_or(SessionProblem::NotAFile("no file name"))?;
        let folder = match self.place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut prefix = OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        Ok((folder, prefix))
    }

    /// Removes what killed processes left: each is a session, and perhaps one that is not
    /// encrypted. Only who has the lock may do so. What cannot be removed harms nobody else.
    pub(super) fn sweep(&self, steps: &mut impl Steps) {
        let Ok((folder, prefix)) = self.temporary() else { return };
        let Ok(entries) = fs::read_dir(folder) else { return };
        let mut swept = false;
        for entry in entries.filter_map(Result::ok) {
            if is_temporary(&entry.file_name(), &prefix) {
                discard(&entry.path(), steps);
                swept = true;
            }
        }
        if swept && let Err(error) = steps.sync_folder(folder) {
            tracing::warn!(%error, "a temporary session file may come back");
        }
    }
}

impl Store for File {
    fn load(&self) -> Result<Option<Session>, Error> {
        self.read().map_err(|problem| self.failed(problem))
    }

    fn save(&self, session: &Session) -> Result<(), Error> {
        self.write(session, &mut Disk).map_err(|problem| self.failed(problem))
    }

    fn clear(&self) -> Result<(), Error> {
        self.remove(&mut Disk).map_err(|problem| self.failed(problem))
    }

    fn lock(&self) -> Result<Option<SessionLock>, Error> {
        let lock = lock::take(&self.place).map_err(|problem| self.failed(problem))?;
        self.sweep(&mut Disk);
        Ok(Some(lock))
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }
}

/// Whether this path is a file that may be read and replaced; false if nothing is there.
pub(super) fn examine(path: &Path) -> Result<bool, SessionProblem> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(SessionProblem::Io(error)),
    };
    match found {
        kind if kind.is_file() => Ok(true),
        kind if kind.is_symlink() => Err(SessionProblem::NotAFile("a symbolic link")),
        kind if kind.is_dir() => Err(SessionProblem::NotAFile("a folder")),
        _ => Err(SessionProblem::NotAFile("no ordinary file")),
    }
}

fn is_temporary(name: &OsStr, prefix: &OsStr) -> bool {
    let rest = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
    let numbers = rest.and_then(|rest| rest.strip_suffix(TEMPORARY.as_bytes()));
    numbers.is_some_and(|numbers| {
        !numbers.is_empty() && numbers.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
    })
}

fn discard(temporary: &Path, steps: &mut impl Steps) {
    if let Err(error) = steps.remove(temporary)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "a temporary session file could not be removed");
    }
}

/// What changes the disk, one call a step, so that a test can stop between any two of them.
pub(super) trait Steps {
    fn create(&mut self, path: &Path) -> io::Result<fs::File>;
    fn write(&mut self, file: &mut fs::File, content: &[u8]) -> io::Result<()>;
    fn sync(&mut self, file: &fs::File) -> io::Result<()>;
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;
    fn remove(&mut self, path: &Path) -> io::Result<()>;
}

/// The steps done for real.
pub(super) struct Disk;

impl Steps for Disk {
    fn create(&mut self, path: &Path) -> io::Result<fs::File> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    }

    fn write(&mut self, file: &mut fs::File, content: &[u8]) -> io::Result<()> {
        file.write_all(content)
    }

    fn sync(&mut self, file: &fs::File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        // Elsewhere a folder cannot be opened like a file, and a rename needs no more than itself.
        if !cfg!(unix) {
            return Ok(());
        }
        let synced = match fs::File::open(folder) {
            Ok(folder) => folder.sync_all(),
            // It may be written to and not be read.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            Err(error) => return Err(error),
        };
        // So say file systems that cannot do it for folders.
        synced.or_else(|error| match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => Ok(()),
            _ => Err(error),
        })
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// No file of a session is larger.
const LARGEST: u64 = (bytes::LARGEST + sealed::FIXED) as u64;
/// What the name of a temporary file ends with.
const TEMPORARY: &str = ".new";

static COUNT: AtomicU32 = AtomicU32::new(0);
