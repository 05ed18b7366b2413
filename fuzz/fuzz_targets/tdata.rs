//! The folder of Telegram Desktop: any content of its files, sealed with the right keys or not.
#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use chappe::session::foreign::{ForeignError, read_tdata, write_tdata};
use chappe_crypto::{
    AuthKey,
    local::{passcode_key, seal},
};
use chappe_fuzz::{Script, auth_key};
use libfuzzer_sys::fuzz_target;
use md5::{Digest, Md5};

static FOLDER: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("chappe-fuzz-{}", std::process::id())));

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let account = FOLDER.join("D877F783D5D3EF8C");
    fs::create_dir_all(&account).expect("a folder for temporary files");
    let (key, salt) = (auth_key(), [3; 32]);
    let local = seal(&passcode_key(b"", &salt), key.as_bytes(), &[0; 15]).expect("short");

    // The files are whole, or one of them is anything.
    let anything = script.byte() % 8;
    let info = match script.flag() {
        true => [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0].to_vec(),
        false => script.piece().to_vec(),
    };
    let keys = [array(&salt), array(&local), sealed(&key, &info)].concat();
    let authorization = match script.flag() {
        true => script.piece().to_vec(),
        // Fields behind the block that holds them.
        false => [75_u32.to_be_bytes().to_vec(), array(script.piece())].concat(),
    };
    let config = match script.flag() {
        true => script.piece().to_vec(),
        false => {
            let front = [0, 0, 0, 1, 0, 0, 0, script.byte() & 1];
            array(&[&front[..], &array(script.piece())].concat())
        }
    };
    let rest = script.rest();
    let files = [
        (FOLDER.join("key_datas"), keys),
        (FOLDER.join("D877F783D5D3EF8Cs"), sealed(&key, &authorization)),
        (account.join("configs"), sealed(&key, &config)),
    ];
    for (at, (path, content)) in files.into_iter().enumerate() {
        let file = match anything {
            bad if usize::from(bad) == at => rest.to_vec(),
            bad if usize::from(bad) == at + 3 => file(rest),
            _ => file(&content),
        };
        fs::write(path, file).expect("a temporary file");
    }
    match read_tdata(&*FOLDER, None) {
        Ok(accounts) => {
            for session in &accounts {
                assert!(session.key(session.dc_id()).is_some() && session.user_id.is_some());
            }
            let again = FOLDER.join("again");
            drop(fs::remove_dir_all(&again));
            match write_tdata(&again, &accounts, None) {
                Ok(()) => {
                    let read = read_tdata(&again, None).expect("what was written is read");
                    for (read, session) in read.iter().zip(&accounts) {
                        assert_eq!(read.user_id, session.user_id);
                        assert_eq!(read.test, session.test);
                        assert!(read.dc_ids().eq(session.dc_ids()));
                    }
                }
                Err(ForeignError::Unwritable { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        Err(ForeignError::Io(error)) => panic!("{error}"),
        Err(_) => {}
    }
});

fn array(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn sealed(key: &AuthKey, data: &[u8]) -> Vec<u8> {
    array(&seal(key, data, &[0; 15]).expect("short"))
}

fn file(content: &[u8]) -> Vec<u8> {
    let version = [1, 0, 0, 0];
    let length = (content.len() as u32).to_le_bytes();
    let hash = Md5::digest([content, &length, &version, b"TDF$"].concat());
    [b"TDF$", &version[..], content, &hash[..]].concat()
}
