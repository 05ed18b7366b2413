//! Codes that go to a mailbox.

use std::time::{Duration, SystemTime};

use chappe::{
    Client, Delivery, EmailReset, EmailSetUpStep, EmailVerifyStep, Error, Rejected, SignIn, errors,
};
use chappe_server::{letters::Way, numbers::Number};
use tokio::time::Instant;

use super::{NOBODYS, START, client, letter, sign_up, timeless};
use crate::telegram::{client_of, code, telegram};

const ADDRESS: &str = "ada.lovelace@example.com";

fn set_up(step: Result<SignIn, Error>) -> EmailSetUpStep {
    match step.unwrap() {
        SignIn::EmailSetUp(step) => step,
        other => panic!("{other:?}"),
    }
}

fn verify(step: Result<SignIn, Error>) -> EmailVerifyStep {
    match step.unwrap() {
        SignIn::EmailVerify(step) => step,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_address_is_named_and_shown_and_gets_the_code() {
    let server = telegram(1).await;
    server.numbers().set(NOBODYS, Number::new().set_up_email()).await.unwrap();
    let client = client_of(&server).connect().await.unwrap();
    let step = set_up(client.sign_in_phone(NOBODYS).await);
    assert_eq!(step.rejected(), None);
    for (wrong, why) in [
        ("", Rejected::Address),
        ("ada", Rejected::Address),
        ("ada@example", Rejected::Address),
        ("ada@mail.invalid", Rejected::AddressNotAllowed),
    ] {
        assert_eq!(set_up(step.submit(wrong).await).rejected(), Some(why), "{wrong}");
    }
    let wrong = verify(step.submit("ada.l@example.com").await);
    let step = set_up(Ok(wrong.other_address()));
    let step = verify(step.submit(&format!(" {ADDRESS}\n")).await);
    let sent = letter(&server, ADDRESS).await;
    assert_eq!((sent.way, step.length()), (Way::Email, sent.code.len()));
    assert!(step.pattern().ends_with("@example.com") && step.pattern().contains('*'));
    assert!(!step.pattern().contains("lovelace"), "{}", step.pattern());

    for wrong in ["", "000000", &letter(&server, "ada.l@example.com").await.code] {
        assert_eq!(verify(step.submit(wrong).await).rejected(), Some(Rejected::Wrong));
    }
    let step = verify(step.resend().await);
    let newer = letter(&server, ADDRESS).await;
    assert_ne!(newer.id, sent.id);
    let step = code(step.submit(&newer.code).await.unwrap());
    let Delivery::Email { pattern } = step.delivery() else { panic!("{:?}", step.delivery()) };
    assert!(pattern.ends_with("@example.com"), "{pattern}");

    let sent = letter(&server, ADDRESS).await;
    assert_eq!(step.length(), Some(sent.code.len()));
    let step = code(step.submit("00000").await.unwrap());
    assert_eq!(step.rejected(), Some(Rejected::Wrong));
    let user = sign_up(step.submit(&sent.code).await).await;

    // From now on its codes go there.
    client.sign_out_and_forget().await.unwrap();
    let step = code(client.sign_in_phone(NOBODYS).await.unwrap());
    assert!(matches!(step.delivery(), Delivery::Email { .. }));
    let sent = letter(&server, ADDRESS).await;
    let found = crate::telegram::done(step.submit(&sent.code).await);
    assert_eq!(found.id, user.id);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_is_shown_too_late_or_guessed_is_named_again() {
    let wire = timeless().await;
    wire.server().numbers().set(NOBODYS, Number::new().set_up_email()).await.unwrap();
    let client = client(&wire).await;
    let first = set_up(client.sign_in_phone(NOBODYS).await);
    let mut step = verify(first.submit(ADDRESS).await);
    let mut tries = 0;
    while step.rejected() != Some(Rejected::Expired) {
        step = verify(step.submit("0000").await);
        tries += 1;
        assert!(tries < 20);
    }
    let step = verify(step.resend().await);
    assert_eq!(step.rejected(), None);
    // The whole sign-in took too long.
    tokio::time::sleep(Duration::from_secs(301)).await;
    let sent = letter(wire.server(), ADDRESS).await;
    for late in [step.submit(&sent.code).await, step.resend().await, first.submit(ADDRESS).await] {
        let error = late.unwrap_err();
        assert!(matches!(error, Error::BeginAgain), "{error}");
    }
    set_up(client.sign_in_phone(NOBODYS).await);
}

async fn by_email(client: &Client, server: &chappe_server::Handle, reset: u32) -> chappe::CodeStep {
    let number = Number::new().login_email(ADDRESS).email_reset(reset);
    server.numbers().set(NOBODYS, number).await.unwrap();
    let step = code(client.sign_in_phone(NOBODYS).await.unwrap());
    assert!(matches!(step.delivery(), Delivery::Email { .. }), "{:?}", step.delivery());
    step
}

#[tokio::test]
async fn an_address_that_is_lost_is_left_at_once_where_that_is_allowed() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let step = by_email(&client, &server, 0).await;
    assert_eq!(step.email_reset(), Some(EmailReset::After(Duration::ZERO)));
    let step = code(step.reset_email().await.unwrap());
    assert_eq!((step.delivery(), step.email_reset()), (Delivery::Sms, None));
    let error = step.reset_email().await.unwrap_err();
    assert!(error.is(errors::EMAIL_INSTALL_MISSING), "{error}");
    assert!(error.explain().unwrap().contains("do not go to an email"), "{error}");
    sign_up(step.submit(&letter(&server, NOBODYS).await.code).await).await;
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_lost_is_left_after_a_while() {
    let wire = timeless().await;
    let client = client(&wire).await;
    let begin = Instant::now();
    let week = Duration::from_secs(7 * 86_400);
    let step = by_email(&client, wire.server(), 7 * 86_400).await;
    assert_eq!(step.email_reset(), Some(EmailReset::After(week)));
    let step = code(step.reset_email().await.unwrap());
    assert!(matches!(step.delivery(), Delivery::Email { .. }));
    let Some(EmailReset::At(at)) = step.email_reset() else { panic!("{:?}", step.email_reset()) };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(START) + begin.elapsed();
    assert!(at.duration_since(now).unwrap().abs_diff(week) < Duration::from_secs(60));
    let error = step.reset_email().await.unwrap_err();
    assert!(error.is(errors::TASK_ALREADY_EXISTS), "{error}");
    // Until then codes go there, and they are good.
    code(step.submit("00000").await.unwrap());
    tokio::time::sleep(week).await;
    let step = code(client.sign_in_phone(NOBODYS).await.unwrap());
    assert_eq!(step.delivery(), Delivery::Sms);
}
