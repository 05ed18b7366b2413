//! Logins: requests to log in to a website, which wait for a person, and the person's answer.
//!
//! Whoever clicks "Log in with Telegram" on a site makes a request; the person sees it in the
//! application, on another device or in the dashboard. A test suite has no person:
//! [`Handle::logins`](crate::Handle::logins) waits for requests and answers them in the name of any
//! account, and so does the control port. `WEB_LOGIN.md` beside this crate shows it.
//!
//! ```
//! # async fn example() -> Result<(), chappe_server::Error> {
//! use chappe_server::logins::Grant;
//! let server = chappe_server::Server::builder().seed(7).start().await?;
//! let user_id = server.accounts()[0].user_id;
//! let mut arrivals = server.logins().arrivals();
//! // ... a browser is sent to the login page here ...
//! # let asked = false;
//! # if asked {
//! let login = arrivals.next().await?;
//! assert_eq!(login.domain, "shop.example.net");
//! server.logins().approve(login.id, user_id, Grant::new().write()).await?;
//! # }
//! assert!(server.logins().pending().await?.is_empty(), "nobody asked");
//! # server.shutdown().await
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```

use std::fmt;

use chappe_api::errors;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use crate::{
    Error, Objection,
    failure::{Failure, Outcome},
    listener::{self, Message},
    world::{MATCH_CODE_INVALID, UrlAuth, World},
};

/// A request to log in to a website. It waits for a person, for five minutes at most.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Login {
    /// Its number: a later request has a greater one.
    pub id: i64,
    /// Which way the person came.
    pub source: Source,
    /// The bot that the site belongs to.
    pub bot: LoginBot,
    /// The site.
    pub domain: String,
    /// The browser, as it calls itself.
    pub browser: String,
    /// Its operating system.
    pub platform: String,
    /// The address that it comes from.
    pub ip: String,
    /// Where that is.
    pub region: String,
    /// What the site wants besides a number for the person.
    pub asks: Scopes,
    /// One of these is shown by the browser, and has to be picked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_codes: Vec<String>,
    /// Set if a native application asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<App>,
    /// Who may answer, if not everybody: the phone number of this account was typed in. 777000,
    /// Telegram itself, if nobody has that number: then nobody can approve it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    /// Who was signed in to the site before, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id_hint: Option<i64>,
    /// When it was made, unix seconds of the server.
    pub created: i32,
    /// When it is over, unix seconds of the server.
    pub expires: i32,
}

/// Which way a person came to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// A mini app.
    InApp,
    /// A native application.
    Native,
    /// OpenID Connect in a browser.
    Oidc,
    /// The login widget.
    Widget,
}

/// The bot of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoginBot {
    /// The user id.
    pub user_id: i64,
    /// The username, without `@`.
    pub username: String,
    /// The name.
    pub name: String,
}

/// What a site may have, or may do, besides knowing a number for the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Scopes {
    /// Name, username and picture: all ask for them but those whose scope is `openid` alone.
    pub profile: bool,
    /// Its bot may write messages.
    pub write: bool,
    /// The phone number.
    pub phone: bool,
}

/// A native application that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct App {
    /// Its name, if Telegram has verified it.
    pub verified_name: Option<String>,
}

/// What a person says yes to besides the login. Without further words: nothing. What the site did not
/// ask for is not given, whatever is said here.
///
/// ```
/// use chappe_server::logins::Grant;
/// let grant = Grant::new().write().match_code("🦊");
/// let json = r#"{"write":true,"match_code":"🦊"}"#;
/// assert_eq!(serde_json::to_string(&grant).unwrap(), json);
/// assert_eq!(serde_json::from_str::<Grant>(json).unwrap(), grant);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
#[must_use]
pub struct Grant {
    /// The bot may write messages.
    #[serde(skip_serializing_if = "is_false")]
    pub write: bool,
    /// The site may have the phone number.
    #[serde(skip_serializing_if = "is_false")]
    pub phone: bool,
    /// The match code that was picked: the one that the browser shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_code: Option<String>,
}

/// What an approval comes to.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Approved {
    /// What the application would open then. Without it a browser waits, and goes on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Login {
    /// The requests that wait, the oldest first.
    pub(crate) fn pending(world: &World, now: i32) -> Outcome<Vec<Self>> {
        let pending = world.pending_url_auths(now)?;
        pending.into_iter().map(|request| Self::of(world, request)).collect()
    }

    fn of(world: &World, request: UrlAuth) -> Outcome<Self> {
        let UrlAuth { id, asked, codes, created, expires, for_user, .. } = request;
        let bot = world.user(asked.bot_id)?;
        let (username, name) =
            bot.map(|bot| (bot.username.unwrap_or_default(), bot.first_name)).unwrap_or_default();
        Ok(Self {
            id,
            source: asked.source,
            bot: LoginBot { user_id: asked.bot_id, username, name },
            domain: asked.login.domain,
            browser: asked.login.browser,
            platform: asked.login.platform,
            ip: asked.login.ip,
            region: asked.login.region,
            asks: asked.scopes,
            match_codes: codes,
            app: asked.app,
            user_id: for_user,
            user_id_hint: asked.user_id_hint,
            created,
            expires,
        })
    }
}

impl Grant {
    /// Nothing but the login.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the bot write messages, if it asks for that.
    pub fn write(mut self) -> Self {
        self.write = true;
        self
    }

    /// Shares the phone number, if the site asks for it.
    pub fn phone(mut self) -> Self {
        self.phone = true;
        self
    }

    /// Picks a match code.
    pub fn match_code(mut self, code: impl Into<String>) -> Self {
        self.match_code = Some(code.into());
        self
    }
}

/// Answers login requests of a running server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Logins {
    inbox: mpsc::Sender<Message>,
    last: watch::Receiver<i64>,
}

impl Logins {
    pub(crate) fn new(inbox: mpsc::Sender<Message>, last: watch::Receiver<i64>) -> Self {
        Self { inbox, last }
    }

    /// Lists the requests that wait for an answer, the oldest first.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the server is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost when this is dropped before it is done.
    pub async fn pending(&self) -> Result<Vec<Login>, Error> {
        self.run(|world, now| Login::pending(world, now)).await
    }

    /// Begins to wait for requests: those that are made from now on.
    pub fn arrivals(&self) -> Arrivals {
        let seen = *self.last.borrow();
        Arrivals { logins: self.clone(), seen }
    }

    /// Approves a request in the name of an account. Whoever is connected hears what it would hear if
    /// the person had done it in an application. The same again answers the same and does nothing.
    ///
    /// # Errors
    /// [`Error::Login`] when the request does not wait for this account, or the match code is not the
    /// right one, which ends the request; [`Error::Stopped`] when the server is gone.
    ///
    /// # Cancel safety
    /// It is approved or not when this is dropped before it is done; it can be repeated.
    pub async fn approve(&self, id: i64, user_id: i64, grant: Grant) -> Result<Approved, Error> {
        let approve = move |world: &mut World, now| {
            world.person(user_id)?.ok_or(errors::USER_ID_INVALID)?;
            world.approve_url_auth(now, id, user_id, &grant)
        };
        self.run(approve).await
    }

    /// Declines a request: the site learns that nobody wants to log in.
    ///
    /// # Errors
    /// [`Error::Login`] when the request does not wait any more; [`Error::Stopped`] when the server is
    /// gone.
    ///
    /// # Cancel safety
    /// It is declined or not when this is dropped before it is done; it can be repeated.
    pub async fn decline(&self, id: i64) -> Result<(), Error> {
        let decline = move |world: &mut World, now| {
            // If only one account may answer, it is that one that declines.
            let only = world.url_auth_by_id(now, id)?.for_user;
            world.decline_url_auth(now, id, only.unwrap_or_default())
        };
        self.run(decline).await
    }

    /// The user id of the account with this phone number, written in any way.
    pub(crate) async fn user_of_phone(&self, phone: String) -> Result<i64, Error> {
        self.run(move |world, _| {
            Ok(world.user_of_phone(&phone)?.ok_or(errors::USER_ID_INVALID)?.id)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut World, i32) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Error> {
        listener::run(&self.inbox, work).await?.map_err(|failure| Error::Login(objection(&failure)))
    }
}

/// Waits for login requests one after another; [`Logins::arrivals`] begins.
pub struct Arrivals {
    logins: Logins,
    /// The last request that was seen.
    seen: i64,
}

impl Arrivals {
    /// The next request that waits for an answer, or waits for one. What was answered before anybody
    /// looked is left out.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the server is gone.
    ///
    /// # Cancel safety
    /// No request is lost when this is dropped before it is done.
    pub async fn next(&mut self) -> Result<Login, Error> {
        loop {
            // What is asked after this look is news to `changed`.
            self.logins.last.borrow_and_update();
            let mut pending = self.logins.pending().await?.into_iter();
            if let Some(login) = pending.find(|login| login.id > self.seen) {
                self.seen = login.id;
                return Ok(login);
            }
            self.logins.last.changed().await.map_err(|_| Error::Stopped)?;
        }
    }
}

impl fmt::Debug for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrivals").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl fmt::Debug for Login {
    /// Neither where from nor the codes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("domain", &self.domain)
            .field("asks", &self.asks)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Grant {
    /// Not the match code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("write", &self.write)
            .field("phone", &self.phone)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Approved {
    /// Not the address: it may bear a code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approved").field("has_url", &self.url.is_some()).finish()
    }
}

/// What a refusal of the world means here.
fn objection(failure: &Failure) -> Objection {
    let is = |name: chappe_tl::ErrorName| *failure == name.into();
    if is(errors::URL_INVALID) {
        Objection::new("there is no such request", "look at the list of those that wait")
    } else if is(errors::URL_EXPIRED) {
        Objection::new(
            "this request does not wait for this account",
            "it was answered, its five minutes are over, or it is for another account only",
        )
    } else if is(MATCH_CODE_INVALID) {
        Objection::new(
            "that is not the match code that the browser shows",
            "this ended the request: let the site ask again, and pick the right one",
        )
    } else if is(errors::USER_ID_INVALID) || is(errors::PHONE_NUMBER_INVALID) {
        Objection::new("there is no such account", "name one by its user id or its phone number")
    } else {
        Objection::new(
            &format!("the server refused it with {}", failure.message),
            "look at what is set for the bot, and let the site ask again",
        )
    }
}

fn is_false(value: &bool) -> bool {
    !value
}
