//! The pages in a browser, without a network: this program serves them on 127.0.0.1; or as a folder.

use std::convert::Infallible;
use std::io::{self, IsTerminal as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chappe_reference::site::{self, SiteError};
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::interrupt::Interrupt;
use crate::open;
use crate::output::{Exit, Failure, Output, notice};

/// Serves the pages until somebody ends it, and opens the one that is asked for in a browser.
pub(super) async fn open(path: &str, output: Output) -> Result<(), Failure> {
    let mut interrupt = Interrupt::listen()?;
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(free).await.map_err(|error| failure(&error))?;
    let port = listener.local_addr().map_err(|error| failure(&error))?.port();
    let url = format!("http://localhost:{port}/{path}");
    output.answer(&json!({ "url": url }), || url.clone())?;
    if output.is_terminal() && !output.is_json() {
        if let Err(why) = open::page(&url) {
            notice(&format!("No browser could be opened: {why}. Open the address yourself."));
        }
        notice("Ctrl-C ends it.");
    }
    tokio::select! {
        error = serve(listener) => Err(failure(&error)),
        _ = interrupt.wait() => Ok(()),
    }
}

/// Writes the pages into a folder.
pub(super) fn export(folder: &Path, output: Output) -> Result<(), Failure> {
    let is_watched = output.is_terminal() && io::stderr().is_terminal();
    let progress = |done: usize, all: usize| {
        if is_watched && (done.is_multiple_of(500) || done == all) {
            notice(&format!("{done} of {all} pages"));
        }
    };
    let built = site::build(folder, &progress).map_err(unwritten)?;
    let start = folder.join("index.html");
    let value = json!({ "start": start, "files": built.files, "bytes": built.bytes });
    output.answer(&value, || {
        let megabytes = built.bytes.div_ceil(1_000_000);
        format!("{} files, {megabytes} MB; begin with {}", built.files, start.display())
    })
}

/// Why the pages could not be written, and what to do about it.
fn unwritten(error: SiteError) -> Failure {
    let (exit, hint) = match &error {
        SiteError::Foreign(_) => (Exit::Conflict, None),
        SiteError::Io(_, error) => match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => (
                Exit::Conflict,
                Some("that is a file; name a folder that is empty or not there yet"),
            ),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                (Exit::Other, Some("name a folder that you may write to"))
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
                Exit::Other,
                Some("the pages need some 200 MB; make room, or name a folder elsewhere"),
            ),
            _ => (Exit::Other, None),
        },
        _ => (Exit::Other, None),
    };
    let failure = Failure::new(exit, format!("the pages cannot be written: {error}"));
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Answers until the listener fails.
async fn serve(listener: TcpListener) -> io::Error {
    let port = match listener.local_addr() {
        Ok(address) => address.port(),
        Err(error) => return error,
    };
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // One that went away while it waited is no reason to end.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return error,
        };
        // Nobody closes it: the semaphore is here.
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { continue };
        tokio::spawn(async move {
            connection(stream, port).await;
            drop(permit);
        });
    }
}

async fn connection(stream: TcpStream, port: u16) {
    let service = service_fn(move |request: Request<_>| async move {
        Ok::<_, Infallible>(answer(request.method(), request.uri().path(), request.headers(), port))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // What a browser does wrong is its own affair.
    let _ = tokio::time::timeout(LIFE, connection).await;
}

fn answer(method: &Method, path: &str, headers: &HeaderMap, port: u16) -> Response<Full<Bytes>> {
    let (status, kind, body) = if !is_here(headers, port) {
        (StatusCode::FORBIDDEN, TEXT, "This server answers to this machine only.\n".to_owned())
    } else if method != Method::GET && method != Method::HEAD {
        (StatusCode::METHOD_NOT_ALLOWED, TEXT, "Pages are read, and nothing else.\n".to_owned())
    } else {
        match read(path) {
            Some((kind, body)) => (StatusCode::OK, kind, body),
            None => (StatusCode::NOT_FOUND, TEXT, "There is no such page.\n".to_owned()),
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a request names this server and no other: a page could point a name of its own at this
/// machine (DNS rebinding).
fn is_here(headers: &HeaderMap, port: u16) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    host.is_some_and(|host| {
        HERE.contains(&host.host()) && host.port_u16() == Some(port) && !host.as_str().contains('@')
    })
}

/// A file of the reference and its type, by the path of an address.
fn read(path: &str) -> Option<(&'static str, String)> {
    let path = path.strip_prefix('/')?;
    let path = match path.ends_with('/') {
        true => format!("{path}index.html"),
        false => path.to_owned(),
    };
    Some((site::content_type(&path), site::read(&path)?))
}

fn failure(error: &io::Error) -> Failure {
    Failure::new(Exit::Network, format!("the pages cannot be served: {error}"))
}

/// The hosts that this machine is to itself.
const HERE: [&str; 2] = ["127.0.0.1", "localhost"];

/// The headers of every answer: a page loads the reference's own files and is in nobody's frame.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What a refusal is.
const TEXT: &str = "text/plain; charset=utf-8";

/// How many browsers' connections are answered at once.
const CONNECTIONS: usize = 64;

/// How long a head may take to come, and a connection may last.
const HEAD: Duration = Duration::from_secs(15);
const LIFE: Duration = Duration::from_secs(600);
