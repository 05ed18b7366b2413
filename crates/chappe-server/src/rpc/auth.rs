//! Signing in and out (core.telegram.org/api/auth).

use chappe_api::{
    auth, enums, errors,
    types::{self, UpdateNewAuthorization},
};
use chappe_tl::ErrorName;

use super::{Call, account, users};
use crate::{
    failure::{Failure, Outcome},
    world::{Binding, LoginToken, TokenLogin},
};

/// The length of an `api_hash`: 32 hexadecimal digits.
const API_HASH_LENGTH: usize = 32;

/// How many sessions a client may have beside the first for files.
const TMP_SESSIONS: i32 = 1;

pub(super) fn import_bot_authorization(
    call: &mut Call<'_>,
    request: auth::ImportBotAuthorization,
) -> Outcome<enums::auth::Authorization> {
    check_app(request.api_id, &request.api_hash)?;
    let bot = call.world.bot_by_token(&request.bot_auth_token)?;
    let bot = bot.ok_or(errors::ACCESS_TOKEN_INVALID)?;
    at_home(call, call.world.home(&bot), errors::USER_MIGRATE_X)?;
    call.world.authorize(call.now, call.caller, bot.id)?;
    authorization(call, bot.id)
}

pub(super) fn export_login_token(
    call: &mut Call<'_>,
    request: auth::ExportLoginToken,
) -> Outcome<enums::auth::LoginToken> {
    check_app(request.api_id, &request.api_hash)?;
    let login = call.world.export_login_token(call.now, call.caller, &request.except_ids)?;
    login_token(call, login)
}

pub(super) fn import_login_token(
    call: &mut Call<'_>,
    request: auth::ImportLoginToken,
) -> Outcome<enums::auth::LoginToken> {
    let login = call.world.import_login_token(call.now, call.caller, &request.token)?;
    login_token(call, login)
}

pub(super) fn accept_login_token(
    call: &mut Call<'_>,
    request: auth::AcceptLoginToken,
) -> Outcome<types::Authorization> {
    let me = call.my_id()?;
    let accepted = call.world.accept_login_token(call.now, call.caller, me, &request.token)?;
    let waiting = call.world.sessions_of(accepted.auth_key_id)?;
    call.world.tell_sessions(call.now, waiting, enums::Update::LoginToken);
    Ok(types::Authorization {
        password_pending: accepted.password_pending,
        ..account::authorization(accepted.authorization)
    })
}

pub(super) fn log_out(call: &mut Call<'_>, _: auth::LogOut) -> Outcome<types::auth::LoggedOut> {
    // Whoever only took a session along to this data centre does not end it.
    let person = call.user.as_ref().filter(|user| !user.bot && !call.key.is_imported());
    let mut answer = types::auth::LoggedOut::new();
    if let Some(person) = person.map(|user| user.id) {
        let token = call.world.make_future_token(call.now, call.caller, person)?;
        answer.future_auth_token = Some(token.into());
    }
    call.world.sign_out(call.caller.auth_key_id)?;
    Ok(answer)
}

pub(super) fn reset_authorizations(
    call: &mut Call<'_>,
    _: auth::ResetAuthorizations,
) -> Outcome<bool> {
    let me = call.my_id()?;
    call.world.reset_authorizations(call.now, me, call.caller.auth_key_id)?;
    call.world.void_future_tokens(me)?;
    Ok(true)
}

pub(super) fn export_authorization(
    call: &mut Call<'_>,
    request: auth::ExportAuthorization,
) -> Outcome<types::auth::ExportedAuthorization> {
    let id = call.my_id()?;
    let bytes = call.world.export_authorization(call.now, call.caller, request.dc_id)?;
    Ok(types::auth::ExportedAuthorization { id, bytes: bytes.into() })
}

pub(super) fn import_authorization(
    call: &mut Call<'_>,
    request: auth::ImportAuthorization,
) -> Outcome<enums::auth::Authorization> {
    let (id, bytes) = (request.id, &request.bytes);
    call.world.import_authorization(call.now, call.caller, id, bytes)?;
    Ok(signed_in(call, id)?.into())
}

pub(super) fn bind_temp_auth_key(
    call: &mut Call<'_>,
    request: auth::BindTempAuthKey,
) -> Outcome<bool> {
    let binding = Binding {
        msg_id: call.msg_id,
        perm_auth_key_id: request.perm_auth_key_id,
        nonce: request.nonce,
        expires_at: request.expires_at,
        encrypted_message: &request.encrypted_message,
    };
    call.world.bind(call.now, call.session, binding)?;
    Ok(true)
}

/// Assumed: the key that asks is not dropped, or nobody would hear the answer.
pub(super) fn drop_temp_auth_keys(
    call: &mut Call<'_>,
    request: auth::DropTempAuthKeys,
) -> Outcome<bool> {
    let mut except = request.except_auth_keys;
    except.push(call.session.auth_key_id);
    let dropped = call.world.drop_temporary_keys(call.caller.auth_key_id, &except)?;
    call.gone.extend(dropped);
    Ok(true)
}

pub(super) fn at_home(call: &Call<'_>, home: i32, elsewhere: ErrorName) -> Outcome<()> {
    if home == call.caller.dc {
        return Ok(());
    }
    Err(Failure::valued(elsewhere, home.into()).into())
}

/// `auth.authorization` for a user who is signed in now; the user's other sessions are told.
pub(super) fn authorization(
    call: &mut Call<'_>,
    user_id: i64,
) -> Outcome<enums::auth::Authorization> {
    let user = call.world.user(user_id)?.ok_or(errors::AUTH_KEY_UNREGISTERED)?;
    if !user.bot {
        let devices = call.world.authorizations(call.now, user_id, call.caller.auth_key_id)?;
        if let Some(current) = devices.into_iter().find(|device| device.current) {
            let mut update = UpdateNewAuthorization::new(current.hash);
            if current.unconfirmed {
                update.unconfirmed = true;
                update.date = Some(current.created);
                update.device = Some(current.device.device_model.into());
                update.location = Some(current.place.country.into());
            }
            call.world.tell_others(call.now, user_id, update)?;
        }
    }
    let mut authorization = signed_in(call, user_id)?;
    if !user.bot {
        let token = call.world.make_future_token(call.now, call.caller, user_id)?;
        authorization.future_auth_token = Some(token.into());
    }
    Ok(authorization.into())
}

/// `auth.authorization`.
pub(super) fn signed_in(call: &Call<'_>, user_id: i64) -> Outcome<types::auth::Authorization> {
    let user = call.world.user(user_id)?.ok_or(errors::AUTH_KEY_UNREGISTERED)?;
    let user = users::user(&user, Some(user_id), call.now);
    let mut authorization = types::auth::Authorization::new(user);
    authorization.tmp_sessions = Some(TMP_SESSIONS);
    Ok(authorization)
}

fn login_token(call: &mut Call<'_>, login: TokenLogin) -> Outcome<enums::auth::LoginToken> {
    Ok(match login {
        TokenLogin::Waiting(LoginToken { token, expires }) => {
            types::auth::LoginToken { expires, token: token.into() }.into()
        }
        TokenLogin::Done(user_id) => {
            types::auth::LoginTokenSuccess { authorization: authorization(call, user_id)? }.into()
        }
        TokenLogin::Elsewhere(dc_id, token) => {
            types::auth::LoginTokenMigrateTo { dc_id, token: token.into() }.into()
        }
    })
}

/// Refuses what cannot be an application. Which applications there are, this server does not
/// know: any well-formed pair is welcome.
pub(super) fn check_app(api_id: i32, api_hash: &str) -> Outcome<()> {
    let well_formed = api_id > 0
        && api_hash.len() == API_HASH_LENGTH
        && api_hash.bytes().all(|digit| digit.is_ascii_hexdigit());
    if well_formed { Ok(()) } else { Err(errors::API_ID_INVALID.into()) }
}
