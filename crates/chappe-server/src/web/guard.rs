//! Who may speak to the pages of this machine, and what every answer says to a browser.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::pages::Problem;

/// The hosts that this machine is to itself.
const HERE: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// What a page may load and do, unless it says otherwise: its own files, no frame around it.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
                                 img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                                 frame-ancestors 'none'; base-uri 'none'";

/// Whose pages may load an answer.
pub(super) const RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// The headers of every answer that does not have them already.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer` browsers would not say where the POST of a form comes from.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (RESOURCE_POLICY, "same-origin"),
];

/// Refuses requests for other hosts, and puts the headers on every answer.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let mut response = match is_here(request.headers()) {
        true => next.run(request).await,
        false => Problem::new(
            StatusCode::FORBIDDEN,
            "That is another host",
            "This server answers to 127.0.0.1, [::1] and localhost only. A name that somebody \
             pointed here is refused: the page behind it could act for you.",
        )
        .into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Whether a request names this machine as its host, and no other. A page can point a name of its
/// own here (DNS rebinding): then the browser thinks that this server is the page's.
pub(crate) fn is_here(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter().peekable();
    let here = |host: &HeaderValue| {
        let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        host.is_some_and(|host| HERE.contains(&host.host()) && !host.as_str().contains('@'))
    };
    hosts.peek().is_some() && hosts.all(here)
}

/// Whether a page is opened in a window of its own. Another page could load it as a picture or into a
/// frame, again and again, to fill up with requests what waits for people.
///
/// # Errors
/// When a browser says that it is for something else.
pub(crate) fn in_a_window(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-dest").is_none_or(|what| what == "document") {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "This page is not for that",
            "Open it in a window of its own: it is no picture, no frame and no script.",
        )),
    }
}

/// The origin of the page that asks, as its browser says it.
pub(crate) fn only_origin(headers: &HeaderMap) -> Option<String> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let origin = origins.next()?.to_str().ok()?.to_owned();
    origins.next().is_none().then_some(origin)
}

/// Lets the pages of an origin read an answer, and no others.
pub(crate) fn readable_by(origin: &str, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    response
}

/// Whether an `Origin` is the server that the request went to.
pub(super) fn is_origin_of(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes).unwrap_or_default();
    origin.as_bytes().strip_prefix(b"http://") == Some(host)
}

/// Whether a POST comes from a page of this server, or from no page at all. Cookies alone do not
/// tell: browsers send them to every port of a host, `SameSite` or not.
///
/// # Errors
/// When another page sent it.
pub(crate) fn same_site(headers: &HeaderMap) -> Result<(), Problem> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let ours = match (origins.next(), origins.next()) {
        (Some(origin), None) => is_origin_of(origin, headers),
        // No browser posts without saying from where; one that is old may.
        (None, _) => {
            headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none")
        }
        (Some(_), Some(_)) => false,
    };
    match ours {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Another page sent this",
            "Only the pages of this server may do that. Go back and use the button there.",
        )),
    }
}
