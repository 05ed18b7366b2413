//! One end alone, against a peer that says whatever a test wants.

use bytes::{BufMut, Bytes, BytesMut};
use chappe_crypto::{AuthKey, Side, message_key};
use chappe_mtproto::connection::{
    Config, Connection, Event, Input, Output, ReconnectReason, Resume,
};
use chappe_mtproto::error::ProtocolError;
use chappe_mtproto::message::{self, Message};
use chappe_mtproto::packet::{self, Draft, Header};
use chappe_mtproto::server::{
    LinkId, Server, ServerConfig, ServerEvent, ServerInput, ServerOutput, SessionRef,
};
use chappe_mtproto::time::Now;
use chappe_mtproto::transport::{Frame, Framing, Transport};
use chappe_tl::service::{MsgContainer, types};
use chappe_tl::{Decode, Encode};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::{START, auth_key, client_config, resume, secs, server_config};

/// The session of raw clients.
pub const SESSION: i64 = 0x1112_1314_1516_1718;

/// The id of a message of this moment: whole seconds after the start, number within it, low bits.
pub fn id_at(seconds: i64, number: i64, low: i64) -> i64 {
    let start = i64::try_from(START.as_secs()).unwrap();
    ((start + seconds) << 32) | (number << 12) | low
}

pub fn container(messages: Vec<Message>) -> Bytes {
    MsgContainer { messages }.to_bytes()
}

/// A packet with any plaintext at all: the length field and the padding are the test's.
pub fn seal_raw(key: &AuthKey, from: Side, header: &Header, length: i32, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 24];
    packet.put_i64_le(header.salt);
    packet.put_i64_le(header.session_id);
    packet.put_i64_le(header.msg_id);
    packet.put_i32_le(header.seqno);
    packet.put_i32_le(length);
    packet.put_slice(rest);
    message_key::seal(key, from, &mut packet).expect("whole blocks");
    packet
}

pub fn seal(key: &AuthKey, from: Side, header: &Header, body: &[u8]) -> Vec<u8> {
    let mut rng = ChaCha20Rng::from_seed([5; 32]);
    let mut drafts = [Draft::new(header, body, &mut rng)];
    packet::seal(key, from, &mut drafts);
    drafts[0].as_bytes().to_vec()
}

/// A server, and a client that breaks one rule at a time.
pub struct RawClient {
    pub server: Server,
    pub key: AuthKey,
    pub now: Now,
    pub link: LinkId,
    pub transport: Transport,
    pub rng: ChaCha20Rng,
    pub salt: i64,
    pub session: i64,
    down: BytesMut,
    pub events: Vec<ServerEvent>,
    pub messages: Vec<Message>,
    pub errors: Vec<i32>,
    pub quick_acks: Vec<u32>,
    /// How many messages arrived inside of containers.
    pub contained: usize,
    pub closed: bool,
    number: i64,
    content: i32,
}

impl RawClient {
    /// A client of a known key that knows the right salt.
    pub fn new() -> Self {
        Self::with(server_config(), Framing::Intermediate)
    }

    pub fn with(config: ServerConfig, framing: Framing) -> Self {
        let mut rng = ChaCha20Rng::from_seed([6; 32]);
        let now = Now::new(secs(0), START);
        let mut server = Server::new(config, [3; 32]);
        server.provide_key(now, auth_key().id(), Some(auth_key()));
        let transport = Transport::client(framing, None, &mut rng).unwrap();
        let mut client = Self {
            server,
            key: auth_key(),
            now,
            link: LinkId(1),
            transport,
            rng,
            salt: 0,
            session: 1,
            down: BytesMut::new(),
            events: Vec::new(),
            messages: Vec::new(),
            errors: Vec::new(),
            quick_acks: Vec::new(),
            contained: 0,
            closed: false,
            number: 0,
            content: 0,
        };
        client.server.handle(now, ServerInput::Accepted(client.link));
        client.say(1, super::body(0));
        let notice: types::BadServerSalt = client.only();
        client.salt = notice.new_server_salt;
        client.session = SESSION;
        client.number = 0;
        client.events.clear();
        client
    }

    pub fn session_ref(&self) -> SessionRef {
        SessionRef { auth_key_id: auth_key().id(), session_id: self.session }
    }

    /// A fresh message id of this moment.
    pub fn id(&mut self) -> i64 {
        self.number += 1;
        id_at(0, self.number, 0) + (i64::try_from(self.now.uptime.as_secs()).unwrap() << 32)
    }

    /// The next number of a message that is to be acknowledged.
    pub fn odd(&mut self) -> i32 {
        self.content += 1;
        self.content * 2 - 1
    }

    /// The next number of a message that is not.
    pub fn even(&self) -> i32 {
        self.content * 2
    }

    pub fn header(&self, msg_id: i64, seqno: i32) -> Header {
        Header { salt: self.salt, session_id: self.session, msg_id, seqno }
    }

    /// Sends a good message.
    pub fn say(&mut self, seqno: i32, body: Bytes) -> i64 {
        let msg_id = self.id();
        self.send(msg_id, seqno, &body);
        msg_id
    }

    pub fn ask(&mut self, body: Bytes) -> i64 {
        let seqno = self.odd();
        self.say(seqno, body)
    }

    pub fn serve(&mut self, object: &impl Encode) -> i64 {
        let seqno = self.even();
        self.say(seqno, object.to_bytes())
    }

    pub fn send(&mut self, msg_id: i64, seqno: i32, body: &[u8]) {
        let header = self.header(msg_id, seqno);
        self.packet(&seal(&auth_key(), Side::Client, &header, body), false);
    }

    /// Sends a packet that may be anything.
    pub fn packet(&mut self, packet: &[u8], quick_ack: bool) {
        let mut out = BytesMut::new();
        self.transport.pack(packet, quick_ack, &mut self.rng, &mut out).expect("a frame");
        self.bytes(out);
    }

    pub fn bytes(&mut self, mut bytes: BytesMut) {
        let (now, link) = (self.now, self.link);
        self.server.handle(now, ServerInput::Received(link, &mut bytes));
        self.drain();
    }

    pub fn wait(&mut self, seconds: u64) {
        let time = secs(seconds);
        self.now = Now::new(self.now.uptime + time, self.now.unix + time);
        self.server.handle(self.now, ServerInput::Timeout);
        self.drain();
    }

    pub fn reconnect(&mut self, framing: Framing) {
        let (now, link) = (self.now, self.link);
        if !self.closed {
            self.server.handle(now, ServerInput::Closed(link));
        }
        self.link = LinkId(link.0 + 1);
        self.closed = false;
        self.down.clear();
        self.transport = Transport::client(framing, None, &mut self.rng).unwrap();
        self.server.handle(now, ServerInput::Accepted(self.link));
        self.drain();
    }

    pub fn drain(&mut self) {
        loop {
            match self.server.poll() {
                ServerOutput::Transmit(link, bytes) if link == self.link => {
                    self.down.extend_from_slice(&bytes);
                }
                ServerOutput::Transmit(..) => {}
                ServerOutput::Close(link) => self.closed |= link == self.link,
                ServerOutput::Event(event) => self.events.push(event),
                ServerOutput::Timeout(_) => break,
            }
        }
        while let Some(frame) = self.transport.receive(&mut self.down).expect("good frames") {
            match frame {
                Frame::Error(code) => self.errors.push(code),
                Frame::QuickAck(token) => self.quick_acks.push(token),
                Frame::Packet { payload, .. } => self.take(payload),
            }
        }
    }

    fn take(&mut self, packet: BytesMut) {
        if packet::auth_key_id(&packet) == Some(0) {
            let body = packet::open_plain(packet).unwrap();
            self.messages.push(Message { msg_id: 0, seqno: 0, body });
            return;
        }
        let opened = packet::open(&self.key, Side::Server, packet).expect("a good packet");
        assert_eq!(opened.header.session_id, self.session);
        let Header { msg_id, seqno, .. } = opened.header;
        assert_eq!(msg_id & 1, 1);
        let outer = Message { msg_id, seqno, body: opened.body };
        if message::is_container(&outer.body) {
            assert_eq!(seqno & 1, 0);
            let inner = message::unpack_container(outer.body).expect("a good container");
            assert!(inner.iter().all(|message| message.msg_id < msg_id && message.msg_id & 1 == 1));
            self.contained += inner.len();
            self.messages.extend(inner);
        } else {
            self.messages.push(outer);
        }
    }

    /// Takes the messages of a type that arrived.
    pub fn all<T: Decode>(&mut self) -> Vec<T> {
        let messages = std::mem::take(&mut self.messages);
        let mut found = Vec::new();
        for message in messages {
            match T::from_bytes(&message.body) {
                Ok(value) => found.push(value),
                Err(_) => self.messages.push(message),
            }
        }
        found
    }

    pub fn only<T: Decode>(&mut self) -> T {
        let mut all = self.all();
        assert_eq!(all.len(), 1, "messages: {:?}, closed: {}", self.messages, self.closed);
        all.remove(0)
    }

    /// The codes of the refusals that arrived, by message id.
    pub fn refusals(&mut self) -> Vec<(i64, i32)> {
        let notices: Vec<types::BadMsgNotification> = self.all();
        notices.iter().map(|notice| (notice.bad_msg_id, notice.error_code)).collect()
    }

    pub fn requests(&self) -> Vec<(i64, Bytes)> {
        self.events
            .iter()
            .filter_map(|event| match event {
                ServerEvent::Request { msg_id, body, .. } => Some((*msg_id, body.clone())),
                _ => None,
            })
            .collect()
    }

    pub fn respond(&mut self, msg_id: i64, body: Bytes) {
        let session = self.session_ref();
        self.server.respond(self.now, session, msg_id, Ok(body));
        self.drain();
    }
}

/// A client, and a server that breaks one rule at a time.
pub struct RawServer {
    pub client: Connection,
    pub now: Now,
    pub transport: Transport,
    pub rng: ChaCha20Rng,
    pub session: i64,
    up: BytesMut,
    pub events: Vec<Event>,
    /// What the client sent, containers opened.
    pub messages: Vec<Message>,
    /// The outermost messages of the client.
    pub outer: Vec<Header>,
    /// What would confirm the client's last packet quickly.
    pub token: u32,
    pub error: Option<ProtocolError>,
    number: i64,
    content: i32,
}

impl RawServer {
    /// A client that has a key, a salt and a socket, and has said hello.
    pub fn new() -> Self {
        Self::with(client_config(Framing::Intermediate, false), resume(77))
    }

    pub fn with(config: Config, resume: Resume) -> Self {
        let now = Now::new(secs(0), START);
        let mut server = Self {
            client: Connection::new(config, Some(resume), [4; 32], now),
            now,
            transport: Transport::server(),
            rng: ChaCha20Rng::from_seed([8; 32]),
            session: 0,
            up: BytesMut::new(),
            events: Vec::new(),
            messages: Vec::new(),
            outer: Vec::new(),
            token: 0,
            error: None,
            number: 0,
            content: 0,
        };
        server.connect();
        server
    }

    pub fn connect(&mut self) {
        self.transport = Transport::server();
        self.up.clear();
        self.input(Input::Connected);
        self.drain();
    }

    pub fn input(&mut self, input: Input<'_>) {
        if let Err(error) = self.client.handle(self.now, input) {
            self.error = Some(error);
        }
    }

    pub fn wait(&mut self, seconds: u64) {
        let time = secs(seconds);
        self.now = Now::new(self.now.uptime + time, self.now.unix + time);
        self.input(Input::Timeout);
        self.drain();
    }

    pub fn drain(&mut self) {
        loop {
            match self.client.poll() {
                Output::Transmit(bytes) => self.up.extend_from_slice(&bytes),
                Output::Event(event) => self.events.push(event),
                Output::Timeout(_) => break,
            }
        }
        while let Some(frame) = self.transport.receive(&mut self.up).expect("good frames") {
            let Frame::Packet { payload, .. } = frame else {
                panic!("not a packet: {frame:?}");
            };
            let opened = packet::open(&auth_key(), Side::Client, payload).expect("good packets");
            self.session = opened.header.session_id;
            self.outer.push(opened.header);
            self.token = opened.token;
            let Header { msg_id, seqno, .. } = opened.header;
            let outer = Message { msg_id, seqno, body: opened.body };
            if message::is_container(&outer.body) {
                self.messages.extend(message::unpack_container(outer.body).unwrap());
            } else {
                self.messages.push(outer);
            }
        }
    }

    /// A fresh message id of this moment; 1 for answers, 3 for pushes.
    pub fn id(&mut self, low: i64) -> i64 {
        self.number += 1;
        id_at(i64::try_from(self.now.uptime.as_secs()).unwrap(), self.number, low)
    }

    pub fn header(&self, msg_id: i64, seqno: i32) -> Header {
        Header { salt: 77, session_id: self.session, msg_id, seqno }
    }

    pub fn odd(&mut self) -> i32 {
        self.content += 1;
        self.content * 2 - 1
    }

    pub fn say(&mut self, body: Bytes) -> i64 {
        let (msg_id, seqno) = (self.id(1), self.odd());
        self.send(msg_id, seqno, &body);
        msg_id
    }

    pub fn serve(&mut self, object: &impl Encode) -> i64 {
        let msg_id = self.id(1);
        self.send(msg_id, self.content * 2, &object.to_bytes());
        msg_id
    }

    pub fn send(&mut self, msg_id: i64, seqno: i32, body: &[u8]) {
        let header = self.header(msg_id, seqno);
        self.packet(&seal(&auth_key(), Side::Server, &header, body));
    }

    pub fn packet(&mut self, packet: &[u8]) {
        let mut out = BytesMut::new();
        self.transport.pack(packet, false, &mut self.rng, &mut out).expect("a frame");
        self.input(Input::Received(&mut out));
        self.drain();
    }

    pub fn transport_error(&mut self, code: i32) {
        let mut out = BytesMut::new();
        self.transport.pack_error(code, &mut out).expect("a frame");
        self.input(Input::Received(&mut out));
        self.drain();
    }

    pub fn quick_ack(&mut self, token: u32) {
        let mut out = BytesMut::new();
        self.transport.pack_quick_ack(token, &mut out).expect("a frame");
        self.input(Input::Received(&mut out));
        self.drain();
    }

    pub fn updates(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Update(_))).count()
    }

    pub fn reconnects(&self) -> Vec<&ReconnectReason> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Reconnect(reason) => Some(reason),
                _ => None,
            })
            .collect()
    }

    /// Takes the messages of a type that the client sent.
    pub fn all<T: Decode>(&self) -> Vec<T> {
        self.messages.iter().filter_map(|message| T::from_bytes(&message.body).ok()).collect()
    }

    /// The message ids under which this body was sent.
    pub fn places(&self, body: &Bytes) -> Vec<i64> {
        let same = self.messages.iter().filter(|message| message.body == *body);
        same.map(|message| message.msg_id).collect()
    }
}
