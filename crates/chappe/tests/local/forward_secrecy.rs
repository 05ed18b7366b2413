//! Temporary keys, against the local Telegram: the calls of a day under keys of minutes.

use std::time::Duration;

use chappe::{Error, account, errors, session::Memory};
use chappe_server::faults::{Action, Scope};

use crate::{
    telegram::{client_of, sign_in, telegram},
    wire::Wire,
};

const LIFETIME: Duration = Duration::from_secs(300);

#[tokio::test(start_paused = true)]
async fn calls_go_on_while_keys_are_replaced() {
    let wire = Wire::new(telegram(31).await);
    let builder = client_of(wire.server()).forward_secrecy(LIFETIME);
    let client = wire.connect(builder).await.unwrap();
    sign_in(&client, wire.server()).await;
    for _ in 0..90 {
        tokio::time::advance(Duration::from_secs(20)).await;
        client.invoke(&account::UpdateStatus { offline: false }).await.unwrap();
    }
    let calls = wire.server().faults().calls().await.unwrap().methods;
    assert_eq!(calls["account.updateStatus"].executed, 90);
    let bound = calls["auth.bindTempAuthKey"].executed;
    assert!((7..=10).contains(&bound), "{bound} keys in half an hour of five minutes each");
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_session_that_is_kept_is_that_of_the_permanent_key() {
    let wire = Wire::new(telegram(32).await);
    let store = std::sync::Arc::new(Memory::new());
    let builder = || client_of(wire.server()).session(std::sync::Arc::clone(&store));
    let client = wire.connect(builder().forward_secrecy(LIFETIME)).await.unwrap();
    sign_in(&client, wire.server()).await;
    client.close().await.unwrap();
    // Without forward secrecy the same session works; so does another run with it.
    let plain = wire.connect(builder()).await.unwrap();
    assert!(plain.me().await.unwrap().is_some());
    plain.close().await.unwrap();
    let again = wire.connect(builder().forward_secrecy(LIFETIME)).await.unwrap();
    assert!(again.me().await.unwrap().is_some());
    let devices = again.invoke(&account::GetAuthorizations).await.unwrap().authorizations;
    assert_eq!(devices.len(), 1, "temporary keys are no devices");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_lost_is_made_anew() {
    let wire = Wire::new(telegram(33).await);
    let builder = client_of(wire.server()).forward_secrecy(LIFETIME);
    let client = wire.connect(builder).await.unwrap();
    sign_in(&client, wire.server()).await;
    let status = account::UpdateStatus { offline: false };
    wire.server().faults().act(Action::Unbind, Scope::everything()).await.unwrap();
    // The server says that it did not run this one, so that it runs under the next key.
    client.invoke(&status).await.unwrap();
    wire.server().faults().act(Action::ExpireKeys, Scope::everything()).await.unwrap();
    // Nobody can tell what became of this one if it left before the client heard of the end.
    match client.invoke(&status).await {
        Ok(_) | Err(Error::Lost(_)) => {}
        Err(other) => panic!("{other}"),
    }
    client.invoke(&status).await.unwrap();
    let calls = wire.server().faults().calls().await.unwrap().methods;
    assert_eq!(calls["auth.bindTempAuthKey"].executed, 3);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_revoked_is_told_so_under_a_temporary_key_too() {
    let wire = Wire::new(telegram(34).await);
    let builder = client_of(wire.server()).forward_secrecy(LIFETIME);
    let client = wire.connect(builder).await.unwrap();
    sign_in(&client, wire.server()).await;
    wire.server().faults().act(Action::Revoke, Scope::everything()).await.unwrap();
    let error = client.invoke(&account::GetWebAuthorizations).await.unwrap_err();
    assert!(error.is(errors::SESSION_REVOKED), "{error}");
    assert_eq!(client.ended().await, chappe::Ended::Revoked);
}
