//! The pages as HTML: one for each thing, lists of them, and the front page.
//!
//! Addresses inside of pages are relative, so that a folder with the site works wherever it is.

use chappe_schema::Type;
use maud::{Markup, html};

use crate::document::summary;
use crate::model::{Reference, core_type};
use crate::{Kind, layers, site};

mod code;
mod data;
mod error;
mod example;
mod frame;
mod layer;
mod lists;
mod method;
mod start;
mod text;

pub(crate) use lists::{about, lists};

/// The page of a thing; `None` when there is none of this kind and name.
#[must_use]
pub fn html(kind: Kind, name: &str) -> Option<String> {
    let all = Reference::get();
    // A page that would be too heavy says less; what it leaves out is a link away.
    let shared = site::shared();
    let lightest = |page: &dyn Fn(Detail) -> Markup| {
        let mut written = String::new();
        for detail in Detail::FEWER {
            written = page(detail).into_string();
            if written.len() + shared <= HEAVIEST {
                break;
            }
        }
        written
    };
    match kind {
        Kind::Constructor => {
            let constructor = all.constructor(name)?;
            Some(lightest(&|detail| data::constructor(constructor, detail)))
        }
        Kind::Error => {
            let error = all.error(name)?;
            Some(lightest(&|detail| error::page(error, detail)))
        }
        Kind::Guide => (name == crate::start::TITLE).then(|| start::page().into_string()),
        Kind::Layer => {
            let layer = layers::pages().iter().find(|it| it.name == name)?;
            Some(lightest(&|detail| layer::page(layer, detail)))
        }
        Kind::Method => {
            let method = all.method(name)?;
            Some(lightest(&|detail| method::page(method, detail)))
        }
        Kind::Namespace => all.namespace(name).map(|it| lists::namespace(it, 0).into_string()),
        Kind::Type => {
            let ty = all.ty(name)?;
            Some(lightest(&|detail| data::ty(ty, detail)))
        }
    }
}

/// The most bytes that a page has with the style and the script that it loads.
const HEAVIEST: usize = 60_000;

/// How much a page says: one that is too heavy leaves out one thing after the other, what is said
/// elsewhere first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// Everything.
    All,
    /// Of the declarations in older layers only the last one.
    NoPast,
    /// Of many things the names only.
    FewSummaries,
    /// Errors with their causes, the fields of an answer with their meanings.
    NoSummaries,
    /// Not what to do about errors.
    NoFixes,
    /// Not the meaning of the fields of an answer.
    NoMeanings,
    /// Of the constructors of an answer the names only; long lists have an end.
    Names,
    /// Of errors what is one line.
    Lines,
    /// Of errors the names only, too.
    Least,
}

impl Detail {
    const FEWER: [Self; 9] = [
        Self::All,
        Self::NoPast,
        Self::FewSummaries,
        Self::NoSummaries,
        Self::NoFixes,
        Self::NoMeanings,
        Self::Names,
        Self::Lines,
        Self::Least,
    ];
}

/// Where a page is, seen from which links are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Here {
    /// The folder of the page; `None` for the front page.
    folder: Option<Kind>,
}

impl Here {
    /// A page in the folder of this kind.
    const fn of(kind: Kind) -> Self {
        Self { folder: Some(kind) }
    }

    /// The front page.
    const FRONT: Self = Self { folder: None };

    /// The way to the top of the site: empty, or `../`.
    const fn top(self) -> &'static str {
        match self.folder {
            Some(_) => "../",
            None => "",
        }
    }

    /// The address of the page of a thing.
    fn to(self, kind: Kind, name: &str) -> String {
        let address = kind.address(name);
        match self.folder {
            Some(folder) if folder == kind => match address.split_once('/') {
                Some((_, file)) => format!("{file}.html"),
                None => format!("{address}.html"),
            },
            Some(_) => format!("../{address}.html"),
            None => format!("{address}.html"),
        }
    }

    /// The address of the list of all things of a kind.
    fn all(self, kind: Kind) -> String {
        self.to(kind, "index")
    }

    /// A link with the thing's name as code.
    fn link(self, kind: Kind, name: &str) -> Markup {
        html! { a href=(self.to(kind, name)) { code { (breakable(name)) } } }
    }

    /// A type, with what of it has a page as a link.
    fn ty(self, ty: &Type) -> Markup {
        let text = ty.to_string();
        let core = core_type(ty).filter(|name| Reference::get().ty(name).is_some());
        let around = core.and_then(|name| text.split_once(name).map(|(a, b)| (name, a, b)));
        html! {
            code.type {
                @match around {
                    Some((name, before, behind)) => {
                        (before) a href=(self.to(Kind::Type, name)) { (breakable(name)) } (behind)
                    }
                    None => (text),
                }
            }
        }
    }

    /// A list of things with what each is in a sentence; with names only where they are many.
    /// `all` is the file in which a list that is cut off goes on.
    fn list(self, kind: Kind, names: &[&str], detail: Detail, all: &str) -> Markup {
        let (many, most) = match detail {
            Detail::All | Detail::NoPast => (40, usize::MAX),
            Detail::FewSummaries => (14, usize::MAX),
            Detail::NoSummaries | Detail::NoFixes | Detail::NoMeanings => (3, usize::MAX),
            Detail::Names | Detail::Lines => (3, 100),
            Detail::Least => (3, 30),
        };
        let more = names.len().saturating_sub(most);
        html! {
            @if names.len() > many {
                ul.names {
                    @for name in names.iter().take(most) {
                        li { a href=(self.to(kind, name)) { (breakable(name)) } }
                    }
                }
            } @else {
                ul.things {
                    @for name in names {
                        li {
                            (self.link(kind, name))
                            @if let Some(summary) = summary(kind, name) {
                                " " span { (text::inline_plain(summary)) }
                            }
                        }
                    }
                }
            }
            @if more > 0 { p.quiet { "And " (more) " more, all of them " a href=(all) { "in the JSON" } "." } }
        }
    }
}

/// A number of things in words: `1 method`, `2 methods`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Errors that any method may answer, so that they are said once on each page and not listed.
pub(crate) const EVERYWHERE: &[&str] = &["FLOOD_WAIT_X", "AUTH_KEY_UNREGISTERED"];

/// How many other constructors of its type the page of a constructor lists: of more it says how
/// many there are, as they have little to do with it.
pub(crate) const SIBLINGS: usize = 24;

/// A name that a line may break behind its dots and in front of capitals.
fn breakable(name: &str) -> Markup {
    pieces(name, 24, 8)
}

/// As [`breakable`], in a column of few letters.
fn narrow(name: &str) -> Markup {
    pieces(name, 13, 4)
}

/// A name with places to break it, if it is longer than `short`, each at least so far behind the
/// one before.
fn pieces(name: &str, short: usize, apart: usize) -> Markup {
    let mut pieces = Vec::new();
    let mut rest = name;
    let place = |rest: &str| {
        let mut letters = rest.char_indices().skip(apart);
        letters.find_map(|(at, c)| match c {
            '.' | '_' => Some(at + 1),
            _ => c.is_ascii_uppercase().then_some(at),
        })
    };
    while name.len() > short
        && let Some((piece, behind)) = place(rest).and_then(|at| rest.split_at_checked(at))
        && !behind.is_empty()
    {
        pieces.push(piece);
        rest = behind;
    }
    html! { @for piece in pieces { (piece) wbr; } (rest) }
}

#[cfg(test)]
mod tests;
