//! Short answers to what has no page of its own: the types that TL is made of, the codes of errors.

use chappe_reference::core_types::CoreType;
use chappe_reference::document::{Block, Document, Inline, Item, Look, phrase};
use chappe_reference::{Kind, Reference, code_class, json};
use serde_json::{Value, json};

/// A core type: what it is, and how it is written.
pub(super) fn core(core: &CoreType) -> Document {
    let mut blocks = vec![Block::Title(core.name.to_owned()), Block::Lead(phrase(core.about))];
    if let Some((kind, guide)) = Kind::at(GUIDE) {
        let before = text("A core type: all others are made of these. What to know of them says ");
        let guide = Inline::Name(kind, guide.to_owned());
        blocks.push(Block::Paragraph(vec![before, guide, text(".")]));
    }
    blocks.extend(core_sections(core));
    Document { blocks }
}

/// What a page says beside its own words of what is a core type, too.
pub(super) fn core_sections(core: &CoreType) -> Vec<Block> {
    let mut blocks = vec![
        Block::Section { id: "wire", title: "On the wire" },
        Block::Paragraph(phrase(core.wire)),
    ];
    if let Some((json, hex)) = core.sample {
        let (label, text) = ("On the wire".to_owned(), text(format!("{json}  is  {hex}")));
        blocks.push(Block::Code { language: "text", label, text: vec![text] });
    }
    blocks.push(Block::Section { id: "programs", title: "In programs" });
    let written = core.written.iter();
    let written = written.map(|(name, how)| Item { name: vec![text(*name)], about: phrase(how) });
    blocks.push(Block::List(Look::Things, written.collect()));
    blocks
}

pub(super) fn core_json(core: &CoreType) -> Value {
    let written = core.written.iter().map(|(language, how)| json!({ "in": language, "how": how }));
    let sample = core.sample.map(|(json, hex)| json!({ "json": json, "hex": hex }));
    json!({
        "form": json::FORM,
        "layer": Reference::get().layer(),
        "kind": "core type",
        "name": core.name,
        "summary": core.about,
        "wire": core.wire,
        "sample": sample,
        "written": written.collect::<Value>(),
    })
}

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

/// The section of the pages about core types.
pub(super) const GUIDE: &str = "start.html#values";
