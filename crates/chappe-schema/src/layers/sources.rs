//! Which packages the schemas of the held layers were taken from.

const SOURCES: &str = include_str!("../../../../schema/layers/sources.txt");

/// A package that carries the schema of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSource {
    /// The layer.
    pub layer: i32,
    /// The day from which this repository holds the layer, as `2026-11-23`.
    pub day: &'static str,
    /// What kind of package it is: `PyPI`, `npm`, `crate`.
    pub registry: &'static str,
    /// The package's name.
    pub package: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// The packages that the schema of a layer was put together from; none for a layer that is not held.
pub fn sources(layer: i32) -> impl Iterator<Item = LayerSource> {
    SOURCES.lines().filter_map(LayerSource::read).filter(move |source| source.layer == layer)
}

impl LayerSource {
    fn read(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        let layer = words.next()?.parse().ok()?;
        let (day, registry) = (words.next()?, words.next()?);
        Some(Self { layer, day, registry, package: words.next()?, version: words.next()? })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{LayerSource, SOURCES, sources};
    use crate::layers::History;

    const PROVENANCE: &str = include_str!("../../../../schema/PROVENANCE.md");

    /// `198, 201-203` as layers; a range is of held ones.
    fn layers(cell: &str) -> BTreeSet<i32> {
        let ranges = cell.split(", ").map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            first.parse::<i32>().unwrap()..=last.parse().unwrap()
        });
        let held = History::get().held();
        ranges.flat_map(|range| held.iter().copied().filter(move |it| range.contains(it))).collect()
    }

    fn of(package: &str) -> Vec<LayerSource> {
        SOURCES.lines().filter_map(LayerSource::read).filter(|it| it.package == package).collect()
    }

    #[test]
    fn every_held_layer_names_its_packages() {
        for layer in History::get().held() {
            assert!(sources(*layer).next().is_some(), "layer {layer}");
        }
        let rows = SOURCES.lines().filter(|line| !line.starts_with('#')).count();
        let read = SOURCES.lines().filter_map(LayerSource::read);
        let read = read.inspect(|it| assert!(History::get().held().contains(&it.layer), "{it:?}"));
        assert_eq!(read.count(), rows);
        assert_eq!(sources(159).count(), 0);
        let first = sources(158).next().unwrap();
        assert_eq!((first.registry, first.package, first.version), ("PyPI", "pyrogram", "2.0.106"));
    }

    #[test]
    fn provenance_says_the_same_of_the_layers_sources() {
        let table = PROVENANCE.lines().skip_while(|line| *line != "| layers | from | licence |");
        let mut told = BTreeSet::new();
        for row in table.skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
            let [numbers, from, _licence] = cells[..] else { panic!("{row}") };
            let [registry, package, versions] = from.splitn(3, '`').collect::<Vec<_>>()[..] else {
                panic!("{row}")
            };
            let sources = of(package);
            let held: BTreeSet<i32> = sources.iter().map(|it| it.layer).collect();
            assert_eq!(layers(numbers), held, "{package}");
            let registry = registry.trim().trim_end_matches('s');
            assert!(sources.iter().all(|it| it.registry == registry), "{package}: {registry}");
            let first_and_last = [sources[0].version, sources[sources.len() - 1].version];
            match versions.trim().split_once(" to ") {
                Some((first, last)) => assert_eq!([first, last], first_and_last, "{package}"),
                None => {
                    let versions: Vec<&str> = versions.trim().split(", ").collect();
                    let held: Vec<&str> = sources.iter().map(|it| it.version).collect();
                    assert_eq!(versions, held, "{package}");
                }
            }
            told.insert(package);
        }
        let all = SOURCES.lines().filter_map(LayerSource::read).map(|it| it.package);
        assert_eq!(all.collect::<BTreeSet<_>>(), told);
    }
}
