//! The calls to the provider: one connection each, without redirects, bounded in time and size.

use std::{fmt, io, sync::Arc, time::Duration};

use axum::http::{HeaderValue, Method, Request, Uri, header, uri::Scheme};
use bytes::Bytes;
use chappe_login::oidc;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// Why there is no answer: for the page, without a secret.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Fetches a document.
pub(crate) async fn get(url: &str) -> Result<Vec<u8>, Failed> {
    let request = Request::builder().method(Method::GET).uri(url);
    let request = request.body(Full::default()).map_err(failed)?;
    match send(request).await? {
        (200, body) => Ok(body),
        (status, _) => Err(Failed(format!("it answered with the status {status}"))),
    }
}

/// Exchanges a code.
pub(crate) async fn post(asked: &oidc::Request) -> Result<(u16, Vec<u8>), Failed> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&asked.url)
        .header(header::CONTENT_TYPE, oidc::Request::CONTENT_TYPE);
    if let Some(authorization) = &asked.authorization {
        let mut value = HeaderValue::from_str(authorization).map_err(failed)?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    let body = Full::new(Bytes::copy_from_slice(asked.body.as_bytes()));
    send(request.body(body).map_err(failed)?).await
}

async fn send(mut request: Request<Full<Bytes>>) -> Result<(u16, Vec<u8>), Failed> {
    let uri = request.uri().clone();
    let authority = uri.authority().ok_or_else(|| Failed("its address has no host".to_owned()))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(failed)?;
    let headers = request.headers_mut();
    headers.insert(header::HOST, authority.as_str().parse().map_err(failed)?);
    headers.insert(header::ACCEPT, HeaderValue::from_static(oidc::Request::ACCEPT));
    let exchange = async {
        let stream = connect(&uri).await?;
        exchange(stream, request).await
    };
    let answer = tokio::time::timeout(PATIENCE, exchange).await;
    answer.unwrap_or_else(|_| Err(Failed("it took too long".to_owned())))
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn connect(uri: &Uri) -> Result<Box<dyn Stream>, Failed> {
    let secure = uri.scheme() == Some(&Scheme::HTTPS);
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(failed)?;
    if !secure {
        return Ok(Box::new(stream));
    }
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let name = ServerName::try_from(host).map_err(failed)?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    Ok(Box::new(stream.map_err(failed)?))
}

async fn exchange(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
) -> Result<(u16, Vec<u8>), Failed> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(failed)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), LIMIT).collect().await.map_err(failed)?;
        Ok((status, body.to_bytes().to_vec()))
    };
    tokio::pin!(answer, connection);
    let mut over = false;
    loop {
        // Whoever answers may hang up before the answer was read: it is there all the same.
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            _ = &mut connection, if !over => over = true,
        }
    }
}

fn failed(error: impl fmt::Display) -> Failed {
    Failed(error.to_string())
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        failed(error)
    }
}

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest answer that is read, in bytes.
const LIMIT: usize = 64 * 1024;
