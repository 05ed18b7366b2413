//! The reference as a program: `chappe-reference check`, `examples`.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use chappe_reference::{Kind, example};
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
    /// Writes the examples as programs, and what each of them asks.
    Examples {
        /// The folder to write them into.
        folder: PathBuf,
        /// Only those of these methods.
        methods: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Check => check(),
        Command::Examples { folder, methods } => examples(&folder, &methods),
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

fn examples(folder: &Path, methods: &[String]) -> Result<String, String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let workspace = workspace.canonicalize().map_err(|error| error.to_string())?;
    let count = example::write(folder, methods, &workspace).map_err(|error| error.to_string())?;
    Ok(format!("the examples of {count} methods are in {}", folder.display()))
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
