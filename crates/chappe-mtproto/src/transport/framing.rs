//! The four framings: how the packets of a stream are told apart.
//!
//! See core.telegram.org/mtproto/mtproto-transports.

use bytes::{Buf, BufMut, BytesMut};

use super::{Frame, Role, TransportError};

/// How packets are cut out of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// One byte of length for small packets: the lightest.
    #[default]
    Abridged,
    /// Four bytes of length.
    Intermediate,
    /// As intermediate, with up to 15 random bytes after each packet.
    PaddedIntermediate,
    /// Length, number and CRC32 of each packet: no quick acks, never obfuscated.
    Full,
}

impl Framing {
    /// Returns the bytes that announce the framing at the start of a stream that is not obfuscated.
    pub(super) fn magic(self) -> &'static [u8] {
        match self {
            Self::Abridged => &[0xef],
            Self::Intermediate => &[0xee; 4],
            Self::PaddedIntermediate => &[0xdd; 4],
            Self::Full => &[],
        }
    }

    /// Returns the bytes that announce the framing inside an obfuscated header.
    pub(super) fn tag(self) -> Option<[u8; 4]> {
        match self {
            Self::Abridged => Some([0xef; 4]),
            Self::Intermediate => Some([0xee; 4]),
            Self::PaddedIntermediate => Some([0xdd; 4]),
            Self::Full => None,
        }
    }

    /// Returns the framing that an obfuscated header announces.
    pub(super) fn of_tag(tag: [u8; 4]) -> Option<Self> {
        [Self::Abridged, Self::Intermediate, Self::PaddedIntermediate]
            .into_iter()
            .find(|framing| framing.tag() == Some(tag))
    }
}

/// The state of one framing, for both directions.
#[derive(Debug)]
pub(super) struct Codec {
    framing: Framing,
    role: Role,
    /// Number of the next frame of the full framing to send.
    sent: u32,
    /// Number of the next frame of the full framing to receive.
    received: u32,
}

/// What was cut off the front of a stream.
pub(super) enum Cut {
    Frame(Frame),
    /// A frame that means nothing.
    Ignored,
    Incomplete,
}

/// A frame whose length is known.
struct Head {
    /// Bytes before the payload.
    before: usize,
    /// Bytes of the payload, padding included.
    payload: usize,
    /// Bytes after the payload.
    after: usize,
    quick_ack: bool,
}

impl Codec {
    pub(super) fn new(framing: Framing, role: Role) -> Self {
        Self { framing, role, sent: 0, received: 0 }
    }

    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    /// Appends one frame to `out`. Nothing is written on an error.
    pub(super) fn pack(
        &mut self,
        payload: &[u8],
        tail: &[u8],
        quick_ack: bool,
        out: &mut BytesMut,
    ) -> Result<(), TransportError> {
        let length = payload.len();
        if length == 0 || !length.is_multiple_of(4) {
            return Err(TransportError::Length(length));
        }
        let word = u32::try_from(length + tail.len())
            .ok()
            .filter(|_| length < LARGEST)
            .ok_or(TransportError::TooLarge { length, limit: LARGEST - 4 })?;
        out.reserve(length + tail.len() + 12);
        match self.framing {
            Framing::Abridged => {
                let [b0, b1, b2, _] = (word / 4).to_le_bytes();
                let flag = if quick_ack { 0x80 } else { 0 };
                if word / 4 < 0x7f {
                    out.put_u8(b0 | flag);
                } else {
                    out.put_slice(&[0x7f | flag, b0, b1, b2]);
                }
                out.put_slice(payload);
            }
            Framing::Intermediate | Framing::PaddedIntermediate => {
                out.put_u32_le(if quick_ack { word | QUICK_ACK } else { word });
                out.put_slice(payload);
                out.put_slice(tail);
            }
            Framing::Full => {
                let start = out.len();
                out.put_u32_le(word + 12);
                out.put_u32_le(self.sent);
                out.put_slice(payload);
                let crc = crc32fast::hash(out.get(start..).unwrap_or_default());
                out.put_u32_le(crc);
                self.sent = self.sent.wrapping_add(1);
            }
        }
        Ok(())
    }

    /// Appends a quick ack to `out`; the full framing has none.
    pub(super) fn pack_quick_ack(&self, token: u32, out: &mut BytesMut) {
        match self.framing {
            Framing::Abridged => out.put_u32(token | QUICK_ACK),
            Framing::Intermediate | Framing::PaddedIntermediate => {
                out.put_u32_le(token | QUICK_ACK);
            }
            Framing::Full => {}
        }
    }

    /// Cuts one frame off the front of `input`.
    pub(super) fn cut(
        &mut self,
        input: &mut BytesMut,
        limit: usize,
    ) -> Result<Cut, TransportError> {
        if self.role == Role::Client {
            if let Some(token) = self.quick_ack(input) {
                input.advance(4);
                return Ok(Cut::Frame(Frame::QuickAck(token)));
            }
            if self.framing == Framing::Abridged && input.first() >= Some(&0x80) {
                return Ok(Cut::Incomplete);
            }
        }
        let Some(head) = self.head(input)? else {
            return Ok(Cut::Incomplete);
        };
        self.check_length(&head, limit)?;
        let whole = head.before + head.payload + head.after;
        if input.len() < whole {
            return Ok(Cut::Incomplete);
        }
        let mut payload = input.split_to(whole);
        if self.framing == Framing::Full {
            self.check_full(&payload)?;
        }
        payload.truncate(head.before + head.payload);
        payload.advance(head.before);
        self.sort(payload, head.quick_ack)
    }

    /// Reads a quick ack at the front of a client's input.
    fn quick_ack(&self, input: &[u8]) -> Option<u32> {
        let word = *input.first_chunk::<4>()?;
        let token = match self.framing {
            Framing::Abridged => u32::from_be_bytes(word),
            Framing::Intermediate | Framing::PaddedIntermediate => u32::from_le_bytes(word),
            Framing::Full => return None,
        };
        (token & QUICK_ACK != 0).then_some(token)
    }

    /// Reads the length of the frame at the front of `input`.
    fn head(&self, input: &[u8]) -> Result<Option<Head>, TransportError> {
        let word = input.first_chunk().map(|word| u32::from_le_bytes(*word));
        let (before, payload, after, quick_ack) = match self.framing {
            Framing::Abridged => {
                let Some(first) = input.first() else { return Ok(None) };
                let quick_ack = first & 0x80 != 0;
                match (first & 0x7f, word) {
                    (0x7f, None) => return Ok(None),
                    (0x7f, Some(word)) => (4, u64::from(word >> 8) * 4, 0, quick_ack),
                    (short, _) => (1, u64::from(short) * 4, 0, quick_ack),
                }
            }
            Framing::Intermediate | Framing::PaddedIntermediate => {
                let Some(word) = word else { return Ok(None) };
                (4, u64::from(word & !QUICK_ACK), 0, word & QUICK_ACK != 0)
            }
            Framing::Full => {
                let Some(word) = word else { return Ok(None) };
                let payload = word.checked_sub(12).ok_or(TransportError::Length(0))?;
                (8, u64::from(payload), 4, false)
            }
        };
        let payload = usize::try_from(payload).unwrap_or(usize::MAX);
        Ok(Some(Head { before, payload, after, quick_ack }))
    }

    /// Checks the length of a frame before anything waits for it.
    fn check_length(&self, head: &Head, limit: usize) -> Result<(), TransportError> {
        let length = head.payload;
        let slack = if self.framing == Framing::PaddedIntermediate { PADDING } else { 0 };
        if length > limit.saturating_add(slack) {
            return Err(TransportError::TooLarge { length, limit });
        }
        if length < 4 || (slack == 0 && !length.is_multiple_of(4)) {
            return Err(TransportError::Length(length));
        }
        Ok(())
    }

    /// Checks the number and the checksum of a whole frame of the full framing.
    fn check_full(&mut self, frame: &[u8]) -> Result<(), TransportError> {
        let (covered, crc) = frame.split_last_chunk::<4>().ok_or(TransportError::Checksum)?;
        if crc32fast::hash(covered) != u32::from_le_bytes(*crc) {
            return Err(TransportError::Checksum);
        }
        let got = covered.get(4..8).and_then(|bytes| bytes.first_chunk()).copied();
        let got = got.map_or(0, u32::from_le_bytes);
        if got != self.received {
            return Err(TransportError::Sequence { expected: self.received, got });
        }
        self.received = self.received.wrapping_add(1);
        Ok(())
    }

    /// Tells packets from the short frames that are a server's transport errors.
    fn sort(&self, mut payload: BytesMut, quick_ack: bool) -> Result<Cut, TransportError> {
        let padded = self.framing == Framing::PaddedIntermediate;
        let length = payload.len();
        let shortest = if padded { 4 + PADDING + 1 } else { 16 };
        if length < shortest {
            let code = payload.first_chunk().map_or(0, |code| i32::from_le_bytes(*code));
            let token = payload.get(4..8).and_then(|bytes| bytes.first_chunk()).copied();
            return match (self.role, code, token) {
                (Role::Client, 0, _) => Ok(Cut::Ignored),
                (Role::Client, -1, Some(token)) => {
                    Ok(Cut::Frame(Frame::QuickAck(u32::from_le_bytes(token) | QUICK_ACK)))
                }
                (Role::Client, ..0, _) => Ok(Cut::Frame(Frame::Error(code))),
                _ => Err(TransportError::Length(length)),
            };
        }
        if length < PLAIN {
            return Err(TransportError::Length(length));
        }
        if padded {
            payload.truncate(unpadded(&payload));
        }
        Ok(Cut::Frame(Frame::Packet { payload, quick_ack: quick_ack && self.role == Role::Server }))
    }
}

/// Returns how many bytes of a padded packet are the packet itself.
///
/// An unencrypted message tells its own length, an encrypted one consists of 16-byte blocks.
fn unpadded(packet: &[u8]) -> usize {
    let length = packet.len();
    match packet.first_chunk::<PLAIN>() {
        Some([0, 0, 0, 0, 0, 0, 0, 0, .., l0, l1, l2, l3]) => {
            let body = u32::from_le_bytes([*l0, *l1, *l2, *l3]);
            let told = usize::try_from(body).unwrap_or(usize::MAX).saturating_add(PLAIN);
            // A length that the frame does not hold is the packet's error, not the frame's.
            if told <= length { told } else { length }
        }
        _ => length - length.saturating_sub(ENCRYPTED) % 16,
    }
}

/// Bit 31 of a length word or a quick-ack token.
const QUICK_ACK: u32 = 1 << 31;

/// Payloads stay below this size in every framing, in bytes.
const LARGEST: usize = 1 << 24;

/// The most padding after a packet of the padded framing, in bytes.
const PADDING: usize = 15;

/// Bytes before the body of an unencrypted message.
const PLAIN: usize = 20;

/// Bytes before the encrypted part of a message.
const ENCRYPTED: usize = 24;
