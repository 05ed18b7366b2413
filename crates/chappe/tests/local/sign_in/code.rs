//! By a phone number and a code; and the rest that is done in one call.

use chappe::{Error, Rejected, SignIn, account, api::auth, errors, session::Store};

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
