//! Random values by schema, the same ones for the same seed: food for property tests.

use std::collections::HashMap;

use chappe_tl::{Text, VECTOR};

use super::{Object, Value};
use crate::{Definition, Schema, Type};

/// Below this many levels optional and variable parts are filled; deeper ones stay small.
const DEPTH: u8 = 4;

/// The height of what cannot be built at all.
const NEVER: u8 = u8::MAX;

/// A generator of values that a schema allows.
#[derive(Clone, Debug)]
pub struct Random<'s> {
    schema: &'s Schema,
    state: u64,
    /// How deep the shallowest value of a constructor or method is, by id.
    heights: HashMap<u32, u8>,
    /// The constructors that a value of a type can have, lowest first.
    choices: HashMap<&'s str, Vec<&'s Definition>>,
    /// The constructors that can stand for an `Object`.
    objects: Vec<&'s Definition>,
    /// The methods that can stand for a query.
    queries: Vec<&'s Definition>,
}

impl<'s> Random<'s> {
    /// Starts the sequence of this seed.
    #[must_use]
    pub fn new(schema: &'s Schema, seed: u64) -> Self {
        let heights = heights(schema);
        let height = |definition: &Definition| heights.get(&definition.id).copied();
        let mut choices = HashMap::new();
        for name in schema.types() {
            let mut constructors = schema.constructors(name);
            constructors.sort_by_key(|constructor| height(constructor));
            choices.insert(name, constructors);
        }
        let is_low = |it: &&Definition| height(it).is_some_and(|height| height <= 2);
        let low = schema.definitions().iter().filter(is_low).filter(|it| it.id != VECTOR);
        let (queries, objects): (Vec<_>, Vec<_>) = low.partition(|it| it.is_function);
        let queries = queries.into_iter().filter(|method| !method.is_generic()).collect();
        Self { schema, state: seed, heights, choices, objects, queries }
    }

    /// A random value of this constructor, or call of this method.
    pub fn object(&mut self, definition: &'s Definition) -> Object<'s> {
        self.fields(definition, DEPTH)
    }

    /// A random value of this type, as a field or a result has it.
    pub fn value(&mut self, ty: &Type) -> Value<'s> {
        self.of_type(ty, DEPTH)
    }

    /// A random number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    fn fields(&mut self, definition: &'s Definition, depth: u8) -> Object<'s> {
        let mut object = Object::new(definition);
        // Fields that share a bit are present together.
        let mut bits: HashMap<(usize, u8), bool> = HashMap::new();
        for (index, param) in definition.params.iter().enumerate() {
            if param.ty == Type::Nat {
                continue;
            }
            if let Some(flag) = param.flag {
                let is_deep = depth == 0 && !matches!(param.ty, Type::True);
                let is_set = self.below(2) == 0 && !is_deep;
                if !*bits.entry((flag.field, flag.bit)).or_insert(is_set) {
                    continue;
                }
            }
            let value = self.of_type(&param.ty, depth.saturating_sub(1));
            if let Some(slot) = object.fields.get_mut(index) {
                *slot = Some(value);
            }
        }
        object
    }

    fn of_type(&mut self, ty: &Type, depth: u8) -> Value<'s> {
        match ty {
            Type::Bool => Value::Bool(self.below(2) == 0),
            Type::Bytes => {
                let length = self.length();
                Value::Bytes((0..length).map(|_| self.byte()).collect())
            }
            // A number of some thousands, so that texts of it are short; never NaN, which
            // equals nothing.
            Type::Double => Value::Double(f64::from(self.int() >> 12) / 64.0),
            Type::Int | Type::Nat => Value::Int(self.int()),
            Type::Int128 => Value::Int128(std::array::from_fn(|_| self.byte())),
            Type::Int256 => Value::Int256(std::array::from_fn(|_| self.byte())),
            Type::Long => Value::Long(self.long()),
            Type::String => Value::String(self.text()),
            Type::True => Value::Bool(true),
            Type::Vector { item, .. } => {
                let count = if depth == 0 { 0 } else { self.below(4) };
                Value::Vector((0..count).map(|_| self.of_type(item, depth)).collect())
            }
            Type::Bare(name) => match super::decode::bare(self.schema, name) {
                Some(definition) => Value::Object(self.fields(definition, depth)),
                None => Value::Vector(Vec::new()),
            },
            Type::Boxed(name) => self.boxed(name, depth),
            Type::Object | Type::Query | Type::Variable(_) => {
                let is_query = *ty == Type::Query;
                let count = if is_query { self.queries.len() } else { self.objects.len() };
                let index = self.below(count);
                let choices = if is_query { &self.queries } else { &self.objects };
                match choices.get(index).copied() {
                    Some(definition) => Value::Object(self.fields(definition, depth)),
                    None => Value::Vector(Vec::new()),
                }
            }
        }
    }

    /// Any constructor of the type; near the bottom one of the lowest.
    fn boxed(&mut self, name: &str, depth: u8) -> Value<'s> {
        let choices = self.choices.get(name).map(Vec::as_slice).unwrap_or_default();
        let height = |definition: &&&Definition| self.heights.get(&definition.id).copied();
        let lowest = choices.first().and_then(|lowest| height(&lowest)).unwrap_or(NEVER);
        let limit = depth.max(lowest);
        let count =
            choices.iter().take_while(|it| height(it).is_some_and(|it| it <= limit)).count();
        let index = self.below(count);
        match self.choices.get(name).and_then(|choices| choices.get(index)).copied() {
            Some(definition) => Value::Object(self.fields(definition, depth)),
            None => Value::Vector(Vec::new()),
        }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): enough for tests, useless for secrets.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    fn byte(&mut self) -> u8 {
        let [byte, ..] = self.next().to_le_bytes();
        byte
    }

    fn int(&mut self) -> i32 {
        let [a, b, c, d, ..] = self.next().to_le_bytes();
        match self.below(8) {
            0 => 0,
            1 => i32::MAX,
            2 => i32::MIN,
            _ => i32::from_le_bytes([a, b, c, d]),
        }
    }

    fn long(&mut self) -> i64 {
        match self.below(8) {
            0 => 0,
            1 => i64::MAX,
            2 => i64::MIN,
            _ => self.next().cast_signed(),
        }
    }

    /// Mostly short, now and then around the lengths where the wire form changes.
    fn length(&mut self) -> usize {
        match self.below(16) {
            0 => 250 + self.below(10),
            _ => self.below(20),
        }
    }

    fn text(&mut self) -> Text {
        let length = self.length();
        let alphabet = ['a', 'Z', '7', ' ', '"', '\\', '\n', 'é', '語', '🚲'];
        (0..length).filter_map(|_| alphabet.get(self.below(alphabet.len()))).collect()
    }
}

/// The height of every constructor and method: 1 for one that needs no other.
fn heights(schema: &Schema) -> HashMap<u32, u8> {
    let mut heights: HashMap<u32, u8> = HashMap::new();
    let mut types: HashMap<&str, u8> = HashMap::new();
    loop {
        let mut is_done = true;
        for definition in schema.definitions() {
            let needed = definition.params.iter().filter(|param| param.flag.is_none());
            let below = needed.map(|param| match &param.ty {
                Type::Boxed(name) => types.get(name.as_str()).copied().unwrap_or(NEVER),
                Type::Bare(name) => super::decode::bare(schema, name)
                    .and_then(|bare| heights.get(&bare.id).copied())
                    .unwrap_or(NEVER),
                Type::Object | Type::Variable(_) | Type::Query => 1,
                _ => 0,
            });
            let height = below.max().unwrap_or(0).saturating_add(1);
            let known = heights.entry(definition.id).or_insert(NEVER);
            if height < *known {
                *known = height;
                is_done = false;
            }
            if let (false, Type::Boxed(name)) = (definition.is_function, &definition.result) {
                let lowest = types.entry(name).or_insert(NEVER);
                *lowest = height.min(*lowest);
            }
        }
        if is_done {
            return heights;
        }
    }
}
