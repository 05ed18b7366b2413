//! The client's half of the key exchange, against a server that lies at a fuzzed step.
#![no_main]

use bytes::Bytes;
use chappe_fuzz::{SERVER_KEY, Script, now, rng};
use chappe_mtproto::handshake::{
    client::{Handshake, Mode, Step},
    server,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let mut rng = rng(4);
    let mode = match script.flag() {
        false => Mode::Permanent,
        // An honest server refuses a key that ends before it begins.
        true => Mode::Temporary { expires_in: script.int().max(1) },
    };
    let mut client = Handshake::new(2, &[SERVER_KEY.public().clone()], mode);
    let honest_steps = script.byte() % 4;
    let config = server::Config { keys: vec![SERVER_KEY.clone()], ..server::Config::default() };
    let mut server = server::Handshake::new(config).expect("the default group is sound");
    let mut request = client.start(&mut rng);
    for step in 0..8 {
        let answer = match step < honest_steps {
            true => match server.handle(&request, now(1), |_| false, &mut rng) {
                server::Step::Reply(reply) | server::Step::Done { reply, .. } => reply,
                server::Step::Reject(code) => panic!("an honest client is refused with {code}"),
            },
            false => lie(&mut server, &request, &mut script, &mut rng),
        };
        match client.step(&answer, now(1), &mut rng) {
            Ok(Step::Send(next)) => request = next,
            Ok(Step::Done(_)) => return assert!(step >= 2, "done too early"),
            Err(_) => {
                let again = client.step(&answer, now(1), &mut rng);
                return assert!(again.is_err(), "an exchange that failed went on");
            }
        }
    }
});

/// An answer with fuzzed bytes in place of some of the honest ones, or nothing but such.
fn lie(
    server: &mut server::Handshake,
    request: &Bytes,
    script: &mut Script<'_>,
    rng: &mut rand_chacha::ChaCha20Rng,
) -> Bytes {
    if script.flag() {
        return Bytes::copy_from_slice(script.piece());
    }
    let mut answer = match server.handle(request, now(1), |_| script.flag(), rng) {
        server::Step::Reply(reply) | server::Step::Done { reply, .. } => reply.to_vec(),
        server::Step::Reject(code) => code.to_le_bytes().to_vec(),
    };
    for _ in 0..script.byte() % 8 {
        let at = usize::from(script.byte()) | usize::from(script.byte()) << 8;
        let value = script.byte();
        if let Some(byte) = answer.get_mut(at) {
            *byte = value;
        }
    }
    let cut = usize::from(script.byte());
    answer.truncate(answer.len().saturating_sub(cut.saturating_sub(128)));
    answer.extend_from_slice(script.take(cut % 16));
    answer.into()
}
