//! Vectors, both directions, and packets that must be refused.

use super::*;
use crate::test_support::{array, hex, seq, vector};

fn key() -> AuthKey {
    AuthKey::from_bytes(seq(0))
}

/// Seals a plaintext behind an empty prefix.
fn sealed(from: Side, plain: &[u8]) -> (Vec<u8>, u32) {
    let mut packet = [&[0; PREFIX], plain].concat();
    let token = seal(&key(), from, &mut packet).unwrap();
    (packet, token)
}

fn ping(padding: &[u8]) -> Vec<u8> {
    let salt_and_session = "01020304050607081112131415161718";
    let header = hex(&format!("{salt_and_session}785634123412ab650000000010000000"));
    // ping#7abe77ec with its ping_id.
    let body = hex("ec77be7a11100f0e0d0c0b0a");
    [&header[..28], &[12, 0, 0, 0], &body, padding].concat()
}

#[test]
fn keys_of_both_versions_and_sides() {
    let msg_key = seq(0);
    for (from, aes, iv) in [
        (
            Side::Client,
            "704ed09c8b41668ae8f99d244738f71dbddc44469b6bbd4aa8573dd042bd059e",
            "4d266000a550edabbf4c7ce40fd0043cc92230184cd317a5cc9c2482fd3b9318",
        ),
        (
            Side::Server,
            "217725799b245806458174a1fcfbc883906807b15033fdd0ea2b4d69cf9c364e",
            "669a6538917a4fa56ca32360a431c9160be4ad887140980dab91ce7bdc47ffbc",
        ),
    ] {
        let found = AesKey::v2(&key(), from, &msg_key);
        assert_eq!((found.key.to_vec(), found.iv.to_vec()), (hex(aes), hex(iv)));
    }
    for (from, aes, iv) in [
        (
            Side::Client,
            "17d7295ca9213d1ab656acdb1ad48b2ea7f3a8f7095098d5508b900bbd5fccfc",
            "2d7d16a65a84108e9805656caa474501cc580aa2edc33abfd0bfad785464d1c6",
        ),
        (
            Side::Server,
            "bb17b07eb91110647098b069bd1a9b6fe5c4bcc3c31f8e67e831d07a61085f68",
            "5197fc1e25b41fe36f18b5a3a8b2b36cb2cb061f1f157b3514fe42e74fb58359",
        ),
    ] {
        let found = AesKey::v1(&key(), from, &msg_key);
        assert_eq!((found.key.to_vec(), found.iv.to_vec()), (hex(aes), hex(iv)));
    }
}

#[test]
fn published_packets() {
    let mut hello = b"Hello, world! This data should remain secure!".to_vec();
    hello.extend([0; 19]);
    assert_eq!(sealed(Side::Client, &hello).0, vector("packet_hello"));

    let plain = ping(&seq::<20>(0xc0));
    let (packet, token) = sealed(Side::Client, &plain);
    assert_eq!(packet, vector("packet_ping"));
    assert_eq!(token, 0x8674_cf92);
    assert_eq!(quick_ack_token(&key(), Side::Client, &plain), token);

    let mut packet = vector("packet_pong");
    open(&key(), Side::Server, &mut packet).unwrap();
    assert_eq!(packet[PREFIX..][packet.len() - PREFIX - 12..], seq::<12>(0xd0));
    let plain = packet[PREFIX..].to_vec();
    assert_eq!(sealed(Side::Server, &plain).0, vector("packet_pong"));

    let real = AuthKey::from_bytes(array(&vector("packet_real_auth_key")));
    let mut packet = vector("packet_real");
    open(&real, Side::Server, &mut packet).unwrap();
    assert_eq!(packet[PREFIX..], vector("packet_real_plain"));
}

#[test]
fn every_length_goes_there_and_back() {
    for blocks in [3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 64, 65, 4096] {
        let plain: Vec<u8> = seq::<251>(3).into_iter().cycle().take(blocks * 16).collect();
        for from in [Side::Client, Side::Server] {
            let (mut packet, token) = sealed(from, &plain);
            assert_eq!(open(&key(), from, &mut packet), Ok(token));
            assert_eq!(quick_ack_token(&key(), from, &plain), token);
            assert_eq!(token >> 31, 1);
            assert_eq!(packet[PREFIX..], plain);
        }
    }
}

#[test]
fn wrong_packets_are_refused() {
    let (packet, _) = sealed(Side::Client, &ping(&seq::<20>(0xc0)));
    let opened = |packet: &[u8], from| open(&key(), from, &mut packet.to_vec()).map(drop);
    assert_eq!(opened(&packet, Side::Client), Ok(()));
    // A packet that is reflected to its sender.
    assert_eq!(opened(&packet, Side::Server), Err(Error::MessageKey));
    for at in 0..packet.len() {
        for bit in [1, 0x80] {
            let mut damaged = packet.clone();
            damaged[at] ^= bit;
            let expect = if at < 8 { Error::AuthKeyId } else { Error::MessageKey };
            assert_eq!(opened(&damaged, Side::Client), Err(expect), "{at}");
        }
    }
    for length in (0..packet.len()).chain([packet.len() + 1]) {
        let mut cut = packet.clone();
        cut.resize(length, 0);
        let expect = if length == PREFIX + 48 { Error::MessageKey } else { Error::PacketLength };
        assert_eq!(opened(&cut, Side::Client), Err(expect), "{length}");
    }
    // The right key with too little inside.
    let (short, _) = sealed(Side::Client, &[7; 32]);
    assert_eq!(opened(&short, Side::Client), Err(Error::PacketLength));
    let other = AuthKey::from_bytes(seq(1));
    assert_eq!(open(&other, Side::Client, &mut { packet }), Err(Error::AuthKeyId));
}

#[test]
fn seal_refuses_impossible_lengths() {
    for length in [0, 23, 24, 25, 39, 41] {
        let mut packet = vec![0; length];
        assert_eq!(seal(&key(), Side::Client, &mut packet), Err(Error::PacketLength), "{length}");
    }
}

#[test]
fn binding_message_of_version_one() {
    let mut inner = hex("65f7a375");
    inner.extend(0x1122_3344_5566_7788_u64.to_le_bytes());
    inner.extend(hex("96d1b10e8f724a13"));
    inner.extend(key().id().to_le_bytes());
    inner.extend(hex("1112131415161718"));
    inner.extend(1_700_086_400_u32.to_le_bytes());
    let mut plain = seq::<16>(0xa0).to_vec();
    plain.extend(0x65ab_1234_1234_5678_u64.to_le_bytes());
    plain.extend([0, 0, 0, 0, 40, 0, 0, 0]);
    plain.extend(inner);
    let mut padding = [0; 15];
    padding[..8].copy_from_slice(&seq::<8>(0xe0));

    let packet = seal_v1(&key(), Side::Client, &plain, &padding).unwrap();
    assert_eq!(packet, vector("bind_temp_key"));
    assert_eq!(open_v1(&key(), Side::Client, &mut packet.clone()).unwrap(), plain);
    assert_eq!(open_v1(&key(), Side::Server, &mut packet.clone()), Err(Error::MessageKey));
    for at in 8..packet.len() - 16 {
        let mut damaged = packet.clone();
        damaged[at] ^= 1;
        assert_eq!(open_v1(&key(), Side::Client, &mut damaged), Err(Error::MessageKey), "{at}");
    }
    assert_eq!(open_v1(&key(), Side::Client, &mut packet[..55].to_vec()), Err(Error::PacketLength));
    let other = AuthKey::from_bytes(seq(1));
    assert_eq!(open_v1(&other, Side::Client, &mut { packet }), Err(Error::AuthKeyId));
    assert_eq!(seal_v1(&key(), Side::Client, &plain[..31], &padding), Err(Error::PacketLength));
}

/// The length inside of a message of version one may say anything.
#[test]
fn lengths_of_version_one_are_bounded() {
    for (length, fits) in [
        (0, false),
        (16, false),
        (17, true),
        (32, true),
        (33, false),
        (u32::MAX - 31, false),
        (u32::MAX, false),
    ] {
        let mut plain = vec![3; 64];
        plain[28..32].copy_from_slice(&length.to_le_bytes());
        let covered = if length <= 32 { 32 + length as usize } else { 64 };
        let mut packet = key().id().to_le_bytes().to_vec();
        let msg_key = v1_key(&plain[..covered]);
        packet.extend(msg_key);
        packet.extend(&plain);
        let aes = AesKey::v1(&key(), Side::Client, &msg_key);
        ige_encrypt(&mut packet[PREFIX..], &aes.key, &aes.iv);
        let opened = open_v1(&key(), Side::Client, &mut packet);
        assert_eq!(opened.is_ok(), fits, "{length}");
    }
}
