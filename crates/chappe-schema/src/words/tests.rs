//! Tests of the words: that they are about things that exist, and read as they should.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{FILES, Named, Span, Words, WordsError, named, paragraphs, summary, words};
use crate::layers::History;
use crate::{Definition, Type, api, facts};

/// Collects what is wrong with texts.
#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn say(&mut self, place: &str, complaint: &str) {
        self.0.push(format!("{place}: {complaint}"));
    }

    /// A text of whole sentences.
    fn sentences(&mut self, place: &str, text: &str, about: Option<&Definition>) {
        self.phrase(place, text, about);
        if !text.ends_with(['.', ':', '?', '!', ')', '`']) {
            self.say(place, "does not end as a sentence does");
        }
    }

    /// A text, perhaps without a verb.
    fn phrase(&mut self, place: &str, text: &str, about: Option<&Definition>) {
        if text.is_empty() || text.trim() != text || text.contains("\n\n\n") {
            self.say(place, "is empty or has stray blank space");
        }
        if !text.matches('`').count().is_multiple_of(2) {
            self.say(place, "has a backtick that is not closed");
        }
        if ["](", "http://", "https://", "</"].iter().any(|it| text.contains(it)) {
            self.say(place, "has a link or a tag, which `guides` are for");
        }
        for span in paragraphs(text, about).into_iter().flatten() {
            if let Span::Code(code) = span
                && is_of_a_namespace(code)
            {
                self.say(place, &format!("`{code}` is no method, constructor or type"));
            }
        }
    }

    fn params<'t>(
        &mut self,
        definition: &Definition,
        words: impl IntoIterator<Item = (&'t String, &'t String)>,
    ) {
        for (name, text) in words {
            let place = format!("{}.{name}", definition.name);
            if named(name, Some(definition)) != Some(Named::Param) {
                self.say(&place, "there is no such parameter or field");
            }
            self.phrase(&place, text, Some(definition));
        }
    }

    fn methods<'t>(&mut self, place: &str, names: impl IntoIterator<Item = &'t String>) {
        for name in names {
            if !api().find(name).is_some_and(|it| it.is_function) {
                self.say(place, &format!("there is no method {name}"));
            }
        }
    }

    #[track_caller]
    fn none(self) {
        assert!(self.0.is_empty(), "{} complaints\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// Whether code reads as the name of something in one of our namespaces.
fn is_of_a_namespace(code: &str) -> bool {
    let is_word = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    code.split_once('.').is_some_and(|(space, name)| {
        is_word(name)
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && api().functions().any(|method| method.namespace() == Some(space))
    })
}

#[test]
fn every_file_of_the_folder_is_part_of_the_words() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/docs");
    let mut found = BTreeSet::new();
    for folder in ["", "methods", "types"] {
        let Ok(entries) = fs::read_dir(docs.join(folder)) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let is_words = path.extension().is_some_and(|it| it == "toml");
            if is_words && !path.ends_with("samples.toml") {
                let path = path.strip_prefix(&docs).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(path);
            }
        }
    }
    assert!(found.contains("shared.toml"));
    assert_eq!(FILES.iter().map(|(path, _)| (*path).to_owned()).collect::<BTreeSet<_>>(), found);
}

#[test]
fn words_are_about_methods_that_exist() {
    let mut complaints = Complaints::default();
    for (name, it) in &words().methods {
        let Some(method) = api().find(name).filter(|it| it.is_function) else {
            complaints.say(name, "there is no such method");
            continue;
        };
        complaints.sentences(name, &it.about, Some(method));
        complaints.params(method, &it.params);
        for text in it.returns.iter().chain(&it.note) {
            complaints.sentences(name, text, Some(method));
        }
        complaints.methods(name, it.needs.iter().chain(&it.undo).chain(&it.see));
        for (error, text) in &it.errors {
            if !facts().errors.contains_key(error) {
                complaints.say(name, &format!("there is no error {error}"));
            }
            complaints.sentences(&format!("{name}.{error}"), text, Some(method));
        }
        for param in it.example.keys() {
            if named(param, Some(method)) != Some(Named::Param) {
                complaints
                    .say(name, &format!("there is no parameter {param} to give an example of"));
            }
        }
        for address in it.guides.values() {
            let hosts = ["https://core.telegram.org/", "https://telegram.org/"];
            if !hosts.iter().any(|host| address.starts_with(host)) {
                complaints.say(name, &format!("{address} is no page of Telegram's documentation"));
            }
        }
    }
    complaints.none();
}

#[test]
fn words_are_about_types_and_constructors_that_exist() {
    let mut complaints = Complaints::default();
    for (name, text) in &words().types {
        if api().constructors(name).is_empty() {
            complaints.say(name, "there is no such type");
        }
        complaints.sentences(name, text, None);
    }
    for (name, it) in &words().constructors {
        let Some(constructor) = api().find(name).filter(|it| !it.is_function) else {
            complaints.say(name, "there is no such constructor");
            continue;
        };
        complaints.sentences(name, &it.about, Some(constructor));
        complaints.params(constructor, &it.fields);
    }
    complaints.none();
}

#[test]
fn words_are_about_errors_that_exist() {
    let mut complaints = Complaints::default();
    for (name, it) in &words().errors {
        if !facts().errors.contains_key(name) {
            complaints.say(name, "there is no such error");
        }
        complaints.sentences(name, &it.about, None);
        complaints.sentences(name, &it.fix, None);
    }
    complaints.none();
}

#[test]
fn every_held_layer_but_the_oldest_has_a_sentence_and_no_other_layer_has() {
    let mut complaints = Complaints::default();
    let (_, newer) = History::get().held().split_first().unwrap();
    for layer in newer.iter().filter(|layer| words().layer(**layer).is_none()) {
        complaints.say(&layer.to_string(), "has no words");
    }
    for (layer, text) in &words().layers {
        if !newer.iter().any(|it| it.to_string() == *layer) {
            complaints
                .say(layer, "is not held, or is the oldest, of which nobody knows what it brought");
        }
        complaints.sentences(layer, text, None);
        if summary(text) != text {
            complaints.say(layer, "is more than a sentence");
        }
    }
    complaints.none();
}

#[test]
fn shared_words_are_about_parameters_and_fields_that_exist() {
    let mut complaints = Complaints::default();
    let mut known = [BTreeSet::new(), BTreeSet::new()];
    for definition in api().definitions() {
        for param in definition.params.iter().filter(|param| param.ty != Type::Nat) {
            let kind = usize::from(definition.is_function);
            known[kind].insert(format!("{}:{}", param.name, param.ty));
        }
    }
    let shared = &words().shared;
    for (words, known) in [&shared.fields, &shared.params].into_iter().zip(&known) {
        for (key, text) in words {
            if !known.contains(key) {
                complaints.say(key, "nothing has this name and type");
            }
            complaints.phrase(key, text, None);
        }
    }
    complaints.none();
}

#[test]
fn own_words_come_before_shared_ones() {
    let files = [
        (
            "shared.toml",
            "[params]\n\"hash:long\" = \"Shared\"\n[fields]\n\"hash:long\" = \"Field\"",
        ),
        ("methods/account.toml", "[resetAuthorization]\nabout = \"A.\"\nparams.hash = \"Own\""),
    ];
    let words = Words::parse(&files).unwrap();
    let hash = |name: &str| {
        let definition = api().find(name).unwrap();
        let param = definition.params.iter().find(|param| param.name == "hash").unwrap();
        words.param(definition, param)
    };
    assert_eq!(hash("account.resetAuthorization"), Some("Own"));
    assert_eq!(hash("account.resetWebAuthorization"), Some("Shared"));
    assert_eq!(hash("webAuthorization"), Some("Field"));
    assert!(words.method("resetAuthorization").is_none());
}

#[test]
fn files_that_are_not_words_are_refused_with_their_name() {
    let check = |files: &[(&str, &str)], expect: &str| {
        let error = Words::parse(files).unwrap_err();
        assert!(error.to_string().contains(expect), "{error}");
        assert!(size_of::<WordsError>() <= 32);
    };
    check(&[("methods/auth.toml", "[logOut]\nabuot = \"\"")], "methods/auth.toml: ");
    check(&[("errors.toml", "[E]\nabout = \"\"\nfix = \"\"\nretry = \"maybe\"")], "errors.toml: ");
    check(&[("notes.toml", "")], "notes.toml: words are in");
    let twice = "[types]\nUser = \"A person.\"";
    check(&[("types/a.toml", twice), ("types/b.toml", twice)], "types/b.toml: there are words");
}

#[test]
fn a_summary_is_the_first_sentence() {
    assert_eq!(summary("Ends one login. The list\nhas it no more."), "Ends one login.");
    assert_eq!(summary("Reads `a. B` of it."), "Reads `a. B` of it.");
    assert_eq!(summary("Sends e.g. one file. Then more."), "Sends e.g. one file.");
    assert_eq!(summary("\nOne\nline\n\nSecond."), "One\nline");
}

#[test]
fn backticks_are_names_where_something_has_that_name() {
    let method = api().find("account.resetWebAuthorization");
    let text = "Takes `hash` of `webAuthorization`, gives `Bool` or `HASH_INVALID`.\n\nSee \
                `account.getWebAuthorizations`, `true`, `x + 1`.";
    let paragraphs = paragraphs(text, method);
    assert_eq!(
        paragraphs[0],
        [
            Span::Text("Takes "),
            Span::Name(Named::Param, "hash"),
            Span::Text(" of "),
            Span::Name(Named::Constructor, "webAuthorization"),
            Span::Text(", gives "),
            Span::Name(Named::Type, "Bool"),
            Span::Text(" or "),
            Span::Name(Named::Error, "HASH_INVALID"),
            Span::Text("."),
        ]
    );
    let codes = paragraphs[1].iter().filter(|span| !matches!(span, Span::Text(_)));
    assert_eq!(
        codes.copied().collect::<Vec<_>>(),
        [
            Span::Name(Named::Method, "account.getWebAuthorizations"),
            Span::Code("true"),
            Span::Code("x + 1"),
        ]
    );
}

/// The namespaces in which every parameter has words.
const WHOLE: &[&str] = &[
    "account", "auth", "bots", "channels", "contacts", "help", "messages", "photos", "updates",
    "upload", "users",
];

#[test]
fn everything_that_has_a_page_has_words() {
    let mut complaints = Complaints::default();
    for definition in api().definitions() {
        let name = &definition.name;
        let is_there = if definition.is_function {
            words().method(name).is_some()
        } else {
            words().constructor(name).is_some()
        };
        if !is_there {
            complaints.say(name, "has no words");
        }
        let is_whole = definition.namespace().is_some_and(|space| WHOLE.contains(&space));
        for param in &definition.params {
            let is_needed = is_whole && definition.is_function && param.ty != Type::Nat;
            if is_needed && words().param(definition, param).is_none() {
                complaints.say(&format!("{name}.{}", param.name), "has no words");
            }
        }
    }
    for name in api().types().filter(|name| words().ty(name).is_none()) {
        complaints.say(name, "has no words");
    }
    for name in facts().errors.keys().filter(|name| words().error(name).is_none()) {
        complaints.say(name, "has no words");
    }
    complaints.none();
}
