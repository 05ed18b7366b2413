//! Signing in and out, step by step, with every wrong turn.

mod code;
mod email;
mod password;
mod qr;
mod questions;
mod resume;
mod tokens;

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use chappe::{Client, Error, PasswordStep, QrStep, SignIn, api::types};
use chappe_server::{Handle, Server, letters::Letter};

use crate::{
    telegram::{client_of, code, done},
    wire::Wire,
};

/// A local Telegram whose clock is that of the test, with pipes instead of sockets.
async fn timeless() -> Wire {
    let server = Server::builder().in_memory().seed(1).start_at(Duration::from_secs(START));
    Wire::new(server.start().await.unwrap())
}

/// A client of it.
async fn client(wire: &Wire) -> Client {
    wire.connect(client_of(wire.server())).await.unwrap()
}

/// Polls the future so often, and drops it when it could go on after that.
async fn given_up_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match left {
        0 => Poll::Ready(None),
        _ => {
            left -= 1;
            future.as_mut().poll(context).map(Some)
        }
    })
    .await
}

/// Begins to sign the demonstration account in and gives the code.
async fn with_code(client: &Client, server: &Handle) -> Result<SignIn, Error> {
    let account = &server.accounts()[0];
    code(client.sign_in_phone(&account.phone).await?).submit(&account.code).await
}

fn password(step: Result<SignIn, Error>) -> PasswordStep {
    match step.unwrap() {
        SignIn::Password(step) => step,
        other => panic!("{other:?}"),
    }
}

fn qr(step: Result<SignIn, Error>) -> QrStep {
    match step.unwrap() {
        SignIn::Qr(step) => step,
        other => panic!("{other:?}"),
    }
}

/// What was sent to this phone or mailbox last.
async fn letter(server: &Handle, to: &str) -> Letter {
    server.letters().last_to(to).await.unwrap().unwrap()
}

/// Makes the account that the step is about.
async fn sign_up(step: Result<SignIn, Error>) -> types::User {
    let SignIn::SignUp(step) = step.unwrap() else { panic!("there is an account") };
    done(step.submit("Ada", "Lovelace").await)
}

/// Whose the client is.
async fn owner(client: &Client) -> Option<i64> {
    let me: Option<types::User> = client.me().await.unwrap();
    me.map(|user| user.id)
}

/// When the clock of [`timeless`] begins.
const START: u64 = 1_800_000_000;
/// A number that nobody has.
const NOBODYS: &str = "+1 555 0100 201";
