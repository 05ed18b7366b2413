//! The source of single definitions: structs, methods, enums. How a struct is written and read is in
//! `codec.rs`.

mod codec;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use super::layout::{Decisions, place};
use super::names::{constant, field, module, pascal, variant};
use super::{EmitError, Input, Modules, Place, recursive};
use crate::ast::{Definition, Param, Schema, Type};
use crate::facts::Facts;
use crate::words::Words;

/// Types of `mtproto.tl` that are written by hand: envelopes of other objects, bare items.
const MANUAL: [&str; 6] =
    ["FutureSalt", "FutureSalts", "Message", "MessageContainer", "MessageCopy", "RpcResult"];

/// Writes source for the definitions of one schema.
pub(super) struct Emitter<'a> {
    pub(super) schema: &'a Schema,
    pub(super) facts: &'a Facts,
    pub(super) words: Option<&'a Words>,
    decisions: &'a Decisions,
    uneven: &'a HashSet<String>,
    recursive: HashSet<String>,
    pub(super) place: Place,
}

impl<'a> Emitter<'a> {
    pub(super) fn new(
        input: &Input<'a>,
        (decisions, uneven): (&'a Decisions, &'a HashSet<String>),
        place: Place,
    ) -> Self {
        let Input { schema, facts, words, .. } = *input;
        Self { schema, facts, words, decisions, uneven, recursive: recursive(schema), place }
    }

    /// Writes everything, each definition into the module of its namespace.
    pub(super) fn all(
        &self,
        functions: &mut Modules<'a>,
        types: &mut Modules<'a>,
        enums: &mut Modules<'a>,
    ) -> Result<(), EmitError> {
        let mut taken = HashSet::new();
        let mut claim = |kind: char, definition: &Definition, name: &str| {
            let namespace = definition.namespace().unwrap_or_default();
            if taken.insert((kind, namespace.to_owned(), name.to_owned())) {
                Ok(())
            } else {
                Err(EmitError::NameTaken(name.to_owned()))
            }
        };
        for definition in self.definitions() {
            let namespace = definition.namespace().unwrap_or_default();
            if definition.is_function {
                claim('f', definition, &pascal(&definition.name))?;
                self.function(functions.entry(namespace).or_default(), definition);
            } else if self.is_struct(definition) {
                claim('t', definition, &pascal(&definition.name))?;
                self.constructor(types.entry(namespace).or_default(), definition);
            }
        }
        for (name, constructors) in self.enums() {
            let namespace = name.split_once('.').map_or("", |(namespace, _)| namespace);
            let mut variants = HashSet::new();
            for constructor in &constructors {
                let variant = variant(name, &constructor.name);
                if !variants.insert(variant.clone()) {
                    return Err(EmitError::NameTaken(format!("{name}::{variant}")));
                }
            }
            self.enumeration(enums.entry(namespace).or_default(), name, &constructors);
        }
        Ok(())
    }

    /// Exports of everything whose name is unique among methods, types and enums.
    pub(super) fn exports(&self) -> String {
        let mut text = String::new();
        for (home, names) in self.unique() {
            let list = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let _ = writeln!(text, "pub use self::{home}::{{{list}}};");
        }
        text
    }

    /// Leaves the module away from the paths of what [`Emitter::exports`] exports.
    pub(super) fn shorten(&self, source: &str) -> String {
        let mut source = source.to_owned();
        for (home, names) in self.unique() {
            for name in names {
                for end in [";", ">", ","] {
                    let path = format!("crate::service::{home}::{name}{end}");
                    source = source.replace(&path, &format!("{name}{end}"));
                }
            }
        }
        source.replace("crate::manual::", "").replace("crate::service::", "")
    }

    fn unique(&self) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut homes: HashMap<String, Vec<&str>> = HashMap::new();
        for definition in self.definitions() {
            if definition.is_function {
                homes.entry(pascal(&definition.name)).or_default().push("");
            } else if self.is_struct(definition) {
                homes.entry(pascal(&definition.name)).or_default().push("types");
            }
        }
        for (name, _) in self.enums() {
            homes.entry(pascal(name)).or_default().push("enums");
        }
        let only = |home: &'static str| {
            let names = homes.iter().filter(|(_, homes)| homes[..] == [home]);
            (home, names.map(|(name, _)| name.clone()).collect())
        };
        BTreeMap::from([only("enums"), only("types")])
    }

    /// The table of codecs by TL name, for tests.
    pub(super) fn table(&self) -> String {
        let mut text = String::from(
            "\n/// Types by their TL name.\npub(crate) const TYPES: &[(&str, Recode)] = &[\n",
        );
        let mut types: BTreeSet<&str> = BTreeSet::new();
        let mut functions = String::new();
        for definition in self.definitions() {
            if definition.is_function {
                let query = if definition.is_generic() { "::<chappe_tl::Raw>" } else { "" };
                let path = self.path("", &definition.name);
                let _ =
                    writeln!(functions, "    (\"{}\", recode::<{path}{query}>),", definition.name);
            } else if let Type::Boxed(name) = &definition.result {
                types.insert(name);
            }
        }
        for name in types {
            let path = self.ty(&Type::Boxed(name.to_owned()));
            let _ = writeln!(text, "    (\"{name}\", recode::<{path}>),");
        }
        text.push_str("];\n\n/// Methods by their TL name.\npub(crate) const FUNCTIONS: &[(&str, Recode)] = &[\n");
        text.push_str(&functions);
        text.push_str("];\n");
        let krate = match self.place {
            Place::Api => "chappe_api::",
            Place::Service => "chappe_tl::",
        };
        text.replace("recode::<crate::", &format!("recode::<{krate}"))
    }

    /// The definitions that get source: all but the basic types and those written by hand.
    fn definitions(&self) -> impl Iterator<Item = &'a Definition> {
        self.schema.definitions().iter().filter(|definition| match &definition.result {
            Type::Bool | Type::Object | Type::Vector { .. } if !definition.is_function => false,
            Type::Boxed(name) if !definition.is_function => !self.is_manual(name),
            _ => true,
        })
    }

    /// The types with two constructors or more.
    fn enums(&self) -> impl Iterator<Item = (&'a str, Vec<&'a Definition>)> {
        self.schema
            .types()
            .map(|name| (name, self.schema.constructors(name)))
            .filter(|(name, constructors)| constructors.len() > 1 && *name != "Bool")
    }

    fn is_manual(&self, type_name: &str) -> bool {
        self.place == Place::Service && MANUAL.contains(&type_name)
    }

    /// Whether a constructor has a struct: a variant without fields needs none.
    pub(super) fn is_struct(&self, definition: &Definition) -> bool {
        !definition.params.is_empty() || self.is_only(definition)
    }

    /// Whether a constructor is the only one of its type.
    pub(super) fn is_only(&self, definition: &Definition) -> bool {
        self.schema.constructors(&definition.result.to_string()).len() == 1
    }

    fn constructor(&self, out: &mut String, definition: &Definition) {
        out.push('\n');
        self.constructor_doc(out, definition);
        self.structure(out, definition);
    }

    fn function(&self, out: &mut String, definition: &Definition) {
        let name = definition.name.as_str();
        out.push('\n');
        self.function_doc(out, definition);
        self.structure(out, definition);

        let [generics, arguments] =
            if definition.is_generic() { ["<Q: tl::Function>", "<Q>"] } else { [""; 2] };
        let result = self.ty(&definition.result);
        let rust = pascal(name);
        let errors: Vec<String> = self
            .facts
            .errors_of(name)
            .map(|(error, _)| format!("crate::errors::{}", constant(error)))
            .collect();
        let (user, bot) = (self.facts.user(name), self.facts.bot(name));
        let signed_out = self.facts.signed_out.contains(name);
        let business = self.facts.business.contains(name);
        let _ = write!(
            out,
            "\nimpl{generics} tl::Function for {rust}{arguments} {{\n    \
             type Return = {result};\n    \
             const ID: u32 = {:#010x};\n    \
             const NAME: &'static str = \"{name}\";\n    \
             const CALLERS: tl::Callers = tl::Callers {{ user: {user}, bot: {bot}, signed_out: {signed_out}, business: {business} }};\n    \
             const ERRORS: &'static [tl::ErrorName] = &[{}];\n}}\n",
            definition.id,
            errors.join(", "),
        );
    }

    /// The struct, its inherent items and its codec.
    fn structure(&self, out: &mut String, definition: &Definition) {
        let name = pascal(&definition.name);
        let fields: Vec<&Param> =
            definition.params.iter().filter(|param| param.ty != Type::Nat).collect();
        let optional = fields.iter().any(|param| param.flag.is_some());
        let required = fields.iter().any(|param| param.flag.is_none());
        let default = if optional && !required { ", Default" } else { "" };
        let generic = definition.is_generic();
        let (parameter, arguments) = if generic { ("<Q>", "<Q>") } else { ("", "") };

        if definition.is_function && self.place == Place::Api {
            let _ = write!(
                out,
                "#[derive(Clone, Debug{default})]\n#[cfg_attr(feature = \"decode-methods\", derive(PartialEq))]\n"
            );
        } else {
            let _ = writeln!(out, "#[derive(Clone, Debug, PartialEq{default})]");
        }
        if fields.is_empty() {
            let _ = writeln!(out, "pub struct {name}{parameter};");
        } else {
            let _ = writeln!(out, "pub struct {name}{parameter} {{");
            for param in &fields {
                self.field_doc(out, definition, param);
                let ty = self.field_ty(definition, param);
                let _ = writeln!(out, "    pub {}: {ty},", field(&param.name));
            }
            out.push_str("}\n");
        }

        let _ = write!(
            out,
            "\nimpl{parameter} {name}{arguments} {{\n    \
             /// The constructor id.\n    pub const ID: u32 = {:#010x};\n",
            definition.id
        );
        if optional {
            self.builder(out, definition, &fields, required);
        }
        out.push_str("}\n");
        self.encode(out, definition, &name, generic);
        self.decode(out, definition, &name, generic);
    }

    /// The constructor function that takes what is required and leaves out what is not.
    fn builder(
        &self,
        out: &mut String,
        definition: &Definition,
        fields: &[&Param],
        required: bool,
    ) {
        out.push_str("\n    /// Builds the value from what is required; the rest is left out.\n    #[must_use]\n");
        if !required {
            out.push_str("    pub fn new() -> Self {\n        Self::default()\n    }\n");
            return;
        }
        let (mut parameters, mut values) = (Vec::new(), Vec::new());
        for param in fields {
            let name = field(&param.name);
            if param.flag.is_some() {
                let empty = if param.ty == Type::True { "false" } else { "None" };
                values.push(format!("{name}: {empty}"));
                continue;
            }
            let ty = self.ty(&param.ty);
            let into = match &param.ty {
                Type::String | Type::Bytes => true,
                Type::Boxed(_) => ty.contains("::enums::"),
                _ => false,
            };
            parameters.push(if into {
                format!("{name}: impl Into<{ty}>")
            } else {
                format!("{name}: {ty}")
            });
            let value = if into { format!("{name}.into()") } else { name.clone() };
            values.push(if self.is_boxed(definition, param) {
                format!("{name}: Box::new({value})")
            } else if into {
                format!("{name}: {value}")
            } else {
                name
            });
        }
        if parameters.len() > 7 {
            out.push_str("    #[expect(clippy::too_many_arguments, reason = \"these are the required fields\")]\n");
        }
        let _ = write!(
            out,
            "    pub fn new({}) -> Self {{\n        Self {{ {} }}\n    }}\n",
            parameters.join(", "),
            values.join(", ")
        );
    }

    fn enumeration(&self, out: &mut String, type_name: &str, constructors: &[&Definition]) {
        let name = pascal(type_name);
        let expect = if self.uneven.contains(type_name) {
            "#[expect(clippy::large_enum_variant, reason = \"nearly every value is the large one\")]\n"
        } else {
            ""
        };
        out.push('\n');
        self.enumeration_doc(out, type_name);
        let _ = write!(
            out,
            "{expect}#[derive(Clone, Debug, PartialEq)]\n#[non_exhaustive]\npub enum {name} {{\n"
        );
        let (mut encode, mut decode, mut from) = (String::new(), String::new(), String::new());
        for definition in constructors {
            let variant = variant(type_name, &definition.name);
            let id = definition.id;
            self.variant_doc(out, definition);
            if definition.params.is_empty() {
                let _ = writeln!(out, "    {variant},");
                let _ = writeln!(
                    encode,
                    "            Self::{variant} => tl::write_u32(out, {id:#010x}),"
                );
                let _ = writeln!(decode, "            {id:#010x} => Ok(Self::{variant}),");
                continue;
            }
            let path = self.path("types", &definition.name);
            let boxed = self.decisions.get(&definition.name).copied().unwrap_or_default();
            let (ty, value) = if boxed {
                (format!("Box<{path}>"), "Box::new(value)")
            } else {
                (path.clone(), "value")
            };
            let _ = writeln!(out, "    {variant}({ty}),");
            let _ = writeln!(
                encode,
                "            Self::{variant}(value) => tl::Encode::encode(value, out),"
            );
            let _ = writeln!(
                decode,
                "            {id:#010x} => match tl::DecodeBare::decode_bare(reader) {{\n                \
                 Ok(value) => Ok(Self::{variant}({value})),\n                \
                 Err(error) => Err(error),\n            }},"
            );
            let _ = write!(
                from,
                "\nimpl From<{path}> for {name} {{\n    fn from(value: {path}) -> Self {{\n        Self::{variant}({value})\n    }}\n}}\n"
            );
        }
        let arms = format!(
            "match reader.u32()? {{\n{decode}            id => Err(reader.unknown(id, \"{type_name}\")),\n        }}"
        );
        let body = if self.recursive.contains(type_name) {
            format!(
                "reader.enter()?;\n        let value = {arms};\n        reader.leave();\n        value"
            )
        } else {
            arms
        };
        let _ = write!(
            out,
            "}}\n\nimpl tl::Encode for {name} {{\n    fn encode(&self, out: &mut Vec<u8>) {{\n        match self {{\n{encode}        }}\n    }}\n}}\n\
             \nimpl tl::Decode for {name} {{\n    fn decode(reader: &mut tl::Reader<'_>) -> Result<Self, tl::DecodeError> {{\n        {body}\n    }}\n}}\n{from}"
        );
    }

    fn is_boxed(&self, definition: &Definition, param: &Param) -> bool {
        self.decisions.get(&place(definition, param)).copied().unwrap_or_default()
    }

    /// The Rust type of a field: boxed, optional or plain.
    fn field_ty(&self, definition: &Definition, param: &Param) -> String {
        let mut ty = self.ty(&param.ty);
        if self.is_boxed(definition, param) {
            ty = format!("Box<{ty}>");
        }
        if param.flag.is_some() && param.ty != Type::True { format!("Option<{ty}>") } else { ty }
    }

    fn ty(&self, ty: &Type) -> String {
        match ty {
            Type::Bool | Type::True => "bool".to_owned(),
            Type::Bytes | Type::Object => "tl::Bytes".to_owned(),
            Type::Double => "f64".to_owned(),
            Type::Int => "i32".to_owned(),
            Type::Int128 => "[u8; 16]".to_owned(),
            Type::Int256 => "[u8; 32]".to_owned(),
            Type::Long => "i64".to_owned(),
            Type::Nat => "u32".to_owned(),
            Type::Query => "Q".to_owned(),
            Type::String => "tl::Text".to_owned(),
            Type::Variable(_) => "Q::Return".to_owned(),
            Type::Vector { item, .. } => format!("Vec<{}>", self.ty(item)),
            Type::Bare(name) => self.path("types", name),
            Type::Boxed(name) if self.is_manual(name) => format!("crate::manual::{}", pascal(name)),
            Type::Boxed(name) => match &self.schema.constructors(name)[..] {
                [only] => self.path("types", &only.name),
                _ => self.path("enums", name),
            },
        }
    }

    /// The path of a definition's struct or of a type's enum.
    pub(super) fn path(&self, kind: &str, name: &str) -> String {
        let mut path = match self.place {
            Place::Api => "crate".to_owned(),
            Place::Service => "crate::service".to_owned(),
        };
        if !kind.is_empty() {
            path = format!("{path}::{kind}");
        }
        if let (Some((namespace, _)), Place::Api) = (name.split_once('.'), self.place) {
            path = format!("{path}::{}", module(namespace));
        }
        format!("{path}::{}", pascal(name))
    }
}
