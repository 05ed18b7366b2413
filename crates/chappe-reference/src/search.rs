//! The search: one index and one order of hits, here and in the pages' script.
//!
//! A name is found in every spelling: of the schema, of Rust, of Python, with or without its
//! namespace, with a letter or two mistyped, by its id in any notation. Descriptions are found by
//! their words, errors by their names and codes, methods by their parameters. `assets/search.js`
//! is the same algorithm over the same data ([`script`]); a test compares the two.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde_json::json;

use crate::model::params;
use crate::page::count;
use crate::{Kind, Reference, layers};

mod text;
mod words;

use text::{compact, distance, stem};
use words::{NOISE, TAILS, tables};

/// The text of the script that the pages load beside the index.
pub const SCRIPT: &str = include_str!("../assets/search.js");

/// Everything that can be found.
#[derive(Debug)]
pub struct Index {
    things: Vec<Thing>,
    /// The things that a stem is part of, with how much it counts there.
    stems: BTreeMap<String, Vec<(usize, u32)>>,
    /// The things that have a parameter of this compact name, and its name.
    params: HashMap<String, Vec<(usize, &'static str)>>,
}

/// Something that can be found.
#[derive(Debug)]
struct Thing {
    kind: Kind,
    name: &'static str,
    about: String,
    id: Option<u32>,
    code: Option<i32>,
    params: Vec<&'static str>,
    /// The compact name, and where its namespace ends in it.
    key: String,
    short: usize,
    /// Where the words of the name begin in it.
    humps: Vec<usize>,
    /// Which letters are in it.
    letters: u32,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit<'i> {
    /// What it is.
    pub kind: Kind,
    /// Its whole name.
    pub name: &'static str,
    /// What it is about, in a sentence that may be cut; empty where there are no words for it.
    pub about: &'i str,
    /// The parameter that was meant, where it was not the name.
    pub param: Option<&'static str>,
}

/// How well a thing fits, first by tier.
type Score = u32;

/// The tiers, the best last.
const PARTLY: Score = 1_000_000;
const FAR: Score = 2_000_000;
const SAID: Score = 3_000_000;
const MISTYPED: Score = 4_000_000;
const NAMED: Score = 5_000_000;
const INSIDE: Score = 6_000_000;
const BEGUN: Score = 7_000_000;
const SAME: Score = 8_000_000;
const EXACT: Score = 9_000_000;
const ID: Score = 10_000_000;

/// How much a word counts in a name, in front of its dot, in a description, in the name of a
/// parameter.
const IN_NAME: u32 = 4;
const IN_FRONT: u32 = 3;
const IN_ABOUT: u32 = 2;
const IN_PARAM: u32 = 1;

/// How often a word counts that is the one in the text; another form or meaning of it; the most
/// that a word can count.
const AS_IT_IS: u32 = 4;
const ALIKE: u32 = 2;
const MOST: u32 = IN_NAME * AS_IT_IS;

/// How many letters of a query and how many of its words are looked at.
const LETTERS: usize = 128;
const WORDS: usize = 8;

/// How much of a constructor's description the index holds, in bytes.
const SHORT_ABOUT: usize = 72;

/// The kinds in the order of the index, with how much sooner they are shown among equals.
const KINDS: [(Kind, u32); 6] = [
    (Kind::Method, 6),
    (Kind::Namespace, 5),
    (Kind::Type, 4),
    (Kind::Constructor, 3),
    (Kind::Error, 2),
    (Kind::Layer, 1),
];

/// The index of the newest layer, made when it is first asked for.
#[must_use]
pub fn index() -> &'static Index {
    static INDEX: LazyLock<Index> = LazyLock::new(|| Index::of(Reference::get()));
    &INDEX
}

/// The index as a script: it sets `chappeSearchIndex`.
#[must_use]
pub fn script() -> String {
    format!("globalThis.chappeSearchIndex={}\n", index().to_json())
}

impl Index {
    fn of(reference: &'static Reference) -> Self {
        let mut things = Vec::new();
        for method in reference.methods() {
            let about = method.summary().unwrap_or_default();
            let mut thing = Thing::new(Kind::Method, method.name(), about);
            thing.id = Some(method.definition.id);
            thing.params = params(method.definition).map(|param| param.name.as_str()).collect();
            things.push(thing);
        }
        for namespace in reference.namespaces() {
            let [methods, types] = [namespace.methods.len(), namespace.types.len()];
            let about = format!("{} and {}", count(methods, "method"), count(types, "type"));
            things.push(Thing::new(Kind::Namespace, namespace.name, &about));
        }
        for ty in reference.types() {
            things.push(Thing::new(Kind::Type, ty.name, ty.summary().unwrap_or_default()));
        }
        for constructor in reference.constructors() {
            let about = shortened(constructor.summary().unwrap_or_default());
            let mut thing = Thing::new(Kind::Constructor, constructor.name(), &about);
            thing.id = Some(constructor.definition.id);
            thing.params =
                params(constructor.definition).map(|param| param.name.as_str()).collect();
            things.push(thing);
        }
        for error in reference.errors() {
            let mut thing =
                Thing::new(Kind::Error, error.name, error.summary().unwrap_or_default());
            thing.code = Some(error.code);
            things.push(thing);
        }
        for page in layers::pages() {
            things.push(Thing::new(Kind::Layer, &page.name, &page.summary()));
        }
        // Among equals the order of the index decides: kinds as in the table, what has no namespace
        // first, then the namespaces with most methods, as people use these most.
        let weight = |thing: &Thing| {
            let (namespace, _) = thing.name.split_once('.')?;
            Some(std::cmp::Reverse(reference.namespace(namespace)?.methods.len()))
        };
        things.sort_by_cached_key(|thing| {
            let place = KINDS.iter().position(|(kind, _)| *kind == thing.kind);
            (place, weight(thing).map_or((0, None), |weight| (1, Some(weight))), thing.name)
        });
        let mut index = Self { things, stems: BTreeMap::new(), params: HashMap::new() };
        for (number, thing) in index.things.iter().enumerate() {
            for (stem, weight) in thing.stems() {
                index.stems.entry(stem).or_default().push((number, weight));
            }
            for param in &thing.params {
                index.params.entry(compact(param)).or_default().push((number, param));
            }
        }
        index
    }

    /// The things that a query may mean, the likeliest first, at most `limit`.
    #[must_use]
    pub fn find(&self, query: &str, limit: usize) -> Vec<Hit<'_>> {
        let query: String = query.trim().chars().take(LETTERS).collect();
        let mut scores: Vec<Score> = vec![0; self.things.len()];
        let mut meant: Vec<Option<&'static str>> = vec![None; self.things.len()];
        let forms = forms(&query);
        let ids = ids(&query);
        for (thing, score) in self.things.iter().zip(&mut scores) {
            *score = thing.named(&query, &forms);
            if thing.id.is_some_and(|id| ids.contains(&id)) {
                *score = ID;
            }
        }
        // Who begins a name right has not mistyped it.
        if scores.iter().all(|score| *score < BEGUN) {
            for (thing, score) in self.things.iter().zip(&mut scores) {
                *score = thing.mistyped(&forms).max(*score);
            }
        }
        for (number, score) in self.said(&query) {
            scores[number] = scores[number].max(score);
        }
        for form in &forms {
            for (number, param) in self.params.get(form).into_iter().flatten() {
                let score = SAID + 900 + self.things[*number].rank();
                if score > scores[*number] {
                    scores[*number] = score;
                    meant[*number] = Some(param);
                }
            }
        }
        let mut found: Vec<usize> = (0..scores.len()).filter(|it| scores[*it] > 0).collect();
        // The order of the index decides among equals.
        found.sort_by_key(|number| std::cmp::Reverse(scores[*number]));
        let hits = found.into_iter().take(limit).map(|number| {
            let thing = &self.things[number];
            let param = meant[number];
            Hit { kind: thing.kind, name: thing.name, about: &thing.about, param }
        });
        hits.collect()
    }

    /// The things that are called so, in any spelling: those of the closest kind of sameness only.
    /// Several are possible, as a name without its namespace may be in several; of a type and its
    /// constructor, which other spellings than TL's do not tell apart, it is the type.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<Hit<'_>> {
        let query: String = name.trim().chars().take(LETTERS).collect();
        let (forms, ids) = (forms(&query), ids(&query));
        let levels: [&dyn Fn(&Thing) -> bool; 4] = [
            &|thing| thing.name == query,
            &|thing| thing.id.is_some_and(|id| ids.contains(&id)),
            &|thing| forms.contains(&thing.key),
            &|thing| forms.iter().any(|form| *form == thing.key[thing.short..]),
        ];
        let found = levels.iter().map(|is_it| self.things.iter().filter(|it| is_it(it)).collect());
        let mut found = found.filter(|found: &Vec<&Thing>| !found.is_empty());
        let mut found = found.next().unwrap_or_default();
        let types: Vec<&str> =
            found.iter().filter(|it| it.kind == Kind::Type).map(|it| it.key.as_str()).collect();
        found.retain(|it| it.kind != Kind::Constructor || !types.contains(&it.key.as_str()));
        let hits = found.into_iter().map(|thing| Hit {
            kind: thing.kind,
            name: thing.name,
            about: &thing.about,
            param: None,
        });
        hits.collect()
    }

    /// The things that have the words of a query, and how well.
    fn said(&self, query: &str) -> HashMap<usize, Score> {
        let asked = asked(query);
        // What fits, how many words of it, how many of them in the name.
        let mut sums: HashMap<usize, (u32, u32, u32)> = HashMap::new();
        let mut most = 0;
        for word in &asked {
            let mut fits: HashMap<usize, (u32, bool)> = HashMap::new();
            let mut take = |stem: &str, times: u32| {
                for (number, weight) in self.stems.get(stem).into_iter().flatten() {
                    let fit = fits.entry(*number).or_default();
                    let in_name = *weight >= IN_FRONT;
                    *fit = (fit.0.max(weight * times), fit.1 || in_name);
                }
            };
            take(word, AS_IT_IS);
            if word.len() >= 3 {
                let begun = self.stems.range(word.clone()..);
                let begun = begun.take_while(|(stem, _)| stem.starts_with(word.as_str()));
                begun.skip_while(|(stem, _)| *stem == word).for_each(|(stem, _)| take(stem, ALIKE));
            }
            for other in tables().meant.get(word).into_iter().flatten() {
                take(other, ALIKE);
            }
            if fits.is_empty()
                && let Some(near) = self.nearest(word)
            {
                let things = self.stems.get(near).into_iter().flatten();
                fits.extend(things.map(|(number, weight)| (*number, (weight * ALIKE, false))));
            }
            let rarity = match fits.len() {
                0 => 1,
                count => u32::BITS - ((self.things.len() / count) as u32).leading_zeros(),
            };
            most += MOST * rarity;
            for (number, (fit, in_name)) in fits {
                let sum = sums.entry(number).or_default();
                *sum = (sum.0 + fit * rarity, sum.1 + 1, sum.2 + u32::from(in_name));
            }
        }
        let count = asked.len() as u32;
        let scores = sums.into_iter().filter_map(|(number, (sum, words, in_name))| {
            let thing = &self.things[number];
            let fit = sum * 100 / most;
            let score = if in_name == count {
                let brevity = 20_u32.saturating_sub(thing.humps.len() as u32);
                NAMED + thing.rank() * 1_000 + fit * 5 + brevity
            } else if words == count {
                SAID + fit * 8 + thing.rank()
            } else if words * 2 >= count {
                PARTLY + fit * 8 + thing.rank()
            } else {
                return None;
            };
            Some((number, score))
        });
        scores.collect()
    }

    /// The stem that a word without one was probably meant to be: the nearest, of these the one that
    /// most things have, of these the first by letters.
    fn nearest(&self, word: &str) -> Option<&str> {
        if word.len() < 4 {
            return None;
        }
        let near = self.stems.iter().filter_map(|(stem, things)| {
            let fits = stem.len() <= word.len() + 1 && distance(word, stem, 1).is_some();
            fits.then_some((things.len(), stem))
        });
        near.max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(a.1))).map(|(_, stem)| stem.as_str())
    }

    fn to_json(&self) -> serde_json::Value {
        let lines = |lines: Vec<String>, between: &str| lines.join(between);
        let counts = KINDS.map(|(kind, rank)| {
            let count = self.things.iter().filter(|thing| thing.kind == kind).count();
            json!([kind.word(), kind.folder(), rank, count])
        });
        // A name begins like the one before it, mostly: only how far, as a letter from `0` on, and
        // the rest.
        let mut before = "";
        let names = self.things.iter().map(|thing| {
            let pairs = before.bytes().zip(thing.name.bytes());
            let same = pairs.take_while(|(a, b)| a == b).count().min(LONGEST_PREFIX);
            before = thing.name;
            format!("{}{}", char::from(b'0' + same as u8), &thing.name[same..])
        });
        let mut dictionary: BTreeMap<&str, usize> = BTreeMap::new();
        for param in self.things.iter().flat_map(|thing| &thing.params) {
            dictionary.insert(param, 0);
        }
        for (number, place) in dictionary.values_mut().enumerate() {
            *place = number;
        }
        let defined = || self.things.iter().filter(|thing| thing.id.is_some());
        let uses = defined().map(|thing| {
            let numbers = thing.params.iter().map(|param| base36(dictionary[param] as u32));
            lines(numbers.collect(), " ")
        });
        let ids = defined().filter_map(|thing| thing.id).map(base36);
        let codes = self.things.iter().filter_map(|thing| thing.code).map(|code| code.to_string());
        json!({
            "kinds": counts,
            "names": lines(names.collect(), "\n"),
            "abouts": lines(self.things.iter().map(|thing| thing.about.clone()).collect(), "\n"),
            "ids": lines(ids.collect(), ","),
            "codes": lines(codes.collect(), ","),
            "params": dictionary.keys().copied().collect::<Vec<_>>().join(" "),
            "uses": lines(uses.collect(), ","),
            "joined": tables().joined.iter().collect::<Vec<_>>(),
            "meant": tables().meant,
            "noise": NOISE,
            "stops": tables().stops,
            "tails": TAILS,
        })
    }
}

impl Thing {
    fn new(kind: Kind, name: &'static str, about: &str) -> Self {
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
        let (id, code, params) = (None, None, Vec::new());
        Self { kind, name, about, id, code, params, key, short, humps, letters }
    }

    fn rank(&self) -> u32 {
        KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or(0, |(_, rank)| *rank)
    }

    /// How well the thing's name is what was typed, in any of its forms.
    fn named(&self, query: &str, forms: &[String]) -> Score {
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
    fn mistyped(&self, forms: &[String]) -> Score {
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
    fn stems(&self) -> BTreeMap<String, u32> {
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

/// The names that a query may stand for: as it is, without the modules in front of it that others
/// have, without what others hang on, with `X` for numbers as errors are called.
fn forms(query: &str) -> Vec<String> {
    let pieces: Vec<String> = query
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|piece| !piece.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let is_noise = |piece: &String| NOISE.split(' ').any(|noise| noise == piece);
    let noise = pieces.iter().take_while(|piece| is_noise(piece)).count();
    let noise = noise.min(pieces.len().saturating_sub(1));
    let is_number = |piece: &String| piece.bytes().all(|byte| byte.is_ascii_digit());
    let mut forms = vec![pieces.concat(), pieces[noise..].concat()];
    for form in forms.clone() {
        for tail in TAILS.split(' ') {
            let bare = form.strip_suffix(tail).filter(|bare| bare.len() >= 3);
            forms.extend(bare.map(str::to_owned));
        }
    }
    if !pieces.iter().all(is_number) {
        let general = pieces.iter().map(|piece| if is_number(piece) { "x" } else { piece });
        forms.push(general.collect());
    }
    let mut kept: Vec<String> = Vec::new();
    for form in forms {
        if !form.is_empty() && !kept.contains(&form) {
            kept.push(form);
        }
    }
    kept
}

/// The ids that a query may be: eight hexadecimal digits, fewer behind `0x` or `#`, or a decimal
/// number with or without a sign, as programs print them.
fn ids(query: &str) -> Vec<u32> {
    let lower = query.to_ascii_lowercase();
    let marked = lower.strip_prefix("0x").or_else(|| lower.strip_prefix('#'));
    let digits = marked.unwrap_or(&lower);
    let is_hex = !digits.is_empty()
        && digits.len() <= 8
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut ids = Vec::new();
    if is_hex && (marked.is_some() || digits.len() == 8) {
        ids.extend(u32::from_str_radix(digits, 16));
    }
    let number = lower.strip_prefix('-').unwrap_or(&lower);
    if (5..=10).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is below zero is the same four bytes, read with a sign.
        ids.extend(lower.parse::<i32>().map(|number| number as u32));
        ids.extend(lower.parse::<u32>());
    }
    ids
}

/// The stems of a query's words, without those that every sentence has unless it has no others.
fn asked(query: &str) -> Vec<String> {
    let words: Vec<String> = text::words(query).iter().map(|word| stem(word)).collect();
    let mut asked: Vec<String> = Vec::new();
    let mut place = 0;
    while let Some(word) = words.get(place) {
        let pair = words.get(place + 1).and_then(|next| joined(word, next));
        let (word, step) = pair.map_or((word.as_str(), 1), |pair| (pair, 2));
        if !asked.iter().any(|it| it == word) {
            asked.push(word.to_owned());
        }
        place += step;
    }
    if asked.iter().any(|word| !is_stop(word)) {
        asked.retain(|word| !is_stop(word));
    }
    asked.truncate(WORDS);
    asked
}

fn joined(one: &str, other: &str) -> Option<&'static str> {
    tables().joined.get(&(one.to_owned(), other.to_owned())).map(String::as_str)
}

fn is_stop(word: &str) -> bool {
    tables().stops.contains(word)
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

/// A description that is cut behind a word.
fn shortened(about: &str) -> String {
    if about.len() <= SHORT_ABOUT {
        return about.to_owned();
    }
    let fits = about.char_indices().filter(|(place, c)| *c == ' ' && *place <= SHORT_ABOUT);
    let end = fits.map(|(place, _)| place).max().unwrap_or_default();
    format!("{}…", about[..end].trim_end_matches([',', ';', ':', '.']))
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

#[cfg(test)]
mod tests {
    use super::index;
    use super::words::tables;

    #[test]
    fn what_a_word_may_mean_is_somewhere() {
        for other in tables().meant.values().flatten() {
            assert!(index().stems.contains_key(other), "{other} is nowhere");
        }
    }
}
