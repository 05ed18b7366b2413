//! A browser that wants to log in to a bot's site, played by the test: for tests of apps, which are
//! asked for the consent, where no page is needed.
//!
//! With [`Builder::web`](crate::Builder::web) real browsers do the same, and the control port plays
//! them for test suites in any language: `POST /browsers`, an example of which `GET /` shows.
//!
//! ```
//! # async fn example() -> Result<(), chappe_server::Error> {
//! use chappe_server::{Server, browser::{NewLogin, Progress}};
//! let server = Server::builder().seed(7).start().await?;
//! let browser = server.log_in(NewLogin::at("ColumbusDemoBot").phone().match_code()).await?;
//! assert!(browser.link().starts_with("tg://oauth?token="));
//! assert!(browser.match_code().is_some());
//! assert_eq!(browser.progress().await?, Progress::Pending);
//! // ... the app follows the link, the person picks the picture and agrees ...
//! assert_eq!(browser.claim().await?, None);
//! # server.shutdown().await
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```

use std::{fmt, net::IpAddr};

use chappe_api::errors;
use serde::{Serialize, Serializer};
use tokio::sync::mpsc;

use crate::{
    Error,
    bots::MatchCode,
    failure::Outcome,
    listener::{self, Message},
    logins::{App, Scopes, Source},
    world::{Claim, NewUrlAuth, UrlAuthAsked, UrlAuthResponse, WebLogin, World, links_of},
};

/// What a browser asks on a site: the name of the person, and what else is said.
#[derive(Clone, Debug)]
#[must_use]
pub struct NewLogin {
    bot: String,
    pub(crate) scopes: Scopes,
    pub(crate) match_codes: MatchCode,
    pub(crate) app: Option<App>,
    pub(crate) user_id_hint: Option<i64>,
    browser: String,
    platform: String,
    ip: IpAddr,
}

impl NewLogin {
    /// On the site of the bot with this username.
    pub fn at(bot: impl Into<String>) -> Self {
        Self {
            bot: bot.into(),
            scopes: Scopes { profile: true, ..Scopes::default() },
            match_codes: MatchCode::None,
            app: None,
            user_id_hint: None,
            browser: "Firefox 140".to_owned(),
            platform: "Linux".to_owned(),
            ip: IpAddr::from([192, 0, 2, 17]),
        }
    }

    /// The site wants the phone number, too.
    pub fn phone(mut self) -> Self {
        self.scopes.phone = true;
        self
    }

    /// The bot wants to write to the person.
    pub fn write(mut self) -> Self {
        self.scopes.write = true;
        self
    }

    /// The browser shows a picture that the person has to pick in the app.
    pub fn match_code(mut self) -> Self {
        self.match_codes = MatchCode::Asked;
        self
    }

    /// The same, and the app has to ask for it first.
    pub fn match_code_first(mut self) -> Self {
        self.match_codes = MatchCode::First;
        self
    }

    /// It is no browser but an app, with this name if somebody made sure of it.
    pub fn app(mut self, verified_name: Option<&str>) -> Self {
        self.app = Some(App { verified_name: verified_name.map(str::to_owned) });
        self
    }

    /// The browser knows this user already.
    pub fn user_id_hint(mut self, user_id: i64) -> Self {
        self.user_id_hint = Some(user_id);
        self
    }

    /// What the browser says of itself, and where it is.
    pub fn from(mut self, browser: &str, platform: &str, ip: IpAddr) -> Self {
        (self.browser, self.platform, self.ip) = (browser.to_owned(), platform.to_owned(), ip);
        self
    }

    fn ask(self, world: &mut World, now: i32) -> Outcome<UrlAuthAsked> {
        let bot = world.bot_by_username(&self.bot)?.ok_or(errors::BOT_INVALID)?;
        let domain = world.bot_domain(bot.id)?.ok_or(errors::BOT_DOMAIN_INVALID)?;
        let login = WebLogin::of_browser(&domain, &self.browser, &self.platform, self.ip);
        world.ask_url_auth(
            now,
            NewUrlAuth {
                origin: Some(format!("https://{domain}")),
                scopes: self.scopes,
                app: self.app,
                user_id_hint: self.user_id_hint,
                match_codes: self.match_codes,
                ..NewUrlAuth::new(Source::Widget, UrlAuthResponse::LegacyMessage, bot.id, login)
            },
        )
    }
}

/// A browser that waits for the person's consent.
pub struct Browser {
    inbox: mpsc::Sender<Message>,
    /// What it shows to nobody but the server.
    token: String,
    links: [String; 2],
    match_code: Option<String>,
}

/// The browsers of a server.
#[derive(Clone, Debug)]
pub(crate) struct Browsers(mpsc::Sender<Message>);

impl Browsers {
    pub(crate) fn new(inbox: mpsc::Sender<Message>) -> Self {
        Self(inbox)
    }

    /// Lets a browser begin to log in.
    pub(crate) async fn log_in(&self, login: NewLogin) -> Result<Browser, Error> {
        let (inbox, bot) = (self.0.clone(), login.bot.clone());
        let work = move |world: &mut World, now| login.ask(world, now);
        let asked = listener::run(&inbox, work).await?;
        let UrlAuthAsked { token, browser_token, match_code, .. } =
            asked.map_err(|_| Error::NoSite(bot.into()))?;
        Ok(Browser { inbox, token: browser_token, links: links_of(&token), match_code })
    }

    /// The browser that shows this token; what it was given else is not known any more.
    pub(crate) fn find(&self, token: String) -> Browser {
        Browser { inbox: self.0.clone(), token, links: Default::default(), match_code: None }
    }
}

/// How far a login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Progress {
    /// The person was not asked yet, or thinks.
    Pending,
    /// The person agreed, and the browser may go on.
    Approved,
    /// The browser went on.
    Claimed,
    /// The person declined, or picked a wrong picture.
    Declined,
    /// It took too long.
    Expired,
}

/// Who logged in, and what they granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoggedIn {
    /// The person.
    pub user_id: i64,
    /// Whether the site may have the phone number.
    pub phone: bool,
    /// Whether the bot may write to the person.
    pub write: bool,
    /// The hash of the web authorization; in JSON a string, since it has 64 bits.
    #[serde(serialize_with = "as_text")]
    pub hash: i64,
}

impl Browser {
    /// What names it at the control port.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The link for the person's app, `tg://oauth?token=...`. It is a secret as long as the login is
    /// pending.
    #[must_use]
    pub fn link(&self) -> &str {
        let [link, _] = &self.links;
        link
    }

    /// The same as `https://t.me/oauth?startapp=...`.
    #[must_use]
    pub fn web_link(&self) -> &str {
        let [_, link] = &self.links;
        link
    }

    /// The picture that the browser shows.
    #[must_use]
    pub fn match_code(&self) -> Option<&str> {
        self.match_code.as_deref()
    }

    /// Types a phone number instead of waiting for the link to be followed: 777000 asks whoever has
    /// it. Whether anybody does is not told. `false` if it is no number, if too many were typed, or if
    /// the login is over.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the server is gone.
    ///
    /// # Cancel safety
    /// The message may be written although the future was dropped.
    pub async fn type_phone(&self, phone: &str) -> Result<bool, Error> {
        let (token, phone) = (self.token.clone(), phone.to_owned());
        let work = move |world: &mut World, now| world.ask_phone_url_auth(now, &token, &phone);
        Ok(listener::run(&self.inbox, work).await?.is_ok())
    }

    /// How far the login is.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the server is gone.
    ///
    /// # Cancel safety
    /// It only looks.
    pub async fn progress(&self) -> Result<Progress, Error> {
        let token = self.token.clone();
        let found =
            listener::run(&self.inbox, move |world, now| world.poll_url_auth(now, &token)).await?;
        // What is long over is forgotten.
        Ok(found.map_or(Progress::Expired, |request| request.status))
    }

    /// Goes on, once: who logged in. `None` if nobody did, or it went on before.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the server is gone.
    ///
    /// # Cancel safety
    /// It may go on although the future was dropped.
    pub async fn claim(&self) -> Result<Option<LoggedIn>, Error> {
        let token = self.token.clone();
        let claimed =
            listener::run(&self.inbox, move |world, now| world.claim_url_auth(now, &token)).await?;
        let logged_in = |Claim { user, granted, web_authorization, .. }: Claim| LoggedIn {
            user_id: user.id,
            phone: granted.phone,
            write: granted.write,
            hash: web_authorization,
        };
        Ok(claimed.ok().map(logged_in))
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").finish_non_exhaustive()
    }
}

fn as_text<S: Serializer>(hash: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(hash)
}
