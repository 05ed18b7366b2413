//! The client against a server that violates exactly one rule.

use bytes::Bytes;
use chappe_crypto::dh::{self, KNOWN_PRIME, TmpAes};
use chappe_crypto::{AuthKey, rsa, sha1};
use chappe_tl::{Encode, service};

use super::{
    Client, ClientStep, HandshakeError, KEY, MAX_RETRIES, Mode, OTHER_KEY, SERVER_TIME, TEMPORARY,
    array, at, client_of, decode, group, public_values_just_in_range, public_values_out_of_range,
    rng, sealed, sealed_as, unsealed,
};
use crate::transport::tests::{Scripted, hex};

/// A server that obeys, until a test changes one of its messages.
struct Server {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: [u8; 32],
    g_a: [u8; 256],
    /// The client's last half of the key.
    half: Option<service::ClientDhInnerData>,
}

/// A change to a message, and what the client says to it.
type Case<T> = (fn(&mut T), HandshakeError);

/// The exponent of the server.
const A: [u8; 256] = [0x5c; 256];

impl Server {
    fn challenge(&self) -> service::ResPq {
        service::ResPq {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            pq: hex("1460e7d3fa727791").into(),
            server_public_key_fingerprints: vec![KEY.public().fingerprint()],
        }
    }

    /// Reads `req_DH_params` and returns what is under RSA.
    fn read_proof(&mut self, body: &[u8]) -> Vec<u8> {
        let proof: service::ReqDhParams = decode(body);
        assert_eq!((proof.nonce, proof.server_nonce), (self.nonce, self.server_nonce));
        assert_eq!((&proof.p[..], &proof.q[..]), (&hex("3c2357cf")[..], &hex("56bfb29f")[..]));
        assert_eq!(proof.public_key_fingerprint, KEY.public().fingerprint());
        let data = rsa::rsa_pad_decrypt(&proof.encrypted_data, &KEY).unwrap();
        self.new_nonce = array(&data[64..96]);
        data.to_vec()
    }

    fn aes(&self) -> TmpAes {
        dh::tmp_aes(&self.new_nonce, &self.server_nonce)
    }

    fn params(&self) -> service::ServerDhInnerData {
        service::ServerDhInnerData {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            g: 3,
            dh_prime: Bytes::from_static(&KNOWN_PRIME),
            g_a: Bytes::copy_from_slice(&self.g_a),
            server_time: SERVER_TIME,
        }
    }

    fn params_ok(&self, encrypted_answer: Bytes) -> service::ServerDhParamsOk {
        service::ServerDhParamsOk {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            encrypted_answer,
        }
    }

    fn sealed_params(&self) -> Bytes {
        sealed(&self.params().to_bytes(), &self.aes())
    }

    fn params_fail(&self) -> service::ServerDhParamsFail {
        service::ServerDhParamsFail {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            new_nonce_hash: array(&sha1(&[&self.new_nonce])[4..]),
        }
    }

    /// Reads `set_client_DH_params` and returns the key.
    fn read_half(&mut self, body: &[u8]) -> AuthKey {
        let half: service::SetClientDhParams = decode(body);
        assert_eq!((half.nonce, half.server_nonce), (self.nonce, self.server_nonce));
        let inner: service::ClientDhInnerData = unsealed(&half.encrypted_data, &self.aes());
        assert_eq!((inner.nonce, inner.server_nonce), (self.nonce, self.server_nonce));
        let shared = group().shared(&inner.g_b, &A).unwrap();
        self.half = Some(inner);
        AuthKey::from_bytes(*shared)
    }

    fn ok(&self, key: &AuthKey) -> service::DhGenOk {
        let new_nonce_hash1 = key.new_nonce_hash(&self.new_nonce, 1);
        service::DhGenOk { nonce: self.nonce, server_nonce: self.server_nonce, new_nonce_hash1 }
    }

    fn retry(&self, key: &AuthKey) -> service::DhGenRetry {
        let new_nonce_hash2 = key.new_nonce_hash(&self.new_nonce, 2);
        service::DhGenRetry { nonce: self.nonce, server_nonce: self.server_nonce, new_nonce_hash2 }
    }

    fn fail(&self, key: &AuthKey) -> service::DhGenFail {
        let new_nonce_hash3 = key.new_nonce_hash(&self.new_nonce, 3);
        service::DhGenFail { nonce: self.nonce, server_nonce: self.server_nonce, new_nonce_hash3 }
    }
}

/// A client that awaits `resPQ`.
fn before_challenge(mode: Mode) -> (Client, Server) {
    let mut client = client_of(mode);
    let request: service::ReqPqMulti = decode(&client.start(&mut rng(5)));
    let server = Server {
        nonce: request.nonce,
        server_nonce: [0x53; 16],
        new_nonce: [0; 32],
        g_a: group().public(&A).unwrap(),
        half: None,
    };
    (client, server)
}

/// A client that awaits `server_DH_params_ok`.
fn before_params() -> (Client, Server) {
    let (mut client, mut server) = before_challenge(Mode::Permanent);
    let proof = sent(&mut client, &server.challenge());
    server.read_proof(&proof);
    (client, server)
}

/// A client that awaits `dh_gen_ok`, and the key.
fn before_verdict() -> (Client, Server, AuthKey) {
    let (mut client, mut server) = before_params();
    let half = sent(&mut client, &server.params_ok(server.sealed_params()));
    let key = server.read_half(&half);
    (client, server, key)
}

fn step(client: &mut Client, answer: &impl Encode) -> Result<ClientStep, HandshakeError> {
    client.step(&answer.to_bytes(), at(0), &mut rng(6))
}

fn sent(client: &mut Client, answer: &impl Encode) -> Bytes {
    match step(client, answer).unwrap() {
        ClientStep::Send(body) => body,
        ClientStep::Done(_) => panic!("done too early"),
    }
}

/// The client refuses the answer, and everything after it.
fn refused(client: &mut Client, answer: &impl Encode) -> HandshakeError {
    let error = step(client, answer).unwrap_err();
    assert_eq!(step(client, answer).unwrap_err(), HandshakeError::OutOfStep);
    error
}

fn refused_challenge(change: impl FnOnce(&mut service::ResPq)) -> HandshakeError {
    let (mut client, server) = before_challenge(Mode::Permanent);
    let mut challenge = server.challenge();
    change(&mut challenge);
    refused(&mut client, &challenge)
}

/// The outcome of an answer whose inner data is changed.
fn with_params(
    change: impl FnOnce(&mut service::ServerDhInnerData),
) -> Result<ClientStep, HandshakeError> {
    let (mut client, server) = before_params();
    let mut inner = server.params();
    change(&mut inner);
    let encrypted_answer = sealed(&inner.to_bytes(), &server.aes());
    step(&mut client, &server.params_ok(encrypted_answer))
}

#[test]
fn a_server_that_obeys_is_accepted() {
    let (mut client, server, key) = before_verdict();
    assert_eq!(server.half.as_ref().unwrap().retry_id, 0);
    let Ok(ClientStep::Done(done)) = step(&mut client, &server.ok(&key)) else {
        panic!("not done");
    };
    assert_eq!(done.auth_key.as_bytes(), key.as_bytes());
    assert_eq!(step(&mut client, &server.ok(&key)).unwrap_err(), HandshakeError::OutOfStep);
}

#[test]
fn nothing_is_taken_before_the_start() {
    let (_, server) = before_challenge(Mode::Permanent);
    let error = step(&mut client_of(Mode::Permanent), &server.challenge()).unwrap_err();
    assert_eq!(error, HandshakeError::OutOfStep);
}

#[test]
fn inner_data_names_the_data_center_and_the_lifetime() {
    for (mode, id, tail) in
        [(Mode::Permanent, "955ff5a9", "02000000"), (TEMPORARY, "88dffd56", "0200000080510100")]
    {
        let (mut client, mut server) = before_challenge(mode);
        let proof = sent(&mut client, &server.challenge());
        let data = server.read_proof(&proof);
        assert_eq!(data[..4], hex(id));
        assert_eq!(
            data[4..28],
            hex("081460e7d3fa727791000000043c2357cf0000000456bfb29f000000")[..24]
        );
        assert_eq!(data[32..48], server.nonce);
        assert_eq!(data[48..64], server.server_nonce);
        let tail = hex(tail);
        assert_eq!(data[96..96 + tail.len()], tail);
    }
}

#[test]
fn bytes_after_an_answer_are_ignored() {
    let long = |body: Bytes| [&body[..], &[0x77; 104]].concat();
    let (mut client, mut server) = before_challenge(Mode::Permanent);
    let body = long(server.challenge().to_bytes());
    let Ok(ClientStep::Send(proof)) = client.step(&body, at(0), &mut rng(6)) else {
        panic!("no proof");
    };
    server.read_proof(&proof);
    let body = long(server.params_ok(server.sealed_params()).to_bytes());
    let Ok(ClientStep::Send(half)) = client.step(&body, at(0), &mut rng(6)) else {
        panic!("no half");
    };
    let key = server.read_half(&half);
    let body = long(server.ok(&key).to_bytes());
    assert!(matches!(client.step(&body, at(0), &mut rng(6)), Ok(ClientStep::Done(_))));
}

#[test]
fn an_answer_that_is_not_due_is_refused() {
    let (_, server, key) = before_verdict();
    let challenge = server.challenge().to_bytes();
    let params = server.params_ok(server.sealed_params()).to_bytes();
    let verdict = server.ok(&key).to_bytes();
    let pong = service::Pong { msg_id: 1, ping_id: 2 }.to_bytes();
    let cut = Bytes::copy_from_slice(&challenge[..40]);
    let refused = |mut client: Client, body: &Bytes| {
        client.step(body, at(0), &mut rng(6)).unwrap_err() == HandshakeError::Malformed
    };
    for body in [&params, &verdict, &pong, &cut, &Bytes::new()] {
        assert!(refused(before_challenge(Mode::Permanent).0, body));
    }
    for body in [&challenge, &verdict, &pong, &cut, &Bytes::new()] {
        assert!(refused(before_params().0, body));
    }
    for body in [&challenge, &params, &pong, &cut, &Bytes::new()] {
        assert!(refused(before_verdict().0, body));
    }
}

#[test]
fn the_challenge_echoes_the_nonce() {
    let error = refused_challenge(|challenge| challenge.nonce[15] ^= 1);
    assert_eq!(error, HandshakeError::Nonce);
}

#[test]
fn the_challenge_offers_a_known_key() {
    for offers in [vec![], vec![OTHER_KEY.public().fingerprint()], vec![1, 2, 3]] {
        let error =
            refused_challenge(|challenge| challenge.server_public_key_fingerprints = offers);
        assert_eq!(error, HandshakeError::UnknownRsaKey);
    }
    // The known one among others is found, whatever the order.
    let mut client = Client::new(2, &[OTHER_KEY.public().clone(), KEY.public().clone()], TEMPORARY);
    let request: service::ReqPqMulti = decode(&client.start(&mut rng(5)));
    let mut challenge = before_challenge(TEMPORARY).1.challenge();
    challenge.nonce = request.nonce;
    challenge.server_public_key_fingerprints = vec![7, KEY.public().fingerprint(), 8];
    let proof: service::ReqDhParams = decode(&sent(&mut client, &challenge));
    assert_eq!(proof.public_key_fingerprint, KEY.public().fingerprint());
    // Without any key nothing is encrypted.
    let mut client = Client::new(2, &[], TEMPORARY);
    let request: service::ReqPqMulti = decode(&client.start(&mut rng(5)));
    challenge.nonce = request.nonce;
    assert_eq!(refused(&mut client, &challenge), HandshakeError::UnknownRsaKey);
}

#[test]
fn the_proof_of_work_is_the_product_of_two_primes() {
    let square = format!("{:016x}", 0x3c23_57cf_u64.pow(2));
    let cases = [
        ("", "nothing"),
        ("00", "zero"),
        ("01", "one"),
        ("3c2357cf", "a prime"),
        (&square, "the square of a prime"),
        ("69", "three factors"),
        ("9000000000000003", "above 2^63"),
        ("011460e7d3fa727791", "nine digits"),
        ("1460e7d3fa7277911460e7d3fa727791", "sixteen digits"),
    ];
    for (pq, name) in cases {
        let error = refused_challenge(|challenge| challenge.pq = hex(pq).into());
        assert_eq!(error, HandshakeError::ProofOfWork, "{name}");
    }
}

#[test]
fn zeros_in_front_of_the_proof_of_work_are_harmless() {
    let (mut client, server) = before_challenge(Mode::Permanent);
    let mut challenge = server.challenge();
    challenge.pq = hex("00001460e7d3fa727791").into();
    let proof: service::ReqDhParams = decode(&sent(&mut client, &challenge));
    assert_eq!((&proof.p[..], &proof.q[..]), (&hex("3c2357cf")[..], &hex("56bfb29f")[..]));
}

#[test]
fn the_params_echo_both_nonces() {
    let (mut client, server) = before_params();
    let mut answer = server.params_ok(server.sealed_params());
    answer.nonce[0] ^= 1;
    assert_eq!(refused(&mut client, &answer), HandshakeError::Nonce);

    let (mut client, server) = before_params();
    let mut answer = server.params_ok(server.sealed_params());
    answer.server_nonce[0] ^= 1;
    assert_eq!(refused(&mut client, &answer), HandshakeError::ServerNonce);
}

#[test]
fn a_refusal_of_the_params_is_proved() {
    let (mut client, server) = before_params();
    assert_eq!(refused(&mut client, &server.params_fail()), HandshakeError::RefusedParams);

    let cases: [Case<service::ServerDhParamsFail>; 3] = [
        (|fail| fail.nonce[3] ^= 1, HandshakeError::Nonce),
        (|fail| fail.server_nonce[3] ^= 1, HandshakeError::ServerNonce),
        (|fail| fail.new_nonce_hash[3] ^= 1, HandshakeError::NewNonceHash),
    ];
    for (change, expected) in cases {
        let (mut client, server) = before_params();
        let mut fail = server.params_fail();
        change(&mut fail);
        assert_eq!(refused(&mut client, &fail), expected);
    }
}

#[test]
fn encrypted_params_consist_of_blocks() {
    let (_, server) = before_params();
    let whole = server.sealed_params();
    for length in [0, 16, whole.len() - 1, whole.len() - 8] {
        let (mut client, server) = before_params();
        let answer = server.params_ok(whole.slice(..length));
        assert_eq!(refused(&mut client, &answer), HandshakeError::DataLength(length));
    }
    let (mut client, server) = before_params();
    let longer = [&server.sealed_params()[..], &[0; 4]].concat();
    let length = longer.len();
    let answer = server.params_ok(longer.into());
    assert_eq!(refused(&mut client, &answer), HandshakeError::DataLength(length));
}

#[test]
fn encrypted_params_are_hashed() {
    let (mut client, server) = before_params();
    let data = server.params().to_bytes();
    let mut hash = sha1(&[&data]);
    hash[19] ^= 1;
    let answer = server.params_ok(sealed_as(hash, &data, 8, &server.aes()));
    assert_eq!(refused(&mut client, &answer), HandshakeError::DataHash);

    // The hash covers the object and nothing behind it.
    let (mut client, server) = before_params();
    let data = [&server.params().to_bytes()[..], &[0x5a; 8]].concat();
    let answer = server.params_ok(sealed_as(sha1(&[&data]), &data, 0, &server.aes()));
    assert_eq!(refused(&mut client, &answer), HandshakeError::DataHash);

    // Under another key it is noise.
    let (mut client, server) = before_params();
    let other = dh::tmp_aes(&[1; 32], &server.server_nonce);
    let answer = server.params_ok(sealed(&server.params().to_bytes(), &other));
    assert_eq!(refused(&mut client, &answer), HandshakeError::DataHash);
}

#[test]
fn at_most_15_bytes_follow_the_params() {
    // Zeros in front of a number move the end of the object: by 4 bytes each time here.
    for zeros in 0..8 {
        let (mut client, server) = before_params();
        let mut inner = server.params();
        inner.dh_prime = [&vec![0; 4 * zeros][..], &KNOWN_PRIME].concat().into();
        let data = inner.to_bytes();
        let least = (20 + data.len()).next_multiple_of(16) - 20 - data.len();
        let hash = sha1(&[&data]);
        let answer = server.params_ok(sealed_as(hash, &data, least, &server.aes()));
        assert!(step(&mut client, &answer).is_ok(), "{least}");

        let (mut client, server) = before_params();
        let answer = server.params_ok(sealed_as(hash, &data, least + 16, &server.aes()));
        assert_eq!(refused(&mut client, &answer), HandshakeError::DataPadding(least + 16));
    }
}

#[test]
fn the_inner_params_echo_both_nonces() {
    let error = with_params(|inner| inner.nonce[7] ^= 1).unwrap_err();
    assert_eq!(error, HandshakeError::Nonce);
    let error = with_params(|inner| inner.server_nonce[7] ^= 1).unwrap_err();
    assert_eq!(error, HandshakeError::ServerNonce);
}

#[test]
fn the_prime_is_safe_and_of_2048_bits() {
    let mut composite = KNOWN_PRIME;
    composite[255] ^= 0x10;
    let mut short = KNOWN_PRIME;
    short[0] &= 0x7f;
    let long = [&[1][..], &KNOWN_PRIME].concat();
    for prime in [&composite[..], &short, &long, &KNOWN_PRIME[1..], &[]] {
        let prime = Bytes::copy_from_slice(prime);
        let error = with_params(|inner| {
            inner.g = 4;
            inner.dh_prime = prime;
        });
        assert_eq!(error.unwrap_err(), HandshakeError::Prime);
    }
}

#[test]
fn the_generator_fits_the_prime() {
    for g in [-3, 0, 1, 2, 5, 6, 8, 9, i32::MAX] {
        let error = with_params(|inner| inner.g = g).unwrap_err();
        assert_eq!(error, HandshakeError::Generator, "{g}");
    }
    for g in [3, 4, 7] {
        assert!(with_params(|inner| inner.g = g).is_ok(), "{g}");
    }
}

#[test]
fn the_public_value_of_the_server_is_in_range() {
    for (name, value) in public_values_out_of_range() {
        let value = Bytes::copy_from_slice(&value);
        let error = with_params(|inner| inner.g_a = value).unwrap_err();
        assert_eq!(error, HandshakeError::PublicValue, "{name}");
    }
    let error = with_params(|inner| inner.g_a = vec![1; 257].into()).unwrap_err();
    assert_eq!(error, HandshakeError::PublicValue);
    for value in public_values_just_in_range() {
        let value = Bytes::copy_from_slice(&value);
        assert!(with_params(|inner| inner.g_a = value).is_ok());
    }
}

#[test]
fn a_secret_whose_public_value_is_out_of_range_is_drawn_again() {
    let (mut client, mut server) = before_params();
    let good = [0x3d; 256];
    // The exponents 0 and 1 would make the public values 1 and 3.
    let mut one = [0; 256];
    one[255] = 1;
    let answer = server.params_ok(server.sealed_params()).to_bytes();
    let mut script = Scripted::new(&[&[0; 256], &one, &good]);
    let Ok(ClientStep::Send(half)) = client.step(&answer, at(0), &mut script) else {
        panic!("no half");
    };
    server.read_half(&half);
    let g_b = server.half.unwrap().g_b;
    assert_eq!(g_b[..], group().public(&good).unwrap());

    // A generator of nothing but zeros is given up.
    let (mut client, server) = before_params();
    let answer = server.params_ok(server.sealed_params()).to_bytes();
    let mut script = Scripted::new(&[&[0; 256 * 3]]);
    let error = client.step(&answer, at(0), &mut script).unwrap_err();
    assert_eq!(error, HandshakeError::PublicValue);
}

#[test]
fn the_verdict_is_proved() {
    let cases: [Case<service::DhGenOk>; 3] = [
        (|ok| ok.nonce[1] ^= 1, HandshakeError::Nonce),
        (|ok| ok.server_nonce[1] ^= 1, HandshakeError::ServerNonce),
        (|ok| ok.new_nonce_hash1[1] ^= 1, HandshakeError::NewNonceHash),
    ];
    for (change, expected) in cases {
        let (mut client, server, key) = before_verdict();
        let mut ok = server.ok(&key);
        change(&mut ok);
        assert_eq!(refused(&mut client, &ok), expected);
    }
    // The hash of another verdict proves nothing.
    let (mut client, server, key) = before_verdict();
    let mut ok = server.ok(&key);
    ok.new_nonce_hash1 = server.retry(&key).new_nonce_hash2;
    assert_eq!(refused(&mut client, &ok), HandshakeError::NewNonceHash);
}

#[test]
fn the_wish_for_another_key_is_proved() {
    let cases: [Case<service::DhGenRetry>; 3] = [
        (|retry| retry.nonce[2] ^= 1, HandshakeError::Nonce),
        (|retry| retry.server_nonce[2] ^= 1, HandshakeError::ServerNonce),
        (|retry| retry.new_nonce_hash2[2] ^= 1, HandshakeError::NewNonceHash),
    ];
    for (change, expected) in cases {
        let (mut client, server, key) = before_verdict();
        let mut retry = server.retry(&key);
        change(&mut retry);
        assert_eq!(refused(&mut client, &retry), expected);
    }
}

#[test]
fn the_failure_is_proved() {
    let (mut client, server, key) = before_verdict();
    assert_eq!(refused(&mut client, &server.fail(&key)), HandshakeError::Refused);
    let cases: [Case<service::DhGenFail>; 3] = [
        (|fail| fail.nonce[2] ^= 1, HandshakeError::Nonce),
        (|fail| fail.server_nonce[2] ^= 1, HandshakeError::ServerNonce),
        (|fail| fail.new_nonce_hash3[2] ^= 1, HandshakeError::NewNonceHash),
    ];
    for (change, expected) in cases {
        let (mut client, server, key) = before_verdict();
        let mut fail = server.fail(&key);
        change(&mut fail);
        assert_eq!(refused(&mut client, &fail), expected);
    }
}

#[test]
fn another_key_is_proposed_a_few_times_only() {
    let (mut client, mut server, mut key) = before_verdict();
    let mut random = rng(9);
    for _ in 0..MAX_RETRIES {
        let answer = server.retry(&key).to_bytes();
        let Ok(ClientStep::Send(half)) = client.step(&answer, at(0), &mut random) else {
            panic!("gave up");
        };
        let retry_id = key.aux_hash();
        let before = std::mem::replace(&mut key, server.read_half(&half));
        assert_ne!(key.as_bytes(), before.as_bytes(), "a new secret each time");
        assert_eq!(server.half.as_ref().unwrap().retry_id, retry_id);
        // The hash of the key before proves nothing any more.
        assert_ne!(server.ok(&key), server.ok(&before));
    }
    assert_eq!(refused(&mut client, &server.retry(&key)), HandshakeError::TooManyRetries);
}

#[test]
fn the_key_after_a_retry_is_the_last_one() {
    let (mut client, mut server, key) = before_verdict();
    let half = sent(&mut client, &server.retry(&key));
    let last = server.read_half(&half);
    let Ok(ClientStep::Done(done)) = step(&mut client, &server.ok(&last)) else {
        panic!("not done");
    };
    assert_eq!(done.auth_key.as_bytes(), last.as_bytes());
}
