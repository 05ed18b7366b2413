//! What a page says, without a form: Markdown is written from it, and the page of a terminal.

use chappe_schema::words::{Named, Span, paragraphs};
use chappe_schema::{Definition, Type};

use crate::Kind;
use crate::model::{Reference, core_type};

mod data;
mod error;
mod layer;
mod lists;
mod markdown;
mod method;

pub(crate) use error::SEEN;
pub(crate) use method::flag;

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// What it says, from top to bottom.
    pub blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Code.
    Code {
        /// Its language as Markdown calls it: `rust`, `tl`.
        language: &'static str,
        /// The code.
        text: String,
    },
    /// A heading, from 1 for the page's own.
    Heading(usize, String),
    /// A list.
    List(Vec<Vec<Inline>>),
    /// Something to know beside the rest.
    Note(Vec<Inline>),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// Rows of cells under a head.
    Table {
        /// What the columns are.
        head: Vec<&'static str>,
        /// The cells, as many in each row.
        rows: Vec<Vec<Vec<Inline>>>,
    },
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Code that is no link.
    Code(String),
    /// The name of something that has a page.
    Name(Kind, String),
    /// Words.
    Text(String),
    /// Words that lead to a page on the web.
    Web(String, String),
}

impl Document {
    /// The page of a thing; `None` when there is none of this kind and name.
    #[must_use]
    pub fn of(kind: Kind, name: &str) -> Option<Self> {
        let all = Reference::get();
        match kind {
            Kind::Constructor => all.constructor(name).map(data::constructor),
            Kind::Error => all.error(name).map(error::document),
            Kind::Guide => lists::guide(name),
            Kind::Layer => crate::layers::page(name.parse().ok()?).map(layer::document),
            Kind::Method => all.method(name).map(method::document),
            Kind::Namespace => all.namespace(name).map(lists::namespace),
            Kind::Type => all.ty(name).map(data::ty),
        }
    }

    /// The front page.
    #[must_use]
    pub fn front() -> Self {
        lists::front()
    }

    /// The page for whoever is new here.
    #[must_use]
    pub fn start() -> Self {
        lists::start()
    }

    /// What two held layers differ in; `None` where one of them is not held.
    #[must_use]
    pub fn diff(from: i32, to: i32) -> Option<Self> {
        chappe_schema::layers::History::get().diff(from, to).map(|diff| layer::diff(&diff))
    }

    /// The page as Markdown. `top` leads from the page to the top of the reference: `../` or
    /// nothing.
    #[must_use]
    pub fn to_markdown(&self, top: &str) -> String {
        markdown::write(&self.blocks, top)
    }

    fn heading(&mut self, level: usize, text: impl Into<String>) {
        self.blocks.push(Block::Heading(level, text.into()));
    }

    fn paragraph(&mut self, pieces: impl Into<Vec<Inline>>) {
        self.blocks.push(Block::Paragraph(pieces.into()));
    }

    fn code(&mut self, language: &'static str, text: impl Into<String>) {
        self.blocks.push(Block::Code { language, text: text.into() });
    }

    /// A list that says nothing is left out.
    fn list(&mut self, items: Vec<Vec<Inline>>) {
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
    }

    /// A table without rows is left out.
    fn table(&mut self, head: &[&'static str], rows: Vec<Vec<Vec<Inline>>>) {
        if !rows.is_empty() {
            self.blocks.push(Block::Table { head: head.to_vec(), rows });
        }
    }

    /// Words of `schema/docs` as paragraphs, in a text about this definition.
    fn prose(&mut self, words: &str, about: Option<&Definition>) {
        for paragraph in paragraphs(words, about) {
            self.paragraph(spans(&paragraph));
        }
    }

    /// Says that the words are read from names.
    fn assumed(&mut self, assumed: bool) {
        if assumed {
            let said = "Assumed: this is read from the names in the schema; nobody here has seen it \
                        at work.";
            self.blocks.push(Block::Note(vec![text(said)]));
        }
    }

    /// Names with what they are about, under a heading.
    fn names(&mut self, title: &str, kind: Kind, names: &[&str]) {
        if !names.is_empty() {
            self.heading(3, title);
            self.list(names.iter().map(|name| named(kind, name)).collect());
        }
    }

    /// Names alone, in one paragraph behind what they are.
    fn names_in_line(&mut self, what: &str, kind: Kind, names: &[&str]) {
        if names.is_empty() {
            return;
        }
        let mut pieces = vec![text(format!("{what}: "))];
        for (index, name) in names.iter().enumerate() {
            pieces.extend((index > 0).then(|| text(", ")));
            pieces.push(Inline::Name(kind, (*name).to_owned()));
        }
        self.paragraph(pieces);
    }
}

/// Words of one paragraph or several, in one line.
fn inline(words: &str, about: Option<&Definition>) -> Vec<Inline> {
    let mut pieces = Vec::new();
    for paragraph in paragraphs(words, about) {
        pieces.extend((!pieces.is_empty()).then(|| text(" ")));
        pieces.extend(spans(&paragraph));
    }
    pieces
}

fn spans(spans: &[Span<'_>]) -> Vec<Inline> {
    let pieces = spans.iter().map(|span| match span {
        // Words are wrapped where they are written; a line of a page is not.
        Span::Text(words) => text(words.replace('\n', " ")),
        Span::Code(code) | Span::Name(Named::Param, code) => Inline::Code((*code).to_owned()),
        Span::Name(Named::Constructor, name) => Inline::Name(Kind::Constructor, (*name).to_owned()),
        Span::Name(Named::Error, name) => Inline::Name(Kind::Error, (*name).to_owned()),
        Span::Name(Named::Method, name) => Inline::Name(Kind::Method, (*name).to_owned()),
        Span::Name(Named::Type, name) => Inline::Name(Kind::Type, (*name).to_owned()),
    });
    pieces.collect()
}

fn text(words: impl Into<String>) -> Inline {
    Inline::Text(words.into())
}

fn code(code: impl Into<String>) -> Inline {
    Inline::Code(code.into())
}

/// Words of ours with code in backticks.
fn phrase(words: &str) -> Vec<Inline> {
    let pieces = words.split('`').enumerate().filter(|(_, piece)| !piece.is_empty());
    pieces.map(|(index, piece)| if index % 2 == 0 { text(piece) } else { code(piece) }).collect()
}

/// A name, and what it is about.
fn named(kind: Kind, name: &str) -> Vec<Inline> {
    let mut pieces = vec![Inline::Name(kind, name.to_owned())];
    if let Some(summary) = summary(kind, name) {
        pieces.push(text(": "));
        pieces.extend(inline(summary, None));
    }
    pieces
}

/// What a thing is about, in a sentence.
pub(crate) fn summary(kind: Kind, name: &str) -> Option<&'static str> {
    let all = Reference::get();
    match kind {
        Kind::Constructor => all.constructor(name)?.summary(),
        Kind::Error => all.error(name)?.summary(),
        Kind::Method => all.method(name)?.summary(),
        Kind::Type => all.ty(name)?.summary(),
        Kind::Guide => crate::start::summary(name),
        Kind::Layer => crate::layers::page(name.parse().ok()?)?.about,
        Kind::Namespace => None,
    }
}

/// A type as TL writes it; what has a page is its name.
fn ty(ty: &Type) -> Vec<Inline> {
    let said = ty.to_string();
    let Some(name) = core_type(ty).filter(|name| Reference::get().ty(name).is_some()) else {
        return vec![code(said)];
    };
    let page = Inline::Name(Kind::Type, name.to_owned());
    match said.split_once(name) {
        Some(("", "")) | None => vec![page],
        Some((before, behind)) => {
            vec![code(before), page, code(behind)]
        }
    }
}

/// The address of a page from the top of the reference, with an ending.
pub(crate) fn file(kind: Kind, name: &str, ending: &str) -> String {
    format!("{}.{ending}", kind.address(name))
}
