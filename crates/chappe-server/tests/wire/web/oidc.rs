//! "Log In with Telegram": every way to an id_token, and that others' code takes it.

use std::{process::Command, time::SystemTime};

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use chappe_api::{enums::UrlAuthResult, errors, messages};
use chappe_crypto::sha256;
use chappe_login::oidc as site;
use chappe_server::{
    Handle, Server,
    bots::{Alg, BotSettings, MatchCode, Nonce, OidcClient},
};
use serde_json::{Value, json};
use tokio::io::DuplexStream;

use super::{
    accept, app, browser, server,
    widget::{pass, waiting},
};
use crate::{
    client::Client,
    http::{Answer, Browser},
    programs::runs_here,
};

pub(crate) const CALLBACK: &str = "http://localhost:8080/callback";
pub(crate) const ORIGIN: &str = "http://localhost:8080";
pub(crate) const NATIVE: &str = "quayshop://tglogin";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A registered client, a browser in front of it, and the app of a person.
pub(crate) struct Desk {
    pub(crate) server: Handle,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) browser: Browser,
    pub(crate) app: Client<DuplexStream>,
}

/// The settings of a client with every kind of URL.
pub(crate) fn client() -> OidcClient {
    OidcClient::new().url(CALLBACK).url(ORIGIN).native_url(NATIVE)
}

/// Parameters of an address or a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}

/// The claims of a token, as nobody verified them.
pub(crate) fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap()
}

impl Desk {
    pub(crate) async fn open(seed: u64, client: OidcClient) -> Self {
        let server = server(seed).await;
        let father = server.bot_father();
        let settings = BotSettings::new().domain("travel.example.com").oidc(client);
        let secret = father.set("ColumbusDemoBot", settings).await.unwrap().unwrap();
        Self {
            id: server.bots()[0].user_id.to_string(),
            secret: secret.as_str().to_owned(),
            browser: browser(&server),
            app: app(&server).await,
            server,
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        self.server.announcement().web.as_deref().unwrap()
    }

    /// The address of the window, with these parameters in place of, or behind, the usual ones.
    pub(crate) fn window(&self, other: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("client_id", self.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("state", "the state"),
        ];
        for (name, value) in other {
            match fields.iter_mut().find(|field| field.0 == *name) {
                Some(field) => field.1 = value,
                None => fields.push((name, value)),
            }
        }
        fields.retain(|field| !field.1.is_empty());
        format!("/auth?{}", form(&fields))
    }

    /// Asks, and lets the person say this; tells how it ended.
    pub(crate) async fn log_in(
        &mut self,
        other: &[(&str, &str)],
        consent: impl FnOnce(&mut messages::AcceptUrlAuth),
    ) -> Answer {
        let page = self.browser.get(&self.window(other)).await;
        let (handle, link) = waiting(&page);
        let mut yes = accept(&link);
        consent(&mut yes);
        self.app.call(&yes).await.unwrap();
        self.browser.get(&format!("/auth/push?request={handle}")).await
    }

    /// The code of a login.
    pub(crate) async fn code(&mut self, other: &[(&str, &str)]) -> String {
        let end = self.log_in(other, |_| {}).await;
        sent(&end, "code").unwrap()
    }

    /// Asks `/token` as a site does, with further headers.
    pub(crate) async fn token(&self, headers: &str, fields: &[(&str, &str)]) -> (Answer, Value) {
        let mut server = browser(&self.server);
        let answer = server.ask("POST", "/token", headers, &form(fields)).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(!answer.has("access-control-allow-origin"), "no page may ask");
        let body = serde_json::from_str(&answer.body).unwrap();
        (answer, body)
    }

    /// `Authorization` of the client.
    pub(crate) fn basic(&self) -> String {
        basic(&self.id, &self.secret)
    }

    /// Changes a code in the documented way.
    pub(crate) async fn redeem(&self, code: &str, verifier: &str) -> (Answer, Value) {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        fields.retain(|field| !field.1.is_empty());
        self.token(&self.basic(), &fields).await
    }
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    let pair = Base64::encode_string(format!("{id}:{secret}").as_bytes());
    format!("Authorization: Basic {pair}\r\n")
}

/// A parameter that a browser was sent back with.
pub(crate) fn sent(end: &Answer, name: &str) -> Option<String> {
    assert_eq!(end.status, 302, "{end:?}");
    let (_, query) = end.header("location").split_once('?').unwrap();
    let mut found = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = found.find(|pair| pair.0 == name)?.1.to_owned();
    Some(value.replace("%20", " "))
}

#[tokio::test]
async fn what_the_provider_can_is_told_to_everybody() {
    let mut desk = Desk::open(21, client()).await;
    let answer = desk.browser.get("/.well-known/openid-configuration").await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let issuer = desk.issuer();
    assert_eq!(
        serde_json::from_str::<Value>(&answer.body).unwrap(),
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA", "ES256K"],
            "scopes_supported": ["openid", "profile", "phone", "telegram:bot_access"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "claims_supported": ["aud", "preferred_username", "phone_number", "exp", "iat", "iss",
                                 "name", "picture", "sub"],
        })
    );
    let keys = desk.browser.get("/.well-known/jwks.json").await;
    let keys: Value = serde_json::from_str(&keys.body).unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_code_is_changed_for_an_id_token() {
    let mut desk = Desk::open(22, client()).await;
    let end = desk
        .log_in(
            &[
                ("scope", "openid profile phone telegram:bot_access unheard_of"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
                ("nonce", "the nonce"),
            ],
            |yes| (yes.share_phone_number, yes.write_allowed) = (true, true),
        )
        .await;
    assert!(end.header("location").starts_with(&format!("{CALLBACK}?code=")));
    assert_eq!(sent(&end, "state").unwrap(), "the state");
    let (answer, body) = desk.redeem(&sent(&end, "code").unwrap(), VERIFIER).await;
    assert_eq!((answer.status, answer.header("pragma")), (200, "no-cache"));
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(body["access_token"].as_str().unwrap().len(), 43);
    let claims = claims(body["id_token"].as_str().unwrap());
    let (account, row) = (&desk.server.accounts()[0], desk.app.web().await);
    let expected = json!({
        "iss": desk.issuer(),
        "aud": desk.id,
        "sub": claims["sub"],
        "iat": claims["iat"],
        "exp": claims["iat"].as_i64().unwrap() + 3600,
        "id": account.user_id,
        "name": "Claude Chappe",
        "picture": claims["picture"],
        "phone_number": account.phone,
    });
    assert_eq!(claims, expected);
    assert!(claims["picture"].as_str().unwrap().starts_with(desk.issuer()));
    assert_ne!(claims["sub"], account.user_id.to_string());
    let row = row.into_iter().max_by_key(|row| row.date_created).unwrap();
    assert_eq!((row.domain.as_str(), row.browser.as_str()), ("localhost", "Firefox 128"));
}

#[tokio::test]
async fn nothing_is_told_that_was_not_asked_and_granted() {
    let mut desk = Desk::open(23, client()).await;
    let refuse = |yes: &mut messages::AcceptUrlAuth| yes.share_phone_number = false;
    let end = desk.log_in(&[("scope", "openid phone")], refuse).await;
    let (_, body) = desk.redeem(&sent(&end, "code").unwrap(), "").await;
    let claims = claims(body["id_token"].as_str().unwrap());
    let names: Vec<_> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["iss", "aud", "sub", "iat", "exp"]);
}

#[tokio::test]
async fn a_subject_is_the_same_at_each_login_and_another_for_each_client() {
    let mut desk = Desk::open(24, client()).await;
    let other = BotSettings::new().oidc(client());
    let secret = desk.server.bot_father().set("LumiereNewsBot", other).await.unwrap().unwrap();
    let mut subjects = Vec::new();
    for login in 0..3 {
        if login == 2 {
            desk.id = desk.server.bots()[1].user_id.to_string();
            desk.secret = secret.as_str().to_owned();
        }
        let code = desk.code(&[]).await;
        let (_, body) = desk.redeem(&code, "").await;
        subjects.push(claims(body["id_token"].as_str().unwrap())["sub"].clone());
    }
    assert_eq!(subjects[0], subjects[1]);
    assert_ne!(subjects[0], subjects[2]);
}

#[tokio::test]
async fn a_nonce_is_repeated_as_it_is_set() {
    for (nonce, in_code, in_popup) in
        [(Nonce::Popup, false, true), (Nonce::Always, true, true), (Nonce::Never, false, false)]
    {
        let mut desk = Desk::open(25, client().nonce(nonce)).await;
        let code = desk.code(&[("nonce", "n-0S6")]).await;
        let (_, body) = desk.redeem(&code, "").await;
        let told = claims(body["id_token"].as_str().unwrap()).get("nonce").cloned();
        assert_eq!(told, in_code.then(|| json!("n-0S6")), "{nonce:?}");
        let (_, message) = popup(&mut desk, &[("nonce", "n-0S6")]).await;
        let told = claims(message["result"].as_str().unwrap()).get("nonce").cloned();
        assert_eq!(told, in_popup.then(|| json!("n-0S6")), "{nonce:?}");
    }
}

/// Logs in as the JavaScript library does; tells to which origin the page posts what.
async fn popup(desk: &mut Desk, other: &[(&str, &str)]) -> (String, Value) {
    let page = format!("{ORIGIN}/shop/");
    let mut fields = vec![("response_type", "post_message"), ("redirect_uri", &page)];
    fields.extend(other);
    let end = desk.log_in(&fields, |_| {}).await;
    posted(&end)
}

/// What a page posts to which origin.
pub(crate) fn posted(page: &Answer) -> (String, Value) {
    assert_eq!(page.status, 200, "{page:?}");
    let message = page.between("data-message=\"", "\"").replace("&quot;", "\"");
    let message = message.replace("&amp;", "&");
    (page.between("data-origin=\"", "\"").to_owned(), serde_json::from_str(&message).unwrap())
}

#[tokio::test]
async fn a_popup_posts_an_id_token_to_the_origin_of_its_page() {
    let mut desk = Desk::open(26, client()).await;
    let (origin, message) = popup(&mut desk, &[]).await;
    assert_eq!((origin.as_str(), &message["event"]), (ORIGIN, &json!("auth_result")));
    assert_eq!(claims(message["result"].as_str().unwrap())["name"], "Claude Chappe");
    let fields = [("response_type", "post_message"), ("redirect_uri", ORIGIN)];
    let page = desk.browser.get(&desk.window(&fields)).await;
    let (handle, link) = waiting(&page);
    let decline = messages::DeclineUrlAuth { url: link.into() };
    desk.app.call(&decline).await.unwrap();
    let end = desk.browser.get(&format!("/auth/push?request={handle}")).await;
    let (origin, message) = posted(&end);
    assert_eq!((origin.as_str(), &message["error"]), (ORIGIN, &json!("access_denied")));
    assert!(message.get("result").is_none());
}

#[tokio::test]
async fn who_says_no_or_nothing_sends_the_browser_back_without_a_code() {
    let mut desk = Desk::open(27, client()).await;
    for late in [false, true] {
        let page = desk.browser.get(&desk.window(&[])).await;
        let (handle, link) = waiting(&page);
        match late {
            true => pass(&desk.server, 301).await,
            false => {
                let decline = messages::DeclineUrlAuth { url: link.into() };
                desk.app.call(&decline).await.unwrap();
            }
        }
        let end = desk.browser.get(&format!("/auth/push?request={handle}")).await;
        assert_eq!(sent(&end, "error").unwrap(), "access_denied");
        assert_eq!(sent(&end, "state").unwrap(), "the state");
        assert_eq!(sent(&end, "code"), None);
    }
}

#[tokio::test]
async fn a_match_code_is_asked_for_where_that_is_set() {
    let mut desk = Desk::open(28, client().match_codes(MatchCode::First)).await;
    let page = desk.browser.get(&desk.window(&[])).await;
    let (handle, link) = waiting(&page);
    let shown = page.between("aria-label=\"The picture ", "\"").to_owned();
    let ask = messages::RequestUrlAuth {
        url: Some(link.as_str().into()),
        ..messages::RequestUrlAuth::new()
    };
    let UrlAuthResult::Request(asked) = desk.app.call(&ask).await.unwrap() else {
        panic!("{link}")
    };
    let codes = asked.match_codes.unwrap();
    assert!(asked.match_codes_first && codes.iter().any(|code| *code == *shown));
    let mut yes = accept(&link);
    yes.match_code = Some(shown.into());
    desk.app.call(&yes).await.unwrap();
    let end = desk.browser.get(&format!("/auth/push?request={handle}")).await;
    assert!(sent(&end, "code").is_some());
}

#[tokio::test]
async fn a_native_app_gets_its_code_from_the_app_and_needs_no_secret() {
    let mut desk = Desk::open(29, client()).await;
    let fields = form(&[
        ("client_id", &desk.id),
        ("redirect_uri", NATIVE),
        ("response_type", "code"),
        ("scope", "openid profile"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("android_sdk", "1"),
    ]);
    let answer = desk.browser.get(&format!("/crossapp?{fields}")).await;
    let link: Value = serde_json::from_str(&answer.body).unwrap();
    let link = link["url"].as_str().unwrap().to_owned();
    assert!(link.starts_with("tg://oauth?token="), "{link}");
    let ask = messages::RequestUrlAuth {
        url: Some(link.as_str().into()),
        ..messages::RequestUrlAuth::new()
    };
    let UrlAuthResult::Request(asked) = desk.app.call(&ask).await.unwrap() else {
        panic!("{link}")
    };
    assert_eq!((asked.is_app, asked.verified_app_name), (true, None), "anybody can take a scheme");
    let mut urls = Vec::new();
    // The answer may get lost: asked again, there is another code.
    for _ in 0..2 {
        let accepted = desk.app.call(&accept(&link)).await.unwrap();
        let UrlAuthResult::Accepted(accepted) = accepted else { panic!("{accepted:?}") };
        urls.push(accepted.url.unwrap().to_string());
    }
    assert_ne!(urls[0], urls[1]);
    for url in urls {
        let code = url.strip_prefix(&format!("{NATIVE}?code=")).unwrap();
        let (_, body) = desk
            .token(
                "",
                &[
                    ("grant_type", "authorization_code"),
                    ("client_id", &desk.id),
                    ("code", code),
                    ("redirect_uri", NATIVE),
                    ("code_verifier", VERIFIER),
                ],
            )
            .await;
        assert_eq!(claims(body["id_token"].as_str().unwrap())["aud"], desk.id);
    }
    pass(&desk.server, 301).await;
    let late = desk.app.call(&accept(&link)).await.unwrap_err();
    assert_eq!(late.message, errors::URL_EXPIRED.name);
}

#[tokio::test]
async fn a_page_within_telegram_gets_an_id_token_through_the_app() {
    let mut desk = Desk::open(30, client()).await;
    let page = format!("Origin: {ORIGIN}\r\n");
    let fields = form(&[("scope", "openid profile"), ("origin", ORIGIN), ("client_id", &desk.id)]);
    let answer = desk.browser.ask("GET", &format!("/inapp?{fields}"), &page, "").await;
    assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
    let link: Value = serde_json::from_str(&answer.body).unwrap();
    let link = link["url"].as_str().unwrap().to_owned();
    let mut ask = messages::RequestUrlAuth {
        url: Some(link.as_str().into()),
        in_app_origin: Some("https://evil.example".into()),
        ..messages::RequestUrlAuth::new()
    };
    let refused = desk.app.call(&ask).await.unwrap_err();
    assert_eq!(refused.message, errors::URL_INVALID.name);
    ask.in_app_origin = Some(ORIGIN.into());
    assert!(matches!(desk.app.call(&ask).await.unwrap(), UrlAuthResult::Request(_)));
    let result = desk.app.call(&accept(&link)).await.unwrap();
    let UrlAuthResult::Accepted(accepted) = result else { panic!("{result:?}") };
    let url = accepted.url.unwrap().to_string();
    let code = url.strip_prefix(&format!("{ORIGIN}/?token=")).unwrap();
    let path = format!("/inapp?code={code}");
    // Another page cannot take it, and does not use it up.
    let other = desk.browser.ask("GET", &path, "Origin: https://evil.example\r\n", "").await;
    assert_eq!(other.status, 400, "{other:?}");
    let (answer, _) = desk.redeem(code, "").await;
    assert_eq!(answer.status, 400, "it is no code for /token");
    let answer = desk.browser.ask("GET", &path, &page, "").await;
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(claims(body["result"].as_str().unwrap())["id"], desk.server.accounts()[0].user_id);
    let again = desk.browser.ask("GET", &path, &page, "").await;
    assert_eq!(again.status, 400, "{again:?}");

    // A code that nobody fetches is good for a minute.
    for (seconds, status) in [(59, 200), (60, 400)] {
        let answer = desk.browser.ask("GET", &format!("/inapp?{fields}"), &page, "").await;
        let link: Value = serde_json::from_str(&answer.body).unwrap();
        let result = desk.app.call(&accept(link["url"].as_str().unwrap())).await.unwrap();
        let UrlAuthResult::Accepted(accepted) = result else { panic!("{result:?}") };
        let url = accepted.url.unwrap().to_string();
        let code = url.strip_prefix(&format!("{ORIGIN}/?token=")).unwrap();
        pass(&desk.server, seconds).await;
        let answer = desk.browser.ask("GET", &format!("/inapp?code={code}"), &page, "").await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test]
async fn the_library_of_a_site_takes_every_algorithm() {
    for (alg, name) in [
        (Alg::Rs256, "RS256"),
        (Alg::Es256, "ES256"),
        (Alg::EdDsa, "EdDSA"),
        (Alg::Es256k, "ES256K"),
    ] {
        let mut desk = Desk::open(31, client().alg(alg).nonce(Nonce::Always)).await;
        let issuer = desk.issuer().to_owned();
        let discovery = desk.browser.get("/.well-known/openid-configuration").await;
        let provider = site::Provider::from_discovery(&issuer, discovery.body.as_bytes()).unwrap();
        let secret = site::ClientSecret::new(desk.secret.clone()).unwrap();
        let ours = site::Client::new(provider, &desk.id, CALLBACK).unwrap();
        let ours = ours.with_alg(site::Alg::from_name(name).unwrap()).with_secret(secret);
        let now = SystemTime::now();
        let pending = site::Pending::new(now).unwrap();
        let url = ours.authorization_url(&[site::Scope::Profile], &pending);
        let page = desk.browser.get(url.strip_prefix(&issuer).unwrap()).await;
        let (handle, link) = waiting(&page);
        desk.app.call(&accept(&link)).await.unwrap();
        let end = desk.browser.get(&format!("/auth/push?request={handle}")).await;
        let query = end.header("location").split_once('?').unwrap().1;
        let code = ours.callback(&pending, query, now).unwrap();
        let request = ours.token_request(&pending, &code);
        let headers = request.authorization.as_ref().unwrap();
        let headers = format!("Authorization: {}\r\n", headers.as_str());
        let answer = browser(&desk.server).ask("POST", "/token", &headers, &request.body).await;
        let token = ours.token_response(answer.status, answer.body.as_bytes()).unwrap();
        let mut keys = site::Keys::new();
        let set = desk.browser.get("/.well-known/jwks.json").await;
        keys.read(set.body.as_bytes(), now).unwrap();
        let login = ours.check(&token, &pending, &keys, now).unwrap();
        assert_eq!(login.name.as_deref(), Some("Claude Chappe"), "{name}");
    }
}

/// Node's own cryptography reads the keys and checks the signatures, where there is Node.
#[tokio::test(flavor = "multi_thread")]
async fn node_takes_every_algorithm() {
    const CHECK: &str = "
        import { createPublicKey, verify } from 'node:crypto';
        const { keys, tokens } = JSON.parse(process.argv[1]);
        for (const token of tokens) {
          const [header, claims, signature] = token.split('.');
          const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url'));
          const jwk = keys.find((key) => key.kid === kid && key.alg === alg && key.use === 'sig');
          const key = createPublicKey({ key: jwk, format: 'jwk' });
          const check = (text) => verify(alg === 'EdDSA' ? null : 'sha256', Buffer.from(text),
            { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
          if (!check(`${header}.${claims}`)) throw new Error(`${alg} is not verified`);
          if (check(`${header}.${claims}x`)) throw new Error(`${alg} verifies anything`);
        }
        console.log(tokens.length);";
    if !runs_here("tokens as Node checks them", "node", &["--version"]) {
        return;
    }
    let mut desk = Desk::open(32, client()).await;
    let mut tokens = Vec::new();
    for alg in [Alg::Rs256, Alg::Es256, Alg::EdDsa, Alg::Es256k] {
        let settings = BotSettings::new().oidc(client().alg(alg));
        desk.server.bot_father().set("ColumbusDemoBot", settings).await.unwrap();
        let code = desk.code(&[]).await;
        let (_, body) = desk.redeem(&code, "").await;
        tokens.push(body["id_token"].clone());
    }
    let set = desk.browser.get("/.well-known/jwks.json").await;
    let set: Value = serde_json::from_str(&set.body).unwrap();
    let input = json!({ "keys": set["keys"], "tokens": tokens }).to_string();
    let output =
        Command::new("node").args(["--input-type=module", "-e", CHECK, &input]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(told.trim(), "4", "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn keys_and_subjects_outlive_the_server_and_codes_are_kept_as_hashes() {
    let directory = tempfile::tempdir().unwrap();
    let mut known: Vec<(String, Value)> = Vec::new();
    for _ in 0..2 {
        let free = ([127, 0, 0, 1], 0).into();
        let builder = Server::builder().data(directory.path()).seed(33).web(free);
        let server = builder.bot("ColumbusDemoBot", BotSettings::new().oidc(client())).start();
        let server = server.await.unwrap();
        let secret = server.bot_father().new_secret("ColumbusDemoBot").await.unwrap();
        let mut desk = Desk {
            id: server.bots()[0].user_id.to_string(),
            secret: secret.as_str().to_owned(),
            browser: browser(&server),
            app: app(&server).await,
            server,
        };
        let left = desk.code(&[]).await;
        let code = desk.code(&[]).await;
        let (_, body) = desk.redeem(&code, "").await;
        let subject = claims(body["id_token"].as_str().unwrap())["sub"].clone();
        known.push((desk.browser.get("/.well-known/jwks.json").await.body, subject));
        desk.server.shutdown().await.unwrap();
        let file = std::fs::read(directory.path().join("chappe.sqlite")).unwrap();
        let holds = |bytes: &[u8]| file.windows(bytes.len()).any(|found| found == bytes);
        assert!(!holds(left.as_bytes()) && holds(&sha256(&[left.as_bytes()])));
    }
    assert_eq!(known[0], known[1]);
}
