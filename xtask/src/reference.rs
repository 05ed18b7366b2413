//! `cargo xtask reference`: builds the method reference, or records the answers in it.

use std::path::Path;
use std::process::Command;
use std::{env, io};

/// Where the site is built unless a folder is given.
const FOLDER: &str = "target/reference";

/// Builds the whole site; false if it was not built.
pub(crate) fn build(root: &Path, folder: Option<&str>) -> io::Result<bool> {
    let mut cargo = cargo(root);
    cargo.args(["run", "--quiet", "--release", "--package", "chappe-reference", "--", "site"]);
    let folder = folder.map_or_else(|| Ok(root.join(FOLDER)), std::path::absolute)?;
    succeeds(cargo.arg(folder))
}

/// Asks the local Telegram again, and writes down what it answers; false if a story fails.
pub(crate) fn record(root: &Path) -> io::Result<bool> {
    let mut cargo = cargo(root);
    cargo.args(["test", "--quiet", "--package", "chappe-reference", "--test", "stage"]);
    succeeds(cargo.env("CHAPPE_STAGE", "record"))
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

fn succeeds(command: &mut Command) -> io::Result<bool> {
    Ok(command.status()?.success())
}
