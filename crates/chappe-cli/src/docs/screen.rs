//! A page on a terminal: colours, lines of the terminal's width.

use anstyle::{AnsiColor, Style};
use chappe_reference::Kind;
use chappe_reference::document::{Block, Document, Inline, Look, Mark, Target, Term};
use chappe_reference::search::Hit;
use dialoguer::console;

use crate::output::{bold, dim, paint, printable};

/// A page as lines, with colours.
pub(super) fn show(document: &Document) -> String {
    blocks(&document.blocks, width())
}

fn blocks(blocks: &[Block], width: usize) -> String {
    let mut out = String::new();
    for block in blocks {
        if !out.is_empty() {
            out.push('\n');
        }
        match block {
            Block::Badges(badges) => {
                for badge in badges {
                    out.push_str(&wrapped(badge, "  • ", "    ", width));
                }
            }
            // They are folded here: each is a page away.
            Block::Choices(choices) => {
                for choice in choices {
                    let name = Inline::Name(Kind::Constructor, choice.name.clone());
                    out.push_str(&told(&[name], &choice.about, width));
                }
            }
            Block::Code { text, .. } => {
                let text: String = text.iter().map(Inline::plain).collect();
                for line in text.trim_end().lines() {
                    out.push_str(format!("    {}", visible(line)).trim_end());
                    out.push('\n');
                }
            }
            Block::Heading(title) => out.push_str(&heading(Style::new().underline(), title)),
            Block::List(Look::Names, items) => {
                let names: Vec<&[Inline]> = items.iter().map(|item| item.name.as_slice()).collect();
                let between = Inline::Text(", ".to_owned());
                out.push_str(&wrapped(&names.join(&between), "  ", "  ", width));
            }
            Block::List(_, items) => {
                for item in items {
                    out.push_str(&told(&item.name, &item.about, width));
                }
            }
            Block::Note { title, text } => {
                let title = title.map(|title| Inline::Strong(format!("{title}. ")));
                let pieces: Vec<Inline> = title.into_iter().chain(text.iter().cloned()).collect();
                out.push_str(&wrapped(&pieces, "  │ ", "  │ ", width));
            }
            Block::Lead(pieces) | Block::Paragraph(pieces) | Block::Quiet(pieces) => {
                out.push_str(&wrapped(pieces, "", "", width));
            }
            Block::Section { title, .. } => out.push_str(&heading(bold(), title)),
            Block::Steps(steps) => {
                for step in steps {
                    out.push_str(&wrapped(&step.what, "  • ", "    ", width));
                    if let Some(older) = &step.older {
                        let older =
                            [Inline::Text("Before: ".to_owned()), Inline::Code(older.clone())];
                        out.push_str(&wrapped(&older, "    ", "      ", width));
                    }
                }
            }
            Block::Tabs(tabs) => {
                // One says it all here; the others are asked for.
                let Some((first, others)) = tabs.split_first() else { continue };
                out.push_str(&heading(Style::new().underline(), first.title));
                out.push_str(&format!("\n{}\n", self::blocks(&first.blocks, width)));
                let others = others.iter().map(|tab| tab.id).collect::<Vec<_>>().join(", ");
                let said = format!("Other languages by --lang: {others}");
                out.push_str(&wrapped(&[Inline::Soft(said)], "", "", width));
            }
            Block::Terms(terms) => {
                for term in terms {
                    out.push_str(&self::term(term, width));
                }
            }
            Block::Title(title) => out.push_str(&heading(bold(), title)),
        }
    }
    out
}

fn heading(style: Style, title: &str) -> String {
    format!("{}\n", paint(style, &printable(title)))
}

/// A line of a list: a name, and what is told of it.
fn told(name: &[Inline], about: &[Inline], width: usize) -> String {
    let between = (!about.is_empty()).then(|| Inline::Text(": ".to_owned()));
    let pieces: Vec<Inline> = name.iter().chain(&between).chain(about).cloned().collect();
    wrapped(&pieces, "  • ", "    ", width)
}

/// A parameter, field or error: what it is in a line, and what it means below.
fn term(term: &Term, width: usize) -> String {
    let between = [Inline::Text("  ".to_owned())];
    let parts = [&term.name, &term.of, &term.remark];
    let parts: Vec<&[Inline]> =
        parts.into_iter().map(Vec::as_slice).filter(|it| !it.is_empty()).collect();
    let mut out = wrapped(&parts.join(&between[..]), "  ", "      ", width);
    for below in [&term.about, &term.advice] {
        if !below.is_empty() {
            out.push_str(&wrapped(below, "      ", "      ", width));
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

/// The words of a piece, and what a colour alone would not tell.
fn plain(piece: &Inline) -> String {
    match piece {
        Inline::Link(words, Target::Web(address)) => format!("{words}: {address}"),
        Inline::Mark(Mark::Yes, words) => format!("✓ {words}"),
        Inline::Mark(Mark::No, words) => format!("✗ {words}"),
        other => other.plain().to_owned(),
    }
}

fn style(piece: &Inline) -> Option<Style> {
    let colour = |colour: AnsiColor| Some(Style::new().fg_color(Some(colour.into())));
    match piece {
        Inline::Code(_) | Inline::Name(..) | Inline::Param(_) => colour(AnsiColor::Cyan),
        Inline::Link(_, Target::Web(_)) => Some(Style::new().underline()),
        Inline::Mark(Mark::Good | Mark::Yes, _) => colour(AnsiColor::Green),
        Inline::Mark(Mark::Bad | Mark::No, _) => colour(AnsiColor::Red),
        Inline::Mark(Mark::Warn, _) => colour(AnsiColor::Yellow),
        Inline::Soft(_) => Some(dim()),
        Inline::Strong(_) => Some(bold()),
        Inline::Link(..) | Inline::Text(_) => None,
    }
}

/// Nothing of a page moves the cursor, whoever wrote it; spaces of code stay.
fn visible(text: &str) -> String {
    printable(&text.replace('\t', "    "))
}

/// The columns of the terminal, as far as lines are good to read.
fn width() -> usize {
    let (_, columns) = console::Term::stdout().size();
    usize::from(columns).clamp(40, 100)
}

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
                Block::Title("a\u{1b}[2J".into()),
                Block::Paragraph(vec![text("b\u{1b}[2J")]),
                Block::Code {
                    language: "sh",
                    label: String::new(),
                    text: vec![text("c\u{1b}[2J\u{202e}")],
                },
            ],
        };
        let shown = show(&document);
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        assert_eq!(shown.matches("\\u{1b}").count(), 3);
    }
}
