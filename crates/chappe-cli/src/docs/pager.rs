//! A long page at a terminal, by the pager that the person has.

use std::env;
use std::io::{IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

use anstream::{AutoStream, ColorChoice, adapter::strip_str};

use crate::interrupt::Interrupt;
use crate::output::{Failure, Output};

/// Shows a page by `$PAGER`, or by `less` where none is named; prints it where there is none, or where
/// it is set to nothing or to `cat`.
pub(super) async fn show(text: &str, output: Output) -> Result<(), Failure> {
    // A pager that asks for keys needs somebody who presses them.
    let Some(mut pager) = command().filter(|_| std::io::stdin().is_terminal()) else {
        return output.line(text.trim_end());
    };
    let text = match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => strip_str(text).to_string(),
        _ => text.to_owned(),
    };
    // Ctrl-C is a key of the pager: who goes away before it leaves the terminal as it was set.
    let interrupt = Interrupt::listen()?;
    let Ok(mut child) = pager.stdin(Stdio::piped()).spawn() else {
        return output.line(text.trim_end());
    };
    let input = child.stdin.take();
    let ended = tokio::task::spawn_blocking(move || {
        // Who has read enough ends the pager before it has everything.
        let _ = input.map(|mut input| input.write_all(text.as_bytes()));
        child.wait()
    });
    let ended = ended.await;
    drop(interrupt);
    match ended {
        // A shell says so when there is no such pager.
        Ok(Ok(status)) if status.code() == Some(NO_COMMAND) => {
            let hint = "set PAGER to a program that is there, or say --no-pager";
            Err(Failure::usage("the pager of $PAGER is not there").hint(hint))
        }
        _ => Ok(()),
    }
}

/// The pager, as Git calls it: by a shell, since it may be a command with options.
fn command() -> Option<Command> {
    let named = env::var("PAGER").ok();
    let pager = match named.as_deref().map(str::trim) {
        None => DEFAULT?,
        Some("" | "cat") => return None,
        Some(pager) => pager,
    };
    let mut command = match cfg!(unix) {
        true => {
            let mut command = Command::new("sh");
            command.args(["-c", pager]);
            command
        }
        false => {
            let mut words = pager.split_whitespace();
            let mut command = Command::new(words.next()?);
            command.args(words);
            command
        }
    };
    // It ends by itself where all fits, shows colours, and leaves the page on the screen.
    if env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    if env::var_os("LV").is_none() {
        command.env("LV", "-c");
    }
    Some(command)
}

/// The pager that nearly every system has.
const DEFAULT: Option<&str> =
    if cfg!(unix) { Some("command -v less >/dev/null && exec less || exec cat") } else { None };

/// What a shell ends with when there is no such command.
const NO_COMMAND: i32 = 127;
