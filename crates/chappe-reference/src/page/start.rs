//! The page for whoever is new here.

use maud::{Markup, html};

use super::code::{Grammar, block};
use super::frame::{Page, document, heading};
use super::{Here, text};
use crate::start::{ABOUT, PIECES, Piece, TITLE};

pub(super) fn page() -> Markup {
    let here = Here::FRONT;
    let sections = PIECES.iter().filter_map(|piece| match piece {
        Piece::Section(id, title) => Some((*id, *title)),
        Piece::Shell(_) | Piece::Words(_) => None,
    });
    document(Page {
        here,
        title: TITLE,
        description: ABOUT.to_owned(),
        crumbs: vec![("Reference".to_owned(), "index.html".to_owned())],
        sections: sections.collect(),
        namespace: None,
        neighbours: Vec::new(),
        content: html! {
            h1.words { (TITLE) }
            p.lead { (ABOUT) }
            @for (index, piece) in PIECES.iter().enumerate() {
                @match piece {
                    Piece::Section(id, title) => (heading(id, title)),
                    Piece::Shell(code) => (block(Grammar::Shell, &format!("Commands {}", index + 1), code)),
                    Piece::Words(words) => (text::prose(here, words, None)),
                }
            }
        },
        twin: None,
        feed: None,
    })
}
