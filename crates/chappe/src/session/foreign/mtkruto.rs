//! The auth string of MTKruto: base64 for URLs, not padded, of
//!
//! | bytes | what, as TL writes it |
//! |---|---|
//! | | the data centre (string): its number, and `-test` behind it for the servers for tests |
//! | 260 | the auth key, as bytes |
//! | 4 | api id |
//! | 1 | 1 for a bot |
//! | 8 | user id |
//!
//! in which zeros are run-length encoded: a zero and how many there are. It says no address.
//!
//! Older versions end behind the key, or behind the api id. Observed: today's MTKruto refuses
//! those; `@mtcute/convert` 0.29 writes the shortest.

use super::{
    Buffer, Flaw, Foreign, ForeignError, Format,
    fields::{self, Fields, LONGEST, write_tl_bytes},
};

pub(super) fn read(text: &str) -> Result<Foreign, Flaw> {
    let bytes = unpack(&fields::decode(text)?)?;
    let mut fields = Fields(&bytes);
    let centre = std::str::from_utf8(fields.tl_bytes()?).map_err(|_| Flaw::DcId)?;
    let (number, test) = match centre.strip_suffix("-test") {
        Some(number) => (number, true),
        None => (centre, false),
    };
    // One number has one way to be written: no sign, no leading zero.
    let dc_id = number.parse().ok().filter(|dc_id: &i32| dc_id.to_string() == number);
    let key = fields.tl_bytes()?;
    if key.len() != 256 {
        return Err(Flaw::length(key.len(), "a key of 256 bytes"));
    }
    let mut session = Foreign::checked(dc_id.ok_or(Flaw::DcId)?, &*Fields(key).key()?)?;
    session.test = Some(test);
    if !fields.0.is_empty() {
        session.set_api_id(u32::from_le_bytes(fields.take()?).into())?;
    }
    if !fields.0.is_empty() {
        let bot = fields.flag("it does not say whether it is a bot")?;
        session.set_user(u64::from_le_bytes(fields.take()?), bot)?;
    }
    fields.end()?;
    Ok(session)
}

pub(super) fn write(session: &Foreign, older: bool) -> Result<Buffer, ForeignError> {
    const FORMAT: Format = Format::MtKruto;
    let key = session.home_key(FORMAT)?;
    let suffix = if session.test == Some(true) { "-test" } else { "" };
    let mut out = fields::buffer();
    write_tl_bytes(&mut out, format!("{}{suffix}", session.dc_id).as_bytes());
    write_tl_bytes(&mut out, key);
    if !older {
        let (user_id, bot) = session.user(FORMAT)?;
        out.extend_from_slice(&session.api_id(FORMAT)?.to_le_bytes());
        out.push(bot.into());
        out.extend_from_slice(&user_id.to_le_bytes());
    }
    Ok(fields::encode_url(&pack(&out)))
}

/// Writes zeros as one zero and their number.
fn pack(bytes: &[u8]) -> Buffer {
    let mut out = Buffer::new(Vec::with_capacity(2 * bytes.len()));
    let mut zeros = 0_u8;
    for byte in bytes {
        if *byte == 0 && zeros < u8::MAX {
            zeros += 1;
            continue;
        }
        if zeros > 0 {
            out.extend_from_slice(&[0, zeros]);
            zeros = 0;
        }
        match *byte {
            0 => zeros = 1,
            other => out.push(other),
        }
    }
    if zeros > 0 {
        out.extend_from_slice(&[0, zeros]);
    }
    out
}

fn unpack(bytes: &[u8]) -> Result<Buffer, Flaw> {
    let mut out = Buffer::new(Vec::with_capacity(LONGEST));
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        if *byte != 0 {
            out.push(*byte);
            continue;
        }
        let zeros = bytes.next().filter(|zeros| **zeros > 0);
        let zeros = *zeros.ok_or(Flaw::Field("a run of zeros in it has no length"))?;
        let length = out.len() + usize::from(zeros);
        out.resize(length, 0);
        // Longer than any session, and than the room that was made.
        if out.len() > LONGEST - usize::from(u8::MAX) {
            return Err(Flaw::Trailing);
        }
    }
    Ok(out)
}
