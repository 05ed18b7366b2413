//! Signing in by phone, and the mailboxes that codes go to (core.telegram.org/api/auth).

use chappe_api::{account, auth, enums, errors, help, types};
use chappe_tl::{ErrorName, Text};

use super::{
    Call,
    auth::{at_home, authorization, check_app},
};
use crate::{
    failure::Outcome,
    letters::Way,
    numbers::Terms,
    world::{
        Asked, Delivery, EmailPurpose, MailboxReset, NewMessage, Sent, SentCode, Settings, SignIn,
        Typed,
    },
};

/// Where the owner of an anonymous number reads its code.
const FRAGMENT: &str = "https://fragment.com";

/// What is to be bought before a code is sent. Assumed: all but the names of the fields.
const PRODUCT: &str = "org.telegram.telegramPremium.oneWeek.auth";
const PREMIUM_DAYS: i32 = 7;
const SUPPORT: (&str, &str) = ("support@example.org", "Paid login");
const PRICE: (&str, i64) = ("USD", 99);

/// The terms of service, where a number has none of its own.
const TERMS: &str = "By signing up you accept that this local Telegram is for tests, keeps whatever \
                     it is told, and forgets it when somebody deletes its files: \
                     https://example.org/terms";

/// The id of all terms of service.
const TERMS_ID: &str = "{}";

/// What a login code begins with, in bold letters.
const LABEL: &str = "Login code:";

/// A token of Google or Apple is not one that this server could check. Observed: the name is one
/// that Telegram's own applications know.
const EMAIL_TOKEN_INVALID: ErrorName = ErrorName { code: 400, name: "EMAIL_TOKEN_INVALID" };

pub(super) fn send_code(
    call: &mut Call<'_>,
    request: auth::SendCode,
) -> Outcome<enums::auth::SentCode> {
    check_app(request.api_id, &request.api_hash)?;
    let phone = &request.phone_number;
    phone_at_home(call, phone)?;
    let settings = Settings {
        flash_call: request.settings.allow_flashcall,
        missed_call: request.settings.allow_missed_call,
        // What an iPhone shows Firebase is this token.
        firebase: request.settings.allow_firebase || request.settings.token.is_some(),
        tokens: request.settings.logout_tokens.as_deref().unwrap_or_default(),
    };
    match call.world.send_code(call.now, call.caller, phone, settings)? {
        Sent::Code(sent) => sent_code(call, phone, sent),
        Sent::Done(user_id) => {
            let authorization = authorization(call, user_id)?;
            Ok(types::auth::SentCodeSuccess { authorization }.into())
        }
    }
}

pub(super) fn resend_code(
    call: &mut Call<'_>,
    request: auth::ResendCode,
) -> Outcome<enums::auth::SentCode> {
    let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
    let sent = call.world.resend_code(call.now, call.caller, phone, hash)?;
    sent_code(call, phone, sent)
}

pub(super) fn cancel_code(call: &mut Call<'_>, request: auth::CancelCode) -> Outcome<bool> {
    let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
    call.world.cancel_code(call.now, call.caller, phone, hash)?;
    Ok(true)
}

pub(super) fn report_missing_code(
    call: &mut Call<'_>,
    request: auth::ReportMissingCode,
) -> Outcome<bool> {
    let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
    call.world.report_missing_code(call.now, call.caller, phone, hash)?;
    Ok(true)
}

pub(super) fn request_firebase_sms(
    call: &mut Call<'_>,
    request: auth::RequestFirebaseSms,
) -> Outcome<bool> {
    let tokens =
        [&request.safety_net_token, &request.play_integrity_token, &request.ios_push_secret];
    let shown = tokens.into_iter().flatten().any(|token| !token.is_empty());
    let code = (&*request.phone_number, &*request.phone_code_hash);
    call.world.send_firebase_sms(call.now, call.caller, code, shown)
}

pub(super) fn check_paid_auth(
    call: &mut Call<'_>,
    request: auth::CheckPaidAuth,
) -> Outcome<enums::auth::SentCode> {
    let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
    let sent = call.world.check_payment(call.now, call.caller, phone, hash)?;
    sent_code(call, phone, sent)
}

pub(super) fn reset_login_email(
    call: &mut Call<'_>,
    request: auth::ResetLoginEmail,
) -> Outcome<enums::auth::SentCode> {
    let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
    let sent = call.world.reset_login_email(call.now, call.caller, phone, hash)?;
    sent_code(call, phone, sent)
}

pub(super) fn sign_in(
    call: &mut Call<'_>,
    request: auth::SignIn,
) -> Outcome<enums::auth::Authorization> {
    let (phone, hash) = (&request.phone_number, &request.phone_code_hash);
    let typed = match &request.email_verification {
        Some(verification) => Typed::Email(code_of(verification)?),
        None => Typed::Phone(request.phone_code.as_deref().unwrap_or_default()),
    };
    phone_at_home(call, phone)?;
    match call.world.sign_in(call.now, call.caller, phone, hash, typed)? {
        SignIn::Done(user_id) => authorization(call, user_id),
        SignIn::SignUpRequired => {
            let terms = call.world.terms(phone)?.unwrap_or_else(|| Terms::new(TERMS));
            let mut answer = types::auth::AuthorizationSignUpRequired::new();
            answer.terms_of_service = Some(Box::new(terms_of_service(terms)));
            Ok(answer.into())
        }
    }
}

pub(super) fn sign_up(
    call: &mut Call<'_>,
    request: auth::SignUp,
) -> Outcome<enums::auth::Authorization> {
    phone_at_home(call, &request.phone_number)?;
    let user_id = call.world.sign_up(
        call.now,
        call.caller,
        &request.phone_number,
        &request.phone_code_hash,
        (&request.first_name, &request.last_name),
    )?;
    authorization(call, user_id)
}

pub(super) fn send_verify_email_code(
    call: &mut Call<'_>,
    request: account::SendVerifyEmailCode,
) -> Outcome<types::account::SentEmailCode> {
    let purpose = email_purpose(call, &request.purpose)?;
    let (email_pattern, length) =
        call.world.send_email_check(call.now, call.caller, purpose, &request.email)?;
    Ok(types::account::SentEmailCode { email_pattern: email_pattern.into(), length })
}

pub(super) fn verify_email(
    call: &mut Call<'_>,
    request: account::VerifyEmail,
) -> Outcome<enums::account::EmailVerified> {
    let purpose = email_purpose(call, &request.purpose)?;
    let code = code_of(&request.verification)?;
    let verified = call.world.verify_email(call.now, call.caller, purpose, code)?;
    let email = verified.email.into();
    Ok(match (verified.sent, purpose) {
        (Some(sent), EmailPurpose::SetUp(phone, _)) => {
            let sent_code = sent_code(call, phone, sent)?;
            types::account::EmailVerifiedLogin { email, sent_code }.into()
        }
        _ => types::account::EmailVerified { email }.into(),
    })
}

pub(super) fn invalidate_sign_in_codes(
    call: &mut Call<'_>,
    request: account::InvalidateSignInCodes,
) -> Outcome<bool> {
    if let Some(phone) = call.me()?.phone.clone() {
        call.world.invalidate_codes(&phone, &request.codes)?;
    }
    Ok(true)
}

/// Sends the owner of a phone number to the data centre where it lives. What is no phone number is
/// left to whoever reads it.
/// Assumed: for signing in and up, too, although a client gets there by the code only.
fn phone_at_home(call: &Call<'_>, phone: &str) -> Outcome<()> {
    match call.world.home_of_phone(phone)? {
        Some(home) => at_home(call, home, errors::PHONE_MIGRATE_X),
        None => Ok(()),
    }
}

/// What a mailbox is shown for. There is no passport here.
fn email_purpose<'a>(
    call: &Call<'_>,
    purpose: &'a enums::EmailVerifyPurpose,
) -> Outcome<EmailPurpose<'a>> {
    Ok(match purpose {
        enums::EmailVerifyPurpose::LoginSetup(setup) => {
            EmailPurpose::SetUp(&setup.phone_number, &setup.phone_code_hash)
        }
        enums::EmailVerifyPurpose::LoginChange => EmailPurpose::Change(call.my_id()?),
        _ => return Err(errors::METHOD_INVALID.into()),
    })
}

/// The code that came to a mailbox.
fn code_of(verification: &enums::EmailVerification) -> Outcome<&str> {
    match verification {
        enums::EmailVerification::Code(code) => Ok(&code.code),
        _ => Err(EMAIL_TOKEN_INVALID.into()),
    }
}

/// `auth.sentCode`, or what is asked for before there is one. A code for the application is told to
/// the account's sessions.
fn sent_code(call: &mut Call<'_>, phone: &str, sent: SentCode) -> Outcome<enums::auth::SentCode> {
    let asked = match sent.asked {
        Asked::Payment => {
            return Ok(types::auth::SentCodePaymentRequired {
                store_product: PRODUCT.into(),
                phone_code_hash: sent.hash.into(),
                support_email_address: SUPPORT.0.into(),
                support_email_subject: SUPPORT.1.into(),
                premium_days: PREMIUM_DAYS,
                currency: PRICE.0.into(),
                amount: PRICE.1,
            }
            .into());
        }
        Asked::SetUpEmail => types::auth::SentCodeTypeSetUpEmailRequired::new().into(),
        Asked::Code(delivery) => {
            if delivery.way == Way::App {
                tell_sessions(call, phone)?;
            }
            code_type(delivery)
        }
    };
    let mut answer = types::auth::SentCode::new(asked, sent.hash);
    answer.next_type = sent.next.map(next_type);
    answer.timeout = sent.timeout;
    Ok(answer.into())
}

/// Writes the account the letter that was just sent to its devices. Observed: it is a message of
/// Telegram itself, by which clients know it.
fn tell_sessions(call: &mut Call<'_>, phone: &str) -> Outcome<()> {
    let letter = call.world.last_letter_to(phone)?;
    if let (Some(letter), Some(user)) = (letter, call.world.user_of_phone(phone)?) {
        let mut message = NewMessage::text(letter.text);
        if message.text.starts_with(LABEL) {
            let length = i32::try_from(LABEL.len()).unwrap_or_default();
            message.entities.push(types::MessageEntityBold { offset: 0, length }.into());
        }
        call.world.service_message(call.now, user.id, message)?;
    }
    Ok(())
}

fn code_type(delivery: Delivery) -> enums::auth::SentCodeType {
    let Delivery { way, length, known, reset } = delivery;
    let known: Text = known.into();
    match way {
        Way::App => types::auth::SentCodeTypeApp { length }.into(),
        Way::Call => types::auth::SentCodeTypeCall { length }.into(),
        Way::Email => {
            let mut email = types::auth::SentCodeTypeEmailCode::new(known, length);
            match reset {
                Some(MailboxReset::Takes(period)) => email.reset_available_period = Some(period),
                Some(MailboxReset::Due(date)) => email.reset_pending_date = Some(date),
                None => {}
            }
            email.into()
        }
        Way::Firebase => {
            let mut firebase = types::auth::SentCodeTypeFirebaseSms::new(length);
            firebase.nonce = Some(known.as_bytes().to_vec().into());
            firebase.into()
        }
        Way::FlashCall => types::auth::SentCodeTypeFlashCall { pattern: known }.into(),
        Way::Fragment => {
            types::auth::SentCodeTypeFragmentSms { url: FRAGMENT.into(), length }.into()
        }
        Way::MissedCall => types::auth::SentCodeTypeMissedCall { prefix: known, length }.into(),
        Way::Sms => types::auth::SentCodeTypeSms { length }.into(),
        Way::SmsPhrase => types::auth::SentCodeTypeSmsPhrase { beginning: Some(known) }.into(),
        Way::SmsWord => types::auth::SentCodeTypeSmsWord { beginning: Some(known) }.into(),
    }
}

/// What the next code would be. Assumed: every SMS is called one.
fn next_type(way: Way) -> enums::auth::CodeType {
    match way {
        Way::Call => enums::auth::CodeType::Call,
        Way::FlashCall => enums::auth::CodeType::FlashCall,
        Way::Fragment => enums::auth::CodeType::FragmentSms,
        Way::MissedCall => enums::auth::CodeType::MissedCall,
        _ => enums::auth::CodeType::Sms,
    }
}

/// Whoever signed up has accepted them: there are no others to accept later.
pub(super) fn accept_terms_of_service(
    _: &mut Call<'_>,
    request: help::AcceptTermsOfService,
) -> Outcome<bool> {
    if request.id.data != TERMS_ID {
        return Err(errors::DATA_JSON_INVALID.into());
    }
    Ok(true)
}

fn terms_of_service(terms: Terms) -> types::help::TermsOfService {
    let id = types::DataJson { data: TERMS_ID.into() };
    let entities = links(&terms.text);
    let mut answer = types::help::TermsOfService::new(id, terms.text, entities);
    answer.popup = terms.popup;
    answer.min_age_confirm = terms.min_age.map(i32::from);
    answer
}

/// The addresses in a text, counted in UTF-16 (core.telegram.org/api/entities).
fn links(text: &str) -> Vec<enums::MessageEntity> {
    let units = |text: &str| i32::try_from(text.encode_utf16().count()).unwrap_or(i32::MAX);
    let link = |start: usize| {
        let (before, rest) = text.split_at(start);
        let address = rest.split(char::is_whitespace).next().unwrap_or(rest);
        types::MessageEntityUrl { offset: units(before), length: units(address) }.into()
    };
    text.match_indices("https://").map(|(start, _)| link(start)).collect()
}
