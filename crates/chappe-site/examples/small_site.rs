//! A small site in axum that people log in to with Telegram: by the Login Widget, by OpenID Connect, and
//! from a Mini App. It is one to read; the crate beside it is one to run.
//!
//! ```text
//! cargo run -p chappe-site --example small_site
//! ```
//!
//! starts a local Telegram in the same process, says where the site is, and where the dashboard, on which you
//! say yes. `tests/small_site.rs` tests all of it without anybody at the keyboard: `docs/test-your-site.md`
//! shows how to do the same with your own.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Request, StatusCode, header},
    response::{AppendHeaders, Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chappe_login::{
    BotToken, Fields, MiniApp, Seen, Widget,
    oidc::{self, ClientSecret, IdToken, Keys, Pending, Provider, Scope},
};
use chappe_server::{
    Handle, Server,
    bots::{BotSettings, OidcClient},
};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use subtle::ConstantTimeEq as _;
use tokio::net::{TcpListener, TcpStream};

/// The site. Nothing in it asks Telegram anything but `openid`, when somebody comes back from there.
pub(crate) struct Site {
    bot: String,
    /// Where the widget's script is: `https://telegram.org` for the real one.
    scripts: String,
    widget: Widget,
    mini_app: MiniApp,
    openid: oidc::Client,
    keys: tokio::sync::Mutex<Keys>,
    /// Logins of the widget that were used.
    seen: Mutex<Seen>,
    /// Logins by OpenID Connect that are under way, by the secret of the browser.
    pending: Mutex<HashMap<String, Pending>>,
}

type Failure = Box<dyn Error + Send + Sync>;

pub(crate) fn router(site: Site) -> Router {
    Router::new()
        .route("/", get(start))
        .route("/widget/{secret}", get(widget))
        .route("/openid", get(openid))
        .route("/openid/back", get(openid_back))
        .route("/mini-app", post(mini_app))
        .with_state(Arc::new(site))
}

/// The page with both buttons. The widget sends the browser to an address that only this browser knows: a
/// link with somebody else's login leads nowhere.
async fn start(State(site): State<Arc<Site>>, headers: HeaderMap) -> Result<Response, Refused> {
    let secret = browser_of(&headers).map_or_else(new_secret, |secret| Ok(secret.to_owned()))?;
    let Site { bot, scripts, .. } = &*site;
    let page = format!(
        r#"<!DOCTYPE html><title>A small site</title><h1>A small site</h1>
<script>if (location.hash) history.replaceState(null, "", "/")</script>
<script async src="{scripts}/js/telegram-widget.js?22" data-telegram-login="{bot}"
        data-size="large" data-auth-url="/widget/{secret}"></script>
<p><a href="/openid">Log in with OpenID Connect</a>"#
    );
    // With https, add `Secure`, and call it `__Host-browser`.
    let cookie = format!("browser={secret}; HttpOnly; SameSite=Lax; Path=/; Max-Age=600");
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Html(page)).into_response())
}

async fn widget(
    State(site): State<Arc<Site>>,
    Path(secret): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let own = browser_of(&headers).unwrap_or_default();
    if own.is_empty() || !bool::from(own.as_bytes().ct_eq(secret.as_bytes())) {
        return Err("this login began in another browser".into());
    }
    let now = SystemTime::now();
    let login = site.widget.check(Fields::from_query(&query.unwrap_or_default())?, now)?;
    lock(&site.seen).once(login.fingerprint(), now)?;
    Ok(greet(&login.first_name))
}

async fn openid(State(site): State<Arc<Site>>, headers: HeaderMap) -> Result<Redirect, Refused> {
    let browser = browser_of(&headers).ok_or("begin on the start page, with cookies")?;
    let begun = Pending::new(SystemTime::now())?;
    let address = site.openid.authorization_url(&[Scope::Profile], &begun);
    let mut pending = lock(&site.pending);
    if pending.len() >= MOST_PENDING {
        pending.clear();
    }
    pending.insert(browser.to_owned(), begun);
    Ok(Redirect::to(&address))
}

async fn openid_back(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    // Taken away first: whatever comes of it, an answer is heard once.
    let pending = browser_of(&headers).and_then(|browser| lock(&site.pending).remove(browser));
    let pending = pending.ok_or("this login began in another browser, or is over")?;
    let token = site.finish(&pending, &query.unwrap_or_default()).await?;
    Ok(greet(token.name.as_deref().unwrap_or(&token.sub)))
}

/// Asked by the page of a Mini App, which sends `Telegram.WebApp.initData` with each request.
async fn mini_app(State(site): State<Arc<Site>>, body: String) -> Result<Response, Refused> {
    let data = site.mini_app.check(&body, SystemTime::now())?;
    let user = data.user.ok_or("nobody uses this Mini App")?;
    Ok(greet(&user.first_name))
}

impl Site {
    /// Exchanges the code that the browser brings for the id_token, and checks it.
    async fn finish(&self, pending: &Pending, query: &str) -> Result<IdToken, Refused> {
        let now = SystemTime::now();
        let code = self.openid.callback(pending, query, now)?;
        let asked = self.openid.token_request(pending, &code);
        let mut request = Request::post(&asked.url)
            .header(header::CONTENT_TYPE, oidc::Request::CONTENT_TYPE)
            .header(header::ACCEPT, oidc::Request::ACCEPT);
        if let Some(secret) = &asked.authorization {
            request = request.header(header::AUTHORIZATION, secret.as_str());
        }
        let answer = http(request.body(asked.body.to_string())?).await?;
        let token = self.openid.token_response(answer.status().as_u16(), answer.body())?;

        let mut keys = self.keys.lock().await;
        if keys.is_due(now) {
            self.fetch(&mut keys, now).await?;
        }
        match self.openid.check(&token, pending, &keys, now) {
            Err(oidc::Error::UnknownKey) if keys.may_fetch_again(now) => {
                self.fetch(&mut keys, now).await?;
                Ok(self.openid.check(&token, pending, &keys, now)?)
            }
            checked => Ok(checked?),
        }
    }

    async fn fetch(&self, keys: &mut Keys, now: SystemTime) -> Result<(), Refused> {
        let answer =
            http(Request::get(self.openid.provider().jwks_uri()).body(String::new())?).await?;
        Ok(keys.read(answer.body(), now)?)
    }
}

/// Somebody is logged in. Your site makes a *new* session of its own here, with a cookie that no script
/// reads, and ends it soon: Telegram does not tell you when somebody logs out of your site there.
fn greet(name: &str) -> Response {
    let name = name.replace('&', "&amp;").replace('<', "&lt;");
    Html(format!("<!DOCTYPE html><title>A small site</title><h1>Hello, {name}</h1>"))
        .into_response()
}

/// Why nobody is logged in. What the errors of `chappe-login` say may be shown to anybody.
pub(crate) struct Refused(Failure);

impl<E: Into<Failure>> From<E> for Refused {
    fn from(why: E) -> Self {
        Self(why.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::FORBIDDEN, format!("Nobody was logged in: {}.", self.0)).into_response()
    }
}

/// The secret in the cookie of this browser.
fn browser_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let secret = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("browser="))?;
    let digits = secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then_some(secret)
}

fn new_secret() -> Result<String, Refused> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where your HTTP client goes, with TLS and a time limit. This one is enough for a Telegram on this machine.
pub(crate) async fn http(request: Request<String>) -> Result<axum::http::Response<Bytes>, Failure> {
    let host = request.uri().authority().ok_or("no host")?.to_string();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).parse()?;
    let (mut parts, body) = request.into_parts();
    (parts.uri, _) = (path, parts.headers.insert(header::HOST, host.parse()?));
    let stream = TokioIo::new(TcpStream::connect(host).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(Request::from_parts(parts, body)).await?.into_parts();
    Ok(axum::http::Response::from_parts(parts, body.collect().await?.to_bytes()))
}

/// More logins than this are not under way at once.
const MOST_PENDING: usize = 10_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    let (telegram, site) = beside_a_local_telegram(&url).await?;
    println!("site       {url}");
    println!("dashboard  {}", telegram.announcement().dashboard.as_deref().unwrap_or_default());
    println!("account    {}", telegram.accounts()[0].phone);
    Ok(axum::serve(listener, router(site)).await?)
}

/// A Telegram in this process with a bot whose site is at `url`, and that site.
pub(crate) async fn beside_a_local_telegram(url: &str) -> Result<(Handle, Site), Failure> {
    let here = "127.0.0.1:0".parse()?;
    let at_localhost = BotSettings::new().domain("localhost");
    let telegram = Server::builder()
        .web(here)
        .dashboard(here)
        .bot("SmallSiteBot", at_localhost.clone())
        .start()
        .await?;
    // What a person does in BotFather: the site's address for OpenID Connect, and its secret.
    let back = format!("{url}/openid/back");
    let settings = at_localhost.oidc(OidcClient::new().url(&back));
    let secret = telegram.bot_father().set("SmallSiteBot", settings).await?.ok_or("no secret")?;
    let bot = telegram.bots().iter().find(|bot| bot.username == "SmallSiteBot").ok_or("no bot")?;
    let pages = telegram.announcement().web.clone().ok_or("no pages")?;

    let token = BotToken::new(&bot.token)?;
    let discovery =
        http(Request::get(Provider::discovery_url(&pages)?).body(String::new())?).await?;
    let provider = Provider::from_discovery(&pages, discovery.body())?;
    let openid = oidc::Client::new(provider, &token.bot_id().to_string(), &back)?
        .with_secret(ClientSecret::new(secret.as_str())?);
    let site = Site {
        bot: bot.username.clone(),
        scripts: pages,
        widget: Widget::new(&token),
        mini_app: MiniApp::new(&token),
        openid,
        keys: tokio::sync::Mutex::default(),
        seen: Mutex::new(Seen::new(100_000)),
        pending: Mutex::default(),
    };
    Ok((telegram, site))
}
