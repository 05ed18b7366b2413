//! The session as bytes: version 1 of chappe's own format.
//!
//! All integers are little endian.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `CHAPPE\r\n` |
//! | 8 | 2 | version, 1 |
//! | 10 | 4 | dc id |
//! | 14 | 8 | fingerprint of the server's public key |
//! | 22 | 8 | seconds to add to the local clock to get the server's |
//! | 30 | 1 | who is signed in: 0 nobody, 1 a user, 2 a bot |
//! | 31 | 8 | the user id, or 0 |
//! | 39 | 256 | the auth key |
//! | 295 | 2 + n | the address: length, UTF-8 |
//! | | 2 + 24 n | the salts: count; then salt, valid since, valid until (unix seconds) of each |
//! | end - 32 | 32 | SHA-256 of all before |
//!
//! Whatever a later version changes, it begins with the same eight bytes and ends with the same
//! checksum, so that "damaged" and "newer" can be told apart.

use std::fmt;

use chappe_crypto::{AuthKey, sha256};
use chappe_mtproto::connection::Salt;
use zeroize::Zeroizing;

use super::{Owner, Session};
use crate::error::SessionProblem;

/// A session as bytes. They are the account: they are wiped when dropped, and `Debug` shows
/// nothing of them.
#[derive(Clone)]
pub struct SessionBytes(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for SessionBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SessionBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBytes").finish_non_exhaustive()
    }
}

pub(super) fn write(session: &Session) -> Result<SessionBytes, SessionProblem> {
    let address_len =
        u16::try_from(session.address.len()).map_err(|_| SessionProblem::Unwritable)?;
    let salts_len = u16::try_from(session.salts.len()).map_err(|_| SessionProblem::Unwritable)?;
    // Room for all of it, so that growing leaves no copy of the key behind.
    let capacity = FIXED + 4 + session.address.len() + session.salts.len() * SALT + CHECKSUM;
    let mut out = Zeroizing::new(Vec::with_capacity(capacity));
    let (kind, user_id) = match session.owner {
        None => (NOBODY, 0),
        Some(Owner { user_id, bot: false }) => (USER, user_id),
        Some(Owner { user_id, bot: true }) => (BOT, user_id),
    };
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&session.dc_id.to_le_bytes());
    out.extend_from_slice(&session.server_fingerprint.to_le_bytes());
    out.extend_from_slice(&session.time_offset.to_le_bytes());
    out.push(kind);
    out.extend_from_slice(&user_id.to_le_bytes());
    out.extend_from_slice(session.key.as_bytes());
    out.extend_from_slice(&address_len.to_le_bytes());
    out.extend_from_slice(session.address.as_bytes());
    out.extend_from_slice(&salts_len.to_le_bytes());
    for salt in &session.salts {
        out.extend_from_slice(&salt.salt.to_le_bytes());
        out.extend_from_slice(&salt.valid_since.to_le_bytes());
        out.extend_from_slice(&salt.valid_until.to_le_bytes());
    }
    let checksum = sha256(&[out.as_slice()]);
    out.extend_from_slice(&checksum);
    Ok(SessionBytes(out))
}

pub(super) fn read(input: &[u8]) -> Result<Session, SessionProblem> {
    let Some(rest) = input.strip_prefix(MAGIC) else {
        return Err(SessionProblem::NotASession);
    };
    let split = rest.len().checked_sub(CHECKSUM).ok_or(SessionProblem::Damaged)?;
    let (body, checksum) = rest.split_at(split);
    let (covered, _) = input.split_at(MAGIC.len() + split);
    if sha256(&[covered]).as_slice() != checksum {
        return Err(SessionProblem::Damaged);
    }
    let mut fields = Fields(body);
    let version = u16::from_le_bytes(fields.take()?);
    if version != VERSION {
        return Err(SessionProblem::Newer { version });
    }
    let dc_id = i32::from_le_bytes(fields.take()?);
    let server_fingerprint = i64::from_le_bytes(fields.take()?);
    let time_offset = i64::from_le_bytes(fields.take()?);
    let [kind] = fields.take()?;
    let user_id = i64::from_le_bytes(fields.take()?);
    let owner = match kind {
        NOBODY if user_id == 0 => None,
        USER => Some(Owner { user_id, bot: false }),
        BOT => Some(Owner { user_id, bot: true }),
        _ => return Err(SessionProblem::Damaged),
    };
    let key = Zeroizing::new(fields.take::<256>()?);
    let address_len = u16::from_le_bytes(fields.take()?);
    let address = std::str::from_utf8(fields.bytes(usize::from(address_len))?)
        .map_err(|_| SessionProblem::Damaged)?
        .to_owned();
    let salts_len = u16::from_le_bytes(fields.take()?);
    let mut salts = Vec::new();
    for _ in 0..salts_len {
        salts.push(Salt {
            salt: i64::from_le_bytes(fields.take()?),
            valid_since: i64::from_le_bytes(fields.take()?),
            valid_until: i64::from_le_bytes(fields.take()?),
        });
    }
    if !fields.0.is_empty() {
        return Err(SessionProblem::Damaged);
    }
    let key = AuthKey::from_bytes(*key);
    Ok(Session { dc_id, address, server_fingerprint, key, salts, time_offset, owner })
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, len: usize) -> Result<&'a [u8], SessionProblem> {
        let (front, rest) = self.0.split_at_checked(len).ok_or(SessionProblem::Damaged)?;
        self.0 = rest;
        Ok(front)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], SessionProblem> {
        let (front, rest) = self.0.split_first_chunk().ok_or(SessionProblem::Damaged)?;
        self.0 = rest;
        Ok(*front)
    }
}

const MAGIC: &[u8; 8] = b"CHAPPE\r\n";
const VERSION: u16 = 1;
const NOBODY: u8 = 0;
const USER: u8 = 1;
const BOT: u8 = 2;
const FIXED: usize = 295;
const SALT: usize = 24;
const CHECKSUM: usize = 32;
