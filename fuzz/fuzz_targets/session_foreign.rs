//! Sessions of other libraries: any string or file is refused or read, and what is read is
//! written and read again as the same.
#![no_main]

use chappe::session::{
    Foreign, Format,
    foreign::{self, ForeignError},
};
use chappe_fuzz::Script;
use libfuzzer_sys::fuzz_target;

/// What the libraries wrote, to be changed a little.
const WRITTEN: [(Format, &[u8]); 4] = [
    (
        Format::TelethonFile,
        include_bytes!("../../crates/chappe/tests/vectors/foreign/telethon-v8.session"),
    ),
    (
        Format::PyrogramFile,
        include_bytes!("../../crates/chappe/tests/vectors/foreign/kurigram-v7.session"),
    ),
    (
        Format::PyrogramFile,
        include_bytes!("../../crates/chappe/tests/vectors/foreign/pyrogram-v3.session"),
    ),
    (Format::Gotd, include_bytes!("../../crates/chappe/tests/vectors/foreign/gotd.json")),
];

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let input = match script.byte() % 4 {
        // Anything.
        0 => script.rest().to_vec(),
        // What a library wrote, changed in places.
        1 => {
            let (_, written) = WRITTEN[usize::from(script.byte()) % WRITTEN.len()];
            changed(written.to_vec(), &mut script)
        }
        // What chappe writes for some session, changed in places.
        2 => {
            let session = session(&mut script);
            let format = Format::ALL[usize::from(script.byte()) % Format::ALL.len()];
            match session.write_older(format) {
                Ok(written) => changed(written.as_ref().to_vec(), &mut script),
                Err(_) => return,
            }
        }
        // The fields of a string as they are, so that they get past the text.
        _ => {
            let mark = if script.flag() { "1" } else { "" };
            let text = base64(script.rest());
            format!("{mark}{text}").into_bytes()
        }
    };
    foreign::guess(&input);
    for format in Format::ALL {
        match Foreign::read(format, &input) {
            Ok(session) => written_again(&session, format),
            Err(ForeignError::OtherFormat { found, .. }) => {
                assert!(Foreign::read(found, &input).is_ok(), "{found} is not read");
            }
            Err(error) => assert!(error.to_string().len() < 400, "{error}"),
        }
    }
});

fn written_again(session: &Foreign, from: Format) {
    assert!(session.key(session.dc_id()).is_some(), "{from} without a key");
    for format in Format::ALL {
        for older in [false, true] {
            let written = if older { session.write_older(format) } else { session.write(format) };
            let Ok(written) = written else { continue };
            let read = Foreign::read(format, written.as_ref()).unwrap_or_else(|error| {
                panic!("{format} of {from}: {error}");
            });
            assert_eq!(read.dc_id(), session.dc_id(), "{format} of {from}");
            assert_eq!(read.key(read.dc_id()), session.key(session.dc_id()), "{format} of {from}");
            assert!(read.user_id.is_none() || read.user_id == session.user_id);
            assert!(read.api_id.is_none() || read.api_id == session.api_id);
            // Where Telegram's own servers are is left out by some and added by others.
            let whole = !matches!(format, Format::Chappe | Format::PyrogramFile);
            let placed = matches!(format, Format::Pyrogram | Format::MtKruto);
            let placed = placed || session.address.is_some();
            if format == from && !older && whole && placed {
                assert_eq!(&read, session, "{format} is read and written");
            }
        }
    }
}

fn session(script: &mut Script<'_>) -> Foreign {
    let dc_id = i32::from(script.byte());
    let mut key = [script.byte(); 256];
    for byte in key.iter_mut().take(32) {
        *byte = script.byte();
    }
    let mut session = Foreign::new(dc_id, key);
    let addresses = [None, Some("127.0.0.1:4430"), Some("[::1]:80"), Some("four.example:65535")];
    session.address = addresses[usize::from(script.byte()) % 4].map(str::to_owned);
    (session.user_id, session.bot) = (Some(script.int().into()), Some(script.flag()));
    (session.test, session.api_id) = (Some(script.flag()), Some(script.int()));
    session
}

fn changed(mut bytes: Vec<u8>, script: &mut Script<'_>) -> Vec<u8> {
    script.spoil(&mut bytes);
    if script.flag() {
        bytes.truncate(script.piece().len());
    }
    bytes
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(DIGITS[(word >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}
