//! How a server is configured and started.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::{Error, Handle};

/// The local Telegram server; begin with [`Server::builder`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Server {}

impl Server {
    /// Starts to configure a server: in memory, on a free port of 127.0.0.1, data centre 2.
    pub fn builder() -> Builder {
        Builder {
            data: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            exposed: false,
            dc_id: 2,
            seed: None,
            start_at: None,
        }
    }

    /// The names of the methods that the server implements, in alphabetical order.
    ///
    /// Any other method of the schema is answered with 400 METHOD_INVALID.
    pub fn methods() -> Vec<&'static str> {
        Vec::new()
    }
}

/// The configuration of a server that does not run yet.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    data: Option<PathBuf>,
    listen: SocketAddr,
    exposed: bool,
    dc_id: i32,
    seed: Option<u64>,
    start_at: Option<Duration>,
}

impl Builder {
    /// Keeps the state and the server's key in memory only. This is the default.
    pub fn in_memory(mut self) -> Self {
        self.data = None;
        self
    }

    /// Keeps the state and the server's key in this directory, which is made if need be.
    ///
    /// What was acknowledged to a client survives the end of the process, however it ends.
    pub fn data(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data = Some(directory.into());
        self
    }

    /// Listens on this address instead of a free port of 127.0.0.1. Port 0 means a free one.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Allows an address that other machines can reach. Everybody who reaches it can sign in to
    /// every account of the server: the codes and tokens are printed or known.
    pub fn expose_to_the_network(mut self, exposed: bool) -> Self {
        self.exposed = exposed;
        self
    }

    /// Sets the data centre that the server says it is; 2 if this is not called.
    pub fn dc_id(mut self, dc_id: i32) -> Self {
        self.dc_id = dc_id;
        self
    }

    /// Makes the server deterministic: ids, hashes, tokens and keys follow from this number.
    ///
    /// For tests only: who knows the seed knows every key of the server.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Starts the server's clock at this unix time instead of the machine's; from there it
    /// follows tokio's clock, so that a test with paused time moves it.
    pub fn start_at(mut self, unix: Duration) -> Self {
        self.start_at = Some(unix);
        self
    }

    /// Starts the server on the current tokio runtime.
    ///
    /// # Errors
    /// When the address is not loopback or not free, or the data directory cannot be used.
    pub async fn start(self) -> Result<Handle, Error> {
        Err(Error::Stopped)
    }
}
