//! Writing into a `Vec<u8>`: numbers, strings with their padding, vectors.

use crate::{Encode, Text, VECTOR};

/// The longest `string` or `bytes` that the wire form can express.
const MAX_LENGTH: usize = (1 << 24) - 1;

/// Writes a constructor id or a `#`.
#[cfg_attr(not(debug_assertions), inline)]
pub fn write_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Writes an `int`.
#[cfg_attr(not(debug_assertions), inline)]
pub fn write_i32(out: &mut Vec<u8>, value: i32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Writes a `long`.
#[cfg_attr(not(debug_assertions), inline)]
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Writes an `int` if there is one.
#[cfg_attr(not(debug_assertions), inline)]
pub fn write_i32_if(out: &mut Vec<u8>, value: Option<i32>) {
    if let Some(value) = value {
        write_i32(out, value);
    }
}

/// Writes a `long` if there is one.
#[cfg_attr(not(debug_assertions), inline)]
pub fn write_i64_if(out: &mut Vec<u8>, value: Option<i64>) {
    if let Some(value) = value {
        write_i64(out, value);
    }
}

/// Writes a `double`.
#[cfg_attr(not(debug_assertions), inline)]
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Writes an `int128`.
pub fn write_int128(out: &mut Vec<u8>, value: [u8; 16]) {
    out.extend_from_slice(&value);
}

/// Writes an `int256`.
pub fn write_int256(out: &mut Vec<u8>, value: [u8; 32]) {
    out.extend_from_slice(&value);
}

/// Writes a `Bool`.
pub fn write_bool(out: &mut Vec<u8>, value: bool) {
    write_u32(out, if value { 0x9972_75b5 } else { 0xbc79_9737 });
}

/// Writes a `string`.
pub fn write_text(out: &mut Vec<u8>, value: &str) {
    write_bytes(out, value.as_bytes());
}

/// Writes a `string` if there is one.
#[cfg_attr(not(debug_assertions), inline)]
pub fn write_text_if(out: &mut Vec<u8>, value: &Option<Text>) {
    if let Some(value) = value {
        write_text(out, value);
    }
}

/// Writes `bytes`.
///
/// The wire form ends at 2^24 - 1 bytes (core.telegram.org/mtproto/serialize); what is beyond
/// is cut off, so that the message around it stays readable.
pub fn write_bytes(out: &mut Vec<u8>, value: &[u8]) {
    debug_assert!(value.len() <= MAX_LENGTH, "TL strings end at 2^24 - 1 bytes");
    let value = value.get(..MAX_LENGTH).unwrap_or(value);
    let [first, second, third, ..] = value.len().to_le_bytes();
    out.reserve(value.len() + 8);
    let head = if value.len() < 254 {
        out.push(first);
        1
    } else {
        out.extend_from_slice(&[254, first, second, third]);
        4
    };
    out.extend_from_slice(value);
    let padding: &[u8] = match (head + value.len()) % 4 {
        1 => &[0; 3],
        2 => &[0; 2],
        3 => &[0; 1],
        _ => &[],
    };
    out.extend_from_slice(padding);
}

/// Writes a boxed `Vector<T>`.
pub fn write_vector<T: Encode>(out: &mut Vec<u8>, items: &[T]) {
    write_u32(out, VECTOR);
    write_bare_vector(out, items);
}

/// Writes a bare `vector<T>`, without constructor id.
pub fn write_bare_vector<T: Encode>(out: &mut Vec<u8>, items: &[T]) {
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    write_u32(out, count);
    for item in items {
        item.encode(out);
    }
}
