//! From values to bytes.

use chappe_tl::{
    MAX_DEPTH, VECTOR, write_bool, write_bytes, write_f64, write_i32, write_i64, write_int128,
    write_int256, write_text, write_u32,
};

use super::{Object, Value, ValueError, ValueErrorKind};
use crate::{Definition, Param, Type};

impl Value<'_> {
    /// Appends the wire form of this value, which must be of this type.
    ///
    /// # Errors
    /// `WrongType`, `MissingField`, `OutOfRange` (a vector or text that no length can
    /// announce), `TooDeep`; `out` then ends with a piece of the value.
    pub fn encode(&self, ty: &Type, out: &mut Vec<u8>) -> Result<(), ValueError> {
        self.write(ty, out, 0)
    }

    /// What this value is called in messages.
    pub(crate) fn kind(&self) -> &str {
        match self {
            Self::Bool(_) => "Bool",
            Self::Bytes(_) => "bytes",
            Self::Double(_) => "double",
            Self::Int(_) => "int",
            Self::Int128(_) => "int128",
            Self::Int256(_) => "int256",
            Self::Long(_) => "long",
            Self::Object(object) => object.name(),
            Self::String(_) => "string",
            Self::Vector(_) => "a vector",
        }
    }

    fn write(&self, ty: &Type, out: &mut Vec<u8>, depth: u8) -> Result<(), ValueError> {
        match (self, ty) {
            (Self::Bool(_), Type::True) => {}
            (Self::Bool(value), Type::Bool) => write_bool(out, *value),
            (Self::Bytes(value), Type::Bytes) => {
                fits_length(value.len(), ty)?;
                write_bytes(out, value);
            }
            (Self::Double(value), Type::Double) => write_f64(out, *value),
            (Self::Int(value), Type::Int) => write_i32(out, *value),
            (Self::Int128(value), Type::Int128) => write_int128(out, *value),
            (Self::Int256(value), Type::Int256) => write_int256(out, *value),
            (Self::Long(value), Type::Long) => write_i64(out, *value),
            (Self::String(value), Type::String) => {
                fits_length(value.len(), ty)?;
                write_text(out, value);
            }
            (Self::Vector(items), Type::Vector { item, bare }) => {
                if !bare {
                    write_u32(out, VECTOR);
                }
                let count = u32::try_from(items.len());
                write_u32(out, count.map_err(|_| out_of_range(items.len(), ty))?);
                for (index, value) in items.iter().enumerate() {
                    let written = value.write(item, out, depth);
                    written.map_err(|error| error.within(format!("[{index}]")))?;
                }
            }
            (Self::Object(object), _) if object.definition.is_of(ty) => {
                object.write(ty, out, depth)?;
            }
            _ => {
                return Err(ValueError::new(ValueErrorKind::WrongType {
                    expected: ty.to_string(),
                    found: self.kind().to_owned(),
                }));
            }
        }
        Ok(())
    }
}

impl Object<'_> {
    /// Appends the boxed wire form.
    ///
    /// # Errors
    /// As [`Value::encode`].
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), ValueError> {
        self.write(&Type::Object, out, 0)
    }

    fn write(&self, ty: &Type, out: &mut Vec<u8>, depth: u8) -> Result<(), ValueError> {
        if depth == MAX_DEPTH {
            return Err(ValueError::new(ValueErrorKind::TooDeep));
        }
        if !matches!(ty, Type::Bare(_)) {
            write_u32(out, self.definition.id);
        }
        for (index, (param, value)) in self.definition.params.iter().zip(&self.fields).enumerate() {
            if param.ty == Type::Nat {
                write_u32(out, self.word(index));
                continue;
            }
            match value {
                Some(value) => value
                    .write(&param.ty, out, depth + 1)
                    .map_err(|error| error.within(&param.name))?,
                None if self.is_absent(param) => {}
                None => return Err(self.missing(param)),
            }
        }
        Ok(())
    }

    /// The error of a field that must be present.
    pub(super) fn missing(&self, param: &Param) -> ValueError {
        ValueError::new(ValueErrorKind::MissingField {
            field: param.name.clone(),
            of: self.definition.name.clone(),
            expected: param.ty.to_string(),
        })
    }

    /// Whether an absent field may be absent: a `true` flag always, another as long as no
    /// field of its bit is present.
    pub(crate) fn is_absent(&self, param: &Param) -> bool {
        param.flag.is_some_and(|flag| {
            param.ty == Type::True || self.word(flag.field) >> flag.bit & 1 == 0
        })
    }

    /// Sets the `true` flags whose bits other fields have set, as a decoder would see them.
    pub(crate) fn settle(&mut self) {
        for index in 0..self.fields.len() {
            let param = self.definition.params.get(index).filter(|param| param.ty == Type::True);
            let is_set = param
                .and_then(|param| param.flag)
                .is_some_and(|flag| self.word(flag.field) >> flag.bit & 1 == 1);
            if let Some(slot) = self.fields.get_mut(index).filter(|_| is_set) {
                *slot = Some(Value::Bool(true));
            }
        }
    }

    /// The flag word at this parameter, from what is present.
    fn word(&self, field: usize) -> u32 {
        let mut word = 0;
        for (param, value) in self.definition.params.iter().zip(&self.fields) {
            let Some(flag) = param.flag.filter(|flag| flag.field == field) else { continue };
            let is_set = match (value, &param.ty) {
                (Some(Value::Bool(value)), Type::True) => *value,
                (value, _) => value.is_some(),
            };
            word |= u32::from(is_set) << flag.bit;
        }
        word
    }
}

impl Definition {
    /// Whether this constructor or method may stand where the type is wanted.
    pub(crate) fn is_of(&self, ty: &Type) -> bool {
        match ty {
            Type::Bare(name) => {
                let is_only = matches!(&self.result, Type::Boxed(result) if result == name);
                self.name == *name || is_only
            }
            Type::Boxed(_) => !self.is_function && self.result == *ty,
            Type::Object => !self.is_function,
            Type::Query => self.is_function,
            Type::Variable(_) => true,
            _ => false,
        }
    }
}

/// Lengths on the wire have three bytes at most.
fn fits_length(length: usize, ty: &Type) -> Result<(), ValueError> {
    if length < 1 << 24 { Ok(()) } else { Err(out_of_range(length, ty)) }
}

fn out_of_range(length: usize, ty: &Type) -> ValueError {
    ValueError::new(ValueErrorKind::OutOfRange {
        value: format!("a length of {length}"),
        expected: ty.to_string(),
    })
}
