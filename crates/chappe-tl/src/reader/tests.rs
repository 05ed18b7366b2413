//! Golden vectors of the wire form, and input that means harm.

use bytes::Bytes;

use crate::{Decode, DecodeErrorKind, Encode, MAX_DEPTH, Raw, Reader, Text, write_text};

fn hex(text: &str) -> Bytes {
    let digits: String = text.split_whitespace().collect();
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn kind<T: Decode + std::fmt::Debug>(bytes: &Bytes) -> DecodeErrorKind {
    T::from_bytes(bytes).unwrap_err().kind()
}

#[test]
fn strings_of_every_head_length() {
    for (value, total, head, tail) in [
        (String::new(), 4, "00000000", "00000000"),
        ("a".into(), 4, "01610000", "01610000"),
        ("abc".into(), 4, "03616263", "03616263"),
        ("abcd".into(), 8, "04616263", "64000000"),
        ("x".repeat(253), 256, "fd787878", "78780000"),
        ("x".repeat(254), 260, "fefe0000", "78780000"),
        ("x".repeat(255), 260, "feff0000", "78787800"),
        ("x".repeat(256), 260, "fe000100", "78787878"),
    ] {
        let text = Text::from(value);
        let bytes = text.to_bytes();
        assert_eq!(bytes.len(), total);
        assert_eq!((bytes.slice(..4), bytes.slice(total - 4..)), (hex(head), hex(tail)));
        assert_eq!(Text::from_bytes(&bytes).unwrap(), text);
        assert_eq!(Bytes::from_bytes(&bytes).unwrap(), text.as_bytes());
        for cut in 0..total {
            assert_eq!(kind::<Text>(&bytes.slice(..cut)), DecodeErrorKind::UnexpectedEnd);
        }
    }
}

#[test]
fn vector_of_longs() {
    let bytes = hex("15c4b51c020000000100000000000000ffffffffffffffff");
    assert_eq!(Vec::<i64>::from_bytes(&bytes).unwrap(), [1, -1]);
    assert_eq!(vec![1_i64, -1].to_bytes(), bytes);
}

#[test]
fn bools() {
    assert_eq!(true.to_bytes(), hex("b5757299"));
    assert_eq!(false.to_bytes(), hex("379779bc"));
    assert!(bool::from_bytes(&hex("b5757299")).unwrap());
    assert_eq!(
        kind::<bool>(&hex("00000000")),
        DecodeErrorKind::UnknownConstructor { id: 0, expected: "Bool" }
    );
}

#[test]
fn lengths_that_need_not_be_so_long_and_padding_that_is_not_zero_are_read() {
    assert_eq!(Text::from_bytes(&hex("fe010000 61ffffff")).unwrap(), "a");
    assert_eq!(Text::from_bytes(&hex("0161ffff")).unwrap(), "a");
    assert_eq!(Text::from_bytes(&hex("fe000000")).unwrap(), "");
}

#[test]
fn a_seven_byte_length_is_refused() {
    assert_eq!(
        kind::<Text>(&hex("ff01000000000000")),
        DecodeErrorKind::InvalidValue { value: 255, field: "length" }
    );
}

#[test]
fn bad_utf8_is_replaced() {
    assert_eq!(Text::from_bytes(&hex("0361ff62")).unwrap(), "a\u{fffd}b");
}

#[test]
fn a_vector_of_more_items_than_bytes_reserves_nothing() {
    let bomb = hex("15c4b51c ffffff7f 00000000");
    assert_eq!(kind::<Vec<i32>>(&bomb), DecodeErrorKind::TooManyItems { count: 0x7fff_ffff });
    let nested = hex("15c4b51c 02000000 15c4b51c ffffffff");
    assert_eq!(kind::<Vec<Vec<i32>>>(&nested), DecodeErrorKind::TooManyItems { count: u32::MAX });
}

#[test]
fn depth_is_bounded() {
    let frame = Bytes::new();
    let mut input = Reader::new(&frame);
    for _ in 0..MAX_DEPTH {
        input.enter().unwrap();
    }
    assert_eq!(input.enter().unwrap_err().kind(), DecodeErrorKind::TooDeep);
    input.leave();
    assert!(input.enter().is_ok());
}

/// A vector of `bytes` of these lengths, read from a frame of its own.
fn read_all(lengths: &[usize]) -> (Bytes, Vec<Bytes>) {
    let values: Vec<Bytes> =
        lengths.iter().zip(1..).map(|(length, byte)| vec![byte; *length].into()).collect();
    let frame = values.to_bytes();
    let read = Vec::<Bytes>::from_bytes(&frame).unwrap();
    assert_eq!(read, values);
    (frame, read)
}

#[test]
fn bytes_share_a_frame_that_is_not_much_larger() {
    for (lengths, shared) in [
        (&[20, 1900][..], &[true, true][..]),
        (&[20, 310, 2100], &[false, true, true]),
        (&[20, 300, 7000], &[false, false, true]),
        (&[70_000, 9_000, 8_000], &[true, false, false]),
        (&[1_000_000], &[true]),
    ] {
        let (frame, read) = read_all(lengths);
        let range = frame.as_ptr_range();
        let is: Vec<bool> = read.iter().map(|value| range.contains(&value.as_ptr())).collect();
        assert_eq!(is, shared, "{lengths:?}");
    }
}

#[test]
fn short_bytes_of_a_large_frame_share_blocks() {
    let mut lengths = vec![29; 200];
    lengths.push(100_000);
    let (_, read) = read_all(&lengths);
    let ranges: Vec<_> = read.iter().take(200).map(|value| value.as_ptr_range()).collect();
    let breaks = ranges.iter().zip(ranges.iter().skip(1)).filter(|(a, b)| a.end != b.start);
    // 70 values of 29 bytes fill a block of 2,048.
    assert_eq!(breaks.count(), 2);
    // Each owns its range: what becomes of the others does not matter to it.
    let kept = read.into_iter().nth(71).unwrap();
    assert_eq!(kept, vec![72; 29]);
}

#[test]
fn empty_bytes_keep_nothing() {
    let (frame, read) = read_all(&[0, 10]);
    let empty = read.first().unwrap();
    assert!(empty.is_empty() && !frame.as_ptr_range().contains(&empty.as_ptr()));
}

#[test]
fn the_first_failure_of_a_field_is_the_one_that_is_told() {
    let frame = hex("01000000 15c4b51c 02000000 0161");
    let mut input = Reader::new(&frame);
    assert_eq!((input.flags_field(), input.failure()), (1, None));
    assert!(input.vector_field::<i64>().is_empty());
    // Everything is empty from then on, and no reader's own error hides the first one.
    assert_eq!(
        (input.int_field(), input.long_if(1, 1), input.text_field()),
        (0, Some(0), "".into())
    );
    assert_eq!((input.bytes_field(), input.field_if::<i32>(1, 1)), (Bytes::new(), None));
    assert_eq!((input.boxed_if::<i64>(1, 1), input.field::<[u8; 16]>()), (None, [0; 16]));
    let first = input.finish().unwrap_err();
    assert_eq!((first.kind(), first.offset()), (DecodeErrorKind::TooManyItems { count: 2 }, 12));
    assert_eq!(input.i32().unwrap_err(), first);
    assert_eq!(input.unknown(7, "Peer"), first);
    assert_eq!((input.failure(), input.failure()), (Some(first), None));
}

#[test]
fn raw_takes_the_rest_and_everything_else_leaves_no_byte() {
    let bytes = hex("0100000002000000");
    assert_eq!(kind::<i32>(&bytes), DecodeErrorKind::TrailingBytes { count: 4 });
    let mut input = Reader::new(&bytes);
    assert_eq!((input.peek_u32(), input.i32().unwrap(), input.offset()), (Some(1), 1, 4));
    assert_eq!(Raw::decode(&mut input).unwrap(), Raw(hex("02000000")));
    assert_eq!((input.remaining(), input.peek_u32()), (0, None));
}

#[test]
fn numbers_are_little_endian() {
    let mut out = Vec::new();
    (-2_i32).encode(&mut out);
    1.5_f64.encode(&mut out);
    [3_u8; 16].encode(&mut out);
    write_text(&mut out, "é");
    let bytes = Bytes::from(out);
    let mut input = Reader::new(&bytes);
    assert_eq!(input.i32().unwrap(), -2);
    assert_eq!(input.f64().unwrap(), 1.5);
    assert_eq!(input.int128().unwrap(), [3; 16]);
    assert_eq!(input.text().unwrap(), "é");
    assert_eq!(input.int256().unwrap_err().offset(), bytes.len());
}
