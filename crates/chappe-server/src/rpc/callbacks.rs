//! Buttons that ask their bot (core.telegram.org/api/bots/buttons#callback-queries).

use chappe_api::{errors, messages as methods, types};

use super::{Call, password, sending};
use crate::{
    failure::Outcome,
    world::{SERVICE_ID, ServiceAnswer, ServiceCallback},
};

/// The longest notice of a bot, in characters. (core.telegram.org/bots/api#answercallbackquery)
const MAX_NOTICE: usize = 200;

/// What a bot may let a client open. (core.telegram.org/bots/api#answercallbackquery)
const SCHEMES: [&str; 3] = ["https://", "http://", "tg://"];

/// Asks the bot, and lets the caller wait; the buttons of Telegram itself are answered at once.
pub(super) fn get_bot_callback_answer(
    call: &mut Call<'_>,
    request: methods::GetBotCallbackAnswer,
) -> Outcome<types::messages::BotCallbackAnswer> {
    let peer = sending::peer(call, &request.peer)?;
    let me = call.my_id()?;
    let message = call.world.message(me, request.msg_id)?;
    let message = message.filter(|message| message.peer_id == peer.id && !message.is_own());
    let message = message.ok_or(errors::MESSAGE_ID_INVALID)?;
    let data = request.data.filter(|_| !request.game).ok_or(errors::DATA_INVALID)?;
    let button = message.callback_button(&data).ok_or(errors::DATA_INVALID)?;
    if button.requires_password {
        let known = request.password.filter(|_| call.world.has_password(me).unwrap_or(false));
        password::check_proof(call, me, &known.ok_or(errors::PASSWORD_MISSING)?)?;
    }
    let mut answer = types::messages::BotCallbackAnswer::new(0);
    if peer.id == SERVICE_ID {
        let does = ServiceCallback::read(&data).ok_or(errors::DATA_INVALID)?;
        let ServiceAnswer { text, alert } =
            call.world.service_pressed(call.now, me, message.id, &does)?;
        (answer.message, answer.alert) = (text.map(Into::into), alert);
    } else {
        // The answer of the bot takes the place of this one.
        call.waits_for = Some(call.world.ask_bot(call.now, &message, &data)?);
    }
    Ok(answer)
}

pub(super) fn set_bot_callback_answer(
    call: &mut Call<'_>,
    request: methods::SetBotCallbackAnswer,
) -> Outcome<bool> {
    if request.message.as_ref().is_some_and(|text| text.chars().count() > MAX_NOTICE) {
        return Err(errors::MESSAGE_TOO_LONG.into());
    }
    let opens = |url: &str| SCHEMES.iter().any(|scheme| url.starts_with(scheme));
    if request.url.as_ref().is_some_and(|url| !opens(url)) {
        return Err(errors::URL_INVALID.into());
    }
    let answer = types::messages::BotCallbackAnswer {
        alert: request.alert,
        has_url: request.url.is_some(),
        native_ui: true,
        message: request.message.filter(|text| !text.is_empty()),
        url: request.url,
        cache_time: request.cache_time.max(0),
    };
    call.world.answer_query(call.my_id()?, request.query_id, answer)?;
    Ok(true)
}
