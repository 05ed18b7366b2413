//! Bots at the control port: what people do with @BotFather, as JSON over HTTP.

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Desk, Refusal, answer, ok, read};
use crate::bots::{BotInfo, BotSettings, ClientSecret};

/// The paths of bots.
pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/bots", get(list_bots).post(new_bot))
        .route("/bots/{username}", get(look_at_bot).put(set_bot).delete(remove_bot))
        .route("/bots/{username}/secret", post(new_secret))
}

/// `GET /bots`
async fn list_bots(State(Desk { bots, .. }): State<Desk>) -> Answer {
    ok(&json!({ "bots": bots.list().await? }))
}

/// `POST /bots`
async fn new_bot(State(Desk { bots, .. }): State<Desk>, body: Body) -> Answer {
    let New { username, name } = read(body).await?;
    let bot = bots.new_bot(&username, &name).await?;
    Ok(answer(StatusCode::CREATED, &json!(bot)))
}

/// The body of `POST /bots`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    username: String,
    name: String,
}

/// `GET /bots/{username}`
async fn look_at_bot(
    State(Desk { bots, .. }): State<Desk>,
    Path(username): Path<String>,
) -> Answer {
    let bot = bots.get(&username).await?.ok_or_else(no_bot)?;
    bot_answer(&bot, None)
}

/// `PUT /bots/{username}`
async fn set_bot(
    State(Desk { bots, .. }): State<Desk>,
    Path(username): Path<String>,
    body: Body,
) -> Answer {
    let settings: BotSettings = read(body).await?;
    let secret = bots.set(&username, settings).await?;
    let bot = bots.get(&username).await?.ok_or_else(no_bot)?;
    bot_answer(&bot, secret.as_ref())
}

/// `DELETE /bots/{username}`
async fn remove_bot(State(Desk { bots, .. }): State<Desk>, Path(username): Path<String>) -> Answer {
    let bot = bots.remove(&username).await?.ok_or_else(no_bot)?;
    bot_answer(&bot, None)
}

/// `POST /bots/{username}/secret`
async fn new_secret(State(Desk { bots, .. }): State<Desk>, Path(username): Path<String>) -> Answer {
    let secret = bots.new_secret(&username).await?;
    let bot = bots.get(&username).await?.ok_or_else(no_bot)?;
    bot_answer(&bot, Some(&secret))
}

/// A bot, and what tells an OpenID library who it is.
fn bot_answer(bot: &BotInfo, secret: Option<&ClientSecret>) -> Answer {
    let mut body = json!(bot);
    if let (Some(body), true) = (body.as_object_mut(), bot.settings.oidc.is_some()) {
        body.insert("client_id".to_owned(), bot.user_id.to_string().into());
        if let Some(secret) = secret {
            body.insert("client_secret".to_owned(), secret.as_str().into());
        }
    }
    ok(&body)
}

fn no_bot() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "there is no such bot", "GET /bots lists those there are")
}

/// An example of every setting of a bot, as `PUT /bots/{username}` takes it.
pub(super) const EXAMPLES: &[&str] = &[
    r#"{"domain": "localhost"}"#,
    r#"{"oidc": {"urls": ["http://localhost:8080", "http://localhost:8080/callback"]}}"#,
    r#"{"oidc": {"native_urls": ["quayshop://tglogin"]}}"#,
    r#"{"oidc": {"alg": "ES256"}}"#,
    r#"{"oidc": {"nonce": "always"}}"#,
    r#"{"oidc": {"match_codes": "asked"}}"#,
    r#"{"oidc": {"enabled": false}}"#,
];
