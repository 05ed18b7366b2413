//! The pages that only people read: the front page, all things of a kind by letter, long namespaces in
//! parts.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Here;
use super::frame::Page;
use crate::document::{Document, lists};
use crate::model::{Namespace, Reference, short};
use crate::{Kind, layers};

/// The front page and the lists of all things, by their paths from the top of the site.
pub(crate) fn pages() -> Vec<(String, String)> {
    let all = Reference::get();
    let write = |page: Page<'_>, document: &Document| page.write(document).into_string();
    let list = |kind, document: &Document| write(Page::list(kind), document);
    let mut pages = vec![
        ("index.html".to_owned(), write(Page::front(), &Document::front())),
        ("start.html".to_owned(), write(Page::of(Kind::Guide, ""), &Document::start())),
        ("core/index.html".to_owned(), list(Kind::Core, &lists::all_core())),
        ("gone/index.html".to_owned(), list(Kind::Gone, &lists::all_gone())),
        ("layers/index.html".to_owned(), list(Kind::Layer, &lists::all_layers())),
        ("methods/index-bots.html".to_owned(), list(Kind::Method, &lists::bots())),
    ];
    for kind in [Kind::Method, Kind::Namespace] {
        let page = list(kind, &lists::namespaces(kind));
        pages.push((format!("{}/index.html", kind.folder()), page));
    }
    for space in all.namespaces() {
        for (number, part) in method_parts(space).iter().enumerate().skip(1) {
            let path = format!("{}/{}.html", Kind::Namespace.folder(), part.file);
            pages.push((path, namespace(space, number)));
        }
    }
    let constructors: Vec<&str> = all.constructors().iter().map(|it| it.name()).collect();
    let errors: Vec<&str> = all.errors().iter().map(|it| it.name).collect();
    let types: Vec<&str> = all.types().iter().map(|it| it.name).collect();
    for (kind, names) in
        [(Kind::Constructor, constructors), (Kind::Error, errors), (Kind::Type, types)]
    {
        let parts = parts(names);
        let whole = parts.iter().map(|it| (it.file.as_str(), it.title.as_str(), &*it.names));
        let mut page = Page::list(kind);
        page.menu = Some(menu(&parts, None, LETTERS));
        let document = lists::contents(kind, whole);
        pages.push((format!("{}/index.html", kind.folder()), write(page, &document)));
        for (index, part) in parts.iter().enumerate() {
            let mut page = Page::part(kind);
            page.menu = Some(menu(&parts, Some(index), LETTERS));
            let document = lists::part(kind, &part.title, &part.names);
            pages.push((format!("{}/{}.html", kind.folder(), part.file), write(page, &document)));
        }
    }
    pages
}

/// The page of a namespace, or the part of it with this number, from 0.
pub(super) fn namespace(space: &'static Namespace, number: usize) -> String {
    let parts = method_parts(space);
    let methods = parts.get(number).map(|it| it.names.as_slice()).unwrap_or_default();
    let mut page = Page::of(Kind::Namespace, space.name);
    page.menu = (parts.len() > 1).then(|| menu(&parts, Some(number), "Parts"));
    let document = lists::namespace_part(space, methods, number == 0);
    if number > 0 {
        page.twin = None;
    }
    page.write(&document).into_string()
}

/// The links to the layers before and behind.
pub(super) fn turn(layer: &str) -> Markup {
    let here = Here::of(Kind::Layer);
    let pages = layers::pages();
    let place = pages.iter().position(|it| it.name == layer).unwrap_or_default();
    let newer = place.checked_sub(1).and_then(|place| pages.get(place));
    html! {
        nav.parts aria-label="Other layers" {
            ul {
                @if let Some(older) = pages.get(place + 1) { li { a rel="prev" href=(here.to(Kind::Layer, &older.name)) { "← Layer " (older.name) } } }
                @if let Some(newer) = newer { li { a rel="next" href=(here.to(Kind::Layer, &newer.name)) { "Layer " (newer.name) " →" } } }
            }
        }
    }
}

/// A part of a long list.
struct Part {
    /// The file of its page, without ending.
    file: String,
    /// What it is called.
    title: String,
    names: Vec<&'static str>,
}

/// A long list in parts: by the first letter behind the namespace, and those not too long.
fn parts(names: Vec<&'static str>) -> Vec<Part> {
    const MOST: usize = 130;
    let mut letters: BTreeMap<char, Vec<&'static str>> = BTreeMap::new();
    for name in names {
        let letter = short(name).chars().next().unwrap_or('_').to_ascii_uppercase();
        letters.entry(letter).or_default().push(name);
    }
    let mut parts = Vec::new();
    for (letter, mut names) in letters {
        names.sort_by_key(|name| (short(name).to_lowercase(), *name));
        let count = names.len().div_ceil(MOST).max(1);
        for (index, names) in names.chunks(names.len().div_ceil(count)).enumerate() {
            let file = if index == 0 {
                format!("index-{letter}")
            } else {
                format!("index-{letter}-{}", index + 1)
            };
            let title =
                if count == 1 { letter.to_string() } else { format!("{letter} {}", index + 1) };
            parts.push(Part { file, title, names: names.to_vec() });
        }
    }
    parts
}

/// The methods of a namespace in parts that fit on a page.
fn method_parts(space: &Namespace) -> Vec<Part> {
    const MOST: usize = 100;
    let count = space.methods.len().div_ceil(MOST).max(1);
    let size = space.methods.len().div_ceil(count).max(1);
    let parts = space.methods.chunks(size).enumerate();
    parts
        .map(|(index, names)| Part {
            file: match index {
                0 => space.name.to_owned(),
                _ => format!("{}-{}", space.name, index + 1),
            },
            title: format!(
                "{} to {}",
                names.first().map_or("", |name| short(name)),
                names.last().map_or("", |name| short(name))
            ),
            names: names.to_vec(),
        })
        .collect()
}

/// The links to the parts of a long list.
fn menu(parts: &[Part], here: Option<usize>, label: &str) -> Markup {
    html! {
        nav.parts aria-label=(label) {
            ul {
                @for (index, part) in parts.iter().enumerate() {
                    li { a href={ (part.file) ".html" } aria-current=[(here == Some(index)).then_some("page")] { (part.title) } }
                }
            }
        }
    }
}

const LETTERS: &str = "By first letter";
