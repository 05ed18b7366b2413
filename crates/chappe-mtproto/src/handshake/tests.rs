//! The published key exchange byte by byte, both halves against each other, and each half against a
//! peer that violates exactly one rule.

mod client;
mod server;

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use chappe_crypto::dh::{self, Group, TmpAes};
use chappe_crypto::{aes, rsa, sha1};
use chappe_tl::{Decode, Encode, Reader, service};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::client::{Completed, Handshake as Client, Mode, Step as ClientStep};
use super::server::{Config, Fault, Handshake as Server, Step as ServerStep};
use super::{HandshakeError, MAX_RETRIES};
use crate::time::Now;
use crate::transport::tests::{Scripted, hex};

/// The key of the servers in these tests.
static KEY: LazyLock<rsa::PrivateKey> = LazyLock::new(|| rsa::PrivateKey::generate(&mut rng(1)));

/// A key that only some of them have.
static OTHER_KEY: LazyLock<rsa::PrivateKey> =
    LazyLock::new(|| rsa::PrivateKey::generate(&mut rng(2)));

/// Unix time of the server in these tests, in seconds.
const SERVER_TIME: i32 = 1_700_000_000;

const TEMPORARY: Mode = Mode::Temporary { expires_in: 86_400 };

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// The server's clock `uptime` seconds after its start.
fn at(uptime: u64) -> Now {
    let unix = u64::try_from(SERVER_TIME).unwrap() + uptime;
    Now::new(Duration::from_secs(uptime), Duration::from_secs(unix))
}

fn decode<T: Decode>(body: &[u8]) -> T {
    T::from_bytes(&Bytes::copy_from_slice(body)).unwrap()
}

fn tag(body: &[u8]) -> u32 {
    u32::from_le_bytes(body[..4].try_into().unwrap())
}

/// Encrypts `data` under `hash` with so many bytes of padding.
fn sealed_as(hash: [u8; 20], data: &[u8], padding: usize, key: &TmpAes) -> Bytes {
    let mut sealed = [&hash[..], data, &vec![0x5a; padding]].concat();
    aes::ige_encrypt(&mut sealed, &key.key, &key.iv);
    sealed.into()
}

/// Encrypts `data` with the least padding.
fn sealed(data: &[u8], key: &TmpAes) -> Bytes {
    let length = 20 + data.len();
    sealed_as(sha1(&[data]), data, length.next_multiple_of(16) - length, key)
}

/// Decrypts what the peer sealed, and its padding.
fn unsealed<T: Decode>(data: &[u8], key: &TmpAes) -> T {
    let mut opened = data.to_vec();
    aes::ige_decrypt(&mut opened, &key.key, &key.iv);
    let opened = Bytes::from(opened).slice(20..);
    T::decode(&mut Reader::new(&opened)).unwrap()
}

/// 2^1984 as 256 bytes, big endian: the least public value.
fn margin() -> [u8; 256] {
    let mut margin = [0; 256];
    margin[256 - 1984 / 8 - 1] = 1;
    margin
}

/// `a - b` of big-endian numbers.
fn minus(a: &[u8; 256], b: &[u8; 256]) -> [u8; 256] {
    let mut difference = [0; 256];
    let mut borrow = 0_i32;
    for place in (0..256).rev() {
        let digit = i32::from(a[place]) - i32::from(b[place]) - borrow;
        borrow = i32::from(digit < 0);
        difference[place] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    assert_eq!(borrow, 0);
    difference
}

fn small(value: u8) -> [u8; 256] {
    let mut bytes = [0; 256];
    bytes[255] = value;
    bytes
}

/// Public values that are out of range, by name.
fn public_values_out_of_range() -> Vec<(&'static str, [u8; 256])> {
    let p = dh::KNOWN_PRIME;
    vec![
        ("0", small(0)),
        ("1", small(1)),
        ("2^1984 - 1", minus(&margin(), &small(1))),
        ("p - 2^1984 + 1", minus(&p, &minus(&margin(), &small(1)))),
        ("p - 1", minus(&p, &small(1))),
        ("p", p),
        ("2^2048 - 1", [0xff; 256]),
    ]
}

/// Public values at the very ends of the range.
fn public_values_just_in_range() -> [[u8; 256]; 2] {
    [margin(), minus(&dh::KNOWN_PRIME, &margin())]
}

/// Both halves of a finished exchange.
struct Pair {
    client: Completed,
    auth_key: [u8; 256],
    server_salt: i64,
    expires_in: Option<i32>,
    /// How many keys were proposed.
    attempts: usize,
}

/// Lets both halves talk to the end. `taken` answers the server's question whether a key is in use.
fn meet(
    client: &mut Client,
    server: &mut Server,
    mut taken: impl FnMut(i64) -> bool,
) -> Result<Pair, HandshakeError> {
    let (mut ours, mut theirs) = (rng(3), rng(4));
    let local = Now::new(Duration::from_secs(5), at(10).unix - Duration::from_secs(100));
    let mut request = client.start(&mut ours);
    let mut attempts = 0;
    let mut made = None;
    loop {
        if tag(&request) == service::SetClientDhParams::ID {
            attempts += 1;
        }
        let answer = match server.handle(&request, at(10), &mut taken, &mut theirs) {
            ServerStep::Reply(answer) => answer,
            ServerStep::Done { reply, auth_key, server_salt, expires_in } => {
                made = Some((*auth_key.as_bytes(), server_salt, expires_in));
                reply
            }
            ServerStep::Reject(code) => panic!("rejected with {code}"),
        };
        match client.step(&answer, local, &mut ours)? {
            ClientStep::Send(body) => request = body,
            ClientStep::Done(client) => {
                let (auth_key, server_salt, expires_in) = made.unwrap();
                return Ok(Pair { client, auth_key, server_salt, expires_in, attempts });
            }
        }
    }
}

fn server_with(change: impl FnOnce(&mut Config)) -> Server {
    let mut config = Config { keys: vec![KEY.clone()], ..Config::default() };
    change(&mut config);
    Server::new(config).unwrap()
}

fn client_of(mode: Mode) -> Client {
    Client::new(2, &[KEY.public().clone()], mode)
}

/// Reads a value of the published sample.
fn sample(name: &str) -> Vec<u8> {
    let text = include_str!("../../tests/vectors/key_exchange.txt");
    let mut lines = text.lines().skip_while(|line| *line != name).skip(1);
    let digits: String = lines.by_ref().map_while(|line| line.strip_prefix("  ")).collect();
    assert!(!digits.is_empty(), "{name}");
    hex(&digits)
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap()
}

/// The published exchange from the client's side, up to the verdict.
fn published() -> (Client, [u8; 16], [u8; 16]) {
    let nonce = array(&sample("nonce"));
    let server_nonce = array(&sample("server_nonce"));
    let mut client = client_of(Mode::Permanent);
    let body = client.start(&mut Scripted::new(&[&nonce]));
    assert_eq!(body, [&hex("f18e7ebe")[..], &nonce].concat());

    let challenge = service::ResPq {
        nonce,
        server_nonce,
        pq: sample("pq").into(),
        server_public_key_fingerprints: vec![KEY.public().fingerprint()],
    };
    let mut script = Scripted::new(&[&sample("new_nonce")]);
    let ClientStep::Send(body) = client.step(&challenge.to_bytes(), at(0), &mut script).unwrap()
    else {
        panic!("no proof of work");
    };
    let proof: service::ReqDhParams = decode(&body);
    assert_eq!(body[..4], hex("bee412d7"));
    assert_eq!((proof.nonce, proof.server_nonce), (nonce, server_nonce));
    assert_eq!((&proof.p[..], &proof.q[..]), (&sample("p")[..], &sample("q")[..]));
    assert_eq!(proof.public_key_fingerprint, KEY.public().fingerprint());
    let data = rsa::rsa_pad_decrypt(&proof.encrypted_data, &KEY).unwrap();
    let inner = sample("p_q_inner_data_dc");
    assert_eq!(data[..inner.len()], inner);

    let answer = service::ServerDhParamsOk {
        nonce,
        server_nonce,
        encrypted_answer: sample("encrypted_answer").into(),
    };
    let body = answer.to_bytes();
    let mut script = Scripted::new(&[&sample("b"), &sample("client_DH_inner_data_padding")]);
    let local = Now::new(Duration::ZERO, Duration::from_millis(1_705_754_870_999));
    let ClientStep::Send(body) = client.step(&body, local, &mut script).unwrap() else {
        panic!("no half of a key");
    };
    let half: service::SetClientDhParams = decode(&body);
    assert_eq!(body[..4], hex("1f5f04f5"));
    assert_eq!((half.nonce, half.server_nonce), (nonce, server_nonce));
    assert_eq!(half.encrypted_data, sample("encrypted_data"));
    (client, nonce, server_nonce)
}

#[test]
fn the_published_exchange_is_repeated_byte_by_byte() {
    let (mut client, nonce, server_nonce) = published();
    let new_nonce_hash1 = array(&sample("new_nonce_hash1"));
    let ok = service::DhGenOk { nonce, server_nonce, new_nonce_hash1 };
    let body = ok.to_bytes();
    let ClientStep::Done(done) = client.step(&body, at(0), &mut rng(0)).unwrap() else {
        panic!("not done");
    };
    assert_eq!(done.auth_key.as_bytes()[..], sample("auth_key"));
    assert_eq!(done.server_salt.to_le_bytes()[..], sample("server_salt"));
    assert_eq!(done.time_offset, 1_705_754_877 - 1_705_754_870);
    assert_eq!(done.expires_at, None);
}

#[test]
fn the_published_hashes_of_retry_and_failure() {
    let (mut client, nonce, server_nonce) = published();
    let new_nonce_hash3 = array(&sample("new_nonce_hash3"));
    let fail = service::DhGenFail { nonce, server_nonce, new_nonce_hash3 };
    let body = fail.to_bytes();
    let error = client.step(&body, at(0), &mut rng(0)).unwrap_err();
    assert_eq!(error, HandshakeError::Refused);

    let (mut client, nonce, server_nonce) = published();
    let new_nonce_hash2 = array(&sample("new_nonce_hash2"));
    let retry = service::DhGenRetry { nonce, server_nonce, new_nonce_hash2 };
    let body = retry.to_bytes();
    let ClientStep::Send(body) = client.step(&body, at(0), &mut rng(0)).unwrap() else {
        panic!("no second half");
    };
    let half: service::SetClientDhParams = decode(&body);
    let aes = dh::tmp_aes(&array(&sample("new_nonce")), &server_nonce);
    let inner: service::ClientDhInnerData = unsealed(&half.encrypted_data, &aes);
    assert_eq!(inner.retry_id.to_le_bytes()[..], hex("26d6ceeff1381295"));
    assert_ne!(inner.g_b, sample("g_b"));
}

#[test]
fn both_halves_make_the_same_key() {
    for mode in [Mode::Permanent, TEMPORARY] {
        for generator in [3, 4, 7] {
            let mut server = server_with(|config| config.generator = generator);
            let pair = meet(&mut client_of(mode), &mut server, |_| false).unwrap();
            assert_eq!(pair.client.auth_key.as_bytes(), &pair.auth_key);
            assert_eq!(pair.client.server_salt, pair.server_salt);
            assert_eq!(pair.client.time_offset, 100);
            assert_eq!(pair.attempts, 1);
            let temporary = mode == TEMPORARY;
            assert_eq!(pair.expires_in, temporary.then_some(86_400));
            let expires_at = i64::from(SERVER_TIME) + 10 + 86_400;
            assert_eq!(pair.client.expires_at, temporary.then_some(expires_at));
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_key_and_another_seed_another() {
    let key = |seed: u8| {
        let mut client = client_of(Mode::Permanent);
        let mut server = server_with(|_| {});
        let (mut ours, mut theirs) = (rng(seed), rng(200));
        let mut request = client.start(&mut ours);
        loop {
            let step = server.handle(&request, at(0), |_| false, &mut theirs);
            let (ServerStep::Reply(answer) | ServerStep::Done { reply: answer, .. }) = step else {
                panic!("rejected");
            };
            match client.step(&answer, at(0), &mut ours).unwrap() {
                ClientStep::Send(body) => request = body,
                ClientStep::Done(done) => return *done.auth_key.as_bytes(),
            }
        }
    };
    assert_eq!(key(1), key(1));
    assert_ne!(key(1), key(2));
}

#[test]
fn a_key_that_is_taken_is_made_anew() {
    let mut asked = Vec::new();
    let pair = meet(&mut client_of(Mode::Permanent), &mut server_with(|_| {}), |id| {
        asked.push(id);
        asked.len() <= 2
    })
    .unwrap();
    assert_eq!(pair.attempts, 3);
    assert_eq!(pair.client.auth_key.as_bytes(), &pair.auth_key);
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[2], pair.client.auth_key.id());
    assert!(asked[0] != asked[1] && asked[1] != asked[2]);
}

#[test]
fn feigned_failures_arrive() {
    for (times, attempts) in [(1, 2), (MAX_RETRIES, usize::from(MAX_RETRIES) + 1)] {
        let mut server = server_with(|config| config.fault = Fault::GenRetry(times));
        let pair = meet(&mut client_of(TEMPORARY), &mut server, |_| false).unwrap();
        assert_eq!(pair.attempts, attempts);
        assert_eq!(pair.client.auth_key.as_bytes(), &pair.auth_key);
    }
    let cases = [
        (Fault::GenRetry(MAX_RETRIES + 1), HandshakeError::Refused),
        (Fault::GenFail, HandshakeError::Refused),
        (Fault::ParamsFail, HandshakeError::RefusedParams),
    ];
    for (fault, expected) in cases {
        let mut server = server_with(|config| config.fault = fault);
        let error = meet(&mut client_of(Mode::Permanent), &mut server, |_| false).err();
        assert_eq!(error, Some(expected), "{fault:?}");
    }
}

#[test]
fn a_client_can_begin_anew() {
    let mut client = client_of(Mode::Permanent);
    let mut server = server_with(|config| config.fault = Fault::GenFail);
    assert!(meet(&mut client, &mut server, |_| false).is_err());
    assert!(meet(&mut client, &mut server_with(|_| {}), |_| false).is_ok());
}

#[test]
fn secrets_are_not_printed() {
    let (client, ..) = published();
    let shown = format!("{client:?} {:?}", server_with(|_| {}));
    assert!(shown.contains("awaits dh_gen_ok"));
    for secret in ["new_nonce", "auth_key", "secret:"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// The group of every server in these tests.
fn group() -> Group {
    Group::known()
}
