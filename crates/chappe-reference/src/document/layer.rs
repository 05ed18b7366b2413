//! The page of a layer, and the difference of any two.

use chappe_schema::layers::{Changed, Diff};
use chappe_schema::{Definition, api};

use super::{Document, Inline, code, inline, phrase, summary, text};
use crate::Kind;
use crate::layers::{LayerPage, source};
use crate::model::Reference;

pub(super) fn document(layer: &LayerPage) -> Document {
    let mut page = Document::default();
    page.heading(1, format!("Layer {}", layer.layer));
    page.prose(&layer.summary(), None);
    if let Some(counts) = layer.counts() {
        page.paragraph([text(counts)]);
    }
    let [methods, constructors, types] = layer.sizes;
    let sources: Vec<String> = layer.sources.iter().map(source).collect();
    page.list(vec![
        vec![text(format!("{methods} methods, {constructors} constructors, {types} types"))],
        vec![text(format!("Known from: {}", sources.join(", ")))],
    ]);
    if let Some(diff) = &layer.diff {
        differences(&mut page, diff);
    }
    page
}

/// What is different in one layer from another.
pub(super) fn diff(diff: &Diff) -> Document {
    let mut page = Document::default();
    page.heading(1, format!("From layer {} to layer {}", diff.from, diff.to));
    let counts = [
        (diff.added.len(), "added"),
        (diff.changed.len(), "changed"),
        (diff.removed.len(), "removed"),
    ];
    let counts = counts.map(|(count, how)| format!("{count} {how}"));
    page.paragraph([text(format!("Methods and constructors: {}.", counts.join(", ")))]);
    differences(&mut page, diff);
    page
}

fn differences(page: &mut Document, diff: &Diff) {
    if diff.breaks() {
        page.heading(2, "What may break a program");
        let removed = diff.removed.iter().map(|it| removed(diff, it));
        let changed = diff.changed.iter().filter(|it| it.breaks()).map(changed);
        page.list(removed.chain(changed).collect());
    }
    for is_function in [true, false] {
        let added: Vec<_> = diff.added.iter().filter(|it| it.is_function == is_function).collect();
        if !added.is_empty() {
            page.heading(2, if is_function { "New methods" } else { "New constructors" });
            page.list(added.into_iter().map(added_line).collect());
        }
    }
    let types = diff.types_added.iter().map(|name| vec![type_name(name)]);
    let types: Vec<Vec<Inline>> = types.collect();
    if !types.is_empty() {
        page.heading(2, "New types");
        page.list(types);
    }
    let other: Vec<_> = diff.changed.iter().filter(|it| !it.breaks()).map(changed).collect();
    if !other.is_empty() {
        page.heading(2, "Other changes");
        page.list(other);
    }
    if !diff.types_removed.is_empty() {
        page.heading(2, "Types that went");
        page.list(diff.types_removed.iter().map(|name| vec![type_name(name)]).collect());
    }
}

fn added_line(definition: &Definition) -> Vec<Inline> {
    let mut pieces = vec![name(definition)];
    let kind = if definition.is_function { Kind::Method } else { Kind::Constructor };
    if let Some(summary) = summary(kind, &definition.name) {
        pieces.push(text(": "));
        pieces.extend(inline(summary, None));
    }
    pieces
}

fn removed(diff: &Diff, definition: &Definition) -> Vec<Inline> {
    let mut pieces = vec![name(definition), text(" removed")];
    for (index, rename) in diff.renamed.iter().filter(|it| it.older == definition.name).enumerate()
    {
        pieces.push(text(if index == 0 { "; see " } else { ", " }));
        pieces.push(known(rename.newer));
        if let Some(inside) = rename.inside {
            pieces.extend([text(" with "), known(inside)]);
        }
    }
    pieces
}

fn changed(changed: &Changed) -> Vec<Inline> {
    let mut pieces = vec![name(&changed.newer)];
    for (index, difference) in changed.differences.iter().enumerate() {
        pieces.push(text(if index == 0 { ": " } else { "; " }));
        pieces.extend(phrase(&difference.to_string()));
    }
    pieces
}

/// The name of a definition of any layer; it has a page if the newest has it.
fn name(definition: &Definition) -> Inline {
    known(&definition.name)
}

fn known(name: &str) -> Inline {
    match api().find(name) {
        Some(found) if found.is_function => Inline::Name(Kind::Method, name.to_owned()),
        Some(_) => Inline::Name(Kind::Constructor, name.to_owned()),
        None => code(name),
    }
}

fn type_name(name: &str) -> Inline {
    match Reference::get().ty(name) {
        Some(_) => Inline::Name(Kind::Type, name.to_owned()),
        None => code(name),
    }
}
