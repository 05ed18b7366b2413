//! What documents say, as HTML.

use maud::{Markup, html};

use super::code::{self, Grammar};
use super::{Here, breakable, narrow};
use crate::document::{Block, Choice, Inline, Item, Look, Mark, Tab, Term};

/// How pieces look where they stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// In code, or where all is names: those are not marked as code once more.
    Code,
    /// In a column of few letters.
    Narrow,
    /// In words.
    Words,
}

/// Blocks, each section in an element of its own.
pub(super) fn blocks(here: Here, blocks: &[Block]) -> Markup {
    let begins = |block: &Block| matches!(block, Block::Section { .. });
    html! {
        @for part in blocks.chunk_by(|_, next| !begins(next)) {
            @if part.first().is_some_and(begins) {
                section { @for it in part { (block(here, it)) } }
            } @else {
                @for it in part { (block(here, it)) }
            }
        }
    }
}

fn block(here: Here, block: &Block) -> Markup {
    let words = |pieces: &[Inline]| line(here, pieces, Style::Words);
    match block {
        Block::Badges(badges) => {
            html! { ul.badges { @for badge in badges { (self::badge(here, badge)) } } }
        }
        Block::Choices(choices) => {
            html! { @for it in choices { (choice(here, it, choices.len() == 1)) } }
        }
        Block::Code { language: "tl", label, text } => {
            code::block(Some("tl"), label, &line(here, text, Style::Code))
        }
        Block::Code { language, label, text } => {
            let text: String = text.iter().map(Inline::plain).collect();
            code::block(None, label, &code::marked(Grammar::of(language), text.trim_end()))
        }
        Block::Heading(title) => html! { h3 { (title) } },
        Block::Lead(pieces) => html! { p.lead { (words(pieces)) } },
        Block::List(look, items) => list(here, *look, items),
        Block::Note { title: None, text } => html! { p.assumed { (words(text)) } },
        Block::Note { title: Some(title), text } => {
            html! { aside.note { strong { (title) } p { (words(text)) } } }
        }
        Block::Paragraph(pieces) => html! { p { (words(pieces)) } },
        Block::Quiet(pieces) => html! { p.quiet { (words(pieces)) } },
        Block::Section { id, title } => html! { h2 id=(id) { a href={ "#" (id) } { (title) } } },
        Block::Steps(steps) => html! {
            ol.history {
                @for step in steps {
                    li {
                        (words(&step.what))
                        @if let Some(older) = &step.older {
                            details { summary { "As it was before" } code { (older) } }
                        }
                    }
                }
            }
        },
        Block::Tabs(tabs) => self::tabs(here, tabs),
        Block::Terms(terms) => self::terms(here, terms),
        Block::Title(title) => {
            html! { h1 class=[(!here.is_name).then_some("words")] { (breakable(title)) } }
        }
    }
}

/// A badge; one that is nothing but a mark has its colour.
fn badge(here: Here, pieces: &[Inline]) -> Markup {
    match pieces {
        [Inline::Mark(mark, words)] => html! { li.(class(*mark)) { (words) } },
        _ => html! { li { (line(here, pieces, Style::Words)) } },
    }
}

fn choice(here: Here, choice: &Choice, is_open: bool) -> Markup {
    html! {
        details.choice open[is_open] {
            summary {
                code { (breakable(&choice.name)) }
                " " span { (line(here, &choice.about, Style::Words)) }
            }
            (blocks(here, &choice.inside))
        }
    }
}

fn list(here: Here, look: Look, items: &[Item]) -> Markup {
    let names = |item: &Item| line(here, &item.name, Style::Code);
    let about = |item: &Item| line(here, &item.about, Style::Words);
    match look {
        Look::Names => html! { ul.names { @for item in items { li { (names(item)) } } } },
        Look::Spaces => html! {
            ul.spaces { @for item in items { li { (names(item)) p { (about(item)) } } } }
        },
        Look::Things => html! {
            ul.things {
                @for item in items {
                    li {
                        (line(here, &item.name, Style::Words))
                        @if !item.about.is_empty() { " " span { (about(item)) } }
                    }
                }
            }
        },
        // The whole tile is the link.
        Look::Tiles => html! {
            ul.kinds {
                @for item in items {
                    @let address = item.name.iter().find_map(|it| address(here, it));
                    li {
                        a href=[address] {
                            @for piece in &item.name {
                                @match piece {
                                    Inline::Strong(words) => b { (words) },
                                    other => (other.plain()),
                                }
                            }
                            span { (about(item)) }
                        }
                    }
                }
            }
        },
    }
}

/// The same in several languages, one of them shown. Which one is chosen by a radio button each, so
/// that it works without a script, and by keyboard.
fn tabs(here: Here, tabs: &[Tab]) -> Markup {
    html! {
        fieldset.tabs {
            legend.sr { "Language" }
            @for (index, tab) in tabs.iter().enumerate() {
                input type="radio" name="language" id={ "in-" (tab.id) } value=(tab.id) checked[index == 0];
                label for={ "in-" (tab.id) } { (tab.title) }
            }
            @for tab in tabs { div.panel.(tab.id) { (blocks(here, &tab.blocks)) } }
        }
    }
}

/// Terms in columns: a place on the page, a type or advice makes other ones.
fn terms(here: Here, terms: &[Term]) -> Markup {
    let words = |pieces: &[Inline]| line(here, pieces, Style::Words);
    let has_places = terms.iter().any(|term| term.id.is_some());
    let has_types = terms.iter().any(|term| !term.of.is_empty());
    let remark =
        |term: &Term| html! { @if !term.remark.is_empty() { span.flag { (words(&term.remark)) } } };
    html! {
        @if has_places {
            dl.params {
                @for term in terms {
                    div id=[term.id.as_deref()] {
                        dt { (line(here, &term.name, Style::Narrow)) }
                        dd.type { (words(&term.of)) (remark(term)) }
                        dd { (words(&term.about)) }
                    }
                }
            }
        } @else if has_types {
            dl.fields {
                @for term in terms {
                    div {
                        dt { (words(&term.name)) " " (words(&term.of)) (remark(term)) }
                        @if !term.about.is_empty() { dd { (words(&term.about)) } }
                    }
                }
            }
        } @else {
            dl.errors {
                @for term in terms {
                    div {
                        dt { (words(&term.name)) }
                        dd {
                            (words(&term.about))
                            @if !term.advice.is_empty() { " " span.fix { (words(&term.advice)) } }
                        }
                    }
                }
            }
        }
    }
}

fn line(here: Here, pieces: &[Inline], style: Style) -> Markup {
    let is_code = style == Style::Code;
    html! {
        @for piece in pieces {
            @match piece {
                Inline::Code(words) if is_code => (breakable(words)),
                Inline::Code(words) => code { (breakable(words)) },
                Inline::Link(words, _) => a href=[address(here, piece)] { (words) },
                Inline::Mark(mark, words) => span.mark.(class(*mark)) { (words) },
                Inline::Name(_, name) if is_code => a href=[address(here, piece)] { (breakable(name)) },
                Inline::Name(_, name) => a href=[address(here, piece)] { code { (breakable(name)) } },
                Inline::Param(name) if is_code => a.param href=[address(here, piece)] { (name) },
                Inline::Param(name) if style == Style::Narrow => a href=[address(here, piece)] { code { (narrow(name)) } },
                Inline::Param(name) => a href=[address(here, piece)] { code { (breakable(name)) } },
                Inline::Soft(words) => span.soft { (words) },
                Inline::Strong(words) => b { (words) },
                Inline::Text(words) => (words),
            }
        }
    }
}

/// Where a piece leads.
fn address(here: Here, piece: &Inline) -> Option<String> {
    match piece {
        Inline::Link(_, target) => Some(here.target(target)),
        Inline::Name(kind, name) => Some(here.to(*kind, name)),
        Inline::Param(name) => Some(format!("#param-{name}")),
        _ => None,
    }
}

const fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Bad => "bad",
        Mark::Good => "good",
        Mark::No => "no",
        Mark::Warn => "warn",
        Mark::Yes => "yes",
    }
}
