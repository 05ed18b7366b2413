//! The files that pages load: styles and scripts, compiled in.

use axum::{
    Router,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{Telegram, guard::RESOURCE_POLICY};

pub(super) const CSS: &str = "text/css; charset=utf-8";
pub(super) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(super) const SVG: &str = "image/svg+xml";

/// Path, type and content. None of them is for the pages of others.
const FILES: [(&str, &str, &str); 6] = [
    ("/css/telegram.css", CSS, include_str!("../../assets/telegram.css")),
    ("/css/widget.css", CSS, include_str!("../../assets/widget.css")),
    ("/js/login-result.js", SCRIPT, include_str!("../../assets/login-result.js")),
    ("/js/login-wait.js", SCRIPT, include_str!("../../assets/login-wait.js")),
    ("/js/widget-frame.js", SCRIPT, include_str!("../../assets/widget-frame.js")),
    ("/icon.svg", SVG, include_str!("../../assets/icon.svg")),
];

/// A route for each file.
pub(crate) fn routes() -> Router<Telegram> {
    let mut routes = Router::new();
    for (path, kind, content) in FILES {
        routes = routes.route(path, get(move || std::future::ready(file(kind, content))));
    }
    routes
}

/// Serves a file to the pages of this server.
pub(crate) fn file(kind: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], content).into_response()
}

/// Serves a file to the pages of other servers, too.
pub(crate) fn shared_file(kind: &'static str, content: &'static str) -> Response {
    let shared: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, kind), (RESOURCE_POLICY, "cross-origin")];
    (shared, content).into_response()
}
