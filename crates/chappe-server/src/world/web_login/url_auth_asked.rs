//! What a site or an app asks when it wants to know who a person is, and what it is given for that.

use serde::{Deserialize, Serialize};

use crate::world::WebLogin;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UrlAuthSource {
    /// A page that is shown within Telegram.
    InApp,
    /// An app on the same device.
    Native,
    /// A page that speaks OpenID Connect.
    Oidc,
    /// A page with the login widget.
    Widget,
}

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

/// What a site may have, or may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Scopes {
    /// The person's name.
    pub(crate) profile: bool,
    /// The person's phone number.
    pub(crate) phone: bool,
    /// Its bot may write to the person.
    pub(crate) write: bool,
}

/// Whether the browser shows a picture that the person must pick in the app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MatchCodes {
    /// It does not.
    #[default]
    None,
    /// It does.
    Asked,
    /// It does, and the app asks for it before it asks for anything else.
    First,
}

/// What binds a code to who asked for it. (RFC 7636)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pkce {
    /// The challenge.
    pub(crate) challenge: String,
    /// How it was made.
    pub(crate) method: String,
}

/// An app that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NativeApp {
    /// Its name, if somebody made sure of it.
    pub(crate) verified_name: Option<String>,
}

/// A request to be. Whoever makes it has checked that the bot's site may have what is asked, and be
/// sent where it wants to be sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewUrlAuth {
    /// Who asks.
    pub(crate) source: UrlAuthSource,
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
    pub(crate) app: Option<NativeApp>,
    /// The user that the browser knows already.
    pub(crate) user_id_hint: Option<i64>,
    /// Whether there are match codes.
    pub(crate) match_codes: MatchCodes,
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
