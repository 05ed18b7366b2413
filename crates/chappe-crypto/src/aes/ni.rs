//! IGE with the AES instructions of x86-64.
//!
//! This is the one module of the workspace with unsafe code. IGE is a serial chain, so its
//! speed is the latency of what lies between two blocks. Here both additions of the mode are
//! folded into the last round key (`enclast(x, k14 ^ p[i-1] ^ p[i+1] ^ k0)` is the next block
//! after its first round key), which leaves the 14 rounds and nothing else. Portable code
//! cannot express this through the interface of a block cipher.
//!
//! The results are compared with the portable path by the tests of the parent module.

use std::arch::x86_64::{
    __m128i, _mm_aesdec_si128, _mm_aesdeclast_si128, _mm_aesenc_si128, _mm_aesenclast_si128,
    _mm_aesimc_si128, _mm_aeskeygenassist_si128, _mm_setzero_si128, _mm_shuffle_epi32,
    _mm_slli_si128, _mm_xor_si128,
};

use zeroize::Zeroize;

/// Proof that this processor has the AES instructions: there is no other way to get one than
/// the check at run time.
#[derive(Clone, Copy)]
pub(super) struct AesNi(());

impl AesNi {
    /// Checks the processor; the standard library remembers the answer.
    pub(super) fn detect() -> Option<Self> {
        std::arch::is_x86_feature_detected!("aes").then_some(Self(()))
    }

    /// Encrypts whole blocks in place.
    pub(super) fn encrypt(self, key: &[u8; 32], iv: &[u8; 32], blocks: &mut [[u8; 16]]) {
        // SAFETY: the function is safe but for its target feature `aes`, and `self` is the
        // proof that the processor has it (see `detect`).
        unsafe { encrypt(key, iv, blocks) }
    }
}

/// Decryption that may stop after any block and go on later.
pub(super) struct Decryptor {
    proof: AesNi,
    keys: [__m128i; 15],
    /// The ciphertext block before the next one.
    c: __m128i,
    /// The plaintext block before the next one.
    p: __m128i,
}

impl Decryptor {
    pub(super) fn new(proof: AesNi, key: &[u8; 32], iv: &[u8; 32]) -> Self {
        // SAFETY: the function is safe but for its target feature `aes`, and `proof` is the
        // proof that the processor has it (see `AesNi::detect`).
        let keys = unsafe { inverse(key) };
        let [c, p] = load_pair(iv);
        Self { proof, keys, c, p }
    }

    /// Decrypts whole blocks in place.
    pub(super) fn decrypt(&mut self, blocks: &mut [[u8; 16]]) {
        let AesNi(()) = self.proof;
        // SAFETY: the function is safe but for its target feature `aes`, and `self.proof` is
        // the proof that the processor has it (see `AesNi::detect`).
        unsafe { decrypt(self, blocks) }
    }
}

impl Drop for Decryptor {
    fn drop(&mut self) {
        self.keys.zeroize();
        self.p.zeroize();
    }
}

#[target_feature(enable = "aes")]
fn encrypt(key: &[u8; 32], iv: &[u8; 32], blocks: &mut [[u8; 16]]) {
    let mut keys = expand(key);
    let [k0, middle @ .., k14] = &keys;
    let [c, mut p_before] = load_pair(iv);
    let ends = _mm_xor_si128(*k0, *k14);
    let zero = _mm_setzero_si128();
    let mut rest = blocks;
    let mut p = rest.first().map_or(zero, load);
    let mut x = _mm_xor_si128(_mm_xor_si128(p, c), *k0);
    while let Some((block, tail)) = rest.split_first_mut() {
        let next = tail.first().map_or(zero, load);
        let fold = _mm_xor_si128(_mm_xor_si128(p_before, next), ends);
        for round_key in middle {
            x = _mm_aesenc_si128(x, *round_key);
        }
        x = _mm_aesenclast_si128(x, fold);
        *block = store(_mm_xor_si128(x, _mm_xor_si128(next, *k0)));
        (p_before, p) = (p, next);
        rest = tail;
    }
    keys.zeroize();
}

#[target_feature(enable = "aes")]
fn decrypt(state: &mut Decryptor, blocks: &mut [[u8; 16]]) {
    let [k0, middle @ .., k14] = &state.keys;
    let mut p = state.p;
    let mut c_before = state.c;
    let ends = _mm_xor_si128(*k0, *k14);
    let zero = _mm_setzero_si128();
    let mut rest = blocks;
    let mut c = match rest.first() {
        Some(first) => load(first),
        None => return,
    };
    let mut x = _mm_xor_si128(_mm_xor_si128(c, p), *k0);
    while let Some((block, tail)) = rest.split_first_mut() {
        let next = tail.first().map_or(zero, load);
        let fold = _mm_xor_si128(_mm_xor_si128(c_before, next), ends);
        for round_key in middle {
            x = _mm_aesdec_si128(x, *round_key);
        }
        x = _mm_aesdeclast_si128(x, fold);
        p = _mm_xor_si128(x, _mm_xor_si128(next, *k0));
        *block = store(p);
        (c_before, c) = (c, next);
        rest = tail;
    }
    state.p = p;
    state.c = c_before;
}

/// The key schedule, FIPS 197 section 5.2.
#[target_feature(enable = "aes")]
fn expand(key: &[u8; 32]) -> [__m128i; 15] {
    let [a, b] = load_pair(key);
    let mut keys = [_mm_setzero_si128(); 15];
    let [k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12, k13, k14] = &mut keys;
    (*k0, *k1) = (a, b);
    *k2 = even::<0x01>(*k0, *k1);
    *k3 = odd(*k1, *k2);
    *k4 = even::<0x02>(*k2, *k3);
    *k5 = odd(*k3, *k4);
    *k6 = even::<0x04>(*k4, *k5);
    *k7 = odd(*k5, *k6);
    *k8 = even::<0x08>(*k6, *k7);
    *k9 = odd(*k7, *k8);
    *k10 = even::<0x10>(*k8, *k9);
    *k11 = odd(*k9, *k10);
    *k12 = even::<0x20>(*k10, *k11);
    *k13 = odd(*k11, *k12);
    *k14 = even::<0x40>(*k12, *k13);
    keys
}

/// The key schedule of the inverse cipher, FIPS 197 section 5.3.5.
#[target_feature(enable = "aes")]
fn inverse(key: &[u8; 32]) -> [__m128i; 15] {
    let mut keys = expand(key);
    keys.reverse();
    let [_, middle @ .., _] = &mut keys;
    for round_key in middle {
        *round_key = _mm_aesimc_si128(*round_key);
    }
    keys
}

#[target_feature(enable = "aes")]
fn even<const ROUND: i32>(before: __m128i, last: __m128i) -> __m128i {
    let word = _mm_shuffle_epi32::<0xff>(_mm_aeskeygenassist_si128::<ROUND>(last));
    _mm_xor_si128(spread(before), word)
}

#[target_feature(enable = "aes")]
fn odd(before: __m128i, last: __m128i) -> __m128i {
    let word = _mm_shuffle_epi32::<0xaa>(_mm_aeskeygenassist_si128::<0>(last));
    _mm_xor_si128(spread(before), word)
}

/// Adds to each word all words below it.
#[target_feature(enable = "aes")]
fn spread(words: __m128i) -> __m128i {
    let words = _mm_xor_si128(words, _mm_slli_si128::<4>(words));
    _mm_xor_si128(words, _mm_slli_si128::<8>(words))
}

#[inline]
fn load(block: &[u8; 16]) -> __m128i {
    // SAFETY: both types are 16 bytes without padding, and every bit pattern is a valid
    // `__m128i`; the bytes are copied, so that alignment does not matter.
    unsafe { std::mem::transmute::<[u8; 16], __m128i>(*block) }
}

#[inline]
fn load_pair(bytes: &[u8; 32]) -> [__m128i; 2] {
    // SAFETY: both types are 32 bytes without padding, and every bit pattern is a valid
    // `[__m128i; 2]`; the bytes are copied, so that alignment does not matter.
    unsafe { std::mem::transmute::<[u8; 32], [__m128i; 2]>(*bytes) }
}

#[inline]
fn store(block: __m128i) -> [u8; 16] {
    // SAFETY: both types are 16 bytes without padding, and every bit pattern is a valid
    // `[u8; 16]`.
    unsafe { std::mem::transmute::<__m128i, [u8; 16]>(block) }
}
