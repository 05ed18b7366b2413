//! `/auth`: the window in which a person says yes to a site, for all sites that send one there.
//!
//! A site asks by its address (`GET /auth?...`). What it may ask is checked by the way that it comes:
//! the login widget here, OpenID Connect in its own file. From then on all are the same: the request is
//! written down, this browser gets a [`Ticket`], and a page waits until the request has ended: by the
//! person's app (QR code, link), by a message from Telegram (a phone number is typed here), or at once in
//! a browser that was authorised before. `/auth/push` then gives the site what it may have, once.
//!
//! Observed, and not documented: the paths `/auth/request`, `/auth/login`, `/auth/push` and `/auth/get`
//! with what they take (protocol.md 10.1). The other paths, and all pages, are ours.

use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chappe_api::errors;
use serde_json::Value;

use super::{
    Telegram,
    guard::{in_a_window, same_site},
    legacy, oidc, only_get,
    pages::{self, Problem},
    parameters::Parameters,
    ticket::Ticket,
    visitor::Visitor,
    waiting::{Note, Waiting},
};
use crate::{
    browser::Progress,
    failure::{Failure, Outcome},
    logins::{Grant, Source},
    world::{NewUrlAuth, Site, UrlAuth, UrlAuthAsked, User, WebLogin, World},
};

/// How many requests wait for a person at a time; more are refused until some have ended.
const MAX_WAITING: i64 = 200;

/// The kind of cookie that a linked browser has.
const LINK: &str = "browser";

/// How long a linked browser keeps its cookie, in seconds.
const LINK_AGE: u32 = 365 * 86_400;

/// The routes of the window.
pub(crate) fn routes() -> Router<Telegram> {
    Router::new()
        .route("/auth", only_get(authorize))
        .route("/auth/wait", get(wait))
        .route("/auth/request", post(request))
        .route("/auth/login", post(login))
        .route("/auth/accept", post(accept))
        .route("/auth/cancel", post(cancel))
        .route("/auth/logout", post(logout))
        .route("/auth/push", only_get(push))
        .route("/auth/get", post(legacy::user))
}

/// `GET /auth`: a site sends somebody here.
async fn authorize(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Problem> {
    in_a_window(visitor.headers())?;
    let parameters = Parameters::of_query(&uri)?;
    match parameters.get("client_id") {
        Some(_) => oidc::authorize(&telegram, &visitor, &parameters).await,
        None => legacy::authorize(&telegram, &visitor, &parameters).await,
    }
}

/// Writes a request down, ties it to this browser, and shows the page that waits for its end. Whoever
/// calls this has checked that the site may ask.
pub(crate) async fn begin(
    telegram: &Telegram,
    visitor: &Visitor,
    mut new: NewUrlAuth,
) -> Result<Response, Problem> {
    let link = link(visitor);
    let asked = telegram
        .run(move |world, now| {
            let known = link.map_or(Ok(None), |link| world.browser_user(now, &link))?;
            new.user_id_hint = new.user_id_hint.or_else(|| known.map(|user| user.id));
            ask(world, now, new)
        })
        .await?;
    let ticket = Ticket::from(asked);
    let mut response = show(telegram, visitor, &ticket, Note::None).await?;
    add_cookie(&mut response, ticket.cookie(visitor));
    Ok(response)
}

/// Writes a request down, unless too many wait already.
pub(crate) fn ask(world: &mut World, now: i32, new: NewUrlAuth) -> Outcome<UrlAuthAsked> {
    if world.waiting_url_auths(now)? >= MAX_WAITING {
        return Err(Failure::valued(errors::FLOOD_WAIT_X, 60).into());
    }
    world.ask_url_auth(now, new)
}

/// The page that waits, or the way on if there is nothing to wait for.
async fn show(
    telegram: &Telegram,
    visitor: &Visitor,
    ticket: &Ticket,
    note: Note,
) -> Result<Response, Problem> {
    let (token, link) = (ticket.browser_token.clone(), link(visitor));
    let (request, bot, known, now) = telegram
        .run(move |world, now| {
            let request = world.poll_url_auth(now, &token)?;
            let bot = world.user(request.asked.bot_id)?.ok_or(errors::BOT_INVALID)?;
            let known = link.map_or(Ok(None), |link| world.browser_user(now, &link))?;
            Ok((request, bot, known, now))
        })
        .await?;
    if request.status != Progress::Pending {
        return Ok(onward(ticket, None));
    }
    // Who was named by a phone number is the only one who may say yes.
    let named = request.for_user;
    let known = known.filter(|user| named.is_none_or(|named| named == user.id));
    let waiting =
        Waiting { request: &request, bot: &bot, known: known.as_ref(), ticket, now, note };
    let mut response = pages::page_with(&waiting.title(), waiting.head(), waiting.body());
    // A browser asks this policy also about where the answer to a form sends it.
    if let Some(target) = target_of_forms(&request) {
        let policy = super::guard::POLICY
            .replace("form-action 'self'", &format!("form-action 'self' {target}"));
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
    Ok(response)
}

/// The source of a policy for where a request ends: an origin, or the scheme of an app.
fn target_of_forms(request: &UrlAuth) -> Option<String> {
    let end = request.asked.redirect_uri.as_deref()?;
    match Site::of(end) {
        Some(site) => Some(site.origin()),
        // The client is registered for it: it is a scheme and nothing else.
        None => end.split_once(':').map(|(scheme, _)| format!("{scheme}:")),
    }
}

/// What a page of the window asks: about a login that this browser waits for.
struct Mine {
    telegram: Telegram,
    visitor: Visitor,
    ticket: Ticket,
    /// The parameters of the address.
    query: Parameters,
}

impl FromRequestParts<Telegram> for Mine {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, telegram: &Telegram) -> Result<Self, Problem> {
        if parts.method != Method::GET {
            same_site(&parts.headers)?;
        }
        let Ok(visitor) = Visitor::from_request_parts(parts, telegram).await;
        let query = Parameters::of_query(&parts.uri)?;
        let handle = query.get("request").unwrap_or_default();
        let ticket = Ticket::of(&visitor, handle).ok_or_else(|| {
            Problem::new(
                StatusCode::FORBIDDEN,
                "This login is not this browser's",
                "It began in another browser, or too long ago. Go back to the site and log in again.",
            )
        })?;
        Ok(Self { telegram: telegram.clone(), visitor, ticket, query })
    }
}

impl Mine {
    /// Does something in the world with what this browser shows: the token of its login, and that of
    /// the person who authorised it before.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut World, i32, &str, Option<&str>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let (token, link) = (self.ticket.browser_token.clone(), link(&self.visitor));
        let work = move |world: &mut World, now| work(world, now, &token, link.as_deref());
        Ok(self.telegram.run(work).await?)
    }

    /// Back to the page that waits.
    fn back(&self, note: Note) -> Response {
        let note =
            if note == Note::None { String::new() } else { format!("&note={}", note.name()) };
        Redirect::to(&format!("/auth/wait?request={}{note}", self.ticket.handle())).into_response()
    }
}

/// On to the end of a request.
fn onward(ticket: &Ticket, how: Option<&str>) -> Response {
    let how = how.filter(|how| *how == "message").map_or("", |_| "&how=message");
    Redirect::to(&format!("/auth/push?request={}{how}", ticket.handle())).into_response()
}

/// `GET /auth/wait?request=`: the page again.
async fn wait(mine: Mine) -> Result<Response, Problem> {
    let note = Note::read(mine.query.get("note").unwrap_or_default());
    show(&mine.telegram, &mine.visitor, &mine.ticket, note).await
}

/// `POST /auth/request?request=` with `phone=`: Telegram writes to who has that number.
async fn request(mine: Mine, form: Parameters) -> Result<Response, Problem> {
    let phone = form.get("phone").unwrap_or_default().to_owned();
    let ask = move |world: &mut World, now, token: &str, _: Option<&str>| match world
        .ask_phone_url_auth(now, token, &phone)
    {
        Err(stop) if stop.is(errors::PHONE_NUMBER_INVALID) => Ok(Note::WrongPhone),
        asked => asked.map(|()| Note::Sent),
    };
    Ok(mine.back(mine.run(ask).await?))
}

/// `POST /auth/login?request=`: whether there is an end to fetch. Observed: `true` when there is.
async fn login(mine: Mine) -> Result<Response, Problem> {
    let request = mine.run(|world, now, token, _| world.poll_url_auth(now, token)).await?;
    Ok(pages::json(&Value::Bool(request.status != Progress::Pending)))
}

/// `POST /auth/accept?request=`: the person at a linked browser says yes.
async fn accept(mine: Mine, form: Parameters) -> Result<Response, Problem> {
    let grant = Grant {
        write: form.get("write") == Some("1"),
        phone: form.get("share_phone") == Some("1"),
        // The person is at the browser that shows it.
        match_code: mine.ticket.match_code.clone(),
    };
    let expected = form.get("user").and_then(|id| id.parse::<i64>().ok());
    let accept = move |world: &mut World, now, token: &str, link: Option<&str>| {
        let known = link.map_or(Ok(None), |link| world.browser_user(now, link))?;
        // The page that was shown named this person.
        let Some(user) = known.filter(|user| Some(user.id) == expected) else {
            return Ok(false);
        };
        let request = world.poll_url_auth(now, token)?;
        world.approve_url_auth(now, request.id, user.id, &grant)?;
        Ok(true)
    };
    Ok(match mine.run(accept).await? {
        true => onward(&mine.ticket, form.get("how")),
        false => mine.back(Note::None),
    })
}

/// `POST /auth/cancel?request=`: the person at the browser does not want it any more.
async fn cancel(mine: Mine, form: Parameters) -> Result<Response, Problem> {
    mine.run(|world, now, token, _| {
        let request = world.poll_url_auth(now, token)?;
        match request.status {
            Progress::Pending => {
                world.decline_url_auth(now, request.id, request.for_user.unwrap_or_default())
            }
            // Something else ended it first, and that counts.
            _ => Ok(()),
        }
    })
    .await?;
    Ok(onward(&mine.ticket, form.get("how")))
}

/// `POST /auth/logout?request=`: this browser is not that person's, or not any more.
async fn logout(mine: Mine) -> Result<Response, Problem> {
    let unlink = |world: &mut World, _, _: &str, link: Option<&str>| {
        link.map_or(Ok(()), |link| world.unlink_browser(link))
    };
    mine.run(unlink).await?;
    let mut response = mine.back(Note::None);
    add_cookie(&mut response, link_cookie(&mine.visitor, "", 0));
    Ok(response)
}

/// `GET /auth/push?request=`: the end. The site is told, once.
async fn push(mine: Mine) -> Result<Response, Problem> {
    in_a_window(mine.visitor.headers())?;
    let finish = |world: &mut World, now, token: &str, link: Option<&str>| {
        world.finish_url_auth(now, token, link)
    };
    let mut end = mine.run(finish).await?;
    if end.request.status == Progress::Pending {
        return Ok(mine.back(Note::None));
    }
    let linked = end.linked.take();
    let mut response = match end.request.asked.source {
        Source::Widget => {
            let message = mine.query.get("how") == Some("message");
            legacy::finish(&mine.visitor, end, message)?
        }
        _ => oidc::finish(&mine.telegram, end)?,
    };
    if let Some(linked) = linked {
        add_cookie(&mut response, link_cookie(&mine.visitor, &linked, LINK_AGE));
    }
    Ok(response)
}

/// Sends a browser on.
pub(crate) fn found(to: &str) -> Result<Response, Problem> {
    let to = HeaderValue::from_str(to).map_err(|_| {
        Problem::bad(
            "This address cannot be opened",
            "The site asked to go back to no address at all.",
        )
    })?;
    Ok((StatusCode::FOUND, [(header::LOCATION, to)]).into_response())
}

/// The user that this browser was authorised by.
pub(crate) async fn known_user(
    telegram: &Telegram,
    visitor: &Visitor,
) -> Result<Option<User>, Problem> {
    match link(visitor) {
        Some(link) => Ok(telegram.run(move |world, now| world.browser_user(now, &link)).await?),
        None => Ok(None),
    }
}

/// What a linked browser shows.
pub(super) fn link(visitor: &Visitor) -> Option<String> {
    visitor.own_cookie(LINK).map(ToOwned::to_owned)
}

fn link_cookie(visitor: &Visitor, value: &str, age: u32) -> Option<HeaderValue> {
    visitor.set_cookie(LINK, value, ("/", age))
}

fn add_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

impl Visitor {
    /// Where a login for this site comes from.
    pub(crate) fn login(&self, domain: &str) -> WebLogin {
        WebLogin::of_browser(domain, &self.browser, &self.platform, self.ip)
    }
}
