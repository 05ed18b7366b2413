//! A phone number is typed into the window, Telegram writes, the person presses a button there.

use chappe_api::{account, enums, messages, types};
use chappe_server::Handle;
use tokio::io::DuplexStream;

use super::{
    SITE, app, bot_id, browser, server,
    widget::{begin, check, pass, waiting, window},
};
use crate::{client::Client, http::Browser};

type App = Client<DuplexStream>;

/// What Telegram wrote last, with its buttons: the words and the data of each.
async fn last_message(app: &mut App) -> (types::Message, enums::InputPeer, Vec<(String, Vec<u8>)>) {
    let all = messages::GetDialogs::new(0, 0, enums::InputPeer::Empty, 10, 0);
    let (messages, users) = match app.call(&all).await.unwrap() {
        enums::messages::Dialogs::Dialogs(dialogs) => (dialogs.messages, dialogs.users),
        other => panic!("{other:?}"),
    };
    let peer = users.into_iter().find_map(|user| match user {
        enums::User::User(user) if user.id == 777_000 => {
            Some(types::InputPeerUser { user_id: user.id, access_hash: user.access_hash.unwrap() })
        }
        _ => None,
    });
    let message = messages.into_iter().find_map(|message| match message {
        enums::Message::Message(message)
            if message.peer_id == types::PeerUser { user_id: 777_000 }.into() =>
        {
            Some(message)
        }
        _ => None,
    });
    let message = message.unwrap();
    let rows = match message.reply_markup.as_deref() {
        Some(enums::ReplyMarkup::ReplyInlineMarkup(markup)) => markup.rows.clone(),
        _ => Vec::new(),
    };
    let buttons =
        rows.into_iter().flat_map(|row| row.buttons).filter_map(|button| match button.r#type {
            enums::InlineButtonType::Callback(callback) => {
                Some((button.text.to_string(), callback.data.to_vec()))
            }
            _ => None,
        });
    (message, peer.unwrap().into(), buttons.collect())
}

/// Presses the button with this word in what Telegram wrote last.
async fn press(app: &mut App, word: &str) {
    let (message, peer, buttons) = last_message(app).await;
    let data = buttons.iter().find(|(text, _)| text.contains(word));
    let data = data.unwrap_or_else(|| panic!("{word}: {buttons:?}")).1.clone();
    let press = messages::GetBotCallbackAnswer {
        data: Some(data.into()),
        ..messages::GetBotCallbackAnswer::new(peer, message.id)
    };
    app.call(&press).await.unwrap();
}

/// Types a number into the window.
async fn ask(browser: &mut Browser, handle: &str, phone: &str) -> String {
    let form = format!("phone={}", phone.replace('+', "%2B").replace(' ', "+"));
    let answer = browser.post(&format!("/auth/request?request={handle}"), &form).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location").to_owned()
}

/// Logs in by phone; tells the handle.
pub(crate) async fn log_in(server: &Handle, app: &mut App, browser: &mut Browser) -> String {
    let (handle, _) = begin(server, browser).await;
    ask(browser, &handle, &server.accounts()[0].phone).await;
    press(app, "Confirm").await;
    assert_eq!(browser.get(&format!("/auth/push?request={handle}")).await.status, 302);
    handle
}

#[tokio::test]
async fn a_number_brings_a_message_whose_button_logs_in_and_the_next_login_is_two_clicks() {
    let server = server(31).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    let (handle, _) = begin(&server, &mut browser).await;
    let sent = ask(&mut browser, &handle, "+999 66 2 1234").await;
    assert_eq!(sent, format!("/auth/wait?request={handle}&note=sent"));
    let page = browser.get(&sent).await;
    assert!(page.body.contains("Look at Telegram") && page.body.contains("http-equiv=\"refresh\""));
    let (message, ..) = last_message(&mut app).await;
    assert!(message.message.contains("travel.example.com"), "{}", message.message);
    assert!(message.message.contains("Firefox 128"), "{}", message.message);
    press(&mut app, "Confirm").await;
    let end = browser.get(&format!("/auth/push?request={handle}")).await;
    let link = end.header("set-cookie");
    assert!(link.contains("HttpOnly") && link.contains("SameSite=Lax"), "{link}");
    let result = end.header("location").split_once("#tgAuthResult=").unwrap().1;
    assert_eq!(check(&server, result).id, server.accounts()[0].user_id);

    // Now the browser is known: to the button, to the window, and to the bot's site.
    let name = &server.bots()[0].username;
    let button = format!("/embed/{name}?origin=https%3A%2F%2Ftravel.example.com");
    let shown = browser.get(&button).await;
    assert!(
        shown.body.contains("Log in as <bdi>Claude</bdi>") && shown.body.contains("<img"),
        "{shown:?}"
    );
    let plain = browser.get(&format!("{button}&userpic=false")).await;
    assert!(plain.body.contains("Log in as <bdi>Claude</bdi>") && !plain.body.contains("<img"));
    let form = format!("bot_id={}", bot_id(&server));
    let ours = format!("Origin: {SITE}\r\n");
    let user = browser.ask("POST", "/auth/get", &ours, &form).await;
    let user: serde_json::Value = serde_json::from_str(&user.body).unwrap();
    assert_eq!(user["user"]["id"], server.accounts()[0].user_id);
    assert_eq!(user["html"], "Log in as Claude");

    let (handle, user) = known(&browser.get(&window(&server, "")).await);
    let accept =
        browser.post(&format!("/auth/accept?request={handle}"), &format!("user={user}")).await;
    assert_eq!(accept.header("location"), format!("/auth/push?request={handle}"));
    let end = browser.get(&format!("/auth/push?request={handle}")).await;
    assert!(end.status == 302 && !end.has("set-cookie"), "{end:?}");
    let rows = app.web().await;
    let row = rows.iter().max_by_key(|row| row.date_created).unwrap();
    assert_eq!((row.domain.as_str(), row.browser.as_str()), ("travel.example.com", "Firefox 128"));

    // What ends in the list of websites ends here, too: nobody logs in again by two clicks.
    app.call(&account::ResetWebAuthorization { hash: row.hash }).await.unwrap();
    waiting(&browser.get(&window(&server, "")).await);
    assert!(browser.get(&button).await.body.contains("Log in with Telegram"));
    let user = browser.ask("POST", "/auth/get", &ours, &form).await;
    assert!(user.body.contains("\"user\":false"), "{user:?}");
}

#[tokio::test]
async fn who_ends_one_login_of_a_browser_is_logged_in_nowhere_by_its_two_clicks() {
    let server = server(35).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    log_in(&server, &mut app, &mut browser).await;
    // Whoever sits there goes on to another site at once.
    let other =
        format!("/auth?bot_id={}&origin=https%3A%2F%2Fnews.example.org", server.bots()[1].user_id);
    let (handle, user) = known(&browser.get(&other).await);
    browser.post(&format!("/auth/accept?request={handle}"), &format!("user={user}")).await;
    assert_eq!(browser.get(&format!("/auth/push?request={handle}")).await.status, 302);
    known(&browser.get(&window(&server, "")).await);
    // The person sees the first message only, and ends that one.
    let rows = app.web().await;
    let first = rows.iter().filter(|row| row.domain == "travel.example.com");
    let hash = first.max_by_key(|row| row.date_created).unwrap().hash;
    app.call(&account::ResetWebAuthorization { hash }).await.unwrap();
    for path in [window(&server, ""), other] {
        waiting(&browser.get(&path).await);
    }
}

/// What a window shows that knows the person: the handle of the request, and whom.
pub(crate) fn known(page: &crate::http::Answer) -> (String, String) {
    assert!(page.body.contains("Log in as <bdi>Claude</bdi>"), "{page:?}");
    let handle = page.between("data-request=\"", "\"").to_owned();
    (handle, page.between("name=\"user\" value=\"", "\"").to_owned())
}

#[tokio::test]
async fn who_is_not_the_person_uses_another_account() {
    let server = server(32).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    log_in(&server, &mut app, &mut browser).await;
    let before = browser.clone();
    let (handle, _) = known(&browser.get(&window(&server, "")).await);
    // Somebody else's name is not pressed by a page that showed another one.
    let wrong = browser.post(&format!("/auth/accept?request={handle}"), "user=1").await;
    assert_eq!(wrong.header("location"), format!("/auth/wait?request={handle}"));
    let out = browser.post(&format!("/auth/logout?request={handle}"), "").await;
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{out:?}");
    waiting(&browser.get(out.header("location")).await);
    // The cookie of before is worth nothing any more.
    let mut old = before;
    waiting(&old.get(&window(&server, "")).await);
    let wrong = old.post(&format!("/auth/accept?request={handle}"), "user=1").await;
    assert_eq!(wrong.status, 403, "{wrong:?}");
}

#[tokio::test]
async fn a_page_says_the_same_whether_or_not_a_number_has_an_account() {
    let server = server(33).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    let mut pages = Vec::new();
    for phone in ["+999 66 2 1234", "+999 66 2 9999"] {
        let (handle, _) = begin(&server, &mut browser).await;
        let sent = ask(&mut browser, &handle, phone).await;
        let page = browser.get(&sent).await;
        // A link would be good for the account of that number only: it is not offered any more.
        let again = browser.get(&format!("/auth/wait?request={handle}")).await;
        assert!(
            again.body.contains("name=\"phone\"") && !again.body.contains("tg://"),
            "{again:?}"
        );
        let left = page.between("data-left=\"", "</span>").to_owned();
        pages.push(page.body.replace(&handle, "").replace(&left, ""));
    }
    assert_eq!(pages[0], pages[1]);
    let (handle, _) = begin(&server, &mut browser).await;
    for phone in ["", "12", "Ada", "+999 66 2 1234 5678 9012 3456"] {
        let wrong = ask(&mut browser, &handle, phone).await;
        assert_eq!(wrong, format!("/auth/wait?request={handle}&note=phone"), "{phone}");
    }
    let page = browser.get(&format!("/auth/wait?request={handle}&note=phone")).await;
    assert!(page.body.contains("That is no phone number"), "{page:?}");
    // The other way: no.
    ask(&mut browser, &handle, "9996621234").await;
    press(&mut app, "Decline").await;
    let end = browser.get(&format!("/auth/push?request={handle}")).await;
    assert!(end.header("location").ends_with("#tgAuthResult=ZmFsc2U") && !end.has("set-cookie"));
}

#[tokio::test]
async fn messages_that_a_page_may_cause_are_counted() {
    let server = server(34).await;
    let mut browser = browser(&server);
    let (handle, _) = begin(&server, &mut browser).await;
    let path = format!("/auth/request?request={handle}");
    for _ in 0..3 {
        assert_eq!(browser.post(&path, "phone=9996621234").await.status, 303);
    }
    let flood = browser.post(&path, "phone=9996621234").await;
    assert!(flood.status == 429 && flood.body.contains("Wait "), "{flood:?}");
    let mut many = 3;
    let end = loop {
        let (handle, _) = begin(&server, &mut browser).await;
        let path = format!("/auth/request?request={handle}");
        let answer = browser.post(&path, "phone=9996621234").await;
        if answer.status != 303 {
            break answer.status;
        }
        many += 1;
        assert!(many < 100, "no end");
    };
    assert_eq!((end, many), (429, 10));
    // Neither number is logged in, and a stranger's request says nothing of it.
    pass(&server, 3_600).await;
    let (handle, _) = begin(&server, &mut browser).await;
    ask(&mut browser, &handle, "9996621234").await;
}
