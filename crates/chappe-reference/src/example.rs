//! Examples: one request for each method, and the programs that make it in five languages.
//!
//! From one request come all five, so that they put the same bytes on the wire. It is the recorded one
//! where there is one, else made of the samples of `schema/docs/samples.toml` and the `example` of the
//! method's words.

use std::fmt;

use chappe_schema::value::{Object, Value};
use chappe_schema::{Definition, Type, api, facts, words::words};
use serde_json::{Map, Value as Json, json};

mod book;
mod cli;
mod javascript;
mod packages;
mod python;
mod rust;
mod samples;
#[cfg(test)]
mod tests;

pub use book::{BookError, write};
use packages::Package;
use samples::Samples;

use crate::model::Method;
use crate::recorded::{self, Asker, recorded};

/// A language of the examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Rust, with the crate `chappe`.
    Rust,
    /// JavaScript, with GramJS or its successor.
    JavaScript,
    /// TypeScript, with the same.
    TypeScript,
    /// Python, with Telethon.
    Python,
    /// A shell, with the command `chappe`.
    Cli,
}

/// A method's call in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The language.
    pub language: Language,
    /// The whole program; empty when no package has the method.
    pub code: String,
    /// The call alone, as it stands in the program.
    pub snippet: String,
    /// What to install, as one types it: `telegram@2.26.22`. Empty when no package has the method.
    pub package: String,
    /// Why there is no program, or what to know about it.
    pub note: Option<String>,
}

impl Language {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] =
        [Self::Rust, Self::JavaScript, Self::TypeScript, Self::Python, Self::Cli];

    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::Python => "Python",
            Self::Cli => "Command line",
        }
    }

    /// Its name for programs: in addresses, folders, classes.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::Python => "python",
            Self::Cli => "cli",
        }
    }

    /// How the names of its files end.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Rust => "rs",
            Self::JavaScript => "js",
            Self::TypeScript => "ts",
            Self::Python => "py",
            Self::Cli => "sh",
        }
    }
}

/// Whose session the examples of a call use: of who made it when it was recorded, else of a person if
/// one may make it. The steps of a sign-in behind the first use the session that will be the person's.
#[must_use]
pub(crate) fn caller(call: &Object<'static>) -> Asker {
    let name = call.name();
    if Samples::bundled().is_step(name) {
        return Asker::User;
    }
    if let Some(recorded) = recorded(name) {
        return recorded.caller;
    }
    if let Some(query) = query(call) {
        return caller(query);
    }
    let namespace = call.definition().namespace();
    let is_before = ["auth", "help", "langpack"].iter().any(|it| namespace == Some(it));
    if facts().bot_only.contains(name) || Samples::bundled().is_for_bots(name) {
        Asker::Bot
    } else if is_before && facts().signed_out.contains(name) && !Samples::bundled().is_step(name) {
        Asker::Nobody
    } else {
        Asker::User
    }
}

/// The call that the examples of a method make: the recorded one, or one that is made of samples.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "records and samples are part of the program and tests read them all"
)]
pub(crate) fn call(definition: &'static Definition) -> Object<'static> {
    if let Some(recorded) = recorded(&definition.name) {
        return Object::call_from_json(api(), &definition.name, &recorded.request)
            .expect("what was recorded is a request");
    }
    let given: Map<String, Json> = words()
        .method(&definition.name)
        .map(|words| words.example.clone().into_iter().collect())
        .unwrap_or_default();
    Samples::bundled().call(definition, &given).expect("every method has a sample")
}

/// The same as TL-JSON, with the method's name in `_`.
#[must_use]
pub fn request(method: &Method) -> Json {
    call(method.definition).to_json()
}

/// The constructor that one mostly means by a type; `None` for an unknown type.
#[must_use]
pub(crate) fn usual(ty: &str) -> Option<&'static Definition> {
    Samples::bundled().usual(ty)
}

/// What is shown of a constructor: a value that the local Telegram answered, with the method that was
/// answered, or one that is made up.
#[must_use]
pub(crate) fn shown(definition: &'static Definition) -> (Option<&'static str>, Json) {
    match recorded::value(&definition.name) {
        Some((method, value)) => (Some(method), value.clone()),
        None => (None, sample(definition)),
    }
}

/// A value of a constructor as TL-JSON: its required fields, and those that belong to it.
#[must_use]
pub(crate) fn sample(definition: &'static Definition) -> Json {
    match definition.name.as_str() {
        "boolFalse" => return json!(false),
        "boolTrue" | "true" => return json!(true),
        "vector" => return json!([1024, 1025]),
        _ => {}
    }
    let plain = Samples::bundled().constructor(definition);
    // As values are written everywhere: what has 64 bits is a string.
    match Value::from_json(api(), &definition.result, &plain) {
        Ok(value) => value.to_json(),
        Err(_) => plain,
    }
}

/// The examples of a method, one for each language in the order of [`Language::ALL`].
#[must_use]
pub fn examples(method: &Method) -> Vec<Example> {
    let call = call(method.definition);
    Language::ALL.into_iter().map(|language| example(language, &call)).collect()
}

/// The example of a call in one language.
#[must_use]
pub fn example(language: Language, call: &Object<'static>) -> Example {
    let package = match language {
        Language::Rust | Language::Cli => None,
        other => match packages::choose(other, call) {
            Ok(package) => Some(package),
            Err(note) => return Example::none(language, note),
        },
    };
    let written = match language {
        Language::Rust => rust::program(call),
        Language::JavaScript => javascript::program(call, package, false),
        Language::TypeScript => javascript::program(call, package, true),
        Language::Python => python::program(call),
        Language::Cli => cli::program(call),
    };
    Example {
        language,
        code: written.code,
        snippet: written.snippet,
        package: package.map_or_else(|| "chappe".to_owned(), |package| package.install(language)),
        note: package.and_then(|package| package.trouble(call.name())).map(str::to_owned),
    }
}

/// A program, and the call in it.
struct Written {
    code: String,
    snippet: String,
}

impl Example {
    fn none(language: Language, note: String) -> Self {
        let nothing = String::new;
        Self { language, code: nothing(), snippet: nothing(), package: nothing(), note: Some(note) }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// The call inside of a wrapper.
fn query<'o>(call: &'o Object<'static>) -> Option<&'o Object<'static>> {
    call.fields().find_map(|(_, value)| match value {
        Value::Object(query) if query.definition().is_function => Some(query),
        _ => None,
    })
}

/// What a call answers, seen through wrappers.
fn answer<'o>(call: &'o Object<'static>) -> &'o Type {
    match query(call) {
        Some(query) => answer(query),
        None => &call.definition().result,
    }
}

/// Every constructor and method that a value is made of.
fn definitions<'o>(object: &'o Object<'static>, found: &mut Vec<&'o Definition>) {
    fn walk<'o>(value: &'o Value<'static>, found: &mut Vec<&'o Definition>) {
        match value {
            Value::Object(object) => definitions(object, found),
            Value::Vector(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    found.push(object.definition());
    object.fields().for_each(|(_, value)| walk(value, found));
}

/// Whether bytes are text that one can read in a literal.
fn readable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x20..0x7f))).then_some(text)
}

/// A text in these quotes, as JavaScript and Python write it.
fn literal(text: &str, quote: char) -> String {
    let mut literal = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            other if other == quote => literal.extend(['\\', quote]),
            other if other.is_control() => {
                literal.push_str(&format!("\\u{:04x}", u32::from(other)));
            }
            other => literal.push(other),
        }
    }
    literal.push(quote);
    literal
}

/// The columns of a text: pictures take two.
fn width(text: &str) -> usize {
    text.chars().map(|letter| if letter >= '\u{1f300}' { 2 } else { 1 }).sum()
}

/// `resetWebAuthorization` -> `ResetWebAuthorization`, `req_pq_multi` -> `ReqPqMulti`.
fn pascal(name: &str) -> String {
    let mut pascal = String::new();
    for word in name.split('_') {
        let mut letters = word.chars();
        pascal.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        pascal.push_str(letters.as_str());
    }
    pascal
}

/// The methods of the schema.
fn methods() -> impl Iterator<Item = &'static Definition> {
    api().functions()
}
