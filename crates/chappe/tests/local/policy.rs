//! How patient calls are: flood waits, failures inside of Telegram, time limits.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chappe::{CallOptions, Encode, Error, account, api::help, errors};
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    script::{Line, SILENCE, nearest, stage, stage_for},
    telegram::{client_of, sign_in, telegram},
    wire::{Weather, Wire},
};

fn yes() -> Line {
    Ok(true.to_bytes())
}

/// Calls a method whose argument tells the calls apart, in a task of its own.
async fn reset(client: &chappe::Client, hash: i64) -> JoinHandle<Result<bool, Error>> {
    let client = client.clone();
    let call = async move { client.invoke(&account::ResetWebAuthorization { hash }).await };
    let call = tokio::spawn(call);
    tokio::task::yield_now().await;
    call
}

fn hash(body: &Bytes) -> i64 {
    i64::from_le_bytes(*body.last_chunk().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_method_is_not_called_before_its_flood_wait_is_over_and_then_in_order() {
    let script = vec![Err((420, "FLOOD_WAIT_20")), nearest(), yes(), yes(), yes(), yes()];
    let stage = stage(script, Bytes::new()).await;
    let begin = Instant::now();
    let mut calls = vec![reset(&stage.client, 1).await];
    while stage.count() < 1 || begin.elapsed() < Duration::from_secs(1) {
        tokio::time::advance(Duration::from_millis(500)).await;
        tokio::task::yield_now().await;
    }
    for hash in 2..=5 {
        calls.push(reset(&stage.client, hash).await);
    }
    // Another method does not wait, and who gives up is not waited for.
    stage.client.invoke(&help::GetNearestDc).await.unwrap();
    calls.remove(2).abort();
    assert_eq!(stage.count(), 2);
    assert!(begin.elapsed() < Duration::from_secs(3));
    for call in calls {
        assert!(call.await.unwrap().unwrap());
        assert!(begin.elapsed() >= Duration::from_secs(20), "{:?}", begin.elapsed());
    }
    let heard: Vec<_> = stage.heard.lock().unwrap()[2..].iter().map(hash).collect();
    assert_eq!(heard, [1, 2, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_long_flood_wait_is_told_without_calling() {
    let script = vec![Err((420, "FLOOD_WAIT_300")), nearest(), yes()];
    let stage = stage(script, Bytes::new()).await;
    let call = account::ResetWebAuthorization { hash: 1 };
    let error = stage.client.invoke(&call).await.unwrap_err();
    assert!(error.rpc().unwrap().sent && error.is(errors::FLOOD_WAIT_X), "{error}");
    tokio::time::advance(Duration::from_secs(100)).await;
    let error = stage.client.invoke(&call).await.unwrap_err();
    assert!(!error.rpc().unwrap().sent && error.is(errors::FLOOD_WAIT_X), "{error}");
    let rest = error.retry_after().unwrap();
    assert!((199..=200).contains(&rest.as_secs()), "{rest:?}");
    assert!(error.to_string().contains("was not sent"), "{error}");
    stage.client.invoke(&help::GetNearestDc).await.unwrap();
    assert_eq!(stage.count(), 2);
    // A patient call sleeps through what is left.
    let begin = Instant::now();
    let patient = CallOptions::new()
        .flood_threshold(Duration::from_secs(250))
        .timeout(Duration::from_secs(260));
    assert!(stage.client.with(patient).invoke(&call).await.unwrap());
    assert!((190..=200).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_flood_wait_beyond_the_time_of_the_call_is_not_begun() {
    let stage = stage(vec![Err((420, "FLOOD_WAIT_20"))], Bytes::new()).await;
    let call = account::ResetWebAuthorization { hash: 1 };
    let begin = Instant::now();
    let hasty = stage.client.with(CallOptions::new().timeout(Duration::from_secs(5)));
    for sent in [true, false] {
        let error = hasty.invoke(&call).await.unwrap_err();
        assert!(error.is(errors::FLOOD_WAIT_X), "{error}");
        assert_eq!(error.rpc().unwrap().sent, sent);
    }
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn the_slow_mode_of_a_chat_is_not_held_against_other_chats() {
    let script = vec![Err((420, "SLOWMODE_WAIT_50")), yes()];
    let stage = stage(script, Bytes::new()).await;
    let error = stage.client.invoke(&account::ResetWebAuthorization { hash: 1 }).await.unwrap_err();
    assert!(error.is(errors::SLOWMODE_WAIT_X), "{error}");
    assert!(stage.client.invoke(&account::ResetWebAuthorization { hash: 2 }).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn repetitions_are_bounded_in_number_and_in_time() {
    let fail = || Err((500, "RPC_CALL_FAIL"));
    let stage = stage(vec![fail(), fail(), fail(), fail(), fail(), fail()], Bytes::new()).await;
    let once = CallOptions::new().attempts(1);
    assert!(stage.client.with(once).invoke(&help::GetNearestDc).await.is_err());
    assert_eq!(stage.count(), 1);
    // What must not run twice is not tried again, for it may have run.
    let careful = CallOptions::new().no_resend();
    assert!(stage.client.with(careful).invoke(&help::GetNearestDc).await.is_err());
    assert_eq!(stage.count(), 2);
    // Half a second to one, one to two, two to four: the third pause would take too long.
    let limit = Duration::from_millis(3400);
    let begin = Instant::now();
    let hasty = CallOptions::new().attempts(100).timeout(limit);
    let error = stage.client.with(hasty).invoke(&help::GetNearestDc).await.unwrap_err();
    assert_eq!(error.code(), Some(500), "{error}");
    assert!(begin.elapsed() <= limit, "{:?}", begin.elapsed());
    assert_eq!(stage.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_must_not_run_twice_is_lost_with_its_connection() {
    let wire = Wire::new(telegram(1).await);
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&client, wire.server()).await;
    let hash = client.web_sessions().await.unwrap()[0].hash();
    wire.weather(Weather::Deaf);
    let calling = tokio::spawn({
        let client = client.clone();
        async move {
            let once = CallOptions::new().no_resend();
            client.with(once).invoke(&account::ResetWebAuthorization { hash }).await
        }
    });
    wire.lost().await;
    wire.cut();
    let error = calling.await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::Lost(method) if method == "account.resetWebAuthorization"));
    assert!(client.web_sessions().await.unwrap().iter().all(|site| site.hash() != hash));
}

#[tokio::test(start_paused = true)]
async fn each_call_may_have_a_time_limit_of_its_own() {
    let stage = stage(vec![SILENCE, SILENCE], Bytes::new()).await;
    for seconds in [3, 90] {
        let begin = Instant::now();
        let limit = CallOptions::new().timeout(Duration::from_secs(seconds));
        let error = stage.client.with(limit).invoke(&help::GetNearestDc).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut(_)), "{error}");
        assert_eq!(begin.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_of_one_chain_run_behind_each_other_and_others_do_not() {
    let stage = stage(vec![nearest(), SILENCE, SILENCE, SILENCE, SILENCE], Bytes::new()).await;
    stage.client.invoke(&help::GetNearestDc).await.unwrap();
    for (made, chain) in [Some(1), Some(2), Some(1), None].into_iter().enumerate() {
        let client = stage.client.clone();
        tokio::spawn(async move {
            let options = chain.into_iter().fold(CallOptions::new(), CallOptions::chain);
            client.with(options).invoke(&help::GetNearestDc).await
        });
        while stage.count() < made + 2 {
            tokio::task::yield_now().await;
        }
    }
    let heard = stage.heard.lock().unwrap();
    let call = help::GetNearestDc.to_bytes();
    let chained: Vec<_> = heard[1..]
        .iter()
        .map(|body| {
            assert!(body.ends_with(&call));
            body.starts_with(&0xcb9f_372d_u32.to_le_bytes())
        })
        .collect();
    assert_eq!(chained, [false, false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_calls_to_a_server_that_does_not_answer_all_end() {
    let script = vec![SILENCE; 2000];
    let stage =
        stage_for(script, Bytes::new(), |builder| builder.request_timeout(Duration::from_secs(30)))
            .await;
    let call = Arc::new(account::ResetWebAuthorization { hash: 1 });
    let calls: Vec<_> = (0..100_000)
        .map(|_| {
            let (client, call) = (stage.client.clone(), Arc::clone(&call));
            tokio::spawn(async move { client.invoke(&*call).await.unwrap_err() })
        })
        .collect();
    for call in calls {
        let error = call.await.unwrap();
        assert!(matches!(error, Error::TimedOut(_)), "{error}");
    }
    // So many are under way at most; the others waited in their callers.
    assert!(stage.count() <= 576, "{}", stage.count());
}
