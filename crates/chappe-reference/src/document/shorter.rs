//! Pages that say less, for where a whole one would be too heavy: what is told elsewhere goes first.

use super::{Block, Document, Inline, Item, Look, Target, text};
use crate::Kind;

/// How much a page says.
pub(crate) struct Limits {
    /// The most lines of TL-JSON.
    lines: usize,
    /// Of more things than these the names only.
    many: usize,
    /// The most names of a list.
    most: usize,
    /// The most declarations of before.
    older: usize,
    /// The most steps of a history.
    steps: usize,
    /// Whether constructors unfold.
    unfolds: bool,
    /// How much is said of errors.
    errors: Errors,
}

/// How much is said of errors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Errors {
    Names,
    Causes,
    /// And whether to send the request again.
    Retries,
    Whole,
}

const ALL: usize = usize::MAX;

/// From all that there is to say to the least.
#[rustfmt::skip]
pub(crate) const LIMITS: [Limits; 5] = [
    Limits { lines: 60, many: ALL, most: ALL, older: ALL, steps: ALL, unfolds: true, errors: Errors::Whole },
    Limits { lines: 30, many: 14, most: ALL, older: 1, steps: ALL, unfolds: true, errors: Errors::Whole },
    Limits { lines: 12, many: 3, most: ALL, older: 1, steps: ALL, unfolds: false, errors: Errors::Retries },
    Limits { lines: 5, many: 3, most: 150, older: 1, steps: 3, unfolds: false, errors: Errors::Causes },
    Limits { lines: 5, many: 3, most: 24, older: 0, steps: 2, unfolds: false, errors: Errors::Names },
];

impl Document {
    /// The same within limits; what is left out is in the file `whole`.
    pub(crate) fn within(&self, limits: &Limits, whole: &str) -> Self {
        let mut page = Self::default();
        for block in &self.blocks {
            page.add(block, limits, whole);
        }
        page
    }

    fn add(&mut self, block: &Block, limits: &Limits, whole: &str) {
        match block {
            Block::Code { language: "json", label, text: code } => {
                let code: String = code.iter().map(Inline::plain).collect();
                let count = code.lines().count();
                // A few lines more are no reason to cut.
                let most = if count > limits.lines + 4 { limits.lines } else { count };
                let shown: Vec<&str> = code.lines().take(most).collect();
                self.code("json", label, shown.join("\n"));
                self.rest(count - most, " lines", whole);
            }
            Block::Choices(choices) if !limits.unfolds && choices.len() > 1 => {
                let items = choices.iter().map(|it| Item {
                    name: vec![Inline::Name(Kind::Constructor, it.name.clone())],
                    about: it.about.clone(),
                });
                self.add(&Block::List(Look::Things, items.collect()), limits, whole);
            }
            Block::List(look @ (Look::Names | Look::Things), items) => {
                if *look == Look::Things && items.len() <= limits.many {
                    return self.push(block.clone());
                }
                let Block::List(_, names) = list(items.clone(), 0) else { return };
                let more = names.len().saturating_sub(limits.most);
                let shown = names.into_iter().take(limits.most).collect();
                self.push(Block::List(Look::Names, shown));
                self.rest(more, "", whole);
            }
            Block::Steps(steps) => {
                let more = steps.len().saturating_sub(limits.steps);
                let mut older = 0;
                let mut shown = steps.clone();
                shown.truncate(limits.steps);
                for (place, step) in shown.iter_mut().enumerate() {
                    if place >= limits.older && step.older.take().is_some() {
                        older += 1;
                    }
                }
                self.push(Block::Steps(shown));
                self.rest(more, "", whole);
                if older > 0 {
                    self.quiet([text("Older declarations are "), json(whole), text(".")]);
                }
            }
            Block::Terms(terms) if terms.iter().all(|it| it.id.is_none()) => {
                if limits.errors >= Errors::Retries {
                    let mut terms = terms.clone();
                    for term in &mut terms {
                        let is_mark = |it: &Inline| matches!(it, Inline::Mark(..));
                        term.advice.retain(|it| limits.errors == Errors::Whole || is_mark(it));
                    }
                    return self.push(Block::Terms(terms));
                }
                let items = terms.iter().map(|term| {
                    let mut item = Item { name: term.name.clone(), about: term.about.clone() };
                    item.name.retain(|it| matches!(it, Inline::Name(..)));
                    item
                });
                let many = if limits.errors == Errors::Names { 0 } else { ALL };
                self.push(list(items.collect(), many));
            }
            other => self.push(other.clone()),
        }
    }

    /// Says how much of something is left out.
    fn rest(&mut self, more: usize, what: &str, whole: &str) {
        if more > 0 {
            let said = text(format!("And {more}{what} more, all of them "));
            self.quiet([said, json(whole), text(".")]);
        }
    }
}

/// Where everything stands.
fn json(whole: &str) -> Inline {
    Inline::Link("in the JSON".to_owned(), Target::File(whole.to_owned()))
}

/// Things with what each is about, or their names if they are more than `many`.
pub(super) fn list(mut items: Vec<Item>, many: usize) -> Block {
    let is_plain = items.iter().all(|item| item.about.is_empty());
    if items.len() <= many && !is_plain {
        return Block::List(Look::Things, items);
    }
    items.iter_mut().for_each(|item| item.about.clear());
    Block::List(Look::Names, items)
}

#[cfg(test)]
mod tests {
    use super::super::{Block, Document, Item, Look};
    use super::{LIMITS, list};
    use crate::Kind;

    #[test]
    fn what_is_left_out_is_said_with_the_way_to_it() {
        let mut page = Document::default();
        page.json("A list", &vec![0; 98].into());
        let names = vec![Item::of(Kind::Error, "HASH_INVALID"); 31];
        page.push(list(names, super::ALL));
        page.history("channels.editAdmin");
        let within = |limits| page.within(limits, "x.json").to_markdown("");
        let [most, .., least] = LIMITS.each_ref().map(within);
        assert!(most.contains("And 40 lines more, all of them [in the JSON](x.json)."), "{most}");
        assert!(!most.contains("31") && !most.contains("Older declarations"), "{most}");
        for said in ["And 95 lines more", "And 7 more, all", "Older declarations are [in the JSON]"]
        {
            assert!(least.contains(said), "{said}: {least}");
        }
        let fits = list(vec![Item::of(Kind::Error, "HASH_INVALID"); 3], 3);
        assert!(matches!(fits, Block::List(Look::Things, _)), "{fits:?}");
    }
}
