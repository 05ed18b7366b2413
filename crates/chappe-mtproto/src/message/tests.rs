//! Ids, numbers, windows, containers and compression, one rule at a time.

use chappe_tl::Encode;
use proptest::prelude::*;

use super::*;

const TIME: Duration = Duration::from_secs(1_700_000_000);

fn message(msg_id: i64, body: &'static [u8]) -> Message {
    Message { msg_id, seqno: 1, body: Bytes::from_static(body) }
}

fn container(messages: Vec<Message>) -> Vec<u8> {
    MsgContainer { messages }.to_bytes().to_vec()
}

#[test]
fn ids_are_times_and_increase() {
    let mut ids = MessageIds::default();
    let first = ids.next(TIME + Duration::from_millis(500), Low::Client);
    assert_eq!(first, (1_700_000_000 << 32) | 0x8000_0000);
    let second = ids.next(TIME + Duration::from_millis(500), Low::Client);
    assert_eq!(second, first + 4, "the same moment");
    let third = ids.next(TIME, Low::Client);
    assert_eq!(third, second + 4, "an earlier moment");
    let fourth = ids.next(TIME + Duration::from_secs(9), Low::Client);
    assert_eq!(fourth >> 32, 1_700_000_009);
}

#[test]
fn ids_tell_the_side_and_stay_apart() {
    let mut ids = MessageIds::default();
    let all = [Low::Push, Low::Answer, Low::Client, Low::Push].map(|low| ids.next(TIME, low));
    assert_eq!(all.map(|id| id & 3), [3, 1, 0, 3]);
    assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn the_lower_half_of_an_id_is_never_zero() {
    let mut ids = MessageIds::default();
    assert_ne!(ids.next(TIME, Low::Client) & 0xffff_ffff, 0);
}

#[test]
fn the_window_of_time_has_sharp_edges() {
    let id = |seconds: i64| (1_700_000_000 + seconds) << 32;
    for (seconds, expected) in
        [(-301, Age::Old), (-300, Age::Fresh), (0, Age::Fresh), (30, Age::Fresh), (31, Age::Ahead)]
    {
        assert_eq!(age(id(seconds), TIME), expected, "{seconds}");
    }
    assert_eq!(age(i64::MIN, TIME), Age::Old);
    assert_eq!(age(i64::MAX, TIME), Age::Ahead);
}

#[test]
fn sequence_numbers_count_content_twice() {
    let mut numbers = SequenceNumbers::default();
    let all = [false, true, true, false, false, true].map(|content| numbers.next(content));
    assert_eq!(all, [0, 1, 3, 4, 4, 5]);
    assert_eq!(all.map(is_content), [false, true, true, false, false, true]);
}

#[test]
fn a_window_forgets_the_oldest_and_takes_nothing_older() {
    let mut window = Window::new(3);
    for id in [10, 30, 20] {
        assert_eq!(window.look(id), Seen::New);
        window.insert(id, id);
    }
    assert_eq!(window.look(5), Seen::New, "nothing was forgotten yet");
    window.insert(40, 40);
    assert_eq!(window.look(10), Seen::Forgotten);
    assert_eq!(window.look(5), Seen::Forgotten);
    assert_eq!(window.look(15), Seen::New, "between those that are remembered");
    assert_eq!(window.look(20), Seen::Before(&20));
    assert_eq!(window.neighbours(25), [Some(&20), Some(&30)]);
    assert_eq!(window.neighbours(50), [Some(&40), None]);
    assert_eq!(window.highest(), Some(40));
    window.insert(15, 15);
    assert_eq!(window.look(15), Seen::Forgotten, "it was the oldest itself");
    window.insert(5, 5);
    assert_eq!(window.look(12), Seen::Forgotten, "nothing comes back");
}

#[test]
fn containers_open_as_they_were_packed() {
    let messages = vec![message(4, b"abcd"), message(8, b""), message(12, b"abcdefgh")];
    assert_eq!(unpack_container(container(messages.clone()).into()), Ok(messages));
    assert_eq!(unpack_container(container(vec![]).into()), Ok(vec![]));
}

#[test]
fn containers_hold_no_more_than_1024_messages() {
    let of = |count| unpack_container(container(vec![message(4, b"abcd"); count]).into());
    assert_eq!(of(1024).unwrap().len(), 1024);
    assert_eq!(of(1025), Err(MessageError::Container));
}

#[test]
fn containers_hold_no_containers() {
    let inner: Bytes = container(vec![message(4, b"abcd")]).into();
    let outer = container(vec![Message { msg_id: 8, seqno: 0, body: inner }]);
    assert_eq!(unpack_container(outer.into()), Err(MessageError::Container));
}

#[test]
fn containers_fit_exactly() {
    let whole = container(vec![message(4, b"abcd"), message(8, b"efgh")]);
    for length in 0..whole.len() {
        let cut = Bytes::copy_from_slice(&whole[..length]);
        assert_eq!(unpack_container(cut), Err(MessageError::Container), "{length}");
    }
    let longer = [&whole[..], &[0; 4]].concat();
    assert_eq!(unpack_container(longer.into()), Err(MessageError::Container));
    let crooked = container(vec![message(4, b"abcdef"), message(8, b"gh")]);
    assert_eq!(unpack_container(crooked.into()), Err(MessageError::Container));
    for (place, value) in [(4, 3), (4, 0xff), (20, 3), (20, 5), (20, 0xff), (0, 0)] {
        let mut spoiled = whole.clone();
        spoiled[place] = value;
        assert_eq!(unpack_container(spoiled.into()), Err(MessageError::Container), "{place}");
    }
}

fn gzip_packed(data: &[u8]) -> Bytes {
    GzipPacked { packed_data: gzip(data).unwrap().into() }.to_bytes()
}

#[test]
fn compressed_objects_open() {
    let golden = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xdb, 0x5a, 0x5a, 0x34, 0x13, 0, 0x9b, 0xfb, 8, 0xcd,
        4, 0, 0, 0,
    ];
    let packed = GzipPacked { packed_data: Bytes::copy_from_slice(&golden) }.to_bytes();
    assert_eq!(inflate(packed), Ok(Bytes::copy_from_slice(&0x9972_75b5_u32.to_le_bytes())));
    let plain = Bytes::from_static(b"plain object");
    assert_eq!(inflate(plain.clone()), Ok(plain));
}

#[test]
fn a_zlib_stream_opens_as_well() {
    let golden = [0x78, 0x9c, 0xdb, 0x5a, 0x5a, 0x34, 0x13, 0, 5, 0xb4, 2, 0x36];
    let packed =
        |stream: &[u8]| GzipPacked { packed_data: Bytes::copy_from_slice(stream) }.to_bytes();
    let object = Bytes::copy_from_slice(&0x9972_75b5_u32.to_le_bytes());
    assert_eq!(inflate(packed(&golden)), Ok(object));
    let mut spoiled = golden;
    *spoiled.last_mut().unwrap() ^= 1;
    assert_eq!(inflate(packed(&spoiled)), Err(MessageError::Gzip));
    assert_eq!(inflate(packed(&golden[..8])), Err(MessageError::Gzip));
}

#[test]
fn compressed_objects_have_a_limit() {
    let random: Vec<u8> = (0..MAX_INFLATED).map(|n| (n * n / 7 % 251).to_le_bytes()[0]).collect();
    assert_eq!(inflate(gzip_packed(&random)).map(|data| data.len()), Ok(MAX_INFLATED));
    let one_more = [&random[..], &[0]].concat();
    assert_eq!(inflate(gzip_packed(&one_more)), Err(MessageError::Gzip));
}

#[test]
fn compressed_objects_do_not_explode() {
    let bomb = |length: usize| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![0; length]).unwrap();
        GzipPacked { packed_data: encoder.finish().unwrap().into() }.to_bytes()
    };
    let length = |packed| inflate(packed).map(|data| data.len());
    assert_eq!(length(bomb(FREE_INFLATED)), Ok(FREE_INFLATED));
    assert_eq!(length(bomb(FREE_INFLATED + 1)), Err(MessageError::Gzip));
}

#[test]
fn compressed_objects_hold_neither_each_other_nor_containers() {
    let inner = gzip_packed(b"abcd");
    assert_eq!(inflate(gzip_packed(&inner)), Err(MessageError::Gzip));
    let inner = container(vec![message(4, b"abcd")]);
    assert_eq!(inflate(gzip_packed(&inner)), Err(MessageError::Gzip));
}

#[test]
fn broken_compressed_objects_are_refused() {
    let whole = gzip_packed(&b"all work and no play ".repeat(100));
    for length in 4..whole.len() {
        assert_eq!(inflate(whole.slice(..length)), Err(MessageError::Gzip), "{length}");
    }
    let longer = [&whole[..], &[0; 4]].concat();
    assert_eq!(inflate(longer.into()), Err(MessageError::Gzip));
    let mut spoiled = gzip(&b"all work ".repeat(100)).unwrap();
    let checksum = spoiled.len() - 8;
    spoiled[checksum] ^= 1;
    let spoiled = GzipPacked { packed_data: spoiled.into() }.to_bytes();
    assert_eq!(inflate(spoiled), Err(MessageError::Gzip));
}

#[test]
fn bodies_are_compressed_when_that_pays() {
    assert_eq!(deflate(&[b'a'; MIN_DEFLATED - 1]), None);
    let text = vec![b'a'; MIN_DEFLATED];
    let packed = deflate(&text).unwrap();
    assert_eq!((packed.len() % 4, inflate(packed)), (0, Ok(text.into())));
    let mut state = 1u32;
    let mut noise = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect()
    };
    assert_eq!(deflate(&noise(4000)), None);
    // A large body is judged by its middle.
    let mut large = vec![b'a'; 3 * PROBED];
    assert!(deflate(&large).is_some());
    let middle = large.len() / 2;
    large[middle..middle + PROBE].copy_from_slice(&noise(PROBE));
    assert_eq!(deflate(&large), None);
}

proptest! {
    #[test]
    fn foreign_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = unpack_container(bytes.clone().into());
        let _ = inflate(bytes.clone().into());
        let contained = [&MsgContainer::ID.to_le_bytes()[..], &bytes].concat();
        let _ = unpack_container(contained.into());
        let packed = [&GzipPacked::ID.to_le_bytes()[..], &bytes].concat();
        let _ = inflate(packed.into());
    }
}
