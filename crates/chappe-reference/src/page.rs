//! The pages as HTML: what documents say, in a frame.
//!
//! Addresses inside of pages are relative, so that a folder with the site works wherever it is.

use maud::{Markup, html};

use crate::document::{Document, LIMITS, Target, file};
use crate::{Kind, Reference, site};

mod blocks;
mod code;
mod frame;
mod lists;

use frame::Page;
pub(crate) use lists::pages as lists;

/// The page of a thing; `None` when there is none of this kind and name.
#[must_use]
pub fn html(kind: Kind, name: &str) -> Option<String> {
    if kind == Kind::Namespace {
        return Reference::get().namespace(name).map(|space| lists::namespace(space, 0));
    }
    let whole = Document::whole(kind, name)?;
    let mut page = Page::of(kind, name);
    page.menu = (kind == Kind::Layer).then(|| lists::turn(name));
    // A page that would be too heavy says less; what it leaves out is a link away.
    let shared = site::shared();
    let mut written = String::new();
    for limits in &LIMITS {
        let document = whole.within(limits, &file(kind, name, "json"));
        written = page.write(&document).into_string();
        if written.len() + shared <= HEAVIEST {
            break;
        }
    }
    Some(written)
}

/// The most bytes that a page has with the style and the script that it loads.
const HEAVIEST: usize = 60_000;

/// Where a page is, seen from which links are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Here {
    /// The folder of the page; `None` at the top of the site.
    folder: Option<Kind>,
    /// Whether the page is called by a name of TL, and not in words.
    is_name: bool,
}

impl Here {
    /// A page in the folder of this kind.
    const fn of(kind: Kind) -> Self {
        Self { folder: Some(kind), is_name: false }
    }

    /// The front page, and those beside it.
    const FRONT: Self = Self { folder: None, is_name: false };

    /// The way to the top of the site: empty, or `../`.
    const fn top(self) -> &'static str {
        match self.folder {
            Some(_) => "../",
            None => "",
        }
    }

    /// The address of the page of a thing.
    fn to(self, kind: Kind, name: &str) -> String {
        if kind == Kind::Guide {
            return format!("{}{}", self.top(), kind.link(name));
        }
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

    /// The address of what a link leads to.
    fn target(self, target: &Target) -> String {
        match target {
            Target::File(file) => match (self.folder, file.split_once('/')) {
                (Some(folder), Some((first, file))) if folder.folder() == first => file.to_owned(),
                _ => format!("{}{file}", self.top()),
            },
            Target::List(kind) => self.all(*kind),
            Target::Place(id) => format!("#{id}"),
            Target::Thing(kind, name) => self.to(*kind, name),
            Target::Web(address) => address.clone(),
        }
    }
}

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
