//! What is around every page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Here, narrow};
use crate::Kind;
use crate::model::{ROOT, Reference, namespace_of};

/// A page without its frame.
pub(super) struct Page<'p> {
    /// Where it is.
    pub(super) here: Here,
    /// Its name in the title of the window.
    pub(super) title: &'p str,
    /// What it is about in a sentence, for search engines.
    pub(super) description: String,
    /// The way to it: names and addresses.
    pub(super) crumbs: Vec<(String, String)>,
    /// The sections behind the top: anchors and names.
    pub(super) sections: Vec<(&'static str, &'static str)>,
    /// The namespace that it is in.
    pub(super) namespace: Option<&'p str>,
    /// The pages beside it in its namespace.
    pub(super) neighbours: Vec<(Kind, &'static str)>,
    /// Its content, the heading first.
    pub(super) content: Markup,
    /// The address of the feed that has its news.
    pub(super) feed: Option<&'p str>,
    /// The address of its twins without `.md` and `.json`, if it has any.
    pub(super) twin: Option<String>,
}

/// The whole document.
pub(super) fn document(page: Page<'_>) -> Markup {
    let here = page.here;
    let top = here.top();
    let layer = Reference::get().layer();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (page.title) " · Telegram API, layer " (layer) }
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="description" content=(page.description);
                link rel="icon" href={ (top) "icon.svg" } type="image/svg+xml";
                link rel="stylesheet" href={ (top) "style.css" };
                @if let Some(twin) = &page.twin {
                    link rel="alternate" type="text/markdown" href={ (twin) ".md" };
                    link rel="alternate" type="application/json" href={ (twin) ".json" };
                }
                @if let Some(feed) = page.feed { link rel="alternate" type="application/atom+xml" href=(feed) title="Layers"; }
                script src={ (top) "site.js" } {}
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top {
                    a.home href={ (top) "index.html" } { (logo()) "Telegram API" span { "layer " (layer) } }
                    nav aria-label="Kinds of pages" {
                        @for (kind, title) in KINDS {
                            a href=(here.all(*kind)) aria-current=[(here.folder == Some(*kind)).then_some("true")] {
                                (title)
                            }
                        }
                    }
                    // The script puts the search and the switch of light and dark here.
                    div #tools {}
                }
                div.columns {
                    nav.side aria-label="Namespaces" { (side(&page)) }
                    main #content {
                        @if !page.crumbs.is_empty() {
                            nav.crumbs aria-label="Breadcrumbs" {
                                ol { @for (name, address) in &page.crumbs { li { a href=(address) { (name) } } } }
                            }
                        }
                        (page.content)
                    }
                    @if page.sections.len() > 1 {
                        nav.toc aria-label="On this page" {
                            ol { @for (id, name) in &page.sections { li { a href={ "#" (id) } { (name) } } } }
                        }
                    }
                }
                footer {
                    @if let Some(twin) = &page.twin {
                        p {
                            "This page for programs: "
                            a href={ (twin) ".md" } { "Markdown" } ", "
                            a href={ (twin) ".json" } { "JSON" }
                        }
                    }
                    p {
                        "Made by chappe from the schema of layer " (layer)
                        ". Not from Telegram, and without a sentence of theirs; "
                        "their own documentation is at " a href="https://core.telegram.org/methods" { "core.telegram.org" } "."
                    }
                }
            }
        }
    }
}

/// The namespaces, and under the one that the page is in what stands beside it.
fn side(page: &Page<'_>) -> Markup {
    html! {
        p { "Namespaces" }
        ul {
            @for namespace in Reference::get().namespaces() {
                @let name = namespace.name;
                @let is_here = page.namespace == Some(name);
                li {
                    a href=(page.here.to(Kind::Namespace, name)) aria-current=[is_here.then_some("true")] { (name) }
                    @if is_here && !page.neighbours.is_empty() {
                        ul {
                            @for (kind, name) in &page.neighbours {
                                @let address = page.here.to(*kind, name);
                                @let is_page = page.title == *name;
                                li { a href=(address) aria-current=[is_page.then_some("page")] { (narrow(short(name))) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Up to four things on either side of a name in a list of its kind.
pub(super) fn neighbours(
    kind: Kind,
    names: &[&'static str],
    name: &str,
) -> Vec<(Kind, &'static str)> {
    const SIDE: usize = 4;
    let Some(index) = names.iter().position(|it| *it == name) else { return Vec::new() };
    let near = names.iter().skip(index.saturating_sub(SIDE)).take(2 * SIDE + 1);
    near.map(|name| (kind, *name)).collect()
}

/// The way to a thing: its kind, its namespace.
pub(super) fn crumbs(here: Here, kind: Kind, name: &str) -> Vec<(String, String)> {
    let title = KINDS.iter().find(|(it, _)| *it == kind).map_or("", |(_, title)| title);
    let mut crumbs = vec![
        ("Reference".to_owned(), format!("{}index.html", here.top())),
        (title.to_owned(), here.all(kind)),
    ];
    if matches!(kind, Kind::Method | Kind::Type | Kind::Constructor) {
        let namespace = namespace_of(name);
        let shown = if namespace == ROOT { "without namespace" } else { namespace };
        crumbs.push((shown.to_owned(), here.to(Kind::Namespace, namespace)));
    }
    crumbs
}

/// The part of a name behind its namespace.
pub(super) fn short(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, name)| name)
}

/// A heading that is the link to itself.
pub(super) fn heading(id: &str, title: &str) -> Markup {
    html! { h2 id=(id) { a href={ "#" (id) } { (title) } } }
}

/// A mast of Chappe's telegraph with its three arms.
pub(super) fn logo() -> Markup {
    PreEscaped(
        r#"<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 22V6M5 10l14-8M5 10v6M19 2v6"/></svg>"#
            .to_owned(),
    )
}

/// The kinds of pages in the order of the menu.
pub(super) const KINDS: &[(Kind, &str)] = &[
    (Kind::Method, "Methods"),
    (Kind::Type, "Types"),
    (Kind::Constructor, "Constructors"),
    (Kind::Error, "Errors"),
    (Kind::Layer, "Layers"),
];
