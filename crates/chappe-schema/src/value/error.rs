//! Why a value cannot be read or written.

use std::fmt;

use chappe_tl::{DecodeError, DecodeErrorKind};

/// A value that does not fit its schema: what is wrong and in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: ValueErrorKind,
    /// From the innermost field outwards.
    path: Vec<String>,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueErrorKind {
    /// The text is not base64.
    #[error("expected {expected} as base64")]
    BadBase64 {
        /// The type that was wanted.
        expected: String,
    },
    /// The bytes are not a value of the wanted type.
    #[error("{0}")]
    Decode(DecodeError),
    /// A field that must be present is not.
    #[error("`{of}` needs the field `{field}` of type {expected}")]
    MissingField {
        /// The field's name.
        field: String,
        /// The constructor or method.
        of: String,
        /// The type that was wanted.
        expected: String,
    },
    /// A number does not fit its type.
    #[error("{value} is out of range for {expected}")]
    OutOfRange {
        /// The number.
        value: String,
        /// The type that was wanted.
        expected: String,
    },
    /// Objects are nested deeper than a decoder would read.
    #[error("values are nested too deep")]
    TooDeep,
    /// The type has no constructor of this name.
    #[error("`{name}` is not a constructor of {expected}; write {allowed}")]
    UnknownConstructor {
        /// The given name.
        name: String,
        /// The type that was wanted.
        expected: String,
        /// The nearest constructor, or those that there are.
        allowed: String,
    },
    /// The constructor or method has no field of this name.
    #[error("`{of}` has no field `{field}`; {hint}")]
    UnknownField {
        /// The given name.
        field: String,
        /// The constructor or method.
        of: String,
        /// The nearest field, or those that there are.
        hint: String,
    },
    /// The schema has no method of this name.
    #[error("there is no method `{name}`{hint}")]
    UnknownMethod {
        /// The given name.
        name: String,
        /// The nearest method, if one is near.
        hint: String,
    },
    /// The value is of another type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// The type that was wanted.
        expected: String,
        /// What was given.
        found: String,
    },
}

impl ValueError {
    /// Builds the error; the path is empty.
    #[cold]
    pub(crate) fn new(kind: ValueErrorKind) -> Self {
        Self(Box::new(Inner { kind, path: Vec::new() }))
    }

    /// Says that the error lies inside this field or item.
    #[cold]
    pub(crate) fn within(mut self, step: impl Into<String>) -> Self {
        self.0.path.push(step.into());
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &ValueErrorKind {
        &self.0.kind
    }

    /// Where: field names and item numbers from the outside in, as in `peer.users[3].id`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.0.path.iter().rev() {
            if !path.is_empty() && !step.starts_with('[') {
                path.push('.');
            }
            path.push_str(step);
        }
        path
    }
}

impl From<DecodeError> for ValueError {
    fn from(error: DecodeError) -> Self {
        let kind = match error.kind() {
            DecodeErrorKind::TooDeep => ValueErrorKind::TooDeep,
            _ => ValueErrorKind::Decode(error),
        };
        Self::new(kind)
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        self.0.kind.fmt(f)
    }
}

impl std::error::Error for ValueError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ValueErrorKind::Decode(error) => Some(error),
            _ => None,
        }
    }
}
