//! Two-step verification: changed, recovered and reset, with every refusal.

use chappe_crypto::{
    dh::Group,
    srp::{self, Algorithm, Password},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use types::account::PasswordInputSettings;

use super::*;
use crate::letters::{Subject, Way};

const EMAIL: &str = "claude@example.com";
pub(super) const NOBODY: enums::InputCheckPasswordSrp =
    enums::InputCheckPasswordSrp::InputCheckPasswordEmpty;

pub(super) fn form(server: &mut Bench, caller: Caller) -> types::account::Password {
    server.call(caller, &account::GetPassword).unwrap()
}

fn algorithm(algo: &enums::PasswordKdfAlgo) -> Algorithm {
    let enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algo) = algo
    else {
        panic!("unknown algorithm");
    };
    let group = Group::check(&algo.p, algo.g).unwrap();
    Algorithm { salt1: algo.salt1.to_vec(), salt2: algo.salt2.to_vec(), group }
}

/// The settings that make this the password.
pub(super) fn to(form: &types::account::Password, password: &str) -> PasswordInputSettings {
    let mut algorithm = algorithm(&form.new_algo);
    algorithm.salt1.extend([9; 32]);
    let verifier = algorithm.verifier(&algorithm.password_hash(&Password::new(password)));
    let algo = types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
        salt1: algorithm.salt1.into(),
        salt2: algorithm.salt2.into(),
        g: algorithm.group.g(),
        p: algorithm.group.p().to_vec().into(),
    };
    PasswordInputSettings {
        new_algo: Some(algo.into()),
        new_password_hash: Some(verifier.to_vec().into()),
        hint: Some("two words".into()),
        ..PasswordInputSettings::new()
    }
}

/// The settings that remove the password.
fn none() -> PasswordInputSettings {
    PasswordInputSettings {
        new_algo: Some(enums::PasswordKdfAlgo::Unknown),
        new_password_hash: Some(Bytes::new()),
        hint: Some(Text::default()),
        ..PasswordInputSettings::new()
    }
}

fn email(address: &str) -> PasswordInputSettings {
    PasswordInputSettings { email: Some(address.into()), ..PasswordInputSettings::new() }
}

pub(super) fn update(
    password: enums::InputCheckPasswordSrp,
    new_settings: PasswordInputSettings,
) -> account::UpdatePasswordSettings {
    account::UpdatePasswordSettings { password, new_settings }
}

/// Shows that the password is known, or believed to be.
pub(super) fn proof(
    form: &types::account::Password,
    password: &str,
) -> enums::InputCheckPasswordSrp {
    let algorithm = algorithm(form.current_algo.as_ref().unwrap());
    let b = form.srp_b.as_ref().unwrap();
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let password = Password::new(password);
    let proof = srp::answer(&algorithm, &password, b, &form.secure_random, &mut rng).unwrap();
    let srp_id = form.srp_id.unwrap();
    types::InputCheckPasswordSrp {
        srp_id,
        a: proof.a.to_vec().into(),
        m1: proof.m1.to_vec().into(),
    }
    .into()
}

pub(super) fn prove(
    server: &mut Bench,
    caller: Caller,
    password: &str,
) -> enums::InputCheckPasswordSrp {
    let form = form(server, caller);
    proof(&form, password)
}

pub(super) fn set(server: &mut Bench, caller: Caller, password: &str) {
    let form = form(server, caller);
    let proof = if form.has_password { proof(&form, "first") } else { NOBODY };
    assert!(server.call(caller, &update(proof, to(&form, password))).unwrap());
}

/// Gives the account a recovery address; its password is "first".
fn set_email(server: &mut Bench, caller: Caller, address: &str) {
    let proof = prove(server, caller, "first");
    let refusal = server.call(caller, &update(proof, email(address))).unwrap_err();
    assert_eq!((refusal.code, &*refusal.message), (400, "EMAIL_UNCONFIRMED_6"));
    let confirm =
        account::ConfirmPasswordEmail { code: code(server, address, Subject::RecoveryEmail) };
    assert!(server.call(caller, &confirm).unwrap());
}

/// The code that was sent to this address last.
fn code(server: &Bench, address: &str, subject: Subject) -> Text {
    let letters = server.world.letters().unwrap();
    let letter = letters.into_iter().rfind(|letter| letter.to == address).unwrap();
    assert_eq!((letter.way, letter.subject), (Way::Email, subject));
    letter.code.into()
}

/// A code of the right form that is not this one.
fn other(code: &Text) -> Text {
    if code == "000000" { "111111".into() } else { "000000".into() }
}

/// A caller that showed the code of [`PHONE`] and owes the password.
fn half(server: &mut Bench, number: u8) -> Caller {
    let caller = server.caller(number);
    let refusal = server.sign_in(caller, PHONE, "33333").unwrap_err();
    assert_eq!(refusal, errors::SESSION_PASSWORD_NEEDED.into());
    caller
}

#[test]
fn a_password_is_the_second_half_of_a_sign_in() {
    let mut server = Bench::new();
    let caller = server.stranger(1);
    let empty = form(&mut server, caller);
    assert!(!empty.has_password && !empty.has_recovery && empty.srp_id.is_none());
    set(&mut server, caller, "first");
    server.refused(caller, &update(NOBODY, to(&empty, "second")), errors::PASSWORD_HASH_INVALID);

    server.call(caller, &auth::LogOut).unwrap();
    let caller = half(&mut server, 1);
    server.refused(caller, &me(), errors::AUTH_KEY_UNREGISTERED);
    let shown = form(&mut server, caller);
    assert!(shown.has_password);
    assert_eq!(shown.hint.as_deref(), Some("two words"));
    let check = |password| auth::CheckPassword { password };
    let wrong = check(proof(&shown, "firstly"));
    server.refused(caller, &wrong, errors::PASSWORD_HASH_INVALID);
    server.refused(caller, &wrong, errors::SRP_ID_INVALID);
    server.refused(caller, &check(NOBODY), errors::PASSWORD_HASH_INVALID);
    let right = check(prove(&mut server, caller, "first"));
    server.call(caller, &right).unwrap();
    server.call(caller, &me()).unwrap();

    // Showing it once more is no new sign-in: nobody is told of one.
    let other = Caller { session_id: 2, ..caller };
    server.call(other, &me()).unwrap();
    let again = check(prove(&mut server, caller, "first"));
    let reply = server.raw(caller, &again.to_bytes());
    assert!(reply.result.is_ok() && reply.pushes.is_empty(), "{reply:?}");
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let mut server = Bench::new();
    let caller = server.stranger(1);
    let blank = form(&mut server, caller);
    let good = to(&blank, "first");
    let refuse = |server: &mut Bench, settings: &PasswordInputSettings, name| {
        server.refused(caller, &update(NOBODY, settings.clone()), name);
    };
    refuse(&mut server, &PasswordInputSettings::new(), errors::NEW_SETTINGS_EMPTY);
    // An address opens nothing while there is no password, and there is none to remove.
    refuse(&mut server, &email(EMAIL), errors::NEW_SETTINGS_INVALID);
    refuse(&mut server, &email(""), errors::NEW_SETTINGS_INVALID);
    let both = PasswordInputSettings { email: Some(EMAIL.into()), ..none() };
    refuse(&mut server, &both, errors::NEW_SETTINGS_INVALID);
    for address in ["claude", "@example.com", "claude@", "a b@example.com", "a@b@c.de", "a@b..c"] {
        let settings = PasswordInputSettings { email: Some(address.into()), ..good.clone() };
        refuse(&mut server, &settings, errors::EMAIL_INVALID);
    }
    let known = |change: fn(
        &mut types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow,
    )| {
        let mut settings = good.clone();
        if let Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(
            algo,
        )) = &mut settings.new_algo
        {
            change(algo);
        }
        settings
    };
    let strange = known(|algo| algo.salt1 = vec![7; 40].into());
    refuse(&mut server, &strange, errors::NEW_SALT_INVALID);
    refuse(&mut server, &known(|algo| algo.salt2 = Bytes::new()), errors::NEW_SALT_INVALID);
    refuse(&mut server, &known(|algo| algo.g = 2), errors::NEW_SETTINGS_INVALID);
    let long = PasswordInputSettings { hint: Some("h".repeat(256).into()), ..good.clone() };
    refuse(&mut server, &long, errors::NEW_SETTINGS_INVALID);
    let secret = types::SecureSecretSettings {
        secure_algo: enums::SecurePasswordKdfAlgo::Unknown,
        secure_secret: Bytes::new(),
        secure_secret_id: 1,
    };
    let passport =
        PasswordInputSettings { new_secure_settings: Some(Box::new(secret)), ..good.clone() };
    refuse(&mut server, &passport, errors::NEW_SETTINGS_INVALID);
    let unknown =
        PasswordInputSettings { new_algo: Some(enums::PasswordKdfAlgo::Unknown), ..good.clone() };
    refuse(&mut server, &unknown, errors::NEW_SETTINGS_INVALID);
    assert!(!form(&mut server, caller).has_password, "none of it was taken");
    assert!(server.call(caller, &update(NOBODY, none())).unwrap(), "as it is asked for");
    assert!(server.call(caller, &update(NOBODY, good)).unwrap());
}

#[test]
fn a_password_is_changed_and_removed_by_who_knows_it() {
    let mut server = Bench::new();
    let (first, second) = (server.stranger(1), server.caller(2));
    server.sign_in(second, PHONE, "33333").unwrap();
    set(&mut server, first, "first");
    let shown = form(&mut server, first);
    let wrong = update(proof(&shown, "second"), to(&shown, "second"));
    server.refused(first, &wrong, errors::PASSWORD_HASH_INVALID);

    // Changed by another device in between: who asks again gets in, by the new one only.
    let (early, late) = (form(&mut server, first), form(&mut server, second));
    assert!(server.call(first, &update(proof(&early, "first"), to(&early, "second"))).unwrap());
    let stale = update(proof(&late, "first"), to(&late, "third"));
    server.refused(second, &stale, errors::SRP_PASSWORD_CHANGED);
    server.refused(second, &stale, errors::SRP_ID_INVALID);
    let old = prove(&mut server, second, "first");
    server.refused(second, &update(old, none()), errors::PASSWORD_HASH_INVALID);

    let stale = form(&mut server, second);
    let right = prove(&mut server, first, "second");
    assert!(server.call(first, &update(right, none())).unwrap());
    assert!(!form(&mut server, first).has_password);
    let stale = update(proof(&stale, "second"), none());
    server.refused(second, &stale, errors::SRP_PASSWORD_CHANGED);

    // The known algorithm and no hash: so do Telethon and GramJS.
    set(&mut server, first, "first");
    let shown = form(&mut server, first);
    let no_hash =
        PasswordInputSettings { new_password_hash: Some(Bytes::new()), ..to(&shown, "unused") };
    assert!(server.call(first, &update(proof(&shown, "first"), no_hash)).unwrap());
    assert!(!form(&mut server, first).has_password);
}

#[test]
fn a_password_cannot_be_guessed_by_who_is_signed_in_either() {
    let mut server = Bench::new();
    let caller = server.stranger(1);
    set(&mut server, caller, "first");
    for number in 0..10 {
        let password = prove(&mut server, caller, "second");
        match number % 2 {
            0 => {
                let ask = account::GetPasswordSettings { password };
                server.refused(caller, &ask, errors::PASSWORD_HASH_INVALID);
            }
            _ => server.refused(caller, &update(password, none()), errors::PASSWORD_HASH_INVALID),
        }
    }
    let password = prove(&mut server, caller, "first");
    let flood = server.call(caller, &account::GetPasswordSettings { password }).unwrap_err();
    assert_eq!((flood.code, &*flood.message), (420, "FLOOD_WAIT_3600"));
    server.now += 3_600;
    let password = prove(&mut server, caller, "first");
    assert!(server.call(caller, &update(password, none())).unwrap());
}

#[test]
fn a_recovery_address_is_confirmed_by_a_code() {
    let mut server = Bench::new();
    let caller = server.stranger(1);
    let confirm = |code: Text| account::ConfirmPasswordEmail { code };
    server.refused(caller, &confirm("1".into()), errors::EMAIL_HASH_EXPIRED);
    server.refused(caller, &account::ResendPasswordEmail, errors::EMAIL_HASH_EXPIRED);
    server.refused(caller, &account::CancelPasswordEmail, errors::EMAIL_HASH_EXPIRED);

    // With the password: neither is in effect before the code was shown.
    let blank = form(&mut server, caller);
    let both = PasswordInputSettings { email: Some(EMAIL.into()), ..to(&blank, "first") };
    let refusal = server.call(caller, &update(NOBODY, both.clone())).unwrap_err();
    assert_eq!((refusal.code, &*refusal.message), (400, "EMAIL_UNCONFIRMED_6"));
    let shown = form(&mut server, caller);
    assert!(!shown.has_password && !shown.has_recovery);
    assert_eq!(shown.email_unconfirmed_pattern.as_deref(), Some("c***e@example.com"));
    assert!(server.call(caller, &account::CancelPasswordEmail).unwrap());
    assert_eq!(form(&mut server, caller).email_unconfirmed_pattern, None);
    server.call(caller, &update(NOBODY, both)).unwrap_err();
    let sent = code(&server, EMAIL, Subject::RecoveryEmail);
    assert_eq!(sent.len(), 6);
    for _ in 0..4 {
        server.refused(caller, &confirm(other(&sent)), errors::CODE_INVALID);
    }
    server.refused(caller, &confirm(other(&sent)), errors::EMAIL_HASH_EXPIRED);
    server.refused(caller, &confirm(sent), errors::EMAIL_HASH_EXPIRED);
    assert!(server.call(caller, &account::ResendPasswordEmail).unwrap());
    let sent = code(&server, EMAIL, Subject::RecoveryEmail);
    server.now += 900;
    server.refused(caller, &confirm(sent), errors::EMAIL_HASH_EXPIRED);
    assert!(server.call(caller, &account::ResendPasswordEmail).unwrap());
    let sent = code(&server, EMAIL, Subject::RecoveryEmail);
    assert!(server.call(caller, &confirm(sent.clone())).unwrap());
    server.refused(caller, &confirm(sent), errors::EMAIL_HASH_EXPIRED);
    let shown = form(&mut server, caller);
    assert!(shown.has_password && shown.has_recovery && shown.email_unconfirmed_pattern.is_none());

    // Another address: the old one stays until the new one is confirmed.
    let settings = |server: &mut Bench, password| {
        let password = prove(server, caller, password);
        server.call(caller, &account::GetPasswordSettings { password })
    };
    assert_eq!(settings(&mut server, "second"), Err(errors::PASSWORD_HASH_INVALID.into()));
    assert_eq!(settings(&mut server, "first").unwrap().email.as_deref(), Some(EMAIL));
    let proof = prove(&mut server, caller, "first");
    server.call(caller, &update(proof, email("c@example.org"))).unwrap_err();
    let shown = form(&mut server, caller);
    assert!(shown.has_recovery);
    assert_eq!(shown.email_unconfirmed_pattern.as_deref(), Some("c***@example.org"));
    assert_eq!(settings(&mut server, "first").unwrap().email.as_deref(), Some(EMAIL));
    // The one that it has already needs no code, and ends the wait for the other.
    let proof = prove(&mut server, caller, "first");
    assert!(server.call(caller, &update(proof, email(EMAIL))).unwrap());
    assert_eq!(form(&mut server, caller).email_unconfirmed_pattern, None);
    // A change of the password keeps it, and none at all removes it.
    set(&mut server, caller, "first");
    assert!(form(&mut server, caller).has_recovery);
    let proof = prove(&mut server, caller, "first");
    assert!(server.call(caller, &update(proof, email(""))).unwrap());
    assert!(!form(&mut server, caller).has_recovery);
}

#[test]
fn a_forgotten_password_is_recovered_by_email() {
    let mut server = Bench::new();
    let owner = server.stranger(1);
    server.refused(owner, &auth::RequestPasswordRecovery, errors::PASSWORD_EMPTY);
    set(&mut server, owner, "first");
    server.refused(owner, &auth::RequestPasswordRecovery, errors::PASSWORD_RECOVERY_NA);
    set_email(&mut server, owner, EMAIL);
    let nobody = server.caller(2);
    server.refused(nobody, &auth::RequestPasswordRecovery, errors::AUTH_KEY_UNREGISTERED);
    let check = |code: &Text| auth::CheckRecoveryPassword { code: code.clone() };
    let recover = |code: &Text| auth::RecoverPassword { code: code.clone(), new_settings: None };
    server.refused(nobody, &check(&"1".into()), errors::AUTH_KEY_UNREGISTERED);
    server.refused(nobody, &recover(&"1".into()), errors::AUTH_KEY_UNREGISTERED);

    let caller = half(&mut server, 3);
    server.refused(caller, &recover(&"1".into()), errors::PASSWORD_RECOVERY_EXPIRED);
    let sent = server.call(caller, &auth::RequestPasswordRecovery).unwrap();
    assert_eq!(sent.email_pattern, "c***e@example.com");
    let sent = code(&server, EMAIL, Subject::PasswordRecovery);
    server.refused(caller, &check(&Text::default()), errors::CODE_EMPTY);
    server.refused(caller, &recover(&Text::default()), errors::CODE_EMPTY);
    server.refused(caller, &check(&other(&sent)), errors::CODE_INVALID);
    assert!(server.call(caller, &check(&sent)).unwrap());
    // Asking again does not give new tries, and too many of them are to be slept over.
    server.call(caller, &auth::RequestPasswordRecovery).unwrap();
    assert_eq!(code(&server, EMAIL, Subject::PasswordRecovery), sent);
    for _ in 0..3 {
        server.refused(caller, &recover(&other(&sent)), errors::CODE_INVALID);
    }
    server.refused(caller, &recover(&other(&sent)), errors::PASSWORD_RECOVERY_EXPIRED);
    server.refused(caller, &recover(&sent), errors::PASSWORD_RECOVERY_EXPIRED);
    server.now += 100;
    let flood = server.call(caller, &auth::RequestPasswordRecovery).unwrap_err();
    assert_eq!((flood.code, &*flood.message), (420, "FLOOD_WAIT_800"));
    server.now += 800;
    server.call(caller, &auth::RequestPasswordRecovery).unwrap();
    let late = code(&server, EMAIL, Subject::PasswordRecovery);
    server.now += 900;
    server.refused(caller, &check(&late), errors::PASSWORD_RECOVERY_EXPIRED);

    // With a new password; what it cannot be is told before the code is used up.
    server.call(caller, &auth::RequestPasswordRecovery).unwrap();
    let sent = code(&server, EMAIL, Subject::PasswordRecovery);
    let with = |settings| auth::RecoverPassword {
        code: sent.clone(),
        new_settings: Some(Box::new(settings)),
    };
    let shown = form(&mut server, caller);
    let bad = [
        PasswordInputSettings::new(),
        email(EMAIL),
        PasswordInputSettings { email: Some(EMAIL.into()), ..to(&shown, "second") },
    ];
    for settings in bad {
        server.refused(caller, &with(settings), errors::NEW_SETTINGS_INVALID);
    }
    server.refused(caller, &me(), errors::AUTH_KEY_UNREGISTERED);
    server.call(caller, &with(to(&shown, "second"))).unwrap();
    server.call(caller, &me()).unwrap();
    server.refused(owner, &check(&sent), errors::PASSWORD_RECOVERY_EXPIRED);
    let shown = form(&mut server, owner);
    assert!(shown.has_password && shown.has_recovery);
    let proof = prove(&mut server, owner, "second");
    assert!(server.call(owner, &auth::CheckPassword { password: proof }).is_ok());

    // Without one the account has none; who is signed in may do it, too.
    server.call(owner, &auth::RequestPasswordRecovery).unwrap();
    let sent = code(&server, EMAIL, Subject::PasswordRecovery);
    server.call(owner, &recover(&sent)).unwrap();
    assert!(!form(&mut server, owner).has_password);
}

#[test]
fn a_password_that_nobody_knows_is_reset_after_a_week() {
    use enums::account::ResetPasswordResult as Answer;

    const WEEK: i32 = 7 * DAY;
    let mut server = Bench::new();
    let caller = server.stranger(1);
    server.refused(caller, &account::ResetPassword, errors::PASSWORD_EMPTY);
    server.refused(caller, &account::DeclinePasswordReset, errors::RESET_REQUEST_MISSING);
    set(&mut server, caller, "first");
    let asked = |server: &mut Bench| server.call(caller, &account::ResetPassword).unwrap();
    let wait = |until_date| Answer::from(types::account::ResetPasswordRequestedWait { until_date });
    assert_eq!(asked(&mut server), wait(NOW + WEEK));
    server.now += WEEK - 1;
    assert_eq!(asked(&mut server), wait(NOW + WEEK));
    assert_eq!(form(&mut server, caller).pending_reset_date, Some(NOW + WEEK));

    assert!(server.call(caller, &account::DeclinePasswordReset).unwrap());
    server.refused(caller, &account::DeclinePasswordReset, errors::RESET_REQUEST_MISSING);
    assert_eq!(form(&mut server, caller).pending_reset_date, None);
    let retry_date = server.now + DAY;
    let refused = Answer::from(types::account::ResetPasswordFailedWait { retry_date });
    assert_eq!(asked(&mut server), refused);
    server.now += DAY;
    assert_eq!(asked(&mut server), wait(server.now + WEEK));
    // Who changes the password knows it.
    set(&mut server, caller, "first");
    assert_eq!(form(&mut server, caller).pending_reset_date, None);
    asked(&mut server);
    server.now += WEEK;
    assert!(form(&mut server, caller).has_password, "it stays until it is asked for");
    assert_eq!(asked(&mut server), Answer::ResetPasswordOk);
    assert!(!form(&mut server, caller).has_password);
}

/// Whoever has the mailbox has the last word: what a thief of the password set up before is void.
#[test]
fn a_recovery_undoes_an_address_that_waits_to_be_confirmed() {
    let mut server = Bench::new();
    let owner = server.stranger(1);
    set(&mut server, owner, "first");
    set_email(&mut server, owner, EMAIL);
    let thiefs = PasswordInputSettings {
        email: Some("thief@example.com".into()),
        ..to(&form(&mut server, owner), "thief's")
    };
    let proof = prove(&mut server, owner, "first");
    server.call(owner, &update(proof, thiefs)).unwrap_err();
    let thiefs = code(&server, "thief@example.com", Subject::RecoveryEmail);

    let caller = half(&mut server, 2);
    server.call(caller, &auth::RequestPasswordRecovery).unwrap();
    let sent = code(&server, EMAIL, Subject::PasswordRecovery);
    let settings = Some(Box::new(to(&form(&mut server, caller), "second")));
    server.call(caller, &auth::RecoverPassword { code: sent, new_settings: settings }).unwrap();
    assert_eq!(form(&mut server, caller).email_unconfirmed_pattern, None);
    let confirm = account::ConfirmPasswordEmail { code: thiefs };
    server.refused(owner, &confirm, errors::EMAIL_HASH_EXPIRED);
    let proof = prove(&mut server, caller, "second");
    assert!(server.call(caller, &auth::CheckPassword { password: proof }).is_ok());
}

/// A key that is signed in may sign in as somebody else: the password that is asked for is theirs.
#[test]
fn the_password_that_is_owed_is_the_one_that_is_asked_for() {
    let mut server = Bench::new();
    let owner = server.stranger(1);
    set(&mut server, owner, "first");
    let caller = server.demonstration(2);
    let before = server.call(caller, &me()).unwrap();
    let refusal = server.sign_in(caller, PHONE, "33333").unwrap_err();
    assert_eq!(refusal, errors::SESSION_PASSWORD_NEEDED.into());
    assert_eq!(server.call(caller, &me()).unwrap(), before);
    let proof = prove(&mut server, caller, "first");
    server.call(caller, &auth::CheckPassword { password: proof }).unwrap();
    assert_ne!(server.call(caller, &me()).unwrap(), before);
    // From here on it is the password of who is signed in.
    assert!(form(&mut server, caller).has_password);
}
