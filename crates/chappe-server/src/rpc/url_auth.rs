//! The consent to a login: what an app hears of a request, and what it says
//! (core.telegram.org/api/url-authorization).

use chappe_api::{
    enums::{self, InputPeer, UrlAuthResult},
    errors, messages, types,
};
use chappe_tl::Text;

use super::{Call, users};
use crate::{
    bots::MatchCode,
    failure::Outcome,
    logins::{Approved, Grant, Source},
    world::{Page, Site, UrlAuth, UrlAuthLink},
};

/// What the app asks about.
enum Subject {
    /// The request of a browser or another app.
    Request(Box<UrlAuth>),
    /// A page of a bot's site that the person wants to open, logged in.
    Page(Page),
    /// A page that Telegram knows nothing of.
    Unknown,
}

pub(super) fn request_url_auth(
    call: &mut Call<'_>,
    request: messages::RequestUrlAuth,
) -> Outcome<UrlAuthResult> {
    let me = call.my_id()?;
    match subject(call, button(&request.peer, request.msg_id, request.button_id), &request.url)? {
        Subject::Request(login) => {
            // Only the page itself may ask from within Telegram.
            let origin = request.in_app_origin.as_deref();
            let inside = login.asked.source == Source::InApp;
            if inside != origin.is_some() || inside && origin != login.asked.origin.as_deref() {
                return Err(errors::URL_INVALID.into());
            }
            match call.world.own_url_auth(call.now, login.id, me)? {
                Some(Approved { url }) => Ok(accepted(url)),
                None => Ok(consent_to(call, *login)?.into()),
            }
        }
        Subject::Page(page) if call.world.opens_unasked(me, &page)? => open(call, &page, false),
        Subject::Page(page) => {
            let bot = bot(call, page.bot_id)?;
            Ok(types::UrlAuthResultRequest {
                request_write_access: page.write,
                ..types::UrlAuthResultRequest::new(bot, page.domain)
            }
            .into())
        }
        Subject::Unknown => Ok(UrlAuthResult::Default),
    }
}

pub(super) fn accept_url_auth(
    call: &mut Call<'_>,
    request: messages::AcceptUrlAuth,
) -> Outcome<UrlAuthResult> {
    let me = call.my_id()?;
    match subject(call, button(&request.peer, request.msg_id, request.button_id), &request.url)? {
        Subject::Request(login) => {
            let consent = Grant {
                write: request.write_allowed,
                phone: request.share_phone_number,
                match_code: request.match_code.map(Into::into),
            };
            let approval = call.world.approve_url_auth(call.now, login.id, me, &consent)?;
            Ok(accepted(approval.url))
        }
        Subject::Page(page) => open(call, &page, request.write_allowed),
        Subject::Unknown => Ok(UrlAuthResult::Default),
    }
}

pub(super) fn decline_url_auth(
    call: &mut Call<'_>,
    request: messages::DeclineUrlAuth,
) -> Outcome<bool> {
    let (me, login) = (call.my_id()?, login(call, &request.url)?);
    call.world.decline_url_auth(call.now, login.id, me)?;
    Ok(true)
}

pub(super) fn check_url_auth_match_code(
    call: &mut Call<'_>,
    request: messages::CheckUrlAuthMatchCode,
) -> Outcome<bool> {
    let (me, login) = (call.my_id()?, login(call, &request.url)?);
    call.world.check_url_auth_code(call.now, login.id, me, &request.match_code)
}

/// A button of a message in a chat, as a request names it.
type Button<'a> = (&'a InputPeer, i32, i32);

fn button(
    peer: &Option<InputPeer>,
    msg_id: Option<i32>,
    button_id: Option<i32>,
) -> Option<Button<'_>> {
    Some((peer.as_ref()?, msg_id?, button_id?))
}

/// What a button or an address is about.
fn subject(call: &Call<'_>, button: Option<Button<'_>>, url: &Option<Text>) -> Outcome<Subject> {
    if let Some(button) = button {
        return pressed(call, button);
    }
    let url: &str = url.as_ref().ok_or(errors::URL_INVALID)?;
    match UrlAuthLink::read(url).ok_or(errors::URL_INVALID)? {
        UrlAuthLink::Request(token) => {
            Ok(Subject::Request(Box::new(call.world.url_auth(call.now, token)?)))
        }
        UrlAuthLink::Site => {
            let domain = Site::of(url).ok_or(errors::URL_INVALID)?.host;
            let Some(bot) = call.world.bot_of_site(&domain)? else { return Ok(Subject::Unknown) };
            Ok(Subject::Page(Page { bot_id: bot.id, url: url.to_owned(), domain, write: false }))
        }
    }
}

/// What a login button is about. One whose site was taken away from the bot is an ordinary link.
fn pressed(call: &Call<'_>, (peer, msg_id, button_id): Button<'_>) -> Outcome<Subject> {
    let me = call.my_id()?;
    let peer = match peer {
        InputPeer::User(peer) => {
            types::InputUser { user_id: peer.user_id, access_hash: peer.access_hash }
        }
        _ => return Err(errors::PEER_ID_INVALID.into()),
    };
    let peer = users::find(call, &peer.into())?.ok_or(errors::PEER_ID_INVALID)?;
    let found = call.world.url_button(me, peer.id, msg_id, button_id)?;
    let button = found.ok_or(errors::BUTTON_ID_INVALID)?;
    if call.world.check_login_url(button.bot_id, &button.url).is_err() {
        return Ok(Subject::Unknown);
    }
    let domain = Site::of(&button.url).ok_or(errors::URL_INVALID)?.host;
    let write = button.request_write_access && !call.world.may_write(button.bot_id, me)?;
    Ok(Subject::Page(Page { bot_id: button.bot_id, url: button.url, domain, write }))
}

/// The request that a link is for. There is nothing to decline or to check about a page.
fn login(call: &Call<'_>, url: &str) -> Outcome<UrlAuth> {
    match UrlAuthLink::read(url) {
        Some(UrlAuthLink::Request(token)) => call.world.url_auth(call.now, token),
        _ => Err(errors::URL_INVALID.into()),
    }
}

/// What the person is shown of a request.
fn consent_to(call: &Call<'_>, login: UrlAuth) -> Outcome<types::UrlAuthResultRequest> {
    let UrlAuth { asked, codes, .. } = login;
    let bot = bot(call, asked.bot_id)?;
    let codes = codes.into_iter().map(Into::into).collect();
    Ok(types::UrlAuthResultRequest {
        request_write_access: asked.scopes.write,
        request_phone_number: asked.scopes.phone,
        match_codes_first: asked.match_codes == MatchCode::First,
        is_app: asked.app.is_some(),
        browser: Some(asked.login.browser.into()),
        platform: Some(asked.login.platform.into()),
        ip: Some(asked.login.ip.into()),
        region: Some(asked.login.region.into()),
        match_codes: (asked.match_codes != MatchCode::None).then_some(codes),
        user_id_hint: asked.user_id_hint,
        verified_app_name: asked.app.and_then(|app| app.verified_name).map(Into::into),
        ..types::UrlAuthResultRequest::new(bot, asked.login.domain)
    })
}

/// Opens a page of a bot's site, logged in.
fn open(call: &mut Call<'_>, page: &Page, write: bool) -> Outcome<UrlAuthResult> {
    let (me, now) = (call.my_id()?, call.now);
    let url = call.world.open_page(now, call.caller, me, (page, write))?;
    Ok(accepted(Some(url)))
}

fn accepted(url: Option<String>) -> UrlAuthResult {
    types::UrlAuthResultAccepted { url: url.map(Into::into) }.into()
}

/// The bot as its users see it.
fn bot(call: &Call<'_>, bot_id: i64) -> Outcome<enums::User> {
    let bot = call.world.user(bot_id)?.ok_or(errors::OAUTH_REQUEST_INVALID)?;
    Ok(users::user(&bot, Some(call.my_id()?), call.now))
}
