//! How a server is configured and started.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use chappe_mtproto::server::{Server as Protocol, ServerConfig};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tokio::sync::oneshot;

use crate::{
    Announcement, DataCentre, Error, Handle,
    bots::{self, BotSettings},
    engine::{Engine, unix},
    key,
    listener::{Clock, Listener, Socket},
    numbers::{Name, Number},
    rpc,
    web::{
        self, Telegram, control,
        dashboard::Lock,
        door::{self, Door},
        oidc,
    },
    world::{self, Dcs, World},
};

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
            dcs: 1,
            ipv6: false,
            seed: None,
            start_at: None,
            stand_still_at: None,
            limits: Vec::new(),
            numbers: Vec::new(),
            bots: Vec::new(),
            control: None,
            web: None,
            dashboard: None,
        }
    }

    /// The names of the methods that the server implements, in alphabetical order.
    ///
    /// Any other method of the schema is answered with 400 METHOD_INVALID.
    pub fn methods() -> Vec<&'static str> {
        rpc::methods()
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
    dcs: u8,
    ipv6: bool,
    seed: Option<u64>,
    start_at: Option<Duration>,
    stand_still_at: Option<Duration>,
    limits: Vec<rpc::Limit>,
    numbers: Vec<(String, Number)>,
    bots: Vec<(String, BotSettings)>,
    control: Option<SocketAddr>,
    web: Option<SocketAddr>,
    dashboard: Option<SocketAddr>,
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

    /// Sets the main data centre, the only one unless there are [several](Self::dcs); 2 if this is
    /// not called.
    pub fn dc_id(mut self, dc_id: i32) -> Self {
        self.dc_id = dc_id;
        self
    }

    /// Runs so many data centres instead of one, numbered from 1; the main one must be among them.
    ///
    /// The main one listens on the address that was [given](Self::listen), the others on free ports
    /// of the same host.
    pub fn dcs(mut self, count: u8) -> Self {
        self.dcs = count;
        self
    }

    /// Lets every data centre listen on `[::1]`, too: on the same port as for IPv4 if that was given,
    /// else on a free one.
    pub fn ipv6(mut self, ipv6: bool) -> Self {
        self.ipv6 = ipv6;
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

    /// Lets the time of the world stand still at this unix time, so that every date in an answer is the
    /// same however long a test takes. What is ordered to [age](crate::faults::Action::PassTime) still
    /// does; the protocol's clock goes on, since message ids of clients follow it.
    pub fn stand_still_at(mut self, unix: Duration) -> Self {
        self.stand_still_at = Some(unix);
        self
    }

    /// Answers 420 FLOOD_WAIT_X to calls of a method beyond so many per account in a period.
    /// There are no such limits unless this is called.
    pub fn limit(mut self, method: impl Into<String>, calls: u32, period: Duration) -> Self {
        self.limits.push(rpc::Limit::new(method.into(), calls, period));
        self
    }

    /// Orders how a phone number signs in, or with a `*` behind its first digits all that begin so:
    /// [`numbers`](crate::numbers). A wrong order is told by [`start`](Self::start).
    pub fn number(mut self, phone: impl Into<String>, number: Number) -> Self {
        self.numbers.push((phone.into(), number));
        self
    }

    /// Sets what counts for a bot, which is made if there is none with this username:
    /// [`bots`](crate::bots). Settings that make no sense are told by [`start`](Self::start).
    ///
    /// The secret of a new OpenID client is told to nobody here: [`BotFather::new_secret`] makes one
    /// that is told.
    ///
    /// [`BotFather::new_secret`]: crate::bots::BotFather::new_secret
    pub fn bot(mut self, username: impl Into<String>, settings: BotSettings) -> Self {
        self.bots.push((username.into(), settings));
        self
    }

    /// Opens a control port: [`faults`](crate::faults) as JSON over HTTP, for test suites in any
    /// language. Only loopback addresses are taken, whatever is exposed; port 0 means a free one.
    /// The [announcement](Handle::announcement) says where it is.
    pub fn control(mut self, address: SocketAddr) -> Self {
        self.control = Some(address);
        self
    }

    /// Serves the pages that stand for telegram.org and oauth.telegram.org: the login widget, its
    /// popup, OpenID Connect. `WEB_LOGIN.md` beside this crate is their manual. Only loopback
    /// addresses are taken, whatever is exposed; port 0 means a free one. The
    /// [announcement](Handle::announcement) says where they are.
    pub fn web(mut self, address: SocketAddr) -> Self {
        self.web = Some(address);
        self
    }

    /// Serves a dashboard of accounts, devices, web logins and pending requests, for the person at
    /// the keyboard. Only loopback addresses are taken, whatever is exposed; port 0 means a free one.
    /// Its URL, with the key without which nobody gets in, is in the
    /// [announcement](Handle::announcement).
    pub fn dashboard(mut self, address: SocketAddr) -> Self {
        self.dashboard = Some(address);
        self
    }

    /// Starts the server on the current tokio runtime.
    ///
    /// # Errors
    /// When an address is not loopback or not free, the data directory cannot be used, or an order
    /// for a [number](Self::number) or the settings of a [bot](Self::bot) make no sense.
    ///
    /// # Cancel safety
    /// Nothing runs when this is dropped before it is done.
    pub async fn start(self) -> Result<Handle, Error> {
        if !self.listen.ip().is_loopback() && !self.exposed {
            return Err(Error::NotLoopback(Box::new(self.listen)));
        }
        let dcs = match self.dcs {
            1 => Some(Dcs::one(self.dc_id)),
            count => Dcs::up_to(count.into(), self.dc_id),
        };
        let dcs = dcs.ok_or(Error::NoMainDc { main: self.dc_id, count: self.dcs })?;
        let control =
            open(self.control, Error::ControlNotLoopback, control::REQUEST_DEADLINE).await?;
        let web = open(self.web, Error::WebNotLoopback, door::REQUEST_DEADLINE).await?;
        let dashboard = open(self.dashboard, Error::WebNotLoopback, door::REQUEST_DEADLINE).await?;
        let sockets = self.sockets(dcs)?;
        let addresses: Vec<_> = sockets.iter().map(|socket| (socket.dc, socket.address)).collect();
        let main = addresses.iter().find(|(dc, _)| *dc == self.dc_id);
        let address = main.map_or(self.listen, |(_, address)| *address);

        let clock = Clock::start(self.start_at);
        let mut entropy = self.entropy()?;
        let mut seed = || {
            let mut seed = [0; 32];
            entropy.fill_bytes(&mut seed);
            seed
        };
        let (world_seed, protocol_seed, key_seed) = (seed(), seed(), seed());
        let lock = Lock::new(seed());

        let origin = world::Origin {
            directory: self.data.as_deref(),
            seed: world_seed,
            codes: world::test_code,
            dcs,
        };
        let stands_at = self.stand_still_at.map(unix);
        let date = stands_at.unwrap_or_else(|| unix(clock.now().unix));
        let mut world = World::open(origin, date)?;
        world.set_web(web.as_ref().map(Door::url).as_deref());
        for (phone, number) in &self.numbers {
            let name = Name::read(phone).map_err(Error::Number)?;
            number.check(&name).map_err(Error::Number)?;
            world.set_number(&name, number)?;
        }
        for (username, settings) in &self.bots {
            bots::provide(&mut world, date, username, settings)?;
        }
        let key = key::load(self.data.as_deref(), &mut ChaCha20Rng::from_seed(key_seed))?;
        let announcement = Announcement {
            address: address.to_string(),
            dc_id: self.dc_id,
            dcs: addresses
                .iter()
                .map(|(id, address)| DataCentre { id: *id, address: address.to_string() })
                .collect(),
            layer: chappe_api::LAYER,
            rsa_public_key_pem: key.public().to_pem(),
            rsa_fingerprint: key::fingerprint(&key),
            accounts: world.demonstration_accounts()?,
            bots: world.bots()?,
            control: control.as_ref().map(Door::url),
            web: web.as_ref().map(Door::url),
            dashboard: dashboard.as_ref().map(|door| lock.url(&door.url())),
        };
        let mut protocols = BTreeMap::new();
        for dc_id in dcs.ids() {
            let config = ServerConfig { keys: vec![key.clone()], dc_id, ..ServerConfig::default() };
            let seed = if dc_id == self.dc_id { protocol_seed } else { seed() };
            protocols.insert(dc_id, Protocol::new(config, seed));
        }
        let oidc_keys = match &web {
            Some(_) => {
                Some(oidc::Keys::load(self.data.as_deref(), &mut ChaCha20Rng::from_seed(seed()))?)
            }
            None => None,
        };
        let site = rpc::Site::new(addresses.clone(), self.limits);
        let mut engine = Engine::new(protocols, world, site);
        engine.stands_at = stands_at;
        let numbers = (engine.post(), engine.asked());
        let (listener, inbox) = Listener::new(engine, clock, sockets);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(listener.run(stopped));
        let telegram = Telegram::new(inbox.clone(), announcement.web.clone().zip(oidc_keys));
        let mut handle = Handle::new(address, addresses, announcement, inbox, numbers, stop, task);
        if let Some(door) = control {
            let site = control::site(handle.desk());
            handle.serve(|stop| door.serve(site, stop));
        }
        if let Some(door) = web {
            let site = web::site(telegram.clone());
            handle.serve(|stop| door.serve(site, stop));
        }
        if let Some(door) = dashboard {
            let site = web::dashboard::site(telegram, handle.logins(), handle.bot_father(), lock);
            handle.serve(|stop| door.serve(site, stop));
        }
        Ok(handle)
    }

    /// Opens the sockets of all data centres, in the order of their ids.
    fn sockets(&self, dcs: Dcs) -> Result<Vec<Socket>, Error> {
        let bind = |dc, address| {
            Socket::bind(dc, address).map_err(|source| Error::Listen {
                address: Box::new(address),
                source: Box::new(source),
            })
        };
        let mut sockets = Vec::new();
        // The main one first: no other may take the port that is meant for it.
        for dc in [dcs.main()].into_iter().chain(dcs.ids().filter(|dc| *dc != dcs.main())) {
            let mut address = self.listen;
            if dc != dcs.main() {
                address.set_port(0);
            }
            sockets.push(bind(dc, address)?);
            if self.ipv6 && address.is_ipv4() {
                sockets.push(bind(dc, SocketAddr::from((Ipv6Addr::LOCALHOST, address.port())))?);
            }
        }
        sockets.sort_by_key(|socket| socket.dc);
        Ok(sockets)
    }

    /// Where every random number of the server comes from.
    #[expect(clippy::disallowed_methods, reason = "here entropy enters")]
    fn entropy(&self) -> Result<ChaCha20Rng, Error> {
        let mut seed = [0; 32];
        match self.seed {
            Some(number) => seed[..8].copy_from_slice(&number.to_le_bytes()),
            None => {
                getrandom::fill(&mut seed).map_err(|error| Error::Entropy(Box::new(error)))?;
            }
        }
        Ok(ChaCha20Rng::from_seed(seed))
    }
}

/// Opens a door, if there is to be one.
async fn open(
    address: Option<SocketAddr>,
    exposed: fn(Box<SocketAddr>) -> Error,
    patience: Duration,
) -> Result<Option<Door>, Error> {
    match address {
        Some(address) => Door::open(address, exposed, patience).await.map(Some),
        None => Ok(None),
    }
}
