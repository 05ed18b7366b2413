//! The accounts on this machine: a name and a session file each, apart for each server.
//!
//! | in the data directory | what |
//! |---|---|
//! | `telegram.session` | the account `default` of production Telegram |
//! | `telegram/NAME.session` | the account NAME |
//! | `telegram/chosen` | the name that `chappe accounts use` chose |
//! | `telegram-test.session`, `telegram-test/` | the same for Telegram's test servers |
//! | `server-*.session`, `server-*/` | the same for a server with a key of its own |
//! | `*.who` | beside a session: who signed in, for people; never a phone number |

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chappe::api::types::User;
use chappe::session::{self, Session, Store as _};
use chappe::{Error, SessionProblem};
use clap_complete::CompletionCandidate;
use serde_json::{Value, json};

use crate::args::{Accounts, AccountsCommand, Global, Source};
use crate::connect::{self, Telegram, failure};
use crate::directories::{self, make_private};
use crate::keep::Keep;
use crate::many;
use crate::output::{Cell, Exit, Failure, Output, good, paint, printable};
use crate::prompt;
use crate::user::user_json;

/// The name of an account: what people type, and a part of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }
}

impl Default for Name {
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

impl FromStr for Name {
    type Err = String;

    /// The same on every file system: none of them folds these letters or gives a meaning to them.
    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let inside = |c: char| plain(c) || matches!(c, '-' | '_' | '.');
        let fits = text.len() <= LONGEST && text.chars().all(inside);
        if fits && text.starts_with(plain) && text.ends_with(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "the name of an account has up to {LONGEST} lower-case letters and digits, and \
                 - _ . between them, such as work"
            ))
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the accounts of one Telegram are kept.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    folder: PathBuf,
}

impl Place {
    /// The place of the Telegram that is meant.
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        Self::of(&connect::telegram(global)?)
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
    fn all() -> Result<Vec<Self>, Failure> {
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
                "there are {}; a new one begins with `chappe --account {name} login`",
                names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
            )),
        }
    }

    /// The other accounts that are sessions of the same user, as far as that can be told without
    /// a passphrase.
    pub(crate) fn twins(&self, name: &Name, user_id: i64) -> Result<Vec<Name>, Failure> {
        let is_twin = |other: &Name| {
            let row = Row::read(self, other, false);
            let session = row.session().filter(|session| session.is_signed_in());
            other != name && session.and_then(Session::user_id) == Some(user_id)
        };
        Ok(self.names()?.into_iter().filter(is_twin).collect())
    }

    fn chosen(&self) -> Option<Name> {
        fs::read_to_string(self.folder.join(CHOSEN)).ok()?.trim().parse().ok()
    }

    /// Marks the account that is used when none is named.
    fn choose(&self, name: &Name) -> Result<(), Failure> {
        let mark = self.folder.join(CHOSEN);
        if name.is_default() {
            return remove_if_there(&mark);
        }
        make_private(&self.folder)
            .and_then(|()| fs::write(&mark, format!("{name}\n")))
            .map_err(|error| cannot_write(&mark, &error))
    }
}

/// `chappe accounts ...`.
pub(crate) async fn accounts(
    global: &Global,
    accounts: Accounts,
    output: Output,
) -> Result<(), Failure> {
    let command = accounts.command.unwrap_or(AccountsCommand::List);
    match Keep::named(global)? {
        Some(Keep::Postgres { url, .. }) => {
            return many::in_database(&url, command, global.yes, output).await;
        }
        Some(Keep::Sqlite { path, .. }) => {
            return many::in_file(&path, command, global.yes, output).await;
        }
        Some(Keep::File(_)) | None => {}
    }
    match command {
        AccountsCommand::List => list(global, output),
        AccountsCommand::Use { name } => choose(global, &name, output),
        AccountsCommand::Rename { old, new } => rename(global, &old, &new, output),
        AccountsCommand::Remove { name } => remove(global, &name, output).await,
    }
}

/// The names of all accounts on this machine, for a shell to complete.
pub(crate) fn candidates() -> Vec<CompletionCandidate> {
    let places = Place::all().unwrap_or_default();
    let mut names: Vec<Name> =
        places.iter().flat_map(|place| place.names().unwrap_or_default()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| CompletionCandidate::new(name.0)).collect()
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
fn forget(session: &Path) -> Result<(), Failure> {
    forget_who(session)?;
    remove_if_there(session)
}

fn list(global: &Global, output: Output) -> Result<(), Failure> {
    // A key that cannot be read keeps nobody from looking at the list.
    let meant = Place::new(global).ok();
    let mut rows = Vec::new();
    for place in Place::all()? {
        let chosen = match &meant {
            Some(meant) if meant.folder == place.folder => place.account(global).0,
            _ => place.chosen().unwrap_or_default(),
        };
        for name in place.names()? {
            rows.push(Row::read(&place, &name, name == chosen));
        }
    }
    let value = json!({ "accounts": rows.iter().map(Row::json).collect::<Vec<_>>() });
    output.answer(&value, || {
        if rows.is_empty() {
            return "no account yet; the first one begins with `chappe login`".to_owned();
        }
        let head = ["ACCOUNT", "CHOSEN", "WHO", "SERVER", "STATE"].map(cell);
        output.table(&head, &rows.iter().map(Row::cells).collect::<Vec<_>>())
    })
}

fn choose(global: &Global, name: &Name, output: Output) -> Result<(), Failure> {
    if global.account.is_some() && global.sources.of("account") == Source::File {
        return Err(Failure::new(
            Exit::Conflict,
            "the configuration file names the account, which counts more",
        )
        .hint(format!(
            "change `account` there, or remove it: {}",
            crate::config::path(global)?.display()
        )));
    }
    let place = Place::new(global)?;
    if !place.session(name).exists() {
        return Err(place.no_account(name));
    }
    place.choose(name)?;
    output.answer(&json!({ "chosen": name.as_str() }), || {
        format!("{} `{name}` is used where no --account is given", paint(good(), "chosen:"))
    })
}

fn rename(global: &Global, old: &Name, new: &Name, output: Output) -> Result<(), Failure> {
    let place = Place::new(global)?;
    let (from, to) = (place.session(old), place.session(new));
    if !from.exists() {
        return Err(place.no_account(old));
    }
    let was_used = place.chosen().unwrap_or_default() == *old;
    make_private(&place.folder).map_err(|error| cannot_write(&place.folder, &error))?;
    // Nobody may be using a session that moves, or be signing in where it goes.
    let _old_lock = session::File::new(&from).lock().map_err(failure)?;
    let _new_lock = session::File::new(&to).lock().map_err(failure)?;
    if to.exists() {
        return Err(Failure::new(Exit::Conflict, format!("there is an account `{new}` already"))
            .hint("choose another name, or rename that one first"));
    }
    fs::rename(&from, &to).map_err(|error| cannot_write(&to, &error))?;
    match fs::rename(from.with_extension(WHO), to.with_extension(WHO)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(cannot_write(&to.with_extension(WHO), &error));
        }
        _ => {}
    }
    if was_used {
        place.choose(new)?;
    }
    let value = json!({ "renamed": { "from": old.as_str(), "to": new.as_str() } });
    output.answer(&value, || format!("{} `{old}` is now `{new}`", paint(good(), "renamed:")))
}

async fn remove(global: &Global, name: &Name, output: Output) -> Result<(), Failure> {
    let place = Place::new(global)?;
    let session = place.session(name);
    if !session.exists() {
        return Err(place.no_account(name));
    }
    let _lock = session::File::new(&session).lock().map_err(failure)?;
    let row = Row::read(&place, name, false);
    let question = format!(
        "Delete the session of `{name}` ({}) from this machine? Telegram is not told; \
         `chappe --account {name} logout` signs out as well",
        if row.sealed { "encrypted".to_owned() } else { printable(&row.who()) }
    );
    prompt::confirm(&question, global.yes).await?;
    forget(&session)?;
    if place.chosen().as_ref() == Some(name) {
        place.choose(&Name::default())?;
    }
    output.answer(&json!({ "removed": row.json() }), || {
        format!("{} the session of `{name}`", paint(good(), "removed"))
    })
}

/// What is known of an account without dialling.
struct Row {
    name: Name,
    path: PathBuf,
    servers: &'static str,
    chosen: bool,
    session: Result<Option<Session>, String>,
    sealed: bool,
    noted: Option<Value>,
}

impl Row {
    fn read(place: &Place, name: &Name, chosen: bool) -> Self {
        let path = place.session(name);
        let session = session::File::new(&path).load();
        let sealed = matches!(&session, Err(Error::Session(error))
            if matches!(error.problem(), SessionProblem::Sealed));
        let noted = fs::read_to_string(path.with_extension(WHO)).ok();
        Self {
            name: name.clone(),
            servers: match place.folder.file_name().and_then(|name| name.to_str()) {
                Some(PRODUCTION) => "production",
                Some(TEST) => "test",
                _ => "local",
            },
            chosen,
            sealed,
            session: session.map_err(|error| match error {
                Error::Session(error) => error.problem().to_string(),
                other => other.to_string(),
            }),
            noted: noted.and_then(|text| serde_json::from_str(&text).ok()),
            path,
        }
    }

    fn session(&self) -> Option<&Session> {
        self.session.as_ref().ok()?.as_ref()
    }

    /// What was noted, if it is about whom the session belongs to.
    fn noted(&self, field: &str) -> Option<&str> {
        let noted = self.noted.as_ref()?;
        let same = noted["id"].as_i64() == Some(self.session()?.user_id()?);
        noted[field].as_str().filter(|text| same && !text.is_empty())
    }

    fn who(&self) -> String {
        let Some(session) = self.session().filter(|session| session.is_signed_in()) else {
            return "-".to_owned();
        };
        let Some(id) = session.user_id() else { return "not known yet".to_owned() };
        let names: Vec<_> =
            ["first_name", "last_name"].iter().filter_map(|field| self.noted(field)).collect();
        let username = self.noted("username").map(|username| format!("@{username}"));
        let words: Vec<_> = names.iter().map(|name| (*name).to_owned()).chain(username).collect();
        match words.is_empty() {
            true if session.is_bot() => format!("bot {id}"),
            true => format!("user {id}"),
            false => words.join(" "),
        }
    }

    fn server(&self) -> String {
        match self.session().map(Session::address).unwrap_or_default() {
            address if self.servers == "local" && !address.is_empty() => address.to_owned(),
            _ => self.servers.to_owned(),
        }
    }

    fn state(&self) -> String {
        match &self.session {
            Ok(Some(session)) if session.is_signed_in() => "signed in".to_owned(),
            Ok(_) => "signed out".to_owned(),
            Err(_) if self.sealed => "encrypted".to_owned(),
            Err(why) => why.clone(),
        }
    }

    fn cells(&self) -> Vec<Cell> {
        let mark = if self.chosen { "*" } else { "" };
        let cells = [self.name.as_str(), mark, &self.who(), &self.server(), &self.state()];
        cells.map(cell).into()
    }

    fn json(&self) -> Value {
        let session = self.session();
        json!({
            "name": self.name.as_str(),
            "chosen": self.chosen,
            "servers": self.servers,
            "address": session.map(Session::address),
            "dc_id": session.map(Session::dc_id),
            "signed_in": session.map(Session::is_signed_in),
            "user_id": session.and_then(Session::user_id),
            "bot": session.map(Session::is_bot),
            "first_name": self.noted("first_name"),
            "last_name": self.noted("last_name"),
            "username": self.noted("username"),
            "encrypted": self.sealed,
            "problem": self.session.as_ref().err().filter(|_| !self.sealed),
            "path": self.path.to_string_lossy(),
        })
    }
}

fn cell(text: &str) -> Cell {
    Cell(text.to_owned(), None)
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
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
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
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::new(Exit::Other, format!("{} stays: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

fn distance(one: &Name, other: &Name) -> usize {
    strsim::damerau_levenshtein(one.as_str(), other.as_str())
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Other, format!("cannot write {}: {error}", path.display()))
}

/// The account of whoever never named one.
const DEFAULT: &str = "default";
/// The longest name, in bytes.
const LONGEST: usize = 32;
/// The folder of production Telegram's accounts.
const PRODUCTION: &str = "telegram";
/// The folder of the accounts of Telegram's test servers.
const TEST: &str = "telegram-test";
/// What the folder of a server with a key of its own begins with.
const SERVER: &str = "server-";
/// What a session file ends with.
const SESSION: &str = ".session";
/// The extension of what is noted beside a session.
const WHO: &str = "who";
/// The file that names the account of `chappe accounts use`.
const CHOSEN: &str = "chosen";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path_on_every_system() {
        for good in ["a", "work", "work-2", "ada.lovelace", "2026", "default"] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        let long = "a".repeat(LONGEST + 1);
        for bad in ["", ".", "..", "a/b", "a\\b", "-x", ".x", "x.", "A", "a b", "ä", "a:b", &long]
        {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
