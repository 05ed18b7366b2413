//! Lists the files of `schema/docs` for `words.rs`, so that a file that is added there is part
//! of the words without a line anywhere else.

use std::{env, fmt::Write as _, fs, io, path::Path};

/// The folder of the words, from this crate.
const DOCS: &str = "../../schema/docs";

/// The samples of the examples are there, too, and no words.
const NO_WORDS: &[&str] = &["samples.toml"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_WORDS").is_none() {
        return Ok(());
    }
    println!("cargo::rerun-if-changed={DOCS}");
    let mut paths = Vec::new();
    list(Path::new(DOCS), "", &mut paths)?;
    paths.sort();
    let mut code = String::from("&[\n");
    for path in paths.iter().filter(|path| !NO_WORDS.contains(&path.as_str())) {
        let file = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{DOCS}/{path}\")");
        _ = writeln!(code, "    ({path:?}, include_str!({file})),");
    }
    code.push(']');
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&out).join("words.rs"), code)
}

/// Adds the files under a folder, by their paths with forward slashes.
fn list(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{path}/"), paths)?;
        } else if path.ends_with(".toml") {
            paths.push(path);
        }
    }
    Ok(())
}
