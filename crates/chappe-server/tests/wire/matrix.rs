//! Who may list and reset web authorizations, and what everybody else hears, over the wire.

use std::time::Duration;

use bytes::Bytes;
use chappe_api::{
    InvokeWithBusinessConnection, InvokeWithLayer, LAYER, account, auth, enums, errors, types,
};
use chappe_server::{Handle, Server};
use chappe_tl::{Encode, ErrorName, Raw};
use tokio::io::DuplexStream;

use crate::client::{Client, START, server};

const METHODS: [&str; 3] = [
    "account.getWebAuthorizations",
    "account.resetWebAuthorization",
    "account.resetWebAuthorizations",
];

fn calls(hash: i64) -> [Bytes; 3] {
    [
        account::GetWebAuthorizations.to_bytes(),
        account::ResetWebAuthorization { hash }.to_bytes(),
        account::ResetWebAuthorizations.to_bytes(),
    ]
}

async fn refused(client: &mut Client<DuplexStream>, body: Bytes, name: ErrorName, what: &str) {
    let Err(failure) = client.call_raw(body).await else { panic!("{what} was answered") };
    assert_eq!((failure.code, failure.message.as_str()), (name.code, name.name), "{what}");
}

async fn all_refused(client: &mut Client<DuplexStream>, name: ErrorName) {
    for (method, body) in METHODS.into_iter().zip(calls(4_457_235)) {
        refused(client, body, name, method).await;
    }
}

async fn owner(server: &Handle, number: u8) -> Client<DuplexStream> {
    let account = server.accounts()[0].clone();
    let mut client = Client::connect(server, number).await;
    client.sign_in(&account.phone, &account.code).await.unwrap();
    client
}

#[tokio::test(start_paused = true)]
async fn a_key_that_said_nothing_of_itself() {
    let server = server(21).await;
    let mut client = Client::connect(&server, 1).await.unintroduced();
    all_refused(&mut client, errors::CONNECTION_NOT_INITED).await;
    for (method, body) in METHODS.into_iter().zip(calls(1)) {
        let body = InvokeWithLayer { layer: LAYER, query: Raw(body) }.to_bytes();
        refused(&mut client, body, errors::CONNECTION_NOT_INITED, method).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_and_whoever_is_no_longer_signed_in() {
    let server = server(22).await;
    let mut nobody = Client::connect(&server, 1).await;
    all_refused(&mut nobody, errors::AUTH_KEY_UNREGISTERED).await;
    let phone = &server.accounts()[0].phone;
    nobody.sign_in(phone, "00000").await.unwrap_err();
    all_refused(&mut nobody, errors::AUTH_KEY_UNREGISTERED).await;

    let (mut owner, mut other) = (owner(&server, 2).await, owner(&server, 3).await);
    other.call(&auth::LogOut).await.unwrap();
    all_refused(&mut other, errors::AUTH_KEY_UNREGISTERED).await;
    assert!(owner.web().await.iter().any(|row| row.hash == 4_457_235));
}

#[tokio::test(start_paused = true)]
async fn a_bot() {
    let server = server(23).await;
    let mut bot = Client::connect(&server, 1).await;
    bot.sign_in_bot(&server.bots()[0].token).await.unwrap();
    all_refused(&mut bot, errors::BOT_METHOD_INVALID).await;
}

#[tokio::test(start_paused = true)]
async fn a_hash_that_is_not_the_callers() {
    let server = server(24).await;
    let (mut owner, mut other) = (owner(&server, 1).await, owner(&server, 2).await);
    let rows = owner.web().await;
    let devices = owner.call(&account::GetAuthorizations).await.unwrap().authorizations;
    let device = devices.iter().find(|device| !device.current).unwrap().hash;
    let used = rows[0].hash;
    assert!(other.call(&account::ResetWebAuthorization { hash: used }).await.unwrap());

    let mut stranger = Client::connect(&server, 3).await;
    let sent = stranger.send_code("9996614242").await.unwrap();
    let sign_in = auth::SignIn {
        phone_code: Some("11111".into()),
        ..auth::SignIn::new("9996614242", sent.as_str())
    };
    let answer = stranger.call(&sign_in).await.unwrap();
    assert!(matches!(answer, enums::auth::Authorization::SignUpRequired(_)));
    let sign_up = auth::SignUp {
        no_joined_notifications: false,
        phone_number: "9996614242".into(),
        phone_code_hash: sent,
        first_name: "Grace".into(),
        last_name: "Hopper".into(),
    };
    stranger.call(&sign_up).await.unwrap();

    for hash in [0, 1, -1, i64::MIN, i64::MAX, device, used] {
        let reset = account::ResetWebAuthorization { hash };
        owner.refused(&reset, errors::HASH_INVALID).await;
        stranger.refused(&reset, errors::HASH_INVALID).await;
    }
    for row in &rows {
        let reset = account::ResetWebAuthorization { hash: row.hash };
        stranger.refused(&reset, errors::HASH_INVALID).await;
    }
    assert!(stranger.call(&account::ResetWebAuthorizations).await.unwrap());
    assert_eq!(owner.web().await, rows[1..]);
    // Nor is a web session a device session.
    let reset = account::ResetAuthorization { hash: rows[1].hash };
    owner.refused(&reset, errors::HASH_INVALID).await;
}

#[tokio::test(start_paused = true)]
async fn too_many_calls() {
    let mut builder = Server::builder().seed(25).start_at(START);
    for method in METHODS {
        builder = builder.limit(method, 1, Duration::from_secs(20));
    }
    let server = builder.start().await.unwrap();
    let mut owner = owner(&server, 1).await;
    for body in calls(1) {
        let _ = owner.call_raw(body).await;
    }
    for (method, body) in METHODS.into_iter().zip(calls(1)) {
        let flood = owner.call_raw(body).await.unwrap_err();
        assert_eq!((flood.code, flood.message.as_str()), (420, "FLOOD_WAIT_20"), "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn on_behalf_of_a_business() {
    let server = server(26).await;
    let mut owner = owner(&server, 1).await;
    for (method, body) in METHODS.into_iter().zip(calls(4_457_235)) {
        let body = InvokeWithBusinessConnection { connection_id: "b".into(), query: Raw(body) };
        let name = errors::BUSINESS_CONNECTION_NOT_ALLOWED;
        refused(&mut owner, body.to_bytes(), name, method).await;
    }
    let rows: Vec<types::WebAuthorization> = owner.web().await;
    assert!(rows.iter().any(|row| row.hash == 4_457_235));
}
