//! Code with its parts marked: comments, strings, numbers, words of the language.

use maud::{Markup, html};

/// What a program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    /// JavaScript and TypeScript.
    JavaScript,
    /// TL-JSON.
    Json,
    /// Python.
    Python,
    /// Rust.
    Rust,
    /// A shell.
    Shell,
}

impl Grammar {
    /// That of a language as Markdown calls it.
    pub(super) fn of(language: &str) -> Self {
        match language {
            "javascript" | "typescript" => Self::JavaScript,
            "json" => Self::Json,
            "python" => Self::Python,
            "rust" => Self::Rust,
            _ => Self::Shell,
        }
    }
}

/// A block of code that can be scrolled by keyboard; the script adds the button that copies it.
pub(super) fn block(class: Option<&str>, label: &str, code: &Markup) -> Markup {
    html! {
        div.code {
            pre class=[class] tabindex="0" role="region" aria-label=(label) { code { (code) } }
        }
    }
}

/// The code with its parts in elements.
pub(super) fn marked(grammar: Grammar, code: &str) -> Markup {
    let mut pieces: Vec<(Option<&'static str>, String)> = Vec::new();
    let mut rest = code;
    while !rest.is_empty() {
        let (class, length) = piece(grammar, rest);
        let (found, behind) = rest.split_at(length);
        match pieces.last_mut() {
            // What is not marked stays in one piece.
            Some((None, last)) if class.is_none() => last.push_str(found),
            _ => pieces.push((class, found.to_owned())),
        }
        rest = behind;
    }
    html! {
        @for (class, piece) in pieces {
            @match class {
                Some(class) => i class=(class) { (piece) },
                None => (piece),
            }
        }
    }
}

/// The class of what code begins with, and its length in bytes.
fn piece(grammar: Grammar, code: &str) -> (Option<&'static str>, usize) {
    let Some(first) = code.chars().next() else { return (None, 0) };
    let comment = match grammar {
        Grammar::JavaScript | Grammar::Rust => "//",
        Grammar::Python | Grammar::Shell => "#",
        Grammar::Json => "\0",
    };
    if code.starts_with(comment) {
        return (Some("c"), code.find('\n').unwrap_or(code.len()));
    }
    // A lifetime is no text of one letter.
    let quotes: &[char] = match grammar {
        Grammar::Rust | Grammar::Json => &['"'],
        Grammar::JavaScript => &['"', '\'', '`'],
        Grammar::Python | Grammar::Shell => &['"', '\''],
    };
    if quotes.contains(&first) {
        return (Some("s"), quoted(code, first));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if is_word(first) {
        let end = code.find(|c| !is_word(c)).unwrap_or(code.len());
        let word = code.get(..end).unwrap_or(code);
        let class = if first.is_ascii_digit() {
            Some("n")
        } else {
            keywords(grammar).contains(&word).then_some("k")
        };
        return (class, end);
    }
    (None, first.len_utf8())
}

/// The length of a text in quotes; to the end where it is not closed.
fn quoted(code: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in code.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    code.len()
}

fn keywords(grammar: Grammar) -> &'static [&'static str] {
    match grammar {
        Grammar::JavaScript => &[
            "async",
            "await",
            "catch",
            "const",
            "else",
            "false",
            "finally",
            "for",
            "from",
            "function",
            "if",
            "import",
            "let",
            "new",
            "null",
            "of",
            "return",
            "true",
            "try",
            "undefined",
        ],
        Grammar::Json => &["false", "null", "true"],
        Grammar::Python => &[
            "False", "None", "True", "as", "async", "await", "def", "except", "finally", "for",
            "from", "if", "import", "in", "return", "try", "with",
        ],
        Grammar::Rust => &[
            "Err", "None", "Ok", "Some", "as", "async", "await", "else", "false", "fn", "for",
            "if", "impl", "in", "let", "match", "mut", "return", "true", "use", "vec",
        ],
        Grammar::Shell => &["chappe", "export"],
    }
}

#[cfg(test)]
mod tests {
    use super::{Grammar, marked};

    #[test]
    fn code_is_marked_and_keeps_every_letter() {
        let check = |grammar, code: &str, expect: &str| {
            assert_eq!(marked(grammar, code).into_string(), expect);
        };
        check(
            Grammar::Rust,
            "let a = 1; // <x>",
            "<i class=\"k\">let</i> a = <i class=\"n\">1</i>; <i class=\"c\">// &lt;x&gt;</i>",
        );
        check(
            Grammar::Python,
            "await x('a\\'b')",
            "<i class=\"k\">await</i> x(<i class=\"s\">'a\\'b'</i>)",
        );
        check(
            Grammar::Json,
            "{\"a\":true",
            "{<i class=\"s\">&quot;a&quot;</i>:<i class=\"k\">true</i>",
        );
        check(Grammar::Shell, "'never closed é", "<i class=\"s\">'never closed é</i>");
        check(Grammar::JavaScript, "größe", "größe");
    }
}
