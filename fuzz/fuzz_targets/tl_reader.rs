//! The reader of TL, called in any order: no panic, no step back, nothing made of nothing.
#![no_main]

use bytes::Bytes;
use chappe_fuzz::Script;
use chappe_tl::{Encode, Reader, Text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let calls = script.piece();
    let frame = Bytes::copy_from_slice(script.rest());
    let mut reader = Reader::new(&frame);
    for call in calls {
        let before = reader.offset();
        let failed = match call % 16 {
            0 => reader.u32().is_err(),
            1 => reader.i32().is_err(),
            2 => reader.i64().is_err(),
            3 => reader.f64().is_err(),
            4 => reader.int128().is_err(),
            5 => reader.int256().is_err(),
            6 => reader.bool().is_err(),
            7 => reader.text().map(|text| read_again(&text, &frame, before)).is_err(),
            8 => reader.bytes().map(|bytes| read_again(&bytes, &frame, before)).is_err(),
            9 => reader.vector::<i32>().is_err(),
            10 => reader.vector::<Vec<Text>>().is_err(),
            11 => reader.bare_vector::<i64>().is_err(),
            12 => reader.enter().is_err(),
            13 => reader.count().is_err(),
            14 => reader.peek_u32().is_none() && reader.remaining() >= 4,
            _ => reader.raw(usize::from(*call)).is_err(),
        };
        assert!(reader.offset() >= before && reader.offset() <= frame.len());
        assert_eq!(reader.offset() + reader.remaining(), frame.len());
        if failed {
            break;
        }
    }
});

/// What was read writes itself as canonical bytes, which read back as the same.
fn read_again<T: Encode + chappe_tl::Decode + PartialEq + std::fmt::Debug>(
    value: &T,
    frame: &Bytes,
    from: usize,
) {
    let bytes = value.to_bytes();
    assert_eq!(&T::from_bytes(&bytes).expect("own bytes read back"), value);
    assert!(from + 4 <= frame.len(), "a value of nothing");
}
