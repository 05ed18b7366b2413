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
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chappe_api::errors;
use serde_json::Value;

use super::{
    Telegram,
    guard::{in_a_window, same_site},
    legacy, oidc,
    pages::{self, Problem},
    parameters::Parameters,
    ticket::Ticket,
    visitor::Visitor,
    waiting::{Note, Waiting},
};
use crate::{
    failure::{Failure, Outcome},
    world::{
        Consent, NewUrlAuth, Site, UrlAuth, UrlAuthAsked, UrlAuthSource, UrlAuthStatus, User,
        WebLogin, World,
    },
};

/// How many requests wait for a person at a time; more are refused until some have ended.
const MAX_WAITING: i64 = 200;

/// How long a linked browser keeps its cookie, in seconds.
const LINK_AGE: u32 = 365 * 86_400;

/// The routes of the window.
pub(crate) fn routes() -> Router<Telegram> {
    Router::new()
        .route("/auth", get(authorize))
        .route("/auth/wait", get(wait))
        .route("/auth/request", post(request))
        .route("/auth/login", post(login))
        .route("/auth/accept", post(accept))
        .route("/auth/cancel", post(cancel))
        .route("/auth/logout", post(logout))
        .route("/auth/push", get(push))
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
    if request.status != UrlAuthStatus::Pending {
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
    if let Some(site) = Site::of(end) {
        return Some(site.origin());
    }
    let (scheme, _) = end.split_once(':')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(plain);
    fits.then(|| format!("{scheme}:"))
}

/// The login that a request of this browser is about.
fn ticket(visitor: &Visitor, parameters: &Parameters) -> Result<Ticket, Problem> {
    let handle = parameters.get("request").unwrap_or_default();
    Ticket::of(visitor, handle).ok_or_else(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            "This login is not this browser's",
            "It began in another browser, or too long ago. Go back to the site and log in again.",
        )
    })
}

/// On to the end of a request.
fn onward(ticket: &Ticket, how: Option<&str>) -> Response {
    let how = how.filter(|how| *how == "message").map_or("", |_| "&how=message");
    Redirect::to(&format!("/auth/push?request={}{how}", ticket.handle())).into_response()
}

/// `GET /auth/wait?request=`: the page again.
async fn wait(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Problem> {
    let parameters = Parameters::of_query(&uri)?;
    let ticket = ticket(&visitor, &parameters)?;
    let note = Note::read(parameters.get("note").unwrap_or_default());
    show(&telegram, &visitor, &ticket, note).await
}

/// `POST /auth/request?request=` with `phone=`: Telegram writes to who has that number.
async fn request(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    uri: Uri,
    body: Body,
) -> Result<Response, Problem> {
    same_site(visitor.headers())?;
    let ticket = ticket(&visitor, &Parameters::of_query(&uri)?)?;
    let form = Parameters::of_form(body).await?;
    let phone = form.get("phone").unwrap_or_default().to_owned();
    let token = ticket.browser_token.clone();
    let asked = telegram
        .run(move |world, now| match world.ask_phone_url_auth(now, &token, &phone) {
            Err(stop) if stop.is(errors::PHONE_NUMBER_INVALID) => Ok(Note::WrongPhone),
            asked => asked.map(|()| Note::Sent),
        })
        .await?;
    Ok(Redirect::to(&format!("/auth/wait?request={}&note={}", ticket.handle(), asked.name()))
        .into_response())
}

/// `POST /auth/login?request=`: whether there is an end to fetch. Observed: `true` when there is.
async fn login(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Problem> {
    same_site(visitor.headers())?;
    let ticket = ticket(&visitor, &Parameters::of_query(&uri)?)?;
    let token = ticket.browser_token;
    let request = telegram.run(move |world, now| world.poll_url_auth(now, &token)).await?;
    Ok(pages::json(&Value::Bool(request.status != UrlAuthStatus::Pending)))
}

/// `POST /auth/accept?request=`: the person at a linked browser says yes.
async fn accept(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    uri: Uri,
    body: Body,
) -> Result<Response, Problem> {
    same_site(visitor.headers())?;
    let ticket = ticket(&visitor, &Parameters::of_query(&uri)?)?;
    let form = Parameters::of_form(body).await?;
    let consent = Consent {
        write: form.get("write") == Some("1"),
        phone: form.get("share_phone") == Some("1"),
        // The person is at the browser that shows it.
        match_code: ticket.match_code.clone(),
    };
    let (token, link) = (ticket.browser_token.clone(), link(&visitor));
    let expected = form.get("user").and_then(|id| id.parse::<i64>().ok());
    let accepted = telegram
        .run(move |world, now| {
            let known = link.map_or(Ok(None), |link| world.browser_user(now, &link))?;
            // The page that was shown named this person.
            let Some(user) = known.filter(|user| Some(user.id) == expected) else {
                return Ok(false);
            };
            let request = world.poll_url_auth(now, &token)?;
            world.approve_url_auth(now, request.id, user.id, &consent)?;
            Ok(true)
        })
        .await?;
    Ok(match accepted {
        true => onward(&ticket, form.get("how")),
        false => back(&ticket),
    })
}

/// `POST /auth/cancel?request=`: the person at the browser does not want it any more.
async fn cancel(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    uri: Uri,
    body: Body,
) -> Result<Response, Problem> {
    same_site(visitor.headers())?;
    let ticket = ticket(&visitor, &Parameters::of_query(&uri)?)?;
    let form = Parameters::of_form(body).await?;
    let token = ticket.browser_token.clone();
    telegram
        .run(move |world, now| {
            let request = world.poll_url_auth(now, &token)?;
            match request.status {
                UrlAuthStatus::Pending => {
                    world.decline_url_auth(now, request.id, request.for_user.unwrap_or_default())
                }
                // Something else ended it first, and that counts.
                _ => Ok(()),
            }
        })
        .await?;
    Ok(onward(&ticket, form.get("how")))
}

/// `POST /auth/logout?request=`: this browser is not that person's, or not any more.
async fn logout(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Problem> {
    same_site(visitor.headers())?;
    let ticket = ticket(&visitor, &Parameters::of_query(&uri)?)?;
    if let Some(link) = link(&visitor) {
        telegram.run(move |world, _| world.unlink_browser(&link)).await?;
    }
    let mut response = back(&ticket);
    add_cookie(&mut response, link_cookie(&visitor, "", 0));
    Ok(response)
}

fn back(ticket: &Ticket) -> Response {
    Redirect::to(&format!("/auth/wait?request={}", ticket.handle())).into_response()
}

/// `GET /auth/push?request=`: the end. The site is told, once.
async fn push(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Problem> {
    let parameters = Parameters::of_query(&uri)?;
    let ticket = ticket(&visitor, &parameters)?;
    let (token, link) = (ticket.browser_token.clone(), link(&visitor));
    let (request, linked) = telegram
        .run(move |world, now| {
            let request = world.poll_url_auth(now, &token)?;
            let linked = world.link_browser(now, &request, link.as_deref())?;
            Ok((request, linked))
        })
        .await?;
    if request.status == UrlAuthStatus::Pending {
        return Ok(back(&ticket));
    }
    let message = parameters.get("how") == Some("message");
    let mut response = match request.asked.source {
        UrlAuthSource::Widget => {
            legacy::finish(&telegram, &visitor, (ticket, request), message).await?
        }
        UrlAuthSource::Oidc => oidc::finish(&telegram, ticket, &request).await?,
        UrlAuthSource::InApp | UrlAuthSource::Native => {
            return Err(Problem::bad(
                "No browser waits for this",
                "It ends in the app that asked.",
            ));
        }
    };
    if let Some(linked) = linked {
        add_cookie(&mut response, link_cookie(&visitor, &linked, LINK_AGE));
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
    visitor.cookie(&link_name(visitor)).map(ToOwned::to_owned)
}

fn link_name(visitor: &Visitor) -> String {
    format!("chappe_browser_{}", visitor.port())
}

fn link_cookie(visitor: &Visitor, value: &str, age: u32) -> Option<HeaderValue> {
    let name = link_name(visitor);
    let cookie = format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax");
    HeaderValue::from_str(&cookie).ok()
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
