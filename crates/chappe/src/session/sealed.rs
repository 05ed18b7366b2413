//! A session encrypted with a passphrase: the envelope, version 1.
//!
//! All integers are little endian.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `CHSEAL\r\n` |
//! | 8 | 2 | version, 1 |
//! | 10 | 4 | Argon2id: its memory, in KiB |
//! | 14 | 4 | Argon2id: passes over the memory |
//! | 18 | 1 | Argon2id: lanes |
//! | 19 | 16 | Argon2id: the salt |
//! | 35 | 24 | the nonce, another one for every envelope |
//! | 59 | n | the session, encrypted; inside it is what `bytes.rs` describes |
//! | 59 + n | 16 | the tag of the encryption |
//! | end - 32 | 32 | SHA-256 of all before |
//!
//! The key is Argon2id 1.3 (RFC 9106) of the passphrase's UTF-8 and the salt, 32 bytes. The
//! encryption is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha); its associated data are the first
//! 59 bytes and, in a store of many accounts, the account's name behind them, so that one
//! account's envelope is not taken for another's.
//!
//! The checksum is no protection, whoever changes a byte can make it anew. It tells "damaged" from
//! "wrong passphrase". Whatever a later version changes, it begins with the same eight bytes and
//! ends with the same checksum.

use std::{
    fmt, io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use chappe_crypto::sha256;
use zeroize::Zeroizing;

use super::{
    Session,
    bytes::{self, Fields, SessionBytes},
};
use crate::{
    builder::entropy,
    error::{Error, SessionProblem},
};

/// What a session is encrypted with. It is wiped when dropped, and `Debug` shows nothing of it.
///
/// The key is made of its UTF-8 as it is: two ways to write one letter are two passphrases.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl From<&str> for Passphrase {
    fn from(passphrase: &str) -> Self {
        passphrase.to_owned().into()
    }
}

impl From<String> for Passphrase {
    fn from(passphrase: String) -> Self {
        Self(Zeroizing::new(passphrase))
    }
}

impl From<Zeroizing<String>> for Passphrase {
    fn from(passphrase: Zeroizing<String>) -> Self {
        Self(passphrase)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passphrase").finish_non_exhaustive()
    }
}

/// Encrypts sessions with a passphrase and opens them again, for a
/// [`Store`](super::Store) of your own; [`File`](super::File) has one inside.
///
/// The first envelope that is made or opened costs a tenth of a second and 64 MiB of memory: that
/// is what makes guessing expensive. The key is kept for the next ones, which cost next to
/// nothing.
pub struct Seal {
    passphrase: Passphrase,
    /// Whose session it is, among those of one store.
    name: String,
    /// What a new key costs.
    cost: Cost,
    key: Mutex<Option<Key>>,
}

impl Seal {
    /// Makes one of a passphrase. It costs nothing yet.
    pub fn new(passphrase: impl Into<Passphrase>) -> Self {
        Self {
            passphrase: passphrase.into(),
            name: String::new(),
            cost: Cost::TODAY,
            key: Mutex::new(None),
        }
    }

    /// Binds the envelopes to an account: only a seal of the same name opens them.
    #[must_use]
    pub fn named(mut self, account: impl Into<String>) -> Self {
        self.name = account.into();
        self
    }

    /// Encrypts a session. No two envelopes are alike, not even those of one session.
    ///
    /// # Errors
    /// [`Error::Session`] if the passphrase is empty, if a field is too long for the format, or if
    /// there is not enough memory.
    pub fn seal(&self, session: &Session) -> Result<SessionBytes, Error> {
        self.write(session).map_err(|problem| Error::session(None, problem))
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// [`Error::Session`]: [`WrongPassphrase`](SessionProblem::WrongPassphrase),
    /// [`Damaged`](SessionProblem::Damaged), [`Newer`](SessionProblem::Newer),
    /// [`NotSealed`](SessionProblem::NotSealed) for a session that is not encrypted, or
    /// [`NotASession`](SessionProblem::NotASession).
    pub fn open(&self, envelope: &[u8]) -> Result<Session, Error> {
        self.read(envelope).map_err(|problem| Error::session(None, problem))
    }

    /// The same with keys that cost what this says.
    #[cfg(test)]
    pub(super) fn costing(mut self, memory: u32, passes: u32, lanes: u8) -> Self {
        self.cost = Cost { memory, passes, lanes };
        self
    }

    fn write(&self, session: &Session) -> Result<SessionBytes, SessionProblem> {
        let content = bytes::write(session)?;
        let content = content.as_ref();
        let mut kept = self.lock();
        let key = match &mut *kept {
            Some(key) => key,
            nothing => {
                let salt = random()?;
                nothing.insert(Key::derive(&self.passphrase, self.cost, salt)?)
            }
        };
        let nonce: [u8; NONCE] = random()?;
        let mut out = Zeroizing::new(Vec::with_capacity(FIXED + content.len()));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&key.cost.memory.to_le_bytes());
        out.extend_from_slice(&key.cost.passes.to_le_bytes());
        out.push(key.cost.lanes);
        out.extend_from_slice(&key.salt);
        out.extend_from_slice(&nonce);
        let associated = self.associated(&out);
        out.extend_from_slice(content);
        let (_, body) = out.split_at_mut(HEADER);
        let tag = key
            .cipher
            .encrypt_inout_detached(&XNonce::from(nonce), &associated, body.into())
            .map_err(|_| SessionProblem::Unwritable)?;
        out.extend_from_slice(&tag);
        let checksum = sha256(&[&out]);
        out.extend_from_slice(&checksum);
        Ok(SessionBytes(out))
    }

    fn read(&self, input: &[u8]) -> Result<Session, SessionProblem> {
        let envelope = Envelope::read(input)?;
        let mut kept = self.lock();
        let key = match kept.take() {
            Some(key) if envelope.is_under(&key) => key,
            other => {
                // The key before it stays, should this one turn out to be wrong.
                *kept = other;
                Key::derive(&self.passphrase, envelope.cost, envelope.salt)?
            }
        };
        let mut content = Zeroizing::new(envelope.content.to_vec());
        let associated = self.associated(envelope.header);
        let opened = key.cipher.decrypt_inout_detached(
            &XNonce::from(envelope.nonce),
            &associated,
            content.as_mut_slice().into(),
            &Tag::from(envelope.tag),
        );
        opened.map_err(|_| SessionProblem::WrongPassphrase)?;
        *kept = Some(key);
        drop(kept);
        bytes::read(&content)
    }

    /// What the tag covers beside the session.
    fn associated(&self, header: &[u8]) -> Vec<u8> {
        [header, self.name.as_bytes()].concat()
    }

    /// Whether this is an envelope under the key that is known already.
    fn knows(&self, input: &[u8]) -> bool {
        let envelope = Envelope::read(input);
        let key = self.lock();
        envelope.is_ok_and(|envelope| key.as_ref().is_some_and(|key| envelope.is_under(key)))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Key>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

/// Whether these bytes are an encrypted session, of whatever version and however damaged.
pub(super) fn is_sealed(input: &[u8]) -> bool {
    input.starts_with(MAGIC)
}

/// Reads what a store holds, encrypted if and only if there is a seal.
pub(super) fn read(seal: Option<&Seal>, input: &[u8]) -> Result<Session, SessionProblem> {
    match seal {
        None => bytes::read(input),
        Some(seal) => seal.read(input),
    }
}

/// Makes what a store is to hold instead of what it holds now.
///
/// What is encrypted is not replaced by what is not, nor the other way round, nor by what another
/// passphrase opens: each of these is a mistake, or wants to be asked for.
pub(super) fn write(
    seal: Option<&Seal>,
    session: &Session,
    before: Option<&[u8]>,
) -> Result<SessionBytes, SessionProblem> {
    match (seal, before) {
        (None, Some(before)) if is_sealed(before) => Err(SessionProblem::Sealed),
        (None, _) => bytes::write(session),
        (Some(seal), None) => seal.write(session),
        (Some(seal), Some(before)) => {
            if !seal.knows(before) {
                seal.read(before)?;
            }
            seal.write(session)
        }
    }
}

/// What it costs to make a key of a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    /// In KiB.
    memory: u32,
    passes: u32,
    lanes: u8,
}

impl Cost {
    /// The second choice of RFC 9106 (section 4), for machines that cannot spare 2 GiB, but on
    /// one lane: lanes would be filled one after the other here, and gain nothing.
    const TODAY: Self = Self { memory: 64 * 1024, passes: 3, lanes: 1 };

    /// Whether it may be paid for a file of somebody else.
    fn is_bearable(self) -> bool {
        let work = u64::from(self.memory) * u64::from(self.passes);
        self.memory <= LARGEST_MEMORY && work <= LARGEST_WORK && self.lanes <= MOST_LANES
    }
}

/// A key, and what made it of the passphrase. The cipher wipes it when it is dropped.
struct Key {
    cost: Cost,
    salt: [u8; SALT],
    cipher: XChaCha20Poly1305,
}

impl Key {
    fn derive(
        passphrase: &Passphrase,
        cost: Cost,
        salt: [u8; SALT],
    ) -> Result<Self, SessionProblem> {
        if passphrase.0.is_empty() {
            return Err(SessionProblem::EmptyPassphrase);
        }
        let params = Params::new(cost.memory, cost.passes, cost.lanes.into(), Some(KEY))
            .map_err(|_| SessionProblem::Damaged)?;
        let blocks = params.block_count();
        // Whoever reads this memory needs no passphrase.
        let mut memory = Zeroizing::new(Vec::new());
        memory
            .try_reserve_exact(blocks)
            .map_err(|_| SessionProblem::Io(io::ErrorKind::OutOfMemory.into()))?;
        memory.resize(blocks, Block::new());
        let mut key = Zeroizing::new([0; KEY]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.0.as_bytes(),
                &salt,
                key.as_mut_slice(),
                memory.as_mut_slice(),
            )
            .map_err(|error| SessionProblem::Io(io::Error::other(error.to_string())))?;
        let key: &[u8; KEY] = &key;
        Ok(Self { cost, salt, cipher: XChaCha20Poly1305::new(key.into()) })
    }
}

/// The parts of an envelope that is intact, as far as that can be told without the passphrase.
struct Envelope<'a> {
    header: &'a [u8],
    cost: Cost,
    salt: [u8; SALT],
    nonce: [u8; NONCE],
    content: &'a [u8],
    tag: [u8; TAG],
}

impl<'a> Envelope<'a> {
    fn read(input: &'a [u8]) -> Result<Self, SessionProblem> {
        if !is_sealed(input) {
            let plain = input.starts_with(bytes::MAGIC);
            return Err(if plain {
                SessionProblem::NotSealed
            } else {
                SessionProblem::NotASession
            });
        }
        let (covered, checksum) =
            input.split_last_chunk::<CHECKSUM>().ok_or(SessionProblem::Damaged)?;
        if covered.len() < MAGIC.len() || sha256(&[covered]) != *checksum {
            return Err(SessionProblem::Damaged);
        }
        Self::read_covered(covered)
    }

    fn read_covered(covered: &'a [u8]) -> Result<Self, SessionProblem> {
        let mut fields = Fields(covered);
        let _: [u8; MAGIC.len()] = fields.take()?;
        match u16::from_le_bytes(fields.take()?) {
            VERSION => {}
            0 => return Err(SessionProblem::Damaged),
            version => return Err(SessionProblem::Newer { version }),
        }
        let memory = u32::from_le_bytes(fields.take()?);
        let passes = u32::from_le_bytes(fields.take()?);
        let [lanes] = fields.take()?;
        let cost = Cost { memory, passes, lanes };
        if !cost.is_bearable() {
            return Err(SessionProblem::Damaged);
        }
        let (salt, nonce) = (fields.take()?, fields.take()?);
        let (header, body) = covered.split_at_checked(HEADER).ok_or(SessionProblem::Damaged)?;
        let (content, tag) = body.split_last_chunk().ok_or(SessionProblem::Damaged)?;
        Ok(Self { header, cost, salt, nonce, content, tag: *tag })
    }

    fn is_under(&self, key: &Key) -> bool {
        (self.cost, self.salt) == (key.cost, key.salt)
    }
}

fn random<const N: usize>() -> Result<[u8; N], SessionProblem> {
    entropy().map_err(|error| SessionProblem::Io(io::Error::other(error)))
}

const MAGIC: &[u8; 8] = b"CHSEAL\r\n";
const VERSION: u16 = 1;
const SALT: usize = 16;
const NONCE: usize = 24;
const KEY: usize = 32;
const TAG: usize = 16;
const CHECKSUM: usize = 32;
/// Everything before the session.
const HEADER: usize = 59;
/// Everything but the session.
pub(super) const FIXED: usize = HEADER + TAG + CHECKSUM;
/// No envelope may want more memory, in KiB.
const LARGEST_MEMORY: u32 = 256 * 1024;
/// Nor more memory times passes, in KiB: about a second.
const LARGEST_WORK: u64 = 1024 * 1024;
const MOST_LANES: u8 = 16;

#[cfg(test)]
mod tests;
