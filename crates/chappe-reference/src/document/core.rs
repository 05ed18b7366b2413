//! The page of a core type, and what the pages of such types say that the schema defines, too.

use super::{Block, Document, Inline, Item, Look, Target, phrase, text};
use crate::Kind;
use crate::core_types::CoreType;

pub(super) fn document(core: &CoreType) -> Document {
    let mut page = Document::begin(core.name, Some(core.about), None, Vec::new());
    page.paragraph([
        text("A core type: all others are made of these. What to know of them is in "),
        Inline::Link(GUIDE.to_owned(), Target::Thing(Kind::Guide, GUIDE.to_owned())),
        text("."),
    ]);
    page.core(core);
    page
}

impl Document {
    /// What a core type is on the wire, and how programs write it.
    pub(super) fn core(&mut self, core: &CoreType) {
        self.section("wire", "On the wire");
        self.paragraph(phrase(core.wire));
        if let Some((json, hex)) = core.sample {
            self.code("text", "A value and its bytes", format!("{json}  is  {hex}"));
        }
        self.section("programs", "In programs");
        let written = core.written.iter();
        let written =
            written.map(|(name, how)| Item { name: vec![text(*name)], about: phrase(how) });
        self.push(Block::List(Look::Things, written.collect()));
    }
}

/// The section of the page for whoever is new that is about core types.
const GUIDE: &str = "Numbers, flags, lists";

#[cfg(test)]
mod tests {
    use super::GUIDE;
    use crate::Kind;

    #[test]
    fn the_section_about_core_types_is_there() {
        assert_eq!(Kind::Guide.link(GUIDE), "start.html#values");
    }
}
