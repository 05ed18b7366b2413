//! Requests of any held layer lifted to the newest, answers lowered back: noise is refused, and
//! what comes out is sound in its own layer.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use chappe_fuzz::{Script, random};
use chappe_schema::{
    Schema,
    layers::{Layers, unwrap},
    value::{Object, Value},
};
use libfuzzer_sys::fuzz_target;

static LAYERS: LazyLock<Layers> = LazyLock::new(Layers::new);

/// Each held layer, its schema kept for good.
static SCHEMAS: LazyLock<Vec<(i32, &'static Schema)>> = LazyLock::new(|| {
    let keep = |layer| (layer, &*Box::leak(Box::new((*LAYERS.schema(layer)).clone())));
    LAYERS.held().map(keep).collect()
});

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let (layer, schema) = SCHEMAS[usize::from(script.byte()) % SCHEMAS.len()];
    let mut random = random(schema, script.byte());
    let mut request = Vec::new();
    if script.flag() {
        let pick = usize::from(script.byte()) << 8 | usize::from(script.byte());
        let count = schema.functions().count();
        let Some(method) = schema.functions().nth(pick % count) else { return };
        if random.object(method).encode(&mut request).is_err() {
            return;
        }
        script.spoil(&mut request);
    } else {
        request.extend_from_slice(script.piece());
    }
    let request = Bytes::from(request);
    let _ = unwrap(&request);
    let Ok(lifted) = LAYERS.lift(layer, &request) else { return };
    if layer == LAYERS.newest() {
        // What is of the newest layer already passes through unread, both ways.
        return assert_eq!(lifted.body, request);
    }
    let newest = chappe_schema::api();
    Object::decode_call(newest, &lifted.body).expect("a lifted request is one of the newest layer");

    let ours = lifted.returns.ours();
    let mut answer = Vec::new();
    let mut random = chappe_fuzz::random(newest, script.byte());
    if random.value(ours).encode(ours, &mut answer).is_err() {
        return;
    }
    script.spoil(&mut answer);
    if let Ok(lowered) = LAYERS.lower(&lifted.returns, &answer.into()) {
        let theirs = lifted.returns.theirs();
        Value::decode(schema, theirs, &lowered).expect("a lowered answer is one of its layer");
    }
});
