//! The pages of types and constructors.

use chappe_schema::words::{summary, words};
use chappe_schema::{Definition, layers::History};
use maud::{Markup, html};

use super::frame::{Page, crumbs, document, heading, neighbours, short};
use super::method::{assumed, history, parameters};
use super::{Detail, Here, SIBLINGS, breakable, count, example, text};
use crate::model::{Constructor, Reference, TypeInfo, namespace_of, params};
use crate::{Kind, recorded};

/// The page of a type.
pub(super) fn ty(ty: &TypeInfo, detail: Detail) -> Markup {
    let here = Here::of(Kind::Type);
    let all = format!("{}.json", file(Kind::Type, ty.name));
    let mut sections = Vec::new();
    let mut content = vec![html! {
        h1 { (breakable(ty.name)) }
        @if let Some(about) = ty.about { p.lead { (text::inline(here, summary(about), None)) } }
        ul.badges {
            li { "Type" }
            li { (count(ty.constructors.len(), "constructor")) }
            li { (ty.size) " on the wire" }
        }
        @if let Some(about) = ty.about { (text::behind_summary(here, about, None)) }
    }];
    let mut section = |id, title, markup: Markup| {
        sections.push((id, title));
        content.push(html! { section { (heading(id, title)) (markup) } });
    };
    let constructors: Vec<&'static Definition> = chappe_schema::api().constructors(ty.name);
    section("constructors", "Constructors", choices(here, &constructors, detail, &all));
    // The one that says most, and rather one that a server said.
    let shown = constructors.iter().max_by_key(|it| {
        (
            recorded::value(&it.name).is_some(),
            params(it).filter(|param| param.flag.is_none()).count(),
        )
    });
    if let Some(shown) = shown {
        section("json", "As JSON", sample(here, shown, detail, &all));
    }
    section("from", "Where it comes from", from(here, ty, detail, &all));
    section("to", "Where it goes", to(here, ty, detail, &all));
    let steps = History::get().steps_of_type(ty.name);
    if !steps.is_empty() {
        section(
            "history",
            "History",
            html! {
                ol.history {
                    @for step in steps.iter().rev() {
                        li {
                            (step.moment) ": "
                            @for (index, name) in step.gained.iter().enumerate() {
                                @if index > 0 { ", " } "+ " code { (breakable(name)) }
                            }
                            @if !step.gained.is_empty() && !step.lost.is_empty() { ", " }
                            @for (index, name) in step.lost.iter().enumerate() {
                                @if index > 0 { ", " } "− " code { (breakable(name)) }
                            }
                        }
                    }
                }
            },
        );
    }
    let beside = Reference::get().namespace(namespace_of(ty.name));
    let beside = beside.map(|it| it.types.as_slice()).unwrap_or_default();
    document(Page {
        here,
        title: ty.name,
        description: text::bare(ty.summary().unwrap_or(ty.name)),
        crumbs: crumbs(here, Kind::Type, ty.name),
        sections,
        namespace: Some(namespace_of(ty.name)),
        neighbours: neighbours(Kind::Type, beside, ty.name),
        content: html! { @for part in content { (part) } },
        twin: Some(file(Kind::Type, ty.name)),
        feed: None,
    })
}

/// The page of a constructor.
pub(super) fn constructor(constructor: &Constructor, detail: Detail) -> Markup {
    let here = Here::of(Kind::Constructor);
    let all = format!("{}.json", constructor.name());
    let definition = constructor.definition;
    let name = constructor.name();
    let type_name = constructor.type_name();
    let ty = Reference::get().ty(&type_name);
    let mut sections = vec![("tl", "TL")];
    let mut content = vec![html! {
        h1 { (breakable(name)) }
        @if let Some(words) = constructor.words {
            p.lead { (text::inline(here, summary(&words.about), Some(definition))) }
        }
        ul.badges {
            li { "Constructor of " (here.ty(&definition.result)) }
            li { (constructor.size) " on the wire" }
            @if let Some(since) = History::get().life(name).and_then(|life| life.since()) {
                li.since { a href="#history" { "Since " (since) } }
            }
        }
        @if let Some(words) = constructor.words {
            (text::behind_summary(here, &words.about, Some(definition)))
            @if words.assumed { (assumed()) }
        }
        section {
            (heading("tl", "TL"))
            div.code {
                pre.tl tabindex="0" role="region" aria-label="TL declaration" {
                    code { (text::declaration(here, definition, true)) }
                }
            }
        }
    }];
    let mut section = |id, title, markup: Markup| {
        sections.push((id, title));
        content.push(html! { section { (heading(id, title)) (markup) } });
    };
    section("fields", "Fields", parameters(here, definition));
    section("json", "As JSON", sample(here, definition, detail, &all));
    if let Some(ty) = ty {
        let others: Vec<&str> = ty.constructors.iter().copied().filter(|it| *it != name).collect();
        if !others.is_empty() {
            let others = html! {
                @if others.len() > SIBLINGS {
                    p { (here.ty(&definition.result)) " has " (others.len()) " other constructors." }
                } @else {
                    p { (here.ty(&definition.result)) " may also be one of these:" }
                    (here.list(Kind::Constructor, &others, detail, &all))
                }
            };
            section("others", "Instead of it", others);
        }
        section("from", "Where it comes from", from(here, ty, detail, &all));
        section("to", "Where it goes", to(here, ty, detail, &all));
    }
    section("history", "History", history(here, name, detail));
    document(Page {
        here,
        title: name,
        description: text::bare(constructor.summary().unwrap_or(name)),
        crumbs: crumbs(here, Kind::Constructor, name),
        sections,
        namespace: Some(namespace_of(name)),
        neighbours: ty
            .map(|ty| neighbours(Kind::Constructor, &ty.constructors, name))
            .unwrap_or_default(),
        content: html! { @for part in content { (part) } },
        twin: Some(name.to_owned()),
        feed: None,
    })
}

/// A value of a constructor as TL-JSON: one that a server answered, or one that was made up.
fn sample(here: Here, definition: &'static Definition, detail: Detail, all: &str) -> Markup {
    html! {
        @match recorded::value(&definition.name) {
            Some((method, value)) => {
                p { "From an answer of the local Telegram to " (here.link(Kind::Method, method)) ":" }
                (example::json("A value as JSON", value, detail, all))
            }
            None => (example::json("A value as JSON", &crate::example::sample(definition), detail, all)),
        }
    }
}

/// The file of a page without its ending, as seen from its folder.
fn file(kind: Kind, name: &str) -> String {
    let address = kind.address(name);
    address.split_once('/').map_or(name, |(_, file)| file).to_owned()
}

/// The methods and constructors that give a value of a type.
fn from(here: Here, ty: &TypeInfo, detail: Detail, all: &str) -> Markup {
    let is_empty = ty.returned_by.is_empty() && ty.found_in_answers_of.is_empty();
    html! {
        @if !ty.returned_by.is_empty() {
            h3 { "Answer of" }
            (here.list(Kind::Method, &ty.returned_by, detail, all))
        }
        @if !ty.found_in_answers_of.is_empty() {
            h3 { "Inside the answer of" }
            (here.list(Kind::Method, &ty.found_in_answers_of, detail, all))
        }
        @if is_empty {
            p {
                "No method answers it, neither itself nor in a field of its answer"
                @if short(ty.name).starts_with("Input") { ": you make it yourself, of what you know" }
                "."
            }
        }
    }
}

/// The methods and constructors that take a value of a type.
fn to(here: Here, ty: &TypeInfo, detail: Detail, all: &str) -> Markup {
    html! {
        @if !ty.accepted_by.is_empty() {
            h3 { "Parameter of" }
            (here.list(Kind::Method, &ty.accepted_by, detail, all))
        }
        @if !ty.held_by.is_empty() {
            h3 { "Field of" }
            (here.list(Kind::Constructor, &ty.held_by, detail, all))
        }
        @if ty.accepted_by.is_empty() && ty.held_by.is_empty() {
            p { "No method and no constructor takes it." }
        }
    }
}

/// Constructors of one type, each of which opens and shows its fields.
pub(super) fn choices(
    here: Here,
    constructors: &[&'static Definition],
    detail: Detail,
    all: &str,
) -> Markup {
    // What can be one of many is told by its names.
    const MANY: usize = 24;
    if constructors.len() > MANY || (detail >= Detail::Names && constructors.len() > 1) {
        let names: Vec<&str> = constructors.iter().map(|it| it.name.as_str()).collect();
        return here.list(Kind::Constructor, &names, detail, all);
    }
    html! {
        @for definition in constructors {
            details.choice open[constructors.len() == 1] {
                summary {
                    code { (breakable(&definition.name)) }
                    @if let Some(words) = words().constructor(&definition.name) {
                        " " span { (text::inline_plain(summary(&words.about))) }
                    }
                }
                (fields(here, definition, detail))
            }
        }
    }
}

/// The fields of a constructor in short.
fn fields(here: Here, definition: &'static Definition, detail: Detail) -> Markup {
    let is_empty = params(definition).next().is_none();
    html! {
        @if !is_empty {
            dl.fields {
                @for param in params(definition) {
                    div {
                        dt { code { (breakable(&param.name)) } " " (here.ty(&param.ty)) @if param.flag.is_some() { span.flag { "?" } } }
                        @if let Some(meaning) = words().param(definition, param).filter(|_| detail < Detail::NoMeanings) {
                            dd { (text::inline_plain(meaning)) }
                        }
                    }
                }
            }
        }
        p.more {
            @if is_empty { "No fields. " }
            a href=(here.to(Kind::Constructor, &definition.name)) { "All about " code { (breakable(&definition.name)) } }
        }
    }
}
