//! What the control port reads: any JSON is a fault or an action, or refused, and what is read
//! writes itself back.
#![no_main]

use chappe_fuzz::{Script, json};
use chappe_server::faults::{Action, Fault, Scope};
use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let known = script.flag();
    let mut text = Vec::new();
    match known {
        true => json(&mut script, WORDS, &mut text),
        false => text.extend_from_slice(script.rest()),
    }
    there_and_back::<Fault>(&text, known);
    there_and_back::<Action>(&text, known);
    there_and_back::<Scope>(&text, known);
});

/// Any fraction may lose its last bit on the way; those of [`json`] are short.
fn there_and_back<T>(text: &[u8], exact: bool)
where
    T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug,
{
    let Ok(value) = serde_json::from_slice::<T>(text) else { return };
    let text = serde_json::to_string(&value).expect("what was read can be written");
    let again: T = serde_json::from_str(&text).expect("what was written can be read");
    assert!(!exact || again == value, "{value:?} became {again:?}");
}

/// Names of fields, faults and actions.
const WORDS: &[&str] = &[
    "fault",
    "scope",
    "way",
    "exchange",
    "method",
    "after",
    "every",
    "chance",
    "seed",
    "times",
    "for_seconds",
    "up",
    "down",
    "dc",
    "auth_key_id",
    "session_id",
    "user_id",
    "phone",
    "7",
    "+99966",
    "auth.*",
    "drop",
    "duplicate",
    "delay",
    "seconds",
    "reorder",
    "corrupt",
    "bit",
    "truncate",
    "bytes",
    "transport_error",
    "code",
    "bad_msg",
    "close_after",
    "stop_reading",
    "black_hole",
    "slow",
    "bytes_per_second",
    "hold_acks",
    "announce_answers",
    "above",
    "flood",
    "free",
    "rpc_error",
    "text",
    "migrate",
    "what",
    "unknown_constructor",
    "instead_of",
    "truncate_answer",
    "delay_answer",
    "never_answer",
    "close",
    "drop_answers",
    "expire_keys",
    "forget_sessions",
    "revoke",
    "rotate_salts",
    "skew_clock",
    "unbind",
];
