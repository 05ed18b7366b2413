//! The generated codec: every type and every method, from noise and from sound values with a few
//! bytes changed. What decodes writes itself as bytes that decode to the same.
#![no_main]

use bytes::Bytes;
use chappe_fuzz::{Script, random};
use chappe_schema::{api, mtproto};
use chappe_tl::{Decode, Encode};
use libfuzzer_sys::fuzz_target;

/// Reads a value, writes it, reads it again.
type Recode = fn(&Bytes);

#[path = "../../crates/chappe-api/tests/table/api.rs"]
mod api_table;
#[path = "../../crates/chappe-api/tests/table/service.rs"]
mod service_table;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let (schema, types, functions) = match script.byte() % 8 {
        0 => (mtproto(), service_table::TYPES, service_table::FUNCTIONS),
        _ => (api(), api_table::TYPES, api_table::FUNCTIONS),
    };
    let pick = usize::from(script.byte()) << 8 | usize::from(script.byte());
    let all = types.len() + functions.len();
    let index = pick % all;
    let (name, recode) = types.get(index).unwrap_or_else(|| &functions[index - types.len()]);
    let bytes = match script.flag() {
        false => script.rest().to_vec(),
        true => {
            let mut random = random(schema, script.byte());
            let definition = match index < types.len() {
                false => schema.find(name),
                true => {
                    let constructors = schema.constructors(name);
                    let pick = usize::from(script.byte()) % constructors.len().max(1);
                    constructors.get(pick).copied()
                }
            };
            let Some(definition) = definition else { return };
            let mut bytes = Vec::new();
            if random.object(definition).encode(&mut bytes).is_err() {
                return;
            }
            script.spoil(&mut bytes);
            bytes
        }
    };
    recode(&bytes.into());
});

fn recode<T: Encode + Decode>(bytes: &Bytes) {
    let Ok(value) = T::from_bytes(bytes) else { return };
    let once = value.to_bytes();
    let again = T::from_bytes(&once).expect("own bytes read back");
    assert_eq!(again.to_bytes(), once);
}
