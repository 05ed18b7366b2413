//! Other answers: where a method has several kinds of them, and the world decides which comes.

use chappe_server::numbers::Number;
use serde_json::{Value as Json, json};

use crate::{
    people::{IGNACE, STRANGER},
    stage::{API_HASH, API_ID, Scene, Stage, send_code, sending},
};

/// How many others a method has.
pub(crate) fn count(method: &str) -> usize {
    match method {
        "auth.sendCode" => 3,
        "account.resetPassword" | "messages.requestUrlAuth" => 2,
        "account.verifyEmail"
        | "auth.exportLoginToken"
        | "auth.signIn"
        | "help.getAppConfig"
        | "help.getCountriesList"
        | "messages.getHistory"
        | "updates.getDifference"
        | "users.getUsers" => 1,
        _ => 0,
    }
}

/// Plays one of them.
pub(crate) async fn play(stage: &mut Stage, method: &str, number: usize) -> Scene {
    match (method, number) {
        ("account.resetPassword", 0) => {
            let mut claude = stage.owner().await;
            claude.call(method, json!({})).await;
            stage.pass(7 * 86_400).await;
            claude.asks("Claude asked for it a week ago.", json!({}))
        }
        ("account.resetPassword", _) => {
            let mut claude = stage.owner().await;
            claude.call(method, json!({})).await;
            claude.call("account.declinePasswordReset", json!({})).await;
            claude.asks("Claude asked for it, and thought better of it.", json!({}))
        }
        ("account.verifyEmail", _) => {
            let mut phone = stage.nobody().await;
            let number = Number::new().set_up_email();
            stage.server.numbers().set(STRANGER.0, number).await.unwrap();
            let hash = send_code(&mut phone, STRANGER.0, json!({ "_": "codeSettings" })).await;
            let purpose = json!({ "_": "emailVerifyPurposeLoginSetup", "phone_number": STRANGER.0,
                                  "phone_code_hash": hash });
            let mailbox = json!({ "purpose": purpose, "email": "ada@example.com" });
            phone.call("account.sendVerifyEmailCode", mailbox).await;
            let code = stage.code("ada@example.com").await;
            let verification = json!({ "_": "emailVerificationCode", "code": code });
            let story =
                "Whoever signs in with this number has to name a mailbox for the codes first.";
            phone.asks(story, json!({ "purpose": purpose, "verification": verification }))
        }
        ("auth.exportLoginToken", _) => {
            let (mut claude, mut phone) = (stage.claude().await, stage.nobody().await);
            let request = json!({ "api_id": API_ID, "api_hash": API_HASH, "except_ids": [] });
            let token = phone.call(method, request.clone()).await["token"].clone();
            claude.call("auth.acceptLoginToken", json!({ "token": token })).await;
            phone.asks("Claude's computer has scanned the QR code of his new telephone.", request)
        }
        ("auth.sendCode", 0) => {
            stage.server.numbers().set(STRANGER.0, Number::new().payment()).await.unwrap();
            let phone = stage.nobody().await;
            phone.asks("This number has to pay before a code is sent.", code(STRANGER.0))
        }
        ("auth.sendCode", 1) => {
            stage.ignace().await;
            let number = Number::new().login_email("ignace@example.com");
            stage.server.numbers().set(IGNACE.0, number).await.unwrap();
            stage.nobody().await.asks("Ignace gets his codes by email.", code(IGNACE.0))
        }
        ("auth.sendCode", _) => {
            let claude = stage.claude().await;
            let (number, phone) = (stage.account().0, stage.nobody().await);
            phone.asks("Claude is signed in on another device.", code(&number)).with(claude)
        }
        ("auth.signIn", _) => {
            let mut phone = stage.nobody().await;
            let hash = send_code(&mut phone, STRANGER.0, json!({ "_": "codeSettings" })).await;
            let request = json!({ "phone_number": STRANGER.0, "phone_code_hash": hash,
                                  "phone_code": STRANGER.1 });
            phone.asks("The code is right, and the number has no account yet.", request)
        }
        ("help.getAppConfig", _) => {
            let mut phone = stage.nobody().await;
            let known = phone.call(method, json!({ "hash": 0 })).await["hash"].clone();
            phone.asks("The client has kept the configuration.", json!({ "hash": known }))
        }
        ("help.getCountriesList", _) => {
            let request = json!({ "lang_code": "en", "hash": 1 });
            stage.nobody().await.asks("The client has kept the list.", request)
        }
        ("messages.getHistory", _) => {
            let (claude, ignace) = stage.brothers().await;
            let request = json!({ "peer": ignace.peer(), "offset_id": 3, "offset_date": 0, "limit": 1,
                                  "add_offset": 0, "max_id": 0, "min_id": 0, "hash": 0 });
            claude
                .asks("Claude's client has the last message and wants one more.", request)
                .with(ignace)
        }
        ("messages.requestUrlAuth", 0) => {
            let request = json!({ "url": "https://travel.example.com/lille" });
            stage
                .claude()
                .await
                .asks("Claude opens a page of a bot's site that he is logged in to.", request)
        }
        ("messages.requestUrlAuth", _) => {
            let request = json!({ "url": "https://example.com/lille" });
            stage.claude().await.asks("Claude opens a page that belongs to no bot.", request)
        }
        ("updates.getDifference", _) => {
            let mut claude = stage.claude().await;
            let state = claude.call("updates.getState", json!({})).await;
            let request =
                json!({ "pts": state["pts"], "date": state["date"], "qts": state["qts"] });
            claude.asks("Claude's client has missed nothing.", request)
        }
        ("users.getUsers", _) => {
            let nobody = json!({ "_": "inputUser", "user_id": "1805", "access_hash": "0" });
            stage.claude().await.asks("Nobody has this id.", json!({ "id": [nobody] }))
        }
        other => panic!("no story for {other:?}"),
    }
}

fn code(phone: &str) -> Json {
    sending(phone, json!({ "_": "codeSettings" }))
}
