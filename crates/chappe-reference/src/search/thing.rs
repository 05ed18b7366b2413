//! What can be found, and how well its name fits a query.

use std::collections::BTreeMap;

use super::query::{is_stop, joined};
use super::text::{self, compact, distance, stem};
use crate::Kind;
use crate::model::is_numbered;

/// Something that can be found.
#[derive(Debug)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) about: String,
    pub(super) id: Option<u32>,
    /// The ids that it had in older layers, and these layers.
    pub(super) older: Vec<(u32, String)>,
    pub(super) codes: &'static [i32],
    /// What is taken instead of it, if it is gone.
    pub(super) see: &'static [&'static str],
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
pub(super) const TOLD: Score = 8_700_000;
pub(super) const SAYING: Score = TOLD + 500;
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
pub(super) const KINDS: [(Kind, u32); 9] = [
    (Kind::Method, 8),
    (Kind::Namespace, 7),
    (Kind::Type, 6),
    (Kind::Constructor, 5),
    (Kind::Error, 4),
    (Kind::Layer, 3),
    (Kind::Guide, 2),
    (Kind::Core, 1),
    (Kind::Gone, 0),
];

/// How much sooner than others a kind is shown of which a message tells: what went wrong comes before what
/// was asked. A kind that is not here is no name in a message, but a word.
const IN_MESSAGE: [(Kind, u32); 5] = [
    (Kind::Error, 400),
    (Kind::Method, 300),
    (Kind::Gone, 200),
    (Kind::Constructor, 100),
    (Kind::Type, 0),
];

impl Thing {
    pub(super) fn new(kind: Kind, name: &'static str, about: &str) -> Self {
        let key = compact(bare(name));
        let short = name.split_once('.').map_or(0, |(namespace, _)| compact(namespace).len());
        let mut humps = Vec::new();
        let mut place = 0;
        for word in text::words(bare(name)) {
            humps.push(place);
            place += word.len();
        }
        let letters = letters(&key);
        let about = about.replace('`', "").replace('\n', " ");
        let (id, older, params, weight) = (None, Vec::new(), Vec::new(), 0);
        let (codes, see) = (&[][..], &[][..]);
        Self {
            kind,
            name,
            about,
            id,
            older,
            codes,
            see,
            params,
            key,
            short,
            humps,
            weight,
            letters,
        }
    }

    pub(super) fn rank(&self) -> u32 {
        KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or(0, |(_, rank)| *rank)
    }

    /// The layers in which the thing had one of these ids, if they are none of today.
    pub(super) fn older(&self, ids: &[u32]) -> Option<&str> {
        let older = self.older.iter().find(|(id, _)| ids.contains(id));
        older.map(|(_, layers)| layers.as_str())
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

    /// What others call an error that leave its number out: `FloodWaitError`.
    pub(super) fn numberless(&self) -> Option<&str> {
        let has_number = self.kind == Kind::Error && is_numbered(self.name);
        has_number.then(|| self.key.strip_suffix('x')).flatten()
    }

    /// How well the thing is one of the names in a message, each of which has its forms.
    pub(super) fn told(&self, names: &[Vec<String>]) -> Score {
        let Some((_, sooner)) = IN_MESSAGE.iter().find(|(kind, _)| *kind == self.kind) else {
            return 0;
        };
        let short = &self.key[self.short..];
        let numberless = self.numberless();
        let is_it = |forms: &Vec<String>| {
            forms.iter().any(|it| *it == self.key || it == short || numberless == Some(it))
        };
        let place = names.iter().position(is_it);
        place.map_or(0, |place| TOLD + sooner - place as u32)
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
        // Who asks in words wants what there is.
        if self.kind == Kind::Gone {
            return stems;
        }
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
        let name = bare(self.name);
        let (front, name) = name.split_once('.').unwrap_or(("", name));
        let mut named = text::words(name);
        named.extend(self.codes.iter().map(|code| code.unsigned_abs().to_string()));
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

/// A name without what stands behind it: `Vector` of `Vector<t>`.
fn bare(name: &str) -> &str {
    name.split('<').next().unwrap_or(name)
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
