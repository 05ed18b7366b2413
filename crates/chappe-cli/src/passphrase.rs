//! Where the passphrase of an encrypted session comes from: a file, a command, or a person.
//!
//! A command lets every keyring do it: `secret-tool lookup app chappe`, `pass show chappe`,
//! `security find-generic-password -w -s chappe`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chappe::session::Passphrase;
use zeroize::Zeroizing;

use crate::args::{Global, Source};
use crate::output::{Exit, Failure};
use crate::prompt;

/// Where to look for it.
#[derive(Clone, Debug)]
pub(crate) enum Passphrases {
    /// The first line that this command prints.
    Command(String),
    /// The first line of this file.
    File(PathBuf),
    /// Whoever sits at the terminal.
    Person,
}

impl Passphrases {
    /// What is typed counts before the environment, and that before the configuration file.
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let [file, command] =
            ["passphrase_file", "passphrase_command"].map(|option| global.sources.of(option));
        match (&global.passphrase_file, &global.passphrase_command) {
            (Some(_), Some(_)) if file == command && file != Source::File => {
                Err(Failure::usage("--passphrase-file and --passphrase-command are both given")
                    .hint("give one of the two"))
            }
            (Some(path), _) if file >= command => Ok(Self::File(path.clone())),
            (_, Some(command)) => Ok(Self::Command(command.clone())),
            (_, None) => Ok(Self::Person),
        }
    }

    /// Whether nobody has to be asked.
    pub(crate) fn is_configured(&self) -> bool {
        !matches!(self, Self::Person)
    }

    /// The passphrase of what is encrypted already; `what` says of what, for a person.
    pub(crate) async fn known(&self, what: &str) -> Result<Passphrase, Failure> {
        match self {
            Self::Command(command) => run(command).await,
            Self::File(path) => read(path),
            Self::Person => {
                let question = format!("Passphrase of {what}");
                Ok(prompt::secret(&question, FLAGS).await?.into())
            }
        }
    }

    /// A passphrase to encrypt with, which a person types twice.
    pub(crate) async fn fresh(&self) -> Result<Passphrase, Failure> {
        match self {
            Self::Person => {
                let text = prompt::new_secret("New passphrase", FLAGS).await?;
                if text.is_empty() {
                    return Err(Failure::usage("the passphrase is empty; nothing was changed"));
                }
                Ok(text.into())
            }
            other => other.known("").await,
        }
    }
}

fn read(path: &Path) -> Result<Passphrase, Failure> {
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        Failure::usage(format!("cannot read the passphrase from {}: {error}", path.display()))
    })?;
    first_line(&text, &format!("the passphrase file {}", path.display()))
}

/// Runs the command; what it asks and complains about, a person sees.
async fn run(command: &str) -> Result<Passphrase, Failure> {
    let mut shell = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    shell.arg(if cfg!(windows) { "/C" } else { "-c" }).arg(command);
    shell.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    let failed =
        |why: String| Failure::new(Exit::Permission, format!("the passphrase command {why}"));
    let done = tokio::task::spawn_blocking(move || shell.output()).await;
    let output = match done {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(failed(format!("cannot be run: {error}"))),
        Err(_) => return Err(failed("was not run".to_owned())),
    };
    let text = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(failed(format!("failed ({})", output.status))
            .hint("run it by itself; `chappe config show` says where it was named"));
    }
    let text = std::str::from_utf8(&text)
        .map_err(|_| failed("printed something that is no text".to_owned()))?;
    first_line(text, "what the passphrase command printed")
}

fn first_line(text: &str, what: &str) -> Result<Passphrase, Failure> {
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.into()),
        _ => Err(Failure::usage(format!("{what} is empty; its first line is the passphrase"))),
    }
}

/// What gives a passphrase where there is nobody to ask.
const FLAGS: &str = "--passphrase-file or --passphrase-command";
