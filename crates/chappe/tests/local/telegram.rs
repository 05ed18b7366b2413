//! A local Telegram, a client of it, and the way through a sign-in.

use std::cell::Cell;

use chappe::{Builder, Client, SignIn, api::types};
use chappe_server::{Handle, Server};

/// A fresh local Telegram. The seed fixes its key, so that two of one seed share it.
pub(crate) async fn telegram(seed: u64) -> Handle {
    Server::builder().in_memory().seed(seed).start().await.unwrap()
}

/// A client of it, not connected yet.
pub(crate) fn client_of(server: &Handle) -> Builder {
    let builder = Client::builder(API_ID, API_HASH).seed_pauses(pauses());
    builder.server(server.address(), server.public_key_pem()).unwrap()
}

/// What the pauses of the next client of this story are drawn from. Where the story fails it is shown, and
/// with the first one in `CHAPPE_TEST_SEED` its clients pause as they did.
pub(crate) fn pauses() -> u64 {
    thread_local!(static NEXT: Cell<Option<u64>> = const { Cell::new(None) });
    let seed = NEXT.get().unwrap_or_else(|| match std::env::var("CHAPPE_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => getrandom::u64().unwrap(),
    });
    NEXT.set(Some(seed.wrapping_add(1)));
    println!("CHAPPE_TEST_SEED={seed}");
    seed
}

/// Signs the demonstration account in.
pub(crate) async fn sign_in(client: &Client, server: &Handle) -> types::User {
    let account = &server.accounts()[0];
    done(code(client.sign_in_phone(&account.phone).await.unwrap()).submit(&account.code).await)
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
