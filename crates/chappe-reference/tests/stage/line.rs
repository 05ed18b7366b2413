//! A device: a connection of the protocol core that speaks TL-JSON.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use chappe_crypto::rsa::PublicKey;
use chappe_mtproto::{
    connection::{
        Config, Connection, Event, Input, Output, RequestId, RequestOptions, Resume, RpcFailure,
    },
    time::Now,
};
use chappe_reference::Asker;
use chappe_schema::{
    Type, api,
    value::{self, Object, Value},
};
use chappe_server::Handle;
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::Instant,
};

use crate::stage::{API_ID, DATE};

/// What a device says of itself.
#[derive(Clone, Copy)]
pub(crate) struct Device {
    pub(crate) model: &'static str,
    pub(crate) system: &'static str,
    pub(crate) app: &'static str,
}

/// A computer and a telephone.
pub(crate) const DESK: Device =
    Device { model: "Desk", system: "Linux 6.12", app: "Semaphore 1.4" };
pub(crate) const PHONE: Device =
    Device { model: "Pixel 10", system: "Android 16", app: "Semaphore 1.2" };

/// A device and who is signed in on it.
pub(crate) struct Line {
    connection: Connection,
    stream: DuplexStream,
    inbox: BytesMut,
    started: Instant,
    unix: Duration,
    /// Its data centre.
    pub(crate) dc: i32,
    /// Who is signed in.
    pub(crate) asker: Asker,
    /// The user id and the access hash of who is signed in.
    pub(crate) id: (String, String),
    updates: Vec<Json>,
}

impl Line {
    /// Connects in the process; every random number of it comes from `number`.
    pub(crate) async fn connect(server: &Handle, dc: i32, number: u8, config: Config) -> Self {
        Self::resume(server, dc, number, config, None).await
    }

    /// Connects with a key that there is already.
    pub(crate) async fn resume(
        server: &Handle,
        dc: i32,
        number: u8,
        config: Config,
        resume: Option<Resume>,
    ) -> Self {
        let server_keys = vec![PublicKey::from_pem(server.public_key_pem()).unwrap()];
        let config = Config { server_keys, dc_id: dc, ..config };
        // The key exchange tells the time of the server, whatever is believed here.
        let unix = match crate::stage::is_live() {
            true => SystemTime::now().duration_since(UNIX_EPOCH).unwrap(),
            false => DATE,
        };
        let now = Now::new(Duration::ZERO, unix);
        let mut connection = Connection::new(config, resume, [number; 32], now);
        connection.handle(now, Input::Connected).unwrap();
        Self {
            connection,
            stream: server.connect_to(dc).await.unwrap(),
            inbox: BytesMut::new(),
            started: Instant::now(),
            unix,
            dc,
            asker: Asker::Nobody,
            id: Default::default(),
            updates: Vec::new(),
        }
    }

    /// Says what the device is, in front of a call.
    pub(crate) async fn introduce(&mut self, device: Device) {
        let query = json!({ "_": "help.getNearestDc" });
        self.call("invokeWithLayer", introduction(device, query)).await;
    }

    /// Calls a method that must succeed; `call` has its parameters.
    pub(crate) async fn call(&mut self, method: &str, call: Json) -> Json {
        self.ask(&named(method, call))
            .await
            .unwrap_or_else(|refusal| panic!("{method}: {refusal:?}"))
    }

    /// Calls a method that must be refused.
    pub(crate) async fn refused(&mut self, method: &str, call: Json) -> RpcFailure {
        let answer = self.ask(&named(method, call)).await;
        answer.expect_err(method)
    }

    /// Makes a request.
    pub(crate) async fn ask(&mut self, request: &Json) -> Result<Json, RpcFailure> {
        let (body, returns) = encode(request);
        let id = self.connection.request(self.now(), body, RequestOptions::default());
        loop {
            match self.step().await.expect("the server closed the connection") {
                Event::Response { id: answered, result } if answered == id => {
                    return result.map(|bytes| decode(&returns, &bytes));
                }
                Event::Failed { reason, .. } => panic!("{reason:?}"),
                Event::Reconnect(reason) => panic!("{reason:?}"),
                _ => {}
            }
        }
    }

    /// Makes a request without waiting for what comes of it.
    pub(crate) fn begin(&mut self, method: &str, call: Json) -> RequestId {
        let (body, _) = encode(&named(method, call));
        self.connection.request(self.now(), body, RequestOptions::default())
    }

    /// Waits for an update with this name; `None` when the server is gone.
    pub(crate) async fn update(&mut self, name: &str) -> Option<Json> {
        loop {
            if let Some(at) = self.updates.iter().position(|update| update["_"] == name) {
                return Some(self.updates.remove(at));
            }
            self.step().await?;
        }
    }

    /// Keeps the connection alive until the server ends it.
    pub(crate) async fn rest(mut self) {
        while self.step().await.is_some() {}
    }

    /// What a session store would keep.
    pub(crate) fn kept(&self) -> Resume {
        self.connection.resume().unwrap()
    }

    /// The person or bot as a peer, as a user, and as one whom a message names.
    pub(crate) fn peer(&self) -> Json {
        json!({ "_": "inputPeerUser", "user_id": self.id.0, "access_hash": self.id.1 })
    }

    pub(crate) fn user(&self) -> Json {
        json!({ "_": "inputUser", "user_id": self.id.0, "access_hash": self.id.1 })
    }

    /// Takes down who signed in, as `auth.authorization` tells it.
    pub(crate) fn signed_in(&mut self, authorization: &Json) {
        let user = &authorization["user"];
        let text = |field: &str| user[field].as_str().unwrap().to_owned();
        self.id = (text("id"), text("access_hash"));
        self.asker = if user["bot"] == true { Asker::Bot } else { Asker::User };
    }

    /// Sends what is due, takes what came, gives one event; `None` when the server is gone.
    async fn step(&mut self) -> Option<Event> {
        loop {
            match self.connection.poll() {
                Output::Transmit(bytes) => self.stream.write_all(&bytes).await.ok()?,
                Output::Event(Event::Update(update)) => {
                    let updates = decode(&Type::Boxed("Updates".to_owned()), &update);
                    match updates["updates"].as_array() {
                        Some(updates) => self.updates.extend(updates.iter().cloned()),
                        None => self.updates.push(updates["update"].clone()),
                    }
                    return Some(Event::Update(update));
                }
                Output::Event(event) => return Some(event),
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
                    let now = Now::new(uptime, self.unix + uptime);
                    self.connection.handle(now, input).unwrap();
                }
            }
        }
    }

    fn now(&self) -> Now {
        let uptime = self.started.elapsed();
        Now::new(uptime, self.unix + uptime)
    }
}

/// `invokeWithLayer` and `initConnection` in front of a query.
pub(crate) fn introduction(device: Device, query: Json) -> Json {
    let Device { model, system, app } = device;
    json!({
        "layer": api().layer(),
        "query": {
            "_": "initConnection",
            "api_id": API_ID,
            "device_model": model,
            "system_version": system,
            "app_version": app,
            "system_lang_code": "en",
            "lang_pack": "",
            "lang_code": "en",
            "query": query,
        },
    })
}

/// A request with its method's name in front, and its fields in the order of the schema.
pub(crate) fn named(method: &str, call: Json) -> Json {
    let bytes = value::encode_call(api(), method, &call)
        .unwrap_or_else(|error| panic!("{method}: {error}"));
    Object::decode_call(api(), &bytes.into()).unwrap().to_json()
}

/// The bytes of a request, and the type of its answer.
pub(crate) fn encode(request: &Json) -> (Bytes, Type) {
    let method = request["_"].as_str().unwrap();
    let body = Bytes::from(value::encode_call(api(), method, request).unwrap());
    let returns = Object::decode_call(api(), &body).unwrap().result().clone();
    (body, returns)
}

fn decode(ty: &Type, bytes: &Bytes) -> Json {
    Value::decode(api(), ty, bytes).unwrap().to_json()
}
