//! Sessions of other libraries: reading them, and writing what they read.
//!
//! | [`Format`] | what | keeps, besides the auth key and its data centre |
//! |---|---|---|
//! | `gramjs` | a string | the address |
//! | `telethon` | a string | the address, in numbers |
//! | `telethon-file` | SQLite | the address |
//! | `pyrogram` | a string | who is signed in, test servers, the api id |
//! | `pyrogram-file` | SQLite | the same, and the address in its newest version |
//! | `mtcute` | a string | the address, who is signed in, test servers |
//! | `mtkruto` | a string | who is signed in, test servers, the api id |
//! | `gotd` | JSON | the address |
//! | `tdata` | a folder | the keys of all data centres, who is signed in, test servers |
//!
//! ```no_run
//! use chappe::session::{Format, Foreign, foreign::{self, Home}};
//!
//! # fn example(text: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let format = foreign::guess(text.as_bytes()).unwrap_or(Format::GramJs);
//! let session = Foreign::read(format, text.as_bytes())?;
//! println!("{format}: data centre {}, user {:?}", session.dc_id(), session.user_id);
//! let for_telethon = session.write(Format::Telethon)?;
//! # let _ = for_telethon;
//! # Ok(())
//! # }
//! ```
//!
//! One auth key is one device: whoever goes on with an imported session must no longer use it
//! in the other library, or Telegram ends it with `AUTH_KEY_DUPLICATED`.

mod address;
mod error;
mod fields;
mod format;
mod gotd;
mod gramjs;
mod home;
mod load;
mod mtcute;
mod mtkruto;
mod pyrogram;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tdata;
mod telethon;

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use chappe_crypto::AuthKey;

use self::fields::Buffer;
pub use self::{
    error::{Field, Flaw, ForeignError},
    format::Format,
    home::Home,
    load::load,
    tdata::{read_tdata, write_tdata},
};
use super::SessionBytes;
use crate::dc;

/// What a session of another library says.
///
/// Whoever holds it *is* the account: `Debug` shows no key, and the keys are wiped when it is
/// dropped.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Foreign {
    /// Where the home data centre was reached, as `host:port`, if the format keeps it.
    pub address: Option<String>,
    /// Who is signed in, if the format keeps it and it is known.
    pub user_id: Option<i64>,
    /// Whether that is a bot, if the format keeps it.
    pub bot: Option<bool>,
    /// Whether it is an account of Telegram's test servers, if the format keeps it.
    pub test: Option<bool>,
    /// The api id of the program that signed in, if the format keeps it.
    pub api_id: Option<i32>,
    dc_id: i32,
    /// There is one for the home.
    keys: BTreeMap<i32, AuthKey>,
    /// The fingerprint of the server's key, if it is known.
    server: Option<i64>,
}

impl Foreign {
    /// Makes one of a data centre and the auth key that was agreed on with it.
    pub fn new(dc_id: i32, key: [u8; 256]) -> Self {
        Self {
            address: None,
            user_id: None,
            bot: None,
            test: None,
            api_id: None,
            dc_id,
            keys: BTreeMap::from([(dc_id, AuthKey::from_bytes(key))]),
            server: None,
        }
    }

    /// Reads a session; white space around a text does not matter. Whatever has no place in
    /// [`Foreign`], like known users and chats, is left out.
    ///
    /// # Errors
    /// What is wrong with it, or [`ForeignError::OtherFormat`] if it is one of another format.
    /// `tdata` is read by a function of its own.
    pub fn read(format: Format, input: &[u8]) -> Result<Self, ForeignError> {
        read(format, input).map_err(|error| match guess(input) {
            Some(found) if found != format && read(found, input).is_ok() => {
                ForeignError::OtherFormat { asked: format, found }
            }
            _ => error,
        })
    }

    /// Writes the session as the other library wants it.
    ///
    /// # Errors
    /// [`ForeignError::Missing`] if the format keeps what this session does not say,
    /// [`ForeignError::Unwritable`] if it has no room for something.
    pub fn write(&self, format: Format) -> Result<SessionBytes, ForeignError> {
        self.write_edition(format, false)
    }

    /// Writes an older form of the format that wants less, where there is one: `pyrogram`
    /// without the api id (356 characters), `mtkruto` without the api id and the user.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_older(&self, format: Format) -> Result<SessionBytes, ForeignError> {
        self.write_edition(format, true)
    }

    fn write_edition(&self, format: Format, older: bool) -> Result<SessionBytes, ForeignError> {
        self.home_key(format)?;
        if self.dc_id <= 0 {
            let why = "the number of its data centre is none";
            return Err(ForeignError::Unwritable { format, why });
        }
        let written = match format {
            Format::Chappe => {
                let session = self.clone().into_session(Home::Auto)?;
                let why = "it is too large";
                return session.to_bytes().map_err(|_| ForeignError::Unwritable { format, why });
            }
            Format::GramJs => gramjs::write(self),
            Format::Telethon => telethon::write(self),
            Format::Pyrogram => pyrogram::write(self, older),
            Format::Mtcute => mtcute::write(self),
            Format::MtKruto => mtkruto::write(self, older),
            Format::Gotd => gotd::write(self),
            #[cfg(feature = "sqlite")]
            Format::TelethonFile | Format::PyrogramFile => sqlite::write(self, format),
            #[cfg(not(feature = "sqlite"))]
            Format::TelethonFile | Format::PyrogramFile => Err(ForeignError::NoSqlite(format)),
            other => Err(ForeignError::Shape(other)),
        };
        written.map(SessionBytes::new)
    }

    /// The home data centre: where the account lives.
    pub const fn dc_id(&self) -> i32 {
        self.dc_id
    }

    /// The data centres that there is an auth key for, the home among them.
    pub fn dc_ids(&self) -> impl Iterator<Item = i32> + '_ {
        self.keys.keys().copied()
    }

    /// The auth key of a data centre. It is the account: show it to nobody.
    pub fn key(&self, dc_id: i32) -> Option<&[u8; 256]> {
        self.keys.get(&dc_id).map(AuthKey::as_bytes)
    }

    /// Adds the auth key of another data centre, or replaces one.
    pub fn set_key(&mut self, dc_id: i32, key: [u8; 256]) {
        self.keys.insert(dc_id, AuthKey::from_bytes(key));
    }

    /// Makes one of what was read, if that can be.
    fn checked(dc_id: i32, key: &[u8; 256]) -> Result<Self, Flaw> {
        if dc_id <= 0 {
            return Err(Flaw::DcId);
        }
        if key.iter().all(|byte| *byte == 0) {
            return Err(Flaw::NoKey);
        }
        Ok(Self::new(dc_id, *key))
    }

    /// Says where it was reached. If that is one of Telegram's, it is known which.
    fn at(mut self, address: String) -> Self {
        self.test = address::split(&address).and_then(|(host, _)| dc::is_test(host)).or(self.test);
        self.address = Some(address);
        self
    }

    /// Takes a user id that was read; 0 says that it is not known.
    fn set_user(&mut self, user_id: u64, bot: bool) -> Result<(), Flaw> {
        let user_id = i64::try_from(user_id).map_err(|_| Flaw::Field("its user id is none"))?;
        if user_id != 0 {
            (self.user_id, self.bot) = (Some(user_id), Some(bot));
        }
        Ok(())
    }

    /// Takes an api id that was read; 0 says that it is not known.
    fn set_api_id(&mut self, api_id: i64) -> Result<(), Flaw> {
        let api_id = i32::try_from(api_id).ok().filter(|api_id| *api_id >= 0);
        self.api_id = Some(api_id.ok_or(Flaw::Field("its api id is none"))?).filter(|id| *id > 0);
        Ok(())
    }

    fn home_key(&self, format: Format) -> Result<&[u8; 256], ForeignError> {
        let key = self.key(self.dc_id).filter(|key| key.iter().any(|byte| *byte != 0));
        key.ok_or_else(|| ForeignError::malformed(format, Flaw::NoKey))
    }

    fn byte_dc_id(&self, format: Format) -> Result<u8, ForeignError> {
        let dc_id = u8::try_from(self.dc_id).ok().filter(|dc_id| *dc_id > 0);
        let why = "the number of its data centre is not between 1 and 255";
        dc_id.ok_or(ForeignError::Unwritable { format, why })
    }

    /// Who is signed in, for a format that says so.
    fn user(&self, format: Format) -> Result<(u64, bool), ForeignError> {
        let user_id = self.user_id.and_then(|user_id| u64::try_from(user_id).ok());
        let missing = ForeignError::Missing { format, field: Field::User };
        user_id.zip(self.bot).filter(|(user_id, _)| *user_id > 0).ok_or(missing)
    }

    /// The api id, for a format that says it.
    fn api_id(&self, format: Format) -> Result<i32, ForeignError> {
        let known = self.api_id.filter(|api_id| *api_id > 0);
        known.ok_or(ForeignError::Missing { format, field: Field::ApiId })
    }

    /// The address, as host and port; one of Telegram's need not be said.
    fn home_address(&self, format: Format) -> Result<(String, u16), ForeignError> {
        let address = self.address.clone().or_else(|| self.telegrams_address());
        let address = address.ok_or(ForeignError::Missing { format, field: Field::Address })?;
        let parts =
            address::split(&address).filter(|(host, port)| address::join(host, *port).is_ok());
        let why = "its address is no host with a port";
        let (host, port) = parts.ok_or(ForeignError::Unwritable { format, why })?;
        Ok((host.to_owned(), port))
    }

    /// The address in numbers.
    fn home_ip(&self, format: Format) -> Result<(IpAddr, u16), ForeignError> {
        let ip = |host: &str, port| {
            let local = (host == "localhost").then_some(Ipv4Addr::LOCALHOST.into());
            Some((local.or_else(|| host.parse().ok())?, port))
        };
        let telegrams = || {
            let address = self.telegrams_address()?;
            address::split(&address).and_then(|(host, port)| ip(host, port))
        };
        let (host, port) = self.home_address(format)?;
        let why = "the address of its server is a name, and this format keeps numbers only";
        ip(&host, port).or_else(telegrams).ok_or(ForeignError::Unwritable { format, why })
    }

    /// Whether the address is known to be none of Telegram's: the server is another one, or it is
    /// on this machine or network.
    fn is_of_own_server(&self) -> bool {
        self.is_elsewhere() || self.server.is_some_and(|server| home::test_of(server).is_none())
    }

    /// Where Telegram's own data centre of this number is; none for a server of one's own.
    fn telegrams_address(&self) -> Option<String> {
        let test = match self.server {
            Some(fingerprint) => home::test_of(fingerprint)?,
            None => self.test.unwrap_or(false),
        };
        let options = dc::built_in(test);
        options.into_iter().find(|option| option.dc_id == self.dc_id).map(|option| option.address)
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign")
            .field("dc_id", &self.dc_id)
            .field("address", &self.address)
            .field("user_id", &self.user_id)
            .field("bot", &self.bot)
            .field("test", &self.test)
            .field("api_id", &self.api_id)
            .finish_non_exhaustive()
    }
}

/// Which format the bytes of a string or file look like. What looks like one need not be whole:
/// [`Foreign::read`] says what is wrong with it.
pub fn guess(input: &[u8]) -> Option<Format> {
    if input.starts_with(b"CHAPPE\r\n") || input.starts_with(b"CHSEAL\r\n") {
        return Some(Format::Chappe);
    }
    if input.starts_with(b"TDF$") {
        return Some(Format::Tdata);
    }
    if input.starts_with(b"SQLite format 3\0") {
        // The text that made a table is in the first pages.
        let front = input.get(..SCHEMA).unwrap_or(input);
        let has = |table: &[u8]| front.windows(table.len()).any(|window| window == table);
        return match (has(b"CREATE TABLE entities"), has(b"CREATE TABLE peers")) {
            (true, false) => Some(Format::TelethonFile),
            (false, true) => Some(Format::PyrogramFile),
            _ => None,
        };
    }
    if input.trim_ascii_start().starts_with(b"{") {
        return Some(Format::Gotd);
    }
    let text = text(input).ok()?;
    let is_pyrogram = matches!(text.trim_end_matches('=').len(), 351 | 356 | 362);
    if let Some(rest) = text.strip_prefix('1') {
        return Some(match text {
            text if gramjs::is_own(text) => Format::GramJs,
            _ if telethon::has_length(rest) => Format::Telethon,
            text if is_pyrogram && pyrogram::read(text).is_ok() => Format::Pyrogram,
            _ => Format::GramJs,
        });
    }
    if is_pyrogram {
        return Some(Format::Pyrogram);
    }
    // What the others begin with: a version and flags, or the length of `2` or `2-test`.
    let bytes = fields::decode(text.get(..8)?).ok()?;
    match *bytes.first_chunk()? {
        [1..=3, flags, 0, 0, 0] if flags < 8 => Some(Format::Mtcute),
        [1..=8, b'0'..=b'9', ..] => Some(Format::MtKruto),
        _ => None,
    }
}

fn read(format: Format, input: &[u8]) -> Result<Foreign, ForeignError> {
    let flawed = |flaw| ForeignError::malformed(format, flaw);
    match format {
        Format::Chappe => home::read(input),
        Format::GramJs => gramjs::read(text(input).map_err(flawed)?).map_err(flawed),
        Format::Telethon => {
            let text = text(input).map_err(flawed)?;
            // By its length alone it might pass for one of Telethon's.
            if gramjs::is_own(text) {
                let (asked, found) = (format, Format::GramJs);
                return Err(ForeignError::OtherFormat { asked, found });
            }
            telethon::read(text).map_err(flawed)
        }
        Format::Pyrogram => pyrogram::read(text(input).map_err(flawed)?).map_err(flawed),
        Format::Mtcute => mtcute::read(text(input).map_err(flawed)?),
        Format::MtKruto => mtkruto::read(text(input).map_err(flawed)?).map_err(flawed),
        Format::Gotd => gotd::read(input),
        #[cfg(feature = "sqlite")]
        Format::TelethonFile | Format::PyrogramFile => sqlite::read(format, input),
        #[cfg(not(feature = "sqlite"))]
        Format::TelethonFile | Format::PyrogramFile => Err(ForeignError::NoSqlite(format)),
        other => Err(ForeignError::Shape(other)),
    }
}

/// The line of text, without the white space around it.
fn text(input: &[u8]) -> Result<&str, Flaw> {
    let text = std::str::from_utf8(input.trim_ascii()).map_err(|_| Flaw::Base64)?;
    if text.is_empty() { Err(Flaw::TooShort) } else { Ok(text) }
}

/// Where the text of the tables of a database is looked for.
const SCHEMA: usize = 64 * 1024;
