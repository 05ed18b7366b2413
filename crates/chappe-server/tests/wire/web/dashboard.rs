//! The dashboard, as the person at the keyboard, as other pages and as other users of the machine
//! see it.

use std::time::Duration;

use chappe_api::{account, contacts, enums, errors, users};
use chappe_server::{
    Handle,
    bots::{MatchCode, Nonce},
    browser::{NewLogin, Progress},
    numbers::Number,
};

use super::server;
use crate::{
    client::{Client, introduced},
    http::{Answer, Browser},
};

/// What a stranger may call himself.
const EVIL: &str = "\"><script>alert(1)</script>\u{202e}gnp.exe";

/// How long an update may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser that has opened the printed URL.
struct Person {
    browser: Browser,
    /// The folder that all pages are in.
    room: String,
    ticket: String,
}

impl Person {
    async fn at(server: &Handle) -> Self {
        let url = server.announcement().dashboard.clone().unwrap();
        let mut browser = Browser::at(&url);
        let path = url.split_once(&browser.host).unwrap().1.to_owned();
        assert_eq!(browser.get(&path).await.status, 200);
        let room = path.split_once("/?key=").unwrap().0.to_owned();
        let mut person = Self { browser, room, ticket: String::new() };
        let form = person.page("/accounts/new").await;
        person.ticket = form.between("name=\"ticket\" value=\"", "\"").to_owned();
        person
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.browser.get(&format!("{}{path}", self.room)).await
    }

    /// A page that must be there.
    async fn page(&mut self, path: &str) -> Answer {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer
    }

    /// Presses the button of a form; what is typed in is percent-encoded.
    async fn post(&mut self, path: &str, form: &str) -> Answer {
        let form = format!("ticket={}&{form}", self.ticket);
        self.browser.post(&format!("{}{path}", self.room), &form).await
    }

    /// Presses a button, and sees the page that shows what it did.
    async fn press(&mut self, path: &str, form: &str) -> Answer {
        let answer = self.post(path, form).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.body);
        let next = answer.header("location").to_owned();
        let page = self.browser.get(&next).await;
        assert!(page.body.contains("class=\"notice\""), "{next}: {}", page.body);
        page
    }
}

fn key(server: &Handle) -> String {
    let url = server.announcement().dashboard.clone().unwrap();
    url.rsplit_once("?key=").unwrap().1.to_owned()
}

/// Every page that there is for an account, a site and a bot.
fn pages(server: &Handle) -> Vec<String> {
    let user = server.accounts()[0].user_id;
    let account = format!("/accounts/{user}");
    vec![
        "/".to_owned(),
        account.clone(),
        format!("{account}/sites/disconnect"),
        format!("{account}/sites/4457235"),
        format!("{account}/sites/4457235/disconnect"),
        format!("{account}/devices/terminate"),
        "/accounts/new".to_owned(),
        "/logins".to_owned(),
        "/bots".to_owned(),
        "/bots/new".to_owned(),
        "/bots/ColumbusDemoBot".to_owned(),
        "/bots/ColumbusDemoBot/openid/secret".to_owned(),
        "/bots/ColumbusDemoBot/openid/remove".to_owned(),
        "/calls".to_owned(),
        "/letters".to_owned(),
    ]
}

#[tokio::test]
async fn without_the_key_there_is_nothing() {
    let server = server(1).await;
    let url = server.announcement().dashboard.clone().unwrap();
    let (mut person, key) = (Person::at(&server).await, key(&server));
    let mut stranger = Browser::at(&url);
    let locked = stranger.get("/").await;
    assert_eq!(locked.status, 403);
    let room = person.room.clone();
    let mut tried: Vec<_> = pages(&server).iter().map(|page| format!("{room}{page}")).collect();
    for file in ["dashboard.css", "dashboard.js", "icon.svg", "nowhere", "?key=", "?key=AAAA"] {
        tried.push(format!("{room}/{file}"));
    }
    tried.extend([format!("{room}/?key={}", &key[1..]), format!("/?key={key}"), room.clone()]);
    for path in tried {
        let answer = stranger.get(&path).await;
        assert_eq!((answer.status, &answer.body), (403, &locked.body), "{path}");
        assert!(!answer.has("set-cookie"), "{path}");
    }
    // Somebody who was given the cookie by a browser, at another port of this host, has no room.
    stranger.cookies = person.browser.cookies.clone();
    assert_eq!(stranger.cookies.values().collect::<Vec<_>>(), [&key]);
    for path in ["/", "/calls", "/dashboard.js"] {
        assert_eq!(stranger.get(path).await.status, 403, "{path}");
    }
    assert_eq!(person.get("/").await.status, 200);

    let entered = Browser::at(&url).get(&format!("{room}/?key={key}")).await;
    let cookie = entered.header("set-cookie");
    assert!(cookie.ends_with(&format!("; Path={room}; HttpOnly; SameSite=Strict")), "{cookie}");
    assert_eq!(entered.header("referrer-policy"), "no-referrer");
    assert!(entered.body.contains(&format!("content=\"0; url={room}/\"")), "{}", entered.body);
}

#[tokio::test]
async fn every_page_is_its_own_and_bears_no_key() {
    let server = server(2).await;
    let (mut person, key) = (Person::at(&server).await, key(&server));
    let mut all = pages(&server);
    all.push("/nowhere".to_owned());
    for path in all {
        let answer = person.get(&path).await;
        assert_eq!(answer.status, if path == "/nowhere" { 404 } else { 200 }, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        let body = &answer.body;
        assert!(!body.contains(&key), "{path}");
        assert!(!body.contains(" style=") && !body.contains(" onclick="), "{path}: {body}");
        assert_eq!(body.matches("<script").count(), 1, "{path}: {body}");
        assert!(body.contains(&format!("<script src=\"{}/dashboard.js\" defer>", person.room)));
        // What assistive programs need.
        assert!(body.contains("<html lang=\"en\">") && body.contains("<main id=\"content\""));
        assert_eq!(body.matches("<h1").count(), 1, "{path}: {body}");
        assert!(body.contains("<a class=\"skip\" href=\"#content\">"));
    }
    for (file, kind) in
        [("dashboard.css", "text/css"), ("dashboard.js", "text/javascript"), ("icon.svg", "image/")]
    {
        let answer = person.page(&format!("/{file}")).await;
        assert!(answer.header("content-type").starts_with(kind), "{file}");
    }
}

#[tokio::test]
async fn nothing_is_done_for_another_page() {
    let server = server(3).await;
    let user = server.accounts()[0].user_id;
    let mut person = Person::at(&server).await;
    let path = format!("/accounts/{user}/sites/4457235/disconnect");
    let whole = format!("{}{path}", person.room);
    let ticket = format!("ticket={}", person.ticket);
    let wrong = format!("ticket={}x", &person.ticket[1..]);
    let own = format!("Origin: http://{}\r\n", person.browser.host);
    let near = "Origin: http://127.0.0.1:1\r\n";
    for (headers, form) in [
        (own.as_str(), ""),
        (own.as_str(), wrong.as_str()),
        (own.as_str(), &format!("{ticket}&{ticket}")),
        (near, &ticket),
        ("Origin: null\r\n", &ticket),
        (&format!("{own}{near}"), &ticket),
        ("Sec-Fetch-Site: same-site\r\n", &ticket),
        ("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", &ticket),
    ] {
        let answer = person.browser.ask("POST", &whole, headers, form).await;
        assert!(answer.status == 403 || answer.status == 400, "{headers}{form}: {answer:?}");
    }
    let frame =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n";
    assert_eq!(person.browser.ask("GET", &whole, frame, "").await.status, 403);
    // A look changes nothing, and neither does a method that there is no button for.
    assert!(person.page(&path).await.body.contains("travel.example.com"));
    for method in ["PUT", "DELETE", "PATCH"] {
        assert_eq!(person.browser.ask(method, &whole, &own, &ticket).await.status, 405);
    }
    assert_eq!(person.post("/calls", "").await.status, 405);
    let large = format!("{ticket}&x={}", "x".repeat(20_000));
    assert_eq!(person.browser.post(&whole, &large).await.status, 413);
    person.page(&format!("/accounts/{user}/sites/4457235")).await;
    person.press(&path, "").await;
    assert_eq!(person.get(&format!("/accounts/{user}/sites/4457235")).await.status, 404);
}

#[tokio::test]
async fn a_website_is_disconnected_as_the_apps_do_it() {
    let server = server(4).await;
    let me = server.accounts()[0].clone();
    let mut person = Person::at(&server).await;
    let mut client = Client::connect(&server, 1).await;
    client.sign_in(&me.phone, &me.code).await.unwrap();
    let listed = client.call(&account::GetWebAuthorizations {}).await.unwrap();
    assert_eq!(listed.authorizations.len(), 6);

    let account = format!("/accounts/{}", me.user_id);
    let page = person.page(&account).await;
    let order: Vec<_> = ["oauth.example.com", "travel.example.com", "news.example.org"]
        .map(|domain| page.body.find(domain).unwrap())
        .into();
    assert!(order.is_sorted(), "the last used first");
    assert!(page.body.contains("München, Deutschland</bdi> – <time"), "{}", page.body);
    let site = person.page(&format!("{account}/sites/4457235")).await;
    for shown in ["Columbus Travel", "Firefox 128", "Linux", "192.0.2.17", "Amsterdam", "4457235"] {
        assert!(site.body.contains(shown), "{shown}: {}", site.body);
    }
    let question = person.page(&format!("{account}/sites/4457235/disconnect")).await;
    for shown in ["travel.example.com", "Block <bdi>Columbus Travel</bdi>", "its own affair"] {
        assert!(question.body.contains(shown), "{shown}: {}", question.body);
    }

    let page = person.press(&format!("{account}/sites/4457235/disconnect"), "block=yes").await;
    assert!(page.body.contains("the bot is blocked"), "{}", page.body);
    assert!(page.body.contains("@<bdi>ColumbusDemoBot</bdi>"), "it is listed as blocked");
    // Whoever is connected hears what it would hear of another device.
    let enums::Update::PeerBlocked(update) = client.short_update().await else { panic!() };
    let bot = server.bots().iter().find(|bot| bot.username == "ColumbusDemoBot").unwrap();
    assert!(update.blocked);
    assert_eq!(update.peer_id, chappe_api::types::PeerUser { user_id: bot.user_id }.into());
    let blocked = contacts::GetBlocked { my_stories_from: false, offset: 0, limit: 10 };
    let enums::contacts::Blocked::Blocked(blocked) = client.call(&blocked).await.unwrap() else {
        panic!()
    };
    assert_eq!(blocked.blocked.len(), 1);
    client.refused(&account::ResetWebAuthorization { hash: 4_457_235 }, errors::HASH_INVALID).await;
    // Again, or of somebody else, or a device: there is nothing to end.
    for path in ["/sites/4457235/disconnect", "/sites/0/disconnect", "/devices/4457235/terminate"] {
        assert_eq!(person.post(&format!("{account}{path}"), "").await.status, 404, "{path}");
    }

    let question = person.page(&format!("{account}/sites/disconnect")).await;
    assert!(question.body.contains("5 logins") && question.body.contains("shop.example.net"));
    let page = person.press(&format!("{account}/sites/disconnect"), "").await;
    assert!(page.body.contains("No website."), "{}", page.body);
    let listed = client.call(&account::GetWebAuthorizations {}).await.unwrap();
    assert!(listed.authorizations.is_empty());
}

#[tokio::test]
async fn devices_are_terminated_one_by_one_or_all_but_one() {
    let server = server(5).await;
    let me = server.accounts()[0].clone();
    let mut person = Person::at(&server).await;
    let account = format!("/accounts/{}", me.user_id);
    let mut clients = Vec::new();
    for number in 1..=3 {
        let mut client = Client::connect(&server, number).await.unintroduced();
        let config = introduced(chappe_api::help::GetConfig {});
        let mut config = config;
        config.query.device_model = format!("Desk {number}").as_str().into();
        client.call(&config).await.unwrap();
        client.sign_in(&me.phone, &me.code).await.unwrap();
        clients.push(client);
    }
    let page = person.page(&account).await;
    for number in 1..=3 {
        assert!(page.body.contains(&format!("<bdi>Desk {number}</bdi>")), "{}", page.body);
    }
    assert!(page.body.contains("Linux 6.12") && page.body.contains("This machine"));
    let hash = |page: &Answer, name: &str| {
        let row = page.body.split("<li class=\"row\">").find(|row| row.contains(name)).unwrap();
        let (before, _) = row.split_once("/terminate\"").unwrap();
        before.rsplit('/').next().unwrap().to_owned()
    };
    let (first, second) = (hash(&page, ">Desk 1<"), hash(&page, ">Desk 2<"));
    let one = format!("{account}/devices/{first}/terminate");
    assert!(person.page(&one).await.body.contains("Desk 1"));
    let page = person.press(&one, "").await;
    assert!(!page.body.contains(">Desk 1<"), "{}", page.body);
    // A device that is a minute old may not end others: the person at the keyboard may.
    let me_input = users::GetUsers { id: vec![enums::InputUser::InputUserSelf] };
    clients[0].refused(&me_input, errors::SESSION_REVOKED).await;
    clients[1].call(&me_input).await.unwrap();

    let others = format!("{account}/devices/terminate");
    let question = person.page(&others).await;
    assert!(question.body.contains(">Desk 2<") && question.body.contains(">Desk 3<"));
    for nonsense in ["", "keep=7", "keep=x"] {
        assert_eq!(person.post(&others, nonsense).await.status, 404, "{nonsense}");
    }
    clients[2].call(&me_input).await.unwrap();
    person.press(&others, &format!("keep={second}")).await;
    clients[1].call(&me_input).await.unwrap();
    clients[2].refused(&me_input, errors::SESSION_REVOKED).await;
    let page = person.press(&others, "keep=none").await;
    assert!(page.body.contains("Nobody is signed in"), "{}", page.body);
    clients[1].refused(&me_input, errors::SESSION_REVOKED).await;
}

#[tokio::test]
async fn accounts_are_made_and_sign_in_and_evil_names_stay_names() {
    let server = server(6).await;
    let mut person = Person::at(&server).await;
    for (form, problem) in [
        ("phone=&first_name=Ada", "no phone number"),
        ("phone=99966912345&first_name=Ada", "no phone number"),
        ("phone=%2B999+66+2+1234&first_name=Ada", "has an account already"),
        ("phone=15550100200&first_name=+", "Give a first name"),
        (&format!("phone=15550100200&first_name={}", "x".repeat(65)), "Give a first name"),
        (&format!("phone=15550100200&first_name=x&last_name={}", "x".repeat(65)), "more than 64"),
        ("phone=15550100200&first_name=x%0Ay", "in one line"),
        ("phone=15550100200&first_name=x&last_name=%00%1b%5B2J", "more than one line"),
    ] {
        let answer = person.post("/accounts/new", form).await;
        assert_eq!(answer.status, 422, "{form}");
        let told = answer.between("role=\"alert\">", "</p>");
        assert!(told.contains(problem), "{form}: {told}");
    }
    let typed = person.post("/accounts/new", "phone=1&first_name=%22%3E%3Cb%3E").await;
    assert!(typed.body.contains("value=\"&quot;&gt;&lt;b&gt;\""), "{}", typed.body);

    let encoded: String = EVIL.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let form = format!("phone=%2B999+66+2+5678&first_name={encoded}&last_name=L");
    let page = person.press("/accounts/new", &form).await;
    let shown =
        "<bdi>&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;<span class=\"spelled\">U+202E";
    assert!(page.body.contains(shown), "{}", page.body);
    assert!(!page.body.contains("\u{202e}"));
    let overview = person.page("/").await;
    assert!(overview.body.contains(shown) && overview.body.matches("<script").count() == 1);
    let mut client = Client::connect(&server, 1).await;
    client.sign_in("9996625678", "22222").await.unwrap();
    assert!(person.page("/calls").await.body.contains("auth.signIn"));
    server.numbers().set("15550100200", Number::new().code("424242")).await.unwrap();
    let page = person.press("/accounts/new", "phone=15550100200&first_name=Ada").await;
    assert!(page.body.contains("424242"), "{}", page.body);
    let page = person.press("/accounts/new", "phone=15550100201&first_name=Bob").await;
    assert!(page.body.contains("by letter"), "{}", page.body);
}

#[tokio::test]
async fn bots_get_domains_and_openid_clients_whose_secret_is_shown_once() {
    let server = server(7).await;
    let mut person = Person::at(&server).await;
    for (form, problem) in
        [("username=Quay&name=Quay", "username"), ("username=QuayShopBot&name=", "name")]
    {
        let answer = person.post("/bots/new", form).await;
        assert_eq!(answer.status, 422, "{form}");
        assert!(answer.between("role=\"alert\">", "</p>").contains(problem), "{form}");
    }
    person.press("/bots/new", "username=QuayShopBot&name=Quay+Shop").await;
    let bot = "/bots/QuayShopBot";
    let wrong = person.post(&format!("{bot}/domain"), "domain=https%3A%2F%2Fshop.example").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("value=\"https://shop.example\""), "what was typed stays");
    person.press(&format!("{bot}/domain"), "domain=+shop.example+").await;
    let settings = || async { server.bot_father().get("QuayShopBot").await.unwrap().unwrap() };
    assert_eq!(settings().await.settings.domain.as_deref(), Some("shop.example"));

    let openid = format!("{bot}/openid");
    let wrong = person.post(&openid, "urls=javascript%3Aalert(1)&enabled=yes").await;
    assert_eq!(wrong.status, 422);
    assert!(settings().await.settings.oidc.is_none());
    let urls = "urls=http%3A%2F%2Flocalhost%3A8080%0D%0A%0D%0Ahttp%3A%2F%2Flocalhost%3A8080%2Fcb";
    let form = format!("{urls}&native_urls=quay%3A%2F%2Flogin&alg=EdDSA&nonce=always&enabled=yes");
    let told = person.post(&openid, &form).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let secret = told.between("<code class=\"secret\">", "</code>").to_owned();
    assert_eq!(secret.len(), 43);
    let client = settings().await.settings.oidc.unwrap();
    assert_eq!(client.urls, ["http://localhost:8080", "http://localhost:8080/cb"]);
    assert_eq!((client.alg.name(), client.native_urls), ("EdDSA", vec!["quay://login".to_owned()]));
    let page = person.page(bot).await;
    assert!(!page.body.contains(&secret) && page.body.contains("told once"), "{}", page.body);
    assert!(page.body.contains(server.announcement().web.as_deref().unwrap()), "the issuer");
    // A change keeps the secret, and what its form does not say; the domain's form keeps the client.
    person.press(&openid, &format!("{urls}&alg=ES256&match_codes=first")).await;
    let page = person.page(bot).await;
    assert!(page.body.contains("<option value=\"first\" selected>"), "{}", page.body);
    person.press(&openid, urls).await;
    person.press(&format!("{bot}/domain"), "").await;
    let kept = settings().await.settings;
    let client = kept.oidc.unwrap();
    assert_eq!((kept.domain, client.alg.name(), client.enabled), (None, "ES256", false));
    assert_eq!((client.match_codes, client.nonce), (MatchCode::First, Nonce::Always));

    assert!(person.page(&format!("{openid}/secret")).await.body.contains("void at once"));
    let renewed = person.post(&format!("{openid}/secret"), "").await;
    assert_ne!(renewed.between("<code class=\"secret\">", "</code>"), secret);
    person.press(&format!("{openid}/remove"), "").await;
    assert!(settings().await.settings.oidc.is_none());
    assert_eq!(person.post(&format!("{openid}/secret"), "").await.status, 404);
    for nobody in ["/bots/NobodyBot", "/bots/%3Cscript%3E", "/bots/NobodyBot/openid/secret"] {
        assert_eq!(person.get(nobody).await.status, 404, "{nobody}");
    }
}

#[tokio::test]
async fn two_forms_about_one_bot_at_the_same_instant_both_count() {
    let server = server(18).await;
    let (mut ada, mut max) = (Person::at(&server).await, Person::at(&server).await);
    ada.press("/bots/new", "username=QuayShopBot&name=Quay+Shop").await;
    for port in 8_080..8_090 {
        let (domain, url) = (format!("shop{port}.example"), format!("http://localhost:{port}"));
        let (of_domain, of_client) = (format!("domain={domain}"), format!("urls={url}"));
        let (ada, max) = tokio::join!(
            ada.post("/bots/QuayShopBot/domain", &of_domain),
            max.post("/bots/QuayShopBot/openid", &of_client),
        );
        assert_eq!((ada.status, max.status), (303, if port == 8_080 { 200 } else { 303 }));
        let kept = server.bot_father().get("QuayShopBot").await.unwrap().unwrap().settings;
        assert_eq!((kept.domain, kept.oidc.unwrap().urls), (Some(domain), vec![url]));
    }
}

#[tokio::test]
async fn calls_and_letters_are_seen_as_they_come() {
    let server = server(8).await;
    let me = server.accounts()[0].clone();
    let mut person = Person::at(&server).await;
    assert!(person.page("/calls").await.body.contains("No client has called"));
    assert!(person.page("/letters").await.body.contains("No letter was sent"));
    let mut client = Client::connect(&server, 1).await;
    client.refused(&account::GetWebAuthorizations {}, errors::AUTH_KEY_UNREGISTERED).await;
    client.send_code("15550100200").await.unwrap();
    client.sign_in(&me.phone, &me.code).await.unwrap();
    let calls = person.page("/calls").await.body;
    let newest = calls.find("auth.signIn").unwrap();
    assert!(newest < calls.find("account.getWebAuthorizations").unwrap(), "the newest first");
    assert!(calls.contains("AUTH_KEY_UNREGISTERED") && calls.contains(">ok<"), "{calls}");
    assert!(calls.contains(&format!("/accounts/{}\"><bdi>Claude</bdi>", me.user_id)), "{calls}");
    for (filter, found) in
        [("signIn", true), ("AUTH.*in", true), ("account.", false), ("%3Cscript%3E", false)]
    {
        let page = person.page(&format!("/calls?method={filter}")).await.body;
        assert_eq!(page.contains("<bdi>auth.signIn"), found, "{filter}: {page}");
    }
    let letters = person.page("/letters").await.body;
    let letter = server.letters().last_to("15550100200").await.unwrap().unwrap();
    assert!(letters.contains("+15550100200") && letters.contains(&letter.code), "{letters}");
    let mine = person.page(&format!("/accounts/{}", me.user_id)).await.body;
    assert!(mine.contains("22222") && !mine.contains(&letter.code), "letters to this number only");
    // The next device's code comes to the first one, as a message from Telegram.
    let mut other = Client::connect(&server, 2).await;
    other.send_code(&me.phone).await.unwrap();
    let mine = person.page(&format!("/accounts/{}", me.user_id)).await;
    let note = mine.between("<li class=\"note\">", "</li>");
    assert!(note.contains("Login code: 22222"), "{note}");
}

#[tokio::test]
async fn a_notice_says_only_what_the_dashboard_says() {
    let server = server(9).await;
    let mut person = Person::at(&server).await;
    for (said, shown) in [
        ("?done=saved", "Saved."),
        ("?done=%3Cb%3EYour+account+ends", ""),
        ("?done=saved&done=made", ""),
        ("?done=", ""),
    ] {
        let page = person.page(&format!("/{said}")).await.body;
        assert_eq!(page.contains("class=\"notice\""), !shown.is_empty(), "{said}");
        assert!(page.contains(shown) && !page.contains("Your account ends"), "{said}");
    }
}

/// The number of the one request that waits.
async fn waiting(server: &Handle) -> i64 {
    let pending = server.logins().pending().await.unwrap();
    assert_eq!(pending.len(), 1);
    pending[0].id
}

#[tokio::test]
async fn a_consent_shows_what_an_app_shows_and_gives_what_was_ticked() {
    let server = server(10).await;
    let me = server.accounts()[0].clone();
    let mut person = Person::at(&server).await;
    person.press("/accounts/new", "phone=9996625678&first_name=Ada").await;
    let mut client = Client::connect(&server, 1).await;
    client.sign_in(&me.phone, &me.code).await.unwrap();
    let ip = "203.0.113.99".parse().unwrap();
    let login = NewLogin::at("SemaphoreShopBot").write().phone().match_code();
    let login = login.user_id_hint(me.user_id).from("Edge 140", "Windows", ip);
    let browser = server.log_in(login).await.unwrap();
    let id = waiting(&server).await;
    for page in ["/", "/logins"] {
        let page = person.page(page).await.body;
        assert!(page.contains(&format!("/logins/{id}\"")) && page.contains("shop.example.net"));
        assert!(page.contains("<title>(1) "), "{page}");
    }
    let path = format!("/logins/{id}");
    let page = person.page(&path).await.body;
    for shown in [
        "Log in to <bdi>shop.example.net</bdi>?",
        "Semaphore Shop",
        "@<bdi>SemaphoreShopBot</bdi>",
        "<bdi>Edge 140</bdi>, <bdi>Windows</bdi>",
        "203.0.113.99",
        " left</span>",
        "Allow <bdi>Semaphore Shop</bdi> to message me",
        "Share my phone number",
        &format!("value=\"{}\" selected", me.user_id),
        "Ada",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains(" checked"), "nothing is given that was not ticked");
    let code = browser.match_code().unwrap();
    assert!(page.contains(&format!("name=\"match_code\" value=\"{code}\"")), "{page}");

    let code: String = code.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let form = format!("user={}&write=yes&match_code={code}", me.user_id);
    let done = person.press(&format!("{path}/approve"), &form).await;
    assert!(done.body.contains("the browser goes on"), "{}", done.body);
    let who = browser.claim().await.unwrap().unwrap();
    assert_eq!((who.user_id, who.write, who.phone), (me.user_id, true, false));
    // A client that is connected hears of it, as if another device had consented.
    tokio::time::timeout(PATIENCE, client.update()).await.unwrap();
    let page = person.page(&format!("/accounts/{}", me.user_id)).await;
    assert!(page.between("<li class=\"note\">", "</li>").contains("shop.example.net"));
    assert!(page.body.contains(&format!("/sites/{}\"", who.hash)), "{}", page.body);
    assert_eq!(person.get(&path).await.status, 404);
    assert!(person.get(&path).await.body.contains("Nothing to answer"));
}

#[tokio::test]
async fn a_wrong_answer_to_a_consent_is_told_and_a_no_is_a_no() {
    let server = server(11).await;
    let me = server.accounts()[0].user_id;
    let mut person = Person::at(&server).await;
    let browser = server.log_in(NewLogin::at("LumiereNewsBot").match_code()).await.unwrap();
    let path = format!("/logins/{}", waiting(&server).await);
    for nobody in ["", "user=", "user=x"] {
        let answer = person.post(&format!("{path}/approve"), nobody).await;
        assert_eq!(answer.status, 422);
        assert!(answer.between("role=\"alert\">", "</p>").contains("Choose an account"));
    }
    let answer = person.post(&format!("{path}/approve"), "user=1&match_code=x").await;
    assert!(answer.between("role=\"alert\">", "</p>").contains("no such account"));
    assert_eq!(browser.progress().await.unwrap(), Progress::Pending);
    // The wrong picture ends it.
    let answer = person.post(&format!("{path}/approve"), &format!("user={me}&match_code=x")).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("Nothing to answer"), "{}", answer.body);
    assert!(answer.between("role=\"alert\">", "</p>").contains("not the match code"));
    assert_eq!(browser.progress().await.unwrap(), Progress::Declined);

    let browser = server.log_in(NewLogin::at("LumiereNewsBot").app(None)).await.unwrap();
    let path = format!("/logins/{}", waiting(&server).await);
    assert!(person.page(&path).await.body.contains("unverified app"));
    let done = person.press(&format!("{path}/decline"), &format!("user={me}&write=yes")).await;
    assert!(done.body.contains("Declined") && done.body.contains("Nobody wants to log in"));
    assert_eq!(browser.progress().await.unwrap(), Progress::Declined);
    assert_eq!(person.post(&format!("{path}/decline"), "").await.status, 303, "it stays so");
    let answer = person.post(&format!("{path}/approve"), &format!("user={me}")).await;
    assert_eq!(answer.status, 404);
    for nothing in ["/logins/77", "/logins/0", "/logins/-1"] {
        assert_eq!(person.get(nothing).await.status, 404, "{nothing}");
    }
    assert_eq!(person.get("/logins/x").await.status, 400);

    // Where a phone number was typed in at the site, its account alone can be chosen.
    person.press("/accounts/new", "phone=9996625678&first_name=Ada").await;
    let browser = server.log_in(NewLogin::at("LumiereNewsBot")).await.unwrap();
    assert!(browser.type_phone("9996625678").await.unwrap());
    let path = format!("/logins/{}", waiting(&server).await);
    let page = person.page(&path).await.body;
    assert!(page.contains("nobody else can answer") && page.matches("<option").count() == 1);
    let answer = person.post(&format!("{path}/approve"), &format!("user={me}")).await;
    assert!(answer.between("role=\"alert\">", "</p>").contains("does not wait for this account"));
    person.press(&format!("{path}/decline"), "").await;
    assert_eq!(browser.progress().await.unwrap(), Progress::Declined);
}
