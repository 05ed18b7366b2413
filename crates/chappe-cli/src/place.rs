//! Where the accounts of this machine are kept: a name and a session file each, apart for each server.
//!
//! | in the data directory | what |
//! |---|---|
//! | `telegram.session` | the account `default` of production Telegram |
//! | `telegram/NAME.session` | the account NAME |
//! | `telegram/chosen` | the name that `chappe accounts use` chose |
//! | `telegram-test.session`, `telegram-test/` | the same for Telegram's test servers |
//! | `server-*.session`, `server-*/` | the same for a server with a key of its own |
//! | `*.who` | beside a session: who signed in, for people; never a phone number |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chappe::api::types::User;
use chappe::session::{self, Session, Store as _};

use crate::args::{Global, Name, Source};
use crate::directories::{self, make_private};
use crate::output::{Exit, Failure};
use crate::telegram::{Telegram, telegram};
use crate::user::user_json;

/// Where the accounts of one Telegram are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    folder: PathBuf,
}

impl Place {
    /// The place of the Telegram that is meant.
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        Self::of(&telegram(global)?)
    }

    /// One place a server key, so that trying something locally cannot touch a real account.
    pub(crate) fn of(telegram: &Telegram) -> Result<Self, Failure> {
        let name = match telegram {
            Telegram::Production => PRODUCTION.to_owned(),
            Telegram::Server { pem, .. } => {
                let key: String = pem.split_whitespace().collect();
                format!("{SERVER}{:08x}", crc32fast::hash(key.as_bytes()))
            }
            Telegram::Test => TEST.to_owned(),
        };
        Ok(Self { folder: directories::data()?.join(name) })
    }

    /// Every place that there is on this machine, production first.
    pub(crate) fn all() -> Result<Vec<Self>, Failure> {
        let data = directories::data()?;
        let mut names: Vec<String> = entries(&data)?
            .into_iter()
            .map(|name| name.strip_suffix(SESSION).map_or_else(|| name.clone(), str::to_owned))
            .filter(|name| [PRODUCTION, TEST].contains(&name.as_str()) || is_server(name))
            .collect();
        names.sort_unstable_by_key(|name| (is_server(name), name.clone()));
        names.dedup();
        Ok(names.into_iter().map(|name| Self { folder: data.join(name) }).collect())
    }

    /// The session file of an account.
    pub(crate) fn session(&self, name: &Name) -> PathBuf {
        match name.is_default() {
            true => self.folder.with_extension("session"),
            false => self.folder.join(format!("{name}{SESSION}")),
        }
    }

    /// Which account is meant, and who says so.
    pub(crate) fn account(&self, global: &Global) -> (Name, Source) {
        match (&global.account, self.chosen()) {
            (Some(name), _) => (name.clone(), global.sources.of("account")),
            (None, Some(name)) => (name, Source::Chosen),
            (None, None) => (Name::default(), Source::Default),
        }
    }

    /// The accounts that have a session, by name.
    pub(crate) fn names(&self) -> Result<Vec<Name>, Failure> {
        let named = entries(&self.folder)?;
        let named = named.iter().filter_map(|entry| entry.strip_suffix(SESSION)?.parse().ok());
        let first = self.session(&Name::default()).exists().then(Name::default);
        let mut names: Vec<Name> = named.filter(|name: &Name| !name.is_default()).collect();
        names.extend(first);
        names.sort_unstable_by_key(|name| (!name.is_default(), name.clone()));
        Ok(names)
    }

    /// Says that there is no such account, and which one may be meant.
    pub(crate) fn no_account(&self, name: &Name) -> Failure {
        let failure = Failure::new(Exit::NotFound, format!("there is no account `{name}` here"));
        let names = self.names().unwrap_or_default();
        let near = names.iter().min_by_key(|known| distance(known, name));
        match near.filter(|known| distance(known, name) <= 2.min(name.as_str().len() / 2)) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None if names.is_empty() => {
                failure.hint(format!("sign in to it first: `chappe --account {name} login`"))
            }
            None => failure.hint(format!(
                "{} {}; a new one begins with `chappe --account {name} login`",
                if names.len() == 1 { "there is" } else { "there are" },
                names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
            )),
        }
    }

    /// The other accounts that are sessions of the same user, as far as that can be told without
    /// a passphrase.
    pub(crate) fn twins(&self, name: &Name, user_id: i64) -> Result<Vec<Name>, Failure> {
        let is_twin = |other: &Name| {
            let session = session::File::new(self.session(other)).load().ok().flatten();
            let session = session.filter(Session::is_signed_in);
            other != name && session.and_then(|it| it.user_id()) == Some(user_id)
        };
        Ok(self.names()?.into_iter().filter(is_twin).collect())
    }

    pub(crate) fn chosen(&self) -> Option<Name> {
        fs::read_to_string(self.folder.join(CHOSEN)).ok()?.trim().parse().ok()
    }

    /// Marks the account that is used when none is named.
    pub(crate) fn choose(&self, name: &Name) -> Result<(), Failure> {
        let mark = self.folder.join(CHOSEN);
        if name.is_default() {
            return remove_if_there(&mark);
        }
        self.make()?;
        fs::write(&mark, format!("{name}\n")).map_err(|error| cannot_write(&mark, &error))
    }

    /// Makes the folder.
    pub(crate) fn make(&self) -> Result<(), Failure> {
        make_private(&self.folder).map_err(|error| cannot_write(&self.folder, &error))
    }

    /// Whose servers the accounts are of, in a word.
    pub(crate) fn servers(&self) -> &'static str {
        match self.folder.file_name().and_then(|name| name.to_str()) {
            Some(PRODUCTION) => "production",
            Some(TEST) => "test",
            _ => "local",
        }
    }
}

/// Notes who signed in, so that a list can say it without dialling.
pub(crate) fn remember(session: &Path, user: &User) -> Result<(), Failure> {
    let path = session.with_extension(WHO);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut file| {
        io::Write::write_all(&mut file, user_json(user).to_string().as_bytes())
    });
    written.map_err(|error| cannot_write(&path, &error))
}

/// Forgets who was signed in.
pub(crate) fn forget_who(session: &Path) -> Result<(), Failure> {
    remove_if_there(&session.with_extension(WHO))
}

/// Removes a session's file, and what was noted of it. That they are gone already is no error.
pub(crate) fn forget(session: &Path) -> Result<(), Failure> {
    forget_who(session)?;
    remove_if_there(session)
}

fn is_server(name: &str) -> bool {
    name.starts_with(SERVER) && !name.contains('.')
}

/// The names in a folder; none if there is no folder.
fn entries(folder: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error: io::Error| {
        Failure::new(Exit::Other, format!("cannot look into {}: {error}", folder.display()))
    };
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if directories::is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut names = Vec::new();
    for entry in found {
        // A name that is no text is none of ours.
        names.extend(entry.map_err(unreadable)?.file_name().into_string().ok());
    }
    Ok(names)
}

fn remove_if_there(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if !directories::is_absent(&error) => {
            Err(Failure::new(Exit::Other, format!("{} stays: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

fn distance(one: &Name, other: &Name) -> usize {
    strsim::damerau_levenshtein(one.as_str(), other.as_str())
}

pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Other, format!("cannot write {}: {error}", path.display()))
}

/// The folder of production Telegram's accounts.
const PRODUCTION: &str = "telegram";
/// The folder of the accounts of Telegram's test servers.
const TEST: &str = "telegram-test";
/// What the folder of a server with a key of its own begins with.
const SERVER: &str = "server-";
/// What a session file ends with.
const SESSION: &str = ".session";
/// The extension of what is noted beside a session.
pub(crate) const WHO: &str = "who";
/// The file that names the account of `chappe accounts use`.
const CHOSEN: &str = "chosen";
