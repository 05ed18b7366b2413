//! Whether a program got the answer that was recorded, in its own layer.

use std::{mem::discriminant, sync::LazyLock};

use bytes::Bytes;
use chappe_reference::{Recorded, recorded};
use chappe_schema::{
    api,
    layers::Layers,
    value::{Object, Value, encode_call},
};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::scene::told;

/// What is drawn anew whenever it is asked for: what a program asked before, to connect, moved the
/// dice.
const DRAWN: [&str; 10] = [
    "autologin_token",
    "bytes",
    "future_auth_token",
    "salt",
    "salt1",
    "salt2",
    "secure_random",
    "srp_B",
    "srp_id",
    "token",
];

/// What a device says of itself: each library says something else.
const DEVICE: [&str; 6] =
    ["api_id", "app_name", "app_version", "device_model", "platform", "system_version"];

/// What a program tells of its call.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Outcome {
    /// The request and the answer as bytes of its layer, in hexadecimal digits.
    Bytes { layer: i32, request: String, answer: String },
    /// The answer as TL-JSON of the newest layer.
    Json(Json),
    /// That it failed, and in which words: libraries have their own for errors.
    Error(String),
}

/// Compares what a program tells with what was recorded; says what is wrong. `refusals` are the errors
/// that the server gave since the story was played.
pub(crate) fn check(
    recorded: &Recorded,
    outcome: Outcome,
    refusals: &[String],
) -> Result<(), String> {
    let expected = match (&recorded.bound, &recorded.answer) {
        (Some(bound), _) => Err(&bound.error),
        (None, Some(answer)) => Ok(answer),
        (None, None) => Err(&recorded.refused[0].error),
    };
    match (expected, outcome) {
        (Err(expected), Outcome::Error(_)) if refusals.contains(expected) => Ok(()),
        (Err(expected), Outcome::Error(error)) => Err(format!("{error}, not {expected}")),
        (Err(expected), _) => Err(format!("answered where {expected} was due")),
        (Ok(_), Outcome::Error(error)) => Err(format!("failed: {error}")),
        (Ok(answer), Outcome::Json(given)) => compare("", answer, &told(given)),
        (Ok(answer), Outcome::Bytes { layer, request, answer: given }) => {
            in_layer(recorded, answer, layer, &unhex(&request)?, &unhex(&given)?)
        }
    }
}

fn in_layer(
    recorded: &Recorded,
    answer: &Json,
    layer: i32,
    request: &Bytes,
    given: &Bytes,
) -> Result<(), String> {
    static LAYERS: LazyLock<Layers> = LazyLock::new(Layers::new);
    let layers = &*LAYERS;
    let lifted = layers.lift(layer, request).map_err(|error| format!("the request: {error}"))?;
    let method = recorded.request["_"].as_str().unwrap_or_default();
    let ours: Bytes = encode_call(api(), method, &recorded.request).unwrap().into();
    if lifted.body != ours {
        return Err("the request has other bytes".to_owned());
    }
    let ty = Object::decode_call(api(), &ours).unwrap().result().clone();
    let mut bytes = Vec::new();
    Value::from_json(api(), &ty, answer).unwrap().encode(&ty, &mut bytes).unwrap();
    let expected = layers.lower(&lifted.returns, &bytes.into());
    let expected = expected.map_err(|error| format!("the recorded answer: {error}"))?;
    let (schema, theirs) = (layers.schema(layer), lifted.returns.theirs());
    let read = |bytes: &Bytes| Value::decode(&schema, theirs, bytes).map(|value| value.to_json());
    let given = read(given).map_err(|error| format!("the answer: {error}"))?;
    compare("", &read(&expected).unwrap(), &told(given))
}

/// Compares two answers field by field.
fn compare(at: &str, expected: &Json, given: &Json) -> Result<(), String> {
    match (expected, given) {
        (Json::Object(expected), Json::Object(given)) => {
            let same =
                expected.len() == given.len() && expected.keys().all(|key| given.contains_key(key));
            if !same {
                let keys = |object: &serde_json::Map<String, Json>| {
                    object.keys().cloned().collect::<Vec<_>>().join(" ")
                };
                return Err(format!("{at}: {} instead of {}", keys(given), keys(expected)));
            }
            let is_own_device =
                expected["_"] == "authorization" && expected.contains_key("current");
            // The answer to a device that lets another one in.
            let is_let_in = at.is_empty() && expected["_"] == "authorization";
            for (field, value) in expected {
                let may_differ = DRAWN.contains(&field.as_str()) && value.is_string()
                    || is_let_in && field == "hash"
                    || is_own_device && DEVICE.contains(&field.as_str());
                // It is another one of its kind all the same.
                if !may_differ || discriminant(value) != discriminant(&given[field]) {
                    compare(&format!("{at}.{field}"), value, &given[field])?;
                }
            }
            Ok(())
        }
        (Json::Array(expected), Json::Array(given)) if expected.len() == given.len() => {
            let mut items = expected.iter().zip(given).enumerate();
            items.try_for_each(|(index, (expected, given))| {
                compare(&format!("{at}[{index}]"), expected, given)
            })
        }
        _ if expected == given => Ok(()),
        _ => Err(format!("{at}: {given} instead of {expected}")),
    }
}

fn unhex(digits: &str) -> Result<Bytes, String> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
    Ok(bytes.ok_or("no hexadecimal digits")?.into())
}

/// What a program may be answered, and what not.
pub(crate) fn notices() {
    let asked = |method: &str| recorded::recorded(method).unwrap();
    let answered = |method: &str, change: &dyn Fn(&mut Json)| {
        let mut answer = asked(method).answer.clone().unwrap();
        change(&mut answer);
        check(asked(method), Outcome::Json(answer), &[])
    };
    let (code, config) = ("auth.sendCode", "help.getConfig");
    answered(code, &|_| {}).unwrap();
    answered(code, &|answer| answer["timeout"] = 61.into()).unwrap_err();
    answered(code, &|answer| answer["flags"] = 1.into()).unwrap_err();
    answered(code, &|answer| *answer = true.into()).unwrap_err();
    answered("users.getUsers", &|answer| drop(answer.as_array_mut().unwrap().pop())).unwrap_err();
    // What is drawn anew, and where this machine listens.
    answered(config, &|answer| answer["autologin_token"] = "other".into()).unwrap();
    answered(config, &|answer| answer["autologin_token"] = 7.into()).unwrap_err();
    answered(config, &|answer| answer["dc_options"][0]["port"] = 4430.into()).unwrap();
    answered(config, &|answer| answer["dc_options"][0]["id"] = 4.into()).unwrap_err();
    // Only what a device says of itself, not what is said of another one.
    let device = |index: usize, model: Json| {
        answered("account.getAuthorizations", &|answer| {
            answer["authorizations"][index]["device_model"] = model.clone();
        })
    };
    device(0, "GramJS".into()).unwrap();
    device(0, Json::Null).unwrap_err();
    device(1, "GramJS".into()).unwrap_err();

    let refused = |method: &str, refusals: &[String]| {
        check(asked(method), Outcome::Error("it failed".to_owned()), refusals)
    };
    refused("auth.bindTempAuthKey", &["TEMP_AUTH_KEY_EMPTY".to_owned()]).unwrap();
    refused("auth.bindTempAuthKey", &["FLOOD_WAIT_3".to_owned()]).unwrap_err();
    refused(code, &["PHONE_NUMBER_INVALID".to_owned()]).unwrap_err();
    answered("auth.bindTempAuthKey", &|_| {}).unwrap_err();

    // GramJS has the method and its answer in layer 198, as bytes.
    let bytes = |request: &str, answer: &str| {
        let (request, answer) = (request.to_owned(), answer.to_owned());
        check(
            asked("account.resetWebAuthorization"),
            Outcome::Bytes { layer: 198, request, answer },
            &[],
        )
    };
    bytes("efb9012d1303440000000000", "b5757299").unwrap();
    bytes("efb9012d1303440000000000", "379779bc").unwrap_err();
    bytes("efb9012d1403440000000000", "b5757299").unwrap_err();
    bytes("efb9012d", "b5757299").unwrap_err();
    bytes("efb9012d1303440000000000", "b57572").unwrap_err();
}
