//! One session in one file: owner-only, replaced as a whole or not at all.
//!
//! A save writes a new file beside the old one, brings it to the disk, and renames it over the
//! old one; then it brings the folder to the disk. A process killed between any two of these
//! steps leaves the old session or the new one, never a part. What it may leave behind is the
//! new file under its temporary name, `.NAME.PID-N.new`.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use zeroize::Zeroizing;

use super::{Session, SessionLock, Store, bytes, lock};
use crate::error::{Error, SessionProblem};

/// Keeps the session in a file, readable by its owner only (mode 0600).
///
/// Symbolic links and folders are refused: a link would be replaced by the file, not followed.
///
/// A client locks the file `NAME.lock` beside it, which says who that is. The file stays there,
/// but the lock ends with the client or its process, even with one that is killed. Reading the
/// session ([`load`](Store::load)) needs no lock.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
}

impl File {
    /// Names the file. Nothing is touched before [`load`](Store::load) or [`save`](Store::save).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, problem: SessionProblem) -> Error {
        Error::session(Some(&self.path), problem)
    }

    /// Whether there is a file that may be read and replaced.
    fn examine(&self) -> Result<bool, SessionProblem> {
        let found = match fs::symlink_metadata(&self.path) {
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

    fn read(&self) -> Result<Option<Session>, SessionProblem> {
        if !self.examine()? {
            return Ok(None);
        }
        let length = fs::metadata(&self.path).map_err(SessionProblem::Io)?.len();
        if length > LARGEST {
            return Err(SessionProblem::NotASession);
        }
        let input = Zeroizing::new(fs::read(&self.path).map_err(SessionProblem::Io)?);
        bytes::read(&input).map(Some)
    }

    pub(super) fn write(
        &self,
        session: &Session,
        steps: &mut impl Steps,
    ) -> Result<(), SessionProblem> {
        self.examine()?;
        let content = bytes::write(session)?;
        let name = self.path.file_name().ok_or(SessionProblem::NotAFile("no file name"))?;
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // A tool without the lock must not mix its bytes with those of a client.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut fresh_name = std::ffi::OsString::from(".");
        fresh_name.push(name);
        fresh_name.push(format!(".{}-{count}.new", std::process::id()));
        let fresh = folder.join(fresh_name);
        let written = (|| {
            let mut file = steps.create(&fresh)?;
            steps.write(&mut file, content.as_ref())?;
            steps.sync(&file)?;
            drop(file);
            steps.rename(&fresh, &self.path)
        })();
        if let Err(error) = written {
            steps.remove(&fresh);
            return Err(SessionProblem::Io(error));
        }
        steps.sync_folder(folder).map_err(SessionProblem::Io)
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
        match self.examine() {
            Ok(true) => fs::remove_file(&self.path).map_err(SessionProblem::Io),
            Ok(false) => Ok(()),
            Err(problem) => Err(problem),
        }
        .map_err(|problem| self.failed(problem))
    }

    fn lock(&self) -> Result<Option<SessionLock>, Error> {
        lock::take(&self.path).map(Some).map_err(|problem| self.failed(problem))
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }
}

/// The steps of a save, one call each, so that a test can stop between any two of them.
pub(super) trait Steps {
    fn create(&mut self, path: &Path) -> io::Result<fs::File>;
    fn write(&mut self, file: &mut fs::File, content: &[u8]) -> io::Result<()>;
    fn sync(&mut self, file: &fs::File) -> io::Result<()>;
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;
    fn remove(&mut self, path: &Path);
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
        if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn remove(&mut self, path: &Path) {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a temporary session file could not be removed");
        }
    }
}

/// No session is larger: an address of 64 KiB and 65,535 salts.
const LARGEST: u64 = 2 * 1024 * 1024;

static COUNT: AtomicU32 = AtomicU32::new(0);
