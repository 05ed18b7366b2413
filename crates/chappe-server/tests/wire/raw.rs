//! A client of one socket that makes keys of any kind, and knows the message id of what it says.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chappe_api::{auth, enums};
use chappe_crypto::{AuthKey, Side, message_key, rsa::PublicKey};
use chappe_mtproto::{
    handshake::client::{Completed, Handshake, Mode, Step},
    message::{self, Low, MessageIds},
    packet::{self, Draft, Header},
    time::Now,
    transport::{Frame, Framing, Transport},
};
use chappe_tl::{
    Decode, Encode, Function,
    service::{BindAuthKeyInner, DestroyAuthKey, DestroyAuthKeyRes, Ping, RpcResult, types},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::client::START;

/// The session of raw clients.
const SESSION: i64 = 0x1112_1314_1516_1718;

pub(crate) struct Raw<S> {
    stream: S,
    transport: Transport,
    rng: ChaCha20Rng,
    inbox: BytesMut,
    ids: MessageIds,
    started: tokio::time::Instant,
    /// The server's time when it started.
    unix: Duration,
    content: i32,
    /// The key that it speaks with, and the salt.
    key: Option<(AuthKey, i64)>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    pub(crate) fn new(stream: S, number: u8) -> Self {
        let mut rng = ChaCha20Rng::from_seed([number; 32]);
        let transport = Transport::client(Framing::Intermediate, None, &mut rng).unwrap();
        let (inbox, started) = (BytesMut::new(), tokio::time::Instant::now());
        let ids = MessageIds::default();
        Self { stream, transport, rng, inbox, ids, started, unix: START, content: 0, key: None }
    }

    /// It is so much later than when the story began.
    pub(crate) fn later(mut self, time: Duration) -> Self {
        self.unix += time;
        self
    }

    /// Makes a key, and speaks with it from now on.
    pub(crate) async fn make_key(&mut self, dc: i32, pem: &str, mode: Mode) -> AuthKey {
        let keys = [PublicKey::from_pem(pem).unwrap()];
        let mut handshake = Handshake::new(dc, &keys, mode);
        let mut body = handshake.start(&mut self.rng);
        loop {
            let msg_id = self.next_id();
            self.send(&packet::seal_plain(msg_id, &body)).await;
            let answer = packet::open_plain(self.packet().await.unwrap()).unwrap();
            let now = Now::new(self.started.elapsed(), self.unix());
            match handshake.step(&answer, now, &mut self.rng).unwrap() {
                Step::Send(next) => body = next,
                Step::Done(Completed { auth_key, server_salt, .. }) => {
                    self.key = Some((auth_key.clone(), server_salt));
                    return auth_key;
                }
            }
        }
    }

    /// Speaks with a key that it has, and learns its salt.
    pub(crate) async fn resume(&mut self, key: AuthKey) {
        self.key = Some((key, 0));
        let msg_id = self.next_id();
        self.say(msg_id, &Ping { ping_id: 1 }.to_bytes()).await;
        let heard = self.hear().await.unwrap();
        let notice = types::BadServerSalt::from_bytes(&heard[0]).unwrap();
        self.key.as_mut().unwrap().1 = notice.new_server_salt;
    }

    /// Whether the server says that there is no such key.
    pub(crate) async fn is_unknown(&mut self, key: AuthKey) -> bool {
        self.key = Some((key, 0));
        let msg_id = self.next_id();
        self.say(msg_id, &Ping { ping_id: 1 }.to_bytes()).await;
        self.hear().await.is_none()
    }

    /// Waits for updates.
    pub(crate) async fn update(&mut self) -> enums::Updates {
        loop {
            for body in self.hear().await.unwrap() {
                if let Ok(updates) = enums::Updates::from_bytes(&body) {
                    return updates;
                }
            }
        }
    }

    /// Binds its temporary key to a permanent one.
    pub(crate) async fn bind(
        &mut self,
        perm: &AuthKey,
        expires_at: i32,
    ) -> Result<bool, types::RpcError> {
        let (key, _) = self.key.clone().unwrap();
        let msg_id = self.next_id();
        let inner = BindAuthKeyInner {
            nonce: 7,
            temp_auth_key_id: key.id(),
            perm_auth_key_id: perm.id(),
            temp_session_id: SESSION,
            expires_at,
        };
        let body = inner.to_bytes();
        let mut plain = vec![0xa5; 16];
        plain.extend(msg_id.to_le_bytes());
        plain.extend(0_i32.to_le_bytes());
        plain.extend(i32::try_from(body.len()).unwrap().to_le_bytes());
        plain.extend(&body);
        let message = message_key::seal_v1(perm, Side::Client, &plain, &[0; 15]).unwrap();
        let request = auth::BindTempAuthKey {
            perm_auth_key_id: perm.id(),
            nonce: 7,
            expires_at,
            encrypted_message: message.into(),
        };
        self.ask(msg_id, &request).await.map_err(|refusal| refusal.unwrap())
    }

    /// Calls a method. `Err(None)` if the server says -404 instead.
    pub(crate) async fn call<F: Function>(
        &mut self,
        request: &F,
    ) -> Result<F::Return, Option<types::RpcError>> {
        let msg_id = self.next_id();
        self.ask(msg_id, request).await
    }

    /// Destroys its key.
    pub(crate) async fn destroy_key(&mut self) {
        let msg_id = self.next_id();
        self.say(msg_id, &DestroyAuthKey.to_bytes()).await;
        loop {
            let heard = self.hear().await.unwrap();
            let mut answers = heard.iter().map(DestroyAuthKeyRes::from_bytes);
            if answers.any(|answer| matches!(answer, Ok(DestroyAuthKeyRes::DestroyAuthKeyOk))) {
                return;
            }
        }
    }

    /// Waits until the server says that there is no such key.
    pub(crate) async fn lost(&mut self) {
        while self.hear().await.is_some() {}
    }

    async fn ask<F: Function>(
        &mut self,
        msg_id: i64,
        request: &F,
    ) -> Result<F::Return, Option<types::RpcError>> {
        self.say(msg_id, &request.to_bytes()).await;
        loop {
            for body in self.hear().await.ok_or(None)? {
                let Ok(answer) = RpcResult::from_bytes(&body) else { continue };
                assert_eq!(answer.req_msg_id, msg_id);
                return match types::RpcError::from_bytes(&answer.result) {
                    Ok(error) => Err(Some(error)),
                    Err(_) => {
                        let answer = message::inflate(answer.result).unwrap();
                        Ok(F::Return::from_bytes(&answer).unwrap())
                    }
                };
            }
        }
    }

    async fn say(&mut self, msg_id: i64, body: &Bytes) {
        let (key, salt) = self.key.clone().unwrap();
        self.content += 1;
        let header = Header { salt, session_id: SESSION, msg_id, seqno: self.content * 2 - 1 };
        let mut drafts = [Draft::new(&header, body, &mut self.rng)];
        packet::seal(&key, Side::Client, &mut drafts);
        self.send(drafts[0].as_bytes()).await;
    }

    /// The messages of the next packet; `None` for the error -404.
    async fn hear(&mut self) -> Option<Vec<Bytes>> {
        let (key, _) = self.key.clone().unwrap();
        let body = packet::open(&key, Side::Server, self.packet().await?).unwrap().body;
        if !message::is_container(&body) {
            return Some(vec![body]);
        }
        let messages = message::unpack_container(body).unwrap();
        Some(messages.into_iter().map(|message| message.body).collect())
    }

    /// The next packet; `None` for the error -404.
    async fn packet(&mut self) -> Option<BytesMut> {
        loop {
            match self.transport.receive(&mut self.inbox).unwrap() {
                Some(Frame::Packet { payload, .. }) => return Some(payload),
                Some(Frame::Error(-404)) => return None,
                Some(other) => panic!("{other:?}"),
                None => {
                    let read = self.stream.read_buf(&mut self.inbox).await.unwrap();
                    assert_ne!(read, 0, "the server closed the connection");
                }
            }
        }
    }

    async fn send(&mut self, packet: &[u8]) {
        let mut out = BytesMut::new();
        self.transport.pack(packet, false, &mut self.rng, &mut out).unwrap();
        self.stream.write_all(&out).await.unwrap();
    }

    fn next_id(&mut self) -> i64 {
        let time = self.unix();
        self.ids.next(time, Low::Client)
    }

    fn unix(&self) -> Duration {
        self.unix + self.started.elapsed()
    }
}
