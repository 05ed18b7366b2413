//! A page as Markdown: CommonMark.

use std::fmt::Write as _;

use super::{Block, Inline, Look, Mark, Target, Term, file};
use crate::Kind;

/// Writes a page; `top` leads to the top of the reference.
pub(super) fn write(blocks: &[Block], top: &str) -> String {
    let mut out = String::new();
    for block in blocks {
        if !out.is_empty() {
            out.push('\n');
        }
        // Writing to a string cannot fail.
        _ = match block {
            Block::Badges(badges) => items(&mut out, badges.iter().map(|it| line(it, top))),
            Block::Choices(choices) => {
                let lines = choices.iter().map(|it| {
                    let name = Inline::Name(Kind::Constructor, it.name.clone());
                    told(line(&[name], top), &line(&it.about, top))
                });
                items(&mut out, lines)
            }
            Block::Code { language, text, .. } => {
                let text: String = text.iter().map(Inline::plain).collect();
                let fence = fence(&text);
                writeln!(out, "{fence}{language}\n{}\n{fence}", text.trim_end())
            }
            Block::Heading(text) => writeln!(out, "### {}", escaped(text)),
            Block::List(Look::Names, names) => {
                let names = names.iter().map(|it| line(&it.name, top));
                writeln!(out, "{}", names.collect::<Vec<_>>().join(", "))
            }
            Block::List(_, list) => {
                let told = list.iter().map(|it| told(line(&it.name, top), &line(&it.about, top)));
                items(&mut out, told)
            }
            Block::Note { title, text } => {
                let title = title.map(|title| format!("**{title}.** ")).unwrap_or_default();
                writeln!(out, "> {title}{}", line(text, top))
            }
            Block::Lead(pieces) | Block::Paragraph(pieces) | Block::Quiet(pieces) => {
                writeln!(out, "{}", begun(&line(pieces, top)))
            }
            Block::Section { title, .. } => writeln!(out, "## {}", escaped(title)),
            Block::Steps(steps) => {
                let lines = steps.iter().map(|step| {
                    let older = step.older.as_ref().map(|older| {
                        let fence = fence(older);
                        format!(". Before:\n\n  {fence}tl\n  {older}\n  {fence}")
                    });
                    line(&step.what, top) + &older.unwrap_or_default()
                });
                items(&mut out, lines)
            }
            Block::Tabs(tabs) => {
                let tabs = tabs.iter().map(|tab| {
                    format!("### {}\n\n{}", escaped(tab.title), write(&tab.blocks, top))
                });
                write!(out, "{}", tabs.collect::<Vec<_>>().join("\n"))
            }
            Block::Terms(terms) => items(&mut out, terms.iter().map(|it| term(it, top))),
            Block::Title(title) => writeln!(out, "# {}", escaped(title)),
        };
    }
    out
}

/// A list of lines.
fn items(out: &mut String, mut lines: impl Iterator<Item = String>) -> std::fmt::Result {
    lines.try_for_each(|line| writeln!(out, "- {line}"))
}

/// A name, and what is told of it.
fn told(name: String, about: &str) -> String {
    if about.is_empty() { name } else { format!("{name}: {about}") }
}

fn term(term: &Term, top: &str) -> String {
    let of = [&term.of, &term.remark].map(|pieces| line(pieces, top));
    let of: Vec<String> = of.into_iter().filter(|it| !it.is_empty()).collect();
    let of = if of.is_empty() { String::new() } else { format!(" ({})", of.join(", ")) };
    let about = [&term.about, &term.advice].map(|pieces| line(pieces, top)).join(" ");
    told(line(&term.name, top) + &of, about.trim())
}

fn line(pieces: &[Inline], top: &str) -> String {
    let mut out = String::new();
    for piece in pieces {
        _ = match piece {
            Inline::Code(text) | Inline::Param(text) => write!(out, "{}", ticked(text)),
            Inline::Link(text, target) => match target {
                Target::File(file) => write!(out, "[{}]({top}{file})", escaped(text)),
                Target::Thing(kind, name) => {
                    write!(out, "[{}]({top}{})", escaped(text), file(*kind, name, "md"))
                }
                Target::Web(address) => write!(out, "[{}](<{address}>)", escaped(text)),
                // Lists by letter are for eyes; the places of a page are its headings.
                Target::List(_) | Target::Place(_) => write!(out, "{}", escaped(text)),
            },
            Inline::Mark(Mark::Yes, text) => write!(out, "✓ {}", escaped(text)),
            Inline::Mark(Mark::No, text) => write!(out, "✗ {}", escaped(text)),
            Inline::Mark(_, text) => write!(out, "*{}*", escaped(text)),
            Inline::Name(kind, name) => {
                write!(out, "[{}]({top}{})", ticked(name), file(*kind, name, "md"))
            }
            Inline::Soft(text) | Inline::Text(text) => write!(out, "{}", escaped(text)),
            Inline::Strong(text) => write!(out, "**{}**", escaped(text)),
        };
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
    use super::super::{Block, Inline, Item, Look, text};
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
        let name = vec![Inline::Name(Kind::Type, "Vector<t>".into())];
        let item = Item { name, about: vec![text("a_b")] };
        check(
            Block::List(Look::Things, vec![item]),
            "- [`Vector<t>`](../types/Vector.md): a\\_b\n",
        );
        let label = String::new();
        let code = Block::Code { language: "rust", label, text: vec![text("```\n")] };
        check(code, "````rust\n```\n````\n");
    }
}
