//! The page of an error.

use maud::{Markup, html};

use super::code::{Grammar, block};
use super::example::json;
use super::frame::{Page, crumbs, document, heading};
use super::method::{assumed, retry};
use super::{Detail, EVERYWHERE, Here, breakable, count, text};
use crate::document::SEEN;
use crate::model::{ErrorInfo, is_numbered};
use crate::{Kind, recorded};

pub(super) fn page(error: &ErrorInfo, detail: Detail) -> Markup {
    let here = Here::of(Kind::Error);
    let name = error.name;
    let mut sections =
        vec![("fix", "What to do"), ("chappe", "In chappe"), ("methods", "Who answers it")];
    let refused: Vec<_> = recorded::refused_with(name).collect();
    if !refused.is_empty() {
        sections.push(("seen", SEEN));
    }
    let content = html! {
        h1 { (breakable(name)) }
        @if let Some(words) = error.words {
            p.lead { (text::inline(here, chappe_schema::words::summary(&words.about), None)) }
        }
        ul.badges {
            li { "Error " (error.code) }
            @if let Some(words) = error.words { li { (retry(words.retry)) } }
            @if EVERYWHERE.contains(&name) {
                li { "Any method" }
            } @else if !error.thrown_by.is_empty() {
                li { (count(error.thrown_by.len(), "method")) }
            }
        }
        @if let Some(words) = error.words {
            (text::behind_summary(here, &words.about, None))
            @if words.assumed { (assumed()) }
        }
        section {
            (heading("fix", "What to do"))
            @match error.words {
                Some(words) => (text::prose(here, &words.fix, None)),
                None => p { "Nothing is known beyond the name." },
            }
        }
        section {
            (heading("chappe", "In chappe"))
            p {
                "It comes as " code { "Error::Rpc" } " with the code " (error.code) " and the name "
                code { (breakable(name)) } "."
                @if is_numbered(name) {
                    " " code { "X" } " is a number: it is taken out of the name, and is the error's " code { "value" } "."
                }
            }
            (block(Grammar::Rust, "Rust", &snippet(name)))
        }
        section {
            (heading("methods", "Who answers it"))
            @if EVERYWHERE.contains(&name) {
                p { "Any method may." }
            } @else if error.thrown_by.is_empty() {
                p { "No method is known for it: it may come from any, or only from some that nobody listed." }
            } @else {
                (here.list(Kind::Method, &error.thrown_by, detail, &format!("{name}.json")))
            }
        }
        @if !refused.is_empty() {
            section {
                (heading("seen", SEEN))
                @for (index, (method, refused)) in refused.iter().enumerate() {
                    p { (here.link(Kind::Method, method)) ":" }
                    (json(&format!("Refused request {} as JSON", index + 1), &refused.request, detail, &format!("{name}.json")))
                }
                p.quiet { "Recorded from chappe's local Telegram." }
            }
        }
    };
    document(Page {
        here,
        title: name,
        description: error
            .summary()
            .map_or_else(|| format!("Error {} of Telegram", error.code), text::bare),
        crumbs: crumbs(here, Kind::Error, name),
        sections,
        namespace: None,
        neighbours: Vec::new(),
        content,
        twin: Some(name.to_owned()),
        feed: None,
    })
}

/// How a program that uses chappe handles an error.
fn snippet(name: &str) -> String {
    let constant = constant(name);
    if !is_numbered(name) {
        return format!(
            "\
use chappe::errors;

match client.invoke(&request).await {{
    Ok(answer) => println!(\"{{answer:?}}\"),
    Err(error) if error.is(errors::{constant}) => eprintln!(\"refused: {{error}}\"),
    Err(error) => return Err(error),
}}
"
        );
    }
    format!(
        "\
use chappe::errors;

match client.invoke(&request).await {{
    Ok(answer) => println!(\"{{answer:?}}\"),
    Err(error) if error.is(errors::{constant}) => {{
        let number = error.rpc().and_then(|refusal| refusal.value);
        eprintln!(\"refused with the number {{number:?}}\");
    }}
    Err(error) => return Err(error),
}}
"
    )
}

/// What `chappe::errors` calls an error.
fn constant(name: &str) -> String {
    let upper = name.to_uppercase();
    if upper.starts_with(|c: char| c.is_ascii_digit()) { format!("_{upper}") } else { upper }
}

#[cfg(test)]
mod tests {
    use chappe_schema::facts;

    use super::{constant, snippet};

    #[test]
    fn every_error_is_called_what_the_client_calls_it() {
        let errors = include_str!("../../../chappe-api/src/errors.rs");
        for name in facts().errors.keys() {
            let line = format!("pub const {}: tl::ErrorName = ", constant(name));
            assert!(errors.contains(&line), "{line}");
            assert!(snippet(name).contains(&format!("errors::{})", constant(name))));
        }
    }
}
