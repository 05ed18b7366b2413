//! The session as bytes: version 3 of chappe's own format, and versions 1 and 2 to be read.
//!
//! All integers are little endian.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `CHAPPE\r\n` |
//! | 8 | 2 | version, 3 |
//! | 10 | 4 | the home data centre |
//! | 14 | 8 | fingerprint of the servers' public key |
//! | 22 | 8 | seconds to add to the local clock to get the servers' |
//! | 30 | 1 | who is signed in: 0 nobody, 1 a user, 2 a bot, 3 somebody, it is not known who |
//! | 31 | 8 | the user id, or 0 |
//! | 39 | 2 | how many data centres there are; by number, the home among them |
//! | 41 | | the data centres, as below |
//! | | 4 | the api id of the sign-in, or 0 if it is not known |
//! | | 1 | how many tokens for later sign-ins follow, the newest first; at most 20 |
//! | | 2 + n | of each token: length, not 0; the bytes |
//! | end - 32 | 32 | SHA-256 of all before |
//!
//! A session that was signed out has no data centre, and nobody is signed in: only its tokens
//! are left. Every other session has its home.
//!
//! Each data centre:
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | dc id |
//! | 4 | 1 | bit 0: whoever is signed in is so here; bit 1: the program gave its address |
//! | 5 | 256 | the auth key, never a temporary one |
//! | 261 | 2 + n | the address: length, UTF-8 |
//! | | 2 + 24 n | the salts: count; then salt, valid since, valid until (unix seconds) of each |
//!
//! Version 2 has its checksum behind the data centres, and always has its home. Version 1 knew
//! one data centre: behind the user id it has the auth key, the address and the salts of the
//! home, and then the checksum.
//!
//! Whatever a later version changes, it begins with the same eight bytes and ends with the same
//! checksum, so that "damaged" and "newer" can be told apart.

use std::{collections::BTreeMap, fmt};

use chappe_crypto::{AuthKey, sha256};
use chappe_mtproto::connection::Salt;
use zeroize::Zeroizing;

use super::{Dc, MOST_TOKENS, Owner, Session, Token, sealed::is_sealed};
use crate::error::SessionProblem;

/// A session as bytes. They are the account: they are wiped when dropped, and `Debug` shows
/// nothing of them.
#[derive(Clone)]
pub struct SessionBytes(pub(super) Zeroizing<Vec<u8>>);

impl SessionBytes {
    pub(super) const fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The text, if they are one: a session string of another library.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

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
    let count = u16::try_from(session.dcs.len()).map_err(|_| SessionProblem::Unwritable)?;
    // Room for all of it, so that growing leaves no copy of a key behind.
    let room = |dc: &Dc| DC + dc.address.len() + dc.salts.len() * SALT;
    let tokens: usize = session.tokens.iter().map(|token| 2 + token.len()).sum();
    let capacity = FIXED + session.dcs.values().map(room).sum::<usize>() + TAIL + tokens + CHECKSUM;
    if capacity > LARGEST {
        return Err(SessionProblem::Unwritable);
    }
    let mut out = Zeroizing::new(Vec::with_capacity(capacity));
    let (kind, user_id) = match session.owner {
        Owner::Nobody => (NOBODY, 0),
        Owner::Unknown => (UNKNOWN, 0),
        Owner::User(user_id) => (USER, user_id),
        Owner::Bot(user_id) => (BOT, user_id),
    };
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&session.home.to_le_bytes());
    out.extend_from_slice(&session.server_fingerprint.to_le_bytes());
    out.extend_from_slice(&session.time_offset.to_le_bytes());
    out.push(kind);
    out.extend_from_slice(&user_id.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    for (dc_id, dc) in &session.dcs {
        out.extend_from_slice(&dc_id.to_le_bytes());
        out.push((u8::from(dc.signed_in) * SIGNED_IN) | (u8::from(dc.given) * GIVEN));
        out.extend_from_slice(dc.key.as_bytes());
        write_address_and_salts(&mut out, dc)?;
    }
    write_tail(&mut out, session)?;
    let checksum = sha256(&[out.as_slice()]);
    out.extend_from_slice(&checksum);
    Ok(SessionBytes(out))
}

fn write_address_and_salts(out: &mut Vec<u8>, dc: &Dc) -> Result<(), SessionProblem> {
    let address_len = u16::try_from(dc.address.len()).map_err(|_| SessionProblem::Unwritable)?;
    let salts_len = u16::try_from(dc.salts.len()).map_err(|_| SessionProblem::Unwritable)?;
    out.extend_from_slice(&address_len.to_le_bytes());
    out.extend_from_slice(dc.address.as_bytes());
    out.extend_from_slice(&salts_len.to_le_bytes());
    for salt in &dc.salts {
        out.extend_from_slice(&salt.salt.to_le_bytes());
        out.extend_from_slice(&salt.valid_since.to_le_bytes());
        out.extend_from_slice(&salt.valid_until.to_le_bytes());
    }
    Ok(())
}

fn write_tail(out: &mut Vec<u8>, session: &Session) -> Result<(), SessionProblem> {
    let count = u8::try_from(session.tokens.len()).map_err(|_| SessionProblem::Unwritable)?;
    out.extend_from_slice(&session.api_id.unwrap_or(0).to_le_bytes());
    out.push(count);
    for token in &session.tokens {
        let len = u16::try_from(token.len()).map_err(|_| SessionProblem::Unwritable)?;
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(token);
    }
    Ok(())
}

pub(super) fn read(input: &[u8]) -> Result<Session, SessionProblem> {
    let Some(rest) = input.strip_prefix(MAGIC) else {
        let sealed = is_sealed(input);
        return Err(if sealed { SessionProblem::Sealed } else { SessionProblem::NotASession });
    };
    let split = rest.len().checked_sub(CHECKSUM).ok_or(SessionProblem::Damaged)?;
    let (body, checksum) = rest.split_at(split);
    let (covered, _) = input.split_at(MAGIC.len() + split);
    if sha256(&[covered]).as_slice() != checksum {
        return Err(SessionProblem::Damaged);
    }
    let mut fields = Fields(body);
    let version = u16::from_le_bytes(fields.take()?);
    match version {
        FIRST_VERSION..=VERSION => {}
        0 => return Err(SessionProblem::Damaged),
        _ => return Err(SessionProblem::Newer { version }),
    }
    let home = i32::from_le_bytes(fields.take()?);
    let server_fingerprint = i64::from_le_bytes(fields.take()?);
    let time_offset = i64::from_le_bytes(fields.take()?);
    let [kind] = fields.take()?;
    let user_id = i64::from_le_bytes(fields.take()?);
    let owner = match kind {
        NOBODY if user_id == 0 => Owner::Nobody,
        UNKNOWN if user_id == 0 && version >= WITH_TAIL => Owner::Unknown,
        USER => Owner::User(user_id),
        BOT => Owner::Bot(user_id),
        _ => return Err(SessionProblem::Damaged),
    };
    let mut dcs = BTreeMap::new();
    if version == FIRST_VERSION {
        // The only data centre was the one that the program named.
        let flags = (u8::from(owner.is_somebody()) * SIGNED_IN) | GIVEN;
        dcs.insert(home, fields.dc(flags)?);
    } else {
        let count = u16::from_le_bytes(fields.take()?);
        let mut last = None;
        for _ in 0..count {
            let dc_id = i32::from_le_bytes(fields.take()?);
            let [flags] = fields.take()?;
            // One session has one way to be written.
            if flags & !(SIGNED_IN | GIVEN) != 0 || last.is_some_and(|last| last >= dc_id) {
                return Err(SessionProblem::Damaged);
            }
            last = Some(dc_id);
            dcs.insert(dc_id, fields.dc(flags)?);
        }
    }
    let (api_id, tokens) = if version < WITH_TAIL { (0, Vec::new()) } else { fields.tail()? };
    let is_signed_out = version >= WITH_TAIL && dcs.is_empty() && !owner.is_somebody();
    if !fields.0.is_empty() || !(dcs.contains_key(&home) || is_signed_out) {
        return Err(SessionProblem::Damaged);
    }
    let api_id = (api_id != 0).then_some(api_id);
    Ok(Session { home, server_fingerprint, time_offset, owner, api_id, dcs, tokens })
}

/// What is left to be read.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, len: usize) -> Result<&'a [u8], SessionProblem> {
        let (front, rest) = self.0.split_at_checked(len).ok_or(SessionProblem::Damaged)?;
        self.0 = rest;
        Ok(front)
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], SessionProblem> {
        let (front, rest) = self.0.split_first_chunk().ok_or(SessionProblem::Damaged)?;
        self.0 = rest;
        Ok(*front)
    }

    /// The api id and the tokens.
    fn tail(&mut self) -> Result<(i32, Vec<Token>), SessionProblem> {
        let api_id = i32::from_le_bytes(self.take()?);
        let [count] = self.take()?;
        if usize::from(count) > MOST_TOKENS {
            return Err(SessionProblem::Damaged);
        }
        let mut tokens = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let len = u16::from_le_bytes(self.take()?);
            if len == 0 {
                return Err(SessionProblem::Damaged);
            }
            tokens.push(Zeroizing::new(self.bytes(usize::from(len))?.to_vec()));
        }
        Ok((api_id, tokens))
    }

    /// Key, address and salts of one data centre.
    fn dc(&mut self, flags: u8) -> Result<Dc, SessionProblem> {
        let key = Zeroizing::new(self.take::<256>()?);
        let address_len = u16::from_le_bytes(self.take()?);
        let address = std::str::from_utf8(self.bytes(usize::from(address_len))?)
            .map_err(|_| SessionProblem::Damaged)?
            .to_owned();
        let salts_len = u16::from_le_bytes(self.take()?);
        let mut salts = Vec::new();
        for _ in 0..salts_len {
            salts.push(Salt {
                salt: i64::from_le_bytes(self.take()?),
                valid_since: i64::from_le_bytes(self.take()?),
                valid_until: i64::from_le_bytes(self.take()?),
            });
        }
        Ok(Dc {
            address,
            key: AuthKey::from_bytes(*key),
            salts,
            signed_in: flags & SIGNED_IN != 0,
            given: flags & GIVEN != 0,
        })
    }
}

pub(super) const MAGIC: &[u8; 8] = b"CHAPPE\r\n";
const VERSION: u16 = 3;
const FIRST_VERSION: u16 = 1;
/// The first version with an api id and tokens.
const WITH_TAIL: u16 = 3;
const NOBODY: u8 = 0;
const USER: u8 = 1;
const BOT: u8 = 2;
const UNKNOWN: u8 = 3;
const SIGNED_IN: u8 = 1;
const GIVEN: u8 = 2;
const FIXED: usize = 41;
/// A data centre without the bytes of its address and salts.
const DC: usize = 265;
const SALT: usize = 24;
/// The api id and the number of tokens.
const TAIL: usize = 5;
const CHECKSUM: usize = 32;
/// No session is larger, in bytes; a file that is larger is none.
pub(super) const LARGEST: usize = 2 * 1024 * 1024;
