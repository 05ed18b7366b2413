//! Envelopes: foreign ones never panic, the inside of a well-encrypted one is checked, own ones open.
#![no_main]

use bytes::{Bytes, BytesMut};
use chappe_crypto::{Side, message_key};
use chappe_fuzz::{Script, auth_key, rng};
use chappe_mtproto::packet::{self, Draft, Header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let key = auth_key();
    let mode = script.byte();
    let side = if script.flag() { Side::Client } else { Side::Server };
    match mode % 4 {
        // Under `cfg(fuzzing)` the message key is not compared, so these reach the inside too.
        0 => {
            let mut bytes = BytesMut::from(key.id().to_le_bytes().as_slice());
            bytes.extend_from_slice(script.rest());
            let _ = packet::open(&key, side, bytes);
        }
        1 => {
            let mut bytes = BytesMut::zeroed(24);
            bytes.extend_from_slice(script.rest());
            let whole = bytes.len() - (bytes.len() - 24) % 16;
            bytes.truncate(whole);
            let plain = Bytes::copy_from_slice(&bytes[24..]);
            if message_key::seal(&key, side, &mut bytes).is_ok()
                && let Ok(opened) = packet::open(&key, side, bytes)
            {
                assert_eq!(opened.header.salt.to_le_bytes(), plain[..8]);
                assert_eq!(opened.body, plain[32..32 + opened.body.len()]);
                let padding = plain.len() - 32 - opened.body.len();
                assert!((12..=1024).contains(&padding));
            }
        }
        2 => {
            let header = Header {
                salt: script.long(),
                session_id: script.long(),
                msg_id: script.long(),
                seqno: script.int(),
            };
            let body = script.body();
            let mut drafts = [Draft::new(&header, &body, &mut rng(3))];
            let tokens = packet::seal(&key, side, &mut drafts);
            let bytes = BytesMut::from(drafts[0].as_bytes());
            let opened = packet::open(&key, side, bytes).expect("own packets open");
            assert_eq!((opened.header, opened.body, opened.token), (header, body, tokens[0]));
        }
        _ => {
            if let Ok(body) = packet::open_plain(BytesMut::from(script.rest())) {
                let again = packet::seal_plain(0, &body);
                let again = packet::open_plain(BytesMut::from(again.as_slice()));
                assert_eq!(again.expect("own messages open"), body);
            }
        }
    }
});
