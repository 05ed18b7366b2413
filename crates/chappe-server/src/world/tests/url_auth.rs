//! Stories of requests to log in: who may do what with them, and when.

use super::*;
use crate::{
    bots::{BotSettings, MatchCode, OidcClient},
    browser::Progress,
    logins::{Approved, Grant, Scopes, Source},
};

const LIFETIME: i32 = 300;

/// A request of the widget on the site of the first bot.
fn widget(world: &World) -> NewUrlAuth {
    let bot_id = world.bots().unwrap()[0].user_id;
    let domain = world.bot_domain(bot_id).unwrap().unwrap();
    let login = WebLogin::of_browser(&domain, "Firefox 140", "Linux", Ipv4Addr::LOCALHOST.into());
    NewUrlAuth {
        origin: Some(format!("https://{domain}")),
        scopes: Scopes { profile: true, ..Scopes::default() },
        state: Some("the state".to_owned()),
        nonce: Some("the nonce".to_owned()),
        ..NewUrlAuth::new(Source::Widget, UrlAuthResponse::LegacyMessage, bot_id, login)
    }
}

fn ask(world: &mut World, change: impl FnOnce(&mut NewUrlAuth)) -> (UrlAuth, UrlAuthAsked) {
    let mut new = widget(world);
    change(&mut new);
    let asked = world.transaction(|world| world.ask_url_auth(NOW, new)).unwrap();
    (world.url_auth(NOW, &asked.token).unwrap(), asked)
}

fn approve(
    world: &mut World,
    now: i32,
    (id, user_id): (i64, i64),
    consent: &Grant,
) -> Result<Approved, Failure> {
    world.transaction(|world| world.approve_url_auth(now, id, user_id, consent))
}

fn claim(world: &mut World, now: i32, token: &str) -> Result<Claim, Failure> {
    world.transaction(|world| world.claim_url_auth(now, token))
}

/// Two people: the demonstration account and another one.
fn people(world: &mut World) -> (i64, i64) {
    let other = world.transaction(|world| world.add_person(NOW, PHONE, "Ada", "")).unwrap();
    (demonstration(world), other)
}

fn picked(code: &str) -> Grant {
    Grant { match_code: Some(code.to_owned()), ..Grant::default() }
}

#[test]
fn what_a_person_approves_the_browser_claims_once() {
    let mut world = world();
    let me = demonstration(&world);
    let before = world.web_authorizations(me).unwrap().len();
    let (request, asked) = ask(&mut world, |_| {});
    assert_eq!((request.status, request.expires), (Progress::Pending, NOW + LIFETIME));
    assert_eq!((request.id, world.last_url_auth().unwrap()), (1, 1));
    assert_eq!(world.pending_url_auths(NOW).unwrap(), std::slice::from_ref(&request));
    assert_eq!(world.url_auth_by_id(NOW, 1).unwrap(), request);
    refused(claim(&mut world, NOW, &asked.browser_token), errors::URL_EXPIRED);

    let approval = approve(&mut world, NOW + 9, (1, me), &Grant::default()).unwrap();
    assert_eq!(approval, Approved::default());
    assert!(world.pending_url_auths(NOW + 9).unwrap().is_empty());
    let status = world.poll_url_auth(NOW + 9, &asked.browser_token).unwrap().status;
    assert_eq!(status, Progress::Approved);
    let rows = world.web_authorizations(me).unwrap();
    assert_eq!(rows.len(), before + 1);
    let row = &rows[0];
    assert_eq!((row.created, row.active, row.bot_id), (NOW + 9, NOW + 9, request.asked.bot_id));
    assert_eq!(row.login, request.asked.login);
    assert_eq!(row.login.region, "This machine, Loopback");

    let claimed = claim(&mut world, NOW + 10, &asked.browser_token).unwrap();
    assert_eq!((claimed.user.id, claimed.approved), (me, NOW + 9));
    assert_eq!(claimed.granted, Scopes { profile: true, ..Scopes::default() });
    assert_eq!(claimed.web_authorization, row.hash);
    assert_eq!(claimed.request.asked.nonce.as_deref(), Some("the nonce"));
    refused(claim(&mut world, NOW + 10, &asked.browser_token), errors::URL_EXPIRED);
    let status = world.poll_url_auth(NOW + 11, &asked.browser_token).unwrap().status;
    assert_eq!(status, Progress::Claimed);
}

#[test]
fn a_message_of_telegram_says_no_more_than_the_site_learns() {
    let mut world = world();
    let me = demonstration(&world);
    let phone = world.user(me).unwrap().unwrap().phone.unwrap();
    for profile in [false, true] {
        let (request, asked) = ask(&mut world, |new| new.scopes.profile = profile);
        let asks =
            world.transaction(|world| world.ask_phone_url_auth(NOW, &asked.browser_token, &phone));
        asks.unwrap();
        approve(&mut world, NOW, (request.id, me), &Grant::default()).unwrap();
        let newest = Wanted { limit: 2, ..Wanted::default() };
        let (written, _) = world.history(me, SERVICE_ID, newest).unwrap();
        assert_eq!(written.len(), 2);
        for message in written {
            let text = &message.content.text;
            assert_eq!(text.contains("your number at Telegram"), profile, "{text}");
            assert_eq!(text.contains("a name for you that only it knows."), !profile, "{text}");
        }
    }
}

#[test]
fn a_login_that_is_ended_before_the_browser_came_lets_nobody_in() {
    let mut world = world();
    let me = demonstration(&world);
    for all in [false, true] {
        let (request, asked) = ask(&mut world, |_| {});
        let before: Vec<_> = world.web_authorizations(me).unwrap();
        approve(&mut world, NOW, (request.id, me), &Grant::default()).unwrap();
        let rows = world.web_authorizations(me).unwrap();
        let row = rows.iter().find(|row| !before.contains(row)).unwrap();
        match all {
            true => world.reset_web_authorizations(me).unwrap(),
            false => world.reset_web_authorization(me, row.hash).unwrap(),
        }
        let status = world.poll_url_auth(NOW, &asked.browser_token).unwrap().status;
        assert_eq!(status, Progress::Declined);
        refused(claim(&mut world, NOW, &asked.browser_token), errors::URL_EXPIRED);
        let again = approve(&mut world, NOW, (request.id, me), &Grant::default());
        refused(again, errors::URL_EXPIRED);
    }
    // What the browser has is not taken back by that.
    let (request, asked) = ask(&mut world, |_| {});
    approve(&mut world, NOW, (request.id, me), &Grant::default()).unwrap();
    claim(&mut world, NOW, &asked.browser_token).unwrap();
    world.reset_web_authorizations(me).unwrap();
    let status = world.poll_url_auth(NOW, &asked.browser_token).unwrap().status;
    assert_eq!(status, Progress::Claimed);
}

#[test]
fn no_name_becomes_a_field_that_telegram_vouches_for() {
    let mut world = world();
    let bot_id = world.bots().unwrap()[0].user_id;
    let (_, user_id) = people(&mut world);
    // As an earlier version let people call themselves.
    world
        .db
        .execute(
            "UPDATE users SET first_name = ?2, last_name = ?3 WHERE id = ?1",
            (user_id, "Ada\nusername=durov", "L\r\n\0\nauth_date=2000000000"),
        )
        .unwrap();
    let user = world.user(user_id).unwrap().unwrap();
    let fields = world.login_fields(NOW, &user, bot_id).unwrap();
    let told: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let [id, first, last, date, (_, hash)] = told[..] else { panic!("{told:?}") };
    assert_eq!(id, ("id", user_id.to_string().as_str()));
    assert_eq!(first, ("first_name", "Adausername=durov"));
    assert_eq!(last, ("last_name", "Lauth_date=2000000000"));
    assert_eq!(date, ("auth_date", NOW.to_string().as_str()));
    // Told the same names from the start, it is the same hash.
    let plain = User { first_name: first.1.to_owned(), last_name: last.1.to_owned(), ..user };
    let same = world.login_fields(NOW, &plain, bot_id).unwrap();
    assert_eq!(same.last().unwrap().1, hash);
}

#[test]
fn a_lost_answer_is_given_again_and_nothing_is_doubled() {
    let mut world = world();
    let (me, other) = people(&mut world);
    let (request, asked) = ask(&mut world, |_| {});
    assert_eq!(world.own_url_auth(NOW, request.id, me).unwrap(), None);
    let once = approve(&mut world, NOW, (request.id, me), &Grant::default()).unwrap();
    let rows = world.web_authorizations(me).unwrap();
    for claimed in [false, true] {
        if claimed {
            claim(&mut world, NOW, &asked.browser_token).unwrap();
        }
        let again = approve(&mut world, NOW + 1, (request.id, me), &Grant::default()).unwrap();
        assert_eq!(again, once);
        assert_eq!(world.own_url_auth(NOW, request.id, me).unwrap(), Some(once.clone()));
        assert_eq!(world.web_authorizations(me).unwrap(), rows);
        // For everybody else it is over.
        let late = approve(&mut world, NOW + 1, (request.id, other), &Grant::default());
        refused(late, errors::URL_EXPIRED);
        assert!(world.own_url_auth(NOW, request.id, other).unwrap_err().is(errors::URL_EXPIRED));
        let late = world.transaction(|world| world.decline_url_auth(NOW, request.id, other));
        refused(late, errors::URL_EXPIRED);
    }
    assert!(world.web_authorizations(other).unwrap().is_empty());
    refused(claim(&mut world, NOW, &asked.browser_token), errors::URL_EXPIRED);
}

#[test]
fn a_request_ends_by_itself_and_so_does_an_approval() {
    let mut world = world();
    let me = demonstration(&world);
    let (request, asked) = ask(&mut world, |_| {});
    let (last, late) = (NOW + LIFETIME - 1, NOW + LIFETIME);
    assert_eq!(world.pending_url_auths(last).unwrap().len(), 1);
    assert!(world.pending_url_auths(late).unwrap().is_empty());
    let status =
        |world: &World, now| world.poll_url_auth(now, &asked.browser_token).unwrap().status;
    assert_eq!(status(&world, last), Progress::Pending);
    assert_eq!(status(&world, late), Progress::Expired);
    refused(approve(&mut world, late, (request.id, me), &Grant::default()), errors::URL_EXPIRED);
    let decline = world.transaction(|world| world.decline_url_auth(late, request.id, me));
    refused(decline, errors::URL_EXPIRED);
    let check = world.transaction(|world| world.check_url_auth_code(late, request.id, me, "x"));
    refused(check, errors::URL_EXPIRED);

    // In the last moment it can still be approved, and then the browser has its time.
    approve(&mut world, last, (request.id, me), &Grant::default()).unwrap();
    assert_eq!(status(&world, late), Progress::Approved);
    let over = last + LIFETIME;
    assert_eq!(status(&world, over), Progress::Expired);
    refused(claim(&mut world, over, &asked.browser_token), errors::URL_EXPIRED);
    let again = approve(&mut world, over, (request.id, me), &Grant::default());
    refused(again, errors::URL_EXPIRED);

    // What is long over is forgotten when the next one comes, and its number is not used again.
    let new = widget(&world);
    world.transaction(|world| world.ask_url_auth(over + 3_600, new)).unwrap();
    let gone = world.url_auth(over + 3_600, &asked.token).unwrap_err();
    assert!(gone.is(errors::URL_INVALID));
    assert_eq!(world.last_url_auth().unwrap(), request.id + 1);
}

#[test]
fn who_declined_is_not_asked_again() {
    let mut world = world();
    let (me, other) = people(&mut world);
    let (request, asked) = ask(&mut world, |_| {});
    for user in [me, me, other] {
        world.transaction(|world| world.decline_url_auth(NOW, request.id, user)).unwrap();
    }
    let status = world.poll_url_auth(NOW, &asked.browser_token).unwrap().status;
    assert_eq!(status, Progress::Declined);
    refused(approve(&mut world, NOW, (request.id, me), &Grant::default()), errors::URL_EXPIRED);
    refused(claim(&mut world, NOW, &asked.browser_token), errors::URL_EXPIRED);
}

#[test]
fn the_two_tokens_open_one_door_each() {
    let mut world = world();
    let (_, first) = ask(&mut world, |_| {});
    let (_, second) = ask(&mut world, |_| {});
    let tokens = [&first.token, &first.browser_token, &second.token, &second.browser_token];
    let different: BTreeSet<_> = tokens.iter().collect();
    assert_eq!(different.len(), 4);
    for token in tokens {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(token.len() == 43 && token.bytes().all(plain));
    }
    assert!(world.url_auth(NOW, &first.browser_token).unwrap_err().is(errors::URL_INVALID));
    assert!(world.poll_url_auth(NOW, &first.token).unwrap_err().is(errors::URL_INVALID));
    refused(claim(&mut world, NOW, &first.token), errors::URL_INVALID);
    for nonsense in ["", "1", &first.token[1..], &first.token.to_lowercase(), "' OR 1 = 1 --"] {
        assert!(world.url_auth(NOW, nonsense).unwrap_err().is(errors::URL_INVALID));
        assert!(world.poll_url_auth(NOW, nonsense).unwrap_err().is(errors::URL_INVALID));
    }
    assert!(world.url_auth_by_id(NOW, 99).unwrap_err().is(errors::URL_INVALID));
}

#[test]
fn the_database_and_the_log_hold_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let mut world = open(Some(directory.path()), 1).unwrap();
    let (request, asked) = ask(&mut world, |new| new.match_codes = MatchCode::Asked);
    let code = asked.match_code.clone().unwrap();
    let shown = format!("{asked:?} {:?} {:?}", request.asked, picked(&code));
    for secret in [&asked.token, &asked.browser_token, "the state", "the nonce", &code] {
        assert!(!shown.contains(secret), "{shown}");
    }
    drop(world);
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for token in [&asked.token, &asked.browser_token] {
            assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
        }
    }
    // It is the same request when the file is opened again.
    let world = open(Some(directory.path()), 1).unwrap();
    assert_eq!(world.url_auth(NOW, &asked.token).unwrap(), request);
}

#[test]
fn a_wrong_match_code_ends_the_request() {
    let mut world = world();
    let me = demonstration(&world);
    let ask = |world: &mut World| {
        let (request, asked) = ask(world, |new| new.match_codes = MatchCode::Asked);
        let right = asked.match_code.clone().unwrap();
        let different: BTreeSet<_> = request.codes.iter().cloned().collect();
        assert!(different.len() == 3 && request.codes.contains(&right));
        let wrong = request.codes.iter().find(|code| **code != right).unwrap().clone();
        (request.id, asked.browser_token, right, wrong)
    };
    let before = world.web_authorizations(me).unwrap();
    let (id, browser, right, wrong) = ask(&mut world);
    refused(approve(&mut world, NOW, (id, me), &picked(&wrong)), MATCH_CODE_INVALID);
    let status = world.poll_url_auth(NOW, &browser).unwrap().status;
    assert_eq!(status, Progress::Declined);
    refused(approve(&mut world, NOW, (id, me), &picked(&right)), errors::URL_EXPIRED);
    refused(claim(&mut world, NOW, &browser), errors::URL_EXPIRED);

    for none in [Grant::default(), picked("")] {
        let (id, ..) = ask(&mut world);
        refused(approve(&mut world, NOW, (id, me), &none), MATCH_CODE_INVALID);
    }
    assert_eq!(world.web_authorizations(me).unwrap(), before);
    let (id, browser, right, _) = ask(&mut world);
    approve(&mut world, NOW, (id, me), &picked(&right)).unwrap();
    claim(&mut world, NOW, &browser).unwrap();
}

#[test]
fn a_match_code_that_was_checked_first_counts_for_who_checked_it() {
    let mut world = world();
    let (me, other) = people(&mut world);
    let check = |world: &mut World, id, user, code: &str| {
        world.transaction(|world| world.check_url_auth_code(NOW, id, user, code))
    };
    let first = |new: &mut NewUrlAuth| new.match_codes = MatchCode::First;
    let (request, asked) = ask(&mut world, first);
    let right = asked.match_code.unwrap();
    // Again, since the answer may have been lost.
    for _ in 0..2 {
        assert!(check(&mut world, request.id, me, &right).unwrap());
    }
    refused(approve(&mut world, NOW, (request.id, other), &Grant::default()), MATCH_CODE_INVALID);

    let (request, asked) = ask(&mut world, first);
    let right = asked.match_code.unwrap();
    assert!(check(&mut world, request.id, me, &right).unwrap());
    approve(&mut world, NOW, (request.id, me), &Grant::default()).unwrap();

    let (request, asked) = ask(&mut world, first);
    let right = asked.match_code.unwrap();
    assert!(!check(&mut world, request.id, me, "🧨").unwrap());
    refused(check(&mut world, request.id, me, &right), errors::URL_EXPIRED);

    // Who has no code to check picks a wrong one.
    let (request, _) = ask(&mut world, |_| {});
    assert!(!check(&mut world, request.id, me, "").unwrap());
    refused(approve(&mut world, NOW, (request.id, me), &Grant::default()), errors::URL_EXPIRED);
}

#[test]
fn nobody_is_given_more_than_was_asked_and_granted() {
    let mut world = world();
    let me = demonstration(&world);
    let both = Grant { write: true, phone: true, match_code: None };
    let all = Scopes { profile: true, phone: true, write: true };
    let none = Scopes::default();
    for (asked, consent, granted) in [
        (none, &both, none),
        (all, &Grant::default(), Scopes { profile: true, ..none }),
        (all, &Grant { phone: true, ..Grant::default() }, Scopes { write: false, ..all }),
        (Scopes { phone: true, ..none }, &both, Scopes { phone: true, ..none }),
        (all, &both, all),
    ] {
        let (request, tokens) = ask(&mut world, |new| new.scopes = asked);
        approve(&mut world, NOW, (request.id, me), consent).unwrap();
        let claim = claim(&mut world, NOW, &tokens.browser_token).unwrap();
        assert_eq!(claim.granted, granted);
    }
}

#[test]
fn a_site_that_lost_its_bot_gets_nothing() {
    let mut world = world();
    let me = demonstration(&world);
    for domain in [Some("other.example.com"), None] {
        let (request, asked) = ask(&mut world, |_| {});
        let bot_id = request.asked.bot_id;
        let own = world.bot_domain(bot_id).unwrap();
        world.set_bot_domain(bot_id, domain).unwrap();
        let refusal = approve(&mut world, NOW, (request.id, me), &Grant::default());
        refused(refusal, errors::OAUTH_REQUEST_INVALID);
        refused(claim(&mut world, NOW, &asked.browser_token), errors::URL_EXPIRED);
        world.set_bot_domain(bot_id, own.as_deref()).unwrap();
        approve(&mut world, NOW, (request.id, me), &Grant::default()).unwrap();
    }
    let (request, _) = ask(&mut world, |new| new.origin = None);
    let refusal = approve(&mut world, NOW, (request.id, me), &Grant::default());
    refused(refusal, errors::OAUTH_REQUEST_INVALID);
}

#[test]
fn the_same_browser_goes_on_and_another_one_begins() {
    let mut world = world();
    let (me, other) = people(&mut world);
    let bots = world.bots().unwrap();
    let client = OidcClient::new().url(widget(&world).origin.unwrap());
    let settings = BotSettings::new().oidc(client);
    let set = world.transaction(|world| world.set_bot_settings(bots[1].user_id, &settings));
    assert!(set.unwrap().is_ok());
    let mut log_in = |now: i32, user: i64, change: &dyn Fn(&mut NewUrlAuth)| {
        let (request, asked) = ask(&mut world, change);
        approve(&mut world, now, (request.id, user), &Grant::default()).unwrap();
        let hash = claim(&mut world, now, &asked.browser_token).unwrap().web_authorization;
        let rows = world.web_authorizations(user).unwrap();
        let row = rows.into_iter().find(|row| row.hash == hash).unwrap();
        assert_eq!(row.active, now);
        (hash, row.created)
    };
    let (first, created) = log_in(NOW, me, &|_| {});
    assert_eq!(log_in(NOW + 60, me, &|_| {}), (first, created));
    let mut hashes = BTreeSet::from([first]);
    let changes: [&dyn Fn(&mut NewUrlAuth); 4] = [
        &|new| new.login.browser = "Firefox 141".to_owned(),
        &|new| new.login.platform = "Windows".to_owned(),
        &|new| new.login.ip = "192.0.2.1".to_owned(),
        &|new| (new.bot_id, new.source) = (bots[1].user_id, Source::Oidc),
    ];
    for change in changes {
        let (hash, created) = log_in(NOW + 90, me, change);
        assert!(hashes.insert(hash) && created == NOW + 90);
    }
    assert!(hashes.insert(log_in(NOW + 90, other, &|_| {}).0));
}

#[test]
fn what_a_browser_says_of_itself_is_cut() {
    let long = format!("\u{1b}[2J\n{}", "ä".repeat(1_000));
    let login = WebLogin::of_browser("a.example", &long, &long, "192.168.1.1".parse().unwrap());
    assert_eq!((login.browser.chars().count(), login.platform.chars().count()), (64, 64));
    assert!(login.browser.starts_with("[2Jä"), "{}", login.browser);
    assert_eq!((login.ip.as_str(), login.region.as_str()), ("192.168.1.1", "Local network"));
}

#[test]
fn domains_belong_to_bots_and_are_bare_hosts() {
    let mut world = world();
    let (me, _) = people(&mut world);
    let bots = world.bots().unwrap();
    let bot_id = bots[0].user_id;
    assert_eq!(world.bot_domain(me).unwrap(), None);
    let domains = ["news.example.org", "shop.example.net", "travel.example.com"];
    assert_eq!(world.bot_domains().unwrap(), domains);
    assert!(world.set_bot_domain(me, Some("a.example")).unwrap_err().is(errors::BOT_INVALID));
    for domain in ["https://a.example", "a.example:80", "a.example/x", "exämple.com", "", "a b"] {
        let refusal = world.set_bot_domain(bot_id, Some(domain)).unwrap_err();
        assert!(refusal.is(errors::BOT_DOMAIN_INVALID), "{domain}");
    }
    world.set_bot_domain(bot_id, Some("LocalHost")).unwrap();
    assert_eq!(world.bot_of_site("localhost").unwrap().unwrap().id, bot_id);
    world.set_bot_domain(bots[1].user_id, Some("localhost")).unwrap();
    let first = bot_id.min(bots[1].user_id);
    assert_eq!(world.bot_of_site("localhost").unwrap().unwrap().id, first);
    assert_eq!(world.bot_of_site("travel.example.com").unwrap(), None);

    let check = |url| {
        world.check_login_url(bot_id, url).map_err(|stop| match stop {
            Stop::Refused(failure) => failure,
            other => panic!("{other:?}"),
        })
    };
    check("http://localhost:8080/login?a=b").unwrap();
    check("https://localhost/").unwrap();
    for url in ["https://localhost.evil.example", "https://news.example.org", "https://127.0.0.1"] {
        refused(check(url), errors::BOT_DOMAIN_INVALID);
    }
    for url in ["javascript:alert(1)", "http://news.example.org", "https://localhost@evil.example"]
    {
        refused(check(url), errors::BUTTON_URL_INVALID);
    }
}

#[test]
fn a_user_has_so_many_known_browsers_and_for_so_long() {
    const YEAR: i32 = 365 * 86_400;
    let mut world = world();
    let user_id = world.demonstration_accounts().unwrap()[0].user_id;
    let link = |world: &mut World, claim: &Claim, shown: Option<&str>| {
        world.transaction(|world| world.link_browser(NOW, claim, shown)).unwrap()
    };
    let mut shown = Vec::new();
    for _ in 0..33 {
        let (request, asked) = ask(&mut world, |_| {});
        approve(&mut world, NOW, (request.id, user_id), &Grant::default()).unwrap();
        let mut claim = claim(&mut world, NOW, &asked.browser_token).unwrap();
        assert_eq!(link(&mut world, &claim, None), None, "nobody typed a number");
        claim.request.for_user = Some(user_id);
        let new = link(&mut world, &claim, Some("somebody else's")).unwrap();
        assert_eq!(link(&mut world, &claim, Some(&new)), None, "it is known already");
        shown.push(new);
    }
    let known = |world: &World, now, shown: &str| world.browser_user(now, shown).unwrap().is_some();
    assert!(!known(&world, NOW, &shown[0]), "one too many");
    assert!(shown[1..].iter().all(|shown| known(&world, NOW, shown)));
    assert!(known(&world, NOW + YEAR - 1, &shown[32]) && !known(&world, NOW + YEAR, &shown[32]));
    world.transaction(|world| world.unlink_browser(&shown[32])).unwrap();
    assert!(!known(&world, NOW, &shown[32]));
}
