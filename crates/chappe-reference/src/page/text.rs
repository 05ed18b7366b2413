//! Words and TL as HTML, with links.

use chappe_schema::Definition;
use chappe_schema::words::{Named, Span, named, paragraphs};
use maud::{Markup, html};

use super::{Here, breakable};
use crate::Kind;
use crate::model::Reference;

/// A text as paragraphs, on the page of this definition.
pub(super) fn prose(here: Here, text: &str, about: Option<&Definition>) -> Markup {
    html! {
        @for paragraph in paragraphs(text, about) {
            p { (spans(here, &paragraph)) }
        }
    }
}

/// A text without its first sentence, as paragraphs.
pub(super) fn behind_summary(here: Here, text: &str, about: Option<&Definition>) -> Markup {
    let summary = chappe_schema::words::summary(text);
    let rest = text.trim_start().strip_prefix(summary).unwrap_or_default();
    prose(here, rest, about)
}

/// A text of one paragraph, inside of a line.
pub(super) fn inline(here: Here, text: &str, about: Option<&Definition>) -> Markup {
    html! {
        @for (index, paragraph) in paragraphs(text, about).iter().enumerate() {
            @if index > 0 { " " }
            (spans(here, paragraph))
        }
    }
}

/// A text without links, for inside of one or beside one.
pub(super) fn inline_plain(text: &str) -> Markup {
    html! {
        @for (index, piece) in text.split('`').enumerate() {
            @if index % 2 == 0 { (piece) } @else { code { (breakable(piece)) } }
        }
    }
}

/// A text without any markup.
pub(super) fn bare(text: &str) -> String {
    text.replace('`', "")
}

fn spans(here: Here, spans: &[Span<'_>]) -> Markup {
    html! {
        @for span in spans {
            @match span {
                Span::Code(code) => code { (breakable(code)) },
                Span::Text(text) => (text),
                Span::Name(Named::Param, name) => {
                    a href={ "#" (param_id(name)) } { code { (breakable(name)) } }
                }
                Span::Name(named, name) => (here.link(kind(*named), name)),
            }
        }
    }
}

fn kind(named: Named) -> Kind {
    match named {
        Named::Constructor | Named::Param => Kind::Constructor,
        Named::Error => Kind::Error,
        Named::Method => Kind::Method,
        Named::Type => Kind::Type,
    }
}

/// The anchor of a parameter on the page of its definition.
pub(super) fn param_id(name: &str) -> String {
    format!("param-{name}")
}

/// The declaration of a definition, all of whose types and parameters are links; long ones with a
/// parameter a line.
pub(super) fn declaration(here: Here, definition: &Definition, own_page: bool) -> Markup {
    const LINE: usize = 76;
    let (head, rest) = definition.text.split_once(' ').unwrap_or((&definition.text, ""));
    let (name, id) = head.split_once('#').unwrap_or((head, ""));
    let (params, result) = rest.rsplit_once("= ").unwrap_or(("", rest));
    let is_long = definition.text.len() > LINE;
    let kind = if definition.is_function { Kind::Method } else { Kind::Constructor };
    html! {
        @if own_page { b { (name) } } @else { a href=(here.to(kind, name)) { (name) } }
        @if !id.is_empty() { span.id { "#" (id) } }
        @for param in params.split_whitespace() {
            @if is_long { "\n  " } @else { " " }
            @match param.split_once(':') {
                Some((name, ty)) => {
                    @if own_page && named(name, Some(definition)) == Some(Named::Param) {
                        a.param href={ "#" (param_id(name)) } { (name) }
                    } @else {
                        (name)
                    }
                    ":" (types(here, ty))
                }
                None => (types(here, param)),
            }
        }
        @if is_long { "\n  = " } @else { " = " }
        (types(here, result)) ";"
    }
}

/// The text of a type as TL writes it, each word that has a page as a link.
fn types(here: Here, text: &str) -> Markup {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let mut pieces: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_word(c) != is_word(first)).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        pieces.push(piece);
        rest = behind;
    }
    html! {
        @for piece in pieces {
            @if Reference::get().ty(piece).is_some() {
                a href=(here.to(Kind::Type, piece)) { (piece) }
            } @else {
                (piece)
            }
        }
    }
}
