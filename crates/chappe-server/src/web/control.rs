//! The control port: [`Faults`](crate::faults::Faults) as JSON over HTTP, for test suites in any
//! language, how phone numbers sign in, and what is set for bots. `FAULTS.md`, `LOGIN.md` and
//! `WEB_LOGIN.md` are its manuals.
//!
//! Whoever reaches it can break the server, so it listens on loopback only. A page in a browser of
//! this machine reaches that too: what bears an `Origin`, or names a host that is not this machine
//! (a page can point its own name here), is refused.

mod bots;
mod browsers;
mod logins;

use std::{str::FromStr, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use strsim::levenshtein;
use tokio::time::timeout;

use super::guard::is_here;
use crate::{
    Error,
    bots::{BotFather, UNKNOWN},
    browser::Browsers,
    faults::{Action, Fault, FaultId, Faults, Scope},
    letters::{Letter, Letters},
    logins::Logins,
    numbers::{Number, Numbers},
    world,
};

/// Everything that can be asked for.
pub(crate) fn site(desk: Desk) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/faults", get(list).post(add).delete(clear))
        .route("/faults/{id}", get(look).delete(remove))
        .route("/do/{action}", post(act))
        .route("/calls", get(calls))
        .route("/letters", get(list_letters))
        .merge(logins::routes())
        .merge(browsers::routes())
        .route("/numbers", get(list_numbers))
        .route("/numbers/{phone}", get(look_at_number).put(set_number).delete(remove_number))
        .merge(bots::routes())
        .route("/state", get(state))
        .route("/idle", get(idle))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(guard))
        .with_state(desk)
}

/// What the handlers speak to.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) faults: Faults,
    pub(crate) letters: Letters,
    pub(crate) logins: Logins,
    pub(crate) browsers: Browsers,
    pub(crate) numbers: Numbers,
    pub(crate) bots: BotFather,
}

/// What is wrong with a request, and what to do.
struct Refusal {
    status: StatusCode,
    error: String,
    hint: String,
}

type Answer = Result<Response, Refusal>;

impl Refusal {
    fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: hint.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "hint": self.hint });
        answer(self.status, &body)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Bot(error) if error.problem() == UNKNOWN => {
                Self::new(StatusCode::NOT_FOUND, error.problem(), error.hint())
            }
            Error::Bot(error)
            | Error::Fault(error)
            | Error::Login(error)
            | Error::Number(error) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.problem(), error.hint())
            }
            Error::NoSite(_) => Self::new(
                StatusCode::NOT_FOUND,
                error.to_string(),
                "PUT /bots/{username} sets a domain, GET /bots lists the bots",
            ),
            error => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                error.to_string(),
                "start the server again",
            ),
        }
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut text = body.to_string();
    text.push('\n');
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], text).into_response()
}

fn ok(body: &impl serde::Serialize) -> Answer {
    let body = serde_json::to_value(body).map_err(|error| {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), "report this")
    })?;
    Ok(answer(StatusCode::OK, &body))
}

/// Refuses whatever a web page may have sent.
async fn guard(request: Request, next: Next) -> Response {
    match check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    let refused = |error: &str, hint: &str| Refusal::new(StatusCode::FORBIDDEN, error, hint);
    if !is_here(headers) {
        return Err(refused(
            "the `Host` is not this machine",
            "dial 127.0.0.1, [::1] or localhost by that name",
        ));
    }
    if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
        return Err(refused(
            "web pages may not control a server",
            "ask from a program that is no browser; it sends no `Origin`",
        ));
    }
    Ok(())
}

/// `GET /`: what there is, each with an example.
async fn index() -> Answer {
    let examples = |texts: &[&str]| -> Vec<Value> {
        texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
    };
    let actions: Map<String, Value> = ACTIONS
        .iter()
        .filter_map(|(name, body)| Some(((*name).to_owned(), serde_json::from_str(body).ok()?)))
        .collect();
    let faults = examples(FAULTS);
    let (numbers, bots) = (examples(NUMBERS), examples(bots::EXAMPLES));
    let (logins, browsers) = (examples(logins::EXAMPLES), examples(browsers::EXAMPLES));
    ok(&json!({
        "paths": PATHS, "faults": faults, "actions": actions, "numbers": numbers, "bots": bots,
        "logins": logins, "browsers": browsers,
    }))
}

/// `GET /faults`
async fn list(State(Desk { faults, .. }): State<Desk>) -> Answer {
    ok(&json!({ "faults": faults.list().await? }))
}

/// `POST /faults`
async fn add(State(Desk { faults, .. }): State<Desk>, body: Body) -> Answer {
    let fault: Fault = read(body).await?;
    let id = faults.add(fault).await?;
    Ok(answer(StatusCode::CREATED, &json!({ "id": id })))
}

/// `DELETE /faults`
async fn clear(State(Desk { faults, .. }): State<Desk>) -> Answer {
    ok(&json!({ "removed": faults.clear().await? }))
}

/// `GET /faults/{id}`
async fn look(State(Desk { faults, .. }): State<Desk>, Path(id): Path<String>) -> Answer {
    let id = fault_id(&id)?;
    let found = faults.list().await?.into_iter().find(|fault| fault.id == id);
    ok(&found.ok_or_else(|| no_fault(id))?)
}

/// `DELETE /faults/{id}`
async fn remove(State(Desk { faults, .. }): State<Desk>, Path(id): Path<String>) -> Answer {
    let id = fault_id(&id)?;
    ok(&faults.remove(id).await?.ok_or_else(|| no_fault(id))?)
}

/// `POST /do/{action}`
async fn act(
    State(Desk { faults, .. }): State<Desk>,
    Path(name): Path<String>,
    body: Body,
) -> Answer {
    let mut arguments: Map<String, Value> = read(body).await?;
    let scope = match arguments.remove("scope") {
        Some(scope) => decode::<Scope>(scope)?,
        None => Scope::everything(),
    };
    let name = name.replace('-', "_");
    let action = match arguments.is_empty() {
        true => Value::String(name.clone()),
        false => json!({ name.clone(): arguments }),
    };
    let action = match serde_json::from_value::<Action>(action) {
        Ok(action) => action,
        // An action that has arguments says which ones are missing when it gets an empty object.
        Err(_) => decode(json!({ name: arguments }))?,
    };
    ok(&json!({ "touched": faults.act(action, scope).await? }))
}

/// `GET /calls?method=...`
async fn calls(State(Desk { faults, .. }): State<Desk>, uri: Uri) -> Answer {
    let method = parameter(&uri, "method")?;
    let mut calls = faults.calls().await?;
    if let Some(method) = method {
        calls.methods.retain(|name, _| *name == method);
        calls.recent.retain(|call| *call.method == *method);
    }
    ok(&calls)
}

/// `GET /letters?to=...`
async fn list_letters(State(Desk { letters, .. }): State<Desk>, uri: Uri) -> Answer {
    let to = parameter(&uri, "to")?.map(|to| world::letterbox(&to));
    let mut letters: Vec<Letter> = letters.list().await?;
    letters.retain(|letter| to.as_ref().is_none_or(|to| letter.to == *to));
    ok(&json!({ "letters": letters }))
}

/// `GET /numbers`
async fn list_numbers(State(Desk { numbers, .. }): State<Desk>) -> Answer {
    ok(&json!({ "numbers": numbers.list().await? }))
}

/// `GET /numbers/{phone}`
async fn look_at_number(
    State(Desk { numbers, .. }): State<Desk>,
    Path(phone): Path<String>,
) -> Answer {
    ok(&numbers.get(&phone).await?.ok_or_else(no_number)?)
}

/// `PUT /numbers/{phone}`
async fn set_number(
    State(Desk { numbers, .. }): State<Desk>,
    Path(phone): Path<String>,
    body: Body,
) -> Answer {
    let number: Number = read(body).await?;
    numbers.set(&phone, number).await?;
    ok(&numbers.get(&phone).await?)
}

/// `DELETE /numbers/{phone}`
async fn remove_number(
    State(Desk { numbers, .. }): State<Desk>,
    Path(phone): Path<String>,
) -> Answer {
    ok(&numbers.remove(&phone).await?.ok_or_else(no_number)?)
}

/// `GET /state`
async fn state(State(Desk { faults, .. }): State<Desk>) -> Answer {
    ok(&faults.state().await?)
}

/// `GET /idle?timeout=...`
async fn idle(State(Desk { faults, .. }): State<Desk>, uri: Uri) -> Answer {
    let seconds = seconds(&uri)?.unwrap_or(WAIT);
    match timeout(Duration::from_secs_f64(seconds), faults.idle()).await {
        Ok(rest) => {
            rest.map(|()| answer(StatusCode::OK, &json!({ "idle": true }))).map_err(Into::into)
        }
        Err(_) => ok(&json!({ "idle": false })),
    }
}

async fn nowhere(uri: Uri) -> Refusal {
    let near = PATHS.iter().min_by_key(|path| {
        path.split(' ').next_back().map_or(usize::MAX, |path| levenshtein(path, uri.path()))
    });
    let hint = format!("did you mean {}? GET / lists all", near.unwrap_or(&"GET /"));
    Refusal::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()), hint)
}

async fn wrong_method(method: Method, uri: Uri) -> Refusal {
    let error = format!("{method} does nothing at {}", uri.path());
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error, format!("there are {}", PATHS.join(", ")))
}

fn no_fault(id: FaultId) -> Refusal {
    let error = format!("there is no fault {id}");
    Refusal::new(StatusCode::NOT_FOUND, error, "GET /faults lists those there are")
}

fn no_number() -> Refusal {
    let error = "nothing was ordered for this number";
    Refusal::new(StatusCode::NOT_FOUND, error, "GET /numbers lists what was")
}

/// Reads the number behind a path that names something.
fn id<T: FromStr>(text: &str, what: &str, hint: &str) -> Result<T, Refusal> {
    let error = format!("the id of a {what} is a number");
    text.parse().map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, error, hint))
}

fn fault_id(text: &str) -> Result<FaultId, Refusal> {
    id(text, "fault", "POST /faults answers it").map(FaultId)
}

/// The value of one parameter behind the path, the only one that may stand there.
fn parameter(uri: &Uri, name: &str) -> Result<Option<String>, Refusal> {
    let Some(query) = uri.query().filter(|query| !query.is_empty()) else { return Ok(None) };
    let value = query.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
    let plain =
        |value: &&str| value.bytes().all(|b| b.is_ascii_alphanumeric() || b".@+-_".contains(&b));
    value.filter(plain).map(|value| Some(value.to_owned())).ok_or_else(|| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "that cannot be asked for",
            format!("only ?{name}=... may follow, with letters, digits and any of .@+-_"),
        )
    })
}

/// How many seconds a request wants to wait, if it says so.
fn seconds(uri: &Uri) -> Result<Option<f64>, Refusal> {
    let Some(text) = parameter(uri, "timeout")? else { return Ok(None) };
    let seconds = text.parse::<f64>().ok().filter(|wait| (0.0..=MAX_WAIT).contains(wait));
    seconds.map(Some).ok_or_else(|| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "that is no `timeout`",
            format!("give seconds, up to {MAX_WAIT}"),
        )
    })
}

/// Reads a body: an object, or nothing for an empty one.
async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let body = timeout(BODY_DEADLINE, to_bytes(body, MAX_BODY)).await.map_err(|_| {
        Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "the body was not complete in time",
            "send all of it at once",
        )
    })?;
    let body = body.map_err(|_| {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large or broke off",
            format!("send up to {MAX_BODY} bytes"),
        )
    })?;
    let body = if body.is_empty() { &b"{}"[..] } else { &body[..] };
    let value: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("the body is no JSON object: {error}"),
            "send an object such as {\"fault\": \"drop\", \"way\": \"down\"}",
        )
    })?;
    decode(Value::Object(value))
}

/// Turns JSON into what it stands for.
fn decode<T: DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    T::deserialize(value).map_err(|error| {
        let error = error.to_string();
        let hint = explain(&error);
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error, hint)
    })
}

/// What to do about an error of serde: that names the wrong word first, then the right ones.
fn explain(error: &str) -> String {
    let mut words = error.split('`').skip(1).step_by(2);
    let wrong = words.next().unwrap_or_default();
    // The beginning of a word is nearer to it than any other word.
    let far = |word: &&str| match !wrong.is_empty() && word.starts_with(wrong) {
        true => 0,
        false => levenshtein(word, wrong),
    };
    match words.min_by_key(far) {
        Some(near) if far(&near) <= NEAR => format!("did you mean `{near}`?"),
        _ => "GET / shows an example of everything".to_owned(),
    }
}

/// How long a request may take from its head to its answer: longer than any wait.
pub(crate) const REQUEST_DEADLINE: Duration = Duration::from_secs(620);

/// How long a body may take.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The most bytes of a body.
const MAX_BODY: usize = 64 * 1024;

/// How long to wait for rest if nobody says how long, in seconds, and at most.
const WAIT: f64 = 10.0;
const MAX_WAIT: f64 = 600.0;

/// How many letters a word may be off to be meant.
const NEAR: usize = 4;

/// What there is.
const PATHS: &[&str] = &[
    "GET /",
    "GET /faults",
    "POST /faults",
    "DELETE /faults",
    "GET /faults/{id}",
    "DELETE /faults/{id}",
    "POST /do/{action}",
    "GET /calls",
    "GET /letters",
    "GET /logins",
    "GET /logins/{id}",
    "POST /logins/{id}/approve",
    "POST /logins/{id}/decline",
    "POST /browsers",
    "POST /browsers/phone",
    "POST /browsers/progress",
    "POST /browsers/claim",
    "GET /numbers",
    "GET /numbers/{phone}",
    "PUT /numbers/{phone}",
    "DELETE /numbers/{phone}",
    "GET /bots",
    "POST /bots",
    "GET /bots/{username}",
    "PUT /bots/{username}",
    "DELETE /bots/{username}",
    "POST /bots/{username}/secret",
    "GET /state",
    "GET /idle",
];

/// An example of every fault, as `POST /faults` takes it.
const FAULTS: &[&str] = &[
    r#"{"fault": "drop", "way": "down", "every": 3}"#,
    r#"{"fault": "duplicate", "way": "up", "times": 5}"#,
    r#"{"fault": {"delay": {"seconds": 0.5}}}"#,
    r#"{"fault": "reorder", "way": "down", "chance": 0.1, "seed": 7}"#,
    r#"{"fault": {"corrupt": {}}, "after": 10, "times": 1}"#,
    r#"{"fault": {"truncate": {"bytes": 32}}, "exchange": true, "times": 1}"#,
    r#"{"fault": {"transport_error": {"code": -429}}, "times": 1}"#,
    r#"{"fault": {"bad_msg": {"code": 17}}, "times": 1}"#,
    r#"{"fault": {"close_after": {"bytes": 1000}}, "way": "down"}"#,
    r#"{"fault": "stop_reading"}"#,
    r#"{"fault": "black_hole", "for_seconds": 30}"#,
    r#"{"fault": "refuse_connections", "scope": {"dc": 2}, "times": 3}"#,
    r#"{"fault": {"slow": {"bytes_per_second": 2000}}}"#,
    r#"{"fault": "hold_acks"}"#,
    r#"{"fault": {"announce_answers": {"above": 512}}}"#,
    r#"{"fault": "gzip_everything"}"#,
    r#"{"fault": "no_quick_acks"}"#,
    r#"{"fault": "duplicate_new_session"}"#,
    r#"{"fault": "dh_gen_retry", "times": 1}"#,
    r#"{"fault": "dh_gen_fail", "times": 1}"#,
    r#"{"fault": {"flood": {"seconds": 30, "free": 5}}, "method": "messages.*"}"#,
    r#"{"fault": {"rpc_error": {"code": 500, "text": "RPC_CALL_FAIL"}}, "times": 1}"#,
    r#"{"fault": {"migrate": {"what": "user", "dc": 3}}, "method": "auth.signIn", "times": 1}"#,
    r#"{"fault": {"unknown_constructor": {"instead_of": "user"}}, "method": "users.getUsers"}"#,
    r#"{"fault": {"truncate_answer": {"bytes": 8}}, "method": "help.getConfig"}"#,
    r#"{"fault": {"delay_answer": {"seconds": 2}}, "method": "help.getConfig"}"#,
    r#"{"fault": "never_answer", "method": "help.getConfig"}"#,
    r#"{"fault": "lose_answer", "method": "account.resetWebAuthorization", "times": 1}"#,
    r#"{"fault": "answer_twice"}"#,
];

/// An example of every order for a number, as `PUT /numbers/{phone}` takes it.
const NUMBERS: &[&str] = &[
    r#"{"ways": ["app", "sms", "call"]}"#,
    r#"{"timeout": 20}"#,
    r#"{"code": "12345"}"#,
    r#"{"codes_a_day": 3}"#,
    r#"{"login_email": "ada@example.org"}"#,
    r#"{"email_reset": 0}"#,
    r#"{"set_up_email": true}"#,
    r#"{"no_sign_up": true}"#,
    r#"{"terms": {"text": "Be kind. https://example.org/terms", "min_age": 16, "popup": true}}"#,
    r#"{"payment": true}"#,
    r#"{"banned": true}"#,
];

/// An example of every action: its name, and the body that `POST /do/...` takes.
const ACTIONS: &[(&str, &str)] = &[
    ("close", "{}"),
    ("deactivate", r#"{"scope": {"user_id": 777}}"#),
    ("drop-answers", "{}"),
    ("duplicate-keys", r#"{"scope": {"user_id": 777}}"#),
    ("expire-keys", "{}"),
    ("forget-sessions", "{}"),
    ("pass-time", r#"{"seconds": 86400}"#),
    ("revoke", r#"{"scope": {"user_id": 777}}"#),
    ("rotate-salts", "{}"),
    ("skew-clock", r#"{"seconds": -300}"#),
    ("transport-error", r#"{"code": -404}"#),
    ("unbind", "{}"),
];
