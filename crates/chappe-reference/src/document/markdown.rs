//! A page as Markdown: CommonMark, with the tables of GitHub.

use std::fmt::Write as _;

use super::{Block, Inline, file};

/// Writes a page; `top` leads to the top of the reference.
pub(super) fn write(blocks: &[Block], top: &str) -> String {
    let mut out = String::new();
    for block in blocks {
        if !out.is_empty() {
            out.push('\n');
        }
        match block {
            Block::Code { language, text } => {
                let fence = fence(text);
                // Writing to a string cannot fail.
                _ = writeln!(out, "{fence}{language}\n{}\n{fence}", text.trim_end());
            }
            Block::Heading(level, text) => {
                _ = writeln!(out, "{} {}", "#".repeat(*level), escaped(text));
            }
            Block::List(items) => {
                for item in items {
                    _ = writeln!(out, "- {}", line(item, top));
                }
            }
            Block::Note(pieces) => _ = writeln!(out, "> {}", line(pieces, top)),
            Block::Paragraph(pieces) => _ = writeln!(out, "{}", begun(&line(pieces, top))),
            Block::Table { head, rows } => {
                _ = writeln!(out, "| {} |", head.join(" | "));
                _ = writeln!(out, "|{}", "---|".repeat(head.len()));
                for row in rows {
                    let cells = row.iter().map(|cell| line(cell, top).replace('|', "\\|"));
                    _ = writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | "));
                }
            }
        }
    }
    out
}

fn line(pieces: &[Inline], top: &str) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Inline::Code(text) => out.push_str(&ticked(text)),
            Inline::Name(kind, name) => {
                _ = write!(out, "[{}]({top}{})", ticked(name), file(*kind, name, "md"));
            }
            Inline::Text(text) => out.push_str(&escaped(text)),
            Inline::Web(text, address) => _ = write!(out, "[{}](<{address}>)", escaped(text)),
        }
    }
    out
}

/// Code in a line; what has backticks itself gets more around it.
fn ticked(text: &str) -> String {
    match text.contains('`') {
        true => format!("`` {text} ``"),
        false => format!("`{text}`"),
    }
}

/// What would be markup is not.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// A paragraph that begins like a list, a heading or a quotation is none of them.
fn begun(line: &str) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let is_numbered = digits > 0 && line[digits..].starts_with(['.', ')']);
    match line.chars().next() {
        _ if is_numbered => format!("{}\\{}", &line[..digits], &line[digits..]),
        Some('-' | '+' | '#' | '>' | '=' | '~') => format!("\\{line}"),
        _ => line.to_owned(),
    }
}

/// Backticks in front of code, more than it has itself.
fn fence(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    fence
}

#[cfg(test)]
mod tests {
    use super::super::{Block, Inline, text};
    use super::write;
    use crate::Kind;

    #[test]
    fn nothing_becomes_markup_by_mistake() {
        let check = |block: Block, want: &str| assert_eq!(write(&[block], "../"), want);
        check(
            Block::Paragraph(vec![text("a_b *c* <d> [e] \\")]),
            "a\\_b \\*c\\* \\<d> \\[e\\] \\\\\n",
        );
        check(Block::Paragraph(vec![text("1. first")]), "1\\. first\n");
        check(Block::Paragraph(vec![text("- first")]), "\\- first\n");
        check(Block::Paragraph(vec![Inline::Code("a`b".into())]), "`` a`b ``\n");
        let name = Inline::Name(Kind::Type, "Vector<t>".into());
        check(Block::List(vec![vec![name]]), "- [`Vector<t>`](../types/Vector.md)\n");
        let code = Block::Code { language: "rust", text: "```\n".into() };
        check(code, "````rust\n```\n````\n");
        let cell = vec![Inline::Code("a|b".into())];
        let table = Block::Table { head: vec!["x"], rows: vec![vec![cell]] };
        check(table, "| x |\n|---|\n| `a\\|b` |\n");
    }
}
