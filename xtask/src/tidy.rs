//! The rules of this house as checks: `cargo xtask tidy`, and a test of this crate.
//!
//! Each rule is a pure function over the [`Tree`], the text of every file of the repository; it
//! says where the tree breaks it. What a compiler lint can say is left to the lints.

use std::{fmt, io, io::Write as _, path::Path};

use source::Tree;

mod code;
mod crates;
mod papers;
mod source;

/// Checks the repository at `root` and prints what it found; false if a rule is broken.
///
/// # Errors
///
/// When a file cannot be read, or the report cannot be written.
pub(crate) fn run(root: &Path) -> io::Result<bool> {
    let findings = check(&Tree::load(root)?);
    let mut out = io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let broken = findings.iter().filter(|finding| finding.severity == Severity::Broken).count();
    writeln!(
        out,
        "tidy: {} rules, {broken} broken, {} warnings",
        RULES.len(),
        findings.len() - broken
    )?;
    Ok(broken == 0)
}

/// Applies every rule.
fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        let mut report = Report { rule: rule.name, findings: &mut findings };
        (rule.check)(tree, &mut report);
    }
    findings.sort_by(|a, b| (a.severity, &a.file, a.line).cmp(&(b.severity, &b.file, b.line)));
    findings
}

/// A rule: its name, as a finding and ARCHITECTURE.md call it, and its check.
struct Rule {
    name: &'static str,
    check: fn(&Tree, &mut Report<'_>),
}

const RULES: &[Rule] = &[
    Rule { name: "architecture", check: papers::architecture },
    Rule { name: "bans", check: crates::bans },
    Rule { name: "circles", check: code::circles },
    Rule { name: "clock", check: code::clock },
    Rule { name: "deps", check: crates::deps },
    Rule { name: "exceptions", check: code::exceptions },
    Rule { name: "header", check: code::header },
    Rule { name: "layers", check: crates::layers },
    Rule { name: "length", check: code::length },
    Rule { name: "lints", check: crates::lints },
    Rule { name: "mutations", check: papers::mutations },
    Rule { name: "paths", check: papers::paths },
    Rule { name: "proofs", check: papers::proofs },
    Rule { name: "pure", check: code::pure },
    Rule { name: "sockets", check: code::sockets },
    Rule { name: "tests", check: code::tests },
    Rule { name: "unfinished", check: code::unfinished },
    Rule { name: "unsafe", check: code::unsafe_code },
];

/// Takes what one rule finds.
struct Report<'a> {
    rule: &'static str,
    findings: &'a mut Vec<Finding>,
}

impl Report<'_> {
    /// Says that the rule is broken at a line of a file; line 0 is the whole file.
    fn broken(&mut self, file: &str, line: usize, message: impl Into<String>) {
        self.push(Severity::Broken, file, line, message.into());
    }

    /// Says that the rule will soon be broken.
    fn warn(&mut self, file: &str, line: usize, message: impl Into<String>) {
        self.push(Severity::Warning, file, line, message.into());
    }

    fn push(&mut self, severity: Severity, file: &str, line: usize, message: String) {
        let file = file.to_owned();
        self.findings.push(Finding { rule: self.rule, severity, file, line, message });
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Warning,
    Broken,
}

/// One place where the tree breaks a rule.
#[derive(Debug)]
struct Finding {
    rule: &'static str,
    severity: Severity,
    file: String,
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Broken => "broken",
            Severity::Warning => "warning",
        };
        let Self { rule, file, line, message, .. } = self;
        write!(f, "{severity} [{rule}] {file}")?;
        if *line > 0 {
            write!(f, ":{line}")?;
        }
        write!(f, ": {message}")
    }
}

#[cfg(test)]
mod tests;
