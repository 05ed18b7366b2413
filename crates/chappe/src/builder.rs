//! How a client is described and connected. The only place that asks the operating system for
//! randomness.

use std::{
    fmt,
    future::Future,
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use chappe_crypto::rsa::PublicKey;
use chappe_mtproto::{
    connection::{Config, Connection},
    transport,
};
use chappe_tl::{write_i32, write_text, write_u32};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{broadcast, mpsc, watch},
};
use tracing::Instrument;
use zeroize::Zeroizing;

use crate::{
    Client, api,
    client::{App, Inner},
    error::{Error, SessionProblem},
    flood::Gate,
    invoke::Policy,
    net::{
        self, Connector,
        driver::{self, Clock, Parts, Status},
        timer,
    },
    session::{
        IntoStore, Memory, Session, Store,
        keeper::{Keeper, Place, blocking},
        lock,
    },
    updates,
};

/// Describes a client; [`connect`](Self::connect) makes it.
///
/// Without [`server`](Self::server) it is Telegram's production servers that are dialled.
#[must_use = "nothing is dialled before `connect`"]
pub struct Builder {
    app: App,
    store: Box<dyn Store>,
    server: Option<Server>,
    test_servers: bool,
    dc_id: Option<i32>,
    device: DeviceInfo,
    framing: Framing,
    obfuscated: bool,
    connect_timeout: Duration,
    policy: Policy,
}

struct Server {
    address: String,
    key: PublicKey,
}

/// What Telegram shows in the list of devices.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// The device, like `Pixel 9`; the name of the processor by default.
    pub device_model: String,
    /// The operating system.
    pub system_version: String,
    /// The version of your program; that of chappe by default.
    pub app_version: String,
    /// The language of the system, like `en`.
    pub system_lang_code: String,
    /// The language of your program, like `en`.
    pub lang_code: String,
}

/// How packets are cut out of the stream.
/// See core.telegram.org/mtproto/mtproto-transports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// One byte of length for short packets.
    Abridged,
    /// With sequence numbers and checksums. Cannot be obfuscated.
    Full,
    /// Four bytes of length. The default.
    #[default]
    Intermediate,
    /// Four bytes of length, and padding of random length behind each packet.
    PaddedIntermediate,
}

impl Builder {
    pub(crate) fn new(api_id: i32, api_hash: String) -> Self {
        Self {
            app: App { api_id, api_hash: Zeroizing::new(api_hash) },
            store: Box::new(Memory::new()),
            server: None,
            test_servers: false,
            dc_id: None,
            device: DeviceInfo::default(),
            framing: Framing::default(),
            obfuscated: false,
            connect_timeout: Duration::from_secs(10),
            policy: Policy::default(),
        }
    }

    /// Keeps the session there: a path of a file, or a [`Store`]. Without it the session ends
    /// with the process.
    pub fn session(mut self, store: impl IntoStore) -> Self {
        self.store = store.into_store();
        self
    }

    /// Dials this server, given as `host:port`, and trusts this public key alone (RSA, PEM,
    /// `PUBLIC KEY` or `RSA PUBLIC KEY`).
    ///
    /// # Errors
    /// [`Error::Invalid`] if the key cannot be read.
    pub fn server(mut self, address: impl ToString, public_key_pem: &str) -> Result<Self, Error> {
        let key = PublicKey::from_pem(public_key_pem).map_err(|_| {
            Error::Invalid("the server's key is no RSA public key of 2048 bits in PEM form")
        })?;
        self.server = Some(Server { address: address.to_string(), key });
        Ok(self)
    }

    /// Dials Telegram's test servers, which have accounts of their own.
    /// See core.telegram.org/api/datacenter#testing-redirects.
    pub fn test_servers(mut self) -> Self {
        self.test_servers = true;
        self
    }

    /// Dials this data centre. Without it: that of the session, or 2.
    pub fn dc(mut self, dc_id: i32) -> Self {
        self.dc_id = Some(dc_id);
        self
    }

    /// Says what Telegram shows in the list of devices.
    pub fn device(mut self, device: DeviceInfo) -> Self {
        self.device = device;
        self
    }

    /// Cuts packets out of the stream like this.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Makes the stream look random (obfuscated2). It hides the protocol from simple filters and
    /// adds no security.
    pub fn obfuscated(mut self) -> Self {
        self.obfuscated = true;
        self
    }

    /// How long a dial, and the first key exchange, may take; 10 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one call may take, all in all: lost connections, repetitions and flood waits
    /// included; 60 seconds by default.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = timeout;
        self
    }

    /// The longest flood wait that a call sleeps through instead of failing; 30 seconds by
    /// default.
    pub fn flood_threshold(mut self, threshold: Duration) -> Self {
        self.policy.flood_threshold = threshold;
        self
    }

    /// Connects: reads the session, dials, agrees on an auth key if the session has none, and
    /// keeps it.
    ///
    /// Nothing is asked of the server beyond that: whether somebody is signed in says
    /// [`Client::me`]. It has to run on tokio, with its sockets and timers enabled.
    ///
    /// # Errors
    /// [`Error::Network`] if nobody answers; [`Error::WrongServerKey`] or [`Error::Protocol`] if
    /// the server is another one than was meant; [`Error::Session`] if the session cannot be
    /// used; [`Error::TimedOut`]; [`Error::Invalid`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the connection. An auth key that was agreed on may have been kept.
    pub async fn connect(self) -> Result<Client, Error> {
        self.finish(None).await
    }

    /// Connects over streams that `connector` makes: one now, and another whenever the last one
    /// broke. Any address that was given is kept in the session but not dialled.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// # Cancel safety
    /// As [`connect`](Self::connect).
    pub async fn connect_with<C, F, L>(self, connector: C) -> Result<Client, Error>
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<L>> + Send + 'static,
        L: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.finish(Some(net::custom(connector))).await
    }

    async fn finish(self, connector: Option<Connector>) -> Result<Client, Error> {
        if self.obfuscated && self.framing == Framing::Full {
            return Err(Error::Invalid("the full framing cannot be obfuscated; choose another"));
        }
        let store = self.store;
        let store = lock::hold(store).await?;
        let (store, session) = blocking(move || {
            let session = store.load()?;
            Ok((store, session))
        })
        .await?;

        let dc_id = self.dc_id.or_else(|| session.as_ref().map(Session::dc_id)).unwrap_or(2);
        let (address, key) = match self.server {
            Some(server) => (server.address, server.key),
            None => public_server(dc_id, self.test_servers)?,
        };
        if let Some(session) = &session {
            check_session(session, dc_id, key.fingerprint())
                .map_err(|problem| Error::session(store.path(), problem))?;
        }

        let config = Config {
            framing: self.framing.into(),
            obfuscated: self.obfuscated,
            // Test data centres are numbered from 10,000 on in the protocol, not in the API.
            dc_id: if self.test_servers { dc_id + 10_000 } else { dc_id },
            server_keys: vec![key.clone()],
            ..Config::default()
        };
        let clock = Clock::start();
        let resume = session.as_ref().map(Session::to_resume);
        let connection = Connection::new(config, resume, entropy()?, clock.now());
        let signed_in = session.as_ref().is_some_and(|session| session.user_id().is_some());
        let place =
            Place { dc_id, address: address.clone(), server_fingerprint: key.fingerprint() };
        let (keeper, keeping) = Keeper::start(store, place, session);
        let (calls, calls_inbox) = mpsc::channel(QUEUE);
        let (control, control_inbox) = mpsc::unbounded_channel();
        let (status, mut status_of) = watch::channel(Status::Connecting(None));
        let (pushes, _) = broadcast::channel(updates::CAPACITY);
        let pushes_of = pushes.downgrade();
        let parts = Parts {
            connection,
            clock,
            connector: connector.unwrap_or_else(|| net::tcp(address)),
            connect_timeout: self.connect_timeout,
            introduction: introduction(self.app.api_id, &self.device),
            calls: calls_inbox,
            control: control_inbox,
            updates: pushes,
            status,
            keeper: keeper.clone(),
            signed_in,
            jitter: u64::from_le_bytes(entropy()?),
        };
        let id = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        let span = tracing::info_span!(parent: None, "conn", dc = dc_id, id);
        tokio::spawn(keeping.instrument(span.clone()));
        tokio::spawn(driver::run(parts).instrument(span));
        let client = Client::from(Inner {
            app: self.app,
            policy: self.policy,
            gate: Gate::new(clock, u64::from_le_bytes(entropy()?)),
            calls,
            control,
            updates: pushes_of,
            status: status_of.clone(),
            keeper,
            tickets: AtomicU64::new(0),
        });

        let settled = status_of.wait_for(|status| !matches!(status, Status::Connecting(_)));
        let failed = match timer::within(self.connect_timeout, settled).await {
            Some(Ok(status)) => match &*status {
                Status::Ended(end) => Some(end.to_error()),
                Status::Connected | Status::Connecting(_) => None,
            },
            Some(Err(_)) => Some(Error::Closed),
            None => Some(Error::Network(driver::too_slow())),
        };
        // A client whose key is lost with the process would sign in for nothing.
        let kept = match failed {
            Some(error) => Err(error),
            None => client.keeper().flush().await,
        };
        if let Err(error) = kept {
            // The session is free for the next try, whatever came of this one.
            drop(client.close().await);
            return Err(error);
        }
        Ok(client)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("dc_id", &self.dc_id)
            .field("framing", &self.framing)
            .finish_non_exhaustive()
    }
}

impl Default for DeviceInfo {
    fn default() -> Self {
        Self {
            device_model: std::env::consts::ARCH.to_owned(),
            system_version: std::env::consts::OS.to_owned(),
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            system_lang_code: "en".to_owned(),
            lang_code: "en".to_owned(),
        }
    }
}

impl DeviceInfo {
    /// Names the device and the version of your program.
    pub fn new(device_model: impl Into<String>, app_version: impl Into<String>) -> Self {
        Self {
            device_model: device_model.into(),
            app_version: app_version.into(),
            ..Self::default()
        }
    }
}

impl From<Framing> for transport::Framing {
    fn from(framing: Framing) -> Self {
        match framing {
            Framing::Abridged => Self::Abridged,
            Framing::Full => Self::Full,
            Framing::Intermediate => Self::Intermediate,
            Framing::PaddedIntermediate => Self::PaddedIntermediate,
        }
    }
}

/// Random bytes from the operating system.
pub(crate) fn entropy<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::Unsupported("the operating system gives no random bytes"))?;
    Ok(bytes)
}

/// `invokeWithLayer(layer, initConnection(..., ` without the query, which comes last in both.
/// See core.telegram.org/api/invoking.
fn introduction(api_id: i32, device: &DeviceInfo) -> Bytes {
    let mut out = Vec::with_capacity(128);
    write_u32(&mut out, INVOKE_WITH_LAYER);
    write_i32(&mut out, api::LAYER);
    write_u32(&mut out, INIT_CONNECTION);
    write_u32(&mut out, 0);
    write_i32(&mut out, api_id);
    write_text(&mut out, &device.device_model);
    write_text(&mut out, &device.system_version);
    write_text(&mut out, &device.app_version);
    write_text(&mut out, &device.system_lang_code);
    // Language packs are for Telegram's own apps.
    write_text(&mut out, "");
    write_text(&mut out, &device.lang_code);
    out.into()
}

/// The session must be one of the server that is about to be dialled: its key would be refused,
/// or worse, an account be looked for in the wrong place.
fn check_session(session: &Session, dc_id: i32, fingerprint: i64) -> Result<(), SessionProblem> {
    if session.server_fingerprint() != fingerprint {
        return Err(SessionProblem::OtherServer {
            session: session.server_fingerprint(),
            address: session.address().to_owned(),
        });
    }
    if session.dc_id() != dc_id {
        return Err(SessionProblem::OtherDc { session: session.dc_id(), wanted: dc_id });
    }
    Ok(())
}

/// Address and key of one of Telegram's own data centres.
/// Observed: the built-in tables of TDLib and other clients agree on these.
fn public_server(dc_id: i32, test: bool) -> Result<(String, PublicKey), Error> {
    let host = match (test, dc_id) {
        (false, 1) => "149.154.175.50",
        (false, 2) => "149.154.167.51",
        (false, 3) => "149.154.175.100",
        (false, 4) => "149.154.167.91",
        (false, 5) => "149.154.171.5",
        (true, 1) => "149.154.175.10",
        (true, 2) => "149.154.167.40",
        (true, 3) => "149.154.175.117",
        (false, _) => return Err(Error::Invalid("data centres are numbered from 1 to 5")),
        (true, _) => return Err(Error::Invalid("test data centres are numbered from 1 to 3")),
    };
    let key = if test { PublicKey::test() } else { PublicKey::production() };
    Ok((format!("{host}:443"), key))
}

const INVOKE_WITH_LAYER: u32 = 0xda9b_0d0d;
const INIT_CONNECTION: u32 = 0xc1cd_5ea9;
/// Calls that wait for the driver to take them.
const QUEUE: usize = 64;

static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
