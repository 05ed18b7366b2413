//! Creation of an authorization key: the client's and the server's half, as steps over message bodies.
//!
//! Both halves take and give the *bodies* of unencrypted messages; the envelope around them is
//! [`crate::packet`]'s. Neither reads a clock nor draws entropy: the time and the generator are arguments.
//!
//! ```text
//! client                                  server
//!   req_pq_multi          ->
//!                         <-  resPQ                   pq is a proof of work
//!   req_DH_params         ->                          RSA hides new_nonce from everybody else
//!                         <-  server_DH_params_ok     g, prime, g_a under a key made of the nonces
//!   set_client_DH_params  ->                          g_b under the same key
//!                         <-  dh_gen_ok               or dh_gen_retry: the key is taken, another g_b
//! ```
//!
//! See core.telegram.org/mtproto/auth_key and core.telegram.org/mtproto/security_guidelines.

pub mod client;
pub mod server;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use chappe_crypto::dh::{Group, TmpAes};
use chappe_crypto::{aes, sha1};
use chappe_tl::{Decode, Encode, Reader};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Why a key exchange was given up. It cannot go on; a new one has to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The SHA-1 in front of encrypted data is not that of the data.
    #[error("the hash of encrypted data is wrong; start a new key exchange")]
    DataHash,
    /// Encrypted data does not consist of whole blocks, or is too short to hold anything.
    #[error("encrypted data of {0} bytes cannot be deciphered; start a new key exchange")]
    DataLength(usize),
    /// More than 15 bytes follow the data, as none of its blocks needs.
    #[error("{0} bytes follow encrypted data, at most 15 may; start a new key exchange")]
    DataPadding(usize),
    /// The generator does not fit the prime.
    #[error("the server's generator does not fit its prime; do not trust this server")]
    Generator,
    /// The message is none that is due now, or not readable.
    #[error("the answer is none that is due now; start a new key exchange")]
    Malformed,
    /// The hash that proves the server's knowledge of `new_nonce` is wrong.
    #[error("the server does not prove that it knows the key; do not trust this server")]
    NewNonceHash,
    /// An answer belongs to another exchange: its `nonce` is not the client's.
    #[error("the answer belongs to another key exchange: wrong nonce")]
    Nonce,
    /// No answer is due: the exchange has not begun, is finished or has failed.
    #[error("no answer is due; start a new key exchange")]
    OutOfStep,
    /// The modulus is not a safe prime of 2048 bits.
    #[error("the server's modulus is not a safe prime of 2048 bits; do not trust this server")]
    Prime,
    /// The proof of work has no solution: `pq` is not the product of two primes below 2^63.
    #[error("the server's pq is not the product of two primes; do not trust this server")]
    ProofOfWork,
    /// `g_a` or `g_b` lies outside of the safe range.
    #[error("the peer's diffie-hellman value is out of range; do not trust this peer")]
    PublicValue,
    /// The server gave up with `dh_gen_fail`.
    #[error("the server cannot make this key; start a new key exchange")]
    Refused,
    /// The server answered `server_DH_params_fail`: it read another `new_nonce`.
    #[error("the server refuses the proof of work; start a new key exchange")]
    RefusedParams,
    /// The RSA key cannot encrypt the exchange.
    #[error("the rsa key of the server is not usable; configure one of 2048 bits")]
    RsaKey,
    /// An answer belongs to another exchange: its `server_nonce` is not the one of `resPQ`.
    #[error("the answer belongs to another key exchange: wrong server nonce")]
    ServerNonce,
    /// The server asked for yet another key too often.
    #[error("the server keeps asking for another key; try again later")]
    TooManyRetries,
    /// The server has none of the configured RSA keys.
    #[error("the server has none of the configured rsa keys; check its public key and address")]
    UnknownRsaKey,
}

/// How often a client is asked, or lets itself be asked, for another key.
const MAX_RETRIES: u8 = 5;

/// The number of `dh_gen_ok` in its hash.
const OK: u8 = 1;

/// The number of `dh_gen_retry` in its hash.
const RETRY: u8 = 2;

/// The number of `dh_gen_fail` in its hash.
const FAIL: u8 = 3;

/// Encrypts inner data: its SHA-1, itself, random bytes up to a whole block.
fn seal(data: &impl Encode, aes: &TmpAes, rng: &mut impl CryptoRng) -> Bytes {
    let mut sealed = vec![0; 20];
    data.encode(&mut sealed);
    let (hash, data) = sealed.split_at_mut(20);
    hash.copy_from_slice(&sha1(&[data]));
    let length = sealed.len();
    sealed.resize(length.next_multiple_of(16), 0);
    rng.fill_bytes(sealed.get_mut(length..).unwrap_or_default());
    aes::ige_encrypt(&mut sealed, &aes.key, &aes.iv);
    sealed.into()
}

/// Decrypts inner data, with all checks of its form.
fn open<T: Decode>(sealed: &[u8], aes: &TmpAes) -> Result<T, HandshakeError> {
    let length = sealed.len();
    if length < 32 || !length.is_multiple_of(16) {
        return Err(HandshakeError::DataLength(length));
    }
    let mut opened = sealed.to_vec();
    aes::ige_decrypt(&mut opened, &aes.key, &aes.iv);
    let mut data = Bytes::from(opened);
    let hash = data.split_to(20);
    let mut reader = Reader::new(&data);
    // Undecipherable bytes are no object at all: that is the same failure as a wrong hash.
    let object = T::decode(&mut reader).map_err(|_| HandshakeError::DataHash)?;
    let (covered, padding) = data.split_at(reader.offset());
    if !bool::from(sha1(&[covered]).ct_eq(&hash[..])) {
        return Err(HandshakeError::DataHash);
    }
    if padding.len() > 15 {
        return Err(HandshakeError::DataPadding(padding.len()));
    }
    Ok(object)
}

/// Draws a secret exponent and computes its public value.
fn draw_secret(
    group: &Group,
    rng: &mut impl CryptoRng,
) -> Result<(Zeroizing<[u8; 256]>, [u8; 256]), HandshakeError> {
    let mut secret = Zeroizing::new([0; 256]);
    // A public value is out of range once in 2^63 draws.
    for _ in 0..3 {
        rng.fill_bytes(secret.as_mut_slice());
        if let Ok(public) = group.public(&secret) {
            return Ok((secret, public));
        }
    }
    Err(HandshakeError::PublicValue)
}

/// Reads the number of a proof of work: big endian, at most 64 bits.
fn number(bytes: &[u8]) -> Option<u64> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let digits = bytes.get(start..).filter(|digits| digits.len() <= 8)?;
    Some(digits.iter().fold(0, |value, digit| value << 8 | u64::from(*digit)))
}

/// Writes a number of a proof of work: big endian, four bytes where they suffice.
fn number_bytes(value: u64) -> Bytes {
    match u32::try_from(value) {
        Ok(value) => Bytes::copy_from_slice(&value.to_be_bytes()),
        Err(_) => Bytes::copy_from_slice(&value.to_be_bytes()),
    }
}

/// Returns the first salt of a new key.
fn initial_salt(new_nonce: &[u8; 32], server_nonce: &[u8; 16]) -> i64 {
    let mut salt = [0; 8];
    for (byte, (new, server)) in salt.iter_mut().zip(new_nonce.iter().zip(server_nonce)) {
        *byte = new ^ server;
    }
    i64::from_le_bytes(salt)
}

/// Returns the hash in `server_DH_params_fail`.
fn params_fail_hash(new_nonce: &[u8; 32]) -> [u8; 16] {
    let mut hash = [0; 16];
    for (to, from) in hash.iter_mut().zip(sha1(&[new_nonce]).into_iter().skip(4)) {
        *to = from;
    }
    hash
}
