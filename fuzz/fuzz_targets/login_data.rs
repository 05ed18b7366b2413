//! What a site is told by a Login Widget or a Mini App: any of it is read or refused; nobody gets in
//! without the key, and with it only somebody who has an id.
#![no_main]

use std::time::{Duration, SystemTime};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use chappe_fuzz::{Script, json};
use chappe_login::{BotToken, Fields, MiniApp, ThirdParty, Widget};
use ed25519_dalek::{Signer as _, SigningKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let token = BotToken::new("123456:ABC-DEF").expect("a token");
    let (widget, mini_app) = (Widget::new(&token), MiniApp::new(&token));
    let key = SigningKey::from_bytes(&[7; 32]);
    let third_party =
        ThirdParty::new(token.bot_id(), key.verifying_key().as_bytes()).expect("a key");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);

    let way = script.byte() % 6;
    let fields = match way {
        0..3 => {
            let text = String::from_utf8_lossy(script.rest());
            let fields = match way {
                0 => Fields::from_query(&text),
                1 => Fields::from_json(&text),
                _ => Fields::from_auth_result(&text),
            };
            assert!(mini_app.check(&text, now).is_err(), "a hash was guessed");
            assert!(third_party.check(&text, now).is_err(), "a signature was guessed");
            fields
        }
        3 => {
            let mut text = Vec::new();
            json(&mut script, WORDS, &mut text);
            Fields::from_auth_result(&Base64UrlUnpadded::encode_string(&text))
        }
        _ => Fields::from_pairs(pairs(&mut script)),
    };
    let Ok(mut fields) = fields else { return };
    assert_eq!(Fields::from_query(&fields.to_query()).as_ref(), Ok(&fields));
    assert!(widget.check(fields.clone(), now).is_err(), "a hash was guessed");

    // From here on it is Telegram that says it.
    fields.take("hash");
    if let Ok(login) = widget.check(widget.sign(fields.clone()), now) {
        assert!(login.id > 0);
        assert_eq!(fields.get("id"), Some(&*login.id.to_string()));
        assert!(login.auth_date <= now + Duration::from_secs(60));
    }
    if let Ok(data) = mini_app.check(&mini_app.sign(fields.clone()).to_query(), now) {
        assert!(data.user.is_none_or(|user| user.id > 0));
    }
    fields.take("signature");
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let signed = format!("{}:WebAppData\n{}", token.bot_id(), lines.join("\n"));
    let signature = Base64UrlUnpadded::encode_string(&key.sign(signed.as_bytes()).to_bytes());
    let query = format!("{}&signature={signature}", fields.to_query());
    if let Ok(data) = third_party.check(&query, now) {
        assert!(data.receiver.is_none_or(|receiver| receiver.id > 0));
    }
});

/// Fields of the names that are known, with values that are sometimes sound.
fn pairs(script: &mut Script<'_>) -> Vec<(String, String)> {
    let mut pairs = vec![("auth_date".to_owned(), "1700000000".to_owned())];
    while !script.is_empty() && pairs.len() < 20 {
        let name = WORDS[usize::from(script.byte()) % WORDS.len()].to_owned();
        let value = match script.byte() % 4 {
            0 => script.long().to_string(),
            1 => {
                let mut text = Vec::new();
                json(script, WORDS, &mut text);
                String::from_utf8_lossy(&text).into_owned()
            }
            2 => {
                let mut text = br#"{"id":42,"first_name":"Ada","is_premium":true}"#.to_vec();
                script.spoil(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            }
            _ => String::from_utf8_lossy(script.take(9)).into_owned(),
        };
        pairs.push((name, value));
    }
    pairs
}

const WORDS: &[&str] = &[
    "id",
    "first_name",
    "last_name",
    "username",
    "photo_url",
    "auth_date",
    "hash",
    "signature",
    "user",
    "receiver",
    "chat",
    "chat_type",
    "chat_instance",
    "start_param",
    "query_id",
    "can_send_after",
    "is_bot",
    "is_premium",
    "title",
    "type",
    "x",
];
