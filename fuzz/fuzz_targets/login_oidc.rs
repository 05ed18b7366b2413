//! What a site is told by a provider of OpenID Connect: any of it is read or refused, and an
//! id_token that is let in was made for this client, by this issuer and for this login.
#![no_main]

use std::time::{Duration, SystemTime};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use chappe_fuzz::{Script, json};
use chappe_login::oidc::{Alg, Client, Keys, Pending, Provider, RawIdToken};
use ed25519_dalek::{Signer as _, SigningKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let client = Client::new(Provider::telegram(), "123456", "http://localhost:1/back")
        .expect("a client")
        .with_alg(Alg::EdDsa);
    let pending = Pending::from_entropy(&[[1; 32], [2; 32], [3; 32]], now);
    match script.byte() % 8 {
        0 => {
            let document = document(&mut script, DISCOVERY);
            if let Ok(provider) = Provider::from_discovery("http://127.0.0.1:99", &document) {
                assert_eq!(provider.issuer(), "http://127.0.0.1:99");
                for address in [provider.token_endpoint(), provider.jwks_uri()] {
                    assert!(address.starts_with("http"), "{address}");
                }
            }
        }
        1 => {
            let mut keys = Keys::new();
            if keys.read(&document(&mut script, KEY_SET), now).is_ok() {
                assert!(!keys.is_due(now));
            }
            let token = token(HEADER, &sound(&pending));
            // By any of the keys that were read: never a panic.
            _ = client.check(&RawIdToken::new(token), &pending, &keys, now);
        }
        2 => {
            let query = String::from_utf8_lossy(script.rest()).into_owned();
            let found = client.callback(&pending, &query, now);
            assert!(found.is_err() || query.contains(pending.state()));
        }
        3 => {
            let mut query = format!("code=a&state={}", pending.state()).into_bytes();
            script.spoil(&mut query);
            let query = String::from_utf8_lossy(&query);
            if let Ok(code) = client.callback(&pending, &query, now) {
                let request = client.token_request(&pending, &code);
                assert!(request.body.is_ascii());
            }
        }
        4 => {
            let status = u16::from(script.byte()) * 2;
            let error = client.token_response(status, &document(&mut script, ANSWER)).err();
            // What it says can be shown in a terminal.
            assert!(error.is_none_or(|error| !error.to_string().contains(char::is_control)));
        }
        5 => {
            let mut text = pending.save().as_bytes().to_vec();
            script.spoil(&mut text);
            if let Ok(loaded) = Pending::load(&String::from_utf8_lossy(&text)) {
                let again = Pending::load(&loaded.save()).expect("what was saved is loaded");
                assert_eq!((again.state(), again.nonce()), (loaded.state(), loaded.nonce()));
            }
        }
        6 => {
            let text = String::from_utf8_lossy(script.rest()).into_owned();
            let found = client.check(&RawIdToken::new(text), &pending, &keys(), now);
            assert!(found.is_err(), "a signature was guessed");
        }
        // From here on it is the provider who says it.
        _ => {
            let header = match script.flag() {
                true => HEADER.as_bytes().to_vec(),
                false => document(&mut script, HEADER),
            };
            let claims = document(&mut script, &sound(&pending));
            let token = RawIdToken::new(token_of(&header, &claims));
            let verified = client.check(&token, &pending, &keys(), now);
            let posted = client.check_posted(&token, &pending, &keys(), now);
            if let Ok(token) = verified {
                assert_eq!(token.claim("iss"), Some("https://oauth.telegram.org"));
                assert!(token.id.is_none_or(|id| id > 0) && !token.sub.is_empty());
                assert!(token.expires > now - Duration::from_secs(60));
                assert!(token.claim("nonce").is_none_or(|nonce| nonce == pending.nonce()));
            }
            if let Ok(token) = posted {
                assert_eq!(token.claim("nonce"), Some(pending.nonce()));
            }
        }
    }
});

/// A sound document with bytes changed, one of the words that are known, or any bytes.
fn document(script: &mut Script<'_>, sound: &str) -> Vec<u8> {
    let mut text = Vec::new();
    match script.byte() % 4 {
        0 => text.extend_from_slice(script.piece()),
        1 => json(script, WORDS, &mut text),
        _ => {
            text.extend_from_slice(sound.as_bytes());
            script.spoil(&mut text);
        }
    }
    text
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn keys() -> Keys {
    let mut keys = Keys::new();
    let x = Base64UrlUnpadded::encode_string(key().verifying_key().as_bytes());
    let set = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"own","x":"{x}"}}]}}"#);
    keys.read(set.as_bytes(), SystemTime::UNIX_EPOCH).expect("a key set");
    keys
}

fn token(header: &str, claims: &str) -> String {
    token_of(header.as_bytes(), claims.as_bytes())
}

fn token_of(header: &[u8], claims: &[u8]) -> String {
    let base64 = Base64UrlUnpadded::encode_string;
    let text = format!("{}.{}", base64(header), base64(claims));
    let signature = key().sign(text.as_bytes()).to_bytes();
    format!("{text}.{}", base64(&signature))
}

fn sound(pending: &Pending) -> String {
    format!(
        r#"{{"iss":"https://oauth.telegram.org","aud":"123456","sub":"s","iat":1700000000,"exp":1700003600,"id":42,"nonce":"{}","name":"Ada","phone_number":"1"}}"#,
        pending.nonce()
    )
}

const HEADER: &str = r#"{"alg":"EdDSA","kid":"own","typ":"JWT"}"#;

const ANSWER: &str = r#"{"token_type":"Bearer","id_token":"a.b.c","error":"invalid_grant"}"#;

const DISCOVERY: &str = r#"{"issuer":"http://127.0.0.1:99","authorization_endpoint":"http://127.0.0.1:99/auth","token_endpoint":"http://127.0.0.1:99/token","jwks_uri":"http://127.0.0.1:99/jwks","response_types_supported":["code"],"id_token_signing_alg_values_supported":["RS256"],"code_challenge_methods_supported":["S256"]}"#;

/// The keys of RFC 7515 A.3 and RFC 8037 A.2, one of secp256k1 and a short one of RSA.
const KEY_SET: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"own","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},{"kty":"OKP","crv":"Ed25519","kid":"own","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"EC","crv":"secp256k1","kid":"own","x":"eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g","y":"SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg"},{"kty":"RSA","kid":"own","alg":"RS256","n":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdi","e":"AQAB"}]}"#;

const WORDS: &[&str] = &[
    "iss",
    "https://oauth.telegram.org",
    "aud",
    "123456",
    "azp",
    "sub",
    "iat",
    "exp",
    "nbf",
    "id",
    "nonce",
    "name",
    "alg",
    "EdDSA",
    "none",
    "kid",
    "own",
    "typ",
    "JWT",
    "crit",
    "jwk",
    "keys",
    "kty",
    "OKP",
    "crv",
    "use",
    "sig",
    "issuer",
    "jwks_uri",
    "error",
    "id_token",
    "token_type",
];
