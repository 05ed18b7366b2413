//! Private messages between people and bots, as two devices and a bot see them.

use chappe_api::{bots, updates::GetDifference};

use super::*;

/// Claude with two devices, Ada with one, and a bot.
pub(super) struct Chat {
    pub(super) server: Bench,
    pub(super) claude: Caller,
    desk: Caller,
    pub(super) ada: Caller,
    pub(super) bot: Caller,
}

impl Chat {
    pub(super) fn new() -> Self {
        let mut server = Bench::new();
        let (claude, desk) = (server.demonstration(1), server.demonstration(2));
        let (ada, bot) = (server.stranger(3), server.bot(4));
        deliver(&mut server.world);
        Self { server, claude, desk, ada, bot }
    }

    pub(super) fn user(&self, caller: Caller) -> User {
        let key = self.server.world.key_state(caller.auth_key_id).unwrap().unwrap();
        self.server.world.user(key.user_id.unwrap()).unwrap().unwrap()
    }

    pub(super) fn peer(&self, caller: Caller) -> enums::InputPeer {
        let User { id: user_id, access_hash, .. } = self.user(caller);
        types::InputPeerUser { user_id, access_hash }.into()
    }

    pub(super) fn input(&self, caller: Caller) -> InputUser {
        let User { id: user_id, access_hash, .. } = self.user(caller);
        types::InputUser { user_id, access_hash }.into()
    }

    pub(super) fn send(&mut self, from: Caller, to: Caller, text: &str) -> Result<i32, Failure> {
        let random_id = self.server.last_msg_id + 1_000;
        let request = messages::SendMessage::new(self.peer(to), text, random_id);
        Ok(new_id(&self.server.call(from, &request)?))
    }

    fn pts(&mut self, caller: Caller) -> i32 {
        self.server.call(caller, &updates::GetState).unwrap().pts
    }

    /// What a client that was at this pts missed, as words.
    fn missed(&mut self, caller: Caller, pts: i32) -> Vec<String> {
        match self.server.call(caller, &GetDifference::new(pts, NOW, 0)).unwrap() {
            enums::updates::Difference::Empty(_) => Vec::new(),
            enums::updates::Difference::Difference(all) => {
                let new = all.new_messages.iter().map(text);
                new.chain(all.other_updates.iter().map(name)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn history(&mut self, caller: Caller, with: Caller) -> Vec<String> {
        let history = messages::GetHistory {
            peer: self.peer(with),
            offset_id: 0,
            offset_date: 0,
            add_offset: 0,
            limit: 100,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        match self.server.call(caller, &history).unwrap() {
            enums::messages::Messages::Messages(all) => all.messages.iter().map(text).collect(),
            other => panic!("{other:?}"),
        }
    }
}

/// The id of the message that an answer to its sender shows.
fn new_id(answer: &enums::Updates) -> i32 {
    let enums::Updates::Updates(answer) = answer else { panic!("{answer:?}") };
    match &answer.updates[..] {
        [enums::Update::MessageId(named), enums::Update::NewMessage(new)] => {
            assert_eq!(id(&new.message), named.id);
            named.id
        }
        other => panic!("{other:?}"),
    }
}

pub(super) fn id(message: &enums::Message) -> i32 {
    match message {
        enums::Message::Message(message) => message.id,
        enums::Message::Service(message) => message.id,
        enums::Message::Empty(message) => message.id,
        other => panic!("{other:?}"),
    }
}

pub(super) fn text(message: &enums::Message) -> String {
    match message {
        enums::Message::Message(message) => {
            format!("{}{}", if message.out { "> " } else { "" }, message.message.as_str())
        }
        enums::Message::Service(message) => format!("{:?}", message.action),
        enums::Message::Empty(_) => "empty".to_owned(),
        other => panic!("{other:?}"),
    }
}

/// An update in a word, with the message or what it counts.
fn name(update: &enums::Update) -> String {
    match update {
        enums::Update::NewMessage(new) => format!("new {}", text(&new.message)),
        enums::Update::EditMessage(edited) => format!("edited {}", text(&edited.message)),
        enums::Update::DeleteMessages(deleted) => format!("deleted {:?}", deleted.messages),
        enums::Update::ReadHistoryInbox(read) => {
            format!("read in {} left {}", read.max_id, read.still_unread_count)
        }
        enums::Update::ReadHistoryOutbox(read) => format!("read out {}", read.max_id),
        enums::Update::UserTyping(_) => "typing".to_owned(),
        enums::Update::BotCallbackQuery(query) => format!("pressed {:?}", query.data),
        other => format!("{other:?}"),
    }
}

/// Who is told what, in the order in which it goes out.
fn told(pushes: &[Push]) -> Vec<(i64, String)> {
    let told = pushes.iter().map(|push| {
        let update = match enums::Updates::from_bytes(&push.body).unwrap() {
            enums::Updates::Updates(updates) => updates.updates[0].clone(),
            enums::Updates::UpdateShort(short) => short.update,
            other => panic!("{other:?}"),
        };
        (push.auth_key_id, name(&update))
    });
    told.collect()
}

#[test]
fn a_message_reaches_every_device_of_both_but_the_one_that_sent_it() {
    let mut chat = Chat::new();
    let (claude, desk, ada) = (chat.claude, chat.desk, chat.ada);
    let before = [claude, ada].map(|caller| chat.pts(caller));
    let request = messages::SendMessage::new(chat.peer(ada), "Bonjour", 77);
    let reply = chat.server.raw(claude, &request.to_bytes());
    let mut heard = told(&reply.pushes);
    heard.sort_by_key(|(key, _)| *key != desk.auth_key_id);
    assert_eq!(
        heard,
        [
            (desk.auth_key_id, "new > Bonjour".to_owned()),
            (ada.auth_key_id, "new Bonjour".to_owned())
        ]
    );
    let answer = enums::Updates::from_bytes(&reply.result.unwrap()).unwrap();
    let id = new_id(&answer);
    let enums::Updates::Updates(answer) = answer else { panic!() };
    assert_eq!(answer.users.len(), 2, "both are named");
    let enums::Update::NewMessage(new) = &answer.updates[1] else { panic!("{answer:?}") };
    assert_eq!((new.pts, new.pts_count), (before[0] + 1, 1));
    assert_eq!([claude, ada].map(|caller| chat.pts(caller)), [before[0] + 1, before[1] + 1]);
    // Ids count in each box by themselves.
    let claude_user = chat.user(claude).id;
    let seen = chat.server.world.message(chat.user(ada).id, 1).unwrap().unwrap();
    assert_eq!((seen.peer_id, seen.twin_id, seen.outgoing), (claude_user, Some(id), false));

    // The same again, as after a lost answer, is not sent twice.
    chat.server.refused(claude, &request, errors::RANDOM_ID_DUPLICATE);
    assert_eq!(chat.history(ada, claude), ["Bonjour"]);
    let to_self = chat.send(claude, claude, "note").unwrap();
    assert_eq!(chat.history(claude, claude), ["note"]);
    assert!(to_self > id);
}

#[test]
fn who_was_away_hears_what_was_missed() {
    let mut chat = Chat::new();
    let (claude, ada) = (chat.claude, chat.ada);
    let pts = chat.pts(ada);
    assert_eq!(chat.missed(ada, pts), [""; 0]);
    let ids: Vec<_> =
        ["one", "two", "three"].map(|text| chat.send(claude, ada, text).unwrap()).into();
    let edit = messages::EditMessage {
        message: Some("three!".into()),
        ..messages::EditMessage::new(chat.peer(ada), ids[2])
    };
    chat.server.call(claude, &edit).unwrap();
    chat.server.refused(claude, &edit, errors::MESSAGE_NOT_MODIFIED);
    let delete = messages::DeleteMessages { revoke: true, id: vec![ids[0], 9_999] };
    let affected = chat.server.call(claude, &delete).unwrap();
    assert_eq!((affected.pts, affected.pts_count), (chat.pts(claude), 1));
    // What is gone by now is not told; what was changed is told as it is.
    assert_eq!(
        chat.missed(ada, pts),
        ["two", "three!", "edited three!", "deleted [1]"],
        "one step after the other"
    );
    assert_eq!(chat.missed(ada, pts + 3), ["edited three!", "deleted [1]"]);
    let state = chat.server.call(ada, &updates::GetState).unwrap();
    assert_eq!((state.pts, state.unread_count), (pts + 5, 2));
    // Ada reads up to the second; both hear it.
    let read = messages::ReadHistory { peer: chat.peer(claude), max_id: 2 };
    let reply = chat.server.raw(ada, &read.to_bytes());
    let heard: Vec<_> = told(&reply.pushes).into_iter().map(|(_, what)| what).collect();
    assert_eq!(heard, vec![format!("read out {}", ids[1]); 2], "the devices of who wrote it");
    assert_eq!(chat.missed(ada, pts + 5), ["read in 2 left 1"]);
    let again = chat.server.call(ada, &read).unwrap();
    assert_eq!((again.pts, again.pts_count), (pts + 6, 0));
    let state = chat.server.call(ada, &updates::GetState).unwrap();
    assert_eq!((state.pts, state.unread_count), (pts + 6, 1));
}

#[test]
fn a_long_difference_comes_in_slices_or_is_too_long() {
    let mut chat = Chat::new();
    let (claude, ada) = (chat.claude, chat.ada);
    let start = chat.pts(ada);
    for number in 0..130 {
        chat.send(claude, ada, &number.to_string()).unwrap();
    }
    let mut sizes = Vec::new();
    let mut pts = start;
    loop {
        let request = GetDifference::new(pts, NOW, 0);
        match chat.server.call(ada, &request).unwrap() {
            enums::updates::Difference::Slice(slice) => {
                sizes.push(slice.new_messages.len());
                pts = slice.intermediate_state.pts;
            }
            enums::updates::Difference::Difference(last) => {
                sizes.push(last.new_messages.len());
                assert_eq!(last.state.pts, start + 130);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sizes, [100, 30]);
    let limited = GetDifference { pts_limit: Some(7), ..GetDifference::new(start, NOW, 0) };
    let answer = chat.server.call(ada, &limited).unwrap();
    assert!(
        matches!(&answer, enums::updates::Difference::Slice(slice) if slice.new_messages.len() == 7)
    );
    let first = GetDifference { pts_total_limit: Some(100), ..GetDifference::new(start, NOW, 0) };
    let answer = chat.server.call(ada, &first).unwrap();
    let enums::updates::Difference::TooLong(long) = answer else { panic!("{answer:?}") };
    assert_eq!(long.pts, start + 130);
    assert_eq!(chat.missed(ada, long.pts), [""; 0]);
    // The history is read by pages.
    let page = |offset_id, add_offset, limit| messages::GetHistory {
        peer: enums::InputPeer::Empty,
        offset_id,
        offset_date: 0,
        add_offset,
        limit,
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    let mut read = |request: messages::GetHistory| {
        let peer = chat.peer(claude);
        match chat.server.call(ada, &messages::GetHistory { peer, ..request }).unwrap() {
            enums::messages::Messages::Slice(slice) => {
                assert_eq!(slice.count, 130);
                slice.messages.iter().map(id).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(page(0, 0, 3)), [130, 129, 128]);
    assert_eq!(read(page(128, 0, 2)), [127, 126]);
    assert_eq!(read(page(128, -2, 4)), [129, 128, 127, 126]);
    assert_eq!(read(page(129, -5, 6)), [130, 129, 128]);
    assert_eq!(read(page(0, 127, 100)), [3, 2, 1]);
    assert_eq!(read(messages::GetHistory { min_id: 5, max_id: 8, ..page(0, 0, 9) }), [7, 6]);
}

#[test]
fn dialogs_are_those_with_messages() {
    let mut chat = Chat::new();
    let (claude, ada, bot) = (chat.claude, chat.ada, chat.bot);
    let ask = messages::GetDialogs::new(0, 0, enums::InputPeer::Empty, 100, 0);
    let list = |chat: &mut Chat, request: &messages::GetDialogs| {
        let (dialogs, users) = match chat.server.call(ada, request).unwrap() {
            enums::messages::Dialogs::Dialogs(all) => (all.dialogs, all.users),
            enums::messages::Dialogs::Slice(some) => (some.dialogs, some.users),
            other => panic!("{other:?}"),
        };
        let dialogs = dialogs.into_iter().map(|dialog| match dialog {
            enums::Dialog::Dialog(dialog) => (dialog.top_message, dialog.unread_count),
            other => panic!("{other:?}"),
        });
        (dialogs.collect::<Vec<_>>(), users.len())
    };
    assert_eq!(list(&mut chat, &ask), (vec![], 0));
    chat.send(claude, ada, "one").unwrap();
    chat.send(claude, ada, "two").unwrap();
    chat.send(ada, bot, "/start").unwrap();
    assert_eq!(list(&mut chat, &ask), (vec![(3, 0), (2, 2)], 3));
    let first = messages::GetDialogs { limit: 1, ..ask.clone() };
    assert_eq!(list(&mut chat, &first), (vec![(3, 0)], 2));
    let rest = messages::GetDialogs { offset_id: 3, ..ask.clone() };
    assert_eq!(list(&mut chat, &rest), (vec![(2, 2)], 2));
    let archive = messages::GetDialogs { folder_id: Some(1), ..ask.clone() };
    assert_eq!(list(&mut chat, &archive), (vec![], 0));
    let other = messages::GetDialogs { folder_id: Some(2), ..ask };
    chat.server.refused(ada, &other, errors::FOLDER_ID_INVALID);
    let peers = vec![types::InputDialogPeer { peer: chat.peer(claude) }.into()];
    let one = chat.server.call(ada, &messages::GetPeerDialogs { peers }).unwrap();
    assert_eq!((one.dialogs.len(), one.state.unread_count), (1, 2));
    // A message by its id, and one that is not there.
    let get = messages::GetMessages {
        id: vec![types::InputMessageId { id: 1 }.into(), types::InputMessageId { id: 50 }.into()],
    };
    let enums::messages::Messages::Messages(found) = chat.server.call(ada, &get).unwrap() else {
        panic!("no messages");
    };
    assert_eq!(found.messages.iter().map(text).collect::<Vec<_>>(), ["one", "empty"]);
}

#[test]
fn what_may_not_be_sent_is_refused() {
    let mut chat = Chat::new();
    let (claude, ada, bot) = (chat.claude, chat.ada, chat.bot);
    let (claude_peer, ada_peer) = (chat.peer(claude), chat.peer(ada));
    let to =
        |peer: &enums::InputPeer, text: &str| messages::SendMessage::new(peer.clone(), text, 9);
    let mut refused = |from, request: messages::SendMessage, name| {
        chat.server.refused(from, &request, name);
    };
    refused(claude, to(&ada_peer, " \n "), errors::MESSAGE_EMPTY);
    refused(claude, to(&ada_peer, &"é".repeat(4_097)), errors::MESSAGE_TOO_LONG);
    refused(claude, to(&enums::InputPeer::Empty, "x"), errors::PEER_ID_INVALID);
    let nobody = types::InputPeerUser { user_id: 5, access_hash: 5 }.into();
    refused(claude, to(&nobody, "x"), errors::PEER_ID_INVALID);
    let unnamed = messages::SendMessage { random_id: 0, ..to(&ada_peer, "x") };
    refused(claude, unnamed, errors::RANDOM_ID_EMPTY);
    let beyond = types::MessageEntityBold { offset: 1, length: 2 }.into();
    let beyond = messages::SendMessage { entities: Some(vec![beyond]), ..to(&ada_peer, "😀") };
    refused(claude, beyond, errors::ENTITY_BOUNDS_INVALID);
    let reply = types::InputReplyToMessage::new(4).into();
    let reply = messages::SendMessage { reply_to: Some(reply), ..to(&ada_peer, "x") };
    refused(claude, reply, errors::REPLY_MESSAGE_ID_INVALID);
    let later = messages::SendMessage { schedule_date: Some(NOW + 60), ..to(&ada_peer, "x") };
    refused(claude, later, errors::METHOD_INVALID);
    // A bot may not begin, and not write to itself or another bot.
    refused(bot, to(&claude_peer, "buy"), errors::PEER_ID_INVALID);
    refused(bot, to(&enums::InputPeer::InputPeerSelf, "buy"), errors::USER_IS_BOT);
    // Nobody writes to Telegram itself.
    let service = chat.server.world.user(777_000).unwrap().unwrap();
    let service = types::InputPeerUser { user_id: 777_000, access_hash: service.access_hash };
    chat.server.refused(claude, &to(&service.into(), "help"), errors::PEER_ID_INVALID);
    assert_eq!(chat.server.world.user_by_phone("42777").unwrap().unwrap().id, 777_000);
    chat.server.refused(claude, &send_code("42777"), errors::PHONE_NUMBER_INVALID);
}

#[test]
fn who_is_blocked_cannot_write() {
    let mut chat = Chat::new();
    let (claude, ada, bot) = (chat.claude, chat.ada, chat.bot);
    chat.send(ada, bot, "/start").unwrap();
    chat.send(bot, ada, "welcome").unwrap();
    let block = |chat: &mut Chat, who: Caller, blocked| {
        let id = chat.peer(who);
        let done = match blocked {
            true => chat.server.call(ada, &contacts::Block { my_stories_from: false, id }),
            false => chat.server.call(ada, &contacts::Unblock { my_stories_from: false, id }),
        };
        assert_eq!(done, Ok(true));
    };
    block(&mut chat, bot, true);
    block(&mut chat, claude, true);
    assert_eq!(chat.send(bot, ada, "buy"), Err(errors::USER_IS_BLOCKED.into()));
    assert_eq!(chat.send(claude, ada, "hey"), Err(errors::USER_IS_BLOCKED.into()));
    assert_eq!(chat.send(ada, claude, "hey"), Err(errors::YOU_BLOCKED_USER.into()));
    let typing = messages::SetTyping {
        peer: chat.peer(ada),
        top_msg_id: None,
        action: enums::SendMessageAction::SendMessageTypingAction,
    };
    chat.server.refused(claude, &typing, errors::USER_IS_BLOCKED);
    block(&mut chat, bot, false);
    block(&mut chat, claude, false);
    chat.send(bot, ada, "buy").unwrap();
    let reply = chat.server.raw(claude, &typing.to_bytes());
    assert_eq!(told(&reply.pushes), [(ada.auth_key_id, "typing".to_owned())]);
}

#[test]
fn a_bot_writes_to_whom_it_was_allowed_to() {
    let mut chat = Chat::new();
    let (claude, ada, bot) = (chat.claude, chat.ada, chat.bot);
    let can = bots::CanSendMessage { bot: chat.input(bot) };
    assert!(!chat.server.call(ada, &can).unwrap());
    chat.server.refused(
        ada,
        &bots::CanSendMessage { bot: chat.input(claude) },
        errors::BOT_INVALID,
    );
    let allow = bots::AllowSendMessage { bot: chat.input(bot) };
    let reply = chat.server.raw(ada, &allow.to_bytes());
    let [(key, what)] = &told(&reply.pushes)[..] else { panic!("{:?}", reply.pushes) };
    assert!(*key == bot.auth_key_id && what.contains("from_request: true"), "{what}");
    assert!(chat.server.call(ada, &can).unwrap());
    let again = chat.server.raw(ada, &allow.to_bytes());
    assert_eq!((again.result.is_ok(), again.pushes), (true, vec![]));
    chat.send(bot, ada, "welcome").unwrap();
    // A bot may name who wrote to it without the access hash, and nobody else.
    let by_id = |user: User| types::InputUser { user_id: user.id, access_hash: 0 }.into();
    let (ada_id, claude_id) = (by_id(chat.user(ada)), by_id(chat.user(claude)));
    let found = chat.server.call(bot, &users::GetUsers { id: vec![ada_id, claude_id] }).unwrap();
    assert!(matches!(&found[..], [enums::User::User(_), enums::User::Empty(_)]), "{found:?}");

    // By a link, and by the name of the bot.
    let username = chat.user(bot).username.unwrap();
    let resolve = |name: &str| contacts::ResolveUsername { username: name.into(), referer: None };
    let found = chat.server.call(claude, &resolve(&username.to_uppercase())).unwrap();
    assert_eq!(found.peer, types::PeerUser { user_id: chat.user(bot).id }.into());
    chat.server.refused(claude, &resolve("nobody_here"), errors::USERNAME_NOT_OCCUPIED);
    chat.server.refused(claude, &resolve("@a b"), errors::USERNAME_INVALID);
    let start = |chat: &Chat, parameter: &str| messages::StartBot {
        bot: chat.input(bot),
        peer: chat.peer(bot),
        random_id: 4,
        start_param: parameter.into(),
    };
    for (parameter, name) in [
        ("", errors::START_PARAM_EMPTY),
        ("a b", errors::START_PARAM_INVALID),
        (&"a".repeat(65), errors::START_PARAM_TOO_LONG),
    ] {
        let start = start(&chat, parameter);
        chat.server.refused(claude, &start, name);
    }
    let start = start(&chat, "web-7_");
    chat.server.call(claude, &start).unwrap();
    assert_eq!(chat.history(claude, bot), ["> /start web-7_"]);
    chat.send(bot, claude, "welcome").unwrap();
    let seen = chat.server.world.message(chat.user(bot).id, 3).unwrap().unwrap();
    let command = types::MessageEntityBotCommand { offset: 0, length: 6 };
    assert_eq!(seen.content.entities, [command.into()]);
}

#[test]
fn only_its_author_changes_a_message_and_a_person_only_for_two_days() {
    let mut chat = Chat::new();
    let (claude, ada, bot) = (chat.claude, chat.ada, chat.bot);
    chat.send(ada, bot, "/start").unwrap();
    let of_bot = chat.send(bot, ada, "one").unwrap();
    let of_claude = chat.send(claude, ada, "two").unwrap();
    let edit = |peer, id| messages::EditMessage {
        message: Some("other".into()),
        ..messages::EditMessage::new(peer, id)
    };
    let in_ada = chat.server.world.state(chat.user(ada).id).unwrap();
    assert_eq!(in_ada.unread, 2);
    let foreign = edit(chat.peer(claude), 3);
    chat.server.refused(ada, &foreign, errors::MESSAGE_AUTHOR_REQUIRED);
    let elsewhere = edit(chat.peer(bot), 3);
    chat.server.refused(ada, &elsewhere, errors::MESSAGE_ID_INVALID);
    chat.server.now += 2 * DAY + 1;
    let late = edit(chat.peer(ada), of_claude);
    chat.server.refused(claude, &late, errors::MESSAGE_EDIT_TIME_EXPIRED);
    let reply = chat.server.raw(bot, &edit(chat.peer(ada), of_bot).to_bytes());
    assert_eq!(told(&reply.pushes), [(ada.auth_key_id, "edited other".to_owned())]);
    // Who deletes only for themselves leaves the other what it has.
    let delete = messages::DeleteMessages { revoke: false, id: vec![of_claude] };
    let reply = chat.server.raw(claude, &delete.to_bytes());
    let desk = chat.desk.auth_key_id;
    assert_eq!(told(&reply.pushes), [(desk, format!("deleted [{of_claude}]"))]);
    assert_eq!(chat.history(ada, claude), ["two"]);
    assert_eq!(chat.history(claude, ada), [""; 0]);
}

/// A message of a bot with these buttons.
pub(super) fn with_buttons(
    peer: enums::InputPeer,
    buttons: Vec<enums::InlineButtonType>,
) -> messages::SendMessage {
    let buttons = buttons.into_iter().map(|does| types::KeyboardInlineButton::new("Button", does));
    let rows = vec![types::KeyboardInlineButtonRow { buttons: buttons.collect() }];
    let markup = types::ReplyInlineMarkup { force_reply: false, rows };
    messages::SendMessage {
        reply_markup: Some(Box::new(markup.into())),
        ..messages::SendMessage::new(peer, "Choose", 50)
    }
}

fn callback(data: &[u8]) -> enums::InlineButtonType {
    types::InlineButtonTypeCallback { requires_password: false, data: data.to_vec().into() }.into()
}

pub(super) fn press(
    peer: enums::InputPeer,
    msg_id: i32,
    data: &[u8],
) -> messages::GetBotCallbackAnswer {
    messages::GetBotCallbackAnswer {
        data: Some(data.to_vec().into()),
        ..messages::GetBotCallbackAnswer::new(peer, msg_id)
    }
}

#[test]
fn a_button_asks_its_bot_and_the_answer_comes_when_the_bot_gives_it() {
    let mut chat = Chat::new();
    let (claude, ada, bot) = (chat.claude, chat.ada, chat.bot);
    chat.send(ada, bot, "/start").unwrap();
    let request = with_buttons(chat.peer(ada), vec![callback(b"yes"), callback(b"no")]);
    chat.server.call(bot, &request).unwrap();
    let pressed = press(chat.peer(bot), 2, b"no");
    let reply = chat.server.raw(ada, &pressed.to_bytes());
    let waits = reply.waits.expect("nobody answered yet");
    let [push] = &reply.pushes[..] else { panic!("{:?}", reply.pushes) };
    assert_eq!(push.auth_key_id, bot.auth_key_id);
    let enums::Updates::UpdateShort(short) = enums::Updates::from_bytes(&push.body).unwrap() else {
        panic!("not a short update");
    };
    let enums::Update::BotCallbackQuery(query) = short.update else { panic!("{short:?}") };
    assert_eq!((query.user_id, query.msg_id), (chat.user(ada).id, 2));
    assert_eq!(query.data.as_deref(), Some(&b"no"[..]));

    let answer = |query_id: i64, text: &str| messages::SetBotCallbackAnswer {
        message: Some(text.into()),
        ..messages::SetBotCallbackAnswer::new(query_id, 5)
    };
    chat.server.refused(bot, &answer(query.query_id ^ 1, "?"), errors::QUERY_ID_INVALID);
    chat.server.refused(bot, &answer(query.query_id, &"é".repeat(201)), errors::MESSAGE_TOO_LONG);
    chat.server.refused(claude, &answer(query.query_id, "mine"), errors::USER_BOT_REQUIRED);
    let reply = chat.server.raw(bot, &answer(query.query_id, "Then not.").to_bytes());
    let [(query_id, given)] = &reply.answers[..] else { panic!("{:?}", reply.answers) };
    assert_eq!(*query_id, waits.query_id);
    let heard = waits.end(Some(given.clone())).unwrap();
    let heard = types::messages::BotCallbackAnswer::from_bytes(&heard).unwrap();
    assert_eq!((heard.message.as_deref(), heard.cache_time), (Some("Then not."), 5));
    // A question is answered once, and who waits too long hears so.
    chat.server.refused(bot, &answer(query.query_id, "again"), errors::QUERY_ID_INVALID);
    let waits = chat.server.raw(ada, &pressed.to_bytes()).waits.unwrap();
    assert_eq!(waits.end(None), Err(errors::BOT_RESPONSE_TIMEOUT.into()));
    // What is on no button cannot be pressed, nor what is in no message of the bot.
    for (peer, msg_id, data, name) in [
        (bot, 2, &b"maybe"[..], errors::DATA_INVALID),
        (bot, 1, &b"no"[..], errors::MESSAGE_ID_INVALID),
        (bot, 9, &b"no"[..], errors::MESSAGE_ID_INVALID),
        (claude, 2, &b"no"[..], errors::MESSAGE_ID_INVALID),
    ] {
        let pressed = press(chat.peer(peer), msg_id, data);
        chat.server.refused(ada, &pressed, name);
    }
}

#[test]
fn buttons_that_make_no_sense_are_refused() {
    let mut chat = Chat::new();
    let (ada, bot) = (chat.ada, chat.bot);
    chat.send(ada, bot, "/start").unwrap();
    let peer = chat.peer(ada);
    let url = |url: &str| types::InlineButtonTypeUrl { url: url.into() }.into();
    let copy = |text: &str| types::InlineButtonTypeCopy { copy_text: text.into() }.into();
    let nobody: InputUser = types::InputUser { user_id: 5, access_hash: 5 }.into();
    let profile = types::InputInlineButtonTypeUserProfile { user_id: nobody.clone() };
    let login = |bot| types::InputInlineButtonTypeUrlAuth {
        bot: Some(bot),
        ..types::InputInlineButtonTypeUrlAuth::new("https://travel.example.com/login")
    };
    let login_at = |url: &str| types::InputInlineButtonTypeUrlAuth::new(url).into();
    let cases: Vec<(enums::InlineButtonType, ErrorName)> = vec![
        (callback(b""), errors::BUTTON_DATA_INVALID),
        (callback(&[b'x'; 65]), errors::BUTTON_DATA_INVALID),
        (url("javascript:alert(1)"), errors::BUTTON_URL_INVALID),
        (copy(""), errors::BUTTON_COPY_TEXT_INVALID),
        (profile.into(), errors::BUTTON_USER_INVALID),
        (enums::InlineButtonType::Game, errors::BUTTON_TYPE_INVALID),
        (
            types::InlineButtonTypeUrlAuth::new("https://a.example", 0).into(),
            errors::BUTTON_TYPE_INVALID,
        ),
        (login(nobody).into(), errors::BOT_INVALID),
        (login(chat.input(ada)).into(), errors::BOT_INVALID),
        (login_at("https://travel.example.com@evil.example/"), errors::BUTTON_URL_INVALID),
        (login_at("https://evil.example/"), errors::BOT_DOMAIN_INVALID),
        (login_at("https://news.example.org/"), errors::BOT_DOMAIN_INVALID),
    ];
    for (button, name) in cases {
        chat.server.refused(bot, &with_buttons(peer.clone(), vec![button]), name);
    }
    // A bot may send the login button of another one, for that one's site.
    let other = chat.server.world.user_by_username("LumiereNewsBot").unwrap().unwrap();
    let named = types::InputUser { user_id: other.id, access_hash: other.access_hash };
    let foreign = types::InputInlineButtonTypeUrlAuth {
        bot: Some(named.into()),
        ..types::InputInlineButtonTypeUrlAuth::new("https://news.example.org/login")
    };
    let request = with_buttons(peer.clone(), vec![foreign.into()]);
    let id = new_id(&chat.server.call(bot, &request).unwrap());
    let twin = chat.server.world.message(chat.user(bot).id, id).unwrap().unwrap().twin_id.unwrap();
    let (ada_id, bot_id) = (chat.user(ada).id, chat.user(bot).id);
    let found = chat.server.world.url_button(ada_id, bot_id, twin, 0).unwrap().unwrap();
    assert_eq!(found.bot_id, other.id);
    let many = with_buttons(peer, vec![callback(b"x"); 101]);
    chat.server.refused(bot, &many, errors::REPLY_MARKUP_TOO_LONG);
    // A person has no buttons to send.
    let request = with_buttons(chat.peer(bot), vec![callback(b"x")]);
    chat.server.call(ada, &request).unwrap();
    let sent = chat.server.world.message(ada_id, twin + 1).unwrap().unwrap();
    assert_eq!(sent.content.markup, None);
}

#[test]
fn a_login_button_is_shown_without_what_it_asks_for_and_found_by_its_place() {
    let mut chat = Chat::new();
    let (ada, bot) = (chat.ada, chat.bot);
    chat.send(ada, bot, "/start").unwrap();
    let login = types::InputInlineButtonTypeUrlAuth {
        request_write_access: true,
        fwd_text: Some("Visit".into()),
        ..types::InputInlineButtonTypeUrlAuth::new("https://travel.example.com/login?next=a")
    };
    let old = Caller { session_id: 8, ..ada };
    let introduce = InvokeWithLayer { layer: 198, query: connection(me()) };
    chat.server.raw(old, &introduce.to_bytes()).result.unwrap();
    let request = with_buttons(chat.peer(ada), vec![callback(b"x"), login.into()]);
    let reply = chat.server.raw(bot, &request.to_bytes());
    let [new, older] = &reply.pushes[..] else { panic!("{:?}", reply.pushes) };
    let buttons = |message: &enums::Message| {
        let enums::Message::Message(message) = message else { panic!("{message:?}") };
        match message.reply_markup.as_deref() {
            Some(enums::ReplyMarkup::ReplyInlineMarkup(inline)) => inline.rows[0].buttons.clone(),
            other => panic!("{other:?}"),
        }
    };
    let enums::Updates::Updates(updates) = enums::Updates::from_bytes(&new.body).unwrap() else {
        panic!("no updates");
    };
    let enums::Update::NewMessage(update) = &updates.updates[0] else { panic!("{updates:?}") };
    let mut shown =
        types::InlineButtonTypeUrlAuth::new("https://travel.example.com/login?next=a", 1);
    shown.fwd_text = Some("Visit".into());
    assert_eq!(buttons(&update.message)[1].r#type, shown.into());
    // Layer 198 knows the same button by another name.
    let layers = Layers::new();
    let ty = chappe_schema::Type::Boxed("Updates".to_owned());
    let schema = layers.schema(198);
    let older = chappe_schema::value::Value::decode(&schema, &ty, &older.body).unwrap();
    let markup = &older.to_json()["updates"][0]["message"]["reply_markup"]["rows"][0]["buttons"];
    assert_eq!(markup[0]["_"], "keyboardButtonCallback");
    assert_eq!(
        (&markup[1]["_"], &markup[1]["button_id"], &markup[1]["fwd_text"]),
        (&"keyboardButtonUrlAuth".into(), &1.into(), &"Visit".into())
    );
    // What it asks for is known to the server, by who sees it, where and which.
    let (ada_id, bot_id) = (chat.user(ada).id, chat.user(bot).id);
    let find =
        |user, peer, msg, button| chat.server.world.url_button(user, peer, msg, button).unwrap();
    let found = find(ada_id, bot_id, 2, 1).unwrap();
    assert_eq!((found.bot_id, found.request_write_access), (bot_id, true));
    assert_eq!(found.url, "https://travel.example.com/login?next=a");
    for (user, peer, msg, button) in [
        (ada_id, bot_id, 2, 0),
        (ada_id, bot_id, 2, 2),
        (ada_id, bot_id, 1, 1),
        (ada_id, ada_id, 2, 1),
        (ada_id, bot_id, 2, -1),
    ] {
        assert_eq!(find(user, peer, msg, button), None, "{user} {peer} {msg} {button}");
    }
}

#[test]
fn a_button_of_telegram_itself_does_what_it_says() {
    let mut chat = Chat::new();
    let (claude, ada) = (chat.claude, chat.ada);
    let owner = chat.user(claude).id;
    let hash = chat.server.web(claude)[0].hash;
    let write = |chat: &mut Chat, user_id: i64| {
        let reset = world::ServiceCallback::ResetWebAuthorization(hash);
        let message = world::NewMessage {
            markup: Some(world::inline_rows(vec![vec![world::service_button("Log out", &reset)]])),
            ..world::NewMessage::text("You logged in.")
        };
        chat.server.world.transaction(|world| world.service_message(NOW, user_id, message)).unwrap()
    };
    let stranger = chat.user(ada).id;
    let (id, foreign) = (write(&mut chat, owner), write(&mut chat, stranger));
    let told_by_now: Vec<_> = told(&deliver(&mut chat.server.world));
    assert_eq!(told_by_now.len(), 3, "two devices and one");
    let service = chat.server.world.user(777_000).unwrap().unwrap();
    let peer: enums::InputPeer =
        types::InputPeerUser { user_id: 777_000, access_hash: service.access_hash }.into();
    let data = format!("reset-web {hash}");
    // Whoever is not its owner finds nothing to end.
    let pressed = press(peer.clone(), foreign, data.as_bytes());
    let answer = chat.server.call(ada, &pressed).unwrap();
    assert_eq!(answer.message.as_deref(), Some("This login was over already."));
    assert_eq!(chat.server.web(claude).iter().filter(|row| row.hash == hash).count(), 1);
    let pressed = press(peer.clone(), id, data.as_bytes());
    let reply = chat.server.raw(claude, &pressed.to_bytes());
    assert!(reply.waits.is_none());
    let answer = types::messages::BotCallbackAnswer::from_bytes(&reply.result.unwrap()).unwrap();
    assert_eq!(answer.message.as_deref(), Some("You are logged out there."));
    assert!(chat.server.web(claude).iter().all(|row| row.hash != hash));
    // The button goes, on every device, also the one that pressed it.
    let heard: Vec<_> = told(&reply.pushes).into_iter().map(|(_, what)| what).collect();
    assert_eq!(heard, ["edited You logged in.", "edited You logged in."]);
    chat.server.refused(claude, &pressed, errors::DATA_INVALID);
    let made_up = press(peer, id, b"reset-web 1");
    chat.server.refused(claude, &made_up, errors::DATA_INVALID);
}
