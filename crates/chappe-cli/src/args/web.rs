//! What can be typed behind `chappe web`.

use clap::{Args, Subcommand};

use super::parse_hash_of;

/// What to do with web sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum Web {
    /// List them, last active first
    List,
    /// Log out of one site, or of all
    Reset(Reset),
}

/// Which web sessions to reset.
#[derive(Args, Debug)]
#[command(override_usage = "chappe web reset <HASH>\n       chappe web reset --all")]
pub(crate) struct Reset {
    /// The hash, as `chappe web list` prints it
    #[arg(
        value_name = "HASH",
        allow_hyphen_values = true,
        required_unless_present = "all",
        value_parser = parse_hash
    )]
    pub(crate) hash: Option<i64>,
    /// Log out of every site
    #[arg(long, conflicts_with = "hash")]
    pub(crate) all: bool,
}

fn parse_hash(text: &str) -> Result<i64, String> {
    parse_hash_of(text, "chappe web list")
}
