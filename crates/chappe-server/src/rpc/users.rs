//! Users, as others see them.

use chappe_api::{
    enums::{self, InputUser},
    errors, types, users,
};

use super::Call;
use crate::{
    failure::Outcome,
    world::{self, SERVICE_ID},
};

/// How long a user who said so counts as online, in seconds.
const ONLINE_SECONDS: i32 = 300;

/// The most users that are asked for at a time.
const MAX_USERS: usize = 200;

pub(super) fn get_users(
    call: &mut Call<'_>,
    request: users::GetUsers,
) -> Outcome<Vec<enums::User>> {
    if request.id.len() > MAX_USERS {
        return Err(errors::LIMIT_INVALID.into());
    }
    let me = call.my_id()?;
    let mut found = Vec::with_capacity(request.id.len());
    for input in &request.id {
        match find(call, input)? {
            Some(known) => found.push(user(&known, Some(me), call.now)),
            None => found.extend(named(input).map(|id| types::UserEmpty { id }.into())),
        }
    }
    Ok(found)
}

pub(super) fn get_full_user(
    call: &mut Call<'_>,
    request: users::GetFullUser,
) -> Outcome<types::users::UserFull> {
    let me = call.my_id()?;
    let known = find(call, &request.id)?.ok_or(errors::USER_ID_INVALID)?;
    let mut full = types::UserFull::new(
        known.id,
        types::PeerSettings::new(),
        types::PeerNotifySettings::new(),
        0,
    );
    full.blocked = call.world.is_blocked(me, known.id)?;
    Ok(types::users::UserFull {
        full_user: full,
        chats: Vec::new(),
        users: vec![user(&known, Some(me), call.now)],
    })
}

/// The user that an input names, if it shows the right access hash. Observed: a bot need not show
/// that of somebody who wrote to it.
pub(super) fn find(call: &Call<'_>, input: &InputUser) -> Outcome<Option<world::User>> {
    match input {
        InputUser::InputUserSelf => Ok(Some(call.me()?.clone())),
        InputUser::InputUser(named) => {
            let Some(known) = call.world.user(named.user_id)? else { return Ok(None) };
            let me = call.me()?;
            let is_named = known.access_hash == named.access_hash
                || (me.bot && named.access_hash == 0 && call.world.may_write(me.id, known.id)?);
            Ok(Some(known).filter(|_| is_named))
        }
        _ => Ok(None),
    }
}

/// `user` as the one with the id `me` sees it.
pub(super) fn user(user: &world::User, me: Option<i64>, now: i32) -> enums::User {
    let is_self = me == Some(user.id);
    let is_service = user.id == SERVICE_ID;
    let text = |text: &str| (!text.is_empty()).then(|| text.into());
    types::User {
        is_self,
        bot: user.bot,
        bot_info_version: user.bot.then_some(1),
        access_hash: Some(user.access_hash),
        first_name: text(&user.first_name),
        last_name: text(&user.last_name),
        username: user.username.as_deref().and_then(text),
        phone: user.phone.as_deref().filter(|_| is_self || is_service).and_then(text),
        status: (!user.bot && !is_service).then(|| status(user, now)),
        // Observed: so it is known to clients, with its number.
        verified: is_service,
        support: is_service,
        ..types::User::new(user.id)
    }
    .into()
}

fn status(user: &world::User, now: i32) -> enums::UserStatus {
    let expires = user.active.saturating_add(ONLINE_SECONDS);
    if user.online && expires > now {
        types::UserStatusOnline { expires }.into()
    } else {
        types::UserStatusOffline { was_online: user.active }.into()
    }
}

/// The id that an input names, even if it names nobody.
fn named(input: &InputUser) -> Option<i64> {
    match input {
        InputUser::InputUser(named) => Some(named.user_id),
        InputUser::FromMessage(named) => Some(named.user_id),
        _ => None,
    }
}
