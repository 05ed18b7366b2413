//! The accounts in one file of many, or in a database: `chappe --session PLACE accounts`.

use std::path::Path;

use chappe::session::sqlite::{self, Kept};
use chappe::session::{Postgres, Sqlite, postgres};
use serde_json::{Value, json};

use crate::args::AccountsCommand;
use crate::errors::failure;
use crate::output::{Cell, Exit, Failure, Output, good, paint};
use crate::prompt;

/// Lists the accounts in a file, or removes one.
pub(crate) async fn in_file(
    path: &Path,
    command: AccountsCommand,
    yes: bool,
    output: Output,
) -> Result<(), Failure> {
    // Opening makes a file, which a list should not.
    if !path.exists() {
        return Err(Failure::new(Exit::NotFound, format!("there is no file {}", path.display()))
            .hint("the first sign-in makes it: `chappe --session sqlite:FILE#ACCOUNT login`"));
    }
    let file = Sqlite::open(path).map_err(failure)?;
    let rows: Vec<Row> = file.accounts().map_err(failure)?.into_iter().map(Row::from).collect();
    if let Some(name) = chosen(&rows, command, yes, output).await? {
        let removed = file.remove(&name).map_err(failure)?;
        say_removed(&name, removed, output)?;
    }
    Ok(())
}

/// Lists the accounts in a database, or removes one.
pub(crate) async fn in_database(
    url: &str,
    command: AccountsCommand,
    yes: bool,
    output: Output,
) -> Result<(), Failure> {
    let fleet = Postgres::connect(url).await.map_err(failure)?;
    let listed = fleet.accounts().await.map_err(failure)?;
    let rows: Vec<Row> = listed.into_iter().map(Row::from).collect();
    if let Some(name) = chosen(&rows, command, yes, output).await? {
        let removed = fleet.remove(&name).await.map_err(failure)?;
        say_removed(&name, removed, output)?;
    }
    Ok(())
}

/// Prints the list; or gives the account that somebody wants to be removed, after a yes.
async fn chosen(
    rows: &[Row],
    command: AccountsCommand,
    yes: bool,
    output: Output,
) -> Result<Option<String>, Failure> {
    match command {
        AccountsCommand::List => {
            let value = json!({ "accounts": rows.iter().map(Row::json).collect::<Vec<_>>() });
            output.answer(&value, || {
                let head = ["ACCOUNT", "WHO", "STATE"].map(cell);
                output.table(&head, &rows.iter().map(Row::cells).collect::<Vec<_>>())
            })?;
            Ok(None)
        }
        AccountsCommand::Remove { name } => {
            let name = name.as_str();
            if !rows.iter().any(|row| row.name == name) {
                return Err(no_account(name));
            }
            let question = format!("Delete the session of `{name}`? Telegram is not told");
            prompt::confirm(&question, yes).await?;
            Ok(Some(name.to_owned()))
        }
        AccountsCommand::Rename { .. } | AccountsCommand::Use { .. } => {
            Err(Failure::usage("accounts in a place of many are listed and removed only")
                .hint("which one is used is a part of --session: sqlite:FILE#ACCOUNT"))
        }
    }
}

fn say_removed(name: &str, removed: bool, output: Output) -> Result<(), Failure> {
    if !removed {
        return Err(no_account(name));
    }
    output.answer(&json!({ "removed": { "name": name } }), || {
        format!("{} the session of `{name}`", paint(good(), "removed"))
    })
}

fn no_account(name: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("there is no account `{name}` there"))
        .hint("`chappe --session PLACE accounts` lists them")
}

/// What is known of an account without its session.
struct Row {
    name: String,
    dc_id: Option<i32>,
    /// Not known of one that is encrypted or broken.
    signed_in: Option<bool>,
    user_id: Option<i64>,
    bot: bool,
    sealed: bool,
    problem: Option<String>,
    /// Who has it now, where that is known.
    holder: Option<String>,
}

impl Row {
    fn who(&self) -> String {
        match (self.user_id, self.signed_in) {
            (Some(id), _) if self.bot => format!("bot {id}"),
            (Some(id), _) => format!("user {id}"),
            (None, Some(true)) => "not known yet".to_owned(),
            (None, _) => "-".to_owned(),
        }
    }

    fn state(&self) -> String {
        let state = match (&self.problem, self.sealed, self.signed_in) {
            (Some(why), ..) => why,
            (None, true, _) => "encrypted",
            (None, false, Some(true)) => "signed in",
            (None, false, _) => "signed out",
        };
        match &self.holder {
            Some(holder) => format!("{state}, in use by {holder}"),
            None => state.to_owned(),
        }
    }

    fn cells(&self) -> Vec<Cell> {
        [self.name.as_str(), &self.who(), &self.state()].map(cell).into()
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "dc_id": self.dc_id,
            "signed_in": self.signed_in,
            "user_id": self.user_id,
            "bot": self.bot,
            "encrypted": self.sealed,
            "problem": self.problem,
            "in_use_by": self.holder,
        })
    }
}

impl From<sqlite::Listed> for Row {
    fn from(entry: sqlite::Listed) -> Self {
        let mut row = Self {
            name: entry.name,
            dc_id: None,
            signed_in: None,
            user_id: None,
            bot: false,
            sealed: matches!(entry.kept, Kept::Sealed),
            problem: None,
            holder: None,
        };
        match entry.kept {
            Kept::Broken(why) => row.problem = Some(why.to_string()),
            Kept::Session { dc_id, signed_in, user_id, bot, .. } => {
                row.dc_id = Some(dc_id);
                row.signed_in = Some(signed_in);
                row.user_id = user_id;
                row.bot = bot;
            }
            _ => {}
        }
        row
    }
}

impl From<postgres::Listed> for Row {
    fn from(listed: postgres::Listed) -> Self {
        Self {
            name: listed.name,
            dc_id: listed.dc_id,
            signed_in: (!listed.sealed).then_some(listed.signed_in),
            user_id: listed.user_id,
            bot: listed.bot,
            sealed: listed.sealed,
            problem: None,
            holder: listed.holder.map(|holder| holder.to_string()),
        }
    }
}

fn cell(text: &str) -> Cell {
    Cell(text.to_owned(), None)
}
