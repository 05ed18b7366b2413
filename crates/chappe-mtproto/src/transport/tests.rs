//! Golden bytes of every framing, hostile streams, and frames that do not depend on how bytes arrive.

use std::convert::Infallible;

use bytes::{BufMut, BytesMut};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::{collection, prop_assert_eq};
use rand_chacha::ChaCha20Rng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};

use super::{
    CLIENT_LIMIT, Frame, Framing, Obfuscation, SERVER_LIMIT, Secret, Transport, TransportError,
};

/// A generator that yields given bytes, then those of a seeded one.
pub(crate) struct Scripted {
    script: Vec<u8>,
    rest: ChaCha20Rng,
}

impl Scripted {
    pub(crate) fn new(script: &[&[u8]]) -> Self {
        Self { script: script.concat(), rest: rng() }
    }
}

impl TryRng for Scripted {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        let count = target.len().min(self.script.len());
        let (head, tail) = target.split_at_mut(count);
        head.copy_from_slice(&self.script.drain(..count).collect::<Vec<_>>());
        self.rest.try_fill_bytes(tail)
    }
}

impl TryCryptoRng for Scripted {}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|digit| digit.to_digit(16)).flat_map(u8::try_from).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// `req_pq_multi` as an unencrypted message.
fn sample() -> Vec<u8> {
    hex("0000000000000000785634123412ab6514000000f18e7ebe000102030405060708090a0b0c0d0e0f")
}

/// A packet of `length` bytes that looks encrypted.
fn encrypted(length: usize) -> Vec<u8> {
    (1..=length).map(|index| u8::try_from(index % 251).unwrap() + 1).collect()
}

fn client(framing: Framing) -> Transport {
    Transport::client(framing, None, &mut rng()).unwrap()
}

fn obfuscated(framing: Framing, secret: Option<[u8; 16]>) -> Transport {
    let obfuscation = Obfuscation { dc_id: 2, secret: secret.map(Secret::new) };
    Transport::client(framing, Some(obfuscation), &mut rng()).unwrap()
}

fn packed(transport: &mut Transport, payload: &[u8], quick_ack: bool) -> BytesMut {
    let mut out = BytesMut::new();
    transport.pack(payload, quick_ack, &mut rng(), &mut out).unwrap();
    out
}

/// A server that has seen the announcement of `client` and one packet.
fn server_of(client: &mut Transport) -> Transport {
    let mut server = Transport::server();
    let mut bytes = packed(client, &sample(), false);
    assert_eq!(server.receive(&mut bytes), Ok(Some(packet(&sample(), false))));
    assert!(bytes.is_empty());
    server
}

fn packet(payload: &[u8], quick_ack: bool) -> Frame {
    Frame::Packet { payload: BytesMut::from(payload), quick_ack }
}

fn receive(transport: &mut Transport, bytes: &[u8]) -> Result<Option<Frame>, TransportError> {
    transport.receive(&mut BytesMut::from(bytes))
}

const ALL: [Framing; 4] =
    [Framing::Abridged, Framing::Intermediate, Framing::PaddedIntermediate, Framing::Full];

const OBFUSCATED: [Framing; 3] =
    [Framing::Abridged, Framing::Intermediate, Framing::PaddedIntermediate];

#[test]
fn abridged_bytes() {
    let mut transport = client(Framing::Abridged);
    let first = packed(&mut transport, &sample(), false);
    assert_eq!(first, [hex("ef0a"), sample()].concat());
    assert_eq!(packed(&mut transport, &sample(), false), [hex("0a"), sample()].concat());
    assert_eq!(packed(&mut transport, &encrypted(504), false)[..1], hex("7e"));
    assert_eq!(packed(&mut transport, &encrypted(508), false)[..4], hex("7f7f0000"));
    assert_eq!(packed(&mut transport, &encrypted(504), true)[..1], hex("fe"));
    assert_eq!(packed(&mut transport, &encrypted(508), true)[..4], hex("ff7f0000"));
}

#[test]
fn intermediate_bytes() {
    let mut transport = client(Framing::Intermediate);
    let first = packed(&mut transport, &sample(), false);
    assert_eq!(first, [hex("eeeeeeee 28000000"), sample()].concat());
    let second = packed(&mut transport, &sample(), true);
    assert_eq!(second, [hex("28000080"), sample()].concat());
}

#[test]
fn padded_bytes() {
    let mut transport = client(Framing::PaddedIntermediate);
    let mut out = BytesMut::new();
    // The last of the 16 bytes drawn tells how many of them are sent.
    let mut five = Scripted::new(&[&[0xaa; 15], &[0xf5]]);
    transport.pack(&sample(), false, &mut five, &mut out).unwrap();
    assert_eq!(out, [hex("dddddddd 2d000000"), sample(), vec![0xaa; 5]].concat());
}

#[test]
fn padding_of_any_length_is_removed() {
    for count in 0..16_u8 {
        for payload in [sample(), encrypted(24 + 48), encrypted(24 + 1024)] {
            for quick_ack in [false, true] {
                let mut client = client(Framing::PaddedIntermediate);
                let mut out = BytesMut::new();
                let mut script = Scripted::new(&[&[count; 16]]);
                client.pack(&payload, quick_ack, &mut script, &mut out).unwrap();
                assert_eq!(out.len(), 4 + 4 + payload.len() + usize::from(count));
                let mut server = Transport::server();
                assert_eq!(server.receive(&mut out), Ok(Some(packet(&payload, quick_ack))));
            }
        }
    }
}

#[test]
fn a_padded_plain_message_that_tells_a_wrong_length_is_left_alone() {
    let mut message = sample();
    message[16] = 0xff;
    let bytes = [&hex("dddddddd 28000000")[..], &message].concat();
    assert_eq!(receive(&mut Transport::server(), &bytes), Ok(Some(packet(&message, false))));
}

#[test]
fn full_bytes() {
    let mut client = client(Framing::Full);
    let first = hex(
        "34000000000000000000000000000000785634123412ab6514000000f18e7ebe000102030405060708090a0b0c0d0e0f555ba98a",
    );
    assert_eq!(packed(&mut client, &sample(), true), first);
    let mut server = Transport::server();
    assert_eq!(receive(&mut server, &first), Ok(Some(packet(&sample(), false))));

    let mut out = BytesMut::new();
    server.pack(&sample(), false, &mut rng(), &mut out).unwrap();
    server.pack_error(-404, &mut out).unwrap();
    assert_eq!(out[52..], hex("10000000010000006cfeffff932febcb"));
    assert_eq!(client.receive(&mut out), Ok(Some(packet(&sample(), false))));
    assert_eq!(client.receive(&mut out), Ok(Some(Frame::Error(-404))));
}

#[test]
fn full_numbers_and_checksums_are_checked() {
    let frame = |number: u32| {
        let mut bytes = BytesMut::new();
        bytes.put_u32_le(52);
        bytes.put_u32_le(number);
        bytes.put_slice(&sample());
        bytes.put_u32_le(crc32fast::hash(&bytes));
        bytes
    };
    let mut server = Transport::server();
    assert_eq!(receive(&mut server, &frame(0)), Ok(Some(packet(&sample(), false))));
    assert_eq!(receive(&mut server, &frame(1)), Ok(Some(packet(&sample(), false))));
    let error = TransportError::Sequence { expected: 2, got: 1 };
    assert_eq!(receive(&mut server, &frame(1)), Err(error));
    assert_eq!(receive(&mut server, &frame(2)), Err(error), "the error is repeated");

    for position in [20, 48, 51] {
        let mut wrong = frame(0);
        wrong[position] ^= 1;
        assert_eq!(receive(&mut Transport::server(), &wrong), Err(TransportError::Checksum));
    }
    let mut sent = client(Framing::Full);
    for number in 0..3 {
        assert_eq!(packed(&mut sent, &sample(), false), frame(number));
    }
}

#[test]
fn obfuscated_bytes() {
    let random = hex(
        "f5768f50b731260a46be1027c2eeaa39350624f0b6da59eba56c81fe4510c2e0b61d3dd323ee02388633e3837a0c1c24fa6f29ccd724be6f416ff7b026f6cce6",
    );
    let secret = hex("8a96ef6e42a18c21837580cd1c91c5a8").try_into().unwrap();
    let with_secret = (
        Framing::PaddedIntermediate,
        Obfuscation { dc_id: 2, secret: Some(Secret::new(secret)) },
        ["bea2dde16dc59dd2", "ca7a8226", "8f711982"],
    );
    let without = (
        Framing::Abridged,
        Obfuscation { dc_id: 0, secret: None },
        ["26453920d1f509dc", "b4e18c5f", "5936a3fe"],
    );
    for (framing, obfuscation, [tail, forth, back]) in [with_secret, without] {
        let mut script = Scripted::new(&[&random]);
        let secret = obfuscation.secret.clone();
        let dc_id = obfuscation.dc_id;
        let mut client = Transport::client(framing, Some(obfuscation), &mut script).unwrap();
        let mut greeting = BytesMut::new();
        client.greet(&mut greeting);
        assert_eq!(greeting[..56], random[..56]);
        assert_eq!(greeting[56..], hex(tail));

        let streams = client.streams.as_mut().unwrap();
        let mut bytes = *b"abcd";
        streams.outgoing(&mut bytes);
        assert_eq!(bytes[..], hex(forth));
        bytes = *b"abcd";
        streams.incoming(&mut bytes);
        assert_eq!(bytes[..], hex(back));

        let mut server = Transport::server();
        if let Some(secret) = secret {
            server = server.with_secret(secret);
        }
        assert_eq!(server.receive(&mut greeting), Ok(None));
        assert_eq!(server.framing(), Some(framing));
        assert_eq!(server.announced_dc(), Some(dc_id));
        assert_eq!(server.obfuscated_header().unwrap()[..], random[8..56]);
        let streams = server.streams.as_mut().unwrap();
        bytes = hex(forth).try_into().unwrap();
        streams.incoming(&mut bytes);
        assert_eq!(&bytes, b"abcd");
        bytes = *b"abcd";
        streams.outgoing(&mut bytes);
        assert_eq!(bytes[..], hex(back));
    }
}

#[test]
fn a_header_that_looks_like_another_protocol_is_drawn_again() {
    let mut forbidden: Vec<[u8; 64]> = Vec::new();
    let words: [&[u8]; 9] = [
        &[0xef],
        b"HEAD",
        b"POST",
        b"GET ",
        b"OPTI",
        &[0xdd; 4],
        &[0xee; 4],
        &[0x16, 0x03, 0x01, 0x02],
        &[0x16, 0x03, 0x01, 0x06],
    ];
    for word in words {
        let mut header = [0x55; 64];
        header[..word.len()].copy_from_slice(word);
        forbidden.push(header);
    }
    let mut zeros = [0x55; 64];
    zeros[4..8].fill(0);
    forbidden.push(zeros);

    let allowed = [0x66; 64];
    for header in forbidden {
        let mut script = Scripted::new(&[&header, &allowed]);
        let mut client =
            Transport::client(Framing::Intermediate, Some(Obfuscation::default()), &mut script)
                .unwrap();
        let mut greeting = BytesMut::new();
        client.greet(&mut greeting);
        assert_eq!(greeting[..56], allowed[..56], "drawn: {header:02x?}");
    }
    // What merely resembles them is fine.
    for word in [*b"GETS", [0xee, 0xee, 0xee, 0xef], [0xdd, 0xdd, 0xdd, 0], [0x16, 3, 3, 2]] {
        let mut header = [0x55; 64];
        header[..4].copy_from_slice(&word);
        let mut script = Scripted::new(&[&header, &allowed]);
        let obfuscation = Some(Obfuscation::default());
        let mut client =
            Transport::client(Framing::Intermediate, obfuscation, &mut script).unwrap();
        let mut greeting = BytesMut::new();
        client.greet(&mut greeting);
        assert_eq!(greeting[..56], header[..56]);
    }
}

#[test]
fn the_full_framing_cannot_be_obfuscated() {
    let result = Transport::client(Framing::Full, Some(Obfuscation::default()), &mut rng());
    assert_eq!(result.map(|_| ()), Err(TransportError::FullObfuscated));
}

#[test]
fn other_protocols_are_named() {
    let http = [&b"GET / HTTP/1.1"[..], b"POST /api HTTP/1.1", b"HEAD / ", b"OPTIONS *"];
    for line in http {
        assert_eq!(receive(&mut Transport::server(), line), Err(TransportError::Http));
    }
    let tls = hex("1603010200010001fc0303");
    assert_eq!(receive(&mut Transport::server(), &tls), Err(TransportError::FakeTls));
    let noise = [0x55; 64];
    assert_eq!(receive(&mut Transport::server(), &noise), Err(TransportError::UnknownFraming));
    assert_eq!(receive(&mut Transport::server(), &noise[..63]), Ok(None));
}

#[test]
fn a_header_made_with_another_secret_is_refused() {
    for (ours, theirs) in
        [(None, Some([1; 16])), (Some([1; 16]), None), (Some([1; 16]), Some([2; 16]))]
    {
        let mut greeting = BytesMut::new();
        obfuscated(Framing::Intermediate, ours).greet(&mut greeting);
        let mut server = Transport::server();
        if let Some(secret) = theirs {
            server = server.with_secret(Secret::new(secret));
        }
        assert_eq!(server.receive(&mut greeting), Err(TransportError::UnknownFraming));
    }
}

#[test]
fn every_first_prefix_waits() {
    for framing in ALL {
        let bytes = packed(&mut client(framing), &encrypted(600), false);
        for length in 0..bytes.len() {
            let mut server = Transport::server();
            assert_eq!(receive(&mut server, &bytes[..length]), Ok(None), "{framing:?} {length}");
        }
    }
}

#[test]
fn the_greeting_is_written_once() {
    for framing in ALL {
        let mut one = client(framing);
        let mut early = BytesMut::new();
        one.greet(&mut early);
        one.greet(&mut early);
        early.extend_from_slice(&packed(&mut one, &sample(), false));
        assert_eq!(early, packed(&mut client(framing), &sample(), false));
        // A packet that cannot be written does not use it up.
        let mut two = client(framing);
        let mut out = BytesMut::from(&b"before"[..]);
        let refused = two.pack(&[1, 2, 3], false, &mut rng(), &mut out);
        assert_eq!(refused, Err(TransportError::Length(3)));
        assert_eq!(out, &b"before"[..]);
        assert_eq!(packed(&mut two, &sample(), false), early);
    }
}

#[test]
fn a_server_is_silent_before_it_is_spoken_to() {
    let mut out = BytesMut::new();
    let mut server = Transport::server();
    let silent = Err(TransportError::Unannounced);
    assert_eq!(server.pack(&sample(), false, &mut rng(), &mut out), silent);
    assert_eq!(server.pack_quick_ack(1, &mut out), silent);
    assert_eq!(server.pack_error(-404, &mut out), silent);
    assert!(out.is_empty());
    assert_eq!(server.framing(), None);
}

#[test]
fn quick_acks_arrive_in_both_byte_orders() {
    let cases = [
        (Framing::Abridged, "92345678"),
        (Framing::Intermediate, "78563492"),
        (Framing::PaddedIntermediate, "78563492"),
    ];
    for (framing, wire) in cases {
        let mut client = client(framing);
        let mut server = server_of(&mut client);
        let mut out = BytesMut::new();
        server.pack_quick_ack(0x1234_5678, &mut out).unwrap();
        assert_eq!(out, hex(wire));
        server.pack(&sample(), true, &mut rng(), &mut out).unwrap();
        for length in 0..4 {
            assert_eq!(receive(&mut client, &out[..length]), Ok(None));
        }
        assert_eq!(client.receive(&mut out), Ok(Some(Frame::QuickAck(0x9234_5678))));
        // A server asks for none.
        assert_eq!(client.receive(&mut out), Ok(Some(packet(&sample(), false))));
    }
    let mut client = client(Framing::Full);
    let mut server = server_of(&mut client);
    let mut out = BytesMut::new();
    server.pack_quick_ack(0x1234_5678, &mut out).unwrap();
    assert!(out.is_empty());
}

#[test]
fn a_token_whose_first_byte_ends_in_zeros_is_no_frame() {
    let mut client = client(Framing::Abridged);
    assert_eq!(receive(&mut client, &[0x80]), Ok(None));
    assert_eq!(receive(&mut client, &[0x80, 0, 0, 1]), Ok(Some(Frame::QuickAck(0x8000_0001))));
}

#[test]
fn quick_acks_are_asked_for() {
    for framing in OBFUSCATED {
        for mut client in [client(framing), obfuscated(framing, None)] {
            let mut server = server_of(&mut client);
            for length in [72, 504, 4096 + 24] {
                let mut bytes = packed(&mut client, &encrypted(length), true);
                assert_eq!(server.receive(&mut bytes), Ok(Some(packet(&encrypted(length), true))));
            }
        }
    }
}

#[test]
fn transport_errors_arrive() {
    for framing in ALL {
        for code in [-404, -429, -444, -403, -1] {
            let mut client = client(framing);
            let mut server = server_of(&mut client);
            let mut out = BytesMut::new();
            server.pack_error(code, &mut out).unwrap();
            assert_eq!(client.receive(&mut out), Ok(Some(Frame::Error(code))), "{framing:?}");
            assert!(out.is_empty());
        }
    }
    assert_eq!((-404_i32).to_le_bytes()[..], hex("6cfeffff"));
    assert_eq!((-429_i32).to_le_bytes()[..], hex("53feffff"));
    assert_eq!((-444_i32).to_le_bytes()[..], hex("44feffff"));
}

#[test]
fn short_frames_are_no_packets() {
    let mut intermediate = client(Framing::Intermediate);
    // Longer than needed, zero, and a quick ack in the guise of an error.
    let padded_error = hex("0c000000 6cfeffff 0102030405060708");
    assert_eq!(receive(&mut intermediate, &padded_error), Ok(Some(Frame::Error(-404))));
    let nothing = hex("04000000 00000000 04000000 53feffff");
    assert_eq!(receive(&mut intermediate, &nothing), Ok(Some(Frame::Error(-429))));
    let token = hex("08000000 ffffffff 78563412");
    assert_eq!(receive(&mut intermediate, &token), Ok(Some(Frame::QuickAck(0x9234_5678))));
    let positive = hex("04000000 94010000");
    assert_eq!(receive(&mut intermediate, &positive), Err(TransportError::Length(4)));

    let mut padded = client(Framing::PaddedIntermediate);
    for count in 0..16_u8 {
        let frame = [&[4 + count, 0, 0, 0][..], &hex("6cfeffff"), &vec![9; usize::from(count)]];
        assert_eq!(receive(&mut padded, &frame.concat()), Ok(Some(Frame::Error(-404))));
    }
    // 16 bytes are neither an error nor a packet.
    let sixteen = [&hex("10000000 6cfeffff")[..], &[0; 12]].concat();
    assert_eq!(
        receive(&mut client(Framing::Intermediate), &sixteen),
        Err(TransportError::Length(16))
    );
    // A client sends no transport errors.
    let error = hex("eeeeeeee 04000000 6cfeffff");
    assert_eq!(receive(&mut Transport::server(), &error), Err(TransportError::Length(4)));
}

#[test]
fn impossible_lengths_are_refused_at_once() {
    let cases = [
        ("ef 00", 0),
        ("ef 7f000000", 0),
        ("eeeeeeee 00000000", 0),
        ("eeeeeeee 02000000", 2),
        ("eeeeeeee 29000000", 0x29),
        ("dddddddd 03000000", 3),
        ("0b000000 00000000", 0),
        ("0c000000 00000000", 0),
        ("35000000 00000000", 0x29),
    ];
    for (bytes, length) in cases {
        let result = receive(&mut Transport::server(), &hex(bytes));
        assert_eq!(result, Err(TransportError::Length(length)), "{bytes}");
    }
}

#[test]
fn sizes_are_bounded_before_anything_waits() {
    let too_large = |length, limit| Err(TransportError::TooLarge { length, limit });
    let limit = SERVER_LIMIT;
    let next = SERVER_LIMIT + 4;
    let word = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    let quarter = |bytes: usize| [&[0x7f][..], &word(bytes / 4)[..3]].concat();
    let cases = [
        (vec![0xef], quarter(limit), quarter(next), next),
        (vec![0xee; 4], word(limit).to_vec(), word(next).to_vec(), next),
        (vec![0xdd; 4], word(limit + 15).to_vec(), word(limit + 16).to_vec(), limit + 16),
        (vec![], [word(limit + 12), [0; 4]].concat(), [word(next + 12), [0; 4]].concat(), next),
    ];
    for (magic, fits, larger, length) in cases {
        let fits = [&magic[..], &fits].concat();
        assert_eq!(receive(&mut Transport::server(), &fits), Ok(None));
        let larger = [&magic[..], &larger].concat();
        assert_eq!(receive(&mut Transport::server(), &larger), too_large(length, limit));
    }
    let huge = hex("eeeeeeee ffffff7f");
    assert_eq!(receive(&mut Transport::server(), &huge), too_large(0x7fff_ffff, limit));

    let mut small = Transport::server().with_limit(64);
    let bytes = hex("eeeeeeee 44000000");
    assert_eq!(receive(&mut small, &bytes), too_large(0x44, 64));
    let mut client = client(Framing::Intermediate);
    let bytes = word(CLIENT_LIMIT + 4);
    assert_eq!(receive(&mut client, &bytes), too_large(CLIENT_LIMIT + 4, CLIENT_LIMIT));
}

#[test]
fn what_a_framing_cannot_carry_is_not_written() {
    for framing in ALL {
        let mut client = client(framing);
        let mut out = BytesMut::new();
        for length in [0, 1, 2, 3, 41] {
            let result = client.pack(&encrypted(length), false, &mut rng(), &mut out);
            assert_eq!(result, Err(TransportError::Length(length)));
        }
        let length = 1 << 24;
        let result = client.pack(&vec![1; length], false, &mut rng(), &mut out);
        assert_eq!(result, Err(TransportError::TooLarge { length, limit: length - 4 }));
        assert!(out.is_empty());
    }
}

#[test]
fn secrets_are_not_printed() {
    let shown = format!("{:?}", obfuscated(Framing::Abridged, Some([0x77; 16])));
    assert!(!shown.contains("119"), "{shown}");
    let shown = format!("{:?}", Transport::server().with_secret(Secret::new([0x77; 16])));
    assert!(shown.contains("Secret(..)") && !shown.contains("119"), "{shown}");
}

/// Everything that travels in one direction of a stream.
#[derive(Clone, Debug)]
enum Item {
    Packet(usize, bool),
    QuickAck(u32),
    Error(i32),
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        (0_usize..80, any::<bool>()).prop_map(|(blocks, ack)| Item::Packet(72 + 16 * blocks, ack)),
        any::<u32>().prop_map(|token| Item::QuickAck(token | 1 << 31)),
        (-1000_i32..-1).prop_map(Item::Error),
    ]
}

fn mode() -> impl Strategy<Value = (Framing, bool)> {
    prop_oneof![
        Just((Framing::Abridged, false)),
        Just((Framing::Intermediate, false)),
        Just((Framing::PaddedIntermediate, false)),
        Just((Framing::Full, false)),
        Just((Framing::Abridged, true)),
        Just((Framing::Intermediate, true)),
        Just((Framing::PaddedIntermediate, true)),
    ]
}

/// Feeds `bytes` in pieces of the given sizes, round and round, and collects the frames.
fn feed(transport: &mut Transport, bytes: &[u8], sizes: &[usize]) -> Vec<Frame> {
    let mut input = BytesMut::new();
    let mut frames = Vec::new();
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        let (piece, later) = rest.split_at((*size).min(rest.len()));
        input.extend_from_slice(piece);
        rest = later;
        while let Some(frame) = transport.receive(&mut input).unwrap() {
            frames.push(frame);
        }
        if rest.is_empty() {
            break;
        }
    }
    assert!(input.is_empty());
    frames
}

proptest! {
    #[test]
    fn frames_do_not_depend_on_how_bytes_arrive(
        (framing, hidden) in mode(),
        items in collection::vec(item(), 1..12),
        sizes in collection::vec(1_usize..200, 1..8),
        seed in any::<[u8; 32]>(),
    ) {
        let mut random = ChaCha20Rng::from_seed(seed);
        let obfuscation = hidden.then(Obfuscation::default);
        let mut client = Transport::client(framing, obfuscation, &mut random).unwrap();
        let mut forth = BytesMut::new();
        let mut expected = Vec::new();
        for item in &items {
            if let Item::Packet(length, quick_ack) = item {
                client.pack(&encrypted(*length), *quick_ack, &mut random, &mut forth).unwrap();
                expected.push(packet(&encrypted(*length), *quick_ack && framing != Framing::Full));
            }
        }
        client.pack(&sample(), false, &mut random, &mut forth).unwrap();
        expected.push(packet(&sample(), false));
        let mut server = Transport::server();
        prop_assert_eq!(feed(&mut server, &forth, &sizes), expected);
        prop_assert_eq!(server.framing(), Some(framing));

        let mut back = BytesMut::new();
        let mut expected = Vec::new();
        for item in items {
            match item {
                Item::Packet(length, quick_ack) => {
                    server.pack(&encrypted(length), quick_ack, &mut random, &mut back).unwrap();
                    expected.push(packet(&encrypted(length), false));
                },
                Item::QuickAck(token) => {
                    server.pack_quick_ack(token, &mut back).unwrap();
                    if framing != Framing::Full {
                        expected.push(Frame::QuickAck(token));
                    }
                },
                Item::Error(code) => {
                    server.pack_error(code, &mut back).unwrap();
                    expected.push(Frame::Error(code));
                },
            }
        }
        prop_assert_eq!(feed(&mut client, &back, &sizes), expected);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in collection::vec(any::<u8>(), 0..300), seed in any::<[u8; 32]>()) {
        let mut server = Transport::server();
        let mut input = BytesMut::from(&bytes[..]);
        while let Ok(Some(_)) = server.receive(&mut input) {}
        for (framing, hidden) in [(Framing::Abridged, true), (Framing::PaddedIntermediate, false), (Framing::Full, false)] {
            let obfuscation = hidden.then(Obfuscation::default);
            let mut random: ChaCha20Rng = SeedableRng::from_seed(seed);
            let mut client = Transport::client(framing, obfuscation, &mut random).unwrap();
            let mut input = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = client.receive(&mut input) {}
        }
    }
}
