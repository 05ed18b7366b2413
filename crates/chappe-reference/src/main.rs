//! The reference as a program: `chappe-reference site DIR`, `examples DIR`.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chappe_reference::{example, site};
use clap::{Parser, Subcommand};

/// Builds the method reference.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the examples as programs, and what each of them asks.
    Examples {
        /// The folder to write them into.
        folder: PathBuf,
        /// Only those of these methods.
        methods: Vec<String>,
    },
    /// Builds the whole site in a folder of its own; what an earlier build left there goes.
    Site {
        /// The folder: a new one, an empty one, or that of an earlier build.
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Examples { folder, methods } => examples(&folder, &methods),
        Command::Site { folder } => build(&folder),
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

fn build(folder: &Path) -> Result<String, String> {
    // A number that changes in its place is for people only.
    let shows = std::io::stderr().is_terminal();
    let progress = |done: usize, total: usize| {
        if shows && (done.is_multiple_of(100) || done == total) {
            _ = write!(std::io::stderr(), "\r{done} of {total} pages");
        }
    };
    let built = site::build(folder, &progress);
    if shows {
        _ = writeln!(std::io::stderr());
    }
    let built = built.map_err(|error| error.to_string())?;
    Ok(format!(
        "{} files, {} KB; the heaviest page weighs {} KB with style and scripts: open {}",
        built.files,
        built.bytes / 1000,
        built.heaviest / 1000,
        folder.join("index.html").display(),
    ))
}
