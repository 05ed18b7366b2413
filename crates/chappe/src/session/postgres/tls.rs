//! TLS to the database, by rustls. The server has to show a certificate for the name that was
//! dialled, whatever word the URL has for it.

use std::{
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem::PemObject},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Socket,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_rustls::TlsConnector;

use crate::error::SessionProblem;

/// Makes encrypted connections.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
}

/// The same, to a server of this name.
pub(super) struct Named {
    connector: TlsConnector,
    name: ServerName<'static>,
}

/// An encrypted connection.
pub(super) struct Stream(tokio_rustls::client::TlsStream<Socket>);

impl Tls {
    /// Trusts the certificates of this file, or those that the operating system trusts.
    pub(super) fn new(roots: Option<&Path>) -> Result<Self, SessionProblem> {
        let mut trusted = RootCertStore::empty();
        match roots {
            Some(path) => {
                let failed = |error: &dyn std::fmt::Display| {
                    let path = path.display();
                    SessionProblem::Database(format!("sslrootcert={path} cannot be read: {error}"))
                };
                let found = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
                for certificate in found {
                    let certificate = certificate.map_err(|error| failed(&error))?;
                    trusted.add(certificate).map_err(|error| failed(&error))?;
                }
            }
            None => {
                // One that cannot be read vouches for nothing.
                trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if trusted.is_empty() {
            return Err(SessionProblem::Database(
                "there is no certificate to trust; name a file of them by sslrootcert".to_owned(),
            ));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| SessionProblem::Database(error.to_string()))?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        Ok(Self { connector: Arc::new(config).into() })
    }
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Stream;
    type TlsConnect = Named;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Named, InvalidDnsNameError> {
        let name = ServerName::try_from(domain.to_owned())?;
        Ok(Named { connector: self.connector.clone(), name })
    }
}

impl TlsConnect<Socket> for Named {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move { Ok(Stream(self.connector.connect(self.name, stream).await?)) })
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        // The certificate was checked already.
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
