//! The dynamic codec: JSON and bytes from anywhere; what it accepts survives the way back.
#![no_main]

use bytes::Bytes;
use chappe_fuzz::{Script, random};
use chappe_schema::{
    api,
    value::{self, Object, Value},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let schema = api();
    let definitions = schema.definitions();
    let pick = usize::from(script.byte()) << 8 | usize::from(script.byte());
    let definition = &definitions[pick % definitions.len()];
    match script.byte() % 3 {
        0 => {
            if let Ok(json) = serde_json::from_slice(script.rest()) {
                let name = &definition.name;
                if let Ok(call) = value::encode_call(schema, name, &json) {
                    let call = Object::decode_call(schema, &call.into()).expect("own calls decode");
                    assert_eq!(Value::Object(call).to_json()["_"], name.as_str());
                }
            }
        }
        1 => {
            let bytes = Bytes::copy_from_slice(script.rest());
            if let Ok(answer) = value::decode_result(schema, &definition.name, &bytes) {
                let text = answer.to_string();
                assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            }
        }
        // A sound value with a few bytes changed gets further than noise does.
        _ => {
            let mut random = random(schema, script.byte());
            let mut bytes = Vec::new();
            if random.object(definition).encode(&mut bytes).is_err() {
                return;
            }
            script.spoil(&mut bytes);
            let ty = chappe_schema::Type::clone(&definition.result);
            let bytes = Bytes::from(bytes);
            if definition.is_function {
                let _ =
                    Object::decode_call(schema, &bytes).map(|call| Value::Object(call).to_json());
            } else if let Ok(value) = Value::decode(schema, &ty, &bytes) {
                let json = value.to_json();
                let again = Value::from_json(schema, &ty, &json).expect("own JSON reads back");
                assert_eq!(again.to_json(), json);
            }
        }
    }
});
