//! The HTTP side of the local Telegram: the pages that stand for telegram.org and
//! oauth.telegram.org, the dashboard of the person at the keyboard, and the control port.
//!
//! ```text
//! browser -> door (socket, deadlines) -> guard (Host, headers) -> routes -> Telegram -> engine -> world
//! ```
//!
//! All of it listens on loopback only: whoever reaches these pages can sign in to the sites of every
//! account.

pub(crate) mod assets;
pub(crate) mod auth;
pub(crate) mod control;
pub(crate) mod dashboard;
pub(crate) mod door;
pub(crate) mod guard;
mod legacy;
pub(crate) mod oidc;
pub(crate) mod pages;
pub(crate) mod parameters;
mod ticket;
pub(crate) mod user_agent;
mod userpic;
pub(crate) mod visitor;
mod waiting;
mod widget;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    handler::Handler,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use chappe_mtproto::time::Now;
use tokio::sync::mpsc;

use self::{
    pages::{Problem, page},
    visitor::Visitor,
};
use crate::{
    Error,
    engine::Engine,
    failure::{Failure, Outcome},
    listener::{self, Message},
    world::{USERPICS, World},
};

/// The local Telegram, as its pages see it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Telegram {
    inbox: mpsc::Sender<Message>,
    pages: Option<Arc<Pages>>,
}

/// What the pages have that stand for oauth.telegram.org.
#[derive(Debug)]
struct Pages {
    base: String,
    keys: oidc::Keys,
}

impl Telegram {
    /// `pages` tells where the pages are that stand for oauth.telegram.org, if there are any,
    /// `http://host:port`, and what they sign with.
    pub(crate) fn new(inbox: mpsc::Sender<Message>, pages: Option<(String, oidc::Keys)>) -> Self {
        Self { inbox, pages: pages.map(|(base, keys)| Arc::new(Pages { base, keys })) }
    }

    /// Where the pages are that stand for oauth.telegram.org, if there are any.
    pub(crate) fn web(&self) -> Option<&str> {
        self.pages.as_ref().map(|pages| pages.base.as_str())
    }

    /// Where these pages are: the issuer of OpenID Connect. Empty for a server without them.
    pub(crate) fn base(&self) -> &str {
        self.web().unwrap_or_default()
    }

    /// What id_tokens are signed with, if there are pages.
    pub(crate) fn keys(&self) -> Option<&oidc::Keys> {
        self.pages.as_ref().map(|pages| &pages.keys)
    }

    /// Does something in the world, as one transaction; `work` gets the time, unix seconds.
    ///
    /// # Errors
    /// What the work was refused with, or why the server could not do it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut World, i32) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Refused> {
        listener::run(&self.inbox, work).await?.map_err(Refused::By)
    }

    /// Looks at something that is not in the world, like the log of calls.
    ///
    /// # Errors
    /// When the server is gone.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine, Now) -> T + Send + 'static,
    ) -> Result<T, Error> {
        listener::ask(&self.inbox, work).await
    }
}

/// Why the world did not do what a page wanted.
#[derive(Debug)]
pub(crate) enum Refused {
    /// By the rules of Telegram.
    By(Failure),
    /// The server is gone.
    Stopped(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Stopped(error)
    }
}

/// The pages that stand for telegram.org and oauth.telegram.org.
pub(crate) fn site(telegram: Telegram) -> Router {
    Router::new()
        .route("/", get(index))
        .route(&format!("{USERPICS}{{name}}"), get(userpic::serve))
        .merge(assets::routes())
        .merge(auth::routes())
        .merge(widget::routes())
        .merge(oidc::routes())
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(guard::guard))
        .with_state(telegram)
}

/// `GET /`: what this is, for who opens the printed URL.
async fn index(State(telegram): State<Telegram>, visitor: Visitor) -> Response {
    page(
        "Local Telegram",
        maud::html! {
            section.card {
                h1 { "Local Telegram" }
                p {
                    "These pages stand for telegram.org and oauth.telegram.org. Nothing here reaches \
                     the real Telegram."
                }
                p {
                    "A login from here is listed as "
                    strong { (visitor.browser) ", " (visitor.platform) }
                    ", from " (visitor.ip) "."
                }
                p.quiet {
                    "To let a site log people in, load its widget from "
                    code { (telegram.base()) "/js/telegram-widget.js" }
                    ". The manual is WEB_LOGIN.md of chappe-server."
                }
            }
        },
    )
}

/// What there is not.
pub(crate) async fn nowhere(uri: Uri) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "There is no such page",
        format!("Nothing is at {}. The manual, WEB_LOGIN.md, lists what there is.", uri.path()),
    )
}

/// What is there, but not for this method.
pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Response {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This page does not take that",
        format!("{method} does nothing at {}.", uri.path()),
    )
    .into_response()
}

/// A page whose GET begins or ends something: a HEAD does nothing there, as all else.
pub(crate) fn only_get<T: 'static>(page: impl Handler<T, Telegram>) -> MethodRouter<Telegram> {
    let refuse = async |method: Method, uri: Uri| {
        let allow = [(header::ALLOW, HeaderValue::from_static("GET"))];
        (allow, wrong_method(method, uri).await).into_response()
    };
    get(page).head(refuse).fallback(refuse)
}
