//! RSA as the key exchange uses it: keys, fingerprints and both paddings; and signatures.
//!
//! core.telegram.org/mtproto/auth_key#presenting-proof-of-work-server-authentication

use std::fmt;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{NonZero, Odd, U1024, U2048};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Error;
use crate::aes::{ige_decrypt, ige_encrypt};
use crate::der;
use crate::dh::{to_bytes, uint};
use crate::hash::{sha1, sha256};

/// The most data that [`rsa_pad_encrypt`] takes, in bytes.
pub const RSA_PAD_MAX: usize = 144;

/// The most data that [`old_pad_encrypt`] takes, in bytes.
pub const OLD_PAD_MAX: usize = 235;

/// The public half of an RSA key of 2048 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    n: Odd<U2048>,
    e: u64,
    fingerprint: i64,
}

impl PublicKey {
    /// The key of Telegram's production data centres.
    ///
    /// # Panics
    ///
    /// Never: the key is a constant, checked by a test.
    #[must_use]
    pub fn production() -> Self {
        Self::built_in(include_str!("keys/production.pem"))
    }

    /// The key of Telegram's test data centres.
    ///
    /// # Panics
    ///
    /// Never: the key is a constant, checked by a test.
    #[must_use]
    pub fn test() -> Self {
        Self::built_in(include_str!("keys/test.pem"))
    }

    /// Reads a PEM file: PKCS#1 (`RSA PUBLIC KEY`) or SPKI (`PUBLIC KEY`).
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] if it is neither, [`Error::RsaKey`] if it has not 2048 bits.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let (label, der) = der::from_pem(pem)?;
        let key = match label {
            "RSA PUBLIC KEY" => &der,
            "PUBLIC KEY" => der::unwrap_spki(&der)?,
            _ => return Err(Error::Pem),
        };
        let [n, e] = der::integers(key)?;
        Self::from_parts(n, e)
    }

    /// Builds a key from its modulus and exponent, big endian.
    ///
    /// # Errors
    ///
    /// [`Error::RsaKey`] if the modulus has not 2048 bits or is even, or if the exponent is
    /// even, below 3 or above 2^32.
    pub fn from_parts(n: &[u8], e: &[u8]) -> Result<Self, Error> {
        let n = uint(n).filter(|n| n.bits_vartime() == 2048).ok_or(Error::RsaKey)?;
        let n = Odd::new(n).into_option().ok_or(Error::RsaKey)?;
        let e = der::strip(e);
        if e.len() > 4 {
            return Err(Error::RsaKey);
        }
        let e = e.iter().fold(0, |number, digit| number << 8 | u64::from(*digit));
        if e < 3 || e.is_multiple_of(2) {
            return Err(Error::RsaKey);
        }
        let fingerprint = fingerprint(n.as_ref(), e);
        Ok(Self { n, e, fingerprint })
    }

    /// The number by which a server names this key: the lower 64 bits of the SHA-1 of modulus
    /// and exponent as TL strings.
    ///
    /// core.telegram.org/mtproto/auth_key#2-server-sends-response-of-the-form
    #[must_use]
    pub fn fingerprint(&self) -> i64 {
        self.fingerprint
    }

    /// Writes the key as PEM in PKCS#1, the form that Telegram's clients read.
    #[must_use]
    pub fn to_pem(&self) -> String {
        der::to_pem("RSA PUBLIC KEY", &der::sequence(&[&self.n(), &self.e()]))
    }

    /// The modulus, big endian.
    #[must_use]
    pub fn n(&self) -> [u8; 256] {
        to_bytes(self.n.as_ref())
    }

    /// The exponent, big endian, without leading zeros.
    #[must_use]
    pub fn e(&self) -> Vec<u8> {
        der::strip(&self.e.to_be_bytes()).to_vec()
    }

    #[expect(clippy::expect_used, reason = "constants of this crate, checked by a test")]
    fn built_in(pem: &str) -> Self {
        Self::from_pem(pem).expect("a built-in key is valid")
    }

    /// `m^e mod n`, or nothing if `m` is not below `n`.
    fn raise(&self, m: &[u8; 256]) -> Option<[u8; 256]> {
        let m = U2048::from_be_slice(m);
        if m >= *self.n.as_ref() {
            return None;
        }
        let params = FixedMontyParams::new_vartime(self.n);
        let c = FixedMontyForm::new(&m, &params).pow_vartime(&crypto_bigint::U64::from(self.e));
        Some(to_bytes(&c.retrieve()))
    }
}

/// Tells whether a fingerprint is that of one of Telegram's own keys (production or test): a
/// server of somebody else must never claim them.
#[must_use]
pub fn is_production_key(fingerprint: i64) -> bool {
    [PRODUCTION_FINGERPRINT, TEST_FINGERPRINT].contains(&fingerprint)
}

/// core.telegram.org/mtproto/auth_key, the key of the production data centres.
const PRODUCTION_FINGERPRINT: i64 = -3_414_540_481_677_951_611;

/// The key of the test data centres.
const TEST_FINGERPRINT: i64 = -5_595_554_452_916_591_101;

/// An RSA key of 2048 bits with its secret half, which is wiped on drop and never printed.
#[derive(Clone)]
pub struct PrivateKey {
    public: PublicKey,
    secret: Box<Secret>,
}

/// The secret half; `p` is the larger prime.
#[derive(Clone)]
struct Secret {
    d: U2048,
    p: Odd<U1024>,
    q: Odd<U1024>,
    dp: U1024,
    dq: U1024,
    q_inverse: U1024,
}

impl PrivateKey {
    /// Generates a key with the exponent 65537.
    ///
    /// Its fingerprint, printed as 16 hexadecimal digits, has no leading zero and is none of
    /// Telegram's. Observed: mtcute compares fingerprints as hexadecimal text without padding.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        loop {
            let (Some(p), Some(q)) = (random_prime(rng), random_prime(rng)) else { continue };
            if let Ok(key) = Self::from_primes(p, q, u64::from(EXPONENT))
                && key.public.fingerprint.cast_unsigned() >> 60 != 0
                && !is_production_key(key.public.fingerprint)
            {
                return key;
            }
        }
    }

    /// Reads an unencrypted PEM file in PKCS#1 (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] if it is none, [`Error::RsaKey`] if its numbers do not belong together
    /// or have not 2048 bits.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let (label, der) = der::from_pem(pem)?;
        if label != "RSA PRIVATE KEY" {
            return Err(Error::Pem);
        }
        let [version, n, e, d, p, q, dp, dq, q_inverse] = der::integers(&der)?;
        if !version.is_empty() {
            return Err(Error::Pem);
        }
        let public = PublicKey::from_parts(n, e)?;
        let prime = |digits| {
            half(digits).and_then(|prime| Odd::new(prime).into_option()).ok_or(Error::RsaKey)
        };
        let key = Self::from_primes(prime(p)?, prime(q)?, public.e)?;
        // The primes say everything; what the file says besides is only held against damage
        // (d may differ by a multiple, and the last three depend on the order of the primes).
        let readable = uint(d).is_some() && [dp, dq, q_inverse].iter().all(|n| half(n).is_some());
        if key.public == public && readable { Ok(key) } else { Err(Error::RsaKey) }
    }

    /// Writes the key as PEM in PKCS#1. The text is the secret: keep it to its owner.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let Secret { d, p, q, dp, dq, q_inverse } = &*self.secret;
        let numbers = [p.as_ref(), q.as_ref(), dp, dq, q_inverse]
            .map(|number| Zeroizing::new(to_bytes(&number.resize())));
        let d = Zeroizing::new(to_bytes(d));
        let [p, q, dp, dq, q_inverse] = numbers.each_ref().map(|number| number.as_slice());
        let (n, e) = (self.public.n(), self.public.e());
        let der = der::sequence(&[&[], &n, &e, d.as_slice(), p, q, dp, dq, q_inverse]);
        Zeroizing::new(der::to_pem("RSA PRIVATE KEY", &der))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    fn from_primes(p: Odd<U1024>, q: Odd<U1024>, e: u64) -> Result<Self, Error> {
        let (p, q) = if p > q { (p, q) } else { (q, p) };
        let n: U2048 = p.as_ref().concatenating_mul(q.as_ref());
        let exponent = U2048::from_u64(e);
        let public = PublicKey::from_parts(&to_bytes(&n), &to_bytes(&exponent))?;
        let less = |prime: &Odd<U1024>| prime.as_ref().wrapping_sub(&U1024::ONE);
        let invert = |m: U1024| {
            let m = NonZero::new(m).into_option()?;
            U1024::from_u64(e).invert_mod(&m).into_option()
        };
        let dp = invert(less(&p)).ok_or(Error::RsaKey)?;
        let dq = invert(less(&q)).ok_or(Error::RsaKey)?;
        let q_inverse = q.as_ref().invert_odd_mod(&p).into_option().ok_or(Error::RsaKey)?;
        let phi: U2048 = less(&p).concatenating_mul(&less(&q));
        let phi = NonZero::new(phi).into_option().ok_or(Error::RsaKey)?;
        let d = exponent.invert_mod(&phi).into_option().ok_or(Error::RsaKey)?;
        let secret = Box::new(Secret { d, p, q, dp, dq, q_inverse });
        let key = Self { public, secret };
        // What is not prime does not invert its own public operation.
        let probe = [2; 256];
        let masked = Some(key.lower(&probe)?);
        if masked.and_then(|probe| key.public.raise(&probe)) == Some(probe) {
            Ok(key)
        } else {
            Err(Error::RsaKey)
        }
    }

    /// `c^d mod n` by the Chinese remainder theorem, in constant time.
    fn lower(&self, c: &[u8]) -> Result<[u8; 256], Error> {
        let c: &[u8; 256] = c.try_into().map_err(|_| Error::RsaValue)?;
        let number = U2048::from_be_slice(c);
        if number >= *self.public.n.as_ref() {
            return Err(Error::RsaValue);
        }
        let Secret { p, q, dp, dq, q_inverse, .. } = &*self.secret;
        let power = |prime: &Odd<U1024>, exponent: &U1024| {
            let params = FixedMontyParams::new(*prime);
            let base = number.rem(prime.as_nz_ref());
            FixedMontyForm::new(&base, &params).pow(exponent).retrieve()
        };
        let (mut mp, mut mq) = (power(p, dp), power(q, dq));
        // q < p, and both have their highest bits set, so mq is below p or at most p above it.
        let mut difference = mp.sub_mod(&mq.rem(p.as_nz_ref()), p.as_nz_ref());
        let params = FixedMontyParams::new(*p);
        let mut h = (FixedMontyForm::new(&difference, &params)
            * FixedMontyForm::new(q_inverse, &params))
        .retrieve();
        let product: U2048 = h.concatenating_mul(q.as_ref());
        let mut m = product.wrapping_add(&mq.resize());
        let bytes = to_bytes(&m);
        for number in [&mut mp, &mut mq, &mut difference, &mut h] {
            number.zeroize();
        }
        m.zeroize();
        Ok(bytes)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.d.zeroize();
        self.p.zeroize();
        self.q.zeroize();
        self.dp.zeroize();
        self.dq.zeroize();
        self.q_inverse.zeroize();
    }
}

impl ZeroizeOnDrop for Secret {}

impl ZeroizeOnDrop for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Encrypts the inner data of a key exchange with the padding `RSA_PAD`, which Telegram
/// prescribes since 2021.
///
/// core.telegram.org/mtproto/auth_key#41-rsa-paddata-server-public-key-mentioned-above-is-implemented-as-follows
///
/// # Errors
///
/// [`Error::DataTooLong`] for more than [`RSA_PAD_MAX`] bytes.
pub fn rsa_pad_encrypt(
    data: &[u8],
    key: &PublicKey,
    rng: &mut impl CryptoRng,
) -> Result<[u8; 256], Error> {
    if data.len() > RSA_PAD_MAX {
        return Err(Error::DataTooLong);
    }
    let mut padded = Zeroizing::new([0; 192]);
    let (head, tail) = padded.split_at_mut(data.len());
    head.copy_from_slice(data);
    rng.fill_bytes(tail);
    loop {
        let mut temp_key = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *temp_key);
        let mut block = Zeroizing::new([0; 256]);
        let Some((masked_key, body)) = block.split_first_chunk_mut::<32>() else { continue };
        let Some((reversed, hash)) = body.split_first_chunk_mut::<192>() else { continue };
        *reversed = *padded;
        reversed.reverse();
        hash.copy_from_slice(&sha256(&[&*temp_key, &*padded]));
        ige_encrypt(body, &temp_key, &[0; 32]);
        *masked_key = xor(&temp_key, &sha256(&[body]));
        // A number above the modulus cannot be decrypted: try another temporary key.
        if let Some(encrypted) = key.raise(&block) {
            return Ok(encrypted);
        }
    }
}

/// Decrypts what [`rsa_pad_encrypt`] made: the data and its random padding, 192 bytes.
///
/// # Errors
///
/// [`Error::RsaValue`] if the value is not below the modulus, [`Error::RsaPadding`] if the
/// hash inside does not match.
pub fn rsa_pad_decrypt(cipher: &[u8], key: &PrivateKey) -> Result<Zeroizing<[u8; 192]>, Error> {
    rsa_pad_open(&Zeroizing::new(key.lower(cipher)?))
}

/// Encrypts the inner data of a key exchange as clients did before 2021:
/// `SHA1(data) | data | random` in 255 bytes.
///
/// # Errors
///
/// [`Error::DataTooLong`] for more than [`OLD_PAD_MAX`] bytes.
pub fn old_pad_encrypt(
    data: &[u8],
    key: &PublicKey,
    rng: &mut impl CryptoRng,
) -> Result<[u8; 256], Error> {
    if data.len() > OLD_PAD_MAX {
        return Err(Error::DataTooLong);
    }
    let mut block = Zeroizing::new([0; 256]);
    let hash = sha1(&[data]);
    for (to, from) in block.iter_mut().skip(1).zip(hash.iter().chain(data)) {
        *to = *from;
    }
    if let Some(padding) = block.get_mut(1 + hash.len() + data.len()..) {
        rng.fill_bytes(padding);
    }
    // 255 bytes are always below a modulus of 256.
    key.raise(&block).ok_or(Error::RsaKey)
}

/// Decrypts what [`old_pad_encrypt`] made.
///
/// # Errors
///
/// [`Error::RsaValue`] if the value is not below the modulus, [`Error::RsaPadding`] if it has
/// more than 255 bytes.
pub fn old_pad_decrypt(cipher: &[u8], key: &PrivateKey) -> Result<OldPadded, Error> {
    OldPadded::open(&Zeroizing::new(key.lower(cipher)?))
}

/// Decrypts the inner data of a key exchange in whichever padding it is.
///
/// # Errors
///
/// [`Error::RsaValue`] or [`Error::RsaPadding`], as of [`rsa_pad_decrypt`] and
/// [`old_pad_decrypt`].
pub fn decrypt(cipher: &[u8], key: &PrivateKey) -> Result<Padded, Error> {
    let block = Zeroizing::new(key.lower(cipher)?);
    match rsa_pad_open(&block) {
        Ok(data) => Ok(Padded::RsaPad(data)),
        Err(_) => OldPadded::open(&block).map(Padded::Old),
    }
}

/// Decrypted inner data with the padding that it came in.
#[non_exhaustive]
pub enum Padded {
    /// Data and random padding; the hash inside was right.
    RsaPad(Zeroizing<[u8; 192]>),
    /// Data that is still to be verified, since its length is not known yet.
    Old(OldPadded),
}

impl Padded {
    /// The data, followed by random padding: parse from the front.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::RsaPad(data) => &**data,
            Self::Old(old) => old.bytes(),
        }
    }

    /// The first `length` bytes, verified by the hash that the padding carries.
    ///
    /// # Errors
    ///
    /// [`Error::RsaPadding`] if the data is shorter or the hash does not match.
    pub fn verify(&self, length: usize) -> Result<&[u8], Error> {
        match self {
            Self::RsaPad(data) => data.get(..length).ok_or(Error::RsaPadding),
            Self::Old(old) => old.verify(length),
        }
    }
}

impl fmt::Debug for Padded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsaPad(_) => "RsaPad(..)",
            Self::Old(_) => "Old(..)",
        })
    }
}

/// Decrypted inner data in the old padding; its hash covers data whose length only the reader
/// of the data knows.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OldPadded {
    hash: [u8; 20],
    data: [u8; OLD_PAD_MAX],
}

impl OldPadded {
    /// The data, followed by random padding: parse from the front, then [`Self::verify`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The first `length` bytes, if the hash is theirs.
    ///
    /// # Errors
    ///
    /// [`Error::RsaPadding`] if it is not.
    pub fn verify(&self, length: usize) -> Result<&[u8], Error> {
        let data = self.data.get(..length).ok_or(Error::RsaPadding)?;
        if sha1(&[data]).ct_eq(&self.hash).into() { Ok(data) } else { Err(Error::RsaPadding) }
    }

    fn open(block: &[u8; 256]) -> Result<Self, Error> {
        let [0, content @ ..] = block else { return Err(Error::RsaPadding) };
        let (hash, rest) = content.split_first_chunk().ok_or(Error::RsaPadding)?;
        let data = rest.try_into().map_err(|_| Error::RsaPadding)?;
        Ok(Self { hash: *hash, data })
    }
}

impl fmt::Debug for OldPadded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OldPadded(..)")
    }
}

/// Undoes `RSA_PAD` behind the RSA operation.
fn rsa_pad_open(block: &[u8; 256]) -> Result<Zeroizing<[u8; 192]>, Error> {
    let mut block = Zeroizing::new(*block);
    let (masked_key, body) = block.split_first_chunk_mut::<32>().ok_or(Error::RsaPadding)?;
    let temp_key = Zeroizing::new(xor(masked_key, &sha256(&[body])));
    ige_decrypt(body, &temp_key, &[0; 32]);
    let (reversed, hash) = body.split_first_chunk_mut::<192>().ok_or(Error::RsaPadding)?;
    reversed.reverse();
    let padded = Zeroizing::new(*reversed);
    if sha256(&[&*temp_key, &*padded]).as_slice().ct_eq(hash).into() {
        Ok(padded)
    } else {
        Err(Error::RsaPadding)
    }
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut out = *a;
    for (to, from) in out.iter_mut().zip(b) {
        *to ^= from;
    }
    out
}

/// The public exponent of generated keys.
const EXPONENT: u32 = 65_537;

/// A prime with both highest bits set, so that the product of two has 2048 bits.
fn random_prime(rng: &mut impl CryptoRng) -> Option<Odd<U1024>> {
    let sieve = SmallFactorsSieveFactory::<U1024>::new(Flavor::Any, 1024, SetBits::TwoMsb).ok()?;
    let found = sieve_and_find(rng, sieve, |_, candidate| is_prime(Flavor::Any, candidate));
    Odd::new(found.ok()??).into_option()
}

/// Reads a number of at most 1024 bits.
fn half(digits: &[u8]) -> Option<U1024> {
    uint(digits).filter(|number| number.bits_vartime() <= 1024).map(|number| number.resize())
}

fn fingerprint(n: &U2048, e: u64) -> i64 {
    let e = e.to_be_bytes();
    let e = der::strip(&e);
    // Strings of TL: a long one has a length of three bytes behind 0xfe, a short one a length
    // of one byte; both are filled up to a multiple of four.
    let zeros = [0; 3];
    let fill = zeros.get(..(1 + e.len()).next_multiple_of(4) - 1 - e.len()).unwrap_or_default();
    let short = e.len().to_le_bytes();
    let short = short.first_chunk::<1>().copied().unwrap_or_default();
    let hash = sha1(&[&[0xfe, 0, 1, 0], &to_bytes(n), &short, e, fill]);
    let [.., a, b, c, d, e, f, g, h] = hash;
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

mod signature;

#[cfg(test)]
mod tests;
