//! The page of a method.

use chappe_schema::words::Retry;
use chappe_schema::{Definition, Type, api, one_of};

use super::definition::since;
use super::{
    Block, Choice, Document, EVERYWHERE, Inline, Item, Look, Mark, Tab, Target, Term, code, inline,
    phrase, summary, text, ty,
};
use crate::Kind;
use crate::elsewhere::places;
use crate::example::{self, Language};
use crate::model::{Callers, Method, Reference, core_type, params};
use crate::recorded::{Asker, recorded};
use crate::start;

pub(super) fn document(method: &Method) -> Document {
    let definition = method.definition;
    let words = method.words.map(|words| words.about.as_str());
    let badges = callers(method.callers).into_iter().chain(since(method.name()));
    let mut page = Document::begin(method.name(), words, Some(definition), badges.collect());
    page.assumed(method.words.is_some_and(|words| words.assumed));
    page.examples(method);
    page.declarations(definition);
    page.parameters(definition);
    page.result(method);
    page.errors(method);
    page.recorded(method);
    page.related(method);
    page.elsewhere(&definition.name);
    page.history(&definition.name);
    page
}

/// How many calls of another library are named.
const CALLS: usize = 12;

/// Who may call.
fn callers(callers: Option<Callers>) -> Vec<Vec<Inline>> {
    let Some(callers) = callers else {
        return vec![vec![Inline::Mark(Mark::Warn, "Who may call it: not known yet")]];
    };
    let may = |may: bool, yes, no| if may { (Mark::Yes, yes) } else { (Mark::No, no) };
    let mut who = vec![
        may(callers.user, "Users may call it", "Users may not"),
        may(callers.bot, "Bots may call it", "Bots may not"),
    ];
    who.extend(callers.business.then_some((Mark::Yes, "Bots for a business may")));
    who.extend(callers.signed_out.then_some((Mark::Yes, "Also before the sign-in")));
    who.into_iter().map(|(mark, said)| vec![Inline::Mark(mark, said)]).collect()
}

/// Whether to send a refused request again.
pub(super) fn retry(retry: Retry) -> Inline {
    let (mark, said) = match retry {
        Retry::Changed => (Mark::Good, "retry when changed"),
        Retry::Later => (Mark::Warn, "retry later"),
        Retry::No => (Mark::Bad, "do not retry"),
        Retry::Wait => (Mark::Warn, "wait, then retry"),
    };
    Inline::Mark(mark, said)
}

impl Document {
    /// One call in all languages.
    fn examples(&mut self, method: &Method) {
        self.section("example", "Example");
        let has_peer = params(method.definition)
            .any(|param| core_type(&param.ty).is_some_and(|name| PEERS.contains(&name)));
        let tabs = example::examples(method).into_iter().map(|example| {
            let language = example.language;
            let mut tab = Self::default();
            if let Some(installer) = installer(language).filter(|_| !example.package.is_empty()) {
                tab.paragraph([code(format!("{installer} install {}", example.package))]);
            }
            if let Some(note) = &example.note {
                tab.paragraph(phrase(note));
            }
            if !example.code.is_empty() {
                tab.code(fence(language), format!("{} example", language.title()), example.code);
            }
            if let Some(client) = resolving(&example.package).filter(|_| has_peer) {
                let said = format!("{client} also takes a username in the place of a peer: ");
                tab.paragraph([text(said), code("\"paul\""), text(".")]);
            }
            Tab { id: language.id(), title: language.title(), blocks: tab.blocks }
        });
        self.push(Block::Tabs(tabs.collect()));
        let start = Target::Thing(Kind::Guide, start::TITLE.to_owned());
        self.quiet([
            text(
                "What it takes from the environment, and where peers and access hashes come from: ",
            ),
            Inline::Link(start::TITLE.to_owned(), start),
            text("."),
        ]);
        if let Some(call) = method.words.and_then(|words| words.chappe.as_ref()) {
            self.paragraph([text("chappe has a call that does this: "), code(call), text(".")]);
        }
    }

    /// The declaration, behind that of what is answered where that is short.
    fn declarations(&mut self, definition: &'static Definition) {
        const FEW: usize = 4;
        let answers = core_type(&definition.result).map(|name| api().constructors(name));
        let answers = answers.filter(|it| it.len() <= FEW).unwrap_or_default();
        self.tl(&answers, definition);
    }

    fn result(&mut self, method: &Method) {
        self.section("result", "Result");
        let definition = method.definition;
        let returns = method.words.and_then(|words| words.returns.as_deref());
        let answer = core_type(&definition.result).and_then(|name| Reference::get().ty(name));
        // Everybody knows what yes and no are.
        let is_bool = definition.result == Type::Bool;
        let mut pieces = ty(&definition.result);
        if definition.is_generic() {
            pieces.push(text(": what the query inside answers."));
        }
        let summary = answer.and_then(|it| it.summary()).filter(|_| !is_bool && returns.is_none());
        if let Some(summary) = summary {
            pieces.push(text(": "));
            pieces.extend(inline(summary, None));
        }
        if is_bool && returns.is_none() {
            pieces.extend([text(": "), code("true"), text(" for yes, or for done.")]);
        }
        self.paragraph(pieces);
        self.prose(returns.unwrap_or_default(), Some(definition));
        if let Some(answer) = answer.filter(|_| !is_bool) {
            // What many methods answer is explained once, on its own page.
            match answer.returned_by.len() <= SHARED {
                true => self.choices(&answer.constructors),
                false => self.things(Kind::Constructor, &answer.constructors),
            }
        }
    }

    /// Constructors of one type, each of which opens and shows its fields; what can be one of many is
    /// told by its names.
    pub(super) fn choices(&mut self, names: &[&'static str]) {
        const MANY: usize = 24;
        if names.len() > MANY {
            return self.things(Kind::Constructor, names);
        }
        let all = names.iter().filter_map(|name| Reference::get().constructor(name));
        let choices = all.map(|it| Choice {
            name: it.name().to_owned(),
            about: it.summary().map(phrase).unwrap_or_default(),
            inside: super::definition::fields(it.definition),
        });
        self.push(Block::Choices(choices.collect()));
    }

    fn errors(&mut self, method: &Method) {
        self.section("errors", "Errors");
        let about = Some(method.definition);
        let terms = method.errors.iter().map(|thrown| {
            let cause = thrown.cause.or_else(|| thrown.words.map(|words| words.about.as_str()));
            let name = Inline::Name(Kind::Error, thrown.name.to_owned());
            let mut meaning = cause.map(|cause| inline(cause, about)).unwrap_or_default();
            if thrown.assumed {
                meaning.push(text(
                    " Assumed: nobody has seen it here; methods of its kind answer it.",
                ));
            }
            let advice = thrown.words.map(|words| {
                let mut advice = inline(&words.fix, about);
                advice.extend([text(" "), retry(words.retry)]);
                advice
            });
            Term {
                name: vec![Inline::Soft(one_of(thrown.codes)), text(" "), name],
                about: meaning,
                advice: advice.unwrap_or_default(),
                ..Term::default()
            }
        });
        let terms: Vec<Term> = terms.collect();
        match (terms.is_empty(), method.callers) {
            (false, _) => self.push(Block::Terms(terms)),
            (true, None) => self.paragraph([text(
                "Not known yet: the method is newer than what is known about errors.",
            )]),
            (true, Some(_)) => self.paragraph([text("None of its own is known.")]),
        }
        let mut pieces = vec![text("Any method may answer ")];
        for (index, name) in EVERYWHERE.iter().enumerate() {
            pieces.extend((index > 0).then(|| text(", ")));
            pieces.push(Inline::Name(Kind::Error, (*name).to_owned()));
        }
        let others = Inline::Link("not its own".to_owned(), Target::List(Kind::Error));
        pieces.extend([text(" and others that are "), others, text(".")]);
        self.quiet(pieces);
        if let Some(note) = method.words.and_then(|words| words.note.as_ref()) {
            let title = Some("Other references say otherwise");
            self.push(Block::Note { title, text: inline(note, about) });
        }
    }

    /// The request of the examples as TL-JSON, and what the local Telegram answered.
    fn recorded(&mut self, method: &Method) {
        self.section("recorded", "Request and answer");
        let Some(recorded) = recorded(method.name()) else {
            self.paragraph([text(
                "What the examples send, as TL-JSON. The local Telegram does not implement the method, \
                 so there is no answer of it.",
            )]);
            return self.json("Request as JSON", &example::request(method));
        };
        let caller = match recorded.caller {
            Asker::Bot => "A bot asks",
            Asker::Nobody => "A device asks on which nobody is signed in",
            Asker::User => "A user asks",
        };
        const ANSWERS: &str = "The local Telegram answers:";
        self.paragraph([text(format!("{} {caller}:", recorded.story))]);
        self.json("Request as JSON", &recorded.request);
        if let Some(answer) = &recorded.answer {
            self.paragraph([text(ANSWERS)]);
            self.json("Answer as JSON", answer);
        }
        if let Some(bound) = &recorded.bound {
            self.prose(&bound.why, None);
        }
        for (index, also) in recorded.also.iter().enumerate() {
            self.paragraph([text(&also.story)]);
            self.json(format!("Request {} as JSON", index + 2), &also.request);
            self.paragraph([text(ANSWERS)]);
            self.json(format!("Answer {} as JSON", index + 2), &also.answer);
        }
        for (index, refused) in recorded.refused.iter().enumerate() {
            let said = format!("It answers {} ", refused.code);
            self.paragraph([text(said), spelled(&refused.error), text(" to")]);
            self.json(format!("Refused request {} as JSON", index + 1), &refused.request);
        }
        self.quiet([text(
            "Recorded from chappe's local Telegram. Names, numbers, codes, hashes and passwords in it \
             belong to an invented world.",
        )]);
    }

    fn related(&mut self, method: &Method) {
        self.section("related", "Related");
        let related = &method.related;
        let lists = [
            ("Gives the values it needs", &related.needs),
            ("Takes it back", &related.undo),
            ("It takes back", &related.undoes),
            ("Needs what it gives", &related.needed_by),
            ("See also", &related.see),
            ("Similar names", &related.family),
        ];
        for (title, names) in lists {
            self.titled(title, Kind::Method, names);
        }
        let guides =
            method.words.into_iter().flat_map(|words| &words.guides).map(|(title, at)| Item {
                name: vec![Inline::Link(title.clone(), Target::Web(at.clone()))],
                ..Item::default()
            });
        let guides: Vec<Item> = guides.collect();
        if !guides.is_empty() {
            self.push(Block::Heading("Telegram's own pages".to_owned()));
            self.push(Block::List(Look::Things, guides));
        }
        if lists.iter().all(|(_, names)| names.is_empty()) {
            self.paragraph([text("Nothing else is about the same.")]);
        }
    }

    /// By which calls of other libraries it is made.
    fn elsewhere(&mut self, method: &str) {
        let places = places().iter().map(|place| (place.title, place.calls_of(method)));
        for (index, (title, calls)) in places.filter(|(_, calls)| !calls.is_empty()).enumerate() {
            if index == 0 {
                self.section("elsewhere", "Elsewhere");
                self.quiet([text("Ready-made calls of others that make this one:")]);
            }
            let mut pieces = vec![Inline::Strong(title.to_owned()), text(": ")];
            for (index, call) in calls.iter().take(CALLS).enumerate() {
                pieces.extend((index > 0).then(|| text(", ")));
                pieces.push(code(*call));
            }
            let more = calls.len().saturating_sub(CALLS);
            pieces.extend((more > 0).then(|| text(format!(" and {more} more"))));
            self.paragraph(pieces);
        }
    }
}

/// An error as a server spells it, as a link to its page.
fn spelled(spelled: &str) -> Inline {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_digit());
    let general = spelled.split('_').map(|it| if is_number(it) { "X" } else { it });
    let general = general.collect::<Vec<_>>().join("_");
    let known = [spelled, &general].into_iter().find(|it| summary(Kind::Error, it).is_some());
    match known {
        Some(name) if name == spelled => Inline::Name(Kind::Error, name.to_owned()),
        Some(name) => Inline::Link(spelled.to_owned(), Target::Thing(Kind::Error, name.to_owned())),
        None => code(spelled),
    }
}

/// The client of a package that finds out by itself what a username stands for.
fn resolving(package: &str) -> Option<&'static str> {
    let clients =
        [("telegram@", "GramJS"), ("teleproto@", "teleproto"), ("telethon==", "Telethon")];
    let client = clients.iter().find(|(begin, _)| package.starts_with(begin));
    client.map(|(_, client)| *client)
}

/// What installs the package of an example; what is chappe's own comes with it.
const fn installer(language: Language) -> Option<&'static str> {
    match language {
        Language::Cli | Language::Rust => None,
        Language::JavaScript | Language::TypeScript => Some("npm"),
        Language::Python => Some("pip"),
    }
}

/// What Markdown calls a language.
const fn fence(language: Language) -> &'static str {
    match language {
        Language::Cli => "sh",
        other => other.id(),
    }
}

/// The types in whose place some clients take a username.
const PEERS: &[&str] = &["InputChannel", "InputPeer", "InputUser"];

/// A type that more methods answer than these does not unfold on their pages.
const SHARED: usize = 10;
