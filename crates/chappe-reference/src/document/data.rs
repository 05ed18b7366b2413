//! The pages of types and constructors.

use chappe_schema::layers::History;

use super::method::{declaration, history, parameters, since};
use super::{Document, Inline, named, text};
use crate::Kind;
use crate::example;
use crate::model::{Constructor, Reference, TypeInfo};
use crate::page::SIBLINGS;

pub(super) fn ty(ty: &TypeInfo) -> Document {
    let mut page = Document::default();
    page.heading(1, ty.name);
    if let Some(about) = ty.about {
        page.prose(about, None);
    }
    page.list(vec![vec![text(format!("A type; on the wire {}", ty.size))]]);
    page.heading(2, "Constructors");
    page.list(ty.constructors.iter().map(|name| named(Kind::Constructor, name)).collect());
    uses(&mut page, ty);
    let steps = History::get().steps_of_type(ty.name);
    if !steps.is_empty() {
        page.heading(2, "History");
        let steps = steps.iter().rev().map(|step| {
            let mut pieces = vec![text(format!("{}:", step.moment))];
            for (sign, names) in [("+", &step.gained), ("−", &step.lost)] {
                for name in names {
                    pieces.extend([text(format!(" {sign} ")), super::code(*name)]);
                }
            }
            pieces
        });
        page.list(steps.collect());
    }
    page
}

pub(super) fn constructor(constructor: &Constructor) -> Document {
    let definition = constructor.definition;
    let name = constructor.name();
    let type_name = constructor.type_name();
    let mut page = Document::default();
    page.heading(1, name);
    if let Some(words) = constructor.words {
        page.prose(&words.about, Some(definition));
        page.assumed(words.assumed);
    }
    let mut of = vec![text("A constructor of ")];
    of.extend(super::ty(&definition.result));
    of.push(text(format!("; on the wire {}", constructor.size)));
    let mut facts = vec![of];
    facts.extend(since(definition));
    page.list(facts);
    declaration(&mut page, definition);
    parameters(&mut page, definition);
    page.heading(2, "As TL-JSON");
    page.code("json", format!("{:#}", example::sample(definition)));
    if let Some(ty) = Reference::get().ty(&type_name) {
        let others: Vec<&str> = ty.constructors.iter().copied().filter(|it| *it != name).collect();
        if !others.is_empty() {
            page.heading(2, "Instead of it");
            let ty = Inline::Name(Kind::Type, type_name.clone());
            if others.len() > SIBLINGS {
                let count = format!(" has {} other constructors.", others.len());
                page.paragraph([ty, text(count)]);
            } else {
                page.paragraph([ty, text(" may also be one of these:")]);
                page.list(others.iter().map(|name| named(Kind::Constructor, name)).collect());
            }
        }
        uses(&mut page, ty);
    }
    history(&mut page, name);
    page
}

/// Where a type comes from and where it goes.
fn uses(page: &mut Document, ty: &TypeInfo) {
    page.heading(2, "Where it comes from");
    if ty.returned_by.is_empty() && ty.found_in_answers_of.is_empty() {
        let none = "No method answers it, neither itself nor in a field of its answer.";
        page.paragraph([text(none)]);
    }
    page.names_in_line("Answer of", Kind::Method, &ty.returned_by);
    page.names_in_line("Inside the answer of", Kind::Method, &ty.found_in_answers_of);
    page.heading(2, "Where it goes");
    if ty.accepted_by.is_empty() && ty.held_by.is_empty() {
        page.paragraph([text("No method and no constructor takes it.")]);
    }
    page.names_in_line("Parameter of", Kind::Method, &ty.accepted_by);
    page.names_in_line("Field of", Kind::Constructor, &ty.held_by);
}
