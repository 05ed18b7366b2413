//! The Login Widget: vectors, and everything that must not log anybody in.
#![expect(clippy::unwrap_used, reason = "what the tests share may fail a test")]

use std::time::{Duration, SystemTime};

use chappe_login::{BotToken, Error, Fields, Freshness, Seen, Widget};
use proptest::prelude::*;

/// The token of the Bot API's documentation, which is nobody's.
const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

/// Made by another program for this token.
const QUERY: &str = "id=4242424242&first_name=Ada&last_name=Ex%C3%A4mple+%26+Co&username=ada_example\
    &photo_url=https%3A%2F%2Ft.me%2Fi%2Fuserpic%2F320%2Fx.jpg&auth_date=1700000000\
    &hash=2005ca7765b5e38f1517d3a951bec76191626487b707db9278bb12a0132a2722";

const JSON: &str = r#"{"id":4242424242,"first_name":"Ada","last_name":"Exämple & Co",
    "username":"ada_example","photo_url":"https:\/\/t.me\/i\/userpic\/320\/x.jpg",
    "auth_date":1700000000,
    "hash":"2005ca7765b5e38f1517d3a951bec76191626487b707db9278bb12a0132a2722"}"#;

fn widget() -> Widget {
    Widget::new(&BotToken::new(TOKEN).unwrap())
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

/// Signs what somebody made up, as only Telegram can.
fn signed(pairs: &[(&str, &str)]) -> Fields {
    widget().sign(Fields::from_pairs(pairs.iter().copied()).unwrap())
}

#[test]
fn the_vector_is_who_it_says_in_every_form() {
    for fields in [Fields::from_query(QUERY), Fields::from_json(JSON)] {
        let login = widget().check(fields.unwrap(), at(9)).unwrap();
        assert_eq!(login.id, 4_242_424_242);
        assert_eq!(login.first_name, "Ada");
        assert_eq!(login.last_name.as_deref(), Some("Exämple & Co"));
        assert_eq!(login.username.as_deref(), Some("ada_example"));
        assert_eq!(login.photo_url.as_deref(), Some("https://t.me/i/userpic/320/x.jpg"));
        assert_eq!(login.auth_date, at(0));
        assert_eq!(login.fields().iter().count(), 7);
        assert_eq!(login.fingerprint().until(), at(300));
    }
    let mut fields = Fields::from_query(QUERY).unwrap();
    let hash = fields.take("hash").unwrap();
    assert_eq!(widget().sign(fields).get("hash"), Some(&*hash));
}

#[test]
fn no_change_of_any_field_keeps_the_hash() {
    let whole: Vec<(String, String)> = Fields::from_query(QUERY)
        .unwrap()
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let check = |pairs: Vec<(String, String)>| {
        widget().check(Fields::from_pairs(pairs).unwrap(), at(0)).map(|login| login.id)
    };
    assert_eq!(check(whole.clone()), Ok(4_242_424_242));
    for index in 0..whole.len() {
        let mut changed = whole.clone();
        changed[index].1 = changed[index].1.replace(|c: char| c.is_alphanumeric(), "1");
        assert_eq!(check(changed), Err(Error::Hash), "changed {}", whole[index].0);
        let mut removed = whole.clone();
        let name = removed.remove(index).0;
        let expected = if name == "hash" { Error::Missing("hash") } else { Error::Hash };
        assert_eq!(check(removed), Err(expected), "without {name}");
    }
    let mut added = whole;
    added.push(("is_admin".to_owned(), "1".to_owned()));
    assert_eq!(check(added), Err(Error::Hash));
}

#[test]
fn the_hash_of_another_bot_is_worth_nothing() {
    let other = Widget::new(&BotToken::new("123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew12").unwrap());
    assert_eq!(other.check(Fields::from_query(QUERY).unwrap(), at(0)).err(), Some(Error::Hash));
}

#[test]
fn a_hash_is_64_digits_of_either_case() {
    let (rest, hash) = QUERY.rsplit_once('=').unwrap();
    let check = |hash: &str| {
        let fields = Fields::from_query(&format!("{rest}={hash}")).unwrap();
        widget().check(fields, at(0)).map(|login| *login.fingerprint().bytes())
    };
    // The same login in other clothes stays the same login.
    assert_eq!(check(hash), check(&hash.to_uppercase()));
    assert!(check(hash).is_ok());
    for wrong in ["", &hash[1..], &format!("{hash}00"), &hash.replace('2', "g")] {
        assert_eq!(check(wrong), Err(Error::Field("hash")), "{wrong}");
    }
    assert_eq!(check(&hash.replace('2', "3")), Err(Error::Hash));
}

#[test]
fn a_stale_login_and_one_of_the_future_are_refused() {
    let check = |now| widget().check(Fields::from_query(QUERY).unwrap(), now).map(|login| login.id);
    assert!(check(at(300)).is_ok());
    assert_eq!(check(at(301)), Err(Error::Stale { age: 301, max_age: 300 }));
    assert!(check(at(0) - Duration::from_secs(60)).is_ok());
    let early = at(0) - Duration::from_secs(61);
    assert_eq!(check(early), Err(Error::FromFuture { ahead: 61 }));
    let day = Freshness { max_age: Duration::from_secs(86_400), ..Freshness::LOGIN };
    let patient = widget().with_freshness(day);
    assert!(patient.check(Fields::from_query(QUERY).unwrap(), at(86_400)).is_ok());
    // The date is not believed before the hash is.
    let fields = Fields::from_query(&QUERY.replace("1700000000", "1700009999")).unwrap();
    assert_eq!(widget().check(fields, at(9_999)).err(), Some(Error::Hash));
}

#[test]
fn a_login_that_was_seen_is_refused_in_any_clothes() {
    let mut seen = Seen::new(10);
    let mut enter = |fields: Result<Fields, Error>| {
        let login = widget().check(fields?, at(1))?;
        seen.once(login.fingerprint(), at(1))
    };
    assert_eq!(enter(Fields::from_query(QUERY)), Ok(()));
    assert_eq!(enter(Fields::from_query(QUERY)), Err(Error::Replayed));
    assert_eq!(enter(Fields::from_json(JSON)), Err(Error::Replayed));
}

#[test]
fn a_login_that_is_fresh_for_ever_is_remembered_for_ever() {
    let for_ever = Freshness { max_age: Duration::MAX, ..Freshness::LOGIN };
    let patient = widget().with_freshness(for_ever);
    let mut seen = Seen::new(10);
    let mut enter = |now| {
        let login = patient.check(Fields::from_query(QUERY)?, now)?;
        seen.once(login.fingerprint(), now)
    };
    assert_eq!(enter(at(1)), Ok(()));
    assert_eq!(enter(at(1_000_000_000)), Err(Error::Replayed));
}

#[test]
fn what_the_site_put_into_the_query_is_taken_out_first() {
    let mut fields = Fields::from_query(&format!("?next=%2Fcart&{QUERY}")).unwrap();
    assert_eq!(widget().check(fields.clone(), at(0)).err(), Some(Error::Hash));
    assert_eq!(fields.take("next").as_deref(), Some("/cart"));
    assert!(widget().check(fields, at(0)).is_ok());
}

#[test]
fn somebodys_name_cannot_be_another_id() {
    // The signed text of both is the same, line by line: who calls himself so would be 7.
    let name = "Eve\nid=7\nid2=";
    assert_eq!(
        Fields::from_pairs([("first_name", name), ("id", "42"), ("auth_date", "1700000000")]),
        Err(Error::Name("first_name".into()))
    );
    let pieces = [("first_name", "Eve"), ("id", "7"), ("id2", "\nid=42")];
    assert_eq!(Fields::from_pairs(pieces), Err(Error::Name("id2".into())));
}

#[test]
fn what_telegram_signed_without_sense_logs_nobody_in() {
    let date = ("auth_date", "1700000000");
    let check = |pairs: &[(&str, &str)]| widget().check(signed(pairs), at(0)).err();
    assert_eq!(check(&[("id", "1"), ("first_name", "A")]), Some(Error::Missing("auth_date")));
    assert_eq!(check(&[date, ("first_name", "A")]), Some(Error::Missing("id")));
    assert_eq!(check(&[date, ("id", "1")]), Some(Error::Missing("first_name")));
    for id in ["", "0", "-1", "+1", "01", "1.0", "9223372036854775808"] {
        assert_eq!(check(&[date, ("first_name", "A"), ("id", id)]), Some(Error::Field("id")));
    }
    for auth_date in ["", "x", "-1", "9223372036854775807"] {
        let found = check(&[("auth_date", auth_date), ("first_name", "A"), ("id", "1")]);
        assert!(matches!(found, Some(Error::Field(_) | Error::FromFuture { .. })), "{found:?}");
    }
}

#[test]
fn a_field_of_tomorrow_is_signed_and_kept() {
    let pairs = [("id", "1"), ("first_name", "A"), ("auth_date", "1700000000"), ("zodiac", "♌")];
    let login = widget().check(signed(&pairs), at(0)).unwrap();
    assert_eq!(login.fields().get("zodiac"), Some("♌"));
}

#[test]
fn nothing_that_logs_in_is_printed() {
    let login = widget().check(Fields::from_query(QUERY).unwrap(), at(0)).unwrap();
    let printed = format!("{:?} {login:?}", widget());
    assert!(!printed.contains("2005ca77") && !printed.contains("731f"), "{printed}");
    // 0x20, 0x05, 0xca: the same as numbers.
    assert!(!printed.contains("32, 5, 202"), "{printed}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".*", bytes in prop::collection::vec(any::<u8>(), 0..99)) {
        let lossy = String::from_utf8_lossy(&bytes);
        for text in [&*text, &*lossy] {
            for fields in
                [Fields::from_query(text), Fields::from_json(text), Fields::from_auth_result(text)]
            {
                let Ok(fields) = fields else { continue };
                prop_assert!(widget().check(fields, at(0)).is_err());
            }
        }
    }

    #[test]
    fn what_is_signed_survives_the_query(first in "[^\n]*", last in "[^\n]*", id in 1..i64::MAX) {
        let id = id.to_string();
        let pairs =
            [("id", &*id), ("first_name", &*first), ("last_name", &*last), ("auth_date", "1700000000")];
        prop_assume!(pairs.iter().map(|(_, value)| value.len()).sum::<usize>() < 4_000);
        let query = signed(&pairs).to_query();
        let login = widget().check(Fields::from_query(&query).unwrap(), at(0)).unwrap();
        prop_assert_eq!((login.id.to_string(), login.first_name), (id, first));
        prop_assert_eq!(login.last_name, Some(last));
    }
}
