//! Private messages, as clients see them.

use std::collections::BTreeSet;

use chappe_api::{
    enums::{self, MessageEntity, Peer, Update},
    types::{self, PeerUser},
};

use super::{keyboard, users};
use crate::{
    failure::Outcome,
    world::{Event, Message, What, World},
};

/// A message of a box, as its owner sees it. Observed: who wrote it is said of what the owner wrote
/// only; else it is the peer.
pub(super) fn message(message: &Message) -> enums::Message {
    let content = &message.content;
    let peer: Peer = PeerUser { user_id: message.peer_id }.into();
    let from_id = message.outgoing.then(|| PeerUser { user_id: message.user_id }.into());
    let reply_to = content.reply_to.map(|id| {
        let mut header = types::MessageReplyHeader::new();
        header.reply_to_msg_id = Some(id);
        Box::new(header.into())
    });
    if let Some(action) = &content.action {
        let mut service =
            types::MessageService::new(message.id, peer, message.date, action.clone());
        service.out = message.outgoing;
        service.silent = content.silent;
        service.from_id = from_id;
        service.reply_to = reply_to;
        return service.into();
    }
    let mut shown = types::Message::new(message.id, peer, message.date, content.text.as_str());
    shown.out = message.outgoing;
    shown.silent = content.silent;
    shown.from_id = from_id;
    shown.reply_to = reply_to;
    shown.edit_date = message.edited;
    shown.reply_markup = content.markup.as_ref().map(keyboard::shown).map(Box::new);
    shown.entities = Some(content.entities.clone()).filter(|entities| !entities.is_empty());
    shown.into()
}

/// The update of what happened in a box.
pub(super) fn update(event: &Event) -> Update {
    let Event { pts, pts_count, .. } = *event;
    match &event.what {
        What::New(new) => types::UpdateNewMessage { message: message(new), pts, pts_count }.into(),
        What::Edited(edited) => {
            types::UpdateEditMessage { message: message(edited), pts, pts_count }.into()
        }
        What::Deleted(ids) => {
            types::UpdateDeleteMessages { messages: ids.clone(), pts, pts_count }.into()
        }
        What::ReadInbox { peer_id, max_id, unread } => {
            let peer = PeerUser { user_id: *peer_id };
            types::UpdateReadHistoryInbox::new(peer, *max_id, *unread, pts, pts_count).into()
        }
        What::ReadOutbox { peer_id, max_id } => {
            let peer = PeerUser { user_id: *peer_id }.into();
            types::UpdateReadHistoryOutbox { peer, max_id: *max_id, pts, pts_count }.into()
        }
    }
}

/// The updates of what happened in a box, with the users that they name.
pub(super) fn updates(world: &World, now: i32, event: &Event) -> Outcome<enums::Updates> {
    let mut named = BTreeSet::new();
    if let What::New(message) | What::Edited(message) = &event.what {
        name_users(message, &mut named);
    }
    let users = people(world, event.user_id, named, now)?;
    let updates = vec![update(event)];
    Ok(types::Updates { updates, users, chats: Vec::new(), date: now, seq: 0 }.into())
}

/// An update that has no place in a box, with the users that it names. Observed: a bot has to be
/// told who pressed its button; whoever writes is known.
pub(super) fn with_users(world: &World, date: i32, update: Update) -> Outcome<enums::Updates> {
    let Update::BotCallbackQuery(query) = &update else {
        return Ok(types::UpdateShort { update, date }.into());
    };
    let user = world.user(query.user_id)?;
    let users = user.iter().map(|user| users::user(user, None, date)).collect();
    let (updates, chats) = (vec![update], Vec::new());
    Ok(types::Updates { updates, users, chats, date, seq: 0 }.into())
}

/// Adds the users that a message names.
pub(super) fn name_users(message: &Message, named: &mut BTreeSet<i64>) {
    named.extend([message.user_id, message.peer_id]);
    named.extend(message.content.entities.iter().filter_map(|entity| match entity {
        MessageEntity::MentionName(mention) => Some(mention.user_id),
        _ => None,
    }));
}

/// Users as the one with the id `me` sees them.
pub(super) fn people(
    world: &World,
    me: i64,
    ids: BTreeSet<i64>,
    now: i32,
) -> Outcome<Vec<enums::User>> {
    let mut people = Vec::with_capacity(ids.len());
    for id in ids {
        people.extend(world.user(id)?.map(|user| users::user(&user, Some(me), now)));
    }
    Ok(people)
}
