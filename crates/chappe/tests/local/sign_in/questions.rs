//! A sign-in as questions.

use std::time::Duration;

use bytes::Bytes;
use chappe::{
    Begin, Client, CodeAnswer, CodeStep, EmailSetUpStep, EmailVerifyStep, Encode, Error,
    NewPassword, NewPasswordStep, PasswordAnswer, PasswordStep, QrStep, Questions,
    RecoveryCodeStep, Rejected, SignUpStep, api::types, errors,
};
use chappe_server::{
    Handle, Server,
    letters::{Mailbox, Way},
    numbers::Number,
};

use super::{NOBODYS, client, owner, timeless};
use crate::script::stage;
use crate::telegram::{client_of, sign_in, telegram};

/// Answers from a list, and remembers what was asked.
#[derive(Default)]
struct Person {
    begin: Vec<Begin>,
    codes: Vec<CodeAnswer>,
    passwords: Vec<PasswordAnswer>,
    names: Vec<(&'static str, &'static str)>,
    emails: Vec<&'static str>,
    /// Where it looks for codes that it has no other answer to.
    mailbox: Option<Mailbox>,
    new_password: Option<NewPassword>,
    /// Whom the QR code is shown to, and how often it is shown before that.
    scanner: Option<(Client, usize)>,
    asked: Vec<(&'static str, Option<Rejected>)>,
}

fn next<T>(answers: &mut Vec<T>) -> Option<T> {
    (!answers.is_empty()).then(|| answers.remove(0))
}

impl Person {
    async fn look(&mut self) -> Option<CodeAnswer> {
        Some(self.mailbox.as_mut()?.next().await.unwrap().code.into())
    }
}

impl Questions for Person {
    async fn begin(&mut self, rejected: Option<Rejected>) -> Option<Begin> {
        self.asked.push(("begin", rejected));
        next(&mut self.begin)
    }

    async fn code(&mut self, step: &CodeStep) -> Option<CodeAnswer> {
        self.asked.push(("code", step.rejected()));
        match next(&mut self.codes) {
            None => self.look().await,
            code => code,
        }
    }

    async fn password(&mut self, step: &PasswordStep) -> Option<PasswordAnswer> {
        self.asked.push(("password", step.rejected()));
        next(&mut self.passwords)
    }

    async fn show_qr(&mut self, step: &QrStep) -> Option<()> {
        self.asked.push(("qr", None));
        let (scanner, before) = self.scanner.as_mut()?;
        if *before == 0 {
            scanner.accept_login_token(&step.url()).await.unwrap();
        }
        *before = before.saturating_sub(1);
        Some(())
    }

    async fn names(&mut self, step: &SignUpStep) -> Option<(String, String)> {
        self.asked.push(("names", step.rejected()));
        next(&mut self.names).map(|(first, last)| (first.to_owned(), last.to_owned()))
    }

    async fn email(&mut self, step: &EmailSetUpStep) -> Option<String> {
        self.asked.push(("email", step.rejected()));
        next(&mut self.emails).map(ToOwned::to_owned)
    }

    async fn email_code(&mut self, step: &EmailVerifyStep) -> Option<CodeAnswer> {
        self.asked.push(("email code", step.rejected()));
        self.look().await
    }

    async fn recovery_code(&mut self, step: &RecoveryCodeStep) -> Option<CodeAnswer> {
        self.asked.push(("recovery", step.rejected()));
        self.look().await
    }

    async fn new_password(&mut self, step: &NewPasswordStep) -> Option<NewPassword> {
        self.asked.push(("new password", step.rejected()));
        self.new_password.take()
    }
}

fn phone(phone: &str) -> Begin {
    Begin::Phone(phone.to_owned())
}

fn typed<A: From<String>>(answers: &[&str]) -> Vec<A> {
    answers.iter().map(|answer| A::from((*answer).to_owned())).collect()
}

/// How often this method was called.
async fn calls(server: &Handle, method: &str) -> u64 {
    server.faults().calls().await.unwrap().methods.get(method).map_or(0, |calls| calls.executed)
}

#[tokio::test]
async fn somebody_who_answers_is_signed_in() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    let user = sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "animal").await.unwrap();
    let account = &server.accounts()[0];
    let client = client_of(&server).connect().await.unwrap();
    let mut person = Person {
        begin: vec![phone("hello"), phone(&account.phone)],
        codes: typed(&["00000", &account.code]),
        passwords: typed(&["wrong horse", "correct horse"]),
        ..Person::default()
    };
    assert_eq!(client.sign_in_with(&mut person).await.unwrap().id, user.id);
    assert_eq!(
        person.asked,
        [
            ("begin", None),
            ("begin", Some(Rejected::Phone)),
            ("code", None),
            ("code", Some(Rejected::Wrong)),
            ("password", None),
            ("password", Some(Rejected::Wrong)),
        ]
    );
    // Nothing is asked of whoever is signed in already.
    let mut nobody = Person::default();
    assert_eq!(client.sign_in_with(&mut nobody).await.unwrap().id, user.id);
    assert!(nobody.asked.is_empty());
}

#[tokio::test]
async fn somebody_who_gives_up_comes_back_where_it_was() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "animal").await.unwrap();
    let account = &server.accounts()[0];
    let client = client_of(&server).connect().await.unwrap();
    let mut person = Person {
        begin: vec![phone(&account.phone)],
        codes: typed(&[&account.code]),
        ..Person::default()
    };
    let error = client.sign_in_with(&mut person).await.unwrap_err();
    assert!(matches!(error, Error::GaveUp), "{error}");
    assert_eq!(owner(&client).await, None);
    let mut person = Person { passwords: typed(&["correct horse"]), ..Person::default() };
    client.sign_in_with(&mut person).await.unwrap();
    assert_eq!(person.asked, [("password", None)]);
}

/// A program that answers without looking, as scripts do, is stopped before Telegram does it.
#[tokio::test]
async fn wrong_answers_without_end_are_not_sent_without_end() {
    let server = telegram(1).await;
    let account = &server.accounts()[0];
    let client = client_of(&server).connect().await.unwrap();
    let stubborn = |answers: usize| Person {
        begin: vec![phone(&account.phone); answers],
        codes: typed(&vec!["00000"; answers]),
        ..Person::default()
    };
    let error = client.sign_in_with(&mut stubborn(100)).await.unwrap_err();
    assert!(matches!(error, Error::TooManyTries), "{error}");
    assert_eq!(calls(&server, "auth.sendCode").await, 1);
    assert!(calls(&server, "auth.signIn").await <= 5);

    let mut lost = Person { begin: vec![phone("hello"); 100], ..Person::default() };
    let error = client.sign_in_with(&mut lost).await.unwrap_err();
    assert!(matches!(error, Error::TooManyTries), "{error}");
    assert_eq!(lost.asked.len(), 5);

    let mut forgetful = Person {
        begin: vec![phone("+99966 2 0042")],
        codes: vec![CodeAnswer::Resend; 100],
        ..Person::default()
    };
    client.sign_in_with(&mut forgetful).await.unwrap_err();
    assert!(calls(&server, "auth.resendCode").await <= 5);
}

/// A flood wait is the caller's to wait for.
#[tokio::test]
async fn a_flood_is_told_and_not_waited_for() {
    let server = Server::builder().in_memory().seed(1);
    let server =
        server.limit("auth.sendCode", 1, Duration::from_secs(3_600)).start().await.unwrap();
    let account = &server.accounts()[0];
    let client = client_of(&server).connect().await.unwrap();
    client.sign_in_phone(&account.phone).await.unwrap();
    let mut person = Person { begin: vec![phone(&account.phone); 9], ..Person::default() };
    let error = client.sign_in_with(&mut person).await.unwrap_err();
    assert!(error.is(errors::FLOOD_WAIT_X), "{error}");
    assert!(error.retry_after().unwrap() > Duration::from_secs(3_000), "{error}");
    assert_eq!(person.asked, [("begin", None)]);
}

/// Whoever is impatient is asked for the code that is on its way.
#[tokio::test]
async fn another_code_that_is_asked_for_too_soon_ends_nothing() {
    let server = telegram(1).await;
    server.numbers().set(NOBODYS, Number::new().ways([Way::Sms, Way::Call])).await.unwrap();
    let client = client_of(&server).connect().await.unwrap();
    let mut person = Person {
        begin: vec![phone(NOBODYS)],
        codes: vec![CodeAnswer::Resend, CodeAnswer::Resend],
        names: vec![("Ada", "Lovelace")],
        mailbox: Some(server.letters().mailbox(NOBODYS)),
        ..Person::default()
    };
    client.sign_in_with(&mut person).await.unwrap();
    let too_soon = ("code", Some(Rejected::TooSoon));
    assert_eq!(person.asked[1..4], [("code", None), too_soon, too_soon]);

    // The client remembers for how long it is too soon; another one does not know.
    let client = client_of(&server).connect().await.unwrap();
    server.numbers().set(NOBODYS, Number::new().ways([Way::Sms])).await.unwrap();
    let mut person = Person {
        begin: vec![phone(NOBODYS)],
        codes: vec![CodeAnswer::Resend],
        mailbox: Some(server.letters().mailbox(NOBODYS)),
        ..Person::default()
    };
    client.sign_in_with(&mut person).await.unwrap();
    assert_eq!(person.asked[2], ("code", Some(Rejected::NoOtherWay)));
}

/// A code that expired cannot be used while the next is waited for: so the wait is told.
#[tokio::test]
async fn a_flood_behind_a_code_that_expired_is_told() {
    let sent = types::auth::SentCode::new(types::auth::SentCodeTypeSms { length: 5 }, "hash");
    let nobody = || Err((401, "AUTH_KEY_UNREGISTERED"));
    let expired = Err((400, "PHONE_CODE_EXPIRED"));
    let script =
        vec![nobody(), nobody(), Ok(sent.to_bytes()), expired, Err((420, "FLOOD_WAIT_86400"))];
    let stage = stage(script, Bytes::new()).await;
    let mut person = Person {
        begin: vec![phone("+1 555 0100")],
        codes: vec![String::from("12345").into(), CodeAnswer::Resend],
        ..Person::default()
    };
    let error = stage.client.sign_in_with(&mut person).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(86_400)), "{error}");
    assert_eq!(person.asked[1..], [("code", None), ("code", Some(Rejected::Expired))]);
}

#[tokio::test]
async fn a_new_account_a_bot_and_a_wrong_token_are_answers_too() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let mut person = Person {
        begin: vec![phone("+99966 2 0042")],
        codes: typed(&["22222"]),
        names: vec![("", ""), ("Ada", "Lovelace")],
        ..Person::default()
    };
    let user = client.sign_in_with(&mut person).await.unwrap();
    assert_eq!(user.first_name.as_deref(), Some("Ada"));
    assert_eq!(person.asked[2..], [("names", None), ("names", Some(Rejected::FirstName))]);
    client.sign_out_and_forget().await.unwrap();

    let bot = &server.bots()[0];
    let mut person = Person {
        begin: vec![Begin::Bot("1:nonsense".to_owned()), Begin::Bot(bot.token.clone())],
        ..Person::default()
    };
    assert_eq!(client.sign_in_with(&mut person).await.unwrap().id, bot.user_id);
    assert_eq!(person.asked, [("begin", None), ("begin", Some(Rejected::Token))]);
}

#[tokio::test(start_paused = true)]
async fn a_code_to_scan_is_shown_until_somebody_scans_it() {
    let wire = timeless().await;
    let (old, new) = (client(&wire).await, client(&wire).await);
    let user = sign_in(&old, wire.server()).await;
    old.set_password(None, "correct horse", "animal").await.unwrap();
    let mut person = Person {
        begin: vec![Begin::Qr { except: vec![] }],
        passwords: typed(&["correct horse"]),
        scanner: Some((old, 7)),
        ..Person::default()
    };
    assert_eq!(new.sign_in_with(&mut person).await.unwrap().id, user.id);
    assert_eq!(person.asked.iter().filter(|(what, _)| *what == "qr").count(), 8);

    let mut blind = Person { begin: vec![Begin::Qr { except: vec![] }], ..Person::default() };
    let other = client(&wire).await;
    assert!(matches!(other.sign_in_with(&mut blind).await, Err(Error::GaveUp)));
}

#[tokio::test]
async fn a_forgotten_password_is_an_answer_too() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    let user = sign_in(&first, &server).await;
    super::password::protect(&first, &server).await;
    let account = &server.accounts()[0];
    let client = client_of(&server).connect().await.unwrap();
    let mut person = Person {
        begin: vec![phone(&account.phone)],
        codes: vec![CodeAnswer::Resend, CodeAnswer::from(account.code.clone())],
        passwords: vec![PasswordAnswer::Recover],
        new_password: Some(NewPassword::Remove),
        mailbox: Some(server.letters().mailbox(super::password::ADDRESS)),
        ..Person::default()
    };
    assert_eq!(client.sign_in_with(&mut person).await.unwrap().id, user.id);
    let asked: Vec<_> = person.asked.iter().map(|(what, _)| *what).collect();
    assert_eq!(asked, ["begin", "code", "code", "password", "recovery", "new password"]);
}

#[tokio::test]
async fn an_address_for_codes_is_an_answer_too() {
    let server = telegram(1).await;
    server.numbers().set(NOBODYS, Number::new().set_up_email()).await.unwrap();
    let client = client_of(&server).connect().await.unwrap();
    let address = "ada@example.com";
    let mut person = Person {
        begin: vec![phone(NOBODYS)],
        emails: vec!["nonsense", address],
        names: vec![("Ada", "Lovelace")],
        mailbox: Some(server.letters().mailbox(address)),
        ..Person::default()
    };
    client.sign_in_with(&mut person).await.unwrap();
    let asked: Vec<_> = person.asked.iter().map(|(what, _)| *what).collect();
    assert_eq!(asked, ["begin", "email", "email", "email code", "code", "names"]);
    assert_eq!(person.asked[2].1, Some(Rejected::Address));
}

#[test]
fn answers_show_no_secret() {
    let answers = (
        phone("+1 555 0100"),
        Begin::Bot("7:token".to_owned()),
        CodeAnswer::from("12345".to_owned()),
        PasswordAnswer::from("correct horse".to_owned()),
        NewPassword::Set { password: "better horse".to_owned(), hint: "animal".to_owned() },
    );
    assert_eq!(format!("{answers:?}"), "(Phone, Bot, Code, Password, Set)");
}
