//! The front page, and the pages of namespaces.

use super::{Document, Inline, inline, named, text};
use crate::Kind;
use crate::model::{Namespace, ROOT, Reference};
use crate::page::about;
use crate::start::{ABOUT, PIECES, Piece, TITLE, sections};

/// The front page.
pub(super) fn front() -> Document {
    let all = Reference::get();
    let mut page = Document::default();
    page.heading(1, format!("Telegram API, layer {}", all.layer()));
    page.paragraph([text(format!(
        "{} methods, {} types with {} constructors, and {} errors, in words of our own. Not from Telegram.",
        all.methods().len(),
        all.types().len(),
        all.constructors().len(),
        all.errors().len(),
    ))]);
    page.heading(2, "Namespaces");
    let rows = all.namespaces().iter().map(|it| {
        vec![
            vec![Inline::Name(Kind::Namespace, it.name.to_owned())],
            vec![text(it.methods.len().to_string())],
            vec![text(it.types.len().to_string())],
            vec![text(it.constructors.len().to_string())],
        ]
    });
    page.table(&["Namespace", "Methods", "Types", "Constructors"], rows.collect());
    page.heading(2, "Layers");
    let layers = crate::layers::pages().iter().map(|layer| {
        let name = Inline::Name(Kind::Layer, layer.name.clone());
        let mut pieces = vec![name, text(": ")];
        pieces.extend(inline(&layer.summary(), None));
        pieces
    });
    page.list(layers.collect());
    page
}

/// The page for whoever is new here.
pub(super) fn start() -> Document {
    let mut page = Document::default();
    page.heading(1, TITLE);
    page.paragraph([text(ABOUT)]);
    page.pieces(PIECES);
    page
}

/// A section of it as a page of its own, or all of it by its name.
pub(super) fn guide(name: &str) -> Option<Document> {
    if name == TITLE {
        return Some(start());
    }
    let (_, title, pieces) = sections().find(|(_, title, _)| *title == name)?;
    let mut page = Document::default();
    page.heading(1, title);
    page.pieces(pieces);
    Some(page)
}

impl Document {
    fn pieces(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Section(_, title) => self.heading(2, *title),
                Piece::Shell(code) => self.code("sh", *code),
                Piece::Words(words) => self.prose(words, None),
            }
        }
    }
}

/// The page of a namespace.
pub(super) fn namespace(namespace: &Namespace) -> Document {
    let mut page = Document::default();
    let title = if namespace.name == ROOT { "Without a namespace" } else { namespace.name };
    page.heading(1, title);
    if let Some(about) = about(namespace.name) {
        page.paragraph([text(about)]);
    }
    for (title, kind, names) in [
        ("Methods", Kind::Method, &namespace.methods),
        ("Types", Kind::Type, &namespace.types),
        ("Constructors", Kind::Constructor, &namespace.constructors),
    ] {
        if !names.is_empty() {
            page.heading(2, title);
            page.list(names.iter().map(|name| named(kind, name)).collect());
        }
    }
    page
}
