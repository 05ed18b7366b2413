//! Texts taken apart: paragraphs, code, names.

use crate::{Definition, Type};

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span<'t> {
    /// Code that is no name of ours.
    Code(&'t str),
    /// Code that is the name of something.
    Name(Named, &'t str),
    /// Plain text.
    Text(&'t str),
}

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A constructor of the API.
    Constructor,
    /// A known error of its methods.
    Error,
    /// A method of the API.
    Method,
    /// A parameter of the definition that the text is about.
    Param,
    /// A type of the API.
    Type,
}

/// Constructors whose names mean something else in a text: values, mostly.
const WORDS: &[&str] = &["error", "null", "true", "vector"];

/// What a name is, in a text about this definition.
#[must_use]
pub fn named(name: &str, about: Option<&Definition>) -> Option<Named> {
    let params = about.map(|it| it.params.as_slice()).unwrap_or_default();
    if params.iter().any(|param| param.name == name && param.ty != Type::Nat) {
        return Some(Named::Param);
    }
    if WORDS.contains(&name) {
        return None;
    }
    let schema = crate::api();
    if let Some(definition) = schema.find(name) {
        return Some(if definition.is_function { Named::Method } else { Named::Constructor });
    }
    if !schema.constructors(name).is_empty() {
        return Some(Named::Type);
    }
    crate::facts().errors.contains_key(name).then_some(Named::Error)
}

/// The paragraphs of a text, each as its pieces, in a text about this definition.
#[must_use]
pub fn paragraphs<'t>(text: &'t str, about: Option<&Definition>) -> Vec<Vec<Span<'t>>> {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|it| !it.is_empty());
    paragraphs.map(|paragraph| spans(paragraph, about)).collect()
}

/// The first sentence of a text.
#[must_use]
pub fn summary(about: &str) -> &str {
    let paragraph = about.trim_start().split("\n\n").next().unwrap_or_default().trim_end();
    let mut in_code = false;
    let mut last = ' ';
    for (at, c) in paragraph.char_indices() {
        if c.is_whitespace() && !in_code && matches!(last, '.' | '!' | '?') {
            let (sentence, rest) = paragraph.split_at(at);
            let goes_on = rest.trim_start().starts_with(|c: char| c.is_lowercase());
            if !goes_on {
                return sentence;
            }
        }
        in_code ^= c == '`';
        last = c;
    }
    paragraph
}

fn spans<'t>(paragraph: &'t str, about: Option<&Definition>) -> Vec<Span<'t>> {
    let pieces = paragraph.split('`').enumerate();
    pieces
        .filter(|(_, piece)| !piece.is_empty())
        .map(|(index, piece)| match named(piece, about) {
            _ if index % 2 == 0 => Span::Text(piece),
            Some(kind) => Span::Name(kind, piece),
            None => Span::Code(piece),
        })
        .collect()
}
