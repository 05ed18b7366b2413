//! AES-256 in the two modes that MTProto uses: IGE and CTR.

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the AES instructions; see the module's documentation")]
mod ni;

use ::aes::Aes256;
use ::ige::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher};
use ctr::Ctr128BE;
use zeroize::ZeroizeOnDrop;

/// Encrypts whole blocks in place in IGE mode.
///
/// `iv` is the ciphertext block before the first, then the plaintext block before the first
/// (OpenSSL's order). A tail of less than 16 bytes stays as it is: callers pad.
///
/// core.telegram.org/mtproto/description#encrypting-the-message
pub fn ige_encrypt(buf: &mut [u8], key: &[u8; 32], iv: &[u8; 32]) {
    let (blocks, _) = buf.as_chunks_mut::<16>();
    #[cfg(target_arch = "x86_64")]
    if let Some(aes) = ni::AesNi::detect() {
        return aes.encrypt(key, iv, blocks);
    }
    portable_encrypt(key, iv, blocks);
}

/// Decrypts whole blocks in place in IGE mode, the inverse of [`ige_encrypt`].
pub fn ige_decrypt(buf: &mut [u8], key: &[u8; 32], iv: &[u8; 32]) {
    IgeDecryptor::new(key, iv).decrypt(buf.as_chunks_mut().0);
}

/// IGE decryption that goes on where the last call stopped, so that a caller can hash what is
/// decrypted already while the next blocks are under way.
pub(crate) struct IgeDecryptor(Backend);

#[cfg_attr(
    target_arch = "x86_64",
    expect(clippy::large_enum_variant, reason = "on the stack: a message costs no allocation")
)]
enum Backend {
    #[cfg(target_arch = "x86_64")]
    Ni(ni::Decryptor),
    Portable(::ige::Decryptor<Aes256>),
}

impl IgeDecryptor {
    #[inline]
    pub(crate) fn new(key: &[u8; 32], iv: &[u8; 32]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(proof) = ni::AesNi::detect() {
            return Self(Backend::Ni(ni::Decryptor::new(proof, key, iv)));
        }
        Self::portable(key, iv)
    }

    #[inline]
    pub(crate) fn decrypt(&mut self, blocks: &mut [[u8; 16]]) {
        match &mut self.0 {
            #[cfg(target_arch = "x86_64")]
            Backend::Ni(decryptor) => decryptor.decrypt(blocks),
            Backend::Portable(decryptor) => {
                decryptor.decrypt_blocks(Block::cast_slice_from_core_mut(blocks));
            }
        }
    }

    fn portable(key: &[u8; 32], iv: &[u8; 32]) -> Self {
        Self(Backend::Portable(::ige::Decryptor::new(key.into(), iv.into())))
    }
}

type Block = ::ige::cipher::Block<Aes256>;

fn portable_encrypt(key: &[u8; 32], iv: &[u8; 32], blocks: &mut [[u8; 16]]) {
    ::ige::Encryptor::<Aes256>::new(key.into(), iv.into())
        .encrypt_blocks(Block::cast_slice_from_core_mut(blocks));
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

// Both ciphers wipe their key schedules by themselves, by their feature `zeroize`.
impl ZeroizeOnDrop for Ctr {}

impl ZeroizeOnDrop for IgeDecryptor {}

impl std::fmt::Debug for Ctr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ctr(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::Rng;

    use crate::test_support::{Noise, array, hex, seq};

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

    /// The path that this machine takes against the portable one.
    #[test]
    fn paths_agree() {
        let mut noise = Noise(11);
        for length in (0..70).chain([255, 256, 257]) {
            let (mut key, mut iv) = ([0; 32], [0; 32]);
            let mut plain = vec![[0; 16]; length];
            noise.fill_bytes(&mut key);
            noise.fill_bytes(&mut iv);
            noise.fill_bytes(plain.as_flattened_mut());

            let (mut ours, mut portable) = (plain.clone(), plain.clone());
            ige_encrypt(ours.as_flattened_mut(), &key, &iv);
            portable_encrypt(&key, &iv, &mut portable);
            assert_eq!(ours, portable, "{length}");

            // Decryption may stop and go on anywhere.
            let mut ours = IgeDecryptor::new(&key, &iv);
            let mut theirs = IgeDecryptor::portable(&key, &iv);
            let (mut pieces, mut whole) = (portable.clone(), portable);
            theirs.decrypt(&mut whole);
            assert_eq!(whole, plain, "{length}");
            let at = length.min(usize::from(key[0] % 40));
            let (head, tail) = pieces.split_at_mut(at);
            ours.decrypt(head);
            ours.decrypt(&mut []);
            ours.decrypt(tail);
            assert_eq!(pieces, plain, "{length}");
        }
    }

    #[test]
    fn a_tail_stays_as_it_is() {
        let mut data = [5; 37];
        ige_encrypt(&mut data, &[1; 32], &[2; 32]);
        assert_eq!(data[32..], [5; 5]);
        ige_decrypt(&mut data, &[1; 32], &[2; 32]);
        assert_eq!(data, [5; 37]);
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
