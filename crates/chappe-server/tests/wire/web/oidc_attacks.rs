//! The OpenID provider as an attacker sees it.

use chappe_api::{account, errors, messages};
use chappe_server::bots::BotSettings;
use serde_json::{Value, json};

use super::{
    accept, browser,
    oidc::{
        CALLBACK, CHALLENGE, Desk, NATIVE, ORIGIN, VERIFIER, basic, claims, client, form, posted,
        sent,
    },
    widget::{pass, waiting},
};
use crate::http::{Answer, Browser};

/// Another verifier, as good as any.
const OTHER: &str = "M25iVXpKU3puUjFaYWg3T1NDTDQtcW1ROUY5YXlwalNoc0hhakxifmZHag";

/// The parameters of PKCE with S256.
const S256: [(&str, &str); 2] = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];

/// The parameters of PKCE with plain.
const PLAIN: [(&str, &str); 2] = [("code_challenge", VERIFIER), ("code_challenge_method", "plain")];

/// That there is no token, and why.
fn refused((answer, body): &(Answer, Value), status: u16, error: &str) {
    assert_eq!((answer.status, &body["error"]), (status, &json!(error)), "{body}");
    assert!(body["error_description"].is_string());
    assert_eq!(answer.has("www-authenticate"), status == 401, "{body}");
    for name in ["id_token", "access_token"] {
        assert!(body.get(name).is_none());
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_only_with_its_verifier() {
    let mut desk = Desk::open(41, client()).await;
    for (asked, shown) in [
        (&S256[..], ""),
        (&S256[..], OTHER),
        // The challenge itself, as if it had been a plain one.
        (&S256[..], CHALLENGE),
        (&PLAIN[..], ""),
        (&PLAIN[..], CHALLENGE),
        // A verifier for a code whose challenge somebody took away.
        (&[], VERIFIER),
    ] {
        let code = desk.code(asked).await;
        refused(&desk.redeem(&code, shown).await, 400, "invalid_grant");
        // Whoever has a code, but not what belongs to it, has one try.
        let right = if asked.is_empty() { "" } else { VERIFIER };
        refused(&desk.redeem(&code, right).await, 400, "invalid_grant");
    }
    for (asked, shown) in [(&S256[..], VERIFIER), (&PLAIN[..], VERIFIER), (&[], "")] {
        let code = desk.code(asked).await;
        assert_eq!(desk.redeem(&code, shown).await.0.status, 200);
        refused(&desk.redeem(&code, shown).await, 400, "invalid_grant");
    }
    // Using a code twice ends nothing: who stole a used one must not be able to end a login.
    let rows = desk.app.web().await.len();
    let code = desk.code(&[]).await;
    let before = desk.app.web().await.len();
    desk.redeem(&code, "").await;
    desk.redeem(&code, "").await;
    assert!(desk.app.web().await.len() == before && before >= rows);
}

#[tokio::test]
async fn a_code_is_over_after_a_minute() {
    let mut desk = Desk::open(42, client()).await;
    let (early, late) = (desk.code(&[]).await, desk.code(&[]).await);
    pass(&desk.server, 50).await;
    assert_eq!(desk.redeem(&early, "").await.0.status, 200);
    pass(&desk.server, 10).await;
    refused(&desk.redeem(&late, "").await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_login_that_is_ended_at_once_lets_nobody_in() {
    let mut desk = Desk::open(53, client()).await;
    let code = desk.code(&[]).await;
    desk.app.call(&account::ResetWebAuthorizations {}).await.unwrap();
    refused(&desk.redeem(&code, "").await, 400, "invalid_grant");
    // Before the browser came for it.
    let (handle, link) = waiting(&desk.browser.get(&desk.window(&[])).await);
    desk.app.call(&accept(&link)).await.unwrap();
    let hash = desk.app.web().await[0].hash;
    desk.app.call(&account::ResetWebAuthorization { hash }).await.unwrap();
    let end = desk.browser.get(&format!("/auth/push?request={handle}")).await;
    assert_eq!(sent(&end, "error").as_deref(), Some("access_denied"));
    // An app asks again what its yes came to.
    let native = [("redirect_uri", NATIVE), S256[0], S256[1]];
    let path = desk.window(&native).replacen("/auth", "/crossapp", 1);
    let answer = desk.browser.get(&path).await;
    let link = answer.between("\"url\":\"", "\"").to_owned();
    desk.app.call(&accept(&link)).await.unwrap();
    desk.app.call(&account::ResetWebAuthorizations {}).await.unwrap();
    desk.app.refused(&accept(&link), errors::URL_EXPIRED).await;
    // The login of another browser is another one.
    let first = desk.code(&[]).await;
    let hash = desk.app.web().await[0].hash;
    desk.browser = Browser { agent: "curl/8.5.0", ..browser(&desk.server) };
    let second = desk.code(&[]).await;
    desk.app.call(&account::ResetWebAuthorization { hash }).await.unwrap();
    refused(&desk.redeem(&first, "").await, 400, "invalid_grant");
    assert_eq!(desk.redeem(&second, "").await.0.status, 200);
}

#[tokio::test]
async fn a_code_is_for_one_client_and_one_redirect_uri() {
    let other_callback = "http://localhost:8080/other";
    let mut desk = Desk::open(43, client().url(other_callback)).await;
    let other = BotSettings::new().oidc(client());
    let secret = desk.server.bot_father().set("LumiereNewsBot", other).await.unwrap().unwrap();
    let other = basic(&desk.server.bots()[1].user_id.to_string(), secret.as_str());
    let fields = |code: &str, uri: &str| {
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", uri)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let ask = async |desk: &Desk, headers: &str, code: &str, uri: &str| {
        let fields = fields(code, uri);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        desk.token(headers, &fields).await
    };
    // A client that was handed somebody else's code (mix-up) can do nothing with it, and cannot use
    // it up either.
    let code = desk.code(&[]).await;
    refused(&ask(&desk, &other, &code, CALLBACK).await, 400, "invalid_grant");
    assert_eq!(ask(&desk, &desk.basic(), &code, CALLBACK).await.0.status, 200);
    for uri in [
        other_callback,
        "http://localhost:8080/callback/",
        "HTTP://localhost:8080/callback",
        ORIGIN,
    ] {
        let code = desk.code(&[]).await;
        refused(&ask(&desk, &desk.basic(), &code, uri).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn who_is_no_client_gets_no_token() {
    let mut desk = Desk::open(44, client()).await;
    let code = desk.code(&S256).await;
    let disabled = BotSettings::new().oidc(client().disabled());
    let (id, secret) = (desk.id.clone(), desk.secret.clone());
    let shown = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let with = |more: &[(&'static str, String)]| -> Vec<(&'static str, String)> {
        let shown = shown.iter().map(|(name, value)| (*name, (*value).to_owned()));
        shown.chain(more.iter().cloned()).collect()
    };
    let ask = async |desk: &Desk, headers: &str, fields: Vec<(&'static str, String)>| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
        desk.token(headers, &fields).await
    };
    let longer = format!("{secret}x");
    let other = desk.server.bots()[2].user_id.to_string();
    for header in [
        basic(&id, ""),
        basic(&id, &secret[..42]),
        basic(&id, &longer),
        basic(&id, &secret.to_lowercase()),
        basic(&other, &secret),
        basic("1", &secret),
        basic(&format!("0{id}"), &secret),
        basic(&format!("+{id}"), &secret),
        basic(&desk.server.accounts()[0].user_id.to_string(), &secret),
        "Authorization: Basic !!!\r\n".to_owned(),
        format!("Authorization: Bearer {secret}\r\n"),
        "Authorization: Basic\r\n".to_owned(),
    ] {
        refused(&ask(&desk, &header, with(&[])).await, 401, "invalid_client");
    }
    let (own, wrong) = (("client_id", id.clone()), ("client_secret", longer));
    for fields in [
        vec![],
        vec![own.clone()],
        vec![own.clone(), wrong],
        vec![own.clone(), ("client_secret", String::new())],
        vec![("client_secret", secret.clone())],
        vec![("client_id", "x".to_owned()), ("client_secret", secret.clone())],
    ] {
        refused(&ask(&desk, "", with(&fields)).await, 401, "invalid_client");
    }
    desk.server.bot_father().set("ColumbusDemoBot", disabled).await.unwrap();
    refused(&ask(&desk, &desk.basic(), with(&[])).await, 401, "invalid_client");
    let enabled = BotSettings::new().oidc(client());
    desk.server.bot_father().set("ColumbusDemoBot", enabled).await.unwrap();
    // All of that did not use up the code; the secret may be in the form.
    let good = ask(&desk, "", with(&[own.clone(), ("client_secret", secret.clone())])).await;
    assert_eq!(good.0.status, 200);
    // A secret that was replaced is void.
    let new = desk.server.bot_father().new_secret("ColumbusDemoBot").await.unwrap();
    let code = desk.code(&[]).await;
    refused(&desk.redeem(&code, "").await, 401, "invalid_client");
    desk.secret = new.as_str().to_owned();
    assert_eq!(desk.redeem(&code, "").await.0.status, 200);
    // A registration that is gone takes its codes along.
    let code = desk.code(&[]).await;
    desk.server.bot_father().remove("ColumbusDemoBot").await.unwrap();
    refused(&desk.redeem(&code, "").await, 401, "invalid_client");
}

#[tokio::test]
async fn without_a_secret_only_the_code_of_an_app_is_changed() {
    let mut desk = Desk::open(45, client()).await;
    let id = desk.id.clone();
    let fields = |code: &str, uri: &str, verifier: &str| {
        form(&[
            ("grant_type", "authorization_code"),
            ("client_id", &id),
            ("code", code),
            ("redirect_uri", uri),
            ("code_verifier", verifier),
        ])
    };
    let ask = async |desk: &Desk, fields: String| {
        let answer = browser(&desk.server).ask("POST", "/token", "", &fields).await;
        let body = serde_json::from_str::<Value>(&answer.body).unwrap();
        (answer, body)
    };
    let native = [("redirect_uri", NATIVE), S256[0], S256[1]];
    let web = desk.code(&S256).await;
    refused(&ask(&desk, fields(&web, CALLBACK, VERIFIER)).await, 401, "invalid_client");
    // The code of a page, as if it had been sent to the app.
    refused(&ask(&desk, fields(&web, NATIVE, VERIFIER)).await, 400, "invalid_grant");
    // Neither has used it up: who has no secret is not its client.
    assert_eq!(desk.redeem(&web, VERIFIER).await.0.status, 200);
    let code = desk.code(&native).await;
    refused(&ask(&desk, fields(&code, NATIVE, OTHER)).await, 400, "invalid_grant");
    let code = desk.code(&native).await;
    assert_eq!(ask(&desk, fields(&code, NATIVE, VERIFIER)).await.0.status, 200);
    // Without PKCE, or with a challenge that anybody can read, no app is served.
    for pkce in [&[][..], &PLAIN[..]] {
        let mut asked = vec![("redirect_uri", NATIVE)];
        asked.extend(pkce);
        let end = desk.browser.get(&desk.window(&asked)).await;
        assert!(end.header("location").starts_with("quayshop://tglogin?error=invalid_request&"));
    }
}

#[tokio::test]
async fn nobody_is_sent_where_no_client_registered_it() {
    let mut desk = Desk::open(46, client()).await;
    for uri in [
        "https://evil.example/",
        "http://localhost:8080/callback/",
        "http://localhost:8080/callback?x=1",
        "http://localhost:8080/callback#x",
        "http://localhost:8080/callbac",
        "http://localhost:8080/callbackx",
        "http://localhost:8080/Callback",
        "http://localhost:8080/%63allback",
        "http://localhost:8080/x/../callback",
        "http://localhost:8080//callback",
        "http://localhost:8081/callback",
        "http://localhost/callback",
        "https://localhost:8080/callback",
        "http://LOCALHOST:8080/callback",
        "HTTP://localhost:8080/callback",
        "http://127.0.0.1:8080/callback",
        "http://localhost.evil.example:8080/callback",
        "http://localhost:8080@evil.example/callback",
        "http://evil.example\\@localhost:8080/callback",
        "http://localhost:8080/callback\r\nX-Evil: 1",
        "http://localhost:8080/callback ",
        " http://localhost:8080/callback",
        "//localhost:8080/callback",
        "/callback",
        "javascript:alert(1)",
        "quayshop://tglogin/",
        "quayshop:tglogin",
        "QuayShop://tglogin",
        "",
    ] {
        for kind in ["code", "token", "post_message"] {
            let asked = [("redirect_uri", uri), ("response_type", kind)];
            let page = desk.browser.get(&desk.window(&asked)).await;
            // A page at an allowed origin may have an id_token, whatever its path is.
            let own = uri.starts_with("http://localhost:8080/c") && !uri.contains(['#', ' ', '\r'])
                || uri == "http://localhost:8080/Callback"
                || uri == "http://localhost:8080/%63allback"
                || uri == "http://localhost:8080//callback";
            let allowed = kind == "post_message" && own;
            assert_eq!(page.status, if allowed { 200 } else { 400 }, "{kind} {uri:?}: {page:?}");
            assert!(!page.has("location") && !page.has("x-evil"), "{kind} {uri:?}");
        }
    }
    for id in ["", "1", "x", "0", "-1", "99999999999999999999", &format!("0{}", desk.id)] {
        let page = desk.browser.get(&desk.window(&[("client_id", id)])).await;
        assert!(page.status == 400 && !page.has("location"), "{id}: {page:?}");
    }
    desk.server
        .bot_father()
        .set("ColumbusDemoBot", BotSettings::new().oidc(client().disabled()))
        .await
        .unwrap();
    let page = desk.browser.get(&desk.window(&[])).await;
    assert!(page.status == 400 && page.body.contains("disabled"), "{page:?}");
}

#[tokio::test]
async fn what_is_wrong_is_told_to_the_site_with_its_state() {
    let mut desk = Desk::open(47, client()).await;
    let long = "x".repeat(1_025);
    for (asked, error) in [
        (&[("response_type", "token")][..], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_type", "")], "invalid_request"),
        (&[("scope", "profile")], "invalid_scope"),
        (&[("scope", "OPENID")], "invalid_scope"),
        (&[("scope", "")], "invalid_scope"),
        (&[("code_challenge_method", "S256")], "invalid_request"),
        (&[("code_challenge", CHALLENGE), ("code_challenge_method", "s256")], "invalid_request"),
        (&[("code_challenge", CHALLENGE), ("code_challenge_method", "none")], "invalid_request"),
        (&[("code_challenge", "short"), ("code_challenge_method", "S256")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("code_challenge", &long)], "invalid_request"),
        (&[("nonce", &long)], "invalid_request"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("response_mode", "form_post")], "invalid_request"),
        (&[("prompt", "none")], "interaction_required"),
        (&[("request", "x.y.z")], "request_not_supported"),
        (&[("request_uri", "https://evil.example/")], "request_uri_not_supported"),
    ] {
        let end = desk.browser.get(&desk.window(asked)).await;
        assert!(end.header("location").starts_with(&format!("{CALLBACK}?error=")), "{end:?}");
        assert_eq!(sent(&end, "error").unwrap(), error, "{asked:?}");
        assert_eq!(sent(&end, "state").unwrap(), "the state");
        assert!(sent(&end, "error_description").is_some());
    }
    let end = desk.browser.get(&desk.window(&[("state", &long)])).await;
    assert_eq!(
        (sent(&end, "error").unwrap().as_str(), sent(&end, "state")),
        ("invalid_request", None)
    );
    let fields = [("response_type", "post_message"), ("scope", "profile")];
    let (origin, message) = posted(&desk.browser.get(&desk.window(&fields)).await);
    assert_eq!((origin.as_str(), &message["error"]), (ORIGIN, &json!("invalid_scope")));
    let pkce = [("response_type", "post_message"), S256[0], S256[1]];
    let (_, message) = posted(&desk.browser.get(&desk.window(&pkce)).await);
    assert_eq!(message["error"], "invalid_request");
    // What changes nothing is ignored.
    for asked in [
        ("prompt", "login consent"),
        ("max_age", "0"),
        ("display", "popup"),
        ("x", "y"),
        ("response_mode", "query"),
    ] {
        assert_eq!(desk.browser.get(&desk.window(&[asked])).await.status, 200, "{asked:?}");
    }
}

#[tokio::test]
async fn a_parameter_twice_is_refused_everywhere() {
    let mut desk = Desk::open(48, client()).await;
    for more in [
        "&state=x",
        "&client_id=1",
        "&redirect_uri=https%3A%2F%2Fevil.example",
        "&scope=openid",
        "&%73tate=x",
        "&nonce=1&nonce=2",
        "&code_challenge=&code_challenge=",
    ] {
        let page = desk.browser.get(&format!("{}{more}", desk.window(&[]))).await;
        assert!(page.status == 400 && !page.has("location"), "{more}: {page:?}");
    }
    let code = desk.code(&[]).await;
    let good =
        form(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)]);
    for more in [
        "&code=x",
        "&grant_type=authorization_code",
        "&redirect_uri=x",
        "&client_id=1&client_id=1",
        "&c%6fde=x",
    ] {
        let headers = desk.basic();
        let form = format!("{good}{more}");
        let answer = browser(&desk.server).ask("POST", "/token", &headers, &form).await;
        assert_eq!(answer.status, 400, "{more}: {answer:?}");
        assert!(answer.body.contains("invalid_request"), "{more}");
    }
    assert_eq!(desk.redeem(&code, "").await.0.status, 200, "it was not used up");
}

#[tokio::test]
async fn only_a_form_in_a_body_is_changed_for_a_token() {
    let mut desk = Desk::open(49, client()).await;
    let code = desk.code(&[]).await;
    let (basic, id, secret) = (desk.basic(), desk.id.clone(), desk.secret.clone());
    let good = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", CALLBACK)];
    let fields = form(&good);
    let mut server = browser(&desk.server);
    for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        let answer = server.ask(method, &format!("/token?{fields}"), &basic, "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method}");
        assert!(!answer.has("access-control-allow-origin"));
    }
    let answer = server.ask("POST", &format!("/token?{fields}"), &basic, "").await;
    assert!(answer.status == 400 && answer.body.contains("address"), "{answer:?}");
    let json =
        json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK });
    for (kind, body) in [
        ("application/json", json.to_string()),
        ("text/plain", fields.clone()),
        ("multipart/form-data", fields.clone()),
        ("", fields.clone()),
    ] {
        let request = format!(
            "POST /token HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{basic}Content-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            desk.browser.host,
            body.len()
        );
        let answer = crate::http::send(&desk.browser.host, request.as_bytes()).await;
        assert!(answer.status == 400 && answer.body.contains("Content-Type"), "{kind}: {answer:?}");
    }
    let both = [good[0], good[1], good[2], ("client_id", &*id), ("client_secret", &*secret)];
    refused(&desk.token(&basic, &both).await, 400, "invalid_request");
    let other = [good[0], good[1], good[2], ("client_id", "1")];
    refused(&desk.token(&basic, &other).await, 400, "invalid_request");
    refused(&desk.token(&format!("{basic}{basic}"), &good).await, 400, "invalid_request");
    for (grant, error) in [
        ("", "invalid_request"),
        ("refresh_token", "unsupported_grant_type"),
        ("client_credentials", "unsupported_grant_type"),
        ("password", "unsupported_grant_type"),
    ] {
        let fields = [("grant_type", grant), good[1], good[2]];
        refused(&desk.token(&basic, &fields).await, 400, error);
    }
    for missing in [1, 2] {
        let mut fields = good;
        fields[missing].1 = "";
        refused(&desk.token(&basic, &fields).await, 400, "invalid_request");
    }
    for verifier in ["short", &"x".repeat(129), &format!("{VERIFIER}="), &format!("{VERIFIER}é")] {
        let fields = [good[0], good[1], good[2], ("code_verifier", verifier)];
        refused(&desk.token(&basic, &fields).await, 400, "invalid_request");
    }
    let large = "x".repeat(17 * 1024);
    let (answer, body) = desk.token(&basic, &[good[0], ("code", &large)]).await;
    assert_eq!((answer.status, &body["error"]), (413, &json!("invalid_request")));
    for code in ["x", "%00", &format!("{code}x"), &code[1..]] {
        refused(&desk.redeem(code, "").await, 400, "invalid_grant");
    }
    // The client_id may stand beside the header, if it is the same. Nothing used the code up.
    let same = [good[0], good[1], good[2], ("client_id", &*id)];
    assert_eq!(desk.token(&basic, &same).await.0.status, 200);
}

#[tokio::test]
async fn state_comes_back_as_it_was_and_breaks_out_of_nothing() {
    let mut desk = Desk::open(50, client()).await;
    for state in [
        "a\r\nSet-Cookie: evil=1\r\n\r\n<script>alert(1)</script>",
        "\"><script>alert(1)</script>",
        "&code=evil&error=x#y",
        "\u{202e}\u{0}\u{1b}[31m%0d%0a",
        "日本 + = ;",
    ] {
        let page = desk.browser.get(&desk.window(&[("state", state), ("nonce", state)])).await;
        assert!(
            !page.body.contains("<script>alert") && !page.body.contains('\u{202e}'),
            "{page:?}"
        );
        let end = desk.log_in(&[("state", state), ("nonce", state)], |_| {}).await;
        let location = end.header("location");
        assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
        assert!(!end.has("set-cookie") || !end.header("set-cookie").contains("evil"));
        let query = location.split_once('?').unwrap().1;
        let expected = form(&[("state", state)]);
        assert!(query.starts_with("code=") && query.ends_with(&format!("&{expected}")), "{query}");
        assert_eq!(query.matches('&').count(), 1, "{query}");
        // In the message of a popup there is no state, and a nonce is text within a token.
        let fields =
            [("response_type", "post_message"), ("redirect_uri", ORIGIN), ("nonce", state)];
        let (_, message) = posted(&desk.log_in(&fields, |_| {}).await);
        assert_eq!(claims(message["result"].as_str().unwrap())["nonce"], state);
    }
}

#[tokio::test]
async fn pages_of_others_may_read_nothing_that_is_somebodys() {
    let mut desk = Desk::open(51, client()).await;
    let evil = "Origin: https://evil.example\r\n";
    let inapp = |origin: &str, id: &str| {
        format!("/inapp?{}", form(&[("scope", "openid"), ("origin", origin), ("client_id", id)]))
    };
    let id = desk.id.clone();
    for (headers, path) in [
        (evil, inapp(ORIGIN, &id)),
        (evil, inapp("https://evil.example", &id)),
        (evil, inapp("", &id)),
        ("", inapp(ORIGIN, &id)),
        ("Origin: null\r\n", inapp("null", &id)),
        ("Origin: http://localhost:8080/\r\n", inapp("http://localhost:8080/", &id)),
        ("Origin: http://localhost:8080\r\nOrigin: https://evil.example\r\n", inapp(ORIGIN, &id)),
        (evil, desk.window(&[])),
        (evil, "/inapp?code=x".to_owned()),
    ] {
        let answer = desk.browser.ask("GET", &path, headers, "").await;
        let allowed = answer.headers.iter().find(|(name, _)| name == "access-control-allow-origin");
        // A code that is not there may be denied to everybody.
        let denied = path.contains("code=x");
        assert!(allowed.is_none() || denied, "{headers}{path}: {answer:?}");
        assert!(!answer.body.contains("oauth?startapp=") || path.starts_with("/auth"), "{path}");
        assert!(!answer.has("access-control-allow-credentials"));
    }
    let page = desk.browser.get(&desk.window(&[])).await;
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    let (origin, message) = posted(
        &desk.log_in(&[("response_type", "post_message"), ("redirect_uri", ORIGIN)], |_| {}).await,
    );
    assert_eq!(origin, ORIGIN, "never `*`");
    assert!(message["result"].is_string());
}

#[tokio::test]
async fn a_request_is_answered_in_its_own_browser_once() {
    let mut desk = Desk::open(52, client()).await;
    let page = desk.browser.get(&desk.window(&[])).await;
    let (handle, link) = waiting(&page);
    let yes = messages::AcceptUrlAuth { url: Some(link.into()), ..messages::AcceptUrlAuth::new() };
    desk.app.call(&yes).await.unwrap();
    let push = format!("/auth/push?request={handle}");
    let other = browser(&desk.server).get(&push).await;
    assert!(other.status == 403 && !other.has("location"), "{other:?}");
    assert!(sent(&desk.browser.get(&push).await, "code").is_some());
    let again = desk.browser.get(&push).await;
    assert!(again.status == 410 && !again.has("location"), "{again:?}");
}

#[tokio::test]
async fn who_lost_the_registration_meanwhile_gets_nothing() {
    let mut desk = Desk::open(53, client()).await;
    let page = desk.browser.get(&desk.window(&[])).await;
    let (handle, link) = waiting(&page);
    let fewer = chappe_server::bots::OidcClient::new().url(ORIGIN);
    let settings = BotSettings::new().oidc(fewer);
    desk.server.bot_father().set("ColumbusDemoBot", settings).await.unwrap();
    let yes = messages::AcceptUrlAuth { url: Some(link.into()), ..messages::AcceptUrlAuth::new() };
    let refused = desk.app.call(&yes).await.unwrap_err();
    assert_eq!(refused.message, "OAUTH_REQUEST_INVALID");
    let push = format!("/auth/push?request={handle}");
    assert!(desk.browser.get(&push).await.header("location").starts_with("/auth/wait"));
    // Also when the person said yes before.
    let settings = BotSettings::new().oidc(client());
    desk.server.bot_father().set("ColumbusDemoBot", settings).await.unwrap();
    desk.app.call(&yes).await.unwrap();
    desk.server.bot_father().remove("ColumbusDemoBot").await.unwrap();
    let end = desk.browser.get(&push).await;
    assert!(end.status == 410 && !end.has("location"), "{end:?}");
}
