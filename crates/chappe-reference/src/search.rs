//! The search: one index and one order of hits, here and in the pages' script.
//!
//! A name is found in every spelling: of the schema, of Rust, of Python, with or without its
//! namespace, with a letter or two mistyped, by its id in any notation. Descriptions are found by
//! their words, errors by their names and codes, methods by their parameters. `assets/search.js`
//! is the same algorithm over the same data ([`script`]); a test compares the two.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};

use serde_json::json;

use crate::document::{EVERYWHERE, count};
use crate::elsewhere::{Place, places};
use crate::model::{TypeInfo, is_numbered, params};
use crate::{Kind, Reference, layers, start};

mod query;
mod text;
mod thing;
mod words;

use query::{asked, called, forms, ids};
pub(crate) use text::compact;
use text::distance;
use thing::{
    BEGUN, CALLED, ELSEWHERE, ID, IN_FRONT, IN_NAME, KINDS, NAMED, PARTLY, SAID, Score, Thing,
    WEIGHT,
};
use words::{NOISE, TAILS, tables};

/// The text of the script that the pages load beside the index.
pub const SCRIPT: &str = include_str!("../assets/search.js");

/// Everything that can be found.
#[derive(Debug)]
pub struct Index {
    things: Vec<Thing>,
    /// The words of the things, which nobody needs who knows a name.
    said: OnceLock<Said>,
}

/// What the things have in their texts and parameters.
#[derive(Debug, Default)]
struct Said {
    /// The things that a stem is part of, with how much it counts there.
    stems: BTreeMap<String, Vec<(usize, u32)>>,
    /// The things that have a parameter of this compact name, and its name.
    params: HashMap<String, Vec<(usize, &'static str)>>,
    /// The methods that a call of others makes, by its compact name, those used most first.
    elsewhere: BTreeMap<String, Vec<usize>>,
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

/// How often a word counts that is the one in the text; another form or meaning of it; the most
/// that a word can count.
const AS_IT_IS: u32 = 4;
const ALIKE: u32 = 2;
const MOST: u32 = IN_NAME * AS_IT_IS;

/// How many letters of a query are looked at.
const LETTERS: usize = 128;

/// How many methods a call of others stands for.
const CALLS: u32 = 4;

/// How much of a constructor's description the index holds, in bytes.
const SHORT_ABOUT: usize = 72;

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
            let related = &method.related;
            let related = [
                &related.needs,
                &related.needed_by,
                &related.undo,
                &related.undoes,
                &related.see,
                &related.family,
            ];
            let related: usize = related.iter().map(|names| names.len()).sum();
            thing.weight = weight(method.errors.len() + related);
            thing.params = params(method.definition).map(|param| param.name.as_str()).collect();
            things.push(thing);
        }
        for namespace in reference.namespaces() {
            let [methods, types] = [namespace.methods.len(), namespace.types.len()];
            let about = format!("{} and {}", count(methods, "method"), count(types, "type"));
            let mut thing = Thing::new(Kind::Namespace, namespace.name, &about);
            thing.weight = weight(methods + types) / 2;
            things.push(thing);
        }
        for ty in reference.types() {
            let mut thing = Thing::new(Kind::Type, ty.name, ty.summary().unwrap_or_default());
            thing.weight = weight(used(ty)) / 2;
            things.push(thing);
        }
        for constructor in reference.constructors() {
            let about = shortened(constructor.summary().unwrap_or_default());
            let mut thing = Thing::new(Kind::Constructor, constructor.name(), &about);
            thing.id = Some(constructor.definition.id);
            let ty = reference.ty(&constructor.type_name());
            thing.weight = weight(ty.map_or(0, used)) / 2;
            thing.params =
                params(constructor.definition).map(|param| param.name.as_str()).collect();
            things.push(thing);
        }
        for error in reference.errors() {
            let mut thing =
                Thing::new(Kind::Error, error.name, error.summary().unwrap_or_default());
            thing.code = Some(error.code);
            let is_everywhere = EVERYWHERE.contains(&error.name);
            let methods = if is_everywhere { reference.methods() } else { &[] };
            thing.weight = weight(error.thrown_by.len().max(methods.len())) / 2;
            things.push(thing);
        }
        for page in layers::pages() {
            things.push(Thing::new(Kind::Layer, &page.name, &page.summary()));
        }
        for title in start::titles() {
            let about = start::summary(title).unwrap_or_default();
            things.push(Thing::new(Kind::Guide, title, about));
        }
        // Among equals the order of the index decides: kinds as in the table, what has no namespace
        // first, then the namespaces with most methods, as people use these most.
        let size = |thing: &Thing| {
            let (namespace, _) = thing.name.split_once('.')?;
            Some(std::cmp::Reverse(reference.namespace(namespace)?.methods.len()))
        };
        things.sort_by_cached_key(|thing| {
            let place = KINDS.iter().position(|(kind, _)| *kind == thing.kind);
            (place, size(thing).map_or((0, None), |size| (1, Some(size))), thing.name)
        });
        Self { things, said: OnceLock::new() }
    }

    fn words(&self) -> &Said {
        self.said.get_or_init(|| {
            let elsewhere = calls(&self.things);
            let mut said = Said { elsewhere, ..Said::default() };
            for (number, thing) in self.things.iter().enumerate() {
                for (stem, weight) in thing.stems() {
                    said.stems.entry(stem).or_default().push((number, weight));
                }
                for param in &thing.params {
                    said.params.entry(compact(param)).or_default().push((number, param));
                }
            }
            said
        })
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
            for (number, param) in self.words().params.get(form).into_iter().flatten() {
                let score = SAID + 900 + self.things[*number].rank();
                if score > scores[*number] {
                    scores[*number] = score;
                    meant[*number] = Some(param);
                }
            }
        }
        let elsewhere = forms.iter().find_map(|form| self.words().elsewhere.get(form));
        for (place, number) in elsewhere.into_iter().flatten().enumerate() {
            scores[*number] = (ELSEWHERE - place as u32).max(scores[*number]);
        }
        for (place, name) in called(&query).iter().enumerate() {
            let things = self.things.iter().zip(&mut scores);
            for (_, score) in things.filter(|(thing, _)| thing.name == name) {
                *score = (CALLED - place as u32).max(*score);
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
    /// constructor, which other spellings than TL's do not tell apart, it is the type; a section of the page for
    /// whoever is new only where nothing else is called so.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<Hit<'_>> {
        let query: String = name.trim().chars().take(LETTERS).collect();
        let (forms, ids) = (forms(&query), ids(&query));
        let levels: [&dyn Fn(&Thing) -> bool; 5] = [
            &|thing| thing.name == query,
            &|thing| thing.id.is_some_and(|id| ids.contains(&id)),
            &|thing| forms.contains(&thing.key),
            &|thing| forms.iter().any(|form| *form == thing.key[thing.short..]),
            // Others leave the number out of the name of an error: `FloodWaitError`.
            &|thing| {
                let bare = is_numbered(thing.name).then(|| thing.key.strip_suffix('x')).flatten();
                thing.kind == Kind::Error
                    && bare.is_some_and(|bare| forms.iter().any(|it| it == bare))
            },
        ];
        let found = levels.iter().map(|is_it| self.things.iter().filter(|it| is_it(it)).collect());
        let mut found = found.filter(|found: &Vec<&Thing>| !found.is_empty());
        let mut found = found.next().unwrap_or_default();
        if found.iter().any(|it| it.kind != Kind::Guide) {
            found.retain(|it| it.kind != Kind::Guide);
        }
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
        let stems = &self.words().stems;
        // What fits, how many words of it, how many of them in the name.
        let mut sums: HashMap<usize, (u32, u32, u32)> = HashMap::new();
        let mut most = 0;
        for word in &asked {
            let mut fits: HashMap<usize, (u32, bool)> = HashMap::new();
            let mut take = |stem: &str, times: u32| {
                for (number, weight) in stems.get(stem).into_iter().flatten() {
                    let fit = fits.entry(*number).or_default();
                    let in_name = *weight >= IN_FRONT;
                    *fit = (fit.0.max(weight * times), fit.1 || in_name);
                }
            };
            take(word, AS_IT_IS);
            if word.len() >= 3 {
                let begun = stems.range(word.clone()..);
                let begun = begun.take_while(|(stem, _)| stem.starts_with(word.as_str()));
                begun.skip_while(|(stem, _)| *stem == word).for_each(|(stem, _)| take(stem, ALIKE));
            }
            for other in tables().meant.get(word).into_iter().flatten() {
                take(other, ALIKE);
            }
            if fits.is_empty()
                && let Some(near) = self.nearest(word)
            {
                let things = stems.get(near).into_iter().flatten();
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
                NAMED + thing.rank() * 1_000 + fit * 5 + thing.weight * WEIGHT + brevity
            } else if words == count {
                SAID + fit * 8 + thing.weight * WEIGHT + thing.rank()
            } else if words * 2 >= count {
                PARTLY + fit * 8 + thing.weight * WEIGHT + thing.rank()
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
        let near = self.words().stems.iter().filter_map(|(stem, things)| {
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
        let weights = self.things.iter().map(|thing| base36(thing.weight));
        let anchors = self.things.iter().filter(|thing| thing.kind == Kind::Guide);
        let anchors = anchors.map(|thing| start::anchor(thing.name).unwrap_or_default());
        let elsewhere = self.words().elsewhere.iter().map(|(call, made)| {
            let numbers: Vec<String> = made.iter().map(|it| base36(*it as u32)).collect();
            format!("{call} {}", numbers.join(" "))
        });
        json!({
            "anchors": anchors.collect::<Vec<_>>(),
            "elsewhere": lines(elsewhere.collect(), ","),
            "called": tables().called,
            "extra": tables().extra,
            "weights": weights.collect::<String>(),
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

/// The methods that the calls of others make, by the calls' compact names: the used most first, few of each.
fn calls(things: &[Thing]) -> BTreeMap<String, Vec<usize>> {
    let methods = things.iter().enumerate().filter(|(_, thing)| thing.kind == Kind::Method);
    let numbers: HashMap<&str, usize> = methods.map(|(number, it)| (it.name, number)).collect();
    let mut calls: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (call, methods) in places().iter().flat_map(Place::calls) {
        let made = calls.entry(compact(call)).or_default();
        for number in methods.iter().filter_map(|method| numbers.get(method.as_str())) {
            if !made.contains(number) {
                made.push(*number);
            }
        }
    }
    for made in calls.values_mut() {
        made.sort_by_key(|number| std::cmp::Reverse(things[*number].weight));
        made.truncate(CALLS as usize);
    }
    calls
}

/// A number of things as a weight: its bits, so that twice as many is one more. What is no method
/// has half of it: a type in everybody's hands is not what is asked for with words.
fn weight(count: usize) -> u32 {
    usize::BITS - count.leading_zeros()
}

/// How many definitions have to do with a type.
fn used(ty: &TypeInfo) -> usize {
    ty.returned_by.len() + ty.accepted_by.len() + ty.held_by.len()
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
    use super::query::called;
    use super::words::{CALLED, tables};
    use crate::Reference;

    #[test]
    fn what_a_word_may_mean_is_somewhere() {
        for other in tables().meant.values().flatten() {
            assert!(index().words().stems.contains_key(other), "{other} is nowhere");
        }
    }

    #[test]
    fn what_people_call_something_exists_and_each_line_is_found() {
        for (words, names) in CALLED {
            assert_eq!(called(words).join(" "), *names, "{words}");
            for name in names.split(' ') {
                let all = Reference::get();
                let is_known = all.method(name).is_some() || all.error(name).is_some();
                assert!(is_known, "{name} is neither a method nor an error");
            }
        }
    }
}
