//! What a client shows of a refusal of class 406. It does not show the refusal itself: the words come
//! right behind it, as an update (core.telegram.org/api/errors#406-not-acceptable).

use chappe_api::{enums, errors, types};
use chappe_tl::Encode;

use super::{Push, Request, layer};
use crate::{failure::Failure, world::World};

/// The class of refusals that are not shown.
const NOT_ACCEPTABLE: i32 = 406;

/// The words of a refusal, for the session that heard it. A key that is good for nothing any more
/// hears none: its client has to go by the name.
pub(super) fn popup(world: &mut World, request: &Request<'_>, failure: &Failure) -> Option<Push> {
    let silent = failure.code != NOT_ACCEPTABLE || *failure == errors::AUTH_KEY_DUPLICATED.into();
    if silent || !world.session(request.caller).updates {
        return None;
    }
    let mut notice = types::UpdateServiceNotification::new(
        failure.message.as_ref(),
        words(failure),
        enums::MessageMedia::Empty,
        Vec::new(),
    );
    notice.popup = true;
    let update: enums::Updates =
        types::UpdateShort { update: notice.into(), date: request.now }.into();
    let (auth_key_id, session_id) = (request.caller.auth_key_id, request.caller.session_id);
    let layer = layer::of(world, auth_key_id, session_id).ok()?;
    let body = layer::lower_updates(layer, &update.to_bytes())?;
    Some(Push { auth_key_id, session_id, body })
}

fn words(failure: &Failure) -> &'static str {
    let is = |name| *failure == Failure::from(name);
    if is(errors::FRESH_RESET_AUTHORISATION_FORBIDDEN) {
        "For your safety, a device that signed in less than a day ago cannot end other sessions."
    } else if is(errors::PHONE_PASSWORD_FLOOD) {
        "Too many wrong passwords were given for this account. Please try again in an hour."
    } else if is(errors::SEND_CODE_UNAVAILABLE) {
        "There is no other way to send you a code. Please wait for the one that was sent."
    } else {
        "This cannot be done."
    }
}
