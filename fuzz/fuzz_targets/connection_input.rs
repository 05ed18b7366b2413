//! The client's end of a session, against a server that holds the key and says anything, while
//! the caller asks, cancels and loses its socket.
#![no_main]

use bytes::{Bytes, BytesMut};
use chappe_crypto::Side;
use chappe_fuzz::{SERVER_KEY, Script, auth_key, now, rng};
use chappe_mtproto::{
    connection::{Config, Connection, Event, Input, Output, RequestId, RequestOptions, Resume},
    packet::{self, Draft, Header},
    transport::{Frame, Transport},
};
use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha20Rng;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let (framing, obfuscation) = script.framing();
    let config = Config {
        framing,
        obfuscated: obfuscation.is_some(),
        server_keys: vec![SERVER_KEY.public().clone()],
        ..Config::default()
    };
    // Without a key the connection is in its key exchange, which the peer then takes part in.
    let resume = (script.byte() & 7 != 0).then(|| Resume {
        key: auth_key(),
        salts: Vec::new(),
        time_offset: 0,
    });
    let client = Connection::new(config, resume, [6; 32], now(1));
    let mut story =
        Story { client, peer: Peer::new(), seconds: 1, requests: Vec::new(), failed: false };
    story.give(Input::Connected);
    while !script.is_empty() {
        story.step(&mut script);
    }
});

struct Story {
    client: Connection,
    peer: Peer,
    seconds: u64,
    requests: Vec<RequestId>,
    failed: bool,
}

impl Story {
    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 10 {
            0 => {
                let id = self.client.request(
                    now(self.seconds),
                    script.body(),
                    RequestOptions {
                        no_resend: script.flag(),
                        no_gzip: script.flag(),
                        chain: script.flag().then_some(1),
                        quick_ack: script.flag(),
                    },
                );
                self.requests.push(id);
                self.drain();
            }
            1 => {
                let at = usize::from(script.byte());
                if let Some(id) = self.requests.get(at % self.requests.len().max(1)) {
                    self.client.cancel(now(self.seconds), *id);
                    self.drain();
                }
            }
            2 => {
                self.seconds += u64::from(script.byte()).pow(2);
                self.give(Input::Timeout);
            }
            3 => {
                self.give(Input::Disconnected);
                self.peer = Peer { session_id: self.peer.session_id, ..Peer::new() };
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
            _ => {
                let sealed = self.peer.seal(self.seconds, script);
                self.send(&sealed, script);
            }
        }
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
        let result = self.client.handle(now(self.seconds), input);
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

/// A server that knows the key and nothing else of the protocol.
struct Peer {
    transport: Transport,
    input: BytesMut,
    session_id: i64,
    /// Message ids of the client, for answers to name.
    heard: Vec<i64>,
    /// What the client said last in the key exchange.
    rng: ChaCha20Rng,
    serial: i64,
}

impl Peer {
    fn new() -> Self {
        let (transport, input) = (Transport::server(), BytesMut::new());
        Self { transport, input, session_id: 0, heard: Vec::new(), rng: rng(7), serial: 0 }
    }

    fn listen(&mut self, bytes: &Bytes) {
        self.input.extend_from_slice(bytes);
        while let Ok(Some(frame)) = self.transport.receive(&mut self.input) {
            if let Frame::Packet { payload, .. } = frame
                && let Ok(opened) = packet::open(&auth_key(), Side::Client, payload)
            {
                self.session_id = opened.header.session_id;
                self.heard.push(opened.header.msg_id);
            }
        }
    }

    /// A packet whose envelope is right unless the script wants otherwise, with a body that may
    /// name what the client said.
    fn seal(&mut self, seconds: u64, script: &mut Script<'_>) -> Vec<u8> {
        let wish = script.byte();
        self.serial += 1;
        let time = now(seconds).unix.as_secs() as i64;
        let header = Header {
            salt: if wish & 1 == 0 { 0 } else { script.long() },
            session_id: if wish & 14 == 14 { script.long() } else { self.session_id },
            msg_id: match wish & 48 {
                48 => script.long(),
                _ => time << 32 | self.serial << 2 | i64::from(1 + (wish & 16) / 8),
            },
            seqno: if wish & 64 == 0 { 1 } else { script.int() },
        };
        let mut body = self.template(script);
        body.extend_from_slice(&script.body());
        let mut drafts = [Draft::new(&header, &body, &mut self.rng)];
        packet::seal(&auth_key(), Side::Server, &mut drafts);
        drafts[0].as_bytes().to_vec()
    }

    /// The beginning of a service message about a message of the client, or nothing.
    fn template(&self, script: &mut Script<'_>) -> Vec<u8> {
        let kind = usize::from(script.byte());
        let heard = self.heard.get(kind / CONSTRUCTORS.len() % self.heard.len().max(1));
        let Some(constructor) = CONSTRUCTORS.get(kind % CONSTRUCTORS.len()) else { return vec![] };
        let mut body = constructor.to_le_bytes().to_vec();
        if *constructor == MSGS_ACK {
            body.extend_from_slice(&chappe_tl::VECTOR.to_le_bytes());
            body.extend_from_slice(&1u32.to_le_bytes());
        }
        body.extend_from_slice(&heard.copied().unwrap_or_default().to_le_bytes());
        body
    }
}

const MSGS_ACK: u32 = 0x62d6_b459;

/// rpc_result, bad_msg_notification, bad_server_salt, msgs_ack, pong, future_salts,
/// msg_detailed_info, new_session_created.
const CONSTRUCTORS: &[u32] = &[
    0xf35c_6d01,
    0xa7ef_f811,
    0xedab_447b,
    MSGS_ACK,
    0x3477_73c5,
    0xae50_0895,
    0x276d_3ec6,
    0x9ec2_0908,
];
