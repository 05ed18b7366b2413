//! Private messages through the local Telegram: what reaches whom, and what is heard afterwards.

use std::time::Duration;

use chappe::{
    Client, Updates,
    api::{enums, messages, types, updates},
    errors,
};
use chappe_server::Server;

use crate::{
    telegram::{client_of, sign_in},
    wire::{Weather, Wire},
};

/// A local Telegram on a clock that the test moves.
async fn telegram() -> Wire {
    let server = Server::builder().in_memory().seed(1).start_at(Duration::from_secs(1_800_000_000));
    Wire::new(server.start().await.unwrap())
}

async fn person(wire: &Wire) -> (Client, enums::InputPeer) {
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    let user = sign_in(&client, wire.server()).await;
    (client, peer(&user))
}

async fn bot(wire: &Wire) -> (Client, enums::InputPeer) {
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    let user = client.sign_in_bot(&wire.server().bots()[0].token).await.unwrap();
    (client, peer(&user))
}

fn peer(user: &types::User) -> enums::InputPeer {
    types::InputPeerUser { user_id: user.id, access_hash: user.access_hash.unwrap() }.into()
}

/// What comes next, by itself.
async fn next(updates: &mut Updates) -> enums::Update {
    match updates.next().await.unwrap().unwrap() {
        enums::Updates::UpdateShort(short) => short.update,
        enums::Updates::Updates(mut updates) => updates.updates.remove(0),
        other => panic!("{other:?}"),
    }
}

/// The message that comes next.
async fn message(updates: &mut Updates) -> types::Message {
    match next(updates).await {
        enums::Update::NewMessage(new) => unwrap(new.message),
        other => panic!("{other:?}"),
    }
}

fn unwrap(message: enums::Message) -> types::Message {
    match message {
        enums::Message::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

/// The id of the message that was sent.
fn sent(answer: enums::Updates) -> i32 {
    match answer {
        enums::Updates::Updates(answer) => match &answer.updates[0] {
            enums::Update::MessageId(named) => named.id,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

async fn difference(client: &Client, pts: i32) -> types::updates::Difference {
    let state = client.invoke(&updates::GetState).await.unwrap();
    let request = updates::GetDifference::new(pts, state.date, state.qts);
    match client.invoke(&request).await.unwrap() {
        enums::updates::Difference::Difference(difference) => *difference,
        other => panic!("{other:?}"),
    }
}

/// A message with one button that brings these bytes back.
fn question(peer: enums::InputPeer, data: &'static [u8]) -> messages::SendMessage {
    let does = types::InlineButtonTypeCallback { requires_password: false, data: data.into() };
    let buttons = vec![types::KeyboardInlineButton::new("Yes", does)];
    let rows = vec![types::KeyboardInlineButtonRow { buttons }];
    let markup = types::ReplyInlineMarkup { force_reply: false, rows };
    messages::SendMessage {
        reply_markup: Some(Box::new(markup.into())),
        ..messages::SendMessage::new(peer, "Shall I?", 2)
    }
}

fn press(
    peer: enums::InputPeer,
    msg_id: i32,
    data: &'static [u8],
) -> messages::GetBotCallbackAnswer {
    messages::GetBotCallbackAnswer {
        data: Some(data.into()),
        ..messages::GetBotCallbackAnswer::new(peer, msg_id)
    }
}

#[tokio::test(start_paused = true)]
async fn a_bot_is_written_to_and_its_button_is_pressed() {
    let wire = telegram().await;
    let ((person, person_peer), (bot, bot_peer)) = (person(&wire).await, bot(&wire).await);
    let (mut of_person, mut of_bot) = (person.updates(), bot.updates());
    let early = messages::SendMessage::new(person_peer.clone(), "Buy!", 1);
    let error = bot.invoke(&early).await.unwrap_err();
    assert!(error.is(errors::PEER_ID_INVALID), "{error}");

    let hello = messages::SendMessage::new(bot_peer.clone(), "/start", 1);
    person.invoke(&hello).await.unwrap();
    let heard = message(&mut of_bot).await;
    assert_eq!((heard.message.as_str(), heard.out), ("/start", false));
    let error = person.invoke(&hello).await.unwrap_err();
    assert!(error.is(errors::RANDOM_ID_DUPLICATE), "{error}");

    let id = sent(bot.invoke(&question(person_peer.clone(), b"yes")).await.unwrap());
    let asked = message(&mut of_person).await;
    let pressed = press(bot_peer.clone(), asked.id, b"yes");
    let (answer, ()) = tokio::join!(person.invoke(&pressed), async {
        let enums::Update::BotCallbackQuery(query) = next(&mut of_bot).await else {
            panic!("no question");
        };
        assert_eq!((query.msg_id, query.data.as_deref()), (id, Some(&b"yes"[..])));
        // The person's other calls need not wait for it.
        assert!(person.me().await.unwrap().is_some());
        let answer = messages::SetBotCallbackAnswer {
            alert: true,
            message: Some("Done.".into()),
            ..messages::SetBotCallbackAnswer::new(query.query_id, 0)
        };
        assert!(bot.invoke(&answer).await.unwrap());
        let edit = messages::EditMessage {
            message: Some("I did.".into()),
            ..messages::EditMessage::new(person_peer.clone(), id)
        };
        bot.invoke(&edit).await.unwrap();
    });
    let answer = answer.unwrap();
    assert_eq!((answer.alert, answer.message.as_deref()), (true, Some("Done.")));
    let enums::Update::EditMessage(edited) = next(&mut of_person).await else {
        panic!("not changed");
    };
    let edited = unwrap(edited.message);
    assert_eq!((edited.message.as_str(), edited.reply_markup), ("I did.", None));
    let error = person.invoke(&pressed).await.unwrap_err();
    assert!(error.is(errors::DATA_INVALID), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_says_nothing_is_not_waited_for_without_end() {
    let wire = telegram().await;
    let ((person, person_peer), (bot, bot_peer)) = (person(&wire).await, bot(&wire).await);
    let mut of_person = person.updates();
    person.invoke(&messages::SendMessage::new(bot_peer.clone(), "/start", 1)).await.unwrap();
    bot.invoke(&question(person_peer, b"yes")).await.unwrap();
    let asked = message(&mut of_person).await;
    let begun = tokio::time::Instant::now();
    let pressed = press(bot_peer, asked.id, b"yes");
    let (answer, me) = tokio::join!(person.invoke(&pressed), person.me());
    assert!(me.unwrap().is_some());
    let error = answer.unwrap_err();
    assert!(error.is(errors::BOT_RESPONSE_TIMEOUT), "{error}");
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(10) && waited < Duration::from_secs(12), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn who_was_away_hears_what_was_missed_when_the_connection_is_back() {
    let wire = telegram().await;
    let (person, person_peer) = person(&wire).await;
    let state = person.invoke(&updates::GetState).await.unwrap();
    // The bot comes by a way of its own, that no weather harms.
    let bot = wire.beside().connect(client_of(wire.server())).await.unwrap();
    let of_bot = bot.sign_in_bot(&wire.server().bots()[0].token).await.unwrap();
    person.invoke(&messages::SendMessage::new(peer(&of_bot), "/start", 1)).await.unwrap();
    wire.weather(Weather::Storm);
    for (random_id, text) in [(1, "one"), (2, "two"), (3, "three")] {
        let send = messages::SendMessage::new(person_peer.clone(), text, random_id);
        bot.invoke(&send).await.unwrap();
    }
    wire.weather(Weather::Fair);
    let missed = difference(&person, state.pts).await;
    let texts: Vec<_> = missed.new_messages.into_iter().map(|new| unwrap(new).message).collect();
    assert_eq!(texts, ["/start", "one", "two", "three"]);
    assert_eq!((missed.state.pts, missed.state.unread_count), (state.pts + 4, 3));
}
