//! Mini Apps: vectors of both checks, and everything that must not pass.
#![expect(clippy::unwrap_used, reason = "what the tests share may fail a test")]

use std::time::{Duration, SystemTime};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use chappe_login::{BotToken, Error, Fields, Freshness, MiniApp, ThirdParty};
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;

/// The token of the Bot API's documentation, which is nobody's.
const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

/// Made by another program for this token and, for the signature, the key of RFC 8037 A.1.
const FIELDS: [(&str, &str); 3] = [
    ("auth_date", "1700000000"),
    ("query_id", "AAF0"),
    ("user", r#"{"id":4242424242,"first_name":"Ada","language_code":"en"}"#),
];
const HASH: &str = "ae5923e2cbc1dbe9e8bebafdf5e2a761d41fb7e969573cbc4762946aeb5f7e39";
const SIGNATURE: &str =
    "gIIAJ0tM1ueFa61ld3JvuAceyxLlTFwZ-3HVLKt4UQm_vCwRbfuTI1lAy6eRAolgcUER_qHPNafYWNB-PprCAg";
const SECRET_KEY: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

/// Signed by Telegram for the bot 7342037359; published with the documentation of other libraries.
const BY_TELEGRAM: &str = "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%2C%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C%2F4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D&chat_instance=8134722200314281151&chat_type=private&auth_date=1733584787&hash=2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6&signature=zL-ucjNyREiHDE8aihFwpfR9aggP2xiAo3NSpfe-p7IbCisNlDKlo7Kb6G4D0Ao2mBrSgEk4maLSdv6MLIlADQ";

fn mini_app() -> MiniApp {
    MiniApp::new(&BotToken::new(TOKEN).unwrap())
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn query(pairs: &[(&str, &str)]) -> String {
    Fields::from_pairs(pairs.iter().copied()).unwrap().to_query()
}

fn with(more: &[(&str, &str)]) -> String {
    query(&[&FIELDS, more].concat())
}

/// Signs fields as only Telegram can.
fn signed(pairs: &[(&str, &str)]) -> String {
    mini_app().sign(Fields::from_pairs(pairs.iter().copied()).unwrap()).to_query()
}

fn own_key() -> SigningKey {
    let mut key = [0; 32];
    Base64UrlUnpadded::decode(SECRET_KEY, &mut key).unwrap();
    SigningKey::from_bytes(&key)
}

#[test]
fn the_vector_is_who_it_says_by_hash_and_by_signature() {
    let by_hash = mini_app().check(&with(&[("hash", HASH)]), at(1_700_000_001)).unwrap();
    let key = own_key().verifying_key().to_bytes();
    let third_party = ThirdParty::new(123_456, &key).unwrap();
    let by_signature =
        third_party.check(&with(&[("signature", SIGNATURE)]), at(1_700_000_001)).unwrap();
    for data in [by_hash, by_signature] {
        let user = data.user.unwrap();
        assert_eq!((user.id, &*user.first_name), (4_242_424_242, "Ada"));
        assert_eq!(user.language_code.as_deref(), Some("en"));
        assert_eq!((user.is_bot, user.is_premium, user.allows_write_to_pm), (false, false, false));
        assert_eq!(data.query_id.as_deref(), Some("AAF0"));
        assert_eq!(data.auth_date, at(1_700_000_000));
    }
}

#[test]
fn what_telegram_signed_is_checked_by_its_key_and_for_its_bot() {
    let day_later = at(1_733_584_787 + 86_400);
    let check =
        |bot_id, key, text: &str| ThirdParty::new(bot_id, key).unwrap().check(text, day_later);
    let data = check(7_342_037_359, &ThirdParty::PRODUCTION, BY_TELEGRAM).unwrap();
    let user = data.user.as_ref().unwrap();
    assert_eq!((user.id, &*user.first_name), (279_058_397, "Vladislav + - ? /"));
    assert!(user.is_premium && user.allows_write_to_pm && !user.added_to_attachment_menu);
    assert_eq!(data.chat_type.as_deref(), Some("private"));
    assert_eq!(data.chat_instance.as_deref(), Some("8134722200314281151"));
    assert!(data.fields().get("user").unwrap().starts_with(r#"{"id":279058397,"#));

    let wrong = Some(Error::Signature);
    assert_eq!(check(7_342_037_358, &ThirdParty::PRODUCTION, BY_TELEGRAM).err(), wrong);
    assert_eq!(check(7_342_037_359, &ThirdParty::TEST, BY_TELEGRAM).err(), wrong);
    let changed = BY_TELEGRAM.replace("279058397", "279058398");
    assert_eq!(check(7_342_037_359, &ThirdParty::PRODUCTION, &changed).err(), wrong);
    // Nobody but the bot can check the hash, so it is no part of this.
    let rehashed = BY_TELEGRAM.replace("hash=2174", "hash=0000");
    assert!(check(7_342_037_359, &ThirdParty::PRODUCTION, &rehashed).is_ok());
}

#[test]
fn the_signature_is_part_of_what_the_hash_covers() {
    let text = signed(&[FIELDS.as_slice(), &[("signature", SIGNATURE)]].concat());
    assert!(mini_app().check(&text, at(1_700_000_000)).is_ok());
    let other = text.replace("gIIAJ0", "aIIAJ0");
    assert_eq!(mini_app().check(&other, at(1_700_000_000)).err(), Some(Error::Hash));
}

#[test]
fn a_hash_of_the_widget_opens_no_mini_app_and_the_other_way_round() {
    let token = BotToken::new(TOKEN).unwrap();
    let widget = chappe_login::Widget::new(&token);
    let fields =
        || Fields::from_pairs([("id", "1"), ("first_name", "A"), ("auth_date", "1700000000")]);
    let by_widget = widget.sign(fields().unwrap()).to_query();
    assert_eq!(mini_app().check(&by_widget, at(1_700_000_000)).err(), Some(Error::Hash));
    let by_app = mini_app().sign(fields().unwrap());
    assert_eq!(widget.check(by_app, at(1_700_000_000)).err(), Some(Error::Hash));
}

#[test]
fn stale_data_and_data_of_the_future_are_refused() {
    let text = with(&[("hash", HASH)]);
    let check = |now| mini_app().check(&text, at(now)).err();
    assert_eq!(check(1_700_086_400), None);
    assert_eq!(check(1_700_086_401), Some(Error::Stale { age: 86_401, max_age: 86_400 }));
    assert_eq!(check(1_699_999_939), Some(Error::FromFuture { ahead: 61 }));
    let hour = Freshness { max_age: Duration::from_secs(3_600), ..Freshness::MINI_APP };
    let strict = mini_app().with_freshness(hour);
    assert!(matches!(strict.check(&text, at(1_700_003_601)), Err(Error::Stale { .. })));
    let third_party = ThirdParty::new(7_342_037_359, &ThirdParty::PRODUCTION).unwrap();
    let late = third_party.check(BY_TELEGRAM, at(1_733_584_787 + 86_401)).err();
    assert_eq!(late, Some(Error::Stale { age: 86_401, max_age: 86_400 }));
    let strict = third_party.with_freshness(hour).check(BY_TELEGRAM, at(1_733_590_000));
    assert!(matches!(strict, Err(Error::Stale { .. })));
}

#[test]
fn chats_and_receivers_are_told() {
    let text = signed(&[
        ("auth_date", "1700000000"),
        ("can_send_after", "0"),
        ("chat", r#"{"id":-1001,"type":"supergroup","title":"T","username":"u","photo_url":"p"}"#),
        ("receiver", r#"{"id":5,"is_bot":true,"first_name":"B","added_to_attachment_menu":true}"#),
        ("start_param", "ref_1"),
    ]);
    let data = mini_app().check(&text, at(1_700_000_000)).unwrap();
    let chat = data.chat.unwrap();
    assert_eq!((chat.id, &*chat.kind, &*chat.title), (-1001, "supergroup", "T"));
    assert_eq!((chat.username.as_deref(), chat.photo_url.as_deref()), (Some("u"), Some("p")));
    let receiver = data.receiver.unwrap();
    assert!(receiver.is_bot && receiver.added_to_attachment_menu && receiver.id == 5);
    assert_eq!((data.user, data.can_send_after), (None, Some(Duration::ZERO)));
    assert_eq!(data.start_param.as_deref(), Some("ref_1"));
}

#[test]
fn what_telegram_signed_without_sense_is_refused() {
    let check = |name: &str, value: &str| {
        let text = signed(&[("auth_date", "1700000000"), (name, value)]);
        mini_app().check(&text, at(1_700_000_000)).err()
    };
    for user in [
        "",
        "7",
        "[]",
        "{}",
        r#"{"id":1}"#,
        r#"{"id":"1","first_name":"A"}"#,
        r#"{"id":0,"first_name":"A"}"#,
        r#"{"id":-1,"first_name":"A"}"#,
        r#"{"id":1.5,"first_name":"A"}"#,
        r#"{"id":1,"first_name":null}"#,
        r#"{"id":1,"first_name":"A","is_premium":1}"#,
        r#"{"id":1,"first_name":"A","username":1}"#,
        r#"{"id":1,"id":2,"first_name":"A"}"#,
        r#"{"id":18446744073709551615,"first_name":"A"}"#,
    ] {
        assert_eq!(check("user", user), Some(Error::Field("user")), "{user}");
    }
    assert_eq!(check("receiver", "{}"), Some(Error::Field("receiver")));
    assert_eq!(check("chat", r#"{"id":1,"type":"group"}"#), Some(Error::Field("chat")));
    assert_eq!(check("can_send_after", "x"), Some(Error::Field("can_send_after")));
}

#[test]
fn without_its_proof_nothing_is_read() {
    let now = at(1_700_000_000);
    assert_eq!(mini_app().check(&with(&[]), now).err(), Some(Error::Missing("hash")));
    let own = ThirdParty::new(123_456, &own_key().verifying_key().to_bytes()).unwrap();
    let check = |signature: &str| own.check(&with(&[("signature", signature)]), now).err();
    assert_eq!(own.check(&with(&[("hash", HASH)]), now).err(), Some(Error::Missing("signature")));
    assert_eq!(check(&format!("{SIGNATURE}==")), None);
    for wrong in ["", "AAAA", &SIGNATURE[1..], &format!("{SIGNATURE}AA"), "*"] {
        assert_eq!(check(wrong), Some(Error::Field("signature")), "{wrong}");
    }
    assert_eq!(check(&SIGNATURE.replace("gIIA", "hIIA")), Some(Error::Signature));
    // Signed by the right key, but for the same text of another bot.
    let other = own_key().sign(b"654321:WebAppData\nauth_date=1700000000");
    let other = Base64UrlUnpadded::encode_string(&other.to_bytes());
    let text = query(&[("auth_date", "1700000000"), ("signature", &other)]);
    assert_eq!(own.check(&text, now).err(), Some(Error::Signature));
}

#[test]
fn a_key_under_which_anything_is_signed_is_no_key() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(ThirdParty::new(1, &identity).err(), Some(Error::Key));
    assert_eq!(ThirdParty::new(1, &[0; 32]).err(), Some(Error::Key));
    // No point of the curve.
    let mut none = [0; 32];
    none[0] = 2;
    assert_eq!(ThirdParty::new(1, &none).err(), Some(Error::Key));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        prop_assert!(mini_app().check(&text, at(0)).is_err());
        let third_party = ThirdParty::new(1, &ThirdParty::TEST).unwrap();
        prop_assert!(third_party.check(&text, at(0)).is_err());
    }
}
