//! What can be typed behind `chappe session`.

use std::path::PathBuf;

use chappe::session::Format;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::value::number;

/// What to do with a session.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
The passphrase is asked for on a terminal. Elsewhere it comes from --passphrase-file or \
--passphrase-command, which any keyring can serve. With either of them, the sessions of new \
sign-ins are encrypted from the beginning. In the configuration file:
  passphrase_command = \"secret-tool lookup app chappe\"

Examples:
  chappe session show                             whose it is, how it is kept
  chappe session show FILE                        one of another library
  chappe session encrypt --new-passphrase-file FILE")]
pub(crate) enum Session {
    /// Show what a session says, and nothing secret: the account's own, or one of another library
    Show(Given),
    /// Take over a session of another library, so that nobody has to sign in anew
    Import(Import),
    /// Write the account's session as another library wants it
    Export(Export),
    /// Turn a session of one library into one of another
    Convert(Convert),
    /// Encrypt it by a passphrase, or by another one than before
    Encrypt(Encrypt),
    /// Keep it without a passphrase again
    Decrypt,
}

/// Options of `chappe session encrypt`.
#[derive(Args, Debug)]
pub(crate) struct Encrypt {
    /// Take the new passphrase from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
}

/// A session of any library.
#[derive(Args, Debug)]
pub(crate) struct Given {
    /// Take the local passcode of tdata from the first line of this file; asked for on a terminal
    #[arg(long, value_name = "FILE")]
    pub(crate) passcode_file: Option<PathBuf>,
    /// A file, tdata's folder, or - for standard input; never the session itself, which would
    /// stay in the shell's history
    #[arg(value_name = "FILE")]
    pub(crate) source: Option<PathBuf>,
    /// Its format, if it is not recognized by itself
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub(crate) format: Option<Format>,
}

/// Where a session is written to.
#[derive(Args, Debug)]
pub(crate) struct Written {
    /// Write it to this file, which only you can read
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print it on standard output: whoever sees it can be the account
    #[arg(long, conflicts_with = "output")]
    pub(crate) reveal: bool,
    /// Lock tdata by the local passcode in the first line of this file
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passcode_file: Option<PathBuf>,
    /// Write the older form of the format, where there is one, which says less
    #[arg(long)]
    pub(crate) older: bool,
}

/// Options of `chappe session import`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chappe --account work session import session.txt   a string of GramJS, ...
  chappe --account work session import < session.txt
  chappe --account old session import me.session     a file of Telethon, ...")]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) given: Given,
    /// Which one, if there are several: `chappe session show` numbers them
    #[arg(long, value_name = "N", value_parser = number(1..=usize::MAX, NUMBER))]
    pub(crate) number: Option<usize>,
    /// Do not ask Telegram whether the session is good, and whose it is
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Options of `chappe session export`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chappe session export --format gramjs -o session.txt
  chappe session export --format telethon --reveal     on standard output")]
pub(crate) struct Export {
    /// The format to write
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) written: Written,
    /// Do not ask Telegram for what the session does not say
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Options of `chappe session convert`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chappe session convert me.session --to gramjs -o session.txt
  chappe session convert --to telethon --reveal < session.txt")]
pub(crate) struct Convert {
    #[command(flatten)]
    pub(crate) given: Given,
    /// The format to write
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub(crate) to: Format,
    #[command(flatten)]
    pub(crate) written: Written,
    /// Which one, if there are several
    #[arg(long, value_name = "N", value_parser = number(1..=usize::MAX, NUMBER))]
    pub(crate) number: Option<usize>,
    /// The user who is signed in, if the session does not say it
    #[arg(
        long,
        value_name = "ID",
        value_parser = number(1..=i64::MAX, "a whole number above 0, such as 5097314184")
    )]
    pub(crate) user_id: Option<i64>,
    /// Say that this user is a bot
    #[arg(long, requires = "user_id")]
    pub(crate) bot: bool,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| name.parse::<Format>())
}

/// What chooses one of several sessions.
const NUMBER: &str = "`chappe session show` numbers them from 1 on, such as 2";
