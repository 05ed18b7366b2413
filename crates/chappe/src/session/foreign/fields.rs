//! What the formats have in common: base64, and fields that are taken from the front.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::Flaw;

/// Bytes that are wiped, with room so that growing leaves no copy behind.
pub(super) type Buffer = Zeroizing<Vec<u8>>;

pub(super) fn buffer() -> Buffer {
    Zeroizing::new(Vec::with_capacity(ROOM))
}

/// Reads base64 of either alphabet, padded or not.
pub(super) fn decode(text: &str) -> Result<Buffer, Flaw> {
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 || text.len() > LONGEST {
        return Err(Flaw::Base64);
    }
    let digits = digits.bytes().map(|digit| match digit {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    });
    let digits = Zeroizing::new(digits.collect::<Vec<_>>());
    let mut out = Zeroizing::new(vec![0; digits.len()]);
    let length = Base64UrlUnpadded::decode(&*digits, &mut out).map_err(|_| Flaw::Base64)?.len();
    out.truncate(length);
    Ok(out)
}

/// The alphabet for URLs, not padded.
pub(super) fn encode_url(bytes: &[u8]) -> Buffer {
    encode::<Base64UrlUnpadded>(bytes)
}

/// The standard alphabet, padded.
pub(super) fn encode_standard(bytes: &[u8]) -> Buffer {
    encode::<Base64>(bytes)
}

fn encode<E: Encoding>(bytes: &[u8]) -> Buffer {
    let mut out = Zeroizing::new(vec![0; E::encoded_len(bytes)]);
    // It has the length that was computed for it.
    let length = E::encode(bytes, &mut out).map_or(0, str::len);
    out.truncate(length);
    out
}

/// Takes fields from the front.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let (front, rest) = self.0.split_first_chunk().ok_or(Flaw::TooShort)?;
        self.0 = rest;
        Ok(*front)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Flaw> {
        let (front, rest) = self.0.split_at_checked(length).ok_or(Flaw::TooShort)?;
        self.0 = rest;
        Ok(front)
    }

    /// An auth key, to be wiped by whoever takes it.
    pub(super) fn key(&mut self) -> Result<Zeroizing<[u8; 256]>, Flaw> {
        let key = self.bytes(256)?;
        <[u8; 256]>::try_from(key).map(Zeroizing::new).map_err(|_| Flaw::TooShort)
    }

    /// One byte, 0 or 1.
    pub(super) fn flag(&mut self, otherwise: &'static str) -> Result<bool, Flaw> {
        match self.take()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Flaw::Field(otherwise)),
        }
    }

    /// A string of TL, which ends where a word of four bytes ends.
    /// See core.telegram.org/mtproto/serialize#base-types.
    pub(super) fn tl_bytes(&mut self) -> Result<&'a [u8], Flaw> {
        let (length, head) = match self.take()? {
            [255] => return Err(Flaw::Field("a length in it is none")),
            [254] => {
                let [a, b, c] = self.take()?;
                (u32::from_le_bytes([a, b, c, 0]) as usize, 4)
            }
            [short] => (usize::from(short), 1),
        };
        let bytes = self.bytes(length)?;
        let padding = (head + length).next_multiple_of(4) - head - length;
        if self.bytes(padding)?.iter().any(|byte| *byte != 0) {
            return Err(Flaw::Field("there is something in the space between its fields"));
        }
        Ok(bytes)
    }

    pub(super) fn end(self) -> Result<(), Flaw> {
        if self.0.is_empty() { Ok(()) } else { Err(Flaw::Trailing) }
    }
}

/// Writes a string of TL.
pub(super) fn write_tl_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let head = match u8::try_from(bytes.len()) {
        Ok(short) if short < 254 => {
            out.push(short);
            1
        }
        _ => {
            let [a, b, c, ..] = bytes.len().to_le_bytes();
            out.extend_from_slice(&[254, a, b, c]);
            4
        }
    };
    out.extend_from_slice(bytes);
    let length = head + bytes.len();
    out.resize(out.len() + length.next_multiple_of(4) - length, 0);
}

/// Room for the fields of any session: a few keys at most.
const ROOM: usize = 4096;
/// No text of a session is longer.
pub(super) const LONGEST: usize = 4096;
