//! Bots: what people do with @BotFather, by the handle, the builder and the control port.

use chappe_server::{
    Error, Handle, Server,
    bots::{Alg, BotSettings, Nonce, OidcClient},
};
use serde_json::{Value, json};

use crate::control::{ask, blocks, refused, server};

/// The manual, whose examples must work.
const MANUAL: &str = include_str!("../../WEB_LOGIN.md");

/// The problem that an error about a bot tells.
fn problem<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    let Err(Error::Bot(error)) = outcome else { panic!("{outcome:?}") };
    assert!(!error.hint().is_empty() && error.to_string().contains(error.hint()));
    error.problem().to_owned()
}

#[tokio::test]
async fn a_secret_is_told_once_and_is_void_when_there_is_a_new_one() {
    let client = OidcClient::new().url("https://shop.example/cb").alg(Alg::Es256k);
    let settings = BotSettings::new().domain("shop.example").oidc(client.nonce(Nonce::Always));
    let server =
        Server::builder().seed(1).bot("@QuayShopBot", settings.clone()).start().await.unwrap();
    let father = server.bot_father();
    let known = server.bots().iter().find(|bot| bot.username == "QuayShopBot").unwrap();
    assert!(known.token.starts_with(&format!("{}:", known.user_id)));
    let info = father.get("quayshopbot").await.unwrap().unwrap();
    assert_eq!((info.user_id, &info.settings), (known.user_id, &settings));
    assert!(father.set("QuayShopBot", settings.clone()).await.unwrap().is_none(), "it has one");
    let (first, second) =
        (father.new_secret("QuayShopBot").await, father.new_secret("QuayShopBot").await);
    assert_ne!(first.unwrap().as_str(), second.unwrap().as_str());
    assert_eq!(father.remove("QuayShopBot").await.unwrap().unwrap().settings, settings);
    assert_eq!(father.get("QuayShopBot").await.unwrap().unwrap().settings, BotSettings::new());
    assert!(problem(father.new_secret("QuayShopBot").await).contains("no OpenID client"));
    assert!(father.set("QuayShopBot", settings).await.unwrap().is_some(), "it is new again");
    assert!(father.get("NobodyBot").await.unwrap().is_none());
    assert!(father.remove("NobodyBot").await.unwrap().is_none());
    assert!(problem(father.set("NobodyBot", BotSettings::new()).await).contains("no such bot"));
    assert!(problem(father.new_secret("NobodyBot").await).contains("no such bot"));
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn bots_are_made_by_the_rules_of_usernames() {
    let server = Server::builder().seed(2).start().await.unwrap();
    let father = server.bot_father();
    let bot = father.new_bot("@HarbourBot", " Harbour ").await.unwrap();
    assert_eq!(bot.username, "HarbourBot");
    assert!(bot.token.starts_with(&format!("{}:", bot.user_id)));
    assert_eq!(father.get("HarbourBot").await.unwrap().unwrap().name, "Harbour");
    assert!(problem(father.new_bot("harbourbot", "Other").await).contains("taken"));
    assert!(problem(father.new_bot("Harbour", "Other").await).contains("no username"));
    for name in ["", " ", "a\u{1b}[31m", &"x".repeat(65)] {
        assert!(problem(father.new_bot("OtherBot", name).await).contains("no name"), "{name:?}");
    }
    assert_eq!(father.list().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_server_with_settings_that_make_no_sense_does_not_start() {
    for (username, settings) in [
        ("Shop", BotSettings::new()),
        ("ShopBot", BotSettings::new().domain("https://shop.example")),
        ("ShopBot", BotSettings::new().oidc(OidcClient::new().url("http://shop.example"))),
    ] {
        problem(Server::builder().bot(username, settings).start().await);
    }
}

#[tokio::test]
async fn what_is_set_is_there_when_the_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let start = async || Server::builder().data(directory.path()).seed(3).start().await.unwrap();
    let settings = BotSettings::new().oidc(OidcClient::new().native_url("shop://login").disabled());
    let server = start().await;
    let secret =
        server.bot_father().set("ColumbusDemoBot", settings.clone()).await.unwrap().unwrap();
    server.shutdown().await.unwrap();
    let file = std::fs::read(directory.path().join("chappe.sqlite")).unwrap();
    let needle = secret.as_str().as_bytes();
    assert!(!file.windows(needle.len()).any(|bytes| bytes == needle), "only its hash is kept");
    let server = start().await;
    let info = server.bot_father().get("ColumbusDemoBot").await.unwrap().unwrap();
    assert_eq!(info.settings, settings);
    assert!(server.bot_father().set("ColumbusDemoBot", settings).await.unwrap().is_none());
    server.shutdown().await.unwrap();
}

/// The bot as the control port tells it.
async fn look(server: &Handle, username: &str) -> Value {
    let (status, bot) = ask(server, "GET", &format!("/bots/{username}"), "").await;
    assert_eq!(status, 200, "{bot}");
    bot
}

#[tokio::test]
async fn bots_are_made_set_and_listed_over_http() {
    let server = server(11).await;
    let order = r#"{"username": "HarbourBot", "name": "Harbour"}"#;
    let (status, made) = ask(&server, "POST", "/bots", order).await;
    assert_eq!((status, &made["username"]), (201, &json!("HarbourBot")));
    let id = made["user_id"].as_i64().unwrap();
    assert!(made["token"].as_str().unwrap().starts_with(&format!("{id}:")));
    assert_eq!(look(&server, "HarbourBot").await, json!({ "user_id": id, "name": "Harbour" }));

    let settings = json!({
        "domain": "localhost",
        "oidc": { "urls": ["http://localhost:1/cb"], "alg": "EdDSA", "enabled": false },
    });
    let (status, set) = ask(&server, "PUT", "/bots/HarbourBot", &settings.to_string()).await;
    assert_eq!(status, 200, "{set}");
    let secret = set["client_secret"].as_str().unwrap();
    assert_eq!((secret.len(), &set["client_id"]), (43, &json!(id.to_string())));
    let bot = look(&server, "harbourbot").await;
    assert_eq!((&bot["oidc"], &bot["domain"]), (&settings["oidc"], &settings["domain"]));
    assert!(bot.get("client_secret").is_none() && bot.get("token").is_none(), "told once");
    let (_, again) = ask(&server, "PUT", "/bots/HarbourBot", &settings.to_string()).await;
    assert_eq!(again, bot);
    let (_, renewed) = ask(&server, "POST", "/bots/HarbourBot/secret", "").await;
    assert_ne!(renewed["client_secret"].as_str().unwrap(), secret);
    let (_, all) = ask(&server, "GET", "/bots", "").await;
    assert_eq!(all["bots"].as_object().unwrap().len(), 4);
    assert!(!all.to_string().contains("secret") && !all.to_string().contains("token"));
    let (_, gone) = ask(&server, "DELETE", "/bots/HarbourBot", "").await;
    assert_eq!(gone, bot);
    assert_eq!(look(&server, "HarbourBot").await, json!({ "user_id": id, "name": "Harbour" }));
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_with_a_hint() {
    let server = server(12).await;
    for (method, path, body, status, near) in [
        ("PUT", "/bots/ColumbusDemoBot", r#"{"domian": "x"}"#, 422, "`domain`"),
        ("PUT", "/bots/ColumbusDemoBot", r#"{"domain": "a.example/x"}"#, 422, "bare host"),
        ("PUT", "/bots/ColumbusDemoBot", r#"{"oidc": {"url": []}}"#, 422, "`urls`"),
        ("PUT", "/bots/ColumbusDemoBot", r#"{"oidc": {"alg": "HS256"}}"#, 422, "`RS256`"),
        ("PUT", "/bots/ColumbusDemoBot", r#"{"oidc": {"alg": "none"}}"#, 422, "example"),
        (
            "PUT",
            "/bots/ColumbusDemoBot",
            r#"{"oidc": {"urls": ["http://a.example"]}}"#,
            422,
            "https",
        ),
        ("PUT", "/bots/ColumbusDemoBot", r#"{"oidc": {"native_urls": ["tg://x"]}}"#, 422, "scheme"),
        ("PUT", "/bots/NobodyBot", "{}", 404, "make one"),
        ("GET", "/bots/NobodyBot", "", 404, "GET /bots"),
        ("DELETE", "/bots/NobodyBot", "", 404, "GET /bots"),
        ("POST", "/bots/NobodyBot/secret", "", 404, "make one"),
        ("POST", "/bots/ColumbusDemoBot/secret", "", 422, "set one"),
        ("POST", "/bots", r#"{"username": "ColumbusDemoBot", "name": "x"}"#, 422, "another"),
        ("POST", "/bots", r#"{"username": "HarbourBot"}"#, 422, "example"),
    ] {
        let (error, hint) = refused(&server, method, path, body, status).await;
        assert!(hint.contains(near), "{method} {path} {body}: {error}: {hint}");
    }
}

#[tokio::test]
async fn every_setting_of_the_manual_works() {
    let server = server(13).await;
    let settings = blocks(MANUAL, "\n| `{", "` |");
    assert_eq!(settings.len(), 7);
    let (_, index) = ask(&server, "GET", "/", "").await;
    assert_eq!(index["bots"].as_array().unwrap().len(), 7);
    for (rest, listed) in settings.into_iter().zip(index["bots"].as_array().unwrap()) {
        let order: Value = serde_json::from_str(&format!("{{{rest}")).unwrap();
        assert_eq!(order, *listed, "both show the same examples");
        let (status, told) = ask(&server, "PUT", "/bots/ColumbusDemoBot", &order.to_string()).await;
        assert_eq!(status, 200, "{order}: {told}");
        for (name, value) in order.as_object().unwrap() {
            assert_eq!(told[name], *value, "it comes back as it went");
        }
    }
}
