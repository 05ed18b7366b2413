//! The reference as a program: `chappe-reference check`.

use std::{collections::BTreeSet, io::Write as _, process::ExitCode};

use chappe_reference::Kind;
use clap::{Parser, Subcommand};

/// Builds and checks the method reference.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks that everything of the schema has an address of its own.
    Check,
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Check => check(),
    };
    match result {
        Ok(summary) => {
            _ = writeln!(std::io::stdout(), "{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<String, String> {
    let mut taken = BTreeSet::new();
    for definition in chappe_schema::api().definitions() {
        let kind = if definition.is_function { Kind::Method } else { Kind::Constructor };
        let address = kind.address(&definition.name).to_lowercase();
        if !taken.insert(address.clone()) {
            return Err(format!("two definitions have the address {address}"));
        }
    }
    Ok(format!("{} definitions, each with an address of its own", taken.len()))
}
