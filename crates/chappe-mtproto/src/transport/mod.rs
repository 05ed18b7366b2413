//! Byte streams of one connection: framings, obfuscation, quick acks and transport errors, both sides.
//!
//! A [`Transport`] turns MTProto packets into the bytes of a stream and back. The client announces its
//! framing with the first bytes it sends ([`Transport::client`]); the server recognizes it
//! ([`Transport::server`]). Bytes may arrive in pieces of any size; frames are cut and deciphered in place.
//!
//! See core.telegram.org/mtproto/mtproto-transports.

mod framing;
mod obfuscated;

#[cfg(test)]
pub(crate) mod tests;

use bytes::{Buf, BytesMut};
use rand_core::CryptoRng;

pub use self::framing::Framing;
use self::framing::{Codec, Cut};
use self::obfuscated::{HEADER, Streams};
pub use self::obfuscated::{Obfuscation, Secret};

/// The largest payload that a client waits for, in bytes.
pub const CLIENT_LIMIT: usize = 4 * 1024 * 1024 + 1024;

/// The largest payload that a server waits for, in bytes: a file part of 512 KiB fits twice.
pub const SERVER_LIMIT: usize = 1024 * 1024 + 1024;

/// Room for what a frame adds to its packet, in bytes.
pub(crate) const FRAME: usize = 32;

/// The framing of one connection, for both directions and one of the two sides.
#[derive(Debug)]
pub struct Transport {
    role: Role,
    /// The framing, once it is known.
    codec: Option<Codec>,
    streams: Option<Streams>,
    /// How many bytes at the front of the caller's input are already deciphered.
    clear: usize,
    /// The client's announcement, until it is sent.
    greeting: Option<BytesMut>,
    limit: usize,
    secret: Option<Secret>,
    header: Option<[u8; 48]>,
    announced_dc: Option<i16>,
    failed: Option<TransportError>,
}

/// What a stream of bytes held.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole MTProto packet, the padding of the transport removed.
    Packet {
        /// The packet, from its `auth_key_id` on.
        payload: BytesMut,
        /// Whether the client asks for a quick ack of it. Always `false` on the client's side.
        quick_ack: bool,
    },
    /// The server accepted the packet that has this quick-ack token (bit 31 is set). Client only.
    QuickAck(u32),
    /// The server refuses: a negative number, as -404 (unknown key), -429 (flood) or -444 (wrong DC). Client only.
    Error(i32),
}

/// Why a stream of bytes cannot be read or written any further. The connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// A frame of the full framing has a wrong CRC32.
    #[error("the checksum of a frame is wrong; close the connection")]
    Checksum,
    /// The peer speaks TLS or MTProxy's imitation of it.
    #[error("the peer starts a tls handshake; connect with plain or obfuscated mtproto")]
    FakeTls,
    /// The framing cannot be obfuscated: it has no tag.
    #[error("the full framing cannot be obfuscated; choose another one")]
    FullObfuscated,
    /// The peer speaks HTTP.
    #[error("the peer speaks http; connect with a tcp framing of mtproto")]
    Http,
    /// A frame has a length that no packet has.
    #[error("a frame of {0} bytes cannot be a packet; close the connection")]
    Length(usize),
    /// The number of a frame of the full framing is not the next one.
    #[error("frame number {got} arrived where {expected} was due; close the connection")]
    Sequence {
        /// The number that was due.
        expected: u32,
        /// The number that arrived.
        got: u32,
    },
    /// A frame is larger than this side accepts, or than the framing can carry.
    #[error("a frame of {length} bytes is larger than the limit of {limit}; close the connection")]
    TooLarge {
        /// Bytes of the payload.
        length: usize,
        /// The most that is accepted.
        limit: usize,
    },
    /// The server cannot answer before the client's first bytes tell the framing.
    #[error("the client has not announced its framing yet; wait for its first bytes")]
    Unannounced,
    /// An obfuscated header names no known framing: random bytes, or another secret.
    #[error("the first 64 bytes announce no known framing; compare the secrets of both sides")]
    UnknownFraming,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Client,
    Server,
}

impl Transport {
    /// Starts the client's side of a connection.
    ///
    /// # Errors
    /// [`TransportError::FullObfuscated`]: the full framing has no tag for an obfuscated header.
    pub fn client(
        framing: Framing,
        obfuscation: Option<Obfuscation>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, TransportError> {
        let (greeting, streams) = match obfuscation {
            Some(obfuscation) => {
                let (header, streams) = obfuscated::draw(framing, &obfuscation, rng)?;
                (BytesMut::from(header.as_slice()), Some(streams))
            }
            None => (BytesMut::from(framing.magic()), None),
        };
        Ok(Self {
            role: Role::Client,
            codec: Some(Codec::new(framing, Role::Client)),
            streams,
            greeting: Some(greeting),
            limit: CLIENT_LIMIT,
            ..Self::server()
        })
    }

    /// Starts the server's side of a connection; the framing is recognized by the client's first bytes.
    #[must_use]
    pub fn server() -> Self {
        Self {
            role: Role::Server,
            codec: None,
            streams: None,
            clear: 0,
            greeting: None,
            limit: SERVER_LIMIT,
            secret: None,
            header: None,
            announced_dc: None,
            failed: None,
        }
    }

    /// Replaces the largest payload that [`receive`](Self::receive) waits for, in bytes.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Sets the secret that the obfuscated headers of a server's clients are made with.
    #[must_use]
    pub fn with_secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Returns bytes 8 to 55 of the client's obfuscated header, once a server received it.
    ///
    /// They are random: a server that sees the same ones again, on another connection, sees a replay.
    #[must_use]
    pub fn obfuscated_header(&self) -> Option<&[u8; 48]> {
        self.header.as_ref()
    }

    /// Returns the data center that the client's obfuscated header names, once a server received it.
    ///
    /// Test data centers are 10000 more, media ones negative. Some clients put random bytes here.
    #[must_use]
    pub fn announced_dc(&self) -> Option<i16> {
        self.announced_dc
    }

    /// Returns the framing; a server knows it from the client's first bytes on.
    #[must_use]
    pub fn framing(&self) -> Option<Framing> {
        self.codec.as_ref().map(Codec::framing)
    }

    /// Appends the client's announcement to `out`, unless it was written already.
    ///
    /// [`pack`](Self::pack) does so by itself; this is for a driver that wants to be recognized sooner.
    pub fn greet(&mut self, out: &mut BytesMut) {
        if let Some(greeting) = self.greeting.take() {
            out.extend_from_slice(&greeting);
        }
    }

    /// Appends one packet to `out`, as a frame.
    ///
    /// `quick_ack` asks the server for a quick ack of it; the full framing has none and ignores the wish.
    /// `rng` feeds the padding of the padded framing.
    ///
    /// # Errors
    /// [`TransportError::Length`] and [`TransportError::TooLarge`] for what the framing cannot carry;
    /// [`TransportError::Unannounced`] for a server whose client has not spoken. Nothing is written then.
    pub fn pack(
        &mut self,
        payload: &[u8],
        quick_ack: bool,
        rng: &mut impl CryptoRng,
        out: &mut BytesMut,
    ) -> Result<(), TransportError> {
        let mut padding = [0; 16];
        let mut tail: &[u8] = &[];
        if self.framing() == Some(Framing::PaddedIntermediate) {
            rng.fill_bytes(&mut padding);
            let count = padding.last().map_or(0, |byte| usize::from(byte & 15));
            tail = padding.get(..count).unwrap_or_default();
        }
        let quick_ack = quick_ack && self.role == Role::Client;
        self.write(out, |codec, out| codec.pack(payload, tail, quick_ack, out))
    }

    /// Appends the quick ack `token` to `out`; the full framing has none, so nothing is written there.
    ///
    /// # Errors
    /// [`TransportError::Unannounced`]: the client has not spoken yet.
    pub fn pack_quick_ack(&mut self, token: u32, out: &mut BytesMut) -> Result<(), TransportError> {
        self.write(out, |codec, out| {
            codec.pack_quick_ack(token, out);
            Ok(())
        })
    }

    /// Whether packets can ask for a quick acknowledgement in this framing.
    /// See core.telegram.org/mtproto/mtproto-transports#quick-ack.
    pub fn has_quick_acks(&self) -> bool {
        self.framing().is_some_and(|framing| framing != Framing::Full)
    }

    /// Appends the transport error `code`, a negative number as -404, to `out`.
    ///
    /// # Errors
    /// [`TransportError::Unannounced`]: the client has not spoken yet.
    pub fn pack_error(&mut self, code: i32, out: &mut BytesMut) -> Result<(), TransportError> {
        self.write(out, |codec, out| codec.pack(&code.to_le_bytes(), &[], false, out))
    }

    /// Takes the next frame off the front of `input`; `None` while it is incomplete.
    ///
    /// Between two calls the caller only appends to `input`: obfuscated bytes are deciphered in place, once.
    ///
    /// # Errors
    /// Bytes that are no stream of this framing. The error is repeated from then on.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, TransportError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.next(input);
        if let Err(error) = result {
            self.failed = Some(error);
        }
        result
    }

    fn next(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, TransportError> {
        if self.codec.is_none() && !self.recognize(input)? {
            return Ok(None);
        }
        if let Some(streams) = &mut self.streams {
            if let Some(fresh) = input.get_mut(self.clear..) {
                streams.incoming(fresh);
            }
            self.clear = input.len();
        }
        let Some(codec) = &mut self.codec else {
            return Ok(None);
        };
        loop {
            let before = input.len();
            let cut = codec.cut(input, self.limit);
            self.clear = self.clear.saturating_sub(before - input.len());
            match cut? {
                Cut::Incomplete => return Ok(None),
                Cut::Ignored => {}
                Cut::Frame(frame) => return Ok(Some(frame)),
            }
        }
    }

    /// Recognizes the framing by the client's first bytes; `false` while there are too few.
    fn recognize(&mut self, input: &mut BytesMut) -> Result<bool, TransportError> {
        let (framing, taken) = match sniff(input)? {
            Sniffed::Unsure => return Ok(false),
            Sniffed::Plain(framing) => (framing, framing.magic().len()),
            Sniffed::Obfuscated(header) => {
                let opened = obfuscated::open(&header, self.secret.as_ref())?;
                self.streams = Some(opened.streams);
                self.header = Some(opened.identity);
                self.announced_dc = Some(opened.dc_id);
                (opened.framing, HEADER)
            }
        };
        input.advance(taken);
        self.codec = Some(Codec::new(framing, Role::Server));
        Ok(true)
    }

    /// Lets `fill` append to `out` and obfuscates what it appended.
    fn write(
        &mut self,
        out: &mut BytesMut,
        fill: impl FnOnce(&mut Codec, &mut BytesMut) -> Result<(), TransportError>,
    ) -> Result<(), TransportError> {
        let start = out.len();
        let codec = self.codec.as_mut().ok_or(TransportError::Unannounced)?;
        if let Some(greeting) = &self.greeting {
            out.extend_from_slice(greeting);
        }
        let body = out.len();
        if let Err(error) = fill(codec, out) {
            out.truncate(start);
            return Err(error);
        }
        self.greeting = None;
        if let (Some(streams), Some(written)) = (&mut self.streams, out.get_mut(body..)) {
            streams.outgoing(written);
        }
        Ok(())
    }
}

/// What the first bytes of a client tell.
enum Sniffed {
    Obfuscated([u8; HEADER]),
    Plain(Framing),
    Unsure,
}

/// Tells a client's framing by its first bytes.
fn sniff(input: &[u8]) -> Result<Sniffed, TransportError> {
    if input.first() == Some(&0xef) {
        return Ok(Sniffed::Plain(Framing::Abridged));
    }
    let Some(word) = input.first_chunk::<4>() else {
        return Ok(Sniffed::Unsure);
    };
    match word {
        [0xee, 0xee, 0xee, 0xee] => return Ok(Sniffed::Plain(Framing::Intermediate)),
        [0xdd, 0xdd, 0xdd, 0xdd] => return Ok(Sniffed::Plain(Framing::PaddedIntermediate)),
        b"GET " | b"HEAD" | b"OPTI" | b"POST" => return Err(TransportError::Http),
        [0x16, 0x03, 0x01, _] => return Err(TransportError::FakeTls),
        _ => {}
    }
    // The first frame of the full framing has the number 0 where an obfuscated header never has zeros.
    match input.get(4..8) {
        None => Ok(Sniffed::Unsure),
        Some([0, 0, 0, 0]) => Ok(Sniffed::Plain(Framing::Full)),
        Some(_) => {
            Ok(input.first_chunk().map_or(Sniffed::Unsure, |header| Sniffed::Obfuscated(*header)))
        }
    }
}
