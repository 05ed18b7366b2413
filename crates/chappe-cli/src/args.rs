//! The command line as data: what can be typed, and what each word means.

mod account;
mod approve;
mod name;
mod reference;
mod session;
mod value;
mod web;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use self::account::{
    Account, DevicesCommand, NewPassword, PasswordCommand, Recover, RecoveryAddress, ResetDevice,
};
pub(crate) use self::approve::Approve;
pub(crate) use self::name::Name;
pub(crate) use self::reference::{Docs, Lang, known_layers};
pub(crate) use self::session::{Convert, Encrypt, Export, Given, Import, Session, Written};
use self::value::{ApiId, number, parse_address, parse_bot_domain, wrong_id};
pub(crate) use self::value::{ServerName, parse_server};
pub(crate) use self::web::{ListWeb, ResetWeb, Site, WatchWeb, Web, WebFilter, Whose};

/// Telegram from a terminal, and a Telegram in a box to run it against.
#[derive(Debug, Parser)]
#[command(
    name = "chappe",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  chappe demo                                 the whole story, offline
  chappe demo --web                           a web login and back, in a browser
  chappe serve --data ./telegram              a local Telegram to test against
  chappe --server 127.0.0.1:4430 --server-key server.pem login
  chappe login --qr                           by a code that a device scans
  chappe --account work session import FILE   a session of another library
  chappe accounts                             who is signed in on this machine
  chappe web list                             the sites you are logged in to
  chappe web reset -81985529216486895         log out of one of them
  chappe web reset --inactive-for 90d         log out of what is not used
  chappe account devices                      where the account is signed in
  chappe call help.getNearestDc               any method of the schema, as JSON
  chappe docs account.resetWebAuthorization   what a method does, offline

Exit codes: 0 ok, 1 other, 2 usage, 3 not found, 4 sign-in or permission, 5 conflict, \
6 flood wait, 7 network, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command understands. Each has a twin in the environment, and some have one
/// in the configuration file: what is typed counts before the environment, which counts before
/// the file.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Use this account [default: the one of `chappe accounts use`, else `default`]
    #[arg(long, global = true, value_name = "NAME", env = "TELEGRAM_ACCOUNT")]
    pub(crate) account: Option<Name>,
    /// Keep the session in this file and not in one of an account; or in a file of many accounts,
    /// sqlite:FILE#ACCOUNT, or a database, postgres://HOST/DATABASE#ACCOUNT
    #[arg(
        long,
        global = true,
        value_name = "PLACE",
        env = "TELEGRAM_SESSION",
        hide_env_values = true
    )]
    pub(crate) session: Option<PathBuf>,
    /// Speak to this server instead of production Telegram; `production` overrules the
    /// configuration file
    #[arg(
        long,
        global = true,
        value_name = "ADDR",
        env = "CHAPPE_SERVER",
        value_parser = parse_server
    )]
    pub(crate) server: Option<ServerName>,
    /// The server's RSA public key (PEM), the only one that is accepted
    #[arg(long, global = true, value_name = "FILE.pem", env = "CHAPPE_SERVER_KEY")]
    pub(crate) server_key: Option<PathBuf>,
    /// Speak to Telegram's test servers, which have accounts of their own
    #[arg(
        long,
        global = true,
        env = "CHAPPE_TEST_SERVERS",
        value_parser = FalseyValueParser::new()
    )]
    pub(crate) test_servers: bool,
    /// The application's id, from the developer page of Telegram; TG_API_ID is understood, too
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "TELEGRAM_API_ID",
        hide_env_values = true,
        allow_negative_numbers = true,
        value_parser = ApiId
    )]
    pub(crate) api_id: Option<i32>,
    /// The application's hash; better given by the environment (TG_API_HASH is understood, too) or
    /// the configuration file than typed
    #[arg(
        long,
        global = true,
        value_name = "HASH",
        env = "TELEGRAM_API_HASH",
        hide_env_values = true
    )]
    pub(crate) api_hash: Option<String>,
    /// Take the passphrase of an encrypted session from the first line of this file
    #[arg(long, global = true, value_name = "FILE", env = "CHAPPE_PASSPHRASE_FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Take the passphrase of an encrypted session from the first line that this command prints,
    /// such as `secret-tool lookup app chappe`
    #[arg(
        long,
        global = true,
        value_name = "COMMAND",
        env = "CHAPPE_PASSPHRASE_COMMAND",
        hide_env_values = true
    )]
    pub(crate) passphrase_command: Option<String>,
    /// The configuration file [default: chappe/config.toml in the user's configuration directory]
    #[arg(long, global = true, value_name = "FILE", env = "CHAPPE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Give up on an answer after this many seconds, lost connections included
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        env = "CHAPPE_TIMEOUT",
        default_value_t = 30,
        value_parser = number(1..=u32::MAX, "a whole number of seconds above 0, such as 30")
    )]
    pub(crate) timeout: u32,
    /// Print JSON on standard output, for programs
    #[arg(long, global = true, env = "CHAPPE_JSON", value_parser = FalseyValueParser::new())]
    pub(crate) json: bool,
    /// Do not ask before a destructive act
    #[arg(long, short, global = true, env = "CHAPPE_YES", value_parser = FalseyValueParser::new())]
    pub(crate) yes: bool,
    /// Say more on standard error; twice for everything
    #[arg(
        long,
        short,
        global = true,
        env = "CHAPPE_VERBOSE",
        action = clap::ArgAction::Count,
        value_parser = number(0..=u8::MAX, "how much to say is a small whole number, such as 1")
    )]
    pub(crate) verbose: u8,
    /// Where each value came from, by the name of its option.
    #[arg(skip)]
    pub(crate) sources: Sources,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Default,
    /// The mark of `chappe accounts use`.
    Chosen,
    File,
    Environment,
    Flag,
}

/// Where each value came from, by the name of its option; nowhere for one that was not given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(BTreeMap<&'static str, Source>);

impl Sources {
    pub(crate) fn of(&self, option: &str) -> Source {
        self.0.get(option).copied().unwrap_or(Source::Default)
    }

    pub(crate) fn set(&mut self, option: &'static str, source: Source) {
        self.0.insert(option, source);
    }
}

impl Cli {
    /// Reads the command line and the environment.
    pub(crate) fn read(
        words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> clap::error::Result<Self> {
        let matches = typed().try_get_matches_from(words)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        for option in OPTIONS {
            match matches.value_source(option) {
                Some(ValueSource::CommandLine) => cli.global.sources.set(option, Source::Flag),
                Some(ValueSource::EnvVariable) => {
                    cli.global.sources.set(option, Source::Environment);
                }
                _ => {}
            }
        }
        cli.global.fill_application()?;
        Ok(cli)
    }
}

impl Global {
    /// Takes the application from the variables that other libraries read, where their namesakes
    /// are not set.
    fn fill_application(&mut self) -> clap::error::Result<()> {
        let given = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        if let (None, Some(text)) = (self.api_id, given("TG_API_ID")) {
            let id = text.trim().parse().ok().filter(|id| *id > 0);
            self.api_id = Some(id.ok_or_else(|| wrong_id(&Cli::command(), "TG_API_ID"))?);
            self.sources.set("api_id", Source::Environment);
        }
        if let (None, Some(text)) = (&self.api_hash, given("TG_API_HASH")) {
            self.api_hash = Some(text);
            self.sources.set("api_hash", Source::Environment);
        }
        Ok(())
    }
}

/// The command line with help that is short: what every command understands is told once, by
/// `chappe --help`, and each command says so.
fn typed() -> clap::Command {
    let command = Cli::command();
    let told = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut command = command.after_long_help(told);
    // Until then, a subcommand does not know the options that it shares.
    command.build();
    let command = command.mut_args(|arg| {
        let shared = arg.is_global_set();
        without_empty_variable(arg.hide_short_help(shared))
    });
    refer(command).mut_subcommands(shorten)
}

fn shorten(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let shared = arg.is_global_set();
        without_empty_variable(arg.hide(shared))
    });
    refer(command).mut_subcommands(shorten)
}

/// A variable that is set to nothing is none, as scripts set it that have nothing to say.
fn without_empty_variable(arg: clap::Arg) -> clap::Arg {
    let is_empty =
        arg.get_env().is_some_and(|name| std::env::var_os(name).is_some_and(|it| it.is_empty()));
    if is_empty { arg.env(None::<&str>) } else { arg }
}

/// Says where the options are that are not listed.
fn refer(command: clap::Command) -> clap::Command {
    let told = command.get_after_help().map(|told| format!("{EVERYWHERE}\n\n{told}"));
    command.after_help(told.unwrap_or_else(|| EVERYWHERE.to_owned()))
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole story offline: a local Telegram, a sign-in, a web session logged out
    Demo(Demo),
    /// Run a local Telegram on this machine
    Serve(Serve),
    /// Sign in to an account, or as a bot
    Login(Login),
    /// Sign out, here and at Telegram
    Logout(Logout),
    /// Show who is signed in
    Whoami,
    /// The accounts on this machine
    Accounts(Accounts),
    /// The session of an account: whose it is, and how it is kept
    #[command(subcommand)]
    Session(Session),
    /// The account at Telegram: its password, and the devices that it is signed in on
    #[command(subcommand)]
    Account(Account),
    /// The sites that the account is logged in to with Telegram
    #[command(subcommand)]
    Web(Web),
    /// Call any method of the schema by its TL name
    Call(Call),
    /// Look up methods, types, errors and layers of Telegram, offline
    Docs(Docs),
    /// The configuration file, and what counts in the end
    #[command(subcommand)]
    Config(Config),
    /// Print a script that completes commands and options in a shell
    Completions(Completions),
}

/// Options of `chappe demo`.
#[derive(Args, Debug)]
#[command(after_help = "\
With --web, a person at a terminal opens the site, clicks, says yes here or on the dashboard, sees \
the login in the list and ends it. Elsewhere, and with --json, the circle is played without a \
browser, each step is checked, and the exit code tells whether all of it holds.

Examples:
  chappe demo                      a sign-in, the list of sites, one logged out
  chappe demo --web --open         a web login in your browser, and its end
  chappe demo --web --json         each step as a line, for programs")]
pub(crate) struct Demo {
    /// Go round a web login: a site, "Log in with Telegram", the consent, the list, the reset
    #[arg(long)]
    pub(crate) web: bool,
    /// Open the site in a browser
    #[arg(long, requires = "web")]
    pub(crate) open: bool,
}

/// Options of `chappe serve`.
#[derive(Args, Debug)]
#[command(after_help = "\
It prints its address, its key and who can sign in, and runs until Ctrl-C; with --json that is one \
object in a line, for programs that start it.

Examples:
  chappe serve --listen 127.0.0.1:4430 --key-file server.pem
  chappe serve --data ./telegram                  with a memory
  chappe serve --web --dashboard --bot-domain MyShopBot=localhost")]
pub(crate) struct Serve {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = parse_address)]
    pub(crate) listen: SocketAddr,
    /// Run so many data centres, numbered from 1. The main one, 2, takes the address of --listen,
    /// the others take free ports beside it
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = number(1..=u8::MAX, "a whole number from 1 to 255, such as 5")
    )]
    pub(crate) dcs: u8,
    /// Let every data centre listen on the loopback address of IPv6, too
    #[arg(long)]
    pub(crate) ipv6: bool,
    /// Keep the state in this directory [default: in memory, gone at the end]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Write the public key to this file, for --server-key of clients
    #[arg(long, value_name = "FILE.pem")]
    pub(crate) key_file: Option<PathBuf>,
    /// Make every id and code repeatable from this number
    #[arg(
        long,
        value_name = "N",
        value_parser = number(0..=u64::MAX, "a whole number above or equal to 0, such as 42")
    )]
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
    /// Serve the pages of "Log in with Telegram", where sites send browsers, on loopback only: the
    /// widget's script, the login window, OpenID Connect
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        default_missing_value = "127.0.0.1:0",
        value_parser = parse_address
    )]
    pub(crate) web: Option<SocketAddr>,
    /// Serve a dashboard for whoever sits here, on loopback only: accounts, devices, sites, consents,
    /// codes. Its address bears a key
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        default_missing_value = "127.0.0.1:0",
        value_parser = parse_address
    )]
    pub(crate) dashboard: Option<SocketAddr>,
    /// Give a bot the domain of its site, as BotFather's /setdomain does: MyShopBot=localhost. A bot
    /// that is not there is made; may be given several times
    #[arg(long, value_name = "BOT=DOMAIN", value_parser = parse_bot_domain)]
    pub(crate) bot_domain: Vec<(String, String)>,
    /// Let --listen take an address that other machines can reach. There is no
    /// protection whatever: anybody who reaches it can sign in to every account
    #[arg(long)]
    pub(crate) danger_expose_to_network: bool,
}

/// Options of `chappe login`. What they answer beforehand is used once.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chappe login                     by phone number and code, step by step
  chappe login --qr                by a code that another device scans
  chappe login --accept LINK       let the device in that shows this link
  TELEGRAM_BOT_TOKEN=... chappe login --bot")]
pub(crate) struct Login {
    /// The phone number, in international form; asked for on a terminal
    #[arg(long, value_name = "PHONE", conflicts_with_all = ["bot", "qr"])]
    pub(crate) phone: Option<String>,
    /// The login code, when it is known beforehand; asked for on a terminal
    #[arg(long, value_name = "CODE", conflicts_with_all = ["bot", "qr"])]
    pub(crate) code: Option<String>,
    /// Read the two-step verification password from standard input
    #[arg(long, conflicts_with = "bot")]
    pub(crate) password_stdin: bool,
    /// The email address for login codes, when Telegram wants one
    #[arg(long, value_name = "ADDRESS", conflicts_with = "bot")]
    pub(crate) email: Option<String>,
    /// The code that was sent to that address
    #[arg(long, value_name = "CODE", conflicts_with = "bot")]
    pub(crate) email_code: Option<String>,
    /// First name, when the phone number has no account yet
    #[arg(long, value_name = "NAME", conflicts_with = "bot")]
    pub(crate) first_name: Option<String>,
    /// Last name, when the phone number has no account yet
    #[arg(long, value_name = "NAME", conflicts_with = "bot")]
    pub(crate) last_name: Option<String>,
    /// Show a QR code, and a link, for a device that is signed in to accept
    #[arg(long, conflicts_with = "bot")]
    pub(crate) qr: bool,
    /// Let another device sign in to this account: the link that it shows (tg://login?token=...);
    /// without LINK it is asked for
    #[arg(long, value_name = "LINK", num_args = 0..=1, conflicts_with_all = ["bot", "qr", "phone"])]
    pub(crate) accept: Option<Option<String>>,
    /// Sign in as a bot; its token comes from TELEGRAM_BOT_TOKEN or standard input
    #[arg(long)]
    pub(crate) bot: bool,
}

/// Options of `chappe logout`.
#[derive(Args, Debug)]
pub(crate) struct Logout {
    /// Keep nothing: neither the session file nor what lets the account sign in here again
    /// without a code
    #[arg(long)]
    pub(crate) forget: bool,
}

/// Options of `chappe accounts`.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  chappe --account work login        sign in to another account beside the first
  chappe accounts                    which there are, and who is signed in
  chappe accounts use work           the account that commands use from now on
  chappe --account work whoami       this one, for once"
)]
pub(crate) struct Accounts {
    #[command(subcommand)]
    pub(crate) command: Option<AccountsCommand>,
}

/// What to do with the accounts on this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountsCommand {
    /// List them all, whatever server they belong to; nothing is dialled
    List,
    /// Choose the account that commands use without --account
    Use {
        /// The account
        #[arg(value_name = "NAME")]
        name: Name,
    },
    /// Give an account another name
    Rename {
        /// The account
        #[arg(value_name = "NAME")]
        old: Name,
        /// Its new name
        #[arg(value_name = "NEW")]
        new: Name,
    },
    /// Delete an account's session from this machine. Telegram is not told: `chappe logout`
    /// signs out as well
    Remove {
        /// The account
        #[arg(value_name = "NAME")]
        name: Name,
    },
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
The file is TOML; all keys are optional, and an unknown one is an error:
  api_id = 12345                       the application, of my.telegram.org/apps
  api_hash = \"0123456789abcdef...\"     its hash: keep the file to yourself
  account = \"work\"                     the one that is used without --account
  server = \"127.0.0.1:4430\"            a local Telegram instead of production
  server_key = \"server.pem\"            its key, looked for beside the file
  passphrase_command = \"pass chappe\"   prints what opens encrypted sessions

What is typed counts before the environment, which counts before the file.")]
pub(crate) enum Config {
    /// Print where the configuration file is looked for
    Path,
    /// Show every setting, and where it comes from; nothing secret is shown
    Show,
}

/// Options of `chappe completions`.
#[derive(Args, Debug)]
#[command(after_help = "\
The script asks chappe itself: the accounts of this machine, methods and other names of the \
reference are completed, too. Write it anew when chappe is updated. zsh has to be told of the \
folder, before compinit: fpath=(~/.zfunc $fpath)

Examples:
  chappe completions bash > ~/.local/share/bash-completion/completions/chappe
  chappe completions zsh > ~/.zfunc/_chappe
  chappe completions fish > ~/.config/fish/completions/chappe.fish")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

/// A method and its arguments.
#[derive(Args, Debug)]
#[command(after_help = "\
Numbers of 64 bits are text in quotes, bytes are base64, and \"_\" names a constructor, as `chappe \
docs METHOD` shows. The answer is JSON, with and without --json.

Examples:
  chappe call help.getNearestDc
  chappe call account.resetWebAuthorization '{\"hash\": \"4457235\"}'
  chappe call help.getConfig --dry-run
  echo '{\"id\": [{\"_\": \"inputUserSelf\"}]}' | chappe call users.getUsers -")]
pub(crate) struct Call {
    /// The TL name, such as account.resetWebAuthorization; `chappe docs` tells what each does
    #[arg(value_name = "METHOD")]
    pub(crate) method: String,
    /// Arguments as a JSON object, or - to read them from standard input
    #[arg(value_name = "JSON", default_value = "{}", allow_hyphen_values = true)]
    pub(crate) arguments: String,
    /// Check and show the request, but send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Where the options are that a command does not list.
const EVERYWHERE: &str =
    "Options of every command, such as --account, --server and --json: chappe --help";
/// The options whose source is worth knowing.
const OPTIONS: &[&str] =
    &["account", "session", "server", "server_key", "api_id", "api_hash", "config", "timeout"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// A command and all below it.
    fn all(command: &clap::Command) -> Vec<&clap::Command> {
        command.get_subcommands().flat_map(all).chain([command]).collect()
    }

    #[test]
    fn help_fits_a_terminal_of_80_columns_and_breaks_no_sentence() {
        for command in all(&Cli::command()) {
            let told = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = told.lines().collect();
            for (line, next) in lines.iter().zip(lines.iter().skip(1).chain([&""])) {
                let name = command.get_name();
                if line.starts_with(' ') {
                    assert!(line.chars().count() <= 80, "{name}: {line}");
                } else if !line.is_empty() {
                    // A paragraph is one line, which is broken where the terminal ends.
                    assert!(next.is_empty() || next.starts_with(' '), "{name}: {line}");
                }
            }
        }
    }

    #[test]
    fn every_option_and_command_is_told_of_in_a_sentence_that_begins_like_one() {
        for command in all(&Cli::command()) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let arguments = command.get_arguments().filter(|arg| !arg.is_hide_set());
            let told = arguments
                .map(|arg| (arg.get_id().to_string(), arg.get_help().map(ToString::to_string)));
            let own = [(String::new(), Some(about))];
            for (id, told) in own.into_iter().chain(told) {
                let (told, name) = (told.unwrap_or_default(), command.get_name());
                let begins = told.chars().next().is_some_and(char::is_uppercase);
                assert!(begins, "{name} {id}: {told}");
                assert!(!told.ends_with('.') && !told.contains('\\'), "{name} {id}: {told}");
            }
        }
    }

    #[test]
    fn what_every_command_understands_is_told_once() {
        let help = |words: &[&str]| Cli::read(words).unwrap_err().to_string();
        let [whole, short] = [help(&["chappe", "--help"]), help(&["chappe", "-h"])];
        let shared = ["--account <NAME>", "--passphrase-command", "CHAPPE_TIMEOUT", "--json"];
        for option in shared {
            assert!(whole.contains(option), "{whole}");
            assert!(!short.contains(&format!("  {option}")), "{short}");
        }
        assert!(short.contains(EVERYWHERE) && !whole.contains(EVERYWHERE));
        for words in [
            &["chappe", "login", "--help"][..],
            &["chappe", "session", "import", "-h"],
            &["chappe", "help", "account", "password", "set"],
        ] {
            let text = help(words);
            assert!(!shared[..3].iter().any(|option| text.contains(option)), "{text}");
            assert!(text.contains(EVERYWHERE), "{text}");
        }
    }

    #[test]
    fn what_is_typed_is_told_from_what_is_not_wherever_it_stands() {
        for words in
            [["chappe", "--account", "work", "whoami"], ["chappe", "whoami", "--account", "work"]]
        {
            let cli = Cli::read(words).unwrap();
            assert_eq!(cli.global.account.unwrap().as_str(), "work");
            assert_eq!(cli.global.sources.of("account"), Source::Flag);
            assert_eq!(cli.global.sources.of("timeout"), Source::Default);
        }
    }

    #[test]
    fn no_account_leads_elsewhere() {
        for name in ["../work", "a/b", "", ".hidden", "Work", "a b"] {
            let error = Cli::read(["chappe", "--account", name, "whoami"]).unwrap_err();
            assert!(error.to_string().contains("--account"), "{error}");
        }
    }
}
