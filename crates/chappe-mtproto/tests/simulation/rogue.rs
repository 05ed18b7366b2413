//! A hostile client: it holds a key of its own, hears what honest clients send, and says anything.

use bytes::{BufMut, Bytes, BytesMut};
use chappe_crypto::{AuthKey, Side};
use chappe_mtproto::message::{self, Message};
use chappe_mtproto::packet::{self, Header};
use chappe_mtproto::server::{LinkId, ServerInput};
use chappe_mtproto::transport::{Frame, Framing, Transport};
use chappe_tl::service::{self, types};
use chappe_tl::{Decode, Encode};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::chance::Chance;
use super::evil::{BOMBS, packed, random};
use super::world::{Todo, World, unix};
use crate::common::raw::{container, seal, seal_raw};

#[derive(Debug)]
pub struct Rogue {
    pub key: AuthKey,
    chance: Chance,
    link: Option<u64>,
    links: u64,
    transport: Transport,
    input: BytesMut,
    salt: i64,
    session: i64,
    ids: Vec<i64>,
    content: i32,
}

impl Rogue {
    pub fn new(key: AuthKey, seed: u64) -> Self {
        Self {
            key,
            chance: Chance::new(seed, 4),
            link: None,
            links: 0,
            transport: Transport::server(),
            input: BytesMut::new(),
            salt: 0,
            session: 1,
            ids: Vec::new(),
            content: 0,
        }
    }

    /// Whether this socket is of this client.
    pub fn has(&self, link: u64) -> bool {
        self.link == Some(link)
    }

    pub fn closed(&mut self) {
        self.link = None;
    }

    /// Learns the salt, like anybody who can read.
    pub fn received(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        while let Ok(Some(frame)) = self.transport.receive(&mut self.input) {
            let Frame::Packet { payload, .. } = frame else { continue };
            let Ok(opened) = packet::open(&self.key, Side::Server, payload) else { continue };
            let messages = message::unpack_container(opened.body.clone());
            let bodies = match messages {
                Ok(inner) => inner.into_iter().map(|message| message.body).collect(),
                Err(_) => vec![opened.body],
            };
            for body in bodies {
                if let Ok(notice) = types::BadServerSalt::from_bytes(&body) {
                    self.salt = notice.new_server_salt;
                }
            }
        }
    }

    fn id(&mut self, time: u64) -> i64 {
        let chance = &mut self.chance;
        let time = i64::try_from(time).unwrap();
        let seconds = match chance.below(30) {
            0 => time + 400,
            1 => time - 400,
            _ => time,
        };
        let low = if chance.percent(5) { chance.pick(&[1, 2, 3]) } else { 0 };
        let fresh = (seconds << 32) | i64::try_from(chance.below(1 << 32) & !3).unwrap() | low;
        if !self.ids.is_empty() && chance.percent(20) {
            return chance.pick(&self.ids);
        }
        if self.ids.len() < 64 {
            self.ids.push(fresh);
        }
        fresh
    }

    fn number(&mut self) -> i32 {
        if self.chance.percent(10) {
            return i32::try_from(self.chance.below(1000)).unwrap();
        }
        self.content += i32::from(self.chance.percent(60));
        self.content * 2 + i32::from(self.chance.percent(60))
    }

    fn ids(&mut self) -> Vec<i64> {
        let count = if self.chance.percent(5) { 9000 } else { self.chance.below(12) };
        (0..count)
            .map(|_| if self.ids.is_empty() { 5 } else { self.chance.pick(&self.ids) })
            .collect()
    }

    fn body(&mut self, time: u64, depth: u32) -> Bytes {
        let some = |rogue: &mut Self| rogue.ids().first().copied().unwrap_or(4);
        match self.chance.below(20) {
            0..4 => random(&mut self.chance),
            4 => types::MsgsAck { msg_ids: self.ids() }.to_bytes(),
            5 => service::Ping { ping_id: self.chance.long() }.to_bytes(),
            6 => {
                let disconnect_delay = self.chance.pick(&[0, -1, 1, 75, i32::MAX, i32::MIN]);
                service::PingDelayDisconnect { ping_id: 1, disconnect_delay }.to_bytes()
            }
            7 => {
                let num = self.chance.pick(&[0, 1, 64, -1, i32::MAX]);
                service::GetFutureSalts { num }.to_bytes()
            }
            8 => service::RpcDropAnswer { req_msg_id: some(self) }.to_bytes(),
            9 => {
                let session_id =
                    if self.chance.percent(50) { self.session } else { self.chance.long() };
                service::DestroySession { session_id }.to_bytes()
            }
            10 if self.chance.percent(10) => service::DestroyAuthKey {}.to_bytes(),
            10 | 11 => types::MsgsStateReq { msg_ids: self.ids() }.to_bytes(),
            12 => types::MsgResendReq { msg_ids: self.ids() }.to_bytes(),
            13 => types::MsgResendAnsReq { msg_ids: self.ids() }.to_bytes(),
            14 => self.chance.pick(&BOMBS),
            15 => {
                let mut body = self.body(time, 1).to_vec();
                body.truncate(self.chance.index(body.len() / 4 + 1) * 4);
                body.into()
            }
            16 => packed(&self.body(time, 1)),
            _ if depth == 0 => {
                let count = if self.chance.percent(3) { 1100 } else { self.chance.below(12) };
                let messages = (0..count)
                    .map(|_| Message {
                        msg_id: self.id(time),
                        seqno: self.number(),
                        body: if count > 100 {
                            random(&mut self.chance)
                        } else {
                            self.body(time, 1)
                        },
                    })
                    .collect();
                container(messages)
            }
            _ => random(&mut self.chance),
        }
    }

    /// The next packet, whatever it is.
    fn packet(&mut self, time: u64, heard: &[Vec<u8>]) -> Vec<u8> {
        match self.chance.below(20) {
            0 => packet::seal_plain(self.chance.long(), &random(&mut self.chance)),
            1 => {
                // Of a key that nobody has.
                let mut packet = random(&mut self.chance).to_vec();
                packet.resize(104, 9);
                packet
            }
            2..6 if !heard.is_empty() => self.chance.pick(heard),
            6 if !heard.is_empty() => {
                let mut packet = self.chance.pick(heard);
                let place = self.chance.index(packet.len());
                packet[place] ^= 4;
                packet
            }
            7 => {
                let header = self.header(time);
                let length = i32::try_from(self.chance.below(1 << 31)).unwrap();
                seal_raw(&self.key, Side::Client, &header, length, &[1; 64])
            }
            _ => {
                let body = self.body(time, 0);
                let header = self.header(time);
                seal(&self.key, Side::Client, &header, &body)
            }
        }
    }

    fn header(&mut self, time: u64) -> Header {
        if self.chance.percent(5) {
            self.session = i64::try_from(self.chance.below(100)).unwrap();
            self.content = 0;
        }
        let salt = if self.chance.percent(5) { self.chance.long() } else { self.salt };
        let msg_id = self.id(time);
        Header { salt, session_id: self.session, msg_id, seqno: self.number() }
    }
}

impl World {
    /// A hostile client does the next thing.
    pub(super) fn rogue(&mut self, number: usize) {
        if self.closing {
            return;
        }
        let now = self.server_now();
        let time = unix(self.time, 0).as_secs();
        let rogue = &mut self.rogues[number];
        let mut out = BytesMut::new();
        let mut rng = ChaCha20Rng::from_seed(rogue.chance.seed());
        let link = match rogue.link {
            Some(link) => link,
            None => {
                rogue.links += 1;
                let link = ROGUES + rogue.links * 16 + u64::try_from(number).unwrap();
                rogue.link = Some(link);
                rogue.input.clear();
                let framings =
                    [Framing::Abridged, Framing::Intermediate, Framing::PaddedIntermediate];
                let framing = rogue.chance.pick(&framings);
                rogue.transport = Transport::client(framing, None, &mut rng).expect("a framing");
                self.keys.insert(rogue.key.id(), rogue.key.clone());
                self.server.handle(now, ServerInput::Accepted(LinkId(link)));
                link
            }
        };
        for _ in 0..rogue.chance.range(1..=4) {
            let packet = rogue.packet(time, &self.heard);
            let quick_ack = rogue.chance.percent(10);
            // What is too large for its framing is not sent.
            let _ = rogue.transport.pack(&packet, quick_ack, &mut rng, &mut out);
        }
        if rogue.chance.percent(4) {
            out.put_slice(&random(&mut rogue.chance));
        }
        if rogue.chance.percent(5) {
            out.truncate(rogue.chance.index(out.len() + 1));
        }
        let hangs_up = rogue.chance.percent(5);
        let wait = match rogue.chance.below(10) {
            0..5 => rogue.chance.millis(0..=50),
            5..9 => rogue.chance.millis(50..=3000),
            _ => rogue.chance.seconds(1..=60),
        };
        self.server.handle(now, ServerInput::Received(LinkId(link), &mut out));
        if hangs_up {
            self.rogues[number].closed();
            self.server.handle(now, ServerInput::Closed(LinkId(link)));
        }
        self.drain_server();
        if !self.healed {
            self.plan_in(wait, Todo::Rogue(number));
        }
    }
}

/// Sockets from this number on are of hostile clients.
pub const ROGUES: u64 = 1 << 40;
