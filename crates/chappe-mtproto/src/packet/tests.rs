//! Golden packets, and each check of an envelope broken alone.

use chappe_crypto::{AuthKey, Side};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digits.chunks(2).map(|pair| digit(pair[0]).unwrap() << 4 | digit(pair[1]).unwrap()).collect()
}

/// The auth key 0, 1, 2, ...
fn key() -> AuthKey {
    let mut bytes = [0; 256];
    for (byte, value) in bytes.iter_mut().zip(0..=255) {
        *byte = value;
    }
    AuthKey::from_bytes(bytes)
}

fn header() -> Header {
    Header {
        salt: i64::from_le_bytes([1, 2, 3, 4, 5, 6, 7, 8]),
        session_id: i64::from_le_bytes([0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]),
        msg_id: 0x65ab_1234_1234_5678,
        seqno: 0,
    }
}

fn ping() -> Vec<u8> {
    [&0x7abe_77ec_u32.to_le_bytes()[..], &0x0a0b_0c0d_0e0f_1011_i64.to_le_bytes()].concat()
}

const PING: &str = "
    32d1586ea457dfc8a4236184bb7a5e3057d5428256a5abc03ace87e40f3e6ab17396e5babb749dd9c567e96cda37ce20ad36a432888bb2e41bb490370c9314f7
    30aa4762458dc25bec7eef23d4213ee0562b9354c0ef5c58";

const PONG: &str = "
    32d1586ea457dfc816aa6d317845da47d3616f26272fd979cae2aa58092505c897723180f50e4315bdba147ee485de57a315bce7572a7e5f39dd92f5494940c7
    32ac84d23bc0e51e7f4bb1e7ec246af86109b768bcfd0d68";

#[test]
fn a_container_is_laid_out_as_its_body_is() {
    let message = |msg_id, length| Message { msg_id, seqno: 1, body: vec![7; length].into() };
    for messages in [vec![], vec![message(4, 0)], vec![message(4, 12), message(8, 5000)]] {
        let body = MsgContainer { messages: messages.clone() }.to_bytes();
        let mut rng = ChaCha20Rng::from_seed([9; 32]);
        let plain = Draft::new(&header(), &body, &mut rng);
        let mut rng = ChaCha20Rng::from_seed([9; 32]);
        assert_eq!(Draft::container(&header(), messages, &mut rng).as_bytes(), plain.as_bytes());
    }
}

#[test]
fn seals_the_golden_ping() {
    let mut draft = Draft::layout(&header(), 12, |packet| packet.extend_from_slice(&ping()), 20);
    let padding: Vec<u8> = (0xc0..=0xd3).collect();
    let start = draft.0.len() - 20;
    draft.0[start..].copy_from_slice(&padding);
    let mut drafts = [draft];
    let tokens = seal(&key(), Side::Client, &mut drafts);
    assert_eq!(drafts[0].as_bytes(), hex(PING));
    assert_eq!(tokens, [0x8674_cf92]);
}

#[test]
fn opens_the_golden_ping() {
    let opened = open(&key(), Side::Client, BytesMut::from(&hex(PING)[..])).unwrap();
    assert_eq!(opened.header, header());
    assert_eq!(opened.body, ping());
    assert_eq!(opened.token, 0x8674_cf92);
}

#[test]
fn opens_the_golden_pong() {
    let opened = open(&key(), Side::Server, BytesMut::from(&hex(PONG)[..])).unwrap();
    assert_eq!(opened.header, Header { msg_id: 0x65ab_1234_1234_5679, ..header() });
    let pong = [
        &0x3477_73c5_u32.to_le_bytes()[..],
        &0x65ab_1234_1234_5678_i64.to_le_bytes(),
        &0x0a0b_0c0d_0e0f_1011_i64.to_le_bytes(),
    ];
    assert_eq!(opened.body, pong.concat());
}

/// A packet that a server of Telegram sent to another client, published with its key.
#[test]
fn opens_a_packet_of_a_real_server() {
    let mut bytes = [0; 256];
    bytes.copy_from_slice(&hex("
    5d2e7d65f49ec28bd029a88761ea27b8a4c79f12226525443e7d7c596ef3303530db2107e89aa997c7a0164ab694187adeff156bd6ef7118a1962347753c0e7e
    89a0354b8ec364f9997e71bc6923fb86e8e43491e010606a6ce845e2fa01940977ef0aa32adf5a97dbf6d428ec0434d717a2d3ad19622cc05887642113c7965f
    fb862a3e3ccb0ab95addda57f89245dbd76b492348f8e94bd5a7c0e0b84808523cfd1ea80b32fe9ad198bc2e103fceb7d52492ecc0273a28674bc923eee59265
    ab17a002df1f4aa2c59b819a5e5e1d105ec117336f5c76c6b187037d4b4270cee9cc21071d97e9bca220c6d7b01b998cf2e5cdb9a50ecda1852a36e635690c8e"));
    let packet = hex("
    7a7183c2c10e4f4df945fa9a9abd35e7c3840b61f045304f39674c19c0e209784f50f6226a073529d675c92cbf0bfa8c99a79b3f39c72a5d9a026d431ab7407c
    a04ecc55187d6c45f17871524edd90cea02ed728e14d7cb18aea2a636158f09459a9437710d894c79f368c4e8164b7647ea98612aefe942c5d92121acb8db02d
    ccceb66d0f8720ac12a06db0582bfd955be34f365118e3bab8cd080ce6b45b28eac56dcd2a29374e");
    let key = AuthKey::from_bytes(bytes);
    let opened = open(&key, Side::Server, BytesMut::from(&packet[..])).unwrap();
    assert_eq!((opened.header.seqno, opened.body.len()), (2, 0x58));
    let messages = crate::message::unpack_container(opened.body).unwrap();
    let constructors: Vec<u32> =
        messages.iter().map(|message| crate::message::constructor(&message.body)).collect();
    assert_eq!(constructors, [0x9ec2_0908, 0x3477_73c5]);
    assert_eq!(messages[0].msg_id, 0x5e30_8b91_c2c1_a801);
}

#[test]
fn what_is_sealed_opens_again() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    for length in (0..200).chain([1000, 1020, 1024, 5000]).map(|words| words * 4) {
        let body = vec![0x5a; length];
        let mut drafts: Vec<Draft> =
            (0..3).map(|_| Draft::new(&header(), &body, &mut rng)).collect();
        let tokens = seal(&key(), Side::Server, &mut drafts);
        for (draft, token) in drafts.iter().zip(tokens) {
            let packet = BytesMut::from(draft.as_bytes());
            assert_eq!(packet.len() % 16, 8);
            let padding = packet.len() - PREFIX - HEADER - length;
            assert!((MIN_PADDING..=MAX_PADDING).contains(&padding));
            let opened = open(&key(), Side::Server, packet).unwrap();
            assert_eq!(
                (opened.header, &opened.body[..], opened.token),
                (header(), &body[..], token)
            );
        }
    }
}

#[test]
fn padding_is_random_in_content_and_length() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut lengths = std::collections::BTreeSet::new();
    let mut tails = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let draft = Draft::new(&header(), &ping(), &mut rng);
        lengths.insert(draft.0.len());
        tails.insert(draft.0[draft.0.len() - 12..].to_vec());
    }
    assert_eq!((lengths.len(), tails.len()), (8, 100));
}

fn reason(packet: Vec<u8>) -> PacketError {
    open(&key(), Side::Client, BytesMut::from(&packet[..])).unwrap_err()
}

/// Seals a plaintext whose length field and padding are the test's.
fn sealed(length: i32, rest: usize) -> Vec<u8> {
    let mut packet = vec![0; PREFIX + 28];
    packet.extend_from_slice(&length.to_le_bytes());
    packet.resize(PREFIX + HEADER + rest, 0);
    message_key::seal(&key(), Side::Client, &mut packet).unwrap();
    packet
}

#[test]
fn another_key_is_refused() {
    let mut packet = hex(PING);
    packet[0] ^= 1;
    assert_eq!(reason(packet), PacketError::AuthKeyId);
}

#[test]
fn impossible_lengths_of_packets_are_refused() {
    for length in [0, 7, 24, 24 + 32, 87, 89] {
        let mut packet = hex(PING);
        packet.resize(length, 0);
        assert_eq!(reason(packet), PacketError::Length(length));
    }
}

#[test]
fn any_flipped_bit_is_refused() {
    for place in 8..88 {
        let mut packet = hex(PING);
        packet[place] ^= 0x10;
        assert_eq!(reason(packet), PacketError::MessageKey);
    }
}

#[test]
fn the_wrong_direction_is_refused() {
    let packet = BytesMut::from(&hex(PING)[..]);
    assert_eq!(open(&key(), Side::Server, packet).unwrap_err(), PacketError::MessageKey);
}

#[test]
fn impossible_lengths_of_messages_are_refused() {
    for length in [-4, i32::MIN, 1, 2, 3, 36, i32::MAX] {
        assert_eq!(reason(sealed(length, 32)), PacketError::MessageLength(length));
    }
}

#[test]
fn padding_has_bounds() {
    assert_eq!(reason(sealed(24, 32)), PacketError::Padding(8));
    assert_eq!(reason(sealed(32, 32)), PacketError::Padding(0));
    assert!(open(&key(), Side::Client, BytesMut::from(&sealed(20, 32)[..])).is_ok());
    assert!(open(&key(), Side::Client, BytesMut::from(&sealed(0, 1024)[..])).is_ok());
    assert_eq!(reason(sealed(0, 1040)), PacketError::Padding(1040));
}

#[test]
fn plain_messages_open_whatever_follows_them() {
    let mut packet = seal_plain(5, b"body");
    assert_eq!(packet.len(), 24);
    for _ in 0..3 {
        assert_eq!(open_plain(BytesMut::from(&packet[..])), Ok(Bytes::from_static(b"body")));
        packet.push(7);
    }
    assert_eq!(open_plain(BytesMut::from(&packet[..19])), Err(PacketError::Length(19)));
    assert_eq!(open_plain(BytesMut::from(&packet[..23])), Err(PacketError::MessageLength(4)));
    packet[0] = 1;
    assert_eq!(open_plain(BytesMut::from(&packet[..])), Err(PacketError::AuthKeyId));
    let mut packet = seal_plain(5, b"body");
    packet[19] = 0x80;
    assert!(matches!(open_plain(BytesMut::from(&packet[..])), Err(PacketError::MessageLength(_))));
}

#[test]
fn the_key_of_a_packet_is_its_beginning() {
    assert_eq!(auth_key_id(&hex(PING)), Some(key().id()));
    assert_eq!(auth_key_id(&seal_plain(1, b"")), Some(0));
    assert_eq!(auth_key_id(&[0; 7]), None);
}
