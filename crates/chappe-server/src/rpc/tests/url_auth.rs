//! The consent to logins, as apps ask for it and give it.

use chappe_crypto::sha256;
use chappe_schema::value;
use serde_json::json;

use super::*;
use crate::bots::MatchCode;
use crate::browser::Progress;
use crate::logins::{App, Scopes, Source};
use crate::world::{
    MATCH_CODE_INVALID, NewUrlAuth, UrlAuthAsked, UrlAuthResponse, WebLogin, links_of,
};

const SITE: &str = "https://travel.example.com";

/// What a browser asks on the site of the first bot.
pub(super) fn ask(server: &mut Bench, change: impl FnOnce(&mut NewUrlAuth)) -> UrlAuthAsked {
    let bot_id = server.world.bots().unwrap()[0].user_id;
    let login = WebLogin {
        domain: "travel.example.com".to_owned(),
        browser: "Firefox 140".to_owned(),
        platform: "Linux".to_owned(),
        ip: "192.0.2.7".to_owned(),
        region: "Unknown".to_owned(),
    };
    let mut new = NewUrlAuth {
        redirect_uri: Some(format!("{SITE}/login")),
        origin: Some(SITE.to_owned()),
        scopes: Scopes { profile: true, ..Scopes::default() },
        ..NewUrlAuth::new(Source::Widget, UrlAuthResponse::LegacyUrl, bot_id, login)
    };
    change(&mut new);
    let now = server.now;
    server.world.transaction(|world| world.ask_url_auth(now, new)).unwrap()
}

pub(super) fn link(asked: &UrlAuthAsked) -> String {
    links_of(&asked.token)[0].clone()
}

pub(super) fn request(url: &str) -> messages::RequestUrlAuth {
    messages::RequestUrlAuth { url: Some(url.into()), ..messages::RequestUrlAuth::new() }
}

pub(super) fn accept(url: &str) -> messages::AcceptUrlAuth {
    messages::AcceptUrlAuth { url: Some(url.into()), ..messages::AcceptUrlAuth::new() }
}

pub(super) fn decline(url: &str) -> messages::DeclineUrlAuth {
    messages::DeclineUrlAuth { url: url.into() }
}

fn check(url: &str, code: &str) -> messages::CheckUrlAuthMatchCode {
    messages::CheckUrlAuthMatchCode { url: url.into(), match_code: code.into() }
}

/// What the person is asked.
pub(super) fn shown(server: &mut Bench, caller: Caller, url: &str) -> types::UrlAuthResultRequest {
    match server.call(caller, &request(url)).unwrap() {
        enums::UrlAuthResult::Request(shown) => *shown,
        other => panic!("{other:?}"),
    }
}

/// Where the app goes then.
pub(super) fn accepted(answer: enums::UrlAuthResult) -> Option<String> {
    match answer {
        enums::UrlAuthResult::Accepted(accepted) => accepted.url.map(|url| url.to_string()),
        other => panic!("{other:?}"),
    }
}

pub(super) fn status(server: &Bench, asked: &UrlAuthAsked) -> Progress {
    server.world.poll_url_auth(server.now, &asked.browser_token).unwrap().status
}

/// HMAC-SHA-256 as RFC 2104 spells it, under the key of core.telegram.org/widgets/login-legacy.
pub(super) fn widget_hash(token: &str, lines: &str) -> String {
    let mut key = [0; 64];
    key[..32].copy_from_slice(&sha256(&[token.as_bytes()]));
    let (inner, outer) = (key.map(|byte| byte ^ 0x36), key.map(|byte| byte ^ 0x5c));
    let digest = sha256(&[&outer, &sha256(&[&inner, lines.as_bytes()])]);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn only_people_consent() {
    let mut server = Bench::new();
    let asked = ask(&mut server, |_| {});
    let url = link(&asked);
    let (nobody, bot) = (server.caller(1), server.bot(2));
    for (caller, name) in
        [(nobody, errors::AUTH_KEY_UNREGISTERED), (bot, errors::BOT_METHOD_INVALID)]
    {
        server.refused(caller, &request(&url), name);
        server.refused(caller, &accept(&url), name);
        server.refused(caller, &decline(&url), name);
        server.refused(caller, &check(&url, "x"), name);
    }
    assert_eq!(status(&server, &asked), Progress::Pending);
}

#[test]
fn a_person_sees_who_asks_for_what_from_where() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    let asked = ask(&mut server, |new| {
        new.scopes = Scopes { profile: true, phone: true, write: true };
        new.match_codes = MatchCode::First;
        new.user_id_hint = Some(77);
        new.app = Some(App { verified_name: Some("Columbus".to_owned()) });
    });
    for url in links_of(&asked.token) {
        let seen = shown(&mut server, owner, &url);
        assert!(seen.request_write_access && seen.request_phone_number);
        assert!(seen.match_codes_first && seen.is_app);
        let enums::User::User(bot) = &seen.bot else { panic!("no bot") };
        assert!(bot.bot && bot.username.as_deref() == Some("ColumbusDemoBot"));
        assert_eq!(&*seen.domain, "travel.example.com");
        let place = [&seen.browser, &seen.platform, &seen.ip, &seen.region];
        let place = place.map(|field| field.as_deref().unwrap());
        assert_eq!(place, ["Firefox 140", "Linux", "192.0.2.7", "Unknown"]);
        let codes = seen.match_codes.unwrap();
        assert!(codes.iter().any(|code| Some(&**code) == asked.match_code.as_deref()));
        assert_eq!(
            (seen.user_id_hint, seen.verified_app_name.as_deref()),
            (Some(77), Some("Columbus"))
        );
    }
    let asked = ask(&mut server, |_| {});
    let seen = shown(&mut server, owner, &link(&asked));
    assert!(!seen.request_write_access && !seen.request_phone_number && !seen.is_app);
    assert!(seen.match_codes.is_none() && seen.user_id_hint.is_none());
}

#[test]
fn a_browser_is_let_in_and_the_login_is_listed() {
    let mut server = Bench::new();
    let (owner, stranger) = (server.demonstration(1), server.stranger(2));
    let asked = ask(&mut server, |_| {});
    let url = link(&asked);
    shown(&mut server, owner, &url);
    shown(&mut server, stranger, &url);
    let before = server.web(owner).len();
    assert_eq!(accepted(server.call(owner, &accept(&url)).unwrap()), None);
    // The answer was lost: the app asks again, either way.
    assert_eq!(accepted(server.call(owner, &accept(&url)).unwrap()), None);
    assert_eq!(accepted(server.call(owner, &request(&url)).unwrap()), None);
    let rows = server.web(owner);
    assert_eq!(rows.len(), before + 1);
    let row = &rows[0];
    assert_eq!(
        (&*row.domain, &*row.browser, &*row.ip),
        ("travel.example.com", "Firefox 140", "192.0.2.7")
    );
    server.refused(stranger, &request(&url), errors::URL_EXPIRED);
    server.refused(stranger, &accept(&url), errors::URL_EXPIRED);
    server.refused(stranger, &decline(&url), errors::URL_EXPIRED);
    server.refused(owner, &decline(&url), errors::URL_EXPIRED);
    assert_eq!(status(&server, &asked), Progress::Approved);
    // It ends like every other one, and can be begun again.
    assert!(server.call(owner, &account::ResetWebAuthorization { hash: row.hash }).unwrap());
    assert_eq!(server.web(owner).len(), before);
}

#[test]
fn who_declines_or_comes_late_lets_nobody_in() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    let before = server.web(owner);
    let asked = ask(&mut server, |_| {});
    let url = link(&asked);
    assert!(server.call(owner, &decline(&url)).unwrap());
    assert!(server.call(owner, &decline(&url)).unwrap(), "the answer may have been lost");
    server.refused(owner, &request(&url), errors::URL_EXPIRED);
    server.refused(owner, &accept(&url), errors::URL_EXPIRED);
    assert_eq!(status(&server, &asked), Progress::Declined);

    let asked = ask(&mut server, |_| {});
    let url = link(&asked);
    shown(&mut server, owner, &url);
    server.now += 300;
    server.refused(owner, &request(&url), errors::URL_EXPIRED);
    server.refused(owner, &accept(&url), errors::URL_EXPIRED);
    server.refused(owner, &decline(&url), errors::URL_EXPIRED);
    server.refused(owner, &check(&url, "x"), errors::URL_EXPIRED);
    assert_eq!(status(&server, &asked), Progress::Expired);
    assert_eq!(server.web(owner), before);
}

#[test]
fn the_picture_in_the_browser_decides() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    let ask = |server: &mut Bench, match_codes| {
        let asked = ask(server, |new| new.match_codes = match_codes);
        let (url, right) = (link(&asked), asked.match_code.clone().unwrap());
        let codes = shown(server, owner, &url).match_codes.unwrap();
        let wrong = codes.iter().find(|code| ***code != *right).unwrap().to_string();
        (asked, url, right, wrong)
    };
    let picked = |url: &str, code: &str| messages::AcceptUrlAuth {
        match_code: Some(code.into()),
        ..accept(url)
    };
    let (asked, url, right, wrong) = ask(&mut server, MatchCode::Asked);
    server.refused(owner, &picked(&url, &wrong), MATCH_CODE_INVALID);
    server.refused(owner, &picked(&url, &right), errors::URL_EXPIRED);
    assert_eq!(status(&server, &asked), Progress::Declined);

    let (_, url, right, wrong) = ask(&mut server, MatchCode::First);
    assert!(!server.call(owner, &check(&url, &wrong)).unwrap());
    server.refused(owner, &check(&url, &right), errors::URL_EXPIRED);
    server.refused(owner, &request(&url), errors::URL_EXPIRED);

    let (asked, url, right, _) = ask(&mut server, MatchCode::First);
    assert!(server.call(owner, &check(&url, &right)).unwrap());
    server.call(owner, &picked(&url, &right)).unwrap();
    assert_eq!(status(&server, &asked), Progress::Approved);
}

#[test]
fn what_is_no_link_of_a_login_is_refused() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    let asked = ask(&mut server, |_| {});
    let foreign = format!("tg://oauth?token={}", asked.browser_token);
    let unknown = format!("tg://oauth?token={}", "A".repeat(43));
    for url in [
        "",
        "tg://oauth",
        "tg://oauth?token=",
        "tg://oauth?token=../../x",
        "javascript:alert(1)",
        "javascript://travel.example.com/%0aalert(1)",
        "http://travel.example.com/",
        "https://travel.example.com@evil.example/",
        "https://trаvel.example.com/",
        "https://travel.example.com/\u{202e}",
        &foreign,
        &unknown,
    ] {
        server.refused(owner, &request(url), errors::URL_INVALID);
        server.refused(owner, &accept(url), errors::URL_INVALID);
        server.refused(owner, &decline(url), errors::URL_INVALID);
        server.refused(owner, &check(url, "x"), errors::URL_INVALID);
    }
    server.refused(owner, &messages::RequestUrlAuth::new(), errors::URL_INVALID);
    server.refused(owner, &messages::AcceptUrlAuth::new(), errors::URL_INVALID);
    // A page is neither declined nor matched.
    server.refused(owner, &decline(SITE), errors::URL_INVALID);
    server.refused(owner, &check(SITE, "x"), errors::URL_INVALID);
}

#[test]
fn a_page_within_telegram_asks_for_itself_only() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    let inside = ask(&mut server, |new| new.source = Source::InApp);
    let outside = ask(&mut server, |_| {});
    let from = |asked: &UrlAuthAsked, origin: Option<&str>| messages::RequestUrlAuth {
        in_app_origin: origin.map(Into::into),
        ..request(&link(asked))
    };
    for origin in
        [None, Some("https://evil.example"), Some("https://travel.example.com.evil.example")]
    {
        server.refused(owner, &from(&inside, origin), errors::URL_INVALID);
    }
    server.refused(owner, &from(&outside, Some(SITE)), errors::URL_INVALID);
    server.call(owner, &from(&inside, Some(SITE))).unwrap();
}

#[test]
fn a_page_of_a_bots_site_is_opened_logged_in() {
    let mut server = Bench::new();
    let (owner, stranger) = (server.demonstration(1), server.stranger(2));
    let token = server.world.bots().unwrap()[0].token.clone();
    let page = format!("{SITE}/trips?to=Kyjiv&x=%20#top");
    let seen = shown(&mut server, stranger, &page);
    assert_eq!((&*seen.domain, seen.browser), ("travel.example.com", None));
    assert!(!seen.request_write_access && !seen.request_phone_number && seen.match_codes.is_none());
    let opened = accepted(server.call(stranger, &accept(&page)).unwrap()).unwrap();
    let (_, fields) = opened.split_once("&x=%20&").unwrap();
    let fields = fields.strip_suffix("#top").unwrap();
    let (data, hash) = fields.split_once("&hash=").unwrap();
    let id = server.world.key_state(stranger.auth_key_id).unwrap().unwrap().user_id.unwrap();
    assert_eq!(data, format!("id={id}&first_name=Ada&auth_date={NOW}"));
    assert_eq!(hash, widget_hash(&token, &format!("auth_date={NOW}\nfirst_name=Ada\nid={id}")));
    let rows = server.web(stranger);
    let [row] = &rows[..] else { panic!("{rows:?}") };
    let row = [&row.domain, &row.browser, &row.platform, &row.ip].map(|field| &**field);
    assert_eq!(row, ["travel.example.com", "Telegram 1.0", "Linux", "127.0.0.1"]);

    // From now on without a question, and again as the same login.
    server.now += 60;
    let again = accepted(server.call(stranger, &request(&page)).unwrap()).unwrap();
    assert!(again.contains(&format!("auth_date={}", NOW + 60)));
    let rows = server.web(stranger);
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((row.date_created, row.date_active), (NOW, NOW + 60));
    // Who is logged in to another site of the same kind is asked here.
    server.call(owner, &account::ResetWebAuthorizations).unwrap();
    shown(&mut server, owner, &page);

    for foreign in ["https://example.com/", "https://t.me/durov", "https://evil.travel.example.com"]
    {
        for answer in [server.call(owner, &request(foreign)), server.call(owner, &accept(foreign))]
        {
            assert_eq!(answer.unwrap(), enums::UrlAuthResult::Default, "{foreign}");
        }
    }
    assert!(server.web(owner).is_empty());
}

#[test]
fn clients_are_told_which_pages_log_in() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    let lists = |server: &mut Bench, hash| {
        let answer = server.call(owner, &help::GetAppConfig { hash }).unwrap();
        let enums::help::AppConfig::AppConfig(config) = answer else { return None };
        let enums::JsonValue::JsonObject(object) = config.config else { panic!("no object") };
        let list = |name: &str| -> Vec<String> {
            let entry = object.value.iter().find(|entry| *entry.key == *name).unwrap();
            let enums::JsonValue::JsonArray(array) = &entry.value else { panic!("no list") };
            let text = |value: &enums::JsonValue| match value {
                enums::JsonValue::JsonString(text) => text.value.to_string(),
                other => panic!("{other:?}"),
            };
            array.value.iter().map(text).collect()
        };
        Some((config.hash, list("url_auth_domains"), list("autologin_domains")))
    };
    let (hash, sites, autologin) = lists(&mut server, 0).unwrap();
    assert!(hash > 0);
    assert_eq!(sites, ["news.example.org", "shop.example.net", "travel.example.com"]);
    assert_eq!(autologin, ["autologin.example.com"]);
    assert_eq!(lists(&mut server, hash), None);
    let bot_id = server.world.bots().unwrap()[0].user_id;
    server.world.set_bot_domain(bot_id, Some("localhost")).unwrap();
    let (changed, sites, _) = lists(&mut server, hash).unwrap();
    assert!(changed != hash && sites.contains(&"localhost".to_owned()));
}

#[test]
fn the_token_for_pages_of_telegram_is_the_persons_own_and_does_not_last() {
    let mut server = Bench::new();
    let (nobody, bot) = (server.caller(1), server.bot(2));
    let (owner, stranger) = (server.demonstration(3), server.stranger(4));
    let token = |server: &mut Bench, caller| {
        server.call(caller, &help::GetConfig).unwrap().autologin_token.map(|it| it.to_string())
    };
    assert_eq!((token(&mut server, nobody), token(&mut server, bot)), (None, None));
    let first = token(&mut server, owner).unwrap();
    assert_eq!(first.len(), 43);
    assert_eq!(token(&mut server, owner).as_ref(), Some(&first));
    assert_ne!(token(&mut server, stranger).unwrap(), first);
    server.now += 10_000;
    assert_ne!(token(&mut server, owner).unwrap(), first);
}

/// Layer 198 knows neither what a browser is nor phones and pictures.
#[test]
fn older_layers_consent_in_their_own_words() {
    let mut server = Bench::new();
    let old = Caller { session_id: 9, ..server.demonstration(1) };
    server.raw(old, &InvokeWithLayer { layer: 198, query: me() }.to_bytes()).result.unwrap();
    let layers = Layers::new();
    let schema = layers.schema(198);
    let call = |server: &mut Bench, method: &str, url: &str| {
        let body = value::encode_call(&schema, method, &json!({ "url": url })).unwrap();
        let bytes = server.raw(old, &body.into()).result.unwrap();
        value::decode_result(&schema, method, &bytes).unwrap()
    };
    let asked = ask(&mut server, |_| {});
    let seen = call(&mut server, "messages.requestUrlAuth", &link(&asked));
    assert_eq!(
        (&seen["_"], &seen["domain"]),
        (&json!("urlAuthResultRequest"), &json!("travel.example.com"))
    );
    assert_eq!(seen["bot"]["username"], "ColumbusDemoBot");
    assert!(seen.get("browser").is_none(), "{seen}");
    // The address is mandatory there.
    let done = call(&mut server, "messages.acceptUrlAuth", &link(&asked));
    assert_eq!(done, json!({ "_": "urlAuthResultAccepted", "url": "" }));
    assert_eq!(status(&server, &asked), Progress::Approved);
}
