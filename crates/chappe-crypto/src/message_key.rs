//! Sealing and opening of encrypted packets.
//!
//! A packet is `auth_key_id (8) | msg_key (16) | encrypted data`. Both functions work where
//! the packet lies, without an allocation.
//!
//! Sources: core.telegram.org/mtproto/description (MTProto 2.0), and
//! core.telegram.org/mtproto/description_v1 for the one message of MTProto 1.0 that is left,
//! the `encrypted_message` of `auth.bindTempAuthKey`
//! (core.telegram.org/api/pfs#binding-a-temporary-authorization-key).

use subtle::ConstantTimeEq;
use zeroize::zeroize_bytes;

use crate::aes::{IgeDecryptor, ige_decrypt, ige_encrypt};
use crate::hash::{BlockHash, sha1, sha256_after_32, sha256_of_52};
use crate::{AuthKey, Error, Side};

/// The bytes in front of the encrypted data: `auth_key_id` and `msg_key`.
pub const PREFIX: usize = 24;

/// The shortest encrypted data: a header of 32 bytes and 12 bytes of padding, rounded up.
pub const MIN_ENCRYPTED: usize = 48;

/// Encrypts a packet in place and returns its quick-ack token.
///
/// `packet` is [`PREFIX`] bytes to be filled in, then the plaintext including its padding.
///
/// # Errors
///
/// [`Error::PacketLength`] if the plaintext is empty or no multiple of 16 bytes.
pub fn seal(key: &AuthKey, from: Side, packet: &mut [u8]) -> Result<u32, Error> {
    let (id, msg_key, plain) = split(packet, 16)?;
    let large = large_key(key, from, plain);
    *id = key.id().to_le_bytes();
    *msg_key = middle(&large);
    let aes = AesKey::v2(key, from, msg_key);
    ige_encrypt(plain, &aes.key, &aes.iv);
    Ok(token(&large))
}

/// Decrypts a packet in place and returns its quick-ack token; the plaintext, including its
/// padding, is then `packet[PREFIX..]`.
///
/// The message key is compared in constant time before anything is reported. On an error the
/// content of `packet` is unspecified: discard it.
///
/// core.telegram.org/mtproto/security_guidelines#mtproto-encrypted-messages
///
/// # Errors
///
/// [`Error::AuthKeyId`] for a packet of another key, [`Error::PacketLength`] if the encrypted
/// data is shorter than [`MIN_ENCRYPTED`] or no multiple of 16 bytes, [`Error::MessageKey`] if
/// the packet was damaged or forged.
pub fn open(key: &AuthKey, from: Side, packet: &mut [u8]) -> Result<u32, Error> {
    let (id, msg_key, data) = split(packet, MIN_ENCRYPTED)?;
    if *id != key.id().to_le_bytes() {
        return Err(Error::AuthKeyId);
    }
    let aes = AesKey::v2(key, from, msg_key);
    let large = decrypt_and_hash(key, from, &aes, data);
    check_message_key(&middle(&large), msg_key)?;
    Ok(token(&large))
}

/// The token by which a server confirms a packet quickly, from the plaintext including its
/// padding: the first 32 bits of the SHA-256 behind the message key, with the highest bit set.
///
/// core.telegram.org/mtproto/mtproto-transports#quick-ack
#[must_use]
pub fn quick_ack_token(key: &AuthKey, from: Side, plain: &[u8]) -> u32 {
    token(&large_key(key, from, plain))
}

/// Encrypts a message of MTProto 1.0: `plain` is a header of 32 bytes and its body, `padding`
/// at least the bytes that are missing to a multiple of 16 (what is left over is not used).
///
/// # Errors
///
/// [`Error::PacketLength`] if `plain` is shorter than its header or `padding` is too short.
pub fn seal_v1(
    key: &AuthKey,
    from: Side,
    plain: &[u8],
    padding: &[u8; 15],
) -> Result<Vec<u8>, Error> {
    if plain.len() < HEADER {
        return Err(Error::PacketLength);
    }
    let msg_key = v1_key(plain);
    let missing = plain.len().next_multiple_of(16) - plain.len();
    let mut packet = Vec::with_capacity(PREFIX + plain.len() + missing);
    packet.extend_from_slice(&key.id().to_le_bytes());
    packet.extend_from_slice(&msg_key);
    packet.extend_from_slice(plain);
    packet.extend_from_slice(padding.get(..missing).unwrap_or_default());
    let aes = AesKey::v1(key, from, &msg_key);
    if let Some(data) = packet.get_mut(PREFIX..) {
        ige_encrypt(data, &aes.key, &aes.iv);
    }
    Ok(packet)
}

/// Decrypts a message of MTProto 1.0 in place and returns its header of 32 bytes and its
/// body, without the padding.
///
/// # Errors
///
/// As of [`open`].
pub fn open_v1<'a>(key: &AuthKey, from: Side, packet: &'a mut [u8]) -> Result<&'a [u8], Error> {
    let (id, msg_key, data) = split(packet, HEADER)?;
    if *id != key.id().to_le_bytes() {
        return Err(Error::AuthKeyId);
    }
    let aes = AesKey::v1(key, from, msg_key);
    ige_decrypt(data, &aes.key, &aes.iv);
    // The length is a part of what the message key protects, so a wrong one only changes
    // which bytes are hashed.
    let length = match data.first_chunk::<HEADER>() {
        Some([.., a, b, c, d]) => u32::from_le_bytes([*a, *b, *c, *d]),
        None => return Err(Error::PacketLength),
    };
    let plain = usize::try_from(length)
        .ok()
        .and_then(|length| data.get(..HEADER.checked_add(length)?))
        .filter(|plain| data.len() - plain.len() < 16)
        .ok_or(Error::MessageKey)?;
    check_message_key(&v1_key(plain), msg_key)?;
    Ok(plain)
}

/// Salt, session, message id, sequence number and length.
const HEADER: usize = 32;

type Parts<'a> = (&'a mut [u8; 8], &'a mut [u8; 16], &'a mut [u8]);

/// Takes a packet apart if its encrypted data is at least `shortest` bytes of whole blocks.
fn split(packet: &mut [u8], shortest: usize) -> Result<Parts<'_>, Error> {
    let (id, rest) = packet.split_first_chunk_mut().ok_or(Error::PacketLength)?;
    let (msg_key, data) = rest.split_first_chunk_mut().ok_or(Error::PacketLength)?;
    if data.len() < shortest || !data.len().is_multiple_of(16) {
        return Err(Error::PacketLength);
    }
    Ok((id, msg_key, data))
}

#[cfg(not(fuzzing))]
pub(crate) fn check_message_key(expected: &[u8; 16], found: &[u8; 16]) -> Result<(), Error> {
    if expected.ct_eq(found).into() { Ok(()) } else { Err(Error::MessageKey) }
}

/// A fuzzer cannot guess message keys: its packets reach the inside without.
#[cfg(fuzzing)]
pub(crate) fn check_message_key(expected: &[u8; 16], found: &[u8; 16]) -> Result<(), Error> {
    let _ = expected.ct_eq(found);
    Ok(())
}

/// Decrypts and computes `msg_key_large` in one pass: while the processor waits for the chain
/// of the cipher, it hashes what came out of it before.
fn decrypt_and_hash(key: &AuthKey, from: Side, aes: &AesKey, data: &mut [u8]) -> [u8; 32] {
    let mut cipher = IgeDecryptor::new(&aes.key, &aes.iv);
    let Some((first, rest)) = data.split_first_chunk_mut::<32>() else {
        return large_key(key, from, data);
    };
    let (blocks, tail) = rest.as_chunks_mut::<64>();
    let mut blocks = blocks.iter_mut();
    let mut decrypt = |block: &mut [u8]| cipher.decrypt(block.as_chunks_mut().0);
    decrypt(first);
    // Hashing stays one block behind, where nothing has to be waited for.
    let mut behind = blocks.next();
    if let Some(block) = &mut behind {
        decrypt(*block);
    }
    let mut hash = BlockHash::new(large_key_part(key, from), first);
    for block in blocks {
        decrypt(block);
        if let Some(done) = behind.replace(block) {
            hash.update(std::slice::from_ref(done));
        }
    }
    decrypt(tail);
    if let Some(done) = behind {
        hash.update(std::slice::from_ref(done));
    }
    hash.finish(tail)
}

/// `msg_key_large`: the SHA-256 of 32 bytes of the auth key and the plaintext.
fn large_key(key: &AuthKey, from: Side, plain: &[u8]) -> [u8; 32] {
    sha256_after_32(large_key_part(key, from), plain)
}

fn large_key_part(key: &AuthKey, from: Side) -> &[u8; 32] {
    match from {
        Side::Client => key.part::<88, 32>(),
        Side::Server => key.part::<96, 32>(),
    }
}

/// The middle 128 bits.
fn middle(large: &[u8; 32]) -> [u8; 16] {
    let mut key = [0; 16];
    if let ([to1, to2], [_, from1, from2, _]) =
        (key.as_chunks_mut::<8>().0, large.as_chunks::<8>().0)
    {
        (*to1, *to2) = (*from1, *from2);
    }
    key
}

fn token(large: &[u8; 32]) -> u32 {
    let [a, b, c, d, ..] = *large;
    u32::from_le_bytes([a, b, c, d]) | 0x8000_0000
}

/// The message key of MTProto 1.0: it does not cover the padding.
fn v1_key(plain: &[u8]) -> [u8; 16] {
    let [_, _, _, _, key @ ..] = sha1(&[plain]);
    key
}

/// A key and an initial vector for IGE, wiped on drop.
pub(crate) struct AesKey {
    pub(crate) key: [u8; 32],
    pub(crate) iv: [u8; 32],
}

impl Drop for AesKey {
    fn drop(&mut self) {
        zeroize_bytes(&mut self.key);
        zeroize_bytes(&mut self.iv);
    }
}

impl AesKey {
    /// core.telegram.org/mtproto/description#defining-aes-key-and-initialization-vector
    fn v2(auth_key: &AuthKey, from: Side, msg_key: &[u8; 16]) -> Self {
        let (first, second) = match from {
            Side::Client => (auth_key.part::<0, 36>(), auth_key.part::<40, 36>()),
            Side::Server => (auth_key.part::<8, 36>(), auth_key.part::<48, 36>()),
        };
        let mut a = sha256_of_52(msg_key, first);
        let mut b = sha256_of_52(second, msg_key);
        let mut aes = Self { key: a, iv: b };
        swap_middle(&mut aes.key, &b);
        swap_middle(&mut aes.iv, &a);
        zeroize_bytes(&mut a);
        zeroize_bytes(&mut b);
        aes
    }

    /// core.telegram.org/mtproto/description_v1#defining-aes-key-and-initialization-vector
    pub(crate) fn v1(auth_key: &AuthKey, from: Side, msg_key: &[u8; 16]) -> Self {
        let [k0, k32, k48, k64, k80, k96] = match from {
            Side::Client => [
                auth_key.part::<0, 16>(),
                auth_key.part::<32, 16>(),
                auth_key.part::<48, 16>(),
                auth_key.part::<64, 16>(),
                auth_key.part::<80, 16>(),
                auth_key.part::<96, 16>(),
            ],
            Side::Server => [
                auth_key.part::<8, 16>(),
                auth_key.part::<40, 16>(),
                auth_key.part::<56, 16>(),
                auth_key.part::<72, 16>(),
                auth_key.part::<88, 16>(),
                auth_key.part::<104, 16>(),
            ],
        };
        let (k16, k112) = match from {
            Side::Client => (auth_key.part::<16, 16>(), auth_key.part::<112, 16>()),
            Side::Server => (auth_key.part::<24, 16>(), auth_key.part::<120, 16>()),
        };
        let mut a = sha1(&[msg_key, k0, k16]);
        let mut b = sha1(&[k32, msg_key, k48]);
        let mut c = sha1(&[k64, k80, msg_key]);
        let mut d = sha1(&[msg_key, k96, k112]);
        let mut aes = Self { key: [0; 32], iv: [0; 32] };
        let key = a.iter().take(8).chain(b.iter().skip(8)).chain(c.iter().skip(4).take(12));
        for (to, from) in aes.key.iter_mut().zip(key) {
            *to = *from;
        }
        let iv = a.iter().skip(8).chain(b.iter().take(8)).chain(c.iter().skip(16)).chain(&d);
        for (to, from) in aes.iv.iter_mut().zip(iv) {
            *to = *from;
        }
        for hash in [&mut a, &mut b, &mut c, &mut d] {
            zeroize_bytes(hash);
        }
        aes
    }
}

/// Replaces bytes 8 to 24 by those of another hash.
fn swap_middle(to: &mut [u8; 32], from: &[u8; 32]) {
    if let ([_, to1, to2, _], [_, from1, from2, _]) =
        (to.as_chunks_mut::<8>().0, from.as_chunks::<8>().0)
    {
        (*to1, *to2) = (*from1, *from2);
    }
}

#[cfg(test)]
mod tests;
