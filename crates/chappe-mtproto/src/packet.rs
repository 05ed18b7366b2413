//! Envelopes: the one place where messages meet the auth key.
//!
//! See core.telegram.org/mtproto/description and
//! core.telegram.org/mtproto/security_guidelines.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use chappe_crypto::{AuthKey, Side, message_key};
use chappe_tl::Encode;
use chappe_tl::service::{Message, MsgContainer};
use rand_core::CryptoRng;

use crate::message::OVERHEAD;

/// Why an envelope cannot be opened. Nothing of it may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// The packet names another auth key.
    #[error("the packet is of another auth key")]
    AuthKeyId,
    /// The packet is too short, or its encrypted part no multiple of 16 bytes.
    #[error("a packet of {0} bytes cannot be one")]
    Length(usize),
    /// The packet was damaged or forged.
    #[error("the message key does not belong to the packet")]
    MessageKey,
    /// The stated length of the message is negative, no multiple of 4, or more than there is.
    #[error("the message states an impossible length of {0} bytes")]
    MessageLength(i32),
    /// The padding is shorter than 12 or longer than 1024 bytes.
    #[error("{0} bytes of padding are not allowed")]
    Padding(usize),
}

/// What stands before the body of an encrypted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The server salt.
    pub salt: i64,
    /// The session.
    pub session_id: i64,
    /// The id of the message.
    pub msg_id: i64,
    /// The sequence number of the message.
    pub seqno: i32,
}

/// A packet that was opened and checked.
#[derive(Debug)]
pub struct Opened {
    /// What stood before the body.
    pub header: Header,
    /// The body, without the padding; shares the frame.
    pub body: Bytes,
    /// The token by which a server confirms the packet quickly.
    pub token: u32,
}

/// A packet in the making: all but the encryption.
///
/// Packets that leave together are drafted first and sealed in one call, so that the cipher may
/// work on several at once.
#[derive(Debug)]
pub struct Draft(Vec<u8>);

impl Draft {
    /// Lays a message out with room for the prefix and with random padding behind it.
    ///
    /// The length of the body must be a multiple of 4.
    pub fn new(header: &Header, body: &[u8], rng: &mut impl CryptoRng) -> Self {
        Self::padded(header, body.len(), |packet| packet.extend_from_slice(body), rng)
    }

    /// Lays a container out as [`new`](Self::new) does with its body, without making that first.
    pub fn container(header: &Header, messages: Vec<Message>, rng: &mut impl CryptoRng) -> Self {
        let length = messages.iter().map(|message| message.body.len() + OVERHEAD).sum::<usize>();
        let container = MsgContainer { messages };
        Self::padded(header, 8 + length, |packet| container.encode(packet), rng)
    }

    fn padded(
        header: &Header,
        length: usize,
        body: impl FnOnce(&mut Vec<u8>),
        rng: &mut impl CryptoRng,
    ) -> Self {
        let padding = padding_for(HEADER + length, rng);
        let mut draft = Self::layout(header, length, body, padding);
        let content = PREFIX + HEADER + length;
        rng.fill_bytes(draft.0.get_mut(content..).unwrap_or_default());
        draft
    }

    fn layout(
        header: &Header,
        length: usize,
        body: impl FnOnce(&mut Vec<u8>),
        padding: usize,
    ) -> Self {
        let whole = PREFIX + HEADER + length + padding;
        let mut packet = Vec::with_capacity(whole);
        packet.put_bytes(0, PREFIX);
        packet.put_i64_le(header.salt);
        packet.put_i64_le(header.session_id);
        packet.put_i64_le(header.msg_id);
        packet.put_i32_le(header.seqno);
        packet.put_i32_le(i32::try_from(length).unwrap_or(i32::MAX));
        body(&mut packet);
        packet.resize(whole, 0);
        Self(packet)
    }

    /// The sealed packet, as it goes to the transport.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Encrypts drafts of one key and one direction, in place. Gives the quick-ack token of each.
pub fn seal(key: &AuthKey, from: Side, drafts: &mut [Draft]) -> Vec<u32> {
    // A draft has a whole number of blocks by its making, so sealing cannot fail.
    drafts.iter_mut().filter_map(|draft| message_key::seal(key, from, &mut draft.0).ok()).collect()
}

/// Decrypts and checks a packet.
///
/// The checks run in the order of core.telegram.org/mtproto/security_guidelines; whatever fails,
/// the packet is consumed and nothing of it is shown.
///
/// # Errors
/// The first check that failed.
pub fn open(key: &AuthKey, from: Side, mut packet: BytesMut) -> Result<Opened, PacketError> {
    let whole = packet.len();
    let token = message_key::open(key, from, &mut packet).map_err(|error| match error {
        chappe_crypto::Error::AuthKeyId => PacketError::AuthKeyId,
        chappe_crypto::Error::PacketLength => PacketError::Length(whole),
        _ => PacketError::MessageKey,
    })?;
    let mut plain = packet.freeze();
    // What was opened is at least `message_key::MIN_ENCRYPTED` long, more than a header.
    plain.advance(PREFIX);
    let header = Header {
        salt: plain.get_i64_le(),
        session_id: plain.get_i64_le(),
        msg_id: plain.get_i64_le(),
        seqno: plain.get_i32_le(),
    };
    let stated = plain.get_i32_le();
    let length = usize::try_from(stated)
        .ok()
        .filter(|length| length.is_multiple_of(4) && *length <= plain.len())
        .ok_or(PacketError::MessageLength(stated))?;
    let padding = plain.len() - length;
    if !(MIN_PADDING..=MAX_PADDING).contains(&padding) {
        return Err(PacketError::Padding(padding));
    }
    plain.truncate(length);
    Ok(Opened { header, body: plain, token })
}

/// The key that a packet is for, 0 for a plain one.
pub fn auth_key_id(packet: &[u8]) -> Option<i64> {
    packet.first_chunk().map(|id| i64::from_le_bytes(*id))
}

/// Lays out a message that is not encrypted, as the key exchange needs it.
pub fn seal_plain(msg_id: i64, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len()).unwrap_or(i32::MAX);
    [&0i64.to_le_bytes(), msg_id.to_le_bytes().as_slice(), &length.to_le_bytes(), body].concat()
}

/// Takes the body out of a message that is not encrypted.
///
/// Neither its id is looked at nor what lies behind the stated length.
/// Observed: TDLib sends the id 0 and random bytes behind the request.
///
/// # Errors
/// A length that cannot be.
pub fn open_plain(packet: BytesMut) -> Result<Bytes, PacketError> {
    let mut rest = packet.freeze();
    let whole = rest.len();
    if whole < PLAIN {
        return Err(PacketError::Length(whole));
    }
    if rest.get_i64_le() != 0 {
        return Err(PacketError::AuthKeyId);
    }
    rest.advance(8);
    let stated = rest.get_i32_le();
    let length = usize::try_from(stated)
        .ok()
        .filter(|length| *length <= rest.len())
        .ok_or(PacketError::MessageLength(stated))?;
    rest.truncate(length);
    Ok(rest)
}

/// At least 12 bytes that fill the last block, and up to seven blocks more, so that lengths
/// tell less.
fn padding_for(content: usize, rng: &mut impl CryptoRng) -> usize {
    let least = MIN_PADDING + (16 - (content + MIN_PADDING) % 16) % 16;
    let mut blocks = [0];
    rng.fill_bytes(&mut blocks);
    let [blocks] = blocks;
    // Large messages get none of it: there the length says little and the bytes are many.
    if content < 1024 { least + usize::from(blocks % 8) * 16 } else { least }
}

const PREFIX: usize = message_key::PREFIX;
const HEADER: usize = 32;
const PLAIN: usize = 20;
const MIN_PADDING: usize = 12;
const MAX_PADDING: usize = 1024;

#[cfg(test)]
mod tests;
