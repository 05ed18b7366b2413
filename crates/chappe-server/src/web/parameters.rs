//! The parameters of a page: names and values, behind its path or in the body of a form.

use std::collections::BTreeMap;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{StatusCode, Uri},
};

use super::pages::Problem;

/// The most bytes that parameters have, encoded.
const MAX_BYTES: usize = 16 * 1024;

/// The most parameters.
const MAX_COUNT: usize = 48;

/// Names with their values, decoded. No name is there twice.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl std::fmt::Debug for Parameters {
    /// The names only: values may be codes and phone numbers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<S: Sync> FromRequest<S> for Parameters {
    type Rejection = Problem;

    /// The body of a form.
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Self::of_form(request.into_body()).await
    }
}

impl Parameters {
    /// Reads what stands behind a path.
    ///
    /// # Errors
    /// When there is too much of it, or a name is there twice.
    pub(crate) fn of_query(uri: &Uri) -> Result<Self, Problem> {
        Self::read(uri.query().unwrap_or_default().as_bytes())
    }

    /// Reads the body of a form.
    ///
    /// # Errors
    /// As [`of_query`](Self::of_query), and when the body breaks off.
    pub(crate) async fn of_form(body: Body) -> Result<Self, Problem> {
        let body = to_bytes(body, MAX_BYTES).await.map_err(|_| too_much())?;
        Self::read(&body)
    }

    /// Reads `name=value&name=value`, percent-encoded.
    ///
    /// # Errors
    /// When there is too much of it, or a name is there twice: two readers might take different
    /// ones of them. (RFC 6749, section 3.1)
    pub(crate) fn read(text: &[u8]) -> Result<Self, Problem> {
        if text.len() > MAX_BYTES {
            return Err(too_much());
        }
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if parameters.len() == MAX_COUNT {
                return Err(too_much());
            }
            if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Problem::bad(
                    "A parameter is there twice",
                    "Give each parameter of the address or the form once.",
                ));
            }
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter. An empty one counts as none. (RFC 6749, section 3.1)
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn too_much() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "That is too much",
        format!("Up to {MAX_COUNT} parameters with {MAX_BYTES} bytes are read."),
    )
}
