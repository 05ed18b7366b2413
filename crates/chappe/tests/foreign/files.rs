//! The files of the other libraries: gotd's JSON, and the databases of Telethon and Pyrogram.

use std::fs;
#[cfg(target_os = "linux")]
use std::io::Write;

use chappe::session::{
    Foreign, Format,
    foreign::{self, Flaw, ForeignError},
};

use crate::vectors::{at, folder, key};

fn flaw(format: Format, input: &[u8]) -> Flaw {
    match Foreign::read(format, input) {
        Err(ForeignError::Malformed { format: of, flaw }) if of == format => flaw,
        other => panic!("{other:?}"),
    }
}

fn gotd() -> String {
    let mut session = Foreign::new(2, key("key-count"));
    session.address = Some(at("149.154.167.50", 443));
    session.write(Format::Gotd).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn the_file_of_gotd_is_read() {
    let text = fs::read_to_string(folder().join("gotd.json")).unwrap();
    assert_eq!(foreign::guess(text.as_bytes()), Some(Format::Gotd));
    let session = Foreign::read(Format::Gotd, text.as_bytes()).unwrap();
    assert_eq!((session.dc_id(), session.key(2)), (2, Some(&key("key-count"))));
    assert_eq!(session.address, Some(at("149.154.167.50", 443)));
    assert_eq!((session.test, session.user_id), (Some(false), None));
}

#[test]
fn where_the_home_is_stands_in_the_options_of_gotd() {
    let config = r#"{"ThisDC":2,"TestMode":true,"DCOptions":[
        {"ID":1,"IPAddress":"127.0.0.1","Port":1},
        {"ID":2,"IPAddress":"::1","Port":2,"Ipv6":true},
        {"ID":2,"IPAddress":"127.0.0.1","Port":3,"MediaOnly":true},
        {"ID":2,"IPAddress":"127.0.0.1","Port":4,"CDN":true},
        {"ID":2,"IPAddress":"127.0.0.1","Port":5,"TCPObfuscatedOnly":true},
        {"ID":2,"IPAddress":"127.0.0.1","Port":6}]}"#;
    let nowhere = gotd().replace(&at("149.154.167.50", 443), "");
    let text = nowhere.replace("\"Config\":{}", &format!("\"Config\":{config}"));
    let session = Foreign::read(Format::Gotd, text.as_bytes()).unwrap();
    assert_eq!((session.address, session.test), (Some(at("127.0.0.1", 6)), Some(true)));
    let session = Foreign::read(Format::Gotd, nowhere.as_bytes()).unwrap();
    assert_eq!((session.address, session.test), (None, None));
    // A converter leaves out the port.
    let text = gotd().replace(":443", "");
    let session = Foreign::read(Format::Gotd, text.as_bytes()).unwrap();
    assert_eq!(session.address, Some(at("149.154.167.50", 443)));
}

#[test]
fn a_file_of_gotd_that_is_damaged_says_what_is_wrong() {
    let whole = gotd();
    for length in 0..whole.len() {
        assert!(Foreign::read(Format::Gotd, &whole.as_bytes()[..length]).is_err(), "{length}");
    }
    for (from, to, flawed) in [
        ("\"AuthKey\":\"AAEC", "\"AuthKey\":\"AAED", Flaw::Checksum),
        ("\"AuthKey\":\"AAEC", "\"AuthKey\":\"AA!C", Flaw::Base64),
        ("\"DC\":2", "\"DC\":0", Flaw::DcId),
        ("\"DC\":2", "\"DC\":\"2\"", Flaw::Json),
        ("\"Data\"", "\"Date\"", Flaw::Json),
        ("\"AuthKey\"", "\"AuthKay\"", Flaw::NoKey),
        ("\"AuthKeyID\"", "\"AuthKeyI\"", Flaw::Checksum),
    ] {
        let text = whole.replace(from, to);
        assert_ne!(text, whole);
        assert_eq!(flaw(Format::Gotd, text.as_bytes()), flawed, "{from}");
    }
    let newer = whole.replace("\"Version\":1", "\"Version\":2");
    match Foreign::read(Format::Gotd, newer.as_bytes()) {
        Err(ForeignError::Version { format: Format::Gotd, version: 2 }) => {}
        other => panic!("{other:?}"),
    }
    let error = Foreign::read(Format::Gotd, &vec![b' '; 2 << 20]).unwrap_err();
    assert!(matches!(error, ForeignError::TooLarge));
    // Nothing of a key that is not read gets into the error.
    let text = whole.replace("\"Salt\":0", "\"Salt\":");
    let error = format!("{:?}", Foreign::read(Format::Gotd, text.as_bytes()).unwrap_err());
    assert!(error.len() < 60, "{error}");
}

#[test]
fn a_file_is_read_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.json");
    fs::write(&path, gotd()).unwrap();
    for format in [None, Some(Format::Gotd)] {
        let found = foreign::load(&path, format).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].key(2), Some(&key("key-count")));
    }
    let error = foreign::load(&path, Some(Format::GramJs)).unwrap_err();
    assert!(matches!(error, ForeignError::OtherFormat { found: Format::Gotd, .. }), "{error}");
    fs::write(&path, "no session").unwrap();
    assert!(matches!(foreign::load(&path, None), Err(ForeignError::Unknown)));
    let error = foreign::load(folder.path().join("none"), None).unwrap_err().to_string();
    assert!(error.contains("none cannot be read"), "{error}");
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(matches!(foreign::load(&path, None), Err(ForeignError::TooLarge)));
}

/// A path may lead to something that has no length and no end.
#[cfg(target_os = "linux")]
#[test]
fn what_never_ends_is_not_read_to_the_end() {
    assert!(matches!(foreign::load("/dev/zero", None), Err(ForeignError::TooLarge)));
    // What comes through a pipe has no length either.
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(gotd().as_bytes()).unwrap();
    drop(writer);
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    assert_eq!(foreign::load(path, None).unwrap()[0].key(2), Some(&key("key-count")));
}

#[cfg(not(feature = "sqlite"))]
#[test]
fn a_build_without_sqlite_says_so() {
    let file = fs::read(folder().join("telethon-v8.session")).unwrap();
    assert_eq!(foreign::guess(&file), Some(Format::TelethonFile));
    let error = Foreign::read(Format::TelethonFile, &file).unwrap_err().to_string();
    assert!(error.ends_with("build chappe with the feature `sqlite` to use it"), "{error}");
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;

    const FILES: [(&str, Format); 8] = [
        ("telethon-v4.session", Format::TelethonFile),
        ("telethon-v6.session", Format::TelethonFile),
        ("telethon-v7.session", Format::TelethonFile),
        ("telethon-v8.session", Format::TelethonFile),
        ("pyrogram-v2.session", Format::PyrogramFile),
        ("pyrogram-v3.session", Format::PyrogramFile),
        ("pyrogram-v6.session", Format::PyrogramFile),
        ("kurigram-v7.session", Format::PyrogramFile),
    ];

    #[test]
    fn every_version_of_the_databases_is_read() {
        for (file, format) in FILES {
            let path = folder().join(file);
            let before = fs::read(&path).unwrap();
            assert_eq!(foreign::guess(&before), Some(format), "{file}");
            let session = foreign::load(&path, None).unwrap().remove(0);
            let (telethon, version) = (format == Format::TelethonFile, file.as_bytes()[10]);
            let mut wanted = Foreign::new(2, key("key-count"));
            if telethon || version == b'7' {
                wanted.address = Some(at("149.154.167.51", 443));
            }
            wanted.test = Some(false);
            if !telethon {
                (wanted.user_id, wanted.bot) = (Some(777_000_123_456), Some(false));
                wanted.api_id = (version != b'2').then_some(12345);
            }
            assert_eq!(session, wanted, "{file}");
            assert_eq!(fs::read(&path).unwrap(), before);
        }
    }

    #[test]
    fn a_database_in_use_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("me.session");
        fs::copy(super::folder().join("telethon-v8.session"), &path).unwrap();
        for beside in ["me.session-journal", "me.session-wal"] {
            let beside = folder.path().join(beside);
            fs::write(&beside, "").unwrap();
            assert!(foreign::load(&path, None).is_ok());
            fs::write(&beside, "something").unwrap();
            match foreign::load(&path, None) {
                Err(ForeignError::Malformed { flaw: Flaw::Unfinished, .. }) => {}
                other => panic!("{other:?}"),
            }
            fs::remove_file(beside).unwrap();
        }
    }

    #[test]
    fn a_database_with_a_log_that_was_emptied_is_read() {
        let mut file = fs::read(folder().join("kurigram-v7.session")).unwrap();
        file[18..20].fill(2);
        let session = Foreign::read(Format::PyrogramFile, &file).unwrap();
        assert_eq!(session.user_id, Some(777_000_123_456));
    }

    #[test]
    fn a_database_that_is_damaged_is_refused_or_read() {
        for (file, format) in [FILES[3], FILES[7]] {
            let whole = fs::read(folder().join(file)).unwrap();
            for length in (0..whole.len()).step_by(1021) {
                drop(Foreign::read(format, &whole[..length]));
            }
            for at in (0..100).chain((100..whole.len()).step_by(31)) {
                for with in [0, 0x7f, 0xff] {
                    let mut file = whole.clone();
                    file[at] = with;
                    drop(Foreign::read(format, &file));
                }
            }
        }
        for input in [&b""[..], b"SQLite format 3\0", &[0; 4096]] {
            for format in [Format::TelethonFile, Format::PyrogramFile] {
                assert_eq!(flaw(format, input), Flaw::Sqlite);
            }
        }
    }

    /// A database with these tables, as a file.
    fn database(tables: &str) -> Vec<u8> {
        let mut database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute_batch(tables).unwrap();
        let bytes = database.serialize("main").unwrap();
        bytes.to_vec()
    }

    #[test]
    fn tables_that_are_none_of_a_library_are_refused() {
        let telethon = "CREATE TABLE version (version integer primary key);
            CREATE TABLE entities (id integer primary key);";
        let sessions = "CREATE TABLE sessions (dc_id integer primary key, server_address text,
            port integer, auth_key blob);";
        let row =
            |values: &str| format!("{telethon} {sessions} INSERT INTO sessions VALUES ({values});");
        let view = "CREATE VIEW sessions AS SELECT 2 AS dc_id, '127.0.0.1' AS server_address,
            1 AS port, randomblob(256) AS auth_key;";
        let endless = "CREATE VIEW sessions AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x
            FROM n) SELECT x AS dc_id, 'a' AS server_address, 1 AS port, x'' AS auth_key FROM n
            WHERE x = 2;";
        for (tables, flawed) in [
            (telethon.to_owned(), Flaw::Sqlite),
            (sessions.to_owned(), Flaw::Sqlite),
            (format!("{telethon} {view}"), Flaw::Sqlite),
            (format!("{telethon} {endless}"), Flaw::Sqlite),
            (format!("{telethon} {sessions}"), Flaw::NoKey),
            (row("2, '127.0.0.1', 1, NULL"), Flaw::NoKey),
            (row("2, '127.0.0.1', 1, x''"), Flaw::NoKey),
            (row("2, '127.0.0.1', 1, zeroblob(256)"), Flaw::NoKey),
            (row("2, '127.0.0.1', 1, 'text'"), Flaw::Sqlite),
            (
                row("2, '127.0.0.1', 1, x'00'"),
                Flaw::Length { found: 1, wanted: "a key of 256 bytes" },
            ),
            (row("2, '127.0.0.1', 1, randomblob(100000000)"), Flaw::Sqlite),
            (row("2, '127.0.0.1', 65536, randomblob(256)"), Flaw::Address),
            (row("2, 'no host', 1, randomblob(256)"), Flaw::Address),
            (row("2, NULL, 1, randomblob(256)"), Flaw::Address),
            (row("0, '127.0.0.1', 1, randomblob(256)"), Flaw::DcId),
            (row("5000000000, '127.0.0.1', 1, randomblob(256)"), Flaw::Sqlite),
        ] {
            assert_eq!(flaw(Format::TelethonFile, &database(&tables)), flawed, "{tables}");
        }
    }

    #[test]
    fn a_database_that_is_written_is_read() {
        let mut session = Foreign::new(4, key("key-zeros"));
        session.address = Some("[2001:67c:4e8:f004::a]:443".to_owned());
        (session.user_id, session.bot) = (Some(5_000_000_001), Some(true));
        (session.test, session.api_id) = (Some(false), Some(12345));
        let file = session.write(Format::TelethonFile).unwrap();
        assert_eq!(foreign::guess(file.as_ref()), Some(Format::TelethonFile));
        let read = Foreign::read(Format::TelethonFile, file.as_ref()).unwrap();
        assert_eq!((&read.address, read.key(4)), (&session.address, session.key(4)));
        let file = session.write(Format::PyrogramFile).unwrap();
        assert_eq!(foreign::guess(file.as_ref()), Some(Format::PyrogramFile));
        let read = Foreign::read(Format::PyrogramFile, file.as_ref()).unwrap();
        // Telegram's own data centres need no address, and Pyrogram 2 has no room for one.
        session.address = None;
        assert_eq!(read, session);
        session.address = Some(at("127.0.0.1", 4430));
        let file = session.write(Format::PyrogramFile).unwrap();
        assert_eq!(Foreign::read(Format::PyrogramFile, file.as_ref()).unwrap(), session);
        (session.user_id, session.api_id) = (None, None);
        match session.write(Format::PyrogramFile) {
            Err(ForeignError::Missing { field: foreign::Field::User, .. }) => {}
            other => panic!("{other:?}"),
        }
        assert!(session.write(Format::TelethonFile).is_ok());
    }
}
