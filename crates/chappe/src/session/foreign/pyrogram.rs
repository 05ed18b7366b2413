//! The session string of Pyrogram, and of Kurigram and the others that came of it: base64 for
//! URLs, not padded. It says no address.
//!
//! | bytes, newest | older | oldest | what, big endian |
//! |---|---|---|---|
//! | 1 | 1 | 1 | dc id |
//! | 4 | - | - | api id |
//! | 1 | 1 | 1 | whether the servers are those for tests |
//! | 256 | 256 | 256 | the auth key |
//! | 8 | 8 | 4 | user id |
//! | 1 | 1 | 1 | whether it is a bot |
//!
//! That makes 362, 356 and 351 characters. Observed: Pyrogram 2.0.106 and Kurigram 2.2.26 write
//! the newest and read all three.

use super::{
    Buffer, Flaw, Foreign, ForeignError, Format,
    fields::{self, Fields},
};

pub(super) fn read(text: &str) -> Result<Foreign, Flaw> {
    let bytes = fields::decode(text)?;
    let mut fields = Fields(&bytes);
    let (has_api_id, wide) = match bytes.len() {
        NEWEST => (true, true),
        OLDER => (false, true),
        OLDEST => (false, false),
        _ => {
            let wanted = "351, 356 or 362 characters";
            return Err(Flaw::length(text.trim_end_matches('=').len(), wanted));
        }
    };
    let [dc_id] = fields.take()?;
    let api_id = if has_api_id { Some(u32::from_be_bytes(fields.take()?)) } else { None };
    let test = fields.flag("it does not say whether it is for tests")?;
    let key = fields.key()?;
    let user_id = match wide {
        true => u64::from_be_bytes(fields.take()?),
        false => u64::from(u32::from_be_bytes(fields.take()?)),
    };
    let bot = fields.flag("it does not say whether it is a bot")?;
    let mut session = Foreign::checked(i32::from(dc_id), &key)?;
    session.test = Some(test);
    session.set_user(user_id, bot)?;
    session.set_api_id(api_id.unwrap_or(0).into())?;
    Ok(session)
}

pub(super) fn write(session: &Foreign, older: bool) -> Result<Buffer, ForeignError> {
    const FORMAT: Format = Format::Pyrogram;
    let key = session.home_key(FORMAT)?;
    let (user_id, bot) = session.user(FORMAT)?;
    let mut out = fields::buffer();
    out.push(session.byte_dc_id(FORMAT)?);
    if !older {
        out.extend_from_slice(&session.api_id(FORMAT)?.to_be_bytes());
    }
    out.push(session.test.unwrap_or(false).into());
    out.extend_from_slice(key);
    out.extend_from_slice(&user_id.to_be_bytes());
    out.push(bot.into());
    Ok(fields::encode_url(&out))
}

const NEWEST: usize = 271;
const OLDER: usize = 267;
const OLDEST: usize = 263;
