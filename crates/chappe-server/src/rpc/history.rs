//! Reading what was written: dialogs, histories, single messages.

use std::collections::BTreeSet;

use chappe_api::{
    enums::{self, InputDialogPeer, InputMessage},
    errors, messages as methods,
    types::{self, PeerUser},
};

use super::{Call, messages, sending, updates};
use crate::{
    failure::Outcome,
    world::{Dialog, Message, Wanted},
};

/// The most messages or dialogs that are told at a time. (core.telegram.org/api/offsets)
const MOST: i32 = 100;

/// The archive, in which nothing is here. (core.telegram.org/api/folders#peer-folders)
const ARCHIVE: i32 = 1;

pub(super) fn get_history(
    call: &mut Call<'_>,
    request: methods::GetHistory,
) -> Outcome<enums::messages::Messages> {
    let peer = sending::peer(call, &request.peer)?;
    let wanted = Wanted {
        offset_id: request.offset_id,
        offset_date: request.offset_date,
        add_offset: request.add_offset,
        limit: request.limit.clamp(0, MOST),
        max_id: request.max_id,
        min_id: request.min_id,
    };
    let (found, count) = call.world.history(call.my_id()?, peer.id, wanted)?;
    let users = users_of(call, &found)?;
    let is_all = usize::try_from(count).is_ok_and(|count| count == found.len());
    let found: Vec<_> = found.iter().map(messages::message).collect();
    let (topics, chats) = (Vec::new(), Vec::new());
    Ok(match is_all {
        true => types::messages::Messages { messages: found, topics, chats, users }.into(),
        false => {
            let mut slice = types::messages::MessagesSlice::new(count, found, topics, chats, users);
            slice.inexact = false;
            slice.into()
        }
    })
}

pub(super) fn get_messages(
    call: &mut Call<'_>,
    request: methods::GetMessages,
) -> Outcome<enums::messages::Messages> {
    if request.id.len() > usize::try_from(MOST).unwrap_or_default() {
        return Err(errors::LIMIT_INVALID.into());
    }
    let me = call.my_id()?;
    let (mut known, mut told) = (Vec::new(), Vec::new());
    for wanted in &request.id {
        let id = match wanted {
            InputMessage::Id(wanted) => wanted.id,
            // What the message with this id answers.
            InputMessage::ReplyTo(reply) => {
                let reply = call.world.message(me, reply.id)?;
                reply.and_then(|reply| reply.content.reply_to).unwrap_or_default()
            }
            InputMessage::CallbackQuery(query) => query.id,
            // Nothing is pinned here.
            _ => 0,
        };
        match call.world.message(me, id)? {
            Some(message) => {
                told.push(messages::message(&message));
                known.push(message);
            }
            None => told.push(types::MessageEmpty::new(id).into()),
        }
    }
    let users = users_of(call, &known)?;
    let (topics, chats) = (Vec::new(), Vec::new());
    Ok(types::messages::Messages { messages: told, topics, chats, users }.into())
}

pub(super) fn get_dialogs(
    call: &mut Call<'_>,
    request: methods::GetDialogs,
) -> Outcome<enums::messages::Dialogs> {
    let dialogs = match request.folder_id {
        None | Some(0) => call.world.dialogs(call.my_id()?)?,
        Some(ARCHIVE) => Vec::new(),
        Some(_) => return Err(errors::FOLDER_ID_INVALID.into()),
    };
    let count = dialogs.len();
    let is_below = |dialog: &Dialog| {
        (request.offset_id <= 0 || dialog.top.id < request.offset_id)
            && (request.offset_date <= 0 || dialog.top.date <= request.offset_date)
    };
    let most = usize::try_from(request.limit.clamp(0, MOST)).unwrap_or_default();
    let wanted: Vec<_> = dialogs.into_iter().filter(is_below).take(most).collect();
    let (dialogs, messages, users) = shown(call, &wanted)?;
    let chats = Vec::new();
    Ok(match dialogs.len() == count {
        true => types::messages::Dialogs { dialogs, messages, chats, users }.into(),
        false => {
            let count = i32::try_from(count).unwrap_or(i32::MAX);
            types::messages::DialogsSlice { count, dialogs, messages, chats, users }.into()
        }
    })
}

pub(super) fn get_peer_dialogs(
    call: &mut Call<'_>,
    request: methods::GetPeerDialogs,
) -> Outcome<types::messages::PeerDialogs> {
    if request.peers.is_empty() {
        return Err(errors::INPUT_PEERS_EMPTY.into());
    } else if request.peers.len() > usize::try_from(MOST).unwrap_or_default() {
        return Err(errors::LIMIT_INVALID.into());
    }
    let me = call.my_id()?;
    let mut wanted = Vec::new();
    for peer in &request.peers {
        if let InputDialogPeer::InputDialogPeer(dialog) = peer {
            let peer = sending::peer(call, &dialog.peer)?;
            wanted.extend(call.world.dialog(me, peer.id)?);
        }
    }
    let (dialogs, messages, users) = shown(call, &wanted)?;
    let state = updates::state(call.world.state(me)?, call.now);
    Ok(types::messages::PeerDialogs { dialogs, messages, chats: Vec::new(), users, state })
}

pub(super) fn read_history(
    call: &mut Call<'_>,
    request: methods::ReadHistory,
) -> Outcome<types::messages::AffectedMessages> {
    let peer = sending::peer(call, &request.peer)?;
    let me = call.my_id()?;
    let event = call.world.read_history(call.now, me, peer.id, request.max_id)?;
    sending::affected(call, event)
}

/// Dialogs with their last messages and the users in them.
fn shown(
    call: &Call<'_>,
    dialogs: &[Dialog],
) -> Outcome<(Vec<enums::Dialog>, Vec<enums::Message>, Vec<enums::User>)> {
    let tops: Vec<_> = dialogs.iter().map(|dialog| dialog.top.clone()).collect();
    let users = users_of(call, &tops)?;
    let shown = dialogs.iter().map(|dialog| {
        types::Dialog::new(
            PeerUser { user_id: dialog.top.peer_id },
            dialog.top.id,
            dialog.read_inbox,
            dialog.read_outbox,
            dialog.unread,
            0,
            0,
            0,
            types::PeerNotifySettings::new(),
        )
        .into()
    });
    Ok((shown.collect(), tops.iter().map(messages::message).collect(), users))
}

fn users_of(call: &Call<'_>, found: &[Message]) -> Outcome<Vec<enums::User>> {
    let mut named = BTreeSet::new();
    for message in found {
        messages::name_users(message, &mut named);
    }
    messages::people(call.world, call.my_id()?, named, call.now)
}
