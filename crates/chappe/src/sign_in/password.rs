//! The password of two-step verification, and what helps when it is forgotten.
//!
//! See core.telegram.org/api/srp.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use zeroize::Zeroizing;

use super::{Rejected, SignIn, authorized, is_code_expired, is_code_wrong};
use crate::{
    Client,
    api::{account, auth, errors, types},
    error::Error,
    security::proof,
};

/// The step of the password.
#[derive(Clone)]
pub struct PasswordStep {
    client: Client,
    hint: Option<String>,
    has_recovery: bool,
    reset_date: Option<i32>,
    rejected: Option<Rejected>,
}

/// The step after the code, or whatever else was asked for, where the account has a password.
pub(super) async fn step(client: &Client) -> Result<SignIn, Error> {
    let form = client.invoke(&account::GetPassword).await?;
    Ok(SignIn::Password(PasswordStep::new(client, form)))
}

/// The same if it is not known whether the server waits for a password.
pub(super) async fn pending(client: &Client) -> Result<Option<SignIn>, Error> {
    let form = client.invoke(&account::GetPassword).await?;
    Ok(form.has_password.then(|| SignIn::Password(PasswordStep::new(client, form))))
}

impl PasswordStep {
    fn new(client: &Client, form: types::account::Password) -> Self {
        Self {
            client: client.clone(),
            hint: form.hint.map(String::from).filter(|hint| !hint.is_empty()),
            has_recovery: form.has_recovery,
            reset_date: form.pending_reset_date,
            rejected: None,
        }
    }

    /// What the owner of the account wrote to remember the password by.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether a forgotten password can be [recovered](Self::recover). If not, a device that is
    /// still signed in can have it reset, which takes a week (`account.resetPassword`).
    pub const fn has_recovery(&self) -> bool {
        self.has_recovery
    }

    /// When the password will be gone by the server's clock, because a device that is signed in
    /// had it reset.
    pub fn reset_at(&self) -> Option<SystemTime> {
        let seconds = u64::try_from(self.reset_date?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }

    /// Why the last password was not accepted; `None` the first time.
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }

    /// Answers with the password, which does not leave this machine.
    ///
    /// # Errors
    /// The errors of [`Client::invoke`]; the step can be tried again after them, when too many
    /// passwords were tried not before [`Error::retry_after`]. A wrong password is no error but
    /// this step again. [`Error::Unsupported`] if the server wants a way of checking that this
    /// version does not know, or one that would betray the password. [`Error::BeginAgain`] if the
    /// server does not wait for a password any more.
    ///
    /// # Cancel safety
    /// The account may be signed in although the future was dropped; [`Client::me`] tells.
    pub async fn submit(&self, password: &str) -> Result<SignIn, Error> {
        if password.is_empty() {
            return Ok(self.again());
        }
        let mut tries = 0;
        loop {
            // The password may have been removed meanwhile, and with it this step.
            let form = form(&self.client).await?;
            let proof = proof::prove(&form, password).await?.ok_or(Error::BeginAgain)?;
            let outcome = self.client.invoke(&auth::CheckPassword { password: proof.into() }).await;
            tries += 1;
            match outcome {
                Ok(authorization) => return authorized(&self.client, authorization).await,
                Err(error) if error.is(errors::PASSWORD_HASH_INVALID) => return Ok(self.again()),
                // The challenge was for somebody who was faster, or for the password before.
                Err(error)
                    if tries < TRIES
                        && (error.is(errors::SRP_ID_INVALID)
                            || error.is(errors::SRP_PASSWORD_CHANGED)) => {}
                Err(error) => return Err(nobody_waits(error)),
            }
        }
    }

    /// Has Telegram send a code to the address that a forgotten password is recovered with.
    ///
    /// # Errors
    /// [`Error::Rpc`], like `PASSWORD_RECOVERY_NA` if there is no address; the errors of
    /// [`Client::invoke`]; [`Error::BeginAgain`] if the server does not wait for a password any
    /// more.
    ///
    /// # Cancel safety
    /// The code may be sent although the future was dropped.
    pub async fn recover(&self) -> Result<SignIn, Error> {
        let sent = self.client.invoke(&auth::RequestPasswordRecovery).await;
        let sent = sent.map_err(nobody_waits)?;
        Ok(SignIn::RecoveryCode(RecoveryCodeStep {
            password: self.clone(),
            pattern: sent.email_pattern.into(),
            rejected: None,
        }))
    }

    fn again(&self) -> SignIn {
        SignIn::Password(Self { rejected: Some(Rejected::Wrong), ..self.clone() })
    }
}

impl fmt::Debug for PasswordStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordStep").field("rejected", &self.rejected).finish_non_exhaustive()
    }
}

/// The step of the code that recovers a forgotten password.
#[derive(Clone)]
pub struct RecoveryCodeStep {
    password: PasswordStep,
    pattern: String,
    rejected: Option<Rejected>,
}

impl RecoveryCodeStep {
    /// The address that the code went to, masked.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Why the last code was not accepted; `None` the first time.
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }

    /// Answers with the code.
    ///
    /// # Errors
    /// As [`CodeStep::submit`](super::CodeStep::submit); [`Error::BeginAgain`] if the server does
    /// not wait for a password any more.
    ///
    /// # Cancel safety
    /// It only asks; the code stays good for the next step.
    pub async fn submit(&self, code: &str) -> Result<SignIn, Error> {
        let code = Zeroizing::new(code.trim().to_owned());
        if code.is_empty() {
            return Ok(self.again(Rejected::Wrong));
        }
        let request = auth::CheckRecoveryPassword { code: code.as_str().into() };
        match self.password.client.invoke(&request).await {
            Ok(true) => Ok(SignIn::NewPassword(NewPasswordStep {
                recovery: self.clone(),
                code,
                rejected: None,
            })),
            Ok(false) => Ok(self.again(Rejected::Wrong)),
            Err(error) => self.code_refused(error),
        }
    }

    /// Has another code sent to the same address.
    ///
    /// # Errors
    /// As [`PasswordStep::recover`].
    ///
    /// # Cancel safety
    /// The code may be sent although the future was dropped.
    pub async fn resend(&self) -> Result<SignIn, Error> {
        self.password.recover().await
    }

    /// Goes back to the password, which was remembered after all.
    pub fn password(&self) -> SignIn {
        SignIn::Password(self.password.clone())
    }

    fn code_refused(&self, error: Error) -> Result<SignIn, Error> {
        if is_code_wrong(&error) {
            return Ok(self.again(Rejected::Wrong));
        }
        if is_code_expired(&error) {
            return Ok(self.again(Rejected::Expired));
        }
        Err(nobody_waits(error))
    }

    pub(super) fn again(&self, rejected: Rejected) -> SignIn {
        SignIn::RecoveryCode(Self { rejected: Some(rejected), ..self.clone() })
    }
}

impl fmt::Debug for RecoveryCodeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryCodeStep").field("rejected", &self.rejected).finish_non_exhaustive()
    }
}

/// The step of a new password instead of the forgotten one.
pub struct NewPasswordStep {
    recovery: RecoveryCodeStep,
    code: Zeroizing<String>,
    rejected: Option<Rejected>,
}

impl NewPasswordStep {
    /// Why the last password was not accepted; `None` the first time.
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }

    /// Signs in and sets a new password, which does not leave this machine. The hint may be
    /// empty; everybody who signs in with the phone number sees it.
    ///
    /// # Errors
    /// As [`PasswordStep::submit`].
    ///
    /// # Cancel safety
    /// The password may be set although the future was dropped; [`Client::me`] tells whether the
    /// account is signed in.
    pub async fn submit(&self, password: &str, hint: &str) -> Result<SignIn, Error> {
        if password.is_empty() {
            return Ok(self.again());
        }
        let client = &self.recovery.password.client;
        let form = form(client).await?;
        let settings = proof::new_settings(&form, password, hint).await?;
        self.finish(Some(Box::new(settings))).await
    }

    /// Signs in and leaves the account without a password.
    ///
    /// # Errors
    /// The errors of [`Client::invoke`].
    ///
    /// # Cancel safety
    /// The password may be removed although the future was dropped; [`Client::me`] tells whether
    /// the account is signed in.
    pub async fn remove(&self) -> Result<SignIn, Error> {
        self.finish(None).await
    }

    async fn finish(
        &self,
        new_settings: Option<Box<types::account::PasswordInputSettings>>,
    ) -> Result<SignIn, Error> {
        let client = &self.recovery.password.client;
        let request = auth::RecoverPassword { code: self.code.as_str().into(), new_settings };
        match client.invoke(&request).await {
            Ok(authorization) => authorized(client, authorization).await,
            Err(error) if error.is(errors::NEW_SETTINGS_INVALID) => Ok(self.again()),
            Err(error) => self.recovery.code_refused(error),
        }
    }

    fn again(&self) -> SignIn {
        SignIn::NewPassword(Self {
            recovery: self.recovery.clone(),
            code: self.code.clone(),
            rejected: Some(Rejected::NewPassword),
        })
    }
}

impl fmt::Debug for NewPasswordStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPasswordStep").field("rejected", &self.rejected).finish_non_exhaustive()
    }
}

/// What the server asks of whom it waits for.
async fn form(client: &Client) -> Result<types::account::Password, Error> {
    client.invoke(&account::GetPassword).await.map_err(nobody_waits)
}

/// The server forgot that it waits for a password, and whose.
fn nobody_waits(error: Error) -> Error {
    if error.is(errors::AUTH_KEY_UNREGISTERED) { Error::BeginAgain } else { error }
}

/// How often a challenge is asked for until one is still good when it is answered.
const TRIES: u32 = 3;
