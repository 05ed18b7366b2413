//! Many accounts in one SQLite file: each by itself, and nothing believed that a stranger wrote.

use std::{fs, path::Path, process::Command};

use rusqlite::Connection;

use super::{names, problem, same, session};
use crate::{
    error::{Error, SessionProblem},
    session::{
        Seal, Session, Sqlite, Store,
        sqlite::{Account, Kept, Listed},
    },
};

fn store(folder: &Path) -> Sqlite {
    Sqlite::open(folder.join(NAME)).unwrap()
}

fn account(folder: &Path, name: &str) -> Account {
    store(folder).account(name).unwrap()
}

/// An account that is encrypted with this passphrase, for next to nothing.
fn sealed(account: &Account, passphrase: &str) -> Account {
    account.clone().seal(Seal::new(passphrase).costing(8, 1, 1))
}

fn found(account: &Account) -> Option<u8> {
    let found = account.load().unwrap()?;
    (0..=255).find(|first| same(&found, &session(*first)))
}

/// The file as somebody else changes it.
fn tamper(folder: &Path, sql: &str) {
    let db = Connection::open(folder.join(NAME)).unwrap();
    db.execute_batch(sql).unwrap();
}

fn listed(store: &Sqlite) -> Vec<(String, String)> {
    let shown = |entry: Listed| {
        let kept = match entry.kept {
            Kept::Session { dc_id, signed_in, user_id, bot } => {
                format!("dc {dc_id}, {signed_in}, {user_id:?}, {bot}")
            }
            Kept::Sealed => "sealed".to_owned(),
            Kept::Broken(problem) => problem.to_string(),
        };
        (entry.name, kept)
    };
    store.accounts().unwrap().into_iter().map(shown).collect()
}

#[test]
fn every_account_is_kept_replaced_and_forgotten_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (alice, bob) = (store.account("alice").unwrap(), store.account("bob").unwrap());
    assert_eq!((found(&alice), found(&bob)), (None, None));
    alice.save(&session(1)).unwrap();
    assert_eq!((found(&alice), found(&bob)), (Some(1), None));
    bob.save(&session(2)).unwrap();
    alice.save(&session(3)).unwrap();
    assert_eq!((found(&alice), found(&bob)), (Some(3), Some(2)));
    // Whoever opens the file anew finds the same.
    assert_eq!(found(&account(folder.path(), "bob")), Some(2));
    alice.clear().unwrap();
    alice.clear().unwrap();
    assert_eq!((found(&alice), found(&bob)), (None, Some(2)));
    assert_eq!(names(folder.path()), [NAME], "nothing stays beside the file");
}

#[test]
fn accounts_are_listed_without_their_secrets_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    store.account("plain").unwrap().save(&session(1)).unwrap();
    let secret = sealed(&store.account("secret").unwrap(), "one");
    secret.save(&distinct(2)).unwrap();
    store.account("Zo\u{eb} 1/2").unwrap().save(&session(3)).unwrap();
    let session = "dc 2, true, Some(777000), false".to_owned();
    let expected = [
        ("Zo\u{eb} 1/2".to_owned(), session.clone()),
        ("plain".to_owned(), session),
        ("secret".to_owned(), "sealed".to_owned()),
    ];
    assert_eq!(listed(&store), expected);
    assert!(!shows(folder.path(), &distinct(2)), "an encrypted key shows");

    // No passphrase is needed to forget one, but nobody may be using it.
    let lock = secret.lock().unwrap();
    let error = store.remove("secret").unwrap_err();
    assert!(error.to_string().contains("account secret: it is in use"), "{error}");
    assert!(matches!(problem(Err::<bool, _>(error)), SessionProblem::InUse { .. }));
    drop(lock);
    assert!(store.remove("secret").unwrap() && !store.remove("secret").unwrap());
    assert_eq!(listed(&store), expected[..2]);
}

/// A session with a key that has nothing in common with that of another.
fn distinct(first: u8) -> Session {
    let mut session = session(first);
    let part = chappe_crypto::sha256(&[&[first]]);
    let key = std::array::from_fn(|at| part[at % 32] ^ (at / 32) as u8);
    session.dcs.get_mut(&2).unwrap().key = chappe_crypto::AuthKey::from_bytes(key);
    session
}

/// Whether any part of the session's key is in the file.
fn shows(folder: &Path, session: &Session) -> bool {
    let content = fs::read(folder.join(NAME)).unwrap();
    let parts: Vec<_> = session.dcs[&2].key.as_bytes().chunks(8).collect();
    content.windows(8).any(|found| parts.contains(&found))
}

/// A sign-out that leaves the key on the disk is none.
#[test]
fn nothing_of_a_key_is_left_once_it_was_replaced_or_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let alice = account(folder.path(), "alice");
    let shows = |first| shows(folder.path(), &distinct(first));
    alice.save(&distinct(1)).unwrap();
    assert!(shows(1));
    alice.save(&distinct(2)).unwrap();
    assert!(!shows(1) && shows(2));
    alice.clear().unwrap();
    assert!(!shows(2));
    assert_eq!(names(folder.path()), [NAME]);
}

#[test]
fn names_of_accounts_are_any_text_of_a_sensible_length() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    for name in ["", "a\nb", "\u{1b}[31m", &"x".repeat(65)] {
        assert!(matches!(store.account(name), Err(Error::Invalid(_))), "{name:?}");
        assert!(matches!(store.remove(name), Err(Error::Invalid(_))), "{name:?}");
    }
    // Their locks are files, and none of these is a path or shares one with another.
    let odd = ["..", "a/b", "A", "a", "a.lock", "%61", "+15550100", "'; --", &"x".repeat(64)];
    let mut locks = Vec::new();
    for (first, name) in (1..).zip(odd) {
        let account = store.account(name).unwrap();
        locks.push(account.lock().unwrap().unwrap());
        account.save(&session(first)).unwrap();
    }
    for (first, name) in (1..).zip(odd) {
        assert_eq!(found(&store.account(name).unwrap()), Some(first), "{name}");
    }
    let mut files = names(folder.path());
    files.iter_mut().for_each(|name| name.make_ascii_lowercase());
    files.dedup();
    assert_eq!(files.len(), 1 + odd.len(), "{files:?}");
    assert!(files.contains(&"accounts.sqlite.a.lock".to_owned()), "{files:?}");
}

#[test]
fn an_account_is_used_by_one_client_at_a_time_and_others_are_not_hindered() {
    let folder = tempfile::tempdir().unwrap();
    let alice = account(folder.path(), "alice");
    let lock = alice.lock().unwrap();
    let again = account(folder.path(), "alice");
    assert!(matches!(problem(again.lock()), SessionProblem::InUse { .. }));
    drop(account(folder.path(), "bob").lock().unwrap().unwrap());
    assert!(matches!(problem(alice.change_passphrase(None)), SessionProblem::InUse { .. }));
    drop(lock);
    drop(again.lock().unwrap().unwrap());
}

#[test]
fn each_account_has_a_passphrase_of_its_own_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (alice, bob) = (store.account("alice").unwrap(), store.account("bob").unwrap());
    let one = sealed(&alice, "one");
    one.save(&session(1)).unwrap();
    bob.save(&session(2)).unwrap();
    assert!(alice.is_sealed().unwrap() && !bob.is_sealed().unwrap());
    assert_eq!(found(&sealed(&alice, "one")), Some(1));
    for result in [alice.load().map(drop), alice.save(&session(3))] {
        assert!(matches!(problem(result), SessionProblem::Sealed));
    }
    let two = sealed(&alice, "two");
    for result in
        [two.load().map(drop), two.save(&session(3)), two.change_passphrase(None).map(drop)]
    {
        assert!(matches!(problem(result), SessionProblem::WrongPassphrase));
    }
    let wrong = sealed(&bob, "one");
    for result in [wrong.load().map(drop), wrong.save(&session(3))] {
        assert!(matches!(problem(result), SessionProblem::NotSealed));
    }

    let two = one.change_passphrase(Some("two".into())).unwrap();
    assert_eq!(found(&two), Some(1));
    assert!(matches!(problem(one.load()), SessionProblem::WrongPassphrase));
    let plain = two.change_passphrase(None).unwrap();
    assert_eq!(found(&plain), Some(1));
    let missing = store.account("carol").unwrap().change_passphrase(None);
    assert!(matches!(problem(missing), SessionProblem::Io(_)));
}

/// Whoever can write the file but has no passphrase cannot pass one account off as another.
#[test]
fn an_encrypted_account_that_was_moved_to_another_name_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (alice, bob) = (store.account("alice").unwrap(), store.account("bob").unwrap());
    sealed(&alice, "one").save(&session(1)).unwrap();
    let content = store.database.row("alice").unwrap().unwrap();
    store.database.write("bob", &content).unwrap();
    assert!(matches!(problem(sealed(&bob, "one").load()), SessionProblem::WrongPassphrase));
}

#[cfg(unix)]
#[test]
fn the_file_and_its_journal_are_their_owners_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| {
        let found = fs::metadata(folder.path().join(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    let store = store(folder.path());
    assert_eq!(mode(NAME), 0o600);
    store.account("alice").unwrap().save(&session(1)).unwrap();
    drop(store);
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.path().join(NAME), open).unwrap();
    let store = self::store(folder.path());
    assert_eq!(mode(NAME), 0o600);
    // The journal is there while a change is on its way.
    let db = store.database.db();
    db.execute_batch("BEGIN; DELETE FROM account; PRAGMA cache_spill = 1;").unwrap();
    let journal = format!("{NAME}-journal");
    assert_eq!(names(folder.path()), [NAME.to_owned(), journal.clone()]);
    assert_eq!(mode(&journal), 0o600);
    db.execute_batch("ROLLBACK").unwrap();
}

#[cfg(unix)]
#[test]
fn links_and_folders_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    fs::write(&target, "").unwrap();
    std::os::unix::fs::symlink(&target, folder.path().join(NAME)).unwrap();
    let link = problem(Sqlite::open(folder.path().join(NAME)));
    assert!(matches!(link, SessionProblem::NotAFile("a symbolic link")), "{link}");
    assert_eq!(fs::metadata(&target).unwrap().len(), 0);
    let refused = problem(Sqlite::open(folder.path()));
    assert!(matches!(refused, SessionProblem::NotAFile("a folder")), "{refused}");
    let missing = problem(Sqlite::open(folder.path().join("missing").join(NAME)));
    assert!(matches!(missing, SessionProblem::Io(_)), "{missing}");
    // A folder on the way may be a link: that is how some systems are made.
    let real = folder.path().join("real");
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, folder.path().join("way")).unwrap();
    Sqlite::open(folder.path().join("way").join(NAME)).unwrap();
    assert_eq!(names(&real), [NAME]);
}

#[test]
fn files_of_others_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let foreign = |content: &dyn Fn()| {
        content();
        let before = fs::read(&path).unwrap();
        let refused = problem(Sqlite::open(&path));
        assert!(matches!(refused, SessionProblem::NotASession), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::remove_file(&path).unwrap();
    };
    foreign(&|| fs::write(&path, "notes, and not a database. ".repeat(50)).unwrap());
    foreign(&|| fs::write(&path, session(1).to_bytes().unwrap()).unwrap());
    foreign(&|| tamper(folder.path(), "CREATE TABLE sessions (dc_id INTEGER)"));
    foreign(&|| tamper(folder.path(), "PRAGMA journal_mode = WAL; CREATE TABLE account (name)"));
    foreign(&|| tamper(folder.path(), "PRAGMA user_version = 2"));
    foreign(&|| tamper(folder.path(), "PRAGMA application_id = 7; PRAGMA user_version = 1"));
    // An empty file is what a process leaves that was killed before the first save.
    fs::write(&path, "").unwrap();
    assert!(store(folder.path()).accounts().unwrap().is_empty());
}

#[test]
fn what_is_newer_or_not_as_we_made_it_is_refused() {
    for (sql, expected) in [
        ("PRAGMA user_version = 2", "version 2 of the format is newer"),
        ("PRAGMA user_version = 70000", "version 65535 of the format is newer"),
        ("PRAGMA user_version = 0", "damaged"),
        ("PRAGMA user_version = -1", "damaged"),
        ("CREATE TABLE more (x)", "damaged"),
        ("CREATE TRIGGER t AFTER UPDATE ON account BEGIN DELETE FROM account; END", "damaged"),
        // One that never ends.
        (
            "DROP TABLE account; CREATE VIEW account AS WITH RECURSIVE c (name) AS
             (SELECT '' UNION ALL SELECT '' FROM c) SELECT name, name session, name checksum FROM c",
            "damaged",
        ),
        ("ALTER TABLE account ADD COLUMN more INTEGER", "damaged"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        account(folder.path(), "alice").save(&session(1)).unwrap();
        tamper(folder.path(), sql);
        let error = Sqlite::open(folder.path().join(NAME)).unwrap_err();
        assert!(error.to_string().contains(expected), "{sql}: {error}");
        assert!(error.to_string().contains(NAME), "{sql}: {error}");
    }
}

/// A database of the write-ahead kind is made one of ours before anything is written.
#[test]
fn a_file_that_somebody_gave_a_write_ahead_log_loses_it() {
    let folder = tempfile::tempdir().unwrap();
    account(folder.path(), "alice").save(&session(1)).unwrap();
    tamper(folder.path(), "PRAGMA journal_mode = WAL");
    let alice = account(folder.path(), "alice");
    alice.save(&session(2)).unwrap();
    assert_eq!(found(&alice), Some(2));
    assert_eq!(names(folder.path()), [NAME]);
    drop(alice);
    // While another program has it open that way, it is refused.
    tamper(folder.path(), "PRAGMA journal_mode = WAL");
    let other = Connection::open(folder.path().join(NAME)).unwrap();
    other.execute_batch("BEGIN; SELECT * FROM account").unwrap();
    let refused = problem(Sqlite::open(folder.path().join(NAME)));
    assert!(refused.to_string().contains("another program keeps it locked"), "{refused}");
}

#[test]
fn rows_that_were_changed_are_damaged_and_harm_no_other() {
    for sql in [
        "UPDATE account SET session = X'00' WHERE name = 'alice'",
        "UPDATE account SET checksum = X'00' WHERE name = 'alice'",
        "UPDATE account SET session = zeroblob(5000000) WHERE name = 'alice'",
        "UPDATE account SET (session, checksum) =
         (SELECT session, checksum FROM account WHERE name = 'bob') WHERE name = 'alice'",
    ] {
        let folder = tempfile::tempdir().unwrap();
        account(folder.path(), "alice").save(&session(1)).unwrap();
        account(folder.path(), "bob").save(&session(2)).unwrap();
        tamper(folder.path(), sql);
        let store = store(folder.path());
        assert!(matches!(problem(store.account("alice").unwrap().load()), SessionProblem::Damaged));
        assert_eq!(found(&store.account("bob").unwrap()), Some(2), "{sql}");
        if !sql.contains("zeroblob") {
            let [(alice, kept), (bob, _)] = &listed(&store)[..] else { panic!("two accounts") };
            assert_eq!((alice.as_str(), bob.as_str()), ("alice", "bob"));
            assert!(kept.contains("damaged"), "{kept}");
        }
        // It is not replaced by the way, but can be removed.
        let refused = store.account("alice").unwrap().save(&session(3));
        assert!(matches!(problem(refused), SessionProblem::Damaged));
        assert!(store.remove("alice").unwrap());
        store.account("alice").unwrap().save(&session(3)).unwrap();
        assert_eq!(found(&store.account("alice").unwrap()), Some(3));
    }
}

/// A row whose name was changed is found under no name: that is not the same as no row.
#[test]
fn an_account_that_is_lost_is_not_taken_for_one_that_never_was() {
    let folder = tempfile::tempdir().unwrap();
    account(folder.path(), "alice").save(&session(1)).unwrap();
    tamper(folder.path(), "UPDATE account SET name = 'alicf'");
    assert!(matches!(problem(account(folder.path(), "alice").load()), SessionProblem::Damaged));
    let [(name, kept)] = &listed(&store(folder.path()))[..] else { panic!("one account") };
    assert!(name == "alicf" && kept.contains("damaged"), "{name}: {kept}");

    tamper(folder.path(), "UPDATE account SET name = 'x' || char(27) || '[31m'");
    assert_eq!(listed(&store(folder.path()))[0].0, "x[31m");
}

/// Whatever is flipped: the right session, or an error that says what is wrong. Never another
/// session, never none, and no panic.
#[test]
fn no_flipped_byte_brings_a_wrong_session_or_loses_one() {
    let folder = tempfile::tempdir().unwrap();
    account(folder.path(), "alice").save(&session(1)).unwrap();
    account(folder.path(), "bob").save(&session(2)).unwrap();
    let good = fs::read(folder.path().join(NAME)).unwrap();
    let page = 4096;
    assert_eq!(good.len(), 2 * page, "the schema, and the accounts");
    // All that has a meaning: the rest of both pages is empty.
    let meant = |at: &usize| good[*at] != 0 || at % page < 128;
    let mut refused = 0;
    for at in (0..good.len()).filter(meant) {
        for change in [0x01, 0xff] {
            let mut bad = good.clone();
            bad[at] ^= change;
            fs::write(folder.path().join(NAME), &bad).unwrap();
            let loaded = Sqlite::open(folder.path().join(NAME)).and_then(|store| {
                store.accounts()?;
                store.account("alice")?.load()
            });
            match loaded {
                Ok(Some(found)) => assert!(same(&found, &session(1)), "byte {at}"),
                Ok(None) => panic!("byte {at}: nothing is there any more"),
                Err(Error::Session(_)) => refused += 1,
                Err(other) => panic!("byte {at}: {other}"),
            }
        }
    }
    assert!(refused > 1000, "only {refused}");
}

#[test]
fn no_cut_brings_a_wrong_session_or_loses_one() {
    let folder = tempfile::tempdir().unwrap();
    account(folder.path(), "alice").save(&session(1)).unwrap();
    let good = fs::read(folder.path().join(NAME)).unwrap();
    // SQLite takes a file of one byte for an empty one, which is what begins a new file.
    for len in (2..good.len()).step_by(61).chain([100, 512, 4095, 4096, 4097]) {
        fs::write(folder.path().join(NAME), &good[..len]).unwrap();
        let loaded =
            Sqlite::open(folder.path().join(NAME)).and_then(|store| store.account("alice")?.load());
        assert!(matches!(loaded, Err(Error::Session(_))), "{len} bytes: {loaded:?}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path().join(NAME)).unwrap();
    let shown = format!("{store:?} {:?}", store.account("alice").unwrap().passphrase("hunter2"));
    assert!(shown.contains("alice") && !shown.contains("hunter2"), "{shown}");
}

/// The other end of the next test: saves its account many times.
#[test]
fn a_process_among_many() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let (path, name) = order.split_once('|').unwrap();
    let account = Sqlite::open(path).unwrap().account(name).unwrap();
    let _lock = account.lock().unwrap().unwrap();
    for first in 0..20 {
        account.save(&session(first)).unwrap();
        assert_eq!(found(&account), Some(first));
    }
}

#[test]
fn many_processes_open_make_and_use_one_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let start = |name: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "session::tests::sqlite::a_process_among_many"])
            .env(ORDER, format!("{}|{name}", path.display()))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let processes: Vec<_> = NAMES.map(start).into();
    let threads: Vec<_> = ["e", "f"]
        .map(|name| {
            let account = account(folder.path(), name);
            std::thread::spawn(move || {
                (0..20).for_each(|first| account.save(&session(first)).unwrap());
            })
        })
        .into();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    for name in NAMES.into_iter().chain(["e", "f"]) {
        assert_eq!(found(&account(folder.path(), name)), Some(19), "{name}");
    }
}

/// What a session that is larger than a page needs is needed here, too.
#[test]
fn a_session_of_many_pages_is_kept_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let alice = account(folder.path(), "alice");
    let mut large: Session = session(1);
    large.dcs.get_mut(&2).unwrap().address = "x".repeat(60_000);
    alice.save(&large).unwrap();
    assert!(same(&alice.load().unwrap().unwrap(), &large));
    alice.save(&session(2)).unwrap();
    assert_eq!(found(&alice), Some(2));
    let content = fs::read(folder.path().join(NAME)).unwrap();
    assert!(!content.windows(64).any(|found| found == [b'x'; 64]));
}

const NAME: &str = "accounts.sqlite";
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// Says which account of which file the other process saves.
const ORDER: &str = "CHAPPE_TEST_AMONG_MANY";
