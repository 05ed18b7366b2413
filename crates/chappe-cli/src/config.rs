//! The configuration file, and what counts in the end: flag, then environment, then file.
//!
//! ```toml
//! api_id = 12345                       # the application, from the developer page of Telegram
//! api_hash = "0123456789abcdef..."     # its hash: keep the file to yourself (chmod 600)
//! account = "work"                     # the account that is used without --account
//! server = "127.0.0.1:4430"            # a local Telegram instead of production
//! server_key = "server.pem"            # its key; looked for beside this file
//! passphrase_command = "pass chappe"   # prints the passphrase of encrypted sessions
//! ```
//!
//! An unknown key is an error, so that a mistyped one is not ignored in silence.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::args::{self, Global, Name, ServerName, Source};
use crate::directories;
use crate::keep::Keep;
use crate::output::{Cell, Failure, Output, notice};
use crate::place::Place;

/// What the file says.
#[derive(Debug, Default)]
struct Config {
    api_id: Option<i32>,
    api_hash: Option<String>,
    account: Option<Name>,
    server: Option<ServerName>,
    server_key: Option<PathBuf>,
    passphrase_command: Option<String>,
}

/// `chappe config ...`.
pub(crate) fn config(
    global: &Global,
    command: args::Config,
    output: Output,
) -> Result<(), Failure> {
    match command {
        args::Config::Path => {
            let path = path(global)?;
            let value = json!({ "config": path.to_string_lossy(), "exists": path.exists() });
            output.answer(&value, || path.display().to_string())
        }
        args::Config::Show => show(&settle(global.clone())?, output),
    }
}

/// Fills what neither the command line nor the environment says from the file.
pub(crate) fn settle(mut global: Global) -> Result<Global, Failure> {
    let path = path(&global)?;
    let Some(config) = read(&path, global.config.is_some())? else { return Ok(global) };
    fn fill<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
        let fills = slot.is_none() && value.is_some();
        if fills {
            *slot = value;
        }
        fills
    }
    let filled = [
        ("account", fill(&mut global.account, config.account)),
        ("server", fill(&mut global.server, config.server)),
        ("server_key", fill(&mut global.server_key, config.server_key)),
        ("api_id", fill(&mut global.api_id, config.api_id)),
        ("api_hash", fill(&mut global.api_hash, config.api_hash)),
        ("passphrase_command", fill(&mut global.passphrase_command, config.passphrase_command)),
    ];
    for (option, _) in filled.into_iter().filter(|(_, filled)| *filled) {
        global.sources.set(option, Source::File);
    }
    Ok(global)
}

/// Where the file is looked for.
pub(crate) fn path(global: &Global) -> Result<PathBuf, Failure> {
    match &global.config {
        Some(path) => Ok(path.clone()),
        None => Ok(directories::config()?.join("config.toml")),
    }
}

/// Reads the file. That there is none matters only if somebody named it.
fn read(path: &Path, named: bool) -> Result<Option<Config>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if directories::is_absent(&error) && !named => return Ok(None),
        Err(error) => {
            return Err(Failure::usage(format!("cannot read {}: {error}", path.display()))
                .hint("`chappe config path` prints where the file is looked for"));
        }
    };
    let mut config = parse(&text)
        .map_err(|(line, why)| Failure::usage(format!("{}, line {line}: {why}", path.display())))?;
    if let (Some(key), Some(folder)) = (&mut config.server_key, path.parent()) {
        *key = folder.join(&*key);
    }
    if config.api_hash.is_some() && directories::is_open_to_others(path) {
        notice(&format!(
            "warning: others on this machine can read {}, which holds the api_hash\n  \
             keep it to yourself: chmod 600 {0}",
            path.display()
        ));
    }
    Ok(Some(config))
}

/// Reads the keys. What is wrong is told by line and in words that show no value: it may be a
/// secret.
fn parse(text: &str) -> Result<Config, (usize, String)> {
    let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(text.len(), |span| span.start);
        (line(at), format!("this is no TOML: {}", error.message()))
    })?;
    let table = table.into_inner();
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut config = Config::default();
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        set(&mut config, name, value).map_err(|why| (line(key.span().start), why))?;
    }
    Ok(config)
}

fn set(config: &mut Config, key: &str, value: &Spanned<DeValue<'_>>) -> Result<(), String> {
    let value = value.get_ref();
    let text = || match value {
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err(format!("{key} wants text in quotes")),
    };
    match key {
        "account" => config.account = Some(text()?.parse().map_err(|why| format!("{key}: {why}"))?),
        "api_hash" => config.api_hash = Some(text()?),
        "api_id" => {
            let number = match value {
                DeValue::Integer(number) => {
                    i32::from_str_radix(number.as_str(), number.radix()).ok()
                }
                _ => None,
            };
            config.api_id = Some(number.ok_or("api_id wants a number, without quotes")?);
        }
        "passphrase_command" => config.passphrase_command = Some(text()?),
        "server" => {
            config.server =
                Some(args::parse_server(&text()?).map_err(|why| format!("{key}: {why}"))?);
        }
        "server_key" => config.server_key = Some(text()?.into()),
        _ => {
            let near = KEYS.iter().min_by_key(|known| strsim::damerau_levenshtein(known, key));
            let near = near.filter(|known| strsim::damerau_levenshtein(known, key) <= 3);
            return Err(match near {
                Some(near) => format!("there is no key `{key}`; did you mean `{near}`?"),
                None => format!("there is no key `{key}`; there are {}", KEYS.join(", ")),
            });
        }
    }
    Ok(())
}

/// Shows every setting that is not a matter of one command, and where it comes from.
fn show(global: &Global, output: Output) -> Result<(), Failure> {
    const HIDDEN: &str = "(set, not shown)";
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let (account, chosen) = Place::new(global)?.account(global);
    // As what it is: the URL of a database may hold a password.
    let named = Keep::named(global)?;
    let server = global.server.unwrap_or(ServerName::Production);
    let source = |option: &str| global.sources.of(option);
    let rows = [
        ("account", Some(account.to_string()), chosen),
        ("session", named.map(|keep| keep.describe()), source("session")),
        ("server", Some(server.to_string()), source("server")),
        ("server_key", path(&global.server_key), source("server_key")),
        ("test_servers", Some(global.test_servers.to_string()), source("test_servers")),
        ("api_id", global.api_id.map(|_| HIDDEN.to_owned()), source("api_id")),
        ("api_hash", global.api_hash.as_ref().map(|_| HIDDEN.to_owned()), source("api_hash")),
        ("passphrase_file", path(&global.passphrase_file), source("passphrase_file")),
        (
            "passphrase_command",
            global.passphrase_command.as_ref().map(|_| HIDDEN.to_owned()),
            source("passphrase_command"),
        ),
        ("timeout", Some(global.timeout.to_string()), source("timeout")),
        ("config", Some(self::path(global)?.display().to_string()), source("config")),
    ];
    let settings = rows.iter().map(|(key, value, source)| {
        let value = json!({ "value": value, "from": value.as_ref().map(|_| word(*source)) });
        ((*key).to_owned(), value)
    });
    let value = Value::Object(settings.collect());
    output.answer(&value, || {
        let cell = |text: &str| Cell(text.to_owned(), None);
        let rows: Vec<_> = rows
            .iter()
            .map(|(key, value, source)| match value {
                Some(value) => vec![cell(key), cell(value), cell(word(*source))],
                None => vec![cell(key), cell("-"), cell("not set")],
            })
            .collect();
        output.table(&[cell("SETTING"), cell("VALUE"), cell("FROM")], &rows)
    })
}

fn word(source: Source) -> &'static str {
    match source {
        Source::Chosen => "accounts use",
        Source::Default => "default",
        Source::Environment => "environment",
        Source::File => "file",
        Source::Flag => "flag",
    }
}

/// The keys that there are.
const KEYS: &[&str] =
    &["account", "api_hash", "api_id", "passphrase_command", "server", "server_key"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        let config = parse(
            "# mine\napi_id = 1_234\napi_hash = 'abc'\naccount = \"work\"\n\
             server = \"127.0.0.1:4430\"\nserver_key = \"server.pem\"\n",
        )
        .unwrap();
        assert_eq!(config.api_id, Some(1234));
        assert_eq!(config.api_hash.as_deref(), Some("abc"));
        assert_eq!(config.account.unwrap().as_str(), "work");
        assert_eq!(config.server.unwrap().to_string(), "127.0.0.1:4430");
        assert_eq!(config.server_key.as_deref(), Some(Path::new("server.pem")));
    }

    #[test]
    fn a_mistake_is_told_by_its_line_and_without_the_value() {
        for (text, line, words) in [
            ("api_id = 1\n\napi_hsh = 'S3CRET'\n", 3, "did you mean `api_hash`?"),
            ("colour = 'S3CRET'", 1, "there are account, api_hash"),
            ("api_id = 'S3CRET'", 1, "without quotes"),
            ("\napi_hash = 5", 2, "in quotes"),
            ("account = '../S3CRET'", 1, "lower-case letters"),
            ("api_id = 1\napi_hash = S3CRET\n", 2, "no TOML"),
            ("[server]\naddress = 'S3CRET'", 1, "in quotes"),
        ] {
            let (found, why) = parse(text).unwrap_err();
            assert_eq!(found, line, "{why}");
            assert!(why.contains(words) && !why.contains("S3CRET"), "{why}");
        }
    }
}
