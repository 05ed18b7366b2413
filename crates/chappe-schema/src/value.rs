//! Any TL value without generated types: decoded by a schema at run time, with JSON both ways.
//!
//! It is what `chappe call` speaks, and what [`crate::layers`] converts between layers.
//!
//! JSON form: an object names its constructor in `"_"` (which may be left out where the type
//! has only one) and gives its fields by their schema names; an absent optional field is left
//! out, a `true` flag is `true` or left out, flag words are never written. `long` is written
//! as a decimal string, since JSON numbers lose digits, and read from a string or a number.
//! `bytes`, `int128` and `int256` are standard base64 with padding. A `double` that is not
//! finite is `"NaN"`, `"Infinity"` or `"-Infinity"`. A query is an object named after its method.
//!
//! ```
//! use chappe_schema::{api, value};
//!
//! let json = serde_json::json!({ "hash": "-81985529216486895" });
//! let call = value::encode_call(api(), "account.resetWebAuthorization", &json)?;
//! assert_eq!(call[..4], 0x2d01_b9ef_u32.to_le_bytes());
//! let answer = 0x9972_75b5_u32.to_le_bytes().to_vec().into();
//! let answer = value::decode_result(api(), "account.resetWebAuthorization", &answer)?;
//! assert_eq!(answer, serde_json::json!(true));
//! # Ok::<(), value::ValueError>(())
//! ```

use bytes::Bytes;
use chappe_tl::Text;

use crate::{Definition, Schema, Type};

mod base64;
mod decode;
mod encode;
mod error;
mod json;
pub mod random;
mod suggest;
#[cfg(test)]
mod tests;

pub use error::{ValueError, ValueErrorKind};

/// A value of any type of a schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'s> {
    /// `Bool`, or a `true` flag.
    Bool(bool),
    /// `bytes`.
    Bytes(Bytes),
    /// `double`.
    Double(f64),
    /// `int`.
    Int(i32),
    /// `int128`.
    Int128([u8; 16]),
    /// `int256`.
    Int256([u8; 32]),
    /// `long`.
    Long(i64),
    /// A constructor with its fields, or a method's call.
    Object(Object<'s>),
    /// `string`.
    String(Text),
    /// `Vector<T>`, boxed or bare.
    Vector(Vec<Self>),
}

/// A constructor, or a method's call, with its fields.
#[derive(Clone, Debug)]
pub struct Object<'s> {
    definition: &'s Definition,
    /// One for each parameter of the definition; flag words and what is absent are `None`.
    fields: Vec<Option<Value<'s>>>,
}

impl<'s> Object<'s> {
    /// Starts an object whose fields are all absent.
    #[must_use]
    pub fn new(definition: &'s Definition) -> Self {
        Self { definition, fields: vec![None; definition.params.len()] }
    }

    /// Reads a call of `method` whose parameters are the fields of `json`, as [`encode_call`] does.
    ///
    /// # Errors
    /// As [`encode_call`].
    pub fn call_from_json(
        schema: &'s Schema,
        method: &str,
        json: &serde_json::Value,
    ) -> Result<Self, ValueError> {
        json::call(schema, method, json)
    }

    /// The constructor or method.
    #[must_use]
    pub fn definition(&self) -> &'s Definition {
        self.definition
    }

    /// The whole TL name of the constructor or method.
    #[must_use]
    pub fn name(&self) -> &'s str {
        &self.definition.name
    }

    /// The field of this name; `None` when it is absent or there is none.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value<'s>> {
        self.index(field).and_then(|index| self.fields.get(index)).and_then(Option::as_ref)
    }

    /// Sets or clears a field.
    ///
    /// # Errors
    /// `UnknownField`. That the value is of the field's type is seen when it is encoded.
    pub fn set(&mut self, field: &str, value: Option<Value<'s>>) -> Result<(), ValueError> {
        let slot = self.index(field).and_then(|index| self.fields.get_mut(index));
        match slot {
            Some(slot) => *slot = value,
            None => return Err(suggest::unknown_field(self.definition, field)),
        }
        Ok(())
    }

    /// The fields that are present, by name, in the order of the schema.
    pub fn fields(&self) -> impl Iterator<Item = (&'s str, &Value<'s>)> {
        let params = self.definition.params.iter().zip(&self.fields);
        params.filter_map(|(param, value)| Some((param.name.as_str(), value.as_ref()?)))
    }

    /// The type of the answer to this call: for a wrapper, that of the query inside.
    #[must_use]
    pub fn result(&self) -> &'s Type {
        let query = |value: &Option<Value<'s>>| match value {
            Some(Value::Object(query)) if query.definition.is_function => Some(query.result()),
            _ => None,
        };
        if self.definition.is_generic() {
            self.fields.iter().find_map(query).unwrap_or(&self.definition.result)
        } else {
            &self.definition.result
        }
    }

    /// The field of the parameter at this index.
    pub(crate) fn at(&self, index: usize) -> Option<&Value<'s>> {
        self.fields.get(index).and_then(Option::as_ref)
    }

    /// As [`Object::get`], with a guess where the parameter is.
    pub(crate) fn get_near(&self, field: &str, index: usize) -> Option<&Value<'s>> {
        match self.definition.params.get(index) {
            Some(param) if param.name == field => self.at(index),
            _ => self.get(field),
        }
    }

    /// Sets or clears the field of the parameter at this index.
    pub(crate) fn put(&mut self, index: usize, value: Option<Value<'s>>) {
        if let Some(slot) = self.fields.get_mut(index) {
            *slot = value;
        }
    }

    fn index(&self, field: &str) -> Option<usize> {
        let mut params = self.definition.params.iter();
        params.position(|param| param.name == field && param.ty != Type::Nat)
    }
}

/// Objects of two schemas are equal when their definitions are and the fields that are present.
impl PartialEq for Object<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.definition.id == other.definition.id && self.fields().eq(other.fields())
    }
}

/// Serializes a call of `method` whose parameters are the fields of `json` (an object without
/// `"_"`, or null when there are none to give).
///
/// # Errors
/// `UnknownMethod`, and everything that [`Value::from_json`] says about the parameters.
pub fn encode_call(
    schema: &Schema,
    method: &str,
    json: &serde_json::Value,
) -> Result<Vec<u8>, ValueError> {
    let mut out = Vec::new();
    Object::call_from_json(schema, method, json)?.encode(&mut out)?;
    Ok(out)
}

/// Reads the answer to a call of `method`.
///
/// # Errors
/// `UnknownMethod`, and `Decode` when the bytes are not an answer of the declared type.
pub fn decode_result(
    schema: &Schema,
    method: &str,
    bytes: &Bytes,
) -> Result<serde_json::Value, ValueError> {
    let definition = suggest::method(schema, method)?;
    Ok(Value::decode(schema, &definition.result, bytes)?.to_json())
}
