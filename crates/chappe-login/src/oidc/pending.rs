//! A login that is under way: what only this site and this browser may know.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Error;

/// A login that has begun: `state`, `nonce` and the PKCE verifier, each of 32 random bytes.
///
/// Keep it on the server under a secret of *this browser's* cookie, and take it away when the
/// callback comes: that binds the answer to who asked, and lets it in once.
#[derive(Clone)]
pub struct Pending {
    state: Zeroizing<String>,
    nonce: Zeroizing<String>,
    verifier: Zeroizing<String>,
    /// Seconds since 1970.
    begun: u64,
}

impl Pending {
    /// Begins a login with random bytes of the system.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`] if the system gives none.
    pub fn new(now: SystemTime) -> Result<Self, Error> {
        let mut entropy = Zeroizing::new([[0; 32]; 3]);
        getrandom::fill(entropy.as_flattened_mut()).map_err(|_| Error::Entropy)?;
        Ok(Self::from_entropy(&entropy, now))
    }

    /// Begins a login with random bytes of the caller, which nobody else may know or repeat.
    #[must_use]
    pub fn from_entropy(entropy: &[[u8; 32]; 3], now: SystemTime) -> Self {
        let [state, nonce, verifier] = entropy;
        let text = |bytes: &[u8; 32]| Zeroizing::new(Base64UrlUnpadded::encode_string(bytes));
        let begun = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { state: text(state), nonce: text(nonce), verifier: text(verifier), begun }
    }

    /// What the callback has to bring back.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// What the id_token has to name: `nonce` of `Telegram.Login.init`.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Everything as text, for sites that keep it outside of the process. It is a secret.
    #[must_use]
    pub fn save(&self) -> Zeroizing<String> {
        let Self { state, nonce, verifier, begun } = self;
        let text = [begun.to_string().as_str(), state, nonce, verifier].join(".");
        Zeroizing::new(text)
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Pending`] if it is something else.
    pub fn load(text: &str) -> Result<Self, Error> {
        let mut parts = text.splitn(5, '.');
        let begun = parts.next().and_then(|begun| begun.parse().ok()).ok_or(Error::Pending)?;
        let mut secret = || {
            let part = parts.next().ok_or(Error::Pending)?;
            let mut bytes = Zeroizing::new([0; 32]);
            let decoded = Base64UrlUnpadded::decode(part, &mut *bytes).ok();
            let whole = decoded.is_some_and(|bytes| bytes.len() == 32);
            whole.then(|| Zeroizing::new(part.to_owned())).ok_or(Error::Pending)
        };
        let (state, nonce, verifier) = (secret()?, secret()?, secret()?);
        if parts.next().is_some() {
            return Err(Error::Pending);
        }
        Ok(Self { state, nonce, verifier, begun })
    }

    /// The S256 challenge of RFC 7636.
    pub(super) fn challenge(&self) -> String {
        challenge(&self.verifier)
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    /// Refuses a login that took too long; one that begins in the future is none of ours.
    pub(super) fn check(&self, now: SystemTime) -> Result<(), Error> {
        let begun = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(self.begun));
        let begun = begun.ok_or(Error::Pending)?;
        match now.duration_since(begun) {
            Ok(age) if age <= LIFETIME => Ok(()),
            Err(ahead) if ahead.duration() <= SKEW => Ok(()),
            _ => Err(Error::PendingOver),
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("begun", &self.begun).finish_non_exhaustive()
    }
}

fn challenge(verifier: &str) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(verifier))
}

/// How long a person has to allow a login.
const LIFETIME: Duration = Duration::from_secs(600);

/// How far two servers' clocks may differ.
pub(super) const SKEW: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let challenge = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
