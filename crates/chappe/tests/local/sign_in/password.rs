//! The password, and its recovery.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chappe::{
    Client, Encode, Error, NewPasswordStep, PasswordReset, RecoveryCodeStep, RecoveryEmail,
    Rejected, SignIn,
    api::{enums, types},
    errors,
};
use chappe_crypto::dh::KNOWN_PRIME;
use chappe_server::Handle;

use super::{client, letter, owner, password, timeless, with_code};
use crate::script::{Line, stage};
use crate::telegram::{client_of, code, done, sign_in, telegram};

#[tokio::test]
async fn a_password_is_asked_for_and_checked() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "animal").await.unwrap();

    let client = client_of(&server).connect().await.unwrap();
    let account = &server.accounts()[0];
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    let step = match step.submit(&account.code).await.unwrap() {
        SignIn::Password(step) => step,
        other => panic!("{other:?}"),
    };
    assert_eq!((step.hint(), step.rejected()), (Some("animal"), None));
    assert_eq!(client.me().await.unwrap(), None);
    let step = match step.submit("wrong horse").await.unwrap() {
        SignIn::Password(step) => step,
        other => panic!("{other:?}"),
    };
    assert_eq!((step.hint(), step.rejected()), (Some("animal"), Some(Rejected::Wrong)));
    assert_eq!(done(step.submit("correct horse").await).id, account.user_id);
    assert_eq!(client.me().await.unwrap().unwrap().id, account.user_id);
}

/// `account.password` with this prime, generator and public value.
fn challenge(p: &[u8], g: i32, b: &[u8]) -> Line {
    let algorithm = types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
        salt1: Bytes::from_static(&[1; 8]),
        salt2: Bytes::from_static(&[2; 8]),
        g,
        p: p.to_vec().into(),
    };
    let new = enums::SecurePasswordKdfAlgo::Unknown;
    let mut password = types::account::Password::new(algorithm.clone(), new, vec![3; 256]);
    password.has_password = true;
    password.current_algo = Some(algorithm.into());
    password.srp_b = Some(b.to_vec().into());
    password.srp_id = Some(7);
    Ok(password.to_bytes())
}

/// Item 23 of the checklist: whoever can choose the group or the value learns the password.
#[tokio::test]
async fn an_unsafe_password_challenge_is_not_answered() {
    let good = [0x5a; 256];
    let mut composite = KNOWN_PRIME;
    composite[255] ^= 2;
    let zero = [0; 256];
    for (p, g, b) in [
        (&composite[..], 3, &good[..]),
        (&KNOWN_PRIME[1..], 3, &good[..]),
        (&KNOWN_PRIME[..], 2, &good[..]),
        (&KNOWN_PRIME[..], 3, &zero[..]),
        (&KNOWN_PRIME[..], 3, &KNOWN_PRIME[..]),
        (&KNOWN_PRIME[..], 3, &[1; 257][..]),
    ] {
        let app = types::auth::SentCodeTypeApp { length: 5 };
        let sent = types::auth::SentCode::new(app, "hash").to_bytes();
        let asks = challenge(p, g, b);
        let script = vec![Ok(sent), Err((401, "SESSION_PASSWORD_NEEDED")), asks.clone(), asks];
        let stage = stage(script, Bytes::new()).await;
        let step = code(stage.client.sign_in_phone("+1 555 0100").await.unwrap());
        let SignIn::Password(step) = step.submit("12345").await.unwrap() else {
            panic!("no password is asked for");
        };
        let error = step.submit("correct horse").await.unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
        assert_eq!(stage.count(), 4, "nothing was proved to anybody");
    }
}

/// A challenge that was answered too late is asked for again, a few times.
#[tokio::test]
async fn a_challenge_that_is_over_is_asked_for_again() {
    let sent = types::auth::SentCode::new(types::auth::SentCodeTypeApp { length: 5 }, "hash");
    let asks = || challenge(&KNOWN_PRIME, 3, &[0x5a; 256]);
    let user = types::auth::Authorization::new(types::User::new(7));
    let over = |name| Err((400, name));
    let script = vec![
        Ok(sent.to_bytes()),
        Err((401, "SESSION_PASSWORD_NEEDED")),
        asks(),
        // Twice over, then right.
        asks(),
        over("SRP_ID_INVALID"),
        asks(),
        over("SRP_PASSWORD_CHANGED"),
        asks(),
        Ok(enums::auth::Authorization::from(user).to_bytes()),
        // Always over.
        asks(),
        over("SRP_ID_INVALID"),
        asks(),
        over("SRP_ID_INVALID"),
        asks(),
        over("SRP_ID_INVALID"),
    ];
    let stage = stage(script, Bytes::new()).await;
    let step = code(stage.client.sign_in_phone("+1 555 0100").await.unwrap());
    let step = password(step.submit("12345").await);
    assert_eq!(done(step.submit("correct horse").await).id, 7);
    let error = step.submit("correct horse").await.unwrap_err();
    assert!(error.is(errors::SRP_ID_INVALID), "{error}");
    assert_eq!(stage.count(), 15);
}

#[tokio::test]
async fn a_password_that_is_changed_or_removed_meanwhile_is_noticed() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    let user = sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "animal").await.unwrap();
    let client = client_of(&server).connect().await.unwrap();
    let step = password(with_code(&client, &server).await);
    first.set_password(Some("correct horse"), "battery staple", "tool").await.unwrap();
    let again = password(step.submit("correct horse").await);
    assert_eq!(again.rejected(), Some(Rejected::Wrong));
    assert_eq!(done(again.submit("battery staple").await).id, user.id);

    let other = client_of(&server).connect().await.unwrap();
    let step = password(with_code(&other, &server).await);
    first.remove_password("battery staple").await.unwrap();
    let error = step.submit("battery staple").await.unwrap_err();
    assert!(matches!(error, Error::BeginAgain), "{error}");
    done(with_code(&other, &server).await);
}

#[tokio::test]
async fn passwords_that_are_guessed_are_refused_with_the_time_to_wait() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "").await.unwrap();
    let client = client_of(&server).connect().await.unwrap();
    let step = password(with_code(&client, &server).await);
    assert_eq!(step.hint(), None);
    let mut guesses = 0;
    let error = loop {
        guesses += 1;
        assert!(guesses < 20, "passwords are guessed without end");
        match step.submit("wrong horse").await {
            Ok(again) => assert_eq!(again.rejected(), Some(Rejected::Wrong)),
            Err(error) => break error,
        }
    };
    assert!(error.is(errors::FLOOD_WAIT_X), "{error}");
    assert!(error.retry_after().unwrap() > Duration::from_secs(3_000), "{error}");
    // Nothing that is empty is ever the right one, or counted.
    assert_eq!(password(step.submit("").await).rejected(), Some(Rejected::Wrong));
    let other = client_of(&server).connect().await.unwrap();
    let error = other.sign_in_phone(&server.accounts()[0].phone).await.unwrap_err();
    assert!(error.is(errors::PHONE_PASSWORD_FLOOD), "{error}");
    assert!(error.explain().unwrap().contains("come back later"), "{error}");
}

pub(super) const ADDRESS: &str = "claude@example.com";

/// Telegram tells nothing of a password to a key that owes none any more.
#[tokio::test]
async fn a_step_of_the_password_that_nobody_waits_for_begins_again() {
    let sent = types::auth::SentCode::new(types::auth::SentCodeTypeApp { length: 5 }, "hash");
    let gone = || Err((401, "AUTH_KEY_UNREGISTERED"));
    let recovers = types::auth::PasswordRecovery { email_pattern: "a***z@example.com".into() };
    let script = vec![
        Ok(sent.to_bytes()),
        Err((401, "SESSION_PASSWORD_NEEDED")),
        challenge(&KNOWN_PRIME, 3, &[0x5a; 256]),
        gone(),
        Ok(recovers.to_bytes()),
        Ok(true.to_bytes()),
        gone(),
    ];
    let stage = stage(script, Bytes::new()).await;
    let step = code(stage.client.sign_in_phone("+1 555 0100").await.unwrap());
    let step = password(step.submit("12345").await);
    let error = step.submit("correct horse").await.unwrap_err();
    assert!(matches!(error, Error::BeginAgain), "{error}");
    let step = new_password(recovery(step.recover().await).submit("123456").await);
    let error = step.submit("correct horse", "").await.unwrap_err();
    assert!(matches!(error, Error::BeginAgain), "{error}");
    assert_eq!(stage.count(), 7);
}

fn recovery(step: Result<SignIn, Error>) -> RecoveryCodeStep {
    match step.unwrap() {
        SignIn::RecoveryCode(step) => step,
        other => panic!("{other:?}"),
    }
}

fn new_password(step: Result<SignIn, Error>) -> NewPasswordStep {
    match step.unwrap() {
        SignIn::NewPassword(step) => step,
        other => panic!("{other:?}"),
    }
}

/// Gives the account a password that can be recovered.
pub(super) async fn protect(client: &Client, server: &Handle) {
    client.set_password(None, "correct horse", "animal").await.unwrap();
    let begun = client.set_recovery_email("correct horse", ADDRESS).await.unwrap();
    assert!(matches!(begun, RecoveryEmail::Unconfirmed { .. }), "{begun:?}");
    let code = letter(server, ADDRESS).await.code;
    client.confirm_recovery_email(&code).await.unwrap();
}

#[tokio::test]
async fn a_forgotten_password_is_recovered_and_replaced() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    let user = sign_in(&first, &server).await;
    protect(&first, &server).await;
    let client = client_of(&server).connect().await.unwrap();
    let step = password(with_code(&client, &server).await);
    assert!(step.has_recovery());
    let step = recovery(step.recover().await);
    assert!(step.pattern().contains('*') && step.pattern().ends_with("example.com"));
    for wrong in ["", "000000"] {
        assert_eq!(recovery(step.submit(wrong).await).rejected(), Some(Rejected::Wrong));
    }
    // Whoever remembers it after all goes back.
    let back = password(Ok(step.password()));
    assert_eq!(password(back.submit("wrong horse").await).hint(), Some("animal"));
    let sent = letter(&server, ADDRESS).await;
    let step = new_password(step.submit(&format!(" {} ", sent.code)).await);
    assert_eq!(step.rejected(), None);
    let step = new_password(step.submit("", "").await);
    assert_eq!(step.rejected(), Some(Rejected::NewPassword));
    assert_eq!(done(step.submit("battery staple", "tool").await).id, user.id);
    assert_eq!(owner(&client).await, Some(user.id));
    // The code was good once.
    let used = step.submit("another horse", "").await;
    assert!(!matches!(used, Ok(SignIn::Done(_))), "{used:?}");

    let next = client_of(&server).connect().await.unwrap();
    let step = password(with_code(&next, &server).await);
    assert_eq!(step.hint(), Some("tool"));
    let step = password(step.submit("correct horse").await);
    done(step.submit("battery staple").await);
}

#[tokio::test]
async fn a_forgotten_password_is_recovered_and_removed() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    let user = sign_in(&first, &server).await;
    protect(&first, &server).await;
    let client = client_of(&server).connect().await.unwrap();
    let step = recovery(password(with_code(&client, &server).await).recover().await);
    let step = new_password(step.submit(&letter(&server, ADDRESS).await.code).await);
    assert_eq!(done(step.remove().await).id, user.id);
    let next = client_of(&server).connect().await.unwrap();
    assert_eq!(done(with_code(&next, &server).await).id, user.id);
}

#[tokio::test(start_paused = true)]
async fn a_recovery_code_that_is_guessed_or_too_old_is_replaced() {
    let wire = timeless().await;
    let first = client(&wire).await;
    sign_in(&first, wire.server()).await;
    protect(&first, wire.server()).await;
    let client = client(&wire).await;
    let begun = password(with_code(&client, wire.server()).await);
    let mut step = recovery(begun.recover().await);
    let mut tries = 0;
    while step.rejected() != Some(Rejected::Expired) {
        step = recovery(step.submit("000000").await);
        tries += 1;
        assert!(tries < 20, "recovery codes are guessed without end");
    }
    let late = step.submit(&letter(wire.server(), ADDRESS).await.code).await;
    assert_eq!(recovery(late).rejected(), Some(Rejected::Expired));
    // Another one is sent when the time is over that Telegram names, if it names one.
    let step = match step.resend().await {
        Err(error) => {
            tokio::time::sleep(error.retry_after().unwrap()).await;
            recovery(step.resend().await)
        }
        sent => recovery(sent),
    };
    let code = letter(wire.server(), ADDRESS).await.code;
    let right = new_password(step.submit(&code).await);
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    // It was right, and is too old by now.
    let step = recovery(right.submit("battery staple", "").await);
    assert_eq!(step.rejected(), Some(Rejected::Expired));
}

#[tokio::test]
async fn without_an_address_a_forgotten_password_is_for_another_device_to_reset() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "animal").await.unwrap();
    let client = client_of(&server).connect().await.unwrap();
    let step = password(with_code(&client, &server).await);
    assert_eq!((step.has_recovery(), step.reset_at()), (false, None));
    let error = step.recover().await.unwrap_err();
    assert!(error.is(errors::PASSWORD_RECOVERY_NA), "{error}");
    assert!(error.explain().unwrap().contains("a device that is signed in"), "{error}");
    // Begun there, it is seen here.
    let begun = first.reset_password().await.unwrap();
    assert!(!matches!(begun, PasswordReset::Done), "{begun:?}");
    let step = password(client.sign_in_resume().await.map(Option::unwrap));
    let week = step.reset_at().unwrap().duration_since(SystemTime::now()).unwrap();
    assert!(week.abs_diff(Duration::from_secs(7 * 86_400)) < Duration::from_secs(600), "{week:?}");
}
