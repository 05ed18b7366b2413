//! The text of the repository as the rules see it: code, comments and strings told apart, tests
//! told apart from the rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    ops::Range,
    path::Path,
};

/// The text of every file of the repository, by its path with forward slashes.
pub(super) struct Tree {
    texts: BTreeMap<String, String>,
    sources: BTreeMap<String, Source>,
}

/// Folders that hold what is built or fetched, never what is written.
const SKIPPED: &[&str] = &["target", "node_modules", "corpus", "artifacts"];

/// The hidden folders that are this repository's; others belong to somebody's tools.
const HIDDEN: &[&str] = &[".cargo", ".ci", ".github"];

impl Tree {
    /// Reads every text file under `root`.
    pub(super) fn load(root: &Path) -> io::Result<Self> {
        let mut texts = BTreeMap::new();
        read_folder(root, "", &mut texts)?;
        Ok(Self::new(texts))
    }

    /// Makes a tree of texts by path.
    pub(super) fn new(texts: BTreeMap<String, String>) -> Self {
        let mut sources: BTreeMap<String, Source> = texts
            .iter()
            .filter(|(path, _)| path.ends_with(".rs"))
            .map(|(path, text)| (path.clone(), Source::new(path, text)))
            .collect();
        let of_tests: BTreeSet<String> = sources
            .iter()
            .flat_map(|(path, source)| {
                source.test_modules.iter().map(|module| module_path(path, module))
            })
            .collect();
        for (path, source) in &mut sources {
            let inside = |module: &String| {
                path.strip_prefix(module.as_str())
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            source.is_test |= of_tests.iter().any(inside);
        }
        Self { texts, sources }
    }

    /// Looks up the text of a file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Iterates over all files, by path.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Iterates over the Rust files, by path.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources.iter().map(|(path, source)| (path.as_str(), source))
    }
}

/// One Rust file.
pub(super) struct Source {
    /// The text as written.
    pub(super) text: String,
    /// The text with comments and the insides of literals blanked, line for line.
    pub(super) code: String,
    /// Each comment line and where it is.
    pub(super) comments: Vec<(usize, String)>,
    /// Each string literal and the line it starts on.
    pub(super) strings: Vec<(usize, String)>,
    /// Whether the whole file is for tests only.
    pub(super) is_test: bool,
    /// Whether a generator wrote the file.
    pub(super) is_generated: bool,
    test_lines: Vec<Range<usize>>,
    test_modules: Vec<String>,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let Lexed { code, comments, strings } = lex(text);
        let (test_lines, test_modules) = find_tests(&code);
        let is_test = path.split('/').any(|part| {
            matches!(part, "tests" | "benches" | "tests.rs" | "fuzz" | "bench" | "interop")
        });
        let is_generated = text.lines().take(8).any(|line| line.contains("@generated"));
        Self {
            text: text.to_owned(),
            code,
            comments,
            strings,
            is_test,
            is_generated,
            test_lines,
            test_modules,
        }
    }

    /// Tells whether a line (from 1) belongs to tests.
    pub(super) fn is_test_line(&self, line: usize) -> bool {
        self.is_test || self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// Iterates over the lines of code, numbered from 1, that do not belong to tests.
    pub(super) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.all_lines().filter(|(line, _)| !self.is_test_line(*line))
    }

    /// Iterates over the lines of code of tests, numbered from 1.
    pub(super) fn test_code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.all_lines().filter(|(line, _)| self.is_test_line(*line))
    }

    fn all_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

fn read_folder(
    folder: &Path,
    prefix: &str,
    texts: &mut BTreeMap<String, String>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        let foreign = name.starts_with('.') && !HIDDEN.contains(&name.as_str());
        // Where the tree is a second one of its repository, this is a file that says whose.
        if name == ".git" {
            continue;
        }
        if kind.is_dir() && (foreign || SKIPPED.contains(&name.as_str())) {
            continue;
        }
        if kind.is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), texts)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
        {
            texts.insert(path, text);
        }
    }
    Ok(())
}

/// The path, without `.rs`, of a module that the file `path` declares.
fn module_path(path: &str, module: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    match file {
        "lib.rs" | "main.rs" | "mod.rs" => format!("{folder}/{module}"),
        _ => format!("{}/{module}", path.trim_end_matches(".rs")),
    }
}

/// The line ranges under `#[cfg(test)]`, and the names of the modules declared so.
fn find_tests(code: &str) -> (Vec<Range<usize>>, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let line_of = |offset: usize| code[..offset].matches('\n').count() + 1;
    let (mut lines, mut modules) = (Vec::new(), Vec::new());
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let after = start + MARK.len();
        let Some(stop) = code[after..].find(['{', ';']).map(|offset| after + offset) else { break };
        from = stop + 1;
        if code.as_bytes()[stop] == b'{' {
            from = matching_brace(code, stop);
            lines.push(line_of(start)..line_of(from) + 1);
        } else if let Some((_, name)) = code[after..stop].rsplit_once("mod ") {
            modules.push(name.trim().to_owned());
            lines.push(line_of(start)..line_of(stop) + 1);
        }
    }
    (lines, modules)
}

fn matching_brace(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return offset,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

struct Lexed {
    code: String,
    comments: Vec<(usize, String)>,
    strings: Vec<(usize, String)>,
}

/// Tells code, comments and string literals apart; enough of Rust's lexical grammar for that.
fn lex(text: &str) -> Lexed {
    let mut lexed =
        Lexed { code: String::with_capacity(text.len()), comments: vec![], strings: vec![] };
    let (mut rest, mut line) = (text, 1);
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        let (length, kind) = token(rest, after_word);
        let (token, tail) = rest.split_at(length);
        match kind {
            Token::Code => lexed.code.push_str(token),
            Token::Comment => {
                for (offset, part) in token.lines().enumerate() {
                    lexed.comments.push((line + offset, part.to_owned()));
                }
                blank(token, &mut lexed.code);
            }
            Token::Literal => {
                lexed.strings.push((line, token.to_owned()));
                blank(token, &mut lexed.code);
            }
        }
        line += token.matches('\n').count();
        after_word = matches!(kind, Token::Code) && (first.is_alphanumeric() || first == '_');
        rest = tail;
    }
    lexed
}

enum Token {
    Code,
    Comment,
    Literal,
}

fn blank(token: &str, code: &mut String) {
    code.extend(token.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
}

/// The length of the first token of `rest`, which is never empty, and what it is.
fn token(rest: &str, after_word: bool) -> (usize, Token) {
    let until = |pattern: &str| rest.find(pattern).unwrap_or(rest.len());
    if rest.starts_with("//") {
        return (until("\n"), Token::Comment);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), Token::Comment);
    }
    let prefix = if after_word { 0 } else { literal_prefix(rest) };
    let literal = &rest[prefix..];
    if literal.starts_with('"') && !rest[..prefix].contains('r') {
        return (prefix + quoted(literal, '"'), Token::Literal);
    }
    if rest[..prefix].contains('r') {
        let hashes = literal.len() - literal.trim_start_matches('#').len();
        if literal[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let from = prefix + hashes + 1;
            let end = rest[from..].find(&close).map_or(rest.len(), |at| from + at + close.len());
            return (end, Token::Literal);
        }
    }
    if rest.starts_with('\'') && is_char_literal(rest) {
        return (quoted(rest, '\''), Token::Literal);
    }
    (rest.chars().next().map_or(1, char::len_utf8), Token::Code)
}

/// The length of `b`, `c`, `r`, `br` or `cr` in front of a literal, or 0.
fn literal_prefix(rest: &str) -> usize {
    ["br", "cr", "b", "c", "r"]
        .iter()
        .find(|prefix| {
            rest.strip_prefix(**prefix).is_some_and(|after| {
                after.starts_with('"') || (prefix.contains('r') && after.starts_with('#'))
            })
        })
        .map_or(0, |prefix| prefix.len())
}

/// Tells a character from a lifetime: `'a'` and `'\n'`, not `'a`.
fn is_char_literal(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

fn quoted(literal: &str, quote: char) -> usize {
    let mut escaped = false;
    for (offset, c) in literal.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return offset + c.len_utf8(),
            _ => {}
        }
    }
    literal.len()
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut offset) = (0usize, 0);
    while offset < rest.len() {
        if rest[offset..].starts_with("/*") {
            (depth, offset) = (depth + 1, offset + 2);
        } else if rest[offset..].starts_with("*/") {
            (depth, offset) = (depth - 1, offset + 2);
            if depth == 0 {
                return offset;
            }
        } else {
            offset += rest[offset..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}
