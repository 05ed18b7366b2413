//! Who may ask, and what every answer tells the browser.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{pages::Problem, routes::Shared};

/// Refuses requests for another host, and puts the headers on every answer.
pub(crate) async fn guard(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let mut response = match (hosts.next(), hosts.next()) {
        (Some(host), None) if host.as_bytes().eq_ignore_ascii_case(shared.host.as_bytes()) => {
            next.run(request).await
        }
        _ => Problem::elsewhere(&shared.url).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy(&shared, "")) {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    response
}

/// What a page may load: its own files, and what the ways in need of Telegram.
///
/// `form-action` names Telegram because browsers hold redirects of a form against it.
pub(crate) fn policy(shared: &Shared, scripts: &str) -> String {
    let Shared { scripts: base, issuer, .. } = shared;
    format!(
        "default-src 'none'; style-src 'self' {issuer}; script-src 'self' {base} {issuer}{scripts}; \
         img-src 'self' https: {base}; frame-src {issuer}; connect-src 'self' {issuer}; \
         form-action 'self' {issuer}; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Lets a POST through that a page of this site sends. `SameSite` alone does not tell: it knows
/// neither ports nor neighbouring hosts.
///
/// # Errors
///
/// When another page sends it, or a browser that does not say.
pub(crate) fn own_page(shared: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) if origin.as_bytes() == shared.url.as_bytes() => Ok(()),
        _ => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Another page sent this",
            "Only the pages of this site may do that. Go to the start page and try again.",
        )),
    }
}

const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer` browsers would not say where the POST of a form comes from.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    // The popup of a login answers its opener.
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin-allow-popups"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
