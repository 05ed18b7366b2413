//! Temporary keys over the wire: made, bound, lost.

use std::time::Duration;

use chappe_api::{
    account, auth,
    enums::{self, InputUser},
    help, users,
};
use chappe_crypto::AuthKey;
use chappe_mtproto::{connection::Config, handshake::client::Mode};
use chappe_server::{
    Handle, Server,
    faults::{Action, Fault, Kind, Scope},
};
use chappe_tl::service::types::RpcError;
use tokio::io::DuplexStream;

use crate::{
    client::{Client, START, config, introduced, server, several},
    raw::Raw,
};

/// How long the temporary keys of these tests live, in seconds: less than a salt does.
const LIFE: i32 = 1_200;

fn me() -> users::GetUsers {
    users::GetUsers { id: vec![InputUser::InputUserSelf] }
}

fn end() -> i32 {
    i32::try_from(START.as_secs()).unwrap() + LIFE
}

async fn raw(server: &Handle, number: u8) -> Raw<DuplexStream> {
    Raw::new(server.connect().await.unwrap(), number)
}

/// A socket with a new temporary key that stands for a permanent one.
async fn bound(server: &Handle, perm: &AuthKey, number: u8) -> (Raw<DuplexStream>, AuthKey) {
    let mut client = raw(server, number).await;
    let mode = Mode::Temporary { expires_in: LIFE };
    let key = client.make_key(2, server.public_key_pem(), mode).await;
    assert!(client.bind(perm, end()).await.unwrap());
    (client, key)
}

/// A client that is signed in as the demonstration account, and its key.
async fn owner(server: &Handle, number: u8) -> (Client<DuplexStream>, AuthKey) {
    let known = server.accounts()[0].clone();
    let mut owner = Client::connect(server, number).await;
    owner.sign_in(&known.phone, &known.code).await.unwrap();
    let key = owner.resume().key;
    (owner, key)
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, Option<RpcError>>) -> (i32, String) {
    let error = answer.unwrap_err().unwrap();
    (error.error_code, error.error_message.to_string())
}

fn named(code: i32, name: &str) -> (i32, String) {
    (code, name.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_temporary_key_is_bound_and_stands_for_the_permanent_one() {
    let server = server(60).await;
    let (mut owner, perm) = owner(&server, 1).await;
    let mut client = raw(&server, 2).await;
    let mode = Mode::Temporary { expires_in: LIFE };
    client.make_key(2, server.public_key_pem(), mode).await;
    assert_eq!(refusal(client.call(&introduced(me())).await), named(401, "AUTH_KEY_PERM_EMPTY"));
    client.call(&introduced(help::GetConfig)).await.unwrap();
    client.call(&help::GetNearestDc).await.unwrap();

    let early = client.bind(&perm, end() + 3_600).await.unwrap_err();
    assert_eq!(&*early.error_message, "EXPIRES_AT_INVALID");
    let foreign = AuthKey::from_bytes([7; 256]);
    let unknown = client.bind(&foreign, end()).await.unwrap_err();
    assert_eq!(&*unknown.error_message, "ENCRYPTED_MESSAGE_INVALID");
    assert!(client.bind(&perm, end()).await.unwrap());

    assert_eq!(refusal(client.call(&me()).await), named(400, "CONNECTION_NOT_INITED"));
    let found = client.call(&introduced(me())).await.unwrap();
    let id = server.accounts()[0].user_id;
    assert!(matches!(&found[0], enums::User::User(user) if user.is_self && user.id == id));
    let devices = client.call(&account::GetAuthorizations).await.unwrap().authorizations;
    assert!(devices.len() == 1 && devices[0].current);

    // One signs out, the other one is signed out.
    client.call(&auth::LogOut).await.unwrap();
    owner.refused(&me(), chappe_api::errors::AUTH_KEY_UNREGISTERED).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_with_forward_secrecy_goes_on_with_one_key_after_the_other() {
    let server = several(67).await;
    let life = Duration::from_secs(3_600);
    let config = Config { forward_secrecy: Some(life), ..config(server.public_key_pem()) };
    let stream = server.connect().await.unwrap();
    let mut client = Client::over(stream, config.clone(), None, 1);
    let known = server.accounts()[0].clone();
    client.sign_in(&known.phone, &known.code).await.unwrap();
    for _ in 0..12 {
        client.rest(life / 4).await;
        client.call(&me()).await.unwrap();
        let devices = client.call(&account::GetAuthorizations).await.unwrap().authorizations;
        assert!(devices.len() == 1 && devices[0].current);
    }
    assert!(client.renewed >= 3, "{}", client.renewed);
    // And so on another socket, and in another data centre.
    let stream = server.connect().await.unwrap();
    let mut again = Client::over(stream, config.clone(), Some(client.resume()), 2);
    again.call(&me()).await.unwrap();
    let exported = again.call(&auth::ExportAuthorization { dc_id: 3 }).await.unwrap();
    let stream = server.connect_to(3).await.unwrap();
    let mut there = Client::over(stream, Config { dc_id: 3, ..config }, None, 3);
    let import = auth::ImportAuthorization { id: exported.id, bytes: exported.bytes };
    there.call(&import).await.unwrap();
    there.call(&me()).await.unwrap();
    assert_eq!(there.renewed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_key_is_not_bound() {
    let server = server(61).await;
    let (_, perm) = owner(&server, 1).await;
    let mut client = raw(&server, 2).await;
    client.make_key(2, server.public_key_pem(), Mode::Permanent).await;
    let refused = client.bind(&perm, end()).await.unwrap_err();
    assert_eq!((refused.error_code, &*refused.error_message), (400, "TEMP_AUTH_KEY_EMPTY"));
    let (mut client, _) = bound(&server, &perm, 3).await;
    let (_, other) = owner(&server, 4).await;
    let refused = client.bind(&other, end()).await.unwrap_err();
    assert_eq!(&*refused.error_message, "TEMP_AUTH_KEY_ALREADY_BOUND");
}

#[tokio::test(start_paused = true)]
async fn a_temporary_key_is_unknown_when_its_time_is_over() {
    let server = server(62).await;
    let (_, perm) = owner(&server, 1).await;
    let (mut client, key) = bound(&server, &perm, 2).await;
    client.call(&introduced(me())).await.unwrap();
    let life = Duration::from_secs(1_200);
    tokio::time::sleep(life).await;
    assert!(raw(&server, 3).await.later(life).is_unknown(key).await);
    // The permanent one is not.
    let mut late = raw(&server, 4).await.later(life);
    late.resume(perm).await;
    late.call(&me()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn temporary_keys_are_lost_with_the_permanent_one() {
    let server = server(63).await;
    let (_, perm) = owner(&server, 1).await;
    let (mut first, key) = bound(&server, &perm, 2).await;
    let mut gone = raw(&server, 3).await;
    gone.resume(perm).await;
    gone.destroy_key().await;
    first.lost().await;
    assert!(raw(&server, 4).await.is_unknown(key).await);
}

#[tokio::test(start_paused = true)]
async fn temporary_keys_are_dropped_by_another_one() {
    let server = server(64).await;
    let (_, perm) = owner(&server, 1).await;
    let (mut asks, _) = bound(&server, &perm, 2).await;
    let (mut kept, key) = bound(&server, &perm, 3).await;
    let (mut dropped, gone) = bound(&server, &perm, 4).await;
    let drop = auth::DropTempAuthKeys { except_auth_keys: vec![key.id()] };
    assert!(asks.call(&introduced(drop)).await.unwrap());
    dropped.lost().await;
    assert!(raw(&server, 5).await.is_unknown(gone).await);
    kept.call(&introduced(me())).await.unwrap();
    asks.call(&me()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_sessions_of_a_bound_key_are_told() {
    let server = server(65).await;
    let (_, perm) = owner(&server, 1).await;
    let (mut client, _) = bound(&server, &perm, 2).await;
    client.call(&introduced(me())).await.unwrap();
    let (_other, _) = owner(&server, 3).await;
    // The code of another sign-in, and the sign-in, are news for every session of the account.
    let enums::Updates::Updates(code) = client.update().await else { panic!("no code") };
    assert!(matches!(code.updates[..], [enums::Update::NewMessage(_)]), "{code:?}");
    let enums::Updates::UpdateShort(used) = client.update().await else { panic!("not used") };
    assert!(matches!(used.update, enums::Update::NewAuthorization(_)), "{used:?}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_bindings_and_their_end() {
    let directory = tempfile::tempdir().unwrap();
    let start = || Server::builder().data(directory.path()).seed(66).start_at(START).start();
    let server = start().await.unwrap();
    let (_, perm) = owner(&server, 1).await;
    let (mut client, key) = bound(&server, &perm, 2).await;
    client.call(&introduced(me())).await.unwrap();
    server.shutdown().await.unwrap();

    let server = start().await.unwrap();
    let mut client = raw(&server, 3).await;
    client.resume(key.clone()).await;
    client.call(&me()).await.unwrap();
    // It ends while it is in use, although the protocol was given it without its end.
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(300)).await;
        client.call(&me()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(matches!(client.call(&me()).await, Err(None)), "-404");
    assert!(raw(&server, 4).await.is_unknown(key).await);
}

#[tokio::test(start_paused = true)]
async fn temporary_keys_expire_and_lose_their_permanent_one_on_demand() {
    let server = server(69).await;
    let faults = server.faults();
    let (mut owner, perm) = owner(&server, 1).await;
    let (mut client, key) = bound(&server, &perm, 2).await;
    client.call(&introduced(me())).await.unwrap();

    // A fault of the permanent key is one of its temporary keys.
    let lost = Fault::new(Kind::RpcError { code: 500, text: "RPC_CALL_FAIL".to_owned() });
    let id = faults.add(lost.on(Scope::auth_key(perm.id()))).await.unwrap();
    assert_eq!(refusal(client.call(&me()).await), named(500, "RPC_CALL_FAIL"));
    faults.remove(id).await.unwrap();
    client.call(&me()).await.unwrap();

    assert_eq!(faults.act(Action::Unbind, Scope::everything()).await.unwrap(), 1);
    assert_eq!(refusal(client.call(&introduced(me())).await), named(401, "AUTH_KEY_PERM_EMPTY"));
    assert_eq!(faults.act(Action::ExpireKeys, Scope::everything()).await.unwrap(), 1);
    assert!(raw(&server, 3).await.is_unknown(key).await);
    owner.call(&me()).await.unwrap();
}
