//! A browser without a window, for `chappe demo --web` where nobody sits: it keeps cookies, follows
//! redirects, and goes nowhere but to servers of this machine.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::output::{Exit, Failure};

/// A browser, and the cookies that it has by host: ports are not told apart.
#[derive(Default)]
pub(super) struct Browser {
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// What a server answered.
pub(super) struct Page {
    /// Where it is.
    pub(super) url: String,
    pub(super) status: u16,
    pub(super) text: String,
    /// Where it sends the browser.
    to: Option<String>,
}

impl Browser {
    /// Opens a page, and goes on as long as it is sent elsewhere.
    pub(super) async fn open(&mut self, url: &str) -> Result<Page, Failure> {
        let page = self.ask("GET", url, None).await?;
        self.follow(page).await
    }

    /// Opens a page, and tells where it sends the browser, which stays.
    pub(super) async fn sent_from(&mut self, url: &str) -> Result<String, Failure> {
        let page = self.ask("GET", url, None).await?;
        page.to.ok_or_else(|| lost(url, "it sends the browser nowhere"))
    }

    /// Sends a form of a page of the same site, and goes on as [`open`](Self::open).
    pub(super) async fn submit(&mut self, url: &str, form: &str) -> Result<Page, Failure> {
        let page = self.ask("POST", url, Some(form)).await?;
        self.follow(page).await
    }

    async fn follow(&mut self, mut page: Page) -> Result<Page, Failure> {
        for _ in 0..REDIRECTS {
            let Some(to) = page.to.take() else { return Ok(page) };
            let url = match to.starts_with('/') {
                true => format!("{}{to}", origin(&page.url)),
                false => to,
            };
            page = self.ask("GET", &url, None).await?;
        }
        Err(lost(&page.url, "it is sent round in a circle"))
    }

    async fn ask(&mut self, method: &str, url: &str, form: Option<&str>) -> Result<Page, Failure> {
        // What stands behind `#` is the page's own.
        let address = url.split('#').next().unwrap_or_default();
        let exchange = self.exchange(method, address, form);
        let answer = tokio::time::timeout(PATIENCE, exchange).await;
        let mut page = answer.map_err(|_| lost(url, "it takes too long"))??;
        page.url = url.to_owned();
        Ok(page)
    }

    async fn exchange(
        &mut self,
        method: &str,
        url: &str,
        form: Option<&str>,
    ) -> Result<Page, Failure> {
        let lost = |why: &dyn ToString| lost(url, &why.to_string());
        let uri: Uri = url.parse().map_err(|error| lost(&error))?;
        let (Some(host @ ("localhost" | "127.0.0.1")), Some(port)) = (uri.host(), uri.port_u16())
        else {
            return Err(lost(&"it is not on this machine"));
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, format!("{host}:{port}"))
            .header(USER_AGENT, AGENT);
        let jar = self.cookies.entry(host.to_owned()).or_default();
        let cookies: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if form.is_some() {
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(ORIGIN, origin(url));
        }
        let body = Full::new(Bytes::from(form.unwrap_or_default().to_owned()));
        let request = request.body(body).map_err(|error| lost(&error))?;
        let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| lost(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| lost(&error))?;
        let carrying = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|error| lost(&error))?;
        keep_cookies(jar, &answer);
        let (status, to) = (answer.status(), answer.headers().get(LOCATION).cloned());
        let to = to.filter(|_| status.is_redirection());
        let to = to.and_then(|to| Some(to.to_str().ok()?.to_owned()));
        let body = Limited::new(answer.into_body(), LIMIT).collect().await;
        carrying.abort();
        let body = body.map_err(|error| lost(&error))?.to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok(Page { url: String::new(), status: status.as_u16(), text, to })
    }
}

impl Page {
    /// What stands between two marks, as the page means it.
    pub(super) fn between(&self, from: &str, to: &str) -> Result<String, Failure> {
        let found = self.text.split_once(from).and_then(|(_, rest)| rest.split_once(to));
        let (text, _) = found.ok_or_else(|| {
            lost(&self.url, &format!("its page (status {}) has no `{from}`", self.status))
        })?;
        let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
        Ok(text.replace("&amp;", "&"))
    }
}

/// Keeps what a server wants to be kept, and forgets what it wants to be forgotten.
fn keep_cookies<T>(jar: &mut BTreeMap<String, String>, answer: &Response<T>) {
    for cookie in answer.headers().get_all(SET_COOKIE) {
        let Ok(cookie) = cookie.to_str() else { continue };
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let Some((name, value)) = pair.split_once('=') else { continue };
        if attributes.to_ascii_lowercase().contains("max-age=0") {
            jar.remove(name);
        } else {
            jar.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// Scheme, host and port of an address.
pub(super) fn origin(url: &str) -> String {
    url.split('/').take(3).collect::<Vec<_>>().join("/")
}

/// An address is told without what stands behind it: that may log somebody in.
fn lost(url: &str, why: &str) -> Failure {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    Failure::new(Exit::Other, format!("the browser cannot go on at {url}: {why}"))
}

/// What this browser says that it is.
const AGENT: &str = concat!("ChappeDemo/", env!("CARGO_PKG_VERSION"), " (X11; Linux x86_64)");
/// How often it is sent elsewhere in a row.
const REDIRECTS: usize = 10;
/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest page, in bytes.
const LIMIT: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_leaves_this_machine_for_nobody() {
        for url in [
            "http://example.com/",
            "http://127.0.0.1.example.com:80/",
            "http://localhost@example.com:80/",
            "file:///etc/passwd",
            "http://localhost/",
            "",
        ] {
            let failure = Browser::default().open(url).await.err().unwrap();
            assert!(failure.to_string().contains("cannot go on"), "{url}: {failure}");
        }
    }

    #[test]
    fn failures_do_not_say_what_logs_in() {
        let failure = lost("http://localhost:1/login?code=secret#tgAuthResult=secret", "no");
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }
}
