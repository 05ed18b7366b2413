//! How a client is described and connected. The only place that asks the operating system for
//! randomness.

use std::{
    fmt,
    future::Future,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use chappe_crypto::rsa::PublicKey;
use chappe_mtproto::transport;
use chappe_tl::{write_i32, write_text, write_u32};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{broadcast, watch},
};
use tracing::Instrument;
use zeroize::Zeroizing;

use crate::{
    Client, api,
    client::{App, Inner},
    dc::{self, AddressBook, DcOption, Ipv6},
    error::{Error, SessionProblem},
    flood::Gate,
    invoke::Policy,
    net::{
        backoff::Chance,
        dial::{self, Dialer},
        driver::{Clock, Status},
    },
    pool::{Pool, Setup},
    session::{
        IntoStore, Memory, Session, SessionLock, Store,
        keeper::{Keeper, blocking},
        lock,
    },
    updates,
    url_auth::domains::KnownDomains,
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
    ipv6: Ipv6,
    device: DeviceInfo,
    framing: Framing,
    obfuscated: bool,
    forward_secrecy: Option<Duration>,
    connect_timeout: Duration,
    policy: Policy,
    pauses: Option<u64>,
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
    /// The operating system, like `Debian 13`; its family by default.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
            ipv6: Ipv6::default(),
            device: DeviceInfo::default(),
            framing: Framing::default(),
            obfuscated: false,
            forward_secrecy: None,
            connect_timeout: Duration::from_secs(10),
            policy: Policy::default(),
            pauses: None,
        }
    }

    /// Keeps the session there: a path of a file, or a [`Store`]. Without it the session ends
    /// with the process.
    pub fn session(mut self, store: impl IntoStore) -> Self {
        self.store = store.into_store();
        self
    }

    /// Dials this server, given as `host:port`, and trusts this public key alone (RSA, PEM,
    /// `PUBLIC KEY` or `RSA PUBLIC KEY`). The server itself says where its other data centres
    /// are, which must have the same key; its own is reached at this address and no other.
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

    /// Begins at this data centre, if the session does not know the account's home yet; 2 by
    /// default. With [`server`](Self::server) it says which data centre that address is.
    pub fn dc(mut self, dc_id: i32) -> Self {
        self.dc_id = Some(dc_id);
        self
    }

    /// Whether addresses of IPv6 are dialled, besides one that was given to
    /// [`server`](Self::server): `true`, `false` or [`Ipv6`].
    pub fn ipv6(mut self, ipv6: impl Into<Ipv6>) -> Self {
        self.ipv6 = ipv6.into();
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

    /// Speaks under temporary keys that last so long, a minute at least; a day is usual. Whoever
    /// steals the session later cannot read what was said under keys that are gone.
    ///
    /// Each connection makes, binds and replaces its key by itself, which costs it one more key
    /// exchange when it begins and another before each end. A call that is still running when
    /// its key ends fails with [`Error::Lost`].
    /// See core.telegram.org/api/pfs.
    pub fn forward_secrecy(mut self, lifetime: Duration) -> Self {
        self.forward_secrecy = Some(lifetime);
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

    /// Draws the lengths of pauses, and nothing else, from this seed instead of the operating system, so
    /// that a test that failed can be repeated.
    #[doc(hidden)]
    pub fn seed_pauses(mut self, seed: u64) -> Self {
        self.pauses = Some(seed);
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
        self.finish(|_| dial::tcp()).await
    }

    /// Connects over streams that `connector` makes: one now, and another whenever the last one
    /// broke. Any address that was given is kept in the session but not dialled, and no other
    /// data centre is reached; see [`connect_through`](Self::connect_through).
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
        self.finish(|dc_id| dial::only(dc_id, connector)).await
    }

    /// Connects over streams that `connector` makes to the address that it is given, of whatever
    /// data centre: through a proxy, or to a server in the same process.
    ///
    /// ```no_run
    /// use chappe::Client;
    /// use tokio::net::TcpStream;
    ///
    /// # async fn example() -> Result<(), chappe::Error> {
    /// // Through a gateway that is told the address in a line before anything else.
    /// let client = Client::builder(12345, "api hash")
    ///     .connect_through(|dc| async move {
    ///         let mut stream = TcpStream::connect("gateway.example.com:7000").await?;
    ///         let line = format!("{}\n", dc.address);
    ///         tokio::io::AsyncWriteExt::write_all(&mut stream, line.as_bytes()).await?;
    ///         Ok(stream)
    ///     })
    ///     .await?;
    /// # client.close().await
    /// # }
    /// ```
    ///
    /// If a stream takes long, the next address of the same data centre is asked for beside it.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// # Cancel safety
    /// As [`connect`](Self::connect).
    pub async fn connect_through<C, F, L>(self, connector: C) -> Result<Client, Error>
    where
        C: Fn(DcOption) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<L>> + Send + 'static,
        L: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.finish(|_| dial::custom(connector)).await
    }

    async fn finish(self, dialer: impl FnOnce(i32) -> Dialer) -> Result<Client, Error> {
        if self.obfuscated && self.framing == Framing::Full {
            return Err(Error::Invalid("the full framing cannot be obfuscated; choose another"));
        }
        let held = lock::hold(self.store).await?;
        let session = {
            let store = Arc::clone(&held.store);
            blocking(move || store.load()).await?
        };

        let (given, key) = match self.server {
            Some(server) => (Some(server.address), server.key),
            None if self.test_servers => (None, PublicKey::test()),
            None => (None, PublicKey::production()),
        };
        // Which data centre the program means by what it gave.
        let named = self.dc_id.or_else(|| session.as_ref().map(Session::named)).unwrap_or(2);
        if given.is_none() {
            dc::check(named, self.test_servers)?;
        }
        let session = match session {
            Some(mut session) => {
                check_session(&session, named, key.fingerprint())
                    .map_err(|problem| Error::session(held.store.path(), problem))?;
                if session.dcs.is_empty() {
                    // Nothing binds it to where it was.
                    session.home = named;
                }
                session
            }
            None => Session::new(named, key.fingerprint()),
        };
        let home = session.home;
        let dialer = dialer(named);
        if let Dialer::Only(..) = dialer
            && home != named
        {
            let problem = SessionProblem::OtherDc { session: home, wanted: named };
            return Err(Error::session(held.store.path(), problem));
        }

        let given = given.map(|address| (named, address));
        let book = AddressBook::new(
            self.ipv6,
            self.obfuscated,
            given.iter().map(|(dc_id, address)| DcOption::new(*dc_id, address)).collect(),
            session.remembered(given.as_ref().map(|_| named)),
            // Whoever names a server has nothing to do with Telegram's.
            if given.is_some() { Vec::new() } else { dc::built_in(self.test_servers) },
        );
        let lease = held.lock.as_ref().and_then(SessionLock::lease).cloned();
        let (keeper, keeping) = Keeper::start(held, session, given);
        tokio::spawn(keeping.instrument(tracing::info_span!(parent: None, "session")));
        let (pushes, _) = broadcast::channel(updates::CAPACITY);
        let mut chance = Chance(match self.pauses {
            Some(seed) => seed,
            None => u64::from_le_bytes(entropy()?),
        });
        let gate = Gate::new(Clock::start(), chance.draw());
        let setup = Setup {
            framing: self.framing.into(),
            obfuscated: self.obfuscated,
            forward_secrecy: self.forward_secrecy,
            test_servers: self.test_servers,
            server_key: key,
            introduction: introduction(self.app.api_id, &self.device),
            connect_timeout: self.connect_timeout,
            dialer: Mutex::new(Some(dialer)),
            book: Arc::new(book),
            keeper,
            lease,
            trouble: Arc::default(),
            chance: Mutex::new(chance),
            status: watch::Sender::new(Status::Connecting(None)),
        };
        let client = Client::from(Inner {
            app: self.app,
            policy: self.policy,
            gate,
            pool: Pool::start(setup, home, &pushes)?,
            known_domains: KnownDomains::default(),
        });
        if let Err(error) = client.pool().connect(named, pushes).await {
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
fn check_session(session: &Session, named: i32, fingerprint: i64) -> Result<(), SessionProblem> {
    if session.server_fingerprint() != fingerprint {
        return Err(SessionProblem::OtherServer {
            session: session.server_fingerprint(),
            address: session.address().to_owned(),
        });
    }
    if !session.dcs.is_empty() && !session.dcs.contains_key(&named) {
        return Err(SessionProblem::OtherDc { session: session.home, wanted: named });
    }
    Ok(())
}

const INVOKE_WITH_LAYER: u32 = 0xda9b_0d0d;
const INIT_CONNECTION: u32 = 0xc1cd_5ea9;
