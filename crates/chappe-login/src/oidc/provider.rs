//! Who is asked: the endpoints of the provider, and what it can do.

use super::{Alg, Error, address};
use crate::json::{self, Json, Object};

/// An OpenID provider: Telegram, or one that its discovery document describes.
///
/// openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    /// Whether its callbacks say by `iss` who they are from: RFC 9207.
    pub(super) names_itself: bool,
}

impl Provider {
    /// Telegram's own, as core.telegram.org/bots/telegram-login describes it: nothing has to be
    /// fetched to begin.
    #[must_use]
    pub fn telegram() -> Self {
        let at = |path| format!("{TELEGRAM}{path}");
        Self {
            issuer: TELEGRAM.to_owned(),
            authorization_endpoint: at("/auth"),
            token_endpoint: at("/token"),
            jwks_uri: at("/.well-known/jwks.json"),
            names_itself: false,
        }
    }

    /// Where the discovery document of `issuer` is to be fetched from.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] if it is neither https nor on this machine, or has a query.
    pub fn discovery_url(issuer: &str) -> Result<String, Error> {
        if !address::is_usable(issuer) || issuer.contains('?') {
            return Err(Error::Address("issuer"));
        }
        Ok(format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))
    }

    /// Reads the discovery document that `issuer` answered with.
    ///
    /// # Errors
    ///
    /// [`Error::Issuer`] if it describes somebody else, [`Error::Provider`] if it lacks an endpoint,
    /// the code flow or PKCE by S256, [`Error::Address`] for one that may not be used, as `http` of
    /// an `https` issuer, [`Error::Json`], [`Error::TooLarge`].
    pub fn from_discovery(issuer: &str, body: &[u8]) -> Result<Self, Error> {
        Self::discovery_url(issuer)?;
        if body.len() > DOCUMENT {
            return Err(Error::TooLarge);
        }
        let document = json::object(body).ok_or(Error::Json)?;
        let text = |name: &'static str| {
            document.get(name).and_then(Json::text).ok_or(Error::Provider(name))
        };
        if text("issuer")? != issuer {
            return Err(Error::Issuer);
        }
        // Only a provider on this machine is at addresses of this machine: one that is far away would
        // make the site ask its own neighbours, and tell them its secret.
        let secure = issuer.starts_with("https://");
        let endpoint = |name: &'static str| {
            let address = text(name)?;
            let usable =
                address::is_usable(address) && (!secure || address.starts_with("https://"));
            usable.then(|| address.to_owned()).ok_or(Error::Address(name))
        };
        offers(&document, "response_types_supported", |offer| offer == "code")?;
        // A list that is not there says nothing: PKCE is sent in any case.
        if document.contains_key("code_challenge_methods_supported") {
            offers(&document, "code_challenge_methods_supported", |offer| offer == "S256")?;
        }
        offers(&document, "id_token_signing_alg_values_supported", |offer| {
            Alg::from_name(offer).is_some()
        })?;
        let names_itself = "authorization_response_iss_parameter_supported";
        Ok(Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            jwks_uri: endpoint("jwks_uri")?,
            names_itself: document.get(names_itself) == Some(&Json::Bool(true)),
        })
    }

    /// Who it is: what `iss` of its id_tokens says.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where codes are exchanged for tokens.
    #[must_use]
    pub fn token_endpoint(&self) -> &str {
        &self.token_endpoint
    }

    /// Where the [`Keys`](super::Keys) are to be fetched from.
    #[must_use]
    pub fn jwks_uri(&self) -> &str {
        &self.jwks_uri
    }
}

/// Tells whether a list of texts has one that will do.
fn offers(
    document: &Object,
    name: &'static str,
    will_do: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    match document.get(name) {
        Some(Json::List(list)) if list.iter().filter_map(Json::text).any(will_do) => Ok(()),
        _ => Err(Error::Provider(name)),
    }
}

const TELEGRAM: &str = "https://oauth.telegram.org";

/// The largest discovery document, in bytes.
const DOCUMENT: usize = 64 * 1024;
