//! Values from and to JSON; the form is described in the parent module.

use std::fmt::Display;

use chappe_tl::MAX_DEPTH;
use serde_json::{Map, Value as Json};

use super::{Object, Value, ValueError, ValueErrorKind, base64, decode, suggest};
use crate::{Definition, Schema, Type};

/// The key of the constructor's name.
const NAME: &str = "_";

impl<'s> Value<'s> {
    /// Reads a value of this type.
    ///
    /// # Errors
    /// With the path of the field: `UnknownConstructor`, `UnknownField`, `MissingField`,
    /// `WrongType`, `OutOfRange`, `BadBase64`, `UnknownMethod` for a query, `TooDeep`.
    pub fn from_json(schema: &'s Schema, ty: &Type, json: &Json) -> Result<Self, ValueError> {
        value(schema, ty, json, 0)
    }

    /// Writes the JSON form.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bool(value) => Json::Bool(*value),
            Self::Bytes(value) => Json::String(base64::encode(value)),
            Self::Double(value) => serde_json::Number::from_f64(*value)
                .map_or_else(|| Json::String(not_finite(*value).to_owned()), Json::Number),
            Self::Int(value) => Json::from(*value),
            Self::Int128(value) => Json::String(base64::encode(value)),
            Self::Int256(value) => Json::String(base64::encode(value)),
            Self::Long(value) => Json::String(value.to_string()),
            Self::Object(object) => object.to_json(),
            Self::String(value) => Json::String(value.to_string()),
            Self::Vector(items) => items.iter().map(Self::to_json).collect(),
        }
    }
}

impl Object<'_> {
    /// Writes the JSON form, the name first.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut json = Map::new();
        json.insert(NAME.to_owned(), Json::String(self.name().to_owned()));
        for (name, value) in self.fields() {
            json.insert(name.to_owned(), value.to_json());
        }
        Json::Object(json)
    }
}

/// A call of `method` with the fields of `json`.
pub(super) fn call<'s>(
    schema: &'s Schema,
    method: &str,
    json: &Json,
) -> Result<Object<'s>, ValueError> {
    let definition = suggest::method(schema, method)?;
    let empty = Map::new();
    let fields = match json {
        Json::Null => &empty,
        Json::Object(fields) => fields,
        _ => return Err(wrong_type(&format!("an object with the fields of `{method}`"), json)),
    };
    object(schema, definition, fields, 0)
}

fn value<'s>(
    schema: &'s Schema,
    ty: &Type,
    json: &Json,
    depth: u8,
) -> Result<Value<'s>, ValueError> {
    let wrong = || wrong_type(ty, json);
    Ok(match ty {
        Type::Bool | Type::True => Value::Bool(json.as_bool().ok_or_else(wrong)?),
        Type::Bytes => Value::Bytes(bytes(ty, json)?.into()),
        Type::Double => Value::Double(match json {
            Json::Number(number) => number.as_f64().ok_or_else(wrong)?,
            Json::String(text) if text == "NaN" => f64::NAN,
            Json::String(text) if text == "Infinity" => f64::INFINITY,
            Json::String(text) if text == "-Infinity" => f64::NEG_INFINITY,
            _ => return Err(wrong()),
        }),
        Type::Int | Type::Nat => match json {
            Json::Number(number) => Value::Int(integer(ty, number)?),
            _ => return Err(wrong()),
        },
        Type::Int128 => Value::Int128(sized(ty, json)?),
        Type::Int256 => Value::Int256(sized(ty, json)?),
        Type::Long => Value::Long(match json {
            Json::Number(number) => integer(ty, number)?,
            Json::String(text) if is_decimal(text) => integer(ty, text)?,
            _ => return Err(wrong()),
        }),
        Type::String => Value::String(json.as_str().ok_or_else(wrong)?.into()),
        Type::Vector { item, .. } => {
            let mut items = Vec::new();
            for (index, json) in json.as_array().ok_or_else(wrong)?.iter().enumerate() {
                let value = value(schema, item, json, depth);
                items.push(value.map_err(|error| error.within(format!("[{index}]")))?);
            }
            Value::Vector(items)
        }
        Type::Bare(_) | Type::Boxed(_) | Type::Object | Type::Query | Type::Variable(_) => {
            let fields = json.as_object().ok_or_else(wrong)?;
            let definition = named(schema, ty, fields)?;
            Value::Object(object(schema, definition, fields, depth)?)
        }
    })
}

/// Finds the constructor or method that the object names.
fn named<'s>(
    schema: &'s Schema,
    ty: &Type,
    fields: &Map<String, Json>,
) -> Result<&'s Definition, ValueError> {
    let name = match fields.get(NAME) {
        Some(Json::String(name)) => Some(name.as_str()),
        Some(other) => return Err(wrong_type("a name", other).within(NAME)),
        None => None,
    };
    let only = match ty {
        Type::Bare(name) => {
            Some(decode::bare(schema, name).ok_or_else(|| suggest::unknown_type(name))?)
        }
        Type::Boxed(name) => match schema.constructors(name).as_slice() {
            [only] => Some(*only),
            _ => None,
        },
        _ => None,
    };
    match (name, ty) {
        (None, _) => only.ok_or_else(|| {
            ValueError::new(ValueErrorKind::MissingField {
                field: NAME.to_owned(),
                of: ty.to_string(),
                expected: "a constructor's name".to_owned(),
            })
        }),
        (Some(name), Type::Query) => suggest::method(schema, name),
        (Some(name), _) => schema
            .find(name)
            .filter(|definition| definition.is_of(ty))
            .ok_or_else(|| suggest::unknown_constructor(schema, name, ty)),
    }
}

fn object<'s>(
    schema: &'s Schema,
    definition: &'s Definition,
    json: &Map<String, Json>,
    depth: u8,
) -> Result<Object<'s>, ValueError> {
    if depth == MAX_DEPTH {
        return Err(ValueError::new(ValueErrorKind::TooDeep));
    }
    let mut object = Object::new(definition);
    for (name, json) in json.iter().filter(|(name, _)| *name != NAME) {
        let param = definition.params.iter().find(|param| param.name == *name);
        let Some(param) = param.filter(|param| param.ty != Type::Nat) else {
            return Err(suggest::unknown_field(definition, name));
        };
        let value = value(schema, &param.ty, json, depth + 1);
        let value = value.map_err(|error| error.within(name))?;
        let is_unset = param.ty == Type::True && value == Value::Bool(false);
        object.set(name, Some(value).filter(|_| !is_unset))?;
    }
    for param in definition.params.iter().filter(|param| param.ty != Type::Nat) {
        if object.get(&param.name).is_none() && !object.is_absent(param) {
            return Err(object.missing(param));
        }
    }
    object.settle();
    Ok(object)
}

/// Bytes of one length.
fn sized<const N: usize>(ty: &Type, json: &Json) -> Result<[u8; N], ValueError> {
    let bytes = bytes(ty, json)?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| out_of_range(format!("a length of {length} bytes"), ty))
}

fn bytes(ty: &Type, json: &Json) -> Result<Vec<u8>, ValueError> {
    let text = json.as_str().ok_or_else(|| wrong_type(ty, json))?;
    base64::decode(text)
        .ok_or_else(|| ValueError::new(ValueErrorKind::BadBase64 { expected: ty.to_string() }))
}

/// A whole number from its text; one with a fraction is of the wrong type.
fn integer<T: std::str::FromStr>(ty: &Type, number: &impl Display) -> Result<T, ValueError> {
    let text = number.to_string();
    text.parse().map_err(|_| {
        if is_decimal(&text) || text.contains(['e', 'E']) {
            out_of_range(text, ty)
        } else {
            ValueError::new(ValueErrorKind::WrongType {
                expected: ty.to_string(),
                found: format!("the number {text}"),
            })
        }
    })
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn out_of_range(value: String, ty: &Type) -> ValueError {
    ValueError::new(ValueErrorKind::OutOfRange { value, expected: ty.to_string() })
}

fn wrong_type(expected: &(impl Display + ?Sized), found: &Json) -> ValueError {
    let found = match found {
        Json::Array(_) => "an array",
        Json::Bool(_) => "a boolean",
        Json::Null => "null",
        Json::Number(_) => "a number",
        Json::Object(_) => "an object",
        Json::String(_) => "a string",
    };
    let (expected, found) = (expected.to_string(), found.to_owned());
    ValueError::new(ValueErrorKind::WrongType { expected, found })
}

/// The text of a number that JSON has none for.
fn not_finite(value: f64) -> &'static str {
    match value {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}
