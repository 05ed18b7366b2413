//! Bots: what BotFather sets for web logins.
//!
//! A site that logs people in with Telegram belongs to a bot. Its classic domain is for the Login Widget
//! and for login buttons; its OpenID client is for "Log In with Telegram": URLs that are served,
//! the algorithm of id_tokens, and a secret that the server makes and tells once.
//! (core.telegram.org/bots/telegram-login) `WEB_LOGIN.md` beside this crate shows all of it, with the
//! JSON of the control port.
//!
//! ```
//! # async fn example() -> Result<(), chappe_server::Error> {
//! use chappe_server::{Server, bots::{Alg, BotSettings, OidcClient}};
//! let server = Server::builder()
//!     .seed(7)
//!     .bot("QuayShopBot", BotSettings::new().domain("localhost"))
//!     .start()
//!     .await?;
//! let client = OidcClient::new().url("http://localhost:8080/callback").alg(Alg::Es256);
//! let settings = BotSettings::new().domain("localhost").oidc(client);
//! let secret = server.bot_father().set("QuayShopBot", settings.clone()).await?;
//! assert_eq!(secret.unwrap().as_str().len(), 43, "told once");
//! assert!(server.bot_father().set("QuayShopBot", settings).await?.is_none());
//! # server.shutdown().await
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```

mod url;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::{
    Error, Objection,
    failure::{Failure, Outcome},
    listener::{self, Message},
    world::{Site, World},
};

use self::url::{native_url, web_url};

/// What is set for a bot. Without further words: nothing, so that no site can use it.
///
/// ```
/// use chappe_server::bots::{BotSettings, OidcClient};
/// let settings = BotSettings::new().domain("example.com").oidc(OidcClient::new().url("https://example.com"));
/// let json = r#"{"domain":"example.com","oidc":{"urls":["https://example.com"]}}"#;
/// assert_eq!(serde_json::to_string(&settings).unwrap(), json);
/// assert_eq!(serde_json::from_str::<BotSettings>(json).unwrap(), settings);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
#[must_use]
pub struct BotSettings {
    /// The classic domain, as of BotFather's `/setdomain`: a bare host, `example.com` or `localhost`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The OpenID client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcClient>,
}

/// An OpenID client, whose `client_id` is the user id of its bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
#[must_use]
pub struct OidcClient {
    /// The allowed URLs: origins, for the JavaScript library, and redirect URIs, which a request must
    /// name byte by byte. `https`, or `http` for this machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The redirect URIs of native apps, which have no secret and must use PKCE with S256: of any
    /// scheme that is the app's own, or as `urls`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub native_urls: Vec<String>,
    /// How its id_tokens are signed.
    #[serde(skip_serializing_if = "is_default")]
    pub alg: Alg,
    /// Which of its id_tokens repeat the nonce.
    #[serde(skip_serializing_if = "is_default")]
    pub nonce: Nonce,
    /// Whether its logins show match codes.
    #[serde(skip_serializing_if = "is_default")]
    pub match_codes: MatchCode,
    /// Whether it may be used.
    #[serde(skip_serializing_if = "is_true")]
    pub enabled: bool,
}

/// How an id_token is signed: the four algorithms that BotFather offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Alg {
    /// RSA of 2048 bits, PKCS #1 v1.5, SHA-256.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256, SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA on secp256k1, SHA-256.
    #[serde(rename = "ES256K")]
    Es256k,
}

/// Which id_tokens repeat the nonce of their request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Nonce {
    /// Those that a popup hands to the page, as the documentation of the JavaScript library promises,
    /// and none of the code flow. Observed: Telegram leaves it out there (reports of 2026).
    #[default]
    Popup,
    /// All, as OpenID Connect demands.
    Always,
    /// None.
    Never,
}

/// Whether a waiting page shows a picture that the person must pick in the app
/// (core.telegram.org/api/url-authorization). When Telegram asks for it is not known, so it can be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MatchCode {
    /// It does not.
    #[default]
    None,
    /// It does.
    Asked,
    /// It does, and the app asks for it before it shows anything else.
    First,
}

/// A bot with its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BotInfo {
    /// Its user id, which as text is the `client_id`.
    pub user_id: i64,
    /// Its name.
    pub name: String,
    /// What is set for it.
    #[serde(flatten)]
    pub settings: BotSettings,
}

/// A bot that was just made.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NewBot {
    /// Its username, without `@`.
    pub username: String,
    /// Its user id.
    pub user_id: i64,
    /// Its token.
    pub token: String,
}

/// The secret of an OpenID client; the server keeps no more than its hash.
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

impl BotSettings {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the classic domain.
    pub fn domain(mut self, host: impl Into<String>) -> Self {
        self.domain = Some(host.into());
        self
    }

    /// Registers the OpenID client.
    pub fn oidc(mut self, client: OidcClient) -> Self {
        self.oidc = Some(client);
        self
    }

    /// Checks what can be checked without the world.
    pub(crate) fn check(&self) -> Result<(), Objection> {
        self.oidc.as_ref().map_or(Ok(()), OidcClient::check)
    }
}

impl Default for OidcClient {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            native_urls: Vec::new(),
            alg: Alg::default(),
            nonce: Nonce::default(),
            match_codes: MatchCode::default(),
            enabled: true,
        }
    }
}

impl OidcClient {
    /// One that no URL is served for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows an origin or a redirect URI.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// Allows a redirect URI of a native app.
    pub fn native_url(mut self, url: impl Into<String>) -> Self {
        self.native_urls.push(url.into());
        self
    }

    /// Signs its id_tokens in this way.
    pub fn alg(mut self, alg: Alg) -> Self {
        self.alg = alg;
        self
    }

    /// Repeats the nonce in these id_tokens.
    pub fn nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = nonce;
        self
    }

    /// Shows match codes in its logins.
    pub fn match_codes(mut self, codes: MatchCode) -> Self {
        self.match_codes = codes;
        self
    }

    /// Keeps the registration, and serves it to nobody.
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// Whether a redirect URI, or an origin, is one of those that are allowed.
    pub(crate) fn serves(&self, url: &str) -> bool {
        self.urls.iter().chain(&self.native_urls).any(|allowed| allowed == url)
    }

    /// Whether a page may have an id_token: it is an allowed URL, or at an origin that is one.
    pub(crate) fn serves_page(&self, url: &str) -> bool {
        let known = |url: &str| self.urls.iter().any(|allowed| allowed == url);
        known(url) || Site::of(url).is_some_and(|site| web_url(url) && known(&site.origin()))
    }

    fn check(&self) -> Result<(), Objection> {
        let urls = || self.urls.iter().chain(&self.native_urls);
        if urls().count() > MAX_URLS {
            return Err(Objection::new("there are too many URLs", "32 are enough"));
        }
        for (index, url) in urls().enumerate() {
            if url.len() > MAX_URL {
                return Err(Objection::new("a URL is too long", "give up to 1024 bytes"));
            }
            if urls().skip(index + 1).any(|other| other == url) {
                return Err(Objection::new(
                    "a URL is there twice",
                    "one of a site goes to `urls`, one of a native app to `native_urls`",
                ));
            }
        }
        if !self.urls.iter().all(|url| web_url(url)) {
            return Err(Objection::new(
                "a URL of a site cannot be allowed",
                "give an origin such as https://example.com or a redirect URI such as \
                 https://example.com/callback, exactly as requests will name it: https, or http for \
                 localhost, 127.0.0.1 and [::1]; lower case host, no user, no fragment, no port that \
                 goes without saying",
            ));
        }
        if !self.native_urls.iter().all(|url| native_url(url)) {
            return Err(Objection::new(
                "a URL of a native app cannot be allowed",
                "give a redirect URI such as myshop://tglogin or https://app.example.com/tglogin, \
                 with a scheme that no browser and no other app uses, and no fragment",
            ));
        }
        Ok(())
    }
}

impl Alg {
    /// Its name in JOSE.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Es256k => "ES256K",
        }
    }
}

impl fmt::Debug for NewBot {
    /// No token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewBot")
            .field("username", &self.username)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

impl ClientSecret {
    pub(crate) fn new(secret: Zeroizing<String>) -> Self {
        Self(secret)
    }

    /// The secret: 43 characters of the base64url alphabet.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

/// Does at a running server what people do with @BotFather. Cheap to clone.
///
/// Usernames are written with or without `@`, in any case. Every method fails with
/// [`Error::Stopped`] when the server is gone, and is done or not done when its future is dropped.
#[derive(Clone, Debug)]
pub struct BotFather {
    inbox: mpsc::Sender<Message>,
}

impl BotFather {
    pub(crate) fn new(inbox: mpsc::Sender<Message>) -> Self {
        Self { inbox }
    }

    /// Makes a bot; nothing is set for it.
    ///
    /// # Errors
    /// [`Error::Bot`] when it cannot have this username or name; it says why.
    pub async fn new_bot(&self, username: &str, name: &str) -> Result<NewBot, Error> {
        let (username, name) = (plain(username).to_owned(), name.trim().to_owned());
        self.run(move |world, date| make(world, date, &username, &name)).await
    }

    /// Sets what counts for a bot from now on, in place of what was set before. An OpenID client
    /// that it has keeps its secret; a new one gets a secret, which only this answer tells.
    ///
    /// # Errors
    /// [`Error::Bot`] when there is no such bot, or the settings make no sense; it says what would.
    pub async fn set(
        &self,
        username: &str,
        settings: BotSettings,
    ) -> Result<Option<ClientSecret>, Error> {
        settings.check().map_err(Error::Bot)?;
        let username = plain(username).to_owned();
        self.run(move |world, _| set(world, &username, &settings)).await
    }

    /// Makes a new secret for the OpenID client of a bot, and tells it once. The old one is void.
    ///
    /// # Errors
    /// [`Error::Bot`] when there is no such bot, or it has no OpenID client.
    pub async fn new_secret(&self, username: &str) -> Result<ClientSecret, Error> {
        let username = plain(username).to_owned();
        let renew = move |world: &mut World, _| {
            let Some(bot) = world.bot_by_username(&username)? else {
                return Ok(Err(unknown()));
            };
            let secret = world.new_client_secret(bot.id)?;
            Ok(secret.ok_or_else(|| {
                Objection::new("this bot has no OpenID client", "set one, which makes its secret")
            }))
        };
        self.run(renew).await
    }

    /// Tells what is set for a bot; `None` if there is no such bot.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn get(&self, username: &str) -> Result<Option<BotInfo>, Error> {
        let username = plain(username).to_owned();
        let found = self.run(move |world, _| world.bot_info(&username).map(Ok)).await?;
        Ok(found.map(|(_, info)| info))
    }

    /// Lists all bots by username.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn list(&self) -> Result<BTreeMap<String, BotInfo>, Error> {
        self.run(|world, _| world.bot_infos().map(Ok)).await
    }

    /// Takes away all that is set for a bot, and tells it; `None` if there is no such bot. The bot
    /// stays.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn remove(&self, username: &str) -> Result<Option<BotInfo>, Error> {
        let username = plain(username).to_owned();
        let remove = move |world: &mut World, _| {
            let Some((_, info)) = world.bot_info(&username)? else { return Ok(Ok(None)) };
            let removed = world.set_bot_settings(info.user_id, &BotSettings::new())?;
            Ok(removed.map(|_| Some(info)))
        };
        self.run(remove).await
    }

    /// Changes what is set for a bot; what somebody else sets at the same time stays. Tells the username as
    /// the bot spells it, and the secret of an OpenID client that is new.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub(crate) async fn change(
        &self,
        username: &str,
        change: impl FnOnce(&mut BotSettings) + Send + 'static,
    ) -> Result<(String, Option<ClientSecret>), Error> {
        let username = plain(username).to_owned();
        let work = move |world: &mut World, _| {
            let Some((username, mut info)) = world.bot_info(&username)? else {
                return Ok(Err(unknown()));
            };
            change(&mut info.settings);
            if let Err(why) = info.settings.check() {
                return Ok(Err(why));
            }
            let set = world.set_bot_settings(info.user_id, &info.settings)?;
            Ok(set.map(|secret| (username, secret)))
        };
        self.run(work).await
    }

    /// Does something in one transaction.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut World, i32) -> Outcome<Result<T, Objection>> + Send + 'static,
    ) -> Result<T, Error> {
        settle(listener::run(&self.inbox, work).await?)
    }
}

/// Makes a bot of the builder, if need be, and sets what counts for it.
pub(crate) fn provide(
    world: &mut World,
    now: i32,
    username: &str,
    settings: &BotSettings,
) -> Result<(), Error> {
    settings.check().map_err(Error::Bot)?;
    let username = plain(username);
    let provided = world.transaction(|world| {
        if world.bot_by_username(username)?.is_none()
            && let Err(error) = make(world, now, username, username)?
        {
            return Ok(Err(error));
        }
        set(world, username, settings)
    });
    settle(provided).map(drop)
}

/// What a transaction came to. A world that refuses without a word is one whose database failed.
fn settle<T>(done: Result<Result<T, Objection>, Failure>) -> Result<T, Error> {
    match done {
        Ok(result) => result.map_err(Error::Bot),
        Err(_) => Err(Error::Stopped),
    }
}

fn make(
    world: &mut World,
    now: i32,
    username: &str,
    name: &str,
) -> Outcome<Result<NewBot, Objection>> {
    if !is_bot_username(username) {
        return Ok(Err(Objection::new(
            "that is no username for a bot",
            "give 5 to 32 letters, digits and _, a letter first and `bot` at the end",
        )));
    }
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Ok(Err(Objection::new("that is no name for a bot", "give 1 to 64 characters")));
    }
    if world.username_is_taken(username)? {
        return Ok(Err(Objection::new("this username is taken", "choose another one")));
    }
    let user_id = world.add_bot(now, username, name)?;
    let token = world.bot_token(user_id)?.unwrap_or_default();
    Ok(Ok(NewBot { username: username.to_owned(), user_id, token }))
}

fn set(
    world: &mut World,
    username: &str,
    settings: &BotSettings,
) -> Outcome<Result<Option<ClientSecret>, Objection>> {
    let Some(bot) = world.bot_by_username(username)? else {
        return Ok(Err(unknown()));
    };
    world.set_bot_settings(bot.id, settings)
}

fn unknown() -> Objection {
    Objection::new(UNKNOWN, "make one first, or look at the list of bots")
}

/// A username as it is kept, without `@`.
fn plain(username: &str) -> &str {
    let username = username.trim();
    username.strip_prefix('@').unwrap_or(username)
}

/// core.telegram.org/bots/features#creating-a-new-bot: 5 to 32 Latin letters, digits and
/// underscores, with `bot` at the end.
fn is_bot_username(text: &str) -> bool {
    (5..=32).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text
            .len()
            .checked_sub(3)
            .is_some_and(|at| text.get(at..).is_some_and(|end| end.eq_ignore_ascii_case("bot")))
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

/// The problem of a bot that does not exist.
pub(crate) const UNKNOWN: &str = "there is no such bot";

/// How many URLs one client may have.
const MAX_URLS: usize = 32;

/// The longest URL, in bytes.
const MAX_URL: usize = 1_024;

/// The longest name, in characters.
const MAX_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_checked_as_a_whole() {
        let problem = |client: OidcClient| client.check().unwrap_err().problem().to_owned();
        assert_eq!(OidcClient::new().check(), Ok(()));
        let twice = OidcClient::new().url("https://a.example/").native_url("https://a.example/");
        assert!(problem(twice).contains("twice"));
        let many = (0..33)
            .fold(OidcClient::new(), |client, n| client.url(format!("https://a{n}.example")));
        assert!(problem(many).contains("too many"));
        let long = OidcClient::new().url(format!("https://a.example/{}", "x".repeat(1_024)));
        assert!(problem(long).contains("too long"));
        assert!(problem(OidcClient::new().url("shop://x")).contains("site"));
        assert!(problem(OidcClient::new().native_url("tg://x")).contains("native"));
    }

    #[test]
    fn usernames_of_bots_end_in_bot() {
        for good in ["aabot", "Shop_Bot", "a1234567890123456789012345678bot", "QuayBOT"] {
            assert!(is_bot_username(good), "{good}");
        }
        for bad in [
            "",
            "abot",
            "1abot",
            "_abot",
            "a-bot",
            "shop",
            "äbbot",
            "a12345678901234567890123456789bot",
        ] {
            assert!(!is_bot_username(bad), "{bad}");
        }
    }

    #[test]
    fn secrets_and_tokens_are_not_printed() {
        let secret = ClientSecret::new(Zeroizing::new("hush".to_owned()));
        let bot = NewBot { username: "ABot".to_owned(), user_id: 1, token: "1:hush".to_owned() };
        assert!(!format!("{secret:?} {bot:?}").contains("hush"));
    }
}
