//! The site as a client of the provider: what it asks, and what it makes of the answers.

use std::{fmt, str::FromStr, time::SystemTime};

use base64ct::{Base64, Encoding as _};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Alg, Error, IdToken, Keys, Pending, Provider, address, id_token::Expected, jws};
use crate::{
    json::{self, Json},
    query::{self, Problem},
};

/// A site, as the provider knows it.
///
/// core.telegram.org/bots/telegram-login; openid.net/specs/openid-connect-core-1_0.html.
#[derive(Clone)]
pub struct Client {
    provider: Provider,
    id: String,
    redirect_uri: String,
    authentication: Authentication,
    alg: Alg,
    nonce_required: bool,
}

impl Client {
    /// A client that has no secret yet; its id_tokens are signed by [`Alg::Rs256`].
    ///
    /// `id` is the bot's user id in decimal, `redirect_uri` an address of this site that was
    /// registered in BotFather, byte by byte.
    ///
    /// # Errors
    ///
    /// [`Error::Client`] for an id that BotFather does not give, [`Error::Address`] for a URI that is
    /// neither https nor on this machine.
    pub fn new(provider: Provider, id: &str, redirect_uri: &str) -> Result<Self, Error> {
        if !is_credential(id) {
            return Err(Error::Client);
        }
        if !address::is_usable(redirect_uri) {
            return Err(Error::Address("redirect_uri"));
        }
        Ok(Self {
            provider,
            id: id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            authentication: Authentication::None,
            alg: Alg::Rs256,
            nonce_required: false,
        })
    }

    /// Shows the client secret in a header, `client_secret_basic`: the way that Telegram documents.
    #[must_use]
    pub fn with_secret(self, secret: ClientSecret) -> Self {
        Self { authentication: Authentication::Basic(secret), ..self }
    }

    /// Shows the client secret in the form, `client_secret_post`.
    #[must_use]
    pub fn with_secret_in_form(self, secret: ClientSecret) -> Self {
        Self { authentication: Authentication::Form(secret), ..self }
    }

    /// The algorithm that was chosen for this client in BotFather. No other is taken.
    #[must_use]
    pub fn with_alg(self, alg: Alg) -> Self {
        Self { alg, ..self }
    }

    /// Refuses id_tokens of the code flow that do not repeat the nonce.
    ///
    /// Without this a nonce that is there has to be right, and one that is missing is let pass:
    /// Observed (2026-08): Telegram does not repeat it in the code flow. `state` and PKCE bind the
    /// login to this browser and this client without it.
    #[must_use]
    pub fn with_nonce_required(self) -> Self {
        Self { nonce_required: true, ..self }
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Where to send the browser. `openid` is always asked for.
    #[must_use]
    pub fn authorization_url(&self, scopes: &[Scope], pending: &Pending) -> String {
        let mut scope = "openid".to_owned();
        for asked in scopes {
            scope.push(' ');
            scope.push_str(asked.name());
        }
        let endpoint = &self.provider.authorization_endpoint;
        let mut url = endpoint.clone();
        url.push(if endpoint.contains('?') { '&' } else { '?' });
        let fields = [
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &scope),
            ("state", pending.state()),
            ("nonce", pending.nonce()),
            ("code_challenge", &pending.challenge()),
            ("code_challenge_method", "S256"),
        ];
        write_form(&fields, &mut url);
        url
    }

    /// Reads the query that the browser comes back to `redirect_uri` with.
    ///
    /// # Errors
    ///
    /// [`Error::State`] if it belongs to another login, [`Error::PendingOver`], [`Error::Declined`],
    /// [`Error::Refused`], [`Error::Issuer`], [`Error::Duplicate`], [`Error::Missing`],
    /// [`Error::Encoding`], [`Error::TooLarge`].
    pub fn callback(&self, pending: &Pending, query: &str, now: SystemTime) -> Result<Code, Error> {
        let mut found = [None, None, None, None];
        let names = ["code", "error", "iss", "state"];
        for (name, value) in query::decode(query)? {
            let place = names.iter().position(|known| *known == name);
            if let Some(place) = place.and_then(|place| found.get_mut(place))
                && place.replace(value).is_some()
            {
                return Err(Error::Duplicate(name.into()));
            }
        }
        let [code, error, issuer, state] = found;
        let code = code.map(Zeroizing::new);
        // First whose answer it is: nobody else's error is worth a word.
        let state = state.ok_or(Error::Missing("state"))?;
        if !bool::from(state.as_bytes().ct_eq(pending.state().as_bytes())) {
            return Err(Error::State);
        }
        pending.check(now)?;
        match issuer {
            Some(issuer) if issuer != self.provider.issuer => return Err(Error::Issuer),
            None if self.provider.names_itself => return Err(Error::Missing("iss")),
            _ => {}
        }
        if let Some(error) = error {
            return Err(refusal(&error));
        }
        let code = code.filter(|code| !code.is_empty()).ok_or(Error::Missing("code"))?;
        if code.len() > CODE {
            return Err(Error::TooLarge);
        }
        Ok(Code(code))
    }

    /// The request that exchanges a code for an id_token, within a minute and once.
    #[must_use]
    pub fn token_request(&self, pending: &Pending, code: &Code) -> Request {
        let mut body = Zeroizing::new(String::new());
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code.0.as_str()),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", pending.verifier()),
        ];
        let mut authorization = None;
        match &self.authentication {
            Authentication::Basic(secret) => {
                // RFC 6749 2.3.1: each of the two is encoded as in a form before they are joined.
                let mut pair = Zeroizing::new(String::new());
                query::encode(&self.id, &mut pair);
                pair.push(':');
                query::encode(&secret.0, &mut pair);
                let pair = Zeroizing::new(Base64::encode_string(pair.as_bytes()));
                authorization = Some(Zeroizing::new(format!("Basic {}", *pair)));
            }
            Authentication::Form(secret) => {
                fields.extend([("client_id", self.id.as_str()), ("client_secret", &secret.0)]);
            }
            Authentication::None => fields.push(("client_id", &self.id)),
        }
        write_form(&fields, &mut body);
        Request { url: self.provider.token_endpoint().to_owned(), authorization, body }
    }

    /// Reads the answer to [`token_request`](Self::token_request).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with what the provider says, [`Error::Response`] if that is nothing,
    /// [`Error::Missing`], [`Error::Json`], [`Error::TooLarge`].
    pub fn token_response(&self, status: u16, body: &[u8]) -> Result<RawIdToken, Error> {
        if body.len() > ANSWER {
            return Err(Error::TooLarge);
        }
        let answer = json::object(body);
        if status != 200 {
            let error = answer.as_ref().and_then(|answer| answer.get("error")?.text());
            return Err(error.map_or(Error::Response(status), refusal));
        }
        let mut answer = answer.ok_or(Error::Json)?;
        let bearer = answer.get("token_type").and_then(Json::text);
        if !bearer.is_some_and(|kind| kind.eq_ignore_ascii_case("Bearer")) {
            return Err(Error::Missing("token_type"));
        }
        let id_token = answer.remove("id_token").and_then(Json::into_text);
        id_token.map(RawIdToken::new).ok_or(Error::Missing("id_token"))
    }

    /// Tells who logged in by the code flow.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownKey`], which fetching the keys again may mend; [`Error::Signature`],
    /// [`Error::Algorithm`], [`Error::Header`], [`Error::WeakKey`] if it is not the provider's;
    /// [`Error::Issuer`], [`Error::Audience`], [`Error::Nonce`] if it is not for this site and login;
    /// [`Error::Expired`], [`Error::FromFuture`]; [`Error::Claim`], [`Error::Encoding`],
    /// [`Error::Json`], [`Error::TooLarge`] if it cannot be read.
    pub fn check(
        &self,
        token: &RawIdToken,
        pending: &Pending,
        keys: &Keys,
        now: SystemTime,
    ) -> Result<IdToken, Error> {
        self.check_token(token, pending, self.nonce_required, keys, now)
    }

    /// Tells who logged in by Telegram's JavaScript library, which was given
    /// [`Pending::nonce`]: the page posts its `id_token` to the site.
    ///
    /// The nonce has to be there. In a Mini App the library sends none, so that this refuses its
    /// id_tokens; check `initData` there.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), and [`Error::PendingOver`].
    pub fn check_posted(
        &self,
        token: &RawIdToken,
        pending: &Pending,
        keys: &Keys,
        now: SystemTime,
    ) -> Result<IdToken, Error> {
        pending.check(now)?;
        self.check_token(token, pending, true, keys, now)
    }

    fn check_token(
        &self,
        token: &RawIdToken,
        pending: &Pending,
        nonce_required: bool,
        keys: &Keys,
        now: SystemTime,
    ) -> Result<IdToken, Error> {
        let opened = jws::open(&token.0, self.alg, keys)?;
        let expected = Expected {
            issuer: &self.provider.issuer,
            client_id: &self.id,
            nonce: pending.nonce(),
            nonce_required,
            now,
        };
        IdToken::read(&opened, &expected)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, id, redirect_uri, alg, .. } = self;
        f.debug_struct("Client")
            .field("issuer", &provider.issuer)
            .field("id", id)
            .field("redirect_uri", redirect_uri)
            .field("alg", alg)
            .finish_non_exhaustive()
    }
}

/// What more than `openid` a site can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// That the bot may write to them. Nothing in the id_token tells whether they agreed.
    BotAccess,
    /// The phone number; its owner is asked on its own.
    Phone,
    /// Name, username and picture.
    Profile,
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Self::BotAccess => "telegram:bot_access",
            Self::Phone => "phone",
            Self::Profile => "profile",
        }
    }
}

/// The client's secret as BotFather gives it; wiped on drop and never printed.
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// Takes a secret over.
    ///
    /// # Errors
    ///
    /// [`Error::Client`] if it is empty or has blanks or line ends in it.
    pub fn new(secret: impl Into<String>) -> Result<Self, Error> {
        let secret = Zeroizing::new(secret.into());
        is_credential(&secret).then_some(Self(secret)).ok_or(Error::Client)
    }
}

impl FromStr for ClientSecret {
    type Err = Error;

    fn from_str(secret: &str) -> Result<Self, Error> {
        Self::new(secret)
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

/// An authorization code: it is exchanged once.
pub struct Code(Zeroizing<String>);

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

/// An id_token as it came, of which nothing is known to be true.
#[derive(Clone)]
pub struct RawIdToken(Zeroizing<String>);

impl RawIdToken {
    /// Takes a token over that a page posted.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(Zeroizing::new(token.into()))
    }
}

impl fmt::Debug for RawIdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawIdToken(..)")
    }
}

/// A `POST` of the caller's HTTP client, over TLS that checks certificates, without following
/// redirects.
#[non_exhaustive]
pub struct Request {
    /// Where to.
    pub url: String,
    /// The header `Authorization`, if the client's secret goes there.
    pub authorization: Option<Zeroizing<String>>,
    /// What to send: a form, with the code and the verifier in it, so it is a secret.
    pub body: Zeroizing<String>,
}

impl Request {
    /// The header `Content-Type`.
    pub const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";

    /// The header `Accept`.
    pub const ACCEPT: &'static str = "application/json";
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum Authentication {
    Basic(ClientSecret),
    Form(ClientSecret),
    None,
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Encoding => Self::Encoding,
            Problem::TooLarge => Self::TooLarge,
        }
    }
}

fn write_form(fields: &[(&str, &str)], out: &mut String) {
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        query::encode(name, out);
        out.push('=');
        query::encode(value, out);
    }
}

/// An error code of RFC 6749; what has other signs is none, and is not passed on.
fn refusal(code: &str) -> Error {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    match code {
        "access_denied" => Error::Declined,
        code if (1..=64).contains(&code.len()) && code.bytes().all(sound) => {
            Error::Refused(code.into())
        }
        _ => Error::Refused("no reason that could be read".into()),
    }
}

fn is_credential(text: &str) -> bool {
    (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The longest code, in bytes.
const CODE: usize = 2_048;

/// The largest answer with tokens, in bytes.
const ANSWER: usize = 64 * 1024;
