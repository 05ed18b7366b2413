//! The pages of types and constructors.

use chappe_schema::Definition;
use chappe_schema::layers::History;

use super::definition::since;
use super::{Block, Document, Inline, Step, code, count, known, text, ty as type_of};
use crate::model::{Constructor, Reference, TypeInfo, short};
use crate::{Kind, example};

pub(super) fn ty(ty: &TypeInfo) -> Document {
    let badges = [
        "Type".to_owned(),
        count(ty.constructors.len(), "constructor"),
        format!("{} on the wire", ty.size),
    ];
    let badges = badges.map(|badge| vec![text(badge)]);
    let mut page = Document::begin(ty.name, ty.about, None, badges.into());
    page.section("constructors", "Constructors");
    page.choices(&ty.constructors);
    if let Some(usual) = example::usual(ty.name) {
        page.sample(usual);
    }
    page.uses(ty);
    let steps = History::get().steps_of_type(ty.name);
    if !steps.is_empty() {
        page.section("history", "History");
        let steps = steps.iter().rev().map(|step| {
            let gained = step.gained.iter().map(|name| ("+ ", code(*name)));
            // What is there is listed above; what went is not.
            let lost = step.lost.iter().map(|name| ("− ", known(name)));
            let mut what = vec![text(format!("{}: ", step.moment))];
            for (index, (sign, name)) in gained.chain(lost).enumerate() {
                what.extend((index > 0).then(|| text(", ")));
                what.extend([text(sign), name]);
            }
            Step { what, older: None }
        });
        page.push(Block::Steps(steps.collect()));
    }
    page
}

pub(super) fn constructor(constructor: &Constructor) -> Document {
    let definition = constructor.definition;
    let name = constructor.name();
    let type_name = constructor.type_name();
    let mut of = vec![text("Constructor of ")];
    of.extend(type_of(&definition.result));
    let mut badges = vec![of, vec![text(format!("{} on the wire", constructor.size))]];
    badges.extend(since(name));
    let words = constructor.words.map(|words| words.about.as_str());
    let mut page = Document::begin(name, words, Some(definition), badges);
    page.assumed(constructor.words.is_some_and(|words| words.assumed));
    page.tl(&[], definition);
    page.parameters(definition);
    page.sample(definition);
    if let Some(ty) = Reference::get().ty(&type_name) {
        let others: Vec<&str> = ty.constructors.iter().copied().filter(|it| *it != name).collect();
        if !others.is_empty() {
            page.section("others", "Instead of it");
            let mut pieces = type_of(&definition.result);
            if others.len() > SIBLINGS {
                pieces.push(text(format!(" has {} other constructors.", others.len())));
                page.paragraph(pieces);
            } else {
                pieces.push(text(" may also be one of these:"));
                page.paragraph(pieces);
                page.things(Kind::Constructor, &others);
            }
        }
        page.uses(ty);
    }
    page.history(name);
    page
}

impl Document {
    /// A value of a constructor as TL-JSON: one that a server answered, or one that was made up.
    fn sample(&mut self, definition: &'static Definition) {
        self.section("json", "As JSON");
        let (method, value) = example::shown(definition);
        if let Some(method) = method {
            let method = Inline::Name(Kind::Method, method.to_owned());
            self.paragraph([text("From an answer of the local Telegram to "), method, text(":")]);
        }
        self.json("A value as JSON", &value);
    }

    /// Where a type comes from and where it goes.
    fn uses(&mut self, ty: &TypeInfo) {
        self.section("from", "Where it comes from");
        self.titled("Answer of", Kind::Method, &ty.returned_by);
        self.titled("Inside the answer of", Kind::Method, &ty.found_in_answers_of);
        if ty.returned_by.is_empty() && ty.found_in_answers_of.is_empty() {
            let made = match short(ty.name).starts_with("Input") {
                true => ": you make it yourself, of what you know",
                false => "",
            };
            let none = "No method answers it, neither itself nor in a field of its answer";
            self.paragraph([text(format!("{none}{made}."))]);
        }
        self.section("to", "Where it goes");
        self.titled("Parameter of", Kind::Method, &ty.accepted_by);
        self.titled("Field of", Kind::Constructor, &ty.held_by);
        if ty.accepted_by.is_empty() && ty.held_by.is_empty() {
            self.paragraph([text("No method and no constructor takes it.")]);
        }
    }
}

/// How many other constructors of its type the page of a constructor lists: of more it says how
/// many there are, as they have little to do with it.
const SIBLINGS: usize = 24;
