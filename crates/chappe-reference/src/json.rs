//! The pages for programs: a JSON object each. `TWINS.md` says what is in them; what it promises is
//! kept, and only added to.

use chappe_schema::layers::{Changed, Diff, History, Life, Moment, What};
use chappe_schema::words::Retry;
use chappe_schema::{Definition, Type};
use serde_json::{Value, json};

use crate::core_types::CoreType;
use crate::document::{Document, file, flag, summary};
use crate::elsewhere::places;
use crate::layers::LayerPage;
use crate::model::{
    Constructor, ErrorInfo, Gone, Method, Namespace, Reference, Size, TypeInfo, core_type, meaning,
    params,
};
use crate::recorded::{self, recorded};
use crate::{Kind, core_types, example, layers, start};

/// The version of the form: it rises when something that `TWINS.md` promises is not so any more.
pub const FORM: u32 = 1;

/// The page of a thing; `None` when there is none of this kind and name.
#[must_use]
pub fn page(kind: Kind, name: &str) -> Option<Value> {
    let all = Reference::get();
    let (name, mut page) = match kind {
        Kind::Constructor => all.constructor(name).map(|it| (it.name(), constructor(it)))?,
        Kind::Core => {
            let core = core_types::with_page().find(|it| it.name == name)?;
            (core.name, core_type_page(core))
        }
        Kind::Error => all.error(name).map(|it| (it.name, error(it)))?,
        Kind::Gone => all.gone_thing(name).map(|it| (it.name(), gone(it)))?,
        Kind::Guide => {
            let title = start::titles().find(|title| *title == name)?;
            (title, guide(title))
        }
        Kind::Layer => {
            let page = layers::page(name.parse().ok()?)?;
            (page.name.as_str(), layer(page))
        }
        Kind::Method => all.method(name).map(|it| (it.name(), method(it)))?,
        Kind::Namespace => all.namespace(name).map(|it| (it.name, namespace(it)))?,
        Kind::Type => all.ty(name).map(|it| (it.name, ty(it)))?,
    };
    // What every page has comes first.
    let mut whole = json!({
        "form": FORM,
        "layer": all.layer(),
        "kind": kind.word(),
        "name": name,
        "summary": summary(kind, name),
        "html": kind.link(name),
        "markdown": file(kind, name, "md"),
    });
    if let (Value::Object(whole), Value::Object(page)) = (&mut whole, &mut page) {
        whole.append(page);
    }
    Some(whole)
}

/// A section of the page for whoever is new, or all of them.
fn guide(name: &str) -> Value {
    let sections = start::sections().filter(|(_, title, _)| name == start::TITLE || *title == name);
    let sections = sections.filter_map(|(_, title, _)| {
        let text = Document::of(Kind::Guide, title)?.to_markdown("");
        Some(json!({ "name": title, "html": Kind::Guide.link(title), "text": text }))
    });
    json!({ "sections": sections.collect::<Value>() })
}

/// All things with their addresses and what they are about.
#[must_use]
pub fn index() -> Value {
    let all = Reference::get();
    let list = |kind: Kind, names: Vec<&'static str>| {
        let things = names.into_iter().map(|name| {
            json!({
                "name": name,
                "summary": summary(kind, name),
                "json": file(kind, name, "json"),
            })
        });
        things.collect::<Value>()
    };
    json!({
        "form": FORM,
        "layer": all.layer(),
        "namespaces": list(Kind::Namespace, all.namespaces().iter().map(|it| it.name).collect()),
        "methods": list(Kind::Method, all.methods().iter().map(|it| it.name()).collect()),
        "types": list(Kind::Type, all.types().iter().map(|it| it.name).collect()),
        "constructors":
            list(Kind::Constructor, all.constructors().iter().map(|it| it.name()).collect()),
        "errors": list(Kind::Error, all.errors().iter().map(|it| it.name).collect()),
        "core_types": list(Kind::Core, core_types::with_page().map(|it| it.name).collect()),
        "layers": list(Kind::Layer, layers::pages().iter().map(|it| it.name.as_str()).collect()),
        "gone": list(Kind::Gone, all.gone().iter().map(|it| it.name()).collect()),
    })
}

/// The difference of any two held layers; `None` where one of them is not held.
#[must_use]
pub fn diff(from: i32, to: i32) -> Option<Value> {
    History::get().diff(from, to).map(|diff| difference(&diff))
}

/// The calls of others that make a method, by whose they are.
fn elsewhere(method: &Definition) -> Value {
    let places = places().iter().map(|place| (place.key, json!(place.calls_of(&method.name))));
    places.collect()
}

fn method(method: &Method) -> Value {
    let definition = method.definition;
    let said = method.words;
    let errors = method.errors.iter().map(|thrown| {
        json!({
            "name": thrown.name,
            "code": thrown.code,
            "codes": thrown.codes,
            "assumed": thrown.assumed,
            "cause": thrown.cause.or_else(|| thrown.words.map(|words| words.about.as_str())),
            "fix": thrown.words.map(|words| words.fix.as_str()),
            "retry": thrown.words.map(|words| retry(words.retry)),
        })
    });
    let related = &method.related;
    let callers = method.callers.map(|callers| {
        json!({
            "user": callers.user,
            "bot": callers.bot,
            "signed_out": callers.signed_out,
            "business": callers.business,
        })
    });
    let mut page = form(definition);
    merge(
        &mut page,
        json!({
            "namespace": method.namespace(),
            "about": said.map(|words| words.about.trim()),
            "assumed": said.is_some_and(|words| words.assumed),
            "note": said.and_then(|words| words.note.as_deref()).map(str::trim),
            "params": parameters(definition),
            "result": result(&definition.result, said.and_then(|words| words.returns.as_deref())),
            "callers": callers,
            "errors": errors.collect::<Value>(),
            "chappe": said.and_then(|words| words.chappe.as_deref()),
            "elsewhere": elsewhere(definition),
            "related": {
                "needs": related.needs,
                "needed_by": related.needed_by,
                "undo": related.undo,
                "undoes": related.undoes,
                "see": related.see,
                "family": related.family,
            },
            "guides": said.map(|words| &words.guides),
            "request": example::request(method),
            "examples": examples(method),
            "recorded": recorded(method.name()),
        }),
    );
    page
}

fn constructor(constructor: &Constructor) -> Value {
    let definition = constructor.definition;
    let said = constructor.words;
    let mut page = form(definition);
    merge(
        &mut page,
        json!({
            "type": constructor.type_name(),
            "about": said.map(|words| words.about.trim()),
            "assumed": said.is_some_and(|words| words.assumed),
            "fields": parameters(definition),
            "size": size(constructor.size),
            "sample": example::shown(definition).1,
        }),
    );
    page
}

fn core_type_page(core: &CoreType) -> Value {
    let written = core.written.iter().map(|(language, how)| json!({ "in": language, "how": how }));
    let sample = core.sample.map(|(json, hex)| json!({ "json": json, "hex": hex }));
    json!({ "wire": core.wire, "sample": sample, "written": written.collect::<Value>() })
}

fn gone(gone: &'static Gone) -> Value {
    let mut page = form(&gone.definition);
    let result = gone.definition.result.to_string();
    merge(
        &mut page,
        json!({
            "is_method": gone.definition.is_function,
            "params": parameters(&gone.definition),
            "result": result,
            "removed": when(gone.moment),
            "see": gone.see,
        }),
    );
    page
}

/// The examples by language.
fn examples(method: &Method) -> Value {
    let examples = example::examples(method).into_iter().map(|example| {
        let has_code = !example.code.is_empty();
        let written = json!({
            "program": has_code.then_some(example.code),
            "call": has_code.then_some(example.snippet),
            "package": has_code.then_some(example.package),
            "note": example.note,
        });
        (example.language.id().to_owned(), written)
    });
    Value::Object(examples.collect())
}

fn ty(ty: &TypeInfo) -> Value {
    let steps = History::get().steps_of_type(ty.name);
    let steps = steps
        .iter()
        .map(|step| json!({ "when": when(step.moment), "gained": step.gained, "lost": step.lost }));
    let usual = example::usual(ty.name);
    json!({
        "about": ty.about.map(str::trim),
        "constructors": ty.constructors,
        "returned_by": ty.returned_by,
        "found_in_answers_of": ty.found_in_answers_of,
        "accepted_by": ty.accepted_by,
        "held_by": ty.held_by,
        "size": size(ty.size),
        "usual": usual.map(|it| it.name.as_str()),
        "sample": usual.map(|it| example::shown(it).1),
        "history": steps.collect::<Value>(),
    })
}

fn error(error: &ErrorInfo) -> Value {
    let said = error.words;
    let by_code = error.by_code().into_iter();
    let by_code = by_code.map(|(codes, methods)| json!({ "codes": codes, "methods": methods }));
    json!({
        "code": error.code,
        "codes": error.codes,
        "by_code": by_code.collect::<Value>(),
        "about": said.map(|words| words.about.trim()),
        "assumed": said.is_some_and(|words| words.assumed),
        "fix": said.map(|words| words.fix.trim()),
        "retry": said.map(|words| retry(words.retry)),
        "thrown_by": error.thrown_by,
        "refused": recorded::refused_with(error.name)
            .map(|(_, refused)| &refused.request)
            .collect::<Vec<_>>(),
    })
}

fn namespace(namespace: &Namespace) -> Value {
    json!({
        "methods": namespace.methods,
        "types": namespace.types,
        "constructors": namespace.constructors,
    })
}

fn layer(page: &LayerPage) -> Value {
    let sources = page.sources.iter().map(|source| {
        let (registry, package) = (source.registry, source.package);
        json!({ "registry": registry, "package": package, "version": source.version })
    });
    let [methods, constructors, types] = page.sizes;
    json!({
        "summary": page.summary(),
        "about": page.about,
        "known_since": page.day,
        "sources": sources.collect::<Value>(),
        "sizes": { "methods": methods, "constructors": constructors, "types": types },
        "diff": page.diff.as_ref().map(difference),
    })
}

fn difference(diff: &Diff) -> Value {
    let forms = |definitions: &[Definition]| {
        let forms = definitions.iter().map(|it| {
            json!({ "name": it.name, "is_method": it.is_function, "tl": format!("{};", it.text) })
        });
        forms.collect::<Value>()
    };
    let renamed = diff.renamed.iter().map(
        |rename| json!({ "older": rename.older, "newer": rename.newer, "inside": rename.inside }),
    );
    json!({
        "from": diff.from,
        "to": diff.to,
        "breaking": diff.breaks(),
        "added": forms(&diff.added),
        "changed": diff.changed.iter().map(changed).collect::<Value>(),
        "removed": forms(&diff.removed),
        "renamed": renamed.collect::<Value>(),
        "types_added": diff.types_added,
        "types_removed": diff.types_removed,
    })
}

fn changed(changed: &Changed) -> Value {
    let differences = changed.differences.iter().map(ToString::to_string);
    json!({
        "name": changed.newer.name,
        "is_method": changed.newer.is_function,
        "breaking": changed.breaks(),
        "older": format!("{};", changed.older.text),
        "newer": format!("{};", changed.newer.text),
        "differences": differences.collect::<Vec<String>>(),
    })
}

/// What methods and constructors have in common.
fn form(definition: &Definition) -> Value {
    let life = History::get().life(&definition.name);
    let life = life.as_ref();
    json!({
        "id": format!("0x{:08x}", definition.id),
        "tl": format!("{};", definition.text),
        "since": life.and_then(Life::since).map(when),
        "changed": life.and_then(Life::last_change).map(|(moment, _)| when(moment)),
        "history": life.map(steps),
    })
}

fn steps(life: &Life) -> Value {
    let steps = life.steps.iter().map(|step| {
        let mut said = match &step.what {
            What::Added(renames) => {
                let names: Vec<&str> = renames.iter().map(|it| it.older).collect();
                json!({ "what": "added", "for": names })
            }
            What::Changed(change) => {
                let mut said = changed(change);
                said["what"] = json!("changed");
                said
            }
            What::Removed(renames) => {
                let names: Vec<&str> = renames.iter().map(|it| it.newer).collect();
                json!({ "what": "removed", "see": names })
            }
        };
        said["when"] = when(step.moment);
        said
    });
    steps.collect()
}

/// A moment: the layers around it, and in words.
fn when(moment: Moment) -> Value {
    json!({ "after": moment.after, "by": moment.by, "text": moment.to_string() })
}

fn parameters(definition: &'static Definition) -> Value {
    let params = params(definition).map(|param| {
        json!({
            "name": param.name,
            "type": param.ty.to_string(),
            "required": param.flag.is_none(),
            "flag": flag(definition, param),
            "about": meaning(definition, param),
        })
    });
    params.collect()
}

fn result(ty: &Type, about: Option<&str>) -> Value {
    let name = core_type(ty);
    let constructors = name.map(|name| chappe_schema::api().constructors(name)).unwrap_or_default();
    let constructors: Vec<&str> = constructors.iter().map(|it| it.name.as_str()).collect();
    json!({ "type": ty.to_string(), "about": about, "constructors": constructors })
}

fn size(size: Size) -> Value {
    json!({ "least": size.least, "most": size.most, "text": size.to_string() })
}

/// Whether a refused request is worth sending again, in one word.
fn retry(retry: Retry) -> &'static str {
    match retry {
        Retry::Changed => "changed",
        Retry::Later => "later",
        Retry::No => "no",
        Retry::Wait => "wait",
    }
}

fn merge(page: &mut Value, more: Value) {
    if let (Value::Object(page), Value::Object(mut more)) = (page, more) {
        page.append(&mut more);
    }
}
