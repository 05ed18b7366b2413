//! What the local Telegram answered: a request of each method that it implements, and what came of it.
//!
//! Recorded by `cargo xtask reference --record` from the stories under `tests/stage`, never written by
//! hand. Names, numbers, codes, hashes and passwords in it belong to the invented world of these
//! stories: they are nobody's secret.

use std::{collections::BTreeMap, sync::OnceLock};

use chappe_schema::ErrorName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Asker {
    /// A bot.
    Bot,
    /// A device on which nobody is signed in.
    Nobody,
    /// A person.
    User,
}

/// A request, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// What the world was like, in a sentence.
    pub story: String,
    /// Who asked.
    pub caller: Asker,
    /// The request as TL-JSON, its method in `"_"`.
    pub request: Value,
    /// The answer as TL-JSON, whole; `None` if the local Telegram only refuses this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// Other requests, in other worlds, and their other answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
    /// Requests that were refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// Set if nobody can make this very request again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
}

/// Another request in another world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Also {
    /// What the world was like, in a sentence.
    pub story: String,
    /// The request as TL-JSON, its method in `"_"`.
    pub request: Value,
    /// The answer as TL-JSON, whole.
    pub answer: Value,
}

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The request as TL-JSON, its method in `"_"`.
    pub request: Value,
    /// The class of the error, like 400.
    pub code: i32,
    /// The error as the server spelled it, like `FLOOD_WAIT_17`.
    pub error: String,
}

/// Why a request is good for one session only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The reason, in a sentence.
    pub why: String,
    /// The class of the error that another session gets.
    pub code: i32,
    /// This error.
    pub error: String,
}

/// What was recorded of a method; `None` if the local Telegram does not implement it.
pub fn recorded(method: &str) -> Option<&'static Recorded> {
    all().get(method)
}

/// Everything that was recorded, by method.
///
/// A file that is none is left out: that all of them are what the stories give is tested.
pub fn all() -> &'static BTreeMap<String, Recorded> {
    static ALL: OnceLock<BTreeMap<String, Recorded>> = OnceLock::new();
    ALL.get_or_init(|| {
        let files = FILES.iter().map(|(_, text)| serde_json::from_str(text));
        files
            .filter_map(|file: Result<BTreeMap<String, Recorded>, _>| file.ok())
            .flatten()
            .collect()
    })
}

/// Requests that were refused with an error, by method; the error's name has `X` for a number.
pub fn refused_with(error: &str) -> impl Iterator<Item = (&'static str, &'static Refused)> {
    refusals(all(), error)
}

fn refusals<'r>(
    all: &'r BTreeMap<String, Recorded>,
    error: &str,
) -> impl Iterator<Item = (&'r str, &'r Refused)> {
    all.iter().flat_map(move |(method, recorded)| {
        let refused = recorded.refused.iter().filter(move |refused| is_called(refused, error));
        refused.map(move |refused| (method.as_str(), refused))
    })
}

/// Whether a refusal is by this error, whichever number stands for the `X` in its name.
pub(crate) fn is_called(refused: &Refused, error: &str) -> bool {
    refused.error == error || ErrorName::parse(&refused.error).0 == error
}

/// A value of a constructor in an answer that was recorded, and the method that was answered; the
/// fullest one that is short enough to be read. `None` if no answer has one.
pub fn value(constructor: &str) -> Option<(&'static str, &'static Value)> {
    static VALUES: OnceLock<BTreeMap<&str, (&str, &Value)>> = OnceLock::new();
    let values = VALUES.get_or_init(|| {
        let mut values = BTreeMap::new();
        for (method, recorded) in all() {
            let others = recorded.also.iter().map(|also| &also.answer);
            for answer in recorded.answer.iter().chain(others) {
                collect(method, answer, &mut values);
            }
        }
        values
    });
    values.get(constructor).copied()
}

/// Puts the objects of an answer where fuller ones of their constructors are not yet.
fn collect<'r>(
    method: &'r str,
    value: &'r Value,
    values: &mut BTreeMap<&'r str, (&'r str, &'r Value)>,
) {
    const LONGEST: usize = 1_500;
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(method, item, values)),
        Value::Object(fields) => {
            fields.values().for_each(|field| collect(method, field, values));
            let Some(name) = fields.get("_").and_then(Value::as_str) else { return };
            let fuller = values
                .get(name)
                .and_then(|(_, value)| value.as_object())
                .is_none_or(|known| known.len() < fields.len());
            if fuller && value.to_string().len() <= LONGEST {
                values.insert(name, (method, value));
            }
        }
        _ => {}
    }
}

macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../recorded/", $name, ".json")))),*]
    };
}

/// The files, by namespace; `root` is that of methods without one.
pub const FILES: &[(&str, &str)] = files!(
    "account" "auth" "bots" "contacts" "help" "langpack" "messages" "root" "stories" "updates"
    "users"
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chappe_schema::facts;
    use serde_json::{Value, json};

    use super::{Recorded, all, is_called, refusals, refused_with, value};
    use crate::document::EVERYWHERE;
    use crate::model::Reference;

    #[test]
    fn a_refusal_is_found_by_the_general_name_of_its_error() {
        let refused = |error: &str| json!({ "request": {}, "code": 420, "error": error });
        let story = json!({
            "story": "Somebody asks too often.",
            "caller": "user",
            "request": {},
            "refused": [
                refused("FLOOD_WAIT_17"),
                refused("FILE_PART_3_MISSING"),
                refused("HASH_INVALID"),
                refused("FLOOD_WAIT_X"),
            ],
        });
        let recorded: Recorded = serde_json::from_value(story).unwrap();
        let all = BTreeMap::from([("updates.getState".to_owned(), recorded)]);
        let found = |error: &str| -> Vec<String> {
            refusals(&all, error).map(|(_, refused)| refused.error.clone()).collect()
        };
        assert_eq!(found("FLOOD_WAIT_X"), ["FLOOD_WAIT_17", "FLOOD_WAIT_X"]);
        assert_eq!(found("FILE_PART_X_MISSING"), ["FILE_PART_3_MISSING"]);
        assert_eq!(found("HASH_INVALID"), ["HASH_INVALID"]);
        assert!(found("FLOOD_WAIT").is_empty() && found("FLOOD_TEST_PHONE_WAIT_X").is_empty());
        let moved: Vec<_> = refused_with("PHONE_MIGRATE_X").collect();
        assert_eq!(moved.len(), 1);
        assert_eq!((moved[0].0, moved[0].1.error.as_str()), ("auth.sendCode", "PHONE_MIGRATE_1"));
    }

    /// The pages may not contradict themselves: what the local Telegram answered is among what they
    /// say that the method answers, with a code that they say.
    #[test]
    fn every_refusal_is_known_of_its_method_with_this_code() {
        let reference = Reference::get();
        for (method, recorded) in all() {
            let known = &reference.method(method).unwrap().errors;
            for refused in &recorded.refused {
                let said = format!("{method}: {} {}", refused.code, refused.error);
                let thrown = known.iter().find(|thrown| is_called(refused, thrown.name));
                let codes = thrown.map(|thrown| thrown.codes).or_else(|| {
                    let name = EVERYWHERE.iter().find(|name| is_called(refused, name))?;
                    Some(facts().codes(name))
                });
                assert!(codes.is_some_and(|codes| codes.contains(&refused.code)), "{said}");
            }
        }
    }

    #[test]
    fn of_the_values_that_can_be_read_the_fullest_is_shown() {
        fn walk<'r>(value: &'r Value, found: &mut BTreeMap<&'r str, usize>) {
            match value {
                Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
                Value::Object(fields) => {
                    fields.values().for_each(|field| walk(field, found));
                    let name = fields.get("_").and_then(Value::as_str);
                    let name = name.filter(|_| value.to_string().len() <= 1_500);
                    let most = name.map(|name| found.entry(name).or_default());
                    most.into_iter().for_each(|most| *most = fields.len().max(*most));
                }
                _ => {}
            }
        }
        let mut most = BTreeMap::new();
        for recorded in all().values() {
            recorded.answer.iter().for_each(|answer| walk(answer, &mut most));
            recorded.also.iter().for_each(|also| walk(&also.answer, &mut most));
        }
        assert!(most.len() > 100, "{most:?}");
        for (constructor, most) in most {
            let (method, shown) = value(constructor).unwrap();
            assert_eq!(shown.as_object().map(|it| it.len()), Some(most), "{constructor}, {method}");
            assert!(shown.to_string().len() <= 1_500, "{constructor}");
        }
    }
}
