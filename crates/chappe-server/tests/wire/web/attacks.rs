//! The pages as an attacker sees them.

use chappe_server::{Handle, bots::BotSettings};

use super::{
    SITE, accept, app, bot_id, browser, server,
    widget::{begin, window},
};
use crate::http::Browser;

/// What is not the bot's site, however much it looks like it.
const OTHERS: [&str; 16] = [
    "https://evil.example",
    "//evil.example",
    "https://travel.example.com.evil.example",
    "https://travel.example.com@evil.example",
    "https://evil.example\\@travel.example.com",
    "https://evil.example\\.travel.example.com",
    "https:\\\\travel.example.com",
    "https://user:password@travel.example.com",
    "https://travel.example.com:443@evil.example",
    "http://travel.example.com",
    "https://sub.travel.example.com",
    "https://travel.example.com.",
    "javascript://travel.example.com/%0aalert(1)",
    "data:text/html,x",
    "null",
    "https://travel.example.com\r\nSet-Cookie: a=b",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn no_other_site_gets_a_window_or_a_button() {
    let server = server(21).await;
    let mut browser = browser(&server);
    let (bot, name) = (bot_id(&server), server.bots()[0].username.clone());
    let good = encoded(SITE);
    for other in OTHERS {
        let other = encoded(other);
        for query in [
            format!("origin={other}"),
            format!("return_to={other}"),
            format!("origin={other}&return_to={other}"),
            format!("origin={good}&return_to={other}"),
        ] {
            let answer = browser.get(&format!("/auth?bot_id={bot}&{query}")).await;
            assert_eq!(answer.status, 400, "{query}: {answer:?}");
            assert!(
                !answer.has("location") && answer.body.contains("Bot domain invalid"),
                "{answer:?}"
            );
            let frame = browser.get(&format!("/embed/{name}?{query}")).await;
            assert!(frame.body.contains("Bot domain invalid"), "{frame:?}");
            assert!(!frame.body.contains("<a") && !frame.body.contains("<script"), "{frame:?}");
        }
    }
    // Its developer is told what is wrong.
    for (query, why) in [
        ("&origin=https://127.0.0.1:8080/x", "this page came from https://127.0.0.1:8080."),
        ("&origin=http://travel.example.com", "with http:// for a host of this machine"),
        ("&origin=travel.example.com", "begins with https://"),
        ("", "does not say by `origin`"),
    ] {
        let answer = browser.get(&format!("/auth?bot_id={bot}{query}")).await;
        assert!(answer.body.contains("belongs to travel.example.com"), "{query}: {answer:?}");
        assert!(answer.body.contains(why), "{query}: {answer:?}");
    }
    // The port and the path of its own host are the site's affair, but one origin only.
    for (origin, back, status) in [
        ("https://travel.example.com:8443", "https://travel.example.com:8443/x", 200),
        ("https://travel.example.com:8443", "https://travel.example.com/x", 400),
        ("https://TRAVEL.example.com", "https://travel.example.com/x#y", 200),
    ] {
        let (origin, back) = (encoded(origin), encoded(back));
        let path = format!("/auth?bot_id={bot}&origin={origin}&return_to={back}");
        assert_eq!(browser.get(&path).await.status, status, "{path}");
    }
    for path in ["/auth", "/auth?bot_id=x", "/auth?bot_id=1", "/auth?bot_id=777000"] {
        assert_eq!(browser.get(path).await.status, 400, "{path}");
    }
    let person = format!("/auth?bot_id={}&origin={good}", server.accounts()[0].user_id);
    assert!(browser.get(&person).await.body.contains("Bot not found"));
    let twice = format!("/auth?bot_id={bot}&origin={good}&origin={}", encoded(OTHERS[0]));
    assert_eq!(browser.get(&twice).await.status, 400);
}

/// Every way to act on a login.
fn actions(handle: &str) -> [(&'static str, String); 6] {
    [
        ("POST", format!("/auth/login?request={handle}")),
        ("POST", format!("/auth/accept?request={handle}")),
        ("POST", format!("/auth/cancel?request={handle}")),
        ("POST", format!("/auth/logout?request={handle}")),
        ("GET", format!("/auth/push?request={handle}")),
        ("GET", format!("/auth/wait?request={handle}")),
    ]
}

#[tokio::test]
async fn a_login_belongs_to_the_browser_that_began_it() {
    let server = server(22).await;
    let (mut app, mut mallory) = (app(&server).await, browser(&server));
    let (handle, link) = begin(&server, &mut mallory).await;
    app.call(&accept(&link)).await.unwrap();
    // Mallory sends the address of the finished login to somebody, whose browser would log in as
    // Mallory; or somebody else tries to fetch Mallory's.
    let mut victim = browser(&server);
    begin(&server, &mut victim).await;
    for (method, path) in actions(&handle) {
        let own = format!("Origin: http://{}\r\n", victim.host);
        let answer = victim.ask(method, &path, &own, "").await;
        assert_eq!(answer.status, 403, "{path}: {answer:?}");
        assert!(answer.body.contains("not this browser"), "{answer:?}");
    }
    // Neither the address nor the page tells what the cookie has.
    let page = mallory.get(&window(&server, "")).await;
    let cookie = mallory.cookies.values().next().unwrap().clone();
    let secret = cookie.split('.').next().unwrap();
    assert!(secret.len() == 43 && !page.body.contains(secret) && !handle.contains(secret));
    let set = page.header("set-cookie");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/auth"));
    assert_eq!(mallory.get(&format!("/auth/push?request={handle}")).await.status, 302);
}

#[tokio::test]
async fn other_pages_cannot_press_buttons_here() {
    let server = server(23).await;
    let mut victim = browser(&server);
    let (handle, _) = begin(&server, &mut victim).await;
    let port = victim.host.rsplit_once(':').unwrap().1.to_owned();
    for (method, path) in actions(&handle).into_iter().filter(|(method, _)| *method == "POST") {
        for headers in [
            "Origin: https://evil.example\r\n".to_owned(),
            "Origin: null\r\n".to_owned(),
            // Another port of this machine gets the same cookies.
            "Origin: http://127.0.0.1:1\r\n".to_owned(),
            format!("Origin: http://localhost:{port}\r\n"),
            format!("Origin: https://{}\r\n", victim.host),
            format!("Origin: http://{0}\r\nOrigin: http://{0}\r\n", victim.host),
            "Sec-Fetch-Site: same-site\r\n".to_owned(),
            "Sec-Fetch-Site: cross-site\r\n".to_owned(),
        ] {
            let answer = victim.ask(method, &path, &headers, "").await;
            assert_eq!(answer.status, 403, "{path} {headers}");
            assert!(answer.body.contains("Another page sent this"), "{answer:?}");
        }
    }
    let (poll, cancel) =
        (format!("/auth/login?request={handle}"), format!("/auth/cancel?request={handle}"));
    assert_eq!(victim.post(&poll, "").await.body, "false", "nothing happened");
    assert_eq!(victim.get(&cancel).await.status, 405);
    // A program that is no browser says nothing of the kind.
    assert_eq!(victim.ask("POST", &cancel, "", "").await.status, 303);
}

#[tokio::test]
async fn other_pages_cannot_fill_up_what_waits_for_people() {
    let server = server(28).await;
    let mut browser = browser(&server);
    let path = window(&server, "");
    for loaded in ["image", "iframe", "script", "empty", "object"] {
        let headers = format!("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: {loaded}\r\n");
        for path in [&path, "/crossapp?client_id=1"] {
            let answer = browser.ask("GET", path, &headers, "").await;
            assert!(answer.status == 403 && !answer.has("set-cookie"), "{path}: {answer:?}");
        }
    }
    assert!(server.logins().pending().await.unwrap().is_empty());
    let opened = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: document\r\n";
    assert_eq!(browser.ask("GET", &path, opened, "").await.status, 200);
    assert_eq!(server.logins().pending().await.unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_can_put_the_window_into_a_frame() {
    let server = server(24).await;
    let mut browser = browser(&server);
    let page = browser.get(&window(&server, "")).await;
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains(&format!("form-action 'self' {SITE};")), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    // The button may be in a frame of its site, and the site named must be the one that frames it.
    let name = &server.bots()[0].username;
    let frame = browser.get(&format!("/embed/{name}?origin={}", encoded(SITE))).await;
    let policy = frame.header("content-security-policy");
    assert!(policy.contains(&format!("frame-ancestors {SITE};")), "{policy}");
}

/// Asks in a browser that calls itself so.
async fn asked_by(server: &Handle, agent: &'static str) -> String {
    let mut browser = Browser { agent, ..browser(server) };
    browser.get(&window(server, "")).await.body
}

#[tokio::test]
async fn nothing_that_others_wrote_gets_out_of_its_place() {
    let server = server(25).await;
    let mut browser = browser(&server);
    for agent in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "Firefox/<b>"] {
        let page = asked_by(&server, agent).await;
        assert!(
            !page.contains("<script>alert")
                && !page.contains("<img src=x")
                && !page.contains("<b>")
        );
    }
    let hostile = encoded("\"><script>alert(1)</script>");
    let name = &server.bots()[0].username;
    for path in [
        format!("{}&lang={hostile}&request_access={hostile}", window(&server, "")),
        format!("{}%22%3E%3Cscript%3E", window(&server, "")),
        format!("/auth?bot_id={hostile}"),
        format!("/auth/wait?request={hostile}&note={hostile}"),
        format!("/embed/{hostile}?origin={hostile}&size={hostile}&radius={hostile}"),
        format!(
            "/embed/{name}?origin={}&size={hostile}&radius={hostile}&userpic={hostile}",
            encoded(SITE)
        ),
        format!("/i/userpic/320/{hostile}.svg"),
        format!("/{hostile}"),
    ] {
        let answer = browser.get(&path).await;
        assert!(!answer.body.contains("<script>"), "{path}: {answer:?}");
    }
    // A line break in an address does not become one in a header.
    let broken = format!("{}{}", window(&server, ""), encoded("\r\nSet-Cookie: a=b"));
    let answer = browser.get(&broken).await;
    assert_eq!(answer.status, 400, "{answer:?}");
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let server = server(26).await;
    let mut browser = browser(&server);
    let long = "x".repeat(20_000);
    assert_eq!(browser.get(&format!("/auth?bot_id=1&origin={long}")).await.status, 413);
    let many: String = (0..60).map(|index| format!("&a{index}=1")).collect();
    assert_eq!(browser.get(&window(&server, &many)).await.status, 413);
    let body = format!("bot_id={}", "1".repeat(100_000));
    assert_eq!(browser.post("/auth/get", &body).await.status, 413);
    // Two hundred requests wait at most. Nobody's browser keeps more than its last ones.
    let mut status = 200;
    for _ in 0..=200 {
        status = browser.get(&window(&server, "")).await.status;
        if status != 200 {
            break;
        }
    }
    assert_eq!(status, 429);
    assert!(browser.cookies.values().map(String::len).sum::<usize>() < 1_000);
}

#[tokio::test]
async fn only_the_bots_site_may_ask_who_is_logged_in() {
    let server = server(27).await;
    let mut browser = browser(&server);
    let form = format!("bot_id={}", bot_id(&server));
    let ours = format!("Origin: {SITE}\r\n");
    let answer = browser.ask("POST", "/auth/get", &ours, &form).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), SITE);
    assert!(answer.body.contains("\"user\":false"), "{answer:?}");
    for origin in [
        "",
        "Origin: null\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: http://travel.example.com\r\n",
    ] {
        let answer = browser.ask("POST", "/auth/get", origin, &form).await;
        assert!(
            answer.status == 400 && !answer.has("access-control-allow-origin"),
            "{origin}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn who_lost_the_domain_meanwhile_is_told_nothing() {
    let server = server(29).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    let (handle, link) = begin(&server, &mut browser).await;
    app.call(&accept(&link)).await.unwrap();
    let push = format!("/auth/push?request={handle}");
    let domain = async |host: &str| {
        let settings = BotSettings::new().domain(host);
        server.bot_father().set("ColumbusDemoBot", settings).await.unwrap();
    };
    domain("other.example.com").await;
    let end = browser.get(&push).await;
    assert!(end.status == 410 && !end.has("location") && !end.body.contains("hash"), "{end:?}");
    // It was not used up by that.
    domain("travel.example.com").await;
    assert_eq!(browser.get(&push).await.status, 302);
}

#[tokio::test]
async fn whoever_asks_for_the_head_only_begins_and_ends_nothing() {
    let server = server(30).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    let path = window(&server, "");
    for path in [&path, "/crossapp?client_id=1", "/inapp?code=x"] {
        for method in ["HEAD", "POST"] {
            let answer = browser.ask(method, path, "", "").await;
            assert!(answer.status == 405 && !answer.has("set-cookie"), "{path}: {answer:?}");
            assert_eq!(answer.header("allow"), "GET", "{method} {path}");
        }
    }
    assert!(server.logins().pending().await.unwrap().is_empty());
    let (handle, link) = begin(&server, &mut browser).await;
    app.call(&accept(&link)).await.unwrap();
    let push = format!("/auth/push?request={handle}");
    assert_eq!(browser.ask("HEAD", &push, "", "").await.status, 405);
    assert_eq!(browser.get(&push).await.status, 302);
}

#[tokio::test]
async fn other_pages_cannot_fetch_the_end_of_a_login() {
    let server = server(32).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    let (handle, link) = begin(&server, &mut browser).await;
    app.call(&accept(&link)).await.unwrap();
    let push = format!("/auth/push?request={handle}");
    let picture = "Sec-Fetch-Site: same-site\r\nSec-Fetch-Dest: image\r\n";
    assert_eq!(browser.ask("GET", &push, picture, "").await.status, 403);
    assert_eq!(browser.get(&push).await.status, 302);
}
