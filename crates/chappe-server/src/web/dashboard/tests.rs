//! Every page, with text from people who wish us ill.

use std::collections::BTreeMap;

use maud::Markup;

use super::{
    account::{self, Account, NewAccount, Site},
    calls::{self, Log},
    consent::{self, Consent},
    layout::{Frame, Part},
    letters,
    overview::{self, Overview},
};
use crate::{
    bots::{BotInfo, BotSettings, OidcClient},
    faults::Call,
    letters::Letter,
    logins::{App, Login, LoginBot, Scopes, Source},
    world::{
        self, Dcs, NewMessage, Origin, Person, SERVICE_ID, User, Wanted, WebAuthorization,
        WebLogin, World,
    },
};

const NOW: i32 = 1_800_000_000;
const FRAME: Frame<'static> =
    Frame { room: "/room", ticket: "t1cket", now: NOW, waiting: 1, notice: Some("Done.") };

/// What a stranger may call himself.
const EVIL: &str = "\"><script>alert(1)</script>' onload=x \u{202e}gnp.exe{{7*7}}\u{1b}[2J";

struct Story {
    world: World,
    me: i64,
}

impl Story {
    fn new() -> Self {
        let origin =
            Origin { directory: None, seed: [4; 32], codes: world::test_code, dcs: Dcs::one(2) };
        let world = World::open(origin, NOW).unwrap();
        let me = world.demonstration_accounts().unwrap()[0].user_id;
        Self { world, me }
    }

    fn evil_bot(&mut self) -> User {
        let id = self.world.add_bot(NOW, "EvilBot", EVIL).unwrap();
        self.world.user(id).unwrap().unwrap()
    }

    fn person(&self, id: i64) -> Person {
        self.world.person(id).unwrap().unwrap()
    }
}

fn login(text: &str, bot: &User) -> Login {
    Login {
        id: 7,
        source: Source::Oidc,
        bot: LoginBot {
            user_id: bot.id,
            username: bot.username.clone().unwrap(),
            name: bot.first_name.clone(),
        },
        domain: text.to_owned(),
        browser: text.to_owned(),
        platform: text.to_owned(),
        ip: text.to_owned(),
        region: text.to_owned(),
        asks: Scopes { profile: true, write: true, phone: true },
        match_codes: vec!["🦊".to_owned(), "🐙".to_owned(), "⛵".to_owned()],
        app: Some(App { verified_name: Some(text.to_owned()) }),
        user_id: None,
        user_id_hint: None,
        created: NOW - 48,
        expires: NOW + 252,
    }
}

fn call(number: u64, method: &str, error: Option<&str>, answered: bool) -> Call {
    let mut log = crate::faults::CallLog::default();
    let session = chappe_mtproto::server::SessionRef { auth_key_id: 1, session_id: 2 };
    let outcome = crate::faults::Outcome {
        executed: error.is_none(),
        answered,
        error: error.map(str::to_owned),
    };
    log.add(NOW - 5, 2, method, session, 3, outcome);
    Call { number, ..log.tell().recent[0].clone() }
}

fn pages(text: &str) -> Vec<(&'static str, Markup)> {
    let mut story = Story::new();
    let bot = story.evil_bot();
    let evil = story.world.add_person(NOW, "15550100200", text, text).unwrap();
    let note = NewMessage::text(format!("Login code: 12345\n{text}"));
    story.world.service_message(NOW - 9, evil, note).unwrap();
    let login = login(text, &bot);
    let people = vec![story.person(story.me), story.person(evil)];
    let row = WebAuthorization {
        hash: -5,
        bot_id: bot.id,
        created: NOW - 600,
        active: 0,
        login: WebLogin {
            domain: text.to_owned(),
            browser: text.to_owned(),
            platform: text.to_owned(),
            ip: text.to_owned(),
            region: String::new(),
        },
    };
    let sites = || vec![Site { row: row.clone(), bot: bot.clone() }; 14];
    let user = story.person(evil).user;
    let letter: Letter = serde_json::from_value(serde_json::json!({
        "id": 1, "date": NOW - 70, "way": "email", "to": text, "subject": "sign_in",
        "code": text, "text": text,
    }))
    .unwrap();
    let settings = BotSettings::new().domain(text).oidc(OidcClient::new());
    let info = BotInfo { user_id: bot.id, name: text.to_owned(), settings };
    let shown = Overview {
        logins: vec![login.clone()],
        people: people.clone(),
        more: 3,
        bots: BTreeMap::from([("EvilBot".to_owned(), info)]),
    };
    let account = Account {
        person: story.person(evil),
        dc: 2,
        password: true,
        devices: Vec::new(),
        sites: sites(),
        notes: story.world.history(evil, SERVICE_ID, Wanted::default()).unwrap().0,
        letters: vec![letter.clone()],
        blocked: vec![bot.clone()],
    };
    let rows = vec![
        calls::Row {
            call: call(3, "auth.signIn", None, true),
            user: Some((evil, text.to_owned())),
        },
        calls::Row { call: call(2, text, Some(text), true), user: None },
        calls::Row { call: call(1, "help.getConfig", None, false), user: None },
    ];
    let log = Log { rows, total: 3, filter: text.to_owned() };
    let typed = NewAccount {
        phone: text.to_owned(),
        first_name: text.to_owned(),
        last_name: text.to_owned(),
        problem: Some(text.to_owned()),
    };
    vec![
        ("overview", overview::page(&FRAME, &shown)),
        ("logins", consent::list(&FRAME, std::slice::from_ref(&login))),
        (
            "login",
            consent::page(&FRAME, &Consent { login, people, problem: Some(text.to_owned()) }),
        ),
        ("opens", consent::opens(&FRAME, &format!("https://{text}"))),
        ("account", account::page(&FRAME, &account)),
        ("site", account::site(&FRAME, &user, &sites()[0])),
        ("disconnect", account::ask_disconnect(&FRAME, &user, &sites()[0])),
        ("disconnect-all", account::ask_disconnect_all(&FRAME, &user, &sites())),
        ("new-account", account::ask_new(&FRAME, &typed)),
        ("calls", calls::page(&FRAME, &log)),
        ("letters", letters::page(&FRAME, &[letter])),
        ("sorry", FRAME.sorry(Part::Overview, "No such page", text)),
    ]
}

/// A page without what stands in its fields and addresses: that is as it was given.
fn without_values(page: &str) -> String {
    [" value=\"", " href=\""].iter().fold(page.to_owned(), |page, attribute| {
        let mut pieces = page.split(attribute);
        let mut seen = pieces.next().unwrap().to_owned();
        for piece in pieces {
            seen.push_str(piece.split_once('"').unwrap().1);
        }
        seen
    })
}

#[test]
fn no_foreign_text_becomes_markup() {
    for (name, page) in pages(EVIL) {
        let page = page.into_string();
        let scripts = page.matches("<script").count();
        assert_eq!(scripts, 1, "{name} has one script, its own: {page}");
        assert!(!page.contains("alert(1)<"), "{name}");
        let seen = without_values(&page);
        assert!(!seen.contains('\u{202e}') && !seen.contains('\u{1b}'), "{name}: {seen}");
    }
}

#[test]
fn a_consent_says_no_more_than_the_site_learns() {
    let mut story = Story::new();
    let bot = story.evil_bot();
    for profile in [false, true] {
        let login = Login {
            asks: Scopes { profile, ..Scopes::default() },
            ..login("shop.example.net", &bot)
        };
        let people = vec![story.person(story.me)];
        let page = consent::page(&FRAME, &Consent { login, people, problem: None }).into_string();
        assert_eq!(page.contains("your name, your username"), profile, "{page}");
        assert_eq!(page.contains("a name for you that only it knows"), !profile, "{page}");
    }
}
