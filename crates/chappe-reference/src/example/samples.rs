//! Values by the names of fields and types: `schema/docs/samples.toml`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chappe_schema::value::{Object, ValueError};
use chappe_schema::{Definition, Param, Type, api};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::recorded;

/// How deep values of constructors nest that are made of nothing but their types.
const DEEPEST: usize = 8;

/// The fields by which constructors say who is meant.
const CAST: [(&str, &[&str]); 5] = [
    ("inputChannel", &["channel_id", "access_hash"]),
    ("inputPeerChannel", &["channel_id", "access_hash"]),
    ("inputPeerChat", &["chat_id"]),
    ("inputPeerUser", &["user_id", "access_hash"]),
    ("inputUser", &["user_id", "access_hash"]),
];

/// How the names of constructors end that stand for what is not there, not told or not usual.
const RARE: [&str; 14] = [
    "Deleted",
    "Empty",
    "Expired",
    "Failed",
    "Forbidden",
    "FromMessage",
    "Hidden",
    "Legacy",
    "None",
    "NotModified",
    "TooLong",
    "Unavailable",
    "Unknown",
    "Unsupported",
];

/// Constructors of which only the id matters: the rest of a file's name is good for a while only.
const FILES: [&str; 2] = ["inputDocument", "inputPhoto"];

/// The sample values.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Samples {
    /// Methods that only a bot has a use for, although others may call them.
    bots: BTreeSet<String>,
    /// Methods before a sign-in that go on with a session.
    steps: BTreeSet<String>,
    /// The keys of values that name somebody.
    cast: BTreeSet<String>,
    /// The constructor that one mostly means by a type, where no rule finds it.
    usual: BTreeMap<String, String>,
    /// TL-JSON by `definition.field`, `field:TYPE` or `TYPE`.
    values: BTreeMap<String, Json>,
}

/// A method without a good sample.
#[derive(Debug, thiserror::Error)]
pub(super) enum SampleError {
    /// Nothing says what stands there.
    #[error("add `{field}:{ty}` or `{of}.{field}` to schema/docs/samples.toml")]
    Missing {
        /// The field.
        field: String,
        /// Its type.
        ty: String,
        /// Whose field it is.
        of: String,
    },
    /// What is there is no value of the schema.
    #[error("the sample of {0}: {1}")]
    Wrong(String, #[source] ValueError),
}

impl Samples {
    /// The samples of this repository.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the text is part of the program and tests parse it")]
    pub(super) fn bundled() -> &'static Self {
        static SAMPLES: LazyLock<Samples> = LazyLock::new(|| {
            toml::from_str(include_str!("../../../../schema/docs/samples.toml"))
                .expect("the bundled samples parse")
        });
        &SAMPLES
    }

    /// Whether a method before the sign-in goes on with the session of the step before.
    #[must_use]
    pub(super) fn is_step(&self, method: &str) -> bool {
        self.steps.contains(method)
    }

    /// Whether only a bot has a use for a method.
    #[must_use]
    pub(super) fn is_for_bots(&self, method: &str) -> bool {
        self.bots.contains(method)
    }

    /// The constructor that one mostly means by a type: the one that is listed, or that stands for
    /// the type in requests, or has the type's name, or was answered, or comes first. Those that
    /// stand for nothing are left out if there are others. `None` for an unknown type.
    #[must_use]
    pub(super) fn usual(&self, ty: &str) -> Option<&'static Definition> {
        let all = api().constructors(ty);
        let find = |name: &str| all.iter().copied().find(|it| it.name == name);
        let listed = || self.usual.get(ty).and_then(|name| find(name));
        let in_requests = || self.values.get(ty).and_then(|it| find(it["_"].as_str()?));
        let namesake = || {
            let (namespace, name) = ty.rsplit_once('.').map_or(("", ty), |(a, b)| (a, b));
            let is = |it: &&'static Definition| {
                let own = it.name.rsplit_once('.').map_or(("", it.name.as_str()), |(a, b)| (a, b));
                own.0 == namespace && own.1.eq_ignore_ascii_case(name)
            };
            all.iter().copied().find(is)
        };
        let is_rare = |it: &&'static Definition| RARE.iter().any(|end| it.name.ends_with(end));
        let usual = || all.iter().copied().filter(|it| !is_rare(it));
        let answered = || usual().find(|it| recorded::value(&it.name).is_some());
        let found = listed().or_else(in_requests).or_else(namesake).or_else(answered);
        found.or_else(|| usual().next()).or_else(|| all.first().copied())
    }

    /// A call of a method, with what is given and samples for the rest. Whom what is given names
    /// does not matter: it is somebody of the cast, so that they are the same in all requests.
    ///
    /// # Errors
    /// `Missing`; `Wrong` when a sample is not of its field's type.
    pub(super) fn call(
        &self,
        method: &'static Definition,
        given: &Map<String, Json>,
    ) -> Result<Object<'static>, SampleError> {
        let mut given = given.clone();
        self.recast(method, &mut given);
        let json = Json::Object(Filling::new(self, true).object(method, &given, 0)?);
        Object::call_from_json(api(), &method.name, &json)
            .map_err(|error| SampleError::Wrong(method.name.clone(), error))
    }

    /// Puts those whom the samples name in the places of others.
    fn recast(&self, definition: &Definition, given: &mut Map<String, Json>) {
        for (name, value) in given {
            let param = definition.params.iter().find(|param| param.name == *name);
            let key = param.map(|it| format!("{}:{}", it.name, it.ty)).unwrap_or_default();
            let own = format!("{}.{name}", definition.name);
            let known = self.values.get(&own).or_else(|| self.values.get(&key));
            let is_cast = self.cast.contains(&key) || self.cast.contains(&own);
            let is_same = |known: &Json| {
                known["_"] == value["_"] && CAST.iter().any(|(name, _)| value["_"] == *name)
            };
            match known {
                Some(known) if is_cast || is_same(known) => *value = known.clone(),
                _ => self.recast_value(value),
            }
        }
    }

    fn recast_value(&self, value: &mut Json) {
        match value {
            Json::Array(items) => items.iter_mut().for_each(|item| self.recast_value(item)),
            Json::Object(fields) => {
                let name = fields.get("_").and_then(Json::as_str).unwrap_or_default().to_owned();
                if let Some((_, who)) = CAST.iter().find(|(it, _)| *it == name) {
                    fields.retain(|field, _| !who.contains(&field.as_str()));
                }
                if FILES.contains(&name.as_str()) {
                    fields.retain(|field, _| field == "_" || field == "id");
                }
                if let Some(definition) = api().find(&name) {
                    self.recast(definition, fields);
                }
            }
            _ => {}
        }
    }

    /// A value of a constructor. Where no sample is, there is the plainest value of the type.
    #[must_use]
    pub(super) fn constructor(&self, constructor: &'static Definition) -> Json {
        let filled = Filling::new(self, false).object(constructor, &Map::new(), 0);
        Json::Object(filled.unwrap_or_default())
    }

    /// The keys of values that no definition of the schema takes, directly or inside of others.
    ///
    /// # Errors
    /// As [`Samples::call`].
    #[cfg(test)]
    pub(super) fn unused(
        &self,
        definitions: impl Iterator<Item = &'static Definition>,
    ) -> Result<Vec<&str>, SampleError> {
        let mut used = BTreeSet::new();
        for definition in definitions {
            let filling = Filling::new(self, definition.is_function);
            filling.object(definition, &Map::new(), 0)?;
            used.append(&mut filling.used.into_inner());
        }
        Ok(self.values.keys().map(String::as_str).filter(|key| !used.contains(*key)).collect())
    }

    /// The types whose usual constructor is listed although the rules find the same, or is none.
    #[cfg(test)]
    pub(super) fn listed_in_vain(&self) -> Vec<&str> {
        let rules = Self { usual: BTreeMap::new(), ..self.clone() };
        let is_vain = |(ty, name): &(&String, &String)| {
            let constructors = api().constructors(ty);
            !constructors.iter().any(|it| it.name == **name)
                || rules.usual(ty).is_some_and(|it| it.name == **name)
        };
        self.usual.iter().filter(is_vain).map(|(ty, _)| ty.as_str()).collect()
    }
}

/// Fills in what is missing, and notes what it took.
struct Filling<'s> {
    samples: &'s Samples,
    /// Whether what no sample is for is an error.
    strict: bool,
    used: RefCell<BTreeSet<&'s str>>,
}

impl<'s> Filling<'s> {
    fn new(samples: &'s Samples, strict: bool) -> Self {
        Self { samples, strict, used: RefCell::default() }
    }

    fn object(
        &self,
        definition: &'static Definition,
        given: &Map<String, Json>,
        depth: usize,
    ) -> Result<Map<String, Json>, SampleError> {
        let optional = definition.params.iter().filter(|param| param.flag.is_some());
        let chosen: Vec<&Param> =
            optional.filter(|param| given.contains_key(&param.name)).collect();
        let mut filled = Map::new();
        filled.insert("_".to_owned(), json!(definition.name));
        for param in definition.params.iter().filter(|param| param.ty != Type::Nat) {
            // Who chose among the optional fields chose them all, but for those that share a bit.
            let is_left_out = param.flag.is_some()
                && !chosen.is_empty()
                && !chosen.iter().any(|chosen| chosen.flag == param.flag);
            let sample = || self.sample(definition, param).filter(|_| !is_left_out);
            let value = match given.get(&param.name).cloned().or_else(sample) {
                Some(value) => self.value(&param.ty, &value, depth + 1)?,
                None if param.flag.is_some() => continue,
                None if !self.strict => self.plainest(&param.ty, depth + 1)?,
                None => {
                    return Err(SampleError::Missing {
                        field: param.name.clone(),
                        ty: param.ty.to_string(),
                        of: definition.name.clone(),
                    });
                }
            };
            filled.insert(param.name.clone(), value);
        }
        // What is no field is left for the decoder to complain of.
        for (name, value) in given.iter().filter(|(name, _)| *name != "_") {
            if !filled.contains_key(name) {
                filled.insert(name.clone(), value.clone());
            }
        }
        Ok(filled)
    }

    /// What the table says of a field; of an optional one only by its own name.
    fn sample(&self, definition: &Definition, param: &Param) -> Option<Json> {
        let own = self.take(&format!("{}.{}", definition.name, param.name));
        if own.is_some() || param.flag.is_some() {
            return own.cloned();
        }
        self.take(&format!("{}:{}", param.name, param.ty))
            .or_else(|| self.take(&param.ty.to_string()))
            .cloned()
            .or_else(|| match &param.ty {
                Type::Vector { item, .. } => Some(json!([self.take(&item.to_string())?])),
                _ => None,
            })
    }

    fn take(&self, key: &str) -> Option<&'s Json> {
        let (key, value) = self.samples.values.get_key_value(key)?;
        self.used.borrow_mut().insert(key);
        Some(value)
    }

    /// Completes a value: objects get their missing fields.
    fn value(&self, ty: &Type, value: &Json, depth: usize) -> Result<Json, SampleError> {
        match (ty, value) {
            (Type::Vector { item, .. }, Json::Array(items)) => {
                let items = items.iter().map(|value| self.value(item, value, depth));
                Ok(Json::Array(items.collect::<Result<_, _>>()?))
            }
            (_, Json::Object(fields)) => {
                let name = fields.get("_").and_then(Json::as_str);
                let only = || match ty {
                    Type::Boxed(name) => api().constructors(name).first().copied(),
                    _ => None,
                };
                match name.map_or_else(only, |name| api().find(name)) {
                    Some(definition) => Ok(Json::Object(self.object(definition, fields, depth)?)),
                    None => Ok(value.clone()),
                }
            }
            _ => Ok(value.clone()),
        }
    }

    /// A value of a type that says nothing.
    fn plainest(&self, ty: &Type, depth: usize) -> Result<Json, SampleError> {
        Ok(match ty {
            Type::Bool | Type::True => json!(true),
            Type::Bytes | Type::String => json!(""),
            Type::Double => json!(0.0),
            Type::Int | Type::Nat => json!(0),
            Type::Int128 => json!("AAAAAAAAAAAAAAAAAAAAAA=="),
            Type::Int256 => json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            Type::Long => json!("0"),
            Type::Vector { .. } => json!([]),
            Type::Boxed(name) => {
                let fewest = |it: &&'static Definition| {
                    it.params.iter().filter(|param| param.flag.is_none()).count()
                };
                let constructors = api().constructors(name);
                // A value without end has none.
                let plainest = if depth < DEEPEST {
                    self.samples.usual(name)
                } else {
                    constructors.into_iter().min_by_key(fewest)
                };
                match plainest {
                    Some(definition) => {
                        Json::Object(self.object(definition, &Map::new(), depth)?)
                    }
                    None => json!({}),
                }
            }
            _ => json!({}),
        })
    }
}
