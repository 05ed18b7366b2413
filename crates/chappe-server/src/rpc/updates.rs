//! The update state, and what a client missed (core.telegram.org/api/updates).

use std::collections::BTreeSet;

use chappe_api::{enums, types, updates};

use super::{Call, messages};
use crate::{
    failure::Outcome,
    world::{Difference, State, What},
};

pub(super) fn get_state(
    call: &mut Call<'_>,
    _: updates::GetState,
) -> Outcome<types::updates::State> {
    Ok(state(call.world.state(call.my_id()?)?, call.now))
}

pub(super) fn get_difference(
    call: &mut Call<'_>,
    request: updates::GetDifference,
) -> Outcome<enums::updates::Difference> {
    let (me, date) = (call.my_id()?, call.now);
    let updates::GetDifference { pts, pts_limit, pts_total_limit, .. } = request;
    let (events, pts, is_all) = match call.world.difference(me, pts, pts_limit, pts_total_limit)? {
        Difference::Empty => {
            let seq = call.world.state(me)?.seq;
            return Ok(types::updates::DifferenceEmpty { date, seq }.into());
        }
        Difference::TooLong(State { pts, .. }) => {
            return Ok(types::updates::DifferenceTooLong { pts }.into());
        }
        Difference::Events { events, pts, is_all } => (events, pts, is_all),
    };
    let (mut new_messages, mut other_updates) = (Vec::new(), Vec::new());
    let mut named = BTreeSet::new();
    for event in &events {
        match &event.what {
            What::New(new) => {
                messages::name_users(new, &mut named);
                new_messages.push(messages::message(new));
            }
            What::Edited(edited) => {
                messages::name_users(edited, &mut named);
                other_updates.push(messages::update(event));
            }
            _ => other_updates.push(messages::update(event)),
        }
    }
    let users = messages::people(call.world, me, named, date)?;
    let state = state(State { pts, ..call.world.state(me)? }, date);
    let (new_encrypted_messages, chats) = (Vec::new(), Vec::new());
    Ok(match is_all {
        true => types::updates::Difference {
            new_messages,
            new_encrypted_messages,
            other_updates,
            chats,
            users,
            state,
        }
        .into(),
        false => types::updates::DifferenceSlice {
            new_messages,
            new_encrypted_messages,
            other_updates,
            chats,
            users,
            intermediate_state: state,
        }
        .into(),
    })
}

/// `updates.state`.
pub(super) fn state(state: State, date: i32) -> types::updates::State {
    let State { pts, qts, seq, unread } = state;
    types::updates::State { pts, qts, date, seq, unread_count: unread }
}
