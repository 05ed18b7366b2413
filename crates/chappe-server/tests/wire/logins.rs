//! Login requests that wait, and answers to them: by the handle, and at the control port.

use std::time::Duration;

use chappe_api::{account, auth, enums};
use chappe_server::{
    Error, Handle,
    browser::{Browser, NewLogin, Progress},
    logins::{Approved, Grant, Source},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    client::{Client, server},
    control,
};

const DOMAIN: &str = "shop.example.net";

/// A browser at a site that wants everything.
fn shop() -> NewLogin {
    NewLogin::at("SemaphoreShopBot").write().phone()
}

async fn begin(server: &Handle, login: NewLogin) -> Browser {
    server.log_in(login).await.unwrap()
}

/// Who the browser hears that it is, and what it may have: phone and write.
async fn claimed(browser: &Browser) -> Option<(i64, bool, bool)> {
    browser.claim().await.unwrap().map(|who| (who.user_id, who.phone, who.write))
}

fn problem<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    let Err(Error::Login(error)) = outcome else { panic!("{outcome:?}") };
    assert!(!error.hint().is_empty() && error.to_string().contains(error.hint()));
    error.problem().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_test_suite_waits_for_a_login_and_approves_it() {
    let server = server(1).await;
    let me = server.accounts()[0].clone();
    let logins = server.logins();
    begin(&server, shop()).await;
    // What was asked before somebody began to wait is in the list, and no arrival.
    let mut arrivals = logins.arrivals();
    let patience = Duration::from_secs(60);
    assert!(tokio::time::timeout(patience, arrivals.next()).await.is_err());
    let waits = tokio::spawn(async move { (arrivals.next().await.unwrap(), arrivals) });
    let browser = begin(&server, shop().user_id_hint(me.user_id)).await;
    let (login, _arrivals) = waits.await.unwrap();
    assert_eq!((login.id, login.source, login.domain.as_str()), (2, Source::Widget, DOMAIN));
    assert_eq!(login.bot.username, "SemaphoreShopBot");
    assert_eq!((login.browser.as_str(), login.platform.as_str()), ("Firefox 140", "Linux"));
    assert_eq!((login.expires, login.user_id), (login.created + 300, None));
    assert_eq!(login.user_id_hint, Some(me.user_id));
    assert!(login.asks.write && login.asks.phone && login.match_codes.is_empty());
    let pending = logins.pending().await.unwrap();
    assert_eq!(pending.iter().map(|login| login.id).collect::<Vec<_>>(), [1, 2]);

    let approved = logins.approve(login.id, me.user_id, Grant::new().write()).await.unwrap();
    assert_eq!(approved.url, None, "a browser waits");
    let again = logins.approve(login.id, me.user_id, Grant::new().phone()).await.unwrap();
    assert_eq!(again, approved, "a repetition changes nothing");
    assert_eq!(claimed(&browser).await, Some((me.user_id, false, true)));
    assert_eq!(claimed(&browser).await, None, "once");
    assert_eq!(logins.pending().await.unwrap().len(), 1);
    let mut client = Client::connect(&server, 1).await;
    client.sign_in(&me.phone, &me.code).await.unwrap();
    let rows = client.call(&account::GetWebAuthorizations {}).await.unwrap().authorizations;
    assert!(rows.len() == 7 && rows.iter().any(|row| row.domain == DOMAIN));
    server.shutdown().await.unwrap();
    assert!(matches!(logins.pending().await, Err(Error::Stopped)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_given_says_what_could() {
    let server = server(2).await;
    let (logins, user_id) = (server.logins(), server.accounts()[0].user_id);
    let approve = |id, user, grant| logins.approve(id, user, grant);
    assert!(problem(approve(1, user_id, Grant::new()).await).contains("no such request"));
    assert!(problem(logins.decline(1).await).contains("no such request"));

    // A declined one stays so, and nobody but a person answers.
    let browser = begin(&server, shop()).await;
    let bot = server.bots()[0].user_id;
    for nobody in [0, -1, bot, 777_000] {
        assert!(problem(approve(1, nobody, Grant::new()).await).contains("no such account"));
    }
    logins.decline(1).await.unwrap();
    logins.decline(1).await.unwrap();
    assert!(problem(approve(1, user_id, Grant::new()).await).contains("does not wait"));
    assert_eq!(browser.progress().await.unwrap(), Progress::Declined);
    assert_eq!(claimed(&browser).await, None);

    // A wrong match code ends the request, as does none.
    for (id, wrong) in [(2, Grant::new().match_code("🧱")), (3, Grant::new())] {
        let browser = begin(&server, shop().match_code()).await;
        let login = logins.pending().await.unwrap().remove(0);
        assert_eq!(login.id, id);
        let right = browser.match_code().unwrap().to_owned();
        assert!(login.match_codes.len() > 1 && login.match_codes.contains(&right));
        assert!(problem(approve(id, user_id, wrong).await).contains("match code"));
        let right = Grant::new().match_code(right);
        assert!(problem(approve(id, user_id, right).await).contains("does not wait"));
        assert_eq!(browser.progress().await.unwrap(), Progress::Declined);
    }
    // What was not asked for is not given.
    let browser = begin(&server, NewLogin::at("SemaphoreShopBot").match_code_first()).await;
    let all = Grant::new().write().phone().match_code(browser.match_code().unwrap());
    approve(4, user_id, all).await.unwrap();
    assert_eq!(claimed(&browser).await, Some((user_id, false, false)));

    // Five minutes are over.
    let browser = begin(&server, shop()).await;
    tokio::time::advance(Duration::from_secs(300)).await;
    assert!(logins.pending().await.unwrap().is_empty());
    assert!(problem(approve(5, user_id, Grant::new()).await).contains("does not wait"));
    assert!(problem(logins.decline(5).await).contains("does not wait"));
    assert_eq!(browser.progress().await.unwrap(), Progress::Expired);
}

#[tokio::test]
async fn only_the_account_whose_number_was_typed_in_may_answer() {
    let server = server(6).await;
    let (logins, me) = (server.logins(), server.accounts()[0].clone());
    let mut other = Client::connect(&server, 1).await;
    let hash = other.send_code("9996625678").await.unwrap();
    let code = Some("22222".into());
    let sign_in = auth::SignIn { phone_code: code, ..auth::SignIn::new("9996625678", &*hash) };
    other.call(&sign_in).await.unwrap();
    let sign_up = auth::SignUp::new("9996625678", hash, "Ada", "");
    let enums::auth::Authorization::Authorization(ada) = other.call(&sign_up).await.unwrap() else {
        panic!()
    };
    let enums::User::User(ada) = ada.user else { panic!() };
    for id in [1, 2] {
        let browser = begin(&server, shop()).await;
        browser.type_phone(&me.phone).await.unwrap();
        assert_eq!(logins.pending().await.unwrap()[0].user_id, Some(me.user_id));
        let refused = logins.approve(id, ada.id, Grant::new()).await;
        assert!(problem(refused).contains("does not wait for this account"));
        match id {
            1 => logins.decline(id).await.unwrap(),
            _ => drop(logins.approve(id, me.user_id, Grant::new()).await.unwrap()),
        }
        assert_eq!(claimed(&browser).await.is_some(), id == 2);
    }
}

#[tokio::test]
async fn nothing_of_a_login_is_printed_that_is_not_everybodys() {
    let server = server(3).await;
    let browser = begin(&server, shop().match_code()).await;
    let login = server.logins().pending().await.unwrap().remove(0);
    let code = browser.match_code().unwrap();
    let approved: Approved =
        serde_json::from_value(json!({ "url": "https://site.example/?code=s3cret" })).unwrap();
    let grant = Grant::new().match_code(code);
    let shown = format!("{login:?} {grant:?} {approved:?} {:?}", server.logins().arrivals());
    for secret in ["192.0.2.17", code, "s3cret"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    let token = browser.link().rsplit('=').next().unwrap().to_owned();
    let told = serde_json::to_string(&login).unwrap();
    assert!(told.contains(code) && !told.contains(&token), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_test_suite_in_any_language_approves_and_declines() {
    let server = control::server(4).await;
    let me = server.accounts()[0].clone();
    let ask = |method, path: String, body: Value| {
        let (server, body) = (&server, body.to_string());
        async move { control::ask(server, method, &path, &body).await }
    };
    let waits = ask("GET", "/logins?timeout=30".to_owned(), json!({}));
    let asks = async {
        tokio::time::sleep(Duration::from_secs(9)).await;
        begin(&server, shop().match_code()).await
    };
    let ((status, told), browser) = tokio::join!(waits, asks);
    assert_eq!(status, 200, "{told}");
    let login = &told["logins"][0];
    let path = format!("/logins/{}", login["id"]);
    assert_eq!((&login["domain"], &login["source"]), (&json!(DOMAIN), &json!("widget")));
    assert_eq!(login["asks"], json!({ "profile": true, "write": true, "phone": true }));
    assert_eq!(login["match_codes"].as_array().unwrap().len(), 3);
    assert_eq!(ask("GET", path.clone(), json!({})).await, (200, login.clone()));
    let phone = format!("+{}", me.phone);
    let yes = json!({ "user": phone, "phone": true, "match_code": browser.match_code().unwrap() });
    assert_eq!(ask("POST", format!("{path}/approve"), yes).await, (200, json!({})));
    assert_eq!(claimed(&browser).await, Some((me.user_id, true, false)));
    assert_eq!(ask("GET", path, json!({})).await.0, 404);

    let browser = begin(&server, shop()).await;
    let no = ask("POST", "/logins/2/decline".to_owned(), json!({})).await;
    assert_eq!(no, (200, json!({ "declined": true })));
    assert_eq!(browser.progress().await.unwrap(), Progress::Declined);
    let yes = ask("POST", "/logins/2/approve".to_owned(), json!({ "user": me.user_id })).await;
    assert_eq!(yes.0, 422);
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_logins_wrongly_is_told_what_to_do() {
    let server = control::server(5).await;
    let none = (200, json!({ "logins": [] }));
    assert_eq!(control::ask(&server, "GET", "/logins", "").await, none);
    let began = Instant::now();
    assert_eq!(control::ask(&server, "GET", "/logins?timeout=5", "").await, none);
    assert!(began.elapsed() >= Duration::from_secs(5));
    for (method, path, body, status, problem) in [
        ("GET", "/logins?timeout=never", "", 400, "no `timeout`"),
        ("GET", "/logins?user=1", "", 400, "cannot be asked for"),
        ("GET", "/logins/1", "", 404, "no request with this number"),
        ("GET", "/logins/first", "", 400, "is a number"),
        ("POST", "/logins/1/decline", "", 422, "no such request"),
        ("POST", "/logins/x/decline", "", 400, "is a number"),
        ("POST", "/logins/1/approve", "", 422, "nobody is named"),
        ("POST", "/logins/1/approve", r#"{"user": true}"#, 422, "a user is named by"),
        ("POST", "/logins/1/approve", r#"{"user": 1}"#, 422, "no such account"),
        ("POST", "/logins/1/approve", r#"{"user": "+1"}"#, 422, "no such account"),
        ("POST", "/logins/1/approve", r#"{"user": "me"}"#, 422, "no such account"),
        ("POST", "/logins/1/approve", r#"{"user": "+9996621234"}"#, 422, "no such request"),
        ("POST", "/logins/1/approve", r#"{"user": 1, "wriet": true}"#, 422, "unknown field"),
        ("DELETE", "/logins/1", "", 405, "does nothing"),
    ] {
        let (error, hint) = control::refused(&server, method, path, body, status).await;
        assert!(error.contains(problem), "{method} {path} {body}: {error}");
        assert_eq!(hint.contains("`write`"), body.contains("wriet"), "{hint}");
    }
    let (_, index) = control::ask(&server, "GET", "/", "").await;
    assert_eq!(index["logins"].as_array().unwrap().len(), 3);
}
