//! A long page at a terminal, by the pager that the person has.

use std::io::{self, IsTerminal as _};
use std::process::{ExitStatus, Stdio};
use std::{env, fmt};

use anstream::{AutoStream, ColorChoice, adapter::strip_str};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::interrupt::{Asked, Interrupt};
use crate::output::{Exit, Failure, Output, notice, printable};

/// Shows a page by the pager of [`Pager::chosen`]; prints it where there is none, where nobody is
/// there to press its keys, and where it fails.
pub(super) async fn show(text: &str, output: Output) -> Result<(), Failure> {
    let Some(pager) = Pager::chosen().filter(|_| io::stdin().is_terminal()) else {
        return output.line(text.trim_end());
    };
    // Ctrl-C is a key of the pager: who goes away before it leaves the terminal as it was set.
    let interrupt = Interrupt::listen_at_a_terminal()?;
    match pager.run(text, interrupt).await? {
        End::Read => Ok(()),
        End::Unread(why) => {
            if let Some(why) = why {
                let line = printable(&pager.line);
                notice(&format!("The pager `{line}` {why}. Here is the page:\n"));
            }
            output.line(text.trim_end())
        }
    }
}

/// A pager, and where it is named.
struct Pager {
    line: String,
    /// Whether somebody chose it, and wants to hear what is wrong with it.
    is_chosen: bool,
}

/// How a pager ended.
enum End {
    /// The person read as much as they wanted.
    Read,
    /// The page was not shown, or not well; why, where somebody wants to hear it.
    Unread(Option<String>),
}

impl Pager {
    /// The pager of `$CHAPPE_PAGER`, else of `$PAGER`, else `less`; none where the name is empty or
    /// `cat`, and none at a terminal that cannot move its cursor.
    fn chosen() -> Option<Self> {
        if env::var_os("TERM").is_some_and(|terminal| terminal == "dumb") {
            return None;
        }
        let named = VARIABLES.iter().find_map(|variable| env::var(variable).ok());
        let pager = match named {
            Some(line) => Self { line: line.trim().to_owned(), is_chosen: true },
            None => Self { line: DEFAULT?.to_owned(), is_chosen: false },
        };
        (!pager.line.is_empty() && pager.line != "cat").then_some(pager)
    }

    /// The command: a program with its options, or what a shell has to read.
    fn command(&self) -> Command {
        let mut words = self.line.split_whitespace();
        let is_plain = !cfg!(unix) || !self.line.contains(OF_SHELLS);
        let mut command = match words.next().filter(|_| is_plain) {
            Some(program) => {
                let mut command = Command::new(program);
                command.args(words);
                command
            }
            None => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(&self.line);
                shell
            }
        };
        command.stdin(Stdio::piped()).kill_on_drop(true);
        // It ends by itself where all fits, shows colours, and leaves the page on the screen.
        if env::var_os("LESS").is_none() {
            command.env("LESS", "FRX");
        }
        if env::var_os("LV").is_none() {
            command.env("LV", "-c");
        }
        // The page is UTF-8, whatever language the rest of the system speaks.
        if env::var_os("LESSCHARSET").is_none() {
            command.env("LESSCHARSET", "utf-8");
        }
        command
    }

    async fn run(&self, text: &str, mut interrupt: Interrupt) -> Result<End, Failure> {
        let text = match AutoStream::choice(&io::stdout()) {
            ColorChoice::Never => strip_str(text).to_string(),
            _ => text.to_owned(),
        };
        let before = Settings::of_terminal();
        let mut child = match self.command().spawn() {
            Ok(child) => child,
            Err(error) => return Ok(self.unread(&format!("cannot be started: {error}"))),
        };
        if let Some(mut input) = child.stdin.take() {
            // Who has read enough ends the pager before it has everything.
            tokio::spawn(async move { input.write_all(text.as_bytes()).await });
        }
        let mut is_interrupted = false;
        let status = loop {
            tokio::select! {
                biased;
                asked = interrupt.wait() => match asked {
                    Asked::CtrlC => is_interrupted = true,
                    #[cfg(unix)]
                    Asked::Terminate => {
                        end(&mut child).await;
                        before.restore();
                        return Err(Failure::new(Exit::Interrupted, "interrupted"));
                    }
                },
                status = child.wait() => break status,
            }
        };
        if !status.as_ref().is_ok_and(|status| status.code().is_some()) {
            before.restore();
        }
        Ok(match status {
            // Some end so when they are told to by Ctrl-C.
            Ok(status) if status.success() || is_interrupted => End::Read,
            Ok(status) => self.unread(&Ended(status).to_string()),
            Err(error) => self.unread(&format!("is lost: {error}")),
        })
    }

    fn unread(&self, why: &str) -> End {
        End::Unread(self.is_chosen.then(|| why.to_owned()))
    }
}

/// How a pager failed, in words.
struct Ended(ExitStatus);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.code() {
            // A shell says so when there is no such command.
            Some(127) => f.write_str("is not there"),
            Some(code) => write!(f, "failed with exit code {code}"),
            None => write!(f, "was ended ({})", self.0),
        }
    }
}

/// Ends a pager, and all that it started where that can be known: where this process is the first
/// of its group, nobody else is in it.
#[cfg(unix)]
async fn end(child: &mut Child) {
    use rustix::process::{Pid, Signal, getpgrp, getpid};

    let asked = match child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        _ if getpgrp() == getpid() => {
            rustix::process::kill_current_process_group(Signal::TERM).is_ok()
        }
        Some(pid) => rustix::process::kill_process(pid, Signal::TERM).is_ok(),
        None => false,
    };
    // A pager that will not end is made to.
    if !asked || tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// How a terminal was set before a pager got it.
struct Settings(#[cfg(unix)] Option<rustix::termios::Termios>);

impl Settings {
    #[cfg(unix)]
    fn of_terminal() -> Self {
        Self(rustix::termios::tcgetattr(io::stdin()).ok())
    }

    /// Sets it so again. Who is in the background must not.
    #[cfg(unix)]
    fn restore(&self) {
        use rustix::termios::{OptionalActions, tcgetpgrp, tcsetattr};

        let stdin = io::stdin();
        let is_behind = tcgetpgrp(&stdin).is_ok_and(|group| group != rustix::process::getpgrp());
        if let Some(settings) = self.0.as_ref().filter(|_| !is_behind) {
            let _ = tcsetattr(&stdin, OptionalActions::Now, settings);
        }
    }

    #[cfg(not(unix))]
    fn of_terminal() -> Self {
        Self()
    }

    #[cfg(not(unix))]
    fn restore(&self) {}
}

/// Where a pager is named, the first that is set.
const VARIABLES: [&str; 2] = ["CHAPPE_PAGER", "PAGER"];

/// The pager that nearly every system has.
const DEFAULT: Option<&str> = if cfg!(unix) { Some("less") } else { None };

/// What a shell reads in another way than a program's name and its options.
const OF_SHELLS: &[char] = &[
    '|', '&', ';', '<', '>', '(', ')', '$', '`', '\\', '"', '\'', '\n', '*', '?', '[', '#', '~',
    '=', '%', '{', '!',
];

/// How long a pager may take to end.
#[cfg(unix)]
const GRACE: std::time::Duration = std::time::Duration::from_secs(2);
