//! The login widget: its script and the button in its frame.
//! (core.telegram.org/widgets/login-legacy)
//!
//! The script is ours, written after the documentation. What the frame and the script say to each other
//! is documented nowhere: the names of the messages are observed, the rest is Assumed.

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use maud::{Markup, html};

use super::{
    Telegram, assets, auth,
    legacy::Asker,
    pages::{Problem, document},
    parameters::Parameters,
    visitor::Visitor,
};
use crate::world::{User, Userpic};

/// The script that sites load.
const SCRIPT: &str = include_str!("../../assets/telegram-widget.js");

/// The greatest `data-radius`, in pixels.
const MAX_RADIUS: u16 = 20;

/// The routes of the widget.
pub(crate) fn routes() -> Router<Telegram> {
    Router::new().route("/js/telegram-widget.js", get(script)).route("/embed/{bot}", get(embed))
}

/// `GET /js/telegram-widget.js?N`. The number behind it is a version, and counts for nothing.
async fn script() -> Response {
    assets::shared_file(assets::SCRIPT, SCRIPT)
}

/// `GET /embed/{bot}`: the button, in a frame of the site.
async fn embed(
    State(telegram): State<Telegram>,
    Path(bot): Path<String>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Problem> {
    let parameters = Parameters::of_query(&uri)?;
    let found = telegram.run(move |world, _| world.bot_by_username(&bot)).await?;
    let Some(bot) = found else { return Ok(wrong("Username invalid", "There is no such bot.")) };
    let asker = match Asker::check(&telegram, bot, &parameters).await {
        Ok(asker) => asker,
        Err(problem) if problem.status() == StatusCode::BAD_REQUEST => {
            return Ok(wrong(problem.title(), problem.hint()));
        }
        Err(problem) => return Err(problem),
    };
    let known = auth::known_user(&telegram, &visitor).await?;
    let body = button(&asker, known.as_ref(), &parameters);
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
         frame-ancestors {}; base-uri 'none'",
        asker.origin()
    );
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], frame(body)).into_response())
}

/// What the frame says that has no button to show: it may be in any page, since it says nothing of
/// anybody.
fn wrong(text: &str, hint: &str) -> Response {
    let body = html! { div.widget.wrong title=(hint) { (text) } };
    let policy = "default-src 'none'; style-src 'self'; frame-ancestors *; base-uri 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], frame(body)).into_response()
}

fn frame(body: Markup) -> Html<String> {
    let head = html! { link rel="stylesheet" href="/css/widget.css"; };
    Html(document("Log in with Telegram", &head, &body).into_string())
}

fn button(asker: &Asker, known: Option<&User>, parameters: &Parameters) -> Markup {
    let size = match parameters.get("size") {
        Some("large") => "large",
        Some("small") => "small",
        _ => "medium",
    };
    let radius = parameters.get("radius").and_then(|radius| radius.parse::<u16>().ok());
    let radius = radius.map(|radius| format!("r{}", radius.min(MAX_RADIUS)));
    let userpic = known.filter(|_| parameters.get("userpic") != Some("false"));
    html! {
        div class={ "widget " (size) @if let Some(radius) = radius { " " (radius) } } {
            a #login href=(asker.window(true)) target="_blank" rel="opener"
                data-origin=(asker.origin()) {
                (plane())
                span {
                    @match known {
                        Some(user) => { "Log in as " bdi { (user.first_name) } }
                        None => { "Log in with Telegram" }
                    }
                }
            }
            @if let Some(user) = userpic {
                img src=(Userpic::of(user).path()) alt="" width="40" height="40";
            }
        }
        script src="/js/widget-frame.js" {}
    }
}

/// A paper plane.
pub(crate) fn plane() -> Markup {
    html! {
        svg viewBox="0 0 24 24" aria-hidden="true" {
            path fill="currentColor"
                d="M2.2 11.3 20.6 3.6c.9-.4 1.7.3 1.4 1.4l-3 14.7c-.2 1-.9 1.3-1.7.8l-4.600-3.400-2.300 2.200c-.4.4-.9.2-1-.3l-1.400-5.200-5.700-1.400c-.9-.3-.9-.8-.1-1.100z" {}
        }
    }
}
