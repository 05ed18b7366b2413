//! The `StringSession` of GramJS and teleproto: `1`, then standard base64 of
//!
//! | bytes | what, big endian |
//! |---|---|
//! | 1 | dc id |
//! | 2 | length of the address |
//! | n | the address without the port: numbers or a name |
//! | 2 | port |
//! | 256 | the auth key |
//!
//! Observed: GramJS 2.26.22 reads what Telethon writes, too, which it tells by its length. It
//! reads ports from 32768 up as negative numbers, writes none of them, and uses none: it dials
//! the port of its own choice.

use super::{
    Buffer, Flaw, Foreign, ForeignError, Format, address,
    fields::{self, Fields},
    telethon,
};

pub(super) fn read(text: &str) -> Result<Foreign, Flaw> {
    let rest = text.strip_prefix('1').ok_or(Flaw::Field("it does not begin with 1"))?;
    if !is_own(text)
        && let Ok(session) = telethon::read(text)
    {
        return Ok(session);
    }
    read_own(Fields(&fields::decode(rest)?))
}

/// Whether the layout is GramJS's own.
pub(super) fn is_own(text: &str) -> bool {
    let bytes = text.strip_prefix('1').and_then(|rest| fields::decode(rest).ok());
    bytes.is_some_and(|bytes| layout(Fields(&bytes)).is_ok())
}

fn read_own(fields: Fields<'_>) -> Result<Foreign, Flaw> {
    let (dc_id, address, mut key) = layout(fields)?;
    Ok(Foreign::checked(i32::from(dc_id), &*key.key()?)?.at(address))
}

/// The data centre, its address, and what has the length of a key.
fn layout(mut fields: Fields<'_>) -> Result<(u8, String, Fields<'_>), Flaw> {
    let [dc_id] = fields.take()?;
    let length = u16::from_be_bytes(fields.take()?);
    let host = fields.bytes(usize::from(length))?;
    let port = u16::from_be_bytes(fields.take()?);
    if fields.0.len() != 256 {
        let wanted = "a key of 256 bytes";
        return Err(Flaw::length(fields.0.len(), wanted));
    }
    let host = std::str::from_utf8(host).map_err(|_| Flaw::Address)?;
    Ok((dc_id, address::join(host, port)?, fields))
}

pub(super) fn write(session: &Foreign) -> Result<Buffer, ForeignError> {
    const FORMAT: Format = Format::GramJs;
    let key = session.home_key(FORMAT)?;
    let dc_id = session.byte_dc_id(FORMAT)?;
    let (host, port) = session.home_address(FORMAT)?;
    let length = u16::try_from(host.len()).ok().filter(|length| *length <= LONGEST_HOST);
    let length = length.ok_or(ForeignError::Unwritable {
        format: FORMAT,
        why: "the name of its server is longer than 100 bytes",
    })?;
    let mut out = fields::buffer();
    out.push(dc_id);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(host.as_bytes());
    out.extend_from_slice(&port.to_be_bytes());
    out.extend_from_slice(key);
    Ok(telethon::marked(&fields::encode_standard(&out)))
}

/// Observed: GramJS takes what is longer for an address of Telethon's.
const LONGEST_HOST: u16 = 100;
