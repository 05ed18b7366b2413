//! The account: its web logins, its device sessions, its password, its presence.

use std::collections::BTreeSet;

use chappe_api::{account, enums, errors, types};
use chappe_crypto::dh::Group;

use super::{Call, users};
use crate::{
    failure::Outcome,
    world::{self, NewPassword, PasswordProof},
};

/// After how many days without use a device session would end: the value of a new account.
const TTL_DAYS: i32 = 180;

pub(super) fn get_web_authorizations(
    call: &mut Call<'_>,
    _: account::GetWebAuthorizations,
) -> Outcome<types::account::WebAuthorizations> {
    let me = call.my_id()?;
    let rows = call.world.web_authorizations(me)?;
    let mut bots = Vec::new();
    for bot_id in rows.iter().map(|row| row.bot_id).collect::<BTreeSet<_>>() {
        if let Some(bot) = call.world.user(bot_id)? {
            bots.push(users::user(&bot, Some(me), call.now));
        }
    }
    let authorizations = rows.into_iter().map(|row| types::WebAuthorization {
        hash: row.hash,
        bot_id: row.bot_id,
        domain: row.login.domain.into(),
        browser: row.login.browser.into(),
        platform: row.login.platform.into(),
        date_created: row.created,
        date_active: row.active,
        ip: row.login.ip.into(),
        region: row.login.region.into(),
    });
    Ok(types::account::WebAuthorizations { authorizations: authorizations.collect(), users: bots })
}

pub(super) fn reset_web_authorization(
    call: &mut Call<'_>,
    request: account::ResetWebAuthorization,
) -> Outcome<bool> {
    call.world.reset_web_authorization(call.my_id()?, request.hash)?;
    Ok(true)
}

pub(super) fn reset_web_authorizations(
    call: &mut Call<'_>,
    _: account::ResetWebAuthorizations,
) -> Outcome<bool> {
    call.world.reset_web_authorizations(call.my_id()?)?;
    Ok(true)
}

pub(super) fn get_authorizations(
    call: &mut Call<'_>,
    _: account::GetAuthorizations,
) -> Outcome<types::account::Authorizations> {
    let rows = call.world.authorizations(call.my_id()?, call.caller.auth_key_id)?;
    Ok(types::account::Authorizations {
        authorization_ttl_days: TTL_DAYS,
        authorizations: rows.into_iter().map(authorization).collect(),
    })
}

/// `authorization`: a device session.
pub(super) fn authorization(row: world::Authorization) -> types::Authorization {
    types::Authorization {
        current: row.current,
        ..types::Authorization::new(
            // The current session has no name by which it could be ended.
            if row.current { 0 } else { row.hash },
            row.device.device_model,
            platform(&row.device.system_version).to_owned(),
            row.device.system_version,
            row.device.api_id,
            format!("Application {}", row.device.api_id),
            row.device.app_version,
            row.created,
            row.active,
            row.ip,
            row.place.country,
            row.place.region,
        )
    }
}

pub(super) fn reset_authorization(
    call: &mut Call<'_>,
    request: account::ResetAuthorization,
) -> Outcome<bool> {
    let (me, key) = (call.my_id()?, call.caller.auth_key_id);
    call.world.reset_authorization(call.now, me, key, request.hash)?;
    Ok(true)
}

pub(super) fn get_password(
    call: &mut Call<'_>,
    _: account::GetPassword,
) -> Outcome<types::account::Password> {
    let user_id = call.key.user_id.or(call.key.pending_user_id);
    let form = call.world.begin_password(call.now, call.caller.auth_key_id, user_id)?;
    let mut password = types::account::Password::new(
        algorithm(form.new_salt1, form.new_salt2.clone()),
        types::SecurePasswordKdfAlgoPbkdf2Hmacsha512iter100000 { salt: form.new_salt2.into() },
        form.secure_random.to_vec(),
    );
    if let Some(current) = form.current {
        password.has_password = true;
        password.current_algo = Some(algorithm(current.salt1, current.salt2));
        password.srp_b = Some(current.srp_b.to_vec().into());
        password.srp_id = Some(current.srp_id);
        password.hint = (!current.hint.is_empty()).then(|| current.hint.into());
    }
    Ok(password)
}

pub(super) fn update_password_settings(
    call: &mut Call<'_>,
    request: account::UpdatePasswordSettings,
) -> Outcome<bool> {
    let (me, settings) = (call.my_id()?, request.new_settings);
    let new = match (settings.new_algo, settings.new_password_hash) {
        (None, None) if settings.email.is_none() && settings.hint.is_none() => {
            return Err(errors::NEW_SETTINGS_EMPTY.into());
        }
        (Some(enums::PasswordKdfAlgo::Unknown), Some(hash)) if hash.is_empty() => {
            NewPassword::Removed
        }
        (
            Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algo)),
            Some(hash),
        ) => NewPassword::Set {
            salt1: algo.salt1.to_vec(),
            salt2: algo.salt2.to_vec(),
            g: algo.g,
            p: algo.p.to_vec(),
            verifier: hash.to_vec(),
            hint: settings.hint.unwrap_or_default().into_string(),
        },
        _ => return Err(errors::NEW_SETTINGS_INVALID.into()),
    };
    // Nothing can be sent to an address from here.
    if settings.email.is_some_and(|email| !email.is_empty()) {
        return Err(errors::EMAIL_INVALID.into());
    }
    let key = call.caller.auth_key_id;
    call.world.check_password(call.now, key, me, proof(&request.password))?;
    call.world.set_password(me, new)?;
    Ok(true)
}

pub(super) fn update_status(call: &mut Call<'_>, request: account::UpdateStatus) -> Outcome<bool> {
    call.world.set_online(call.now, call.my_id()?, !request.offline)?;
    Ok(true)
}

/// Reads `InputCheckPasswordSRP`.
pub(super) fn proof(password: &enums::InputCheckPasswordSrp) -> PasswordProof<'_> {
    match password {
        enums::InputCheckPasswordSrp::InputCheckPasswordSrp(proof) => {
            PasswordProof::Srp { srp_id: proof.srp_id, a: &proof.a, m1: &proof.m1 }
        }
        _ => PasswordProof::Empty,
    }
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

/// The family that a system version names, as in the list of devices: its first word.
fn platform(system_version: &str) -> &str {
    system_version.split(' ').next().unwrap_or_default()
}
