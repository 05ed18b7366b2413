//! An example site that people log in to with Telegram, by the Login Widget and by OpenID Connect.
//!
//! It is a site as it should be, not a framework: read [`Site`], `routes.rs` and `openid.rs`, and
//! take over what you need. All checks are [`chappe_login`]'s. What else makes a login safe is
//! here:
//!
//! - a login belongs to the browser that began it: a secret of its cookie is in the address that
//!   Telegram sends it back to, or names the `state`, nonce and PKCE verifier that wait for it; and
//!   what a link brings along behind `#` is dropped before the widget's script takes it for a login;
//! - data of a widget is fresh, and passes once;
//! - each login makes a new session of its own, with a cookie that no script reads, and ends the
//!   one before;
//! - a session ends after a quarter of an hour, whatever its owner does: somebody who disconnects
//!   the site in Telegram is out after that, and Telegram tells the site nothing sooner;
//! - what is kept for strangers is bounded, and lies there by its hash;
//! - a page may load what it needs and nothing else.
//!
//! Alone, against a local Telegram (`chappe serve --web --bot-domain MyShopBot=localhost` says where
//! its pages are and what the bot's token is):
//!
//! ```text
//! TELEGRAM_BOT_TOKEN=123456:ABC-DEF chappe-site --bot MyShopBot --telegram http://127.0.0.1:38579
//! ```
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = chappe_site::bind("127.0.0.1:8080".parse()?).await?;
//! let site = chappe_site::Site::new("123456:ABC-DEF".parse()?, "my_shop_bot");
//! site.serve(listener, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

mod fetch;
mod guard;
mod openid;
mod pages;
mod routes;
mod serve;
mod store;

use std::{fmt, io, sync::Arc, time::SystemTime};

use chappe_login::{
    BotToken,
    oidc::{self, Alg, ClientSecret},
};

pub use serve::bind;

/// The site, before it is [served](Self::serve).
#[derive(Clone)]
#[must_use = "a site does nothing until it is served"]
pub struct Site {
    token: BotToken,
    bot: String,
    telegram: Option<String>,
    openid: Option<OpenId>,
    url: Option<String>,
    clock: Clock,
}

impl Site {
    /// A site of the bot with this token and username, which is in Telegram's hands.
    ///
    /// The bot's domain (`/setdomain` of BotFather) has to be the host of [`url`](Self::url).
    pub fn new(token: BotToken, username: impl Into<String>) -> Self {
        let bot: String = username.into();
        let bot = bot.trim_start_matches('@').to_owned();
        let clock = Clock(Arc::new(SystemTime::now));
        Self { token, bot, telegram: None, openid: None, url: None, clock }
    }

    /// Uses a local Telegram, by the address of its web pages, as `chappe serve --web` says it.
    pub fn telegram(self, base: impl Into<String>) -> Self {
        let base: String = base.into();
        Self { telegram: Some(base.trim_end_matches('/').to_owned()), ..self }
    }

    /// Offers OpenID Connect too. `{url}/login/openid/callback` has to be registered for it, and
    /// `{url}` for Telegram's JavaScript library.
    pub fn openid(self, openid: OpenId) -> Self {
        Self { openid: Some(openid), ..self }
    }

    /// What browsers call the site; without this `http://localhost:PORT` of the listener. Only
    /// requests for this host are answered.
    pub fn url(self, url: impl Into<String>) -> Self {
        let url: String = url.into();
        Self { url: Some(url.trim_end_matches('/').to_owned()), ..self }
    }

    /// Takes the time from somewhere else: for tests.
    pub fn clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { clock: Clock(Arc::new(clock)), ..self }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bot, telegram, url, .. } = self;
        f.debug_struct("Site")
            .field("bot", bot)
            .field("telegram", telegram)
            .field("url", url)
            .finish_non_exhaustive()
    }
}

/// The site as a client of OpenID Connect: what BotFather's Web Login gives and asks.
#[derive(Clone, Debug)]
pub struct OpenId {
    /// The bot's user id in decimal.
    pub client_id: String,
    /// The secret.
    pub client_secret: ClientSecret,
    /// The algorithm that was chosen there.
    pub alg: Alg,
}

/// Why the site is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that no site or provider has.
    #[error(
        "{0:?} is no address of a site; it has to be like http://localhost:8080, without a path"
    )]
    Address(Box<str>),
    /// The listener failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What was said about OpenID Connect cannot be used.
    #[error(transparent)]
    OpenId(#[from] oidc::Error),
}

#[derive(Clone)]
struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    fn now(&self) -> SystemTime {
        (self.0)()
    }
}
