//! What a sign-out leaves for the next sign-in.

use std::sync::Arc;

use bytes::Bytes;
use chappe::{
    Builder, Encode, SignIn,
    api::{enums, types},
    session::{File, Memory, Store},
};

use super::{NOBODYS, letter, password, sign_up, with_code};
use crate::script::{Stage, stage_for};
use crate::telegram::{client_of, code, done, telegram};

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

/// Against the local Telegram, as a user does it: out and in again, in two processes.
#[tokio::test]
async fn whoever_signed_out_here_comes_back_without_a_code() {
    let server = telegram(1).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    let client = client_of(&server).session(&path).connect().await.unwrap();
    let account = &server.accounts()[0];
    let user = done(with_code(&client, &server).await);
    client.set_password(None, "correct horse", "animal").await.unwrap();
    client.sign_out().await.unwrap();
    client.close().await.unwrap();
    let kept = File::new(&path).load().unwrap().unwrap();
    assert_eq!((kept.is_signed_in(), kept.dc_ids().count()), (false, 0));

    let letters = server.letters().list().await.unwrap().len();
    let client = client_of(&server).session(&path).connect().await.unwrap();
    assert_eq!(client.me().await.unwrap(), None);
    let step = password(client.sign_in_phone(&account.phone).await);
    assert_eq!(done(step.submit("correct horse").await).id, user.id);
    client.remove_password("correct horse").await.unwrap();
    client.sign_out().await.unwrap();
    assert_eq!(done(client.sign_in_phone(&account.phone).await).id, user.id);
    assert_eq!(server.letters().list().await.unwrap().len(), letters, "no code was sent");

    // Somebody else has to show a code, and so has everybody where nothing was kept.
    client.sign_out().await.unwrap();
    let step = code(client.sign_in_phone(NOBODYS).await.unwrap());
    sign_up(step.submit(&letter(&server, NOBODYS).await.code).await).await;
    client.sign_out_and_forget().await.unwrap();
    assert!(!path.exists());
    for phone in [NOBODYS, &account.phone] {
        let step = client.sign_in_phone(phone).await.unwrap();
        assert!(matches!(step, SignIn::Code(_)), "{step:?}");
    }
}

/// A session that was signed out begins where the program says, wherever the account lived.
#[tokio::test]
async fn what_is_left_of_a_session_begins_at_the_given_address() {
    let server = chappe_server::Server::builder().in_memory().seed(1).dcs(3);
    let server = server.start().await.unwrap();
    let store = Arc::new(Memory::new());
    let client = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();
    let phone = "+99966 3 0042";
    let step = code(client.sign_in_phone(phone).await.unwrap());
    let user = sign_up(step.submit("33333").await).await;
    assert_eq!(client.dc_id(), 3);
    // Twice: the second one knows nothing any more of how it began.
    client.sign_out().await.unwrap();
    client.sign_out().await.unwrap();
    client.close().await.unwrap();
    assert_eq!(store.load().unwrap().unwrap().dc_id(), 2);
    let client = client_of(&server).session(store).connect().await.unwrap();
    assert_eq!(client.dc_id(), 2);
    assert_eq!(done(client.sign_in_phone(phone).await).id, user.id);
    assert_eq!(client.dc_id(), 3);
}
