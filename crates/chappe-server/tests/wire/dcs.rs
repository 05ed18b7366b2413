//! Several data centres in one process, dialled one by one.

use std::net::{Ipv4Addr, SocketAddr};

use chappe_api::{
    account, auth,
    enums::{self, InputUser},
    errors, help, types, users,
};
use chappe_mtproto::connection::Config;
use chappe_server::{Error, Server};
use tokio::net::TcpStream;

use crate::{
    client::{API_HASH, Client, START, config, server, several},
    raw::Raw,
};

/// A number that lives in data centre 3.
const ABROAD: &str = "9996634444";

fn me() -> users::GetUsers {
    users::GetUsers { id: vec![InputUser::InputUserSelf] }
}

fn send_code(phone: &str) -> auth::SendCode {
    auth::SendCode {
        phone_number: phone.into(),
        api_id: 1,
        api_hash: API_HASH.into(),
        settings: types::CodeSettings::new(),
    }
}

fn import(exported: types::auth::ExportedAuthorization) -> auth::ImportAuthorization {
    auth::ImportAuthorization { id: exported.id, bytes: exported.bytes }
}

#[tokio::test]
async fn every_data_centre_is_dialled_where_the_configuration_says() {
    let server =
        Server::builder().in_memory().seed(50).start_at(START).dcs(3).ipv6(true).start().await;
    let server = server.unwrap();
    let pem = server.public_key_pem();
    let mut client = Client::connect(&server, 1).await;
    let options = client.call(&help::GetConfig).await.unwrap().dc_options;
    let found: Vec<_> = options
        .iter()
        .map(|dc| {
            let ip = dc.ip_address.parse().unwrap();
            assert_eq!(dc.ipv6, matches!(ip, std::net::IpAddr::V6(_)));
            (dc.id, SocketAddr::new(ip, dc.port.try_into().unwrap()))
        })
        .collect();
    let announced: Vec<(i32, SocketAddr)> =
        server.announcement().dcs.iter().map(|dc| (dc.id, dc.address.parse().unwrap())).collect();
    assert_eq!(found, announced);
    assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 1, 2, 2, 3, 3]);
    for (number, (dc_id, address)) in (10..).zip(found) {
        let stream = TcpStream::connect(address).await.unwrap();
        let config = Config { dc_id, ..config(pem) };
        let mut there = Client::over(stream, config, None, number);
        let nearest = there.call(&help::GetNearestDc).await.unwrap();
        assert_eq!((nearest.this_dc, nearest.nearest_dc), (dc_id, 2));
        let again = there.call(&help::GetConfig).await.unwrap();
        assert_eq!((again.this_dc, &again.dc_options), (dc_id, &options));
        if address.is_ipv4() {
            assert_eq!(server.address_of(dc_id), Some(address));
        }
    }
    assert_eq!(server.address_of(2), Some(server.address()));
    assert_eq!(server.address_of(4), None);
    assert!(matches!(server.connect_to(4).await, Err(Error::NoSuchDc(4))));
}

#[tokio::test]
async fn a_given_port_is_the_main_data_centres() {
    // A port that was free a moment ago.
    let free = server(51).await;
    let address = free.address();
    free.shutdown().await.unwrap();
    let server = Server::builder().listen(address).dcs(2).start().await.unwrap();
    assert_eq!(server.address(), address);
    let other = server.address_of(1).unwrap();
    assert!(other != address && other.ip() == Ipv4Addr::LOCALHOST);
    let missing = Server::builder().dcs(1).dc_id(7).start().await.unwrap();
    assert_eq!((missing.dc_id(), missing.announcement().dcs.len()), (7, 1));
    for count in [0, 1, 6] {
        let main = if count == 0 { 2 } else { 7 };
        let started = Server::builder().dcs(count).dc_id(main).start().await;
        assert_eq!(started.is_ok(), count == 1);
        if let Err(error) = started {
            assert!(matches!(error, Error::NoMainDc { .. }), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_belongs_to_one_data_centre() {
    let server = several(52).await;
    let mut home = Client::connect(&server, 1).await;
    home.call(&help::GetConfig).await.unwrap();
    let stream = server.connect_to(1).await.unwrap();
    assert!(Raw::new(stream, 2).is_unknown(home.resume().key).await);
    let mut again = again(&server, 2, &home, 3).await;
    again.call(&help::GetConfig).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_is_sent_home() {
    let server = several(53).await;
    let mut here = Client::connect(&server, 1).await;
    here.refused_with(&send_code(ABROAD), 303, "PHONE_MIGRATE_3").await;
    let mut home = Client::connect_to(&server, 3, 2).await;
    let required = home.sign_in(ABROAD, "33333").await.unwrap();
    assert!(matches!(required, enums::auth::Authorization::SignUpRequired(_)));

    let abroad = server.bots().iter().find(|bot| bot.dc_id != 2).unwrap();
    let refused = here.sign_in_bot(&abroad.token).await.unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (303, "USER_MIGRATE_1"));
    let mut home = Client::connect_to(&server, abroad.dc_id, 3).await;
    home.sign_in_bot(&abroad.token).await.unwrap();
    home.call(&me()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_device_session_is_taken_along_and_ends_as_one() {
    let server = several(54).await;
    let known = server.accounts()[0].clone();
    let mut home = Client::connect(&server, 1).await;
    home.sign_in(&known.phone, &known.code).await.unwrap();
    home.refused(&auth::ExportAuthorization { dc_id: 2 }, errors::DC_ID_INVALID).await;
    let exported = home.call(&auth::ExportAuthorization { dc_id: 3 }).await.unwrap();
    let mut there = Client::connect_to(&server, 3, 2).await;
    there.refused(&me(), errors::AUTH_KEY_UNREGISTERED).await;
    there.call(&import(exported.clone())).await.unwrap();
    there.refused(&import(exported), errors::AUTH_BYTES_INVALID).await;
    let found = there.call(&me()).await.unwrap();
    assert!(matches!(&found[0], enums::User::User(user) if user.id == known.user_id));
    there.refused_with(&account::GetWebAuthorizations, 303, "USER_MIGRATE_2").await;
    let devices = home.call(&account::GetAuthorizations).await.unwrap().authorizations;
    assert_eq!(devices.len(), 1);
    home.call(&auth::LogOut).await.unwrap();
    there.refused(&me(), errors::AUTH_KEY_UNREGISTERED).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_another_device_ended_was_revoked_everywhere() {
    let server = several(55).await;
    let known = server.accounts()[0].clone();
    let mut first = Client::connect(&server, 1).await;
    first.sign_in(&known.phone, &known.code).await.unwrap();
    let exported = first.call(&auth::ExportAuthorization { dc_id: 1 }).await.unwrap();
    let mut there = Client::connect_to(&server, 1, 2).await;
    there.call(&import(exported)).await.unwrap();
    let mut second = Client::connect(&server, 3).await;
    second.sign_in(&known.phone, &known.code).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(25 * 60 * 60)).await;
    let mut second = again(&server, 2, &second, 4).await;
    second.call(&auth::ResetAuthorizations).await.unwrap();
    again(&server, 2, &first, 5).await.refused(&me(), errors::SESSION_REVOKED).await;
    again(&server, 1, &there, 6).await.refused(&me(), errors::SESSION_REVOKED).await;
    // The key is as good as any for the next sign-in.
    let mut first = again(&server, 2, &first, 7).await;
    first.sign_in(&known.phone, &known.code).await.unwrap();
    first.call(&me()).await.unwrap();
}

/// The same key on another socket: a client that slept for a day has none.
async fn again(
    server: &chappe_server::Handle,
    dc_id: i32,
    client: &Client<tokio::io::DuplexStream>,
    number: u8,
) -> Client<tokio::io::DuplexStream> {
    let stream = server.connect_to(dc_id).await.unwrap();
    let config = Config { dc_id, ..config(server.public_key_pem()) };
    Client::over(stream, config, Some(client.resume()), number)
}

#[tokio::test(start_paused = true)]
async fn a_login_token_goes_to_the_home_of_who_accepts_it() {
    let server = several(56).await;
    let known = server.accounts()[0].clone();
    let mut owner = Client::connect(&server, 1).await;
    owner.sign_in(&known.phone, &known.code).await.unwrap();
    let mut new = Client::connect_to(&server, 1, 2).await;
    let export =
        auth::ExportLoginToken { api_id: 1, api_hash: API_HASH.into(), except_ids: Vec::new() };
    let enums::auth::LoginToken::LoginToken(shown) = new.call(&export).await.unwrap() else {
        panic!("no token");
    };
    owner.call(&auth::AcceptLoginToken { token: shown.token }).await.unwrap();
    // It is told in the data centre where it waits.
    new.update().await;
    let enums::auth::LoginToken::MigrateTo(to) = new.call(&export).await.unwrap() else {
        panic!("not sent on");
    };
    assert_eq!(to.dc_id, 2);
    let mut home = Client::connect_to(&server, to.dc_id, 3).await;
    let login = home.call(&auth::ImportLoginToken { token: to.token }).await.unwrap();
    assert!(matches!(login, enums::auth::LoginToken::Success(_)), "{login:?}");
    assert!(home.web().await.iter().any(|row| row.hash == 4_457_235));
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_keys_and_imports_in_their_data_centres() {
    let directory = tempfile::tempdir().unwrap();
    let start =
        |dcs| Server::builder().data(directory.path()).seed(57).start_at(START).dcs(dcs).start();
    let server = start(3).await.unwrap();
    let known = server.accounts()[0].clone();
    let mut home = Client::connect(&server, 1).await;
    home.sign_in(&known.phone, &known.code).await.unwrap();
    let exported = home.call(&auth::ExportAuthorization { dc_id: 3 }).await.unwrap();
    let mut there = Client::connect_to(&server, 3, 2).await;
    there.call(&import(exported)).await.unwrap();
    let waiting = home.call(&auth::ExportAuthorization { dc_id: 3 }).await.unwrap();
    server.shutdown().await.unwrap();

    let server = start(3).await.unwrap();
    again(&server, 3, &there, 3).await.call(&me()).await.unwrap();
    let stream = server.connect_to(1).await.unwrap();
    assert!(Raw::new(stream, 4).is_unknown(there.resume().key).await);
    let mut late = Client::connect_to(&server, 3, 5).await;
    late.call(&import(waiting)).await.unwrap();
    server.shutdown().await.unwrap();

    // Fewer data centres: those of the main one go on.
    let server = start(1).await.unwrap();
    again(&server, 2, &home, 6).await.call(&me()).await.unwrap();
    let mut stranger = Client::connect(&server, 7).await;
    stranger.send_code(ABROAD).await.unwrap();
}
