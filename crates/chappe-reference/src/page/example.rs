//! The programs that call a method, and what they send.

use maud::{Markup, html};

use super::code::{Grammar, block};
use super::text;
use crate::example::{Language, examples, request};
use crate::model::Method;

/// The examples of a method, one of them shown. Which one is chosen by a radio button each, so
/// that it works without a script, and by keyboard.
pub(super) fn tabs(method: &Method) -> Markup {
    let examples = examples(method);
    html! {
        fieldset.tabs {
            legend.sr { "Language" }
            @for (index, example) in examples.iter().enumerate() {
                @let id = example.language.id();
                input type="radio" name="language" id={ "in-" (id) } value=(id) checked[index == 0];
                label for={ "in-" (id) } { (example.language.title()) }
            }
            @for example in &examples {
                @let language = example.language;
                div.panel.(language.id()) {
                    @if !example.package.is_empty() { p.package { "With " code { (example.package) } } }
                    @if let Some(note) = &example.note { p.package { (text::inline_plain(note)) } }
                    @if !example.code.is_empty() {
                        (block(grammar(language), &format!("{} example", language.title()), &example.code))
                    }
                }
            }
        }
    }
}

/// The request of the examples as TL-JSON.
pub(super) fn sent(method: &Method) -> Markup {
    json("Request as JSON", &request(method))
}

/// TL-JSON as people read it.
pub(super) fn json(label: &str, value: &serde_json::Value) -> Markup {
    block(Grammar::Json, label, &format!("{value:#}"))
}

const fn grammar(language: Language) -> Grammar {
    match language {
        Language::Cli => Grammar::Shell,
        Language::JavaScript | Language::TypeScript => Grammar::JavaScript,
        Language::Python => Grammar::Python,
        Language::Rust => Grammar::Rust,
    }
}
