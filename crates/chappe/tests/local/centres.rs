//! A Telegram of several data centres that does as it is told: each an end of the protocol with
//! keys of its own, all with one mind about who lives where.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    future::pending,
    io,
    sync::{Arc, LazyLock, Mutex, MutexGuard},
    time::SystemTime,
};

use bytes::{Bytes, BytesMut};
use chappe::{
    Builder, Client, DcOption, Encode, Error, Function,
    api::{auth, enums, help, types, users},
};
use chappe_crypto::rsa::PrivateKey;
use chappe_mtproto::{
    server::{LinkId, RpcFailure, Server, ServerConfig, ServerEvent, ServerInput, ServerOutput},
    time::Now,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, WriteHalf, duplex, split},
    sync::mpsc,
    time::Instant,
};

use crate::telegram::{API_HASH, API_ID, pauses};

/// The key of them all; making one takes its time.
static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(&mut ChaCha20Rng::from_seed([1; 32])));

/// An answer, or an error of Telegram.
type Line = Result<Bytes, (i32, String)>;

/// Data centres 1 to 4 and what happens at them; clones are one.
#[derive(Clone)]
pub(crate) struct Centres {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Where the one account lives.
    home: i32,
    /// Who is signed in: data centre and id of the auth key.
    signed_in: HashSet<(i32, i64)>,
    /// Answers that go before the usual ones, by data centre and method.
    lines: HashMap<(i32, u32), VecDeque<Line>>,
    /// Methods whose answers wait, by data centre.
    held: HashSet<(i32, u32)>,
    /// Nobody answers there, and nobody says so.
    holes: HashSet<i32>,
    /// Addresses where nobody listens any more.
    dead: HashSet<String>,
    dialled: Vec<String>,
    running: HashMap<i32, mpsc::UnboundedSender<Order>>,
    /// What was asked where, without what the client asks by itself.
    heard: Vec<(i32, Bytes)>,
    /// How many connections there are to each.
    open: HashMap<i32, usize>,
}

enum Order {
    Dialled(DuplexStream),
    Received(LinkId, BytesMut),
    Gone(LinkId),
    /// Forget all keys and close all sockets.
    Forget,
    /// Tell all sessions that something happened.
    Push(Bytes),
    /// Let go of the answers that wait.
    Release,
}

impl Centres {
    /// The account lives at this data centre, a new session begins at 2.
    pub(crate) fn new(home: i32) -> Self {
        let state = Arc::new(Mutex::new(State { home, ..State::default() }));
        let centres = Self { state };
        for dc_id in 1..=4 {
            let (orders, inbox) = mpsc::unbounded_channel();
            tokio::spawn(centres.clone().run(dc_id, orders.clone(), inbox));
            centres.lock().running.insert(dc_id, orders);
        }
        centres
    }

    pub(crate) fn builder(&self) -> Builder {
        let builder = Client::builder(API_ID, API_HASH).seed_pauses(pauses());
        builder.server("127.0.0.2:443", &KEY.public().to_pem()).unwrap()
    }

    pub(crate) async fn connect(&self, builder: Builder) -> Result<Client, Error> {
        let centres = self.clone();
        builder.connect_through(move |option| centres.clone().dial(option)).await
    }

    /// Connects and signs the account in.
    pub(crate) async fn signed_in(&self, builder: Builder) -> Client {
        let client = self.connect(builder).await.unwrap();
        client.sign_in_bot("7:token").await.unwrap();
        client
    }

    /// Answers the next call of this method there so; further lines follow in turn.
    fn answer<F: Function>(&self, dc_id: i32, line: Line) {
        self.lock().lines.entry((dc_id, F::ID)).or_default().push_back(line);
    }

    pub(crate) fn refuse<F: Function>(&self, dc_id: i32, code: i32, name: &str) {
        self.answer::<F>(dc_id, Err((code, name.to_owned())));
    }

    /// Lets the answers to this method wait there, as they are now, until they are released.
    pub(crate) fn hold<F: Function>(&self, dc_id: i32) {
        self.lock().held.insert((dc_id, F::ID));
    }

    pub(crate) fn release(&self, dc_id: i32) {
        let mut state = self.lock();
        state.held.clear();
        state.running[&dc_id].send(Order::Release).unwrap();
    }

    /// The account lives there from now on.
    pub(crate) fn live_at(&self, dc_id: i32) {
        self.lock().home = dc_id;
    }

    /// Nobody answers there any more, or again; who is connected stays so.
    pub(crate) fn hole(&self, dc_id: i32, is_hole: bool) {
        let mut state = self.lock();
        if is_hole {
            state.holes.insert(dc_id)
        } else {
            state.holes.remove(&dc_id)
        };
    }

    /// This data centre forgets every key.
    pub(crate) fn forget(&self, dc_id: i32) {
        self.lock().running[&dc_id].send(Order::Forget).unwrap();
    }

    /// This data centre forgets who is signed in.
    pub(crate) fn sign_out(&self, dc_id: i32) {
        self.lock().signed_in.retain(|(dc, _)| *dc != dc_id);
    }

    /// Where this method was called, in that order.
    pub(crate) fn heard<F: Function>(&self) -> Vec<i32> {
        let state = self.lock();
        state.heard.iter().filter(|(_, body)| is::<F>(body)).map(|(dc_id, _)| *dc_id).collect()
    }

    /// The calls of this method as they came.
    pub(crate) fn bodies<F: Function>(&self) -> Vec<Bytes> {
        let state = self.lock();
        state.heard.iter().filter(|(_, body)| is::<F>(body)).map(|(_, body)| body.clone()).collect()
    }

    /// How many connections there are to this data centre.
    pub(crate) fn open(&self, dc_id: i32) -> usize {
        self.lock().open.get(&dc_id).copied().unwrap_or_default()
    }

    /// The addresses that were dialled, in that order.
    pub(crate) fn dialled(&self) -> Vec<String> {
        self.lock().dialled.clone()
    }

    /// Nobody listens at this address any more.
    pub(crate) fn close(&self, address: &str) {
        self.lock().dead.insert(address.to_owned());
    }

    /// Says something unasked, at this data centre.
    pub(crate) fn push(&self, dc_id: i32, update: Bytes) {
        self.lock().running[&dc_id].send(Order::Push(update)).unwrap();
    }

    async fn dial(self, option: DcOption) -> io::Result<DuplexStream> {
        let is_hole = {
            let mut state = self.lock();
            state.dialled.push(option.address.clone());
            let listens = ["443", "444", "446"].iter().any(|port| option.address.ends_with(port));
            if !listens || state.dead.contains(&option.address) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            state.holes.contains(&option.dc_id)
        };
        if is_hole {
            pending::<()>().await;
        }
        let (near, far) = duplex(64 * 1024);
        let state = self.lock();
        let orders = state.running.get(&option.dc_id).ok_or(io::ErrorKind::ConnectionRefused)?;
        orders.send(Order::Dialled(far)).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(near)
    }

    async fn run(
        self,
        dc_id: i32,
        orders: mpsc::UnboundedSender<Order>,
        mut inbox: mpsc::UnboundedReceiver<Order>,
    ) {
        let epoch = Instant::now();
        let server = |life: u8| {
            let config = ServerConfig { keys: vec![KEY.clone()], dc_id, ..Default::default() };
            Server::new(config, [life.wrapping_mul(8) + dc_id as u8; 32])
        };
        let mut lives = 1;
        let mut protocol = server(lives);
        let mut links: HashMap<LinkId, (WriteHalf<DuplexStream>, BytesMut)> = HashMap::new();
        let mut next = 0;
        let mut sessions = HashSet::new();
        let mut waiting = Vec::new();
        while let Some(order) = inbox.recv().await {
            let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let now = Now::new(epoch.elapsed(), unix);
            match order {
                Order::Dialled(pipe) => {
                    next += 1;
                    let link = LinkId(next);
                    let (mut from, to) = split(pipe);
                    links.insert(link, (to, BytesMut::new()));
                    let orders = orders.clone();
                    tokio::spawn(async move {
                        let mut input = BytesMut::new();
                        while matches!(from.read_buf(&mut input).await, Ok(1..)) {
                            drop(orders.send(Order::Received(link, input.split())));
                        }
                        drop(orders.send(Order::Gone(link)));
                    });
                    protocol.handle(now, ServerInput::Accepted(link));
                }
                Order::Received(link, bytes) => {
                    if let Some((_, input)) = links.get_mut(&link) {
                        input.extend_from_slice(&bytes);
                        protocol.handle(now, ServerInput::Received(link, input));
                    }
                }
                Order::Gone(link) if links.remove(&link).is_some() => {
                    protocol.handle(now, ServerInput::Closed(link));
                }
                Order::Gone(_) => {}
                Order::Forget => {
                    lives += 1;
                    protocol = server(lives);
                    links.clear();
                    sessions.clear();
                }
                Order::Release => {
                    for (session, msg_id, line) in waiting.drain(..) {
                        protocol.respond(now, session, msg_id, line);
                    }
                }
                Order::Push(update) => {
                    for session in &sessions {
                        protocol.push(now, *session, update.clone());
                    }
                }
            }
            loop {
                match protocol.poll() {
                    ServerOutput::Transmit(link, bytes) => {
                        if let Some((pipe, _)) = links.get_mut(&link) {
                            drop(pipe.write_all(&bytes).await);
                        }
                    }
                    ServerOutput::Close(link) => drop(links.remove(&link)),
                    ServerOutput::Event(ServerEvent::KeyWanted { auth_key_id, .. }) => {
                        protocol.provide_key(now, auth_key_id, None);
                    }
                    ServerOutput::Event(ServerEvent::Request { session, msg_id, body, .. }) => {
                        sessions.insert(session);
                        let line = self.lock().reply(dc_id, session.auth_key_id, &body);
                        let line = line.map_err(|(code, message)| RpcFailure { code, message });
                        let held = &self.lock().held;
                        match held.iter().any(|(dc, id)| *dc == dc_id && contains(&body, *id)) {
                            true => waiting.push((session, msg_id, line)),
                            false => protocol.respond(now, session, msg_id, line),
                        }
                    }
                    ServerOutput::Event(_) => {}
                    ServerOutput::Timeout(_) => break,
                }
            }
            self.lock().open.insert(dc_id, links.len());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn reply(&mut self, dc_id: i32, key: i64, body: &Bytes) -> Line {
        let by_itself = body.ends_with(&help::GetConfig.to_bytes());
        if !by_itself {
            self.heard.push((dc_id, body.clone()));
        }
        let line = self
            .lines
            .iter_mut()
            .find(|((dc, id), lines)| *dc == dc_id && contains(body, *id) && !lines.is_empty());
        if let Some(line) = line.and_then(|(_, lines)| lines.pop_front()) {
            return line;
        }
        let me = (dc_id, key);
        let elsewhere = |name: &str| Err((303, format!("{name}_MIGRATE_{}", self.home)));
        match body {
            _ if by_itself => Ok(config(dc_id)),
            _ if is::<auth::ImportBotAuthorization>(body) && dc_id != self.home => {
                elsewhere("USER")
            }
            _ if is::<auth::SendCode>(body) && dc_id != self.home => elsewhere("PHONE"),
            _ if is::<auth::SendCode>(body) => {
                let app = types::auth::SentCodeTypeApp { length: 5 };
                let sent = types::auth::SentCode::new(app, "hash");
                Ok(enums::auth::SentCode::from(sent).to_bytes())
            }
            _ if is::<auth::ImportBotAuthorization>(body)
                || is::<auth::SignIn>(body)
                || is::<auth::ImportAuthorization>(body) =>
            {
                self.signed_in.insert(me);
                Ok(welcome())
            }
            _ if is::<help::GetNearestDc>(body) => Ok(nearest(dc_id)),
            _ if !self.signed_in.contains(&me) => Err((401, "AUTH_KEY_UNREGISTERED".to_owned())),
            _ if is::<auth::ExportAuthorization>(body) => {
                let exported =
                    types::auth::ExportedAuthorization { id: 7, bytes: vec![1; 4].into() };
                Ok(exported.to_bytes())
            }
            _ if is::<auth::LogOut>(body) => {
                self.signed_in.clear();
                Ok(types::auth::LoggedOut::new().to_bytes())
            }
            _ if is::<users::GetUsers>(body) => Ok(vec![enums::User::from(user())].to_bytes()),
            _ => Err((400, "METHOD_INVALID".to_owned())),
        }
    }
}

/// What says at which data centre it was answered.
fn nearest(dc_id: i32) -> Bytes {
    types::NearestDc { country: "XX".into(), this_dc: dc_id, nearest_dc: dc_id }.to_bytes()
}

fn welcome() -> Bytes {
    enums::auth::Authorization::from(types::auth::Authorization::new(user())).to_bytes()
}

fn user() -> types::User {
    let mut user = types::User::new(7);
    user.is_self = true;
    user
}

/// Every data centre has a dead address before the one that works; 4 has another one, and one for
/// files.
fn config(this_dc: i32) -> Bytes {
    let option = |dc_id, port| types::DcOption {
        this_port_only: true,
        ..types::DcOption::new(dc_id, format!("127.0.0.{dc_id}"), port)
    };
    let mut options: Vec<_> =
        (1..=4).flat_map(|dc_id| [option(dc_id, 1), option(dc_id, 443)]).collect();
    options.push(option(4, 446));
    options.push(types::DcOption { media_only: true, ..option(4, 444) });
    options.push(types::DcOption { cdn: true, ..option(4, 445) });
    options.push(types::DcOption { cdn: true, ..option(203, 443) });
    let (date, expires) = (1_800_000_000, 1_800_003_600);
    types::Config::new(
        date,
        expires,
        false,
        this_dc,
        options,
        "",
        200,
        200_000,
        100,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        "https://t.me/",
        1_024,
        4_096,
        this_dc,
    )
    .to_bytes()
}

fn is<F: Function>(body: &Bytes) -> bool {
    contains(body, F::ID)
}

fn contains(body: &[u8], id: u32) -> bool {
    body.windows(4).any(|window| window == id.to_le_bytes())
}
