//! A new device is let in by another one, over the wire.

use chappe_api::{account, auth, enums, errors, types, users};
use chappe_tl::Decode;

use crate::client::{API_HASH, Client, server};

fn export() -> auth::ExportLoginToken {
    auth::ExportLoginToken { api_id: 1, api_hash: API_HASH.into(), except_ids: Vec::new() }
}

#[tokio::test(start_paused = true)]
async fn a_new_device_is_let_in_by_another_one() {
    let server = server(41).await;
    let known = server.accounts()[0].clone();
    let mut owner = Client::connect(&server, 1).await;
    owner.sign_in(&known.phone, &known.code).await.unwrap();
    let mut new = Client::connect(&server, 2).await;
    let enums::auth::LoginToken::LoginToken(shown) = new.call(&export()).await.unwrap() else {
        panic!("no token");
    };
    // It waits without asking, and is told.
    let accept = auth::AcceptLoginToken { token: shown.token.clone() };
    let device: types::Authorization = owner.call(&accept).await.unwrap();
    let update = enums::Updates::from_bytes(&new.update().await).unwrap();
    let enums::Updates::UpdateShort(short) = update else { panic!("{update:?}") };
    assert_eq!(short.update, enums::Update::LoginToken);
    let login = new.call(&export()).await.unwrap();
    assert!(matches!(login, enums::auth::LoginToken::Success(_)), "{login:?}");

    let me = users::GetUsers { id: vec![enums::InputUser::InputUserSelf] };
    let enums::User::User(user) = new.call(&me).await.unwrap().remove(0) else { panic!("nobody") };
    assert_eq!(user.id, known.user_id);
    assert!(new.web().await.iter().any(|row| row.hash == 4_457_235));
    let devices = owner.call(&account::GetAuthorizations).await.unwrap().authorizations;
    assert!(devices.iter().any(|other| other.hash == device.hash));
    owner.refused(&accept, errors::AUTH_TOKEN_ALREADY_ACCEPTED).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_ends_with_its_time() {
    let server = server(42).await;
    let known = server.accounts()[0].clone();
    let mut owner = Client::connect(&server, 1).await;
    owner.sign_in(&known.phone, &known.code).await.unwrap();
    let mut new = Client::connect(&server, 2).await;
    let enums::auth::LoginToken::LoginToken(shown) = new.call(&export()).await.unwrap() else {
        panic!("no token");
    };
    tokio::time::sleep(std::time::Duration::from_secs(31)).await;
    let accept = auth::AcceptLoginToken { token: shown.token };
    owner.refused(&accept, errors::AUTH_TOKEN_EXPIRED).await;
}
