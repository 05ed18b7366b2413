//! What a disk that fails, a process that is killed and a machine that loses its power leave of a
//! session file: the old session or the new one, at every step of everything that changes it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::{names, problem, same, session};
use crate::{
    error::SessionProblem,
    session::{
        File, Seal, Session, Store,
        file::{Disk, Steps},
    },
};

/// Everything that changes a session file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The first save of all.
    Create,
    Save,
    Clear,
    Encrypt,
    SaveEncrypted,
    Reencrypt,
    Decrypt,
    /// What a killed process left, beside an encrypted session.
    Sweep,
}

pub(super) const CHANGES: [Change; 8] = [
    Change::Create,
    Change::Save,
    Change::Clear,
    Change::Encrypt,
    Change::SaveEncrypted,
    Change::Reencrypt,
    Change::Decrypt,
    Change::Sweep,
];

/// A session file in a folder, to be changed.
pub(super) struct Scene {
    folder: PathBuf,
    change: Change,
    before: File,
    after: File,
}

impl Scene {
    /// The scene, whatever is there.
    pub(super) fn of(change: Change, folder: &Path) -> Self {
        let plain = File::new(folder.join(NAME));
        let [one, two] = ["one", "two"]
            .map(|passphrase| plain.clone().seal(Seal::new(passphrase).costing(8, 1, 1)));
        let (before, after) = match change {
            Change::Create | Change::Save | Change::Clear => (plain.clone(), plain),
            Change::Encrypt => (plain, one),
            Change::SaveEncrypted | Change::Sweep => (one.clone(), one),
            Change::Reencrypt => (one, two),
            Change::Decrypt => (one, plain),
        };
        Self { folder: folder.to_owned(), change, before, after }
    }

    /// The scene as it is before the change.
    pub(super) fn set(change: Change, folder: &Path) -> Self {
        let scene = Self::of(change, folder);
        if change != Change::Create {
            scene.before.save(&session(1)).unwrap();
        }
        if change == Change::Sweep {
            fs::write(folder.join(LEFT), session(1).to_bytes().unwrap()).unwrap();
        }
        scene
    }

    pub(super) fn run(&self, steps: &mut impl Steps) -> Result<(), SessionProblem> {
        match self.change {
            Change::Create | Change::Save | Change::SaveEncrypted => {
                self.after.write(&session(2), steps)
            }
            Change::Clear => self.after.remove(steps),
            Change::Encrypt | Change::Reencrypt | Change::Decrypt => {
                self.before.rewrite(&self.after, steps)
            }
            Change::Sweep => {
                self.before.sweep(steps);
                Ok(())
            }
        }
    }

    /// What a killed process may leave: the old session or the new one, which does not hinder
    /// the next process, and nothing that this one does not clean up.
    pub(super) fn check_and_go_on(&self, is_done: bool) {
        let (old, new) = self.found(&self.folder);
        assert!(new || !is_done, "{:?}: done, and the old session", self.change);
        let file = if old { &self.before } else { &self.after };
        let lock = Store::lock(file).unwrap();
        let left = names(&self.folder);
        assert!(left.iter().all(|name| [NAME, LOCK].contains(&name.as_str())), "{left:?}");
        file.save(&session(3)).unwrap();
        assert!(same(&file.load().unwrap().unwrap(), &session(3)), "{:?}", self.change);
        drop(lock);
    }

    /// Whether the session that is found in a folder is that of before, and whether it is that
    /// of after. It must be one of them.
    fn found(&self, folder: &Path) -> (bool, bool) {
        let [before, after] = [&self.before, &self.after].map(|file| file.moved(folder));
        let is = |file: &File, expected: Option<Session>| match (file.load(), expected) {
            (Ok(None), None) => true,
            (Ok(Some(found)), Some(expected)) => same(&found, &expected),
            _ => false,
        };
        let first = Some(session(1));
        let (old, new) = match self.change {
            Change::Create => (None, Some(session(2))),
            Change::Save | Change::SaveEncrypted => (first, Some(session(2))),
            Change::Clear => (first, None),
            Change::Encrypt | Change::Reencrypt | Change::Decrypt | Change::Sweep => {
                (first.clone(), first)
            }
        };
        let found = (is(&before, old), is(&after, new));
        assert!(found.0 || found.1, "{:?}: neither the old nor the new session", self.change);
        found
    }
}

/// Fails in one step, and in all after it if it is a process that was killed.
struct Failing {
    /// How many steps are done before.
    left: usize,
    /// How much of a write is done that fails, in percent.
    torn: usize,
    is_killed: bool,
    failed: bool,
    /// Whether it was a write that failed.
    tore: bool,
}

impl Failing {
    fn step(&mut self) -> io::Result<()> {
        if (self.failed && self.is_killed) || (self.left == 0 && !self.failed) {
            self.failed = true;
            return Err(io::Error::other("failed on purpose"));
        }
        self.left = self.left.saturating_sub(1);
        Ok(())
    }
}

impl Steps for Failing {
    fn create(&mut self, path: &Path) -> io::Result<fs::File> {
        self.step()?;
        Disk.create(path)
    }

    fn write(&mut self, file: &mut fs::File, content: &[u8]) -> io::Result<()> {
        if let Err(error) = self.step() {
            self.tore = true;
            Disk.write(file, &content[..content.len() * self.torn / 100])?;
            return Err(error);
        }
        Disk.write(file, content)
    }

    fn sync(&mut self, file: &fs::File) -> io::Result<()> {
        self.step()?;
        Disk.sync(file)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Disk.rename(from, to)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.step()?;
        Disk.sync_folder(folder)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        Disk.remove(path)
    }
}

/// Fails in each step in turn, until a change meets no failure any more; returns how many steps
/// it has.
fn at_every_step(change: Change, is_killed: bool, check: impl Fn(&Scene, usize, bool)) -> usize {
    for left in 0.. {
        for torn in [0, 1, 50, 99, 100] {
            let folder = tempfile::tempdir().unwrap();
            let scene = Scene::set(change, folder.path());
            let mut steps = Failing { left, torn, is_killed, failed: false, tore: false };
            let result = scene.run(&mut steps);
            if change != Change::Sweep {
                assert_eq!(result.is_ok(), !steps.failed, "{change:?}, step {left}");
            }
            check(&scene, left, steps.failed);
            if !steps.failed {
                return left;
            }
            if !steps.tore {
                break;
            }
        }
    }
    unreachable!("a change has an end")
}

#[test]
fn a_process_killed_at_any_step_leaves_one_whole_session() {
    for change in CHANGES {
        let steps = at_every_step(change, true, |scene, _, failed| scene.check_and_go_on(!failed));
        let expected = match change {
            Change::Clear | Change::Sweep => 2,
            _ => 5,
        };
        assert_eq!(steps, expected, "{change:?}");
    }
}

#[test]
fn a_disk_that_fails_leaves_one_whole_session_and_nothing_else() {
    for change in CHANGES {
        at_every_step(change, false, |scene, step, failed| {
            let (_, new) = scene.found(&scene.folder);
            assert!(new || failed, "{change:?}: done, and the old session");
            let left = names(&scene.folder);
            if !(failed && change == Change::Sweep) {
                assert!(left.iter().all(|name| name == NAME), "{change:?}, {step}: {left:?}");
            }
        });
    }
}

/// Does everything, and writes down what the disk may make of it when the power goes.
#[derive(Default)]
struct Recorder {
    operations: Vec<Operation>,
    /// What was made last, the only file that is written to.
    open: PathBuf,
}

#[derive(Clone, Debug)]
enum Operation {
    Create(String),
    Write(String, Vec<u8>),
    Sync(String),
    Rename(String, String),
    Remove(String),
    SyncFolder,
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

impl Steps for Recorder {
    fn create(&mut self, path: &Path) -> io::Result<fs::File> {
        self.open = path.to_owned();
        self.operations.push(Operation::Create(name(path)));
        Disk.create(path)
    }

    fn write(&mut self, file: &mut fs::File, content: &[u8]) -> io::Result<()> {
        self.operations.push(Operation::Write(name(&self.open), content.to_vec()));
        Disk.write(file, content)
    }

    fn sync(&mut self, file: &fs::File) -> io::Result<()> {
        self.operations.push(Operation::Sync(name(&self.open)));
        Disk.sync(file)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.operations.push(Operation::Rename(name(from), name(to)));
        Disk.rename(from, to)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.operations.push(Operation::SyncFolder);
        Disk.sync_folder(folder)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.operations.push(Operation::Remove(name(path)));
        Disk.remove(path)
    }
}

/// A folder as it may be found after the power went: names, and the content behind each.
type Found = BTreeMap<String, Vec<u8>>;

/// All that may be found if the power goes after these operations. What was not synced may be
/// there or not: each change of the folder by itself, and of a file any part.
fn after_a_power_cut(start: &Found, operations: &[Operation]) -> Vec<Found> {
    // A file is known by the name that it was made with; which names it has is the folder's.
    let mut written: BTreeMap<String, Vec<u8>> = start.clone();
    let mut unsynced: BTreeMap<String, usize> = BTreeMap::new();
    let mut settled: BTreeMap<String, String> =
        start.keys().map(|name| (name.clone(), name.clone())).collect();
    let mut pending = Vec::new();
    for operation in operations {
        match operation {
            Operation::Create(name) => {
                written.insert(format!("new {name}"), Vec::new());
                pending.push(operation.clone());
            }
            Operation::Write(name, content) => {
                let file = format!("new {name}");
                let synced = written[&file].len();
                unsynced.entry(file.clone()).or_insert(synced);
                written.get_mut(&file).unwrap().extend(content);
            }
            Operation::Sync(name) => drop(unsynced.remove(&format!("new {name}"))),
            Operation::Rename(..) | Operation::Remove(_) => pending.push(operation.clone()),
            Operation::SyncFolder => {
                pending.drain(..).for_each(|change| change_folder(&mut settled, &change));
            }
        }
    }
    let mut all = Vec::new();
    for chosen in 0..1_u32 << pending.len() {
        let mut folder = settled.clone();
        for (at, change) in pending.iter().enumerate() {
            if chosen & (1 << at) != 0 {
                change_folder(&mut folder, change);
            }
        }
        for percent in [0, 1, 50, 99, 100] {
            let content = |file: &String| {
                let mut content = written[file].clone();
                if let Some(synced) = unsynced.get(file) {
                    content.truncate(synced + (content.len() - synced) * percent / 100);
                }
                content
            };
            all.push(folder.iter().map(|(name, file)| (name.clone(), content(file))).collect());
        }
    }
    all
}

/// Changes which file has which name.
fn change_folder(folder: &mut BTreeMap<String, String>, change: &Operation) {
    match change {
        Operation::Create(name) => drop(folder.insert(name.clone(), format!("new {name}"))),
        Operation::Remove(name) => drop(folder.remove(name)),
        Operation::Rename(from, to) => {
            // The new name may reach the disk without the one before ever having done so.
            folder.remove(from);
            folder.insert(to.clone(), format!("new {from}"));
        }
        other => unreachable!("{other:?} changes no folder"),
    }
}

#[test]
fn a_power_cut_at_any_step_leaves_one_whole_session_and_after_the_last_the_new_one() {
    let mut seen = 0;
    for change in CHANGES {
        let folder = tempfile::tempdir().unwrap();
        let scene = Scene::set(change, folder.path());
        let start: Found = names(folder.path())
            .into_iter()
            .map(|name| (name.clone(), fs::read(folder.path().join(name)).unwrap()))
            .collect();
        let mut recorder = Recorder::default();
        scene.run(&mut recorder).unwrap();
        let operations = recorder.operations;
        for done in 0..=operations.len() {
            for found in after_a_power_cut(&start, &operations[..done]) {
                let folder = tempfile::tempdir().unwrap();
                for (name, content) in &found {
                    fs::write(folder.path().join(name), content).unwrap();
                }
                let (_, new) = scene.found(folder.path());
                assert!(new || done < operations.len(), "{change:?} did not last: {found:?}");
                seen += 1;
            }
        }
    }
    assert!(seen > 300, "only {seen} states");
}

/// A session in the clear that a killed process left would outlive every encryption.
#[test]
fn what_killed_processes_left_is_removed_by_the_next_who_has_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::new(folder.path().join(NAME));
    file.save(&session(1)).unwrap();
    let others = [
        ".me.session.new",
        ".me.session.x-1.new",
        ".me.session.1-2.old",
        ".you.session.1-2.new",
        "me.session.1-2.new",
    ];
    for other in others.iter().chain(&[LEFT, ".me.session.7-12.new"]) {
        fs::write(folder.path().join(other), "x").unwrap();
    }
    // Looking needs no lock and removes nothing.
    file.load().unwrap().unwrap();
    assert!(folder.path().join(LEFT).exists());
    let sealed = file.change_passphrase(Some("one".into())).unwrap();
    let mut expected: Vec<_> = others.iter().copied().chain([NAME, LOCK]).collect();
    expected.sort_unstable();
    assert_eq!(names(folder.path()), expected);
    // Who is refused the lock removes nothing either.
    let lock = Store::lock(&sealed).unwrap();
    fs::write(folder.path().join(LEFT), "x").unwrap();
    assert!(matches!(problem(Store::lock(&sealed)), SessionProblem::InUse { .. }));
    assert!(folder.path().join(LEFT).exists());
    drop(lock);
}

const NAME: &str = "me.session";
const LOCK: &str = "me.session.lock";
const LEFT: &str = ".me.session.4711-0.new";

/// Some file systems cannot bring a folder to the disk. Nobody could keep a session there if that
/// were a failure; `/proc` is one of them.
#[cfg(target_os = "linux")]
#[test]
fn a_file_system_that_syncs_no_folders_keeps_sessions() {
    assert!(fs::File::open("/proc").unwrap().sync_all().is_err());
    Disk.sync_folder(Path::new("/proc")).unwrap();
    assert!(Disk.sync_folder(Path::new("/proc/none")).is_err());
}
