//! One session, one client: two that use one auth key at the same time from two places make
//! Telegram throw it away (`AUTH_KEY_DUPLICATED`), and the account is locked out.
//!
//! A file is locked by an advisory lock of the operating system on a file beside it, `NAME.lock`:
//! the session itself is replaced by every save, and a lock on it would go with the old one. The
//! lock ends with the process, however that ends, so there is never one that nobody holds. What
//! is written in the file only says who holds the lock. It is never removed: somebody else could
//! hold a lock on the removed one.

use std::{
    ffi::OsString,
    fmt, fs, io,
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{Lease, Store, keeper::blocking};
use crate::{
    error::{Error, SessionProblem},
    net::timer,
};

/// A session taken for one client; dropping it lets the session go. See
/// [`Store::lock`].
pub struct SessionLock {
    lease: Option<Lease>,
    release: Box<dyn FnOnce() + Send + Sync>,
}

impl SessionLock {
    /// Makes one of what lets the session go when it is dropped.
    pub fn new(guard: impl Send + Sync + 'static) -> Self {
        Self { lease: None, release: Box::new(move || drop(guard)) }
    }

    /// Makes one that can be lost: the client uses the session until the lease is over, and no
    /// longer.
    ///
    /// When a client is closed, `release` is called on a blocking thread, after the last socket
    /// is closed, and may wait until somebody else can take the session. Elsewhere it is only
    /// dropped, which has to let the session go without waiting.
    pub fn leased(lease: Lease, release: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self { lease: Some(lease), release: Box::new(release) }
    }

    pub(crate) fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }
}

impl fmt::Debug for SessionLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLock").finish_non_exhaustive()
    }
}

/// Who uses a session, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The name of the machine.
    pub host: Option<String>,
    /// The number of the process on that machine.
    pub pid: Option<u32>,
    /// The name of the program.
    pub program: Option<String>,
    /// Since when, in seconds of unix time.
    pub since: Option<u64>,
}

impl Holder {
    /// This process.
    pub(super) fn here() -> Self {
        let program = std::env::current_exe().ok();
        let program = program.as_deref().and_then(Path::file_name);
        Self {
            host: host(),
            pid: Some(std::process::id()),
            program: program.map(|name| name.to_string_lossy().into_owned()),
            since: None,
        }
    }

    fn read(text: &str) -> Self {
        let field = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(shown)
        };
        Self {
            host: field("host"),
            pid: field("pid").and_then(|pid| pid.parse().ok()),
            program: field("program"),
            since: field("since").and_then(|since| since.parse().ok()),
        }
    }

    fn write(&self) -> String {
        let fields = [
            ("pid", self.pid.map(|pid| pid.to_string())),
            ("program", self.program.as_deref().map(shown)),
            ("host", self.host.as_deref().map(shown)),
            ("since", self.since.map(|since| since.to_string())),
        ];
        let lines =
            fields.into_iter().filter_map(|(name, value)| Some(format!("{name} {}\n", value?)));
        lines.collect()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program.as_deref().unwrap_or("another program"))?;
        let details = [
            self.pid.map(|pid| format!("process {pid}")),
            self.host.as_ref().map(|host| format!("on {host}")),
            self.since.and_then(date).map(|date| format!("since {date}")),
        ];
        let details: Vec<_> = details.into_iter().flatten().collect();
        if details.is_empty() { Ok(()) } else { write!(f, " ({})", details.join(", ")) }
    }
}

/// Locks the session of this path.
pub(super) fn take(session: &Path) -> Result<SessionLock, SessionProblem> {
    let path = sidecar(session)?;
    let failed = |source| SessionProblem::Lock { path: path.clone(), source };
    let mut file = open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            let mut text = Vec::new();
            // Where a lock keeps others from reading, nobody knows who holds it.
            let read = (&mut file).take(LARGEST).read_to_end(&mut text);
            let text = read.map(|_| String::from_utf8_lossy(&text)).unwrap_or_default();
            return Err(SessionProblem::InUse { holder: Holder::read(&text) });
        }
        Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!("this file system has no locks: do not use the session twice");
            return Ok(SessionLock::new(()));
        }
        Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
    }
    sign(&mut file).map_err(failed)?;
    Ok(SessionLock::new(Locked(file)))
}

/// A file whose lock is let go with it, also where a process that is just being started has the
/// file open, too, for a moment.
struct Locked(fs::File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing it would do, were it the only one.
        drop(self.0.unlock());
    }
}

/// `NAME.lock` beside the session.
fn sidecar(session: &Path) -> Result<PathBuf, SessionProblem> {
    let name = session.file_name().ok_or(SessionProblem::NotAFile("no file name"))?;
    let mut lock_name = OsString::from(name);
    lock_name.push(".lock");
    Ok(session.with_file_name(lock_name))
}

/// Opens the file, without changing it, if it is an ordinary one under just this name.
fn open(path: &Path) -> Result<fs::File, SessionProblem> {
    let failed = |source| SessionProblem::Lock { path: path.to_owned(), source };
    ordinary(path).map_err(failed)?;
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    // Once more: what was just opened must be what has this name, not what a link led to.
    let found = ordinary(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let opened = file.metadata().map_err(failed)?;
        let same =
            found.is_some_and(|found| (found.dev(), found.ino()) == (opened.dev(), opened.ino()));
        if !same {
            return Err(failed(io::Error::other("it was replaced meanwhile")));
        }
    }
    #[cfg(not(unix))]
    drop(found);
    Ok(file)
}

/// What has this name, if it is an ordinary file; `None` if nothing has it.
fn ordinary(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(Some(found)),
        Ok(found) if found.is_symlink() => Err(io::Error::other("it is a symbolic link")),
        Ok(_) => Err(io::Error::other("it is no ordinary file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes who holds the lock. What somebody before left there goes.
fn sign(file: &mut fs::File) -> io::Result<()> {
    let mut holder = Holder::here();
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(holder.write().as_bytes())?;
    // The file system knows what time it is.
    let written = file.metadata()?.modified()?;
    holder.since = written.duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs());
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(holder.write().as_bytes())
}

/// A store, taken for one client. The lock goes with it, and so does the session.
pub(crate) struct Held {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) lock: Option<SessionLock>,
}

impl Held {
    /// Lets the session go, and returns when others can take it.
    pub(crate) async fn release(self) -> Result<(), Error> {
        let Some(SessionLock { release, .. }) = self.lock else { return Ok(()) };
        blocking(|| {
            release();
            Ok(())
        })
        .await
    }
}

/// Takes the store for one client.
///
/// # Errors
/// [`SessionProblem::InUse`], or what keeps it from being taken.
pub(crate) async fn hold(store: Box<dyn Store>) -> Result<Held, Error> {
    let store: Arc<dyn Store> = store.into();
    let mut tries = 0;
    let lock = loop {
        let taking = Arc::clone(&store);
        match blocking(move || taking.lock()).await {
            // A client of this process that was dropped just now may still be letting go.
            Err(error) if tries < OWN_TRIES && is_own(&error) => {
                tries += 1;
                timer::pause(OWN_PAUSE).await;
            }
            lock => break lock?,
        }
    };
    Ok(Held { store, lock })
}

fn is_own(error: &Error) -> bool {
    let Error::Session(error) = error else { return false };
    match error.problem() {
        SessionProblem::InUse { holder } => {
            holder.pid == Some(std::process::id()) && holder.host == host()
        }
        _ => false,
    }
}

/// The name of this machine, where that can be learned from a file or the environment.
fn host() -> Option<String> {
    let from_file = || fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let from_shell = || std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok();
    let name = from_file().or_else(from_shell)?;
    Some(shown(name.trim())).filter(|name| !name.is_empty())
}

/// What somebody else wrote, fit for a terminal.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST_FIELD).collect()
}

/// A unix time as a date that everybody reads alike; `None` for one that cannot be meant.
fn date(since: u64) -> Option<String> {
    let (days, second) = (since / 86_400, since % 86_400);
    if days > LAST_DAY {
        return None;
    }
    // Years begin in March here, so that the leap day is the last of its year.
    let day_of_era = (days + 719_468) % 146_097;
    let era = (days + 719_468) / 146_097;
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"))
}

/// No honest lock file is larger.
const LARGEST: u64 = 4096;
/// Characters of a name that are shown.
const LONGEST_FIELD: usize = 64;
/// The last day of the year 9999.
const LAST_DAY: u64 = 2_932_896;
/// How often a session that this process holds is tried again.
const OWN_TRIES: u32 = 5;
const OWN_PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn in_use(result: Result<SessionLock, SessionProblem>) -> Holder {
        match result {
            Err(SessionProblem::InUse { holder }) => holder,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_at_a_time_and_the_second_hears_who() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("me.session");
        let first = take(&path).unwrap();
        let holder = in_use(take(&path));
        assert_eq!(holder.pid, Some(std::process::id()));
        assert!(holder.since.unwrap() > 1_700_000_000);
        assert!(holder.to_string().contains(&format!("process {}", std::process::id())));
        // Another session beside it is another.
        drop(take(&folder.path().join("bot.session")).unwrap());
        drop(first);
        drop(take(&path).unwrap());
    }

    #[test]
    fn what_is_left_in_the_file_locks_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("me.session");
        let left = folder.path().join("me.session.lock");
        fs::write(&left, "pid 1\nprogram gone\nsince 12\nand more\n".repeat(100)).unwrap();
        let lock = take(&path).unwrap();
        assert_eq!(in_use(take(&path)).pid, Some(std::process::id()));
        let text = fs::read_to_string(&left).unwrap();
        assert!(!text.contains("gone") && text.starts_with("pid "), "{text}");
        drop(lock);
    }

    #[test]
    fn a_copy_of_the_file_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let file = open(&path).unwrap();
        file.try_lock().unwrap();
        // As a child has it between fork and exec.
        let _copy = file.try_clone().unwrap();
        assert!(open(&path).unwrap().try_lock().is_err());
        drop(Locked(file));
        open(&path).unwrap().try_lock().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_the_lock_and_no_link_is_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("me.session");
        let lock = folder.path().join("me.session.lock");
        drop(take(&path).unwrap());
        assert_eq!(fs::metadata(&lock).unwrap().permissions().mode() & 0o777, 0o600);

        let target = folder.path().join("precious");
        fs::write(&target, "precious").unwrap();
        for link in [target.clone(), folder.path().join("missing")] {
            fs::remove_file(&lock).unwrap();
            symlink(&link, &lock).unwrap();
            let error = take(&path).unwrap_err();
            assert!(error.to_string().contains("symbolic link"), "{error}");
            assert!(error.to_string().contains("me.session.lock"), "{error}");
        }
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert!(!folder.path().join("missing").exists());

        fs::remove_file(&lock).unwrap();
        fs::create_dir(&lock).unwrap();
        let error = take(&path).unwrap_err();
        assert!(error.to_string().contains("no ordinary file"), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [folder.path().join("missing").join("me.session"), file.join("me.session")] {
            let error = take(&path).unwrap_err();
            assert!(matches!(&error, SessionProblem::Lock { .. }), "{error}");
            assert!(error.to_string().contains("me.session.lock"), "{error}");
        }
        assert!(matches!(take(Path::new("/")), Err(SessionProblem::NotAFile(_))));
    }

    #[test]
    fn a_holder_is_shown_as_far_as_it_is_known_and_never_raw() {
        for (text, expect) in [
            ("", "another program"),
            (
                "pid 7\nprogram cli\nhost box\nsince 1764104584\n",
                "cli (process 7, on box, since 2025-11-25 21:03:04 UTC)",
            ),
            ("program \u{1b}[31mred\npid -1\nsince 99999999999999\n", "[31mred"),
            ("pid 7\npid 8\n", "another program (process 7)"),
        ] {
            assert_eq!(Holder::read(text).to_string(), expect);
        }
        let long = Holder::read(&format!("program {}\n", "x".repeat(1000)));
        assert_eq!(long.program.unwrap().len(), LONGEST_FIELD);
    }

    #[test]
    fn dates_are_right_around_leap_days() {
        for (since, expect) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(date(since).as_deref(), Some(expect));
        }
        assert_eq!(date(253_402_300_800), None);
        assert_eq!(date(u64::MAX), None);
    }
}
