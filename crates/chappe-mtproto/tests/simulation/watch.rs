//! What is watched on the way: the rules that each side's messages obey.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use chappe_crypto::{AuthKey, Side};
use chappe_mtproto::message::{self, MAX_IDS, Message, is_content};
use chappe_mtproto::packet;
use chappe_tl::Decode;
use chappe_tl::service::types;

/// What one side of one session sent so far.
#[derive(Debug, Default)]
pub struct Ledger {
    last: i64,
    /// Every message but containers, by its id.
    messages: BTreeMap<i64, (i32, Bytes)>,
}

/// A packet that was looked into.
#[derive(Debug)]
pub struct Seen {
    pub session_id: i64,
    pub msg_id: i64,
    /// The messages of it, containers opened, with those that went out before.
    pub messages: Vec<Message>,
}

/// Opens a packet of one side and checks it against what that side sent before in its session.
pub fn watch(
    key: &AuthKey,
    side: Side,
    packet: bytes::BytesMut,
    ledgers: &mut BTreeMap<i64, Ledger>,
) -> Result<Seen, String> {
    let size = packet.len();
    if size > LIMIT {
        return Err(format!("a packet of {size} bytes"));
    }
    let opened = packet::open(key, side, packet).map_err(|error| format!("a packet: {error}"))?;
    let header = opened.header;
    let ledger = ledgers.entry(header.session_id).or_default();
    let outer = Message { msg_id: header.msg_id, seqno: header.seqno, body: opened.body };
    let msg_id = outer.msg_id;
    let messages = if message::is_container(&outer.body) {
        let inner = message::unpack_container(outer.body.clone())
            .map_err(|error| format!("a container: {error}"))?;
        if inner.is_empty() || is_content(outer.seqno) {
            return Err(format!("an impossible container {msg_id:x}"));
        }
        for message in &inner {
            if message.msg_id >= msg_id {
                return Err(format!("{:x} is inside of {msg_id:x}", message.msg_id));
            }
            ledger.take(side, message, true)?;
        }
        ledger.advance(side, msg_id)?;
        inner
    } else {
        ledger.take(side, &outer, false)?;
        vec![outer]
    };
    Ok(Seen { session_id: header.session_id, msg_id, messages })
}

/// A line of the trace about a packet.
pub fn describe(time: Duration, way: &str, seen: &Seen) -> String {
    let messages: Vec<String> = seen
        .messages
        .iter()
        .map(|message| {
            let constructor = message::constructor(&message.body);
            format!("{:x}/{}={constructor:08x}", message.msg_id, message.seqno)
        })
        .collect();
    let session = seen.session_id & 0xffff;
    format!(
        "{:>12.6} {way} session {session:04x} packet {:x}: {}",
        time.as_secs_f64(),
        seen.msg_id,
        messages.join(" ")
    )
}

impl Ledger {
    /// The ids that were used, the newest last.
    pub fn ids(&self) -> Vec<i64> {
        self.messages.keys().copied().collect()
    }

    fn take(&mut self, side: Side, message: &Message, inside: bool) -> Result<(), String> {
        let Message { msg_id, seqno, body } = message;
        if let Some((number, before)) = self.messages.get(msg_id) {
            return if !inside {
                Err(format!("{msg_id:x} was sent a second time, and not in a container"))
            } else if (number, before) != (seqno, body) {
                Err(format!("{msg_id:x} was sent a second time with something else in it"))
            } else {
                Ok(())
            };
        }
        self.advance(side, *msg_id)?;
        if message::constructor(body) == types::MsgsAck::ID {
            let acks = types::MsgsAck::from_bytes(body).map_err(|_| "a broken msgs_ack")?;
            if acks.msg_ids.is_empty() || acks.msg_ids.len() > MAX_IDS || is_content(*seqno) {
                return Err(format!("an impossible msgs_ack of {}", acks.msg_ids.len()));
            }
        }
        self.messages.insert(*msg_id, (*seqno, body.clone()));
        Ok(())
    }

    fn advance(&mut self, side: Side, msg_id: i64) -> Result<(), String> {
        let low = msg_id & 3;
        let right = match side {
            Side::Client => low == 0,
            Side::Server => low & 1 == 1,
        };
        if !right {
            return Err(format!("{msg_id:x} is of the wrong side"));
        }
        // A server's refusals overtake what waits for a packet.
        if side == Side::Client && msg_id <= self.last {
            return Err(format!("{msg_id:x} is not higher than {:x}", self.last));
        }
        self.last = self.last.max(msg_id);
        Ok(())
    }
}

/// Servers refuse larger packets, in bytes.
const LIMIT: usize = 1024 * 1024 + 1024;
