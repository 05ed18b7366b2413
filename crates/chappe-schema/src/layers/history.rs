//! The schema of an older layer, from the newest and `schema/layers/history.tl`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{API_TEXT, Schema, parse};

const HISTORY: &str = include_str!("../../../../schema/layers/history.tl");

/// What `history.tl` says, by section.
static ROWS: LazyLock<Rows> = LazyLock::new(Rows::read);

/// The section behind which methods are listed.
pub(super) const FUNCTIONS: &str = "---functions---";

#[derive(Debug, Default)]
struct Rows {
    /// `name#id` of the newest layer to the layers that have it, where not all do.
    since: HashMap<&'static str, Ranges>,
    /// Constructors, then methods, that are not in the newest layer.
    older: [Vec<(Ranges, &'static str)>; 2],
}

/// Held layers as in `198-204,211`.
#[derive(Clone, Copy, Debug)]
struct Ranges(&'static str);

/// The held layers, ascending.
pub(super) fn held() -> impl Iterator<Item = i32> {
    let line = HISTORY.lines().find_map(|line| line.strip_prefix("// held "));
    line.unwrap_or_default().split(' ').filter_map(|layer| layer.parse().ok())
}

/// Every definition of every held layer once: whether it is a method, its line with the
/// semicolon, and the layers that have it, by their places in [`held`] as bits.
pub(super) fn lines() -> impl Iterator<Item = (bool, &'static str, u64)> {
    let held: Vec<i32> = held().collect();
    let everywhere = (1 << held.len()) - 1;
    let bits = move |ranges: Ranges| -> u64 {
        let held = held.iter().enumerate().filter(|(_, layer)| ranges.contain(**layer));
        held.map(|(place, _)| 1 << place).sum()
    };
    let [constructors, methods] = &ROWS.older;
    let older = [(false, constructors), (true, methods)].into_iter();
    let older = older.flat_map(|(is_function, rows)| {
        rows.iter().map(move |(ranges, line)| (is_function, *line, Some(*ranges)))
    });
    let mut is_function = false;
    let newest = API_TEXT.lines().filter_map(move |line| {
        is_function |= line == FUNCTIONS;
        let is_definition = line.ends_with(';') && !line.starts_with("//");
        is_definition.then(|| (is_function, line, ROWS.since.get(head(line)).copied()))
    });
    newest.chain(older).map(move |(is_function, line, ranges)| {
        (is_function, line, ranges.map_or(everywhere, &bits))
    })
}

/// The name of a definition with its id.
fn head(line: &str) -> &str {
    line.split([' ', ';']).next().unwrap_or_default()
}

/// The schema of a held layer.
#[expect(clippy::expect_used, reason = "the text is part of the program; tests parse all layers")]
pub(super) fn schema(layer: i32) -> Schema {
    parse(&text(layer)).expect("a held layer parses")
}

/// The text of a held layer.
fn text(layer: i32) -> String {
    let mut text = format!("// LAYER {layer}\n");
    let mut push = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    let [constructors, methods] = &ROWS.older;
    for line in API_TEXT.lines().filter(|line| !line.starts_with("//")) {
        if line == FUNCTIONS {
            for (_, line) in constructors.iter().filter(|(ranges, _)| ranges.contain(layer)) {
                push(line);
            }
        }
        if ROWS.since.get(head(line)).is_none_or(|ranges| ranges.contain(layer)) {
            push(line);
        }
    }
    for (_, line) in methods.iter().filter(|(ranges, _)| ranges.contain(layer)) {
        push(line);
    }
    text
}

impl Rows {
    fn read() -> Self {
        // The history pads ids to eight digits, the newest schema prints them as published.
        let mut heads = HashMap::new();
        for line in API_TEXT.lines() {
            if let Some((name, id)) = head(line).split_once('#') {
                heads.insert(format!("{name}#{id:0>8}"), head(line));
            }
        }
        let mut rows = Self::default();
        let mut section = 0;
        for line in HISTORY.lines().filter(|line| !line.starts_with("//")) {
            if line == FUNCTIONS {
                section = 1;
            } else if let Some((ranges, definition)) = line.split_once(" | ") {
                if let Some(older) = rows.older.get_mut(section) {
                    older.push((Ranges(ranges), definition));
                }
            } else if let Some((ranges, head)) = line.split_once(" = ")
                && let Some(head) = heads.get(head)
            {
                rows.since.insert(head, Ranges(ranges));
            }
        }
        rows
    }
}

impl Ranges {
    fn contain(self, layer: i32) -> bool {
        self.0.split(',').any(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (first.parse(), last.parse());
            matches!((first, last), (Ok(first), Ok(last)) if (first..=last).contains(&layer))
        })
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::{held, schema};
    use crate::compute_id;

    /// The digests were computed from the packages' own texts by merge.py.
    #[test]
    fn every_layer_is_what_its_sources_had() {
        let digests = include_str!("../../../../schema/layers/digests.txt");
        assert_eq!(digests.lines().count(), held().count());
        for line in digests.lines() {
            let [layer, count, want] = line.split(' ').collect::<Vec<_>>()[..] else { panic!() };
            let schema = schema(layer.parse().unwrap());
            let mut sections = [Vec::new(), Vec::new()];
            for definition in schema.definitions() {
                let core = ["boolFalse", "boolTrue", "true", "vector", "error", "null"];
                if core.contains(&definition.name.as_str()) {
                    continue;
                }
                assert_eq!(compute_id(&definition.text), definition.id, "{}", definition.text);
                let (_, rest) = definition.text.split_once(' ').unwrap();
                let text = format!("{}#{:08x} {rest};", definition.name, definition.id);
                sections[usize::from(definition.is_function)].push(text);
            }
            let [mut types, mut functions] = sections;
            assert_eq!((types.len() + functions.len()).to_string(), count, "layer {layer}");
            types.sort_unstable();
            functions.sort_unstable();
            let mut lines = vec!["---types---".to_owned()];
            lines.append(&mut types);
            lines.push("---functions---".to_owned());
            lines.append(&mut functions);
            let digest = Sha256::digest(lines.join("\n"));
            let got: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(got, want, "layer {layer}");
        }
    }
}
