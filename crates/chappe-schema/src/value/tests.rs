//! The dynamic codec over whole schemas: golden bytes, round trips, messages.

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::random::Random;
use super::{Object, Value, ValueErrorKind, decode_result, encode_call};
use crate::{Schema, Type, api, mtproto};

fn hex(text: &str) -> Bytes {
    let text: String = text.split_whitespace().collect();
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap())
        .collect()
}

#[track_caller]
fn call(method: &str, json: Json, want: &str) {
    let bytes = encode_call(api(), method, &json).unwrap();
    assert_eq!(bytes, hex(want), "{method}");
    // And back: the call decodes to what was written.
    let decoded = Object::decode_call(api(), &bytes.into()).unwrap().to_json();
    let mut want = json.as_object().cloned().unwrap_or_default();
    want.insert("_".to_owned(), json!(method));
    assert_eq!(decoded, Json::Object(want));
}

#[test]
fn golden_calls() {
    call("account.getWebAuthorizations", Json::Null, "6f6d2e18");
    call("account.resetWebAuthorizations", json!({}), "94252d68");
    let hash = json!({ "hash": "-81985529216486895" });
    call("account.resetWebAuthorization", hash, "efb9012d 1132547698badcfe");
    let init = json!({
        "_": "initConnection", "api_id": 12345, "device_model": "Test", "system_version": "1.0",
        "app_version": "0.1", "system_lang_code": "en", "lang_pack": "", "lang_code": "en",
        "query": { "_": "help.getConfig" },
    });
    call(
        "invokeWithLayer",
        json!({ "layer": 230, "query": init }),
        "0d0d9bdae6000000a95ecdc10000000039300000045465737400000003312e3003302e3102656e0000000000
         02656e006b18f9c4",
    );
}

#[test]
fn golden_answer() {
    let bytes = hex(
        "fcc956ed15c4b51c0100000052f4f8a61132547698badcfe6f999eb5010000000b6578616d706c652e636f6d
         0746697265666f78054c696e7578000000f1536510ff53650b3230332e302e3131332e37154578616d706c65
         20436974792c204e6f7768657265000015c4b51c010000007a4bbcd36f999eb501000000",
    );
    let want = json!({
        "_": "account.webAuthorizations",
        "authorizations": [{
            "_": "webAuthorization", "hash": "-81985529216486895", "bot_id": "7342037359",
            "domain": "example.com", "browser": "Firefox", "platform": "Linux",
            "date_created": 1700000000, "date_active": 1700003600, "ip": "203.0.113.7",
            "region": "Example City, Nowhere",
        }],
        "users": [{ "_": "userEmpty", "id": "7342037359" }],
    });
    assert_eq!(decode_result(api(), "account.getWebAuthorizations", &bytes).unwrap(), want);
    let ty = Type::Boxed("account.WebAuthorizations".into());
    let mut out = Vec::new();
    Value::from_json(api(), &ty, &want).unwrap().encode(&ty, &mut out).unwrap();
    assert_eq!(out, bytes);
}

#[test]
fn answers_that_are_vectors() {
    let longs = Type::Vector { item: Box::new(Type::Long), bare: false };
    let bytes = hex("15c4b51c020000000100000000000000ffffffffffffffff");
    let value = Value::decode(api(), &longs, &bytes).unwrap();
    assert_eq!(value.to_json(), json!(["1", "-1"]));
    let result = decode_result(api(), "photos.deletePhotos", &bytes).unwrap();
    assert_eq!(result, json!(["1", "-1"]));
    let users = hex("15c4b51c 01000000 7a4bbcd3 0500000000000000");
    let result = decode_result(api(), "users.getUsers", &users).unwrap();
    assert_eq!(result, json!([{ "_": "userEmpty", "id": "5" }]));
}

#[test]
fn strings_at_the_lengths_where_the_form_changes() {
    for length in [0, 1, 3, 4, 253, 254, 255, 256, 70_000] {
        let text = "x".repeat(length);
        let bytes = encode_call(
            api(),
            "invokeWithReCaptcha",
            &json!({ "token": text, "query": { "_": "help.getConfig" } }),
        )
        .unwrap();
        let head = if length < 254 { 1 } else { 4 };
        assert_eq!(bytes.len(), 8 + (head + length).next_multiple_of(4), "{length}");
        let call = Object::decode_call(api(), &bytes.into()).unwrap();
        assert_eq!(call.get("token"), Some(&Value::String(text.into())));
    }
    let long = json!({ "token": "x".repeat(1 << 24), "query": { "_": "help.getConfig" } });
    let error = encode_call(api(), "invokeWithReCaptcha", &long).unwrap_err();
    assert!(matches!(error.kind(), ValueErrorKind::OutOfRange { .. }), "{error}");
}

/// Every constructor and method of both schemas survives bytes and JSON.
#[test]
fn round_trips() {
    fn check(schema: &Schema, seed: u64) {
        let mut random = Random::new(schema, seed);
        for definition in schema.definitions().iter().filter(|it| it.id != chappe_tl::VECTOR) {
            let object = random.object(definition);
            let mut bytes = Vec::new();
            object.encode(&mut bytes).unwrap_or_else(|error| panic!("{}: {error}", object.name()));
            let ty = if definition.is_function { Type::Query } else { Type::Object };
            let decoded = Value::decode(schema, &ty, &bytes.clone().into());
            let decoded = decoded.unwrap_or_else(|error| panic!("{}: {error}", object.name()));
            assert_eq!(decoded, Value::Object(object), "{}", definition.text);
            let json = decoded.to_json();
            let text = json.to_string();
            let parsed: Json = serde_json::from_str(&text).unwrap();
            let read = Value::from_json(schema, &ty, &parsed);
            let read = read.unwrap_or_else(|error| panic!("{}: {error}\n{text}", definition.name));
            assert_eq!(read, decoded, "{text}");
            // Cut anywhere it is an error, and never a panic.
            for length in [bytes.len() / 2, bytes.len().saturating_sub(1)] {
                let cut = Bytes::copy_from_slice(&bytes[..length]);
                assert!(Value::decode(schema, &ty, &cut).is_err(), "{}", definition.name);
            }
        }
    }
    for seed in 0..4 {
        check(api(), seed);
        check(mtproto(), seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_values() {
    let definition = api().find("user").unwrap();
    let value = |seed| Random::new(api(), seed).object(definition);
    assert_eq!(value(7), value(7));
    assert_ne!(value(7), value(8));
}

/// Flipped bytes decode or fail; what decodes encodes again.
#[test]
fn flipped_bytes_never_panic() {
    let mut random = Random::new(api(), 1);
    for definition in api().definitions().iter().step_by(7) {
        let mut bytes = Vec::new();
        random.object(definition).encode(&mut bytes).unwrap();
        for _ in 0..16 {
            let mut broken = bytes.clone();
            let place = random.below(broken.len());
            broken[place] ^= 1 << random.below(8);
            for ty in [Type::Object, Type::Query] {
                if let Ok(value) = Value::decode(api(), &ty, &broken.clone().into()) {
                    value.encode(&ty, &mut Vec::new()).unwrap();
                }
            }
        }
    }
}

/// Fields of one bit travel together, and a flag word is not a field.
#[test]
fn shared_bits() {
    let json = |fields: Json| {
        let mut all = json!({ "_": "urlAuthResultRequest", "bot": { "_": "userEmpty", "id": 1 }, "domain": "a" });
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Value::from_json(api(), &Type::Boxed("UrlAuthResult".into()), &all)
    };
    let whole = json!({ "browser": "b", "platform": "p", "ip": "i", "region": "r" });
    assert!(json(whole).is_ok());
    let message = json(json!({ "browser": "b" })).unwrap_err().to_string();
    assert_eq!(message, "`urlAuthResultRequest` needs the field `platform` of type string");
    let message = json(json!({ "flags": 1 })).unwrap_err().to_string();
    assert!(message.starts_with("`urlAuthResultRequest` has no field `flags`"), "{message}");
}

#[test]
fn messages_say_what_is_wrong_and_where() {
    let check = |method: &str, json: Json, want: &str| {
        assert_eq!(encode_call(api(), method, &json).unwrap_err().to_string(), want);
    };
    let reset = "account.resetWebAuthorization";
    check(
        "account.resetWebAuthorisation",
        json!({}),
        "there is no method `account.resetWebAuthorisation`; did you mean \
         `account.resetWebAuthorization`?",
    );
    check("frobnicate.everything", json!({}), "there is no method `frobnicate.everything`");
    check("peerUser", json!({}), "there is no method `peerUser`");
    check(reset, json!({}), &format!("`{reset}` needs the field `hash` of type long"));
    check(reset, json!({ "hsah": 1 }), &format!("`{reset}` has no field `hsah`; it has `hash`"));
    check(
        "account.resetWebAuthorizations",
        json!({ "hash": 1 }),
        "`account.resetWebAuthorizations` has no field `hash`; it has none",
    );
    check(reset, json!({ "hash": true }), "hash: expected long, found a boolean");
    check(reset, json!({ "hash": 1.5 }), "hash: expected long, found the number 1.5");
    check(reset, json!({ "hash": "12x" }), "hash: expected long, found a string");
    check(
        reset,
        json!({ "hash": "9223372036854775808" }),
        "hash: 9223372036854775808 is out of range for long",
    );
    check(
        reset,
        json!([]),
        &format!("expected an object with the fields of `{reset}`, found an array"),
    );
    check(
        "messages.getHistory",
        json!({ "peer": { "_": "inputPeerUsr", "user_id": 1 } }),
        "peer: `inputPeerUsr` is not a constructor of InputPeer; write `inputPeerUser`",
    );
    check(
        "users.getUsers",
        json!({ "id": [{ "_": "inputUserSelf" }, { "_": "peerChat" }] }),
        "id[1]: `peerChat` is not a constructor of InputUser; write one of `inputUserEmpty`, \
         `inputUserSelf`, `inputUser` and `inputUserFromMessage`",
    );
    check(
        "users.getUsers",
        json!({ "id": [{}] }),
        "id[0]: `InputUser` needs the field `_` of type a constructor's name",
    );
    check(
        "users.getUsers",
        json!({ "id": [{ "_": "inputUser", "user_id": 1, "access_hash": null }] }),
        "id[0].access_hash: expected long, found null",
    );
    check(
        "auth.importAuthorization",
        json!({ "id": 1, "bytes": "no!" }),
        "bytes: expected bytes as base64",
    );
    check(
        "messages.getHistory",
        json!({ "offset_id": 2_147_483_648_u64 }),
        "offset_id: 2147483648 is out of range for int",
    );
    check(
        "invokeWithoutUpdates",
        json!({ "query": { "_": "help.getConfg" } }),
        "query: there is no method `help.getConfg`; did you mean `help.getConfig`?",
    );
}

#[test]
fn numbers_that_json_cannot_write() {
    let ty = Type::Double;
    for (value, json) in [
        (f64::INFINITY, json!("Infinity")),
        (f64::NEG_INFINITY, json!("-Infinity")),
        (0.1, json!(0.1)),
        (-0.0, json!(-0.0)),
    ] {
        assert_eq!(Value::Double(value).to_json(), json);
        assert_eq!(Value::from_json(api(), &ty, &json).unwrap(), Value::Double(value));
    }
    assert_eq!(Value::Double(f64::NAN).to_json(), json!("NaN"));
    let Value::Double(value) = Value::from_json(api(), &ty, &json!("NaN")).unwrap() else {
        panic!()
    };
    assert!(value.is_nan());
}

#[test]
fn json_cannot_nest_for_ever() {
    let mut json = json!({ "_": "jsonNull" });
    for _ in 0..100 {
        json = json!({ "_": "jsonArray", "value": [json] });
    }
    let error = Value::from_json(api(), &Type::Boxed("JSONValue".into()), &json).unwrap_err();
    assert_eq!(*error.kind(), ValueErrorKind::TooDeep);
}
