//! What an id_token says, once all of it is true.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Error, jws::Opened, pending::SKEW};
use crate::{
    Fingerprint,
    json::{self, Json, Object},
};

/// Somebody who logged in by OpenID Connect.
///
/// Names are what people call themselves: escape them in pages.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct IdToken {
    /// Who it is, for this client: what an account of the site is to be bound to. It is *not* the
    /// user id.
    pub sub: String,
    /// The user id, which the Login Widget and bots know them by; ask for the scope `profile`
    /// where it is needed.
    pub id: Option<i64>,
    /// The full name; scope `profile`.
    pub name: Option<String>,
    /// The username, without `@`; scope `profile`.
    pub preferred_username: Option<String>,
    /// Where the profile picture is; scope `profile`.
    pub picture: Option<String>,
    /// The phone number; scope `phone`, if its owner agreed. A secret of its owner.
    pub phone_number: Option<String>,
    /// When it was made.
    pub issued: SystemTime,
    /// When it is over. It says nothing about how long a session of the site may last.
    pub expires: SystemTime,
    claims: Object,
    fingerprint: Fingerprint,
}

impl IdToken {
    /// Any other claim that is a text.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Json::text)
    }

    /// What [`Seen`](crate::Seen) remembers of it. A login by code or with a nonce is used once
    /// anyway.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Reads the claims of a token whose signature holds.
    pub(super) fn read(opened: &Opened<'_>, expected: &Expected<'_>) -> Result<Self, Error> {
        let claims = json::object(&opened.payload).ok_or(Error::Json)?;
        let text = |name: &str| claims.get(name).and_then(Json::text);
        if text("iss") != Some(expected.issuer) {
            return Err(Error::Issuer);
        }
        audience(&claims, expected.client_id)?;
        let (issued, expires) = (date(&claims, "iat")?, date(&claims, "exp")?);
        let issued = issued.ok_or(Error::Claim("iat"))?;
        let expires = expires.ok_or(Error::Claim("exp"))?;
        let (early, late) = (expected.now.checked_add(SKEW), expected.now.checked_sub(SKEW));
        if late.is_some_and(|late| expires <= late) {
            return Err(Error::Expired);
        }
        let ahead = |date| early.is_some_and(|early| date > early);
        if ahead(issued) || date(&claims, "nbf")?.is_some_and(ahead) {
            return Err(Error::FromFuture);
        }
        match claims.get("nonce") {
            None if expected.nonce_required => return Err(Error::Nonce),
            None => {}
            Some(nonce) => {
                let nonce = nonce.text().unwrap_or_default().as_bytes();
                if !bool::from(nonce.ct_eq(expected.nonce.as_bytes())) {
                    return Err(Error::Nonce);
                }
            }
        }
        let sub = text("sub").filter(|sub| (1..=SUBJECT).contains(&sub.len()));
        let id = match claims.get("id") {
            None => None,
            Some(id) => {
                let id = id.whole().filter(|id| *id > 0);
                Some(id.ok_or(Error::Claim("id"))?)
            }
        };
        let optional = |name: &'static str| match claims.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Error::Claim(name)),
        };
        let fingerprint = Sha256::digest(opened.signed).into();
        let lifetime = expires.duration_since(issued).unwrap_or_default();
        Ok(Self {
            sub: sub.ok_or(Error::Claim("sub"))?.to_owned(),
            id,
            name: optional("name")?,
            preferred_username: optional("preferred_username")?,
            picture: optional("picture")?,
            phone_number: optional("phone_number")?,
            issued,
            expires,
            fingerprint: Fingerprint::new(fingerprint, issued, lifetime + SKEW),
            claims,
        })
    }
}

/// The claims' names and nobody's phone number.
impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdToken")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .field("claims", &self.claims.keys())
            .finish_non_exhaustive()
    }
}

/// What the claims are held against.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) nonce_required: bool,
    pub(super) now: SystemTime,
}

/// Made for this client; if for others too, then asked for by this one.
fn audience(claims: &Object, client_id: &str) -> Result<(), Error> {
    let azp = claims.get("azp").map(|azp| azp.text() == Some(client_id));
    let (ours, alone) = match claims.get("aud") {
        Some(Json::Text(audience)) => (audience == client_id, true),
        Some(Json::List(list)) => {
            (list.iter().any(|audience| audience.text() == Some(client_id)), list.len() == 1)
        }
        _ => return Err(Error::Claim("aud")),
    };
    let asked = azp.unwrap_or(alone);
    (ours && asked).then_some(()).ok_or(Error::Audience)
}

/// A date in whole seconds since 1970.
fn date(claims: &Object, name: &'static str) -> Result<Option<SystemTime>, Error> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.whole().and_then(|seconds| u64::try_from(seconds).ok());
    let since = Duration::from_secs(seconds.ok_or(Error::Claim(name))?);
    SystemTime::UNIX_EPOCH.checked_add(since).map(Some).ok_or(Error::Claim(name))
}

/// The longest `sub`, in bytes: openid.net/specs/openid-connect-core-1_0.html#IDToken.
const SUBJECT: usize = 255;
