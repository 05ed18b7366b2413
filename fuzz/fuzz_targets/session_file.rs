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
            let mut bytes = b"CHAPPE\r\n\x01\x00".to_vec();
            bytes.extend_from_slice(script.rest());
            bytes.extend_from_slice(&chappe_crypto::sha256(&[&bytes]));
            bytes
        }
    };
    if let Ok(session) = Session::from_bytes(&bytes) {
        let again = session.to_bytes().expect("what was read can be written");
        assert_eq!(again.as_ref(), bytes, "two files for one session");
    }
});
