//! SHA-1 and SHA-256 over several parts, and over whole blocks without a copy.

use sha1::Sha1;
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use zeroize::zeroize_bytes;

/// Returns the SHA-1 of the concatenated parts.
#[must_use]
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Returns the SHA-256 of the concatenated parts.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Returns the SHA-256 of 52 bytes, which fit one block with their padding.
pub(crate) fn sha256_of_52<const A: usize, const B: usize>(a: &[u8; A], b: &[u8; B]) -> [u8; 32] {
    const { assert!(A + B == 52) };
    let mut block = [0; 64];
    let (head, rest) = block.split_at_mut(A);
    head.copy_from_slice(a);
    let (middle, tail) = rest.split_at_mut(B);
    middle.copy_from_slice(b);
    tail.copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xa0]);
    let mut state = INITIAL;
    compress256(&mut state, std::slice::from_ref(&block));
    zeroize_bytes(&mut block);
    to_bytes(&state)
}

/// Returns the SHA-256 of 32 bytes followed by `data`, hashing `data` where it lies.
pub(crate) fn sha256_after_32(prefix: &[u8; 32], data: &[u8]) -> [u8; 32] {
    let Some((first, rest)) = data.split_first_chunk() else {
        return sha256(&[prefix, data]);
    };
    let mut hash = BlockHash::new(prefix, first);
    let (blocks, tail) = rest.as_chunks();
    hash.update(blocks);
    hash.finish(tail)
}

/// SHA-256 of whole blocks where they lie.
pub(crate) struct BlockHash {
    state: [u32; 8],
    blocks: usize,
}

impl BlockHash {
    /// Begins with a block that lies in two halves.
    #[inline]
    pub(crate) fn new(first: &[u8; 32], second: &[u8; 32]) -> Self {
        let mut block = [[0; 32]; 2];
        let [a, b] = &mut block;
        (*a, *b) = (*first, *second);
        let mut hash = Self { state: INITIAL, blocks: 0 };
        hash.update(block.as_flattened().as_chunks().0);
        zeroize_bytes(block.as_flattened_mut());
        hash
    }

    #[inline]
    pub(crate) fn update(&mut self, blocks: &[[u8; 64]]) {
        compress256(&mut self.state, blocks);
        self.blocks += blocks.len();
    }

    /// Ends with less than a block.
    pub(crate) fn finish(mut self, tail: &[u8]) -> [u8; 32] {
        let mut last = [[0_u8; 64]; 2];
        let used = if tail.len() < 56 { 1 } else { 2 };
        if let Some((head, [mark, ..])) = last.as_flattened_mut().split_at_mut_checked(tail.len()) {
            head.copy_from_slice(tail);
            *mark = 0x80;
        }
        let bits = 8 * (64 * self.blocks + tail.len()) as u64;
        if let Some(block) = last.get_mut(used - 1)
            && let Some(length) = block.last_chunk_mut()
        {
            *length = bits.to_be_bytes();
        }
        compress256(&mut self.state, last.get(..used).unwrap_or_default());
        zeroize_bytes(last.as_flattened_mut());
        to_bytes(&self.state)
    }
}

fn to_bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    out
}

/// The initial state of SHA-256, FIPS 180-4 section 5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{hex, seq};

    #[test]
    fn published_vectors() {
        assert_eq!(sha1(&[b"a", b"bc"]).to_vec(), hex("a9993e364706816aba3e25717850c26c9cd0d89d"));
        assert_eq!(
            sha256(&[b"ab", b"c"]).to_vec(),
            hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        );
    }

    #[test]
    fn block_forms_agree_with_the_streaming_form() {
        let prefix = seq::<32>(0);
        for length in 0..300 {
            let data: Vec<u8> = seq::<256>(7).into_iter().cycle().take(length).collect();
            assert_eq!(sha256_after_32(&prefix, &data), sha256(&[&prefix, &data]), "{length}");
        }
        let (a, b) = (seq::<16>(0), seq::<36>(0x40));
        assert_eq!(sha256_of_52(&a, &b), sha256(&[&a, &b]));
    }
}
