//! The encrypted session: strangers' envelopes are refused at a bounded cost, and what is inside of
//! our own is read as it would be without one.
#![no_main]

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use chappe::{
    Error, SessionProblem,
    session::{Seal, Session},
};
use chappe_fuzz::Script;
use libfuzzer_sys::fuzz_target;

/// The key of `HEADER`, made as the documentation of the format says.
static CIPHER: LazyLock<XChaCha20Poly1305> = LazyLock::new(|| {
    let params = Params::new(8, 1, 1, Some(32)).expect("they are the smallest");
    let mut memory = vec![Block::new(); params.block_count()];
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(PASSPHRASE.as_bytes(), &[7; 16], &mut key, &mut memory)
        .expect("the lengths are right");
    XChaCha20Poly1305::new(&key.into())
});

/// Knows the key of `HEADER` once it opened something.
static SEAL: LazyLock<Seal> = LazyLock::new(|| Seal::new(PASSPHRASE));

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    match script.byte() % 4 {
        0 => assert!(SEAL.open(script.rest()).is_err()),
        1 => {
            let mut envelope = MAGIC.to_vec();
            envelope.extend_from_slice(script.rest());
            assert!(SEAL.open(&checked(envelope)).is_err());
        }
        2 => {
            // Another passphrase has to make a key, whatever that costs.
            let mut envelope = MAGIC.to_vec();
            envelope.extend_from_slice(&[1, 0]);
            envelope.extend_from_slice(script.rest());
            assert!(Seal::new("another").open(&checked(envelope)).is_err());
        }
        _ => {
            let nonce = [script.byte(); 24];
            let inside = match script.flag() {
                true => script.rest().to_vec(),
                false => {
                    let version = script.byte() % 4;
                    let mut inside = [b"CHAPPE\r\n".as_slice(), &[version, 0]].concat();
                    inside.extend_from_slice(script.rest());
                    checked(inside)
                }
            };
            let opened = SEAL.open(&sealed(&inside, nonce));
            match (opened, Session::from_bytes(&inside)) {
                (Ok(opened), Ok(read)) => {
                    let again = SEAL.seal(&opened).expect("what was read can be written");
                    let again = SEAL.open(again.as_ref()).expect("what was sealed can be opened");
                    let bytes = |session: &Session| {
                        session.to_bytes().expect("what was read can be written").as_ref().to_vec()
                    };
                    assert_eq!(bytes(&again), bytes(&read));
                }
                (Err(Error::Session(opened)), Err(Error::Session(read))) => {
                    assert!(!matches!(opened.problem(), SessionProblem::WrongPassphrase));
                    assert_eq!(opened.to_string(), read.to_string());
                }
                (opened, read) => panic!("sealed {opened:?}, plain {read:?}"),
            }
        }
    }
});

/// An envelope by the documentation of the format.
fn sealed(inside: &[u8], nonce: [u8; 24]) -> Vec<u8> {
    let mut out = [MAGIC, HEADER, &[7; 16], &nonce].concat();
    let header = out.clone();
    let mut inside = inside.to_vec();
    let tag = CIPHER
        .encrypt_inout_detached(&nonce.into(), &header, inside.as_mut_slice().into())
        .expect("it is not that long");
    out.extend_from_slice(&inside);
    out.extend_from_slice(&tag);
    checked(out)
}

fn checked(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = chappe_crypto::sha256(&[&bytes]);
    bytes.extend_from_slice(&checksum);
    bytes
}

const PASSPHRASE: &str = "fuzz";
const MAGIC: &[u8] = b"CHSEAL\r\n";
/// Version 1; 8 KiB, one pass, one lane.
const HEADER: &[u8] = &[1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 1];
