//! What Telegram Desktop encrypts on a disk: the key of a passcode, and what is sealed with one.
//!
//! A local key has 256 bytes, like an auth key. What it seals is `key128 (16) | encrypted`: the
//! first bytes of the SHA-1 of the plaintext, and the plaintext in AES-256-IGE under key and
//! vector of MTProto 1.0, as from a server. The plaintext is its own length in four bytes,
//! little endian and those four included, then the data, then padding to a multiple of 16.
//!
//! Observed: `storage/details/storage_file_utilities.cpp` of Telegram Desktop 2.9 to 5.8; the
//! tests of crate chappe read what `@mtcute/convert` wrote.

use hmac::Hmac;
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

use crate::aes::{ige_decrypt, ige_encrypt};
use crate::hash::sha1;
use crate::message_key::{AesKey, check_message_key};
use crate::{AuthKey, Error, Side};

/// Makes the key that a passcode stands for; with one that takes tenths of a second by design.
/// Without a passcode it is empty, and the key protects nothing.
#[must_use]
pub fn passcode_key(passcode: &[u8], salt: &[u8]) -> AuthKey {
    let rounds = if passcode.is_empty() { 1 } else { ROUNDS };
    let mut first = Sha512::new();
    for part in [salt, passcode, salt] {
        first.update(part);
    }
    let mut first: [u8; 64] = first.finalize().into();
    let mut key = Zeroizing::new([0; 256]);
    pbkdf2::pbkdf2::<Hmac<Sha512>>(&first, salt, rounds, &mut *key).unwrap_or_default();
    first.zeroize();
    AuthKey::from_bytes(*key)
}

/// Seals data; `padding` is what it takes of to fill the last block.
///
/// # Errors
///
/// [`Error::PacketLength`] for data of 4 GiB.
pub fn seal(key: &AuthKey, data: &[u8], padding: &[u8; 15]) -> Result<Vec<u8>, Error> {
    let length = data.len().saturating_add(LENGTH);
    let prefix = u32::try_from(length).map_err(|_| Error::PacketLength)?.to_le_bytes();
    let missing = length.next_multiple_of(16) - length;
    let mut sealed = Vec::with_capacity(KEY + length + missing);
    sealed.extend_from_slice(&[0; KEY]);
    sealed.extend_from_slice(&prefix);
    sealed.extend_from_slice(data);
    sealed.extend_from_slice(padding.get(..missing).unwrap_or_default());
    if let Some((key128, plain)) = sealed.split_first_chunk_mut() {
        *key128 = hash(plain);
        let aes = AesKey::v1(key, Side::Server, key128);
        ige_encrypt(plain, &aes.key, &aes.iv);
    }
    Ok(sealed)
}

/// Opens what [`seal`] made.
///
/// # Errors
///
/// [`Error::PacketLength`] if it is nothing sealed or says a length that it has not,
/// [`Error::MessageKey`] if it was sealed with another key or damaged.
pub fn open(key: &AuthKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (key128, data) = sealed.split_first_chunk::<KEY>().ok_or(Error::PacketLength)?;
    if data.is_empty() || !data.len().is_multiple_of(16) {
        return Err(Error::PacketLength);
    }
    let mut plain = Zeroizing::new(data.to_vec());
    let aes = AesKey::v1(key, Side::Server, key128);
    ige_decrypt(&mut plain, &aes.key, &aes.iv);
    check_message_key(&hash(&plain), key128)?;
    let length = plain.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    let length = usize::try_from(length).map_err(|_| Error::PacketLength)?;
    if length < LENGTH || length.checked_next_multiple_of(16) != Some(plain.len()) {
        return Err(Error::PacketLength);
    }
    plain.truncate(length);
    plain.drain(..LENGTH);
    Ok(plain)
}

fn hash(plain: &[u8]) -> [u8; KEY] {
    let [key128 @ .., _, _, _, _] = sha1(&[plain]);
    key128
}

/// With a passcode.
const ROUNDS: u32 = 100_000;
const KEY: usize = 16;
const LENGTH: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{hex, seq};

    fn key(first: u8) -> AuthKey {
        AuthKey::from_bytes(seq(first))
    }

    /// Made with Python's hashlib: `pbkdf2_hmac("sha512", sha512(salt + passcode + salt), ..)`.
    #[test]
    fn a_passcode_makes_a_key() {
        let salt: [u8; 32] = seq(1);
        for (passcode, first, last) in [
            (&b""[..], "1feb9ce6c9aa4f1cbb33bf1bd5f16dd3", "19d7a20e9bb1af803bcf72de206733df"),
            (
                b"correct horse",
                "3321de3b60a263e2eb38b1c08ea84f34",
                "dcc186a7d1b058adb6113229d2a6304e",
            ),
        ] {
            let key = passcode_key(passcode, &salt);
            assert_eq!(key.as_bytes()[..16].to_vec(), hex(first));
            assert_eq!(key.as_bytes()[240..].to_vec(), hex(last));
        }
    }

    #[test]
    fn what_is_sealed_is_opened_with_the_same_key_alone() {
        for length in 0..70 {
            let data: Vec<u8> = (0..length).collect();
            let sealed = seal(&key(0), &data, &[0xee; 15]).unwrap();
            assert_eq!(sealed.len(), 16 + (4 + data.len()).next_multiple_of(16));
            assert_eq!(*open(&key(0), &sealed).unwrap(), data);
            assert_eq!(open(&key(1), &sealed), Err(Error::MessageKey));
        }
    }

    #[test]
    fn what_is_changed_or_cut_is_refused() {
        let sealed = seal(&key(0), b"thirty-two bytes are two blocks.", &[0; 15]).unwrap();
        for at in 0..sealed.len() {
            let mut sealed = sealed.clone();
            sealed[at] ^= 1;
            assert_eq!(open(&key(0), &sealed), Err(Error::MessageKey));
        }
        for length in 0..sealed.len() {
            assert!(open(&key(0), &sealed[..length]).is_err());
        }
    }

    /// The length is covered by the hash, so only who has the key can say a wrong one.
    #[test]
    fn a_length_that_is_not_that_of_the_data_is_refused() {
        let forged = |length: u32, blocks: usize| {
            let mut plain = vec![0; 16 * blocks];
            plain[..4].copy_from_slice(&length.to_le_bytes());
            let key128 = hash(&plain);
            let aes = AesKey::v1(&key(0), Side::Server, &key128);
            ige_encrypt(&mut plain, &aes.key, &aes.iv);
            open(&key(0), &[&key128[..], &plain].concat()).map(|plain| plain.len())
        };
        assert_eq!(forged(4, 1), Ok(0));
        assert_eq!(forged(16, 1), Ok(12));
        assert_eq!(forged(17, 2), Ok(13));
        for (length, blocks) in [(0, 1), (3, 1), (17, 1), (16, 2), (33, 2), (u32::MAX, 2)] {
            assert_eq!(forged(length, blocks), Err(Error::PacketLength), "{length} {blocks}");
        }
    }
}
