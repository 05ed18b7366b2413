//! The password of two-step verification: set, changed, recovered, reset.
//!
//! See core.telegram.org/api/srp. Only people have passwords, bots do not.

use std::{fmt, time::SystemTime};

use super::proof;
use crate::{
    Client,
    api::{account, auth, enums, errors, types},
    error::Error,
    security::time,
};

/// How an account is guarded by a password; [`Client::password`] tells.
///
/// ```no_run
/// use chappe::{Client, Error, PasswordProblem, RecoveryEmail};
///
/// # async fn example(client: Client, ask: impl Fn() -> String) -> Result<(), Error> {
/// match client.set_password(None, "correct horse", "the animal").await {
///     Err(Error::Password(PasswordProblem::Needed)) => println!("there is one already"),
///     other => other?,
/// }
/// let email = client.set_recovery_email("correct horse", "me@example.com").await?;
/// if let RecoveryEmail::Unconfirmed { .. } = email {
///     client.confirm_recovery_email(&ask()).await?;
/// }
/// assert!(client.password().await?.has_recovery_email());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordSettings {
    is_set: bool,
    hint: Option<String>,
    has_recovery_email: bool,
    unconfirmed_email: Option<String>,
    login_email: Option<String>,
    reset_at: Option<SystemTime>,
    has_passport_data: bool,
}

impl PasswordSettings {
    /// Whether there is a password.
    pub const fn is_set(&self) -> bool {
        self.is_set
    }

    /// What its owner wrote to remember it by.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether a forgotten password can be replaced by a code that goes to an email address.
    pub const fn has_recovery_email(&self) -> bool {
        self.has_recovery_email
    }

    /// The new recovery address that waits for its [code](Client::confirm_recovery_email), masked.
    /// A password that was set together with it is not in effect before.
    pub fn unconfirmed_email(&self) -> Option<&str> {
        self.unconfirmed_email.as_deref()
    }

    /// The address that login codes go to, masked.
    pub fn login_email(&self) -> Option<&str> {
        self.login_email.as_deref()
    }

    /// When the password can be removed without being known, if that was
    /// [asked for](Client::reset_password).
    pub const fn reset_at(&self) -> Option<SystemTime> {
        self.reset_at
    }

    /// Whether the account has Telegram Passport data, which hangs on the password.
    pub const fn has_passport_data(&self) -> bool {
        self.has_passport_data
    }
}

impl fmt::Debug for PasswordSettings {
    /// Neither hint nor addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordSettings")
            .field("is_set", &self.is_set)
            .field("has_recovery_email", &self.has_recovery_email)
            .field("reset_at", &self.reset_at)
            .finish_non_exhaustive()
    }
}

impl From<types::account::Password> for PasswordSettings {
    fn from(form: types::account::Password) -> Self {
        let text = |text: Option<chappe_tl::Text>| text.map(String::from);
        Self {
            is_set: form.has_password,
            hint: text(form.hint).filter(|hint| !hint.is_empty()),
            has_recovery_email: form.has_recovery,
            unconfirmed_email: text(form.email_unconfirmed_pattern),
            login_email: text(form.login_email_pattern),
            reset_at: form.pending_reset_date.map(time),
            has_passport_data: form.has_secure_values,
        }
    }
}

/// Why a password, or its recovery address, was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordProblem {
    /// No address waits to be confirmed, or no code is on its way that is still good.
    CodeExpired,
    /// The code that came by email is another one.
    CodeWrong,
    /// The new password is empty.
    Empty,
    /// The hint is the password itself.
    HintIsPassword,
    /// The server does not take the email address.
    InvalidEmail,
    /// The account has a password, and it was not given.
    Needed,
    /// The account has no recovery address that a code could go to.
    NoRecoveryEmail,
    /// The account has no password.
    NotSet,
    /// The account has Telegram Passport data, which only the current password opens: with
    /// another one, or none, it would be lost.
    PassportData,
    /// The current password is another one.
    Wrong,
}

impl fmt::Display for PasswordProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CodeExpired => {
                "no code is on its way, or it is too old or was tried too often; \
                 ask for a new one"
            }
            Self::CodeWrong => "the code is wrong",
            Self::Empty => "the new password is empty",
            Self::HintIsPassword => "the hint would tell the password; write another one",
            Self::InvalidEmail => "this email address is not accepted; check it",
            Self::Needed => "the account has a password already; give it to change it",
            Self::NoRecoveryEmail => "the account has no recovery email address",
            Self::NotSet => "the account has no password",
            Self::PassportData => {
                "the account has Telegram Passport data that would be lost; \
                 change the password with an official app"
            }
            Self::Wrong => "the password is wrong",
        })
    }
}

impl std::error::Error for PasswordProblem {}

/// What became of a new recovery address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "an address that is not confirmed recovers nothing"]
pub enum RecoveryEmail {
    /// It is in effect: it was confirmed before.
    Set,
    /// A code went to it: [`Client::confirm_recovery_email`] takes it.
    Unconfirmed {
        /// How many digits the code has, if the server said so.
        code_length: Option<usize>,
    },
}

/// What became of the wish to remove a password that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "mostly the password is still there"]
pub enum PasswordReset {
    /// The password is removed: the account has none any more.
    Done,
    /// Not before this time: one was asked for and [declined](Client::decline_password_reset)
    /// lately.
    Refused {
        /// When it can be asked for again.
        retry_at: SystemTime,
    },
    /// It can be removed from this time on, by asking once more. Until then every device of the
    /// account can decline it.
    Requested {
        /// From when on.
        until: SystemTime,
    },
}

impl Client {
    /// How the account is guarded by a password.
    ///
    /// # Errors
    /// `BOT_METHOD_INVALID` for a bot; the errors of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// It only asks.
    pub async fn password(&self) -> Result<PasswordSettings, Error> {
        self.invoke(&account::GetPassword).await.map(Into::into)
    }

    /// Sets a password, or changes it: then `current` is the one that there is. The hint may be
    /// empty. The recovery address stays.
    ///
    /// The password is its UTF-8 bytes: they are not trimmed and not normalised. It does not leave
    /// this machine.
    ///
    /// # Errors
    /// [`Error::Password`] says what is wrong with which of the two; [`Error::Unsupported`] if the
    /// server wants it checked or kept in a way that this version does not know, or one that would
    /// betray it; the errors of [`invoke`](Self::invoke). After [`Error::Lost`] and
    /// [`Error::TimedOut`], [`check_password`](Self::check_password) tells which of the two it is.
    ///
    /// # Cancel safety
    /// It may be changed although the future was dropped; [`check_password`](Self::check_password)
    /// tells.
    pub async fn set_password(
        &self,
        current: Option<&str>,
        new: &str,
        hint: &str,
    ) -> Result<(), Error> {
        refuse_new(new, hint)?;
        update(self, current, Change::Password { new, hint }).await.map(drop)
    }

    /// Removes the password, and its recovery address with it.
    ///
    /// # Errors
    /// As [`set_password`](Self::set_password).
    ///
    /// # Cancel safety
    /// As [`set_password`](Self::set_password).
    pub async fn remove_password(&self, current: &str) -> Result<(), Error> {
        update(self, Some(current), Change::NoPassword).await.map(drop)
    }

    /// Whether this is the password. The server may make who tries often wait.
    ///
    /// # Errors
    /// [`PasswordProblem::NotSet`] if there is none; [`Error::Unsupported`] as for
    /// [`set_password`](Self::set_password); the errors of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// It only asks.
    pub async fn check_password(&self, password: &str) -> Result<bool, Error> {
        match self.recovery_email(password).await {
            Ok(_) => Ok(true),
            Err(Error::Password(PasswordProblem::Wrong)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The recovery address, which only the password opens; `None` if there is none.
    ///
    /// # Errors
    /// As [`check_password`](Self::check_password); [`PasswordProblem::Wrong`].
    ///
    /// # Cancel safety
    /// It only asks.
    pub async fn recovery_email(&self, password: &str) -> Result<Option<String>, Error> {
        let mut again = true;
        loop {
            let form = self.invoke(&account::GetPassword).await?;
            let proof = proof::prove(&form, password).await?.ok_or(PasswordProblem::NotSet)?;
            let request = account::GetPasswordSettings { password: proof.into() };
            match self.invoke(&request).await {
                Ok(settings) => return Ok(settings.email.map(String::from)),
                Err(error) if again && is_stale(&error) => again = false,
                Err(error) => return Err(explained(error)),
            }
        }
    }

    /// Sets the address that helps with a forgotten password. A new one is in effect when the code
    /// that goes to it is [confirmed](Self::confirm_recovery_email); until then the old one is.
    ///
    /// # Errors
    /// As [`set_password`](Self::set_password).
    ///
    /// # Cancel safety
    /// The code may be sent although the future was dropped; doing it again sends another one.
    pub async fn set_recovery_email(
        &self,
        password: &str,
        email: &str,
    ) -> Result<RecoveryEmail, Error> {
        let email = email.trim();
        // No address means to the server that there is to be none.
        if email.is_empty() {
            return Err(PasswordProblem::InvalidEmail.into());
        }
        update(self, Some(password), Change::Email(email)).await
    }

    /// Removes the recovery address: a forgotten password cannot be replaced then.
    ///
    /// # Errors
    /// As [`set_password`](Self::set_password).
    ///
    /// # Cancel safety
    /// It may happen although the future was dropped; doing it again is harmless.
    pub async fn remove_recovery_email(&self, password: &str) -> Result<(), Error> {
        update(self, Some(password), Change::Email("")).await.map(drop)
    }

    /// Confirms a new recovery address with the code that went to it.
    ///
    /// # Errors
    /// [`PasswordProblem::CodeWrong`], [`PasswordProblem::CodeExpired`]; the errors of
    /// [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// It may be confirmed although the future was dropped; [`password`](Self::password) tells.
    pub async fn confirm_recovery_email(&self, code: &str) -> Result<(), Error> {
        let request = account::ConfirmPasswordEmail { code: code.trim().into() };
        self.invoke(&request).await.map(drop).map_err(explained)
    }

    /// Sends another code to the address that waits to be confirmed.
    ///
    /// # Errors
    /// [`PasswordProblem::CodeExpired`] if none waits; the errors of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// The code may be sent although the future was dropped.
    pub async fn resend_recovery_email(&self) -> Result<(), Error> {
        self.invoke(&account::ResendPasswordEmail).await.map(drop).map_err(explained)
    }

    /// Gives up the address that waits to be confirmed. Returns whether one waited.
    ///
    /// # Errors
    /// Those of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// It may happen although the future was dropped; doing it again is harmless.
    pub async fn cancel_recovery_email(&self) -> Result<bool, Error> {
        there_was(self.invoke(&account::CancelPasswordEmail).await, errors::EMAIL_HASH_EXPIRED)
    }

    /// Sends a code to the recovery address, for who is signed in and does not know the password.
    /// Returns the address, masked. During a sign-in, [`PasswordStep`](crate::PasswordStep) does.
    ///
    /// # Errors
    /// [`PasswordProblem::NotSet`], [`PasswordProblem::NoRecoveryEmail`]; the errors of
    /// [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// The code may be sent although the future was dropped.
    pub async fn request_password_recovery(&self) -> Result<String, Error> {
        let sent = self.invoke(&auth::RequestPasswordRecovery).await.map_err(explained)?;
        Ok(sent.email_pattern.into())
    }

    /// Replaces a forgotten password by the code of
    /// [`request_password_recovery`](Self::request_password_recovery): with a new one and its hint,
    /// or with none. [Telegram Passport data](PasswordSettings::has_passport_data) is lost with the
    /// old one, which alone opens it.
    ///
    /// # Errors
    /// [`PasswordProblem::CodeWrong`], [`PasswordProblem::CodeExpired`] and what is wrong with the
    /// new password; the errors of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// The code may have been used up; [`check_password`](Self::check_password) tells.
    pub async fn recover_password(
        &self,
        code: &str,
        new: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        let new_settings = match new {
            Some((new, hint)) => {
                refuse_new(new, hint)?;
                let form = self.invoke(&account::GetPassword).await?;
                Some(Box::new(proof::new_settings(&form, new, hint).await?))
            }
            None => None,
        };
        let request = auth::RecoverPassword { code: code.trim().into(), new_settings };
        self.invoke(&request).await.map(drop).map_err(explained)
    }

    /// Asks for the removal of a password that nobody knows, for who has no recovery address and is
    /// signed in: it can be removed a week later, by asking again. Telegram Passport data goes with
    /// it. See core.telegram.org/api/srp#password-reset.
    ///
    /// # Errors
    /// [`PasswordProblem::NotSet`]; the errors of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// It may have been asked for although the future was dropped; [`password`](Self::password)
    /// tells.
    pub async fn reset_password(&self) -> Result<PasswordReset, Error> {
        use enums::account::ResetPasswordResult as Answer;

        match self.invoke(&account::ResetPassword).await.map_err(explained)? {
            Answer::ResetPasswordOk => Ok(PasswordReset::Done),
            Answer::ResetPasswordRequestedWait(wait) => {
                Ok(PasswordReset::Requested { until: time(wait.until_date) })
            }
            Answer::ResetPasswordFailedWait(wait) => {
                Ok(PasswordReset::Refused { retry_at: time(wait.retry_date) })
            }
            _ => Err(Error::Unsupported("Telegram answers a reset in a new way; update the app")),
        }
    }

    /// Declines the removal of the password that was asked for, here or elsewhere. Returns whether
    /// one was.
    ///
    /// # Errors
    /// Those of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// It may happen although the future was dropped; doing it again is harmless.
    pub async fn decline_password_reset(&self) -> Result<bool, Error> {
        there_was(self.invoke(&account::DeclinePasswordReset).await, errors::RESET_REQUEST_MISSING)
    }
}

/// What is to be changed.
#[derive(Clone, Copy)]
enum Change<'a> {
    Password {
        new: &'a str,
        hint: &'a str,
    },
    NoPassword,
    /// Empty for none.
    Email(&'a str),
}

impl Change<'_> {
    async fn settings(
        self,
        form: &types::account::Password,
    ) -> Result<types::account::PasswordInputSettings, Error> {
        match self {
            Self::Password { .. } | Self::NoPassword if form.has_secure_values => {
                Err(PasswordProblem::PassportData.into())
            }
            Self::Password { new, hint } => proof::new_settings(form, new, hint).await,
            Self::NoPassword => Ok(proof::no_password()),
            Self::Email(email) => Ok(types::account::PasswordInputSettings {
                email: Some(email.into()),
                ..types::account::PasswordInputSettings::new()
            }),
        }
    }
}

/// Shows the current password and changes something. When the challenge is too old, or another
/// device changed the password in between, it is shown once more: it may still be the right one.
async fn update(
    client: &Client,
    current: Option<&str>,
    change: Change<'_>,
) -> Result<RecoveryEmail, Error> {
    let mut again = true;
    loop {
        let form = client.invoke(&account::GetPassword).await?;
        let password = match (current, form.has_password) {
            (None, true) => return Err(PasswordProblem::Needed.into()),
            (None, false) => enums::InputCheckPasswordSrp::InputCheckPasswordEmpty,
            (Some(current), _) => {
                proof::prove(&form, current).await?.ok_or(PasswordProblem::NotSet)?.into()
            }
        };
        let new_settings = change.settings(&form).await?;
        let request = account::UpdatePasswordSettings { password, new_settings };
        match client.invoke(&request).await {
            Ok(_) => return Ok(RecoveryEmail::Set),
            // Not in effect, and no error either.
            Err(error)
                if error.is(errors::EMAIL_UNCONFIRMED_X) || error.is(errors::EMAIL_UNCONFIRMED) =>
            {
                let length = error.rpc().and_then(|error| error.value);
                let code_length = length.and_then(|length| usize::try_from(length).ok());
                return Ok(RecoveryEmail::Unconfirmed { code_length });
            }
            Err(error) if again && is_stale(&error) => again = false,
            Err(error) => return Err(explained(error)),
        }
    }
}

/// Refuses a new password that is none, or that its hint tells.
fn refuse_new(new: &str, hint: &str) -> Result<(), Error> {
    if new.is_empty() {
        return Err(PasswordProblem::Empty.into());
    }
    if hint.trim() == new.trim() {
        return Err(PasswordProblem::HintIsPassword.into());
    }
    Ok(())
}

/// Whether the challenge that was answered is not in effect any more.
fn is_stale(error: &Error) -> bool {
    error.is(errors::SRP_ID_INVALID) || error.is(errors::SRP_PASSWORD_CHANGED)
}

/// What an answer of Telegram's says about a password.
fn explained(error: Error) -> Error {
    let problem = PROBLEMS.iter().find(|(name, _)| error.is(*name));
    problem.map_or(error, |(_, problem)| (*problem).into())
}

/// Takes the answer that there is nothing of the kind for what it is.
fn there_was(answer: Result<bool, Error>, nothing: chappe_tl::ErrorName) -> Result<bool, Error> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.is(nothing) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What Telegram's names mean here.
const PROBLEMS: [(chappe_tl::ErrorName, PasswordProblem); 8] = [
    (errors::CODE_EMPTY, PasswordProblem::CodeWrong),
    (errors::CODE_INVALID, PasswordProblem::CodeWrong),
    (errors::EMAIL_HASH_EXPIRED, PasswordProblem::CodeExpired),
    (errors::EMAIL_INVALID, PasswordProblem::InvalidEmail),
    (errors::PASSWORD_EMPTY, PasswordProblem::NotSet),
    (errors::PASSWORD_HASH_INVALID, PasswordProblem::Wrong),
    (errors::PASSWORD_RECOVERY_EXPIRED, PasswordProblem::CodeExpired),
    (errors::PASSWORD_RECOVERY_NA, PasswordProblem::NoRecoveryEmail),
];
