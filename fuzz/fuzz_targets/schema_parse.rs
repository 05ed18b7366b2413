//! The parser of TL schemas: any text, and what it accepts it reads again the same way.
#![no_main]

use chappe_schema::{compute_id, normal_form, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(schema) = parse(text) {
        for definition in schema.definitions() {
            assert!(schema.get(definition.id).is_some());
            assert!(schema.find(&definition.name).is_some());
            assert_eq!(compute_id(&definition.text), compute_id(&normal_form(&definition.text)));
        }
    }
});
