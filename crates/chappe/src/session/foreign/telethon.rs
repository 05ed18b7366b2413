//! The `StringSession` of Telethon: `1`, then padded base64 for URLs of
//!
//! | bytes | what, big endian |
//! |---|---|
//! | 1 | dc id |
//! | 4 or 16 | the address, IPv4 or IPv6 |
//! | 2 | port |
//! | 256 | the auth key |

use std::net::IpAddr;

use super::{
    Buffer, Flaw, Foreign, ForeignError, Format, address,
    fields::{self, Fields},
};

pub(super) fn read(text: &str) -> Result<Foreign, Flaw> {
    let rest = text.strip_prefix('1').ok_or(Flaw::Field("it does not begin with 1"))?;
    // Telethon tells the two kinds of addresses apart by the length of the text.
    let is_ipv6 = match rest.len() {
        WITH_IPV4 => false,
        WITH_IPV6 => true,
        other => {
            let wanted = "353 or 369 characters";
            return Err(Flaw::length(other + 1, wanted));
        }
    };
    let bytes = fields::decode(rest)?;
    let mut fields = Fields(&bytes);
    let [dc_id] = fields.take()?;
    let host: IpAddr =
        if is_ipv6 { fields.take::<16>()?.into() } else { fields.take::<4>()?.into() };
    let port = u16::from_be_bytes(fields.take()?);
    let address = address::join(&host.to_string(), port)?;
    let key = fields.key()?;
    fields.end()?;
    Ok(Foreign::checked(i32::from(dc_id), &key)?.at(address))
}

/// Whether the text behind the mark is as long as Telethon writes it.
pub(super) const fn has_length(rest: &str) -> bool {
    matches!(rest.len(), WITH_IPV4 | WITH_IPV6)
}

pub(super) fn write(session: &Foreign) -> Result<Buffer, ForeignError> {
    const FORMAT: Format = Format::Telethon;
    let key = session.home_key(FORMAT)?;
    let mut out = fields::buffer();
    out.push(session.byte_dc_id(FORMAT)?);
    let (host, port) = session.home_ip(FORMAT)?;
    match host {
        IpAddr::V4(host) => out.extend_from_slice(&host.octets()),
        IpAddr::V6(host) => out.extend_from_slice(&host.octets()),
    }
    out.extend_from_slice(&port.to_be_bytes());
    out.extend_from_slice(key);
    let mut text = marked(&fields::encode_url(&out));
    while !(text.len() - 1).is_multiple_of(4) {
        text.push(b'=');
    }
    Ok(text)
}

/// Puts the mark in front, with room for padding.
pub(super) fn marked(text: &[u8]) -> Buffer {
    let mut out = Buffer::new(Vec::with_capacity(text.len() + 4));
    out.push(b'1');
    out.extend_from_slice(text);
    out
}

/// Characters behind the mark, the padding among them.
const WITH_IPV4: usize = 352;
const WITH_IPV6: usize = 368;
