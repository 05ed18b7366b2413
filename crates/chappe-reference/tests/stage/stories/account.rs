//! `account`: web logins, devices, the password, mailboxes.

use chappe_server::numbers::Number;
use serde_json::{Value as Json, json};

use crate::{
    password::{MAILBOX, PASSWORD, form, proof, settings},
    stage::{Line, Scene, Stage, send_code},
};

const WEB: &str = "Claude has logged in to the sites of three bots, six times.";
const DEVICES: &str =
    "Claude is signed in on his computer for a week, and on his telephone since a moment ago.";
const OWNER: &str = "Claude's account has a password.";
const CONFIRM: &str =
    "Claude named a recovery address for his password, and a code was sent there.";
const NEW: &str = "Claude just signed in.";

/// A code that nobody was sent.
const OTHER: &str = "000000";

pub(super) async fn play(stage: &mut Stage, method: &str) -> Option<Scene> {
    Some(match method {
        "account.cancelPasswordEmail" | "account.resendPasswordEmail" => {
            stage.owner_with_mailbox().await.asks(CONFIRM, json!({}))
        }
        "account.changeAuthorizationSettings" => {
            let (mut desk, phone) = stage.two_devices().await;
            let request = json!({ "hash": other_device(&mut desk).await, "confirmed": true,
                                  "encrypted_requests_disabled": true, "call_requests_disabled": false });
            desk.asks(DEVICES, request).wrong(json!({ "hash": "1" })).with(phone)
        }
        "account.confirmPasswordEmail" => {
            let claude = stage.owner_with_mailbox().await;
            let code = stage.code(MAILBOX).await;
            claude.asks(CONFIRM, json!({ "code": code })).wrong(json!({ "code": OTHER }))
        }
        "account.declinePasswordReset" => {
            let mut claude = stage.owner().await;
            claude.call("account.resetPassword", json!({})).await;
            let story =
                "Somebody asked for the password of Claude's account to be removed in a week.";
            claude.asks(story, json!({}))
        }
        "account.getAccountTTL" => stage
            .claude()
            .await
            .asks("Nobody changed how long the account waits for Claude.", json!({})),
        "account.getAuthorizations" => {
            let (desk, phone) = stage.two_devices().await;
            desk.asks(DEVICES, json!({})).with(phone)
        }
        "account.getPassword" => stage.owner().await.asks(OWNER, json!({})),
        "account.getPasswordSettings" => {
            let (_, mut desk) = stage.half_signed_in().await;
            let story = "Claude's password has a confirmed recovery address, and he shows that he knows it.";
            let request = json!({ "password": proof(&form(&mut desk).await, PASSWORD) });
            let empty = json!({ "password": { "_": "inputCheckPasswordEmpty" } });
            desk.asks(story, request).wrong(empty)
        }
        "account.getWebAuthorizations" | "account.resetWebAuthorizations" => {
            stage.claude().await.asks(WEB, json!({}))
        }
        "account.invalidateSignInCodes" => {
            let (claude, mut thief) = (stage.claude().await, stage.nobody().await);
            let (number, code) = stage.account();
            send_code(&mut thief, &number, json!({ "_": "codeSettings" })).await;
            let story = "A login code was sent to Claude, and he pasted it into a chat.";
            claude.asks(story, json!({ "codes": [code] })).with(thief)
        }
        "account.resetAuthorization" => {
            let (mut desk, phone) = stage.two_devices().await;
            let hash = other_device(&mut desk).await;
            desk.asks(DEVICES, json!({ "hash": hash })).wrong(json!({ "hash": "1" })).with(phone)
        }
        "account.resetPassword" => {
            let story = "Claude has forgotten his password, and it has no recovery address.";
            stage.owner().await.asks(story, json!({}))
        }
        "account.resetWebAuthorization" => {
            let request = json!({ "hash": "4457235" });
            stage.claude().await.asks(WEB, request).wrong(json!({ "hash": "4457236" }))
        }
        "account.sendVerifyEmailCode" => {
            let story =
                "Claude's login codes go to an old mailbox, and he wants them in another one.";
            let (claude, request) = (with_old_mailbox(stage).await, new_mailbox());
            claude.asks(story, request).wrong(json!({ "email": "claude" }))
        }
        "account.setAccountTTL" => {
            let days = |days: i32| json!({ "ttl": { "_": "accountDaysTTL", "days": days } });
            let story = "Claude travels: his account is to wait for him for a year.";
            stage.claude().await.asks(story, days(365)).wrong(days(0))
        }
        "account.setAuthorizationTTL" => {
            let request = json!({ "authorization_ttl_days": 90 });
            let story = "Devices that Claude does not use are to be signed out after three months.";
            let claude = stage.claude().await;
            stage.pass(2 * 86_400).await;
            claude.asks(story, request).wrong(json!({ "authorization_ttl_days": 0 }))
        }
        "account.updatePasswordSettings" => {
            let mut claude = stage.claude().await;
            let empty = json!({ "_": "inputCheckPasswordEmpty" });
            let request = json!({ "password": empty, "new_settings": settings(&mut claude).await });
            let nothing = json!({ "new_settings": { "_": "account.passwordInputSettings" } });
            claude
                .asks("Claude's account has no password yet, and gets one.", request)
                .wrong(nothing)
        }
        "account.updateStatus" => stage.claude().await.asks(NEW, json!({ "offline": false })),
        "account.verifyEmail" => {
            let mut claude = with_old_mailbox(stage).await;
            claude.call("account.sendVerifyEmailCode", new_mailbox()).await;
            let code = |code: &str| json!({ "_": "emailVerificationCode", "code": code });
            let right = code(&stage.code(MAILBOX).await);
            let request = json!({ "purpose": new_mailbox()["purpose"], "verification": right });
            let story = "Claude wants his login codes in another mailbox, and one was sent there to show that it is his.";
            claude.asks(story, request).wrong(json!({ "verification": code(OTHER) }))
        }
        _ => return None,
    })
}

/// Claude, whose login codes go to a mailbox.
async fn with_old_mailbox(stage: &mut Stage) -> Line {
    let number = Number::new().login_email("chappe@example.org");
    let claude = stage.claude().await;
    stage.server.numbers().set(&stage.account().0, number).await.unwrap();
    claude
}

/// Asks for the codes to go to another one.
fn new_mailbox() -> Json {
    json!({ "purpose": { "_": "emailVerifyPurposeLoginChange" }, "email": MAILBOX })
}

/// The hash of the only other device.
async fn other_device(line: &mut Line) -> Json {
    let list = line.call("account.getAuthorizations", json!({})).await;
    let mut devices = list["authorizations"].as_array().unwrap().iter();
    devices.find(|device| device["current"] != true).unwrap()["hash"].clone()
}
