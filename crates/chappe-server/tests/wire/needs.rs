//! What clients of others need from a server beyond the stories, each by itself, over the wire.

use chappe_api::{
    InitConnection, InvokeAfterMsg, InvokeWithLayer, InvokeWithoutUpdates, LAYER, account,
    enums::{self, InputUser},
    errors, help, types, updates, users,
};
use chappe_crypto::{
    dh::Group,
    srp::{self, Algorithm, Password},
};
use chappe_server::Server;
use chappe_tl::Function;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::client::{Client, START, config, server};

fn connection<Q: Function>(query: Q) -> InitConnection<Q> {
    let offset = types::JsonObjectValue {
        key: "tz_offset".into(),
        value: types::JsonNumber { value: 3_600.0 }.into(),
    };
    InitConnection {
        proxy: Some(types::InputClientProxy { address: "proxy.example".into(), port: 443 }),
        params: Some(types::JsonObject { value: vec![offset] }.into()),
        ..InitConnection::new(1, "Desk", "Linux 6.12", "1.0", "en", "", "en", query)
    }
}

fn me() -> users::GetUsers {
    users::GetUsers { id: vec![InputUser::InputUserSelf] }
}

#[tokio::test(start_paused = true)]
async fn a_device_may_tell_of_a_proxy_and_parameters() {
    let server = server(31).await;
    let mut client = Client::connect(&server, 1).await.unintroduced();
    let query = connection(help::GetConfig);
    client.call(&InvokeWithLayer { layer: LAYER, query }).await.unwrap();
    // From then on the key is introduced.
    client.call(&help::GetNearestDc).await.unwrap();
    client.refused(&me(), errors::AUTH_KEY_UNREGISTERED).await;
}

#[tokio::test(start_paused = true)]
async fn wrappers_may_stand_around_each_other() {
    let server = server(32).await;
    let mut client = Client::connect(&server, 1).await.unintroduced();
    let query = connection(InvokeWithoutUpdates { query: help::GetNearestDc });
    client.call(&InvokeWithLayer { layer: LAYER, query }).await.unwrap();
    // Nothing was sent under this id: the client hears to try again later.
    let late = client.call(&InvokeAfterMsg { msg_id: 4, query: help::GetConfig }).await;
    let late = late.unwrap_err();
    assert_eq!((late.code, late.message.as_str()), (-503, "MSG_WAIT_TIMEOUT"));
}

#[tokio::test(start_paused = true)]
async fn a_session_without_updates_hears_none() {
    let server = server(33).await;
    let account = server.accounts()[0].clone();
    let mut first = Client::connect(&server, 1).await;
    first.sign_in(&account.phone, &account.code).await.unwrap();
    // A second session of the same key, for files: it asks for no updates.
    let stream = server.connect().await.unwrap();
    let resume = first.resume();
    let mut files = Client::over(stream, config(server.public_key_pem()), Some(resume), 9);
    files = files.unintroduced();
    files.call(&InvokeWithoutUpdates { query: me() }).await.unwrap();
    let mut second = Client::connect(&server, 2).await;
    second.sign_in(&account.phone, &account.code).await.unwrap();
    first.update().await;
    files.call(&InvokeWithoutUpdates { query: me() }).await.unwrap();
    assert!(files.updates.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_data_centre_is_the_one_that_was_dialled() {
    let server = Server::builder().seed(34).start_at(START).dc_id(4).start().await.unwrap();
    // As such, in its test variant, and for media.
    for (number, named) in (1..).zip([4, 10_004, -4]) {
        let stream = server.connect().await.unwrap();
        let mut config = config(server.public_key_pem());
        config.dc_id = named;
        let mut client = Client::over(stream, config, None, number);
        let config = client.call(&help::GetConfig).await.unwrap();
        assert_eq!(config.this_dc, 4);
        assert_eq!(config.dc_options.iter().map(|dc| dc.id).collect::<Vec<_>>(), [4]);
        assert_eq!(config.dc_options[0].ip_address, server.address().ip().to_string());
        let nearest = client.call(&help::GetNearestDc).await.unwrap();
        assert_eq!((nearest.this_dc, nearest.nearest_dc), (4, 4));
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_account_has_missed_nothing() {
    let server = server(35).await;
    let account = server.accounts()[0].clone();
    let mut client = Client::connect(&server, 1).await;
    client.sign_in(&account.phone, &account.code).await.unwrap();
    let state = client.call(&updates::GetState).await.unwrap();
    assert_eq!((state.pts, state.seq), (1, 0));
    let since = updates::GetDifference::new(state.pts, state.date, state.qts);
    let missed = client.call(&since).await.unwrap();
    assert!(matches!(missed, enums::updates::Difference::Empty(_)));
}

#[tokio::test(start_paused = true)]
async fn a_password_is_asked_for_after_the_code() {
    let server = server(36).await;
    let known = server.accounts()[0].clone();
    let mut client = Client::connect(&server, 1).await;
    client.sign_in(&known.phone, &known.code).await.unwrap();
    let secret = Password::new("two words");
    let form = client.call(&account::GetPassword).await.unwrap();
    let enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(mut algo) =
        form.new_algo
    else {
        panic!("unknown algorithm");
    };
    algo.salt1 = [&algo.salt1[..], &[9; 32]].concat().into();
    let group = Group::check(&algo.p, algo.g).unwrap();
    let algorithm = Algorithm { salt1: algo.salt1.to_vec(), salt2: algo.salt2.to_vec(), group };
    let verifier = algorithm.verifier(&algorithm.password_hash(&secret));
    let update = account::UpdatePasswordSettings {
        password: enums::InputCheckPasswordSrp::InputCheckPasswordEmpty,
        new_settings: types::account::PasswordInputSettings {
            new_algo: Some(enums::PasswordKdfAlgo::from(*algo)),
            new_password_hash: Some(verifier.to_vec().into()),
            hint: Some("count them".into()),
            ..types::account::PasswordInputSettings::new()
        },
    };
    assert!(client.call(&update).await.unwrap());

    let mut other = Client::connect(&server, 2).await;
    let half = other.sign_in(&known.phone, &known.code).await.unwrap_err();
    assert_eq!((half.code, half.message.as_str()), (401, "SESSION_PASSWORD_NEEDED"));
    other.refused(&account::GetWebAuthorizations, errors::AUTH_KEY_UNREGISTERED).await;
    let mut rng = ChaCha20Rng::from_seed([5; 32]);
    for (password, right) in [(Password::new("one word"), false), (secret, true)] {
        let form = other.call(&account::GetPassword).await.unwrap();
        assert_eq!(form.hint.as_deref(), Some("count them"));
        let b = form.srp_b.unwrap();
        let proof = srp::answer(&algorithm, &password, &b, &form.secure_random, &mut rng).unwrap();
        let check = chappe_api::auth::CheckPassword {
            password: types::InputCheckPasswordSrp {
                srp_id: form.srp_id.unwrap(),
                a: proof.a.to_vec().into(),
                m1: proof.m1.to_vec().into(),
            }
            .into(),
        };
        if right {
            other.call(&check).await.unwrap();
        } else {
            other.refused(&check, errors::PASSWORD_HASH_INVALID).await;
        }
    }
    assert!(!other.web().await.is_empty());
}
