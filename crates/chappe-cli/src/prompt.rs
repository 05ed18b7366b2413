//! Questions to a person. Without a terminal nothing is asked: the command fails and names the
//! flag that answers.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use dialoguer::{Input, Password};
use zeroize::Zeroizing;

use crate::output::{Exit, Failure, notice, printable};

/// Asks for a line; `flag` answers it where there is nobody to ask.
pub(crate) async fn line(question: &str, flag: &str) -> Result<String, Failure> {
    require_terminal(question, flag)?;
    let question = question.to_owned();
    ask(move || Input::<String>::new().with_prompt(question).interact_text()).await
}

/// Asks for a line that may be empty.
pub(crate) async fn line_or_nothing(question: &str, flag: &str) -> Result<String, Failure> {
    require_terminal(question, flag)?;
    let question = question.to_owned();
    let input = || Input::<String>::new().with_prompt(question).allow_empty(true);
    ask(move || input().interact_text()).await
}

/// Asks for something that is not shown while it is typed, and that may be empty.
pub(crate) async fn secret_or_nothing(question: &str, flag: &str) -> Result<String, Failure> {
    require_terminal(question, flag)?;
    let question = question.to_owned();
    ask(move || Password::new().with_prompt(question).allow_empty_password(true).interact()).await
}

/// Asks for something that is not shown while it is typed.
pub(crate) async fn secret(question: &str, flag: &str) -> Result<String, Failure> {
    require_terminal(question, flag)?;
    let question = question.to_owned();
    ask(move || Password::new().with_prompt(question).interact()).await
}

/// Asks for something new that is not shown while it is typed, twice; it may be empty.
pub(crate) async fn new_secret(question: &str, flag: &str) -> Result<String, Failure> {
    require_terminal(question, flag)?;
    let question = question.to_owned();
    ask(move || {
        Password::new()
            .with_prompt(question)
            .with_confirmation("Once more", "The two are not the same.")
            .allow_empty_password(true)
            .interact()
    })
    .await
}

/// Asks a question that is answered by yes or no; no without a word. The whole line is the answer:
/// a question that listens to keys takes `nay` for a yes, and leaves the cursor hidden at Ctrl-C.
pub(crate) async fn agrees(question: &str, flag: &str) -> Result<bool, Failure> {
    require_terminal(question, flag)?;
    let question = format!("{question} [y/N]");
    loop {
        let answer = line_or_nothing(&question, flag).await?;
        let answer = answer.trim();
        match answer.to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "" | "n" | "no" => return Ok(false),
            _ => notice(&format!("`{}` is neither yes nor no: type y or n.", printable(answer))),
        }
    }
}

/// Asks before a destructive act. `--yes` answers beforehand.
pub(crate) async fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if agrees(question, "--yes").await? {
        Ok(())
    } else {
        Err(Failure::new(Exit::Other, "nothing was changed"))
    }
}

/// Reads the first line of standard input: how a secret gets in without a terminal.
pub(crate) async fn from_stdin(what: &str) -> Result<String, Failure> {
    let text = ask(|| {
        let mut text = String::new();
        io::stdin().lock().read_line(&mut text)?;
        Ok::<_, io::Error>(text)
    })
    .await?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Failure::usage(format!("standard input is empty; it should hold {what}")));
    }
    Ok(text.to_owned())
}

/// Reads all of standard input.
pub(crate) async fn all_of_stdin() -> Result<String, Failure> {
    ask(|| io::read_to_string(io::stdin().lock())).await
}

/// Reads all of standard input, whatever it holds, up to a limit.
pub(crate) async fn bytes_of_stdin(limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    ask(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    })
    .await
}

/// Whether there is somebody to ask.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn require_terminal(question: &str, flag: &str) -> Result<(), Failure> {
    if is_possible() {
        return Ok(());
    }
    Err(Failure::usage(format!("nobody can be asked here ({question}); give {flag}")))
}

/// Runs a question beside the network, which must not wait for a person.
async fn ask<T: Send + 'static, E: Into<dialoguer::Error> + Send + 'static>(
    question: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(question).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(unanswered(&error.into())),
        Err(_) => Err(Failure::new(Exit::Other, "the question could not be asked")),
    }
}

/// A question takes Ctrl-C for itself, as a key.
fn unanswered(error: &dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(io) = error;
    match io.kind() {
        io::ErrorKind::Interrupted => Failure::new(Exit::Interrupted, "interrupted"),
        _ => Failure::new(Exit::Interrupted, format!("no answer: {io}")),
    }
}
