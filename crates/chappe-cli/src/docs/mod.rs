//! `chappe docs`: the method reference, which is part of this program.

mod name;
mod pager;
mod screen;
mod serve;
mod short;

use chappe_reference::document::{Block, Document, phrase};
use chappe_reference::search::index;
use chappe_reference::{Kind, Reference, example, json};
use serde_json::{Value, json};

use crate::args::{Docs, Lang, known_layers};
use crate::output::{Cell, Exit, Failure, Output, notice};
use name::{Found, Meant};

/// `chappe docs`.
pub(crate) async fn docs(options: Docs, output: Output) -> Result<(), Failure> {
    if !options.search.is_empty() {
        return search(&options.search.join(" "), usize::from(options.limit), output);
    }
    if let Some(folder) = &options.export {
        return serve::export(folder, output);
    }
    let at = match options.name.as_slice() {
        [] => Vec::new(),
        words => name::find(words)?,
    };
    if options.open {
        return serve::open(&address(alone(at, "--open")?), output).await;
    }
    if let Some(lang) = options.lang {
        return program(alone(at, "--lang")?, lang, output);
    }
    let shown = match (options.layer, options.diff) {
        _ if !at.is_empty() => at.into_iter().map(Shown::Found).collect(),
        (Some(layer), _) => vec![Shown::Layer(layer)],
        (None, Some((from, to))) => vec![Shown::Diff(from, to)],
        (None, None) => vec![Shown::Front],
    };
    if output.is_json() {
        let pages = shown.iter().map(|shown| shown.json().ok_or_else(not_held));
        let pages: Vec<Value> = pages.collect::<Result<_, _>>()?;
        return pages.iter().try_for_each(|page| output.line(&page.to_string()));
    }
    let documents = shown.iter().map(|shown| shown.document().ok_or_else(not_held));
    let documents: Vec<Document> = documents.collect::<Result<_, _>>()?;
    if !output.is_terminal() {
        let texts: Vec<String> = documents.iter().map(|it| it.to_markdown("")).collect();
        return output.line(texts.join("\n").trim_end());
    }
    let text = screen::show(&documents);
    if options.no_pager {
        return output.line(text.trim_end());
    }
    pager::show(&text, output).await
}

/// What is shown.
enum Shown {
    Diff(i32, i32),
    Front,
    Layer(i32),
    Found(Found),
}

impl Shown {
    /// `None` for a layer that is not held.
    fn document(&self) -> Option<Document> {
        match self {
            Self::Diff(from, to) => Document::diff(*from, *to),
            Self::Front => Some(Document::front()),
            Self::Layer(layer) => Document::of(Kind::Layer, &layer.to_string()),
            Self::Found(found) => {
                let mut document = found.meant.document()?;
                if let Some(why) = &found.why {
                    let note = Block::Note { title: None, text: phrase(why) };
                    document.blocks.insert(0, note);
                }
                Some(document)
            }
        }
    }

    fn json(&self) -> Option<Value> {
        match self {
            Self::Diff(from, to) => json::diff(*from, *to),
            Self::Front => Some(json::index()),
            Self::Layer(layer) => json::page(Kind::Layer, &layer.to_string()),
            Self::Found(found) => found.meant.json(),
        }
    }
}

impl Meant {
    fn document(self) -> Option<Document> {
        match self {
            Self::Code(code) => Some(short::code(code)),
            Self::Page(kind, name) => Document::of(kind, name),
        }
    }

    fn json(self) -> Option<Value> {
        match self {
            Self::Code(code) => Some(short::code_json(code)),
            Self::Page(kind, name) => json::page(kind, name),
        }
    }
}

/// The one thing that was named, if any; why it is that one is said beside the answer.
fn alone(mut at: Vec<Found>, option: &str) -> Result<Option<Meant>, Failure> {
    let one = at.pop();
    if !at.is_empty() {
        return Err(Failure::usage(format!("{option} goes with one name")));
    }
    if let Some(why) = one.as_ref().and_then(|one| one.why.as_ref()) {
        notice(&why.replace('`', ""));
    }
    Ok(one.map(|one| one.meant))
}

/// Where the pages are read about what was named.
fn address(at: Option<Meant>) -> String {
    match at {
        None => String::new(),
        Some(Meant::Code(_)) => format!("{}/", Kind::Error.folder()),
        Some(Meant::Page(kind, name)) => kind.link(name),
    }
}

/// `chappe docs --search`.
fn search(words: &str, limit: usize, output: Output) -> Result<(), Failure> {
    if words.trim().is_empty() {
        return Err(Failure::usage("there are no words to search for")
            .hint("for example: chappe docs --search log out website"));
    }
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
                "id_of": hit.older,
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
fn program(at: Option<Meant>, lang: Lang, output: Output) -> Result<(), Failure> {
    let method = match at {
        Some(Meant::Page(Kind::Method, name)) => Reference::get().method(name),
        _ => None,
    };
    let Some(method) = method else {
        let name = match at {
            Some(Meant::Page(_, name)) => name.to_owned(),
            Some(Meant::Code(code)) => code.to_string(),
            None => String::new(),
        };
        return Err(Failure::usage(format!("`{name}` is no method, and has no examples")));
    };
    let mut examples = example::examples(method).into_iter();
    let Some(example) = examples.find(|example| example.language == lang.0) else {
        return Err(Failure::new(Exit::NotFound, "there is no example in this language"));
    };
    if example.code.is_empty() {
        let note = example.note.unwrap_or_default();
        return Err(Failure::new(Exit::NotFound, note.replace('`', "")));
    }
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
    Failure::new(Exit::NotFound, "that layer is not known here").hint(known_layers())
}
