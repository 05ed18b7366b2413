//! Two-step verification: the password, its recovery address, and what becomes of a password that
//! is forgotten (core.telegram.org/api/srp).

use chappe_api::{account, auth, enums, errors, types};
use chappe_crypto::dh::Group;

use super::{Call, auth as sign_in};
use crate::{
    failure::Outcome,
    world::{NewPassword, NewPasswordSettings, PasswordProof, Reset},
};

/// Assumed: a key that is signed in and owes the password of somebody else speaks of that one, until
/// it is given.
pub(super) fn get(
    call: &mut Call<'_>,
    _: account::GetPassword,
) -> Outcome<types::account::Password> {
    let user_id = call.key.pending_user_id.or(call.key.user_id);
    let form = call.world.begin_password(call.now, call.caller.auth_key_id, user_id)?;
    let mut password = types::account::Password::new(
        algorithm(form.new_salt1, form.new_salt2.clone()),
        types::SecurePasswordKdfAlgoPbkdf2Hmacsha512iter100000 { salt: form.new_salt2.into() },
        form.secure_random.to_vec(),
    );
    let me = call.user.as_ref().filter(|user| user_id == Some(user.id));
    if let Some(phone) = me.and_then(|user| user.phone.clone()) {
        let pattern = call.world.login_email_pattern(call.now, &phone)?;
        password.login_email_pattern = pattern.map(Into::into);
    }
    password.email_unconfirmed_pattern = form.unconfirmed.map(Into::into);
    if let Some(current) = form.current {
        password.has_password = true;
        password.has_recovery = current.has_recovery;
        password.current_algo = Some(algorithm(current.salt1, current.salt2));
        password.srp_b = Some(current.srp_b.to_vec().into());
        password.srp_id = Some(current.srp_id);
        password.hint = (!current.hint.is_empty()).then(|| current.hint.into());
        password.pending_reset_date = current.reset_at;
    }
    Ok(password)
}

pub(super) fn get_settings(
    call: &mut Call<'_>,
    request: account::GetPasswordSettings,
) -> Outcome<types::account::PasswordSettings> {
    let me = call.my_id()?;
    check_proof(call, me, &request.password)?;
    let mut settings = types::account::PasswordSettings::new();
    settings.email = call.world.recovery_email(me)?.map(Into::into);
    Ok(settings)
}

pub(super) fn update_settings(
    call: &mut Call<'_>,
    request: account::UpdatePasswordSettings,
) -> Outcome<bool> {
    let (me, settings) = (call.my_id()?, request.new_settings);
    let email = settings.email.as_deref().map(str::to_owned);
    let password = new_password(settings)?;
    if password.is_none() && email.is_none() {
        return Err(errors::NEW_SETTINGS_EMPTY.into());
    }
    check_proof(call, me, &request.password)?;
    call.world.update_password_settings(call.now, me, NewPasswordSettings { password, email })?;
    Ok(true)
}

pub(super) fn confirm_email(
    call: &mut Call<'_>,
    request: account::ConfirmPasswordEmail,
) -> Outcome<bool> {
    call.world.confirm_email(call.now, call.my_id()?, &request.code)?;
    Ok(true)
}

pub(super) fn resend_email(call: &mut Call<'_>, _: account::ResendPasswordEmail) -> Outcome<bool> {
    call.world.resend_email(call.now, call.my_id()?)?;
    Ok(true)
}

pub(super) fn cancel_email(call: &mut Call<'_>, _: account::CancelPasswordEmail) -> Outcome<bool> {
    call.world.cancel_email(call.my_id()?)?;
    Ok(true)
}

pub(super) fn check(
    call: &mut Call<'_>,
    request: auth::CheckPassword,
) -> Outcome<enums::auth::Authorization> {
    let user_id = whose(call)?;
    check_proof(call, user_id, &request.password)?;
    admitted(call, user_id)
}

pub(super) fn request_recovery(
    call: &mut Call<'_>,
    _: auth::RequestPasswordRecovery,
) -> Outcome<types::auth::PasswordRecovery> {
    let email_pattern = call.world.request_recovery(call.now, whose(call)?)?.into();
    Ok(types::auth::PasswordRecovery { email_pattern })
}

pub(super) fn check_recovery(
    call: &mut Call<'_>,
    request: auth::CheckRecoveryPassword,
) -> Outcome<bool> {
    call.world.check_recovery(call.now, whose(call)?, &request.code)?;
    Ok(true)
}

/// Without a new password the account has none afterwards. An address cannot be new here: whoever
/// recovers has shown the one that there is.
pub(super) fn recover(
    call: &mut Call<'_>,
    request: auth::RecoverPassword,
) -> Outcome<enums::auth::Authorization> {
    let user_id = whose(call)?;
    let new = match request.new_settings {
        None => NewPassword::Removed,
        Some(settings) if settings.email.as_deref().is_some_and(|email| !email.is_empty()) => {
            return Err(errors::NEW_SETTINGS_INVALID.into());
        }
        Some(settings) => new_password(*settings)?.ok_or(errors::NEW_SETTINGS_INVALID)?,
    };
    call.world.recover(call.now, user_id, &request.code, new)?;
    admitted(call, user_id)
}

pub(super) fn reset(
    call: &mut Call<'_>,
    _: account::ResetPassword,
) -> Outcome<enums::account::ResetPasswordResult> {
    Ok(match call.world.reset_password(call.now, call.my_id()?)? {
        Reset::Done => enums::account::ResetPasswordResult::ResetPasswordOk,
        Reset::Requested(until_date) => {
            types::account::ResetPasswordRequestedWait { until_date }.into()
        }
        Reset::Refused(retry_date) => types::account::ResetPasswordFailedWait { retry_date }.into(),
    })
}

pub(super) fn decline_reset(
    call: &mut Call<'_>,
    _: account::DeclinePasswordReset,
) -> Outcome<bool> {
    call.world.decline_reset(call.now, call.my_id()?)?;
    Ok(true)
}

/// Whose password this key may speak of: that of who is signed in, or owes it.
fn whose(call: &Call<'_>) -> Outcome<i64> {
    let user_id = call.key.pending_user_id.or(call.key.user_id);
    Ok(user_id.ok_or(errors::AUTH_KEY_UNREGISTERED)?)
}

/// Signs in who owed the password.
fn admitted(call: &mut Call<'_>, user_id: i64) -> Outcome<enums::auth::Authorization> {
    match call.key.pending_user_id {
        Some(_) => {
            call.world.authorize(call.now, call.caller, user_id)?;
            sign_in::authorization(call, user_id)
        }
        // Who is signed in already only showed that the password, or its recovery, is known.
        None => Ok(sign_in::signed_in(call, user_id)?.into()),
    }
}

/// Checks a password; who tries too many of them, in whichever way, has to wait.
pub(super) fn check_proof(
    call: &Call<'_>,
    user_id: i64,
    password: &enums::InputCheckPasswordSrp,
) -> Outcome<()> {
    let proof = match password {
        enums::InputCheckPasswordSrp::InputCheckPasswordSrp(proof) => {
            PasswordProof::Srp { srp_id: proof.srp_id, a: &proof.a, m1: &proof.m1 }
        }
        _ => PasswordProof::Empty,
    };
    call.world.refuse_guessed_password(call.now, user_id, errors::FLOOD_WAIT_X)?;
    let check = call.world.check_password(call.now, call.caller.auth_key_id, user_id, proof);
    call.world.count_password(call.now, user_id, &check)?;
    check
}

/// Reads the password of `account.passwordInputSettings`, if it is to change. An empty hash removes
/// it. Observed: some clients name the unknown algorithm with it, others the known one.
fn new_password(settings: types::account::PasswordInputSettings) -> Outcome<Option<NewPassword>> {
    // There is no Telegram Passport here, and so no secret that could be kept.
    if settings.new_secure_settings.is_some() {
        return Err(errors::NEW_SETTINGS_INVALID.into());
    }
    Ok(match (settings.new_algo, settings.new_password_hash) {
        (None, None) if settings.hint.is_none() => None,
        (Some(_), Some(hash)) if hash.is_empty() => Some(NewPassword::Removed),
        (
            Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algo)),
            Some(hash),
        ) => Some(NewPassword::Set {
            salt1: algo.salt1.to_vec(),
            salt2: algo.salt2.to_vec(),
            g: algo.g,
            p: algo.p.to_vec(),
            verifier: hash.to_vec(),
            hint: settings.hint.unwrap_or_default().into_string(),
        }),
        _ => return Err(errors::NEW_SETTINGS_INVALID.into()),
    })
}

fn algorithm(salt1: Vec<u8>, salt2: Vec<u8>) -> enums::PasswordKdfAlgo {
    let group = Group::known();
    types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
        salt1: salt1.into(),
        salt2: salt2.into(),
        g: group.g(),
        p: group.p().to_vec().into(),
    }
    .into()
}
