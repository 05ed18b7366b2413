//! `chappe docs`: the method reference, which is part of this program.

mod pager;
mod screen;
mod serve;

use std::ffi::OsStr;

use chappe_reference::document::Document;
use chappe_reference::search::{Hit, index};
use chappe_reference::{Kind, Reference, example, json, layers};
use clap_complete::CompletionCandidate;
use serde_json::{Value, json};

use crate::args::{Docs, Lang};
use crate::output::{Cell, Exit, Failure, Output, notice};

/// `chappe docs`.
pub(crate) async fn docs(options: Docs, output: Output) -> Result<(), Failure> {
    if !options.search.is_empty() {
        return search(&options.search.join(" "), usize::from(options.limit), output);
    }
    if let Some(folder) = &options.export {
        return serve::export(folder, output);
    }
    let at = options.name.as_deref().map(find).transpose()?;
    if options.open {
        return serve::open(at, output).await;
    }
    if let Some(lang) = options.lang {
        return program(at, lang, output);
    }
    let (document, page) = match (at, options.layer, options.diff) {
        (Some((kind, name)), ..) => (Document::of(kind, name), json::page(kind, name)),
        (None, Some(layer), _) => {
            let name = layer.to_string();
            (Document::of(Kind::Layer, &name), json::page(Kind::Layer, &name))
        }
        (None, None, Some((from, to))) => (Document::diff(from, to), json::diff(from, to)),
        (None, None, None) => (Some(Document::front()), Some(json::index())),
    };
    let (Some(document), Some(page)) = (document, page) else { return Err(not_held()) };
    if output.is_json() {
        return output.line(&page.to_string());
    }
    if !output.is_terminal() {
        return output.line(document.to_markdown("").trim_end());
    }
    let text = screen::show(&document);
    if options.no_pager {
        return output.line(text.trim_end());
    }
    pager::show(&text, output).await
}

/// The names that a shell may complete: what begins like what is typed.
pub(crate) fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    let schema = chappe_schema::api();
    let defined = schema.definitions().iter().map(|it| it.name.as_str());
    let errors = chappe_schema::facts().errors.keys().map(String::as_str);
    completed(current, defined.chain(schema.types()).chain(errors))
}

/// The same of methods alone, for `chappe call`.
pub(crate) fn methods(current: &OsStr) -> Vec<CompletionCandidate> {
    completed(current, chappe_schema::api().functions().map(|it| it.name.as_str()))
}

fn completed<'n>(
    current: &OsStr,
    names: impl Iterator<Item = &'n str>,
) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let mut names: Vec<&str> = names.filter(|name| name.starts_with(current)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The one thing that a name means.
fn find(name: &str) -> Result<(Kind, &'static str), Failure> {
    // What is spelled as in TL needs no search.
    let all = Reference::get();
    let exact = match all.kind_of(name) {
        Some(Kind::Method) => all.method(name).map(|it| it.name()),
        Some(Kind::Constructor) => all.constructor(name).map(|it| it.name()),
        Some(Kind::Type) => all.ty(name).map(|it| it.name),
        Some(Kind::Error) => all.error(name).map(|it| it.name),
        _ => None,
    };
    if let Some((kind, name)) = all.kind_of(name).zip(exact) {
        return Ok((kind, name));
    }
    match index().named(name).as_slice() {
        [one] => Ok((one.kind, one.name)),
        [] => {
            let near = index().find(name, NEAR);
            let failure = Failure::new(Exit::NotFound, format!("nothing is called `{name}`"));
            Err(match near.as_slice() {
                [] => failure.hint("chappe docs --search WORDS looks into descriptions"),
                near => failure.hint(format!("did you mean {}?", listed(near))),
            })
        }
        several => {
            let count = several.len();
            let said = format!("{count} things are called `{name}`");
            Err(Failure::new(Exit::NotFound, said).hint(format!("say which: {}", listed(several))))
        }
    }
}

/// Names as a person types them.
fn listed(hits: &[Hit<'_>]) -> String {
    let names = hits.iter().take(NEAR).map(|hit| format!("{} ({})", hit.name, hit.kind.word()));
    let more = hits.len().saturating_sub(NEAR);
    let mut said = names.collect::<Vec<_>>().join(", ");
    if more > 0 {
        said.push_str(&format!(" and {more} more"));
    }
    said
}

/// `chappe docs --search`.
fn search(words: &str, limit: usize, output: Output) -> Result<(), Failure> {
    let hits = index().find(words, limit);
    if hits.is_empty() {
        return Err(Failure::new(Exit::NotFound, format!("nothing is found for `{words}`"))
            .hint("fewer words find more; names are found in every spelling"));
    }
    if output.is_json() {
        let hits = hits.iter().map(|hit| {
            json!({
                "kind": hit.kind.word(),
                "name": hit.name,
                "summary": hit.about,
                "param": hit.param,
            })
        });
        return output.line(&hits.collect::<Value>().to_string());
    }
    if output.is_terminal() {
        return output.line(&screen::hits(&hits));
    }
    let head = ["KIND", "NAME", "ABOUT"].map(|word| Cell(word.to_owned(), None));
    let rows = hits.iter().map(|hit| {
        [hit.kind.word(), hit.name, hit.about].map(|cell| Cell(cell.to_owned(), None)).into()
    });
    output.line(&output.table(&head, &rows.collect::<Vec<_>>()))
}

/// `chappe docs NAME --lang`.
fn program(at: Option<(Kind, &str)>, lang: Lang, output: Output) -> Result<(), Failure> {
    let method = at.and_then(|(kind, name)| match kind {
        Kind::Method => Reference::get().method(name),
        _ => None,
    });
    let Some(method) = method else {
        let name = at.map(|(_, name)| name).unwrap_or_default();
        return Err(Failure::usage(format!("`{name}` is no method, and has no examples")));
    };
    let examples = example::examples(method).into_iter();
    let example = examples.into_iter().find(|example| example.language == lang.0);
    let Some(example) = example.filter(|example| !example.code.is_empty()) else {
        let note = example::examples(method).into_iter().find(|it| it.language == lang.0);
        let note = note.and_then(|example| example.note).unwrap_or_default();
        return Err(Failure::new(Exit::NotFound, note.replace('`', "")));
    };
    if let Some(note) = &example.note {
        notice(&note.replace('`', ""));
    }
    let value = json!({
        "language": example.language.id(),
        "program": example.code,
        "call": example.snippet,
        "package": example.package,
        "note": example.note,
    });
    output.answer(&value, || example.code.trim_end().to_owned())
}

fn not_held() -> Failure {
    let held: Vec<&str> = layers::pages().iter().rev().map(|page| page.name.as_str()).collect();
    Failure::new(Exit::NotFound, "that layer is not known here")
        .hint(format!("known are {}", held.join(", ")))
}

/// How many names are offered.
const NEAR: usize = 6;
