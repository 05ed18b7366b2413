//! How large the generated types get, and what is boxed to keep them small.
//!
//! The decisions are sticky: `schema/boxed.txt` keeps them, so that a field that a new layer
//! adds somewhere never changes the type of another. Only new places are decided here.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::ast::{Definition, Param, Schema, Type};

/// The largest payload of an enum's variant that is not boxed.
const MAX_VARIANT: usize = 56;

/// The largest optional field that is not boxed.
const MAX_OPTIONAL: usize = 56;

/// From which difference on a variant is far larger than the next, as clippy has it.
const UNEVEN: usize = 200;

/// What is boxed: `constructor` for a variant's payload, `constructor.field` for a field.
/// `true` is boxed, `false` is inline.
pub(crate) type Decisions = BTreeMap<String, bool>;

/// An estimate of a type's size, never below the compiler's own.
#[derive(Clone, Copy, Debug)]
struct Layout {
    size: usize,
    align: usize,
    /// Whether `Option` of it needs no room of its own.
    niche: bool,
}

const fn layout(size: usize, align: usize, niche: bool) -> Layout {
    Layout { size, align, niche }
}

/// Decides what is boxed in the types of a schema.
pub(crate) struct Boxing<'a> {
    schema: &'a Schema,
    decisions: Decisions,
    types: HashMap<&'a str, Layout>,
    open: HashSet<&'a str>,
    uneven: HashSet<String>,
}

impl<'a> Boxing<'a> {
    /// Starts from the decisions of earlier runs and decides the rest. Returns them and the
    /// types that are decided to have one variant far larger than the others.
    pub(crate) fn decide(schema: &'a Schema, decisions: Decisions) -> (Decisions, HashSet<String>) {
        let (types, open, uneven) = (HashMap::new(), HashSet::new(), HashSet::new());
        let mut boxing = Self { schema, decisions, types, open, uneven };
        for definition in schema.definitions() {
            if let (Type::Boxed(name), false) = (&definition.result, definition.is_function) {
                boxing.named(name);
            }
        }
        for definition in schema.functions() {
            boxing.fields(definition);
        }
        let mut decisions = boxing.decisions;
        decisions.retain(|place, _| {
            let (constructor, field) = split(schema, place);
            schema.find(constructor).is_some_and(|definition| {
                field.is_none_or(|field| definition.params.iter().any(|p| p.name == field))
            })
        });
        (decisions, boxing.uneven)
    }

    /// The layout of a type by its name, or none while it is being worked out.
    fn named(&mut self, name: &str) -> Option<Layout> {
        let constructors = self.schema.constructors(name);
        let Some(Type::Boxed(name)) = constructors.first().map(|first| &first.result) else {
            return Some(layout(32, 8, true));
        };
        if let Some(known) = self.types.get(name.as_str()) {
            return Some(*known);
        }
        if !self.open.insert(name) {
            return None;
        }
        let result = match &constructors[..] {
            [one] => self.fields(one),
            many => {
                let (mut size, mut align) = (0, 1);
                let mut sizes = Vec::new();
                for constructor in many {
                    let payload = self.fields(constructor);
                    let boxed = *self
                        .decisions
                        .entry(constructor.name.clone())
                        .or_insert(payload.size > MAX_VARIANT);
                    let payload = if boxed { layout(8, 8, true) } else { payload };
                    sizes.push(payload.size);
                    size = size.max(payload.size);
                    align = align.max(payload.align);
                }
                sizes.sort_unstable();
                if let [.., second, largest] = sizes[..]
                    && largest - second >= UNEVEN
                {
                    self.uneven.insert(name.clone());
                }
                layout((size + align).next_multiple_of(align), align, true)
            }
        };
        self.open.remove(name.as_str());
        self.types.insert(name, result);
        Some(result)
    }

    fn fields(&mut self, definition: &'a Definition) -> Layout {
        let (mut size, mut align, mut niche) = (0, 1, false);
        for param in definition.params.iter().filter(|param| param.ty != Type::Nat) {
            let field = self.field(definition, param);
            size += field.size;
            align = align.max(field.align);
            niche |= field.niche;
        }
        layout(size.next_multiple_of(align), align, niche)
    }

    fn field(&mut self, definition: &Definition, param: &'a Param) -> Layout {
        let ty = match &param.ty {
            Type::Boxed(name) => {
                let inline = self.named(name);
                let boxed = *self.decisions.entry(place(definition, param)).or_insert_with(|| {
                    inline.is_none_or(|ty| param.flag.is_some() && ty.size > MAX_OPTIONAL)
                });
                match inline {
                    Some(inline) if !boxed => inline,
                    _ => layout(8, 8, true),
                }
            }
            Type::Int | Type::Nat => layout(4, 4, false),
            Type::Long | Type::Double => layout(8, 8, false),
            Type::Int128 => layout(16, 1, false),
            Type::Int256 => layout(32, 1, false),
            Type::Bool | Type::True => layout(1, 1, true),
            Type::String | Type::Vector { .. } => layout(24, 8, true),
            Type::Bare(_) | Type::Bytes | Type::Object | Type::Query | Type::Variable(_) => {
                layout(32, 8, true)
            }
        };
        let by_hand = !matches!(param.ty, Type::Boxed(_))
            && self.decisions.get(&place(definition, param)).copied().unwrap_or_default();
        let ty = if by_hand { layout(8, 8, true) } else { ty };
        if param.flag.is_none() || param.ty == Type::True || ty.niche {
            ty
        } else {
            layout(ty.size + ty.align, ty.align, false)
        }
    }
}

/// The place of a field in the decisions.
pub(crate) fn place(definition: &Definition, param: &Param) -> String {
    format!("{}.{}", definition.name, param.name)
}

/// Reads `schema/boxed.txt`: a line is `box PLACE` or `inline PLACE`.
///
/// # Errors
/// The first line that is neither.
pub(crate) fn parse(text: &str) -> Result<Decisions, String> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split_once(' ') {
            Some(("box", place)) => Ok((place.to_owned(), true)),
            Some(("inline", place)) => Ok((place.to_owned(), false)),
            _ => Err(line.to_owned()),
        })
        .collect()
}

/// Writes `schema/boxed.txt`.
pub(crate) fn print(decisions: &Decisions) -> String {
    let mut text = String::from(
        "# What is boxed in the generated types: a variant's payload (`constructor`), a field\n\
         # (`constructor.field`). `cargo xtask codegen` adds what is new and drops what is gone;\n\
         # a line that is here stays, because flipping one breaks callers.\n",
    );
    for (place, boxed) in decisions {
        text.push_str(if *boxed { "box " } else { "inline " });
        text.push_str(place);
        text.push('\n');
    }
    text
}

/// Cuts a place into the constructor and the field; both parts of a constructor's name and
/// the field are joined by dots.
fn split<'p>(schema: &Schema, place: &'p str) -> (&'p str, Option<&'p str>) {
    match place.rsplit_once('.') {
        Some((constructor, field)) if schema.find(place).is_none() => (constructor, Some(field)),
        _ => (place, None),
    }
}
