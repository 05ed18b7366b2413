//! The page of an error.

use chappe_schema::one_of;

use super::method::retry;
use super::{Document, EVERYWHERE, Inline, code, count, handling, text};
use crate::model::{ErrorInfo, is_numbered};
use crate::{Kind, recorded};

pub(super) fn document(error: &ErrorInfo) -> Document {
    let name = error.name;
    let is_everywhere = EVERYWHERE.contains(&name);
    let mut badges = vec![vec![text(format!("Error {}", one_of(error.codes)))]];
    badges.extend(error.words.map(|words| vec![retry(words.retry)]));
    match error.thrown_by.len() {
        _ if is_everywhere => badges.push(vec![text("Any method")]),
        0 => {}
        methods => badges.push(vec![text(count(methods, "method"))]),
    }
    let mut page = Document::begin(name, error.words.map(|it| it.about.as_str()), None, badges);
    page.assumed(error.words.is_some_and(|words| words.assumed));
    page.section("fix", "What to do");
    let fix = error.words.map(|words| words.fix.as_str());
    page.prose(fix.unwrap_or("Nothing is known beyond the name."), None);
    page.section("chappe", "In chappe");
    let with = text(format!(" with the code {} and the name ", one_of(error.codes)));
    let mut comes = vec![text("It comes as "), code("Error::Rpc"), with, code(name), text(".")];
    if is_numbered(name) {
        let number = text(" is a number: it is taken out of the name, and is the error's ");
        comes.extend([text(" "), code("X"), number, code("value"), text(".")]);
    }
    page.paragraph(comes);
    if let Some(alone) = handling::alone(error) {
        page.prose(alone, None);
    }
    page.code("rust", "Rust", handling::snippet(error));
    page.section("methods", "Who answers it");
    if is_everywhere {
        page.paragraph([text("Any method may.")]);
    } else if error.thrown_by.is_empty() {
        page.paragraph([text(
            "No method is known for it: it may come from any, or only from some that nobody listed.",
        )]);
    }
    match error.by_code() {
        _ if is_everywhere => {}
        groups if groups.is_empty() => page.things(Kind::Method, &error.thrown_by),
        groups => groups.iter().for_each(|(codes, methods)| {
            page.titled(&format!("With {}", one_of(codes)), Kind::Method, methods);
        }),
    }
    let refused: Vec<_> = recorded::refused_with(name).collect();
    if !refused.is_empty() {
        page.section("seen", "Requests that were answered so");
        for (index, (method, refused)) in refused.iter().enumerate() {
            page.paragraph([Inline::Name(Kind::Method, (*method).to_owned()), text(":")]);
            page.json(format!("Refused request {} as JSON", index + 1), &refused.request);
        }
        page.quiet([text("Recorded from chappe's local Telegram.")]);
    }
    page
}
