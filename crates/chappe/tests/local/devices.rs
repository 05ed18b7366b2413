//! The devices that an account is signed in on: listed, ended, confirmed, ended by disuse.

use std::{sync::Arc, time::Duration};

use chappe::{
    Client, DeviceInfo, Ended, Error, Updates,
    api::{enums, types},
    errors,
    session::Memory,
};
use chappe_server::{
    Handle, Server,
    faults::{Fault, Kind},
};

use crate::{
    telegram::{client_of, code, sign_in},
    wire::Wire,
};

/// A local Telegram on a clock that the test moves.
async fn telegram() -> Wire {
    let server = Server::builder().in_memory().seed(1).start_at(Duration::from_secs(1_800_000_000));
    Wire::new(server.start().await.unwrap())
}

/// A device with somebody signed in.
async fn device(wire: &Wire, model: &str) -> Client {
    let builder = client_of(wire.server()).device(DeviceInfo::new(model, "1.2"));
    let client = wire.connect(builder).await.unwrap();
    sign_in(&client, wire.server()).await;
    client
}

/// The models of the devices and their hashes, as they are listed.
async fn list(client: &Client) -> Vec<(String, i64)> {
    let rows = client.device_sessions().await.unwrap().sessions;
    rows.iter().map(|row| (row.device_model().to_owned(), row.hash())).collect()
}

async fn hash_of(client: &Client, model: &str) -> i64 {
    list(client).await.into_iter().find(|row| row.0 == model).unwrap().1
}

async fn days(days: u64) {
    tokio::time::advance(Duration::from_secs(days * 24 * 3600)).await;
}

/// The server's word that it is over with this device.
async fn over(client: &Client) -> Ended {
    match client.me().await {
        Ok(user) => assert_eq!(user, None),
        Err(error) => assert!(error.ended().is_some(), "{error}"),
    }
    client.ended().await
}

#[tokio::test(start_paused = true)]
async fn another_device_is_signed_out_by_one_that_is_a_day_old() {
    let wire = telegram().await;
    let (desk, phone) = (device(&wire, "desk").await, device(&wire, "phone").await);
    let answer = desk.device_sessions().await.unwrap();
    assert_eq!(answer.ttl_days, 180);
    let [own, other] = &answer.sessions[..] else { panic!("{answer:?}") };
    assert!(own.is_current() && own.hash() == 0 && own.device_model() == "desk");
    assert!(!other.is_current() && other.hash() != 0 && other.device_model() == "phone");
    let system = DeviceInfo::default().system_version;
    assert_eq!((other.app_version(), other.system_version()), ("1.2", system.as_str()));
    assert!(system.starts_with(other.platform()) && other.app_name().contains("12345"));
    assert!(!other.is_official() && !other.is_password_pending());
    assert!(other.takes_calls() && other.takes_secret_chats());
    assert_eq!((other.ip(), other.country()), ("127.0.0.1", "Loopback"));
    assert!(other.created() <= other.last_active());
    assert_eq!(other.raw().api_id, other.api_id());

    let hash = other.hash();
    let error = desk.reset_device_session(hash).await.unwrap_err();
    assert!(error.is(errors::FRESH_RESET_AUTHORISATION_FORBIDDEN), "{error}");
    let words = error.explain().unwrap();
    assert!(words.contains("24 hours") && words.contains("older device"), "{words}");
    let fresh = desk.reset_other_device_sessions().await.unwrap_err();
    assert!(fresh.is(errors::FRESH_RESET_AUTHORISATION_FORBIDDEN), "{fresh}");
    let fresh = desk.set_device_session_ttl(7).await.unwrap_err();
    assert!(fresh.is(errors::FRESH_RESET_AUTHORISATION_FORBIDDEN), "{fresh}");

    days(1).await;
    // A website's session is not a device's.
    let site = desk.web_sessions().await.unwrap()[0].hash();
    assert!(!desk.reset_device_session(site).await.unwrap());
    assert!(!desk.reset_device_session(0).await.unwrap());
    // The answer is lost; doing it again tells that it is done.
    let lost = Fault::new(Kind::LoseAnswer).method("account.resetAuthorization").once();
    wire.server().faults().add(lost).await.unwrap();
    let call = desk.reset_device_session(hash);
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    assert!(!desk.reset_device_session(hash).await.unwrap());
    assert_eq!(over(&phone).await, Ended::Revoked);
    assert_eq!(list(&desk).await.len(), 1);

    let (phone, tablet) = (device(&wire, "phone").await, device(&wire, "tablet").await);
    let fresh = phone.reset_other_device_sessions().await.unwrap_err();
    assert!(fresh.is(errors::FRESH_RESET_AUTHORISATION_FORBIDDEN), "{fresh}");
    desk.reset_other_device_sessions().await.unwrap();
    desk.reset_other_device_sessions().await.unwrap();
    for client in [phone, tablet] {
        assert_eq!(over(&client).await, Ended::Revoked);
    }
    assert_eq!(list(&desk).await, [("desk".to_owned(), 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_new_device_is_confirmed_by_another() {
    let wire = telegram().await;
    let desk = device(&wire, "desk").await;
    assert!(!desk.device_sessions().await.unwrap().sessions[0].is_unconfirmed());
    let mut updates = desk.updates();
    let phone = device(&wire, "phone").await;
    let mut heard = phone.updates();
    let new = next(&mut updates).await;
    assert!(new.unconfirmed && new.device.as_deref() == Some("phone"), "{new:?}");
    let tablet = device(&wire, "tablet").await;
    let listed = desk.device_sessions().await.unwrap().sessions;
    assert!(listed[1].is_unconfirmed() && listed[2].is_unconfirmed());

    assert!(!phone.confirm_device_session(0).await.unwrap(), "not by itself");
    assert!(!phone.confirm_device_session(new.hash).await.unwrap(), "nor by its name");
    assert!(desk.confirm_device_session(new.hash).await.unwrap());
    assert!(desk.confirm_device_session(new.hash).await.unwrap());
    assert!(!desk.confirm_device_session(12345).await.unwrap());
    // The other devices need not ask any more.
    assert_ne!(next(&mut heard).await.hash, new.hash, "of the tablet");
    let told = next(&mut heard).await;
    assert_eq!((told.hash, told.unconfirmed), (new.hash, false));
    // What nobody confirmed comes first.
    let listed: Vec<_> = list(&desk).await.into_iter().map(|row| row.0).collect();
    assert_eq!(listed, ["desk", "tablet", "phone"]);
    days(7).await;
    let rows = tablet.device_sessions().await.unwrap().sessions;
    assert!(rows.iter().all(|row| !row.is_unconfirmed()));
}

/// The next word of a new authorization; codes are told to other devices, too.
async fn next(updates: &mut Updates) -> types::UpdateNewAuthorization {
    loop {
        match updates.next().await.unwrap().unwrap() {
            enums::Updates::UpdateShort(short) => match short.update {
                enums::Update::NewAuthorization(update) => return *update,
                other => panic!("{other:?}"),
            },
            enums::Updates::Updates(told)
                if matches!(told.updates[..], [enums::Update::NewMessage(_)]) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_not_used_is_signed_out() {
    let wire = telegram().await;
    let desk = device(&wire, "desk").await;
    let store = Arc::new(Memory::new());
    let connect = || wire.connect(client_of(wire.server()).session(Arc::clone(&store)));
    let phone = connect().await.unwrap();
    sign_in(&phone, wire.server()).await;
    days(2).await;
    for days in [0, -1, 367] {
        let error = desk.set_device_session_ttl(days).await.unwrap_err();
        assert!(error.is(errors::TTL_DAYS_INVALID) && error.explain().is_some(), "{error}");
    }
    phone.me().await.unwrap();
    desk.set_device_session_ttl(3).await.unwrap();
    assert_eq!(phone.device_sessions().await.unwrap().ttl_days, 3);
    // A client that is connected asks for addresses now and then, which is use.
    phone.close().await.unwrap();
    for _ in 0..2 {
        days(1).await;
        assert_eq!(list(&desk).await.len(), 2);
    }
    days(1).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(list(&desk).await.len(), 1);
    let phone = connect().await.unwrap();
    assert_eq!(over(&phone).await, Ended::Expired);
    assert!(phone.device_sessions().await.is_err_and(|error| error.ended().is_some()));
    assert!(desk.me().await.unwrap().is_some());
}

/// Gives the right code and not the password.
async fn half(client: &Client, server: &Handle) -> Result<chappe::SignIn, Error> {
    let account = &server.accounts()[0];
    code(client.sign_in_phone(&account.phone).await?).submit(&account.code).await
}

#[tokio::test(start_paused = true)]
async fn who_owes_the_password_is_listed_and_shut_out() {
    let wire = telegram().await;
    let desk = device(&wire, "desk").await;
    desk.set_password(None, "correct horse", "").await.unwrap();
    days(1).await;
    let stranger = client_of(wire.server()).device(DeviceInfo::new("stranger", "1.2"));
    let stranger = wire.connect(stranger).await.unwrap();
    let chappe::SignIn::Password(step) = half(&stranger, wire.server()).await.unwrap() else {
        panic!("no password is asked for");
    };
    let rows = desk.device_sessions().await.unwrap().sessions;
    assert!(rows[1].is_password_pending() && rows[1].device_model() == "stranger");
    let hash = hash_of(&desk, "stranger").await;
    assert!(desk.reset_device_session(hash).await.unwrap());
    assert!(!desk.reset_device_session(hash).await.unwrap());
    let outcome = step.submit("correct horse").await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert_eq!(stranger.me().await.unwrap(), None);
    assert_eq!(list(&desk).await.len(), 1);
}
