//! A page on a terminal: colours, lines of the terminal's width.

use std::slice;

use anstyle::{AnsiColor, Style};
use chappe_reference::Kind;
use chappe_reference::document::{Block, Document, Inline, Look, Mark, Target, Term};
use chappe_reference::search::Hit;
use dialoguer::console;

use crate::output::{bold, dim, paint, printable};

/// Pages as lines, one below the other. As in a page of `man`, what stands at which column tells without colours what
/// is what: titles of sections begin a line, in capitals; those inside of a section are set in a little, and the
/// text further.
pub(super) fn show(documents: &[Document]) -> String {
    let width = width();
    let pages: Vec<String> = documents.iter().map(|it| blocks(&it.blocks, width)).collect();
    pages.join(&format!("\n{}\n\n", paint(dim(), &"─".repeat(width))))
}

fn blocks(blocks: &[Block], width: usize) -> String {
    let pieces = blocks.iter().map(|block| match block {
        Block::Title(title) => heading(bold(), "", title),
        Block::Section { title, .. } => heading(bold(), "", &title.to_uppercase()),
        Block::Heading(title) => inner_heading(title),
        Block::Tabs(tabs) => {
            // One says it all here; the others are asked for.
            let Some((first, others)) = tabs.split_first() else { return String::new() };
            let others = others.iter().map(|tab| tab.id).collect::<Vec<_>>().join(", ");
            let others =
                Block::Quiet(vec![Inline::Soft(format!("Other languages by --lang: {others}"))]);
            let program = self::blocks(&first.blocks, width);
            let others = self::blocks(&[others], width);
            format!("{}\n{program}\n{others}", inner_heading(first.title))
        }
        text => body(text, width.saturating_sub(TEXT.len()))
            .lines()
            .map(|line| match line {
                "" => "\n".to_owned(),
                line => format!("{TEXT}{line}\n"),
            })
            .collect(),
    });
    pieces.filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A block that is no heading, as lines that are not set in yet.
fn body(block: &Block, width: usize) -> String {
    let mut out = String::new();
    match block {
        Block::Badges(badges) => {
            for badge in badges {
                out.push_str(&wrapped(badge, "• ", "  ", width));
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
                out.push_str(format!("  {}", visible(line)).trim_end());
                out.push('\n');
            }
        }
        Block::List(Look::Names, items) => {
            let names: Vec<&[Inline]> = items.iter().map(|item| item.name.as_slice()).collect();
            let between = Inline::Text(", ".to_owned());
            out.push_str(&wrapped(&names.join(&between), "", "", width));
        }
        Block::List(_, items) => {
            for item in items {
                out.push_str(&told(&item.name, &item.about, width));
            }
        }
        Block::Note { title, text } => {
            let title = title.map(|title| Inline::Strong(format!("{title}. ")));
            let pieces: Vec<Inline> = title.into_iter().chain(text.iter().cloned()).collect();
            out.push_str(&wrapped(&pieces, "│ ", "│ ", width));
        }
        Block::Lead(pieces) | Block::Paragraph(pieces) | Block::Quiet(pieces) => {
            out.push_str(&wrapped(pieces, "", "", width));
        }
        Block::Steps(steps) => {
            for step in steps {
                out.push_str(&wrapped(&step.what, "• ", "  ", width));
                if let Some(older) = &step.older {
                    let older = [Inline::Text("Before: ".to_owned()), Inline::Code(older.clone())];
                    out.push_str(&wrapped(&older, "  ", "    ", width));
                }
            }
        }
        Block::Terms(terms) => {
            for term in terms {
                out.push_str(&self::term(term, width));
            }
        }
        Block::Heading(_) | Block::Section { .. } | Block::Tabs(_) | Block::Title(_) => {}
    }
    out
}

fn heading(style: Style, before: &str, title: &str) -> String {
    format!("{before}{}\n", paint(style, &printable(title)))
}

fn inner_heading(title: &str) -> String {
    heading(Style::new().underline(), "  ", title)
}

/// A line of a list: a name, and what is told of it.
fn told(name: &[Inline], about: &[Inline], width: usize) -> String {
    let between = (!about.is_empty()).then(|| Inline::Text(": ".to_owned()));
    let pieces: Vec<Inline> = name.iter().chain(&between).chain(about).cloned().collect();
    wrapped(&pieces, "• ", "  ", width)
}

/// A parameter, field or error: what it is in a line, and what it means below.
fn term(term: &Term, width: usize) -> String {
    let between = [Inline::Text("  ".to_owned())];
    let parts = [&term.name, &term.of, &term.remark];
    let parts: Vec<&[Inline]> =
        parts.into_iter().map(Vec::as_slice).filter(|it| !it.is_empty()).collect();
    let mut out = wrapped(&parts.join(&between[..]), "", "    ", width);
    // What to do in a word is no end of a sentence.
    let (advice, word) = match term.advice.split_last() {
        Some((word @ Inline::Mark(..), advice)) => (advice, slice::from_ref(word)),
        _ => (term.advice.as_slice(), [].as_slice()),
    };
    for (below, first) in [(term.about.as_slice(), ""), (advice, ""), (word, "→ ")] {
        if !below.is_empty() {
            out.push_str(&wrapped(below, &format!("    {first}"), "    ", width));
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
        let param = hit.param.map(|param| format!("  param {}", printable(param)));
        let older = hit.older.map(|layers| format!("  id of {layers}"));
        let why = older.or(param).map(|why| paint(dim(), &why));
        let name = paint(bold(), &printable(hit.name));
        lines.push(format!("{kind} {name}{}", why.unwrap_or_default()));
        if !hit.about.is_empty() {
            let about = [Inline::Text(hit.about.to_owned())];
            lines
                .push(wrapped(&about, "            ", "            ", width).trim_end().to_owned());
        }
    }
    lines.join("\n")
}

/// Pieces as lines of a width, the first one behind `first` and the others behind `other`. What stands together
/// without a space stays together, of however many pieces it is.
fn wrapped(pieces: &[Inline], first: &str, other: &str, width: usize) -> String {
    let mut out = first.to_owned();
    let mut column = first.chars().count();
    let mut is_begun = false;
    // The word that is not ended yet: as it is shown, and its length; the spaces in front of it.
    let (mut word, mut length, mut gap) = (String::new(), 0, 0);
    let mut put = |word: &mut String, length: &mut usize, gap: &mut usize| {
        if *length == 0 {
            return;
        }
        if is_begun && *gap > 0 && column + *gap + *length > width {
            out.push('\n');
            out.push_str(other);
            column = other.chars().count();
        } else if is_begun {
            out.push_str(&" ".repeat(*gap));
            column += *gap;
        }
        out.push_str(word);
        column += *length;
        is_begun = true;
        word.clear();
        (*length, *gap) = (0, 0);
    };
    for piece in pieces {
        let style = style(piece);
        let text = visible(&plain(piece));
        for (index, part) in text.split(' ').enumerate() {
            if index > 0 {
                put(&mut word, &mut length, &mut gap);
                gap += 1;
            }
            if !part.is_empty() {
                word.push_str(&style.map_or_else(|| part.to_owned(), |style| paint(style, part)));
                length += part.chars().count();
            }
        }
    }
    put(&mut word, &mut length, &mut gap);
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

/// How far the text is set in.
const TEXT: &str = "    ";

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
        // Neither is a bracket torn off.
        let pieces = [text("a b ("), Inline::Code("three".into()), text(") c")];
        let lines = anstream::adapter::strip_str(&wrapped(&pieces, "", "", 10)).to_string();
        assert_eq!(lines, "a b\n(three) c\n");
    }

    #[test]
    fn what_is_what_can_be_told_without_colours() {
        let document = Document {
            blocks: vec![
                Block::Title("method".into()),
                Block::Lead(vec![text("what it does")]),
                Block::Section { id: "result", title: "Result" },
                Block::Heading("Of it".into()),
                Block::Paragraph(vec![text("Bool")]),
                Block::Code { language: "json", label: String::new(), text: vec![text("true")] },
            ],
        };
        let shown = show(&[document.clone(), document]);
        let shown = anstream::adapter::strip_str(&shown).to_string();
        let page = "method\n\n    what it does\n\nRESULT\n\n  Of it\n\n    Bool\n\n      true\n";
        let (first, second) = shown.split_at(page.len());
        assert_eq!(first, page);
        // Another page begins behind a line across.
        let (line, second) = second.trim_start().split_once("\n\n").unwrap();
        assert!(line.chars().all(|c| c == '─') && second == page, "{shown}");
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
        let shown = show(&[document]);
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        assert_eq!(shown.matches("\\u{1b}").count(), 3);
    }
}
