//! What a person or a program gets to see: tables on a terminal, plain text in a pipe,
//! JSON on request, and failures with an exit code that means something.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _, Write as _};
use std::iter;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use dialoguer::console::Term;
use serde_json::{Value, json};

/// Where the answers go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    terminal: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, terminal: io::stdout().is_terminal() }
    }

    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Whether a person sees the answers.
    pub(crate) fn is_terminal(self) -> bool {
        self.terminal
    }

    /// Prints `value` with `--json`, and what `text` gives otherwise.
    pub(crate) fn answer(
        self,
        value: &Value,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json { self.line(&value.to_string()) } else { self.line(&text()) }
    }

    /// Prints one line, or several, on standard output.
    pub(crate) fn line(self, text: &str) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::from_stdout)
    }

    /// Returns when nobody reads the answers any more, as a filter that has enough, where that can be seen
    /// before anything is written: of a pipe on Linux. Elsewhere it waits for ever.
    pub(crate) async fn unread(self) -> Failure {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd as _;
            use tokio::{io::Interest, net::unix::pipe::Sender};
            // Looked at only, so that it may be anything, and blocks as before. Of a file there is nothing to
            // be seen: it does not go away.
            let out = io::stdout().as_fd().try_clone_to_owned();
            if let Ok(out) = out.and_then(Sender::from_owned_fd_unchecked)
                && out.ready(Interest::ERROR).await.is_ok_and(|ready| ready.is_error())
            {
                return Failure::from_stdout(io::ErrorKind::BrokenPipe.into());
            }
        }
        std::future::pending().await
    }

    /// Lays rows out. On a terminal the second half of a cell stands below the first; in a pipe
    /// every half is a column of its own, a row is a line, and a tab stands between columns.
    pub(crate) fn table(self, head: &[Cell], rows: &[Vec<Cell>]) -> String {
        if !self.terminal {
            let lines = iter::once(head).chain(rows.iter().map(Vec::as_slice)).map(separated);
            return lines.collect::<Vec<_>>().join("\n");
        }
        let (_, width) = Term::stdout().size();
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width)
            .set_header(head.iter().map(Cell::stacked));
        for row in rows {
            table.add_row(row.iter().map(Cell::stacked));
        }
        // The first column names the row, and is what gets copied: it stays in one piece.
        if let Some(column) = table.column_mut(0) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        let headed = if head.iter().any(|cell| cell.1.is_some()) { 2 } else { 1 };
        let lines = table.lines().enumerate().map(|(number, line)| {
            let line = line.trim_end();
            if number < headed { paint(bold(), line) } else { line.to_owned() }
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// One cell of a table: what it says, and what belongs to it.
pub(crate) struct Cell(pub(crate) String, pub(crate) Option<String>);

impl Cell {
    fn stacked(&self) -> String {
        let half = |text: &String| shorten(&printable(text), 32);
        match &self.1 {
            Some(below) => format!("{}\n{}", half(&self.0), half(below)),
            None => half(&self.0),
        }
    }
}

/// Says something on standard error that is not the answer.
pub(crate) fn notice(text: &str) {
    // A closed standard error leaves nobody to tell.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Wraps `text` in `style`; the stream strips it where there is no terminal.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

pub(crate) fn bold() -> Style {
    Style::new().bold()
}

pub(crate) fn good() -> Style {
    Style::new().fg_color(Some(AnsiColor::Green.into())).bold()
}

pub(crate) fn bad() -> Style {
    Style::new().fg_color(Some(AnsiColor::Red.into())).bold()
}

pub(crate) fn dim() -> Style {
    Style::new().dimmed()
}

/// What the process tells its caller, documented in the help text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Other = 1,
    Usage = 2,
    NotFound = 3,
    Permission = 4,
    Conflict = 5,
    FloodWait = 6,
    Network = 7,
    Interrupted = 130,
}

impl Exit {
    fn word(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Permission => "permission",
            Self::Conflict => "conflict",
            Self::FloodWait => "flood_wait",
            Self::Network => "network",
            Self::Interrupted => "interrupted",
        }
    }
}

/// An end that is not success: what happened, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
    hint: Option<String>,
    /// Telegram's own name of the error and its code, where it was Telegram that refused.
    rpc: Option<(i32, String)>,
    /// Seconds until a new attempt makes sense.
    retry_after: Option<u64>,
    quiet: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            rpc: None,
            retry_after: None,
            quiet: false,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what Telegram answered.
    pub(crate) fn rpc(mut self, code: i32, name: &str) -> Self {
        self.rpc = Some((code, name.to_owned()));
        self
    }

    /// Says first what it is about.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Says `name` where the words say `id`.
    pub(crate) fn named(mut self, id: &str, name: &str) -> Self {
        self.message = self.message.replacen(id, name, 1);
        self
    }

    /// Adds when to come again.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait.as_secs());
        self
    }

    /// A reader that went away is its own affair, as with every filter.
    fn from_stdout(error: io::Error) -> Self {
        let quiet = error.kind() == io::ErrorKind::BrokenPipe;
        Self { quiet, ..Self::new(Exit::Other, format!("cannot write the answer: {error}")) }
    }

    /// Reports the failure on standard error, as JSON for programs.
    pub(crate) fn report(&self, json: bool) {
        if self.quiet {
            return;
        }
        if json {
            notice(&self.to_json().to_string());
        } else {
            notice(&format!("{} {self}", paint(bad(), "error:")));
        }
    }

    fn to_json(&self) -> Value {
        let mut error = json!({
            "kind": self.exit.word(),
            "exit_code": self.exit as u8,
            "message": self.message,
        });
        if let Some(hint) = &self.hint {
            error["hint"] = json!(hint);
        }
        if let Some((code, name)) = &self.rpc {
            error["code"] = json!(code);
            error["name"] = json!(name);
        }
        if let Some(seconds) = self.retry_after {
            error["retry_after"] = json!(seconds);
        }
        json!({ "error": error })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.message))?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  {hint}")?;
        }
        Ok(())
    }
}

/// A row for a program that reads lines.
fn separated(row: &[Cell]) -> String {
    let halves = row.iter().flat_map(|cell| iter::once(&cell.0).chain(&cell.1));
    halves.map(|text| printable(text)).collect::<Vec<_>>().join("\t")
}

/// Escapes what would move the cursor or break a row: names come from strangers.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' || is_unseen(character) {
            // Writing to a string cannot fail.
            let _ = write!(out, "{}", character.escape_unicode());
        } else if character == '\n' {
            out.push(' ');
        } else {
            out.push(character);
        }
    }
    out
}

/// Whether a character turns the text around it, or hides in it: two names that look alike have to
/// be alike. What joins letters and emoji is left alone.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0001}'..='\u{e007f}'
    )
}

/// A text that is cut where it is longer than `limit` letters.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gets_one_line_a_row_whatever_a_cell_holds() {
        let row = [
            Cell("1".to_owned(), Some("below".to_owned())),
            Cell("two\nlines\tand a tab".to_owned(), None),
        ];
        assert_eq!(separated(&row), "1\tbelow\ttwo lines\\u{9}and a tab");
    }

    #[test]
    fn a_stranger_cannot_move_the_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
        assert_eq!(printable("shop\u{200b}.example\u{2028}"), "shop\\u{200b}.example\\u{2028}");
        assert_eq!(printable("👩\u{200d}🚀 می\u{200c}خواهم"), "👩\u{200d}🚀 می\u{200c}خواهم");
    }

    #[test]
    fn long_cells_are_cut_by_characters() {
        assert_eq!(shorten(&"ж".repeat(50), 40).chars().count(), 40);
        assert_eq!(shorten("короткий", 40), "короткий");
    }

    #[test]
    fn a_failure_tells_programs_its_kind() {
        let failure = Failure::new(Exit::NotFound, "nothing there").hint("look elsewhere");
        let json = failure.to_json();
        assert_eq!(json["error"]["kind"], "not_found");
        assert_eq!(json["error"]["exit_code"], 3);
        assert_eq!(json["error"]["hint"], "look elsewhere");
        assert_eq!(failure.to_string(), "nothing there\n  look elsewhere");
    }
}
