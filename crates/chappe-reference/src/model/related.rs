//! Which methods belong together: those that the words name, in both directions, and those that are about the
//! same, which share rare words of their names and rare types.

use std::collections::{BTreeMap, BTreeSet};

use chappe_schema::{Definition, api};

use super::{Method, Related, core_type, params};

/// How many methods a family shows.
const MOST: usize = 8;

/// From which likeness on methods are a family: 1 is that of a method with itself.
const NEAR: f64 = 0.28;

/// How many are shown that are only this like, when there are no nearer ones.
const FEWEST: usize = 3;
const FAR: f64 = 0.12;

/// A word or type that more methods have says nothing.
const COMMON: usize = 60;

/// Fills in what the words say, in both directions, and the families.
pub(super) fn relate(methods: &mut [Method]) {
    let mut related: BTreeMap<&'static str, Related> = BTreeMap::new();
    for method in methods.iter() {
        let Some(words) = method.words else { continue };
        let name = method.name();
        for other in known(&words.needs) {
            push(&mut related.entry(name).or_default().needs, other);
            push(&mut related.entry(other).or_default().needed_by, name);
        }
        for other in known(&words.undo) {
            push(&mut related.entry(name).or_default().undo, other);
            push(&mut related.entry(other).or_default().undoes, name);
        }
        for other in known(&words.see) {
            push(&mut related.entry(name).or_default().see, other);
        }
    }
    for method in methods.iter() {
        for other in method.words.into_iter().flat_map(|words| known(&words.see)) {
            push(&mut related.entry(other).or_default().see, method.name());
        }
    }
    let families = families(methods);
    for method in methods {
        let name = method.name();
        let mut found = related.remove(name).unwrap_or_default();
        let mut taken = BTreeSet::from([name]);
        // What is said in one way is not said again in a weaker one.
        let lists = [
            &mut found.needs,
            &mut found.undo,
            &mut found.undoes,
            &mut found.needed_by,
            &mut found.see,
        ];
        for list in lists {
            list.retain(|it| taken.insert(it));
        }
        let family = families.get(name).into_iter().flatten().copied();
        found.family = family.filter(|it| !taken.contains(it)).collect();
        method.related = found;
    }
}

/// The names in the schema's own memory, without those that it does not have.
fn known(names: &[String]) -> impl Iterator<Item = &'static str> {
    names.iter().filter_map(|name| api().find(name)).map(|it| it.name.as_str())
}

fn push(list: &mut Vec<&'static str>, name: &'static str) {
    if !list.contains(&name) {
        list.push(name);
    }
}

/// The methods nearest to each method, the nearest first.
fn families(methods: &[Method]) -> BTreeMap<&'static str, Vec<&'static str>> {
    let named: Vec<BTreeSet<String>> =
        methods.iter().map(|method| features(method.definition)).collect();
    let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, features) in named.iter().enumerate() {
        for feature in features {
            owners.entry(feature).or_default().push(index);
        }
    }
    // The rarer a feature, the more it says.
    let all = count(methods.len());
    let weight = |feature: &str, owners: usize| {
        let kind = if feature.starts_with(TYPE) { 0.6 } else { 1.0 };
        if owners > COMMON { 0.0 } else { kind * (all / count(owners.max(1))).ln() }
    };
    // Of each method its features in their order: what each weighs, and who else has it.
    let mut features: Vec<Vec<(f64, &[usize])>> = vec![Vec::new(); methods.len()];
    for (feature, owners) in &owners {
        let weight = weight(feature, owners.len()).powi(2);
        for index in owners {
            if let Some(features) = features.get_mut(*index) {
                features.push((weight, owners));
            }
        }
    }
    let lengths: Vec<f64> =
        features.iter().map(|it| it.iter().map(|(weight, _)| weight).sum::<f64>().sqrt()).collect();

    let mut families = BTreeMap::new();
    for (index, method) in methods.iter().enumerate() {
        let mut shared: BTreeMap<usize, f64> = BTreeMap::new();
        for (weight, owners) in features.get(index).into_iter().flatten() {
            // What says nothing makes nobody nearer.
            for other in owners.iter().filter(|_| *weight > 0.0) {
                *shared.entry(*other).or_default() += weight;
            }
        }
        let length = |index: usize| lengths.get(index).copied().unwrap_or_default();
        let mut near: Vec<(f64, &'static str)> = shared
            .into_iter()
            .filter(|(other, _)| *other != index)
            .filter_map(|(other, shared)| {
                let name = methods.get(other)?.name();
                let product = length(index) * length(other);
                Some((if product > 0.0 { shared / product } else { 0.0 }, name))
            })
            .filter(|(likeness, _)| *likeness >= FAR)
            .collect();
        near.sort_by(|(a, a_name), (b, b_name)| b.total_cmp(a).then(a_name.cmp(b_name)));
        let is_shown = |rank: usize, likeness: f64| rank < FEWEST || likeness >= NEAR;
        let near = near.into_iter().take(MOST).enumerate();
        let near = near.filter(|(rank, (likeness, _))| is_shown(*rank, *likeness));
        families.insert(method.name(), near.map(|(_, (_, name))| name).collect());
    }
    families
}

/// In front of a feature that is a type.
const TYPE: char = ':';

/// The words of a method's name behind its verb, and the types that it takes and answers.
fn features(definition: &'static Definition) -> BTreeSet<String> {
    let mut words = words(definition.short_name());
    if words.len() > 1 {
        // The verb; a method that is one word is about that.
        words.remove(0);
    }
    // Two words side by side say more than each alone.
    let pairs = words.iter().zip(words.iter().skip(1)).map(|(a, b)| format!("{a} {b}"));
    let mut features: BTreeSet<String> = pairs.collect();
    features.extend(words);
    if let Some(namespace) = definition.namespace() {
        features.insert(format!("{namespace}."));
    }
    let types = params(definition).map(|param| &param.ty).chain([&definition.result]);
    features.extend(types.filter_map(core_type).map(|name| format!("{TYPE}{name}")));
    features
}

/// The words of a name, in lower case and without the `s` of a plural.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut was_upper = false;
    for c in name.chars() {
        let begins = c.is_uppercase() && !was_upper;
        was_upper = c.is_uppercase();
        match words.last_mut() {
            Some(word) if !begins => word.extend(c.to_lowercase()),
            _ => words.push(c.to_lowercase().collect()),
        }
    }
    for word in &mut words {
        if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
            word.pop();
        }
    }
    words
}

fn count(items: usize) -> f64 {
    u32::try_from(items).map_or(f64::MAX, f64::from)
}
