//! The session file: any bytes are refused or read, and what is read writes itself back.
#![no_main]

use chappe::session::Session;
use chappe_fuzz::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let bytes = match script.flag() {
        false => script.rest().to_vec(),
        // The right magic and checksum around foreign fields.
        true => {
            let version = match (script.flag(), script.flag()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, _) => 3,
            };
            let mut bytes = [b"CHAPPE\r\n".as_slice(), &[version, 0]].concat();
            bytes.extend_from_slice(script.rest());
            bytes.extend_from_slice(&chappe_crypto::sha256(&[&bytes]));
            bytes
        }
    };
    if let Ok(session) = Session::from_bytes(&bytes) {
        let again = session.to_bytes().expect("what was read can be written");
        let again = again.as_ref();
        match bytes[8] {
            // Read for the sake of old files, and written anew.
            1 | 2 => {
                let read = Session::from_bytes(again).expect("what was written can be read");
                let twice = read.to_bytes().expect("what was read can be written");
                assert_eq!(twice.as_ref(), again, "two files for one session");
            }
            _ => assert_eq!(again, bytes, "two files for one session"),
        }
    }
});
