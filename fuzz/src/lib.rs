//! What the targets share: a fixed key, a clock and a way to read decisions out of fuzzed bytes.

use std::{cell::RefCell, collections::HashMap, sync::LazyLock, time::Duration};

use bytes::{Bytes, BytesMut};
use chappe_crypto::{AuthKey, rsa};
use chappe_mtproto::{
    time::Now,
    transport::{Framing, Obfuscation},
};
use chappe_schema::{Schema, value::random::Random};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// The server's key. Making it costs a second, once per process.
pub static SERVER_KEY: LazyLock<rsa::PrivateKey> =
    LazyLock::new(|| rsa::PrivateKey::generate(&mut rng(1)));

/// The auth key that both ends of a fuzzed session share.
pub fn auth_key() -> AuthKey {
    AuthKey::from_bytes(std::array::from_fn(|index| (index * 7 + 3) as u8))
}

/// The same numbers each time.
pub fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// A clock that is at `seconds` of its run.
pub fn now(seconds: u64) -> Now {
    let uptime = Duration::from_secs(seconds);
    Now::new(uptime, Duration::from_secs(1_800_000_000) + uptime)
}

/// The same moment by a wall clock that is off by so many seconds.
pub fn now_off(seconds: u64, off: i32) -> Now {
    let now = now(seconds);
    let wrong = Duration::from_secs(off.unsigned_abs().into());
    let unix = if off < 0 { now.unix.saturating_sub(wrong) } else { now.unix + wrong };
    Now::new(now.uptime, unix)
}

/// A generator of sound values. Reading a whole schema takes long, so each is made once.
pub fn random(schema: &'static Schema, seed: u8) -> Random<'static> {
    thread_local! {
        static MADE: RefCell<HashMap<(*const Schema, u8), Random<'static>>> = RefCell::default();
    }
    // A few seeds are enough: the values are spoiled afterwards.
    let seed = seed & 15;
    let make = || Random::new(schema, seed.into());
    MADE.with_borrow_mut(|made| made.entry((schema, seed)).or_insert_with(make).clone())
}

/// Fuzzed bytes as a list of decisions. Once they are used up, everything is 0 or empty.
#[derive(Debug)]
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// Reads `data` from its beginning.
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// Whether anything is left to decide.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a number below 256.
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// Takes a yes or no.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Takes an `int`.
    pub fn int(&mut self) -> i32 {
        let mut bytes = [0; 4];
        let taken = self.take(4);
        bytes[..taken.len()].copy_from_slice(taken);
        i32::from_le_bytes(bytes)
    }

    /// Takes a `long`.
    pub fn long(&mut self) -> i64 {
        i64::from(self.int()) << 32 | i64::from(self.int() as u32)
    }

    /// Takes `count` bytes, or what is left.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Takes a piece that says how long it is, up to 64 KiB.
    pub fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()) | usize::from(self.byte()) << 8;
        self.take(length)
    }

    /// Takes a body: a piece cut to whole words, as every TL value is.
    pub fn body(&mut self) -> Bytes {
        let piece = self.piece();
        Bytes::copy_from_slice(&piece[..piece.len() & !3])
    }

    /// Changes a few bytes of a sound value, or none.
    pub fn spoil(&mut self, bytes: &mut [u8]) {
        for _ in 0..self.byte() % 8 {
            let at = usize::from(self.byte()) | usize::from(self.byte()) << 8;
            let value = self.byte();
            if !bytes.is_empty() {
                bytes[at % bytes.len()] = value;
            }
        }
    }

    /// Takes everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Takes a framing, and whether and how it is obfuscated.
    pub fn framing(&mut self) -> (Framing, Option<Obfuscation>) {
        let kind = self.byte();
        let framing = match kind & 3 {
            0 => Framing::Abridged,
            1 => Framing::Intermediate,
            2 => Framing::PaddedIntermediate,
            _ => Framing::Full,
        };
        let hidden = kind & 4 != 0 && framing != Framing::Full;
        (framing, hidden.then_some(Obfuscation { dc_id: 2, secret: None }))
    }

    /// Gives `bytes` to a receiver in pieces of fuzzed sizes; false from it ends the feeding.
    pub fn feed(&mut self, bytes: &[u8], mut receive: impl FnMut(&mut BytesMut) -> bool) {
        let mut buffer = BytesMut::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let size = match self.byte() {
                0 => rest.len(),
                size => usize::from(size).min(rest.len()),
            };
            let (piece, tail) = rest.split_at(size);
            buffer.extend_from_slice(piece);
            rest = tail;
            if !receive(&mut buffer) {
                return;
            }
        }
    }
}

/// Appends some JSON of certain words, in any order.
pub fn json(script: &mut Script<'_>, words: &[&str], text: &mut Vec<u8>) {
    compose(script, words, text, 0);
}

fn compose(script: &mut Script<'_>, words: &[&str], text: &mut Vec<u8>, depth: u8) {
    match script.byte() % 8 {
        0 | 1 if depth < 4 => {
            text.push(b'{');
            for place in 0..script.byte() % 5 {
                if place > 0 {
                    text.push(b',');
                }
                word(script, words, text);
                text.push(b':');
                compose(script, words, text, depth + 1);
            }
            text.push(b'}');
        }
        2 => text.extend_from_slice(script.int().to_string().as_bytes()),
        3 => text.extend_from_slice((f64::from(script.int()) / 8.0).to_string().as_bytes()),
        // A whole number may stand where a fraction is meant: no more bits than that has.
        4 if script.flag() => text.extend_from_slice((script.long() >> 11).to_string().as_bytes()),
        4 => text.extend_from_slice(format!("\"{}\"", script.long()).as_bytes()),
        5 => text.extend_from_slice(if script.flag() { b"true" } else { b"null" }),
        _ => word(script, words, text),
    }
}

fn word(script: &mut Script<'_>, words: &[&str], text: &mut Vec<u8>) {
    let word = words[usize::from(script.byte()) % words.len()];
    text.extend_from_slice(format!("\"{word}\"").as_bytes());
}
