//! `POST /token`: an authorization code is changed for an id_token, once. (RFC 6749, section 4.1.3)

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::post,
};
use base64ct::{Base64, Encoding};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    super::{Telegram, pages::Problem, parameters::Parameters},
    fault::{Fault, private},
    id_token::{LIFETIME, Way, id_token},
};
use crate::world::{Pkce, Redeemed, Redemption};

/// The type of the body.
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn routes() -> Router<Telegram> {
    Router::new().route("/token", post(token).fallback(only_post))
}

/// `POST /token`
async fn token(
    State(telegram): State<Telegram>,
    headers: HeaderMap,
    uri: Uri,
    body: Body,
) -> Result<Response, Fault> {
    let redemption = read(&headers, &uri, body).await?;
    let redeemed = telegram
        .run(move |world, now| Ok((world.redeem_code(now, &redemption)?, now)))
        .await
        .map_err(Problem::from)?;
    match redeemed {
        (Redeemed::Identity(identity, access_token), now) => {
            let id_token = id_token(&telegram, now, &identity, Way::Code)?;
            Ok(private(&json!({
                "access_token": access_token.as_str(),
                "token_type": "Bearer",
                "expires_in": LIFETIME,
                "id_token": id_token,
            })))
        }
        (Redeemed::NoClient, _) => Err(no_client()),
        (Redeemed::NoGrant, _) => Err(Fault::new(
            "invalid_grant",
            "the code is unknown, used, over, for another client or another redirect_uri, or the \
             code_verifier does not belong to it",
        )),
    }
}

/// Every other method of `/token`.
async fn only_post() -> Response {
    let refusal = Fault::invalid("only POST is taken, with the parameters in its body");
    let mut response = refusal.into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// Reads a request.
async fn read(headers: &HeaderMap, uri: &Uri, body: Body) -> Result<Redemption, Fault> {
    if uri.query().is_some() {
        // Addresses end up in logs.
        return Err(Fault::invalid("parameters belong into the body, not into the address"));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(FORM) {
        return Err(Fault::invalid(format!("the Content-Type must be {FORM}")));
    }
    let form = Parameters::of_form(body).await?;
    let given = |name: &str| form.get(name).map(ToOwned::to_owned);
    match form.get("grant_type") {
        Some("authorization_code") => {}
        Some(_) => {
            return Err(Fault::new(
                "unsupported_grant_type",
                "grant_type must be authorization_code",
            ));
        }
        None => return Err(Fault::invalid("grant_type is missing")),
    }
    let (client_id, secret) = client(headers, given("client_id"), given("client_secret"))?;
    let needed =
        |name: &str| given(name).ok_or_else(|| Fault::invalid(format!("{name} is missing")));
    let (code, redirect_uri) = (needed("code")?, needed("redirect_uri")?);
    let verifier = given("code_verifier");
    if !verifier.as_deref().is_none_or(Pkce::can_be_verifier) {
        return Err(Fault::invalid(
            "code_verifier must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~",
        ));
    }
    Ok(Redemption {
        client_id,
        secret,
        code: Zeroizing::new(code),
        redirect_uri,
        verifier: verifier.map(Zeroizing::new),
    })
}

/// Who says to be the client, and by what: one way only. (RFC 6749, section 2.3)
fn client(
    headers: &HeaderMap,
    id: Option<String>,
    secret: Option<String>,
) -> Result<(String, Option<Zeroizing<String>>), Fault> {
    let mut found = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = match (found.next(), found.next()) {
        (None, _) => {
            let id = id.ok_or_else(|| Fault::new("invalid_client", "client_id is missing"))?;
            return Ok((id, secret.map(Zeroizing::new)));
        }
        (Some(authorization), None) => authorization,
        (Some(_), Some(_)) => return Err(Fault::invalid("there are two Authorization headers")),
    };
    if secret.is_some() {
        return Err(Fault::invalid(
            "a client shows who it is by the Authorization header or by client_secret, not by both",
        ));
    }
    let (user, password) = basic(authorization).ok_or_else(no_client)?;
    if id.is_some_and(|id| id != user) {
        return Err(Fault::invalid("client_id is another one than in the Authorization header"));
    }
    Ok((user, Some(password)))
}

/// The two halves of `Basic` credentials, which are form-encoded inside. (RFC 6749, section 2.3.1)
fn basic(authorization: &HeaderValue) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = authorization.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(Base64::decode_vec(encoded.trim()).ok()?);
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((form_decoded(user)?, Zeroizing::new(form_decoded(password)?)))
}

/// Decodes one value of a form.
fn form_decoded(text: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    let (value, nothing) = pairs.next()?;
    (nothing.is_empty() && !text.contains(['=', '&'])).then(|| value.into_owned())
}

fn no_client() -> Fault {
    Fault::new(
        "invalid_client",
        "client_id and client_secret do not belong together, or the client is disabled",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_basic(text: &str) -> Option<(String, String)> {
        let value = format!("Basic {}", Base64::encode_string(text.as_bytes()));
        let (user, password) = basic(&HeaderValue::from_str(&value).unwrap())?;
        Some((user, password.as_str().to_owned()))
    }

    #[test]
    fn credentials_are_decoded_twice() {
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(read_basic("1:a-b_c"), pair("1", "a-b_c"));
        assert_eq!(read_basic("1:a%2Db%5Fc+d"), pair("1", "a-b_c d"));
        assert_eq!(read_basic("1:a:b"), pair("1", "a:b"));
        for text in ["", "1", ":x", "1:", "1:a=b", "1:a&b", "1&2:a"] {
            assert_eq!(read_basic(text), None, "{text}");
        }
        for header in ["Basic", "Basic !", "Bearer MTph", "Basic MTph=", "MTph"] {
            assert!(basic(&HeaderValue::from_str(header).unwrap()).is_none(), "{header}");
        }
    }
}
