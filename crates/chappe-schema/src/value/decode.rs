//! From bytes to values.

use bytes::Bytes;
use chappe_tl::{Reader, VECTOR};

use super::{Object, Value, ValueError};
use crate::{Definition, Schema, Type};

/// How many bytes a vector reserves before its items prove themselves by decoding.
const RESERVE: usize = 64 * 1024;

impl<'s> Value<'s> {
    /// Reads a value of this type that fills `bytes`.
    ///
    /// # Errors
    /// `Decode` when the bytes are not one, `TooDeep` beyond [`chappe_tl::MAX_DEPTH`].
    pub fn decode(schema: &'s Schema, ty: &Type, bytes: &Bytes) -> Result<Self, ValueError> {
        let mut input = Reader::new(bytes);
        let value = Self::read(schema, ty, &mut input)?;
        input.finish()?;
        Ok(value)
    }

    /// Reads a value of this type and leaves the reader behind it.
    ///
    /// # Errors
    /// As [`Value::decode`].
    pub fn read(schema: &'s Schema, ty: &Type, input: &mut Reader<'_>) -> Result<Self, ValueError> {
        Ok(match ty {
            Type::Bool => Self::Bool(input.bool()?),
            Type::Bytes => Self::Bytes(input.bytes()?),
            Type::Double => Self::Double(input.f64()?),
            Type::Int => Self::Int(input.i32()?),
            Type::Int128 => Self::Int128(input.int128()?),
            Type::Int256 => Self::Int256(input.int256()?),
            Type::Long => Self::Long(input.i64()?),
            Type::Nat => Self::Int(input.u32()?.cast_signed()),
            Type::String => Self::String(input.text()?),
            Type::True => Self::Bool(true),
            Type::Vector { item, bare } => {
                let count = if *bare { input.count()? } else { input.vector_count()? };
                let mut items = Vec::with_capacity(count.min(RESERVE / size_of::<Self>()));
                for index in 0..count {
                    let value = Self::read(schema, item, input);
                    items.push(value.map_err(|error| error.within(format!("[{index}]")))?);
                }
                Self::Vector(items)
            }
            Type::Bare(_) | Type::Boxed(_) | Type::Object | Type::Query | Type::Variable(_) => {
                let definition = constructor(schema, ty, input)?;
                Self::Object(Object::read_fields(schema, definition, input)?)
            }
        })
    }
}

impl<'s> Object<'s> {
    /// Reads a method's call that fills `bytes`.
    ///
    /// # Errors
    /// As [`Value::decode`].
    pub fn decode_call(schema: &'s Schema, bytes: &Bytes) -> Result<Self, ValueError> {
        let mut input = Reader::new(bytes);
        let definition = constructor(schema, &Type::Query, &mut input)?;
        let call = Self::read_fields(schema, definition, &mut input)?;
        input.finish()?;
        Ok(call)
    }

    /// Reads the fields behind the id.
    fn read_fields(
        schema: &'s Schema,
        definition: &'s Definition,
        input: &mut Reader<'_>,
    ) -> Result<Self, ValueError> {
        input.enter()?;
        let object = Self::read_fields_while(schema, definition, input, |_| true)?;
        input.leave();
        Ok(object)
    }

    /// Reads the fields up to the first of a type that is not wanted.
    pub(crate) fn read_fields_while(
        schema: &'s Schema,
        definition: &'s Definition,
        input: &mut Reader<'_>,
        wanted: impl Fn(&Type) -> bool,
    ) -> Result<Self, ValueError> {
        let mut object = Self::new(definition);
        // There are few flag words, and most objects have none.
        let mut words: Vec<(usize, u32)> = Vec::new();
        for (index, param) in definition.params.iter().enumerate() {
            if !wanted(&param.ty) {
                break;
            }
            if let Some(flag) = param.flag {
                let word = words.iter().find(|(field, _)| *field == flag.field);
                if word.is_none_or(|(_, word)| word >> flag.bit & 1 == 0) {
                    continue;
                }
            }
            if param.ty == Type::Nat {
                words.push((index, input.u32()?));
                continue;
            }
            let value = Value::read(schema, &param.ty, input);
            let value = value.map_err(|error| error.within(&param.name))?;
            if let Some(slot) = object.fields.get_mut(index) {
                *slot = Some(value);
            }
        }
        Ok(object)
    }
}

/// Reads the id and finds what it stands for; bare types have none to read.
fn constructor<'s>(
    schema: &'s Schema,
    ty: &Type,
    input: &mut Reader<'_>,
) -> Result<&'s Definition, ValueError> {
    if let Type::Bare(name) = ty {
        return bare(schema, name).ok_or_else(|| super::suggest::unknown_type(name));
    }
    let id = input.u32()?;
    let fits = |definition: &&Definition| match ty {
        Type::Boxed(_) => !definition.is_function && definition.result == *ty,
        Type::Query => definition.is_function,
        // A vector tells nothing of the type of its items.
        _ => !definition.is_function && definition.id != VECTOR,
    };
    schema.get(id).filter(fits).ok_or_else(|| {
        let expected = match ty {
            Type::Boxed(_) => "this type",
            Type::Query => "a method",
            _ => "any type",
        };
        let error = ValueError::from(input.unknown(id, expected));
        match ty {
            Type::Boxed(name) => error.within(format!("({name})")),
            _ => error,
        }
    })
}

/// The constructor that a bare type means: its own name, or the only one of the type.
pub(super) fn bare<'s>(schema: &'s Schema, name: &str) -> Option<&'s Definition> {
    let only = || match schema.constructors(name).as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    schema.find(name).filter(|definition| !definition.is_function).or_else(only)
}

#[cfg(test)]
mod tests {
    use chappe_tl::DecodeErrorKind;

    use super::{Object, Type, Value};
    use crate::value::ValueErrorKind;

    /// Any bytes are an error or a value, never a panic, and errors name kinds and places.
    #[test]
    fn hostile_bytes_are_errors() {
        let schema = crate::api();
        let kind = |hex: &str, ty: Type| {
            let bytes: Vec<u8> = (0..hex.len() / 2)
                .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
                .collect();
            let error = Value::decode(schema, &ty, &bytes.into()).unwrap_err();
            match error.kind() {
                ValueErrorKind::Decode(error) => error.kind(),
                other => panic!("{other:?}"),
            }
        };
        let peer = Type::Boxed("Peer".into());
        assert_eq!(kind("", peer.clone()), DecodeErrorKind::UnexpectedEnd);
        assert_eq!(kind("22175159", peer.clone()), DecodeErrorKind::UnexpectedEnd);
        let trailing = DecodeErrorKind::TrailingBytes { count: 1 };
        assert_eq!(kind("22175159000000000000000000", peer.clone()), trailing);
        let unknown =
            DecodeErrorKind::UnknownConstructor { id: 0x9972_75b5, expected: "this type" };
        assert_eq!(kind("b5757299", peer), unknown);
        let many = DecodeErrorKind::TooManyItems { count: u32::MAX };
        let numbers = Type::Vector { item: Box::new(Type::Long), bare: false };
        assert_eq!(kind("15c4b51cffffffff", numbers), many);
        let vector = DecodeErrorKind::UnknownConstructor { id: 0x1cb5_c415, expected: "any type" };
        assert_eq!(kind("15c4b51c00000000", Type::Object), vector);
    }

    #[test]
    fn nesting_ends() {
        let schema = crate::api();
        // A jsonArray of jsonArrays.
        let array = schema.find("jsonArray").unwrap().id.to_le_bytes();
        let step = [array, 0x1cb5_c415_u32.to_le_bytes(), 1_u32.to_le_bytes()].concat();
        let bytes = step.repeat(100_000).into();
        let error = Value::decode(schema, &Type::Boxed("JSONValue".into()), &bytes).unwrap_err();
        assert_eq!(*error.kind(), ValueErrorKind::TooDeep);
        // invokeWithoutUpdates around itself.
        let bytes = 0xbf94_59b7_u32.to_le_bytes().repeat(100_000).into();
        let error = Object::decode_call(schema, &bytes).unwrap_err();
        assert_eq!(*error.kind(), ValueErrorKind::TooDeep);
    }
}
