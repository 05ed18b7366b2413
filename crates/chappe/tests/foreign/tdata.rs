//! The folder of Telegram Desktop.

use std::{fs, path::Path};

use chappe::session::{
    Foreign, Format,
    foreign::{self, Field, Flaw, ForeignError, read_tdata, write_tdata},
};
use chappe_crypto::{
    AuthKey,
    local::{open, passcode_key, seal},
};
use md5::{Digest, Md5};
use tempfile::TempDir;

use crate::vectors::{at, folder, key};

const PASSCODE: &str = "correct horse";
const FIRST: &str = "D877F783D5D3EF8C";
const SECOND: &str = "A7FDF864FBC10B77";

fn account(dc_id: i32, user_id: i64, key: [u8; 256]) -> Foreign {
    let mut session = Foreign::new(dc_id, key);
    (session.user_id, session.bot, session.test) = (Some(user_id), Some(false), Some(false));
    session
}

fn flaw<T: std::fmt::Debug>(result: Result<T, ForeignError>) -> Flaw {
    match result {
        Err(ForeignError::Malformed { format: Format::Tdata, flaw }) => flaw,
        other => panic!("{other:?}"),
    }
}

/// A folder whose files are made by hand: the golden one, changed.
struct Made {
    folder: TempDir,
    key: AuthKey,
}

impl Made {
    fn new() -> Self {
        let made = tempfile::tempdir().unwrap();
        for file in ["key_datas", &format!("{FIRST}s"), &format!("{SECOND}s")] {
            fs::copy(folder().join("tdata-plain").join(file), made.path().join(file)).unwrap();
        }
        let file = fs::read(made.path().join("key_datas")).unwrap();
        let key = open(&passcode_key(b"", &file[12..44]), array_at(&file, 44)).unwrap();
        let key = AuthKey::from_bytes(<[u8; 256]>::try_from(&key[..]).unwrap());
        Self { folder: made, key }
    }

    fn read(&self) -> Result<Vec<Foreign>, ForeignError> {
        read_tdata(self.folder.path(), None)
    }

    fn users(&self) -> Vec<i64> {
        self.read().unwrap().iter().map(|session| session.user_id.unwrap()).collect()
    }

    /// Replaces what says which accounts there are.
    fn info(&self, numbers: &[u32]) {
        let file = fs::read(self.folder.path().join("key_datas")).unwrap();
        let front = 44 + 4 + array_at(&file, 44).len();
        let info = numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>();
        let content = [&file[8..front], &self.sealed(&info)].concat();
        write(self.folder.path(), "key_datas", &content);
    }

    /// Replaces the file of the first account.
    fn account(&self, authorization: &[u8]) {
        let block = [&75_u32.to_be_bytes(), &array(authorization)[..]].concat();
        write(self.folder.path(), &format!("{FIRST}s"), &self.sealed(&block));
    }

    fn config(&self, config: &[u8]) {
        fs::create_dir_all(self.folder.path().join(FIRST)).unwrap();
        write(&self.folder.path().join(FIRST), "configs", &self.sealed(&array(config)));
    }

    fn sealed(&self, data: &[u8]) -> Vec<u8> {
        array(&seal(&self.key, data, &[0; 15]).unwrap())
    }
}

fn array(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn array_at(file: &[u8], at: usize) -> &[u8] {
    let length = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    &file[at + 4..at + 4 + length]
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let version = 5_008_003_u32.to_le_bytes();
    let length = (content.len() as u32).to_le_bytes();
    let hash = Md5::digest([content, &length, &version, b"TDF$"].concat());
    fs::write(folder.join(name), [b"TDF$", &version[..], content, &hash[..]].concat()).unwrap();
}

fn numbers(values: &[i64]) -> Vec<u8> {
    // Numbers of four bytes, but those that need eight.
    let bytes = |value: &i64| match i32::try_from(*value) {
        Ok(short) => short.to_be_bytes().to_vec(),
        Err(_) => value.to_be_bytes().to_vec(),
    };
    values.iter().flat_map(bytes).collect()
}

#[test]
fn a_folder_of_another_library_is_read_with_and_without_a_passcode() {
    let wanted = [
        account(2, 777_000_123_456, key("key-count")),
        account(4, 777_000_123_457, key("key-zeros")),
    ];
    let plain = folder().join("tdata-plain");
    assert_eq!(read_tdata(&plain, None).unwrap(), wanted);
    assert_eq!(read_tdata(&plain, Some("")).unwrap(), wanted);
    assert_eq!(foreign::load(&plain, None).unwrap(), wanted);
    assert_eq!(foreign::load(&plain, Some(Format::Tdata)).unwrap(), wanted);
    assert!(matches!(foreign::load(&plain, Some(Format::Gotd)), Err(ForeignError::Shape(_))));
    assert!(matches!(read_tdata(&plain, Some(PASSCODE)), Err(ForeignError::Passcode)));

    let locked = folder().join("tdata-passcode");
    assert_eq!(read_tdata(&locked, Some(PASSCODE)).unwrap(), wanted);
    for wrong in [None, Some(""), Some("correct horses")] {
        assert!(matches!(read_tdata(&locked, wrong), Err(ForeignError::Passcode)));
    }
    assert!(matches!(foreign::load(&locked, None), Err(ForeignError::Passcode)));
    // One file of it is not all of it.
    let file = fs::read(plain.join("key_datas")).unwrap();
    assert_eq!(foreign::guess(&file), Some(Format::Tdata));
    assert!(matches!(Foreign::read(Format::Tdata, &file), Err(ForeignError::Shape(_))));
}

#[test]
fn a_folder_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_tdata(folder.path(), None).unwrap_err().to_string();
    assert!(error.ends_with("has no key_datas in it: it is no folder tdata"), "{error}");
    assert!(error.starts_with(&folder.path().display().to_string()), "{error}");
}

/// Folders come in archives, and archives have links to anything.
#[cfg(target_os = "linux")]
#[test]
fn a_file_of_a_folder_that_is_none_is_refused() {
    let made = Made::new();
    let path = made.folder.path().join(format!("{FIRST}s"));
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    let error = made.read().unwrap_err().to_string();
    assert!(error.contains("no ordinary file"), "{error}");
}

#[test]
fn what_is_written_is_read() {
    let mut far = account(4, 5_000_000_001, key("key-zeros"));
    far.set_key(2, key("key-count"));
    let mut test = account(2, 9, key("key-zeros"));
    test.test = Some(true);
    let mut own = account(2, 10, key("key-count"));
    (own.address, own.test) = (Some(at("127.0.0.1", 4430)), None);
    let accounts = [far, test, own.clone()];
    for passcode in [None, Some("pässcode")] {
        let folder = tempfile::tempdir().unwrap();
        // Telegram Desktop looks beside itself for it.
        write_tdata(folder.path().join("tdata"), &accounts, passcode).unwrap();
        let mut read = read_tdata(folder.path(), passcode).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[0].address, Some(at("149.154.167.91", 443)));
        assert_eq!(read[1].address, Some(at("149.154.167.40", 443)));
        assert_eq!((read[1].test, read[2].test), (Some(true), Some(false)));
        assert_eq!(read[2].address, own.address);
        for (read, wanted) in read.iter_mut().zip(&accounts) {
            read.address.clone_from(&wanted.address);
            read.test = wanted.test;
            assert_eq!(read, wanted);
        }
        let wrong = Some("passcode");
        assert!(matches!(read_tdata(folder.path(), wrong), Err(ForeignError::Passcode)));
        #[cfg(unix)]
        for file in ["tdata/key_datas", &format!("tdata/{FIRST}s"), "tdata"] {
            let mode = fs::metadata(folder.path().join(file)).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
            assert_eq!(mode & 0o077, 0, "{file}");
        }
    }
}

#[test]
fn no_folder_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = [account(2, 5, key("key-count"))];
    write_tdata(folder.path(), &accounts, None).unwrap();
    let before = fs::read(folder.path().join("key_datas")).unwrap();
    let error = write_tdata(folder.path(), &accounts, None).unwrap_err().to_string();
    assert!(error.ends_with("there is something in it; name another folder"), "{error}");
    assert_eq!(fs::read(folder.path().join("key_datas")).unwrap(), before);
    // Another time it is another key, under which the same is something else.
    let other = tempfile::tempdir().unwrap();
    write_tdata(other.path(), &accounts, None).unwrap();
    assert_ne!(fs::read(other.path().join("key_datas")).unwrap(), before);
}

#[test]
fn what_telegram_desktop_has_no_room_for_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let write = |accounts: &[Foreign]| write_tdata(folder.path(), accounts, None).unwrap_err();
    let one = account(2, 5, key("key-count"));
    let mut nameless = one.clone();
    nameless.user_id = None;
    let error = write(&[one.clone(), nameless]);
    assert!(matches!(error, ForeignError::Missing { field: Field::User, .. }), "{error}");
    let mut bot = one.clone();
    bot.bot = Some(true);
    for accounts in [vec![bot], vec![], vec![one; 7]] {
        let error = write(&accounts);
        assert!(matches!(error, ForeignError::Unwritable { .. }), "{error}");
    }
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[test]
fn a_byte_that_is_changed_is_noticed_in_every_file() {
    for name in ["key_datas".to_owned(), format!("{FIRST}s")] {
        let made = Made::new();
        let path = made.folder.path().join(&name);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut file = whole.clone();
            file[at] ^= 0x10;
            fs::write(&path, &file).unwrap();
            let flaw = flaw(made.read());
            assert!(matches!(flaw, Flaw::Checksum | Flaw::Field(_)), "{at}: {flaw}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(made.read().is_err(), "{at}");
        }
        fs::write(&path, &whole).unwrap();
        assert_eq!(made.users().len(), 2);
    }
}

#[test]
fn the_account_that_is_open_comes_first() {
    let made = Made::new();
    let (one, two) = (777_000_123_456, 777_000_123_457);
    for (info, users) in [
        (&[2, 0, 1, 0][..], vec![one, two]),
        (&[2, 0, 1, 1], vec![two, one]),
        (&[2, 1, 0, 0], vec![one, two]),
        // Versions before there was more than one account said nothing of it.
        (&[2, 1, 0], vec![two, one]),
        (&[1, 1, 1], vec![two]),
        // The file of the third account is not there.
        (&[3, 2, 1, 0, 2], vec![two, one]),
    ] {
        made.info(info);
        assert_eq!(made.users(), users, "{info:?}");
    }
    for info in [&[][..], &[0], &[2, 0], &[2, 0, 0, 0], &[1, 64, 64], &[65], &[u32::MAX]] {
        made.info(info);
        let flaw = flaw(made.read());
        assert!(matches!(flaw, Flaw::TooShort | Flaw::Field(_)), "{info:?}: {flaw}");
    }
    made.info(&[1, 5, 5]);
    assert_eq!(flaw(made.read()), Flaw::NoKey);
}

#[test]
fn short_user_ids_are_read_and_accounts_without_one_passed_over() {
    let made = Made::new();
    let key = [7; 256];
    let keys = [numbers(&[1, 3]), key.to_vec(), numbers(&[0])].concat();
    // A user id and a home of four bytes each, before there were longer ids.
    made.account(&[numbers(&[4321, 3]), keys.clone()].concat());
    assert_eq!(made.read().unwrap()[0], account(3, 4321, key));
    // Nobody is signed in there.
    made.account(&[numbers(&[0, 3]), keys.clone()].concat());
    assert_eq!(made.users(), [777_000_123_457]);
    // No key for the home, none at all, keys of temporary data centres.
    let other = [numbers(&[1, 10_003]), key.to_vec()].concat();
    for keys in [numbers(&[0]), other, keys] {
        made.account(&[numbers(&[4321, 2]), keys].concat());
        assert_eq!(flaw(made.read()), Flaw::NoKey);
    }
    for cut in [&numbers(&[4321])[..], &numbers(&[4321, 2, 1000, 2]), &[0xff; 12], b""] {
        made.account(cut);
        assert_eq!(flaw(made.read()), Flaw::TooShort);
    }
    made.account(&[numbers(&[-1, -1, -2, -2, 3]), numbers(&[1, 3]), key.to_vec()].concat());
    assert_eq!(flaw(made.read()), Flaw::Field("its user id is none"));
}

#[test]
fn the_settings_say_where_the_home_is_and_whether_it_is_for_tests() {
    let made = Made::new();
    let option = |dc: i64, flags: i64, port: i64, ip: &str| {
        [numbers(&[dc, flags, port]), array(ip.as_bytes()), array(b"")].concat()
    };
    let options = [
        numbers(&[-2, 6]),
        option(1, 0, 1, "127.0.0.1"),
        option(2, 1, 2, "::1"),
        option(2, 2, 3, "127.0.0.1"),
        option(2, 1 << 10, 4, "127.0.0.1"),
        option(2, 1 << 4, 5, "127.0.0.1"),
        option(2, 0, 6, "127.0.0.1"),
    ];
    let options = array(&options.concat());
    let config = |version, test| [numbers(&[version, test]), options.clone()].concat();
    made.config(&config(1, 1));
    let first = made.read().unwrap().remove(0);
    assert_eq!((first.test, first.address), (Some(true), Some(at("127.0.0.1", 5))));
    made.config(&config(1, 0));
    assert_eq!(made.read().unwrap().remove(0).test, Some(false));
    // The layout before secrets.
    let old = [numbers(&[1, 2, 0, 7]), array(b"127.0.0.1")].concat();
    made.config(&[numbers(&[1, 0]), array(&old)].concat());
    assert_eq!(made.read().unwrap().remove(0).address, Some(at("127.0.0.1", 7)));
    for (wrong, flawed) in [
        (config(2, 0), Flaw::Field("the version of its settings is not known")),
        (config(1, 2), Flaw::Field("it does not say whether it is for tests")),
        ([numbers(&[1, 0]), array(&numbers(&[-2, 1, 2, 0, 70_000, 0, 0]))].concat(), Flaw::Address),
        ([numbers(&[1, 0]), array(&numbers(&[-2, 1]))].concat(), Flaw::TooShort),
        ([numbers(&[1, 0]), array(&numbers(&[i64::from(i32::MAX)]))].concat(), Flaw::TooShort),
    ] {
        made.config(&wrong);
        assert_eq!(flaw(made.read()), flawed);
    }
}

#[test]
fn the_newest_file_that_is_whole_is_read() {
    let made = Made::new();
    let path = |name: &str| made.folder.path().join(name);
    // Before 1.9 there were two files in turn.
    fs::rename(path("key_datas"), path("key_data1")).unwrap();
    assert_eq!(made.users().len(), 2);
    fs::write(path("key_data0"), "half of a fi").unwrap();
    assert_eq!(made.users().len(), 2);
    // One with an `s` is newer than both; if it is damaged, there are the others.
    fs::write(path("key_datas"), "half of a fi").unwrap();
    assert_eq!(made.users().len(), 2);
    fs::remove_file(path("key_data1")).unwrap();
    assert!(made.read().is_err());
    fs::File::create(path("key_datas")).unwrap().set_len(1 << 30).unwrap();
    assert!(matches!(made.read(), Err(ForeignError::TooLarge)));
}
