//! Logs in by OpenID Connect for programs in other languages, which do the HTTP: a JSON object a
//! line on standard input, an answer a line on standard output.
//!
//! Each object describes the client: `client_id`, `redirect_uri`, `issuer` and its `discovery`
//! document (an object), `alg`, `secret` and, for `client_secret_post`, `"secret_in": "form"`. The
//! `kind` is one of
//!
//! - `begin`: `{"ok": {"url": "..", "pending": ".."}}`;
//! - `callback` with `pending` and `data`, the query that came back: the POST to send,
//!   `{"ok": {"url": "..", "authorization": "Basic ..", "body": ".."}}`;
//! - `finish` with `pending`, `status` and `data`, the answer to that, and the key set `jwks` (an
//!   object): `{"ok": {claims}}`;
//! - `posted` with `pending`, `jwks` and `data`, an id_token: `{"ok": {claims}}`.
//!
//! Refusals are `{"error": "State", "message": ".."}`. `now` is in unix seconds.

use std::{
    io::{self, BufRead, Write},
    time::{Duration, SystemTime},
};

use chappe_login::oidc::{
    Alg, Client, ClientSecret, Error, IdToken, Keys, Pending, Provider, RawIdToken, Scope,
};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(asked) => answer(&asked).unwrap_or_else(refusal),
            Err(error) => json!({"error": "Asked", "message": error.to_string()}),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(asked: &Value) -> Result<Value, Error> {
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(asked["now"].as_u64().unwrap_or(0));
    let client = client(asked)?;
    let pending = || Pending::load(text("pending"));
    let keys = || {
        let mut keys = Keys::new();
        keys.read(asked["jwks"].to_string().as_bytes(), now).map(|()| keys)
    };
    let answer = match text("kind") {
        "begin" => {
            let pending = Pending::new(now)?;
            let scopes = [Scope::Profile, Scope::Phone];
            let url = client.authorization_url(&scopes, &pending);
            json!({"url": url, "pending": *pending.save()})
        }
        "callback" => {
            let code = client.callback(&pending()?, text("data"), now)?;
            let request = client.token_request(&pending()?, &code);
            let authorization = request.authorization.as_ref().map(|header| header.as_str());
            json!({"url": request.url, "authorization": authorization, "body": *request.body})
        }
        "finish" => {
            let status = asked["status"].as_u64().and_then(|status| u16::try_from(status).ok());
            let token = client.token_response(status.unwrap_or(0), text("data").as_bytes())?;
            claims(&client.check(&token, &pending()?, &keys()?, now)?)
        }
        "posted" => {
            let token = RawIdToken::new(text("data"));
            claims(&client.check_posted(&token, &pending()?, &keys()?, now)?)
        }
        kind => return Ok(json!({"error": "Asked", "message": format!("no kind {kind:?}")})),
    };
    Ok(json!({ "ok": answer }))
}

fn client(asked: &Value) -> Result<Client, Error> {
    let text = |name: &str| asked[name].as_str();
    let provider = match (text("issuer"), &asked["discovery"]) {
        (Some(issuer), document) => {
            Provider::from_discovery(issuer, document.to_string().as_bytes())?
        }
        (None, _) => Provider::telegram(),
    };
    let (id, redirect_uri) = (text("client_id"), text("redirect_uri"));
    let client = Client::new(provider, id.unwrap_or_default(), redirect_uri.unwrap_or_default())?;
    let client = match text("alg") {
        Some(name) => client.with_alg(Alg::from_name(name).ok_or(Error::Algorithm)?),
        None => client,
    };
    Ok(match text("secret").map(ClientSecret::new).transpose()? {
        Some(secret) if text("secret_in") == Some("form") => client.with_secret_in_form(secret),
        Some(secret) => client.with_secret(secret),
        None => client,
    })
}

fn claims(token: &IdToken) -> Value {
    json!({
        "sub": token.sub,
        "id": token.id,
        "name": token.name,
        "preferred_username": token.preferred_username,
        "picture": token.picture,
        "phone_number": token.phone_number,
    })
}

fn refusal(error: Error) -> Value {
    let name = format!("{error:?}");
    let name = name.split(|c: char| !c.is_alphanumeric()).next();
    json!({"error": name, "message": error.to_string()})
}
