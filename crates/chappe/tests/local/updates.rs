//! What the server says unasked.

use std::time::Duration;

use chappe::{
    ConnectionState, Error,
    api::{auth, enums},
    errors,
};
use chappe_server::Server;

use crate::{
    telegram::{client_of, sign_in, telegram},
    wire::Wire,
};

#[tokio::test]
async fn pushes_arrive_in_order_and_end_with_the_client() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    sign_in(&first, &server).await;
    let mut updates = first.updates();
    for _ in 0..3 {
        let other = client_of(&server).connect().await.unwrap();
        sign_in(&other, &server).await;
        other.close().await.unwrap();
    }
    let mut before = None;
    let mut next = async || match updates.next().await.unwrap().unwrap() {
        enums::Updates::UpdateShort(pushed) => pushed.update,
        enums::Updates::Updates(pushed) => pushed.updates[0].clone(),
        other => panic!("{other:?}"),
    };
    for _ in 0..3 {
        // The code, and then that it was used.
        assert!(matches!(next().await, enums::Update::NewMessage(_)));
        let enums::Update::NewAuthorization(new) = next().await else { panic!("no sign-in") };
        assert_ne!(before, Some(new.hash));
        before = Some(new.hash);
    }
    assert_eq!(updates.lost(), 0);
    first.close().await.unwrap();
    assert!(updates.next().await.unwrap().is_none());
    assert!(updates.next().await.unwrap().is_none());
}

/// It also shows that a clock which is a day behind the server's does no harm.
#[tokio::test(start_paused = true)]
async fn a_sign_in_that_another_device_ended_is_over() {
    let server = Server::builder().in_memory().seed(1).start_at(Duration::from_secs(1_800_000_000));
    let wire = Wire::new(server.start().await.unwrap());
    let first = wire.connect(client_of(wire.server())).await.unwrap();
    let second = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&first, wire.server()).await;
    sign_in(&second, wire.server()).await;
    let error = second.invoke(&auth::ResetAuthorizations).await.unwrap_err();
    assert!(error.is(errors::FRESH_RESET_AUTHORISATION_FORBIDDEN), "{error}");
    tokio::time::advance(Duration::from_secs(25 * 60 * 60)).await;
    assert!(second.invoke(&auth::ResetAuthorizations).await.unwrap());
    let mut updates = first.updates();
    match first.me().await {
        Ok(user) => assert_eq!(user, None),
        Err(error) => assert!(matches!(error, Error::KeyUnknown), "{error}"),
    }
    // The client knows that it is over, and tells so once to who only listens.
    let reason = first.ended().await;
    assert!(reason.is_session_lost(), "{reason}");
    assert_eq!(first.state(), ConnectionState::Ended(reason));
    assert_eq!(first.web_sessions().await.unwrap_err().ended(), Some(reason));
    let told = loop {
        match updates.next().await {
            Ok(Some(_)) => {}
            told => break told,
        }
    };
    assert_eq!(told.unwrap_err().ended(), Some(reason));
    assert!(matches!(updates.next().await, Ok(None)));
    assert!(second.me().await.unwrap().is_some());
}
