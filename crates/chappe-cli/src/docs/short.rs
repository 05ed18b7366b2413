//! Short answers to what has no page of its own: the codes of errors.

use chappe_reference::document::{Block, Document, Inline, Item, Look, phrase};
use chappe_reference::{Kind, Reference, code_class, json};
use serde_json::{Value, json};

/// The errors with a code.
pub(super) fn code(code: i32) -> Document {
    let mut about = vec![text(match code_class(code) {
        Some(class) => format!("Errors with this code mean: {class}. "),
        None => "Errors with this code are failures of servers inside of Telegram. ".to_owned(),
    })];
    about.extend(phrase(
        "Go by the name: some errors come with one code here and another one there.",
    ));
    let names = named(code).map(|error| Item::of(Kind::Error, error.name));
    Document {
        blocks: vec![
            Block::Title(format!("Errors with code {code}")),
            Block::Paragraph(about),
            Block::List(Look::Things, names.collect()),
        ],
    }
}

pub(super) fn code_json(code: i32) -> Value {
    let errors = named(code).map(|it| json!({ "name": it.name, "summary": it.summary() }));
    json!({
        "form": json::FORM,
        "layer": Reference::get().layer(),
        "kind": "code",
        "name": code.to_string(),
        "summary": code_class(code),
        "errors": errors.collect::<Value>(),
    })
}

/// Whether errors have this code.
pub(super) fn is_code(code: i32) -> bool {
    named(code).next().is_some()
}

fn named(code: i32) -> impl Iterator<Item = &'static chappe_reference::model::ErrorInfo> {
    Reference::get().errors().iter().filter(move |error| error.codes.contains(&code))
}

fn text(words: impl Into<String>) -> Inline {
    Inline::Text(words.into())
}
