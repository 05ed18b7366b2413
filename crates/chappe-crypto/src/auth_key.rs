//! The auth key: the secret that a client and the data centre share.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::hash::sha1;

/// The 2048-bit secret of a client and a data centre, and what is derived from it.
///
/// The content is wiped on drop, compared in constant time and never printed.
#[derive(Clone)]
pub struct AuthKey {
    data: [u8; 256],
    id: i64,
    aux_hash: i64,
}

impl AuthKey {
    /// Takes the key as it leaves the exchange: big endian, padded on the left to 256 bytes.
    #[must_use]
    pub fn from_bytes(data: [u8; 256]) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, _, _, _, _, id @ ..] = sha1(&[&data]);
        let aux_hash = i64::from_le_bytes([a0, a1, a2, a3, a4, a5, a6, a7]);
        Self { data, id: i64::from_le_bytes(id), aux_hash }
    }

    /// The secret itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 256] {
        &self.data
    }

    /// The identifier that every encrypted packet begins with (as a little endian number):
    /// the lower 64 bits of the SHA-1 of the key.
    ///
    /// core.telegram.org/mtproto/description#key-identifier
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The higher 64 bits of the SHA-1 of the key, `auth_key_aux_hash`.
    ///
    /// core.telegram.org/mtproto/auth_key#9-server-responds-in-one-of-three-ways
    #[must_use]
    pub fn aux_hash(&self) -> i64 {
        self.aux_hash
    }

    /// The hash that ends an exchange: `number` is 1 for ok, 2 for retry, 3 for failure.
    ///
    /// core.telegram.org/mtproto/auth_key#9-server-responds-in-one-of-three-ways
    #[must_use]
    pub fn new_nonce_hash(&self, new_nonce: &[u8; 32], number: u8) -> [u8; 16] {
        let [_, _, _, _, hash @ ..] = sha1(&[new_nonce, &[number], &self.aux_hash.to_le_bytes()]);
        hash
    }

    /// The `N` bytes that begin at `AT`, checked by the compiler.
    pub(crate) fn part<const AT: usize, const N: usize>(&self) -> &[u8; N] {
        const { assert!(AT + N <= 256) };
        #[expect(clippy::indexing_slicing, reason = "in bounds by the assertion above")]
        #[expect(clippy::expect_used, reason = "the slice has N bytes")]
        self.data[AT..AT + N].first_chunk().expect("N bytes")
    }
}

impl ConstantTimeEq for AuthKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.data.ct_eq(&other.data)
    }
}

impl PartialEq for AuthKey {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for AuthKey {}

impl Drop for AuthKey {
    fn drop(&mut self) {
        self.data.zeroize();
        self.id.zeroize();
        self.aux_hash.zeroize();
    }
}

impl ZeroizeOnDrop for AuthKey {}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{array, hex, seq, vector};

    #[test]
    fn ids_and_hashes() {
        let key = AuthKey::from_bytes(seq(0));
        assert_eq!(key.id().to_le_bytes().to_vec(), hex("32d1586ea457dfc8"));
        assert_eq!(key.id().cast_unsigned(), 0xc8df_57a4_6e58_d132);
        assert_eq!(key.aux_hash().to_le_bytes().to_vec(), hex("4916d6bdb7f78e68"));
        let new_nonce = seq(0);
        for (number, hash) in [
            (1, "c2ced2b33e593a55d27f4a5dabee7c67"),
            (2, "f4318e85bd2ff3be84d9fefce3dce39f"),
            (3, "4bf9d7b37db413ee431d28517631cb3d"),
        ] {
            assert_eq!(key.new_nonce_hash(&new_nonce, number).to_vec(), hex(hash));
        }
    }

    #[test]
    fn key_of_the_published_exchange() {
        let key = AuthKey::from_bytes(array(&vector("sample_auth_key")));
        assert_eq!(key.aux_hash().to_le_bytes().to_vec(), hex("26d6ceeff1381295"));
        assert_eq!(key.id().to_le_bytes().to_vec(), hex("8ae7a271969a9b1f"));
        let new_nonce = array(&vector("sample_new_nonce"));
        for (number, hash) in [
            (1, "677f483bb89fd206b244a2d1ac38cb31"),
            (2, "5f76f126317168f0b0aa0f8a7cde8d52"),
            (3, "f0d720c06e826b5920c6020c882acbe6"),
        ] {
            assert_eq!(key.new_nonce_hash(&new_nonce, number).to_vec(), hex(hash));
        }
    }

    #[test]
    fn prints_nothing_and_compares_everything() {
        let key = AuthKey::from_bytes(seq(0));
        assert_eq!(format!("{key:?}"), "AuthKey(..)");
        assert_eq!(key, key.clone());
        for at in [0, 128, 255] {
            let mut other = *key.as_bytes();
            other[at] ^= 1;
            assert_ne!(key, AuthKey::from_bytes(other));
        }
    }
}
