//! The names of the formats.

use std::{fmt, str::FromStr};

use super::ForeignError;

/// A format that a session can be kept in: chappe's own, or that of another library.
///
/// As text it is the name that the command line takes, like `telethon-file`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// chappe's own file.
    Chappe,
    /// The `StringSession` of GramJS and teleproto.
    GramJs,
    /// The `StringSession` of Telethon.
    Telethon,
    /// The `.session` file of Telethon, an SQLite database.
    TelethonFile,
    /// The session string of Pyrogram and its successors, Kurigram among them.
    Pyrogram,
    /// The `.session` file of Pyrogram and its successors, an SQLite database.
    PyrogramFile,
    /// The session string of mtcute.
    Mtcute,
    /// The auth string of MTKruto.
    MtKruto,
    /// The session file of gotd, JSON.
    Gotd,
    /// The folder `tdata` of Telegram Desktop.
    Tdata,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Chappe,
        Self::GramJs,
        Self::Telethon,
        Self::TelethonFile,
        Self::Pyrogram,
        Self::PyrogramFile,
        Self::Mtcute,
        Self::MtKruto,
        Self::Gotd,
        Self::Tdata,
    ];

    /// The name, as [`FromStr`] takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chappe => "chappe",
            Self::GramJs => "gramjs",
            Self::Telethon => "telethon",
            Self::TelethonFile => "telethon-file",
            Self::Pyrogram => "pyrogram",
            Self::PyrogramFile => "pyrogram-file",
            Self::Mtcute => "mtcute",
            Self::MtKruto => "mtkruto",
            Self::Gotd => "gotd",
            Self::Tdata => "tdata",
        }
    }

    /// Whether a session is one line of text, which can be pasted.
    pub const fn is_text(self) -> bool {
        matches!(
            self,
            Self::GramJs | Self::Telethon | Self::Pyrogram | Self::Mtcute | Self::MtKruto
        )
    }

    /// Whether a session is a folder of files, and not one string or file.
    pub const fn is_folder(self) -> bool {
        matches!(self, Self::Tdata)
    }

    /// Whether it needs the feature `sqlite`.
    pub const fn is_sqlite(self) -> bool {
        matches!(self, Self::TelethonFile | Self::PyrogramFile)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = ForeignError;

    fn from_str(name: &str) -> Result<Self, ForeignError> {
        let found = Self::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or(ForeignError::NoFormat)
    }
}

/// The names of all formats, for an error to list.
pub(super) struct Names;

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, format) in Format::ALL.into_iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{format}")?;
        }
        Ok(())
    }
}
