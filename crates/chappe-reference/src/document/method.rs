//! The page of a method.

use std::collections::BTreeMap;

use chappe_schema::layers::{History, Step, What};
use chappe_schema::words::{Retry, words};
use chappe_schema::{Definition, Param, Type, api};

use super::{Document, Inline, code, inline, named, phrase, text, ty};
use crate::Kind;
use crate::example::{self, Language};
use crate::model::{Callers, FACTS_LAYER, Method, Reference, core_type, params};
use crate::page::EVERYWHERE;
use crate::recorded::recorded;

pub(super) fn document(method: &Method) -> Document {
    let definition = method.definition;
    let about = Some(definition);
    let mut page = Document::default();
    page.heading(1, method.name());
    if let Some(words) = method.words {
        page.prose(&words.about, about);
        page.assumed(words.assumed);
        if let Some(note) = &words.note {
            page.blocks.push(super::Block::Note(inline(note, about)));
        }
    }
    let mut facts = vec![vec![text("Who may call it: "), text(callers(method.callers))]];
    facts.extend(since(definition));
    if let Some(call) = method.words.and_then(|words| words.chappe.as_ref()) {
        facts.push(vec![text("In chappe: "), code(call)]);
    }
    page.list(facts);
    declaration(&mut page, definition);
    parameters(&mut page, definition);
    result(&mut page, method);
    errors(&mut page, method);
    examples(&mut page, method);
    related(&mut page, method);
    history(&mut page, &definition.name);
    page
}

/// Who may call, in words.
pub(crate) fn callers(callers: Option<Callers>) -> String {
    let Some(callers) = callers else {
        return format!("not known yet; the facts about callers end with layer {FACTS_LAYER}");
    };
    let who = match (callers.user, callers.bot) {
        (true, true) => "users and bots",
        (true, false) => "users, not bots",
        (false, true) => "bots, not users",
        (false, false) => "nobody who is signed in",
    };
    let mut said = who.to_owned();
    if callers.business {
        said.push_str("; bots for a business account, too");
    }
    if callers.signed_out {
        said.push_str("; also before the sign-in");
    }
    said
}

/// Since when there is such a definition, and when it changed.
pub(super) fn since(definition: &Definition) -> Vec<Vec<Inline>> {
    let Some(life) = History::get().life(&definition.name) else { return Vec::new() };
    let mut facts = Vec::new();
    if let Some(since) = life.since() {
        let begin = if since.after.is_none() { ", where knowledge begins here" } else { "" };
        facts.push(vec![text(format!("Since: {since}{begin}"))]);
    }
    if let Some((moment, changed)) = life.last_change() {
        let breaks = if changed.breaks() { ", breaking" } else { "" };
        facts.push(vec![text(format!("Last changed: {moment}{breaks}"))]);
    }
    facts
}

/// The declaration as TL.
pub(super) fn declaration(page: &mut Document, definition: &Definition) {
    page.heading(2, "TL");
    page.code("tl", format!("{};", definition.text));
}

/// The parameters of a method or the fields of a constructor.
pub(super) fn parameters(page: &mut Document, definition: &'static Definition) {
    let is_function = definition.is_function;
    page.heading(2, if is_function { "Parameters" } else { "Fields" });
    let rows: Vec<Vec<Vec<Inline>>> = params(definition)
        .map(|param| {
            let meaning = words().param(definition, param);
            let meaning = meaning.map(|it| inline(it, Some(definition))).unwrap_or_default();
            vec![
                vec![code(&param.name)],
                ty(&param.ty),
                vec![text(needed(definition, param))],
                meaning,
            ]
        })
        .collect();
    if rows.is_empty() {
        let none = if is_function { "It takes none." } else { "It has none: the name says all." };
        page.paragraph([text(none)]);
    }
    page.table(&["Name", "Type", "Needed", "Meaning"], rows);
    let mut bits: BTreeMap<(usize, u8), Vec<&str>> = BTreeMap::new();
    for param in params(definition) {
        if let Some(flag) = param.flag {
            bits.entry((flag.field, flag.bit)).or_default().push(&param.name);
        }
    }
    for names in bits.values().filter(|names| names.len() > 1) {
        let mut pieces = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let between = if index + 1 == names.len() { " and " } else { ", " };
            pieces.extend((index > 0).then(|| text(between)));
            pieces.push(code(*name));
        }
        pieces.push(text(match names.len() {
            2 => " share one flag: both are there, or neither.",
            _ => " share one flag: all of them are there, or none.",
        }));
        page.paragraph(pieces);
    }
}

/// Whether a parameter has to be there, and which bit says that it is.
fn needed(definition: &Definition, param: &Param) -> String {
    let Some(flag) = flag(definition, param) else { return "yes".to_owned() };
    let what = if param.ty == Type::True { "flag" } else { "no" };
    format!("{what} ({flag})")
}

/// The bit of a parameter as TL writes it: `flags.3`.
pub(crate) fn flag(definition: &Definition, param: &Param) -> Option<String> {
    let flag = param.flag?;
    Some(format!("{}.{}", definition.params.get(flag.field)?.name, flag.bit))
}

/// One call in all languages, and as it goes into `chappe call`.
fn examples(page: &mut Document, method: &Method) {
    page.heading(2, "Example");
    for example in example::examples(method) {
        page.heading(3, example.language.title());
        if let Some(note) = &example.note {
            page.paragraph(phrase(note));
        }
        if !example.code.is_empty() {
            page.code(fence(example.language), example.code);
        }
    }
    page.heading(3, "TL-JSON");
    page.code("json", format!("{:#}", example::request(method)));
    let Some(recorded) = recorded(method.name()) else { return };
    page.heading(2, "Recorded from the local Telegram");
    page.paragraph([text(format!(
        "{} What is named, numbered or secret here belongs to an invented world.",
        recorded.story
    ))]);
    if let Some(bound) = &recorded.bound {
        page.paragraph([text(bound.why.clone())]);
    }
    page.heading(3, "Request");
    page.code("json", format!("{:#}", recorded.request));
    if let Some(answer) = &recorded.answer {
        page.heading(3, "Answer");
        page.code("json", short(&format!("{answer:#}")));
    }
    for also in &recorded.also {
        page.heading(3, "Another answer");
        page.paragraph([text(also.story.clone())]);
        page.code("json", format!("{:#}", also.request));
        page.code("json", short(&format!("{:#}", also.answer)));
    }
    for refused in &recorded.refused {
        page.heading(3, format!("Refused with {} {}", refused.code, refused.error));
        page.code("json", format!("{:#}", refused.request));
    }
}

/// The beginning of what is long; the JSON page has all of it.
fn short(json: &str) -> String {
    let lines: Vec<&str> = json.lines().collect();
    match lines.get(..LINES) {
        Some(first) if lines.len() > LINES + 5 => {
            let more = lines.len() - LINES;
            format!("{}\n... and {more} more lines", first.join("\n"))
        }
        _ => json.to_owned(),
    }
}

/// What Markdown calls a language.
fn fence(language: Language) -> &'static str {
    match language {
        Language::Cli => "sh",
        other => other.id(),
    }
}

fn result(page: &mut Document, method: &Method) {
    let definition = method.definition;
    page.heading(2, "Result");
    let mut pieces = ty(&definition.result);
    if definition.is_generic() {
        pieces.push(text(": what the query inside answers"));
    }
    let returns = method.words.and_then(|words| words.returns.as_deref());
    // Everybody knows what yes and no are.
    if definition.result == Type::Bool {
        let says = returns.unwrap_or("`true` for yes, or for done.");
        pieces.push(text(": "));
        pieces.extend(inline(says, Some(definition)));
        return page.paragraph(pieces);
    }
    let name = core_type(&definition.result);
    let summary = name.and_then(|name| Reference::get().ty(name)).and_then(|it| it.summary());
    if let Some(says) = returns.or(summary) {
        pieces.push(text(": "));
        pieces.extend(inline(says, Some(definition)));
    }
    page.paragraph(pieces);
    let constructors = name.map(|name| api().constructors(name)).unwrap_or_default();
    page.list(constructors.iter().map(|it| named(Kind::Constructor, &it.name)).collect());
}

fn errors(page: &mut Document, method: &Method) {
    page.heading(2, "Errors");
    let rows = method.errors.iter().map(|thrown| {
        let cause = thrown.cause.or_else(|| thrown.words.map(|words| words.about.as_str()));
        let about = Some(method.definition);
        vec![
            vec![text(thrown.code.to_string())],
            vec![Inline::Name(Kind::Error, thrown.name.to_owned())],
            cause.map(|cause| inline(cause, about)).unwrap_or_default(),
            thrown.words.map(|words| inline(&words.fix, about)).unwrap_or_default(),
            vec![text(thrown.words.map(|words| retry(words.retry)).unwrap_or_default())],
        ]
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        page.paragraph([text(match method.callers {
            None => "Not known yet: the method is newer than what is known about errors.",
            Some(_) => "None of its own is known.",
        })]);
    }
    page.table(&["Code", "Error", "Cause", "What to do", "Send again"], rows);
    let mut pieces = vec![text("Any method may answer ")];
    for (index, name) in EVERYWHERE.iter().enumerate() {
        pieces.extend((index > 0).then(|| text(" or ")));
        pieces.push(Inline::Name(Kind::Error, (*name).to_owned()));
    }
    pieces.push(text("."));
    page.paragraph(pieces);
}

/// Whether a refused request is worth sending again.
pub(crate) fn retry(retry: Retry) -> &'static str {
    match retry {
        Retry::Changed => "when changed",
        Retry::Later => "later",
        Retry::No => "no",
        Retry::Wait => "after the wait",
    }
}

fn related(page: &mut Document, method: &Method) {
    let related = &method.related;
    let guides = method.words.map(|words| &words.guides).filter(|guides| !guides.is_empty());
    let lists = [
        ("Gives the values it needs", &related.needs),
        ("Takes it back", &related.undo),
        ("It takes back", &related.undoes),
        ("Needs what it gives", &related.needed_by),
        ("See also", &related.see),
    ];
    if lists.iter().all(|(_, names)| names.is_empty())
        && related.family.is_empty()
        && guides.is_none()
    {
        return;
    }
    page.heading(2, "Related");
    for (title, names) in lists {
        page.names(title, Kind::Method, names);
    }
    page.names_in_line("Similar names", Kind::Method, &related.family);
    if let Some(guides) = guides {
        page.heading(3, "Telegram's own pages");
        let guides = guides.iter();
        page.list(
            guides
                .map(|(title, address)| vec![Inline::Web(title.clone(), address.clone())])
                .collect(),
        );
    }
}

/// What happened to a definition in the layers that are held.
pub(super) fn history(page: &mut Document, name: &str) {
    let Some(life) = History::get().life(name) else { return };
    page.heading(2, "History");
    let mut lines = Vec::new();
    for step in life.steps.iter().rev() {
        let mut line = line(step);
        let What::Changed(changed) = &step.what else {
            lines.push(line);
            continue;
        };
        line.push(text(". Before:"));
        lines.push(line);
        page.list(std::mem::take(&mut lines));
        page.code("tl", format!("{};", changed.older.text));
    }
    page.list(lines);
    let oldest = History::get().held().first().copied().unwrap_or_default();
    page.paragraph([text(format!(
        "Known from layer {oldest} on, with gaps: what each layer was is taken from published packages."
    ))]);
}

/// A step of a life.
fn line(step: &Step) -> Vec<Inline> {
    let mut pieces = Vec::new();
    let mut renames = |before: &str, names: Vec<&str>| {
        for name in names {
            pieces.extend([text(before), code(name)]);
        }
    };
    let what = match &step.what {
        What::Added(for_others) => {
            renames(", for ", for_others.iter().map(|it| it.older).collect());
            "added"
        }
        What::Changed(changed) => {
            for difference in &changed.differences {
                pieces.push(text(if pieces.is_empty() { ": " } else { "; " }));
                pieces.extend(phrase(&difference.to_string()));
            }
            if changed.breaks() { "changed, breaking" } else { "changed" }
        }
        What::Removed(by_others) => {
            renames(", see ", by_others.iter().map(|it| it.newer).collect());
            "removed"
        }
    };
    pieces.insert(0, text(format!("{}: {what}", capital(&step.moment.to_string()))));
    pieces
}

/// With its first letter upper-case.
fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// How many lines of an answer are written out.
const LINES: usize = 60;
