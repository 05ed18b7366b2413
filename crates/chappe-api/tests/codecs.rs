//! Two independent codecs, one schema: random values of every definition, written by the
//! schema-driven codec, pass through the generated one unchanged; damaged ones are refused.

use std::collections::HashMap;

use chappe_schema::Definition;
use chappe_schema::value::random::Random;
use chappe_tl::manual::FutureSalts;
use chappe_tl::{Bytes, DecodeErrorKind};

mod table;

use table::Recode;

/// Definitions that have no codec of their own: the basic types, and what carries an object
/// whose type only its reader knows.
const WITHOUT_CODEC: [&str; 9] = [
    "boolFalse",
    "boolTrue",
    "gzip_packed",
    "message",
    "msg_container",
    "msg_copy",
    "rpc_result",
    "future_salt",
    "vector",
];

/// Calls `check` with random wire forms of every definition and the generated codec for it.
fn for_all(rounds: usize, mut check: impl FnMut(&Definition, Bytes, Recode)) -> usize {
    let mut definitions = 0;
    let tables = [
        (chappe_schema::api(), table::api::TYPES, table::api::FUNCTIONS),
        (chappe_schema::mtproto(), table::service::TYPES, table::service::FUNCTIONS),
    ];
    for (schema, types, functions) in tables {
        let mut random = Random::new(schema, 230);
        let by_hand = ("FutureSalts", table::recode::<FutureSalts> as Recode);
        let types: HashMap<&str, Recode> = types.iter().copied().chain([by_hand]).collect();
        let functions: HashMap<&str, Recode> = functions.iter().copied().collect();
        for definition in schema.definitions() {
            let codec = if definition.is_function {
                functions.get(definition.name.as_str())
            } else {
                types.get(definition.result.to_string().as_str())
            };
            let Some(codec) = codec else {
                assert!(WITHOUT_CODEC.contains(&definition.name.as_str()), "{}", definition.name);
                continue;
            };
            definitions += 1;
            for _ in 0..rounds {
                let mut bytes = Vec::new();
                assert_eq!(random.object(definition).encode(&mut bytes), Ok(()));
                check(definition, bytes.into(), *codec);
            }
        }
    }
    definitions
}

#[test]
fn both_codecs_write_the_same_bytes() {
    let definitions = for_all(12, |definition, bytes, recode| match recode(&bytes) {
        Ok(again) => assert!(again == bytes, "{}: {bytes:02x?}", definition.name),
        Err(error) => panic!("{}: {error}: {bytes:02x?}", definition.name),
    });
    let total = chappe_schema::api().definitions().len() - 3
        + chappe_schema::mtproto().definitions().len()
        - 6;
    assert_eq!(definitions, total);
}

#[test]
fn every_cut_is_an_error() {
    for_all(1, |definition, bytes, recode| {
        if definition.is_generic() {
            return;
        }
        for cut in 0..bytes.len().min(256) {
            assert!(recode(&bytes.slice(..cut)).is_err(), "{} at {cut}", definition.name);
        }
        let mut longer = bytes.to_vec();
        longer.extend([0; 4]);
        let error = recode(&longer.into()).unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::TrailingBytes { count: 4 });
    });
}

#[test]
fn damage_never_panics() {
    let mut state = 1_u32;
    for_all(2, |_, bytes, recode| {
        for _ in 0..16 {
            let mut damaged = bytes.to_vec();
            for _ in 0..2 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = state as usize / 7 % damaged.len();
                damaged[at] ^= (state >> 24) as u8 | 1;
            }
            // Whatever still decodes has a wire form that decodes to the same.
            if let Ok(again) = recode(&damaged.into()) {
                assert_eq!(recode(&again.clone().into()), Ok(again));
            }
        }
    });
}
