//! A server that answers by a script: what exactly arrives there, and what its moods do.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use chappe::{Builder, Client, DeviceInfo, Encode, Error, api, api::help, errors};
use chappe_crypto::rsa::PrivateKey;
use chappe_mtproto::{
    server::{LinkId, RpcFailure, Server, ServerConfig, ServerEvent, ServerInput, ServerOutput},
    time::Now,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::Notify,
    time::Instant,
};

use crate::telegram::{API_HASH, API_ID, pauses};

/// What the server answers: the first line to the first request, and so on.
pub(crate) type Line = Result<Bytes, (i32, &'static str)>;

/// The line of a request that is never answered.
pub(crate) const SILENCE: Line = Err((0, ""));

/// The server's life: one socket, and every request kept.
async fn act(
    mut pipe: DuplexStream,
    key: PrivateKey,
    script: Vec<Line>,
    push: Bytes,
    heard: Arc<Mutex<Vec<Bytes>>>,
    dropped: Arc<Notify>,
) {
    let epoch = Instant::now();
    let config = ServerConfig { keys: vec![key], ..ServerConfig::default() };
    let mut server = Server::new(config, [7; 32]);
    let link = LinkId(1);
    let mut script = script.into_iter();
    let mut input = BytesMut::new();
    let mut accepted = false;
    loop {
        if accepted && pipe.read_buf(&mut input).await.unwrap_or(0) == 0 {
            return;
        }
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let now = Now::new(epoch.elapsed(), unix);
        match accepted {
            true => server.handle(now, ServerInput::Received(link, &mut input)),
            false => server.handle(now, ServerInput::Accepted(link)),
        }
        accepted = true;
        loop {
            match server.poll() {
                ServerOutput::Transmit(_, bytes) => {
                    if pipe.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                ServerOutput::Close(_) => return,
                ServerOutput::Event(ServerEvent::Request { session, msg_id, body, .. }) => {
                    // The client asks for addresses by itself; no script is about that.
                    if body.ends_with(&help::GetConfig.to_bytes()) {
                        let refusal = RpcFailure { code: 400, message: "METHOD_INVALID".into() };
                        server.respond(now, session, msg_id, Err(refusal));
                        continue;
                    }
                    heard.lock().unwrap().push(body);
                    if !push.is_empty() {
                        server.push(now, session, push.clone());
                    }
                    let line = script.next().expect("a request that the script does not have");
                    if line == SILENCE {
                        continue;
                    }
                    let line = line
                        .map_err(|(code, message)| RpcFailure { code, message: message.into() });
                    server.respond(now, session, msg_id, line);
                }
                ServerOutput::Event(ServerEvent::RequestDropped { .. }) => dropped.notify_one(),
                ServerOutput::Event(_) => {}
                ServerOutput::Timeout(_) => break,
            }
        }
    }
}

pub(crate) struct Stage {
    pub(crate) client: Client,
    /// Every request, as it came.
    pub(crate) heard: Arc<Mutex<Vec<Bytes>>>,
    /// How often the client dialled.
    pub(crate) dials: Arc<AtomicUsize>,
    dropped: Arc<Notify>,
}

impl Stage {
    /// How many requests were heard.
    pub(crate) fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

pub(crate) async fn stage(script: Vec<Line>, push: Bytes) -> Stage {
    stage_for(script, push, |builder| builder).await
}

/// The same for another kind of client.
pub(crate) async fn stage_for(
    script: Vec<Line>,
    push: Bytes,
    describe: impl FnOnce(Builder) -> Builder,
) -> Stage {
    let key = PrivateKey::generate(&mut ChaCha20Rng::from_seed([1; 32]));
    let (heard, dropped) = (Arc::default(), Arc::default());
    let (near, far) = tokio::io::duplex(64 * 1024);
    let builder = Client::builder(API_ID, API_HASH)
        .seed_pauses(pauses())
        .server("nowhere:1", &key.public().to_pem())
        .unwrap()
        .device(DeviceInfo::new("Model T", "4.2"));
    tokio::spawn(act(far, key, script, push, Arc::clone(&heard), Arc::clone(&dropped)));
    let near = Mutex::new(Some(near));
    let dials = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&dials);
    let client = describe(builder)
        .connect_with(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let near = near.lock().unwrap().take();
            async move { near.ok_or_else(|| std::io::ErrorKind::ConnectionRefused.into()) }
        })
        .await
        .unwrap();
    Stage { client, heard, dials, dropped }
}

/// Layer and device in front of the call, if they are there.
fn introduced(body: &Bytes) -> bool {
    let call = help::GetNearestDc.to_bytes();
    if *body == call {
        return false;
    }
    assert_eq!(body[..4], 0xda9b_0d0d_u32.to_le_bytes(), "invokeWithLayer");
    assert_eq!(body[4..8], api::LAYER.to_le_bytes());
    assert_eq!(body[8..12], 0xc1cd_5ea9_u32.to_le_bytes(), "initConnection");
    assert_eq!(body[16..20], API_ID.to_le_bytes());
    assert_eq!(&body[20..28], b"\x07Model T");
    assert!(body.ends_with(&call));
    true
}

pub(crate) fn nearest() -> Line {
    let nearest = api::types::NearestDc { country: "XX".into(), this_dc: 2, nearest_dc: 2 };
    Ok(nearest.to_bytes())
}

#[tokio::test(start_paused = true)]
async fn layer_and_device_are_announced_until_they_are_heard() {
    let script = vec![
        Err((400, "CONNECTION_API_ID_INVALID")),
        nearest(),
        nearest(),
        Err((400, "CONNECTION_NOT_INITED")),
        nearest(),
        Err((400, "PEER_ID_INVALID")),
    ];
    let Stage { client, heard, .. } = stage(script, Bytes::new()).await;
    let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
    assert!(error.to_string().contains("api id"), "{error}");
    client.invoke(&help::GetNearestDc).await.unwrap();
    client.invoke(&help::GetNearestDc).await.unwrap();
    client.invoke(&help::GetNearestDc).await.unwrap();
    assert!(client.invoke(&help::GetNearestDc).await.is_err());
    let heard: Vec<_> = heard.lock().unwrap().iter().map(introduced).collect();
    assert_eq!(heard, [true, true, false, false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn failures_inside_of_telegram_are_tried_again_and_then_told() {
    let fail = || Err((500, "RPC_CALL_FAIL"));
    let script = vec![fail(), Err((-503, "Timeout")), nearest(), fail(), fail(), fail(), fail()];
    let Stage { client, heard, .. } = stage(script, Bytes::new()).await;
    let begin = Instant::now();
    client.invoke(&help::GetNearestDc).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(1500), "{:?}", begin.elapsed());
    let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
    assert_eq!(error.code(), Some(500));
    assert_eq!(heard.lock().unwrap().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn the_server_hears_that_nobody_waits_any_more() {
    let Stage { client, heard, dropped, .. } =
        stage(vec![SILENCE, SILENCE, nearest()], Bytes::new()).await;
    for given_up in 1..=2 {
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.invoke(&help::GetNearestDc).await }
        });
        while heard.lock().unwrap().len() < given_up {
            tokio::task::yield_now().await;
        }
        match given_up {
            1 => call.abort(),
            // So long does a call wait by itself.
            _ => assert!(matches!(call.await.unwrap(), Err(Error::TimedOut(_)))),
        }
        dropped.notified().await;
    }
    client.invoke(&help::GetNearestDc).await.unwrap();
}

#[tokio::test]
async fn another_data_centre_is_named() {
    let Stage { client, .. } = stage(vec![Err((303, "PHONE_MIGRATE_4"))], Bytes::new()).await;
    let error = client.sign_in_phone("+1 555 0100").await.unwrap_err();
    assert!(error.is(errors::PHONE_MIGRATE_X), "{error}");
    assert_eq!(error.rpc().unwrap().value, Some(4));
    assert!(error.explain().unwrap().contains("data centre 4"));
}

#[tokio::test]
async fn a_push_of_another_layer_is_counted_and_skipped() {
    let unknown = Bytes::from_static(&[0xee; 8]);
    let Stage { client, .. } = stage(vec![nearest(), nearest()], unknown).await;
    let mut updates = client.updates();
    for _ in 0..2 {
        client.invoke(&help::GetNearestDc).await.unwrap();
    }
    client.close().await.unwrap();
    assert!(matches!(updates.next().await, Ok(None)));
    assert_eq!(updates.lost(), 2);
}

#[tokio::test]
async fn a_reader_of_updates_that_does_not_read_holds_up_nobody() {
    let push = api::enums::Updates::TooLong.to_bytes();
    let Stage { client, .. } = stage(vec![nearest(); 600], push).await;
    let mut updates = client.updates();
    for _ in 0..600 {
        client.invoke(&help::GetNearestDc).await.unwrap();
    }
    client.close().await.unwrap();
    let mut read = 0;
    while updates.next().await.unwrap().is_some() {
        read += 1;
    }
    assert_eq!((read, read + updates.lost()), (256, 600));
}

#[tokio::test]
async fn a_server_that_answers_with_nothing_of_use_fails_the_call_only() {
    let secret = Bytes::from_static(b"\x01\x02\x03\x04 secret ");
    let script = vec![Ok(secret.clone()), nearest()];
    let Stage { client, .. } = stage(script, Bytes::new()).await;
    let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("ecret"), "{error:?}");
    let Error::Decode(error) = error else { panic!("{error}") };
    assert_eq!((error.constructor(), error.offset()), (Some(0x0403_0201), 0));
    assert_eq!(error.bytes(), &secret);
    client.invoke(&help::GetNearestDc).await.unwrap();
}
