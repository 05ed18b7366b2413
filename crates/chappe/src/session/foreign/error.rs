//! What can be wrong with a session of another library.

use std::{fmt, io};

use super::{Format, format::Names};

/// Why a session of another library cannot be read, used or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// It is read as one format, but belongs to another one.
    #[error("this is no session of {asked} but one of {found}; read it as {found}")]
    OtherFormat {
        /// The format that was asked for.
        asked: Format,
        /// The format that it has.
        found: Format,
    },
    /// No format fits.
    #[error("this is no session in a format that chappe knows ({Names}), or it is not complete")]
    Unknown,
    /// No format has this name.
    #[error("there is no such format; the formats are {Names}")]
    NoFormat,
    /// It is not what the format wants.
    #[error("this is no session of {format}: {flaw}")]
    Malformed {
        /// The format.
        format: Format,
        /// What is wrong.
        flaw: Flaw,
    },
    /// The format has versions, and this one is not known.
    #[error("version {version} of the format {format} is not known; update chappe")]
    Version {
        /// The format.
        format: Format,
        /// The version that it says.
        version: i64,
    },
    /// The format keeps something that the session does not say.
    #[error("a session of {format} says {field}")]
    Missing {
        /// The format that was to be written.
        format: Format,
        /// What is missing.
        field: Field,
    },
    /// The session holds something that the format has no room for.
    #[error("this session cannot be one of {format}: {why}")]
    Unwritable {
        /// The format that was to be written.
        format: Format,
        /// What does not fit.
        why: &'static str,
    },
    /// The address is none of Telegram's, and no server was named.
    #[error(
        "this session is of a server that is not Telegram's; give the address and the key of \
         that server"
    )]
    OwnServer,
    /// It cannot be a session of the server that was named.
    #[error("{0}")]
    Home(&'static str),
    /// The local passcode is missing or wrong.
    #[error("the passcode is wrong, or there is one and it was not given")]
    Passcode,
    /// It is larger than any session.
    #[error("this is larger than any session; name a session")]
    TooLarge,
    /// chappe was built without SQLite.
    #[error("{0} is a database; build chappe with the feature `sqlite` to use it")]
    NoSqlite(Format),
    /// One function is for folders, the other for strings and files.
    #[error("{}", if .0.is_folder() { "tdata is a folder; name the folder" } else { "this format is no folder" })]
    Shape(Format),
    /// A file or folder cannot be read or written.
    #[error("{0}")]
    Io(#[source] io::Error),
}

impl ForeignError {
    pub(super) const fn malformed(format: Format, flaw: Flaw) -> Self {
        Self::Malformed { format, flaw }
    }
}

/// What is wrong with a session that is not what its format wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// The address is none.
    Address,
    /// It is no base64 text.
    Base64,
    /// A checksum does not fit.
    Checksum,
    /// The number of the data centre is none.
    DcId,
    /// A field holds a value that it cannot have.
    Field(&'static str),
    /// It is no JSON, or JSON of another shape.
    Json,
    /// It has the wrong length.
    Length {
        /// The bytes, or the characters of a text, that were found.
        found: u32,
        /// What the format wants.
        wanted: &'static str,
    },
    /// Nobody ever connected with it: there is no auth key.
    NoKey,
    /// It is no SQLite database, or one without the tables.
    Sqlite,
    /// It ends too early.
    TooShort,
    /// There is more behind its end.
    Trailing,
    /// Another program has it open, or was killed while it had.
    Unfinished,
}

impl Flaw {
    pub(super) fn length(found: usize, wanted: &'static str) -> Self {
        Self::Length { found: u32::try_from(found).unwrap_or(u32::MAX), wanted }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Address => "the address of its server is none",
            Self::Base64 => "it is no base64 text, or a part of it is missing; copy it again",
            Self::Checksum => "it is damaged, its checksum does not fit",
            Self::DcId => "the number of its data centre is none",
            Self::Field(words) => words,
            Self::Json => "it is no JSON, or has other fields",
            Self::Length { found, wanted } => {
                return write!(f, "it has {found}, not {wanted}; copy it again");
            }
            Self::NoKey => "it holds no auth key, nobody signed in with it",
            Self::Sqlite => "it is no SQLite database, or has other tables",
            Self::TooShort => "it ends too early; copy it again",
            Self::Trailing => "there is something behind its end; copy it again",
            Self::Unfinished => {
                "a program has it open, or was killed while it had; end that program, or start \
                 and end it once more"
            }
        };
        f.write_str(words)
    }
}

/// Something that a format keeps and a session may not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// Where the server is.
    Address,
    /// The api id of the program.
    ApiId,
    /// Who is signed in, and whether that is a bot.
    User,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "where the server is, and this one does not; connect with it once",
            Self::ApiId => {
                "the api id, and this one does not; give the api id, or write the older form \
                 without"
            }
            Self::User => {
                "who is signed in, and this one does not; sign in, or connect with it once and \
                 ask `Client::me`"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_small_and_cross_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<ForeignError>();
        assert!(size_of::<ForeignError>() <= 32, "{}", size_of::<ForeignError>());
    }
}
