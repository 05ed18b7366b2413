//! Obfuscation of a stream: 64 random-looking bytes that carry two AES-CTR keys, then ciphered bytes.
//!
//! It hides the protocol from simple filters and is no security: the keys travel in the clear.
//!
//! See core.telegram.org/mtproto/mtproto-transports#transport-obfuscation.

use std::fmt;

use chappe_crypto::aes::Ctr;
use chappe_crypto::sha256;
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Framing, TransportError};

/// The obfuscation of a client's stream.
#[derive(Clone, Debug, Default)]
pub struct Obfuscation {
    /// The data center to reach; it matters to proxies only. Test ones are 10000 more, media ones negative.
    pub dc_id: i16,
    /// The secret of a proxy or of a `dcOption`, which both keys are mixed with.
    pub secret: Option<Secret>,
}

/// The 16-byte secret of a proxy or of a `dcOption`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 16]);

impl Secret {
    /// Wraps the bytes of a secret.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Bytes of the header that opens an obfuscated stream.
pub(super) const HEADER: usize = 64;

/// The ciphers of both directions, seen from one side.
pub(super) struct Streams {
    incoming: Ctr,
    outgoing: Ctr,
}

impl Streams {
    /// Deciphers received bytes in place.
    pub(super) fn incoming(&mut self, bytes: &mut [u8]) {
        self.incoming.apply(bytes);
    }

    /// Enciphers bytes to send in place.
    pub(super) fn outgoing(&mut self, bytes: &mut [u8]) {
        self.outgoing.apply(bytes);
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streams(..)")
    }
}

/// What a received header holds.
pub(super) struct Opened {
    pub(super) framing: Framing,
    pub(super) streams: Streams,
    pub(super) dc_id: i16,
    pub(super) identity: [u8; 48],
}

/// Draws the header of a client, until it looks like no other protocol.
pub(super) fn draw(
    framing: Framing,
    obfuscation: &Obfuscation,
    rng: &mut impl CryptoRng,
) -> Result<([u8; HEADER], Streams), TransportError> {
    let tag = framing.tag().ok_or(TransportError::FullObfuscated)?;
    let mut header = [0; HEADER];
    loop {
        rng.fill_bytes(&mut header);
        if !is_forbidden(&header) {
            break;
        }
    }
    let announced = tag.into_iter().chain(obfuscation.dc_id.to_le_bytes());
    for (to, from) in header.iter_mut().skip(ANNOUNCED).zip(announced) {
        *to = from;
    }
    let (mut outgoing, incoming) = ciphers(&header, obfuscation.secret.as_ref());
    let mut ciphered = header;
    outgoing.apply(&mut ciphered);
    for (to, from) in header.iter_mut().zip(ciphered).skip(ANNOUNCED) {
        *to = from;
    }
    Ok((header, Streams { incoming, outgoing }))
}

/// Reads the header of a client.
pub(super) fn open(
    header: &[u8; HEADER],
    secret: Option<&Secret>,
) -> Result<Opened, TransportError> {
    let (mut incoming, outgoing) = ciphers(header, secret);
    let mut clear = *header;
    incoming.apply(&mut clear);
    let framing = chunk(&clear, ANNOUNCED);
    let framing = Framing::of_tag(framing).ok_or(TransportError::UnknownFraming)?;
    Ok(Opened {
        framing,
        streams: Streams { incoming, outgoing },
        dc_id: i16::from_le_bytes(chunk(&clear, ANNOUNCED + 4)),
        identity: chunk(header, IDENTITY),
    })
}

/// Makes the ciphers of both directions: first what the client sends, then what the server sends.
fn ciphers(header: &[u8; HEADER], secret: Option<&Secret>) -> (Ctr, Ctr) {
    let forth: [u8; 48] = chunk(header, IDENTITY);
    let mut back = forth;
    back.reverse();
    (cipher(&forth, secret), cipher(&back, secret))
}

fn cipher(material: &[u8; 48], secret: Option<&Secret>) -> Ctr {
    let mut key: [u8; 32] = chunk(material, 0);
    if let Some(Secret(secret)) = secret {
        key = sha256(&[&key, secret]);
    }
    Ctr::new(&key, &chunk(material, 32))
}

/// Tells whether a header would be taken for another protocol or an unobfuscated framing.
///
/// Of TLS, every record that starts a handshake is refused: some servers look at three bytes only.
fn is_forbidden(header: &[u8; HEADER]) -> bool {
    let word: [u8; 4] = chunk(header, 0);
    let second: [u8; 4] = chunk(header, 4);
    matches!(
        &word,
        [0xef, ..]
            | [0xee, 0xee, 0xee, 0xee]
            | [0xdd, 0xdd, 0xdd, 0xdd]
            | [0x16, 0x03, 0x01, _]
            | b"GET "
            | b"HEAD"
            | b"OPTI"
            | b"POST"
    ) || second == [0; 4]
}

/// Returns the `N` bytes of `bytes` from `start` on, or zeros past its end.
fn chunk<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    let mut chunk = [0; N];
    for (to, from) in chunk.iter_mut().zip(bytes.iter().skip(start)) {
        *to = *from;
    }
    chunk
}

/// Where the keys of a header begin.
const IDENTITY: usize = 8;

/// Where the framing and the data center of a header begin, ciphered.
const ANNOUNCED: usize = 56;
