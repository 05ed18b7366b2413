//! The Login Widget, and what every page and session of the site keeps to.

use super::{Browser, Running, signed};

const DATE: (&str, &str) = ("auth_date", "1700000000");

fn ada() -> String {
    signed(&[("id", "42"), ("first_name", "Ada"), ("username", "ada_example"), DATE]).to_query()
}

/// Goes to the start page, and says where Telegram would send this browser.
async fn address(browser: &mut Browser) -> String {
    browser.get("/").await.attribute("data-auth-url").to_owned()
}

/// Comes from the widget with this query.
async fn come(browser: &mut Browser, query: &str) -> (u16, String) {
    let address = address(browser).await;
    let page = browser.get(&format!("{address}?{query}")).await;
    (page.status, page.text)
}

#[tokio::test]
async fn somebody_comes_in_by_the_widget_and_goes() {
    let site = Running::start(|site| site.telegram("http://127.0.0.1:9")).await;
    let mut browser = site.browser();
    let page = browser.get("/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.attribute("data-telegram-login"), "my_shop_bot");
    assert_eq!(page.attribute("script async src"), "http://127.0.0.1:9/js/telegram-widget.js?22");
    assert!(!page.text.contains("OpenID"), "{}", page.text);

    let address = page.attribute("data-auth-url").to_owned();
    let page = browser.get(&format!("{address}?{}", ada())).await;
    assert_eq!((page.status, page.header("location")), (303, "/"));
    let cookie = page.header("set-cookie");
    assert!(cookie.ends_with("; Path=/; Max-Age=900; HttpOnly; SameSite=Lax"), "{cookie}");
    let page = browser.get("/").await;
    assert!(page.text.contains("Hello, <bdi>Ada</bdi>"), "{}", page.text);
    assert!(page.text.contains("@ada_example"));
    assert!(page.text.contains("15 minutes"));
    // The hash would log in whoever reads it over somebody's shoulder.
    assert!(!page.text.contains("hash"));

    let page = browser.post("/logout", "").await;
    assert_eq!((page.status, page.header("location")), (303, "/"));
    assert_eq!(browser.cookie("chappe_site"), None);
    assert!(browser.get("/").await.text.contains("data-auth-url"));
}

#[tokio::test]
async fn what_a_link_brings_along_is_dropped_before_the_widget_reads_it() {
    let site = Running::start(|site| site.telegram("http://127.0.0.1:9")).await;
    let mut browser = site.browser();
    for path in ["/", "/ways/callback"] {
        let page = browser.get(path).await;
        // It neither waits for the page nor is waited for: it has run when the next script is read.
        let drops = page.text.find("<script src=\"/fragment.js\"></script>");
        let widget = page.text.find("<script async src=\"http://127.0.0.1:9/js/telegram-widget.js");
        assert!(drops.is_some() && drops < widget, "{}", page.text);
        assert!(page.text.contains("id=\"message\""), "it says so");
    }
    let script = browser.get("/fragment.js").await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    assert!(script.text.contains("history.replaceState"), "{}", script.text);
}

#[tokio::test]
async fn who_logged_out_does_not_come_back_with_the_old_cookie() {
    let site = Running::start(|site| site).await;
    let mut browser = site.browser();
    assert_eq!(come(&mut browser, &ada()).await.0, 303);
    let mut thief = browser.clone();
    assert!(thief.get("/").await.text.contains("Hello"));
    browser.post("/logout", "").await;
    assert!(!thief.get("/").await.text.contains("Hello"));
}

#[tokio::test]
async fn a_session_ends_after_a_quarter_of_an_hour_whatever_its_owner_does() {
    let site = Running::start(|site| site).await;
    let mut browser = site.browser();
    assert_eq!(come(&mut browser, &ada()).await.0, 303);
    for _ in 0..14 {
        site.pass(60);
        assert!(browser.get("/").await.text.contains("Hello"));
    }
    site.pass(59);
    assert!(browser.get("/").await.text.contains("1 minute<"));
    site.pass(1);
    assert!(!browser.get("/").await.text.contains("Hello"));
}

#[tokio::test]
async fn each_login_is_a_new_session_and_the_old_one_is_over() {
    let site = Running::start(|site| site).await;
    let mut browser = site.browser();
    let address = address(&mut browser).await;
    // A cookie that somebody planted is not taken over.
    let planted = "A".repeat(43);
    let name = format!("chappe_site_{}", site.port);
    browser.cookies.insert(name.clone(), planted.clone());
    assert_eq!(browser.get(&format!("{address}?{}", ada())).await.status, 303);
    let first = browser.cookie("chappe_site").unwrap().to_owned();
    assert_ne!(first, planted);
    let mut old = browser.clone();
    let eve = signed(&[("id", "7"), ("first_name", "Eve"), DATE]).to_query();
    assert_eq!(browser.get(&format!("{address}?{eve}")).await.status, 303);
    assert_ne!(browser.cookie("chappe_site"), Some(&*first));
    assert!(browser.get("/").await.text.contains("Eve"));
    assert!(!old.get("/").await.text.contains("Hello"));
}

#[tokio::test]
async fn a_changed_hash_logs_nobody_in() {
    let site = Running::start(|site| site).await;
    for (from, to) in [("id=42", "id=43"), ("Ada", "Eve"), ("hash=", "hash=0")] {
        let mut browser = site.browser();
        let (status, text) = come(&mut browser, &ada().replacen(from, to, 1)).await;
        assert!(matches!(status, 400 | 403), "{status} for {to}");
        assert!(text.contains("Nobody was logged in"), "{text}");
        assert_eq!(browser.cookie("chappe_site"), None);
    }
    let (status, text) = come(&mut site.browser(), &ada().replace("&id=42", "&id=43")).await;
    assert_eq!(status, 403);
    assert!(text.contains("The hash does not belong to these fields"), "{text}");
    for query in [format!("{}&id=42", ada()), ada().replace("hash", "h"), String::new()] {
        assert_eq!(come(&mut site.browser(), &query).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn a_stale_login_and_one_of_the_future_are_refused() {
    let site = Running::start(|site| site).await;
    site.pass(301);
    let (status, text) = come(&mut site.browser(), &ada()).await;
    assert_eq!(status, 403);
    assert!(text.contains("The login is 301 s old"), "{text}");
    let tomorrow = [("id", "42"), ("first_name", "Ada"), ("auth_date", "1700086400")];
    let (status, text) = come(&mut site.browser(), &signed(&tomorrow).to_query()).await;
    assert_eq!(status, 403);
    assert!(text.contains("in the future"), "{text}");
}

#[tokio::test]
async fn a_login_of_the_widget_serves_once() {
    let site = Running::start(|site| site).await;
    assert_eq!(come(&mut site.browser(), &ada()).await.0, 303);
    let (status, text) = come(&mut site.browser(), &ada()).await;
    assert_eq!(status, 403);
    assert!(text.contains("used already"), "{text}");
    // Not as JSON either.
    let json = r#"{"id":42,"first_name":"Ada","username":"ada_example","auth_date":1700000000,"hash":"HASH"}"#;
    let json = json.replace("HASH", &ada().split_once("hash=").unwrap().1[..64]);
    let page = site.browser().post("/login/widget", &json).await;
    assert_eq!((page.status, page.text.contains("used already")), (403, true), "{}", page.text);
}

#[tokio::test]
async fn nobody_is_logged_in_by_a_link_of_somebody_else() {
    let site = Running::start(|site| site).await;
    let mut eve = site.browser();
    let link = format!("{}?{}", address(&mut eve).await, ada());
    // Another browser, one that was never here, and one whose cookie is damaged.
    let mut ada = site.browser();
    ada.get("/").await;
    let mut damaged = site.browser();
    damaged.cookies.insert(format!("chappe_site_browser_{}", site.port), "x".to_owned());
    for mut victim in [ada, site.browser(), damaged] {
        let page = victim.get(&link).await;
        assert_eq!(page.status, 403);
        assert!(page.text.contains("This login is not yours"), "{}", page.text);
        assert_eq!(victim.cookie("chappe_site"), None);
    }
    // The login was not used up by that.
    assert_eq!(eve.get(&link).await.status, 303);
}

#[tokio::test]
async fn a_page_posts_what_its_callback_was_told() {
    let site = Running::start(|site| site.telegram("http://127.0.0.1:9")).await;
    let mut browser = site.browser();
    let page = browser.get("/ways/callback").await;
    assert_eq!(page.attribute("data-onauth"), "onTelegramAuth(user)");
    assert!(!page.header("content-security-policy").contains("unsafe"));
    let hash = ada().split_once("hash=").unwrap().1[..64].to_owned();
    let json = format!(
        r#"{{"id":42,"first_name":"Ada","username":"ada_example","auth_date":1700000000,"hash":"{hash}"}}"#
    );
    let origin = browser.origin();
    for headers in [
        &[][..],
        &[("Origin", "http://evil.example")],
        &[("Origin", "null")],
        &[("Origin", &*origin.replace("localhost", "127.0.0.1"))],
        &[("Origin", &*origin), ("Origin", "http://evil.example")],
    ] {
        let page = browser.send("POST", "/login/widget", headers, &json).await;
        assert_eq!(page.status, 403, "{headers:?}");
        assert_eq!(browser.cookie("chappe_site"), None);
    }
    for (body, status) in [("false", 403), ("", 400), ("[]", 400), (r#"{"id":1.5}"#, 400)] {
        let page = browser.post("/login/widget", body).await;
        assert_eq!(page.status, status, "{body}");
        assert_eq!(page.header("content-type"), "text/plain; charset=utf-8");
    }
    assert_eq!(browser.post("/login/widget", &"x".repeat(40_000)).await.status, 413);
    assert_eq!(browser.post("/login/widget", &json).await.status, 204);
    assert!(browser.get("/").await.text.contains("Hello"));
}

#[tokio::test]
async fn only_own_pages_log_out_and_begin_logins() {
    let site = Running::start(|site| site).await;
    let mut browser = site.browser();
    assert_eq!(come(&mut browser, &ada()).await.0, 303);
    for path in ["/logout", "/login/openid", "/login/library", "/login/widget"] {
        let headers = [("Origin", "http://localhost:1")];
        assert_eq!(browser.send("POST", path, &headers, "").await.status, 403, "{path}");
        assert_eq!(browser.get(path).await.status, 405, "{path}");
    }
    assert!(browser.get("/").await.text.contains("Hello"));
    // Without a client of OpenID Connect its ways are closed.
    assert_eq!(browser.post("/login/openid", "").await.status, 404);
    assert_eq!(browser.get("/login/openid/callback?code=1&state=2").await.status, 404);
}

#[tokio::test]
async fn what_people_call_themselves_stays_text() {
    let site = Running::start(|site| site).await;
    let mut browser = site.browser();
    let name = "<script>alert(1)</script>";
    let fields = signed(&[
        ("id", "42"),
        ("first_name", name),
        ("last_name", "\u{202e}\"'&"),
        ("username", "\"><img src=x>"),
        ("photo_url", "javascript:alert(1)"),
        DATE,
    ]);
    assert_eq!(come(&mut browser, &fields.to_query()).await.0, 303);
    let page = browser.get("/").await;
    assert!(page.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{}", page.text);
    assert!(!page.text.contains("<script>") && !page.text.contains("<img src=x"));
    assert!(!page.text.contains("src=\"javascript:"));
    // A name that turns the direction of writing does so in its own place only.
    assert!(page.text.contains("<bdi>&lt;script&gt;alert(1)&lt;/script&gt; \u{202e}"));
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let site = Running::start(|site| site.telegram("http://127.0.0.1:9")).await;
    let mut browser = site.browser();
    for path in ["/", "/ways/callback", "/nowhere", "/site.css", "/login/widget/x"] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy").to_owned();
        for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
    }
    assert_eq!(browser.get("/").await.header("cache-control"), "no-store");
    let page = browser.get("/ways/callback").await;
    assert!(!page.text.contains(" style=") && !page.text.contains("onclick"), "{}", page.text);
}

#[tokio::test]
async fn the_script_of_the_real_telegram_may_evaluate_on_one_page_only() {
    let site = Running::start(|site| site).await;
    let mut browser = site.browser();
    let page = browser.get("/").await;
    assert!(!page.header("content-security-policy").contains("unsafe"));
    assert_eq!(page.attribute("script async src"), "https://telegram.org/js/telegram-widget.js?22");
    let page = browser.get("/ways/callback").await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("'unsafe-eval'")
            && policy.contains("frame-src https://oauth.telegram.org;")
    );
}

#[tokio::test]
async fn the_site_answers_to_its_own_name_only() {
    let site = Running::start(|site| site).await;
    let mut browser = site.browser();
    let port = site.port;
    for host in ["evil.example".to_owned(), format!("127.0.0.1:{port}"), "localhost".to_owned()] {
        let page = browser.send("GET", "/", &[("Host", &host)], "").await;
        assert_eq!(page.status, 421, "{host}");
        assert!(page.text.contains(&format!("href=\"http://localhost:{port}\"")), "{}", page.text);
        assert!(browser.cookies.is_empty());
    }
    let host = format!("LOCALHOST:{port}");
    assert_eq!(browser.send("GET", "/", &[("Host", &host)], "").await.status, 200);
    let twice = [("Host", &*host), ("Host", "evil.example")];
    assert_ne!(browser.send("GET", "/", &twice, "").await.status, 200);
}

#[tokio::test]
async fn with_tls_in_front_cookies_are_for_this_host_and_tls_only() {
    let site = Running::start(|site| site.url("https://shop.example/")).await;
    let mut browser = site.browser();
    let page = browser.send("GET", "/", &[("Host", "shop.example")], "").await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-chappe_site_browser="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    assert!(page.attribute("data-auth-url").starts_with("https://shop.example/login/widget/"));
}

#[tokio::test]
async fn the_site_knows_its_name_as_browsers_write_it() {
    for (url, host) in [
        ("https://Shop.Example:443", "shop.example"),
        ("http://LOCALHOST:80/", "localhost"),
        ("http://[::1]:80", "[::1]"),
    ] {
        let site = Running::start(|site| site.url(url)).await;
        let mut browser = site.browser();
        let page = browser.send("GET", "/", &[("Host", host)], "").await;
        assert_eq!(page.status, 200, "{url}");
        let (scheme, _) = url.split_once(':').unwrap();
        let origin = format!("{scheme}://{host}");
        let address = page.attribute("data-auth-url");
        assert!(address.starts_with(&format!("{origin}/login/widget/")), "{address}");
        let headers = [("Host", host), ("Origin", &*origin)];
        assert_eq!(browser.send("POST", "/logout", &headers, "").await.status, 303, "{url}");
    }
}
