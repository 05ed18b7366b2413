//! AES-256 in the two modes that MTProto uses: IGE and CTR.

use ::aes::Aes256;
use ::ige::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher};
use ctr::Ctr128BE;

/// Encrypts whole blocks in place in IGE mode.
///
/// `iv` is the ciphertext block before the first, then the plaintext block before the first
/// (OpenSSL's order). A tail of less than 16 bytes stays as it is: callers pad.
///
/// core.telegram.org/mtproto/description#encrypting-the-message
pub fn ige_encrypt(buf: &mut [u8], key: &[u8; 32], iv: &[u8; 32]) {
    let (blocks, _) = cipher_blocks(buf);
    ::ige::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_blocks(blocks);
}

/// Decrypts whole blocks in place in IGE mode, the inverse of [`ige_encrypt`].
pub fn ige_decrypt(buf: &mut [u8], key: &[u8; 32], iv: &[u8; 32]) {
    let (blocks, _) = cipher_blocks(buf);
    ::ige::Decryptor::<Aes256>::new(key.into(), iv.into()).decrypt_blocks(blocks);
}

type Block = ::ige::cipher::Block<Aes256>;

fn cipher_blocks(buf: &mut [u8]) -> (&mut [Block], &mut [u8]) {
    Block::slice_as_chunks_mut(buf)
}

/// AES-256 in CTR mode with a 128-bit big endian counter: a stream that both sides walk
/// through in step.
pub struct Ctr(Ctr128BE<Aes256>);

impl Ctr {
    /// Starts a stream.
    #[must_use]
    pub fn new(key: &[u8; 32], iv: &[u8; 16]) -> Self {
        Self(Ctr128BE::new(key.into(), iv.into()))
    }

    /// Starts in the middle of a file of a CDN: `offset` in bytes, a multiple of 16, replaces
    /// the last four bytes of the iv as a big endian count of blocks.
    ///
    /// core.telegram.org/cdn#decrypting-files
    #[must_use]
    pub fn for_cdn(key: &[u8; 32], encryption_iv: &[u8; 16], offset: u64) -> Self {
        let mut iv = *encryption_iv;
        if let Some(counter) = iv.last_chunk_mut() {
            let [_, _, _, _, low @ ..] = (offset / 16).to_be_bytes();
            *counter = low;
        }
        Self::new(key, &iv)
    }

    /// Encrypts or decrypts the next bytes of the stream in place.
    pub fn apply(&mut self, buf: &mut [u8]) {
        self.0.apply_keystream(buf);
    }
}

impl std::fmt::Debug for Ctr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ctr(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{array, hex, seq};

    #[test]
    fn ige_vectors() {
        let (key, mut data) = (seq(0), seq::<32>(0));
        ige_encrypt(&mut data, &key, &key);
        let encrypted = "e28112a53e5c89c7b1ea8071c133699fd4e86b26c4bac9fc5af1ab8ce27a44a4";
        assert_eq!(data.to_vec(), hex(encrypted));
        let mut data = seq::<32>(0);
        ige_decrypt(&mut data, &key, &key);
        let decrypted = "e5777afacd7b2c16f7ac40cae61ef603fee6098fb8a8860ab9ee672cd7e5bacc";
        assert_eq!(data.to_vec(), hex(decrypted));

        let key = array(&hex("5468697320697320616e20696d706c655468697320697320616e20696d706c65"));
        let iv = array(&hex("6d656e746174696f6e206f6620494745206d6f646520666f72204f70656e5353"));
        let plain = hex("99706487a1cde613bc6de0b6f24b1c7aa448c8b9c3403e3467a8cad89340f53b");
        let cipher = hex("792ea8ae577b1a66cb3bd92679b8030ca54ee631976bd3a04547fdcb4639fa69");
        let mut data = plain.clone();
        ige_encrypt(&mut data, &key, &iv);
        assert_eq!(data, cipher);
        ige_decrypt(&mut data, &key, &iv);
        assert_eq!(data, plain);
    }

    #[test]
    fn cdn_stream() {
        let (key, iv) = (seq(0), seq(0));
        let expect = hex("eb3814b5839d944fa229b45caee46cb197e4b7b9709464984ff9f69ed55a62d3");
        let mut stream = vec![0; 32];
        Ctr::for_cdn(&key, &iv, 0x10_0000).apply(&mut stream);
        assert_eq!(stream, expect);

        let iv = array(&hex("000102030405060708090a0b00010000"));
        let mut pieces = vec![0; 32];
        let mut ctr = Ctr::new(&key, &iv);
        let (head, tail) = pieces.split_at_mut(5);
        ctr.apply(head);
        ctr.apply(tail);
        assert_eq!(pieces, expect);
        assert_eq!(format!("{ctr:?}"), "Ctr(..)");
    }
}
