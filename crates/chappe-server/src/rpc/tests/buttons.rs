//! Buttons below messages: what bots may send, what they bring back, what clients of every layer see.

use chappe_api::{bots, updates::GetDifference};

use super::{
    chat::{Chat, new_id, told},
    *,
};

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
    let enums::Updates::Updates(told) = enums::Updates::from_bytes(&push.body).unwrap() else {
        panic!("no updates");
    };
    let [enums::Update::BotCallbackQuery(query)] = &told.updates[..] else { panic!("{told:?}") };
    let [enums::User::User(user)] = &told.users[..] else { panic!("{told:?}") };
    assert!(user.id == query.user_id && !user.is_self, "who pressed it");
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
fn a_question_that_was_undone_can_be_answered_by_nobody() {
    let mut chat = Chat::new();
    let (claude, bot) = (chat.claude, chat.bot);
    chat.send(claude, bot, "/start").unwrap();
    let request = with_buttons(chat.peer(claude), vec![callback(b"a")]);
    let asked = new_id(&chat.server.call(bot, &request).unwrap());
    let bot_id = chat.user(bot).id;
    let twin = chat.server.world.message(bot_id, asked).unwrap().unwrap().twin_id.unwrap();
    let message = chat.server.world.message(chat.user(claude).id, twin).unwrap().unwrap();
    for stop in [None, Some(Stop::Undone)] {
        let (undone, mut query_id) = (stop.is_some(), 0);
        let asks = chat.server.world.transaction(|world| {
            query_id = world.ask_bot(NOW, &message, b"a")?;
            stop.map_or(Ok(()), Err)
        });
        assert_eq!(asks.is_err(), undone);
        let answer = messages::SetBotCallbackAnswer::new(query_id, 0);
        match undone {
            true => chat.server.refused(bot, &answer, errors::QUERY_ID_INVALID),
            false => assert!(chat.server.call(bot, &answer).unwrap()),
        }
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

#[test]
fn messages_and_buttons_are_told_in_every_layer() {
    let mut chat = Chat::new();
    let (ada, bot) = (chat.ada, chat.bot);
    let layers = Layers::new();
    let held: Vec<_> = layers.held().collect();
    for (session_id, layer) in (100..).zip(&held) {
        let session = Caller { session_id, ..ada };
        let introduce = InvokeWithLayer { layer: *layer, query: connection(me()) };
        chat.server.raw(session, &introduce.to_bytes()).result.unwrap();
    }
    let read = |layer: i32, ty: &str, body: &Bytes| {
        let ty = chappe_schema::Type::Boxed(ty.to_owned());
        let schema = layers.schema(layer);
        chappe_schema::value::Value::decode(&schema, &ty, body).unwrap().to_json()
    };
    let allow = bots::AllowSendMessage { bot: chat.input(bot) };
    let reply = chat.server.raw(ada, &allow.to_bytes());
    let mut seen = 0;
    for push in reply.pushes.iter().filter(|push| push.session_id >= 100) {
        let layer = held[usize::try_from(push.session_id - 100).unwrap()];
        let update = &read(layer, "Updates", &push.body)["updates"][0];
        let action = &update["message"]["action"]["_"];
        assert_eq!(*action, "messageActionBotAllowed", "{layer}: {update}");
        seen += 1;
    }
    assert_eq!(seen, held.len());
    let user_id = chat.user(bot).id;
    let profile = types::InputUser { user_id, access_hash: chat.user(bot).access_hash }.into();
    let request = with_buttons(
        chat.peer(ada),
        vec![
            types::InlineButtonTypeUrl { url: "https://example.com".into() }.into(),
            types::InputInlineButtonTypeUrlAuth::new("https://travel.example.com/login").into(),
            types::InlineButtonTypeWebView { url: "https://example.com".into() }.into(),
            callback(b"x"),
            types::InlineButtonTypeSwitchInline::new("query").into(),
            types::InputInlineButtonTypeUserProfile { user_id: profile }.into(),
        ],
    );
    let reply = chat.server.raw(bot, &request.to_bytes());
    reply.result.unwrap();
    let of_old = [
        "keyboardButtonUrl",
        "keyboardButtonUrlAuth",
        "keyboardButtonWebView",
        "keyboardButtonCallback",
        "keyboardButtonSwitchInline",
        "keyboardButtonUserProfile",
    ];
    let of_new = [
        "inlineButtonTypeUrl",
        "inlineButtonTypeUrlAuth",
        "inlineButtonTypeWebView",
        "inlineButtonTypeCallback",
        "inlineButtonTypeSwitchInline",
        "inlineButtonTypeUserProfile",
    ];
    let mut seen = 0;
    for push in reply.pushes.iter().filter(|push| push.session_id >= 100) {
        let layer = held[usize::try_from(push.session_id - 100).unwrap()];
        let updates = read(layer, "Updates", &push.body);
        let buttons = &updates["updates"][0]["message"]["reply_markup"]["rows"][0]["buttons"];
        let buttons = buttons.as_array().unwrap_or_else(|| panic!("{layer}: {updates}")).iter();
        let names: Vec<_> = buttons
            .map(|button| match layer {
                ..229 => button["_"].as_str().unwrap(),
                _ => button["type"]["_"].as_str().unwrap(),
            })
            .collect();
        assert_eq!(names, if layer < 229 { of_old } else { of_new }, "{layer}");
        seen += 1;
    }
    assert_eq!(seen, held.len());
    // The same when it is asked for.
    let ask = GetDifference::new(1, NOW, 0);
    for (session_id, layer) in (100..).zip(&held) {
        let session = Caller { session_id, ..ada };
        let schema = layers.schema(*layer);
        let flags = ask.to_bytes().slice(4..);
        let id = schema.find("updates.getDifference").unwrap().id.to_le_bytes();
        let body: Bytes = [&id[..], &flags[..]].concat().into();
        let answer = chat.server.raw(session, &body).result.unwrap();
        let difference = read(*layer, "updates.Difference", &answer);
        assert_eq!(difference["new_messages"].as_array().unwrap().len(), 2, "{layer}");
    }
}
