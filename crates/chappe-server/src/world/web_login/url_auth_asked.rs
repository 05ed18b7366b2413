//! What a site or an app asks when it wants to know who a person is, and what it is given for that.

use serde::{Deserialize, Serialize};

use crate::bots::MatchCode;
use crate::logins::{App, Scopes, Source};
use crate::world::WebLogin;

/// How the one who asks is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UrlAuthResponse {
    /// By a code in the address that it is sent back to.
    Code,
    /// By a message with the widget's fields to the page that opened the window.
    LegacyMessage,
    /// By the widget's fields in the address that it is sent back to.
    LegacyUrl,
    /// By a message with an ID token to the page that opened the window.
    PostMessage,
}

/// What binds a code to who asked for it. (RFC 7636)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pkce {
    /// The challenge.
    pub(crate) challenge: String,
    /// How it was made.
    pub(crate) method: String,
}

impl Pkce {
    /// Whether this can be a verifier, or the challenge that is the verifier itself. (RFC 7636, section 4.1)
    pub(crate) fn can_be_verifier(text: &str) -> bool {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
    }
}

/// A request to be. Whoever makes it has checked that the bot's site may have what is asked, and be
/// sent where it wants to be sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewUrlAuth {
    /// Who asks.
    pub(crate) source: Source,
    /// How it is told.
    pub(crate) response: UrlAuthResponse,
    /// The bot that the site or app belongs to.
    pub(crate) bot_id: i64,
    /// Where the browser is sent in the end.
    pub(crate) redirect_uri: Option<String>,
    /// The origin of the page that asks.
    pub(crate) origin: Option<String>,
    /// What is asked.
    pub(crate) scopes: Scopes,
    /// What the site wants back as it is.
    pub(crate) state: Option<String>,
    /// What the site wants to read in the ID token.
    pub(crate) nonce: Option<String>,
    /// What binds the code.
    pub(crate) pkce: Option<Pkce>,
    /// The domain that the person is shown, and where the browser is.
    pub(crate) login: WebLogin,
    /// The app that asks, if it is an app.
    pub(crate) app: Option<App>,
    /// The user that the browser knows already.
    pub(crate) user_id_hint: Option<i64>,
    /// Whether there are match codes.
    pub(crate) match_codes: MatchCode,
}

/// What the one who asked is given.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UrlAuthAsked {
    /// For the person's app: it goes into links.
    pub(crate) token: String,
    /// For the browser, which shows it to nobody else.
    pub(crate) browser_token: String,
    /// The picture that the browser shows, if there are match codes.
    pub(crate) match_code: Option<String>,
    /// When the request ends.
    pub(crate) expires: i32,
}

impl NewUrlAuth {
    /// Nothing but the question who somebody is.
    pub(crate) fn new(
        source: Source,
        response: UrlAuthResponse,
        bot_id: i64,
        login: WebLogin,
    ) -> Self {
        Self {
            source,
            response,
            bot_id,
            redirect_uri: None,
            origin: None,
            scopes: Scopes::default(),
            state: None,
            nonce: None,
            pkce: None,
            login,
            app: None,
            user_id_hint: None,
            match_codes: MatchCode::None,
        }
    }
}

impl std::fmt::Debug for NewUrlAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUrlAuth")
            .field("source", &self.source)
            .field("bot_id", &self.bot_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UrlAuthAsked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UrlAuthAsked").field("expires", &self.expires).finish_non_exhaustive()
    }
}
