//! The login widget's side of the window: who may ask, and what the site is told.
//! (core.telegram.org/widgets/login-legacy)

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64ct::{Base64UrlUnpadded, Encoding};
use chappe_api::errors;
use serde_json::{Map, Value, json};

use super::{
    Telegram, auth,
    guard::{only_origin, readable_by},
    pages::{self, Problem},
    parameters::Parameters,
    visitor::Visitor,
    waiting,
};
use crate::browser::Progress;
use crate::logins::{Scopes, Source};
use crate::world::{End, ForSite, NewUrlAuth, Site, UrlAuthResponse, User};

/// A site that may ask by the login widget: the bot's own.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    bot: User,
    site: Site,
    return_to: String,
    write: bool,
}

impl Asker {
    /// Checks that a page belongs to the bot, and that what it wants to go back to is of the same
    /// origin: anything else would hand a login to whoever wrote the address.
    ///
    /// # Errors
    /// "Bot domain invalid" if it is not so.
    pub(crate) async fn check(
        telegram: &Telegram,
        bot: User,
        parameters: &Parameters,
    ) -> Result<Self, Problem> {
        let bot_id = bot.id;
        let domain = telegram.run(move |world, _| world.bot_domain(bot_id)).await?;
        let domain = domain.ok_or_else(|| {
            Problem::bad(
                "Bot domain invalid",
                format!(
                    "{} has no domain yet. Its developer sets it: WEB_LOGIN.md says how.",
                    bot.first_name
                ),
            )
        })?;
        let return_to = parameters.get("return_to");
        let asks = parameters.get("origin").or(return_to);
        let site = match asks.map(Site::of) {
            Some(Some(site)) if site.host == domain => site,
            other => {
                let why = match other {
                    Some(Some(site)) => format!("this page came from {}.", site.origin()),
                    Some(None) => {
                        "the origin of the page that asks is none: it begins with https://, or \
                        with http:// for a host of this machine."
                            .to_owned()
                    }
                    None => "the address does not say by `origin` which page asks.".to_owned(),
                };
                return Err(Problem::bad(
                    "Bot domain invalid",
                    format!("{} belongs to {domain}; {why}", bot.first_name),
                ));
            }
        };
        let return_to = match return_to {
            None => format!("{}/", site.origin()),
            Some(back) if Site::of(back).is_some_and(|back| back.origin() == site.origin()) => {
                // What stands behind `#` is ours.
                back.split('#').next().unwrap_or_default().to_owned()
            }
            Some(_) => {
                return Err(Problem::bad(
                    "Bot domain invalid",
                    "The page wants to go back to another site than the one it came from.",
                ));
            }
        };
        let write = parameters.get("request_access") == Some("write");
        Ok(Self { bot, site, return_to, write })
    }

    /// The origin of the page.
    pub(crate) fn origin(&self) -> String {
        self.site.origin()
    }

    /// The address of the window that asks the same, from a frame or not.
    pub(crate) fn window(&self, embedded: bool) -> String {
        window(self.bot.id, (&self.origin(), &self.return_to), embedded, self.write)
    }
}

/// The address of a window: of [`authorize`].
fn window(bot_id: i64, (origin, return_to): (&str, &str), embedded: bool, write: bool) -> String {
    let mut query = form_urlencoded::Serializer::new("/auth?".to_owned());
    query.append_pair("bot_id", &bot_id.to_string());
    query.append_pair("origin", origin);
    if embedded {
        query.append_pair("embed", "1");
    }
    if write {
        query.append_pair("request_access", "write");
    }
    query.append_pair("return_to", return_to);
    query.finish()
}

/// A site sends somebody to the window: `/auth?bot_id=&origin=&request_access=&return_to=`.
pub(super) async fn authorize(
    telegram: &Telegram,
    visitor: &Visitor,
    parameters: &Parameters,
) -> Result<Response, Problem> {
    let bot_id = parameters.get("bot_id").and_then(|id| id.parse::<i64>().ok());
    let bot_id = bot_id.ok_or_else(|| {
        Problem::bad(
            "This address is not complete",
            "A site that uses the login widget names its bot by bot_id, one that uses OpenID Connect by \
             client_id.",
        )
    })?;
    let bot = telegram.run(move |world, _| world.user(bot_id)).await?.filter(|user| user.bot);
    let bot =
        bot.ok_or_else(|| Problem::bad("Bot not found", "There is no bot with this bot_id."))?;
    let asker = Asker::check(telegram, bot, parameters).await?;
    let response = match parameters.get("embed") {
        Some("1") => UrlAuthResponse::LegacyMessage,
        _ => UrlAuthResponse::LegacyUrl,
    };
    let login = visitor.login(&asker.site.host);
    let new = NewUrlAuth {
        redirect_uri: Some(asker.return_to.clone()),
        origin: Some(asker.origin()),
        scopes: Scopes { profile: true, phone: false, write: asker.write },
        ..NewUrlAuth::new(Source::Widget, response, asker.bot.id, login)
    };
    auth::begin(telegram, visitor, new).await
}

/// Ends a request of the widget.
pub(super) fn finish(visitor: &Visitor, end: End, message: bool) -> Result<Response, Problem> {
    let End { request, told, .. } = end;
    let (Some(origin), Some(return_to)) = (&request.asked.origin, &request.asked.redirect_uri)
    else {
        return Err(Problem::bad(
            "This login has no site",
            "Go back to the site and log in again.",
        ));
    };
    let result = match (told, request.status) {
        (Some(ForSite::Fields(fields)), _) => user_json(fields),
        (_, Progress::Expired) => {
            let asked = &request.asked;
            let embedded = asked.response == UrlAuthResponse::LegacyMessage;
            let again = window(asked.bot_id, (origin, return_to), embedded, asked.scopes.write);
            return Ok(waiting::too_late(&asked.login.domain, &again));
        }
        (_, Progress::Claimed) => return Ok(used()),
        _ => Value::Bool(false),
    };
    let encoded = Base64UrlUnpadded::encode_string(ascii(&result).as_bytes());
    let back = format!("{return_to}#tgAuthResult={encoded}");
    if message {
        // The frame of the widget is a page of ours, and tells the site itself.
        let to = match request.asked.response {
            UrlAuthResponse::LegacyMessage => format!("http://{}", visitor.host()),
            _ => origin.clone(),
        };
        let event = json!({ "event": "auth_result", "result": result, "origin": origin });
        return Ok(pages::message_page(&to, &event, &back));
    }
    auth::found(&back)
}

/// JSON that is ASCII only. Observed: Telegram's is, too, and sites rely on it that read it with `atob`
/// and nothing else.
fn ascii(json: &Value) -> String {
    let mut text = String::new();
    for character in json.to_string().chars() {
        match character.is_ascii() {
            true => text.push(character),
            false => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text
}

/// The fields of the widget as the object that a page gets: `id` and `auth_date` are numbers.
fn user_json(fields: Vec<(&'static str, String)>) -> Value {
    let value = |(name, value): (&'static str, String)| {
        let number =
            matches!(name, "id" | "auth_date").then(|| value.parse::<i64>().ok()).flatten();
        (name.to_owned(), number.map_or(Value::String(value), Value::from))
    };
    Value::Object(fields.into_iter().map(value).collect::<Map<_, _>>())
}

/// The end of a request that was fetched before.
pub(super) fn used() -> Response {
    Problem::new(
        StatusCode::GONE,
        "This login is over",
        "The site was told already, and is told once only. Close this window.",
    )
    .into_response()
}

/// `POST /auth/get` with `bot_id=`, from a page of the bot's site: who is logged in there from this
/// browser. Observed: `{"user": {...}, "html": ...}`.
pub(super) async fn user(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    form: Parameters,
) -> Result<Response, Problem> {
    let bot_id = form.get("bot_id").and_then(|id| id.parse::<i64>().ok());
    let bot_id = bot_id.ok_or_else(|| Problem::bad("Which bot?", "Give bot_id."))?;
    let origin = only_origin(visitor.headers());
    let link = auth::link(&visitor);
    let asks = origin.as_deref().and_then(Site::of);
    let user = telegram
        .run(move |world, now| {
            let domain = world.bot_domain(bot_id)?;
            if asks.is_none_or(|site| Some(site.host) != domain) {
                return Err(errors::BOT_DOMAIN_INVALID.into());
            }
            let user = link.map_or(Ok(None), |link| world.browser_login(now, &link, bot_id))?;
            user.map(|user| world.login_fields(now, &user, bot_id)).transpose()
        })
        .await?;
    let origin = origin.unwrap_or_default();
    let answer = match user {
        Some(fields) => {
            let name = fields.iter().find(|(name, _)| *name == "first_name");
            let name = name.map(|(_, name)| name.clone()).unwrap_or_default();
            let html = maud::html! { "Log in as " (name) }.into_string();
            json!({ "user": user_json(fields), "html": html, "origin": origin })
        }
        None => json!({ "user": false, "origin": origin }),
    };
    let mut response = readable_by(&origin, pages::json(&answer));
    let credentials = HeaderValue::from_static("true");
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials);
    Ok(response)
}
