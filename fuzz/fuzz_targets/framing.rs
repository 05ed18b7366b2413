//! Both ends of a transport: foreign bytes in pieces never panic, own bytes arrive as sent.
#![no_main]

use bytes::BytesMut;
use chappe_fuzz::{Script, rng};
use chappe_mtproto::transport::{Frame, Transport};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let mode = script.byte();
    let (framing, obfuscation) = script.framing();
    let mut rng = rng(2);
    let mut client =
        Transport::client(framing, obfuscation, &mut rng).expect("never full and hidden");
    match mode % 3 {
        0 => listen(&mut Transport::server().with_limit(1 << 12), &mut script),
        1 => listen(&mut client, &mut script),
        _ => {
            let mut sent = Vec::new();
            let mut stream = BytesMut::new();
            client.greet(&mut stream);
            while !script.is_empty() && sent.len() < 16 {
                let payload = payload(&script.body());
                let quick_ack = script.flag();
                if client.pack(&payload, quick_ack, &mut rng, &mut stream).is_ok() {
                    sent.push(payload);
                }
            }
            let mut server = Transport::server();
            let mut arrived = Vec::new();
            let stream = stream.freeze();
            script.feed(&stream, |input| {
                while let Some(frame) = server.receive(input).expect("own bytes are sound") {
                    let Frame::Packet { payload, .. } = frame else { panic!("{frame:?}") };
                    arrived.push(payload.to_vec());
                }
                true
            });
            assert_eq!(arrived, sent);
        }
    }
});

fn listen(transport: &mut Transport, script: &mut Script<'_>) {
    let mut failure = None;
    let bytes = script.piece().to_vec();
    script.feed(&bytes, |input| {
        let mut frames = 0;
        loop {
            frames += 1;
            assert!(frames <= 1 << 16, "frames without end");
            match transport.receive(input) {
                Ok(Some(_)) => assert_eq!(failure, None, "a frame after an error"),
                Ok(None) => return true,
                Err(error) => {
                    assert_eq!(*failure.get_or_insert(error), error, "errors are sticky");
                    return frames < 3;
                }
            }
        }
    });
}

/// A payload as packets have it: a key id that is not 0 and whole blocks behind 24 bytes.
fn payload(body: &[u8]) -> Vec<u8> {
    let mut payload = vec![0xa5; 24];
    payload.extend_from_slice(body);
    payload.resize(24 + payload.len().saturating_sub(24).next_multiple_of(16), 0);
    payload
}
