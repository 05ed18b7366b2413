//! The server against a client that violates exactly one rule.

use bytes::Bytes;
use chappe_crypto::dh::{self, TmpAes};
use chappe_crypto::{AuthKey, factor, rsa, sha1};
use chappe_tl::service::types::PQInnerData;
use chappe_tl::{Encode, service};

use super::{
    Fault, KEY, MAX_RETRIES, OTHER_KEY, SERVER_TIME, Server, ServerStep, at, decode, group,
    public_values_just_in_range, public_values_out_of_range, rng, sealed, sealed_as, server_with,
    unsealed,
};
use crate::handshake::server::{Config, MEMORY};
use crate::transport::tests::Scripted;

/// A client that obeys, until a test changes one of its messages.
#[derive(Clone)]
struct Client {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    pq: Bytes,
    p: Bytes,
    q: Bytes,
}

const NEW_NONCE: [u8; 32] = [0x4e; 32];

/// The exponent of the client.
const B: [u8; 256] = [0x6b; 256];

impl Client {
    /// Sends `req_pq_multi` and reads the answer.
    fn meet(server: &mut Server, nonce: [u8; 16]) -> Self {
        let request = service::ReqPqMulti { nonce };
        let challenge: service::ResPq = decode(&replied(handle(server, &request)));
        assert_eq!(challenge.nonce, nonce);
        let pq = u64::from_be_bytes(challenge.pq[..].try_into().unwrap());
        let (p, q) = factor::factorize(pq).unwrap();
        let four = |number: u64| Bytes::copy_from_slice(&number.to_be_bytes()[4..]);
        Self {
            nonce,
            server_nonce: challenge.server_nonce,
            pq: challenge.pq,
            p: four(p),
            q: four(q),
        }
    }

    fn inner(&self) -> PQInnerData {
        PQInnerData {
            pq: self.pq.clone(),
            p: self.p.clone(),
            q: self.q.clone(),
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            new_nonce: NEW_NONCE,
        }
    }

    fn inner_dc(&self, dc: i32) -> service::PQInnerDataDc {
        let PQInnerData { pq, p, q, nonce, server_nonce, new_nonce } = self.inner();
        service::PQInnerDataDc { pq, p, q, nonce, server_nonce, new_nonce, dc }
    }

    fn inner_temp(&self, expires_in: i32) -> service::PQInnerDataTemp {
        let PQInnerData { pq, p, q, nonce, server_nonce, new_nonce } = self.inner();
        service::PQInnerDataTemp { pq, p, q, nonce, server_nonce, new_nonce, expires_in }
    }

    fn inner_temp_dc(&self, dc: i32, expires_in: i32) -> service::PQInnerDataTempDc {
        let PQInnerData { pq, p, q, nonce, server_nonce, new_nonce } = self.inner();
        service::PQInnerDataTempDc { pq, p, q, nonce, server_nonce, new_nonce, dc, expires_in }
    }

    fn proof_of(&self, encrypted_data: &[u8]) -> service::ReqDhParams {
        service::ReqDhParams {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            p: self.p.clone(),
            q: self.q.clone(),
            public_key_fingerprint: KEY.public().fingerprint(),
            encrypted_data: Bytes::copy_from_slice(encrypted_data),
        }
    }

    fn proof(&self, inner: &impl Encode) -> service::ReqDhParams {
        self.proof_of(&padded(inner))
    }

    fn aes(&self) -> TmpAes {
        dh::tmp_aes(&NEW_NONCE, &self.server_nonce)
    }

    fn half(&self) -> service::ClientDhInnerData {
        service::ClientDhInnerData {
            nonce: self.nonce,
            server_nonce: self.server_nonce,
            retry_id: 0,
            g_b: Bytes::copy_from_slice(&group().public(&B).unwrap()),
        }
    }

    fn message(&self, encrypted_data: Bytes) -> service::SetClientDhParams {
        let Self { nonce, server_nonce, .. } = *self;
        service::SetClientDhParams { nonce, server_nonce, encrypted_data }
    }

    fn last(&self, half: &service::ClientDhInnerData) -> service::SetClientDhParams {
        self.message(sealed(&half.to_bytes(), &self.aes()))
    }

    /// Checks that nothing of the exchange is answered any more, not even what is right.
    fn assert_dead(&self, server: &mut Server) {
        assert_eq!(rejected(handle(server, &self.proof(&self.inner()))), -404);
        assert_eq!(rejected(handle(server, &self.last(&self.half()))), -404);
        assert_eq!(rejected(handle(server, &service::ReqPqMulti { nonce: self.nonce })), -404);
        // Others are not concerned.
        Self::meet(server, [0xee; 16]);
    }
}

fn handle(server: &mut Server, message: &impl Encode) -> ServerStep {
    server.handle(&message.to_bytes(), at(0), |_| false, &mut rng(8))
}

fn replied(step: ServerStep) -> Bytes {
    match step {
        ServerStep::Reply(body) => body,
        other => panic!("no reply: {other:?}"),
    }
}

fn rejected(step: ServerStep) -> i32 {
    match step {
        ServerStep::Reject(code) => code,
        other => panic!("not rejected: {other:?}"),
    }
}

fn done(step: ServerStep) -> (Bytes, AuthKey, i64, Option<i32>) {
    match step {
        ServerStep::Done { reply, auth_key, server_salt, expires_in } => {
            (reply, auth_key, server_salt, expires_in)
        }
        other => panic!("not done: {other:?}"),
    }
}

fn padded(inner: &impl Encode) -> [u8; 256] {
    rsa::rsa_pad_encrypt(&inner.to_bytes(), KEY.public(), &mut rng(10)).unwrap()
}

fn old_padded(inner: &impl Encode) -> [u8; 256] {
    rsa::old_pad_encrypt(&inner.to_bytes(), KEY.public(), &mut rng(10)).unwrap()
}

/// A server that awaits `req_DH_params`.
fn before_proof() -> (Server, Client) {
    let mut server = server_with(|_| {});
    let client = Client::meet(&mut server, [0x43; 16]);
    (server, client)
}

/// A server that awaits `set_client_DH_params`, and its half.
fn before_half(change: impl FnOnce(&mut Config)) -> (Server, Client, service::ServerDhInnerData) {
    let mut server = server_with(change);
    let client = Client::meet(&mut server, [0x43; 16]);
    let reply = replied(handle(&mut server, &client.proof(&client.inner())));
    let params = read_params(&client, &reply);
    (server, client, params)
}

fn read_params(client: &Client, reply: &[u8]) -> service::ServerDhInnerData {
    let ok: service::ServerDhParamsOk = decode(reply);
    assert_eq!((ok.nonce, ok.server_nonce), (client.nonce, client.server_nonce));
    unsealed(&ok.encrypted_answer, &client.aes())
}

fn key_of(params: &service::ServerDhInnerData, secret: &[u8; 256]) -> AuthKey {
    AuthKey::from_bytes(*group().shared(&params.g_a, secret).unwrap())
}

/// The server rejects the proof for good.
fn refused_proof(proof: impl FnOnce(&Client) -> service::ReqDhParams) {
    let (mut server, client) = before_proof();
    let proof = proof(&client);
    assert_eq!(rejected(handle(&mut server, &proof)), -404);
    client.assert_dead(&mut server);
}

/// The server rejects the inner data for good, in both paddings.
fn refused_inner(change: impl Fn(&mut PQInnerData)) {
    let paddings: [fn(&PQInnerData) -> [u8; 256]; 2] = [padded, old_padded];
    for encrypt in paddings {
        refused_proof(|client| {
            let mut inner = client.inner();
            change(&mut inner);
            client.proof_of(&encrypt(&inner))
        });
    }
}

/// The server rejects the last message for good.
fn refused_last(last: impl FnOnce(&Client) -> service::SetClientDhParams) {
    let (mut server, client, _) = before_half(|_| {});
    let last = last(&client);
    assert_eq!(rejected(handle(&mut server, &last)), -404);
    client.assert_dead(&mut server);
}

fn refused_half(change: impl FnOnce(&mut service::ClientDhInnerData)) {
    refused_last(|client| {
        let mut half = client.half();
        change(&mut half);
        client.last(&half)
    });
}

#[test]
fn every_form_of_inner_data_makes_a_key() {
    type Form = fn(&Client) -> Bytes;
    let forms: [(Form, Option<i32>); 4] = [
        (|client| client.inner().to_bytes(), None),
        (|client| client.inner_dc(2).to_bytes(), None),
        (|client| client.inner_temp(60).to_bytes(), Some(60)),
        (|client| client.inner_temp_dc(-10_002, 86_400).to_bytes(), Some(86_400)),
    ];
    for (form, expires) in forms {
        for old in [false, true] {
            let (mut server, client) = before_proof();
            let data = form(&client);
            let encrypted = if old {
                rsa::old_pad_encrypt(&data, KEY.public(), &mut rng(10)).unwrap()
            } else {
                rsa::rsa_pad_encrypt(&data, KEY.public(), &mut rng(10)).unwrap()
            };
            let reply = replied(handle(&mut server, &client.proof_of(&encrypted)));
            let params = read_params(&client, &reply);
            assert_eq!((params.g, params.server_time), (3, SERVER_TIME));
            assert_eq!(params.dh_prime[..], dh::KNOWN_PRIME);
            assert_eq!((params.nonce, params.server_nonce), (client.nonce, client.server_nonce));
            let (reply, key, salt, expires_in) =
                done(handle(&mut server, &client.last(&client.half())));
            assert_eq!(key.as_bytes(), key_of(&params, &B).as_bytes());
            assert_eq!(expires_in, expires);
            let ok: service::DhGenOk = decode(&reply);
            assert_eq!((ok.nonce, ok.server_nonce), (client.nonce, client.server_nonce));
            assert_eq!(ok.new_nonce_hash1, key.new_nonce_hash(&NEW_NONCE, 1));
            let expected: Vec<u8> =
                NEW_NONCE.iter().zip(client.server_nonce).take(8).map(|(a, b)| a ^ b).collect();
            assert_eq!(salt.to_le_bytes()[..], expected);
        }
    }
}

#[test]
fn the_older_first_message_is_answered_too() {
    let mut server = server_with(|_| {});
    let nonce = [0x21; 16];
    let older = replied(handle(&mut server, &service::ReqPq { nonce }));
    assert_eq!(older, replied(handle(&mut server, &service::ReqPqMulti { nonce })));
    let challenge: service::ResPq = decode(&older);
    assert_eq!(challenge.server_public_key_fingerprints, [KEY.public().fingerprint()]);
    let pq = u64::from_be_bytes(challenge.pq[..].try_into().unwrap());
    let (p, q) = factor::factorize(pq).unwrap();
    assert!(1 << 30 < p && p < q && q < 1 << 31);
}

#[test]
fn every_key_of_the_server_can_be_chosen() {
    let mut server = server_with(|config| config.keys.push(OTHER_KEY.clone()));
    let client = Client::meet(&mut server, [1; 16]);
    let mut proof = client.proof(&client.inner());
    proof.public_key_fingerprint = OTHER_KEY.public().fingerprint();
    let data = client.inner().to_bytes();
    let encrypted = rsa::rsa_pad_encrypt(&data, OTHER_KEY.public(), &mut rng(10)).unwrap();
    proof.encrypted_data = Bytes::copy_from_slice(&encrypted);
    read_params(&client, &replied(handle(&mut server, &proof)));
}

#[test]
fn other_messages_are_rejected() {
    let mut server = server_with(|_| {});
    for body in [&[][..], &[1, 2], &[0; 40]] {
        let step = server.handle(body, at(0), |_| false, &mut rng(8));
        assert_eq!(rejected(step), -404);
    }
    assert_eq!(rejected(handle(&mut server, &service::Ping { ping_id: 1 })), -404);
    let (mut server, client) = before_proof();
    let whole = client.proof(&client.inner()).to_bytes();
    for length in [4, 19, whole.len() - 1] {
        let step = server.handle(&whole[..length], at(0), |_| false, &mut rng(8));
        assert_eq!(rejected(step), -404);
    }
}

#[test]
fn bytes_after_a_message_are_ignored() {
    let (mut server, client) = before_proof();
    let tails = [&[][..], &[1; 4], &[2; 104]];
    let mut send = |message: Bytes| {
        tails.map(|tail| {
            let body = [&message, tail].concat();
            server.handle(&body, at(0), |_| false, &mut rng(8))
        })
    };
    let [a, b, c] = send(service::ReqPqMulti { nonce: client.nonce }.to_bytes()).map(replied);
    assert!(a == b && b == c);
    // With other bytes behind it, it is the same message still: the answer is repeated.
    let [a, b, c] = send(client.proof(&client.inner()).to_bytes()).map(replied);
    assert!(a == b && b == c);
    let [a, b, c] = send(client.last(&client.half()).to_bytes());
    let a = done(a).0;
    assert!(a == replied(b) && a == replied(c));
}

#[test]
fn repeated_messages_get_the_same_answers() {
    let (mut server, client) = before_proof();
    let first = service::ReqPqMulti { nonce: client.nonce };
    let proof = client.proof(&client.inner());
    let last = client.last(&client.half());
    let challenge = replied(handle(&mut server, &first));
    let params = replied(handle(&mut server, &proof));
    // Later, on any connection, after other draws of the generator.
    let mut later = |message: &dyn Fn() -> Bytes, seconds| {
        server.handle(&message(), at(seconds), |_| false, &mut rng(99))
    };
    assert_eq!(replied(later(&|| first.to_bytes(), 300)), challenge);
    assert_eq!(replied(later(&|| proof.to_bytes(), 599)), params);
    let (ok, ..) = done(later(&|| last.to_bytes(), 600));
    assert_eq!(replied(later(&|| last.to_bytes(), 1200)), ok);
    assert_eq!(replied(later(&|| proof.to_bytes(), 1200)), params);
    assert_eq!(replied(later(&|| first.to_bytes(), 1200)), challenge);
}

#[test]
fn an_exchange_is_forgotten_after_a_while() {
    let memory = MEMORY.as_secs();
    let (mut server, client) = before_proof();
    let proof = client.proof(&client.inner()).to_bytes();
    replied(server.handle(&proof, at(memory - 1), |_| false, &mut rng(8)));
    let last = client.last(&client.half()).to_bytes();
    let step = server.handle(&last, at(2 * memory - 1), |_| false, &mut rng(8));
    assert_eq!(rejected(step), -404);
    // The same nonce begins an exchange of its own then.
    let request = service::ReqPqMulti { nonce: client.nonce }.to_bytes();
    let step = server.handle(&request, at(2 * memory - 1), |_| false, &mut rng(77));
    let challenge: service::ResPq = decode(&replied(step));
    assert_ne!(challenge.server_nonce, client.server_nonce);
}

#[test]
fn the_number_of_exchanges_is_bounded() {
    let mut server = server_with(|config| config.capacity = 3);
    let proved = Client::meet(&mut server, [1; 16]);
    replied(handle(&mut server, &proved.proof(&proved.inner())));
    let meet = |server: &mut Server, nonce: u8, seconds| {
        let request = service::ReqPqMulti { nonce: [nonce; 16] }.to_bytes();
        let seed = u8::try_from(seconds % 100).unwrap();
        server.handle(&request, at(seconds), |_| false, &mut rng(100 + seed))
    };
    let second: service::ResPq = decode(&replied(meet(&mut server, 2, 1)));
    let third = replied(meet(&mut server, 3, 2));
    // The oldest that only knocked makes room; the others stay.
    replied(meet(&mut server, 4, 3));
    assert_eq!(replied(meet(&mut server, 3, 4)), third);
    replied(handle(&mut server, &proved.proof(&proved.inner())));
    let again: service::ResPq = decode(&replied(meet(&mut server, 2, 5)));
    assert_ne!(again.server_nonce, second.server_nonce);

    // One that failed makes room for anybody.
    let mut server = server_with(|config| config.capacity = 1);
    let failed = Client::meet(&mut server, [1; 16]);
    let proof = service::ReqDhParams { p: Bytes::new(), ..failed.proof(&failed.inner()) };
    assert_eq!(rejected(handle(&mut server, &proof)), -404);
    replied(meet(&mut server, 2, 0));

    // When all are under way nobody is displaced, for a minute.
    let mut server = server_with(|config| config.capacity = 1);
    let proved = Client::meet(&mut server, [1; 16]);
    let proof = proved.proof(&proved.inner()).to_bytes();
    for seconds in [0, 59] {
        replied(server.handle(&proof, at(seconds), |_| false, &mut rng(8)));
        assert_eq!(rejected(meet(&mut server, 2, seconds)), -429);
    }
    replied(meet(&mut server, 2, 60));

    // What is finished makes room.
    let mut server = server_with(|config| config.capacity = 1);
    let proved = Client::meet(&mut server, [1; 16]);
    replied(handle(&mut server, &proved.proof(&proved.inner())));
    done(handle(&mut server, &proved.last(&proved.half())));
    replied(meet(&mut server, 2, 0));
}

#[test]
fn a_server_nonce_is_never_used_twice() {
    let mut server = server_with(|_| {});
    let mut challenge = |nonce: u8, script: &[&[u8]]| {
        let request = service::ReqPqMulti { nonce: [nonce; 16] }.to_bytes();
        let step = server.handle(&request, at(0), |_| false, &mut Scripted::new(script));
        decode::<service::ResPq>(&replied(step)).server_nonce
    };
    assert_eq!(challenge(1, &[&[7; 16]]), [7; 16]);
    assert_eq!(challenge(2, &[&[7; 16], &[7; 16], &[9; 16]]), [9; 16]);
}

#[test]
fn the_two_primes_differ() {
    let mut server = server_with(|_| {});
    let request = service::ReqPqMulti { nonce: [1; 16] }.to_bytes();
    // The same prime twice, then another.
    let prime = (1_500_000_001_u32 << 1).to_le_bytes();
    assert!(factor::factorize(2 * 1_500_000_001).is_some());
    let mut script = Scripted::new(&[&[7; 16], &prime, &prime]);
    let step = server.handle(&request, at(0), |_| false, &mut script);
    let challenge: service::ResPq = decode(&replied(step));
    let pq = u64::from_be_bytes(challenge.pq[..].try_into().unwrap());
    let (p, q) = factor::factorize(pq).unwrap();
    assert!(p != q && (p == 1_500_000_001 || q == 1_500_000_001));
}

#[test]
fn both_nonces_name_the_exchange() {
    let (mut server, client) = before_proof();
    let mut stranger = client.clone();
    stranger.nonce[0] ^= 1;
    assert_eq!(rejected(handle(&mut server, &stranger.proof(&stranger.inner()))), -404);
    assert_eq!(rejected(handle(&mut server, &stranger.last(&stranger.half()))), -404);
    let mut stranger = client.clone();
    stranger.server_nonce[0] ^= 1;
    assert_eq!(rejected(handle(&mut server, &stranger.proof(&stranger.inner()))), -404);
    // It was another exchange: this one goes on.
    replied(handle(&mut server, &client.proof(&client.inner())));
    assert_eq!(rejected(handle(&mut server, &stranger.last(&stranger.half()))), -404);
    done(handle(&mut server, &client.last(&client.half())));
}

#[test]
fn a_step_that_is_not_due_ends_the_exchange() {
    let (mut server, client) = before_proof();
    assert_eq!(rejected(handle(&mut server, &client.last(&client.half()))), -404);
    client.assert_dead(&mut server);

    let (mut server, client, _) = before_half(|_| {});
    done(handle(&mut server, &client.last(&client.half())));
    let mut other = client.half();
    other.g_b = Bytes::copy_from_slice(&group().public(&[0x11; 256]).unwrap());
    assert_eq!(rejected(handle(&mut server, &client.last(&other))), -404);
    client.assert_dead(&mut server);
}

#[test]
fn a_second_proof_that_differs_ends_the_exchange() {
    let (mut server, client, _) = before_half(|_| {});
    // The same numbers under other random bytes already are another message.
    let data = client.inner().to_bytes();
    let other = rsa::rsa_pad_encrypt(&data, KEY.public(), &mut rng(11)).unwrap();
    assert_eq!(rejected(handle(&mut server, &client.proof_of(&other))), -404);
    client.assert_dead(&mut server);

    let (mut server, client, _) = before_half(|_| {});
    let mut proof = client.proof(&client.inner());
    (proof.p, proof.q) = (proof.q, proof.p);
    assert_eq!(rejected(handle(&mut server, &proof)), -404);
    client.assert_dead(&mut server);
}

#[test]
fn the_proof_of_work_is_checked() {
    let one = Bytes::from_static(&[1]);
    let changes: [&dyn Fn(&mut service::ReqDhParams); 5] = [
        &|proof| std::mem::swap(&mut proof.p, &mut proof.q),
        &|proof| proof.p = proof.q.clone(),
        &|proof| proof.q = proof.p.clone(),
        &|proof| proof.p = one.clone(),
        &|proof| proof.q = Bytes::from_static(&[1; 9]),
    ];
    for change in changes {
        refused_proof(|client| {
            let mut proof = client.proof(&client.inner());
            change(&mut proof);
            proof
        });
    }
    // The trivial factors of pq.
    refused_proof(|client| {
        let mut proof = client.proof(&client.inner());
        (proof.p, proof.q) = (one.clone(), client.pq.clone());
        proof
    });
}

#[test]
fn the_key_of_the_server_is_checked() {
    refused_proof(|client| {
        let mut proof = client.proof(&client.inner());
        proof.public_key_fingerprint = OTHER_KEY.public().fingerprint();
        proof
    });
    refused_proof(|client| {
        let data = client.inner().to_bytes();
        let other = rsa::rsa_pad_encrypt(&data, OTHER_KEY.public(), &mut rng(10)).unwrap();
        client.proof_of(&other)
    });
}

#[test]
fn encrypted_inner_data_is_checked() {
    type Change = fn(&[u8; 256]) -> Vec<u8>;
    let changes: [Change; 5] = [
        |_| vec![],
        |whole| whole[1..].to_vec(),
        |whole| [&whole[..], &[0]].concat(),
        |_| vec![0xff; 256],
        |whole| {
            let mut damaged = *whole;
            damaged[100] ^= 1;
            damaged.to_vec()
        },
    ];
    for change in changes {
        refused_proof(|client| client.proof_of(&change(&padded(&client.inner()))));
        refused_proof(|client| client.proof_of(&change(&old_padded(&client.inner()))));
    }
    // Something else under RSA.
    refused_proof(|client| client.proof(&service::Ping { ping_id: 1 }));
    refused_proof(|client| client.proof_of(&old_padded(&service::Ping { ping_id: 1 })));
}

#[test]
fn the_hash_of_the_old_padding_is_checked() {
    refused_proof(|client| {
        let data = client.inner().to_bytes();
        let longer = [&data[..], &[0; 4]].concat();
        // The hash covers four bytes more than the object has.
        let encrypted = rsa::old_pad_encrypt(&longer, KEY.public(), &mut rng(10)).unwrap();
        client.proof_of(&encrypted)
    });
}

#[test]
fn inner_data_repeats_what_is_outside() {
    refused_inner(|inner| inner.pq = Bytes::from_static(&[0x14, 0x60, 0xe7, 0xd3]));
    refused_inner(|inner| inner.p = inner.q.clone());
    refused_inner(|inner| inner.q = inner.p.clone());
    refused_inner(|inner| std::mem::swap(&mut inner.p, &mut inner.q));
    refused_inner(|inner| inner.nonce[9] ^= 1);
    refused_inner(|inner| inner.server_nonce[9] ^= 1);
}

#[test]
fn a_temporary_key_has_a_lifetime() {
    for expires_in in [0, -1, i32::MIN] {
        refused_proof(|client| client.proof(&client.inner_temp(expires_in)));
        refused_proof(|client| client.proof(&client.inner_temp_dc(2, expires_in)));
    }
}

#[test]
fn the_data_center_is_checked_if_configured() {
    for (dc, accepted) in [
        (2, true),
        (-2, true),
        (10_002, true),
        (-10_002, true),
        (1, false),
        (0, false),
        (-3, false),
    ] {
        let mut server = server_with(|config| config.dc_id = Some(2));
        let client = Client::meet(&mut server, [1; 16]);
        let step = handle(&mut server, &client.proof(&client.inner_dc(dc)));
        if accepted {
            read_params(&client, &replied(step));
        } else {
            assert_eq!(rejected(step), -444);
            client.assert_dead(&mut server);
            let mut any = server_with(|_| {});
            let client = Client::meet(&mut any, [1; 16]);
            replied(handle(&mut any, &client.proof(&client.inner_dc(dc))));
        }
    }
    // Who names none is not wrong.
    let mut server = server_with(|config| config.dc_id = Some(2));
    let client = Client::meet(&mut server, [1; 16]);
    replied(handle(&mut server, &client.proof(&client.inner())));
}

#[test]
fn the_generator_of_the_server_fits_its_prime() {
    for generator in [0, 2, 5, 6, 8] {
        let config = Config { generator, ..Config::default() };
        assert!(Server::new(config).is_err(), "{generator}");
    }
}

#[test]
fn a_secret_of_the_server_is_drawn_until_its_public_value_is_in_range() {
    let (mut server, client) = before_proof();
    let proof = client.proof(&client.inner()).to_bytes();
    let good = [0x3d; 256];
    let mut script = Scripted::new(&[&[0; 256], &good]);
    let step = server.handle(&proof, at(0), |_| false, &mut script);
    let params = read_params(&client, &replied(step));
    assert_eq!(params.g_a[..], group().public(&good).unwrap());

    let (mut server, client) = before_proof();
    let mut script = Scripted::new(&[&[0; 256 * 3]]);
    let proof = client.proof(&client.inner()).to_bytes();
    assert_eq!(rejected(server.handle(&proof, at(0), |_| false, &mut script)), -404);
}

#[test]
fn an_encrypted_half_consists_of_blocks() {
    refused_last(|client| client.message(Bytes::new()));
    refused_last(|client| client.message(vec![0; 16].into()));
    refused_last(|client| {
        let whole = client.last(&client.half()).encrypted_data;
        client.message(whole.slice(..whole.len() - 1))
    });
    refused_last(|client| {
        let whole = client.last(&client.half()).encrypted_data;
        client.message([&whole[..], &[0; 8]].concat().into())
    });
}

#[test]
fn an_encrypted_half_is_hashed() {
    refused_last(|client| {
        let data = client.half().to_bytes();
        let mut hash = sha1(&[&data]);
        hash[0] ^= 1;
        let least = (20 + data.len()).next_multiple_of(16) - 20 - data.len();
        client.message(sealed_as(hash, &data, least, &client.aes()))
    });
    refused_last(|client| {
        let other = dh::tmp_aes(&[1; 32], &client.server_nonce);
        client.message(sealed(&client.half().to_bytes(), &other))
    });
    refused_last(|client| client.message(sealed(&client.inner().to_bytes(), &client.aes())));
}

#[test]
fn at_most_15_bytes_follow_a_half() {
    refused_last(|client| {
        let data = client.half().to_bytes();
        let least = (20 + data.len()).next_multiple_of(16) - 20 - data.len();
        client.message(sealed_as(sha1(&[&data]), &data, least + 16, &client.aes()))
    });
}

#[test]
fn a_half_repeats_the_nonces() {
    refused_half(|half| half.nonce[4] ^= 1);
    refused_half(|half| half.server_nonce[4] ^= 1);
}

#[test]
fn the_first_half_is_no_retry() {
    refused_half(|half| half.retry_id = 1);
}

#[test]
fn the_public_value_of_the_client_is_in_range() {
    for (_, value) in public_values_out_of_range() {
        refused_half(|half| half.g_b = Bytes::copy_from_slice(&value));
    }
    refused_half(|half| half.g_b = vec![1; 257].into());
    for value in public_values_just_in_range() {
        let (mut server, client, _) = before_half(|_| {});
        let mut half = client.half();
        half.g_b = Bytes::copy_from_slice(&value);
        done(handle(&mut server, &client.last(&half)));
    }
}

#[test]
fn a_retry_names_the_key_before() {
    let retried = || {
        let (mut server, client, params) = before_half(|config| config.fault = Fault::GenRetry(1));
        let first = client.last(&client.half());
        let reply = replied(handle(&mut server, &first));
        let key = key_of(&params, &B);
        let retry: service::DhGenRetry = decode(&reply);
        assert_eq!((retry.nonce, retry.server_nonce), (client.nonce, client.server_nonce));
        assert_eq!(retry.new_nonce_hash2, key.new_nonce_hash(&NEW_NONCE, 2));
        // The first half again gets the same answer again.
        assert_eq!(replied(handle(&mut server, &first)), reply);
        (server, client, params, key)
    };
    let secret = [0x19; 256];
    let mut half = retried().1.half();
    half.g_b = Bytes::copy_from_slice(&group().public(&secret).unwrap());

    let (mut server, client, params, key) = retried();
    half.retry_id = key.aux_hash();
    let (_, made, ..) = done(handle(&mut server, &client.last(&half)));
    assert_eq!(made.as_bytes(), key_of(&params, &secret).as_bytes());

    for retry_id in [0, key.aux_hash() ^ 1] {
        let (mut server, client, ..) = retried();
        half.retry_id = retry_id;
        assert_eq!(rejected(handle(&mut server, &client.last(&half))), -404);
        client.assert_dead(&mut server);
    }
}

#[test]
fn retries_end_in_a_failure() {
    let (mut server, client, params) = before_half(|_| {});
    let mut half = client.half();
    for number in 0..=MAX_RETRIES {
        let secret = [number + 1; 256];
        half.g_b = Bytes::copy_from_slice(&group().public(&secret).unwrap());
        let body = client.last(&half).to_bytes();
        let reply = replied(server.handle(&body, at(0), |_| true, &mut rng(8)));
        let key = key_of(&params, &secret);
        half.retry_id = key.aux_hash();
        if number == MAX_RETRIES {
            let fail: service::DhGenFail = decode(&reply);
            assert_eq!((fail.nonce, fail.server_nonce), (client.nonce, client.server_nonce));
            assert_eq!(fail.new_nonce_hash3, key.new_nonce_hash(&NEW_NONCE, 3));
        } else {
            decode::<service::DhGenRetry>(&reply);
        }
    }
    client.assert_dead(&mut server);
}

#[test]
fn a_feigned_refusal_of_the_params_is_proved() {
    let mut server = server_with(|config| config.fault = Fault::ParamsFail);
    let client = Client::meet(&mut server, [1; 16]);
    let reply = replied(handle(&mut server, &client.proof(&client.inner())));
    let fail: service::ServerDhParamsFail = decode(&reply);
    assert_eq!((fail.nonce, fail.server_nonce), (client.nonce, client.server_nonce));
    assert_eq!(fail.new_nonce_hash[..], sha1(&[&NEW_NONCE])[4..]);
    client.assert_dead(&mut server);
}

#[test]
fn the_tail_of_encrypted_params_is_random() {
    let tail = |seed: u8| {
        let (mut server, client) = before_proof();
        let proof = client.proof(&client.inner()).to_bytes();
        // The same secret, then other bytes.
        let mut script = Scripted::new(&[&[0x3d; 256], &[seed; 8]]);
        let reply = replied(server.handle(&proof, at(0), |_| false, &mut script));
        let ok: service::ServerDhParamsOk = decode(&reply);
        let mut opened = ok.encrypted_answer.to_vec();
        let aes = client.aes();
        chappe_crypto::aes::ige_decrypt(&mut opened, &aes.key, &aes.iv);
        opened[opened.len() - 8..].to_vec()
    };
    assert_eq!(tail(1), [1; 8]);
    assert_eq!(tail(2), [2; 8]);
}
