//! The accounts in one file of many: `chappe --session sqlite:FILE accounts`.

use std::path::Path;

use chappe::session::{Entry, Kept, Sqlite};
use serde_json::{Value, json};

use crate::args::AccountsCommand;
use crate::connect::failure;
use crate::output::{Cell, Exit, Failure, Output, good, paint, printable};
use crate::prompt;

/// Lists them, or removes one.
pub(crate) async fn accounts(
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
    match command {
        AccountsCommand::List => {
            let entries = file.accounts().map_err(failure)?;
            let value = json!({ "accounts": entries.iter().map(to_json).collect::<Vec<_>>() });
            output.answer(&value, || {
                let cell = |text: &str| Cell(text.to_owned(), None);
                let rows: Vec<_> = entries
                    .iter()
                    .map(|entry| vec![cell(&entry.name), cell(&who(entry)), cell(&state(entry))])
                    .collect();
                output.table(&[cell("ACCOUNT"), cell("WHO"), cell("STATE")], &rows)
            })
        }
        AccountsCommand::Remove { name } => {
            let question = format!(
                "Delete the session of `{name}` from {}? Telegram is not told",
                path.display()
            );
            let name = name.as_str();
            if !file.accounts().map_err(failure)?.iter().any(|entry| entry.name == name) {
                return Err(no_account(name));
            }
            prompt::confirm(&question, yes).await?;
            if !file.remove(name).map_err(failure)? {
                return Err(no_account(name));
            }
            output.answer(&json!({ "removed": { "name": name } }), || {
                format!("{} the session of `{name}`", paint(good(), "removed"))
            })
        }
        AccountsCommand::Rename { .. } | AccountsCommand::Use { .. } => {
            Err(Failure::usage("accounts in a file of many are listed and removed only")
                .hint("which one is used is a part of --session: sqlite:FILE#ACCOUNT"))
        }
    }
}

fn no_account(name: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("there is no account `{name}` in this file"))
        .hint("`chappe --session sqlite:FILE accounts` lists them")
}

fn who(entry: &Entry) -> String {
    match entry.kept {
        Kept::Session { user_id: Some(id), is_bot: true, .. } => format!("bot {id}"),
        Kept::Session { user_id: Some(id), .. } => format!("user {id}"),
        Kept::Session { is_signed_in: true, .. } => "not known yet".to_owned(),
        _ => "-".to_owned(),
    }
}

fn state(entry: &Entry) -> String {
    match &entry.kept {
        Kept::Broken(why) => printable(&why.to_string()),
        Kept::Sealed => "encrypted".to_owned(),
        Kept::Session { is_signed_in: true, .. } => "signed in".to_owned(),
        _ => "signed out".to_owned(),
    }
}

fn to_json(entry: &Entry) -> Value {
    let (mut dc, mut user, mut bot, mut signed_in) = (None, None, None, None);
    if let Kept::Session { dc_id, is_signed_in, user_id, is_bot, .. } = entry.kept {
        (dc, user, bot, signed_in) = (Some(dc_id), user_id, Some(is_bot), Some(is_signed_in));
    }
    json!({
        "name": entry.name,
        "dc_id": dc,
        "signed_in": signed_in,
        "user_id": user,
        "bot": bot,
        "encrypted": matches!(entry.kept, Kept::Sealed),
        "problem": match &entry.kept {
            Kept::Broken(why) => Some(why.to_string()),
            _ => None,
        },
    })
}
