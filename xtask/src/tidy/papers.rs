//! Rules about what is written beside the code: the architecture, paths, the list of mutations,
//! the tables of what is shown by which test.

use std::collections::{BTreeMap, BTreeSet};

use super::{RULES, Report, source::Tree};
use crate::mutate::{self, Mutation};

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const ARCHITECTURE_LENGTH: usize = 200;

/// Papers with a table of numbered claims, and how many there are.
pub(super) const PROOFS: &[(&str, usize)] =
    &[("SECURITY.md", 47), ("crates/chappe-mtproto/RECOVERY.md", 32)];

/// `architecture`: ARCHITECTURE.md is short, and each of its invariants names what enforces it.
///
/// An invariant is a paragraph or list item with `**Invariant` in it. After the words "Enforced
/// by" it names, in backticks, tests (their function), lints, rules of tidy, fuzz targets or
/// files; each must exist.
pub(super) fn architecture(tree: &Tree, report: &mut Report<'_>) {
    let Some(text) = tree.text(ARCHITECTURE) else {
        report.broken(ARCHITECTURE, 0, "missing");
        return;
    };
    let lines = text.lines().count();
    if lines > ARCHITECTURE_LENGTH {
        let message = format!("{lines} lines, the limit is {ARCHITECTURE_LENGTH}");
        report.broken(ARCHITECTURE, 0, message);
    }
    let enforcers = enforcers(tree);
    for (line, paragraph) in paragraphs(text) {
        if !paragraph.contains("**Invariant") {
            continue;
        }
        let lower = paragraph.to_lowercase();
        let after = lower.find("enforced by").and_then(|at| paragraph.get(at..)).unwrap_or("");
        let names: Vec<&str> = after.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            report.broken(ARCHITECTURE, line, "an invariant without \"Enforced by `name`\"");
        }
        for name in names {
            let last = name.rsplit("::").next().unwrap_or(name);
            let exists = enforcers.contains(last)
                || tree.text(name).is_some()
                || name.starts_with("cargo xtask ");
            if !exists {
                let message = format!("`{name}` is no test, lint, rule, fuzz target or file");
                report.broken(ARCHITECTURE, line, message);
            }
        }
    }
}

/// `mutations`: every entry of the list of mutations still meets exactly one place, and the tests that it
/// begins with exist: without them all of a package are run, and nobody knows why it takes so long.
pub(super) fn mutations(tree: &Tree, report: &mut Report<'_>) {
    let Some(text) = tree.text(mutate::LIST) else { return };
    let mutations = match mutate::parse(text) {
        Ok(mutations) => mutations,
        Err(error) => return report.broken(mutate::LIST, 0, error.to_string()),
    };
    let mut names = BTreeSet::new();
    let mut tests = BTreeMap::new();
    for mutation in mutations {
        if !names.insert(mutation.name.clone()) {
            report.broken(mutate::LIST, 0, format!("two entries named {}", mutation.name));
        }
        let Mutation { name, package, target, .. } = &mutation;
        if let Some(target) = target
            && ["", "/main"].iter().all(|main| {
                tree.text(&format!("crates/{package}/tests/{target}{main}.rs")).is_none()
            })
        {
            let message = format!("{name}: {package} has no tests `{target}`");
            report.broken(mutate::LIST, 0, message);
        }
        let places = match target {
            Some(target) => {
                vec![
                    format!("crates/{package}/tests/{target}.rs"),
                    format!("crates/{package}/tests/{target}/"),
                ]
            }
            None => vec![format!("crates/{package}/src/")],
        };
        let wanted = mutation.tests.as_deref().unwrap_or_default();
        let names = tests.entry(places.clone()).or_insert_with(|| names_below(tree, &places));
        let is_there = |part| names.iter().any(|name| name.contains(part));
        if !wanted.split("::").all(is_there) {
            let message = format!("{name}: no tests `{wanted}` at {}", places.join(", "));
            report.broken(mutate::LIST, 0, message);
        }
        let found = tree.text(&mutation.file).map(|text| text.matches(&mutation.find).count());
        match found {
            None => {
                let message = format!("{}: no file {}", mutation.name, mutation.file);
                report.broken(mutate::LIST, 0, message);
            }
            Some(1) => {}
            Some(count) => {
                let message = format!("{}: `find` occurs {count} times", mutation.name);
                report.broken(&mutation.file, 0, message);
            }
        }
    }
}

/// The names of the modules and functions of these places, those that a harness of its own has in a list,
/// and more.
fn names_below<'t>(tree: &'t Tree, places: &[String]) -> Vec<&'t str> {
    let mut names = vec![""];
    for (path, text) in tree.texts() {
        if path.ends_with(".rs") && places.iter().any(|place| path.starts_with(place)) {
            names.push(path);
            let declared = text.lines().filter_map(|line| {
                ["fn ", "mod ", "(\""].iter().find_map(|word| Some(line.split_once(word)?.1))
            });
            names.extend(declared);
        }
    }
    names
}

/// `proofs`: a table of claims has all its rows, each of which names tests that exist or, where
/// there is nothing to test yet, the issue that brings it; the files that it names exist.
///
/// A name may have its module in front: `pair::errors_are_sticky`.
pub(super) fn proofs(tree: &Tree, report: &mut Report<'_>) {
    let tests = tests(tree);
    for (paper, count) in PROOFS {
        let Some(text) = tree.text(paper) else {
            report.broken(paper, 0, "missing");
            continue;
        };
        let mut due = 1;
        for (index, row) in text.lines().enumerate() {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let ["", number, claim @ .., proof, ""] = cells.as_slice() else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            if number != due {
                report.broken(paper, index + 1, format!("row {number} where {due} is due"));
            }
            due = number + 1;
            if quoted(proof).next().is_none() && !proof.contains("issue") {
                report.broken(paper, index + 1, "a row that names neither a test nor an issue");
            }
            for name in quoted(proof).filter(|name| !is_test(&tests, name)) {
                report.broken(paper, index + 1, format!("`{name}` is no test"));
            }
            let files =
                claim.iter().flat_map(|cell| quoted(cell)).filter(|name| name.contains('/'));
            for file in files.filter(|file| tree.text(file).is_none()) {
                report.broken(paper, index + 1, format!("no file {file}"));
            }
        }
        if due != count + 1 {
            report.broken(paper, 0, format!("{} rows of {count}", due - 1));
        }
    }
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// All tests: their names, each with the files that have one of that name.
fn tests(tree: &Tree) -> BTreeMap<&str, Vec<&str>> {
    let mut tests: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (path, source) in tree.sources() {
        let mut marked = false;
        for (_, line) in source.test_code_lines() {
            let line = line.trim();
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                marked = true;
            } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| marked) {
                let name = rest.split('(').next().unwrap_or(rest);
                tests.entry(name).or_default().push(path);
                marked = false;
            }
        }
    }
    tests
}

fn is_test(tests: &BTreeMap<&str, Vec<&str>>, name: &str) -> bool {
    let (module, name) = name.rsplit_once("::").unwrap_or(("", name));
    let is_of = |path: &&str| path.trim_end_matches(".rs").split('/').any(|part| part == module);
    tests.get(name).is_some_and(|paths| module.is_empty() || paths.iter().any(is_of))
}

/// `paths`: no file names a path of somebody's machine.
pub(super) fn paths(tree: &Tree, report: &mut Report<'_>) {
    for (path, text) in tree.texts().filter(|(path, _)| *path != "Cargo.lock") {
        for (index, line) in text.lines().enumerate() {
            if let Some(found) = machine_path(line) {
                report.broken(path, index + 1, format!("{found} is a path of one machine"));
            }
        }
    }
}

/// Paragraphs and list items, each with the line it starts on.
fn paragraphs(text: &str) -> Vec<(usize, String)> {
    let mut paragraphs: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let starts = line.trim_start().starts_with("- ") || line.starts_with('#');
        if line.trim().is_empty() {
            open = false;
        } else if let Some((_, paragraph)) = paragraphs.last_mut().filter(|_| open && !starts) {
            paragraph.push(' ');
            paragraph.push_str(line.trim());
        } else {
            paragraphs.push((index + 1, line.trim().to_owned()));
            open = true;
        }
    }
    paragraphs
}

/// Names of everything that can fail: tests, lints, rules, fuzz targets.
fn enforcers(tree: &Tree) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    for (path, source) in tree.sources() {
        if let Some(target) = path.strip_prefix("fuzz/fuzz_targets/") {
            names.insert(target.trim_end_matches(".rs").to_owned());
        }
        for (_, line) in source.test_code_lines() {
            if let Some((_, rest)) = line.split_once("fn ") {
                names.extend(rest.split(['(', '<']).next().map(str::to_owned));
            }
        }
    }
    let lints = tree.text("Cargo.toml").unwrap_or_default().lines();
    let lints = lints.skip_while(|line| !line.starts_with("[workspace.lints"));
    names.extend(lints.filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())));
    for (_, text) in tree.texts().filter(|(path, _)| path.ends_with("clippy.toml")) {
        names.extend(text.lines().filter_map(|line| Some(line.split_once(" =")?.0.to_owned())));
    }
    names
}

/// The first absolute path in a line that leads into a home or a scratch folder.
fn machine_path(line: &str) -> Option<&str> {
    const FOLDERS: &[&str] = &["/home/", "/root/", "/tmp/", "/Users/", "/work/"];
    FOLDERS.iter().find_map(|folder| {
        line.match_indices(folder).find_map(|(at, _)| {
            let inside_path =
                line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'));
            let rest = &line[at + folder.len()..];
            let names_one = rest.starts_with(|c: char| c.is_ascii_alphanumeric());
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-')))
                .unwrap_or(rest.len());
            (!inside_path && names_one).then(|| &line[at..at + folder.len() + end])
        })
    })
}
