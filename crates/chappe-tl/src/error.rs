//! Why bytes are not a value.

use std::fmt;

/// Bytes that are not a value of the wanted type: what is wrong and where.
///
/// One pointer wide, so that results of decoders stay small.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Inner>);

/// What is wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// A number that has to be of one value has another.
    InvalidValue {
        /// The value on the wire.
        value: i64,
        /// The field that it stands for.
        field: &'static str,
    },
    /// Values are nested deeper than [`crate::MAX_DEPTH`].
    TooDeep,
    /// A vector announces more items than the input has room for.
    TooManyItems {
        /// The announced number of items.
        count: u32,
    },
    /// The value ended before its input did.
    TrailingBytes {
        /// How many bytes are left.
        count: usize,
    },
    /// The input ended before the value did.
    UnexpectedEnd,
    /// The constructor id belongs to no constructor of the type.
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

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidValue { value, field } => {
                write!(f, "unexpected value {value} for {field}")
            }
            Self::TooDeep => f.write_str("values are nested too deep"),
            Self::TooManyItems { count } => {
                write!(f, "a vector announces {count} items, more than the input can hold")
            }
            Self::TrailingBytes { count } => write!(f, "{count} bytes are left behind the value"),
            Self::UnexpectedEnd => f.write_str("the input ends inside the value"),
            Self::UnknownConstructor { id, expected } => write!(
                f,
                "unknown constructor {id:#010x} for {expected}; it may be of another layer"
            ),
        }
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
