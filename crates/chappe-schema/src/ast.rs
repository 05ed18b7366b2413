//! What a schema says: definitions, their parameters, their types.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// The definitions of one schema, in the order of its text, found by id, name and type.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    layer: Option<i32>,
    definitions: Vec<Definition>,
    by_id: HashMap<u32, usize>,
    by_name: HashMap<String, usize>,
    types: BTreeMap<String, Vec<usize>>,
}

/// A constructor or a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The whole TL name: `account.webAuthorizations`.
    pub name: String,
    /// The id that begins the boxed form.
    pub id: u32,
    /// The parameters that are on the wire, flag words among them, in order.
    pub params: Vec<Param>,
    /// A constructor's type; what a method answers.
    pub result: Type,
    /// Whether this is a method.
    pub is_function: bool,
    /// The line of the schema, without its semicolon.
    pub text: String,
    /// The number of that line, from 1.
    pub line: usize,
}

/// A parameter of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name in the schema.
    pub name: String,
    /// Its type, without the condition.
    pub ty: Type,
    /// The condition under which it is on the wire.
    pub flag: Option<Flag>,
}

/// A bit of a flag word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Which of the definition's parameters is the flag word.
    pub field: usize,
    /// The bit, 0 to 31.
    pub bit: u8,
}

/// A type, as a parameter or a result names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// One constructor's fields without its id: `%future_salt`, `future_salt`.
    Bare(String),
    /// `Bool`.
    Bool,
    /// A boxed type by its whole name: `messages.Messages`.
    Boxed(String),
    /// `bytes`.
    Bytes,
    /// `double`.
    Double,
    /// `int`.
    Int,
    /// `int128`.
    Int128,
    /// `int256`.
    Int256,
    /// `long`.
    Long,
    /// `#`: a flag word or a count.
    Nat,
    /// `Object`: any boxed value.
    Object,
    /// `!X`: any method's call.
    Query,
    /// `string`.
    String,
    /// `true`: nothing on the wire but its bit.
    True,
    /// `X`, `t`: what the type variable stands for.
    Variable(String),
    /// `Vector<T>`, or bare `vector<T>`.
    Vector {
        /// The type of the items.
        item: Box<Self>,
        /// Whether the constructor id is left out.
        bare: bool,
    },
}

impl Schema {
    /// Starts an empty schema.
    pub(crate) fn new(layer: Option<i32>) -> Self {
        Self { layer, ..Self::default() }
    }

    /// Adds a definition, or hands it back when its id or name is taken.
    pub(crate) fn insert(&mut self, definition: Definition) -> Result<(), Box<Definition>> {
        if self.by_id.contains_key(&definition.id) || self.by_name.contains_key(&definition.name) {
            return Err(Box::new(definition));
        }
        let index = self.definitions.len();
        self.by_id.insert(definition.id, index);
        self.by_name.insert(definition.name.clone(), index);
        if !definition.is_function {
            self.types.entry(definition.result.to_string()).or_default().push(index);
        }
        self.definitions.push(definition);
        Ok(())
    }

    /// The layer that the text announces with `// LAYER n`.
    #[must_use]
    pub fn layer(&self) -> Option<i32> {
        self.layer
    }

    /// All definitions, in the order of the text.
    #[must_use]
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// The methods, in the order of the text.
    pub fn functions(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.iter().filter(|definition| definition.is_function)
    }

    /// The constructor or method of this id.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&Definition> {
        self.by_id.get(&id).and_then(|index| self.definitions.get(*index))
    }

    /// The constructor or method of this whole name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Definition> {
        self.by_name.get(name).and_then(|index| self.definitions.get(*index))
    }

    /// The constructors of a type by its whole name, in the order of the text; none when the
    /// type is unknown.
    #[must_use]
    pub fn constructors(&self, type_name: &str) -> Vec<&Definition> {
        let indexes = self.types.get(type_name).map_or(&[][..], Vec::as_slice);
        indexes.iter().filter_map(|index| self.definitions.get(*index)).collect()
    }

    /// The whole names of the types that have constructors, sorted.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }
}

impl Definition {
    /// The part before the dot: `account`.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.name.split_once('.').map(|(namespace, _)| namespace)
    }

    /// The part behind the dot, or the whole name: `webAuthorizations`.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.name.split_once('.').map_or(self.name.as_str(), |(_, name)| name)
    }

    /// Whether the answer is that of a query among the parameters.
    #[must_use]
    pub fn is_generic(&self) -> bool {
        matches!(self.result, Type::Variable(_))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("Bool"),
            Self::Bare(name) | Self::Boxed(name) | Self::Variable(name) => f.write_str(name),
            Self::Bytes => f.write_str("bytes"),
            Self::Double => f.write_str("double"),
            Self::Int => f.write_str("int"),
            Self::Int128 => f.write_str("int128"),
            Self::Int256 => f.write_str("int256"),
            Self::Long => f.write_str("long"),
            Self::Nat => f.write_str("#"),
            Self::Object => f.write_str("Object"),
            Self::Query => f.write_str("!X"),
            Self::String => f.write_str("string"),
            Self::True => f.write_str("true"),
            Self::Vector { item, bare: false } => write!(f, "Vector<{item}>"),
            Self::Vector { item, bare: true } => write!(f, "vector<{item}>"),
        }
    }
}
