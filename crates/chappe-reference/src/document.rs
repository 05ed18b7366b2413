//! What each page says, once: the pages in HTML, their Markdown twins and the pages of a terminal are
//! written from it. What stands around a page, like a menu, is no part of it.

use chappe_schema::words::{Named, Span, paragraphs};
use chappe_schema::{Definition, Type};
use serde_json::Value;

use crate::model::{Reference, core_type};
use crate::{Kind, core_types, layers, start};

mod core;
mod data;
mod definition;
mod error;
mod gone;
mod handling;
mod layer;
pub(crate) mod lists;
mod markdown;
mod method;
mod shorter;

pub(crate) use definition::flag;
pub(crate) use shorter::LIMITS;

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// What it says, from top to bottom.
    pub blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// What is told at first sight, in a few words each.
    Badges(Vec<Vec<Inline>>),
    /// Constructors of one type, each of which unfolds.
    Choices(Vec<Choice>),
    /// Code.
    Code {
        /// Its language as Markdown calls it: `rust`, `tl`.
        language: &'static str,
        /// What it is; no two of a page are called the same.
        label: String,
        /// The code; that of TL has links.
        text: Vec<Inline>,
    },
    /// A heading inside of a section.
    Heading(String),
    /// What the page is about, in a sentence.
    Lead(Vec<Inline>),
    /// A list.
    List(Look, Vec<Item>),
    /// Something to know beside the rest.
    Note {
        /// Its title; without one it is a doubt about the page itself.
        title: Option<&'static str>,
        /// What it says.
        text: Vec<Inline>,
    },
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A paragraph that is said by the way.
    Quiet(Vec<Inline>),
    /// A section begins.
    Section {
        /// Its anchor.
        id: &'static str,
        /// Its heading.
        title: &'static str,
    },
    /// What happened, the newest first.
    Steps(Vec<Step>),
    /// The same in several languages.
    Tabs(Vec<Tab>),
    /// Things with what each means: parameters, fields, errors.
    Terms(Vec<Term>),
    /// The name of the page.
    Title(String),
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Code that is no link.
    Code(String),
    /// Words that lead somewhere.
    Link(String, Target),
    /// Words that are good news or bad.
    Mark(Mark, &'static str),
    /// The name of something that has a page.
    Name(Kind, String),
    /// The name of a parameter or field of this very page.
    Param(String),
    /// Words that matter less.
    Soft(String),
    /// What the code is about.
    Strong(String),
    /// Words.
    Text(String),
}

/// What a mark says beside its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A danger.
    Bad,
    /// No obstacle.
    Good,
    /// It is not so.
    No,
    /// Something to look at.
    Warn,
    /// It is so.
    Yes,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file beside the pages, from the top of the reference.
    File(String),
    /// The list of all things of a kind, which only people read.
    List(Kind),
    /// A section of the page.
    Place(&'static str),
    /// The page of a thing.
    Thing(Kind, String),
    /// The web.
    Web(String),
}

/// How a list looks where there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Many names, several in a line.
    Names,
    /// Names in a grid, with a few words below each.
    Spaces,
    /// Names with what each is about, one below the other.
    Things,
    /// Big tiles.
    Tiles,
}

/// A line of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub name: Vec<Inline>,
    /// What it is about.
    pub about: Vec<Inline>,
}

/// A parameter, field or error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Term {
    /// Its place on the page, if it has one.
    pub id: Option<String>,
    /// What it is called.
    pub name: Vec<Inline>,
    /// The type that it is of.
    pub of: Vec<Inline>,
    /// Whether it may be left out.
    pub remark: Vec<Inline>,
    /// What it means.
    pub about: Vec<Inline>,
    /// What to do about it.
    pub advice: Vec<Inline>,
}

/// A constructor that unfolds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub about: Vec<Inline>,
    /// What shows when it is unfolded.
    pub inside: Vec<Block>,
}

/// Something that happened to a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When and what.
    pub what: Vec<Inline>,
    /// The declaration of before, as TL.
    pub older: Option<String>,
}

/// One language of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// Its name for programs.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it says.
    pub blocks: Vec<Block>,
}

impl Document {
    /// The page of a thing; `None` when there is none of this kind and name.
    #[must_use]
    pub fn of(kind: Kind, name: &str) -> Option<Self> {
        let [most, ..] = &LIMITS;
        Some(Self::whole(kind, name)?.within(most, &file(kind, name, "json")))
    }

    /// The page of a thing with all that there is to say.
    pub(crate) fn whole(kind: Kind, name: &str) -> Option<Self> {
        let all = Reference::get();
        let page = match kind {
            Kind::Constructor => all.constructor(name).map(data::constructor),
            Kind::Core => core_types::with_page().find(|it| it.name == name).map(core::document),
            Kind::Gone => all.gone_thing(name).map(gone::document),
            Kind::Error => all.error(name).map(error::document),
            Kind::Guide => lists::guide(name),
            Kind::Layer => layers::page(name.parse().ok()?).map(layer::document),
            Kind::Method => all.method(name).map(method::document),
            Kind::Namespace => all.namespace(name).map(lists::namespace),
            Kind::Type => all.ty(name).map(data::ty),
        };
        let mut page = page?;
        if let Some(core) = core_types::also(kind, name) {
            page.core(core);
        }
        Some(page)
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

    /// The name of the page.
    pub(crate) fn title(&self) -> &str {
        let title = self.blocks.iter().find_map(|block| match block {
            Block::Title(title) => Some(title.as_str()),
            _ => None,
        });
        title.unwrap_or_default()
    }

    /// What it is about, in a sentence without markup.
    pub(crate) fn lead(&self) -> Option<String> {
        self.blocks.iter().find_map(|block| match block {
            Block::Lead(pieces) => Some(pieces.iter().map(Inline::plain).collect()),
            _ => None,
        })
    }

    /// The anchors and the headings of its sections.
    pub(crate) fn sections(&self) -> Vec<(&'static str, &'static str)> {
        let sections = self.blocks.iter().filter_map(|block| match block {
            Block::Section { id, title } => Some((*id, *title)),
            _ => None,
        });
        sections.collect()
    }

    fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Begins a page: its name, what it is about in a sentence, what is told at first sight, and the
    /// rest of the words.
    fn begin(
        title: &str,
        words: Option<&str>,
        about: Option<&Definition>,
        badges: Vec<Vec<Inline>>,
    ) -> Self {
        let mut page = Self { blocks: vec![Block::Title(title.to_owned())] };
        let lead = words.map(chappe_schema::words::summary).unwrap_or_default();
        if !lead.is_empty() {
            page.push(Block::Lead(inline(lead, about)));
        }
        if !badges.is_empty() {
            page.push(Block::Badges(badges));
        }
        let rest = words.and_then(|words| words.trim_start().strip_prefix(lead));
        page.prose(rest.unwrap_or_default(), about);
        page
    }

    fn section(&mut self, id: &'static str, title: &'static str) {
        self.push(Block::Section { id, title });
    }

    fn paragraph(&mut self, pieces: impl Into<Vec<Inline>>) {
        self.push(Block::Paragraph(pieces.into()));
    }

    fn quiet(&mut self, pieces: impl Into<Vec<Inline>>) {
        self.push(Block::Quiet(pieces.into()));
    }

    fn code(&mut self, language: &'static str, label: impl Into<String>, code: impl Into<String>) {
        self.push(Block::Code { language, label: label.into(), text: vec![text(code)] });
    }

    /// TL-JSON as people read it.
    fn json(&mut self, label: impl Into<String>, value: &Value) {
        self.code("json", label, format!("{value:#}"));
    }

    /// Things with what each is in a sentence; of many the names only. A list that says nothing is
    /// left out.
    fn things(&mut self, kind: Kind, names: &[&str]) {
        if !names.is_empty() {
            let items = names.iter().map(|name| Item::of(kind, name)).collect();
            self.push(shorter::list(items, MANY));
        }
    }

    /// The same under a heading.
    fn titled(&mut self, title: &str, kind: Kind, names: &[&str]) {
        if !names.is_empty() {
            self.push(Block::Heading(title.to_owned()));
            self.things(kind, names);
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
            self.push(Block::Note { title: None, text: vec![text(said)] });
        }
    }
}

impl Item {
    /// A thing, and what it is about.
    #[must_use]
    pub fn of(kind: Kind, name: &str) -> Self {
        let about = summary(kind, name).map(phrase).unwrap_or_default();
        Self { name: vec![Inline::Name(kind, name.to_owned())], about }
    }
}

impl Inline {
    /// Its words alone.
    #[must_use]
    pub fn plain(&self) -> &str {
        match self {
            Self::Code(words)
            | Self::Link(words, _)
            | Self::Name(_, words)
            | Self::Param(words)
            | Self::Soft(words)
            | Self::Strong(words)
            | Self::Text(words) => words,
            Self::Mark(_, words) => words,
        }
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
        Span::Code(words) => code(*words),
        Span::Name(Named::Param, name) => Inline::Param((*name).to_owned()),
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

/// Words with code in backticks, and without links: for beside one.
#[must_use]
pub fn phrase(words: &str) -> Vec<Inline> {
    let pieces = words.split('`').enumerate().filter(|(_, piece)| !piece.is_empty());
    let pieces = pieces.map(|(index, piece)| match index % 2 {
        0 => text(piece.replace('\n', " ")),
        _ => code(piece),
    });
    pieces.collect()
}

/// What has a page, as a link to it; else the name alone.
fn known(name: &str) -> Inline {
    match Reference::get().kind_of(name) {
        Some(kind) => Inline::Name(kind, name.to_owned()),
        None => code(name),
    }
}

/// What a thing is about, in a sentence.
pub(crate) fn summary(kind: Kind, name: &str) -> Option<&'static str> {
    let all = Reference::get();
    match kind {
        Kind::Constructor => all.constructor(name)?.summary(),
        Kind::Core => core_types::core_type(name).map(|it| it.about),
        Kind::Gone => all.gone_thing(name).map(|it| it.about.as_str()),
        Kind::Error => all.error(name)?.summary(),
        Kind::Method => all.method(name)?.summary(),
        Kind::Type => all.ty(name)?.summary(),
        Kind::Guide => start::summary(name),
        Kind::Layer => layers::page(name.parse().ok()?)?.about,
        Kind::Namespace => None,
    }
}

/// A number of things in words: `1 method`, `2 methods`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A type as TL writes it; what has a page is its name.
fn ty(ty: &Type) -> Vec<Inline> {
    let said = ty.to_string();
    let Some(name) = core_type(ty).filter(|name| Reference::get().ty(name).is_some()) else {
        return vec![code(said)];
    };
    let (before, behind) = said.split_once(name).unwrap_or_default();
    let around = |words: &str| (!words.is_empty()).then(|| code(words));
    let page = Inline::Name(Kind::Type, name.to_owned());
    around(before).into_iter().chain([page]).chain(around(behind)).collect()
}

/// The address of a page from the top of the reference, with an ending.
pub(crate) fn file(kind: Kind, name: &str, ending: &str) -> String {
    format!("{}.{ending}", kind.address(name))
}

/// Errors that any method may answer, so that they are said once on each page and not listed.
pub(crate) const EVERYWHERE: &[&str] = &["FLOOD_WAIT_X", "AUTH_KEY_UNREGISTERED"];

/// Of more things than these a page has the names only.
const MANY: usize = 40;
