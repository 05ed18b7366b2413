//! What a person is asked before a site or an app learns who they are, and the answer.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use chappe_tl::Text;

use super::{Subject, UrlAuthProblem, openable, problem};
use crate::{
    Client,
    api::{
        enums::{self, UrlAuthResult},
        messages, types,
    },
    error::Error,
};

/// A site or an app wants to know who the person is. Show all of it before asking for a yes.
///
/// What it says of the browser comes from whoever asks: neutralise control characters before it
/// goes to a terminal. It ends by itself, Telegram does not say when; then
/// [`UrlAuthProblem::Expired`] is what an answer comes to.
///
/// The example `approve_login` asks at a terminal. In a test a local Telegram plays the browser:
///
/// ```
/// use chappe::{UrlAuth, UrlAuthGrant};
/// use chappe_server::browser::NewLogin;
///
/// # use chappe::{Client, SignIn};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let telegram = chappe_server::Server::builder().seed(7).start().await?;
/// # let account = &telegram.accounts()[0];
/// # let client = Client::builder(1, "0".repeat(32))
/// #     .server(telegram.address(), telegram.public_key_pem())?
/// #     .connect()
/// #     .await?;
/// # let SignIn::Code(step) = client.sign_in_phone(&account.phone).await? else { panic!("no code") };
/// # step.submit(&account.code).await?;
/// let browser = telegram.log_in(NewLogin::at("ColumbusDemoBot").write().phone()).await?;
/// let UrlAuth::Consent(consent) = client.url_auth(browser.link()).await? else { panic!() };
/// assert_eq!(consent.domain(), "travel.example.com");
/// assert!(consent.asks_write() && consent.asks_phone());
///
/// consent.accept(&UrlAuthGrant::new().write(true)).await?;
/// let login = browser.claim().await?.expect("it was accepted");
/// assert!(login.write && !login.phone);
/// // The row of it, which ends it again.
/// assert!(client.reset_web_session(login.hash).await?);
/// # client.close().await?;
/// # telegram.shutdown().await?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct UrlAuthConsent {
    client: Client,
    subject: Subject,
    origin: Option<Text>,
    raw: types::UrlAuthResultRequest,
    /// The match code that turned out to be right.
    checked: Mutex<Option<Text>>,
}

/// What the person says yes to, besides the login itself: nothing, unless it is said.
///
/// What was not asked for is never given, whatever stands here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct UrlAuthGrant {
    write: bool,
    phone: bool,
    match_code: Option<Text>,
}

impl UrlAuthGrant {
    /// The login alone: who the person is, and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the bot may write to the person.
    pub const fn write(mut self, allowed: bool) -> Self {
        self.write = allowed;
        self
    }

    /// Whether the site may have the phone number. It is a question of its own.
    pub const fn phone(mut self, shared: bool) -> Self {
        self.phone = shared;
        self
    }

    /// The picture that the person picked out of [`UrlAuthConsent::match_codes`].
    pub fn match_code(mut self, code: &str) -> Self {
        self.match_code = Some(code.into());
        self
    }
}

impl UrlAuthConsent {
    pub(super) fn new(
        client: Client,
        subject: Subject,
        raw: types::UrlAuthResultRequest,
        origin: Option<Text>,
    ) -> Self {
        Self { client, subject, origin, raw, checked: Mutex::default() }
    }

    /// The domain of the site, or what stands for an app.
    pub fn domain(&self) -> &str {
        &self.raw.domain
    }

    /// The bot that the site belongs to; `None` if it was deleted.
    pub fn bot(&self) -> Option<&types::User> {
        match &self.raw.bot {
            enums::User::User(user) => Some(user),
            _ => None,
        }
    }

    /// The browser that the login began in, as it calls itself; `None` for pages that are opened from
    /// here.
    pub fn browser(&self) -> Option<&str> {
        self.raw.browser.as_deref()
    }

    /// The operating system of that browser, as it calls itself; `None` as for [`browser`](Self::browser).
    pub fn platform(&self) -> Option<&str> {
        self.raw.platform.as_deref()
    }

    /// The address of that browser, IPv4 or IPv6, as text; `None` as for [`browser`](Self::browser).
    pub fn ip(&self) -> Option<&str> {
        self.raw.ip.as_deref()
    }

    /// Where that address is, as far as Telegram can tell: a place and a country, in words.
    pub fn region(&self) -> Option<&str> {
        self.raw.region.as_deref()
    }

    /// Whether an app asks and not a page. It can call itself what it wants, unless its
    /// [name was verified](Self::verified_app_name): say so.
    pub const fn is_app(&self) -> bool {
        self.raw.is_app
    }

    /// The name of the app, if Telegram made sure of it.
    pub fn verified_app_name(&self) -> Option<&str> {
        self.raw.verified_app_name.as_deref()
    }

    /// Whether the bot wants to write to the person.
    pub const fn asks_write(&self) -> bool {
        self.raw.request_write_access
    }

    /// Whether the site wants the phone number.
    pub const fn asks_phone(&self) -> bool {
        self.raw.request_phone_number
    }

    /// Pictures (emoji) out of which the person must pick the one that is shown where the login
    /// began; empty if there are none. What is not picked by somebody who sees it is worth nothing:
    /// never pick for the person.
    pub fn match_codes(&self) -> &[Text] {
        self.raw.match_codes.as_deref().unwrap_or_default()
    }

    /// Whether the picture is to be asked for before anything else, and
    /// [checked](Self::check_match_code).
    pub const fn match_codes_first(&self) -> bool {
        self.raw.match_codes_first
    }

    /// The account that the browser knows already: offer to switch to it if it is another one.
    pub const fn user_id_hint(&self) -> Option<i64> {
        self.raw.user_id_hint
    }

    /// What to open if the person says no: a page as an ordinary link. `None` for login links.
    pub fn plain_url(&self) -> Option<&str> {
        self.subject.page().map(|url| &**url)
    }

    /// All that Telegram said.
    pub const fn raw(&self) -> &types::UrlAuthResultRequest {
        &self.raw
    }

    /// Checks the picture that the person picked. A wrong one ends the login: whoever cannot see the
    /// right one must not guess twice.
    ///
    /// # Errors
    /// [`UrlAuthProblem::WrongMatchCode`], and the login is declined; [`Error::Invalid`] if the picture
    /// is none of [`match_codes`](Self::match_codes); else as [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// It may be checked although the future was dropped; checking the right one again is harmless.
    pub async fn check_match_code(&self, code: &str) -> Result<(), Error> {
        let (code, Subject::Request(url)) = (self.offered(code)?, &self.subject) else {
            return Err(NO_CODES);
        };
        let request =
            messages::CheckUrlAuthMatchCode { url: url.clone(), match_code: code.clone() };
        if self.client.invoke(&request).await.map_err(problem)? {
            *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
            return Ok(());
        }
        self.cancel(UrlAuthProblem::WrongMatchCode.into()).await
    }

    /// Lets the site or the app know who the person is. Returns what to open now: an address that logs
    /// whoever opens it in, so it is a secret. `None` if the browser or the app goes on by itself.
    ///
    /// If the answer is lost, Telegram is asked what became of it before anything is repeated.
    ///
    /// # Errors
    /// [`Error::UrlAuth`] if the login did not come about; [`Error::Invalid`] if there are
    /// [`match_codes`](Self::match_codes) and none of them was picked; the errors of
    /// [`Client::invoke`].
    ///
    /// # Cancel safety
    /// The person may be let in although the future was dropped;
    /// [`Client::url_auth`] with the same link tells, and accepting again is harmless.
    pub async fn accept(&self, grant: &UrlAuthGrant) -> Result<Option<String>, Error> {
        let mut request = messages::AcceptUrlAuth::new();
        request.write_allowed = grant.write && self.asks_write();
        request.share_phone_number = grant.phone && self.asks_phone();
        request.match_code = self.picked(grant)?;
        match &self.subject {
            Subject::Request(url) | Subject::Page(url) => request.url = Some(url.clone()),
            Subject::Button { peer, msg_id, button_id, .. } => {
                request.peer = Some(peer.clone());
                (request.msg_id, request.button_id) = (Some(*msg_id), Some(*button_id));
            }
        }
        let mut answer = self.client.invoke(&request).await;
        if answer.as_ref().is_err_and(may_have_run) {
            answer = match self.client.invoke(&self.subject.request(self.origin.as_deref())).await {
                Ok(UrlAuthResult::Request(_)) => self.client.invoke(&request).await,
                other => other,
            };
        }
        match answer.map_err(problem) {
            Ok(UrlAuthResult::Accepted(accepted)) => openable(accepted.url),
            // Observed: TDLib opens the page as it is, whatever else is answered.
            Ok(_) => match self.plain_url() {
                Some(url) => Ok(Some(url.to_owned())),
                None => Err(UrlAuthProblem::Unknown.into()),
            },
            Err(Error::UrlAuth(UrlAuthProblem::WrongMatchCode)) => {
                self.cancel(UrlAuthProblem::WrongMatchCode.into()).await
            }
            Err(error) => Err(error),
        }
    }

    /// Says no. A page can still be opened as an [ordinary link](Self::plain_url).
    ///
    /// # Errors
    /// [`UrlAuthProblem::Expired`] if the login is over already; else as [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// It may be declined although the future was dropped; declining again is harmless.
    pub async fn decline(&self) -> Result<(), Error> {
        // Of a page Telegram remembers nothing that could be declined.
        let Subject::Request(url) = &self.subject else { return Ok(()) };
        let request = messages::DeclineUrlAuth { url: url.clone() };
        match self.client.invoke(&request).await {
            // Whether it was declined by the first try or has ended since: nobody is let in.
            Err(error) if may_have_run(&error) => {
                match self.client.invoke(&request).await.map_err(problem) {
                    Ok(_) | Err(Error::UrlAuth(UrlAuthProblem::Expired)) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            answer => answer.map(drop).map_err(problem),
        }
    }

    /// Declines what came to a bad end, and says by what. That it is declined is only to be safe.
    async fn cancel<T>(&self, why: Error) -> Result<T, Error> {
        if let Err(error) = self.decline().await {
            tracing::debug!(%error, "not declined");
        }
        Err(why)
    }

    /// The match code to send: one that was picked, or checked before.
    fn picked(&self, grant: &UrlAuthGrant) -> Result<Option<Text>, Error> {
        if self.match_codes().is_empty() {
            return Ok(None);
        }
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (&grant.match_code, checked) {
            (Some(code), _) => self.offered(code).map(Some),
            (None, Some(code)) => Ok(Some(code)),
            (None, None) => Err(Error::Invalid(
                "let the person pick one of the pictures first, the one that is shown where the \
                 login began",
            )),
        }
    }

    /// One of the pictures that are offered.
    fn offered(&self, code: &str) -> Result<Text, Error> {
        let found = self.match_codes().iter().find(|offered| **offered == code);
        found.cloned().ok_or(NO_CODES)
    }
}

impl fmt::Debug for UrlAuthConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlAuthConsent").field("domain", &self.domain()).finish_non_exhaustive()
    }
}

/// Whether a call that failed like this may have run.
fn may_have_run(error: &Error) -> bool {
    matches!(error, Error::Lost(_) | Error::TimedOut(_) | Error::Network(_))
}

const NO_CODES: Error =
    Error::Invalid("the picture is none of those that the login offers to pick from");
