//! What the pages of methods and constructors have in common: declaration, parameters, history.

use chappe_schema::layers::{History, Moment, Rename, What};
use chappe_schema::words::{Named, named, words};
use chappe_schema::{Definition, Param, Type};

use super::{Block, Document, Inline, Step, Target, Term, code, inline, known, phrase, text, ty};
use crate::Kind;
use crate::model::{Reference, meaning, params};

/// Since when there is such a definition, and when it changed.
pub(super) fn since(name: &str) -> impl Iterator<Item = Vec<Inline>> + use<> {
    let life = History::get().life(name);
    let since = life.as_ref().and_then(|life| life.since()).map(|it| format!("Since {it}"));
    let changed = life.as_ref().and_then(|life| life.last_change());
    let changed = changed.map(|(moment, _)| format!("Changed {moment}"));
    let told = since.into_iter().chain(changed);
    told.map(|told| vec![Inline::Link(told, Target::Place("history"))])
}

/// The bit of a parameter as TL writes it: `flags.3`.
pub(crate) fn flag(definition: &Definition, param: &Param) -> Option<String> {
    let flag = param.flag?;
    Some(format!("{}.{}", definition.params.get(flag.field)?.name, flag.bit))
}

impl Document {
    /// The declaration of a definition, behind those of what it answers.
    pub(super) fn tl(&mut self, answers: &[&'static Definition], definition: &'static Definition) {
        self.section("tl", "TL");
        let mut pieces = Vec::new();
        for answer in answers {
            pieces.extend(declaration(answer, false));
            pieces.push(text("\n"));
        }
        if definition.is_function {
            pieces.extend([Inline::Soft("---functions---".to_owned()), text("\n")]);
        }
        pieces.extend(declaration(definition, true));
        let label = "TL declaration".to_owned();
        self.push(Block::Code { language: "tl", label, text: pieces });
    }

    /// The parameters of a method or the fields of a constructor.
    pub(super) fn parameters(&mut self, definition: &'static Definition) {
        match definition.is_function {
            true => self.section("parameters", "Parameters"),
            false => self.section("fields", "Fields"),
        }
        let about = Some(definition);
        let terms: Vec<Term> = params(definition)
            .map(|param| Term {
                id: Some(format!("param-{}", param.name)),
                name: vec![Inline::Param(param.name.clone())],
                of: ty(&param.ty),
                remark: optional(definition, param),
                about: meaning(definition, param).map(|it| inline(it, about)).unwrap_or_default(),
                advice: Vec::new(),
            })
            .collect();
        if terms.is_empty() {
            let none = if definition.is_function {
                "It takes none."
            } else {
                "It has none: the name says all."
            };
            return self.paragraph([text(none)]);
        }
        self.push(Block::Terms(terms));
    }

    /// What happened to a definition in the layers that are held.
    pub(super) fn history(&mut self, name: &str) {
        self.section("history", "History");
        let life = History::get().life(name);
        let steps = life.map(|life| life.steps).unwrap_or_default();
        let steps = steps.iter().rev().map(|step| {
            let renamed = |how: &str, renames: &[Rename], name: fn(&Rename) -> &str| {
                let names = renames.iter().flat_map(|it| [text(how), known(name(it))]);
                names.collect::<Vec<_>>()
            };
            let (what, more) = match &step.what {
                What::Added(renames) => ("Added: ", renamed(", for ", renames, |it| it.older)),
                What::Removed(renames) => ("Removed: ", renamed(", see ", renames, |it| it.newer)),
                What::Changed(changed) => {
                    let differences = changed.differences.iter();
                    let said = differences.flat_map(|it| phrase(&format!(", {it}")));
                    ("Changed: ", said.collect())
                }
            };
            let older = match &step.what {
                What::Changed(changed) => Some(format!("{};", changed.older.text)),
                What::Added(_) | What::Removed(_) => None,
            };
            Step { what: [vec![text(what), moment(step.moment)], more].concat(), older }
        });
        self.push(Block::Steps(steps.collect()));
        let older = History::get().older_ids_of(name);
        if !older.is_empty() {
            // However much of the steps a page has room for, whoever looks for an id finds it here.
            let mut ids = vec![text("Ids in older layers: ")];
            for (place, it) in older.iter().enumerate() {
                let between = if place == 0 { "" } else { ", " };
                let id = code(format!("#{:08x}", it.id));
                ids.extend([text(between), id, text(format!(" ({it})"))]);
            }
            self.paragraph(ids);
        }
        let oldest = History::get().held().first().copied().unwrap_or_default();
        self.quiet([
            text(format!(
                "Known from layer {oldest} on, with gaps: what each layer was is taken from published packages, "
            )),
            Inline::Link("named there".to_owned(), Target::List(Kind::Layer)),
            text("."),
        ]);
    }
}

/// Whether a parameter may be left out, which bit says that it is there, and what shares that bit.
fn optional(definition: &'static Definition, param: &Param) -> Vec<Inline> {
    let Some(flag) = flag(definition, param) else { return Vec::new() };
    let what = if param.ty == Type::True { "flag" } else { "optional" };
    let mut pieces = vec![text(format!("{what} · {flag}"))];
    let together = params(definition).filter(|it| it.flag == param.flag && it.name != param.name);
    for (index, other) in together.enumerate() {
        pieces.push(text(if index == 0 { ", together with " } else { ", " }));
        pieces.push(code(&other.name));
    }
    pieces
}

/// When something came to be; a link where there is a page of that layer.
fn moment(moment: Moment) -> Inline {
    let said = moment.to_string();
    match moment.after {
        Some(_) => Inline::Link(said, Target::Thing(Kind::Layer, moment.by.to_string())),
        None => text(said),
    }
}

/// A declaration, all of whose types and parameters are links; a long one with a parameter a line.
fn declaration(definition: &'static Definition, is_own: bool) -> Vec<Inline> {
    const LINE: usize = 76;
    let (head, rest) = definition.text.split_once(' ').unwrap_or((&definition.text, ""));
    let (name, id) = head.split_once('#').unwrap_or((head, ""));
    let (params, result) = rest.rsplit_once("= ").unwrap_or(("", rest));
    let is_long = definition.text.len() > LINE;
    let kind = if definition.is_function { Kind::Method } else { Kind::Constructor };
    let mut pieces = vec![match is_own {
        true => Inline::Strong(name.to_owned()),
        false => Inline::Name(kind, name.to_owned()),
    }];
    pieces.extend((!id.is_empty()).then(|| Inline::Soft(format!("#{id}"))));
    for param in params.split_whitespace() {
        pieces.push(text(if is_long { "\n  " } else { " " }));
        let Some((name, ty)) = param.split_once(':') else {
            pieces.extend(types(param));
            continue;
        };
        let is_param = is_own && named(name, Some(definition)) == Some(Named::Param);
        pieces.push(if is_param { Inline::Param(name.to_owned()) } else { text(name) });
        pieces.push(text(":"));
        pieces.extend(types(ty));
    }
    pieces.push(text(if is_long { "\n  = " } else { " = " }));
    pieces.extend(types(result));
    pieces.push(text(";"));
    pieces
}

/// The text of a type as TL writes it, each word that has a page as a link.
fn types(said: &str) -> impl Iterator<Item = Inline> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let pieces = said.split_inclusive(move |c| !is_word(c)).flat_map(move |piece| {
        let (word, sign) = piece.split_at(piece.trim_end_matches(|c| !is_word(c)).len());
        [word, sign]
    });
    pieces.filter(|piece| !piece.is_empty()).map(|piece| match Reference::get().ty(piece) {
        Some(_) => Inline::Name(Kind::Type, piece.to_owned()),
        None => text(piece),
    })
}

/// The fields of a constructor in short, and the way to its page.
pub(super) fn fields(definition: &'static Definition) -> Vec<Block> {
    let terms = params(definition).map(|param| Term {
        name: vec![code(&param.name)],
        of: ty(&param.ty),
        remark: param.flag.map(|_| text("?")).into_iter().collect(),
        about: words().param(definition, param).map(phrase).unwrap_or_default(),
        ..Term::default()
    });
    let terms: Vec<Term> = terms.collect();
    let none = if terms.is_empty() { "No fields. All about " } else { "All about " };
    let name = Inline::Name(Kind::Constructor, definition.name.clone());
    let mut blocks = Vec::new();
    blocks.extend((!terms.is_empty()).then_some(Block::Terms(terms)));
    blocks.push(Block::Quiet(vec![text(none), name]));
    blocks
}
