//! The page of an error.

use super::method::retry;
use super::{Document, code, text};
use crate::model::{ErrorInfo, is_numbered};
use crate::page::EVERYWHERE;
use crate::{Kind, recorded};

/// The heading above requests that were refused.
pub(crate) const SEEN: &str = "Requests that were answered so";

pub(super) fn document(error: &ErrorInfo) -> Document {
    let mut page = Document::default();
    page.heading(1, error.name);
    if let Some(words) = error.words {
        page.prose(&words.about, None);
        page.assumed(words.assumed);
    }
    let mut facts = vec![vec![text(format!("Code: {}", error.code))]];
    if let Some(words) = error.words {
        facts.push(vec![text(format!("Send the request again: {}", retry(words.retry)))]);
    }
    if is_numbered(error.name) {
        facts.push(vec![code("X"), text(" is a number; it is the error's value")]);
    }
    page.list(facts);
    page.heading(2, "What to do");
    match error.words {
        Some(words) => page.prose(&words.fix, None),
        None => page.paragraph([text("Nothing is known beyond the name.")]),
    }
    page.heading(2, "Who answers it");
    if EVERYWHERE.contains(&error.name) {
        page.paragraph([text("Any method may.")]);
    } else if error.thrown_by.is_empty() {
        page.paragraph([text(
            "No method is known for it: it may come from any, or only from some that nobody listed.",
        )]);
    }
    page.list(error.thrown_by.iter().map(|name| super::named(Kind::Method, name)).collect());
    for (index, (_, refused)) in recorded::refused_with(error.name).enumerate() {
        if index == 0 {
            page.heading(2, SEEN);
        }
        page.code("json", format!("{:#}", refused.request));
    }
    page
}
