//! The provider's public keys, and when to fetch them again.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use k256::ecdsa::signature::Verifier as _;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::{Alg, Error};
use crate::json::{self, Json, Object};

/// The key set of a provider, as it was fetched last.
///
/// Fetch [`Provider::jwks_uri`](super::Provider::jwks_uri) and [`read`](Self::read) it when it
/// [`is_due`](Self::is_due), and once more when [`Error::UnknownKey`] says that the provider has
/// a new key, if [`may_fetch_again`](Self::may_fetch_again): not for each forged token.
#[derive(Clone, Default)]
pub struct Keys {
    keys: Vec<Key>,
    fetched: Option<SystemTime>,
    asked: Option<SystemTime>,
}

impl Keys {
    /// No keys yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells whether the keys were never fetched, or more than an hour ago.
    #[must_use]
    pub fn is_due(&self, now: SystemTime) -> bool {
        is_past(self.fetched, now, LIFETIME)
    }

    /// Tells whether the keys may be fetched for a key that they lack: true at most once a minute.
    pub fn may_fetch_again(&mut self, now: SystemTime) -> bool {
        let may = is_past(self.fetched, now, PAUSE) && is_past(self.asked, now, PAUSE);
        if may {
            self.asked = Some(now);
        }
        may
    }

    /// Replaces the keys by those of a key set; what is not for signatures, or of a kind that is
    /// not known, is passed over. RFC 7517.
    ///
    /// # Errors
    ///
    /// [`Error::Json`], [`Error::TooLarge`], and [`Error::Keys`] if none is left. The old keys stay
    /// then.
    pub fn read(&mut self, body: &[u8], now: SystemTime) -> Result<(), Error> {
        if body.len() > DOCUMENT {
            return Err(Error::TooLarge);
        }
        let mut set = json::object(body).ok_or(Error::Json)?;
        let Some(Json::List(list)) = set.remove("keys") else { return Err(Error::Keys) };
        if list.len() > COUNT {
            return Err(Error::TooLarge);
        }
        let keys: Vec<Key> = list.iter().filter_map(Key::read).collect();
        if keys.is_empty() {
            return Err(Error::Keys);
        }
        (self.keys, self.fetched) = (keys, Some(now));
        Ok(())
    }

    /// Checks a signature by the key of that id, or by the only one there is for the algorithm.
    pub(super) fn verify(
        &self,
        alg: Alg,
        kid: Option<&str>,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let fits = |key: &&Key| key.alg == alg && (kid.is_none() || key.kid.as_deref() == kid);
        let mut fitting = self.keys.iter().filter(fits);
        let (Some(key), None) = (fitting.next(), fitting.next()) else {
            return Err(Error::UnknownKey);
        };
        key.material.verify(signed, signature)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys, fetched, .. } = self;
        f.debug_struct("Keys").field("keys", &keys.len()).field("fetched", fetched).finish()
    }
}

/// A public key, which has one algorithm.
#[derive(Clone)]
struct Key {
    kid: Option<String>,
    alg: Alg,
    material: Material,
}

impl Key {
    fn read(jwk: &Json) -> Option<Self> {
        let Json::Object(jwk) = jwk else { return None };
        let text = |name: &str| jwk.get(name).and_then(Json::text);
        let (alg, material) = match (text("kty")?, text("crv")) {
            ("RSA", _) => (Alg::Rs256, rsa(jwk)?),
            ("EC", Some("P-256")) => (Alg::Es256, Material::P256(point(jwk)?)),
            ("EC", Some("secp256k1")) => {
                let key = k256::ecdsa::VerifyingKey::from_sec1_bytes(&point(jwk)?).ok()?;
                (Alg::Es256k, Material::K256(Box::new(key)))
            }
            ("OKP", Some("Ed25519")) => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(&number(jwk, "x")?).ok()?;
                (!key.is_weak()).then_some((Alg::EdDsa, Material::Ed25519(Box::new(key))))?
            }
            _ => return None,
        };
        let is =
            |name: &str, value: &str| jwk.get(name).is_none_or(|own| own.text() == Some(value));
        let verifies = jwk.get("key_ops").is_none_or(|operations| match operations {
            Json::List(list) => list.iter().any(|operation| operation.text() == Some("verify")),
            _ => false,
        });
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.text()?.to_owned()),
        };
        let usable = is("use", "sig") && is("alg", alg.name()) && verifies;
        usable.then_some(Self { kid, alg, material })
    }
}

#[derive(Clone)]
enum Material {
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    K256(Box<k256::ecdsa::VerifyingKey>),
    /// An uncompressed point of SEC 1.
    P256([u8; 65]),
    /// Modulus and exponent, big endian without leading zeros.
    Rsa(Vec<u8>, Vec<u8>),
    /// A modulus of less than 2048 bits.
    Weak,
}

impl Material {
    fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Error> {
        let verified = match self {
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(signed, &signature).is_ok()),
            Self::K256(key) => k256::ecdsa::Signature::from_slice(signature)
                // Of the two forms that each signature has, this library takes one; JOSE takes both.
                .map(|signature| signature.normalize_s())
                .is_ok_and(|signature| key.verify(signed, &signature).is_ok()),
            Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed, signature)
                .is_ok(),
            Self::Rsa(n, e) => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
                .is_ok(),
            Self::Weak => return Err(Error::WeakKey),
        };
        verified.then_some(()).ok_or(Error::Signature)
    }
}

fn rsa(jwk: &Object) -> Option<Material> {
    let number = |name: &str| {
        let bytes = Base64UrlUnpadded::decode_vec(jwk.get(name)?.text()?).ok()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Some(bytes.get(zeros..)?.to_vec())
    };
    let (n, e) = (number("n")?, number("e")?);
    let bits = 8 * n.len() - n.first()?.leading_zeros() as usize;
    match bits {
        0..2048 => Some(Material::Weak),
        2048..=8192 => Some(Material::Rsa(n, e)),
        _ => None,
    }
}

/// The point of `x` and `y` in the uncompressed form of SEC 1.
fn point(jwk: &Object) -> Option<[u8; 65]> {
    let mut point = [4; 65];
    let (_, rest) = point.split_first_mut()?;
    let (x, y) = rest.split_at_mut(32);
    x.copy_from_slice(&number(jwk, "x")?);
    y.copy_from_slice(&number(jwk, "y")?);
    Some(point)
}

/// A number of exactly 32 bytes.
fn number(jwk: &Object, name: &str) -> Option<[u8; 32]> {
    let mut number = [0; 32];
    let decoded = Base64UrlUnpadded::decode(jwk.get(name)?.text()?, &mut number).ok()?;
    (decoded.len() == 32).then_some(number)
}

/// Tells whether `then` is longer ago than that, or the clock was set back behind it.
fn is_past(then: Option<SystemTime>, now: SystemTime, pause: Duration) -> bool {
    then.is_none_or(|then| now.duration_since(then).is_ok_and(|age| age >= pause) || now < then)
}

/// How long a key set is used without a look.
const LIFETIME: Duration = Duration::from_secs(3_600);

/// How often a key that is not known may make us look.
const PAUSE: Duration = Duration::from_secs(60);

/// The largest key set, in bytes and in keys.
const DOCUMENT: usize = 64 * 1024;
const COUNT: usize = 32;
