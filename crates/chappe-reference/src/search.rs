//! The search: one index and one order of hits, here and in the pages' script.
//!
//! A name is found in every spelling: of the schema, of Rust, of Python, with or without its
//! namespace, with a letter or two mistyped, by its id in any notation. Descriptions are found by
//! their words, errors by their names and codes, methods by their parameters. `assets/search.js`
//! is the same algorithm over the same data ([`script`]); a test compares the two.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};

use chappe_schema::layers::History;

use crate::document::{EVERYWHERE, count};
use crate::elsewhere::{Place, places};
use crate::model::{TypeInfo, params};
use crate::{Kind, Reference, core_types, layers, start};

mod query;
mod script;
mod text;
mod thing;
mod words;

use query::{asked, called, forms, ids, sayings, told};
pub use script::{SCRIPT, older_script, script};
pub(crate) use text::compact;
use text::distance;
use thing::{
    BEGUN, CALLED, ELSEWHERE, ID, IN_FRONT, IN_NAME, KINDS, NAMED, PARTLY, SAID, SAME, SAYING,
    Score, Thing, WEIGHT,
};
use words::tables;

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
    /// The layers that the id is of that was asked for, where it is none of today: `layers 201 to 216`.
    pub older: Option<&'i str>,
}

impl Hit<'_> {
    /// Where a browser finds it, from the root of the reference; what was once is in its history.
    #[must_use]
    pub fn link(&self) -> String {
        let link = self.kind.link(self.name);
        if self.older.is_some() { format!("{link}#history") } else { link }
    }
}

/// How often a word counts that is the one in the text; another form or meaning of it; the most
/// that a word can count.
const AS_IT_IS: u32 = 4;
const ALIKE: u32 = 2;
const MOST: u32 = IN_NAME * AS_IT_IS;

/// How many letters of a query are looked at, and how many where only ids and names are looked for: messages
/// of programs are long.
const LETTERS: usize = 128;
const MESSAGE: usize = 1_024;

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
            thing.codes = error.codes;
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
        for core in core_types::with_page() {
            things.push(Thing::new(Kind::Core, core.name, core.about));
        }
        for gone in reference.gone() {
            let mut thing = Thing::new(Kind::Gone, gone.name(), &gone.about);
            thing.see = &gone.see;
            things.push(thing);
        }
        let mut older: HashMap<&str, Vec<(u32, String)>> = HashMap::new();
        for it in History::get().older_ids() {
            older.entry(it.name).or_default().push((it.id, it.to_string()));
        }
        for thing in &mut things {
            if matches!(thing.kind, Kind::Method | Kind::Constructor | Kind::Gone) {
                thing.older = older.remove(thing.name).unwrap_or_default();
            }
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

    /// What the newest layer has: all but what is gone, which comes last.
    fn present(&self) -> &[Thing] {
        let count = self.things.iter().take_while(|thing| thing.kind != Kind::Gone).count();
        self.things.get(..count).unwrap_or_default()
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
        let message: String = query.trim().chars().take(MESSAGE).collect();
        let query: String = message.chars().take(LETTERS).collect();
        let mut scores: Vec<Score> = vec![0; self.things.len()];
        let mut meant: Vec<Option<&'static str>> = vec![None; self.things.len()];
        let mut older: Vec<Option<&str>> = vec![None; self.things.len()];
        let forms = forms(&query);
        let (ids, told) = (ids(&message), told(&message));
        for ((thing, score), older) in self.things.iter().zip(&mut scores).zip(&mut older) {
            *score = thing.named(&query, &forms).max(thing.told(&told));
            *older = thing.older(&ids);
            if thing.id.is_some_and(|id| ids.contains(&id)) || older.is_some() {
                *score = ID;
            }
        }
        self.heirs(&mut scores);
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
        let called = called(&query).iter().enumerate();
        let called = called.map(|(place, name)| (name, CALLED - place as u32));
        let said = sayings(&message).map(|name| (name, SAYING)).chain(called);
        for (name, at_least) in said {
            let things = self.things.iter().zip(&mut scores);
            for (_, score) in things.filter(|(thing, _)| thing.name == name) {
                *score = at_least.max(*score);
            }
        }
        let mut found: Vec<usize> = (0..scores.len()).filter(|it| scores[*it] > 0).collect();
        // The order of the index decides among equals.
        found.sort_by_key(|number| std::cmp::Reverse(scores[*number]));
        let hits = found.into_iter().take(limit).map(|number| {
            let thing = &self.things[number];
            let (param, older) = (meant[number], older[number]);
            Hit { kind: thing.kind, name: thing.name, about: &thing.about, param, older }
        });
        hits.collect()
    }

    /// What is taken instead of something comes behind it.
    fn heirs(&self, scores: &mut [Score]) {
        for (number, gone) in self.things.iter().enumerate().filter(|(_, it)| !it.see.is_empty()) {
            let score = scores[number];
            if score < SAME {
                continue;
            }
            for (place, name) in gone.see.iter().enumerate() {
                let heirs = self.things.iter().zip(&mut *scores);
                for (_, heir) in heirs.filter(|(thing, _)| thing.name == *name) {
                    *heir = (score - 1 - place as u32).max(*heir);
                }
            }
        }
    }

    /// The things that are called so, in any spelling: those of the closest kind of sameness only.
    /// Several are possible, as a name without its namespace may be in several; of a type and its
    /// constructor, which other spellings than TL's do not tell apart, it is the type; a section of the page for
    /// whoever is new, or what only older layers have, only where nothing else is called so.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<Hit<'_>> {
        let query: String = name.trim().chars().take(LETTERS).collect();
        let (forms, ids) = (forms(&query), ids(&query));
        let levels: [&dyn Fn(&Thing) -> bool; 5] = [
            &|thing| thing.name == query,
            &|thing| thing.id.is_some_and(|id| ids.contains(&id)) || thing.older(&ids).is_some(),
            &|thing| forms.contains(&thing.key),
            &|thing| forms.iter().any(|form| *form == thing.key[thing.short..]),
            // Others leave the number out of the name of an error: `FloodWaitError`.
            &|thing| thing.numberless().is_some_and(|bare| forms.iter().any(|it| it == bare)),
        ];
        let found = levels.iter().map(|is_it| self.things.iter().filter(|it| is_it(it)).collect());
        let mut found = found.filter(|found: &Vec<&Thing>| !found.is_empty());
        let mut found = found.next().unwrap_or_default();
        for kind in [Kind::Guide, Kind::Gone] {
            if found.iter().any(|it| it.kind != kind) {
                found.retain(|it| it.kind != kind);
            }
        }
        let types: Vec<&str> =
            found.iter().filter(|it| it.kind == Kind::Type).map(|it| it.key.as_str()).collect();
        found.retain(|it| it.kind != Kind::Constructor || !types.contains(&it.key.as_str()));
        let hits = found.into_iter().map(|thing| Hit {
            kind: thing.kind,
            name: thing.name,
            about: &thing.about,
            param: None,
            older: thing.older(&ids),
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
        let things = self.present().len();
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
                count => u32::BITS - ((things / count) as u32).leading_zeros(),
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

#[cfg(test)]
mod tests {
    use super::index;
    use super::query::{called, sayings};
    use super::words::{CALLED, SAYINGS, tables};
    use crate::Reference;

    #[test]
    fn what_a_word_may_mean_is_somewhere() {
        for other in tables().meant.values().flatten() {
            assert!(index().words().stems.contains_key(other), "{other} is nowhere");
        }
    }

    #[test]
    fn what_messages_say_leads_to_what_exists() {
        for (words, names) in SAYINGS {
            let found: Vec<&str> = sayings(words).map(String::as_str).collect();
            for name in *names {
                assert!(found.contains(name), "{words}: {found:?}");
                assert!(
                    index().things.iter().any(|thing| thing.name == *name),
                    "{name} is nowhere"
                );
            }
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
