//! The page of a method.

use std::collections::BTreeMap;

use chappe_schema::layers::{History, Moment, What};
use chappe_schema::words::{Retry, summary, words};
use chappe_schema::{Definition, Param, Type, api};
use maud::{Markup, html};

use super::frame::{Page, crumbs, document, heading, neighbours};
use super::{Detail, EVERYWHERE, Here, breakable, data, example, narrow, text};
use crate::Kind;
use crate::model::{Callers, Method, Reference, Thrown, core_type, params};

pub(super) fn page(method: &Method, detail: Detail) -> Markup {
    let here = Here::of(Kind::Method);
    let definition = method.definition;
    let name = method.name();
    let about = method.words.map(|it| it.about.as_str()).unwrap_or_default();
    let mut sections = vec![("example", "Example"), ("tl", "TL")];
    let example = html! {
        section {
            (heading("example", "Example"))
            (example::tabs(here, method))
            @if let Some(call) = method.words.and_then(|words| words.chappe.as_ref()) {
                p { "chappe has a call that does this: " code { (call) } "." }
            }
        }
    };
    let mut content = vec![top(here, method), example, tl(here, definition)];
    let mut section = |id, title, markup: Markup| {
        sections.push((id, title));
        content.push(html! { section { (heading(id, title)) (markup) } });
    };

    section("parameters", "Parameters", parameters(here, definition));
    section("result", "Result", result(here, method, detail));
    section("errors", "Errors", errors(here, method, detail));
    section("recorded", "Request and answer", example::sent(here, method, detail));
    section("related", "Related", related(here, method, detail));
    section("history", "History", history(here, &definition.name, detail));

    let beside = Reference::get().namespace(method.namespace());
    let beside = beside.map(|it| it.methods.as_slice()).unwrap_or_default();
    document(Page {
        here,
        title: name,
        description: text::bare(summary(about)),
        crumbs: crumbs(here, Kind::Method, name),
        sections,
        namespace: Some(method.namespace()),
        neighbours: neighbours(Kind::Method, beside, name),
        content: html! { @for part in content { (part) } },
        twin: Some(name.to_owned()),
        feed: None,
    })
}

/// Name, one sentence, who may call it, and the rest of the words.
fn top(here: Here, method: &Method) -> Markup {
    let definition = method.definition;
    html! {
        h1 { (breakable(method.name())) }
        @match method.words {
            Some(words) => {
                p.lead { (text::inline(here, summary(&words.about), Some(definition))) }
                (badges(method.callers, &definition.name))
                (text::behind_summary(here, &words.about, Some(definition)))
                @if words.assumed { (assumed()) }
            }
            None => (badges(method.callers, &definition.name)),
        }
    }
}

/// Says that the words are read from names.
pub(super) fn assumed() -> Markup {
    html! { p.assumed { "Assumed: this is read from the names in the schema; nobody here has seen it at work." } }
}

/// Who may call, and since when there is such a method.
fn badges(callers: Option<Callers>, name: &str) -> Markup {
    let life = History::get().life(name);
    let since = life.as_ref().and_then(|life| life.since());
    let changed = life.as_ref().and_then(|life| life.last_change()).map(|(moment, _)| moment);
    html! {
        ul.badges {
            @match callers {
                None => li.unknown { "Who may call: not known yet" },
                Some(callers) => {
                    (badge(callers.user, "Users"))
                    (badge(callers.bot, "Bots"))
                    @if callers.business { (badge(true, "Bots for a business")) }
                    @if callers.signed_out { (badge(true, "Before sign-in")) }
                }
            }
            @if let Some(since) = since { li.since { a href="#history" { "Since " (since) } } }
            @if let Some(changed) = changed { li.since { a href="#history" { "Changed " (changed) } } }
        }
    }
}

fn badge(may: bool, who: &str) -> Markup {
    html! {
        li.(if may { "yes" } else { "no" }) { (who) @if !may { ": no" } }
    }
}

/// The declaration, with that of what is answered where that is short.
fn tl(here: Here, definition: &'static Definition) -> Markup {
    const FEW: usize = 4;
    let answer = core_type(&definition.result).map(|name| api().constructors(name));
    let answer = answer.filter(|it| it.len() <= FEW).unwrap_or_default();
    html! {
        section {
            (heading("tl", "TL"))
            div.code {
                pre.tl tabindex="0" role="region" aria-label="TL declaration" {
                    code {
                        @for constructor in answer { (text::declaration(here, constructor, false)) "\n" }
                        span.c { "---functions---" } "\n"
                        (text::declaration(here, definition, true))
                    }
                }
            }
        }
    }
}

/// The parameters of a method or the fields of a constructor, one a row.
pub(super) fn parameters(here: Here, definition: &'static Definition) -> Markup {
    let bits = bits(definition);
    let all: Vec<&Param> = params(definition).collect();
    html! {
        @if all.is_empty() {
            p { @if definition.is_function { "It takes none." } @else { "It has none: the name says all." } }
        } @else {
            dl.params {
                @for param in all {
                    div id=(text::param_id(&param.name)) {
                        dt { a href={ "#" (text::param_id(&param.name)) } { code { (narrow(&param.name)) } } }
                        dd.type { (here.ty(&param.ty)) (condition(definition, param, &bits)) }
                        dd {
                            @if let Some(meaning) = words().param(definition, param) {
                                (text::inline(here, meaning, Some(definition)))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The parameters that share a bit, where several do.
fn bits(definition: &'static Definition) -> BTreeMap<(usize, u8), Vec<&'static str>> {
    let mut bits: BTreeMap<(usize, u8), Vec<&'static str>> = BTreeMap::new();
    for param in params(definition) {
        if let Some(flag) = param.flag {
            bits.entry((flag.field, flag.bit)).or_default().push(&param.name);
        }
    }
    bits.retain(|_, names| names.len() > 1);
    bits
}

/// Whether a parameter may be left out, and which bit says that it is there.
fn condition(
    definition: &'static Definition,
    param: &Param,
    bits: &BTreeMap<(usize, u8), Vec<&'static str>>,
) -> Markup {
    let Some(flag) = param.flag else { return html! {} };
    let word = definition.params.get(flag.field).map_or("flags", |word| word.name.as_str());
    let together = bits.get(&(flag.field, flag.bit)).into_iter().flatten();
    let together: Vec<&str> = together.copied().filter(|name| *name != param.name).collect();
    html! {
        span.flag {
            @if param.ty == Type::True { "flag" } @else { "optional" }
            " · " (word) "." (flag.bit)
            @if !together.is_empty() {
                br;
                "together with "
                @for (index, name) in together.iter().enumerate() {
                    @if index > 0 { ", " }
                    code { (breakable(name)) }
                }
            }
        }
    }
}

fn result(here: Here, method: &Method, detail: Detail) -> Markup {
    let definition = method.definition;
    let returns = method.words.and_then(|words| words.returns.as_deref());
    let name = core_type(&definition.result);
    // Everybody knows what yes and no are.
    let is_bool = definition.result == Type::Bool;
    let constructors = name.filter(|_| !is_bool).map(|name| api().constructors(name));
    let ty = name.filter(|_| !is_bool).and_then(|name| Reference::get().ty(name));
    html! {
        p.result {
            (here.ty(&definition.result))
            @if definition.is_generic() { ": what the query inside answers." }
            @if let Some(summary) = ty.and_then(|ty| ty.summary()).filter(|_| returns.is_none()) {
                " " (text::inline(here, summary, None))
            }
            @if is_bool && returns.is_none() { ": " code { "true" } " for yes, or for done." }
        }
        @if let Some(returns) = returns { (text::prose(here, returns, Some(definition))) }
        @if let Some(constructors) = constructors {
            (data::choices(here, &constructors, detail, &format!("{}.json", method.name())))
        }
    }
}

fn errors(here: Here, method: &Method, detail: Detail) -> Markup {
    html! {
        @if method.errors.is_empty() {
            p {
                @if method.callers.is_none() { "Not known yet: the method is newer than what is known about errors." }
                @else { "None of its own is known." }
            }
        } @else {
            @if detail == Detail::Lines {
                ul.contents {
                    @for thrown in &method.errors {
                        @let general = thrown.words.map(|words| summary(&words.about));
                        li {
                            a href=(here.to(Kind::Error, thrown.name)) { (thrown.name) }
                            @if let Some(cause) = thrown.cause.or(general) { " " (text::bare(cause)) }
                        }
                    }
                }
            } @else if detail == Detail::Least {
                p { "They are many; each has its cause and what to do on its own page." }
                ul.names {
                    @for thrown in &method.errors {
                        li { a href=(here.to(Kind::Error, thrown.name)) { (breakable(thrown.name)) } }
                    }
                }
            } @else {
                dl.errors {
                    @for thrown in &method.errors { div { (error_row(here, method, thrown, detail)) } }
                }
            }
        }
        p.quiet {
            "Any method may answer "
            @for (index, name) in EVERYWHERE.iter().enumerate() {
                @if index > 0 { ", " }
                (here.link(Kind::Error, name))
            }
            " and others that are "
            a href=(here.all(Kind::Error)) { "not its own" } "."
        }
        @if let Some(note) = method.words.and_then(|words| words.note.as_ref()) {
            aside.note {
                strong { "Other references say otherwise" }
                (text::prose(here, note, Some(method.definition)))
            }
        }
    }
}

fn error_row(here: Here, method: &Method, thrown: &Thrown, detail: Detail) -> Markup {
    let about = Some(method.definition);
    let is_full = detail < Detail::NoFixes;
    let general = thrown.words.map(|words| words.about.as_str());
    let cause = thrown.cause.or_else(|| if is_full { general } else { general.map(summary) });
    html! {
        dt { span.number { (thrown.code) } " " (here.link(Kind::Error, thrown.name)) }
        dd {
            @if let Some(cause) = cause { (text::inline(here, cause, about)) }
            @if let Some(words) = thrown.words {
                @if is_full { " " span.fix { (text::inline(here, &words.fix, about)) } }
                " " (retry(words.retry))
            }
        }
    }
}

/// Whether to send a request again, as a mark.
pub(super) fn retry(retry: Retry) -> Markup {
    let (class, says) = match retry {
        Retry::Changed => ("changed", "retry when changed"),
        Retry::Later => ("later", "retry later"),
        Retry::No => ("no", "do not retry"),
        Retry::Wait => ("wait", "wait, then retry"),
    };
    html! { span.retry.(class) { (says) } }
}

fn related(here: Here, method: &Method, detail: Detail) -> Markup {
    let related = &method.related;
    let family: &[&str] = if detail < Detail::Lines { &related.family } else { &[] };
    let lists: [(&str, &[&str]); 6] = [
        ("Gives the values it needs", &related.needs),
        ("Takes it back", &related.undo),
        ("It takes back", &related.undoes),
        ("Needs what it gives", &related.needed_by),
        ("See also", &related.see),
        ("Similar names", family),
    ];
    let guides = method.words.map(|words| &words.guides);
    let is_empty = lists.iter().all(|(_, names)| names.is_empty());
    html! {
        @for (title, names) in lists {
            @if !names.is_empty() {
                h3 { (title) }
                (here.list(Kind::Method, names, detail, &format!("{}.json", method.name())))
            }
        }
        @if let Some(guides) = guides.filter(|guides| !guides.is_empty()) {
            h3 { "Telegram's own pages" }
            ul.things { @for (title, address) in guides { li { a href=(address) { (title) } } } }
        }
        @if is_empty { p { "Nothing else is about the same." } }
    }
}

/// What happened to a definition in the layers that are held.
pub(super) fn history(here: Here, name: &str, detail: Detail) -> Markup {
    let most = if detail < Detail::Names { usize::MAX } else { 3 };
    let declared = match detail {
        Detail::All => usize::MAX,
        Detail::Least => 0,
        _ => 1,
    };
    let life = History::get().life(name);
    let steps = life.map(|life| life.steps).unwrap_or_default();
    let oldest = History::get().held().first().copied().unwrap_or_default();
    let mut undeclared = steps.iter().rev().skip(declared);
    html! {
        ol.history {
            @for (place, step) in steps.iter().rev().take(most).enumerate() {
                li {
                    @match &step.what {
                        What::Added(renames) => {
                            "Added: " (moment(here, step.moment))
                            @for rename in renames { ", for " code { (breakable(rename.older)) } }
                        }
                        What::Changed(changed) => {
                            "Changed: " (moment(here, step.moment))
                            @for difference in &changed.differences {
                                ", " (text::inline_plain(&difference.to_string()))
                            }
                            @if place < declared {
                                details {
                                    summary { "As it was before" }
                                    code { (changed.older.text) ";" }
                                }
                            }
                        }
                        What::Removed(renames) => {
                            "Removed: " (moment(here, step.moment))
                            @for rename in renames { ", see " code { (breakable(rename.newer)) } }
                        }
                    }
                }
            }
        }
        @if steps.len() > most {
            p.quiet { "And " (steps.len() - most) " changes before, all of them with their declarations " a href={ (name) ".json" } { "in the JSON" } "." }
        } @else if undeclared.any(|step| matches!(step.what, What::Changed(_))) {
            p.quiet { "Older declarations are " a href={ (name) ".json" } { "in the JSON" } "." }
        }
        p.quiet {
            "Known from layer " (oldest) " on, with gaps: what each layer was is taken from published packages, "
            a href=(here.all(Kind::Layer)) { "named there" } "."
        }
    }
}

/// When something came to be; a link where there is a page of that layer.
fn moment(here: Here, moment: Moment) -> Markup {
    html! {
        @if moment.after.is_some() {
            a href=(here.to(Kind::Layer, &moment.by.to_string())) { (moment) }
        } @else {
            (moment)
        }
    }
}
