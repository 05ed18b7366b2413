//! The small site is tested as any site can be: over HTTP, with a Telegram in the same process, and
//! nobody at the keyboard. `docs/test-your-site.md` explains it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use axum::http::{Request, header};
use chappe_login::{BotToken, Fields, MiniApp};
use chappe_server::{Handle, logins::Grant};
use site::{beside_a_local_telegram, http, router};
use tokio::net::TcpListener;

#[expect(dead_code, reason = "its `main` is not called")]
#[path = "../examples/small_site.rs"]
mod site;

#[tokio::test]
async fn a_person_comes_in_by_openid_connect_once() {
    let (telegram, url) = running().await;
    let mut browser = Browser::default();
    browser.get(&url).await;
    let window = browser.get(&format!("{url}/openid")).await.location;

    let back = log_in(&telegram, &mut browser, &window).await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("Hello, Claude Chappe"), "{}", page.text);

    let again = browser.get(&back).await;
    assert_eq!(again.status, 403, "{}", again.text);
}

#[tokio::test]
async fn a_person_who_declines_does_not_come_in() {
    let (telegram, url) = running().await;
    let mut browser = Browser::default();
    browser.get(&url).await;
    let window = browser.get(&format!("{url}/openid")).await.location;
    let page = browser.get(&window).await;
    let asked = telegram.logins().pending().await.unwrap().remove(0);
    telegram.logins().decline(asked.id).await.unwrap();
    let back = browser.get(&page.end_of_login(&window)).await.location;

    let page = browser.get(&back).await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("was not allowed by its owner"), "{}", page.text);
}

#[tokio::test]
async fn a_login_of_somebody_else_does_not_let_my_visitor_in() {
    let (telegram, url) = running().await;
    let (mut stranger, mut visitor) = (Browser::default(), Browser::default());
    stranger.get(&url).await;
    visitor.get(&url).await;
    let window = stranger.get(&format!("{url}/openid")).await.location;
    let back = log_in(&telegram, &mut stranger, &window).await;
    assert_eq!(visitor.get(&back).await.status, 403);

    let secret = stranger.get(&url).await.between("/widget/", "\"").to_owned();
    let fields = by_widget(&telegram, &mut stranger, &url).await.to_query();
    let page = visitor.get(&format!("{url}/widget/{secret}?{fields}")).await;
    assert_eq!(page.status, 403, "{}", page.text);
    let page = stranger.get(&format!("{url}/widget/{secret}?{fields}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
}

#[tokio::test]
async fn what_the_widget_brings_is_believed_once_and_unchanged() {
    let (telegram, url) = running().await;
    let mut browser = Browser::default();
    let secret = browser.get(&url).await.between("/widget/", "\"").to_owned();
    let fields = by_widget(&telegram, &mut browser, &url).await.to_query();
    let address = format!("{url}/widget/{secret}?{fields}");

    let changed = browser.get(&address.replace("Claude", "Mallory")).await;
    assert_eq!(changed.status, 403, "{}", changed.text);
    let page = browser.get(&address).await;
    assert!(page.text.contains("Hello, Claude"), "{}", page.text);
    let again = browser.get(&address).await;
    assert!(again.status == 403 && again.text.contains("used already"), "{}", again.text);
}

#[tokio::test]
async fn a_mini_app_says_who_uses_it() {
    let (telegram, url) = running().await;
    let bot = telegram.bots().iter().find(|bot| bot.username == "SmallSiteBot").unwrap();
    let post = async |init_data: String| {
        let request = Request::post(format!("{url}/mini-app")).body(init_data).unwrap();
        http(request).await.unwrap().status().as_u16()
    };
    let signed = |age: u64| {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let fields = [
            ("auth_date", (now - age).to_string()),
            ("user", r#"{"id":42,"first_name":"Ada"}"#.to_owned()),
        ];
        let mini_app = MiniApp::new(&BotToken::new(&bot.token).unwrap());
        mini_app.sign(Fields::from_pairs(fields).unwrap()).to_query()
    };
    assert_eq!(post(signed(60)).await, 200);
    assert_eq!(post(signed(60).replace("Ada", "Eve")).await, 403);
    assert_eq!(post(signed(2 * 86_400)).await, 403);
}

/// The page of the documentation shows this file.
#[test]
fn the_page_about_tests_shows_what_is_done_here() {
    let page = include_str!("../../../docs/test-your-site.md");
    let here = include_str!("small_site.rs");
    let blocks: Vec<_> = page.split("```rust\n").skip(1).collect();
    assert!(blocks.len() > 1, "the page has no code");
    for block in blocks {
        let (code, _) = block.split_once("```").unwrap();
        assert!(here.contains(code), "not in this file:\n{code}");
    }
}

/// A local Telegram, and the address of the site beside it.
async fn running() -> (Handle, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let (telegram, site) = beside_a_local_telegram(&url).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, router(site)).await });
    (telegram, url)
}

/// The browser opens Telegram's window, and the person says yes. Returns where the window sends the browser.
async fn log_in(telegram: &Handle, browser: &mut Browser, window: &str) -> String {
    let page = browser.get(window).await;
    let asked = telegram.logins().pending().await.unwrap().remove(0);
    let person = telegram.accounts()[0].user_id;
    telegram.logins().approve(asked.id, person, Grant::new()).await.unwrap();
    browser.get(&page.end_of_login(window)).await.location
}

/// The same with the window that the Login Widget opens. What its script takes out of the end of the
/// address, it sends to the site in a query.
async fn by_widget(telegram: &Handle, browser: &mut Browser, url: &str) -> Fields {
    let bot = telegram.bots().iter().find(|bot| bot.username == "SmallSiteBot").unwrap();
    let pages = telegram.announcement().web.as_deref().unwrap();
    let window = format!("{pages}/auth?bot_id={}&origin={url}&return_to={url}/", bot.user_id);
    let back = log_in(telegram, browser, &window).await;
    Fields::from_auth_result(back.split_once("#tgAuthResult=").unwrap().1).unwrap()
}

/// Cookies by host, and nothing else that a browser has.
#[derive(Default)]
struct Browser(BTreeMap<String, BTreeMap<String, String>>);

struct Page {
    status: u16,
    location: String,
    text: String,
}

impl Browser {
    async fn get(&mut self, url: &str) -> Page {
        let url: axum::http::Uri = url.parse().unwrap();
        let jar = self.0.entry(url.authority().unwrap().to_string()).or_default();
        let cookies: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get(url)
            .header(header::COOKIE, cookies.join("; "))
            .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0");
        let answer = http(request.body(String::new()).unwrap()).await.unwrap();
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = value.split(';').next().unwrap();
            jar.insert(name.to_owned(), value.to_owned());
        }
        let location = answer.headers().get(header::LOCATION);
        Page {
            status: answer.status().as_u16(),
            location: location.map_or("", |url| url.to_str().unwrap()).to_owned(),
            text: String::from_utf8_lossy(answer.body()).into_owned(),
        }
    }
}

impl Page {
    fn between(&self, from: &str, to: &str) -> &str {
        let found = self.text.split_once(from).and_then(|(_, rest)| rest.split_once(to));
        found.unwrap_or_else(|| panic!("no {from} in {}", self.text)).0
    }

    /// Where Telegram's window goes on, once somebody said yes or no.
    fn end_of_login(&self, window: &str) -> String {
        let (pages, _) = window.split_once("/auth?").unwrap();
        format!("{pages}/auth/push?request={}", self.between("data-request=\"", "\""))
    }
}
