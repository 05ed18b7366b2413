//! What is around every page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::blocks::blocks;
use super::{Here, narrow};
use crate::Kind;
use crate::document::lists::{KINDS, title};
use crate::document::{Block, Document};
use crate::model::{ROOT, Reference, namespace_of, short};

/// Where a page stands, and what is beside it.
pub(super) struct Page<'p> {
    /// Where it is.
    pub(super) here: Here,
    /// The name of the thing that it is about; empty where it is about many.
    name: &'p str,
    /// The way to it: names and addresses.
    crumbs: Vec<(&'p str, String)>,
    /// The namespace that it is in.
    namespace: Option<&'p str>,
    /// Those beside it in its namespace.
    beside: &'p [&'static str],
    /// The links to the parts of a long list, or to the pages before and behind.
    pub(super) menu: Option<Markup>,
    /// The address of its twins without `.md` and `.json`, if it has any.
    pub(super) twin: Option<String>,
}

impl<'p> Page<'p> {
    /// That of the front page.
    pub(super) fn front() -> Self {
        let twin = Some("index".to_owned());
        Self { twin, crumbs: Vec::new(), ..Self::beside(Here::FRONT) }
    }

    /// That of the list of all things of a kind.
    pub(super) fn list(kind: Kind) -> Self {
        Self::beside(Here::of(kind))
    }

    /// That of a part of it.
    pub(super) fn part(kind: Kind) -> Self {
        let mut page = Self::list(kind);
        page.crumbs.push((title(kind), page.here.all(kind)));
        page
    }

    /// That of a thing.
    pub(super) fn of(kind: Kind, name: &'p str) -> Self {
        if kind == Kind::Guide {
            return Self::beside(Here::FRONT);
        }
        let mut page = Self::part(kind);
        page.name = name;
        page.here.is_name = kind != Kind::Layer;
        let address = kind.address(name);
        page.twin = address.split_once('/').map(|(_, file)| file.to_owned());
        let all = Reference::get();
        let namespace = namespace_of(name);
        let space = all.namespace(namespace);
        let beside = match kind {
            Kind::Constructor => {
                let ty = all.constructor(name).and_then(|it| all.ty(&it.type_name()));
                ty.map(|it| &it.constructors)
            }
            Kind::Method => space.map(|it| &it.methods),
            Kind::Type => space.map(|it| &it.types),
            Kind::Namespace => {
                page.namespace = Some(name);
                return page;
            }
            Kind::Core | Kind::Error | Kind::Gone | Kind::Guide | Kind::Layer => return page,
        };
        page.beside = beside.map(Vec::as_slice).unwrap_or_default();
        page.namespace = Some(namespace);
        let shown = if namespace == ROOT { "without namespace" } else { namespace };
        page.crumbs.push((shown, page.here.to(Kind::Namespace, namespace)));
        page
    }

    fn beside(here: Here) -> Self {
        Self {
            here,
            name: "",
            crumbs: vec![("Reference", format!("{}index.html", here.top()))],
            namespace: None,
            beside: &[],
            menu: None,
            twin: None,
        }
    }

    /// Up to four things on either side of the one that it is about.
    fn neighbours(&self) -> &'p [&'static str] {
        const SIDE: usize = 4;
        let Some(place) = self.beside.iter().position(|it| *it == self.name) else { return &[] };
        let from = place.saturating_sub(SIDE);
        let to = (from + 2 * SIDE + 1).min(self.beside.len());
        self.beside.get(from..to).unwrap_or_default()
    }

    /// The whole page.
    pub(super) fn write(&self, document: &Document) -> Markup {
        let here = self.here;
        let top = here.top();
        let layer = Reference::get().layer();
        let is_front = self.crumbs.is_empty();
        let feed = (here.folder == Some(Kind::Layer)).then_some("feed.xml");
        let title = if is_front { "Reference" } else { document.title() };
        let lead = document.lead();
        let sections = document.sections();
        let head = |it: &Block| matches!(it, Block::Title(_) | Block::Lead(_) | Block::Badges(_));
        let end = document.blocks.iter().take_while(|it| head(it)).count();
        let (head, rest) = document.blocks.split_at_checked(end).unwrap_or_default();
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { (title) " · Telegram API, layer " (layer) }
                    meta name="viewport" content="width=device-width,initial-scale=1";
                    meta name="description" content=(lead.unwrap_or_else(|| format!("{title} of the Telegram API")));
                    link rel="icon" href={ (top) "icon.svg" } type="image/svg+xml";
                    link rel="stylesheet" href={ (top) "style.css" };
                    @if let Some(twin) = &self.twin {
                        link rel="alternate" type="text/markdown" href={ (twin) ".md" };
                        link rel="alternate" type="application/json" href={ (twin) ".json" };
                    }
                    @if let Some(feed) = feed { link rel="alternate" type="application/atom+xml" href=(feed) title="Layers"; }
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
                        nav.side aria-label="Namespaces" { (self.side()) }
                        main #content {
                            @if !self.crumbs.is_empty() {
                                nav.crumbs aria-label="Breadcrumbs" {
                                    ol { @for (name, address) in &self.crumbs { li { a href=(address) { (name) } } } }
                                }
                            }
                            @if is_front {
                                div.hero { (logo()) (blocks(here, head)) }
                            } @else {
                                (blocks(here, head))
                            }
                            @if let Some(menu) = &self.menu { (menu) }
                            (blocks(here, rest))
                        }
                        @if sections.len() > 1 {
                            nav.toc aria-label="On this page" {
                                ol { @for (id, name) in sections { li { a href={ "#" (id) } { (name) } } } }
                            }
                        }
                    }
                    footer {
                        @if let Some(twin) = &self.twin {
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
    fn side(&self) -> Markup {
        let here = self.here;
        let neighbours = self.neighbours();
        html! {
            p { "Namespaces" }
            ul {
                @for namespace in Reference::get().namespaces() {
                    @let name = namespace.name;
                    @let is_here = self.namespace == Some(name);
                    li {
                        a href=(here.to(Kind::Namespace, name)) aria-current=[is_here.then_some("true")] { (name) }
                        @if let Some(kind) = here.folder.filter(|_| is_here && !neighbours.is_empty()) {
                            ul {
                                @for name in neighbours {
                                    @let is_page = self.name == *name;
                                    li { a href=(here.to(kind, name)) aria-current=[is_page.then_some("page")] { (narrow(short(name))) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A mast of Chappe's telegraph with its three arms.
fn logo() -> Markup {
    PreEscaped(
        r#"<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 22V6M5 10l14-8M5 10v6M19 2v6"/></svg>"#
            .to_owned(),
    )
}
