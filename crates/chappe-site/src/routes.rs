//! The pages and what they do.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chappe_login::{
    Fields, Seen, Widget,
    oidc::{IdToken, Pending, RawIdToken},
};
use subtle::ConstantTimeEq as _;

use crate::{
    Clock,
    guard::{guard, own_page, policy},
    openid::{self, Asked, Login},
    pages::{self, Problem},
    serve::{LOGIN, SESSION},
    store::{Kept, Secret, no_cookie},
};

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) widget: Widget,
    pub(crate) bot: String,
    /// What browsers call the site, and its host and port alone.
    pub(crate) url: String,
    pub(crate) host: String,
    pub(crate) secure: bool,
    /// Where Telegram's widget script is, and its login pages.
    pub(crate) scripts: String,
    pub(crate) issuer: String,
    pub(crate) openid: Option<openid::Client>,
    pub(crate) clock: Clock,
    pub(crate) session_cookie: String,
    pub(crate) browser_cookie: String,
    pub(crate) seen: Mutex<Seen>,
    pub(crate) sessions: Mutex<Kept<Session>>,
    pub(crate) logins: Mutex<Kept<Login>>,
}

/// Somebody who is logged in, as Telegram told.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) way: Way,
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    pub(crate) picture: Option<String>,
    /// Everything that was told, by name.
    pub(crate) told: Vec<(String, String)>,
}

/// How somebody came in.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Library(Asked),
    OpenId(Asked),
    Widget,
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(start))
        .route("/ways/callback", get(callback_page))
        .route("/ways/library", get(library_page))
        .route("/login/widget", post(widget_posted))
        .route("/login/widget/{secret}", get(widget))
        .route("/login/openid", post(openid_begins))
        .route(openid::CALLBACK, get(openid_returns))
        .route("/login/library", post(library_posted))
        .route("/logout", post(logout))
        .route("/site.css", get(async || file("text/css; charset=utf-8", CSS)))
        .route("/site.js", get(async || file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/fragment.js", get(async || file("text/javascript; charset=utf-8", FRAGMENT)))
        .route("/icon.svg", get(async || file("image/svg+xml", ICON)))
        .fallback(|| async {
            Problem::new(StatusCode::NOT_FOUND, "There is no such page", "Go to the start page.")
        })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared)
}

/// The start page, or a greeting.
async fn start(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response, Problem> {
    let now = shared.clock.now();
    if let Some(own) = Secret::of_cookie(&headers, &shared.session_cookie) {
        let sessions = lock(&shared.sessions);
        if let Some((session, until)) = sessions.get(own.key(SESSION_KEY), now) {
            let left = until.duration_since(now).unwrap_or_default();
            return Ok(pages::greeting(session, left).into_response());
        }
    }
    let (browser, cookie) = browser(&shared, &headers)?;
    let address = format!("{}/login/widget/{}", shared.url, browser.key(ADDRESS_KEY).to_text());
    Ok((AppendHeaders(cookie), pages::start(&shared, &address)).into_response())
}

/// The Login Widget that calls a function of the page.
async fn callback_page(State(shared): State<Arc<Shared>>) -> Response {
    let mut response = pages::callback(&shared).into_response();
    // Assumed: the script of the real Telegram evaluates `data-onauth`, which a strict policy
    // forbids. Only this page allows it: another reason to prefer `data-auth-url`.
    let allowed = if shared.scripts == shared.issuer { "" } else { " 'unsafe-eval'" };
    if let Ok(policy) = HeaderValue::from_str(&policy(&shared, allowed)) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Telegram's JavaScript library, which is given a nonce of this browser's.
async fn library_page(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let client = openid_client(&shared)?;
    let login = new_login(&shared, Asked { phone: false, write: true })?;
    let (browser, cookie) = browser(&shared, &headers)?;
    let page = pages::library(&shared, client.id(), login.pending.nonce());
    let key = browser.key(LIBRARY_KEY);
    lock(&shared.logins).insert(key, login, shared.clock.now());
    Ok((AppendHeaders(cookie), page).into_response())
}

/// The browser comes from the Login Widget, with the fields in its address (`data-auth-url`).
async fn widget(
    State(shared): State<Arc<Shared>>,
    Path(secret): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // Anybody can make a link with a login of his own: it has to be the browser that asked.
    let browser = Secret::of_cookie(&headers, &shared.browser_cookie);
    let expected = browser.map(|browser| browser.key(ADDRESS_KEY).to_text()).unwrap_or_default();
    if !bool::from(expected.as_bytes().ct_eq(secret.as_bytes())) || expected.is_empty() {
        return Err(Problem::other_browser());
    }
    let fields = Fields::from_query(&query.unwrap_or_default())?;
    let session = by_widget(&shared, fields)?;
    Ok((log_in(&shared, &headers, session)?, Redirect::to("/")).into_response())
}

/// The page sends what its function was called with (`data-onauth`).
async fn widget_posted(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Problem> {
    own_page(&shared, &headers).map_err(Problem::plain)?;
    let enter = || log_in(&shared, &headers, by_widget(&shared, Fields::from_json(&body)?)?);
    Ok((enter().map_err(Problem::plain)?, StatusCode::NO_CONTENT).into_response())
}

/// Sends the browser to Telegram.
async fn openid_begins(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Problem> {
    own_page(&shared, &headers)?;
    let client = openid_client(&shared)?;
    let form = Fields::from_query(&body)?;
    let asked = Asked { phone: form.get("phone").is_some(), write: form.get("write").is_some() };
    let login = new_login(&shared, asked)?;
    let (browser, cookie) = browser(&shared, &headers)?;
    let address = client.begin(&login).await?;
    // Under the cookie and the state: several pages of one browser may log in at once.
    let key = browser.key(login.pending.state());
    lock(&shared.logins).insert(key, login, shared.clock.now());
    Ok((AppendHeaders(cookie), Redirect::to(&address)).into_response())
}

/// The browser is back from Telegram.
async fn openid_returns(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let client = openid_client(&shared)?;
    let (query, now) = (query.unwrap_or_default(), shared.clock.now());
    let state = Fields::from_query(&query)?.take("state").unwrap_or_default();
    let browser = Secret::of_cookie(&headers, &shared.browser_cookie);
    // Taken away first: whatever comes of it, an answer is heard once.
    let login = browser.and_then(|browser| lock(&shared.logins).take(browser.key(&state), now));
    let Login { pending, asked } = login.ok_or_else(Problem::other_browser)?;
    let token = client.finish(&pending, &query, now).await?;
    let session = by_id_token(&token, Way::OpenId(asked));
    Ok((log_in(&shared, &headers, session)?, Redirect::to("/")).into_response())
}

/// The page sends the id_token that Telegram's JavaScript library gave it.
async fn library_posted(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Problem> {
    own_page(&shared, &headers).map_err(Problem::plain)?;
    let client = openid_client(&shared)?;
    let now = shared.clock.now();
    let browser = Secret::of_cookie(&headers, &shared.browser_cookie);
    let login =
        browser.and_then(|browser| lock(&shared.logins).take(browser.key(LIBRARY_KEY), now));
    let Some(Login { pending, asked }) = login else {
        return Err(Problem::other_browser().plain());
    };
    let token = client.posted(&pending, &RawIdToken::new(body), now).await;
    let session = by_id_token(&token.map_err(Problem::plain)?, Way::Library(asked));
    let cookie = log_in(&shared, &headers, session).map_err(Problem::plain)?;
    Ok((cookie, StatusCode::NO_CONTENT).into_response())
}

/// Ends the session here. Telegram is not told: it knows nothing of it.
async fn logout(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    own_page(&shared, &headers)?;
    forget(&shared, &headers, shared.clock.now());
    let cookie = no_cookie(&shared.session_cookie, shared.secure);
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/")).into_response())
}

/// Who the fields say it is, if all of it is true, fresh and new.
fn by_widget(shared: &Shared, fields: Fields) -> Result<Session, Problem> {
    let now = shared.clock.now();
    let login = shared.widget.check(fields, now)?;
    lock(&shared.seen).once(login.fingerprint(), now)?;
    let mut name = login.first_name.clone();
    if let Some(last_name) = &login.last_name {
        name.push(' ');
        name.push_str(last_name);
    }
    let told = login.fields().iter().filter(|(name, _)| *name != "hash");
    let told = told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (username, picture) = (login.username.clone(), login.photo_url.clone());
    Ok(Session { way: Way::Widget, name, username, picture, told })
}

fn by_id_token(token: &IdToken, way: Way) -> Session {
    let phone = token.phone_number.as_deref().map(pages::masked);
    let told = [
        ("sub", Some(token.sub.clone())),
        ("id", token.id.map(|id| id.to_string())),
        ("name", token.name.clone()),
        ("preferred_username", token.preferred_username.clone()),
        ("picture", token.picture.clone()),
        ("phone_number", phone),
    ];
    let told = told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Session {
        way,
        name: token.name.clone().unwrap_or_else(|| token.sub.clone()),
        username: token.preferred_username.clone(),
        picture: token.picture.clone(),
        told: told.collect(),
    }
}

/// Makes a new session, and ends the one that this browser had: a cookie that somebody knew
/// before is worth nothing after.
fn log_in(
    shared: &Shared,
    headers: &HeaderMap,
    session: Session,
) -> Result<AppendHeaders<[(header::HeaderName, HeaderValue); 1]>, Problem> {
    let now = shared.clock.now();
    forget(shared, headers, now);
    let own = Secret::new().map_err(|_| Problem::no_entropy())?;
    lock(&shared.sessions).insert(own.key(SESSION_KEY), session, now);
    let cookie = own.set_cookie(&shared.session_cookie, SESSION, shared.secure);
    Ok(AppendHeaders([(header::SET_COOKIE, cookie)]))
}

fn forget(shared: &Shared, headers: &HeaderMap, now: SystemTime) {
    if let Some(own) = Secret::of_cookie(headers, &shared.session_cookie) {
        lock(&shared.sessions).take(own.key(SESSION_KEY), now);
    }
}

fn openid_client(shared: &Shared) -> Result<&openid::Client, Problem> {
    shared.openid.as_ref().ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "This way is closed",
            "The site was started without a client of OpenID Connect. Use the Login Widget.",
        )
    })
}

fn new_login(shared: &Shared, asked: Asked) -> Result<Login, Problem> {
    Ok(Login { pending: Pending::new(shared.clock.now())?, asked })
}

/// The secret of this browser, which binds a login to it: a new one if it has none.
fn browser(
    shared: &Shared,
    headers: &HeaderMap,
) -> Result<(Secret, [(header::HeaderName, HeaderValue); 1]), Problem> {
    let known = Secret::of_cookie(headers, &shared.browser_cookie);
    let browser = known.map_or_else(Secret::new, Ok).map_err(|_| Problem::no_entropy())?;
    let cookie = browser.set_cookie(&shared.browser_cookie, LOGIN, shared.secure);
    Ok((browser, [(header::SET_COOKIE, cookie)]))
}

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=300")];
    (headers, text)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const CSS: &str = include_str!("../assets/site.css");
const SCRIPT: &str = include_str!("../assets/site.js");
const FRAGMENT: &str = include_str!("../assets/fragment.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// What secrets of cookies are hashed for.
const SESSION_KEY: &str = "session";
const ADDRESS_KEY: &str = "address";
const LIBRARY_KEY: &str = "library";

/// The largest body, in bytes: an id_token and its like.
const BODY: usize = 32 * 1024;
