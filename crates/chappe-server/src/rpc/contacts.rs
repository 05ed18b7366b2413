//! Contacts and blocked users.

use chappe_api::{
    contacts,
    enums::{self, InputPeer},
    errors, types,
};

use super::{Call, sending, users};
use crate::failure::Outcome;

/// The longest username. (core.telegram.org/method/account.updateUsername)
const MAX_USERNAME: usize = 32;

pub(super) fn block(call: &mut Call<'_>, request: contacts::Block) -> Outcome<bool> {
    set_blocked(call, &request.id, true)
}

pub(super) fn unblock(call: &mut Call<'_>, request: contacts::Unblock) -> Outcome<bool> {
    set_blocked(call, &request.id, false)
}

fn set_blocked(call: &mut Call<'_>, peer: &InputPeer, blocked: bool) -> Outcome<bool> {
    let (now, me) = (call.now, call.my_id()?);
    let user = sending::peer(call, peer)?;
    if user.id == me {
        return Err(errors::CONTACT_ID_INVALID.into());
    }
    call.world.set_blocked(now, me, user.id, blocked)?;
    Ok(true)
}

pub(super) fn resolve_username(
    call: &mut Call<'_>,
    request: contacts::ResolveUsername,
) -> Outcome<types::contacts::ResolvedPeer> {
    let username = &*request.username;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if username.is_empty() || username.len() > MAX_USERNAME || !username.bytes().all(is_part) {
        return Err(errors::USERNAME_INVALID.into());
    }
    let user = call.world.user_by_username(username)?.ok_or(errors::USERNAME_NOT_OCCUPIED)?;
    let shown = users::user(&user, Some(call.my_id()?), call.now);
    let peer = types::PeerUser { user_id: user.id }.into();
    Ok(types::contacts::ResolvedPeer { peer, chats: Vec::new(), users: vec![shown] })
}

pub(super) fn get_blocked(
    call: &mut Call<'_>,
    _: contacts::GetBlocked,
) -> Outcome<enums::contacts::Blocked> {
    let me = call.my_id()?;
    let (mut blocked, mut known) = (Vec::new(), Vec::new());
    for (user, date) in call.world.blocked(me)? {
        let peer_id = types::PeerUser { user_id: user.id }.into();
        blocked.push(types::PeerBlocked { peer_id, date });
        known.push(users::user(&user, Some(me), call.now));
    }
    Ok(types::contacts::Blocked { blocked, chats: Vec::new(), users: known }.into())
}

pub(super) fn get_contacts(
    _: &mut Call<'_>,
    _: contacts::GetContacts,
) -> Outcome<enums::contacts::Contacts> {
    let (contacts, users) = (Vec::new(), Vec::new());
    Ok(types::contacts::Contacts { contacts, saved_count: 0, users }.into())
}

pub(super) fn get_top_peers(
    _: &mut Call<'_>,
    _: contacts::GetTopPeers,
) -> Outcome<enums::contacts::TopPeers> {
    let (categories, chats, users) = (Vec::new(), Vec::new(), Vec::new());
    Ok(types::contacts::TopPeers { categories, chats, users }.into())
}
