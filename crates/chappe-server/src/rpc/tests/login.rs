//! Sign-in by phone: the ways of a code, mailboxes, tokens, floods, and what is refused.

use super::{
    password::{NOBODY, form, proof, to, update},
    *,
};
use crate::{
    letters::{Letter, Way},
    numbers::{Name, Number, Terms},
};

/// A number that is none of the test range.
const ORDINARY: &str = "15550100200";
const MAILBOX: &str = "ada@example.org";
const MINUTE: i32 = 60;

impl Bench {
    fn order(&self, phone: &str, number: &Number) {
        let name = Name::read(phone).unwrap();
        number.check(&name).unwrap();
        self.world.set_number(&name, number).unwrap();
    }

    /// Asks for a code with these settings.
    fn ask(&mut self, caller: Caller, phone: &str, settings: types::CodeSettings) -> Asked {
        let request = auth::SendCode { settings, ..send_code(phone) };
        Asked::read(self.call(caller, &request).unwrap())
    }

    fn resend(&mut self, caller: Caller, phone: &str, hash: &str) -> Result<Asked, Failure> {
        self.call(caller, &auth::ResendCode::new(phone, hash)).map(Asked::read)
    }

    fn letter(&self) -> Letter {
        self.world.letters().unwrap().pop().unwrap()
    }

    fn letter_count(&self) -> usize {
        self.world.letters().unwrap().len()
    }

    fn shows(
        &mut self,
        caller: Caller,
        phone: &str,
        hash: &str,
        code: &str,
    ) -> Result<(), Failure> {
        let sign_in =
            auth::SignIn { phone_code: Some(code.into()), ..auth::SignIn::new(phone, hash) };
        self.call(caller, &sign_in).map(drop)
    }

    fn shows_email(&mut self, caller: Caller, hash: &str, code: &str) -> Result<(), Failure> {
        let verification = types::EmailVerificationCode { code: code.into() };
        let sign_in = auth::SignIn {
            email_verification: Some(verification.into()),
            ..auth::SignIn::new(PHONE, hash)
        };
        self.call(caller, &sign_in).map(drop)
    }

    fn set_password(&mut self, caller: Caller, password: &str) {
        let settings = to(&form(self, caller), password);
        assert!(self.call(caller, &update(NOBODY, settings)).unwrap());
    }

    fn proof(&mut self, caller: Caller, password: &str) -> enums::InputCheckPasswordSrp {
        proof(&form(self, caller), password)
    }

    fn verify(
        &mut self,
        caller: Caller,
        purpose: &enums::EmailVerifyPurpose,
        code: &str,
    ) -> Result<enums::account::EmailVerified, Failure> {
        let verification = types::EmailVerificationCode { code: code.into() }.into();
        self.call(caller, &account::VerifyEmail { purpose: purpose.clone(), verification })
    }
}

/// What `auth.sentCode` says.
struct Asked {
    hash: String,
    ty: enums::auth::SentCodeType,
    next: Option<enums::auth::CodeType>,
    timeout: Option<i32>,
}

impl Asked {
    fn read(sent: enums::auth::SentCode) -> Self {
        let enums::auth::SentCode::SentCode(sent) = sent else { panic!("{sent:?}") };
        let types::auth::SentCode { r#type: ty, phone_code_hash, next_type, timeout } = *sent;
        Self { hash: phone_code_hash.into(), ty, next: next_type, timeout }
    }

    /// The constructor without its prefix.
    fn name(&self) -> &'static str {
        use enums::auth::SentCodeType as T;
        match self.ty {
            T::App(_) => "app",
            T::Sms(_) => "sms",
            T::Call(_) => "call",
            T::FlashCall(_) => "flash_call",
            T::MissedCall(_) => "missed_call",
            T::EmailCode(_) => "email",
            T::SetUpEmailRequired(_) => "set_up_email",
            T::FragmentSms(_) => "fragment",
            T::FirebaseSms(_) => "firebase",
            T::SmsWord(_) => "sms_word",
            T::SmsPhrase(_) => "sms_phrase",
            _ => "unknown",
        }
    }
}

/// Settings of a client that can do everything.
fn able() -> types::CodeSettings {
    types::CodeSettings {
        allow_flashcall: true,
        allow_missed_call: true,
        allow_firebase: true,
        ..types::CodeSettings::new()
    }
}

fn plain() -> types::CodeSettings {
    types::CodeSettings::new()
}

fn flood_wait(seconds: i64) -> Failure {
    Failure::valued(errors::FLOOD_WAIT_X, seconds)
}

fn set_up(phone: &str, hash: &str) -> enums::EmailVerifyPurpose {
    types::EmailVerifyPurposeLoginSetup { phone_number: phone.into(), phone_code_hash: hash.into() }
        .into()
}

fn check_email(purpose: &enums::EmailVerifyPurpose, email: &str) -> account::SendVerifyEmailCode {
    account::SendVerifyEmailCode { purpose: purpose.clone(), email: email.into() }
}

#[test]
fn a_new_number_gets_an_sms_and_then_a_call_and_then_nothing() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    let sent = server.ask(caller, ORDINARY, able());
    assert_eq!((sent.name(), &sent.next, sent.timeout), ("sms", &Some(CALL), Some(MINUTE)));
    assert_eq!(server.resend(caller, ORDINARY, &sent.hash).err(), Some(flood_wait(60)));
    server.now += 59;
    assert_eq!(server.resend(caller, ORDINARY, &sent.hash).err(), Some(flood_wait(1)));
    server.now += 1;
    let call = server.resend(caller, ORDINARY, &sent.hash).unwrap();
    assert_eq!((call.name(), &call.next, call.timeout), ("call", &None, None));
    assert_eq!(call.hash, sent.hash);
    let none = server.resend(caller, ORDINARY, &sent.hash).err();
    assert_eq!(none, Some(errors::SEND_CODE_UNAVAILABLE.into()));
    assert_eq!(errors::SEND_CODE_UNAVAILABLE.code, 406);
    let report = auth::ReportMissingCode {
        phone_number: ORDINARY.into(),
        phone_code_hash: sent.hash.as_str().into(),
        mnc: "01".into(),
    };
    assert!(server.call(caller, &report).unwrap());
    // Nobody but the letters know the code: it is the same in both.
    let letters = server.world.letters().unwrap();
    assert_eq!(letters.iter().map(|it| it.way).collect::<Vec<_>>(), [Way::Sms, Way::Call]);
    assert_eq!(letters[0].code, letters[1].code);
    assert_eq!(letters[0].code.len(), 5);
    server.shows(caller, ORDINARY, &sent.hash, &letters[0].code).unwrap();
    server.refused(
        caller,
        &auth::ReportMissingCode { phone_code_hash: "0".into(), ..report },
        errors::PHONE_CODE_EXPIRED,
    );
    server.refused(caller, &auth::ResendCode::new(ORDINARY, ""), errors::PHONE_CODE_HASH_EMPTY);
}

const CALL: enums::auth::CodeType = enums::auth::CodeType::Call;
const SMS: enums::auth::CodeType = enums::auth::CodeType::Sms;

#[test]
fn what_a_client_does_not_show_by_itself_comes_as_an_update() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    server.order(ORDINARY, &Number::new().ways([Way::Sms]));
    let sent = server.ask(caller, ORDINARY, plain());
    let resend = auth::ResendCode::new(ORDINARY, sent.hash.as_str());
    let layers = Layers::new();
    for layer in [198, LAYER] {
        let body = InvokeWithLayer { layer, query: Raw(resend.to_bytes()) }.to_bytes();
        let reply = server.raw(caller, &body);
        assert_eq!(reply.result, Err(errors::SEND_CODE_UNAVAILABLE.into()));
        let [push] = &reply.pushes[..] else { panic!("{:?}", reply.pushes) };
        let to = (caller.auth_key_id, caller.session_id);
        assert_eq!((push.auth_key_id, push.session_id), to);
        let schema = layers.schema(layer);
        let ty = chappe_schema::Type::Boxed("Updates".to_owned());
        let mut input = chappe_tl::Reader::new(&push.body);
        let json = chappe_schema::value::Value::read(&schema, &ty, &mut input).unwrap().to_json();
        let notice = &json["update"];
        assert_eq!(
            (&notice["popup"], &notice["type"]),
            (&true.into(), &"SEND_CODE_UNAVAILABLE".into())
        );
        assert!(notice["message"].as_str().unwrap().contains("no other way"));
    }
    // Whoever wants no updates gets none, and a refusal of another class needs none.
    let silent = Caller { session_id: 2, ..caller };
    let body = InvokeWithoutUpdates { query: resend }.to_bytes();
    let reply = server.raw(silent, &body);
    assert_eq!(reply.result, Err(errors::SEND_CODE_UNAVAILABLE.into()));
    assert_eq!(reply.pushes, []);
    let reply = server.raw(caller, &me().to_bytes());
    assert_eq!((reply.result.is_err(), reply.pushes.len()), (true, 0));
}

#[test]
fn another_device_is_shown_the_code_first() {
    let mut server = Bench::new();
    let (first, second) = (server.stranger(1), server.caller(2));
    let reply = server.raw(second, &send_code(PHONE).to_bytes());
    let sent = enums::auth::SentCode::from_bytes(&reply.result.unwrap()).unwrap();
    let sent = Asked::read(sent);
    assert_eq!((sent.name(), &sent.next, sent.timeout), ("app", &Some(SMS), None));
    let [push] = &reply.pushes[..] else { panic!("{:?}", reply.pushes) };
    assert_eq!(push.auth_key_id, first.auth_key_id);
    // Telegram itself writes it, so that a device that is away finds it later.
    let enums::Updates::Updates(told) = enums::Updates::from_bytes(&push.body).unwrap() else {
        panic!("no updates");
    };
    let [enums::Update::NewMessage(new)] = &told.updates[..] else { panic!("{told:?}") };
    let enums::Message::Message(message) = &new.message else { panic!("{new:?}") };
    assert!(message.message.contains("33333") && message.entities.is_some(), "{message:?}");
    assert_eq!(message.peer_id, types::PeerUser { user_id: 777_000 }.into());
    assert_eq!((message.out, message.date, new.pts, new.pts_count), (false, NOW, 2, 1));
    let service = told.users.iter().find_map(|user| match user {
        enums::User::User(user) if user.id == 777_000 => Some(user),
        _ => None,
    });
    let service = service.expect("who wrote it");
    assert!(service.verified && service.support && service.phone.as_deref() == Some("42777"));
    // It need not be waited for.
    let sms = server.resend(second, PHONE, &sent.hash).unwrap();
    assert_eq!((sms.name(), &sms.next), ("sms", &Some(CALL)));

    // Whoever lets others see the code makes it void.
    let shown = account::InvalidateSignInCodes { codes: vec!["33333".into(), "".into()] };
    server.refused(second, &shown, errors::AUTH_KEY_UNREGISTERED);
    assert!(server.call(first, &shown).unwrap());
    let late = server.shows(second, PHONE, &sent.hash, "33333");
    assert_eq!(late, Err(errors::PHONE_CODE_EXPIRED.into()));
    // Its own device is none to look at.
    let again = server.ask(first, PHONE, plain());
    assert_eq!(again.name(), "sms");
}

#[test]
fn every_way_of_a_code_is_told_as_what_it_is() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    let ways = [
        Way::App,
        Way::Sms,
        Way::Call,
        Way::FlashCall,
        Way::MissedCall,
        Way::Fragment,
        Way::SmsWord,
        Way::SmsPhrase,
        Way::Firebase,
    ];
    server.order(ORDINARY, &Number::new().ways(ways).timeout(0).code("246813"));
    let mut sent = server.ask(caller, ORDINARY, able());
    let mut told = Vec::new();
    for (index, way) in ways.into_iter().enumerate() {
        assert_eq!(sent.name(), way.name());
        assert_eq!(sent.next.is_some(), index + 1 < ways.len());
        told.push(sent.next.clone());
        let letter = server.letter();
        use enums::auth::SentCodeType as T;
        let code = match &sent.ty {
            T::App(types::auth::SentCodeTypeApp { length })
            | T::Sms(types::auth::SentCodeTypeSms { length })
            | T::Call(types::auth::SentCodeTypeCall { length })
            | T::FragmentSms(types::auth::SentCodeTypeFragmentSms { length, .. }) => {
                assert_eq!((*length, letter.code.as_str()), (6, "246813"));
                letter.code.clone()
            }
            T::FlashCall(types::auth::SentCodeTypeFlashCall { pattern }) => {
                let number = letter.caller.clone().unwrap();
                assert_eq!(number.len(), pattern.len());
                let fits = |(a, b): (char, char)| a == b || b == '*';
                assert!(number.chars().zip(pattern.chars()).all(fits), "{number} {pattern}");
                assert_eq!(number, letter.code);
                format!("+{number}")
            }
            T::MissedCall(types::auth::SentCodeTypeMissedCall { prefix, length }) => {
                let number = letter.caller.clone().unwrap();
                assert_eq!(number, format!("{prefix}246813"));
                assert_eq!(*length, 6);
                letter.code.clone()
            }
            T::SmsWord(types::auth::SentCodeTypeSmsWord { beginning }) => {
                assert!(letter.code.starts_with(beginning.as_deref().unwrap()));
                assert!(letter.code.len() > 4 && !letter.code.contains(' '));
                letter.code.to_uppercase()
            }
            T::SmsPhrase(types::auth::SentCodeTypeSmsPhrase { beginning }) => {
                let words: Vec<_> = letter.code.split(' ').collect();
                assert_eq!((words.len(), words[0]), (3, beginning.as_deref().unwrap()));
                words.join("  ")
            }
            T::FirebaseSms(firebase) => {
                assert_eq!((firebase.length, firebase.nonce.as_ref().unwrap().len()), (6, 32));
                let before = server.letter_count();
                let request = |token: Option<&str>| auth::RequestFirebaseSms {
                    play_integrity_token: token.map(Text::from),
                    ..auth::RequestFirebaseSms::new(ORDINARY, sent.hash.as_str())
                };
                assert!(!server.call(caller, &request(None)).unwrap());
                assert!(!server.call(caller, &request(Some(""))).unwrap());
                assert_eq!(server.letter_count(), before);
                assert!(server.call(caller, &request(Some("token"))).unwrap());
                assert_eq!(server.letter().way, Way::Firebase);
                server.letter().code
            }
            other => panic!("{other:?}"),
        };
        // What is shown is right: without an account it leads to a sign-up.
        server.shows(caller, ORDINARY, &sent.hash, &code).unwrap();
        server.shows(caller, ORDINARY, &sent.hash, "246813").unwrap();
        if index + 1 < ways.len() {
            sent = server.resend(caller, ORDINARY, &sent.hash).unwrap();
        }
    }
    use enums::auth::CodeType as C;
    let names = [SMS, CALL, C::FlashCall, C::MissedCall, C::FragmentSms, SMS, SMS, SMS];
    assert_eq!(told[..8], names.map(Some));
}

#[test]
fn a_client_gets_no_call_that_it_does_not_allow() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    let ways = [Way::Firebase, Way::FlashCall, Way::MissedCall, Way::Fragment];
    server.order("1555*", &Number::new().ways(ways));
    assert_eq!(server.ask(caller, ORDINARY, plain()).name(), "fragment");
    assert_eq!(server.ask(caller, ORDINARY, able()).name(), "firebase");
    let iphone = types::CodeSettings {
        token: Some("token".into()),
        app_sandbox: Some(false),
        allow_missed_call: true,
        ..plain()
    };
    let sent = server.ask(caller, ORDINARY, iphone);
    assert_eq!(sent.name(), "firebase");
    assert_eq!(sent.next, Some(enums::auth::CodeType::MissedCall));
    // Nothing is left: it is an SMS.
    server.order(ORDINARY, &Number::new().ways([Way::FlashCall]));
    assert_eq!(server.ask(caller, ORDINARY, plain()).name(), "sms");
}

#[test]
fn test_numbers_keep_their_code_whatever_the_way() {
    let mut server = Bench::new();
    let ways = [Way::FlashCall, Way::MissedCall, Way::SmsWord, Way::SmsPhrase, Way::Call, Way::App];
    for (number, way) in (1..).zip(ways) {
        server.order("*", &Number::new().ways([way]));
        let caller = server.caller(number);
        let sent = server.ask(caller, PHONE, able());
        assert_eq!(sent.name(), way.name());
        let wrong = server.shows(caller, PHONE, &sent.hash, "44444");
        assert_eq!(wrong, Err(errors::PHONE_CODE_INVALID.into()), "{way:?}");
        server.shows(caller, PHONE, &sent.hash, "33333").unwrap();
    }
}

#[test]
fn numbers_are_refused_as_it_was_ordered() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    server.order(ORDINARY, &Number::new().banned());
    server.refused(caller, &send_code(ORDINARY), errors::PHONE_NUMBER_BANNED);
    server.order("1555*", &Number::new().no_sign_up());
    let other = "+1 555 0100 300";
    server.refused(caller, &send_code(other), errors::PHONE_NUMBER_APP_SIGNUP_FORBIDDEN);
    // An account that exists may sign in.
    server.stranger(2);
    server.order(PHONE, &Number::new().no_sign_up());
    assert_eq!(server.ask(caller, PHONE, plain()).name(), "app");

    let letters = server.letter_count();
    server.order(ORDINARY, &Number::new().payment());
    let request = send_code(ORDINARY);
    let enums::auth::SentCode::PaymentRequired(payment) = server.call(caller, &request).unwrap()
    else {
        panic!("no payment");
    };
    assert_eq!((&*payment.currency, payment.amount), ("USD", 99));
    let hash = payment.phone_code_hash.as_str();
    assert_eq!(server.letter_count(), letters, "no code was sent");
    let check = auth::CheckPaidAuth {
        phone_number: ORDINARY.into(),
        phone_code_hash: hash.into(),
        form_id: 1,
    };
    assert_eq!(server.call(caller, &check).unwrap_err(), flood_wait(10));
    let early = server.shows(caller, ORDINARY, hash, "12345");
    assert_eq!(early, Err(errors::PHONE_CODE_INVALID.into()));
    let early = server.resend(caller, ORDINARY, hash).err();
    assert_eq!(early, Some(errors::SEND_CODE_UNAVAILABLE.into()));
    server.order(ORDINARY, &Number::new());
    let sent = Asked::read(server.call(caller, &check).unwrap());
    assert_eq!((sent.name(), sent.hash.as_str()), ("sms", hash));
    server.refused(caller, &check, errors::PHONE_CODE_EXPIRED);
    let code = server.letter().code;
    server.shows(caller, ORDINARY, hash, &code).unwrap();
}

#[test]
fn codes_are_limited_by_day() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    server.order("*", &Number::new().codes_a_day(2));
    for (phone, name) in
        [(ORDINARY, errors::FLOOD_WAIT_X), (PHONE, errors::FLOOD_TEST_PHONE_WAIT_X)]
    {
        let began = server.now;
        server.ask(caller, phone, plain());
        server.now += 100;
        server.ask(caller, phone, plain());
        for _ in 0..2 {
            let flood = server.call(caller, &send_code(phone)).unwrap_err();
            assert_eq!(flood, Failure::valued(name, i64::from(DAY - 100)), "{phone}");
        }
        server.refused(caller, &send_code(phone), errors::PHONE_NUMBER_FLOOD);
        // Another number has not asked for anything.
        server.ask(caller, "15550100300", plain());
        server.now = began + DAY;
        server.ask(caller, phone, plain());
    }
    // Without an order: numbers of the test range as often as they like, others a hundred times.
    let mut server = Bench::new();
    let caller = server.caller(1);
    for _ in 0..100 {
        server.ask(caller, ORDINARY, plain());
        server.ask(caller, PHONE, plain());
    }
    server.ask(caller, PHONE, plain());
    assert_eq!(server.call(caller, &send_code(ORDINARY)).unwrap_err(), flood_wait(86_400));
}

#[test]
fn a_number_without_an_account_is_shown_terms() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    let terms = |server: &mut Bench| {
        let sent = server.send_code(caller, PHONE);
        let sign_in = auth::SignIn {
            phone_code: Some("33333".into()),
            ..auth::SignIn::new(PHONE, sent.as_str())
        };
        let enums::auth::Authorization::SignUpRequired(needed) =
            server.call(caller, &sign_in).unwrap()
        else {
            panic!("signed in");
        };
        (needed.terms_of_service.unwrap(), sent)
    };
    let (usual, _) = terms(&mut server);
    assert!(usual.text.contains("https://example.org/terms"));
    assert_eq!((usual.entities.len(), usual.min_age_confirm, usual.popup), (1, None, false));
    let own = Terms { min_age: Some(16), popup: true, ..Terms::new("🦉 https://a.example x") };
    server.order(PHONE, &Number::new().terms(own));
    let (own, hash) = terms(&mut server);
    assert_eq!((own.min_age_confirm, own.popup), (Some(16), true));
    let [enums::MessageEntity::Url(link)] = &own.entities[..] else { panic!("{:?}", own.entities) };
    assert_eq!((link.offset, link.length), (3, 17), "an owl is two units of UTF-16");
    let sign_up = auth::SignUp {
        no_joined_notifications: true,
        phone_number: PHONE.into(),
        phone_code_hash: hash,
        first_name: "Ada".into(),
        last_name: Text::default(),
    };
    // Somebody else was faster.
    let mut faster = sign_up.clone();
    let other = server.caller(2);
    faster.phone_code_hash = server.send_code(other, PHONE);
    server.refused(other, &faster, errors::PHONE_CODE_INVALID);
    server.shows(other, PHONE, &faster.phone_code_hash, "33333").unwrap();
    server.call(other, &faster).unwrap();
    server.refused(caller, &sign_up, errors::PHONE_NUMBER_OCCUPIED);
    // Who signed up accepts the terms that were shown, and no others.
    let accept = |id| help::AcceptTermsOfService { id };
    server.refused(caller, &accept(own.id.clone()), errors::AUTH_KEY_UNREGISTERED);
    assert!(server.call(other, &accept(own.id)).unwrap());
    let no_terms = types::DataJson { data: "{\"id\":1}".into() };
    server.refused(other, &accept(no_terms), errors::DATA_JSON_INVALID);
}

#[test]
fn letters_that_show_a_mailbox_are_limited_like_codes() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    server.order(PHONE, &Number::new().set_up_email().codes_a_day(2));
    let sent = server.ask(caller, PHONE, plain());
    let check = check_email(&set_up(PHONE, &sent.hash), MAILBOX);
    server.call(caller, &check).unwrap();
    let flood = server.call(caller, &check).unwrap_err();
    assert_eq!(flood, Failure::valued(errors::FLOOD_TEST_PHONE_WAIT_X, i64::from(DAY)));
    assert_eq!(server.letter_count(), 1);
}

#[test]
fn a_mailbox_is_set_up_before_a_code_is_sent() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    server.order(PHONE, &Number::new().set_up_email());
    let sent = server.ask(caller, PHONE, plain());
    assert_eq!((sent.name(), &sent.next, sent.timeout), ("set_up_email", &None, None));
    assert_eq!(server.letter_count(), 0);
    let early = server.shows(caller, PHONE, &sent.hash, "33333");
    assert_eq!(early, Err(errors::PHONE_CODE_INVALID.into()), "no code was sent yet");

    let purpose = set_up(PHONE, &sent.hash);
    for (email, name) in [
        ("", errors::EMAIL_INVALID),
        ("ada", errors::EMAIL_INVALID),
        ("ada@example", errors::EMAIL_INVALID),
        ("a da@example.org", errors::EMAIL_INVALID),
        ("ada@example.invalid", errors::EMAIL_NOT_ALLOWED),
    ] {
        server.refused(caller, &check_email(&purpose, email), name);
    }
    for wrong in [set_up(PHONE, "0123"), set_up("9996632222", &sent.hash)] {
        server.refused(caller, &check_email(&wrong, MAILBOX), errors::PHONE_HASH_EXPIRED);
    }
    let passport = check_email(&enums::EmailVerifyPurpose::Passport, MAILBOX);
    server.refused(caller, &passport, errors::METHOD_INVALID);
    assert_eq!(server.verify(caller, &purpose, "1"), Err(errors::EMAIL_VERIFY_EXPIRED.into()));
    let told = server.call(caller, &check_email(&purpose, "Ada@Example.org ")).unwrap();
    assert_eq!((&*told.email_pattern, told.length), ("a***a@example.org", 6));
    let letter = server.letter();
    assert_eq!((letter.to.as_str(), letter.way), (MAILBOX, Way::Email));
    let google = account::VerifyEmail {
        purpose: purpose.clone(),
        verification: types::EmailVerificationGoogle { token: "token".into() }.into(),
    };
    let refusal = server.call(caller, &google).unwrap_err();
    assert_eq!((refusal.code, &*refusal.message), (400, "EMAIL_TOKEN_INVALID"));
    for _ in 0..4 {
        assert_eq!(server.verify(caller, &purpose, "x"), Err(errors::CODE_INVALID.into()));
    }
    let verified = server.verify(caller, &purpose, &letter.code).unwrap();
    let enums::account::EmailVerified::Login(login) = verified else { panic!("{verified:?}") };
    assert_eq!(&*login.email, MAILBOX);
    let again = Asked::read(login.sent_code);
    assert_eq!((again.name(), &again.hash), ("email", &sent.hash));
    assert_eq!(server.letter().to, MAILBOX);
    // It cannot be set up twice.
    server.refused(caller, &check_email(&purpose, MAILBOX), errors::PHONE_HASH_EXPIRED);

    // A letter for one number says nothing about another one.
    let other = server.caller(3);
    server.order("*", &Number::new().set_up_email());
    let [mine, foreign] = ["9996634444", "9996635555"]
        .map(|phone| set_up(phone, &server.ask(other, phone, plain()).hash));
    server.call(other, &check_email(&mine, "eve@example.org")).unwrap();
    let code = server.letter().code;
    assert_eq!(server.verify(other, &foreign, &code), Err(errors::EMAIL_VERIFY_EXPIRED.into()));
    server.verify(other, &mine, &code).unwrap();

    // Five wrong codes are too many, and an old one is too old.
    let other = server.caller(2);
    server.order("9996632222", &Number::new().set_up_email());
    let sent = server.ask(other, "9996632222", plain());
    let purpose = set_up("9996632222", &sent.hash);
    server.call(other, &check_email(&purpose, "eve@example.org")).unwrap();
    let code = server.letter().code;
    for _ in 0..5 {
        assert_eq!(server.verify(other, &purpose, "x"), Err(errors::CODE_INVALID.into()));
    }
    assert_eq!(server.verify(other, &purpose, &code), Err(errors::EMAIL_VERIFY_EXPIRED.into()));
    // Each letter gives it time anew.
    server.now += 299;
    server.call(other, &check_email(&purpose, "eve@example.org")).unwrap();
    server.now += 300;
    let code = server.letter().code;
    assert_eq!(server.verify(other, &purpose, &code), Err(errors::PHONE_CODE_EXPIRED.into()));
}

#[test]
fn a_code_comes_by_email_and_goes_back_as_one() {
    let mut server = Bench::new();
    server.stranger(1);
    let caller = server.caller(2);
    server.order(PHONE, &Number::new().login_email("Ada@example.org").code("777777"));
    let sent = server.ask(caller, PHONE, able());
    let enums::auth::SentCodeType::EmailCode(email) = &sent.ty else { panic!("{}", sent.name()) };
    assert_eq!((&*email.email_pattern, email.length), ("a***a@example.org", 6));
    assert_eq!(email.reset_available_period, Some(7 * DAY));
    assert_eq!((email.reset_pending_date, &sent.next, sent.timeout), (None, &None, None));
    assert!(!email.google_signin_allowed && !email.apple_signin_allowed);
    assert_eq!(server.letter().to, MAILBOX);
    // As often as it is asked for.
    for _ in 0..2 {
        assert_eq!(server.resend(caller, PHONE, &sent.hash).unwrap().name(), "email");
    }
    let as_phone = server.shows(caller, PHONE, &sent.hash, "777777");
    assert_eq!(as_phone, Err(errors::PHONE_CODE_INVALID.into()));
    let wrong = server.shows_email(caller, &sent.hash, "777778");
    assert_eq!(wrong, Err(errors::PHONE_CODE_INVALID.into()));
    let nothing = server.shows_email(caller, &sent.hash, "");
    assert_eq!(nothing, Err(errors::PHONE_CODE_EMPTY.into()));
    let apple = auth::SignIn {
        email_verification: Some(types::EmailVerificationApple { token: "t".into() }.into()),
        ..auth::SignIn::new(PHONE, sent.hash.as_str())
    };
    assert_eq!(&*server.call(caller, &apple).unwrap_err().message, "EMAIL_TOKEN_INVALID");
    server.shows_email(caller, &sent.hash, "777777").unwrap();
    let form = server.call(caller, &account::GetPassword).unwrap();
    assert_eq!(form.login_email_pattern.as_deref(), Some("a***a@example.org"));

    // Another mailbox, from within.
    let change = enums::EmailVerifyPurpose::LoginChange;
    let nobody = server.caller(3);
    let request = check_email(&change, "grace@example.org");
    server.refused(nobody, &request, errors::AUTH_KEY_UNREGISTERED);
    server.call(caller, &request).unwrap();
    let code = server.letter().code;
    // What was sent for an account is not good for a sign-in.
    let sign_in = set_up(PHONE, &sent.hash);
    assert_eq!(server.verify(caller, &sign_in, &code), Err(errors::PHONE_CODE_EXPIRED.into()));
    server.now += 300;
    assert_eq!(server.verify(caller, &change, &code), Err(errors::EMAIL_VERIFY_EXPIRED.into()));
    server.call(caller, &request).unwrap();
    let code = server.letter().code;
    let verified = server.verify(caller, &change, &code).unwrap();
    assert!(matches!(verified, enums::account::EmailVerified::EmailVerified(it)
        if &*it.email == "grace@example.org"));
    assert_eq!(server.ask(nobody, PHONE, plain()).name(), "email");
    assert_eq!(server.letter().to, "grace@example.org");
    // An account that has none cannot change it.
    server.order(PHONE, &Number::new().login_email(""));
    server.refused(caller, &request, errors::EMAIL_NOT_SETUP);
    let form = server.call(caller, &account::GetPassword).unwrap();
    assert_eq!(form.login_email_pattern, None);
}

#[test]
fn a_mailbox_that_is_lost_is_reset() {
    let mut server = Bench::new();
    server.stranger(1);
    let caller = server.caller(2);
    let reset = |hash: &str| auth::ResetLoginEmail {
        phone_number: PHONE.into(),
        phone_code_hash: hash.into(),
    };
    let without = server.send_code(caller, PHONE);
    server.refused(caller, &reset(&without), errors::EMAIL_INSTALL_MISSING);

    // At once.
    server.order(PHONE, &Number::new().login_email(MAILBOX).email_reset(0));
    let sent = server.ask(caller, PHONE, plain());
    let again = Asked::read(server.call(caller, &reset(&sent.hash)).unwrap());
    assert_eq!((again.name(), &again.hash), ("app", &sent.hash));
    server.shows(caller, PHONE, &sent.hash, "33333").unwrap();
    let form = server.call(caller, &account::GetPassword).unwrap();
    assert_eq!(form.login_email_pattern, None);

    // After a week.
    let caller = server.caller(3);
    server.order(PHONE, &Number::new().login_email(MAILBOX));
    let sent = server.ask(caller, PHONE, plain());
    let pending = Asked::read(server.call(caller, &reset(&sent.hash)).unwrap());
    let enums::auth::SentCodeType::EmailCode(email) = &pending.ty else { panic!("no email") };
    assert_eq!(email.reset_pending_date, Some(NOW + 7 * DAY));
    assert_eq!(email.reset_available_period, None);
    server.refused(caller, &reset(&sent.hash), errors::TASK_ALREADY_EXISTS);
    server.now = NOW + 7 * DAY - 1;
    let sent = server.ask(caller, PHONE, plain());
    assert_eq!(sent.name(), "email");
    server.now += 1;
    // Whoever was shown the mailbox asks for the reset that is due, others have it behind them.
    let again = Asked::read(server.call(caller, &reset(&sent.hash)).unwrap());
    assert_eq!(again.name(), "app");
    assert_eq!(server.ask(caller, PHONE, plain()).name(), "app");

    // Whoever only wants the code again gets it there, too.
    server.order(PHONE, &Number::new().login_email(MAILBOX).email_reset(60));
    let sent = server.ask(caller, PHONE, plain());
    server.call(caller, &reset(&sent.hash)).unwrap();
    server.now += 60;
    let letters = server.letter_count();
    let again = server.resend(caller, PHONE, &sent.hash).unwrap();
    assert_eq!((again.name(), server.letter_count()), ("app", letters + 1));
}

#[test]
fn a_token_of_an_earlier_session_is_good_once_and_for_its_account() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    server.stranger(9);
    let with = |tokens: &[Bytes]| types::CodeSettings {
        logout_tokens: Some(tokens.to_vec()),
        ..types::CodeSettings::new()
    };
    let first = server.sign_in(caller, PHONE, "33333").unwrap().future_auth_token.unwrap();
    let second = server.call(caller, &auth::LogOut).unwrap().future_auth_token.unwrap();
    assert_ne!(first, second);
    // Whoever is not signed in has nothing to come back to.
    assert_eq!(server.call(caller, &auth::LogOut).unwrap().future_auth_token, None);
    let bot = server.bot(2);
    assert_eq!(server.call(bot, &auth::LogOut).unwrap().future_auth_token, None);

    let owner = server.world.demonstration_accounts().unwrap().remove(0);
    let sent = server.ask(caller, &owner.phone, with(&[first.clone(), second.clone()]));
    assert_eq!(sent.name(), "sms", "the tokens are another account's");
    let letters = server.letter_count();
    let ask = |tokens: &[Bytes]| auth::SendCode { settings: with(tokens), ..send_code(PHONE) };
    let strange = Bytes::from_static(b"strange");
    let reply = server.call(caller, &ask(&[strange.clone(), second.clone()])).unwrap();
    let enums::auth::SentCode::Success(success) = reply else { panic!("{reply:?}") };
    let enums::auth::Authorization::Authorization(done) = success.authorization else {
        panic!("not signed in");
    };
    assert_eq!(server.letter_count(), letters, "no code was sent");
    server.call(caller, &me()).unwrap();
    let third = done.future_auth_token.unwrap();
    // It is used up.
    let caller = server.caller(3);
    let mut used = server.ask(caller, PHONE, with(&[second]));
    assert_eq!(used.name(), "app");
    // Only the first twenty are looked at.
    let mut many = vec![strange; 20];
    many.push(first.clone());
    used = server.ask(caller, PHONE, with(&many));
    assert_eq!(used.name(), "app");
    // They end.
    server.now += 30 * DAY;
    assert_eq!(server.ask(caller, PHONE, with(&[first, third])).name(), "app");
    let fourth = server.sign_in(caller, PHONE, "33333").unwrap().future_auth_token.unwrap();
    server.now += DAY;
    // Whoever ends all other sessions wants nobody back.
    server.call(caller, &auth::ResetAuthorizations).unwrap();
    let caller = server.caller(4);
    assert_eq!(server.ask(caller, PHONE, with(&[fourth])).name(), "app");
}

#[test]
fn a_token_does_not_stand_for_the_password() {
    let mut server = Bench::new();
    let caller = server.stranger(1);
    server.set_password(caller, "pass word");
    let token = server.call(caller, &auth::LogOut).unwrap().future_auth_token.unwrap();
    let settings =
        types::CodeSettings { logout_tokens: Some(vec![token]), ..types::CodeSettings::new() };
    let request = auth::SendCode { settings, ..send_code(PHONE) };
    server.refused(caller, &request, errors::SESSION_PASSWORD_NEEDED);
    server.refused(caller, &me(), errors::AUTH_KEY_UNREGISTERED);
    let proof = server.proof(caller, "pass word");
    server.call(caller, &auth::CheckPassword { password: proof }).unwrap();
    server.call(caller, &me()).unwrap();
}

#[test]
fn a_password_that_is_guessed_too_often_shuts_the_door_for_an_hour() {
    let mut server = Bench::new();
    let caller = server.stranger(1);
    server.set_password(caller, "pass word");
    let other = server.caller(2);
    let half = server.sign_in(other, PHONE, "33333").unwrap_err();
    assert_eq!(half, errors::SESSION_PASSWORD_NEEDED.into());
    let guess = |server: &mut Bench, word: &str| {
        let password = server.proof(other, word);
        server.call(other, &auth::CheckPassword { password }).map(drop)
    };
    for _ in 0..9 {
        let wrong = guess(&mut server, "password");
        assert_eq!(wrong, Err(errors::PASSWORD_HASH_INVALID.into()));
    }
    // The right one begins the count anew.
    guess(&mut server, "pass word").unwrap();
    server.call(other, &auth::LogOut).unwrap();
    server.sign_in(other, PHONE, "33333").unwrap_err();
    for _ in 0..10 {
        let wrong = guess(&mut server, "password");
        assert_eq!(wrong, Err(errors::PASSWORD_HASH_INVALID.into()));
    }
    server.now += 600;
    assert_eq!(guess(&mut server, "pass word"), Err(flood_wait(3_000)));
    let third = server.caller(3);
    server.refused(third, &send_code(PHONE), errors::PHONE_PASSWORD_FLOOD);
    assert_eq!(errors::PHONE_PASSWORD_FLOOD.code, 406);
    server.now += 3_000;
    guess(&mut server, "pass word").unwrap();
    server.ask(third, PHONE, plain());
}

#[test]
fn every_layer_reads_the_codes_that_it_knows() {
    let mut server = Bench::new();
    server.stranger(250);
    let layers = Layers::new();
    let ways = [Way::App, Way::Sms, Way::Call, Way::FlashCall, Way::MissedCall, Way::Fragment];
    let newer = [Way::Firebase, Way::SmsWord, Way::SmsPhrase];
    for (number, layer) in (1..).zip(layers.held().collect::<Vec<_>>()) {
        let caller = server.key(number);
        let schema = layers.schema(layer);
        for way in ways.into_iter().chain(newer) {
            server.order(PHONE, &Number::new().ways([way]).login_email(""));
            let request = auth::SendCode { settings: able(), ..send_code(PHONE) }.to_bytes();
            let body = InvokeWithLayer { layer, query: connection(Raw(request)) }.to_bytes();
            let answer = server.raw(caller, &body).result;
            let answer = answer.unwrap_or_else(|error| panic!("{way:?} in {layer}: {error:?}"));
            let ty = chappe_schema::Type::Boxed("auth.SentCode".to_owned());
            let mut input = chappe_tl::Reader::new(&answer);
            chappe_schema::value::Value::read(&schema, &ty, &mut input).unwrap();
            input.finish().unwrap();
        }
    }
}

/// A device has tokens of the session that was ended, and of those that it had before.
#[test]
fn a_device_that_was_ended_does_not_come_back_by_its_tokens() {
    let mut server = Bench::new();
    let owner = server.stranger(1);
    let with = |tokens: &[&Bytes]| types::CodeSettings {
        logout_tokens: Some(tokens.iter().copied().cloned().collect()),
        ..types::CodeSettings::new()
    };
    let friend = server.caller(2);
    let friends = server.sign_in(friend, PHONE, "33333").unwrap().future_auth_token.unwrap();
    server.now += 1;
    let thief = server.caller(3);
    let first = server.sign_in(thief, PHONE, "33333").unwrap().future_auth_token.unwrap();
    let second = server.call(thief, &auth::LogOut).unwrap().future_auth_token.unwrap();
    // It comes back with another key.
    let thief = server.caller(4);
    let ask = |tokens: &[&Bytes]| auth::SendCode { settings: with(tokens), ..send_code(PHONE) };
    let enums::auth::SentCode::Success(success) =
        server.call(thief, &ask(&[&second, &first])).unwrap()
    else {
        panic!("a code was sent");
    };
    let enums::auth::Authorization::Authorization(done) = success.authorization else {
        panic!("not signed in");
    };
    let third = done.future_auth_token.unwrap();

    server.now += DAY;
    let devices = server.call(owner, &account::GetAuthorizations).unwrap().authorizations;
    let thiefs = devices.iter().max_by_key(|device| device.date_created).unwrap().hash;
    server.call(owner, &account::ResetAuthorization { hash: thiefs }).unwrap();
    server.refused(thief, &me(), errors::SESSION_REVOKED);
    for caller in [thief, server.caller(5)] {
        assert_eq!(server.ask(caller, PHONE, with(&[&third, &first])).name(), "app");
    }
    // Those of other devices are as good as before.
    let friend = server.caller(6);
    let reply = server.call(friend, &ask(&[&friends])).unwrap();
    assert!(matches!(reply, enums::auth::SentCode::Success(_)), "{reply:?}");
}
