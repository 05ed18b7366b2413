//! What a user, a bot and a stranger live through.

use std::time::Duration;

use chappe_api::{
    account, auth,
    enums::{self, InputUser},
    errors, help, types, updates, users,
};
use chappe_mtproto::transport::Framing;
use chappe_schema::{Type, layers::Layers, value::Value};
use chappe_server::{
    Server,
    faults::{Action, Scope},
    numbers::Number,
};
use chappe_tl::{Decode, Encode, Reader};
use tokio::net::TcpStream;

use crate::client::{API_HASH, Client, START, config, server};

fn me() -> users::GetUsers {
    users::GetUsers { id: vec![InputUser::InputUserSelf] }
}

#[tokio::test(start_paused = true)]
async fn a_user_signs_in_lists_and_resets() {
    let server = server(1).await;
    let account = server.accounts()[0].clone();
    let mut client = Client::connect(&server, 1).await;
    let config = client.call(&help::GetConfig).await.unwrap();
    assert_eq!((config.this_dc, config.dc_options[0].id), (server.dc_id(), server.dc_id()));
    assert_eq!(i32::from(server.address().port()), config.dc_options[0].port);
    client.refused(&me(), errors::AUTH_KEY_UNREGISTERED).await;
    client.refused(&account::GetWebAuthorizations, errors::AUTH_KEY_UNREGISTERED).await;

    let wrong = client.sign_in(&account.phone, "00000").await.unwrap_err();
    assert_eq!(wrong.message, "PHONE_CODE_INVALID");
    client.sign_in(&account.phone, &account.code).await.unwrap();
    let enums::User::User(user) = client.call(&me()).await.unwrap().remove(0) else {
        panic!("no user");
    };
    assert_eq!(user.id, account.user_id);
    assert_eq!(client.call(&updates::GetState).await.unwrap().pts, 1);

    let rows = client.web().await;
    assert!(rows.iter().any(|row| row.hash == 4_457_235));
    let reset = account::ResetWebAuthorization { hash: rows[0].hash };
    assert!(client.call(&reset).await.unwrap());
    assert_eq!(client.web().await, rows[1..]);
    client.refused(&reset, errors::HASH_INVALID).await;
    client.refused(&account::ResetWebAuthorization { hash: 0 }, errors::HASH_INVALID).await;
    assert!(client.call(&account::ResetWebAuthorizations).await.unwrap());
    assert_eq!(client.web().await, []);

    client.call(&auth::LogOut).await.unwrap();
    client.refused(&me(), errors::AUTH_KEY_UNREGISTERED).await;
    server.shutdown().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_bot_signs_in_and_has_no_web_logins() {
    let server = server(2).await;
    let bot = server.bots()[0].clone();
    let mut client = Client::connect(&server, 1).await;
    let wrong = client.sign_in_bot(&format!("{}x", bot.token)).await.unwrap_err();
    assert_eq!((wrong.code, wrong.message.as_str()), (400, "ACCESS_TOKEN_INVALID"));
    client.sign_in_bot(&bot.token).await.unwrap();
    let enums::User::User(user) = client.call(&me()).await.unwrap().remove(0) else {
        panic!("no user");
    };
    assert_eq!((user.id, user.username.as_deref()), (bot.user_id, Some(bot.username.as_str())));
    client.refused(&account::GetWebAuthorizations, errors::BOT_METHOD_INVALID).await;
    let reset = account::ResetWebAuthorization { hash: 4_457_235 };
    client.refused(&reset, errors::BOT_METHOD_INVALID).await;
    client.refused(&account::ResetWebAuthorizations, errors::BOT_METHOD_INVALID).await;
}

#[tokio::test(start_paused = true)]
async fn a_phone_number_signs_up_by_itself() {
    let server = server(3).await;
    let mut client = Client::connect(&server, 1).await;
    let hash = client.send_code("9996614242").await.unwrap();
    let sign_in = auth::SignIn {
        phone_code: Some("11111".into()),
        ..auth::SignIn::new("9996614242", hash.as_str())
    };
    let answer = client.call(&sign_in).await.unwrap();
    assert!(matches!(answer, enums::auth::Authorization::SignUpRequired(_)));
    let sign_up = auth::SignUp {
        no_joined_notifications: false,
        phone_number: "9996614242".into(),
        phone_code_hash: hash,
        first_name: "Grace".into(),
        last_name: "Hopper".into(),
    };
    client.call(&sign_up).await.unwrap();
    assert_eq!(client.web().await, []);
    // The demonstration account's rows are not there for anybody else.
    let reset = account::ResetWebAuthorization { hash: 4_457_235 };
    client.refused(&reset, errors::HASH_INVALID).await;

    let mut again = Client::connect(&server, 2).await;
    let answer = again.sign_in("+999 66 14242", "11111").await.unwrap();
    assert!(matches!(answer, enums::auth::Authorization::Authorization(_)));
    // The first device shows the code, and then that it was used.
    let code = client.new_message().await;
    assert!(code.contains("11111"), "{code}");
    assert!(matches!(client.short_update().await, enums::Update::NewAuthorization(_)));
}

#[tokio::test(start_paused = true)]
async fn a_session_of_layer_198_reads_users_in_its_own_schema() {
    let server = server(4).await;
    let account = server.accounts()[0].clone();
    let mut client = Client::connect(&server, 1).await;
    client.sign_in(&account.phone, &account.code).await.unwrap();
    client.announce(198);
    let layers = Layers::new();
    let schema = layers.schema(198);
    let id = |bytes: &bytes::Bytes| u32::from_le_bytes(*bytes.first_chunk().unwrap());

    let answer = client.call_raw(me().to_bytes()).await.unwrap();
    let ty = Type::Vector { item: Box::new(Type::Boxed("User".to_owned())), bare: false };
    let mut input = Reader::new(&answer);
    Value::read(&schema, &ty, &mut input).unwrap();
    input.finish().unwrap();
    assert_eq!(id(&answer.slice(8..)), schema.find("user").unwrap().id);

    let answer = client.call_raw(account::GetWebAuthorizations.to_bytes()).await.unwrap();
    let mut input = Reader::new(&answer);
    let ty = Type::Boxed("account.WebAuthorizations".to_owned());
    Value::read(&schema, &ty, &mut input).unwrap();
    input.finish().unwrap();

    // A push is in the layer of the session that it goes to.
    let mut other = Client::connect(&server, 2).await;
    other.sign_in(&account.phone, &account.code).await.unwrap();
    let push = client.update().await;
    let mut input = Reader::new(&push);
    Value::read(&schema, &Type::Boxed("Updates".to_owned()), &mut input).unwrap();
    input.finish().unwrap();

    client.announce(20);
    client.refused(&help::GetConfig, errors::CONNECTION_LAYER_INVALID).await;
}

/// A client of another layer signs in by email, and shows the code to the one that is there already,
/// of a third layer.
#[tokio::test(start_paused = true)]
async fn clients_of_old_layers_sign_in_by_every_way_of_today() {
    let server = server(9).await;
    let phone = "9996621111";
    let mut first = Client::connect(&server, 1).await;
    first.announce(220);
    let hash = first.send_code(phone).await.unwrap();
    let sign_up = auth::SignUp {
        no_joined_notifications: false,
        phone_number: phone.into(),
        phone_code_hash: hash.clone(),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
    };
    let code = Some("22222".into());
    let sign_in = auth::SignIn { phone_code: code, ..auth::SignIn::new(phone, hash) };
    let layers = Layers::new();
    let read = |layer: i32, ty: &str, bytes: &bytes::Bytes| {
        let mut input = Reader::new(bytes);
        let ty = Type::Boxed(ty.to_owned());
        let schema = layers.schema(layer);
        let json = Value::read(&schema, &ty, &mut input).unwrap().to_json().to_string();
        input.finish().unwrap();
        json
    };
    let terms = first.call_raw(sign_in.to_bytes()).await.unwrap();
    assert!(read(220, "auth.Authorization", &terms).contains("terms_of_service"));
    let signed_up = first.call_raw(sign_up.to_bytes()).await.unwrap();
    assert!(read(220, "auth.Authorization", &signed_up).contains("future_auth_token"));

    let mut second = Client::connect(&server, 2).await;
    second.announce(198);
    let sent = send_code(phone);
    let app = second.call_raw(sent.to_bytes()).await.unwrap();
    assert!(read(198, "auth.SentCode", &app).contains("auth.sentCodeTypeApp"));
    assert!(read(220, "Updates", &first.update().await).contains("22222"));
    let mailbox = Number::new().login_email("ada@example.org");
    server.numbers().set(phone, mailbox).await.unwrap();
    let email = second.call_raw(sent.to_bytes()).await.unwrap();
    let json = read(198, "auth.SentCode", &email);
    assert!(json.contains("a***a@example.org"), "{json}");
    let enums::auth::SentCode::SentCode(email) = enums::auth::SentCode::from_bytes(&email).unwrap()
    else {
        panic!("no code");
    };
    let letter = server.letters().last_to("ada@example.org").await.unwrap().unwrap();
    let code = types::EmailVerificationCode { code: letter.code.into() };
    let sign_in = auth::SignIn {
        email_verification: Some(code.into()),
        ..auth::SignIn::new(phone, email.phone_code_hash)
    };
    let done = second.call_raw(sign_in.to_bytes()).await.unwrap();
    assert!(read(198, "auth.Authorization", &done).contains("Lovelace"));
}

fn send_code(phone: &str) -> auth::SendCode {
    auth::SendCode {
        phone_number: phone.into(),
        api_id: 1,
        api_hash: API_HASH.into(),
        settings: types::CodeSettings::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn where_time_stands_still_every_date_is_the_same_until_it_is_ordered_to_pass() {
    const DATE: u32 = 1_700_000_000;
    let still = Duration::from_secs(DATE.into());
    let server = Server::builder().seed(8).start_at(START).stand_still_at(still);
    let server = server.start().await.unwrap();
    let mut client = Client::connect(&server, 1).await;
    let mut tells = async || client.call(&help::GetConfig).await.unwrap().date.unsigned_abs();
    assert_eq!(tells().await, DATE);
    tokio::time::advance(Duration::from_secs(40)).await;
    assert_eq!(tells().await, DATE);
    let pass = Action::PassTime { seconds: 60 };
    server.faults().act(pass, Scope::everything()).await.unwrap();
    assert_eq!(tells().await, DATE + 60);
}

#[tokio::test(start_paused = true)]
async fn a_key_outlives_its_connection() {
    let server = server(5).await;
    let account = server.accounts()[0].clone();
    let mut client = Client::connect(&server, 1).await;
    client.sign_in(&account.phone, &account.code).await.unwrap();
    let resume = client.resume();
    drop(client);
    let stream = server.connect().await.unwrap();
    let mut client = Client::over(stream, config(server.public_key_pem()), Some(resume), 2);
    client.call(&me()).await.unwrap();
}

#[tokio::test]
async fn every_framing_reaches_the_server_over_tcp() {
    let server = server(6).await;
    let framings =
        [Framing::Abridged, Framing::Intermediate, Framing::PaddedIntermediate, Framing::Full];
    for (number, framing) in (1..).zip(framings) {
        for obfuscated in [false, true] {
            if obfuscated && framing == Framing::Full {
                continue;
            }
            let stream = TcpStream::connect(server.address()).await.unwrap();
            let mut config = config(server.public_key_pem());
            (config.framing, config.obfuscated) = (framing, obfuscated);
            let number = number * 2 + u8::from(obfuscated);
            let mut client = Client::over(stream, config, None, number);
            let nearest = client.call(&help::GetNearestDc).await.unwrap();
            assert_eq!(nearest.this_dc, 2, "{framing:?} {obfuscated}");
        }
    }
    server.shutdown().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn many_clients_are_served_at_once() {
    let server = server(8).await;
    let account = server.accounts()[0].clone();
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..24 {
        let mut client = Client::connect(&server, number).await;
        let account = account.clone();
        clients.spawn(async move {
            client.sign_in(&account.phone, &account.code).await.unwrap();
            client.call(&account::ResetWebAuthorization { hash: 4_457_235 }).await.is_ok()
        });
    }
    let reset = clients.join_all().await.into_iter().filter(|reset| *reset).count();
    assert_eq!(reset, 1, "one of them ended it, the others heard HASH_INVALID");
}

#[tokio::test(start_paused = true)]
async fn the_announcement_names_what_a_client_needs() {
    let server = server(7).await;
    let json = serde_json::to_value(server.announcement()).unwrap();
    let names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "address",
            "dc_id",
            "dcs",
            "layer",
            "rsa_public_key_pem",
            "rsa_fingerprint",
            "accounts",
            "bots"
        ]
    );
    assert_eq!(json["address"], server.address().to_string());
    assert_eq!(json["layer"], 230);
    assert!(json["rsa_public_key_pem"].as_str().unwrap().contains("BEGIN RSA PUBLIC KEY"));
    assert_eq!(json["rsa_fingerprint"].as_str().unwrap().len(), 16);
    assert!(!server.fingerprint().starts_with('0'));
    assert!(json["accounts"][0]["user_id"].is_i64());
    assert!(json["bots"].as_array().unwrap().len() >= 2);
    // The same seed, the same server; another seed, another one.
    let (again, other) = (server_twin(7).await, server_twin(8).await);
    assert_eq!(again.bots(), server.bots());
    assert_eq!(again.public_key_pem(), server.public_key_pem());
    assert_ne!(other.bots(), server.bots());
    assert_ne!(other.public_key_pem(), server.public_key_pem());
}

async fn server_twin(seed: u64) -> chappe_server::Handle {
    server(seed).await
}
