//! The files beside the pages: each page as Markdown and JSON, what programs that read language
//! models' files want, the feed, the search.

use std::fmt::Write as _;

use chappe_schema::one_of;

use crate::document::lists::about;
use crate::document::{Document, count, file, summary};
use crate::model::{Reference, params};
use crate::{Kind, core_types, json, layers, search, start};

/// Everything that has a page, by kind and name.
pub(crate) fn things() -> impl Iterator<Item = (Kind, &'static str)> {
    let all = Reference::get();
    let namespaces = all.namespaces().iter().map(|it| (Kind::Namespace, it.name));
    let methods = all.methods().iter().map(|it| (Kind::Method, it.name()));
    let types = all.types().iter().map(|it| (Kind::Type, it.name));
    let constructors = all.constructors().iter().map(|it| (Kind::Constructor, it.name()));
    let errors = all.errors().iter().map(|it| (Kind::Error, it.name));
    let core = core_types::with_page().map(|it| (Kind::Core, it.name));
    let layers = layers::pages().iter().map(|it| (Kind::Layer, it.name.as_str()));
    let gone = all.gone().iter().map(|it| (Kind::Gone, it.name()));
    let defined = methods.chain(types).chain(constructors);
    namespaces.chain(defined).chain(errors).chain(core).chain(layers).chain(gone)
}

/// The files that are there once, with what writes each.
pub(crate) fn single() -> impl Iterator<Item = Single> {
    SINGLE.iter().copied()
}

/// The paths of all files beside the pages, from the top of the reference.
pub fn paths() -> impl Iterator<Item = String> {
    let twins =
        things().flat_map(|(kind, name)| ["md", "json"].map(|ending| file(kind, name, ending)));
    twins.chain(single().map(|(path, _)| path.to_owned()))
}

/// A file beside the pages by its path; `None` for a path that has none.
#[must_use]
pub fn read(path: &str) -> Option<String> {
    if let Some((_, text)) = single().find(|(single, _)| *single == path) {
        return Some(text());
    }
    let (address, ending) = path.rsplit_once('.')?;
    let (kind, name) = thing(address)?;
    match ending {
        "md" => markdown(kind, name),
        "json" => Some(format!("{}\n", json::page(kind, name)?)),
        _ => None,
    }
}

/// What has this address, from the top of the reference and without an ending.
fn thing(address: &str) -> Option<(Kind, &'static str)> {
    let (folder, _) = address.split_once('/')?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.folder() == folder)?;
    things().find(|(it, name)| *it == kind && kind.address(name) == address)
}

/// The page of a thing as Markdown; `None` when there is none of this kind and name.
#[must_use]
pub fn markdown(kind: Kind, name: &str) -> Option<String> {
    let top = if kind.folder().is_empty() { "" } else { "../" };
    Some(Document::of(kind, name)?.to_markdown(top))
}

/// The page for programs that begin with `llms.txt`: what there is, and where.
fn llms() -> String {
    let all = Reference::get();
    let mut out = format!(
        "# Telegram API, layer {}\n\n\
         > Every method, type, constructor and error of Telegram's API, in words of our own, with \
         parameters, errors and examples in Rust, JavaScript, TypeScript, Python and a command line. \
         Not from Telegram.\n\n\
         Each page is there as HTML, Markdown (`.md`) and JSON (`.json`) under one address: \
         `methods/account.resetWebAuthorization.md`, `types/WebAuthorization.md`, \
         `constructors/webAuthorization.md`, `errors/HASH_INVALID.md`, `layers/{}.md`, \
         and what only older layers have: `gone/channels.getForumTopics.md`. Names are those \
         of TL; the name in an address is exactly that of the thing.\n\n\
         ## Everything\n\n\
         - [Start](start.md): keys, sessions, peers and access hashes, numbers, errors\n\
         - [All methods in one file](llms-full.txt): what each does, its parameters and its errors\n\
         - [Index](index.json): all names with a sentence each, as JSON\n\n\
         ## Methods by namespace\n\n",
        all.layer(),
        all.layer(),
    );
    for namespace in all.namespaces().iter().filter(|it| !it.methods.is_empty()) {
        let (name, methods) = (namespace.name, namespace.methods.len());
        let address = file(Kind::Namespace, name, "md");
        // Writing to a string cannot fail.
        let about = about(name).unwrap_or_default();
        _ = writeln!(out, "- [{name}]({address}): {}. {about}", count(methods, "method"));
    }
    out.push_str("\n## Core types\n\n");
    for core in core_types::CORE_TYPES {
        let (kind, name) = core.page();
        _ = writeln!(out, "- [{}]({}): {}", core.name, file(kind, name, "md"), core.about);
    }
    out.push_str("\n## Layers\n\n");
    for layer in layers::pages() {
        let address = file(Kind::Layer, &layer.name, "md");
        _ = writeln!(out, "- [Layer {}]({address}): {}", layer.name, layer.summary());
    }
    out
}

/// All methods in one text: what a program can read whole.
fn llms_full() -> String {
    let all = Reference::get();
    let mut out = format!("# Methods of Telegram's API, layer {}\n", all.layer());
    for method in all.methods() {
        let definition = method.definition;
        _ = write!(out, "\n## {}\n\n", method.name());
        if let Some(words) = method.words {
            _ = write!(out, "{}\n\n", words.about.trim());
        }
        _ = write!(out, "    {};\n\n", definition.text);
        for param in params(definition) {
            let needed = if param.flag.is_some() { ", optional" } else { "" };
            let meaning = chappe_schema::words::words().param(definition, param);
            let meaning = meaning.map(|it| format!(": {it}")).unwrap_or_default();
            _ = writeln!(out, "- `{}` ({}{needed}){meaning}", param.name, param.ty);
        }
        if !method.errors.is_empty() {
            let errors = method.errors.iter();
            let errors = errors.map(|it| format!("{} ({})", it.name, one_of(it.codes)));
            _ = writeln!(out, "\nErrors: {}", errors.collect::<Vec<_>>().join(", "));
        }
    }
    out.push_str("\n# Errors\n\n");
    for error in all.errors() {
        let about = summary(Kind::Error, error.name).unwrap_or_default();
        _ = writeln!(out, "- {} ({}): {about}", error.name, one_of(error.codes));
    }
    out
}

/// A path, and what writes the file.
pub(crate) type Single = (&'static str, fn() -> String);

/// The files that are there once.
const SINGLE: &[Single] = &[
    ("index.json", || format!("{}\n", json::index())),
    ("index.md", || Document::front().to_markdown("")),
    ("layers/feed.xml", layers::feed),
    ("llms-full.txt", llms_full),
    ("llms.txt", llms),
    ("search-index.js", search::script),
    ("search-older.js", search::older_script),
    ("search.js", || search::SCRIPT.to_owned()),
    ("start.json", || {
        let page = json::page(Kind::Guide, start::TITLE);
        page.map(|page| format!("{page}\n")).unwrap_or_default()
    }),
    ("start.md", || Document::start().to_markdown("")),
];
