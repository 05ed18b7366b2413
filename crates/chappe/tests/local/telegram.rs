//! A local Telegram, a client of it, and the way through a sign-in.

use chappe::{
    Builder, Client, SignIn, account,
    api::{enums, types},
};
use chappe_crypto::{dh::Group, srp};
use chappe_server::{Handle, Server};

/// A fresh local Telegram. The seed fixes its key, so that two of one seed share it.
pub(crate) async fn telegram(seed: u64) -> Handle {
    Server::builder().in_memory().seed(seed).start().await.unwrap()
}

/// A client of it, not connected yet.
pub(crate) fn client_of(server: &Handle) -> Builder {
    Client::builder(API_ID, API_HASH).server(server.address(), server.public_key_pem()).unwrap()
}

/// Signs the demonstration account in.
pub(crate) async fn sign_in(client: &Client, server: &Handle) -> types::User {
    let account = &server.accounts()[0];
    done(code(client.sign_in_phone(&account.phone).await.unwrap()).submit(&account.code).await)
}

/// Gives the account a password.
pub(crate) async fn set_password(client: &Client, password: &str, hint: &str) {
    let form = client.invoke(&account::GetPassword).await.unwrap();
    let enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(mut new) =
        form.new_algo
    else {
        panic!("{:?}", form.new_algo);
    };
    let salt1 = [&new.salt1[..], &[7; 32]].concat();
    let algorithm = srp::Algorithm {
        salt1: salt1.clone(),
        salt2: new.salt2.to_vec(),
        group: Group::check(&new.p, new.g).unwrap(),
    };
    let x = algorithm.password_hash(&password.into());
    new.salt1 = salt1.into();
    let mut settings = types::account::PasswordInputSettings::new();
    settings.new_algo = Some((*new).into());
    settings.new_password_hash = Some(algorithm.verifier(&x).to_vec().into());
    settings.hint = Some(hint.into());
    let request = account::UpdatePasswordSettings {
        password: enums::InputCheckPasswordSrp::InputCheckPasswordEmpty,
        new_settings: settings,
    };
    assert!(client.invoke(&request).await.unwrap());
}

pub(crate) fn code(step: SignIn) -> chappe::CodeStep {
    match step {
        SignIn::Code(code) => code,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn done(step: Result<SignIn, chappe::Error>) -> types::User {
    match step.unwrap() {
        SignIn::Done(user) => *user,
        other => panic!("{other:?}"),
    }
}

pub(crate) const API_ID: i32 = 12345;
pub(crate) const API_HASH: &str = "0123456789abcdef0123456789abcdef";
