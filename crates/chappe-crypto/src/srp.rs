//! Two-step verification by password (SRP), both sides.
//!
//! core.telegram.org/api/srp. All numbers on the wire are 256 bytes, big endian, padded on
//! the left.

use std::fmt;

use crypto_bigint::modular::FixedMontyForm;
use crypto_bigint::{U256, U2048, U4096};
use hmac::Hmac;
use rand_core::CryptoRng;
use sha2::Sha512;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Error;
use crate::dh::{Group, to_bytes};
use crate::hash::sha256;

/// A password as the user typed it; wiped on drop and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(Vec<u8>);

impl Password {
    /// Takes a password over, in UTF-8.
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into().into_bytes())
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self::new(password)
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self::new(password)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The parameters of
/// `passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Algorithm {
    /// The first salt.
    pub salt1: Vec<u8>,
    /// The second salt.
    pub salt2: Vec<u8>,
    /// The checked prime and generator.
    pub group: Group,
}

impl Algorithm {
    /// Derives the secret number `x` of a password; takes tens of milliseconds by design.
    ///
    /// core.telegram.org/api/srp#checking-the-password-with-srp, `PH2`.
    #[must_use]
    pub fn password_hash(&self, password: &Password) -> PasswordHash {
        let first = Zeroizing::new(self.salted(&password.0, &self.salt1));
        let second = Zeroizing::new(self.salted(&*first, &self.salt2));
        let mut stretched = Zeroizing::new([0; 64]);
        pbkdf2::pbkdf2::<Hmac<Sha512>>(&*second, &self.salt1, ROUNDS, &mut *stretched)
            .unwrap_or_default();
        PasswordHash(self.salted(&*stretched, &self.salt2))
    }

    /// What the server keeps instead of a password: `v = g^x mod p`, the
    /// `new_password_hash` of `account.passwordInputSettings`.
    #[must_use]
    pub fn verifier(&self, x: &PasswordHash) -> [u8; 256] {
        to_bytes(&self.group.pow(&self.group.generator(), &x.widen()))
    }

    /// `k = H(p | g)`.
    fn multiplier(&self) -> U2048 {
        let hash = sha256(&[&self.group.p(), &to_bytes(&self.group.generator())]);
        U256::from_be_slice(&hash).resize()
    }

    /// The proof `M1`, from what both sides know after the exchange.
    fn proof(&self, a: &[u8; 256], b: &[u8; 256], shared: &[u8; 256]) -> [u8; 32] {
        let mut group = sha256(&[&self.group.p()]);
        for (to, from) in group.iter_mut().zip(sha256(&[&to_bytes(&self.group.generator())])) {
            *to ^= from;
        }
        let session_key = Zeroizing::new(sha256(&[shared]));
        let (salt1, salt2) = (sha256(&[&self.salt1]), sha256(&[&self.salt2]));
        sha256(&[&group, &salt1, &salt2, a, b, &*session_key])
    }

    fn salted(&self, data: &[u8], salt: &[u8]) -> [u8; 32] {
        sha256(&[salt, data, salt])
    }
}

/// The secret number `x` behind a password; wiped on drop and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PasswordHash([u8; 32]);

impl PasswordHash {
    fn widen(&self) -> Zeroizing<[u8; 256]> {
        let mut wide = Zeroizing::new([0; 256]);
        if let Some(low) = wide.last_chunk_mut() {
            *low = self.0;
        }
        wide
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// What the client sends in `inputCheckPasswordSRP`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The public value `A`.
    pub a: [u8; 256],
    /// The proof `M1`.
    pub m1: [u8; 32],
}

/// Proves to a server, which sent `srp_b`, that the user knows the password.
///
/// The secret `a` is drawn from `rng` and mixed with `secure_random`, the random bytes that
/// the server sends along in `account.password`: it is unpredictable as long as one of the two
/// is.
///
/// # Errors
///
/// [`Error::PublicValue`] if `srp_b` is out of range.
pub fn answer(
    algorithm: &Algorithm,
    password: &Password,
    srp_b: &[u8],
    secure_random: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Answer, Error> {
    let b = to_bytes(&algorithm.group.public_of(srp_b)?);
    let x = algorithm.password_hash(password);
    loop {
        let secret = draw(secure_random, rng);
        // A public value out of range and u = 0 are chances below 2^-60: draw again.
        if algorithm.group.public(&secret).is_ok()
            && let Some(answer) = answer_with(algorithm, &x, &b, &secret)
        {
            return Ok(answer);
        }
    }
}

/// The server's half of one check of a password: serves one answer, then is dropped.
#[derive(Clone)]
pub struct Challenge {
    algorithm: Algorithm,
    verifier: U2048,
    secret: Zeroizing<[u8; 256]>,
    b: [u8; 256],
}

impl Challenge {
    /// Draws a challenge for the account that has this verifier.
    ///
    /// # Errors
    ///
    /// [`Error::PublicValue`] if the verifier is out of range.
    pub fn new(
        algorithm: Algorithm,
        verifier: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Error> {
        let verifier = algorithm.group.public_of(verifier)?;
        loop {
            let challenge = Self::with_secret(algorithm.clone(), verifier, draw(&[], rng));
            if challenge.algorithm.group.check_public(&challenge.b).is_ok() {
                return Ok(challenge);
            }
        }
    }

    /// The public value `srp_B`.
    #[must_use]
    pub fn b(&self) -> &[u8; 256] {
        &self.b
    }

    /// Checks a client's answer; the proof is compared in constant time.
    ///
    /// # Errors
    ///
    /// [`Error::PublicValue`] if `a` is out of range, [`Error::SrpProof`] if the password was
    /// another.
    pub fn verify(&self, a: &[u8], m1: &[u8]) -> Result<(), Error> {
        let group = &self.algorithm.group;
        let public = group.public_of(a)?;
        let a = to_bytes(&public);
        let u = sha256(&[&a, &self.b]);
        if u == [0; 32] {
            return Err(Error::PublicValue);
        }
        let params = group.params();
        let verifier = FixedMontyForm::new(&self.verifier, params);
        let base = FixedMontyForm::new(&public, params) * verifier.pow(&U256::from_be_slice(&u));
        let shared = Zeroizing::new(to_bytes(&group.pow(&base.retrieve(), &self.secret)));
        if self.algorithm.proof(&a, &self.b, &shared).as_slice().ct_eq(m1).into() {
            Ok(())
        } else {
            Err(Error::SrpProof)
        }
    }

    /// `B = k * v + g^b mod p`.
    fn with_secret(algorithm: Algorithm, verifier: U2048, secret: Zeroizing<[u8; 256]>) -> Self {
        let group = &algorithm.group;
        let params = group.params();
        let power = FixedMontyForm::new(&group.pow(&group.generator(), &secret), params);
        let k = FixedMontyForm::new(&algorithm.multiplier(), params);
        let b = to_bytes(&(k * FixedMontyForm::new(&verifier, params) + power).retrieve());
        Self { algorithm, verifier, secret, b }
    }
}

impl Drop for Challenge {
    fn drop(&mut self) {
        self.verifier.zeroize();
    }
}

impl ZeroizeOnDrop for Challenge {}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenge(..)")
    }
}

/// Rounds of PBKDF2.
const ROUNDS: u32 = 100_000;

/// Computes the answer for a drawn secret `a`, or nothing if `u` is zero.
fn answer_with(
    algorithm: &Algorithm,
    x: &PasswordHash,
    b: &[u8; 256],
    secret: &[u8; 256],
) -> Option<Answer> {
    let group = &algorithm.group;
    let params = group.params();
    let a = to_bytes(&group.pow(&group.generator(), secret));
    let u = sha256(&[&a, b]);
    if u == [0; 32] {
        return None;
    }
    let wide = x.widen();
    let mut verifier = FixedMontyForm::new(&group.pow(&group.generator(), &wide), params);
    let k = FixedMontyForm::new(&algorithm.multiplier(), params);
    let t = FixedMontyForm::new(&U2048::from_be_slice(b), params) - k * verifier;
    // a + u * x has at most 2049 bits.
    let mut number = U256::from_be_slice(&x.0);
    let mut product: U2048 = {
        let mut small: crypto_bigint::U512 = U256::from_be_slice(&u).concatenating_mul(&number);
        let wide = small.resize();
        small.zeroize();
        wide
    };
    let mut exponent: U4096 =
        U2048::from_be_slice(secret).resize::<{ U4096::LIMBS }>().wrapping_add(&product.resize());
    let mut power = t.pow_bounded_exp(&exponent, 2049);
    let shared = Zeroizing::new(to_bytes(&power.retrieve()));
    let m1 = algorithm.proof(&a, b, &shared);
    verifier.zeroize();
    number.zeroize();
    product.zeroize();
    exponent.zeroize();
    power.zeroize();
    Some(Answer { a, m1 })
}

/// Draws 2048 random bits, mixed with what the other side offers as randomness.
fn draw(offered: &[u8], rng: &mut impl CryptoRng) -> Zeroizing<[u8; 256]> {
    let mut secret = Zeroizing::new([0; 256]);
    rng.fill_bytes(&mut *secret);
    if !offered.is_empty() {
        for (part, number) in secret.as_chunks_mut::<32>().0.iter_mut().zip(0_u8..) {
            for (to, from) in part.iter_mut().zip(sha256(&[&[number], offered])) {
                *to ^= from;
            }
        }
    }
    secret
}

#[cfg(test)]
mod tests;
