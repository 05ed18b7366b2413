//! The OpenID provider: "Log In with Telegram" (core.telegram.org/bots/telegram-login).
//!
//! ```text
//! site, by a redirect     GET /auth?response_type=code          -> code -> POST /token -> id_token
//! site, by the library    GET /auth?response_type=post_message  -> id_token, by a message to the page
//! page within Telegram    GET /inapp?client_id=                 -> link -> app -> GET /inapp?code= -> id_token
//! native app              GET /crossapp                         -> link -> app -> code -> POST /token -> id_token
//! ```
//!
//! The addresses that stand for the last two are in Telegram's own libraries and not in its
//! documentation (Observed).

mod apps;
mod authorize;
mod fault;
mod id_token;
mod keys;
mod token;

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::Response,
    routing::get,
};
use serde_json::json;

use super::{Telegram, pages};

pub(crate) use self::{
    authorize::{authorize, finish},
    keys::Keys,
};

/// What a site can ask for. Telegram's list has `ton:wallet`, too: nobody has a wallet here.
const SCOPES: [&str; 4] = [OPENID, PROFILE, PHONE, WRITE];

const OPENID: &str = "openid";
const PROFILE: &str = "profile";
const PHONE: &str = "phone";
const WRITE: &str = "telegram:bot_access";

/// The paths of the provider, but not `/auth`, which is for all ways to log in.
pub(crate) fn routes() -> Router<Telegram> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/.well-known/jwks.json", get(public_keys))
        .merge(token::routes())
        .merge(apps::routes())
}

/// `GET /.well-known/openid-configuration`: what the provider can (OpenID Connect Discovery 1.0,
/// section 3).
async fn discovery(State(telegram): State<Telegram>) -> Response {
    let base = telegram.base();
    public(pages::json(&json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/auth"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        // Assumed: the documentation says no more than that `sub` is not the user id.
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA", "ES256K"],
        "scopes_supported": SCOPES,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "claims_supported": [
            "aud", "preferred_username", "phone_number", "exp", "iat", "iss", "name", "picture", "sub",
        ],
    })))
}

/// `GET /.well-known/jwks.json`
async fn public_keys(State(telegram): State<Telegram>) -> Response {
    let keys = telegram.keys().map_or_else(|| json!({ "keys": [] }), Keys::public);
    public(pages::json(&keys))
}

/// Lets every page read an answer: there is nothing in it that not everybody may know.
fn public(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    response
}
