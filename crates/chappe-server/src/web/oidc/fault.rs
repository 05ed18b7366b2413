//! What is wrong with a request, in the terms of OAuth: as JSON for programs, as fields for sites that a
//! browser is sent back to. (RFC 6749, sections 4.1.2.1 and 5.2; OpenID Connect Core 1.0, section 3.1.2.6)

use std::borrow::Cow;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::super::pages::{self, Problem};

/// What a client is asked for that does not show who it is.
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"telegram\", charset=\"UTF-8\"");

/// What is wrong.
pub(super) struct Fault {
    status: StatusCode,
    pub(super) error: &'static str,
    pub(super) description: Cow<'static, str>,
}

impl Fault {
    pub(super) fn new(error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        let status = match error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, error, description: description.into() }
    }

    pub(super) fn invalid(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_request", description)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let status = problem.status();
        let error = if status.is_server_error() { "server_error" } else { "invalid_request" };
        let description = format!("{}: {}", problem.title(), problem.hint()).into();
        Self { status, error, description }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut response = private(&body);
        *response.status_mut() = self.status;
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        response
    }
}

/// An answer that no cache may keep, old ones neither. (RFC 6749, section 5.1)
pub(super) fn private(body: &Value) -> Response {
    let mut response = pages::json(body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
