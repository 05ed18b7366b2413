//! Sockets: how one is dialled, and what the driver needs of it.

pub(crate) mod backoff;
pub(crate) mod driver;
mod socket;
pub(crate) mod timer;

use std::{future::Future, io, pin::Pin, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// A stream of bytes to a server.
pub(crate) trait Link: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Link for T {}

/// A dial under way.
pub(crate) type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Link>>> + Send>>;

/// Dials, as often as it is called.
pub(crate) type Connector = Arc<dyn Fn() -> Dialing + Send + Sync>;

/// Dials by TCP.
pub(crate) fn tcp(address: String) -> Connector {
    Arc::new(move || {
        let address = address.clone();
        Box::pin(async move {
            let socket = TcpStream::connect(&address).await?;
            // Packets are whole requests: waiting for more to fill a segment only adds latency.
            socket.set_nodelay(true)?;
            Ok(Box::new(socket) as Box<dyn Link>)
        })
    })
}

/// Dials whatever a user of the library brings.
pub(crate) fn custom<C, F, L>(connector: C) -> Connector
where
    C: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<L>> + Send + 'static,
    L: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    Arc::new(move || {
        let dialing = connector();
        Box::pin(async move { Ok(Box::new(dialing.await?) as Box<dyn Link>) })
    })
}
