//! All examples as files, for the checks: programs by language, and one crate of those in Rust.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use chappe_schema::value::Object;
use serde_json::json;

use super::{Language, call, caller, example, methods, rust};

/// Why the examples were not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// A file or folder could not be written.
    #[error("{}: {_1}", _0.display())]
    Io(PathBuf, #[source] io::Error),
    /// There is no method of this name.
    #[error("there is no method `{0}`")]
    NoMethod(String),
    /// The manifest of the workspace is not as expected.
    #[error("{}: {_1}", _0.display())]
    Manifest(PathBuf, String),
}

/// Writes the examples of these methods, or of all when none is named, into a folder:
/// `LANGUAGE/METHOD.EXTENSION`, `requests.jsonl` with what each of them asks, and below `rust` a
/// crate that depends on those of `workspace`. Returns the number of methods.
///
/// # Errors
/// `NoMethod`, `Io`, `Manifest`.
pub fn write(folder: &Path, names: &[String], workspace: &Path) -> Result<usize, BookError> {
    if let Some(name) = names.iter().find(|name| !methods().any(|it| it.name == **name)) {
        return Err(BookError::NoMethod(name.clone()));
    }
    let mut lines = String::new();
    let mut crate_ = RustCrate::default();
    let mut count = 0;
    for definition in methods().filter(|it| names.is_empty() || names.contains(&it.name)) {
        let call = call(definition);
        let mut packages = serde_json::Map::new();
        for language in Language::ALL {
            let example = example(language, &call);
            let package =
                if example.code.is_empty() { json!(null) } else { json!(example.package) };
            packages.insert(language.id().to_owned(), package);
            if example.code.is_empty() {
                continue;
            }
            if language == Language::Rust {
                crate_.add(&call, &example.code);
                continue;
            }
            let name = format!("{}/{}.{}", language.id(), definition.name, language.extension());
            put(&folder.join(name), &example.code)?;
        }
        let line = json!({
            "method": definition.name,
            "caller": caller(&call),
            "hex": hex(&call),
            "request": call.to_json(),
            "packages": packages,
        });
        _ = writeln!(lines, "{line}");
        count += 1;
    }
    put(&folder.join("requests.jsonl"), &lines)?;
    crate_.write(&folder.join("rust"), workspace)?;
    Ok(count)
}

/// The crate of the programs in Rust: a module each.
#[derive(Default)]
struct RustCrate {
    /// The text of modules by namespace and name, and what their requests are.
    modules: BTreeMap<String, BTreeMap<String, String>>,
    starts: String,
    checks: String,
}

impl RustCrate {
    fn add(&mut self, call: &Object<'static>, program: &str) {
        let definition = call.definition();
        let namespace = definition.namespace().unwrap_or("root");
        let module = snake(definition.short_name());
        let name = &definition.name;
        let request = rust::statement(call);
        let text = format!(
            "{program}
#[cfg(not(test))]
pub(crate) fn start() -> Result<(), Box<dyn std::error::Error>> {{
    main()
}}

#[cfg(test)]
pub(crate) fn request() -> chappe::Bytes {{
    {request}
    chappe::Encode::to_bytes(&request)
}}
"
        );
        self.modules.entry(namespace.to_owned()).or_default().insert(module.clone(), text);
        _ = writeln!(self.starts, "        \"{name}\" => {namespace}::{module}::start(),");
        let hex = hex(call);
        _ = writeln!(
            self.checks,
            "        (\"{name}\", {namespace}::{module}::request, \"{hex}\"),"
        );
    }

    fn write(&self, folder: &Path, workspace: &Path) -> Result<(), BookError> {
        let mut modules = String::new();
        for (namespace, children) in &self.modules {
            _ = writeln!(modules, "mod {namespace} {{");
            for (name, text) in children {
                _ = writeln!(modules, "    pub(crate) mod {name};");
                put(&folder.join(format!("src/{namespace}/{name}.rs")), text)?;
            }
            modules.push_str("}\n");
        }
        let (starts, checks) = (&self.starts, &self.checks);
        let main = format!(
            "//! The examples of the method reference: `cargo run -- METHOD` runs one of them.
#![allow(dead_code)]

{modules}
#[cfg(not(test))]
fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let name = std::env::args().nth(1).unwrap_or_default();
    #[rustfmt::skip]
    return match name.as_str() {{
{starts}        _ => Err(\"name a method\".into()),
    }};
}}

#[cfg(test)]
mod tests {{
    use crate::*;

    type Request = (&'static str, fn() -> chappe::Bytes, &'static str);

    #[rustfmt::skip]
    const REQUESTS: &[Request] = &[
{checks}    ];

    #[test]
    fn every_request_has_the_bytes_that_the_schema_gives_it() {{
        for (name, request, expected) in REQUESTS {{
            let bytes: String = request().iter().map(|byte| format!(\"{{byte:02x}}\")).collect();
            assert_eq!(bytes, *expected, \"{{name}}\");
        }}
    }}
}}
"
        );
        put(&folder.join("src/main.rs"), &main)?;
        put(&folder.join("rustfmt.toml"), "")?;
        put(&folder.join("Cargo.toml"), &manifest(workspace)?)?;
        let lock = workspace.join("Cargo.lock");
        let text = fs::read_to_string(&lock).map_err(|error| BookError::Io(lock, error))?;
        put(&folder.join("Cargo.lock"), &text)
    }
}

/// The manifest of the crate, with the profiles of the workspace: what that has built is not built
/// again.
fn manifest(workspace: &Path) -> Result<String, BookError> {
    let path = workspace.join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| BookError::Io(path.clone(), error))?;
    let wrong =
        |error: &dyn std::fmt::Display| BookError::Manifest(path.clone(), error.to_string());
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(&error))?;
    let profiles: toml::Table = table.into_iter().filter(|(name, _)| name == "profile").collect();
    let profiles = toml::to_string(&profiles).map_err(|error| wrong(&error))?;
    let local = workspace.join("interop/reference/chappe");
    Ok(format!(
        "[package]
name = \"chappe-examples\"
version = \"0.0.0\"
edition = \"2024\"
publish = false

[workspace]

[dependencies]
chappe = {{ path = {:?} }}
tokio = {{ version = \"1\", default-features = false, features = [\"macros\", \"rt-multi-thread\"] }}

{profiles}",
        local.display().to_string()
    ))
}

/// Writes a file if it is not so already, so that nothing is built anew for it.
fn put(path: &Path, text: &str) -> Result<(), BookError> {
    let failed = |error| BookError::Io(path.to_owned(), error);
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

#[expect(clippy::expect_used, reason = "a call of the samples was read from the same schema")]
fn hex(call: &Object<'static>) -> String {
    let mut bytes = Vec::new();
    call.encode(&mut bytes).expect("a call that was read can be written");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `getAccountTTL` -> `get_account_ttl`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut before = 'A';
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !before.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        before = letter;
    }
    snake
}
