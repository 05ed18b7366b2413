//! Logins to websites and apps with Telegram: what is asked, and what the person says to it.
//!
//! See core.telegram.org/api/url-authorization. Only people are asked, bots are not.

pub(crate) mod consent;
pub(crate) mod domains;
pub(crate) mod link;

use std::fmt;

use chappe_tl::Text;

use self::{consent::UrlAuthConsent, link::UrlAuthLink};
use crate::{
    Client,
    api::{
        enums::{InputPeer, UrlAuthResult},
        errors, help, messages, types,
    },
    error::Error,
};

/// What following a link comes to; [`Client::url_auth`] tells.
#[non_exhaustive]
pub enum UrlAuth {
    /// It is done: the person was let in before, or needs not be asked.
    Accepted {
        /// What to open now; it logs whoever opens it in, so it is a secret. `None` if the browser
        /// or the app that asked goes on by itself.
        url: Option<String>,
    },
    /// A page of Telegram's own that is to be opened without a question. The address logs whoever
    /// opens it in, so it is a secret.
    Autologin {
        /// What to open.
        url: String,
    },
    /// The person has to be asked.
    Consent(Box<UrlAuthConsent>),
    /// An ordinary link, to be opened as it is. Nobody is told who opens it.
    Plain {
        /// The link.
        url: String,
    },
}

/// Addresses that log somebody in are not shown.
impl fmt::Debug for UrlAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { url } => {
                f.debug_struct("Accepted").field("has_url", &url.is_some()).finish()
            }
            Self::Autologin { .. } => f.debug_struct("Autologin").finish_non_exhaustive(),
            Self::Consent(consent) => f.debug_tuple("Consent").field(consent).finish(),
            Self::Plain { .. } => f.debug_struct("Plain").finish_non_exhaustive(),
        }
    }
}

/// Why a login did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlAuthProblem {
    /// The request is over: too old, declined, or somebody else was let in with it.
    #[error("this login link is over; begin the login again where it came from")]
    Expired,
    /// Telegram does not know the request.
    #[error("Telegram does not know this login link; copy the whole of it")]
    Unknown,
    /// Telegram let the person in, and then named an address that must not be opened.
    #[error("the login was accepted, but the address to go on to is no page and no app")]
    UnsafeUrl,
    /// The site or the app may not log people in, or not any more.
    #[error("this site may not log people in with Telegram; tell its owner")]
    Unserved,
    /// The person picked another picture than the one that is shown where the login began.
    #[error("this is not the picture that is shown where the login began, so it was declined")]
    WrongMatchCode,
}

impl Client {
    /// Follows a link that came from outside: a login link (`tg://oauth?token=...`,
    /// `https://t.me/oauth?startapp=...`), or the address of a page, which may be one that knows
    /// Telegram.
    ///
    /// Login links are to be followed only from where a person scans, pastes or opens them, not from
    /// the text of a message: who sends one logs in as whoever follows it.
    ///
    /// ```no_run
    /// use chappe::{UrlAuth, UrlAuthGrant};
    /// # async fn example(client: chappe::Client, link: &str) -> Result<(), chappe::Error> {
    /// match client.url_auth(link).await? {
    ///     UrlAuth::Consent(consent) => {
    ///         println!("{} asks who you are", consent.domain());
    ///         consent.accept(&UrlAuthGrant::new()).await?;
    ///     }
    ///     UrlAuth::Plain { url } => println!("{url} is an ordinary link"),
    ///     other => println!("nothing to ask: {other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is no such link; [`Error::UrlAuth`] if the login cannot come about;
    /// `BOT_METHOD_INVALID` for a bot, `AUTH_KEY_UNREGISTERED` if nobody is signed in; the errors of
    /// [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// It only asks, but for a page that lets the person in without a question.
    pub async fn url_auth(&self, link: &str) -> Result<UrlAuth, Error> {
        match UrlAuthLink::read(link).ok_or(NO_LINK)? {
            UrlAuthLink::Request => self.ask_url_auth(Subject::Request(link.into()), None).await,
            UrlAuthLink::Unclear => Ok(UrlAuth::Plain { url: link.to_owned() }),
            UrlAuthLink::Site { secure, host } => {
                let domains = self.login_domains().await?;
                if secure && domains.log_in_by_token(&host) {
                    self.autologin(link).await
                } else if domains.ask(&host) {
                    self.ask_url_auth(Subject::Page(link.into()), None).await
                } else {
                    Ok(UrlAuth::Plain { url: link.to_owned() })
                }
            }
        }
    }

    /// Presses a login button: `button` is that of the message `msg_id` in the chat with `peer`.
    ///
    /// # Errors
    /// As [`url_auth`](Self::url_auth). What Telegram refuses about the button itself makes it an
    /// ordinary link.
    ///
    /// # Cancel safety
    /// As [`url_auth`](Self::url_auth).
    pub async fn url_auth_button(
        &self,
        peer: impl Into<InputPeer>,
        msg_id: i32,
        button: &types::InlineButtonTypeUrlAuth,
    ) -> Result<UrlAuth, Error> {
        if !matches!(
            UrlAuthLink::read(&button.url),
            Some(UrlAuthLink::Site { .. } | UrlAuthLink::Unclear)
        ) {
            return Err(Error::Invalid("the button does not lead to a page; do not open it"));
        }
        let (peer, url) = (peer.into(), button.url.clone());
        let subject = Subject::Button { peer, msg_id, button_id: button.button_id, url };
        self.ask_url_auth(subject, None).await
    }

    /// Follows a login link that a page within the app asked for (`oauth_request`); `origin` is that of
    /// the page, like `https://example.com`. What is accepted goes back to the page as
    /// `oauth_result_confirmed`, everything else as `oauth_result_failed`.
    /// See core.telegram.org/api/web-events.
    ///
    /// # Errors
    /// [`Error::Invalid`] if either is not what it is said to be; else as
    /// [`url_auth`](Self::url_auth).
    ///
    /// # Cancel safety
    /// As [`url_auth`](Self::url_auth).
    pub async fn url_auth_in_app(&self, link: &str, origin: &str) -> Result<UrlAuth, Error> {
        if UrlAuthLink::read(link) != Some(UrlAuthLink::Request) {
            return Err(Error::Invalid(
                "this is no login link; it looks like tg://oauth?token=...",
            ));
        }
        if !link::is_origin(origin) {
            return Err(Error::Invalid("this is no origin; one looks like https://example.com"));
        }
        self.ask_url_auth(Subject::Request(link.into()), Some(origin)).await
    }

    async fn ask_url_auth(&self, subject: Subject, origin: Option<&str>) -> Result<UrlAuth, Error> {
        let request = subject.request(origin);
        let answer = match self.invoke(&request).await {
            Err(error) if subject.is_ordinary(&error) => UrlAuthResult::Default,
            answer => answer.map_err(problem)?,
        };
        match (answer, subject.page()) {
            (UrlAuthResult::Request(request), _) => {
                let consent =
                    UrlAuthConsent::new(self.clone(), subject, *request, origin.map(Into::into));
                Ok(UrlAuth::Consent(Box::new(consent)))
            }
            (UrlAuthResult::Accepted(accepted), _) => {
                Ok(UrlAuth::Accepted { url: openable(accepted.url)? })
            }
            (_, Some(url)) => Ok(UrlAuth::Plain { url: url.to_string() }),
            (_, None) => Err(UrlAuthProblem::Unknown.into()),
        }
    }

    /// A page of Telegram's own, with the token that logs in there. One that has a token already is
    /// left alone: it could be somebody else's.
    async fn autologin(&self, link: &str) -> Result<UrlAuth, Error> {
        let plain = || UrlAuth::Plain { url: link.to_owned() };
        if link::has_field(link, TOKEN_FIELD) {
            return Ok(plain());
        }
        // Asked for every time: a token of another account, or one that is too old, helps nobody.
        let token = self.invoke(&help::GetConfig).await?.autologin_token;
        Ok(match token.filter(|token| !token.is_empty()) {
            Some(token) => UrlAuth::Autologin { url: link::with_field(link, TOKEN_FIELD, &token) },
            None => plain(),
        })
    }
}

/// What is asked about.
pub(crate) enum Subject {
    /// The request behind a login link.
    Request(Text),
    /// A page.
    Page(Text),
    /// A login button.
    Button { peer: InputPeer, msg_id: i32, button_id: i32, url: Text },
}

impl Subject {
    /// The page that is opened as it is if there is no login.
    pub(crate) fn page(&self) -> Option<&Text> {
        match self {
            Self::Request(_) => None,
            Self::Page(url) | Self::Button { url, .. } => Some(url),
        }
    }

    fn request(&self, origin: Option<&str>) -> messages::RequestUrlAuth {
        let mut request = messages::RequestUrlAuth::new();
        request.in_app_origin = origin.map(Into::into);
        match self {
            Self::Request(url) | Self::Page(url) => request.url = Some(url.clone()),
            Self::Button { peer, msg_id, button_id, .. } => {
                request.peer = Some(peer.clone());
                (request.msg_id, request.button_id) = (Some(*msg_id), Some(*button_id));
            }
        }
        request
    }

    /// Whether this refusal only means that there is no login here. Observed: TDLib opens the page
    /// then.
    fn is_ordinary(&self, error: &Error) -> bool {
        let typed = [errors::BOT_METHOD_INVALID, errors::URL_EXPIRED, errors::URL_INVALID];
        self.page().is_some()
            && error.code() == Some(400)
            && !typed.into_iter().any(|name| error.is(name))
    }
}

/// What Telegram means by a refusal.
pub(crate) fn problem(error: Error) -> Error {
    let known = [
        (errors::URL_EXPIRED.name, UrlAuthProblem::Expired),
        (errors::URL_INVALID.name, UrlAuthProblem::Unknown),
        (errors::OAUTH_REQUEST_INVALID.name, UrlAuthProblem::Unserved),
        (MATCH_CODE_INVALID, UrlAuthProblem::WrongMatchCode),
    ];
    let name = error.rpc().map(|error| error.name.as_str());
    let found = known.into_iter().find(|(known, _)| name == Some(*known));
    found.map_or(error, |(_, problem)| problem.into())
}

/// What is to be opened, if anything.
pub(crate) fn openable(url: Option<Text>) -> Result<Option<String>, Error> {
    // Older layers cannot say that there is none, but by an empty one.
    match url.filter(|url| !url.is_empty()) {
        Some(url) if !link::is_openable(&url) => Err(UrlAuthProblem::UnsafeUrl.into()),
        url => Ok(url.map(|url| url.to_string())),
    }
}

const NO_LINK: Error = Error::Invalid(
    "this is neither a login link nor the address of a page; a login link looks like \
     tg://oauth?token=... or https://t.me/oauth?startapp=...",
);

/// The field that a page of Telegram's own reads.
const TOKEN_FIELD: &str = "autologin_token";

/// Assumed: what Telegram answers to a wrong match code is not known; TDLib's word for it.
const MATCH_CODE_INVALID: &str = "MATCH_CODE_INVALID";
