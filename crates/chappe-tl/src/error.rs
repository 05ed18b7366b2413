//! Why bytes are not a value.

use std::fmt;

/// Bytes that are not a value of the wanted type: what is wrong and where.
///
/// One pointer wide, so that results of decoders stay small.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Inner>);

/// What is wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// A number that has to be of one value has another.
    #[error("unexpected value {value} for {field}")]
    InvalidValue {
        /// The value on the wire.
        value: i64,
        /// The field that it stands for.
        field: &'static str,
    },
    /// Values are nested deeper than [`crate::MAX_DEPTH`].
    #[error("values are nested too deep")]
    TooDeep,
    /// A vector announces more items than the input has room for.
    #[error("a vector announces {count} items, more than the input can hold")]
    TooManyItems {
        /// The announced number of items.
        count: u32,
    },
    /// The value ended before its input did.
    #[error("{count} bytes are left behind the value")]
    TrailingBytes {
        /// How many bytes are left.
        count: usize,
    },
    /// The input ended before the value did.
    #[error("the input ends inside the value")]
    UnexpectedEnd,
    /// The constructor id belongs to no constructor of the type.
    #[error("unknown constructor {id:#010x} for {expected}; it may be of another layer")]
    UnknownConstructor {
        /// The id on the wire.
        id: u32,
        /// The type that was wanted.
        expected: &'static str,
    },
}

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: DecodeErrorKind,
    offset: usize,
}

impl DecodeError {
    /// Builds the error from its kind and the place in the input, in bytes.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner { kind, offset }))
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.kind
    }

    /// Where, in bytes from the beginning of the input.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.0.offset
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeError")
            .field("kind", &self.0.kind)
            .field("offset", &self.0.offset)
            .finish()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.0.kind, self.0.offset)
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::{DecodeError, DecodeErrorKind};

    #[test]
    fn is_one_pointer_wide() {
        assert_eq!(size_of::<Result<(), DecodeError>>(), size_of::<usize>());
    }

    #[test]
    fn says_what_and_where() {
        let error = DecodeError::new(
            DecodeErrorKind::UnknownConstructor { id: 0x1234, expected: "Peer" },
            8,
        );
        assert_eq!(
            error.to_string(),
            "unknown constructor 0x00001234 for Peer; it may be of another layer (at byte 8)"
        );
    }
}
