//! The session file: what is written is read, and what is damaged is refused.

mod disk;
#[cfg(target_os = "linux")]
mod killed;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::{collections::BTreeMap, env, fs, path::Path, process::Command};

use chappe_crypto::AuthKey;
use chappe_mtproto::connection::Salt;

use super::{Dc, File, ForeignDc, Memory, Owner, Seal, Session, Store, bytes};
use crate::error::{Error, SessionProblem};

fn key(first: u8) -> AuthKey {
    let mut key = [0; 256];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = first.wrapping_add(at as u8);
    }
    AuthKey::from_bytes(key)
}

/// What version 1 could say: one data centre.
pub(super) fn session(first: u8) -> Session {
    let home = Dc {
        address: "127.0.0.1:4430".to_owned(),
        key: key(first),
        salts: vec![
            Salt { salt: -1, valid_since: 1_700_000_000, valid_until: 1_700_001_800 },
            Salt { salt: i64::MIN, valid_since: 1_700_001_800, valid_until: i64::MAX },
        ],
        signed_in: true,
        given: true,
    };
    Session {
        home: 2,
        server_fingerprint: -3_414_540_481_677_951_611,
        time_offset: -7,
        owner: Owner::User(777_000),
        api_id: None,
        dcs: BTreeMap::from([(2, home)]),
        tokens: Vec::new(),
    }
}

/// Three data centres, and the home is the last one.
fn abroad(first: u8) -> Session {
    let mut session = session(first);
    for (dc_id, signed_in) in [(1, false), (4, true)] {
        let address = format!("127.0.0.1:{dc_id}");
        let dc = Dc { address, key: key(dc_id as u8), salts: vec![], signed_in, given: false };
        session.dcs.insert(dc_id, dc);
    }
    session.home = 4;
    session
}

/// All that version 3 can say.
fn complete(first: u8) -> Session {
    let mut session = abroad(first);
    session.api_id = Some(12345);
    session.remember(b"older");
    session.remember(b"newer");
    session
}

pub(super) fn problem(result: Result<impl Sized, Error>) -> SessionProblem {
    match result {
        Err(Error::Session(error)) => error.into_problem(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was read"),
    }
}

pub(super) fn same(left: &Session, right: &Session) -> bool {
    left.to_bytes().unwrap().as_ref() == right.to_bytes().unwrap().as_ref()
}

#[test]
fn what_is_written_is_read() {
    for owner in [Owner::Nobody, Owner::Unknown, Owner::User(5), Owner::Bot(6)] {
        let mut before = complete(1);
        before.owner = owner;
        let after = Session::from_bytes(before.to_bytes().unwrap().as_ref()).unwrap();
        assert_eq!((after.dc_id(), after.address()), (4, "127.0.0.1:4"));
        assert_eq!(after.server_fingerprint(), before.server_fingerprint());
        assert_eq!(after.time_offset, before.time_offset);
        assert_eq!(after.owner, owner);
        assert_eq!(after.api_id(), Some(12345));
        assert_eq!(after.tokens, before.tokens);
        assert_eq!(after.dc_ids().collect::<Vec<_>>(), [1, 2, 4]);
        for (after, before) in after.dcs.values().zip(before.dcs.values()) {
            assert_eq!(after.address, before.address);
            assert_eq!(after.key.as_bytes(), before.key.as_bytes());
            assert_eq!(after.salts, before.salts);
            assert_eq!((after.signed_in, after.given), (before.signed_in, before.given));
        }
    }
}

pub(super) fn unhex(text: &str) -> Vec<u8> {
    let hex: String = text.split_whitespace().collect();
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// Made by hand, after the table of version 1.
#[test]
fn a_file_of_version_1_is_read_and_written_as_version_3() {
    let read = Session::from_bytes(&unhex(include_str!("../../tests/vectors/session_1.hex")));
    let read = read.unwrap();
    assert!(same(&read, &session(1)));
    assert_eq!(read.named(), 2);
    assert_eq!(read.to_bytes().unwrap().as_ref()[8..10], [3, 0]);
}

/// Made by another program, after the table of version 2.
#[test]
fn a_file_of_version_2_is_read_and_written_as_version_3() {
    let read = Session::from_bytes(&unhex(include_str!("../../tests/vectors/session_2.hex")));
    let read = read.unwrap();
    assert!(same(&read, &abroad(1)));
    assert_eq!((read.api_id(), read.named()), (None, 2));
    assert_eq!(read.to_bytes().unwrap().as_ref()[8..10], [3, 0]);
}

/// Made by another program, after the table of version 3.
#[test]
fn a_file_of_version_3_is_read_and_written_as_it_was() {
    let file = unhex(include_str!("../../tests/vectors/session_3.hex"));
    let read = Session::from_bytes(&file).unwrap();
    assert!(same(&read, &complete(1)));
    assert_eq!(read.to_bytes().unwrap().as_ref(), file);
}

#[test]
fn of_a_session_that_was_signed_out_only_the_tokens_are_left() {
    let left = complete(1).signed_out(Some(2)).unwrap();
    let read = Session::from_bytes(left.to_bytes().unwrap().as_ref()).unwrap();
    assert_eq!((read.dc_id(), read.dc_ids().count(), read.address()), (2, 0, ""));
    assert_eq!((read.is_signed_in(), read.user_id(), read.api_id()), (false, None, None));
    assert_eq!(read.tokens, complete(1).tokens);
    assert_eq!(left.signed_out(None).unwrap().dc_id(), 2);
    assert!(abroad(1).signed_out(None).is_none());
}

#[test]
fn the_newest_tokens_are_kept_and_each_once() {
    let mut session = session(1);
    for token in (0..30_u8).chain([15]) {
        session.remember(&[token]);
    }
    session.remember(&[]);
    session.remember(&[1; 65_536]);
    assert_eq!(session.tokens.len(), 20);
    let firsts: Vec<_> = session.tokens.iter().map(|token| token[0]).collect();
    assert_eq!(firsts[..3], [15, 29, 28]);
    assert_eq!(firsts[19], 10);
    assert!(same(&session, &Session::from_bytes(session.to_bytes().unwrap().as_ref()).unwrap()));
}

#[test]
fn a_session_of_another_program_needs_the_key_of_its_home() {
    let dc = |dc_id: i32| ForeignDc { dc_id, address: None, key: key(dc_id as u8) };
    let made = Session::assemble(4, 7, Owner::Unknown, Some(12345), [dc(2), dc(4)]).unwrap();
    assert_eq!((made.dc_id(), made.address(), made.server_fingerprint()), (4, "", 7));
    assert_eq!((made.is_signed_in(), made.user_id()), (true, None));
    assert_eq!(made.dc_ids().collect::<Vec<_>>(), [2, 4]);
    assert_eq!(made.dcs[&4].key.as_bytes(), key(4).as_bytes());
    assert!(made.dcs[&4].signed_in && !made.dcs[&2].signed_in);
    let without = Session::assemble(1, 7, Owner::User(5), None, [dc(2)]);
    assert!(matches!(without, Err(SessionProblem::NoKey)));
}

/// Written by the program as it was before it knew more than one data centre, with the key of a
/// local Telegram that is no more.
#[test]
fn a_file_that_the_program_of_version_1_wrote_is_read() {
    let old = unhex(include_str!("../../tests/vectors/session_1_written.hex"));
    let read = Session::from_bytes(&old).unwrap();
    assert_eq!((read.dc_id(), read.address()), (2, "127.0.0.1:45165"));
    assert_eq!((read.user_id(), read.is_bot()), (Some(6_523_118_420), false));
    let again = Session::from_bytes(read.to_bytes().unwrap().as_ref()).unwrap();
    assert!(same(&read, &again));
}

#[test]
fn the_layout_is_the_documented_one() {
    let bytes = complete(1).to_bytes().unwrap();
    let bytes = bytes.as_ref();
    assert_eq!(&bytes[..10], b"CHAPPE\r\n\x03\0");
    assert_eq!(bytes[10..14], 4_i32.to_le_bytes());
    assert_eq!(bytes[22..30], (-7_i64).to_le_bytes());
    assert_eq!(bytes[30], 1);
    assert_eq!(bytes[31..39], 777_000_i64.to_le_bytes());
    assert_eq!(bytes[39..41], 3_u16.to_le_bytes());
    let first = 265 + "127.0.0.1:1".len();
    assert_eq!(bytes[41..46], [1, 0, 0, 0, 0]);
    let home = &bytes[41 + first..];
    assert_eq!(home[..4], 2_i32.to_le_bytes());
    assert_eq!(home[4], 3);
    assert_eq!(home[5..8], [1, 2, 3]);
    assert_eq!(home[261..263], 14_u16.to_le_bytes());
    assert_eq!(&home[263..277], b"127.0.0.1:4430");
    assert_eq!(home[277..279], 2_u16.to_le_bytes());
    assert_eq!(home[279 + 2 * 24..][..5], [4, 0, 0, 0, 1]);
    let tail = &home[279 + 2 * 24 + first..];
    assert_eq!(tail[..4], 12345_i32.to_le_bytes());
    assert_eq!(&tail[4..tail.len() - 32], b"\x02\x05\0newer\x05\0older");
    assert_eq!(bytes.len(), 41 + 2 * first + 265 + 14 + 2 * 24 + 5 + 14 + 32);
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let good = session(1).to_bytes().unwrap();
    for at in 0..good.as_ref().len() {
        for bit in [0x01, 0x80] {
            let mut bad = good.as_ref().to_vec();
            bad[at] ^= bit;
            match problem(Session::from_bytes(&bad)) {
                SessionProblem::NotASession => assert!(at < 8, "byte {at}"),
                SessionProblem::Damaged => assert!(at >= 8, "byte {at}"),
                other => panic!("byte {at}: {other}"),
            }
        }
    }
}

#[test]
fn a_cut_anywhere_and_an_addition_are_noticed() {
    let good = session(1).to_bytes().unwrap();
    for len in 0..good.as_ref().len() {
        match problem(Session::from_bytes(&good.as_ref()[..len])) {
            SessionProblem::NotASession => assert!(len < 8, "{len} bytes"),
            SessionProblem::Damaged => assert!(len >= 8, "{len} bytes"),
            other => panic!("{len} bytes: {other}"),
        }
    }
    let mut long = good.as_ref().to_vec();
    long.push(0);
    assert!(matches!(problem(Session::from_bytes(&long)), SessionProblem::Damaged));
}

/// Valid checksums do not excuse senseless fields.
#[test]
fn fields_are_checked_behind_the_checksum() {
    let resealed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = session(1).to_bytes().unwrap().as_ref().to_vec();
        bytes.truncate(bytes.len() - 32);
        change(&mut bytes);
        let checksum = chappe_crypto::sha256(&[&bytes]);
        bytes.extend_from_slice(&checksum);
        problem(Session::from_bytes(&bytes))
    };
    let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
        assert!(matches!(resealed(change), SessionProblem::Damaged));
    };
    damaged(&|bytes| bytes[30] = 3);
    damaged(&|bytes| bytes[30] = 4);
    damaged(&|bytes| bytes[30] = 0);
    // A home that is not there, too few and too many data centres, one twice, an unknown flag.
    damaged(&|bytes| bytes[10] = 3);
    damaged(&|bytes| bytes[39] = 0);
    damaged(&|bytes| bytes[39] = 2);
    damaged(&|bytes| {
        let dc = bytes[41..bytes.len() - 5].to_vec();
        bytes.splice(41..41, dc);
        bytes[39] = 2;
    });
    damaged(&|bytes| bytes[45] = 7);
    damaged(&|bytes| bytes[302] = 255);
    damaged(&|bytes| bytes[304] = 0xff);
    damaged(&|bytes| bytes[318] = 3);
    damaged(&|bytes| bytes.push(0));
    damaged(&|bytes| bytes.truncate(9));
    // Somebody signed in without a key, too many tokens, none where one is said to be, an empty
    // one, and all that version 2 does not have.
    damaged(&|bytes| {
        bytes[39] = 0;
        let end = bytes.len();
        bytes.drain(41..end - 5);
    });
    damaged(&|bytes| {
        *bytes.last_mut().unwrap() = 21;
        bytes.extend_from_slice(&[1, 0, 7].repeat(21));
    });
    damaged(&|bytes| *bytes.last_mut().unwrap() = 1);
    damaged(&|bytes| {
        *bytes.last_mut().unwrap() = 1;
        bytes.extend_from_slice(&[0, 0]);
    });
    damaged(&|bytes| bytes[8] = 2);
    assert!(matches!(resealed(&|bytes| bytes[8] = 4), SessionProblem::Newer { version: 4 }));
    assert!(matches!(resealed(&|bytes| bytes[8] = 0), SessionProblem::Damaged));
}

#[test]
fn what_does_not_fit_the_format_is_refused() {
    let mut long = session(1);
    long.dcs.get_mut(&2).unwrap().address = "x".repeat(65_536);
    assert!(matches!(bytes::write(&long), Err(SessionProblem::Unwritable)));
    let mut many = session(1);
    let one = many.dcs[&2].clone();
    many.dcs = (0..7_000).map(|dc_id| (dc_id, one.clone())).collect();
    assert!(matches!(bytes::write(&many), Err(SessionProblem::Unwritable)));
}

#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?} {:?}", session(1), session(1).to_bytes().unwrap());
    assert_eq!(shown, "Session { dc_id: 2, address: \"127.0.0.1:4430\", .. } SessionBytes { .. }");
}

#[test]
fn memory_keeps_and_forgets() {
    let memory = Memory::new();
    assert!(memory.load().unwrap().is_none());
    memory.save(&session(1)).unwrap();
    assert!(same(&memory.load().unwrap().unwrap(), &session(1)));
    memory.clear().unwrap();
    assert!(memory.load().unwrap().is_none());
}

#[test]
fn a_file_keeps_replaces_and_forgets() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::new(folder.path().join("me.session"));
    assert!(file.load().unwrap().is_none());
    file.clear().unwrap();
    for first in [1, 2] {
        file.save(&session(first)).unwrap();
        assert!(same(&file.load().unwrap().unwrap(), &session(first)));
    }
    assert_eq!(names(folder.path()), ["me.session"]);
    file.clear().unwrap();
    assert!(file.load().unwrap().is_none());
    assert!(names(folder.path()).is_empty());
}

/// A program that goes to another folder meanwhile keeps its session, and its lock, where they
/// were: it would find neither the next time.
#[test]
fn a_path_is_meant_from_where_the_program_was_when_it_named_it() {
    const CHILD: &str = "CHAPPE_TEST_GOES_ELSEWHERE";
    if let Some(elsewhere) = env::var_os(CHILD) {
        let file = File::new("me.session");
        file.save(&session(1)).unwrap();
        #[cfg(feature = "sqlite")]
        let account = super::Sqlite::open("accounts.sqlite").unwrap().account("alice").unwrap();
        env::set_current_dir(elsewhere).unwrap();
        let _lock = file.lock().unwrap();
        assert!(same(&file.load().unwrap().unwrap(), &session(1)));
        file.save(&session(2)).unwrap();
        #[cfg(feature = "sqlite")]
        drop(account.lock().unwrap());
        return;
    }
    let (here, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let name = std::thread::current().name().unwrap().to_owned();
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", &name])
        .env(CHILD, elsewhere.path())
        .current_dir(here.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(names(elsewhere.path()).is_empty(), "{:?}", names(elsewhere.path()));
    let kept = File::new(here.path().join("me.session")).load().unwrap().unwrap();
    assert!(same(&kept, &session(2)));
    assert!(names(here.path()).contains(&"me.session.lock".to_owned()));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    fs::write(&path, session(1).to_bytes().unwrap()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    File::new(&path).save(&session(2)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "not a session").unwrap();
    assert!(matches!(problem(File::new(&path).load()), SessionProblem::NotASession));
    let large = folder.path().join("large");
    fs::File::create(&large).unwrap().set_len(1 << 32).unwrap();
    assert!(matches!(problem(File::new(&large).load()), SessionProblem::NotASession));
    assert_eq!(fs::read(&path).unwrap(), b"not a session");

    let inner = folder.path().join("folder");
    fs::create_dir(&inner).unwrap();
    for result in [
        File::new(&inner).load().map(drop),
        File::new(&inner).save(&session(1)),
        File::new(&inner).clear(),
    ] {
        assert!(matches!(problem(result), SessionProblem::NotAFile("a folder")));
    }
    let missing = File::new(folder.path().join("missing").join("me.session"));
    assert!(missing.load().unwrap().is_none());
    assert!(matches!(problem(missing.save(&session(1))), SessionProblem::Io(_)));
    let unnamed = File::new("/");
    assert!(matches!(problem(unnamed.save(&session(1))), SessionProblem::NotAFile(_)));
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target"), folder.path().join("link"));
    File::new(&target).save(&session(1)).unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    for result in [
        File::new(&link).load().map(drop),
        File::new(&link).save(&session(2)),
        File::new(&link).clear(),
    ] {
        assert!(matches!(problem(result), SessionProblem::NotAFile("a symbolic link")));
    }
    assert!(same(&File::new(&target).load().unwrap().unwrap(), &session(1)));
}

/// A file that is encrypted with this passphrase, for next to nothing.
fn sealed(file: &File, passphrase: &str) -> File {
    file.clone().seal(Seal::new(passphrase).costing(8, 1, 1))
}

#[test]
fn an_encrypted_file_is_opened_by_its_passphrase_only_and_left_alone_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let plain = File::new(folder.path().join("me.session"));
    let one = sealed(&plain, "one");
    assert!(!plain.is_sealed().unwrap());
    for first in [1, 2] {
        one.save(&session(first)).unwrap();
        assert!(same(&one.load().unwrap().unwrap(), &session(first)));
    }
    assert!(plain.is_sealed().unwrap());
    assert!(same(&sealed(&plain, "one").load().unwrap().unwrap(), &session(2)));
    let content = fs::read(plain.path()).unwrap();
    assert!(!content.windows(8).any(|found| found == &session(2).dcs[&2].key.as_bytes()[..8]));

    // Neither reading nor writing takes it for something else.
    let two = sealed(&plain, "two");
    for result in [two.load().map(drop), two.save(&session(3))] {
        assert!(matches!(problem(result), SessionProblem::WrongPassphrase));
    }
    for result in [plain.load().map(drop), plain.save(&session(3))] {
        assert!(matches!(problem(result), SessionProblem::Sealed));
    }
    assert_eq!(fs::read(plain.path()).unwrap(), content);

    // And a session in the clear is not encrypted by the way.
    one.clear().unwrap();
    plain.save(&session(4)).unwrap();
    for result in [one.load().map(drop), one.save(&session(5))] {
        assert!(matches!(problem(result), SessionProblem::NotSealed));
    }
    assert!(same(&plain.load().unwrap().unwrap(), &session(4)));
    // Nor is what is no session replaced by somebody who cannot know that it is none.
    fs::write(plain.path(), "notes").unwrap();
    assert!(matches!(problem(one.save(&session(5))), SessionProblem::NotASession));
}

#[test]
fn a_passphrase_is_given_changed_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let plain = File::new(folder.path().join("me.session"));
    assert!(matches!(problem(plain.change_passphrase(None)), SessionProblem::Io(_)));
    plain.save(&session(1)).unwrap();
    let one = plain.change_passphrase(Some("one".into())).unwrap();
    assert!(one.is_sealed().unwrap());
    assert!(matches!(problem(plain.change_passphrase(None)), SessionProblem::Sealed));
    let wrong = sealed(&plain, "two");
    assert!(matches!(problem(wrong.change_passphrase(None)), SessionProblem::WrongPassphrase));
    let empty = one.change_passphrase(Some("".into()));
    assert!(matches!(problem(empty), SessionProblem::EmptyPassphrase));

    let two = one.change_passphrase(Some("two".into())).unwrap();
    assert!(same(&two.load().unwrap().unwrap(), &session(1)));
    // Who still has the passphrase of before writes nothing any more.
    for result in [one.load().map(drop), one.save(&session(3))] {
        assert!(matches!(problem(result), SessionProblem::WrongPassphrase));
    }
    let lock = Store::lock(&two).unwrap();
    assert!(matches!(problem(two.change_passphrase(None)), SessionProblem::InUse { .. }));
    drop(lock);
    let plain = two.change_passphrase(None).unwrap();
    assert!(!plain.is_sealed().unwrap());
    assert!(same(&plain.load().unwrap().unwrap(), &session(1)));
    assert_eq!(names(folder.path()), ["me.session", "me.session.lock"]);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}
