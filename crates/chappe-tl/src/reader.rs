//! Reading from a frame: bounds, depth and capacity are checked here and nowhere else.

use bytes::{Bytes, BytesMut};

use crate::{Decode, DecodeError, DecodeErrorKind, Text, VECTOR};

/// How deep values may be nested.
pub const MAX_DEPTH: u8 = 64;

/// How much memory a short `bytes` value may keep alive: a file reference of 29 bytes in
/// somebody's cache must not hold a frame of a megabyte. Short values of a larger frame are
/// copied together into blocks of this size, which costs far fewer allocations than one each.
const BLOCK: usize = 2048;

/// From which length on a value is copied alone, or not at all.
const SHORT: usize = 256;

/// A frame that is at most so many times as long as a value is shared by the value.
const SHARE: usize = 8;

/// How many bytes a vector reserves before its items prove themselves by decoding.
const RESERVE: usize = 64 * 1024;

const BOOL_TRUE: u32 = 0x9972_75b5;
const BOOL_FALSE: u32 = 0xbc79_9737;

/// Reads TL values one behind the other from a frame.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    frame: &'a Bytes,
    /// The block that short `bytes` values are copied to, as far as it is free.
    block: BytesMut,
    depth: u8,
    /// The first failure of a field that did not report it; everything after it fails too.
    failure: Option<DecodeError>,
}

mod fields;

pub use fields::{bit, has};

impl<'a> Reader<'a> {
    /// Starts at the beginning of a frame.
    #[must_use]
    pub fn new(frame: &'a Bytes) -> Self {
        Self { rest: frame, frame, block: BytesMut::new(), depth: 0, failure: None }
    }

    /// How many bytes are left.
    #[cfg_attr(not(debug_assertions), inline)]
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// How many bytes were read.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.frame.len() - self.rest.len()
    }

    /// Takes everything that is left, sharing the frame.
    #[must_use]
    pub fn rest(&mut self) -> Bytes {
        self.frame.slice_ref(std::mem::take(&mut self.rest))
    }

    /// Requires that nothing is left.
    ///
    /// # Errors
    /// `TrailingBytes` when something is.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match (&self.failure, self.rest.len()) {
            (Some(error), _) => Err(error.clone()),
            (None, 0) => Ok(()),
            (None, count) => Err(self.error(DecodeErrorKind::TrailingBytes { count })),
        }
    }

    /// An error of this kind at this place.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        self.first(kind, self.offset())
    }

    /// The error for a constructor id that was just read and that `expected` does not have.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn unknown(&self, id: u32, expected: &'static str) -> DecodeError {
        let kind = DecodeErrorKind::UnknownConstructor { id, expected };
        self.first(kind, self.offset().saturating_sub(4))
    }

    /// The failure that was before this one, or this one.
    fn first(&self, kind: DecodeErrorKind, offset: usize) -> DecodeError {
        self.failure.clone().unwrap_or_else(|| DecodeError::new(kind, offset))
    }

    /// Goes one level deeper; every value of a type that can contain itself does.
    ///
    /// # Errors
    /// `TooDeep` beyond [`MAX_DEPTH`].
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn enter(&mut self) -> Result<(), DecodeError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(DecodeErrorKind::TooDeep));
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes back from a level that [`Reader::enter`] went down.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Takes the next `count` bytes as they are.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn raw(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.error(DecodeErrorKind::UnexpectedEnd)),
        }
    }

    /// Takes the next `count` bytes, sharing the frame.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    pub fn slice(&mut self, count: usize) -> Result<Bytes, DecodeError> {
        self.raw(count).map(|taken| self.frame.slice_ref(taken))
    }

    /// The next constructor id or number, left where it is; `None` near the end.
    #[cfg_attr(not(debug_assertions), inline)]
    #[must_use]
    pub fn peek_u32(&self) -> Option<u32> {
        self.rest.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// Reads a constructor id or a `#`.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Reads an `int`.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_le_bytes)
    }

    /// Reads a `long`.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        self.array().map(i64::from_le_bytes)
    }

    /// Reads a `double`.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        self.array().map(f64::from_le_bytes)
    }

    /// Reads an `int128`.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    pub fn int128(&mut self) -> Result<[u8; 16], DecodeError> {
        self.array()
    }

    /// Reads an `int256`.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    pub fn int256(&mut self) -> Result<[u8; 32], DecodeError> {
        self.array()
    }

    /// Reads a `Bool`.
    ///
    /// # Errors
    /// `UnexpectedEnd`, `UnknownConstructor`.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        match self.u32()? {
            BOOL_TRUE => Ok(true),
            BOOL_FALSE => Ok(false),
            id => Err(self.unknown(id, "Bool")),
        }
    }

    /// Reads a `string`. What is not UTF-8 becomes U+FFFD: one bad name must not cost the
    /// whole answer.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    pub fn text(&mut self) -> Result<Text, DecodeError> {
        let data = self.blob()?;
        match std::str::from_utf8(data) {
            Ok(text) => Ok(Text::new(text)),
            Err(_) => Ok(Text::from_utf8_lossy(data)),
        }
    }

    /// Reads `bytes`. The value never keeps more memory alive than 2 KiB or eight times its
    /// own length: it shares the frame where the frame is no larger than that, and is copied
    /// otherwise.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    pub fn bytes(&mut self) -> Result<Bytes, DecodeError> {
        let data = self.blob()?;
        let frame = self.frame.len();
        if data.is_empty() {
            Ok(Bytes::new())
        } else if frame <= BLOCK || data.len().saturating_mul(SHARE) >= frame {
            Ok(self.frame.slice_ref(data))
        } else if data.len() < SHORT {
            Ok(self.copied(data))
        } else {
            Ok(Bytes::copy_from_slice(data))
        }
    }

    /// Copies a short value to the block, or to a new one if it is full.
    fn copied(&mut self, data: &[u8]) -> Bytes {
        if self.block.capacity() < data.len() {
            self.block = BytesMut::with_capacity(BLOCK);
        }
        self.block.extend_from_slice(data);
        self.block.split().freeze()
    }

    /// Reads a `string` or `bytes` without copying.
    ///
    /// # Errors
    /// `UnexpectedEnd`.
    pub fn blob(&mut self) -> Result<&'a [u8], DecodeError> {
        let rest = self.rest;
        let (head, length) = match rest.first_chunk() {
            // core.telegram.org/mtproto/serialize: 254 announces a length of three bytes.
            Some([254, a, b, c]) => (4, u32::from_le_bytes([*a, *b, *c, 0]) as usize),
            Some([first @ 255, ..]) => {
                // Observed: TDLib knows this seven-byte length; no peer sends it.
                let value = i64::from(*first);
                return Err(self.error(DecodeErrorKind::InvalidValue { value, field: "length" }));
            }
            Some([length, ..]) => (1, usize::from(*length)),
            None => return Err(self.error(DecodeErrorKind::UnexpectedEnd)),
        };
        let end = head + length;
        match (rest.get(head..end), rest.get(end.next_multiple_of(4)..)) {
            (Some(data), Some(rest)) => {
                self.rest = rest;
                Ok(data)
            }
            _ => Err(self.error(DecodeErrorKind::UnexpectedEnd)),
        }
    }

    /// Reads a boxed `Vector<T>`.
    ///
    /// # Errors
    /// Those of the items, `UnknownConstructor`, `TooManyItems`.
    pub fn vector<T: Decode>(&mut self) -> Result<Vec<T>, DecodeError> {
        let count = self.vector_count()?;
        self.items(count)
    }

    /// Reads a bare `vector<T>`, which has no constructor id.
    ///
    /// # Errors
    /// Those of the items, `TooManyItems`.
    pub fn bare_vector<T: Decode>(&mut self) -> Result<Vec<T>, DecodeError> {
        let count = self.count()?;
        self.items(count)
    }

    /// Reads the head of a boxed vector: how many items follow. Each takes four bytes at
    /// least, so no more are believed than the input has room for.
    ///
    /// # Errors
    /// `UnexpectedEnd`, `UnknownConstructor`, `TooManyItems`.
    pub fn vector_count(&mut self) -> Result<usize, DecodeError> {
        match self.u32()? {
            VECTOR => self.count(),
            id => Err(self.unknown(id, "Vector")),
        }
    }

    /// Reads the head of a bare vector: how many items follow.
    ///
    /// # Errors
    /// `UnexpectedEnd`, `TooManyItems`.
    pub fn count(&mut self) -> Result<usize, DecodeError> {
        let count = self.u32()?;
        match usize::try_from(count) {
            Ok(items) if items <= self.rest.len() / 4 => Ok(items),
            _ => Err(self.error(DecodeErrorKind::TooManyItems { count })),
        }
    }

    fn items<T: Decode>(&mut self, count: usize) -> Result<Vec<T>, DecodeError> {
        let mut items = Vec::with_capacity(count.min(RESERVE / size_of::<T>().max(1)));
        for _ in 0..count {
            items.push(T::decode(self)?);
        }
        Ok(items)
    }

    #[cfg_attr(not(debug_assertions), inline)]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(self.error(DecodeErrorKind::UnexpectedEnd)),
        }
    }
}

#[cfg(test)]
mod tests;
