//! `auth`: signing in and out, in every way.

use base64ct::{Base64, Encoding as _};
use chappe_crypto::{Side, message_key};
use chappe_mtproto::connection::Config;
use chappe_server::{letters::Way, numbers::Number};
use chappe_tl::{Encode as _, service::BindAuthKeyInner};
use serde_json::{Value as Json, json};

use crate::{
    password::{MAILBOX, PASSWORD, form, proof},
    people::{IGNACE, STRANGER},
    stage::{API_HASH, API_ID, DATE, DESK, HOME, Line, Scene, Stage, send_code, sending},
};

const CODE: &str = "A code was sent to Ignace, who has an account.";
const HALF: &str =
    "Claude's telephone showed the right code. The account has a password, too, which he forgot.";
const NEW_DEVICE: &str = "Claude's new telephone shows a QR code, and his computer has scanned it.";

/// A code that nobody was sent.
const OTHER: &str = "00000";

/// A number whose account lives in another data centre, the first.
const ELSEWHERE: &str = "9996611234";

pub(super) async fn play(stage: &mut Stage, method: &str) -> Option<Scene> {
    Some(match method {
        "auth.acceptLoginToken" => {
            let (claude, mut phone) = (stage.claude().await, stage.nobody().await);
            let request = json!({ "token": login_token(&mut phone).await });
            claude.asks(NEW_DEVICE, request).wrong(json!({ "token": "bm8gdG9rZW4=" })).with(phone)
        }
        "auth.bindTempAuthKey" => bind(stage).await,
        "auth.cancelCode" => {
            let (phone, request) = asked(stage).await;
            phone.asks(CODE, request)
        }
        "auth.checkPaidAuth" => {
            let mut phone = stage.nobody().await;
            stage.server.numbers().set(STRANGER.0, Number::new().payment()).await.unwrap();
            let request = asked_by(&mut phone, STRANGER.0).await;
            stage.server.numbers().remove(STRANGER.0).await.unwrap();
            let story = "This number had to pay before a code is sent, and did.";
            let mut paid = request;
            paid["form_id"] = json!("1795");
            phone.asks(story, paid)
        }
        "auth.checkPassword" => {
            let (mut phone, desk) = stage.half_signed_in().await;
            let form = form(&mut phone).await;
            let wrong = proof(&form, "by night the lamps");
            let request = json!({ "password": proof(&form, PASSWORD) });
            let story =
                "Claude's telephone showed the right code, and now owes the account's password.";
            phone.asks(story, request).wrong(json!({ "password": wrong })).with(desk)
        }
        "auth.checkRecoveryPassword" | "auth.recoverPassword" => {
            let (mut phone, desk) = stage.half_signed_in().await;
            phone.call("auth.requestPasswordRecovery", json!({})).await;
            let request = json!({ "code": stage.code(MAILBOX).await });
            let story = "Claude forgot his password, and a code was sent to its recovery address.";
            phone.asks(story, request).wrong(json!({ "code": "000000" })).with(desk)
        }
        "auth.dropTempAuthKeys" => {
            let mut claude = stage.claude().await;
            let story =
                "Claude's client throws away the temporary keys that it has no use for any more.";
            claude.introduce(DESK).await;
            claude.asks(story, json!({ "except_auth_keys": [] }))
        }
        "auth.exportAuthorization" => {
            let story = "Claude's account lives in data centre 2, and his client needs a file from data centre 1.";
            let claude = stage.claude().await;
            claude.asks(story, json!({ "dc_id": 1 })).wrong(json!({ "dc_id": 9 }))
        }
        "auth.exportLoginToken" => {
            let request = json!({ "api_id": API_ID, "api_hash": API_HASH, "except_ids": [] });
            let phone = stage.nobody().await;
            let story = "A new telephone shows a QR code.";
            phone.asks(story, request).wrong(json!({ "api_hash": "no hash" }))
        }
        "auth.importAuthorization" => {
            let (mut claude, abroad) = (stage.claude().await, stage.nobody_in(1).await);
            let exported = claude.call("auth.exportAuthorization", json!({ "dc_id": 1 })).await;
            let request = json!({ "id": exported["id"], "bytes": exported["bytes"] });
            let story = "Claude's client exported its authorization at home, and shows it in data centre 1.";
            abroad.asks(story, request).wrong(json!({ "bytes": "bm90aGluZw==" })).with(claude)
        }
        "auth.importBotAuthorization" => {
            let request = json!({ "flags": 0, "api_id": API_ID, "api_hash": API_HASH,
                                  "bot_auth_token": stage.token() });
            let server = stage.nobody().await;
            let story = "BotFather gave the bot its token.";
            server.asks(story, request).wrong(json!({ "bot_auth_token": "1:nobody" }))
        }
        "auth.importLoginToken" => {
            let (mut claude, mut phone) = (stage.claude().await, stage.nobody().await);
            let token = login_token(&mut phone).await;
            claude.call("auth.acceptLoginToken", json!({ "token": token })).await;
            let request = json!({ "token": token });
            phone.asks(NEW_DEVICE, request).wrong(json!({ "token": "bm8gdG9rZW4=" })).with(claude)
        }
        "auth.logOut" => stage.claude().await.asks("Claude leaves his computer.", json!({})),
        "auth.reportMissingCode" => {
            let (phone, mut request) = asked(stage).await;
            request["mnc"] = json!("01");
            phone.asks("A code was sent to Ignace, and nothing came.", request)
        }
        "auth.requestFirebaseSms" => {
            let mut phone = stage.nobody().await;
            let number = Number::new().ways([Way::Firebase, Way::Sms]);
            stage.server.numbers().set(STRANGER.0, number).await.unwrap();
            let settings = json!({ "_": "codeSettings", "allow_firebase": true });
            let hash = send_code(&mut phone, STRANGER.0, settings).await;
            let request = json!({ "phone_number": STRANGER.0, "phone_code_hash": hash,
                                  "play_integrity_token": "a token of Google Play" });
            phone.asks("The SMS goes out when the telephone has shown that it is one.", request)
        }
        "auth.requestPasswordRecovery" => {
            let (phone, desk) = stage.half_signed_in().await;
            phone.asks(HALF, json!({})).with(desk)
        }
        "auth.resendCode" => {
            let (phone, request) = asked(stage).await;
            stage.pass(60).await;
            let story = "A code was sent to Ignace a minute ago, and nothing came.";
            phone.asks(story, request).wrong(json!({ "phone_code_hash": "none" }))
        }
        "auth.resetAuthorizations" => {
            let (desk, phone) = stage.two_devices().await;
            desk.asks(
                "Claude lost his telephone, and only keeps his computer signed in.",
                json!({}),
            )
            .with(phone)
        }
        "auth.resetLoginEmail" => {
            stage.ignace().await;
            let number = Number::new().login_email("ignace@example.com");
            stage.server.numbers().set(IGNACE.0, number).await.unwrap();
            let mut phone = stage.nobody().await;
            let request = asked_by(&mut phone, IGNACE.0).await;
            phone.asks(
                "Ignace gets his codes by email, and cannot open the mailbox any more.",
                request,
            )
        }
        "auth.sendCode" => {
            let settings = json!({ "_": "codeSettings" });
            let phone = stage.nobody().await;
            let story = "Nobody has signed up with this number yet.";
            let asks = phone.asks(story, sending(STRANGER.0, settings));
            asks.wrong(json!({ "phone_number": "0" })).wrong(json!({ "phone_number": ELSEWHERE }))
        }
        "auth.signIn" => {
            let (phone, mut request) = asked(stage).await;
            request["phone_code"] = json!(IGNACE.1);
            phone.asks(CODE, request).wrong(json!({ "phone_code": OTHER }))
        }
        "auth.signUp" => {
            let mut phone = stage.nobody().await;
            let mut request = asked_by(&mut phone, STRANGER.0).await;
            let mut typed = request.clone();
            typed["phone_code"] = json!(STRANGER.1);
            phone.call("auth.signIn", typed).await;
            request["first_name"] = json!("Ada");
            request["last_name"] = json!("Lovelace");
            let story = "The code was right, and the number has no account yet.";
            phone.asks(story, request).wrong(json!({ "first_name": "" }))
        }
        _ => return None,
    })
}

/// A telephone that asked for a code for Ignace, and what names this code.
async fn asked(stage: &mut Stage) -> (Line, Json) {
    stage.ignace().await;
    let mut phone = stage.nobody().await;
    let request = asked_by(&mut phone, IGNACE.0).await;
    (phone, request)
}

async fn asked_by(phone: &mut Line, number: &str) -> Json {
    let hash = send_code(phone, number, json!({ "_": "codeSettings" })).await;
    json!({ "phone_number": number, "phone_code_hash": hash })
}

/// The token that a new device shows.
async fn login_token(phone: &mut Line) -> Json {
    let request = json!({ "api_id": API_ID, "api_hash": API_HASH, "except_ids": [] });
    phone.call("auth.exportLoginToken", request).await["token"].clone()
}

/// A binding names the message that it comes in. So it is told twice: the second time the number is
/// known that the message has the first time.
async fn bind(stage: &mut Stage) -> Scene {
    let mut msg_id = 0;
    loop {
        let mut line = stage.silent(HOME, forward_secrecy()).await;
        line.introduce(DESK).await;
        let before = stage.last_call().await;
        let perm = line.kept().key;
        let inner = BindAuthKeyInner {
            nonce: 0x0123_4567_89ab_cdef,
            temp_auth_key_id: before.auth_key_id,
            perm_auth_key_id: perm.id(),
            temp_session_id: before.session_id,
            expires_at: i32::try_from(DATE.as_secs()).unwrap() + 3_600,
        };
        let body = inner.to_bytes();
        let mut plain = vec![0; 16];
        plain.extend(i64::to_le_bytes(msg_id));
        plain.extend(0_i32.to_le_bytes());
        plain.extend(i32::try_from(body.len()).unwrap().to_le_bytes());
        plain.extend(&body);
        let sealed = message_key::seal_v1(&perm, Side::Client, &plain, &[0; 15]).unwrap();
        let request = json!({
            "perm_auth_key_id": perm.id().to_string(),
            "nonce": inner.nonce.to_string(),
            "expires_at": inner.expires_at,
            "encrypted_message": Base64::encode_string(&sealed),
        });
        if msg_id != 0 {
            let story = "A client proves with its permanent key that a temporary one is its own.";
            let why = "The encrypted message names the temporary key, the session and the message that it comes in.";
            return line.asks(story, request).bound(why);
        }
        line.refused("auth.bindTempAuthKey", request).await;
        msg_id = stage.last_call().await.msg_id;
        *stage = Stage::new().await;
    }
}

fn forward_secrecy() -> Config {
    let day = std::time::Duration::from_secs(86_400);
    Config { forward_secrecy: Some(day), ..Config::default() }
}
