//! How many bytes a value takes on the wire.

use std::collections::HashMap;
use std::fmt;

use chappe_schema::{Definition, Schema, Type};

/// The bytes of a value on the wire, its constructor id among them where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The fewest.
    pub least: u64,
    /// The most; `None` where nothing but the length of a message bounds it.
    pub most: Option<u64>,
}

impl Size {
    /// Always as many.
    const fn fixed(bytes: u64) -> Self {
        Self { least: bytes, most: Some(bytes) }
    }

    /// As many or more.
    const fn from(bytes: u64) -> Self {
        Self { least: bytes, most: None }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            least: self.least.saturating_add(other.least),
            most: self.most.zip(other.most).map(|(a, b)| a.saturating_add(b)),
        }
    }
}

/// In words: `12 bytes`, `4 to 12 bytes`, `16 bytes or more`.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self { least, most: Some(most) } if least == most => write!(f, "{least} bytes"),
            Self { least, most: Some(most) } => write!(f, "{least} to {most} bytes"),
            Self { least, most: None } => write!(f, "{least} bytes or more"),
        }
    }
}

/// The sizes of a schema's types.
#[derive(Debug)]
pub(super) struct Sizes {
    boxed: HashMap<String, Size>,
}

impl Sizes {
    pub(super) fn new(schema: &Schema) -> Self {
        let mut sizes = Self { boxed: HashMap::new() };
        // A type that holds itself can be of any length; what is not reached yet is impossible.
        let unknown = Size::from(u64::MAX);
        for name in schema.types() {
            sizes.boxed.insert(name.to_owned(), unknown);
        }
        // Sizes only fall to what is true: the fewest bytes first, then where there is an end.
        loop {
            let mut is_done = true;
            for name in schema.types() {
                let constructors = schema.constructors(name);
                let all = constructors.iter().map(|it| sizes.constructor(it));
                let together = all.reduce(|a, b| Size {
                    least: a.least.min(b.least),
                    most: a.most.zip(b.most).map(|(a, b)| a.max(b)),
                });
                let size = together.unwrap_or(unknown);
                if sizes.boxed.get(name) != Some(&size) {
                    sizes.boxed.insert(name.to_owned(), size);
                    is_done = false;
                }
            }
            if is_done {
                return sizes;
            }
        }
    }

    /// A value of this type, whichever of its constructors it is.
    pub(super) fn boxed(&self, name: &str) -> Size {
        self.boxed.get(name).copied().unwrap_or(Size::from(4))
    }

    /// A value of this constructor as one of its type.
    pub(super) fn constructor(&self, definition: &Definition) -> Size {
        match definition.name.as_str() {
            // These two are never written as their declarations say: the id, the number of items
            // and the items; nothing but a bit of the flags.
            "vector" => return Size::from(8),
            "true" => return Size::fixed(0),
            _ => {}
        }
        let mut size = Size::fixed(4);
        for param in &definition.params {
            let mut of_param = self.of(&param.ty);
            if param.flag.is_some() {
                of_param.least = 0;
            }
            size = size.plus(of_param);
        }
        size
    }

    fn of(&self, ty: &Type) -> Size {
        match ty {
            Type::Bool | Type::Int | Type::Nat => Size::fixed(4),
            Type::Double | Type::Long => Size::fixed(8),
            Type::Int128 => Size::fixed(16),
            Type::Int256 => Size::fixed(32),
            Type::True => Size::fixed(0),
            Type::Boxed(name) => self.boxed(name),
            // A length of one byte, padded to four; the number of items; an id.
            Type::Bare(_) | Type::Bytes | Type::String | Type::Vector { bare: true, .. } => {
                Size::from(4)
            }
            Type::Object | Type::Query | Type::Variable(_) => Size::from(4),
            Type::Vector { bare: false, .. } => Size::from(8),
        }
    }
}
