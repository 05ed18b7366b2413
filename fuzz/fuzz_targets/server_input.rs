//! The server's end of all sockets, against clients that hold a key and say anything, while the
//! driver answers, pushes, forgets keys, lets time pass and sets the clock.
#![no_main]

use bytes::{Bytes, BytesMut};
use chappe_crypto::Side;
use chappe_fuzz::{SERVER_KEY, Script, auth_key, now_off, rng};
use chappe_mtproto::{
    packet::{self, Draft, Header},
    server::{
        LinkId, RpcFailure, Server, ServerConfig, ServerEvent, ServerInput, ServerOutput,
        SessionRef,
    },
    time::Now,
    transport::{Frame, Transport},
};
use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha20Rng;

const LINKS: usize = 3;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let config = ServerConfig { keys: vec![SERVER_KEY.clone()], ..ServerConfig::default() };
    let mut story = Story {
        server: Server::new(config, [8; 32]),
        clients: std::array::from_fn(|_| None),
        seconds: 1,
        wall: 0,
        links: 0,
        salt: 0,
        requests: Vec::new(),
        rng: rng(9),
        serial: 0,
    };
    while !script.is_empty() {
        story.step(&mut script);
    }
});

struct Story {
    server: Server,
    clients: [Option<Client>; LINKS],
    seconds: u64,
    /// What the wall clock is off by.
    wall: i32,
    links: u64,
    /// What the server last said the salt is.
    salt: i64,
    requests: Vec<(SessionRef, i64)>,
    rng: ChaCha20Rng,
    serial: i64,
}

struct Client {
    link: LinkId,
    transport: Transport,
    input: BytesMut,
}

impl Story {
    fn step(&mut self, script: &mut Script<'_>) {
        let kind = script.byte();
        let slot = usize::from(kind >> 4) % LINKS;
        match kind % 13 {
            0 => self.dial(slot, script),
            1 => {
                if let Some(client) = self.clients[slot].take() {
                    self.server.handle(self.now(), ServerInput::Closed(client.link));
                }
            }
            2 => {
                self.seconds += u64::from(script.byte()).pow(2);
                self.server.handle(self.now(), ServerInput::Timeout);
            }
            3 => {
                let bytes = script.piece().to_vec();
                self.receive(slot, &bytes, script);
            }
            4 => {
                let plain = packet::seal_plain(script.long(), &script.body());
                self.send(slot, &plain, script);
            }
            5 => {
                if let Some((session, msg_id)) = self.requests.pop() {
                    let result = match script.flag() {
                        true => Ok(script.body()),
                        false => Err(RpcFailure { code: script.int(), message: "NO".to_owned() }),
                    };
                    self.server.respond(self.now(), session, msg_id, result);
                }
            }
            6 => {
                if let Some((session, _)) = self.requests.last() {
                    self.server.push(self.now(), *session, script.body());
                }
            }
            // Somebody sets the clock.
            8 => self.wall = script.int(),
            7 if script.byte() == 7 => {
                self.server.forget_key(self.now(), auth_key().id());
            }
            _ => {
                let sealed = self.seal(script);
                self.send(slot, &sealed, script);
            }
        }
        self.drain();
    }

    fn now(&self) -> Now {
        now_off(self.seconds, self.wall)
    }

    fn dial(&mut self, slot: usize, script: &mut Script<'_>) {
        if let Some(client) = self.clients[slot].take() {
            self.server.handle(self.now(), ServerInput::Closed(client.link));
            self.drain();
        }
        self.links += 1;
        let link = LinkId(self.links);
        let (framing, obfuscation) = script.framing();
        let transport = Transport::client(framing, obfuscation, &mut self.rng);
        let transport = transport.expect("never full and hidden");
        self.clients[slot] = Some(Client { link, transport, input: BytesMut::new() });
        self.server.handle(self.now(), ServerInput::Accepted(link));
    }

    fn send(&mut self, slot: usize, payload: &[u8], script: &mut Script<'_>) {
        let Some(client) = &mut self.clients[slot] else { return };
        let mut bytes = BytesMut::new();
        client.transport.greet(&mut bytes);
        if client.transport.pack(payload, script.flag(), &mut self.rng, &mut bytes).is_ok() {
            self.receive(slot, &bytes, script);
        }
    }

    fn receive(&mut self, slot: usize, bytes: &[u8], script: &mut Script<'_>) {
        script.feed(bytes, |input| {
            let Some(client) = &self.clients[slot] else { return false };
            let input = ServerInput::Received(client.link, input);
            self.server.handle(self.now(), input);
            self.drain();
            true
        });
    }

    fn drain(&mut self) {
        for _ in 0..1 << 16 {
            match self.server.poll() {
                ServerOutput::Transmit(link, bytes) => self.listen(link, &bytes),
                ServerOutput::Close(link) => {
                    let slot = self.slot(link).expect("only open sockets are closed");
                    self.clients[slot] = None;
                }
                ServerOutput::Event(event) => self.hear(event),
                ServerOutput::Timeout(_) => return,
            }
        }
        panic!("outputs without end");
    }

    fn hear(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::KeyWanted { auth_key_id, .. } => {
                let key = (auth_key_id == auth_key().id()).then(auth_key);
                self.server.provide_key(self.now(), auth_key_id, key);
            }
            ServerEvent::Request { session, msg_id, link, .. } => {
                assert!(self.slot(link).is_some(), "a request from a socket that is closed");
                self.requests.push((session, msg_id));
            }
            _ => {}
        }
    }

    fn slot(&self, link: LinkId) -> Option<usize> {
        self.clients.iter().position(|client| client.as_ref().is_some_and(|c| c.link == link))
    }

    fn listen(&mut self, link: LinkId, bytes: &Bytes) {
        let slot = self.slot(link).expect("bytes for an open socket");
        let Some(client) = &mut self.clients[slot] else { return };
        client.input.extend_from_slice(bytes);
        loop {
            let frame = client.transport.receive(&mut client.input).expect("sound frames");
            let Some(frame) = frame else { return };
            if let Frame::Packet { payload, .. } = frame
                && let Ok(opened) = packet::open(&auth_key(), Side::Server, payload)
            {
                self.salt = opened.header.salt;
            }
        }
    }

    /// A packet whose envelope is right unless the script wants otherwise.
    fn seal(&mut self, script: &mut Script<'_>) -> Vec<u8> {
        let wish = script.byte();
        self.serial += 1;
        let time = self.now().unix.as_secs() as i64;
        let header = Header {
            salt: if wish & 1 == 0 { self.salt } else { script.long() },
            session_id: i64::from(wish & 2) + 1,
            msg_id: match wish & 48 {
                48 => script.long(),
                _ => time << 32 | self.serial << 2,
            },
            seqno: if wish & 64 == 0 { 1 } else { script.int() },
        };
        let mut body = Vec::new();
        if let Some(constructor) = CONSTRUCTORS.get(usize::from(script.byte())) {
            body.extend_from_slice(&constructor.to_le_bytes());
        }
        body.extend_from_slice(&script.body());
        let mut drafts = [Draft::new(&header, &body, &mut self.rng)];
        packet::seal(&auth_key(), Side::Client, &mut drafts);
        drafts[0].as_bytes().to_vec()
    }
}

/// msg_container, gzip_packed, msgs_ack, ping, ping_delay_disconnect, get_future_salts,
/// destroy_session, rpc_drop_answer, msgs_state_req, msg_resend_req, destroy_auth_key, http_wait.
const CONSTRUCTORS: &[u32] = &[
    0x73f1_f8dc,
    0x3072_cfa1,
    0x62d6_b459,
    0x7abe_77ec,
    0xf342_7b8c,
    0xb921_bd04,
    0xe751_2126,
    0x58e4_a740,
    0xda69_fb52,
    0x7d86_1a08,
    0xd143_5160,
    0x9299_359f,
];
