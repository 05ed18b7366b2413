//! What methods, types, constructors and errors mean, and what layers brought, in words:
//! `schema/docs`.
//!
//! The words are our own, written anew from the facts. A text has two kinds of markup: a blank
//! line begins a new paragraph, and what stands in backticks is code, which is a name where it
//! is exactly that of something, see [`paragraphs`].
//!
//! ```
//! use chappe_schema::{api, words};
//!
//! let shared = words::words();
//! let delete = api().find("messages.deleteMessages").unwrap();
//! let revoke = delete.params.iter().find(|param| param.name == "revoke").unwrap();
//! assert!(shared.param(delete, revoke).is_some());
//! ```

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::{Definition, Param};

mod markup;
#[cfg(test)]
mod tests;

pub use markup::{Named, Span, named, paragraphs, summary};

/// The words of this repository, `schema/docs`.
#[must_use]
#[expect(clippy::expect_used, reason = "the texts are part of the program and tests parse them")]
pub fn words() -> &'static Words {
    static WORDS: LazyLock<Words> =
        LazyLock::new(|| Words::parse(FILES).expect("the bundled words parse"));
    &WORDS
}

/// The words about a schema, by TL names.
#[derive(Clone, Debug, Default)]
pub struct Words {
    methods: BTreeMap<String, MethodWords>,
    types: BTreeMap<String, String>,
    constructors: BTreeMap<String, ConstructorWords>,
    errors: BTreeMap<String, ErrorWords>,
    layers: BTreeMap<String, String>,
    shared: Shared,
}

/// What a method does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodWords {
    /// What it does; the first sentence stands for the whole, see [`summary`].
    pub about: String,
    /// The meaning of parameters, by name; phrases.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// What the answer says, where its type does not.
    pub returns: Option<String>,
    /// The methods that give the values it needs.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The methods that take it back.
    #[serde(default)]
    pub undo: Vec<String>,
    /// Other methods that one looks for here.
    #[serde(default)]
    pub see: Vec<String>,
    /// Addresses of Telegram's own pages, by what they are about.
    #[serde(default)]
    pub guides: BTreeMap<String, String>,
    /// The causes of errors that are more special here than everywhere.
    #[serde(default)]
    pub errors: BTreeMap<String, String>,
    /// Parameters as TL-JSON for an example, where a plain sample would be silly.
    #[serde(default)]
    pub example: BTreeMap<String, serde_json::Value>,
    /// The call of the client that does the same.
    pub chappe: Option<String>,
    /// Where others say otherwise, and why we do not.
    pub note: Option<String>,
    /// Whether the meaning is read from the names alone.
    #[serde(default)]
    pub assumed: bool,
}

/// What a constructor says or is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConstructorWords {
    /// What it says or is; the first sentence stands for the whole, see [`summary`].
    pub about: String,
    /// The meaning of fields, by name; phrases.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Whether the meaning is read from the names alone.
    #[serde(default)]
    pub assumed: bool,
}

/// What an error means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorWords {
    /// Its cause.
    pub about: String,
    /// What to do about it.
    pub fix: String,
    /// Whether the request is worth sending again.
    pub retry: Retry,
    /// Whether the meaning is read from the name alone.
    #[serde(default)]
    pub assumed: bool,
}

/// Whether a refused request is worth sending again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// After the request was changed.
    Changed,
    /// The same request, later.
    Later,
    /// Never.
    No,
    /// The same request, after the number of seconds that the error names.
    Wait,
}

/// Words for what means the same wherever it occurs, by `name:TYPE`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    params: BTreeMap<String, String>,
    fields: BTreeMap<String, String>,
}

/// A file of words that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WordsError {
    /// A file, and what it has words for that another file has words for, too.
    #[error("{}: there are words for {} already", .0.0, .0.1)]
    Double(Box<(String, String)>),
    /// The text is not TOML, or not of the form that its place demands.
    #[error("{0}: {1}")]
    Form(Box<str>, Box<toml::de::Error>),
    /// A file whose place says nothing about what it holds.
    #[error("{0}: words are in methods/, types/, errors.toml, layers.toml and shared.toml")]
    Place(Box<str>),
}

impl Words {
    /// Reads words from files, each with its path from `schema/docs`.
    ///
    /// # Errors
    /// Every [`WordsError`].
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, WordsError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Types {
            #[serde(default)]
            types: BTreeMap<String, String>,
            #[serde(default)]
            constructors: BTreeMap<String, ConstructorWords>,
        }

        let mut words = Self::default();
        for (path, text) in files {
            let form = |error| WordsError::Form((*path).into(), Box::new(error));
            let stem = path.strip_suffix(".toml").unwrap_or(path);
            match stem.split_once('/') {
                None if stem == "shared" => words.shared = toml::from_str(text).map_err(form)?,
                None if stem == "errors" => words.errors = toml::from_str(text).map_err(form)?,
                None if stem == "layers" => words.layers = toml::from_str(text).map_err(form)?,
                Some(("methods", namespace)) => {
                    let methods: BTreeMap<String, MethodWords> =
                        toml::from_str(text).map_err(form)?;
                    let methods = methods.into_iter().map(|(name, it)| match namespace {
                        "root" => (name, it),
                        _ => (format!("{namespace}.{name}"), it),
                    });
                    add(path, &mut words.methods, methods)?;
                }
                Some(("types", _)) => {
                    let found: Types = toml::from_str(text).map_err(form)?;
                    add(path, &mut words.types, found.types)?;
                    add(path, &mut words.constructors, found.constructors)?;
                }
                _ => return Err(WordsError::Place((*path).into())),
            }
        }
        Ok(words)
    }

    /// The words of a method, by its whole TL name.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&MethodWords> {
        self.methods.get(name)
    }

    /// The words of a constructor, by its whole TL name.
    #[must_use]
    pub fn constructor(&self, name: &str) -> Option<&ConstructorWords> {
        self.constructors.get(name)
    }

    /// What a type stands for, by its whole TL name.
    #[must_use]
    pub fn ty(&self, name: &str) -> Option<&str> {
        self.types.get(name).map(String::as_str)
    }

    /// The words of an error, by its name with `X` for a number.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&ErrorWords> {
        self.errors.get(name)
    }

    /// What a layer brought since the held one before it, in a sentence.
    #[must_use]
    pub fn layer(&self, layer: i32) -> Option<&str> {
        self.layers.get(&layer.to_string()).map(String::as_str)
    }

    /// The meaning of a parameter of a method or of a field of a constructor: its own words, or
    /// else those of its name and type everywhere.
    #[must_use]
    pub fn param(&self, definition: &Definition, param: &Param) -> Option<&str> {
        let (own, shared) = if definition.is_function {
            (self.method(&definition.name).map(|it| &it.params), &self.shared.params)
        } else {
            (self.constructor(&definition.name).map(|it| &it.fields), &self.shared.fields)
        };
        let own = own.and_then(|own| own.get(&param.name));
        own.or_else(|| shared.get(&format!("{}:{}", param.name, param.ty))).map(String::as_str)
    }
}

/// Adds what a file has, unless another had it.
fn add<T>(
    path: &str,
    all: &mut BTreeMap<String, T>,
    new: impl IntoIterator<Item = (String, T)>,
) -> Result<(), WordsError> {
    for (name, words) in new {
        if all.contains_key(&name) {
            return Err(WordsError::Double(Box::new((path.to_owned(), name))));
        }
        all.insert(name, words);
    }
    Ok(())
}

/// The files of `schema/docs` with their paths, as the build script found them.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/words.rs"));
