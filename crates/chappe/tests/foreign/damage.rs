//! Damaged sessions: refused with a reason, never with a panic.

use base64ct::{Base64UrlUnpadded, Encoding};
use chappe::session::{
    Foreign, Format,
    foreign::{self, Flaw, ForeignError},
};

use crate::vectors::{Vector, one_of_each, strings};

fn flaw(vector: &Vector, text: &str) -> Option<Flaw> {
    match Foreign::read(vector.format, text.as_bytes()) {
        Err(ForeignError::Malformed { format, flaw }) => {
            assert_eq!(format, vector.format);
            Some(flaw)
        }
        Err(ForeignError::OtherFormat { .. } | ForeignError::Version { .. }) | Ok(_) => None,
        Err(other) => panic!("{}: {other}", vector.name),
    }
}

#[test]
fn a_string_that_is_cut_is_refused_at_every_length() {
    for vector in strings().into_iter().step_by(4).chain(one_of_each()) {
        let whole = vector.text.trim_end_matches('=');
        // The first characters of a newer string of Pyrogram may pass for an older one.
        let passes = |length| vector.format == Format::Pyrogram && matches!(length, 351 | 356);
        for length in (0..whole.len()).filter(|length| !passes(*length)) {
            let cut = &whole[..length];
            let read = Foreign::read(vector.format, cut.as_bytes());
            assert!(read.is_err(), "{}: {length} characters", vector.name);
            if let Err(error) = read {
                assert!(error.to_string().len() < 400);
            }
        }
    }
}

#[test]
fn a_string_with_more_behind_it_is_refused() {
    for vector in one_of_each() {
        for more in ["A", "AA", "AAA", "AAAA", "====", " A", vector.text.as_str()] {
            let text = format!("{}{more}", vector.text);
            assert!(Foreign::read(vector.format, text.as_bytes()).is_err(), "{}", vector.name);
        }
    }
}

#[test]
fn a_character_that_is_changed_never_goes_unseen_or_is_another_session() {
    for vector in one_of_each() {
        let whole = Foreign::read(vector.format, vector.text.as_bytes()).unwrap();
        for at in 0..vector.text.len() {
            for with in [b'A', b'z', b'-', b'=', b'!', b' ', 0, 0xff] {
                let mut bytes = vector.text.clone().into_bytes();
                if bytes[at] == with {
                    continue;
                }
                bytes[at] = with;
                // Padding says nothing, and either alphabet is read.
                let same =
                    matches!((vector.text.as_bytes()[at], with), (b'=', b' ') | (b'+', b'-'));
                if let Ok(read) = Foreign::read(vector.format, &bytes)
                    && !same
                {
                    assert_ne!(read, whole, "{}: {with} at {at}", vector.name);
                }
                foreign::guess(&bytes);
            }
        }
    }
}

#[test]
fn a_session_that_nobody_signed_in_with_is_refused() {
    for vector in one_of_each() {
        // The same with zeros for a key, which MTKruto packs.
        let text = vector.text.trim_start_matches('1').trim_end_matches('=');
        let text = text.replace('+', "-").replace('/', "_");
        let mut bytes = Base64UrlUnpadded::decode_vec(&text).unwrap();
        match vector.format {
            Format::MtKruto => bytes = [&b"\x012\0\x02\xfe\0\x01\x01\0\xff\0\x02"[..]].concat(),
            _ => {
                let at = bytes.windows(256).position(|window| window == vector.key).unwrap();
                bytes[at..at + 256].fill(0);
            }
        }
        let marked = vector.text.starts_with('1');
        let mut text = Base64UrlUnpadded::encode_string(&bytes);
        while marked && text.len() % 4 != 0 {
            text.push('=');
        }
        let text = format!("{}{text}", if marked { "1" } else { "" });
        assert_eq!(flaw(&vector, &text), Some(Flaw::NoKey), "{}", vector.name);
        let mut empty = Foreign::new(2, [0; 256]);
        (empty.user_id, empty.bot, empty.api_id) = (Some(1), Some(false), Some(1));
        match empty.write(vector.format) {
            Err(ForeignError::Malformed { flaw: Flaw::NoKey, .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let says = |format: Format, text: &str| match Foreign::read(format, text.as_bytes()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{format} read {text}"),
    };
    assert_eq!(
        says(Format::Telethon, "1ApWapzMBuwAB"),
        "this is no session of telethon: it has 13, not 353 or 369 characters; copy it again"
    );
    assert_eq!(
        says(Format::GramJs, "1ApWapzMBuwAB"),
        "this is no session of gramjs: it ends too early; copy it again"
    );
    assert_eq!(
        says(Format::GramJs, "2ApWapzMBuwAB"),
        "this is no session of gramjs: it does not begin with 1"
    );
    assert_eq!(
        says(Format::Pyrogram, "AgAA"),
        "this is no session of pyrogram: it has 4, not 351, 356 or 362 characters; copy it again"
    );
    assert_eq!(
        says(Format::Pyrogram, "not base64!"),
        "this is no session of pyrogram: it is no base64 text, or a part of it is missing; copy \
         it again"
    );
    assert_eq!(
        says(Format::Mtcute, "BAAAAAA"),
        "version 4 of the format mtcute is not known; update chappe"
    );
    assert_eq!(
        says(Format::Mtcute, ""),
        "this is no session of mtcute: it ends too early; copy it again"
    );
    let long = "A".repeat(5000);
    for format in Format::ALL.into_iter().filter(|format| format.is_text()) {
        assert!(Foreign::read(format, long.as_bytes()).is_err());
        assert!(Foreign::read(format, &[0xff; 300]).is_err());
    }
}
