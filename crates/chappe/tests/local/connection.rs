//! What a connection does when things go wrong around it.

use std::{future::Future, io, task::Poll, time::Duration};

use bytes::Bytes;
use chappe::{
    Client, ConnectionState, Decode, Encode, Ended, Error, Framing, Function, account,
    api::{help, types, users},
    errors,
};
use chappe_server::Server;
use tokio::{io::AsyncReadExt, net::TcpSocket};

use crate::{
    telegram::{API_HASH, API_ID, client_of, sign_in, telegram},
    wire::{Weather, Wire},
};

#[tokio::test]
async fn every_framing_works() {
    let server = telegram(1).await;
    for framing in
        [Framing::Abridged, Framing::Full, Framing::Intermediate, Framing::PaddedIntermediate]
    {
        for obfuscated in [false, true] {
            let mut builder = client_of(&server).framing(framing);
            if obfuscated {
                builder = builder.obfuscated();
            }
            if framing == Framing::Full && obfuscated {
                assert!(matches!(builder.connect().await, Err(Error::Invalid(_))));
                continue;
            }
            let client = builder.connect().await.unwrap();
            let config = client.invoke(&help::GetConfig).await.unwrap();
            assert_eq!(config.this_dc, server.dc_id(), "{framing:?} {obfuscated}");
            client.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn clones_share_one_connection() {
    let wire = Wire::new(telegram(1).await);
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    let calls: Vec<_> = (0..1500)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.invoke(&help::GetNearestDc).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().this_dc, wire.server().dc_id());
    }
    assert_eq!(wire.dials(), 1);
}

#[tokio::test]
async fn nobody_there_is_told_at_once() {
    // It is kept, so that nobody else gets the port; but it does not listen.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    let server = telegram(1).await;
    let builder = Client::builder(API_ID, API_HASH).server(address, server.public_key_pem());
    let error = builder.unwrap().connect().await.unwrap_err();
    let Error::Network(error) = error else { panic!("{error}") };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test(start_paused = true)]
async fn a_mute_server_is_not_waited_for_without_end() {
    let server = telegram(1).await;
    let (far, far_end) = tokio::io::duplex(4096);
    let far = std::sync::Mutex::new(Some(far));
    let connecting = client_of(&server).connect_with(move || {
        let far = far.lock().unwrap().take();
        async move { far.ok_or_else(|| io::ErrorKind::ConnectionRefused.into()) }
    });
    let error = connecting.await.unwrap_err();
    let Error::Network(error) = error else { panic!("{error}") };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    drop(far_end);
}

#[tokio::test]
async fn a_server_that_hangs_up_is_reported() {
    let server = telegram(1).await;
    let connecting = client_of(&server).connect_with(|| async { Ok(tokio::io::duplex(4096).0) });
    let Error::Network(error) = connecting.await.unwrap_err() else { panic!("another error") };
    assert!(error.to_string().contains("hung up") || error.kind() == io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn the_key_of_another_server_is_noticed() {
    let (one, other) = (telegram(1).await, telegram(2).await);
    let builder = Client::builder(API_ID, API_HASH);
    let builder = builder.server(one.address(), other.public_key_pem()).unwrap();
    let error = builder.connect().await.unwrap_err();
    assert!(matches!(error, Error::WrongServerKey), "{error}");
    let refused = Client::builder(API_ID, API_HASH).server(one.address(), "no key");
    assert!(matches!(refused, Err(Error::Invalid(_))));
}

#[tokio::test(start_paused = true)]
async fn a_call_outlives_the_connection_that_carried_it() {
    let wire = Wire::new(telegram(1).await);
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&client, wire.server()).await;
    let hash = client.web_sessions().await.unwrap()[0].hash();

    wire.weather(Weather::Deaf);
    let calling = {
        let client = client.clone();
        tokio::spawn(async move { client.invoke(&account::ResetWebAuthorization { hash }).await })
    };
    wire.lost().await;
    wire.cut();
    // The server did it the first time, and must not be made to do it twice: the answer is that
    // of the first time.
    assert!(calling.await.unwrap().unwrap());
    assert_eq!(wire.dials(), 2);
    assert_eq!(client.state(), ConnectionState::Connected);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_fell_silent_is_replaced() {
    let wire = Wire::new(telegram(1).await);
    let builder = client_of(wire.server()).request_timeout(Duration::from_secs(600));
    let client = wire.connect(builder).await.unwrap();
    client.invoke(&help::GetConfig).await.unwrap();
    wire.weather(Weather::Hole);
    client.invoke(&help::GetNearestDc).await.unwrap();
    assert_eq!(wire.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_the_network_and_go_on() {
    let wire = Wire::new(telegram(1).await);
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    client.invoke(&help::GetConfig).await.unwrap();
    wire.weather(Weather::Storm);
    let state = client.state_changed(ConnectionState::Connected).await;
    assert!(matches!(state, ConnectionState::Connecting { .. }), "{state:?}");
    let calling = {
        let client = client.clone();
        tokio::spawn(async move { client.invoke(&help::GetNearestDc).await })
    };
    while wire.dials() < 4 {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    wire.weather(Weather::Fair);
    assert!(calling.await.unwrap().is_ok());
    assert_eq!(client.state(), ConnectionState::Connected);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_stays_away_ends_the_call() {
    let wire = Wire::new(telegram(1).await);
    let builder = client_of(wire.server()).request_timeout(Duration::from_secs(20));
    let client = wire.connect(builder).await.unwrap();
    client.invoke(&help::GetConfig).await.unwrap();
    wire.weather(Weather::Storm);
    let begin = tokio::time::Instant::now();
    let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
    assert!(matches!(error, Error::Network(_)), "{error}");
    assert!(begin.elapsed() >= Duration::from_secs(20));
    wire.weather(Weather::Fair);
    // The pause before the next dial may be longer than a call waits.
    while client.state() != ConnectionState::Connected {
        client.state_changed(client.state()).await;
    }
    client.invoke(&help::GetNearestDc).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_not_waited_for_without_end() {
    let wire = Wire::new(telegram(1).await);
    let builder = client_of(wire.server()).request_timeout(Duration::from_secs(5));
    let client = wire.connect(builder).await.unwrap();
    client.invoke(&help::GetConfig).await.unwrap();
    wire.weather(Weather::Deaf);
    let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
    assert!(matches!(&error, Error::TimedOut(method) if method == "help.getNearestDc"), "{error}");
}

#[tokio::test]
async fn closing_is_final_for_every_handle() {
    let wire = Wire::new(telegram(1).await);
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    client.invoke(&help::GetConfig).await.unwrap();
    let mut updates = client.updates();
    wire.weather(Weather::Deaf);
    let calling = {
        let client = client.clone();
        tokio::spawn(async move { client.invoke(&help::GetNearestDc).await })
    };
    wire.lost().await;
    let other = client.clone();
    client.close().await.unwrap();
    assert!(matches!(calling.await.unwrap(), Err(Error::Closed)));
    assert!(matches!(other.invoke(&help::GetConfig).await, Err(Error::Closed)));
    assert_eq!(other.state(), ConnectionState::Ended(Ended::Closed));
    assert!(updates.next().await.unwrap().is_none());
    assert!(other.updates().next().await.unwrap().is_none());
    other.close().await.unwrap();
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_connection() {
    let server = telegram(1).await;
    let (near, mut far) = tokio::io::duplex(4096);
    let near = std::sync::Mutex::new(Some(near));
    let mut connecting = Box::pin(client_of(&server).connect_with(move || {
        let near = near.lock().unwrap().take();
        async move { near.ok_or_else(|| io::ErrorKind::ConnectionRefused.into()) }
    }));
    // The first bytes of the key exchange are there: somebody is connected.
    let mut greeting = [0; 4];
    tokio::select! {
        connected = &mut connecting => panic!("{:?}", connected.err()),
        read = far.read_exact(&mut greeting) => assert_eq!(read.unwrap(), 4),
    }
    drop(connecting);
    let mut rest = Vec::new();
    far.read_to_end(&mut rest).await.unwrap();
}

#[tokio::test]
async fn a_dropped_call_harms_no_other() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    for polls in 1..4 {
        let mut call = Box::pin(client.invoke(&help::GetConfig));
        for _ in 0..polls {
            let polled = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
            if polled.is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        client.invoke(&help::GetNearestDc).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_flood_wait_is_slept_through_and_a_long_one_is_not() {
    let server = Server::builder()
        .in_memory()
        .seed(1)
        .start_at(Duration::from_secs(1_800_000_000))
        .limit("account.getWebAuthorizations", 1, Duration::from_secs(9));
    let wire = Wire::new(server.start().await.unwrap());
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&client, wire.server()).await;
    client.web_sessions().await.unwrap();
    let begin = tokio::time::Instant::now();
    client.web_sessions().await.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(5), "{:?}", begin.elapsed());

    let hasty = client_of(wire.server()).flood_threshold(Duration::ZERO);
    let hasty = wire.connect(hasty).await.unwrap();
    sign_in(&hasty, wire.server()).await;
    let error = hasty.web_sessions().await.unwrap_err();
    assert!(error.is(errors::FLOOD_WAIT_X), "{error}");
    assert!(error.retry_after().unwrap() <= Duration::from_secs(9));
    assert!(error.explain().unwrap().contains("wait"));
}

/// An answer of another type than the schema says.
struct Misread;

impl Encode for Misread {
    fn encode(&self, out: &mut Vec<u8>) {
        help::GetNearestDc.encode(out);
    }
}

impl Function for Misread {
    type Return = types::Config;
    const ID: u32 = help::GetNearestDc::ID;
    const NAME: &'static str = "help.misread";
    const CALLERS: chappe_tl::Callers = help::GetNearestDc::CALLERS;
    const ERRORS: &'static [chappe_tl::ErrorName] = &[];
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_fails_its_call_only() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let error = client.invoke(&Misread).await.unwrap_err();
    let Error::Decode(error) = error else { panic!("{error}") };
    assert_eq!((error.method(), error.offset()), ("help.misread", 0));
    assert!(error.to_string().contains("help.misread"), "{error}");
    client.invoke(&help::GetNearestDc).await.unwrap();
}

#[tokio::test]
async fn encoded_calls_are_carried_as_they_are() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let answer = client.invoke_raw(help::GetNearestDc.to_bytes()).await.unwrap();
    assert_eq!(types::NearestDc::from_bytes(&answer).unwrap().this_dc, server.dc_id());

    let short = client.invoke_raw(Bytes::from_static(b"abc")).await;
    assert!(matches!(short, Err(Error::Invalid(_))));
    let odd = client.invoke_raw(Bytes::from_static(b"abcde")).await;
    assert!(matches!(odd, Err(Error::TooLarge(_))), "{odd:?}");
    let unknown = client.invoke_raw(Bytes::from_static(&[1, 2, 3, 4])).await.unwrap_err();
    assert_eq!(unknown.rpc().unwrap().method, "#04030201");
    assert_eq!(unknown.code(), Some(400));
    let nobody = users::GetUsers { id: vec![] }.to_bytes();
    assert!(client.invoke_raw(nobody).await.unwrap_err().is(errors::AUTH_KEY_UNREGISTERED));
}

#[tokio::test]
async fn futures_cross_threads() {
    fn crosses<T: Send>(future: T) -> T {
        future
    }
    let server = telegram(1).await;
    let client = crosses(client_of(&server).connect()).await.unwrap();
    crosses(client.invoke(&help::GetConfig)).await.unwrap();
    drop(Box::pin(crosses(client.sign_in_phone("1"))));
    crosses(client.close()).await.unwrap();
}

/// The first bytes that a client without a session sends: the nonce of its key exchange.
async fn greeting() -> Vec<u8> {
    let (near, mut far) = tokio::io::duplex(1024);
    let near = std::sync::Mutex::new(Some(near));
    let key = chappe_crypto::rsa::PrivateKey::generate(
        &mut <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed([1; 32]),
    );
    let builder = Client::builder(API_ID, API_HASH).server("nowhere:1", &key.public().to_pem());
    let connecting = tokio::spawn(builder.unwrap().connect_with(move || {
        let near = near.lock().unwrap().take();
        async move { near.ok_or_else(|| io::ErrorKind::ConnectionRefused.into()) }
    }));
    let mut bytes = vec![0; 48];
    far.read_exact(&mut bytes).await.unwrap();
    connecting.abort();
    bytes
}

#[tokio::test]
async fn every_client_draws_random_numbers_of_its_own() {
    let (one, other) = (greeting().await, greeting().await);
    // The intermediate framing, the plain header, `req_pq_multi`: then the nonce.
    assert_eq!(one[28..32], 0xbe7e_8ef1_u32.to_le_bytes());
    assert_eq!(one[..8], other[..8]);
    assert_ne!(one[32..48], other[32..48]);
}
