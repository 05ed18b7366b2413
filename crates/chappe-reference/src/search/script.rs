//! The index as scripts, which the pages load beside `assets/search.js`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::thing::{KINDS, Thing};
use super::words::{NOISE, TAILS, tables};
use super::{Index, index};
use crate::{Kind, core_types, start};

/// The text of the script that the pages load beside the index.
pub const SCRIPT: &str = include_str!("../../assets/search.js");

/// The index as a script: it sets `chappeSearchIndex`.
#[must_use]
pub fn script() -> String {
    format!("globalThis.chappeSearchIndex={}\n", index().to_json())
}

/// What only older layers have, as a script: it sets `chappeSearchOlder`, and few need it.
#[must_use]
pub fn older_script() -> String {
    format!("globalThis.chappeSearchOlder={}\n", index().older_json())
}

impl Index {
    /// The numbers of things by their names.
    fn numbers(&self) -> HashMap<&str, usize> {
        self.things.iter().enumerate().rev().map(|(number, thing)| (thing.name, number)).collect()
    }

    fn to_json(&self) -> serde_json::Value {
        let things = self.present();
        let counts = KINDS.iter().filter(|(kind, _)| *kind != Kind::Gone).map(|(kind, rank)| {
            let count = things.iter().filter(|thing| thing.kind == *kind).count();
            json!([kind.word(), kind.folder(), rank, count])
        });
        let mut dictionary: BTreeMap<&str, usize> = BTreeMap::new();
        for param in things.iter().flat_map(|thing| &thing.params) {
            dictionary.insert(param, 0);
        }
        for (number, place) in dictionary.values_mut().enumerate() {
            *place = number;
        }
        let defined = || things.iter().filter(|thing| thing.id.is_some());
        let uses =
            defined().map(|thing| numbers(thing.params.iter().map(|param| dictionary[param])));
        let ids = defined().filter_map(|thing| thing.id).map(base36);
        let coded = things.iter().filter(|thing| thing.kind == Kind::Error);
        let codes = coded.map(|thing| {
            let codes = thing.codes.iter().map(|code| code.unsigned_abs().to_string());
            list(codes, " ")
        });
        let core = things.iter().filter(|thing| thing.kind == Kind::Core);
        let files =
            core.filter_map(|thing| core_types::core_type(thing.name)).map(|core| core.file());
        let weights = things.iter().map(|thing| base36(thing.weight));
        let anchors = things.iter().filter(|thing| thing.kind == Kind::Guide);
        let anchors = anchors.map(|thing| start::anchor(thing.name).unwrap_or_default());
        let elsewhere = self
            .words()
            .elsewhere
            .iter()
            .map(|(call, made)| format!("{call} {}", numbers(made.iter().copied())));
        let by_name = self.numbers();
        let joined = |words: &str, names: &[String]| {
            let found = names.iter().filter_map(|name| by_name.get(name.as_str()).copied());
            format!("{words}={}", numbers(found))
        };
        let called = tables().called.iter().map(|(words, names)| joined(words, names));
        let sayings = tables().sayings.iter().map(|(words, names)| joined(&words.join(" "), names));
        json!({
            "anchors": anchors.collect::<Vec<_>>(),
            "elsewhere": list(elsewhere, ","),
            "called": list(called, ","),
            "extra": tables().extra,
            "sayings": list(sayings, ","),
            "weights": weights.collect::<String>(),
            "kinds": counts.collect::<Vec<_>>(),
            "names": names(things),
            "abouts": abouts(things),
            "ids": list(ids, ","),
            "codes": list(codes, ","),
            "files": files.collect::<Vec<_>>(),
            "params": dictionary.keys().copied().collect::<Vec<_>>().join(" "),
            "uses": list(uses, ","),
            "joined": tables().joined.iter().collect::<Vec<_>>(),
            "meant": tables().meant,
            "noise": NOISE,
            "stops": tables().stops,
            "tails": TAILS,
        })
    }

    /// What only older layers have, and the ids of theirs that no definition has any more.
    fn older_json(&self) -> serde_json::Value {
        let gone = self.things.get(self.present().len()..).unwrap_or_default();
        // A thing, its id and these layers; the layers once.
        let said = self.things.iter().flat_map(|it| &it.older).map(|(_, layers)| layers.as_str());
        let layers: Vec<&str> = said.collect::<BTreeSet<_>>().into_iter().collect();
        let older = self.things.iter().enumerate().flat_map(|(number, thing)| {
            let layers = &layers;
            thing.older.iter().filter_map(move |(id, said)| {
                let place = layers.binary_search(&said.as_str()).ok()?;
                let numbers = [number as u32, *id, place as u32].map(base36);
                Some(numbers.join(" "))
            })
        });
        let by_name = self.numbers();
        let see = gone
            .iter()
            .map(|thing| numbers(thing.see.iter().filter_map(|name| by_name.get(name).copied())));
        let (_, rank) = KINDS[KINDS.len() - 1];
        json!({
            "kind": [Kind::Gone.word(), Kind::Gone.folder(), rank, gone.len()],
            "names": names(gone),
            "abouts": abouts(gone),
            "layers": layers,
            "older": list(older, ","),
            "see": list(see, ","),
        })
    }
}

fn list(items: impl Iterator<Item = String>, between: &str) -> String {
    items.collect::<Vec<_>>().join(between)
}

fn numbers(numbers: impl Iterator<Item = usize>) -> String {
    list(numbers.map(|number| base36(number as u32)), " ")
}

/// The names of things. One begins like the one before it, mostly: only how far, as a letter from `0` on, and the
/// rest.
fn names(things: &[Thing]) -> String {
    let mut before = "";
    let names = things.iter().map(|thing| {
        let pairs = before.bytes().zip(thing.name.bytes());
        let same = pairs.take_while(|(a, b)| a == b).count().min(LONGEST_PREFIX);
        before = thing.name;
        format!("{}{}", char::from(b'0' + same as u8), &thing.name[same..])
    });
    list(names, "\n")
}

fn abouts(things: &[Thing]) -> String {
    list(things.iter().map(|thing| thing.about.clone()), "\n")
}

/// A number in digits and small letters, as JavaScript reads it.
fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        digits.push(char::from_digit(number % 36, 36).unwrap_or('0'));
        number /= 36;
    }
    digits.iter().rev().collect()
}

/// The longest beginning that a name can share with the one before it in the index.
const LONGEST_PREFIX: usize = 70;
