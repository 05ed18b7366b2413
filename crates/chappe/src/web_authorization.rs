//! The websites that an account is logged in to with Telegram.
//!
//! See core.telegram.org/widgets/login. Only people have such sessions, bots do not; and ending
//! one makes Telegram forget it, what the website itself remembers is the website's business.

use std::time::SystemTime;

use crate::{
    Client,
    api::{account, enums, errors, types},
    error::Error,
    security::time,
};

/// One website that the account is logged in to, in one browser.
#[derive(Clone, Debug, PartialEq)]
pub struct WebAuthorization {
    raw: types::WebAuthorization,
    bot: Option<Box<types::User>>,
}

impl WebAuthorization {
    /// Names this session in [`Client::reset_web_authorization`]. Any number but 0, also
    /// negative; unique within the account.
    pub const fn hash(&self) -> i64 {
        self.raw.hash
    }

    /// The bot that the website logs in with; `None` if the server left it out.
    pub fn bot(&self) -> Option<&types::User> {
        self.bot.as_deref()
    }

    /// The domain of the website.
    pub fn domain(&self) -> &str {
        &self.raw.domain
    }

    /// The browser.
    pub fn browser(&self) -> &str {
        &self.raw.browser
    }

    /// The operating system of the browser.
    pub fn platform(&self) -> &str {
        &self.raw.platform
    }

    /// The address that the login came from.
    pub fn ip(&self) -> &str {
        &self.raw.ip
    }

    /// Where that address is, as far as Telegram can tell.
    pub fn region(&self) -> &str {
        &self.raw.region
    }

    /// When it began.
    pub fn created(&self) -> SystemTime {
        time(self.raw.date_created)
    }

    /// When it was used last; `None` if never since it began.
    pub fn last_active(&self) -> Option<SystemTime> {
        (self.raw.date_active != 0).then(|| time(self.raw.date_active))
    }

    /// All that Telegram said.
    pub const fn raw(&self) -> &types::WebAuthorization {
        &self.raw
    }
}

impl Client {
    /// The websites that the account is logged in to, the most recently used first.
    ///
    /// # Errors
    /// `BOT_METHOD_INVALID` for a bot, `AUTH_KEY_UNREGISTERED` if nobody is signed in; the errors
    /// of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// It only asks.
    pub async fn web_authorizations(&self) -> Result<Vec<WebAuthorization>, Error> {
        let answer = self.invoke(&account::GetWebAuthorizations).await?;
        Ok(join(answer))
    }

    /// Logs the account out of a website. Returns whether there was such a session: `false` means
    /// that it is gone already, or never was.
    ///
    /// # Errors
    /// As [`web_authorizations`](Self::web_authorizations).
    ///
    /// # Cancel safety
    /// It may happen although the future was dropped; doing it again is harmless.
    pub async fn reset_web_authorization(&self, hash: i64) -> Result<bool, Error> {
        match self.invoke(&account::ResetWebAuthorization { hash }).await {
            Ok(reset) => Ok(reset),
            Err(error) if error.is(errors::HASH_INVALID) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Logs the account out of all websites.
    ///
    /// # Errors
    /// As [`web_authorizations`](Self::web_authorizations).
    ///
    /// # Cancel safety
    /// It may happen although the future was dropped; doing it again is harmless.
    pub async fn reset_web_authorizations(&self) -> Result<(), Error> {
        // Whatever truth value comes back, it is done: TDLib only logs a `false`.
        self.invoke(&account::ResetWebAuthorizations).await.map(drop)
    }
}

fn join(answer: types::account::WebAuthorizations) -> Vec<WebAuthorization> {
    let mut rows: Vec<_> = answer
        .authorizations
        .into_iter()
        .map(|raw| {
            let bot = answer.users.iter().find_map(|user| match user {
                enums::User::User(user) if user.id == raw.bot_id => Some(Box::new(user.clone())),
                _ => None,
            });
            WebAuthorization { raw, bot }
        })
        .collect();
    // The order of the official apps: by last use, or by login where there was none.
    rows.sort_by_key(|row| {
        std::cmp::Reverse(match row.raw.date_active {
            0 => row.raw.date_created,
            active => active,
        })
    });
    rows
}
