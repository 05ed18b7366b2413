//! The smallest client: a connection of the protocol core over any stream.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chappe_api::{InitConnection, InvokeWithLayer, LAYER, account, auth, enums, types};
use chappe_crypto::rsa::PublicKey;
use chappe_mtproto::{
    connection::{
        Config, Connection, Event, Input, Output, RequestId, RequestOptions, Resume, RpcFailure,
    },
    time::Now,
};
use chappe_server::{Handle, Server};
use chappe_tl::{Decode, Encode, ErrorName, Function};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    time::Instant,
};

/// When every story begins.
pub(crate) const START: Duration = Duration::from_secs(1_800_000_000);

pub(crate) const API_HASH: &str = "0123456789abcdef0123456789abcdef";

/// A server in memory whose clock is tokio's.
pub(crate) async fn server(seed: u64) -> Handle {
    Server::builder().in_memory().seed(seed).start_at(START).start().await.unwrap()
}

/// A method with an introduction around it.
pub(crate) fn introduced<Q>(query: Q) -> InvokeWithLayer<InitConnection<Q>> {
    let query = InitConnection::new(1, "Desk", "Linux 6.12", "1.0", "en", "", "en", query);
    InvokeWithLayer { layer: LAYER, query }
}

pub(crate) struct Client<S> {
    connection: Connection,
    stream: S,
    inbox: BytesMut,
    started: Instant,
    /// What the server sent unasked.
    pub(crate) updates: Vec<Bytes>,
    /// How many temporary keys it has bound.
    pub(crate) renewed: usize,
    layer: i32,
    introduced: bool,
}

impl Client<DuplexStream> {
    /// Connects in the process.
    pub(crate) async fn connect(server: &Handle, number: u8) -> Self {
        Self::over(server.connect().await.unwrap(), config(server.public_key_pem()), None, number)
    }

    /// Connects in the process to a data centre.
    pub(crate) async fn connect_to(server: &Handle, dc_id: i32, number: u8) -> Self {
        let config = Config { dc_id, ..config(server.public_key_pem()) };
        Self::over(server.connect_to(dc_id).await.unwrap(), config, None, number)
    }
}

/// A server in memory with the data centres 1 to 3.
pub(crate) async fn several(seed: u64) -> Handle {
    Server::builder().in_memory().seed(seed).start_at(START).dcs(3).start().await.unwrap()
}

pub(crate) fn config(pem: &str) -> Config {
    Config { server_keys: vec![PublicKey::from_pem(pem).unwrap()], ..Config::default() }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Speaks over a stream that is connected already.
    pub(crate) fn over(stream: S, config: Config, resume: Option<Resume>, number: u8) -> Self {
        let started = Instant::now();
        let now = Now::new(Duration::ZERO, START);
        let mut connection = Connection::new(config, resume, [number; 32], now);
        connection.handle(now, Input::Connected).unwrap();
        Self {
            connection,
            stream,
            inbox: BytesMut::new(),
            started,
            updates: Vec::new(),
            renewed: 0,
            layer: LAYER,
            introduced: false,
        }
    }

    /// Speaks another layer from the next call on.
    pub(crate) fn announce(&mut self, layer: i32) {
        self.layer = layer;
        self.introduced = false;
    }

    /// Says nothing of itself, unless a call does.
    pub(crate) fn unintroduced(mut self) -> Self {
        self.introduced = true;
        self
    }

    /// Calls a method; the first call introduces the client.
    pub(crate) async fn call<F: Function>(&mut self, f: &F) -> Result<F::Return, RpcFailure> {
        let answer = self.call_raw(f.to_bytes()).await?;
        Ok(F::Return::from_bytes(&answer).unwrap())
    }

    /// Calls a method that must be refused with a number in the error's name.
    pub(crate) async fn refused_with<F: Function>(&mut self, f: &F, code: i32, message: &str) {
        let Err(failure) = self.call(f).await else { panic!("{} was answered", F::NAME) };
        assert_eq!((failure.code, failure.message.as_str()), (code, message));
    }

    /// Calls a method that must be refused.
    pub(crate) async fn refused<F: Function>(&mut self, f: &F, name: ErrorName) {
        self.refused_with(f, name.code, name.name).await;
    }

    pub(crate) async fn call_raw(&mut self, query: Bytes) -> Result<Bytes, RpcFailure> {
        let body = if self.introduced { query } else { self.introduce(query) };
        self.introduced = true;
        self.request(body).await
    }

    /// Sends exactly this.
    async fn request(&mut self, body: Bytes) -> Result<Bytes, RpcFailure> {
        let id = self.connection.request(self.now(), body, RequestOptions::default());
        match self.answer(id).await {
            Some(result) => result,
            None => panic!("the server closed the connection"),
        }
    }

    /// Waits for something that the server sends unasked.
    pub(crate) async fn update(&mut self) -> Bytes {
        while self.updates.is_empty() {
            assert!(self.step().await.is_some(), "the server closed the connection");
        }
        self.updates.remove(0)
    }

    /// Waits for an update that comes by itself.
    pub(crate) async fn short_update(&mut self) -> enums::Update {
        match enums::Updates::from_bytes(&self.update().await).unwrap() {
            enums::Updates::UpdateShort(short) => short.update,
            other => panic!("{other:?}"),
        }
    }

    /// The text of the message that comes next.
    pub(crate) async fn new_message(&mut self) -> String {
        let updates = enums::Updates::from_bytes(&self.update().await).unwrap();
        let enums::Updates::Updates(updates) = &updates else { panic!("{updates:?}") };
        match &updates.updates[..] {
            [enums::Update::NewMessage(new)] => match &new.message {
                enums::Message::Message(message) => message.message.to_string(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    /// Says only what the protocol says by itself for a while.
    pub(crate) async fn rest(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(event) = tokio::time::timeout_at(end, self.step()).await {
            assert!(event.is_some(), "the server closed the connection");
        }
    }

    /// Goes on over another stream, as after a lost connection.
    pub(crate) fn reconnect(&mut self, stream: S) {
        self.inbox.clear();
        self.stream = stream;
        self.connection.handle(self.now(), Input::Disconnected).unwrap();
        self.connection.handle(self.now(), Input::Connected).unwrap();
    }

    /// Sends a call without waiting for what comes of it.
    pub(crate) fn ask<F: Function>(&mut self, f: &F) -> RequestId {
        let body = if self.introduced { f.to_bytes() } else { self.introduce(f.to_bytes()) };
        self.introduced = true;
        self.connection.request(self.now(), body, RequestOptions::default())
    }

    /// Waits for what comes of a call; `None` when the connection is closed or given up.
    pub(crate) async fn answer(&mut self, id: RequestId) -> Option<Result<Bytes, RpcFailure>> {
        loop {
            match self.step().await? {
                Event::Response { id: answered, result } if answered == id => return Some(result),
                Event::Reconnect(_) => return None,
                _ => {}
            }
        }
    }

    /// What a session store would keep.
    pub(crate) fn resume(&self) -> Resume {
        self.connection.resume().unwrap()
    }

    pub(crate) async fn sign_in(
        &mut self,
        phone: &str,
        code: &str,
    ) -> Result<enums::auth::Authorization, RpcFailure> {
        let hash = self.send_code(phone).await?;
        let sign_in =
            auth::SignIn { phone_code: Some(code.into()), ..auth::SignIn::new(phone, hash) };
        self.call(&sign_in).await
    }

    pub(crate) async fn send_code(&mut self, phone: &str) -> Result<chappe_tl::Text, RpcFailure> {
        let send_code = auth::SendCode {
            phone_number: phone.into(),
            api_id: 1,
            api_hash: API_HASH.into(),
            settings: types::CodeSettings::new(),
        };
        match self.call(&send_code).await? {
            enums::auth::SentCode::SentCode(sent) => Ok(sent.phone_code_hash),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn sign_in_bot(&mut self, token: &str) -> Result<(), RpcFailure> {
        let import = auth::ImportBotAuthorization {
            flags: 0,
            api_id: 1,
            api_hash: API_HASH.into(),
            bot_auth_token: token.into(),
        };
        self.call(&import).await.map(drop)
    }

    pub(crate) async fn web(&mut self) -> Vec<types::WebAuthorization> {
        self.call(&account::GetWebAuthorizations).await.unwrap().authorizations
    }

    /// Sends what is due, takes what came, gives one event; `None` at the end of the stream.
    async fn step(&mut self) -> Option<Event> {
        loop {
            match self.connection.poll() {
                Output::Transmit(bytes) => self.stream.write_all(&bytes).await.ok()?,
                Output::Event(Event::Update(update)) => {
                    self.updates.push(update.clone());
                    return Some(Event::Update(update));
                }
                Output::Event(event) => {
                    if matches!(event, Event::Renewed) {
                        self.renewed += 1;
                        self.introduced = false;
                    }
                    return Some(event);
                }
                Output::Timeout(wake) => {
                    let wake = wake.unwrap_or(Duration::from_secs(1 << 20));
                    let input = tokio::select! {
                        read = self.stream.read_buf(&mut self.inbox) => match read {
                            Ok(0) | Err(_) => return None,
                            Ok(_) => Input::Received(&mut self.inbox),
                        },
                        () = tokio::time::sleep_until(self.started + wake) => Input::Timeout,
                    };
                    let uptime = self.started.elapsed();
                    self.connection.handle(Now::new(uptime, START + uptime), input).unwrap();
                }
            }
        }
    }

    fn introduce(&self, query: Bytes) -> Bytes {
        InvokeWithLayer { layer: self.layer, ..introduced(chappe_tl::Raw(query)) }.to_bytes()
    }

    fn now(&self) -> Now {
        let uptime = self.started.elapsed();
        Now::new(uptime, START + uptime)
    }
}
