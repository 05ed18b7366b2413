//! The primitives of `chappe-crypto` against `grammers-crypto` 0.11.
//!
//! First a table of ratios, both sides timed in turns, with the bars that must hold; then
//! Criterion's own statistics of chappe's side.

use std::hint::black_box;
use std::time::Duration;

use chappe_bench::{Counting, Row, allocations, duel, report};
use chappe_crypto::dh::{Group, KNOWN_PRIME};
use chappe_crypto::message_key::{PREFIX, open, seal};
use chappe_crypto::{AuthKey, Side, aes, factor, rsa, srp};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use grammers_crypto::{
    AuthKey as PeerKey, DequeBuffer, aes as peer_aes, decrypt_data_v2, encrypt_data_v2,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIZES: [usize; 3] = [64, 1024, 65_536];
const HEADER: usize = 32;

fn secret() -> [u8; 256] {
    let mut key = [0; 256];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut key);
    key
}

/// Header and payload of a message without padding.
fn message(payload: usize) -> Vec<u8> {
    let mut plain = vec![0; HEADER + payload];
    ChaCha8Rng::seed_from_u64(2).fill_bytes(&mut plain);
    plain
}

/// The padding that the peer chooses: 16 to 32 bytes.
fn padding(length: usize) -> usize {
    16 + (16 - length % 16)
}

/// A packet of a server, as both libraries receive it.
fn from_server(key: &AuthKey, payload: usize) -> Vec<u8> {
    let mut plain = message(payload);
    plain.resize(plain.len() + padding(plain.len()), 7);
    let mut packet = vec![0; PREFIX];
    packet.extend(plain);
    seal(key, Side::Server, &mut packet).unwrap();
    packet
}

/// Writes a message behind its prefix, pads and seals it, without a new allocation.
fn seal_ours(key: &AuthKey, rng: &mut ChaCha8Rng, plain: &[u8], packet: &mut Vec<u8>) {
    packet.clear();
    packet.extend_from_slice(&[0; PREFIX]);
    packet.extend_from_slice(plain);
    let end = packet.len();
    packet.resize(end + padding(plain.len()), 0);
    rng.fill_bytes(&mut packet[end..]);
    black_box(seal(key, Side::Client, packet)).unwrap();
}

fn seal_theirs(key: &PeerKey, plain: &[u8], packet: &mut DequeBuffer<u8>) {
    packet.clear();
    packet.extend(plain.iter().copied());
    encrypt_data_v2(packet, key);
    black_box(&packet[..]);
}

fn semiprimes() -> Vec<u64> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut prime = || loop {
        let n = (rng.next_u32() >> 1) | 1 << 30 | 1;
        if (3..=u64::from(n).isqrt()).step_by(2).all(|d| !u64::from(n).is_multiple_of(d)) {
            return u64::from(n);
        }
    };
    (0..100).map(|_| prime() * prime()).filter(|pq| !is_square(*pq)).collect()
}

fn is_square(n: u64) -> bool {
    n.isqrt() * n.isqrt() == n
}

/// The same results on both sides, before anything is timed.
fn agree() {
    let (mut ours, key, iv) = (message(4096 - HEADER), [5; 32], [6; 32]);
    let mut theirs = ours.clone();
    aes::ige_encrypt(&mut ours, &key, &iv);
    peer_aes::ige_encrypt(&mut theirs, &key, &iv);
    assert_eq!(ours, theirs);
    aes::ige_decrypt(&mut ours, &key, &iv);
    peer_aes::ige_decrypt(&mut theirs, &key, &iv);
    assert_eq!(ours, theirs);

    let (key, peer_key) = (AuthKey::from_bytes(secret()), PeerKey::from_bytes(secret()));
    for payload in SIZES {
        let mut packet = from_server(&key, payload);
        let opened = decrypt_data_v2(&mut packet, &peer_key).unwrap().to_vec();
        assert_eq!(opened[..HEADER + payload], message(payload));
        let mut packet = DequeBuffer::with_capacity(0, 0);
        seal_theirs(&peer_key, &message(payload), &mut packet);
        let mut packet = packet[..].to_vec();
        open(&key, Side::Client, &mut packet).unwrap();
        assert_eq!(packet[PREFIX..][..HEADER + payload], message(payload));
    }
    for pq in semiprimes() {
        assert_eq!(factor::factorize(pq), Some(grammers_crypto::factorize(pq)));
    }
}

fn ratios() {
    const ROUNDS: usize = 300;
    let slice = Duration::from_millis(1);
    let mut rows = Vec::new();

    let (key, iv) = ([5; 32], [6; 32]);
    let (mut ours, mut theirs) = (vec![1; 65_536], vec![1; 65_536]);
    let (a, b) = duel(
        ROUNDS,
        slice,
        || aes::ige_encrypt(black_box(&mut ours), &key, &iv),
        || peer_aes::ige_encrypt(black_box(&mut theirs), &key, &iv),
    );
    rows.push(Row { name: "IGE encrypt 64 KiB".into(), ours: a, theirs: b, bar: 1.6 });
    let (a, b) = duel(
        ROUNDS,
        slice,
        || aes::ige_decrypt(black_box(&mut ours), &key, &iv),
        || peer_aes::ige_decrypt(black_box(&mut theirs), &key, &iv),
    );
    rows.push(Row { name: "IGE decrypt 64 KiB".into(), ours: a, theirs: b, bar: 1.6 });

    let (key, peer_key) = (AuthKey::from_bytes(secret()), PeerKey::from_bytes(secret()));
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for payload in SIZES {
        let plain = message(payload);
        let mut packet = Vec::with_capacity(PREFIX + plain.len() + 64);
        let mut peer_packet = DequeBuffer::with_capacity(plain.len() + 64, 32);
        let (sealed, sealed_there) = duel(
            ROUNDS,
            slice,
            || seal_ours(&key, &mut rng, black_box(&plain), &mut packet),
            || seal_theirs(&peer_key, black_box(&plain), &mut peer_packet),
        );
        let ((), count) = allocations(|| seal_ours(&key, &mut rng, &plain, &mut packet));
        assert_eq!(count, 0, "sealing {payload} bytes allocates");

        let received = from_server(&key, payload);
        let (mut mine, mut other) = (received.clone(), received.clone());
        let (opened, opened_there) = duel(
            ROUNDS,
            slice,
            || {
                mine.copy_from_slice(&received);
                black_box(open(&key, Side::Server, black_box(&mut mine))).unwrap();
            },
            || {
                other.copy_from_slice(&received);
                black_box(decrypt_data_v2(black_box(&mut other), &peer_key)).unwrap();
            },
        );
        mine.copy_from_slice(&received);
        let (result, count) = allocations(|| open(&key, Side::Server, &mut mine));
        result.unwrap();
        assert_eq!(count, 0, "opening {payload} bytes allocates");

        let name = |what| format!("{what}, payload {payload} B");
        rows.push(Row { name: name("seal"), ours: sealed, theirs: sealed_there, bar: 0.0 });
        rows.push(Row { name: name("open"), ours: opened, theirs: opened_there, bar: 0.0 });
        rows.push(Row {
            name: name("seal and open"),
            ours: sealed + opened,
            theirs: sealed_there + opened_there,
            bar: 1.4,
        });
    }

    let numbers = semiprimes();
    let (a, b) = duel(
        9,
        slice,
        || {
            numbers.iter().for_each(|pq| {
                black_box(factor::factorize(*pq));
            })
        },
        || {
            numbers.iter().for_each(|pq| {
                black_box(grammers_crypto::factorize(*pq));
            })
        },
    );
    rows.push(Row {
        name: "factor 100 semiprimes of 62 bits".into(),
        ours: a,
        theirs: b,
        bar: 3.0,
    });
    report("grammers-crypto 0.11", &rows);
}

fn statistics(c: &mut Criterion) {
    let (key, iv) = ([5; 32], [6; 32]);
    let mut group = c.benchmark_group("ige");
    for size in [16, 1024, 65_536] {
        let mut buf = vec![1; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("encrypt", size), |b| {
            b.iter(|| aes::ige_encrypt(black_box(&mut buf), &key, &iv));
        });
        group.bench_function(BenchmarkId::new("decrypt", size), |b| {
            b.iter(|| aes::ige_decrypt(black_box(&mut buf), &key, &iv));
        });
    }
    group.finish();

    let key = AuthKey::from_bytes(secret());
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut group = c.benchmark_group("message");
    for payload in SIZES {
        let plain = message(payload);
        let mut packet = Vec::with_capacity(PREFIX + plain.len() + 64);
        group.throughput(Throughput::Bytes(payload as u64));
        group.bench_function(BenchmarkId::new("seal", payload), |b| {
            b.iter(|| seal_ours(&key, &mut rng, black_box(&plain), &mut packet));
        });
        let received = from_server(&key, payload);
        let mut mine = received.clone();
        group.bench_function(BenchmarkId::new("open", payload), |b| {
            b.iter(|| {
                mine.copy_from_slice(&received);
                open(&key, Side::Server, black_box(&mut mine)).unwrap();
            });
        });
    }
    group.finish();
}

/// What a key exchange and a sign-in by password cost.
fn exchange(c: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut group = c.benchmark_group("exchange");
    group.sample_size(10);
    // A prime near 2^63 is refused at once; three primes of 21 bits cost a short search.
    for (name, pq) in [
        ("semiprime", 2_804_275_833_720_261_793),
        ("prime", 9_223_372_036_854_775_783),
        ("three primes", 2_097_143 * 2_097_133 * 2_097_131),
    ] {
        group.bench_function(BenchmarkId::new("factor", name), |b| {
            b.iter(|| factor::factorize(black_box(pq)));
        });
    }
    let known = Group::known();
    let secret = secret();
    let public = known.public(&secret).unwrap();
    group.bench_function("dh public", |b| b.iter(|| known.public(black_box(&secret))));
    group.bench_function("dh shared", |b| b.iter(|| known.shared(&public, black_box(&secret))));
    group.bench_function("dh known group", |b| b.iter(|| Group::check(&KNOWN_PRIME, 3)));
    group.bench_function("dh other safe prime", |b| b.iter(|| Group::check(&other_prime(), 2)));
    let mut composite = KNOWN_PRIME;
    composite[128] ^= 1;
    group.bench_function("dh composite", |b| b.iter(|| Group::check(&composite, 4)));
    let key = rsa::PrivateKey::generate(&mut rng);
    let sealed = rsa::rsa_pad_encrypt(&[1; 96], key.public(), &mut rng).unwrap();
    group.bench_function("rsa generate", |b| b.iter(|| rsa::PrivateKey::generate(&mut rng)));
    group.bench_function("rsa_pad encrypt", |b| {
        b.iter(|| rsa::rsa_pad_encrypt(&[1; 96], key.public(), &mut rng));
    });
    group.bench_function("rsa_pad decrypt", |b| b.iter(|| rsa::decrypt(&sealed, &key)));
    let algorithm = srp::Algorithm { salt1: vec![1; 40], salt2: vec![2; 16], group: known };
    let password = srp::Password::new("password");
    let verifier = algorithm.verifier(&algorithm.password_hash(&password));
    let challenge = srp::Challenge::new(algorithm.clone(), &verifier, &mut rng).unwrap();
    group.bench_function("srp answer", |b| {
        b.iter(|| srp::answer(&algorithm, &password, challenge.b(), &[], &mut rng));
    });
    let answer = srp::answer(&algorithm, &password, challenge.b(), &[], &mut rng).unwrap();
    group.bench_function("srp verify", |b| {
        b.iter(|| challenge.verify(&answer.a, &answer.m1).unwrap());
    });
    group.finish();
}

/// The safe prime of the 2048-bit MODP group of RFC 3526.
fn other_prime() -> [u8; 256] {
    let text = include_str!("../../crates/chappe-crypto/tests/vectors/modp_2048.hex");
    let digits: String = text.lines().filter(|line| !line.starts_with('#')).collect();
    std::array::from_fn(|i| u8::from_str_radix(&digits[2 * i..][..2], 16).unwrap())
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = statistics, exchange
}

fn main() {
    agree();
    ratios();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
