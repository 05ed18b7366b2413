//! Private messages between people and bots, as two devices and a bot see them.

use chappe_api::{bots, updates::GetDifference};

use super::*;

/// Claude with two devices, Ada with one, and a bot.
pub(super) struct Chat {
    pub(super) server: Bench,
    pub(super) claude: Caller,
    pub(super) desk: Caller,
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
pub(super) fn new_id(answer: &enums::Updates) -> i32 {
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
pub(super) fn told(pushes: &[Push]) -> Vec<(i64, String)> {
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
    // Nor is it once it is deleted, by whom ever: whoever did that does not want it back.
    for (random_id, who) in [(51, claude), (52, ada)] {
        let request = messages::SendMessage::new(chat.peer(ada), "Adieu", random_id);
        let sent = new_id(&chat.server.call(claude, &request).unwrap());
        let seen = chat.server.world.message(chat.user(claude).id, sent).unwrap().unwrap();
        let id = if who == claude { Some(sent) } else { seen.twin_id };
        let delete = messages::DeleteMessages { revoke: true, id: id.into_iter().collect() };
        chat.server.call(who, &delete).unwrap();
        chat.server.refused(claude, &request, errors::RANDOM_ID_DUPLICATE);
        assert_eq!(chat.history(ada, claude), ["Bonjour"]);
        // What somebody else's client calls a message is another name.
        let own = messages::SendMessage::new(chat.peer(claude), "Au revoir", random_id);
        let own = new_id(&chat.server.call(ada, &own).unwrap());
        chat.server.call(ada, &messages::DeleteMessages { revoke: true, id: vec![own] }).unwrap();
    }
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
    let none = messages::GetPeerDialogs { peers: Vec::new() };
    chat.server.refused(ada, &none, errors::INPUT_PEERS_EMPTY);
    let peers = vec![types::InputDialogPeer { peer: chat.peer(claude) }.into(); 101];
    chat.server.refused(ada, &messages::GetPeerDialogs { peers }, errors::LIMIT_INVALID);
    let many = messages::DeleteMessages { revoke: false, id: vec![1; 101] };
    chat.server.refused(ada, &many, errors::LIMIT_INVALID);
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
