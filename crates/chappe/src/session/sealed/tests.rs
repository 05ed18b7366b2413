//! The envelope: who has the passphrase opens it, who has not learns why not, and nobody pays for
//! what a stranger put into it.

use super::*;
use crate::session::tests::{problem, same, session, unhex};

/// A seal whose keys cost next to nothing.
fn seal(passphrase: &str) -> Seal {
    Seal::new(passphrase).costing(8, 1, 1)
}

fn envelope(passphrase: &str) -> Vec<u8> {
    seal(passphrase).seal(&session(1)).unwrap().as_ref().to_vec()
}

/// Changes what the checksum covers and makes it anew.
fn changed(envelope: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = envelope[..envelope.len() - CHECKSUM].to_vec();
    change(&mut bytes);
    let checksum = sha256(&[&bytes]);
    bytes.extend_from_slice(&checksum);
    bytes
}

fn refusal(envelope: &[u8]) -> SessionProblem {
    problem(seal("one").open(envelope))
}

#[test]
fn who_has_the_passphrase_opens_what_another_sealed() {
    for first in [1, 2] {
        let envelope = seal("one").seal(&session(first)).unwrap();
        assert!(same(&seal("one").open(envelope.as_ref()).unwrap(), &session(first)));
        assert!(matches!(
            problem(seal("two").open(envelope.as_ref())),
            SessionProblem::WrongPassphrase
        ));
    }
}

/// Made with argon2-cffi 25.1 and PyNaCl 1.6, after the table: the session of `session_1.hex`,
/// 64 KiB, three passes, two lanes.
#[test]
fn an_envelope_that_others_made_is_opened() {
    let theirs = unhex(include_str!("../../../tests/vectors/session_sealed_1.hex"));
    let passphrase = "correct horse \u{e9}";
    assert!(same(&Seal::new(passphrase).open(&theirs).unwrap(), &session(1)));
    let error = problem(Seal::new("correct horse e\u{301}").open(&theirs));
    assert!(matches!(error, SessionProblem::WrongPassphrase), "{error}");
}

#[test]
fn the_layout_of_an_envelope_is_the_documented_one() {
    let envelope = Seal::new("one").costing(16, 2, 1).seal(&session(1)).unwrap();
    let envelope = envelope.as_ref();
    assert_eq!(&envelope[..10], b"CHSEAL\r\n\x01\0");
    assert_eq!(envelope[10..14], 16_u32.to_le_bytes());
    assert_eq!(envelope[14..18], 2_u32.to_le_bytes());
    assert_eq!(envelope[18], 1);
    let plain = session(1).to_bytes().unwrap();
    assert_eq!(envelope.len(), 59 + plain.as_ref().len() + 16 + 32);
    let (covered, checksum) = envelope.split_at(envelope.len() - 32);
    assert_eq!(checksum, sha256(&[covered]));
    for (at, window) in plain.as_ref().windows(8).enumerate() {
        assert!(!envelope.windows(8).any(|found| found == window), "byte {at} shows");
    }
}

/// The same nonce twice under one key would give both sessions away.
#[test]
fn no_two_envelopes_are_alike_though_the_key_is_made_once() {
    let seal = seal("one");
    let envelopes: Vec<_> =
        (0..50).map(|_| seal.seal(&session(1)).unwrap().as_ref().to_vec()).collect();
    for (at, one) in envelopes.iter().enumerate() {
        assert_eq!(one[..35], envelopes[0][..35], "another key");
        for other in &envelopes[..at] {
            assert_ne!(one[35..59], other[35..59]);
            assert_ne!(one[59..99], other[59..99]);
        }
    }
    let other = envelope("one");
    assert_ne!(other[19..35], envelopes[0][19..35], "another seal draws another salt");
}

/// Nothing of the passphrase is needed once there is a key: it would be asked for at every save.
#[test]
fn a_key_is_derived_once() {
    let first = envelope("one");
    let mut opener = seal("one");
    opener.open(&first).unwrap();
    opener.passphrase = "two".into();
    opener.open(&first).unwrap();
    let saved = opener.seal(&session(2)).unwrap();
    assert!(same(&seal("one").open(saved.as_ref()).unwrap(), &session(2)));
    // What is not opened does not cost the key, what has another salt needs one of its own.
    assert!(matches!(problem(opener.open(&envelope("three"))), SessionProblem::WrongPassphrase));
    let mut forged = first.clone();
    forged[60] ^= 1;
    let forged = changed(&forged, |_| {});
    assert!(matches!(problem(opener.open(&forged)), SessionProblem::WrongPassphrase));
    opener.open(&envelope("two")).unwrap();
    assert!(matches!(problem(opener.open(&first)), SessionProblem::WrongPassphrase));
}

#[test]
fn a_flipped_bit_and_a_cut_anywhere_are_damage() {
    let good = envelope("one");
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        for (bad, what) in [(bad.as_slice(), "flipped"), (&good[..at], "cut")] {
            match refusal(bad) {
                SessionProblem::NotASession => assert!(at < 8, "{what} at {at}"),
                SessionProblem::Damaged => assert!(at >= 8, "{what} at {at}"),
                other => panic!("{what} at {at}: {other}"),
            }
        }
    }
    let long = [good.as_slice(), &[0]].concat();
    assert!(matches!(refusal(&long), SessionProblem::Damaged));
    assert!(matches!(
        refusal(&changed(&good, |bytes| bytes.truncate(59 + 15))),
        SessionProblem::Damaged
    ));
    assert!(matches!(refusal(&changed(&good, |bytes| bytes.truncate(8))), SessionProblem::Damaged));
}

/// Whoever makes the checksum anew is told that the passphrase is wrong, and changed nothing.
#[test]
fn every_byte_counts_behind_the_checksum() {
    let good = envelope("one");
    // Of the costs the lowest byte only: others may be unbearable, which is for the next test.
    let cheap = |at: &usize| !matches!(at, 11..=13 | 15..=17);
    for at in (8..good.len() - CHECKSUM).filter(cheap) {
        let problem = refusal(&changed(&good, |bytes| bytes[at] ^= 1));
        match (at, problem) {
            (8, SessionProblem::Damaged) | (9, SessionProblem::Newer { version: 257 }) => {}
            // No pass, no lane.
            (14 | 18, SessionProblem::Damaged) => {}
            (10.., SessionProblem::WrongPassphrase) => {}
            (at, other) => panic!("byte {at}: {other}"),
        }
    }
    let newer = changed(&good, |bytes| bytes[8] = 2);
    assert!(matches!(refusal(&newer), SessionProblem::Newer { version: 2 }));
}

#[test]
fn costs_that_nobody_wants_to_pay_are_refused_before_they_are_paid() {
    let good = envelope("one");
    let with = |memory: u32, passes: u32, lanes: u8| {
        refusal(&changed(&good, |bytes| {
            bytes[10..14].copy_from_slice(&memory.to_le_bytes());
            bytes[14..18].copy_from_slice(&passes.to_le_bytes());
            bytes[18] = lanes;
        }))
    };
    for (memory, passes, lanes) in [
        (u32::MAX, 1, 1),
        (LARGEST_MEMORY + 1, 1, 1),
        (LARGEST_MEMORY, 5, 1),
        (8, u32::MAX, 1),
        (8, 131_073, 1),
        (u32::MAX, u32::MAX, 255),
        (1024, 1, 17),
        (1024, 1, 0),
        (1024, 0, 1),
        (7, 1, 1),
        (15, 1, 2),
        (0, 0, 0),
    ] {
        let problem = with(memory, passes, lanes);
        assert!(matches!(problem, SessionProblem::Damaged), "{memory} {passes} {lanes}: {problem}");
    }
    let problem = with(128, 2, 16);
    assert!(matches!(problem, SessionProblem::WrongPassphrase), "{problem}");
    assert!(Cost::TODAY.is_bearable());
}

#[test]
fn what_is_no_envelope_is_told_apart() {
    let plain = session(1).to_bytes().unwrap();
    assert!(matches!(refusal(plain.as_ref()), SessionProblem::NotSealed));
    assert!(matches!(refusal(b"SQLite format 3\0"), SessionProblem::NotASession));
    assert!(matches!(refusal(b""), SessionProblem::NotASession));
    assert!(matches!(problem(Session::from_bytes(&envelope("one"))), SessionProblem::Sealed));
}

#[test]
fn an_envelope_is_opened_under_its_account_only() {
    let envelope = seal("one").named("alice").seal(&session(1)).unwrap();
    for name in ["bob", "alic", ""] {
        let refused = problem(seal("one").named(name).open(envelope.as_ref()));
        assert!(matches!(refused, SessionProblem::WrongPassphrase), "{name}: {refused}");
    }
    assert!(seal("one").named("alice").open(envelope.as_ref()).is_ok());
}

#[test]
fn an_empty_passphrase_is_refused() {
    assert!(matches!(problem(seal("").seal(&session(1))), SessionProblem::EmptyPassphrase));
    assert!(matches!(problem(seal("").open(&envelope("one"))), SessionProblem::EmptyPassphrase));
}

#[test]
fn debug_shows_no_passphrase() {
    let seal = seal("hunter2");
    let shown = format!("{:?} {:?} {seal:?}", Passphrase::from("hunter2"), seal.passphrase);
    assert_eq!(shown, "Passphrase { .. } Passphrase { .. } Seal { .. }");
}
