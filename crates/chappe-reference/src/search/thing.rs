//! What can be found, and how well its name fits a query.

use std::collections::BTreeMap;

use super::query::{is_stop, joined};
use super::text::{self, compact, distance, stem};
use crate::Kind;

/// Something that can be found.
#[derive(Debug)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) about: String,
    pub(super) id: Option<u32>,
    pub(super) code: Option<i32>,
    pub(super) params: Vec<&'static str>,
    /// The compact name, and where its namespace ends in it.
    pub(super) key: String,
    pub(super) short: usize,
    /// Where the words of the name begin in it.
    pub(super) humps: Vec<usize>,
    /// How much it is used: the bits of the number of what has to do with it.
    pub(super) weight: u32,
    /// Which letters are in it.
    letters: u32,
}

/// How well a thing fits, first by tier.
pub(super) type Score = u32;

/// The tiers, the best last.
pub(super) const PARTLY: Score = 1_000_000;
pub(super) const FAR: Score = 2_000_000;
pub(super) const SAID: Score = 3_000_000;
pub(super) const MISTYPED: Score = 4_000_000;
pub(super) const NAMED: Score = 5_000_000;
pub(super) const INSIDE: Score = 6_000_000;
pub(super) const BEGUN: Score = 7_000_000;
pub(super) const ELSEWHERE: Score = 7_500_000;
pub(super) const SAME: Score = 8_000_000;
pub(super) const CALLED: Score = 8_500_000;
pub(super) const EXACT: Score = 9_000_000;
pub(super) const ID: Score = 10_000_000;

/// How much a word counts in a name, in front of its dot, in a description, in the name of a
/// parameter.
pub(super) const IN_NAME: u32 = 4;
pub(super) const IN_FRONT: u32 = 3;
pub(super) const IN_ABOUT: u32 = 2;
pub(super) const IN_PARAM: u32 = 1;

/// How much sooner what is used twice as much is shown, where words decide: as much as one or two of
/// a hundred parts that fit.
pub(super) const WEIGHT: u32 = 8;

/// The kinds in the order of the index, with how much sooner they are shown among equals.
pub(super) const KINDS: [(Kind, u32); 7] = [
    (Kind::Method, 6),
    (Kind::Namespace, 5),
    (Kind::Type, 4),
    (Kind::Constructor, 3),
    (Kind::Error, 2),
    (Kind::Layer, 1),
    (Kind::Guide, 0),
];

impl Thing {
    pub(super) fn new(kind: Kind, name: &'static str, about: &str) -> Self {
        let key = compact(name);
        let short = name.split_once('.').map_or(0, |(namespace, _)| compact(namespace).len());
        let mut humps = Vec::new();
        let mut place = 0;
        for word in text::words(name) {
            humps.push(place);
            place += word.len();
        }
        let letters = letters(&key);
        let about = about.replace('`', "").replace('\n', " ");
        let (id, code, params, weight) = (None, None, Vec::new(), 0);
        Self { kind, name, about, id, code, params, key, short, humps, weight, letters }
    }

    pub(super) fn rank(&self) -> u32 {
        KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or(0, |(_, rank)| *rank)
    }

    /// How well the thing's name is what was typed, in any of its forms.
    pub(super) fn named(&self, query: &str, forms: &[String]) -> Score {
        if query == self.name {
            return EXACT + self.rank();
        }
        let short = &self.key[self.short..];
        let rank = self.rank() * 100;
        let mut best = 0;
        for form in forms.iter().map(String::as_str) {
            let score = if form == self.key {
                SAME + rank + 1
            } else if form == short {
                SAME + rank
            } else if short.starts_with(form) {
                BEGUN + rank + brevity(form, short)
            } else if self.key.starts_with(form) {
                BEGUN + rank + brevity(form, &self.key)
            } else if form.len() >= 3
                && self.humps.iter().any(|hump| self.key[*hump..].starts_with(form))
            {
                INSIDE + rank + brevity(form, &self.key)
            } else {
                0
            };
            best = best.max(score);
        }
        best
    }

    /// How well the name is what was typed with a slip or two, or somewhere inside of it.
    pub(super) fn mistyped(&self, forms: &[String]) -> Score {
        let short = &self.key[self.short..];
        let rank = self.rank() * 100;
        let mut best = 0;
        for form in forms.iter().filter(|form| form.len() >= 3) {
            if self.key.contains(form) {
                best = best.max(FAR + rank + 50);
                continue;
            }
            let limit = match form.len() {
                ..4 => continue,
                4..8 => 1,
                _ => 2,
            };
            if (letters(form) & !self.letters).count_ones() as usize > limit {
                continue;
            }
            for key in [short, &self.key] {
                let score = match distance(form, key, limit) {
                    Some(2) => FAR + rank + brevity(form, key),
                    Some(_) => MISTYPED + rank + brevity(form, key),
                    None => 0,
                };
                best = best.max(score);
            }
        }
        best
    }

    /// The stems of the thing, each once, with how much it counts.
    pub(super) fn stems(&self) -> BTreeMap<String, u32> {
        let mut stems = BTreeMap::new();
        let mut add = |words: Vec<String>, weight: u32| {
            let words: Vec<String> = words.iter().map(|word| stem(word)).collect();
            for pair in words.windows(2) {
                if let Some(joined) = joined(&pair[0], &pair[1]) {
                    stems.entry(joined.to_owned()).or_insert(weight);
                }
            }
            for word in words.into_iter().filter(|word| !is_stop(word)) {
                stems.entry(word).or_insert(weight);
            }
        };
        let (front, name) = self.name.split_once('.').unwrap_or(("", self.name));
        let mut named = text::words(name);
        named.extend(self.code.map(|code| code.unsigned_abs().to_string()));
        if self.kind == Kind::Layer {
            named.push("layer".to_owned());
        }
        add(named, IN_NAME);
        add(text::words(front), IN_FRONT);
        add(text::words(&self.about), IN_ABOUT);
        for param in &self.params {
            add(text::words(param), IN_PARAM);
        }
        stems
    }
}

/// How little a name is longer than what was typed of it.
fn brevity(form: &str, key: &str) -> u32 {
    99 - key.len().abs_diff(form.len()).min(99) as u32
}

/// The letters of a compact name as bits.
fn letters(key: &str) -> u32 {
    let letters = key.bytes().filter(u8::is_ascii_lowercase);
    letters.fold(0, |bits, letter| bits | 1 << (letter - b'a'))
}
