//! The page of a method or constructor that only older layers have.

use super::definition::since;
use super::{Block, Document, Inline, Item, Look, Mark, text};
use crate::model::{Gone, Reference};

pub(super) fn document(gone: &'static Gone) -> Document {
    let definition = &gone.definition;
    let mut badges = vec![vec![Inline::Mark(Mark::No, "Not in the newest layer")]];
    badges.extend(since(gone.name()));
    let mut page = Document::begin(gone.name(), Some(&gone.about), Some(definition), badges);
    if !gone.see.is_empty() {
        page.section("instead", "Instead of it");
        let all = Reference::get();
        let items = gone.see.iter().filter_map(|name| Some(Item::of(all.kind_of(name)?, name)));
        page.push(Block::List(Look::Things, items.collect()));
    }
    page.tl(&[], definition);
    page.quiet([text("Its last form: what speaks the newest layer cannot write it.")]);
    page.parameters(definition);
    page.history(gone.name());
    page
}
