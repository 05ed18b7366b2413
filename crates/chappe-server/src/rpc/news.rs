//! News of the world on their way to the sessions: each in its own layer.

use chappe_api::{enums, types};
use chappe_tl::Encode;

use super::{Push, layer};
use crate::world::{News, World};

/// What is to be sent because of the transactions since the last time.
pub(crate) fn deliver(world: &mut World) -> Vec<Push> {
    let mut pushes = Vec::new();
    for News { sessions, date, update } in world.take_news() {
        let updates: enums::Updates = types::UpdateShort { update, date }.into();
        let body = updates.to_bytes();
        for (auth_key_id, session_id) in sessions {
            // Whoever never said its layer cannot be told anything; a layer that does not know the
            // update does without it.
            let layer = layer::of(world, auth_key_id, session_id);
            if let Some(body) = layer.ok().and_then(|layer| layer::lower_updates(layer, &body)) {
                pushes.push(Push { auth_key_id, session_id, body });
            }
        }
    }
    pushes
}
