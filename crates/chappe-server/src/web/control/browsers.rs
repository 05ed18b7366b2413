//! Browsers that are played at the control port: what an app is asked for the consent by, for test
//! suites in any language.

use std::net::IpAddr;

use axum::{Router, body::Body, extract::State, http::StatusCode, routing::post};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Desk, answer, ok, read};
use crate::bots::MatchCode;
use crate::browser::{Browser, Browsers, NewLogin};
use crate::logins::App;

/// The paths of played browsers. The token of one stands in bodies only, since paths are kept in
/// histories.
pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/browsers", post(begin))
        .route("/browsers/phone", post(type_phone))
        .route("/browsers/progress", post(progress))
        .route("/browsers/claim", post(claim))
}

/// The body of `POST /browsers`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    bot: String,
    #[serde(default)]
    phone: bool,
    #[serde(default)]
    write: bool,
    match_code: Option<MatchCode>,
    app: Option<NewApp>,
    user_id_hint: Option<i64>,
    from: Option<Place>,
}

/// An app instead of a browser.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewApp {
    verified_name: Option<String>,
}

/// What the browser says of itself, and where it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    browser: String,
    platform: String,
    ip: IpAddr,
}

/// The body that names a browser.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    browser: String,
    #[serde(default)]
    phone: String,
}

/// `POST /browsers`
async fn begin(State(Desk { browsers, .. }): State<Desk>, body: Body) -> Answer {
    let New { bot, phone, write, match_code, app, user_id_hint, from } = read(body).await?;
    let mut login = NewLogin::at(bot);
    (login.scopes.phone, login.scopes.write) = (phone, write);
    (login.match_codes, login.user_id_hint) = (match_code.unwrap_or_default(), user_id_hint);
    login.app = app.map(|NewApp { verified_name }| App { verified_name });
    if let Some(Place { browser, platform, ip }) = from {
        login = login.from(&browser, &platform, ip);
    }
    let browser = browsers.log_in(login).await?;
    let shown = json!({
        "browser": browser.token(), "link": browser.link(), "web_link": browser.web_link(),
        "match_code": browser.match_code(),
    });
    Ok(answer(StatusCode::CREATED, &shown))
}

/// `POST /browsers/phone`
async fn type_phone(State(Desk { browsers, .. }): State<Desk>, body: Body) -> Answer {
    let Named { browser, phone } = read(body).await?;
    ok(&json!({ "asked": browsers.find(browser).type_phone(&phone).await? }))
}

/// `POST /browsers/progress`
async fn progress(State(Desk { browsers, .. }): State<Desk>, body: Body) -> Answer {
    ok(&json!({ "progress": named(&browsers, body).await?.progress().await? }))
}

/// `POST /browsers/claim`
async fn claim(State(Desk { browsers, .. }): State<Desk>, body: Body) -> Answer {
    ok(&json!({ "logged_in": named(&browsers, body).await?.claim().await? }))
}

async fn named(browsers: &Browsers, body: Body) -> Result<Browser, super::Refusal> {
    let Named { browser, .. } = read(body).await?;
    Ok(browsers.find(browser))
}

/// An example of everything that a browser can be told, as `POST /browsers` takes it.
pub(super) const EXAMPLES: &[&str] = &[
    r#"{"bot": "ColumbusDemoBot"}"#,
    r#"{"bot": "ColumbusDemoBot", "phone": true, "write": true}"#,
    r#"{"bot": "ColumbusDemoBot", "match_code": "asked"}"#,
    r#"{"bot": "ColumbusDemoBot", "match_code": "first"}"#,
    r#"{"bot": "ColumbusDemoBot", "app": {"verified_name": "Columbus"}}"#,
    r#"{"bot": "ColumbusDemoBot", "app": {}, "user_id_hint": 42}"#,
    r#"{"bot": "ColumbusDemoBot", "from": {"browser": "Safari 20", "platform": "iOS", "ip": "192.0.2.7"}}"#,
];
