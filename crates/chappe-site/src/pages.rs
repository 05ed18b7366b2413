//! What the pages look like. Whatever Telegram tells is escaped by `maud`; nothing is inline.

use std::{borrow::Cow, fmt, time::Duration};

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use chappe_login::oidc;
use maud::{DOCTYPE, Markup, html};

use crate::{
    fetch::Failed,
    openid::Asked,
    routes::{Session, Shared, Way},
};

/// The ways in.
pub(crate) fn start(shared: &Shared, auth_url: &str) -> Html<String> {
    let widget = format!("{}/js/telegram-widget.js?22", shared.scripts);
    page(
        "Log in",
        html! {
            section.hero {
                h1 { "Come in" }
                p { "This site has no passwords. Telegram tells it who you are, if you allow it." }
            }
            @if shared.openid.is_some() {
                section.card {
                    h2 { "OpenID Connect" }
                    p.quiet { "The way that Telegram recommends. You come back with a code, which only this site can use." }
                    form method="post" action="/login/openid" {
                        fieldset {
                            legend { "Ask me also for" }
                            label { input type="checkbox" name="phone"; " my phone number" }
                            label { input type="checkbox" name="write"; " the right to write to me" }
                        }
                        button.telegram type="submit" { (plane()) "Log in with Telegram" }
                    }
                }
            }
            section.card {
                h2 { "Login Widget" }
                p.quiet { "The older way. You come back with your name under a seal of this site's bot." }
                div.widget {
                    script src="/fragment.js" {}
                    script async src=(widget) data-telegram-login=(shared.bot) data-size="large"
                        data-radius="10" data-request-access="write" data-auth-url=(auth_url) {}
                    noscript { "The widget needs JavaScript." }
                }
                p #message role="alert" hidden {}
            }
            p.ways {
                "Without leaving the page: "
                a href="/ways/callback" { "widget with a callback" }
                @if shared.openid.is_some() {
                    ", " a href="/ways/library" { "JavaScript library" }
                }
            }
        },
    )
}

/// The Login Widget that calls `onTelegramAuth(user)`.
pub(crate) fn callback(shared: &Shared) -> Html<String> {
    let widget = format!("{}/js/telegram-widget.js?22", shared.scripts);
    page(
        "Login Widget with a callback",
        html! {
            section.card {
                h1 { "Login Widget with a callback" }
                p.quiet {
                    "The widget calls a function of this page, and the page sends what it was told to the "
                    "site. The site believes the seal, never the page."
                }
                div.widget {
                    script src="/fragment.js" {}
                    script defer src="/site.js" {}
                    script async src=(widget) data-telegram-login=(shared.bot) data-size="large"
                        data-radius="10" data-request-access="write"
                        data-onauth="onTelegramAuth(user)" {}
                    noscript { "The widget needs JavaScript." }
                }
                p #message role="alert" hidden {}
            }
            p.ways { a href="/" { "Other ways in" } }
        },
    )
}

/// Telegram's JavaScript library for OpenID Connect.
pub(crate) fn library(shared: &Shared, client_id: &str, nonce: &str) -> Html<String> {
    let library = format!("{}/js/telegram-login.js", shared.issuer);
    page(
        "JavaScript library",
        html! {
            section.card {
                h1 { "JavaScript library" }
                p.quiet {
                    "A small window asks you, and the page sends the id_token to the site. It has to name "
                    "a number that this site gave to this page."
                }
                button.telegram #library type="button" data-client-id=(client_id) data-nonce=(nonce) {
                    (plane()) "Log in with Telegram"
                }
                noscript { "The library needs JavaScript." }
                p #message role="alert" hidden {}
                script defer src=(library) {}
                script defer src="/site.js" {}
            }
            p.ways { a href="/" { "Other ways in" } }
        },
    )
}

/// Who is logged in, and what the site knows of them.
pub(crate) fn greeting(session: &Session, left: Duration) -> Html<String> {
    let minutes = left.as_secs().div_ceil(60);
    let initial = session.name.chars().next().unwrap_or('?');
    // Only what an image may be: an address of another kind is not followed.
    let picture = session.picture.as_deref().filter(|picture| is_picture(picture));
    page(
        "Hello",
        html! {
            section.card.person {
                @match picture {
                    Some(picture) => img.avatar src=(picture) alt="" width="72" height="72" referrerpolicy="no-referrer";
                    None => span.avatar aria-hidden="true" { (initial) }
                }
                div {
                    h1 { "Hello, " bdi { (session.name) } }
                    @if let Some(username) = &session.username {
                        p.quiet { "@" (username) }
                    }
                }
            }
            section.card {
                h2 { "What Telegram told" }
                p.quiet { (session.way) }
                dl {
                    @for (name, value) in &session.told {
                        div { dt { (name) } dd { bdi { (value) } } }
                    }
                }
            }
            section.card {
                h2 { "What was granted" }
                ul { @for line in granted(session) { li { (line) } } }
            }
            section.card {
                h2 { "This session" }
                p {
                    "It ends by itself in " strong #left { (minutes) @if minutes == 1 { " minute" } @else { " minutes" } }
                    ", whatever you do. Then Telegram is asked again."
                }
                p.quiet {
                    "If you disconnect this site in Telegram, the login there is over and the next one asks you "
                    "again. This session here is this site's own affair: it goes on, and Telegram tells the site "
                    "nothing of it. That is why it is short, and why there is a button:"
                }
                form method="post" action="/logout" {
                    button type="submit" { "Log out here" }
                }
            }
        },
    )
}

impl maud::Render for Way {
    fn render(&self) -> Markup {
        let words = match self {
            Self::Library(_) => {
                "By an id_token of its JavaScript library, signed for this site and for this page."
            }
            Self::OpenId(_) => "By an id_token for a code, signed for this site.",
            Self::Widget => {
                "By fields of the Login Widget, sealed with the key of this site's bot."
            }
        };
        html! { (words) }
    }
}

/// What can be said truthfully about what was asked for.
fn granted(session: &Session) -> Vec<&'static str> {
    let told = |name: &str| session.told.iter().any(|(known, _)| known == name);
    let mut lines = vec!["Name, username and picture: what is above, and nothing else."];
    let asked = match session.way {
        Way::Library(asked) | Way::OpenId(asked) => asked,
        Way::Widget => Asked { phone: false, write: true },
    };
    if asked.phone {
        lines.push(if told("phone_number") {
            "The phone number: granted. It is shown here with all but its last digits hidden."
        } else {
            "The phone number: asked for, and not granted."
        });
    }
    if asked.write {
        lines.push(
            "The right to write to you: asked for. Whether you gave it, Telegram tells the bot and \
             not the site.",
        );
    }
    lines
}

/// A phone number of which only the end can be read.
pub(crate) fn masked(phone: &str) -> String {
    let count = phone.chars().count();
    let shown = |(index, sign)| if index + 2 < count { '•' } else { sign };
    phone.chars().enumerate().map(shown).collect()
}

fn is_picture(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://127.0.0.1:")
}

/// What went wrong, and what to do.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    title: Cow<'static, str>,
    text: Cow<'static, str>,
    /// For a script, which shows it itself.
    plain: bool,
    /// Where to go on, if not to the start page.
    link: Option<String>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        title: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, title: title.into(), text: text.into(), plain: false, link: None }
    }

    pub(crate) fn plain(self) -> Self {
        Self { plain: true, ..self }
    }

    /// A login that this browser did not begin, or begun too long ago.
    pub(crate) fn other_browser() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "This login is not yours",
            "It was begun in another browser, was used already, or waited for more than ten minutes. \
             If a link brought you here, somebody may want you to be logged in as himself. Nobody was \
             logged in.",
        )
    }

    /// A request for another host.
    pub(crate) fn elsewhere(url: &str) -> Self {
        let mut problem = Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "This site has another name",
            format!("It is called {url} and answers to that only."),
        );
        problem.link = Some(url.to_owned());
        problem
    }

    pub(crate) fn no_entropy() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "No random numbers",
            "This machine gives none, and nobody can be logged in safely without.",
        )
    }

    /// Telegram does not answer.
    pub(crate) fn unreachable(error: &Failed) -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            "Telegram cannot be reached",
            format!("The site asked it for something and got no answer: {error}. Try again."),
        )
    }

    fn refused(status: StatusCode, error: impl fmt::Display) -> Self {
        let error = error.to_string();
        let mut text = String::new();
        let mut signs = error.chars();
        text.extend(signs.next().into_iter().flat_map(char::to_uppercase));
        text.extend(signs);
        text.push_str(". Nobody was logged in.");
        Self::new(status, "This login is refused", text)
    }
}

impl From<chappe_login::Error> for Problem {
    fn from(error: chappe_login::Error) -> Self {
        use chappe_login::Error;
        let status = match error {
            Error::Declined
            | Error::FromFuture { .. }
            | Error::Hash
            | Error::Replayed
            | Error::Stale { .. } => StatusCode::FORBIDDEN,
            Error::Full => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::refused(status, error)
    }
}

impl From<oidc::Error> for Problem {
    fn from(error: oidc::Error) -> Self {
        use oidc::Error;
        let status = match error {
            Error::Declined => {
                return Self::new(
                    StatusCode::FORBIDDEN,
                    "You said no",
                    "Telegram told this site nothing about you. Nobody was logged in.",
                );
            }
            Error::Duplicate(_) | Error::Encoding | Error::Missing(_) | Error::TooLarge => {
                StatusCode::BAD_REQUEST
            }
            Error::Entropy => return Self::no_entropy(),
            Error::Address(_)
            | Error::Client
            | Error::Json
            | Error::Keys
            | Error::Provider(_)
            | Error::Refused(_)
            | Error::Response(_) => StatusCode::BAD_GATEWAY,
            _ => StatusCode::FORBIDDEN,
        };
        Self::refused(status, error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, title, text, plain, link } = self;
        if plain {
            let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            return (status, kind, text.into_owned()).into_response();
        }
        let body = html! {
            section.card.problem {
                h1 { (title) }
                p { (text) }
                p { a href=(link.as_deref().unwrap_or("/")) { "Go to the start page" } }
            }
        };
        (status, page(&title, body)).into_response()
    }
}

fn page(title: &str, body: Markup) -> Html<String> {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Example site" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/site.css";
            }
            body {
                header { a href="/" { img src="/icon.svg" alt="" width="28" height="28"; "Example site" } }
                main { (body) }
                footer { p.quiet { "An example of chappe. It keeps nothing when it ends." } }
            }
        }
    };
    Html(markup.into_string())
}

fn plane() -> Markup {
    html! {
        svg aria-hidden="true" width="20" height="20" viewBox="0 0 24 24" {
            path fill="currentColor" d="M21.9 3.2 2.6 10.7c-.8.3-.8 1.4 0 1.7l4.6 1.5 1.9 5.7c.2.7 1.1.9 1.6.4l2.6-2.5 4.6 3.4c.6.4 1.4.1 1.5-.6L22.9 4c.1-.7-.4-1.1-1-.8Zm-3.6 4-8.4 7.5-.4 3-1.2-4 9.6-7c.4-.2.8.2.4.5Z" {}
        }
    }
}
