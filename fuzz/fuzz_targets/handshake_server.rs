//! The server's half of the key exchanges, against clients that lie at any step, in any order.
#![no_main]

use bytes::Bytes;
use chappe_crypto::rsa;
use chappe_fuzz::{SERVER_KEY, Script, now, rng};
use chappe_mtproto::handshake::{
    client,
    server::{Config, Handshake, Step},
};
use libfuzzer_sys::fuzz_target;

const REQ_DH_PARAMS: u32 = 0xd712_e4be;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let mut rng = rng(5);
    let config = Config { keys: vec![SERVER_KEY.clone()], capacity: 4, ..Config::default() };
    let mut server = Handshake::new(config).expect("the default group is sound");
    let mut client =
        client::Handshake::new(2, &[SERVER_KEY.public().clone()], client::Mode::Permanent);
    let mut request = client.start(&mut rng);
    let mut seconds = 1;
    while !script.is_empty() && seconds < 64 {
        seconds += 1;
        let message = match script.byte() % 6 {
            0 => Bytes::copy_from_slice(script.piece()),
            1 => changed(&request, &mut script),
            // Plaintext of the client's choice under the right RSA key.
            2 => match request.starts_with(&REQ_DH_PARAMS.to_le_bytes()) {
                true => resealed(&request, &mut script, &mut rng),
                false => request.clone(),
            },
            3 => {
                request = client.start(&mut rng);
                request.clone()
            }
            _ => request.clone(),
        };
        let taken = script.byte() & 15 == 15;
        match server.handle(&message, now(seconds), |_| taken, &mut rng) {
            Step::Reply(reply) | Step::Done { reply, .. } => {
                assert!(!reply.is_empty() && reply.len().is_multiple_of(4));
                if let Ok(client::Step::Send(next)) = client.step(&reply, now(seconds), &mut rng) {
                    request = next;
                }
            }
            Step::Reject(code) => assert!(matches!(code, -404 | -429 | -444), "{code}"),
        }
    }
});

fn changed(request: &Bytes, script: &mut Script<'_>) -> Bytes {
    let mut message = request.to_vec();
    for _ in 0..1 + script.byte() % 4 {
        let at = usize::from(script.byte()) | usize::from(script.byte()) << 8;
        let value = script.byte();
        if let Some(byte) = message.get_mut(at) {
            *byte = value;
        }
    }
    let cut = usize::from(script.byte());
    message.truncate(message.len().saturating_sub(cut.saturating_sub(128)));
    message.into()
}

/// The request with another inner data in its last 256 bytes.
fn resealed(request: &Bytes, script: &mut Script<'_>, rng: &mut rand_chacha::ChaCha20Rng) -> Bytes {
    let inner = script.take(144);
    let sealed = match script.flag() {
        true => rsa::rsa_pad_encrypt(inner, SERVER_KEY.public(), rng),
        false => rsa::old_pad_encrypt(inner, SERVER_KEY.public(), rng),
    };
    let Ok(sealed) = sealed else { return request.clone() };
    let mut message = request.to_vec();
    let at = message.len() - 256;
    message[at..].copy_from_slice(&sealed);
    message.into()
}
