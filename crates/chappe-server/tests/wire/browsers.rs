//! Browsers that log in without being there: by the handle and at the control port.

use chappe_server::{
    Error,
    browser::{NewLogin, Progress},
    logins::Grant,
};
use serde_json::{Value, json};

use crate::control::{ask, refused, server};

#[tokio::test]
async fn every_example_begins_a_login_that_goes_its_way() {
    let server = server(1).await;
    let user_id = server.accounts()[0].user_id;
    let (_, index) = ask(&server, "GET", "/", "").await;
    let examples = index["browsers"].as_array().unwrap();
    assert_eq!(examples.len(), 7);
    for example in examples {
        let (status, told) = ask(&server, "POST", "/browsers", &example.to_string()).await;
        assert_eq!(status, 201, "{example}: {told}");
        assert!(told["link"].as_str().unwrap().starts_with("tg://oauth?token="));
        assert!(told["web_link"].as_str().unwrap().starts_with("https://t.me/oauth?startapp="));
        assert_eq!(told["match_code"].is_string(), example.get("match_code").is_some());
        let named = json!({ "browser": told["browser"] }).to_string();
        let progress = async |expected: &str| {
            let (status, answer) = ask(&server, "POST", "/browsers/progress", &named).await;
            assert_eq!((status, answer), (200, json!({ "progress": expected })));
        };
        progress("pending").await;
        let (_, none) = ask(&server, "POST", "/browsers/claim", &named).await;
        assert_eq!(none, json!({ "logged_in": null }));
        let waiting = server.logins().pending().await.unwrap().remove(0);
        let asks = (waiting.asks.write, waiting.asks.phone);
        assert_eq!(asks, (example["write"] == true, example["phone"] == true));
        assert_eq!(waiting.user_id_hint, example["user_id_hint"].as_i64());
        assert_eq!(waiting.app.is_some(), example.get("app").is_some());
        let mut grant = Grant::new().write().phone();
        if let Some(code) = told["match_code"].as_str() {
            grant = grant.match_code(code);
        }
        server.logins().approve(waiting.id, user_id, grant).await.unwrap();
        progress("approved").await;
        let (_, claimed) = ask(&server, "POST", "/browsers/claim", &named).await;
        let claimed = &claimed["logged_in"];
        assert_eq!(claimed["user_id"], user_id);
        assert_eq!((&claimed["write"], &claimed["phone"]), (&json!(asks.0), &json!(asks.1)));
        assert!(claimed["hash"].as_str().unwrap().parse::<i64>().unwrap() != 0);
        progress("claimed").await;
        let (_, again) = ask(&server, "POST", "/browsers/claim", &named).await;
        assert_eq!(again["logged_in"], Value::Null);
    }
}

#[tokio::test]
async fn a_phone_number_is_typed_into_a_browser() {
    let server = server(1).await;
    let phone = server.accounts()[0].phone.clone();
    let browser = server.log_in(NewLogin::at("@columbusdemobot")).await;
    assert!(matches!(browser, Err(Error::NoSite(_))), "a username has no @: {browser:?}");
    let browser = server.log_in(NewLogin::at("columbusdemobot")).await.unwrap();
    assert!(!browser.type_phone("hello").await.unwrap());
    assert!(browser.type_phone(&phone).await.unwrap());
    let waiting = server.logins().pending().await.unwrap().remove(0);
    assert_eq!(waiting.user_id, Some(server.accounts()[0].user_id));
    server.logins().decline(waiting.id).await.unwrap();
    assert_eq!(browser.progress().await.unwrap(), Progress::Declined);
    assert!(!browser.type_phone(&phone).await.unwrap(), "it is over");
    // `null` is nothing, as programs write it.
    let begin = r#"{"bot": "ColumbusDemoBot", "match_code": null, "app": null, "from": null}"#;
    let (_, told) = ask(&server, "POST", "/browsers", begin).await;
    let typed = json!({ "browser": told["browser"], "phone": phone }).to_string();
    let (_, answer) = ask(&server, "POST", "/browsers/phone", &typed).await;
    assert_eq!(answer, json!({ "asked": true }));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_a_hint() {
    let server = server(1).await;
    for (path, body, status, word) in [
        ("/browsers", r#"{"bot": "NobodysBot"}"#, 404, "NobodysBot"),
        ("/browsers", r#"{"bot": "ColumbusDemoBot", "fone": true}"#, 422, "fone"),
        ("/browsers", r#"{"bot": "ColumbusDemoBot", "match_code": "later"}"#, 422, "later"),
        ("/browsers", "{}", 422, "bot"),
        ("/browsers/progress", "{}", 422, "browser"),
    ] {
        let (error, hint) = refused(&server, "POST", path, body, status).await;
        assert!(error.contains(word) && !hint.is_empty(), "{error}: {hint}");
    }
    // The token of nobody is that of a login that is long over.
    let (_, answer) = ask(&server, "POST", "/browsers/progress", r#"{"browser": "x"}"#).await;
    assert_eq!(answer, json!({ "progress": "expired" }));
}
