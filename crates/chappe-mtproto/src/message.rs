//! Messages inside of packets: ids, sequence numbers, containers, compression.
//!
//! See core.telegram.org/mtproto/description and core.telegram.org/mtproto/service_messages.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
pub use chappe_tl::service::Message;
use chappe_tl::service::{GzipPacked, MsgContainer};
use chappe_tl::{Reader, write_bytes};
use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;

/// A rule about messages that the other end broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The message belongs to another session.
    #[error("a message of another session")]
    Session,
    /// The message id has the wrong lowest bits.
    #[error("a message id of the wrong side")]
    Parity,
    /// The message id is more than 300 seconds old.
    #[error("a message that is too old")]
    Old,
    /// The message id is more than 30 seconds ahead.
    #[error("a message from the future")]
    Ahead,
    /// The message is older than all that are remembered.
    #[error("a message that is older than all that are remembered")]
    Forgotten,
    /// A container is broken, too full, or inside of another.
    #[error("a broken container")]
    Container,
    /// A compressed object is broken, too large, or inside of another.
    #[error("a broken compressed object")]
    Gzip,
    /// A service message does not decode, or lists too much.
    #[error("a broken service message")]
    Service,
    /// The server refuses whatever is sent, also with the salt or time that it just announced.
    #[error("the server refuses message after message")]
    RefusalLoop,
}

/// The constructor of a body, 0 for an empty one.
pub fn constructor(body: &[u8]) -> u32 {
    body.first_chunk().map_or(0, |id| u32::from_le_bytes(*id))
}

/// The ids of the messages that one side creates: strictly increasing.
#[derive(Debug, Default)]
pub struct MessageIds {
    last: i64,
}

impl MessageIds {
    /// Makes the id of the next message. `time` is the server's; the lowest two bits are `low`.
    ///
    /// See core.telegram.org/mtproto/description#message-identifier-msg-id.
    pub fn next(&mut self, time: Duration, low: Low) -> i64 {
        let mut id = at(time) & !3;
        // An id whose lower half is zero counts as that of a broken generator.
        if id & 0xffff_ffff == 0 {
            id |= 4;
        }
        id = id.max(self.last.saturating_add(4));
        self.last = id;
        id | low as i64
    }

    /// The id that was made last, without its lowest two bits.
    pub(crate) fn last(&self) -> i64 {
        self.last
    }
}

/// The lowest two bits of a message id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Low {
    /// Of the client.
    Client = 0,
    /// Of the server, in answer to a message of the client.
    Answer = 1,
    /// Of the server, by itself.
    Push = 3,
}

/// Where a message id lies against the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// More than 300 seconds old.
    Old,
    /// Within the window.
    Fresh,
    /// More than 30 seconds ahead.
    Ahead,
}

/// Compares a message id with the server's time.
pub fn age(msg_id: i64, time: Duration) -> Age {
    let sent = u64::try_from(msg_id >> 32).unwrap_or(0);
    if sent > time.saturating_add(AHEAD).as_secs() {
        Age::Ahead
    } else if sent < time.saturating_sub(OLD).as_secs() {
        Age::Old
    } else {
        Age::Fresh
    }
}

/// The sequence numbers of the messages that one side creates.
///
/// See core.telegram.org/mtproto/description#message-sequence-number-msg-seqno.
#[derive(Debug, Default)]
pub struct SequenceNumbers {
    content: i32,
}

impl SequenceNumbers {
    /// Makes the number of the next message; `content` if the other side is to acknowledge it.
    pub fn next(&mut self, content: bool) -> i32 {
        let number = self.content.wrapping_mul(2);
        if content {
            self.content = self.content.wrapping_add(1);
            number | 1
        } else {
            number
        }
    }
}

/// Whether a message is to be acknowledged.
pub fn is_content(seqno: i32) -> bool {
    seqno & 1 == 1
}

/// The ids of received messages with what is known about each, up to a limit.
///
/// What is older than all of a full window counts as received before: nobody could tell.
///
/// Ids nearly always come in their order, so that one ring holds them: a tree would leave its
/// nodes all over the memory, for as long as the session lives.
#[derive(Debug)]
pub struct Window<T> {
    /// In the order of the ids.
    seen: VecDeque<(i64, T)>,
    limit: usize,
    forgotten: Option<i64>,
}

/// What a [`Window`] says about an id.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen<'a, T> {
    /// It was not received.
    New,
    /// It was received.
    Before(&'a T),
    /// It is older than all that are remembered.
    Forgotten,
}

impl<T> Window<T> {
    /// Makes an empty window that remembers this many ids.
    pub fn new(limit: usize) -> Self {
        Self { seen: VecDeque::new(), limit, forgotten: None }
    }

    /// Looks an id up.
    pub fn look(&self, msg_id: i64) -> Seen<'_, T> {
        match self.find(msg_id).ok().and_then(|place| self.seen.get(place)) {
            Some((_, state)) => Seen::Before(state),
            None if self.forgotten.is_some_and(|low| msg_id <= low) => Seen::Forgotten,
            None => Seen::New,
        }
    }

    /// Remembers an id; may forget the oldest.
    pub fn insert(&mut self, msg_id: i64, state: T) -> Option<(i64, T)> {
        match self.find(msg_id) {
            Ok(place) => {
                if let Some((_, known)) = self.seen.get_mut(place) {
                    *known = state;
                }
            }
            Err(place) => self.seen.insert(place, (msg_id, state)),
        }
        if self.seen.len() <= self.limit {
            return None;
        }
        let oldest = self.seen.pop_front();
        self.forgotten = oldest.as_ref().map(|(id, _)| *id).max(self.forgotten);
        oldest
    }

    /// What is known about an id, to be changed.
    pub fn get_mut(&mut self, msg_id: i64) -> Option<&mut T> {
        let place = self.find(msg_id).ok()?;
        self.seen.get_mut(place).map(|(_, state)| state)
    }

    /// The nearest received ids on both sides of an id that was not received.
    pub fn neighbours(&self, msg_id: i64) -> [Option<&T>; 2] {
        let (Ok(place) | Err(place)) = self.find(msg_id);
        let before = place.checked_sub(1).and_then(|before| self.seen.get(before));
        [before, self.seen.get(place)].map(|seen| seen.map(|(_, state)| state))
    }

    /// How many ids are remembered.
    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    /// The highest received id.
    pub fn highest(&self) -> Option<i64> {
        self.seen.back().map(|(id, _)| *id)
    }

    /// All remembered ids and states.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &T)> {
        self.seen.iter().map(|(id, state)| (*id, state))
    }

    /// The place of an id, or the one where it would stand.
    fn find(&self, msg_id: i64) -> Result<usize, usize> {
        // The newest is asked for most.
        match self.seen.back() {
            Some((newest, _)) if *newest < msg_id => Err(self.seen.len()),
            _ => self.seen.binary_search_by_key(&msg_id, |(id, _)| *id),
        }
    }
}

/// Whether a body is a container.
pub fn is_container(body: &[u8]) -> bool {
    constructor(body) == MsgContainer::ID
}

/// Takes the messages out of the body of a container.
///
/// # Errors
/// [`MessageError::Container`] when the whole container is to be refused: too many messages, one
/// that does not fit, whose length is no multiple of 4, or that is a container itself.
pub fn unpack_container(mut body: Bytes) -> Result<Vec<Message>, MessageError> {
    const BROKEN: MessageError = MessageError::Container;
    let kind = body.try_get_u32_le().map_err(|_| BROKEN)?;
    let count = body.try_get_u32_le().map_err(|_| BROKEN)?;
    let count = usize::try_from(count).map_err(|_| BROKEN)?;
    if kind != MsgContainer::ID || count > MAX_MESSAGES {
        return Err(BROKEN);
    }
    let mut messages = Vec::with_capacity(count);
    for _ in 0..count {
        let msg_id = body.try_get_i64_le().map_err(|_| BROKEN)?;
        let seqno = body.try_get_i32_le().map_err(|_| BROKEN)?;
        let length = body.try_get_u32_le().map_err(|_| BROKEN)?;
        let length = usize::try_from(length).map_err(|_| BROKEN)?;
        if !length.is_multiple_of(4) || length > body.len() {
            return Err(BROKEN);
        }
        let message = Message { msg_id, seqno, body: body.split_to(length) };
        if is_container(&message.body) {
            return Err(BROKEN);
        }
        messages.push(message);
    }
    if body.is_empty() { Ok(messages) } else { Err(BROKEN) }
}

/// Unpacks `gzip_packed`; any other body is passed through.
///
/// Observed: mtcute writes the zlib form of the stream (RFC 1950) where the documentation says
/// gzip, and is served; TDLib reads both, too.
///
/// # Errors
/// [`MessageError::Gzip`] for a broken stream, one that unpacks to more than 16 MiB or to
/// suspiciously many times its size, and one with another compressed object or a container inside.
pub fn inflate(body: Bytes) -> Result<Bytes, MessageError> {
    inflate_up_to(MAX_INFLATED, body)
}

/// Unpacks `gzip_packed` as [`inflate`] does, if it unpacks to no more than so many bytes.
pub(crate) fn inflate_up_to(most: usize, body: Bytes) -> Result<Bytes, MessageError> {
    if constructor(&body) != GzipPacked::ID {
        return Ok(body);
    }
    let mut reader = Reader::new(&body);
    let packed = reader
        .u32()
        .and_then(|_| reader.blob())
        .and_then(|packed| reader.finish().map(|()| packed))
        .map_err(|_| MessageError::Gzip)?;
    let limit = packed.len().saturating_mul(MAX_RATIO).clamp(FREE_INFLATED, MAX_INFLATED).min(most);
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut out = Vec::new();
    let stream: Box<dyn Read + '_> = if packed.starts_with(&GZIP_MAGIC) {
        Box::new(GzDecoder::new(packed))
    } else {
        Box::new(ZlibDecoder::new(packed))
    };
    let read = stream.take(limit + 1).read_to_end(&mut out);
    let inflated = read.ok().and_then(|length| u64::try_from(length).ok());
    if inflated.is_none_or(|length| length > limit)
        || [GzipPacked::ID, MsgContainer::ID].contains(&constructor(&out))
    {
        return Err(MessageError::Gzip);
    }
    Ok(out.into())
}

/// Packs a body into `gzip_packed` if that makes it smaller by a tenth.
///
/// Short bodies are not tried. Of long ones a kilobyte of the middle is tried first: parts of
/// pictures and videos do not shrink. Observed: TDLib does so too.
pub fn deflate(body: &[u8]) -> Option<Bytes> {
    if body.len() < MIN_DEFLATED {
        return None;
    }
    if body.len() >= PROBED {
        let middle = body.len() / 2;
        let sample = body.get(middle..middle + PROBE)?;
        if gzip(sample)?.len() * 10 > PROBE * 9 {
            return None;
        }
    }
    let packed = gzip(body)?;
    if (packed.len() + 12) * 10 > body.len() * 9 {
        return None;
    }
    Some(gzip_packed(&packed))
}

/// Compresses a body even if that makes it longer.
pub(crate) fn deflate_anyhow(body: &[u8]) -> Option<Bytes> {
    Some(gzip_packed(&gzip(body)?))
}

fn gzip_packed(packed: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(packed.len() + 12);
    out.put_u32_le(GzipPacked::ID);
    write_bytes(&mut out, packed);
    out.into()
}

fn gzip(data: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(data.len() / 2), Compression::fast());
    encoder.write_all(data).ok()?;
    encoder.finish().ok()
}

/// The message id of a moment.
fn at(time: Duration) -> i64 {
    let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
    let seconds = i64::try_from(time.as_secs() & 0x7fff_ffff).unwrap_or(0);
    (seconds << 32) | i64::try_from(fraction).unwrap_or(0)
}

/// The most messages in one container.
pub const MAX_MESSAGES: usize = 1024;

/// The most ids in one list of a service message.
pub const MAX_IDS: usize = 8192;

/// What a container adds to each message in it, in bytes.
pub const OVERHEAD: usize = 16;

const OLD: Duration = Duration::from_secs(300);
const AHEAD: Duration = Duration::from_secs(30);

/// What a gzip stream begins with (RFC 1952); no zlib stream does.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// No object may unpack to more, in bytes.
const MAX_INFLATED: usize = 16 * 1024 * 1024;

/// No object above [`FREE_INFLATED`] may unpack to more than this many times its size.
const MAX_RATIO: usize = 256;

/// Any object may unpack to this much, in bytes.
const FREE_INFLATED: usize = 1024 * 1024;

/// Shorter bodies are not worth the work, in bytes.
const MIN_DEFLATED: usize = 256;

/// Bodies from here on are probed first, in bytes.
const PROBED: usize = 16 * 1024;
const PROBE: usize = 1024;

#[cfg(test)]
mod tests;
