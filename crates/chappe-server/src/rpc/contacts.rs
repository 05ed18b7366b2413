//! Contacts and blocked users.

use chappe_api::{
    contacts,
    enums::{self, InputPeer, InputUser},
    errors, types,
};

use super::{Call, users};
use crate::failure::Outcome;

pub(super) fn block(call: &mut Call<'_>, request: contacts::Block) -> Outcome<bool> {
    let me = call.my_id()?;
    let input = match request.id {
        InputPeer::User(peer) => InputUser::InputUser(types::InputUser {
            user_id: peer.user_id,
            access_hash: peer.access_hash,
        }),
        _ => return Err(errors::PEER_ID_INVALID.into()),
    };
    let user = users::find(call, &input)?.ok_or(errors::PEER_ID_INVALID)?;
    if user.id == me {
        return Err(errors::CONTACT_ID_INVALID.into());
    }
    if call.world.block(call.now, me, user.id)? {
        let peer = types::PeerUser { user_id: user.id };
        let update =
            types::UpdatePeerBlocked { blocked: true, ..types::UpdatePeerBlocked::new(peer) };
        call.world.tell_others(call.now, me, update)?;
    }
    Ok(true)
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
