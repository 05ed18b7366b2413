//! Who is at a page: the address, the browser and the cookies of a request.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
};

use super::{door::From, user_agent};

/// The most bytes that are read of a `Cookie` header.
const MAX_COOKIES: usize = 16 * 1024;

/// Who is at a page.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// Where the request came from.
    pub(crate) ip: IpAddr,
    /// The browser with its version, for people.
    pub(crate) browser: String,
    /// The operating system, for people.
    pub(crate) platform: String,
    headers: HeaderMap,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let ip = parts.extensions.get::<From>();
        let ip = ip.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |from| from.0);
        let agent = parts.headers.get(header::USER_AGENT).map(HeaderValue::as_bytes);
        let agent = user_agent::read(agent.unwrap_or_default());
        Ok(Self {
            ip,
            browser: agent.browser,
            platform: agent.platform,
            headers: parts.headers.clone(),
        })
    }
}

impl Visitor {
    /// The value of a cookie. Of two with one name none counts: another server on this host may
    /// have set one of them.
    fn cookie(&self, name: &str) -> Option<&str> {
        let headers = self.headers.get_all(header::COOKIE).iter();
        let pairs = headers
            .filter(|header| header.len() <= MAX_COOKIES)
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// The host that the browser dialled, with its port.
    pub(crate) fn host(&self) -> &str {
        self.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
    }

    /// A cookie of this kind that this server gave the browser.
    pub(crate) fn own_cookie(&self, kind: &str) -> Option<&str> {
        self.cookie(&self.cookie_name(kind))
    }

    /// The header that gives the browser such a cookie, for no script: for a path, for some seconds.
    pub(crate) fn set_cookie(
        &self,
        kind: &str,
        value: &str,
        (path, age): (&str, u32),
    ) -> Option<HeaderValue> {
        let name = self.cookie_name(kind);
        let cookie = format!("{name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax");
        let mut cookie = HeaderValue::from_str(&cookie).ok()?;
        cookie.set_sensitive(true);
        Some(cookie)
    }

    /// Cookies do not know ports: the port is in the name.
    fn cookie_name(&self, kind: &str) -> String {
        format!("chappe_{kind}_{}", self.port())
    }

    /// The port in the host.
    fn port(&self) -> u16 {
        self.host().rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(80)
    }

    /// The headers of the request.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

#[cfg(test)]
impl Visitor {
    /// A browser with these cookies.
    pub(crate) fn with_cookies(host: &str, cookies: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        headers.insert(header::COOKIE, HeaderValue::from_str(cookies).unwrap());
        let user_agent::Agent { browser, platform } = user_agent::read(b"");
        Self { ip: Ipv4Addr::LOCALHOST.into(), browser, platform, headers }
    }
}
