//! Logins by what stands in chats: login buttons of bots, and messages of 777000.

use super::{
    buttons::{press, with_buttons},
    chat::{Chat, id, text},
    url_auth::{accept, accepted, ask, link, request, shown, status, widget_hash},
    *,
};
use crate::bots::MatchCode;
use crate::browser::Progress;
use crate::logins::Scopes;
use crate::world::{MATCH_CODE_INVALID, UrlAuthAsked};

const PAGE: &str = "https://travel.example.com/login?next=a#b";

impl Chat {
    /// Ada wrote to the bot, which answered by a login button; its message in Ada's box.
    fn with_login_button(&mut self, url: &str, write: bool) -> i32 {
        let (ada, bot) = (self.ada, self.bot);
        self.send(ada, bot, "/start").unwrap();
        let login = types::InputInlineButtonTypeUrlAuth {
            request_write_access: write,
            ..types::InputInlineButtonTypeUrlAuth::new(url)
        };
        let request = with_buttons(self.peer(ada), vec![login.into()]);
        self.server.call(bot, &request).unwrap();
        let last = self.box_of(ada, self.peer(bot)).remove(0);
        id(&last)
    }

    fn press_login(&self, msg_id: i32) -> messages::RequestUrlAuth {
        messages::RequestUrlAuth {
            peer: Some(self.peer(self.bot)),
            msg_id: Some(msg_id),
            button_id: Some(0),
            ..messages::RequestUrlAuth::new()
        }
    }

    fn accept_login(&self, msg_id: i32) -> messages::AcceptUrlAuth {
        messages::AcceptUrlAuth {
            peer: Some(self.peer(self.bot)),
            msg_id: Some(msg_id),
            button_id: Some(0),
            ..messages::AcceptUrlAuth::new()
        }
    }

    /// What a user exchanged with somebody, the last first.
    fn box_of(&mut self, caller: Caller, peer: enums::InputPeer) -> Vec<enums::Message> {
        let history = messages::GetHistory {
            peer,
            offset_id: 0,
            offset_date: 0,
            add_offset: 0,
            limit: 100,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        match self.server.call(caller, &history).unwrap() {
            enums::messages::Messages::Messages(all) => all.messages,
            other => panic!("{other:?}"),
        }
    }

    fn service(&self) -> enums::InputPeer {
        let service = self.server.world.user(777_000).unwrap().unwrap();
        types::InputPeerUser { user_id: 777_000, access_hash: service.access_hash }.into()
    }

    /// The last message of 777000 to somebody: its id, its text, its buttons with their data.
    fn letter(&mut self, caller: Caller) -> (i32, String, Vec<(String, Vec<u8>)>) {
        let service = self.service();
        let last = self.box_of(caller, service).remove(0);
        let enums::Message::Message(message) = &last else { panic!("{last:?}") };
        let buttons = match message.reply_markup.as_deref() {
            None => Vec::new(),
            Some(enums::ReplyMarkup::ReplyInlineMarkup(inline)) => {
                let buttons = inline.rows.iter().flat_map(|row| &row.buttons);
                let known = buttons.map(|button| match &button.r#type {
                    enums::InlineButtonType::Callback(does) => {
                        (button.text.to_string(), does.data.to_vec())
                    }
                    other => panic!("{other:?}"),
                });
                known.collect()
            }
            other => panic!("{other:?}"),
        };
        (id(&last), text(&last), buttons)
    }

    /// Presses the button with this label below the last message of 777000.
    fn press_letter(&mut self, caller: Caller, label: &str) -> types::messages::BotCallbackAnswer {
        let (id, text, buttons) = self.letter(caller);
        let found = buttons.iter().find(|(known, _)| known == label);
        let (_, data) = found.unwrap_or_else(|| panic!("no {label} in {buttons:?} below {text}"));
        let pressed = press(self.service(), id, data);
        self.server.call(caller, &pressed).unwrap()
    }

    fn type_phone(&mut self, asked: &UrlAuthAsked, phone: &str) -> Result<(), Failure> {
        let (now, token) = (self.server.now, asked.browser_token.clone());
        self.server.world.transaction(|world| world.ask_phone_url_auth(now, &token, phone))
    }

    /// A browser into which the phone number of Ada was typed.
    fn asked_ada(&mut self, write: bool, match_codes: MatchCode) -> UrlAuthAsked {
        let asked = ask(&mut self.server, |new| {
            new.scopes = Scopes { profile: true, phone: true, write };
            new.match_codes = match_codes;
        });
        self.type_phone(&asked, PHONE).unwrap();
        asked
    }
}

#[test]
fn a_login_button_opens_its_page_logged_in_after_a_question() {
    let mut chat = Chat::new();
    let (ada, bot) = (chat.ada, chat.bot);
    let msg_id = chat.with_login_button(PAGE, false);
    let enums::UrlAuthResult::Request(seen) =
        chat.server.call(ada, &chat.press_login(msg_id)).unwrap()
    else {
        panic!("not asked");
    };
    assert_eq!((&*seen.domain, seen.request_write_access), ("travel.example.com", false));
    assert!(seen.browser.is_none() && seen.match_codes.is_none() && !seen.request_phone_number);
    let enums::User::User(shown_bot) = &seen.bot else { panic!("no bot") };
    assert_eq!(shown_bot.id, chat.user(bot).id);
    assert!(chat.server.web(ada).is_empty());

    let url = accepted(chat.server.call(ada, &chat.accept_login(msg_id)).unwrap()).unwrap();
    let id = chat.user(ada).id;
    let data = format!("auth_date={NOW}\nfirst_name=Ada\nid={id}");
    let token = chat.server.world.bots().unwrap()[0].token.clone();
    let hash = widget_hash(&token, &data);
    assert_eq!(
        url,
        format!(
            "https://travel.example.com/login?next=a&id={id}&first_name=Ada&auth_date={NOW}&hash={hash}#b"
        )
    );
    assert_eq!(chat.server.web(ada).len(), 1);
    // Then without one, until the login is ended.
    assert_eq!(accepted(chat.server.call(ada, &chat.press_login(msg_id)).unwrap()), Some(url));
    chat.server.call(ada, &account::ResetWebAuthorizations).unwrap();
    let asked = chat.server.call(ada, &chat.press_login(msg_id)).unwrap();
    assert!(matches!(asked, enums::UrlAuthResult::Request(_)));
}

#[test]
fn a_bot_writes_to_who_let_it_by_a_login() {
    let mut chat = Chat::new();
    let (claude, bot) = (chat.claude, chat.bot);
    let bot_id = chat.user(bot).id;
    chat.server.call(claude, &account::ResetWebAuthorizations).unwrap();
    chat.send(bot, claude, "hello").unwrap_err();
    // What is not asked for is not given, and what is asked for only after a yes.
    for (asks, says) in [(false, true), (true, false)] {
        let asked = ask(&mut chat.server, |new| new.scopes.write = asks);
        let yes = messages::AcceptUrlAuth { write_allowed: says, ..accept(&link(&asked)) };
        chat.server.call(claude, &yes).unwrap();
        chat.send(bot, claude, "hello").unwrap_err();
        let (_, letter, _) = chat.letter(claude);
        assert!(letter.contains("may not write to you"), "{letter}");
    }
    let asked = ask(&mut chat.server, |new| new.scopes.write = true);
    let yes = messages::AcceptUrlAuth { write_allowed: true, ..accept(&link(&asked)) };
    chat.server.call(claude, &yes).unwrap();
    let (_, letter, _) = chat.letter(claude);
    assert!(letter.contains("(@ColumbusDemoBot) may write to you"), "{letter}");
    chat.send(bot, claude, "hello").unwrap();
    let exchanged = chat.box_of(claude, chat.peer(bot));
    let [said, allowed] = &exchanged[..] else { panic!("{exchanged:?}") };
    assert_eq!(text(said), "hello");
    let enums::Message::Service(allowed) = allowed else { panic!("{allowed:?}") };
    let enums::MessageAction::BotAllowed(action) = &allowed.action else { panic!("{allowed:?}") };
    assert_eq!(action.domain.as_deref(), Some("travel.example.com"));
    assert!(!action.attach_menu && !action.from_request);
    assert!(chat.server.world.may_write(bot_id, chat.user(claude).id).unwrap());
}

#[test]
fn a_login_button_asks_to_write_until_it_may() {
    let mut chat = Chat::new();
    let (ada, claude, bot) = (chat.ada, chat.claude, chat.bot);
    let bot_peer = chat.peer(bot);
    // Who wrote to the bot can be written to already.
    let msg_id = chat.with_login_button(PAGE, true);
    let enums::UrlAuthResult::Request(seen) =
        chat.server.call(ada, &chat.press_login(msg_id)).unwrap()
    else {
        panic!("not asked");
    };
    assert!(!seen.request_write_access);
    // A login of another bot's site, offered by this one.
    let other = chat.server.world.bots().unwrap()[1].clone();
    let site = chat.server.world.bot_domain(other.user_id).unwrap().unwrap();
    let known = chat.server.world.user(other.user_id).unwrap().unwrap();
    let login = types::InputInlineButtonTypeUrlAuth {
        request_write_access: true,
        bot: Some(types::InputUser { user_id: known.id, access_hash: known.access_hash }.into()),
        ..types::InputInlineButtonTypeUrlAuth::new(format!("https://{site}/").as_str())
    };
    chat.send(claude, bot, "/start").unwrap();
    let message = with_buttons(chat.peer(claude), vec![login.into()]);
    let message = messages::SendMessage { random_id: 51, ..message };
    chat.server.call(bot, &message).unwrap();
    let msg_id = id(&chat.box_of(claude, bot_peer)[0]);
    let enums::UrlAuthResult::Request(seen) =
        chat.server.call(claude, &chat.press_login(msg_id)).unwrap()
    else {
        panic!("not asked, though it wants to write");
    };
    assert!(seen.request_write_access);
    let enums::User::User(shown_bot) = &seen.bot else { panic!("no bot") };
    assert_eq!(shown_bot.id, other.user_id);
    let yes = messages::AcceptUrlAuth { write_allowed: true, ..chat.accept_login(msg_id) };
    accepted(chat.server.call(claude, &yes).unwrap()).unwrap();
    let claude_id = chat.user(claude).id;
    assert!(chat.server.world.may_write(other.user_id, claude_id).unwrap());
    // Nothing is left to ask.
    accepted(chat.server.call(claude, &chat.press_login(msg_id)).unwrap()).unwrap();
}

#[test]
fn a_button_that_is_none_opens_nothing() {
    let mut chat = Chat::new();
    let (ada, claude, bot) = (chat.ada, chat.claude, chat.bot);
    let msg_id = chat.with_login_button(PAGE, false);
    let right = chat.press_login(msg_id);
    let foreign = messages::RequestUrlAuth { peer: Some(chat.peer(claude)), ..right.clone() };
    chat.server.refused(ada, &foreign, errors::BUTTON_ID_INVALID);
    for (msg_id, button_id) in [(msg_id, 1), (msg_id, -1), (msg_id - 1, 0), (9_999, 0), (-1, 0)] {
        let wrong = messages::RequestUrlAuth {
            msg_id: Some(msg_id),
            button_id: Some(button_id),
            ..right.clone()
        };
        chat.server.refused(ada, &wrong, errors::BUTTON_ID_INVALID);
        let wrong = messages::AcceptUrlAuth {
            msg_id: Some(msg_id),
            button_id: Some(button_id),
            ..chat.accept_login(msg_id)
        };
        chat.server.refused(ada, &wrong, errors::BUTTON_ID_INVALID);
    }
    // It is in Ada's box, not in Claude's, and a wrong access hash names nobody.
    chat.server.refused(claude, &right, errors::BUTTON_ID_INVALID);
    let mut blind = types::InputPeerUser { user_id: chat.user(bot).id, access_hash: 1 };
    let wrong = messages::RequestUrlAuth { peer: Some(blind.clone().into()), ..right.clone() };
    chat.server.refused(ada, &wrong, errors::PEER_ID_INVALID);
    blind.access_hash = 0;
    for peer in [blind.into(), enums::InputPeer::Empty, enums::InputPeer::InputPeerSelf] {
        let wrong = messages::RequestUrlAuth { peer: Some(peer), ..right.clone() };
        chat.server.refused(ada, &wrong, errors::PEER_ID_INVALID);
    }
    // Without its domain the bot's button is an ordinary link, and gives nobody away.
    let bot_id = chat.user(bot).id;
    chat.server.world.set_bot_domain(bot_id, Some("elsewhere.example")).unwrap();
    for answer in [
        chat.server.call(ada, &right).unwrap(),
        chat.server.call(ada, &chat.accept_login(msg_id)).unwrap(),
    ] {
        assert_eq!(answer, enums::UrlAuthResult::Default);
    }
    assert!(chat.server.web(ada).is_empty());
}

#[test]
fn every_login_is_told_with_a_button_that_ends_it_right_there() {
    let mut chat = Chat::new();
    let (claude, ada) = (chat.claude, chat.ada);
    let asked = ask(&mut chat.server, |new| {
        new.scopes.phone = true;
        new.login.browser = "Firefox\u{1b}[2J".to_owned();
    });
    let yes = messages::AcceptUrlAuth { share_phone_number: true, ..accept(&link(&asked)) };
    let reply = chat.server.raw(claude, &yes.to_bytes());
    reply.result.unwrap();
    assert_eq!(reply.pushes.len(), 2, "both devices, also the one that agreed");
    let (_, letter, buttons) = chat.letter(claude);
    for words in [
        "You logged in to travel.example.com as Claude Chappe.",
        "The site knows your number at Telegram, your name and your phone number.",
        "Columbus Travel (@ColumbusDemoBot) may not write to you.",
        "Browser: Firefox\u{1b}[2J, Linux\nAddress: 192.0.2.7, Unknown",
    ] {
        assert!(letter.contains(words), "{words} is not in {letter}");
    }
    let hash = chat.server.web(claude)[0].hash;
    let label = "Log out of travel.example.com".to_owned();
    assert_eq!(buttons, [(label.clone(), format!("reset-web {hash}").into_bytes())]);
    let before = chat.server.web(claude).len();
    let answer = chat.press_letter(claude, &label);
    assert_eq!(answer.message.as_deref(), Some("You are logged out there."));
    let left = chat.server.web(claude);
    assert!(left.len() == before - 1 && left.iter().all(|row| row.hash != hash));
    assert!(chat.box_of(ada, chat.service()).iter().all(|letter| !text(letter).contains("logged")));
}

#[test]
fn who_has_the_phone_number_is_asked_by_a_message() {
    let mut chat = Chat::new();
    let (ada, claude) = (chat.ada, chat.claude);
    let asked = chat.asked_ada(false, MatchCode::None);
    let (_, letter, buttons) = chat.letter(ada);
    for words in
        ["travel.example.com", "(@ColumbusDemoBot)", "your name", "Firefox 140", "192.0.2.7"]
    {
        assert!(letter.contains(words), "{words} is not in {letter}");
    }
    let labels: Vec<_> = buttons.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["Confirm", "Decline"]);
    // Whoever else holds the link is too late from now on.
    let url = link(&asked);
    chat.server.refused(claude, &request(&url), errors::URL_EXPIRED);
    chat.server.refused(claude, &accept(&url), errors::URL_EXPIRED);
    assert_eq!(status(&chat.server, &asked), Progress::Pending);

    let answer = chat.press_letter(ada, "Confirm");
    assert_eq!((answer.message.as_deref(), answer.alert), (Some("You confirmed it."), false));
    let token = asked.browser_token;
    let claim = chat.server.world.transaction(|world| world.claim_url_auth(NOW, &token)).unwrap();
    // A phone number is not shared by a button.
    assert_eq!(claim.granted, Scopes { profile: true, ..Scopes::default() });
    assert_eq!(claim.user.id, chat.user(ada).id);
    let service = chat.service();
    let letters = chat.box_of(ada, service);
    let [summary, question, ..] = &letters[..] else { panic!("{letters:?}") };
    assert!(text(summary).starts_with("You logged in to travel.example.com as Ada."));
    assert!(text(question).ends_with("You confirmed it."));
    let enums::Message::Message(question) = question else { panic!("{question:?}") };
    assert!(question.reply_markup.is_none(), "it is answered");
}

#[test]
fn a_message_that_asks_to_write_has_a_button_of_its_own_for_it() {
    for (label, write) in [("Confirm", false), ("Confirm and allow messages", true)] {
        let mut chat = Chat::new();
        let ada = chat.ada;
        let asked = chat.asked_ada(true, MatchCode::None);
        chat.press_letter(ada, label);
        assert_eq!(status(&chat.server, &asked), Progress::Approved);
        let (bot, ada) = (chat.user(chat.bot).id, chat.user(ada).id);
        assert_eq!(chat.server.world.may_write(bot, ada).unwrap(), write);
    }
}

#[test]
fn a_message_is_declined_or_answered_too_late() {
    let mut chat = Chat::new();
    let ada = chat.ada;
    let asked = chat.asked_ada(false, MatchCode::None);
    let answer = chat.press_letter(ada, "Decline");
    assert!(answer.alert && answer.message.as_deref().unwrap().contains("nobody was let in"));
    assert_eq!(status(&chat.server, &asked), Progress::Declined);

    let asked = chat.asked_ada(false, MatchCode::None);
    chat.server.now += 300;
    let answer = chat.press_letter(ada, "Confirm");
    assert_eq!((answer.message.as_deref(), answer.alert), (Some("It was over already."), true));
    assert_eq!(status(&chat.server, &asked), Progress::Expired);
    assert!(chat.server.web(ada).is_empty());
    // What is forgotten, too.
    let asked = chat.asked_ada(false, MatchCode::None);
    chat.server.now += 300 + 3_601;
    ask(&mut chat.server, |_| {});
    assert_eq!(chat.press_letter(ada, "Decline").message.as_deref(), Some("It was over already."));
    let gone = chat.type_phone(&asked, PHONE).unwrap_err();
    assert_eq!(gone, errors::URL_INVALID.into());
}

#[test]
fn with_match_codes_the_picture_is_the_button() {
    for right in [true, false] {
        let mut chat = Chat::new();
        let ada = chat.ada;
        let asked = chat.asked_ada(true, MatchCode::Asked);
        let (_, letter, buttons) = chat.letter(ada);
        assert!(letter.contains("press the picture"), "{letter}");
        assert_eq!(buttons.len(), 3 + 3 + 1);
        let shown = asked.match_code.clone().unwrap();
        let is_picked = |label: &str| (label == shown) == right;
        let label = buttons.iter().map(|(label, _)| label).find(|label| is_picked(label)).unwrap();
        let answer = chat.press_letter(ada, &label.clone());
        let (expected, words) = match right {
            true => (Progress::Approved, "You confirmed it."),
            false => (Progress::Declined, "not the picture"),
        };
        assert!(answer.message.as_deref().unwrap().contains(words));
        assert_eq!(status(&chat.server, &asked), expected);
        let rows = chat.server.web(ada).len();
        assert_eq!(rows, usize::from(right));
    }
    assert_eq!(MATCH_CODE_INVALID.code, 400);
}

#[test]
fn another_phone_number_takes_the_place_of_the_first() {
    let mut chat = Chat::new();
    let (ada, claude) = (chat.ada, chat.claude);
    let own = chat.server.world.demonstration_accounts().unwrap()[0].phone.clone();
    let asked = ask(&mut chat.server, |_| {});
    chat.type_phone(&asked, &format!("+{own}")).unwrap();
    chat.type_phone(&asked, "+999 66 3 1111").unwrap();
    let answer = chat.press_letter(claude, "Confirm");
    assert_eq!(answer.message.as_deref(), Some("It was over already."));
    assert_eq!(status(&chat.server, &asked), Progress::Pending);
    chat.press_letter(ada, "Confirm");
    assert_eq!(status(&chat.server, &asked), Progress::Approved);
    let late = chat.type_phone(&asked, PHONE).unwrap_err();
    assert_eq!(late, errors::URL_EXPIRED.into());
}

#[test]
fn a_phone_number_tells_nobody_whether_it_has_an_account() {
    let mut chat = Chat::new();
    let claude = chat.claude;
    let asked = ask(&mut chat.server, |_| {});
    // Nobody has this one; 42777 is Telegram itself.
    chat.type_phone(&asked, "+1 555 0100 999").unwrap();
    for wrong in ["", "hello", "42777", "+0 1"] {
        let refusal = chat.type_phone(&asked, wrong).unwrap_err();
        assert_eq!(refusal, errors::PHONE_NUMBER_INVALID.into(), "{wrong}");
    }
    // Whoever holds the link is told the same as if somebody had the number.
    let known = chat.asked_ada(false, MatchCode::None);
    for asked in [&asked, &known] {
        let url = Some(link(asked).as_str().into());
        let look = messages::RequestUrlAuth { url, ..messages::RequestUrlAuth::new() };
        chat.server.refused(claude, &look, errors::URL_EXPIRED);
        chat.server.refused(claude, &accept(&link(asked)), errors::URL_EXPIRED);
    }
    // Another number takes the place of that one.
    chat.type_phone(&asked, PHONE).unwrap();
    shown(&mut chat.server, chat.ada, &link(&asked));
}

#[test]
fn nobody_is_flooded_with_messages() {
    let mut chat = Chat::new();
    let ada = chat.ada;
    let flood = |seconds: i64| Failure::valued(errors::FLOOD_WAIT_X, seconds);
    let asked = ask(&mut chat.server, |_| {});
    for _ in 0..3 {
        chat.type_phone(&asked, PHONE).unwrap();
    }
    chat.server.now += 10;
    assert_eq!(chat.type_phone(&asked, PHONE).unwrap_err(), flood(290));
    let before = {
        let service = chat.service();
        chat.box_of(ada, service).len()
    };
    for _ in 0..7 {
        chat.asked_ada(false, MatchCode::None);
    }
    let asked = ask(&mut chat.server, |_| {});
    assert_eq!(chat.type_phone(&asked, PHONE).unwrap_err(), flood(3_590));
    let service = chat.service();
    assert_eq!(chat.box_of(ada, service).len(), before + 7);
    chat.server.now += 3_600;
    chat.asked_ada(false, MatchCode::None);
}
