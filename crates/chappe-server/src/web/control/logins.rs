//! Login requests at the control port: how a test suite in any language approves a login without a
//! person.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{StatusCode, Uri},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::{Answer, Desk, Refusal, decode, ok, read, seconds};
use crate::logins::{Grant, Login};

/// The paths of login requests.
pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/logins", get(list))
        .route("/logins/{id}", get(look))
        .route("/logins/{id}/approve", post(approve))
        .route("/logins/{id}/decline", post(decline))
}

/// `GET /logins?timeout=...`: those that wait; if none does, the first that comes in time.
async fn list(State(Desk { logins, .. }): State<Desk>, uri: Uri) -> Answer {
    let patience = seconds(&uri)?;
    // Begun before the look, so that none is missed between it and the wait.
    let mut arrivals = logins.arrivals();
    let mut pending = logins.pending().await?;
    if let Some(patience) = patience.filter(|_| pending.is_empty())
        && let Ok(next) = timeout(Duration::from_secs_f64(patience), arrivals.next()).await
    {
        pending.push(next?);
    }
    ok(&json!({ "logins": pending }))
}

/// `GET /logins/{id}`
async fn look(State(Desk { logins, .. }): State<Desk>, Path(id): Path<String>) -> Answer {
    let id = login_id(&id)?;
    let found: Option<Login> = logins.pending().await?.into_iter().find(|login| login.id == id);
    ok(&found.ok_or_else(no_login)?)
}

/// `POST /logins/{id}/approve`
async fn approve(
    State(Desk { logins, .. }): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let id = login_id(&id)?;
    let mut answer: Map<String, Value> = read(body).await?;
    let user = answer.remove("user").ok_or_else(|| {
        Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "nobody is named who approves",
            "send {\"user\": ...} with a user id or a phone number, of any account",
        )
    })?;
    let grant: Grant = decode(Value::Object(answer))?;
    let user_id = match decode::<Who>(user)? {
        Who::Id(id) => id,
        Who::Phone(phone) => logins.user_of_phone(phone).await?,
    };
    ok(&logins.approve(id, user_id, grant).await?)
}

/// Names an account.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a user is named by an id, which is a number, or by a phone number")]
enum Who {
    Id(i64),
    Phone(String),
}

/// `POST /logins/{id}/decline`
async fn decline(State(Desk { logins, .. }): State<Desk>, Path(id): Path<String>) -> Answer {
    logins.decline(login_id(&id)?).await.map_err(Refusal::from)?;
    ok(&json!({ "declined": true }))
}

fn no_login() -> Refusal {
    let error = "no request with this number waits for an answer";
    Refusal::new(StatusCode::NOT_FOUND, error, "GET /logins lists those that do")
}

fn login_id(text: &str) -> Result<i64, Refusal> {
    super::id(text, "login request", "GET /logins tells it")
}

/// An example of every answer to a request, as `POST /logins/{id}/approve` takes it.
pub(super) const EXAMPLES: &[&str] = &[
    r#"{"user": "+999 66 2 1234"}"#,
    r#"{"user": "+999 66 2 1234", "write": true, "phone": true}"#,
    r#"{"user": "+999 66 2 1234", "match_code": "🦊"}"#,
];
