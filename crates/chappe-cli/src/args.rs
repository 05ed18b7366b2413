//! The command line as data: what can be typed, and what each word means.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Telegram from a terminal, and a Telegram in a box to run it against.
#[derive(Debug, Parser)]
#[command(
    name = "chappe",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  chappe demo                                   the whole story in one process, offline
  chappe serve --data ./telegram                a local Telegram to test against
  chappe --server 127.0.0.1:4430 --server-key server.pem login
  chappe web list                               the sites that you are logged in to
  chappe web reset -81985529216486895           log out of one of them
  chappe call help.getNearestDc                 any method of the schema, as JSON

Exit codes: 0 ok, 1 other, 2 usage, 3 not found, 4 sign-in or permission, 5 conflict,
6 flood wait, 7 network, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command understands.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Speak to this server instead of production Telegram
    #[arg(
        long,
        global = true,
        value_name = "ADDR",
        env = "CHAPPE_SERVER",
        requires = "server_key",
        value_parser = parse_address
    )]
    pub(crate) server: Option<SocketAddr>,
    /// The server's RSA public key (PEM), the only one that is accepted
    #[arg(long, global = true, value_name = "FILE.pem", env = "CHAPPE_SERVER_KEY")]
    pub(crate) server_key: Option<PathBuf>,
    /// The session file [default: one per server in the user's data directory]
    #[arg(long, global = true, value_name = "FILE", env = "TELEGRAM_SESSION")]
    pub(crate) session: Option<PathBuf>,
    /// The application's id, from the developer page of Telegram
    #[arg(long, global = true, value_name = "N", env = "TELEGRAM_API_ID", hide_env_values = true)]
    pub(crate) api_id: Option<i32>,
    /// The application's hash; better given by the environment than typed
    #[arg(
        long,
        global = true,
        value_name = "HASH",
        env = "TELEGRAM_API_HASH",
        hide_env_values = true
    )]
    pub(crate) api_hash: Option<String>,
    /// Give up on an answer after this many seconds, lost connections included
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) timeout: u32,
    /// Print JSON on standard output, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask before a destructive act
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,
    /// Say more on standard error; twice for everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole story offline: a local Telegram, a sign-in, a web session logged out
    Demo,
    /// Run a local Telegram on this machine
    Serve(Serve),
    /// Sign in to an account, or as a bot
    Login(Login),
    /// Sign out and delete the session file
    Logout,
    /// Show who is signed in
    Whoami,
    /// The sites that the account is logged in to with Telegram
    #[command(subcommand)]
    Web(Web),
    /// Call any method of the schema by its TL name
    Call(Call),
}

/// Options of `chappe serve`.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = parse_address)]
    pub(crate) listen: SocketAddr,
    /// Run so many data centres, numbered from 1. The main one, 2, takes the address of --listen,
    /// the others take free ports beside it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) dcs: u8,
    /// Let every data centre listen on the loopback address of IPv6, too
    #[arg(long)]
    pub(crate) ipv6: bool,
    /// Keep the state in this directory [default: in memory, gone at the end]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Make every id and code repeatable from this number
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Open a port that lets tests order faults as JSON over HTTP, on loopback only
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        default_missing_value = "127.0.0.1:0",
        value_parser = parse_address
    )]
    pub(crate) control: Option<SocketAddr>,
    /// Let --listen take an address that other machines can reach. There is no
    /// protection whatever: anybody who reaches it can sign in to every account
    #[arg(long)]
    pub(crate) danger_expose_to_network: bool,
}

/// Options of `chappe login`.
#[derive(Args, Debug)]
pub(crate) struct Login {
    /// The phone number, in international form; asked for on a terminal
    #[arg(long, value_name = "PHONE", conflicts_with = "bot")]
    pub(crate) phone: Option<String>,
    /// The login code, when it is known beforehand; asked for on a terminal
    #[arg(long, value_name = "CODE", conflicts_with = "bot")]
    pub(crate) code: Option<String>,
    /// Read the two-step verification password from standard input
    #[arg(long, conflicts_with = "bot")]
    pub(crate) password_stdin: bool,
    /// First name, when the phone number has no account yet
    #[arg(long, value_name = "NAME", conflicts_with = "bot")]
    pub(crate) first_name: Option<String>,
    /// Last name, when the phone number has no account yet
    #[arg(long, value_name = "NAME", conflicts_with = "bot")]
    pub(crate) last_name: Option<String>,
    /// Sign in as a bot; its token comes from TELEGRAM_BOT_TOKEN or standard input
    #[arg(long)]
    pub(crate) bot: bool,
}

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

/// A method and its arguments.
#[derive(Args, Debug)]
pub(crate) struct Call {
    /// TL name, such as account.resetWebAuthorization
    #[arg(value_name = "METHOD")]
    pub(crate) method: String,
    /// Arguments as a JSON object, or - to read them from standard input
    #[arg(value_name = "JSON", default_value = "{}", allow_hyphen_values = true)]
    pub(crate) arguments: String,
    /// Check and show the request, but send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let explain = |why: String| format!("{why}; give HOST:PORT, such as 127.0.0.1:4430");
    let mut found = text.to_socket_addrs().map_err(|error| explain(error.to_string()))?;
    found.next().ok_or_else(|| explain("no address has this name".to_owned()))
}

fn parse_hash(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| {
        "a hash is a whole number of up to 19 digits, perhaps negative; \
         `chappe web list` prints them"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_negative_hash_is_a_value_and_not_a_flag() {
        let cli = Cli::try_parse_from(["chappe", "web", "reset", "-81985529216486895"]).unwrap();
        let Command::Web(Web::Reset(reset)) = cli.command else { panic!("another command") };
        assert_eq!(reset.hash, Some(-81_985_529_216_486_895));
    }

    #[test]
    fn a_mistyped_hash_says_what_a_hash_is() {
        let error = Cli::try_parse_from(["chappe", "web", "reset", "12x"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("chappe web list"), "{error}");
    }

    #[test]
    fn a_server_without_its_key_is_a_usage_error() {
        let error =
            Cli::try_parse_from(["chappe", "--server", "127.0.0.1:1", "whoami"]).unwrap_err();
        assert!(error.to_string().contains("--server-key"), "{error}");
    }
}
