//! Signing in and out, step by step.

use std::sync::Arc;

use bytes::Bytes;
use chappe::{
    Builder, Encode, Error, Rejected, SignIn, account,
    api::{auth, enums, types},
    errors,
    session::{Memory, Store},
};
use chappe_crypto::dh::KNOWN_PRIME;

use crate::script::{Line, Stage, stage, stage_for};
use crate::telegram::{client_of, code, done, sign_in, telegram};

#[tokio::test]
async fn a_user_signs_in_by_code_and_out() {
    let server = telegram(1).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    let client = client_of(&server).session(&path).connect().await.unwrap();
    assert_eq!(client.me().await.unwrap(), None);

    let account = &server.accounts()[0];
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    assert_eq!(step.rejected(), None);
    assert_eq!(step.length(), Some(account.code.len()));
    let step = code(step.submit("00000").await.unwrap());
    assert_eq!(step.rejected(), Some(Rejected::Wrong));
    let step = code(step.submit(" ").await.unwrap());
    assert_eq!(step.rejected(), Some(Rejected::Wrong));
    let user = done(step.submit(&format!(" {}\n", account.code)).await);
    assert_eq!(user.id, account.user_id);
    assert_eq!(client.me().await.unwrap().unwrap().id, account.user_id);

    let session = chappe::session::File::new(&path);
    let kept = Store::load(&session).unwrap().unwrap();
    assert_eq!((kept.user_id(), kept.is_bot()), (Some(account.user_id), false));
    assert_eq!(kept.address(), server.address().to_string());

    // What is left lets the user come back without a code.
    client.sign_out().await.unwrap();
    assert!(!Store::load(&session).unwrap().unwrap().is_signed_in());
    assert_eq!(client.me().await.unwrap(), None);
    client.sign_out_and_forget().await.unwrap();
    assert!(!path.exists());
    assert_eq!(sign_in(&client, &server).await.id, account.user_id);
    assert!(path.exists());
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_code_that_was_tried_too_often_is_replaced() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let account = &server.accounts()[0];
    let mut step = code(client.sign_in_phone(&account.phone).await.unwrap());
    let mut tries = 0;
    while step.rejected() != Some(Rejected::Expired) {
        tries += 1;
        assert!(tries < 20, "wrong codes are accepted without end");
        step = code(step.submit("00000").await.unwrap());
    }
    let step = code(step.submit(&account.code).await.unwrap());
    assert_eq!(step.rejected(), Some(Rejected::Expired));
    let step = code(step.resend().await.unwrap());
    assert_eq!(step.rejected(), None);
    assert_eq!(done(step.submit(&account.code).await).id, account.user_id);
}

#[tokio::test]
async fn a_number_without_an_account_signs_up() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let step = code(client.sign_in_phone("+99966 2 0042").await.unwrap());
    let step = match step.submit("22222").await.unwrap() {
        SignIn::SignUp(step) => step,
        other => panic!("{other:?}"),
    };
    let step = match step.submit("", "").await.unwrap() {
        SignIn::SignUp(step) => step,
        other => panic!("{other:?}"),
    };
    assert_eq!(step.rejected(), Some(Rejected::FirstName));
    let user = done(step.submit("Ada", "Lovelace").await);
    assert_eq!(user.first_name.as_deref(), Some("Ada"));
    assert_eq!(client.me().await.unwrap().unwrap().id, user.id);
}

#[tokio::test]
async fn a_password_is_asked_for_and_checked() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "animal").await.unwrap();

    let client = client_of(&server).connect().await.unwrap();
    let account = &server.accounts()[0];
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    let step = match step.submit(&account.code).await.unwrap() {
        SignIn::Password(step) => step,
        other => panic!("{other:?}"),
    };
    assert_eq!((step.hint(), step.rejected()), (Some("animal"), None));
    assert_eq!(client.me().await.unwrap(), None);
    let step = match step.submit("wrong horse").await.unwrap() {
        SignIn::Password(step) => step,
        other => panic!("{other:?}"),
    };
    assert_eq!((step.hint(), step.rejected()), (Some("animal"), Some(Rejected::Wrong)));
    assert_eq!(done(step.submit("correct horse").await).id, account.user_id);
    assert_eq!(client.me().await.unwrap().unwrap().id, account.user_id);
}

/// `account.password` with this prime, generator and public value.
fn challenge(p: &[u8], g: i32, b: &[u8]) -> Line {
    let algorithm = types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
        salt1: Bytes::from_static(&[1; 8]),
        salt2: Bytes::from_static(&[2; 8]),
        g,
        p: p.to_vec().into(),
    };
    let new = enums::SecurePasswordKdfAlgo::Unknown;
    let mut password = types::account::Password::new(algorithm.clone(), new, vec![3; 256]);
    password.has_password = true;
    password.current_algo = Some(algorithm.into());
    password.srp_b = Some(b.to_vec().into());
    password.srp_id = Some(7);
    Ok(password.to_bytes())
}

/// Item 23 of the checklist: whoever can choose the group or the value learns the password.
#[tokio::test]
async fn an_unsafe_password_challenge_is_not_answered() {
    let good = [0x5a; 256];
    let mut composite = KNOWN_PRIME;
    composite[255] ^= 2;
    let zero = [0; 256];
    for (p, g, b) in [
        (&composite[..], 3, &good[..]),
        (&KNOWN_PRIME[1..], 3, &good[..]),
        (&KNOWN_PRIME[..], 2, &good[..]),
        (&KNOWN_PRIME[..], 3, &zero[..]),
        (&KNOWN_PRIME[..], 3, &KNOWN_PRIME[..]),
        (&KNOWN_PRIME[..], 3, &[1; 257][..]),
    ] {
        let app = types::auth::SentCodeTypeApp { length: 5 };
        let sent = types::auth::SentCode::new(app, "hash").to_bytes();
        let asks = challenge(p, g, b);
        let script = vec![Ok(sent), Err((401, "SESSION_PASSWORD_NEEDED")), asks.clone(), asks];
        let stage = stage(script, Bytes::new()).await;
        let step = code(stage.client.sign_in_phone("+1 555 0100").await.unwrap());
        let SignIn::Password(step) = step.submit("12345").await.unwrap() else {
            panic!("no password is asked for");
        };
        let error = step.submit("correct horse").await.unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
        assert_eq!(stage.count(), 4, "nothing was proved to anybody");
    }
}

#[tokio::test]
async fn a_bot_signs_in_by_token() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let bot = &server.bots()[0];
    let error = client.sign_in_bot("1:nonsense").await.unwrap_err();
    assert!(error.is(errors::ACCESS_TOKEN_INVALID), "{error}");
    let user = client.sign_in_bot(&bot.token).await.unwrap();
    assert_eq!((user.id, user.bot), (bot.user_id, true));
    assert_eq!(client.me().await.unwrap().unwrap().id, bot.user_id);
}

#[tokio::test]
async fn what_is_no_phone_number_is_refused() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let error = client.sign_in_phone("hello").await.unwrap_err();
    assert!(error.is(errors::PHONE_NUMBER_INVALID), "{error}");
    assert!(error.explain().unwrap().contains("country code"));
}

/// The order of calls is Telegram's to check, and its refusal arrives typed.
#[tokio::test]
async fn nobody_is_signed_in_before_the_sign_in() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let error = client.invoke(&account::GetWebAuthorizations).await.unwrap_err();
    assert!(error.is(errors::AUTH_KEY_UNREGISTERED), "{error}");
    assert_eq!(error.code(), Some(401));
    let request = auth::SignIn {
        phone_number: "9996620001".into(),
        phone_code_hash: "none".into(),
        phone_code: Some("22222".into()),
        email_verification: None,
    };
    assert!(matches!(client.invoke(&request).await, Err(Error::Rpc(_))));
}

/// What Telegram gave at sign-outs is shown to it at the next sign-in, also by another process.
#[tokio::test]
async fn what_a_sign_out_leaves_signs_in_without_a_code() {
    let welcome = |token: &'static [u8]| {
        let mut authorization = types::auth::Authorization::new(types::User::new(7));
        authorization.future_auth_token = Some(Bytes::from_static(token));
        authorization
    };
    let signed_in = Ok(enums::auth::Authorization::from(welcome(b"first token")).to_bytes());
    let mut out = types::auth::LoggedOut::new();
    out.future_auth_token = Some(Bytes::from_static(b"second token"));
    let store = Arc::new(Memory::new());
    let with_store = |builder: Builder| builder.session(Arc::clone(&store));
    let kept = || store.load().unwrap();

    let Stage { client, .. } =
        stage_for(vec![signed_in, Ok(out.to_bytes())], Bytes::new(), with_store).await;
    client.sign_in_bot("7:token").await.unwrap();
    assert!(kept().unwrap().is_signed_in());
    client.sign_out().await.unwrap();
    assert_eq!((kept().unwrap().is_signed_in(), kept().unwrap().dc_ids().count()), (false, 0));
    client.close().await.unwrap();
    assert_eq!(kept().unwrap().dc_ids().count(), 0);

    let success = types::auth::SentCodeSuccess { authorization: welcome(b"third token").into() };
    let script = vec![
        Ok(enums::auth::SentCode::from(success).to_bytes()),
        Ok(types::auth::LoggedOut::new().to_bytes()),
    ];
    let Stage { client, heard, .. } = stage_for(script, Bytes::new(), with_store).await;
    assert_eq!(done(client.sign_in_phone("+1 555 0100").await).id, 7);
    let request = heard.lock().unwrap()[0].clone();
    let place = |token: &[u8]| request.windows(token.len()).position(|window| window == token);
    assert!(place(b"second token").unwrap() < place(b"first token").unwrap());
    assert!(kept().unwrap().is_signed_in());
    client.sign_out_and_forget().await.unwrap();
    assert!(kept().is_none());
    client.close().await.unwrap();
    assert!(kept().is_none());
}
