//! Rust source of the types and methods of a schema.
//!
//! A constructor becomes a struct; a type with two constructors or more becomes an enum over
//! these structs, a type with one is that struct. A method becomes a struct as well. The
//! output is final: no formatter runs behind it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use crate::ast::{Definition, Param, Schema, Type};
use crate::facts::Facts;
use crate::words::Words;

mod docs;
mod expression;
mod layout;
mod names;
mod shape;
mod source;

pub use expression::{Expression, Expressions};
use layout::{Boxing, Decisions};
use source::Emitter;

/// What to generate from.
#[derive(Debug)]
pub struct Input<'a> {
    /// The definitions.
    pub schema: &'a Schema,
    /// What is known of the methods.
    pub facts: &'a Facts,
    /// What everything means.
    pub words: Option<&'a Words>,
    /// The text of the sticky decisions, `schema/boxed.txt`.
    pub boxed: &'a str,
    /// The comment that every file begins with, each line with its slashes.
    pub header: &'a str,
}

/// What was generated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The source files by their path below the source folder.
    pub files: BTreeMap<String, String>,
    /// The sticky decisions with those that are new.
    pub boxed: String,
    /// The modules of methods, which the crate's own file has to declare.
    pub modules: BTreeSet<String>,
}

/// A schema that Rust source cannot be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// A line of the sticky decisions is not `box PLACE` or `inline PLACE`.
    #[error("`{0}` is no decision; write `box PLACE` or `inline PLACE`")]
    BadDecision(String),
    /// Two definitions get the same Rust name in one module.
    #[error("two definitions of one module are called `{0}` in Rust; extend the naming table")]
    NameTaken(String),
    /// The facts name a method or an error that does not exist.
    #[error("the facts name `{0}`, which does not exist")]
    UnknownFact(String),
}

/// Generates the crate of the API: methods by namespace, `types`, `enums`, `errors`.
///
/// # Errors
/// When names collide or the facts do not fit the schema.
pub fn api(input: &Input<'_>) -> Result<Output, EmitError> {
    check_facts(input)?;
    let (decisions, uneven) = decide(input)?;
    let emitter = Emitter::new(input, (&decisions, &uneven), Place::Api);
    let mut output = Output { boxed: layout::print(&decisions), ..Output::default() };

    let mut functions: Modules<'_> = BTreeMap::from([("", String::new())]);
    let mut types = functions.clone();
    let mut enums = functions.clone();
    emitter.all(&mut functions, &mut types, &mut enums)?;

    for (folder, modules) in [("types", types), ("enums", enums)] {
        let children: Vec<&str> = modules.keys().copied().filter(|name| !name.is_empty()).collect();
        for (namespace, body) in modules {
            let module = names::module(namespace);
            let (path, doc, declarations) = if namespace.is_empty() {
                (format!("{folder}.rs"), root_doc(folder), declare(&children))
            } else {
                let doc = format!("{} of the namespace `{namespace}`.", noun(folder));
                (format!("{folder}/{module}.rs"), doc, String::new())
            };
            // Paths into the module itself would only be longer than they need to be.
            let own = format!("crate::{}::", path.trim_end_matches(".rs").replace('/', "::"));
            let body = docs::shortened(&body.replace(&own, ""));
            output.files.insert(path, file(input.header, &doc, &declarations, &body));
        }
    }
    for (namespace, mut body) in functions {
        let module = names::module(namespace);
        let (path, doc) = if namespace.is_empty() {
            let layer = input.schema.layer().unwrap_or_default();
            body.insert_str(0, &format!("\n/// The layer of the schema that this crate was generated from.\npub const LAYER: i32 = {layer};\n"));
            ("root.rs".to_owned(), "Methods without a namespace, and the layer.".to_owned())
        } else {
            output.modules.insert(module.clone());
            (format!("{module}.rs"), format!("Methods of the namespace `{namespace}`."))
        };
        output.files.insert(path, file(input.header, &doc, "", &body));
    }
    output.files.insert("errors.rs".to_owned(), errors(input, &emitter)?);
    Ok(output)
}

/// Generates the service types of MTProto: one file with the methods, `types` and `enums`.
///
/// # Errors
/// As [`api`].
pub fn service(input: &Input<'_>) -> Result<Output, EmitError> {
    let (decisions, uneven) = decide(input)?;
    let emitter = Emitter::new(input, (&decisions, &uneven), Place::Service);
    let mut functions: Modules<'_> = BTreeMap::new();
    let (mut types, mut enums) = (functions.clone(), functions.clone());
    emitter.all(&mut functions, &mut types, &mut enums)?;

    let mut body = String::from(
        "pub use crate::manual::{FutureSalt, FutureSalts, GzipPacked, Message, MsgContainer, RpcResult};\n",
    );
    body.push_str(&emitter.exports());
    for functions in functions.values() {
        body.push_str(&emitter.shorten(functions));
    }
    for (module, parts) in [("types", types), ("enums", enums)] {
        let _ =
            write!(body, "\n/// {}\npub mod {module} {{\n    use crate as tl;\n", root_doc(module));
        for line in parts.values().flat_map(|part| part.lines()) {
            let indent = if line.is_empty() { "" } else { "    " };
            let line = line.replace(&format!("crate::service::{module}::"), "");
            let _ = writeln!(body, "{indent}{line}");
        }
        body.push_str("}\n");
    }
    let doc = "Service types of MTProto: key exchange, messages about messages, sessions.";
    let text =
        file(input.header, doc, "", &body).replace("use chappe_tl as tl;", "use crate as tl;");
    let files = BTreeMap::from([("service.rs".to_owned(), text)]);
    Ok(Output { files, boxed: layout::print(&decisions), modules: BTreeSet::new() })
}

/// Generates the table that tests look codecs up in: by a type's or method's TL name, the
/// function that decodes bytes and encodes them again.
///
/// # Errors
/// As [`api`].
pub fn table(input: &Input<'_>, place: Place) -> Result<String, EmitError> {
    let (decisions, uneven) = decide(input)?;
    let emitter = Emitter::new(input, (&decisions, &uneven), place);
    let head = "//! Generated codecs by TL name.\n\nuse super::{Recode, recode};\n";
    Ok(format!("{}{head}{}", input.header, emitter.table()))
}

/// Which crate the source is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The crate of the API types.
    Api,
    /// The service types of MTProto.
    Service,
}

/// Source by namespace; the empty one is the root.
pub(crate) type Modules<'a> = BTreeMap<&'a str, String>;

fn decide(input: &Input<'_>) -> Result<(Decisions, HashSet<String>), EmitError> {
    let decisions = layout::parse(input.boxed).map_err(EmitError::BadDecision)?;
    Ok(Boxing::decide(input.schema, decisions))
}

fn check_facts(input: &Input<'_>) -> Result<(), EmitError> {
    let facts = input.facts;
    let methods = facts
        .throws
        .keys()
        .chain(&facts.user_only)
        .chain(&facts.bot_only)
        .chain(&facts.signed_out)
        .chain(&facts.business);
    for method in methods {
        if input.schema.find(method).is_none_or(|definition| !definition.is_function) {
            return Err(EmitError::UnknownFact(method.clone()));
        }
    }
    for error in facts.throws.values().flatten() {
        if !facts.errors.contains_key(error) {
            return Err(EmitError::UnknownFact(error.clone()));
        }
    }
    Ok(())
}

fn errors(input: &Input<'_>, emitter: &Emitter<'_>) -> Result<String, EmitError> {
    let mut body = String::new();
    let mut taken = HashSet::new();
    for (name, code) in &input.facts.errors {
        let constant = names::constant(name);
        body.push('\n');
        emitter.error_doc(&mut body, name);
        let _ = writeln!(
            body,
            "pub const {constant}: tl::ErrorName = tl::ErrorName {{ code: {code}, name: \"{name}\" }};"
        );
        if !taken.insert(constant.clone()) {
            return Err(EmitError::NameTaken(constant));
        }
    }
    let doc = "Known errors of the methods, by name; `X` stands for a number.";
    Ok(file(input.header, doc, "", &body))
}

fn file(header: &str, doc: &str, declarations: &str, body: &str) -> String {
    format!("{header}//! {doc}\n\nuse chappe_tl as tl;\n{declarations}{body}")
}

fn declare(modules: &[&str]) -> String {
    let lines =
        modules.iter().map(|name| format!("#[rustfmt::skip]\npub mod {};\n", names::module(name)));
    format!("\n{}", lines.collect::<String>())
}

fn noun(folder: &str) -> &'static str {
    if folder == "types" { "Constructors" } else { "Types with several constructors" }
}

fn root_doc(folder: &str) -> String {
    match folder {
        "types" => {
            "Constructors: one struct each. A type that has only one is used as that struct."
        }
        _ => "Types with two or more constructors: one enum each.",
    }
    .to_owned()
}

/// Types that contain themselves, directly or through others.
pub(crate) fn recursive(schema: &Schema) -> HashSet<String> {
    fn target(ty: &Type) -> Option<&str> {
        match ty {
            Type::Boxed(name) => Some(name),
            Type::Vector { item, .. } => target(item),
            _ => None,
        }
    }
    let mut edges: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for definition in schema.definitions().iter().filter(|definition| !definition.is_function) {
        if let Type::Boxed(name) = &definition.result {
            let targets = definition.params.iter().filter_map(|param: &Param| target(&param.ty));
            edges.entry(name).or_default().extend(targets);
        }
    }
    let reaches_itself = |start: &str| {
        let mut seen = HashSet::new();
        let mut queue: Vec<&str> = vec![start];
        while let Some(name) = queue.pop() {
            for next in edges.get(name).into_iter().flatten() {
                if *next == start {
                    return true;
                }
                if seen.insert(*next) {
                    queue.push(next);
                }
            }
        }
        false
    };
    edges.keys().filter(|name| reaches_itself(name)).map(|name| (*name).to_owned()).collect()
}

/// Parameters that share a bit with this one, this one included; one when it has its own.
pub(crate) fn group<'a>(definition: &'a Definition, param: &Param) -> Vec<&'a Param> {
    definition
        .params
        .iter()
        .filter(|other| other.flag.is_some() && other.flag == param.flag)
        .collect()
}
