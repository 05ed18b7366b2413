//! `chappe accounts`: the accounts on this machine.

use std::fs;
use std::io;
use std::path::PathBuf;

use chappe::session::{self, Session, Store as _};
use chappe::{Error, SessionProblem};
use serde_json::{Value, json};

use crate::args::{Accounts, AccountsCommand, Global, Name, Source};
use crate::errors::failure;
use crate::keep::Keep;
use crate::many;
use crate::output::{Cell, Exit, Failure, Output, good, paint, printable};
use crate::place::{Place, WHO, cannot_write, forget};
use crate::prompt;

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

fn list(global: &Global, output: Output) -> Result<(), Failure> {
    // A key that cannot be read keeps nobody from looking at the list.
    let meant = Place::new(global).ok();
    let mut rows = Vec::new();
    for place in Place::all()? {
        let chosen = match &meant {
            Some(meant) if *meant == place => place.account(global).0,
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
    place.make()?;
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
            servers: place.servers(),
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
