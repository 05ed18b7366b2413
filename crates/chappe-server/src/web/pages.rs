//! What all pages look like. Whatever comes from outside is escaped by `maud`, and nothing is
//! inline: no script, no style.

use std::borrow::Cow;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use chappe_api::errors;
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use super::Refused;

/// A whole page.
pub(crate) fn page(title: &str, body: Markup) -> Response {
    page_with(title, html! {}, body)
}

/// A whole page with something more in its head.
pub(crate) fn page_with(title: &str, head: Markup, body: Markup) -> Response {
    let head = html! {
        meta name="robots" content="noindex";
        link rel="icon" href="/icon.svg" type="image/svg+xml";
        link rel="stylesheet" href="/css/telegram.css";
        (head)
    };
    Html(document(title, &head, &html! { main { (body) } }).into_string()).into_response()
}

/// An answer for a program.
pub(crate) fn json(value: &Value) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], value.to_string()).into_response()
}

/// A page that tells the page which opened its window how a login ended, and closes. `message` goes,
/// as text, to a page of exactly this origin. `back` is the way on if there is no such window; it may
/// be empty.
pub(crate) fn message_page(origin: &str, message: &Value, back: &str) -> Response {
    let text = message.to_string();
    page(
        "Back to the site",
        html! {
            section.card {
                h1 { "Back to the site" }
                p { "This window closes by itself." }
                @if !back.is_empty() {
                    a.button href=(back) { "Go on" }
                }
            }
            script src="/js/login-result.js" data-origin=(origin) data-message=(text) data-back=(back) {}
        },
    )
}

/// The skeleton of every page; `head` is what it has in its head besides.
pub(crate) fn document(title: &str, head: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                (head)
            }
            body { (body) }
        }
    }
}

/// What went wrong, and what to do: a readable page.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    title: Cow<'static, str>,
    hint: Cow<'static, str>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        title: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, title: title.into(), hint: hint.into() }
    }

    /// A request that makes no sense.
    pub(crate) fn bad(
        title: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, title, hint)
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What went wrong.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// What to do.
    pub(crate) fn hint(&self) -> &str {
        &self.hint
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = html! {
            section.card.problem {
                h1 { (self.title) }
                p { (self.hint) }
                p.quiet { "Local Telegram, error " (self.status.as_u16()) }
            }
        };
        let mut response = page(&self.title, body);
        *response.status_mut() = self.status;
        if self.status == StatusCode::REQUEST_TIMEOUT {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let failure = match refused {
            Refused::By(failure) => failure,
            Refused::Stopped(error) => {
                return Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The local Telegram has stopped",
                    format!("Start it again. It said: {error}."),
                );
            }
        };
        let status =
            u16::try_from(failure.code).ok().and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if failure.code == 420 {
            let seconds = failure.message.rsplit('_').next().unwrap_or_default();
            return Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many tries",
                format!("Wait {seconds} seconds, then try again."),
            );
        }
        for (name, title, hint) in KNOWN {
            if failure == name.into() {
                let gone = name == errors::OAUTH_REQUEST_INVALID;
                let status = if gone { StatusCode::GONE } else { status };
                return Self::new(status, title, hint);
            }
        }
        Self::new(
            status,
            "That did not work",
            format!("The local Telegram answered {}.", failure.message),
        )
    }
}

impl From<crate::Error> for Problem {
    fn from(error: crate::Error) -> Self {
        Refused::from(error).into()
    }
}

/// Refusals of the world in words for people: name, title, what to do.
const KNOWN: [(chappe_tl::ErrorName, &str, &str); 5] = [
    (
        errors::BOT_DOMAIN_INVALID,
        "Bot domain invalid",
        "The site that asks is not the one that the bot belongs to. Its developer sets the domain.",
    ),
    (
        errors::OAUTH_REQUEST_INVALID,
        "The site may not ask any more",
        "Its bot belongs to another site by now. Go back and log in again.",
    ),
    (
        errors::URL_EXPIRED,
        "This login is over",
        "It was answered already, or nobody answered in time. Go back to the site and log in again.",
    ),
    (
        errors::URL_INVALID,
        "This login is over",
        "It is too old. Go back to the site and log in again.",
    ),
    (
        errors::PHONE_NUMBER_INVALID,
        "That is no phone number",
        "Write it with its country code, like +999 66 2 1234.",
    ),
];
