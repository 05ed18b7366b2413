//! How a request ends when it does not succeed.

use std::borrow::Cow;

use chappe_tl::ErrorName;

/// The refusal of a request: what the client receives as `rpc_error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The class of the error, like 400.
    pub(crate) code: i32,
    /// The name of the error, a number in it spelled out.
    pub(crate) message: Cow<'static, str>,
}

impl Failure {
    /// Spells the number in a name that ends in `_X`.
    pub(crate) fn valued(name: ErrorName, value: i64) -> Self {
        let stem = name.name.strip_suffix('X').unwrap_or(name.name);
        Self { code: name.code, message: Cow::Owned(format!("{stem}{value}")) }
    }

    /// The request has an id that no layer knows. Observed: the id in decimal, then a number
    /// that depends on the server.
    pub(crate) fn unknown_method(id: u32) -> Self {
        Self { code: 400, message: Cow::Owned(format!("INPUT_METHOD_INVALID_{id}_0")) }
    }

    /// The predecessor named by `invokeAfterMsg` did not come: send it again later.
    pub(crate) const PREDECESSOR_MISSING: Self =
        Self { code: -503, message: Cow::Borrowed("MSG_WAIT_TIMEOUT") };

    /// The server itself failed: try again.
    pub(crate) const INTERNAL: Self = Self { code: 500, message: Cow::Borrowed("RPC_CALL_FAIL") };
}

impl From<ErrorName> for Failure {
    fn from(name: ErrorName) -> Self {
        Self { code: name.code, message: Cow::Borrowed(name.name) }
    }
}

/// Why a request stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// By the rules; what it changed until then, like a counted attempt, stays.
    Refused(Failure),
    /// By a defect of this server, like an answer that does not fit the caller's layer; nothing of
    /// it stays, since the client will try again.
    Undone,
    /// By a failure of the database; nothing of it stays.
    Broken(rusqlite::Error),
}

impl Stop {
    /// Whether this is a refusal by this name.
    pub(crate) fn is(&self, name: ErrorName) -> bool {
        matches!(self, Self::Refused(failure) if *failure == name.into())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl From<ErrorName> for Stop {
    fn from(name: ErrorName) -> Self {
        Self::Refused(name.into())
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error)
    }
}

/// What a request comes to.
pub(crate) type Outcome<T> = Result<T, Stop>;
