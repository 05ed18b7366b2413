//! Real processes, killed with SIGKILL at each of their writes: `strace` traces one that changes a
//! store, and then kills another one in front of every system call of it that changes the disk.
//!
//! Then the same calls fail, as on a disk that breaks. And what the trace says is looked at once
//! more: when a change is done, nothing of it may be in the system's memory only, or a power cut
//! would undo it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use super::disk::{CHANGES, Change, Scene};
use crate::session::file::Disk;
use programs::runs_here;

#[path = "../../../../chappe-reference/tests/programs/mod.rs"]
mod programs;

/// Something that is changed by a process that may be killed.
trait Story {
    /// Makes what is there before.
    fn set(&self, folder: &Path);
    /// Changes it.
    fn run(&self, folder: &Path);
    /// Checks that the old or the new is there, the new one if the change was done, and that it
    /// can be used.
    fn check(&self, folder: &Path, is_done: bool);
}

impl Story for Change {
    fn set(&self, folder: &Path) {
        Scene::set(*self, folder);
    }

    fn run(&self, folder: &Path) {
        Scene::of(*self, folder).run(&mut Disk).unwrap();
    }

    fn check(&self, folder: &Path, is_done: bool) {
        Scene::of(*self, folder).check_and_go_on(is_done);
    }
}

#[cfg(feature = "sqlite")]
mod database {
    use super::*;
    use crate::session::{
        Seal, Session, Sqlite, Store,
        sqlite::Account,
        tests::{names, same, session},
    };

    /// What changes one account of a file, with another one beside it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Row {
        /// The file is made, too.
        Create,
        Save,
        /// A session that needs many pages.
        SaveLarge,
        Clear,
        Encrypt,
    }

    pub(super) const ROWS: [Row; 5] =
        [Row::Create, Row::Save, Row::SaveLarge, Row::Clear, Row::Encrypt];

    impl Row {
        /// The account before and after.
        fn accounts(store: &Sqlite) -> (Account, Account) {
            let alice = store.account("alice").unwrap();
            (alice.clone(), alice.seal(Seal::new("one").costing(8, 1, 1)))
        }

        fn sessions(self) -> (Option<Session>, Option<Session>) {
            let (first, mut second) = (session(1), session(2));
            match self {
                Self::Create => (None, Some(second)),
                Self::Save => (Some(first), Some(second)),
                Self::SaveLarge => {
                    second.dcs.get_mut(&2).unwrap().address = "x".repeat(20_000);
                    (Some(first), Some(second))
                }
                Self::Clear => (Some(first), None),
                Self::Encrypt => (Some(first.clone()), Some(first)),
            }
        }
    }

    impl Story for Row {
        fn set(&self, folder: &Path) {
            if *self != Self::Create {
                let store = Sqlite::open(folder.join(NAME)).unwrap();
                Self::accounts(&store).0.save(&session(1)).unwrap();
                store.account("bob").unwrap().save(&session(9)).unwrap();
            }
        }

        fn run(&self, folder: &Path) {
            let store = Sqlite::open(folder.join(NAME)).unwrap();
            let (alice, sealed) = Self::accounts(&store);
            match (self, self.sessions().1) {
                (Self::Encrypt, _) => alice.rewrite(&sealed).unwrap(),
                (_, Some(session)) => alice.save(&session).unwrap(),
                (_, None) => alice.clear().unwrap(),
            }
        }

        fn check(&self, folder: &Path, is_done: bool) {
            let store = Sqlite::open(folder.join(NAME)).unwrap();
            let (alice, sealed) = Self::accounts(&store);
            let is = |account: &Account, expected: &Option<Session>| match account.load() {
                Ok(found) => match (found, expected) {
                    (None, None) => true,
                    (Some(found), Some(expected)) => same(&found, expected),
                    _ => false,
                },
                Err(_) => false,
            };
            let (before, after) = self.sessions();
            let old = is(&alice, &before);
            let new = is(if *self == Self::Encrypt { &sealed } else { &alice }, &after);
            assert!(if is_done { new } else { old || new }, "{self:?}: old {old}, new {new}");
            if *self != Self::Create {
                let bob = store.account("bob").unwrap().load().unwrap().unwrap();
                assert!(same(&bob, &session(9)), "{self:?}: another account suffered");
            }
            store.account("carol").unwrap().save(&session(3)).unwrap();
            assert_eq!(names(folder), [NAME], "{self:?}");
        }
    }

    const NAME: &str = "accounts.sqlite";
}

fn stories() -> Vec<(String, Box<dyn Story>)> {
    let mut all: Vec<(String, Box<dyn Story>)> = Vec::new();
    for change in CHANGES {
        all.push((format!("file {change:?}"), Box::new(change)));
    }
    #[cfg(feature = "sqlite")]
    for row in database::ROWS {
        all.push((format!("database {row:?}"), Box::new(row)));
    }
    all
}

/// The process that is killed: it does what `ORDER` says, between two marks in the trace.
#[test]
fn a_process_to_be_killed() {
    let Ok(order) = env::var(ORDER) else { return };
    let (name, folder) = order.split_once('|').unwrap();
    let stories = stories();
    let (_, story) = stories.iter().find(|(found, _)| found == name).unwrap();
    assert!(fs::symlink_metadata(BEGIN).is_err());
    story.run(Path::new(folder));
    assert!(fs::symlink_metadata(END).is_err());
}

/// Runs the process under strace.
fn trace(name: &str, folder: &Path, options: &[&str]) -> ExitStatus {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-y"])
        .args(options)
        .arg(env::current_exe().unwrap())
        .args(["--exact", "session::tests::killed::a_process_to_be_killed", "--test-threads=1"])
        .env(ORDER, format!("{name}|{}", folder.display()))
        // Some of them panic, and nobody reads where.
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().unwrap()
}

/// A system call between the marks.
#[derive(Debug)]
struct Call {
    name: String,
    /// How many of that name the thread had made, this one included.
    count: usize,
    /// The whole line of the trace.
    line: String,
}

impl Call {
    /// Whether the disk may be another one after it. What is not known to read only is one.
    fn changes(&self) -> bool {
        match self.name.as_str() {
            "open" | "openat" => self.line.contains("O_CREAT") || self.line.contains("O_TRUNC"),
            name => !READS.contains(&name),
        }
    }

    /// The files that are named, as `"..."` or by `<...>` behind a descriptor.
    fn paths(&self) -> Vec<PathBuf> {
        let named = self.line.split('"').skip(1).step_by(2).map(PathBuf::from);
        let open = self.line.split('<').skip(1).filter_map(|rest| rest.split('>').next());
        named.chain(open.map(PathBuf::from)).collect()
    }
}

/// What the process does between the marks.
fn calls(log: &str) -> Vec<Call> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut inside, mut calls) = (None, Vec::new());
    for line in log.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((name, _)) = call.trim_start().split_once('(') else { continue };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let count = counts.entry((thread, name)).or_default();
        *count += 1;
        if call.contains(BEGIN) {
            inside = Some(thread);
        } else if call.contains(END) {
            inside = None;
        } else if inside == Some(thread) {
            calls.push(Call { name: name.to_owned(), count: *count, line: call.to_owned() });
        }
    }
    calls
}

/// What is not on the disk yet when all of this was done, but in the system's memory.
fn unsynced(folder: &Path, calls: &[Call]) -> BTreeSet<PathBuf> {
    let mut open = BTreeSet::new();
    for call in calls.iter().filter(|call| call.changes()) {
        let is_ours = |path: &PathBuf| {
            path.starts_with(folder) && path.extension().is_none_or(|kind| kind != "lock")
        };
        let paths: Vec<_> = call.paths().into_iter().filter(is_ours).collect();
        let Some(path) = paths.first().cloned() else { continue };
        match call.name.as_str() {
            "fsync" | "fdatasync" => drop(open.remove(&path)),
            "write" | "pwrite64" | "ftruncate" => drop(open.insert(path)),
            "open" | "openat" => drop(open.insert(folder.to_owned())),
            "unlink" | "unlinkat" => {
                open.remove(&path);
                open.insert(folder.to_owned());
            }
            "rename" | "renameat" | "renameat2" => {
                if open.remove(&path) {
                    open.insert(paths[1].clone());
                }
                open.insert(folder.to_owned());
            }
            // Rights do not matter for what is found.
            "chmod" | "fchmod" | "fchmodat" | "chown" | "fchown" | "fchownat" => {}
            other => panic!("what does {other} do? {}", call.line),
        }
    }
    open
}

fn strike_everywhere(kind: &str) {
    // It may be there, and not be allowed to trace.
    if !runs_here(&format!("processes killed at {kind}"), "strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let mut struck = 0;
    for (name, story) in stories().iter().filter(|(name, _)| name.starts_with(kind)) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("trace");
        let inside = folder.path().join("inside");
        fs::create_dir(&inside).unwrap();
        story.set(&inside);
        let options = ["-e", "trace=%file,%desc", "-o", log.to_str().unwrap()];
        assert!(trace(name, &inside, &options).success(), "{name}");
        let calls = calls(&fs::read_to_string(&log).unwrap());
        let open = unsynced(&inside, &calls);
        assert!(open.is_empty(), "{name}: a power cut would lose {open:?}");
        story.check(&inside, true);

        let changes: Vec<_> = calls.iter().filter(|call| call.changes()).collect();
        assert!(!changes.is_empty(), "{name}: nothing was changed");
        for call in changes {
            for (strike, is_killed) in [("signal=KILL", true), ("error=EIO", false)] {
                let folder = tempfile::tempdir().unwrap();
                story.set(folder.path());
                let inject = format!("inject={}:{strike}:when={}", call.name, call.count);
                let only = format!("trace={}", call.name);
                let options = ["-e", &only, "-e", &inject, "-o", "/dev/null"];
                let end = trace(name, folder.path(), &options);
                let was_killed = end.signal() == Some(9);
                assert_eq!(was_killed, is_killed, "{name}: {strike} at {}", call.line);
                story.check(folder.path(), end.success());
            }
            struck += 1;
        }
    }
    assert!(struck > 20, "only {struck} calls");
    println!("{kind}: killed and failed at {struck} calls");
}

#[test]
fn a_process_killed_at_any_write_of_a_session_file_leaves_one_whole_session() {
    strike_everywhere("file");
}

#[cfg(feature = "sqlite")]
#[test]
fn a_process_killed_at_any_write_of_a_database_leaves_one_whole_session() {
    strike_everywhere("database");
}

/// Says which story the other process acts in which folder.
const ORDER: &str = "CHAPPE_TEST_TO_BE_KILLED";
/// Files that are not there: asking for them marks the trace.
const BEGIN: &str = "the-change-begins-here";
const END: &str = "the-change-ends-here";
/// System calls that leave the disk as it is.
const READS: [&str; 26] = [
    "access",
    "close",
    "dup",
    "faccessat",
    "faccessat2",
    "fcntl",
    "fstat",
    "fstatfs",
    "getcwd",
    "getdents64",
    "ioctl",
    "lseek",
    "lstat",
    "mmap",
    "newfstatat",
    "poll",
    "pread64",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "stat",
    "statfs",
    "statx",
    "flock",
    "epoll_wait",
];
