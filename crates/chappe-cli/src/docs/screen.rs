//! A page on a terminal: colours, lines of the terminal's width.

use anstyle::{AnsiColor, Style};
use chappe_reference::document::{Block, Document, Inline};
use chappe_reference::search::Hit;
use dialoguer::console::Term;

use crate::output::{bold, dim, paint, printable};

/// A page as lines, with colours.
pub(super) fn show(document: &Document) -> String {
    let width = width();
    let mut out = String::new();
    for block in &document.blocks {
        if !out.is_empty() {
            out.push('\n');
        }
        match block {
            Block::Code { text, .. } => {
                for line in text.trim_end().lines() {
                    out.push_str(format!("    {}", visible(line)).trim_end());
                    out.push('\n');
                }
            }
            Block::Heading(level, text) => {
                let style = if *level == 3 { Style::new().underline() } else { bold() };
                out.push_str(&format!("{}\n", paint(style, &printable(text))));
            }
            Block::List(items) => {
                for item in items {
                    out.push_str(&wrapped(item, "  • ", "    ", width));
                }
            }
            Block::Note(pieces) => out.push_str(&wrapped(pieces, "  │ ", "  │ ", width)),
            Block::Paragraph(pieces) => out.push_str(&wrapped(pieces, "", "", width)),
            Block::Table { head, rows } => {
                for row in rows {
                    out.push_str(&table_row(head, row, width));
                }
            }
        }
    }
    out
}

/// What was found, one thing a line, its description below it.
pub(super) fn hits(hits: &[Hit<'_>]) -> String {
    let width = width();
    let mut lines = Vec::new();
    for hit in hits {
        let kind = paint(dim(), &format!("{:<11}", hit.kind.word()));
        let param = hit.param.map(|param| paint(dim(), &format!("  param {}", printable(param))));
        let name = paint(bold(), &printable(hit.name));
        lines.push(format!("{kind} {name}{}", param.unwrap_or_default()));
        if !hit.about.is_empty() {
            let about = [Inline::Text(hit.about.to_owned())];
            lines
                .push(wrapped(&about, "            ", "            ", width).trim_end().to_owned());
        }
    }
    lines.join("\n")
}

/// A row: its short cells in a line, and what is longer below.
fn table_row(head: &[&str], row: &[Vec<Inline>], width: usize) -> String {
    let mut first: Vec<Inline> = Vec::new();
    let mut below = String::new();
    for (index, (name, cell)) in head.iter().zip(row).enumerate() {
        let length: usize = cell.iter().map(|piece| plain(piece).chars().count()).sum();
        if length == 0 {
            continue;
        }
        // What is long stands by itself; the second long one needs its name.
        if index > 0 && length > SHORT {
            let label = match below.is_empty() {
                true => Vec::new(),
                false => vec![Inline::Text(format!("{name}: "))],
            };
            let pieces = [label, cell.clone()].concat();
            below.push_str(&wrapped(&pieces, "      ", "      ", width));
        } else {
            let between = match (index, first.is_empty()) {
                (_, true) => String::new(),
                (index, _) if NAMED.contains(name) && index > 0 => {
                    format!("  {}: ", name.to_lowercase())
                }
                _ => "  ".to_owned(),
            };
            first.push(Inline::Text(between));
            first.extend(cell.iter().cloned());
        }
    }
    wrapped(&first, "  ", "      ", width) + &below
}

/// Pieces as lines of a width, the first one behind `first` and the others behind `other`.
fn wrapped(pieces: &[Inline], first: &str, other: &str, width: usize) -> String {
    let mut out = first.to_owned();
    let mut column = first.chars().count();
    let mut is_begun = false;
    let mut gap = 0;
    for piece in pieces {
        let style = style(piece);
        let text = visible(&plain(piece));
        for (index, word) in text.split(' ').enumerate() {
            gap += usize::from(index > 0);
            if word.is_empty() {
                continue;
            }
            let length = word.chars().count();
            if is_begun && gap > 0 && column + gap + length > width {
                out.push('\n');
                out.push_str(other);
                column = other.chars().count();
            } else if is_begun {
                out.push_str(&" ".repeat(gap));
                column += gap;
            }
            out.push_str(&style.map_or_else(|| word.to_owned(), |style| paint(style, word)));
            column += length;
            is_begun = true;
            gap = 0;
        }
    }
    out.push('\n');
    out
}

fn plain(piece: &Inline) -> String {
    match piece {
        Inline::Code(text) | Inline::Name(_, text) | Inline::Text(text) => text.clone(),
        Inline::Web(text, address) => format!("{text}: {address}"),
    }
}

fn style(piece: &Inline) -> Option<Style> {
    match piece {
        Inline::Code(_) | Inline::Name(..) => Some(code()),
        Inline::Text(_) => None,
        Inline::Web(..) => Some(Style::new().underline()),
    }
}

/// Nothing of a page moves the cursor, whoever wrote it; spaces of code stay.
fn visible(text: &str) -> String {
    printable(&text.replace('\t', "    "))
}

fn code() -> Style {
    Style::new().fg_color(Some(AnsiColor::Cyan.into()))
}

/// The columns of the terminal, as far as lines are good to read.
fn width() -> usize {
    let (_, columns) = Term::stdout().size();
    usize::from(columns).clamp(40, 100)
}

/// How long a cell may be to stand beside others.
const SHORT: usize = 32;

/// Columns that say nothing without their names.
const NAMED: &[&str] = &["Needed", "Send again", "Methods", "Types", "Constructors"];

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> Inline {
        Inline::Text(words.to_owned())
    }

    #[test]
    fn lines_break_between_words_and_pieces_stay_together() {
        let pieces = [text("one two "), Inline::Code("three".into()), text(", four")];
        let lines = anstream::adapter::strip_str(&wrapped(&pieces, "- ", "  ", 16)).to_string();
        assert_eq!(lines, "- one two three,\n  four\n");
        // A word that is longer than the line stands alone and whole.
        let lines = wrapped(&[text("a verylongword b")], "", "", 5);
        assert_eq!(lines, "a\nverylongword\nb\n");
    }

    #[test]
    fn a_page_cannot_move_the_cursor() {
        let document = Document {
            blocks: vec![
                Block::Heading(1, "a\u{1b}[2J".into()),
                Block::Paragraph(vec![text("b\u{1b}[2J")]),
                Block::Code { language: "sh", text: "c\u{1b}[2J\u{202e}".into() },
            ],
        };
        let shown = show(&document);
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        assert_eq!(shown.matches("\\u{1b}").count(), 3);
    }
}
