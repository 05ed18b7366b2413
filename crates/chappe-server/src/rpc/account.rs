//! The account: its web logins, its device sessions, its presence.

use std::collections::BTreeSet;

use chappe_api::{account, types};

use super::{Call, users};
use crate::{
    failure::Outcome,
    world::{self, NewSessionSettings},
};

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
    let me = call.my_id()?;
    let rows = call.world.authorizations(call.now, me, call.caller.auth_key_id)?;
    Ok(types::account::Authorizations {
        authorization_ttl_days: call.world.session_ttl(me)?,
        authorizations: rows.into_iter().map(authorization).collect(),
    })
}

/// `authorization`: a device session.
pub(super) fn authorization(row: world::Authorization) -> types::Authorization {
    types::Authorization {
        current: row.current,
        password_pending: row.password_pending,
        encrypted_requests_disabled: row.accepts.no_secret_chats,
        call_requests_disabled: row.accepts.no_calls,
        unconfirmed: row.unconfirmed,
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

/// Tells the user's other devices what was confirmed: they need not ask any more.
pub(super) fn change_authorization_settings(
    call: &mut Call<'_>,
    request: account::ChangeAuthorizationSettings,
) -> Outcome<bool> {
    let (me, key) = (call.my_id()?, call.caller.auth_key_id);
    let new = NewSessionSettings {
        confirmed: request.confirmed,
        no_secret_chats: request.encrypted_requests_disabled,
        no_calls: request.call_requests_disabled,
    };
    call.world.change_authorization(me, key, request.hash, new)?;
    if request.confirmed {
        let update = types::UpdateNewAuthorization::new(request.hash);
        call.world.tell_others(call.now, me, update)?;
    }
    Ok(true)
}

pub(super) fn set_authorization_ttl(
    call: &mut Call<'_>,
    request: account::SetAuthorizationTtl,
) -> Outcome<bool> {
    let (me, key, days) = (call.my_id()?, call.caller.auth_key_id, request.authorization_ttl_days);
    call.world.set_session_ttl(call.now, me, key, days)?;
    Ok(true)
}

pub(super) fn get_account_ttl(
    call: &mut Call<'_>,
    _: account::GetAccountTtl,
) -> Outcome<types::AccountDaysTtl> {
    Ok(types::AccountDaysTtl { days: call.world.account_ttl(call.my_id()?)? })
}

pub(super) fn set_account_ttl(
    call: &mut Call<'_>,
    request: account::SetAccountTtl,
) -> Outcome<bool> {
    call.world.set_account_ttl(call.my_id()?, request.ttl.days)?;
    Ok(true)
}

pub(super) fn update_status(call: &mut Call<'_>, request: account::UpdateStatus) -> Outcome<bool> {
    call.world.set_online(call.now, call.my_id()?, !request.offline)?;
    Ok(true)
}

/// The family that a system version names, as in the list of devices: its first word.
fn platform(system_version: &str) -> &str {
    system_version.split(' ').next().unwrap_or_default()
}
