//! By a phone number and a code; and the rest that is done in one call.

use std::time::Duration;

use chappe::{
    CodeStep, Delivery, Error, NextDelivery, Rejected, SignIn, account,
    api::{auth, types},
    errors,
    session::Store,
};
use chappe_server::{
    letters::Way,
    numbers::{Number, Terms},
};

use super::{NOBODYS, client, letter, sign_up, timeless};
use crate::telegram::{client_of, code, done, sign_in, telegram};

#[tokio::test]
async fn a_user_signs_in_by_code_and_out() {
    let server = telegram(1).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    let client = client_of(&server).session(&path).connect().await.unwrap();
    assert_eq!(client.me().await.unwrap(), None);

    let account = &server.accounts()[0];
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    assert_eq!(step.rejected(), None);
    assert_eq!(step.length(), Some(account.code.len()));
    let step = code(step.submit("00000").await.unwrap());
    assert_eq!(step.rejected(), Some(Rejected::Wrong));
    let step = code(step.submit(" ").await.unwrap());
    assert_eq!(step.rejected(), Some(Rejected::Wrong));
    let user = done(step.submit(&format!(" {}\n", account.code)).await);
    assert_eq!(user.id, account.user_id);
    assert_eq!(client.me().await.unwrap().unwrap().id, account.user_id);

    let session = chappe::session::File::new(&path);
    let kept = Store::load(&session).unwrap().unwrap();
    assert_eq!((kept.user_id(), kept.is_bot()), (Some(account.user_id), false));
    assert_eq!(kept.address(), server.address().to_string());

    // What is left lets the user come back without a code.
    client.sign_out().await.unwrap();
    assert!(!Store::load(&session).unwrap().unwrap().is_signed_in());
    assert_eq!(client.me().await.unwrap(), None);
    client.sign_out_and_forget().await.unwrap();
    assert!(!path.exists());
    assert_eq!(sign_in(&client, &server).await.id, account.user_id);
    assert!(path.exists());
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_code_that_was_tried_too_often_is_replaced() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let account = &server.accounts()[0];
    let mut step = code(client.sign_in_phone(&account.phone).await.unwrap());
    let mut tries = 0;
    while step.rejected() != Some(Rejected::Expired) {
        tries += 1;
        assert!(tries < 20, "wrong codes are accepted without end");
        step = code(step.submit("00000").await.unwrap());
    }
    let step = code(step.submit(&account.code).await.unwrap());
    assert_eq!(step.rejected(), Some(Rejected::Expired));
    let step = code(step.resend().await.unwrap());
    assert_eq!(step.rejected(), None);
    assert_eq!(done(step.submit(&account.code).await).id, account.user_id);
}

#[tokio::test]
async fn a_number_without_an_account_signs_up() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let step = code(client.sign_in_phone("+99966 2 0042").await.unwrap());
    let step = match step.submit("22222").await.unwrap() {
        SignIn::SignUp(step) => step,
        other => panic!("{other:?}"),
    };
    let step = match step.submit("", "").await.unwrap() {
        SignIn::SignUp(step) => step,
        other => panic!("{other:?}"),
    };
    assert_eq!(step.rejected(), Some(Rejected::FirstName));
    let user = done(step.submit("Ada", "Lovelace").await);
    assert_eq!(user.first_name.as_deref(), Some("Ada"));
    assert_eq!(client.me().await.unwrap().unwrap().id, user.id);
}

#[tokio::test]
async fn a_bot_signs_in_by_token() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let bot = &server.bots()[0];
    let error = client.sign_in_bot("1:nonsense").await.unwrap_err();
    assert!(error.is(errors::ACCESS_TOKEN_INVALID), "{error}");
    let user = client.sign_in_bot(&bot.token).await.unwrap();
    assert_eq!((user.id, user.bot), (bot.user_id, true));
    assert_eq!(client.me().await.unwrap().unwrap().id, bot.user_id);
}

#[tokio::test]
async fn what_is_no_phone_number_is_refused() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let error = client.sign_in_phone("hello").await.unwrap_err();
    assert!(error.is(errors::PHONE_NUMBER_INVALID), "{error}");
    assert!(error.explain().unwrap().contains("country code"));
}

/// The order of calls is Telegram's to check, and its refusal arrives typed.
#[tokio::test]
async fn nobody_is_signed_in_before_the_sign_in() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let error = client.invoke(&account::GetWebAuthorizations).await.unwrap_err();
    assert!(error.is(errors::AUTH_KEY_UNREGISTERED), "{error}");
    assert_eq!(error.code(), Some(401));
    let request = auth::SignIn {
        phone_number: "9996620001".into(),
        phone_code_hash: "none".into(),
        phone_code: Some("22222".into()),
        email_verification: None,
    };
    assert!(matches!(client.invoke(&request).await, Err(Error::Rpc(_))));
}

/// Allows every way that a code may take.
fn any_way() -> types::CodeSettings {
    types::CodeSettings {
        allow_flashcall: true,
        allow_missed_call: true,
        allow_firebase: true,
        ..types::CodeSettings::new()
    }
}

#[tokio::test]
async fn whatever_way_a_code_takes_is_told_and_its_code_is_right() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    for (way, length) in [
        (Way::Sms, Some(5)),
        (Way::Call, Some(5)),
        (Way::FlashCall, None),
        (Way::MissedCall, Some(5)),
        (Way::Fragment, Some(5)),
        (Way::SmsWord, None),
        (Way::SmsPhrase, None),
    ] {
        server.numbers().set(NOBODYS, Number::new().ways([way])).await.unwrap();
        let step = code(client.sign_in_phone_with(NOBODYS, any_way()).await.unwrap());
        let sent = letter(&server, NOBODYS).await;
        assert_eq!((sent.way, step.length()), (way, length), "{way:?}");
        let starts = |beginning: &str| !beginning.is_empty() && sent.code.starts_with(beginning);
        let fits = match (way, step.delivery()) {
            (Way::Sms, Delivery::Sms) | (Way::Call, Delivery::Call) => true,
            (Way::FlashCall, Delivery::FlashCall { pattern }) => {
                starts(pattern.trim_end_matches('*')) && pattern.len() == sent.code.len()
            }
            (Way::MissedCall, Delivery::MissedCall { prefix }) => {
                sent.caller.as_deref() == Some(&format!("{prefix}{}", sent.code))
            }
            (Way::Fragment, Delivery::Fragment { url }) => url.starts_with("https://"),
            (Way::SmsWord, Delivery::Word { beginning: Some(beginning) })
            | (Way::SmsPhrase, Delivery::Phrase { beginning: Some(beginning) }) => {
                starts(&beginning)
            }
            _ => false,
        };
        assert!(fits, "{way:?}: {:?}", step.delivery());
        let step = code(step.submit("nonsense").await.unwrap());
        assert_eq!(step.rejected(), Some(Rejected::Wrong), "{way:?}");
        assert!(matches!(step.submit(&sent.code).await.unwrap(), SignIn::SignUp(_)), "{way:?}");
    }
    // What only Telegram's own apps can do is told, and the next way is open.
    let number = Number::new().ways([Way::Firebase, Way::Sms]).timeout(0);
    server.numbers().set(NOBODYS, number).await.unwrap();
    let step = code(client.sign_in_phone_with(NOBODYS, any_way()).await.unwrap());
    assert_eq!(step.delivery(), Delivery::Firebase);
    assert_eq!(code(step.resend().await.unwrap()).delivery(), Delivery::Sms);
}

#[tokio::test]
async fn an_account_with_another_device_gets_its_code_there() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    sign_in(&first, &server).await;
    let second = client_of(&server).connect().await.unwrap();
    let account = &server.accounts()[0];
    let step = code(second.sign_in_phone(&account.phone).await.unwrap());
    assert_eq!(step.delivery(), Delivery::App);
    assert_eq!((step.next_delivery(), step.timeout()), (Some(NextDelivery::Sms), None));
    let step = code(step.resend().await.unwrap());
    assert_eq!((step.delivery(), step.next_delivery()), (Delivery::Sms, Some(NextDelivery::Call)));
    done(step.submit(&account.code).await);
}

#[tokio::test(start_paused = true)]
async fn a_code_is_sent_again_by_the_next_way_when_its_time_has_come() {
    let wire = timeless().await;
    let number = Number::new().ways([Way::Sms, Way::Call, Way::Fragment]).timeout(90);
    wire.server().numbers().set(NOBODYS, number).await.unwrap();
    let client = client(&wire).await;
    let mut step = code(client.sign_in_phone(NOBODYS).await.unwrap());
    for (delivery, next) in
        [(Delivery::Sms, NextDelivery::Call), (Delivery::Call, NextDelivery::Fragment)]
    {
        assert_eq!((step.delivery(), step.next_delivery()), (delivery, Some(next)));
        let wait = step.timeout().unwrap();
        assert_eq!(wait, Duration::from_secs(90));
        let error = step.resend().await.unwrap_err();
        assert!(error.is(errors::FLOOD_WAIT_X), "{error}");
        let left = error.retry_after().unwrap();
        assert!(left <= wait && left > wait - Duration::from_secs(5), "{left:?}");
        tokio::time::sleep(left).await;
        step = code(step.resend().await.unwrap());
    }
    assert!(matches!(step.delivery(), Delivery::Fragment { .. }));
    assert_eq!((step.next_delivery(), step.timeout()), (None, None));
    let error = step.resend().await.unwrap_err();
    assert!(error.is(errors::SEND_CODE_UNAVAILABLE), "{error}");
    assert!(error.explain().unwrap().contains("no other way"), "{error}");
    let sent = letter(wire.server(), NOBODYS).await;
    sign_up(step.submit(&sent.code).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_code_that_is_too_old_is_replaced() {
    let wire = timeless().await;
    let client = client(&wire).await;
    let account = &wire.server().accounts()[0];
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    tokio::time::sleep(Duration::from_secs(301)).await;
    let late = code(step.submit(&account.code).await.unwrap());
    assert_eq!(late.rejected(), Some(Rejected::Expired));
    // Also by who did not hear yet that it is too old.
    for late in [step, late] {
        let step = code(late.resend().await.unwrap());
        assert_eq!(step.rejected(), None);
        let other = code(step.submit("00000").await.unwrap());
        assert_eq!(other.rejected(), Some(Rejected::Wrong));
        assert_eq!(done(step.submit(&account.code).await).id, account.user_id);
        client.sign_out_and_forget().await.unwrap();
    }
}

#[tokio::test]
async fn the_code_of_another_phone_is_wrong() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let others = "+1 555 0100 202";
    let step = code(client.sign_in_phone(NOBODYS).await.unwrap());
    let other = code(client.sign_in_phone(others).await.unwrap());
    let (own, foreign) = (letter(&server, NOBODYS).await.code, letter(&server, others).await.code);
    assert_ne!(own, foreign);
    for (step, wrong) in [(&step, &foreign), (&other, &own)] {
        let step = code(step.submit(wrong).await.unwrap());
        assert_eq!(step.rejected(), Some(Rejected::Wrong));
    }
    // Both are good where they belong, for another device they are not.
    let second = client_of(&server).connect().await.unwrap();
    let third = code(second.sign_in_phone(NOBODYS).await.unwrap());
    let newer = letter(&server, NOBODYS).await.code;
    assert_ne!(newer, own);
    assert_eq!(code(third.submit(&own).await.unwrap()).rejected(), Some(Rejected::Wrong));
    assert!(matches!(step.submit(&own).await.unwrap(), SignIn::SignUp(_)));
    assert!(matches!(other.submit(&foreign).await.unwrap(), SignIn::SignUp(_)));
}

#[tokio::test]
async fn a_code_that_was_cancelled_is_good_for_nothing() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let account = &server.accounts()[0];
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    step.report_missing("").await.unwrap();
    step.report_missing("01").await.unwrap();
    step.cancel().await.unwrap();
    step.cancel().await.unwrap();
    let step = code(step.submit(&account.code).await.unwrap());
    assert_eq!(step.rejected(), Some(Rejected::Expired));
    done(code(step.resend().await.unwrap()).submit(&account.code).await);
}

#[tokio::test(start_paused = true)]
async fn codes_that_are_asked_for_too_often_are_refused_with_the_time_to_wait() {
    let wire = timeless().await;
    wire.server().numbers().set(NOBODYS, Number::new().codes_a_day(2)).await.unwrap();
    let client = client(&wire).await;
    for _ in 0..2 {
        code(client.sign_in_phone(NOBODYS).await.unwrap());
    }
    let error = client.sign_in_phone(NOBODYS).await.unwrap_err();
    assert!(error.is(errors::FLOOD_WAIT_X), "{error}");
    let wait = error.retry_after().unwrap();
    assert!(wait > Duration::from_secs(86_000), "{wait:?}");
    // It is known then, and not even sent.
    let error = client.sign_in_phone(NOBODYS).await.unwrap_err();
    assert!(!error.rpc().unwrap().sent, "{error}");
    tokio::time::sleep(wait).await;
    code(client.sign_in_phone(NOBODYS).await.unwrap());
}

#[tokio::test]
async fn numbers_that_cannot_sign_in_or_up_are_refused_by_name() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    for (number, name, words) in [
        (Number::new().banned(), errors::PHONE_NUMBER_BANNED, "banned"),
        (Number::new().no_sign_up(), errors::PHONE_NUMBER_APP_SIGNUP_FORBIDDEN, "may not register"),
    ] {
        server.numbers().set(NOBODYS, number).await.unwrap();
        let error = client.sign_in_phone(NOBODYS).await.unwrap_err();
        assert!(error.is(name), "{error}");
        assert!(error.explain().unwrap().contains(words), "{error}");
    }
}

#[tokio::test]
async fn whoever_signs_up_sees_what_is_accepted() {
    let server = telegram(1).await;
    let terms = Terms {
        text: "Be kind. https://example.org/terms says how.".to_owned(),
        min_age: Some(16),
        popup: true,
    };
    server.numbers().set(NOBODYS, Number::new().terms(terms.clone())).await.unwrap();
    let client = client_of(&server).connect().await.unwrap();
    let step = code(client.sign_in_phone(NOBODYS).await.unwrap());
    let sent = letter(&server, NOBODYS).await;
    let SignIn::SignUp(step) = step.submit(&sent.code).await.unwrap() else { panic!("no sign-up") };
    assert_eq!(step.terms(), Some(terms.text.as_str()));
    assert_eq!((step.min_age(), step.terms_popup()), (Some(16), true));
    assert_eq!(step.terms_entities().len(), 1, "the link");
    // A name that is not accepted loses nothing of it.
    for (first, last, why) in [
        ("", "", Rejected::FirstName),
        (" ", "Lovelace", Rejected::FirstName),
        ("Ada", &"x".repeat(65), Rejected::LastName),
    ] {
        let SignIn::SignUp(again) = step.submit(first, last).await.unwrap() else {
            panic!("no sign-up")
        };
        assert_eq!((again.rejected(), again.min_age()), (Some(why), Some(16)));
        assert_eq!(again.terms(), step.terms());
    }
    let user = done(step.submit("Ada", "").await);
    assert_eq!((user.first_name.as_deref(), user.last_name.as_deref()), (Some("Ada"), None));
    // Somebody else was faster: the number has an account now.
    let error = step.submit("Ada", "").await.unwrap_err();
    assert!(matches!(error, Error::BeginAgain), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_sign_up_that_took_too_long_begins_again() {
    let wire = timeless().await;
    let client = client(&wire).await;
    let step = code(client.sign_in_phone(NOBODYS).await.unwrap());
    let sent = letter(wire.server(), NOBODYS).await;
    let SignIn::SignUp(step) = step.submit(&sent.code).await.unwrap() else { panic!("no sign-up") };
    tokio::time::sleep(Duration::from_secs(301)).await;
    let error = step.submit("Ada", "Lovelace").await.unwrap_err();
    assert!(matches!(error, Error::BeginAgain), "{error}");
    assert!(error.to_string().contains("begin it again"), "{error}");
}

/// Of two devices that sign the same number up, one is too late, and signs in then.
#[tokio::test(start_paused = true)]
async fn a_number_that_another_device_signed_up_meanwhile_begins_again() {
    let wire = timeless().await;
    let mut steps = Vec::new();
    for _ in 0..2 {
        let client = client(&wire).await;
        let step = code(client.sign_in_phone(NOBODYS).await.unwrap());
        let sent = letter(wire.server(), NOBODYS).await;
        let SignIn::SignUp(step) = step.submit(&sent.code).await.unwrap() else {
            panic!("no sign-up")
        };
        steps.push((client, step));
    }
    let user = done(steps[0].1.submit("Ada", "Lovelace").await);
    let (client, late) = &steps[1];
    let error = late.submit("Ada", "Lovelace").await.unwrap_err();
    assert!(matches!(error, Error::BeginAgain), "{error}");
    let step = code(client.sign_in_phone(NOBODYS).await.unwrap());
    let sent = letter(wire.server(), NOBODYS).await;
    assert_eq!(done(step.submit(&sent.code).await).id, user.id);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_costs_money_says_how_much_and_goes_on_when_it_is_paid() {
    let wire = timeless().await;
    wire.server().numbers().set(NOBODYS, Number::new().payment()).await.unwrap();
    let client = client(&wire).await;
    let SignIn::PaymentRequired(step) = client.sign_in_phone(NOBODYS).await.unwrap() else {
        panic!("it costs nothing")
    };
    assert!(step.amount() > 0 && step.premium_days() > 0);
    assert!(!step.currency().is_empty() && !step.store_product().is_empty());
    assert!(step.support_email().contains('@') && !step.phone_code_hash().is_empty());
    let error = step.check(1).await.unwrap_err();
    assert!(error.is(errors::FLOOD_WAIT_X), "{error}");
    wire.server().numbers().set(NOBODYS, Number::new()).await.unwrap();
    let step = code(step.check(1).await.unwrap());
    sign_up(step.submit(&letter(wire.server(), NOBODYS).await.code).await).await;
}

fn is_expired(step: &CodeStep) -> bool {
    step.rejected() == Some(Rejected::Expired)
}

/// However often, and by whom: a code that was guessed too often is over.
#[tokio::test]
async fn a_code_is_not_guessed_by_asking_again() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let mut step = code(client.sign_in_phone(NOBODYS).await.unwrap());
    let right = letter(&server, NOBODYS).await.code;
    let mut guesses = (0..100).map(|guess| format!("{guess:05}")).filter(|guess| *guess != right);
    let mut count = 0;
    while !is_expired(&step) {
        step = code(step.submit(&guesses.next().unwrap()).await.unwrap());
        count += 1;
    }
    assert!(count <= 5, "{count} guesses");
    assert!(is_expired(&code(step.submit(&right).await.unwrap())));
}
