//! The session string of mtcute: base64 for URLs, not padded, of
//!
//! | bytes | what, as TL writes it |
//! |---|---|
//! | 1 | version, 3 |
//! | 4 | flags: 1 it says who is signed in, 2 the servers are those for tests (by now said with the data centre), 4 there is a data centre for files |
//! | | the home data centre, as bytes |
//! | | the same with flag 4: the one for files |
//! | 12 | with flag 1: user id (long), whether it is a bot (Bool) |
//! | 260 | the auth key, as bytes |
//!
//! A data centre: version 1 or 2, dc id, flags (1 IPv6, 2 for files only, 4 for tests, since its
//! version 2), a byte each; the address without the port (string), the port (int).
//!
//! Versions 1 and 2 of the whole have a `dcOption` of the API (layer 158 and later) in its place,
//! and version 1 no data centre for files. Observed: mtcute 0.29 reads version 3 alone.

use super::{
    Buffer, Flaw, Foreign, ForeignError, Format, address,
    fields::{self, Fields, write_tl_bytes},
};

pub(super) fn read(text: &str) -> Result<Foreign, ForeignError> {
    const FORMAT: Format = Format::Mtcute;
    let flawed = |flaw| ForeignError::malformed(FORMAT, flaw);
    let bytes = fields::decode(text).map_err(flawed)?;
    let mut fields = Fields(&bytes);
    match fields.take().map_err(flawed)? {
        [version @ 1..=3] => read_version(fields, version).map_err(flawed),
        [version] => Err(ForeignError::Version { format: FORMAT, version: version.into() }),
    }
}

fn read_version(mut fields: Fields<'_>, version: u8) -> Result<Foreign, Flaw> {
    let flags = u32::from_le_bytes(fields.take()?);
    if flags & !(SELF | TEST | MEDIA) != 0 || (version == 1 && flags & MEDIA != 0) {
        return Err(Flaw::Field("it has flags that are not known"));
    }
    let centre = |fields: &mut Fields<'_>| match version {
        3 => Centre::read(Fields(fields.tl_bytes()?)),
        _ => Centre::read_api(fields),
    };
    let home = centre(&mut fields)?;
    if home.media {
        return Err(Flaw::Field("its home data centre is one for files only"));
    }
    if flags & MEDIA != 0 {
        let media = centre(&mut fields)?;
        if flags & TEST == 0 && media.test != home.test {
            return Err(Flaw::Field("its data centres are for tests and not for tests"));
        }
    }
    let user = if flags & SELF != 0 {
        let user_id = u64::from_le_bytes(fields.take()?);
        let bot = match u32::from_le_bytes(fields.take()?) {
            BOOL_FALSE => false,
            BOOL_TRUE => true,
            _ => return Err(Flaw::Field("it does not say whether it is a bot")),
        };
        Some((user_id, bot))
    } else {
        None
    };
    let key = fields.tl_bytes()?;
    fields.end()?;
    if key.len() != 256 {
        return Err(Flaw::length(key.len(), "a key of 256 bytes"));
    }
    let mut session = Foreign::checked(home.dc_id, &*Fields(key).key()?)?.at(home.address);
    session.test = Some(home.test || flags & TEST != 0);
    if let Some((user_id, bot)) = user {
        session.set_user(user_id, bot)?;
    }
    Ok(session)
}

pub(super) fn write(session: &Foreign) -> Result<Buffer, ForeignError> {
    const FORMAT: Format = Format::Mtcute;
    let key = session.home_key(FORMAT)?;
    let dc_id = session.byte_dc_id(FORMAT)?;
    let (host, port) = session.home_address(FORMAT)?;
    let mut centre = fields::buffer();
    let ipv6 = if host.contains(':') { IPV6 } else { 0 };
    let test = if session.test == Some(true) { FOR_TESTS } else { 0 };
    centre.extend_from_slice(&[CENTRE_VERSION, dc_id, ipv6 | test]);
    write_tl_bytes(&mut centre, host.as_bytes());
    centre.extend_from_slice(&i32::from(port).to_le_bytes());

    let mut out = fields::buffer();
    let user = session.user(FORMAT).ok();
    out.push(VERSION);
    out.extend_from_slice(&if user.is_some() { SELF } else { 0 }.to_le_bytes());
    write_tl_bytes(&mut out, &centre);
    if let Some((user_id, bot)) = user {
        if user_id >= 1 << 53 {
            let why = "mtcute keeps user ids below 2^53";
            return Err(ForeignError::Unwritable { format: FORMAT, why });
        }
        out.extend_from_slice(&user_id.to_le_bytes());
        out.extend_from_slice(&if bot { BOOL_TRUE } else { BOOL_FALSE }.to_le_bytes());
    }
    write_tl_bytes(&mut out, key);
    Ok(fields::encode_url(&out))
}

struct Centre {
    dc_id: i32,
    address: String,
    media: bool,
    test: bool,
}

impl Centre {
    fn read(mut fields: Fields<'_>) -> Result<Self, Flaw> {
        let [version, dc_id, flags] = fields.take()?;
        if !matches!(version, 1 | CENTRE_VERSION) {
            return Err(Flaw::Field("the version of its data centre is not known"));
        }
        let host = fields.tl_bytes()?;
        let port = i32::from_le_bytes(fields.take()?);
        fields.end()?;
        let known =
            if version == CENTRE_VERSION { IPV6 | FOR_FILES | FOR_TESTS } else { IPV6 | FOR_FILES };
        if flags & !known != 0 {
            return Err(Flaw::Field("its data centre has flags that are not known"));
        }
        Self::new(dc_id.into(), host, port, flags)
    }

    /// See core.telegram.org/constructor/dcOption.
    fn read_api(fields: &mut Fields<'_>) -> Result<Self, Flaw> {
        if u32::from_le_bytes(fields.take()?) != DC_OPTION {
            return Err(Flaw::Field("its data centre is none"));
        }
        let flags = u32::from_le_bytes(fields.take()?);
        let dc_id = i32::from_le_bytes(fields.take()?);
        let host = fields.tl_bytes()?;
        let port = i32::from_le_bytes(fields.take()?);
        if flags & SECRET != 0 {
            fields.tl_bytes()?;
        }
        // The first two flags are the same ones.
        Self::new(dc_id, host, port, flags as u8 & (IPV6 | FOR_FILES))
    }

    fn new(dc_id: i32, host: &[u8], port: i32, flags: u8) -> Result<Self, Flaw> {
        let host = std::str::from_utf8(host).map_err(|_| Flaw::Address)?;
        let port = u16::try_from(port).map_err(|_| Flaw::Address)?;
        if host.contains(':') != (flags & IPV6 != 0) {
            return Err(Flaw::Address);
        }
        let (media, test) = (flags & FOR_FILES != 0, flags & FOR_TESTS != 0);
        Ok(Self { dc_id, address: address::join(host, port)?, media, test })
    }
}

const VERSION: u8 = 3;
const CENTRE_VERSION: u8 = 2;
const SELF: u32 = 1;
const TEST: u32 = 2;
const MEDIA: u32 = 4;
const IPV6: u8 = 1;
const FOR_FILES: u8 = 2;
const FOR_TESTS: u8 = 4;
/// `dcOption`, and its flag for a secret.
const DC_OPTION: u32 = 0x18b7_a10d;
const SECRET: u32 = 1 << 10;
const BOOL_FALSE: u32 = 0xbc79_9737;
const BOOL_TRUE: u32 = 0x9972_75b5;
