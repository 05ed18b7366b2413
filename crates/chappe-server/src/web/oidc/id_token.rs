//! What an id_token says.

use serde_json::{Map, Value};

use super::super::{Telegram, pages::Problem};
use crate::{bots::Nonce, world::Identity};

/// How long an id_token is good, in seconds. Observed: an hour.
pub(super) const LIFETIME: i32 = 3_600;

/// The way that an id_token takes to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A code, which is changed for it.
    Code,
    /// A message from a popup.
    Popup,
}

/// Makes an id_token.
///
/// # Errors
/// When the keys of the server are damaged.
pub(super) fn id_token(
    telegram: &Telegram,
    now: i32,
    identity: &Identity,
    way: Way,
) -> Result<String, Problem> {
    let alg = identity.client.alg;
    let claims = claims(telegram.base(), now, identity, way);
    telegram.keys().and_then(|keys| keys.sign(alg, &claims)).ok_or_else(|| {
        Problem::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            "The id_token could not be signed",
            "The keys of the local Telegram are damaged: remove oidc-keys.json from its data directory \
             and start it again.",
        )
    })
}

/// The claims. `openid` stands for who says it to whom about whom, `profile` for `id` and the names,
/// `phone` for the phone number (core.telegram.org/bots/telegram-login).
fn claims(issuer: &str, now: i32, identity: &Identity, way: Way) -> Value {
    let (user, granted) = (&identity.user, &identity.granted);
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("iss", issuer.into());
    claim("aud", identity.bot_id.to_string().into());
    claim("sub", identity.subject.as_str().into());
    claim("iat", now.into());
    claim("exp", now.saturating_add(LIFETIME).into());
    let repeated = match identity.client.nonce {
        Nonce::Always => true,
        Nonce::Popup => way == Way::Popup,
        Nonce::Never => false,
    };
    if let (true, Some(nonce)) = (repeated, &identity.nonce) {
        claim("nonce", nonce.as_str().into());
    }
    if granted.profile {
        claim("id", user.id.into());
        claim("name", user.full_name().into());
        if let Some(username) = &user.username {
            claim("preferred_username", username.as_str().into());
        }
        if let Some(picture) = &identity.picture {
            claim("picture", picture.as_str().into());
        }
    }
    if let (true, Some(phone)) = (granted.phone, &user.phone) {
        // Assumed: digits only, as Telegram writes phone numbers everywhere else.
        claim("phone_number", phone.as_str().into());
    }
    Value::Object(claims)
}
