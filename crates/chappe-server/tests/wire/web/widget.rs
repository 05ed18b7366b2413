//! The login widget: its button, its window, and how a login ends.

use std::time::SystemTime;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use chappe_api::{account, auth, errors, messages};
use chappe_login::{BotToken, Fields, Login, Widget};
use chappe_server::{
    Handle,
    faults::{Action, Scope},
};

use super::{SITE, accept, app, bot_id, browser, server};
use crate::{
    client::Client,
    http::{Answer, Browser},
};

/// The address of the window for a page of the seeded bot's site.
pub(crate) fn window(server: &Handle, more: &str) -> String {
    format!(
        "/auth?bot_id={}&origin=https%3A%2F%2Ftravel.example.com\
         &return_to=https%3A%2F%2Ftravel.example.com%2Flogin%3Fa%3D1{more}",
        bot_id(server)
    )
}

/// What a waiting page shows: the handle of its request, and the link for the app.
pub(crate) fn waiting(page: &Answer) -> (String, String) {
    assert_eq!(page.status, 200, "{page:?}");
    let handle = page.between("data-request=\"", "\"").to_owned();
    (handle, page.between("<code class=\"link\">", "<").to_owned())
}

/// Begins a login; tells its handle and link.
pub(crate) async fn begin(server: &Handle, browser: &mut Browser) -> (String, String) {
    waiting(&browser.get(&window(server, "")).await)
}

/// What the site makes of the result behind an address.
pub(crate) fn check(server: &Handle, result: &str) -> Login {
    let token = BotToken::new(server.bots()[0].token.clone()).unwrap();
    let fields = Fields::from_auth_result(result).unwrap();
    Widget::new(&token).check(fields, SystemTime::now()).unwrap()
}

pub(crate) async fn pass(server: &Handle, seconds: u32) {
    server.faults().act(Action::PassTime { seconds }, Scope::everything()).await.unwrap();
}

#[tokio::test]
async fn a_login_that_the_app_approves_is_told_to_the_site_once() {
    let server = server(11).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    let rows = app.web().await.len();
    let (handle, link) = begin(&server, &mut browser).await;
    let login = format!("/auth/login?request={handle}");
    assert_eq!(browser.post(&login, "").await.body, "false");
    let early = browser.get(&format!("/auth/push?request={handle}")).await;
    assert_eq!(early.header("location"), format!("/auth/wait?request={handle}"));

    app.call(&accept(&link)).await.unwrap();
    assert_eq!(browser.post(&login, "").await.body, "true");
    let end = browser.get(&format!("/auth/push?request={handle}")).await;
    assert!(end.status == 302 && !end.has("set-cookie"), "only a number makes a browser known");
    let (back, result) = end.header("location").split_once("#tgAuthResult=").unwrap();
    assert_eq!(back, "https://travel.example.com/login?a=1");
    let user = check(&server, result);
    assert_eq!((user.id, user.first_name.as_str()), (server.accounts()[0].user_id, "Claude"));
    let picture = user.photo_url.unwrap();
    let path = picture.strip_prefix(server.announcement().web.as_deref().unwrap()).unwrap();
    let picture = browser.get(path).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/svg+xml"));
    assert!(picture.body.contains(">CC</text>"), "{}", picture.body);

    let row = app.web().await.into_iter().max_by_key(|row| row.date_created).unwrap();
    assert_eq!(app.web().await.len(), rows + 1);
    assert_eq!(
        (row.domain.as_str(), row.browser.as_str(), row.platform.as_str(), row.ip.as_str()),
        ("travel.example.com", "Firefox 128", "Linux", "127.0.0.1")
    );
    let again = browser.get(&format!("/auth/push?request={handle}")).await;
    assert_eq!(again.status, 410, "{again:?}");
    app.call(&account::ResetWebAuthorization { hash: row.hash }).await.unwrap();
    assert_eq!(app.web().await.len(), rows);
}

#[tokio::test]
async fn a_window_tells_the_page_that_opened_it_and_no_other() {
    let server = server(12).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    // `Telegram.Login.auth` opens the window from the site's page, the button from its own frame.
    for (more, origin) in [("", SITE.to_owned()), ("&embed=1", format!("http://{}", browser.host))]
    {
        let (handle, link) = waiting(&browser.get(&window(&server, more)).await);
        app.call(&accept(&link)).await.unwrap();
        let end = browser.get(&format!("/auth/push?request={handle}&how=message")).await;
        assert_eq!(end.status, 200);
        assert_eq!(end.between("data-origin=\"", "\""), origin);
        let message = end.between("data-message=\"", "\"").replace("&quot;", "\"");
        let message: serde_json::Value = serde_json::from_str(&message).unwrap();
        assert_eq!((&message["event"], &message["origin"]), (&"auth_result".into(), &SITE.into()));
        assert_eq!(message["result"]["id"], server.accounts()[0].user_id);
        assert_eq!(message["result"]["hash"].as_str().unwrap().len(), 64);
        let result = end.between("#tgAuthResult=", "\"");
        assert_eq!(check(&server, result).id, server.accounts()[0].user_id);
    }
}

#[tokio::test]
async fn a_name_in_any_script_is_read_by_pages_that_know_only_atob() {
    let server = server(19).await;
    let (mut app, mut browser) = (Client::connect(&server, 1).await, browser(&server));
    let (phone, code) = ("9996625678", Some("22222".into()));
    let hash = app.send_code(phone).await.unwrap();
    let sign_in = auth::SignIn { phone_code: code, ..auth::SignIn::new(phone, &*hash) };
    app.call(&sign_in).await.unwrap();
    app.call(&auth::SignUp::new(phone, hash, "Éva 🦊", "\"Дом\"")).await.unwrap();
    let (handle, link) = begin(&server, &mut browser).await;
    app.call(&accept(&link)).await.unwrap();
    let end = browser.get(&format!("/auth/push?request={handle}")).await;
    let result = end.header("location").split_once("#tgAuthResult=").unwrap().1;
    let bytes = Base64UrlUnpadded::decode_vec(result).unwrap();
    assert!(bytes.is_ascii(), "{}", String::from_utf8_lossy(&bytes));
    let user = check(&server, result);
    assert_eq!((user.first_name.as_str(), user.last_name.as_deref()), ("Éva 🦊", Some("\"Дом\"")));
}

#[tokio::test]
async fn no_is_told_too() {
    let server = server(13).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    let rows = app.web().await;
    // `false` as base64url.
    let no = "https://travel.example.com/login?a=1#tgAuthResult=ZmFsc2U";

    let (handle, link) = begin(&server, &mut browser).await;
    app.call(&messages::DeclineUrlAuth { url: link.as_str().into() }).await.unwrap();
    let end = browser.get(&format!("/auth/push?request={handle}")).await;
    assert_eq!(end.header("location"), no);

    let (handle, link) = begin(&server, &mut browser).await;
    let cancel = browser.post(&format!("/auth/cancel?request={handle}"), "how=message").await;
    let push = cancel.header("location").to_owned();
    assert_eq!(
        (cancel.status, push.as_str()),
        (303, &*format!("/auth/push?request={handle}&how=message"))
    );
    assert!(browser.get(&push).await.body.contains("&quot;result&quot;:false"));
    app.refused(&accept(&link), errors::URL_EXPIRED).await;
    assert_eq!(app.web().await, rows);
}

#[tokio::test]
async fn a_request_ends_with_its_time_and_can_be_made_again() {
    let server = server(14).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    let (handle, link) = begin(&server, &mut browser).await;
    // The clock goes on meanwhile, and a busy machine is slow.
    pass(&server, 150).await;
    assert_eq!(browser.post(&format!("/auth/login?request={handle}"), "").await.body, "false");
    pass(&server, 150).await;
    assert_eq!(browser.post(&format!("/auth/login?request={handle}"), "").await.body, "true");
    app.refused(&accept(&link), errors::URL_EXPIRED).await;
    let end = browser.get(&format!("/auth/push?request={handle}")).await;
    let again = end.between("<a class=\"button\" href=\"", "\"").replace("&amp;", "&");
    let (_, link) = waiting(&browser.get(&again).await);
    app.call(&accept(&link)).await.unwrap();
    // What was approved and never fetched ends, too; and is forgotten in the end.
    let (handle, link) = begin(&server, &mut browser).await;
    app.call(&accept(&link)).await.unwrap();
    pass(&server, 300).await;
    let late = browser.get(&format!("/auth/push?request={handle}")).await;
    assert!(late.body.contains("The time is over"), "{late:?}");
    pass(&server, 4_000).await;
    begin(&server, &mut browser).await;
    let forgotten = browser.get(&format!("/auth/push?request={handle}")).await;
    assert!(
        forgotten.status == 400 && forgotten.body.contains("This login is over"),
        "{forgotten:?}"
    );
}

#[tokio::test]
async fn the_button_looks_as_it_was_asked_to() {
    let server = server(15).await;
    let mut browser = browser(&server);
    let name = &server.bots()[0].username;
    let origin = "origin=https%3A%2F%2Ftravel.example.com";
    let page = browser.get(&format!("/embed/{name}?{origin}&size=large&radius=7")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.between("<div class=\"", "\""), "widget large r7");
    assert_eq!(page.between("data-origin=\"", "\""), SITE);
    let policy = page.header("content-security-policy");
    assert!(policy.contains(&format!("frame-ancestors {SITE};")), "{policy}");
    let opens = page.between("href=\"/auth?", "\"").replace("&amp;", "&");
    assert!(opens.contains("embed=1") && !opens.contains("request_access"), "{opens}");
    assert_eq!(browser.get(&format!("/auth?{opens}")).await.status, 200);
    let asks = browser
        .get(&format!("/embed/{name}?{origin}&request_access=write&size=x&radius=999"))
        .await;
    assert_eq!(asks.between("<div class=\"", "\""), "widget medium r20");
    assert!(asks.body.contains("request_access=write"));

    let script = browser.get("/js/telegram-widget.js?22").await;
    assert_eq!(script.header("cross-origin-resource-policy"), "cross-origin");
    assert!(script.body.contains("data-onauth") && script.status == 200);
    let wrong = browser.get(&format!("/embed/nobody?{origin}")).await;
    assert!(wrong.body.contains("Username invalid"), "{wrong:?}");
}
