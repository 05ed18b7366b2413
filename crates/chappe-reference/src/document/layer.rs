//! The page of a layer, and the difference of any two.

use chappe_schema::layers::{Changed, Diff};
use chappe_schema::{Definition, api};

use super::{Block, Document, Inline, Item, Look, Mark, count, known, phrase, text};
use crate::layers::{LayerPage, source};
use crate::{Kind, Reference};

pub(super) fn document(layer: &LayerPage) -> Document {
    let [methods, constructors, types] = layer.sizes;
    let sizes = [(methods, "method"), (constructors, "constructor"), (types, "type")];
    let mut badges: Vec<_> = sizes.map(|(size, thing)| vec![text(count(size, thing))]).into();
    badges.extend(layer.diff.as_ref().map(breaks));
    let title = format!("Layer {}", layer.layer);
    let mut page = Document::begin(&title, Some(&layer.summary()), None, badges);
    if let Some((diff, counts)) = layer.diff.as_ref().zip(layer.counts()) {
        page.paragraph([text(counts)]);
        page.differences(diff);
    }
    page.section("sources", "Where this is known from");
    let sources =
        layer.sources.iter().map(|it| Item { name: vec![text(source(it))], ..Item::default() });
    page.push(Block::List(Look::Things, sources.collect()));
    page.quiet([text(format!(
        "Known here since {}. Telegram publishes no dates of layers, and neither do these packages.",
        layer.day
    ))]);
    page
}

/// What is different in one layer from another.
pub(super) fn diff(diff: &Diff) -> Document {
    let title = format!("From layer {} to layer {}", diff.from, diff.to);
    let (added, changed, removed) = (diff.added.len(), diff.changed.len(), diff.removed.len());
    let counts =
        format!("Methods and constructors: {added} added, {changed} changed, {removed} removed.");
    let mut page = Document::begin(&title, Some(&counts), None, vec![breaks(diff)]);
    page.differences(diff);
    page
}

fn breaks(diff: &Diff) -> Vec<Inline> {
    vec![match diff.breaks() {
        true => Inline::Mark(Mark::No, "Breaks programs"),
        false => Inline::Mark(Mark::Yes, "Breaks no program"),
    }]
}

impl Document {
    fn differences(&mut self, diff: &Diff) {
        let removed = diff.removed.iter().map(|it| removed(diff, it));
        let breaking = diff.changed.iter().filter(|it| it.breaks()).map(changed);
        self.part("breaking", "What may break a program", removed.chain(breaking));
        for (is_function, added, other) in [
            (true, ("methods-added", "Methods added"), ("methods-changed", "Methods changed")),
            (
                false,
                ("constructors-added", "Constructors added"),
                ("constructors-changed", "Constructors changed"),
            ),
        ] {
            let kind = if is_function { Kind::Method } else { Kind::Constructor };
            let of_kind = |it: &&Definition| it.is_function == is_function;
            let names = diff.added.iter().filter(of_kind).map(|it| match api().find(&it.name) {
                Some(_) => Item::of(kind, &it.name),
                None => named(&it.name),
            });
            self.part(added.0, added.1, names);
            let changes = diff.changed.iter().filter(|it| of_kind(&&it.newer) && !it.breaks());
            self.part(other.0, other.1, changes.map(changed));
        }
        self.part("types-added", "Types added", diff.types_added.iter().map(|it| named(it)));
        self.part("types-removed", "Types removed", diff.types_removed.iter().map(|it| named(it)));
    }

    /// A section with a list; without items it is left out.
    fn part(&mut self, id: &'static str, title: &'static str, items: impl Iterator<Item = Item>) {
        let items: Vec<Item> = items.collect();
        if !items.is_empty() {
            self.section(id, title);
            self.push(super::shorter::list(items, usize::MAX));
        }
    }
}

/// The name of a thing of any layer; it has a page if the newest has it.
fn named(name: &str) -> Item {
    Item { name: vec![known(name)], about: Vec::new() }
}

fn removed(diff: &Diff, definition: &Definition) -> Item {
    let mut item = Item { name: vec![known(&definition.name)], about: vec![text("removed")] };
    let renames = diff.renamed.iter().filter(|it| it.older == definition.name);
    for (index, rename) in renames.enumerate() {
        item.about.push(text(if index == 0 { "; see " } else { ", " }));
        item.about.push(known(rename.newer));
        if let Some(inside) = rename.inside {
            item.about.extend([text(" with "), known(inside)]);
        }
    }
    let gone = Reference::get().gone_thing(&definition.name);
    let see = gone.filter(|_| item.about.len() == 1).map(|it| it.see.as_slice());
    for name in see.unwrap_or_default() {
        item.about.extend([text("; see "), known(name)]);
    }
    item
}

fn changed(changed: &Changed) -> Item {
    let mut item = named(&changed.newer.name);
    for (index, difference) in changed.differences.iter().enumerate() {
        item.about.extend((index > 0).then(|| text("; ")));
        item.about.extend(phrase(&difference.to_string()));
    }
    item
}
