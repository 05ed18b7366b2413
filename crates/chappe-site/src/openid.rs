//! "Log In with Telegram" by OpenID Connect, with this site's HTTP under `chappe_login::oidc`.

use std::time::SystemTime;

use chappe_login::oidc::{self, IdToken, Keys, Pending, Provider, RawIdToken, Scope};
use tokio::sync::Mutex;

use crate::{OpenId, fetch, pages::Problem};

/// A login that is under way, and what it asked for.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) pending: Pending,
    pub(crate) asked: Asked,
}

/// What is asked for beside name and picture.
#[derive(Clone, Copy, Default)]
pub(crate) struct Asked {
    pub(crate) phone: bool,
    pub(crate) write: bool,
}

/// The site as a client: its registration, and what it knows of the provider.
pub(crate) struct Client {
    openid: OpenId,
    issuer: String,
    redirect_uri: String,
    /// The provider, once it was asked.
    known: Mutex<Option<oidc::Client>>,
    keys: Mutex<Keys>,
}

impl Client {
    pub(crate) fn new(openid: OpenId, issuer: &str, url: &str) -> Result<Self, oidc::Error> {
        let redirect_uri = format!("{url}{CALLBACK}");
        // What is wrong with it is said now, and not at the first login.
        oidc::Client::new(Provider::telegram(), &openid.client_id, &redirect_uri)?;
        Provider::discovery_url(issuer)?;
        let issuer = issuer.to_owned();
        let (known, keys) = (Mutex::default(), Mutex::new(Keys::new()));
        Ok(Self { openid, issuer, redirect_uri, known, keys })
    }

    pub(crate) fn id(&self) -> &str {
        &self.openid.client_id
    }

    /// Where to send the browser.
    pub(crate) async fn begin(&self, login: &Login) -> Result<String, Problem> {
        let mut scopes = vec![Scope::Profile];
        scopes.extend(login.asked.phone.then_some(Scope::Phone));
        scopes.extend(login.asked.write.then_some(Scope::BotAccess));
        Ok(self.client().await?.authorization_url(&scopes, &login.pending))
    }

    /// Who came back from there.
    pub(crate) async fn finish(
        &self,
        pending: &Pending,
        query: &str,
        now: SystemTime,
    ) -> Result<IdToken, Problem> {
        let client = self.client().await?;
        let code = client.callback(pending, query, now)?;
        let answer = fetch::post(&client.token_request(pending, &code)).await;
        let (status, body) = answer.map_err(|error| Problem::unreachable(&error))?;
        let token = client.token_response(status, &body)?;
        self.verified(&client, now, |keys| client.check(&token, pending, keys, now)).await
    }

    /// Who came by Telegram's JavaScript library.
    pub(crate) async fn posted(
        &self,
        pending: &Pending,
        token: &RawIdToken,
        now: SystemTime,
    ) -> Result<IdToken, Problem> {
        let client = self.client().await?;
        self.verified(&client, now, |keys| client.check_posted(token, pending, keys, now)).await
    }

    /// Verifies by keys that are fresh, and fetches them once more for one that is new.
    async fn verified(
        &self,
        client: &oidc::Client,
        now: SystemTime,
        verify: impl Fn(&Keys) -> Result<IdToken, oidc::Error>,
    ) -> Result<IdToken, Problem> {
        let address = client.provider().jwks_uri();
        let mut keys = self.keys.lock().await;
        if keys.is_due(now) {
            let body = fetch::get(address).await.map_err(|error| Problem::unreachable(&error))?;
            keys.read(&body, now)?;
        }
        match verify(&keys) {
            Err(oidc::Error::UnknownKey) if keys.may_fetch_again(now) => {
                let body =
                    fetch::get(address).await.map_err(|error| Problem::unreachable(&error))?;
                keys.read(&body, now)?;
                Ok(verify(&keys)?)
            }
            verified => Ok(verified?),
        }
    }

    async fn client(&self) -> Result<oidc::Client, Problem> {
        let mut known = self.known.lock().await;
        if let Some(client) = &*known {
            return Ok(client.clone());
        }
        let address = Provider::discovery_url(&self.issuer)?;
        let body = fetch::get(&address).await.map_err(|error| Problem::unreachable(&error))?;
        let provider = Provider::from_discovery(&self.issuer, &body)?;
        let OpenId { client_id, client_secret, alg } = &self.openid;
        let client = oidc::Client::new(provider, client_id, &self.redirect_uri)?
            .with_secret(client_secret.clone())
            .with_alg(*alg);
        Ok(known.insert(client).clone())
    }
}

/// The path that Telegram sends browsers back to.
pub(crate) const CALLBACK: &str = "/login/openid/callback";
