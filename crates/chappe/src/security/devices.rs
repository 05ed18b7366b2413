//! The devices that an account is signed in on.
//!
//! See core.telegram.org/method/account.getAuthorizations. Only people have such a list, bots do
//! not. A hash of a device never names a [website](crate::WebSession), nor the other way
//! round.

use std::{cmp::Reverse, time::SystemTime};

use crate::{
    Client,
    api::{account, auth, errors, types},
    error::Error,
    security::time,
};

/// The devices that an account is signed in on; [`Client::device_sessions`] tells.
///
/// ```no_run
/// # async fn example(client: chappe::Client) -> Result<(), chappe::Error> {
/// for device in client.device_sessions().await?.sessions {
///     println!("{:>20}  {}  {}", device.hash(), device.device_model(), device.country());
///     if device.is_unconfirmed() {
///         client.reset_device_session(device.hash()).await?;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeviceSessions {
    /// The sessions: this one first, then those that nobody confirmed, then by last use.
    pub sessions: Vec<DeviceSession>,
    /// After how many days without use a session ends by itself.
    pub ttl_days: i32,
}

/// One device that the account is signed in on.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceSession {
    raw: types::Authorization,
}

impl DeviceSession {
    /// Takes a row that Telegram listed, as [`Client::device_sessions`] does.
    pub const fn new(raw: types::Authorization) -> Self {
        Self { raw }
    }

    /// Names this session in [`Client::reset_device_session`]; may be negative. 0 for the
    /// [current](Self::is_current) one, which cannot be named.
    pub const fn hash(&self) -> i64 {
        self.raw.hash
    }

    /// Whether it is the one that asks.
    pub const fn is_current(&self) -> bool {
        self.raw.current
    }

    /// Whether the application is one of Telegram's own.
    pub const fn is_official(&self) -> bool {
        self.raw.official_app
    }

    /// Whether somebody gave the right code there and still owes the password.
    pub const fn is_password_pending(&self) -> bool {
        self.raw.password_pending
    }

    /// Whether it is new and nobody said yet that it is theirs:
    /// [`Client::confirm_device_session`] says so, [`Client::reset_device_session`] the contrary.
    pub const fn is_unconfirmed(&self) -> bool {
        self.raw.unconfirmed
    }

    /// Whether it takes secret chats.
    pub const fn takes_secret_chats(&self) -> bool {
        !self.raw.encrypted_requests_disabled
    }

    /// Whether it takes calls.
    pub const fn takes_calls(&self) -> bool {
        !self.raw.call_requests_disabled
    }

    /// The device, like `Pixel 9`, as its application called it: whatever that says, so neutralise control
    /// characters before it goes to a terminal.
    pub fn device_model(&self) -> &str {
        &self.raw.device_model
    }

    /// The family of its operating system, like `Android`.
    pub fn platform(&self) -> &str {
        &self.raw.platform
    }

    /// Its operating system with the version, as its application called it.
    pub fn system_version(&self) -> &str {
        &self.raw.system_version
    }

    /// The application's id (`api_id`), from my.telegram.org.
    pub const fn api_id(&self) -> i32 {
        self.raw.api_id
    }

    /// The application's name, as it was registered with its id.
    pub fn app_name(&self) -> &str {
        &self.raw.app_name
    }

    /// The application's version, as it called itself.
    pub fn app_version(&self) -> &str {
        &self.raw.app_version
    }

    /// When it signed in, by the server's clock, to the second.
    pub fn created(&self) -> SystemTime {
        time(self.raw.date_created)
    }

    /// When it was last seen, by the server's clock, to the second.
    pub fn last_active(&self) -> SystemTime {
        time(self.raw.date_active)
    }

    /// The address that it was last seen at.
    pub fn ip(&self) -> &str {
        &self.raw.ip
    }

    /// The country of that address, as far as Telegram can tell.
    pub fn country(&self) -> &str {
        &self.raw.country
    }

    /// The region of that address, as far as Telegram can tell.
    pub fn region(&self) -> &str {
        &self.raw.region
    }

    /// All that Telegram said, for what has no method here.
    pub const fn raw(&self) -> &types::Authorization {
        &self.raw
    }
}

impl Client {
    /// The devices that the account is signed in on.
    ///
    /// # Errors
    /// `BOT_METHOD_INVALID` for a bot, `AUTH_KEY_UNREGISTERED` if nobody is signed in; the errors
    /// of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// It only asks.
    pub async fn device_sessions(&self) -> Result<DeviceSessions, Error> {
        let answer = self.invoke(&account::GetAuthorizations).await?;
        let mut sessions: Vec<_> =
            answer.authorizations.into_iter().map(DeviceSession::new).collect();
        sessions.sort_by_key(|row| {
            (Reverse(row.raw.current), Reverse(row.raw.unconfirmed), Reverse(row.raw.date_active))
        });
        Ok(DeviceSessions { sessions, ttl_days: answer.authorization_ttl_days })
    }

    /// Signs another device out. Returns whether there was such a session: `false` means that it is
    /// gone already, or never was. This one is ended by [`sign_out`](Self::sign_out).
    ///
    /// # Errors
    /// [`errors::FRESH_RESET_AUTHORISATION_FORBIDDEN`] while this session is younger than 24 hours:
    /// only an older one may end others. Else as [`device_sessions`](Self::device_sessions).
    ///
    /// # Cancel safety
    /// It may happen although the future was dropped; doing it again is harmless.
    pub async fn reset_device_session(&self, hash: i64) -> Result<bool, Error> {
        named(self.invoke(&account::ResetAuthorization { hash }).await)
    }

    /// Signs all other devices out.
    ///
    /// # Errors
    /// As [`reset_device_session`](Self::reset_device_session).
    ///
    /// # Cancel safety
    /// It may happen although the future was dropped; doing it again is harmless.
    pub async fn reset_other_device_sessions(&self) -> Result<(), Error> {
        self.invoke(&auth::ResetAuthorizations).await.map(drop)
    }

    /// Sets after how many days without use a session of the account ends by itself: 1 to 366.
    ///
    /// # Errors
    /// [`errors::TTL_DAYS_INVALID`]; else as [`reset_device_session`](Self::reset_device_session).
    ///
    /// # Cancel safety
    /// It may happen although the future was dropped; doing it again is harmless.
    pub async fn set_device_session_ttl(&self, days: i32) -> Result<(), Error> {
        let request = account::SetAuthorizationTtl { authorization_ttl_days: days };
        self.invoke(&request).await.map(drop)
    }

    /// Says of a new session that it is the user's own. Returns whether there is such a session.
    /// See core.telegram.org/api/auth#confirming-login.
    ///
    /// # Errors
    /// As [`device_sessions`](Self::device_sessions).
    ///
    /// # Cancel safety
    /// It may happen although the future was dropped; doing it again is harmless.
    pub async fn confirm_device_session(&self, hash: i64) -> Result<bool, Error> {
        let request = account::ChangeAuthorizationSettings {
            confirmed: true,
            ..account::ChangeAuthorizationSettings::new(hash)
        };
        named(self.invoke(&request).await)
    }
}

/// Takes the answer that there is no such session for what it is.
fn named(answer: Result<bool, Error>) -> Result<bool, Error> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.is(errors::HASH_INVALID) => Ok(false),
        Err(error) => Err(error),
    }
}
