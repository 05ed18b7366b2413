//! The dashboard of the person at the keyboard: accounts, devices, web logins, requests that wait,
//! bots, calls and letters, as pages that the server makes.
//!
//! It is a door of its own, behind a [`Lock`]: another origin than the pages that sites send people
//! to. What it does, it does by the functions of the world that requests of clients use, so that
//! those who are connected hear of it. A small script fetches the page again and again; without it the
//! person does.

mod account;
mod acts;
mod bots;
mod calls;
mod consent;
mod layout;
mod letters;
mod lock;
mod looks;
mod overview;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use maud::Markup;

pub(crate) use self::lock::Lock;
use self::{
    layout::{Frame, Part},
    lock::{Turned, Visit},
};
use super::{Refused, Telegram, assets, guard, pages::Problem, parameters::Parameters};
use crate::{
    Error,
    bots::BotFather,
    failure::{Failure, Outcome},
    logins::Logins,
    world::World,
};

/// What the pages speak to.
#[derive(Clone, Debug)]
struct Dashboard {
    telegram: Telegram,
    logins: Logins,
    father: BotFather,
    lock: Arc<Lock>,
}

/// All pages, behind this lock.
pub(crate) fn site(telegram: Telegram, logins: Logins, father: BotFather, lock: Lock) -> Router {
    let dashboard = Dashboard { telegram, logins, father, lock: Arc::new(lock) };
    let room = dashboard.lock.room().to_owned();
    let at = |path: &str| format!("{room}{path}");
    Router::new()
        .route(&at("/"), get(looks::overview))
        .route(&at("/accounts/new"), get(looks::new_account).post(acts::new_account))
        .route(&at("/accounts/{user}"), get(looks::account))
        .route(
            &at("/accounts/{user}/sites/disconnect"),
            get(looks::disconnect_all).post(acts::disconnect_all),
        )
        .route(&at("/accounts/{user}/sites/{hash}"), get(looks::site))
        .route(
            &at("/accounts/{user}/sites/{hash}/disconnect"),
            get(looks::disconnect).post(acts::disconnect),
        )
        .route(
            &at("/accounts/{user}/devices/terminate"),
            get(looks::terminate_others).post(acts::terminate_others),
        )
        .route(
            &at("/accounts/{user}/devices/{hash}/terminate"),
            get(looks::terminate).post(acts::terminate),
        )
        .route(&at("/logins"), get(looks::logins))
        .route(&at("/logins/{id}"), get(looks::login))
        .route(&at("/logins/{id}/approve"), get(looks::login).post(acts::approve))
        .route(&at("/logins/{id}/decline"), get(looks::login).post(acts::decline))
        .route(&at("/bots"), get(looks::bots))
        .route(&at("/bots/new"), get(looks::new_bot).post(acts::new_bot))
        .route(&at("/bots/{name}"), get(looks::bot))
        .route(&at("/bots/{name}/domain"), get(looks::bot).post(acts::set_domain))
        .route(&at("/bots/{name}/openid"), get(looks::bot).post(acts::set_openid))
        .route(
            &at("/bots/{name}/openid/remove"),
            get(looks::remove_openid).post(acts::remove_openid),
        )
        .route(&at("/bots/{name}/openid/secret"), get(looks::new_secret).post(acts::new_secret))
        .route(&at("/calls"), get(looks::calls))
        .route(&at("/letters"), get(looks::letters))
        .route(&at("/dashboard.css"), get(|| async { assets::file(assets::CSS, STYLE) }))
        .route(&at("/dashboard.js"), get(|| async { assets::file(assets::SCRIPT, SCRIPT) }))
        .route(&at("/icon.svg"), get(|| async { assets::file(assets::SVG, ICON) }))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(dashboard.clone(), dress))
        .layer(middleware::from_fn_with_state(dashboard.clone(), unlock))
        .layer(middleware::from_fn(guard::guard))
        .with_state(dashboard)
}

/// Lets in who has the key: by the printed URL once, by its cookie from then on. A form is read here,
/// so that none is acted upon before its ticket was seen.
async fn unlock(State(dashboard): State<Dashboard>, request: Request, next: Next) -> Response {
    let lock = &dashboard.lock;
    let mut response = match lock.admit(request.method(), request.uri(), request.headers()) {
        Err(turned) => refuse(turned),
        Ok(Visit::Enter) => enter(lock),
        Ok(Visit::Inside) => match stamp(lock, request).await {
            Ok(request) => next.run(request).await,
            Err(refused) => refused,
        },
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Takes the form out of a POST, if it is one of ours.
async fn stamp(lock: &Lock, request: Request) -> Result<Request, Response> {
    if request.method() == Method::GET || request.method() == Method::HEAD {
        return Ok(request);
    }
    let (mut parts, body) = request.into_parts();
    let form = Parameters::of_form(body).await;
    let form = form.map_err(|problem| plain(problem.status(), problem.hint()))?;
    if !lock.stamped(&form) {
        return Err(refuse(Turned::Foreign));
    }
    parts.extensions.insert(form);
    Ok(Request::from_parts(parts, Body::empty()))
}

fn refuse(turned: Turned) -> Response {
    let reason = match turned {
        Turned::NoKey => {
            "Open the whole address that the server printed, with its key. Each start makes a new one."
        }
        Turned::Foreign => {
            "Another page sent this. Only the pages of the dashboard may do that: go back and use the \
             button there."
        }
    };
    plain(StatusCode::FORBIDDEN, reason)
}

/// A page without anything that only the dashboard has.
fn plain(status: StatusCode, reason: &str) -> Response {
    (status, Html(layout::locked(reason).into_string())).into_response()
}

/// Gives the cookie. The address with the key is in no `Referer`, and leaves the history at once.
fn enter(lock: &Lock) -> Response {
    let mut response = Html(layout::entered(lock.room()).into_string()).into_response();
    let headers: &mut HeaderMap = response.headers_mut();
    headers.extend(lock.cookie().map(|cookie| (header::SET_COOKIE, cookie)));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Makes a page of what went wrong.
async fn dress(State(dashboard): State<Dashboard>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let Some(sorry) = response.extensions_mut().remove::<Sorry>() else { return response };
    let page = match dashboard.look(|_, _| Ok(())).await {
        Ok(seen) => seen.frame(&dashboard, None).sorry(sorry.part, &sorry.title, &sorry.reason),
        Err(gone) => layout::locked(&gone.reason),
    };
    (sorry.status, Html(page.into_string())).into_response()
}

async fn nowhere() -> Sorry {
    Sorry::nothing("Nothing is at this address. What you look for may have ended.")
}

async fn wrong_method(method: Method) -> Sorry {
    Sorry {
        status: StatusCode::METHOD_NOT_ALLOWED,
        part: Part::Overview,
        title: "This page does not take that".to_owned(),
        reason: format!("{method} does nothing here."),
    }
}

/// What a handler comes to.
type Answer = Result<Response, Sorry>;

/// Why there is no page to show.
#[derive(Clone, Debug)]
struct Sorry {
    status: StatusCode,
    part: Part,
    title: String,
    reason: String,
}

impl Sorry {
    fn nothing(reason: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            part: Part::Overview,
            title: "There is nothing here".to_owned(),
            reason: reason.to_owned(),
        }
    }
}

impl IntoResponse for Sorry {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Problem> for Sorry {
    fn from(problem: Problem) -> Self {
        Self {
            status: problem.status(),
            part: Part::Overview,
            title: problem.title().to_owned(),
            reason: problem.hint().to_owned(),
        }
    }
}

impl From<Refused> for Sorry {
    fn from(refused: Refused) -> Self {
        match refused {
            // What a page is about is gone: ended elsewhere, or never there.
            Refused::By(Failure { code: 400, .. }) => {
                Self::nothing("This has ended already, or was never there.")
            }
            refused => Problem::from(refused).into(),
        }
    }
}

impl From<Error> for Sorry {
    fn from(error: Error) -> Self {
        Problem::from(error).into()
    }
}

/// What a page saw, and when.
struct Seen<T> {
    now: i32,
    waiting: i64,
    shown: T,
}

impl<T> Seen<T> {
    /// Where it is shown; `address` may say what was just done.
    fn frame<'a>(&self, dashboard: &'a Dashboard, address: Option<&Uri>) -> Frame<'a> {
        Frame {
            room: dashboard.lock.room(),
            ticket: dashboard.lock.ticket(),
            now: self.now,
            waiting: self.waiting,
            notice: address.and_then(notice),
        }
    }
}

impl Dashboard {
    /// Looks at the world, all at one time.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut World, i32) -> Outcome<T> + Send + 'static,
    ) -> Result<Seen<T>, Sorry> {
        let seen = self.telegram.run(|world, now| {
            let shown = look(world, now)?;
            let waiting = world.waiting_url_auths(now)?;
            Ok(Seen { now, waiting, shown })
        });
        Ok(seen.await?)
    }

    /// Shows what a look finds.
    async fn show<T: Send + 'static>(
        &self,
        address: Option<&Uri>,
        look: impl FnOnce(&mut World, i32) -> Outcome<T> + Send + 'static,
        draw: impl FnOnce(&Frame<'_>, &T) -> Markup,
    ) -> Answer {
        let seen = self.look(look).await?;
        Ok(Html(draw(&seen.frame(self, address), &seen.shown).into_string()).into_response())
    }

    /// Shows what a look finds, or says that it is not there.
    async fn show_found<T: Send + 'static>(
        &self,
        address: Option<&Uri>,
        look: impl FnOnce(&mut World, i32) -> Outcome<Option<T>> + Send + 'static,
        missing: &str,
        draw: impl FnOnce(&Frame<'_>, &T) -> Markup,
    ) -> Answer {
        let seen = self.look(look).await?;
        let found = seen.shown.as_ref().ok_or_else(|| Sorry::nothing(missing))?;
        Ok(Html(draw(&seen.frame(self, address), found).into_string()).into_response())
    }

    /// Shows a page that needs nothing of the world.
    async fn tell(&self, draw: impl FnOnce(&Frame<'_>) -> Markup) -> Answer {
        self.show(None, |_, _| Ok(()), |frame, ()| draw(frame)).await
    }

    /// Shows again what was typed in: something is wrong with it.
    async fn object(&self, draw: impl FnOnce(&Frame<'_>) -> Markup) -> Answer {
        Ok((StatusCode::UNPROCESSABLE_ENTITY, self.tell(draw).await?).into_response())
    }

    /// Sends the browser to the page that shows what was done.
    fn done(&self, path: &str, done: Done) -> Response {
        Redirect::to(&format!("{}{path}?done={}", self.lock.room(), done.name())).into_response()
    }
}

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Approved,
    Declined,
    Disconnected,
    DisconnectedAll,
    DisconnectedAndBlocked,
    Made,
    Saved,
    Terminated,
}

impl Done {
    const ALL: [Self; 8] = [
        Self::Approved,
        Self::Declined,
        Self::Disconnected,
        Self::DisconnectedAll,
        Self::DisconnectedAndBlocked,
        Self::Made,
        Self::Saved,
        Self::Terminated,
    ];

    /// How an address says it.
    fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Disconnected => "disconnected",
            Self::DisconnectedAll => "all-disconnected",
            Self::DisconnectedAndBlocked => "disconnected-and-blocked",
            Self::Made => "made",
            Self::Saved => "saved",
            Self::Terminated => "terminated",
        }
    }

    /// How a page says it.
    fn words(self) -> &'static str {
        match self {
            Self::Approved => "Approved: the browser goes on.",
            Self::Declined => "Declined: the site learns nothing.",
            Self::Disconnected => "Disconnected: Telegram has forgotten this login.",
            Self::DisconnectedAll => "All websites are disconnected.",
            Self::DisconnectedAndBlocked => "Disconnected, and the bot is blocked.",
            Self::Made => "Made.",
            Self::Saved => "Saved.",
            Self::Terminated => "Terminated.",
        }
    }
}

/// What an address says was done. Whatever else it says is not shown.
fn notice(address: &Uri) -> Option<&'static str> {
    let parameters = Parameters::of_query(address).ok()?;
    let said = parameters.get("done")?;
    Done::ALL.into_iter().find(|done| done.name() == said).map(Done::words)
}

/// What the answers of the dashboard say besides those of all pages.
const HEADERS: [(header::HeaderName, &str); 2] = [
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

const STYLE: &str = include_str!("../../../assets/dashboard.css");
const SCRIPT: &str = include_str!("../../../assets/dashboard.js");
const ICON: &str = include_str!("../../../assets/icon.svg");
