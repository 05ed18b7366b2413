//! OpenID Connect: the code flow and the JavaScript library, and every wrong turn.

use serde_json::json;

use super::{Browser, Running, provider::Provider};

async fn start() -> (Running, Provider) {
    let provider = Provider::start().await;
    let site = Running::start(|site| provider.register(site)).await;
    (site, provider)
}

/// Presses the button, and says with what the provider sends the browser back.
async fn begin(browser: &mut Browser, provider: &Provider, form: &str) -> String {
    let page = browser.post("/login/openid", form).await;
    assert_eq!(page.status, 303, "{}", page.text);
    provider.authorize(page.header("location"))
}

/// The whole way in; gives the last page.
async fn come(browser: &mut Browser, provider: &Provider) -> (u16, String) {
    let back = begin(browser, provider, "").await;
    let page = browser.get(&back).await;
    (page.status, page.text)
}

#[tokio::test]
async fn somebody_comes_in_by_a_code_and_is_greeted() {
    let (site, provider) = start().await;
    let mut browser = site.browser();
    assert!(browser.get("/").await.text.contains("action=\"/login/openid\""));
    let page = browser.post("/login/openid", "phone=on").await;
    let location = page.header("location").to_owned();
    assert!(location.contains("&scope=openid%20profile%20phone&"), "{location}");
    let back = provider.authorize(&location);
    let page = browser.get(&back).await;
    assert_eq!((page.status, page.header("location")), (303, "/"), "{}", page.text);
    let page = browser.get("/").await;
    assert!(page.text.contains("Hello, <bdi>Ada &lt;b&gt;Ex</bdi>"), "{}", page.text);
    assert!(page.text.contains("src=\"https://cdn.example/ada.jpg\""));
    assert!(page.text.contains("The phone number: granted"));
    assert!(page.text.contains("••••••42") && !page.text.contains("15550142"));
    assert!(!page.text.contains("write to you"));
}

#[tokio::test]
async fn what_was_asked_for_and_not_granted_is_said() {
    let (site, provider) = start().await;
    provider.inside().change = json!({"phone_number": null, "picture": null});
    let mut browser = site.browser();
    let back = begin(&mut browser, &provider, "phone=on&write=on").await;
    assert_eq!(browser.get(&back).await.status, 303);
    let page = browser.get("/").await;
    assert!(page.text.contains("asked for, and not granted"), "{}", page.text);
    assert!(page.text.contains("Telegram tells the bot and not the site"));
}

#[tokio::test]
async fn an_answer_is_heard_once_and_by_the_browser_that_asked() {
    let (site, provider) = start().await;
    let (mut ada, mut eve) = (site.browser(), site.browser());
    eve.get("/").await;
    let back = begin(&mut ada, &provider, "").await;
    for mut other in [eve, site.browser()] {
        let page = other.get(&back).await;
        assert_eq!(page.status, 403);
        assert!(page.text.contains("This login is not yours"), "{}", page.text);
        assert_eq!(other.cookie("chappe_site"), None);
    }
    // Another state, none, two.
    let (path, _) = back.split_once("&state=").unwrap();
    for wrong in [format!("{path}&state={}", "A".repeat(43)), path.to_owned()] {
        assert_eq!(ada.get(&wrong).await.status, 403, "{wrong}");
    }
    assert_eq!(ada.get(&format!("{back}&state=x")).await.status, 400);
    assert_eq!(ada.get(&format!("{back}&code=x")).await.status, 400);
    assert_eq!(provider.inside().codes_exchanged, 0);

    assert_eq!(ada.get(&back).await.status, 303);
    assert_eq!(ada.get(&back).await.status, 403);
    assert_eq!(provider.inside().codes_exchanged, 1);
}

#[tokio::test]
async fn two_pages_of_one_browser_may_log_in_at_once() {
    let (site, provider) = start().await;
    let mut browser = site.browser();
    let first = browser.post("/login/openid", "").await.header("location").to_owned();
    let second = browser.post("/login/openid", "").await.header("location").to_owned();
    assert_ne!(first, second);
    // Each with its own state, nonce and verifier, whichever is allowed first.
    for location in [second, first] {
        let back = provider.authorize(&location);
        assert_eq!(browser.get(&back).await.status, 303);
    }
}

#[tokio::test]
async fn a_login_waits_ten_minutes() {
    let (site, provider) = start().await;
    let mut browser = site.browser();
    let back = begin(&mut browser, &provider, "").await;
    site.pass(600);
    assert_eq!(browser.get(&back).await.status, 403);
    assert_eq!(provider.inside().codes_exchanged, 0);
}

#[tokio::test]
async fn who_says_no_is_told_so() {
    let (site, provider) = start().await;
    let mut browser = site.browser();
    let back = begin(&mut browser, &provider, "").await;
    let denied = back.replace("code=the-code", "error=access_denied");
    let page = browser.get(&denied).await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("You said no"), "{}", page.text);
    // It is over: a code that comes later is not heard.
    assert_eq!(browser.get(&back).await.status, 403);
    assert_eq!(provider.inside().codes_exchanged, 0);
    assert_eq!(browser.cookie("chappe_site"), None);
}

#[tokio::test]
async fn what_the_provider_refuses_logs_nobody_in() {
    let (site, provider) = start().await;
    let mut browser = site.browser();
    for (status, body, said) in [
        (400, r#"{"error":"invalid_grant"}"#, "The provider refused: invalid_grant"),
        (500, "<html>", "The provider answered with the status 500"),
        (302, "", "The provider answered with the status 302"),
        (200, "{}", "The parameter `token_type` is missing"),
    ] {
        provider.inside().refusal = Some((status, body));
        let (status, text) = come(&mut browser, &provider).await;
        assert!(matches!(status, 400 | 502), "{status}");
        assert!(text.contains(said), "{text}");
        assert_eq!(browser.cookie("chappe_site"), None);
    }
    provider.inside().refusal = None;
    assert_eq!(come(&mut browser, &provider).await.0, 303);
}

#[tokio::test]
async fn a_token_that_is_not_true_logs_nobody_in() {
    let (site, provider) = start().await;
    let mut browser = site.browser();
    for (change, said) in [
        (json!({"aud": "654321"}), "made for another site"),
        (json!({"iss": "https://oauth.telegram.org"}), "issuer is another"),
        (json!({"nonce": "A"}), "belongs to another login"),
        (json!({"exp": 1_699_999_000}), "is over"),
        (json!({"iat": 1_700_009_000, "exp": 1_700_009_999}), "in the future"),
        (json!({"sub": null}), "claim `sub`"),
        (json!({"id": "42"}), "claim `id`"),
    ] {
        provider.inside().change = change;
        let (status, text) = come(&mut browser, &provider).await;
        assert_eq!(status, 403, "{text}");
        assert!(text.contains(said), "{text}");
    }
    provider.inside().change = json!({});
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "HS256", "kid": "key-1"}),
        json!({"alg": "RS256", "kid": "key-1"}),
        json!({"alg": "EdDSA", "kid": "key-1", "jku": "https://evil.example/"}),
        json!({"alg": "EdDSA", "kid": "key-1", "crit": ["x"]}),
    ] {
        provider.inside().header = header;
        assert_eq!(come(&mut browser, &provider).await.0, 403);
    }
    // The right name of a key, and another key.
    provider.inside().header = json!({"alg": "EdDSA", "kid": "key-1"});
    provider.inside().key = 9;
    let (status, text) = come(&mut browser, &provider).await;
    assert_eq!((status, text.contains("signature")), (403, true), "{text}");
    assert_eq!(browser.cookie("chappe_site"), None);
    // Observed: Telegram does not repeat the nonce in the code flow.
    provider.inside().key = 1;
    provider.inside().change = json!({"nonce": null});
    assert_eq!(come(&mut browser, &provider).await.0, 303);
}

#[tokio::test]
async fn a_new_key_is_fetched_once_a_minute_however_many_tokens_name_one() {
    let (site, provider) = start().await;
    let mut browser = site.browser();
    assert_eq!(come(&mut browser, &provider).await.0, 303);
    assert_eq!(provider.inside().key_sets_fetched, 1);
    provider.inside().header = json!({"alg": "EdDSA", "kid": "key-2"});
    provider.inside().key = 2;
    for _ in 0..3 {
        assert_eq!(come(&mut browser, &provider).await.0, 403);
    }
    assert_eq!(provider.inside().key_sets_fetched, 1);
    site.pass(60);
    for _ in 0..3 {
        assert_eq!(come(&mut browser, &provider).await.0, 403);
    }
    assert_eq!(provider.inside().key_sets_fetched, 2);
    // The provider has a new key now; the site learns it at the first token that names it.
    provider.inside().set = vec![1, 2];
    site.pass(60);
    assert_eq!(come(&mut browser, &provider).await.0, 303);
    assert_eq!(provider.inside().key_sets_fetched, 3);
}

#[tokio::test]
async fn a_provider_that_is_away_is_said_to_be() {
    let provider = Provider::start().await;
    let site = Running::start(|site| provider.register(site).telegram("http://127.0.0.1:9")).await;
    let page = site.browser().post("/login/openid", "").await;
    assert_eq!(page.status, 502);
    assert!(page.text.contains("Telegram cannot be reached"), "{}", page.text);
    assert!(!page.text.contains("s3cret"));
}

#[tokio::test]
async fn the_library_brings_an_id_token_for_the_nonce_of_its_page() {
    let (site, provider) = start().await;
    let mut browser = site.browser();
    let page = browser.get("/ways/library").await;
    assert_eq!(page.attribute("data-client-id"), "123456");
    let token = provider.id_token_for(page.attribute("data-nonce"));
    // Neither another browser nor another page can use it.
    let mut eve = site.browser();
    eve.get("/ways/library").await;
    let page = eve.post("/login/library", &token).await;
    assert_eq!((page.status, page.text.contains("another login")), (403, true), "{}", page.text);
    let headers = [("Origin", "http://evil.example")];
    assert_eq!(browser.send("POST", "/login/library", &headers, &token).await.status, 403);

    assert_eq!(browser.post("/login/library", &token).await.status, 204);
    assert!(browser.get("/").await.text.contains("Hello"));
    let page = browser.post("/login/library", &token).await;
    assert_eq!((page.status, page.text.contains("used already")), (403, true), "{}", page.text);
}

#[tokio::test]
async fn the_library_has_to_repeat_the_nonce() {
    let (site, provider) = start().await;
    let mut browser = site.browser();
    let page = browser.get("/ways/library").await;
    provider.inside().change = json!({"nonce": null});
    let token = provider.id_token_for(page.attribute("data-nonce"));
    let page = browser.post("/login/library", &token).await;
    assert_eq!((page.status, page.text.contains("another login")), (403, true), "{}", page.text);
    assert_eq!(browser.cookie("chappe_site"), None);
}
