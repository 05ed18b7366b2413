//! A hostile server: it holds the key, so that all it says decrypts, and says anything.

use bytes::{BufMut, Bytes, BytesMut};
use chappe_crypto::Side;
use chappe_mtproto::message::Message;
use chappe_mtproto::packet::Header;
use chappe_tl::Encode;
use chappe_tl::service::{self, GzipPacked, types};
use flate2::Compression;
use flate2::write::GzEncoder;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::io::Write;
use std::sync::LazyLock;

use super::chance::Chance;
use super::wire::Far;
use super::world::{Todo, World, unix};
use crate::common::raw::{container, seal, seal_raw};

/// The client spoke: there will be an answer of some kind.
pub fn begin(world: &mut World, link: u64) {
    let wait = world.chance.millis(0..=200);
    world.plan_in(wait, Todo::Evil(link));
}

/// Says a few things.
pub fn speak(world: &mut World, link: u64) {
    let Some(wire) = world.wires.get_mut(&link) else {
        return;
    };
    let client = wire.client;
    let Far::Evil(left) = &mut wire.far else {
        return;
    };
    if *left == 0 {
        return world.cut(link, [1000, 1000]);
    }
    *left -= 1;
    let victim = &world.clients[client];
    let (Some(key), Some(session_id)) =
        (victim.key_id.and_then(|id| world.keys.get(&id)), victim.session)
    else {
        return;
    };
    let ids = victim.ledgers.get(&session_id).map(|ledger| ledger.ids()).unwrap_or_default();
    let mut chance = Chance::new(world.chance.next(), 3);
    let time = unix(world.time, 0).as_secs();
    let tongue = Tongue { ids, time: i64::try_from(time).unwrap() };
    let body = tongue.body(&mut chance, 0);
    let msg_id = tongue.msg_id(&mut chance);
    let session_id = if chance.percent(4) { chance.long() } else { session_id };
    let seqno = i32::try_from(chance.below(50)).unwrap();
    let header = Header { salt: chance.long(), session_id, msg_id, seqno };
    let packet = match chance.below(40) {
        0 => {
            let length =
                i32::try_from(body.len()).unwrap() - i32::try_from(chance.below(64)).unwrap();
            let mut rest = body.to_vec();
            rest.resize(rest.len().div_ceil(16) * 16 + 16 * chance.index(80), 0);
            seal_raw(key, Side::Server, &header, length, &rest)
        }
        1 => (0..chance.below(200)).map(|_| chance.next().to_le_bytes()[0]).collect(),
        2 | 3 if !world.said.is_empty() => chance.pick(&world.said),
        _ => seal(key, Side::Server, &header, &body),
    };
    if world.said.len() < 32 {
        world.said.push(packet.clone());
    }
    let mut out = BytesMut::new();
    let mut rng = ChaCha20Rng::from_seed(chance.seed());
    let code = chance.pick(&[-404, -429, -429, -444, 1, -1]);
    if let Some(wire) = world.wires.get_mut(&link) {
        let packed = match chance.below(60) {
            0 => wire.mirror.pack_error(code, &mut out),
            1 => wire.mirror.pack_quick_ack(0x8000_0001, &mut out),
            _ => wire.mirror.pack(&packet, false, &mut rng, &mut out),
        };
        if packed.is_err() || chance.percent(2) {
            out.put_u64(chance.next());
        }
    }
    world.note(|| format!("evil says {msg_id:x} {:x?}", &body[..body.len().min(24)]));
    world.send(link, false, &out.freeze());
    if chance.percent(60) {
        begin(world, link);
    }
}

/// What somebody who knows the protocol can say.
#[derive(Debug)]
pub struct Tongue {
    /// Ids of the messages of the other end.
    pub ids: Vec<i64>,
    pub time: i64,
}

impl Tongue {
    /// The id of a message of the other end, or one that never was.
    fn real(&self, chance: &mut Chance) -> i64 {
        if self.ids.is_empty() || chance.percent(15) {
            return chance.long();
        }
        let last = self.ids.len().min(12);
        self.ids[self.ids.len() - 1 - chance.index(last)]
    }

    fn reals(&self, chance: &mut Chance) -> Vec<i64> {
        let count = match chance.below(20) {
            0 => 9000,
            1 => 0,
            _ => chance.below(20),
        };
        (0..count).map(|_| self.real(chance)).collect()
    }

    /// A message id of a server.
    fn msg_id(&self, chance: &mut Chance) -> i64 {
        let seconds = match chance.below(20) {
            0 => self.time + 1000,
            1 => self.time - 1000,
            2 => i64::try_from(chance.below(1 << 31)).unwrap(),
            _ => self.time,
        };
        let low = chance.pick(&[1, 1, 1, 3, 3, 3, 0, 2]);
        let low = if chance.percent(80) { low | 1 } else { low };
        (seconds << 32) | i64::try_from(chance.below(1 << 32) & !3).unwrap() | low
    }

    fn body(&self, chance: &mut Chance, depth: u32) -> Bytes {
        let body = self.message(chance, depth);
        if chance.percent(3) && body.len() > 4 {
            let length = chance.index(body.len() / 4) * 4;
            return body.slice(..length);
        }
        body
    }

    fn message(&self, chance: &mut Chance, depth: u32) -> Bytes {
        let number = |chance: &mut Chance| i32::try_from(chance.below(1 << 31)).unwrap();
        match chance.below(22) {
            0..4 => {
                let result = self.result(chance);
                service::RpcResult { req_msg_id: self.real(chance), result }.to_bytes()
            }
            4 | 5 => types::BadMsgNotification {
                bad_msg_id: self.real(chance),
                bad_msg_seqno: number(chance),
                error_code: chance.pick(&[16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64, 0, -1]),
            }
            .to_bytes(),
            6 => types::BadServerSalt {
                bad_msg_id: self.real(chance),
                bad_msg_seqno: number(chance),
                error_code: 48,
                new_server_salt: chance.long(),
            }
            .to_bytes(),
            7 => types::NewSessionCreated {
                first_msg_id: self.real(chance),
                unique_id: chance.long(),
                server_salt: chance.long(),
            }
            .to_bytes(),
            8 | 9 => types::MsgsAck { msg_ids: self.reals(chance) }.to_bytes(),
            10 => types::Pong { msg_id: self.real(chance), ping_id: chance.long() }.to_bytes(),
            11 => {
                let salts = (0..chance.below(100))
                    .map(|_| service::FutureSalt {
                        valid_since: number(chance),
                        valid_until: number(chance),
                        salt: chance.long(),
                    })
                    .collect();
                service::FutureSalts { req_msg_id: self.real(chance), now: number(chance), salts }
                    .to_bytes()
            }
            12 => types::MsgDetailedInfo {
                msg_id: self.real(chance),
                answer_msg_id: self.msg_id(chance),
                bytes: number(chance),
                status: number(chance),
            }
            .to_bytes(),
            13 => types::MsgNewDetailedInfo {
                answer_msg_id: self.msg_id(chance),
                bytes: number(chance),
                status: number(chance),
            }
            .to_bytes(),
            14 => {
                let info: Vec<u8> =
                    (0..chance.below(60)).map(|_| chance.next().to_le_bytes()[0]).collect();
                let req_msg_id = self.real(chance);
                types::MsgsStateInfo { req_msg_id, info: info.into() }.to_bytes()
            }
            15 => types::MsgsStateReq { msg_ids: self.reals(chance) }.to_bytes(),
            16 => types::MsgResendReq { msg_ids: self.reals(chance) }.to_bytes(),
            17 => {
                let msg_ids = self.reals(chance);
                let info: Vec<u8> =
                    msg_ids.iter().map(|_| chance.next().to_le_bytes()[0]).collect();
                types::MsgsAllInfo { msg_ids, info: info.into() }.to_bytes()
            }
            18 => random(chance),
            19 => packed(&self.body(chance, 1)),
            _ if depth == 0 => {
                let messages = (0..chance.below(8))
                    .map(|_| Message {
                        msg_id: self.msg_id(chance),
                        seqno: i32::try_from(chance.below(30)).unwrap(),
                        body: self.body(chance, 1),
                    })
                    .collect();
                container(messages)
            }
            _ => chance.pick(&BOMBS),
        }
    }

    fn result(&self, chance: &mut Chance) -> Bytes {
        match chance.below(8) {
            0 => chance.pick(&BOMBS),
            1 => {
                let mut broken = BytesMut::from(packed(&random(chance)));
                let place = chance.index(broken.len());
                broken[place] ^= 0x55;
                broken.freeze()
            }
            2 => packed(&packed(&random(chance))),
            3 => Bytes::new(),
            4 => {
                let error_message = "A_LIE".into();
                types::RpcError { error_code: 420, error_message }.to_bytes()
            }
            5 => self.body(chance, 1),
            _ => random(chance),
        }
    }
}

/// Small packets of much.
pub static BOMBS: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
    [10_000, 900_000, 1_100_000, 5_000_000, 17_000_000].map(|size| packed(&vec![0; size])).to_vec()
});

/// Words that mean nothing.
pub fn random(chance: &mut Chance) -> Bytes {
    let mut out = BytesMut::new();
    for _ in 0..=chance.below(20) {
        out.put_u32_le(u32::try_from(chance.next() >> 32).unwrap());
    }
    out.freeze()
}

/// A body inside of `gzip_packed`, whatever it is.
pub fn packed(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("memory");
    let packed = encoder.finish().expect("memory");
    let mut out = Vec::new();
    out.put_u32_le(GzipPacked::ID);
    chappe_tl::write_bytes(&mut out, &packed);
    out.into()
}
