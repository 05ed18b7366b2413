//! The password of two-step verification: set, changed, confirmed, forgotten, reset.

use std::time::Duration;

use bytes::Bytes;
use chappe::{
    Client, Encode, Error, PasswordProblem, PasswordReset, RecoveryEmail, Rejected, SignIn,
    api::{enums, types},
    errors,
};
use chappe_crypto::dh::{Group, KNOWN_PRIME};
use chappe_server::{
    Handle, Server,
    faults::{Fault, Kind},
    letters::Subject,
};

use crate::{
    script::{Line, stage},
    telegram::{client_of, code, done, sign_in, telegram},
    wire::Wire,
};

const EMAIL: &str = "claude@example.com";

/// Expects that a password was not changed, and why.
#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, expected: PasswordProblem) {
    match outcome {
        Err(Error::Password(problem)) => assert_eq!(problem, expected),
        other => panic!("{other:?}"),
    }
}

/// A client with somebody signed in, on a clock that the test moves.
async fn owner() -> (Wire, Client) {
    let server = Server::builder().in_memory().seed(1).start_at(Duration::from_secs(1_800_000_000));
    let wire = Wire::new(server.start().await.unwrap());
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&client, wire.server()).await;
    (wire, client)
}

/// The code that was sent to the address last.
async fn letter(server: &Handle, subject: Subject) -> String {
    let letter = server.letters().last_to(EMAIL).await.unwrap().unwrap();
    assert_eq!(letter.subject, subject);
    letter.code
}

/// A code of the right form that is not this one.
fn other(code: &str) -> &'static str {
    if code == "000000" { "111111" } else { "000000" }
}

/// Begins a sign-in up to where the password is asked for.
async fn half(client: &Client, server: &Handle) -> chappe::PasswordStep {
    let account = &server.accounts()[0];
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    match step.submit(&account.code).await.unwrap() {
        SignIn::Password(step) => step,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_password_is_set_changed_and_removed() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    sign_in(&client, &server).await;
    let settings = client.password().await.unwrap();
    assert!(!settings.is_set() && !settings.has_recovery_email() && settings.hint().is_none());

    refused(client.set_password(None, "", "").await, PasswordProblem::Empty);
    let told = client.set_password(None, "correct horse", " correct horse").await;
    refused(told, PasswordProblem::HintIsPassword);
    let none = client.set_password(Some("old"), "correct horse", "").await;
    refused(none, PasswordProblem::NotSet);
    refused(client.remove_password("old").await, PasswordProblem::NotSet);
    refused(client.check_password("old").await, PasswordProblem::NotSet);
    client.set_password(None, "correct horse", "animal").await.unwrap();
    let settings = client.password().await.unwrap();
    assert_eq!((settings.is_set(), settings.hint()), (true, Some("animal")));
    assert!(!format!("{settings:?}").contains("animal"));
    assert!(client.check_password("correct horse").await.unwrap());
    assert!(!client.check_password("Correct horse").await.unwrap());

    refused(client.set_password(None, "battery", "").await, PasswordProblem::Needed);
    let wrong = client.set_password(Some("Correct horse"), "battery", "").await.unwrap_err();
    assert_eq!(wrong.explain().unwrap(), "the password is wrong");
    refused(client.remove_password("battery").await, PasswordProblem::Wrong);
    assert!(client.check_password("correct horse").await.unwrap(), "it is what it was");
    // Passwords are bytes: what looks the same may be another one.
    client.set_password(Some("correct horse"), "caf\u{e9} ", "").await.unwrap();
    assert!(!client.check_password("cafe\u{301} ").await.unwrap());
    assert!(!client.check_password("caf\u{e9}").await.unwrap());
    assert_eq!(client.password().await.unwrap().hint(), None);

    let second = client_of(&server).connect().await.unwrap();
    let step = half(&second, &server).await;
    let SignIn::Password(step) = step.submit("correct horse").await.unwrap() else {
        panic!("the old password is still good");
    };
    assert_eq!(step.rejected(), Some(Rejected::Wrong));
    done(step.submit("caf\u{e9} ").await);

    client.remove_password("caf\u{e9} ").await.unwrap();
    assert!(!second.password().await.unwrap().is_set());
    // The other device learns so when it tries.
    refused(second.remove_password("caf\u{e9} ").await, PasswordProblem::NotSet);
    let third = client_of(&server).connect().await.unwrap();
    sign_in(&third, &server).await;
}

/// `account.password` of an account whose check can be answered.
fn form() -> types::account::Password {
    let algorithm = |salt1: &'static [u8]| {
        types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
            salt1: Bytes::from_static(salt1),
            salt2: Bytes::from_static(&[2; 16]),
            g: Group::known().g(),
            p: KNOWN_PRIME.to_vec().into(),
        }
    };
    let new = enums::SecurePasswordKdfAlgo::Unknown;
    let mut form = types::account::Password::new(algorithm(&[4; 8]), new, vec![3; 256]);
    form.has_password = true;
    form.current_algo = Some(algorithm(&[1; 40]).into());
    form.srp_b = Some(vec![0x5a; 256].into());
    form.srp_id = Some(7);
    form
}

#[tokio::test]
async fn a_password_that_changes_meanwhile_is_shown_once_more() {
    let (asked, changed) = (Ok(form().to_bytes()), Err((400, "SRP_PASSWORD_CHANGED")));
    let yes: Line = Ok(true.to_bytes());
    let script =
        vec![asked.clone(), changed.clone(), asked.clone(), yes, asked.clone(), changed.clone()];
    let script = [script, vec![asked.clone(), changed.clone()], vec![asked.clone()]].concat();
    let invalid = Err((400, "PASSWORD_HASH_INVALID"));
    let stage = stage([script, vec![changed, asked, invalid]].concat(), Bytes::new()).await;
    stage.client.set_password(Some("old"), "new", "").await.unwrap();
    assert_eq!(stage.count(), 4);
    // Not without end.
    let error = stage.client.set_password(Some("old"), "new", "").await.unwrap_err();
    assert!(error.is(errors::SRP_PASSWORD_CHANGED), "{error}");
    assert_eq!(stage.count(), 8);
    refused(stage.client.remove_password("old").await, PasswordProblem::Wrong);

    // Each proof and each salt is another one, and the server's salt is part of every new one.
    let heard = stage.heard.lock().unwrap().clone();
    assert_ne!(heard[1], heard[3]);
    for request in [&heard[1], &heard[3]] {
        let at = request.windows(9).position(|part| part == [40, 4, 4, 4, 4, 4, 4, 4, 4]).unwrap();
        assert_ne!(request[at + 9..at + 41], [0; 32]);
    }
}

#[tokio::test]
async fn passport_data_is_not_lost_by_a_change() {
    let mut passport = form();
    passport.has_secure_values = true;
    let mut script: Vec<Line> = vec![Ok(passport.to_bytes()); 4];
    script.push(Err((400, "CODE_INVALID")));
    let stage = stage(script, Bytes::new()).await;
    let client = &stage.client;
    assert!(client.password().await.unwrap().has_passport_data());
    let problem = PasswordProblem::PassportData;
    refused(client.set_password(Some("old"), "new", "").await, problem);
    refused(client.remove_password("old").await, problem);
    assert_eq!(stage.count(), 3, "nothing was changed");
    // With a forgotten password it is lost already.
    let asked = client.recover_password("1", Some(("new", ""))).await;
    refused(asked, PasswordProblem::CodeWrong);
}

#[tokio::test]
async fn a_new_password_is_not_made_for_an_unsafe_server() {
    let mut composite = KNOWN_PRIME;
    composite[255] ^= 2;
    for (p, g) in [(&composite[..], 3), (&KNOWN_PRIME[1..], 3), (&KNOWN_PRIME[..], 2)] {
        let algorithm = types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
            salt1: Bytes::from_static(&[1; 8]),
            salt2: Bytes::from_static(&[2; 16]),
            g,
            p: p.to_vec().into(),
        };
        let unknown = enums::SecurePasswordKdfAlgo::Unknown;
        let form = types::account::Password::new(algorithm, unknown, vec![3; 256]);
        let stage = stage(vec![Ok(form.to_bytes())], Bytes::new()).await;
        let error = stage.client.set_password(None, "new", "").await.unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
        assert_eq!(stage.count(), 1, "nothing was sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_nobody_waited_for_is_told_by_the_password_itself() {
    let (wire, client) = owner().await;
    let lost = Fault::new(Kind::DelayAnswer { seconds: 60.0 })
        .method("account.updatePasswordSettings")
        .once();
    wire.server().faults().add(lost).await.unwrap();
    let call = client.set_password(None, "correct horse", "animal");
    assert!(tokio::time::timeout(Duration::from_secs(30), call).await.is_err());
    assert!(client.check_password("correct horse").await.unwrap());
    refused(client.set_password(None, "correct horse", "").await, PasswordProblem::Needed);
}

#[tokio::test(start_paused = true)]
async fn a_recovery_address_is_in_effect_when_it_is_confirmed() {
    let (wire, client) = owner().await;
    let server = wire.server();
    let nothing = client.set_recovery_email("correct horse", EMAIL).await;
    refused(nothing, PasswordProblem::NotSet);
    client.set_password(None, "correct horse", "").await.unwrap();
    refused(client.confirm_recovery_email("1").await, PasswordProblem::CodeExpired);
    refused(client.resend_recovery_email().await, PasswordProblem::CodeExpired);
    assert!(!client.cancel_recovery_email().await.unwrap());
    assert_eq!(client.recovery_email("correct horse").await.unwrap(), None);

    refused(client.set_recovery_email("wrong", EMAIL).await, PasswordProblem::Wrong);
    for email in ["", "  ", "claude", "@example.com"] {
        let invalid = client.set_recovery_email("correct horse", email).await;
        refused(invalid, PasswordProblem::InvalidEmail);
    }
    let begun = client.set_recovery_email("correct horse", EMAIL).await.unwrap();
    assert_eq!(begun, RecoveryEmail::Unconfirmed { code_length: Some(6) });
    let settings = client.password().await.unwrap();
    assert_eq!(settings.unconfirmed_email(), Some("c***e@example.com"));
    assert!(!settings.has_recovery_email());
    let sent = letter(server, Subject::RecoveryEmail).await;
    refused(client.confirm_recovery_email(other(&sent)).await, PasswordProblem::CodeWrong);
    refused(client.confirm_recovery_email("").await, PasswordProblem::CodeWrong);
    tokio::time::advance(Duration::from_secs(3600)).await;
    refused(client.confirm_recovery_email(&sent).await, PasswordProblem::CodeExpired);
    client.resend_recovery_email().await.unwrap();
    let sent = letter(server, Subject::RecoveryEmail).await;
    client.confirm_recovery_email(&format!(" {sent}\n")).await.unwrap();
    let settings = client.password().await.unwrap();
    assert!(settings.has_recovery_email() && settings.unconfirmed_email().is_none());
    assert_eq!(client.recovery_email("correct horse").await.unwrap().as_deref(), Some(EMAIL));
    refused(client.recovery_email("wrong").await, PasswordProblem::Wrong);
    let again = client.set_recovery_email("correct horse", EMAIL).await.unwrap();
    assert_eq!(again, RecoveryEmail::Set);

    let begun = client.set_recovery_email("correct horse", "c@example.org").await.unwrap();
    assert!(matches!(begun, RecoveryEmail::Unconfirmed { .. }));
    assert!(client.cancel_recovery_email().await.unwrap());
    assert_eq!(client.recovery_email("correct horse").await.unwrap().as_deref(), Some(EMAIL));
    client.remove_recovery_email("correct horse").await.unwrap();
    assert!(!client.password().await.unwrap().has_recovery_email());
}

#[tokio::test(start_paused = true)]
async fn who_is_signed_in_recovers_a_forgotten_password() {
    let (wire, client) = owner().await;
    let server = wire.server();
    refused(client.request_password_recovery().await, PasswordProblem::NotSet);
    client.set_password(None, "correct horse", "").await.unwrap();
    refused(client.request_password_recovery().await, PasswordProblem::NoRecoveryEmail);
    let begun = client.set_recovery_email("correct horse", EMAIL).await.unwrap();
    assert!(matches!(begun, RecoveryEmail::Unconfirmed { .. }));
    let sent = letter(server, Subject::RecoveryEmail).await;
    client.confirm_recovery_email(&sent).await.unwrap();

    refused(client.recover_password("000000", None).await, PasswordProblem::CodeExpired);
    assert_eq!(client.request_password_recovery().await.unwrap(), "c***e@example.com");
    let sent = letter(server, Subject::PasswordRecovery).await;
    refused(client.recover_password(other(&sent), None).await, PasswordProblem::CodeWrong);
    refused(client.recover_password(&sent, Some(("", ""))).await, PasswordProblem::Empty);
    client.recover_password(&sent, Some(("battery", "power"))).await.unwrap();
    assert!(client.check_password("battery").await.unwrap());
    assert_eq!(client.password().await.unwrap().hint(), Some("power"));
    let used_up = client.recover_password(&sent, None).await;
    refused(used_up, PasswordProblem::CodeExpired);

    client.request_password_recovery().await.unwrap();
    let sent = letter(server, Subject::PasswordRecovery).await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    refused(client.recover_password(&sent, None).await, PasswordProblem::CodeExpired);
    client.request_password_recovery().await.unwrap();
    let sent = letter(server, Subject::PasswordRecovery).await;
    client.recover_password(&sent, None).await.unwrap();
    assert!(!client.password().await.unwrap().is_set());
}

#[tokio::test(start_paused = true)]
async fn a_password_that_nobody_knows_goes_after_a_week_unless_somebody_declines() {
    let (wire, client) = owner().await;
    let second = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&second, wire.server()).await;
    refused(client.reset_password().await, PasswordProblem::NotSet);
    assert!(!client.decline_password_reset().await.unwrap());
    client.set_password(None, "forgotten", "").await.unwrap();
    let PasswordReset::Requested { until } = client.reset_password().await.unwrap() else {
        panic!("not asked for");
    };
    assert_eq!(second.password().await.unwrap().reset_at(), Some(until));
    assert!(second.decline_password_reset().await.unwrap());
    assert_eq!(client.password().await.unwrap().reset_at(), None);
    let PasswordReset::Refused { retry_at } = client.reset_password().await.unwrap() else {
        panic!("not refused");
    };
    assert!(retry_at < until);

    tokio::time::advance(Duration::from_secs(2 * 24 * 3600)).await;
    let asked = client.reset_password().await.unwrap();
    assert!(matches!(asked, PasswordReset::Requested { .. }));
    tokio::time::advance(Duration::from_secs(6 * 24 * 3600)).await;
    assert_eq!(client.reset_password().await.unwrap(), asked, "a day is left");
    assert!(client.password().await.unwrap().is_set());
    tokio::time::advance(Duration::from_secs(24 * 3600 + 1)).await;
    assert_eq!(client.reset_password().await.unwrap(), PasswordReset::Done);
    assert!(!client.password().await.unwrap().is_set());
}

#[tokio::test]
async fn a_bot_has_no_password() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    client.sign_in_bot(&server.bots()[0].token).await.unwrap();
    for error in [
        client.password().await.unwrap_err(),
        client.set_password(None, "new", "").await.unwrap_err(),
        client.device_sessions().await.unwrap_err(),
    ] {
        assert!(error.is(errors::BOT_METHOD_INVALID), "{error}");
    }
}
