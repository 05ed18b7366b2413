//! Reading the fields of a constructor one behind the other without asking each for its error.
//!
//! The first failure is remembered and the input counts as ended; what is read from then on is
//! empty. [`Reader::failure`] says at the end what it was. So a generated decoder, of which
//! there are thousands, is a list of calls with one check behind it.

use bytes::Bytes;

use super::Reader;
use crate::{Decode, DecodeError, Text};

/// Whether one of the bits of `mask` is set.
#[cfg_attr(not(debug_assertions), inline)]
#[must_use]
pub const fn has(flags: u32, mask: u32) -> bool {
    flags & mask != 0
}

/// The flags with the bits of `mask` too if the field is there.
#[cfg_attr(not(debug_assertions), inline)]
#[must_use]
pub const fn bit(flags: u32, there: bool, mask: u32) -> u32 {
    if there { flags | mask } else { flags }
}

impl Reader<'_> {
    /// The first failure of a field, forgotten by asking.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn failure(&mut self) -> Option<DecodeError> {
        self.failure.take()
    }

    /// A `#`; 0 after a failure.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn flags_field(&mut self) -> u32 {
        match self.u32() {
            Ok(value) => value,
            Err(error) => self.fail(error, 0),
        }
    }

    /// An `int`; 0 after a failure.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn int_field(&mut self) -> i32 {
        match self.i32() {
            Ok(value) => value,
            Err(error) => self.fail(error, 0),
        }
    }

    /// An `int` if one of the bits of `mask` is set.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn int_if(&mut self, flags: u32, mask: u32) -> Option<i32> {
        if has(flags, mask) { Some(self.int_field()) } else { None }
    }

    /// A `long`; 0 after a failure.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn long_field(&mut self) -> i64 {
        match self.i64() {
            Ok(value) => value,
            Err(error) => self.fail(error, 0),
        }
    }

    /// A `long` if one of the bits of `mask` is set.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn long_if(&mut self, flags: u32, mask: u32) -> Option<i64> {
        if has(flags, mask) { Some(self.long_field()) } else { None }
    }

    /// A `string`; empty after a failure.
    pub fn text_field(&mut self) -> Text {
        match self.text() {
            Ok(value) => value,
            Err(error) => self.fail(error, Text::const_new("")),
        }
    }

    /// A `string` if one of the bits of `mask` is set.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn text_if(&mut self, flags: u32, mask: u32) -> Option<Text> {
        if has(flags, mask) { Some(self.text_field()) } else { None }
    }

    /// `bytes`; empty after a failure.
    pub fn bytes_field(&mut self) -> Bytes {
        match self.bytes() {
            Ok(value) => value,
            Err(error) => self.fail(error, Bytes::new()),
        }
    }

    /// A boxed `Vector<T>`; empty after a failure.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn vector_field<T: Decode>(&mut self) -> Vec<T> {
        match self.vector() {
            Ok(value) => value,
            Err(error) => self.fail(error, Vec::new()),
        }
    }

    /// A boxed `Vector<T>` if one of the bits of `mask` is set.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn vector_if<T: Decode>(&mut self, flags: u32, mask: u32) -> Option<Vec<T>> {
        if has(flags, mask) { Some(self.vector_field()) } else { None }
    }

    /// A value of any type that can be empty; so it is after a failure.
    pub fn field<T: Decode + Default>(&mut self) -> T {
        match T::decode(self) {
            Ok(value) => value,
            Err(error) => self.fail(error, T::default()),
        }
    }

    /// A value if one of the bits of `mask` is set; none after a failure.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn field_if<T: Decode>(&mut self, flags: u32, mask: u32) -> Option<T> {
        if !has(flags, mask) {
            return None;
        }
        match T::decode(self) {
            Ok(value) => Some(value),
            Err(error) => self.fail(error, None),
        }
    }

    /// A boxed value if one of the bits of `mask` is set; none after a failure.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn boxed_if<T: Decode>(&mut self, flags: u32, mask: u32) -> Option<Box<T>> {
        if !has(flags, mask) {
            return None;
        }
        match T::decode(self) {
            Ok(value) => Some(Box::new(value)),
            Err(error) => self.fail(error, None),
        }
    }

    /// Remembers the first failure and ends the input.
    #[cold]
    fn fail<T>(&mut self, error: DecodeError, value: T) -> T {
        self.failure.get_or_insert(error);
        self.rest = &[];
        value
    }
}
