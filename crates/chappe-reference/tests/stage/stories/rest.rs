//! The namespaces of which the local Telegram has few methods.

use serde_json::json;

use crate::stage::{Scene, Stage};

const SERVER: &str = "A client asks when it starts.";
const LANGUAGE: &str = "The local Telegram has one language, and no strings of it.";
const BROTHERS: &str = "Claude and Ignace wrote each other three messages.";

pub(super) async fn play(stage: &mut Stage, method: &str) -> Option<Scene> {
    Some(match method {
        "bots.allowSendMessage" => {
            let (claude, bot) = (stage.claude().await, stage.bot().await);
            let request = json!({ "bot": bot.user() });
            let story = "Claude lets a bot write to him that he never wrote to.";
            claude.asks(story, request).wrong(json!({ "bot": { "_": "inputUserSelf" } })).with(bot)
        }
        "bots.canSendMessage" => {
            let (claude, bot) = stage.claude_and_bot().await;
            let story = "Claude wrote /start to this bot.";
            claude.asks(story, json!({ "bot": bot.user() })).with(bot)
        }
        "contacts.block" => {
            let (claude, ignace) = stage.brothers().await;
            let request = json!({ "id": ignace.peer() });
            let story = "The brothers have quarrelled.";
            claude
                .asks(story, request)
                .wrong(json!({ "id": { "_": "inputPeerSelf" } }))
                .with(ignace)
        }
        "contacts.getBlocked" | "contacts.unblock" => {
            let (mut claude, ignace) = stage.brothers().await;
            claude.call("contacts.block", json!({ "id": ignace.peer() })).await;
            let request = match method {
                "contacts.unblock" => json!({ "id": ignace.peer() }),
                _ => json!({ "offset": 0, "limit": 20 }),
            };
            claude.asks("Claude has blocked Ignace.", request).with(ignace)
        }
        "contacts.resolveUsername" => {
            let request = json!({ "username": stage.bot_name() });
            let story = "Claude searches for a bot by its username.";
            let nobody = json!({ "username": "NobodyHasThisName" });
            stage.claude().await.asks(story, request).wrong(nobody)
        }
        "help.acceptTermsOfService" => {
            let story = "Ignace just signed up, and his client showed him the terms of service.";
            let request = json!({ "id": { "_": "dataJSON", "data": "{}" } });
            stage.ignace().await.asks(story, request)
        }
        "help.getAppConfig" => stage.nobody().await.asks(SERVER, json!({ "hash": 0 })),
        "help.getAppUpdate" => stage.claude().await.asks(SERVER, json!({ "source": "" })),
        "help.getConfig" | "help.getPromoData" | "help.getTermsOfServiceUpdate" => {
            stage.claude().await.asks(SERVER, json!({}))
        }
        "help.getNearestDc" => stage.nobody().await.asks(SERVER, json!({})),
        "help.getCountriesList" => {
            stage.nobody().await.asks(SERVER, json!({ "lang_code": "en", "hash": 0 }))
        }
        "langpack.getDifference" => {
            let request = json!({ "lang_pack": "android", "lang_code": "en", "from_version": 1 });
            stage.nobody().await.asks(LANGUAGE, request)
        }
        "langpack.getLangPack" => stage
            .nobody()
            .await
            .asks(LANGUAGE, json!({ "lang_pack": "android", "lang_code": "en" })),
        "langpack.getLanguages" => {
            stage.nobody().await.asks(LANGUAGE, json!({ "lang_pack": "android" }))
        }
        "langpack.getStrings" => {
            let request = json!({ "lang_pack": "android", "lang_code": "en", "keys": ["AppName"] });
            stage.nobody().await.asks(LANGUAGE, request)
        }
        "updates.getDifference" => {
            let (claude, ignace) = stage.brothers().await;
            let request = json!({ "pts": 2, "date": 1_794_999_000, "qts": 0 });
            let story = "Claude's client was away when Ignace answered his first message.";
            claude.asks(story, request).with(ignace)
        }
        "updates.getState" => {
            let (claude, ignace) = stage.brothers().await;
            claude.asks(BROTHERS, json!({})).with(ignace)
        }
        "users.getFullUser" => {
            let (claude, ignace) = stage.brothers().await;
            let request = json!({ "id": ignace.user() });
            claude
                .asks(BROTHERS, request)
                .wrong(json!({ "id": { "_": "inputUserEmpty" } }))
                .with(ignace)
        }
        "users.getUsers" => {
            let (claude, ignace) = stage.brothers().await;
            let request = json!({ "id": [{ "_": "inputUserSelf" }, ignace.user()] });
            claude.asks(BROTHERS, request).with(ignace)
        }
        _ => return None,
    })
}
