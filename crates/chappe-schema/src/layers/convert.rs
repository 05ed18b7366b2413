//! The conversion of a value from one schema to another, by names.

use std::cmp::Reverse;
use std::sync::LazyLock;

use super::LayerError;
use crate::value::{Object, Value};
use crate::{Definition, Param, Schema, Type};

const RENAMES: &str = include_str!("../../../../schema/layers/renames.txt");

static TABLE: LazyLock<Vec<Rename>> =
    LazyLock::new(|| RENAMES.lines().filter_map(Rename::read).collect());

/// The type whose constructors mean things that happened: none stands for another.
const UPDATE: &str = "Update";

/// The names that stand for each other, older and newer, and the constructor inside of the newer
/// that says what the older's name did.
pub(super) fn renames() -> impl Iterator<Item = (&'static str, &'static str, Option<&'static str>)>
{
    TABLE.iter().map(|it| (it.older, it.newer, it.inner.map(|(_, constructor)| constructor)))
}

/// One direction between two layers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversion<'t> {
    to: &'t Schema,
    layer: i32,
    is_lift: bool,
}

/// A line of the table.
#[derive(Debug)]
struct Rename {
    older: &'static str,
    newer: &'static str,
    /// Names of a field in the older and in the newer.
    fields: Vec<(&'static str, &'static str)>,
    /// The field of the newer that holds the rest, and the constructor in it.
    inner: Option<(&'static str, &'static str)>,
}

/// Where a value stands decides what may replace it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a vector: it can be left out.
    Item,
    /// It must be there.
    Needed,
    /// In an optional field: that can be left out.
    Optional,
}

impl<'t> Conversion<'t> {
    /// From an older layer to the newest.
    pub(super) fn lift(to: &'t Schema) -> Self {
        Self { to, layer: to.layer().unwrap_or_default(), is_lift: true }
    }

    /// From the newest layer to an older one.
    pub(super) fn lower(to: &'t Schema) -> Self {
        Self { is_lift: false, ..Self::lift(to) }
    }

    /// Whether every constructor of the value is the same in the target: the id is the hash of
    /// the definition, so that the same id means the same bytes. Only `true` flags have no
    /// part in it, and decoders ignore bits that they do not know.
    pub(super) fn passes(&self, object: &Object<'_>) -> bool {
        let same = self.to.get(object.definition().id);
        same.is_some_and(|same| same.is_function == object.definition().is_function)
            && object.fields().all(|(_, value)| self.passes_value(value))
    }

    /// The same for any value.
    pub(super) fn passes_value(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Object(object) => self.passes(object),
            Value::Vector(items) => items.iter().all(|item| self.passes_value(item)),
            _ => true,
        }
    }

    /// Converts a method's call.
    pub(super) fn call(&self, call: &Object<'_>) -> Result<Object<'t>, LayerError> {
        let named = |name: &str| self.to.find(name).filter(|found| found.is_function);
        if let Some(definition) = named(call.name()) {
            return self.build(definition, &[call], None);
        }
        for rename in TABLE.iter().filter(|rename| self.source_name(rename) == call.name()) {
            if let Some(definition) = named(self.target_name(rename)) {
                return self.build(definition, &[call], Some(rename));
            }
        }
        Err(LayerError::MethodGone(call.name().to_owned()))
    }

    /// Converts a value to this type of the target.
    pub(super) fn value(&self, value: &Value<'_>, ty: &Type) -> Result<Value<'t>, LayerError> {
        self.at(Place::Needed, value, ty)
    }

    fn at(&self, place: Place, value: &Value<'_>, ty: &Type) -> Result<Value<'t>, LayerError> {
        if let Some(scalar) = scalar(value, ty) {
            return Ok(scalar);
        }
        match (value, ty) {
            (Value::Vector(items), Type::Vector { item: ty, .. }) => {
                let mut converted = Vec::with_capacity(items.len());
                for item in items {
                    match self.at(Place::Item, item, ty) {
                        Ok(item) => converted.push(item),
                        Err(_) if matches!(item, Value::Object(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(Value::Vector(converted))
            }
            (Value::Vector(items), _) => match items.first() {
                Some(first) => self.at(place, first, ty),
                None => Err(self.inexpressible("an empty vector", ty)),
            },
            (_, Type::Vector { item, .. }) => {
                Ok(Value::Vector(vec![self.at(Place::Item, value, item)?]))
            }
            (Value::Object(call), Type::Query) => self.call(call).map(Value::Object),
            (Value::Object(object), Type::Bare(_) | Type::Boxed(_) | Type::Object)
            | (Value::Object(object), Type::Variable(_)) => {
                self.object(place, object, ty).map(Value::Object)
            }
            (Value::Object(object), _) => object
                .fields()
                .find_map(|(_, field)| scalar(field, ty))
                .ok_or_else(|| self.inexpressible(object.name(), ty)),
            (_, Type::Boxed(name)) => self.wrap(value, name, ty),
            _ => Err(self.inexpressible(value.kind(), ty)),
        }
    }

    fn object(
        &self,
        place: Place,
        object: &Object<'_>,
        ty: &Type,
    ) -> Result<Object<'t>, LayerError> {
        let fits = |name: &str| self.to.find(name).filter(|it| it.is_of(ty));
        let mut renames = TABLE.iter().filter(|rename| self.source_name(rename) == object.name());
        // A constructor with an inner one says more than its name does.
        for rename in renames.clone() {
            let Some((field, inner)) = rename.inner else { continue };
            let Some(definition) = fits(self.target_name(rename)) else { continue };
            match object.get(field) {
                _ if self.is_lift => return self.build(definition, &[object], Some(rename)),
                Some(Value::Object(held)) if held.name() == inner => {
                    return self.build(definition, &[object, held], Some(rename));
                }
                _ => {}
            }
        }
        if let Some(definition) = fits(object.name()) {
            return self.build(definition, &[object], None);
        }
        let found = renames.find_map(|rename| {
            let definition = fits(self.target_name(rename)).filter(|_| rename.inner.is_none())?;
            Some((definition, rename))
        });
        if let Some((definition, rename)) = found {
            return self.build(definition, &[object], Some(rename));
        }
        let Type::Boxed(name) = ty else { return Err(self.inexpressible(object.name(), ty)) };
        if object.definition().result != *ty {
            // The type itself changed: the wanted one may be inside, or the other way round.
            let inside = object.fields().find_map(|(_, field)| match field {
                Value::Object(inside) if inside.definition().result == *ty => Some(inside),
                _ => None,
            });
            if let Some(inside) = inside {
                return self.object(place, inside, ty);
            }
            if let Ok(Value::Object(around)) = self.wrap(&Value::Object(object.clone()), name, ty) {
                return Ok(around);
            }
        }
        self.stand_in(place, object, name).ok_or_else(|| self.inexpressible(object.name(), ty))
    }

    /// Another constructor of the type instead of one that the target does not have.
    fn stand_in(&self, place: Place, object: &Object<'_>, name: &str) -> Option<Object<'t>> {
        if place == Place::Item || name == UPDATE {
            return None;
        }
        let mut constructors = self.to.constructors(name);
        let rank = |definition: &Definition| {
            if definition.name.ends_with("Unsupported") {
                return i32::MAX;
            }
            if definition.name.ends_with("Empty") {
                return i32::MAX - 1;
            }
            let score = |param: &Param| match object.get(&param.name) {
                Some(_) => 2,
                None if param.flag.is_none() && param.ty != Type::Nat => -1,
                None => 0,
            };
            definition.params.iter().map(score).sum()
        };
        constructors.sort_by_key(|definition| Reverse(rank(definition)));
        if place == Place::Optional {
            constructors.retain(|definition| rank(definition) >= i32::MAX - 1);
        }
        constructors.iter().find_map(|definition| self.build(definition, &[object], None).ok())
    }

    /// Puts a value into the first constructor of the type that has a field for it.
    fn wrap(&self, value: &Value<'_>, name: &str, ty: &Type) -> Result<Value<'t>, LayerError> {
        for definition in self.to.constructors(name) {
            let takes = |param: &&Param| match value {
                Value::Object(object) => object.definition().result == param.ty,
                _ => param.ty != Type::True && scalar(value, &param.ty).is_some(),
            };
            let Some(param) = definition.params.iter().find(takes) else { continue };
            let Ok(inside) = self.at(Place::Item, value, &param.ty) else { continue };
            let mut object = Object::new(definition);
            if object.set(&param.name, Some(inside)).is_ok()
                && self.complete(&mut object, &mut Vec::new()).is_some()
            {
                return Ok(Value::Object(object));
            }
        }
        Err(self.inexpressible(value.kind(), ty))
    }

    /// Fills a constructor or method of the target from objects of the source.
    fn build(
        &self,
        definition: &'t Definition,
        sources: &[&Object<'_>],
        rename: Option<&Rename>,
    ) -> Result<Object<'t>, LayerError> {
        let mut object = Object::new(definition);
        for (index, param) in definition.params.iter().enumerate() {
            if param.ty == Type::Nat {
                continue;
            }
            let value = match rename.and_then(|rename| rename.inner) {
                Some((field, inner)) if self.is_lift && field == param.name => {
                    let inner = self.to.find(inner).filter(|inner| inner.is_of(&param.ty));
                    match inner {
                        Some(inner) => Some(Value::Object(self.build(inner, sources, None)?)),
                        None => None,
                    }
                }
                _ => {
                    let name = rename.map_or(param.name.as_str(), |rename| {
                        self.source_field(rename, &param.name)
                    });
                    match sources.iter().find_map(|source| source.get_near(name, index)) {
                        Some(value) => self.field(value, param)?,
                        None => None,
                    }
                }
            };
            object.put(index, value);
        }
        match self.complete(&mut object, &mut Vec::new()) {
            Some(()) => Ok(object),
            None => Err(self.inexpressible(&definition.name, &definition.result)),
        }
    }

    /// Converts a field; what cannot be and need not be is absent.
    fn field(&self, value: &Value<'_>, param: &Param) -> Result<Option<Value<'t>>, LayerError> {
        let place = if param.flag.is_some() { Place::Optional } else { Place::Needed };
        match self.at(place, value, &param.ty) {
            Ok(Value::Bool(false)) if param.ty == Type::True => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(_) if place == Place::Optional => Ok(None),
            // The plainest value of the type is better than no answer, but an object must not
            // turn into another one in silence.
            Err(_) if !matches!((value, &param.ty), (Value::Object(_), Type::Boxed(_))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Fills what must be present and is not: mandatory fields, and fields of a bit that
    /// others have set.
    fn complete(&self, object: &mut Object<'t>, above: &mut Vec<&'t str>) -> Option<()> {
        let definition = object.definition();
        for (index, param) in definition.params.iter().enumerate() {
            let is_word = param.ty == Type::Nat;
            if is_word || object.at(index).is_some() || object.is_absent(param) {
                continue;
            }
            match (self.plainest(&param.ty, above), param.flag) {
                (Some(value), _) => object.put(index, Some(value)),
                (None, None) => return None,
                (None, flag) => {
                    let group = definition.params.iter().filter(|other| other.flag == flag);
                    for other in group {
                        object.set(&other.name, None).ok()?;
                    }
                }
            }
        }
        object.settle();
        Some(())
    }

    /// The plainest value of a type: zero, nothing, the constructor that needs least.
    fn plainest(&self, ty: &'t Type, above: &mut Vec<&'t str>) -> Option<Value<'t>> {
        Some(match ty {
            Type::Bool | Type::True => Value::Bool(false),
            Type::Bytes => Value::Bytes(bytes::Bytes::new()),
            Type::Double => Value::Double(0.0),
            Type::Int | Type::Nat => Value::Int(0),
            Type::Int128 => Value::Int128([0; 16]),
            Type::Int256 => Value::Int256([0; 32]),
            Type::Long => Value::Long(0),
            Type::String => Value::String(chappe_tl::Text::default()),
            Type::Vector { .. } => Value::Vector(Vec::new()),
            Type::Boxed(name) if name != UPDATE && !above.contains(&name.as_str()) => {
                let mut constructors = self.to.constructors(name);
                constructors.sort_by_key(|definition| {
                    definition.params.iter().filter(|param| param.flag.is_none()).count()
                });
                above.push(name);
                let built = constructors.iter().find_map(|definition| {
                    let mut object = Object::new(definition);
                    self.complete(&mut object, above).map(|()| object)
                });
                above.pop();
                Value::Object(built?)
            }
            _ => return None,
        })
    }

    fn source_name(&self, rename: &Rename) -> &'static str {
        if self.is_lift { rename.older } else { rename.newer }
    }

    fn target_name(&self, rename: &Rename) -> &'static str {
        if self.is_lift { rename.newer } else { rename.older }
    }

    /// What the source calls this field of the target.
    fn source_field<'a>(&self, rename: &Rename, field: &'a str) -> &'a str {
        rename
            .fields
            .iter()
            .find_map(|&(older, newer)| match self.is_lift {
                true => (newer == field).then_some(older),
                false => (older == field).then_some(newer),
            })
            .unwrap_or(field)
    }

    fn inexpressible(&self, name: &str, ty: &Type) -> LayerError {
        let (name, expected) = (name.to_owned(), ty.to_string());
        LayerError::Inexpressible { name, expected, layer: self.layer }
    }
}

impl Rename {
    fn read(line: &'static str) -> Option<Self> {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let (older, newer) = (words.next()?, words.next()?);
        let mut rename = Self { older, newer, fields: Vec::new(), inner: None };
        for word in words {
            if let Some(names) = word.split_once('=') {
                rename.fields.push(names);
            } else {
                rename.inner = word.split_once(':');
            }
        }
        Some(rename)
    }
}

/// A value that is no object, in the type of the target; numbers that do not fit are `None`.
fn scalar<'t>(value: &Value<'_>, ty: &Type) -> Option<Value<'t>> {
    Some(match (value, ty) {
        (Value::Bool(value), Type::Bool | Type::True) => Value::Bool(*value),
        (Value::Bytes(value), Type::Bytes) => Value::Bytes(value.clone()),
        (Value::Double(value), Type::Double) => Value::Double(*value),
        (Value::Int(value), Type::Int) => Value::Int(*value),
        (Value::Int(value), Type::Long) => Value::Long(i64::from(*value)),
        (Value::Int(value), Type::String) => Value::String(value.to_string().into()),
        (Value::Int128(value), Type::Int128) => Value::Int128(*value),
        (Value::Int256(value), Type::Int256) => Value::Int256(*value),
        (Value::Long(value), Type::Long) => Value::Long(*value),
        (Value::Long(value), Type::Int) => Value::Int(i32::try_from(*value).ok()?),
        (Value::String(value), Type::String) => Value::String(value.clone()),
        (Value::String(value), Type::Int) => Value::Int(value.parse().ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::TABLE;
    use crate::layers::Layers;

    /// A line of which the newer name or the inner constructor is misspelled would do nothing.
    #[test]
    fn the_table_names_what_exists() {
        let layers = Layers::new();
        let newest = crate::api();
        for rename in TABLE.iter() {
            let newer = newest.find(rename.newer).unwrap();
            let mut schemas = layers.held().map(|layer| layers.schema(layer));
            let older = schemas.find(|schema| schema.find(rename.older).is_some());
            let older = older.unwrap().find(rename.older).unwrap().clone();
            for (old, new) in &rename.fields {
                assert!(older.params.iter().any(|param| param.name == *old), "{old}");
                assert!(newer.params.iter().any(|param| param.name == *new), "{new}");
            }
            if let Some((field, inner)) = rename.inner {
                let param = newer.params.iter().find(|param| param.name == field).unwrap();
                assert_eq!(newest.find(inner).unwrap().result, param.ty, "{inner}");
            }
        }
        assert_eq!(TABLE.len(), 39);
    }
}
