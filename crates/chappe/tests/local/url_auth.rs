//! Logins to websites and apps with Telegram: what a person is asked, and every turn that it takes.

use std::{net::IpAddr, time::Duration};

use bytes::Bytes;
use chappe::{
    Client, Encode, Error, SignIn, UrlAuth, UrlAuthConsent, UrlAuthGrant, UrlAuthLink,
    UrlAuthProblem, account,
    api::{
        enums::{self, InlineButtonType, ReplyMarkup, UrlAuthResult},
        messages, types,
    },
    errors,
};
use chappe_server::{
    Server,
    browser::{Browser, NewLogin, Progress},
    faults::{Fault, Kind},
};

use crate::{
    script::{Line, SILENCE, Stage, stage},
    telegram::{client_of, code, done, sign_in},
    wire::Wire,
};

const BOT: &str = "ColumbusDemoBot";
const PAGE: &str = "https://travel.example.com/trips?to=Kyjiv#top";

/// A local Telegram on a clock that the test moves, and the demonstration account on it.
async fn telegram() -> (Wire, Client) {
    let server = Server::builder().in_memory().seed(1).start_at(Duration::from_secs(1_800_000_000));
    let wire = Wire::new(server.start().await.unwrap());
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&client, wire.server()).await;
    (wire, client)
}

/// Somebody else there.
async fn stranger(wire: &Wire) -> Client {
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    let step = code(client.sign_in_phone("+99966 2 1111").await.unwrap());
    let SignIn::SignUp(step) = step.submit("22222").await.unwrap() else { panic!("an account") };
    done(step.submit("Ada", "Lovelace").await);
    client
}

async fn consent(client: &Client, link: &str) -> UrlAuthConsent {
    match client.url_auth(link).await.unwrap() {
        UrlAuth::Consent(consent) => *consent,
        other => panic!("{other:?}"),
    }
}

/// A browser that waits, and what its link asks.
async fn asked(wire: &Wire, client: &Client, login: NewLogin) -> (Browser, UrlAuthConsent) {
    let browser = wire.server().log_in(login).await.unwrap();
    let consent = consent(client, browser.link()).await;
    (browser, consent)
}

fn is<T: std::fmt::Debug>(result: Result<T, Error>, problem: UrlAuthProblem) {
    match result {
        Err(Error::UrlAuth(found)) if found == problem => {}
        other => panic!("{other:?} instead of {problem:?}"),
    }
}

async fn sites(client: &Client) -> usize {
    client.invoke(&account::GetWebAuthorizations).await.unwrap().authorizations.len()
}

#[tokio::test(start_paused = true)]
async fn a_browser_is_let_in_by_whoever_follows_its_link() {
    let (wire, client) = telegram().await;
    let me = client.me().await.unwrap().unwrap();
    let before = sites(&client).await;
    let login = NewLogin::at(BOT).from("Chrome 150", "Windows", IpAddr::from([203, 0, 113, 5]));
    let (browser, consent) = asked(&wire, &client, login).await;
    assert_eq!(consent.domain(), "travel.example.com");
    assert_eq!(consent.bot().unwrap().username.as_deref(), Some(BOT));
    assert_eq!((consent.browser(), consent.platform()), (Some("Chrome 150"), Some("Windows")));
    assert_eq!((consent.ip(), consent.region()), (Some("203.0.113.5"), Some("Unknown")));
    assert!(!consent.is_app() && consent.verified_app_name().is_none());
    assert!(!consent.asks_write() && !consent.asks_phone());
    assert!(consent.match_codes().is_empty() && !consent.match_codes_first());
    assert_eq!((consent.user_id_hint(), consent.plain_url()), (None, None));
    assert_eq!(&*consent.raw().domain, consent.domain());
    assert_eq!(sites(&client).await, before, "nobody said yes");
    assert_eq!(browser.progress().await.unwrap(), Progress::Pending);

    assert_eq!(consent.accept(&UrlAuthGrant::new()).await.unwrap(), None);
    assert_eq!(browser.progress().await.unwrap(), Progress::Approved);
    assert_eq!(sites(&client).await, before + 1);
    let claimed = browser.claim().await.unwrap().unwrap();
    assert_eq!((claimed.user_id, claimed.phone, claimed.write), (me.id, false, false));
    assert_eq!(browser.claim().await.unwrap(), None);
    assert_eq!(browser.progress().await.unwrap(), Progress::Claimed);
    // Who asks again hears that it is done, in every form of the link.
    for link in [browser.link(), browser.web_link()] {
        let again = client.url_auth(link).await.unwrap();
        assert!(matches!(again, UrlAuth::Accepted { url: None }), "{again:?}");
    }
    assert_eq!(consent.accept(&UrlAuthGrant::new()).await.unwrap(), None);
    assert_eq!(sites(&client).await, before + 1);

    // For everybody else the link is over.
    let other = stranger(&wire).await;
    is(other.url_auth(browser.link()).await, UrlAuthProblem::Expired);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_hold_the_same_link_the_first_is_let_in() {
    let (wire, client) = telegram().await;
    let other = stranger(&wire).await;
    let (browser, first) = asked(&wire, &client, NewLogin::at(BOT)).await;
    let second = consent(&other, browser.web_link()).await;
    first.accept(&UrlAuthGrant::new()).await.unwrap();
    is(second.accept(&UrlAuthGrant::new()).await, UrlAuthProblem::Expired);
    is(second.decline().await, UrlAuthProblem::Expired);
    assert_eq!(sites(&other).await, 0);
    assert_eq!(
        browser.claim().await.unwrap().unwrap().user_id,
        client.me().await.unwrap().unwrap().id
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_that_was_declined_or_came_late_is_over() {
    let (wire, client) = telegram().await;
    let before = sites(&client).await;
    let (browser, consent) = asked(&wire, &client, NewLogin::at(BOT)).await;
    consent.decline().await.unwrap();
    consent.decline().await.unwrap();
    assert_eq!(browser.progress().await.unwrap(), Progress::Declined);
    is(consent.accept(&UrlAuthGrant::new()).await, UrlAuthProblem::Expired);
    is(client.url_auth(browser.link()).await, UrlAuthProblem::Expired);

    let (browser, consent) = asked(&wire, &client, NewLogin::at(BOT).match_code()).await;
    tokio::time::advance(Duration::from_secs(300)).await;
    let picked = UrlAuthGrant::new().match_code(browser.match_code().unwrap());
    is(consent.accept(&picked).await, UrlAuthProblem::Expired);
    is(consent.decline().await, UrlAuthProblem::Expired);
    is(consent.check_match_code(browser.match_code().unwrap()).await, UrlAuthProblem::Expired);
    is(client.url_auth(browser.link()).await, UrlAuthProblem::Expired);
    assert_eq!(browser.progress().await.unwrap(), Progress::Expired);
    assert_eq!(browser.claim().await.unwrap(), None);
    assert_eq!(sites(&client).await, before);
    assert!(UrlAuthProblem::Expired.to_string().contains("begin the login again"));
}

#[tokio::test(start_paused = true)]
async fn more_than_the_name_takes_that_it_was_asked_and_granted() {
    let (wire, client) = telegram().await;
    for (write, phone) in [(false, false), (true, false), (false, true), (true, true)] {
        for (grant_write, grant_phone) in
            [(false, false), (true, false), (false, true), (true, true)]
        {
            let mut login = NewLogin::at(BOT);
            login = if write { login.write() } else { login };
            login = if phone { login.phone() } else { login };
            let (browser, consent) = asked(&wire, &client, login).await;
            assert_eq!((consent.asks_write(), consent.asks_phone()), (write, phone));
            let grant = UrlAuthGrant::new().write(grant_write).phone(grant_phone);
            consent.accept(&grant).await.unwrap();
            let claimed = browser.claim().await.unwrap().unwrap();
            let granted = (write && grant_write, phone && grant_phone);
            assert_eq!((claimed.write, claimed.phone), granted);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_picture_in_the_browser_has_to_be_picked() {
    let (wire, client) = telegram().await;
    let (browser, consent) = asked(&wire, &client, NewLogin::at(BOT).match_code()).await;
    let right = browser.match_code().unwrap();
    assert_eq!(consent.match_codes().len(), 3);
    let wrong = consent.match_codes().iter().find(|code| **code != right).unwrap();
    // What cannot be right does not reach Telegram, where it would be the end.
    for grant in [UrlAuthGrant::new(), UrlAuthGrant::new().match_code("🧨")] {
        let error = consent.accept(&grant).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
    }
    assert_eq!(browser.progress().await.unwrap(), Progress::Pending);
    is(
        consent.accept(&UrlAuthGrant::new().match_code(wrong)).await,
        UrlAuthProblem::WrongMatchCode,
    );
    assert_eq!(browser.progress().await.unwrap(), Progress::Declined);
    is(consent.accept(&UrlAuthGrant::new().match_code(right)).await, UrlAuthProblem::Expired);

    let (browser, consent) = asked(&wire, &client, NewLogin::at(BOT).match_code()).await;
    let picked = UrlAuthGrant::new().match_code(browser.match_code().unwrap());
    consent.accept(&picked).await.unwrap();
    assert!(browser.claim().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_comes_first_is_checked_first() {
    let (wire, client) = telegram().await;
    let (browser, consent) = asked(&wire, &client, NewLogin::at(BOT).match_code_first()).await;
    assert!(consent.match_codes_first());
    let right = browser.match_code().unwrap();
    let wrong = consent.match_codes().iter().find(|code| **code != right).unwrap();
    let error = consent.check_match_code("🧨").await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
    is(consent.check_match_code(wrong).await, UrlAuthProblem::WrongMatchCode);
    assert_eq!(browser.progress().await.unwrap(), Progress::Declined);
    is(consent.check_match_code(right).await, UrlAuthProblem::Expired);

    let (browser, consent) = asked(&wire, &client, NewLogin::at(BOT).match_code_first()).await;
    consent.check_match_code(browser.match_code().unwrap()).await.unwrap();
    consent.accept(&UrlAuthGrant::new()).await.unwrap();
    assert!(browser.claim().await.unwrap().is_some());

    // There is nothing to check where no picture is.
    let (_, consent) = asked(&wire, &client, NewLogin::at(BOT)).await;
    assert!(matches!(consent.check_match_code("🧨").await, Err(Error::Invalid(_))));
}

#[tokio::test(start_paused = true)]
async fn an_app_and_a_known_account_are_said_to_be_such() {
    let (wire, client) = telegram().await;
    let (_, consent) =
        asked(&wire, &client, NewLogin::at(BOT).app(Some("Columbus")).user_id_hint(77)).await;
    assert!(consent.is_app());
    assert_eq!((consent.verified_app_name(), consent.user_id_hint()), (Some("Columbus"), Some(77)));
    let (_, consent) = asked(&wire, &client, NewLogin::at(BOT).app(None)).await;
    assert!(consent.is_app() && consent.verified_app_name().is_none());
}

/// The first answer is lost in each of the calls, and the second request finds what became of it.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_lets_nobody_in_twice_and_nobody_out() {
    let (wire, client) = telegram().await;
    let before = sites(&client).await;
    let late =
        |method: &str| Fault::new(Kind::DelayAnswer { seconds: 3_600.0 }).method(method).times(1);
    let never = |method: &str| Fault::new(Kind::NeverAnswer).method(method).times(1);
    for (fault, progress) in [
        (late("messages.acceptUrlAuth"), Progress::Approved),
        (never("messages.acceptUrlAuth"), Progress::Approved),
    ] {
        let (browser, consent) = asked(&wire, &client, NewLogin::at(BOT)).await;
        wire.server().faults().add(fault).await.unwrap();
        assert_eq!(consent.accept(&UrlAuthGrant::new()).await.unwrap(), None);
        assert_eq!(browser.progress().await.unwrap(), progress);
    }
    assert_eq!(sites(&client).await, before + 1, "the same browser, twice");
    for fault in [late("messages.declineUrlAuth"), never("messages.declineUrlAuth")] {
        let (browser, consent) = asked(&wire, &client, NewLogin::at(BOT)).await;
        wire.server().faults().add(fault).await.unwrap();
        consent.decline().await.unwrap();
        assert_eq!(browser.progress().await.unwrap(), Progress::Declined);
    }
    // If it cannot be known, it is said.
    let (_, consent) = asked(&wire, &client, NewLogin::at(BOT)).await;
    wire.server()
        .faults()
        .add(Fault::new(Kind::NeverAnswer).method("messages.*UrlAuth"))
        .await
        .unwrap();
    let error = consent.accept(&UrlAuthGrant::new()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_bots_site_is_opened_logged_in_or_as_it_is() {
    let (_wire, client) = telegram().await;
    let me = client.me().await.unwrap().unwrap();
    client.invoke(&account::ResetWebAuthorizations).await.unwrap();
    let first = consent(&client, PAGE).await;
    assert_eq!((first.domain(), first.browser()), ("travel.example.com", None));
    assert_eq!(first.plain_url(), Some(PAGE));
    assert!(matches!(first.check_match_code("🧨").await, Err(Error::Invalid(_))));
    first.decline().await.unwrap();
    assert_eq!(sites(&client).await, 0);

    let url = consent(&client, PAGE).await.accept(&UrlAuthGrant::new()).await.unwrap().unwrap();
    let (page, fragment) = url.split_once('#').unwrap();
    let begin = format!("https://travel.example.com/trips?to=Kyjiv&id={}&first_name=Claude", me.id);
    assert!(page.starts_with(&begin) && page.contains("&hash=") && fragment == "top", "{url}");
    assert_eq!(sites(&client).await, 1);
    let UrlAuth::Accepted { url: Some(again) } = client.url_auth(PAGE).await.unwrap() else {
        panic!("asked again");
    };
    assert!(again.starts_with(&begin));
}

#[tokio::test(start_paused = true)]
async fn other_links_are_ordinary_ones_or_none() {
    let (_wire, client) = telegram().await;
    for link in [
        "https://example.com/",
        "http://example.com/?a=b",
        "https://evil.travel.example.com/",
        "https://travel.example.com.evil.example/",
        "https://travel.example.com@evil.example/",
        "https://evil.example\\@travel.example.com/",
        "https://trаvel.example.com/",
        "https://autologin.example.com@evil.example/",
        "https://evil.example\\.autologin.example.com/",
        "http://autologin.example.com/",
        "https://autologin.example.com/?autologin_token=somebody",
        "https://t.me/durov",
    ] {
        let UrlAuth::Plain { url } = client.url_auth(link).await.unwrap() else { panic!("{link}") };
        assert_eq!(url, link);
    }
    for link in [
        "",
        "travel.example.com",
        "javascript:alert(1)",
        "javascript://travel.example.com/%0aalert(1)",
        "data:text/html,x",
        "tg://oauth",
        "tg://oauth?token=",
        "tg://login?token=a",
    ] {
        let error = client.url_auth(link).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{link}: {error}");
        assert!(error.to_string().contains("tg://oauth?token="), "{error}");
    }
    is(client.url_auth("tg://oauth?token=nobody").await, UrlAuthProblem::Unknown);
    assert_eq!(UrlAuthLink::read("tg://oauth?token=nobody"), Some(UrlAuthLink::Request));
}

#[tokio::test(start_paused = true)]
async fn pages_of_telegram_itself_are_opened_by_a_token_of_the_account() {
    let (wire, client) = telegram().await;
    let other = stranger(&wire).await;
    let token = async |client: &Client| match client
        .url_auth("https://autologin.example.com/x?a=b#c")
        .await
        .unwrap()
    {
        UrlAuth::Autologin { url } => {
            let begin = "https://autologin.example.com/x?a=b&autologin_token=";
            let token = url.strip_prefix(begin).unwrap().strip_suffix("#c").unwrap();
            token.to_owned()
        }
        other => panic!("{other:?}"),
    };
    let first = token(&client).await;
    assert_ne!(token(&other).await, first);
    // One that is too old is of no use.
    tokio::time::advance(Duration::from_secs(10_000)).await;
    assert_ne!(token(&client).await, first);
    // Nobody has none.
    client.sign_out().await.unwrap();
    let answer = client.url_auth("https://autologin.example.com/").await.unwrap();
    assert!(matches!(answer, UrlAuth::Plain { .. }), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_is_new_is_known_within_the_hour() {
    let (wire, client) = telegram().await;
    let link = "http://localhost:8080/login";
    assert!(matches!(client.url_auth(link).await.unwrap(), UrlAuth::Plain { .. }));
    let father = wire.server().bot_father();
    let settings = chappe_server::bots::BotSettings::new().domain("localhost");
    father.set("LumiereNewsBot", settings).await.unwrap();
    assert!(matches!(client.url_auth(link).await.unwrap(), UrlAuth::Plain { .. }));
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(consent(&client, link).await.domain(), "localhost");
}

#[tokio::test(start_paused = true)]
async fn a_site_that_lost_its_bot_is_not_served_any_more() {
    let (wire, client) = telegram().await;
    let (browser, consent) = asked(&wire, &client, NewLogin::at(BOT)).await;
    wire.server().bot_father().remove(BOT).await.unwrap();
    is(consent.accept(&UrlAuthGrant::new()).await, UrlAuthProblem::Unserved);
    assert_eq!(browser.claim().await.unwrap(), None);
    let error = wire.server().log_in(NewLogin::at(BOT)).await.unwrap_err();
    assert!(error.to_string().contains(BOT), "{error}");
}

#[tokio::test(start_paused = true)]
async fn only_people_who_are_signed_in_are_asked() {
    let (wire, client) = telegram().await;
    let browser = wire.server().log_in(NewLogin::at(BOT)).await.unwrap();
    let bot = wire.connect(client_of(wire.server())).await.unwrap();
    bot.sign_in_bot(&wire.server().bots()[0].token).await.unwrap();
    for link in [browser.link(), PAGE] {
        let error = bot.url_auth(link).await.unwrap_err();
        assert!(error.is(errors::BOT_METHOD_INVALID), "{error}");
    }
    client.sign_out().await.unwrap();
    let error = client.url_auth(browser.link()).await.unwrap_err();
    assert!(error.is(errors::AUTH_KEY_UNREGISTERED), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_page_within_the_app_asks_with_its_own_origin() {
    let (wire, client) = telegram().await;
    let browser = wire.server().log_in(NewLogin::at(BOT)).await.unwrap();
    for (link, origin) in [
        (PAGE, "https://travel.example.com"),
        ("javascript:alert(1)", "https://travel.example.com"),
        (browser.link(), "https://travel.example.com/"),
        (browser.link(), "https://user@travel.example.com"),
        (browser.link(), "null"),
    ] {
        let error = client.url_auth_in_app(link, origin).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{link} {origin}: {error}");
    }
    // This login began in a browser.
    let answer = client.url_auth_in_app(browser.link(), "https://travel.example.com").await;
    is(answer, UrlAuthProblem::Unknown);
}

#[tokio::test(start_paused = true)]
async fn nothing_shows_what_would_log_somebody_in() {
    let (wire, client) = telegram().await;
    let (browser, consent) = asked(&wire, &client, NewLogin::at(BOT).match_code()).await;
    let right = browser.match_code().unwrap();
    let grant = UrlAuthGrant::new().match_code(right);
    let page = client.url_auth(PAGE).await.unwrap();
    let autologin = client.url_auth("https://autologin.example.com/").await.unwrap();
    let shown = format!("{browser:?} {consent:?} {page:?} {autologin:?}");
    let token = browser.link().split_once('=').unwrap().1.to_owned();
    for secret in [token.as_str(), "hash=", "autologin_token"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("travel.example.com") && consent.accept(&grant).await.is_ok());
}

fn peer(user: &types::User) -> enums::InputPeer {
    types::InputPeerUser { user_id: user.id, access_hash: user.access_hash.unwrap() }.into()
}

/// The last message that somebody exchanged with this peer, and its first button.
async fn last_button(client: &Client, peer: &enums::InputPeer) -> (i32, InlineButtonType) {
    let history = messages::GetHistory {
        peer: peer.clone(),
        offset_id: 0,
        offset_date: 0,
        add_offset: 0,
        limit: 1,
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    let last = match client.invoke(&history).await.unwrap() {
        enums::messages::Messages::Slice(mut slice) => slice.messages.remove(0),
        enums::messages::Messages::Messages(mut all) => all.messages.remove(0),
        other => panic!("{other:?}"),
    };
    let enums::Message::Message(message) = last else { panic!("{last:?}") };
    match message.reply_markup.as_deref() {
        Some(ReplyMarkup::ReplyInlineMarkup(inline)) => {
            (message.id, inline.rows[0].buttons[0].r#type.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_button_is_pressed_answered_and_told() {
    let (wire, client) = telegram().await;
    client.invoke(&account::ResetWebAuthorizations).await.unwrap();
    let me = client.me().await.unwrap().unwrap();
    let bot = wire.connect(client_of(wire.server())).await.unwrap();
    bot.sign_in_bot(&wire.server().bots()[0].token).await.unwrap();
    // A browser lets the bot write first, so that it may send its button.
    let (_, first) = asked(&wire, &client, NewLogin::at(BOT).write()).await;
    let known_bot = first.bot().unwrap().clone();
    first.accept(&UrlAuthGrant::new().write(true)).await.unwrap();
    client.invoke(&account::ResetWebAuthorizations).await.unwrap();
    let login = types::InputInlineButtonTypeUrlAuth::new(PAGE);
    let button = types::KeyboardInlineButton::new("Log in", login);
    let rows = vec![types::KeyboardInlineButtonRow { buttons: vec![button] }];
    let markup = types::ReplyInlineMarkup { force_reply: false, rows };
    let mut message = messages::SendMessage::new(peer(&me), "Choose", 1);
    message.reply_markup = Some(Box::new(markup.into()));
    bot.invoke(&message).await.unwrap();

    let peer_of_bot = peer(&known_bot);
    let (msg_id, button) = last_button(&client, &peer_of_bot).await;
    let InlineButtonType::UrlAuth(button) = button else { panic!("{button:?}") };
    let press = || client.url_auth_button(peer_of_bot.clone(), msg_id, &button);
    let UrlAuth::Consent(consent) = press().await.unwrap() else { panic!("not asked") };
    assert_eq!((consent.domain(), consent.plain_url()), ("travel.example.com", Some(PAGE)));
    assert_eq!(consent.bot().unwrap().id, known_bot.id);
    // A no opens the page as it is, and nobody hears of it.
    consent.decline().await.unwrap();
    assert_eq!(sites(&client).await, 0);
    // The answer is lost: what Telegram says then is the same address.
    let lost = Fault::new(Kind::DelayAnswer { seconds: 3_600.0 });
    wire.server().faults().add(lost.method("messages.acceptUrlAuth").times(1)).await.unwrap();
    let url = consent.accept(&UrlAuthGrant::new()).await.unwrap().unwrap();
    assert!(url.starts_with("https://travel.example.com/trips?to=Kyjiv&id="), "{url}");
    assert!(url.contains("&hash=") && url.ends_with("#top"), "{url}");
    assert_eq!(sites(&client).await, 1);
    assert!(matches!(press().await.unwrap(), UrlAuth::Accepted { url: Some(_) }));

    // What Telegram does not know is an ordinary link; what is no page is none.
    let mut other = button.clone();
    other.button_id = 7;
    let answer = client.url_auth_button(peer_of_bot.clone(), msg_id, &other).await.unwrap();
    assert!(matches!(answer, UrlAuth::Plain { url } if url == PAGE));
    other.url = "javascript:alert(1)".into();
    let error = client.url_auth_button(peer_of_bot, msg_id, &other).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");

    // 777000 told of each login, with a button that ends it.
    let dialogs = messages::GetDialogs::new(0, 0, enums::InputPeer::Empty, 10, 0);
    let users = match client.invoke(&dialogs).await.unwrap() {
        enums::messages::Dialogs::Dialogs(all) => all.users,
        enums::messages::Dialogs::Slice(slice) => slice.users,
        other => panic!("{other:?}"),
    };
    let service = users.into_iter().find_map(|user| match user {
        enums::User::User(user) if user.id == 777_000 => Some(peer(&user)),
        _ => None,
    });
    let service = service.unwrap();
    let (msg_id, button) = last_button(&client, &service).await;
    let InlineButtonType::Callback(ends) = button else { panic!("{button:?}") };
    let mut press = messages::GetBotCallbackAnswer::new(service, msg_id);
    press.data = Some(ends.data);
    let answer = client.invoke(&press).await.unwrap();
    assert_eq!(answer.message.as_deref(), Some("You are logged out there."));
    assert_eq!(sites(&client).await, 0);
}

/// What Telegram asks about a site.
fn request(domain: &str, codes: &[&str]) -> Line {
    let mut request = types::UrlAuthResultRequest::new(types::UserEmpty { id: 7 }, domain);
    request.match_codes = Some(codes.iter().map(|code| (*code).into()).collect());
    Ok(UrlAuthResult::from(request).to_bytes())
}

fn accepted(url: &str) -> Line {
    Ok(UrlAuthResult::from(types::UrlAuthResultAccepted { url: Some(url.into()) }).to_bytes())
}

const LINK: &str = "tg://oauth?token=a";

#[tokio::test(start_paused = true)]
async fn an_address_that_is_a_program_is_not_handed_on() {
    let bad =
        ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "file:///etc/passwd"];
    for url in bad {
        let script = vec![accepted(url), request("a.example", &[]), accepted(url)];
        let Stage { client, .. } = stage(script, Bytes::new()).await;
        is(client.url_auth(LINK).await, UrlAuthProblem::UnsafeUrl);
        let consent = consent(&client, LINK).await;
        is(consent.accept(&UrlAuthGrant::new()).await, UrlAuthProblem::UnsafeUrl);
    }
    // An app is called back by its own scheme; nothing is called back by an empty one.
    let script = vec![accepted("shop://tglogin?code=a"), accepted("")];
    let Stage { client, .. } = stage(script, Bytes::new()).await;
    let UrlAuth::Accepted { url } = client.url_auth(LINK).await.unwrap() else { panic!("asked") };
    assert_eq!(url.as_deref(), Some("shop://tglogin?code=a"));
    let UrlAuth::Accepted { url } = client.url_auth(LINK).await.unwrap() else { panic!("asked") };
    assert_eq!(url, None);
}

#[tokio::test(start_paused = true)]
async fn odd_answers_let_nobody_in() {
    let default = || Ok(UrlAuthResult::Default.to_bytes());
    let script = vec![
        default(),
        request("a\u{1b}[2J.example", &[]),
        default(),
        request("a.example", &[]),
        // Asked again instead of answered.
        request("a.example", &[]),
        Err((500, "OAUTH_REQUEST_INVALID")),
        Err((400, "SOMETHING_NEW")),
    ];
    let Stage { client, .. } = stage(script, Bytes::new()).await;
    is(client.url_auth(LINK).await, UrlAuthProblem::Unknown);
    let first = consent(&client, LINK).await;
    // It is told as it came: whoever shows it neutralises it.
    assert_eq!((first.domain(), first.bot()), ("a\u{1b}[2J.example", None));
    is(first.accept(&UrlAuthGrant::new()).await, UrlAuthProblem::Unknown);
    let second = consent(&client, LINK).await;
    is(second.accept(&UrlAuthGrant::new()).await, UrlAuthProblem::Unknown);
    is(client.url_auth(LINK).await, UrlAuthProblem::Unserved);
    let error = client.url_auth(LINK).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().name, "SOMETHING_NEW");
}

/// Whatever Telegram makes of a wrong picture: it is declined, and its answer to that does not matter.
#[tokio::test(start_paused = true)]
async fn a_login_with_a_wrong_picture_is_declined_whatever_telegram_does() {
    let no = || Ok(false.to_bytes());
    let script = vec![
        request("a.example", &["🦊", "🐳"]),
        no(),
        no(),
        request("a.example", &["🦊", "🐳"]),
        Err((400, "MATCH_CODE_INVALID")),
        Err((400, "URL_INVALID")),
    ];
    let Stage { client, heard, .. } = stage(script, Bytes::new()).await;
    let first = consent(&client, LINK).await;
    is(first.check_match_code("🦊").await, UrlAuthProblem::WrongMatchCode);
    let second = consent(&client, LINK).await;
    let grant = UrlAuthGrant::new().match_code("🦊");
    is(second.accept(&grant).await, UrlAuthProblem::WrongMatchCode);
    let declined = messages::DeclineUrlAuth { url: LINK.into() }.to_bytes();
    let declines = heard.lock().unwrap().iter().filter(|body| **body == declined).count();
    assert_eq!(declines, 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_yes_is_asked_about_before_it_is_said_again() {
    let script = vec![request("a.example", &[]), SILENCE, accepted("https://a.example/?ok")];
    let Stage { client, heard, .. } = stage(script, Bytes::new()).await;
    let first = consent(&client, LINK).await;
    let url = first.accept(&UrlAuthGrant::new()).await.unwrap();
    assert_eq!(url.as_deref(), Some("https://a.example/?ok"));
    let mut ask = messages::RequestUrlAuth::new();
    ask.url = Some(LINK.into());
    assert_eq!(heard.lock().unwrap().last().unwrap(), &ask.to_bytes(), "nothing was said twice");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_asked_for_is_not_even_said() {
    let script = vec![request("a.example", &[]), accepted("")];
    let Stage { client, heard, .. } = stage(script, Bytes::new()).await;
    let grant = UrlAuthGrant::new().write(true).phone(true).match_code("🦊");
    assert_eq!(consent(&client, LINK).await.accept(&grant).await.unwrap(), None);
    let mut said = messages::AcceptUrlAuth::new();
    said.url = Some(LINK.into());
    assert_eq!(heard.lock().unwrap().last().unwrap(), &said.to_bytes());
}
