//! Writing, changing and deleting private messages.

use chappe_api::{
    bots, enums,
    enums::{InputPeer, InputReplyTo, InputUser, MessageEntity},
    errors, messages as methods, types,
};

use super::{Call, keyboard, messages, users};
use crate::{
    failure::Outcome,
    world::{Allowed, Event, Message, NewMessage, SERVICE_ID, Told, User},
};

/// The longest text of a message, in characters. (core.telegram.org/constructor/config)
pub(super) const MAX_TEXT: usize = 4_096;

/// The most parts of a text that are something. (core.telegram.org/api/entities)
const MAX_ENTITIES: usize = 100;

/// The longest parameter of a start link. (core.telegram.org/api/links#bot-links)
const MAX_START_PARAM: usize = 64;

/// The most messages that are deleted at a time. Assumed.
const MAX_DELETED: usize = 100;

/// How long a person may change a message, in seconds. (core.telegram.org/constructor/config)
const EDIT_TIME: i32 = 172_800;

pub(super) fn send_message(
    call: &mut Call<'_>,
    request: methods::SendMessage,
) -> Outcome<enums::Updates> {
    let to = peer(call, &request.peer)?;
    if request.schedule_date.is_some()
        || request.send_as.is_some()
        || request.quick_reply_shortcut.is_some()
        || request.suggested_post.is_some()
        || request.rich_message.is_some()
    {
        return Err(errors::METHOD_INVALID.into());
    }
    may_send(call, &to)?;
    let (text, entities) = words(call, &request.message, request.entities)?;
    if request.random_id == 0 {
        return Err(errors::RANDOM_ID_EMPTY.into());
    }
    let content = NewMessage {
        text,
        entities,
        markup: markup(call, request.reply_markup.map(|markup| *markup))?,
        silent: request.silent,
        reply_to: reply_to(call, &to, request.reply_to.as_ref())?,
        random_id: Some(request.random_id),
        action: None,
    };
    send(call, to.id, content)
}

pub(super) fn start_bot(
    call: &mut Call<'_>,
    request: methods::StartBot,
) -> Outcome<enums::Updates> {
    let bot = users::find(call, &request.bot)?.filter(|user| user.bot);
    let bot = bot.ok_or(errors::BOT_INVALID)?;
    // Elsewhere than in its own chat a bot is started by being added to a group.
    match &request.peer {
        InputPeer::Empty | InputPeer::InputPeerSelf => {}
        other if peer(call, other)?.id == bot.id => {}
        _ => return Err(errors::PEER_ID_INVALID.into()),
    }
    let parameter = &*request.start_param;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if parameter.is_empty() {
        return Err(errors::START_PARAM_EMPTY.into());
    } else if parameter.len() > MAX_START_PARAM {
        return Err(errors::START_PARAM_TOO_LONG.into());
    } else if !parameter.bytes().all(is_plain) {
        return Err(errors::START_PARAM_INVALID.into());
    } else if request.random_id == 0 {
        return Err(errors::RANDOM_ID_EMPTY.into());
    }
    may_send(call, &bot)?;
    let (text, entities) = words(call, &format!("/start {parameter}"), None)?;
    let random_id = Some(request.random_id);
    send(call, bot.id, NewMessage { text, entities, random_id, ..NewMessage::default() })
}

/// Writes a message; the answer shows it.
fn send(call: &mut Call<'_>, to: i64, content: NewMessage) -> Outcome<enums::Updates> {
    let (now, me, random_id) = (call.now, call.my_id()?, content.random_id);
    let event = call.world.send(now, me, to, content, Told::Others)?;
    let mut answer = messages::updates(call.world, now, &event)?;
    if let (Some(random_id), enums::Updates::Updates(answer), Some(message)) =
        (random_id, &mut answer, event.message())
    {
        answer.updates.insert(0, types::UpdateMessageId { id: message.id, random_id }.into());
    }
    Ok(answer)
}

pub(super) fn edit_message(
    call: &mut Call<'_>,
    request: methods::EditMessage,
) -> Outcome<enums::Updates> {
    let to = peer(call, &request.peer)?;
    if request.media.is_some()
        || request.schedule_date.is_some()
        || request.quick_reply_shortcut_id.is_some()
        || request.rich_message.is_some()
    {
        return Err(errors::METHOD_INVALID.into());
    }
    let me = call.my_id()?;
    let message = call.world.message(me, request.id)?;
    let message = message.filter(|message| message.peer_id == to.id);
    let message = message.ok_or(errors::MESSAGE_ID_INVALID)?;
    if !message.is_own() {
        return Err(errors::MESSAGE_AUTHOR_REQUIRED.into());
    }
    if message.content.action.is_some() {
        return Err(errors::MESSAGE_ID_INVALID.into());
    }
    // A bot may change what it wrote for ever. (core.telegram.org/bots/api#editmessagetext)
    if !call.me()?.bot && call.now - message.date > EDIT_TIME && me != to.id {
        return Err(errors::MESSAGE_EDIT_TIME_EXPIRED.into());
    }
    let mut content = message.content.clone();
    if let Some(text) = &request.message {
        (content.text, content.entities) = words(call, text, request.entities)?;
    }
    // Observed: the buttons of a message go when it is changed without naming them again.
    content.markup = markup(call, request.reply_markup.map(|markup| *markup))?;
    if content == message.content {
        return Err(errors::MESSAGE_NOT_MODIFIED.into());
    }
    let event = call.world.edit_message(call.now, &message, &content, Told::Others)?;
    messages::updates(call.world, call.now, &event)
}

/// Assumed: a bot that deletes a message always deletes it for both.
pub(super) fn delete_messages(
    call: &mut Call<'_>,
    request: methods::DeleteMessages,
) -> Outcome<types::messages::AffectedMessages> {
    if request.id.len() > MAX_DELETED {
        return Err(errors::LIMIT_INVALID.into());
    }
    let me = call.me()?;
    let (id, revoke) = (me.id, request.revoke || me.bot);
    let event = call.world.delete_messages(call.now, id, &request.id, revoke)?;
    affected(call, event)
}

/// `messages.affectedMessages`: the event in the caller's box, or where that is.
pub(super) fn affected(
    call: &Call<'_>,
    event: Option<Event>,
) -> Outcome<types::messages::AffectedMessages> {
    let (pts, pts_count) = match event {
        Some(event) => (event.pts, event.pts_count),
        None => (call.world.state(call.my_id()?)?.pts, 0),
    };
    Ok(types::messages::AffectedMessages { pts, pts_count })
}

pub(super) fn set_typing(call: &mut Call<'_>, request: methods::SetTyping) -> Outcome<bool> {
    let to = peer(call, &request.peer)?;
    may_send(call, &to)?;
    let user_id = call.my_id()?;
    if user_id != to.id {
        let update = types::UpdateUserTyping { user_id, top_msg_id: None, action: request.action };
        call.world.tell_others(call.now, to.id, update)?;
    }
    Ok(true)
}

pub(super) fn can_send_message(
    call: &mut Call<'_>,
    request: bots::CanSendMessage,
) -> Outcome<bool> {
    let bot = bot(call, &request.bot)?;
    call.world.may_write(bot.id, call.my_id()?)
}

/// Assumed: a bot that may write already is not told again.
pub(super) fn allow_send_message(
    call: &mut Call<'_>,
    request: bots::AllowSendMessage,
) -> Outcome<enums::Updates> {
    let bot = bot(call, &request.bot)?;
    let (now, me) = (call.now, call.my_id()?);
    match call.world.allow_bot(now, me, bot.id, Allowed::Request, Told::Others)? {
        Some(event) => messages::updates(call.world, now, &event),
        None => {
            let (updates, users, chats) = (Vec::new(), Vec::new(), Vec::new());
            Ok(types::Updates { updates, users, chats, date: now, seq: 0 }.into())
        }
    }
}

fn bot(call: &Call<'_>, input: &InputUser) -> Outcome<User> {
    let bot = users::find(call, input)?.filter(|user| user.bot);
    Ok(bot.ok_or(errors::BOT_INVALID)?)
}

/// The user that a peer is. There are no groups and channels here.
pub(super) fn peer(call: &Call<'_>, input: &InputPeer) -> Outcome<User> {
    let found = match input {
        InputPeer::InputPeerSelf => Some(call.me()?.clone()),
        InputPeer::User(types::InputPeerUser { user_id, access_hash }) => {
            let input = types::InputUser { user_id: *user_id, access_hash: *access_hash };
            users::find(call, &input.into())?
        }
        _ => None,
    };
    Ok(found.ok_or(errors::PEER_ID_INVALID)?)
}

/// Refuses to write to whom the caller may not write.
///
/// Assumed: nobody writes to Telegram itself, and people who were blocked hear so as bots do.
fn may_send(call: &Call<'_>, to: &User) -> Outcome<()> {
    let me = call.me()?;
    if to.id == SERVICE_ID {
        return Err(errors::PEER_ID_INVALID.into());
    }
    if me.bot && to.bot {
        return Err(errors::USER_IS_BOT.into());
    }
    if call.world.is_blocked(me.id, to.id)? {
        return Err(errors::YOU_BLOCKED_USER.into());
    }
    if call.world.is_blocked(to.id, me.id)? {
        return Err(errors::USER_IS_BLOCKED.into());
    }
    // Observed: a bot cannot begin to write to who never wrote to it.
    if me.bot && !call.world.may_write(me.id, to.id)? {
        return Err(errors::PEER_ID_INVALID.into());
    }
    Ok(())
}

/// Checks a text and what parts of it are.
fn words(
    call: &Call<'_>,
    text: &str,
    entities: Option<Vec<MessageEntity>>,
) -> Outcome<(String, Vec<MessageEntity>)> {
    if text.trim().is_empty() {
        return Err(errors::MESSAGE_EMPTY.into());
    }
    if text.chars().count() > MAX_TEXT {
        return Err(errors::MESSAGE_TOO_LONG.into());
    }
    let mut entities = entities.unwrap_or_default();
    if entities.len() > MAX_ENTITIES {
        return Err(errors::ENTITIES_TOO_LONG.into());
    }
    let units = i64::try_from(text.encode_utf16().count()).unwrap_or(i64::MAX);
    for entity in &mut entities {
        let (offset, length) = bounds(entity);
        if offset < 0 || length <= 0 || i64::from(offset) + i64::from(length) > units {
            return Err(errors::ENTITY_BOUNDS_INVALID.into());
        }
        if let MessageEntity::InputMessageEntityMentionName(mention) = entity {
            let user = users::find(call, &mention.user_id)?;
            let user_id = user.ok_or(errors::ENTITY_MENTION_USER_INVALID)?.id;
            *entity = types::MessageEntityMentionName { offset, length, user_id }.into();
        }
    }
    if entities.is_empty() {
        entities.extend(command(text));
    }
    Ok((text.to_owned(), entities))
}

/// The command that a text begins with. (core.telegram.org/bots/features#commands)
fn command(text: &str) -> Option<MessageEntity> {
    let name = text.strip_prefix('/')?.split(char::is_whitespace).next()?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'@';
    if name.is_empty() || name.len() > MAX_START_PARAM || !name.bytes().all(is_part) {
        return None;
    }
    let length = i32::try_from(name.len() + 1).ok()?;
    Some(types::MessageEntityBotCommand { offset: 0, length }.into())
}

/// Where an entity begins, and how long it is, in units of UTF-16. What is not known has no length.
fn bounds(entity: &MessageEntity) -> (i32, i32) {
    macro_rules! bounds {
        ($($variant:ident)*) => {
            match entity {
                $(MessageEntity::$variant(it) => (it.offset, it.length),)*
                _ => (0, 0),
            }
        };
    }
    bounds!(
        Unknown Mention Hashtag BotCommand Url Email Bold Italic Code Pre TextUrl MentionName
        InputMessageEntityMentionName Phone Cashtag Underline Strike BankCard Spoiler CustomEmoji
        Blockquote FormattedDate
    )
}

/// The buttons that a bot sends. Assumed: those of a person are left out.
fn markup(
    call: &Call<'_>,
    markup: Option<enums::ReplyMarkup>,
) -> Outcome<Option<enums::ReplyMarkup>> {
    let is_bot = call.me()?.bot;
    markup.filter(|_| is_bot).map_or(Ok(None), |markup| keyboard::kept(call, markup))
}

/// The message of the caller's box that is answered.
fn reply_to(call: &Call<'_>, to: &User, reply_to: Option<&InputReplyTo>) -> Outcome<Option<i32>> {
    let Some(reply_to) = reply_to else { return Ok(None) };
    let InputReplyTo::Message(reply) = reply_to else {
        return Err(errors::REPLY_TO_INVALID.into());
    };
    let answered: Option<Message> = call.world.message(call.my_id()?, reply.reply_to_msg_id)?;
    let answered = answered.filter(|message| message.peer_id == to.id);
    Ok(Some(answered.ok_or(errors::REPLY_MESSAGE_ID_INVALID)?.id))
}
