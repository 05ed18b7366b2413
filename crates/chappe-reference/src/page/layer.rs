//! What each layer changed.

use chappe_schema::Definition;
use chappe_schema::layers::{Changed, Diff, Rename};
use maud::{Markup, html};

use super::frame::{Page, crumbs, document, heading};
use super::{Detail, Here, breakable, count, text};
use crate::Kind;
use crate::layers::{LayerPage, pages, source};
use crate::model::Reference;

/// The page of a layer.
pub(super) fn page(layer: &LayerPage, detail: Detail) -> Markup {
    let here = Here::of(Kind::Layer);
    let title = format!("Layer {}", layer.layer);
    let [methods, constructors, types] = layer.sizes;
    let mut sections = Vec::new();
    let mut parts = Vec::new();
    let all = format!("{}.json", layer.name);
    if let Some(diff) = &layer.diff {
        for (id, title, markup) in changes(here, diff, detail, &all) {
            sections.push((id, title));
            parts.push(html! { section { (heading(id, title)) (markup) } });
        }
    }
    sections.push(("sources", "Where this is known from"));
    document(Page {
        here,
        title: &title,
        description: text::bare(&layer.summary()),
        crumbs: crumbs(here, Kind::Layer, &layer.name),
        sections,
        namespace: None,
        neighbours: Vec::new(),
        content: html! {
            h1.words { (title) }
            p.lead { (text::inline(here, &layer.summary(), None)) }
            @if let Some(counts) = layer.counts() { p { (counts) } }
            ul.badges {
                li { (count(methods, "method")) }
                li { (count(constructors, "constructor")) }
                li { (count(types, "type")) }
                @if let Some(diff) = &layer.diff {
                    @if diff.breaks() { li.no { "Breaks programs" } } @else { li.yes { "Breaks no program" } }
                }
            }
            (turn(here, layer))
            @for part in parts { (part) }
            section {
                (heading("sources", "Where this is known from"))
                ul { @for it in &layer.sources { li { (source(it)) } } }
                p.quiet { "Known here since " (layer.day) ". Telegram publishes no dates of layers, and neither do these packages." }
            }
        },
        twin: Some(layer.name.clone()),
        feed: Some("feed.xml"),
    })
}

/// The list of all layers.
pub(super) fn index() -> Markup {
    let here = Here::of(Kind::Layer);
    let mut crumbs = crumbs(here, Kind::Layer, "");
    crumbs.truncate(1);
    document(Page {
        here,
        title: "Layers",
        description: "What each layer of the Telegram API changed".to_owned(),
        crumbs,
        sections: Vec::new(),
        namespace: None,
        neighbours: Vec::new(),
        content: html! {
            h1.words { "Layers" }
            p.lead {
                "What changed from one layer to the next, as far as published packages tell. "
                "Layers that no package has are not here."
            }
            p { a href="feed.xml" { "The same as a feed" } }
            ul.contents {
                @for layer in pages() {
                    li { a href=(here.to(Kind::Layer, &layer.name)) { "Layer " (layer.name) } " " span { (text::inline_plain(&layer.summary())) } }
                }
            }
        },
        twin: None,
        feed: Some("feed.xml"),
    })
}

/// The links to the layers before and behind.
fn turn(here: Here, layer: &LayerPage) -> Markup {
    let older = pages().iter().find(|it| it.layer < layer.layer);
    let newer = pages().iter().rfind(|it| it.layer > layer.layer);
    html! {
        nav.parts aria-label="Other layers" {
            ul {
                @if let Some(older) = older { li { a rel="prev" href=(here.to(Kind::Layer, &older.name)) { "← Layer " (older.name) } } }
                @if let Some(newer) = newer { li { a rel="next" href=(here.to(Kind::Layer, &newer.name)) { "Layer " (newer.name) " →" } } }
            }
        }
    }
}

/// The sections about what changed, those without anything left out.
fn changes(
    here: Here,
    diff: &Diff,
    detail: Detail,
    all: &str,
) -> Vec<(&'static str, &'static str, Markup)> {
    let mut sections = Vec::new();
    let of = |definitions: &[Definition], is_function: bool| -> Vec<String> {
        let found = definitions.iter().filter(|it| it.is_function == is_function);
        found.map(|it| it.name.clone()).collect()
    };
    let ids = [
        (
            true,
            [
                ("methods-added", "Methods added"),
                ("methods-changed", "Methods changed"),
                ("methods-removed", "Methods removed"),
            ],
        ),
        (
            false,
            [
                ("constructors-added", "Constructors added"),
                ("constructors-changed", "Constructors changed"),
                ("constructors-removed", "Constructors removed"),
            ],
        ),
    ];
    for (is_function, [added, changed, removed]) in ids {
        let names = of(&diff.added, is_function);
        if !names.is_empty() {
            sections.push((added.0, added.1, list(here, &names, &[], detail, all)));
        }
        let found: Vec<&Changed> =
            diff.changed.iter().filter(|it| it.newer.is_function == is_function).collect();
        if !found.is_empty() {
            sections.push((changed.0, changed.1, differences(here, &found, detail, all)));
        }
        let names = of(&diff.removed, is_function);
        if !names.is_empty() {
            sections.push((removed.0, removed.1, list(here, &names, &diff.renamed, detail, all)));
        }
    }
    let types = [
        ("types-added", "Types added", &diff.types_added),
        ("types-removed", "Types removed", &diff.types_removed),
    ];
    for (id, title, names) in types {
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            sections.push((id, title, list(here, &names, &[], detail, all)));
        }
    }
    sections
}

/// Names, with what stands for them where something does.
fn list(here: Here, names: &[String], renamed: &[Rename], detail: Detail, all: &str) -> Markup {
    let (most, more) = cut(names.len(), detail);
    html! {
        ul.names {
            @for name in names.iter().take(most) {
                li {
                    (thing(here, name))
                    @if let Some(rename) = renamed.iter().find(|it| it.older == name) {
                        " → " u { (thing(here, rename.newer)) }
                    }
                }
            }
        }
        (rest(more, all))
    }
}

/// A link where the newest layer has a thing of this name.
fn thing(here: Here, name: &str) -> Markup {
    html! {
        @match Reference::get().kind_of(name) {
            Some(kind) => a href=(here.to(kind, name)) { (breakable(name)) },
            None => (breakable(name)),
        }
    }
}

fn differences(here: Here, changed: &[&Changed], detail: Detail, all: &str) -> Markup {
    let (most, more) = cut(changed.len(), detail);
    html! {
        ul.things {
            @for changed in changed.iter().take(most) {
                li {
                    code { (thing(here, &changed.newer.name)) } " "
                    @if changed.breaks() { span.retry.no { "breaks" } " " }
                    @if detail < Detail::NoMeanings {
                        @for (index, difference) in changed.differences.iter().enumerate() {
                            @if index > 0 { "; " }
                            (text::inline_plain(&difference.to_string()))
                        }
                    }
                }
            }
        }
        (rest(more, all))
    }
}

/// How many of a list are shown, and how many are not.
fn cut(count: usize, detail: Detail) -> (usize, usize) {
    let most = match detail {
        Detail::Names | Detail::Lines => 120,
        Detail::Least => 50,
        _ => usize::MAX,
    };
    (most, count.saturating_sub(most))
}

fn rest(more: usize, all: &str) -> Markup {
    html! { @if more > 0 { p.quiet { "And " (more) " more, all of them " a href=(all) { "in the JSON" } "." } } }
}
