//! Signatures: RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017 section 8.2; what JOSE calls RS256.

use super::PrivateKey;
use crate::Error;
use crate::hash::sha256;

impl PrivateKey {
    /// Signs a message, always in the same way.
    ///
    /// # Errors
    ///
    /// [`Error::RsaValue`] when the signature does not verify: one that was computed wrongly could
    /// give the key away, so it is never handed out.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 256], Error> {
        let block = pad(message);
        let signature = self.lower(&block)?;
        match self.public.raise(&signature) {
            Some(opened) if opened == block => Ok(signature),
            _ => Err(Error::RsaValue),
        }
    }
}

/// EMSA-PKCS1-v1_5: `00 01 ff ... ff 00`, then the digest as DER.
fn pad(message: &[u8]) -> [u8; 256] {
    let mut block = [0xff; 256];
    let digest = sha256(&[message]);
    let tail = [&[0][..], SHA256_INFO, &digest].concat();
    for (to, from) in block.iter_mut().rev().zip(tail.iter().rev()) {
        *to = *from;
    }
    let [first, second, ..] = &mut block;
    (*first, *second) = (0, 1);
    block
}

/// The DER of a `DigestInfo` of SHA-256 up to the digest, RFC 8017 section 9.2, note 1.
const SHA256_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
