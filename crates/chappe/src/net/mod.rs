//! Sockets: how one is dialled, and what the driver needs of it.

pub(crate) mod backoff;
pub(crate) mod dial;
pub(crate) mod driver;
pub(crate) mod report;
mod socket;
pub(crate) mod timer;

use std::{any::Any, future::Future, io, pin::Pin, sync::Arc};

use tokio::io::{AsyncRead, AsyncWrite};

/// A stream of bytes to a server.
pub(crate) trait Link: Any + AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: Any + AsyncRead + AsyncWrite + Send + Unpin> Link for T {}

/// A dial under way.
pub(crate) type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Link>>> + Send>>;

/// Dials, as often as it is called.
pub(crate) type Connector = Arc<dyn Fn() -> Dialing + Send + Sync>;
