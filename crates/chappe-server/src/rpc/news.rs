//! News of the world on their way to the sessions: each in its own layer.

use chappe_api::enums;
use chappe_tl::Encode;

use super::{Push, layer, messages};
use crate::world::{News, Tidings, World};

/// What is to be sent because of the transactions since the last time.
pub(crate) fn deliver(world: &mut World) -> Vec<Push> {
    let mut pushes = Vec::new();
    for News { sessions, date, what } in world.take_news() {
        let updates = match what {
            Tidings::Update(update) => messages::with_users(world, date, *update),
            Tidings::Event(event) => messages::updates(world, date, &event),
        };
        // What cannot be read now is not lost: the client asks for what it missed.
        let updates = updates.unwrap_or(enums::Updates::TooLong);
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
