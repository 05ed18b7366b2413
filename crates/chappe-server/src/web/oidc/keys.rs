//! The keys of the OpenID provider, and the id_tokens that they sign.
//!
//! One key for each algorithm that BotFather offers, with the names that Telegram's have. Observed:
//! `oidc-1`, `oidc-es256-1`, `oidc-eddsa-1`, `oidc-es256k-1` at
//! <https://oauth.telegram.org/.well-known/jwks.json>. Every signature is deterministic.

use std::{fmt, fs, io, path::Path};

use base64ct::{Base64UrlUnpadded, Encoding};
use chappe_crypto::rsa;
use k256::ecdsa::signature::Signer;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Error, bots::Alg, key};

/// The name of the keys within the data directory.
const FILE: &str = "oidc-keys.json";

/// The private keys.
pub(crate) struct Keys {
    rs256: rsa::PrivateKey,
    es256: p256::ecdsa::SigningKey,
    eddsa: ed25519_dalek::SigningKey,
    es256k: k256::ecdsa::SigningKey,
}

/// The keys as they are kept.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// PKCS#1 PEM.
    rs256: String,
    /// Scalars and the seed, base64url.
    es256: String,
    eddsa: String,
    es256k: String,
}

impl Keys {
    /// Loads the keys of a data directory, or makes some.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub(crate) fn load(directory: Option<&Path>, rng: &mut impl CryptoRng) -> Result<Self, Error> {
        let Some(directory) = directory else { return Ok(Self::generate(rng)) };
        let path = directory.join(FILE);
        let unusable =
            |source| Error::Data { path: Box::new(path.clone()), source: Box::new(source) };
        match fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(text) => Self::read(&text)
                .ok_or_else(|| unusable(io::Error::new(io::ErrorKind::InvalidData, DAMAGED))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let keys = Self::generate(rng);
                let text = keys.kept().map_err(|error| unusable(error.into()))?;
                key::write(directory, FILE, text.as_bytes()).map_err(unusable)?;
                Ok(keys)
            }
            Err(error) => Err(unusable(error)),
        }
    }

    fn generate(rng: &mut impl CryptoRng) -> Self {
        let rs256 = rsa::PrivateKey::generate(rng);
        // Nearly every number of 32 bytes is a key; the first that is one is taken.
        let es256 = drawn(rng, |bytes| p256::ecdsa::SigningKey::from_slice(bytes).ok());
        let eddsa = drawn(rng, |bytes| Some(ed25519_dalek::SigningKey::from_bytes(bytes)));
        let es256k = drawn(rng, |bytes| k256::ecdsa::SigningKey::from_slice(bytes).ok());
        Self { rs256, es256, eddsa, es256k }
    }

    fn read(text: &str) -> Option<Self> {
        let kept: Kept = serde_json::from_str(text).ok()?;
        let bytes = |text: &str| {
            let mut bytes = Zeroizing::new([0; 32]);
            let read = Base64UrlUnpadded::decode(text, &mut *bytes).ok()?;
            (read.len() == 32).then_some(())?;
            Some(bytes)
        };
        Some(Self {
            rs256: rsa::PrivateKey::from_pem(&kept.rs256).ok()?,
            es256: p256::ecdsa::SigningKey::from_slice(&*bytes(&kept.es256)?).ok()?,
            eddsa: ed25519_dalek::SigningKey::from_bytes(&*bytes(&kept.eddsa)?),
            es256k: k256::ecdsa::SigningKey::from_slice(&*bytes(&kept.es256k)?).ok()?,
        })
    }

    /// The text of the file. It is the secret: keep it to its owner.
    fn kept(&self) -> serde_json::Result<Zeroizing<String>> {
        let text = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        let kept = Kept {
            rs256: self.rs256.to_pem().as_str().to_owned(),
            es256: text(&Zeroizing::new(self.es256.to_bytes())),
            eddsa: text(self.eddsa.as_bytes()),
            es256k: text(&Zeroizing::new(self.es256k.to_bytes())),
        };
        serde_json::to_string_pretty(&kept).map(Zeroizing::new)
    }

    /// The public keys as a JWK set (RFC 7517).
    pub(crate) fn public(&self) -> Value {
        let text = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        let curve = |crv: &str, point: &[u8]| {
            // Uncompressed: 4, x, y.
            let (x, y) =
                point.get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
            json!({ "kty": "EC", "crv": crv, "x": text(x), "y": text(y) })
        };
        let mut keys = [
            (Alg::Rs256, {
                let public = self.rs256.public();
                json!({ "kty": "RSA", "n": text(&public.n()), "e": text(&public.e()) })
            }),
            (Alg::Es256, {
                curve("P-256", self.es256.verifying_key().to_sec1_point(false).as_bytes())
            }),
            (Alg::EdDsa, {
                let x = text(self.eddsa.verifying_key().as_bytes());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
            }),
            (Alg::Es256k, {
                curve("secp256k1", self.es256k.verifying_key().to_sec1_point(false).as_bytes())
            }),
        ];
        for (alg, key) in &mut keys {
            key["alg"] = alg.name().into();
            key["use"] = "sig".into();
            key["kid"] = kid(*alg).into();
        }
        json!({ "keys": keys.map(|(_, key)| key) })
    }

    /// Signs claims: a JWS in compact form (RFC 7515 section 7.1). `None` if the key is damaged.
    pub(crate) fn sign(&self, alg: Alg, claims: &Value) -> Option<String> {
        let header = json!({ "alg": alg.name(), "typ": "JWT", "kid": kid(alg) });
        let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = self.signature(alg, message.as_bytes())?;
        Some(format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature)))
    }

    /// The signature of a message as JOSE writes it: of an elliptic curve r and s, 32 bytes each.
    fn signature(&self, alg: Alg, message: &[u8]) -> Option<Vec<u8>> {
        match alg {
            Alg::Rs256 => self.rs256.sign(message).ok().map(|signature| signature.to_vec()),
            Alg::Es256 => {
                let signature: p256::ecdsa::Signature = self.es256.try_sign(message).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Alg::EdDsa => {
                let signature: ed25519_dalek::Signature = self.eddsa.try_sign(message).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Alg::Es256k => {
                let signature: k256::ecdsa::Signature = self.es256k.try_sign(message).ok()?;
                Some(signature.to_bytes().to_vec())
            }
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

/// The first key that random bytes make.
fn drawn<K>(rng: &mut impl CryptoRng, make: impl Fn(&[u8; 32]) -> Option<K>) -> K {
    let mut bytes = Zeroizing::new([0; 32]);
    loop {
        rng.fill_bytes(&mut *bytes);
        if let Some(key) = make(&bytes) {
            return key;
        }
    }
}

/// The name of the key of an algorithm.
const fn kid(alg: Alg) -> &'static str {
    match alg {
        Alg::Rs256 => "oidc-1",
        Alg::Es256 => "oidc-es256-1",
        Alg::EdDsa => "oidc-eddsa-1",
        Alg::Es256k => "oidc-es256k-1",
    }
}

/// What is wrong with a file that cannot be read.
const DAMAGED: &str =
    "these are no keys of the OpenID provider; remove the file and new ones are made";

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    const ALGS: [Alg; 4] = [Alg::Rs256, Alg::Es256, Alg::EdDsa, Alg::Es256k];

    fn keys(seed: u8) -> Keys {
        Keys::generate(&mut ChaCha20Rng::from_seed([seed; 32]))
    }

    fn hex(text: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    }

    #[test]
    fn keys_are_made_once_and_kept_to_their_owner() {
        let directory = tempfile::tempdir().unwrap();
        let load = |seed| {
            Keys::load(Some(directory.path()), &mut ChaCha20Rng::from_seed([seed; 32])).unwrap()
        };
        let (first, again) = (load(1), load(2));
        assert_eq!(first.public(), again.public());
        for alg in ALGS {
            let claims = json!({ "sub": "x" });
            assert_eq!(first.sign(alg, &claims), again.sign(alg, &claims));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(directory.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        for text in ["", "{}", r#"{"rs256":"","es256":"","eddsa":"","es256k":""}"#] {
            fs::write(directory.path().join(FILE), text).unwrap();
            let loaded = Keys::load(Some(directory.path()), &mut ChaCha20Rng::from_seed([1; 32]));
            let error = loaded.unwrap_err().to_string();
            assert!(error.contains("remove the file"), "{error}");
        }
        assert_eq!(format!("{first:?}"), "Keys(..)");
    }

    /// RFC 6979 appendix A.2.5, RFC 8032 section 7.1 (test 2), and the deterministic signature that
    /// Bitcoin's libraries agree on for the key 1 ("Satoshi Nakamoto").
    #[test]
    fn signatures_are_those_of_the_published_vectors() {
        let mut keys = keys(1);
        let scalar = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        keys.es256 = p256::ecdsa::SigningKey::from_slice(&scalar).unwrap();
        let expected = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                        f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
        assert_eq!(keys.signature(Alg::Es256, b"sample").unwrap(), hex(expected));

        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        keys.eddsa = ed25519_dalek::SigningKey::from_bytes(&seed.try_into().unwrap());
        let expected = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                        085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(keys.signature(Alg::EdDsa, &[0x72]).unwrap(), hex(expected));

        let mut one = [0; 32];
        one[31] = 1;
        keys.es256k = k256::ecdsa::SigningKey::from_slice(&one).unwrap();
        let expected = "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8\
                        2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5";
        let message = b"Satoshi Nakamoto";
        assert_eq!(keys.signature(Alg::Es256k, message).unwrap(), hex(expected));
    }

    #[test]
    fn public_keys_are_named_and_tell_nothing_private() {
        let set = keys(3).public();
        let keys = set["keys"].as_array().unwrap();
        let members = |key: &Value| {
            let mut names: Vec<_> = key.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names.join(" ")
        };
        let told: Vec<_> =
            keys.iter().map(|key| (&key["kid"], &key["alg"], members(key))).collect();
        let curve = "alg crv kid kty use x y";
        assert_eq!(
            told,
            [
                (&json!("oidc-1"), &json!("RS256"), "alg e kid kty n use".to_owned()),
                (&json!("oidc-es256-1"), &json!("ES256"), curve.to_owned()),
                (&json!("oidc-eddsa-1"), &json!("EdDSA"), "alg crv kid kty use x".to_owned()),
                (&json!("oidc-es256k-1"), &json!("ES256K"), curve.to_owned()),
            ]
        );
        assert_eq!(keys[0]["e"], "AQAB");
        // RFC 8037 section 2: 32 bytes are 43 characters; so are coordinates with leading zeros.
        for (key, member) in [(1, "x"), (1, "y"), (2, "x"), (3, "x"), (3, "y")] {
            assert_eq!(keys[key][member].as_str().unwrap().len(), 43);
        }
    }

    #[test]
    fn a_token_names_its_key_and_algorithm() {
        let keys = keys(4);
        for alg in ALGS {
            let token = keys.sign(alg, &json!({ "sub": "x" })).unwrap();
            let parts: Vec<_> = token.split('.').collect();
            let part = |at: usize| Base64UrlUnpadded::decode_vec(parts[at]).unwrap();
            let header: Value = serde_json::from_slice(&part(0)).unwrap();
            assert_eq!(header, json!({ "alg": alg.name(), "typ": "JWT", "kid": kid(alg) }));
            assert_eq!(part(1), br#"{"sub":"x"}"#);
            assert_eq!(part(2).len(), if alg == Alg::Rs256 { 256 } else { 64 });
        }
    }
}
