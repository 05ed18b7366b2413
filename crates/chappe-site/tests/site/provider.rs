//! A provider of OpenID Connect that does what a test wants, and holds its client to the rules.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use chappe_login::Fields;
use chappe_login::oidc::{Alg, ClientSecret};
use chappe_site::{OpenId, Site};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A provider that is served until the test is over.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    state: Arc<Mutex<Inside>>,
}

/// What it does, and what was asked of it.
pub(crate) struct Inside {
    /// The key that it signs with now, and its id.
    pub(crate) key: u8,
    /// The keys of its set.
    pub(crate) set: Vec<u8>,
    /// What it changes of the claims.
    pub(crate) change: Value,
    pub(crate) header: Value,
    /// How it answers a code, if not by a token.
    pub(crate) refusal: Option<(u16, &'static str)>,
    pub(crate) key_sets_fetched: usize,
    pub(crate) codes_exchanged: usize,
    /// What the browser was sent with, as the authorization endpoint sees it.
    asked: Option<Fields>,
    issuer: String,
    now: u64,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = chappe_site::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(Mutex::new(Inside {
            key: 1,
            set: vec![1],
            change: json!({}),
            header: json!({"alg": "EdDSA", "kid": "key-1", "typ": "JWT"}),
            refusal: None,
            key_sets_fetched: 0,
            codes_exchanged: 0,
            asked: None,
            issuer: issuer.clone(),
            now: 1_700_000_000,
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/.well-known/jwks.json", get(key_set))
            .route("/token", post(token))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { issuer, state }
    }

    /// A site that is registered here.
    pub(crate) fn register(&self, site: Site) -> Site {
        let openid = OpenId {
            client_id: "123456".to_owned(),
            client_secret: ClientSecret::new("sh0p-s3cret").unwrap(),
            alg: Alg::EdDsa,
        };
        site.telegram(&self.issuer).openid(openid)
    }

    pub(crate) fn inside(&self) -> MutexGuard<'_, Inside> {
        self.state.lock().unwrap()
    }

    /// What the authorization endpoint is given by the browser: says with what to come back.
    pub(crate) fn authorize(&self, location: &str) -> String {
        let query = location.strip_prefix(&format!("{}/auth?", self.issuer)).unwrap();
        let asked = Fields::from_query(query).unwrap();
        assert_eq!(asked.get("response_type"), Some("code"));
        assert_eq!(asked.get("client_id"), Some("123456"));
        assert_eq!(asked.get("code_challenge_method"), Some("S256"));
        let state = asked.get("state").unwrap().to_owned();
        assert_eq!(state.len(), 43);
        self.inside().asked = Some(asked);
        format!("/login/openid/callback?code=the-code&state={state}")
    }

    /// What a page was given for the JavaScript library, and the id_token that comes of it.
    pub(crate) fn id_token_for(&self, nonce: &str) -> String {
        let mut inside = self.inside();
        inside.asked = Some(Fields::from_pairs([("nonce", nonce)]).unwrap());
        inside.id_token()
    }
}

impl Inside {
    fn id_token(&self) -> String {
        let nonce = self.asked.as_ref().and_then(|asked| asked.get("nonce"));
        let mut claims = json!({
            "iss": self.issuer, "aud": "123456", "sub": "opaque-1", "id": 42, "name": "Ada <b>Ex",
            "preferred_username": "ada_example", "picture": "https://cdn.example/ada.jpg",
            "phone_number": "15550142", "iat": self.now, "exp": self.now + 3_600, "nonce": nonce,
        });
        for (name, value) in self.change.as_object().unwrap() {
            match value {
                Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
                value => claims[name] = value.clone(),
            }
        }
        let base64 = |json: &Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
        let text = format!("{}.{}", base64(&self.header), base64(&claims));
        let signature = key(self.key).sign(text.as_bytes()).to_bytes();
        format!("{text}.{}", Base64UrlUnpadded::encode_string(&signature))
    }
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

async fn discovery(State(inside): State<Arc<Mutex<Inside>>>) -> String {
    let issuer = inside.lock().unwrap().issuer.clone();
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["RS256", "EdDSA"],
        "code_challenge_methods_supported": ["S256"],
    })
    .to_string()
}

async fn key_set(State(inside): State<Arc<Mutex<Inside>>>) -> String {
    let mut inside = inside.lock().unwrap();
    inside.key_sets_fetched += 1;
    let jwk = |number: &u8| {
        let x = Base64UrlUnpadded::encode_string(key(*number).verifying_key().as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": format!("key-{number}"), "x": x})
    };
    json!({"keys": inside.set.iter().map(jwk).collect::<Vec<_>>()}).to_string()
}

async fn token(
    State(inside): State<Arc<Mutex<Inside>>>,
    headers: HeaderMap,
    body: String,
) -> impl IntoResponse {
    let mut inside = inside.lock().unwrap();
    inside.codes_exchanged += 1;
    let form = Fields::from_query(&body).unwrap();
    let asked = inside.asked.as_ref().unwrap();
    assert_eq!(form.get("grant_type"), Some("authorization_code"));
    assert_eq!(form.get("code"), Some("the-code"));
    assert_eq!(form.get("redirect_uri"), asked.get("redirect_uri"));
    let challenge = Sha256::digest(form.get("code_verifier").unwrap());
    let challenge = Base64UrlUnpadded::encode_string(&challenge);
    assert_eq!(asked.get("code_challenge"), Some(&*challenge));
    let basic = format!("Basic {}", Base64::encode_string(b"123456:sh0p-s3cret"));
    assert_eq!(headers.get("authorization").unwrap(), &basic);
    match inside.refusal {
        Some((status, body)) => (StatusCode::from_u16(status).unwrap(), body.to_owned()),
        None => {
            let token = inside.id_token();
            let answer = json!({
                "access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": token,
            });
            (StatusCode::OK, answer.to_string())
        }
    }
}
