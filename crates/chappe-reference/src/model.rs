//! Everything that has a page, with what leads from one to the other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chappe_schema::words::{ConstructorWords, ErrorWords, MethodWords, summary, words};
use chappe_schema::{Definition, Param, Type, api, facts};

use crate::Kind;

mod gone;
mod related;
mod size;

pub use chappe_schema::FACTS_LAYER;
pub use gone::Gone;
pub(crate) use gone::meaning;
pub use size::Size;

/// The name of what has no namespace.
pub const ROOT: &str = "root";

/// All things that have a page.
#[derive(Debug)]
pub struct Reference {
    methods: Vec<Method>,
    constructors: Vec<Constructor>,
    types: Vec<TypeInfo>,
    errors: Vec<ErrorInfo>,
    namespaces: Vec<Namespace>,
    gone: Vec<Gone>,
}

/// A method.
#[derive(Debug)]
pub struct Method {
    /// Its form.
    pub definition: &'static Definition,
    /// What it does.
    pub words: Option<&'static MethodWords>,
    /// Who may call it; `None` when it is newer than what is known about that.
    pub callers: Option<Callers>,
    /// The errors that are its own, by name; what nearly every method answers is left out.
    pub errors: Vec<Thrown>,
    /// Methods that belong to it.
    pub related: Related,
}

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callers {
    /// A person's account.
    pub user: bool,
    /// A bot.
    pub bot: bool,
    /// Somebody who has not signed in yet.
    pub signed_out: bool,
    /// A bot in the name of a business account.
    pub business: bool,
}

/// An error that a method is known to answer.
#[derive(Clone, Copy, Debug)]
pub struct Thrown {
    /// Its name, with `X` for a number.
    pub name: &'static str,
    /// The code that it comes with here most certainly, that of HTTP mostly.
    pub code: i32,
    /// All that it may come with here, this one first.
    pub codes: &'static [i32],
    /// Whether nobody has seen it here: the local Telegram answers it as methods of its kind do.
    pub assumed: bool,
    /// The cause, where it is more special than that of the error everywhere.
    pub cause: Option<&'static str>,
    /// What the error means everywhere.
    pub words: Option<&'static ErrorWords>,
}

/// Methods that belong to a method, each list without doubles, by TL names.
#[derive(Clone, Debug, Default)]
pub struct Related {
    /// Those that give the values it needs.
    pub needs: Vec<&'static str>,
    /// Those that need the values it gives.
    pub needed_by: Vec<&'static str>,
    /// Those that take it back.
    pub undo: Vec<&'static str>,
    /// Those that it takes back.
    pub undoes: Vec<&'static str>,
    /// Those that one looks for here, said by either of the two.
    pub see: Vec<&'static str>,
    /// Those that are about the same, the nearest first; none of the above.
    pub family: Vec<&'static str>,
}

/// A constructor of a type.
#[derive(Debug)]
pub struct Constructor {
    /// Its form.
    pub definition: &'static Definition,
    /// What it says or is.
    pub words: Option<&'static ConstructorWords>,
    /// What it takes on the wire as a value of its type.
    pub size: Size,
}

/// A type.
#[derive(Debug)]
pub struct TypeInfo {
    /// Its whole TL name.
    pub name: &'static str,
    /// What it stands for.
    pub about: Option<&'static str>,
    /// Its constructors, in the order of the schema.
    pub constructors: Vec<&'static str>,
    /// Methods that answer it, or a vector of it.
    pub returned_by: Vec<&'static str>,
    /// Methods whose answer has it in a field, if it is not their answer.
    pub found_in_answers_of: Vec<&'static str>,
    /// Methods that take it, alone or in a vector.
    pub accepted_by: Vec<&'static str>,
    /// Constructors that have it in a field.
    pub held_by: Vec<&'static str>,
    /// What it takes on the wire, whichever of its constructors it is.
    pub size: Size,
}

/// An error.
#[derive(Debug)]
pub struct ErrorInfo {
    /// Its name, with `X` for a number.
    pub name: &'static str,
    /// Its usual code, that of HTTP mostly.
    pub code: i32,
    /// All that it may come with, this one first.
    pub codes: &'static [i32],
    /// What it means.
    pub words: Option<&'static ErrorWords>,
    /// The methods that are known to answer it.
    pub thrown_by: Vec<&'static str>,
}

/// What has the same word in front of its name.
#[derive(Debug)]
pub struct Namespace {
    /// That word, or [`ROOT`].
    pub name: &'static str,
    /// Its methods.
    pub methods: Vec<&'static str>,
    /// Its types.
    pub types: Vec<&'static str>,
    /// Its constructors.
    pub constructors: Vec<&'static str>,
}

impl Reference {
    /// The reference of the newest layer, made when it is first asked for.
    #[must_use]
    pub fn get() -> &'static Self {
        static REFERENCE: LazyLock<Reference> = LazyLock::new(Reference::new);
        &REFERENCE
    }

    fn new() -> Self {
        let schema = api();
        let mut definitions: Vec<&'static Definition> = schema.definitions().iter().collect();
        definitions.sort_by(|a, b| order(&a.name).cmp(&order(&b.name)));
        let (functions, constructors): (Vec<_>, Vec<_>) =
            definitions.into_iter().partition(|it| it.is_function);

        let mut methods: Vec<Method> = functions.iter().map(|it| method(it)).collect();
        for method in &mut methods {
            let name = method.name();
            method.callers = facts().knows(name).then(|| callers(name));
        }
        related::relate(&mut methods);

        let sizes = size::Sizes::new(schema);
        let types = types(&methods, &constructors, &sizes);
        let constructors: Vec<Constructor> = constructors
            .into_iter()
            .map(|definition| Constructor {
                definition,
                words: words().constructor(&definition.name),
                size: sizes.constructor(definition),
            })
            .collect();
        let errors = errors(&methods);
        let namespaces = namespaces(&methods, &constructors, &types);
        let gone = gone::gone();
        Self { methods, constructors, types, errors, namespaces, gone }
    }

    /// The layer that all of this is of.
    #[must_use]
    pub fn layer(&self) -> i32 {
        api().layer().unwrap_or_default()
    }

    /// All methods, sorted by namespace and name.
    #[must_use]
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// All constructors, sorted by namespace and name.
    #[must_use]
    pub fn constructors(&self) -> &[Constructor] {
        &self.constructors
    }

    /// All types, sorted by namespace and name.
    #[must_use]
    pub fn types(&self) -> &[TypeInfo] {
        &self.types
    }

    /// All known errors, sorted by name.
    #[must_use]
    pub fn errors(&self) -> &[ErrorInfo] {
        &self.errors
    }

    /// All namespaces, sorted by name.
    #[must_use]
    pub fn namespaces(&self) -> &[Namespace] {
        &self.namespaces
    }

    /// The methods and constructors that only older layers have, sorted by namespace and name.
    #[must_use]
    pub fn gone(&self) -> &[Gone] {
        &self.gone
    }

    /// The method of this whole TL name.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&Method> {
        found(&self.methods, name, |it| &it.definition.name)
    }

    /// The constructor of this whole TL name.
    #[must_use]
    pub fn constructor(&self, name: &str) -> Option<&Constructor> {
        found(&self.constructors, name, |it| &it.definition.name)
    }

    /// The type of this whole TL name.
    #[must_use]
    pub fn ty(&self, name: &str) -> Option<&TypeInfo> {
        found(&self.types, name, |it| it.name)
    }

    /// The error of this name, with `X` for a number.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&ErrorInfo> {
        let index = self.errors.binary_search_by(|it| it.name.cmp(name));
        index.ok().and_then(|index| self.errors.get(index))
    }

    /// The method or constructor of this whole TL name that only older layers have.
    #[must_use]
    pub fn gone_thing(&self, name: &str) -> Option<&Gone> {
        found(&self.gone, name, Gone::name)
    }

    /// The namespace of this name.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.iter().find(|it| it.name == name)
    }

    /// What the method, constructor, type or error of this exact name is, or what it was.
    #[must_use]
    pub fn kind_of(&self, name: &str) -> Option<Kind> {
        match api().find(name) {
            Some(definition) if definition.is_function => Some(Kind::Method),
            Some(_) => Some(Kind::Constructor),
            None if self.ty(name).is_some() => Some(Kind::Type),
            None if self.error(name).is_some() => Some(Kind::Error),
            None => self.gone_thing(name).map(|_| Kind::Gone),
        }
    }
}

impl Method {
    /// Its whole TL name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        &self.definition.name
    }

    /// What it does, in a sentence.
    #[must_use]
    pub fn summary(&self) -> Option<&'static str> {
        self.words.map(|words| summary(&words.about))
    }

    /// Its namespace, or [`ROOT`].
    #[must_use]
    pub fn namespace(&self) -> &'static str {
        namespace_of(self.name())
    }
}

impl Constructor {
    /// Its whole TL name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        &self.definition.name
    }

    /// What it says or is, in a sentence.
    #[must_use]
    pub fn summary(&self) -> Option<&'static str> {
        self.words.map(|words| summary(&words.about))
    }

    /// The whole TL name of its type.
    #[must_use]
    pub fn type_name(&self) -> String {
        self.definition.result.to_string()
    }
}

impl TypeInfo {
    /// What it stands for, in a sentence.
    #[must_use]
    pub fn summary(&self) -> Option<&'static str> {
        self.about.map(summary)
    }
}

impl ErrorInfo {
    /// The codes that it may come with at a method, the most certain one first.
    #[must_use]
    pub fn codes_at(&self, method: &str) -> &'static [i32] {
        facts().codes_at(method, self.name)
    }

    /// Which codes it may come with at which of its methods, those that most have first; nothing
    /// where no method's are known better than [`Self::codes`].
    #[must_use]
    pub fn by_code(&self) -> Vec<(&'static [i32], Vec<&'static str>)> {
        let mut groups: Vec<(&'static [i32], Vec<&'static str>)> = Vec::new();
        for method in &self.thrown_by {
            let codes = self.codes_at(method);
            match groups.iter_mut().find(|(known, _)| *known == codes) {
                Some((_, methods)) => methods.push(method),
                None => groups.push((codes, vec![method])),
            }
        }
        groups.sort_by_key(|(_, methods)| Reverse(methods.len()));
        let is_better = groups.iter().any(|(codes, _)| *codes != self.codes);
        groups.retain(|_| is_better);
        groups
    }

    /// Its cause, in a sentence.
    #[must_use]
    pub fn summary(&self) -> Option<&'static str> {
        self.words.map(|words| summary(&words.about))
    }
}

/// The name of the one boxed type that a type is or holds: `User` of `Vector<User>`.
#[must_use]
pub fn core_type(ty: &Type) -> Option<&str> {
    match ty {
        Type::Boxed(name) => Some(name),
        Type::Bool => Some("Bool"),
        Type::Vector { item, .. } => core_type(item),
        _ => None,
    }
}

/// The parameters that a person sees: all but the flag words.
pub fn params(definition: &'static Definition) -> impl Iterator<Item = &'static Param> {
    definition.params.iter().filter(|param| param.ty != Type::Nat)
}

/// The namespace of a name, or [`ROOT`].
#[must_use]
pub fn namespace_of(name: &str) -> &str {
    name.split_once('.').map_or(ROOT, |(namespace, _)| namespace)
}

/// The part of a name behind its namespace.
pub(crate) fn short(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, name)| name)
}

/// Whether the name of an error has a number in it.
pub(crate) fn is_numbered(name: &str) -> bool {
    name.split('_').any(|word| word == "X")
}

/// The order of pages: what has no namespace first, then by namespace and name.
fn order(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or(("", name))
}

fn found<'r, T>(sorted: &'r [T], name: &str, name_of: impl Fn(&T) -> &str) -> Option<&'r T> {
    let index = sorted.binary_search_by(|it| order(name_of(it)).cmp(&order(name)));
    index.ok().and_then(|index| sorted.get(index))
}

fn method(definition: &'static Definition) -> Method {
    let words = words().method(&definition.name);
    let facts = facts();
    let mut errors: BTreeMap<&'static str, bool> = BTreeMap::new();
    errors.extend(facts.assumed_of(&definition.name).map(|(name, _)| (name, true)));
    errors.extend(facts.errors_of(&definition.name).map(|(name, _)| (name, false)));
    for name in words.into_iter().flat_map(|words| words.errors.keys()) {
        if let Some((name, _)) = facts.errors.get_key_value(name) {
            errors.entry(name).or_insert(false);
        }
    }
    let errors = errors.into_iter().map(|(name, assumed)| {
        let codes = facts.codes_at(&definition.name, name);
        Thrown {
            name,
            code: codes.first().copied().unwrap_or_default(),
            codes,
            assumed,
            cause: words.and_then(|words| words.errors.get(name)).map(String::as_str),
            words: chappe_schema::words::words().error(name),
        }
    });
    Method {
        definition,
        words,
        callers: None,
        errors: errors.collect(),
        related: Related::default(),
    }
}

fn callers(name: &str) -> Callers {
    let facts = facts();
    Callers {
        user: facts.user(name),
        bot: facts.bot(name),
        signed_out: facts.signed_out.contains(name),
        business: facts.business.contains(name),
    }
}

/// Collects the types with all that leads to and from them.
fn types(
    methods: &[Method],
    constructors: &[&'static Definition],
    sizes: &size::Sizes,
) -> Vec<TypeInfo> {
    let mut names: Vec<&'static str> = api().types().collect();
    names.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut held_by: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    // Which types a value of a type has in its fields.
    let mut holds: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for definition in constructors {
        for held in held(definition) {
            held_by.entry(held).or_default().push(&definition.name);
            holds.entry(definition.result.to_string()).or_default().insert(held);
        }
    }
    let mut returned_by: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    let mut in_answers: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    let mut accepted_by: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    for method in methods {
        for accepted in held(method.definition) {
            accepted_by.entry(accepted).or_default().push(method.name());
        }
        let Some(answer) = core_type(&method.definition.result) else { continue };
        returned_by.entry(answer).or_default().push(method.name());
        for inner in holds.get(answer).into_iter().flatten().filter(|inner| **inner != answer) {
            in_answers.entry(inner).or_default().push(method.name());
        }
    }
    let take =
        |from: &mut BTreeMap<&str, Vec<&'static str>>, name| from.remove(name).unwrap_or_default();
    names
        .into_iter()
        .map(|name| TypeInfo {
            name,
            about: words().ty(name),
            constructors: api().constructors(name).iter().map(|it| it.name.as_str()).collect(),
            returned_by: take(&mut returned_by, name),
            found_in_answers_of: take(&mut in_answers, name),
            accepted_by: take(&mut accepted_by, name),
            held_by: take(&mut held_by, name),
            size: sizes.boxed(name),
        })
        .collect()
}

/// The types of a definition's parameters, each once.
fn held(definition: &'static Definition) -> BTreeSet<&'static str> {
    params(definition).filter_map(|param| core_type(&param.ty)).collect()
}

fn errors(methods: &[Method]) -> Vec<ErrorInfo> {
    let mut thrown_by: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    for method in methods {
        for thrown in &method.errors {
            thrown_by.entry(thrown.name).or_default().push(method.name());
        }
    }
    let all = facts().errors.iter();
    all.map(|(name, code)| ErrorInfo {
        name,
        code: *code,
        codes: facts().codes(name),
        words: words().error(name),
        thrown_by: thrown_by.remove(name.as_str()).unwrap_or_default(),
    })
    .collect()
}

fn namespaces(
    methods: &[Method],
    constructors: &[Constructor],
    types: &[TypeInfo],
) -> Vec<Namespace> {
    let mut all: BTreeMap<&'static str, Namespace> = BTreeMap::new();
    let mut of = |name: &'static str, add: &mut dyn FnMut(&mut Namespace)| {
        let name = namespace_of(name);
        add(all.entry(name).or_insert_with(|| Namespace {
            name,
            methods: Vec::new(),
            types: Vec::new(),
            constructors: Vec::new(),
        }));
    };
    for method in methods {
        of(method.name(), &mut |space| space.methods.push(method.name()));
    }
    for ty in types {
        of(ty.name, &mut |space| space.types.push(ty.name));
    }
    for constructor in constructors {
        of(constructor.name(), &mut |space| space.constructors.push(constructor.name()));
    }
    all.into_values().collect()
}

#[cfg(test)]
mod tests;
