//! What only older layers have: definitions that went, and ids that a definition had before it changed.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use super::life::{History, Moment, Rename, Step, Version, What};
use crate::Definition;

/// A definition that the newest held layer lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its last form.
    pub last: Definition,
    /// When it went.
    pub moment: Moment,
    /// What stands for it: the first in general, the others in special cases.
    pub renames: Vec<Rename>,
}

/// An id that a definition had in older layers, and has no more. It prints itself as these layers:
/// `layers 158 to 186, 195`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OlderId {
    /// The id.
    pub id: u32,
    /// The name of the definition.
    pub name: &'static str,
    /// The held layers that have it: the first and the last of each run.
    pub layers: Vec<(i32, i32)>,
}

impl History {
    /// The definitions that only older layers have: methods, then constructors, each by name.
    #[must_use]
    pub fn gone(&self) -> Vec<Gone> {
        let newest = 1 << self.held.len().saturating_sub(1);
        let [constructors, methods] = &self.names;
        let mut gone = Vec::new();
        for (is_function, names) in [(true, methods), (false, constructors)] {
            for (name, versions) in names {
                let layers = versions.iter().fold(0, |all, version| all | version.layers);
                let last = versions.iter().max_by_key(|version| version.layers);
                let Some(last) = last.filter(|_| layers & newest == 0) else { continue };
                let life = self.life(name);
                let step = life.and_then(|life| life.steps.last().cloned());
                let Some(Step { moment, what: What::Removed(renames) }) = step else { continue };
                gone.push(Gone { last: last.read(is_function), moment, renames });
            }
        }
        gone
    }

    /// The ids that no definition of the newest layer has, by name.
    #[must_use]
    pub fn older_ids(&self) -> Vec<OlderId> {
        let named = self.names.iter().flatten();
        named.flat_map(|(name, versions)| self.older(name, versions)).collect()
    }

    /// Those of one name, the latest first.
    #[must_use]
    pub fn older_ids_of(&self, name: &str) -> Vec<OlderId> {
        let named = self.names.iter().filter_map(|names| names.get_key_value(name));
        let older = named.flat_map(|(name, versions)| self.older(name, versions));
        let mut older: Vec<OlderId> = older.collect();
        older.sort_by_key(|it| Reverse(it.layers.last().map(|(_, last)| *last)));
        older
    }

    fn older(&self, name: &'static str, versions: &[Version]) -> impl Iterator<Item = OlderId> {
        let newest = 1 << self.held.len().saturating_sub(1);
        let mut ids: BTreeMap<u32, u64> = BTreeMap::new();
        for version in versions {
            *ids.entry(version.id()).or_default() |= version.layers;
        }
        ids.retain(|_, layers| *layers & newest == 0);
        let ids = ids.into_iter();
        ids.map(move |(id, layers)| OlderId { id, name, layers: self.runs(layers) })
    }

    /// Layers as bits, as the first and the last of each run.
    fn runs(&self, layers: u64) -> Vec<(i32, i32)> {
        let mut runs: Vec<(i32, i32)> = Vec::new();
        let mut before = false;
        for (place, layer) in self.held.iter().enumerate() {
            let is = layers >> place & 1 == 1;
            match runs.last_mut().filter(|_| before) {
                Some(run) if is => run.1 = *layer,
                _ if is => runs.push((*layer, *layer)),
                _ => {}
            }
            before = is;
        }
        runs
    }
}

impl fmt::Display for OlderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.layers.iter().enumerate() {
            let is_one = first == last && self.layers.len() == 1;
            match place {
                0 if is_one => f.write_str("layer ")?,
                0 => f.write_str("layers ")?,
                _ => f.write_str(", ")?,
            }
            write!(f, "{first}")?;
            if first != last {
                write!(f, " to {last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::History;
    use crate::layers::Layers;

    #[test]
    fn what_only_older_layers_have_is_told_with_its_ids() {
        let (history, layers) = (History::get(), Layers::new());
        let gone = history.gone();
        assert_eq!(gone.len(), 64);
        assert!(gone.iter().all(|it| crate::api().find(&it.last.name).is_none()));
        let moved = gone.iter().find(|it| it.last.name == "channels.getForumTopics").unwrap();
        assert!(moved.last.is_function && moved.last.text.contains("offset_topic:int"));
        assert_eq!(moved.renames[0].newer, "messages.getForumTopics");
        let ids = history.older_ids();
        let at = |id: u32| {
            let found: Vec<String> = ids
                .iter()
                .filter(|it| it.id == id)
                .map(|it| format!("{}: {it}", it.name))
                .collect();
            found.join("; ")
        };
        assert_eq!(at(0x020b_1422), "user: layers 201 to 216");
        assert_eq!(at(0xa6d5_7763), "messageReplyHeader: layer 158");
        let of_one: Vec<String> =
            history.older_ids_of("messageReplyHeader").iter().map(ToString::to_string).collect();
        assert_eq!(of_one.last().map(String::as_str), Some("layer 158"), "{of_one:?}");
        assert!(history.older_ids_of("nothing").is_empty());
        // Flags alone are no part of an id: it is the same all along.
        assert_eq!(at(0x5fb2_24d5), "");
        assert_eq!(at(0x1cb5_c415), "");
        let newest: BTreeSet<u32> = crate::api().definitions().iter().map(|it| it.id).collect();
        assert!(ids.len() > 450 && ids.iter().all(|it| !newest.contains(&it.id)), "{}", ids.len());
        // What a layer in between lacks is not claimed of it.
        let gaps = ids.iter().filter(|it| it.layers.len() > 1);
        for it in gaps.chain(ids.iter().step_by(20)) {
            for layer in history.held() {
                let has = layers.schema(*layer).get(it.id).is_some();
                let said = it.layers.iter().any(|(first, last)| (first..=last).contains(&layer));
                assert_eq!(has, said, "{} in layer {layer}: {it}", it.name);
            }
        }
    }
}
