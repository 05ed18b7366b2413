//! JSON in which no name comes twice: two readers of one object must not see two things.

use std::{collections::BTreeMap, fmt};

use serde_core::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value. Other numbers than whole ones have no place in a login, and so no value here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Whole(i128),
    Fraction,
    Text(String),
    List(Vec<Self>),
    Object(Object),
}

/// An object, by name.
pub(crate) type Object = BTreeMap<String, Json>;

/// Reads an object and nothing else.
pub(crate) fn object(text: &[u8]) -> Option<Object> {
    match serde_json::from_slice(text) {
        Ok(Json::Object(object)) => Some(object),
        _ => None,
    }
}

impl Json {
    #[cfg(feature = "oidc")]
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn whole(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Whole(value.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Fraction)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Object::new();
        while let Some((name, value)) = entries.next_entry()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name comes twice"));
            }
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_comes_twice_however_deep() {
        assert!(object(br#"{"a":1,"b":{"a":[{"a":1,"c":2}]}}"#).is_some());
        assert!(object(br#"{"a":1,"a":1}"#).is_none());
        assert!(object(br#"{"b":[{"a":1,"\u0061":2}]}"#).is_none());
    }

    #[test]
    fn only_an_object_is_an_object() {
        for text in ["", "[]", "false", "null", "{}x", "{", "{\"a\":\"\u{0}\"}"] {
            assert!(object(text.as_bytes()).is_none(), "{text}");
        }
        let nested = "[".repeat(100_000);
        assert!(object(nested.as_bytes()).is_none());
    }
}
