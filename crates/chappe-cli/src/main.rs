//! The command `chappe`: Telegram from a terminal, and a Telegram in a box to run it against.

mod accounts;
mod approve;
mod args;
mod complete;
mod config;
mod connect;
mod convert;
mod demo;
mod devices;
mod directories;
mod docs;
mod errors;
mod interrupt;
mod keep;
mod many;
mod open;
mod output;
mod passphrase;
mod password;
mod place;
mod prompt;
mod qr;
mod raw;
mod serve;
mod session;
mod sign_in;
mod steps;
mod telegram;
mod user;
mod web;
mod when;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use crate::args::{Account, Cli, Command};
use crate::output::{Exit, Failure, Output};

fn main() -> ExitCode {
    // A shell that completes a line asks so, and wants nothing else.
    complete::answer();
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return mistyped(&error),
    };
    log(cli.global.verbose);
    let json = cli.global.json;
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(json);
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Answers a command line that cannot be read, or that asks for help: as JSON for programs.
fn mistyped(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json")
        || std::env::var_os("CHAPPE_JSON").is_some_and(|value| !value.is_empty());
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let (message, hint) =
            text.trim_end().split_once("\n\n").unwrap_or_else(|| (text.trim_end(), ""));
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let mut failure = Failure::usage(message);
        if !hint.is_empty() {
            failure = failure.hint(hint);
        }
        failure.report(true);
    } else {
        // Where nobody reads along, the exit code says it all the same.
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8))
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Other, format!("cannot start: {error}")))?;
    let done = runtime.block_on(dispatch(cli));
    // A prompt that was interrupted still waits for its line; nobody waits for it.
    runtime.shutdown_background();
    done
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let output = Output::new(cli.global.json);
    let global = &match cli.command {
        // These need no account, and `config` says itself what is wrong with the file.
        Command::Completions(_)
        | Command::Config(_)
        | Command::Demo(_)
        | Command::Docs(_)
        | Command::Serve(_) => cli.global,
        _ => config::settle(cli.global)?,
    };
    match cli.command {
        Command::Demo(options) => demo::demo(options, output).await,
        Command::Serve(options) => serve::serve(options, output).await,
        Command::Login(options) => sign_in::login(global, options, output).await,
        Command::Logout(options) => sign_in::logout(global, &options, output).await,
        Command::Whoami => sign_in::whoami(global, output).await,
        Command::Accounts(command) => accounts::accounts(global, command, output).await,
        Command::Session(command) => session::session(global, command, output).await,
        Command::Account(Account::Password(options)) => {
            password::password(global, options.command, output).await
        }
        Command::Account(Account::Devices(options)) => {
            devices::devices(global, options.command, output).await
        }
        Command::Web(command) => web::web(global, command, output).await,
        Command::Call(call) => raw::call(global, call, output).await,
        Command::Docs(options) => docs::docs(options, output).await,
        Command::Config(command) => config::config(global, command, output),
        Command::Completions(options) => complete::completions(&options, output),
    }
}

/// Sends the log to standard error: warnings, or as much as `-v` and `RUST_LOG` ask for.
fn log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let asked = EnvFilter::try_from_default_env();
    // What ends the client is told as the failure of the command, and as JSON to programs.
    let quiet = asked.is_err() && verbose == 0;
    let untold = filter_fn(move |event| {
        !(quiet
            && *event.level() == LevelFilter::ERROR
            && event.target().starts_with("chappe::net"))
    });
    let filter = asked.unwrap_or_else(|_| EnvFilter::new(level));
    let layer = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time();
    tracing_subscriber::registry().with(layer.with_filter(filter.and(untold))).init();
}
