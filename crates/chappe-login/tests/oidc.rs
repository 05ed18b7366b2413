//! OpenID Connect: tokens of another program, and everything that must not log anybody in.

#![expect(clippy::unwrap_used, reason = "what the tests share may fail a test")]

use std::time::{Duration, SystemTime};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use chappe_login::oidc::{
    Alg, Client, ClientSecret, Error, IdToken, Keys, Pending, Provider, RawIdToken, Scope,
};
use chappe_login::{Error as LoginError, Seen};
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use serde_json::{Value, json};

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

/// A site with the client id of the vectors.
fn client(alg: Alg) -> Client {
    Client::new(Provider::telegram(), "123456", "https://shop.example/back").unwrap().with_alg(alg)
}

/// The login that the vectors belong to.
fn pending() -> Pending {
    Pending::from_entropy(&[[1; 32], [2; 32], [3; 32]], at(0))
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/id_tokens.json")).unwrap()
}

fn keys_of(set: &Value) -> Keys {
    let mut keys = Keys::new();
    keys.read(set.to_string().as_bytes(), at(0)).unwrap();
    keys
}

fn verify(alg: Alg, token: &str, keys: &Keys) -> Result<IdToken, Error> {
    client(alg).check(&RawIdToken::new(token), &pending(), keys, at(1))
}

/// A provider whose key the tests have.
fn own_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn own_keys() -> Keys {
    let x = Base64UrlUnpadded::encode_string(own_key().verifying_key().as_bytes());
    keys_of(&json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "own", "x": x}]}))
}

fn signed(header: &str, claims: &str) -> String {
    let base64 = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let text = format!("{}.{}", base64(header), base64(claims));
    let signature = own_key().sign(text.as_bytes()).to_bytes();
    format!("{text}.{}", Base64UrlUnpadded::encode_string(&signature))
}

const HEADER: &str = r#"{"alg":"EdDSA","kid":"own"}"#;

/// Claims that are all right.
fn claims() -> Value {
    json!({
        "iss": "https://oauth.telegram.org", "aud": "123456", "sub": "s", "iat": 1_700_000_000,
        "exp": 1_700_003_600, "id": 42, "nonce": pending().nonce(),
    })
}

/// Verifies claims of which one is another, or away.
fn with(name: &str, value: Option<Value>) -> Result<IdToken, Error> {
    let mut claims = claims();
    match value {
        Some(value) => claims[name] = value,
        None => _ = claims.as_object_mut().unwrap().remove(name),
    }
    verify(Alg::EdDsa, &signed(HEADER, &claims.to_string()), &own_keys())
}

#[test]
fn the_tokens_of_another_program_are_read_by_each_algorithm() {
    let (vectors, all) = (vectors(), Alg::ALL);
    let keys = keys_of(&vectors["jwks"]);
    for alg in all {
        let token = vectors["tokens"][alg.name()].as_str().unwrap();
        let ada = verify(alg, token, &keys).unwrap();
        assert_eq!((&*ada.sub, ada.id), ("1234567890123456789", Some(4_242_424_242)));
        assert_eq!(ada.name.as_deref(), Some("Ada Exämple"));
        assert_eq!(ada.preferred_username.as_deref(), Some("ada_example"));
        assert_eq!(ada.picture.as_deref(), Some("https://cdn4.telesco.pe/file/x.jpg"));
        assert_eq!(ada.phone_number.as_deref(), Some("15550100"));
        assert_eq!((ada.issued, ada.expires), (at(0), at(3_600)));
        assert_eq!(ada.claim("iss"), Some("https://oauth.telegram.org"));
        assert_eq!(ada.claim("iat"), None);
    }
}

#[test]
fn both_forms_of_a_signature_on_a_curve_hold_and_are_one_login() {
    let vectors = vectors();
    let keys = keys_of(&vectors["jwks"]);
    for alg in [Alg::Es256, Alg::Es256k] {
        let token = |name: &str| vectors["tokens"][name].as_str().unwrap().to_owned();
        let one = verify(alg, &token(alg.name()), &keys).unwrap();
        let other = token(&format!("{} of the greater s", alg.name()));
        let signed = |token: &str| token.rsplit_once('.').unwrap().0.to_owned();
        assert_eq!(signed(&other), signed(&token(alg.name())));
        let mut seen = Seen::new(9);
        assert_eq!(seen.once(one.fingerprint(), at(1)), Ok(()));
        let other = verify(alg, &other, &keys).unwrap();
        assert_eq!(seen.once(other.fingerprint(), at(1)), Err(LoginError::Replayed));
    }
}

#[test]
fn only_the_registered_algorithm_is_taken() {
    let vectors = vectors();
    let keys = keys_of(&vectors["jwks"]);
    for (name, token) in vectors["tokens"].as_object().unwrap() {
        for alg in Alg::ALL {
            let found = verify(alg, token.as_str().unwrap(), &keys).err();
            let expected = match (name.as_str(), alg) {
                ("RS256 of 1024 bits", Alg::Rs256) => Some(Error::WeakKey),
                ("RS256 by PSS", Alg::Rs256) => Some(Error::Signature),
                (name, alg) if name.split(' ').next() == Some(alg.name()) => None,
                _ => Some(Error::Algorithm),
            };
            assert_eq!(found, expected, "{name} for {alg:?}");
        }
    }
    // A header that says the right thing does not make another key fit.
    let rsa = vectors["tokens"]["RS256"].as_str().unwrap();
    let (_, rest) = rsa.split_once('.').unwrap();
    for kid in ["oidc-es256-1", "oidc-es256k-1", "oidc-eddsa-1", "oidc-2"] {
        let header = json!({"alg": "RS256", "kid": kid}).to_string();
        let token = format!("{}.{rest}", Base64UrlUnpadded::encode_string(header.as_bytes()));
        assert_eq!(verify(Alg::Rs256, &token, &keys).err(), Some(Error::UnknownKey), "{kid}");
    }
    for name in ["none", "HS256", "PS256", "RS512", "rs256", "EdDsa", "ES384", ""] {
        assert_eq!(Alg::from_name(name), None, "{name}");
    }
}

#[test]
fn no_changed_letter_of_a_token_is_taken() {
    let (token, keys) = (signed(HEADER, &claims().to_string()), own_keys());
    assert!(verify(Alg::EdDsa, &token, &keys).is_ok());
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(verify(Alg::EdDsa, &changed, &keys).is_err(), "letter {index}");
        assert!(verify(Alg::EdDsa, &token[..index], &keys).is_err(), "cut at {index}");
    }
    for more in [".", "=", ".AAAA", "A", "AAAA", " "] {
        assert!(verify(Alg::EdDsa, &format!("{token}{more}"), &keys).is_err(), "{more}");
    }
    let long = format!("{token}{}", "A".repeat(16 * 1024));
    assert_eq!(verify(Alg::EdDsa, &long, &keys).err(), Some(Error::TooLarge));
}

#[test]
fn a_token_brings_neither_its_key_nor_rules_of_its_own() {
    let with_header = |header: &str| {
        verify(Alg::EdDsa, &signed(header, &claims().to_string()), &own_keys()).err()
    };
    for (name, value) in [
        ("jku", "\"https://evil.example/keys\""),
        ("x5u", "\"https://evil.example/certificate\""),
        ("x5c", "[\"AAAA\"]"),
        (
            "jwk",
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        ),
        ("crit", "[\"exp\"]"),
        ("crit", "[]"),
        ("b64", "false"),
        ("enc", "\"A128GCM\""),
        ("zip", "\"DEF\""),
        ("typ", "\"at+jwt\""),
        ("typ", "1"),
    ] {
        let header = format!(r#"{{"alg":"EdDSA","kid":"own","{name}":{value}}}"#);
        assert_eq!(with_header(&header), Some(Error::Header(name)), "{header}");
    }
    assert_eq!(with_header(r#"{"alg":"EdDSA","kid":"own","typ":"jwt"}"#), None);
    // The only key there is needs no name; a name that is there has to be right.
    assert_eq!(with_header(r#"{"alg":"EdDSA"}"#), None);
    assert_eq!(with_header(r#"{"alg":"EdDSA","kid":"other"}"#), Some(Error::UnknownKey));
    assert_eq!(with_header(r#"{"alg":"EdDSA","kid":1}"#), Some(Error::Header("kid")));
    assert_eq!(with_header(r#"{"alg":"EdDSA","alg":"EdDSA"}"#), Some(Error::Json));
    assert_eq!(with_header(r#"{"kid":"own"}"#), Some(Error::Algorithm));
    assert_eq!(with_header("[]"), Some(Error::Json));
}

#[test]
fn a_token_of_another_issuer_or_for_another_site_is_refused() {
    assert!(with("extra", Some(json!([1.5, {"a": null}]))).is_ok());
    for issuer in [json!("https://oauth.telegram.org/"), json!("https://oauth.tg.dev"), json!(1)] {
        assert_eq!(with("iss", Some(issuer)).err(), Some(Error::Issuer));
    }
    assert_eq!(with("iss", None).err(), Some(Error::Issuer));
    assert_eq!(with("aud", None).err(), Some(Error::Claim("aud")));
    assert_eq!(with("aud", Some(json!(123_456))).err(), Some(Error::Claim("aud")));
    for audience in [json!("123457"), json!("1234567"), json!(""), json!([]), json!(["1"])] {
        assert_eq!(with("aud", Some(audience)).err(), Some(Error::Audience));
    }
    assert!(with("aud", Some(json!(["123456"]))).is_ok());
    // Of several sites, the one that asked is named.
    assert_eq!(with("aud", Some(json!(["123456", "1"]))).err(), Some(Error::Audience));
    let mut several = claims();
    several["aud"] = json!(["1", "123456"]);
    several["azp"] = json!("123456");
    let check = |claims: &Value| {
        verify(Alg::EdDsa, &signed(HEADER, &claims.to_string()), &own_keys()).err()
    };
    assert_eq!(check(&several), None);
    several["azp"] = json!("1");
    assert_eq!(check(&several), Some(Error::Audience));
    assert_eq!(with("azp", Some(json!("1"))).err(), Some(Error::Audience));
    assert_eq!(with("azp", Some(json!("123456"))).err(), None);
}

#[test]
fn a_token_out_of_its_time_is_refused() {
    let token = RawIdToken::new(signed(HEADER, &claims().to_string()));
    let check = |now| client(Alg::EdDsa).check(&token, &pending(), &own_keys(), now).err();
    assert_eq!(check(at(3_659)), None);
    assert_eq!(check(at(3_660)), Some(Error::Expired));
    assert_eq!(check(at(0) - Duration::from_secs(60)), None);
    assert_eq!(check(at(0) - Duration::from_secs(61)), Some(Error::FromFuture));
    assert_eq!(with("nbf", Some(json!(1_700_000_061))).err(), None);
    assert_eq!(with("nbf", Some(json!(1_700_000_062))).err(), Some(Error::FromFuture));
    for name in ["iat", "exp"] {
        assert_eq!(with(name, None).err(), Some(Error::Claim(name)));
        for value in [json!("1700000000"), json!(1.7e9), json!(-1), json!(null), json!(u64::MAX)] {
            assert_eq!(with(name, Some(value)).err(), Some(Error::Claim(name)));
        }
    }
}

#[test]
fn a_nonce_is_right_if_it_is_there_and_there_where_it_has_to_be() {
    let verify = |nonce: Option<&str>| {
        let mut claims = claims();
        match nonce {
            Some(nonce) => claims["nonce"] = json!(nonce),
            None => _ = claims.as_object_mut().unwrap().remove("nonce"),
        }
        let token = RawIdToken::new(signed(HEADER, &claims.to_string()));
        let (client, keys, pending) = (client(Alg::EdDsa), own_keys(), pending());
        (
            client.check(&token, &pending, &keys, at(1)).err(),
            client.clone().with_nonce_required().check(&token, &pending, &keys, at(1)).err(),
            client.check_posted(&token, &pending, &keys, at(1)).err(),
        )
    };
    let wrong = Some(Error::Nonce);
    assert_eq!(verify(Some(pending().nonce())), (None, None, None));
    assert_eq!(verify(None), (None, wrong.clone(), wrong.clone()));
    for other in ["", "x", &pending().nonce()[1..], pending().state()] {
        assert_eq!(verify(Some(other)), (wrong.clone(), wrong.clone(), wrong.clone()), "{other}");
    }
    assert_eq!(with("nonce", Some(json!(1))).err(), wrong);
    assert_eq!(with("nonce", Some(json!(null))).err(), wrong);
    // What a page posts has to come while the login is under way.
    let token = RawIdToken::new(signed(HEADER, &claims().to_string()));
    let late = client(Alg::EdDsa).check_posted(&token, &pending(), &own_keys(), at(601));
    assert_eq!(late.err(), Some(Error::PendingOver));
}

#[test]
fn claims_have_their_types() {
    for sub in [json!(""), json!(1), json!(null), json!("s".repeat(256))] {
        assert_eq!(with("sub", Some(sub)).err(), Some(Error::Claim("sub")));
    }
    assert_eq!(with("sub", None).err(), Some(Error::Claim("sub")));
    for id in [json!("42"), json!(0), json!(-1), json!(4.5), json!(u64::MAX), json!(null)] {
        assert_eq!(with("id", Some(id)).err(), Some(Error::Claim("id")));
    }
    assert_eq!(with("id", None).unwrap().id, None);
    for name in ["name", "preferred_username", "picture", "phone_number"] {
        assert_eq!(with(name, Some(json!(1))).err(), Some(Error::Claim(name)));
        assert!(with(name, Some(json!(null))).is_ok());
    }
    let twice = claims().to_string().replacen('{', r#"{"sub":"t","#, 1);
    assert_eq!(verify(Alg::EdDsa, &signed(HEADER, &twice), &own_keys()).err(), Some(Error::Json));
    assert_eq!(verify(Alg::EdDsa, &signed(HEADER, "[]"), &own_keys()).err(), Some(Error::Json));
}

#[test]
fn a_browser_is_sent_with_state_nonce_and_challenge() {
    let url = client(Alg::Rs256).authorization_url(&[Scope::Profile, Scope::BotAccess], &pending());
    let base64 = |byte: u8| Base64UrlUnpadded::encode_string(&[byte; 32]);
    let expected = format!(
        "https://oauth.telegram.org/auth?response_type=code&client_id=123456\
         &redirect_uri=https%3A%2F%2Fshop.example%2Fback\
         &scope=openid%20profile%20telegram%3Abot_access&state={}&nonce={}\
         &code_challenge=g77gcvvTQj90gfwWOCFjatjPtz-u8N0FgfOXnqDHMbk&code_challenge_method=S256",
        base64(1),
        base64(2),
    );
    assert_eq!(url, expected);
    let (one, other) = (Pending::new(at(0)).unwrap(), Pending::new(at(0)).unwrap());
    assert_ne!((one.state(), one.nonce()), (other.state(), other.nonce()));
    assert_ne!(one.state(), one.nonce());
}

#[test]
fn a_callback_belongs_to_its_login_or_is_refused() {
    let client = client(Alg::Rs256);
    let state = pending().state().to_owned();
    let check = |query: &str| client.callback(&pending(), query, at(1)).err();
    let right = format!("code=abc&state={state}");
    assert_eq!(check(&right), None);
    assert_eq!(check(&format!("?{right}&iss=https%3A%2F%2Foauth.telegram.org&x=1&x=2")), None);

    assert_eq!(check("code=abc"), Some(Error::Missing("state")));
    let other = Pending::new(at(0)).unwrap();
    for wrong in ["", other.state(), &state[1..], &format!("{state}x"), pending().nonce()] {
        assert_eq!(check(&format!("code=abc&state={wrong}")), Some(Error::State), "{wrong}");
    }
    for (query, name) in [
        (format!("{right}&code=abd"), "code"),
        (format!("{right}&state={state}"), "state"),
        (format!("{right}&iss=a&iss=a"), "iss"),
        (format!("{right}&error=a&error=b"), "error"),
    ] {
        assert_eq!(check(&query), Some(Error::Duplicate(name.into())));
    }
    assert_eq!(check(&format!("{right}&iss=https%3A%2F%2Fevil.example")), Some(Error::Issuer));
    assert_eq!(check(&format!("state={state}")), Some(Error::Missing("code")));
    assert_eq!(check(&format!("code=&state={state}")), Some(Error::Missing("code")));
    let long = format!("code={}&state={state}", "a".repeat(2_049));
    assert_eq!(check(&long), Some(Error::TooLarge));
    assert_eq!(check("code=%zz"), Some(Error::Encoding));

    // An error counts for the login that it names, and against a code beside it.
    assert_eq!(check(&format!("error=access_denied&state={state}")), Some(Error::Declined));
    assert_eq!(check(&format!("{right}&error=access_denied")), Some(Error::Declined));
    assert_eq!(check("error=access_denied&state=x"), Some(Error::State));
    assert_eq!(check("error=access_denied"), Some(Error::Missing("state")));
    let refused = Some(Error::Refused("invalid_scope".into()));
    assert_eq!(check(&format!("error=invalid_scope&state={state}")), refused);
    let odd = check(&format!("error=%1b%5b31m<script>&state={state}")).unwrap().to_string();
    assert_eq!(odd, "the provider refused: no reason that could be read");

    let late = |now| client.callback(&pending(), &right, now).err();
    assert_eq!(late(at(600)), None);
    assert_eq!(late(at(601)), Some(Error::PendingOver));
    assert_eq!(late(at(0) - Duration::from_secs(61)), Some(Error::PendingOver));
}

#[test]
fn who_names_itself_has_to_do_so_each_time() {
    let document = discovery(|document| {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    });
    let provider = Provider::from_discovery(ISSUER, document.as_bytes()).unwrap();
    let client = Client::new(provider, "1", "http://localhost:1/back").unwrap();
    let query = format!("code=a&state={}", pending().state());
    let check = |query: &str| client.callback(&pending(), query, at(1)).err();
    assert_eq!(check(&query), Some(Error::Missing("iss")));
    assert_eq!(check(&format!("{query}&iss=http%3A%2F%2F127.0.0.1%3A99")), None);
}

#[test]
fn a_code_is_exchanged_as_the_client_is_registered() {
    let request = |client: Client| {
        let code = format!("code=a%2Fb&state={}", pending().state());
        let code = client.callback(&pending(), &code, at(1)).unwrap();
        let request = client.token_request(&pending(), &code);
        assert_eq!(request.url, "https://oauth.telegram.org/token");
        (request.authorization.map(|header| header.to_string()), request.body.to_string())
    };
    let verifier = Base64UrlUnpadded::encode_string(&[3; 32]);
    let body = format!(
        "grant_type=authorization_code&code=a%2Fb\
         &redirect_uri=https%3A%2F%2Fshop.example%2Fback&code_verifier={verifier}"
    );
    let client = || client(Alg::Rs256);
    let secret = || ClientSecret::new("s+c:t").unwrap();
    // "123456:s%2Bc%3At"
    let header = Some("Basic MTIzNDU2OnMlMkJjJTNBdA==".to_owned());
    assert_eq!(request(client().with_secret(secret())), (header, body.clone()));
    let form = format!("{body}&client_id=123456&client_secret=s%2Bc%3At");
    assert_eq!(request(client().with_secret_in_form(secret())), (None, form));
    assert_eq!(request(client()), (None, format!("{body}&client_id=123456")));
}

#[test]
fn the_answer_to_a_code_is_a_token_or_a_reason() {
    let client = client(Alg::Rs256);
    let check = |status, body: &str| client.token_response(status, body.as_bytes()).err();
    let right = r#"{"access_token":"a","token_type":"bearer","expires_in":3600,"id_token":"t"}"#;
    assert_eq!(check(200, right), None);
    assert_eq!(check(200, &right.replace("bearer", "mac")), Some(Error::Missing("token_type")));
    assert_eq!(check(200, r#"{"token_type":"Bearer"}"#), Some(Error::Missing("id_token")));
    assert_eq!(
        check(200, r#"{"token_type":"Bearer","id_token":1}"#),
        Some(Error::Missing("id_token"))
    );
    assert_eq!(check(200, "<html>"), Some(Error::Json));
    assert_eq!(check(200, r#"{"id_token":"a","id_token":"b"}"#), Some(Error::Json));
    let reason = r#"{"error":"invalid_grant","error_description":"\u001b[31m"}"#;
    assert_eq!(check(400, reason), Some(Error::Refused("invalid_grant".into())));
    // What the developer can do about it is said.
    let secret = check(401, r#"{"error":"invalid_client"}"#).unwrap().to_string();
    assert!(secret.contains("invalid_client; client id and secret"), "{secret}");
    assert_eq!(check(502, "<html>"), Some(Error::Response(502)));
    assert_eq!(check(302, right), Some(Error::Response(302)));
    assert_eq!(check(200, &" ".repeat(65_537)), Some(Error::TooLarge));
}

const ISSUER: &str = "http://127.0.0.1:99";

fn discovery(change: impl Fn(&mut Value)) -> String {
    let mut document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "http://127.0.0.1:99/auth?x=1",
        "token_endpoint": "http://127.0.0.1:99/token",
        "jwks_uri": "http://127.0.0.1:99/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256"],
        "code_challenge_methods_supported": ["plain", "S256"],
    });
    change(&mut document);
    document.to_string()
}

#[test]
fn a_discovery_document_describes_who_was_asked() {
    assert_eq!(
        Provider::discovery_url("https://oauth.telegram.org").unwrap(),
        "https://oauth.telegram.org/.well-known/openid-configuration"
    );
    for wrong in ["http://oauth.telegram.org", "https://a?b", "https://a#b", "", "a"] {
        assert_eq!(Provider::discovery_url(wrong), Err(Error::Address("issuer")), "{wrong}");
    }
    let read = |change: &dyn Fn(&mut Value)| {
        Provider::from_discovery(ISSUER, discovery(change).as_bytes())
    };
    let provider = read(&|_| {}).unwrap();
    assert_eq!(provider.issuer(), ISSUER);
    assert_eq!(provider.token_endpoint(), "http://127.0.0.1:99/token");
    assert_eq!(provider.jwks_uri(), "http://127.0.0.1:99/.well-known/jwks.json");
    let client = Client::new(provider, "1", "http://localhost:1/back").unwrap();
    let url = client.authorization_url(&[], &pending());
    assert!(url.starts_with("http://127.0.0.1:99/auth?x=1&response_type=code&"), "{url}");

    assert_eq!(read(&|it| it["issuer"] = json!("http://127.0.0.1:99/")), Err(Error::Issuer));
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert_eq!(read(&|it| it[name] = json!(null)), Err(Error::Provider(name)));
        for wrong in ["http://evil.example/", "javascript:alert(1)", "/auth", "http://127.0.0.1@e/"]
        {
            assert_eq!(read(&|it| it[name] = json!(wrong)), Err(Error::Address(name)), "{wrong}");
        }
    }
    // Nobody talks us out of PKCE by S256, nor into another flow.
    for (name, value) in [
        ("code_challenge_methods_supported", json!(["plain"])),
        ("code_challenge_methods_supported", json!("S256")),
        ("response_types_supported", json!(["token"])),
        ("response_types_supported", json!(null)),
        ("id_token_signing_alg_values_supported", json!(["none", "HS256"])),
    ] {
        assert_eq!(read(&|it| it[name] = value.clone()), Err(Error::Provider(name)));
    }
    let silent = read(&|it| {
        it.as_object_mut().unwrap().remove("code_challenge_methods_supported");
    });
    assert!(silent.is_ok());
    assert_eq!(Provider::from_discovery(ISSUER, b"[]"), Err(Error::Json));
    let large = Provider::from_discovery(ISSUER, &[b' '; 65_537]);
    assert_eq!(large, Err(Error::TooLarge));
}

#[test]
fn an_issuer_with_tls_sends_nobody_to_what_has_none() {
    let issuer = "https://login.example";
    let read = |name: &str, address: &str| {
        let document = discovery(|document| {
            document["issuer"] = json!(issuer);
            for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
                document[name] = json!(format!("{issuer}/{name}"));
            }
            document[name] = json!(address);
        });
        Provider::from_discovery(issuer, document.as_bytes()).map(drop)
    };
    // Who is far away does not make this server ask, or tell a secret to, its own neighbours.
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        for wrong in ["http://127.0.0.1:99/", "http://localhost/", "http://[::1]:99/token"] {
            assert_eq!(read(name, wrong), Err(Error::Address(name)), "{wrong}");
        }
        assert_eq!(read(name, "https://keys.example/"), Ok(()));
    }
}

#[test]
fn a_client_is_reached_at_a_safe_address_by_a_whole_secret() {
    let new = |id, uri| Client::new(Provider::telegram(), id, uri).err();
    assert_eq!(new("", "https://a/"), Some(Error::Client));
    assert_eq!(new("12 ", "https://a/"), Some(Error::Client));
    for uri in ["http://shop.example/", "https://a/#b", "https://u@a/", "shop://back"] {
        assert_eq!(new("12", uri), Some(Error::Address("redirect_uri")), "{uri}");
    }
    for secret in ["", "a b", "a\n", "ä", &"a".repeat(513)] {
        assert!(matches!(ClientSecret::new(secret), Err(Error::Client)), "{secret}");
    }
}

#[test]
fn keys_are_fetched_hourly_and_for_a_new_one_once_a_minute() {
    let mut keys = Keys::new();
    let set = vectors()["jwks"].to_string();
    assert!(keys.is_due(at(0)));
    keys.read(set.as_bytes(), at(0)).unwrap();
    assert!(!keys.is_due(at(3_599)));
    assert!(keys.is_due(at(3_600)));
    // Whoever sends forged tokens makes nobody fetch more often.
    assert!(!keys.may_fetch_again(at(59)));
    assert!(keys.may_fetch_again(at(60)));
    assert!(!keys.may_fetch_again(at(61)));
    assert!(!keys.may_fetch_again(at(119)));
    assert!(keys.may_fetch_again(at(120)));
    // A clock that was set back does not stop it for ever.
    assert!(keys.is_due(at(0) - Duration::from_secs(1)));
}

#[test]
fn a_new_key_is_unknown_until_it_is_fetched_and_a_damaged_set_changes_nothing() {
    let token = signed(HEADER, &claims().to_string());
    let mut keys = keys_of(&vectors()["jwks"]);
    assert_eq!(verify(Alg::EdDsa, &token, &keys).err(), Some(Error::UnknownKey));
    assert_eq!(verify(Alg::EdDsa, &token, &Keys::new()).err(), Some(Error::UnknownKey));
    let mut keys_now = own_keys();
    assert!(verify(Alg::EdDsa, &token, &keys_now).is_ok());
    for (set, error) in [
        ("[]", Error::Json),
        ("{}", Error::Keys),
        (r#"{"keys":{}}"#, Error::Keys),
        (r#"{"keys":[]}"#, Error::Keys),
        (r#"{"keys":[],"keys":[]}"#, Error::Json),
    ] {
        assert_eq!(keys_now.read(set.as_bytes(), at(0)), Err(error.clone()), "{set}");
        assert_eq!(keys.read(set.as_bytes(), at(0)), Err(error), "{set}");
    }
    let many: Vec<Value> = (0..33).map(|_| json!({})).collect();
    let many = json!({ "keys": many }).to_string();
    assert_eq!(keys_now.read(many.as_bytes(), at(0)), Err(Error::TooLarge));
    assert_eq!(keys_now.read(&[b' '; 65_537], at(0)), Err(Error::TooLarge));
    assert!(verify(Alg::EdDsa, &token, &keys_now).is_ok());
}

#[test]
fn keys_that_are_not_for_this_are_passed_over() {
    let own = || {
        let x = Base64UrlUnpadded::encode_string(own_key().verifying_key().as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "own", "x": x})
    };
    let token = signed(HEADER, &claims().to_string());
    let other = vectors()["jwks"]["keys"][0].clone();
    let check = |name: &str, value: Value| {
        let mut key = own();
        key[name] = value;
        verify(Alg::EdDsa, &token, &keys_of(&json!({"keys": [key, other]}))).err()
    };
    assert_eq!(check("use", json!("sig")), None);
    assert_eq!(check("key_ops", json!(["verify"])), None);
    assert_eq!(check("alg", json!("EdDSA")), None);
    let mut identity = [0; 32];
    identity[0] = 1;
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(1)),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!("verify")),
        ("alg", json!("RS256")),
        ("kty", json!("EC")),
        ("kty", json!("oct")),
        ("crv", json!("X25519")),
        ("kid", json!(1)),
        ("kid", json!("other")),
        ("x", json!("AAAA")),
        ("x", json!(Base64UrlUnpadded::encode_string(&identity))),
    ] {
        assert_eq!(check(name, value.clone()), Some(Error::UnknownKey), "{name} {value}");
    }
    // Two keys of one name: nobody knows which is meant.
    let twice = keys_of(&json!({"keys": [own(), own()]}));
    assert_eq!(verify(Alg::EdDsa, &token, &twice).err(), Some(Error::UnknownKey));
    // No point of its curve.
    for index in [1, 3] {
        let mut key = vectors()["jwks"]["keys"][index].clone();
        key["x"] = json!(Base64UrlUnpadded::encode_string(&[5; 32]));
        let alg = Alg::from_name(key["alg"].as_str().unwrap()).unwrap();
        let token = vectors()["tokens"][alg.name()].as_str().unwrap().to_owned();
        let found = verify(alg, &token, &keys_of(&json!({"keys": [key, other]}))).err();
        assert!(matches!(found, Some(Error::Signature | Error::UnknownKey)), "{found:?}");
    }
}

#[test]
fn a_login_under_way_survives_as_text() {
    let text = pending().save().to_string();
    let loaded = Pending::load(&text).unwrap();
    assert_eq!((loaded.state(), loaded.nonce()), (pending().state(), pending().nonce()));
    assert_eq!(*loaded.save(), text);
    let (_, secrets) = text.split_once('.').unwrap();
    for wrong in [
        "",
        "1",
        secrets,
        &format!("{text}."),
        &format!("{text}.x"),
        &text[..text.len() - 1],
        &format!("-1.{secrets}"),
        &format!("18446744073709551616.{secrets}"),
    ] {
        assert!(matches!(Pending::load(wrong), Err(Error::Pending)), "{wrong}");
    }
    // A date beyond all clocks is refused, not a panic.
    let beyond = Pending::load(&format!("{}.{secrets}", u64::MAX)).unwrap();
    let query = format!("code=a&state={}", beyond.state());
    let found = client(Alg::Rs256).callback(&beyond, &query, at(0)).err();
    assert!(matches!(found, Some(Error::Pending | Error::PendingOver)), "{found:?}");
}

#[test]
fn nothing_secret_is_printed() {
    let client = client(Alg::EdDsa).with_secret(ClientSecret::new("s3cr3t-of-the-shop").unwrap());
    let query = format!("code=c0d3-of-ada&state={}", pending().state());
    let code = client.callback(&pending(), &query, at(1)).unwrap();
    let request = client.token_request(&pending(), &code);
    let mut all = claims();
    all["phone_number"] = json!("15550100");
    let raw = RawIdToken::new(signed(HEADER, &all.to_string()));
    let token = client.check(&raw, &pending(), &own_keys(), at(1)).unwrap();
    let secret = ClientSecret::new("s3cr3t-of-the-shop").unwrap();
    let printed = format!(
        "{client:?} {secret:?} {:?} {code:?} {request:?} {raw:?} {token:?} {:?}",
        pending(),
        own_keys()
    );
    for word in ["s3cr3t", "c0d3", "15550100", "eyJ", pending().state(), pending().nonce(), "Basic"]
    {
        assert!(!printed.contains(word), "{word} in {printed}");
    }
}

#[test]
fn errors_are_small() {
    assert!(size_of::<Error>() <= 32);
    assert!(size_of::<LoginError>() <= 32);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".*") {
        let client = client(Alg::Rs256);
        prop_assert!(Provider::from_discovery(ISSUER, &bytes).is_err());
        prop_assert!(Keys::new().read(&bytes, at(0)).is_err());
        prop_assert!(client.token_response(200, &bytes).is_err());
        prop_assert!(client.callback(&pending(), &text, at(0)).is_err());
        prop_assert!(verify(Alg::Rs256, &text, &own_keys()).is_err());
        prop_assert!(Pending::load(&text).is_err());
    }

    #[test]
    fn any_header_and_claims_are_refused_without_the_key(header in ".*", claims in ".*") {
        let base64 = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let token = format!("{}.{}.{}", base64(&header), base64(&claims), base64("x"));
        prop_assert!(verify(Alg::EdDsa, &token, &own_keys()).is_err());
    }
}
