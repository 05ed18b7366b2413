//! The programs that call a method, and what they send.

use maud::{Markup, html};
use serde_json::Value as Json;

use super::code::{Grammar, block};
use super::{Detail, Here, text};
use crate::Kind;
use crate::example::{Language, examples, request};
use crate::model::{Method, Reference, core_type, params};
use crate::recorded::{Asker, recorded};

/// The examples of a method, one of them shown. Which one is chosen by a radio button each, so
/// that it works without a script, and by keyboard.
pub(super) fn tabs(here: Here, method: &Method) -> Markup {
    let examples = examples(method);
    let has_peer = params(method.definition)
        .any(|param| core_type(&param.ty).is_some_and(|name| PEERS.contains(&name)));
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
                    @if let Some(installer) = installer(language).filter(|_| !example.package.is_empty()) {
                        p.package { code { (installer) " install " (example.package) } }
                    }
                    @if let Some(note) = &example.note { p.package { (text::inline_plain(note)) } }
                    @if !example.code.is_empty() {
                        (block(grammar(language), &format!("{} example", language.title()), &example.code))
                    }
                    @if let Some(client) = resolving(&example.package).filter(|_| has_peer) {
                        p.package { (client) " also takes a username in the place of a peer: " code { "\"paul\"" } "." }
                    }
                }
            }
        }
        p.quiet { "What it takes from the environment, and where peers and access hashes come from: " a href={ (here.top()) "start.html" } { "Start" } "." }
    }
}

/// The types in whose place some clients take a username.
const PEERS: &[&str] = &["InputChannel", "InputPeer", "InputUser"];

/// The client of a package that finds out by itself what a username stands for.
fn resolving(package: &str) -> Option<&'static str> {
    let clients =
        [("telegram@", "GramJS"), ("teleproto@", "teleproto"), ("telethon==", "Telethon")];
    let client = clients.iter().find(|(begin, _)| package.starts_with(begin));
    client.map(|(_, client)| *client)
}

/// The request of the examples as TL-JSON, and what the local Telegram answered.
pub(super) fn sent(here: Here, method: &Method, detail: Detail) -> Markup {
    let whole = format!("{}.json", method.name());
    let Some(recorded) = recorded(method.name()) else {
        return html! {
            p { "What the examples send, as TL-JSON. The local Telegram does not implement the method, so there is no answer of it." }
            (json("Request as JSON", &request(method), detail, &whole))
        };
    };
    let caller = match recorded.caller {
        Asker::Bot => "A bot asks",
        Asker::Nobody => "A device asks on which nobody is signed in",
        Asker::User => "A user asks",
    };
    html! {
        p { (recorded.story) " " (caller) ":" }
        (json("Request as JSON", &recorded.request, detail, &whole))
        @if let Some(answer) = &recorded.answer {
            p { "The local Telegram answers:" }
            (json("Answer as JSON", answer, detail, &whole))
        }
        @if let Some(bound) = &recorded.bound { p { (text::inline(here, &bound.why, None)) } }
        @for (index, also) in recorded.also.iter().enumerate() {
            p { (also.story) }
            (json(&format!("Request {} as JSON", index + 2), &also.request, detail, &whole))
            p { "The local Telegram answers:" }
            (json(&format!("Answer {} as JSON", index + 2), &also.answer, detail, &whole))
        }
        @for (index, refused) in recorded.refused.iter().enumerate() {
            p { "It answers " (refused.code) " " (error(here, &refused.error)) " to" }
            (json(&format!("Refused request {} as JSON", index + 1), &refused.request, detail, &whole))
        }
        p.quiet { "Recorded from chappe's local Telegram. Names, numbers, codes, hashes and passwords in it belong to an invented world." }
    }
}

/// An error as a server spells it, linked to its page.
fn error(here: Here, spelled: &str) -> Markup {
    let words = spelled.split('_');
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_digit());
    let general: Vec<&str> = words.map(|it| if is_number(it) { "X" } else { it }).collect();
    let known = [spelled, &general.join("_")].into_iter().find_map(|it| Reference::get().error(it));
    html! {
        @match known {
            Some(error) => a href=(here.to(Kind::Error, error.name)) { code { (spelled) } },
            None => code { (spelled) },
        }
    }
}

/// TL-JSON as people read it; what is long is cut off and goes on in the file `whole`.
pub(super) fn json(label: &str, value: &Json, detail: Detail, whole: &str) -> Markup {
    let most = match detail {
        Detail::All | Detail::NoPast => 60,
        Detail::FewSummaries | Detail::NoSummaries | Detail::NoFixes => 30,
        Detail::NoMeanings | Detail::Names => 12,
        Detail::Lines | Detail::Least => 5,
    };
    let text = format!("{value:#}");
    let count = text.lines().count();
    // A few lines more are no reason to cut.
    if count <= most + 4 {
        return block(Grammar::Json, label, &text);
    }
    let shown: Vec<&str> = text.lines().take(most).collect();
    html! {
        (block(Grammar::Json, label, &shown.join("\n")))
        p.quiet { "And " (count - most) " lines more, all of them " a href=(whole) { "in the JSON" } "." }
    }
}

/// What installs the package of an example; what is chappe's own comes with it.
const fn installer(language: Language) -> Option<&'static str> {
    match language {
        Language::Cli | Language::Rust => None,
        Language::JavaScript | Language::TypeScript => Some("npm"),
        Language::Python => Some("pip"),
    }
}

const fn grammar(language: Language) -> Grammar {
    match language {
        Language::Cli => Grammar::Shell,
        Language::JavaScript | Language::TypeScript => Grammar::JavaScript,
        Language::Python => Grammar::Python,
        Language::Rust => Grammar::Rust,
    }
}
