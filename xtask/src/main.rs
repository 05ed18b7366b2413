//! Automation of this repository: `cargo xtask help`.

use std::fmt::Display;
use std::process::ExitCode;

mod codegen;
mod mutate;
mod reference;
mod tidy;

const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  codegen          generate the types from schema/
  codegen --check  only compare what is checked in with what would be generated
  mutate [NAME..]  break each check of xtask/mutations.toml, or those with a NAME in theirs
  reference [DIR]  build the method reference in DIR, or in target/reference
  reference --record
                   write down anew what the local Telegram answers in it
  tidy             check the rules of the house
  help             print this
";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["codegen"] => codegen::write(),
        ["codegen", "--check"] => codegen::check(),
        ["mutate", ref names @ ..] => return judge(mutate::run(&codegen::root(), names)),
        ["reference"] => return judge(reference::build(&codegen::root(), None)),
        ["reference", "--record"] => return judge(reference::record(&codegen::root())),
        ["reference", folder] if !folder.starts_with('-') => {
            return judge(reference::build(&codegen::root(), Some(folder)));
        }
        ["tidy"] => return judge(tidy::run(&codegen::root())),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("there is no command `{}`\n\n{HELP}", words.join(" "));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends a command that has said everything itself.
#[expect(clippy::print_stderr, reason = "this is a program")]
fn judge(result: Result<bool, impl Display>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
