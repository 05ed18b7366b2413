//! The client's end of its sessions, with and without temporary keys, against a server that holds
//! the keys and says anything, while the caller asks, cancels and loses its socket, and the
//! machine sleeps.
#![no_main]

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chappe_crypto::{AuthKey, Side};
use chappe_fuzz::{SERVER_KEY, Script, auth_key, now, now_off, rng};
use chappe_mtproto::{
    connection::{Config, Connection, Event, Input, Output, RequestId, RequestOptions, Resume},
    handshake::server,
    message,
    packet::{self, Draft, Header},
    time::Now,
    transport::{Frame, Transport},
};
use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha20Rng;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let (framing, obfuscation) = script.framing();
    let kind = script.byte();
    let config = Config {
        framing,
        obfuscated: obfuscation.is_some(),
        server_keys: vec![SERVER_KEY.public().clone()],
        forward_secrecy: (kind & 24 == 24).then(|| Duration::from_secs(script.byte().into())),
        patience: Duration::from_secs(u64::from(kind >> 5) * 10),
        ..Config::default()
    };
    // Without a key the connection is in its key exchange, which the peer then takes part in.
    let resume =
        (kind & 7 != 0).then(|| Resume { key: auth_key(), salts: Vec::new(), time_offset: 0 });
    let client = Connection::new(config, resume, [6; 32], now(1));
    let peer = Peer::new(vec![auth_key()]);
    let mut story =
        Story { client, peer, seconds: 1, wall: 0, requests: Vec::new(), failed: false };
    story.give(Input::Connected);
    while !script.is_empty() {
        story.step(&mut script);
    }
});

struct Story {
    client: Connection,
    peer: Peer,
    seconds: u64,
    /// What the wall clock is off by.
    wall: i32,
    requests: Vec<RequestId>,
    failed: bool,
}

impl Story {
    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 13 {
            0 => {
                let wish = script.byte();
                let options = RequestOptions {
                    no_resend: wish & 1 == 1,
                    no_gzip: wish & 2 == 2,
                    chain: (wish & 4 == 4).then_some(u64::from(wish >> 6)),
                    quick_ack: wish & 8 == 8,
                };
                let id = self.client.request(self.now(), script.body(), options);
                self.requests.push(id);
                self.drain();
            }
            1 => {
                let at = usize::from(script.byte());
                if let Some(id) = self.requests.get(at % self.requests.len().max(1)) {
                    self.client.cancel(self.now(), *id);
                    self.requests.remove(at % self.requests.len());
                    self.drain();
                }
            }
            2 => {
                self.seconds += u64::from(script.byte()).pow(2);
                self.give(Input::Timeout);
            }
            3 => {
                self.give(Input::Disconnected);
                self.peer.hang_up();
                self.give(Input::Connected);
            }
            4 => {
                let bytes = script.piece().to_vec();
                self.receive(&bytes, script);
            }
            5 => {
                let mut bytes = BytesMut::new();
                if self.peer.transport.pack_error(script.int(), &mut bytes).is_ok() {
                    self.receive(&bytes, script);
                }
            }
            6 => {
                let plain = packet::seal_plain(script.long(), &script.body());
                self.send(&plain, script);
            }
            // The machine sleeps, or somebody sets its clock.
            7 => self.wall = script.int(),
            // The next step of the key exchange under way, as it should be or a little spoiled.
            8 | 9 => {
                if let Some(mut plain) = self.peer.answer_plain(self.now()) {
                    if script.byte() & 7 == 7 {
                        script.spoil(&mut plain);
                    }
                    self.send(&plain, script);
                }
            }
            _ => {
                let sealed = self.peer.seal(self.seconds, script);
                self.send(&sealed, script);
            }
        }
        self.count();
    }

    /// What is kept has bounds, whatever the server says.
    fn count(&self) {
        let census = self.client.census();
        assert!(census.requests <= self.requests.len(), "{census:?}");
        assert!(census.sent <= census.requests && census.queued <= census.requests, "{census:?}");
        assert!(census.watched <= census.requests && census.chains <= census.requests);
        assert!(census.keys <= 1 + census.sessions, "{census:?}");
        assert!(census.asked <= 64 * census.sessions && census.quick_acks <= 1024, "{census:?}");
        assert!(census.remembered <= 8192 * census.sessions, "{census:?}");
    }

    fn now(&self) -> Now {
        now_off(self.seconds, self.wall)
    }

    fn send(&mut self, payload: &[u8], script: &mut Script<'_>) {
        let mut bytes = BytesMut::new();
        let Peer { transport, rng, .. } = &mut self.peer;
        if transport.pack(payload, false, rng, &mut bytes).is_ok() {
            self.receive(&bytes, script);
        }
    }

    fn receive(&mut self, bytes: &[u8], script: &mut Script<'_>) {
        script.feed(bytes, |input| {
            self.give(Input::Received(input));
            !self.failed
        });
    }

    fn give(&mut self, input: Input<'_>) {
        let result = self.client.handle(self.now(), input);
        assert!(!self.failed || result.is_err(), "errors are sticky");
        self.failed |= result.is_err();
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..1 << 16 {
            match self.client.poll() {
                Output::Transmit(bytes) => self.peer.listen(&bytes),
                Output::Event(Event::Response { id, .. } | Event::Failed { id, .. }) => {
                    let known = self.requests.iter().position(|other| *other == id);
                    let at = known.expect("an answer to no request, or the second to one");
                    self.requests.remove(at);
                }
                Output::Event(_) => {}
                Output::Timeout(_) => return,
            }
        }
        panic!("outputs without end");
    }
}

/// A server that knows the keys and can make more, and nothing else of the protocol.
struct Peer {
    transport: Transport,
    input: BytesMut,
    handshake: server::Handshake,
    /// What the client said last in the key exchange.
    plain: Option<Bytes>,
    keys: Vec<AuthKey>,
    /// Who spoke last: the place of the key, the session.
    session: (usize, i64),
    /// Message ids of the client, for answers to name.
    heard: Vec<i64>,
    rng: ChaCha20Rng,
    serial: i64,
}

impl Peer {
    fn new(keys: Vec<AuthKey>) -> Self {
        let config = server::Config { keys: vec![SERVER_KEY.clone()], ..server::Config::default() };
        Self {
            transport: Transport::server(),
            input: BytesMut::new(),
            handshake: server::Handshake::new(config).expect("the default group is sound"),
            plain: None,
            keys,
            session: (0, 0),
            heard: Vec::new(),
            rng: rng(7),
            serial: 0,
        }
    }

    fn hang_up(&mut self) {
        self.transport = Transport::server();
        self.input.clear();
        self.plain = None;
    }

    fn listen(&mut self, bytes: &Bytes) {
        self.input.extend_from_slice(bytes);
        while let Ok(Some(frame)) = self.transport.receive(&mut self.input) {
            let Frame::Packet { payload, .. } = frame else { continue };
            let id = packet::auth_key_id(&payload);
            if id == Some(0) {
                self.plain = packet::open_plain(payload).ok();
                continue;
            }
            let place = self.keys.iter().position(|key| Some(key.id()) == id);
            let place = place.expect("the client speaks under a key that was made");
            let opened = packet::open(&self.keys[place], Side::Client, payload);
            let opened = opened.expect("the client seals well");
            self.session = (place, opened.header.session_id);
            self.heard.push(opened.header.msg_id);
            if message::is_container(&opened.body) {
                let inner = message::unpack_container(opened.body).expect("a sound container");
                self.heard.extend(inner.iter().map(|message| message.msg_id));
            }
        }
    }

    /// The right answer to the last step of the client.
    fn answer_plain(&mut self, now: Now) -> Option<Vec<u8>> {
        let body = self.plain.take()?;
        let reply = match self.handshake.handle(&body, now, |_| false, &mut self.rng) {
            server::Step::Reply(reply) => reply,
            server::Step::Done { reply, auth_key, .. } => {
                self.keys.push(auth_key);
                reply
            }
            server::Step::Reject(_) => return None,
        };
        self.serial += 1;
        let msg_id = (now.unix.as_secs() as i64) << 32 | self.serial << 2 | 1;
        Some(packet::seal_plain(msg_id, &reply).to_vec())
    }

    /// A packet whose envelope is right unless the script wants otherwise, with a body that may
    /// name what the client said.
    fn seal(&mut self, seconds: u64, script: &mut Script<'_>) -> Vec<u8> {
        let wish = script.byte();
        self.serial += 1;
        let time = now(seconds).unix.as_secs() as i64;
        let header = Header {
            salt: if wish & 1 == 0 { 0 } else { script.long() },
            session_id: if wish & 14 == 14 { script.long() } else { self.session.1 },
            msg_id: match wish & 48 {
                48 => script.long(),
                _ => time << 32 | self.serial << 2 | i64::from(1 + (wish & 16) / 8),
            },
            seqno: if wish & 64 == 0 { 1 } else { script.int() },
        };
        let mut body = self.template(script);
        body.extend_from_slice(&script.body());
        let mut drafts = [Draft::new(&header, &body, &mut self.rng)];
        packet::seal(&self.keys[self.session.0], Side::Server, &mut drafts);
        drafts[0].as_bytes().to_vec()
    }

    /// The beginning of a service message about a message of the client, or nothing.
    fn template(&self, script: &mut Script<'_>) -> Vec<u8> {
        let kind = usize::from(script.byte());
        // The latest are of most interest.
        let heard = self.heard.iter().rev().nth(kind / CONSTRUCTORS.len());
        let Some(constructor) = CONSTRUCTORS.get(kind % CONSTRUCTORS.len()) else { return vec![] };
        let mut body = constructor.to_le_bytes().to_vec();
        if *constructor == MSGS_ACK {
            body.extend_from_slice(&chappe_tl::VECTOR.to_le_bytes());
            body.extend_from_slice(&1u32.to_le_bytes());
        }
        if *constructor == MSGS_STATE_INFO || *constructor == RPC_RESULT {
            body.extend_from_slice(&heard.copied().unwrap_or_default().to_le_bytes());
            body.extend_from_slice(match constructor {
                // Some states of one message, or `boolTrue`.
                &MSGS_STATE_INFO => [&[1, 1, 0, 0], &[1, 2, 0, 0], &[1, 4, 0, 0], &[1, 68, 0, 0]]
                    [usize::from(script.byte()) % 4],
                _ if script.flag() => &[0xb5, 0x75, 0x72, 0x99],
                _ => &[],
            });
            return body;
        }
        body.extend_from_slice(&heard.copied().unwrap_or_default().to_le_bytes());
        body
    }
}

const MSGS_ACK: u32 = 0x62d6_b459;
const MSGS_STATE_INFO: u32 = 0x04de_b57d;
const RPC_RESULT: u32 = 0xf35c_6d01;

/// rpc_result, bad_msg_notification, bad_server_salt, msgs_ack, pong, future_salts,
/// msg_detailed_info, new_session_created, msgs_state_info, msgs_all_info, msgs_state_req,
/// msg_resend_req, msg_new_detailed_info.
const CONSTRUCTORS: &[u32] = &[
    RPC_RESULT,
    0xa7ef_f811,
    0xedab_447b,
    MSGS_ACK,
    0x3477_73c5,
    0xae50_0895,
    0x276d_3ec6,
    0x9ec2_0908,
    MSGS_STATE_INFO,
    0x8cc0_d131,
    0xda69_fb52,
    0x7d86_1a08,
    0x809d_b6df,
];
