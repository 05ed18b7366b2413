//! What a sign-out leaves for the next sign-in.

use std::sync::Arc;

use bytes::Bytes;
use chappe::{
    Builder, Encode,
    api::{enums, types},
    session::{Memory, Store},
};

use crate::script::{Stage, stage_for};
use crate::telegram::done;

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
