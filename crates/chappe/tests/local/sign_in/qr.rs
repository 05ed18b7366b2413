//! By a code that another device scans, from both sides.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use chappe::{
    Client, Encode, Error, SignIn,
    account::GetAuthorizations,
    api::{auth, enums, types},
    errors,
    session::{Memory, Store},
};
use chappe_server::Server;
use tokio::time::Instant;

use super::{START, client, given_up_after, owner, password, qr, timeless};
use crate::script::{Line, stage};
use crate::telegram::{client_of, code, done, sign_in, telegram};
use crate::wire::Weather;

#[tokio::test]
async fn a_device_lets_another_one_in() {
    let server = telegram(1).await;
    let old = client_of(&server).connect().await.unwrap();
    let user = sign_in(&old, &server).await;
    let store = Arc::new(Memory::new());
    let new = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();

    let step = qr(new.sign_in_qr(&[]).await);
    assert!(step.url().starts_with("tg://login?token="), "{}", step.url());
    assert!(step.time_left() > Duration::from_secs(20), "{:?}", step.time_left());
    assert!(step.expires() > SystemTime::now());
    // Scanned before anybody waits.
    let device = old.accept_login_token(&step.url()).await.unwrap();
    assert!(!device.current && !device.password_pending);
    assert_eq!(owner(&new).await, None);
    assert_eq!(done(step.wait().await).id, user.id);
    assert_eq!(store.load().unwrap().unwrap().user_id(), Some(user.id));
    assert_eq!(owner(&new).await, Some(user.id));
    let devices = new.invoke(&GetAuthorizations).await.unwrap().authorizations;
    assert_eq!(devices.len(), 2);
    // Whoever waits a second time hears the same.
    assert_eq!(done(step.wait().await).id, user.id);
}

#[tokio::test(start_paused = true)]
async fn a_code_is_replaced_before_it_expires() {
    let wire = timeless().await;
    let (old, new) = (client(&wire).await, client(&wire).await);
    sign_in(&old, wire.server()).await;
    let begin = Instant::now();
    let mut step = qr(new.sign_in_qr(&[]).await);
    for round in 1..=3 {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(START) + begin.elapsed();
        let left = step.expires().duration_since(now).unwrap();
        assert!(left > Duration::from_secs(25), "{left:?}");
        assert!(step.time_left().abs_diff(left) <= Duration::from_secs(2));
        let next = qr(step.wait().await);
        assert!(step.time_left() > Duration::from_secs(1), "{:?}", step.time_left());
        assert!(begin.elapsed() < Duration::from_secs(28 * round), "{:?}", begin.elapsed());
        assert_ne!(next.url(), step.url());
        step = next;
    }
    // Whoever scans while somebody waits is heard at once.
    let url = step.url();
    let begin = Instant::now();
    let waiting = tokio::spawn(async move { step.wait().await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    old.accept_login_token(&url).await.unwrap();
    done(waiting.await.unwrap());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_code_that_is_too_old_or_was_used_is_refused_by_name() {
    let wire = timeless().await;
    let (old, new) = (client(&wire).await, client(&wire).await);
    sign_in(&old, wire.server()).await;
    let step = qr(new.sign_in_qr(&[]).await);
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(step.time_left(), Duration::ZERO);
    let error = old.accept_login_token(&step.url()).await.unwrap_err();
    assert!(error.is(errors::AUTH_TOKEN_EXPIRED), "{error}");
    assert!(error.explain().unwrap().contains("shown now"), "{error}");

    // Nobody waited for the first one, and the next comes all the same.
    let step = qr(step.wait().await);
    old.accept_login_token(&step.url()).await.unwrap();
    let error = old.accept_login_token(&step.url()).await.unwrap_err();
    assert!(error.is(errors::AUTH_TOKEN_ALREADY_ACCEPTED), "{error}");
    done(step.wait().await);
}

#[tokio::test]
async fn what_is_no_login_link_is_not_sent() {
    let stage = stage(vec![], Bytes::new()).await;
    for link in ["", "hello", "https://t.me/durov", "tg://resolve?domain=durov", "tg://login"] {
        let error = stage.client.accept_login_token(link).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
        assert!(error.to_string().contains("tg://login?token="), "{error}");
    }
    assert_eq!(stage.count(), 0);
}

#[tokio::test]
async fn an_account_that_is_there_already_is_not_let_in_twice() {
    let server = telegram(1).await;
    let (old, new) =
        (client_of(&server).connect().await.unwrap(), client_of(&server).connect().await.unwrap());
    let user = sign_in(&old, &server).await;
    let step = qr(new.sign_in_qr(&[user.id]).await);
    let error = old.accept_login_token(&step.url()).await.unwrap_err();
    assert!(error.is(errors::AUTH_TOKEN_EXCEPTION), "{error}");
    assert!(error.explain().unwrap().contains("already"), "{error}");
}

#[tokio::test]
async fn a_password_comes_after_the_scan() {
    let server = telegram(1).await;
    let (old, new) =
        (client_of(&server).connect().await.unwrap(), client_of(&server).connect().await.unwrap());
    let user = sign_in(&old, &server).await;
    old.set_password(None, "correct horse", "animal").await.unwrap();
    let step = qr(new.sign_in_qr(&[]).await);
    assert!(old.accept_login_token(&step.url()).await.unwrap().password_pending);
    let step = password(step.wait().await);
    assert_eq!(step.hint(), Some("animal"));
    let step = password(step.submit("wrong horse").await);
    assert_eq!(done(step.submit("correct horse").await).id, user.id);
}

#[tokio::test]
async fn two_devices_are_let_in_at_once() {
    let server = telegram(1).await;
    let old = client_of(&server).connect().await.unwrap();
    let user = sign_in(&old, &server).await;
    let mut new = Vec::new();
    for _ in 0..2 {
        let client = client_of(&server).connect().await.unwrap();
        let step = qr(client.sign_in_qr(&[]).await);
        new.push((client, step));
    }
    let urls: Vec<_> = new.iter().map(|(_, step)| step.url()).collect();
    assert_ne!(urls[0], urls[1]);
    let waiting: Vec<_> =
        new.into_iter().map(|(_, step)| tokio::spawn(async move { step.wait().await })).collect();
    let (first, second) =
        tokio::join!(old.accept_login_token(&urls[1]), old.accept_login_token(&urls[0]));
    assert_ne!(first.unwrap().hash, second.unwrap().hash);
    for waiting in waiting {
        assert_eq!(done(waiting.await.unwrap()).id, user.id);
    }
    let devices = old.invoke(&GetAuthorizations).await.unwrap().authorizations;
    assert_eq!(devices.len(), 3);
}

/// Signs a new account up, whose home is data centre 3.
async fn account_at_3(server: &chappe_server::Handle) -> (Client, types::User) {
    let client = client_of(server).connect().await.unwrap();
    let step = code(client.sign_in_phone("+99966 3 0042").await.unwrap());
    let SignIn::SignUp(step) = step.submit("33333").await.unwrap() else { panic!("an account") };
    let user = done(step.submit("Ada", "Lovelace").await);
    (client, user)
}

#[tokio::test]
async fn an_account_of_another_data_centre_is_signed_in_there() {
    let server = Server::builder().in_memory().seed(1).dcs(3).start().await.unwrap();
    let (old, user) = account_at_3(&server).await;
    let store = Arc::new(Memory::new());
    let new = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();
    let step = qr(new.sign_in_qr(&[]).await);
    assert_eq!(new.dc_id(), 2);
    old.accept_login_token(&step.url()).await.unwrap();
    assert_eq!(done(step.wait().await).id, user.id);
    assert_eq!((new.dc_id(), store.load().unwrap().unwrap().dc_id()), (3, 3));
    new.close().await.unwrap();

    // The next process finds it there.
    let next = client_of(&server).session(store).connect().await.unwrap();
    assert_eq!((next.dc_id(), owner(&next).await), (3, Some(user.id)));

    // With a password, the rest of the sign-in is done there, too.
    old.set_password(None, "correct horse", "animal").await.unwrap();
    let new = client_of(&server).connect().await.unwrap();
    let step = qr(new.sign_in_qr(&[]).await);
    old.accept_login_token(&step.url()).await.unwrap();
    let step = password(step.wait().await);
    assert_eq!((new.dc_id(), step.hint()), (3, Some("animal")));
    let step = password(step.submit("wrong horse").await);
    assert_eq!(done(step.submit("correct horse").await).id, user.id);
    assert_eq!(owner(&new).await, Some(user.id));
}

/// Wherever the future is dropped, the next one knows what was heard.
#[tokio::test]
async fn a_wait_that_is_given_up_anywhere_loses_nothing() {
    let server = Server::builder().in_memory().seed(1).dcs(3).start().await.unwrap();
    let (old, user) = account_at_3(&server).await;
    for polls in 0.. {
        let new = client_of(&server).connect().await.unwrap();
        let step = qr(new.sign_in_qr(&[]).await);
        old.accept_login_token(&step.url()).await.unwrap();
        let finished = given_up_after(polls, step.wait()).await;
        let was_given_up = finished.is_none();
        let next = match finished {
            Some(next) => next,
            None => step.wait().await,
        };
        assert_eq!(done(next).id, user.id, "after {polls} polls");
        assert_eq!((new.dc_id(), owner(&new).await), (3, Some(user.id)));
        new.close().await.unwrap();
        if !was_given_up {
            assert!(polls > 3, "it took {polls} polls");
            return;
        }
    }
}

/// What the server says while there is no connection is asked for with the next code.
#[tokio::test(start_paused = true)]
async fn a_scan_that_nobody_heard_of_is_noticed_with_the_next_code() {
    let wire = timeless().await;
    let (old, new) = (client(&wire).await, client(&wire).await);
    let user = sign_in(&old, wire.server()).await;
    let step = qr(new.sign_in_qr(&[]).await);
    wire.weather(Weather::Deaf);
    let url = step.url();
    tokio::select! {
        _ = old.accept_login_token(&url) => {}
        () = wire.lost() => {}
    }
    wire.weather(Weather::Fair);
    assert_eq!(done(step.wait().await).id, user.id);
}

fn shown(token: &'static [u8], expires: i32) -> Line {
    let token = types::auth::LoginToken { expires, token: Bytes::from_static(token) };
    Ok(enums::auth::LoginToken::from(token).to_bytes())
}

/// A server without a sense of time is not asked without a pause.
#[tokio::test(start_paused = true)]
async fn codes_that_are_over_at_once_are_not_asked_for_without_a_pause() {
    let script = (0..4).map(|_| shown(&[7; 32], 1)).collect();
    let stage = stage(script, Bytes::new()).await;
    let begin = Instant::now();
    let mut step = qr(stage.client.sign_in_qr(&[]).await);
    for _ in 0..3 {
        step = qr(step.wait().await);
    }
    assert!(begin.elapsed() >= Duration::from_secs(15), "{:?}", begin.elapsed());
    assert_eq!((step.time_left(), stage.count()), (Duration::ZERO, 4));
}

/// An error is told, and does not end it.
#[tokio::test(start_paused = true)]
async fn a_code_that_was_not_given_out_can_be_asked_for_again() {
    let script = vec![
        shown(&[7; 32], i32::MAX),
        Err((420, "FLOOD_WAIT_600")),
        Err((400, "API_ID_INVALID")),
        shown(&[8; 32], i32::MAX),
    ];
    let push = enums::Updates::from(types::UpdateShort {
        update: enums::Update::LoginToken,
        date: 1_800_000_000,
    });
    let stage = stage(script, push.to_bytes()).await;
    let step = qr(stage.client.sign_in_qr(&[1, 2]).await);
    let request = auth::ExportLoginToken {
        api_id: crate::telegram::API_ID,
        api_hash: crate::telegram::API_HASH.into(),
        except_ids: vec![1, 2],
    };
    assert!(stage.heard.lock().unwrap()[0].ends_with(&request.to_bytes()));
    let error = step.wait().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(600)));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(step.wait().await.unwrap_err().is(errors::API_ID_INVALID));
    assert_ne!(qr(step.wait().await).url(), step.url());
}
