//! Diffie-Hellman over 2048 bits with every check that Telegram prescribes.
//!
//! core.telegram.org/mtproto/auth_key#6-client-computes-random-2048-bit-number-b,
//! core.telegram.org/mtproto/security_guidelines#diffie-hellman-key-exchange

use std::fmt;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Limb, NonZero, Odd, U2048, Word};
use crypto_primes::hazmat::MillerRabin;
use crypto_primes::{Flavor, is_prime};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Error;
use crate::hash::{sha1, sha256};

/// The prime that Telegram uses everywhere, big endian; the generators 3, 4 and 7 fit it.
///
/// Observed: the same in the published sample of a key exchange
/// (core.telegram.org/mtproto/samples-auth_key) and in what servers send.
pub const KNOWN_PRIME: [u8; 256] = known_prime();

/// A prime and a generator that passed all checks.
#[derive(Clone)]
pub struct Group {
    params: FixedMontyParams<{ U2048::LIMBS }>,
    g: i32,
}

impl Group {
    /// Checks a prime (big endian) and a generator from the other side.
    ///
    /// The prime must have 2048 bits and be safe, that is, half of it is prime too; the
    /// generator must span the subgroup of quadratic residues. [`KNOWN_PRIME`] is recognized
    /// at once, another prime takes about half a second, a composite a few milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::Prime`] or [`Error::Generator`].
    pub fn check(p: &[u8], g: i32) -> Result<Self, Error> {
        let p = prime_of(p)?;
        if !fits(&p, g) {
            return Err(Error::Generator);
        }
        if to_bytes(&p) != KNOWN_PRIME && !is_safe_prime(&p) {
            return Err(Error::Prime);
        }
        Self::new(p, g)
    }

    /// The group that Telegram's servers offer: [`KNOWN_PRIME`] with the generator 3.
    #[must_use]
    pub fn known() -> Self {
        let params = FixedMontyParams::new_vartime(Odd::from_be_hex(KNOWN_PRIME_HEX));
        Self { params, g: 3 }
    }

    /// The prime, big endian.
    #[must_use]
    pub fn p(&self) -> [u8; 256] {
        to_bytes(self.params.modulus().as_ref())
    }

    /// The generator.
    #[must_use]
    pub fn g(&self) -> i32 {
        self.g
    }

    /// The public value `g^secret mod p`, big endian.
    ///
    /// # Errors
    ///
    /// [`Error::PublicValue`] if the value is outside of the range of [`Self::check_public`]:
    /// draw another secret.
    pub fn public(&self, secret: &[u8; 256]) -> Result<[u8; 256], Error> {
        let value = to_bytes(&self.pow(&self.generator(), secret));
        self.check_public(&value)?;
        Ok(value)
    }

    /// Checks a public value (big endian) of the other side:
    /// `2^1984 <= value <= p - 2^1984`, which includes `1 < value < p - 1`.
    ///
    /// # Errors
    ///
    /// [`Error::PublicValue`].
    pub fn check_public(&self, value: &[u8]) -> Result<(), Error> {
        self.public_of(value).map(drop)
    }

    /// The shared secret `other^secret mod p`, big endian, after checking the other side's
    /// public value.
    ///
    /// # Errors
    ///
    /// [`Error::PublicValue`].
    pub fn shared(&self, other: &[u8], secret: &[u8; 256]) -> Result<Zeroizing<[u8; 256]>, Error> {
        let other = self.public_of(other)?;
        let mut shared = self.pow(&other, secret);
        let bytes = Zeroizing::new(to_bytes(&shared));
        shared.zeroize();
        Ok(bytes)
    }

    fn new(p: U2048, g: i32) -> Result<Self, Error> {
        let p = Odd::new(p).into_option().ok_or(Error::Prime)?;
        Ok(Self { params: FixedMontyParams::new_vartime(p), g })
    }

    pub(crate) fn params(&self) -> &FixedMontyParams<{ U2048::LIMBS }> {
        &self.params
    }

    pub(crate) fn generator(&self) -> U2048 {
        U2048::from_u32(self.g.unsigned_abs())
    }

    /// Parses and checks a public value.
    pub(crate) fn public_of(&self, value: &[u8]) -> Result<U2048, Error> {
        let value = uint(value).ok_or(Error::PublicValue)?;
        let margin = U2048::ONE.shl_vartime(2048 - 64);
        let most = self.params.modulus().as_ref().wrapping_sub(&margin);
        if value < margin || value > most { Err(Error::PublicValue) } else { Ok(value) }
    }

    /// Raises to a secret power in constant time.
    pub(crate) fn pow(&self, base: &U2048, exponent: &[u8; 256]) -> U2048 {
        let mut exponent = U2048::from_be_slice(exponent);
        let mut power = FixedMontyForm::new(base, &self.params).pow(&exponent);
        exponent.zeroize();
        let value = power.retrieve();
        power.zeroize();
        value
    }
}

impl PartialEq for Group {
    fn eq(&self, other: &Self) -> bool {
        self.g == other.g && self.params.modulus() == other.params.modulus()
    }
}

impl Eq for Group {}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.p() == KNOWN_PRIME;
        f.debug_struct("Group").field("g", &self.g).field("known_prime", &known).finish()
    }
}

/// Computes `base^exponent mod modulus`, big endian, in constant time for `exponent`.
///
/// # Errors
///
/// [`Error::Prime`] if the modulus is even.
pub fn modpow(
    base: &[u8; 256],
    exponent: &[u8; 256],
    modulus: &[u8; 256],
) -> Result<[u8; 256], Error> {
    let group = Group::new(U2048::from_be_slice(modulus), 0)?;
    let base = U2048::from_be_slice(base).rem_vartime(group.params.modulus().as_nz_ref());
    Ok(to_bytes(&group.pow(&base, exponent)))
}

/// The key and initial vector of the IGE encryption inside of a key exchange; wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TmpAes {
    /// `tmp_aes_key`.
    pub key: [u8; 32],
    /// `tmp_aes_iv`.
    pub iv: [u8; 32],
}

impl fmt::Debug for TmpAes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TmpAes(..)")
    }
}

/// Derives the temporary key of a key exchange from its nonces.
///
/// core.telegram.org/mtproto/auth_key#presenting-proof-of-work-server-authentication
#[must_use]
pub fn tmp_aes(new_nonce: &[u8; 32], server_nonce: &[u8; 16]) -> TmpAes {
    let mut new_server = sha1(&[new_nonce, server_nonce]);
    let mut server_new = sha1(&[server_nonce, new_nonce]);
    let mut new_new = sha1(&[new_nonce, new_nonce]);
    let mut aes = TmpAes { key: [0; 32], iv: [0; 32] };
    for (to, from) in aes.key.iter_mut().zip(new_server.iter().chain(&server_new)) {
        *to = *from;
    }
    let iv = server_new.iter().skip(12).chain(&new_new).chain(new_nonce);
    for (to, from) in aes.iv.iter_mut().zip(iv) {
        *to = *from;
    }
    for hash in [&mut new_server, &mut server_new, &mut new_new] {
        hash.zeroize();
    }
    aes
}

/// Reads a number of at most 256 bytes (leading zeros are allowed on top).
pub(crate) fn uint(bytes: &[u8]) -> Option<U2048> {
    let digits = crate::der::strip(bytes);
    let mut padded = [0; 256];
    let start = padded.len().checked_sub(digits.len())?;
    padded.get_mut(start..)?.copy_from_slice(digits);
    Some(U2048::from_be_slice(&padded))
}

/// Writes a number as 256 bytes, big endian, padded on the left.
pub(crate) fn to_bytes(value: &U2048) -> [u8; 256] {
    let mut bytes = [0; 256];
    let words = value.as_words().iter().rev();
    for (to, word) in bytes.as_chunks_mut::<{ size_of::<Word>() }>().0.iter_mut().zip(words) {
        *to = word.to_be_bytes();
    }
    bytes
}

/// Reads a prime of exactly 2048 bits.
fn prime_of(p: &[u8]) -> Result<U2048, Error> {
    let p = uint(p).ok_or(Error::Prime)?;
    if p.bits_vartime() == 2048 { Ok(p) } else { Err(Error::Prime) }
}

/// Tests that `g` is a quadratic residue modulo the safe prime `p`.
fn fits(p: &U2048, g: i32) -> bool {
    let modulo = |n: u8| remainder(p, n);
    match g {
        2 => modulo(8) == 7,
        3 => modulo(3) == 2,
        4 => true,
        5 => matches!(modulo(5), 1 | 4),
        6 => matches!(modulo(24), 19 | 23),
        7 => matches!(modulo(7), 3 | 5 | 6),
        _ => false,
    }
}

fn remainder(p: &U2048, n: u8) -> Word {
    match NonZero::new(Limb::from(n)).into_option() {
        Some(n) => p.rem_limb(n).0,
        None => 0,
    }
}

/// Tests that `p` and `(p - 1) / 2` are prime: first by the Baillie-PSW test, which no known
/// composite passes, then by the 30 rounds of Miller and Rabin that Telegram asks for. The
/// bases come from a hash of `p`, so that its author cannot choose them.
fn is_safe_prime(p: &U2048) -> bool {
    let half = p.shr_vartime(1);
    if !is_prime(Flavor::Safe, p) {
        return false;
    }
    [*p, half].iter().all(|n| {
        let Some(odd) = Odd::new(*n).into_option() else { return false };
        let test = MillerRabin::new(odd);
        (0..ROUNDS).all(|round| test.test(&base_of(p, round)).is_probably_prime())
    })
}

const ROUNDS: u8 = 30;

/// A base of 1,024 bits, hence below both numbers that are tested.
fn base_of(p: &U2048, round: u8) -> U2048 {
    let p = to_bytes(p);
    let mut base = [0; 256];
    for (part, number) in base.as_chunks_mut::<32>().0.iter_mut().skip(4).zip(0_u8..) {
        *part = sha256(&[b"Miller-Rabin", &[round, number], &p]);
    }
    U2048::from_be_slice(&base)
}

const fn known_prime() -> [u8; 256] {
    let digits = KNOWN_PRIME_HEX.as_bytes();
    let mut bytes = [0; 256];
    let mut at = 0;
    while at < bytes.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
        {
            bytes[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        }
        at += 1;
    }
    bytes
}

const fn digit(c: u8) -> u8 {
    if c <= b'9' { c - b'0' } else { c - b'a' + 10 }
}

const KNOWN_PRIME_HEX: &str = concat!(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f",
    "48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37",
    "20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64",
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4",
    "a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754",
    "fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4",
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f",
    "0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AuthKey;
    use crate::aes::{ige_decrypt, ige_encrypt};
    use crate::test_support::{array, hex, seq, vector};

    #[test]
    fn the_known_prime_is_telegrams() {
        assert_eq!(KNOWN_PRIME.to_vec(), vector("known_prime"));
        assert_eq!(
            sha256(&[&KNOWN_PRIME]).to_vec(),
            hex("02f85e7687fc6f33ba678226a963b3c8a191b47c890cf30debe17c1d623b5af1"),
        );
        assert_eq!(Group::known().p(), KNOWN_PRIME);
        assert!(is_safe_prime(&U2048::from_be_slice(&KNOWN_PRIME)));
    }

    #[test]
    fn generators_of_the_known_prime() {
        for g in -1..12 {
            let expect = if [3, 4, 7].contains(&g) { Ok(g) } else { Err(Error::Generator) };
            assert_eq!(Group::check(&KNOWN_PRIME, g).map(|group| group.g()), expect, "{g}");
        }
        assert_eq!(Group::check(&KNOWN_PRIME, 3), Ok(Group::known()));
        assert_ne!(Group::check(&KNOWN_PRIME, 4), Ok(Group::known()));
    }

    /// A generator spans the residues exactly if its power to `(p - 1) / 2` is 1 (Euler).
    #[test]
    fn rules_for_generators_agree_with_euler() {
        let other = array(&vector("modp_2048"));
        let mut accepted = 0;
        for p in [KNOWN_PRIME, other] {
            let half = to_bytes(&U2048::from_be_slice(&p).shr_vartime(1));
            for g in 2..8_u8 {
                let mut base = [0; 256];
                base[255] = g;
                let power = modpow(&base, &half, &p).unwrap();
                let is_one = power[255] == 1 && power[..255].iter().all(|digit| *digit == 0);
                assert_eq!(fits(&U2048::from_be_slice(&p), g.into()), is_one, "{g}");
                accepted += u32::from(is_one);
            }
        }
        assert!(accepted > 5);
        assert_eq!(Group::check(&other, 2).map(|group| group.p()), Ok(other));
    }

    /// The rules hold for every prime that is 3 modulo 4, as safe primes are; among small ones
    /// each remainder occurs.
    #[test]
    fn rules_for_generators_agree_with_euler_for_small_primes() {
        let is_prime = |n: u64| (2..n).all(|divisor| !n.is_multiple_of(divisor));
        for p in (11..2000_u64).step_by(4).filter(|p| is_prime(*p)) {
            for g in 2..8_u64 {
                let power = (0..p / 2).fold(1, |power, _| power * g % p);
                let small = i32::try_from(g).unwrap();
                assert_eq!(fits(&U2048::from_u64(p), small), power == 1, "{g} modulo {p}");
            }
        }
    }

    #[test]
    fn hostile_primes() {
        let known = U2048::from_be_slice(&KNOWN_PRIME);
        // The generator 4 fits any modulus, so only the primality decides.
        let bytes = |n: &U2048| Group::check(&to_bytes(n), 4);
        assert!(bytes(&known).is_ok());
        for n in [
            known.wrapping_add(&U2048::from_u8(2)),
            known.wrapping_sub(&U2048::ONE),
            known.shr_vartime(1),
            U2048::MAX,
            U2048::ONE.shl_vartime(2047),
            U2048::ZERO,
            U2048::from_u8(7),
        ] {
            assert_eq!(bytes(&n), Err(Error::Prime));
        }
        // One bit more, and one byte less.
        let mut longer = vec![1];
        longer.extend(KNOWN_PRIME);
        assert_eq!(Group::check(&longer, 3), Err(Error::Prime));
        assert_eq!(Group::check(&KNOWN_PRIME[..255], 4), Err(Error::Prime));
        assert_eq!(Group::check(&[], 4), Err(Error::Prime));
        // A safe prime that is too short.
        assert_eq!(Group::check(&vector("modp_1536"), 2), Err(Error::Prime));
        // Leading zeros change nothing.
        let mut padded = vec![0];
        padded.extend(KNOWN_PRIME);
        assert!(Group::check(&padded, 3).is_ok());
    }

    #[test]
    fn both_halves_of_a_safe_prime_count() {
        let prime = |n: &U2048| is_prime(Flavor::Any, n);
        // Below 2^2048: a prime whose half is composite, and a composite whose half is prime.
        let numbers = || (0..).map(|i| U2048::MAX.wrapping_sub(&U2048::from_u32(4 * i)));
        let unsafe_prime = numbers().find(|n| prime(n) && !prime(&n.shr_vartime(1))).unwrap();
        let composite = numbers().find(|n| !prime(n) && prime(&n.shr_vartime(1))).unwrap();
        for n in [unsafe_prime, composite] {
            assert_eq!(remainder(&n, 4), 3);
            assert_eq!(Group::check(&to_bytes(&n), 4), Err(Error::Prime));
        }
    }

    #[test]
    fn public_values() {
        let group = Group::known();
        let p = U2048::from_be_slice(&KNOWN_PRIME);
        let margin = U2048::ONE.shl_vartime(1984);
        let check = |n: U2048| group.check_public(&to_bytes(&n));
        assert_eq!(check(margin), Ok(()));
        assert_eq!(check(p.wrapping_sub(&margin)), Ok(()));
        for n in [
            U2048::ZERO,
            U2048::ONE,
            U2048::from_u8(2),
            margin.wrapping_sub(&U2048::ONE),
            p.wrapping_sub(&margin).wrapping_add(&U2048::ONE),
            p.wrapping_sub(&U2048::ONE),
            p,
            U2048::MAX,
        ] {
            assert_eq!(check(n), Err(Error::PublicValue));
            assert!(group.shared(&to_bytes(&n), &seq(1)).is_err());
        }
        assert_eq!(group.check_public(&[0xff; 257]), Err(Error::PublicValue));
        assert_eq!(group.check_public(&[]), Err(Error::PublicValue));
        // A secret of 1 has the public value 3, which is too small.
        let mut one = [0; 256];
        one[255] = 1;
        assert_eq!(group.public(&one), Err(Error::PublicValue));
    }

    /// The smallest public value has seven zeros in front, and so has the key that it is.
    #[test]
    fn a_shared_key_keeps_its_leading_zeros() {
        let group = Group::known();
        let smallest = U2048::ONE.shl_vartime(1984);
        let mut one = [0; 256];
        one[255] = 1;
        let shared = group.shared(&to_bytes(&smallest), &one).unwrap();
        assert_eq!((shared[..7].to_vec(), shared[7]), (vec![0; 7], 1));
        let short = group.shared(&to_bytes(&smallest)[7..], &one).unwrap();
        assert_eq!(*short, *shared);
        let id = sha1(&[&*shared])[12..].to_vec();
        assert_eq!(AuthKey::from_bytes(*shared).id().to_le_bytes().to_vec(), id);
    }

    #[test]
    fn the_published_exchange() {
        let group = Group::check(&KNOWN_PRIME, 3).unwrap();
        let b = array(&vector("sample_b"));
        let g_a = vector("sample_g_a");
        assert_eq!(group.public(&b).unwrap().to_vec(), vector("sample_g_b"));
        let shared = group.shared(&g_a, &b).unwrap();
        assert_eq!(shared.to_vec(), vector("sample_auth_key"));
        assert_eq!(modpow(&array(&g_a), &b, &KNOWN_PRIME).unwrap(), *shared);
        assert_eq!(
            AuthKey::from_bytes(*shared).id().to_le_bytes().to_vec(),
            hex("8ae7a271969a9b1f")
        );
        assert_eq!(modpow(&b, &b, &[0; 256]), Err(Error::Prime));
    }

    #[test]
    fn temporary_keys() {
        let old_server_nonce = hex("a5cf4d33f4a11ea877ba4aa573907330");
        let old_new_nonce = hex("311c85db234aa2640afc4a76a735cf5b1f0fd68bd17fa181e1229ad867cc024d");
        let mut zero_first = vec![0];
        zero_first.extend(seq::<15>(0x21));
        for (server_nonce, new_nonce, key, iv) in [
            (
                seq::<16>(0).to_vec(),
                seq::<32>(0).to_vec(),
                "0758f1533b615d24f6e8a94a6fcbee0a55eaab2217d7295ca9213d1a2d7d16a6",
                "5a84108e9805656ce864070e166e6218f6783e8511471a5ab7802cf200010203",
            ),
            (
                zero_first,
                seq::<32>(0).to_vec(),
                "0a2d0f607499a866848e41798a34315e4922c39fe55c6caf5bc322c4b8c08c6a",
                "9cb702d4fd6e5d25e864070e166e6218f6783e8511471a5ab7802cf200010203",
            ),
            (
                old_server_nonce,
                old_new_nonce,
                "f011280887c7bb01df0fc4e17830e0b91fbb8be4b2267cb985ae25f33b527253",
                "3212d579ee35452ed23e0d0c92841aa7d31b2e9bdef2151e80d15860311c85db",
            ),
            (
                vector("sample_server_nonce"),
                vector("sample_new_nonce"),
                "d32e4a7f18252ae2b0406b84633e1117833ed75bda40011d1e1700e3e08a8ae7",
                "4ffc40d969d49934ed3740ff66d9179947a5e1d85c4c7f15555920c1845fad32",
            ),
        ] {
            let aes = tmp_aes(&array(&new_nonce), &array(&server_nonce));
            assert_eq!((aes.key.to_vec(), aes.iv.to_vec()), (hex(key), hex(iv)));
            assert_eq!(format!("{aes:?}"), "TmpAes(..)");
        }
    }

    #[test]
    fn answers_of_the_published_exchange() {
        let server_nonce = vector("sample_server_nonce");
        let aes = tmp_aes(&array(&vector("sample_new_nonce")), &array(&server_nonce));
        let mut answer = vector("sample_encrypted_answer");
        ige_decrypt(&mut answer, &aes.key, &aes.iv);
        assert_eq!(answer[..20], hex("adddf2feb5e14f93ee8d3a5181f9d89a39e4439c"));
        assert_eq!(sha1(&[&answer[20..584]]), answer[..20]);
        assert_eq!(answer[584..], hex("7607b7374780e1c0"));
        assert_eq!(answer[24..56], [vector("sample_nonce"), server_nonce.clone()].concat());
        let at = answer.windows(256).position(|part| part == vector("sample_g_a"));
        assert_eq!(at, Some(20 + 4 + 32 + 4 + 260 + 4));
        assert_eq!(answer[580..584], 1_705_754_877_u32.to_le_bytes());

        let mut data = hex("54b64366");
        data.extend(vector("sample_nonce"));
        data.extend(server_nonce);
        data.extend([0; 8]);
        data.extend([0xfe, 0, 1, 0]);
        data.extend(vector("sample_g_b"));
        let mut encrypted = sha1(&[&data]).to_vec();
        encrypted.extend(data);
        encrypted.extend(hex("c320374a97c7bb863cff9f97"));
        ige_encrypt(&mut encrypted, &aes.key, &aes.iv);
        assert_eq!(encrypted, vector("sample_encrypted_data"));
    }
}
